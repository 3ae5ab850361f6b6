#include "daemon/store/writer.h"
#include "daemon/ops/log.h"
#include "daemon/store/batch.h"
#include "daemon/store/pg.h"
#include "daemon/store/recheck.h"
#include "lib/base/error.h"

enum {
    BATCH_MAX = 1000,
    QUEUE_MAX = 20000,
    PATIENCE_MS = 4000,
    HOLD_MS = 2000,
    PREPARE_PATIENCE_MS = 10000, /* with a database that answers, and will take reports in a moment */
    SWEEP_MS = 250,
    TRIES_MAX = 6,    /* attempts of a batch that fails for reasons of the moment */
    FAILURES_MAX = 2, /* a report that fails alone so often is set aside */
    RETRY_MS = 50,    /* pause before another attempt, times the attempts so far */
    PREPARE_AGAIN_MS = 1000,
    ANSWER_MS = 10000, /* longest wait for one answer of the database */
    WAIT_MS = 2000,    /* after= of BUSY */
    RECHECK_EVERY_MS = 10000,
    SHARE = 4,    /* one part in so many of a batch is kept for the backlog, when there is one */
    SCAN_MAX = 4, /* queue entries looked at for a place in the batch, times its size */
    WHY_SIZE = 256,
    REFUSED_MS = 30000, /* a refusal holds for so long after the last; whoever asks must get to try again */
};

/* OFFLINE -> PREPARING -> REHEARSING -> IDLE -> READING -> WRITING -> IDLE; REHEARSING once a connection;
 * READING_STORED follows READING where reports of the same keys may be stored; with history checks
 * LOOKING_BACK -> JUDGING go before WRITING; RECHECKING between two batches; ROLLING_BACK after a failure;
 * PAUSED before an attempt is made again; SETTING_ASIDE while a poisonous report goes to quarantine. */
enum state {
    OFFLINE,
    PREPARING,
    REHEARSING,
    IDLE,
    READING,
    READING_STORED,
    LOOKING_BACK,
    JUDGING,
    WRITING,
    ROLLING_BACK,
    RECHECKING,
    PAUSED,
    SETTING_ASIDE
};

struct queue {
    struct baod_submission *first, *last;
    size_t n;
};

struct baod_writer {
    uv_loop_t *loop;
    struct baod_pg *pg;
    struct baod_writer_options options;
    char *node, *province;
    struct baod_signer signer;
    struct baod_dictionary *dictionary;
    struct baod_dictionary *retired; /* replaced while a batch used it */
    enum state state;
    struct baod_batch batch;
    struct queue queue;
    struct queue backlog;               /* in custody elsewhere: nobody waits for them */
    bool backlog_first;                 /* whose turn it is while a failing report is looked for */
    uint64_t away_since;                /* ms; 0: the database is there */
    char away_why[WHY_SIZE];            /* what was last told of why it cannot be reached; "": nothing yet */
    uint64_t refused_since, refused_at; /* ms; first and last batch refused since one was taken; 0: none */
    char refused_why[WHY_SIZE + 8];     /* an SQLSTATE and its sentence */
    uint64_t silent_since, silent_ms;   /* what is waited for, as of the last sweep, and since how many */
    size_t limit; /* most reports of the next batch: smaller while a failing one is looked for */
    bool commit_sent, commit_lost, warned, outdated;
    bool rehearsed;    /* on this connection */
    uv_work_t judging; /* while the batch belongs to a worker thread */
    int judged;        /* what deciding gave there */
    bool went, came;   /* the connection was lost, and found again, meanwhile */
    uint64_t pause_until;
    struct baod_recheck *recheck;
    struct baod_snapshot *snapshot; /* what it judges by; NULL: not yet known */
    bool recheck_due, recheck_last; /* a slice may be waiting; the last turn was a slice's */
    uint64_t recheck_at;            /* when to look for what others left */
    struct baod_writer_counts counts;
    uv_timer_t sweep;
    bool closing;
    void (*drained)(void *user);
    void *drained_user;
    bool draining;
};

static void kick(struct baod_writer *w);

/* ------------------------------------------------------------------ the queue */

static void queue_push(struct queue *q, struct baod_submission *s)
{
    s->next = NULL;
    if (q->last == NULL)
        q->first = s;
    else
        q->last->next = s;
    q->last = s;
    q->n++;
}

static struct baod_submission *queue_pop(struct queue *q)
{
    struct baod_submission *s = q->first;

    if (s == NULL)
        return NULL;
    q->first = s->next;
    if (q->first == NULL)
        q->last = NULL;
    q->n--;
    return s;
}

/* Puts `front` before what waits. */
static void queue_prepend(struct queue *q, struct queue *front)
{
    if (front->n == 0)
        return;
    front->last->next = q->first;
    if (q->last == NULL)
        q->last = front->last;
    q->first = front->first;
    q->n += front->n;
    *front = (struct queue){.n = 0};
}

static void answer(struct baod_submission *s, enum bao_symbol symbol)
{
    s->symbol = symbol;
    s->after_ms = WAIT_MS;
    s->done(s);
}

static void drain_check(struct baod_writer *w)
{
    if (w->draining && w->queue.n == 0 && w->counts.in_batch == 0 && w->drained != NULL) {
        void (*drained)(void *) = w->drained;

        w->drained = NULL;
        drained(w->drained_user);
    }
}

/* ------------------------------------------------------------------ failures */

/* The reports of the batch go back to the front, in their order, to be tried again. */
static void put_back(struct baod_writer *w)
{
    struct queue front = {.n = 0}, later = {.n = 0};

    for (size_t i = 0; i < w->batch.n; i++)
        queue_push(w->batch.items[i].s->spooled ? &later : &front, w->batch.items[i].s);
    w->batch.n = 0;
    w->counts.in_batch = 0;
    queue_prepend(&w->queue, &front);
    queue_prepend(&w->backlog, &later);
}

static void pause_for(struct baod_writer *w, uint64_t ms)
{
    w->state = PAUSED;
    w->pause_until = uv_now(w->loop) + ms;
}

static bool is_class(const struct baod_batch *b, const char *class)
{
    return memcmp(b->sqlstate, class, 2) == 0;
}

/* Is the failure one of the rows themselves: cardinality, data, integrity, or a limit of the program? */
static bool is_poison(const struct baod_batch *b)
{
    return is_class(b, "21") || is_class(b, "22") || is_class(b, "23") || is_class(b, "54");
}

/* Did it wait for the province's lock longer than a statement may? The head is read next under it. */
static bool is_locked_out(const struct baod_batch *b)
{
    return !b->head.read && (strcmp(b->sqlstate, "55P03") == 0 || strcmp(b->sqlstate, "57014") == 0);
}

/* A disk that is full, a table that is gone: no batch will do. What waits for a lock is told as such. */
static void note_refusal(struct baod_writer *w)
{
    const struct baod_batch *b = &w->batch;

    if (is_class(b, "57") || strcmp(b->sqlstate, "55P03") == 0)
        return;
    w->refused_at = uv_now(w->loop);
    if (w->refused_since == 0)
        w->refused_since = w->refused_at;
    (void)snprintf(w->refused_why, sizeof(w->refused_why), "%s %s", b->sqlstate, b->message);
}

static const struct baod_pg_statement QUARANTINE = {
    "w_quarantine",
    "INSERT INTO baocao.quarantine (id, at, received_at, unit, form, period, revision, sqlstate, message, "
    "body, raw_size)"
    " VALUES ($1, clock_timestamp(), $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    " ON CONFLICT (unit, form, period, revision) DO UPDATE SET at = excluded.at, tries = quarantine.tries + "
    "1,"
    " sqlstate = excluded.sqlstate, message = excluded.message, body = excluded.body,"
    " raw_size = excluded.raw_size"};

static void on_set_aside(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;
    struct baod_submission *s = w->batch.n == 0 ? NULL : w->batch.items[0].s;

    if (w->state != SETTING_ASIDE || s == NULL)
        return;
    if (baod_pg_outcome(r) != BAOD_PG_OK)
        baod_log(BAOD_LOG_ERROR, "writer: a report could not be set aside either: %s", baod_pg_message(r));
    w->batch.n = 0;
    w->counts.in_batch = 0;
    w->counts.quarantined++;
    w->limit = w->batch.max;
    w->state = IDLE;
    answer(s, BAO_SYM_INTERNAL);
    kick(w);
}

/* A report that the store refuses though it was judged good: kept whole for a person; its sender is told to
 * wait. */
static void set_aside(struct baod_writer *w)
{
    struct baod_submission *s = w->batch.items[0].s;
    struct bao_arena *a = &s->arena;
    struct baod_pg_param *params = bao_arena_array(a, 10, sizeof(*params));
    struct bao_str state = bao_arena_printf(a, "%s", w->batch.sqlstate);
    struct bao_str message = bao_arena_printf(a, "%s", w->batch.message);
    char period[16];
    int r = -ENOMEM;

    baod_log(BAOD_LOG_ERROR, "writer: a report of unit %.*s is set aside: %s %s",
             BAO_STR_ARG(s->verdict.unit), w->batch.sqlstate, w->batch.message);
    w->state = SETTING_ASIDE;
    bao_period_print(s->verdict.period, period);
    if (params != NULL && state.p != NULL && message.p != NULL && s->has_id) {
        params[0] = baod_pg_p_uuid(s->receipt.id);
        params[1] = baod_pg_p_time(a, s->received_at);
        params[2] = baod_pg_p_text(s->verdict.unit);
        params[3] = baod_pg_p_text(s->verdict.form_id);
        params[4] = baod_pg_p_text(bao_arena_str(a, bao_str_c(period)));
        params[5] = baod_pg_p_int4(a, s->verdict.revision);
        params[6] = baod_pg_p_text(state);
        params[7] = baod_pg_p_text(message);
        params[8] = baod_pg_p_bytea(s->stored);
        params[9] = baod_pg_p_int4(a, (int32_t)s->document.n);
        r = baod_pg_exec(w->pg, &QUARANTINE, params, 10, on_set_aside, w);
        if (r == 0)
            r = baod_pg_sync(w->pg, NULL, NULL);
    }
    if (r < 0)
        baod_pg_drop(w->pg, "a report could not be set aside");
}

/* The failing batch is rolled back: find the row that failed, or try again later. A server that takes no
 * writes any more, although it answers, is as good as away: what writes now is found by connecting anew, and
 * until then reports go to the spool. */
static void after_failure(struct baod_writer *w)
{
    struct baod_batch *b = &w->batch;
    size_t n = b->n;

    if (strcmp(b->sqlstate, "25006") == 0) {
        baod_pg_drop(w->pg,
                     "the server has become read-only (demoted, or default_transaction_read_only is on)");
        return; /* on_lost puts the batch back */
    }
    if (is_poison(b) && n == 1) {
        struct baod_submission *s = b->items[0].s;

        if (++s->failures >= FAILURES_MAX) {
            set_aside(w);
            return;
        }
        w->limit = 1;
    } else if (is_poison(b)) {
        w->counts.bisected++;
        w->limit = (n + 1) / 2;
        baod_log(BAOD_LOG_WARNING, "writer: a batch of %zu is split: %s %s", n, b->sqlstate, b->message);
    } else {
        uint8_t tries = 0;

        note_refusal(w);
        w->counts.retried++;
        baod_log(BAOD_LOG_WARNING, "writer: a batch of %zu is run again%s: %s %s", n,
                 is_locked_out(b) ? ", for other work holds the province's lock" : "", b->sqlstate,
                 b->message);
        for (size_t i = 0; i < n; i++)
            tries = ++b->items[i].s->tries > tries ? b->items[i].s->tries : tries;
        if (b->error == -ENOMEM) /* many large reports, or earlier ones: fewer at once */
            w->limit = (n + 1) / 2;
        put_back(w);
        pause_for(w, (uint64_t)RETRY_MS * tries);
        return;
    }
    put_back(w);
    w->state = IDLE;
    kick(w);
}

/* Other files are in force than those that reports were read by. Should they not be taken here either, nobody
 * is to wait for them over and over: what comes later goes to who else takes it at once. */
static void prepare_anew(struct baod_writer *w)
{
    w->state = PREPARING;
    if (w->away_since == 0)
        w->away_since = uv_now(w->loop);
    w->options.prepare(w, w->options.user);
}

static const struct baod_pg_statement ROLLBACK = {"w_rollback", "ROLLBACK"};

static void on_rolled_back(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    if (w->state != ROLLING_BACK || baod_pg_outcome(r) == BAOD_PG_LOST)
        return; /* on_lost takes care */
    if (!w->outdated) {
        after_failure(w);
        return;
    }
    w->outdated = false;
    put_back(w);
    prepare_anew(w);
}

static void roll_back(struct baod_writer *w)
{
    int r;

    w->state = ROLLING_BACK;
    r = baod_pg_exec(w->pg, &ROLLBACK, NULL, 0, NULL, NULL);
    if (r == 0)
        r = baod_pg_sync(w->pg, on_rolled_back, w);
    if (r < 0)
        baod_pg_drop(w->pg, "rolling back could not be asked for");
}

/* ------------------------------------------------------------------ one batch */

/* Is the stored row this very copy, whose COMMIT got no answer? */
static bool is_found(const struct baod_item *item)
{
    return item->decision.kind == BAOD_DUPLICATE && item->s->in_doubt && !item->s->receipt.dup;
}

static void finish(struct baod_writer *w)
{
    struct baod_batch *b = &w->batch;
    size_t n = b->n;
    struct queue done = {.n = 0};

    w->refused_since = 0;
    baod_batch_tell(b, b->head.standby && !w->warned);
    w->recheck_due |= b->n_recheck != 0;
    if (b->n_stored != 0) {
        w->counts.batches++;
        w->counts.last_seq = b->seq;
    }
    w->counts.reports += b->n_stored;
    for (size_t i = 0; i < n; i++) {
        w->counts.duplicates += b->items[i].decision.kind == BAOD_DUPLICATE;
        w->counts.refused += b->items[i].decision.kind == BAOD_REFUSE;
        w->counts.found += is_found(&b->items[i]);
        queue_push(&done, b->items[i].s);
    }
    if (w->limit < b->max)
        w->limit = w->limit * 2 < b->max ? w->limit * 2 : b->max;
    b->n = 0;
    w->counts.in_batch = 0;
    w->state = IDLE;
    /* The next batch sets out before this one's answers are written: the database need not wait for them. */
    kick(w);
    for (struct baod_submission *s; (s = queue_pop(&done)) != NULL;)
        s->done(s);
    drain_check(w);
}

static void on_commit(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    w->warned = baod_pg_warned(r);
    w->commit_lost = baod_pg_outcome(r) == BAOD_PG_LOST;
    if (baod_pg_outcome(r) != BAOD_PG_OK) {
        if (baod_pg_outcome(r) == BAOD_PG_SQL && !w->batch.failed) {
            (void)snprintf(w->batch.sqlstate, sizeof(w->batch.sqlstate), "%s", baod_pg_sqlstate(r));
            (void)snprintf(w->batch.message, sizeof(w->batch.message), "%s", baod_pg_message(r));
        }
        w->batch.failed = true;
    }
}

static void on_write_done(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    if (w->state != WRITING || baod_pg_outcome(r) == BAOD_PG_LOST)
        return; /* on_lost takes care */
    w->commit_sent = false;
    if (w->batch.failed)
        roll_back(w);
    else
        finish(w);
}

/* Something that is nobody's row but ours went wrong (no memory, a row of impossible shape). */
static void give_up(struct baod_writer *w, int error)
{
    (void)snprintf(w->batch.sqlstate, sizeof(w->batch.sqlstate), "XX000");
    (void)snprintf(w->batch.message, sizeof(w->batch.message), "error %d while deciding", -error);
    w->batch.failed = true;
    w->batch.error = error;
    roll_back(w);
}

/* What was decided goes to the database. */
static void write_batch(struct baod_writer *w, int decided)
{
    int e;

    if (decided < 0) {
        give_up(w, decided);
        return;
    }
    w->state = WRITING;
    w->warned = w->commit_lost = false;
    w->commit_sent = true;
    e = baod_batch_write(&w->batch, w->pg, &w->signer, on_commit, on_write_done, w);
    if (e < 0)
        baod_pg_drop(w->pg, "a batch could not be written");
}

static void judge(uv_work_t *work)
{
    struct baod_writer *w = work->data;

    w->judged = baod_batch_decide(&w->batch);
}

static void finish_free(struct baod_writer *w);
static void settle_loss(struct baod_writer *w);

static void on_judged(uv_work_t *work, int status)
{
    struct baod_writer *w = work->data;

    (void)status; /* never cancelled */
    if (w->closing) {
        finish_free(w);
    } else if (w->went) {
        w->went = false;
        settle_loss(w);
    } else {
        write_batch(w, w->judged);
    }
}

/* Is the read that has been answered good to decide by? If not, what follows is under way. */
static bool is_read(struct baod_writer *w)
{
    struct baod_batch *b = &w->batch;

    if (b->failed) {
        roll_back(w);
        return false;
    }
    if (b->error < 0) {
        give_up(w, b->error);
        return false;
    }
    return true;
}

static void on_looked_back(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    if (w->state != LOOKING_BACK || baod_pg_outcome(r) == BAOD_PG_LOST || !is_read(w))
        return; /* on_lost takes care */
    w->state = JUDGING;
    w->judging.data = w;
    if (uv_queue_work(w->loop, &w->judging, judge, on_judged) != 0)
        abort(); /* fails only without a work function */
}

/* All that deciding needs has been read, but for what history checks look back on. */
static void after_reading(struct baod_writer *w)
{
    struct baod_batch *b = &w->batch;
    int e;

    if (!baod_batch_looks_back(b)) {
        write_batch(w, baod_batch_decide(b));
        return;
    }
    w->state = LOOKING_BACK;
    e = baod_batch_look_back(b, w->pg, on_looked_back, w);
    if (e < 0)
        give_up(w, e);
}

static void on_stored_read(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    if (w->state != READING_STORED || baod_pg_outcome(r) == BAOD_PG_LOST || !is_read(w))
        return; /* on_lost takes care */
    after_reading(w);
}

static void on_read_done(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;
    struct baod_batch *b = &w->batch;
    int e;

    if (w->state != READING || baod_pg_outcome(r) == BAOD_PG_LOST || !is_read(w))
        return; /* on_lost takes care */
    if (baod_batch_is_outdated(b)) {
        w->outdated = true;
        roll_back(w);
        return;
    }
    if (!baod_batch_wants_stored(b)) {
        after_reading(w);
        return;
    }
    w->state = READING_STORED;
    e = baod_batch_read_stored(b, w->pg, on_stored_read, w);
    if (e < 0)
        give_up(w, e);
}

/* Fills the batch up to n reports; those whose obligation is in it already keep their places. */
static void fill_from(struct baod_writer *w, struct queue *queue, size_t n)
{
    struct queue stay = {.n = 0};
    size_t looked = 0, most = SCAN_MAX * w->limit;
    struct baod_submission *s;

    while (w->batch.n < n && looked++ < most && (s = queue_pop(queue)) != NULL) {
        int r = baod_batch_add(&w->batch, s);

        if (r == 0)
            continue;
        if (r == BAOD_BATCH_E_TAKEN || r == BAOD_BATCH_E_FULL)
            queue_push(&stay, s);
        else
            answer(s, r == BAOD_BATCH_E_STALE ? BAO_SYM_BUSY : BAO_SYM_INTERNAL);
        if (r == BAOD_BATCH_E_FULL)
            break;
    }
    queue_prepend(queue, &stay);
}

/* New reports first, with a share for the backlog. While a failing one is looked for both take turns, so that
 * it will stand alone wherever it waits. */
static void fill(struct baod_writer *w)
{
    size_t kept = w->backlog.n < w->limit / SHARE ? w->backlog.n : w->limit / SHARE;

    w->backlog_first = w->limit < w->batch.max && !w->backlog_first;
    if (w->backlog_first)
        fill_from(w, &w->backlog, w->limit);
    fill_from(w, &w->queue, w->backlog_first ? w->limit : w->limit - kept);
    fill_from(w, &w->backlog, w->limit);
    w->counts.in_batch = w->batch.n;
}

static void on_rechecked(void *user, enum baod_recheck_outcome outcome)
{
    struct baod_writer *w = user;

    w->recheck_due = outcome == BAOD_RECHECK_SOME || outcome == BAOD_RECHECK_OUTDATED;
    w->state = IDLE;
    if (outcome == BAOD_RECHECK_OUTDATED)
        prepare_anew(w);
    kick(w);
}

/* Begins a slice of what is to be judged again, turn about with the batches. */
static bool start_recheck(struct baod_writer *w)
{
    const struct baod_recheck_slice slice = {
        .pg = w->pg, .dictionary = w->dictionary, .snapshot = w->snapshot, .done = on_rechecked, .user = w};

    if (!w->recheck_due || w->snapshot == NULL || w->draining || baod_recheck_is_busy(w->recheck) ||
        (w->recheck_last && w->queue.n + w->backlog.n != 0))
        return false;
    w->recheck_last = true;
    w->state = RECHECKING;
    if (baod_recheck_start(w->recheck, &slice) < 0)
        baod_pg_drop(w->pg, "a recheck could not be begun");
    return true;
}

/* Starts a batch when there is something to write and nothing under way. */
static void kick(struct baod_writer *w)
{
    int r;

    if (w->state != IDLE || start_recheck(w) || (w->queue.n == 0 && w->backlog.n == 0))
        return;
    w->recheck_last = false;
    baod_batch_clear(&w->batch, w->dictionary);
    w->retired = baod_dictionary_free(w->retired);
    fill(w);
    if (w->batch.n == 0) {
        drain_check(w);
        return;
    }
    w->batch.snapshot = w->snapshot;
    w->state = READING;
    r = baod_batch_read(&w->batch, w->pg, on_read_done, w);
    if (r < 0)
        baod_pg_drop(w->pg, "a batch could not be read");
}

/* ------------------------------------------------------------------ the connection */

/* The writer's statements all go by their keys; a planner without statistics must not fall for a scan of ten
 * million rows. One plan for all batches. */
static const char SESSION[] =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    "SET plan_cache_mode = force_generic_plan; SET jit = off";

static void on_session(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    if (baod_pg_outcome(r) == BAOD_PG_LOST || w->state != PREPARING)
        return;
    if (baod_pg_outcome(r) == BAOD_PG_SQL) {
        baod_pg_drop(w->pg, baod_pg_message(r));
        return;
    }
    w->options.prepare(w, w->options.user);
}

static void on_ready(struct baod_pg *pg, void *user)
{
    struct baod_writer *w = user;

    if (w->went) {
        w->came = true; /* the batch of the lost connection is still with a worker thread */
        return;
    }
    baod_log(BAOD_LOG_NOTICE, "writer: the database answers");
    w->state = PREPARING;
    w->rehearsed = false;
    w->pause_until = 0;
    *w->away_why = '\0';
    w->refused_since = 0;
    if (baod_pg_script(pg, SESSION, on_session, w) < 0)
        baod_pg_drop(pg, "no memory");
}

/* It is tried again and again, each reason is told once in a row: the first (the server has ended) is seldom
 * the one that keeps it away (a password that was changed). */
static void tell_away(struct baod_writer *w, const char *why)
{
    if (strncmp(w->away_why, why, sizeof(w->away_why) - 1) == 0)
        return;
    (void)snprintf(w->away_why, sizeof(w->away_why), "%s", why);
    baod_log(BAOD_LOG_WARNING, "writer: the database cannot be reached: %s", why);
}

static void on_lost(struct baod_pg *pg, const char *why, void *user)
{
    struct baod_writer *w = user;

    (void)pg;
    if (w->state == OFFLINE)
        tell_away(w, why);
    else
        baod_log(BAOD_LOG_WARNING, "writer: the database went away: %s", why);
    if (w->state == WRITING && w->commit_sent) {
        w->counts.unknown++;
        for (size_t i = 0; i < w->batch.n; i++)
            w->batch.items[i].s->in_doubt = true;
    }
    w->commit_sent = w->outdated = w->came = false;
    baod_recheck_lost(w->recheck);
    if (w->state == JUDGING) {
        w->went = true;
        return;
    }
    put_back(w);
    w->state = OFFLINE;
    if (w->away_since == 0)
        w->away_since = uv_now(w->loop);
}

/* The worker thread has given back the batch of a connection that is gone. */
static void settle_loss(struct baod_writer *w)
{
    put_back(w);
    w->state = OFFLINE;
    if (w->away_since == 0)
        w->away_since = uv_now(w->loop);
    if (w->came && baod_pg_is_ready(w->pg)) {
        w->came = false;
        on_ready(w->pg, w);
    }
}

static void on_rehearsed(const struct baod_pg_result *r, void *user)
{
    struct baod_writer *w = user;

    if (w->state != REHEARSING || baod_pg_outcome(r) == BAOD_PG_LOST)
        return; /* on_lost takes care */
    w->rehearsed = true;
    w->state = IDLE;
    kick(w);
}

/* A new connection's first batch would take many times as long as any later one: the server reads its
 * catalogue and plans a dozen statements for it, and under load a hundred others have come meanwhile. */
static void rehearse(struct baod_writer *w)
{
    w->state = REHEARSING;
    baod_batch_clear(&w->batch, w->dictionary);
    if (baod_batch_rehearse(&w->batch, w->pg, on_rehearsed, w) < 0)
        baod_pg_drop(w->pg, "the statements could not be rehearsed");
}

void baod_writer_go(struct baod_writer *w, struct baod_dictionary *dictionary)
{
    if (dictionary == NULL && w->state == PREPARING) {
        w->pause_until = uv_now(w->loop) + PREPARE_AGAIN_MS;
        return;
    }
    if (dictionary == NULL)
        return;
    if (w->retired == NULL)
        w->retired = w->dictionary;
    else
        (void)baod_dictionary_free(w->dictionary); /* no batch ever saw it */
    w->dictionary = dictionary;
    w->recheck_due = true; /* what was left when the connection, or this daemon, went */
    if (w->state == PREPARING) {
        w->state = IDLE;
        w->away_since = 0;
        if (!w->rehearsed)
            rehearse(w);
    }
    kick(w);
}

void baod_writer_use(struct baod_writer *w, struct baod_snapshot *snapshot)
{
    struct baod_snapshot *old = w->snapshot;

    w->snapshot = baod_snapshot_ref(snapshot);
    (void)baod_snapshot_unref(old);
}

void baod_writer_recheck(struct baod_writer *w)
{
    w->recheck_due = true;
    kick(w);
}

/* Nobody is to wait longer for it: somebody else takes the report over, or it must come again. */
static void give_away(struct baod_writer *w, struct baod_submission *s)
{
    if (w->options.away != NULL)
        w->options.away(w->options.away_user, s);
    else
        answer(s, BAO_SYM_BUSY);
}

/* How long a report waits for a database in this state, before somebody else takes it over. */
static uint64_t patience_of(const struct baod_writer *w)
{
    int most = w->state == OFFLINE ? 0 : w->state == PREPARING ? PREPARE_PATIENCE_MS : PATIENCE_MS;

    return (uint64_t)(w->options.away != NULL && most > w->options.patience_ms ? most
                                                                               : w->options.patience_ms);
}

/* Has the database been away for so long that waiting for it is no use? */
static bool is_long_away(const struct baod_writer *w)
{
    return w->away_since != 0 && uv_now(w->loop) - w->away_since > patience_of(w);
}

/* Counted in sweeps, each of which may be late: while this process itself got no turn nobody was silent. */
static void watch_silence(struct baod_writer *w)
{
    uint64_t since = baod_pg_waits_since(w->pg);

    w->silent_ms = since != 0 && since == w->silent_since ? w->silent_ms + SWEEP_MS : 0;
    w->silent_since = since;
}

/* Has what was asked for gone unanswered for so long that others should not wait for it? */
static bool is_held(const struct baod_writer *w)
{
    return w->options.away != NULL && w->state != OFFLINE && w->state != PREPARING &&
           w->silent_ms >= (uint64_t)w->options.hold_ms && baod_pg_waits_since(w->pg) == w->silent_since;
}

/* Those of the backlog go back to where they are in custody: all of them, or those that were tried in vain.
 */
static void sweep_backlog(struct baod_writer *w, bool all)
{
    struct queue was = w->backlog;
    struct baod_submission *s;

    w->backlog = (struct queue){.n = 0};
    while ((s = queue_pop(&was)) != NULL) {
        if (all || s->tries >= TRIES_MAX)
            answer(s, BAO_SYM_BUSY);
        else
            queue_push(&w->backlog, s);
    }
}

static bool is_tired(const struct baod_writer *w, const struct baod_submission *s)
{
    if (is_held(w))
        return !baod_batch_has(&w->batch, s);
    return s->since_ms + patience_of(w) < uv_now(w->loop) || s->tries >= TRIES_MAX;
}

/* Those who have waited too long for the database. */
static void sweep_queue(struct baod_writer *w)
{
    struct queue stay = {.n = 0}, tired = {.n = 0};
    struct baod_submission *s;

    while ((s = queue_pop(&w->queue)) != NULL)
        queue_push(is_tired(w, s) ? &tired : &stay, s);
    w->queue = stay;
    while ((s = queue_pop(&tired)) != NULL)
        give_away(w, s);
    sweep_backlog(w, w->state == OFFLINE);
    drain_check(w);
}

static void on_sweep(uv_timer_t *timer)
{
    struct baod_writer *w = timer->data;

    if (w->closing)
        return;
    if (w->state == PAUSED && uv_now(w->loop) >= w->pause_until) {
        w->state = IDLE;
        kick(w);
    }
    if (w->state == PREPARING && w->pause_until != 0 && uv_now(w->loop) >= w->pause_until) {
        w->pause_until = 0;
        w->options.prepare(w, w->options.user);
    }
    if (uv_now(w->loop) >= w->recheck_at) {
        w->recheck_at = uv_now(w->loop) + RECHECK_EVERY_MS;
        baod_writer_recheck(w);
    }
    watch_silence(w);
    if (w->state == OFFLINE || w->state == PREPARING || w->state == PAUSED || is_held(w))
        sweep_queue(w);
}

/* ------------------------------------------------------------------ the outside */

void baod_writer_submit(struct baod_writer *w, struct baod_submission *s)
{
    s->since_ms = uv_now(w->loop);
    s->tries = s->failures = 0;
    if (w->draining || w->queue.n >= w->options.queue_max) {
        answer(s, w->draining ? BAO_SYM_DRAINING : BAO_SYM_BUSY);
    } else if (w->options.away != NULL &&
               (is_long_away(w) || (is_held(w) && !baod_batch_has(&w->batch, s)))) {
        w->options.away(w->options.away_user, s);
    } else {
        queue_push(&w->queue, s);
        kick(w);
    }
}

void baod_writer_submit_later(struct baod_writer *w, struct baod_submission *s)
{
    s->since_ms = uv_now(w->loop);
    s->tries = s->failures = 0;
    if (w->draining || !baod_writer_is_up(w)) {
        answer(s, BAO_SYM_BUSY);
        return;
    }
    queue_push(&w->backlog, s);
    kick(w);
}

void baod_writer_drain(struct baod_writer *w, void (*drained)(void *user), void *user)
{
    w->draining = true;
    w->drained = drained;
    w->drained_user = user;
    sweep_backlog(w, true);
    drain_check(w);
}

struct baod_writer_counts baod_writer_counts(const struct baod_writer *w)
{
    struct baod_writer_counts counts = w->counts;

    counts.waiting = w->queue.n;
    counts.backlog = w->backlog.n;
    return counts;
}

bool baod_writer_is_away(const struct baod_writer *w)
{
    return w->state == OFFLINE && is_long_away(w);
}

bool baod_writer_is_preparing(const struct baod_writer *w)
{
    return w->state == PREPARING;
}

bool baod_writer_is_up(const struct baod_writer *w)
{
    return w->state != OFFLINE && w->state != PREPARING && !w->went && !is_held(w);
}

bool baod_writer_is_held(const struct baod_writer *w)
{
    return is_held(w);
}

const char *baod_writer_refusal(const struct baod_writer *w)
{
    bool lasts = w->refused_since != 0 && w->refused_at - w->refused_since >= (uint64_t)w->options.hold_ms;

    return lasts && uv_now(w->loop) - w->refused_at < REFUSED_MS ? w->refused_why : NULL;
}

int baod_writer_backend(const struct baod_writer *w)
{
    return baod_pg_backend(w->pg);
}

static void on_closed(uv_handle_t *handle)
{
    struct baod_writer *w = handle->data;

    baod_batch_deinit(&w->batch);
    (void)baod_dictionary_free(w->dictionary);
    (void)baod_dictionary_free(w->retired);
    (void)baod_snapshot_unref(w->snapshot);
    free(w->node);
    free(w->province);
    free(w);
}

static void finish_free(struct baod_writer *w)
{
    struct baod_submission *s;

    put_back(w);
    while ((s = queue_pop(&w->queue)) != NULL)
        answer(s, BAO_SYM_DRAINING);
    sweep_backlog(w, true);
    uv_close((uv_handle_t *)&w->sweep, on_closed);
}

struct baod_writer *baod_writer_free(struct baod_writer *w)
{
    if (w == NULL)
        return NULL;
    w->closing = true;
    w->pg = baod_pg_free(w->pg);
    w->recheck = baod_recheck_free(w->recheck);
    if (w->state != JUDGING) /* else the worker thread has the batch */
        finish_free(w);
    return NULL;
}

static void set_defaults(struct baod_writer_options *o)
{
    if (o->batch_max == 0)
        o->batch_max = BATCH_MAX;
    if (o->queue_max == 0)
        o->queue_max = QUEUE_MAX;
    if (o->patience_ms <= 0)
        o->patience_ms = PATIENCE_MS;
    if (o->hold_ms <= 0)
        o->hold_ms = HOLD_MS;
}

static void free_unborn(struct baod_writer **w)
{
    if (*w == NULL)
        return;
    (void)baod_pg_free((*w)->pg);
    (void)baod_recheck_free((*w)->recheck);
    baod_batch_deinit(&(*w)->batch);
    free((*w)->node);
    free((*w)->province);
    free(*w);
}

int baod_writer_new(uv_loop_t *loop, const struct baod_writer_options *options, struct baod_writer **ret)
{
    BAO_CLEANUP(free_unborn) struct baod_writer *w = calloc(1, sizeof(*w));
    struct baod_pg_options pg = {.conninfo = options->conninfo,
                                 .application = "baocaod writer",
                                 .deadline_ms = options->deadline_ms > 0 ? options->deadline_ms : ANSWER_MS,
                                 .ready = on_ready,
                                 .lost = on_lost};
    int r;

    if (w == NULL)
        return -ENOMEM;
    w->loop = loop;
    w->options = *options;
    set_defaults(&w->options);
    w->node = strdup(options->node);
    w->province = strdup(options->province);
    if (w->node == NULL || w->province == NULL)
        return -ENOMEM;
    w->signer.node = bao_str_c(w->node);
    w->signer.province = bao_str_c(w->province);
    memcpy(w->signer.seed, options->seed, sizeof(w->signer.seed));
    bao_ed25519_public(w->signer.seed, w->signer.pub);
    w->limit = w->options.batch_max;
    w->away_since = uv_now(loop);
    r = baod_batch_init(&w->batch, w->options.batch_max);
    if (r == 0)
        r = baod_recheck_new(loop, &w->recheck);
    if (r < 0)
        return r;
    w->batch.offset = options->offset;
    pg.user = w;
    r = baod_pg_new(loop, &pg, &w->pg);
    if (r < 0)
        return r;
    r = uv_timer_init(loop, &w->sweep);
    if (r < 0)
        return r;
    w->sweep.data = w;
    r = uv_timer_start(&w->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    bao_require(r == 0); /* fails only without a callback or while closing */
    baod_pg_open(w->pg);
    *ret = BAO_TAKE(w);
    return 0;
}
