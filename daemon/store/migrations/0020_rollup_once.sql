-- office.rollup reads the reports of a scope and period once for all of its indicators, and not for each of them: all rows
-- of a form that 3,300 units report took over a minute, the longest that a reader may ask for.
CREATE OR REPLACE VIEW office.rollup AS
SELECT p.id AS form, p.label AS period, p.from_day AS period_from, p.to_day AS period_to, s.id AS scope, s.name_vi AS scope_vi,
       i.code AS indicator, i.label_vi, i.label_en, i.measure_vi AS measure,
       CASE WHEN i.over_units = 'sum' AND coalesce(r.counts[i.slot], 0) > 0
            THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], i.decimals_to, i.percent) END AS value,
       CASE WHEN i.slot_to IS NULL THEN baocao.figure(i.least, i.decimals, NULL, NULL, false) ELSE i.least_ratio END AS min,
       CASE WHEN i.slot_to IS NULL THEN baocao.figure(i.most, i.decimals, NULL, NULL, false) ELSE i.most_ratio END AS max,
       coalesce(r.counts[i.slot], 0::int8) AS reported,
       o.owed,
       (SELECT trim_scale(t.value) FROM baocao.target t
         WHERE t.form = p.form AND t.code = i.code AND t.year = p.period / 10000 AND t.unit = 0 AND t.scope IN (0, s.scope)
         ORDER BY t.scope DESC LIMIT 1) AS target
  FROM baocao.form_period p
 CROSS JOIN baocao.scope s
 CROSS JOIN LATERAL (
       SELECT count(*) AS owed
         FROM baocao.scope_unit m
        CROSS JOIN LATERAL (SELECT FROM baocao.obligation o
                             WHERE o.unit = m.unit AND o.form = p.form AND o.period = p.period OFFSET 0) o
        WHERE m.scope = s.scope AND m.seq_to = 9223372036854775807 AND p.to_day BETWEEN m.from_day AND m.to_day) o
  LEFT JOIN baocao.rollup r ON r.scope = s.scope AND r.form = p.form AND r.period = p.period
 CROSS JOIN LATERAL (
       SELECT i.code, i.label_vi, i.label_en, i.measure_vi, i.over_units, i.slot, i.slot_to, i.decimals, i.decimals_to, i.percent,
              min(q.figures[i.slot]) AS least, max(q.figures[i.slot]) AS most,
              min(baocao.figure(q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, i.percent))
                  FILTER (WHERE i.slot_to IS NOT NULL) AS least_ratio,
              max(baocao.figure(q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, i.percent))
                  FILTER (WHERE i.slot_to IS NOT NULL) AS most_ratio
         FROM baocao.indicator i
         LEFT JOIN (
              SELECT q.figures
                FROM baocao.scope_unit m
               CROSS JOIN LATERAL (SELECT q.figures FROM baocao.report q
                                    WHERE q.unit = m.unit AND q.form = p.form AND q.period = p.period AND q.state = 1 OFFSET 0) q
               WHERE m.scope = s.scope AND m.seq_to = 9223372036854775807 AND p.to_day BETWEEN m.from_day AND m.to_day
               OFFSET 0) q ON true
        WHERE o.owed > 0 AND i.form = p.form AND (p.version IS NULL OR p.version BETWEEN i.version_from AND i.version_to)
        GROUP BY i.form, i.code, i.label_vi, i.label_en, i.measure_vi, i.over_units, i.slot, i.slot_to, i.decimals, i.decimals_to,
                 i.percent) i
 WHERE o.owed > 0;
