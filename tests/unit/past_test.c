/* What a report looks back on: which periods, and the history that is made of them. */
#include "daemon/store/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ALL = BAO_BACK_PREV | BAO_BACK_PREV_YEAR | BAO_BACK_YTD };

static void later_reports_look_at_what_their_checks_read(void **state)
{
    static const struct {
        int32_t later, earlier;
        unsigned back;
        bool looks;
    } rows[] = {
        {20263003, 20263002, BAO_BACK_PREV, true},
        {20263003, 20263001, BAO_BACK_PREV, false},
        {20263001, 20253004, BAO_BACK_PREV, true},
        {20263003, 20263002, BAO_BACK_PREV_YEAR, false},
        {20263003, 20253003, BAO_BACK_PREV_YEAR, true},
        {20263003, 20253003, BAO_BACK_PREV, false},
        {20263003, 20263001, BAO_BACK_YTD, true},
        {20263001, 20253004, BAO_BACK_YTD, false},
        {20263002, 20263003, ALL, false},
        {20263002, 20263002, ALL, false},
        {20263002, 20265003, ALL, false},
        {20263003, 20263002, 0, false},
        {20265001, 20255012, BAO_BACK_PREV, true},
        {20265012, 20265001, BAO_BACK_YTD, true},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++)
        if (baod_looks_at(rows[i].later, rows[i].earlier, rows[i].back) != rows[i].looks)
            fail_msg("%d at %d by %u", rows[i].later, rows[i].earlier, rows[i].back);
}

/* Asks for a month of 2026 of a unit whose first period is `from`. */
static void want(struct baod_pasts *pasts, uint16_t month, int32_t from, unsigned back, struct baod_view *ret)
{
    struct baod_past_of of = {7, 2, {.year = 2026, .type = BAO_P_MONTH, .n = month}, from};

    assert_int_equal(baod_pasts_want(pasts, &of, back, ret), 0);
}

static void each_period_is_asked_for_once(void **state)
{
    struct baod_pasts pasts = {.n = 0};
    struct baod_view view;

    (void)state;
    want(&pasts, 4, 0, ALL, &view);
    /* Three months of the year, the last of them with its body, and April a year ago. */
    assert_int_equal(view.n, 4);
    assert_int_equal(view.n_year, 3);
    assert_int_equal(pasts.items[view.prev].period, 20265003);
    assert_true(pasts.items[view.prev].body && !pasts.items[0].body);
    assert_int_equal(pasts.items[view.prev_year].period, 20255004);
    assert_true(pasts.items[view.prev_year].body);
    /* January's month before is last year's. */
    want(&pasts, 1, 0, ALL, &view);
    assert_int_equal(view.first, 4);
    assert_int_equal(view.n_year, 0);
    assert_int_equal(pasts.items[view.prev].period, 20255012);
    want(&pasts, 4, 0, BAO_BACK_PREV, &view);
    assert_int_equal(view.n, 1);
    assert_true(view.prev_year == SIZE_MAX);
    baod_pasts_deinit(&pasts);
    baod_pasts_deinit(&pasts);
}

/* What another unit reported under the same code is nobody's past. */
static void no_period_before_the_unit_is_asked_for(void **state)
{
    struct baod_pasts pasts = {.n = 0};
    struct baod_view view;

    (void)state;
    want(&pasts, 4, 20265003, ALL, &view);
    assert_int_equal(view.n, 1);
    assert_int_equal(view.n_year, 1);
    assert_int_equal(view.prev, 0);
    assert_true(view.prev_year == SIZE_MAX);
    assert_int_equal(pasts.items[0].period, 20265003);
    want(&pasts, 4, 20265004, ALL, &view);
    assert_int_equal(view.n, 0);
    assert_true(view.prev == SIZE_MAX && view.prev_year == SIZE_MAX);
    want(&pasts, 1, 20255012, ALL, &view);
    assert_int_equal(pasts.items[view.prev].period, 20255012);
    assert_true(view.n == 1 && view.prev_year == SIZE_MAX);
    baod_pasts_deinit(&pasts);
}

struct world {
    struct bao_arena arena;
    struct bao_inflater *inflater;
    struct bao_deflater *deflater;
    struct baod_pasts pasts;
    struct baod_view view;
    struct bao_history history;
};

/* cases (slot 1), ratio, dong with two decimals (slot 0) */
static const struct bao_indicator INDICATORS[] = {{.decimals = 0}, {.is_ratio = true}, {.decimals = 2}};
static const struct bao_slot OF[] = {{1, BAO_SLOT_NONE}, {2, 3}, {0, BAO_SLOT_NONE}};
static const struct bao_slots SLOTS = {.of = OF, .n_indicators = 3, .n = 4};
static const struct bao_form FORM = {.indicators = INDICATORS, .n_indicators = 3};
static const struct bao_figure FIRST[] = {{true, 1050}, {true, 7}}, SECOND[] = {{false, 0}, {true, 5}};

static void start(struct world *w)
{
    *w = (struct world){.inflater = bao_inflater_new(), .deflater = bao_deflater_new(5)};
    assert_true(w->inflater != NULL && w->deflater != NULL);
    struct baod_past_of of = {1, 1, {.year = 2026, .type = BAO_P_QUARTER, .n = 3}, 0};

    assert_int_equal(baod_pasts_want(&w->pasts, &of, ALL, &w->view), 0);
    assert_int_equal(w->view.n, 3);
    for (size_t i = 0; i < 3; i++)
        w->pasts.items[i].owed = true;
}

static void stop(struct world *w)
{
    baod_pasts_deinit(&w->pasts);
    (void)bao_inflater_free(w->inflater);
    (void)bao_deflater_free(w->deflater);
    bao_arena_deinit(&w->arena);
}

static void store(struct world *w, size_t i, const char *document, const struct bao_figure *figures)
{
    struct baod_past *past = &w->pasts.items[i];

    past->counted = true;
    past->figures = figures;
    past->n_figures = figures == NULL ? 0 : 2;
    past->raw = strlen(document);
    assert_int_equal(bao_deflate(w->deflater, &w->arena, bao_str_c(document), &past->stored), 0);
}

static void look(struct world *w)
{
    assert_int_equal(
        baod_view_history(&w->pasts, &w->view, &FORM, &SLOTS, w->inflater, &w->arena, &w->history), 0);
}

static bool sums_to(const struct bao_ytd *ytd, int64_t hundredths)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_num want;
    bool is = ytd->present && bao_num_from_scaled(&arena, hundredths, 2, &want) == 0 &&
              bao_num_cmp(ytd->value, want) == 0;

    bao_arena_deinit(&arena);
    return is;
}

static void a_year_is_summed_when_all_that_was_owed_is_there(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    store(&w, 0, "{}", FIRST);
    look(&w);
    assert_false(w.history.ytd[0].present); /* the second quarter is owed and has no report */
    w.pasts.items[1].owed = false;
    look(&w);
    assert_true(sums_to(&w.history.ytd[0], 700) && sums_to(&w.history.ytd[2], 1050));
    assert_false(w.history.ytd[1].present); /* a ratio is never summed */
    store(&w, 1, "data: {a: 1}", SECOND);
    look(&w);
    assert_true(sums_to(&w.history.ytd[0], 1200) && sums_to(&w.history.ytd[2], 1050));
    w.pasts.items[1].figures = NULL; /* stored before the indicator was there: null adds nothing */
    w.pasts.items[1].n_figures = 0;
    look(&w);
    assert_true(sums_to(&w.history.ytd[0], 700));
    stop(&w);
}

static void data_come_as_they_were_sent_without_blanks(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    look(&w);
    assert_null(w.history.prev);
    assert_int_equal(w.history.unknown, 0);
    store(&w, 1, "form: x\ndata:\n  a: 1\n  b:\n", NULL);
    store(&w, 2, "{\"data\": {\"a\": 2}}", NULL);
    look(&w);
    assert_int_equal(bao_node_get(w.history.prev, "a")->i, 1);
    assert_null(bao_node_get(w.history.prev, "b"));
    assert_int_equal(bao_node_get(w.history.prev_year, "a")->i, 2);
    stop(&w);
}

/* Nobody is refused because a stored body has gone bad: what hangs on it stays unjudged. */
static void a_body_that_cannot_be_read_is_unknown(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    store(&w, 1, "data: {a: [", NULL);
    store(&w, 2, "data: {a: 1}", NULL);
    w.pasts.items[2].raw++;
    look(&w);
    assert_null(w.history.prev);
    assert_null(w.history.prev_year);
    assert_int_equal(w.history.unknown, BAO_BACK_PREV | BAO_BACK_PREV_YEAR);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_reports_look_at_what_their_checks_read),
        cmocka_unit_test(each_period_is_asked_for_once),
        cmocka_unit_test(no_period_before_the_unit_is_asked_for),
        cmocka_unit_test(a_year_is_summed_when_all_that_was_owed_is_there),
        cmocka_unit_test(data_come_as_they_were_sent_without_blanks),
        cmocka_unit_test(a_body_that_cannot_be_read_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
