/* The HTTP server's socket where it cannot start: closed once, by whoever. A second close may hit what
 * another thread has opened under the same number. */
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
    const struct baod_http_limits limits = {1 << 16, 1 << 20, 10, 10, 1000, 1000};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_cannot_be_read_close_the_socket_once),
        cmocka_unit_test(a_start_without_descriptors_closes_the_socket_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
