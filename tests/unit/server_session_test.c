/* The server's protocol machine: transcripts split at every position, windows, limits of time, leaving. */
#include "lib/wire/server_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define SHA "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO "HELLO 1 0 v=1 agent=t lang=en\n\n"
#define GREET "OK 1 0 v=1 server=t items=3 bytes=4096 maxbody=100 maxraw=400 idle=180\n"

static const struct bao_server_limits limits = {
    .items = 3,
    .bytes = 4096,
    .maxbody = 100,
    .maxraw = 400,
    .idle_s = 180,
    .needs_hash = true,
};

/* A server that answers at once; what it writes is kept as the heads of its frames, a line each. */
struct kit {
    struct bao_server_session s;
    struct bao_frame_decoder answers;
    struct bao_buf heads;
    int64_t now;
    bool hold;   /* neither greet nor grant nor answer */
    bool refuse; /* HELLO is not believed */
    bool closed;
    uint64_t asked;      /* octets of the last reservation */
    struct bao_str body; /* of the last report, compared by the caller */
    char kept[128];
};

static void kit_init(struct kit *kit)
{
    *kit = (struct kit){.now = 1000 * SECOND, .heads = BAO_BUF_NULL(1 << 16)};
    bao_server_init(&kit->s, &limits, kit->now);
    bao_frame_decoder_init(&kit->answers);
}

static void kit_deinit(struct kit *kit)
{
    bao_server_deinit(&kit->s);
    bao_frame_decoder_deinit(&kit->answers);
    bao_buf_deinit(&kit->heads);
}

/* Reads what the session wrote. */
static void take_out(struct kit *kit)
{
    struct bao_str out = bao_buf_str(&kit->s.out);
    struct bao_head head;

    for (;;) {
        int got = bao_frame_feed(&kit->answers, &out);

        if (got == BAO_FRAME_MORE)
            break;
        if (got == BAO_FRAME_HEAD) {
            assert_int_equal(bao_head_parse(&head, bao_frame_line(&kit->answers)), BAO_SYM_NONE);
            bao_frame_keep(&kit->answers, head.len);
            continue;
        }
        assert_int_equal(got, BAO_FRAME_BODY);
        assert_int_equal(bao_buf_printf(&kit->heads, "%.*s\n", BAO_STR_ARG(bao_frame_line(&kit->answers))),
                         0);
    }
    bao_buf_clear(&kit->s.out);
}

static void act(struct kit *kit, const struct bao_server_event *event)
{
    int r = 0;

    switch (event->kind) {
    case BAO_SERVER_HELLO:
        if (kit->refuse)
            r = bao_server_refuse(&kit->s, BAO_SYM_AUTH, BAO_STR_NULL, kit->now);
        else if (!kit->hold)
            r = bao_server_greet(&kit->s, BAO_STR("t"), BAO_STR_NULL, kit->now);
        break;
    case BAO_SERVER_RESERVE:
        kit->asked = event->reserve;
        if (!kit->hold)
            bao_server_grant(&kit->s, kit->now);
        break;
    case BAO_SERVER_REPORT:
        assert_true(event->body.n < sizeof(kit->kept));
        if (event->body.n != 0)
            memcpy(kit->kept, event->body.p, event->body.n);
        kit->body = (struct bao_str){kit->kept, event->body.n};
        if (!kit->hold)
            r = bao_server_ok(&kit->s, event->txn, BAO_STR(" state=committed"), event->body, kit->now);
        break;
    case BAO_SERVER_STAT:
        r = kit->hold ? 0 : bao_server_no(&kit->s, event->txn, BAO_SYM_UNKNOWN, 0, BAO_STR_NULL, kit->now);
        break;
    case BAO_SERVER_DUE:
        r = kit->hold ? 0 : bao_server_ok(&kit->s, event->txn, BAO_STR_NULL, BAO_STR("{}\n"), kit->now);
        break;
    case BAO_SERVER_CLOSE:
        kit->closed = true;
        break;
    default:
        break;
    }
    assert_int_equal(r, 0);
}

/* Feeds a piece in memory of its own; gives how many octets were left when it had to hold. */
static size_t feed(struct kit *kit, const char *p, size_t n)
{
    char *copy = malloc(n == 0 ? 1 : n);
    struct bao_str in = {copy, n};
    struct bao_server_event event;

    assert_non_null(copy);
    memcpy(copy, p, n);
    do {
        assert_int_equal(bao_server_feed(&kit->s, &in, kit->now, &event), 0);
        act(kit, &event);
    } while (event.kind != BAO_SERVER_NONE && event.kind != BAO_SERVER_HOLD &&
             event.kind != BAO_SERVER_CLOSE);
    take_out(kit);
    free(copy);
    return in.n;
}

static size_t say(struct kit *kit, const char *text)
{
    return feed(kit, text, strlen(text));
}

static const char *heads(struct kit *kit)
{
    assert_int_equal(bao_buf_append(&kit->heads, "", 1), 0);
    kit->heads.end--;
    return bao_buf_data(&kit->heads);
}

static const struct {
    const char *in, *heads;
    bool closed;
} transcripts[] = {
    {HELLO "PING 2 0\n\nQUIT 3 0\n\n", GREET "OK 2 0\nOK 3 0\n", true},
    {"HELLO 1 0 v=1 agent=t lang=en\r\n\nPING 7 0\r\n\n", GREET "OK 7 0\n", false},
    {HELLO "REPORT 2 5 " SHA "\nhello\nREPORT 3 0 " SHA "\n\n",
     GREET "OK 2 5 state=committed\nOK 3 0 state=committed\n", false},
    {HELLO "REPORT 2 5 enc=deflate raw=9 " SHA "\nhello\n", GREET "OK 2 5 state=committed\n", false},
    {HELLO
     "STAT 2 0 form=f unit=u period=p rev=2\n\nSTAT 3 0 receipt=0190f3a0-1111-7222-8333-444455556666\n\n",
     GREET "NO 2 48 code=UNKNOWN\nNO 3 48 code=UNKNOWN\n", false},
    {HELLO "DUE 2 0 unit=24133\n\n", GREET "OK 2 3\n", false},
    /* refused, in step */
    {HELLO "FROB 2 3\nabc\nPING 3 0\n\n", GREET "NO 2 39 code=VERB\nOK 3 0\n", false},
    {HELLO "PING 2 0 !deep=1\n\nPING 3 0 deep=1\n\n", GREET "NO 2 59 code=MUST key=deep\nOK 3 0\n", false},
    {HELLO "REPORT 2 2 !enc=deflate !raw=9 !" SHA "\nab\n", GREET "OK 2 2 state=committed\n", false},
    {HELLO "REPORT 2 2 enc=gzip raw=9 " SHA "\nab\nPING 3 0\n\n", GREET "NO 2 38 code=HEAD key=enc\nOK 3 0\n", false},
    {HELLO "REPORT 2 2 enc=deflate " SHA "\nab\n", GREET "NO 2 38 code=HEAD key=raw\n", false},
    {HELLO "REPORT 2 2 sha256=abc\nab\n", GREET "NO 2 38 code=HEAD key=sha256\n", false},
    {HELLO "REPORT 2 2\nab\n", GREET "NO 2 38 code=HEAD key=sha256\n", false},
    {HELLO "REPORT 2 2 enc=deflate raw=401 " SHA "\nab\nPING 3 0\n\n", GREET "NO 2 51 code=TOOBIG\nOK 3 0\n",
     false},
    {HELLO "STAT 2 0 form=f unit=u\n\n", GREET "NO 2 38 code=HEAD key=period\n", false},
    {HELLO "STAT 2 0 receipt=0190f3a0\n\n", GREET "NO 2 38 code=HEAD key=receipt\n", false},
    {HELLO "STAT 2 0 form=f unit=u period=p rev=0\n\n", GREET "NO 2 38 code=HEAD key=rev\n", false},
    {HELLO "DUE 2 0\n\n", GREET "NO 2 38 code=HEAD key=unit\n", false},
    {HELLO "DUE 2 0 unit=u until=2026-02-30\n\n", GREET "NO 2 38 code=HEAD key=until\n", false},
    {HELLO "PING 2 1\nx\nPING 3 0\n\n", GREET "NO 2 38 code=HEAD\nOK 3 0\n", false},
    {HELLO "HELLO 2 0 v=1\n\n", GREET "NO 2 38 code=HEAD\n", false},
    /* the frame is lost */
    {HELLO "PING 1 0\n\n", GREET "NO 0 55 code=FRAME\n", true},
    {HELLO "PING 3 0\n\nPING 2 0\n\n", GREET "OK 3 0\nNO 0 55 code=FRAME\n", true},
    {HELLO "PING 0 0\n\n", GREET "NO 0 55 code=FRAME\n", true},
    {HELLO "REPORT 2 2 " SHA "\nabc\n", GREET "NO 0 55 code=FRAME\n", true},
    {HELLO "PING 2 0\nPING 3 0\n\n", GREET "NO 0 55 code=FRAME\n", true},
    {"GET / HTTP/1.1\r\n", "NO 0 55 code=FRAME\n", true},
    {HELLO "REPORT 2 401 " SHA "\n", GREET "NO 2 51 code=TOOBIG\n", true},
    /* before HELLO */
    {"PING 1 0\n\nREPORT 2 2\nab\nFROB 3 0\n\nPING 4 0\n\n",
     "NO 1 0 code=AUTH\nNO 2 0 code=AUTH\nNO 3 0 code=AUTH\n", true},
    {"PING 1 0\n\nHELLO 2 0 v=1 lang=en\n\n",
     "NO 1 0 code=AUTH\nOK 2 0 v=1 server=t items=3 bytes=4096 maxbody=100 maxraw=400 idle=180\n", false},
    {"HELLO 1 0 v=0\n\nHELLO 2 0\n\n", "NO 1 0 code=VERSION\nNO 2 0 code=VERSION\n", false},
    {"HELLO 1 0 v=99 agent=t lang=en\n\n", GREET, false},
};

/* Are the lines alike when lengths of bodies with sentences are left out? */
static bool same_heads(const char *got, const char *want)
{
    while (*got != '\0' && *want != '\0') {
        bool sentence = strncmp(want, "NO ", 3) == 0;

        if (sentence) { /* "NO txn LEN rest": the sentence's length is the catalogue's business */
            size_t a = strcspn(got + 3, " "), b = strcspn(want + 3, " ");

            if (strncmp(got, "NO ", 3) != 0 || a != b || memcmp(got + 3, want + 3, a) != 0)
                return false;
            got += 3 + a + 1;
            want += 3 + b + 1;
            got += strcspn(got, " ");
            want += strcspn(want, " ");
        }
        while (*got == *want && *got != '\n' && *got != '\0') {
            got++;
            want++;
        }
        if (*got != '\n' || *want != '\n')
            return false;
        got++;
        want++;
    }
    return *got == *want;
}

static void transcripts_split_anywhere_mean_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAO_COUNT(transcripts); i++) {
        size_t n = strlen(transcripts[i].in);

        for (size_t at = 0; at <= n; at++) {
            struct kit kit;

            kit_init(&kit);
            assert_int_equal(feed(&kit, transcripts[i].in, at), 0);
            assert_int_equal(feed(&kit, transcripts[i].in + at, n - at), 0);
            if (!same_heads(heads(&kit), transcripts[i].heads))
                fail_msg("transcript %zu at %zu:\n%s", i, at, heads(&kit));
            (void)feed(&kit, "", 0);
            assert_int_equal(kit.closed, transcripts[i].closed);
            kit_deinit(&kit);
        }
    }
}

static void octet_by_octet_is_the_same_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAO_COUNT(transcripts); i++) {
        struct kit kit;

        kit_init(&kit);
        for (const char *p = transcripts[i].in; *p != '\0'; p++)
            assert_int_equal(feed(&kit, p, 1), 0);
        assert_true(same_heads(heads(&kit), transcripts[i].heads));
        kit_deinit(&kit);
    }
}

static void nothing_is_read_before_hello_is_answered(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    kit.hold = true;
    assert_int_equal(say(&kit, HELLO "PING 2 0\n\n"), 10);
    assert_string_equal(heads(&kit), "");
    kit.now += 3600 * SECOND; /* the server's own time is not the client's fault */
    assert_false(bao_server_expire(&kit.s, kit.now));
    assert_int_equal(bao_server_greet(&kit.s, BAO_STR("t"), BAO_STR_NULL, kit.now), 0);
    assert_int_equal(say(&kit, "PING 2 0\n\n"), 0);
    assert_string_equal(heads(&kit), GREET "OK 2 0\n");
    kit_deinit(&kit);
}

static void nothing_of_a_body_is_read_before_its_reservation(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    kit.hold = true;
    assert_int_equal(say(&kit, "REPORT 2 5 enc=deflate raw=50 " SHA "\nhello\n"), 6);
    assert_int_equal(kit.asked, 55);
    assert_int_equal(kit.s.reserved, 0);
    assert_int_equal(say(&kit, "hello\n"), 6);
    kit.now += 3600 * SECOND;
    assert_false(bao_server_expire(&kit.s, kit.now));
    bao_server_grant(&kit.s, kit.now);
    assert_int_equal(kit.s.reserved, 55);
    assert_int_equal(say(&kit, "hello\n"), 0);
    assert_true(bao_str_is(kit.body, "hello"));
    assert_int_equal(kit.s.reserved, 55);
    assert_int_equal(bao_server_ok(&kit.s, 2, BAO_STR_NULL, BAO_STR_NULL, kit.now), 0);
    assert_int_equal(kit.s.reserved, 0);
    kit_deinit(&kit);
}

static void answers_come_in_any_order_and_once(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    kit.hold = true;
    for (int i = 2; i <= 4; i++) {
        char text[128];

        (void)snprintf(text, sizeof(text), "REPORT %d 1 " SHA "\n", i);
        say(&kit, text);
        bao_server_grant(&kit.s, kit.now);
        say(&kit, "x\n");
    }
    assert_false(bao_server_quiet(&kit.s));
    assert_int_equal(bao_server_ok(&kit.s, 3, BAO_STR_NULL, BAO_STR_NULL, kit.now), 0);
    assert_int_equal(bao_server_ok(&kit.s, 3, BAO_STR_NULL, BAO_STR_NULL, kit.now), 0);
    assert_int_equal(bao_server_ok(&kit.s, 77, BAO_STR_NULL, BAO_STR_NULL, kit.now), 0);
    assert_int_equal(bao_server_no(&kit.s, 2, BAO_SYM_INVALID, 0, BAO_STR("1:1\tBC2001\tx\ty\n"), kit.now),
                     0);
    assert_int_equal(bao_server_no(&kit.s, 4, BAO_SYM_BUSY, 2000, BAO_STR("?"), kit.now), 0);
    assert_true(bao_server_quiet(&kit.s));
    take_out(&kit);
    assert_non_null(strstr(heads(&kit), "OK 3 0\nNO 2 15 code=INVALID\nWAIT 4 1 code=BUSY after="));
    assert_null(strstr(heads(&kit), "77"));
    kit_deinit(&kit);
}

static void after_is_spread_by_half(void **state)
{
    int low = 0, high = 0;
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    kit.hold = true;
    for (int i = 2; i < 202; i++) {
        char text[64];
        const char *after;
        int ms;

        (void)snprintf(text, sizeof(text), "STAT %d 0 form=f unit=u period=p\n\n", i);
        say(&kit, text);
        bao_buf_clear(&kit.heads);
        assert_int_equal(bao_server_no(&kit.s, (uint32_t)i, BAO_SYM_BUSY, 1000, BAO_STR("?"), kit.now), 0);
        take_out(&kit);
        after = strstr(heads(&kit), "after=");
        assert_non_null(after);
        ms = (int)strtol(after + 6, NULL, 10);
        assert_true(ms >= 500 && ms <= 1500);
        low += ms < 750;
        high += ms > 1250;
    }
    assert_true(low > 20 && high > 20);
    kit_deinit(&kit);
}

static void one_more_than_the_window_breaks(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    kit.hold = true;
    say(&kit, "STAT 2 0 form=f unit=u period=p\n\nSTAT 3 0 form=f unit=u period=p\n\nSTAT 4 0 form=f unit=u "
              "period=p\n\n");
    assert_false(kit.closed);
    say(&kit, "PING 5 0\n\n"); /* costs nothing, waits for nothing */
    assert_false(kit.closed);
    say(&kit, "DUE 6 0 unit=u\n\n");
    assert_true(kit.closed);
    assert_true(same_heads(heads(&kit), GREET "OK 5 0\nNO 0 1 code=FRAME\n"));
    kit_deinit(&kit);
}

static void three_refused_hellos_end_it(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    kit.refuse = true;
    say(&kit, "HELLO 1 0 v=1 token=a\n\nHELLO 2 0 v=1 token=b\n\n");
    assert_false(kit.closed);
    say(&kit, "HELLO 3 0 v=1 token=c\n\nPING 4 0\n\n");
    assert_true(kit.closed);
    assert_true(same_heads(heads(&kit), "NO 1 1 code=AUTH\nNO 2 1 code=AUTH\nNO 3 1 code=AUTH\n"));
    kit_deinit(&kit);
}

/* What is fed (with `hold` behind a HELLO), and after how many seconds without another octet the session ends
 * with which word. */
static const struct {
    const char *in;
    bool hold;
    int alive, dead; /* seconds; dead 0: never */
    const char *last;
} times[] = {
    {"", false, 9, 10, "BYE 0 0 code=TIME\n"},
    {"HEL", false, 9, 10, "BYE 0 0 code=TIME\n"},
    {"PING 1 0\n\n", false, 9, 10, "BYE 0 0 code=TIME\n"},
    {HELLO, false, 179, 180, "BYE 0 0 code=IDLE\n"},
    {HELLO "PING 2 0\n\n", false, 179, 180, "BYE 0 0 code=IDLE\n"},
    {HELLO "P", false, 9, 10, "BYE 0 0 code=TIME\n"},
    {HELLO "REPORT 2 50 " SHA "\n", false, 29, 30, "BYE 0 0 code=TIME\n"},
    {HELLO "FROB 2 50\nab", false, 9, 10, "BYE 0 0 code=TIME\n"},
    {"STAT 2 0 form=f unit=u period=p\n\n", true, 100000, 0, ""},
};

static void limits_of_time_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAO_COUNT(times); i++) {
        struct kit kit;
        int64_t start;
        size_t n;

        kit_init(&kit);
        start = kit.now;
        if (times[i].hold) {
            say(&kit, HELLO);
            kit.hold = true;
        }
        say(&kit, times[i].in);
        assert_false(bao_server_expire(&kit.s, start + times[i].alive * SECOND));
        if (times[i].dead != 0) {
            n = bao_buf_len(&kit.heads);
            bao_server_pause(&kit.s, start + SECOND); /* the server looks away: the limit stands still */
            assert_false(bao_server_expire(&kit.s, start + 1000 * SECOND));
            bao_server_resume(&kit.s, start + 1001 * SECOND);
            assert_false(bao_server_expire(&kit.s, start + (1000 + times[i].alive) * SECOND));
            assert_true(bao_server_expire(&kit.s, start + (1000 + times[i].dead) * SECOND));
            take_out(&kit);
            assert_string_equal(heads(&kit) + n, times[i].last);
            assert_int_equal(kit.s.state, BAO_SERVER_ENDED);
        }
        kit_deinit(&kit);
    }
}

static void a_dripping_head_ends_ten_seconds_after_its_first_octet(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    for (int i = 0; i < 10; i++) {
        say(&kit, "A");
        assert_false(bao_server_expire(&kit.s, kit.now));
        kit.now += SECOND;
    }
    assert_true(bao_server_expire(&kit.s, kit.now));
    kit_deinit(&kit);
}

static void a_large_body_gets_time_by_its_size(void **state)
{
    struct bao_server_limits wide = limits;
    struct kit kit;

    (void)state;
    kit_init(&kit);
    wide.maxbody = wide.maxraw = 1 << 20;
    bao_server_deinit(&kit.s);
    bao_server_init(&kit.s, &wide, kit.now);
    say(&kit, HELLO "REPORT 2 102400 " SHA "\n");
    assert_false(bao_server_expire(&kit.s, kit.now + 129 * SECOND));
    assert_true(bao_server_expire(&kit.s, kit.now + 130 * SECOND));
    kit_deinit(&kit);
}

static void leaving_finishes_what_was_read(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    kit.hold = true;
    say(&kit, "REPORT 2 3 " SHA "\n");
    bao_server_grant(&kit.s, kit.now);
    assert_int_equal(bao_server_drain(&kit.s, 5000), 0);
    say(&kit, "abc\nREPORT 3 3 " SHA "\ndef\nPING 4 0\n\n");
    assert_true(bao_str_is(kit.body, "abc"));
    assert_false(bao_server_quiet(&kit.s));
    assert_int_equal(bao_server_ok(&kit.s, 2, BAO_STR_NULL, BAO_STR_NULL, kit.now), 0);
    assert_true(bao_server_quiet(&kit.s));
    assert_int_equal(bao_server_bye(&kit.s, "DRAINING", "leaving"), 0);
    assert_int_equal(bao_server_bye(&kit.s, "DRAINING", "leaving"), 0);
    take_out(&kit);
    assert_non_null(strstr(heads(&kit), GREET "DRAIN 0 0 within=5000\nWAIT 3 "));
    assert_non_null(strstr(heads(&kit), "code=DRAINING after="));
    assert_non_null(strstr(heads(&kit), "OK 4 0\nOK 2 0\nBYE 0 0 code=DRAINING\n"));
    kit_deinit(&kit);
}

static void quit_waits_for_open_answers(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    say(&kit, HELLO);
    kit.hold = true;
    say(&kit, "STAT 2 0 form=f unit=u period=p\n\nQUIT 3 0\n\nPING 4 0\n\n");
    assert_string_equal(heads(&kit), GREET);
    assert_int_equal(bao_server_ok(&kit.s, 2, BAO_STR_NULL, BAO_STR_NULL, kit.now), 0);
    take_out(&kit);
    assert_string_equal(heads(&kit), GREET "OK 2 0\nOK 3 0\n");
    assert_int_equal(kit.s.state, BAO_SERVER_ENDED);
    kit_deinit(&kit);
}

static void nothing_is_told_to_strangers(void **state)
{
    struct kit kit;

    (void)state;
    kit_init(&kit);
    assert_int_equal(bao_server_tell(&kit.s, "DONE", BAO_STR(" form=f"), BAO_STR_NULL), 0);
    take_out(&kit);
    assert_string_equal(heads(&kit), "");
    say(&kit, HELLO);
    assert_int_equal(bao_server_tell(&kit.s, "DONE", BAO_STR(" form=f"), BAO_STR_NULL), 0);
    take_out(&kit);
    assert_string_equal(heads(&kit), GREET "DONE 0 0 form=f\n");
    bao_server_trim(&kit.s);
    assert_null(kit.s.out.base);
    assert_null(kit.s.open);
    kit_deinit(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transcripts_split_anywhere_mean_the_same),
        cmocka_unit_test(octet_by_octet_is_the_same_too),
        cmocka_unit_test(nothing_is_read_before_hello_is_answered),
        cmocka_unit_test(nothing_of_a_body_is_read_before_its_reservation),
        cmocka_unit_test(answers_come_in_any_order_and_once),
        cmocka_unit_test(after_is_spread_by_half),
        cmocka_unit_test(one_more_than_the_window_breaks),
        cmocka_unit_test(three_refused_hellos_end_it),
        cmocka_unit_test(limits_of_time_hold),
        cmocka_unit_test(a_dripping_head_ends_ten_seconds_after_its_first_octet),
        cmocka_unit_test(a_large_body_gets_time_by_its_size),
        cmocka_unit_test(leaving_finishes_what_was_read),
        cmocka_unit_test(quit_waits_for_open_answers),
        cmocka_unit_test(nothing_is_told_to_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
