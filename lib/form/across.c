#include "lib/form/across.h"

#include "lib/base/error.h"

/* Outcomes of decimals as this module's own: division by zero is looked for before it can happen. */
static int outcome(int r)
{
    return r == BAO_DEC_E_RANGE ? BAO_ACROSS_E_RANGE : bao_error_fold(r);
}

static int quotient(struct bao_arena *a, struct bao_num of, struct bao_num to, bool percent, int decimals,
                    struct bao_num *ret)
{
    struct bao_num x = of;
    int r = percent ? bao_num_mul(a, of, bao_num_int(100), &x) : 0;

    if (r == 0)
        r = bao_num_div(a, x, to, &x);
    if (r == 0)
        r = bao_num_round(a, x, decimals, &x);
    if (r == 0)
        *ret = x;
    return outcome(r);
}

int bao_cell_value(struct bao_arena *a, const struct bao_measure *m, const struct bao_cell *cell,
                   struct bao_maybe *ret)
{
    struct bao_num value;
    int r;

    if (cell->reported == 0 || (m->is_ratio && bao_num_sign(cell->to) == 0)) {
        *ret = (struct bao_maybe){.is = false};
        return 0;
    }
    if (!m->is_ratio) {
        *ret = (struct bao_maybe){true, cell->of};
        return 0;
    }
    r = quotient(a, cell->of, cell->to, m->percent, BAO_QUOTIENT_DECIMALS, &value);
    if (r == 0)
        *ret = (struct bao_maybe){true, value};
    return r;
}

/* Adds a part with a figure to the total. */
static int add(struct bao_arena *a, const struct bao_measure *m, const struct bao_cell *part,
               struct bao_cell *total)
{
    struct bao_cell sum = *total;
    int r = bao_num_add(a, total->of, part->of, &sum.of);

    if (r == 0 && m->is_ratio)
        r = bao_num_add(a, total->to, part->to, &sum.to);
    if (r != 0)
        return outcome(r);
    sum.reported += part->reported;
    sum.estimated |= part->estimated;
    *total = sum;
    return 0;
}

static int64_t owed_by(const struct bao_cell *parts, size_t n)
{
    int64_t owed = 0;

    for (size_t i = 0; i < n; i++)
        owed += parts[i].owed;
    return owed;
}

static int sum_up(struct bao_arena *a, const struct bao_measure *m, const struct bao_cell *parts, size_t n,
                  struct bao_span *span)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        if (parts[i].reported != 0)
            r = add(a, m, &parts[i], &span->total);
    span->is = span->n_reported != 0;
    return r;
}

int bao_span_make(struct bao_arena *a, const struct bao_measure *m, const struct bao_cell *parts, size_t n,
                  struct bao_span *ret)
{
    struct bao_span span = {.total = {.owed = owed_by(parts, n)}};
    size_t last = 0;
    int r = 0;

    span.total.of = span.total.to = bao_num_int(0);
    for (size_t i = 0; i < n; i++)
        if (parts[i].reported != 0) {
            span.n_reported++;
            last = i;
        }
    if (m->over_time == BAO_OVER_SUM) {
        r = sum_up(a, m, parts, n, &span);
    } else if (span.n_reported != 0 && (m->over_time == BAO_OVER_LAST || n == 1)) {
        span.is = true;
        span.of_part = last;
        span.total = parts[last];
    }
    if (r == 0)
        *ret = span;
    return r;
}

int bao_running(struct bao_arena *a, struct bao_maybe before, struct bao_maybe now, bool starts_year,
                struct bao_maybe *ret)
{
    struct bao_maybe sum = now;
    int r = 0;

    if (!starts_year && (!before.is || !now.is))
        sum.is = false;
    else if (!starts_year)
        r = bao_num_add(a, before.v, now.v, &sum.v);
    if (r == 0)
        *ret = sum;
    return outcome(r);
}

int bao_change(struct bao_arena *a, struct bao_maybe now, struct bao_maybe before, struct bao_change *ret)
{
    struct bao_change c = {.by = {.is = now.is && before.is}};
    struct bao_num size = before.v;
    int r = 0;

    if (c.by.is)
        r = outcome(bao_num_sub(a, now.v, before.v, &c.by.v));
    c.percent.is = c.by.is && bao_num_sign(before.v) != 0;
    if (r == 0 && c.percent.is && bao_num_sign(before.v) < 0)
        r = outcome(bao_num_neg(a, before.v, &size));
    if (r == 0 && c.percent.is)
        r = quotient(a, c.by.v, size, true, BAO_CHANGE_DECIMALS, &c.percent.v);
    if (r == 0)
        *ret = c;
    return r;
}
