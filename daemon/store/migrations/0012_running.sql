-- Running totals (luy ke) that do not add up: a flow that a form asks for over a long window (a year) and that same_as
-- names in a form of shorter ones (quarters) must be the sum of the unit's shorter reports, once all of them are there.
CREATE VIEW baocao.broken_running AS
SELECT a.form, a.period, q.unit, i.code, i.label_vi, i.label_en, n.id AS other_form, greatest(q.received_at, s.at) AS at,
       v.value, s.total
  FROM baocao.indicator i
  JOIN baocao.form_period a ON a.form = i.form
  JOIN baocao.form_name n ON n.id = split_part(i.same_as, '/', 1)
  JOIN baocao.indicator j ON j.form = n.form AND j.code = split_part(i.same_as, '/', 2)
                         AND j.over_time = 'sum' AND j.slot_to IS NULL
  JOIN baocao.report q ON q.form = a.form AND q.period = a.period AND q.state = 1
 CROSS JOIN LATERAL (SELECT baocao.figure(q.figures[i.slot], i.decimals, NULL, NULL, false) AS value) v
 CROSS JOIN LATERAL (
       SELECT count(*) AS parts, count(f.value) AS given, sum(f.value) AS total, max(r.received_at) AS at,
              min(b.from_day) AS first, max(b.to_day) AS last
         FROM baocao.form_period b
         LEFT JOIN baocao.report r ON r.form = b.form AND r.period = b.period AND r.unit = q.unit AND r.state = 1
        CROSS JOIN LATERAL (SELECT baocao.figure(r.figures[j.slot], j.decimals, NULL, NULL, false) AS value) f
        WHERE b.form = n.form AND b.from_day >= a.from_day AND b.to_day <= a.to_day) s
 WHERE i.same_as IS NOT NULL AND i.over_time = 'sum' AND i.slot_to IS NULL
   AND s.parts > 1 AND s.given = s.parts AND s.first = a.from_day AND s.last = a.to_day AND v.value <> s.total;

-- Looked up when asked, like contradictions: they end with the correction that ends them.
CREATE OR REPLACE VIEW office.alert AS
SELECT f.id AS form, p.label AS period, u.code AS unit, u.name_vi, a.code AS indicator, a.kind, a.at, a.value, a.expected,
       a.text_vi, a.text_en, a.state, a.note
  FROM baocao.alert a
  JOIN baocao.form_name f USING (form)
  JOIN baocao.period p ON p.form = a.form AND p.period = a.period
  JOIN baocao.unit u ON u.unit = a.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
 UNION ALL
SELECT f.id, p.label, u.code, u.name_vi, c.code, 'contradiction', c.at, c.value, c.other,
       format('Chỉ tiêu “%s” kỳ %s được báo cáo là %s ở biểu mẫu %s nhưng là %s ở biểu mẫu %s; đơn vị đối chiếu rồi gửi đính chính cho báo cáo ghi sai.',
              c.label_vi, p.label, c.value, f.id, c.other, c.other_form),
       format('“%s” of %s was reported as %s in %s but as %s in %s; the unit has to compare them and correct the wrong report.',
              c.label_en, p.label, c.value, f.id, c.other, c.other_form),
       'open', NULL
  FROM baocao.contradiction c
  JOIN baocao.form_name f USING (form)
  JOIN baocao.period p ON p.form = c.form AND p.period = c.period
  JOIN baocao.unit u ON u.unit = c.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
 UNION ALL
SELECT f.id, p.label, u.code, u.name_vi, c.code, 'running', c.at, c.value, c.total,
       format('Chỉ tiêu “%s” của %s được báo cáo là %s ở biểu mẫu %s, nhưng lũy kế các kỳ ở biểu mẫu %s là %s; đơn vị đối chiếu rồi gửi đính chính cho báo cáo ghi sai.',
              c.label_vi, p.label, c.value, f.id, c.other_form, c.total),
       format('“%s” of %s was reported as %s in %s, but the periods of %s add up to %s; the unit has to compare them and correct the wrong report.',
              c.label_en, p.label, c.value, f.id, c.other_form, c.total),
       'open', NULL
  FROM baocao.broken_running c
  JOIN baocao.form_name f USING (form)
  JOIN baocao.period p ON p.form = c.form AND p.period = c.period
  JOIN baocao.unit u ON u.unit = c.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day;
