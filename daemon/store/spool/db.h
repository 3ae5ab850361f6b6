/* SQLite, as much of it as the spool needs. db.c is the only file that includes it.
 *
 * One connection, used by one thread at a time. Its answers are told apart by what can be done about them: a
 * write that was not taken may pass, a file that fails to be read or synced never does. */
#pragma once

#include "lib/base/attributes.h"
#include "lib/base/str.h"

struct baod_db;
struct baod_statement;

enum baod_db_outcome {
    BAOD_DB_ROW = 1,   /* baod_db_step: a row is under the statement */
    BAOD_DB_E_FULL,    /* the disk, full or failing, did not take it: nothing synced is in doubt */
    BAOD_DB_E_BUSY,    /* somebody else locks the file; or a constraint does not hold */
    BAOD_DB_E_DAMAGED, /* the file is not what it should be */
    BAOD_DB_E_SQL,     /* the statement does not fit the tables that are there */
    BAOD_DB_E_FAILED,  /* a sync or a read failed, or something nobody foresaw */
};
/* Beside these every call of result int gives 0 when done and -ENOMEM. */

/* Opens, and makes the file if `make`. *ret is set whenever it is not -ENOMEM, so that baod_db_why() can
 * tell; to be closed. */
int baod_db_open(const char *path, bool make, struct baod_db **ret) BAO_MUST_CHECK;
/* Its statements must be finalized. Accepts NULL. */
void baod_db_close(struct baod_db *db);
/* Closing leaves the write-ahead log as it is. */
void baod_db_keep_log(struct baod_db *db);
/* Runs statements that give no rows. */
int baod_db_run(struct baod_db *db, const char *sql);
/* The first column of the first row as text; "" when there is none. */
int baod_db_first_text(struct baod_db *db, const char *sql, char *ret, size_t size) BAO_MUST_CHECK;
/* Moves what the log holds into the file and empties the log. */
int baod_db_empty_log(struct baod_db *db) BAO_MUST_CHECK;
/* Is a transaction open? */
bool baod_db_is_within(struct baod_db *db);
/* Rows that the last statement changed. */
int baod_db_changes(struct baod_db *db);
/* Of the last failure: SQLite's words, and errno of the system call behind it, or 0. */
const char *baod_db_why(struct baod_db *db);
int baod_db_errno(struct baod_db *db);

/* A statement is kept for the life of the connection. *ret is NULL on failure. */
int baod_db_prepare(struct baod_db *db, const char *sql, struct baod_statement **ret) BAO_MUST_CHECK;
/* Accepts NULL. */
void baod_db_finalize(struct baod_statement *st);
/* ROW, 0 at the end, or a failure. */
int baod_db_step(struct baod_statement *st) BAO_MUST_CHECK;
/* Ready to be run again, nothing bound. */
void baod_db_reset(struct baod_statement *st);

/* Parameters count from 1, and are null until bound. What is bound is borrowed until the reset. */
void baod_db_bind_number(struct baod_statement *st, int at, int64_t v);
void baod_db_bind_text(struct baod_statement *st, int at, struct bao_str s);
void baod_db_bind_octets(struct baod_statement *st, int at, const void *p, size_t n);
/* Binds the value that another statement has under it. */
void baod_db_bind_column(struct baod_statement *st, int at, struct baod_statement *from, int column);

/* Columns of the row under the statement count from 0. Texts live until its next step. */
bool baod_db_is_null(struct baod_statement *st, int at);
int64_t baod_db_number(struct baod_statement *st, int at);
struct bao_str baod_db_text(struct baod_statement *st, int at);
/* Exactly n octets; zeros when the column has another length. */
void baod_db_octets(struct baod_statement *st, int at, uint8_t *ret, size_t n);
