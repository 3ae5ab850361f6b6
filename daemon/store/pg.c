#include "daemon/store/pg.h"

#include "lib/base/error.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/random.h>

enum {
    CONNECT_MS = 5000,
    DEADLINE_MS = 15000,
    SESSION_MS = 5000,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 10000,
    OLDEST_SERVER = 150000,
    GOOD_LIBRARY = 150019, /* earlier ones can wait for octets that TLS already delivered */
    COPY_CHUNK = 64 * 1024,
    PREPARED_MAX = 512,
    PARAMS_MAX = 65535,
    WHY_SIZE = 512,
};

enum pg_state { OFFLINE, CONNECTING, SETUP, READY, DRAINING, BACKOFF };

enum op_kind { OP_EXEC, OP_SYNC, OP_COPY, OP_SCRIPT };

struct op {
    struct op *next;
    uint8_t kind;
    uint8_t rounds; /* terminating NULLs still to come: two when a PREPARE travels ahead */
    bool sent;
    bool copying; /* the server asked for data and has not got all of it */
    bool warned;
    const struct baod_pg_statement *statement;
    const char *sql;
    const struct baod_pg_param *params;
    size_t n;
    struct bao_str data;
    size_t data_at;
    PGresult *result;
    baod_pg_callback *callback;
    void *user;
};

struct baod_pg_result {
    enum baod_pg_outcome outcome;
    PGresult *res; /* NULL for LOST */
    const char *why;
    bool warned;
    struct op *op; /* whose result it is, while the callback runs; NULL in a kept one */
};

/* What is known of a statement's name on the present connection. */
struct prepared {
    const struct baod_pg_statement *statement;
    enum { PREPARE_NOT, PREPARE_SENT, PREPARE_DONE } state;
    uint64_t group; /* error group in which PREPARE was sent */
};

/* One poll handle lives for one file descriptor: libuv may let go of it later than libpq of the socket. */
struct watch {
    uv_poll_t handle;
    struct baod_pg *pg; /* NULL once given up */
    int events;
};

struct baod_pg {
    uv_loop_t *loop;
    struct baod_pg_options options;
    char *conninfo, *application;
    enum pg_state state;
    PGconn *conn;
    struct watch *watch;
    uv_timer_t
        timer;       /* connecting: give up; backoff: try again; else: the deadline of the oldest operation */
    uv_timer_t kick; /* what was seen inside a caller's call is told from the loop */
    int handles_open;
    bool closing;
    bool losing;       /* the kick is to tell a loss */
    bool pipeline;     /* libpq is in pipeline mode */
    uint64_t life;     /* counts connections: loops that called back check that it is still theirs */
    uint64_t group;    /* error groups sent on this connection */
    uint64_t head_at;  /* loop time when the oldest operation began to wait for its answer */
    unsigned failures; /* attempts since the last READY */
    size_t attempts;   /* ever */
    bool must_write;   /* the session of this attempt */
    struct op *head, *tail, *unsent;
    size_t pending;
    struct prepared *prepared;
    size_t n_prepared;
    struct {
        const char **values;
        int *lengths, *formats;
        Oid *types;
        size_t size;
    } scratch;
    char session_ms[3][16];
    struct baod_pg_param session_params[3];
    char why[WHY_SIZE];
    char farewell[WHY_SIZE]; /* what the server said before it closed; "": nothing */
};

static void lose(struct baod_pg *pg, const char *why);
static void advance(struct baod_pg *pg);
static bool hear_out(struct baod_pg *pg);

/* ------------------------------------------------------------------ results */

enum baod_pg_outcome baod_pg_outcome(const struct baod_pg_result *r)
{
    return r->outcome;
}

const char *baod_pg_sqlstate(const struct baod_pg_result *r)
{
    const char *s = r->outcome == BAOD_PG_SQL ? PQresultErrorField(r->res, PG_DIAG_SQLSTATE) : NULL;

    return s == NULL ? "" : s;
}

bool baod_pg_sqlstate_is(const struct baod_pg_result *r, const char *prefix)
{
    return strncmp(baod_pg_sqlstate(r), prefix, strlen(prefix)) == 0;
}

const char *baod_pg_message(const struct baod_pg_result *r)
{
    const char *s = NULL;

    switch (r->outcome) {
    case BAOD_PG_OK:
        return "";
    case BAOD_PG_SQL:
        s = PQresultErrorField(r->res, PG_DIAG_MESSAGE_PRIMARY);
        return s != NULL ? s : PQresultErrorMessage(r->res);
    case BAOD_PG_ABORTED:
        return "an earlier statement failed";
    case BAOD_PG_LOST:
        break;
    }
    return r->why != NULL ? r->why : "connection lost";
}

bool baod_pg_warned(const struct baod_pg_result *r)
{
    return r->warned;
}

size_t baod_pg_rows(const struct baod_pg_result *r)
{
    return r->res == NULL ? 0 : (size_t)PQntuples(r->res);
}

int64_t baod_pg_affected(const struct baod_pg_result *r)
{
    return r->res == NULL ? 0 : strtoll(PQcmdTuples(r->res), NULL, 10);
}

bool baod_pg_is_null(const struct baod_pg_result *r, size_t row, size_t column)
{
    return PQgetisnull(r->res, (int)row, (int)column) != 0;
}

struct bao_str baod_pg_bytes(const struct baod_pg_result *r, size_t row, size_t column)
{
    if (baod_pg_is_null(r, row, column))
        return BAO_STR_NULL;
    return (struct bao_str){PQgetvalue(r->res, (int)row, (int)column),
                            (size_t)PQgetlength(r->res, (int)row, (int)column)};
}

struct baod_pg_result *baod_pg_keep(const struct baod_pg_result *r)
{
    struct baod_pg_result *kept = malloc(sizeof(*kept));

    if (kept == NULL)
        return NULL;
    *kept = *r;
    kept->op = NULL;
    kept->why = NULL; /* lives as long as the call only; the sentence for LOST stays */
    if (r->op != NULL && r->res != NULL)
        r->op->result = NULL;
    return kept;
}

struct baod_pg_result *baod_pg_release(struct baod_pg_result *r)
{
    if (r != NULL)
        PQclear(r->res);
    free(r);
    return NULL;
}

/* ------------------------------------------------------------------ the queue */

static struct op *op_push(struct baod_pg *pg, enum op_kind kind, baod_pg_callback *callback, void *user)
{
    struct op *op = calloc(1, sizeof(*op));

    if (op == NULL)
        return NULL;
    op->kind = (uint8_t)kind;
    op->rounds = 1;
    op->callback = callback;
    op->user = user;
    if (pg->tail == NULL)
        pg->head = op;
    else
        pg->tail->next = op;
    pg->tail = op;
    if (pg->unsent == NULL)
        pg->unsent = op;
    pg->pending++;
    return op;
}

/* Takes the oldest operation out and answers it. The caller checks pg->life afterwards. */
static void op_answer(struct baod_pg *pg, enum baod_pg_outcome outcome, const char *why)
{
    struct op *op = pg->head;
    struct baod_pg_result result = {.outcome = outcome, .why = why, .warned = op->warned, .op = op};

    if (outcome != BAOD_PG_LOST)
        result.res = op->result;
    pg->head = op->next;
    if (pg->head == NULL)
        pg->tail = NULL;
    if (pg->unsent == op)
        pg->unsent = op->next;
    pg->pending--;
    pg->head_at = uv_now(pg->loop);
    if (op->callback != NULL)
        op->callback(&result, op->user);
    PQclear(op->result);
    free(op);
}

static enum baod_pg_outcome outcome_of(const PGresult *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_SYNC:
        return BAOD_PG_OK;
    case PGRES_PIPELINE_ABORTED:
        return BAOD_PG_ABORTED;
    default:
        return BAOD_PG_SQL;
    }
}

/* ------------------------------------------------------------------ watching the socket */

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void watch_drop(struct baod_pg *pg)
{
    struct watch *watch = BAO_TAKE(pg->watch);

    if (watch == NULL)
        return;
    watch->pg = NULL;
    uv_close((uv_handle_t *)&watch->handle, on_watch_closed);
}

static void on_connecting(uv_poll_t *handle, int status, int events);
static void on_socket(uv_poll_t *handle, int status, int events);

static int watch_make(struct baod_pg *pg)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    int r;

    if (watch == NULL)
        return -ENOMEM;
    r = uv_poll_init(pg->loop, &watch->handle, PQsocket(pg->conn));
    if (r < 0) {
        free(watch);
        return r;
    }
    watch->handle.data = watch;
    watch->pg = pg;
    pg->watch = watch;
    return 0;
}

static int watch_for(struct baod_pg *pg, int events, uv_poll_cb callback)
{
    int r;

    if (pg->watch->events == events)
        return 0;
    r = uv_poll_start(&pg->watch->handle, events, callback);
    if (r == 0)
        pg->watch->events = events;
    return r;
}

/* Sends what libpq still holds, and asks to be woken when there is room for what it or a copy has left. */
static int flush(struct baod_pg *pg)
{
    int more = PQflush(pg->conn);

    if (more < 0)
        return -EPIPE;
    if (pg->head != NULL && pg->head->copying)
        more = 1;
    return watch_for(pg, UV_READABLE | (more == 1 ? UV_WRITABLE : 0), on_socket);
}

/* ------------------------------------------------------------------ time */

static void on_kick(uv_timer_t *timer)
{
    struct baod_pg *pg = timer->data;

    if (pg->closing)
        return;
    if (pg->losing)
        lose(pg, pg->why);
    else if (pg->conn != NULL)
        advance(pg);
}

/* Remembers a loss found while a caller is in here; the loop tells it, so that nobody is called back from
 * inside an own call. */
static void lose_soon(struct baod_pg *pg, const char *why)
{
    if (pg->losing)
        return;
    pg->losing = true;
    snprintf(pg->why, sizeof(pg->why), "%s", why);
    (void)uv_timer_start(&pg->kick, on_kick, 0, 0); /* fails only for a NULL callback or a closing handle */
}

/* libpq reads while it writes, lest both sides wait for each other: an answer may then stand in its buffer
 * without the socket ever becoming readable again. */
static void look_again(struct baod_pg *pg)
{
    if (!pg->losing && pg->head != NULL && pg->head->sent && !pg->head->copying && PQisBusy(pg->conn) == 0)
        (void)uv_timer_start(&pg->kick, on_kick, 0, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct baod_pg *pg = timer->data;
    uint64_t due;

    if (pg->closing || pg->head == NULL)
        return;
    due = pg->head_at + (uint64_t)pg->options.deadline_ms;
    if (uv_now(pg->loop) < due) {
        (void)uv_timer_start(timer, on_deadline, due - uv_now(pg->loop), 0);
        return;
    }
    /* It may be this process that stood still: the loop looks at its timers before its sockets. */
    if (!hear_out(pg))
        return;
    if (pg->head != NULL && uv_now(pg->loop) >= pg->head_at + (uint64_t)pg->options.deadline_ms)
        lose(pg, "the server did not answer in time");
    else
        advance(pg);
}

static void deadline_watch(struct baod_pg *pg)
{
    if (pg->state >= SETUP && pg->state <= DRAINING && pg->head != NULL &&
        !uv_is_active((uv_handle_t *)&pg->timer))
        (void)uv_timer_start(&pg->timer, on_deadline, (uint64_t)pg->options.deadline_ms, 0);
}

static void connect_begin(struct baod_pg *pg);

static void on_retry(uv_timer_t *timer)
{
    struct baod_pg *pg = timer->data;

    if (!pg->closing)
        connect_begin(pg);
}

static void retry_later(struct baod_pg *pg)
{
    unsigned shift = pg->failures < 10 ? pg->failures : 10;
    uint64_t pause = (uint64_t)BACKOFF_FIRST_MS << shift;
    uint32_t dice = 0;

    if (pause > BACKOFF_MOST_MS)
        pause = BACKOFF_MOST_MS;
    /* Half of it is chance, so that many daemons do not come back in step; without chance it is still a
     * pause. */
    if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
        dice = (uint32_t)uv_hrtime();
    pause = pause / 2 + dice % (pause / 2 + 1);
    pg->failures++;
    pg->state = BACKOFF;
    (void)uv_timer_start(&pg->timer, on_retry, pause, 0);
}

/* ------------------------------------------------------------------ losing a connection */

static void one_line(char *ret, size_t size, const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n + 1 < size; text++)
        ret[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
    while (n > 0 && ret[n - 1] == ' ')
        n--;
    ret[n] = '\0';
}

/* Closes the socket and answers everything open. Gives false when somebody called back has freed or reopened.
 */
static bool hang_up(struct baod_pg *pg, enum pg_state next, const char *why)
{
    uint64_t life = ++pg->life;
    size_t n = pg->pending; /* nothing new can come in: the state refuses it */

    pg->state = next;
    pg->losing = false;
    *pg->farewell = '\0';
    pg->pipeline = false;
    pg->n_prepared = 0;
    pg->group = 0;
    uv_timer_stop(&pg->timer);
    uv_timer_stop(&pg->kick);
    watch_drop(pg);
    PQfinish(BAO_TAKE(pg->conn));
    while (n-- > 0 && pg->head != NULL) /* a callback may free us, which answers the rest */
        op_answer(pg, BAOD_PG_LOST, why);
    return pg->life == life && !pg->closing;
}

static void lose(struct baod_pg *pg, const char *why)
{
    bool again = !pg->options.once && pg->state != DRAINING;
    char text[WHY_SIZE];

    if (*pg->farewell != '\0')
        why = pg->farewell;
    one_line(text, sizeof(text), why[0] != '\0' ? why : "the connection failed");
    if (!hang_up(pg, OFFLINE, text))
        return;
    if (again)
        retry_later(pg);
    if (pg->options.lost != NULL)
        pg->options.lost(pg, text, pg->options.user);
}

/* ------------------------------------------------------------------ sending */

static bool scratch_fit(struct baod_pg *pg, size_t n)
{
    size_t size = n < 32 ? 32 : n;
    void *values, *lengths, *formats, *types;

    if (n <= pg->scratch.size)
        return true;
    values = realloc(pg->scratch.values, size * sizeof(*pg->scratch.values));
    if (values != NULL)
        pg->scratch.values = values;
    lengths = realloc(pg->scratch.lengths, size * sizeof(*pg->scratch.lengths));
    if (lengths != NULL)
        pg->scratch.lengths = lengths;
    formats = realloc(pg->scratch.formats, size * sizeof(*pg->scratch.formats));
    if (formats != NULL)
        pg->scratch.formats = formats;
    types = realloc(pg->scratch.types, size * sizeof(*pg->scratch.types));
    if (types != NULL)
        pg->scratch.types = types;
    if (values == NULL || lengths == NULL || formats == NULL || types == NULL)
        return false;
    pg->scratch.size = size;
    return true;
}

/* The entry of a statement; NULL when there is no room or memory for it (it is then sent unprepared). */
static struct prepared *prepared_get(struct baod_pg *pg, const struct baod_pg_statement *statement)
{
    if (statement->name == NULL)
        return NULL;
    for (size_t i = 0; i < pg->n_prepared; i++)
        if (pg->prepared[i].statement == statement)
            return &pg->prepared[i];
    if (pg->prepared == NULL)
        pg->prepared = calloc(PREPARED_MAX, sizeof(*pg->prepared));
    if (pg->prepared == NULL || pg->n_prepared == PREPARED_MAX)
        return NULL;
    pg->prepared[pg->n_prepared] = (struct prepared){.statement = statement};
    return &pg->prepared[pg->n_prepared++];
}

/* A PREPARE that travels in the same error group either succeeds or takes this statement with it. In a later
 * group that is not so: until its answer is known the text goes along again, unprepared. */
static bool send_exec(struct baod_pg *pg, struct op *op)
{
    struct prepared *p = prepared_get(pg, op->statement);
    int n = (int)op->n;

    for (size_t i = 0; i < op->n; i++) {
        pg->scratch.values[i] = op->params[i].p;
        pg->scratch.lengths[i] = op->params[i].n;
        pg->scratch.formats[i] = 1;
        pg->scratch.types[i] = op->params[i].type;
    }
    if (p == NULL || (p->state == PREPARE_SENT && p->group != pg->group))
        return PQsendQueryParams(pg->conn, op->statement->sql, n, pg->scratch.types, pg->scratch.values,
                                 pg->scratch.lengths, pg->scratch.formats, 1) == 1;
    if (p->state == PREPARE_NOT) {
        if (PQsendPrepare(pg->conn, op->statement->name, op->statement->sql, n, pg->scratch.types) != 1)
            return false;
        op->rounds = 2;
        p->state = PREPARE_SENT;
        p->group = pg->group;
    }
    return PQsendQueryPrepared(pg->conn, op->statement->name, n, pg->scratch.values, pg->scratch.lengths,
                               pg->scratch.formats, 1) == 1;
}

static bool send_simple(struct baod_pg *pg, struct op *op)
{
    if (PQexitPipelineMode(pg->conn) != 1)
        return false;
    pg->pipeline = false;
    return PQsendQuery(pg->conn, op->sql) == 1;
}

/* Hands to libpq what may travel now. A copy or script goes alone, when all before it has been answered. */
static int send_queue(struct baod_pg *pg)
{
    while (pg->unsent != NULL && pg->pipeline) {
        struct op *op = pg->unsent;
        bool ok;

        if (op->kind == OP_COPY || op->kind == OP_SCRIPT) {
            if (op != pg->head)
                break;
            ok = send_simple(pg, op);
        } else if (op->kind == OP_SYNC) {
            ok = PQpipelineSync(pg->conn) == 1;
            pg->group++;
        } else {
            ok = send_exec(pg, op);
        }
        if (!ok)
            return -EPIPE;
        op->sent = true;
        if (op == pg->head)
            pg->head_at = uv_now(pg->loop);
        pg->unsent = op->next;
    }
    deadline_watch(pg);
    return 0;
}

static bool takes_work(const struct baod_pg *pg)
{
    return pg->state == READY && !pg->losing;
}

static void send_or_lose(struct baod_pg *pg, bool flushing)
{
    if (send_queue(pg) < 0 || (flushing && flush(pg) < 0))
        lose_soon(pg, PQerrorMessage(pg->conn));
    else if (flushing)
        look_again(pg);
}

static int queue_exec(struct baod_pg *pg, const struct baod_pg_statement *statement,
                      const struct baod_pg_param *params, size_t n, baod_pg_callback *callback, void *user)
{
    struct op *op;

    if (n > PARAMS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (params[i].type == 0)
            return -ENOMEM;
    if (!scratch_fit(pg, n))
        return -ENOMEM;
    op = op_push(pg, OP_EXEC, callback, user);
    if (op == NULL)
        return -ENOMEM;
    op->statement = statement;
    op->params = params;
    op->n = n;
    send_or_lose(pg, false);
    return 0;
}

int baod_pg_exec(struct baod_pg *pg, const struct baod_pg_statement *statement,
                 const struct baod_pg_param *params, size_t n, baod_pg_callback *callback, void *user)
{
    if (!takes_work(pg))
        return -ENOTCONN;
    return queue_exec(pg, statement, params, n, callback, user);
}

static int queue_sync(struct baod_pg *pg, baod_pg_callback *callback, void *user)
{
    if (op_push(pg, OP_SYNC, callback, user) == NULL)
        return -ENOMEM;
    send_or_lose(pg, true);
    return 0;
}

int baod_pg_sync(struct baod_pg *pg, baod_pg_callback *callback, void *user)
{
    return takes_work(pg) ? queue_sync(pg, callback, user) : -ENOTCONN;
}

void baod_pg_push(struct baod_pg *pg)
{
    if (takes_work(pg))
        send_or_lose(pg, true);
}

static int queue_simple(struct baod_pg *pg, enum op_kind kind, const char *sql, struct bao_str data,
                        baod_pg_callback *callback, void *user)
{
    struct op *op;

    if (!takes_work(pg))
        return -ENOTCONN;
    if (pg->tail != NULL && pg->tail->kind == OP_EXEC)
        return -EINVAL;
    op = op_push(pg, kind, callback, user);
    if (op == NULL)
        return -ENOMEM;
    op->sql = sql;
    op->data = data;
    send_or_lose(pg, true);
    return 0;
}

int baod_pg_copy(struct baod_pg *pg, const char *sql, struct bao_str data, baod_pg_callback *callback,
                 void *user)
{
    return queue_simple(pg, OP_COPY, sql, data, callback, user);
}

int baod_pg_script(struct baod_pg *pg, const char *sql, baod_pg_callback *callback, void *user)
{
    return queue_simple(pg, OP_SCRIPT, sql, BAO_STR_NULL, callback, user);
}

/* ------------------------------------------------------------------ receiving */

static void prepared_done(struct baod_pg *pg, struct op *op)
{
    struct prepared *p = prepared_get(pg, op->statement);
    bool ok = outcome_of(op->result) == BAOD_PG_OK;

    if (p != NULL)
        p->state = ok ? PREPARE_DONE : PREPARE_NOT;
    if (ok) { /* what it travelled ahead of is still to be answered */
        PQclear(op->result);
        op->result = NULL;
    }
}

/* Keeps the first error of an operation, else its last result. */
static void result_keep(struct op *op, PGresult *res)
{
    if (op->result != NULL && outcome_of(op->result) != BAOD_PG_OK) {
        PQclear(res);
        return;
    }
    PQclear(op->result);
    op->result = res;
}

/* The server says goodbye, or libpq does for it: nothing more will be answered. */
static bool is_farewell(const PGresult *res)
{
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (PQresultStatus(res) != PGRES_FATAL_ERROR && PQresultStatus(res) != PGRES_NONFATAL_ERROR)
        return false;
    return state == NULL ||
           (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0));
}

/* Feeds the running copy as far as the socket takes it. */
static int copy_feed(struct baod_pg *pg, struct op *op)
{
    while (op->data_at < op->data.n) {
        size_t n = op->data.n - op->data_at < COPY_CHUNK ? op->data.n - op->data_at : COPY_CHUNK;
        int r = PQputCopyData(pg->conn, op->data.p + op->data_at, (int)n);

        if (r < 0)
            break; /* the server has refused already: its error is the next result */
        if (r == 1)
            op->data_at += n;
        r = PQflush(pg->conn);
        if (r < 0)
            return -EPIPE;
        if (r == 1)
            return 0;
    }
    (void)PQputCopyEnd(pg->conn, NULL); /* the same refusal */
    op->copying = false;
    return 0;
}

static int copy_start(struct baod_pg *pg, struct op *op)
{
    int r = copy_feed(pg, op);

    if (r < 0)
        one_line(pg->why, sizeof(pg->why), PQerrorMessage(pg->conn));
    return r;
}

/* One result of the oldest operation: 1 when it may be answered now, 0 when more is to come, <0 lost. */
static int take_result(struct baod_pg *pg, struct op *op, PGresult *res)
{
    if (res == NULL) {
        if (op->result == NULL)
            return 0; /* the end of what stood before it */
        if (op->rounds == 2)
            prepared_done(pg, op);
        return --op->rounds == 0;
    }
    if (is_farewell(res)) {
        one_line(pg->why, sizeof(pg->why), PQresultErrorMessage(res));
        PQclear(res);
        return -ECONNRESET;
    }
    if (PQresultStatus(res) == PGRES_COPY_IN) {
        PQclear(res);
        op->copying = true;
        return copy_start(pg, op);
    }
    result_keep(op, res);
    return op->kind == OP_SYNC; /* a sync has no terminating NULL */
}

/* Answers what has arrived. False when the connection is no longer the one we began with. */
static bool take_results(struct baod_pg *pg)
{
    uint64_t life = pg->life;
    unsigned empty = 0; /* libpq says NULL once between operations; twice: it has nothing */

    while (empty < 2 && pg->head != NULL && pg->head->sent && !pg->head->copying && PQisBusy(pg->conn) == 0) {
        struct op *op = pg->head;
        PGresult *res = PQgetResult(pg->conn);
        int r;

        empty = res == NULL && op->result == NULL ? empty + 1 : 0;
        r = take_result(pg, op, res);
        if (r < 0) {
            lose(pg, pg->why);
            return false;
        }
        if (r == 0)
            continue;
        if (op->kind == OP_COPY || op->kind == OP_SCRIPT)
            pg->pipeline = PQenterPipelineMode(pg->conn) == 1;
        op_answer(pg, outcome_of(op->result), NULL);
        if (pg->life != life || pg->closing)
            return false;
    }
    return true;
}

/* Before a connection is given up: whole answers that it brought count, a COMMIT's most of all. They are
 * taken between the reads, for libpq forgets what it waits for when it meets the end. False when the
 * connection is no longer the one we began with. */
static bool hear_out(struct baod_pg *pg)
{
    struct pollfd more = {.fd = PQsocket(pg->conn), .events = POLLIN};

    while (PQconsumeInput(pg->conn) == 1) {
        if (!take_results(pg))
            return false;
        if (poll(&more, 1, 0) != 1)
            break;
    }
    return true;
}

/* Everything that can be done now, in the order that cannot deadlock: results, then data, then the queue. */
static void advance(struct baod_pg *pg)
{
    if (!take_results(pg))
        return;
    if (PQstatus(pg->conn) == CONNECTION_BAD ||
        (pg->head != NULL && pg->head->copying && copy_feed(pg, pg->head) < 0) || send_queue(pg) < 0 ||
        flush(pg) < 0) {
        lose(pg, PQerrorMessage(pg->conn));
        return;
    }
    if (pg->state == DRAINING && pg->head == NULL)
        lose(pg, "drained");
    else
        look_again(pg);
}

static void on_socket(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    struct baod_pg *pg = watch->pg;

    if (pg == NULL || pg->closing)
        return;
    /* libuv tells any error of the socket as one of the descriptor; libpq knows what it was. */
    if (status < 0 && !hear_out(pg))
        return;
    if (status < 0 || ((events & UV_READABLE) != 0 && PQconsumeInput(pg->conn) == 0)) {
        (void)PQisBusy(pg->conn); /* reads a farewell that stands in the buffer: it comes as a notice */
        lose(pg, PQerrorMessage(pg->conn));
        return;
    }
    advance(pg);
}

static void on_notice(void *user, const PGresult *res)
{
    struct baod_pg *pg = user;
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    if (severity != NULL && strcmp(severity, "WARNING") == 0 && pg->head != NULL)
        pg->head->warned = true;
    if (is_farewell(res))
        one_line(pg->farewell, sizeof(pg->farewell), PQresultErrorMessage(res));
    if (pg->options.notice != NULL)
        pg->options.notice(severity != NULL ? severity : "", state != NULL ? state : "",
                           message != NULL ? message : "", pg->options.user);
}

/* ------------------------------------------------------------------ connecting */

static const struct baod_pg_statement SETUP_SESSION = {
    NULL,
    "SELECT set_config('jit', 'off', false), set_config('TimeZone', 'UTC', false),"
    " set_config('search_path', 'baocao', false), set_config('statement_timeout', $1, false),"
    " set_config('lock_timeout', $2, false), set_config('idle_in_transaction_session_timeout', $3, false),"
    " pg_catalog.current_setting('transaction_read_only')",
};

static void on_setup(const struct baod_pg_result *r, void *user)
{
    struct baod_pg *pg = user;

    if (r->outcome == BAOD_PG_LOST)
        return;
    if (r->outcome != BAOD_PG_OK)
        lose_soon(pg, baod_pg_message(r));
    else if (pg->must_write && bao_str_is(baod_pg_bytes(r, 0, 6), "on"))
        lose_soon(pg, "the server is read-only (a standby?)");
}

static void on_setup_end(const struct baod_pg_result *r, void *user)
{
    struct baod_pg *pg = user;

    if (r->outcome != BAOD_PG_OK || pg->state != SETUP || pg->losing)
        return;
    pg->state = READY;
    pg->failures = 0;
    if (pg->options.ready != NULL)
        pg->options.ready(pg, pg->options.user);
}

static void setup(struct baod_pg *pg)
{
    uv_timer_stop(&pg->timer);
    if (PQserverVersion(pg->conn) < OLDEST_SERVER) {
        lose(pg, "the server is older than PostgreSQL 15");
        return;
    }
    pg->state = SETUP;
    pg->pipeline = PQsetnonblocking(pg->conn, 1) == 0 && PQenterPipelineMode(pg->conn) == 1;
    (void)PQsetNoticeReceiver(pg->conn, on_notice, pg);
    if (!pg->pipeline || watch_make(pg) < 0 ||
        queue_exec(pg, &SETUP_SESSION, pg->session_params, BAO_COUNT(pg->session_params), on_setup, pg) < 0 ||
        queue_sync(pg, on_setup_end, pg) < 0)
        lose(pg, "no memory to set the session up");
}

static void connect_step(struct baod_pg *pg)
{
    PostgresPollingStatusType next;

    /* The socket may be another one after each step, even under the same number: let go of it first. */
    watch_drop(pg);
    next = PQconnectPoll(pg->conn);
    if (next == PGRES_POLLING_OK) {
        setup(pg);
        return;
    }
    if (next == PGRES_POLLING_FAILED || watch_make(pg) < 0 ||
        watch_for(pg, next == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE, on_connecting) < 0)
        lose(pg, PQerrorMessage(pg->conn));
}

static void on_connecting(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;

    (void)events; /* PQconnectPoll finds out by itself */
    (void)status; /* and sees the socket's error */
    if (watch->pg != NULL && !watch->pg->closing)
        connect_step(watch->pg);
}

static void on_connect_late(uv_timer_t *timer)
{
    struct baod_pg *pg = timer->data;

    if (!pg->closing)
        lose(pg, "the server did not let us in in time");
}

/* Settings that hold unless the operator's conninfo says otherwise. */
static const struct {
    const char *key, *value;
} DEFAULTS[] = {
    {"client_encoding", "UTF8"}, {"gssencmode", "disable"},    {"tcp_user_timeout", "10000"},
    {"keepalives_idle", "10"},   {"keepalives_interval", "5"}, {"keepalives_count", "3"},
};

enum { CONNECT_KEYS = 64, LIST_MAX = 2048 };

/* Writes a comma-separated list beginning with its element `by`, the ones before it at the end; ret has
 * LIST_MAX octets and the list is shorter. */
static void rotate_list(char *ret, const char *list, size_t by)
{
    const char *cut = list;

    for (; by > 0 && cut != NULL; by--) {
        cut = strchr(cut, ',');
        cut = cut == NULL ? NULL : cut + 1;
    }
    if (cut == NULL || cut == list)
        snprintf(ret, LIST_MAX, "%s", list);
    else
        snprintf(ret, LIST_MAX, "%s,%.*s", cut, (int)(cut - list - 1), list);
}

static size_t list_length(const char *list)
{
    size_t n = 1;

    for (; *list != '\0'; list++)
        n += *list == ',';
    return n;
}

struct connect_keys {
    const char *keys[CONNECT_KEYS], *values[CONNECT_KEYS];
    size_t n;
    char lists[3][LIST_MAX]; /* host, hostaddr, port */
};

static void connect_key(struct connect_keys *k, const char *key, const char *value)
{
    if (k->n + 1 < CONNECT_KEYS) {
        k->keys[k->n] = key;
        k->values[k->n++] = value;
    }
    k->keys[k->n] = k->values[k->n] = NULL;
}

/* Each attempt begins with the next of several hosts: one that takes the connection and says nothing uses up
 * the attempt's time, and must not do so for ever. */
static void connect_keys(struct baod_pg *pg, const PQconninfoOption *given, struct connect_keys *k)
{
    static const char *const lists[] = {"host", "hostaddr", "port"};

    for (size_t i = 0; i < BAO_COUNT(DEFAULTS); i++)
        connect_key(k, DEFAULTS[i].key, DEFAULTS[i].value);
    connect_key(k, "fallback_application_name", pg->application);
    pg->must_write = !pg->options.read_only || (pg->options.rather_primary && pg->attempts % 2 == 0);
    if (pg->must_write)
        connect_key(k, "target_session_attrs", "read-write");
    /* A later value of the same key replaces an earlier one. */
    for (const PQconninfoOption *o = given; o->keyword != NULL; o++) {
        const char *value = o->val;

        for (size_t i = 0; value != NULL && i < BAO_COUNT(lists); i++) {
            if (strcmp(o->keyword, lists[i]) != 0 || strlen(value) >= LIST_MAX)
                continue;
            rotate_list(k->lists[i], value, pg->attempts % list_length(value));
            value = k->lists[i];
        }
        if (value != NULL)
            connect_key(k, o->keyword, value);
    }
    pg->attempts++;
}

static void connect_begin(struct baod_pg *pg)
{
    PQconninfoOption *given = PQconninfoParse(pg->conninfo, NULL);
    struct connect_keys k = {.n = 0};

    pg->life++;
    pg->state = CONNECTING;
    if (given != NULL) {
        connect_keys(pg, given, &k);
        pg->conn = PQconnectStartParams(k.keys, k.values, 0);
        PQconninfoFree(given);
    }
    if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD || watch_make(pg) < 0 ||
        watch_for(pg, UV_WRITABLE, on_connecting) < 0) {
        lose(pg, pg->conn != NULL ? PQerrorMessage(pg->conn) : "the connection string cannot be read");
        return;
    }
    (void)uv_timer_start(&pg->timer, on_connect_late, (uint64_t)pg->options.connect_ms, 0);
}

/* ------------------------------------------------------------------ life */

static void session_param(struct baod_pg *pg, size_t i, int ms)
{
    snprintf(pg->session_ms[i], sizeof(pg->session_ms[i]), "%d", ms < 0 ? 0 : ms == 0 ? SESSION_MS : ms);
    pg->session_params[i] = baod_pg_p_text(bao_str_c(pg->session_ms[i]));
}

static void pg_destroy(struct baod_pg *pg)
{
    free(pg->prepared);
    free(pg->scratch.values);
    free(pg->scratch.lengths);
    free(pg->scratch.formats);
    free(pg->scratch.types);
    free(pg->conninfo);
    free(pg->application);
    free(pg);
}

int baod_pg_new(uv_loop_t *loop, const struct baod_pg_options *options, struct baod_pg **ret)
{
    struct baod_pg *pg = calloc(1, sizeof(*pg));

    if (pg == NULL)
        return -ENOMEM;
    pg->loop = loop;
    pg->options = *options;
    pg->options.connect_ms = options->connect_ms > 0 ? options->connect_ms : CONNECT_MS;
    pg->options.deadline_ms = options->deadline_ms > 0 ? options->deadline_ms : DEADLINE_MS;
    pg->conninfo = strdup(options->conninfo);
    pg->application = strdup(options->application != NULL ? options->application : "baocaod");
    session_param(pg, 0, options->statement_ms);
    session_param(pg, 1, options->lock_ms);
    session_param(pg, 2, options->idle_ms);
    if (pg->conninfo == NULL || pg->application == NULL || !scratch_fit(pg, 32)) {
        pg_destroy(pg);
        return -ENOMEM;
    }
    /* These two cannot fail for a valid loop, so they come last. */
    (void)uv_timer_init(loop, &pg->timer);
    (void)uv_timer_init(loop, &pg->kick);
    pg->timer.data = pg->kick.data = pg;
    pg->handles_open = 2;
    *ret = pg;
    return 0;
}

void baod_pg_open(struct baod_pg *pg)
{
    if (pg->state == OFFLINE && !pg->closing) {
        pg->state = BACKOFF;
        (void)uv_timer_start(&pg->timer, on_retry, 0, 0);
    }
}

void baod_pg_drain(struct baod_pg *pg)
{
    if (pg->closing || pg->state == OFFLINE)
        return;
    pg->options.once = true;
    if (pg->state == READY && pg->head != NULL)
        pg->state = DRAINING;
    else
        lose_soon(pg, "drained");
}

void baod_pg_drop(struct baod_pg *pg, const char *why)
{
    if (!pg->closing && pg->conn != NULL)
        lose_soon(pg, why);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct baod_pg *pg = handle->data;

    if (--pg->handles_open == 0)
        pg_destroy(pg);
}

struct baod_pg *baod_pg_free(struct baod_pg *pg)
{
    if (pg == NULL || pg->closing)
        return NULL;
    pg->closing = true;
    (void)hang_up(pg, OFFLINE, "closed");
    uv_close((uv_handle_t *)&pg->timer, on_handle_closed);
    uv_close((uv_handle_t *)&pg->kick, on_handle_closed);
    return NULL;
}

bool baod_pg_is_ready(const struct baod_pg *pg)
{
    return takes_work(pg);
}

uint64_t baod_pg_waits_since(const struct baod_pg *pg)
{
    return pg->head == NULL ? 0 : pg->head_at;
}

int baod_pg_backend(const struct baod_pg *pg)
{
    return pg->conn == NULL ? 0 : PQbackendPID(pg->conn);
}

size_t baod_pg_pending(const struct baod_pg *pg)
{
    return pg->pending;
}

int baod_pg_server_version(const struct baod_pg *pg)
{
    return pg->conn == NULL ? 0 : PQserverVersion(pg->conn);
}

const char *baod_pg_library_warning(void)
{
    return PQlibVersion() >= GOOD_LIBRARY
               ? NULL
               : "libpq is older than 15.19: over TLS it may wait for data that has already arrived";
}
