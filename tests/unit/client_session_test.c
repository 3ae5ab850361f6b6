/* The client's protocol machine: against written answers, and against the server's machine. */
#include "lib/wire/client_session.h"
#include "lib/wire/server_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define GREET "OK 1 0 v=1 server=t items=2 bytes=100 maxbody=80 maxraw=90 idle=60\n\n"

static const struct bao_client_hello hello = {.agent = {"test 1", 6}, .lang = BAO_EN, .json = true};

static void start(struct bao_client_session *c)
{
    assert_int_equal(bao_client_init(c, &hello), 0);
    bao_buf_clear(&c->out);
}

/* Feeds text whole; gives the first event. */
static void hear(struct bao_client_session *c, const char *text, struct bao_client_event *ret)
{
    struct bao_str in = bao_str_c(text);

    assert_int_equal(bao_client_feed(c, &in, ret), 0);
    assert_int_equal(in.n, 0);
}

static void hello_says_who_and_how(void **state)
{
    struct bao_client_session c;
    struct bao_client_hello with = hello;

    (void)state;
    with.token = BAO_STR("abcd-efgh");
    assert_int_equal(bao_client_init(&c, &with), 0);
    assert_true(bao_str_is(bao_buf_str(&c.out),
                           "HELLO 1 0 v=1 agent=test%201 lang=en format=json token=abcd-efgh\n\n"));
    assert_int_equal(bao_client_ask(&c, "PING", BAO_STR_NULL, 0), BAO_CLIENT_E_STATE);
    bao_client_deinit(&c);
}

static void windows_are_kept(void **state)
{
    struct bao_client_session c;
    struct bao_client_event event;
    struct bao_client_report report = {.body = BAO_STR("0123456789"), .cookie = 7};
    char big[81] = {0};

    (void)state;
    start(&c);
    hear(&c, GREET, &event);
    assert_int_equal(event.kind, BAO_CLIENT_GREETED);
    assert_int_equal(c.limits.idle_s, 60);
    report.deflated = true;
    report.raw = 85;
    assert_int_equal(bao_client_send(&c, &report), 0); /* 95 of 100 octets */
    assert_true(bao_str_is(bao_buf_str(&c.out), "REPORT 2 10 enc=deflate raw=85\n0123456789\n"));
    report.deflated = false;
    assert_int_equal(bao_client_send(&c, &report), BAO_CLIENT_E_WINDOW);
    assert_int_equal(bao_client_ask(&c, "PING", BAO_STR_NULL, 8), 0);
    assert_int_equal(bao_client_ask(&c, "PING", BAO_STR_NULL, 9), BAO_CLIENT_E_WINDOW); /* two items */
    hear(&c, "OK 3 0\n\n", &event);
    assert_int_equal(event.kind, BAO_CLIENT_ANSWER);
    assert_int_equal(event.cookie, 8);
    hear(&c, "WAIT 2 2 code=BUSY after=1500\n..\n", &event);
    assert_int_equal(event.cookie, 7);
    assert_int_equal(event.answer, BAO_WAIT);
    assert_int_equal(event.symbol, BAO_SYM_BUSY);
    assert_int_equal(event.after_ms, 1500);
    assert_true(bao_str_is(event.body, ".."));
    report.body = (struct bao_str){big, sizeof(big)};
    assert_int_equal(bao_client_send(&c, &report), BAO_CLIENT_E_TOOBIG);
    report.body.n = 5;
    report.deflated = true;
    report.raw = 91;
    assert_int_equal(bao_client_send(&c, &report), BAO_CLIENT_E_TOOBIG);
    bao_client_deinit(&c);
}

static const struct {
    const char *in;
    enum bao_client_kind kind;
    enum bao_symbol symbol;
} first_words[] = {
    {"NO 1 3 code=AUTH\nabc\n", BAO_CLIENT_ENDED, BAO_SYM_AUTH},
    {"WAIT 1 0 code=BUSY after=10\n\n", BAO_CLIENT_ENDED, BAO_SYM_BUSY},
    {"BYE 0 0 code=DRAINING\n\n", BAO_CLIENT_ENDED, BAO_SYM_DRAINING},
    {"BYE 0 0 code=IDLE\n\n", BAO_CLIENT_ENDED, BAO_SYM_INTERNAL},
    {"NO 0 0 code=FRAME\n\n", BAO_CLIENT_ENDED, BAO_SYM_FRAME},
    {"OK 1 0 v=1\n\n", BAO_CLIENT_BROKEN, BAO_SYM_FRAME},
    {"OK 5 0\n\n", BAO_CLIENT_BROKEN, BAO_SYM_FRAME},
    {"HTTP/1.1 400 Bad Request\r\n", BAO_CLIENT_BROKEN, BAO_SYM_FRAME},
    {"OK 1 99999999999\n", BAO_CLIENT_BROKEN, BAO_SYM_FRAME},
    {"PING 3 0\n\n", BAO_CLIENT_BROKEN, BAO_SYM_FRAME},
};

static void first_words_of_a_server_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAO_COUNT(first_words); i++) {
        size_t n = strlen(first_words[i].in);

        for (size_t at = 0; at <= n; at++) {
            struct bao_client_session c;
            struct bao_client_event event;
            struct bao_str in = {first_words[i].in, at};

            start(&c);
            memset(&event, 0x5a, sizeof(event)); /* nothing of the caller's is taken for the server's */
            assert_int_equal(bao_client_feed(&c, &in, &event), 0);
            if (event.kind == BAO_CLIENT_NONE) {
                in = (struct bao_str){first_words[i].in + at, n - at};
                assert_int_equal(bao_client_feed(&c, &in, &event), 0);
            }
            assert_int_equal(event.kind, first_words[i].kind);
            assert_int_equal(event.symbol, first_words[i].symbol);
            assert_int_equal(event.body.n, event.symbol == BAO_SYM_AUTH ? 3 : 0);
            assert_int_equal(bao_client_ask(&c, "PING", BAO_STR_NULL, 0), BAO_CLIENT_E_STATE);
            bao_client_deinit(&c);
        }
    }
}

static void what_nobody_asked_for_is_told(void **state)
{
    struct bao_client_session c;
    struct bao_client_event event;

    (void)state;
    start(&c);
    hear(&c, GREET, &event);
    hear(&c, "RETURNED 0 5 form=f unit=u period=p rev=1\nsai s\n", &event);
    assert_int_equal(event.kind, BAO_CLIENT_TOLD);
    assert_true(bao_str_is(event.head.verb, "RETURNED"));
    assert_true(bao_str_is(bao_head_get(&event.head, "rev"), "1"));
    assert_true(bao_str_is(event.body, "sai s"));
    assert_int_equal(bao_client_ask(&c, "PING", BAO_STR_NULL, 0), 0);
    hear(&c, "NO 2 0 code=SOMETHINGNEW\n\n",
         &event); /* a later server: the first word still tells what to do */
    assert_int_equal(event.kind, BAO_CLIENT_ANSWER);
    assert_int_equal(event.answer, BAO_NO);
    assert_int_equal(event.symbol, BAO_SYM_INTERNAL);
    bao_client_deinit(&c);
}

/* Both machines joined by two pipes that carry `step` octets at a time. */
static void talk(size_t step, int reports)
{
    static const struct bao_server_limits limits = {
        .items = 4,
        .bytes = 64,
        .maxbody = 50,
        .maxraw = 50,
        .idle_s = 180,
        .needs_hash = true,
    };
    static const uint8_t sha[32] = {1};
    struct bao_server_session s;
    struct bao_client_session c;
    int sent = 0, done = 0;

    bao_server_init(&s, &limits, 0);
    assert_int_equal(bao_client_init(&c, &hello), 0);
    for (int turn = 0; turn < 100000 && done < reports; turn++) {
        struct bao_str up = bao_buf_str(&c.out), down = bao_buf_str(&s.out);
        struct bao_server_event at_server;
        struct bao_client_event at_client;
        size_t n;

        up.n = n = up.n < step ? up.n : step;
        do {
            assert_int_equal(bao_server_feed(&s, &up, 0, &at_server), 0);
            if (at_server.kind == BAO_SERVER_HELLO)
                assert_int_equal(bao_server_greet(&s, BAO_STR("t"), BAO_STR_NULL, 0), 0);
            if (at_server.kind == BAO_SERVER_RESERVE)
                bao_server_grant(&s, 0);
            if (at_server.kind == BAO_SERVER_REPORT)
                assert_int_equal(bao_server_ok(&s, at_server.txn, BAO_STR_NULL, at_server.body, 0), 0);
        } while (at_server.kind != BAO_SERVER_NONE);
        bao_buf_consume(&c.out, n);
        down = bao_buf_str(&s.out);
        down.n = n = down.n < step ? down.n : step;
        do {
            assert_int_equal(bao_client_feed(&c, &down, &at_client), 0);
            assert_true(at_client.kind != BAO_CLIENT_BROKEN && at_client.kind != BAO_CLIENT_ENDED);
            if (at_client.kind == BAO_CLIENT_ANSWER) {
                char want[16];

                (void)snprintf(want, sizeof(want), "report %d", (int)at_client.cookie);
                assert_true(bao_str_is(at_client.body, want));
                done++;
            }
        } while (at_client.kind != BAO_CLIENT_NONE);
        bao_buf_consume(&s.out, n);
        while (c.greeted && sent < reports) {
            char text[16];
            struct bao_client_report report = {.body = {text, 0}, .sha256 = sha, .cookie = (uint64_t)sent};
            int r;

            report.body.n = (size_t)snprintf(text, sizeof(text), "report %d", sent);
            r = bao_client_send(&c, &report);
            if (r == BAO_CLIENT_E_WINDOW)
                break;
            assert_int_equal(r, 0);
            sent++;
        }
    }
    assert_int_equal(done, reports);
    assert_int_equal(s.state, BAO_SERVER_OPEN); /* the windows were never overrun */
    bao_client_deinit(&c);
    bao_server_deinit(&s);
}

static void both_machines_understand_each_other(void **state)
{
    (void)state;
    talk(1, 20);
    talk(7, 50);
    talk(65536, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_says_who_and_how),
        cmocka_unit_test(windows_are_kept),
        cmocka_unit_test(first_words_of_a_server_are_understood),
        cmocka_unit_test(what_nobody_asked_for_is_told),
        cmocka_unit_test(both_machines_understand_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
