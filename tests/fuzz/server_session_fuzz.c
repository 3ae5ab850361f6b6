/* The server's machine: any octets in pieces; the first octets choose when HELLO, reservations and answers
 * are granted. Whatever it writes must be sound frames, and its counts must come out even. */
#include "lib/wire/server_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct bao_server_session s;
    struct bao_frame_decoder answers;
    int64_t now;
    uint32_t open[4];
    size_t n_open;
};

static void read_answers(struct run *run)
{
    struct bao_str out = bao_buf_str(&run->s.out);
    struct bao_head head;
    int got;

    do {
        got = bao_frame_feed(&run->answers, &out);
        bao_require(got != BAO_FRAME_BROKEN);
        if (got == BAO_FRAME_HEAD) {
            bao_require(bao_head_parse(&head, bao_frame_line(&run->answers)) == BAO_SYM_NONE);
            bao_frame_keep(&run->answers, head.len);
        }
    } while (got != BAO_FRAME_MORE);
    bao_buf_clear(&run->s.out);
}

/* What the daemon would do, as the control octet says. */
static void act(struct run *run, const struct bao_server_event *event, uint8_t control)
{
    int r = 0;

    if (event->kind == BAO_SERVER_HELLO && (control & 1) == 0)
        r = bao_server_greet(&run->s, BAO_STR("fuzz"), BAO_STR_NULL, run->now);
    else if (event->kind == BAO_SERVER_HELLO)
        r = bao_server_refuse(&run->s, BAO_SYM_AUTH, BAO_STR_NULL, run->now);
    if (event->kind == BAO_SERVER_RESERVE && (control & 2) == 0)
        bao_server_grant(&run->s, run->now);
    if (event->kind == BAO_SERVER_REPORT || event->kind == BAO_SERVER_STAT || event->kind == BAO_SERVER_DUE) {
        if ((control & 4) == 0)
            r = bao_server_ok(&run->s, event->txn, BAO_STR_NULL, event->body, run->now);
        else
            run->open[run->n_open++] = event->txn;
    }
    bao_require(r == 0);
}

/* Between pieces: late grants and answers, time, leaving. */
static void between(struct run *run, uint8_t control)
{
    int r = 0;

    run->now += control * INT64_C(100000);
    bao_server_grant(&run->s, run->now);
    if ((control & 8) != 0 && run->n_open != 0)
        r = bao_server_no(&run->s, run->open[--run->n_open], BAO_SYM_INVALID, 0, BAO_STR_NULL, run->now);
    if (r == 0 && control == 0xff)
        r = bao_server_drain(&run->s, 1000);
    bao_require(r == 0);
    (void)bao_server_expire(&run->s, run->now); /* ended or not is seen below */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bao_server_limits limits = {
        .items = 4,
        .bytes = 4096,
        .maxbody = 512,
        .maxraw = 2048,
        .idle_s = 180,
    };
    struct run run = {.now = 0};
    struct bao_server_event event;

    bao_server_init(&run.s, &limits, run.now);
    bao_frame_decoder_init(&run.answers);
    for (size_t at = 8; at < size && run.s.state != BAO_SERVER_ENDED;) {
        uint8_t control = data[at % 8];
        struct bao_str in = {(const char *)data + at, (size_t)(control & 0x7f) + 1};

        in.n = in.n < size - at ? in.n : size - at;
        at += in.n;
        do {
            bao_require(bao_server_feed(&run.s, &in, run.now, &event) == 0);
            act(&run, &event, control);
        } while (event.kind != BAO_SERVER_NONE && event.kind != BAO_SERVER_HOLD &&
                 event.kind != BAO_SERVER_CLOSE);
        if (event.kind == BAO_SERVER_HOLD)
            at -= in.n; /* come again when granted */
        if (run.s.state == BAO_SERVER_GREETING)
            break;
        between(&run, control);
        bao_require(run.s.n_open == run.n_open || run.s.state == BAO_SERVER_ENDED);
        read_answers(&run);
    }
    bao_server_trim(&run.s);
    bao_frame_decoder_deinit(&run.answers);
    bao_server_deinit(&run.s);
    return 0;
}
