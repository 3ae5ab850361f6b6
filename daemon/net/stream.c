#include "daemon/net/stream_internal.h"

enum {
    LINGER_MS = 2000, /* of reading after the shutdown */
    FLUSH_MS = 10000, /* for the octets before it */
    LINGER_BYTES = 256 * 1024,
    SWEEP_MS = 250,
    KEEPALIVE_S = 60,
};

/* What all streams share. */

static void free_net(struct baod_net *net)
{
    if (net->handles != 0 || net->streams != 0)
        return;
    bao_buf_deinit(&net->plain);
    bao_buf_deinit(&net->wire);
    free(net);
}

struct baod_net *baod_net_new(uv_loop_t *loop)
{
    struct baod_net *net = calloc(1, sizeof(*net));

    if (net == NULL)
        return NULL;
    net->loop = loop;
    bao_buf_init(&net->plain, BAOD_STREAM_QUEUE_MAX);
    bao_buf_init(&net->wire, BAOD_STREAM_QUEUE_MAX);
    bao_require(uv_timer_init(loop, &net->sweep) == 0); /* none of these has a way to fail */
    bao_require(uv_timer_init(loop, &net->patience) == 0);
    bao_require(uv_idle_init(loop, &net->turn) == 0);
    net->sweep.data = net->patience.data = net->turn.data = net;
    net->handles = 3;
    return net;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct baod_net *net = handle->data;

    net->handles--;
    free_net(net);
}

void baod_net_close(struct baod_net *net)
{
    if (net == NULL || net->closing)
        return;
    net->closing = true;
    while (net->lingering != NULL)
        baod_stream_destroy(net->lingering);
    uv_close((uv_handle_t *)&net->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&net->patience, on_handle_closed);
    uv_close((uv_handle_t *)&net->turn, on_handle_closed);
}

uv_loop_t *baod_net_loop(struct baod_net *net)
{
    return net->loop;
}

size_t baod_net_streams(const struct baod_net *net)
{
    return net->streams;
}

/* Lingering streams. */

static void unlink_lingering(struct baod_stream *s)
{
    struct baod_net *net = s->net;

    if (s->prev != NULL)
        s->prev->next = s->next;
    else if (net->lingering == s)
        net->lingering = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    s->next = s->prev = NULL;
    if (net->lingering == NULL && !net->closing)
        (void)uv_timer_stop(&net->sweep); /* never fails */
}

static void on_sweep(uv_timer_t *timer)
{
    struct baod_net *net = timer->data;
    uint64_t now = uv_now(net->loop);

    for (struct baod_stream *s = net->lingering, *next; s != NULL; s = next) {
        next = s->next;
        if (now >= s->linger_until)
            baod_stream_destroy(s);
    }
}

static void link_lingering(struct baod_stream *s)
{
    struct baod_net *net = s->net;

    s->next = net->lingering;
    if (s->next != NULL)
        s->next->prev = s;
    net->lingering = s;
    s->linger_until = uv_now(net->loop) + FLUSH_MS;
    if (!uv_is_active((uv_handle_t *)&net->sweep))
        (void)uv_timer_start(&net->sweep, on_sweep, SWEEP_MS, SWEEP_MS); /* fails only for a closing timer */
}

/* Handshakes that wait for their turn: those with octets put off, in the order they came. */

static struct baod_stream_queue *queue_of(const struct baod_stream *s)
{
    return s->begun ? &s->net->going : &s->net->fresh;
}

static void leave_queue(struct baod_stream *s)
{
    struct baod_stream_queue *queue = queue_of(s);

    if (s->put_off == NULL)
        return;
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        queue->first = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    else
        queue->last = s->prev;
    s->next = s->prev = NULL;
}

static void drop_put_off(struct baod_stream *s)
{
    if (s->put_off == NULL)
        return;
    bao_buf_deinit(s->put_off);
    free(s->put_off);
    s->put_off = NULL;
}

/* Keeps the octets of a handshake for a later turn and reads no more meanwhile: 0 or -ENOMEM. */
static int put_off_shake(struct baod_stream *s, struct bao_str in)
{
    struct baod_stream_queue *queue = queue_of(s);
    struct bao_buf *kept = malloc(sizeof(*kept));

    if (kept == NULL)
        return -ENOMEM;
    bao_buf_init(kept, BAOD_STREAM_CHUNK);
    if (bao_buf_append_str(kept, in) < 0) {
        free(kept);
        return -ENOMEM;
    }
    s->put_off = kept;
    s->next = NULL;
    s->prev = queue->last;
    if (s->prev != NULL)
        s->prev->next = s;
    else
        queue->first = s;
    queue->last = s;
    (void)uv_read_stop(&s->uv.stream); /* never fails */
    if (s->ops->on_turn != NULL)
        s->ops->on_turn(s->user, true);
    return 0;
}

static void on_turn(uv_idle_t *idle);

/* A handshake is done, or its connection is: another may begin. */
static void forget_begun(struct baod_stream *s)
{
    struct baod_net *net = s->net;

    for (size_t i = 0; i < BAO_COUNT(net->begun); i++) {
        if (net->begun[i].stream != s)
            continue;
        net->begun[i].stream = NULL;
        if (net->fresh.first != NULL && !net->closing)
            (void)uv_idle_start(&net->turn, on_turn); /* never fails with a callback */
    }
}

/* A place among those under way; NULL when there is none, *ret_ms says for how long at most. */
static struct baod_stream_begun *find_place(struct baod_net *net, uint64_t *ret_ms)
{
    uint64_t now = uv_now(net->loop), least = BAOD_STREAM_PATIENCE_MS;

    for (size_t i = 0; i < BAO_COUNT(net->begun); i++) {
        uint64_t age = now - net->begun[i].at;

        if (net->begun[i].stream == NULL || age >= BAOD_STREAM_PATIENCE_MS)
            return &net->begun[i];
        if (BAOD_STREAM_PATIENCE_MS - age < least)
            least = BAOD_STREAM_PATIENCE_MS - age;
    }
    *ret_ms = least;
    return NULL;
}

/* Making and ending. */

bool baod_address_print(const struct sockaddr *addr, char *ret_name, size_t name_size, char *ret_host,
                        size_t host_size)
{
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)addr;

        (void)uv_ip_name(addr, ret_host, host_size); /* the buffers hold any address */
        (void)snprintf(ret_name, name_size, "%s:%u", ret_host, (unsigned)ntohs(in->sin_port));
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    if (addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)addr;

        (void)uv_ip_name(addr, ret_host, host_size);
        (void)snprintf(ret_name, name_size, "[%s]:%u", ret_host, (unsigned)ntohs(in->sin6_port));
        return IN6_IS_ADDR_LOOPBACK(&in->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) && in->sin6_addr.s6_addr[12] == 127);
    }
    (void)snprintf(ret_name, name_size, "unix");
    (void)snprintf(ret_host, host_size, "unix");
    return true;
}

int baod_stream_new(struct baod_net *net, uv_handle_type type, const struct baod_transform_ops *transform,
                    void *transform_state, struct baod_stream **ret)
{
    struct baod_stream *s = calloc(1, sizeof(*s));
    int r;

    if (s == NULL) {
        if (transform != NULL)
            transform->free(transform_state);
        return -ENOMEM;
    }
    s->net = net;
    s->transform = transform;
    s->transform_state = transform_state;
    s->progress = uv_now(net->loop);
    r = type == UV_TCP ? uv_tcp_init(net->loop, &s->uv.tcp) : uv_pipe_init(net->loop, &s->uv.pipe, 0);
    bao_require(r == 0); /* without flags neither opens anything */
    s->uv.handle.data = s;
    net->streams++;
    *ret = s;
    return 0;
}

void baod_stream_learn_name(struct baod_stream *s)
{
    struct sockaddr_storage addr = {.ss_family = AF_UNIX};
    int n = sizeof(addr);

    if (s->uv.handle.type == UV_TCP) {
        if (uv_tcp_getpeername(&s->uv.tcp, (struct sockaddr *)&addr, &n) != 0)
            addr.ss_family = AF_UNSPEC; /* it has gone already; the next read will say so */
        (void)uv_tcp_nodelay(&s->uv.tcp, 1);
        (void)uv_tcp_keepalive(&s->uv.tcp, 1, KEEPALIVE_S);
    }
    memcpy(&s->from, &addr, sizeof(s->from));
    s->loopback = baod_address_print(&s->from.any, s->net->name, sizeof(s->net->name), s->net->address,
                                     sizeof(s->net->address)) &&
                  addr.ss_family != AF_UNSPEC;
}

static void free_out(struct baod_stream *s)
{
    if (s->out == NULL)
        return;
    bao_buf_deinit(&s->out->queue);
    bao_buf_deinit(&s->out->flight);
    free(s->out);
    s->out = NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct baod_stream *s = handle->data;
    struct baod_net *net = s->net;

    if (s->transform != NULL)
        s->transform->free(s->transform_state);
    free_out(s);
    drop_put_off(s);
    free(s->shutdown);
    free(s);
    net->streams--;
    if (net->closing)
        free_net(net);
}

void baod_stream_destroy(struct baod_stream *s)
{
    if (s->phase == BAOD_STREAM_CLOSED)
        return;
    if (s->phase == BAOD_STREAM_LINGER)
        unlink_lingering(s);
    else
        leave_queue(s);
    forget_begun(s);
    s->phase = BAOD_STREAM_CLOSED;
    uv_close(&s->uv.handle, on_closed);
}

/* The connection is over for reading, or altogether. */
static void end(struct baod_stream *s, bool eof, const char *why)
{
    if (s->phase == BAOD_STREAM_LINGER) {
        baod_stream_destroy(s);
        return;
    }
    if (s->phase != BAOD_STREAM_LIVE || s->ended)
        return;
    s->ended = true;
    (void)uv_read_stop(&s->uv.stream); /* never fails */
    s->ops->on_end(s->user, eof, why);
}

/* Writing. */

static int start_write(struct baod_stream *s);

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct baod_stream *s = request->data;

    if (s->phase != BAOD_STREAM_LINGER)
        return;
    if (status < 0 || s->ended)
        baod_stream_destroy(s);
    else
        s->linger_until = uv_now(s->net->loop) + LINGER_MS;
}

/* Everything is written and the owner has let go: say the end. */
static void shut_down(struct baod_stream *s)
{
    if (s->shutdown == NULL)
        s->shutdown = malloc(sizeof(*s->shutdown));
    if (s->shutdown == NULL) {
        baod_stream_destroy(s);
        return;
    }
    s->shutdown->data = s;
    if (uv_shutdown(s->shutdown, &s->uv.stream, on_shutdown) != 0)
        baod_stream_destroy(s);
}

static void on_written(uv_write_t *request, int status)
{
    struct baod_stream *s = request->data;

    s->out->writing = false;
    if (s->phase == BAOD_STREAM_CLOSED)
        return;
    if (status < 0) {
        end(s, false, uv_strerror(status));
        return;
    }
    s->progress = uv_now(s->net->loop);
    bao_buf_deinit(&s->out->flight);
    if (bao_buf_len(&s->out->queue) != 0) {
        int r = start_write(s);

        if (r < 0)
            end(s, false, uv_strerror(r));
    } else {
        free_out(s);
        if (s->phase == BAOD_STREAM_LINGER)
            shut_down(s);
    }
    if (s->phase == BAOD_STREAM_LIVE && s->over_mark && baod_stream_queued(s) <= BAOD_STREAM_MARK / 2) {
        s->over_mark = false;
        if (s->ops->on_drained != NULL && !s->ended)
            s->ops->on_drained(s->user);
    }
}

/* Hands what is gathered to the system. */
static int start_write(struct baod_stream *s)
{
    struct baod_stream_out *out = s->out;
    struct bao_buf empty = out->flight;
    uv_buf_t piece;
    int r;

    out->flight = out->queue;
    out->queue = empty;
    piece = uv_buf_init(bao_buf_data(&out->flight), (unsigned)bao_buf_len(&out->flight));
    out->write.data = s;
    r = uv_write(&out->write, &s->uv.stream, &piece, 1, on_written);
    out->writing = r == 0;
    out->left = uv_stream_get_write_queue_size(&s->uv.stream);
    return r;
}

/* Queues what the system did not take. */
static int put_off(struct baod_stream *s, struct bao_str bytes)
{
    int r;

    if (s->out == NULL) {
        s->out = calloc(1, sizeof(*s->out));
        if (s->out == NULL)
            return -ENOMEM;
        bao_buf_init(&s->out->queue, BAOD_STREAM_QUEUE_MAX);
        bao_buf_init(&s->out->flight, BAOD_STREAM_QUEUE_MAX);
    }
    r = bao_buf_append_str(&s->out->queue, bytes);
    if (r == 0 && !s->out->writing)
        r = start_write(s);
    if (r == 0 && baod_stream_queued(s) > BAOD_STREAM_MARK)
        s->over_mark = true;
    return r;
}

/* Writes octets of the wire: at once as far as the system takes them, the rest is queued. */
static int put_wire(struct baod_stream *s, struct bao_str bytes)
{
    int r;

    if (bytes.n == 0)
        return 0;
    if (s->out == NULL) {
        uv_buf_t piece = uv_buf_init((char *)bytes.p, (unsigned)bytes.n);

        r = uv_try_write(&s->uv.stream, &piece, 1);
        if (r < 0 && r != UV_EAGAIN)
            return r;
        if (r > 0) {
            bytes.p += r;
            bytes.n -= (size_t)r;
            s->progress = uv_now(s->net->loop);
        }
        if (bytes.n == 0)
            return 0;
    }
    return put_off(s, bytes);
}

int baod_stream_write(struct baod_stream *s, struct bao_str bytes)
{
    int r;

    if (s->phase != BAOD_STREAM_LIVE)
        return -EPIPE;
    if (s->transform == NULL)
        return put_wire(s, bytes);
    bao_buf_clear(&s->net->wire);
    r = s->transform->send(s->transform_state, bytes, &s->net->wire);
    return r < 0 ? r : put_wire(s, bao_buf_str(&s->net->wire));
}

size_t baod_stream_queued(const struct baod_stream *s)
{
    if (s->out == NULL)
        return 0;
    return bao_buf_len(&s->out->queue) +
           (s->out->writing ? uv_stream_get_write_queue_size(&s->uv.stream) : 0);
}

uint64_t baod_stream_progress(struct baod_stream *s)
{
    size_t left;

    if (baod_stream_queued(s) == 0)
        return uv_now(s->net->loop);
    if (s->out->writing) {
        /* libuv tells only of whole flights, and a slow line may take minutes for one. */
        left = uv_stream_get_write_queue_size(&s->uv.stream);
        if (left < s->out->left)
            s->progress = uv_now(s->net->loop);
        s->out->left = left;
    }
    return s->progress;
}

/* Reading. */

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct baod_stream *s = handle->data;

    (void)suggested;
    *ret = uv_buf_init(s->net->chunk, sizeof(s->net->chunk));
}

static void transform(struct baod_stream *s, struct bao_str in);

/* A step of a handshake is done in this turn. */
static void count_step(struct baod_stream *s, struct baod_stream_begun *place)
{
    s->net->shakes++;
    if (s->begun)
        return;
    s->begun = true;
    *place = (struct baod_stream_begun){.stream = s, .at = uv_now(s->net->loop)};
}

/* One that waited goes on. */
static void go_on(struct baod_stream *s, struct baod_stream_begun *place)
{
    struct bao_buf *kept = s->put_off;

    leave_queue(s);
    s->put_off = NULL;
    count_step(s, place);
    if (s->ops->on_turn != NULL)
        s->ops->on_turn(s->user, false);
    if (!s->paused && uv_read_start(&s->uv.stream, on_alloc, on_read) < 0)
        end(s, false, "reading could not go on");
    else
        transform(s, bao_buf_str(kept));
    bao_buf_deinit(kept);
    free(kept);
}

static void on_patience(uv_timer_t *timer)
{
    struct baod_net *net = timer->data;

    (void)uv_idle_start(&net->turn, on_turn); /* never fails with a callback */
}

/* One turn of the loop: some of the handshakes that wait go on. */
static void on_turn(uv_idle_t *idle)
{
    struct baod_net *net = idle->data;
    struct baod_stream_begun *place = NULL;
    uint64_t ms = 0;

    net->shakes = 0;
    while (net->going.first != NULL && net->shakes < BAOD_STREAM_SHAKES)
        go_on(net->going.first, NULL);
    while (net->fresh.first != NULL && net->shakes < BAOD_STREAM_SHAKES) {
        place = find_place(net, &ms);
        if (place == NULL)
            break;
        go_on(net->fresh.first, place);
    }
    if (net->shakes != 0)
        return;
    (void)uv_idle_stop(idle); /* never fails */
    if (net->fresh.first != NULL)
        (void)uv_timer_start(&net->patience, on_patience, ms, 0); /* fails only for a closing timer */
}

/* Octets of the wire came. Those of a handshake are work: only so much of it in one turn. */
static void receive(struct baod_stream *s, struct bao_str in)
{
    struct baod_net *net = s->net;

    if (!s->was_ready) {
        struct baod_stream_begun *place = NULL;
        uint64_t ms;

        if (!uv_is_active((uv_handle_t *)&net->turn)) {
            net->shakes = 0;
            (void)uv_idle_start(&net->turn, on_turn); /* never fails with a callback */
        }
        if (!s->begun && net->fresh.first == NULL)
            place = find_place(net, &ms);
        if (queue_of(s)->first != NULL || net->shakes >= BAOD_STREAM_SHAKES || (!s->begun && place == NULL)) {
            if (put_off_shake(s, in) < 0)
                end(s, false, strerror(ENOMEM));
            return;
        }
        count_step(s, place);
    }
    transform(s, in);
}

/* The transformer makes plain octets of those of the wire. */
static void transform(struct baod_stream *s, struct bao_str in)
{
    struct baod_net *net = s->net;
    int r;

    bao_buf_clear(&net->plain);
    bao_buf_clear(&net->wire);
    r = s->transform->receive(s->transform_state, in, &net->plain, &net->wire);
    if (bao_buf_len(&net->wire) != 0) { /* handshake answers, also the alert that says why it failed */
        int w = put_wire(s, bao_buf_str(&net->wire));

        r = r < 0 ? r : (w < 0 ? w : r);
    }
    if (r < 0) {
        const char *why = s->transform->why(s->transform_state);

        end(s, false, why != NULL ? why : strerror(-r));
        return;
    }
    if (!s->was_ready && s->transform->ready(s->transform_state)) {
        s->was_ready = true;
        forget_begun(s);
        if (s->ops->on_ready != NULL)
            s->ops->on_ready(s->user);
    }
    if (bao_buf_len(&net->plain) != 0 && s->phase == BAOD_STREAM_LIVE)
        s->ops->on_read(s->user, bao_buf_str(&net->plain));
    if (r == 1)
        end(s, true, "closed by the other side");
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    struct baod_stream *s = handle->data;

    if (s->phase == BAOD_STREAM_CLOSED || n == 0)
        return;
    if (n < 0) {
        end(s, n == UV_EOF, n == UV_EOF ? "closed by the other side" : uv_strerror((int)n));
        return;
    }
    if (s->phase == BAOD_STREAM_LINGER) {
        s->linger_read += (size_t)n;
        if (s->linger_read > LINGER_BYTES)
            baod_stream_destroy(s);
        return;
    }
    if (s->transform != NULL)
        receive(s, (struct bao_str){buf->base, (size_t)n});
    else
        s->ops->on_read(s->user, (struct bao_str){buf->base, (size_t)n});
}

int baod_stream_own(struct baod_stream *s, const struct baod_stream_ops *ops, void *user)
{
    int r = 0;

    s->ops = ops;
    s->user = user;
    if (s->transform != NULL) {
        bao_buf_clear(&s->net->wire);
        r = s->transform->start(s->transform_state, &s->net->wire);
        if (r == 0)
            r = put_wire(s, bao_buf_str(&s->net->wire));
    }
    return r < 0 ? r : uv_read_start(&s->uv.stream, on_alloc, on_read);
}

void baod_stream_pause(struct baod_stream *s)
{
    s->paused = true;
    (void)uv_read_stop(&s->uv.stream); /* never fails */
}

void baod_stream_resume(struct baod_stream *s)
{
    int r;

    if (!s->paused || s->phase != BAOD_STREAM_LIVE || s->ended)
        return;
    s->paused = false;
    if (s->put_off != NULL)
        return; /* its turn will start it */
    r = uv_read_start(&s->uv.stream, on_alloc, on_read);
    if (r < 0)
        end(s, false, uv_strerror(r));
}

void baod_stream_close(struct baod_stream *s, bool linger)
{
    int r = 0;

    if (s->phase != BAOD_STREAM_LIVE)
        return;
    if (linger && s->transform != NULL) {
        bao_buf_clear(&s->net->wire);
        r = s->transform->finish(s->transform_state, &s->net->wire);
        if (r == 0)
            r = put_wire(s, bao_buf_str(&s->net->wire));
    }
    if (!linger || r < 0 || s->net->closing) {
        baod_stream_destroy(s);
        return;
    }
    leave_queue(s);
    forget_begun(s);
    s->phase = BAOD_STREAM_LINGER;
    link_lingering(s);
    if (!s->ended)
        (void)uv_read_start(&s->uv.stream, on_alloc, on_read); /* what it still sends is thrown away */
    if (s->out == NULL)
        shut_down(s);
}

const char *baod_stream_name(const struct baod_stream *s)
{
    char address[sizeof(s->net->address)];

    (void)baod_address_print(&s->from.any, s->net->name, sizeof(s->net->name), address, sizeof(address));
    return s->net->name;
}

const char *baod_stream_address(const struct baod_stream *s)
{
    char name[sizeof(s->net->name)];

    (void)baod_address_print(&s->from.any, name, sizeof(name), s->net->address, sizeof(s->net->address));
    return s->net->address;
}

bool baod_stream_is_neighbour(const struct baod_stream *a, const struct baod_stream *b)
{
    if (a->from.any.sa_family != b->from.any.sa_family)
        return false;
    if (a->from.any.sa_family == AF_INET)
        return a->from.in.sin_addr.s_addr == b->from.in.sin_addr.s_addr;
    return a->from.any.sa_family != AF_INET6 ||
           memcmp(&a->from.in6.sin6_addr, &b->from.in6.sin6_addr, sizeof(a->from.in6.sin6_addr)) == 0;
}

bool baod_stream_is_loopback(const struct baod_stream *s)
{
    return s->loopback;
}

void *baod_stream_transform(const struct baod_stream *s)
{
    return s->transform_state;
}
