#include "daemon/store/sync.h"

#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/sums_wanted.inc"
#include "daemon/store/sync_report.h"
#include "daemon/store/sync_rows.h"
#include "lib/form/receipt.h"

enum { AHEAD_DAYS = 400, BACK_DAYS = 1830, ROWS_MAX = 256 << 20, MOVES_MAX = 32 << 10 };

#define OPEN "9223372036854775807"

struct sync {
    struct baod_pg_call *call;
    const struct baod_snapshot *snapshot;
    const struct baod_sync_options *options;
    struct bao_buf *why;
    struct bao_arena arena;
    struct baod_sync_changes changes;
    uint8_t registry[BAO_SHA256_LEN], forms[BAO_SHA256_LEN];
    struct bao_str moves; /* what is to be told of the deadlines that moved */
    bool registry_differs, forms_differ, members_changed;
    /* the chain */
    struct bao_batch head;
    int64_t seq;
    bao_time at;
};

/* ------------------------------------------------------------------ running statements */

static int complain(struct sync *s, int r)
{
    if (r <= 0)
        return r;
    r = bao_buf_append_c(s->why, baod_pg_call_error(s->call));
    return r < 0 ? r : BAOD_SYNC_E_DATABASE;
}

static int run(struct sync *s, const char *sql, const struct baod_pg_param *params, size_t n,
               const struct baod_pg_result **ret)
{
    const struct baod_pg_statement statement = {NULL, sql};
    const struct baod_pg_result *result;
    int r = baod_pg_call_exec(s->call, &statement, params, n, &result);

    if (r == 0 && ret != NULL)
        *ret = result;
    return complain(s, r);
}

/* Runs statements that take nothing, one after the other; adds up the rows they touched. */
static int run_all(struct sync *s, const char *const *sql, size_t n, int64_t *ret_touched)
{
    const struct baod_pg_result *result;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        r = run(s, sql[i], NULL, 0, &result);
        if (r == 0 && ret_touched != NULL)
            *ret_touched += baod_pg_affected(result);
    }
    return r;
}

/* Rows written by `make` become the only parameter of a CREATE TABLE … AS. */
static int stage(struct sync *s, const char *sql, int (*make)(struct bao_buf *, const void *),
                 const void *what)
{
    struct bao_buf rows = BAO_BUF_NULL(ROWS_MAX);
    int r = make(&rows, what);

    if (r == 0) {
        /* Utility statements take no parameters, so the rows go in by way of a table. */
        struct baod_pg_param p = baod_pg_p_text(bao_buf_str(&rows));

        r = run(s, "UPDATE pg_temp.sync_rows SET rows = $1::text::jsonb", &p, 1, NULL);
        if (r == 0)
            r = run(s, sql, NULL, 0, NULL);
    }
    bao_buf_deinit(&rows);
    return r;
}

static int make_units(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_units(out, &((const struct baod_snapshot *)snapshot)->registry);
}

static int make_successions(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_successions(out, &((const struct baod_snapshot *)snapshot)->registry);
}

static int make_scopes(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_scopes(out, &((const struct baod_snapshot *)snapshot)->registry);
}

static int make_members(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_members(out, &((const struct baod_snapshot *)snapshot)->registry);
}

static int make_forms(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_forms(out, &((const struct baod_snapshot *)snapshot)->forms);
}

static int make_indicators(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_indicators(out, &((const struct baod_snapshot *)snapshot)->forms);
}

static int make_targets(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_targets(out, snapshot);
}

struct owed {
    const struct bao_obligations *obligations;
    const struct bao_registry *registry;
};

static int make_obligations(struct bao_buf *out, const void *owed)
{
    const struct owed *o = owed;

    return baod_rows_obligations(out, o->obligations, o->registry);
}

static int make_periods(struct bao_buf *out, const void *owed)
{
    return baod_rows_periods(out, ((const struct owed *)owed)->obligations);
}

/* ------------------------------------------------------------------ what differs */

static int hash_rows(struct sync *s, int (*const *make)(struct bao_buf *, const void *), size_t n,
                     uint8_t ret[BAO_SHA256_LEN])
{
    struct bao_sha256 h;
    int r = 0;

    bao_sha256_init(&h);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct bao_buf rows = BAO_BUF_NULL(ROWS_MAX);

        r = make[i](&rows, s->snapshot);
        if (r == 0)
            bao_sha256_feed(&h, bao_buf_data(&rows), bao_buf_len(&rows));
        bao_buf_deinit(&rows);
    }
    bao_sha256_get(&h, ret);
    return r;
}

static bool stored_equals(const struct baod_pg_result *rows, const char *epoch,
                          const uint8_t hash[BAO_SHA256_LEN])
{
    for (size_t i = 0; i < baod_pg_rows(rows); i++)
        if (bao_str_is(baod_pg_bytes(rows, i, 0), epoch))
            return bao_str_eq(baod_pg_bytes(rows, i, 1),
                              (struct bao_str){(const char *)hash, BAO_SHA256_LEN});
    return false;
}

static int compare(struct sync *s)
{
    static int (*const registry[])(struct bao_buf *, const void *) = {
        make_units, make_successions, make_scopes, make_members, make_targets};
    static int (*const forms[])(struct bao_buf *, const void *) = {make_forms, make_indicators};
    const struct baod_pg_result *rows;
    int r = hash_rows(s, registry, BAO_COUNT(registry), s->registry);

    if (r == 0)
        r = hash_rows(s, forms, BAO_COUNT(forms), s->forms);
    if (r == 0)
        r = run(s, "SELECT name, sha256 FROM baocao.epoch", NULL, 0, &rows);
    if (r != 0)
        return r;
    s->registry_differs = !stored_equals(rows, "registry", s->registry);
    s->forms_differ = !stored_equals(rows, "forms", s->forms);
    return s->options->follow && (s->registry_differs || s->forms_differ) ? BAOD_SYNC_E_BEHIND : 0;
}

static int lock(struct sync *s)
{
    struct baod_pg_param province =
        baod_pg_p_int4(&s->arena, baod_province_key(s->snapshot->registry.province));
    int r = run(s, "BEGIN", NULL, 0, NULL);

    if (r == 0)
        r = run(s, "SELECT pg_advisory_xact_lock(7316, $1)", &province, 1, NULL);
    if (r == 0)
        r = run(s, "CREATE TEMP TABLE sync_rows ON COMMIT DROP AS SELECT NULL::jsonb AS rows", NULL, 0, NULL);
    return r;
}

static void take_hash(struct bao_hash *ret, struct bao_str octets)
{
    if (octets.n == sizeof(ret->octets))
        memcpy(ret->octets, octets.p, octets.n);
}

static bool is_own_key(const struct sync *s, struct bao_str key)
{
    uint8_t pub[BAO_ED25519_KEY_LEN];

    bao_ed25519_public(s->options->seed, pub);
    return bao_str_eq(key, (struct bao_str){(const char *)pub, sizeof(pub)});
}

/* Whoever holds a receipt checks it with the province's one key. */
static int refuse_key(struct sync *s, struct bao_str node)
{
    int r = bao_buf_printf(
        s->why,
        "another key signs this database's chain (daemon %.*s last): all daemons of a province share "
        "one audit.key. Copy that daemon's audit.key into this one's state folder; if the key is "
        "lost, set audit.new_key: true once",
        BAO_STR_ARG(node));

    return r < 0 ? r : BAOD_SYNC_E_KEY;
}

static int read_head(struct sync *s)
{
    const struct baod_pg_result *rows;
    struct bao_str node, signature;
    int r = run(s,
                "SELECT seq, node, at, n, root, prev, signature, public_key FROM baocao.audit ORDER BY seq "
                "DESC LIMIT 1",
                NULL, 0, &rows);

    if (r != 0)
        return r;
    s->at = s->options->now;
    s->seq = 1;
    if (baod_pg_rows(rows) == 0)
        return 0;
    if (!s->options->new_key && !is_own_key(s, baod_pg_bytes(rows, 0, 7)))
        return refuse_key(s, baod_pg_bytes(rows, 0, 1));
    node = bao_arena_str(&s->arena, baod_pg_bytes(rows, 0, 1));
    signature = baod_pg_bytes(rows, 0, 6);
    if (node.p == NULL)
        return -ENOMEM;
    s->head = (struct bao_batch){.province = s->snapshot->registry.province,
                                 .node = node,
                                 .seq = baod_pg_int(rows, 0, 0),
                                 .at = baod_pg_time(rows, 0, 2),
                                 .n = (uint64_t)baod_pg_int(rows, 0, 3)};
    take_hash(&s->head.root, baod_pg_bytes(rows, 0, 4));
    take_hash(&s->head.previous, baod_pg_bytes(rows, 0, 5));
    if (signature.n == sizeof(s->head.signature))
        memcpy(s->head.signature, signature.p, signature.n);
    s->seq = s->head.seq + 1;
    if (s->at <= s->head.at) /* the order of batches is the order of their times */
        s->at = s->head.at + 1;
    return 0;
}

/* The batch's number and time, where statements can join them. */
static int stage_batch(struct sync *s)
{
    struct baod_pg_param params[] = {baod_pg_p_int8(&s->arena, s->seq), baod_pg_p_time(&s->arena, s->at)};
    int r = run(s, "CREATE TEMP TABLE sync_batch (seq int8, at timestamptz) ON COMMIT DROP", NULL, 0, NULL);

    return r == 0 ? run(s, "INSERT INTO pg_temp.sync_batch VALUES ($1, $2)", params, BAO_COUNT(params), NULL)
                  : r;
}

/* ------------------------------------------------------------------ registry */

static const char STAGE_UNITS[] =
    "CREATE TEMP TABLE new_unit ON COMMIT DROP AS"
    " SELECT k.*, coalesce(u.unit, (SELECT coalesce(max(unit), 0) FROM baocao.unit)"
    "                     + dense_rank() OVER (PARTITION BY u.unit IS NULL ORDER BY k.code))::int4 AS unit"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(code text, kind text, name_vi text, name_en text, from_day date, to_day date, groups text[])"
    "   LEFT JOIN (SELECT DISTINCT code, unit FROM baocao.unit) u USING (code)";

static const char *const WRITE_UNITS[] = {
    "UPDATE baocao.unit u SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE u.seq_to = " OPEN
    "   AND NOT EXISTS (SELECT FROM new_unit k WHERE (k.unit, k.kind, k.name_vi, k.name_en, k.from_day, "
    "k.to_day,"
    "       k.groups) = (u.unit, u.kind, u.name_vi, u.name_en, u.from_day, u.to_day, u.groups))",
    "INSERT INTO baocao.unit (unit, code, kind, name_vi, name_en, from_day, to_day, groups, seq_from)"
    " SELECT k.unit, k.code, k.kind, k.name_vi, k.name_en, k.from_day, k.to_day, k.groups, b.seq"
    "   FROM new_unit k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.unit u WHERE u.unit = k.unit AND u.from_day = k.from_day"
    "                       AND u.seq_to = " OPEN ")",
};

static const char STAGE_SUCCESSIONS[] =
    "CREATE TEMP TABLE new_succession ON COMMIT DROP AS"
    " SELECT DISTINCT u.unit, p.unit AS predecessor, k.from_day, k.share FROM pg_temp.sync_rows, "
    "jsonb_to_recordset(rows)"
    "        k(code text, predecessor text, from_day date, share numeric)"
    "   JOIN new_unit u ON u.code = k.code JOIN new_unit p ON p.code = k.predecessor";

static const char *const WRITE_SUCCESSIONS[] = {
    "UPDATE baocao.unit_succession u SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE u.seq_to = " OPEN
    "   AND NOT EXISTS (SELECT FROM new_succession k WHERE (k.unit, k.predecessor, k.from_day)"
    "       = (u.unit, u.predecessor, u.from_day) AND k.share IS NOT DISTINCT FROM u.share)",
    "INSERT INTO baocao.unit_succession (unit, predecessor, from_day, share, seq_from)"
    " SELECT k.unit, k.predecessor, k.from_day, k.share, b.seq FROM new_succession k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.unit_succession u WHERE (u.unit, u.predecessor, u.from_day)"
    "        = (k.unit, k.predecessor, k.from_day) AND u.seq_to = " OPEN ")",
};

static const char STAGE_SCOPES[] =
    "CREATE TEMP TABLE new_scope ON COMMIT DROP AS"
    " SELECT k.*, coalesce(s.scope, (SELECT coalesce(max(scope), 0) FROM baocao.scope)"
    "                     + dense_rank() OVER (PARTITION BY s.scope IS NULL ORDER BY k.id))::int4 AS scope"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows) k(id text, type int2, name_vi text, name_en text)"
    "   LEFT JOIN (SELECT id, scope FROM baocao.scope) s USING (id)";

/* What is about to be said otherwise is kept beside it, for questions about earlier batches. */
static const char *const WRITE_SCOPES[] = {
    "INSERT INTO baocao.scope_was SELECT s.*, b.seq FROM baocao.scope s JOIN new_scope k USING (scope),"
    "       pg_temp.sync_batch b WHERE (k.type, k.name_vi, k.name_en) <> (s.type, s.name_vi, s.name_en)",
    "INSERT INTO baocao.scope (scope, id, type, name_vi, name_en, seq_from)"
    " SELECT k.scope, k.id, k.type, k.name_vi, k.name_en, b.seq FROM new_scope k, pg_temp.sync_batch b"
    "    ON CONFLICT (scope) DO UPDATE SET type = excluded.type, name_vi = excluded.name_vi,"
    "       name_en = excluded.name_en, seq_from = excluded.seq_from"
    " WHERE (scope.type, scope.name_vi, scope.name_en)"
    "    <> (excluded.type, excluded.name_vi, excluded.name_en)",
};

static const char STAGE_MEMBERS[] =
    "CREATE TEMP TABLE new_member ON COMMIT DROP AS"
    " SELECT DISTINCT s.scope, u.unit, k.from_day, k.to_day FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(scope text, unit text, from_day date, to_day date)"
    "   JOIN new_scope s ON s.id = k.scope JOIN (SELECT DISTINCT code, unit FROM new_unit) u ON u.code = "
    "k.unit";

static const char *const WRITE_MEMBERS[] = {
    "UPDATE baocao.scope_unit u SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE u.seq_to = " OPEN
    "   AND NOT EXISTS (SELECT FROM new_member k WHERE (k.scope, k.unit, k.from_day, k.to_day)"
    "                                                = (u.scope, u.unit, u.from_day, u.to_day))",
    "INSERT INTO baocao.scope_unit (scope, unit, from_day, to_day, seq_from)"
    " SELECT k.scope, k.unit, k.from_day, k.to_day, b.seq FROM new_member k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.scope_unit u WHERE (u.scope, u.unit, u.from_day)"
    "        = (k.scope, k.unit, k.from_day) AND u.seq_to = " OPEN ")",
};

/* A form's own target stands for all (scope and unit 0); its newest version speaks. */
static const char STAGE_TARGETS[] =
    "CREATE TEMP TABLE new_target ON COMMIT DROP AS"
    " SELECT DISTINCT ON (f.form, k.code, k.year, s.scope, u.unit)"
    "        f.form, k.code, k.year, coalesce(s.scope, 0) AS scope, coalesce(u.unit, 0) AS unit, k.value"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(form text, version int4, code text, year int4, scope text, unit text, value numeric)"
    "   JOIN (SELECT DISTINCT id, form FROM baocao.form) f ON f.id = k.form"
    "   LEFT JOIN (SELECT id, scope FROM baocao.scope) s ON s.id = k.scope"
    "   LEFT JOIN (SELECT DISTINCT code, unit FROM baocao.unit) u ON u.code = k.unit"
    "  ORDER BY f.form, k.code, k.year, s.scope, u.unit, k.version DESC";

static const char *const WRITE_TARGETS[] = {
    "WITH gone AS (DELETE FROM baocao.target t"
    "        WHERE NOT EXISTS (SELECT FROM new_target k WHERE (k.form, k.code, k.year, k.scope, k.unit, "
    "k.value)"
    "                                                = (t.form, t.code, t.year, t.scope, t.unit, t.value))"
    "        RETURNING t.*)"
    " INSERT INTO baocao.target_was SELECT g.*, b.seq FROM gone g, pg_temp.sync_batch b",
    "INSERT INTO baocao.target (form, code, year, scope, unit, value, seq_from)"
    " SELECT k.form, k.code, k.year, k.scope, k.unit, k.value, b.seq FROM new_target k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.target t WHERE (k.form, k.code, k.year, k.scope, k.unit)"
    "                                                    = (t.form, t.code, t.year, t.scope, t.unit))",
};

static int write_registry(struct sync *s)
{
    int64_t moved = 0;
    int r = stage(s, STAGE_UNITS, make_units, s->snapshot);

    if (r == 0)
        r = run_all(s, WRITE_UNITS, BAO_COUNT(WRITE_UNITS), NULL);
    if (r == 0)
        r = stage(s, STAGE_SUCCESSIONS, make_successions, s->snapshot);
    if (r == 0)
        r = run_all(s, WRITE_SUCCESSIONS, BAO_COUNT(WRITE_SUCCESSIONS), NULL);
    if (r == 0)
        r = stage(s, STAGE_SCOPES, make_scopes, s->snapshot);
    if (r == 0)
        r = run_all(s, WRITE_SCOPES, BAO_COUNT(WRITE_SCOPES), NULL);
    if (r == 0)
        r = stage(s, STAGE_MEMBERS, make_members, s->snapshot);
    if (r == 0)
        r = run_all(s, WRITE_MEMBERS, BAO_COUNT(WRITE_MEMBERS), &moved);
    s->members_changed = moved != 0;
    return r;
}

/* ------------------------------------------------------------------ forms */

static const char STAGE_FORMS[] =
    "CREATE TEMP TABLE new_form ON COMMIT DROP AS"
    " SELECT k.id, k.version, k.title_vi, k.title_en, k.programme, k.period_type, k.effective_from, "
    "k.effective_to,"
    "        decode(k.sha256, 'hex') AS sha256, decode(k.source, 'hex') AS source,"
    "        coalesce(f.form, (SELECT coalesce(max(form), 0) FROM baocao.form)"
    "                 + dense_rank() OVER (PARTITION BY f.form IS NULL ORDER BY k.id))::int4 AS form"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(id text, version int4, title_vi text, title_en text, programme text, period_type int2,"
    "          effective_from date, effective_to date, sha256 text, source text)"
    "   LEFT JOIN (SELECT DISTINCT id, form FROM baocao.form) f USING (id)";

static const char *const WRITE_FORMS[] = {
    "UPDATE baocao.form f SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE f.seq_to = " OPEN
    "   AND NOT EXISTS (SELECT FROM new_form k WHERE k.form = f.form AND k.version = f.version AND k.sha256 "
    "= f.sha256)",
    "INSERT INTO baocao.form (form, version, id, title_vi, title_en, programme, period_type, effective_from,"
    "                         effective_to, sha256, source, seq_from)"
    " SELECT k.form, k.version, k.id, k.title_vi, k.title_en, k.programme, k.period_type, k.effective_from,"
    "        k.effective_to, k.sha256, k.source, b.seq FROM new_form k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.form f WHERE f.form = k.form AND f.version = k.version"
    "                       AND f.seq_to = " OPEN ")",
};

static const char STAGE_INDICATORS[] =
    "CREATE TEMP TABLE new_indicator ON COMMIT DROP AS"
    " SELECT f.form AS form_n, k.* FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(form text, version int4, place int4, code text, width int4, decimals int2, decimals_to int2,"
    "          over_units text, over_time text, percent bool, label_vi text, label_en text, measure_vi text,"
    "          measure_en text, direction int2, alert_below numeric, alert_above numeric, same_as text)"
    "   JOIN (SELECT DISTINCT id, form FROM new_form) f ON f.id = k.form";

/* Stored values would change their meaning: such a figure needs a code of its own. */
static const char FIND_CONFLICT[] =
    "SELECT k.form, k.version, k.code,"
    "       CASE WHEN k.decimals <> o.decimals OR k.decimals_to <> o.decimals_to THEN 'decimals'"
    "            WHEN k.over_units <> o.over_units THEN 'over_units'"
    "            WHEN k.over_time <> o.over_time AND k.decimals_to IS NULL THEN 'over_time' ELSE 'ratio' END"
    "  FROM new_indicator k"
    "  JOIN (SELECT form, code, decimals, decimals_to, over_units, over_time FROM baocao.indicator"
    "        UNION ALL SELECT form_n, code, decimals, decimals_to, over_units, over_time FROM new_indicator) "
    "o"
    "    ON o.form = k.form_n AND o.code = k.code"
    " WHERE (k.decimals, k.over_units) <> (o.decimals, o.over_units)"
    "    OR (k.over_time <> o.over_time AND k.decimals_to IS NULL)" /* a ratio's follows from its parts */
    "    OR k.decimals_to IS DISTINCT FROM o.decimals_to"
    " ORDER BY 1, 3, 2 LIMIT 1";

static const char *const WRITE_INDICATORS[] = {
    "CREATE TEMP TABLE old_indicator ON COMMIT DROP AS TABLE baocao.indicator",
    /* What stays gets the newest version's words. */
    "UPDATE baocao.indicator i SET percent = k.percent, over_time = k.over_time, label_vi = k.label_vi, "
    "label_en = k.label_en,"
    "       measure_vi = k.measure_vi, measure_en = k.measure_en, direction = k.direction,"
    "       alert_below = k.alert_below, alert_above = k.alert_above, same_as = k.same_as,"
    "       version_to = greatest(i.version_to, k.version), version_from = least(i.version_from, k.first)"
    "  FROM (SELECT DISTINCT ON (form_n, code) n.*, min(version) OVER (PARTITION BY form_n, code) AS first"
    "          FROM new_indicator n ORDER BY form_n, code, version DESC) k"
    " WHERE i.form = k.form_n AND i.code = k.code",
    /* What is new goes behind, in the order of its first version. */
    "INSERT INTO baocao.indicator (form, slot, slot_to, code, decimals, decimals_to, over_units, over_time, "
    "percent,"
    "       label_vi, label_en, measure_vi, measure_en, direction, alert_below, alert_above, same_as, "
    "version_from,"
    "       version_to)"
    " SELECT form_n, last + behind - width + 1, CASE WHEN width = 2 THEN last + behind END, code, decimals, "
    "decimals_to,"
    "        over_units, over_time, percent, label_vi, label_en, measure_vi, measure_en, direction, "
    "alert_below,"
    "        alert_above, same_as, first, version"
    "   FROM (SELECT k.*, coalesce(o.last, 0) AS last,"
    "                sum(width) OVER (PARTITION BY form_n ORDER BY first, first_place, code) AS behind"
    "           FROM (SELECT DISTINCT ON (form_n, code) n.*, min(version) OVER w AS first,"
    "                        first_value(place) OVER (PARTITION BY form_n, code ORDER BY version) AS "
    "first_place"
    "                   FROM new_indicator n WINDOW w AS (PARTITION BY form_n, code)"
    "                  ORDER BY form_n, code, version DESC) k"
    "           LEFT JOIN (SELECT form, max(greatest(slot, slot_to)) AS last FROM baocao.indicator GROUP BY "
    "form) o"
    "             ON o.form = k.form_n"
    "          WHERE NOT EXISTS (SELECT FROM baocao.indicator i WHERE i.form = k.form_n AND i.code = "
    "k.code)) x",
    /* What says other than before is kept as it was. */
    "INSERT INTO baocao.indicator_was SELECT o.*, b.seq FROM old_indicator o, pg_temp.sync_batch b"
    " WHERE NOT EXISTS (SELECT FROM baocao.indicator i WHERE i.form = o.form AND i.slot = o.slot"
    "                      AND ROW(i.*) IS NOT DISTINCT FROM ROW(o.*))",
    "UPDATE baocao.indicator i SET seq_from = b.seq FROM pg_temp.sync_batch b"
    " WHERE NOT EXISTS (SELECT FROM old_indicator o WHERE i.form = o.form AND i.slot = o.slot"
    "                      AND ROW(i.*) IS NOT DISTINCT FROM ROW(o.*))",
};

/* The sentence for whoever asked for the change. */
static void tell_conflict(struct sync *s, enum bao_lang lang, const char *pattern,
                          const struct bao_str *words)
{
    struct bao_buf out = BAO_BUF_NULL(sizeof(s->options->report->conflict[lang]) - 1);
    int r = 0;

    if (s->options->report == NULL)
        return;
    for (; r == 0 && *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] >= '1' && pattern[1] <= '4')
            r = bao_buf_append_str(&out, words[*++pattern - '1']);
        else
            r = bao_buf_append(&out, pattern, 1);
    }
    snprintf(s->options->report->conflict[lang], sizeof(s->options->report->conflict[lang]), "%.*s",
             BAO_STR_ARG(bao_buf_str(&out)));
    bao_buf_deinit(&out);
}

static int refuse_conflict(struct sync *s)
{
    const struct baod_pg_result *rows;
    struct bao_str words[4];
    int r = run(s, FIND_CONFLICT, NULL, 0, &rows);

    if (r != 0 || baod_pg_rows(rows) == 0)
        return r;
    r = bao_buf_printf(
        s->why,
        "form %.*s version %lld: %.*s of indicator %.*s is not what other versions say, and stored figures "
        "stand by it; give the indicator a new code",
        BAO_STR_ARG(baod_pg_bytes(rows, 0, 0)), (long long)baod_pg_int(rows, 0, 1),
        BAO_STR_ARG(baod_pg_bytes(rows, 0, 3)), BAO_STR_ARG(baod_pg_bytes(rows, 0, 2)));
    words[0] = baod_pg_bytes(rows, 0, 0);
    words[1] = baod_pg_bytes(rows, 0, 2);
    words[2] = baod_pg_bytes(rows, 0, 3);
    tell_conflict(s, BAO_VI,
                  "Biểu mẫu %1: %3 của chỉ tiêu %2 khác với các phiên bản khác mà số liệu đã lưu dựa vào; "
                  "hãy đặt mã mới "
                  "cho chỉ tiêu này.",
                  words);
    tell_conflict(s, BAO_EN,
                  "Form %1: %3 of indicator %2 is not what other versions say, and stored figures stand by "
                  "it; give the "
                  "indicator a new code.",
                  words);
    return r < 0 ? r : BAOD_SYNC_E_CONFLICT;
}

static int write_forms(struct sync *s)
{
    int r = stage(s, STAGE_FORMS, make_forms, s->snapshot);

    if (r == 0)
        r = run_all(s, WRITE_FORMS, BAO_COUNT(WRITE_FORMS), NULL);
    if (r == 0)
        r = stage(s, STAGE_INDICATORS, make_indicators, s->snapshot);
    if (r == 0)
        r = refuse_conflict(s);
    return r == 0 ? run_all(s, WRITE_INDICATORS, BAO_COUNT(WRITE_INDICATORS), NULL) : r;
}

static int write_targets(struct sync *s)
{
    int r = stage(s, STAGE_TARGETS, make_targets, s->snapshot);

    return r == 0 ? run_all(s, WRITE_TARGETS, BAO_COUNT(WRITE_TARGETS), NULL) : r;
}

/* ------------------------------------------------------------------ obligations */

static const char STAGE_PERIODS[] =
    "CREATE TEMP TABLE new_period ON COMMIT DROP AS"
    " SELECT f.form AS form_n, k.* FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(form text, period int4, label text, from_day date, to_day date, title_vi text, title_en text)"
    "   JOIN (SELECT DISTINCT id, form FROM baocao.form) f ON f.id = k.form";

static const char *const WRITE_PERIODS[] = {
    "INSERT INTO baocao.period_was SELECT p.*, b.seq FROM baocao.period p"
    "  JOIN new_period k ON k.form_n = p.form AND k.period = p.period, pg_temp.sync_batch b"
    " WHERE (p.from_day, p.to_day, p.title_vi, p.title_en) <> (k.from_day, k.to_day, k.title_vi, k.title_en)",
    "INSERT INTO baocao.period (form, period, label, from_day, to_day, title_vi, title_en, seq_from)"
    " SELECT form_n, period, label, from_day, to_day, title_vi, title_en, b.seq"
    "   FROM new_period, pg_temp.sync_batch b"
    "    ON CONFLICT (form, period) DO UPDATE SET label = excluded.label, from_day = excluded.from_day,"
    "       to_day = excluded.to_day, title_vi = excluded.title_vi, title_en = excluded.title_en,"
    "       seq_from = excluded.seq_from"
    " WHERE (period.from_day, period.to_day, period.title_vi, period.title_en)"
    "    <> (excluded.from_day, excluded.to_day, excluded.title_vi, excluded.title_en)",
    "SELECT baocao.make_year(y) FROM (SELECT DISTINCT period / 10000 AS y FROM new_period ORDER BY 1) years",
};

static const char STAGE_OBLIGATIONS[] =
    "CREATE TEMP TABLE new_obligation ON COMMIT DROP AS"
    " SELECT u.unit, f.form, k.period, k.cutoff, k.due_at, k.lock_at, k.provisional"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(unit text, form text, period int4, cutoff date, due_at timestamptz, lock_at timestamptz, "
    "provisional bool)"
    "   JOIN (SELECT DISTINCT id, form FROM baocao.form) f ON f.id = k.form"
    "   JOIN (SELECT DISTINCT code, unit FROM baocao.unit WHERE seq_to = " OPEN ") u ON u.code = k.unit";

static const char INDEX_OBLIGATIONS[] = "CREATE INDEX ON new_obligation (unit, form, period)";

/* A report without an obligation would count for nobody. */
static const char FIND_ORPHAN[] =
    "SELECT u.code, f.id, p.label FROM baocao.obligation o"
    "  JOIN baocao.unit u ON u.unit = o.unit JOIN baocao.form f ON f.form = o.form"
    "  JOIN baocao.period p ON p.form = o.form AND p.period = o.period"
    " WHERE o.last_revision > 0 AND o.cutoff BETWEEN $1 AND $2"
    "   AND NOT EXISTS (SELECT FROM new_obligation k WHERE (k.unit, k.form, k.period) = (o.unit, o.form, "
    "o.period))"
    " LIMIT 1";

#define EVENT_COLUMNS                                                                                        \
    "(unit, form, period, seq, leaf, kind, at, due_at, lock_at, extended_to, exempt, kept_until)"

/* Later reports were judged with or without what is owed before them: they are judged again (recheck.h). */
#define RECHECK_AFTER(changed)                                                                               \
    ", again AS (INSERT INTO baocao.recheck (unit, form, period)"                                            \
    "       SELECT DISTINCT o.unit, o.form, o.period FROM " changed " c"                                     \
    "         JOIN baocao.obligation o ON o.unit = c.unit AND o.form = c.form AND o.period > c.period"       \
    "                                 AND o.period <= c.period + 10000 AND o.revision IS NOT NULL"           \
    "       ON CONFLICT DO NOTHING)"

static const char DROP_OBLIGATIONS[] =
    "WITH gone AS (DELETE FROM baocao.obligation o WHERE o.last_revision = 0 AND o.cutoff BETWEEN $1 AND $2"
    "        AND NOT EXISTS (SELECT FROM new_obligation k WHERE (k.unit, k.form, k.period) = (o.unit, "
    "o.form, o.period))"
    "        RETURNING o.*)" RECHECK_AFTER("gone") " INSERT INTO baocao.obligation_event " EVENT_COLUMNS
                                                   " SELECT unit, form, period, b.seq, -1, 'dropped', b.at, "
                                                   "due_at, lock_at, extended_to, exempt, kept_until"
                                                   "   FROM gone, pg_temp.sync_batch b";

/* What MOVE_OBLIGATIONS is about to move to another time, for people. */
static const char LIST_MOVES[] =
    "SELECT f.id, p.label, o.due_at, k.due_at, count(*), bool_or(k.provisional) FROM new_obligation k"
    "  JOIN baocao.obligation o USING (unit, form, period) JOIN baocao.form_name f USING (form)"
    "  JOIN baocao.period p USING (form, period), pg_temp.sync_batch b"
    " WHERE o.due_at > b.at AND k.due_at <> o.due_at GROUP BY 1, 2, 3, 4 ORDER BY 3, 1 LIMIT 100";

/* A due date that is past never moves (forms.md section 8), nor does a lock that the office has set: an
 * extension beyond the new rule's lock would else be refused. */
static const char MOVE_OBLIGATIONS[] =
    "WITH moved AS (UPDATE baocao.obligation o SET due_at = k.due_at, cutoff = k.cutoff,"
    "                      provisional = k.provisional,"
    "                      lock_at = CASE WHEN EXISTS ("
    "                          SELECT FROM baocao.obligation_event e"
    "                           WHERE (e.unit, e.form, e.period) = (o.unit, o.form, o.period)"
    "                             AND e.kind IN ('extended', 'returned', 'locked', 'unlocked', 'approved'))"
    "                          THEN o.lock_at ELSE k.lock_at END"
    "        FROM new_obligation k, pg_temp.sync_batch b"
    "       WHERE (k.unit, k.form, k.period) = (o.unit, o.form, o.period) AND o.due_at > b.at"
    "         AND (k.due_at, k.provisional, k.cutoff) IS DISTINCT FROM (o.due_at, o.provisional, o.cutoff)"
    "        RETURNING o.*)"
    " INSERT INTO baocao.obligation_event " EVENT_COLUMNS
    " SELECT unit, form, period, b.seq, -1, 'moved', b.at, due_at, lock_at, extended_to, exempt, kept_until"
    "   FROM moved, pg_temp.sync_batch b";

static const char MAKE_OBLIGATIONS[] =
    "WITH made AS (INSERT INTO baocao.obligation (unit, form, period, cutoff, due_at, lock_at, provisional)"
    "       SELECT unit, form, period, cutoff, due_at, lock_at, provisional FROM new_obligation k"
    "        WHERE NOT EXISTS (SELECT FROM baocao.obligation o WHERE (k.unit, k.form, k.period) = (o.unit, "
    "o.form, o.period))"
    "       RETURNING *)" RECHECK_AFTER("made") " INSERT INTO baocao.obligation_event " EVENT_COLUMNS
                                                " SELECT unit, form, period, b.seq, -1, 'made', b.at, "
                                                "due_at, lock_at, extended_to, exempt, kept_until"
                                                "   FROM made, pg_temp.sync_batch b";

static int refuse_orphan(struct sync *s, const struct baod_pg_param *range)
{
    const struct baod_pg_result *rows;
    struct bao_str words[4];
    int r = run(s, FIND_ORPHAN, range, 2, &rows);

    if (r != 0 || baod_pg_rows(rows) == 0)
        return r;
    r = bao_buf_printf(
        s->why,
        "unit %.*s has sent %.*s for %.*s, which by the new files it does not owe: its reports would belong "
        "to "
        "nobody; keep the unit in units.yaml (give it an end with to:) or the form's older version",
        BAO_STR_ARG(baod_pg_bytes(rows, 0, 0)), BAO_STR_ARG(baod_pg_bytes(rows, 0, 1)),
        BAO_STR_ARG(baod_pg_bytes(rows, 0, 2)));
    for (size_t i = 0; i < 3; i++)
        words[i] = baod_pg_bytes(rows, 0, i);
    tell_conflict(s, BAO_VI,
                  "Đơn vị %1 đã gửi %2 kỳ %3, mà theo tệp mới thì không phải gửi: báo cáo đã nhận sẽ không "
                  "thuộc về ai. Hãy "
                  "giữ đơn vị trong units.yaml (ghi ngày cuối ở to:) hoặc giữ phiên bản cũ của biểu mẫu.",
                  words);
    tell_conflict(
        s, BAO_EN,
        "Unit %1 has sent %2 for %3, which by the new files it does not owe: its reports would belong to "
        "nobody. Keep the unit in units.yaml (give it an end with to:) or the form's older version.",
        words);
    return r < 0 ? r : BAOD_SYNC_E_CONFLICT;
}

static int count_rows(struct sync *s, const char *sql, const struct baod_pg_param *params, size_t n,
                      int64_t *ret)
{
    const struct baod_pg_result *result;
    int r = run(s, sql, params, n, &result);

    if (r == 0)
        *ret = baod_pg_affected(result);
    return r;
}

static int list_moves(struct sync *s)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(MOVES_MAX);
    const struct baod_pg_result *rows = NULL;
    int offset = s->snapshot->registry.offset;
    int r = run(s, LIST_MOVES, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
        char was[40], is[40];

        bao_time_print(baod_pg_time(rows, i, 2), offset, was);
        bao_time_print(baod_pg_time(rows, i, 3), offset, is);
        r = bao_buf_printf(&out, "%.*s %.*s: due %.16s, was %.16s, for %lld units%s\n",
                           BAO_STR_ARG(baod_pg_bytes(rows, i, 0)), BAO_STR_ARG(baod_pg_bytes(rows, i, 1)), is,
                           was, (long long)baod_pg_int(rows, i, 4),
                           baod_pg_int(rows, i, 5) != 0 ? ", provisional" : "");
    }
    if (r == 0)
        s->moves = bao_arena_str(&s->arena, bao_buf_str(&out));
    return r == 0 && s->moves.p == NULL ? -ENOMEM : r;
}

/* From the first day that any form was in force. */
static bao_date first_day(const struct sync *s, bao_date today)
{
    bao_date first = today;

    for (size_t i = 0; i < s->snapshot->forms.n; i++)
        if (s->snapshot->forms.items[i]->effective_from < first)
            first = s->snapshot->forms.items[i]->effective_from;
    return first < today - BACK_DAYS ? today - BACK_DAYS : first;
}

static int write_obligations(struct sync *s)
{
    bao_date today = bao_time_date(s->options->now, s->snapshot->registry.offset);
    bao_date from = first_day(s, today), to = today + AHEAD_DAYS;
    struct baod_pg_param range[] = {baod_pg_p_date(&s->arena, from), baod_pg_p_date(&s->arena, to)};
    struct bao_obligations obligations;
    struct owed owed = {&obligations, &s->snapshot->registry};
    int r =
        bao_obligations_list(&s->arena, &s->snapshot->forms, &s->snapshot->registry, from, to, &obligations);

    if (r == 0)
        r = stage(s, STAGE_PERIODS, make_periods, &owed);
    if (r == 0)
        r = run_all(s, WRITE_PERIODS, BAO_COUNT(WRITE_PERIODS), NULL);
    if (r == 0)
        r = stage(s, STAGE_OBLIGATIONS, make_obligations, &owed);
    if (r == 0)
        r = run(s, INDEX_OBLIGATIONS, NULL, 0, NULL);
    if (r == 0)
        r = refuse_orphan(s, range);
    if (r == 0)
        r = list_moves(s);
    if (r == 0)
        r = count_rows(s, DROP_OBLIGATIONS, range, 2, &s->changes.dropped);
    if (r == 0)
        r = count_rows(s, MOVE_OBLIGATIONS, NULL, 0, &s->changes.moved);
    if (r == 0)
        r = count_rows(s, MAKE_OBLIGATIONS, NULL, 0, &s->changes.made);
    return r;
}

/* ------------------------------------------------------------------ sums */

/* Memberships moved, so every sum is made anew from the counted reports, in this same transaction. */
static const char *const REMAKE_ROLLUPS[] = {
    "DELETE FROM baocao.rollup",
    BAOD_SUMS_WANTED("") " INSERT INTO baocao.rollup (scope, form, period, reported, counts, sums)"
                         " SELECT scope, form, period, reported, counts, sums::int8[] FROM want",
};

/* ------------------------------------------------------------------ the batch in the chain */

static int write_epoch(struct sync *s, const char *name, const uint8_t hash[BAO_SHA256_LEN])
{
    struct baod_pg_param params[] = {
        baod_pg_p_text(bao_str_c(name)),
        baod_pg_p_bytea((struct bao_str){(const char *)hash, BAO_SHA256_LEN}),
    };

    return run(s,
               "INSERT INTO baocao.epoch AS e (name, value, sha256) VALUES ($1, 1, $2)"
               "    ON CONFLICT (name) DO UPDATE SET value = e.value + 1, sha256 = excluded.sha256",
               params, BAO_COUNT(params), NULL);
}

/* One leaf: what the files were, and what became of the obligations. */
static int make_leaf(const struct sync *s, struct bao_hash *ret)
{
    char registry[2 * BAO_SHA256_LEN + 1], forms[2 * BAO_SHA256_LEN + 1], text[512];
    int n;

    bao_hex(s->registry, BAO_SHA256_LEN, registry);
    bao_hex(s->forms, BAO_SHA256_LEN, forms);
    n = snprintf(text, sizeof(text),
                 "baocao-files 1\nregistry %s\nforms %s\nmade %lld\nmoved %lld\ndropped %lld\n", registry,
                 forms, (long long)s->changes.made, (long long)s->changes.moved,
                 (long long)s->changes.dropped);
    if (n < 0 || n >= (int)sizeof(text))
        return -EINVAL;
    bao_merkle_leaf((struct bao_str){text, (size_t)n}, ret);
    return 0;
}

static int write_audit(struct sync *s)
{
    uint8_t pub[BAO_ED25519_KEY_LEN];
    struct bao_hash leaf;
    struct bao_batch row = {.province = s->snapshot->registry.province,
                            .node = bao_str_c(s->options->node),
                            .seq = s->seq,
                            .at = s->at,
                            .n = 1};
    int r = make_leaf(s, &leaf);

    bao_ed25519_public(s->options->seed, pub);
    bao_merkle_root(&leaf, 1, &row.root);
    if (r == 0 && s->head.seq != 0)
        r = bao_batch_hash(&s->head, &row.previous);
    if (r == 0)
        r = bao_batch_sign(&row, s->options->seed, pub);
    if (r == 0) {
        struct baod_pg_param params[] = {
            baod_pg_p_int8(&s->arena, row.seq),
            baod_pg_p_text(row.node),
            baod_pg_p_time(&s->arena, row.at),
            baod_pg_p_bytea((struct bao_str){(const char *)row.root.octets, sizeof(row.root.octets)}),
            baod_pg_p_bytea((struct bao_str){(const char *)row.previous.octets, sizeof(row.previous.octets)}),
            baod_pg_p_bytea((struct bao_str){(const char *)pub, sizeof(pub)}),
            baod_pg_p_bytea((struct bao_str){(const char *)row.signature, sizeof(row.signature)}),
            baod_pg_p_bytea((struct bao_str){(const char *)leaf.octets, sizeof(leaf.octets)}),
        };

        r = run(s,
                "INSERT INTO baocao.audit (seq, node, at, n, root, prev, public_key, signature, leaves)"
                " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8)",
                params, BAO_COUNT(params), NULL);
    }
    return r;
}

static int finish(struct sync *s)
{
    const struct baod_sync_changes *c = &s->changes;
    int r = 0;

    if (s->members_changed)
        r = run_all(s, REMAKE_ROLLUPS, BAO_COUNT(REMAKE_ROLLUPS), NULL);
    if (r == 0 && s->registry_differs)
        r = write_epoch(s, "registry", s->registry);
    if (r == 0 && s->forms_differ)
        r = write_epoch(s, "forms", s->forms);
    if (r == 0 && (s->registry_differs || s->forms_differ || c->made + c->moved + c->dropped != 0))
        r = write_audit(s);
    return r;
}

static bool is_preview(const struct sync *s)
{
    return s->options->report != NULL && s->options->report->preview;
}

static int do_all(struct sync *s, struct baod_dictionary **ret)
{
    int r = lock(s);

    if (r == 0)
        r = compare(s);
    if (r == 0)
        r = read_head(s);
    if (r == 0)
        r = stage_batch(s);
    if (r == 0 && s->options->report != NULL)
        r = complain(s, baod_sync_report_before(s->call));
    if (r == 0 && s->registry_differs)
        r = write_registry(s);
    if (r == 0 && s->forms_differ)
        r = write_forms(s);
    if (r == 0 && (s->registry_differs || s->forms_differ))
        r = write_targets(s);
    if (r == 0)
        r = write_obligations(s);
    if (r == 0)
        r = finish(s);
    if (r == 0 && s->options->report != NULL)
        r = complain(s, baod_sync_report_after(s->call, s->seq, s->options->report));
    if (r == 0 && !is_preview(s) && (s->registry_differs || s->forms_differ))
        r = run(s,
                "ANALYZE baocao.unit, baocao.scope_unit, baocao.period, baocao.indicator, baocao.obligation",
                NULL, 0, NULL); /* autovacuum would come a minute later, and plans are made at once */
    if (r == 0 && !is_preview(s))
        r = complain(s, baod_dictionary_read(s->call, s->snapshot, ret));
    return r;
}

int baod_sync(struct baod_pg_call *call, const struct baod_snapshot *snapshot,
              const struct baod_sync_options *options, struct bao_buf *why,
              struct baod_sync_changes *ret_changes, struct baod_dictionary **ret)
{
    struct sync s = {.call = call, .snapshot = snapshot, .options = options, .why = why};
    struct baod_dictionary *dictionary = NULL;
    int r;

    bao_arena_init(&s.arena, ROWS_MAX);
    r = do_all(&s, &dictionary);
    if (r == 0 && !is_preview(&s))
        r = run(&s, "COMMIT", NULL, 0, NULL);
    else
        (void)run(&s, "ROLLBACK", NULL, 0, NULL); /* the first failure is the one to tell */
    if (r == 0 && bao_buf_append_str(why, s.moves) < 0)
        bao_buf_clear(why); /* they moved all the same */
    bao_arena_deinit(&s.arena);
    if (r != 0) {
        baod_dictionary_free(dictionary);
        return r;
    }
    s.changes.registry = s.registry_differs;
    s.changes.forms = s.forms_differ;
    *ret_changes = s.changes;
    *ret = dictionary;
    return 0;
}
