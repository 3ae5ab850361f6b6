#include "daemon/store/refusals.h"

#include "daemon/ops/log.h"
#include "daemon/store/leaves.h"
#include "daemon/store/pgcall.h"
#include "lib/base/error.h"

#include <sys/random.h>

enum {
    WAITING_MAX = 2000,
    BATCH_MAX = 500,
    FINDINGS_MAX = 32 << 10,
    PAUSE_MS = 1000,
    AGAIN_MS = 5000,
    WAIT_MS = 2000,
    DEADLINE_MS = 15000,
};

struct entry {
    struct entry *next;
    struct bao_arena arena; /* owns the texts */
    struct baod_refused refused;
    uint8_t id[16];
};

struct list {
    struct entry *first, *last;
    size_t n;
};

struct baod_refusals {
    uv_loop_t *loop;
    uv_timer_t timer;
    char *conninfo, *province, *node;
    struct baod_chain_signer signer;
    struct list waiting;
    uint64_t dropped;
    bool writing, closing, timer_closed;
    void (*drained)(void *user);
    void *drained_user;
};

/* One batch on its way. */
struct job {
    uv_work_t work;
    struct baod_refusals *owner;
    struct list list;
    struct bao_arena arena;
    struct bao_buf why;
    int r;
};

/* ------------------------------------------------------------------ the list */

static void push(struct list *l, struct entry *e)
{
    e->next = NULL;
    if (l->last == NULL)
        l->first = e;
    else
        l->last->next = e;
    l->last = e;
    l->n++;
}

static struct entry *pop(struct list *l)
{
    struct entry *e = l->first;

    if (e == NULL)
        return NULL;
    l->first = e->next;
    if (l->first == NULL)
        l->last = NULL;
    l->n--;
    return e;
}

static void free_entry(struct entry *e)
{
    bao_arena_deinit(&e->arena);
    free(e);
}

static void empty(struct list *l)
{
    for (struct entry *e; (e = pop(l)) != NULL;)
        free_entry(e);
}

static bool copy(struct entry *e)
{
    struct baod_refused *r = &e->refused;
    struct bao_str *texts[] = {&r->unit, &r->form, &r->period, &r->findings};

    if (r->findings.n > FINDINGS_MAX)
        r->findings = BAO_STR_NULL;
    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = bao_arena_str(&e->arena, *texts[i]);
        if (texts[i]->p == NULL)
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ on a worker thread */

static int make_leaf(const struct entry *e, struct bao_hash *ret)
{
    const struct baod_refused *f = &e->refused;
    struct baod_refusal_leaf leaf = {.unit = f->unit,
                                     .form = f->form,
                                     .period = f->period,
                                     .symbol = bao_str_c(bao_symbol_info(f->symbol)->name),
                                     .revision = f->revision,
                                     .received_at = f->at};

    memcpy(leaf.id, e->id, sizeof(leaf.id));
    return baod_refusal_leaf(&leaf, ret);
}

/* Which of the codes are nobody's. */
static const struct baod_pg_statement STRANGERS = {
    NULL, "SELECT k.i FROM unnest($1::text[]) WITH ORDINALITY k(code, i)"
          " WHERE k.code = '' OR NOT EXISTS (SELECT FROM baocao.unit u WHERE u.code = k.code)"};

/* A code that is nobody's is written as none, in the row as in the leaf. */
static int forget_strangers(struct job *job, struct baod_pg_call *call)
{
    struct bao_str *codes = bao_arena_array(&job->arena, job->list.n, sizeof(*codes));
    struct entry **entries = bao_arena_array(&job->arena, job->list.n, sizeof(struct entry *));
    const struct baod_pg_result *rows;
    struct baod_pg_param param;
    size_t i = 0;
    int r;

    if (codes == NULL || entries == NULL)
        return -ENOMEM;
    for (struct entry *e = job->list.first; e != NULL; e = e->next, i++) {
        codes[i] = e->refused.unit;
        entries[i] = e;
    }
    param = baod_pg_p_texts(&job->arena, codes, i);
    r = baod_pg_call_exec(call, &STRANGERS, &param, 1, &rows);
    for (size_t k = 0; r == 0 && k < baod_pg_rows(rows); k++)
        entries[baod_pg_int(rows, k, 0) - 1]->refused.unit = BAO_STR("");
    return r;
}

/* Units by their code, 0 for nobody; the ring of each unit that is touched loses what is older than its
 * 1,000th. */
static const struct baod_pg_statement INSERT = {
    NULL, "INSERT INTO baocao.refusal (unit, id, at, form, period, revision, symbol, findings, seq, leaf)"
          " SELECT coalesce((SELECT u.unit FROM baocao.unit u WHERE u.code = k.unit LIMIT 1), 0), k.id, "
          "k.at, k.form,"
          "        k.period, nullif(k.revision, 0), k.symbol, k.findings, $9, k.leaf - 1"
          "   FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::int4[], "
          "$7::text[],"
          "               $8::text[]) WITH ORDINALITY k(unit, id, at, form, period, revision, symbol, "
          "findings, leaf)"};

static const struct baod_pg_statement TRIM = {
    NULL, "DELETE FROM baocao.refusal r USING ("
          "   SELECT t.unit, (SELECT x.id FROM baocao.refusal x WHERE x.unit = t.unit ORDER BY x.id DESC"
          "                   OFFSET 999 LIMIT 1) AS last"
          "     FROM (SELECT DISTINCT unit FROM baocao.refusal WHERE seq = $1 AND id = ANY ($2::uuid[])) t) k"
          " WHERE r.unit = k.unit AND r.id < k.last"};

static const struct baod_pg_statement COMMIT = {NULL, "COMMIT"};

static int write_rows(struct job *job, struct baod_pg_call *call, int64_t seq)
{
    struct bao_arena *a = &job->arena;
    size_t n = job->list.n, i = 0;
    struct bao_str *texts = bao_arena_array(a, 5 * n, sizeof(*texts));
    uint8_t(*ids)[16] = bao_arena_array(a, n, sizeof(*ids));
    bao_time *times = bao_arena_array(a, n, sizeof(*times));
    int32_t *revisions = bao_arena_array(a, n, sizeof(*revisions));
    struct baod_pg_param params[9];

    if (texts == NULL || ids == NULL || times == NULL || revisions == NULL)
        return -ENOMEM;
    for (const struct entry *e = job->list.first; e != NULL; e = e->next, i++) {
        texts[i] = e->refused.unit;
        texts[n + i] = e->refused.form;
        texts[2 * n + i] = e->refused.period;
        texts[3 * n + i] = bao_str_c(bao_symbol_info(e->refused.symbol)->name);
        texts[4 * n + i] = e->refused.findings.n == 0 ? BAO_STR_NULL : e->refused.findings;
        memcpy(ids[i], e->id, sizeof(ids[i]));
        times[i] = e->refused.at;
        revisions[i] = e->refused.revision;
    }
    params[0] = baod_pg_p_texts(a, texts, n);
    params[1] = baod_pg_p_uuids(a, (const uint8_t(*)[16])ids, n);
    params[2] = baod_pg_p_times(a, times, n);
    params[3] = baod_pg_p_texts(a, texts + n, n);
    params[4] = baod_pg_p_texts(a, texts + 2 * n, n);
    params[5] = baod_pg_p_int4s(a, revisions, NULL, n);
    params[6] = baod_pg_p_texts(a, texts + 3 * n, n);
    params[7] = baod_pg_p_texts(a, texts + 4 * n, n);
    params[8] = baod_pg_p_int8(a, seq);
    return baod_pg_call_exec(call, &INSERT, params, BAO_COUNT(params), NULL);
}

/* What fails here is left to the next batch of those units. */
static void trim_rings(struct job *job, struct baod_pg_call *call, int64_t seq)
{
    uint8_t(*ids)[16] = bao_arena_array(&job->arena, job->list.n, sizeof(*ids));
    struct baod_pg_param params[2];
    size_t i = 0;

    if (ids == NULL)
        return;
    for (const struct entry *e = job->list.first; e != NULL; e = e->next, i++)
        memcpy(ids[i], e->id, sizeof(ids[i]));
    params[0] = baod_pg_p_int8(&job->arena, seq);
    params[1] = baod_pg_p_uuids(&job->arena, (const uint8_t(*)[16])ids, i);
    if (baod_pg_call_exec(call, &TRIM, params, BAO_COUNT(params), NULL) != 0)
        baod_log(BAOD_LOG_INFO, "refusals: the oldest stay for now: %s", baod_pg_call_error(call));
}

/* Everything that can be is done before the province's lock is taken or after it is given back: while the
 * processors are busy each answer takes its time, and the reports' writer waits for that lock. */
static int write_batch(struct job *job, struct baod_pg_call *call)
{
    const struct baod_chain_signer *signer = &job->owner->signer;
    struct bao_hash *leaves = bao_arena_array(&job->arena, job->list.n + 1, sizeof(*leaves));
    struct baod_chain chain;
    size_t i = 0;
    int r = leaves == NULL ? -ENOMEM : forget_strangers(job, call);

    for (const struct entry *e = job->list.first; r == 0 && e != NULL; e = e->next)
        r = make_leaf(e, &leaves[i++]);
    if (r == 0)
        r = baod_chain_begin(call, &job->arena, signer, &chain);
    if (r == 0)
        r = write_rows(job, call, chain.row.seq);
    if (r == 0) {
        baod_mark_leaf(BAOD_MARK_REFUSALS, chain.row.seq, &leaves[i]);
        r = baod_chain_write(call, &job->arena, signer, &chain, leaves, i + 1);
    }
    if (r == 0)
        r = baod_pg_call_exec(call, &COMMIT, NULL, 0, NULL);
    if (r == 0)
        trim_rings(job, call, chain.row.seq);
    return r;
}

static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    const struct baod_pg_call_options options = {.conninfo = job->owner->conninfo,
                                                 .application = "baocaod refusals",
                                                 .wait_ms = WAIT_MS,
                                                 .deadline_ms = DEADLINE_MS};
    struct baod_pg_call *call = NULL;

    job->r = baod_pg_call_open(&options, &job->why, &call);
    if (job->r == 0) {
        job->r = write_batch(job, call);
        if (job->r > 0 && bao_buf_append_c(&job->why, baod_pg_call_error(call)) < 0)
            bao_buf_clear(&job->why);
    }
    baod_pg_call_close(call); /* an open transaction is rolled back with it */
}

/* ------------------------------------------------------------------ on the loop */

static void on_timer(uv_timer_t *timer);

static void free_all(struct baod_refusals *refusals)
{
    empty(&refusals->waiting);
    free(refusals->conninfo);
    free(refusals->province);
    free(refusals->node);
    free(refusals);
}

static void drain_check(struct baod_refusals *refusals)
{
    if (refusals->drained != NULL && !refusals->writing && refusals->waiting.n == 0) {
        void (*drained)(void *) = refusals->drained;

        refusals->drained = NULL;
        drained(refusals->drained_user);
    }
}

/* What was not written waits in front of what came meanwhile. A batch whose COMMIT got no answer comes again
 * with its ids: then the insert fails on them for good, so it is given up. */
static void put_back(struct baod_refusals *refusals, struct list *list)
{
    struct list all = *list;

    for (struct entry *e; (e = pop(&refusals->waiting)) != NULL;)
        push(&all, e);
    *list = (struct list){.n = 0};
    refusals->waiting = all;
    while (refusals->waiting.n > WAITING_MAX) {
        free_entry(pop(&refusals->waiting));
        refusals->dropped++;
    }
}

static void on_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct baod_refusals *refusals = job->owner;
    bool away = status == 0 && job->r == BAOD_PG_CALL_E_CONNECT;

    refusals->writing = false;
    if (job->r != 0 && !away)
        baod_log(BAOD_LOG_WARNING, "refusals: %zu could not be written: %.*s", job->list.n,
                 BAO_STR_ARG(bao_buf_str(&job->why)));
    if (job->r != 0 && !away)
        refusals->dropped += job->list.n;
    if (away && refusals->drained == NULL && !refusals->closing)
        put_back(refusals, &job->list);
    empty(&job->list);
    bao_arena_deinit(&job->arena);
    bao_buf_deinit(&job->why);
    free(job);
    if (refusals->closing) {
        if (refusals->timer_closed)
            free_all(refusals);
        return;
    }
    if (away && refusals->drained != NULL)
        empty(&refusals->waiting);
    if (refusals->waiting.n != 0)
        (void)uv_timer_start(&refusals->timer, on_timer,
                             away                        ? AGAIN_MS
                             : refusals->drained != NULL ? 0
                                                         : PAUSE_MS,
                             0);
    drain_check(refusals);
}

static void flush(struct baod_refusals *refusals)
{
    struct job *job = refusals->writing || refusals->waiting.n == 0 ? NULL : calloc(1, sizeof(*job));

    if (job == NULL)
        return;
    job->owner = refusals;
    bao_buf_init(&job->why, 4096);
    while (job->list.n < BATCH_MAX && refusals->waiting.n != 0)
        push(&job->list, pop(&refusals->waiting));
    job->work.data = job;
    refusals->writing = true;
    uv_queue_work(refusals->loop, &job->work, on_work, on_done); /* fails only without a callback */
}

static void on_timer(uv_timer_t *timer)
{
    struct baod_refusals *refusals = timer->data;

    if (!refusals->closing)
        flush(refusals);
}

void baod_refusals_add(struct baod_refusals *refusals, const struct baod_refused *refused)
{
    struct entry *e = refusals->waiting.n < WAITING_MAX ? calloc(1, sizeof(*e)) : NULL;
    uint8_t random[10];

    if (e != NULL) {
        e->refused = *refused;
        if (!copy(e) || getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
            free_entry(e);
            e = NULL;
        }
    }
    if (e == NULL) {
        refusals->dropped++;
        return;
    }
    bao_uuid_v7(refused->at, random, e->id);
    push(&refusals->waiting, e);
    if (!refusals->writing && !uv_is_active((uv_handle_t *)&refusals->timer))
        (void)uv_timer_start(&refusals->timer, on_timer, PAUSE_MS, 0);
}

void baod_refusals_drain(struct baod_refusals *refusals, void (*drained)(void *user), void *user)
{
    refusals->drained = drained;
    refusals->drained_user = user;
    flush(refusals);
    drain_check(refusals);
}

uint64_t baod_refusals_dropped(const struct baod_refusals *refusals)
{
    return refusals->dropped;
}

static void on_closed(uv_handle_t *handle)
{
    struct baod_refusals *refusals = handle->data;

    refusals->timer_closed = true;
    if (!refusals->writing)
        free_all(refusals);
}

struct baod_refusals *baod_refusals_free(struct baod_refusals *refusals)
{
    if (refusals == NULL)
        return NULL;
    refusals->closing = true;
    refusals->drained = NULL;
    uv_close((uv_handle_t *)&refusals->timer, on_closed);
    return NULL;
}

int baod_refusals_new(uv_loop_t *loop, const char *conninfo, const struct baod_chain_signer *signer,
                      struct baod_refusals **ret)
{
    struct baod_refusals *refusals = calloc(1, sizeof(*refusals));

    if (refusals == NULL)
        return -ENOMEM;
    refusals->loop = loop;
    refusals->signer = *signer;
    refusals->conninfo = strdup(conninfo);
    refusals->province = strndup(signer->province.p, signer->province.n);
    refusals->node = strndup(signer->node.p, signer->node.n);
    if (refusals->conninfo == NULL || refusals->province == NULL || refusals->node == NULL) {
        free_all(refusals);
        return -ENOMEM;
    }
    refusals->signer.province = bao_str_c(refusals->province);
    refusals->signer.node = bao_str_c(refusals->node);
    (void)uv_timer_init(loop, &refusals->timer); /* cannot fail */
    refusals->timer.data = refusals;
    *ret = refusals;
    return 0;
}
