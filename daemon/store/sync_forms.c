#include "daemon/store/pgcall.h"
#include "daemon/store/sync_parts.h"
#include "daemon/store/sync_report.h"
#include "daemon/store/sync_rows.h"

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
    "UPDATE baocao.form f SET seq_to = (SELECT seq FROM pg_temp.sync_batch) WHERE f.seq_to = " BAOD_SYNC_OPEN
    "   AND NOT EXISTS (SELECT FROM new_form k WHERE k.form = f.form AND k.version = f.version AND k.sha256 "
    "= f.sha256)",
    "INSERT INTO baocao.form (form, version, id, title_vi, title_en, programme, period_type, effective_from,"
    "                         effective_to, sha256, source, seq_from)"
    " SELECT k.form, k.version, k.id, k.title_vi, k.title_en, k.programme, k.period_type, k.effective_from,"
    "        k.effective_to, k.sha256, k.source, b.seq FROM new_form k, pg_temp.sync_batch b"
    "  WHERE NOT EXISTS (SELECT FROM baocao.form f WHERE f.form = k.form AND f.version = k.version"
    "                       AND f.seq_to = " BAOD_SYNC_OPEN ")",
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

static int refuse_conflict(struct sync *s)
{
    const struct baod_pg_result *rows;
    struct bao_str words[4];
    int r = baod_sync_run(s, FIND_CONFLICT, NULL, 0, &rows);

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
    baod_sync_tell_conflict(
        s, BAO_VI,
        "Biểu mẫu %1: %3 của chỉ tiêu %2 khác với các phiên bản khác mà số liệu đã lưu dựa vào; "
        "hãy đặt mã mới "
        "cho chỉ tiêu này.",
        words);
    baod_sync_tell_conflict(
        s, BAO_EN,
        "Form %1: %3 of indicator %2 is not what other versions say, and stored figures stand by "
        "it; give the "
        "indicator a new code.",
        words);
    return r < 0 ? r : BAOD_SYNC_E_CONFLICT;
}

int baod_sync_stage_forms(struct sync *s)
{
    int r = baod_sync_stage(s, STAGE_FORMS, make_forms, s->snapshot);

    if (r == 0)
        r = baod_sync_stage(s, STAGE_INDICATORS, make_indicators, s->snapshot);
    return r == 0 ? refuse_conflict(s) : r;
}

int baod_sync_write_forms(struct sync *s)
{
    int r = baod_sync_run_all(s, WRITE_FORMS, BAO_COUNT(WRITE_FORMS), NULL);

    return r == 0 ? baod_sync_run_all(s, WRITE_INDICATORS, BAO_COUNT(WRITE_INDICATORS), NULL) : r;
}

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

int baod_sync_write_targets(struct sync *s)
{
    int r = baod_sync_stage(s, STAGE_TARGETS, make_targets, s->snapshot);

    return r == 0 ? baod_sync_run_all(s, WRITE_TARGETS, BAO_COUNT(WRITE_TARGETS), NULL) : r;
}

int baod_sync_hash_forms(struct sync *s, uint8_t ret[BAO_SHA256_LEN])
{
    static baod_sync_rows *const rows[] = {make_forms, make_indicators};

    return baod_sync_hash(s, rows, BAO_COUNT(rows), ret);
}
