#include "daemon/store/prepare.h"

#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"

enum { WHY_MAX = 64 << 10, DEADLINE_MS = 600000 };

struct job {
    uv_work_t work;
    struct baod_prepare_options options;
    char *conninfo, *node;
    struct bao_buf why;
    struct baod_sync_changes changes;
    struct baod_dictionary *dictionary;
    int r;
    bool done, foreign;
};

static void free_job(struct job *job)
{
    free(job->conninfo);
    free(job->node);
    bao_buf_deinit(&job->why);
    free(job);
}

static int sync_up(struct job *job)
{
    const struct baod_pg_call_options options = {.conninfo = job->conninfo,
                                                 .application = "baocaod sync",
                                                 .wait_ms = job->options.wait_ms,
                                                 .deadline_ms = DEADLINE_MS};
    struct baod_pg_call *call = NULL;
    int r = baod_pg_call_open(&options, &job->why, &call);

    if (r == 0)
        r = baod_sync(call, job->options.snapshot, &job->options.sync, &job->why, &job->changes,
                      &job->dictionary);
    baod_pg_call_close(call);
    return r;
}

/* On a worker thread: blocking is allowed, and nothing is shared but the immutable snapshot. */
static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    int applied = 0;
    int r = baod_migrate(job->conninfo, baod_province_key(job->options.snapshot->registry.province),
                         job->options.wait_ms, &job->why, &applied);

    job->foreign = r == BAOD_MIGRATE_E_NEWER || r == BAOD_MIGRATE_E_CHANGED;
    if (r == 0)
        r = job->r = sync_up(job);
    job->done = r == 0;
    /* Without memory the sentence stays empty. */
    if (r < 0 && bao_buf_len(&job->why) == 0 && bao_buf_append_c(&job->why, strerror(-r)) < 0)
        bao_buf_clear(&job->why);
}

static void on_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct baod_prepare_options *o = &job->options;
    struct baod_prepared prepared = {.dictionary = status == 0 ? job->dictionary : NULL,
                                     .done = status == 0 && job->done,
                                     .conflict = job->r == BAOD_SYNC_E_CONFLICT,
                                     .other_key = job->r == BAOD_SYNC_E_KEY,
                                     .foreign = status == 0 && job->foreign,
                                     .behind = job->r == BAOD_SYNC_E_BEHIND,
                                     .changes = job->changes};

    if (bao_buf_append(&job->why, "", 1) < 0)
        bao_buf_clear(&job->why);
    prepared.why = bao_buf_len(&job->why) == 0 ? "" : bao_buf_data(&job->why);
    o->done(o->user, o->snapshot, &prepared);
    baod_snapshot_unref(o->snapshot);
    free_job(job);
}

int baod_prepare(uv_loop_t *loop, const struct baod_prepare_options *options)
{
    struct job *job = calloc(1, sizeof(*job));

    if (job == NULL)
        return -ENOMEM;
    job->options = *options;
    bao_buf_init(&job->why, WHY_MAX);
    job->conninfo = strdup(options->conninfo);
    job->node = strdup(options->sync.node);
    if (job->conninfo == NULL || job->node == NULL) {
        free_job(job);
        return -ENOMEM;
    }
    job->options.sync.node = job->node;
    baod_snapshot_ref(options->snapshot);
    job->work.data = job;
    uv_queue_work(loop, &job->work, on_work, on_done); /* fails only without a callback */
    return 0;
}
