#include "daemon/store/spool/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

enum { BUSY_MS = 5000 /* somebody looks at the file with another program */ };

/* The names stand for SQLite's own objects: nothing is added to them. */
static sqlite3 *of_db(struct baod_db *db)
{
    return (sqlite3 *)db;
}

static sqlite3_stmt *of(struct baod_statement *st)
{
    return (sqlite3_stmt *)st;
}

/* That a write was not taken may pass: the transaction is rolled back, and the next one writes its pages over
 * those of this one. Of a failed sync nothing of the kind can be said, nor of a failed read. */
static int outcome(int rc)
{
    switch (rc) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_ROW:
        return BAOD_DB_ROW;
    case SQLITE_FULL:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMMAP:
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_TRUNCATE:
        return BAOD_DB_E_FULL;
    case SQLITE_ERROR:
        return BAOD_DB_E_SQL;
    default:
        break;
    }
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT:
        return BAOD_DB_E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return BAOD_DB_E_DAMAGED;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return BAOD_DB_E_FAILED;
    }
}

int baod_db_open(const char *path, bool make, struct baod_db **ret)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(
        path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (make ? SQLITE_OPEN_CREATE : 0), NULL);

    if (db == NULL)
        return -ENOMEM;
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    *ret = (struct baod_db *)db;
    return outcome(rc);
}

void baod_db_close(struct baod_db *db)
{
    (void)sqlite3_close(of_db(db));
}

void baod_db_keep_log(struct baod_db *db)
{
    (void)sqlite3_db_config(of_db(db), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

int baod_db_run(struct baod_db *db, const char *sql)
{
    return outcome(sqlite3_exec(of_db(db), sql, NULL, NULL, NULL));
}

int baod_db_first_text(struct baod_db *db, const char *sql, char *ret, size_t size)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(of_db(db), sql, -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    ret[0] = '\0';
    if (rc == SQLITE_ROW)
        (void)snprintf(ret, size, "%s", (const char *)sqlite3_column_text(st, 0));
    (void)sqlite3_finalize(st);
    return rc == SQLITE_ROW ? 0 : outcome(rc);
}

int baod_db_empty_log(struct baod_db *db)
{
    return outcome(sqlite3_wal_checkpoint_v2(of_db(db), NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

bool baod_db_is_within(struct baod_db *db)
{
    return sqlite3_get_autocommit(of_db(db)) == 0;
}

int baod_db_changes(struct baod_db *db)
{
    return sqlite3_changes(of_db(db));
}

const char *baod_db_why(struct baod_db *db)
{
    return sqlite3_errmsg(of_db(db));
}

int baod_db_errno(struct baod_db *db)
{
    int rc = sqlite3_extended_errcode(of_db(db));

    if (rc == SQLITE_FULL)
        return ENOSPC;
    return (rc & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(of_db(db)) : 0;
}

int baod_db_prepare(struct baod_db *db, const char *sql, struct baod_statement **ret)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(of_db(db), sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);

    *ret = (struct baod_statement *)st;
    return outcome(rc);
}

void baod_db_finalize(struct baod_statement *st)
{
    (void)sqlite3_finalize(of(st)); /* repeats the failure of the last step */
}

int baod_db_step(struct baod_statement *st)
{
    return outcome(sqlite3_step(of(st)));
}

void baod_db_reset(struct baod_statement *st)
{
    (void)sqlite3_reset(of(st)); /* repeats the failure of the last step */
    (void)sqlite3_clear_bindings(of(st));
}

/* Binding fails only for a number out of range, which is a fault of the program. */
void baod_db_bind_number(struct baod_statement *st, int at, int64_t v)
{
    (void)sqlite3_bind_int64(of(st), at, v);
}

void baod_db_bind_text(struct baod_statement *st, int at, struct bao_str s)
{
    (void)sqlite3_bind_text(of(st), at, s.n == 0 ? "" : s.p, (int)s.n, SQLITE_STATIC);
}

void baod_db_bind_octets(struct baod_statement *st, int at, const void *p, size_t n)
{
    (void)sqlite3_bind_blob(of(st), at, n == 0 ? "" : p, (int)n, SQLITE_STATIC);
}

void baod_db_bind_column(struct baod_statement *st, int at, struct baod_statement *from, int column)
{
    (void)sqlite3_bind_value(of(st), at, sqlite3_column_value(of(from), column));
}

bool baod_db_is_null(struct baod_statement *st, int at)
{
    return sqlite3_column_type(of(st), at) == SQLITE_NULL;
}

int64_t baod_db_number(struct baod_statement *st, int at)
{
    return sqlite3_column_int64(of(st), at);
}

struct bao_str baod_db_text(struct baod_statement *st, int at)
{
    const void *p = sqlite3_column_blob(of(st), at);

    return (struct bao_str){p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(of(st), at)};
}

void baod_db_octets(struct baod_statement *st, int at, uint8_t *ret, size_t n)
{
    struct bao_str s = baod_db_text(st, at);

    memset(ret, 0, n);
    if (s.n == n)
        memcpy(ret, s.p, n);
}
