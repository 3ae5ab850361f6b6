#include "daemon/server.h"

#include "daemon/answer.h"
#include "daemon/brp/peers.h"
#include "daemon/brp/who.h"
#include "daemon/config/bundle.h"
#include "daemon/config/files.h"
#include "daemon/config/snapshot.h"
#include "daemon/http/api.h"
#include "daemon/intake.h"
#include "daemon/net/listener.h"
#include "daemon/net/tls.h"
#include "daemon/ops/admin.h"
#include "daemon/ops/clock.h"
#include "daemon/ops/failures.h"
#include "daemon/ops/key.h"
#include "daemon/ops/log.h"
#include "daemon/ops/sd.h"
#include "daemon/ops/socket.h"
#include "daemon/store/acts.h"
#include "daemon/store/cache.h"
#include "daemon/store/credentials.h"
#include "daemon/store/custody.h"
#include "daemon/store/due.h"
#include "daemon/store/embedded.h"
#include "daemon/store/heads.h"
#include "daemon/store/notices.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pg.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/prepare.h"
#include "daemon/store/queries.h"
#include "daemon/store/refusals.h"
#include "daemon/store/stat.h"
#include "daemon/store/sync_report.h"
#include "daemon/store/writer.h"
#include "lib/form/due.h"
#include "lib/doc/load.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    KEYS_MAX = 1 << 20,
    RUSH = 64,
    OWN_FILES = 256,
    SHARE_SECONDS = 30,
    BACKLOG = 4096,
    TICK_MS = 1000,
    FRESH_TICKS = 5,
    AGAIN_TICKS = 10,
    CACHE_TICKS = 15,
    KEEP_TICKS = 60,
    PREPARE_WAIT_MS = 10000,
    EXIT_FAILED = 1
};

enum state { STARTING, SERVING, DRAINING, ENDING };

struct server {
    uv_loop_t loop;
    const struct baod_settings *settings;
    enum bao_lang lang;
    enum state state;
    int code;
    struct baod_clock clock;
    char node[64], province[64];
    uint8_t seed[32];

    struct baod_snapshot *snapshot;
    struct baod_snapshot *candidate; /* files reloaded, which the database has not taken yet; NULL: none */
    bool candidate_follows;  /* they were read anew because another daemon's are in force, not by anybody's
                                wish */
    bool synced;             /* the database has taken this daemon's files once */
    unsigned reread_after;   /* the tick from which on they may be read anew for that */
    struct reload *applying; /* `units apply` that waits for its files to be taken; NULL: none */
    struct baod_embedded *embedded;
    int lock; /* of the state folder, with a database of one's own */
    const char *conninfo;
    struct baod_writer *writer;
    struct baod_intake *intake;
    struct baod_pg *reading;
    struct baod_queries *queries;
    struct baod_notices *notices;
    struct baod_credentials *credentials;
    struct baod_spool *spool; /* NULL: switched off */
    struct baod_custody *custody;
    struct baod_cache cache;
    struct baod_failures failures; /* of identities, on both ports */
    struct baod_net *net;
    struct baod_listener *listener;
    struct baod_tls *tls; /* NULL: plaintext */
    struct baod_peers *peers;
    struct baod_brp_ops brp_ops;
    struct baod_http *http;
    struct baod_api *api;
    struct baod_admin *admin; /* NULL: it could not be opened, or not any more */
    unsigned acts;            /* under way */
    struct baod_refusals *refusals;

    struct baod_sd_socket passed[BAOD_SD_SOCKETS]; /* by the service manager */
    int n_passed;

    uv_signal_t on_term, on_int, on_hup;
    uv_timer_t tick, deadline;
    unsigned draining;  /* parts that have not told their end */
    bao_date heads_day; /* the local day on which the list of heads was last brought up to date */
    bool heads_busy;
    unsigned heads_after; /* the tick from which on it may be tried again */
    bao_date sync_day;    /* the local day that obligations were last made for */
    unsigned ticks;
    bool preparing;
    bool up, away; /* last told states of the database */
    bool was_up;   /* since the start */
    uint64_t moves,
        trimmed; /* connections opened and closed, at the last tick and when memory was given back */
};

static bao_time now(void *user)
{
    struct server *s = user;

    return baod_clock_now(&s->clock);
}

/* ------------------------------------------------------------------ leaving */

static void end_loop(struct server *s);
static void tell_notice(void *user, uint64_t peer, const struct baod_notice *notice);
static void prepare(struct baod_writer *writer, void *user);
static void finish_apply(struct server *s, const struct baod_snapshot *snapshot, bool taken);
static void read_anew(struct server *s);
static struct baod_chain_signer signer_of(const struct server *s);
static struct baod_sync_report *report_wanted(const struct server *s);

static void part_done(struct server *s)
{
    if (s->draining != 0 && --s->draining == 0)
        end_loop(s);
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
    struct server *s = user;

    s->draining++;
    baod_refusals_drain(s->refusals, on_refusals_drained, s);

    /* Only now can nothing new reach the writer. */
    baod_writer_drain(s->writer, on_writer_drained, s);
}

static void on_peers_drained(void *user)
{
    part_done(user);
}

static void on_deadline(uv_timer_t *timer)
{
    struct server *s = timer->data;

    baod_log(BAOD_LOG_WARNING, "drain: not finished in %lld ms; what got no answer will be sent again",
             (long long)s->settings->drain_ms);
    s->code = EXIT_FAILED;
    end_loop(s);
}

/* Stops accepting, lets what was read be finished, then ends the loop. Sockets that systemd passed in stay
 * with it, so new connections wait for the next start. */
static void drain(struct server *s, const char *why)
{
    if (s->state != SERVING)
        return;
    s->state = DRAINING;
    baod_log(BAOD_LOG_NOTICE, "drain: %s", why);
    baod_sd_stopping();
    baod_listener_close(BAO_TAKE(s->listener));
    baod_http_quiesce(s->http);
    uv_timer_start(&s->deadline, on_deadline, (uint64_t)s->settings->drain_ms, 0);
    s->draining = 2;
    baod_peers_drain(s->peers, (int)s->settings->drain_ms, on_peers_drained, s);
    baod_intake_drain(s->intake, on_intake_drained, s);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void end_loop(struct server *s)
{
    if (s->state == ENDING)
        return;
    s->state = ENDING;
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
}

/* ------------------------------------------------------------------ preparing the database */

/* What is to be in force: new files, as long as the database has not spoken of them. */
static struct baod_snapshot *wanted(const struct server *s)
{
    return s->candidate != NULL ? s->candidate : s->snapshot;
}

/* The database has taken the new files: they are in force now, for judging and for writing. */
static void put_in_force(struct server *s)
{
    baod_snapshot_unref(s->snapshot);
    s->snapshot = BAO_TAKE(s->candidate);
    baod_intake_use(s->intake, s->snapshot);
    if (s->custody != NULL)
        baod_custody_use(s->custody, s->snapshot);
    baod_log(BAOD_LOG_NOTICE, "reload: %zu forms, %zu units", s->snapshot->forms.n,
             s->snapshot->registry.n_units);
}

static void log_lines(const char *what, const char *lines)
{
    for (size_t n; *lines != '\0'; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        baod_log(BAOD_LOG_NOTICE, "%s: %.*s", what, (int)n, lines);
    }
}

/* Without memory the older ones stay. */
static void keep_epochs(struct server *s, const struct baod_dictionary *dictionary)
{
    if (s->spool != NULL && baod_cache_keep_epochs(s->spool, baod_clock_now(&s->clock),
                                                   baod_dictionary_registry_epoch(dictionary),
                                                   baod_dictionary_forms_epoch(dictionary)) < 0)
        baod_log(BAOD_LOG_WARNING, "spool: no memory to keep the epochs");
}

/* Another daemon of this database has put other files in force. Undoing that would go on for ever between the
 * two, so the files are read anew; where they are still others, a person has to bring the same ones to both.
 */
static void fall_in(struct server *s)
{
    if (s->candidate != NULL) {
        baod_log(
            BAOD_LOG_ERROR,
            "files: another daemon of this database judges by other forms or units than stand in this one's "
            "folders; bring the same files to both and reload");
        s->candidate = baod_snapshot_unref(s->candidate);
        s->reread_after = s->ticks + AGAIN_TICKS;
    } else if (s->ticks >= s->reread_after) {
        baod_log(BAOD_LOG_NOTICE, "files: another daemon has put newer ones in force; reading them anew");
        read_anew(s);
    }
    baod_writer_go(s->writer, NULL);
}

static void on_prepared(void *user, struct baod_snapshot *snapshot, const struct baod_prepared *prepared)
{
    struct server *s = user;
    const struct baod_sync_changes *changes = &prepared->changes;
    bool stale = snapshot != wanted(s); /* a reload came meanwhile: once more, with its files */

    s->preparing = false;
    if (s->state == ENDING || stale) {
        baod_dictionary_free(prepared->dictionary);
        if (s->state != ENDING)
            prepare(s->writer, s);
        return;
    }
    if (prepared->behind) {
        fall_in(s);
        return;
    }
    if (prepared->dictionary == NULL && prepared->conflict && s->candidate != NULL) {
        baod_log(BAOD_LOG_ERROR, "reload: the files were not taken; those in force stay: %s", prepared->why);
        s->candidate = baod_snapshot_unref(s->candidate);
        finish_apply(s, snapshot, false);
        prepare(s->writer, s);
        return;
    }
    finish_apply(s, snapshot, prepared->dictionary != NULL);
    if (prepared->dictionary == NULL) {
        baod_log(BAOD_LOG_ERROR, "database: not ready: %s", prepared->why);
    } else {
        if (s->candidate != NULL)
            put_in_force(s);
        s->synced = true;
        s->sync_day = bao_time_date(baod_clock_now(&s->clock), snapshot->registry.offset);
        baod_log(BAOD_LOG_INFO,
                 "database: %zu forms, %zu units; obligations: %lld made, %lld moved, %lld dropped",
                 snapshot->forms.n, snapshot->registry.n_units, (long long)changes->made,
                 (long long)changes->moved, (long long)changes->dropped);
        log_lines("deadline moved", prepared->why);
        keep_epochs(s, prepared->dictionary);
    }
    if (prepared->dictionary != NULL)
        baod_writer_use(s->writer, snapshot);
    baod_writer_go(s->writer, prepared->dictionary);
}

static void prepare(struct baod_writer *writer, void *user)
{
    struct server *s = user;
    struct baod_prepare_options options = {
        .conninfo = s->conninfo,
        .snapshot = wanted(s),
        .wait_ms = PREPARE_WAIT_MS,
        .done = on_prepared,
        .user = s,
        .sync = {.now = baod_clock_now(&s->clock),
                 .node = s->node,
                 .follow = s->synced && (s->candidate == NULL || s->candidate_follows),
                 .report = report_wanted(s)},
    };

    if (s->preparing)
        return;
    memcpy(options.sync.seed, s->seed, sizeof(s->seed));
    s->preparing = baod_prepare(&s->loop, &options) == 0;
    if (!s->preparing)
        baod_writer_go(writer, NULL);
}

/* ------------------------------------------------------------------ keys */

static const char *set_or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

/* Loads the keys of the report port; those in force stay when the new ones are bad. */
static int load_tls(struct server *s)
{
    const struct baod_tls_files files = {
        .certificate = set_or_null(s->settings->tls_certificate),
        .key = set_or_null(s->settings->tls_key),
        .authorities = set_or_null(s->settings->tls_authorities),
        .revoked = set_or_null(s->settings->tls_revoked),
    };
    const char *why = NULL, *file = NULL;
    struct baod_tls *tls;
    int r;

    if (files.certificate == NULL)
        return 0;
    if (files.key == NULL) {
        baod_log(BAOD_LOG_ERROR, "tls: certificate is set, but key is not");
        return -EINVAL;
    }
    r = baod_tls_load_server(&files, &tls, &why, &file);
    if (r < 0) {
        baod_log(BAOD_LOG_ERROR, "tls: %s: %s", file != NULL ? file : "start", why);
        return r;
    }
    baod_tls_unref(s->tls);
    s->tls = tls;
    return 0;
}

/* Reads the same keys as texts, for the HTTP port: *ret lives in the arena, both NULL without TLS. */
static int read_http_keys(const struct server *s, struct bao_arena *arena, struct baod_http_keys *ret)
{
    const char *files[] = {s->settings->tls_certificate, s->settings->tls_key};
    struct bao_str texts[2] = {BAO_STR_NULL};

    *ret = (struct baod_http_keys){.certificate = NULL};
    if (s->tls == NULL)
        return 0;
    for (size_t i = 0; i < BAO_COUNT(files); i++) {
        int r = baod_file_read(arena, files[i], KEYS_MAX, &texts[i]);

        if (r != 0) {
            baod_log(BAOD_LOG_ERROR, "tls: %s: %s", files[i], r < 0 ? strerror(-r) : "cannot be read");
            return r < 0 ? r : -EINVAL;
        }
    }
    *ret = (struct baod_http_keys){.certificate = texts[0].p, .key = texts[1].p};
    return 0;
}

/* Gives the HTTP port the keys that load_tls() has just found good; on failure it keeps the old ones. */
static void renew_http(struct server *s)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(4 * KEYS_MAX);
    struct baod_http_keys keys;
    int r = s->tls == NULL ? 0 : read_http_keys(s, &arena, &keys);

    if (r == 0 && s->tls != NULL)
        r = baod_http_renew(s->http, &keys);
    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "http: the new keys were not taken: %s", strerror(-r));
}

static int make_transform(void *user, const struct baod_transform_ops **ret_ops, void **ret_transform)
{
    struct server *s = user;

    return baod_tls_transform(s->tls, NULL, ret_ops, ret_transform);
}

/* ------------------------------------------------------------------ reloading */

enum { ACTS_MAX = 8, ADMIN_ANSWER_MAX = 4 << 20, ADMIN_NODES = 64 };

static void admin_reply(struct server *s, uint64_t peer, int r, struct bao_buf *out)
{
    static const char no_memory[] = "{\"code\":\"BUSY\",\"message\":{\"vi\":\"Dịch vụ đang thiếu bộ nhớ hoặc "
                                    "quá bận; chưa có gì thay đổi, hãy làm "
                                    "lại sau.\",\"en\":\"The daemon is too busy or short of memory; nothing "
                                    "was changed, try again later.\"}}";

    if (s->admin != NULL)
        baod_admin_reply(s->admin, peer, r == 0 ? bao_buf_str(out) : bao_str_c(no_memory));
    bao_buf_deinit(out);
}

enum reload_kind {
    RELOAD_SIGNAL,  /* waits for a database that is away */
    RELOAD_FOLLOW,  /* as another daemon has put other files in force */
    RELOAD_PREVIEW, /* `units apply --dry-run` */
    RELOAD_APPLY,
};

struct reload {
    uv_work_t work;
    struct server *server;
    enum reload_kind kind;
    uint64_t peer; /* of the admin socket, to be answered */
    struct baod_snapshot *snapshot;
    struct bao_buf complaints;
    struct baod_sync_report report;
    int r;
};

static struct baod_sync_report *report_wanted(const struct server *s)
{
    return s->applying != NULL && s->applying->snapshot == s->candidate ? &s->applying->report : NULL;
}

static struct reload *free_reload(struct reload *reload)
{
    if (reload == NULL)
        return NULL;
    baod_snapshot_unref(reload->snapshot);
    bao_buf_deinit(&reload->complaints);
    baod_sync_report_deinit(&reload->report);
    free(reload);
    return NULL;
}

/* Why nothing was done, in the words of the files' own complaints where there are any. */
static int print_not_taken(struct bao_buf *out, const struct reload *reload, bool away)
{
    const char *why[BAO_LANGS] = {
        away ? "Cơ sở dữ liệu không nhận lúc này; chưa có gì thay đổi, hãy làm lại sau."
             : "Tệp của tỉnh hoặc biểu mẫu có lỗi; chưa có gì thay đổi.",
        away ? "The database does not take it now; nothing was changed, try again later."
             : "The province's files or the forms are wrong; nothing was changed."};
    struct bao_str lines = bao_buf_str(&reload->complaints);
    int r = bao_buf_printf(out, "{\"code\":\"%s\",\"lines\":[", away ? "BUSY" : "FILES");

    for (enum bao_lang lang = BAO_VI; r == 0 && lines.n != 0 && lang < BAO_LANGS; lang++) {
        r = bao_buf_append_c(out, lang == BAO_VI ? "{\"vi\":" : ",\"en\":");
        if (r == 0)
            r = bao_json_quote(out, lines);
    }
    if (r == 0)
        r = bao_buf_append_c(out, lines.n != 0 ? "}],\"message\":{\"vi\":" : "],\"message\":{\"vi\":");
    if (r == 0)
        r = bao_json_quote(out, bao_str_c(why[BAO_VI]));
    if (r == 0)
        r = bao_buf_append_c(out, ",\"en\":");
    if (r == 0)
        r = bao_json_quote(out, bao_str_c(why[BAO_EN]));
    return r == 0 ? bao_buf_append_c(out, "}}") : r;
}

static void answer_reload(struct server *s, const struct reload *reload, bool taken)
{
    struct bao_buf out = BAO_BUF_NULL(ADMIN_ANSWER_MAX);
    bool conflict = *reload->report.conflict[BAO_EN] != '\0';

    if (reload->kind == RELOAD_PREVIEW || reload->kind == RELOAD_APPLY)
        admin_reply(s, reload->peer,
                    taken || conflict ? baod_sync_report_print(&out, &reload->report)
                                      : print_not_taken(&out, reload, reload->r == 0),
                    &out);
}

/* The database has spoken of a snapshot. One that was asked for by hand is not tried again later. */
static void finish_apply(struct server *s, const struct baod_snapshot *snapshot, bool taken)
{
    struct reload *reload = BAO_TAKE(s->applying);

    if (reload == NULL)
        return;
    if (!taken && s->candidate == reload->snapshot)
        s->candidate = baod_snapshot_unref(s->candidate);
    answer_reload(s, reload, taken && snapshot == reload->snapshot);
    free_reload(reload);
}

static void on_looked(void *user, struct baod_snapshot *snapshot, const struct baod_prepared *prepared)
{
    struct reload *reload = user;

    (void)snapshot;
    if (!prepared->done && !prepared->conflict)
        baod_log(BAOD_LOG_ERROR, "units apply: the look failed: %s", prepared->why);
    answer_reload(reload->server, reload, prepared->done);
    free_reload(reload);
}

static int look(struct server *s, struct reload *reload)
{
    struct baod_prepare_options options = {
        .conninfo = s->conninfo,
        .snapshot = reload->snapshot,
        .wait_ms = PREPARE_WAIT_MS,
        .done = on_looked,
        .user = reload,
        .sync = {.now = baod_clock_now(&s->clock), .node = s->node, .report = &reload->report},
    };

    memcpy(options.sync.seed, s->seed, sizeof(s->seed));
    return baod_prepare(&s->loop, &options);
}

static void on_reload_work(uv_work_t *work)
{
    struct reload *reload = work->data;
    const struct baod_settings *settings = reload->server->settings;

    reload->r = baod_snapshot_load(settings->forms, settings->province, reload->server->lang,
                                   &reload->complaints, &reload->snapshot);
    if (reload->r == 0)
        reload->r =
            baod_bundle_make(reload->snapshot, settings->forms, settings->province, &reload->complaints);
}

/* Forms that are there but not used would otherwise be missed without a word. */
static void tell_left_out(const struct baod_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n_left_out; i++)
        baod_log(BAOD_LOG_NOTICE,
                 "files: form %.*s v%d is not used: the province's programmes.yaml does not list %.*s",
                 BAO_STR_ARG(snapshot->left_out[i].form), snapshot->left_out[i].version,
                 BAO_STR_ARG(snapshot->left_out[i].programme));
}

/* May the files be brought into the database? What is wrong with them is logged. */
static bool may_take(const struct server *s, const struct reload *reload, int status)
{
    bool read = status == 0 && reload->r == 0;

    if (read && !bao_str_eq(reload->snapshot->registry.province, s->snapshot->registry.province)) {
        baod_log(BAOD_LOG_ERROR, "reload: the files are another province's; those in force stay");
        return false;
    }
    if (!read && reload->kind != RELOAD_PREVIEW)
        baod_log(BAOD_LOG_ERROR, "reload: the files were not taken; those in force stay");
    return read && s->state == SERVING;
}

static void on_reload_done(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    struct server *s = reload->server;
    bool may = may_take(s, reload, status);

    if (reload->kind == RELOAD_SIGNAL || reload->kind == RELOAD_FOLLOW)
        fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&reload->complaints)));
    if (may && reload->kind == RELOAD_PREVIEW && look(s, reload) == 0)
        return;
    if (reload->kind == RELOAD_FOLLOW && s->candidate != NULL)
        may = false; /* what somebody wants to put in force goes first */
    if (may && reload->kind != RELOAD_PREVIEW && (reload->kind != RELOAD_APPLY || s->applying == NULL)) {
        /* In force once the database has taken them; while it is away they wait. */
        baod_snapshot_unref(s->candidate);
        s->candidate = baod_snapshot_ref(reload->snapshot);
        s->candidate_follows = reload->kind == RELOAD_FOLLOW;
        tell_left_out(s->candidate);
        if (reload->kind == RELOAD_APPLY)
            s->applying = reload;
        prepare(s->writer, s);
    }
    baod_sd_ready("serving");
    if (s->applying == reload)
        return;
    answer_reload(s, reload, false);
    free_reload(reload);
}

static int start_reload(struct server *s, enum reload_kind kind, uint64_t peer)
{
    struct reload *reload = s->state == SERVING ? calloc(1, sizeof(*reload)) : NULL;

    if (reload == NULL)
        return -ENOMEM;
    reload->server = s;
    reload->kind = kind;
    reload->peer = peer;
    baod_sync_report_init(&reload->report, kind == RELOAD_PREVIEW);
    bao_buf_init(&reload->complaints, 16 << 20);
    reload->work.data = reload;
    uv_queue_work(&s->loop, &reload->work, on_reload_work,
                  on_reload_done); /* fails only without a callback */
    return 0;
}

static void read_anew(struct server *s)
{
    s->reread_after = s->ticks + AGAIN_TICKS;
    if (start_reload(s, RELOAD_FOLLOW, 0) < 0)
        baod_log(BAOD_LOG_ERROR, "reload: no memory; the files in force stay");
}

static void on_reload_signal(uv_signal_t *handle, int signum)
{
    struct server *s = handle->data;

    (void)signum;
    if (s->state != SERVING)
        return;
    baod_sd_reloading();
    if (load_tls(s) == 0) { /* else it has told what is wrong, and the keys in force stay */
        renew_http(s);
        if (s->tls != NULL)
            baod_peers_renew(s->peers, s->tls);
    }
    if (start_reload(s, RELOAD_SIGNAL, 0) < 0)
        baod_log(BAOD_LOG_ERROR, "reload: no memory; the files in force stay");
}

/* ------------------------------------------------------------------ the published heads */

/* Once a day the list of heads in the state folder, which is there to be published, is brought up to date. */
struct heads_job {
    uv_work_t work;
    struct server *server;
    bao_date day;
    struct bao_buf why;
    int r;
};

static void on_heads_work(uv_work_t *work)
{
    struct heads_job *job = work->data;
    const struct server *s = job->server;
    const struct baod_pg_call_options options = {
        .conninfo = s->conninfo, .application = "baocaod heads", .read_only = true};
    struct baod_pg_call *call = NULL;
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/heads.txt", s->settings->state) >= (int)sizeof(path))
        job->r = -ENAMETOOLONG;
    if (job->r == 0)
        job->r = baod_pg_call_open(&options, &job->why, &call);
    if (job->r == 0)
        job->r = baod_heads_append(call, bao_str_c(s->province), path, &job->why);
    baod_pg_call_close(call);
}

static void on_heads_done(uv_work_t *work, int status)
{
    struct heads_job *job = work->data;

    job->server->heads_busy = false;
    job->server->heads_after = job->server->ticks + AGAIN_TICKS;
    if (status == 0 && job->r == 0)
        job->server->heads_day = job->day;
    else
        baod_log(BAOD_LOG_WARNING, "heads: the list was not brought up to date: %s%.*s",
                 job->r < 0 ? strerror(-job->r) : "", BAO_STR_ARG(bao_buf_str(&job->why)));
    bao_buf_deinit(&job->why);
    free(job);
}

static void publish_heads(struct server *s, bao_date today)
{
    struct heads_job *job = s->heads_busy ? NULL : calloc(1, sizeof(*job));

    if (job == NULL)
        return;
    job->server = s;
    job->day = today;
    bao_buf_init(&job->why, 4096);
    job->work.data = job;
    s->heads_busy = true;
    uv_queue_work(&s->loop, &job->work, on_heads_work, on_heads_done); /* fails only without a callback */
}

/* ------------------------------------------------------------------ signals and the tick */

static void on_stop_signal(uv_signal_t *handle, int signum)
{
    drain(handle->data, signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

static bool token_holds(void *user, const uint8_t credential[16]);

/* A rush of comers and goers leaves holes all over the heap; once it is over their pages go back to the
 * system. */
static void give_memory_back(struct server *s)
{
    struct baod_brp_counts counts = baod_peers_counts(s->peers);
    uint64_t moves = counts.accepted + counts.closed;

    if (moves == s->moves && moves - s->trimmed >= RUSH) {
        (void)malloc_trim(0); /* 0: there was nothing to give */
        s->trimmed = moves;
    }
    s->moves = moves;
}

/* Says once when the database comes or goes, with what becomes of reports. */
static void tell_database(struct server *s, bool up)
{
    bool away = !up && (s->away || s->up || baod_writer_is_away(s->writer));

    if (up != s->up || away != s->away) {
        const char *how =
            s->spool != NULL ? "away; reports are queued in the spool" : "away; reports are answered WAIT";

        baod_log(up ? BAOD_LOG_NOTICE : BAOD_LOG_WARNING, "database: %s", up ? "ready" : how);
        baod_sd_ready(up                 ? "serving"
                      : s->spool != NULL ? "serving; the database is away, reports are queued"
                                         : "serving; the database is away");
    }
    s->up = up;
    s->away = away;
    s->was_up = s->was_up || up;
}

/* Obligations reach 400 days ahead, so each new day makes some. */
static void on_tick(uv_timer_t *timer)
{
    struct server *s = timer->data;
    bool up = baod_writer_is_up(s->writer);
    int64_t moved = baod_clock_check(&s->clock, BAO_TIME_NONE);
    bao_date today = bao_time_date(baod_clock_now(&s->clock), s->snapshot->registry.offset);

    if (s->state == ENDING)
        return;
    if (moved != 0)
        baod_log(BAOD_LOG_WARNING,
                 "clock: the wall clock had moved by %lld us; custody times follow it from now on",
                 (long long)moved);
    tell_database(s, up);
    if (s->embedded != NULL && baod_embedded_watch(s->embedded))
        baod_log(BAOD_LOG_WARNING, "database: the private PostgreSQL was gone and has been started again");
    s->ticks++;
    if (up && s->spool != NULL && s->ticks % CACHE_TICKS == 1)
        baod_cache_refresh(&s->cache, baod_clock_now(&s->clock));
    if (up && (s->sync_day != today || (s->candidate != NULL && s->ticks % AGAIN_TICKS == 0)))
        prepare(s->writer, s);
    if (up && s->heads_day != today && s->ticks >= s->heads_after)
        publish_heads(s, today);
    if (s->peers != NULL) {
        baod_peers_recheck(s->peers, token_holds, s);
        give_memory_back(s);
    }
    if (s->notices != NULL && s->ticks % FRESH_TICKS == 0)
        baod_notices_fresh(s->notices, tell_notice, s);
    if (s->spool == NULL || baod_spool_is_alive(s->spool))
        baod_sd_alive();
}

/* ------------------------------------------------------------------ what the ports ask */

static int submit(void *user, const struct baod_request *request)
{
    struct server *s = user;

    return baod_intake_submit(s->intake, request);
}

static int hello(void *user, uint64_t peer, const struct baod_brp_hello *said)
{
    struct server *s = user;
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

static bool token_holds(void *user, const uint8_t credential[16])
{
    struct server *s = user;

    return baod_credentials_holds(s->credentials, credential, baod_clock_now(&s->clock));
}

/* One STAT under way: whom to answer. */
struct stat_call {
    struct server *server;
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

/* A question that the spool is asked before the database. */
struct queued_call {
    struct server *server;
    baod_stat_done *done;
    void *user;
    struct bao_arena arena;
    struct baod_stat_ask ask;
};

static void on_queued(void *user, const struct baod_stat *stat)
{
    struct queued_call *q = user;
    struct server *s = q->server;
    const struct baod_stat busy = {.symbol = BAO_SYM_BUSY};

    if (stat != NULL)
        q->done(q->user, stat);
    else if (s->reading == NULL ||
             baod_stat(s->reading, bao_str_c(s->province), &q->ask, q->done, q->user) < 0)
        q->done(q->user, &busy);
    bao_arena_deinit(&q->arena);
    free(q);
}

/* True when `done` will be called. */
static bool look_in_spool(struct server *s, const struct baod_stat_ask *asked, baod_stat_done *done,
                          void *user)
{
    struct queued_call *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return false;
    *q = (struct queued_call){.server = s, .done = done, .user = user, .ask = *asked};
    q->ask.form = bao_arena_str(&q->arena, asked->form);
    q->ask.unit = bao_arena_str(&q->arena, asked->unit);
    q->ask.period = bao_arena_str(&q->arena, asked->period);
    if (q->ask.form.p != NULL && q->ask.unit.p != NULL && q->ask.period.p != NULL &&
        baod_custody_stat(s->custody, asked, on_queued, q))
        return true;
    bao_arena_deinit(&q->arena);
    free(q);
    return false;
}

/* What became of a report, wherever it is. As baod_stat(). */
static int look_up(struct server *s, const struct baod_stat_ask *asked, baod_stat_done *done, void *user)
{
    if (s->custody != NULL && look_in_spool(s, asked, done, user))
        return 0;
    return baod_stat(s->reading, bao_str_c(s->province), asked, done, user);
}

static int stat_report(void *user, uint64_t peer, uint32_t txn, const struct baod_brp_stat *question,
                       const struct baod_identity *who)
{
    struct server *s = user;
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
    r = look_up(s, &asked, on_stat, call);
    if (r < 0)
        free(call);
    return r;
}

static void on_due(void *user, const struct baod_due_answer *answer)
{
    struct stat_call *call = user;
    struct server *s = call->server;

    if (s->peers != NULL && baod_brp_lines(s->peers, call->peer, call->txn, answer->symbol, answer->lines) &&
        answer->from_store && s->notices != NULL)
        baod_notices_read_all(s->notices, answer->codes, answer->n_codes);
    free(call);
}

static int list_due(void *user, uint64_t peer, uint32_t txn, const struct baod_brp_due *question,
                    const struct baod_identity *who)
{
    struct server *s = user;
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

/* One question by HTTP: whom to answer, and whether the unit itself asked. */
struct due_call {
    struct server *server;
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
    struct server *s = user;
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

static struct bao_str heir(void *user, struct bao_str unit)
{
    struct server *s = user;
    const struct bao_registry *registry = &s->snapshot->registry;
    bao_date today = bao_time_date(baod_clock_now(&s->clock), registry->offset);
    const struct bao_unit *u = bao_registry_successor(registry, unit, today);

    return u == NULL ? BAO_STR_NULL : u->code;
}

/* ------------------------------------------------------------------ telling units */

static void tell_notice(void *user, uint64_t peer, const struct baod_notice *notice)
{
    struct server *s = user;

    if (s->peers != NULL)
        baod_brp_notify(s->peers, peer, notice);
}

/* The codes of a peer with those that its units took over, in the arena. */
static int peer_codes(struct server *s, struct bao_arena *arena, const struct baod_identity *who,
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
    struct server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_str *codes = NULL;
    size_t n = 0;

    if (s->notices != NULL && (who->any_unit || who->n_units != 0) &&
        peer_codes(s, &arena, who, &codes, &n) == 0)
        baod_notices_unread(s->notices, codes, who->any_unit ? 0 : n, tell_notice, s, peer);
    bao_arena_deinit(&arena);
}

static void remind(void *user, uint64_t peer, const struct baod_identity *who)
{
    struct server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(0);
    bao_time now_is = baod_clock_now(&s->clock);
    bao_time until = now_is + s->settings->remind_before_ms * (BAO_SECOND / 1000);
    struct bao_str *codes = NULL;
    size_t n = 0;

    if (s->notices != NULL && peer_codes(s, &arena, who, &codes, &n) == 0 && n != 0)
        baod_notices_near(s->notices, codes, n, now_is, until, tell_notice, s, peer);
    bao_arena_deinit(&arena);
}

/* The codes of the units that the words mean, as a list; "-" is nobody's code. */
static int list_named(struct server *s, struct bao_arena *arena, struct bao_str words, struct bao_str *ret)
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
static void resolve_unit(struct server *s, struct bao_arena *arena, struct bao_str *unit)
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
    struct server *s = user;
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
    struct server *s = user;

    return s->spool != NULL && (s->was_up || baod_writer_is_away(s->writer));
}

static bool is_ready(void *user)
{
    struct server *s = user;

    return baod_writer_is_up(s->writer) && baod_pg_is_ready(s->reading);
}

/* ------------------------------------------------------------------ what the office and the operator ask */

/* One act under way: of the admin socket, or of whoever else asked. */
struct act_call {
    struct server *server;
    uint64_t peer;
    void (*done)(void *user, const struct baod_act_answer *answer); /* NULL: the admin socket's */
    void *user;
};

static void admin_refuse(struct server *s, uint64_t peer, const char *const why[BAO_LANGS])
{
    struct bao_buf out = BAO_BUF_NULL(ADMIN_ANSWER_MAX);
    int r = baod_act_print_wrong(&out, why);

    admin_reply(s, peer, r, &out);
}

static void log_act(const struct baod_act_answer *answer)
{
    const struct baod_act *act = answer->act;

    if (answer->outcome == 0)
        baod_log(BAOD_LOG_NOTICE, "office: %s %.*s %.*s %.*s by %.*s: %lld obligations, batch %lld",
                 baod_act_name(act->kind), BAO_STR_ARG(act->form), BAO_STR_ARG(act->period),
                 BAO_STR_ARG(act->unit), BAO_STR_ARG(act->actor), (long long)answer->done.touched,
                 (long long)answer->done.seq);
    else if (answer->outcome < 0 || answer->outcome == BAOD_ACT_E_DATABASE)
        baod_log(BAOD_LOG_ERROR, "office: an act was not carried out: %s%.*s",
                 answer->outcome < 0 ? strerror(-answer->outcome) : "", BAO_STR_ARG(answer->why));
}

static void on_act_done(void *user, const struct baod_act_answer *answer)
{
    struct act_call *call = user;
    struct server *s = call->server;
    struct bao_buf out = BAO_BUF_NULL(ADMIN_ANSWER_MAX);

    s->acts--;
    log_act(answer);
    if (call->done != NULL) {
        call->done(call->user, answer);
    } else {
        int r = baod_act_print(&out, answer, s->snapshot->registry.offset);

        admin_reply(s, call->peer, r, &out);
    }
    free(call);
}

/* Is a period of this form over for good once it is locked (lock: then: not-done)? */
static bool ends_not_done(const struct server *s, struct bao_str form)
{
    const struct bao_forms *forms = &s->snapshot->forms;

    for (size_t i = 0; i < forms->n; i++)
        if (bao_str_eq(forms->items[i]->id, form) && forms->items[i]->lock.present &&
            forms->items[i]->lock.then == BAO_LOCK_NOT_DONE)
            return true;
    return false;
}

static int start_act(const struct act_call *asked, uid_t uid, const struct baod_act *act)
{
    struct server *s = asked->server;
    struct act_call *call = s->acts < ACTS_MAX && s->state == SERVING ? malloc(sizeof(*call)) : NULL;
    struct baod_acts_options options = {
        .conninfo = s->conninfo,
        .signer = signer_of(s),
        .uid = uid,
        .done = on_act_done,
        .user = call,
    };
    int r;

    if (call == NULL)
        return -ENOMEM;
    *call = *asked;
    if (act->kind == BAOD_ACT_UNLOCK && act->decision.n == 0 && ends_not_done(s, act->form)) {
        const struct baod_act_answer answer = {.outcome = BAOD_ACT_E_FINAL, .act = act};

        s->acts++;
        on_act_done(call, &answer);
        return 0;
    }
    r = baod_acts_start(&s->loop, &options, act);
    if (r < 0)
        free(call);
    else
        s->acts++;
    return r;
}

static int do_office(struct server *s, uint64_t peer, uid_t uid, const struct bao_node *request)
{
    const char *why[BAO_LANGS];
    struct baod_act act;

    if (baod_act_read(request, NULL, s->snapshot->registry.offset, &act, why) != 0) {
        admin_refuse(s, peer, why);
        return 0;
    }
    return start_act(&(struct act_call){.server = s, .peer = peer}, uid, &act);
}

/* An act over HTTP; its actor is named already. */
static int http_act(void *user, const struct baod_act *act,
                    void (*done)(void *user, const struct baod_act_answer *answer), void *done_user)
{
    return start_act(&(struct act_call){.server = user, .done = done, .user = done_user}, (uid_t)-1, act);
}

static int do_units(struct server *s, uint64_t peer, uid_t uid, const struct bao_node *request)
{
    bool look_only = bao_node_get(request, "dry-run") != NULL;

    if (!look_only)
        baod_log(BAOD_LOG_NOTICE, "units apply: asked for by user %lu", (unsigned long)uid);
    return start_reload(s, look_only ? RELOAD_PREVIEW : RELOAD_APPLY, peer);
}

static const struct {
    const char *name;
    int (*run)(struct server *s, uint64_t peer, uid_t uid, const struct bao_node *request);
} errands[] = {{"office", do_office}, {"units", do_units}};

static void on_admin_line(void *user, uint64_t peer, uid_t uid, struct bao_str line)
{
    static const char *const unknown[BAO_LANGS] = {"Dịch vụ này không hiểu yêu cầu.",
                                                   "This daemon does not understand the request."};
    struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
    struct bao_findings findings;
    const struct bao_node *what;
    struct bao_doc doc;
    size_t i = 0;
    int r;

    load.limits.nodes = ADMIN_NODES;
    bao_findings_init(&findings, &arena, 1);
    r = bao_load(&arena, line, &load, &findings, &doc);
    what = r == 0 ? bao_node_get(&doc.root, "do") : NULL;
    while (what != NULL && what->type == BAO_STRING && i < BAO_COUNT(errands) &&
           !bao_str_is(bao_node_str(what), errands[i].name))
        i++;
    if (what == NULL || what->type != BAO_STRING || i == BAO_COUNT(errands))
        admin_refuse(s, peer, unknown);
    else if (s->state != SERVING || errands[i].run(s, peer, uid, &doc.root) < 0)
        admin_reply(s, peer, -EAGAIN, &BAO_BUF_NULL(1));
    bao_arena_deinit(&arena);
}

/* The daemon serves without it, so a runtime folder that is not there is told and no more. */
static void open_admin(struct server *s)
{
    char path[108];
    int r = baod_admin_path(s->settings->runtime, path);

    if (r == 0)
        r = baod_admin_new(&s->loop, path, s->settings->admin_group, on_admin_line, s, &s->admin);
    if (r < 0)
        baod_log(BAOD_LOG_WARNING, "admin: no socket in %s (%s): office acts can only come over HTTP",
                 s->settings->runtime, strerror(-r));
}

/* ------------------------------------------------------------------ starting */

static int tell(const struct bao_buf *why, int r)
{
    if (bao_buf_len(why) != 0)
        baod_log(BAOD_LOG_ERROR, "%.*s", BAO_STR_ARG(bao_buf_str(why)));
    else if (r < 0)
        baod_log(BAOD_LOG_ERROR, "start: %s", strerror(-r));
    return r;
}

static int load_files(struct server *s)
{
    struct bao_buf complaints = BAO_BUF_NULL(16 << 20);
    int r = baod_snapshot_load(s->settings->forms, s->settings->province, s->lang, &complaints, &s->snapshot);

    if (r == 0)
        r = baod_bundle_make(s->snapshot, s->settings->forms, s->settings->province, &complaints);
    /* Findings are for reading: as they are, with their lines and carets. */
    fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&complaints)));
    bao_buf_deinit(&complaints);
    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "files: %s", strerror(-r));
    if (r == 0)
        tell_left_out(s->snapshot);
    return r;
}

static int open_database(struct server *s)
{
    const struct baod_embedded_options options = {.state = s->settings->state,
                                                  .runtime = s->settings->runtime};
    struct bao_buf why = BAO_BUF_NULL(64 << 10);
    int r;

    if (*s->settings->database_url != '\0') {
        r = baod_state_lock(s->settings->state, &why, &s->lock);
        s->conninfo = s->settings->database_url;
    } else {
        r = baod_embedded_open(&options, &why, &s->embedded);
        if (r == 0) {
            s->conninfo = baod_embedded_conninfo(s->embedded);
            baod_log(BAOD_LOG_NOTICE, "database: private PostgreSQL in %s%s", s->settings->state,
                     baod_embedded_adopted(s->embedded) ? ", taken over still running" : "");
        }
    }
    if (r != 0)
        tell(&why, r);
    bao_buf_deinit(&why);
    return r;
}

static int load_key(struct server *s)
{
    char path[4096];
    int r;

    if (snprintf(path, sizeof(path), "%s/audit.key", s->settings->state) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    r = baod_key_load(path, s->seed);
    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "key: %s: %s", path, strerror(-r));
    return r;
}

static void on_lost_reading(struct baod_pg *pg, const char *why, void *user)
{
    (void)pg;
    (void)user;
    baod_log(BAOD_LOG_WARNING, "database: reading connection lost: %s", why);
}

/* Kept anew when it changed, and now and then for its time: the list holds for seven days. Without memory the
 * older one stays. */
static void on_credentials(void *user, const struct baod_credential_list *list, bool changed)
{
    struct server *s = user;

    if (s->spool != NULL && (changed || s->ticks % KEEP_TICKS == 0) &&
        baod_cache_keep_credentials(s->spool, list) < 0)
        baod_log(BAOD_LOG_WARNING, "spool: no memory to keep the credentials");
}

static int make_credentials(struct server *s)
{
    const struct baod_credentials_options options = {
        .conninfo = s->conninfo, .now = now, .on_read = on_credentials, .user = s};

    s->failures.seed = uv_hrtime();
    return baod_credentials_new(&s->loop, &options, &s->credentials);
}

static struct baod_chain_signer signer_of(const struct server *s)
{
    struct baod_chain_signer signer = {.province_key = baod_province_key(bao_str_c(s->province)),
                                       .province = bao_str_c(s->province),
                                       .node = bao_str_c(s->node)};

    memcpy(signer.seed, s->seed, sizeof(signer.seed));
    return signer;
}

/* Of a classified report nothing is kept but that there was one; of one that its peer may not speak for,
 * nothing of what it says of that unit. */
static void on_refused(void *user, const struct baod_submission *report, const struct baod_identity *who)
{
    enum { FINDINGS = 20, FINDINGS_MAX = 32 << 10 };
    struct server *s = user;
    bool secret = report->symbol == BAO_SYM_SECRET || report->verdict.is_secret;
    bool foreign = report->symbol == BAO_SYM_UNIT;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf findings = BAO_BUF_NULL(FINDINGS_MAX);
    struct baod_submission few = *report;
    struct baod_refused refused = {.symbol = report->symbol, .at = report->received_at};
    char period[16] = "";

    if (s->refusals == NULL) /* the end has come */
        return;
    if (report->verdict.unit.n != 0 && !foreign)
        refused.unit = report->verdict.unit;
    else if (who->n_units == 1)
        refused.unit = who->units[0];
    if (!secret) {
        refused.form = report->verdict.form_id;
        if (report->verdict.has_key) {
            bao_period_print(report->verdict.period, period);
            refused.period = bao_str_c(period);
            refused.revision = report->verdict.revision;
        }
        if (few.verdict.findings.n > FINDINGS)
            few.verdict.findings.n = FINDINGS;
        if (!foreign && baod_answer_findings(&findings, &few, BAO_VI, true) == 0)
            refused.findings = bao_buf_str(&findings);
    }
    baod_refusals_add(s->refusals, &refused);
}

/* Whoever reads an acknowledgement must be able to rely on it: with a disk that failed to sync no more can be
 * given, and a second try would only seem to work. What was not answered will be sent again. */
static void on_spool_broken(void *user, const char *why)
{
    (void)user;
    baod_log(BAOD_LOG_ERROR,
             "spool: %s; nothing can be acknowledged any more, so the daemon ends here. Look at the disk, "
             "then start "
             "it again",
             why);
    baod_sd_stopping();
    _exit(EXIT_FAILED);
}

static int open_spool(struct server *s, const struct bao_load_limits *limits)
{
    struct bao_buf why = BAO_BUF_NULL(64 << 10);
    char path[4096];
    struct baod_spool_options options = {.path = path,
                                         .max_bytes = (uint64_t)s->settings->spool_max_bytes,
                                         .province = s->province,
                                         .node = s->node,
                                         .broken = on_spool_broken,
                                         .user = s};
    struct baod_custody_options custody = {.offset = s->snapshot->registry.offset, .limits = limits};
    struct baod_spool_counts counts;
    int r = 0;

    if (!s->settings->spool_enabled)
        return 0;
    memcpy(options.seed, s->seed, sizeof(options.seed));
    if (snprintf(path, sizeof(path), "%s%s",
                 *s->settings->spool_path != '\0' ? s->settings->spool_path : s->settings->state,
                 *s->settings->spool_path != '\0' ? "" : "/spool.db") >= (int)sizeof(path))
        return -ENAMETOOLONG;
    r = baod_spool_open(&s->loop, &options, &why, &s->spool);
    if (r == 0) {
        custody.spool = s->spool;
        r = baod_custody_new(&s->loop, &custody, &s->custody);
    }
    if (r == 0) {
        counts = baod_spool_counts(s->spool);
        baod_custody_use(s->custody, s->snapshot);
        baod_log(BAOD_LOG_NOTICE, "spool: %s, %llu reports wait in it", path,
                 (unsigned long long)counts.rows);
    }
    if (r != 0)
        tell(&why, r);
    bao_buf_deinit(&why);
    return r;
}

static int restore_credentials(struct server *s)
{
    struct bao_str epochs;
    bao_time at;
    size_t n;
    int r;

    if (s->spool == NULL)
        return 0;
    if (baod_spool_kept(s->spool, "epochs", &at, &epochs))
        baod_log(BAOD_LOG_INFO, "spool: the database was seen %lld s ago, at epochs %.*s",
                 (long long)((baod_clock_now(&s->clock) - at) / BAO_SECOND), BAO_STR_ARG(epochs));
    r = baod_cache_restore_credentials(s->spool, s->credentials, &n, &at);
    if (r == 0 && at != BAO_TIME_NONE)
        baod_log(BAOD_LOG_INFO, "spool: %zu credentials as the database had them %lld s ago", n,
                 (long long)((baod_clock_now(&s->clock) - at) / BAO_SECOND));
    if (r == -EBADMSG)
        baod_log(BAOD_LOG_WARNING,
                 "spool: the kept credentials cannot be read; tokens wait for the database");
    return r == -ENOMEM ? r : 0;
}

static int make_store(struct server *s)
{
    struct baod_writer_options writing = {.conninfo = s->conninfo,
                                          .node = s->node,
                                          .prepare = prepare,
                                          .user = s,
                                          .offset = s->snapshot->registry.offset,
                                          .batch_max = (size_t)s->settings->batch,
                                          .deadline_ms = (int)s->settings->batch_ms};
    const struct baod_pg_options reading = {.conninfo = s->conninfo,
                                            .application = "baocaod reading",
                                            .statement_ms = 60000,
                                            .deadline_ms = 65000,
                                            .read_only = true,
                                            .lost = on_lost_reading};
    struct baod_intake_options intake = {
        .max_bytes = (size_t)s->settings->total_bytes,
        .max_raw = (size_t)s->settings->max_document,
        .threads = (int)s->settings->threads,
        .limits = BAO_LOAD_LIMITS_DEFAULT,
        .share = {.reports = (uint64_t)s->settings->unit_reports,
                  .octets = (uint64_t)s->settings->unit_bytes,
                  .seconds = SHARE_SECONDS},
        .refused = on_refused,
        .user = s,
    };
    struct baod_chain_signer signer;
    int r;

    snprintf(s->province, sizeof(s->province), "%.*s", BAO_STR_ARG(s->snapshot->registry.province));
    writing.province = s->province;
    memcpy(writing.seed, s->seed, sizeof(writing.seed));
    intake.limits.octets = (size_t)s->settings->max_document;
    r = open_spool(s, &intake.limits);
    if (r == 0 && s->custody != NULL) {
        writing.away = baod_custody_away;
        writing.away_user = s->custody;
        writing.patience_ms = (int)s->settings->spool_after_ms;
        intake.custody = s->custody;
    }
    if (r == 0)
        r = baod_writer_new(&s->loop, &writing, &s->writer);
    if (r == 0 && s->custody != NULL)
        baod_custody_attach(s->custody, s->writer);
    if (r == 0)
        r = baod_intake_new(&s->loop, s->writer, &intake, &s->intake);
    signer = signer_of(s);
    if (r == 0)
        r = baod_refusals_new(&s->loop, s->conninfo, &signer, &s->refusals);
    if (r == 0)
        baod_intake_use(s->intake, s->snapshot);
    if (r == 0)
        r = baod_pg_new(&s->loop, &reading, &s->reading);
    if (r == 0)
        r = baod_queries_new(s->reading, s->snapshot->registry.offset, &s->queries);
    if (r == 0)
        r = make_credentials(s);
    if (r == 0)
        r = restore_credentials(s);
    s->cache = (struct baod_cache){.spool = s->spool, .pg = s->reading};
    if (r == 0)
        baod_pg_open(s->reading);
    if (r == 0)
        r = baod_notices_new(&s->loop, s->conninfo, &s->notices);
    return r;
}

static void on_stream(void *user, struct baod_stream *stream)
{
    struct server *s = user;

    baod_peers_accept(s->peers, stream);
}

static void on_unaccepted(void *user, int error)
{
    (void)user;
    baod_log(BAOD_LOG_WARNING, "reports: a connection could not be accepted: %s", strerror(-error));
}

/* A passed-in socket of that name, or a new one. Plaintext beyond loopback must have been allowed. */
static int open_socket(const struct server *s, const char *name, const char *address, bool plaintext,
                       struct baod_socket *ret)
{
    int passed = -1, r;

    for (int i = 0; i < s->n_passed; i++)
        if (strcmp(s->passed[i].name, name) == 0)
            passed = s->passed[i].fd;
    r = passed >= 0 ? baod_socket_adopt(passed, ret) : baod_socket_listen(address, BACKLOG, ret);
    if (r == BAOD_SOCKET_E_ADDRESS) {
        baod_log(BAOD_LOG_ERROR, "%s: address \"%s\" is not of the form 127.0.0.1:7316", name, address);
        return r;
    }
    if (r < 0) {
        baod_log(BAOD_LOG_ERROR, "%s: cannot listen on %s: %s", name, address, strerror(-r));
        return r;
    }
    if (!ret->loopback && !plaintext) {
        baod_log(BAOD_LOG_ERROR,
                 "%s: %s is reachable from other machines, and nothing would be encrypted; set %s.plaintext: "
                 "true if a "
                 "private network carries it",
                 name, address, name);
        close(ret->fd);
        return BAOD_SOCKET_E_ADDRESS;
    }
    return 0;
}

static int write_port(const struct baod_socket *socket, const char *name, const char *file)
{
    int r = baod_socket_write_port(socket, file);

    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "%s: cannot write %s: %s", name, file, strerror(-r));
    else
        baod_log(BAOD_LOG_NOTICE, "%s: listening on port %d", name, socket->port);
    return r;
}

static int serve_reports(struct server *s)
{
    struct baod_brp_config config = baod_brp_defaults();
    struct baod_listener_config listening = {.plaintext = s->settings->reports_plaintext,
                                             .on_stream = on_stream,
                                             .on_refused = on_unaccepted,
                                             .user = s};
    struct baod_socket socket;
    int r = load_tls(s);

    if (r == 0)
        r = open_socket(s, "reports", s->settings->reports_address,
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
                                       .now = now,
                                       .submit = submit,
                                       .stat = stat_report,
                                       .due = list_due,
                                       .hello = hello,
                                       .opened = opened,
                                       .remind = remind,
                                       .heir = heir};
    listening.fd = socket.fd;
    listening.transform = s->tls != NULL ? make_transform : NULL;
    s->net = baod_net_new(&s->loop);
    if (s->net == NULL)
        return -ENOMEM;
    r = baod_peers_new(&s->loop, &config, &s->brp_ops, &s->peers);
    if (r == 0)
        r = baod_listener_open(s->net, &listening, &s->listener);
    return r == 0 ? write_port(&socket, "reports", s->settings->reports_port_file) : r;
}

static int who(void *user, struct bao_str secret, const struct baod_credential **ret)
{
    struct server *s = user;

    return baod_credentials_find(s->credentials, secret, baod_clock_now(&s->clock), ret);
}

static const struct baod_snapshot *snapshot_in_force(void *user)
{
    return ((struct server *)user)->snapshot;
}

static int http_stat(void *user, const struct baod_stat_ask *asked, baod_stat_done *done, void *done_user)
{
    struct server *s = user;

    return look_up(s, asked, done, done_user);
}

static int make_api(struct server *s)
{
    const struct baod_api_ops ops = {.user = s,
                                     .now = now,
                                     .ask = ask,
                                     .is_ready = is_ready,
                                     .is_degraded = is_degraded,
                                     .who = who,
                                     .snapshot = snapshot_in_force,
                                     .submit = submit,
                                     .stat = http_stat,
                                     .due = http_due,
                                     .act = http_act};
    const struct baod_api_config config = {.local = s->settings->http_local,
                                           .offset = s->snapshot->registry.offset,
                                           .lang = s->lang,
                                           .failures = &s->failures};

    return baod_api_new(&config, &ops, &s->api);
}

static int serve_http(struct server *s)
{
    const struct baod_http_limits limits = {
        .body = (size_t)s->settings->max_body,
        .total_body = (size_t)s->settings->total_bytes,
        .connections = (unsigned)s->settings->connections,
        .per_address = (unsigned)s->settings->per_address,
        .head_ms = (unsigned)s->settings->hello_ms,
        .idle_ms = (unsigned)s->settings->idle_ms,
    };
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(4 * KEYS_MAX);
    struct baod_http_handlers handlers;
    struct baod_http_keys keys;
    struct baod_socket socket;
    int r = read_http_keys(s, &arena, &keys);

    if (r == 0)
        r = make_api(s);
    if (r == 0)
        r = open_socket(s, "http", s->settings->http_address, s->settings->http_plaintext || s->tls != NULL,
                        &socket);
    if (r != 0)
        return r;
    handlers = baod_api_handlers(s->api);
    r = baod_http_new(&s->loop, socket.fd, &limits, &handlers, &keys, &s->http);
    if (r != 0) {
        baod_log(BAOD_LOG_ERROR, "http: %s", r == -EKEYREJECTED ? "the keys cannot be used" : strerror(-r));
        return r;
    }
    baod_api_attach(s->api, s->http);
    return write_port(&socket, "http", s->settings->http_port_file);
}

static void init_handles(struct server *s)
{
    uv_signal_init(&s->loop, &s->on_term); /* none of these can fail on a loop that was made */
    uv_signal_init(&s->loop, &s->on_int);
    uv_signal_init(&s->loop, &s->on_hup);
    uv_timer_init(&s->loop, &s->tick);
    uv_timer_init(&s->loop, &s->deadline);
    s->on_term.data = s->on_int.data = s->on_hup.data = s->tick.data = s->deadline.data = s;
    uv_signal_start(&s->on_term, on_stop_signal, SIGTERM);
    uv_signal_start(&s->on_int, on_stop_signal, SIGINT);
    uv_signal_start(&s->on_hup, on_reload_signal, SIGHUP);
    uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
}

static int start(struct server *s)
{
    int r = load_files(s);

    s->n_passed = baod_sd_sockets(s->passed); /* once: the call takes them out of the environment */
    if (r == 0)
        r = open_database(s);
    if (r == 0)
        r = load_key(s);
    if (r == 0)
        r = make_store(s);
    if (r == 0)
        r = serve_reports(s);
    if (r == 0)
        r = serve_http(s);
    if (r == 0)
        open_admin(s);
    return r;
}

static void name_node(struct server *s)
{
    if (*s->settings->node != '\0')
        snprintf(s->node, sizeof(s->node), "%s", s->settings->node);
    else if (gethostname(s->node, sizeof(s->node) - 1) < 0)
        snprintf(s->node, sizeof(s->node), "baocaod");
}

/* Descriptors for all connections that are allowed: as many as the system lets us have. At the limit new
 * connections are closed and those that are there stay. */
static void raise_file_limit(const struct server *s)
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
static void size_pool(struct server *s)
{
    char threads[24];
    long cores = s->settings->threads > 0 ? (long)s->settings->threads : sysconf(_SC_NPROCESSORS_ONLN);

    snprintf(threads, sizeof(threads), "%ld", cores < 1 ? 2 : cores + 1);
    (void)setenv("UV_THREADPOOL_SIZE", threads, 0); /* without memory libuv's own default serves */
}

int baod_server_run(const struct baod_settings *settings)
{
    struct server s = {
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
        return EXIT_FAILED;
    }
    init_handles(&s);
    r = start(&s);
    if (r == 0) {
        s.state = SERVING;
        baod_sd_ready("serving");
    } else {
        s.code = EXIT_FAILED;
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
    s.applying = free_reload(s.applying);
    s.embedded = baod_embedded_close(s.embedded);
    if (s.lock >= 0)
        close(s.lock);
    baod_log(BAOD_LOG_NOTICE, "stopped");
    return s.code;
}
