#include "daemon/store/custody.h"

#include "daemon/config/snapshot.h"
#include "daemon/ops/log.h"
#include "daemon/store/credentials.h"
#include "daemon/store/writer.h"
#include "lib/base/error.h"
#include "lib/form/obligation.h"
#include "lib/wire/deflate.h"

enum {
    TICK_MS = 100,
    ROUND = 1000,         /* reports drained at a time */
    AGAIN_MS = 1000,      /* before what was not taken is offered again */
    STUCK_MS = 60000,     /* the same, when nothing else was left */
    FULL_AFTER_MS = 5000, /* after= of SPOOLFULL */
    BUSY_AFTER_MS = 2000,
    ARENA_MAX = 192 << 20,
};

/* One report on its way from the spool to the database. */
struct drained {
    struct baod_submission s; /* s.user = this */
    struct round *round;
    int64_t seq;
    struct baod_identity who; /* who handed it in */
    bool has_who;
    bool fails; /* it cannot be made: its form version is not known, or no memory */
};

/* What was taken from the spool at once. */
struct round {
    uv_work_t work;
    struct baod_custody *custody;
    struct baod_snapshot *snapshot; /* a reference is held */
    struct bao_arena arena;         /* of the rows */
    struct baod_spool_row *rows;
    struct drained *items;
    size_t n, open;            /* not yet answered */
    int64_t *stored, *refused; /* those that the spool may forget */
    size_t n_stored, n_refused, n_waits;
};

struct baod_custody {
    uv_loop_t *loop;
    struct baod_custody_options options;
    struct bao_load_limits limits;
    struct baod_writer *writer;
    struct baod_snapshot *snapshot;
    const struct baod_credentials *credentials; /* NULL: tokens are not asked about */
    bool was_up;
    bao_time up_since;
    struct baod_custody_counts counts;
    uv_timer_t tick;
    int64_t cursor;       /* the last one taken of this turn through the spool */
    size_t n_waits;       /* of this turn: not taken by the database */
    bool any;             /* of this turn: something was */
    uint64_t pause_until; /* ms */
    unsigned under_way;   /* calls of the spool and rounds */
    bool closing, closed;
};

static void answer(struct baod_submission *s, enum bao_symbol symbol, int after_ms)
{
    s->symbol = symbol;
    s->after_ms = after_ms;
    s->done(s);
}

static void free_if_done(struct baod_custody *c)
{
    if (c->closed && c->under_way == 0) {
        (void)baod_snapshot_unref(c->snapshot);
        free(c);
    }
}

static void done_one(struct baod_custody *c)
{
    c->under_way--;
    free_if_done(c);
}

/* ------------------------------------------------------------------ into the spool */

/* A key that is in custody with other content. */
static void refuse_reused(const struct baod_custody *c, struct baod_submission *s, bao_time since)
{
    char at[BAO_LANGS][64];
    int revision = s->verdict.revision;

    bao_moment_print(since, c->options.offset, BAO_VI, at[BAO_VI]);
    bao_moment_print(since, c->options.offset, BAO_EN, at[BAO_EN]);
    s->detail[BAO_VI] = bao_arena_printf(&s->arena,
                                         "Lần báo cáo %d đã được nhận lúc %s với nội dung khác. Nếu muốn "
                                         "đính chính, ghi revision: %d rồi gửi lại.",
                                         revision, at[BAO_VI], revision + 1);
    s->detail[BAO_EN] = bao_arena_printf(&s->arena,
                                         "Revision %d was received at %s with other content. To correct it, "
                                         "write revision: %d and send again.",
                                         revision, at[BAO_EN], revision + 1);
    /* Without memory the symbol's own sentence serves. */
    answer(s, BAO_SYM_KEYREUSED, 0);
}

static void on_put(void *user, struct baod_submission *s, int outcome)
{
    struct baod_custody *c = user;

    switch (outcome) {
    case 0:
    case BAOD_SPOOL_E_SAME:
        answer(s, BAO_SYM_NONE, 0);
        break;
    case BAOD_SPOOL_E_OTHER:
        refuse_reused(c, s, s->receipt.received_at);
        break;
    case BAOD_SPOOL_E_FULL:
        answer(s, BAO_SYM_SPOOLFULL, FULL_AFTER_MS);
        break;
    default:
        answer(s, BAO_SYM_BUSY, BUSY_AFTER_MS);
        break;
    }
    done_one(c);
}

/* One look-up for a report whose fate depends on what is in the spool. */
struct look {
    struct baod_custody *custody;
    struct baod_submission *s;
};

static bool is_same(const struct baod_submission *s, const struct baod_spool_row *row)
{
    return memcmp(s->verdict.content, row->content, sizeof(row->content)) == 0;
}

/* May a refusal be told although the database cannot be asked whether this very report was accepted once?
 * Only if the database, when last seen, had none so high; about what was never owed there is nothing to ask.
 */
static bool may_refuse(const struct baod_submission *s, int last_revision)
{
    enum bao_symbol symbol = s->verdict.symbol;

    if (last_revision < 0)
        return symbol == BAO_SYM_FORM || symbol == BAO_SYM_PERIOD || symbol == BAO_SYM_NOTOWED;
    return last_revision < s->verdict.revision;
}

/* With a database that answers, but is not ready for these files, other ones may be in force already. */
static bool is_outdated(const struct baod_custody *c)
{
    return c->writer != NULL && baod_writer_is_preparing(c->writer);
}

static void tell_queued(struct baod_submission *s, const struct baod_spool_row *row)
{
    baod_spool_receipt(row, &s->receipt);
    s->receipt.dup = true;
    answer(s, BAO_SYM_NONE, 0);
}

static void on_refused_look(void *user, const struct baod_spool_row *row, int last_revision)
{
    struct look *look = user;
    struct baod_custody *c = look->custody;
    struct baod_submission *s = look->s;

    free(look);
    if (row != NULL && is_same(s, row))
        tell_queued(s, row); /* judged by other forms since: what was received stays received */
    else if (row != NULL)
        refuse_reused(c, s, row->received_at);
    else if (may_refuse(s, last_revision) && !is_outdated(c))
        answer(s, s->verdict.symbol, 0);
    else
        answer(s, BAO_SYM_BUSY, BUSY_AFTER_MS);
    done_one(c);
}

/* Asks the spool for the report's own key. */
static bool look_for(struct baod_custody *c, struct baod_submission *s, baod_spool_find_done *done)
{
    struct look *look = malloc(sizeof(*look));
    struct baod_stat_ask ask = {
        .unit = s->verdict.unit, .form = s->verdict.form_id, .revision = s->verdict.revision};
    char period[16];

    if (look == NULL)
        return false;
    *look = (struct look){c, s};
    bao_period_print(s->verdict.period, period);
    ask.period = bao_str_c(period);
    if (baod_spool_find(c->options.spool, &ask, done, look) < 0) {
        free(look);
        return false;
    }
    c->under_way++;
    return true;
}

void baod_custody_away(void *custody, struct baod_submission *s)
{
    struct baod_custody *c = custody;

    if (c->closing) {
        answer(s, BAO_SYM_DRAINING, BUSY_AFTER_MS);
    } else if (s->verdict.symbol != BAO_SYM_NONE || s->verdict.form == NULL) {
        if (!look_for(c, s, on_refused_look))
            answer(s, BAO_SYM_BUSY, BUSY_AFTER_MS);
    } else if (baod_spool_put(c->options.spool, s, on_put, c) < 0) {
        answer(s, BAO_SYM_BUSY, BUSY_AFTER_MS);
    } else {
        c->under_way++;
    }
}

/* ------------------------------------------------------------------ past the spool */

/* Sent again before it was drained: it goes to the database as the one that is in custody. */
static void on_look(void *user, const struct baod_spool_row *row, int last_revision)
{
    struct look *look = user;
    struct baod_custody *c = look->custody;
    struct baod_submission *s = look->s;

    (void)last_revision;
    free(look);
    if (row != NULL && is_same(s, row)) {
        memcpy(s->receipt.id, row->receipt, sizeof(s->receipt.id));
        s->has_id = true;
        if (row->received_at < s->received_at)
            s->received_at = row->received_at;
    }
    if (c->closing || c->writer == NULL)
        answer(s, BAO_SYM_DRAINING, BUSY_AFTER_MS);
    else if (row != NULL && !is_same(s, row) && baod_writer_is_up(c->writer))
        answer(s, BAO_SYM_BUSY, BUSY_AFTER_MS); /* the one in custody came first: once drained it decides */
    else
        baod_writer_submit(c->writer, s);
    done_one(c);
}

void baod_custody_submit(struct baod_custody *c, struct baod_submission *s)
{
    if (baod_spool_counts(c->options.spool).rows == 0 || !look_for(c, s, on_look))
        baod_writer_submit(c->writer, s);
}

/* ------------------------------------------------------------------ draining */

static void free_round(struct round *round)
{
    for (size_t i = 0; round->items != NULL && i < round->n; i++)
        bao_arena_deinit(&round->items[i].s.arena);
    free(round->items);
    free(round->stored);
    free(round->refused);
    (void)baod_snapshot_unref(round->snapshot);
    bao_arena_deinit(&round->arena);
    free(round);
}

/* All of the round have been answered. */
static void end_round(struct round *round)
{
    struct baod_custody *c = round->custody;

    c->n_waits += round->n_waits;
    c->any = c->any || round->n_stored + round->n_refused != 0;
    if ((round->n_stored != 0 &&
         baod_spool_drop(c->options.spool, round->stored, round->n_stored, true) < 0) ||
        (round->n_refused != 0 &&
         baod_spool_drop(c->options.spool, round->refused, round->n_refused, false) < 0))
        baod_log(BAOD_LOG_WARNING, "spool: no memory to forget up to %zu %s; what stays is drained again",
                 round->n_stored + round->n_refused,
                 bao_plural((long long)(round->n_stored + round->n_refused), "report", "reports"));
    free_round(round);
    c->counts.draining = false;
    done_one(c);
}

static void answered(struct round *round)
{
    if (--round->open == 0)
        end_round(round);
}

static void on_drained(struct baod_submission *s)
{
    struct drained *d = s->user;
    struct round *round = d->round;
    struct baod_custody *c = round->custody;

    if (s->symbol == BAO_SYM_NONE) {
        round->stored[round->n_stored++] = d->seq;
        c->counts.drained++;
    } else if (bao_symbol_info(s->symbol)->answer == BAO_NO) {
        round->refused[round->n_refused++] = d->seq;
        c->counts.refused++;
        baod_log(BAOD_LOG_WARNING,
                 "spool: a queued report of unit %.*s, form %.*s, revision %d is refused: %s",
                 BAO_STR_ARG(s->verdict.unit), BAO_STR_ARG(s->verdict.form_id), s->verdict.revision,
                 bao_symbol_info(s->symbol)->name);
        if (c->options.refused != NULL)
            c->options.refused(c->options.user, s, &d->who);
    } else {
        round->n_waits++;
    }
    answered(round);
}

static const struct bao_form *form_of(const struct baod_snapshot *snapshot, const struct baod_spool_row *row)
{
    for (size_t i = 0; i < snapshot->forms.n; i++)
        if (bao_str_eq(snapshot->forms.items[i]->id, row->form) &&
            snapshot->forms.items[i]->version == row->form_version)
            return snapshot->forms.items[i];
    return NULL;
}

/* What one thread reads documents again with. */
struct reader {
    struct bao_arena arena;
    struct bao_schema_scratch *scratch;
    struct bao_inflater *inflater;
};

/* Checks against earlier reports need the data again: judged once more, and believed if it is the same
 * document by the same form. */
static int read_again(struct reader *reader, const struct round *round, const struct baod_spool_row *row,
                      struct bao_verdict *v)
{
    const struct bao_judge_context context = {.forms = &round->snapshot->forms,
                                              .registry = &round->snapshot->registry,
                                              .limits = round->custody->limits,
                                              .now = row->received_at};
    struct bao_arena *arena = v->findings.arena;
    struct bao_verdict again;
    struct bao_str document;
    int r;

    if (reader->inflater == NULL)
        reader->inflater = bao_inflater_new();
    if (reader->scratch == NULL)
        reader->scratch = bao_schema_scratch_new();
    if (reader->inflater == NULL || reader->scratch == NULL)
        return -ENOMEM;
    r = bao_inflate(reader->inflater, &reader->arena, row->body, (size_t)row->raw_size, &document);
    if (r == 0)
        r = bao_judge(&context, &reader->arena, reader->scratch, document, &again);
    if (r != 0)
        return bao_error_fold(r);
    if (again.symbol != BAO_SYM_NONE || again.form != v->form || again.data == NULL ||
        memcmp(again.content, v->content, sizeof(v->content)) != 0)
        return 0;
    v->unjudged = again.unjudged;
    v->data = bao_node_copy(arena, again.data);
    v->explain = again.explain == NULL ? NULL : bao_node_copy(arena, again.explain);
    if (v->data == NULL || (again.explain != NULL && v->explain == NULL))
        return -ENOMEM;
    return bao_findings_copy(&again.findings, arena, &v->findings);
}

static int copy_data(struct reader *reader, const struct round *round, const struct baod_spool_row *row,
                     struct drained *d)
{
    int r = row->unjudged == 0 ? 0 : read_again(reader, round, row, &d->s.verdict);

    bao_arena_reset(&reader->arena);
    return r;
}

/* A report as it was when it was judged. 0, -EBADMSG or -ENOMEM. */
static int make(struct round *round, const struct baod_spool_row *row, struct drained *d)
{
    struct baod_submission *s = &d->s;
    struct bao_verdict *v = &s->verdict;
    size_t n = 0;
    int r;

    bao_arena_init(&s->arena, ARENA_MAX);
    d->round = round;
    d->seq = row->seq;
    s->stored = row->body;
    s->document.n = (size_t)row->raw_size;
    s->received_at = row->received_at;
    s->snapshot = round->snapshot;
    s->spooled = s->has_id = true;
    s->done = on_drained;
    s->user = d;
    memcpy(s->sha256, row->sha256, sizeof(s->sha256));
    memcpy(s->receipt.id, row->receipt, sizeof(s->receipt.id));
    *v = (struct bao_verdict){.form_id = row->form,
                              .unit = row->unit,
                              .has_key = true,
                              .revision = row->revision,
                              .nil = row->nil,
                              .form = form_of(round->snapshot, row),
                              .to = row->cutoff,
                              .due = BAO_DATE_NONE,
                              .warnings = row->warnings,
                              .explanations = row->explanations,
                              .collected = row->collected};
    memcpy(v->content, row->content, sizeof(v->content));
    bao_findings_init(&v->findings, &s->arena, 50);
    if (v->form == NULL || !bao_period_parse(row->period, &v->period))
        return -EBADMSG;
    if (row->sender.n != 0) {
        r = baod_identity_parse(&s->arena, row->sender, &d->who);
        if (r < 0)
            return r;
        d->has_who = true;
    }
    r = baod_spool_figures(row, &s->arena, &v->figures, &n);
    return r == 0 && n != v->form->n_indicators ? -EBADMSG : r;
}

/* On a worker thread. */
static void on_work(uv_work_t *work)
{
    struct round *round = work->data;
    struct reader reader = {.scratch = NULL};

    bao_arena_init(&reader.arena, ARENA_MAX);
    for (size_t i = 0; i < round->n; i++) {
        int r = make(round, &round->rows[i], &round->items[i]);

        if (r == 0)
            r = copy_data(&reader, round, &round->rows[i], &round->items[i]);
        round->items[i].fails = r < 0;
    }
    (void)bao_schema_scratch_free(reader.scratch);
    (void)bao_inflater_free(reader.inflater);
    bao_arena_deinit(&reader.arena);
}

/* Might whoever handed it in speak for its unit, by what the database says now of that moment? The units may
 * have changed, and the token may have been revoked before the report came. */
static bool may_speak(const struct baod_custody *c, const struct drained *d)
{
    const struct baod_submission *s = &d->s;

    if (!d->has_who)
        return true;
    if (d->who.by_token && c->credentials != NULL &&
        baod_credentials_revoked_by(c->credentials, d->who.credential, s->received_at))
        return false;
    return baod_identity_may_speak(&d->who, &s->snapshot->registry, s->verdict.unit, s->received_at);
}

static void on_worked(uv_work_t *work, int status)
{
    struct round *round = work->data;
    struct baod_custody *c = round->custody;

    (void)status; /* never cancelled */
    round->open = round->n + 1;
    for (size_t i = 0; i < round->n; i++) {
        struct drained *d = &round->items[i];

        if (d->fails)
            baod_log(
                BAOD_LOG_WARNING,
                "spool: the queued report of unit %.*s, form %.*s, period %.*s waits: version %d of its form "
                "is not among the forms, or there is no memory",
                BAO_STR_ARG(round->rows[i].unit), BAO_STR_ARG(round->rows[i].form),
                BAO_STR_ARG(round->rows[i].period), round->rows[i].form_version);
        if (!d->fails && !may_speak(c, d))
            d->s.verdict.symbol = BAO_SYM_UNIT;
        if (d->fails || c->closing || c->writer == NULL) {
            round->n_waits++;
            round->open--;
        } else {
            baod_writer_submit_later(c->writer, &d->s);
        }
    }
    answered(round);
}

static bool copy_rows(struct round *round, const struct baod_spool_row *rows, size_t n)
{
    round->rows = bao_arena_array(&round->arena, n, sizeof(*rows));
    if (round->rows == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct baod_spool_row *row = &round->rows[i];
        struct bao_str *texts[] = {&row->unit,      &row->form,     &row->period,
                                   &row->figures,   &row->warnings, &row->explanations,
                                   &row->collected, &row->body,     &row->sender};

        *row = rows[i];
        row->file = BAO_STR_NULL;
        for (size_t k = 0; k < BAO_COUNT(texts); k++) {
            *texts[k] = bao_arena_str(&round->arena, *texts[k]);
            if (texts[k]->p == NULL)
                return false;
        }
    }
    return true;
}

static struct round *new_round(struct baod_custody *c, const struct baod_spool_row *rows, size_t n)
{
    struct round *round = calloc(1, sizeof(*round));

    if (round == NULL)
        return NULL;
    bao_arena_init(&round->arena, ARENA_MAX);
    round->custody = c;
    round->items = calloc(n, sizeof(*round->items));
    round->stored = calloc(n, sizeof(*round->stored));
    round->refused = calloc(n, sizeof(*round->refused));
    round->work.data = round;
    if (round->items == NULL || round->stored == NULL || round->refused == NULL ||
        !copy_rows(round, rows, n)) {
        free_round(round);
        return NULL;
    }
    round->n = n;
    round->snapshot = baod_snapshot_ref(c->snapshot);
    return round;
}

/* A turn through the whole spool is over: what is left is offered again, but not at once. */
static void end_turn(struct baod_custody *c)
{
    c->pause_until = uv_now(c->loop) + (c->n_waits == 0 || c->any ? AGAIN_MS : STUCK_MS);
    c->cursor = 0;
    c->n_waits = 0;
    c->any = false;
    c->counts.draining = false;
}

static void on_taken(void *user, const struct baod_spool_row *rows, size_t n)
{
    struct baod_custody *c = user;
    struct round *round = NULL;

    if (n == 0 || c->closing || c->snapshot == NULL) {
        end_turn(c);
        done_one(c);
        return;
    }
    round = new_round(c, rows, n);
    if (round == NULL) {
        end_turn(c);
        done_one(c);
        return;
    }
    c->cursor = rows[n - 1].seq;
    uv_queue_work(c->loop, &round->work, on_work, on_worked); /* fails only without a callback */
}

/* The database is there, and has said since it came which tokens are revoked. */
static bool may_drain(struct baod_custody *c)
{
    bool up = c->writer != NULL && baod_writer_is_up(c->writer);

    if (up && !c->was_up && c->credentials != NULL)
        c->up_since = c->options.now(c->options.user);
    c->was_up = up;
    return up && (c->credentials == NULL || baod_credentials_read_since(c->credentials, c->up_since));
}

static void on_tick(uv_timer_t *timer)
{
    struct baod_custody *c = timer->data;

    if (!may_drain(c) || c->closing || c->counts.draining || uv_now(c->loop) < c->pause_until ||
        baod_spool_counts(c->options.spool).rows == 0)
        return;
    if (baod_spool_take(c->options.spool, c->cursor, ROUND, on_taken, c) < 0)
        return;
    c->under_way++;
    c->counts.draining = true;
}

/* ------------------------------------------------------------------ questions */

struct stat_look {
    struct baod_custody *custody;
    baod_stat_done *done;
    void *user;
    bool proof, document;
};

static void on_stat_look(void *user, const struct baod_spool_row *row, int last_revision)
{
    struct stat_look *look = user;
    struct baod_custody *c = look->custody;
    struct baod_stat stat = {.symbol = BAO_SYM_NONE};

    (void)last_revision;
    if (row != NULL) {
        baod_spool_receipt(row, &stat.receipt);
        stat.form = row->form;
        stat.unit = row->unit;
        stat.period = row->period;
        stat.warnings = row->warnings;
        stat.file = look->proof ? row->file : BAO_STR_NULL;
        stat.stored = look->document ? row->body : BAO_STR_NULL;
        stat.raw_size = (size_t)row->raw_size;
    }
    look->done(look->user, row == NULL ? NULL : &stat);
    free(look);
    done_one(c);
}

bool baod_custody_stat(struct baod_custody *c, const struct baod_stat_ask *ask, baod_stat_done *done,
                       void *user)
{
    struct stat_look *look;

    if (baod_spool_counts(c->options.spool).rows == 0)
        return false;
    look = malloc(sizeof(*look));
    if (look == NULL)
        return false;
    *look = (struct stat_look){c, done, user, ask->proof, ask->document};
    if (baod_spool_find(c->options.spool, ask, on_stat_look, look) < 0) {
        free(look);
        return false;
    }
    c->under_way++;
    return true;
}

/* ------------------------------------------------------------------ life */

int baod_custody_new(uv_loop_t *loop, const struct baod_custody_options *options, struct baod_custody **ret)
{
    struct baod_custody *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return -ENOMEM;
    c->loop = loop;
    c->options = *options;
    c->limits = *options->limits;
    (void)uv_timer_init(loop, &c->tick); /* never fails */
    c->tick.data = c;
    (void)uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS); /* fails only while closing */
    *ret = c;
    return 0;
}

void baod_custody_attach(struct baod_custody *c, struct baod_writer *writer)
{
    c->writer = writer;
}

void baod_custody_believe(struct baod_custody *c, const struct baod_credentials *credentials)
{
    c->credentials = credentials;
}

void baod_custody_use(struct baod_custody *c, struct baod_snapshot *snapshot)
{
    struct baod_snapshot *old = c->snapshot;

    c->snapshot = baod_snapshot_ref(snapshot);
    (void)baod_snapshot_unref(old);
}

static void on_closed(uv_handle_t *handle)
{
    struct baod_custody *c = handle->data;

    c->closed = true;
    free_if_done(c);
}

struct baod_custody *baod_custody_free(struct baod_custody *c)
{
    if (c == NULL)
        return NULL;
    c->closing = true;
    uv_close((uv_handle_t *)&c->tick, on_closed);
    return NULL;
}

struct baod_custody_counts baod_custody_counts(const struct baod_custody *c)
{
    return c->counts;
}
