-- Figures across units and forms: where a unit's figures of a past day stand today, and figures that two forms ask
-- for and that do not agree.

-- For each unit that existed on on_day: who holds its figures today, through every succession in between, and which
-- share of them. A merger passes the whole. A split passes each stated share and leaves the rest with the unit; its
-- parts are estimated. main: the one that answers for it (the largest share, itself rather than another). on_day of
-- the answer: today, or the last day of a holder that is no more and that nobody took over.
CREATE FUNCTION baocao.crosswalk(on_day date, today date)
RETURNS TABLE (unit int4, holder int4, share numeric, estimated bool, main bool, on_day date)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 200 AS $$
WITH RECURSIVE link AS MATERIALIZED (
    SELECT s.predecessor, s.unit AS heir, s.from_day, coalesce(s.share, 1) AS share
      FROM baocao.unit_succession s
     WHERE s.seq_to = 9223372036854775807 AND s.from_day > crosswalk.on_day AND s.from_day <= crosswalk.today
), walk AS (
    SELECT DISTINCT u.unit, u.unit AS holder, crosswalk.on_day AS day, 1::numeric AS share, false AS estimated
      FROM baocao.unit u
     WHERE u.seq_to = 9223372036854775807 AND crosswalk.on_day BETWEEN u.from_day AND u.to_day
    UNION ALL
    SELECT w.unit, e.holder, e.day, w.share * e.share, w.estimated OR e.share <> 1
      FROM walk w
     CROSS JOIN LATERAL (
           SELECT n.from_day AS day FROM link n WHERE n.predecessor = w.holder AND n.from_day > w.day
            ORDER BY n.from_day LIMIT 1) n
     CROSS JOIN LATERAL (
           SELECT l.heir AS holder, n.day, l.share FROM link l WHERE l.predecessor = w.holder AND l.from_day = n.day
            UNION ALL
           SELECT w.holder, n.day, 1 - sum(l.share) FROM link l WHERE l.predecessor = w.holder AND l.from_day = n.day
           HAVING sum(l.share) < 1) e
), held AS (
    SELECT w.unit, w.holder, sum(w.share) AS share, bool_or(w.estimated) AS estimated
      FROM walk w
     WHERE NOT EXISTS (SELECT FROM link l WHERE l.predecessor = w.holder AND l.from_day > w.day)
     GROUP BY w.unit, w.holder
)
SELECT h.unit, h.holder, h.share, h.estimated,
       row_number() OVER (PARTITION BY h.unit ORDER BY h.share DESC, h.holder <> h.unit, h.holder) = 1,
       (SELECT CASE WHEN bool_or(crosswalk.today BETWEEN u.from_day AND u.to_day) THEN crosswalk.today
                    ELSE max(least(u.to_day, crosswalk.today)) END
          FROM baocao.unit u WHERE u.unit = h.holder AND u.seq_to = 9223372036854775807)
  FROM held h
$$;

-- One unit, one window, two forms that ask for the same figure (same_as), two answers.
CREATE VIEW baocao.contradiction AS
SELECT a.form, a.period, q.unit, i.code, i.label_vi, i.label_en, b.id AS other_form, j.code AS other_code,
       greatest(q.received_at, r.received_at) AS at, v.value, v.other
  FROM baocao.indicator i
  JOIN baocao.form_period a ON a.form = i.form
  JOIN baocao.form_period b ON b.id = split_part(i.same_as, '/', 1) AND b.from_day = a.from_day AND b.to_day = a.to_day
  JOIN baocao.indicator j ON j.form = b.form AND j.code = split_part(i.same_as, '/', 2)
  JOIN baocao.report q ON q.form = a.form AND q.period = a.period AND q.state = 1
  JOIN baocao.report r ON r.form = b.form AND r.period = b.period AND r.unit = q.unit AND r.state = 1
 CROSS JOIN LATERAL (
       SELECT baocao.figure(q.figures[i.slot], i.decimals, q.figures[i.slot_to], i.decimals_to, i.percent) AS value,
              baocao.figure(r.figures[j.slot], j.decimals, r.figures[j.slot_to], j.decimals_to, j.percent) AS other) v
 WHERE i.same_as IS NOT NULL AND v.value <> v.other;

-- Contradictions are looked up when asked, never stored: they end with the correction that ends them, and cost the
-- writer nothing.
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
  JOIN baocao.unit u ON u.unit = c.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day;
