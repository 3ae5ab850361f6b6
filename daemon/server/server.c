#include "daemon/server/server.h"

#include "daemon/brp/peers.h"
#include "daemon/config/snapshot.h"
#include "daemon/http/api.h"
#include "daemon/intake.h"
#include "daemon/net/listener.h"
#include "daemon/net/tls.h"
#include "daemon/ops/admin.h"
#include "daemon/ops/log.h"
#include "daemon/ops/sd.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/credentials.h"
#include "daemon/store/custody.h"
#include "daemon/store/embedded.h"
#include "daemon/store/notices.h"
#include "daemon/store/pg.h"
#include "daemon/store/queries.h"
#include "daemon/store/refusals.h"
#include "daemon/store/writer.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OWN_FILES = 256, TICK_MS = 1000 };

bao_time baod_server_now(void *user)
{
    struct baod_server *s = user;

    return baod_clock_now(&s->clock);
}

/* ------------------------------------------------------------------ leaving */

enum {
    GOODBYE_MS = 50,     /* between two looks whether all connections have gone */
    GOODBYES = 2500 / 50 /* a last answer has 2 s to be read before its connection is cut */
};

static void end_loop(struct baod_server *s);

static void on_goodbye(uv_timer_t *timer)
{
    struct baod_server *s = timer->data;

    if (baod_net_streams(s->net) == 0 || ++s->goodbyes > GOODBYES)
        end_loop(s);
}

/* All is answered; the answers are still on their way. */
static void part_done(struct baod_server *s)
{
    if (s->draining != 0 && --s->draining == 0)
        uv_timer_start(&s->goodbye, on_goodbye, GOODBYE_MS, GOODBYE_MS);
}

static void on_writer_drained(void *user)
{
    part_done(user);
}

static void on_refusals_drained(void *user)
{
    part_done(user);
}

static void on_intake_drained(void *user)
{
    struct baod_server *s = user;

    s->draining++;
    baod_refusals_drain(s->refusals, on_refusals_drained, s);

    /* Only now can nothing new reach the writer. */
    baod_writer_drain(s->writer, on_writer_drained, s);
}

static void on_peers_drained(void *user)
{
    struct baod_server *s = user;

    /* Only now has every report that was half read come to its end. */
    baod_intake_drain(s->intake, on_intake_drained, s);
}

static void on_deadline(uv_timer_t *timer)
{
    struct baod_server *s = timer->data;

    if (s->draining != 0) {
        baod_log(BAOD_LOG_WARNING, "drain: not finished in %lld ms; what got no answer will be sent again",
                 (long long)s->settings->drain_ms);
        s->code = BAOD_EXIT_FAILED;
    }
    end_loop(s);
}

/* Stops accepting, lets what was read be finished, then ends the loop. Sockets that systemd passed in stay
 * with it, so new connections wait for the next start. */
static void drain(struct baod_server *s, const char *why)
{
    if (s->state != BAOD_SERVING)
        return;
    s->state = BAOD_DRAINING;
    baod_log(BAOD_LOG_NOTICE, "drain: %s", why);
    baod_sd_stopping();
    baod_listener_close(BAO_TAKE(s->listener));
    baod_http_quiesce(s->http);
    uv_timer_start(&s->deadline, on_deadline, (uint64_t)s->settings->drain_ms, 0);
    s->draining = 1;
    /* The last quarter of the time is for storing and for last answers. */
    baod_peers_drain(s->peers, (int)(s->settings->drain_ms - s->settings->drain_ms / 4), on_peers_drained, s);
}

void baod_server_fail(struct baod_server *s, const char *why)
{
    s->code = BAOD_EXIT_FAILED;
    drain(s, why);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void end_loop(struct baod_server *s)
{
    if (s->state == BAOD_ENDING)
        return;
    s->state = BAOD_ENDING;
    s->draining = 0;
    baod_peers_close(BAO_TAKE(s->peers));
    baod_api_attach(s->api, NULL);
    baod_http_close(BAO_TAKE(s->http), NULL, NULL);
    baod_listener_close(BAO_TAKE(s->listener));
    s->admin = baod_admin_close(s->admin);
    s->refusals = baod_refusals_free(s->refusals);
    s->tls = baod_tls_unref(s->tls);
    s->queries = baod_queries_free(s->queries);
    s->notices = baod_notices_free(s->notices);
    s->reading = baod_pg_free(s->reading);
    s->quick = baod_pg_free(s->quick);
    if (s->custody != NULL)
        baod_custody_believe(s->custody, NULL);
    s->credentials = baod_credentials_free(s->credentials);
    s->writer = baod_writer_free(s->writer);
    if (s->custody != NULL)
        baod_custody_attach(s->custody, NULL);
    s->custody = baod_custody_free(s->custody);
    s->spool = baod_spool_close(s->spool);
    baod_net_close(BAO_TAKE(s->net));
    close_handle(&s->on_term);
    close_handle(&s->on_int);
    close_handle(&s->on_hup);
    close_handle(&s->tick);
    close_handle(&s->deadline);
    close_handle(&s->goodbye);
}

/* ------------------------------------------------------------------ signals */

static void on_stop_signal(uv_signal_t *handle, int signum)
{
    drain(handle->data, signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_reload_signal(uv_signal_t *handle, int signum)
{
    struct baod_server *s = handle->data;

    (void)signum;
    if (s->state != BAOD_SERVING)
        return;
    baod_sd_reloading();
    baod_server_renew_keys(s);
    if (baod_server_reload(s, BAOD_RELOAD_SIGNAL, 0) < 0)
        baod_log(BAOD_LOG_ERROR, "reload: no memory; the files in force stay");
}

static void init_handles(struct baod_server *s)
{
    uv_signal_init(&s->loop, &s->on_term); /* none of these can fail on a loop that was made */
    uv_signal_init(&s->loop, &s->on_int);
    uv_signal_init(&s->loop, &s->on_hup);
    uv_timer_init(&s->loop, &s->tick);
    uv_timer_init(&s->loop, &s->deadline);
    uv_timer_init(&s->loop, &s->goodbye);
    s->on_term.data = s->on_int.data = s->on_hup.data = s->tick.data = s->deadline.data = s->goodbye.data = s;
    uv_signal_start(&s->on_term, on_stop_signal, SIGTERM);
    uv_signal_start(&s->on_int, on_stop_signal, SIGINT);
    uv_signal_start(&s->on_hup, on_reload_signal, SIGHUP);
    uv_timer_start(&s->tick, baod_server_on_tick, TICK_MS, TICK_MS);
}

/* ------------------------------------------------------------------ starting */

static int start(struct baod_server *s)
{
    int r = baod_server_load_files(s);

    s->n_passed = baod_sd_sockets(s->passed); /* once: the call takes them out of the environment */
    if (r == 0)
        r = baod_server_open_database(s);
    if (r == 0)
        r = baod_server_load_key(s);
    if (r == 0)
        r = baod_server_make_store(s);
    if (r == 0)
        r = baod_server_serve_reports(s);
    if (r == 0)
        r = baod_server_serve_http(s);
    if (r == 0)
        baod_server_open_admin(s);
    return r;
}

static void name_node(struct baod_server *s)
{
    if (*s->settings->node != '\0')
        snprintf(s->node, sizeof(s->node), "%s", s->settings->node);
    else if (gethostname(s->node, sizeof(s->node) - 1) < 0)
        snprintf(s->node, sizeof(s->node), "baocaod");
}

/* Descriptors for all connections that are allowed: as many as the system lets us have. At the limit new
 * connections are closed and those that are there stay. */
static void raise_file_limit(const struct baod_server *s)
{
    rlim_t wanted = 2 * (rlim_t)s->settings->connections + OWN_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        baod_log(BAOD_LOG_WARNING,
                 "start: only %llu descriptors are allowed; limits.connections would need %llu (LimitNOFILE)",
                 (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

/* One thread of the pool more than judge, for preparing the database and reading files. */
static void size_pool(struct baod_server *s)
{
    char threads[24];

    snprintf(threads, sizeof(threads), "%u",
             baod_settings_threads(s->settings, uv_available_parallelism()) + 1);
    (void)setenv("UV_THREADPOOL_SIZE", threads, 0); /* without memory libuv's own default serves */
}

int baod_server_run(const struct baod_settings *settings)
{
    struct baod_server s = {
        .settings = settings, .lang = strcmp(settings->lang, "en") == 0 ? BAO_EN : BAO_VI, .lock = -1};
    int r;

    (void)signal(SIGPIPE, SIG_IGN); /* a peer that left shows as EPIPE */
    (void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit shows as EFBIG */
    size_pool(&s);
    raise_file_limit(&s);
    name_node(&s);
    baod_clock_init(&s.clock);
    r = uv_loop_init(&s.loop);
    if (r < 0) {
        baod_log(BAOD_LOG_ERROR, "start: %s", uv_strerror(r));
        return BAOD_EXIT_FAILED;
    }
    init_handles(&s);
    r = start(&s);
    if (r == 0) {
        s.state = BAOD_SERVING;
        baod_sd_ready("serving");
    } else {
        s.code = BAOD_EXIT_FAILED;
        end_loop(&s);
    }
    uv_run(&s.loop, UV_RUN_DEFAULT);
    s.intake = baod_intake_free(s.intake);
    s.api = baod_api_free(s.api);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&s.loop) != 0)
        baod_log(BAOD_LOG_WARNING, "stop: handles were left open");
    s.snapshot = baod_snapshot_unref(s.snapshot);
    s.candidate = baod_snapshot_unref(s.candidate);
    s.applying = baod_server_free_reload(s.applying);
    s.embedded = baod_embedded_close(s.embedded);
    if (s.lock >= 0)
        close(s.lock);
    baod_log(BAOD_LOG_NOTICE, "stopped");
    return s.code;
}
