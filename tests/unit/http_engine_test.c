/* The HTTP server's socket where it cannot start: closed once, by whoever. A second close may hit what
 * another thread has opened under the same number. And an answer that is taken too slowly. */
#include "daemon/http/http.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

/* Stands before the C library's, for libmicrohttpd too. */
static int watched = -1, closes;

__attribute__((visibility("default"))) int close(int fd)
{
    closes += fd == watched;
    return (int)syscall(SYS_close, fd);
}

static int listening(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* Tries to start, with `spare` more descriptors to be had, or as many as there are when negative. */
static int start(const struct baod_http_keys *keys, int spare)
{
    const struct baod_http_limits limits = {1 << 16, 1 << 20, 10, 10, 1000, 1000, 16};
    const struct baod_http_handlers handlers = {.user = NULL};
    struct baod_http *http = NULL;
    struct rlimit before, few;
    uv_loop_t loop;
    int r;

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    watched = listening(); /* the lowest number that is free */
    closes = 0;
    few = (struct rlimit){(rlim_t)(watched + 1 + spare), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, spare < 0 ? &before : &few), 0);
    r = baod_http_new(&loop, watched, &limits, &handlers, keys, &http);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_null(http);
    assert_int_equal(closes, 1);
    watched = -1;
    assert_int_equal(uv_loop_close(&loop), 0);
    return r;
}

static void keys_that_cannot_be_read_close_the_socket_once(void **state)
{
    (void)state;
    assert_int_equal(start(&(struct baod_http_keys){"no certificate", "no key"}, -1), -EKEYREJECTED);
}

static void a_start_without_descriptors_closes_the_socket_once(void **state)
{
    (void)state;
    assert_int_equal(start(&(struct baod_http_keys){NULL, NULL}, 0), -EIO);
}

enum { ANSWER = 64 << 20, SIP = 16384, SIP_MS = 5 };

/* A client that takes its answer steadily, but too slowly: each sip is progress, so no limit of silence ends
 * it. */
struct slow {
    uv_loop_t loop;
    uv_timer_t sip;
    struct baod_http *http;
    int fd;
    size_t taken;
    bool ended, closed;
    char *answer;
};

static void on_request(void *user, struct baod_http_exchange *x)
{
    struct slow *t = user;

    baod_http_reply(t->http, baod_http_id(x),
                    &(struct baod_http_reply){.status = 200, .body = {t->answer, ANSWER}});
}

static void on_head(void *user, struct baod_http_exchange *x)
{
    (void)user;
    (void)x;
}

static void on_ended(void *user, struct baod_http_exchange *x)
{
    (void)x;
    ((struct slow *)user)->ended = true;
}

static void on_sip(uv_timer_t *timer)
{
    struct slow *t = timer->data;
    char some[SIP];
    ssize_t n = recv(t->fd, some, sizeof(some), MSG_DONTWAIT);

    t->taken += n > 0 ? (size_t)n : 0;
}

static void on_closed(void *user)
{
    ((struct slow *)user)->closed = true;
}

static int connected(int listener)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct sockaddr_in at;
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(send(fd, request, sizeof(request) - 1, 0), (ssize_t)sizeof(request) - 1);
    return fd;
}

static void an_answer_taken_too_slowly_is_cut_off(void **state)
{
    static struct slow t;
    const struct baod_http_limits limits = {1 << 16, 1 << 20, 10, 10, 1000, 1000, 1 << 20};
    const struct baod_http_handlers handlers = {
        .user = &t, .head = on_head, .request = on_request, .ended = on_ended};
    int listener = listening();
    char rest[1 << 16];
    ssize_t n;

    (void)state;
    t.answer = calloc(1, ANSWER);
    assert_non_null(t.answer);
    assert_int_equal(uv_loop_init(&t.loop), 0);
    assert_int_equal(
        baod_http_new(&t.loop, listener, &limits, &handlers, &(struct baod_http_keys){NULL, NULL}, &t.http),
        0);
    t.fd = connected(listener);
    assert_int_equal(uv_timer_init(&t.loop, &t.sip), 0);
    t.sip.data = &t;
    assert_int_equal(uv_timer_start(&t.sip, on_sip, SIP_MS, SIP_MS), 0);
    while (!t.ended)
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&t.sip, NULL);
    baod_http_close(t.http, on_closed, &t);
    while (!t.closed)
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    while ((n = recv(t.fd, rest, sizeof(rest), 0)) > 0) /* what the system held already */
        t.taken += (size_t)n;
    assert_true(t.taken != 0 && t.taken < ANSWER);
    (void)close(t.fd);
    free(t.answer);
    assert_int_equal(uv_loop_close(&t.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_cannot_be_read_close_the_socket_once),
        cmocka_unit_test(a_start_without_descriptors_closes_the_socket_once),
        cmocka_unit_test(an_answer_taken_too_slowly_is_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
