#include "daemon/intake.h"
#include "daemon/ops/turns.h"
#include "daemon/store/custody.h"
#include "daemon/store/writer.h"
#include "lib/base/crypto.h"
#include "lib/base/map.h"
#include "lib/wire/deflate.h"

#include <sys/random.h>

enum {
    INSIDE_MAX = 32768,
    BYTES_MAX = 256 << 20,
    RAW_MAX = 4 << 20,
    THREADS = 2,
    JOBS_PER_TURN = 64, /* reports of one work item: amortises the hand-over, bounds the wait of the last */
    TURN_BYTES = 512 << 10,
    WORTH_WAKING = 8,  /* waiting reports that another thread is woken for while one has a brief turn; */
    BRIEF = 64 << 10,  /* its octets: some 0.3 ms of JSON, 3 ms of YAML */
    LARGE = 256 << 10, /* octets of a document and its body: a hundred usual reports, some 10 ms of work */
    SPARE_JOBS = 256,
    JUDGE_ARENA_MAX = 192 << 20, /* a document of 200,000 nodes with its findings fits */
    DEFLATE_LEVEL = 5,
    USUAL_RATIO = 8, /* of a packed report whose size is not announced, for its sender's share */
};

/* One report inside. */
struct job {
    struct baod_turns_item turn; /* while it waits to be judged */
    struct baod_submission s;    /* s.user = this */
    struct baod_intake *intake;
    struct bao_arena own; /* the request's copy */
    struct baod_request request;
    struct baod_identity who;
    struct baod_expected expected;
    uint64_t sender;     /* whose turn it takes */
    bool is_large, grew; /* grew: it turned out to be large and was not judged */
    struct job *next;
    struct job *same; /* identical reports that wait for this one's answer */
};

/* What one thread judges with. Belongs to the thread while busy, else to the loop. */
struct worker {
    uv_work_t work;
    struct baod_intake *intake;
    bool busy, on_large;
    size_t bytes; /* of its jobs */
    struct job *jobs;
    struct bao_arena arena;
    struct bao_schema_scratch *scratch;
    struct bao_inflater *inflater;
    struct bao_deflater *deflater;
};

struct baod_intake {
    uv_loop_t *loop;
    struct baod_writer *writer;
    struct baod_snapshot *snapshot;
    struct baod_intake_options options;
    struct baod_turns small, large; /* not yet judged */
    int on_large;                   /* workers at a large one */
    bool small_next;                /* the last turn given was a large one's */
    struct baod_quota *quota;
    struct job *spare;
    size_t n_spare;
    struct bao_map under_way; /* content hash -> the job that is with the writer */
    struct baod_intake_counts counts;
    void (*drained)(void *user);
    void *drained_user;
    bool draining;
    struct worker *workers;
};

/* ------------------------------------------------------------------ jobs */

static void job_free(struct job *job)
{
    bao_arena_deinit(&job->s.arena);
    bao_arena_deinit(&job->own);
    free(job);
}

static size_t request_bytes(const struct baod_intake *intake, const struct baod_request *request)
{
    size_t raw = request->sizeless ? intake->options.max_raw : (size_t)request->raw;

    return request->body.n + (request->deflated ? raw : 0);
}

static size_t job_bytes(const struct job *job)
{
    return request_bytes(job->intake, &job->request);
}

/* Copies what the sender said of the document. false: no memory. */
static bool copy_expected(struct job *job)
{
    struct bao_str *texts[] = {&job->expected.unit, &job->expected.form, &job->expected.period};

    if (job->request.expected == NULL)
        return true;
    job->expected = *job->request.expected;
    job->request.expected = &job->expected;
    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = bao_arena_str(&job->own, *texts[i]);
        if (texts[i]->p == NULL)
            return false;
    }
    return true;
}

static int copy_units(struct job *job, const struct baod_identity *who)
{
    struct bao_str *units = bao_arena_array(&job->own, who->n_units, sizeof(*units));

    if (units == NULL)
        return -ENOMEM;
    job->who.units = units;
    for (size_t i = 0; i < who->n_units; i++) {
        units[i] = bao_arena_str(&job->own, who->units[i]);
        if (units[i].p == NULL)
            return -ENOMEM;
    }
    return 0;
}

/* Copies the request in. NULL: no memory. */
static struct job *job_new(struct baod_intake *intake, const struct baod_request *request)
{
    struct job *job = intake->spare;

    if (job != NULL) {
        intake->spare = job->next;
        intake->n_spare--;
    } else {
        job = calloc(1, sizeof(*job));
        if (job == NULL)
            return NULL;
        bao_arena_init(&job->s.arena, JUDGE_ARENA_MAX);
    }
    job->intake = intake;
    job->request = *request;
    job->request.body = bao_arena_str(&job->own, request->body);
    job->who = *request->who;
    job->request.who = &job->who;
    if (job->request.body.p == NULL || !copy_expected(job))
        goto fail;
    if (job->who.n_units != 0 && copy_units(job, request->who) < 0)
        goto fail;
    return job;
fail:
    job_free(job);
    return NULL;
}

/* Empties a job for the next request. */
static void job_recycle(struct baod_intake *intake, struct job *job)
{
    if (intake->n_spare >= SPARE_JOBS) {
        job_free(job);
        return;
    }
    bao_arena_reset(&job->s.arena);
    bao_arena_reset(&job->own);
    *job = (struct job){.s = {.arena = job->s.arena}, .own = job->own, .next = intake->spare};
    intake->spare = job;
    intake->n_spare++;
}

static void drain_check(struct baod_intake *intake)
{
    if (intake->draining && intake->counts.inside == 0 && intake->drained != NULL) {
        void (*drained)(void *) = intake->drained;

        intake->drained = NULL;
        drained(intake->drained_user);
    }
}

static bool is_refused(const struct job *job)
{
    return !job->request.only_judge && job->s.symbol != BAO_SYM_NONE &&
           bao_symbol_info(job->s.symbol)->answer == BAO_NO;
}

/* Tells the peer and forgets the job. */
static void job_answer(struct job *job)
{
    struct baod_intake *intake = job->intake;

    if (intake->options.refused != NULL && is_refused(job))
        intake->options.refused(intake->options.user, &job->s, &job->who);
    job->request.answer(job->request.user, job->request.peer, job->request.txn, &job->s);
    intake->counts.inside--;
    intake->counts.bytes -= job_bytes(job);
    (void)baod_snapshot_unref((struct baod_snapshot *)job->s.snapshot);
    job_recycle(intake, job);
    drain_check(intake);
}

/* ------------------------------------------------------------------ on a worker thread */

static int copy_str(struct bao_arena *arena, struct bao_str *s)
{
    struct bao_str copy = s->n == 0 ? BAO_STR("") : bao_arena_str(arena, *s);

    if (copy.p == NULL)
        return -ENOMEM;
    *s = copy;
    return 0;
}

/* Data and explanations are needed again only where checks against earlier reports wait. */
static int keep_data(struct bao_arena *arena, struct bao_verdict *v)
{
    if (v->unjudged == 0 || v->data == NULL) {
        v->data = v->explain = NULL;
        return 0;
    }
    v->data = bao_node_copy(arena, v->data);
    if (v->explain != NULL) {
        v->explain = bao_node_copy(arena, v->explain);
        if (v->explain == NULL)
            return -ENOMEM;
    }
    return v->data == NULL ? -ENOMEM : 0;
}

/* Keeps of an acceptable verdict what the writer and the answer need, in a small arena of the report's own,
 * so that the thread's arena, with the whole tree, serves the next report. */
static int keep_verdict(struct job *job)
{
    struct bao_arena *arena = &job->s.arena;
    struct bao_verdict *v = &job->s.verdict;
    struct bao_str *texts[] = {&v->form_id, &v->unit, &v->warnings, &v->explanations, &v->collected};
    size_t n_figures = v->form == NULL ? 0 : v->form->n_indicators;
    struct bao_figure *figures = bao_arena_array(arena, n_figures, sizeof(*figures));
    int r;

    if (figures == NULL)
        return -ENOMEM;
    if (n_figures != 0)
        memcpy(figures, v->figures, n_figures * sizeof(*figures));
    v->figures = figures;
    r = bao_findings_copy(&v->findings, arena, &v->findings);
    for (size_t i = 0; r == 0 && i < BAO_COUNT(texts); i++)
        r = copy_str(arena, texts[i]);
    if (job->request.deflated)
        job->s.document.p = NULL; /* inflated into the thread's arena; only its size is needed from now on */
    v->doc = (struct bao_doc){.n_nodes = v->doc.n_nodes, .is_json = v->doc.is_json};
    return r == 0 ? keep_data(arena, v) : r;
}

/* Gets the document's octets: 0 with job->s.symbol perhaps set, or -ENOMEM. */
static int open_body(struct worker *w, struct job *job)
{
    const struct baod_request *request = &job->request;
    size_t max_raw = job->intake->options.max_raw;
    int r;

    if (!request->deflated) {
        job->s.document = request->body;
        if (request->body.n > max_raw)
            job->s.symbol = BAO_SYM_TOOBIG;
        return 0;
    }
    if (request->sizeless) {
        size_t large = job->intake->options.large, most = job->is_large || max_raw < large ? max_raw : large;

        r = bao_inflate_most(w->inflater, &w->arena, request->body, most, &job->s.document);
        job->grew = r == BAO_INFLATE_E_RAW && most < max_raw;
        if (r > 0)
            job->s.symbol = r == BAO_INFLATE_E_RAW ? BAO_SYM_TOOBIG : BAO_SYM_INFLATE;
        return r < 0 ? r : 0;
    }
    job->s.stored = request->body;
    if (request->raw > max_raw) {
        job->s.symbol = BAO_SYM_TOOBIG;
        return 0;
    }
    r = bao_inflate(w->inflater, &w->arena, request->body, (size_t)request->raw, &job->s.document);
    if (r > 0)
        job->s.symbol = r == BAO_INFLATE_E_RAW ? BAO_SYM_RAW : BAO_SYM_INFLATE;
    return r < 0 ? r : 0;
}

static int judge(struct worker *w, struct job *job)
{
    const struct baod_snapshot *snapshot = job->s.snapshot;
    struct bao_judge_context context = {.forms = &snapshot->forms,
                                        .registry = &snapshot->registry,
                                        .limits = job->intake->options.limits,
                                        .now = job->request.received_at};
    struct bao_arena used;
    int r = open_body(w, job);

    if (r < 0 || job->s.symbol != BAO_SYM_NONE)
        return r;
    bao_sha256(job->s.document.p, job->s.document.n, job->s.sha256);
    if (job->request.has_sha256 && memcmp(job->s.sha256, job->request.sha256, sizeof(job->s.sha256)) != 0) {
        job->s.symbol = BAO_SYM_HASH;
        return 0;
    }
    r = bao_judge(&context, &w->arena, w->scratch, job->s.document, &job->s.verdict);
    if (r < 0)
        return r;
    if (job->s.verdict.symbol == BAO_SYM_NONE) {
        if (job->s.stored.p == NULL)
            r = bao_deflate(w->deflater, &job->s.arena, job->s.document, &job->s.stored);
        return r < 0 ? r : keep_verdict(job);
    }
    /* Refused: its findings lie all over the arena, which the report therefore takes along. */
    used = w->arena;
    w->arena = job->s.arena;
    job->s.arena = used;
    job->s.verdict.findings.arena = &job->s.arena;
    return 0;
}

static void work(uv_work_t *req)
{
    struct worker *w = req->data;

    for (struct job *job = w->jobs; job != NULL; job = job->next) {
        int r = judge(w, job);

        if (r < 0) {
            job->s.verdict = (struct bao_verdict){.symbol = BAO_SYM_INTERNAL};
            job->s.symbol = BAO_SYM_INTERNAL;
        }
        bao_arena_reset(&w->arena);
    }
}

/* ------------------------------------------------------------------ on the loop */

/* Is the document the one that the sender named? Otherwise both are told. */
static bool is_expected(struct job *job)
{
    const struct baod_expected *e = job->request.expected;
    const struct bao_verdict *v = &job->s.verdict;
    struct bao_period period;
    char label[16];

    if (e == NULL ||
        (bao_str_eq(e->unit, v->unit) && bao_str_eq(e->form, v->form_id) &&
         bao_period_parse(e->period, &period) && bao_period_code(period) == bao_period_code(v->period) &&
         (e->revision == 0 || e->revision == v->revision)))
        return true;
    bao_period_print(v->period, label);
    job->s.detail[BAO_VI] =
        bao_arena_printf(&job->s.arena,
                         "Địa chỉ gửi không khớp với báo cáo: trong tệp ghi đơn vị %.*s, biểu mẫu %.*s, kỳ "
                         "%s, lần báo cáo %d. "
                         "Hãy gửi tới /v1/reports/%.*s/%.*s/%s/%d hoặc sửa phần đầu của tệp.",
                         BAO_STR_ARG(v->unit), BAO_STR_ARG(v->form_id), label, v->revision,
                         BAO_STR_ARG(v->unit), BAO_STR_ARG(v->form_id), label, v->revision);
    job->s.detail[BAO_EN] =
        bao_arena_printf(&job->s.arena,
                         "The address does not agree with the report: the file says unit %.*s, form %.*s, "
                         "period %s, revision %d. "
                         "Send it to /v1/reports/%.*s/%.*s/%s/%d, or mend the head of the file.",
                         BAO_STR_ARG(v->unit), BAO_STR_ARG(v->form_id), label, v->revision,
                         BAO_STR_ARG(v->unit), BAO_STR_ARG(v->form_id), label, v->revision);
    return false;
}

static struct bao_str content_key(const struct job *job)
{
    return (struct bao_str){(const char *)job->s.verdict.content, sizeof(job->s.verdict.content)};
}

/* The writer has decided: answer this one and those that are the same. */
static void decided(struct baod_submission *s)
{
    struct job *job = s->user, *same = job->same;

    if (bao_map_get(&job->intake->under_way, content_key(job)) == job)
        (void)bao_map_take(&job->intake->under_way, content_key(job));
    while (same != NULL) {
        struct job *next = same->same;

        same->s.symbol = s->symbol;
        same->s.verdict.symbol = s->verdict.symbol;
        same->s.verdict.findings = s->verdict.findings; /* borrowed until it is answered, which is now */
        same->s.receipt = s->receipt;
        same->s.receipt.dup = s->symbol == BAO_SYM_NONE;
        same->s.detail[BAO_VI] = s->detail[BAO_VI];
        same->s.detail[BAO_EN] = s->detail[BAO_EN];
        same->s.after_ms = s->after_ms;
        same->same = NULL;
        job_answer(same);
        same = next;
    }
    job->same = NULL;
    job_answer(job);
}

/* A judged report: answer it, let it wait for its twin, or give it to the writer. */
static void judged(struct baod_intake *intake, struct job *job)
{
    struct baod_submission *s = &job->s;
    struct job *first;

    if (s->symbol == BAO_SYM_NONE && !s->verdict.has_key)
        s->symbol = s->verdict.symbol == BAO_SYM_NONE ? BAO_SYM_INTERNAL : s->verdict.symbol;
    if (s->symbol == BAO_SYM_NONE && s->verdict.is_secret)
        s->symbol = BAO_SYM_SECRET;
    if (s->symbol == BAO_SYM_NONE && !is_expected(job))
        s->symbol = BAO_SYM_ENVELOPE;
    if (job->request.only_judge) {
        if (s->symbol == BAO_SYM_NONE)
            s->symbol = s->verdict.symbol;
        job_answer(job);
        return;
    }
    if (s->symbol == BAO_SYM_NONE &&
        !baod_identity_may_speak(&job->who, &s->snapshot->registry, s->verdict.unit, s->received_at))
        s->symbol = BAO_SYM_UNIT;
    if (s->symbol != BAO_SYM_NONE) {
        job_answer(job);
        return;
    }
    first = bao_map_get(&intake->under_way, content_key(job));
    if (first != NULL && first->s.verdict.symbol == s->verdict.symbol) {
        job->same = first->same;
        first->same = job;
        return;
    }
    /* Without memory for the map the report goes on alone; the key will answer. */
    if (first == NULL && bao_map_set(&intake->under_way, content_key(job), job) < 0)
        s->symbol = BAO_SYM_NONE;
    if (intake->options.custody != NULL)
        baod_custody_submit(intake->options.custody, s);
    else
        baod_writer_submit(intake->writer, s);
}

static void dispatch(struct baod_intake *intake);

static void enqueue(struct baod_intake *intake, struct job *job)
{
    baod_turns_push(job->is_large ? &intake->large : &intake->small, job->sender, &job->turn);
}

static void worked(uv_work_t *req, int status)
{
    struct worker *w = req->data;
    struct baod_intake *intake = w->intake;
    struct job *jobs = BAO_TAKE(w->jobs), *job, **at = &jobs;

    (void)status; /* work items are never cancelled: a report read to its end is carried through */
    intake->on_large -= w->on_large;
    w->busy = w->on_large = false;
    while ((job = *at) != NULL) {
        if (!job->grew) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->grew = false;
        job->is_large = true;
        job->s.symbol = BAO_SYM_NONE;
        enqueue(intake, job);
    }
    dispatch(intake);
    while (jobs != NULL) {
        job = jobs;
        jobs = job->next;
        judged(intake, job);
    }
}

/* Takes a worker's share of the small ones out of their queue: all, when they are few. */
static struct job *take_small(struct baod_intake *intake, size_t *ret_bytes)
{
    size_t threads = (size_t)intake->options.threads, share = (intake->small.n + threads - 1) / threads;
    struct job *first = NULL, **end = &first;
    size_t bytes = 0;

    if (share < WORTH_WAKING)
        share = intake->small.n < WORTH_WAKING ? intake->small.n : WORTH_WAKING;
    if (share > JOBS_PER_TURN)
        share = JOBS_PER_TURN;
    for (size_t n = 0; n < share && bytes < TURN_BYTES; n++) {
        struct job *job = (struct job *)baod_turns_pop(&intake->small);

        bytes += job_bytes(job);
        *end = job;
        end = &job->next;
    }
    *end = NULL;
    *ret_bytes = bytes;
    return first;
}

/* Large ones hold at most half of the workers, and each turn of theirs is followed by one of the small ones
 * where both wait for the same worker. NULL: there is nothing this worker may do. */
static struct job *take(struct baod_intake *intake, struct worker *w)
{
    int threads = intake->options.threads;
    bool turn = threads > 1 || intake->small.n == 0 || !intake->small_next;
    bool large = turn && intake->large.n != 0 && intake->on_large < (threads > 1 ? threads / 2 : 1);
    struct job *job;

    w->on_large = large;
    if (large) {
        job = (struct job *)baod_turns_pop(&intake->large);
        job->next = NULL;
        intake->small_next = true;
        return job;
    }
    intake->small_next = false;
    return intake->small.n == 0 ? NULL : take_small(intake, &w->bytes);
}

/* May the few that wait as well be the next turn of a worker that is about to end one? To wake a thread, and
 * to be woken by it, costs as much as judging a report. */
static bool is_soon_free(const struct baod_intake *intake)
{
    if (intake->small.n >= WORTH_WAKING || intake->large.n != 0)
        return false;
    for (int i = 0; i < intake->options.threads; i++) {
        const struct worker *w = &intake->workers[i];

        if (w->busy && !w->on_large && w->bytes <= BRIEF)
            return true;
    }
    return false;
}

static void dispatch(struct baod_intake *intake)
{
    for (int i = 0; i < intake->options.threads; i++) {
        struct worker *w = &intake->workers[i];

        if (w->busy)
            continue;
        if (is_soon_free(intake))
            return;
        w->jobs = take(intake, w);
        if (w->jobs == NULL)
            return;
        intake->on_large += w->on_large;
        w->busy = true;
        w->work.data = w;
        if (uv_queue_work(intake->loop, &w->work, work, worked) != 0)
            abort(); /* fails only without a work function */
    }
}

static bool is_over_share(struct baod_intake *intake, const struct baod_request *request, size_t bytes)
{
    const struct baod_identity *who = request->who;
    unsigned after = 0;

    if (!who->any_unit && who->n_units != 0)
        after = baod_quota_take(intake->quota, who->units, who->n_units, bytes, uv_now(intake->loop) * 1000);
    if (after == 0)
        return false;
    if (request->after_ms != NULL)
        *request->after_ms = after;
    intake->counts.refused_quota++;
    return true;
}

/* Whose turn a report takes: all connections of one identity have one; nobody's, each its own. */
static uint64_t sender_of(const struct baod_intake *intake, const struct baod_request *request)
{
    const struct baod_identity *who = request->who;

    if (who->any_unit || who->n_units == 0)
        return request->peer;
    return baod_quota_key(intake->quota, who->units, who->n_units);
}

int baod_intake_submit(struct baod_intake *intake, const struct baod_request *request)
{
    size_t bytes = request_bytes(intake, request);
    struct job *job;

    if (intake->draining)
        return -ESHUTDOWN;
    if (intake->snapshot == NULL || intake->counts.inside >= intake->options.max_reports ||
        bytes > intake->options.max_bytes - intake->counts.bytes) {
        intake->counts.refused_budget++;
        return -EAGAIN;
    }
    if (is_over_share(intake, request, request->sizeless ? request->body.n * USUAL_RATIO : bytes))
        return -EDQUOT;
    job = job_new(intake, request);
    if (job == NULL)
        return -ENOMEM;
    job->s.snapshot = baod_snapshot_ref(intake->snapshot);
    job->s.received_at = request->received_at;
    job->s.done = decided;
    job->s.user = job;
    job->s.who = &job->who;
    intake->counts.taken++;
    intake->counts.inside++;
    intake->counts.bytes += bytes;
    job->sender = sender_of(intake, request);
    /* One that does not announce its size is small until it proves otherwise. */
    job->is_large = (request->sizeless ? request->body.n : bytes) > intake->options.large;
    enqueue(intake, job);
    dispatch(intake);
    return 0;
}

/* ------------------------------------------------------------------ life */

static void worker_deinit(struct worker *w)
{
    bao_arena_deinit(&w->arena);
    (void)bao_schema_scratch_free(w->scratch);
    (void)bao_inflater_free(w->inflater);
    (void)bao_deflater_free(w->deflater);
}

static int worker_init(struct worker *w, struct baod_intake *intake)
{
    w->intake = intake;
    bao_arena_init(&w->arena, JUDGE_ARENA_MAX);
    w->scratch = bao_schema_scratch_new();
    w->inflater = bao_inflater_new();
    w->deflater = bao_deflater_new(DEFLATE_LEVEL);
    return w->scratch == NULL || w->inflater == NULL || w->deflater == NULL ? -ENOMEM : 0;
}

static void set_defaults(struct baod_intake_options *o)
{
    if (o->max_reports == 0)
        o->max_reports = INSIDE_MAX;
    if (o->max_bytes == 0)
        o->max_bytes = BYTES_MAX;
    if (o->max_raw == 0)
        o->max_raw = RAW_MAX;
    if (o->large == 0)
        o->large = LARGE;
    if (o->threads <= 0)
        o->threads = THREADS;
    if (o->limits.octets == 0)
        o->limits = BAO_LOAD_LIMITS_DEFAULT;
}

static void free_intake(struct baod_intake **intake)
{
    *intake = baod_intake_free(*intake);
}

int baod_intake_new(uv_loop_t *loop, struct baod_writer *writer, const struct baod_intake_options *options,
                    struct baod_intake **ret)
{
    BAO_CLEANUP(free_intake) struct baod_intake *intake = calloc(1, sizeof(*intake));
    uint64_t seed[2];

    if (intake == NULL)
        return -ENOMEM;
    intake->loop = loop;
    intake->writer = writer;
    intake->options = *options;
    set_defaults(&intake->options);
    if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return -errno;
    baod_turns_init(&intake->small, seed[0]);
    baod_turns_init(&intake->large, seed[1]);
    bao_map_init(&intake->under_way, seed);
    intake->quota = baod_quota_new(&options->share, seed[0] ^ seed[1]);
    if (intake->quota == NULL)
        return -ENOMEM;
    intake->workers = calloc((size_t)intake->options.threads, sizeof(*intake->workers));
    if (intake->workers == NULL)
        return -ENOMEM;
    for (int i = 0; i < intake->options.threads; i++)
        if (worker_init(&intake->workers[i], intake) < 0)
            return -ENOMEM;
    *ret = BAO_TAKE(intake);
    return 0;
}

void baod_intake_use(struct baod_intake *intake, struct baod_snapshot *snapshot)
{
    struct baod_snapshot *old = intake->snapshot;

    intake->snapshot = baod_snapshot_ref(snapshot);
    (void)baod_snapshot_unref(old);
}

void baod_intake_drain(struct baod_intake *intake, void (*drained)(void *user), void *user)
{
    intake->draining = true;
    intake->drained = drained;
    intake->drained_user = user;
    drain_check(intake);
}

struct baod_intake *baod_intake_free(struct baod_intake *intake)
{
    if (intake == NULL)
        return NULL;
    bao_require(intake->counts.inside == 0);
    while (intake->spare != NULL) {
        struct job *job = intake->spare;

        intake->spare = job->next;
        job_free(job);
    }
    for (int i = 0; intake->workers != NULL && i < intake->options.threads; i++)
        worker_deinit(&intake->workers[i]);
    free(intake->workers);
    bao_map_deinit(&intake->under_way);
    intake->quota = baod_quota_free(intake->quota);
    (void)baod_snapshot_unref(intake->snapshot);
    free(intake);
    return NULL;
}

struct baod_intake_counts baod_intake_counts(const struct baod_intake *intake)
{
    return intake->counts;
}
