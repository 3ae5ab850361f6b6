/* One asynchronous PostgreSQL connection under libuv. pg.c is the only file that includes libpq.
 *
 *     OFFLINE -> CONNECTING -> SETUP -> READY -> DRAINING -> OFFLINE
 *                    \___________\_______\____-> BACKOFF -> CONNECTING
 *
 * Operations are queued in order and answered in order, each exactly once, on the loop thread:
 * statements travel in pipeline mode; copies and scripts, which that mode does not allow, wait until
 * everything before them has been answered, and hold what comes after them. A statement that fails makes
 * the rest up to the next sync come back as ABORTED. When the connection is lost every operation still
 * open is answered LOST, in order, before the `lost` callback; whether a lost COMMIT took place is not
 * known, only the keys can tell. Nothing is ever cancelled (a cancelled COMMIT reports success).
 *
 * All values travel in binary. SQL text is a literal with static lifetime. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/form/date.h"

#include <uv.h>

struct baod_pg;
struct baod_pg_result;

/* ------------------------------------------------------------------ the connection */

struct baod_pg_options {
    const char *conninfo;    /* libpq keywords or URI; copied. DNS names block the loop: give addresses */
    const char *application; /* application_name; copied */
    int connect_ms;          /* per attempt; 0 = 5,000. Of several hosts each attempt begins with the next */
    int deadline_ms;         /* longest wait for one answer before the connection is given up; 0 = 15,000 */
    int statement_ms;        /* statement_timeout; 0 = 5,000; < 0 = none */
    int lock_ms;             /* lock_timeout; 0 = 5,000; < 0 = none */
    int idle_ms;             /* idle_in_transaction_session_timeout; 0 = 5,000; < 0 = none */
    bool read_only;          /* a session that cannot write will do (reads, standbys) */
    bool rather_primary;     /* ... but every other attempt, the first too, asks for one that can */
    bool once;               /* no second attempt: a failure or loss ends in OFFLINE */
    /* All optional. They may queue operations, drop or free the connection. */
    void (*ready)(struct baod_pg *pg, void *user);
    void (*lost)(struct baod_pg *pg, const char *why, void *user); /* also after a failed attempt */
    void (*notice)(const char *severity, const char *sqlstate, const char *message, void *user);
    void *user;
};

/* A connection that is OFFLINE until opened. */
int baod_pg_new(uv_loop_t *loop, const struct baod_pg_options *options, struct baod_pg **ret) BAO_MUST_CHECK;
/* Begins to connect, and to reconnect for ever with growing, jittered pauses (0.1 s .. 10 s). */
void baod_pg_open(struct baod_pg *pg);
/* Takes nothing new, answers what is queued, then goes OFFLINE and calls `lost` with "drained". */
void baod_pg_drain(struct baod_pg *pg);
/* Gives this connection up (for a reason for the log) and makes another one. */
void baod_pg_drop(struct baod_pg *pg, const char *why);
/* Answers everything open with LOST, closes, and frees the memory once libuv lets go. NULL is fine; gives
 * NULL. */
struct baod_pg *baod_pg_free(struct baod_pg *pg);

bool baod_pg_is_ready(const struct baod_pg *pg);
/* Operations not yet answered. */
size_t baod_pg_pending(const struct baod_pg *pg);
/* Loop time, in ms, since when the oldest of them waits for its answer; 0: there is none. */
uint64_t baod_pg_waits_since(const struct baod_pg *pg);
/* The server's process of this connection, 0 without one. */
int baod_pg_backend(const struct baod_pg *pg);
/* server_version_num of the present or last server, 0 before the first. */
int baod_pg_server_version(const struct baod_pg *pg);
/* A sentence when libpq is older than 15.19 (its known TLS stall), else NULL. */
const char *baod_pg_library_warning(void);

/* ------------------------------------------------------------------ operations */

/* A statement. With a name it is prepared on first use of each connection; names are unique in the program.
 */
struct baod_pg_statement {
    const char *name; /* NULL: not worth preparing */
    const char *sql;
};

/* One parameter: a PostgreSQL type and its binary value. p NULL = SQL NULL. Type 0 = its encoder found no
 * memory: whoever takes the parameter answers -ENOMEM. */
struct baod_pg_param {
    uint32_t type;
    int32_t n;
    const char *p;
};

/* The answer; result is valid for the call only. */
typedef void baod_pg_callback(const struct baod_pg_result *result, void *user);

/* Queues a statement. Parameters, and what they point to, are borrowed until the callback (which may be
 * NULL). 0; -ENOTCONN (not READY, nothing is called); -ENOMEM; -EINVAL (more than 65,535 parameters). */
int baod_pg_exec(struct baod_pg *pg, const struct baod_pg_statement *statement,
                 const struct baod_pg_param *params, size_t n, baod_pg_callback *callback,
                 void *user) BAO_MUST_CHECK;
/* Queues the end of an error group and flushes. Outside BEGIN .. COMMIT it is also the commit of the group.
 */
int baod_pg_sync(struct baod_pg *pg, baod_pg_callback *callback, void *user) BAO_MUST_CHECK;
/* Sends what is queued so far, so that the server may begin while more is being made. Answers still wait for
 * a sync. */
void baod_pg_push(struct baod_pg *pg);
/* Queues COPY ... FROM STDIN (FORMAT binary). data is borrowed until the callback. The operation before it
 * must be a sync (-EINVAL); it is its own error group. */
int baod_pg_copy(struct baod_pg *pg, const char *sql, struct bao_str data, baod_pg_callback *callback,
                 void *user) BAO_MUST_CHECK;
/* Queues a script of several statements by the simple protocol; the first error ends it. Same rule as copy.
 * The result has no rows. sql is borrowed until the callback. */
int baod_pg_script(struct baod_pg *pg, const char *sql, baod_pg_callback *callback,
                   void *user) BAO_MUST_CHECK;

/* ------------------------------------------------------------------ results */

enum baod_pg_outcome {
    BAOD_PG_OK,
    BAOD_PG_SQL,     /* the server refused it: SQLSTATE and message say why */
    BAOD_PG_ABORTED, /* not run: an earlier one of its group failed */
    BAOD_PG_LOST,    /* connection gone before the answer: may or may not have happened */
};

enum baod_pg_outcome baod_pg_outcome(const struct baod_pg_result *r);
/* Takes the result over from inside its callback, for reading it later; NULL when there is no memory. To be
 * released by the taker. */
struct baod_pg_result *baod_pg_keep(const struct baod_pg_result *r) BAO_MUST_CHECK;
/* NULL is fine; gives NULL. */
struct baod_pg_result *baod_pg_release(struct baod_pg_result *r);
/* Five characters; "" unless the outcome is SQL. */
const char *baod_pg_sqlstate(const struct baod_pg_result *r);
/* Does the SQLSTATE begin with these characters ("23", "40P01")? */
bool baod_pg_sqlstate_is(const struct baod_pg_result *r, const char *prefix);
/* For logs; "" when all is well. */
const char *baod_pg_message(const struct baod_pg_result *r);
/* Did the server send a WARNING while this ran? On COMMIT: it is not known to be on the standby. */
bool baod_pg_warned(const struct baod_pg_result *r);
/* Rows returned. */
size_t baod_pg_rows(const struct baod_pg_result *r);
/* Rows touched by INSERT, UPDATE, DELETE, COPY. */
int64_t baod_pg_affected(const struct baod_pg_result *r);

bool baod_pg_is_null(const struct baod_pg_result *r, size_t row, size_t column);
/* boolean, "char", int2, int4, int8; 0 for NULL. */
int64_t baod_pg_int(const struct baod_pg_result *r, size_t row, size_t column);
/* The octets of text, bytea, uuid (16); borrowed from the result; .p NULL for NULL. */
struct bao_str baod_pg_bytes(const struct baod_pg_result *r, size_t row, size_t column);
/* timestamptz; BAO_TIME_NONE for NULL and -infinity, INT64_MAX for infinity. */
bao_time baod_pg_time(const struct baod_pg_result *r, size_t row, size_t column);
/* date; BAO_DATE_NONE for NULL and both infinities. */
bao_date baod_pg_date(const struct baod_pg_result *r, size_t row, size_t column);

/* An array of numbers with holes. */
struct baod_pg_ints {
    int64_t *v; /* 0 where null */
    bool *null;
    size_t n;
};

/* int2[], int4[] or int8[] of one dimension, into the arena; NULL reads as empty. 0, -ENOMEM, -EBADMSG. */
int baod_pg_ints(const struct baod_pg_result *r, size_t row, size_t column, struct bao_arena *arena,
                 struct baod_pg_ints *ret) BAO_MUST_CHECK;
/* text[] or bytea[]; .p NULL for null elements. The pieces are borrowed from the result. */
int baod_pg_strs(const struct baod_pg_result *r, size_t row, size_t column, struct bao_arena *arena,
                 struct bao_str **ret, size_t *ret_n) BAO_MUST_CHECK;

/* ------------------------------------------------------------------ parameters */

struct baod_pg_param baod_pg_p_bool(struct bao_arena *a, bool v);
struct baod_pg_param baod_pg_p_int2(struct bao_arena *a, int16_t v);
struct baod_pg_param baod_pg_p_int4(struct bao_arena *a, int32_t v);
struct baod_pg_param baod_pg_p_int8(struct bao_arena *a, int64_t v);
/* BAO_TIME_NONE and BAO_DATE_NONE give NULL; INT64_MAX gives infinity. */
struct baod_pg_param baod_pg_p_time(struct bao_arena *a, bao_time v);
struct baod_pg_param baod_pg_p_date(struct bao_arena *a, bao_date v);
/* The octets are borrowed, not copied; .p NULL gives NULL. */
struct baod_pg_param baod_pg_p_text(struct bao_str v);
struct baod_pg_param baod_pg_p_bytea(struct bao_str v);
struct baod_pg_param baod_pg_p_uuid(const uint8_t v[16]);

/* Arrays of one dimension; elements are copied. null may be NULL (no holes); in strs a NULL .p is a hole. */
struct baod_pg_param baod_pg_p_bools(struct bao_arena *a, const bool *v, size_t n);
struct baod_pg_param baod_pg_p_int2s(struct bao_arena *a, const int16_t *v, const bool *null, size_t n);
struct baod_pg_param baod_pg_p_int4s(struct bao_arena *a, const int32_t *v, const bool *null, size_t n);
struct baod_pg_param baod_pg_p_int8s(struct bao_arena *a, const int64_t *v, const bool *null, size_t n);
struct baod_pg_param baod_pg_p_times(struct bao_arena *a, const bao_time *v, size_t n);
struct baod_pg_param baod_pg_p_dates(struct bao_arena *a, const bao_date *v, size_t n);
struct baod_pg_param baod_pg_p_texts(struct bao_arena *a, const struct bao_str *v, size_t n);
struct baod_pg_param baod_pg_p_byteas(struct bao_arena *a, const struct bao_str *v, size_t n);
struct baod_pg_param baod_pg_p_uuids(struct bao_arena *a, const uint8_t (*v)[16], size_t n);

/* ------------------------------------------------------------------ the data of a binary COPY */

/* Head, one row after the other (its number of fields, then each field), tail. 0, -ENOMEM, -ENOBUFS. */
int baod_pg_copy_begin(struct bao_buf *out) BAO_MUST_CHECK;
int baod_pg_copy_row(struct bao_buf *out, size_t fields) BAO_MUST_CHECK;
int baod_pg_copy_end(struct bao_buf *out) BAO_MUST_CHECK;
int baod_pg_copy_null(struct bao_buf *out) BAO_MUST_CHECK;
int baod_pg_copy_bool(struct bao_buf *out, bool v) BAO_MUST_CHECK;
int baod_pg_copy_int2(struct bao_buf *out, int16_t v) BAO_MUST_CHECK;
int baod_pg_copy_int4(struct bao_buf *out, int32_t v) BAO_MUST_CHECK;
int baod_pg_copy_int8(struct bao_buf *out, int64_t v) BAO_MUST_CHECK;
int baod_pg_copy_time(struct bao_buf *out, bao_time v) BAO_MUST_CHECK;
int baod_pg_copy_date(struct bao_buf *out, bao_date v) BAO_MUST_CHECK;
/* text, bytea and uuid alike; .p NULL gives NULL. */
int baod_pg_copy_bytes(struct bao_buf *out, struct bao_str v) BAO_MUST_CHECK;
int baod_pg_copy_int8s(struct bao_buf *out, const int64_t *v, const bool *null, size_t n) BAO_MUST_CHECK;
/* Any parameter as a field. */
int baod_pg_copy_param(struct bao_buf *out, struct baod_pg_param p) BAO_MUST_CHECK;
