#include "daemon/store/pgcall.h"
#include "daemon/store/sync_parts.h"
#include "daemon/store/sync_rows.h"

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

static int make_targets(struct bao_buf *out, const void *snapshot)
{
    return baod_rows_targets(out, snapshot);
}

static const char STAGE_UNITS[] =
    "CREATE TEMP TABLE new_unit ON COMMIT DROP AS"
    " SELECT k.*, coalesce(u.unit, (SELECT coalesce(max(unit), 0) FROM baocao.unit)"
    "                     + dense_rank() OVER (PARTITION BY u.unit IS NULL ORDER BY k.code))::int4 AS unit"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(code text, kind text, name_vi text, name_en text, from_day date, to_day date, groups text[])"
    "   LEFT JOIN (SELECT DISTINCT code, unit FROM baocao.unit) u USING (code)";

static const char *const WRITE_UNITS[] = {
    "UPDATE baocao.unit u SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE u.seq_to = " BAOD_SYNC_OPEN
    "   AND NOT EXISTS (SELECT FROM new_unit k WHERE (k.unit, k.kind, k.name_vi, k.name_en, k.from_day, "
    "k.to_day,"
    "       k.groups) = (u.unit, u.kind, u.name_vi, u.name_en, u.from_day, u.to_day, u.groups))",
    "INSERT INTO baocao.unit (unit, code, kind, name_vi, name_en, from_day, to_day, groups, seq_from)"
    " SELECT k.unit, k.code, k.kind, k.name_vi, k.name_en, k.from_day, k.to_day, k.groups, b.seq"
    "   FROM new_unit k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.unit u WHERE u.unit = k.unit AND u.from_day = k.from_day"
    "                       AND u.seq_to = " BAOD_SYNC_OPEN ")",
};

static const char STAGE_SUCCESSIONS[] =
    "CREATE TEMP TABLE new_succession ON COMMIT DROP AS"
    " SELECT DISTINCT u.unit, p.unit AS predecessor, k.from_day, k.share FROM pg_temp.sync_rows, "
    "jsonb_to_recordset(rows)"
    "        k(code text, predecessor text, from_day date, share numeric)"
    "   JOIN new_unit u ON u.code = k.code JOIN new_unit p ON p.code = k.predecessor";

static const char *const WRITE_SUCCESSIONS[] = {
    "UPDATE baocao.unit_succession u SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE u.seq_to "
    "= " BAOD_SYNC_OPEN
    "   AND NOT EXISTS (SELECT FROM new_succession k WHERE (k.unit, k.predecessor, k.from_day)"
    "       = (u.unit, u.predecessor, u.from_day) AND k.share IS NOT DISTINCT FROM u.share)",
    "INSERT INTO baocao.unit_succession (unit, predecessor, from_day, share, seq_from)"
    " SELECT k.unit, k.predecessor, k.from_day, k.share, b.seq FROM new_succession k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.unit_succession u WHERE (u.unit, u.predecessor, u.from_day)"
    "        = (k.unit, k.predecessor, k.from_day) AND u.seq_to = " BAOD_SYNC_OPEN ")",
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

/* Whose memberships change, and how: windows that end, and windows that begin to be told. */
static const char *const COMPARE_MEMBERS[] = {
    "ANALYZE new_unit",
    "CREATE INDEX ON new_member (unit)",
    "ANALYZE new_member",
    "CREATE TEMP TABLE sync_member ON COMMIT DROP AS"
    " WITH open AS (SELECT scope, unit, from_day, to_day FROM baocao.scope_unit WHERE seq_to "
    "= " BAOD_SYNC_OPEN "),"
    "      new AS (SELECT scope, unit, from_day, to_day FROM new_member)"
    " SELECT true AS is_new, x.* FROM (TABLE new EXCEPT TABLE open) x"
    " UNION ALL SELECT false, x.* FROM (TABLE open EXCEPT TABLE new) x",
    "ANALYZE sync_member",
};

static const char *const WRITE_MEMBERS[] = {
    "UPDATE baocao.scope_unit u SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE u.seq_to "
    "= " BAOD_SYNC_OPEN
    "   AND NOT EXISTS (SELECT FROM new_member k WHERE (k.scope, k.unit, k.from_day, k.to_day)"
    "                                                = (u.scope, u.unit, u.from_day, u.to_day))",
    "INSERT INTO baocao.scope_unit (scope, unit, from_day, to_day, seq_from)"
    " SELECT k.scope, k.unit, k.from_day, k.to_day, b.seq FROM new_member k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.scope_unit u WHERE (u.scope, u.unit, u.from_day)"
    "        = (k.scope, k.unit, k.from_day) AND u.seq_to = " BAOD_SYNC_OPEN ")",
};

int baod_sync_stage_registry(struct sync *s)
{
    int r = baod_sync_stage(s, STAGE_UNITS, make_units, s->snapshot);

    if (r == 0)
        r = baod_sync_stage(s, STAGE_SUCCESSIONS, make_successions, s->snapshot);
    if (r == 0)
        r = baod_sync_stage(s, STAGE_SCOPES, make_scopes, s->snapshot);
    if (r == 0)
        r = baod_sync_stage(s, STAGE_MEMBERS, make_members, s->snapshot);
    return r == 0 ? baod_sync_run_all(s, COMPARE_MEMBERS, BAO_COUNT(COMPARE_MEMBERS), NULL) : r;
}

int baod_sync_write_registry(struct sync *s)
{
    int r = baod_sync_run_all(s, WRITE_UNITS, BAO_COUNT(WRITE_UNITS), NULL);

    if (r == 0)
        r = baod_sync_run_all(s, WRITE_SUCCESSIONS, BAO_COUNT(WRITE_SUCCESSIONS), NULL);
    if (r == 0)
        r = baod_sync_run_all(s, WRITE_SCOPES, BAO_COUNT(WRITE_SCOPES), NULL);
    if (r == 0)
        r = baod_sync_run_all(s, WRITE_MEMBERS, BAO_COUNT(WRITE_MEMBERS), NULL);
    return r;
}

/* The targets count among the registry: they say what is expected of scopes and units. */
int baod_sync_hash_registry(struct sync *s, uint8_t ret[BAO_SHA256_LEN])
{
    static baod_sync_rows *const rows[] = {make_units, make_successions, make_scopes, make_members,
                                           make_targets};

    return baod_sync_hash(s, rows, BAO_COUNT(rows), ret);
}
