#include "daemon/store/office.h"
#include "daemon/store/decide.h"
#include "daemon/store/leaves.h"
#include "daemon/store/pgcall.h"
#include "lib/base/error.h"
#include "lib/form/period.h"
#include "lib/form/receipt.h"

enum { ARENA_MAX = 64 << 20, TEXT_MAX = 500 };

static const char *const KINDS[] = {"returned", "withdrawn", "extended", "exempted",
                                    "owed",     "locked",    "unlocked", "approved"};

struct office {
    struct bao_arena arena;
    struct baod_pg_call *call;
    const struct baod_chain_signer *signer;
    const struct baod_act *act;
    int32_t form, period;
    char label[16]; /* of the period, as the tables write it */
    struct baod_chain chain;
    struct baod_act_done done;
    int32_t *units; /* changed, with their codes and counted revisions */
    struct bao_str *codes;
    int32_t *revisions;
    size_t n;
    int64_t shortened;
};

static int run(struct office *o, const char *sql, const struct baod_pg_param *params, size_t n,
               const struct baod_pg_result **ret)
{
    const struct baod_pg_statement statement = {NULL, sql};
    int r = baod_pg_call_exec(o->call, &statement, params, n, ret);

    return r > 0 ? BAOD_ACT_E_DATABASE : r;
}

const char *baod_act_name(enum baod_act_kind kind)
{
    return KINDS[kind];
}

static bool takes_back(const struct baod_act *act)
{
    return act->kind == BAOD_ACT_RETURN || act->kind == BAOD_ACT_WITHDRAW;
}

static bool is_line(struct bao_str s)
{
    return s.n <= TEXT_MAX && (s.n == 0 || memchr(s.p, '\n', s.n) == NULL);
}

static int check(struct office *o)
{
    const struct baod_act *act = o->act;
    struct bao_period period;

    if (!bao_period_parse(act->period, &period) || !is_line(act->actor) || !is_line(act->reason) ||
        !is_line(act->decision))
        return BAOD_ACT_E_WRONG;
    if ((takes_back(act) && act->unit.n == 0) ||
        (act->kind == BAOD_ACT_EXTEND && act->until == BAO_TIME_NONE))
        return BAOD_ACT_E_WRONG;
    o->period = bao_period_code(period);
    bao_period_print(period, o->label);
    return 0;
}

/* ------------------------------------------------------------------ reading */

/* Is what was found what the act means? */
static int judge(const struct office *o, const struct baod_pg_result *rows, size_t i)
{
    const struct baod_act *act = o->act;
    int revision = (int)baod_pg_int(rows, i, 2);

    if (takes_back(act) && revision == 0)
        return BAOD_ACT_E_EMPTY;
    if (takes_back(act) && act->revision != 0 && act->revision != revision)
        return BAOD_ACT_E_REVISION;
    if (act->kind == BAOD_ACT_WITHDRAW && baod_pg_int(rows, i, 3) != 0)
        return BAOD_ACT_E_LOCKED;
    if (act->kind == BAOD_ACT_EXTEND && act->until <= baod_pg_time(rows, i, 5))
        return BAOD_ACT_E_EARLY;
    if (act->kind == BAOD_ACT_APPROVE)
        return baod_pg_int(rows, i, 6) != 0 ? BAOD_ACT_E_PENDING : 0;
    if (baod_pg_int(rows, i, 7) != 0 && (act->kind != BAOD_ACT_UNLOCK || act->decision.n == 0))
        return BAOD_ACT_E_APPROVED;
    return 0;
}

/* Is what the act asks for so already? Another document than the last one named for it is worth recording. */
static bool stands(const struct office *o, const struct baod_pg_result *rows, size_t i)
{
    const struct baod_act *act = o->act;
    bool counts = baod_pg_int(rows, i, 2) != 0, locked = baod_pg_int(rows, i, 3) != 0;
    bool approved = baod_pg_int(rows, i, 7) != 0, exempt = baod_pg_int(rows, i, 10) != 0;
    bool until_is_lock = baod_pg_time(rows, i, 8) == act->until;

    if (approved && act->kind != BAOD_ACT_APPROVE)
        return false; /* whatever it asks for: it is told that the period is final */
    if (act->decision.n != 0 && !bao_str_eq(act->decision, baod_pg_bytes(rows, i, 12)))
        return false;
    switch (act->kind) {
    case BAOD_ACT_RETURN:
        return !counts && baod_pg_int(rows, i, 13) == BAOD_RETURNED &&
               baod_pg_time(rows, i, 11) == act->until;
    case BAOD_ACT_WITHDRAW:
        return !counts && baod_pg_int(rows, i, 13) == BAOD_WITHDRAWN;
    case BAOD_ACT_EXTEND:
        return baod_pg_time(rows, i, 9) == act->until;
    case BAOD_ACT_EXEMPT:
        return exempt;
    case BAOD_ACT_OWE:
        return !exempt;
    case BAOD_ACT_LOCK:
        return act->until == BAO_TIME_NONE ? locked : until_is_lock;
    case BAOD_ACT_UNLOCK:
        return until_is_lock;
    case BAOD_ACT_APPROVE:
        return approved;
    }
    return false;
}

/* Keeps what the act changes, and of the first row what is told when that is nothing. */
static int keep(struct office *o, const struct baod_pg_result *rows, size_t i)
{
    size_t at = o->n;
    int r;

    if (i == 0)
        o->done = (struct baod_act_done){.at = BAO_TIME_NONE,
                                         .due_at = baod_pg_time(rows, i, 5),
                                         .lock_at = baod_pg_time(rows, i, 8),
                                         .extended_to = baod_pg_time(rows, i, 9),
                                         .revision = takes_back(o->act) ? (int)baod_pg_int(rows, i, 14) : 0};
    if (stands(o, rows, i))
        return 0;
    r = judge(o, rows, i);
    if (r != 0)
        return r;
    o->units[at] = (int32_t)baod_pg_int(rows, i, 0);
    o->revisions[at] = (int32_t)baod_pg_int(rows, i, 2);
    o->codes[at] = bao_arena_str(&o->arena, baod_pg_bytes(rows, i, 4));
    if (o->act->kind == BAOD_ACT_EXTEND && !baod_pg_is_null(rows, i, 9) &&
        baod_pg_time(rows, i, 9) > o->act->until)
        o->shortened++;
    o->n++;
    return o->codes[at].p == NULL ? -ENOMEM : 0;
}

static int find(struct office *o)
{
    struct baod_pg_param params[] = {baod_pg_p_text(o->act->form),
                                     baod_pg_p_int4(&o->arena, o->period),
                                     baod_pg_p_text(o->act->unit.n == 0 ? BAO_STR_NULL : o->act->unit),
                                     baod_pg_p_time(&o->arena, o->chain.row.at),
                                     baod_pg_p_text(bao_str_c(KINDS[o->act->kind])),
                                     baod_pg_p_int4(&o->arena, o->act->revision)};
    const struct baod_pg_result *rows;
    size_t n;
    int r = run(o,
                "SELECT o.unit, o.form, coalesce(o.revision, 0), coalesce(o.lock_at <= $4, false),"
                "       (SELECT u.code FROM baocao.unit u WHERE u.unit = o.unit LIMIT 1), o.due_at,"
                "       o.revision IS NULL AND NOT o.exempt AND coalesce(o.extended_to, o.due_at) >= $4,"
                "       coalesce((SELECT e.kind = 'approved' FROM baocao.obligation_event e"
                "                  WHERE e.unit = o.unit AND e.form = o.form AND e.period = o.period"
                "                    AND e.kind IN ('approved', 'unlocked')"
                "                  ORDER BY e.seq DESC, e.leaf DESC LIMIT 1), false),"
                "       o.lock_at, o.extended_to, o.exempt, o.kept_until,"
                "       (SELECT e.decision FROM baocao.obligation_event e"
                "         WHERE e.unit = o.unit AND e.form = o.form AND e.period = o.period AND e.kind = $5"
                "         ORDER BY e.seq DESC, e.leaf DESC LIMIT 1),"
                "       coalesce((SELECT r.state::int4 FROM baocao.report r"
                "                  WHERE r.unit = o.unit AND r.form = o.form AND r.period = o.period"
                "                    AND r.revision = coalesce(nullif($6, 0), o.last_revision)), 0),"
                "       coalesce(nullif($6, 0), o.last_revision)"
                "  FROM baocao.obligation o"
                " WHERE o.form = (SELECT form FROM baocao.form WHERE id = $1 LIMIT 1) AND o.period = $2"
                "   AND ($3::text IS NULL OR o.unit = (SELECT unit FROM baocao.unit WHERE code = $3 LIMIT 1))"
                " ORDER BY o.unit",
                params, BAO_COUNT(params), &rows);

    if (r != 0)
        return r;
    n = baod_pg_rows(rows);
    if (n == 0)
        return BAOD_ACT_E_NOTOWED;
    o->units = bao_arena_array(&o->arena, n, sizeof(*o->units));
    o->revisions = bao_arena_array(&o->arena, n, sizeof(*o->revisions));
    o->codes = bao_arena_array(&o->arena, n, sizeof(*o->codes));
    if (o->units == NULL || o->revisions == NULL || o->codes == NULL)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = keep(o, rows, i);
    if (r != 0)
        return r;
    o->form = (int32_t)baod_pg_int(rows, 0, 1);
    return 0;
}

/* ------------------------------------------------------------------ changing */

/* What each act makes of an obligation. $1 form, $2 period, $3 units, $4 until, $5 the batch's time. */
static const char *const CHANGES[] = {
    [BAOD_ACT_RETURN] =
        "UPDATE baocao.obligation o SET revision = NULL,"
        "       kept_at = CASE WHEN $4::timestamptz IS NULL THEN NULL ELSE o.received_at END, kept_until = "
        "$4,"
        "       lock_at = CASE WHEN o.lock_at < $4 THEN $4 ELSE o.lock_at END,"
        "       received_at = (SELECT min(r.received_at) FROM baocao.report r WHERE r.unit = o.unit AND "
        "r.form = o.form"
        "                         AND r.period = o.period AND r.state = 2)"
        " WHERE o.form = $1 AND o.period = $2 AND o.unit = ANY ($3::int4[]) AND $5::timestamptz IS NOT NULL",
    [BAOD_ACT_WITHDRAW] = "UPDATE baocao.obligation o SET revision = NULL, kept_at = NULL, kept_until = NULL,"
                          "       received_at = (SELECT min(r.received_at) FROM baocao.report r WHERE r.unit "
                          "= o.unit AND r.form = o.form"
                          "                         AND r.period = o.period AND r.state = 2)"
                          " WHERE o.form = $1 AND o.period = $2 AND o.unit = ANY ($3::int4[]) AND "
                          "$4::timestamptz IS NOT DISTINCT FROM $4"
                          "   AND $5::timestamptz IS NOT NULL",
    [BAOD_ACT_EXTEND] =
        "UPDATE baocao.obligation o SET extended_to = $4::timestamptz,"
        "       lock_at = o.lock_at + ($4::timestamptz - coalesce(o.extended_to, o.due_at))"
        " WHERE o.form = $1 AND o.period = $2 AND o.unit = ANY ($3::int4[]) AND $5::timestamptz IS NOT NULL",
    [BAOD_ACT_EXEMPT] = "UPDATE baocao.obligation SET exempt = true WHERE form = $1 AND period = $2 AND unit "
                        "= ANY ($3::int4[])"
                        "   AND $4::timestamptz IS NOT DISTINCT FROM $4 AND $5::timestamptz IS NOT NULL",
    [BAOD_ACT_OWE] = "UPDATE baocao.obligation SET exempt = false WHERE form = $1 AND period = $2 AND unit = "
                     "ANY ($3::int4[])"
                     "   AND $4::timestamptz IS NOT DISTINCT FROM $4 AND $5::timestamptz IS NOT NULL",
    [BAOD_ACT_LOCK] = "UPDATE baocao.obligation SET lock_at = coalesce($4::timestamptz, $5::timestamptz)"
                      " WHERE form = $1 AND period = $2 AND unit = ANY ($3::int4[])",
    [BAOD_ACT_APPROVE] = "UPDATE baocao.obligation SET lock_at = least(lock_at, $5::timestamptz)"
                         " WHERE form = $1 AND period = $2 AND unit = ANY ($3::int4[])"
                         "   AND $4::timestamptz IS NOT DISTINCT FROM $4",
    [BAOD_ACT_UNLOCK] =
        "UPDATE baocao.obligation SET lock_at = $4::timestamptz"
        " WHERE form = $1 AND period = $2 AND unit = ANY ($3::int4[]) AND $5::timestamptz IS NOT NULL",
};

/* Takes the counted report of one unit out of the sums of all its scopes. $1 form, $2 period, $3 unit. */
static const char SUBTRACT[] =
    "UPDATE baocao.rollup s SET reported = s.reported - 1,"
    "       counts = ARRAY(SELECT s.counts[i] - CASE WHEN r.figures[i] IS NULL THEN 0 ELSE 1 END"
    "                        FROM generate_subscripts(s.counts, 1) i ORDER BY i),"
    "       sums = ARRAY(SELECT s.sums[i] - CASE WHEN x.slot IS NULL THEN coalesce(r.figures[i], 0) ELSE 0 "
    "END"
    "                      FROM generate_subscripts(s.sums, 1) i"
    "                      LEFT JOIN (SELECT unnest(ARRAY[slot, slot_to]) AS slot FROM baocao.indicator"
    "                                  WHERE form = $1 AND over_units = 'none') x ON x.slot = i ORDER BY i)"
    "  FROM baocao.report r"
    "  JOIN baocao.period p ON p.form = r.form AND p.period = r.period"
    "  JOIN baocao.scope_unit m ON m.unit = r.unit AND m.seq_to = 9223372036854775807"
    "                          AND p.to_day BETWEEN m.from_day AND m.to_day"
    " WHERE r.unit = $3 AND r.form = $1 AND r.period = $2 AND r.state = 1"
    "   AND s.scope = m.scope AND s.form = r.form AND s.period = r.period";

static int take_out(struct office *o)
{
    struct bao_arena *a = &o->arena;
    struct baod_pg_param params[] = {
        baod_pg_p_int4(a, o->form), baod_pg_p_int4(a, o->period), baod_pg_p_int4(a, o->units[0]),
        baod_pg_p_int2(a, o->act->kind == BAOD_ACT_RETURN ? 3 : 4), baod_pg_p_int8(a, o->chain.row.seq)};
    int r = run(o, SUBTRACT, params, 3, NULL);

    return r != 0 ? r
                  : run(o,
                        "UPDATE baocao.report SET state = $4, seq_to = $5"
                        " WHERE unit = $3 AND form = $1 AND period = $2 AND state = 1",
                        params, BAO_COUNT(params), NULL);
}

static int change(struct office *o)
{
    struct bao_arena *a = &o->arena;
    struct baod_pg_param params[] = {baod_pg_p_int4(a, o->form), baod_pg_p_int4(a, o->period),
                                     baod_pg_p_int4s(a, o->units, NULL, o->n),
                                     baod_pg_p_time(a, o->act->until), baod_pg_p_time(a, o->chain.row.at)};
    int r = takes_back(o->act) ? take_out(o) : 0;

    return r != 0 ? r : run(o, CHANGES[o->act->kind], params, BAO_COUNT(params), NULL);
}

/* One event an obligation, with the state that stands from now on. */
static int write_events(struct office *o)
{
    struct bao_arena *a = &o->arena;
    struct baod_pg_param params[] = {
        baod_pg_p_int4s(a, o->units, NULL, o->n),
        baod_pg_p_int4(a, o->form),
        baod_pg_p_int4(a, o->period),
        baod_pg_p_int8(a, o->chain.row.seq),
        baod_pg_p_text(bao_str_c(KINDS[o->act->kind])),
        baod_pg_p_time(a, o->chain.row.at),
        baod_pg_p_text(o->act->actor),
        baod_pg_p_text(o->act->reason),
        baod_pg_p_int4s(a, o->revisions, NULL, o->n),
        baod_pg_p_bool(a, takes_back(o->act)),
        baod_pg_p_text(o->act->decision.n == 0 ? BAO_STR_NULL : o->act->decision),
        baod_pg_p_time(a, o->act->until),
    };

    return run(
        o,
        "INSERT INTO baocao.obligation_event (unit, form, period, seq, leaf, kind, at, actor, reason, "
        "revision,"
        "       due_at, lock_at, extended_to, exempt, kept_until, kept_at, decision, until)"
        " SELECT o.unit, o.form, o.period, $4, k.leaf - 1, $5, $6, $7, $8, CASE WHEN $10 THEN k.revision END,"
        "        o.due_at, o.lock_at, o.extended_to, o.exempt, o.kept_until, o.kept_at, $11, $12"
        "   FROM unnest($1::int4[], $9::int4[]) WITH ORDINALITY k(unit, revision, leaf)"
        "   JOIN baocao.obligation o ON o.unit = k.unit AND o.form = $2 AND o.period = $3",
        params, BAO_COUNT(params), NULL);
}

/* What the unit is to be told when it calls next. */
static int write_outcome(struct office *o)
{
    struct bao_arena *a = &o->arena;
    struct baod_pg_param params[] = {baod_pg_p_int4(a, o->units[0]),      baod_pg_p_int4(a, o->form),
                                     baod_pg_p_int4(a, o->period),        baod_pg_p_int4(a, o->revisions[0]),
                                     baod_pg_p_int8(a, o->chain.row.seq), baod_pg_p_text(o->act->reason),
                                     baod_pg_p_time(a, o->act->until)};

    return run(o,
               "INSERT INTO baocao.outcome (unit, seq, leaf, kind, receipt, form, period, revision, state, "
               "detail, until)"
               " SELECT $1, $5, 0, 'returned', r.receipt, $2, $3, $4, 'returned', $6, $7 FROM baocao.report r"
               "  WHERE r.unit = $1 AND r.form = $2 AND r.period = $3 AND r.revision = $4",
               params, BAO_COUNT(params), NULL);
}

/* ------------------------------------------------------------------ the chain */

static int make_leaf(struct office *o, size_t i, struct bao_hash *ret)
{
    const struct baod_act *act = o->act;
    const struct baod_act_leaf leaf = {.kind = bao_str_c(KINDS[act->kind]),
                                       .form = act->form,
                                       .unit = o->codes[i],
                                       .period = bao_str_c(o->label),
                                       .revision = takes_back(act) ? (int)o->revisions[i] : 0,
                                       .actor = act->actor,
                                       .reason = act->reason,
                                       .decision = act->decision,
                                       .until = act->until};

    return baod_act_leaf(&leaf, ret);
}

static int write_audit(struct office *o)
{
    struct bao_hash *leaves = bao_arena_array(&o->arena, o->n, sizeof(*leaves));
    int r = leaves == NULL ? -ENOMEM : 0;

    for (size_t i = 0; r == 0 && i < o->n; i++)
        r = make_leaf(o, i, &leaves[i]);
    if (r < 0)
        return r;
    r = baod_chain_write(o->call, &o->arena, o->signer, &o->chain, leaves, o->n);
    return r > 0 ? BAOD_ACT_E_DATABASE : r;
}

/* What to tell: the obligation as it stands now, where there was but one. */
static int look_back(struct office *o)
{
    struct baod_pg_param params[] = {baod_pg_p_int4(&o->arena, o->form), baod_pg_p_int4(&o->arena, o->period),
                                     baod_pg_p_int4(&o->arena, o->units[0])};
    const struct baod_pg_result *rows;
    int r = run(o,
                "SELECT due_at, lock_at, extended_to FROM baocao.obligation"
                " WHERE form = $1 AND period = $2 AND unit = $3",
                params, BAO_COUNT(params), &rows);

    if (r != 0)
        return r;
    o->done = (struct baod_act_done){.touched = (int64_t)o->n,
                                     .shortened = o->shortened,
                                     .seq = o->chain.row.seq,
                                     .at = o->chain.row.at,
                                     .due_at = baod_pg_time(rows, 0, 0),
                                     .lock_at = baod_pg_time(rows, 0, 1),
                                     .extended_to = baod_pg_time(rows, 0, 2),
                                     .revision = takes_back(o->act) ? o->revisions[0] : 0};
    return 0;
}

/* Reports that were judged against what has changed are to be judged again (recheck.h). An extension or a
 * lock changes nothing of that. */
static int write_rechecks(struct office *o)
{
    struct baod_pg_param params[] = {baod_pg_p_int4s(&o->arena, o->units, NULL, o->n),
                                     baod_pg_p_int4(&o->arena, o->form),
                                     baod_pg_p_int4(&o->arena, o->period)};

    if (!takes_back(o->act) && o->act->kind != BAOD_ACT_EXEMPT && o->act->kind != BAOD_ACT_OWE)
        return 0;
    return run(o,
               "INSERT INTO baocao.recheck (unit, form, period)"
               " SELECT o.unit, o.form, o.period FROM baocao.obligation o"
               "  WHERE o.unit = ANY ($1) AND o.form = $2 AND o.period >= $3 AND o.period <= $3 + 10000"
               "    AND (o.revision IS NOT NULL OR o.period = $3)"
               " ON CONFLICT DO NOTHING",
               params, BAO_COUNT(params), NULL);
}

static int carry_out(struct office *o)
{
    int r = baod_chain_begin(o->call, &o->arena, o->signer, &o->chain);

    if (r > 0)
        r = BAOD_ACT_E_DATABASE;
    if (r == 0)
        r = find(o);
    if (r == 0 && o->n == 0)
        return run(o, "ROLLBACK", NULL, 0, NULL);
    if (r == 0)
        r = change(o);
    if (r == 0)
        r = write_events(o);
    if (r == 0 && o->act->kind == BAOD_ACT_RETURN)
        r = write_outcome(o);
    if (r == 0)
        r = write_rechecks(o);
    if (r == 0)
        r = write_audit(o);
    if (r == 0)
        r = look_back(o);
    return r != 0 ? r : run(o, "COMMIT", NULL, 0, NULL);
}

int baod_office_act(struct baod_pg_call *call, const struct baod_chain_signer *signer,
                    const struct baod_act *act, struct bao_buf *why, struct baod_act_done *ret)
{
    struct office o = {.arena = BAO_ARENA_NULL(ARENA_MAX), .call = call, .signer = signer, .act = act};
    int r = check(&o);

    if (r == 0) {
        r = carry_out(&o);
        if (r == BAOD_ACT_E_DATABASE && bao_buf_append_c(why, baod_pg_call_error(call)) < 0)
            r = -ENOMEM;
        /* Nothing of a failed act stays; where even this fails the connection is gone, and the server does
         * it. */
        if (r != 0)
            (void)run(&o, "ROLLBACK", NULL, 0, NULL);
    }
    if (r == 0)
        *ret = o.done;
    bao_arena_deinit(&o.arena);
    return r;
}
