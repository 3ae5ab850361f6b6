#include "daemon/store/pgcall.h"
#include "daemon/store/sync_parts.h"
#include "daemon/store/sync_report.h"
#include "daemon/store/sync_rows.h"

/* A window is staged at a time, so that neither memory nor the size of a JSON list limits how much is owed.
 */
enum {
    AHEAD_DAYS = 400,
    RECENT_DAYS = 500,
    BACK_DAYS = 1830,
    WINDOW_DAYS = 185,
    WINDOW_MAX = 256 << 20,
    MOVES_MAX = 32 << 10
};

struct owed {
    const struct bao_obligations *obligations;
    const struct bao_registry *registry;
};

static int make_obligations(struct bao_buf *out, const void *owed)
{
    const struct owed *o = owed;

    return baod_rows_obligations(out, o->obligations, o->registry);
}

static int make_periods(struct bao_buf *out, const void *owed)
{
    return baod_rows_periods(out, ((const struct owed *)owed)->obligations);
}

static const char *const MAKE_STAGES[] = {
    "CREATE TEMP TABLE new_period (form_n int4, form text, period int4, label text, from_day date, to_day "
    "date,"
    "                              title_vi text, title_en text) ON COMMIT DROP",
    "CREATE TEMP TABLE new_obligation (unit int4, form int4, period int4, cutoff date, due_at timestamptz,"
    "                                  lock_at timestamptz, provisional bool) ON COMMIT DROP",
    "CREATE TEMP TABLE sync_made (LIKE new_obligation) ON COMMIT DROP",
    "CREATE TEMP TABLE sync_moved (LIKE new_obligation) ON COMMIT DROP",
    "CREATE TEMP TABLE sync_gone (unit int4, form int4, period int4) ON COMMIT DROP",
};

static const char STAGE_PERIODS[] =
    "INSERT INTO new_period"
    " SELECT f.form AS form_n, k.* FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(form text, period int4, label text, from_day date, to_day date, title_vi text, title_en text)"
    "   JOIN (SELECT DISTINCT id, form FROM new_form) f ON f.id = k.form";

static const char *const WRITE_PERIODS[] = {
    "INSERT INTO baocao.period_was SELECT p.*, b.seq FROM baocao.period p"
    "  JOIN new_period k ON k.form_n = p.form AND k.period = p.period, pg_temp.sync_batch b"
    " WHERE (p.from_day, p.to_day, p.title_vi, p.title_en) <> (k.from_day, k.to_day, k.title_vi, k.title_en)",
    "INSERT INTO baocao.period (form, period, label, from_day, to_day, title_vi, title_en, seq_from)"
    " SELECT form_n, period, label, from_day, to_day, title_vi, title_en, b.seq"
    "   FROM new_period, pg_temp.sync_batch b"
    "    ON CONFLICT (form, period) DO UPDATE SET label = excluded.label, from_day = excluded.from_day,"
    "       to_day = excluded.to_day, title_vi = excluded.title_vi, title_en = excluded.title_en,"
    "       seq_from = excluded.seq_from"
    " WHERE (period.from_day, period.to_day, period.title_vi, period.title_en)"
    "    <> (excluded.from_day, excluded.to_day, excluded.title_vi, excluded.title_en)",
};

static const char MAKE_YEARS[] =
    "SELECT y, baocao.make_year(y) FROM (SELECT DISTINCT period / 10000 AS y FROM new_period ORDER BY 1) "
    "years";

static const char STAGE_OBLIGATIONS[] =
    "INSERT INTO new_obligation"
    " SELECT u.unit, f.form, k.period, k.cutoff, k.due_at, k.lock_at, k.provisional"
    "   FROM pg_temp.sync_rows, jsonb_to_recordset(rows)"
    "        k(unit text, form text, period int4, cutoff date, due_at timestamptz, lock_at timestamptz, "
    "provisional bool)"
    "   JOIN (SELECT DISTINCT id, form FROM new_form) f ON f.id = k.form"
    "   JOIN (SELECT DISTINCT code, unit FROM new_unit) u ON u.code = k.unit";

static const char *const COUNT_STAGES[] = {"ANALYZE new_period", "ANALYZE new_obligation"};

/* What is owed and when changes in a sync only, so the differences are found before the lock; reports and
 * acts of the office, which take no notice of them, are looked at under it. A little more may be found to
 * move than will: $1 is before the batch's time. */
static const char FIND_MADE[] =
    "INSERT INTO sync_made SELECT * FROM new_obligation k"
    " WHERE NOT EXISTS (SELECT FROM baocao.obligation o"
    "                    WHERE (o.unit, o.form, o.period) = (k.unit, k.form, k.period))";
static const char FIND_MOVED[] =
    "INSERT INTO sync_moved SELECT k.* FROM new_obligation k"
    "   JOIN baocao.obligation o ON (o.unit, o.form, o.period) = (k.unit, k.form, k.period)"
    " WHERE o.due_at > $1"
    "   AND (k.due_at, k.provisional, k.cutoff) IS DISTINCT FROM (o.due_at, o.provisional, o.cutoff)";
static const char FIND_GONE[] =
    "INSERT INTO sync_gone SELECT unit, form, period FROM baocao.obligation o"
    " WHERE o.cutoff BETWEEN $1 AND $2"
    "   AND NOT EXISTS (SELECT FROM new_obligation k WHERE (k.unit, k.form, k.period) = (o.unit, o.form, "
    "o.period))";
static const char *const COUNT_FOUND[] = {"ANALYZE sync_made", "ANALYZE sync_moved", "ANALYZE sync_gone"};

/* A report without an obligation would count for nobody. */
static const char FIND_ORPHAN[] =
    "SELECT u.code, f.id, p.label FROM sync_gone k JOIN baocao.obligation o USING (unit, form, period)"
    "  JOIN baocao.unit u USING (unit) JOIN baocao.form f USING (form) JOIN baocao.period p USING (form, "
    "period)"
    " WHERE o.last_revision > 0 LIMIT 1";

#define EVENT_COLUMNS                                                                                        \
    "(unit, form, period, seq, leaf, kind, at, due_at, lock_at, extended_to, exempt, kept_until)"

/* Later reports were judged with or without what is owed before them: they are judged again (recheck.h). */
#define RECHECK_AFTER(changed)                                                                               \
    ", again AS (INSERT INTO baocao.recheck (unit, form, period)"                                            \
    "       SELECT DISTINCT o.unit, o.form, o.period FROM " changed " c"                                     \
    "         JOIN baocao.obligation o ON o.unit = c.unit AND o.form = c.form AND o.period > c.period"       \
    "                                 AND o.period <= c.period + 10000 AND o.revision IS NOT NULL"           \
    "       ON CONFLICT DO NOTHING)"

static const char DROP_OBLIGATIONS[] =
    "WITH gone AS (DELETE FROM baocao.obligation o USING sync_gone k"
    "        WHERE (o.unit, o.form, o.period) = (k.unit, k.form, k.period) AND o.last_revision = 0"
    "        RETURNING o.*)" RECHECK_AFTER("gone") " INSERT INTO baocao.obligation_event " EVENT_COLUMNS
                                                   " SELECT unit, form, period, b.seq, -1, 'dropped', b.at, "
                                                   "due_at, lock_at, extended_to, exempt, kept_until"
                                                   "   FROM gone, pg_temp.sync_batch b";

/* What MOVE_OBLIGATIONS is about to move to another time, for people. */
static const char LIST_MOVES[] =
    "SELECT f.id, p.label, o.due_at, k.due_at, count(*), bool_or(k.provisional) FROM sync_moved k"
    "  JOIN baocao.obligation o USING (unit, form, period) JOIN baocao.form_name f USING (form)"
    "  JOIN baocao.period p USING (form, period), pg_temp.sync_batch b"
    " WHERE o.due_at > b.at AND k.due_at <> o.due_at GROUP BY 1, 2, 3, 4 ORDER BY 3, 1 LIMIT 100";

/* Cut-off days that MOVE_OBLIGATIONS is about to change of what has been counted. */
static const char *const KEEP_CUTOFFS[] = {
    "CREATE TEMP TABLE sync_cutoff ON COMMIT DROP AS"
    " SELECT unit, form, period, o.cutoff AS cutoff_was, k.cutoff FROM baocao.obligation o"
    "   JOIN sync_moved k USING (unit, form, period), pg_temp.sync_batch b"
    "  WHERE o.revision IS NOT NULL AND o.due_at > b.at AND k.cutoff <> o.cutoff",
    "ANALYZE sync_cutoff",
};

static const char COUNT_CHANGES[] =
    "SELECT (SELECT count(*) FROM sync_made),"
    "       (SELECT count(*) FROM sync_moved JOIN baocao.obligation o USING (unit, form, period),"
    "               pg_temp.sync_batch b WHERE o.due_at > b.at),"
    "       (SELECT count(*) FROM sync_gone)";

/* A due date that is past never moves (forms.md section 8), nor does a lock that the office has set: an
 * extension beyond the new rule's lock would else be refused. */
static const char MOVE_OBLIGATIONS[] =
    "WITH moved AS (UPDATE baocao.obligation o SET due_at = k.due_at, cutoff = k.cutoff,"
    "                      provisional = k.provisional,"
    "                      lock_at = CASE WHEN EXISTS ("
    "                          SELECT FROM baocao.obligation_event e"
    "                           WHERE (e.unit, e.form, e.period) = (o.unit, o.form, o.period)"
    "                             AND e.kind IN ('extended', 'returned', 'locked', 'unlocked', 'approved'))"
    "                          THEN o.lock_at ELSE k.lock_at END"
    "        FROM sync_moved k, pg_temp.sync_batch b"
    "       WHERE (k.unit, k.form, k.period) = (o.unit, o.form, o.period) AND o.due_at > b.at"
    "         AND (k.due_at, k.provisional, k.cutoff) IS DISTINCT FROM (o.due_at, o.provisional, o.cutoff)"
    "        RETURNING o.*)"
    " INSERT INTO baocao.obligation_event " EVENT_COLUMNS
    " SELECT unit, form, period, b.seq, -1, 'moved', b.at, due_at, lock_at, extended_to, exempt, kept_until"
    "   FROM moved, pg_temp.sync_batch b";

/* By period, however the planner joins them: everybody reports a period in the same weeks, and a batch then
 * changes a few pages. By unit each report changed a page of its own, and all of them once a checkpoint. */
static const char MAKE_OBLIGATIONS[] =
    "WITH made AS (INSERT INTO baocao.obligation (unit, form, period, cutoff, due_at, lock_at, provisional)"
    "       SELECT unit, form, period, cutoff, due_at, lock_at, provisional FROM sync_made k"
    "        ORDER BY k.form, k.period, k.unit RETURNING *)" RECHECK_AFTER(
        "made") " INSERT INTO baocao.obligation_event " EVENT_COLUMNS
                " SELECT unit, form, period, b.seq, -1, 'made', b.at, "
                "due_at, lock_at, extended_to, exempt, kept_until"
                "   FROM made, pg_temp.sync_batch b";

static int refuse_orphan(struct sync *s)
{
    const struct baod_pg_result *rows;
    struct bao_str words[4];
    int r = baod_sync_run(s, FIND_ORPHAN, NULL, 0, &rows);

    if (r != 0 || baod_pg_rows(rows) == 0)
        return r;
    r = bao_buf_printf(
        s->why,
        "unit %.*s has sent %.*s for %.*s, which by the new files it does not owe: its reports would belong "
        "to nobody; keep the unit in units.yaml, with no end (to:) before that period's last day, or the "
        "form's older version",
        BAO_STR_ARG(baod_pg_bytes(rows, 0, 0)), BAO_STR_ARG(baod_pg_bytes(rows, 0, 1)),
        BAO_STR_ARG(baod_pg_bytes(rows, 0, 2)));
    for (size_t i = 0; i < 3; i++)
        words[i] = baod_pg_bytes(rows, 0, i);
    baod_sync_tell_conflict(
        s, BAO_VI,
        "Đơn vị %1 đã gửi %2 kỳ %3, mà theo tệp mới thì không phải gửi: báo cáo đã nhận sẽ không "
        "thuộc về ai. Hãy giữ đơn vị trong units.yaml, ngày cuối (to:) không trước ngày cuối của kỳ ấy, hoặc "
        "giữ phiên bản cũ của biểu mẫu.",
        words);
    baod_sync_tell_conflict(
        s, BAO_EN,
        "Unit %1 has sent %2 for %3, which by the new files it does not owe: its reports would belong to "
        "nobody. Keep the unit in units.yaml, with no end (to:) before that period's last day, or the form's "
        "older version.",
        words);
    return r < 0 ? r : BAOD_SYNC_E_CONFLICT;
}

static int count_rows(struct sync *s, const char *sql, int64_t *ret)
{
    const struct baod_pg_result *result;
    int r = baod_sync_run(s, sql, NULL, 0, &result);

    if (r == 0)
        *ret = baod_pg_affected(result);
    return r;
}

static int list_moves(struct sync *s)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(MOVES_MAX);
    const struct baod_pg_result *rows = NULL;
    int offset = s->snapshot->registry.offset;
    int r = baod_sync_run(s, LIST_MOVES, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
        const struct baod_sync_deadline moved = {.form = baod_pg_bytes(rows, i, 0),
                                                 .period = baod_pg_bytes(rows, i, 1),
                                                 .was = baod_pg_time(rows, i, 2),
                                                 .is = baod_pg_time(rows, i, 3),
                                                 .units = baod_pg_int(rows, i, 4),
                                                 .provisional = baod_pg_int(rows, i, 5) != 0};
        char was[40], is[40];

        bao_time_print(moved.was, offset, was);
        bao_time_print(moved.is, offset, is);
        r = bao_buf_printf(&out, "%.*s %.*s: due %.16s, was %.16s, for %lld %s%s\n", BAO_STR_ARG(moved.form),
                           BAO_STR_ARG(moved.period), is, was, (long long)moved.units,
                           bao_plural(moved.units, "unit", "units"),
                           moved.provisional ? ", provisional" : "");
        if (r == 0 && s->options->report != NULL)
            r = baod_sync_report_deadline(s->options->report, &moved, offset);
    }
    if (r == 0)
        s->moves = bao_arena_str(&s->arena, bao_buf_str(&out));
    return r == 0 && s->moves.p == NULL ? -ENOMEM : r;
}

/* From the first day that any form was in force. Under the same files nothing of old can change: who has put
 * them in force has written it, so to follow them RECENT_DAYS do, and a new day holds the lock for a part of
 * the time only. They are more than the new day needs: what was lost or missed lately is made good. */
static bao_date first_day(const struct sync *s, bao_date today)
{
    int back = s->options->follow ? RECENT_DAYS : BACK_DAYS;
    bao_date first = today;

    for (size_t i = 0; i < s->snapshot->forms.n; i++)
        if (s->snapshot->forms.items[i]->effective_from < first)
            first = s->snapshot->forms.items[i]->effective_from;
    return first < today - back ? today - back : first;
}

/* What falls into from..to, beside what is staged already. */
static int stage_window(struct sync *s, bao_date from, bao_date to)
{
    BAO_CLEANUP(bao_arena_deinit) struct bao_arena arena;
    struct bao_obligations obligations;
    struct owed owed = {&obligations, &s->snapshot->registry};
    int r;

    bao_arena_init(&arena, WINDOW_MAX);
    r = bao_obligations_list(&arena, &s->snapshot->forms, &s->snapshot->registry, from, to, &obligations);
    if (r == 0)
        r = baod_sync_stage(s, STAGE_PERIODS, make_periods, &owed);
    if (r == 0)
        r = baod_sync_stage(s, STAGE_OBLIGATIONS, make_obligations, &owed);
    return r;
}

/* What of the staged differs from the stored. */
static int find_differences(struct sync *s)
{
    struct baod_pg_param now = baod_pg_p_time(&s->arena, s->options->now);
    struct baod_pg_param range[] = {baod_pg_p_date(&s->arena, s->from), baod_pg_p_date(&s->arena, s->to)};
    int r = baod_sync_run(s, FIND_MADE, NULL, 0, NULL);

    if (r == 0)
        r = baod_sync_run(s, FIND_MOVED, &now, 1, NULL);
    if (r == 0)
        r = baod_sync_run(s, FIND_GONE, range, BAO_COUNT(range), NULL);
    return r == 0 ? baod_sync_run_all(s, COUNT_FOUND, BAO_COUNT(COUNT_FOUND), NULL) : r;
}

int baod_sync_stage_obligations(struct sync *s)
{
    bao_date today = bao_time_date(s->options->now, s->snapshot->registry.offset);
    int r = baod_sync_run_all(s, MAKE_STAGES, BAO_COUNT(MAKE_STAGES), NULL);

    s->from = first_day(s, today);
    s->to = today + AHEAD_DAYS;
    for (bao_date day = s->from; r == 0 && day <= s->to; day += WINDOW_DAYS)
        r = stage_window(s, day, day + WINDOW_DAYS - 1 < s->to ? day + WINDOW_DAYS - 1 : s->to);
    if (r == 0)
        r = baod_sync_run_all(s, COUNT_STAGES, BAO_COUNT(COUNT_STAGES), NULL);
    return r == 0 ? find_differences(s) : r;
}

/* Reports of this year and of those before need their tables now; later ones can wait for another try. */
static int make_years(struct sync *s, bao_date today)
{
    const struct baod_pg_result *rows;
    int r = baod_sync_run(s, MAKE_YEARS, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
        int year = (int)baod_pg_int(rows, i, 0);

        if (!baod_pg_is_null(rows, i, 1))
            continue;
        s->changes.year_waits = year;
        if (year > bao_date_split(today).year)
            break;
        r = bao_buf_printf(s->why,
                           "the table of %d's reports could not be attached, for another session holds "
                           "baocao.report (see pg_locks)",
                           year);
        return r < 0 ? r : BAOD_SYNC_E_DATABASE;
    }
    return r;
}

int baod_sync_check_obligations(struct sync *s)
{
    int r = refuse_orphan(s);

    return r == 0 ? baod_sync_run_all(s, KEEP_CUTOFFS, BAO_COUNT(KEEP_CUTOFFS), NULL) : r;
}

int baod_sync_count_obligations(struct sync *s)
{
    const struct baod_pg_result *rows;
    int r = baod_sync_run(s, COUNT_CHANGES, NULL, 0, &rows);

    if (r == 0) {
        s->changes.made = baod_pg_int(rows, 0, 0);
        s->changes.moved = baod_pg_int(rows, 0, 1);
        s->changes.dropped = baod_pg_int(rows, 0, 2);
        r = list_moves(s);
    }
    return r;
}

int baod_sync_write_obligations(struct sync *s)
{
    int r = baod_sync_run_all(s, WRITE_PERIODS, BAO_COUNT(WRITE_PERIODS), NULL);

    if (r == 0)
        r = make_years(s, bao_time_date(s->options->now, s->snapshot->registry.offset));
    if (r == 0)
        r = list_moves(s);
    if (r == 0)
        r = count_rows(s, DROP_OBLIGATIONS, &s->changes.dropped);
    if (r == 0)
        r = count_rows(s, MOVE_OBLIGATIONS, &s->changes.moved);
    if (r == 0)
        r = count_rows(s, MAKE_OBLIGATIONS, &s->changes.made);
    return r;
}
