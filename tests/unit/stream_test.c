/* A connection's progress: whoever takes its answers slowly is not one who takes none. */
#include "daemon/net/listener.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

enum { ANSWER = 3 << 20 }; /* far more than the system takes of what nobody reads */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_makes_progress_in_the_midst_of_a_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
