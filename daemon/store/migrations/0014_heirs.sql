-- Who stands for a unit that is no more, and parts of a split whose share nobody has stated (share 0).

-- Of each unit that does not exist on that day: who answers for what it owed, as bao_registry_successor has it: the one
-- that took over the whole of it or its largest stated share, through any number of mergers. Nobody: no row.
CREATE FUNCTION baocao.heirs(today date)
RETURNS TABLE (unit int4, heir int4) LANGUAGE sql STABLE PARALLEL SAFE ROWS 300 AS $$
WITH RECURSIVE alive AS MATERIALIZED (
    SELECT DISTINCT u.unit FROM baocao.unit u
     WHERE u.seq_to = 9223372036854775807 AND heirs.today BETWEEN u.from_day AND u.to_day
), best AS MATERIALIZED (
    SELECT DISTINCT ON (s.predecessor) s.predecessor, s.unit AS heir
      FROM baocao.unit_succession s
      JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u ON u.unit = s.unit
     WHERE s.seq_to = 9223372036854775807 AND s.from_day <= heirs.today AND coalesce(s.share, 1) > 0
     ORDER BY s.predecessor, coalesce(s.share, 1) DESC, u.code COLLATE "C", s.from_day
), chain AS (
    SELECT b.predecessor AS unit, b.heir, 1 AS step FROM best b
     WHERE NOT EXISTS (SELECT FROM alive a WHERE a.unit = b.predecessor)
    UNION ALL
    SELECT c.unit, b.heir, c.step + 1 FROM chain c JOIN best b ON b.predecessor = c.heir
     WHERE c.step < 16 AND NOT EXISTS (SELECT FROM alive a WHERE a.unit = c.heir)
)
SELECT c.unit, c.heir FROM chain c JOIN alive a ON a.unit = c.heir
$$;

-- As before, and: main is the one that answers for the unit's debts (itself while it exists, else its heir), so that an
-- obligation counts once, with the unit that owes it. A part without a stated share carries no figures: they stay with
-- the others, and both they and the one that got the part are estimated.
CREATE OR REPLACE FUNCTION baocao.crosswalk(on_day date, today date)
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
    SELECT w.unit, e.holder, e.day, w.share * e.share, w.estimated OR e.share <> 1 OR n.unknown
      FROM walk w
     CROSS JOIN LATERAL (
           SELECT n.from_day AS day, bool_or(n.share = 0) AS unknown FROM link n
            WHERE n.predecessor = w.holder AND n.from_day > w.day
            GROUP BY n.from_day ORDER BY n.from_day LIMIT 1) n
     CROSS JOIN LATERAL (
           SELECT l.heir AS holder, n.day, l.share FROM link l
            WHERE l.predecessor = w.holder AND l.from_day = n.day AND l.share > 0
            UNION ALL
           SELECT w.holder, n.day, 1 - sum(l.share) FROM link l WHERE l.predecessor = w.holder AND l.from_day = n.day
           HAVING sum(l.share) < 1) e
), held AS (
    SELECT w.unit, w.holder, sum(w.share) AS share,
           bool_or(w.estimated) OR EXISTS (SELECT FROM link l WHERE l.heir = w.holder AND l.share = 0) AS estimated
      FROM walk w
     WHERE NOT EXISTS (SELECT FROM link l WHERE l.predecessor = w.holder AND l.from_day > w.day)
     GROUP BY w.unit, w.holder
)
SELECT h.unit, h.holder, h.share, h.estimated,
       row_number() OVER (PARTITION BY h.unit ORDER BY h.holder <> coalesce(n.heir, h.unit), h.share DESC, h.holder) = 1,
       (SELECT CASE WHEN bool_or(crosswalk.today BETWEEN u.from_day AND u.to_day) THEN crosswalk.today
                    ELSE max(least(u.to_day, crosswalk.today)) END
          FROM baocao.unit u WHERE u.unit = h.holder AND u.seq_to = 9223372036854775807)
  FROM held h
  LEFT JOIN baocao.heirs(crosswalk.today) n ON n.unit = h.unit
$$;

CREATE FUNCTION baocao.today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date $$;

-- Who has to send it: the unit, or the one that took over its debts. The report names the unit that owed it.
CREATE OR REPLACE VIEW office.missing AS
SELECT p.id AS form, p.label AS period, u.code AS unit, u.name_vi, u.kind, o.due_at,
       CASE WHEN o.state = 'overdue' THEN round(extract(epoch FROM now() - o.due_at) / 3600, 1) ELSE 0 END AS hours_late,
       o.extended_to, n.code AS heir, n.name_vi AS heir_vi
  FROM baocao.form_period p
  JOIN baocao.obligation_state o ON o.form = p.form AND o.period = p.period
  JOIN baocao.unit u ON u.unit = o.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
  LEFT JOIN baocao.heirs(baocao.today()) h ON h.unit = o.unit
  LEFT JOIN baocao.unit n ON n.unit = coalesce(h.heir, o.unit) AND n.seq_to = 9223372036854775807
                         AND baocao.today() BETWEEN n.from_day AND n.to_day AND u.to_day < baocao.today()
 WHERE o.state IN ('pending', 'overdue');
COMMENT ON COLUMN office.missing.heir IS
    'Đơn vị kế thừa phải gửi, khi đơn vị nợ không còn; báo cáo vẫn ghi mã ở cột unit. — The successor that has to send it when the unit is no more; the report still names unit.';

CREATE OR REPLACE VIEW office.unit AS
SELECT u.code AS unit, u.kind, u.name_vi, u.name_en, u.from_day AS valid_from,
       CASE WHEN u.to_day = 'infinity' THEN NULL ELSE u.to_day END AS valid_to, u.groups, n.code AS heir,
       n.name_vi AS heir_vi
  FROM baocao.unit u
  LEFT JOIN baocao.heirs(baocao.today()) h ON h.unit = u.unit
  LEFT JOIN baocao.unit n ON n.unit = coalesce(h.heir, u.unit) AND n.seq_to = 9223372036854775807
                         AND baocao.today() BETWEEN n.from_day AND n.to_day AND u.to_day < baocao.today()
 WHERE u.seq_to = 9223372036854775807;
COMMENT ON COLUMN office.unit.heir IS 'Đơn vị đang kế thừa, khi đơn vị này không còn. — Who stands for it today when it is no more.';
