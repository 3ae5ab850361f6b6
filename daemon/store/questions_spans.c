/* Figures across periods: spans and trends. */
#include "daemon/store/questions.h"

/* The figures of single periods in the order of enum baod_cells_column. $2 is a year here, as text: that year
 * and the one before; sums are decimals written with an exponent, so that they stay exact. */
#define CELLS_WINDOW                                                                                         \
    "WITH w AS MATERIALIZED (SELECT * FROM baocao.form_period p WHERE " ANY(                                 \
        "p.id", "$1") "   AND ($2::text IS NULL OR p.period / 10000 BETWEEN $2::int4 - 1 AND $2::int4)), "
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

const char baod_cells_sql[] = CELLS_WINDOW CELLS_OWED CELLS_HEAD CELLS_FIGURES CELLS_ROLLUP CELLS_ORDER;

const char baod_span_sql[] = CELLS_WINDOW CELLS_OWED
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

const char baod_cells_today_sql[] = TODAY_CELLS CELLS_HEAD TODAY_FIGURES TODAY_JOIN CELLS_ORDER;

const char baod_span_today_sql[] =
    TODAY_CELLS ", f AS (SELECT w.form, a.scope, j.slot, j.over_time, w.to_day, a.holder AS unit,"
                " q.figures[j.slot] * a.share AS of, q.figures[j.slot_to] * a.share AS to"
                " FROM w JOIN baocao.report q ON q.form = w.form AND q.period = w.period AND q.state = 1"
                " JOIN place a ON a.unit = q.unit AND a.to_day = w.to_day"
                " JOIN baocao.indicator j ON j.form = q.form AND q.figures[j.slot] IS NOT NULL AND " ANY(
                    "j.code", "$5") " WHERE w.period = ANY ($8::int4[]))" SPREAD CELLS_HEAD TODAY_FIGURES
                    SPREAD_COLUMNS TODAY_JOIN SPREAD_JOIN CELLS_ORDER;
