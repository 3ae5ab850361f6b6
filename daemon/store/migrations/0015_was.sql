-- What dictionaries said at earlier batches: words and versions of indicators, names of scopes, targets, windows of
-- periods. The tables themselves hold what is in force, since batch seq_from; what was, and until which batch
-- (seq_to; it held for the batches before), stands beside them. Written by whatever changes them, in its batch.
ALTER TABLE baocao.indicator ADD COLUMN seq_from int8 NOT NULL DEFAULT 0;
ALTER TABLE baocao.scope ADD COLUMN seq_from int8 NOT NULL DEFAULT 0;
ALTER TABLE baocao.target ADD COLUMN seq_from int8 NOT NULL DEFAULT 0;
ALTER TABLE baocao.period ADD COLUMN seq_from int8 NOT NULL DEFAULT 0;

CREATE TABLE baocao.indicator_was (LIKE baocao.indicator, seq_to int8 NOT NULL, PRIMARY KEY (form, slot, seq_to));
CREATE TABLE baocao.scope_was (LIKE baocao.scope, seq_to int8 NOT NULL, PRIMARY KEY (scope, seq_to));
CREATE TABLE baocao.target_was (LIKE baocao.target, seq_to int8 NOT NULL, PRIMARY KEY (form, code, year, scope, unit, seq_to));
CREATE TABLE baocao.period_was (LIKE baocao.period, seq_to int8 NOT NULL, PRIMARY KEY (form, period, seq_to));

-- Warnings of a report before later ones changed what it is held against: until that moment they were these. Flags
-- come between batches, so they go by time.
CREATE TABLE baocao.warning_was (
    unit     int4 NOT NULL,
    form     int4 NOT NULL,
    period   int4 NOT NULL,
    revision int4 NOT NULL,
    until    timestamptz NOT NULL,
    warnings text,
    PRIMARY KEY (unit, form, period, revision, until)
);

CREATE FUNCTION baocao.indicator_at(batch int8)
RETURNS TABLE (form int4, slot int2, slot_to int2, code text, decimals int2, decimals_to int2, over_units text, percent bool,
               label_vi text, label_en text, measure_vi text, version_from int4, version_to int4)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT i.form, i.slot, i.slot_to, i.code, i.decimals, i.decimals_to, i.over_units, i.percent, i.label_vi, i.label_en,
       i.measure_vi, i.version_from, i.version_to
  FROM baocao.indicator i WHERE i.seq_from <= indicator_at.batch
 UNION ALL
SELECT w.form, w.slot, w.slot_to, w.code, w.decimals, w.decimals_to, w.over_units, w.percent, w.label_vi, w.label_en,
       w.measure_vi, w.version_from, w.version_to
  FROM baocao.indicator_was w WHERE w.seq_from <= indicator_at.batch AND indicator_at.batch < w.seq_to
$$;

CREATE FUNCTION baocao.scope_at(batch int8)
RETURNS TABLE (scope int4, id text, name_vi text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT s.scope, s.id, s.name_vi FROM baocao.scope s WHERE s.seq_from <= scope_at.batch
 UNION ALL
SELECT w.scope, w.id, w.name_vi FROM baocao.scope_was w WHERE w.seq_from <= scope_at.batch AND scope_at.batch < w.seq_to
$$;

CREATE FUNCTION baocao.target_at(batch int8)
RETURNS TABLE (form int4, code text, year int4, scope int4, unit int4, value numeric)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT t.form, t.code, t.year, t.scope, t.unit, t.value FROM baocao.target t WHERE t.seq_from <= target_at.batch
 UNION ALL
SELECT w.form, w.code, w.year, w.scope, w.unit, w.value FROM baocao.target_was w
 WHERE w.seq_from <= target_at.batch AND target_at.batch < w.seq_to
$$;

CREATE OR REPLACE FUNCTION baocao.form_period_at(batch int8)
RETURNS TABLE (form int4, id text, period int4, label text, from_day date, to_day date, version int4)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT p.form, f.id, p.period, p.label, p.from_day, p.to_day,
       (SELECT max(v.version)
          FROM baocao.form v
         WHERE v.form = p.form AND v.seq_from <= form_period_at.batch AND form_period_at.batch < v.seq_to
           AND p.to_day BETWEEN v.effective_from AND v.effective_to)
  FROM (SELECT n.form, n.period, n.label, n.from_day, n.to_day FROM baocao.period n WHERE n.seq_from <= form_period_at.batch
         UNION ALL
        SELECT w.form, w.period, w.label, w.from_day, w.to_day FROM baocao.period_was w
         WHERE w.seq_from <= form_period_at.batch AND form_period_at.batch < w.seq_to) p
  JOIN baocao.form_name f USING (form)
$$;

-- What a report was flagged with at that moment.
CREATE FUNCTION baocao.warnings_at(r baocao.report, moment timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE WHEN w.found THEN w.warnings ELSE (warnings_at.r).warnings END
  FROM (SELECT) one
  LEFT JOIN LATERAL (
       SELECT true AS found, x.warnings FROM baocao.warning_was x
        WHERE x.unit = (warnings_at.r).unit AND x.form = (warnings_at.r).form AND x.period = (warnings_at.r).period
          AND x.revision = (warnings_at.r).revision AND x.until > warnings_at.moment
        ORDER BY x.until LIMIT 1) w ON true
$$;

-- baocao.heirs() by the registry as it was known then.
CREATE FUNCTION baocao.heirs_at(batch int8, today date)
RETURNS TABLE (unit int4, heir int4) LANGUAGE sql STABLE PARALLEL SAFE ROWS 300 AS $$
WITH RECURSIVE alive AS MATERIALIZED (
    SELECT DISTINCT u.unit FROM baocao.unit_at(heirs_at.batch) u WHERE heirs_at.today BETWEEN u.from_day AND u.to_day
), best AS MATERIALIZED (
    SELECT DISTINCT ON (s.predecessor) s.predecessor, s.unit AS heir
      FROM baocao.unit_succession s
      JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u ON u.unit = s.unit
     WHERE s.seq_from <= heirs_at.batch AND heirs_at.batch < s.seq_to AND s.from_day <= heirs_at.today
       AND coalesce(s.share, 1) > 0
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
