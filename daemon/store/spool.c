#include "daemon/store/spool.h"

#include "daemon/ops/log.h"
#include "daemon/store/spool_log.h"
#include "lib/base/error.h"
#include "lib/form/receipt.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    GROUP_MAX = 64,  /* reports of one commit */
    BUSY_MS = 5000,  /* somebody looks at the file with another program */
    TIDY_MS = 100,   /* of quiet, before what the log holds is moved into the file */
    AGAIN_MS = 1000, /* before what the full disk did not let be done is tried again */
    TAKE_OCTETS = 8 << 20,
    ROW_OCTETS = 1024, /* of a row beside its texts: keys, indexes, receipt */
    ARENA_MAX = 256 << 20,
    FILE_MAX = 8192,
    SENDER_MAX = 64 << 10,
    WHY_MAX = 500,
    FORMAT = 2,          /* user_version of the file */
    REMEMBERED = 200000, /* keys of reports that PostgreSQL has */
    FIGURE_OCTETS = 9,
    THOROUGH_PAGES = 16384, /* 64 MiB */
    RESERVE = 1 << 20, /* of the disk's room, for forgetting what was drained; an eighth of a small disk */
    COMMIT_OCTETS = 16 << 10, /* of the log for one report, beside its own octets: pages are written whole */
    SLOWLY = 4,               /* reports forgotten at a time on a full disk */
    SLICE = 256,              /* pages given back at a time while something waits */
    PROBES = 48,              /* how often a damaged stretch is jumped over, each time twice as far */
};

/* An outcome of put(): E_FULL by our own cap, which hinders nobody else of the group. */
enum { CAPPED = 100 };

enum kind { PUT, FIND, TAKE, DROP, KEEP, KEEP_OBLIGATIONS };

/* One thing asked of the thread, and its answer. */
struct call {
    struct call *next;
    enum kind kind;
    struct bao_arena arena; /* copies of what was asked; rows of the answer */
    struct baod_submission *s;
    struct baod_stat_ask ask;
    int64_t after;
    size_t most;
    int64_t *seqs;
    bool remember;
    struct baod_spool_obligation *obligations;
    size_t n; /* of seqs or obligations */
    struct bao_str name, data;
    bao_time at;
    int outcome;
    struct baod_spool_row *rows;
    size_t n_rows;
    int last_revision;
    baod_spool_put_done *put;
    baod_spool_find_done *found;
    baod_spool_take_done *taken;
    void *user;
};

struct calls {
    struct call *first, *last;
};

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    INSERT,
    BY_KEY,
    REMEMBER,
    FORGET_OLD,
    REMEMBERED_KEY,
    BY_RECEIPT,
    NEXT,
    DELETE,
    SET_ASIDE,
    KEEP_LIST,
    CLEAR_OBLIGATIONS,
    KEEP_OBLIGATION,
    OBLIGATION,
    FREE_PAGES,
    OLDEST,
    STATEMENTS
};

#define ROW                                                                                                  \
    "seq, unit, form, period, revision, receipt, received_at, due_at, form_version, nil, cutoff, unjudged, " \
    "raw_size, content, sha256, figures, warnings, explanations, collected, body, file, seal, "

/* What row_octets() says of the row. */
#define OCTETS                                                                                               \
    "1024 + length(body) + length(figures) + length(CAST(warnings AS BLOB)) + "                              \
    "length(CAST(explanations AS BLOB)) + length(CAST(collected AS BLOB)) + length(CAST(file AS BLOB)) + "   \
    "length(CAST(sender AS BLOB))"

static const char *const SQL[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [INSERT] =
        "INSERT INTO report (" ROW "sender) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    [BY_KEY] = "SELECT " ROW "sender FROM report WHERE unit = ?1 AND form = ?2 AND period = ?3"
               "   AND (?4 = 0 OR revision = ?4) ORDER BY revision DESC LIMIT 1",
    [BY_RECEIPT] = "SELECT " ROW "sender FROM report WHERE receipt = ?1",
    [NEXT] = "SELECT " ROW "sender FROM report WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    [DELETE] = "DELETE FROM report WHERE seq = ?1 RETURNING " OCTETS
               ", unit, form, period, revision, receipt, received_at, content",
    [REMEMBER] = "INSERT OR REPLACE INTO drained (seq, unit, form, period, revision, receipt, received_at, "
                 "content, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [FORGET_OLD] = "DELETE FROM drained WHERE seq <= (SELECT max(seq) FROM drained) - ?1",
    [REMEMBERED_KEY] = "SELECT receipt, received_at, content, seal FROM drained"
                       " WHERE unit = ?1 AND form = ?2 AND period = ?3 AND revision = ?4",
    [SET_ASIDE] =
        "INSERT OR REPLACE INTO damaged (seq, unit, form, period, revision, receipt, received_at, body)"
        " SELECT seq, unit, form, period, revision, receipt, received_at, body FROM report"
        "  WHERE seq = ?1",
    [KEEP_LIST] =
        "INSERT INTO cache_list (name, at, data, seal) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (name) DO UPDATE SET at = excluded.at, data = excluded.data, seal = excluded.seal",
    [CLEAR_OBLIGATIONS] = "DELETE FROM cache_obligation",
    [KEEP_OBLIGATION] = "INSERT OR REPLACE INTO cache_obligation (unit, form, period, due_at, last_revision)"
                        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [OBLIGATION] = "SELECT due_at, last_revision FROM cache_obligation"
                   " WHERE unit = ?1 AND form = ?2 AND period = ?3",
    [FREE_PAGES] = "PRAGMA freelist_count",
    [OLDEST] = "SELECT received_at FROM report ORDER BY seq LIMIT 1",
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

struct kept {
    struct kept *next;
    struct bao_str name, data;
    bao_time at;
};

struct baod_spool {
    struct baod_spool_options options;
    char *path, *province, *node;
    uint8_t pub[BAO_ED25519_KEY_LEN];
    struct bao_arena lists; /* what was kept when the file was opened */
    struct kept *kept;

    /* The thread's own while it runs. */
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct calls undropped; /* DROPs that wait for room on the disk */
    bool untidy, told_full;
    uint64_t rows, bytes;
    int64_t room;      /* of the disk, for this group */
    char full_why[64]; /* what the disk said when it did not take something */

    /* Shared, under the mutex. */
    uv_mutex_t mutex;
    uv_cond_t cond;
    struct calls asked, answered;
    struct baod_spool_counts counts;
    bool stop, broken, busy;
    uint64_t turns, seen_turns; /* groups done; at the last question whether it lives */
    char why[WHY_MAX];

    uv_thread_t thread;
    uv_async_t async;
    bool told_broken;
};

/* ------------------------------------------------------------------ lists of calls */

static void push(struct calls *list, struct call *call)
{
    call->next = NULL;
    if (list->last == NULL)
        list->first = call;
    else
        list->last->next = call;
    list->last = call;
}

static struct call *pop(struct calls *list)
{
    struct call *call = list->first;

    if (call == NULL)
        return NULL;
    list->first = call->next;
    if (list->first == NULL)
        list->last = NULL;
    return call;
}

static struct call *new_call(enum kind kind, void *user)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->kind = kind;
    call->user = user;
    bao_arena_init(&call->arena, ARENA_MAX);
    return call;
}

static void free_call(struct call *call)
{
    bao_arena_deinit(&call->arena);
    free(call);
}

static void ask(struct baod_spool *sp, struct call *call)
{
    uv_mutex_lock(&sp->mutex);
    push(&sp->asked, call);
    uv_cond_signal(&sp->cond);
    uv_mutex_unlock(&sp->mutex);
}

/* ------------------------------------------------------------------ rows */

static void feed_number(struct bao_sha256 *h, int64_t v)
{
    bao_sha256_feed(h, &v, sizeof(v));
}

static void feed_text(struct bao_sha256 *h, struct bao_str s)
{
    feed_number(h, (int64_t)s.n);
    bao_sha256_feed(h, s.p, s.n);
}

/* The seal: a hash over every column but itself. */
static void seal(const struct baod_spool_row *row, uint8_t ret[BAO_SHA256_LEN])
{
    const struct bao_str texts[] = {row->unit,      row->form,     row->period,
                                    row->figures,   row->warnings, row->explanations,
                                    row->collected, row->body,     row->file}; /* as in format 1 */
    const int64_t numbers[] = {row->revision, row->form_version, row->received_at, row->due_at,
                               row->nil,      row->cutoff,       row->unjudged,    row->raw_size};
    struct bao_sha256 h;

    bao_sha256_init(&h);
    for (size_t i = 0; i < BAO_COUNT(numbers); i++)
        feed_number(&h, numbers[i]);
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        feed_text(&h, texts[i]);
    bao_sha256_feed(&h, row->receipt, sizeof(row->receipt));
    bao_sha256_feed(&h, row->content, sizeof(row->content));
    bao_sha256_feed(&h, row->sha256, sizeof(row->sha256));
    if (row->sender.n != 0) /* rows of format 1 have none */
        feed_text(&h, row->sender);
    bao_sha256_get(&h, ret);
}

/* The seal of what is remembered of a report that was drained. */
static void seal_drained(const struct baod_spool_row *row, uint8_t ret[BAO_SHA256_LEN])
{
    const struct bao_str texts[] = {row->unit, row->form, row->period};
    struct bao_sha256 h;

    bao_sha256_init(&h);
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        feed_text(&h, texts[i]);
    feed_number(&h, row->revision);
    feed_number(&h, row->received_at);
    bao_sha256_feed(&h, row->receipt, sizeof(row->receipt));
    bao_sha256_feed(&h, row->content, sizeof(row->content));
    bao_sha256_get(&h, ret);
}

static void seal_list(struct bao_str name, bao_time at, struct bao_str data, uint8_t ret[BAO_SHA256_LEN])
{
    struct bao_sha256 h;

    bao_sha256_init(&h);
    feed_text(&h, name);
    feed_number(&h, at);
    feed_text(&h, data);
    bao_sha256_get(&h, ret);
}

static uint64_t row_octets(const struct baod_spool_row *row)
{
    return ROW_OCTETS + row->body.n + row->figures.n + row->warnings.n + row->explanations.n +
           row->collected.n + row->file.n + row->sender.n;
}

static struct bao_str column(sqlite3_stmt *st, int at)
{
    const void *p = sqlite3_column_blob(st, at);

    return (struct bao_str){p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(st, at)};
}

static void column_octets(sqlite3_stmt *st, int at, uint8_t *ret, size_t n)
{
    struct bao_str s = column(st, at);

    memset(ret, 0, n);
    if (s.n == n)
        memcpy(ret, s.p, n);
}

/* The row under the statement. Texts are the statement's until its next step. True when its seal holds. */
static bool get_row(sqlite3_stmt *st, struct baod_spool_row *ret)
{
    uint8_t stored[BAO_SHA256_LEN], is[BAO_SHA256_LEN];

    *ret = (struct baod_spool_row){
        .seq = sqlite3_column_int64(st, 0),
        .unit = column(st, 1),
        .form = column(st, 2),
        .period = column(st, 3),
        .revision = sqlite3_column_int(st, 4),
        .received_at = sqlite3_column_int64(st, 6),
        .due_at = sqlite3_column_type(st, 7) == SQLITE_NULL ? BAO_TIME_NONE : sqlite3_column_int64(st, 7),
        .form_version = sqlite3_column_int(st, 8),
        .nil = sqlite3_column_int(st, 9) != 0,
        .cutoff = sqlite3_column_int(st, 10),
        .unjudged = sqlite3_column_int64(st, 11),
        .raw_size = sqlite3_column_int64(st, 12),
        .figures = column(st, 15),
        .warnings = column(st, 16),
        .explanations = column(st, 17),
        .collected = column(st, 18),
        .body = column(st, 19),
        .file = column(st, 20),
        .sender = column(st, 22),
    };
    column_octets(st, 5, ret->receipt, sizeof(ret->receipt));
    column_octets(st, 13, ret->content, sizeof(ret->content));
    column_octets(st, 14, ret->sha256, sizeof(ret->sha256));
    column_octets(st, 21, stored, sizeof(stored));
    seal(ret, is);
    return memcmp(stored, is, sizeof(is)) == 0;
}

/* Copies a row's texts out of its statement. */
static bool keep_row(struct bao_arena *arena, struct baod_spool_row *row)
{
    struct bao_str *texts[] = {&row->unit,     &row->form,         &row->period,    &row->figures,
                               &row->warnings, &row->explanations, &row->collected, &row->body,
                               &row->file,     &row->sender};

    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = texts[i]->n == 0 ? BAO_STR("") : bao_arena_str(arena, *texts[i]);
        if (texts[i]->p == NULL)
            return false;
    }
    return true;
}

static void bind_text(sqlite3_stmt *st, int at, struct bao_str s)
{
    (void)sqlite3_bind_text(st, at, s.n == 0 ? "" : s.p, (int)s.n,
                            SQLITE_STATIC); /* fails only out of range */
}

static void bind_octets(sqlite3_stmt *st, int at, const void *p, size_t n)
{
    (void)sqlite3_bind_blob(st, at, n == 0 ? "" : p, (int)n, SQLITE_STATIC);
}

static void bind_row(sqlite3_stmt *st, const struct baod_spool_row *row, const uint8_t of[BAO_SHA256_LEN])
{
    if (row->seq != 0)
        sqlite3_bind_int64(st, 1, row->seq);
    bind_text(st, 2, row->unit);
    bind_text(st, 3, row->form);
    bind_text(st, 4, row->period);
    sqlite3_bind_int(st, 5, row->revision);
    bind_octets(st, 6, row->receipt, sizeof(row->receipt));
    sqlite3_bind_int64(st, 7, row->received_at);
    if (row->due_at != BAO_TIME_NONE)
        sqlite3_bind_int64(st, 8, row->due_at);
    sqlite3_bind_int(st, 9, row->form_version);
    sqlite3_bind_int(st, 10, row->nil);
    sqlite3_bind_int(st, 11, row->cutoff);
    sqlite3_bind_int64(st, 12, row->unjudged);
    sqlite3_bind_int64(st, 13, row->raw_size);
    bind_octets(st, 14, row->content, sizeof(row->content));
    bind_octets(st, 15, row->sha256, sizeof(row->sha256));
    bind_octets(st, 16, row->figures.p, row->figures.n);
    bind_text(st, 17, row->warnings);
    bind_text(st, 18, row->explanations);
    bind_text(st, 19, row->collected);
    bind_octets(st, 20, row->body.p, row->body.n);
    bind_text(st, 21, row->file);
    bind_octets(st, 22, of, BAO_SHA256_LEN);
    bind_text(st, 23, row->sender);
}

/* ------------------------------------------------------------------ what SQLite answers */

/* Did the disk not take it, for want of room or because of an error? It may pass, and nothing that was synced
 * is in doubt: the transaction is rolled back, and the next one writes its pages over those of this one. Of a
 * failed sync nothing of the kind can be said, nor of a failed read. */
static bool is_not_taken(int rc)
{
    switch (rc) {
    case SQLITE_FULL:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMMAP:
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_TRUNCATE:
        return true;
    default:
        return false;
    }
}

/* Why, in the system's words, or where it gave none in SQLite's. */
static const char *why_not_taken(sqlite3 *db, int rc)
{
    int error = rc == SQLITE_FULL ? ENOSPC : sqlite3_system_errno(db);

    return error != 0 ? strerror(error) : sqlite3_errmsg(db);
}

static int log_path(const struct baod_spool *sp, const char *suffix, char *ret, size_t size)
{
    return snprintf(ret, size, "%s%s", sp->path, suffix) >= (int)size ? -ENAMETOOLONG : 0;
}

/* Leaves word for the next start, whose check might find nothing, to set the file aside. */
static void suspect(const struct baod_spool *sp)
{
    char path[4096];
    int fd = log_path(sp, "-suspect", path, sizeof(path)) == 0
                 ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
                 : -1;

    if (fd >= 0)
        close(fd);
}

/* The file can no longer be trusted: nothing is answered from now on. */
static void fail(struct baod_spool *sp, const char *doing, int rc)
{
    int error = (rc & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(sp->db) : 0;

    uv_mutex_lock(&sp->mutex);
    if (!sp->broken)
        (void)snprintf(sp->why, sizeof(sp->why), "%s: %s: %s%s%s", sp->path, doing, sqlite3_errmsg(sp->db),
                       error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    sp->broken = true;
    uv_mutex_unlock(&sp->mutex);
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        suspect(sp);
}

/* Turns SQLite's answer into ours: 0, E_FULL, <0; what is beyond mending is told by fail(). */
static int outcome_of(struct baod_spool *sp, const char *doing, int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return 0;
    if (is_not_taken(rc)) {
        (void)snprintf(sp->full_why, sizeof(sp->full_why), "%s", why_not_taken(sp->db, rc));
        return BAOD_SPOOL_E_FULL;
    }
    if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED || (rc & 0xff) == SQLITE_CONSTRAINT)
        return -EAGAIN;
    if ((rc & 0xff) == SQLITE_NOMEM)
        return -ENOMEM;
    fail(sp, doing, rc);
    return -EIO;
}

/* Runs a bound statement that gives no rows, and makes it ready for the next time. */
static int run(struct baod_spool *sp, enum statement which, const char *doing)
{
    sqlite3_stmt *st = sp->statements[which];
    int rc = sqlite3_step(st), r = outcome_of(sp, doing, rc);

    (void)sqlite3_reset(st); /* repeats the failure of the step */
    (void)sqlite3_clear_bindings(st);
    return r;
}

static void roll_back(struct baod_spool *sp)
{
    if (sqlite3_get_autocommit(sp->db) == 0)
        (void)run(sp, ROLLBACK, "rolling back");
    sp->untidy = true; /* the log may hold pieces that nobody needs */
}

/* ------------------------------------------------------------------ forgetting */

/* Takes down the key of the row under DELETE, of which PostgreSQL has the report. */
static int remember(struct baod_spool *sp, int64_t seq)
{
    sqlite3_stmt *of = sp->statements[DELETE], *st = sp->statements[REMEMBER];
    struct baod_spool_row row = {.unit = column(of, 1),
                                 .form = column(of, 2),
                                 .period = column(of, 3),
                                 .revision = sqlite3_column_int(of, 4),
                                 .received_at = sqlite3_column_int64(of, 6)};
    uint8_t seal_of[BAO_SHA256_LEN];

    column_octets(of, 5, row.receipt, sizeof(row.receipt));
    column_octets(of, 7, row.content, sizeof(row.content));
    seal_drained(&row, seal_of);
    sqlite3_bind_int64(st, 1, seq);
    bind_text(st, 2, row.unit);
    bind_text(st, 3, row.form);
    bind_text(st, 4, row.period);
    sqlite3_bind_int(st, 5, row.revision);
    bind_octets(st, 6, row.receipt, sizeof(row.receipt));
    sqlite3_bind_int64(st, 7, row.received_at);
    bind_octets(st, 8, row.content, sizeof(row.content));
    bind_octets(st, 9, seal_of, sizeof(seal_of));
    return run(sp, REMEMBER, "remembering a report");
}

/* Deletes one row; its octets are added up. */
static int delete_row(struct baod_spool *sp, int64_t seq, bool keep_key, uint64_t *rows, uint64_t *octets)
{
    sqlite3_stmt *st = sp->statements[DELETE];
    int rc, r = 0;

    sqlite3_bind_int64(st, 1, seq);
    while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        *rows += 1;
        *octets += (uint64_t)sqlite3_column_int64(st, 0);
        if (keep_key)
            r = remember(sp, seq);
    }
    if (r == 0)
        r = outcome_of(sp, "forgetting a report", rc);
    (void)sqlite3_reset(st);
    return r;
}

static void take_off(struct baod_spool *sp, uint64_t rows, uint64_t octets)
{
    sp->rows -= rows < sp->rows ? rows : sp->rows;
    sp->bytes -= octets < sp->bytes ? octets : sp->bytes;
    sp->untidy = true;
}

static int drop_some(struct baod_spool *sp, const int64_t *seqs, size_t n, bool keep_keys)
{
    uint64_t rows = 0, octets = 0;
    int r = run(sp, BEGIN, "beginning");

    for (size_t i = 0; r == 0 && i < n; i++)
        r = delete_row(sp, seqs[i], keep_keys, &rows, &octets);
    if (r == 0 && keep_keys) {
        sqlite3_bind_int64(sp->statements[FORGET_OLD], 1, REMEMBERED);
        r = run(sp, FORGET_OLD, "forgetting old keys");
    }
    if (r == 0)
        r = run(sp, COMMIT, "forgetting reports");
    if (r == 0)
        take_off(sp, rows, octets);
    else
        roll_back(sp);
    return r;
}

/* Moves what the log holds into the file and empties the log. */
static int empty_log(struct baod_spool *sp)
{
    return outcome_of(sp, "moving the log into the file",
                      sqlite3_wal_checkpoint_v2(sp->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

static int64_t room(const struct baod_spool *sp);

/* On a full disk a few at a time, the log emptied after each: that needs a few pages only. Their keys are
 * remembered as long as there is room: all that depends on it is which receipt a resend is given. */
static int drop(struct baod_spool *sp, const struct call *call)
{
    int r = drop_some(sp, call->seqs, call->n, call->remember && room(sp) > 0);

    if (r != BAOD_SPOOL_E_FULL)
        return r;
    r = empty_log(sp);
    for (size_t i = 0; r == 0 && i < call->n; i += SLOWLY) {
        r = drop_some(sp, call->seqs + i, call->n - i < SLOWLY ? call->n - i : SLOWLY, false);
        if (r == 0)
            r = empty_log(sp);
    }
    return r;
}

/* A row that does not fit its seal, inside a transaction: kept apart for a person, no longer in anybody's
 * way. */
static int put_aside(struct baod_spool *sp, int64_t seq)
{
    uint64_t rows = 0, octets = 0;
    int r;

    sqlite3_bind_int64(sp->statements[SET_ASIDE], 1, seq);
    r = run(sp, SET_ASIDE, "setting a report aside");
    if (r == 0)
        r = delete_row(sp, seq, false, &rows, &octets);
    if (r == 0)
        take_off(sp, rows, octets);
    uv_mutex_lock(&sp->mutex);
    sp->counts.damaged++;
    uv_mutex_unlock(&sp->mutex);
    return r;
}

static void tell_damaged(const struct baod_spool *sp, const struct baod_spool_row *row)
{
    baod_log(
        BAOD_LOG_ERROR,
        "spool: the queued report of unit %.*s, form %.*s, period %.*s, revision %d is damaged on disk and "
        "must be sent again; what is left of it stands in table damaged of %s",
        BAO_STR_ARG(row->unit), BAO_STR_ARG(row->form), BAO_STR_ARG(row->period), row->revision, sp->path);
}

/* ------------------------------------------------------------------ putting */

static bool pack(const struct bao_verdict *v, struct bao_arena *arena, struct bao_str *ret)
{
    size_t n = v->form->n_indicators;
    char *p = bao_arena_alloc(arena, n * FIGURE_OCTETS + 1);

    if (p == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t scaled = (uint64_t)v->figures[i].scaled;

        p[i * FIGURE_OCTETS] = (char)v->figures[i].present;
        for (size_t k = 0; k < 8; k++)
            p[i * FIGURE_OCTETS + 1 + k] = (char)(unsigned char)(scaled >> (8 * k));
    }
    *ret = (struct bao_str){p, n * FIGURE_OCTETS};
    return true;
}

int baod_spool_figures(const struct baod_spool_row *row, struct bao_arena *arena, struct bao_figure **ret,
                       size_t *ret_n)
{
    size_t n = row->figures.n / FIGURE_OCTETS;
    struct bao_figure *figures = bao_arena_array(arena, n, sizeof(*figures));
    const unsigned char *p = (const unsigned char *)row->figures.p;

    if (row->figures.n % FIGURE_OCTETS != 0)
        return -EBADMSG;
    if (figures == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++, p += FIGURE_OCTETS) {
        uint64_t scaled = 0;

        for (size_t k = 8; k > 0; k--)
            scaled = scaled << 8 | p[k];
        figures[i] = (struct bao_figure){.present = p[0] != 0, .scaled = (int64_t)scaled};
    }
    *ret = figures;
    *ret_n = n;
    return 0;
}

/* A batch of its own, number 0, which stands before all that PostgreSQL will ever number: so a queued receipt
 * is verified by the same key and the same program as a committed one. */
static int sign(const struct baod_spool *sp, struct bao_arena *arena, struct baod_spool_row *row)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(FILE_MAX), file = BAO_BUF_NULL(FILE_MAX);
    struct bao_leaf leaf = {.form = row->form,
                            .unit = row->unit,
                            .period = row->period,
                            .revision = row->revision,
                            .received_at = row->received_at,
                            .form_version = row->form_version,
                            .verdict = BAO_STR("queued")};
    struct bao_batch batch = {
        .province = bao_str_c(sp->province), .node = bao_str_c(sp->node), .at = row->received_at, .n = 1};
    struct bao_hash hash;
    int r;

    memcpy(leaf.id, row->receipt, sizeof(leaf.id));
    memcpy(leaf.content, row->content, sizeof(leaf.content));
    r = bao_leaf_print(&text, &leaf);
    if (r < 0)
        return r;
    bao_merkle_leaf(bao_buf_str(&text), &hash);
    bao_merkle_root(&hash, 1, &batch.root);
    r = bao_batch_sign(&batch, sp->options.seed, sp->pub);
    if (r == 0)
        r = bao_receipt_print(&file, bao_buf_str(&text), 0, NULL, 0, &batch);
    if (r < 0)
        return r;
    row->file = bao_arena_str(arena, bao_buf_str(&file));
    return row->file.p == NULL ? -ENOMEM : 0;
}

static int make_id(struct baod_submission *s)
{
    uint8_t random[10];

    if (s->has_id)
        return 0;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -errno;
    bao_uuid_v7(s->received_at, random, s->receipt.id);
    s->has_id = true;
    return 0;
}

static int print_sender(struct bao_arena *arena, const struct baod_identity *who, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(SENDER_MAX);
    int r = baod_identity_print(&text, who);

    if (r == 0)
        *ret = bao_arena_str(arena, bao_buf_str(&text));
    return r == 0 && ret->p == NULL ? -ENOMEM : r;
}

static int make_row(struct baod_spool *sp, struct call *call, struct baod_spool_row *ret)
{
    struct baod_submission *s = call->s;
    const struct bao_verdict *v = &s->verdict;
    char period[16];
    int r = make_id(s);

    bao_period_print(v->period, period);
    *ret = (struct baod_spool_row){.unit = v->unit,
                                   .form = v->form_id,
                                   .period = bao_arena_str(&call->arena, bao_str_c(period)),
                                   .revision = v->revision,
                                   .form_version = v->form->version,
                                   .received_at = s->received_at,
                                   .due_at = s->receipt.due_at,
                                   .nil = v->nil,
                                   .cutoff = v->to,
                                   .unjudged = (int64_t)v->unjudged,
                                   .raw_size = (int64_t)s->document.n,
                                   .warnings = v->warnings,
                                   .explanations = v->explanations,
                                   .collected = v->collected,
                                   .body = s->stored};
    memcpy(ret->receipt, s->receipt.id, sizeof(ret->receipt));
    memcpy(ret->content, v->content, sizeof(ret->content));
    memcpy(ret->sha256, s->sha256, sizeof(ret->sha256));
    if (r == 0 && (ret->period.p == NULL || !pack(v, &call->arena, &ret->figures)))
        r = -ENOMEM;
    if (r == 0 && s->who != NULL)
        r = print_sender(&call->arena, s->who, &ret->sender);
    return r < 0 ? r : sign(sp, &call->arena, ret);
}

void baod_spool_receipt(const struct baod_spool_row *row, struct baod_receipt *ret)
{
    *ret = (struct baod_receipt){.queued = true,
                                 .received_at = row->received_at,
                                 .due_at = row->due_at,
                                 .on_time = row->due_at != BAO_TIME_NONE && row->received_at <= row->due_at,
                                 .form_version = row->form_version,
                                 .revision = row->revision};
    memcpy(ret->id, row->receipt, sizeof(ret->id));
    memcpy(ret->content, row->content, sizeof(ret->content));
    memcpy(ret->sha256, row->sha256, sizeof(ret->sha256));
}

static void tell(struct baod_submission *s, const struct baod_spool_row *row, bool dup)
{
    baod_spool_receipt(row, &s->receipt);
    s->receipt.dup = dup;
}

/* Is the key in the spool already? 0 no, E_SAME, E_OTHER, or <0. A row that cannot be trusted answers
 * nothing. */
static int look_for_key(struct baod_spool *sp, struct call *call)
{
    sqlite3_stmt *st = sp->statements[BY_KEY];
    const struct bao_verdict *v = &call->s->verdict;
    struct baod_spool_row row = {.seq = 0};
    bool damaged = false;
    char period[16];
    int rc, r;

    bao_period_print(v->period, period);
    bind_text(st, 1, v->unit);
    bind_text(st, 2, v->form_id);
    bind_text(st, 3, bao_str_c(period));
    sqlite3_bind_int(st, 4, v->revision);
    rc = sqlite3_step(st);
    r = outcome_of(sp, "looking for a key", rc);
    if (rc == SQLITE_ROW) {
        damaged = !get_row(st, &row);
        if (damaged) {
            tell_damaged(sp, &row);
        } else {
            r = memcmp(row.content, v->content, sizeof(row.content)) == 0 ? BAOD_SPOOL_E_SAME
                                                                          : BAOD_SPOOL_E_OTHER;
            tell(call->s, &row, r == BAOD_SPOOL_E_SAME);
        }
    }
    (void)sqlite3_reset(st);
    return damaged ? put_aside(sp, row.seq) : r;
}

/* Has PostgreSQL this key already? Its id and time are this copy's too then: 0, *ret_is says so; E_OTHER. */
static int look_for_drained(struct baod_spool *sp, struct baod_submission *s, bool *ret_is)
{
    sqlite3_stmt *st = sp->statements[REMEMBERED_KEY];
    const struct bao_verdict *v = &s->verdict;
    struct baod_spool_row row = {.unit = v->unit, .form = v->form_id, .revision = v->revision};
    uint8_t stored[BAO_SHA256_LEN], is[BAO_SHA256_LEN];
    char period[16];
    int rc, r;

    bao_period_print(v->period, period);
    row.period = bao_str_c(period);
    bind_text(st, 1, row.unit);
    bind_text(st, 2, row.form);
    bind_text(st, 3, row.period);
    sqlite3_bind_int(st, 4, row.revision);
    rc = sqlite3_step(st);
    r = outcome_of(sp, "looking for a drained key", rc);
    if (rc == SQLITE_ROW) {
        column_octets(st, 0, row.receipt, sizeof(row.receipt));
        row.received_at = sqlite3_column_int64(st, 1);
        column_octets(st, 2, row.content, sizeof(row.content));
        column_octets(st, 3, stored, sizeof(stored));
        seal_drained(&row, is);
        *ret_is = memcmp(stored, is, sizeof(is)) == 0; /* else it is as if it were not there */
    }
    (void)sqlite3_reset(st);
    if (r != 0 || !*ret_is)
        return r;
    if (memcmp(row.content, v->content, sizeof(row.content)) != 0) {
        s->receipt.received_at = row.received_at;
        return BAOD_SPOOL_E_OTHER;
    }
    memcpy(s->receipt.id, row.receipt, sizeof(row.receipt));
    s->has_id = true;
    if (row.received_at < s->received_at)
        s->received_at = row.received_at;
    return 0;
}

/* What the database last knew of an obligation; last_revision -1: nothing. */
static int look_for_obligation(struct baod_spool *sp, const struct bao_str key[3], bao_time *ret_due,
                               int *ret_last_revision)
{
    sqlite3_stmt *st = sp->statements[OBLIGATION];
    int rc, r;

    for (int i = 0; i < 3; i++)
        bind_text(st, i + 1, key[i]);
    rc = sqlite3_step(st);
    r = outcome_of(sp, "looking for a deadline", rc);
    *ret_due = rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL ? sqlite3_column_int64(st, 0)
                                                                             : BAO_TIME_NONE;
    *ret_last_revision = rc == SQLITE_ROW ? sqlite3_column_int(st, 1) : -1;
    (void)sqlite3_reset(st);
    return r;
}

static int look_for_deadline(struct baod_spool *sp, struct call *call)
{
    const struct bao_verdict *v = &call->s->verdict;
    char period[16];
    int last_revision;

    bao_period_print(v->period, period);
    return look_for_obligation(sp, (struct bao_str[]){v->unit, v->form_id, bao_str_c(period)},
                               &call->s->receipt.due_at, &last_revision);
}

static int put(struct baod_spool *sp, struct call *call)
{
    struct baod_spool_row row;
    uint8_t of[BAO_SHA256_LEN];
    bool drained = false;
    int r = look_for_key(sp, call);

    if (r == 0)
        r = look_for_drained(sp, call->s, &drained);
    if (r == 0)
        r = look_for_deadline(sp, call);
    if (r == 0)
        r = make_row(sp, call, &row);
    if (r != 0)
        return r;
    sp->room -= COMMIT_OCTETS + 2 * (int64_t)row_octets(&row);
    if (sp->bytes + row_octets(&row) > sp->options.max_bytes || sp->room < 0)
        return CAPPED;
    seal(&row, of);
    bind_row(sp->statements[INSERT], &row, of);
    r = run(sp, INSERT, "writing a report");
    if (r == 0) {
        sp->rows++;
        sp->bytes += row_octets(&row);
        tell(call->s, &row, drained);
    }
    return r;
}

/* Octets that may still be written. The log's pages need as much again in the file, and a reserve stays for
 * forgetting: a spool that filled its disk to the last octet could never empty itself. */
static int64_t room(const struct baod_spool *sp)
{
    struct statvfs fs;
    struct stat st = {.st_size = 0};
    char log[4096];
    int64_t whole, reserve;

    if (statvfs(sp->path, &fs) < 0 || log_path(sp, "-wal", log, sizeof(log)) < 0)
        return INT64_MAX; /* the write itself will tell */
    if (stat(log, &st) < 0)
        st.st_size = 0;
    whole = (int64_t)(fs.f_blocks * fs.f_frsize);
    reserve = whole / 8 < RESERVE ? whole / 8 : RESERVE;
    return (int64_t)(fs.f_bavail * fs.f_frsize) - st.st_size - reserve;
}

/* One transaction for all of the group's reports. Should it fail as a whole, none was taken. */
static void put_all(struct baod_spool *sp, struct call *first)
{
    uint64_t rows = sp->rows, bytes = sp->bytes;
    int r;

    sp->room = room(sp);
    sp->full_why[0] = '\0';
    r = run(sp, BEGIN, "beginning");
    for (struct call *call = first; r == 0 && call != NULL; call = call->next) {
        if (call->kind != PUT)
            continue;
        call->outcome = put(sp, call);
        if (call->outcome < 0 || call->outcome == BAOD_SPOOL_E_FULL)
            r = call->outcome; /* a full disk is everybody's affair */
        if (call->outcome == CAPPED)
            call->outcome = BAOD_SPOOL_E_FULL;
    }
    if (r == 0)
        r = run(sp, COMMIT, "syncing reports");
    if (r == 0) {
        sp->untidy = sp->untidy || sp->rows != rows;
        return;
    }
    roll_back(sp);
    sp->rows = rows;
    sp->bytes = bytes;
    for (struct call *call = first; call != NULL; call = call->next)
        if (call->kind == PUT && call->outcome != BAOD_SPOOL_E_OTHER)
            call->outcome = r;
}

/* ------------------------------------------------------------------ reading */

static void find(struct baod_spool *sp, struct call *call)
{
    enum statement which = call->ask.by_receipt ? BY_RECEIPT : BY_KEY;
    sqlite3_stmt *st = sp->statements[which];
    struct baod_spool_row *row = bao_arena_array(&call->arena, 1, sizeof(*row));
    bao_time due;
    int rc;

    if (row == NULL)
        return;
    if (call->ask.by_receipt) {
        bind_octets(st, 1, call->ask.receipt, sizeof(call->ask.receipt));
    } else {
        bind_text(st, 1, call->ask.unit);
        bind_text(st, 2, call->ask.form);
        bind_text(st, 3, call->ask.period);
        sqlite3_bind_int(st, 4, call->ask.revision);
    }
    call->last_revision = -1;
    if (!call->ask.by_receipt &&
        look_for_obligation(sp, (struct bao_str[]){call->ask.unit, call->ask.form, call->ask.period}, &due,
                            &call->last_revision) < 0)
        call->last_revision = -1;
    rc = sqlite3_step(st);
    if (outcome_of(sp, "reading", rc) == 0 && rc == SQLITE_ROW && get_row(st, row) &&
        keep_row(&call->arena, row)) {
        call->rows = row;
        call->n_rows = 1;
    }
    (void)sqlite3_reset(st);
}

static void take(struct baod_spool *sp, struct call *call)
{
    sqlite3_stmt *st = sp->statements[NEXT];
    struct baod_spool_row *bad = bao_arena_array(&call->arena, call->most, sizeof(*bad));
    size_t n_bad = 0, octets = 0;
    int rc = SQLITE_DONE;

    call->rows = bao_arena_array(&call->arena, call->most, sizeof(*call->rows));
    if (call->rows == NULL || bad == NULL)
        return;
    sqlite3_bind_int64(st, 1, call->after);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)call->most);
    while (octets < TAKE_OCTETS && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct baod_spool_row row;
        bool good = get_row(st, &row);

        if (!keep_row(&call->arena, &row))
            break;
        octets += row_octets(&row);
        if (good)
            call->rows[call->n_rows++] = row;
        else
            bad[n_bad++] = row;
    }
    (void)outcome_of(sp, "reading", rc);
    (void)sqlite3_reset(st);
    for (size_t i = 0; i < n_bad; i++) {
        int r = run(sp, BEGIN, "beginning");

        tell_damaged(sp, &bad[i]);
        if (r == 0)
            r = put_aside(sp, bad[i].seq);
        if (r == 0)
            r = run(sp, COMMIT, "setting a report aside");
        if (r != 0)
            roll_back(sp);
    }
}

/* ------------------------------------------------------------------ keeping lists */

static int keep_list(struct baod_spool *sp, const struct call *call)
{
    sqlite3_stmt *st = sp->statements[KEEP_LIST];
    uint8_t of[BAO_SHA256_LEN];

    seal_list(call->name, call->at, call->data, of);
    bind_text(st, 1, call->name);
    sqlite3_bind_int64(st, 2, call->at);
    bind_octets(st, 3, call->data.p, call->data.n);
    bind_octets(st, 4, of, sizeof(of));
    sp->untidy = true;
    return run(sp, KEEP_LIST, "keeping a list");
}

static int keep_obligations(struct baod_spool *sp, const struct call *call)
{
    sqlite3_stmt *st = sp->statements[KEEP_OBLIGATION];
    int r = run(sp, BEGIN, "beginning");

    if (r == 0)
        r = run(sp, CLEAR_OBLIGATIONS, "keeping obligations");
    for (size_t i = 0; r == 0 && i < call->n; i++) {
        const struct baod_spool_obligation *o = &call->obligations[i];

        bind_text(st, 1, o->unit);
        bind_text(st, 2, o->form);
        bind_text(st, 3, o->period);
        if (o->due_at != BAO_TIME_NONE)
            sqlite3_bind_int64(st, 4, o->due_at);
        sqlite3_bind_int(st, 5, o->last_revision);
        r = run(sp, KEEP_OBLIGATION, "keeping obligations");
    }
    if (r == 0)
        r = run(sp, COMMIT, "keeping obligations");
    if (r != 0)
        roll_back(sp);
    sp->untidy = true;
    return r;
}

/* ------------------------------------------------------------------ the thread */

/* Takes the next group: everything asked, up to GROUP_MAX reports; blocks while there is nothing. False: the
 * end.
 */
static bool next_group(struct baod_spool *sp, struct calls *ret)
{
    size_t n = 0;
    uint64_t wait_ms;

    uv_mutex_lock(&sp->mutex);
    wait_ms = sp->untidy ? TIDY_MS : AGAIN_MS;
    while (sp->asked.first == NULL && !sp->stop) {
        if (!sp->untidy && sp->undropped.first == NULL)
            uv_cond_wait(&sp->cond, &sp->mutex);
        else if (uv_cond_timedwait(&sp->cond, &sp->mutex, wait_ms * 1000000) == UV_ETIMEDOUT)
            break; /* a group of nothing: time to tidy up */
    }
    while (sp->asked.first != NULL && n < GROUP_MAX) {
        struct call *call = pop(&sp->asked);

        n += call->kind == PUT;
        push(ret, call);
    }
    n = ret->first == NULL && sp->stop;
    sp->busy = true;
    uv_mutex_unlock(&sp->mutex);
    return n == 0;
}

static void tell_full(struct baod_spool *sp, bool full)
{
    if (full && !sp->told_full)
        baod_log(BAOD_LOG_ERROR,
                 "spool: full%s%s: %llu reports, %llu octets, in %s; more are answered WAIT SPOOLFULL until "
                 "PostgreSQL is back or the disk takes them",
                 *sp->full_why != '\0' ? ": " : "", sp->full_why, (unsigned long long)sp->rows,
                 (unsigned long long)sp->bytes, sp->path);
    if (!full && sp->told_full)
        baod_log(BAOD_LOG_NOTICE, "spool: takes reports again");
    sp->told_full = full;
}

/* Pages of the file that nothing stands on; 0 also when that cannot be told. */
static int64_t free_pages(struct baod_spool *sp)
{
    sqlite3_stmt *st = sp->statements[FREE_PAGES];
    int64_t n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;

    (void)sqlite3_reset(st);
    return n;
}

/* Gives free pages back to the disk: all of them when nothing waits, else a slice, which a full disk has room
 * for too. True when there is more to be given and it is getting less. */
static bool give_back_pages(struct baod_spool *sp)
{
    int64_t before = free_pages(sp), after;

    if (before == 0 || (sp->rows != 0 && before < SLICE))
        return false;
    (void)sqlite3_exec(sp->db, sp->rows == 0 ? "PRAGMA incremental_vacuum" : "PRAGMA incremental_vacuum(256)",
                       NULL, NULL, NULL); /* without room they stay */
    after = free_pages(sp);
    return after >= SLICE && after < before;
}

/* Nobody asks for anything: what the log holds goes into the file, and the log is emptied. */
static void tidy(struct baod_spool *sp)
{
    bool more = give_back_pages(sp);

    sp->untidy = empty_log(sp) != 0 || more;
}

/* Forgets what is to be forgotten, before anything new is written: it makes room. What the disk does not let
 * be done now is tried again. */
static void drop_all(struct baod_spool *sp, struct calls *group, struct calls *ret_rest)
{
    struct calls waiting = sp->undropped;
    struct call *call;

    sp->undropped = (struct calls){NULL, NULL};
    while ((call = pop(group)) != NULL)
        push(call->kind == DROP ? &waiting : ret_rest, call);
    while ((call = pop(&waiting)) != NULL) {
        if (sp->broken || drop(sp, call) != 0)
            push(&sp->undropped, call);
        else
            push(ret_rest, call);
    }
}

static void work(struct baod_spool *sp, struct calls *group)
{
    struct calls rest = {NULL, NULL};
    bool puts = false, full = false;

    drop_all(sp, group, &rest);
    *group = rest;
    for (struct call *call = group->first; call != NULL; call = call->next)
        puts = puts || call->kind == PUT;
    if (puts)
        put_all(sp, group->first);
    for (struct call *call = group->first; call != NULL && !sp->broken; call = call->next) {
        full = full || (call->kind == PUT && call->outcome == BAOD_SPOOL_E_FULL);
        if (call->kind == FIND)
            find(sp, call);
        else if (call->kind == TAKE)
            take(sp, call);
        else if (call->kind == KEEP)
            (void)keep_list(sp, call); /* without room the list before it stays */
        else if (call->kind == KEEP_OBLIGATIONS)
            (void)keep_obligations(sp, call);
    }
    if (puts)
        tell_full(sp, full);
}

static bao_time oldest(struct baod_spool *sp)
{
    sqlite3_stmt *st = sp->statements[OLDEST];
    bao_time at = !sp->broken && sp->rows != 0 && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0)
                                                                                 : BAO_TIME_NONE;

    (void)sqlite3_reset(st);
    return at;
}

/* Hands the answers to the loop; of a broken spool only the news that it is. */
static void give_back(struct baod_spool *sp, struct calls *group)
{
    bao_time oldest_at = oldest(sp);
    struct call *call;

    uv_mutex_lock(&sp->mutex);
    while ((call = pop(group)) != NULL) {
        if (call->kind == PUT && call->outcome == 0)
            sp->counts.queued++;
        if (call->kind == PUT && call->outcome == BAOD_SPOOL_E_FULL)
            sp->counts.full++;
        if (call->kind == DROP)
            sp->counts.dropped += call->n;
        push(sp->broken ? &sp->undropped : &sp->answered, call);
    }
    sp->counts.rows = sp->rows;
    sp->counts.bytes = sp->bytes;
    sp->counts.oldest_at = oldest_at;
    sp->turns++;
    sp->busy = false;
    uv_mutex_unlock(&sp->mutex);
    (void)uv_async_send(&sp->async);
}

static void on_thread(void *arg)
{
    struct baod_spool *sp = arg;
    struct calls group = {NULL, NULL};

    while (next_group(sp, &group)) {
        if (!sp->broken && group.first == NULL && sp->untidy)
            tidy(sp);
        if (!sp->broken)
            work(sp, &group);
        give_back(sp, &group);
    }
    if (!sp->broken)
        tidy(sp);
}

/* ------------------------------------------------------------------ the loop's side */

static void deliver(struct baod_spool *sp)
{
    struct calls answered;
    struct call *call;
    bool broken;

    uv_mutex_lock(&sp->mutex);
    answered = sp->answered;
    sp->answered = (struct calls){NULL, NULL};
    broken = sp->broken;
    uv_mutex_unlock(&sp->mutex);
    while ((call = pop(&answered)) != NULL) {
        if (call->kind == PUT)
            call->put(call->user, call->s, call->outcome);
        else if (call->kind == FIND)
            call->found(call->user, call->n_rows == 0 ? NULL : call->rows, call->last_revision);
        else if (call->kind == TAKE)
            call->taken(call->user, call->rows, call->n_rows);
        free_call(call);
    }
    if (broken && !sp->told_broken) {
        sp->told_broken = true;
        sp->options.broken(sp->options.user, sp->why);
    }
}

static void on_async(uv_async_t *async)
{
    deliver(async->data);
}

int baod_spool_put(struct baod_spool *sp, struct baod_submission *s, baod_spool_put_done *done, void *user)
{
    struct call *call = new_call(PUT, user);

    if (call == NULL)
        return -ENOMEM;
    bao_require(s->verdict.has_key && s->verdict.symbol == BAO_SYM_NONE && s->verdict.form != NULL);
    call->s = s;
    call->put = done;
    ask(sp, call);
    return 0;
}

int baod_spool_find(struct baod_spool *sp, const struct baod_stat_ask *question, baod_spool_find_done *done,
                    void *user)
{
    struct call *call = new_call(FIND, user);
    struct bao_str *texts[3];

    if (call == NULL)
        return -ENOMEM;
    call->ask = *question;
    call->found = done;
    texts[0] = &call->ask.unit;
    texts[1] = &call->ask.form;
    texts[2] = &call->ask.period;
    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = bao_arena_str(&call->arena, *texts[i]);
        if (texts[i]->p == NULL) {
            free_call(call);
            return -ENOMEM;
        }
    }
    ask(sp, call);
    return 0;
}

int baod_spool_take(struct baod_spool *sp, int64_t after, size_t most, baod_spool_take_done *done, void *user)
{
    struct call *call = new_call(TAKE, user);

    if (call == NULL)
        return -ENOMEM;
    call->after = after;
    call->most = most;
    call->taken = done;
    ask(sp, call);
    return 0;
}

int baod_spool_drop(struct baod_spool *sp, const int64_t *seqs, size_t n, bool remember_keys)
{
    struct call *call = new_call(DROP, NULL);

    if (call == NULL)
        return -ENOMEM;
    call->remember = remember_keys;
    call->seqs = bao_arena_array(&call->arena, n, sizeof(*seqs));
    if (call->seqs == NULL) {
        free_call(call);
        return -ENOMEM;
    }
    if (n != 0)
        memcpy(call->seqs, seqs, n * sizeof(*seqs));
    call->n = n;
    ask(sp, call);
    return 0;
}

int baod_spool_keep(struct baod_spool *sp, const char *name, bao_time at, struct bao_str data)
{
    struct call *call = new_call(KEEP, NULL);

    if (call == NULL)
        return -ENOMEM;
    call->name = bao_arena_str(&call->arena, bao_str_c(name));
    call->data = bao_arena_str(&call->arena, data);
    call->at = at;
    if (call->name.p == NULL || call->data.p == NULL) {
        free_call(call);
        return -ENOMEM;
    }
    ask(sp, call);
    return 0;
}

int baod_spool_keep_obligations(struct baod_spool *sp, const struct baod_spool_obligation *items, size_t n)
{
    struct call *call = new_call(KEEP_OBLIGATIONS, NULL);
    bool ok = call != NULL;

    if (ok)
        call->obligations = bao_arena_array(&call->arena, n, sizeof(*items));
    ok = ok && call->obligations != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        struct baod_spool_obligation *o = &call->obligations[i];

        *o = items[i];
        o->unit = bao_arena_str(&call->arena, items[i].unit);
        o->form = bao_arena_str(&call->arena, items[i].form);
        o->period = bao_arena_str(&call->arena, items[i].period);
        ok = o->unit.p != NULL && o->form.p != NULL && o->period.p != NULL;
        call->n = i + 1;
    }
    if (!ok) {
        if (call != NULL)
            free_call(call);
        return -ENOMEM;
    }
    ask(sp, call);
    return 0;
}

bool baod_spool_kept(const struct baod_spool *sp, const char *name, bao_time *ret_at,
                     struct bao_str *ret_data)
{
    for (const struct kept *k = sp->kept; k != NULL; k = k->next)
        if (bao_str_is(k->name, name)) {
            *ret_at = k->at;
            *ret_data = k->data;
            return true;
        }
    return false;
}

bool baod_spool_is_alive(struct baod_spool *sp)
{
    bool alive;

    uv_mutex_lock(&sp->mutex);
    alive = (!sp->busy && sp->asked.first == NULL) || sp->turns != sp->seen_turns;
    sp->seen_turns = sp->turns;
    uv_mutex_unlock(&sp->mutex);
    return alive;
}

struct baod_spool_counts baod_spool_counts(struct baod_spool *sp)
{
    struct baod_spool_counts counts;

    uv_mutex_lock(&sp->mutex);
    counts = sp->counts;
    uv_mutex_unlock(&sp->mutex);
    return counts;
}

/* ------------------------------------------------------------------ opening */

enum { DAMAGED = 200 /* internal: the file is not what it should be */ };

/* The first column of the first row as text; "" when there is none. */
static int first_text(sqlite3 *db, const char *sql, char *ret, size_t size)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    ret[0] = '\0';
    if (rc == SQLITE_ROW)
        (void)snprintf(ret, size, "%s", (const char *)sqlite3_column_text(st, 0));
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static bool is_damage(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB || rc == SQLITE_ERROR;
}

static int refuse(struct bao_buf *why, const char *path, const char *what)
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

static int set_up(sqlite3 *db)
{
    char text[64];
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < BAO_COUNT(PRAGMAS); i++)
        rc = first_text(db, PRAGMAS[i], text, sizeof(text));
    return rc;
}

/* Is the whole file sound, and of our format? A new one is given its tables. */
static int check_file(sqlite3 *db)
{
    char text[128];
    int rc = first_text(db, "PRAGMA page_count", text, sizeof(text));

    /* Indexes against rows too, as long as that takes no time to speak of. */
    if (rc == SQLITE_OK)
        rc = first_text(db,
                        strtol(text, NULL, 10) < THOROUGH_PAGES ? "PRAGMA integrity_check(1)"
                                                                : "PRAGMA quick_check(1)",
                        text, sizeof(text));

    if (rc == SQLITE_OK && strcmp(text, "ok") != 0)
        return SQLITE_CORRUPT;
    if (rc == SQLITE_OK)
        rc = first_text(db, "SELECT count(*) FROM sqlite_schema", text, sizeof(text));
    if (rc == SQLITE_OK && strcmp(text, "0") == 0)
        rc = sqlite3_exec(db, SCHEMA, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = first_text(db, "PRAGMA user_version", text, sizeof(text));
    if (rc == SQLITE_OK && strcmp(text, "1") == 0) {
        rc = sqlite3_exec(db, UPGRADE, NULL, NULL, NULL);
        (void)snprintf(text, sizeof(text), "%d", FORMAT);
    }
    return rc == SQLITE_OK && strtol(text, NULL, 10) != FORMAT ? SQLITE_CORRUPT : rc;
}

static int prepare_all(struct baod_spool *sp)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < STATEMENTS; i++)
        rc = sqlite3_prepare_v3(sp->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &sp->statements[i], NULL);
    return rc;
}

static int count_rows(struct baod_spool *sp)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(sp->db, "SELECT count(*), coalesce(sum(" OCTETS "), 0) FROM report", -1, &st,
                                NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        sp->rows = (uint64_t)sqlite3_column_int64(st, 0);
        sp->bytes = (uint64_t)sqlite3_column_int64(st, 1);
    }
    (void)sqlite3_finalize(st);
    sp->counts.rows = sp->rows;
    sp->counts.bytes = sp->bytes;
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static void close_db(struct baod_spool *sp)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(sp->statements[i]);
        sp->statements[i] = NULL;
    }
    (void)sqlite3_close(sp->db);
    sp->db = NULL;
}

/* 0, DAMAGED, E_REFUSED, or <0. */
static int open_db(struct baod_spool *sp, struct bao_buf *why)
{
    char log[4096];
    int r = log_path(sp, "-suspect", log, sizeof(log)), rc;

    if (r == 0 && unlink(log) == 0)
        return DAMAGED; /* found to be so while it was in use */
    if (r == 0)
        r = log_path(sp, "-wal", log, sizeof(log));
    if (r == 0)
        r = baod_spool_log_check(sp->path, log);
    if (r != 0)
        return r == BAOD_SPOOL_LOG_E_DAMAGED ? DAMAGED : r;
    rc = sqlite3_open_v2(sp->path, &sp->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                         NULL);
    if (sp->db == NULL)
        return -ENOMEM;
    (void)sqlite3_extended_result_codes(sp->db, 1);
    (void)sqlite3_busy_timeout(sp->db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = set_up(sp->db);
    if (rc == SQLITE_OK)
        rc = check_file(sp->db);
    if (rc == SQLITE_OK)
        rc = prepare_all(sp);
    if (rc == SQLITE_OK)
        rc = count_rows(sp);
    if (rc == SQLITE_OK)
        return 0;
    r = is_damage(rc) ? DAMAGED : refuse(why, sp->path, sqlite3_errmsg(sp->db));
    close_db(sp);
    return r;
}

/* ------------------------------------------------------------------ a damaged file */

struct salvage {
    struct baod_spool *sp; /* the new file */
    sqlite3 *from;
    sqlite3_stmt *mark; /* remembers a lost key: it is told once */
    uint64_t saved, lost;
};

static int move(const char *from, const char *to)
{
    return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* Renames the file and its log; the name is given. */
static int set_aside(const struct baod_spool *sp, char *ret, size_t size)
{
    char log[4096 + 64], to[4096 + 64];
    struct timespec now;
    int r = log_path(sp, "-wal", log, sizeof(log));

    (void)clock_gettime(CLOCK_REALTIME, &now); /* fails only for clocks that do not exist */
    if (r == 0 && snprintf(ret, size, "%s.damaged-%lld", sp->path, (long long)now.tv_sec) >= (int)size)
        r = -ENAMETOOLONG;
    if (r == 0)
        r = move(sp->path, ret);
    (void)snprintf(to, sizeof(to), "%s-wal.original", ret);
    if (r == 0)
        r = move(log, to);
    if (r == 0 && access(to, F_OK) == 0) {
        (void)snprintf(log, sizeof(log), "%s-wal", ret);
        r = baod_spool_log_mend(ret, to, log);
    }
    if (r == 0)
        r = log_path(sp, "-shm", log, sizeof(log));
    if (r == 0 && unlink(log) < 0 && errno != ENOENT)
        r = -errno;
    return r;
}

/* Takes one row over. False when its seal is broken or there is no room. */
static bool take_over(struct salvage *v, sqlite3_stmt *st)
{
    struct baod_spool_row row;
    uint8_t of[BAO_SHA256_LEN];
    int r;

    if (!get_row(st, &row))
        return false;
    seal(&row, of);
    bind_row(v->sp->statements[INSERT], &row, of);
    r = run(v->sp, INSERT, "taking a report over");
    if (r == 0) {
        v->saved++;
        v->sp->rows++;
        v->sp->bytes += row_octets(&row);
    }
    return r == 0;
}

/* Tells a key that is not in the new file, once. Columns `at` on: unit, form, period, revision. */
static void tell_lost(struct salvage *v, sqlite3_stmt *st, int at)
{
    sqlite3_stmt *is_there = v->sp->statements[BY_KEY];
    bool there;

    bind_text(is_there, 1, column(st, at));
    bind_text(is_there, 2, column(st, at + 1));
    bind_text(is_there, 3, column(st, at + 2));
    sqlite3_bind_int(is_there, 4, sqlite3_column_int(st, at + 3));
    there = sqlite3_step(is_there) == SQLITE_ROW;
    (void)sqlite3_reset(is_there);
    if (there)
        return;
    for (int i = 0; i < 4; i++)
        (void)sqlite3_bind_value(v->mark, i + 1, sqlite3_column_value(st, at + i));
    if (sqlite3_step(v->mark) == SQLITE_DONE && sqlite3_changes(v->sp->db) == 1) {
        v->lost++;
        baod_log(BAOD_LOG_ERROR,
                 "spool: lost from the damaged file: the queued report of unit %.*s, form %.*s, period %.*s, "
                 "revision %d; it must be sent again",
                 BAO_STR_ARG(column(st, at)), BAO_STR_ARG(column(st, at + 1)),
                 BAO_STR_ARG(column(st, at + 2)), sqlite3_column_int(st, at + 3));
    }
    (void)sqlite3_reset(v->mark);
}

static const char NEXT_1[] = "SELECT " ROW "'' AS sender FROM report WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/* Reads rows by their number; where a page cannot be read, jumps on, each time twice as far. */
static void take_rows(struct salvage *v)
{
    sqlite3_stmt *st = NULL;
    int64_t after = 0, jump = 1;
    int rc = sqlite3_prepare_v2(v->from, SQL[NEXT], -1, &st, NULL);

    if (rc == SQLITE_ERROR) /* of format 1 */
        rc = sqlite3_prepare_v2(v->from, NEXT_1, -1, &st, NULL);
    for (int probes = 0; rc == SQLITE_OK && probes < PROBES;) {
        (void)sqlite3_reset(st);
        sqlite3_bind_int64(st, 1, after);
        sqlite3_bind_int64(st, 2, -1);
        while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            after = sqlite3_column_int64(st, 0);
            if (!take_over(v, st))
                tell_lost(v, st, 1);
            jump = 1;
            probes = 0;
        }
        if (rc == SQLITE_DONE)
            break;
        after = after > INT64_MAX - jump ? INT64_MAX : after + jump;
        jump *= 2;
        probes++;
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(st);
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
        sqlite3_stmt *st = NULL;

        if (sqlite3_prepare_v2(v->from, KEYS[i], -1, &st, NULL) == SQLITE_OK)
            while (sqlite3_step(st) == SQLITE_ROW)
                tell_lost(v, st, 0);
        (void)sqlite3_finalize(st);
    }
}

static void take_lists(struct salvage *v)
{
    sqlite3_stmt *st = NULL, *to = v->sp->statements[KEEP_LIST];

    if (sqlite3_prepare_v2(v->from, "SELECT name, at, data, seal FROM cache_list", -1, &st, NULL) ==
        SQLITE_OK)
        while (sqlite3_step(st) == SQLITE_ROW) {
            for (int i = 0; i < 4; i++)
                (void)sqlite3_bind_value(to, i + 1, sqlite3_column_value(st, i));
            (void)run(v->sp, KEEP_LIST, "taking a list over"); /* it is read again from the database */
        }
    (void)sqlite3_finalize(st);
}

/* What of the damaged file can be read goes into the new one; what is lost is named. */
static int salvage(struct baod_spool *sp, const char *aside)
{
    struct salvage v = {.sp = sp};
    int rc = sqlite3_open_v2(aside, &v.from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), r = 0;

    if (v.from != NULL)
        (void)sqlite3_db_config(v.from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                NULL); /* it stays as it was found */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(sp->db,
                          "CREATE TEMP TABLE lost (unit, form, period, revision,"
                          " UNIQUE (unit, form, period, revision))",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(sp->db, "INSERT OR IGNORE INTO lost VALUES (?1, ?2, ?3, ?4)", -1, &v.mark,
                                NULL);
    if (rc == SQLITE_OK)
        r = run(sp, BEGIN, "beginning");
    if (rc == SQLITE_OK && r == 0) {
        take_rows(&v);
        tell_keys(&v);
        take_lists(&v);
        r = run(sp, COMMIT, "taking reports over");
    }
    (void)sqlite3_finalize(v.mark);
    (void)sqlite3_close(v.from);
    baod_log(
        BAOD_LOG_ERROR,
        "spool: %s was damaged and is set aside as %s: %llu queued reports were taken over, %llu are lost "
        "and named above; those that cannot even be named must be found with their senders, whose copies "
        "are kept until committed",
        sp->path, aside, (unsigned long long)v.saved, (unsigned long long)v.lost);
    sp->counts.rows = sp->rows;
    sp->counts.bytes = sp->bytes;
    sp->counts.damaged = v.lost;
    return r < 0 ? r : bao_error_fold(r);
}

static int replace_damaged(struct baod_spool *sp, struct bao_buf *why)
{
    char aside[4096];
    int r = set_aside(sp, aside, sizeof(aside));

    if (r == 0)
        r = open_db(sp, why);
    if (r == 0)
        r = salvage(sp, aside);
    return r == DAMAGED ? refuse(why, sp->path, "a new file cannot be used either") : r;
}

static int read_lists(struct baod_spool *sp)
{
    sqlite3_stmt *st = NULL;
    int r = 0;

    if (sqlite3_prepare_v2(sp->db, "SELECT name, at, data, seal FROM cache_list", -1, &st, NULL) == SQLITE_OK)
        while (r == 0 && sqlite3_step(st) == SQLITE_ROW) {
            struct bao_str name = column(st, 0), data = column(st, 2), stored = column(st, 3);
            uint8_t is[BAO_SHA256_LEN];
            struct kept *k;

            seal_list(name, sqlite3_column_int64(st, 1), data, is);
            if (!bao_str_eq(stored, (struct bao_str){(const char *)is, sizeof(is)}))
                continue; /* damaged: as if it had never been kept */
            k = bao_arena_array(&sp->lists, 1, sizeof(*k));
            if (k != NULL)
                *k = (struct kept){.next = sp->kept,
                                   .at = sqlite3_column_int64(st, 1),
                                   .name = bao_arena_str(&sp->lists, name),
                                   .data = bao_arena_str(&sp->lists, data)};
            if (k == NULL || k->name.p == NULL || k->data.p == NULL)
                r = -ENOMEM;
            else
                sp->kept = k;
        }
    (void)sqlite3_finalize(st);
    return r;
}

/* ------------------------------------------------------------------ life */

static void free_calls(struct calls *list)
{
    struct call *call;

    while ((call = pop(list)) != NULL)
        free_call(call);
}

static void free_spool(struct baod_spool *sp)
{
    close_db(sp);
    free_calls(&sp->asked);
    free_calls(&sp->answered);
    free_calls(&sp->undropped);
    bao_arena_deinit(&sp->lists);
    uv_mutex_destroy(&sp->mutex);
    uv_cond_destroy(&sp->cond);
    free(sp->path);
    free(sp->province);
    free(sp->node);
    free(sp);
}

static void free_unborn(struct baod_spool **sp)
{
    if (*sp != NULL)
        free_spool(*sp);
}

static int new_spool(const struct baod_spool_options *options, struct baod_spool **ret)
{
    struct baod_spool *sp = calloc(1, sizeof(*sp));

    if (sp == NULL)
        return -ENOMEM;
    if (uv_mutex_init(&sp->mutex) != 0) {
        free(sp);
        return -ENOMEM;
    }
    if (uv_cond_init(&sp->cond) != 0) {
        uv_mutex_destroy(&sp->mutex);
        free(sp);
        return -ENOMEM;
    }
    bao_arena_init(&sp->lists, ARENA_MAX);
    sp->options = *options;
    sp->path = strdup(options->path);
    sp->province = strdup(options->province);
    sp->node = strdup(options->node);
    bao_ed25519_public(sp->options.seed, sp->pub);
    *ret = sp;
    return sp->path == NULL || sp->province == NULL || sp->node == NULL ? -ENOMEM : 0;
}

int baod_spool_open(uv_loop_t *loop, const struct baod_spool_options *options, struct bao_buf *why,
                    struct baod_spool **ret)
{
    BAO_CLEANUP(free_unborn) struct baod_spool *sp = NULL;
    int r = new_spool(options, &sp);

    if (r == 0)
        r = open_db(sp, why);
    if (r == DAMAGED)
        r = replace_damaged(sp, why);
    if (r == 0)
        r = read_lists(sp);
    if (r != 0)
        return r;
    sp->untidy = true;
    sp->counts.max_bytes = options->max_bytes;
    sp->counts.oldest_at = oldest(sp);
    r = uv_async_init(loop, &sp->async, on_async);
    if (r < 0)
        return r;
    sp->async.data = sp;
    if (uv_thread_create(&sp->thread, on_thread, sp) != 0) {
        struct baod_spool *dying = BAO_TAKE(sp);

        dying->stop = true;
        (void)baod_spool_close(dying);
        return -EAGAIN;
    }
    *ret = BAO_TAKE(sp);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free_spool(handle->data);
}

struct baod_spool *baod_spool_close(struct baod_spool *sp)
{
    if (sp == NULL)
        return NULL;
    if (!sp->stop) { /* else the thread was never made */
        uv_mutex_lock(&sp->mutex);
        sp->stop = true;
        uv_cond_signal(&sp->cond);
        uv_mutex_unlock(&sp->mutex);
        (void)uv_thread_join(&sp->thread);
        deliver(sp);
    }
    uv_close((uv_handle_t *)&sp->async, on_closed);
    return NULL;
}
