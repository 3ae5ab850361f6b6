#include "daemon/ops/log.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/heads.h"
#include "daemon/store/pgcall.h"

/* Once a day the list of heads in the state folder, which is there to be published, is brought up to date. */
struct heads_job {
    uv_work_t work;
    struct baod_server *server;
    bao_date day;
    struct bao_buf why;
    int r;
};

static void on_heads_work(uv_work_t *work)
{
    struct heads_job *job = work->data;
    const struct baod_server *s = job->server;
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
    job->server->heads_after = job->server->ticks + BAOD_AGAIN_TICKS;
    if (status == 0 && job->r == 0)
        job->server->heads_day = job->day;
    else
        baod_log(BAOD_LOG_WARNING, "heads: the list was not brought up to date: %s%.*s",
                 job->r < 0 ? strerror(-job->r) : "", BAO_STR_ARG(bao_buf_str(&job->why)));
    bao_buf_deinit(&job->why);
    free(job);
}

void baod_server_publish_heads(struct baod_server *s, bao_date today)
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
