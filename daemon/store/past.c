#include "daemon/store/past.h"

#include "lib/base/error.h"

#include <stdlib.h>

/* The obligation first: where nothing is counted, which is the common case, the reports are not looked at.
 * The revision that it names is the counted one; asking for state 1 as well would call in the index of all
 * counted reports of a period. */
static const struct baod_pg_statement PASTS = {
    "w_pasts", "SELECT k.i, o.unit IS NOT NULL AND NOT o.exempt, r.revision, r.raw_size, r.figures,"
               "       CASE WHEN k.body AND NOT r.nil THEN r.body END"
               "  FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::bool[]) WITH ORDINALITY"
               "       k(unit, form, period, body, i)"
               "  LEFT JOIN LATERAL (SELECT * FROM baocao.obligation o"
               "                      WHERE o.unit = k.unit AND o.form = k.form AND o.period = k.period"
               "                     OFFSET 0) o ON true"
               "  LEFT JOIN LATERAL (SELECT * FROM baocao.report r"
               "                      WHERE r.unit = k.unit AND r.form = k.form AND r.period = k.period"
               "                        AND r.revision = o.revision OFFSET 0) r ON true"};

void baod_pasts_deinit(struct baod_pasts *p)
{
    free(p->items);
    *p = (struct baod_pasts){.items = NULL};
}

static int add(struct baod_pasts *p, struct baod_past past)
{
    if (p->n == p->size) {
        size_t size = p->size == 0 ? 64 : 2 * p->size;
        struct baod_past *more = realloc(p->items, size * sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        p->items = more;
        p->size = size;
    }
    p->items[p->n++] = past;
    return 0;
}

int baod_pasts_want(struct baod_pasts *p, const struct baod_past_of *of, unsigned back, struct baod_view *ret)
{
    struct bao_period period = of->period;
    int32_t before = bao_period_code(bao_period_prev(period)),
            year_ago = bao_period_code(bao_period_in_year(period, period.year - 1));
    struct baod_view view = {.first = p->n, .prev = SIZE_MAX, .prev_year = SIZE_MAX, .back = back};
    struct baod_past past = {.unit = of->unit, .form = of->form};
    int r = 0;

    if ((back & BAO_BACK_YTD) != 0)
        for (struct bao_period q = {.year = period.year, .type = period.type, .n = 1};
             r == 0 && q.n < period.n; q.n++) {
            past.period = bao_period_code(q);
            if (past.period >= of->from)
                r = add(p, past);
        }
    view.n_year = p->n - view.first;
    if (r == 0 && (back & BAO_BACK_PREV) != 0 && before >= of->from) {
        if (view.n_year != 0) {
            view.prev = p->n - 1; /* the last of the year's earlier periods */
        } else {
            past.period = before;
            view.prev = p->n;
            r = add(p, past);
        }
        if (r == 0)
            p->items[view.prev].body = true;
    }
    if (r == 0 && (back & BAO_BACK_PREV_YEAR) != 0 && year_ago >= of->from) {
        past.period = year_ago;
        past.body = true;
        view.prev_year = p->n;
        r = add(p, past);
    }
    if (r < 0)
        return r;
    view.n = p->n - view.first;
    *ret = view;
    return 0;
}

int baod_pasts_read(const struct baod_pasts *p, struct bao_arena *arena, struct baod_pg *pg,
                    baod_pg_callback *callback, void *user)
{
    int32_t *v = bao_arena_array(arena, 3 * p->n, sizeof(*v));
    bool *body = bao_arena_array(arena, p->n, sizeof(*body));
    struct baod_pg_param *params = bao_arena_array(arena, 4, sizeof(*params));

    if (v == NULL || body == NULL || params == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < p->n; i++) {
        v[i] = p->items[i].unit;
        v[p->n + i] = p->items[i].form;
        v[2 * p->n + i] = p->items[i].period;
        body[i] = p->items[i].body;
    }
    for (size_t k = 0; k < 3; k++)
        params[k] = baod_pg_p_int4s(arena, v + k * p->n, NULL, p->n);
    params[3] = baod_pg_p_bools(arena, body, p->n);
    return baod_pg_exec(pg, &PASTS, params, 4, callback, user);
}

static int take_row(struct baod_past *past, struct bao_arena *arena, const struct baod_pg_result *rows,
                    size_t row)
{
    struct baod_pg_ints ints;
    struct bao_figure *figures;
    int r;

    past->owed = baod_pg_int(rows, row, 1) != 0;
    past->counted = !baod_pg_is_null(rows, row, 2);
    if (!past->counted)
        return 0;
    past->raw = (size_t)baod_pg_int(rows, row, 3);
    if (!baod_pg_is_null(rows, row, 5)) {
        past->stored = bao_arena_str(arena, baod_pg_bytes(rows, row, 5));
        if (past->stored.p == NULL)
            return -ENOMEM;
    }
    r = baod_pg_ints(rows, row, 4, arena, &ints);
    if (r < 0)
        return r;
    figures = bao_arena_array(arena, ints.n, sizeof(*figures));
    if (figures == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ints.n; i++)
        figures[i] = (struct bao_figure){!ints.null[i], ints.v[i]};
    past->figures = figures;
    past->n_figures = ints.n;
    return 0;
}

int baod_pasts_take(struct baod_pasts *p, struct bao_arena *arena, const struct baod_pg_result *rows)
{
    int r = 0;

    for (size_t row = 0; r == 0 && row < baod_pg_rows(rows); row++) {
        int64_t i = baod_pg_int(rows, row, 0);

        if (i < 1 || (uint64_t)i > p->n)
            return -EBADMSG;
        r = take_row(&p->items[i - 1], arena, rows, row);
    }
    return r;
}

/* ------------------------------------------------------------------ making the history */

/* The data of a stored report; *ret_known false when it can no longer be read. */
static int open_data(const struct baod_past *past, struct bao_inflater *inflater, struct bao_arena *arena,
                     const struct bao_node **ret, bool *ret_known)
{
    struct bao_str document;
    int r;

    *ret = NULL;
    *ret_known = true;
    if (!past->counted || past->stored.n == 0)
        return 0;
    r = bao_inflate(inflater, arena, past->stored, past->raw, &document);
    if (r == 0)
        r = bao_report_data(arena, document, ret);
    *ret_known = r == 0;
    return r < 0 ? r : 0;
}

/* The sum of one indicator: a figure that is null adds nothing; a period that was owed and is not reported
 * makes the sum absent. */
static int sum_year(const struct baod_past *year, size_t n, const struct bao_indicator *indicator,
                    size_t slot, struct bao_arena *arena, struct bao_ytd *ret)
{
    struct bao_ytd sum = {.present = !indicator->is_ratio, .value = bao_num_int(0)};
    struct bao_num value;
    int r = 0;

    for (size_t i = 0; r == 0 && sum.present && i < n; i++) {
        sum.present = year[i].counted || !year[i].owed;
        if (!year[i].counted || slot >= year[i].n_figures || !year[i].figures[slot].present)
            continue;
        r = bao_num_from_scaled(arena, year[i].figures[slot].scaled, indicator->decimals, &value);
        if (r == 0)
            r = bao_num_add(arena, sum.value, value, &sum.value);
    }
    if (r == 0)
        *ret = sum;
    return bao_error_fold(r);
}

int baod_view_history(const struct baod_pasts *p, const struct baod_view *view, const struct bao_form *form,
                      const struct bao_slots *slots, struct bao_inflater *inflater, struct bao_arena *arena,
                      struct bao_history *ret)
{
    struct bao_history history = {.prev = NULL};
    struct bao_ytd *ytd = bao_arena_array(arena, form->n_indicators, sizeof(*ytd));
    bool known;
    int r = ytd == NULL ? -ENOMEM : 0;

    history.ytd = ytd;
    if (r == 0 && view->prev != SIZE_MAX) {
        r = open_data(&p->items[view->prev], inflater, arena, &history.prev, &known);
        history.unknown |= known ? 0 : BAO_BACK_PREV;
    }
    if (r == 0 && view->prev_year != SIZE_MAX) {
        r = open_data(&p->items[view->prev_year], inflater, arena, &history.prev_year, &known);
        history.unknown |= known ? 0 : BAO_BACK_PREV_YEAR;
    }
    for (size_t i = 0; r == 0 && (view->back & BAO_BACK_YTD) != 0 && i < form->n_indicators; i++)
        r = sum_year(p->items + view->first, view->n_year, &form->indicators[i], slots->of[i].at, arena,
                     &ytd[i]);
    if (r == 0)
        *ret = history;
    return r;
}

bool baod_looks_at(int32_t later, int32_t earlier, unsigned back)
{
    struct bao_period a, b;

    if (!bao_period_of_code(earlier, &a) || !bao_period_of_code(later, &b) || a.type != b.type)
        return false;
    if ((back & BAO_BACK_PREV) != 0 && bao_period_code(bao_period_prev(b)) == earlier)
        return true;
    if ((back & BAO_BACK_PREV_YEAR) != 0 && bao_period_code(bao_period_in_year(b, b.year - 1)) == earlier)
        return true;
    return (back & BAO_BACK_YTD) != 0 && a.year == b.year && a.n < b.n;
}
