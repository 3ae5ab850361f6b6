#include "daemon/store/queries.h"
#include "daemon/ops/log.h"
#include "daemon/store/extremes.h"
#include "daemon/store/pg.h"
#include "daemon/store/questions.h"
#include "daemon/store/spans.h"

enum {
    FILTERS = 6,
    PARAMS_MAX = 8,
    TILES_MAX = 64,
    WAITING_MAX = 256,
    ROWS_MAX = 100000,
    COLUMNS_MAX = 20,
    CELL_MAX = 64
};

/* One question under way. */
struct asked {
    struct bao_arena arena;
    struct baod_queries *q;
    struct baod_pg *pg;
    const struct baod_question_sql *question;
    /* Planned anew for what is named: a question may name much or little, and the one plan that PostgreSQL
     * ends with for all of them took 10 s where that of what is asked takes a third of one. */
    struct baod_pg_statement once;
    struct baod_pg_param params[PARAMS_MAX];
    struct bao_period span; /* of spans */
    int32_t period;         /* its number, of questions that name one */
    size_t limit;
    baod_ask_done *done;
    void *user;
};

struct baod_queries {
    struct baod_pg *pg, *quick;
    int offset;
    size_t under_way;
    bool closed; /* freed by its owner; lives until the last answer */
};

/* ------------------------------------------------------------------ answers */

/* A cell's text; borrowed from the result where it is text already. .p NULL = null; *ret_ok false: no memory.
 */
static struct bao_str cell(struct asked *a, const struct baod_pg_result *r, size_t row, size_t column,
                           bool *ret_ok)
{
    char text[CELL_MAX];
    struct bao_str copy;

    if (baod_pg_is_null(r, row, column))
        return BAO_STR_NULL;
    switch ((enum baod_cell)a->question->columns[column].cell) {
    case BAOD_CELL_TEXT:
    case BAOD_CELL_NUMBER:
    case BAOD_CELL_JSON:
        return baod_pg_bytes(r, row, column);
    case BAOD_CELL_BOOL:
        return baod_pg_int(r, row, column) != 0 ? BAO_STR("true") : BAO_STR("false");
    case BAOD_CELL_INT:
        (void)snprintf(text, sizeof(text), "%lld", (long long)baod_pg_int(r, row, column));
        break;
    case BAOD_CELL_DATE:
        bao_date_print(baod_pg_date(r, row, column), text);
        break;
    case BAOD_CELL_TIME:
        bao_time_print(baod_pg_time(r, row, column), a->q->offset, text);
        break;
    }
    copy = bao_arena_str(&a->arena, bao_str_c(text));
    *ret_ok = *ret_ok && copy.p != NULL;
    return copy;
}

static int make_rows(struct asked *a, const struct baod_pg_result *r, struct baod_rows *ret)
{
    size_t n = baod_pg_rows(r), width = a->question->n_columns;
    struct bao_str *cells = bao_arena_array(&a->arena, n * width, sizeof(*cells));
    bool ok = cells != NULL;

    for (size_t row = 0; ok && row < n; row++)
        for (size_t column = 0; column < width; column++)
            cells[row * width + column] = cell(a, r, row, column, &ok);
    if (!ok)
        return -ENOMEM;
    *ret = (struct baod_rows){a->question->columns, width, cells, n};
    if (a->question->shape == EXTREMES)
        return baod_extremes_put(&a->arena, r, ROLLUP_COLUMNS, ROLLUP_LEAST, cells, width);
    return 0;
}

static int shape_rows(struct asked *a, const struct baod_pg_result *r, struct baod_rows *ret)
{
    switch ((enum shape)a->question->shape) {
    case SPANS:
        return baod_span_rows(&a->arena, r, a->span, a->limit, ret);
    case TRENDS:
        return baod_trend_rows(&a->arena, r, a->limit, ret);
    case PLAIN:
    case EXTREMES:
        break;
    }
    return make_rows(a, r, ret);
}

static void asked_free(struct asked *a)
{
    struct baod_queries *q = a->q;

    bao_arena_deinit(&a->arena);
    free(a);
    if (--q->under_way == 0 && q->closed)
        free(q);
}

static void on_rows(const struct baod_pg_result *r, void *user)
{
    struct asked *a = user;
    struct baod_rows rows = {.n_rows = 0};
    int e = 0;

    switch (baod_pg_outcome(r)) {
    case BAOD_PG_OK:
        e = shape_rows(a, r, &rows);
        break;
    case BAOD_PG_SQL:
        baod_log(BAOD_LOG_ERROR, "queries: %s failed: %s %s", a->question->statement.name,
                 baod_pg_sqlstate(r), baod_pg_message(r));
        e = baod_pg_sqlstate_is(r, "57014") ? -ETIMEDOUT : -EIO;
        break;
    case BAOD_PG_ABORTED:
        e = -EIO;
        break;
    case BAOD_PG_LOST:
        e = a->q->closed ? -ECANCELED : -ENOTCONN;
        break;
    }
    a->done(a->user, e, e == 0 ? &rows : NULL);
    asked_free(a);
}

/* A filter's text copied into the question, or null. */
static int set_filter(struct asked *a, size_t place, struct bao_str text)
{
    struct bao_str copy = BAO_STR_NULL;

    if (text.n != 0) {
        copy = bao_arena_str(&a->arena, text);
        if (copy.p == NULL)
            return -ENOMEM;
    }
    a->params[place] = baod_pg_p_text(copy);
    return 0;
}

/* The period as the tables write it; of spans its year, and all years of a trend. */
static int set_period(struct asked *a, const struct baod_ask *ask)
{
    struct bao_str period = ask->period;
    struct bao_period p;
    char label[16];

    if (a->question->shape == SPANS) {
        if (!bao_period_parse(ask->span.n != 0 ? ask->span : ask->period, &a->span))
            return ask->span.n != 0 || ask->period.n != 0 ? BAOD_ASK_E_PERIOD : BAOD_ASK_E_SPAN;
        (void)snprintf(label, sizeof(label), "%d", a->span.year);
        return set_filter(a, 1, bao_str_c(label));
    }
    if (period.n != 0) {
        if (!bao_period_parse(period, &p))
            return BAOD_ASK_E_PERIOD;
        bao_period_print(p, label);
        a->period = bao_period_code(p);
        period = a->question->shape == TRENDS ? BAO_STR_NULL : bao_str_c(label);
    }
    return set_filter(a, 1, period);
}

static int set_as_of(struct asked *a, const struct baod_ask *ask)
{
    bao_time moment;

    if (!bao_moment_parse(ask->as_of, a->q->offset, &moment))
        return BAOD_ASK_E_AS_OF;
    a->params[6] = baod_pg_p_time(&a->arena, moment);
    return 0;
}

/* The codes of all periods that tile the span: quarters and months of a half, ... */
static int set_tiles(struct asked *a)
{
    int32_t *codes = bao_arena_array(&a->arena, TILES_MAX, sizeof(*codes));
    struct bao_period parts[TILES_MAX];
    size_t n = 0;

    if (codes == NULL)
        return -ENOMEM;
    codes[n++] = bao_period_code(a->span);
    for (int type = 0; type < BAO_P_WEEK; type++) {
        size_t k = type == (int)a->span.type
                       ? 0
                       : bao_period_parts(a->span, (enum bao_period_type)type, parts, TILES_MAX - n);

        for (size_t i = 0; i < k; i++)
            codes[n++] = bao_period_code(parts[i]);
    }
    a->params[7] = baod_pg_p_int4s(&a->arena, codes, NULL, n);
    return 0;
}

static size_t n_params(const struct baod_question_sql *q)
{
    return q->shape == SPANS ? PARAMS_MAX : q->has_today || q->has_as_of || q->of_one ? FILTERS + 1 : FILTERS;
}

static int set_filters(struct asked *a, const struct baod_ask *ask)
{
    int limit = ask->limit > 0 && ask->limit < ROWS_MAX ? ask->limit : ROWS_MAX;
    int r = set_filter(a, 0, ask->form);

    if (r == 0)
        r = set_period(a, ask);
    if (r == 0)
        r = set_filter(a, 2, ask->scope);
    if (r == 0)
        r = set_filter(a, 3, ask->unit);
    if (r == 0)
        r = set_filter(a, 4, ask->question == BAOD_ASK_UNIT ? ask->named : ask->indicator);
    a->limit = (size_t)limit;
    a->params[5] = baod_pg_p_int8(&a->arena, limit);
    a->params[6] = baod_pg_p_date(&a->arena, bao_time_date(ask->now, a->q->offset));
    if (a->question->of_one)
        a->params[6] = baod_pg_p_int4(&a->arena, a->period);
    if (r == 0 && a->question->shape == SPANS)
        r = set_tiles(a);
    return r == 0 && a->question->has_as_of ? set_as_of(a, ask) : r;
}

/* 0: it cannot be asked of an earlier moment. */
static const size_t as_of_statement[BAOD_QUESTIONS] = {[BAOD_ASK_ROLLUP] = ROLLUP_AT,
                                                       [BAOD_ASK_STATUS] = STATUS_AT,
                                                       [BAOD_ASK_MISSING] = MISSING_AT,
                                                       [BAOD_ASK_REPORT] = REPORT_AT};

static bool is_of_period(const struct baod_ask *ask)
{
    return ask->form.n != 0 && ask->period.n != 0 && ask->span.n == 0 && !ask->today;
}

/* Is it asked of one form, period and scope? */
static bool is_of_one(const struct baod_ask *ask)
{
    return is_of_period(ask) && ask->scope.n != 0;
}

/* The statement that answers: a question has others for spans and for the units of today. */
static size_t statement_of(const struct baod_ask *ask)
{
    if (ask->as_of.n != 0)
        return as_of_statement[ask->question];
    switch (ask->question) {
    case BAOD_ASK_ROLLUP:
        return ask->today          ? SPAN_TODAY
               : ask->span.n != 0  ? SPAN
               : is_of_one(ask)    ? ROLLUP_ONE
               : is_of_period(ask) ? ROLLUP_PERIOD
                                   : BAOD_ASK_ROLLUP;
    case BAOD_ASK_TREND:
        return ask->today ? TREND_TODAY : BAOD_ASK_TREND;
    case BAOD_ASK_STATUS:
        return ask->today ? STATUS_TODAY : is_of_one(ask) ? STATUS_ONE : BAOD_ASK_STATUS;
    case BAOD_ASK_REPORT:
        return ask->today ? REPORT_TODAY : BAOD_ASK_REPORT;
    default:
        return ask->question;
    }
}

/* Up to the next sync, which ends the transaction. What was known at a moment is put together of lists that
 * have no statistics: the planner takes them for a row or two and runs through one for each row of another,
 * which a province of thousands of units waits minutes for. What must be looked up by key is LATERAL there.
 */
static const struct baod_pg_statement BY_HASH = {"q_by_hash",
                                                 "SELECT set_config('enable_nestloop', 'off', true)"};

/* Questions that one plan suits, whatever they name, go where none waits behind a long one. */
static struct baod_pg *connection_of(const struct baod_queries *q, const struct baod_ask *ask)
{
    bool quick = is_of_one(ask) && ask->as_of.n == 0 &&
                 (ask->question == BAOD_ASK_ROLLUP || ask->question == BAOD_ASK_STATUS);

    return quick && baod_pg_is_ready(q->quick) ? q->quick : q->pg;
}

void baod_queries_quick(struct baod_pg *quick, void *user)
{
    static const struct baod_pg_statement one_plan = {NULL, "SET plan_cache_mode = force_generic_plan"};

    (void)user;
    if (baod_pg_exec(quick, &one_plan, NULL, 0, NULL, NULL) < 0 || baod_pg_sync(quick, NULL, NULL) < 0)
        baod_pg_drop(quick, "no memory");
}

int baod_queries_ask(struct baod_queries *q, const struct baod_ask *ask, baod_ask_done *done, void *user)
{
    struct baod_pg *pg;
    struct asked *a;
    int r;

    if (q->under_way >= WAITING_MAX || !baod_pg_is_ready(q->pg))
        return -EAGAIN;
    if (ask->as_of.n != 0 && (ask->today || ask->span.n != 0 || as_of_statement[ask->question] == 0))
        return BAOD_ASK_E_AS_OF;
    a = calloc(1, sizeof(*a));
    if (a == NULL)
        return -ENOMEM;
    *a = (struct asked){.q = q,
                        .pg = connection_of(q, ask),
                        .question = &baod_questions[statement_of(ask)],
                        .done = done,
                        .user = user};
    pg = a->pg;
    a->once = (struct baod_pg_statement){NULL, a->question->statement.sql};
    q->under_way++;
    r = set_filters(a, ask);
    if (r == 0 && a->question->has_as_of)
        r = baod_pg_exec(a->pg, &BY_HASH, NULL, 0, NULL, NULL);
    if (r == 0)
        r = baod_pg_exec(a->pg, a->question->of_one ? &a->question->statement : &a->once, a->params,
                         n_params(a->question), on_rows, a);
    if (r != 0) {
        asked_free(a);
        return r == -ENOTCONN ? -EAGAIN : r;
    }
    r = baod_pg_sync(pg, NULL, NULL);
    if (r < 0)
        baod_pg_drop(pg, "no memory"); /* the question is queued and must be answered */
    return 0;
}

int baod_queries_new(struct baod_pg *pg, struct baod_pg *quick, int offset, struct baod_queries **ret)
{
    struct baod_queries *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return -ENOMEM;
    q->pg = pg;
    q->quick = quick;
    q->offset = offset;
    *ret = q;
    return 0;
}

struct baod_queries *baod_queries_free(struct baod_queries *q)
{
    if (q == NULL)
        return NULL;
    q->closed = true;
    if (q->under_way == 0)
        free(q);
    return NULL;
}
