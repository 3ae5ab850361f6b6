-- A report that the tables would not take is kept once, however often it is sent again: the table stays as small as what
-- is wrong. The latest copy and failure stand there, the first custody and the number of attempts.
DELETE FROM baocao.quarantine q
 WHERE EXISTS (SELECT FROM baocao.quarantine p
                WHERE p.unit = q.unit AND p.form = q.form AND p.period = q.period AND p.revision = q.revision
                  AND (p.at, p.id) > (q.at, q.id));
ALTER TABLE baocao.quarantine ADD COLUMN tries int4 NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX quarantine_key ON baocao.quarantine (unit, form, period, revision);

-- Who stands for a unit that is no more, as heirs_at() of the newest batch says it. It asks for the days of few units, by
-- key: a question of one scope must not read all units again for each of its rows.
CREATE OR REPLACE FUNCTION baocao.heirs_at(batch int8, today date)
RETURNS TABLE (unit int4, heir int4) LANGUAGE sql STABLE PARALLEL SAFE ROWS 300 AS $$
WITH RECURSIVE best AS MATERIALIZED (
    SELECT DISTINCT ON (s.predecessor) s.predecessor, s.unit AS heir
      FROM baocao.unit_succession s
      JOIN LATERAL (SELECT u.code FROM baocao.unit u WHERE u.unit = s.unit LIMIT 1) u ON true
     WHERE s.seq_from <= heirs_at.batch AND heirs_at.batch < s.seq_to AND s.from_day <= heirs_at.today
       AND coalesce(s.share, 1) > 0
     ORDER BY s.predecessor, coalesce(s.share, 1) DESC, u.code COLLATE "C", s.from_day
), chain AS (
    SELECT b.predecessor AS unit, b.heir, 1 AS step FROM best b
     WHERE NOT EXISTS (SELECT FROM baocao.unit a
                        WHERE a.unit = b.predecessor AND a.seq_from <= heirs_at.batch AND heirs_at.batch < a.seq_to
                          AND heirs_at.today BETWEEN a.from_day AND a.to_day)
    UNION ALL
    SELECT c.unit, b.heir, c.step + 1 FROM chain c JOIN best b ON b.predecessor = c.heir
     WHERE c.step < 16
       AND NOT EXISTS (SELECT FROM baocao.unit a
                        WHERE a.unit = c.heir AND a.seq_from <= heirs_at.batch AND heirs_at.batch < a.seq_to
                          AND heirs_at.today BETWEEN a.from_day AND a.to_day)
), alive AS MATERIALIZED (
    SELECT c.unit, c.heir FROM chain c
     WHERE EXISTS (SELECT FROM baocao.unit a
                    WHERE a.unit = c.heir AND a.seq_from <= heirs_at.batch AND heirs_at.batch < a.seq_to
                      AND heirs_at.today BETWEEN a.from_day AND a.to_day)
)
SELECT a.unit, a.heir FROM alive a
$$;

-- With its owner's rights: the office's views ask it, and whoever may read those may not read the tables.
CREATE OR REPLACE FUNCTION baocao.heirs(today date)
RETURNS TABLE (unit int4, heir int4) LANGUAGE sql STABLE PARALLEL SAFE ROWS 300
SECURITY DEFINER SET search_path = pg_catalog AS $$
SELECT h.unit, h.heir FROM baocao.heirs_at(9223372036854775806, heirs.today) h
$$;

-- ---------------------------------------------------------------- what every column of the office's views says

DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT v.relname, a.attname, w.said
          FROM pg_class v
          JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN (VALUES
               ('form', 'Mã biểu mẫu. — The form''s id.'),
               ('version', 'Phiên bản biểu mẫu mà báo cáo được kiểm tra theo. — The version of the form that judged the report.'),
               ('period', 'Kỳ báo cáo, viết như trong báo cáo (2026-Q3, 2026-07). — The period as reports write it.'),
               ('period_from', 'Ngày đầu của kỳ. — The period''s first day.'),
               ('period_to', 'Ngày cuối của kỳ. — The period''s last day.'),
               ('scope', 'Mã phạm vi tổng hợp: cả tỉnh, một nhóm hay một loại đơn vị. — The id of the scope: the province, a group or a kind of units.'),
               ('scope_vi', 'Tên phạm vi. — The scope''s name.'),
               ('unit', 'Mã đơn vị. — The unit''s code.'),
               ('name_vi', 'Tên đơn vị vào ngày cuối của kỳ. — The unit''s name on the period''s last day.'),
               ('name_en', 'Tên đơn vị bằng tiếng Anh, nếu có. — The unit''s name in English, if it has one.'),
               ('kind', 'Loại đơn vị (ward, commune, department…); ở alert: loại cảnh báo. — The kind of unit; of alerts, the kind of warning.'),
               ('groups', 'Các nhóm của đơn vị. — The groups it is in.'),
               ('valid_from', 'Ngày bắt đầu tồn tại. — The first day of its existence.'),
               ('valid_to', 'Ngày cuối tồn tại; trống là còn tồn tại. — The last day of it; null while it exists.'),
               ('heir_vi', 'Tên đơn vị kế thừa. — The successor''s name.'),
               ('indicator', 'Mã chỉ tiêu. — The indicator''s code.'),
               ('rate', 'Mã tỷ lệ: reporting_rate, on_time_rate, punctuality hoặc mã chỉ tiêu. — The rate''s code, or an indicator''s.'),
               ('label_vi', 'Tên chỉ tiêu. — What it is, in Vietnamese.'),
               ('label_en', 'Tên chỉ tiêu bằng tiếng Anh. — What it is, in English.'),
               ('measure', 'Đơn vị tính. — What it is measured in.'),
               ('decimals', 'Số chữ số thập phân được giữ. — Decimal places that are kept.'),
               ('over_units', 'sum: cộng qua các đơn vị; none: không cộng. — How it adds up over units.'),
               ('over_time', 'sum: cộng qua các kỳ; last: lấy kỳ cuối. — How it adds up over time.'),
               ('ratio', 'Là tỷ lệ giữa hai số. — It is one figure by another.'),
               ('percent', 'value là phần trăm. — value is a percentage.'),
               ('direction', '1: càng cao càng tốt; -1: càng thấp càng tốt; 0: không nói. — 1: more is better; -1: less is better.'),
               ('alert_below', 'Cảnh báo khi thấp hơn. — Warn below this.'),
               ('alert_above', 'Cảnh báo khi cao hơn. — Warn above this.'),
               ('version_from', 'Có từ phiên bản này của biểu mẫu. — In the form from this version on.'),
               ('version_to', 'Đến hết phiên bản này. — Up to this version.'),
               ('value', 'Giá trị đúng đến chữ số cuối; trống khi thiếu số liệu. — The exact figure; null where there is none.'),
               ('min', 'Nhỏ nhất trong các đơn vị đã báo cáo. — The least of the units that reported.'),
               ('max', 'Lớn nhất trong các đơn vị đã báo cáo. — The most of the units that reported.'),
               ('numerator', 'Tử số. — What is divided.'),
               ('denominator', 'Mẫu số. — What it is divided by.'),
               ('reported', 'Số đơn vị đã cho số liệu này. — Units that gave the figure.'),
               ('owed', 'Số nghĩa vụ báo cáo của phạm vi trong kỳ. — Obligations of the scope in the period.'),
               ('target', 'Chỉ tiêu giao cho năm. — The year''s target.'),
               ('previous', 'Giá trị kỳ trước. — The value of the period before.'),
               ('change', 'Chênh lệch so với kỳ trước. — The difference to the period before.'),
               ('pending', 'Chưa gửi, chưa đến hạn. — Not sent, not due yet.'),
               ('overdue', 'Chưa gửi, đã quá hạn. — Not sent, past its deadline.'),
               ('on_time', 'Đã gửi đúng hạn. — Sent in time.'),
               ('late', 'Đã gửi, muộn. — Sent late.'),
               ('exempt', 'Được miễn. — Exempt.'),
               ('due_at', 'Thời hạn gửi, đã tính gia hạn. — The deadline, extensions included.'),
               ('extended_to', 'Đã gia hạn đến. — Extended to.'),
               ('hours_late', 'Số giờ quá hạn; 0 khi chưa đến hạn. — Hours past the deadline; 0 before it.'),
               ('revision', 'Lần báo cáo. — The revision.'),
               ('revisions', 'Số lần báo cáo đã nhận. — Revisions received.'),
               ('returned', 'Số lần bị trả lại. — Revisions given back.'),
               ('warned', 'Số lần có cảnh báo. — Revisions with warnings.'),
               ('figures_given', 'Số chỉ tiêu có số liệu trong báo cáo đang tính. — Figures given by the counted report.'),
               ('figures_asked', 'Số chỉ tiêu biểu mẫu hỏi. — Figures that its form asks for.'),
               ('received_at', 'Thời điểm nhận trọn báo cáo; tính thời hạn theo đó. — When its last octet arrived; deadlines go by it.'),
               ('receipt', 'Số biên nhận. — The receipt''s id.'),
               ('warnings', 'Các cảnh báo khi nhận, dạng JSON. — Warnings when it was accepted, as JSON.'),
               ('explanations', 'Các giải trình gửi kèm, dạng JSON. — Explanations sent with it, as JSON.'),
               ('state', 'Trạng thái. — Its state.'),
               ('at', 'Thời điểm. — When.'),
               ('expected', 'Giá trị chờ đợi. — What was expected.'),
               ('text_vi', 'Nội dung bằng tiếng Việt. — The sentence in Vietnamese.'),
               ('text_en', 'Nội dung bằng tiếng Anh. — The sentence in English.'),
               ('note', 'Ghi chú của người xử lý. — The note of whoever dealt with it.'),
               ('symbol', 'Mã từ chối (INVALID, LOCKED…). — The symbol of the refusal.'),
               ('findings', 'Các lỗi tìm thấy, dạng JSON, tối đa 20. — What was found wrong, as JSON, the first 20.'),
               ('batch', 'Lượt ghi trong nhật ký; trống khi chưa ghi. — Its batch in the audit chain; null until written.')
               ) w(name, said) ON w.name = a.attname
         WHERE v.relnamespace = 'office'::regnamespace AND v.relkind = 'v' AND col_description(v.oid, a.attnum) IS NULL
         ORDER BY v.relname, a.attnum
    LOOP
        EXECUTE format('COMMENT ON COLUMN office.%I.%I IS %L', c.relname, c.attname, c.said);
    END LOOP;
END
$$;
