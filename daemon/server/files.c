#include "daemon/config/bundle.h"
#include "daemon/config/snapshot.h"
#include "daemon/ops/log.h"
#include "daemon/ops/sd.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/prepare.h"
#include "daemon/store/sync_report.h"

/* Reads the forms and the province's files, and packs them for units to fetch. */
static int read_files(const struct baod_server *s, struct bao_buf *complaints, struct baod_snapshot **ret)
{
    const struct baod_settings *settings = s->settings;
    struct baod_snapshot *snapshot = NULL;
    int r = baod_snapshot_load(settings->forms, settings->province, s->lang, complaints, &snapshot);

    if (r == 0)
        r = baod_bundle_make(snapshot, settings->forms, settings->province, complaints);
    if (r == 0)
        *ret = BAO_TAKE(snapshot);
    baod_snapshot_unref(snapshot);
    return r;
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

int baod_server_load_files(struct baod_server *s)
{
    struct bao_buf complaints = BAO_BUF_NULL(16 << 20);
    int r = read_files(s, &complaints, &s->snapshot);

    /* Findings are for reading: as they are, with their lines and carets. */
    fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&complaints)));
    bao_buf_deinit(&complaints);
    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "files: %s", strerror(-r));
    if (r == 0)
        tell_left_out(s->snapshot);
    return r;
}

/* ------------------------------------------------------------------ reading them anew */

struct baod_reload {
    uv_work_t work;
    struct baod_server *server;
    enum baod_reload_kind kind;
    uint64_t peer; /* of the admin socket, to be answered */
    struct baod_snapshot *snapshot;
    struct bao_buf complaints;
    struct baod_sync_report report;
    int r;
};

struct baod_sync_report *baod_server_report_wanted(const struct baod_server *s)
{
    return s->applying != NULL && s->applying->snapshot == s->candidate ? &s->applying->report : NULL;
}

struct baod_reload *baod_server_free_reload(struct baod_reload *reload)
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
static int print_not_taken(struct bao_buf *out, const struct baod_reload *reload, bool away)
{
    const char *why[BAO_LANGS] = {
        away ? "Cơ sở dữ liệu không nhận lúc này; chưa có gì thay đổi, hãy làm lại sau."
             : "Tệp của tỉnh hoặc biểu mẫu có lỗi; chưa có gì thay đổi.",
        away ? "The database does not take it now; nothing was changed, try again later."
             : "The province's files or the forms are wrong; nothing was changed."};
    struct bao_str lines = bao_buf_str(&reload->complaints);
    int r = bao_buf_printf(out, "{\"code\":\"%s\",\"lines\":[", away ? "BUSY" : "FILES");

    if (r == 0 && lines.n != 0)
        r = bao_json_both(out, lines, lines);
    if (r == 0)
        r = bao_buf_append_c(out, "],\"message\":");
    if (r == 0)
        r = bao_json_both(out, bao_str_c(why[BAO_VI]), bao_str_c(why[BAO_EN]));
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static void answer_reload(struct baod_server *s, const struct baod_reload *reload, bool taken)
{
    struct bao_buf out = BAO_BUF_NULL(BAOD_ADMIN_ANSWER_MAX);
    bool conflict = *reload->report.conflict[BAO_EN] != '\0';

    if (reload->kind == BAOD_RELOAD_PREVIEW || reload->kind == BAOD_RELOAD_APPLY)
        baod_server_admin_reply(s, reload->peer,
                                taken || conflict ? baod_sync_report_print(&out, &reload->report)
                                                  : print_not_taken(&out, reload, reload->r == 0),
                                &out);
}

/* The database has spoken of a snapshot. One that was asked for by hand is not tried again later. */
void baod_server_finish_apply(struct baod_server *s, const struct baod_snapshot *snapshot, bool taken)
{
    struct baod_reload *reload = BAO_TAKE(s->applying);

    if (reload == NULL)
        return;
    if (!taken && s->candidate == reload->snapshot)
        s->candidate = baod_snapshot_unref(s->candidate);
    answer_reload(s, reload, taken && snapshot == reload->snapshot);
    baod_server_free_reload(reload);
}

static void on_looked(void *user, struct baod_snapshot *snapshot, const struct baod_prepared *prepared)
{
    struct baod_reload *reload = user;

    (void)snapshot;
    if (!prepared->done && !prepared->conflict)
        baod_log(BAOD_LOG_ERROR, "units apply: the look failed: %s", prepared->why);
    answer_reload(reload->server, reload, prepared->done);
    baod_server_free_reload(reload);
}

static int look(struct baod_server *s, struct baod_reload *reload)
{
    struct baod_prepare_options options = {
        .conninfo = s->conninfo,
        .snapshot = reload->snapshot,
        .wait_ms = BAOD_PREPARE_WAIT_MS,
        .done = on_looked,
        .user = reload,
        .sync = {.now = baod_clock_now(&s->clock),
                 .node = s->node,
                 .new_key = s->settings->new_key,
                 .report = &reload->report},
    };

    memcpy(options.sync.seed, s->seed, sizeof(s->seed));
    return baod_prepare(&s->loop, &options);
}

static void on_reload_work(uv_work_t *work)
{
    struct baod_reload *reload = work->data;

    reload->r = read_files(reload->server, &reload->complaints, &reload->snapshot);
}

/* One that follows another daemon is made again and again: what it finds is told once. */
static bool is_known(const struct baod_server *s, const struct baod_reload *reload)
{
    return reload->kind == BAOD_RELOAD_FOLLOW && s->behind;
}

/* May the files be brought into the database? What is wrong with them is logged. */
static bool may_take(const struct baod_server *s, const struct baod_reload *reload, int status)
{
    bool read = status == 0 && reload->r == 0;

    if (read && !bao_str_eq(reload->snapshot->registry.province, s->snapshot->registry.province)) {
        baod_log(BAOD_LOG_ERROR, "reload: the files are another province's; those in force stay");
        return false;
    }
    if (!read && reload->kind != BAOD_RELOAD_PREVIEW && !is_known(s, reload))
        baod_log(BAOD_LOG_ERROR, "reload: the files were not taken; those in force stay");
    return read && s->state == BAOD_SERVING;
}

static void on_reload_done(uv_work_t *work, int status)
{
    struct baod_reload *reload = work->data;
    struct baod_server *s = reload->server;
    bool may = may_take(s, reload, status);

    if ((reload->kind == BAOD_RELOAD_SIGNAL || reload->kind == BAOD_RELOAD_FOLLOW) && !is_known(s, reload))
        fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&reload->complaints)));
    if (may && reload->kind == BAOD_RELOAD_PREVIEW && look(s, reload) == 0)
        return;
    if (reload->kind == BAOD_RELOAD_FOLLOW && s->candidate != NULL)
        may = false; /* what somebody wants to put in force goes first */
    if (may && reload->kind != BAOD_RELOAD_PREVIEW &&
        (reload->kind != BAOD_RELOAD_APPLY || s->applying == NULL)) {
        /* In force once the database has taken them; while it is away they wait. */
        baod_snapshot_unref(s->candidate);
        s->candidate = baod_snapshot_ref(reload->snapshot);
        s->candidate_follows = reload->kind == BAOD_RELOAD_FOLLOW;
        if (!is_known(s, reload))
            tell_left_out(s->candidate);
        if (reload->kind == BAOD_RELOAD_APPLY)
            s->applying = reload;
        baod_server_prepare(s->writer, s);
    }
    if (reload->kind == BAOD_RELOAD_FOLLOW)
        s->behind |= reload->r != 0;
    else
        baod_sd_ready("serving");
    if (s->applying == reload)
        return;
    answer_reload(s, reload, false);
    baod_server_free_reload(reload);
}

int baod_server_reload(struct baod_server *s, enum baod_reload_kind kind, uint64_t peer)
{
    struct baod_reload *reload = s->state == BAOD_SERVING ? calloc(1, sizeof(*reload)) : NULL;

    if (reload == NULL)
        return -ENOMEM;
    reload->server = s;
    reload->kind = kind;
    reload->peer = peer;
    baod_sync_report_init(&reload->report, kind == BAOD_RELOAD_PREVIEW);
    bao_buf_init(&reload->complaints, 16 << 20);
    reload->work.data = reload;
    uv_queue_work(&s->loop, &reload->work, on_reload_work,
                  on_reload_done); /* fails only without a callback */
    return 0;
}

void baod_server_read_anew(struct baod_server *s)
{
    s->reread_after = s->ticks + BAOD_AGAIN_TICKS;
    if (baod_server_reload(s, BAOD_RELOAD_FOLLOW, 0) < 0)
        baod_log(BAOD_LOG_ERROR, "reload: no memory; the files in force stay");
}
