#include "daemon/brp/peer.h"

#include "daemon/net/tls.h"
#include "daemon/ops/log.h"
#include "lib/base/crypto.h"

enum {
    HELD_MAX = 4 * BAOD_STREAM_CHUNK,
    STALL_MS = 60000, /* for a peer that takes none of its answers */
    REFUSAL_MAX = 64 * 1024,
};

static const char *const state_names[BAOD_PEER_STATES] = {
    [BAOD_PEER_TLS] = "TLS",           [BAOD_PEER_HELLO] = "HELLO",
    [BAOD_PEER_READY] = "READY",       [BAOD_PEER_THROTTLED] = "THROTTLED",
    [BAOD_PEER_DRAINING] = "DRAINING", [BAOD_PEER_CLOSING] = "CLOSING",
};

#define TO(state) (1u << BAOD_PEER_##state)

/* From where to where a peer may go. */
static const unsigned transitions[BAOD_PEER_STATES] = {
    [BAOD_PEER_TLS] = TO(HELLO) | TO(DRAINING) | TO(CLOSING),
    [BAOD_PEER_HELLO] = TO(READY) | TO(DRAINING) | TO(CLOSING),
    [BAOD_PEER_READY] = TO(THROTTLED) | TO(DRAINING) | TO(CLOSING),
    [BAOD_PEER_THROTTLED] = TO(READY) | TO(DRAINING) | TO(CLOSING),
    [BAOD_PEER_DRAINING] = TO(CLOSING),
    [BAOD_PEER_CLOSING] = 0,
};

/* The only writer of `state`. */
static void enter(struct baod_peer *p, enum baod_peer_state to, const char *why)
{
    if (p->state == to)
        return;
    bao_require((transitions[p->state] & (1u << to)) != 0);
    baod_log(BAOD_LOG_DEBUG, "peer %llu %s: %s -> %s (%s)", (unsigned long long)p->id,
             baod_stream_name(p->stream), state_names[p->state], state_names[to], why);
    p->state = to;
}

/* Holds: reading goes on when none is left. */

static void set_hold(struct baod_peer *p, enum baod_peer_hold hold, const char *why)
{
    if ((p->holds & hold) != 0)
        return;
    p->holds |= hold;
    baod_stream_pause(p->stream);
    if (hold == BAOD_HOLD_WRITE)
        bao_server_pause(&p->session, baod_peers_time(p->peers));
    if (p->state == BAOD_PEER_READY)
        enter(p, BAOD_PEER_THROTTLED, why);
}

static void clear_hold(struct baod_peer *p, enum baod_peer_hold hold)
{
    if ((p->holds & hold) == 0)
        return;
    p->holds &= ~(unsigned)hold;
    if (hold == BAOD_HOLD_WRITE)
        bao_server_resume(&p->session, baod_peers_time(p->peers));
    if (p->holds != 0)
        return;
    baod_stream_resume(p->stream);
    if (p->state == BAOD_PEER_THROTTLED)
        enter(p, BAOD_PEER_READY, "goes on");
}

/* Events of the session. */

bool baod_peer_has_unit(const struct baod_peer *p, struct bao_str unit, struct bao_str heir)
{
    if (p->who.any_unit)
        return true;
    for (size_t i = 0; i < p->who.n_units; i++)
        if (bao_str_eq(p->who.units[i], unit) || (heir.n != 0 && bao_str_eq(p->who.units[i], heir)))
            return true;
    return false;
}

bool baod_peer_speaks_for(const struct baod_peer *p, struct bao_str unit)
{
    const struct baod_brp_ops *ops = p->peers->ops;

    if (baod_peer_has_unit(p, unit, BAO_STR_NULL))
        return true;
    return ops->heir != NULL && baod_peer_has_unit(p, unit, ops->heir(ops->user, unit));
}

/* Whom the certificate of the other side proves; false when it proves nobody. */
static bool certified(const struct baod_peer *p, struct baod_tls_peer *tls)
{
    baod_tls_peer(baod_stream_transform(p->stream), tls);
    if (tls->has_certificate && !tls->trusted)
        baod_log(BAOD_LOG_NOTICE, "peer %llu %s: its certificate is %s", (unsigned long long)p->id,
                 baod_stream_name(p->stream), tls->complaint[BAO_EN]);
    return tls->n_units != 0;
}

static bool is_own_machine(const struct baod_peer *p)
{
    return baod_stream_is_loopback(p->stream) && baod_stream_transform(p->stream) == NULL;
}

static int on_hello(struct baod_peer *p, const struct bao_server_event *event)
{
    struct baod_peers *peers = p->peers;
    struct baod_brp_hello hello = {
        .agent = bao_head_get(&event->head, "agent"),
        .token = bao_head_get(&event->head, "token"),
        .address = baod_stream_address(p->stream),
    };
    struct baod_brp_verdict verdict = {.symbol = BAO_SYM_AUTH};
    struct baod_identity proven = {.any_unit = is_own_machine(p)};
    struct baod_tls_peer tls = {.has_certificate = false};
    uint8_t account[BAO_SHA256_LEN];

    baod_log(BAOD_LOG_DEBUG, "peer %llu %s: HELLO from «%.*s»%s", (unsigned long long)p->id,
             baod_stream_name(p->stream), BAO_STR_ARG(hello.agent),
             hello.token.n != 0 ? " with a token" : "");
    bao_sha256(hello.token.p, hello.token.n, account);
    memcpy(p->account, account, sizeof(p->account));
    if (baod_stream_transform(p->stream) != NULL && certified(p, &tls)) {
        proven.units = tls.units;
        proven.n_units = tls.n_units;
    }
    hello.has_certificate = tls.has_certificate;
    hello.complaint = tls.complaint;
    if (proven.any_unit || proven.n_units != 0)
        hello.proven = &proven;
    p->by_token = hello.token.n != 0;
    if (peers->ops->hello != NULL)
        return peers->ops->hello(peers->ops->user, p->id, &hello);
    if (hello.token.n == 0 && hello.proven != NULL)
        verdict = (struct baod_brp_verdict){.who = proven};
    baod_brp_identity(peers, p->id, &verdict);
    return 0;
}

static int on_report(struct baod_peer *p, const struct bao_server_event *event, unsigned *ret_after_ms)
{
    struct baod_peers *peers = p->peers;
    struct baod_request request = {
        .body = event->body,
        .deflated = event->deflated,
        .raw = event->raw,
        .has_sha256 = event->has_sha256,
        .received_at = peers->ops->now(peers->ops->user),
        .who = &p->who,
        .answer = baod_brp_answer,
        .user = peers,
        .peer = p->id,
        .txn = event->txn,
        .after_ms = ret_after_ms,
    };

    memcpy(request.sha256, event->sha256, sizeof(request.sha256));
    p->reports++;
    peers->counts.reports++;
    return peers->ops->submit(peers->ops->user, &request);
}

static int on_stat(struct baod_peer *p, const struct bao_server_event *event)
{
    struct baod_peers *peers = p->peers;
    struct bao_str receipt = bao_head_get(&event->head, "receipt");
    uint64_t revision = 0;
    struct baod_brp_stat question = {
        .by_receipt = receipt.p != NULL,
        .form = bao_head_get(&event->head, "form"),
        .unit = bao_head_get(&event->head, "unit"),
        .period = bao_head_get(&event->head, "period"),
        .proof = bao_str_is(bao_head_get(&event->head, "proof"), "1"),
    };

    if (question.by_receipt && !bao_uuid_parse(receipt, question.receipt))
        return -EINVAL;                                          /* the session let it pass: cannot be */
    (void)bao_head_number(&event->head, "rev", 9999, &revision); /* absent: the current one */
    question.revision = (int)revision;
    if (!question.by_receipt && !baod_peer_speaks_for(p, question.unit))
        return -EACCES;
    return peers->ops->stat == NULL
               ? -ENOTSUP
               : peers->ops->stat(peers->ops->user, p->id, event->txn, &question, &p->who);
}

static int on_due(struct baod_peer *p, const struct bao_server_event *event)
{
    struct baod_peers *peers = p->peers;
    struct bao_str until = bao_head_get(&event->head, "until");
    struct baod_brp_due question = {
        .unit = bao_head_get(&event->head, "unit"), .until = BAO_DATE_NONE, .lang = p->session.lang};

    if (until.n != 0 && !bao_date_parse(until, &question.until))
        return -EINVAL; /* likewise */
    if (!baod_peer_speaks_for(p, question.unit))
        return -EACCES;
    return peers->ops->due == NULL ? -ENOTSUP
                                   : peers->ops->due(peers->ops->user, p->id, event->txn, &question, &p->who);
}

/* Is there room for the report whose head came? Grants it then. */
static bool try_reserve(struct baod_peer *p)
{
    struct bao_server_session *s = &p->session;

    if (p->queued_for_budget)
        return false;
    if (s->reserved != 0 && s->reserved + s->reserve > p->peers->config.limits.bytes)
        return false; /* its own window: an answer will make room */
    if (!baod_peers_reserve(p->peers, p, s->reserve))
        return false;
    p->charged += s->reserve;
    bao_server_grant(s, baod_peers_time(p->peers));
    return true;
}

/* Acts on one event: 0, or <0 when the request is to be answered WAIT. */
static int act(struct baod_peer *p, const struct bao_server_event *event, unsigned *ret_after_ms)
{
    switch (event->kind) {
    case BAO_SERVER_HELLO:
        return on_hello(p, event);
    case BAO_SERVER_REPORT:
        return on_report(p, event, ret_after_ms);
    case BAO_SERVER_STAT:
        return on_stat(p, event);
    case BAO_SERVER_DUE:
        return on_due(p, event);
    default:
        return 0;
    }
}

/* A request that nobody took is answered at once. */
static void refuse(struct baod_peer *p, const struct bao_server_event *event, int error, unsigned after_ms)
{
    enum bao_symbol symbol = error == -EINVAL      ? BAO_SYM_HEAD
                             : error == -EACCES    ? BAO_SYM_UNIT
                             : error == -ENOTSUP   ? BAO_SYM_VERB
                             : error == -EDQUOT    ? BAO_SYM_QUOTA
                             : error == -ESHUTDOWN ? BAO_SYM_DRAINING
                                                   : BAO_SYM_BUSY;
    int64_t now = baod_peers_time(p->peers);
    int r;

    r = event->kind == BAO_SERVER_HELLO
            ? bao_server_refuse(&p->session, symbol, BAO_STR_NULL, now)
            : bao_server_no(&p->session, event->txn, symbol, (int)after_ms, BAO_STR_NULL, now);
    if (bao_symbol_info(symbol)->answer == BAO_WAIT)
        p->peers->counts.wait++;
    else
        p->peers->counts.no++;
    if (r < 0)
        p->failed = strerror(-r);
}

/* Lets the session use octets until they are gone or it has to wait. */
static void run(struct baod_peer *p, struct bao_str *in)
{
    struct bao_server_event event;

    while (p->failed == NULL) {
        unsigned after_ms = 0;
        int r = bao_server_feed(&p->session, in, baod_peers_time(p->peers), &event);

        if (r < 0) {
            p->failed = strerror(-r);
            return;
        }
        if (event.kind == BAO_SERVER_NONE || event.kind == BAO_SERVER_CLOSE)
            return;
        if (event.kind == BAO_SERVER_HOLD || event.kind == BAO_SERVER_RESERVE) {
            if (!p->session.reserving || !try_reserve(p))
                return;
            continue;
        }
        r = act(p, &event, &after_ms);
        if (r < 0)
            refuse(p, &event, r, after_ms);
    }
}

/* Runs over what was held back. */
static void run_held(struct baod_peer *p)
{
    struct bao_str in = bao_buf_str(&p->held);
    size_t n = in.n;

    run(p, &in);
    bao_buf_consume(&p->held, n - in.n);
    if (bao_buf_len(&p->held) == 0)
        bao_buf_deinit(&p->held);
}

static bool is_waiting(const struct baod_peer *p)
{
    return p->session.reserving || p->session.state == BAO_SERVER_GREETING;
}

/* Callbacks of the stream. */

static void on_read(void *user, struct bao_str bytes)
{
    struct baod_peer *p = user;

    baod_peer_touch(p);
    if (bao_buf_len(&p->held) == 0)
        run(p, &bytes);
    if (bytes.n != 0 && p->failed == NULL && bao_buf_append_str(&p->held, bytes) < 0)
        p->failed = "no memory for its input";
    if (is_waiting(p))
        set_hold(p, BAOD_HOLD_INPUT, "waits for its turn");
    if (bao_buf_len(&p->session.out) > BAOD_STREAM_MARK) /* one turn may bring megabytes of small frames */
        set_hold(p, BAOD_HOLD_WRITE, "its answers go first");
}

/* The handshake waits for its turn: the time for it stands still. */
static void on_turn(void *user, bool waits)
{
    struct baod_peer *p = user;

    if (waits)
        bao_server_pause(&p->session, baod_peers_time(p->peers));
    else
        bao_server_resume(&p->session, baod_peers_time(p->peers));
}

static void on_ready(void *user)
{
    struct baod_peer *p = user;

    if (p->state == BAOD_PEER_TLS)
        enter(p, BAOD_PEER_HELLO, "handshake done");
}

static void on_drained(void *user)
{
    baod_peer_touch(user);
}

static void on_end(void *user, bool eof, const char *why)
{
    struct baod_peer *p = user;

    if (eof)
        p->holds |= BAOD_HOLD_EOF;
    else
        p->failed = why;
    baod_peer_touch(p);
}

static const struct baod_stream_ops stream_ops = {
    .on_read = on_read,
    .on_ready = on_ready,
    .on_turn = on_turn,
    .on_drained = on_drained,
    .on_end = on_end,
};

/* Life. */

int baod_peer_new(struct baod_peers *peers, uint64_t id, struct baod_stream *stream, struct baod_peer **ret)
{
    struct baod_peer *p = calloc(1, sizeof(*p));
    struct bao_server_limits limits = peers->config.limits;
    bool plain = baod_stream_transform(stream) == NULL;
    int r;

    if (p == NULL)
        return -ENOMEM;
    limits.needs_hash = plain;
    limits.seed = id * UINT64_C(0x9e3779b97f4a7c15) ^ uv_hrtime();
    p->id = id;
    p->peers = peers;
    p->renewal = peers->renewal;
    p->stream = stream;
    p->state = plain ? BAOD_PEER_HELLO : BAOD_PEER_TLS;
    p->opened_at = uv_now(peers->loop);
    p->remind_at = peers->config.remind_ms == 0 ? 0 : 1; /* at the first sweep after HELLO */
    bao_buf_init(&p->held, HELD_MAX);
    bao_buf_init(&p->refusal, REFUSAL_MAX);
    bao_server_init(&p->session, &limits, baod_peers_time(peers));
    r = baod_stream_own(stream, &stream_ops, p);
    if (r < 0) {
        bao_server_deinit(&p->session);
        free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void baod_peer_close(struct baod_peer *p, bool linger, const char *why)
{
    struct baod_peers *peers = p->peers;

    enter(p, BAOD_PEER_CLOSING, why);
    baod_log(BAOD_LOG_INFO, "peer %llu %s closed: %s (%llu %s in %llu s)", (unsigned long long)p->id,
             baod_stream_name(p->stream), why, (unsigned long long)p->reports,
             bao_plural((long long)p->reports, "report", "reports"),
             (unsigned long long)((uv_now(peers->loop) - p->opened_at) / 1000));
    baod_stream_close(p->stream, linger);
    baod_peers_forget(peers, p);
    baod_peers_release(peers, p->charged);
    bao_server_deinit(&p->session);
    bao_buf_deinit(&p->held);
    bao_buf_deinit(&p->refusal);
    free((void *)(uintptr_t)p->who.units);
    free(p);
}

void baod_peer_drain(struct baod_peer *p, int within_ms)
{
    if (bao_server_drain(&p->session, within_ms) < 0)
        p->failed = "no memory to say that the server is stopping";
    enter(p, BAOD_PEER_DRAINING, "the server is stopping");
    baod_peer_touch(p);
}

/* Hands the session's octets to the stream. */
static void write_out(struct baod_peer *p)
{
    struct bao_buf *out = &p->session.out;
    int r;

    if (bao_buf_len(out) == 0)
        return;
    r = p->state == BAOD_PEER_TLS
            ? 0
            : baod_stream_write(p->stream, bao_buf_str(out)); /* nobody can read it yet */
    bao_buf_clear(out);
    if (r < 0 && p->failed == NULL)
        p->failed = r == -ENOBUFS ? "it does not read its answers" : strerror(-r);
}

static void give_back(struct baod_peer *p)
{
    uint64_t free_now = p->charged - p->session.reserved;

    if (p->charged <= p->session.reserved)
        return;
    p->charged = p->session.reserved;
    baod_peers_release(p->peers, free_now);
}

bool baod_peer_settle(struct baod_peer *p)
{
    bool slow;

    if (p->failed == NULL && (p->holds & BAOD_HOLD_WRITE) == 0 &&
        (bao_buf_len(&p->held) != 0 || p->session.reserving))
        run_held(p);
    give_back(p);
    write_out(p);
    if (p->failed != NULL) {
        baod_peer_close(p, false, p->failed);
        return false;
    }
    if (p->session.state == BAO_SERVER_ENDED) {
        baod_peer_close(p, true, p->session.why);
        return false;
    }
    if ((p->holds & BAOD_HOLD_EOF) != 0 && p->session.n_open == 0 && bao_buf_len(&p->held) == 0 &&
        !is_waiting(p)) {
        baod_peer_close(p, true, "closed by the other side");
        return false;
    }
    if (p->session.state == BAO_SERVER_OPEN && p->state == BAOD_PEER_HELLO)
        enter(p, BAOD_PEER_READY, "HELLO accepted");
    slow = baod_stream_queued(p->stream) > BAOD_STREAM_MARK;
    if (slow)
        set_hold(p, BAOD_HOLD_WRITE, "does not read its answers");
    else
        clear_hold(p, BAOD_HOLD_WRITE);
    if (is_waiting(p))
        set_hold(p, BAOD_HOLD_INPUT, "waits for its turn");
    else if (bao_buf_len(&p->held) == 0)
        clear_hold(p, BAOD_HOLD_INPUT);
    if (p->state == BAOD_PEER_READY && p->holds != 0)
        enter(p, BAOD_PEER_THROTTLED, "waits");
    return true;
}

/* Units that are many at once (any_unit) are not reminded: it would be the whole province's list. */
static void remind(struct baod_peer *p, uint64_t now_ms)
{
    const struct baod_brp_ops *ops = p->peers->ops;

    if (ops->remind == NULL || p->remind_at == 0 || now_ms < p->remind_at || p->who.any_unit ||
        p->session.state != BAO_SERVER_OPEN || p->peers->reminders == 0)
        return;
    p->peers->reminders--;
    p->remind_at = now_ms + p->peers->config.remind_ms;
    ops->remind(ops->user, p->id, &p->who);
}

void baod_peer_renew(struct baod_peer *p)
{
    void *transform = baod_stream_transform(p->stream);

    p->renewal = p->peers->renewal;
    if (transform == NULL || baod_tls_renew(transform, p->peers->tls) || p->by_token)
        return;
    if (bao_server_bye(&p->session, "AUTH", "its certificate is no longer trusted") < 0)
        p->failed = "its certificate is no longer trusted";
    baod_peer_touch(p);
}

/* Has it taken none of its answers for a long time in which the daemon was awake? */
static bool takes_nothing(struct baod_peer *p, uint64_t now_ms)
{
    return baod_stream_queued(p->stream) != 0 && now_ms - baod_stream_progress(p->stream) > STALL_MS &&
           now_ms - p->peers->woke_at > STALL_MS;
}

/* The daemon leaves: is all that was read answered, or the time for it over? */
static bool is_finished(const struct baod_peer *p, uint64_t now_ms)
{
    return now_ms >= p->peers->drain_until || (bao_server_quiet(&p->session) && bao_buf_len(&p->held) == 0);
}

void baod_peer_sweep(struct baod_peer *p, uint64_t now_ms)
{
    remind(p, now_ms);
    if (p->refuse_at != 0 && now_ms >= p->refuse_at) {
        p->refuse_at = 0;
        if (bao_server_refuse(&p->session, BAO_SYM_AUTH, bao_buf_str(&p->refusal),
                              baod_peers_time(p->peers)) < 0)
            p->failed = "no memory to refuse it";
        bao_buf_deinit(&p->refusal);
        baod_peer_touch(p);
    }
    if (bao_server_expire(&p->session, baod_peers_time(p->peers)))
        baod_peer_touch(p);
    else if (takes_nothing(p, now_ms))
        p->failed = "it does not read its answers";
    else if (p->peers->draining && is_finished(p, now_ms) &&
             bao_server_bye(&p->session, "DRAINING", "the server is stopping") < 0)
        p->failed = "the server is stopping";
    else
        bao_server_trim(&p->session);
    if (p->failed != NULL || p->session.state == BAO_SERVER_ENDED)
        baod_peer_touch(p);
}
