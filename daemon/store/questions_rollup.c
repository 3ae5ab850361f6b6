/* Totals of single periods by scope. */
#include "daemon/store/questions.h"

const struct baod_column baod_rollup_columns[ROLLUP_COLUMNS] = {
    {"form", BAOD_CELL_TEXT},      {"period", BAOD_CELL_TEXT},   {"period_from", BAOD_CELL_DATE},
    {"period_to", BAOD_CELL_DATE}, {"scope", BAOD_CELL_TEXT},    {"scope_vi", BAOD_CELL_TEXT},
    {"indicator", BAOD_CELL_TEXT}, {"label_vi", BAOD_CELL_TEXT}, {"label_en", BAOD_CELL_TEXT},
    {"measure", BAOD_CELL_TEXT},   {"value", BAOD_CELL_NUMBER},  {"min", BAOD_CELL_NUMBER},
    {"max", BAOD_CELL_NUMBER},     {"reported", BAOD_CELL_INT},  {"owed", BAOD_CELL_INT},
    {"target", BAOD_CELL_NUMBER},
};

/* The figures of office.rollup, in the order of the form: what is asked about is found first, then its
 * reports by key, so that the cost is that of the units asked about, whatever else is stored and however old
 * its statistics are (OFFSET 0 keeps the planner from turning a look-up around). */
const char baod_rollup_sql[] =
    "SELECT p.id, p.label, p.from_day, p.to_day, s.id, s.name_vi, i.code, i.label_vi, i.label_en, "
    "i.measure_vi,"
    "       CASE WHEN i.over_units = 'sum' AND coalesce(r.counts[i.slot], 0) > 0"
    "            THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], i.decimals_to, i.percent)"
    "            END::text,"
    "       CASE WHEN i.slot_to IS NULL THEN baocao.figure(i.least, i.decimals, NULL, NULL, false)"
    "            ELSE i.least_ratio END::text,"
    "       CASE WHEN i.slot_to IS NULL THEN baocao.figure(i.most, i.decimals, NULL, NULL, false)"
    "            ELSE i.most_ratio END::text,"
    "       coalesce(r.counts[i.slot], 0)::int8, o.owed,"
    "       (SELECT trim_scale(t.value)::text FROM baocao.target t"
    "         WHERE t.form = p.form AND t.code = i.code AND t.year = p.period / 10000 AND t.unit = 0"
    "           AND t.scope IN (0, s.scope) ORDER BY t.scope DESC LIMIT 1)"
    "  FROM baocao.form_period p CROSS JOIN baocao.scope s"
    " CROSS JOIN LATERAL ("
    "       SELECT count(*) AS owed FROM baocao.scope_unit m"
    "        CROSS JOIN LATERAL (SELECT FROM baocao.obligation o"
    "                             WHERE o.unit = m.unit AND o.form = p.form AND o.period = p.period OFFSET "
    "0) o"
    "        WHERE m.scope = s.scope AND m.seq_to = 9223372036854775807"
    "          AND p.to_day BETWEEN m.from_day AND m.to_day) o"
    "  LEFT JOIN baocao.rollup r ON r.scope = s.scope AND r.form = p.form AND r.period = p.period"
    " CROSS JOIN LATERAL ("
    "       SELECT i.*, min(q.figures[i.slot]) AS least, max(q.figures[i.slot]) AS most,"
    "              min(baocao.figure(q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, "
    "i.percent))"
    "                  FILTER (WHERE i.slot_to IS NOT NULL) AS least_ratio,"
    "              max(baocao.figure(q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, "
    "i.percent))"
    "                  FILTER (WHERE i.slot_to IS NOT NULL) AS most_ratio"
    "         FROM baocao.indicator i"
    "         LEFT JOIN (SELECT q.figures FROM baocao.scope_unit m"
    "                     CROSS JOIN LATERAL (SELECT q.figures FROM baocao.report q"
    "                            WHERE q.unit = m.unit AND q.form = p.form AND q.period = p.period AND "
    "q.state = 1"
    "                           OFFSET 0) q"
    "                     WHERE m.scope = s.scope AND m.seq_to = 9223372036854775807"
    "                       AND p.to_day BETWEEN m.from_day AND m.to_day OFFSET 0) q ON true"
    "        WHERE o.owed > 0 AND i.form = p.form"
    "          AND (p.version IS NULL OR p.version BETWEEN i.version_from AND i.version_to)"
    "          AND " ANY(
        "i.code",
        "$5") "        GROUP BY i.form, i.slot) i"
              " WHERE o.owed > 0 AND $4::text IS NULL AND " ANY("p.id", "$1") " AND " ANY(
                  "p.label",
                  "$2") " AND " ANY("s.id", "$3") " ORDER BY p.id, p.to_day, p.period, s.id, i.slot LIMIT $6";

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

/* Of one scope: its units are listed once, and what they owe and reported is one descent of an index each
 * within one scan; a look-up joined to each unit costs its own start again. The period's number comes with
 * the question, so that only its year's table is opened. */
const char baod_rollup_one_sql[] = ONE_SCOPE
    " o AS MATERIALIZED ("
    " SELECT count(*) AS owed FROM baocao.obligation o WHERE " OF_ONE_SCOPE(
        "o") "),"
             " f AS MATERIALIZED ("
             " SELECT string_agg(array_send(ARRAY[1::int8]) || array_send(r.figures), '') AS figures"
             "   FROM baocao.report r WHERE " OF_ONE_SCOPE(
                 "r") " AND r.state = 1),"
                      " r AS MATERIALIZED ("
                      " SELECT r.counts, r.sums FROM k JOIN baocao.rollup r"
                      "     ON r.scope = k.scope AND r.form = k.form AND r.period = $7),"
                      " t AS MATERIALIZED ("
                      " SELECT DISTINCT ON (t.code) t.code, trim_scale(t.value)::text AS value"
                      "   FROM k JOIN baocao.target t ON t.form = k.form AND t.year = $7 / 10000"
                      "                              AND t.unit = 0 AND t.scope IN (0, k.scope)"
                      "  ORDER BY t.code, t.scope DESC) "
                      "SELECT x.*, CASE WHEN row_number() OVER () = 1 THEN (SELECT figures FROM f) END FROM ("
                      "SELECT k.id, k.label, k.from_day, k.to_day, k.scope_id, k.name_vi, i.code, "
                      "i.label_vi, i.label_en,"
                      "       i.measure_vi, CASE WHEN i.over_units = 'sum' AND coalesce(r.counts[i.slot], 0) "
                      "> 0"
                      "             THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], "
                      "i.decimals_to,"
                      "                                i.percent) END::text, NULL::text AS least, NULL::text "
                      "AS most,"
                      "       coalesce(r.counts[i.slot], 0)::int8, o.owed, t.value, 1::int8, i.slot::int8, "
                      "i.slot_to::int8,"
                      "       i.decimals::int8, i.decimals_to::int8, i.percent"
                      "  FROM k JOIN o ON o.owed > 0"
                      "  JOIN baocao.indicator i"
                      "    ON i.form = k.form AND (k.version IS NULL OR k.version BETWEEN i.version_from AND "
                      "i.version_to)"
                      "   AND " ANY("i.code", "$5") "  LEFT JOIN r ON true LEFT JOIN t ON t.code = i.code"
                                                    " WHERE $4::text IS NULL ORDER BY i.slot LIMIT $6) x";

/* Of all scopes: whatever there is for the period, once. */
const char baod_rollup_period_sql[] = ROLLUP_GROUPS(
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
