#include "daemon/store/retrace.h"

#include "daemon/store/pgcall.h"
#include "lib/base/error.h"

enum { ARENA_CAP = 64 << 20, LINES_MAX = 1000 };

static const struct baod_pg_statement SLICES = {
    NULL, "SELECT f.form, f.period, n.id, p.label FROM (SELECT DISTINCT form, period FROM "
          "baocao.obligation_event) f"
          "  JOIN baocao.form_name n USING (form) JOIN baocao.period p USING (form, period) ORDER BY 1, 2"};

/* Events that do not follow from the one before. Files may make, move and drop an obligation as they say; an
 * act of the office changes what its kind and its `until` say, and nothing else. `until` came with version
 * 11: where it is not there, nothing is said of what it set. */
static const struct baod_pg_statement EVENTS = {
    "retrace_events",
    "WITH e AS (SELECT v.unit, v.seq, v.kind, v.at, v.until, v.due_at, v.lock_at, v.extended_to, v.exempt,"
    "                  lag(v.due_at) OVER w AS old_due, lag(v.lock_at) OVER w AS old_lock,"
    "                  lag(v.extended_to) OVER w AS old_extended, lag(v.exempt) OVER w AS old_exempt"
    "             FROM baocao.obligation_event v WHERE v.form = $1 AND v.period = $2"
    "           WINDOW w AS (PARTITION BY v.unit ORDER BY v.seq, v.leaf))"
    " SELECT (SELECT u.code FROM baocao.unit u WHERE u.unit = e.unit LIMIT 1), e.seq"
    "   FROM e WHERE e.kind NOT IN ('made', 'moved', 'dropped') AND ("
    "        e.due_at IS DISTINCT FROM e.old_due"
    "     OR e.exempt <> CASE e.kind WHEN 'exempted' THEN true WHEN 'owed' THEN false ELSE e.old_exempt END"
    "     OR e.extended_to IS DISTINCT FROM CASE WHEN e.kind <> 'extended' THEN e.old_extended"
    "                                            ELSE coalesce(e.until, e.extended_to) END"
    "     OR e.lock_at IS DISTINCT FROM CASE"
    "            WHEN e.kind = 'locked' THEN coalesce(e.until, e.at)"
    "            WHEN e.kind = 'unlocked' THEN e.until"
    "            WHEN e.kind = 'approved' THEN least(e.old_lock, e.at)"
    "            WHEN e.kind = 'extended'"
    "            THEN e.old_lock + (coalesce(e.until, e.extended_to) - coalesce(e.old_extended, e.old_due))"
    "            WHEN e.kind = 'returned' AND e.old_lock < e.until THEN e.until"
    "            ELSE e.old_lock END)"
    "  ORDER BY e.unit, e.seq LIMIT 1000"};

/* Obligations that are not what their last event, their reports and the moments those came make of them. */
static const struct baod_pg_statement OBLIGATIONS = {
    "retrace_obligations",
    "WITH now AS MATERIALIZED (SELECT coalesce(max(seq), 0) AS batch, clock_timestamp() AS at FROM "
    "baocao.audit),"
    " have AS (SELECT o.unit, coalesce(o.extended_to, o.due_at) AS due_at, o.extended_to, o.lock_at, "
    "o.exempt,"
    "               CASE WHEN o.revision IS NOT NULL AND o.received_at <= coalesce(o.extended_to, o.due_at)"
    "                    THEN 'on-time' WHEN o.revision IS NOT NULL THEN 'late' WHEN o.exempt THEN 'exempt'"
    "                    WHEN n.at > coalesce(o.extended_to, o.due_at) THEN 'overdue' ELSE 'pending' END AS "
    "state"
    "          FROM baocao.obligation o, now n WHERE o.form = $1 AND o.period = $2),"
    " want AS (SELECT w.unit, w.due_at, w.extended_to, w.lock_at, w.state,"
    "                (SELECT e.exempt FROM baocao.obligation_event e"
    "                  WHERE e.unit = w.unit AND e.form = $1 AND e.period = $2"
    "                  ORDER BY e.seq DESC, e.leaf DESC LIMIT 1) AS exempt"
    "           FROM now n, baocao.obligation_at(n.batch, n.at, $3, $4) w WHERE w.period = $2)"
    " SELECT (SELECT u.code FROM baocao.unit u WHERE u.unit = coalesce(have.unit, want.unit) LIMIT 1),"
    "        concat_ws('; ', CASE WHEN have.unit IS NULL OR want.unit IS NULL THEN 'obligation' END,"
    "            CASE WHEN have.state <> want.state THEN format('state %s ≠ %s', have.state, want.state) END,"
    "            CASE WHEN have.due_at <> want.due_at THEN format('due_at %s ≠ %s', have.due_at, "
    "want.due_at) END,"
    "            CASE WHEN have.extended_to IS DISTINCT FROM want.extended_to THEN 'extended_to' END,"
    "            CASE WHEN have.lock_at IS DISTINCT FROM want.lock_at"
    "                 THEN format('lock_at %s ≠ %s', have.lock_at, want.lock_at) END,"
    "            CASE WHEN have.exempt <> want.exempt THEN 'exempt' END)"
    "   FROM have FULL JOIN want ON want.unit = have.unit"
    "  WHERE (have.due_at, have.extended_to, have.lock_at, have.exempt, have.state)"
    "        IS DISTINCT FROM (want.due_at, want.extended_to, want.lock_at, want.exempt, want.state)"
    "  ORDER BY 1 LIMIT 1000"};

static const struct baod_pg_statement COUNT = {
    "retrace_count", "SELECT count(*) FROM baocao.obligation WHERE form = $1 AND period = $2"};

struct retrace {
    struct baod_pg_call *call;
    enum bao_lang lang;
    struct bao_buf *out;
    struct bao_arena arena;
    struct baod_retrace_counts counts;
};

struct slice {
    int32_t form, period;
    struct bao_str id, label;
};

static int run(struct retrace *v, const struct baod_pg_statement *statement,
               const struct baod_pg_param *params, size_t n, const struct baod_pg_result **ret)
{
    int r = baod_pg_call_tell(v->call, baod_pg_call_exec(v->call, statement, params, n, ret), v->out);

    return r > 0 ? BAOD_RETRACE_E_DATABASE : r;
}

static int say_event(struct retrace *v, const struct slice *slice, const struct baod_pg_result *res,
                     size_t row)
{
    return bao_buf_printf(
        v->out,
        v->lang == BAO_VI
            ? "%.*s %.*s, đơn vị %.*s: lượt ghi %lld ghi thời hạn, khóa hoặc miễn khác với việc đã làm\n"
            : "%.*s %.*s, unit %.*s: batch %lld records another deadline, lock or exemption than its act "
              "made\n",
        BAO_STR_ARG(slice->id), BAO_STR_ARG(slice->label), BAO_STR_ARG(baod_pg_bytes(res, row, 0)),
        (long long)baod_pg_int(res, row, 1));
}

static int say_obligation(struct retrace *v, const struct slice *slice, const struct baod_pg_result *res,
                          size_t row)
{
    return bao_buf_printf(
        v->out,
        v->lang == BAO_VI
            ? "%.*s %.*s, đơn vị %.*s: nghĩa vụ đang lưu không khớp các việc và báo cáo đã ghi: %.*s\n"
            : "%.*s %.*s, unit %.*s: the stored obligation does not follow from what happened to it: %.*s\n",
        BAO_STR_ARG(slice->id), BAO_STR_ARG(slice->label), BAO_STR_ARG(baod_pg_bytes(res, row, 0)),
        BAO_STR_ARG(baod_pg_bytes(res, row, 1)));
}

static const struct {
    const struct baod_pg_statement *statement;
    size_t params;
    int (*say)(struct retrace *v, const struct slice *slice, const struct baod_pg_result *res, size_t row);
} CHECKS[] = {{&EVENTS, 2, say_event}, {&OBLIGATIONS, 4, say_obligation}};

static int retrace_slice(struct retrace *v, const struct slice *slice)
{
    const struct baod_pg_param params[] = {baod_pg_p_int4(&v->arena, slice->form),
                                           baod_pg_p_int4(&v->arena, slice->period),
                                           baod_pg_p_text(slice->id), baod_pg_p_text(slice->label)};
    const struct baod_pg_result *res = NULL;
    int r = run(v, &COUNT, params, 2, &res);

    if (r == 0)
        v->counts.obligations += baod_pg_int(res, 0, 0);
    for (size_t k = 0; r == 0 && k < BAO_COUNT(CHECKS); k++) {
        r = run(v, CHECKS[k].statement, params, CHECKS[k].params, &res);
        for (size_t i = 0; r == 0 && i < baod_pg_rows(res); i++)
            if (v->counts.wrong++ < LINES_MAX)
                r = CHECKS[k].say(v, slice, res, i);
    }
    return r;
}

static int walk(struct retrace *v)
{
    const struct baod_pg_result *res = NULL;
    struct bao_arena keep = BAO_ARENA_NULL(ARENA_CAP);
    int r = run(v, &SLICES, NULL, 0, &res);
    size_t n = r == 0 ? baod_pg_rows(res) : 0;
    struct slice *slices = bao_arena_array(&keep, n, sizeof(*slices));

    if (r == 0 && slices == NULL)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++) {
        slices[i] = (struct slice){.form = (int32_t)baod_pg_int(res, i, 0),
                                   .period = (int32_t)baod_pg_int(res, i, 1),
                                   .id = bao_arena_str(&keep, baod_pg_bytes(res, i, 2)),
                                   .label = bao_arena_str(&keep, baod_pg_bytes(res, i, 3))};
        if (slices[i].id.p == NULL || slices[i].label.p == NULL)
            r = -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        bao_arena_reset(&v->arena);
        r = retrace_slice(v, &slices[i]);
    }
    bao_arena_deinit(&keep);
    return r;
}

int baod_retrace(struct baod_pg_call *call, enum bao_lang lang, struct bao_buf *out,
                 struct baod_retrace_counts *ret)
{
    struct retrace v = {.call = call, .lang = lang, .out = out, .arena = BAO_ARENA_NULL(ARENA_CAP)};
    int r = walk(&v);

    bao_arena_deinit(&v.arena);
    if (r == 0)
        *ret = v.counts;
    return r;
}
