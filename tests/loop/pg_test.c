/* The PostgreSQL connection: against a scripted server that fails at a chosen moment, and, when
 * BAOCAO_TEST_PG holds a conninfo, against a real one. */
#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

/* ------------------------------------------------------------------ a scripted server */

enum { CONNECTIONS = 3 };

struct fake {
    pthread_t thread;
    int listener;
    char dir[64];
    char conninfo[128];
    int answers[CONNECTIONS]; /* statements it answers on its n-th connection before it hangs up; -1: goes
                                 silent */
    bool abrupt;              /* it hangs up with the rest unread, which is an error on the other side */
    sem_t *said;              /* told when it has hung up or answered a group; NULL: nobody waits */
};

/* The other side may have gone: that is seen when reading. */
static void put_message(int fd, char type, const void *p, size_t n)
{
    uint32_t size = htonl((uint32_t)n + 4);

    (void)send(fd, &type, 1, MSG_NOSIGNAL);
    (void)send(fd, &size, 4, MSG_NOSIGNAL);
    (void)send(fd, p, n, MSG_NOSIGNAL);
}

static bool get_all(int fd, void *p, size_t n)
{
    return n == 0 || recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

/* The type of the next message, its body dropped; 0 at the end. */
static char get_message(int fd)
{
    char type, body[65536];
    uint32_t size;

    if (!get_all(fd, &type, 1) || !get_all(fd, &size, 4))
        return 0;
    size = ntohl(size) - 4;
    assert_true(size <= sizeof(body));
    return get_all(fd, body, size) ? type : 0;
}

static bool greet(int fd)
{
    static const char version[] = "server_version\0"
                                  "15.4";
    static const char hot[] = "in_hot_standby\0"
                              "off";
    static const char read_only[] = "default_transaction_read_only\0"
                                    "off";
    uint32_t size;
    char body[4096];

    if (!get_all(fd, &size, 4) || !get_all(fd, body, ntohl(size) - 4))
        return false;
    put_message(fd, 'R', "\0\0\0\0", 4);
    put_message(fd, 'S', version, sizeof(version));
    put_message(fd, 'S', hot, sizeof(hot));
    put_message(fd, 'S', read_only, sizeof(read_only));
    put_message(fd, 'K', "\0\0\0\1\0\0\0\1", 8);
    put_message(fd, 'Z', "I", 1);
    return true;
}

/* Seven columns of "off" please the session's set-up, and stand for any other row. */
static void answer_row(int fd)
{
    char described[2 + 7 * 20] = {0, 7}, row[2 + 7 * 7] = {0, 7};

    for (int i = 0; i < 7; i++) {
        memcpy(described + 2 + i * 20, "c\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\1", 20);
        memcpy(row + 2 + i * 7, "\0\0\0\3off", 7);
    }
    put_message(fd, 'T', described, sizeof(described));
    put_message(fd, 'D', row, sizeof(row));
    put_message(fd, 'C', "SELECT 1", 9);
}

static void serve_one(const struct fake *fake, int fd, int answers)
{
    int executed = 0;
    bool silent = false;
    char type;

    if (!greet(fd))
        return;
    while ((type = get_message(fd)) != 0 && type != 'X') {
        if (silent)
            continue;
        if (type == 'E' && answers >= 0 && executed == 1 + answers)
            return; /* the statement arrived, its answer never will */
        if (type == 'E' && answers < 0 && executed == 1)
            silent = true;
        else if (type == 'P')
            put_message(fd, '1', "", 0);
        else if (type == 'B')
            put_message(fd, '2', "", 0);
        else if (type == 'E') {
            answer_row(fd);
            executed++;
        } else if (type == 'S') {
            put_message(fd, 'Z', "I", 1);
            if (fake->said != NULL && executed > 1)
                sem_post(fake->said);
        }
    }
}

static void *serve(void *user)
{
    struct fake *fake = user;

    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = accept(fake->listener, NULL, NULL);

        if (fd < 0)
            break;
        serve_one(fake, fd, fake->answers[i]);
        /* Closing with octets unread may take back answers that are still on their way. */
        if (!fake->abrupt) {
            shutdown(fd, SHUT_WR);
            while (get_message(fd) != 0)
                continue;
        }
        close(fd);
        if (fake->abrupt && fake->said != NULL)
            sem_post(fake->said);
    }
    return NULL;
}

static void fake_start(struct fake *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(fake->dir, sizeof(fake->dir), "%s", "/tmp/baocao-pg-XXXXXX");
    assert_non_null(mkdtemp(fake->dir));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", fake->dir);
    snprintf(fake->conninfo, sizeof(fake->conninfo), "host=%s user=x dbname=x", fake->dir);
    fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fake->listener, 4), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

static void fake_stop(struct fake *fake)
{
    char path[108];

    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", fake->dir);
    unlink(path);
    rmdir(fake->dir);
}

/* ------------------------------------------------------------------ a diary of what was called back */

struct diary {
    char text[512];
    uv_loop_t *loop;
    const char *stop_at; /* the loop stops when this has been written */
    int lives;
    bool work_again;
    sem_t *wait_for; /* before the loop looks at its sockets again */
    unsigned sleep_us;
    char why[256]; /* of the last loss */
};

static void note(struct diary *d, const char *what)
{
    size_t n = strlen(d->text);

    snprintf(d->text + n, sizeof(d->text) - n, "%s%s", n == 0 ? "" : " ", what);
    if (d->stop_at != NULL && strstr(d->text, d->stop_at) != NULL)
        uv_stop(d->loop);
}

struct entry {
    struct diary *diary;
    const char *name;
};

static void on_entry(const struct baod_pg_result *r, void *user)
{
    static const char *const words[] = {"ok", "sql", "aborted", "lost"};
    struct entry *e = user;
    char text[64];

    snprintf(text, sizeof(text), "%s=%s%s%s", e->name, words[baod_pg_outcome(r)],
             baod_pg_sqlstate(r)[0] != '\0' ? ":" : "", baod_pg_sqlstate(r));
    note(e->diary, text);
}

static const struct baod_pg_statement ONE = {"one", "SELECT 1"};
static struct entry entries[8];

static void on_ready_three(struct baod_pg *pg, void *user)
{
    static const char *const names[] = {"a", "b", "c", "s"};
    struct diary *d = user;

    note(d, "ready");
    if (d->lives++ > 0 && !d->work_again)
        return;
    for (size_t i = 0; i < 4; i++)
        entries[i] = (struct entry){d, names[i]};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, on_entry, &entries[i]), 0);
    assert_int_equal(baod_pg_sync(pg, on_entry, &entries[3]), 0);
    if (d->wait_for != NULL && d->lives == 1) {
        while (sem_wait(d->wait_for) != 0)
            assert_int_equal(errno, EINTR);
        usleep(d->sleep_us);
    }
}

static void on_lost(struct baod_pg *pg, const char *why, void *user)
{
    struct diary *d = user;

    snprintf(d->why, sizeof(d->why), "%s", why);
    assert_false(baod_pg_is_ready(pg));
    assert_true(strlen(why) > 0);
    assert_null(strchr(why, '\n'));
    note(d, "gone");
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, NULL, NULL), -ENOTCONN);
}

static void on_too_long(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Runs a connection until the diary holds stop_at, at most 10 s. */
static void run_diary(const char *conninfo, struct diary *d, int deadline_ms,
                      void (*ready)(struct baod_pg *, void *))
{
    uv_loop_t loop;
    uv_timer_t limit;
    struct baod_pg *pg = NULL;
    struct baod_pg_options options = {
        .conninfo = conninfo,
        .deadline_ms = deadline_ms,
        .ready = ready,
        .lost = on_lost,
        .user = d,
    };

    assert_int_equal(uv_loop_init(&loop), 0);
    d->loop = &loop;
    assert_int_equal(uv_timer_init(&loop, &limit), 0);
    assert_int_equal(uv_timer_start(&limit, on_too_long, 10000, 0), 0);
    assert_int_equal(baod_pg_new(&loop, &options, &pg), 0);
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, NULL, NULL), -ENOTCONN);
    baod_pg_open(pg);
    uv_run(&loop, UV_RUN_DEFAULT);
    d->stop_at = NULL;
    pg = baod_pg_free(pg);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void lost_in_order_then_reconnects(void **state)
{
    struct fake fake = {.answers = {2, 9, 9}};
    struct diary d = {.stop_at = "gone ready"};

    (void)state;
    fake_start(&fake);
    run_diary(fake.conninfo, &d, 0, on_ready_three);
    fake_stop(&fake);
    assert_string_equal(d.text, "ready a=ok b=ok c=lost s=lost gone ready");
}

static void works_again_on_the_second_connection(void **state)
{
    struct fake fake = {.answers = {0, 9, 9}};
    struct diary d = {.stop_at = "s=ok", .work_again = true};

    (void)state;
    fake_start(&fake);
    run_diary(fake.conninfo, &d, 0, on_ready_three);
    fake_stop(&fake);
    /* The names prepared on the first connection mean nothing on the second. */
    assert_string_equal(d.text, "ready a=lost b=lost c=lost s=lost gone ready a=ok b=ok c=ok s=ok");
}

static void silence_ends_at_the_deadline(void **state)
{
    struct fake fake = {.answers = {-1, 9, 9}};
    struct diary d = {.stop_at = "gone ready"};
    uint64_t from = uv_hrtime();

    (void)state;
    fake_start(&fake);
    run_diary(fake.conninfo, &d, 300, on_ready_three);
    fake_stop(&fake);
    assert_string_equal(d.text, "ready a=lost b=lost c=lost s=lost gone ready");
    assert_in_range((uv_hrtime() - from) / 1000000, 290, 5000);
}

/* Three statements, whose answers lie in the socket before the loop looks at it again. */
static void run_late(struct fake *fake, struct diary *d, int deadline_ms)
{
    sem_t said;

    assert_int_equal(sem_init(&said, 0, 0), 0);
    fake->said = d->wait_for = &said;
    fake_start(fake);
    run_diary(fake->conninfo, d, deadline_ms, on_ready_three);
    fake_stop(fake);
    sem_destroy(&said);
}

/* The server's end of the socket is gone, with an error, before its answers are read: they were given. */
static void answers_before_a_reset_count(void **state)
{
    struct fake fake = {.answers = {2, 9, 9}, .abrupt = true};
    struct diary d = {.stop_at = "gone ready"};

    (void)state;
    run_late(&fake, &d, 0);
    assert_string_equal(d.text, "ready a=ok b=ok c=lost s=lost gone ready");
    assert_null(strstr(d.why, "descriptor")); /* as libuv calls each error of a socket */
}

/* Where the whole process stood still longer than the deadline the answers lie in the socket. */
static void answers_within_a_standstill_count(void **state)
{
    struct fake fake = {.answers = {9, 9, 9}};
    struct diary d = {.stop_at = "s=", .sleep_us = 400000};

    (void)state;
    run_late(&fake, &d, 300);
    assert_string_equal(d.text, "ready a=ok b=ok c=ok s=ok");
}

static void free_in_ready(struct baod_pg *pg, void *user)
{
    struct diary *d = user;

    entries[0] = (struct entry){d, "a"};
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, on_entry, &entries[0]), 0);
    assert_int_equal(baod_pg_sync(pg, NULL, NULL), 0);
    assert_null(baod_pg_free(pg));
    note(d, "freed");
}

static void may_be_freed_in_a_callback(void **state)
{
    struct fake fake = {.answers = {9, 9, 9}};
    struct diary d = {.text = ""};
    uv_loop_t loop;
    struct baod_pg *pg = NULL;
    struct baod_pg_options options = {.conninfo = fake.conninfo, .ready = free_in_ready, .user = &d};

    (void)state;
    fake_start(&fake);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(baod_pg_new(&loop, &options, &pg), 0);
    baod_pg_open(pg);
    uv_run(&loop, UV_RUN_DEFAULT); /* ends by itself: nothing is left open */
    assert_int_equal(uv_loop_close(&loop), 0);
    fake_stop(&fake);
    assert_string_equal(d.text, "a=lost freed");
}

static void nobody_there(void **state)
{
    struct diary d = {.stop_at = "gone gone gone"};

    (void)state;
    run_diary("host=/nonexistent-baocao user=x", &d, 0, on_ready_three);
    assert_string_equal(d.text, "gone gone gone");
}

static void bad_conninfo(void **state)
{
    struct baod_pg_call_options options = {.conninfo = "this is no conninfo"};
    struct bao_buf why = BAO_BUF_NULL(1024);
    struct baod_pg_call *call = NULL;

    (void)state;
    assert_int_equal(baod_pg_call_open(&options, &why, &call), BAOD_PG_CALL_E_CONNECT);
    assert_true(bao_buf_len(&why) > 0);
    bao_buf_deinit(&why);
}

/* ------------------------------------------------------------------ a real server */

static const char *real(void)
{
    const char *conninfo = getenv("BAOCAO_TEST_PG");

    if (conninfo == NULL)
        skip();
    return conninfo;
}

static struct baod_pg_call *call_open(void)
{
    struct baod_pg_call_options options = {.conninfo = real()};
    struct bao_buf why = BAO_BUF_NULL(1024);
    struct baod_pg_call *call = NULL;
    int r = baod_pg_call_open(&options, &why, &call);

    if (r != 0)
        fail_msg("%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    return call;
}

static void values_go_round(void **state)
{
    static const struct baod_pg_statement echo = {
        "echo",
        "SELECT $1::int8, $2::text, $3::bytea, $4::timestamptz, $5::date, $6::int8[], $7::text[],"
        " $8::uuid, $9::bool, $10::timestamptz, $11::int4[], $12::timestamptz[], $4 = "
        "'2026-11-01T00:59:58.113Z',"
        " $5 = '2026-09-14', $6 = '{1,NULL,-5}', $7[2] IS NULL, $13::bytea[] = '{\"\\\\x00ff\",NULL}',"
        " $14::uuid[], $15::date[] = '{2026-09-14,NULL}', $16::bool[] = '{t,f}', $17::int2[] = '{7,-7}'",
    };
    struct baod_pg_call *call = call_open();
    struct bao_arena a;
    const int64_t eights[] = {1, 0, -5};
    const bool null[] = {false, true, false};
    const int32_t fours[] = {7, -8};
    const int16_t twos[] = {7, -7};
    const bool bools[] = {true, false};
    const struct bao_str texts[] = {BAO_STR("Đắk Lắk"), BAO_STR_NULL, BAO_STR("")};
    const struct bao_str bytes[] = {{"\0\377", 2}, BAO_STR_NULL};
    const bao_time at =
        bao_time_make(bao_date_make(2026, 11, 1), 7 * 3600 + 59 * 60 + 58, BAO_VN_OFFSET) + 113000;
    const bao_date day = bao_date_make(2026, 9, 14);
    const bao_time times[] = {at, BAO_TIME_NONE};
    const bao_date days[] = {day, BAO_DATE_NONE};
    const uint8_t id[1][16] = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    const struct baod_pg_result *res = NULL;
    struct baod_pg_ints ints;
    struct bao_str *strs;
    size_t n;

    (void)state;
    bao_arena_init(&a, 1 << 20);
    const struct baod_pg_param params[] = {
        baod_pg_p_int8(&a, INT64_MIN + 5),
        baod_pg_p_text(texts[0]),
        baod_pg_p_bytea(bytes[0]),
        baod_pg_p_time(&a, at),
        baod_pg_p_date(&a, day),
        baod_pg_p_int8s(&a, eights, null, 3),
        baod_pg_p_texts(&a, texts, 3),
        baod_pg_p_uuid(id[0]),
        baod_pg_p_bool(&a, true),
        baod_pg_p_time(&a, BAO_TIME_NONE),
        baod_pg_p_int4s(&a, fours, NULL, 2),
        baod_pg_p_times(&a, times, 2),
        baod_pg_p_byteas(&a, bytes, 2),
        baod_pg_p_uuids(&a, id, 1),
        baod_pg_p_dates(&a, days, 2),
        baod_pg_p_bools(&a, bools, 2),
        baod_pg_p_int2s(&a, twos, NULL, 2),
    };
    for (int round = 0; round < 2; round++) { /* the second time it is prepared */
        if (baod_pg_call_exec(call, &echo, params, BAO_COUNT(params), &res) != 0)
            fail_msg("%s", baod_pg_call_error(call));
        assert_int_equal(baod_pg_rows(res), 1);
        assert_int_equal(baod_pg_int(res, 0, 0), INT64_MIN + 5);
        assert_true(bao_str_eq(baod_pg_bytes(res, 0, 1), texts[0]));
        assert_true(bao_str_eq(baod_pg_bytes(res, 0, 2), bytes[0]));
        assert_int_equal(baod_pg_time(res, 0, 3), at);
        assert_int_equal(baod_pg_date(res, 0, 4), day);
        assert_int_equal(baod_pg_ints(res, 0, 5, &a, &ints), 0);
        assert_int_equal(ints.n, 3);
        assert_memory_equal(ints.v, eights, sizeof(eights));
        assert_memory_equal(ints.null, null, sizeof(null));
        assert_int_equal(baod_pg_strs(res, 0, 6, &a, &strs, &n), 0);
        assert_int_equal(n, 3);
        assert_true(bao_str_eq(strs[0], texts[0]) && strs[1].p == NULL && strs[2].p != NULL &&
                    strs[2].n == 0);
        assert_memory_equal(baod_pg_bytes(res, 0, 7).p, id[0], 16);
        assert_int_equal(baod_pg_int(res, 0, 8), 1);
        assert_int_equal(baod_pg_time(res, 0, 9), BAO_TIME_NONE);
        assert_int_equal(baod_pg_ints(res, 0, 10, &a, &ints), 0);
        assert_int_equal(ints.v[1], -8);
        for (size_t i = 12; i <= 16; i++)
            assert_int_equal(baod_pg_int(res, 0, i), 1);
        for (size_t i = 18; i <= 20; i++)
            assert_int_equal(baod_pg_int(res, 0, i), 1);
    }
    bao_arena_deinit(&a);
    baod_pg_call_close(call);
}

static const struct baod_pg_statement DIVIDE = {"divide", "SELECT 1 / $1::int4"};

static void on_ready_errors(struct baod_pg *pg, void *user)
{
    static struct bao_arena a; /* lives as long as the program: parameters are borrowed until answered */
    static struct baod_pg_param zero, one;
    static const char *const names[] = {"z", "skipped", "s1", "fine", "s2"};
    struct diary *d = user;

    if (d->lives++ > 0)
        return;
    bao_arena_init(&a, 4096);
    zero = baod_pg_p_int4(&a, 0);
    one = baod_pg_p_int4(&a, 1);
    for (size_t i = 0; i < 5; i++)
        entries[i] = (struct entry){d, names[i]};
    assert_int_equal(baod_pg_exec(pg, &DIVIDE, &zero, 1, on_entry, &entries[0]), 0);
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, on_entry, &entries[1]), 0);
    assert_int_equal(baod_pg_copy(pg, "COPY x FROM STDIN", BAO_STR_NULL, NULL, NULL), -EINVAL);
    assert_int_equal(baod_pg_sync(pg, on_entry, &entries[2]), 0);
    /* DIVIDE was prepared and then failed; ONE's preparation was skipped: both must work in the next group.
     */
    assert_int_equal(baod_pg_exec(pg, &DIVIDE, &one, 1, NULL, NULL), 0);
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, on_entry, &entries[3]), 0);
    assert_int_equal(baod_pg_sync(pg, on_entry, &entries[4]), 0);
    assert_int_equal(baod_pg_pending(pg), 6);
    baod_pg_drain(pg);
}

static void on_drained(struct baod_pg *pg, const char *why, void *user)
{
    (void)pg;
    note(user, why);
}

static void errors_stay_in_their_group(void **state)
{
    struct diary d = {.text = ""};
    uv_loop_t loop;
    struct baod_pg *pg = NULL;
    struct baod_pg_options options = {
        .conninfo = real(), .ready = on_ready_errors, .lost = on_drained, .user = &d};

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(baod_pg_new(&loop, &options, &pg), 0);
    baod_pg_open(pg);
    uv_run(&loop, UV_RUN_DEFAULT);
    baod_pg_free(pg);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_string_equal(d.text, "z=sql:22012 skipped=aborted s1=ok fine=ok s2=ok drained");
}

static void copies_and_scripts(void **state)
{
    static const struct baod_pg_statement count = {
        "count", "SELECT count(*), coalesce(sum(length(b)), 0), max(a) FROM copied"};
    struct baod_pg_call *call = call_open();
    struct bao_buf data = BAO_BUF_NULL(1 << 28);
    const struct baod_pg_result *res = NULL;
    static char big[3000];

    (void)state;
    memset(big, 'x', sizeof(big));
    assert_int_equal(baod_pg_call_script(call,
                                         "CREATE TEMP TABLE copied (a int4 PRIMARY KEY, b text, c int8[]);"
                                         " INSERT INTO copied VALUES (-1, '', NULL)"),
                     0);
    assert_int_equal(baod_pg_copy_begin(&data), 0);
    for (int i = 0; i < 5000; i++) { /* 15 MB: many turns of the loop */
        const int64_t three[] = {1, i, 3};
        const bool null[] = {false, false, true};

        assert_int_equal(baod_pg_copy_row(&data, 3), 0);
        assert_int_equal(baod_pg_copy_int4(&data, i), 0);
        assert_int_equal(baod_pg_copy_bytes(&data, (struct bao_str){big, sizeof(big)}), 0);
        assert_int_equal(baod_pg_copy_int8s(&data, three, null, 3), 0);
    }
    assert_int_equal(baod_pg_copy_end(&data), 0);
    if (baod_pg_call_copy(call, "COPY copied FROM STDIN (FORMAT binary)", bao_buf_str(&data)) != 0)
        fail_msg("%s", baod_pg_call_error(call));
    assert_int_equal(baod_pg_call_exec(call, &count, NULL, 0, &res), 0);
    assert_int_equal(baod_pg_int(res, 0, 0), 5001);
    assert_int_equal(baod_pg_int(res, 0, 1), 5000 * (int64_t)sizeof(big));
    assert_int_equal(baod_pg_int(res, 0, 2), 4999);
    /* The same again breaks the key in the middle of the data; the connection goes on. */
    assert_int_equal(baod_pg_call_copy(call, "COPY copied FROM STDIN (FORMAT binary)", bao_buf_str(&data)),
                     BAOD_PG_SQL);
    assert_memory_equal(baod_pg_call_error(call), "23505", 5);
    /* A copy into nothing is refused before any data. */
    assert_int_equal(baod_pg_call_copy(call, "COPY nowhere FROM STDIN (FORMAT binary)", bao_buf_str(&data)),
                     BAOD_PG_SQL);
    assert_int_equal(baod_pg_call_script(call, "SELECT 1; SELECT 1 / 0; SELECT 2"), BAOD_PG_SQL);
    assert_memory_equal(baod_pg_call_error(call), "22012", 5);
    assert_int_equal(baod_pg_call_exec(call, &count, NULL, 0, &res), 0);
    assert_int_equal(baod_pg_int(res, 0, 0), 5001);
    bao_buf_deinit(&data);
    baod_pg_call_close(call);
}

static const struct baod_pg_statement SUICIDE = {NULL, "SELECT pg_terminate_backend(pg_backend_pid())"};

static void on_ready_kill(struct baod_pg *pg, void *user)
{
    static const char *const names[] = {"a", "kill", "b", "s"};
    struct diary *d = user;

    note(d, "ready");
    if (d->lives++ > 0)
        return;
    for (size_t i = 0; i < 4; i++)
        entries[i] = (struct entry){d, names[i]};
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, on_entry, &entries[0]), 0);
    assert_int_equal(baod_pg_exec(pg, &SUICIDE, NULL, 0, on_entry, &entries[1]), 0);
    assert_int_equal(baod_pg_exec(pg, &ONE, NULL, 0, on_entry, &entries[2]), 0);
    assert_int_equal(baod_pg_sync(pg, on_entry, &entries[3]), 0);
}

static void backend_killed_in_the_pipeline(void **state)
{
    struct diary d = {.stop_at = "gone ready"};

    (void)state;
    run_diary(real(), &d, 0, on_ready_kill);
    assert_string_equal(d.text, "ready a=ok kill=lost b=lost s=lost gone ready");
}

static void migrations_apply_once(void **state)
{
    struct bao_buf why = BAO_BUF_NULL(4096);
    struct baod_pg_call *call = call_open();
    const struct baod_pg_statement newer = {
        NULL,
        "INSERT INTO baocao.migration SELECT 9000 + n, 'later', '', now() FROM generate_series(1, 99) n"};
    int applied = -1;

    (void)state;
    assert_int_equal(baod_pg_call_script(
                         call, "DROP SCHEMA IF EXISTS office CASCADE; DROP SCHEMA IF EXISTS baocao CASCADE"),
                     0);
    if (baod_migrate(real(), 66, 0, &why, &applied) != 0)
        fail_msg("%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    assert_true(applied > 0);
    assert_int_equal(baod_migrate(real(), 66, 0, &why, &applied), 0);
    assert_int_equal(applied, 0);
    assert_int_equal(baod_pg_call_script(call, "UPDATE baocao.migration SET sha256 = '' WHERE version = 1"),
                     0);
    assert_int_equal(baod_migrate(real(), 66, 0, &why, &applied), BAOD_MIGRATE_E_CHANGED);
    assert_int_equal(baod_pg_call_exec(call, &newer, NULL, 0, NULL), 0);
    assert_int_equal(baod_migrate(real(), 66, 0, &why, &applied), BAOD_MIGRATE_E_NEWER);
    assert_int_equal(
        baod_pg_call_script(call, "DROP SCHEMA IF EXISTS office CASCADE; DROP SCHEMA baocao CASCADE"), 0);
    bao_buf_deinit(&why);
    baod_pg_call_close(call);
}

static void province_keys(void **state)
{
    (void)state;
    assert_int_equal(baod_province_key(BAO_STR("66")), 66);
    assert_int_equal(baod_province_key(BAO_STR("0")), 0);
    assert_true(baod_province_key(BAO_STR("x-66")) < 0);
    assert_true(baod_province_key(BAO_STR("6666666666")) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_in_order_then_reconnects),
        cmocka_unit_test(works_again_on_the_second_connection),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(answers_before_a_reset_count),
        cmocka_unit_test(answers_within_a_standstill_count),
        cmocka_unit_test(may_be_freed_in_a_callback),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(bad_conninfo),
        cmocka_unit_test(province_keys),
        cmocka_unit_test(values_go_round),
        cmocka_unit_test(errors_stay_in_their_group),
        cmocka_unit_test(copies_and_scripts),
        cmocka_unit_test(backend_killed_in_the_pipeline),
        cmocka_unit_test(migrations_apply_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
