#include "daemon/store/due.h"
#include "daemon/ops/log.h"
#include "daemon/store/notices.h"
#include "daemon/store/pg.h"
#include "lib/base/error.h"
#include "lib/form/due.h"

enum { AHEAD_DAYS = 92, BACK_DAYS = 31, LINES_MAX = 4 << 20, NEWS_MAX = 4096, PARAMS = 3 };

/* One question under way. */
struct asked {
    struct bao_arena arena;
    struct baod_due_ask ask;
    struct bao_str *codes;
    size_t n_codes;
    struct bao_str heir;
    struct baod_pg_param params[PARAMS];
    baod_due_done *done;
    void *user;
};

/* $1 codes, $2 deadlines up to, $3 what is done with is listed from here on. */
static const struct baod_pg_statement LIST = {
    "d_list",
    "SELECT u.code, f.id, o.period, o.due_at, o.lock_at, o.extended_to, o.exempt, o.revision, o.received_at,"
    "       o.provisional, e.reason, t.kind, t.revision, t.symbol, t.detail, t.until,"
    "       w.at, w.reason"
    "  FROM baocao.obligation o"
    "  JOIN (SELECT DISTINCT unit, code FROM baocao.unit WHERE code = ANY ($1)) u ON u.unit = o.unit"
    "  JOIN baocao.form_name f ON f.form = o.form"
    "  LEFT JOIN LATERAL (SELECT nullif(concat_ws('; ', v.decision, v.reason), '') AS reason FROM "
    "baocao.obligation_event v"
    "         WHERE v.unit = o.unit AND v.form = o.form AND v.period = o.period"
    "           AND v.kind = CASE WHEN o.exempt THEN 'exempted' ELSE 'extended' END"
    "         ORDER BY v.seq DESC, v.leaf DESC LIMIT 1) e ON o.exempt OR o.extended_to IS NOT NULL"
    "  LEFT JOIN LATERAL (SELECT * FROM baocao.outcome x"
    "         WHERE x.unit = o.unit AND x.form = o.form AND x.period = o.period"
    "         ORDER BY x.seq DESC, x.leaf DESC LIMIT 1) t ON true"
    "  LEFT JOIN LATERAL (SELECT v.kind, v.at, nullif(concat_ws('; ', v.decision, v.reason), '') AS reason"
    "          FROM baocao.obligation_event v"
    "         WHERE v.unit = o.unit AND v.form = o.form AND v.period = o.period"
    "           AND v.kind IN ('approved', 'unlocked')"
    "         ORDER BY v.seq DESC, v.leaf DESC LIMIT 1) w ON w.kind = 'approved'"
    " WHERE coalesce(o.extended_to, o.due_at) < $2"
    "   AND ((o.revision IS NULL AND NOT o.exempt) OR t.unit IS NOT NULL"
    "        OR coalesce(o.extended_to, o.due_at) >= $3)"
    " ORDER BY coalesce(o.extended_to, o.due_at) DESC LIMIT 500"};

static void finish(struct asked *a, enum bao_symbol symbol, struct bao_str lines, bool from_store)
{
    const struct baod_due_answer answer = {.symbol = symbol,
                                           .lines = lines,
                                           .heir = a->heir,
                                           .from_store = from_store,
                                           .codes = a->codes,
                                           .n_codes = a->n_codes};

    a->done(a->user, &answer);
    (void)baod_snapshot_unref(a->ask.snapshot);
    bao_arena_deinit(&a->arena);
    free(a);
}

/* Prints the list and answers. */
static void answer(struct asked *a, struct bao_due_list *list, bool from_store)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(LINES_MAX);
    int r = 0;

    bao_due_sort(list);
    for (size_t i = 0; i < list->n && r == 0; i++) {
        r = bao_due_print(&out, &list->items[i], &a->ask.snapshot->registry, a->ask.unit, a->ask.lang);
        if (r == 0)
            r = bao_buf_append_c(&out, "\n");
    }
    finish(a, r == 0 ? BAO_SYM_NONE : BAO_SYM_BUSY, bao_buf_str(&out), from_store && r == 0);
}

static bao_date last_day(const struct asked *a)
{
    bao_date today = bao_time_date(a->ask.now, a->ask.snapshot->registry.offset);

    return a->ask.until == BAO_DATE_NONE ? today + AHEAD_DAYS : a->ask.until;
}

static void answer_by_files(struct asked *a)
{
    const struct baod_snapshot *s = a->ask.snapshot;
    bao_date today = bao_time_date(a->ask.now, s->registry.offset);
    struct bao_due_list list = {.n = 0};

    if (bao_due_by_files(&a->arena, &s->forms, &s->registry, a->codes, a->n_codes, today - BACK_DAYS,
                         last_day(a), &list) < 0)
        finish(a, BAO_SYM_BUSY, BAO_STR_NULL, false);
    else
        answer(a, &list, false);
}

/* The index of the unit's entry on that day; n_units when there is none. */
static uint32_t entry_on(const struct bao_registry *r, struct bao_str code, bao_date day)
{
    const struct bao_unit *u = bao_registry_unit(r, code, day);

    return u == NULL ? (uint32_t)r->n_units : (uint32_t)(u - r->units);
}

/* What became of a report that the unit has not read of: "" when nothing. */
static int read_news(struct asked *a, const struct baod_pg_result *r, size_t row, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(NEWS_MAX);
    const struct baod_notice notice = {
        .kind = bao_str_is(baod_pg_bytes(r, row, 11), "returned") ? BAOD_NOTICE_RETURNED : BAOD_NOTICE_DONE,
        .revision = (int)baod_pg_int(r, row, 12),
        .symbol = baod_pg_bytes(r, row, 13),
        .detail = baod_pg_bytes(r, row, 14),
        .at = baod_pg_time(r, row, 15),
    };
    int e;

    if (baod_pg_is_null(r, row, 11))
        return 0;
    e = baod_notice_sentence(&text, &notice, a->ask.snapshot->registry.offset, a->ask.lang);
    if (e < 0)
        return e;
    *ret = bao_arena_str(&a->arena, bao_buf_str(&text));
    return ret->p == NULL ? -ENOMEM : 0;
}

/* One row: 0 with ret->o.form NULL when the files know nothing of it, or <0. */
static int read_row(struct asked *a, const struct baod_pg_result *r, size_t row, struct bao_due *ret)
{
    const struct baod_snapshot *s = a->ask.snapshot;
    struct bao_due d = {.known = true, .revision = (int)baod_pg_int(r, row, 7)};
    struct bao_standing standing = {.counted = d.revision != 0,
                                    .received_at = baod_pg_time(r, row, 8),
                                    .exempt = baod_pg_int(r, row, 6) != 0};
    const struct bao_form *form;
    struct bao_period period;
    bao_date from, cutoff;
    uint32_t unit;
    bool known;
    int e;

    ret->o.form = NULL;
    if (!bao_period_of_code((int32_t)baod_pg_int(r, row, 2), &period))
        return 0;
    form = bao_forms_get(&s->forms, baod_pg_bytes(r, row, 1), period, &known);
    if (form == NULL || !bao_form_window(form, period, &from, &cutoff))
        return 0;
    unit = entry_on(&s->registry, baod_pg_bytes(r, row, 0), cutoff);
    if (unit == s->registry.n_units || !bao_obligation_make(form, &s->registry, unit, period, &d.o))
        return 0;
    d.o.due = baod_pg_time(r, row, 3);
    d.o.lock = baod_pg_time(r, row, 4);
    d.extended_to = baod_pg_time(r, row, 5);
    d.o.provisional = baod_pg_int(r, row, 9) != 0;
    d.ruling = baod_pg_bytes(r, row, 10);
    d.approved_at = baod_pg_time(r, row, 16);
    d.approval = baod_pg_bytes(r, row, 17);
    standing.due = d.extended_to != BAO_TIME_NONE ? d.extended_to : d.o.due;
    d.state = bao_obligation_state(&standing, a->ask.now);
    e = read_news(a, r, row, &d.news);
    if (e == 0)
        *ret = d;
    return e;
}

static int read_rows(struct asked *a, const struct baod_pg_result *r, struct bao_due_list *ret)
{
    struct bao_due *items = bao_arena_array(&a->arena, baod_pg_rows(r), sizeof(*items));
    size_t n = 0;

    if (items == NULL)
        return -ENOMEM;
    for (size_t row = 0; row < baod_pg_rows(r); row++) {
        int e = read_row(a, r, row, &items[n]);

        if (e < 0)
            return e;
        n += items[n].o.form != NULL;
    }
    *ret = (struct bao_due_list){items, n};
    return 0;
}

static void on_list(const struct baod_pg_result *r, void *user)
{
    struct asked *a = user;
    struct bao_due_list list = {.n = 0};

    if (baod_pg_outcome(r) == BAOD_PG_LOST) {
        answer_by_files(a);
        return;
    }
    if (baod_pg_outcome(r) == BAOD_PG_SQL)
        baod_log(BAOD_LOG_ERROR, "due: %s %s", baod_pg_sqlstate(r), baod_pg_message(r));
    if (baod_pg_outcome(r) != BAOD_PG_OK || read_rows(a, r, &list) < 0)
        finish(a, BAO_SYM_BUSY, BAO_STR_NULL, false);
    else
        answer(a, &list, true);
}

/* Who answers for the unit today when it is one of the past. */
static struct bao_str heir_of(const struct bao_registry *r, struct bao_str unit, bao_date today)
{
    const struct bao_unit *was = bao_registry_any(r, unit), *now;

    if (was == NULL || was->from > today || bao_registry_unit(r, unit, today) != NULL)
        return BAO_STR_NULL;
    now = bao_registry_successor(r, unit, today);
    return now == NULL ? BAO_STR_NULL : now->code;
}

static int prepare(struct asked *a)
{
    const struct baod_snapshot *s = a->ask.snapshot;
    int offset = s->registry.offset;
    bao_date today = bao_time_date(a->ask.now, offset);
    int r;

    a->ask.unit = bao_arena_str(&a->arena, a->ask.unit);
    if (a->ask.unit.p == NULL)
        return -ENOMEM;
    a->heir = heir_of(&s->registry, a->ask.unit, today);
    r = bao_due_codes(&a->arena, &s->registry, a->ask.unit, today, &a->codes, &a->n_codes);
    if (r < 0)
        return r;
    a->params[0] = baod_pg_p_texts(&a->arena, a->codes, a->n_codes);
    a->params[1] =
        baod_pg_p_time(&a->arena, bao_time_make(last_day(a) + 1, 1, offset)); /* 24:00 is that day's */
    a->params[2] = baod_pg_p_time(&a->arena, bao_time_make(today - BACK_DAYS, 0, offset));
    return 0;
}

int baod_due(struct baod_pg *pg, const struct baod_due_ask *ask, baod_due_done *done, void *user)
{
    struct asked *a = calloc(1, sizeof(*a));
    int r;

    if (a == NULL)
        return -ENOMEM;
    *a = (struct asked){.ask = *ask, .done = done, .user = user};
    r = prepare(a);
    if (r < 0) {
        bao_arena_deinit(&a->arena);
        free(a);
        return r;
    }
    (void)baod_snapshot_ref(ask->snapshot);
    if (bao_registry_any(&ask->snapshot->registry, a->ask.unit) == NULL) {
        finish(a, BAO_SYM_UNKNOWN, BAO_STR_NULL, false);
        return 0;
    }
    r = baod_pg_exec(pg, &LIST, a->params, PARAMS, on_list, a);
    if (r == -ENOTCONN)
        answer_by_files(a);
    else if (r < 0)
        finish(a, BAO_SYM_BUSY, BAO_STR_NULL, false);
    else if (baod_pg_sync(pg, NULL, NULL) < 0)
        baod_pg_drop(pg, "no memory"); /* the question is queued and must be answered */
    return 0;
}
