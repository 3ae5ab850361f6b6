/* Totals of figures that several forms ask for. */
#include "daemon/store/questions.h"

const struct baod_column baod_shared_columns[SHARED_COLUMNS] = {
    {"form", BAOD_CELL_TEXT},      {"period", BAOD_CELL_TEXT},   {"period_from", BAOD_CELL_DATE},
    {"period_to", BAOD_CELL_DATE}, {"scope", BAOD_CELL_TEXT},    {"scope_vi", BAOD_CELL_TEXT},
    {"indicator", BAOD_CELL_TEXT}, {"label_vi", BAOD_CELL_TEXT}, {"label_en", BAOD_CELL_TEXT},
    {"measure", BAOD_CELL_TEXT},   {"value", BAOD_CELL_NUMBER},  {"reported", BAOD_CELL_INT},
    {"owed", BAOD_CELL_INT},       {"forms", BAOD_CELL_JSON},    {"contradictions", BAOD_CELL_INT},
};

/* Of each figure that several forms ask for: every form's windows that are one; of each unit one answer, that
 * of the form named by same_as before another's. */
const char baod_shared_sql[] =
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
