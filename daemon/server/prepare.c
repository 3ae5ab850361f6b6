#include "daemon/config/snapshot.h"
#include "daemon/intake.h"
#include "daemon/ops/log.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/cache.h"
#include "daemon/store/custody.h"
#include "daemon/store/prepare.h"
#include "daemon/store/writer.h"

/* What is to be in force: new files, as long as the database has not spoken of them. */
static struct baod_snapshot *wanted(const struct baod_server *s)
{
    return s->candidate != NULL ? s->candidate : s->snapshot;
}

/* How many units there are today; those of the past are history. */
static size_t units_today(struct baod_server *s, const struct baod_snapshot *snapshot)
{
    return bao_registry_count(&snapshot->registry,
                              bao_time_date(baod_clock_now(&s->clock), snapshot->registry.offset));
}

/* The database has taken the new files: they are in force now, for judging and for writing. */
static void put_in_force(struct baod_server *s)
{
    size_t units;

    baod_snapshot_unref(s->snapshot);
    s->snapshot = BAO_TAKE(s->candidate);
    units = units_today(s, s->snapshot);
    baod_intake_use(s->intake, s->snapshot);
    if (s->custody != NULL)
        baod_custody_use(s->custody, s->snapshot);
    baod_log(BAOD_LOG_NOTICE, "reload: %zu %s, %zu %s", s->snapshot->forms.n,
             bao_plural((long long)s->snapshot->forms.n, "form", "forms"), units,
             bao_plural((long long)units, "unit", "units"));
}

static void log_lines(const char *what, const char *lines)
{
    for (size_t n; *lines != '\0'; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        baod_log(BAOD_LOG_NOTICE, "%s: %.*s", what, (int)n, lines);
    }
}

/* Without memory the older ones stay. */
static void keep_epochs(struct baod_server *s, const struct baod_dictionary *dictionary)
{
    if (s->spool != NULL && baod_cache_keep_epochs(s->spool, baod_clock_now(&s->clock),
                                                   baod_dictionary_registry_epoch(dictionary),
                                                   baod_dictionary_forms_epoch(dictionary)) < 0)
        baod_log(BAOD_LOG_WARNING, "spool: no memory to keep the epochs");
}

/* Another daemon of this database has put other files in force, or it is another database. Undoing the first
 * would go on for ever between the two, so the files are read anew; where they are still others, a person has
 * to bring the same ones to both. */
static void fall_in(struct baod_server *s)
{
    if (s->candidate != NULL) {
        if (!s->behind)
            baod_log(
                BAOD_LOG_ERROR,
                "files: the database is at other forms or units than stand in this daemon's folders: where "
                "another daemon put them in force bring the same files to both, they are read anew every %d s; "
                "where it is not the database of before (made anew, restored) start this daemon again",
                BAOD_AGAIN_TICKS);
        s->behind = true;
        s->candidate = baod_snapshot_unref(s->candidate);
        s->reread_after = s->ticks + BAOD_AGAIN_TICKS;
    } else if (s->ticks >= s->reread_after) {
        if (!s->behind)
            baod_log(BAOD_LOG_NOTICE, "files: another daemon has put newer ones in force; reading them anew");
        baod_server_read_anew(s);
    }
    baod_writer_go(s->writer, NULL);
}

/* Another session holds the table: tried again after ever longer, for there is a year's time. */
static void wait_for_year(struct baod_server *s, int year)
{
    if (year == 0 && s->year_waits != 0)
        baod_log(BAOD_LOG_NOTICE, "database: the table of %d's reports has been made", s->year_waits);
    s->year_wait = year == 0 ? 0 : s->year_wait == 0 ? BAOD_AGAIN_TICKS : 2 * s->year_wait;
    s->year_waits = year;
    if (year == 0)
        return;
    s->year_after = s->ticks + s->year_wait;
    baod_log(BAOD_LOG_WARNING,
             "database: the table of %d's reports could not be attached, for another session holds "
             "baocao.report (see pg_locks); it is tried again in %u s",
             year, s->year_wait);
}

/* At a start the files of the folders go in force, whoever's were before: older ones would undo newer ones.
 */
static void tell_replaced(const struct baod_server *s, const struct baod_prepared *prepared)
{
    const struct baod_sync_changes *changes = &prepared->changes;

    if (!s->synced && ((changes->registry && baod_dictionary_registry_epoch(prepared->dictionary) > 1) ||
                       (changes->forms && baod_dictionary_forms_epoch(prepared->dictionary) > 1)))
        baod_log(
            BAOD_LOG_NOTICE,
            "files: the forms or units of this daemon's folders are others than those that were in "
            "force, and have replaced them; if these are the older ones, bring the newer here and reload");
}

static void on_prepared(void *user, struct baod_snapshot *snapshot, const struct baod_prepared *prepared)
{
    struct baod_server *s = user;
    const struct baod_sync_changes *changes = &prepared->changes;
    bool stale = snapshot != wanted(s); /* a reload came meanwhile: once more, with its files */

    s->preparing = false;
    if (s->state == BAOD_ENDING || stale) {
        baod_dictionary_free(prepared->dictionary);
        if (s->state != BAOD_ENDING)
            baod_server_prepare(s->writer, s);
        return;
    }
    if (prepared->other_key) {
        baod_log(BAOD_LOG_ERROR, "database: %s", prepared->why);
        baod_server_fail(s, "the chain is signed by another key");
        return;
    }
    if (prepared->foreign && !s->synced) { /* one that was upgraded under this daemon is waited for instead */
        baod_log(BAOD_LOG_ERROR, "database: %s", prepared->why);
        baod_server_fail(s, "the database's tables are not this program's");
        return;
    }
    if (prepared->behind) {
        fall_in(s);
        return;
    }
    if (prepared->dictionary == NULL && prepared->conflict && s->candidate != NULL) {
        baod_log(BAOD_LOG_ERROR, "reload: the files were not taken; those in force stay: %s", prepared->why);
        s->candidate = baod_snapshot_unref(s->candidate);
        baod_server_finish_apply(s, snapshot, false);
        baod_server_prepare(s->writer, s);
        return;
    }
    baod_server_finish_apply(s, snapshot, prepared->dictionary != NULL);
    if (prepared->dictionary == NULL) {
        s->failing = true;
        baod_log(BAOD_LOG_ERROR, "database: not ready: %s", prepared->why);
    } else {
        if (s->candidate != NULL)
            put_in_force(s);
        tell_replaced(s, prepared);
        s->synced = true;
        s->behind = s->failing = false;
        s->reread_after = 0;
        s->sync_day = bao_time_date(baod_clock_now(&s->clock), snapshot->registry.offset);
        baod_log(BAOD_LOG_INFO, "database: %zu %s, %zu %s; obligations: %lld made, %lld moved, %lld dropped",
                 snapshot->forms.n, bao_plural((long long)snapshot->forms.n, "form", "forms"),
                 units_today(s, snapshot), bao_plural((long long)units_today(s, snapshot), "unit", "units"),
                 (long long)changes->made, (long long)changes->moved, (long long)changes->dropped);
        log_lines("deadline moved", prepared->why);
        wait_for_year(s, changes->year_waits);
        keep_epochs(s, prepared->dictionary);
    }
    if (prepared->dictionary != NULL)
        baod_writer_use(s->writer, snapshot);
    baod_writer_go(s->writer, prepared->dictionary);
}

void baod_server_prepare(struct baod_writer *writer, void *user)
{
    struct baod_server *s = user;
    struct baod_prepare_options options = {
        .conninfo = s->conninfo,
        .snapshot = wanted(s),
        .wait_ms = BAOD_PREPARE_WAIT_MS,
        .done = on_prepared,
        .user = s,
        .sync = {.now = baod_clock_now(&s->clock),
                 .node = s->node,
                 .new_key = s->settings->new_key,
                 .follow = s->synced && (s->candidate == NULL || s->candidate_follows),
                 .report = baod_server_report_wanted(s)},
    };

    if (s->preparing)
        return;
    memcpy(options.sync.seed, s->seed, sizeof(s->seed));
    s->preparing = baod_prepare(&s->loop, &options) == 0;
    if (!s->preparing)
        baod_writer_go(writer, NULL);
}
