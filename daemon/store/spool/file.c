#include "daemon/store/spool/file.h"

#include "daemon/store/spool/log.h"
#include "lib/base/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FORMAT = 2,             /* user_version of the file */
    THOROUGH_PAGES = 16384, /* 64 MiB */
    RESERVE = 1 << 20, /* of the disk's room, for forgetting what was drained; an eighth of a small disk */
    SLICE = 256,       /* pages given back at a time while something waits */
};

/* What baod_spool_row_octets() says of the row. */
#define OCTETS                                                                                               \
    "1024 + length(body) + length(figures) + length(CAST(warnings AS BLOB)) + "                              \
    "length(CAST(explanations AS BLOB)) + length(CAST(collected AS BLOB)) + length(CAST(file AS BLOB)) + "   \
    "length(CAST(sender AS BLOB))"

static const char *const SQL[BAOD_SPOOL_STATEMENTS] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_INSERT] = "INSERT INTO report (" BAOD_SPOOL_COLUMNS
                 "sender) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                 "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    [Q_BY_KEY] =
        "SELECT " BAOD_SPOOL_COLUMNS "sender FROM report WHERE unit = ?1 AND form = ?2 AND period = ?3"
        "   AND (?4 = 0 OR revision = ?4) ORDER BY revision DESC LIMIT 1",
    [Q_BY_RECEIPT] = "SELECT " BAOD_SPOOL_COLUMNS "sender FROM report WHERE receipt = ?1",
    [Q_NEXT] = "SELECT " BAOD_SPOOL_COLUMNS "sender FROM report WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    [Q_DELETE] = "DELETE FROM report WHERE seq = ?1 RETURNING " OCTETS
                 ", unit, form, period, revision, receipt, received_at, content",
    [Q_REMEMBER] = "INSERT OR REPLACE INTO drained (seq, unit, form, period, revision, receipt, received_at, "
                   "content, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [Q_FORGET_OLD] = "DELETE FROM drained WHERE seq <= (SELECT max(seq) FROM drained) - ?1",
    [Q_REMEMBERED_KEY] = "SELECT receipt, received_at, content, seal FROM drained"
                         " WHERE unit = ?1 AND form = ?2 AND period = ?3 AND revision = ?4",
    [Q_SET_ASIDE] =
        "INSERT OR REPLACE INTO damaged (seq, unit, form, period, revision, receipt, received_at, body)"
        " SELECT seq, unit, form, period, revision, receipt, received_at, body FROM report"
        "  WHERE seq = ?1",
    [Q_KEEP_LIST] =
        "INSERT INTO cache_list (name, at, data, seal) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (name) DO UPDATE SET at = excluded.at, data = excluded.data, seal = excluded.seal",
    [Q_CLEAR_OBLIGATIONS] = "DELETE FROM cache_obligation",
    [Q_KEEP_OBLIGATION] =
        "INSERT OR REPLACE INTO cache_obligation (unit, form, period, due_at, last_revision)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [Q_OBLIGATION] = "SELECT due_at, last_revision FROM cache_obligation"
                     " WHERE unit = ?1 AND form = ?2 AND period = ?3",
    [Q_FREE_PAGES] = "PRAGMA freelist_count",
    [Q_OLDEST] = "SELECT received_at FROM report ORDER BY seq LIMIT 1",
};

/* Keys that PostgreSQL has: sent again while it is away they are still the same reports. */
#define DRAINED                                                                                              \
    "CREATE TABLE drained (seq INTEGER PRIMARY KEY, unit TEXT NOT NULL, form TEXT NOT NULL,"                 \
    "  period TEXT NOT NULL, revision INTEGER NOT NULL, receipt BLOB NOT NULL,"                              \
    "  received_at INTEGER NOT NULL, content BLOB NOT NULL, seal BLOB NOT NULL,"                             \
    "  UNIQUE (unit, form, period, revision));"

/* Times are microseconds since 1970 (UTC); the view says them in Vietnam's time. */
static const char SCHEMA[] =
    "CREATE TABLE report (seq INTEGER PRIMARY KEY AUTOINCREMENT, unit TEXT NOT NULL, form TEXT NOT NULL,"
    "  period TEXT NOT NULL, revision INTEGER NOT NULL, receipt BLOB NOT NULL UNIQUE,"
    "  received_at INTEGER NOT NULL, due_at INTEGER, form_version INTEGER NOT NULL, nil INTEGER NOT NULL,"
    "  cutoff INTEGER NOT NULL, unjudged INTEGER NOT NULL, raw_size INTEGER NOT NULL, content BLOB NOT NULL,"
    "  sha256 BLOB NOT NULL, figures BLOB NOT NULL, warnings TEXT NOT NULL, explanations TEXT NOT NULL,"
    "  collected TEXT NOT NULL, body BLOB NOT NULL, file TEXT NOT NULL, seal BLOB NOT NULL,"
    "  sender TEXT NOT NULL DEFAULT '', UNIQUE (unit, form, period, revision));" DRAINED
    "CREATE TABLE damaged (seq INTEGER PRIMARY KEY, unit, form, period, revision, receipt, received_at, "
    "body);"
    "CREATE TABLE cache_list (name TEXT PRIMARY KEY, at INTEGER NOT NULL, data BLOB NOT NULL,"
    "  seal BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cache_obligation (unit TEXT NOT NULL, form TEXT NOT NULL, period TEXT NOT NULL,"
    "  due_at INTEGER, last_revision INTEGER NOT NULL, PRIMARY KEY (unit, form, period)) WITHOUT ROWID;"
    "CREATE VIEW waiting AS SELECT seq, unit, form, period, revision,"
    "  datetime(received_at / 1000000, 'unixepoch', '+7 hours') AS received_at,"
    "  datetime(due_at / 1000000, 'unixepoch', '+7 hours') AS due_at, lower(hex(receipt)) AS receipt,"
    "  length(body) AS octets FROM report ORDER BY seq;"
    "PRAGMA user_version = 2";

/* From format 1, by the same name but without senders and what was drained. */
static const char UPGRADE[] = "BEGIN; ALTER TABLE report ADD COLUMN sender TEXT NOT NULL DEFAULT '';" DRAINED
                              "PRAGMA user_version = 2; COMMIT";

bool baod_spool_get_row(struct baod_statement *st, struct baod_spool_row *ret)
{
    uint8_t stored[BAO_SHA256_LEN], is[BAO_SHA256_LEN];

    *ret = (struct baod_spool_row){
        .seq = baod_db_number(st, 0),
        .unit = baod_db_text(st, 1),
        .form = baod_db_text(st, 2),
        .period = baod_db_text(st, 3),
        .revision = (int)baod_db_number(st, 4),
        .received_at = baod_db_number(st, 6),
        .due_at = baod_db_is_null(st, 7) ? BAO_TIME_NONE : baod_db_number(st, 7),
        .form_version = (int)baod_db_number(st, 8),
        .nil = (int)baod_db_number(st, 9) != 0,
        .cutoff = (int)baod_db_number(st, 10),
        .unjudged = baod_db_number(st, 11),
        .raw_size = baod_db_number(st, 12),
        .figures = baod_db_text(st, 15),
        .warnings = baod_db_text(st, 16),
        .explanations = baod_db_text(st, 17),
        .collected = baod_db_text(st, 18),
        .body = baod_db_text(st, 19),
        .file = baod_db_text(st, 20),
        .sender = baod_db_text(st, 22),
    };
    baod_db_octets(st, 5, ret->receipt, sizeof(ret->receipt));
    baod_db_octets(st, 13, ret->content, sizeof(ret->content));
    baod_db_octets(st, 14, ret->sha256, sizeof(ret->sha256));
    baod_db_octets(st, 21, stored, sizeof(stored));
    baod_spool_seal(ret, is);
    return memcmp(stored, is, sizeof(is)) == 0;
}

void baod_spool_bind_row(struct baod_statement *st, const struct baod_spool_row *row,
                         const uint8_t of[BAO_SHA256_LEN])
{
    if (row->seq != 0)
        baod_db_bind_number(st, 1, row->seq);
    baod_db_bind_text(st, 2, row->unit);
    baod_db_bind_text(st, 3, row->form);
    baod_db_bind_text(st, 4, row->period);
    baod_db_bind_number(st, 5, row->revision);
    baod_db_bind_octets(st, 6, row->receipt, sizeof(row->receipt));
    baod_db_bind_number(st, 7, row->received_at);
    if (row->due_at != BAO_TIME_NONE)
        baod_db_bind_number(st, 8, row->due_at);
    baod_db_bind_number(st, 9, row->form_version);
    baod_db_bind_number(st, 10, row->nil);
    baod_db_bind_number(st, 11, row->cutoff);
    baod_db_bind_number(st, 12, row->unjudged);
    baod_db_bind_number(st, 13, row->raw_size);
    baod_db_bind_octets(st, 14, row->content, sizeof(row->content));
    baod_db_bind_octets(st, 15, row->sha256, sizeof(row->sha256));
    baod_db_bind_octets(st, 16, row->figures.p, row->figures.n);
    baod_db_bind_text(st, 17, row->warnings);
    baod_db_bind_text(st, 18, row->explanations);
    baod_db_bind_text(st, 19, row->collected);
    baod_db_bind_octets(st, 20, row->body.p, row->body.n);
    baod_db_bind_text(st, 21, row->file);
    baod_db_bind_octets(st, 22, of, BAO_SHA256_LEN);
    baod_db_bind_text(st, 23, row->sender);
}

int baod_spool_side_path(const struct baod_spool_file *f, const char *suffix, char *ret, size_t size)
{
    return snprintf(ret, size, "%s%s", f->path, suffix) >= (int)size ? -ENAMETOOLONG : 0;
}

/* Leaves word for the next start, whose check might find nothing, to set the file aside. */
static void suspect(const struct baod_spool_file *f)
{
    char path[4096];
    int fd = baod_spool_side_path(f, "-suspect", path, sizeof(path)) == 0
                 ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
                 : -1;

    if (fd >= 0)
        close(fd);
}

/* The file can no longer be trusted: nothing is answered from now on. */
static void fail(struct baod_spool_file *f, const char *doing, int rc)
{
    int error = baod_db_errno(f->db);

    if (!f->broken)
        (void)snprintf(f->why, sizeof(f->why), "%s: %s: %s%s%s", f->path, doing, baod_db_why(f->db),
                       error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    f->broken = true;
    if (rc == BAOD_DB_E_DAMAGED)
        suspect(f);
}

int baod_spool_outcome_of(struct baod_spool_file *f, const char *doing, int rc)
{
    int error;

    switch (rc) {
    case 0:
    case BAOD_DB_ROW:
        return 0;
    case BAOD_DB_E_FULL:
        error = baod_db_errno(f->db);
        (void)snprintf(f->full_why, sizeof(f->full_why), "%s",
                       error != 0 ? strerror(error) : baod_db_why(f->db));
        return BAOD_SPOOL_E_FULL;
    case BAOD_DB_E_BUSY:
        return -EAGAIN;
    case -ENOMEM:
        return -ENOMEM;
    default:
        fail(f, doing, rc);
        return -EIO;
    }
}

int baod_spool_run(struct baod_spool_file *f, enum baod_spool_statement which, const char *doing)
{
    struct baod_statement *st = f->statements[which];
    int r = baod_spool_outcome_of(f, doing, baod_db_step(st));

    baod_db_reset(st);
    return r;
}

void baod_spool_roll_back(struct baod_spool_file *f)
{
    if (baod_db_is_within(f->db))
        (void)baod_spool_run(f, Q_ROLLBACK, "rolling back");
    f->untidy = true; /* the log may hold pieces that nobody needs */
}

int baod_spool_empty_log(struct baod_spool_file *f)
{
    return baod_spool_outcome_of(f, "moving the log into the file", baod_db_empty_log(f->db));
}

/* Pages of the file that nothing stands on; 0 also when that cannot be told. */
static int64_t free_pages(struct baod_spool_file *f)
{
    struct baod_statement *st = f->statements[Q_FREE_PAGES];
    int64_t n = baod_db_step(st) == BAOD_DB_ROW ? baod_db_number(st, 0) : 0;

    baod_db_reset(st);
    return n;
}

/* Gives free pages back to the disk: all of them when nothing waits, else a slice, which a full disk has room
 * for too. True when there is more to be given and it is getting less. */
static bool give_back_pages(struct baod_spool_file *f)
{
    int64_t before = free_pages(f), after;

    if (before == 0 || (f->rows != 0 && before < SLICE))
        return false;
    (void)baod_db_run(f->db, f->rows == 0 ? "PRAGMA incremental_vacuum"
                                          : "PRAGMA incremental_vacuum(256)"); /* without room they stay */
    after = free_pages(f);
    return after >= SLICE && after < before;
}

void baod_spool_tidy(struct baod_spool_file *f)
{
    bool more = give_back_pages(f);

    f->untidy = baod_spool_empty_log(f) != 0 || more;
}

/* The log's pages need as much again in the file, and a reserve stays for
 * forgetting: a spool that filled its disk to the last octet could never empty itself. */
int64_t baod_spool_room(const struct baod_spool_file *f)
{
    struct statvfs fs;
    struct stat st = {.st_size = 0};
    char log[4096];
    int64_t whole, reserve;

    if (statvfs(f->path, &fs) < 0 || baod_spool_side_path(f, "-wal", log, sizeof(log)) < 0)
        return INT64_MAX; /* the write itself will tell */
    if (stat(log, &st) < 0)
        st.st_size = 0;
    whole = (int64_t)(fs.f_blocks * fs.f_frsize);
    reserve = whole / 8 < RESERVE ? whole / 8 : RESERVE;
    return (int64_t)(fs.f_bavail * fs.f_frsize) - st.st_size - reserve;
}

/* ------------------------------------------------------------------ opening */

int baod_spool_refuse(struct bao_buf *why, const char *path, const char *what)
{
    int r = bao_buf_printf(why, "spool: %s: %s", path, what);

    return r < 0 ? r : BAOD_SPOOL_E_REFUSED;
}

/* Settings of the connection. Pages are written at COMMIT only, so that the log never holds half a
 * transaction. */
static const char *const PRAGMAS[] = {
    "PRAGMA page_size = 4096",   "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL", "PRAGMA cache_spill = OFF",
};

static int set_up(struct baod_db *db)
{
    char text[64];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < BAO_COUNT(PRAGMAS); i++)
        rc = baod_db_first_text(db, PRAGMAS[i], text, sizeof(text));
    return rc;
}

/* Is the whole file sound, and of our format? A new one is given its tables. */
static int check_file(struct baod_db *db)
{
    char text[128];
    int rc = baod_db_first_text(db, "PRAGMA page_count", text, sizeof(text));

    /* Indexes against rows too, as long as that takes no time to speak of. */
    if (rc == 0)
        rc = baod_db_first_text(db,
                                strtol(text, NULL, 10) < THOROUGH_PAGES ? "PRAGMA integrity_check(1)"
                                                                        : "PRAGMA quick_check(1)",
                                text, sizeof(text));

    if (rc == 0 && strcmp(text, "ok") != 0)
        return BAOD_DB_E_DAMAGED;
    if (rc == 0)
        rc = baod_db_first_text(db, "SELECT count(*) FROM sqlite_schema", text, sizeof(text));
    if (rc == 0 && strcmp(text, "0") == 0)
        rc = baod_db_run(db, SCHEMA);
    if (rc == 0)
        rc = baod_db_first_text(db, "PRAGMA user_version", text, sizeof(text));
    if (rc == 0 && strcmp(text, "1") == 0) {
        rc = baod_db_run(db, UPGRADE);
        (void)snprintf(text, sizeof(text), "%d", FORMAT);
    }
    return rc == 0 && strtol(text, NULL, 10) != FORMAT ? BAOD_DB_E_DAMAGED : rc;
}

static int prepare_all(struct baod_spool_file *f)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < BAOD_SPOOL_STATEMENTS; i++)
        rc = baod_db_prepare(f->db, SQL[i], &f->statements[i]);
    return rc;
}

static int count_rows(struct baod_spool_file *f)
{
    struct baod_statement *st = NULL;
    int rc = baod_db_prepare(f->db, "SELECT count(*), coalesce(sum(" OCTETS "), 0) FROM report", &st);

    if (rc == 0)
        rc = baod_db_step(st);
    if (rc == BAOD_DB_ROW) {
        f->rows = (uint64_t)baod_db_number(st, 0);
        f->bytes = (uint64_t)baod_db_number(st, 1);
    }
    baod_db_finalize(st);
    return rc == BAOD_DB_ROW ? 0 : rc;
}

void baod_spool_file_close(struct baod_spool_file *f)
{
    for (size_t i = 0; i < BAOD_SPOOL_STATEMENTS; i++) {
        baod_db_finalize(f->statements[i]);
        f->statements[i] = NULL;
    }
    baod_db_close(f->db);
    f->db = NULL;
}

int baod_spool_file_open(struct baod_spool_file *f, struct bao_buf *why)
{
    char log[4096];
    int r = baod_spool_side_path(f, "-suspect", log, sizeof(log)), rc;

    if (r == 0 && unlink(log) == 0)
        return BAOD_SPOOL_E_DAMAGED; /* found to be so while it was in use */
    if (r == 0)
        r = baod_spool_side_path(f, "-wal", log, sizeof(log));
    if (r == 0)
        r = baod_spool_log_check(f->path, log);
    if (r != 0)
        return r == BAOD_SPOOL_LOG_E_DAMAGED ? BAOD_SPOOL_E_DAMAGED : r;
    rc = baod_db_open(f->path, true, &f->db);
    if (f->db == NULL)
        return rc;
    if (rc == 0)
        rc = set_up(f->db);
    if (rc == 0)
        rc = check_file(f->db);
    if (rc == 0)
        rc = prepare_all(f);
    if (rc == 0)
        rc = count_rows(f);
    if (rc == 0)
        return 0;
    r = rc == BAOD_DB_E_DAMAGED || rc == BAOD_DB_E_SQL ? BAOD_SPOOL_E_DAMAGED
                                                       : baod_spool_refuse(why, f->path, baod_db_why(f->db));
    baod_spool_file_close(f);
    return r;
}
