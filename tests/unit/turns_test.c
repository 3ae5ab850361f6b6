#include "daemon/ops/turns.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct item {
    struct baod_turns_item turn;
    unsigned sender, serial;
};

static struct item *pop(struct baod_turns *t)
{
    return (struct item *)baod_turns_pop(t);
}

static void empty_gives_nothing(void **state)
{
    struct baod_turns t;

    (void)state;
    baod_turns_init(&t, 7);
    assert_null(baod_turns_pop(&t));
    assert_null(baod_turns_peek(&t));
    assert_int_equal(t.n, 0);
}

/* One who brings a hundred, then two who bring one each: these wait for one of the hundred, not for all. */
static void nobody_waits_behind_a_crowd(void **state)
{
    struct item items[102];
    struct baod_turns t;
    unsigned seen = 0;

    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        unsigned at[3] = {0};

        baod_turns_init(&t, seed * UINT64_C(0x9e3779b97f4a7c15));
        for (unsigned i = 0; i < 102; i++) {
            items[i] = (struct item){.sender = i < 100 ? 0 : i - 99, .serial = i};
            baod_turns_push(&t, items[i].sender, &items[i].turn);
        }
        for (unsigned k = 1; t.n != 0; k++) {
            struct item *item;

            assert_non_null(baod_turns_peek(&t));
            item = pop(&t);
            if (at[item->sender] == 0)
                at[item->sender] = k;
        }
        assert_null(pop(&t));
        assert_int_equal(at[0], 1);
        seen += at[1] <= 3 && at[2] <= 3;
    }
    assert_true(seen >= 45); /* but for the few that share a lane by chance */
}

static void a_senders_own_stay_in_order(void **state)
{
    struct item items[300];
    struct baod_turns t;
    unsigned last[3] = {0}, n = 0;

    (void)state;
    baod_turns_init(&t, 42);
    for (unsigned i = 0; i < 300; i++) {
        items[i] = (struct item){.sender = i % 3, .serial = i + 1};
        baod_turns_push(&t, items[i].sender, &items[i].turn);
        if (i % 7 == 6) { /* some leave while others come */
            struct item *item = pop(&t);

            assert_true(item->serial > last[item->sender]);
            last[item->sender] = item->serial;
            n++;
        }
    }
    for (struct item *item; (item = pop(&t)) != NULL; n++) {
        assert_true(item->serial > last[item->sender]);
        last[item->sender] = item->serial;
    }
    assert_int_equal(n, 300);
    assert_int_equal(t.n, 0);
}

/* Numbers that count up, as those of connections do, spread over the lanes whatever the seed is. */
static void senders_in_a_row_spread(void **state)
{
    static struct item items[128];
    struct baod_turns t;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        unsigned lanes = 0;

        baod_turns_init(&t, seed << (seed * 3));
        for (unsigned i = 0; i < 128; i++)
            baod_turns_push(&t, (uint64_t)i << 32 | i, &items[i].turn);
        for (unsigned i = 0; i < BAOD_TURNS_LANES; i++)
            lanes += t.lanes[i].first != NULL;
        assert_true(lanes > 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_gives_nothing),
        cmocka_unit_test(nobody_waits_behind_a_crowd),
        cmocka_unit_test(a_senders_own_stay_in_order),
        cmocka_unit_test(senders_in_a_row_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
