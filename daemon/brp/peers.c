#include "daemon/brp/peers.h"

#include "daemon/answer.h"
#include "daemon/brp/peer.h"
#include "daemon/net/tls.h"
#include "daemon/ops/log.h"

enum {
    SWEEP_MS = 250,
    RENEWALS = 32,    /* certificates judged again in a sweep: some 10 ms */
    REMINDERS = 64,   /* a sweep: when all units come back at once, reporting goes first */
    ASLEEP_MS = 1000, /* between two looks at the clock: so long the daemon itself did nothing */
};

struct baod_brp_config baod_brp_defaults(void)
{
    return (struct baod_brp_config){
        .limits = {.items = 64, .bytes = 4 << 20, .maxbody = 1 << 20, .maxraw = 4 << 20, .idle_s = 180},
        .total_bytes = 256 << 20,
        .max_peers = 8192,
        .offset = BAO_VN_OFFSET,
        .server = "baocaod",
    };
}

int64_t baod_peers_time(struct baod_peers *peers)
{
    uint64_t now = uv_now(peers->loop);

    if (now - peers->looked_at > ASLEEP_MS) {
        peers->asleep += now - peers->looked_at;
        peers->woke_at = now;
    }
    peers->looked_at = now;
    return (int64_t)(now - peers->asleep) * 1000;
}

/* The registry. */

struct baod_peer *baod_peers_find(struct baod_peers *peers, uint64_t id)
{
    size_t slot = (size_t)(id & UINT32_MAX);

    return slot < peers->config.max_peers && peers->slots[slot] != NULL && peers->slots[slot]->id == id
               ? peers->slots[slot]
               : NULL;
}

void baod_peers_forget(struct baod_peers *peers, struct baod_peer *p)
{
    uint32_t slot = (uint32_t)(p->id & UINT32_MAX);
    struct baod_peer **at;

    for (at = &peers->touched; p->touched && *at != NULL; at = &(*at)->next_touched) {
        if (*at == p) {
            *at = p->next_touched;
            break;
        }
    }
    for (at = &peers->waiting; p->queued_for_budget && *at != NULL; at = &(*at)->next_waiting) {
        if (*at == p) {
            *at = p->next_waiting;
            if (peers->waiting_end == &p->next_waiting)
                peers->waiting_end = at;
            peers->counts.waiting--;
            break;
        }
    }
    peers->slots[slot] = NULL;
    peers->free_slots[peers->n_free++] = slot;
    peers->n_open--;
    peers->counts.closed++;
}

/* The budget of all. */

static bool fits(const struct baod_peers *peers, uint64_t octets)
{
    return peers->reserved == 0 || peers->reserved + octets <= peers->config.total_bytes;
}

bool baod_peers_reserve(struct baod_peers *peers, struct baod_peer *p, uint64_t octets)
{
    if (peers->waiting == NULL && fits(peers, octets)) {
        peers->reserved += octets;
        return true;
    }
    p->queued_for_budget = true;
    p->next_waiting = NULL;
    *peers->waiting_end = p;
    peers->waiting_end = &p->next_waiting;
    peers->counts.waiting++;
    return false;
}

void baod_peers_release(struct baod_peers *peers, uint64_t octets)
{
    bao_require(octets <= peers->reserved);
    peers->reserved -= octets;
    while (peers->waiting != NULL && fits(peers, peers->waiting->session.reserve)) {
        struct baod_peer *p = peers->waiting;

        peers->waiting = p->next_waiting;
        if (peers->waiting == NULL)
            peers->waiting_end = &peers->waiting;
        p->queued_for_budget = false;
        peers->counts.waiting--;
        peers->reserved += p->session.reserve;
        p->charged += p->session.reserve;
        bao_server_grant(&p->session, baod_peers_time(peers));
        baod_peer_touch(p);
    }
}

/* Settling. */

void baod_peer_touch(struct baod_peer *p)
{
    if (p->touched)
        return;
    p->touched = true;
    p->next_touched = p->peers->touched;
    p->peers->touched = p;
}

static void tell_drained(struct baod_peers *peers)
{
    void (*drained)(void *user) = peers->drained;

    if (!peers->draining || peers->n_open != 0 || drained == NULL)
        return;
    peers->drained = NULL;
    drained(peers->drained_user);
}

static void settle_all(struct baod_peers *peers)
{
    bool any = peers->touched != NULL;

    while (peers->touched != NULL) {
        struct baod_peer *p = peers->touched;

        peers->touched = p->next_touched;
        p->touched = false;
        (void)baod_peer_settle(p); /* gone or not: it is off the list */
    }
    if (any)
        tell_drained(peers);
}

static void on_check(uv_check_t *handle)
{
    settle_all(handle->data);
}

static void on_prepare(uv_prepare_t *handle)
{
    settle_all(handle->data);
}

static void on_sweep(uv_timer_t *handle)
{
    struct baod_peers *peers = handle->data;
    uint64_t now = uv_now(peers->loop);
    unsigned renewals = 0;

    (void)baod_peers_time(peers); /* looks at the clock, also when nobody is connected */
    peers->reminders = REMINDERS;
    for (size_t i = 0; i < peers->config.max_peers; i++) {
        struct baod_peer *p = peers->slots[i];

        if (p == NULL)
            continue;
        if (p->renewal != peers->renewal && p->state != BAOD_PEER_TLS && renewals++ < RENEWALS)
            baod_peer_renew(p);
        baod_peer_sweep(p, now);
    }
}

void baod_peers_renew(struct baod_peers *peers, struct baod_tls *tls)
{
    baod_tls_unref(peers->tls);
    peers->tls = baod_tls_ref(tls);
    peers->renewal++;
}

int baod_peers_new(uv_loop_t *loop, const struct baod_brp_config *config, const struct baod_brp_ops *ops,
                   struct baod_peers **ret)
{
    struct baod_peers *peers = calloc(1, sizeof(*peers));

    if (peers == NULL)
        return -ENOMEM;
    peers->loop = loop;
    peers->looked_at = uv_now(loop);
    peers->config = *config;
    peers->ops = ops;
    peers->waiting_end = &peers->waiting;
    peers->slots = calloc(config->max_peers, sizeof(*peers->slots));
    peers->free_slots = calloc(config->max_peers, sizeof(*peers->free_slots));
    if (peers->slots == NULL || peers->free_slots == NULL) {
        free(peers->slots);
        free(peers->free_slots);
        free(peers);
        return -ENOMEM;
    }
    for (size_t i = config->max_peers; i > 0; i--)
        peers->free_slots[peers->n_free++] = (uint32_t)(i - 1);
    /* None of these can fail: they only link the handle to the loop. */
    (void)uv_check_init(loop, &peers->check);
    (void)uv_prepare_init(loop, &peers->prepare);
    (void)uv_timer_init(loop, &peers->sweep);
    peers->check.data = peers->prepare.data = peers->sweep.data = peers;
    peers->handles = 3;
    (void)uv_check_start(&peers->check, on_check);
    (void)uv_prepare_start(&peers->prepare, on_prepare);
    (void)uv_timer_start(&peers->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    *ret = peers;
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct baod_peers *peers = handle->data;

    if (--peers->handles != 0)
        return;
    free(peers->slots);
    free(peers->free_slots);
    baod_tls_unref(peers->tls);
    free(peers);
}

void baod_peers_close(struct baod_peers *peers)
{
    if (peers == NULL || peers->closing)
        return;
    peers->closing = true;
    for (size_t i = 0; i < peers->config.max_peers; i++)
        if (peers->slots[i] != NULL)
            baod_peer_close(peers->slots[i], false, "the server has stopped");
    uv_close((uv_handle_t *)&peers->check, on_handle_closed);
    uv_close((uv_handle_t *)&peers->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&peers->sweep, on_handle_closed);
}

void baod_peers_drain(struct baod_peers *peers, int within_ms, void (*drained)(void *user), void *user)
{
    peers->draining = true;
    peers->drain_until = uv_now(peers->loop) + (uint64_t)within_ms;
    peers->drained = drained;
    peers->drained_user = user;
    for (size_t i = 0; i < peers->config.max_peers; i++)
        if (peers->slots[i] != NULL)
            baod_peer_drain(peers->slots[i], within_ms);
    tell_drained(peers);
}

size_t baod_peers_count(const struct baod_peers *peers)
{
    return peers->n_open;
}

struct baod_brp_counts baod_peers_counts(const struct baod_peers *peers)
{
    struct baod_brp_counts counts = peers->counts;

    counts.open = peers->n_open;
    counts.reserved = peers->reserved;
    return counts;
}

/* Accepting. */

static size_t count_address(const struct baod_peers *peers, const struct baod_stream *stream)
{
    size_t n = 0;

    for (size_t i = 0; i < peers->config.max_peers; i++)
        n += peers->slots[i] != NULL && baod_stream_is_neighbour(peers->slots[i]->stream, stream);
    return n;
}

/* Sends a stranger away: a word for those who can read it without a handshake. */
static void turn_away(struct baod_peers *peers, struct baod_stream *stream, const char *code, const char *why)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(256);
    bool said = false;

    peers->counts.refused++;
    baod_log(BAOD_LOG_NOTICE, "connection from %s refused: %s", baod_stream_name(stream), why);
    if (baod_stream_transform(stream) == NULL && bao_buf_printf(&out, "BYE 0 0 code=%s\n\n", code) == 0)
        said = baod_stream_write(stream, bao_buf_str(&out)) == 0;
    baod_stream_close(stream, said);
}

void baod_peers_accept(struct baod_peers *peers, struct baod_stream *stream)
{
    struct baod_peer *p;
    uint32_t slot;
    int r;

    if (peers->draining || peers->closing) {
        turn_away(peers, stream, "DRAINING", "the server is stopping");
        return;
    }
    if (peers->n_free == 0) {
        turn_away(peers, stream, "BUSY", "too many connections");
        return;
    }
    if (peers->config.max_per_address != 0 && count_address(peers, stream) >= peers->config.max_per_address) {
        turn_away(peers, stream, "BUSY", "too many connections from its address");
        return;
    }
    slot = peers->free_slots[peers->n_free - 1];
    r = baod_peer_new(peers, ++peers->serial << 32 | slot, stream, &p);
    if (r < 0) {
        turn_away(peers, stream, "BUSY", strerror(-r));
        return;
    }
    peers->n_free--;
    peers->n_open++;
    peers->slots[slot] = p;
    peers->counts.accepted++;
}

/* Answers that come from elsewhere. */

/* The peer an answer is for; NULL when it has gone. */
static struct baod_peer *answer_to(struct baod_peers *peers, uint64_t id)
{
    struct baod_peer *p = baod_peers_find(peers, id);

    if (p == NULL)
        peers->counts.late++;
    else
        baod_peer_touch(p);
    return p;
}

static void give(struct baod_peer *p, uint32_t txn, enum bao_symbol symbol, int after_ms,
                 const struct bao_buf *keys, struct bao_str body)
{
    struct baod_brp_counts *counts = &p->peers->counts;
    int64_t now = baod_peers_time(p->peers);
    enum bao_answer answer = bao_symbol_info(symbol)->answer;
    int r;

    if (symbol == BAO_SYM_NONE) {
        r = bao_server_ok(&p->session, txn, bao_buf_str(keys), body, now);
        counts->ok++;
    } else {
        r = bao_server_no(&p->session, txn, symbol, after_ms, body, now);
        if (answer == BAO_WAIT)
            counts->wait++;
        else
            counts->no++;
    }
    if (r < 0 && p->failed == NULL)
        p->failed = strerror(-r);
}

void baod_brp_answer(void *user, uint64_t peer, uint32_t txn, const struct baod_submission *s)
{
    struct baod_peers *peers = user;
    struct baod_peer *p = answer_to(peers, peer);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(8192), body = BAO_BUF_NULL(1 << 20);
    struct baod_brp_fate fate = {.receipt = s->receipt, .form = s->verdict.form_id, .unit = s->verdict.unit};
    char period[16];
    int r = 0;

    if (p == NULL)
        return;
    if (s->symbol == BAO_SYM_NONE) {
        bao_period_print(s->verdict.period, period);
        fate.period = bao_str_c(period);
        r = baod_answer_keys(&keys, &fate, peers->config.offset);
    }
    if (r == 0)
        r = baod_answer_findings(&body, s, p->session.lang, p->session.json);
    if (r < 0 && p->failed == NULL)
        p->failed = strerror(-r);
    give(p, txn, s->symbol, s->after_ms, &keys, bao_buf_str(&body));
}

bool baod_brp_fate(struct baod_peers *peers, uint64_t peer, uint32_t txn, const struct baod_brp_fate *fate)
{
    struct baod_peer *p = answer_to(peers, peer);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(8192), body = BAO_BUF_NULL(1 << 20);

    if (p == NULL)
        return false;
    if (fate->unit.n != 0 && !baod_peer_speaks_for(p, fate->unit)) { /* a receipt of somebody else's */
        give(p, txn, BAO_SYM_UNKNOWN, 0, &keys, BAO_STR_NULL);
        return false;
    }
    if (fate->symbol == BAO_SYM_NONE && baod_answer_keys(&keys, fate, peers->config.offset) < 0)
        p->failed = "no memory for its answer";
    if (fate->symbol == BAO_SYM_NONE && fate->file.n == 0 &&
        baod_answer_warnings(&body, fate->warnings, p->session.lang, p->session.json) < 0)
        p->failed = "no memory for its answer";
    give(p, txn, fate->symbol, 0, &keys, fate->file.n != 0 ? fate->file : bao_buf_str(&body));
    return fate->unit.n != 0;
}

bool baod_brp_lines(struct baod_peers *peers, uint64_t peer, uint32_t txn, enum bao_symbol symbol,
                    struct bao_str heir, struct bao_str lines)
{
    static const struct bao_str no_unit[BAO_LANGS] = {
        [BAO_VI] = {"Không có đơn vị nào mang mã này.", sizeof("Không có đơn vị nào mang mã này.") - 1},
        [BAO_EN] = {"No unit has this code.", sizeof("No unit has this code.") - 1},
    };
    struct baod_peer *p = answer_to(peers, peer);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(256), said = BAO_BUF_NULL(4096);

    if (p != NULL && symbol == BAO_SYM_UNKNOWN && lines.n == 0 &&
        bao_symbol_body(&said, symbol, no_unit, p->session.lang, p->session.json) == 0)
        lines = bao_buf_str(&said);
    if (p != NULL && heir.n != 0 && bao_head_put(&keys, "heir", heir) < 0)
        bao_buf_clear(&keys); /* without memory it is not named; the lines say it too */
    if (p != NULL)
        give(p, txn, symbol, 0, &keys, lines);
    return p != NULL;
}

/* Copies whom a peer speaks for: the list of units and then their texts. */
static int keep_identity(struct baod_peer *p, const struct baod_brp_verdict *verdict)
{
    const struct baod_identity *who = &verdict->who;
    size_t n = who->n_units * sizeof(*who->units);
    struct bao_str *units;
    char *at;

    for (size_t i = 0; i < who->n_units; i++)
        n += who->units[i].n;
    units = malloc(n + 1);
    if (units == NULL)
        return -ENOMEM;
    at = (char *)(units + who->n_units);
    for (size_t i = 0; i < who->n_units; i++) {
        if (who->units[i].n != 0)
            memcpy(at, who->units[i].p, who->units[i].n);
        units[i] = (struct bao_str){at, who->units[i].n};
        at += who->units[i].n;
    }
    free((void *)(uintptr_t)p->who.units);
    p->who = *who;
    p->who.units = units;
    p->by_token = verdict->by_token;
    return 0;
}

/* Puts the refusal of a wrong HELLO off. */
static void refuse_later(struct baod_peer *p, struct bao_str body)
{
    struct baod_peers *peers = p->peers;
    struct bao_str account = {(const char *)p->account, p->by_token ? sizeof(p->account) : 0};
    uint64_t now = uv_now(peers->loop);
    struct baod_failure failure =
        baod_failures_add(peers->config.failures, bao_str_c(baod_stream_address(p->stream)), account, now);

    bao_buf_clear(&p->refusal);
    if (bao_buf_append_str(&p->refusal, body) < 0)
        bao_buf_clear(&p->refusal); /* the symbol's own sentence must do */
    p->refuse_at = now + failure.after_ms;
    peers->counts.auth_failed++;
    baod_log(BAOD_LOG_NOTICE,
             "peer %llu %s: HELLO refused: AUTH (%u lately from its address or with its token)",
             (unsigned long long)p->id, baod_stream_name(p->stream), failure.count);
}

/* The sentence beside a verdict as a body; empty when there is none. */
static int verdict_body(const struct baod_peer *p, const struct baod_brp_verdict *verdict,
                        struct bao_buf *out)
{
    enum bao_symbol symbol = verdict->symbol != BAO_SYM_NONE ? verdict->symbol : BAO_SYM_UNIT;

    if (verdict->detail[p->session.lang].n == 0)
        return 0;
    return bao_symbol_body(out, symbol, verdict->detail, p->session.lang, p->session.json);
}

void baod_brp_identity(struct baod_peers *peers, uint64_t peer, const struct baod_brp_verdict *verdict)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf body = BAO_BUF_NULL(64 * 1024);
    struct baod_peer *p = answer_to(peers, peer);
    int64_t now = baod_peers_time(peers);
    int r;

    if (p == NULL)
        return;
    r = verdict_body(p, verdict, &body);
    if (r == 0 && verdict->symbol == BAO_SYM_AUTH) {
        refuse_later(p, bao_buf_str(&body));
        return;
    }
    if (r == 0 && verdict->symbol != BAO_SYM_NONE) {
        r = bao_server_refuse(&p->session, verdict->symbol, bao_buf_str(&body), now);
    } else if (r == 0) {
        r = keep_identity(p, verdict);
        if (r == 0)
            r = bao_server_greet(&p->session, bao_str_c(peers->config.server), bao_buf_str(&body), now);
    }
    if (r < 0) {
        p->failed = strerror(-r);
        return;
    }
    if (verdict->symbol == BAO_SYM_NONE && peers->ops->opened != NULL)
        peers->ops->opened(peers->ops->user, peer, &p->who);
}

void baod_peers_recheck(struct baod_peers *peers, bool (*holds)(void *user, const uint8_t credential[16]),
                        void *user)
{
    for (size_t i = 0; i < peers->config.max_peers; i++) {
        struct baod_peer *p = peers->slots[i];

        if (p == NULL || !p->by_token || p->who.n_units == 0 || holds(user, p->who.credential))
            continue;
        if (bao_server_bye(&p->session, "AUTH", "its token holds no more") < 0)
            p->failed = "its token holds no more";
        baod_peer_touch(p);
    }
}

void baod_brp_tell(struct baod_peers *peers, struct bao_str unit, const char *verb, struct bao_str keys,
                   struct bao_str body)
{
    struct bao_str heir = peers->ops->heir != NULL ? peers->ops->heir(peers->ops->user, unit) : BAO_STR_NULL;

    for (size_t i = 0; i < peers->config.max_peers; i++) {
        struct baod_peer *p = peers->slots[i];

        if (p == NULL || !baod_peer_has_unit(p, unit, heir))
            continue;
        if (bao_server_tell(&p->session, verb, keys, body) < 0)
            p->failed = "no memory for what it is told";
        baod_peer_touch(p);
    }
}
