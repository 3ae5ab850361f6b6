#include "daemon/store/spool.h"

#include "daemon/ops/log.h"
#include "daemon/store/spool/file.h"

enum {
    GROUP_MAX = 64,  /* reports of one commit */
    TIDY_MS = 100,   /* of quiet, before what the log holds is moved into the file */
    AGAIN_MS = 1000, /* before what the full disk did not let be done is tried again */
    ARENA_MAX = 256 << 20,
};

enum kind { PUT, FIND, TAKE, DROP, KEEP, KEEP_OBLIGATIONS };

/* One thing asked of the thread, and its answer. */
struct call {
    struct call *next;
    enum kind kind;
    struct bao_arena arena; /* copies of what was asked; rows of the answer */
    struct baod_submission *s;
    struct baod_stat_ask ask;
    int64_t after;
    size_t most;
    int64_t *seqs;
    bool remember;
    struct baod_spool_obligation *obligations;
    size_t n; /* of seqs or obligations */
    struct bao_str name, data;
    bao_time at;
    int outcome;
    struct baod_spool_row *rows;
    size_t n_rows;
    int last_revision;
    baod_spool_put_done *put;
    baod_spool_find_done *found;
    baod_spool_take_done *taken;
    void *user;
};

struct calls {
    struct call *first, *last;
};

struct baod_spool {
    struct baod_spool_options options;
    char *province, *node;
    struct bao_arena lists; /* what was kept when the file was opened */
    struct baod_spool_kept *kept;

    /* The thread's own while it runs. */
    struct baod_spool_file file;
    struct calls undropped; /* DROPs that wait for room on the disk */
    bool told_full;         /* and not yet that it is over */
    bool full_disk;         /* then: the disk's doing, not the cap's */
    uint64_t full_bytes;    /* then: what it held */

    /* Shared, under the mutex. */
    uv_mutex_t mutex;
    uv_cond_t cond;
    struct calls asked, answered;
    struct baod_spool_counts counts;
    bool stop, broken, busy;
    uint64_t turns, seen_turns; /* groups done; at the last question whether it lives */

    uv_thread_t thread;
    uv_async_t async;
    bool told_broken;
};

/* ------------------------------------------------------------------ lists of calls */

static void push(struct calls *list, struct call *call)
{
    call->next = NULL;
    if (list->last == NULL)
        list->first = call;
    else
        list->last->next = call;
    list->last = call;
}

static struct call *pop(struct calls *list)
{
    struct call *call = list->first;

    if (call == NULL)
        return NULL;
    list->first = call->next;
    if (list->first == NULL)
        list->last = NULL;
    return call;
}

static struct call *new_call(enum kind kind, void *user)
{
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->kind = kind;
    call->user = user;
    bao_arena_init(&call->arena, ARENA_MAX);
    return call;
}

static void free_call(struct call *call)
{
    bao_arena_deinit(&call->arena);
    free(call);
}

static void ask(struct baod_spool *sp, struct call *call)
{
    uv_mutex_lock(&sp->mutex);
    push(&sp->asked, call);
    uv_cond_signal(&sp->cond);
    uv_mutex_unlock(&sp->mutex);
}

/* ------------------------------------------------------------------ rows */

/* ------------------------------------------------------------------ the thread */

/* Takes the next group: everything asked, up to GROUP_MAX reports; blocks while there is nothing. False: the
 * end.
 */
static bool next_group(struct baod_spool *sp, struct calls *ret)
{
    size_t n = 0;
    uint64_t wait_ms;

    uv_mutex_lock(&sp->mutex);
    wait_ms = sp->file.untidy ? TIDY_MS : AGAIN_MS;
    while (sp->asked.first == NULL && !sp->stop) {
        if (!sp->file.untidy && sp->undropped.first == NULL)
            uv_cond_wait(&sp->cond, &sp->mutex);
        else if (uv_cond_timedwait(&sp->cond, &sp->mutex, wait_ms * 1000000) == UV_ETIMEDOUT)
            break; /* a group of nothing: time to tidy up */
    }
    while (sp->asked.first != NULL && n < GROUP_MAX) {
        struct call *call = pop(&sp->asked);

        n += call->kind == PUT;
        push(ret, call);
    }
    n = ret->first == NULL && sp->stop;
    sp->busy = true;
    uv_mutex_unlock(&sp->mutex);
    return n == 0;
}

/* Told when it begins and when it is over, not of every small report that still fits beside large ones. */
static void tell_full(struct baod_spool *sp, bool full, bool took)
{
    const struct baod_spool_file *f = &sp->file;
    const char *why = *f->full_why == '\0' && f->room < 0 ? strerror(ENOSPC) : f->full_why;

    if (full && !sp->told_full) {
        baod_log(BAOD_LOG_ERROR,
                 "spool: full%s%s: %llu %s, %llu octets, in %s; more are answered WAIT SPOOLFULL until "
                 "PostgreSQL is back or the disk takes them",
                 *why != '\0' ? ": " : "", why, (unsigned long long)f->rows,
                 bao_plural((long long)f->rows, "report", "reports"), (unsigned long long)f->bytes, f->path);
        sp->told_full = true;
        sp->full_disk = *f->full_why != '\0';
        sp->full_bytes = f->bytes;
    } else if (!full && sp->told_full && (sp->full_disk ? took : f->bytes < sp->full_bytes)) {
        baod_log(BAOD_LOG_NOTICE, "spool: takes reports again");
        sp->told_full = false;
    }
}

/* One transaction for all of the group's reports. Should it fail as a whole, none was taken. */
static void put_all(struct baod_spool_file *f, struct call *first)
{
    uint64_t rows = f->rows, bytes = f->bytes;
    int r;

    f->room = baod_spool_room(f);
    f->full_why[0] = '\0';
    r = baod_spool_run(f, Q_BEGIN, "beginning");
    for (struct call *call = first; r == 0 && call != NULL; call = call->next) {
        if (call->kind != PUT)
            continue;
        call->outcome = baod_spool_put_row(f, &call->arena, call->s);
        if (call->outcome < 0 || call->outcome == BAOD_SPOOL_E_FULL)
            r = call->outcome; /* a full disk is everybody's affair */
        if (call->outcome == BAOD_SPOOL_E_CAPPED)
            call->outcome = BAOD_SPOOL_E_FULL;
    }
    if (r == 0)
        r = baod_spool_run(f, Q_COMMIT, "syncing reports");
    if (r == 0) {
        f->untidy = f->untidy || f->rows != rows;
        return;
    }
    baod_spool_roll_back(f);
    f->rows = rows;
    f->bytes = bytes;
    for (struct call *call = first; call != NULL; call = call->next)
        if (call->kind == PUT && call->outcome != BAOD_SPOOL_E_OTHER)
            call->outcome = r;
}

/* Forgets what is to be forgotten, before anything new is written: it makes room. What the disk does not let
 * be done now is tried again. */
static void drop_all(struct baod_spool *sp, struct calls *group, struct calls *ret_rest)
{
    struct calls waiting = sp->undropped;
    struct call *call;

    sp->undropped = (struct calls){NULL, NULL};
    while ((call = pop(group)) != NULL)
        push(call->kind == DROP ? &waiting : ret_rest, call);
    while ((call = pop(&waiting)) != NULL) {
        if (sp->file.broken || baod_spool_forget(&sp->file, call->seqs, call->n, call->remember) != 0)
            push(&sp->undropped, call);
        else
            push(ret_rest, call);
    }
}

static void work(struct baod_spool *sp, struct calls *group)
{
    struct calls rest = {NULL, NULL};
    bool puts = false, full = false;
    uint64_t rows;

    drop_all(sp, group, &rest);
    *group = rest;
    rows = sp->file.rows;
    for (struct call *call = group->first; call != NULL; call = call->next)
        puts = puts || call->kind == PUT;
    if (puts)
        put_all(&sp->file, group->first);
    for (struct call *call = group->first; call != NULL && !sp->file.broken; call = call->next) {
        full = full || (call->kind == PUT && call->outcome == BAOD_SPOOL_E_FULL);
        if (call->kind == FIND)
            baod_spool_read_one(&sp->file, &call->ask, &call->arena, &call->rows, &call->last_revision);
        else if (call->kind == TAKE)
            baod_spool_read_next(&sp->file, call->after, call->most, &call->arena, &call->rows,
                                 &call->n_rows);
        else if (call->kind == KEEP)
            (void)baod_spool_keep_list(&sp->file, call->name, call->at,
                                       call->data); /* or the one before stays */
        else if (call->kind == KEEP_OBLIGATIONS)
            (void)baod_spool_write_obligations(&sp->file, call->obligations, call->n);
    }
    if (puts || (sp->told_full && sp->file.rows == 0)) /* drained, it takes them also while none comes */
        tell_full(sp, full, sp->file.rows > rows);
}

/* Hands the answers to the loop; of a broken spool only the news that it is. */
static void give_back(struct baod_spool *sp, struct calls *group)
{
    bao_time oldest_at = baod_spool_oldest(&sp->file);
    struct call *call;

    uv_mutex_lock(&sp->mutex);
    while ((call = pop(group)) != NULL) {
        if (call->kind == PUT && call->outcome == 0)
            sp->counts.queued++;
        if (call->kind == PUT && call->outcome == BAOD_SPOOL_E_FULL)
            sp->counts.full++;
        if (call->kind == DROP)
            sp->counts.dropped += call->n;
        push(sp->file.broken ? &sp->undropped : &sp->answered, call);
    }
    sp->broken = sp->file.broken;
    sp->counts.rows = sp->file.rows;
    sp->counts.bytes = sp->file.bytes;
    sp->counts.damaged = sp->file.damaged;
    sp->counts.oldest_at = oldest_at;
    sp->turns++;
    sp->busy = false;
    uv_mutex_unlock(&sp->mutex);
    (void)uv_async_send(&sp->async);
}

static void on_thread(void *arg)
{
    struct baod_spool *sp = arg;
    struct calls group = {NULL, NULL};

    while (next_group(sp, &group)) {
        if (!sp->file.broken && group.first == NULL && sp->file.untidy)
            baod_spool_tidy(&sp->file);
        if (!sp->file.broken)
            work(sp, &group);
        give_back(sp, &group);
    }
    if (!sp->file.broken)
        baod_spool_tidy(&sp->file);
}

/* ------------------------------------------------------------------ the loop's side */

static void deliver(struct baod_spool *sp)
{
    struct calls answered;
    struct call *call;
    bool broken;

    uv_mutex_lock(&sp->mutex);
    answered = sp->answered;
    sp->answered = (struct calls){NULL, NULL};
    broken = sp->broken;
    uv_mutex_unlock(&sp->mutex);
    while ((call = pop(&answered)) != NULL) {
        if (call->kind == PUT)
            call->put(call->user, call->s, call->outcome);
        else if (call->kind == FIND)
            call->found(call->user, call->rows, call->last_revision);
        else if (call->kind == TAKE)
            call->taken(call->user, call->rows, call->n_rows);
        free_call(call);
    }
    if (broken && !sp->told_broken) {
        sp->told_broken = true;
        sp->options.broken(sp->options.user, sp->file.why);
    }
}

static void on_async(uv_async_t *async)
{
    deliver(async->data);
}

int baod_spool_put(struct baod_spool *sp, struct baod_submission *s, baod_spool_put_done *done, void *user)
{
    struct call *call = new_call(PUT, user);

    if (call == NULL)
        return -ENOMEM;
    bao_require(s->verdict.has_key && s->verdict.symbol == BAO_SYM_NONE && s->verdict.form != NULL);
    call->s = s;
    call->put = done;
    ask(sp, call);
    return 0;
}

int baod_spool_find(struct baod_spool *sp, const struct baod_stat_ask *question, baod_spool_find_done *done,
                    void *user)
{
    struct call *call = new_call(FIND, user);
    struct bao_str *texts[3];

    if (call == NULL)
        return -ENOMEM;
    call->ask = *question;
    call->found = done;
    texts[0] = &call->ask.unit;
    texts[1] = &call->ask.form;
    texts[2] = &call->ask.period;
    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = bao_arena_str(&call->arena, *texts[i]);
        if (texts[i]->p == NULL) {
            free_call(call);
            return -ENOMEM;
        }
    }
    ask(sp, call);
    return 0;
}

int baod_spool_take(struct baod_spool *sp, int64_t after, size_t most, baod_spool_take_done *done, void *user)
{
    struct call *call = new_call(TAKE, user);

    if (call == NULL)
        return -ENOMEM;
    call->after = after;
    call->most = most;
    call->taken = done;
    ask(sp, call);
    return 0;
}

int baod_spool_drop(struct baod_spool *sp, const int64_t *seqs, size_t n, bool remember_keys)
{
    struct call *call = new_call(DROP, NULL);

    if (call == NULL)
        return -ENOMEM;
    call->remember = remember_keys;
    call->seqs = bao_arena_array(&call->arena, n, sizeof(*seqs));
    if (call->seqs == NULL) {
        free_call(call);
        return -ENOMEM;
    }
    if (n != 0)
        memcpy(call->seqs, seqs, n * sizeof(*seqs));
    call->n = n;
    ask(sp, call);
    return 0;
}

int baod_spool_keep(struct baod_spool *sp, const char *name, bao_time at, struct bao_str data)
{
    struct call *call = new_call(KEEP, NULL);

    if (call == NULL)
        return -ENOMEM;
    call->name = bao_arena_str(&call->arena, bao_str_c(name));
    call->data = bao_arena_str(&call->arena, data);
    call->at = at;
    if (call->name.p == NULL || call->data.p == NULL) {
        free_call(call);
        return -ENOMEM;
    }
    ask(sp, call);
    return 0;
}

int baod_spool_keep_obligations(struct baod_spool *sp, const struct baod_spool_obligation *items, size_t n)
{
    struct call *call = new_call(KEEP_OBLIGATIONS, NULL);
    bool ok = call != NULL;

    if (ok)
        call->obligations = bao_arena_array(&call->arena, n, sizeof(*items));
    ok = ok && call->obligations != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        struct baod_spool_obligation *o = &call->obligations[i];

        *o = items[i];
        o->unit = bao_arena_str(&call->arena, items[i].unit);
        o->form = bao_arena_str(&call->arena, items[i].form);
        o->period = bao_arena_str(&call->arena, items[i].period);
        ok = o->unit.p != NULL && o->form.p != NULL && o->period.p != NULL;
        call->n = i + 1;
    }
    if (!ok) {
        if (call != NULL)
            free_call(call);
        return -ENOMEM;
    }
    ask(sp, call);
    return 0;
}

bool baod_spool_kept(const struct baod_spool *sp, const char *name, bao_time *ret_at,
                     struct bao_str *ret_data)
{
    for (const struct baod_spool_kept *k = sp->kept; k != NULL; k = k->next)
        if (bao_str_is(k->name, name)) {
            *ret_at = k->at;
            *ret_data = k->data;
            return true;
        }
    return false;
}

bool baod_spool_is_alive(struct baod_spool *sp)
{
    bool alive;

    uv_mutex_lock(&sp->mutex);
    alive = (!sp->busy && sp->asked.first == NULL) || sp->turns != sp->seen_turns;
    sp->seen_turns = sp->turns;
    uv_mutex_unlock(&sp->mutex);
    return alive;
}

struct baod_spool_counts baod_spool_counts(struct baod_spool *sp)
{
    struct baod_spool_counts counts;

    uv_mutex_lock(&sp->mutex);
    counts = sp->counts;
    uv_mutex_unlock(&sp->mutex);
    return counts;
}

/* ------------------------------------------------------------------ life */

static void free_calls(struct calls *list)
{
    struct call *call;

    while ((call = pop(list)) != NULL)
        free_call(call);
}

static void free_spool(struct baod_spool *sp)
{
    baod_spool_file_close(&sp->file);
    free_calls(&sp->asked);
    free_calls(&sp->answered);
    free_calls(&sp->undropped);
    bao_arena_deinit(&sp->lists);
    uv_mutex_destroy(&sp->mutex);
    uv_cond_destroy(&sp->cond);
    free(sp->file.path);
    free(sp->province);
    free(sp->node);
    free(sp);
}

static void free_unborn(struct baod_spool **sp)
{
    if (*sp != NULL)
        free_spool(*sp);
}

static int new_spool(const struct baod_spool_options *options, struct baod_spool **ret)
{
    struct baod_spool *sp = calloc(1, sizeof(*sp));

    if (sp == NULL)
        return -ENOMEM;
    if (uv_mutex_init(&sp->mutex) != 0) {
        free(sp);
        return -ENOMEM;
    }
    if (uv_cond_init(&sp->cond) != 0) {
        uv_mutex_destroy(&sp->mutex);
        free(sp);
        return -ENOMEM;
    }
    bao_arena_init(&sp->lists, ARENA_MAX);
    sp->options = *options;
    sp->file.path = strdup(options->path);
    sp->file.max_bytes = options->max_bytes;
    sp->province = strdup(options->province);
    sp->node = strdup(options->node);
    sp->file.by = (struct baod_spool_signer){.province = sp->province, .node = sp->node};
    memcpy(sp->file.by.seed, options->seed, sizeof(sp->file.by.seed));
    bao_ed25519_public(sp->file.by.seed, sp->file.by.pub);
    *ret = sp;
    return sp->file.path == NULL || sp->province == NULL || sp->node == NULL ? -ENOMEM : 0;
}

int baod_spool_open(uv_loop_t *loop, const struct baod_spool_options *options, struct bao_buf *why,
                    struct baod_spool **ret)
{
    BAO_CLEANUP(free_unborn) struct baod_spool *sp = NULL;
    int r = new_spool(options, &sp);

    if (r == 0)
        r = baod_spool_file_open(&sp->file, why);
    if (r == BAOD_SPOOL_E_DAMAGED)
        r = baod_spool_replace_damaged(&sp->file, why);
    if (r == 0)
        r = baod_spool_read_lists(&sp->file, &sp->lists, &sp->kept);
    if (r != 0)
        return r;
    sp->file.untidy = true;
    sp->counts = (struct baod_spool_counts){.rows = sp->file.rows,
                                            .bytes = sp->file.bytes,
                                            .max_bytes = options->max_bytes,
                                            .oldest_at = baod_spool_oldest(&sp->file),
                                            .damaged = sp->file.damaged};
    r = uv_async_init(loop, &sp->async, on_async);
    if (r < 0)
        return r;
    sp->async.data = sp;
    if (uv_thread_create(&sp->thread, on_thread, sp) != 0) {
        struct baod_spool *dying = BAO_TAKE(sp);

        dying->stop = true;
        (void)baod_spool_close(dying);
        return -EAGAIN;
    }
    *ret = BAO_TAKE(sp);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free_spool(handle->data);
}

struct baod_spool *baod_spool_close(struct baod_spool *sp)
{
    if (sp == NULL)
        return NULL;
    if (!sp->stop) { /* else the thread was never made */
        uv_mutex_lock(&sp->mutex);
        sp->stop = true;
        uv_cond_signal(&sp->cond);
        uv_mutex_unlock(&sp->mutex);
        (void)uv_thread_join(&sp->thread);
        deliver(sp);
    }
    uv_close((uv_handle_t *)&sp->async, on_closed);
    return NULL;
}
