#include "daemon/config/snapshot.h"
#include "daemon/http/api.h"
#include "daemon/ops/log.h"
#include "daemon/ops/socket.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/credentials.h"
#include "daemon/store/due.h"
#include "daemon/store/notices.h"
#include "daemon/store/pg.h"
#include "daemon/store/queries.h"
#include "daemon/store/writer.h"

/* One question by HTTP: whom to answer, and whether the unit itself asked. */
struct due_call {
    struct baod_server *server;
    bool reads;
    baod_due_done *done;
    void *user;
};

static void on_http_due(void *user, const struct baod_due_answer *answer)
{
    struct due_call *call = user;

    if (call->reads && answer->from_store && call->server->notices != NULL)
        baod_notices_read_all(call->server->notices, answer->codes, answer->n_codes);
    call->done(call->user, answer);
    free(call);
}

static int http_due(void *user, const struct baod_due_ask *ask, bool reads, baod_due_done *done,
                    void *done_user)
{
    struct baod_server *s = user;
    struct due_call *call = malloc(sizeof(*call));
    struct baod_due_ask asked = *ask;
    int r;

    if (call == NULL)
        return -ENOMEM;
    *call = (struct due_call){s, reads, done, done_user};
    asked.snapshot = s->snapshot;
    asked.now = baod_clock_now(&s->clock);
    r = baod_due(s->reading, &asked, on_http_due, call);
    if (r < 0)
        free(call);
    return r;
}

/* The codes of the units that the words mean, as a list; "-" is nobody's code. */
static int list_named(struct baod_server *s, struct bao_arena *arena, struct bao_str words,
                      struct bao_str *ret)
{
    const struct bao_registry *registry = &s->snapshot->registry;
    uint32_t *found = bao_arena_array(arena, registry->n_units, sizeof(*found));
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf list = BAO_BUF_NULL(1 << 20);
    size_t n = found == NULL ? 0 : bao_registry_search(registry, arena, words, found, registry->n_units);
    int r = found == NULL ? -ENOMEM : bao_buf_append_c(&list, "-");

    for (size_t i = 0; i < n && r == 0; i++)
        r = bao_buf_printf(&list, ",%.*s", BAO_STR_ARG(registry->units[found[i]].code));
    if (r == 0)
        *ret = bao_arena_str(arena, bao_buf_str(&list));
    return r == 0 && ret->p == NULL ? -ENOMEM : r;
}

/* A unit may be written by its name, with old or new tone marks; one that several units bear stays what it
 * is. */
static void resolve_unit(struct baod_server *s, struct bao_arena *arena, struct bao_str *unit)
{
    const struct bao_registry *registry = &s->snapshot->registry;
    bao_date today = bao_time_date(baod_clock_now(&s->clock), registry->offset);
    uint32_t found[2];

    if (unit->n != 0 && bao_registry_any(registry, *unit) == NULL &&
        bao_registry_named(registry, arena, *unit, today, found, BAO_COUNT(found)) == 1)
        *unit = registry->units[found[0]].code;
}

static int ask(void *user, const struct baod_ask *question, baod_ask_done *done, void *done_user)
{
    struct baod_server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct baod_ask asked = *question;
    int r = asked.named.n == 0 ? 0 : list_named(s, &arena, question->named, &asked.named);

    resolve_unit(s, &arena, &asked.unit);
    if (r == 0)
        r = baod_queries_ask(s->queries, &asked, done, done_user); /* it copies the texts */
    bao_arena_deinit(&arena);
    return r;
}

/* Is a report taken into custody although the database is away? */
static bool is_degraded(void *user)
{
    struct baod_server *s = user;

    return s->spool != NULL && (s->was_up || s->unready || baod_writer_is_away(s->writer));
}

static bool is_ready(void *user)
{
    struct baod_server *s = user;

    return baod_server_database_takes(s) && baod_pg_is_ready(s->reading);
}

static bool is_locked(void *user)
{
    return ((struct baod_server *)user)->locked;
}

static bool is_unready(void *user)
{
    return baod_writer_is_preparing(((struct baod_server *)user)->writer);
}

static int who(void *user, struct bao_str secret, const struct baod_credential **ret)
{
    struct baod_server *s = user;

    return baod_credentials_find(s->credentials, secret, baod_clock_now(&s->clock), ret);
}

static const struct baod_snapshot *snapshot_in_force(void *user)
{
    return ((struct baod_server *)user)->snapshot;
}

static int http_stat(void *user, const struct baod_stat_ask *asked, baod_stat_done *done, void *done_user)
{
    struct baod_server *s = user;

    return baod_server_look_up(s, asked, done, done_user);
}

static int make_api(struct baod_server *s)
{
    const struct baod_api_ops ops = {.user = s,
                                     .now = baod_server_now,
                                     .ask = ask,
                                     .is_ready = is_ready,
                                     .is_degraded = is_degraded,
                                     .is_locked = is_locked,
                                     .is_unready = is_unready,
                                     .who = who,
                                     .snapshot = snapshot_in_force,
                                     .submit = baod_server_submit,
                                     .metrics = baod_server_metrics,
                                     .stat = http_stat,
                                     .due = http_due,
                                     .act = baod_server_act};
    const struct baod_api_config config = {.local = s->settings->http_local,
                                           .offset = s->snapshot->registry.offset,
                                           .lang = s->lang,
                                           .failures = &s->failures};

    return baod_api_new(&config, &ops, &s->api);
}

int baod_server_serve_http(struct baod_server *s)
{
    const struct baod_http_limits limits = {
        .body = (size_t)s->settings->max_body,
        .total_body = (size_t)s->settings->total_bytes,
        .connections = (unsigned)s->settings->connections,
        .per_address = (unsigned)s->settings->per_address,
        .head_ms = (unsigned)s->settings->hello_ms,
        .idle_ms = (unsigned)s->settings->idle_ms,
        .answer_rate = 1, /* no faster than the report port wants a body sent (protocol.md) */
    };
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(BAOD_KEYS_ARENA);
    struct baod_http_handlers handlers;
    struct baod_http_keys keys;
    struct baod_socket socket;
    int r = baod_server_read_http_keys(s, &arena, &keys);

    if (r == 0)
        r = make_api(s);
    if (r == 0)
        r = baod_server_open_socket(s, "http", s->settings->http_address,
                                    s->settings->http_plaintext || s->tls != NULL, &socket);
    if (r != 0)
        return r;
    handlers = baod_api_handlers(s->api);
    r = baod_http_new(&s->loop, socket.fd, &limits, &handlers, &keys, &s->http);
    if (r != 0) {
        baod_log(BAOD_LOG_ERROR, "http: %s", r == -EKEYREJECTED ? "the keys cannot be used" : strerror(-r));
        return r;
    }
    baod_api_attach(s->api, s->http);
    return baod_server_write_port(&socket, "http", s->settings->http_port_file);
}
