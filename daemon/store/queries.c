#include "daemon/store/queries.h"
#include "daemon/ops/log.h"
#include "daemon/store/extremes.h"
#include "daemon/store/pg.h"
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

/* What becomes of the statement's rows. */
enum shape { PLAIN, SPANS, TRENDS, EXTREMES };

struct question {
    struct baod_pg_statement statement;
    const struct baod_column *columns;
    size_t n_columns;
    uint8_t shape;  /* enum shape */
    bool has_today; /* the statement takes today's date as its last parameter; of spans all do */
    bool has_as_of; /* ... or the moment that is asked about */
};

enum { ROLLUP_LEAST = 11, ROLLUP_COLUMNS = 16 };

/* One question under way. */
struct asked {
    struct bao_arena arena;
    struct baod_queries *q;
    struct baod_pg *pg;
    const struct question *question;
    struct baod_pg_param params[PARAMS_MAX];
    struct bao_period span; /* of spans */
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

/* ------------------------------------------------------------------ the questions */

/* Every statement takes the same six filters: form, period, scope, unit, indicator, limit; null = any.
 * Numbers come as text, so that they stay exact. */
#define ANY(column, place) "(" place "::text IS NULL OR " column " = " place ")"

/* Is the unit (a code) a member of the scope on the period's last day? The members are listed once a
 * question; asked row by row it took most of the time. */
#define IN_SCOPE(unit, form, period, place)                                                                  \
    "(" place "::text IS NULL OR (" form ", " period ", " unit ") IN ("                                      \
    "SELECT w.id, w.label, n.code FROM baocao.scope s"                                                       \
    "  JOIN baocao.scope_unit m ON m.scope = s.scope AND m.seq_to = 9223372036854775807"                     \
    "  JOIN baocao.unit n ON n.unit = m.unit"                                                                \
    "  JOIN baocao.form_period w ON w.to_day BETWEEN m.from_day AND m.to_day AND " ANY(                      \
        "w.id", "$1") " AND " ANY("w.label", "$2") " WHERE s.id = " place "))"

static const struct baod_column rollup_columns[] = {
    {"form", BAOD_CELL_TEXT},      {"period", BAOD_CELL_TEXT},   {"period_from", BAOD_CELL_DATE},
    {"period_to", BAOD_CELL_DATE}, {"scope", BAOD_CELL_TEXT},    {"scope_vi", BAOD_CELL_TEXT},
    {"indicator", BAOD_CELL_TEXT}, {"label_vi", BAOD_CELL_TEXT}, {"label_en", BAOD_CELL_TEXT},
    {"measure", BAOD_CELL_TEXT},   {"value", BAOD_CELL_NUMBER},  {"min", BAOD_CELL_NUMBER},
    {"max", BAOD_CELL_NUMBER},     {"reported", BAOD_CELL_INT},  {"owed", BAOD_CELL_INT},
    {"target", BAOD_CELL_NUMBER},
};

static const struct baod_column status_columns[] = {
    {"form", BAOD_CELL_TEXT},   {"period", BAOD_CELL_TEXT}, {"scope", BAOD_CELL_TEXT},
    {"owed", BAOD_CELL_INT},    {"pending", BAOD_CELL_INT}, {"overdue", BAOD_CELL_INT},
    {"on_time", BAOD_CELL_INT}, {"late", BAOD_CELL_INT},    {"exempt", BAOD_CELL_INT},
    {"final", BAOD_CELL_INT},
};

static const struct baod_column rate_columns[] = {
    {"form", BAOD_CELL_TEXT},        {"period", BAOD_CELL_TEXT},        {"scope", BAOD_CELL_TEXT},
    {"rate", BAOD_CELL_TEXT},        {"label_vi", BAOD_CELL_TEXT},      {"label_en", BAOD_CELL_TEXT},
    {"numerator", BAOD_CELL_NUMBER}, {"denominator", BAOD_CELL_NUMBER}, {"value", BAOD_CELL_NUMBER},
    {"percent", BAOD_CELL_BOOL},     {"reported", BAOD_CELL_INT},       {"owed", BAOD_CELL_INT},
};

static const struct baod_column missing_columns[] = {
    {"form", BAOD_CELL_TEXT},         {"period", BAOD_CELL_TEXT},      {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT},      {"kind", BAOD_CELL_TEXT},        {"due_at", BAOD_CELL_TIME},
    {"hours_late", BAOD_CELL_NUMBER}, {"extended_to", BAOD_CELL_TIME}, {"heir", BAOD_CELL_TEXT},
    {"heir_vi", BAOD_CELL_TEXT},
};

static const struct baod_column report_columns[] = {
    {"form", BAOD_CELL_TEXT},         {"version", BAOD_CELL_INT},      {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT},      {"kind", BAOD_CELL_TEXT},        {"period", BAOD_CELL_TEXT},
    {"revision", BAOD_CELL_INT},      {"received_at", BAOD_CELL_TIME}, {"due_at", BAOD_CELL_TIME},
    {"state", BAOD_CELL_TEXT},        {"receipt", BAOD_CELL_TEXT},     {"warnings", BAOD_CELL_JSON},
    {"explanations", BAOD_CELL_JSON},
};

static const struct baod_column value_columns[] = {
    {"form", BAOD_CELL_TEXT},      {"version", BAOD_CELL_INT},   {"unit", BAOD_CELL_TEXT},
    {"kind", BAOD_CELL_TEXT},      {"period", BAOD_CELL_TEXT},   {"revision", BAOD_CELL_INT},
    {"indicator", BAOD_CELL_TEXT}, {"label_vi", BAOD_CELL_TEXT}, {"measure", BAOD_CELL_TEXT},
    {"value", BAOD_CELL_NUMBER},
};

static const struct baod_column form_columns[] = {
    {"form", BAOD_CELL_TEXT},           {"version", BAOD_CELL_INT},       {"programme", BAOD_CELL_TEXT},
    {"title_vi", BAOD_CELL_TEXT},       {"title_en", BAOD_CELL_TEXT},     {"period_type", BAOD_CELL_TEXT},
    {"effective_from", BAOD_CELL_DATE}, {"effective_to", BAOD_CELL_DATE},
};

static const struct baod_column unit_columns[] = {
    {"unit", BAOD_CELL_TEXT},    {"kind", BAOD_CELL_TEXT},       {"name_vi", BAOD_CELL_TEXT},
    {"name_en", BAOD_CELL_TEXT}, {"valid_from", BAOD_CELL_DATE}, {"valid_to", BAOD_CELL_DATE},
    {"groups", BAOD_CELL_JSON},  {"heir", BAOD_CELL_TEXT},       {"heir_vi", BAOD_CELL_TEXT},
};

static const struct baod_column indicator_columns[] = {
    {"form", BAOD_CELL_TEXT},          {"indicator", BAOD_CELL_TEXT},   {"label_vi", BAOD_CELL_TEXT},
    {"label_en", BAOD_CELL_TEXT},      {"measure", BAOD_CELL_TEXT},     {"decimals", BAOD_CELL_INT},
    {"over_units", BAOD_CELL_TEXT},    {"over_time", BAOD_CELL_TEXT},   {"ratio", BAOD_CELL_BOOL},
    {"percent", BAOD_CELL_BOOL},       {"direction", BAOD_CELL_INT},    {"alert_below", BAOD_CELL_NUMBER},
    {"alert_above", BAOD_CELL_NUMBER}, {"version_from", BAOD_CELL_INT}, {"version_to", BAOD_CELL_INT},
};

static const struct baod_column alert_columns[] = {
    {"form", BAOD_CELL_TEXT},    {"period", BAOD_CELL_TEXT},    {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT}, {"indicator", BAOD_CELL_TEXT}, {"kind", BAOD_CELL_TEXT},
    {"at", BAOD_CELL_TIME},      {"value", BAOD_CELL_NUMBER},   {"expected", BAOD_CELL_NUMBER},
    {"text_vi", BAOD_CELL_TEXT}, {"text_en", BAOD_CELL_TEXT},   {"state", BAOD_CELL_TEXT},
    {"note", BAOD_CELL_TEXT},
};

static const struct baod_column refusal_columns[] = {
    {"unit", BAOD_CELL_TEXT},   {"name_vi", BAOD_CELL_TEXT},  {"at", BAOD_CELL_TIME},
    {"form", BAOD_CELL_TEXT},   {"period", BAOD_CELL_TEXT},   {"revision", BAOD_CELL_INT},
    {"symbol", BAOD_CELL_TEXT}, {"findings", BAOD_CELL_JSON}, {"batch", BAOD_CELL_INT},
};

static const struct baod_column shared_columns[] = {
    {"form", BAOD_CELL_TEXT},      {"period", BAOD_CELL_TEXT},   {"period_from", BAOD_CELL_DATE},
    {"period_to", BAOD_CELL_DATE}, {"scope", BAOD_CELL_TEXT},    {"scope_vi", BAOD_CELL_TEXT},
    {"indicator", BAOD_CELL_TEXT}, {"label_vi", BAOD_CELL_TEXT}, {"label_en", BAOD_CELL_TEXT},
    {"measure", BAOD_CELL_TEXT},   {"value", BAOD_CELL_NUMBER},  {"reported", BAOD_CELL_INT},
    {"owed", BAOD_CELL_INT},       {"forms", BAOD_CELL_JSON},    {"contradictions", BAOD_CELL_INT},
};

/* Of each figure that several forms ask for: every form's windows that are one; of each unit one answer, that
 * of the form named by same_as before another's. */
static const char shared_sql[] =
    "WITH part AS MATERIALIZED ("
    "  SELECT b.form AS base, j.slot AS base_slot, a.form, i.slot, i.decimals, a.form <> b.form AS other"
    "    FROM baocao.indicator k"
    "    JOIN baocao.form_name b ON b.id = split_part(k.same_as, '/', 1)"
    "    JOIN baocao.indicator j ON j.form = b.form AND j.code = split_part(k.same_as, '/', 2)"
    "                           AND j.over_units = 'sum' AND j.slot_to IS NULL"
    "    JOIN baocao.indicator i ON (i.form = k.form AND i.slot = k.slot) OR (i.form = j.form AND i.slot = "
    "j.slot)"
    "    JOIN baocao.form_name a ON a.form = i.form"
    "   WHERE " ANY("b.id", "$1") " AND " ANY(
        "j.code",
        "$5") "   GROUP BY 1, 2, 3, 4, 5, 6),"
              "w AS MATERIALIZED ("
              "  SELECT DISTINCT p.base, p.base_slot, v.period AS base_period, v.id, v.label, v.from_day, "
              "v.to_day, p.form,"
              "         p.slot, p.decimals, p.other, x.period, x.id AS form_id"
              "    FROM part p JOIN baocao.form_period v ON v.form = p.base AND " ANY(
                  "v.label",
                  "$2") "    JOIN baocao.form_period x ON x.form = p.form AND x.from_day = v.from_day AND "
                        "x.to_day = v.to_day),"
                        "owed AS (SELECT w.base, w.base_slot, w.base_period, m.scope, count(DISTINCT o.unit) "
                        "AS n"
                        "    FROM w JOIN baocao.obligation o ON o.form = w.form AND o.period = w.period"
                        "    JOIN baocao.scope_unit m ON m.unit = o.unit AND m.seq_to = 9223372036854775807"
                        "                            AND w.to_day BETWEEN m.from_day AND m.to_day GROUP BY "
                        "1, 2, 3, 4),"
                        "answer AS MATERIALIZED ("
                        "  SELECT w.base, w.base_slot, w.base_period, w.to_day, q.unit,"
                        "         (array_agg(f.value ORDER BY w.other, w.form_id))[1] AS value, min(f.value) "
                        "<> max(f.value) AS differ"
                        "    FROM w JOIN baocao.report q ON q.form = w.form AND q.period = w.period AND "
                        "q.state = 1"
                        "    CROSS JOIN LATERAL (SELECT baocao.figure(q.figures[w.slot], w.decimals, NULL, "
                        "NULL, false) AS value) f"
                        "   WHERE f.value IS NOT NULL GROUP BY 1, 2, 3, 4, 5),"
                        "total AS (SELECT a.base, a.base_slot, a.base_period, m.scope, sum(a.value) AS "
                        "value, count(*) AS n,"
                        "         count(*) FILTER (WHERE a.differ) AS differ"
                        "    FROM answer a JOIN baocao.scope_unit m ON m.unit = a.unit AND m.seq_to = "
                        "9223372036854775807"
                        "                                          AND a.to_day BETWEEN m.from_day AND "
                        "m.to_day GROUP BY 1, 2, 3, 4) "
                        "SELECT w.id, w.label, w.from_day, w.to_day, s.id, s.name_vi, j.code, j.label_vi, "
                        "j.label_en, j.measure_vi,"
                        "       trim_scale(t.value)::text, coalesce(t.n, 0)::int8, o.n::int8,"
                        "       to_json(array_agg(w.form_id ORDER BY w.other, w.form_id))::text, "
                        "coalesce(t.differ, 0)::int8"
                        "  FROM w JOIN owed o USING (base, base_slot, base_period)"
                        "  JOIN baocao.scope s ON s.scope = o.scope"
                        "  JOIN baocao.indicator j ON j.form = w.base AND j.slot = w.base_slot"
                        "  LEFT JOIN total t ON t.base = w.base AND t.base_slot = w.base_slot AND "
                        "t.base_period = w.base_period"
                        "                   AND t.scope = o.scope"
                        " WHERE " ANY("s.id", "$3") " AND $4::text IS NULL"
                                                    " GROUP BY w.id, w.label, w.from_day, w.to_day, s.id, "
                                                    "s.name_vi, j.slot, j.code, j.label_vi, j.label_en,"
                                                    "          j.measure_vi, t.value, t.n, o.n, t.differ"
                                                    " ORDER BY w.id, w.to_day, s.id, j.slot LIMIT $6";

/* As reports, by the unit that stands for it today; reported_as is the unit that sent it. */
static const struct baod_column report_today_columns[] = {
    {"form", BAOD_CELL_TEXT},         {"version", BAOD_CELL_INT},      {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT},      {"kind", BAOD_CELL_TEXT},        {"period", BAOD_CELL_TEXT},
    {"revision", BAOD_CELL_INT},      {"received_at", BAOD_CELL_TIME}, {"due_at", BAOD_CELL_TIME},
    {"state", BAOD_CELL_TEXT},        {"receipt", BAOD_CELL_TEXT},     {"warnings", BAOD_CELL_JSON},
    {"explanations", BAOD_CELL_JSON}, {"reported_as", BAOD_CELL_TEXT}, {"estimated", BAOD_CELL_BOOL},
};

/* The figures of single periods in the order of enum baod_cells_column. $2 is a year here, as text: that year
 * and the one before; sums are decimals written with an exponent, so that they stay exact. */
#define CELLS_WINDOW                                                                                         \
    "WITH w AS MATERIALIZED (SELECT * FROM baocao.form_period p WHERE " ANY(                                 \
        "p.id", "$1") "   AND ($2::text IS NULL OR p.period / 10000 BETWEEN $2::int4 - 1 AND $2::int4)), "
#define CELLS_SCOPE(column)                                                                                  \
    "($3::text IS NULL OR " column " = (SELECT scope FROM baocao.scope WHERE id = $3)) "
#define CELLS_HEAD                                                                                           \
    "SELECT w.id, s.id, s.name_vi, i.code, i.label_vi, i.label_en, i.measure_vi, i.over_time,"               \
    "       i.slot_to IS NOT NULL, i.percent, i.over_units = 'sum', i.direction::int8, w.period::int8,"      \
    "       w.from_day, w.to_day, "
#define CELLS_TARGET                                                                                         \
    "       (SELECT t.value::text FROM baocao.target t"                                                      \
    "         WHERE t.form = w.form AND t.code = i.code AND t.year = w.period / 10000 AND t.unit = 0"        \
    "           AND t.scope IN (0, s.scope) ORDER BY t.scope DESC LIMIT 1), "
#define CELLS_JOIN                                                                                           \
    "  FROM w JOIN o ON o.form = w.form AND o.period = w.period"                                             \
    "  JOIN baocao.scope s ON s.scope = o.scope"                                                             \
    "  JOIN baocao.indicator i ON i.form = w.form"                                                           \
    "                         AND (w.version IS NULL OR w.version BETWEEN i.version_from AND i.version_to)"  \
    "                         AND " ANY("i.code", "$5") "   AND $4::text IS NULL AND $6::int8 > 0"
#define CELLS_ORDER " ORDER BY w.id, s.id, i.slot, w.to_day, w.period LIMIT 2000000"

#define CELLS_OWED                                                                                           \
    "o AS MATERIALIZED (SELECT w.form, w.period, m.scope, count(*) AS owed"                                  \
    "  FROM w JOIN baocao.obligation o ON o.form = w.form AND o.period = w.period"                           \
    "  JOIN baocao.scope_unit m ON m.unit = o.unit AND m.seq_to = 9223372036854775807"                       \
    "                          AND w.to_day BETWEEN m.from_day AND m.to_day"                                 \
    " WHERE " CELLS_SCOPE("m.scope") "GROUP BY w.form, w.period, m.scope) "
#define CELLS_FIGURES                                                                                        \
    "coalesce(r.counts[i.slot], 0)::int8, o.owed::int8, r.sums[i.slot]::text || 'e-' || i.decimals,"         \
    "       r.sums[i.slot_to]::text || 'e-' || i.decimals_to," CELLS_TARGET "false"
#define CELLS_ROLLUP                                                                                         \
    CELLS_JOIN                                                                                               \
    "  LEFT JOIN baocao.rollup r ON r.scope = o.scope AND r.form = w.form AND r.period = w.period"

/* Over the periods $8 that tile a span: what each unit comes to there (its flows added, stocks of the scope's
 * latest period with a report), then the least, the most and the median of the units. f gives the figures. */
#define SPREAD                                                                                               \
    ", l AS (SELECT form, scope, slot, max(to_day) AS last FROM f GROUP BY 1, 2, 3)"                         \
    ", v AS (SELECT f.form, f.scope, f.slot, f.unit, sum(f.of) AS of, sum(f.to) AS to"                       \
    " FROM f JOIN l USING (form, scope, slot) WHERE f.over_time = 'sum' OR f.to_day = l.last"                \
    " GROUP BY 1, 2, 3, 4)"                                                                                  \
    ", g AS (SELECT v.form, v.scope, v.slot, array_agg(y.value ORDER BY y.value) AS u, count(*)::int4 AS n"  \
    " FROM v JOIN baocao.indicator i ON i.form = v.form AND i.slot = v.slot CROSS JOIN LATERAL ("            \
    " SELECT CASE WHEN i.slot_to IS NULL THEN v.of * ('1e-' || i.decimals)::numeric"                         \
    " WHEN v.to <> 0 THEN round(v.of * ('1e' || i.decimals_to)::numeric"                                     \
    " * CASE WHEN i.percent THEN 100 ELSE 1 END"                                                             \
    " / (v.to * ('1e' || i.decimals)::numeric), 6) END AS value"                                             \
    " ) y WHERE y.value IS NOT NULL GROUP BY 1, 2, 3)"                                                       \
    ", x AS MATERIALIZED (SELECT form, scope, jsonb_object_agg(slot, ARRAY[trim_scale(u[1])::text,"          \
    " trim_scale(u[n])::text, trim_scale((u[(n + 1) / 2] + u[(n + 2) / 2]) * 0.5)::text]) AS by_slot"        \
    " FROM g GROUP BY form, scope) "
#define SPREAD_COLUMNS                                                                                       \
    ", x.by_slot -> i.slot::text ->> 0, x.by_slot -> i.slot::text ->> 1, x.by_slot -> i.slot::text ->> 2"
#define SPREAD_JOIN " LEFT JOIN x ON x.form = w.form AND x.scope = o.scope"

static const char cells_sql[] = CELLS_WINDOW CELLS_OWED CELLS_HEAD CELLS_FIGURES CELLS_ROLLUP CELLS_ORDER;

static const char span_sql[] = CELLS_WINDOW CELLS_OWED
    ", f AS (SELECT w.form, m.scope, j.slot, j.over_time, w.to_day, q.unit, q.figures[j.slot] AS "
    "of,"
    "               q.figures[j.slot_to] AS to"
    "    FROM w JOIN baocao.report q ON q.form = w.form AND q.period = w.period AND q.state = 1"
    "    JOIN baocao.scope_unit m ON m.unit = q.unit AND m.seq_to = 9223372036854775807"
    "                            AND w.to_day BETWEEN m.from_day AND m.to_day"
    "    JOIN baocao.indicator j ON j.form = q.form AND q.figures[j.slot] IS NOT NULL AND " ANY(
        "j.code", "$5") "   WHERE w.period = ANY ($8::int4[]) AND $7::date IS NOT NULL "
                        "AND " CELLS_SCOPE("m.scope") ")" SPREAD CELLS_HEAD CELLS_FIGURES SPREAD_COLUMNS
                            CELLS_ROLLUP SPREAD_JOIN CELLS_ORDER;

/* Where each unit's figures of each period stand today. A unit that nobody took over stays in the scopes of
 * its last day. */
#define TODAY_PLACES                                                                                         \
    "place AS MATERIALIZED ("                                                                                \
    "SELECT d.to_day, x.unit, x.holder, x.share, x.estimated, x.main, m.scope"                               \
    "  FROM (SELECT DISTINCT to_day FROM w) d CROSS JOIN LATERAL baocao.crosswalk(d.to_day, $7::date) x"     \
    "  JOIN baocao.scope_unit m ON m.unit = x.holder AND m.seq_to = 9223372036854775807"                     \
    "                          AND x.on_day BETWEEN m.from_day AND m.to_day"                                 \
    " WHERE " CELLS_SCOPE("m.scope") ") "

/* Shares apportion a report's figures before they are added; owed counts what came into the scope. */
#define TODAY_CELLS                                                                                          \
    CELLS_WINDOW TODAY_PLACES                                                                                \
        ", o AS MATERIALIZED (SELECT w.form, w.period, a.scope, count(DISTINCT o.unit) AS owed"              \
        " FROM w JOIN baocao.obligation o ON o.form = w.form AND o.period = w.period"                        \
        " JOIN place a ON a.unit = o.unit AND a.to_day = w.to_day GROUP BY w.form, w.period, a.scope)"       \
        ", r AS MATERIALIZED (SELECT q.form, q.period, a.scope, j.slot, count(DISTINCT q.unit) AS reported," \
        " sum(q.figures[j.slot] * a.share) AS of, sum(q.figures[j.slot_to] * a.share) AS to,"                \
        " bool_or(a.estimated) AS estimated"                                                                 \
        " FROM w JOIN baocao.report q ON q.form = w.form AND q.period = w.period AND q.state = 1"            \
        " JOIN place a ON a.unit = q.unit AND a.to_day = w.to_day"                                           \
        " JOIN baocao.indicator j ON j.form = q.form AND q.figures[j.slot] IS NOT NULL AND " ANY(            \
            "j.code", "$5") " GROUP BY q.form, q.period, a.scope, j.slot) "
#define TODAY_FIGURES                                                                                        \
    "coalesce(r.reported, 0)::int8, o.owed::int8, r.of::text || 'e-' || i.decimals,"                         \
    " r.to::text || 'e-' || i.decimals_to," CELLS_TARGET "coalesce(r.estimated, false)"
#define TODAY_JOIN                                                                                           \
    CELLS_JOIN                                                                                               \
    " LEFT JOIN r ON r.form = w.form AND r.period = w.period AND r.scope = o.scope AND r.slot = i.slot"

static const char cells_today_sql[] = TODAY_CELLS CELLS_HEAD TODAY_FIGURES TODAY_JOIN CELLS_ORDER;

static const char span_today_sql[] =
    TODAY_CELLS ", f AS (SELECT w.form, a.scope, j.slot, j.over_time, w.to_day, a.holder AS unit,"
                " q.figures[j.slot] * a.share AS of, q.figures[j.slot_to] * a.share AS to"
                " FROM w JOIN baocao.report q ON q.form = w.form AND q.period = w.period AND q.state = 1"
                " JOIN place a ON a.unit = q.unit AND a.to_day = w.to_day"
                " JOIN baocao.indicator j ON j.form = q.form AND q.figures[j.slot] IS NOT NULL AND " ANY(
                    "j.code", "$5") " WHERE w.period = ANY ($8::int4[]))" SPREAD CELLS_HEAD TODAY_FIGURES
                    SPREAD_COLUMNS TODAY_JOIN SPREAD_JOIN CELLS_ORDER;

/* The periods asked for, of questions that name one. */
#define ONE_WINDOW                                                                                           \
    "WITH w AS MATERIALIZED (SELECT * FROM baocao.form_period p WHERE " ANY("p.id", "$1") " AND " ANY(       \
        "p.label", "$2") "), "

/* The figures of office.rollup by a faster way: units of the asked scopes first, then their reports by key,
 * so that the cost is that of the units asked about, whatever else is stored and however old its statistics
 * are (OFFSET 0 keeps the planner from turning a look-up around). */
static const char rollup_sql[] =
    "WITH p AS MATERIALIZED (SELECT * FROM baocao.form_period WHERE " ANY("id", "$1") " AND " ANY(
        "label",
        "$2") "),"
              " m AS MATERIALIZED ("
              "     SELECT p.form, p.period, s.scope, n.unit FROM p CROSS JOIN baocao.scope s"
              "       JOIN baocao.scope_unit n ON n.scope = s.scope AND n.seq_to = 9223372036854775807"
              "                               AND p.to_day BETWEEN n.from_day AND n.to_day"
              "      WHERE " ANY(
                  "s.id",
                  "$3") "),"
                        " o AS MATERIALIZED ("
                        "     SELECT m.form, m.period, m.scope, count(*) AS owed FROM m CROSS JOIN LATERAL ("
                        "            SELECT FROM baocao.obligation o WHERE o.unit = m.unit AND o.form = "
                        "m.form AND o.period = m.period"
                        "            OFFSET 0) o GROUP BY 1, 2, 3),"
                        " q AS MATERIALIZED ("
                        "     SELECT m.form, m.period, m.scope, q.figures FROM m CROSS JOIN LATERAL ("
                        "            SELECT r.figures FROM baocao.report r WHERE r.unit = m.unit AND r.form "
                        "= m.form"
                        "               AND r.period = m.period AND r.state = 1 OFFSET 0) q),"
                        " x AS MATERIALIZED ("
                        "     SELECT q.form, q.period, q.scope, v.slot, min(v.value) AS least, max(v.value) "
                        "AS most"
                        "       FROM q CROSS JOIN LATERAL unnest(q.figures) WITH ORDINALITY v(value, slot)"
                        "      WHERE v.value IS NOT NULL GROUP BY 1, 2, 3, 4) "
                        "SELECT p.id, p.label, p.from_day, p.to_day, s.id, s.name_vi, i.code, i.label_vi, "
                        "i.label_en, i.measure_vi,"
                        "       CASE WHEN i.over_units = 'sum' AND coalesce(r.counts[i.slot], 0) > 0"
                        "            THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], "
                        "i.decimals_to, i.percent) END::text,"
                        "       CASE WHEN i.slot_to IS NULL THEN baocao.figure(x.least, i.decimals, NULL, "
                        "NULL, false)"
                        "            ELSE y.least END::text,"
                        "       CASE WHEN i.slot_to IS NULL THEN baocao.figure(x.most, i.decimals, NULL, "
                        "NULL, false)"
                        "            ELSE y.most END::text,"
                        "       coalesce(r.counts[i.slot], 0)::int8, o.owed, "
                        "       (SELECT trim_scale(t.value)::text FROM baocao.target t"
                        "         WHERE t.form = p.form AND t.code = i.code AND t.year = p.period / 10000 "
                        "AND t.unit = 0"
                        "           AND t.scope IN (0, s.scope) ORDER BY t.scope DESC LIMIT 1)"
                        "  FROM o JOIN p USING (form, period) JOIN baocao.scope s USING (scope)"
                        "  JOIN baocao.indicator i ON i.form = o.form"
                        "                         AND (p.version IS NULL OR p.version BETWEEN i.version_from "
                        "AND i.version_to)"
                        "  LEFT JOIN baocao.rollup r ON r.scope = o.scope AND r.form = o.form AND r.period = "
                        "o.period"
                        "  LEFT JOIN x ON x.form = o.form AND x.period = o.period AND x.scope = o.scope AND "
                        "x.slot = i.slot"
                        "  LEFT JOIN LATERAL ("
                        "       SELECT min(f.value) AS least, max(f.value) AS most FROM q CROSS JOIN LATERAL "
                        "baocao.figure("
                        "              q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, "
                        "i.percent) f(value)"
                        "        WHERE i.slot_to IS NOT NULL AND q.form = o.form AND q.period = o.period AND "
                        "q.scope = o.scope) y ON true"
                        " WHERE $4::text IS NULL AND " ANY(
                            "i.code", "$5") " ORDER BY p.id, p.to_day, p.period, s.id, i.slot LIMIT $6";

/* The same of one form and period: each report's figures are handed over once, with the numbers g of the
 * scopes it belongs to, for extremes.c. */
#define ROLLUP_GROUPS(scope)                                                                                 \
    "WITH p AS MATERIALIZED (SELECT * FROM baocao.form_period WHERE id = $1 AND label = $2),"                \
    " k AS MATERIALIZED (SELECT row_number() OVER () AS g, p.form, p.period, p.to_day, s.scope"              \
    "     FROM p CROSS JOIN baocao.scope s WHERE " scope "),"                                                \
    " m AS MATERIALIZED (SELECT k.g, k.form, k.period, n.unit FROM k"                                        \
    "     JOIN baocao.scope_unit n ON n.scope = k.scope AND n.seq_to = 9223372036854775807"                  \
    "                             AND k.to_day BETWEEN n.from_day AND n.to_day),"                            \
    " w AS MATERIALIZED (SELECT m.form, m.period, m.unit, array_send(array_agg(m.g)) AS groups FROM m"       \
    "     GROUP BY 1, 2, 3),"
#define ROLLUP_ROWS                                                                                          \
    " SELECT t.*, CASE WHEN row_number() OVER () = 1 THEN (SELECT figures FROM f) END FROM ("                \
    " SELECT p.id, p.label, p.from_day, p.to_day, s.id AS scope, s.name_vi, i.code, i.label_vi, i.label_en," \
    "        i.measure_vi, CASE WHEN i.over_units = 'sum' AND coalesce(r.counts[i.slot], 0) > 0"             \
    "             THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], i.decimals_to,"          \
    "                                i.percent) END::text, NULL::text AS least, NULL::text AS most,"         \
    "        coalesce(r.counts[i.slot], 0)::int8, o.owed,"                                                   \
    "        (SELECT trim_scale(t.value)::text FROM baocao.target t"                                         \
    "          WHERE t.form = p.form AND t.code = i.code AND t.year = p.period / 10000 AND t.unit = 0"       \
    "            AND t.scope IN (0, s.scope) ORDER BY t.scope DESC LIMIT 1),"                                \
    "        k.g, i.slot::int8, i.slot_to::int8, i.decimals::int8, i.decimals_to::int8, i.percent"           \
    "   FROM o JOIN k USING (g) JOIN p USING (form, period) JOIN baocao.scope s USING (scope)"               \
    "   JOIN baocao.indicator i ON i.form = p.form"                                                          \
    "    AND (p.version IS NULL OR p.version BETWEEN i.version_from AND i.version_to) AND " ANY(             \
        "i.code",                                                                                            \
        "$5") "   LEFT JOIN baocao.rollup r ON r.scope = k.scope AND r.form = k.form AND r.period = "        \
              "k.period"                                                                                     \
              "  WHERE $4::text IS NULL ORDER BY p.id, p.to_day, p.period, s.id, i.slot LIMIT $6) t"

/* Of one scope: its units' reports by key. */
static const char rollup_one_sql[] =
    ROLLUP_GROUPS("s.id = $3") " o AS MATERIALIZED (SELECT m.g, count(*) AS owed FROM m CROSS JOIN LATERAL ("
                               "     SELECT FROM baocao.obligation o WHERE o.unit = m.unit AND o.form = "
                               "m.form AND o.period = m.period"
                               "     OFFSET 0) o GROUP BY 1),"
                               " f AS MATERIALIZED (SELECT string_agg(w.groups || array_send(r.figures), '') "
                               "AS figures FROM w"
                               "     CROSS JOIN LATERAL (SELECT r.figures FROM baocao.report r WHERE r.unit "
                               "= w.unit AND r.form = w.form"
                               "                            AND r.period = w.period AND r.state = 1 OFFSET "
                               "0) r)" ROLLUP_ROWS;

/* Of all scopes: whatever there is for the period, once. */
static const char rollup_period_sql[] = ROLLUP_GROUPS(
    "$3::text IS NULL") " o AS MATERIALIZED (SELECT m.g, count(*) AS owed FROM p CROSS JOIN LATERAL ("
                        "     SELECT o.unit, o.form, o.period FROM baocao.obligation o"
                        "      WHERE o.form = p.form AND o.period = p.period OFFSET 0) o"
                        "     JOIN m ON m.unit = o.unit AND m.form = o.form AND m.period = o.period GROUP BY "
                        "1),"
                        " f AS MATERIALIZED (SELECT string_agg(w.groups || array_send(r.figures), '') AS "
                        "figures FROM p"
                        "     CROSS JOIN LATERAL (SELECT r.unit, r.form, r.period, r.figures FROM "
                        "baocao.report r"
                        "                          WHERE r.form = p.form AND r.period = p.period AND r.state "
                        "= 1 OFFSET 0) r"
                        "     JOIN w ON w.unit = r.unit AND w.form = r.form AND w.period = "
                        "r.period)" ROLLUP_ROWS;

#include "daemon/store/as_of.inc"

enum {
    SPAN = BAOD_QUESTIONS,
    ROLLUP_ONE,
    ROLLUP_PERIOD,
    SPAN_TODAY,
    TREND_TODAY,
    STATUS_TODAY,
    REPORT_TODAY,
    ROLLUP_AT,
    STATUS_AT,
    MISSING_AT,
    REPORT_AT,
    STATEMENTS
};

static const struct question questions[STATEMENTS] = {
    [BAOD_ASK_ROLLUP] = {{"q_rollup", rollup_sql}, rollup_columns, BAO_COUNT(rollup_columns)},
    [ROLLUP_ONE] = {{"q_rollup_one", rollup_one_sql}, rollup_columns, BAO_COUNT(rollup_columns), EXTREMES},
    [ROLLUP_PERIOD] = {{"q_rollup_period", rollup_period_sql},
                       rollup_columns,
                       BAO_COUNT(rollup_columns),
                       EXTREMES},
    [BAOD_ASK_STATUS] =
        {{"q_status",
          "SELECT form, period, scope, owed::int8, pending::int8, overdue::int8, on_time::int8, late::int8, "
          "exempt::int8,"
          "       final::int8"
          "  FROM office.status WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "scope",
              "$3") "   AND $4::text IS NULL AND $5::text IS NULL ORDER BY form, period, scope LIMIT $6"},
         status_columns,
         BAO_COUNT(status_columns)},
    [BAOD_ASK_MISSING] =
        {{"q_missing",
          "SELECT form, period, unit, name_vi, kind, due_at, hours_late::text, extended_to, heir, "
          "heir_vi"
          "  FROM office.missing x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") "   AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                               "$3") "   AND $5::text IS NULL ORDER BY due_at, form, period, "
                                                     "unit LIMIT $6"},
         missing_columns,
         BAO_COUNT(missing_columns)},
    [BAOD_ASK_REPORT] =
        {{"q_report",
          "SELECT form, version::int8, unit, name_vi, kind, period, revision::int8, received_at, due_at, "
          "state,"
          "       receipt::text, warnings, explanations"
          "  FROM office.report x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") "   AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                               "$3") "   AND $5::text IS NULL ORDER BY form, period, unit, "
                                                     "revision LIMIT $6"},
         report_columns,
         BAO_COUNT(report_columns)},
    [BAOD_ASK_VALUE] =
        {{"q_value",
          "SELECT form, version::int8, unit, kind, period, revision::int8, indicator, label_vi, measure, "
          "value::text"
          "  FROM office.value x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") "   AND " ANY("indicator",
                                          "$5") " AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                                                 "$3") " ORDER BY form, period, unit, "
                                                                       "indicator LIMIT $6"},
         value_columns,
         BAO_COUNT(value_columns)},
    [BAOD_ASK_FORM] =
        {{"q_form",
          "SELECT id, version::int8, programme, title_vi, title_en,"
          "       (ARRAY['once', 'year', 'half', 'quarter', 'nine-months', 'month', 'week', "
          "'day'])[period_type + 1],"
          "       effective_from, CASE WHEN effective_to = 'infinity' THEN NULL ELSE effective_to END"
          "  FROM baocao.form WHERE seq_to = 9223372036854775807 AND " ANY(
              "id",
              "$1") "   AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL AND $5::text IS NULL"
                    " ORDER BY id, version LIMIT $6"},
         form_columns,
         BAO_COUNT(form_columns)},
    [BAOD_ASK_UNIT] =
        {{"q_unit",
          "SELECT unit, kind, name_vi, name_en, valid_from, valid_to, to_json(groups)::text, heir, heir_vi"
          /* Units that are no more are for those who ask for them by code or name. */
          "  FROM office.unit x WHERE (coalesce($4, $5) IS NOT NULL OR coalesce(valid_to >= baocao.today(), "
          "true)) AND " ANY(
              "unit",
              "$4") " AND $1::text IS NULL AND $2::text IS NULL"
                    "   AND ($5::text IS NULL OR unit = ANY (string_to_array($5, ',')))"
                    "   AND ($3::text IS NULL OR EXISTS ("
                    "        SELECT FROM baocao.scope s"
                    "          JOIN baocao.scope_unit m ON m.scope = s.scope AND m.seq_to = "
                    "9223372036854775807"
                    "          JOIN baocao.unit n ON n.unit = m.unit AND n.code = x.unit WHERE s.id = $3))"
                    " ORDER BY heir IS NOT NULL, unit, valid_from LIMIT $6"},
         unit_columns,
         BAO_COUNT(unit_columns)},
    [BAOD_ASK_INDICATOR] =
        {{"q_indicator",
          "SELECT form, indicator, label_vi, label_en, measure, decimals::int8, over_units, over_time, "
          "ratio, percent,"
          "       direction::int8, alert_below::text, alert_above::text, version_from::int8, version_to::int8"
          "  FROM office.indicator WHERE " ANY("form", "$1") " AND " ANY(
              "indicator", "$5") "   AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL ORDER BY "
                                 "form, indicator LIMIT $6"},
         indicator_columns,
         BAO_COUNT(indicator_columns)},
    [BAOD_ASK_ALERT] =
        {{"q_alert",
          "SELECT form, period, unit, name_vi, indicator, kind, at, value::text, expected::text, text_vi, "
          "text_en,"
          "       state, note"
          "  FROM office.alert x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit",
              "$4") "   AND " ANY("indicator",
                                  "$5") " AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                                         "$3") " ORDER BY at DESC, form, period, unit, "
                                                               "indicator LIMIT $6"},
         alert_columns,
         BAO_COUNT(alert_columns)},
    [BAOD_ASK_REFUSAL] =
        {{"q_refusal",
          "SELECT unit, name_vi, at, form, period, revision::int8, symbol, findings, batch"
          "  FROM office.refusal x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") " AND $3::text IS NULL AND $5::text IS NULL ORDER BY at DESC, unit LIMIT $6"},
         refusal_columns,
         BAO_COUNT(refusal_columns)},
#define AT(name, sql, columns)                                                                               \
    {                                                                                                        \
        {name, sql}, columns, BAO_COUNT(columns), PLAIN, false, true                                         \
    }
    [ROLLUP_AT] = AT("q_rollup_at", rollup_at_sql, rollup_columns),
    [STATUS_AT] = AT("q_status_at", status_at_sql, status_columns),
    [MISSING_AT] = AT("q_missing_at", missing_at_sql, missing_columns),
    [REPORT_AT] = AT("q_report_at", report_at_sql, report_columns),
    [BAOD_ASK_RATE] =
        {{"q_rate",
          "SELECT form, period, scope, rate, label_vi, label_en, numerator::text, denominator::text, "
          "value::text,"
          "       percent, reported::int8, owed::int8"
          "  FROM office.rate WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "scope",
              "$3") "   AND $4::text IS NULL AND " ANY("rate",
                                                       "$5") " ORDER BY form, period, scope, rate LIMIT $6"},
         rate_columns,
         BAO_COUNT(rate_columns)},
    [BAOD_ASK_SHARED] = {{"q_shared", shared_sql}, shared_columns, BAO_COUNT(shared_columns)},
    [BAOD_ASK_TREND] = {{"q_trend", cells_sql}, NULL, 0, TRENDS},
    [SPAN] = {{"q_span", span_sql}, NULL, 0, SPANS},
    [TREND_TODAY] = {{"q_trend_today", cells_today_sql}, NULL, 0, TRENDS, true},
    [SPAN_TODAY] = {{"q_span_today", span_today_sql}, NULL, 0, SPANS},
    [STATUS_TODAY] =
        {{"q_status_today", ONE_WINDOW TODAY_PLACES
          "SELECT w.id, w.label, s.id, count(*), count(*) FILTER (WHERE o.state = 'pending'),"
          "       count(*) FILTER (WHERE o.state = 'overdue'), count(*) FILTER (WHERE o.state = 'on-time'),"
          "       count(*) FILTER (WHERE o.state = 'late'), count(*) FILTER (WHERE o.state = 'exempt'),"
          "       count(*) FILTER (WHERE o.state = 'overdue' AND o.lock_at <= now())"
          "  FROM w JOIN baocao.obligation_state o ON o.form = w.form AND o.period = w.period"
          "  JOIN place a ON a.unit = o.unit AND a.to_day = w.to_day AND a.main"
          "  JOIN baocao.scope s ON s.scope = a.scope"
          " WHERE $4::text IS NULL AND $5::text IS NULL"
          " GROUP BY w.id, w.label, s.id ORDER BY 1, 2, 3 LIMIT $6"},
         status_columns,
         BAO_COUNT(status_columns),
         PLAIN,
         true},
    [REPORT_TODAY] =
        {{"q_report_today", ONE_WINDOW TODAY_PLACES
          "SELECT w.id, r.form_version::int8, h.code, h.name_vi, h.kind, w.label, r.revision::int8, "
          "r.received_at,"
          "       coalesce(o.extended_to, o.due_at),"
          "       (ARRAY['counted', 'superseded', 'returned', 'withdrawn'])[r.state], r.receipt::text, "
          "r.warnings,"
          "       r.explanations, (SELECT min(u.code) FROM baocao.unit u WHERE u.unit = r.unit), a.estimated"
          "  FROM w JOIN baocao.report r ON r.form = w.form AND r.period = w.period"
          "  JOIN (SELECT DISTINCT to_day, unit, holder, estimated FROM place WHERE main) a"
          "    ON a.unit = r.unit AND a.to_day = w.to_day"
          "  JOIN LATERAL (SELECT u.code, u.name_vi, u.kind FROM baocao.unit u"
          "                 WHERE u.unit = a.holder AND u.seq_to = 9223372036854775807"
          "                 ORDER BY u.from_day > $7::date, u.from_day DESC LIMIT 1) h ON true"
          "  LEFT JOIN baocao.obligation o ON o.unit = r.unit AND o.form = r.form AND o.period = r.period"
          " WHERE " ANY("h.code", "$4") " AND $5::text IS NULL ORDER BY 1, 6, 3, 14, 7 LIMIT $6"},
         report_today_columns,
         BAO_COUNT(report_today_columns),
         PLAIN,
         true},
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

static size_t n_params(const struct question *q)
{
    return q->shape == SPANS ? PARAMS_MAX : q->has_today || q->has_as_of ? FILTERS + 1 : FILTERS;
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
        return ask->today ? STATUS_TODAY : BAOD_ASK_STATUS;
    case BAOD_ASK_REPORT:
        return ask->today ? REPORT_TODAY : BAOD_ASK_REPORT;
    default:
        return ask->question;
    }
}

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
                        .question = &questions[statement_of(ask)],
                        .done = done,
                        .user = user};
    pg = a->pg;
    q->under_way++;
    r = set_filters(a, ask);
    if (r == 0)
        r = baod_pg_exec(a->pg, &a->question->statement, a->params, n_params(a->question), on_rows, a);
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
