#include "lib/wire/client_session.h"

#include "lib/base/crypto.h"

enum {
    OUT_MAX = 64 * 1024 * 1024,
    BODY_MAX = 16 * 1024 * 1024, /* of an answer; a longer one is no answer of ours */
};

int bao_client_init(struct bao_client_session *c, const struct bao_client_hello *hello)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(BAO_HEAD_MAX * 3);
    int r;

    *c = (struct bao_client_session){.last_txn = 1};
    bao_frame_decoder_init(&c->frames);
    bao_buf_init(&c->out, OUT_MAX);
    r = bao_head_put_number(&keys, "v", 1);
    if (r == 0)
        r = bao_head_put(&keys, "agent", hello->agent);
    if (r == 0)
        r = bao_head_put(&keys, "lang", hello->lang == BAO_EN ? BAO_STR("en") : BAO_STR("vi"));
    if (r == 0 && hello->json)
        r = bao_head_put(&keys, "format", BAO_STR("json"));
    if (r == 0)
        r = bao_head_put(&keys, "token", hello->token);
    return r < 0 ? r : bao_frame_put(&c->out, "HELLO", 1, bao_buf_str(&keys), BAO_STR_NULL);
}

void bao_client_deinit(struct bao_client_session *c)
{
    bao_frame_decoder_deinit(&c->frames);
    bao_buf_deinit(&c->out);
    free(c->open);
    c->open = NULL;
    c->n_open = c->size_open = 0;
}

/* Requests. */

static int open_request(struct bao_client_session *c, uint64_t cookie, uint64_t bytes)
{
    if (c->n_open == c->size_open) {
        uint32_t size = c->size_open == 0 ? 16 : c->size_open * 2;
        struct bao_client_request *p = reallocarray(c->open, size, sizeof(*p));

        if (p == NULL)
            return -ENOMEM;
        c->open = p;
        c->size_open = size;
    }
    c->open[c->n_open++] = (struct bao_client_request){++c->last_txn, cookie, bytes};
    c->open_bytes += bytes;
    return 0;
}

/* Takes back the request made last. */
static void unopen_request(struct bao_client_session *c)
{
    c->open_bytes -= c->open[--c->n_open].bytes;
}

/* Writes a request that open_request() has entered. */
static int put_request(struct bao_client_session *c, const char *verb, struct bao_str keys,
                       struct bao_str body)
{
    int r = bao_frame_put(&c->out, verb, c->last_txn, keys, body);

    if (r < 0)
        unopen_request(c);
    return r;
}

/* May one more request of that size be open? One larger than the window goes alone. */
static int window(const struct bao_client_session *c, uint64_t bytes)
{
    if (!c->greeted || c->ended || c->last_txn == BAO_TXN_MAX)
        return BAO_CLIENT_E_STATE;
    if (c->n_open >= c->limits.items)
        return BAO_CLIENT_E_WINDOW;
    if (c->open_bytes != 0 && c->open_bytes + bytes > c->limits.bytes)
        return BAO_CLIENT_E_WINDOW;
    return 0;
}

int bao_client_send(struct bao_client_session *c, const struct bao_client_report *report)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(256);
    uint64_t raw = report->deflated ? report->raw : 0;
    char hex[2 * BAO_SHA256_LEN + 1];
    int r = window(c, report->body.n + raw);

    if (r != 0)
        return r;
    if (report->body.n > c->limits.maxbody || raw > c->limits.maxraw || report->body.n > c->limits.maxraw)
        return BAO_CLIENT_E_TOOBIG;
    if (report->deflated)
        r = bao_buf_printf(&keys, " enc=deflate raw=%llu", (unsigned long long)report->raw);
    if (r == 0 && report->sha256 != NULL) {
        bao_hex(report->sha256, BAO_SHA256_LEN, hex);
        r = bao_head_put(&keys, "sha256", bao_str_c(hex));
    }
    if (r == 0)
        r = open_request(c, report->cookie, report->body.n + raw);
    return r < 0 ? r : put_request(c, "REPORT", bao_buf_str(&keys), report->body);
}

int bao_client_ask(struct bao_client_session *c, const char *verb, struct bao_str keys, uint64_t cookie)
{
    int r = window(c, 0);

    if (r == 0)
        r = open_request(c, cookie, 0);
    return r != 0 ? r : put_request(c, verb, keys, BAO_STR_NULL);
}

/* Answers. */

static int broken(struct bao_client_session *c, struct bao_client_event *event)
{
    c->ended = true;
    event->kind = BAO_CLIENT_BROKEN;
    event->symbol = BAO_SYM_FRAME;
    event->body = BAO_STR_NULL; /* what was read means nothing */
    return 0;
}

/* The word's meaning: OK, WAIT or NO. */
static bool answer_word(struct bao_str verb, enum bao_answer *ret)
{
    static const char *const words[] = {[BAO_OK] = "OK", [BAO_WAIT] = "WAIT", [BAO_NO] = "NO"};

    for (size_t i = 0; i < BAO_COUNT(words); i++) {
        if (bao_str_is(verb, words[i])) {
            *ret = (enum bao_answer)i;
            return true;
        }
    }
    return false;
}

static void read_symbol(struct bao_client_event *event)
{
    event->symbol = BAO_SYM_NONE;
    event->after_ms = 0;
    if (event->answer == BAO_OK)
        return;
    event->symbol = bao_symbol_of(bao_head_get(&event->head, "code"));
    if (event->symbol == BAO_SYM_NONE)
        event->symbol =
            BAO_SYM_INTERNAL; /* a word of a later version: the first word still says what to do */
    if (event->answer == BAO_WAIT && !bao_head_number(&event->head, "after", 86400000, &event->after_ms))
        event->after_ms = 1000;
}

static int take_greeting(struct bao_client_session *c, struct bao_client_event *event)
{
    uint64_t items, idle = 180;
    const struct bao_head *head = &event->head;

    read_symbol(event);
    if (event->answer != BAO_OK) {
        c->ended = true;
        event->kind = BAO_CLIENT_ENDED;
        return 0;
    }
    if (!bao_head_number(head, "items", 1 << 20, &items) || items == 0 ||
        !bao_head_number(head, "bytes", INT64_MAX, &c->limits.bytes) ||
        !bao_head_number(head, "maxbody", INT64_MAX, &c->limits.maxbody) ||
        !bao_head_number(head, "maxraw", INT64_MAX, &c->limits.maxraw))
        return broken(c, event);
    (void)bao_head_number(head, "idle", UINT32_MAX, &idle); /* absent: the usual one */
    c->limits.items = (uint32_t)items;
    c->limits.idle_s = (uint32_t)idle;
    c->greeted = true;
    event->kind = BAO_CLIENT_GREETED;
    return 0;
}

static int take_answer(struct bao_client_session *c, struct bao_client_event *event)
{
    uint32_t txn = event->txn = event->head.txn;

    if (txn == 1 && !c->greeted)
        return take_greeting(c, event);
    read_symbol(event);
    if (txn == 0) { /* the connection itself is refused */
        c->ended = true;
        event->kind = BAO_CLIENT_ENDED;
        return 0;
    }
    for (uint32_t i = 0; i < c->n_open; i++) {
        if (c->open[i].txn != txn)
            continue;
        event->cookie = c->open[i].cookie;
        c->open_bytes -= c->open[i].bytes;
        c->open[i] = c->open[--c->n_open];
        event->kind = BAO_CLIENT_ANSWER;
        return 0;
    }
    return broken(c, event); /* an answer to nothing */
}

static int take_frame(struct bao_client_session *c, struct bao_client_event *event)
{
    bao_require(bao_head_parse(&event->head, bao_frame_line(&c->frames)) ==
                BAO_SYM_NONE); /* it was when it came */
    event->body = c->frames.body;
    event->txn = event->head.txn;
    if (answer_word(event->head.verb, &event->answer))
        return take_answer(c, event);
    if (event->txn != 0)
        return broken(c, event);
    event->kind = BAO_CLIENT_TOLD;
    if (bao_str_is(event->head.verb, "BYE")) {
        event->answer = BAO_WAIT;
        read_symbol(event);
        c->ended = true;
        event->kind = BAO_CLIENT_ENDED;
    }
    return 0;
}

int bao_client_feed(struct bao_client_session *c, struct bao_str *in, struct bao_client_event *ret)
{
    ret->kind = BAO_CLIENT_NONE;
    while (ret->kind == BAO_CLIENT_NONE) {
        int got = bao_frame_feed(&c->frames, in), r = 0;

        if (got == BAO_FRAME_MORE)
            return 0;
        if (got < 0)
            return got;
        if (got == BAO_FRAME_BROKEN)
            return broken(c, ret);
        if (got == BAO_FRAME_HEAD) {
            if (bao_head_parse(&ret->head, bao_frame_line(&c->frames)) != BAO_SYM_NONE ||
                ret->head.len > BODY_MAX)
                return broken(c, ret);
            bao_frame_keep(&c->frames, ret->head.len);
        } else {
            r = take_frame(c, ret);
        }
        if (r < 0)
            return r;
    }
    return 0;
}
