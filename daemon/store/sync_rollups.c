#include "daemon/store/sums_wanted.inc"
#include "daemon/store/sync_parts.h"

/* Of the scopes concerned only: adding up each of a report's figures for the others is most of the work. */
#define SUMS_WANTED                                                                                          \
    BAOD_SUMS_WANTED(" AND (r.form, r.period) IN (SELECT form, period FROM pg_temp.sync_rollup)"             \
                     " AND (m.scope, r.form, r.period) IN (SELECT scope, form, period FROM "                 \
                     "pg_temp.sync_rollup)")

/* A counted report is in a rollup when its unit was a member of the scope on the obligation's cut-off day. Of
 * all that is stored only those reports matter whose unit's memberships or whose cut-off day this batch has
 * changed; the rest, years of it, is not read. */
static const char *const REMAKE_ROLLUPS[] = {
    "CREATE TEMP TABLE sync_rollup ON COMMIT DROP AS"
    " WITH changed AS MATERIALIZED ("
    "  SELECT DISTINCT m.unit FROM baocao.scope_unit m, pg_temp.sync_batch b WHERE b.seq IN (m.seq_from, "
    "m.seq_to)),"
    " counted AS MATERIALIZED ("
    "  SELECT o.unit, o.form, o.period, coalesce(w.cutoff, o.cutoff) AS cutoff_was, o.cutoff"
    "    FROM baocao.obligation o LEFT JOIN pg_temp.sync_cutoff w USING (unit, form, period)"
    "   WHERE o.revision IS NOT NULL AND o.unit IN (SELECT unit FROM changed UNION SELECT unit FROM "
    "pg_temp.sync_cutoff)),"
    " was AS ("
    "  SELECT c.unit, c.form, c.period, m.scope FROM counted c"
    "    JOIN baocao.scope_unit m ON m.unit = c.unit AND c.cutoff_was BETWEEN m.from_day AND m.to_day"
    "    JOIN pg_temp.sync_batch b ON b.seq > m.seq_from AND b.seq <= m.seq_to),"
    " now AS ("
    "  SELECT c.unit, c.form, c.period, m.scope FROM counted c"
    "    JOIN baocao.scope_unit m ON m.unit = c.unit AND c.cutoff BETWEEN m.from_day AND m.to_day"
    "                            AND m.seq_to = " BAOD_SYNC_OPEN ")"
    " SELECT DISTINCT scope, form, period"
    "   FROM ((TABLE was EXCEPT TABLE now) UNION ALL (TABLE now EXCEPT TABLE was)) x",
    "ANALYZE sync_rollup",
    "DELETE FROM baocao.rollup u USING pg_temp.sync_rollup x"
    " WHERE (u.scope, u.form, u.period) = (x.scope, x.form, x.period)",
    SUMS_WANTED " INSERT INTO baocao.rollup (scope, form, period, reported, counts, sums)"
                " SELECT scope, form, period, reported, counts, sums::int8[] FROM want",
};

int baod_sync_remake_rollups(struct sync *s)
{
    if (!s->registry_differs && s->changes.moved == 0)
        return 0;
    return baod_sync_run_all(s, REMAKE_ROLLUPS, BAO_COUNT(REMAKE_ROLLUPS), NULL);
}
