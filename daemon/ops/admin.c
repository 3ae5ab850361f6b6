#include "daemon/ops/admin.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEERS_MAX = 16, LINE_MAX_OCTETS = 64 << 10, READ_SIZE = 4096, GROUPS_MAX = 1024 };

#define NOBODY ((gid_t)-1)

struct peer {
    uv_pipe_t pipe;
    struct baod_admin *admin;
    uint64_t id;
    uid_t uid;
    struct bao_buf in;
    bool busy; /* a request awaits its reply */
    char room[READ_SIZE];
};

struct baod_admin {
    uv_pipe_t listening;
    gid_t group;
    baod_admin_handler *handler;
    void *user;
    struct peer *peers[PEERS_MAX];
    uint64_t last_id;
    unsigned handles; /* open or closing; the memory goes with the last */
    bool closing;
};

struct writing {
    uv_write_t request;
    char octets[];
};

/* ------------------------------------------------------------------ who */

/* Is the group the peer's own, or one of its others? */
static bool has_group(int fd, gid_t own, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    socklen_t n = sizeof(groups);

    if (group == NOBODY || own == group)
        return group != NOBODY;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
        return false;
    for (size_t i = 0; i < n / sizeof(groups[0]); i++)
        if (groups[i] == group)
            return true;
    return false;
}

static bool may_enter(const struct baod_admin *admin, struct peer *peer)
{
    struct ucred who;
    socklen_t n = sizeof(who);
    int fd;

    if (uv_fileno((uv_handle_t *)&peer->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
        return false;
    peer->uid = who.uid;
    return who.uid == 0 || who.uid == geteuid() || has_group(fd, who.gid, admin->group);
}

/* ------------------------------------------------------------------ closing */

static void release(struct baod_admin *admin)
{
    if (--admin->handles == 0)
        free(admin);
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct baod_admin *admin = peer->admin;

    bao_buf_deinit(&peer->in);
    free(peer);
    release(admin);
}

static void leave(struct peer *peer)
{
    struct baod_admin *admin = peer->admin;

    for (size_t i = 0; i < PEERS_MAX; i++)
        if (admin->peers[i] == peer)
            admin->peers[i] = NULL;
    if (!uv_is_closing((uv_handle_t *)&peer->pipe))
        uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
}

static void on_listening_closed(uv_handle_t *handle)
{
    release(handle->data);
}

struct baod_admin *baod_admin_close(struct baod_admin *admin)
{
    if (admin == NULL)
        return NULL;
    admin->closing = true;
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (admin->peers[i] != NULL)
            leave(admin->peers[i]);
    uv_close((uv_handle_t *)&admin->listening, on_listening_closed); /* removes the file */
    return NULL;
}

/* ------------------------------------------------------------------ requests and replies */

/* Hands the next whole line over, unless one is being answered. */
static void next_line(struct peer *peer)
{
    struct bao_str in = bao_buf_str(&peer->in);
    const char *end = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
    struct baod_admin *admin = peer->admin;
    size_t n;

    if (peer->busy || end == NULL)
        return;
    n = (size_t)(end - in.p);
    peer->busy = true;
    admin->handler(admin->user, peer->id, peer->uid, (struct bao_str){in.p, n});
    /* The handler may have replied already, but never frees the peer: that is left to the loop. */
    bao_buf_consume(&peer->in, n + 1);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    struct peer *peer = handle->data;

    (void)wanted;
    *ret = uv_buf_init(peer->room, sizeof(peer->room));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct peer *peer = stream->data;

    if (uv_is_closing((uv_handle_t *)stream))
        return;
    /* A line that is too long, or the end: nothing more can be understood. */
    if (n < 0 || bao_buf_append(&peer->in, buf->base, (size_t)n) < 0)
        leave(peer);
    else
        next_line(peer);
}

static struct peer *find(struct baod_admin *admin, uint64_t id)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (admin->peers[i] != NULL && admin->peers[i]->id == id)
            return admin->peers[i];
    return NULL;
}

static void on_written(uv_write_t *request, int status)
{
    struct peer *peer = request->handle->data;

    free(request->data);
    if (uv_is_closing((uv_handle_t *)&peer->pipe))
        return;
    if (status < 0)
        leave(peer);
    else
        next_line(peer);
}

void baod_admin_reply(struct baod_admin *admin, uint64_t id, struct bao_str line)
{
    struct peer *peer = find(admin, id);
    struct writing *w = peer == NULL ? NULL : malloc(sizeof(*w) + line.n + 1);
    uv_buf_t buf;

    if (peer == NULL)
        return;
    peer->busy = false;
    if (w == NULL) {
        leave(peer);
        return;
    }
    if (line.n != 0)
        memcpy(w->octets, line.p, line.n);
    w->octets[line.n] = '\n';
    w->request.data = w;
    buf = uv_buf_init(w->octets, (unsigned)(line.n + 1));
    if (uv_write(&w->request, (uv_stream_t *)&peer->pipe, &buf, 1, on_written) < 0) {
        free(w);
        leave(peer);
    }
}

/* ------------------------------------------------------------------ accepting */

static struct peer **free_place(struct baod_admin *admin)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (admin->peers[i] == NULL)
            return &admin->peers[i];
    return NULL;
}

/* Says no and closes; what does not fit into the socket's own buffer is not said. */
static void turn_away(struct peer *peer)
{
    static char no[] =
        "{\"code\":\"DENIED\",\"message\":{\"vi\":\"Người dùng này không được ra lệnh cho dịch vụ; hãy "
        "chạy bằng người dùng của dịch vụ hoặc root.\",\"en\":\"This user may not command the daemon; run "
        "this as the daemon's user or root.\"}}\n";
    uv_buf_t buf = uv_buf_init(no, sizeof(no) - 1);

    (void)uv_try_write((uv_stream_t *)&peer->pipe, &buf, 1);
    leave(peer);
}

static void on_connection(uv_stream_t *listening, int status)
{
    struct baod_admin *admin = listening->data;
    struct peer **place = free_place(admin), *peer;

    if (status < 0 || admin->closing)
        return;
    peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        return;
    bao_buf_init(&peer->in, LINE_MAX_OCTETS);
    peer->admin = admin;
    peer->id = ++admin->last_id;
    (void)uv_pipe_init(listening->loop, &peer->pipe, 0); /* cannot fail */
    peer->pipe.data = peer;
    admin->handles++;
    if (uv_accept(listening, (uv_stream_t *)&peer->pipe) < 0 || place == NULL) {
        leave(peer);
        return;
    }
    if (!may_enter(admin, peer)) {
        turn_away(peer);
        return;
    }
    *place = peer;
    if (uv_read_start((uv_stream_t *)&peer->pipe, on_room, on_read) < 0)
        leave(peer);
}

/* ------------------------------------------------------------------ the file */

int baod_admin_path(const char *runtime, char ret[108])
{
    int n = snprintf(ret, 108, "%s/admin.sock", runtime);

    return n < 0 || n >= 108 ? -ENAMETOOLONG : 0;
}

/* A socket file that nobody answers at is what a crash left behind. */
static int clear_the_way(const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    struct stat st;
    int fd, r;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    memcpy(where.sun_path, path, strlen(path) + 1);
    r = connect(fd, (const struct sockaddr *)&where, sizeof(where)) == 0 || errno == EAGAIN ? -EADDRINUSE : 0;
    close(fd);
    return r != 0 ? r : unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_here(struct baod_admin *admin, const char *path)
{
    mode_t mask = umask(0117); /* nothing else runs yet that could make a file */
    int r = uv_pipe_bind(&admin->listening, path);

    (void)umask(mask);
    if (r == 0 && admin->group != NOBODY && chown(path, (uid_t)-1, admin->group) < 0)
        r = -errno;
    return r < 0 ? r : uv_listen((uv_stream_t *)&admin->listening, PEERS_MAX, on_connection);
}

int baod_admin_new(uv_loop_t *loop, const char *path, const char *group, baod_admin_handler *handler,
                   void *user, struct baod_admin **ret)
{
    struct group *found = *group == '\0' ? NULL : getgrnam(group);
    struct baod_admin *admin;
    int r = *group != '\0' && found == NULL ? -ENOENT
            : strlen(path) > 107            ? -ENAMETOOLONG
                                            : clear_the_way(path);

    if (r < 0)
        return r;
    admin = calloc(1, sizeof(*admin));
    if (admin == NULL)
        return -ENOMEM;
    admin->group = found == NULL ? NOBODY : found->gr_gid;
    admin->handler = handler;
    admin->user = user;
    admin->handles = 1;
    (void)uv_pipe_init(loop, &admin->listening, 0); /* cannot fail */
    admin->listening.data = admin;
    r = bind_here(admin, path);
    if (r < 0) {
        baod_admin_close(admin);
        return r;
    }
    *ret = admin;
    return 0;
}
