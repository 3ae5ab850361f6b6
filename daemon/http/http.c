#include "daemon/http/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WATCHDOG_MS = 250, SWEEP_MS = 250, ADDRESS_MAX = 64, DROPPED_TIMES = 4 };

/* One run of MHD. A change of keys starts another on the same socket; the older one ends with its last
 * connection. */
struct engine {
    struct engine *next;
    struct baod_http *http;
    struct MHD_Daemon *mhd;
    char *certificate, *key;
    unsigned connections, suspended;
    uv_poll_t poll;
    uv_timer_t timeout;
    unsigned open_handles;
    int quiesced_fd;
    uint64_t retire_at; /* loop time; 0 = it has the present keys */
    bool closing, running, again;
};

struct connection {
    struct connection *next, *prev;
    struct engine *engine;
    int fd;
    uint64_t deadline; /* loop time; 0 = none, the server itself is busy */
    bool busy;         /* a request has begun */
    bool local;
    char address[ADDRESS_MAX];
};

struct baod_http_exchange {
    struct baod_http_exchange *next, *prev;
    struct engine *engine;
    struct MHD_Connection *mhd;
    struct connection *connection;
    struct MHD_Response *response; /* set by the reply, queued when MHD calls again */
    struct bao_buf body;
    size_t dropped, answer; /* octets */
    char *path;
    const char *method;
    void *kept;
    uint64_t id;
    uint64_t due; /* loop time before which the answer is held back; 0 = none */
    int64_t arrived;
    unsigned status;
    bool complete, suspended, too_big, too_much, bad, failed;
};

struct baod_http {
    uv_loop_t *loop;
    struct baod_http_limits limits;
    struct baod_http_handlers handlers;
    struct engine *engines; /* the newest first */
    struct baod_http_exchange *exchanges;
    struct connection *connections;
    uint64_t next_id;
    size_t body_bytes;
    uv_timer_t sweep;
    bool sweep_open, closing, quiesced;
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

static void run(struct engine *e)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;

    if (e->running) {
        e->again = true;
        return;
    }
    e->running = true;
    do {
        e->again = false;
        (void)MHD_run(e->mhd); /* fails only when called from inside itself, which `running` prevents */
    } while (e->again);
    e->running = false;
    if (e->closing)
        return;
    if (MHD_get_timeout(e->mhd, &wait) != MHD_YES)
        wait = e->suspended != 0 ? WATCHDOG_MS : 60000;
    else if (e->suspended != 0 && wait > WATCHDOG_MS)
        wait = WATCHDOG_MS;
    uv_timer_start(&e->timeout, on_timeout, wait, 0);
}

static void on_timeout(uv_timer_t *timer)
{
    struct engine *e = timer->data;

    if (!e->closing)
        run(e);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct engine *e = poll->data;

    (void)status; /* an error on the epoll descriptor shows again in MHD_run */
    (void)events;
    if (!e->closing)
        run(e);
}

static void resume(struct baod_http_exchange *x)
{
    x->suspended = false;
    x->engine->suspended--;
    MHD_resume_connection(x->mhd);
}

static void end_engine(struct engine *e);

/* Closes what is past its time; MHD's own timeout restarts with every octet, this one does not, so drip-fed
 * requests end. An engine with old keys loses its idle connections too. */
static bool sweep_connections(struct baod_http *http, const struct engine *e, uint64_t now)
{
    bool ended = false;

    for (struct connection *c = http->connections; c != NULL; c = c->next) {
        if (c->engine != e || !((c->deadline != 0 && c->deadline < now) ||
                                (e->retire_at != 0 && e->retire_at < now && !c->busy)))
            continue;
        shutdown(c->fd, SHUT_RDWR);
        c->deadline = 0;
        ended = true;
    }
    return ended;
}

/* Lets answers go that were held back. */
static bool release_answers(struct baod_http *http, const struct engine *e, uint64_t now)
{
    bool released = false;

    for (struct baod_http_exchange *x = http->exchanges; x != NULL; x = x->next) {
        if (x->engine != e || !x->suspended || x->response == NULL || x->due > now)
            continue;
        resume(x);
        released = true;
    }
    return released;
}

static void on_sweep(uv_timer_t *timer)
{
    struct baod_http *http = timer->data;
    uint64_t now = uv_now(http->loop);

    for (struct engine *e = http->engines, *next; e != NULL && !http->closing; e = next) {
        bool ended = sweep_connections(http, e, now), released = release_answers(http, e, now);

        next = e->next;
        if (e->closing)
            continue;
        if (ended || released)
            run(e);
        if (e->retire_at != 0 && e->connections == 0)
            end_engine(e);
    }
}

/* Who is at the other end. */
static void read_address(struct connection *c, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in6 *six;
    const struct sockaddr_in *four;
    const uint8_t *octets;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    if (info == NULL || info->client_addr == NULL)
        return;
    if (info->client_addr->sa_family == AF_INET) {
        four = (const struct sockaddr_in *)(const void *)info->client_addr;
        (void)inet_ntop(AF_INET, &four->sin_addr, c->address, sizeof(c->address)); /* it fits */
        c->local = ntohl(four->sin_addr.s_addr) >> 24 == 127;
    } else if (info->client_addr->sa_family == AF_INET6) {
        six = (const struct sockaddr_in6 *)(const void *)info->client_addr;
        octets = six->sin6_addr.s6_addr;
        (void)inet_ntop(AF_INET6, &six->sin6_addr, c->address, sizeof(c->address));
        c->local = memcmp(octets, mapped, sizeof(mapped)) == 0 ? octets[12] == 127
                                                               : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) != 0;
    }
}

static void connection_begins(struct engine *e, struct MHD_Connection *mhd, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct baod_http *http = e->http;
    struct connection *c = calloc(1, sizeof(*c));

    if (c == NULL || info == NULL) {
        free(c);
        return;
    }
    c->engine = e;
    c->fd = info->connect_fd;
    c->deadline = uv_now(http->loop) + http->limits.head_ms;
    read_address(c, mhd);
    c->next = http->connections;
    if (c->next != NULL)
        c->next->prev = c;
    http->connections = c;
    e->connections++;
    *context = c;
}

static void on_connection(void *user, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct engine *e = user;
    struct connection *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_begins(e, mhd, context);
    } else if (c != NULL) {
        if (c->prev != NULL)
            c->prev->next = c->next;
        else
            e->http->connections = c->next;
        if (c->next != NULL)
            c->next->prev = c->prev;
        free(c);
        e->connections--;
        *context = NULL;
    }
}

static struct baod_http_exchange *begin(struct engine *e, struct MHD_Connection *mhd, const char *path,
                                        const char *method)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct baod_http *http = e->http;
    struct baod_http_exchange *x;

    if (info == NULL || info->socket_context == NULL)
        return NULL; /* there was no memory for the connection */
    x = calloc(1, sizeof(*x));
    if (x == NULL)
        return NULL;
    x->path = strdup(path);
    if (x->path == NULL) {
        free(x);
        return NULL;
    }
    x->engine = e;
    x->mhd = mhd;
    x->method = method;
    x->connection = info->socket_context;
    x->connection->busy = true;
    x->id = ++http->next_id;
    bao_buf_init(&x->body, http->limits.body);
    x->next = http->exchanges;
    if (x->next != NULL)
        x->next->prev = x;
    http->exchanges = x;
    return x;
}

static void drop_body(struct baod_http_exchange *x)
{
    x->engine->http->body_bytes -= bao_buf_len(&x->body);
    bao_buf_deinit(&x->body);
}

static void on_completed(void *user, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct engine *e = user;
    struct baod_http *http = e->http;
    struct baod_http_exchange *x = *context;

    (void)mhd;
    (void)why;
    if (x == NULL)
        return;
    x->connection->deadline = uv_now(http->loop) + http->limits.idle_ms;
    x->connection->busy = false;
    if (x->suspended) /* it is being stopped with its daemon */
        e->suspended--;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        http->exchanges = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    if (x->response != NULL)
        MHD_destroy_response(x->response);
    if (http->handlers.ended != NULL)
        http->handlers.ended(http->handlers.user, x);
    drop_body(x);
    free(x->path);
    free(x);
    *context = NULL;
}

struct header_count {
    unsigned length, encoding, host, odd;
};

/* MHD puts a folded line to the end of the field's name, so that a length or a coding goes unseen. */
static bool hides(const char *key, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(key, name, n) == 0 && key[n] != '\0';
}

static enum MHD_Result count_header(void *user, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct header_count *n = user;
    bool coding = strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;

    (void)kind;
    n->length += strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    n->encoding += coding;
    n->host += strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0;
    n->odd +=
        strpbrk(key, " \t") != NULL || /* "Content-Length : 5" is no length to MHD */
        hides(key, MHD_HTTP_HEADER_CONTENT_LENGTH) || hides(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
        (coding && (value == NULL || strcasecmp(value, "chunked") != 0)); /* MHD would read to the end */
    return MHD_YES;
}

/* Old MHD lets through what smuggles requests past a proxy (RFC 9112 sections 5.1 and 6.3): refuse it here.
 */
static bool headers_are_sound(struct MHD_Connection *mhd)
{
    struct header_count n = {0};

    MHD_get_connection_values(mhd, MHD_HEADER_KIND, count_header, &n);
    return n.odd == 0 && n.length <= 1 && n.host == 1 && n.encoding <= 1 &&
           !(n.length != 0 && n.encoding != 0);
}

static enum MHD_Result queue(struct baod_http_exchange *x)
{
    const struct baod_http_limits *limits = &x->engine->http->limits;
    enum MHD_Result r = MHD_queue_response(x->mhd, x->status, x->response);

    x->connection->deadline =
        uv_now(x->engine->http->loop) + limits->idle_ms + x->answer / limits->answer_rate;
    MHD_destroy_response(x->response);
    x->response = NULL;
    return r;
}

/* Keeps a piece of the body, or drops it when the answer is known already. false: it never ends. */
static bool take_body(struct baod_http_exchange *x, const char *data, size_t n)
{
    struct baod_http *http = x->engine->http;

    if (!x->bad && !x->too_big && !x->too_much && x->response == NULL) {
        if (n > http->limits.total_body - http->body_bytes) {
            x->too_much = true;
        } else if (bao_buf_append(&x->body, data, n) == 0) {
            http->body_bytes += n;
            return true;
        } else {
            x->too_big = true;
        }
        drop_body(x);
    }
    x->dropped += n;
    return x->dropped <= DROPPED_TIMES * http->limits.body;
}

static enum MHD_Result suspend(struct baod_http_exchange *x)
{
    x->suspended = true;
    x->engine->suspended++;
    MHD_suspend_connection(x->mhd);
    return MHD_YES;
}

/* The request is whole: hands it over, and suspends unless it was answered at once. */
static enum MHD_Result hand_over(struct baod_http_exchange *x)
{
    struct baod_http *http = x->engine->http;

    x->complete = true;
    x->arrived = wall_now();
    x->connection->deadline = 0;
    if (x->response == NULL && !x->failed) {
        if (x->bad || x->too_big || x->too_much)
            http->handlers.refused(http->handlers.user, x, x->bad ? 400 : x->too_big ? 413 : 503);
        else
            http->handlers.request(http->handlers.user, x);
    }
    if (x->failed)
        return MHD_NO;
    return x->response != NULL && x->due == 0 ? queue(x) : suspend(x);
}

static enum MHD_Result first_call(struct engine *e, struct MHD_Connection *mhd, const char *url,
                                  const char *method, void **context)
{
    struct baod_http *http = e->http;
    struct baod_http_exchange *x = begin(e, mhd, url, method);

    if (x == NULL)
        return MHD_NO;
    *context = x;
    x->bad = !headers_are_sound(mhd);
    x->connection->deadline = uv_now(http->loop) + http->limits.head_ms + http->limits.body / 16;
    if (x->bad)
        return hand_over(x); /* at once: nobody knows where its body ends */
    http->handlers.head(http->handlers.user, x);
    return MHD_YES;
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
                                 const char *version, const char *data, size_t *n_data, void **context)
{
    struct baod_http_exchange *x = *context;

    (void)version;
    if (x == NULL)
        return first_call(user, mhd, url, method, context);
    if (*n_data != 0) {
        bool goes_on = take_body(x, data, *n_data);

        *n_data = 0;
        return goes_on ? MHD_YES : MHD_NO;
    }
    if (!x->complete)
        return hand_over(x);
    if (x->failed)
        return MHD_NO;
    return x->response != NULL ? queue(x) : MHD_YES;
}

/* ------------------------------------------------------------------ engines */

static void http_free(struct baod_http *http)
{
    if (http->engines != NULL || http->sweep_open)
        return;
    if (http->closed != NULL)
        http->closed(http->closed_user);
    free(http);
}

static void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    if (e->key != NULL)
        explicit_bzero(e->key, strlen(e->key));
    free(e->certificate);
    free(e->key);
    free(e);
}

static void on_engine_closed(uv_handle_t *handle)
{
    struct engine *e = handle->data, **at;
    struct baod_http *http = e->http;

    if (--e->open_handles != 0)
        return;
    for (at = &http->engines; *at != e; at = &(*at)->next)
        ;
    *at = e->next;
    engine_free(e);
    if (http->closing)
        http_free(http);
}

static void on_sweep_closed(uv_handle_t *handle)
{
    struct baod_http *http = handle->data;

    http->sweep_open = false;
    http_free(http);
}

/* Stops one run of MHD; its memory goes when the loop has let go of its handles. */
static void end_engine(struct engine *e)
{
    if (e->closing)
        return;
    e->closing = true;
    uv_poll_stop(&e->poll);
    /* MHD insists that nobody is suspended when it stops. */
    for (struct baod_http_exchange *x = e->http->exchanges; x != NULL; x = x->next)
        if (x->engine == e && x->suspended)
            resume(x);
    (void)MHD_run(e->mhd); /* lets the resumed ones be seen before the stop */
    MHD_stop_daemon(e->mhd);
    if (e->quiesced_fd >= 0)
        close(e->quiesced_fd);
    uv_close((uv_handle_t *)&e->poll, on_engine_closed);
    uv_close((uv_handle_t *)&e->timeout, on_engine_closed);
}

static void quiesce(struct engine *e)
{
    if (!e->closing && e->quiesced_fd < 0)
        e->quiesced_fd = MHD_quiesce_daemon(e->mhd);
}

/* Browsers and curl alike speak 1.3; the older versions only keep old faults alive. */
static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

static struct MHD_Daemon *start_mhd(struct engine *e, int listen_fd)
{
    const struct baod_http_limits *limits = &e->http->limits;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, e->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, e->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    bool secure = e->certificate != NULL;

    return MHD_start_daemon(
        (unsigned)MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | (secure ? MHD_USE_TLS : 0), 0,
        NULL, NULL, on_access, e, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_LIMIT, limits->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        limits->per_address, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32 * 1024,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(limits->idle_ms / 1000 + 1), MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, e, MHD_OPTION_NOTIFY_CONNECTION, on_connection, e, MHD_OPTION_ARRAY,
        secure ? tls : none, MHD_OPTION_END);
}

static void engine_freep(struct engine **e)
{
    engine_free(*e);
}

static void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* MHD closes the socket on some of the faults that it does not start for (keys that it cannot read) and
 * leaves it open on others (no descriptor left). Its number may be another thread's by then: only the same
 * socket is closed. */
static void close_if_left(int fd, ino_t own)
{
    struct stat now;

    if (fstat(fd, &now) == 0 && S_ISSOCK(now.st_mode) && now.st_ino == own)
        close(fd);
}

/* Starts MHD on the socket and makes it the one that accepts. The socket is its own, in every case. */
static int start_engine(struct baod_http *http, int listen_fd, const struct baod_http_keys *keys)
{
    BAO_CLEANUP(engine_freep) struct engine *e = calloc(1, sizeof(*e));
    BAO_CLEANUP(closep) int fd = listen_fd;
    const union MHD_DaemonInfo *info;
    struct stat own;
    int r;

    if (e == NULL)
        return -ENOMEM;
    if (fstat(fd, &own) < 0)
        return -errno;
    e->http = http;
    e->quiesced_fd = -1;
    if (keys->certificate != NULL) {
        e->certificate = strdup(keys->certificate);
        e->key = strdup(keys->key);
        if (e->certificate == NULL || e->key == NULL)
            return -ENOMEM;
    }
    fd = -1; /* stopping closes it */
    e->mhd = start_mhd(e, listen_fd);
    if (e->mhd == NULL) {
        close_if_left(listen_fd, own.st_ino);
        return keys->certificate != NULL ? -EKEYREJECTED : -EIO;
    }
    info = MHD_get_daemon_info(e->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    r = info == NULL || info->epoll_fd < 0 ? -EIO : uv_poll_init(http->loop, &e->poll, info->epoll_fd);
    if (r < 0) {
        MHD_stop_daemon(e->mhd);
        return r;
    }
    uv_timer_init(http->loop, &e->timeout); /* cannot fail */
    e->poll.data = e->timeout.data = e;
    e->open_handles = 2;
    e->next = http->engines;
    http->engines = e;
    uv_poll_start(&e->poll, UV_READABLE, on_ready);
    run(BAO_TAKE(e));
    return 0;
}

int baod_http_new(uv_loop_t *loop, int listen_fd, const struct baod_http_limits *limits,
                  const struct baod_http_handlers *handlers, const struct baod_http_keys *keys,
                  struct baod_http **ret)
{
    struct baod_http *http = calloc(1, sizeof(*http));
    int r;

    if (http == NULL) {
        close(listen_fd);
        return -ENOMEM;
    }
    *http = (struct baod_http){.loop = loop, .limits = *limits, .handlers = *handlers};
    r = start_engine(http, listen_fd, keys);
    if (r < 0) {
        free(http);
        return r;
    }
    http->sweep.data = http;
    uv_timer_init(loop, &http->sweep); /* cannot fail */
    http->sweep_open = true;
    uv_timer_start(&http->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    *ret = http;
    return 0;
}

int baod_http_renew(struct baod_http *http, const struct baod_http_keys *keys)
{
    struct engine *old = http->engines;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(old->mhd, MHD_DAEMON_INFO_LISTEN_FD);
    int fd, r;

    if (http->closing || http->quiesced || info == NULL || info->listen_fd < 0)
        return -ESHUTDOWN;
    fd = fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    r = start_engine(http, fd, keys);
    if (r < 0)
        return r;
    quiesce(old);
    /* A head on its way may come to its end; then idle connections go too. */
    old->retire_at = uv_now(http->loop) + http->limits.head_ms;
    return 0;
}

void baod_http_quiesce(struct baod_http *http)
{
    if (http == NULL || http->closing || http->quiesced)
        return;
    http->quiesced = true;
    for (struct engine *e = http->engines; e != NULL; e = e->next)
        quiesce(e);
}

void baod_http_close(struct baod_http *http, void (*closed)(void *user), void *user)
{
    if (http == NULL || http->closing)
        return;
    http->closing = true;
    http->closed = closed;
    http->closed_user = user;
    for (struct engine *e = http->engines; e != NULL; e = e->next)
        end_engine(e);
    uv_close((uv_handle_t *)&http->sweep, on_sweep_closed);
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

struct stray_search {
    bool (*known)(const void *user, const char *name);
    const void *user;
    const char *stray;
};

static enum MHD_Result see_query(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct stray_search *search = user;

    (void)kind;
    (void)value;
    if (search->known(search->user, name))
        return MHD_YES;
    search->stray = name;
    return MHD_NO;
}

const char *baod_http_stray_query(const struct baod_http_exchange *x,
                                  bool (*known)(const void *user, const char *name), const void *user)
{
    struct stray_search search = {known, user, NULL};

    (void)MHD_get_connection_values(x->mhd, MHD_GET_ARGUMENT_KIND, see_query, &search);
    return search.stray;
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

const char *baod_http_address(const struct baod_http_exchange *x)
{
    return x->connection->address;
}

bool baod_http_is_local(const struct baod_http_exchange *x)
{
    return x->connection->local;
}

bool baod_http_is_secure(const struct baod_http_exchange *x)
{
    return x->engine->certificate != NULL;
}

void baod_http_keep(struct baod_http_exchange *x, void *kept)
{
    x->kept = kept;
}

void *baod_http_kept(const struct baod_http_exchange *x)
{
    return x->kept;
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
    x->answer = reply->body.n;
    if (x->response != NULL && (x->engine->retire_at != 0 || x->bad))
        (void)MHD_add_response_header(x->response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (reply->after_ms != 0)
        x->due = uv_now(http->loop) + reply->after_ms;
    else if (x->suspended) {
        resume(x);
        run(x->engine);
    }
}
