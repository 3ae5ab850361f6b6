#include "daemon/answer.h"
#include "daemon/config/snapshot.h"
#include "daemon/intake.h"
#include "daemon/ops/key.h"
#include "daemon/ops/log.h"
#include "daemon/ops/sd.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/cache.h"
#include "daemon/store/credentials.h"
#include "daemon/store/custody.h"
#include "daemon/store/embedded.h"
#include "daemon/store/migrate.h"
#include "daemon/store/notices.h"
#include "daemon/store/pg.h"
#include "daemon/store/queries.h"
#include "daemon/store/refusals.h"
#include "daemon/store/writer.h"

#include <unistd.h>

enum { SHARE_SECONDS = 30, KEEP_TICKS = 60 };

static int tell(const struct bao_buf *why, int r)
{
    if (bao_buf_len(why) != 0)
        baod_log(BAOD_LOG_ERROR, "%.*s", BAO_STR_ARG(bao_buf_str(why)));
    else if (r < 0)
        baod_log(BAOD_LOG_ERROR, "start: %s", strerror(-r));
    return r;
}

int baod_server_open_database(struct baod_server *s)
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
            uv_update_time(&s->loop); /* a first start takes seconds; who waits for the database begins now */
            baod_log(BAOD_LOG_NOTICE, "database: private PostgreSQL in %s%s", s->settings->state,
                     baod_embedded_adopted(s->embedded) ? ", taken over still running" : "");
        }
    }
    if (r != 0)
        tell(&why, r);
    bao_buf_deinit(&why);
    return r;
}

int baod_server_load_key(struct baod_server *s)
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

struct baod_chain_signer baod_server_signer(const struct baod_server *s)
{
    struct baod_chain_signer signer = {.province_key = baod_province_key(bao_str_c(s->province)),
                                       .province = bao_str_c(s->province),
                                       .node = bao_str_c(s->node)};

    memcpy(signer.seed, s->seed, sizeof(signer.seed));
    return signer;
}

/* ------------------------------------------------------------------ credentials */

/* Told once until it is back: while the database is away it is tried again and again. */
static void on_lost_reading(struct baod_pg *pg, const char *why, void *user)
{
    struct baod_server *s = user;

    (void)pg;
    if (!s->lost_told)
        baod_log(BAOD_LOG_WARNING, "database: no connection for reading: %s", why);
    s->lost_told = true;
}

/* Kept anew when it changed, and now and then for its time: the list holds for seven days. Without memory the
 * older one stays. */
static void on_credentials(void *user, const struct baod_credential_list *list, bool changed)
{
    struct baod_server *s = user;

    if (s->spool != NULL && (changed || s->ticks % KEEP_TICKS == 0) &&
        baod_cache_keep_credentials(s->spool, list) < 0)
        baod_log(BAOD_LOG_WARNING, "spool: no memory to keep the credentials");
}

static int make_credentials(struct baod_server *s)
{
    const struct baod_credentials_options options = {
        .conninfo = s->conninfo, .now = baod_server_now, .on_read = on_credentials, .user = s};

    s->failures.seed = uv_hrtime();
    return baod_credentials_new(&s->loop, &options, &s->credentials);
}

static int restore_credentials(struct baod_server *s)
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
        baod_log(BAOD_LOG_INFO, "spool: %zu %s as the database had them %lld s ago", n,
                 bao_plural((long long)n, "credential", "credentials"),
                 (long long)((baod_clock_now(&s->clock) - at) / BAO_SECOND));
    if (r == -EBADMSG)
        baod_log(BAOD_LOG_WARNING,
                 "spool: the kept credentials cannot be read; tokens wait for the database");
    return r == -ENOMEM ? r : 0;
}

/* ------------------------------------------------------------------ the spool and the rest */

/* Of a classified report nothing is kept but that there was one; of one that its peer may not speak for,
 * nothing of what it says of that unit. */
static void on_refused(void *user, const struct baod_submission *report, const struct baod_identity *who)
{
    enum { FINDINGS = 20, FINDINGS_MAX = 32 << 10 };
    struct baod_server *s = user;
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
    _exit(BAOD_EXIT_FAILED);
}

static int open_spool(struct baod_server *s, const struct bao_load_limits *limits)
{
    struct bao_buf why = BAO_BUF_NULL(64 << 10);
    char path[4096];
    struct baod_spool_options options = {.path = path,
                                         .max_bytes = (uint64_t)s->settings->spool_max_bytes,
                                         .province = s->province,
                                         .node = s->node,
                                         .broken = on_spool_broken,
                                         .user = s};
    struct baod_custody_options custody = {.offset = s->snapshot->registry.offset,
                                           .limits = limits,
                                           .now = baod_server_now,
                                           .refused = on_refused,
                                           .user = s};
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
        baod_log(BAOD_LOG_NOTICE, "spool: %s, %llu %s in it", path, (unsigned long long)counts.rows,
                 bao_plural((long long)counts.rows, "report waits", "reports wait"));
    }
    if (r != 0)
        tell(&why, r);
    bao_buf_deinit(&why);
    return r;
}

int baod_server_make_store(struct baod_server *s)
{
    struct baod_writer_options writing = {.conninfo = s->conninfo,
                                          .node = s->node,
                                          .prepare = baod_server_prepare,
                                          .user = s,
                                          .offset = s->snapshot->registry.offset,
                                          .batch_max = (size_t)s->settings->batch,
                                          .deadline_ms = (int)s->settings->batch_ms};
    const struct baod_pg_options reading = {.conninfo = s->conninfo,
                                            .application = "baocaod reading",
                                            .statement_ms = 60000,
                                            .deadline_ms = 65000,
                                            .read_only = true,
                                            .lost = on_lost_reading,
                                            .user = s};
    const struct baod_pg_options quick = {.conninfo = s->conninfo,
                                          .application = "baocaod reading, quick",
                                          .read_only = true,
                                          .ready = baod_queries_quick};
    struct baod_intake_options intake = {
        .max_bytes = (size_t)s->settings->total_bytes,
        .max_raw = (size_t)s->settings->max_document,
        .threads = (int)baod_settings_threads(s->settings, uv_available_parallelism()),
        .large = (size_t)s->settings->large,
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
        writing.hold_ms = (int)s->settings->spool_hold_ms;
        intake.custody = s->custody;
    }
    if (r == 0)
        r = baod_writer_new(&s->loop, &writing, &s->writer);
    if (r == 0 && s->custody != NULL)
        baod_custody_attach(s->custody, s->writer);
    if (r == 0)
        r = baod_intake_new(&s->loop, s->writer, &intake, &s->intake);
    signer = baod_server_signer(s);
    if (r == 0)
        r = baod_refusals_new(&s->loop, s->conninfo, &signer, &s->refusals);
    if (r == 0)
        baod_intake_use(s->intake, s->snapshot);
    if (r == 0)
        r = baod_pg_new(&s->loop, &reading, &s->reading);
    if (r == 0)
        r = baod_pg_new(&s->loop, &quick, &s->quick);
    if (r == 0)
        r = baod_queries_new(s->reading, s->quick, s->snapshot->registry.offset, &s->queries);
    if (r == 0)
        r = make_credentials(s);
    if (r == 0)
        r = restore_credentials(s);
    if (r == 0 && s->custody != NULL)
        baod_custody_believe(s->custody, s->credentials);
    s->cache = (struct baod_cache){.spool = s->spool, .pg = s->reading};
    if (r == 0)
        baod_pg_open(s->reading);
    if (r == 0)
        baod_pg_open(s->quick);
    if (r == 0)
        r = baod_notices_new(&s->loop, s->conninfo, &s->notices);
    return r;
}
