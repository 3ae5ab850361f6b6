#include "daemon/store/spans.h"

#include "daemon/store/pg.h"
#include "lib/base/buf.h"
#include "lib/form/pace.h"

enum { PARTS_MAX = 12, NUMBER_MAX = 4096 };

const struct baod_column baod_span_columns[] = {
    {"form", BAOD_CELL_TEXT},
    {"period", BAOD_CELL_TEXT},
    {"period_from", BAOD_CELL_DATE},
    {"period_to", BAOD_CELL_DATE},
    {"scope", BAOD_CELL_TEXT},
    {"scope_vi", BAOD_CELL_TEXT},
    {"indicator", BAOD_CELL_TEXT},
    {"label_vi", BAOD_CELL_TEXT},
    {"label_en", BAOD_CELL_TEXT},
    {"measure", BAOD_CELL_TEXT},
    {"value", BAOD_CELL_NUMBER},
    {"numerator", BAOD_CELL_NUMBER},
    {"denominator", BAOD_CELL_NUMBER},
    {"reported", BAOD_CELL_INT},
    {"owed", BAOD_CELL_INT},
    {"over_time", BAOD_CELL_TEXT},
    {"of_period", BAOD_CELL_TEXT},
    {"parts", BAOD_CELL_INT},
    {"parts_reported", BAOD_CELL_INT},
    {"last_year", BAOD_CELL_NUMBER},
    {"last_year_change", BAOD_CELL_NUMBER},
    {"last_year_percent", BAOD_CELL_NUMBER},
    {"last_year_reported", BAOD_CELL_INT},
    {"last_year_owed", BAOD_CELL_INT},
    {"target", BAOD_CELL_NUMBER},
    {"expected", BAOD_CELL_NUMBER},
    {"pace", BAOD_CELL_TEXT},
    {"estimated", BAOD_CELL_BOOL},
    {"min", BAOD_CELL_NUMBER},
    {"max", BAOD_CELL_NUMBER},
    {"median", BAOD_CELL_NUMBER},
};

const struct baod_column baod_trend_columns[] = {
    {"form", BAOD_CELL_TEXT},
    {"scope", BAOD_CELL_TEXT},
    {"indicator", BAOD_CELL_TEXT},
    {"label_vi", BAOD_CELL_TEXT},
    {"period", BAOD_CELL_TEXT},
    {"period_to", BAOD_CELL_DATE},
    {"value", BAOD_CELL_NUMBER},
    {"previous", BAOD_CELL_NUMBER},
    {"change", BAOD_CELL_NUMBER},
    {"reported", BAOD_CELL_INT},
    {"owed", BAOD_CELL_INT},
    {"numerator", BAOD_CELL_NUMBER},
    {"denominator", BAOD_CELL_NUMBER},
    {"year_to_date", BAOD_CELL_NUMBER},
    {"last_year", BAOD_CELL_NUMBER},
    {"last_year_change", BAOD_CELL_NUMBER},
    {"last_year_percent", BAOD_CELL_NUMBER},
    {"last_year_reported", BAOD_CELL_INT},
    {"last_year_owed", BAOD_CELL_INT},
    {"target", BAOD_CELL_NUMBER},
    {"expected", BAOD_CELL_NUMBER},
    {"pace", BAOD_CELL_TEXT},
    {"estimated", BAOD_CELL_BOOL},
};

const size_t baod_span_n_columns = BAO_COUNT(baod_span_columns);
const size_t baod_trend_n_columns = BAO_COUNT(baod_trend_columns);

/* ------------------------------------------------------------------ what was read */

/* One indicator of one scope in one period. Texts are borrowed from the result. */
struct row {
    struct bao_str form, scope, indicator;
    size_t at; /* row of the result */
    struct bao_measure measure;
    bool adds;
    struct bao_period period;
    bao_date from, to;
    struct bao_cell cell;
    struct bao_maybe target;
};

/* Rows being made. */
struct maker {
    struct bao_arena *arena;
    const struct baod_pg_result *r;
    const struct row *rows;
    struct bao_str *cells; /* n_columns a row */
    size_t n, size, n_columns;
    int error; /* the first one; all later work is void */
};

static struct bao_maybe read_number(struct maker *k, size_t row, enum baod_cells_column column)
{
    struct bao_maybe x = {.is = !baod_pg_is_null(k->r, row, column)};
    int r = x.is ? bao_num_parse(k->arena, baod_pg_bytes(k->r, row, column), &x.v) : 0;

    if (r != 0) {
        k->error = r < 0 ? r : -EBADMSG;
        x.is = false;
    }
    return x;
}

static uint8_t over_time(struct bao_str name)
{
    return bao_str_is(name, "sum") ? BAO_OVER_SUM : bao_str_is(name, "last") ? BAO_OVER_LAST : BAO_OVER_NONE;
}

static struct row read_row(struct maker *k, size_t i)
{
    const struct baod_pg_result *r = k->r;
    struct bao_maybe of = read_number(k, i, BAOD_CELLS_SUM), to = read_number(k, i, BAOD_CELLS_SUM_TO);
    struct row x = {
        .form = baod_pg_bytes(r, i, BAOD_CELLS_FORM),
        .scope = baod_pg_bytes(r, i, BAOD_CELLS_SCOPE),
        .indicator = baod_pg_bytes(r, i, BAOD_CELLS_INDICATOR),
        .at = i,
        .measure = {.over_time = over_time(baod_pg_bytes(r, i, BAOD_CELLS_OVER_TIME)),
                    .is_ratio = baod_pg_int(r, i, BAOD_CELLS_RATIO) != 0,
                    .percent = baod_pg_int(r, i, BAOD_CELLS_PERCENT) != 0,
                    .direction = (int8_t)baod_pg_int(r, i, BAOD_CELLS_DIRECTION)},
        .adds = baod_pg_int(r, i, BAOD_CELLS_ADDS) != 0,
        .from = baod_pg_date(r, i, BAOD_CELLS_FROM),
        .to = baod_pg_date(r, i, BAOD_CELLS_TO),
        .cell = {.reported = baod_pg_int(r, i, BAOD_CELLS_REPORTED),
                 .owed = baod_pg_int(r, i, BAOD_CELLS_OWED),
                 .of = of.is ? of.v : bao_num_int(0),
                 .to = to.is ? to.v : bao_num_int(0),
                 .estimated = baod_pg_int(r, i, BAOD_CELLS_ESTIMATED) != 0},
        .target = read_number(k, i, BAOD_CELLS_TARGET),
    };

    if (!bao_period_of_code((int32_t)baod_pg_int(r, i, BAOD_CELLS_PERIOD), &x.period))
        k->error = -EBADMSG;
    return x;
}

static int read_rows(struct maker *k)
{
    size_t n = baod_pg_rows(k->r);
    struct row *rows = bao_arena_array(k->arena, n, sizeof(*rows));

    if (rows == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        rows[i] = read_row(k, i);
    k->rows = rows;
    return k->error;
}

/* The rows of one indicator of one scope through time. */
struct series {
    const struct row *rows;
    size_t n;
};

static struct series series_at(const struct maker *k, size_t first, size_t n)
{
    const struct row *a = &k->rows[first];
    size_t i = first + 1;

    while (i < n && bao_str_eq(k->rows[i].indicator, a->indicator) &&
           bao_str_eq(k->rows[i].scope, a->scope) && bao_str_eq(k->rows[i].form, a->form))
        i++;
    return (struct series){a, i - first};
}

/* ------------------------------------------------------------------ what they come to */

static struct bao_maybe value_of(struct maker *k, const struct row *row, const struct bao_cell *cell)
{
    struct bao_maybe value = {.is = false};
    int r = row->adds ? bao_cell_value(k->arena, &row->measure, cell, &value) : 0;

    if (r != 0 && k->error == 0)
        k->error = r < 0 ? r : -ERANGE;
    return value;
}

static bool is_period(struct bao_period a, struct bao_period b)
{
    return a.year == b.year && a.type == b.type && a.n == b.n;
}

static const struct row *find(struct series s, struct bao_period p)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_period(s.rows[i].period, p))
            return &s.rows[i];
    return NULL;
}

/* A span's figures: which rows it is made of and what they come to. */
struct summed {
    const struct row *parts[PARTS_MAX];
    struct bao_cell cells[PARTS_MAX];
    size_t n;
    struct bao_span span;
    struct bao_maybe value;
};

static void sum_span(struct maker *k, struct series s, struct bao_period span, struct summed *ret)
{
    enum bao_period_type type = s.rows[0].period.type;
    struct bao_period parts[PARTS_MAX] = {span};
    size_t n = span.type == type ? 1 : bao_period_parts(span, type, parts, PARTS_MAX);
    const struct row *row;
    int r;

    *ret = (struct summed){.n = 0};
    for (size_t i = 0; i < n; i++) {
        row = find(s, parts[i]);
        if (row == NULL)
            continue;
        ret->parts[ret->n] = row;
        ret->cells[ret->n++] = row->cell;
    }
    r = bao_span_make(k->arena, &s.rows[0].measure, ret->cells, ret->n, &ret->span);
    if (r != 0 && k->error == 0)
        k->error = r < 0 ? r : -ERANGE;
    if (r == 0 && ret->span.is)
        ret->value = value_of(k, &s.rows[0], &ret->span.total);
}

/* The year's running total at a row: it begins with the first period that was owed that year. */
static struct bao_maybe running_at(struct maker *k, struct series s, const struct row *last)
{
    struct bao_maybe total = {.is = false};
    bool begun = false;

    for (const struct row *x = s.rows; x <= last && k->error == 0; x++) {
        int r;

        if (x->period.year != last->period.year)
            continue;
        r = bao_running(k->arena, total, value_of(k, x, &x->cell), !begun, &total);
        begun = true;
        if (r != 0)
            k->error = r < 0 ? r : -ERANGE;
    }
    return total;
}

/* The calendar that gives a period of months this window. */
static struct bao_calendar calendar_of(bao_date from)
{
    int day = bao_date_split(from).day;

    return (struct bao_calendar){.kind = day == 1 ? BAO_CAL_CIVIL : BAO_CAL_STARTS, .starts = (uint8_t)day};
}

static bool is_flow(const struct row *row)
{
    return !row->measure.is_ratio && row->measure.over_time == BAO_OVER_SUM;
}

/* How far the year's target is, at the row's cut-off. Weeks and days do not tile a year of months. */
static struct bao_pace_answer pace_at(struct maker *k, struct series s, const struct row *row,
                                      struct bao_maybe value)
{
    struct bao_pace_answer answer = {.pace = BAO_PACE_NONE};
    struct bao_elapsed elapsed;
    int r;

    if (!row->target.is || row->period.type >= BAO_P_WEEK || k->error != 0)
        return answer;
    elapsed = bao_year_elapsed(calendar_of(row->from), row->period.year, row->to);
    if (is_flow(row))
        value = running_at(k, s, row);
    r = bao_pace(k->arena, &row->measure, value, row->target, elapsed, &answer);
    if (r != 0 && k->error == 0)
        k->error = r < 0 ? r : -ERANGE;
    return answer;
}

static struct bao_change change_of(struct maker *k, struct bao_maybe now, struct bao_maybe before)
{
    struct bao_change c = {.by = {.is = false}};
    int r = bao_change(k->arena, now, before, &c);

    if (r != 0 && k->error == 0)
        k->error = r < 0 ? r : -ERANGE;
    return c;
}

/* ------------------------------------------------------------------ writing rows */

static struct bao_str *new_row(struct maker *k)
{
    struct bao_str *more;
    size_t size;

    if (k->n == k->size) {
        size = k->size == 0 ? 256 : 2 * k->size;
        more = bao_arena_array(k->arena, size * k->n_columns, sizeof(*more));
        if (more == NULL) {
            k->error = -ENOMEM;
            return NULL;
        }
        if (k->n != 0)
            memcpy(more, k->cells, k->n * k->n_columns * sizeof(*more));
        k->cells = more;
        k->size = size;
    }
    return k->cells + k->n++ * k->n_columns;
}

static struct bao_str kept(struct maker *k, struct bao_str text)
{
    struct bao_str copy = bao_arena_str(k->arena, text);

    if (copy.p == NULL && k->error == 0)
        k->error = -ENOMEM;
    return copy;
}

static struct bao_str of_number(struct maker *k, struct bao_maybe x)
{
    struct bao_buf out = BAO_BUF_NULL(NUMBER_MAX);
    struct bao_str text = BAO_STR_NULL;
    int r = x.is ? bao_num_print(&out, x.v) : 0;

    if (r != 0 && k->error == 0)
        k->error = r;
    if (x.is && r == 0)
        text = kept(k, bao_buf_str(&out));
    bao_buf_deinit(&out);
    return text;
}

static struct bao_str of_int(struct maker *k, int64_t x)
{
    return of_number(k, (struct bao_maybe){true, bao_num_int(x)});
}

static struct bao_str of_date(struct maker *k, bao_date d)
{
    char text[16];

    bao_date_print(d, text);
    return kept(k, bao_str_c(text));
}

static struct bao_str of_period(struct maker *k, struct bao_period p)
{
    char text[16];

    bao_period_print(p, text);
    return kept(k, bao_str_c(text));
}

static struct bao_str of_name(const char *name)
{
    return name == NULL ? BAO_STR_NULL : bao_str_c(name);
}

static struct bao_str text_at(const struct maker *k, const struct row *row, enum baod_cells_column column)
{
    return baod_pg_bytes(k->r, row->at, column);
}

/* numerator and denominator of a ratio with a figure; nothing for others. */
static void put_parts(struct maker *k, const struct row *row, const struct bao_cell *cell,
                      struct bao_str *ret)
{
    bool is = row->measure.is_ratio && row->adds && cell->reported != 0;

    ret[0] = of_number(k, (struct bao_maybe){is, cell->of});
    ret[1] = of_number(k, (struct bao_maybe){is, cell->to});
}

/* last_year … last_year_owed: five cells. `cell` NULL: that period is not known. */
static void put_last_year(struct maker *k, struct bao_maybe now, struct bao_maybe before,
                          const struct bao_cell *cell, struct bao_str *ret)
{
    struct bao_change c = change_of(k, now, before);

    ret[0] = of_number(k, before);
    ret[1] = of_number(k, c.by);
    ret[2] = of_number(k, c.percent);
    ret[3] = cell == NULL ? BAO_STR_NULL : of_int(k, cell->reported);
    ret[4] = cell == NULL ? BAO_STR_NULL : of_int(k, cell->owed);
}

/* target, expected, pace: three cells. */
static void put_pace(struct maker *k, const struct row *row, struct bao_pace_answer answer,
                     struct bao_str *ret)
{
    ret[0] = of_number(k, row->target);
    ret[1] = of_number(k, answer.expected);
    ret[2] = of_name(bao_pace_name(answer.pace));
}

static void put_span(struct maker *k, struct series s, struct bao_period span)
{
    static const char *const over[] = {
        [BAO_OVER_SUM] = "sum", [BAO_OVER_LAST] = "last", [BAO_OVER_NONE] = "none"};
    struct summed now, before;
    const struct row *last;
    struct bao_pace_answer pace;
    struct bao_str *cell;
    bao_date from, to;

    sum_span(k, s, span, &now);
    if (now.n == 0)
        return;
    sum_span(k, s, bao_period_in_year(span, span.year - 1), &before);
    last = now.parts[0];
    for (size_t i = 0; i < now.n; i++)
        if (now.cells[i].reported != 0)
            last = now.parts[i];
    from = now.parts[0]->from;
    to = now.parts[now.n - 1]->to;
    if (span.type < BAO_P_WEEK)
        bao_period_window(span, calendar_of(from), &from, &to);
    pace = pace_at(k, s, last, now.value);
    cell = new_row(k);
    if (cell == NULL)
        return;
    *cell++ = last->form;
    *cell++ = of_period(k, span);
    *cell++ = of_date(k, from);
    *cell++ = of_date(k, to);
    *cell++ = last->scope;
    *cell++ = text_at(k, last, BAOD_CELLS_SCOPE_VI);
    *cell++ = last->indicator;
    *cell++ = text_at(k, last, BAOD_CELLS_LABEL_VI);
    *cell++ = text_at(k, last, BAOD_CELLS_LABEL_EN);
    *cell++ = text_at(k, last, BAOD_CELLS_MEASURE);
    *cell++ = of_number(k, now.value);
    put_parts(k, last, &now.span.total, cell);
    cell += 2;
    *cell++ = of_int(k, now.span.total.reported);
    *cell++ = of_int(k, now.span.total.owed);
    *cell++ = of_name(over[last->measure.over_time]);
    *cell++ = now.span.is && last->measure.over_time != BAO_OVER_SUM
                  ? of_period(k, now.parts[now.span.of_part]->period)
                  : BAO_STR_NULL;
    *cell++ = of_int(k, (int64_t)now.n);
    *cell++ = of_int(k, (int64_t)now.span.n_reported);
    put_last_year(k, now.value, before.value, before.n == 0 ? NULL : &before.span.total, cell);
    cell += 5;
    put_pace(k, last, pace, cell);
    cell += 3;
    *cell++ = of_name(now.span.total.estimated ? "true" : "false");
    for (enum baod_cells_column c = BAOD_CELLS_MIN; c <= BAOD_CELLS_MEDIAN; c++)
        *cell++ = now.span.is ? text_at(k, last, c) : BAO_STR_NULL;
}

static void put_trend(struct maker *k, struct series s, const struct row *row)
{
    const struct row *before = row == s.rows ? NULL : row - 1,
                     *year = find(s, bao_period_in_year(row->period, row->period.year - 1));
    struct bao_maybe none = {.is = false}, value = value_of(k, row, &row->cell),
                     previous = before == NULL ? none : value_of(k, before, &before->cell);
    struct bao_str *cell = new_row(k);

    if (cell == NULL)
        return;
    *cell++ = row->form;
    *cell++ = row->scope;
    *cell++ = row->indicator;
    *cell++ = text_at(k, row, BAOD_CELLS_LABEL_VI);
    *cell++ = of_period(k, row->period);
    *cell++ = of_date(k, row->to);
    *cell++ = of_number(k, value);
    *cell++ = of_number(k, previous);
    *cell++ = of_number(k, change_of(k, value, previous).by);
    *cell++ = of_int(k, row->cell.reported);
    *cell++ = of_int(k, row->cell.owed);
    put_parts(k, row, &row->cell, cell);
    cell += 2;
    *cell++ = of_number(k, is_flow(row) ? running_at(k, s, row) : none);
    put_last_year(k, value, year == NULL ? none : value_of(k, year, &year->cell),
                  year == NULL ? NULL : &year->cell, cell);
    cell += 5;
    put_pace(k, row, pace_at(k, s, row, value), cell);
    cell += 3;
    *cell = of_name(row->cell.estimated ? "true" : "false");
}

int baod_span_rows(struct bao_arena *arena, const struct baod_pg_result *cells, struct bao_period span,
                   size_t limit, struct baod_rows *ret)
{
    struct maker k = {.arena = arena, .r = cells, .n_columns = baod_span_n_columns};
    size_t n = baod_pg_rows(cells);
    struct series s;
    int r = read_rows(&k);

    for (size_t i = 0; r == 0 && i < n && k.n < limit && k.error == 0; i += s.n) {
        s = series_at(&k, i, n);
        put_span(&k, s, span);
    }
    r = r != 0 ? r : k.error;
    if (r == 0)
        *ret = (struct baod_rows){baod_span_columns, k.n_columns, k.cells, k.n};
    return r;
}

int baod_trend_rows(struct bao_arena *arena, const struct baod_pg_result *cells, size_t limit,
                    struct baod_rows *ret)
{
    struct maker k = {.arena = arena, .r = cells, .n_columns = baod_trend_n_columns};
    size_t n = baod_pg_rows(cells);
    struct series s;
    int r = read_rows(&k);

    for (size_t i = 0; r == 0 && i < n && k.n < limit && k.error == 0; i += s.n) {
        s = series_at(&k, i, n);
        for (size_t j = 0; j < s.n && k.n < limit && k.error == 0; j++)
            put_trend(&k, s, &s.rows[j]);
    }
    r = r != 0 ? r : k.error;
    if (r == 0)
        *ret = (struct baod_rows){baod_trend_columns, k.n_columns, k.cells, k.n};
    return r;
}
