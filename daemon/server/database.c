/* What the database can do at the moment, and telling it: ready, locked by other work, not ready for this
 * daemon's files, away. */
#include "daemon/ops/log.h"
#include "daemon/ops/sd.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/holder.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pg.h"
#include "daemon/store/writer.h"

enum {
    HOLDER_TICKS = 3,
    NOBODY_MAX = 2, /* one answer may come in the pause between two tries, or just before the writer's own */
    READERS_WAIT_MS = 8000
};

static void tell_locked(struct baod_server *s, const struct baod_holder *holder)
{
    const char *fate = s->spool != NULL ? "queued in the spool" : "answered WAIT";
    const char *what = holder->province ? "other work of the province holds its lock"
                                        : "another session holds a lock on what reports are written to";

    baod_log(BAOD_LOG_WARNING,
             "database: it answers, but %s (%s, server process %d, for %lld s); reports are %s", what,
             *holder->name == '\0' ? "unnamed" : holder->name, holder->pid, (long long)holder->seconds, fate);
    baod_sd_ready(s->spool != NULL ? "serving; other work holds a lock of the database, reports are queued"
                                   : "serving; other work holds a lock of the database");
    s->locked_told = true;
    s->up = s->away = false;
}

/* Between two tries the writer does not wait: whoever it waited for still holds the province's lock then. */
static void on_holder(void *user, const struct baod_holder *holder)
{
    struct baod_server *s = user;
    bool named = holder->pid != 0 && (holder->kept || (s->locked && holder->pid == s->holder));

    s->holder_asked = false;
    s->holder_after = 0;
    s->standby = holder->standby;
    s->nobody = named ? 0 : s->nobody + 1;
    s->locked = named || (s->locked && s->nobody < NOBODY_MAX);
    if (!named)
        return;
    s->holder = holder->pid;
    if (!s->locked_told)
        tell_locked(s, holder);
}

/* A writer without an answer may wait for the lock, or for a server that hangs. */
static void look_for_holder(struct baod_server *s)
{
    if (s->holder_asked) {
        s->locked = s->locked && s->ticks < s->holder_after; /* neither does the other connection answer */
        return;
    }
    if (!baod_writer_is_held(s->writer) && !s->locked)
        return;
    s->holder_asked = baod_holder_ask(s->quick, baod_province_key(bao_str_c(s->province)),
                                      baod_writer_backend(s->writer), on_holder, s) == 0;
    s->holder_after = s->holder_asked ? s->ticks + HOLDER_TICKS : 0;
    s->locked = s->locked && s->holder_asked;
}

/* It answers all the same: who reads is served. */
static void tell_unready(const struct baod_server *s)
{
    baod_log(BAOD_LOG_WARNING,
             "database: it answers, but cannot be written to until what the last error says is mended; "
             "reports are %s",
             s->spool != NULL ? "queued in the spool" : "answered WAIT");
    baod_sd_ready(s->spool != NULL ? "serving; the database waits for other files, reports are queued"
                                   : "serving; the database waits for other files");
}

static void log_database(const struct baod_server *s, bool up)
{
    const char *how =
        s->spool != NULL ? "away; reports are queued in the spool" : "away; reports are answered WAIT";
    const char *refusal = baod_writer_refusal(s->writer);

    if (up)
        baod_log(BAOD_LOG_NOTICE, "database: ready");
    else if (refusal != NULL)
        baod_log(BAOD_LOG_WARNING, "database: %s (it answers, but takes none: %s)", how, refusal);
    else if (s->standby)
        baod_log(BAOD_LOG_WARNING,
                 "database: %s (it answers, but a commit waits for a standby named in "
                 "synchronous_standby_names)",
                 how);
    else
        baod_log(BAOD_LOG_WARNING, "database: %s", how);
}

/* Says once when the database comes or goes, with the reason if it is known and what becomes of reports. */
static void tell_database(struct baod_server *s, bool up)
{
    bool preparing = baod_writer_is_preparing(s->writer), unready, soon, away;

    s->failing = s->failing && preparing; /* it went, and will be tried anew when it comes */
    unready = preparing && (s->behind || s->failing);
    soon = preparing && !unready;
    away = !up && !unready &&
           (s->away || s->up || s->unready || s->locked_told || baod_writer_is_away(s->writer));
    if (s->locked || soon || (!up && s->nobody < NOBODY_MAX && s->holder_asked && s->ticks < s->holder_after))
        return; /* told as such, or not yet known */
    if (up) {
        s->nobody = 0;
        s->standby = false;
    }
    if (unready && !s->unready) {
        tell_unready(s);
    } else if (!unready && (up != s->up || away != s->away)) {
        log_database(s, up);
        baod_sd_ready(up                 ? "serving"
                      : s->spool != NULL ? "serving; the database is away, reports are queued"
                                         : "serving; the database is away");
    }
    s->lost_told = s->lost_told && !up;
    s->locked_told = false;
    s->up = up;
    s->away = away;
    s->unready = unready;
    s->was_up = s->was_up || up;
}

/* A question may take a minute. Of a database that is known to be away, and not only to take no reports, no
 * answer is to be hoped for: who asks is told to come again before losing patience. */
static void give_readers_up(struct baod_server *s)
{
    bool answers = s->nobody >= NOBODY_MAX || baod_writer_refusal(s->writer) != NULL;
    uint64_t since = s->away && !answers ? baod_pg_waits_since(s->reading) : 0;

    if (since != 0 && uv_now(&s->loop) - since > READERS_WAIT_MS)
        baod_pg_drop(s->reading, "its questions wait for a database that is away");
}

/* Does the writer get its batches in, as far as it knows? */
static bool is_up(const struct baod_server *s)
{
    return baod_writer_is_up(s->writer) && baod_writer_refusal(s->writer) == NULL;
}

bool baod_server_database_takes(const struct baod_server *s)
{
    return is_up(s) && !s->locked;
}

void baod_server_watch_database(struct baod_server *s)
{
    look_for_holder(s);
    tell_database(s, is_up(s));
    give_readers_up(s);
}
