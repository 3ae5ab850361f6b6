#include "daemon/http/http.h"

#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WATCHDOG_MS = 250, SWEEP_MS = 500 };

struct connection {
    struct connection *next, *prev;
    int fd;
    uint64_t deadline; /* loop time; 0 = none, the server itself is busy */
};

struct baod_http_exchange {
    struct baod_http_exchange *next, *prev;
    struct baod_http *http;
    struct MHD_Connection *mhd;
    struct connection *connection;
    struct MHD_Response *response; /* set by the reply, queued when MHD calls again */
    struct bao_buf body;
    char *path;
    const char *method;
    uint64_t id;
    int64_t arrived;
    unsigned status;
    bool complete, suspended, too_big, bad, failed;
};

struct baod_http {
    uv_loop_t *loop;
    struct MHD_Daemon *mhd;
    struct baod_http_limits limits;
    baod_http_handler *handler;
    void *user;
    struct baod_http_exchange *exchanges;
    struct connection *connections;
    uint64_t next_id;
    unsigned suspended;
    uv_poll_t poll;
    uv_timer_t timeout, sweep;
    unsigned open_handles;
    int quiesced_fd;
    bool closing, running, again;
    void (*closed)(void *user);
    void *closed_user;
};

static int64_t wall_now(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Running MHD and asking for its next timeout belong together: without the question, edge-triggered sockets
 * that still hold data would wait for ever. */
static void on_timeout(uv_timer_t *timer);

static void run(struct baod_http *http)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;

    if (http->running) {
        http->again = true;
        return;
    }
    http->running = true;
    do {
        http->again = false;
        (void)MHD_run(http->mhd); /* fails only when called from inside itself, which `running` prevents */
    } while (http->again);
    http->running = false;
    if (http->closing)
        return;
    if (MHD_get_timeout(http->mhd, &wait) != MHD_YES)
        wait = http->suspended != 0 ? WATCHDOG_MS : 60000;
    else if (http->suspended != 0 && wait > WATCHDOG_MS)
        wait = WATCHDOG_MS;
    uv_timer_start(&http->timeout, on_timeout, wait, 0);
}

static void on_timeout(uv_timer_t *timer)
{
    struct baod_http *http = timer->data;

    if (!http->closing)
        run(http);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct baod_http *http = poll->data;

    (void)status; /* an error on the epoll descriptor shows again in MHD_run */
    (void)events;
    if (!http->closing)
        run(http);
}

/* MHD's own timeout restarts with every octet; this one does not, so drip-fed requests end. */
static void on_sweep(uv_timer_t *timer)
{
    struct baod_http *http = timer->data;
    uint64_t now = uv_now(http->loop);
    bool ended = false;

    if (http->closing)
        return;
    for (struct connection *c = http->connections; c != NULL; c = c->next) {
        if (c->deadline != 0 && c->deadline < now) {
            shutdown(c->fd, SHUT_RDWR);
            c->deadline = 0;
            ended = true;
        }
    }
    if (ended)
        run(http);
}

static void on_connection(void *user, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct baod_http *http = user;
    struct connection *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

        c = calloc(1, sizeof(*c));
        if (c == NULL || info == NULL) {
            free(c);
            return;
        }
        c->fd = info->connect_fd;
        c->deadline = uv_now(http->loop) + http->limits.head_ms;
        c->next = http->connections;
        if (c->next != NULL)
            c->next->prev = c;
        http->connections = c;
        *context = c;
    } else if (c != NULL) {
        if (c->prev != NULL)
            c->prev->next = c->next;
        else
            http->connections = c->next;
        if (c->next != NULL)
            c->next->prev = c->prev;
        free(c);
        *context = NULL;
    }
}

static struct baod_http_exchange *begin(struct baod_http *http, struct MHD_Connection *mhd, const char *path,
                                        const char *method)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct baod_http_exchange *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return NULL;
    x->path = strdup(path);
    if (x->path == NULL) {
        free(x);
        return NULL;
    }
    x->http = http;
    x->mhd = mhd;
    x->method = method;
    x->connection = info != NULL ? info->socket_context : NULL;
    x->id = ++http->next_id;
    bao_buf_init(&x->body, http->limits.body);
    x->next = http->exchanges;
    if (x->next != NULL)
        x->next->prev = x;
    http->exchanges = x;
    return x;
}

static void on_completed(void *user, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct baod_http *http = user;
    struct baod_http_exchange *x = *context;

    (void)mhd;
    (void)why;
    if (x == NULL)
        return;
    if (x->connection != NULL)
        x->connection->deadline = uv_now(http->loop) + http->limits.idle_ms;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        http->exchanges = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    if (x->response != NULL)
        MHD_destroy_response(x->response);
    bao_buf_deinit(&x->body);
    free(x->path);
    free(x);
    *context = NULL;
}

struct header_count {
    unsigned length, encoding, host;
};

static enum MHD_Result count_header(void *user, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct header_count *n = user;

    (void)kind;
    (void)value;
    n->length += strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    n->encoding += strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    n->host += strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0;
    return MHD_YES;
}

/* Old MHD lets through what smuggles requests past a proxy (RFC 9112 section 6.3): refuse it here. */
static bool headers_are_sound(struct MHD_Connection *mhd)
{
    struct header_count n = {0};

    MHD_get_connection_values(mhd, MHD_HEADER_KIND, count_header, &n);
    return n.length <= 1 && n.host == 1 && n.encoding <= 1 && !(n.length != 0 && n.encoding != 0);
}

static enum MHD_Result queue(struct baod_http_exchange *x)
{
    enum MHD_Result r = MHD_queue_response(x->mhd, x->status, x->response);

    MHD_destroy_response(x->response);
    x->response = NULL;
    return r;
}

static enum MHD_Result refuse(struct baod_http_exchange *x, unsigned status, const char *text)
{
    x->response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (x->response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(x->response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    (void)MHD_add_response_header(x->response, MHD_HTTP_HEADER_CONNECTION, "close");
    x->status = status;
    return queue(x);
}

static void take_body(struct baod_http_exchange *x, const char *data, size_t n)
{
    if (!x->too_big && bao_buf_append(&x->body, data, n) < 0) {
        x->too_big = true;
        bao_buf_deinit(&x->body);
    }
}

/* The request is whole: hands it over, and suspends unless it was answered at once. */
static enum MHD_Result hand_over(struct baod_http_exchange *x)
{
    x->complete = true;
    x->arrived = wall_now();
    if (x->connection != NULL)
        x->connection->deadline = 0;
    if (x->bad)
        return refuse(x, 400, "Yêu cầu sai quy cách HTTP. The request's headers contradict each other.\n");
    if (x->too_big)
        return refuse(x, 413, "Nội dung quá lớn. The body is larger than allowed.\n");
    x->http->handler(x->http->user, x);
    if (x->failed)
        return MHD_NO;
    if (x->response != NULL)
        return queue(x);
    x->suspended = true;
    x->http->suspended++;
    MHD_suspend_connection(x->mhd);
    return MHD_YES;
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
                                 const char *version, const char *data, size_t *n_data, void **context)
{
    struct baod_http *http = user;
    struct baod_http_exchange *x = *context;

    (void)version;
    if (x == NULL) {
        x = begin(http, mhd, url, method);
        if (x == NULL)
            return MHD_NO;
        *context = x;
        x->bad = !headers_are_sound(mhd);
        if (x->connection != NULL)
            x->connection->deadline = uv_now(http->loop) + http->limits.head_ms + http->limits.body / 16;
        return MHD_YES;
    }
    if (*n_data != 0) {
        take_body(x, data, *n_data);
        *n_data = 0;
        return MHD_YES;
    }
    if (!x->complete)
        return hand_over(x);
    if (x->failed)
        return MHD_NO;
    return x->response != NULL ? queue(x) : MHD_YES;
}

static void on_closed(uv_handle_t *handle)
{
    struct baod_http *http = handle->data;

    if (--http->open_handles != 0)
        return;
    if (http->closed != NULL)
        http->closed(http->closed_user);
    free(http);
}

static struct MHD_Daemon *start_mhd(struct baod_http *http, int listen_fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL, on_access, http,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
        http->limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, http->limits.per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32 * 1024, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(http->limits.idle_ms / 1000 + 1), MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

int baod_http_new(uv_loop_t *loop, int listen_fd, const struct baod_http_limits *limits,
                  baod_http_handler *handler, void *user, struct baod_http **ret)
{
    struct baod_http *http = calloc(1, sizeof(*http));
    const union MHD_DaemonInfo *info;
    int r;

    if (http == NULL)
        return -ENOMEM;
    *http = (struct baod_http){
        .loop = loop, .limits = *limits, .handler = handler, .user = user, .quiesced_fd = -1};
    http->mhd = start_mhd(http, listen_fd);
    info = http->mhd == NULL ? NULL : MHD_get_daemon_info(http->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || info->epoll_fd < 0) {
        if (http->mhd != NULL)
            MHD_stop_daemon(http->mhd);
        free(http);
        return -EIO;
    }
    http->poll.data = http->timeout.data = http->sweep.data = http;
    r = uv_poll_init(loop, &http->poll, info->epoll_fd);
    if (r < 0) {
        MHD_stop_daemon(http->mhd);
        free(http);
        return r;
    }
    uv_timer_init(loop, &http->timeout); /* cannot fail */
    uv_timer_init(loop, &http->sweep);
    http->open_handles = 3;
    uv_poll_start(&http->poll, UV_READABLE, on_ready);
    uv_timer_start(&http->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    run(http);
    *ret = http;
    return 0;
}

void baod_http_quiesce(struct baod_http *http)
{
    if (http == NULL || http->closing || http->quiesced_fd >= 0)
        return;
    http->quiesced_fd = MHD_quiesce_daemon(http->mhd);
}

void baod_http_close(struct baod_http *http, void (*closed)(void *user), void *user)
{
    if (http == NULL || http->closing)
        return;
    http->closing = true;
    http->closed = closed;
    http->closed_user = user;
    uv_poll_stop(&http->poll);
    /* MHD insists that nobody is suspended when it stops. */
    for (struct baod_http_exchange *x = http->exchanges; x != NULL; x = x->next)
        if (x->suspended) {
            x->suspended = false;
            MHD_resume_connection(x->mhd);
        }
    http->suspended = 0;
    (void)MHD_run(http->mhd); /* lets the resumed ones be seen before the stop */
    MHD_stop_daemon(http->mhd);
    if (http->quiesced_fd >= 0)
        close(http->quiesced_fd);
    uv_close((uv_handle_t *)&http->poll, on_closed);
    uv_close((uv_handle_t *)&http->timeout, on_closed);
    uv_close((uv_handle_t *)&http->sweep, on_closed);
}

uint64_t baod_http_id(const struct baod_http_exchange *x)
{
    return x->id;
}

const char *baod_http_method(const struct baod_http_exchange *x)
{
    return x->method;
}

const char *baod_http_path(const struct baod_http_exchange *x)
{
    return x->path;
}

const char *baod_http_query(const struct baod_http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_GET_ARGUMENT_KIND, name);
}

const char *baod_http_header(const struct baod_http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

struct bao_str baod_http_body(const struct baod_http_exchange *x)
{
    return bao_buf_str(&x->body);
}

int64_t baod_http_arrived(const struct baod_http_exchange *x)
{
    return x->arrived;
}

static struct MHD_Response *make_response(const struct baod_http_reply *reply)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.n, (void *)(uintptr_t)reply->body.p, MHD_RESPMEM_MUST_COPY);

    if (response == NULL)
        return NULL;
    if (reply->type != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    for (size_t i = 0; i + 1 < BAO_COUNT(reply->headers) && reply->headers[i] != NULL; i += 2)
        (void)MHD_add_response_header(response, reply->headers[i], reply->headers[i + 1]);
    return response;
}

void baod_http_reply(struct baod_http *http, uint64_t id, const struct baod_http_reply *reply)
{
    struct baod_http_exchange *x = http->exchanges;

    if (http->closing)
        return;
    while (x != NULL && x->id != id)
        x = x->next;
    if (x == NULL || x->response != NULL || x->failed)
        return;
    x->response = make_response(reply);
    x->failed = x->response == NULL;
    x->status = (unsigned)reply->status;
    if (x->suspended) {
        x->suspended = false;
        http->suspended--;
        MHD_resume_connection(x->mhd);
        run(http);
    }
}
