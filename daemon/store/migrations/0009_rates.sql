-- Every rate with what it divides, what it divides by, and its coverage: those of reporting itself, and the indicators
-- that are ratios. What is exempt owes nothing, so it is in no denominator.
CREATE VIEW office.rate AS
SELECT t.form, t.period, t.scope, x.rate, x.label_vi, x.label_en, x.numerator, x.denominator,
       CASE WHEN x.denominator > 0 THEN trim_scale(round(x.numerator * 100 / x.denominator, 6)) END AS value,
       true AS percent, t.on_time + t.late AS reported, t.owed
  FROM office.status t
 CROSS JOIN LATERAL (VALUES
       ('reporting_rate', 'Tỷ lệ đã gửi trên số phải gửi (trừ được miễn)', 'Reported, of those who owe (less exempt)',
        (t.on_time + t.late)::numeric, (t.owed - t.exempt)::numeric),
       ('on_time_rate', 'Tỷ lệ gửi đúng hạn trên số phải gửi (trừ được miễn)', 'On time, of those who owe (less exempt)',
        t.on_time::numeric, (t.owed - t.exempt)::numeric),
       ('punctuality', 'Tỷ lệ đúng hạn trên số đã gửi', 'On time, of those who reported',
        t.on_time::numeric, (t.on_time + t.late)::numeric)
       ) x(rate, label_vi, label_en, numerator, denominator)
 UNION ALL
SELECT p.id, p.label, s.id, i.code, i.label_vi, i.label_en,
       CASE WHEN r.counts[i.slot] > 0 THEN baocao.figure(r.sums[i.slot], i.decimals, NULL, NULL, false) END,
       CASE WHEN r.counts[i.slot] > 0 THEN baocao.figure(r.sums[i.slot_to], i.decimals_to, NULL, NULL, false) END,
       CASE WHEN r.counts[i.slot] > 0
            THEN baocao.figure(r.sums[i.slot], i.decimals, r.sums[i.slot_to], i.decimals_to, i.percent) END,
       i.percent, coalesce(r.counts[i.slot], 0), o.owed
  FROM baocao.form_period p
 CROSS JOIN LATERAL (
       SELECT m.scope, count(*) AS owed
         FROM baocao.obligation o
         JOIN baocao.scope_unit m ON m.unit = o.unit AND m.seq_to = 9223372036854775807
                                 AND p.to_day BETWEEN m.from_day AND m.to_day
        WHERE o.form = p.form AND o.period = p.period
        GROUP BY m.scope) o
  JOIN baocao.scope s ON s.scope = o.scope
  JOIN baocao.indicator i ON i.form = p.form AND i.slot_to IS NOT NULL AND i.over_units = 'sum'
                         AND (p.version IS NULL OR p.version BETWEEN i.version_from AND i.version_to)
  LEFT JOIN baocao.rollup r ON r.scope = s.scope AND r.form = p.form AND r.period = p.period;
COMMENT ON VIEW office.rate IS
    'Mọi tỷ lệ kèm tử số, mẫu số và độ phủ; thiếu số liệu thì để trống. — Every rate with its numerator, denominator and coverage; null where there is nothing to divide by.';
COMMENT ON COLUMN office.rate.percent IS 'value là phần trăm. — value is a percentage.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'baocao_office') THEN
        GRANT SELECT ON office.rate TO baocao_office;
    END IF;
END
$$;
