-- Refused reports as the office sees them; unit 0 is whoever could not be told.
CREATE VIEW office.refusal AS
SELECT coalesce(u.code, '') AS unit, coalesce(u.name_vi, '') AS name_vi, r.at, r.form, r.period, r.revision, r.symbol, r.findings,
       r.seq AS batch
  FROM baocao.refusal r
  LEFT JOIN LATERAL (
       SELECT n.code, n.name_vi FROM baocao.unit n
        WHERE n.unit = r.unit AND n.seq_to = 9223372036854775807 ORDER BY n.from_day DESC LIMIT 1) u ON true;
COMMENT ON VIEW office.refusal IS
    'Báo cáo bị từ chối: mã từ chối và những lỗi đầu tiên, không có nội dung; mỗi đơn vị giữ 1.000 lần gần nhất. — Refused reports: the symbol and the first findings, never a body; the last 1,000 of a unit.';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'baocao_office') THEN
        GRANT SELECT ON office.refusal TO baocao_office;
    END IF;
END
$$;
