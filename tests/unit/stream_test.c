/* A connection's progress: whoever takes its answers slowly is not one who takes none. And how many
 * handshakes are under way at once. */
#include "daemon/net/listener.h"
#include "daemon/net/stream_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

enum {
    ANSWER = 3 << 20, /* far more than the system takes of what nobody reads */
    COMERS = 3 * BAOD_STREAM_BEGUN,
};

static void on_stream(void *user, struct baod_stream *stream)
{
    struct baod_stream **taken = user;

    *taken = stream;
}

static void on_read(void *user, struct bao_str bytes)
{
    (void)user;
    (void)bytes;
}

static void on_end(void *user, bool eof, const char *why)
{
    (void)user;
    (void)eof;
    (void)why;
}

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_true(strlen(path) < sizeof(to.sun_path));
    memcpy(to.sun_path, path, strlen(path));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Lets time pass on the loop, and what is due happen. */
static void turn(uv_loop_t *loop)
{
    uint64_t before = uv_now(loop);

    while (uv_now(loop) < before + 2) {
        usleep(1000);
        uv_run(loop, UV_RUN_NOWAIT);
    }
}

/* Takes what has come so far. */
static void read_some(int fd)
{
    static char chunk[1 << 16];
    ssize_t r;

    while ((r = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
        ;
    assert_true(r < 0 && errno == EAGAIN);
}

static void a_slow_reader_makes_progress_in_the_midst_of_a_flight(void **state)
{
    static const struct baod_stream_ops ops = {.on_read = on_read, .on_end = on_end};
    char folder[] = "/tmp/baocao-stream-XXXXXX", path[64] = "", address[80] = "unix:";
    struct baod_listener_config config = {.address = address, .fd = -1, .on_stream = on_stream};
    struct baod_stream *s = NULL;
    struct baod_listener *l;
    struct baod_net *net;
    uint64_t first, second;
    char *answer = calloc(1, ANSWER);
    uv_loop_t loop;
    int fd;

    (void)state;
    assert_non_null(answer);
    assert_non_null(mkdtemp(folder));
    strncat(path, folder, sizeof(path) - 1);
    strncat(path, "/s", sizeof(path) - strlen(path) - 1);
    strncat(address, path, sizeof(address) - strlen(address) - 1);
    config.user = &s;
    assert_int_equal(uv_loop_init(&loop), 0);
    net = baod_net_new(&loop);
    assert_non_null(net);
    assert_int_equal(baod_listener_open(net, &config, &l), 0);
    fd = connect_to(path);
    while (s == NULL)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(baod_stream_own(s, &ops, NULL), 0);

    assert_int_equal(baod_stream_write(s, (struct bao_str){answer, ANSWER}), 0);
    turn(&loop);
    first = baod_stream_progress(s);
    turn(&loop);
    assert_true(baod_stream_queued(s) > ANSWER / 2);
    assert_true(baod_stream_progress(s) == first); /* nobody has read */

    read_some(fd);
    turn(&loop);
    assert_true(baod_stream_queued(s) > ANSWER / 4); /* the flight is still under way */
    second = baod_stream_progress(s);
    assert_true(second > first);
    turn(&loop);
    assert_true(baod_stream_progress(s) == second);

    baod_stream_close(s, false);
    baod_listener_close(l);
    baod_net_close(net);
    close(fd);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    unlink(path);
    rmdir(folder);
    free(answer);
}

/* A handshake of two octets, and what all of them look like. */

struct shake {
    struct crowd *crowd;
    uint64_t at; /* ms: when it began; 0 = not yet */
    size_t octets;
};

struct crowd {
    uv_loop_t loop;
    struct baod_stream *streams[COMERS];
    size_t n_streams, n_begun, n_ready, most;
};

static int shake_start(void *state, struct bao_buf *wire)
{
    (void)state;
    (void)wire;
    return 0;
}

/* Counts those under way that have not yet taken their time. */
static void count_begun(struct crowd *crowd)
{
    size_t n = 0;

    for (size_t i = 0; i < crowd->n_streams; i++) {
        const struct shake *s = baod_stream_transform(crowd->streams[i]);

        n += s->octets == 1 && uv_now(&crowd->loop) - s->at < BAOD_STREAM_PATIENCE_MS;
    }
    if (n > crowd->most)
        crowd->most = n;
}

static int shake_receive(void *state, struct bao_str in, struct bao_buf *plain, struct bao_buf *wire)
{
    struct shake *s = state;

    (void)plain;
    (void)wire;
    if (s->octets == 0) {
        s->at = uv_now(&s->crowd->loop);
        s->crowd->n_begun++;
    }
    s->octets += in.n;
    s->crowd->n_ready += s->octets == 2;
    count_begun(s->crowd);
    return 0;
}

static bool shake_ready(const void *state)
{
    return ((const struct shake *)state)->octets == 2;
}

static const char *shake_why(const void *state)
{
    (void)state;
    return NULL;
}

static void shake_free(void *state)
{
    free(state);
}

static int make_shake(void *user, const struct baod_transform_ops **ret_ops, void **ret_state)
{
    static const struct baod_transform_ops ops = {
        .name = "shake",
        .start = shake_start,
        .receive = shake_receive,
        .ready = shake_ready,
        .why = shake_why,
        .free = shake_free,
    };
    struct shake *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->crowd = user;
    *ret_ops = &ops;
    *ret_state = s;
    return 0;
}

static void on_comer(void *user, struct baod_stream *stream)
{
    static const struct baod_stream_ops ops = {.on_read = on_read, .on_end = on_end};
    struct crowd *crowd = user;

    crowd->streams[crowd->n_streams++] = stream;
    assert_int_equal(baod_stream_own(stream, &ops, NULL), 0);
}

static void those_who_hesitate_hold_no_handshake_up_and_few_are_under_way(void **state)
{
    char folder[] = "/tmp/baocao-stream-XXXXXX", path[64] = "", address[80] = "unix:";
    struct crowd crowd = {.n_streams = 0};
    struct baod_listener_config config = {
        .address = address, .fd = -1, .transform = make_shake, .on_stream = on_comer, .user = &crowd};
    struct baod_listener *l;
    struct baod_net *net;
    int fds[COMERS];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    (void)snprintf(address, sizeof(address), "unix:%s", path);
    assert_int_equal(uv_loop_init(&crowd.loop), 0);
    net = baod_net_new(&crowd.loop);
    assert_non_null(net);
    assert_int_equal(baod_listener_open(net, &config, &l), 0);
    for (size_t i = 0; i < COMERS; i++) {
        fds[i] = connect_to(path);
        assert_int_equal(write(fds[i], "1", 1), 1);
    }
    while (crowd.n_begun < COMERS) /* nobody goes on: each begins when another's time is over */
        uv_run(&crowd.loop, UV_RUN_ONCE);
    assert_in_range(crowd.most, 1, BAOD_STREAM_BEGUN);
    assert_int_equal(crowd.n_ready, 0);
    for (size_t i = 0; i < COMERS; i++)
        assert_int_equal(write(fds[i], "2", 1), 1);
    while (crowd.n_ready < COMERS)
        uv_run(&crowd.loop, UV_RUN_ONCE);
    for (size_t i = 0; i < COMERS; i++) {
        baod_stream_close(crowd.streams[i], false);
        close(fds[i]);
    }
    baod_listener_close(l);
    baod_net_close(net);
    uv_run(&crowd.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&crowd.loop), 0);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_makes_progress_in_the_midst_of_a_flight),
        cmocka_unit_test(those_who_hesitate_hold_no_handshake_up_and_few_are_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
