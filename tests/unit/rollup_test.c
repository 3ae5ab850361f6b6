/* Values by slot; counts and sums added and taken back. */
#include "lib/form/rollup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* assigned, done, completion = done / assigned, stock (over_units none) */
static const struct bao_indicator INDICATORS[] = {
    {.decimals = 0},
    {.decimals = 2},
    {.is_ratio = true, .of = 1, .to = 0},
    {.over_units = BAO_OVER_NONE},
};
static const struct bao_slot OF[] = {{0, BAO_SLOT_NONE}, {1, BAO_SLOT_NONE}, {2, 3}, {5, BAO_SLOT_NONE}};
static const bool ADDS[] = {true, true, true, true, true, false};
static const struct bao_slots SLOTS = {OF, 4, 6, ADDS};
static const struct bao_form FORM = {.indicators = INDICATORS, .n_indicators = 4};

static struct bao_figure given(int64_t scaled)
{
    return (struct bao_figure){true, scaled};
}

static void ratio_parts_stand_only_together(void **state)
{
    struct bao_figure figures[4] = {given(12), given(950), {0}, given(7)}, values[6];

    (void)state;
    assert_int_equal(bao_values_fill(&SLOTS, &FORM, figures, values), 0);
    assert_true(values[0].present && values[0].scaled == 12);
    assert_true(values[2].present && values[2].scaled == 950);
    assert_true(values[3].present && values[3].scaled == 12);
    assert_false(values[4].present);
    assert_int_equal(values[5].scaled, 7);

    figures[0].present = false;
    assert_int_equal(bao_values_fill(&SLOTS, &FORM, figures, values), 0);
    assert_false(values[0].present || values[2].present || values[3].present);
    assert_true(values[1].present);

    figures[1].scaled = BAO_SCALED_MAX + 1;
    assert_int_equal(bao_values_fill(&SLOTS, &FORM, figures, values), BAO_ROLLUP_E_RANGE);
}

static void what_is_added_can_be_taken_back(void **state)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_figure a[6] = {given(5), given(-3), {0}, {0}, {0}, given(9)};
    struct bao_figure b[6] = {given(BAO_SCALED_MAX), {0}, {0}, {0}, {0}, given(1)};
    struct bao_rollup r, other;

    (void)state;
    assert_int_equal(bao_rollup_init(&arena, 6, &r), 0);
    assert_int_equal(bao_rollup_add(&r, &SLOTS, a, 6, 1), 0);
    assert_int_equal(bao_rollup_add(&r, &SLOTS, b, 6, 1), 0);
    assert_int_equal(r.reported, 2);
    assert_int_equal(r.counts[0], 2);
    assert_true(r.sums[0] == BAO_SCALED_MAX + 5);
    assert_int_equal(r.counts[1], 1);
    assert_int_equal(r.counts[5], 2);
    assert_int_equal(r.sums[5], 0); /* over_units none is counted, never added */

    assert_int_equal(bao_rollup_init(&arena, 6, &other), 0);
    assert_int_equal(bao_rollup_merge(&other, &r), 0);
    assert_int_equal(other.reported, 2);
    assert_true(other.sums[0] == r.sums[0]);

    assert_int_equal(bao_rollup_add(&r, &SLOTS, b, 6, -1), 0);
    assert_int_equal(bao_rollup_add(&r, &SLOTS, a, 6, -1), 0);
    assert_int_equal(r.reported, 0);
    for (size_t i = 0; i < 6; i++)
        assert_true(r.counts[i] == 0 && r.sums[i] == 0);
    bao_arena_deinit(&arena);
}

static void a_refusal_changes_nothing(void **state)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_figure one[6] = {given(1), given(1)};
    struct bao_figure large[6] = {given(1), given(BAO_SCALED_MAX + 1)};
    struct bao_rollup r;

    (void)state;
    assert_int_equal(bao_rollup_init(&arena, 6, &r), 0);
    assert_int_equal(bao_rollup_add(&r, &SLOTS, one, 6, -1), BAO_ROLLUP_E_RANGE);
    assert_int_equal(bao_rollup_add(&r, &SLOTS, large, 6, 1), BAO_ROLLUP_E_RANGE);
    r.sums[1] = INT64_MAX;
    assert_int_equal(bao_rollup_add(&r, &SLOTS, one, 6, 1), BAO_ROLLUP_E_RANGE);
    assert_true(r.reported == 0 && r.counts[0] == 0 && r.sums[0] == 0 && r.sums[1] == INT64_MAX);
    r.sums[1] = 0;
    r.counts[1] = INT32_MAX;
    assert_int_equal(bao_rollup_add(&r, &SLOTS, one, 6, 1), BAO_ROLLUP_E_RANGE);
    assert_int_equal(bao_rollup_merge(&r, &r), BAO_ROLLUP_E_RANGE);
    assert_int_equal(r.counts[1], INT32_MAX);
    bao_arena_deinit(&arena);
}

/* Reports of an older form version have fewer values. */
static void shorter_reports_count_as_nothing_beyond(void **state)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_figure old[2] = {given(4), given(6)};
    struct bao_rollup r;

    (void)state;
    assert_int_equal(bao_rollup_init(&arena, 6, &r), 0);
    assert_int_equal(bao_rollup_add(&r, &SLOTS, old, 2, 1), 0);
    assert_true(r.counts[1] == 1 && r.counts[2] == 0 && r.counts[5] == 0);
    bao_arena_deinit(&arena);
}

/* Any order of adding, correcting and taking back ends where a fresh sum over what is left ends. */
static void random_histories_equal_the_recomputation(void **state)
{
    enum { UNITS = 20, STEPS = 5000 };
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_figure now[UNITS][6] = {0};
    bool counted[UNITS] = {false};
    uint64_t seed = 88172645463325252u;
    struct bao_rollup r, again;

    (void)state;
    assert_int_equal(bao_rollup_init(&arena, 6, &r), 0);
    for (int step = 0; step < STEPS; step++) {
        size_t u;

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        u = seed % UNITS;
        if (counted[u])
            assert_int_equal(bao_rollup_add(&r, &SLOTS, now[u], 6, -1), 0);
        counted[u] = (seed >> 8) % 5 != 0;
        for (int i = 0; i < 6; i++)
            now[u][i] = (struct bao_figure){(seed >> (10 + i)) % 3 != 0,
                                            (int64_t)(seed >> (12 + i)) % BAO_SCALED_MAX};
        if (counted[u])
            assert_int_equal(bao_rollup_add(&r, &SLOTS, now[u], 6, 1), 0);
    }
    assert_int_equal(bao_rollup_init(&arena, 6, &again), 0);
    for (size_t u = 0; u < UNITS; u++)
        if (counted[u])
            assert_int_equal(bao_rollup_add(&again, &SLOTS, now[u], 6, 1), 0);
    assert_int_equal(r.reported, again.reported);
    assert_memory_equal(r.counts, again.counts, 6 * sizeof(*r.counts));
    assert_memory_equal(r.sums, again.sums, 6 * sizeof(*r.sums));
    bao_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_parts_stand_only_together),
        cmocka_unit_test(what_is_added_can_be_taken_back),
        cmocka_unit_test(a_refusal_changes_nothing),
        cmocka_unit_test(shorter_reports_count_as_nothing_beyond),
        cmocka_unit_test(random_histories_equal_the_recomputation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
