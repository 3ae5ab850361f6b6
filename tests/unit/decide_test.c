/* The order of decisions and what becomes of an obligation. */
#include "daemon/store/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { HOUR = 3600 };
static const bao_time NOON = INT64_C(1790000000000000);

struct fixture {
    struct bao_arena arena;
    struct bao_verdict verdict;
    struct baod_obligation obligation;
    struct baod_stored same;
    struct baod_case c;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return -1;
    f->verdict = (struct bao_verdict){.has_key = true, .revision = 1};
    memset(f->verdict.content, 7, sizeof(f->verdict.content));
    f->obligation = (struct baod_obligation){.exists = true,
                                             .due_at = NOON,
                                             .lock_at = NOON + 24 * HOUR * BAO_SECOND,
                                             .extended_to = BAO_TIME_NONE,
                                             .received_at = BAO_TIME_NONE,
                                             .kept_at = BAO_TIME_NONE,
                                             .kept_until = BAO_TIME_NONE};
    f->c = (struct baod_case){.verdict = &f->verdict,
                              .received_at = NOON - HOUR,
                              .obligation = &f->obligation,
                              .same = &f->same,
                              .offset = BAO_VN_OFFSET};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    bao_arena_deinit(&f->arena);
    free(f);
    return 0;
}

static struct baod_decision decide(struct fixture *f)
{
    struct baod_decision d;

    assert_int_equal(baod_decide(&f->c, &f->arena, &d), 0);
    return d;
}

static void store_same(struct fixture *f, uint8_t content)
{
    f->same = (struct baod_stored){.exists = true,
                                   .state = BAOD_COUNTED,
                                   .revision = f->verdict.revision,
                                   .received_at = NOON - 2 * HOUR};
    memset(f->same.content, content, sizeof(f->same.content));
    f->obligation.revision = f->obligation.last_revision = f->verdict.revision;
    f->obligation.received_at = f->same.received_at;
}

/* Each row makes several reasons true at once; the first in the contract's order must answer. */
static void the_first_reason_answers(void **state)
{
    static const struct {
        char stored; /* 0 none, s same content, o other content */
        enum bao_symbol verdict;
        bool owed, locked;
        uint8_t kind;
        enum bao_symbol symbol;
    } rows[] = {
        {'s', BAO_SYM_INVALID, false, true, BAOD_DUPLICATE, BAO_SYM_NONE},
        {'s', BAO_SYM_FORM, true, true, BAOD_DUPLICATE, BAO_SYM_NONE},
        {'o', BAO_SYM_INVALID, false, true, BAOD_REFUSE, BAO_SYM_KEYREUSED},
        {'o', BAO_SYM_PERIOD, true, true, BAOD_REFUSE, BAO_SYM_KEYREUSED},
        {0, BAO_SYM_FORM, false, true, BAOD_REFUSE, BAO_SYM_FORM},
        {0, BAO_SYM_PERIOD, false, true, BAOD_REFUSE, BAO_SYM_PERIOD},
        {0, BAO_SYM_NOTOWED, true, true, BAOD_REFUSE, BAO_SYM_NOTOWED},
        {0, BAO_SYM_INVALID, false, true, BAOD_REFUSE, BAO_SYM_NOTOWED},
        {0, BAO_SYM_INVALID, true, true, BAOD_REFUSE, BAO_SYM_LOCKED},
        {0, BAO_SYM_NONE, true, true, BAOD_REFUSE, BAO_SYM_LOCKED},
        {0, BAO_SYM_INVALID, true, false, BAOD_REFUSE, BAO_SYM_INVALID},
        {0, BAO_SYM_EXPLAIN, true, false, BAOD_REFUSE, BAO_SYM_EXPLAIN},
        {0, BAO_SYM_NONE, true, false, BAOD_COUNT, BAO_SYM_NONE},
    };

    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct fixture *f = *state;
        struct baod_decision d;

        f->same = (struct baod_stored){.exists = false};
        if (rows[i].stored != 0)
            store_same(f, rows[i].stored == 's' ? 7 : 8);
        f->verdict.symbol = rows[i].verdict;
        f->obligation.exists = rows[i].owed;
        f->obligation.lock_at = rows[i].locked ? NOON - HOUR : BAO_TIME_NONE;
        d = decide(f);
        if (d.kind != rows[i].kind || (d.kind == BAOD_REFUSE && d.symbol != rows[i].symbol))
            fail_msg("row %zu: kind %d symbol %s", i, d.kind, bao_symbol_info(d.symbol)->name);
        if (d.symbol == BAO_SYM_KEYREUSED || d.symbol == BAO_SYM_LOCKED)
            assert_true(d.detail[BAO_VI].n > 20 && d.detail[BAO_EN].n > 20);
    }
}

static void a_first_report_counts_and_keeps_its_time(void **state)
{
    struct fixture *f = *state;
    struct baod_decision d = decide(f);

    assert_int_equal(d.kind, BAOD_COUNT);
    assert_int_equal(d.after.revision, 1);
    assert_int_equal(d.after.last_revision, 1);
    assert_true(d.after.received_at == NOON - HOUR);
    assert_true(baod_obligation_on_time(&d.after));
    f->c.received_at = NOON; /* not after the deadline */
    d = decide(f);
    assert_true(baod_obligation_on_time(&d.after));
    f->c.received_at = NOON + 1;
    d = decide(f);
    assert_int_equal(d.kind, BAOD_COUNT);
    assert_false(baod_obligation_on_time(&d.after));
    f->obligation.extended_to = NOON + 5;
    d = decide(f);
    assert_true(baod_obligation_on_time(&d.after));
}

static void a_late_correction_stays_on_time(void **state)
{
    struct fixture *f = *state;
    struct baod_decision d;

    f->obligation.revision = f->obligation.last_revision = 1;
    f->obligation.received_at = NOON - 5 * HOUR;
    f->verdict.revision = 3;
    f->c.received_at = NOON + HOUR;
    d = decide(f);
    assert_int_equal(d.kind, BAOD_COUNT);
    assert_int_equal(d.after.revision, 3);
    assert_true(d.after.received_at == NOON - 5 * HOUR);
    assert_true(baod_obligation_on_time(&d.after));
}

static void a_lower_revision_after_a_higher_is_kept(void **state)
{
    struct fixture *f = *state;
    struct baod_decision d;

    f->obligation.revision = f->obligation.last_revision = 4;
    f->obligation.received_at = NOON - HOUR;
    f->verdict.revision = 2;
    d = decide(f);
    assert_int_equal(d.kind, BAOD_KEEP);
    assert_int_equal(d.after.revision, 4);
    assert_int_equal(d.after.last_revision, 4);
}

static void a_return_with_a_term_keeps_the_first_time(void **state)
{
    struct fixture *f = *state;
    struct baod_decision d;

    f->obligation.last_revision = 1;
    f->obligation.kept_at = NOON - 9 * HOUR;
    f->obligation.kept_until = NOON + HOUR;
    f->verdict.revision = 2;
    f->c.received_at = NOON + HOUR;
    d = decide(f);
    assert_int_equal(d.kind, BAOD_COUNT);
    assert_true(d.after.received_at == NOON - 9 * HOUR);
    assert_true(d.after.kept_at == BAO_TIME_NONE && d.after.kept_until == BAO_TIME_NONE);
    f->c.received_at = NOON + HOUR + 1; /* too late for the term */
    d = decide(f);
    assert_true(d.after.received_at == NOON + HOUR + 1);
    assert_false(baod_obligation_on_time(&d.after));
}

static void a_resend_with_an_earlier_custody_moves_it(void **state)
{
    struct fixture *f = *state;
    struct baod_decision d;

    store_same(f, 7);
    f->c.received_at = f->same.received_at + 1;
    d = decide(f);
    assert_false(d.moved_custody);
    f->c.received_at = f->same.received_at - 1;
    d = decide(f);
    assert_int_equal(d.kind, BAOD_DUPLICATE);
    assert_true(d.moved_custody);
}

static void reuse_names_the_figure_that_differs(void **state)
{
    const struct bao_indicator indicators[] = {
        {.label = {BAO_STR("Nhiệm vụ được giao"), BAO_STR("Tasks assigned")}, .decimals = 0},
        {.label = {BAO_STR("Kinh phí"), BAO_STR("Funds")}, .decimals = 2},
    };
    const struct bao_form form = {.indicators = indicators, .n_indicators = 2};
    static const struct bao_slot of[] = {{0, BAO_SLOT_NONE}, {1, BAO_SLOT_NONE}};
    static const bool adds[] = {true, true};
    static const struct bao_slots slots = {of, 2, 2, adds};
    struct bao_figure was[] = {{true, 10}, {true, -5}}, is[] = {{true, 10}, {true, 1234}};
    struct fixture *f = *state;
    struct baod_decision d;

    store_same(f, 8);
    f->same.figures = was;
    f->same.n_figures = 2;
    f->obligation.last_revision = 2;
    f->verdict.form = &form;
    f->c.slots = &slots;
    f->c.figures = is;
    d = decide(f);
    assert_int_equal(d.symbol, BAO_SYM_KEYREUSED);
    assert_non_null(strstr(d.detail[BAO_VI].p, "«Kinh phí» trước ghi -0.05, nay ghi 12.34"));
    assert_non_null(strstr(d.detail[BAO_VI].p, "revision: 3"));
    assert_non_null(strstr(d.detail[BAO_EN].p, "“Funds” was -0.05 and is now 12.34"));
    was[1].present = false;
    d = decide(f);
    assert_non_null(strstr(d.detail[BAO_VI].p, "«Kinh phí» trước để trống, nay ghi 12.34."));
    assert_non_null(strstr(d.detail[BAO_EN].p, "“Funds” was empty and is now 12.34."));
    was[1].present = true;
    is[1].scaled = -5;
    d = decide(f);
    assert_non_null(strstr(d.detail[BAO_EN].p, "indicators are the same"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_first_reason_answers),
        TEST(a_first_report_counts_and_keeps_its_time),
        TEST(a_late_correction_stays_on_time),
        TEST(a_lower_revision_after_a_higher_is_kept),
        TEST(a_return_with_a_term_keeps_the_first_time),
        TEST(a_resend_with_an_earlier_custody_moves_it),
        TEST(reuse_names_the_figure_that_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
