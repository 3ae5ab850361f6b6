#include "daemon/store/spool/file.h"

#include "daemon/ops/log.h"
#include "daemon/store/spool/log.h"
#include "lib/base/error.h"

#include <time.h>
#include <unistd.h>

enum { PROBES = 48 /* how often a damaged stretch is jumped over, each time twice as far */ };

struct salvage {
    struct baod_spool_file *f; /* the new file */
    struct baod_db *from;
    struct baod_statement *mark; /* remembers a lost key: it is told once */
    uint64_t saved, lost;
};

static int move(const char *from, const char *to)
{
    return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* Renames the file and its log; the name is given. */
static int set_aside(const struct baod_spool_file *f, char *ret, size_t size)
{
    char log[4096 + 64], to[4096 + 64];
    struct timespec now;
    int r = baod_spool_side_path(f, "-wal", log, sizeof(log));

    (void)clock_gettime(CLOCK_REALTIME, &now); /* fails only for clocks that do not exist */
    if (r == 0 && snprintf(ret, size, "%s.damaged-%lld", f->path, (long long)now.tv_sec) >= (int)size)
        r = -ENAMETOOLONG;
    if (r == 0)
        r = move(f->path, ret);
    (void)snprintf(to, sizeof(to), "%s-wal.original", ret);
    if (r == 0)
        r = move(log, to);
    if (r == 0 && access(to, F_OK) == 0) {
        (void)snprintf(log, sizeof(log), "%s-wal", ret);
        r = baod_spool_log_mend(ret, to, log);
    }
    if (r == 0)
        r = baod_spool_side_path(f, "-shm", log, sizeof(log));
    if (r == 0 && unlink(log) < 0 && errno != ENOENT)
        r = -errno;
    return r;
}

/* Takes one row over. False when its seal is broken or there is no room. */
static bool take_over(struct salvage *v, struct baod_statement *st)
{
    struct baod_spool_row row;
    uint8_t of[BAO_SHA256_LEN];
    int r;

    if (!baod_spool_get_row(st, &row))
        return false;
    baod_spool_seal(&row, of);
    baod_spool_bind_row(v->f->statements[Q_INSERT], &row, of);
    r = baod_spool_run(v->f, Q_INSERT, "taking a report over");
    if (r == 0) {
        v->saved++;
        v->f->rows++;
        v->f->bytes += baod_spool_row_octets(&row);
    }
    return r == 0;
}

/* Tells a key that is not in the new file, once. Columns `at` on: unit, form, period, revision. */
static void tell_lost(struct salvage *v, struct baod_statement *st, int at)
{
    struct baod_statement *is_there = v->f->statements[Q_BY_KEY];
    bool there;

    baod_db_bind_text(is_there, 1, baod_db_text(st, at));
    baod_db_bind_text(is_there, 2, baod_db_text(st, at + 1));
    baod_db_bind_text(is_there, 3, baod_db_text(st, at + 2));
    baod_db_bind_number(is_there, 4, (int)baod_db_number(st, at + 3));
    there = baod_db_step(is_there) == BAOD_DB_ROW;
    baod_db_reset(is_there);
    if (there)
        return;
    for (int i = 0; i < 4; i++)
        baod_db_bind_column(v->mark, i + 1, st, at + i);
    if (baod_db_step(v->mark) == 0 && baod_db_changes(v->f->db) == 1) {
        v->lost++;
        baod_log(BAOD_LOG_ERROR,
                 "spool: lost from the damaged file: the queued report of unit %.*s, form %.*s, period %.*s, "
                 "revision %d; it must be sent again",
                 BAO_STR_ARG(baod_db_text(st, at)), BAO_STR_ARG(baod_db_text(st, at + 1)),
                 BAO_STR_ARG(baod_db_text(st, at + 2)), (int)baod_db_number(st, at + 3));
    }
    baod_db_reset(v->mark);
}

/* With senders, as they are now; and of format 1, without. */
static const char NEXT[] = "SELECT " BAOD_SPOOL_COLUMNS "sender FROM report WHERE seq > ?1 ORDER BY seq";
static const char NEXT_1[] =
    "SELECT " BAOD_SPOOL_COLUMNS "'' AS sender FROM report WHERE seq > ?1 ORDER BY seq";

/* Reads rows by their number; where a page cannot be read, jumps on, each time twice as far. */
static void take_rows(struct salvage *v)
{
    struct baod_statement *st = NULL;
    int64_t after = 0, jump = 1;
    int rc = baod_db_prepare(v->from, NEXT, &st);

    if (rc == BAOD_DB_E_SQL)
        rc = baod_db_prepare(v->from, NEXT_1, &st);
    for (int probes = 0; rc == 0 && probes < PROBES;) {
        baod_db_reset(st);
        baod_db_bind_number(st, 1, after);
        while ((rc = baod_db_step(st)) == BAOD_DB_ROW) {
            after = baod_db_number(st, 0);
            if (!take_over(v, st))
                tell_lost(v, st, 1);
            jump = 1;
            probes = 0;
        }
        if (rc == 0)
            break;
        after = after > INT64_MAX - jump ? INT64_MAX : after + jump;
        jump *= 2;
        probes++;
        rc = 0;
    }
    baod_db_finalize(st);
}

/* The keys stand in an index too, which may be sound where the rows are not; from both ends. */
static void tell_keys(struct salvage *v)
{
    static const char *const KEYS[] = {
        "SELECT unit, form, period, revision FROM report ORDER BY unit, form, period, revision",
        "SELECT unit, form, period, revision FROM report ORDER BY unit DESC, form DESC, period DESC, "
        "revision DESC",
    };

    for (size_t i = 0; i < BAO_COUNT(KEYS); i++) {
        struct baod_statement *st = NULL;

        if (baod_db_prepare(v->from, KEYS[i], &st) == 0)
            while (baod_db_step(st) == BAOD_DB_ROW)
                tell_lost(v, st, 0);
        baod_db_finalize(st);
    }
}

static void take_lists(struct salvage *v)
{
    struct baod_statement *st = NULL, *to = v->f->statements[Q_KEEP_LIST];

    if (baod_db_prepare(v->from, "SELECT name, at, data, seal FROM cache_list", &st) == 0)
        while (baod_db_step(st) == BAOD_DB_ROW) {
            for (int i = 0; i < 4; i++)
                baod_db_bind_column(to, i + 1, st, i);
            (void)baod_spool_run(v->f, Q_KEEP_LIST,
                                 "taking a list over"); /* it is read again from the database */
        }
    baod_db_finalize(st);
}

/* What of the damaged file can be read goes into the new one; what is lost is named. */
static int salvage(struct baod_spool_file *f, const char *aside)
{
    struct salvage v = {.f = f};
    int rc = baod_db_open(aside, false, &v.from), r = 0;

    if (v.from != NULL)
        baod_db_keep_log(v.from); /* it stays as it was found */
    if (rc == 0)
        rc = baod_db_run(f->db, "CREATE TEMP TABLE lost (unit, form, period, revision,"
                                " UNIQUE (unit, form, period, revision))");
    if (rc == 0)
        rc = baod_db_prepare(f->db, "INSERT OR IGNORE INTO lost VALUES (?1, ?2, ?3, ?4)", &v.mark);
    if (rc == 0)
        r = baod_spool_run(f, Q_BEGIN, "beginning");
    if (rc == 0 && r == 0) {
        take_rows(&v);
        tell_keys(&v);
        take_lists(&v);
        r = baod_spool_run(f, Q_COMMIT, "taking reports over");
    }
    baod_db_finalize(v.mark);
    baod_db_close(v.from);
    baod_log(
        BAOD_LOG_ERROR,
        "spool: %s was damaged and is set aside as %s: %llu queued reports were taken over, %llu are lost "
        "and named above; those that cannot even be named must be found with their senders, whose copies "
        "are kept until committed",
        f->path, aside, (unsigned long long)v.saved, (unsigned long long)v.lost);
    f->damaged = v.lost;
    return r < 0 ? r : bao_error_fold(r);
}

int baod_spool_replace_damaged(struct baod_spool_file *f, struct bao_buf *why)
{
    char aside[4096];
    int r = set_aside(f, aside, sizeof(aside));

    if (r == 0)
        r = baod_spool_file_open(f, why);
    if (r == 0)
        r = salvage(f, aside);
    return r == BAOD_SPOOL_E_DAMAGED ? baod_spool_refuse(why, f->path, "a new file cannot be used either")
                                     : r;
}
