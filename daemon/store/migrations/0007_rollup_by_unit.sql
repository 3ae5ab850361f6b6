-- Who belongs to what, found from the unit; and the office's rollup by look-ups of the units of one scope, so that a
-- question about one scope never reads the whole table, whatever the planner knows of it.
CREATE INDEX scope_unit_unit ON baocao.scope_unit (unit);

CREATE OR REPLACE VIEW office.rollup AS
SELECT p.id AS form, p.label AS period, p.from_day AS period_from, p.to_day AS period_to, s.id AS scope,
       s.name_vi AS scope_vi, i.code AS indicator, i.label_vi, i.label_en, i.measure_vi AS measure,
       CASE WHEN i.over_units = 'sum' AND coalesce(r.counts[i.slot], 0) > 0
            THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], i.decimals_to, i.percent) END AS value,
       x.least AS min, x.most AS max, coalesce(r.counts[i.slot], 0) AS reported, o.owed,
       (SELECT trim_scale(t.value)
          FROM baocao.target t
         WHERE t.form = p.form AND t.code = i.code AND t.year = p.period / 10000 AND t.unit = 0
           AND t.scope IN (0, s.scope)
         ORDER BY t.scope DESC LIMIT 1) AS target
  FROM baocao.form_period p
 CROSS JOIN baocao.scope s
 CROSS JOIN LATERAL (
       SELECT count(*) AS owed
         FROM baocao.scope_unit m
        CROSS JOIN LATERAL (
              SELECT FROM baocao.obligation o
               WHERE o.unit = m.unit AND o.form = p.form AND o.period = p.period OFFSET 0) o
        WHERE m.scope = s.scope AND m.seq_to = 9223372036854775807 AND p.to_day BETWEEN m.from_day AND m.to_day) o
  JOIN baocao.indicator i ON i.form = p.form
                         AND (p.version IS NULL OR p.version BETWEEN i.version_from AND i.version_to)
  LEFT JOIN baocao.rollup r ON r.scope = s.scope AND r.form = p.form AND r.period = p.period
  LEFT JOIN LATERAL (
       SELECT min(f.value) AS least, max(f.value) AS most
         FROM baocao.scope_unit m
        CROSS JOIN LATERAL (
              SELECT q.figures
                FROM baocao.report q
               WHERE q.unit = m.unit AND q.form = p.form AND q.period = p.period AND q.state = 1 OFFSET 0) q
        CROSS JOIN LATERAL baocao.figure(q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, i.percent)
                   f(value)
        WHERE m.scope = s.scope AND m.seq_to = 9223372036854775807 AND p.to_day BETWEEN m.from_day AND m.to_day
       ) x ON true
 WHERE o.owed > 0;
