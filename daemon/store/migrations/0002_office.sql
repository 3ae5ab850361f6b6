-- The office's views: tidy, one row per fact, names instead of numbers, read-only for the role baocao_office.
--
-- Registry rows are those in force now (seq_to open). A unit's name, kind and scopes are those of the last day of
-- the period that is spoken of.
CREATE SCHEMA office;

-- ---------------------------------------------------------------- pieces the views share

-- The id of a form's number.
CREATE VIEW baocao.form_name AS
SELECT DISTINCT form, id FROM baocao.form;

-- Every window of every form, with the version in force for it (the highest whose effective window holds its last day).
CREATE VIEW baocao.form_period AS
SELECT p.form, f.id, p.period, p.label, p.from_day, p.to_day, p.title_vi, p.title_en,
       (SELECT max(v.version)
          FROM baocao.form v
         WHERE v.form = p.form AND v.seq_to = 9223372036854775807
           AND p.to_day BETWEEN v.effective_from AND v.effective_to) AS version
  FROM baocao.period p
  JOIN baocao.form_name f USING (form);

-- Obligations with their one state, by precedence.
CREATE VIEW baocao.obligation_state AS
SELECT o.unit, o.form, o.period, coalesce(o.extended_to, o.due_at) AS due_at, o.extended_to, o.lock_at,
       CASE WHEN o.revision IS NOT NULL AND o.received_at <= coalesce(o.extended_to, o.due_at) THEN 'on-time'
            WHEN o.revision IS NOT NULL THEN 'late'
            WHEN o.exempt THEN 'exempt'
            WHEN now() > coalesce(o.extended_to, o.due_at) THEN 'overdue'
            ELSE 'pending' END AS state
  FROM baocao.obligation o;

-- What an indicator says given the scaled figures of its slots: null when they are missing or divide by zero.
CREATE FUNCTION baocao.figure(a int8, decimals int2, b int8, decimals_to int2, percent bool)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN decimals_to IS NULL THEN trim_scale(round(a::numeric / 10::numeric ^ decimals, decimals))
            WHEN b = 0 THEN NULL
            ELSE trim_scale(round(a::numeric * 10::numeric ^ decimals_to * CASE WHEN percent THEN 100 ELSE 1 END
                                  / (b::numeric * 10::numeric ^ decimals), 6)) END
$$;

-- ---------------------------------------------------------------- who owes

CREATE VIEW office.status AS
SELECT p.id AS form, p.label AS period, s.id AS scope, count(*) AS owed,
       count(*) FILTER (WHERE o.state = 'pending') AS pending,
       count(*) FILTER (WHERE o.state = 'overdue') AS overdue,
       count(*) FILTER (WHERE o.state = 'on-time') AS on_time,
       count(*) FILTER (WHERE o.state = 'late') AS late,
       count(*) FILTER (WHERE o.state = 'exempt') AS exempt,
       count(*) FILTER (WHERE o.state = 'overdue' AND o.lock_at <= now()) AS final
  FROM baocao.form_period p
  JOIN baocao.obligation_state o ON o.form = p.form AND o.period = p.period
  JOIN baocao.scope_unit m ON m.unit = o.unit AND m.seq_to = 9223372036854775807
                          AND p.to_day BETWEEN m.from_day AND m.to_day
  JOIN baocao.scope s ON s.scope = m.scope
 GROUP BY p.id, p.label, s.id;
COMMENT ON VIEW office.status IS
    'Tình hình gửi báo cáo theo phạm vi: mỗi nghĩa vụ ở đúng một trạng thái, năm số cộng lại bằng owed. — Who owes, who is late, by scope; every obligation is in exactly one state.';
COMMENT ON COLUMN office.status.final IS 'Trong số quá hạn: đã khóa kỳ, không gửi được nữa. — Of the overdue: locked, past sending.';

CREATE VIEW office.missing AS
SELECT p.id AS form, p.label AS period, u.code AS unit, u.name_vi, u.kind, o.due_at,
       CASE WHEN o.state = 'overdue' THEN round(extract(epoch FROM now() - o.due_at) / 3600, 1) ELSE 0 END AS hours_late,
       o.extended_to
  FROM baocao.form_period p
  JOIN baocao.obligation_state o ON o.form = p.form AND o.period = p.period
  JOIN baocao.unit u ON u.unit = o.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
 WHERE o.state IN ('pending', 'overdue');
COMMENT ON VIEW office.missing IS
    'Đơn vị chưa gửi báo cáo; hours_late = 0 khi chưa đến hạn. — Units that have not reported yet; hours_late is 0 before the deadline.';

-- ---------------------------------------------------------------- reports and figures

CREATE VIEW office.report AS
SELECT p.id AS form, r.form_version AS version, u.code AS unit, u.name_vi, u.kind, p.label AS period, r.revision,
       r.received_at, coalesce(o.extended_to, o.due_at) AS due_at,
       (ARRAY['counted', 'superseded', 'returned', 'withdrawn'])[r.state] AS state, r.receipt, r.warnings, r.explanations
  FROM baocao.form_period p
  JOIN baocao.report r ON r.form = p.form AND r.period = p.period
  JOIN baocao.unit u ON u.unit = r.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
  LEFT JOIN baocao.obligation o ON o.unit = r.unit AND o.form = r.form AND o.period = r.period;
COMMENT ON VIEW office.report IS
    'Mỗi lần báo cáo đã nhận một dòng; state = counted là lần đang được tính. — One row for each accepted revision; the counted one is in the totals.';

CREATE VIEW office.value AS
SELECT p.id AS form, r.form_version AS version, u.code AS unit, u.kind, p.label AS period, r.revision,
       i.code AS indicator, i.label_vi, i.measure_vi AS measure,
       baocao.figure(r.figures[i.slot], i.decimals, r.figures[i.slot_to], i.decimals_to, i.percent) AS value
  FROM baocao.form_period p
  JOIN baocao.report r ON r.form = p.form AND r.period = p.period AND r.state = 1
  JOIN baocao.unit u ON u.unit = r.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
  JOIN baocao.indicator i ON i.form = r.form AND r.form_version BETWEEN i.version_from AND i.version_to;
COMMENT ON VIEW office.value IS
    'Số liệu của từng đơn vị trong báo cáo đang được tính; thiếu số liệu thì value trống. — Each unit''s figures of its counted report; a missing one is null.';

-- Sums and coverage by scope. Minimum and maximum are looked up in the counted reports when asked.
CREATE VIEW office.rollup AS
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
 CROSS JOIN LATERAL (
       SELECT m.scope, count(*) AS owed
         FROM baocao.obligation o
         JOIN baocao.scope_unit m ON m.unit = o.unit AND m.seq_to = 9223372036854775807
                                 AND p.to_day BETWEEN m.from_day AND m.to_day
        WHERE o.form = p.form AND o.period = p.period
        GROUP BY m.scope) o
  JOIN baocao.scope s ON s.scope = o.scope
  JOIN baocao.indicator i ON i.form = p.form
                         AND (p.version IS NULL OR p.version BETWEEN i.version_from AND i.version_to)
  LEFT JOIN baocao.rollup r ON r.scope = s.scope AND r.form = p.form AND r.period = p.period
  LEFT JOIN LATERAL (
       SELECT m.scope, j.slot,
              min(baocao.figure(q.figures[j.slot], j.decimals, q.figures[j.slot_to], j.decimals_to, j.percent)) AS least,
              max(baocao.figure(q.figures[j.slot], j.decimals, q.figures[j.slot_to], j.decimals_to, j.percent)) AS most
         FROM baocao.report q
         JOIN baocao.scope_unit m ON m.unit = q.unit AND m.seq_to = 9223372036854775807
                                 AND p.to_day BETWEEN m.from_day AND m.to_day
         JOIN baocao.indicator j ON j.form = q.form
        WHERE q.form = p.form AND q.period = p.period AND q.state = 1
        GROUP BY m.scope, j.slot) x ON x.scope = s.scope AND x.slot = i.slot;
COMMENT ON VIEW office.rollup IS
    'Số tổng hợp theo phạm vi và chỉ tiêu, kèm độ phủ: reported đơn vị cho số liệu trên owed đơn vị phải gửi. — Totals by scope and indicator with their coverage: reported gave the figure, of owed.';
COMMENT ON COLUMN office.rollup.value IS 'Trống khi chưa có số liệu, hoặc khi chỉ tiêu không cộng qua các đơn vị. — Null without figures, or where units are never added.';

CREATE VIEW office.trend AS
SELECT form, scope, indicator, label_vi, period, period_to, value,
       lag(value) OVER w AS previous, value - lag(value) OVER w AS change, reported, owed
  FROM office.rollup
WINDOW w AS (PARTITION BY form, scope, indicator ORDER BY period_to);
COMMENT ON VIEW office.trend IS 'Mỗi chỉ tiêu qua các kỳ, so với kỳ trước. — Each indicator through its periods, against the one before.';

-- ---------------------------------------------------------------- dictionaries

CREATE VIEW office.unit AS
SELECT u.code AS unit, u.kind, u.name_vi, u.name_en, u.from_day AS valid_from,
       CASE WHEN u.to_day = 'infinity' THEN NULL ELSE u.to_day END AS valid_to, u.groups
  FROM baocao.unit u
 WHERE u.seq_to = 9223372036854775807;
COMMENT ON VIEW office.unit IS 'Đơn vị và thời gian tồn tại. — Units and the time of their existence.';

CREATE VIEW office.indicator AS
SELECT f.id AS form, i.code AS indicator, i.label_vi, i.label_en, i.measure_vi AS measure, i.decimals::int4 AS decimals,
       i.over_units, i.over_time, i.slot_to IS NOT NULL AS ratio, i.percent, i.direction::int4 AS direction,
       i.alert_below, i.alert_above, i.version_from, i.version_to
  FROM baocao.indicator i
  JOIN baocao.form_name f USING (form);
COMMENT ON VIEW office.indicator IS 'Chỉ tiêu của các biểu mẫu. — The indicators of all forms.';

CREATE VIEW office.alert AS
SELECT f.id AS form, p.label AS period, u.code AS unit, u.name_vi, a.code AS indicator, a.kind, a.at, a.value, a.expected,
       a.text_vi, a.text_en, a.state, a.note
  FROM baocao.alert a
  JOIN baocao.form_name f USING (form)
  JOIN baocao.period p ON p.form = a.form AND p.period = a.period
  JOIN baocao.unit u ON u.unit = a.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day;
COMMENT ON VIEW office.alert IS 'Cảnh báo sớm. — Early warnings.';

-- How well a unit reports: punctuality, corrections, returns, what it left empty.
CREATE VIEW office.quality AS
SELECT p.id AS form, p.label AS period, u.code AS unit, u.name_vi, u.kind, o.state,
       coalesce(r.revisions, 0) AS revisions, coalesce(r.returned, 0) AS returned, coalesce(r.warned, 0) AS warned,
       r.figures_given, r.figures_asked
  FROM baocao.form_period p
  JOIN baocao.obligation_state o ON o.form = p.form AND o.period = p.period
  JOIN baocao.unit u ON u.unit = o.unit AND u.seq_to = 9223372036854775807 AND p.to_day BETWEEN u.from_day AND u.to_day
  LEFT JOIN LATERAL (
       SELECT count(*) AS revisions, count(*) FILTER (WHERE q.state = 3) AS returned,
              count(*) FILTER (WHERE q.warnings IS NOT NULL) AS warned,
              max(n.given) AS figures_given, max(n.asked) AS figures_asked
         FROM baocao.report q
         LEFT JOIN LATERAL (
              SELECT count(*) FILTER (WHERE q.figures[i.slot] IS NOT NULL) AS given, count(*) AS asked
                FROM baocao.indicator i
               WHERE i.form = q.form AND i.slot_to IS NULL AND q.form_version BETWEEN i.version_from AND i.version_to
              ) n ON q.state = 1
        WHERE q.unit = o.unit AND q.form = o.form AND q.period = o.period) r ON true;
COMMENT ON VIEW office.quality IS 'Chất lượng báo cáo của từng đơn vị. — The quality of each unit''s reporting.';

-- ---------------------------------------------------------------- the role of readers

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'baocao_office') THEN
        BEGIN
            CREATE ROLE baocao_office NOLOGIN;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role baocao_office was not made: this login may not create roles';
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this cluster was faster
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'baocao_office') THEN
        GRANT USAGE ON SCHEMA office TO baocao_office;
        GRANT SELECT ON ALL TABLES IN SCHEMA office TO baocao_office;
        ALTER ROLE baocao_office SET statement_timeout = '60s';
    END IF;
END
$$;
