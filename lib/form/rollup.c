#include "lib/form/rollup.h"

static bool in_range(int64_t scaled)
{
    return scaled >= -BAO_SCALED_MAX && scaled <= BAO_SCALED_MAX;
}

int bao_values_fill(const struct bao_slots *slots, const struct bao_form *form,
                    const struct bao_figure *figures, struct bao_figure *ret)
{
    bao_require(slots->n_indicators == form->n_indicators);
    for (size_t i = 0; i < form->n_indicators; i++)
        if (figures[i].present && !in_range(figures[i].scaled))
            return BAO_ROLLUP_E_RANGE;
    if (slots->n != 0)
        memset(ret, 0, slots->n * sizeof(*ret));
    for (size_t i = 0; i < form->n_indicators; i++) {
        const struct bao_indicator *indicator = &form->indicators[i];
        struct bao_slot slot = slots->of[i];

        if (!indicator->is_ratio) {
            ret[slot.at] = figures[i];
        } else if (figures[indicator->of].present && figures[indicator->to].present) {
            ret[slot.at] = figures[indicator->of];
            ret[slot.to] = figures[indicator->to];
        }
    }
    return 0;
}

int bao_rollup_init(struct bao_arena *arena, size_t n, struct bao_rollup *ret)
{
    int32_t *counts = bao_arena_array(arena, n, sizeof(*counts));
    int64_t *sums = bao_arena_array(arena, n, sizeof(*sums));

    if (counts == NULL || sums == NULL)
        return -ENOMEM;
    *ret = (struct bao_rollup){.n = n, .counts = counts, .sums = sums};
    return 0;
}

/* count + by stays in 0..INT32_MAX? */
static bool count_fits(int32_t count, int32_t by)
{
    int32_t sum;

    return !__builtin_add_overflow(count, by, &sum) && sum >= 0;
}

int bao_rollup_add(struct bao_rollup *r, const struct bao_slots *slots, const struct bao_figure *values,
                   size_t n, int sign)
{
    int64_t sum;

    bao_require(sign == 1 || sign == -1);
    bao_require(n <= r->n && n <= slots->n);
    /* All is checked before anything is changed, so that a refusal leaves the rollup as it was. */
    if (!count_fits(r->reported, sign))
        return BAO_ROLLUP_E_RANGE;
    for (size_t i = 0; i < n; i++) {
        if (!values[i].present)
            continue;
        if (!in_range(values[i].scaled) || !count_fits(r->counts[i], sign))
            return BAO_ROLLUP_E_RANGE;
        if (slots->adds[i] && __builtin_add_overflow(r->sums[i], sign * values[i].scaled, &sum))
            return BAO_ROLLUP_E_RANGE;
    }
    r->reported += sign;
    for (size_t i = 0; i < n; i++) {
        if (!values[i].present)
            continue;
        r->counts[i] += sign;
        if (slots->adds[i])
            r->sums[i] += sign * values[i].scaled;
    }
    return 0;
}

int bao_rollup_merge(struct bao_rollup *r, const struct bao_rollup *other)
{
    int64_t sum;

    bao_require(other->n <= r->n);
    if (!count_fits(r->reported, other->reported))
        return BAO_ROLLUP_E_RANGE;
    for (size_t i = 0; i < other->n; i++)
        if (!count_fits(r->counts[i], other->counts[i]) ||
            __builtin_add_overflow(r->sums[i], other->sums[i], &sum))
            return BAO_ROLLUP_E_RANGE;
    r->reported += other->reported;
    for (size_t i = 0; i < other->n; i++) {
        r->counts[i] += other->counts[i];
        r->sums[i] += other->sums[i];
    }
    return 0;
}
