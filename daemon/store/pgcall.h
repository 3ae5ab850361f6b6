/* The same connection for code that may wait: start-up, commands, and work on its own thread.
 *
 * Each call has a loop of its own, so that deadlines, sessions and results are those of pg.h; nothing here
 * touches the daemon's loop. Not for use on the loop thread once the daemon serves. */
#pragma once

#include "daemon/store/pg.h"

struct baod_pg_call;

struct baod_pg_call_options {
    const char *conninfo;
    const char *application;
    int wait_ms;         /* try to connect for this long; 0 = one attempt */
    int deadline_ms;     /* longest wait for one answer; 0 = 10 minutes */
    bool read_only;      /* a standby will do */
    bool rather_primary; /* ... where no server takes writes */
    void (*notice)(const char *severity, const char *sqlstate, const char *message, void *user);
    /* Optional: told once while connecting, when the first attempt failed or has not been answered after a
     * second; why may be empty. Nobody should sit before a silent program. */
    void (*waiting)(const char *why, void *user);
    void *user;
};

enum baod_pg_call_outcome { BAOD_PG_CALL_E_CONNECT = 16 /* no connection; baod_pg_call_open writes why */ };

/* Connects. No statement, lock or idle timeouts are set: whoever waits here waits on purpose. */
int baod_pg_call_open(const struct baod_pg_call_options *options, struct bao_buf *why,
                      struct baod_pg_call **ret) BAO_MUST_CHECK;
/* NULL is fine; gives NULL. An open transaction is rolled back by the server. */
struct baod_pg_call *baod_pg_call_close(struct baod_pg_call *call);

/* Runs one statement and waits. 0: *ret (may be NULL) is valid until the next use of the call. > 0: an
 * outcome of enum baod_pg_outcome, and baod_pg_call_error says more. < 0: -ENOMEM, -ENOTCONN. */
int baod_pg_call_exec(struct baod_pg_call *call, const struct baod_pg_statement *statement,
                      const struct baod_pg_param *params, size_t n,
                      const struct baod_pg_result **ret) BAO_MUST_CHECK;
/* The same for a script and for a copy. */
int baod_pg_call_script(struct baod_pg_call *call, const char *sql) BAO_MUST_CHECK;
int baod_pg_call_copy(struct baod_pg_call *call, const char *sql, struct bao_str data) BAO_MUST_CHECK;
/* "23505: duplicate key ..." of the last failure; "" when there was none. */
const char *baod_pg_call_error(const struct baod_pg_call *call);
/* Appends the error to `out` as a line when `outcome`, what a call gave, is > 0. Gives the outcome, or
 * -ENOMEM or -ENOBUFS. */
int baod_pg_call_tell(const struct baod_pg_call *call, int outcome, struct bao_buf *out) BAO_MUST_CHECK;
