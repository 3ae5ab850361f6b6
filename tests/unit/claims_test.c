/* Which leaves have a row: batches of any size, gaps between them, marks that meet none. */
#include "daemon/store/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void leaves_are_told_apart(void **state)
{
    struct baod_claims c = BAOD_CLAIMS_NULL;
    static const struct baod_claims_batch batches[] = {{.seq = 1, .n = 2},
                                                       {.seq = 2, .n = 0},
                                                       {.seq = 3, .n = 9},
                                                       {.seq = 7, .n = 1000},
                                                       {.seq = 7, .n = 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
        assert_int_equal(baod_claims_add(&c, &batches[i]), 0);
    assert_int_equal(c.n, 4); /* the second batch of one number is left out */
    baod_claims_mark(&c, 3, 0);
    baod_claims_mark(&c, 3, 8);
    baod_claims_mark(&c, 3, 8);
    for (int64_t leaf = 0; leaf < 1000; leaf++)
        baod_claims_mark(&c, 7, leaf);
    assert_int_equal(baod_claims_shown(&c, &c.batches[0]), 0);
    assert_int_equal(baod_claims_shown(&c, &c.batches[1]), 0);
    assert_int_equal(baod_claims_shown(&c, &c.batches[2]), 2);
    assert_int_equal(baod_claims_shown(&c, &c.batches[3]), 1000);
    baod_claims_deinit(&c);
    baod_claims_deinit(&c);
}

static void marks_of_nothing_are_passed_over(void **state)
{
    struct baod_claims c = BAOD_CLAIMS_NULL;

    (void)state;
    baod_claims_mark(&c, 1, 0);
    assert_int_equal(baod_claims_add(&c, &(struct baod_claims_batch){.seq = 5, .n = 3}), 0);
    baod_claims_mark(&c, 5, 3);
    baod_claims_mark(&c, 5, -1);
    baod_claims_mark(&c, 4, 0);
    baod_claims_mark(&c, 6, 0);
    assert_int_equal(baod_claims_shown(&c, &c.batches[0]), 0);
    baod_claims_deinit(&c);
}

static void there_is_room_for_many_batches(void **state)
{
    struct baod_claims c = BAOD_CLAIMS_NULL;

    (void)state;
    for (int64_t seq = 1; seq <= 5000; seq++)
        assert_int_equal(
            baod_claims_add(&c, &(struct baod_claims_batch){.seq = seq, .n = (uint32_t)(seq % 7)}), 0);
    for (int64_t seq = 1; seq <= 5000; seq++)
        baod_claims_mark(&c, seq, seq % 7 - 1);
    for (size_t i = 0; i < c.n; i++)
        assert_int_equal(baod_claims_shown(&c, &c.batches[i]), c.batches[i].n == 0 ? 0 : 1);
    baod_claims_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_are_told_apart),
        cmocka_unit_test(marks_of_nothing_are_passed_over),
        cmocka_unit_test(there_is_room_for_many_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
