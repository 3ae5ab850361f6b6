#include "lib/wire/server_session.h"

#include "lib/base/crypto.h"
#include "lib/form/date.h"
#include "lib/wire/answer.h"

enum {
    HELLO_MS = 10000,
    HEAD_SECONDS = 10,
    BODY_SECONDS = 30,
    BODY_RATE = 1024, /* octets a second on top of BODY_SECONDS */
    DROP_SECONDS = 10,
    DROP_RATE = 16 * 1024,
    DROP_TIMES = 4, /* a body of up to this many times maxbody is read and dropped */
    STRIKES = 3,
};

#define SECOND INT64_C(1000000)
#define NEVER INT64_MAX
#define NOT_PAUSED INT64_MIN

/* What becomes of a verb in a state. */
enum act {
    ACT_NONE, /* the state reads nothing */
    ACT_AUTH, /* not before HELLO */
    ACT_HEAD, /* not any more */
    ACT_DRAINING,
    ACT_HELLO,
    ACT_REPORT,
    ACT_STAT,
    ACT_DUE,
    ACT_PING,
    ACT_QUIT,
};

enum { VERB_KEYS = 8 };

static const struct verb {
    const char *name;
    const char *keys[VERB_KEYS]; /* what '!' may stand before */
    uint8_t act[BAO_SERVER_STATES];
} verbs[] = {
    {"HELLO",
     {"v", "agent", "lang", "token", "format"},
     {[BAO_SERVER_NEW] = ACT_HELLO, [BAO_SERVER_OPEN] = ACT_HEAD, [BAO_SERVER_DRAINING] = ACT_HEAD}},
    {"REPORT",
     {"enc", "raw", "sha256"},
     {[BAO_SERVER_NEW] = ACT_AUTH, [BAO_SERVER_OPEN] = ACT_REPORT, [BAO_SERVER_DRAINING] = ACT_DRAINING}},
    {"STAT",
     {"form", "unit", "period", "rev", "proof", "receipt"},
     {[BAO_SERVER_NEW] = ACT_AUTH, [BAO_SERVER_OPEN] = ACT_STAT, [BAO_SERVER_DRAINING] = ACT_STAT}},
    {"DUE",
     {"unit", "until"},
     {[BAO_SERVER_NEW] = ACT_AUTH, [BAO_SERVER_OPEN] = ACT_DUE, [BAO_SERVER_DRAINING] = ACT_DUE}},
    {"PING",
     {NULL},
     {[BAO_SERVER_NEW] = ACT_AUTH, [BAO_SERVER_OPEN] = ACT_PING, [BAO_SERVER_DRAINING] = ACT_PING}},
    {"QUIT",
     {NULL},
     {[BAO_SERVER_NEW] = ACT_AUTH, [BAO_SERVER_OPEN] = ACT_QUIT, [BAO_SERVER_DRAINING] = ACT_QUIT}},
};

static int64_t hello_time(const struct bao_server_limits *limits)
{
    return (limits->hello_ms > 0 ? limits->hello_ms : HELLO_MS) * (SECOND / 1000);
}

void bao_server_init(struct bao_server_session *s, const struct bao_server_limits *limits, int64_t now)
{
    *s = (struct bao_server_session){
        .limits = *limits,
        .deadline = now + hello_time(limits),
        .deadline_why = "no HELLO in time",
        .paused_at = NOT_PAUSED,
    };
    bao_frame_decoder_init(&s->frames);
    bao_buf_init(&s->out, BAO_SERVER_OUT_MAX);
}

void bao_server_deinit(struct bao_server_session *s)
{
    bao_frame_decoder_deinit(&s->frames);
    bao_buf_deinit(&s->out);
    free(s->open);
    s->open = NULL;
    s->n_open = 0;
}

void bao_server_trim(struct bao_server_session *s)
{
    bao_frame_trim(&s->frames);
    if (bao_buf_len(&s->out) == 0)
        bao_buf_deinit(&s->out);
    if (s->n_open == 0) {
        free(s->open);
        s->open = NULL;
    }
}

bool bao_server_quiet(const struct bao_server_session *s)
{
    return s->n_open == 0 && !s->reserving && bao_frame_idle(&s->frames);
}

/* Time. */

static void limit(struct bao_server_session *s, int64_t until, const char *why)
{
    s->deadline = until;
    s->deadline_why = why;
}

/* Between frames: the idle time runs when nothing is owed, no time at all while the server owes answers. */
static void limit_between(struct bao_server_session *s, int64_t now)
{
    if (s->state == BAO_SERVER_NEW || !bao_frame_idle(&s->frames))
        return;
    if (s->n_open != 0 || s->state == BAO_SERVER_GREETING || s->state == BAO_SERVER_QUITTING)
        limit(s, NEVER, NULL);
    else
        limit(s, now + s->limits.idle_s * SECOND, NULL);
}

bool bao_server_expire(struct bao_server_session *s, int64_t now)
{
    bool idle = s->deadline_why == NULL;

    if (s->state == BAO_SERVER_ENDED || s->paused_at != NOT_PAUSED || now < s->deadline)
        return false;
    if (bao_server_bye(s, idle ? "IDLE" : "TIME", idle ? "idle" : s->deadline_why) < 0)
        bao_server_end(s, "idle, and no memory to say so");
    return true;
}

void bao_server_pause(struct bao_server_session *s, int64_t now)
{
    if (s->paused_at == NOT_PAUSED)
        s->paused_at = now;
}

void bao_server_resume(struct bao_server_session *s, int64_t now)
{
    if (s->paused_at != NOT_PAUSED && s->deadline != NEVER)
        s->deadline += now - s->paused_at;
    s->paused_at = NOT_PAUSED;
}

/* Answers. */

void bao_server_end(struct bao_server_session *s, const char *why)
{
    if (s->state == BAO_SERVER_ENDED)
        return;
    s->state = BAO_SERVER_ENDED;
    s->why = why;
    limit(s, NEVER, NULL);
}

/* ms between half and one and a half of itself, so that clients do not come back all at once. */
static int spread(struct bao_server_session *s, int ms)
{
    uint64_t x = s->limits.seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ms / 2 + (int)((x >> 33) % ((uint64_t)ms + 1));
}

/* Before HELLO is looked at, AUTH is about its absence. */
static const struct bao_str hello_first[BAO_LANGS] = {
    [BAO_VI] = {"Phải gửi HELLO trước, và được nhận.", sizeof("Phải gửi HELLO trước, và được nhận.") - 1},
    [BAO_EN] = {"HELLO comes first, and must be accepted.",
                sizeof("HELLO comes first, and must be accepted.") - 1},
};

/* key: the one of the head that is to blame; empty: none. */
static int put_blamed(struct bao_server_session *s, uint32_t txn, enum bao_symbol symbol, int after_ms,
                      struct bao_str body, struct bao_str key)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(256);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf said = BAO_BUF_NULL(4096);
    int r = bao_symbol_put(&keys, symbol, spread(s, after_ms > 0 ? after_ms : 1000));

    if (r == 0)
        r = bao_head_put(&keys, "key", key);
    if (r == 0 && body.n == 0) {
        r = bao_symbol_body(&said, symbol,
                            symbol == BAO_SYM_AUTH && s->state == BAO_SERVER_NEW ? hello_first : NULL,
                            s->lang, s->json);
        body = bao_buf_str(&said);
    }
    if (r < 0)
        return r;
    return bao_frame_put(&s->out, bao_symbol_info(symbol)->answer == BAO_WAIT ? "WAIT" : "NO", txn,
                         bao_buf_str(&keys), body);
}

static int put_symbol(struct bao_server_session *s, uint32_t txn, enum bao_symbol symbol, int after_ms,
                      struct bao_str body)
{
    return put_blamed(s, txn, symbol, after_ms, body, BAO_STR_NULL);
}

static int break_off(struct bao_server_session *s, enum bao_symbol symbol, uint32_t txn, const char *why)
{
    int r = put_symbol(s, txn, symbol, 0, BAO_STR_NULL);

    bao_server_end(s, why);
    return r;
}

int bao_server_bye(struct bao_server_session *s, const char *code, const char *why)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(256);
    int r;

    if (s->state == BAO_SERVER_ENDED)
        return 0;
    r = bao_head_put(&keys, "code", bao_str_c(code));
    if (r == 0)
        r = bao_frame_put(&s->out, "BYE", 0, bao_buf_str(&keys), BAO_STR_NULL);
    bao_server_end(s, why);
    return r;
}

int bao_server_greet(struct bao_server_session *s, struct bao_str server, struct bao_str body, int64_t now)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(BAO_HEAD_MAX);
    int r;

    if (s->state != BAO_SERVER_GREETING)
        return 0;
    r = bao_head_put_number(&keys, "v", 1);
    if (r == 0)
        r = bao_head_put(&keys, "server", server);
    if (r == 0)
        r = bao_buf_printf(&keys, " items=%u bytes=%llu maxbody=%llu maxraw=%llu idle=%d",
                           (unsigned)s->limits.items, (unsigned long long)s->limits.bytes,
                           (unsigned long long)s->limits.maxbody, (unsigned long long)s->limits.maxraw,
                           s->limits.idle_s);
    if (r == 0)
        r = bao_frame_put(&s->out, "OK", s->hello_txn, bao_buf_str(&keys), body);
    if (r < 0)
        return r;
    s->state = BAO_SERVER_OPEN;
    limit_between(s, now);
    return 0;
}

static int strike(struct bao_server_session *s, uint32_t txn, enum bao_symbol symbol, struct bao_str body)
{
    int r = put_symbol(s, txn, symbol, 0, body);

    if (++s->strikes >= STRIKES)
        bao_server_end(s, "refused three times before HELLO was accepted");
    return r;
}

int bao_server_refuse(struct bao_server_session *s, enum bao_symbol symbol, struct bao_str body, int64_t now)
{
    int r;

    if (s->state != BAO_SERVER_GREETING)
        return 0;
    limit(s, now + hello_time(&s->limits), "no accepted HELLO in time");
    r = strike(s, s->hello_txn, symbol, body);
    if (s->state == BAO_SERVER_GREETING)
        s->state = BAO_SERVER_NEW;
    return r;
}

void bao_server_grant(struct bao_server_session *s, int64_t now)
{
    if (!s->reserving || s->state == BAO_SERVER_ENDED)
        return;
    s->reserving = false;
    s->reserved += s->reserve;
    bao_frame_keep(&s->frames, s->body_len);
    limit(s, now + BODY_SECONDS * SECOND + (int64_t)(s->body_len / BODY_RATE) * SECOND,
          "the body came too slowly");
}

/* Takes a request off the list of open ones: false when it is not there. */
static bool close_request(struct bao_server_session *s, uint32_t txn)
{
    for (uint32_t i = 0; i < s->n_open; i++) {
        if (s->open[i].txn == txn) {
            s->reserved -= s->open[i].reserve;
            s->open[i] = s->open[--s->n_open];
            return true;
        }
    }
    return false;
}

static int open_request(struct bao_server_session *s, uint32_t txn, uint64_t reserve)
{
    if (s->open == NULL) {
        s->open = calloc(s->limits.items, sizeof(*s->open));
        if (s->open == NULL)
            return -ENOMEM;
    }
    bao_require(s->n_open < s->limits.items);
    s->open[s->n_open++] = (struct bao_server_request){txn, reserve};
    return 0;
}

/* After an answer: the next limit of time, and the end of a client that said QUIT. */
static int answered(struct bao_server_session *s, int64_t now)
{
    limit_between(s, now);
    if (s->state != BAO_SERVER_QUITTING || s->n_open != 0)
        return 0;
    bao_server_end(s, "QUIT");
    return bao_frame_put(&s->out, "OK", s->quit_txn, BAO_STR_NULL, BAO_STR_NULL);
}

int bao_server_ok(struct bao_server_session *s, uint32_t txn, struct bao_str keys, struct bao_str body,
                  int64_t now)
{
    int r;

    if (!close_request(s, txn) || s->state == BAO_SERVER_ENDED)
        return 0;
    r = bao_frame_put(&s->out, "OK", txn, keys, body);
    return r < 0 ? r : answered(s, now);
}

int bao_server_no(struct bao_server_session *s, uint32_t txn, enum bao_symbol symbol, int after_ms,
                  struct bao_str body, int64_t now)
{
    int r;

    if (!close_request(s, txn) || s->state == BAO_SERVER_ENDED)
        return 0;
    r = put_symbol(s, txn, symbol, after_ms, body);
    return r < 0 ? r : answered(s, now);
}

int bao_server_tell(struct bao_server_session *s, const char *verb, struct bao_str keys, struct bao_str body)
{
    if (s->state != BAO_SERVER_OPEN && s->state != BAO_SERVER_DRAINING)
        return 0;
    return bao_frame_put(&s->out, verb, 0, keys, body);
}

int bao_server_drain(struct bao_server_session *s, int within_ms)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(64);
    int r;

    if (s->state == BAO_SERVER_NEW || s->state == BAO_SERVER_GREETING)
        return bao_server_bye(s, "DRAINING", "the server is stopping");
    if (s->state != BAO_SERVER_OPEN)
        return 0;
    s->state = BAO_SERVER_DRAINING;
    r = bao_head_put_number(&keys, "within", within_ms > 0 ? (uint64_t)within_ms : 0);
    return r < 0 ? r : bao_frame_put(&s->out, "DRAIN", 0, bao_buf_str(&keys), BAO_STR_NULL);
}

/* Heads. */

static const struct verb *find_verb(struct bao_str name)
{
    for (size_t i = 0; i < BAO_COUNT(verbs); i++)
        if (bao_str_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

static bool knows_key(const struct verb *verb, struct bao_str name)
{
    for (size_t i = 0; i < VERB_KEYS && verb->keys[i] != NULL; i++)
        if (bao_str_is(name, verb->keys[i]))
            return true;
    return false;
}

/* Says which key of a head is to blame. */
static enum bao_symbol blame(struct bao_str *ret_key, const char *key)
{
    *ret_key = bao_str_c(key);
    return BAO_SYM_HEAD;
}

/* Reads the keys of REPORT into *ret (reserve included). */
static enum bao_symbol check_report(const struct bao_server_session *s, const struct bao_head *head,
                                    struct bao_server_event *ret, struct bao_str *ret_key)
{
    struct bao_str enc = bao_head_get(head, "enc"), sha = bao_head_get(head, "sha256");

    ret->deflated = enc.p != NULL;
    ret->raw = 0;
    if (enc.p != NULL) {
        if (!bao_str_is(enc, "deflate"))
            return blame(ret_key, "enc");
        if (!bao_head_number(head, "raw", INT64_MAX / 2, &ret->raw))
            return blame(ret_key, "raw");
        if (ret->raw > s->limits.maxraw)
            return BAO_SYM_TOOBIG;
    } else if (head->len > s->limits.maxraw) {
        return BAO_SYM_TOOBIG;
    }
    ret->reserve = head->len + ret->raw;
    ret->has_sha256 = sha.p != NULL;
    if (sha.p == NULL)
        return s->limits.needs_hash ? blame(ret_key, "sha256") : BAO_SYM_NONE;
    return bao_unhex(sha, ret->sha256, sizeof(ret->sha256)) ? BAO_SYM_NONE : blame(ret_key, "sha256");
}

static enum bao_symbol check_stat(const struct bao_head *head, struct bao_str *ret_key)
{
    static const char *const needed[] = {"form", "unit", "period"};
    uint8_t id[16];
    uint64_t n;
    struct bao_str rev = bao_head_get(head, "rev"), proof = bao_head_get(head, "proof");

    if (rev.p != NULL && (!bao_decimal_number(rev, 9999, &n) || n == 0))
        return blame(ret_key, "rev");
    if (proof.p != NULL && !bao_str_is(proof, "0") && !bao_str_is(proof, "1"))
        return blame(ret_key, "proof");
    if (bao_head_get(head, "receipt").p != NULL)
        return bao_uuid_parse(bao_head_get(head, "receipt"), id) ? BAO_SYM_NONE : blame(ret_key, "receipt");
    for (size_t i = 0; i < BAO_COUNT(needed); i++)
        if (bao_head_get(head, needed[i]).p == NULL)
            return blame(ret_key, needed[i]);
    return BAO_SYM_NONE;
}

static enum bao_symbol check_due(const struct bao_head *head, struct bao_str *ret_key)
{
    struct bao_str until = bao_head_get(head, "until");
    bao_date day;

    if (until.p != NULL && !bao_date_parse(until, &day))
        return blame(ret_key, "until");
    return bao_head_get(head, "unit").p != NULL ? BAO_SYM_NONE : blame(ret_key, "unit");
}

static enum bao_symbol check_hello(const struct bao_head *head)
{
    uint64_t v;

    return bao_head_number(head, "v", INT64_MAX, &v) && v >= 1 ? BAO_SYM_NONE : BAO_SYM_VERSION;
}

/* The first complaint about a head whose frame is sound, and the key it is about (untouched: none); NONE: it
 * is to be acted on. */
static enum bao_symbol check_head(const struct bao_server_session *s, const struct bao_head *head,
                                  enum act *ret_act, struct bao_server_event *event, struct bao_str *ret_key)
{
    const struct verb *verb = find_verb(head->verb);
    enum act act = verb == NULL ? ACT_NONE : (enum act)verb->act[s->state];

    if (act == ACT_AUTH || (verb == NULL && s->state == BAO_SERVER_NEW))
        return BAO_SYM_AUTH;
    if (verb == NULL)
        return BAO_SYM_VERB;
    for (size_t i = 0; i < head->n_keys; i++)
        if (head->keys[i].must && !knows_key(verb, head->keys[i].name)) {
            *ret_key = head->keys[i].name;
            return BAO_SYM_MUST;
        }
    if (head->len > s->limits.maxbody)
        return BAO_SYM_TOOBIG;
    if (act == ACT_DRAINING)
        return BAO_SYM_DRAINING;
    if (act == ACT_HEAD || (act != ACT_REPORT && head->len != 0))
        return BAO_SYM_HEAD;
    *ret_act = act;
    if (act == ACT_REPORT)
        return check_report(s, head, event, ret_key);
    if (act == ACT_STAT)
        return check_stat(head, ret_key);
    if (act == ACT_DUE)
        return check_due(head, ret_key);
    return act == ACT_HELLO ? check_hello(head) : BAO_SYM_NONE;
}

/* Reads and throws away a body whose frame gets `symbol`; ends the session when it is too long for that. */
static int drop_body(struct bao_server_session *s, uint64_t len, uint32_t txn, enum bao_symbol symbol,
                     int64_t now)
{
    if (len > s->limits.maxbody * DROP_TIMES)
        return break_off(s, symbol == BAO_SYM_AUTH ? symbol : BAO_SYM_TOOBIG, txn,
                         "a body too large to skip");
    s->pending = symbol;
    bao_frame_drop(&s->frames, len);
    if (s->state != BAO_SERVER_NEW)
        limit(s, now + DROP_SECONDS * SECOND + (int64_t)(len / DROP_RATE) * SECOND,
              "a refused body came too slowly");
    return 0;
}

/* A head line came: says what its body is to become. */
static int take_head(struct bao_server_session *s, int64_t now, struct bao_server_event *event)
{
    enum bao_symbol symbol = bao_head_parse(&event->head, bao_frame_line(&s->frames));
    const struct bao_head *head = &event->head;
    struct bao_str key = BAO_STR_NULL;
    enum act act = ACT_NONE;

    if (symbol != BAO_SYM_NONE)
        return break_off(s, BAO_SYM_FRAME, 0, "a head line that is none");
    if (head->txn <= s->last_txn)
        return break_off(s, BAO_SYM_FRAME, 0, "a transaction number that does not rise");
    s->last_txn = head->txn;
    symbol = check_head(s, head, &act, event, &key);
    if (key.n >= sizeof(s->wrong_key)) /* none of ours, and too long to be repeated */
        key.n = 0;
    snprintf(s->wrong_key, sizeof(s->wrong_key), "%.*s", BAO_STR_ARG(key));
    if (symbol != BAO_SYM_NONE)
        return drop_body(s, head->len, head->txn, symbol, now);
    if ((act == ACT_REPORT || act == ACT_STAT || act == ACT_DUE) && s->n_open >= s->limits.items)
        return break_off(s, BAO_SYM_FRAME, 0, "more unanswered requests than the window");
    if (act != ACT_REPORT) {
        bao_frame_keep(&s->frames, 0);
        return 0;
    }
    s->reserving = true;
    s->reserve = event->reserve;
    s->body_len = head->len;
    limit(s, NEVER, NULL); /* the server's own turn */
    event->kind = BAO_SERVER_RESERVE;
    event->txn = head->txn;
    return 0;
}

/* Acts on a whole frame that was wanted. */
static int take_frame(struct bao_server_session *s, int64_t now, struct bao_server_event *event)
{
    static const uint8_t kinds[] = {
        [ACT_HELLO] = BAO_SERVER_HELLO, [ACT_REPORT] = BAO_SERVER_REPORT, [ACT_STAT] = BAO_SERVER_STAT,
        [ACT_DUE] = BAO_SERVER_DUE,     [ACT_PING] = BAO_SERVER_NONE,     [ACT_QUIT] = BAO_SERVER_NONE,
    };
    struct bao_head *head = &event->head;
    struct bao_str key = BAO_STR_NULL; /* nothing was wrong with it when its head came */
    enum act act = ACT_NONE;
    int r;

    bao_require(bao_head_parse(head, bao_frame_line(&s->frames)) == BAO_SYM_NONE); /* it was when it came */
    if (check_head(s, head, &act, event, &key) == BAO_SYM_DRAINING)
        act = ACT_REPORT; /* leaving began while its body was read: it is carried through */
    event->txn = head->txn;
    event->body = s->frames.body;
    if (act == ACT_REPORT)
        (void)check_report(s, head, event, &key); /* it was sound when its head came */
    if (act == ACT_REPORT || act == ACT_STAT || act == ACT_DUE) {
        r = open_request(s, head->txn, act == ACT_REPORT ? s->reserve : 0);
        if (r < 0)
            return r;
    } else if (act == ACT_HELLO) {
        s->state = BAO_SERVER_GREETING;
        s->hello_txn = head->txn;
        s->lang = bao_str_is(bao_head_get(head, "lang"), "en") ? BAO_EN : BAO_VI;
        s->json = bao_str_is(bao_head_get(head, "format"), "json");
    } else if (act == ACT_QUIT) {
        s->state = BAO_SERVER_QUITTING;
        s->quit_txn = head->txn;
        return answered(s, now);
    }
    limit_between(s, now);
    event->kind = (enum bao_server_kind)kinds[act];
    return act == ACT_PING ? bao_frame_put(&s->out, "OK", head->txn, BAO_STR_NULL, BAO_STR_NULL) : 0;
}

static int take_dropped(struct bao_server_session *s, int64_t now)
{
    enum bao_symbol symbol = s->pending;

    s->pending = BAO_SYM_NONE;
    limit_between(s, now);
    if (s->state == BAO_SERVER_NEW)
        return strike(s, s->last_txn, symbol, BAO_STR_NULL);
    return put_blamed(s, s->last_txn, symbol, 0, BAO_STR_NULL, bao_str_c(s->wrong_key));
}

static int step(struct bao_server_session *s, int got, int64_t now, struct bao_server_event *event)
{
    if (got == BAO_FRAME_HEAD)
        return take_head(s, now, event);
    if (got == BAO_FRAME_BODY)
        return take_frame(s, now, event);
    if (got == BAO_FRAME_DROPPED)
        return take_dropped(s, now);
    return got == BAO_FRAME_BROKEN ? break_off(s, BAO_SYM_FRAME, 0, "octets that are no frame") : 0;
}

int bao_server_feed(struct bao_server_session *s, struct bao_str *in, int64_t now,
                    struct bao_server_event *ret)
{
    ret->kind = BAO_SERVER_NONE;
    while (ret->kind == BAO_SERVER_NONE) {
        int got, r;

        if (s->state == BAO_SERVER_ENDED || s->state == BAO_SERVER_QUITTING) {
            in->n = 0;
            ret->kind = s->state == BAO_SERVER_ENDED ? BAO_SERVER_CLOSE : BAO_SERVER_NONE;
            return 0;
        }
        if (s->reserving || s->state == BAO_SERVER_GREETING) {
            ret->kind = BAO_SERVER_HOLD;
            return 0;
        }
        if (in->n != 0 && s->state != BAO_SERVER_NEW && bao_frame_idle(&s->frames))
            limit(s, now + HEAD_SECONDS * SECOND, "the head came too slowly");
        got = bao_frame_feed(&s->frames, in);
        if (got == BAO_FRAME_MORE)
            return 0;
        r = got < 0 ? got : step(s, got, now, ret);
        if (r < 0)
            return r;
    }
    return 0;
}
