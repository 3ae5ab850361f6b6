#include "daemon/store/pgcall.h"

#include "lib/base/error.h"

enum { DEADLINE_MS = 10 * 60 * 1000, ERROR_SIZE = 512, SILENCE_MS = 1000 };

struct baod_pg_call {
    uv_loop_t loop;
    uv_timer_t patience; /* how long to try to connect */
    uint64_t rest_ms;    /* ... once it has been told that this takes a while */
    struct baod_pg *pg;
    struct baod_pg_result *result;
    bool waiting;
    bool standby_next; /* no primary was found: not yet a reason to say anything */
    int outcome;
    void (*notice)(const char *severity, const char *sqlstate, const char *message, void *user);
    void (*tell)(const char *why, void *user); /* until it has been */
    void *user;
    char error[ERROR_SIZE];
};

static void on_ready(struct baod_pg *pg, void *user)
{
    struct baod_pg_call *call = user;

    (void)pg;
    call->waiting = false;
    call->outcome = 0;
}

/* True when it had not been told before. */
static bool tell_waiting(struct baod_pg_call *call)
{
    void (*tell)(const char *why, void *user) = call->tell;

    call->tell = NULL;
    if (tell != NULL)
        tell(call->error, call->user);
    return tell != NULL;
}

static void on_lost(struct baod_pg *pg, const char *why, void *user)
{
    struct baod_pg_call *call = user;

    (void)pg;
    snprintf(call->error, sizeof(call->error), "%s", why);
    if (!uv_is_active((uv_handle_t *)&call->patience))
        call->waiting = false;
    else if (!call->standby_next)
        (void)tell_waiting(call);
    call->standby_next = false;
}

static void on_notice(const char *severity, const char *sqlstate, const char *message, void *user)
{
    struct baod_pg_call *call = user;

    if (call->notice != NULL)
        call->notice(severity, sqlstate, message, call->user);
}

static void on_patience(uv_timer_t *timer)
{
    struct baod_pg_call *call = timer->data;
    uint64_t rest_ms = call->rest_ms;

    (void)tell_waiting(call);
    call->rest_ms = 0;
    if (rest_ms != 0)
        (void)uv_timer_start(timer, on_patience, rest_ms, 0);
    else
        call->waiting = false;
}

static void be_patient(struct baod_pg_call *call, uint64_t ms)
{
    uint64_t first = call->tell != NULL && ms > SILENCE_MS ? SILENCE_MS : ms;

    call->rest_ms = ms - first;
    (void)uv_timer_start(&call->patience, on_patience, first, 0);
}

static void wait_here(struct baod_pg_call *call)
{
    while (call->waiting)
        if (uv_run(&call->loop, UV_RUN_ONCE) == 0)
            break; /* nothing left that could wake us */
}

struct baod_pg_call *baod_pg_call_close(struct baod_pg_call *call)
{
    if (call == NULL)
        return NULL;
    call->result = baod_pg_release(call->result);
    call->pg = baod_pg_free(call->pg);
    uv_close((uv_handle_t *)&call->patience, NULL);
    (void)uv_run(&call->loop, UV_RUN_DEFAULT); /* lets the closing handles finish */
    bao_require(uv_loop_close(&call->loop) == 0);
    free(call);
    return NULL;
}

static void closep(struct baod_pg_call **call)
{
    baod_pg_call_close(*call);
}

int baod_pg_call_open(const struct baod_pg_call_options *options, struct bao_buf *why,
                      struct baod_pg_call **ret)
{
    BAO_CLEANUP(closep) struct baod_pg_call *call = NULL;
    struct baod_pg_call *made = calloc(1, sizeof(*made));
    struct baod_pg_options pg = {
        .conninfo = options->conninfo,
        .application = options->application,
        .deadline_ms = options->deadline_ms > 0 ? options->deadline_ms : DEADLINE_MS,
        .statement_ms = -1,
        .lock_ms = -1,
        .idle_ms = -1,
        .read_only = options->read_only,
        .rather_primary = options->rather_primary,
        .once = options->wait_ms <= 0,
        .ready = on_ready,
        .lost = on_lost,
        .notice = on_notice,
    };
    int r;

    if (made == NULL)
        return -ENOMEM;
    r = uv_loop_init(&made->loop);
    if (r < 0) {
        free(made);
        return r;
    }
    (void)uv_timer_init(&made->loop, &made->patience); /* cannot fail */
    made->patience.data = made;
    made->notice = options->notice;
    made->tell = options->waiting;
    made->standby_next = options->rather_primary;
    made->user = options->user;
    call = made;
    pg.user = call;
    r = baod_pg_new(&call->loop, &pg, &call->pg);
    if (r < 0)
        return r;
    call->waiting = true;
    call->outcome = BAOD_PG_CALL_E_CONNECT;
    if (options->wait_ms > 0)
        be_patient(call, (uint64_t)options->wait_ms);
    baod_pg_open(call->pg);
    wait_here(call);
    uv_timer_stop(&call->patience);
    call->tell = NULL;
    if (call->outcome != 0) {
        r = why == NULL ? 0 : bao_buf_append_c(why, call->error);
        return r < 0 ? r : call->outcome;
    }
    call->error[0] = '\0';
    *ret = BAO_TAKE(call);
    return 0;
}

static void on_answer(const struct baod_pg_result *r, void *user)
{
    struct baod_pg_call *call = user;

    if (call->outcome == 0)
        call->outcome = (int)baod_pg_outcome(r);
    if (call->outcome == BAOD_PG_OK)
        call->result = baod_pg_keep(r);
    else if (baod_pg_outcome(r) == BAOD_PG_SQL)
        snprintf(call->error, sizeof(call->error), "%s: %s", baod_pg_sqlstate(r), baod_pg_message(r));
    else if (baod_pg_outcome(r) == BAOD_PG_LOST)
        snprintf(call->error, sizeof(call->error), "%s", baod_pg_message(r));
}

static void on_simple_end(const struct baod_pg_result *r, void *user)
{
    struct baod_pg_call *call = user;

    on_answer(r, user);
    call->waiting = false;
}

static void on_group_end(const struct baod_pg_result *r, void *user)
{
    struct baod_pg_call *call = user;

    if (call->outcome == 0)
        call->outcome = (int)baod_pg_outcome(r);
    call->waiting = false;
}

static void begin(struct baod_pg_call *call)
{
    call->result = baod_pg_release(call->result);
    call->error[0] = '\0';
    call->outcome = 0;
    call->waiting = true;
}

/* An answer that could not be kept for lack of memory must not look like one without rows. */
static int end(struct baod_pg_call *call)
{
    wait_here(call);
    if (call->waiting) {
        call->waiting = false;
        return -ENOTCONN;
    }
    return call->outcome == 0 && call->result == NULL ? -ENOMEM : call->outcome;
}

int baod_pg_call_exec(struct baod_pg_call *call, const struct baod_pg_statement *statement,
                      const struct baod_pg_param *params, size_t n, const struct baod_pg_result **ret)
{
    int r;

    begin(call);
    r = baod_pg_exec(call->pg, statement, params, n, on_answer, call);
    if (r == 0)
        r = baod_pg_sync(call->pg, on_group_end, call);
    if (r < 0) {
        call->waiting = false;
        return r;
    }
    r = end(call);
    if (r == 0 && ret != NULL)
        *ret = call->result;
    return r;
}

int baod_pg_call_script(struct baod_pg_call *call, const char *sql)
{
    int r;

    begin(call);
    r = baod_pg_script(call->pg, sql, on_simple_end, call);
    return r < 0 ? r : end(call);
}

int baod_pg_call_copy(struct baod_pg_call *call, const char *sql, struct bao_str data)
{
    int r;

    begin(call);
    r = baod_pg_copy(call->pg, sql, data, on_simple_end, call);
    return r < 0 ? r : end(call);
}

const char *baod_pg_call_error(const struct baod_pg_call *call)
{
    return call->error;
}

int baod_pg_call_tell(const struct baod_pg_call *call, int outcome, struct bao_buf *out)
{
    int r = outcome > 0 ? bao_buf_printf(out, "%s\n", baod_pg_call_error(call)) : 0;

    return r < 0 ? r : outcome;
}
