-- What was known at an earlier moment. Logical time is the batch: `batch` is the last one at or before the moment,
-- and everything is computed from reports, events and registry rows as they stood after it, never from today's sums.
CREATE FUNCTION baocao.batch_at(at timestamptz) RETURNS int8 LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT coalesce((SELECT a.seq FROM baocao.audit a WHERE a.at <= batch_at.at ORDER BY a.at DESC LIMIT 1), 0)
$$;

CREATE FUNCTION baocao.form_period_at(batch int8)
RETURNS TABLE (form int4, id text, period int4, label text, from_day date, to_day date, version int4)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT p.form, f.id, p.period, p.label, p.from_day, p.to_day,
       (SELECT max(v.version)
          FROM baocao.form v
         WHERE v.form = p.form AND v.seq_from <= form_period_at.batch AND form_period_at.batch < v.seq_to
           AND p.to_day BETWEEN v.effective_from AND v.effective_to)
  FROM baocao.period p
  JOIN baocao.form_name f USING (form)
$$;

-- Obligations as they stood; form_id and label restrict, null does not. A report that was given back since then counts
-- as it did; custody begins anew with the last return up to the batch, unless its term was kept.
CREATE FUNCTION baocao.obligation_at(batch int8, moment timestamptz, form_id text, label text)
RETURNS TABLE (unit int4, form int4, period int4, due_at timestamptz, extended_to timestamptz, lock_at timestamptz, state text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT e.unit, e.form, e.period, coalesce(e.extended_to, e.due_at), e.extended_to, e.lock_at,
       CASE WHEN r.revision IS NOT NULL AND c.custody <= coalesce(e.extended_to, e.due_at) THEN 'on-time'
            WHEN r.revision IS NOT NULL THEN 'late'
            WHEN e.exempt THEN 'exempt'
            WHEN obligation_at.moment > coalesce(e.extended_to, e.due_at) THEN 'overdue'
            ELSE 'pending' END
  FROM (SELECT DISTINCT ON (v.unit, v.form, v.period) v.*
          FROM baocao.obligation_event v
         WHERE v.seq <= obligation_at.batch
           AND (obligation_at.form_id IS NULL
                OR v.form = (SELECT f.form FROM baocao.form f WHERE f.id = obligation_at.form_id LIMIT 1))
           AND (obligation_at.label IS NULL
                OR v.period = ANY (ARRAY(SELECT p.period FROM baocao.period p WHERE p.label = obligation_at.label)))
         ORDER BY v.unit, v.form, v.period, v.seq DESC, v.leaf DESC) e
  LEFT JOIN LATERAL (
       SELECT q.revision FROM baocao.report q
        WHERE q.unit = e.unit AND q.form = e.form AND q.period = e.period
          AND q.seq_from <= obligation_at.batch AND q.seq_to > obligation_at.batch) r ON true
  LEFT JOIN LATERAL (
       SELECT g.seq, g.kept_at, g.kept_until FROM baocao.obligation_event g
        WHERE g.unit = e.unit AND g.form = e.form AND g.period = e.period AND g.seq <= obligation_at.batch
          AND g.kind IN ('returned', 'withdrawn') AND r.revision IS NOT NULL
        ORDER BY g.seq DESC, g.leaf DESC LIMIT 1) g ON true
  LEFT JOIN LATERAL (
       SELECT min(t.at) AS custody FROM (
              SELECT q.received_at AS at FROM baocao.report q
               WHERE q.unit = e.unit AND q.form = e.form AND q.period = e.period AND q.seq_from <= obligation_at.batch
                 AND (q.seq_from > coalesce(g.seq, 0) OR q.state = 2)
              UNION ALL
              SELECT g.kept_at
               WHERE g.kept_until >= (SELECT q.received_at FROM baocao.report q
                                       WHERE q.unit = e.unit AND q.form = e.form AND q.period = e.period
                                         AND q.seq_from > g.seq AND q.seq_from <= obligation_at.batch
                                       ORDER BY q.seq_from LIMIT 1)
              UNION ALL
              SELECT v.received_at FROM baocao.obligation_event v
               WHERE v.unit = e.unit AND v.form = e.form AND v.period = e.period AND v.kind = 'custody'
                 AND v.seq > coalesce(g.seq, 0) AND v.seq <= obligation_at.batch) t) c ON r.revision IS NOT NULL
 WHERE e.kind <> 'dropped'
$$;

-- Who was in which scope on a period's last day, by the registry as it was known then.
CREATE FUNCTION baocao.member_at(batch int8)
RETURNS TABLE (scope int4, unit int4, from_day date, to_day date) LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT m.scope, m.unit, m.from_day, m.to_day FROM baocao.scope_unit m
 WHERE m.seq_from <= member_at.batch AND member_at.batch < m.seq_to
$$;

CREATE FUNCTION baocao.unit_at(batch int8)
RETURNS TABLE (unit int4, code text, kind text, name_vi text, from_day date, to_day date)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT u.unit, u.code, u.kind, u.name_vi, u.from_day, u.to_day FROM baocao.unit u
 WHERE u.seq_from <= unit_at.batch AND unit_at.batch < u.seq_to
$$;
