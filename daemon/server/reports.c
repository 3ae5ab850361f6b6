#include "daemon/brp/peers.h"
#include "daemon/brp/who.h"
#include "daemon/config/snapshot.h"
#include "daemon/net/listener.h"
#include "daemon/ops/log.h"
#include "daemon/ops/socket.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/credentials.h"
#include "daemon/store/due.h"
#include "daemon/store/notices.h"
#include "daemon/store/stat.h"
#include "lib/form/due.h"

static int hello(void *user, uint64_t peer, const struct baod_brp_hello *said)
{
    struct baod_server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
    const struct baod_who who = {.credentials = s->credentials,
                                 .registry = &s->snapshot->registry,
                                 .now = baod_clock_now(&s->clock),
                                 .arena = &arena};
    struct baod_brp_verdict verdict;
    int r = baod_who_says_hello(&who, said, &verdict);

    if (r == 0)
        baod_brp_identity(s->peers, peer, &verdict);
    bao_arena_deinit(&arena);
    return r;
}

bool baod_server_token_holds(void *user, const uint8_t credential[16])
{
    struct baod_server *s = user;

    return baod_credentials_holds(s->credentials, credential, baod_clock_now(&s->clock));
}

/* One STAT under way: whom to answer. */
struct stat_call {
    struct baod_server *server;
    uint64_t peer;
    uint32_t txn;
};

/* What a unit was told by STAT it need not be told again. */
static void on_stat(void *user, const struct baod_stat *stat)
{
    struct stat_call *call = user;
    const struct baod_brp_fate fate = {
        .symbol = stat->symbol,
        .receipt = stat->receipt,
        .form = stat->form,
        .unit = stat->unit,
        .period = stat->period,
        .file = stat->file,
        .warnings = stat->warnings,
    };

    if (call->server->peers != NULL && baod_brp_fate(call->server->peers, call->peer, call->txn, &fate) &&
        call->server->notices != NULL)
        baod_notices_read_one(call->server->notices, stat->unit, stat->form, stat->period,
                              stat->receipt.revision);
    free(call);
}

static int stat_report(void *user, uint64_t peer, uint32_t txn, const struct baod_brp_stat *question,
                       const struct baod_identity *who)
{
    struct baod_server *s = user;
    struct stat_call *call = malloc(sizeof(*call));
    struct baod_stat_ask asked = {
        .by_receipt = question->by_receipt,
        .form = question->form,
        .unit = question->unit,
        .period = question->period,
        .revision = question->revision,
        .proof = question->proof,
    };
    int r = -ENOMEM;

    (void)who; /* the port knows whose report an answer may tell of */
    if (call == NULL)
        return r;
    *call = (struct stat_call){.server = s, .peer = peer, .txn = txn};
    memcpy(asked.receipt, question->receipt, sizeof(asked.receipt));
    r = baod_server_look_up(s, &asked, on_stat, call);
    if (r < 0)
        free(call);
    return r;
}

static void on_due(void *user, const struct baod_due_answer *answer)
{
    struct stat_call *call = user;
    struct baod_server *s = call->server;

    if (s->peers != NULL &&
        baod_brp_lines(s->peers, call->peer, call->txn, answer->symbol, answer->heir, answer->lines) &&
        answer->from_store && s->notices != NULL)
        baod_notices_read_all(s->notices, answer->codes, answer->n_codes);
    free(call);
}

static int list_due(void *user, uint64_t peer, uint32_t txn, const struct baod_brp_due *question,
                    const struct baod_identity *who)
{
    struct baod_server *s = user;
    struct stat_call *call = malloc(sizeof(*call));
    const struct baod_due_ask asked = {
        .snapshot = s->snapshot,
        .unit = question->unit,
        .until = question->until,
        .now = baod_clock_now(&s->clock),
        .lang = question->lang,
    };
    int r;

    (void)who; /* the port has asked whether it may know */
    if (call == NULL)
        return -ENOMEM;
    *call = (struct stat_call){.server = s, .peer = peer, .txn = txn};
    r = baod_due(s->reading, &asked, on_due, call);
    if (r < 0)
        free(call);
    return r;
}

static struct bao_str heir(void *user, struct bao_str unit)
{
    struct baod_server *s = user;
    const struct bao_registry *registry = &s->snapshot->registry;
    bao_date today = bao_time_date(baod_clock_now(&s->clock), registry->offset);
    const struct bao_unit *u = bao_registry_successor(registry, unit, today);

    return u == NULL ? BAO_STR_NULL : u->code;
}

/* ------------------------------------------------------------------ telling units */

void baod_server_tell_notice(void *user, uint64_t peer, const struct baod_notice *notice)
{
    struct baod_server *s = user;

    if (s->peers != NULL)
        baod_brp_notify(s->peers, peer, notice);
}

/* The codes of a peer with those that its units took over, in the arena. */
static int peer_codes(struct baod_server *s, struct bao_arena *arena, const struct baod_identity *who,
                      struct bao_str **ret, size_t *ret_n)
{
    bao_date today = bao_time_date(baod_clock_now(&s->clock), s->snapshot->registry.offset);
    struct bao_str *all = NULL;
    size_t n = 0;

    for (size_t i = 0; i < who->n_units; i++) {
        struct bao_str *codes, *more;
        size_t k;
        int r = bao_due_codes(arena, &s->snapshot->registry, who->units[i], today, &codes, &k);

        if (r < 0)
            return r;
        more = bao_arena_array(arena, n + k, sizeof(*more));
        if (more == NULL)
            return -ENOMEM;
        if (n != 0)
            memcpy(more, all, n * sizeof(*more));
        memcpy(more + n, codes, k * sizeof(*more));
        all = more;
        n += k;
    }
    *ret = all;
    *ret_n = n;
    return 0;
}

/* A failure costs one telling: the unit will hear of it another time. */
static void opened(void *user, uint64_t peer, const struct baod_identity *who)
{
    struct baod_server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_str *codes = NULL;
    size_t n = 0;

    if (s->notices != NULL && (who->any_unit || who->n_units != 0) &&
        peer_codes(s, &arena, who, &codes, &n) == 0)
        baod_notices_unread(s->notices, codes, who->any_unit ? 0 : n, baod_server_tell_notice, s, peer);
    bao_arena_deinit(&arena);
}

static void remind(void *user, uint64_t peer, const struct baod_identity *who)
{
    struct baod_server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(0);
    bao_time now_is = baod_clock_now(&s->clock);
    bao_time until = now_is + s->settings->remind_before_ms * (BAO_SECOND / 1000);
    struct bao_str *codes = NULL;
    size_t n = 0;

    if (s->notices != NULL && peer_codes(s, &arena, who, &codes, &n) == 0 && n != 0)
        baod_notices_near(s->notices, codes, n, now_is, until, baod_server_tell_notice, s, peer);
    bao_arena_deinit(&arena);
}

/* ------------------------------------------------------------------ opening the port */

static void on_stream(void *user, struct baod_stream *stream)
{
    struct baod_server *s = user;

    baod_peers_accept(s->peers, stream);
}

static void on_unaccepted(void *user, int error)
{
    (void)user;
    baod_log(BAOD_LOG_WARNING, "reports: a connection could not be accepted: %s", strerror(-error));
}

int baod_server_serve_reports(struct baod_server *s)
{
    struct baod_brp_config config = baod_brp_defaults();
    struct baod_listener_config listening = {.plaintext = s->settings->reports_plaintext,
                                             .on_stream = on_stream,
                                             .on_refused = on_unaccepted,
                                             .user = s};
    struct baod_socket socket;
    int r = baod_server_load_keys(s);

    if (r == 0)
        r = baod_server_open_socket(s, "reports", s->settings->reports_address,
                                    s->settings->reports_plaintext || s->tls != NULL, &socket);
    if (r != 0)
        return r;
    config.limits.items = (uint32_t)s->settings->peer_items;
    config.limits.bytes = (uint64_t)s->settings->peer_bytes;
    config.limits.maxbody = (uint64_t)s->settings->max_body;
    config.limits.maxraw = (uint64_t)s->settings->max_document;
    config.limits.hello_ms = (int)s->settings->hello_ms;
    config.limits.idle_s = (int)(s->settings->idle_ms / 1000);
    config.total_bytes = (uint64_t)s->settings->total_bytes;
    config.max_peers = (size_t)s->settings->connections;
    config.max_per_address = (size_t)s->settings->per_address;
    config.offset = s->snapshot->registry.offset;
    config.failures = &s->failures;
    config.remind_ms = (uint64_t)s->settings->remind_every_ms;
    s->brp_ops = (struct baod_brp_ops){.user = s,
                                       .now = baod_server_now,
                                       .submit = baod_server_submit,
                                       .stat = stat_report,
                                       .due = list_due,
                                       .hello = hello,
                                       .opened = opened,
                                       .remind = remind,
                                       .heir = heir};
    listening.fd = socket.fd;
    listening.transform = s->tls != NULL ? baod_server_transform : NULL;
    s->net = baod_net_new(&s->loop);
    if (s->net == NULL)
        return -ENOMEM;
    r = baod_peers_new(&s->loop, &config, &s->brp_ops, &s->peers);
    if (r == 0)
        r = baod_listener_open(s->net, &listening, &s->listener);
    return r == 0 ? baod_server_write_port(&socket, "reports", s->settings->reports_port_file) : r;
}
