/* What sends to the servers that the benchmarks measure: small enough not to be what is measured.
 *
 *     sender --port N --frames FILE [--connections N] [--window N] [--rate R] [--first N] [--count N]
 *            [--warm N] [--every SECONDS] [--tls CA --keys FILE] [--storm | --idle] [--state WORD]
 *
 * FILE holds frames of the report protocol one after the other; they are dealt out to the connections in
 * turn, each with its own transaction numbers. Without --rate every connection keeps its window full, and an
 * answer's time runs from the moment its report was sent. With --rate report k is due k/R seconds after the
 * start, whatever the answers do, and its time runs from then: what waits for room in a window, or for this
 * program, counts too; how much that was is told beside it. The times of the first N of --warm, sent while
 * the server's caches are cold, are told apart from the others. --keys names a certificate and a key for each
 * connection, a line each; --storm starts the clock before connecting and sends one report on each
 * connection; --every gives the rate of each stretch of that length too; --idle greets, says so, and stays
 * until its input ends. Prints one line of JSON; ends with 1 when anything is refused or cut, or answered by
 * another state than WORD, which is `committed`. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    STRETCHES = 64,
    FIRST_TXN = 2,
    EVENTS = 256,
    IN_SIZE = 65536,
    HEAD_SIZE = 32,
    AT_ONCE = 256,
    GIVE_UP_S = 120
};

static const char HELLO[] = "HELLO 1 0 v=1 agent=bench\n\n";

/* A frame without its first two words: " LENGTH ...\nBODY\n". */
struct frame {
    const char *tail;
    size_t n;
};

enum state { NEW, CONNECTING, SHAKING, GREETING, SENDING, DONE };

struct connection {
    int fd;
    enum state state;
    gnutls_session_t tls;
    gnutls_certificate_credentials_t keys;
    bool wants_out, stuck; /* stuck: GnuTLS holds a record that did not fit */
    char *in, *out;
    size_t in_n, out_n, out_at, out_size;
    size_t n, next, answered; /* frames of its own; sent; answered */
    size_t pass;              /* octets of an answer's body still to come */
};

struct sender {
    const char *frames_file, *authority, *keys_file, *state;
    char wanted[32]; /* what the answers must say */
    int port, epoll, timer;
    size_t n_connections, window, first, count, warm;
    double rate, start, every;
    size_t stretches[STRETCHES]; /* answers in each */
    bool storm, idle;
    struct frame *frames;
    size_t n_frames;
    struct connection *connections;
    size_t n_new, n_opening, n_done, n_greeted;
    double *times; /* of frame i: when it was sent, then how long it took */
    double *late;  /* of frame i: how long after it was due it was sent; NULL without --rate */
    size_t n_answered;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "sender: %s: %s\n", what, why);
    exit(1);
}

static void *alloc(size_t n, size_t size)
{
    void *p = calloc(n == 0 ? 1 : n, size);

    if (p == NULL)
        die("memory", "there is none");
    return p;
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ------------------------------------------------------------------ the frames */

static const char *map_file(const char *path, size_t *ret_n)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p;

    if (fd < 0 || fstat(fd, &info) != 0)
        die(path, strerror(errno));
    *ret_n = (size_t)info.st_size;
    p = mmap(NULL, *ret_n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED)
        die(path, strerror(errno));
    (void)close(fd);
    return p;
}

/* The frame that begins at p: what follows its transaction number. */
static struct frame read_frame(const char *p, const char *end)
{
    const char *line = memchr(p, '\n', (size_t)(end - p)), *tail = memchr(p, ' ', (size_t)(end - p));
    size_t body;

    if (line == NULL || tail == NULL || (tail = memchr(tail + 1, ' ', (size_t)(end - tail - 1))) == NULL)
        die("frames", "a head is cut short");
    body = strtoul(tail + 1, NULL, 10);
    if ((size_t)(end - line) < body + 2)
        die("frames", "a body is cut short");
    return (struct frame){tail, (size_t)(line - tail) + body + 2};
}

static void read_frames(struct sender *s)
{
    size_t n = 0, size = 1024, seen = 0;
    const char *p = map_file(s->frames_file, &n), *end = p + n;

    s->frames = alloc(size, sizeof(*s->frames));
    while (p < end && s->n_frames < s->count) {
        struct frame f = read_frame(p, end);

        p = f.tail + f.n;
        if (seen++ < s->first)
            continue;
        if (s->n_frames == size) {
            size *= 2;
            s->frames = realloc(s->frames, size * sizeof(*s->frames));
            if (s->frames == NULL)
                die("memory", "there is none");
        }
        s->frames[s->n_frames++] = f;
    }
    s->times = alloc(s->n_frames, sizeof(*s->times));
    s->late = s->rate > 0 ? alloc(s->n_frames, sizeof(*s->late)) : NULL;
}

/* ------------------------------------------------------------------ one connection */

static void watch(struct sender *s, struct connection *c, bool out)
{
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data = {.ptr = c}};

    if (c->wants_out == out)
        return;
    c->wants_out = out;
    if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &event) != 0)
        die("epoll", strerror(errno));
}

static void put(struct connection *c, const char *p, size_t n)
{
    if (c->out_at == c->out_n)
        c->out_at = c->out_n = 0;
    if (c->out_n + n > c->out_size) {
        c->out_size = 2 * (c->out_n + n);
        c->out = realloc(c->out, c->out_size);
        if (c->out == NULL)
            die("memory", "there is none");
    }
    memcpy(c->out + c->out_n, p, n);
    c->out_n += n;
}

static bool is_again(ssize_t r, const struct connection *c)
{
    if (c->tls != NULL)
        return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
    return errno == EAGAIN || errno == EINTR;
}

static void flush(struct sender *s, struct connection *c)
{
    while (c->out_at < c->out_n) {
        const char *p = c->stuck ? NULL : c->out + c->out_at;
        size_t n = c->stuck ? 0 : c->out_n - c->out_at;
        ssize_t r = c->tls != NULL ? gnutls_record_send(c->tls, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);

        if (r < 0 && !is_again(r, c))
            die("sending", c->tls != NULL ? gnutls_strerror((int)r) : strerror(errno));
        c->stuck = r < 0 && c->tls != NULL;
        if (r < 0)
            break;
        c->out_at += (size_t)r;
    }
    watch(s, c, c->out_at < c->out_n);
}

/* The number of its j-th frame among all. */
static size_t frame_of(const struct sender *s, const struct connection *c, size_t j)
{
    return j * s->n_connections + (size_t)(c - s->connections);
}

/* Sends what is due and has room in the window. */
static void fill(struct sender *s, struct connection *c, double at)
{
    while (c->next < c->n && c->next - c->answered < s->window) {
        size_t i = frame_of(s, c, c->next);
        double due = s->rate > 0 ? s->start + (double)i / s->rate : at;
        char head[HEAD_SIZE];
        int n;

        if (due > at)
            break;
        s->times[i] = s->storm ? s->start : due;
        if (s->late != NULL)
            s->late[i] = at - due;
        n = snprintf(head, sizeof(head), "REPORT %zu", c->next++ + FIRST_TXN);
        put(c, head, (size_t)n);
        put(c, s->frames[i].tail, s->frames[i].n);
    }
    flush(s, c);
}

static void finish(struct sender *s, struct connection *c)
{
    c->state = DONE;
    s->n_done++;
}

static void on_head(struct sender *s, struct connection *c, const char *head, double at)
{
    unsigned long txn = 0, length = 0;
    char verb[16];
    size_t j, i;

    if (sscanf(head, "%15s %lu %lu", verb, &txn, &length) != 3)
        die("answer", head);
    c->pass = length + 1;
    if (strcmp(verb, "OK") != 0 && txn != 0)
        die("refused", head);
    if (strcmp(verb, "BYE") == 0)
        die("cut off", head);
    if (txn == 1 && c->state == GREETING) {
        c->state = SENDING;
        s->n_greeted++;
        if (s->idle || c->n == 0)
            finish(s, c);
    }
    if (txn < FIRST_TXN)
        return;
    if (strstr(head, s->wanted) == NULL)
        die("not the state that was wanted", head);
    j = txn - FIRST_TXN;
    i = frame_of(s, c, j);
    if (j >= c->next)
        die("answer to nothing", head);
    s->times[i] = at - s->times[i];
    s->n_answered++;
    if (s->every > 0 && (at - s->start) / s->every < STRETCHES)
        s->stretches[(size_t)((at - s->start) / s->every)]++;
    if (++c->answered == c->n)
        finish(s, c);
}

/* Takes the answers apart that have come so far. */
static void digest(struct sender *s, struct connection *c)
{
    double at = now();
    size_t done = 0;

    for (;;) {
        size_t n = c->in_n - done < c->pass ? c->in_n - done : c->pass;
        char *line;

        done += n;
        c->pass -= n;
        line = memchr(c->in + done, '\n', c->in_n - done);
        if (c->pass != 0 || line == NULL)
            break;
        *line = '\0';
        on_head(s, c, c->in + done, at);
        done = (size_t)(line + 1 - c->in);
    }
    memmove(c->in, c->in + done, c->in_n - done);
    c->in_n -= done;
    if (c->in_n == IN_SIZE)
        die("answer", "a head without end");
}

static void receive(struct sender *s, struct connection *c)
{
    for (;;) {
        size_t room = IN_SIZE - c->in_n;
        ssize_t r = c->tls != NULL ? gnutls_record_recv(c->tls, c->in + c->in_n, room)
                                   : recv(c->fd, c->in + c->in_n, room, 0);

        if (r < 0 && is_again(r, c))
            return;
        if (r <= 0)
            die("the server closed a connection", r == 0 ? "end" : strerror(errno));
        c->in_n += (size_t)r;
        digest(s, c);
        if (c->tls == NULL && (size_t)r < room)
            return;
    }
}

/* ------------------------------------------------------------------ opening */

static void greet(struct sender *s, struct connection *c)
{
    c->state = GREETING;
    s->n_opening--;
    put(c, HELLO, sizeof(HELLO) - 1);
    if (s->storm)
        fill(s, c, now());
    else
        flush(s, c);
}

static void shake(struct sender *s, struct connection *c)
{
    int r = gnutls_handshake(c->tls);

    if (r < 0 && gnutls_error_is_fatal(r) != 0)
        die("handshake", gnutls_strerror(r));
    watch(s, c, r < 0 && gnutls_record_get_direction(c->tls) == 1);
    if (r == 0)
        greet(s, c);
}

static void begin_tls(struct connection *c)
{
    static const gnutls_datum_t alpn = {(unsigned char *)"brp/1", 5};

    if (gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0 ||
        gnutls_priority_set_direct(c->tls, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL) != 0 ||
        gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->keys) != 0 ||
        gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, "localhost", 9) != 0 ||
        gnutls_alpn_set_protocols(c->tls, &alpn, 1, 0) != 0)
        die("TLS", "no session");
    gnutls_session_set_verify_cert(c->tls, "localhost", 0);
    gnutls_transport_set_int(c->tls, c->fd);
}

static void open_one(struct sender *s, struct connection *c)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data = {.ptr = c}};
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS))
        die("connecting", strerror(errno));
    c->state = CONNECTING;
    c->wants_out = true;
    s->n_opening++;
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll", strerror(errno));
}

static void connected(struct sender *s, struct connection *c)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0)
        die("connecting", strerror(error));
    if (c->keys == NULL) {
        greet(s, c);
        return;
    }
    begin_tls(c);
    c->state = SHAKING;
    shake(s, c);
}

static void on_event(struct sender *s, struct connection *c, uint32_t events)
{
    switch (c->state) {
    case CONNECTING:
        connected(s, c);
        return;
    case SHAKING:
        shake(s, c);
        return;
    default:
        break;
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0)
        receive(s, c);
    if (c->state == SENDING && !s->storm && s->start > 0)
        fill(s, c, now());
    else
        flush(s, c);
}

/* ------------------------------------------------------------------ all of them */

/* Wakes when the next report is due that has room. */
static void set_timer(struct sender *s, double at)
{
    struct itimerspec when = {.it_value = {0, 0}};
    double next = INFINITY;

    if (s->rate <= 0)
        return;
    for (size_t k = 0; k < s->n_connections; k++) {
        struct connection *c = &s->connections[k];
        double due;

        if (c->state != SENDING || c->next == c->n || c->next - c->answered >= s->window)
            continue;
        due = s->start + (double)frame_of(s, c, c->next) / s->rate;
        if (due <= at) {
            fill(s, c, at);
            k--; /* its next one may be the earliest */
            continue;
        }
        next = due < next ? due : next;
    }
    if (!isfinite(next))
        return;
    when.it_value.tv_sec = (time_t)next;
    when.it_value.tv_nsec = (long)((next - floor(next)) * 1e9);
    if (timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        die("timer", strerror(errno));
}

static void turn(struct sender *s)
{
    struct epoll_event events[EVENTS];
    int n;

    while (s->n_new < s->n_connections && s->n_opening < AT_ONCE)
        open_one(s, &s->connections[s->n_new++]);
    n = epoll_wait(s->epoll, events, EVENTS, GIVE_UP_S * 1000);
    if (n == 0)
        die("waiting", "nothing came for a long time");
    for (int i = 0; i < n; i++) {
        uint64_t times;

        if (events[i].data.ptr == NULL) {
            if (read(s->timer, &times, sizeof(times)) < 0 && errno != EAGAIN)
                die("timer", strerror(errno));
        } else {
            on_event(s, events[i].data.ptr, events[i].events);
        }
    }
    if (s->start > 0 && !s->storm)
        set_timer(s, now());
}

static gnutls_certificate_credentials_t load_keys(const struct sender *s, const char *line)
{
    gnutls_certificate_credentials_t keys;
    char certificate[512], key[512];

    if (sscanf(line, "%511s %511s", certificate, key) != 2)
        die(s->keys_file, "a line names a certificate and a key");
    if (gnutls_certificate_allocate_credentials(&keys) != 0 ||
        gnutls_certificate_set_x509_trust_file(keys, s->authority, GNUTLS_X509_FMT_PEM) < 1 ||
        gnutls_certificate_set_x509_key_file(keys, certificate, key, GNUTLS_X509_FMT_PEM) != 0)
        die(certificate, "cannot be used");
    return keys;
}

/* Lines that repeat the one before share its credentials. */
static void read_keys(struct sender *s)
{
    gnutls_certificate_credentials_t keys = NULL;
    char line[1024], last[1024] = "";
    FILE *f = fopen(s->keys_file, "re");

    if (f == NULL)
        die(s->keys_file, strerror(errno));
    for (size_t i = 0; i < s->n_connections; i++) {
        if (fgets(line, sizeof(line), f) == NULL)
            die(s->keys_file, "has too few lines");
        if (strcmp(line, last) != 0) {
            keys = load_keys(s, line);
            memcpy(last, line, sizeof(last));
        }
        s->connections[i].keys = keys;
    }
    (void)fclose(f);
}

static void prepare(struct sender *s)
{
    struct rlimit files;
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (s->epoll < 0 || s->timer < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->timer, &event) != 0)
        die("epoll", strerror(errno));
    s->connections = alloc(s->n_connections, sizeof(*s->connections));
    for (size_t i = 0; i < s->n_connections; i++) {
        struct connection *c = &s->connections[i];

        c->in = alloc(IN_SIZE, 1);
        c->n = s->n_frames / s->n_connections + (i < s->n_frames % s->n_connections);
        if (s->storm && c->n != 1)
            die("storm", "wants one report for each connection");
    }
    if (s->keys_file != NULL)
        read_keys(s);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double at_share(const double *sorted, size_t n, double share)
{
    return sorted[(size_t)((double)(n - 1) * share + 0.5)] * 1e3;
}

/* How long the answers took, once all are there: the warm ones, then the others. */
static void print_times(struct sender *s)
{
    size_t warm = s->warm < s->n_frames ? s->warm : 0, n = s->n_frames - warm;
    double *times = s->times + warm;

    qsort(s->times, warm, sizeof(*s->times), compare);
    qsort(times, n, sizeof(*times), compare);
    if (warm != 0)
        printf(", \"warm_p99\": %.3f", at_share(s->times, warm, 0.99));
    printf(", \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f",
           at_share(times, n, 0.5), at_share(times, n, 0.9), at_share(times, n, 0.99),
           at_share(times, n, 0.999), at_share(times, n, 1));
    if (s->late != NULL) {
        qsort(s->late + warm, n, sizeof(*s->late), compare);
        printf(", \"late\": %.3f", at_share(s->late + warm, n, 0.99));
    }
}

static void print(struct sender *s, double seconds)
{
    printf("{\"n\": %zu, \"seconds\": %.6f", s->n_answered, seconds);
    if (s->n_answered != 0 && s->n_answered == s->n_frames)
        print_times(s);
    for (size_t i = 0; s->every > 0 && (double)(i + 1) * s->every <= seconds && i < STRETCHES; i++)
        printf("%s%.1f", i == 0 ? ", \"rates\": [" : ", ", (double)s->stretches[i] / s->every);
    printf(s->every > 0 && s->every <= seconds ? "]}\n" : "}\n");
    (void)fflush(stdout);
}

static void run(struct sender *s)
{
    double began = now();

    if (s->storm) {
        s->start = began;
    } else {
        while (s->n_greeted < s->n_connections)
            turn(s);
        s->start = s->idle ? began : now();
        for (size_t i = 0; !s->idle && i < s->n_connections; i++)
            if (s->connections[i].state == SENDING)
                fill(s, &s->connections[i], s->start);
        set_timer(s, now());
    }
    while (s->n_done < s->n_connections)
        turn(s);
    print(s, now() - s->start);
    while (s->idle && getchar() != EOF)
        continue;
}

/* ------------------------------------------------------------------ the command line */

static void option(struct sender *s, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **text;
        size_t *number;
    } options[] = {{"--frames", &s->frames_file, NULL},
                   {"--tls", &s->authority, NULL},
                   {"--state", &s->state, NULL},
                   {"--keys", &s->keys_file, NULL},
                   {"--connections", NULL, &s->n_connections},
                   {"--window", NULL, &s->window},
                   {"--first", NULL, &s->first},
                   {"--warm", NULL, &s->warm},
                   {"--count", NULL, &s->count}};

    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        if (strcmp(name, options[i].name) != 0)
            continue;
        if (options[i].text != NULL)
            *options[i].text = value;
        else
            *options[i].number = strtoul(value, NULL, 10);
        return;
    }
    if (strcmp(name, "--port") == 0)
        s->port = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--every") == 0)
        s->every = strtod(value, NULL);
    else if (strcmp(name, "--rate") == 0)
        s->rate = strtod(value, NULL);
    else
        die(name, "no such option");
}

int main(int argc, char **argv)
{
    struct sender s = {.n_connections = 16, .window = 64, .count = SIZE_MAX, .state = "committed"};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--storm") == 0)
            s.storm = true;
        else if (strcmp(argv[i], "--idle") == 0)
            s.idle = true;
        else if (i + 1 < argc)
            option(&s, argv[i], argv[i + 1]), i++;
        else
            die(argv[i], "wants a value");
    }
    if (s.port == 0 || s.n_connections == 0 || (s.frames_file == NULL && !s.idle) ||
        (s.keys_file == NULL) != (s.authority == NULL))
        die("usage", "sender --port N --frames FILE, or --idle; --tls with --keys");
    if (s.frames_file != NULL)
        read_frames(&s);
    snprintf(s.wanted, sizeof(s.wanted), " state=%s ", s.state);
    prepare(&s);
    run(&s);
    return 0;
}
