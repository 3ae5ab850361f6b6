#include "daemon/cli/brp_client.h"
#include "daemon/net/tls.h"

#include "lib/text/errno.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECT_MS = 10000,
    CHUNK = 64 * 1024,
    PLAIN_MAX = 4 * 1024 * 1024,
    WIRE_MAX = 64 * 1024 * 1024,
    QUIT_MS = 500
};

struct cli_brp {
    int fd;
    enum bao_lang lang; /* of what it tells a person */
    const struct baod_transform_ops *transform;
    void *transform_state;
    struct bao_client_session session;
    struct bao_buf plain; /* read, not yet fed */
    struct bao_buf wire;  /* transformed, not yet written; with TLS only */
    bool lost;
};

int64_t cli_now_ms(void)
{
    struct timespec t;

    bao_require(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_port(const char *text)
{
    uint64_t port;

    return bao_decimal_number(bao_str_c(text), 65535, &port) && port != 0;
}

/* Parts HOST[:PORT]; a bare IPv6 address needs no brackets when it has no port. */
bool cli_split_target(const char *to, char host[256], char port[16])
{
    const char *colon, *end;
    size_t n;

    if (to == NULL)
        to = "127.0.0.1";
    colon = strrchr(to, ':');
    if (colon != NULL && to[0] != '[' && memchr(to, ':', (size_t)(colon - to)) != NULL)
        colon = NULL; /* IPv6 */
    if (to[0] == '[' && (colon == NULL || colon[-1] != ']'))
        colon = NULL;
    end = colon == NULL ? to + strlen(to) : colon;
    if (to[0] == '[') {
        if (end[-1] != ']')
            return false;
        to++;
        end--;
    }
    n = (size_t)(end - to);
    if (end <= to || n >= 256 || (colon != NULL && !is_port(colon + 1)))
        return false;
    memcpy(host, to, n);
    host[n] = '\0';
    (void)snprintf(port, 16, "%s", colon == NULL ? "7316" : colon + 1);
    return true;
}

/* Waits for a descriptor: >0 ready, 0 too late, <0. */
static int wait_fd(int fd, short events, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int r = poll(&p, 1, timeout_ms);

    if (r < 0)
        return errno == EINTR ? 0 : -errno;
    return r;
}

static int connect_one(const struct addrinfo *at, int timeout_ms, int *ret)
{
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    int r = 0, one = 1, error = 0;
    socklen_t n = sizeof(error);

    if (fd < 0)
        return -errno;
    if (connect(fd, at->ai_addr, at->ai_addrlen) < 0)
        r = errno == EINPROGRESS ? wait_fd(fd, POLLOUT, timeout_ms) : -errno;
    else
        r = 1;
    if (r == 0)
        r = -ETIMEDOUT;
    if (r > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        r = -errno;
    if (r < 0 || error != 0) {
        (void)close(fd);
        return r < 0 ? r : -error;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* only slower without it */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    *ret = fd;
    return 0;
}

/* The resolver's errors that a person can do something about; the others in its own words. */
static const char *resolver_text(int error, enum bao_lang lang)
{
    if (error == EAI_NONAME)
        return lang == BAO_VI ? "không tìm thấy máy chủ có tên này" : "there is no server of this name";
    if (error == EAI_AGAIN)
        return lang == BAO_VI ? "chưa hỏi được địa chỉ của máy chủ; kiểm tra kết nối mạng"
                              : "the server's address cannot be looked up now; check the network";
    return gai_strerror(error);
}

static int connect_any(const struct cli_brp_target *target, enum bao_lang lang, int *ret,
                       const char **ret_why)
{
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    char host[256], port[16];
    int r;

    if (!cli_split_target(target->to, host, port)) {
        *ret_why = lang == BAO_VI ? "địa chỉ máy chủ phải viết theo dạng MÁY-CHỦ[:CỔNG]"
                                  : "the server's address is written HOST[:PORT]";
        return -EINVAL;
    }
    r = getaddrinfo(host, port, &want, &list);
    if (r != 0) {
        *ret_why = resolver_text(r, lang);
        return -EHOSTUNREACH;
    }
    r = -EHOSTUNREACH;
    for (const struct addrinfo *at = list; at != NULL && r < 0; at = at->ai_next)
        r = connect_one(at, target->connect_ms > 0 ? target->connect_ms : CONNECT_MS, ret);
    freeaddrinfo(list);
    if (r < 0)
        *ret_why = bao_errno_text(r, lang);
    return r;
}

int cli_brp_open(const struct cli_brp_target *target, const struct bao_client_hello *hello,
                 struct cli_brp **ret, const char **ret_why)
{
    struct cli_brp *b = calloc(1, sizeof(*b));
    int r;

    *ret_why = bao_errno_text(ENOMEM, hello->lang);
    if (b == NULL) {
        if (target->transform != NULL)
            target->transform->free(target->transform_state);
        return -ENOMEM;
    }
    b->fd = -1;
    b->lang = hello->lang;
    b->lost = true; /* until it is connected: nothing to say QUIT to */
    b->transform = target->transform;
    b->transform_state = target->transform_state;
    bao_buf_init(&b->plain, PLAIN_MAX);
    bao_buf_init(&b->wire, WIRE_MAX);
    r = bao_client_init(&b->session, hello);
    if (r == 0)
        r = connect_any(target, b->lang, &b->fd, ret_why);
    if (r == 0 && b->transform != NULL)
        r = b->transform->start(b->transform_state, &b->wire);
    if (r < 0) {
        cli_brp_close(b);
        return r;
    }
    b->lost = false;
    *ret = b;
    return 0;
}

static const char *const troubles[][BAO_LANGS] = {
    [BAOD_TLS_FINE] = {NULL, NULL},
    [BAOD_TLS_AUTHORITY] =
        {"chứng thư của máy chủ do nơi lạ cấp; hãy xin Văn phòng tệp chứng thư gốc và ghi ở --ca",
         "the server's certificate is of an unknown authority; ask the office for its authority's "
         "file and name it with --ca"},
    [BAOD_TLS_TIME] =
        {"chứng thư của máy chủ chưa đến hoặc đã quá hạn dùng; hãy xem lại ngày giờ của máy này, rồi "
         "báo Văn phòng",
         "the server's certificate is not yet or no longer valid; look at this machine's clock, then "
         "tell the office"},
    [BAOD_TLS_NAME] =
        {"chứng thư của máy chủ đứng tên khác; ở --to hãy ghi đúng tên máy chủ mà Văn phòng đã cho",
         "the server's certificate is for another name; give --to the very name that the office gave"},
    [BAOD_TLS_PROTOCOL] =
        {"máy ở đầu kia không nói giao thức báo cáo qua TLS; hãy xem lại tên máy và cổng (7316)",
         "the other side does not speak the report protocol over TLS; look at the name and the port "
         "(7316)"},
    [BAOD_TLS_REFUSED] =
        {"máy chủ không nhận kết nối này; hãy xem lại chứng thư và khóa ở --cert, --key",
         "the server refused the connection; look at the certificate and the key of --cert, --key"},
    [BAOD_TLS_OTHER] = {"kết nối TLS bị hỏng giữa chừng", "the TLS connection broke"},
};

static enum baod_tls_trouble trouble_of(const struct cli_brp *b)
{
    return b->transform == NULL ? BAOD_TLS_FINE : baod_tls_trouble(b->transform_state);
}

bool cli_brp_is_final(const struct cli_brp *b)
{
    enum baod_tls_trouble trouble = trouble_of(b);

    return trouble == BAOD_TLS_AUTHORITY || trouble == BAOD_TLS_NAME;
}

const char *cli_brp_why(const struct cli_brp *b, int error)
{
    enum baod_tls_trouble trouble = trouble_of(b);

    return trouble != BAOD_TLS_FINE ? troubles[trouble][b->lang] : bao_errno_text(error, b->lang);
}

struct bao_client_session *cli_brp_session(struct cli_brp *b)
{
    return &b->session;
}

/* Writes what the system takes of a buffer. */
static int write_some(struct cli_brp *b, struct bao_buf *from)
{
    while (bao_buf_len(from) != 0) {
        ssize_t n = send(b->fd, bao_buf_data(from), bao_buf_len(from), MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        bao_buf_consume(from, (size_t)n);
    }
    return 0;
}

static int flush(struct cli_brp *b)
{
    struct bao_buf *out = &b->session.out;
    int r;

    if (b->transform == NULL)
        return write_some(b, out);
    if (bao_buf_len(out) != 0 && bao_buf_len(&b->wire) < CHUNK && b->transform->ready(b->transform_state)) {
        struct bao_str piece = bao_buf_str(out);

        piece.n = piece.n < CHUNK ? piece.n : CHUNK;
        r = b->transform->send(b->transform_state, piece, &b->wire);
        if (r < 0)
            return r;
        bao_buf_consume(out, piece.n);
    }
    return write_some(b, &b->wire);
}

static bool has_output(const struct cli_brp *b)
{
    if (bao_buf_len(&b->wire) != 0)
        return true;
    return bao_buf_len(&b->session.out) != 0 &&
           (b->transform == NULL || b->transform->ready(b->transform_state));
}

static int read_some(struct cli_brp *b)
{
    char *room = bao_buf_room(&b->plain, CHUNK), chunk[CHUNK];
    ssize_t n;
    int r;

    if (room == NULL)
        return -ENOMEM;
    n = recv(b->fd, b->transform == NULL ? room : chunk, CHUNK, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECONNRESET;
    if (b->transform == NULL) {
        bao_buf_trim(&b->plain, (size_t)n);
        return 0;
    }
    r = b->transform->receive(b->transform_state, (struct bao_str){chunk, (size_t)n}, &b->plain, &b->wire);
    if (r < 0)
        (void)write_some(b, &b->wire); /* the alert: why, for the server's log; nothing hangs on it */
    return r == 1 && bao_buf_len(&b->plain) == 0 ? -ECONNRESET : (r < 0 ? r : 0);
}

/* Feeds what was read: 0 and an event, perhaps NONE. */
static int feed(struct cli_brp *b, struct bao_client_event *ret)
{
    struct bao_str in = bao_buf_str(&b->plain);
    size_t n = in.n;
    int r = bao_client_feed(&b->session, &in, ret);

    if (r < 0)
        return r;
    /* An event may point into the buffer: its octets stay until the next feed, only the mark moves on. */
    b->plain.start += n - in.n;
    return 0;
}

int cli_brp_wait(struct cli_brp *b, int timeout_ms, struct bao_client_event *ret)
{
    int64_t until = cli_now_ms() + timeout_ms;

    for (;;) {
        int64_t left = until - cli_now_ms();
        int r = feed(b, ret);

        if (r == 0 && ret->kind != BAO_CLIENT_NONE)
            return 0;
        if (r == 0)
            r = flush(b);
        if (r == 0)
            r = wait_fd(b->fd, (short)(POLLIN | (has_output(b) ? POLLOUT : 0)), left > 0 ? (int)left : 0);
        if (r == 0 && left <= 0)
            return CLI_BRP_E_TIMEOUT;
        if (r > 0)
            r = read_some(b);
        if (r < 0) {
            b->lost = true;
            return r;
        }
    }
}

struct cli_brp *cli_brp_close(struct cli_brp *b)
{
    struct bao_client_event event;
    int r;

    if (b == NULL)
        return NULL;
    if (!b->lost && b->session.n_open == 0 && bao_client_ask(&b->session, "QUIT", BAO_STR_NULL, 0) == 0) {
        r = cli_brp_wait(b, QUIT_MS, &event); /* a courtesy: nothing hangs on it */
        b->lost = r != 0;
    }
    if (b->fd >= 0)
        (void)close(b->fd);
    if (b->transform != NULL)
        b->transform->free(b->transform_state);
    bao_client_deinit(&b->session);
    bao_buf_deinit(&b->plain);
    bao_buf_deinit(&b->wire);
    free(b);
    return NULL;
}
