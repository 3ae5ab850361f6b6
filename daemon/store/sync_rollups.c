#include "daemon/store/pgcall.h"
#include "daemon/store/sums_wanted.inc"
#include "daemon/store/sync_parts.h"

/* Of the scopes concerned only: adding up each of a report's figures for the others is most of the work. */
#define SUMS_WANTED                                                                                          \
    BAOD_SUMS_WANTED(                                                                                        \
        "SELECT x.scope, form, period, r.figures FROM sync_rollup x"                                         \
        "  JOIN baocao.obligation o USING (form, period) JOIN baocao.report r USING (unit, form, period)"    \
        "  LEFT JOIN sync_cutoff w USING (unit, form, period)"                                               \
        " WHERE o.revision IS NOT NULL AND r.state = 1"                                                      \
        "   AND EXISTS (SELECT FROM new_member m WHERE m.scope = x.scope AND m.unit = r.unit"                \
        "                  AND coalesce(w.cutoff, o.cutoff) BETWEEN m.from_day AND m.to_day)")

/* A counted report is in a rollup when its unit was a member of the scope on the obligation's cut-off day. Of
 * all that is stored only those reports matter that fall into a window of membership which changes, or whose
 * cut-off day does; the rest, years of it, is not read. A window that is only told otherwise, by two of which
 * the day falls into the one before and into the other now, changes nothing. */
static const char FIND_ROLLUPS[] =
    "CREATE TEMP TABLE sync_rollup ON COMMIT DROP AS"
    " WITH told AS ("
    "  SELECT m.scope, o.form, o.period, o.unit, bool_or(m.is_new) AS is_in, bool_or(NOT m.is_new) AS was_in"
    "    FROM sync_member m JOIN baocao.obligation o ON o.unit = m.unit AND o.cutoff BETWEEN m.from_day AND "
    "m.to_day"
    "   WHERE o.revision IS NOT NULL GROUP BY 1, 2, 3, 4),"
    " was AS ("
    "  SELECT c.unit, c.form, c.period, m.scope FROM sync_cutoff c"
    "    JOIN baocao.scope_unit m ON m.unit = c.unit AND c.cutoff_was BETWEEN m.from_day AND m.to_day"
    "                            AND m.seq_to = " BAOD_SYNC_OPEN "),"
    " now AS ("
    "  SELECT c.unit, c.form, c.period, m.scope FROM sync_cutoff c"
    "    JOIN new_member m ON m.unit = c.unit AND c.cutoff BETWEEN m.from_day AND m.to_day)"
    " SELECT scope, form, period FROM told WHERE is_in <> was_in"
    " UNION SELECT scope, form, period FROM (TABLE was EXCEPT TABLE now) x"
    " UNION SELECT scope, form, period FROM (TABLE now EXCEPT TABLE was) x";

static const char *const ADD_ROLLUPS[] = {
    "ANALYZE sync_rollup",
    "CREATE TEMP TABLE sync_want ON COMMIT DROP AS " SUMS_WANTED
    " SELECT scope, form, period, reported, counts, sums::int8[] AS sums FROM want",
};

static const char COUNT_ROLLUPS[] =
    "SELECT count(*) FROM sync_want a"
    "  FULL JOIN (SELECT * FROM baocao.rollup JOIN sync_rollup USING (scope, form, period) WHERE reported > "
    "0) b"
    " USING (scope, form, period) WHERE (a.reported, a.sums) IS DISTINCT FROM (b.reported, b.sums)";

static const char *const WRITE_ROLLUPS[] = {
    "DELETE FROM baocao.rollup u USING sync_rollup x"
    " WHERE (u.scope, u.form, u.period) = (x.scope, x.form, x.period)",
    "INSERT INTO baocao.rollup (scope, form, period, reported, counts, sums)"
    " SELECT scope, form, period, reported, counts, sums FROM sync_want",
};

int baod_sync_add_rollups(struct sync *s)
{
    const struct baod_pg_result *rows;
    int r = baod_sync_run(s, FIND_ROLLUPS, NULL, 0, &rows);

    if (r != 0)
        return r;
    s->remakes = baod_pg_affected(rows) != 0;
    if (!s->remakes)
        return 0;
    r = baod_sync_run_all(s, ADD_ROLLUPS, BAO_COUNT(ADD_ROLLUPS), NULL);
    if (r == 0)
        r = baod_sync_run(s, COUNT_ROLLUPS, NULL, 0, &rows);
    if (r == 0)
        s->rollups = baod_pg_int(rows, 0, 0);
    return r;
}

int baod_sync_write_rollups(struct sync *s)
{
    return s->remakes ? baod_sync_run_all(s, WRITE_ROLLUPS, BAO_COUNT(WRITE_ROLLUPS), NULL) : 0;
}
