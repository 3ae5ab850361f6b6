#include "daemon/net/listener.h"

#include "daemon/net/stream_internal.h"
#include "daemon/ops/socket.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

struct baod_listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct baod_net *net;
    struct baod_listener_config config;
    bool closing;
    int port;
    char name[128];
};

static int backlog(const struct baod_listener *l)
{
    return l->config.backlog > 0 ? l->config.backlog : BACKLOG;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void baod_listener_close(struct baod_listener *l)
{
    if (l == NULL || l->closing)
        return;
    l->closing = true;
    uv_close(&l->uv.handle, on_closed); /* libuv removes the path of a socket that it bound */
}

/* One connection waits. */
static void on_connection(uv_stream_t *server, int status)
{
    struct baod_listener *l = server->data;
    const struct baod_transform_ops *ops = NULL;
    void *transform = NULL;
    struct baod_stream *s;
    int r = status;

    if (l->closing)
        return;
    if (r == 0 && l->config.transform != NULL)
        r = l->config.transform(l->config.user, &ops, &transform);
    if (r == 0)
        r = baod_stream_new(l->net, server->type, ops, transform, &s);
    if (r == 0) {
        r = uv_accept(server, &s->uv.stream);
        if (r < 0)
            baod_stream_destroy(s);
    }
    if (r < 0) {
        if (l->config.on_refused != NULL)
            l->config.on_refused(l->config.user, r);
        return;
    }
    baod_stream_learn_name(s);
    l->config.on_stream(l->config.user, s);
}

/* Opens or adopts, before it is known what the socket is good for. */
static int bind_tcp(struct baod_listener *l)
{
    struct baod_socket opened = {.fd = l->config.fd};
    int r = 0;

    if (opened.fd < 0)
        r = baod_socket_listen(l->config.address, backlog(l), &opened);
    if (r != 0)
        return r == BAOD_SOCKET_E_ADDRESS ? BAOD_LISTENER_E_ADDRESS : r;
    r = uv_tcp_open(&l->uv.tcp, opened.fd);
    if (r < 0 && l->config.fd < 0)
        (void)close(opened.fd);
    return r;
}

static int bind_unix(struct baod_listener *l)
{
    const char *path = l->config.fd < 0 ? l->config.address + strlen("unix:") : NULL;
    struct stat st;
    int r;

    if (path == NULL)
        return uv_pipe_open(&l->uv.pipe, l->config.fd);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return -ENAMETOOLONG;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(path); /* left by a crash; if it cannot go, bind says why */
    r = uv_pipe_bind(&l->uv.pipe, path);
    if (r == 0 && chmod(path, l->config.mode != 0 ? (mode_t)l->config.mode : 0600) < 0)
        r = -errno;
    return r;
}

/* Learns name and port of the bound socket; refuses plaintext beyond loopback. */
static int learn_name(struct baod_listener *l)
{
    struct sockaddr_storage addr;
    int n = sizeof(addr), r;
    char host[64];
    bool loopback;

    if (l->uv.handle.type != UV_TCP) {
        (void)snprintf(l->name, sizeof(l->name), "%s",
                       l->config.address != NULL ? l->config.address : "unix");
        return 0;
    }
    r = uv_tcp_getsockname(&l->uv.tcp, (struct sockaddr *)&addr, &n);
    if (r < 0)
        return r;
    loopback = baod_address_print((struct sockaddr *)&addr, l->name, sizeof(l->name), host, sizeof(host));
    l->port = ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                               : ((struct sockaddr_in *)&addr)->sin_port);
    return loopback || l->config.plaintext || l->config.transform != NULL ? 0 : BAOD_LISTENER_E_PLAINTEXT;
}

static bool is_unix(const struct baod_listener_config *config)
{
    struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof(addr);

    if (config->fd < 0)
        return strncmp(config->address, "unix:", strlen("unix:")) == 0;
    return getsockname(config->fd, (struct sockaddr *)&addr, &n) == 0 && addr.ss_family == AF_UNIX;
}

int baod_listener_open(struct baod_net *net, const struct baod_listener_config *config,
                       struct baod_listener **ret)
{
    struct baod_listener *l = calloc(1, sizeof(*l));
    bool pipe = is_unix(config);
    int r;

    if (l == NULL)
        return -ENOMEM;
    l->net = net;
    l->config = *config;
    r = pipe ? uv_pipe_init(net->loop, &l->uv.pipe, 0) : uv_tcp_init(net->loop, &l->uv.tcp);
    bao_require(r == 0); /* without flags neither opens anything */
    l->uv.handle.data = l;
    r = pipe ? bind_unix(l) : bind_tcp(l);
    if (r == 0)
        r = learn_name(l);
    if (r == 0)
        r = uv_listen(&l->uv.stream, backlog(l), on_connection);
    if (r != 0) {
        baod_listener_close(l);
        return r;
    }
    *ret = l;
    return 0;
}

int baod_listener_port(const struct baod_listener *l)
{
    return l->port;
}

const char *baod_listener_name(const struct baod_listener *l)
{
    return l->name;
}

int baod_listener_write_port(const struct baod_listener *l, const char *path)
{
    const struct baod_socket at = {.port = l->port};

    return baod_socket_write_port(&at, path);
}
