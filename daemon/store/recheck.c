#include "daemon/store/recheck.h"

#include "daemon/ops/log.h"
#include "daemon/store/past.h"
#include "lib/base/error.h"
#include "lib/form/receipt.h"
#include "lib/text/catalogue.h"

#include <stdlib.h>
#include <sys/random.h>

enum { ARENA_MAX = 512 << 20, SCRATCH_MAX = 256 << 20, SENTENCE_MAX = 16 << 10 };

enum state { IDLE, PROBING, READING, LOOKING_BACK, JUDGING, WRITING, ROLLING_BACK };

struct item {
    int32_t unit, form, period;
    int revision;            /* counted; 0 = none */
    struct bao_str code, id; /* of the unit, of the form */
    struct bao_str stored, warnings;
    size_t raw;
    bao_time received_at;
    bool has_alert;
    uint8_t alert[16];
    struct bao_str alert_vi;
    struct baod_view view;
    const struct bao_form *judged_by; /* NULL: nothing to judge */
    struct bao_slots slots;           /* of that version; copied: the dictionary belongs to the loop */
    struct bao_history history;
    /* found on the worker thread */
    bool judged, flagged;
    struct bao_str found, text[BAO_LANGS];
};

struct baod_recheck {
    uv_loop_t *loop;
    uv_work_t work;
    enum state state;
    struct baod_recheck_slice slice;
    struct bao_arena arena, scratch;
    struct bao_schema_scratch *schema;
    struct bao_inflater *inflater;
    struct baod_pasts pasts;
    struct item *items;
    size_t n;
    bao_time now; /* PostgreSQL's clock */
    bool found, outdated, gone, dying;
    int error; /* of the statement or of ours; the slice is rolled back */
    enum baod_recheck_outcome outcome;
};

static void forget(struct baod_recheck *rc)
{
    (void)baod_snapshot_unref(rc->slice.snapshot);
    rc->slice.snapshot = NULL;
    bao_arena_reset(&rc->arena);
    rc->pasts.n = rc->n = 0;
    rc->items = NULL;
    rc->state = IDLE;
}

static void end(struct baod_recheck *rc, enum baod_recheck_outcome outcome)
{
    forget(rc);
    rc->slice.done(rc->slice.user, outcome);
}

/* ------------------------------------------------------------------ rolling back */

static const struct baod_pg_statement ROLLBACK = {"q_rollback", "ROLLBACK"};

static void on_rolled_back(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (rc->state == ROLLING_BACK && baod_pg_outcome(r) != BAOD_PG_LOST)
        end(rc, rc->outcome);
}

static void roll_back(struct baod_recheck *rc, enum baod_recheck_outcome outcome)
{
    int r;

    rc->state = ROLLING_BACK;
    rc->outcome = outcome;
    r = baod_pg_exec(rc->slice.pg, &ROLLBACK, NULL, 0, NULL, NULL);
    if (r == 0)
        r = baod_pg_sync(rc->slice.pg, on_rolled_back, rc);
    if (r < 0)
        baod_pg_drop(rc->slice.pg, "rolling back could not be asked for");
}

static void fail(struct baod_recheck *rc, int error)
{
    baod_log(BAOD_LOG_WARNING, "recheck: a slice is put off: error %d", -error);
    roll_back(rc, BAOD_RECHECK_FAILED);
}

/* Is the answer one to read? Otherwise the slice has failed. */
static bool answered(struct baod_recheck *rc, const struct baod_pg_result *r)
{
    switch (baod_pg_outcome(r)) {
    case BAOD_PG_OK:
        return rc->error == 0;
    case BAOD_PG_SQL:
        baod_log(BAOD_LOG_WARNING, "recheck: %s %s", baod_pg_sqlstate(r), baod_pg_message(r));
        rc->error = -EIO;
        return false;
    case BAOD_PG_ABORTED:
        rc->error = -EIO;
        return false;
    case BAOD_PG_LOST:
        return false;
    }
    return false;
}

static void on_plain(const struct baod_pg_result *r, void *user)
{
    (void)answered(user, r);
}

/* ------------------------------------------------------------------ writing */

/* What it was flagged with before is kept, for questions about earlier moments. */
static const struct baod_pg_statement WARN = {
    "q_warn", "WITH was AS (INSERT INTO baocao.warning_was (unit, form, period, revision, until, warnings)"
              "             SELECT r.unit, r.form, r.period, r.revision, clock_timestamp(), r.warnings"
              "               FROM baocao.report r"
              "              WHERE r.unit = $1 AND r.form = $2 AND r.period = $3 AND r.revision = $4)"
              " UPDATE baocao.report SET warnings = $5"
              " WHERE unit = $1 AND form = $2 AND period = $3 AND revision = $4"};

static const struct baod_pg_statement RAISE = {
    "q_raise", "INSERT INTO baocao.alert (unit, id, form, period, kind, at, text_vi, text_en, state)"
               " VALUES ($1, $2, $3, $4, 'history', $5, $6, $7, 'open')"};

static const struct baod_pg_statement REWORD = {
    "q_reword", "UPDATE baocao.alert SET text_vi = $3, text_en = $4 WHERE unit = $1 AND id = $2"};

static const struct baod_pg_statement CLEAR = {
    "q_clear", "UPDATE baocao.alert SET state = 'closed', state_at = $3, state_by = 'baocaod'"
               " WHERE unit = $1 AND id = $2"};

static const struct baod_pg_statement FORGET = {
    "q_forget",
    "DELETE FROM baocao.recheck q USING unnest($1::int4[], $2::int4[], $3::int4[]) k(unit, form, period)"
    " WHERE q.unit = k.unit AND q.form = k.form AND q.period = k.period"};

static const struct baod_pg_statement COMMIT = {"q_commit", "COMMIT"};

static void on_committed(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (rc->state != WRITING || baod_pg_outcome(r) == BAOD_PG_LOST)
        return;
    if (rc->error != 0)
        fail(rc, rc->error);
    else
        end(rc, BAOD_RECHECK_SOME);
}

static int write_warnings(struct baod_recheck *rc, const struct item *item)
{
    struct baod_pg_param *params;

    if (!item->judged || bao_str_eq(item->found, item->warnings))
        return 0;
    params = bao_arena_array(&rc->arena, 5, sizeof(*params));
    if (params == NULL)
        return -ENOMEM;
    params[0] = baod_pg_p_int4(&rc->arena, item->unit);
    params[1] = baod_pg_p_int4(&rc->arena, item->form);
    params[2] = baod_pg_p_int4(&rc->arena, item->period);
    params[3] = baod_pg_p_int4(&rc->arena, item->revision);
    params[4] = baod_pg_p_text(item->found.n == 0 ? BAO_STR_NULL : item->found);
    return baod_pg_exec(rc->slice.pg, &WARN, params, 5, on_plain, rc);
}

static int raise_alert(struct baod_recheck *rc, const struct item *item)
{
    struct baod_pg_param *params = bao_arena_array(&rc->arena, 7, sizeof(*params));
    uint8_t *id = bao_arena_alloc(&rc->arena, 16), random[10];

    if (params == NULL || id == NULL)
        return -ENOMEM;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -errno;
    bao_uuid_v7(rc->now, random, id);
    params[0] = baod_pg_p_int4(&rc->arena, item->unit);
    params[1] = baod_pg_p_uuid(id);
    params[2] = baod_pg_p_int4(&rc->arena, item->form);
    params[3] = baod_pg_p_int4(&rc->arena, item->period);
    params[4] = baod_pg_p_time(&rc->arena, rc->now);
    params[5] = baod_pg_p_text(item->text[BAO_VI]);
    params[6] = baod_pg_p_text(item->text[BAO_EN]);
    return baod_pg_exec(rc->slice.pg, &RAISE, params, 7, on_plain, rc);
}

static int write_alert(struct baod_recheck *rc, const struct item *item)
{
    struct baod_pg_param *params = bao_arena_array(&rc->arena, 4, sizeof(*params));

    if (item->flagged && !item->has_alert)
        return raise_alert(rc, item);
    if (!item->has_alert || (item->flagged && bao_str_eq(item->text[BAO_VI], item->alert_vi)))
        return 0;
    if (params == NULL)
        return -ENOMEM;
    params[0] = baod_pg_p_int4(&rc->arena, item->unit);
    params[1] = baod_pg_p_uuid(item->alert);
    if (!item->flagged) {
        params[2] = baod_pg_p_time(&rc->arena, rc->now);
        return baod_pg_exec(rc->slice.pg, &CLEAR, params, 3, on_plain, rc);
    }
    params[2] = baod_pg_p_text(item->text[BAO_VI]);
    params[3] = baod_pg_p_text(item->text[BAO_EN]);
    return baod_pg_exec(rc->slice.pg, &REWORD, params, 4, on_plain, rc);
}

static int write_done(struct baod_recheck *rc)
{
    struct baod_pg_param *params = bao_arena_array(&rc->arena, 3, sizeof(*params));
    int32_t *v = bao_arena_array(&rc->arena, 3 * rc->n, sizeof(*v));

    if (params == NULL || v == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < rc->n; i++) {
        v[i] = rc->items[i].unit;
        v[rc->n + i] = rc->items[i].form;
        v[2 * rc->n + i] = rc->items[i].period;
    }
    for (size_t k = 0; k < 3; k++)
        params[k] = baod_pg_p_int4s(&rc->arena, v + k * rc->n, NULL, rc->n);
    return baod_pg_exec(rc->slice.pg, &FORGET, params, 3, on_plain, rc);
}

static void write_slice(struct baod_recheck *rc)
{
    int r = 0;

    rc->state = WRITING;
    for (size_t i = 0; r == 0 && i < rc->n; i++) {
        /* Where a report could not be judged again, what is known of it stays as it is. */
        if (rc->items[i].judged || rc->items[i].revision == 0) {
            r = write_warnings(rc, &rc->items[i]);
            if (r == 0)
                r = write_alert(rc, &rc->items[i]);
        }
    }
    if (r == 0)
        r = write_done(rc);
    if (r == 0)
        r = baod_pg_exec(rc->slice.pg, &COMMIT, NULL, 0, on_plain, rc);
    if (r == 0)
        r = baod_pg_sync(rc->slice.pg, on_committed, rc);
    if (r < 0)
        baod_pg_drop(rc->slice.pg, "a recheck could not be written");
}

/* ------------------------------------------------------------------ judging, on a worker thread */

/* The sentence of the alert: what no longer agrees, and in how many places. */
static struct bao_str alert_text(struct bao_arena *arena, size_t n, struct bao_str first, enum bao_lang lang)
{
    if (lang == BAO_VI)
        return n == 1 ? bao_arena_printf(arena, "Báo cáo không còn khớp với các kỳ khác của đơn vị. %.*s",
                                         BAO_STR_ARG(first))
                      : bao_arena_printf(arena,
                                         "Báo cáo không còn khớp với các kỳ khác của đơn vị ở %zu chỗ. %.*s",
                                         n, BAO_STR_ARG(first));
    return n == 1
               ? bao_arena_printf(arena, "The report no longer agrees with the unit's other periods. %.*s",
                                  BAO_STR_ARG(first))
               : bao_arena_printf(
                     arena, "The report no longer agrees with the unit's other periods in %zu places. %.*s",
                     n, BAO_STR_ARG(first));
}

static int describe(struct baod_recheck *rc, const struct bao_verdict *v, struct item *item)
{
    const struct bao_finding *first = NULL;
    size_t n = 0;

    for (size_t i = v->findings.n; i-- > 0;)
        if (v->findings.items[i].severity != BAO_WARNING) {
            first = &v->findings.items[i];
            n++;
        }
    for (unsigned i = 0; i < BAO_LANGS; i++) {
        BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(SENTENCE_MAX);
        int r = 0;

        /* A form with personal data is not quoted: the office's eyes are not alone on alerts. */
        if (first != NULL && item->judged_by->n_personal == 0)
            r = bao_text_sentence(&text, first, (enum bao_lang)i);
        else if (first != NULL)
            r = bao_buf_append_str(&text, first->check);
        if (r != 0 && r != -ENOBUFS)
            return r;
        item->text[i] = alert_text(&rc->arena, n, bao_buf_str(&text), (enum bao_lang)i);
        if (item->text[i].p == NULL)
            return -ENOMEM;
    }
    return 0;
}

/* The history checks twice: as they would refuse, for the alert; as they flag, for the warnings. */
static int judge_back(struct baod_recheck *rc, struct item *item, struct bao_verdict *v)
{
    struct bao_verdict strict = *v;
    int r = bao_findings_copy(&v->findings, &rc->scratch, &strict.findings);

    if (r == 0)
        r = bao_judge_history(&rc->scratch, &item->history, false, &strict);
    if (r == 0)
        r = bao_judge_history(&rc->scratch, &item->history, true, v);
    if (r != 0)
        return r;
    item->flagged = strict.symbol != BAO_SYM_NONE;
    return item->flagged ? describe(rc, &strict, item) : 0;
}

static int judge(struct baod_recheck *rc, struct item *item)
{
    struct bao_judge_context context = {.forms = &rc->slice.snapshot->forms,
                                        .registry = &rc->slice.snapshot->registry,
                                        .limits = BAO_LOAD_LIMITS_DEFAULT,
                                        .now = item->received_at};
    struct bao_verdict v;
    struct bao_str document;
    int r = bao_inflate(rc->inflater, &rc->scratch, item->stored, item->raw, &document);

    if (r != 0)
        return bao_error_fold(r);
    if (context.limits.octets < document.n)
        context.limits.octets = document.n;
    r = bao_judge(&context, &rc->scratch, rc->schema, document, &v);
    if (r != 0 || v.symbol != BAO_SYM_NONE) /* forms or registry have changed under it: not ours to judge */
        return r;
    if (v.unjudged != 0 && v.form == item->judged_by) {
        r = baod_view_history(&rc->pasts, &item->view, v.form, &item->slots, rc->inflater, &rc->scratch,
                              &item->history);
        if (r == 0)
            r = judge_back(rc, item, &v);
    }
    if (r == 0) {
        item->found = v.warnings.n == 0 ? BAO_STR_NULL : bao_arena_str(&rc->arena, v.warnings);
        if (v.warnings.n != 0 && item->found.p == NULL)
            return -ENOMEM;
        item->judged = true;
    }
    return r;
}

static void work(uv_work_t *req)
{
    struct baod_recheck *rc = req->data;

    for (size_t i = 0; i < rc->n && rc->error == 0; i++) {
        int r = rc->items[i].revision == 0 ? 0 : judge(rc, &rc->items[i]);

        bao_arena_reset(&rc->scratch);
        if (r == -ENOMEM)
            rc->error = r;
    }
}

static void destroy(struct baod_recheck *rc);

static void worked(uv_work_t *req, int status)
{
    struct baod_recheck *rc = req->data;

    (void)status; /* never cancelled */
    if (rc->dying) {
        destroy(rc);
    } else if (rc->gone) {
        rc->gone = false;
        forget(rc);
    } else if (rc->error != 0) {
        fail(rc, rc->error);
    } else {
        write_slice(rc);
    }
}

/* ------------------------------------------------------------------ reading */

static const struct baod_pg_statement PROBE = {"q_probe", "SELECT 1 FROM baocao.recheck LIMIT 1"};
static const struct baod_pg_statement BEGIN = {"q_begin", "BEGIN ISOLATION LEVEL READ COMMITTED"};
static const struct baod_pg_statement LOCK = {"q_lock", "SELECT pg_advisory_xact_lock(7316, $1)"};

static const struct baod_pg_statement HEAD = {
    "q_head", "SELECT clock_timestamp(), (SELECT value FROM baocao.epoch WHERE name = 'registry'),"
              "       (SELECT value FROM baocao.epoch WHERE name = 'forms')"};

static const struct baod_pg_statement QUEUE = {
    "q_queue", "SELECT q.unit, q.form, q.period, r.revision, r.raw_size, r.received_at, r.warnings, r.body,"
               "       (SELECT u.code FROM baocao.unit u WHERE u.unit = q.unit LIMIT 1),"
               "       (SELECT f.id FROM baocao.form f WHERE f.form = q.form LIMIT 1), a.id, a.text_vi"
               "  FROM (SELECT * FROM baocao.recheck ORDER BY unit, form, period LIMIT 64) q"
               "  LEFT JOIN LATERAL (SELECT * FROM baocao.obligation o"
               "                      WHERE o.unit = q.unit AND o.form = q.form AND o.period = q.period "
               "OFFSET 0) o ON true"
               "  LEFT JOIN LATERAL (SELECT * FROM baocao.report r"
               "                      WHERE r.unit = q.unit AND r.form = q.form AND r.period = q.period"
               "                        AND r.revision = o.revision OFFSET 0) r ON true"
               "  LEFT JOIN LATERAL (SELECT a.id, a.text_vi FROM baocao.alert a"
               "                      WHERE a.unit = q.unit AND a.form = q.form AND a.period = q.period"
               "                        AND a.kind = 'history' AND a.state <> 'closed' ORDER BY a.id DESC "
               "LIMIT 1) a ON true"};

static bool keep(struct baod_recheck *rc, struct bao_str s, struct bao_str *ret)
{
    *ret = s.n == 0 ? BAO_STR_NULL : bao_arena_str(&rc->arena, s);
    return s.n == 0 || ret->p != NULL;
}

static bool take_item(struct baod_recheck *rc, const struct baod_pg_result *r, size_t row, struct item *item)
{
    *item = (struct item){.unit = (int32_t)baod_pg_int(r, row, 0),
                          .form = (int32_t)baod_pg_int(r, row, 1),
                          .period = (int32_t)baod_pg_int(r, row, 2),
                          .revision = (int)baod_pg_int(r, row, 3),
                          .raw = (size_t)baod_pg_int(r, row, 4),
                          .received_at = baod_pg_time(r, row, 5),
                          .has_alert = !baod_pg_is_null(r, row, 10)};
    if (item->has_alert && baod_pg_bytes(r, row, 10).n == sizeof(item->alert))
        memcpy(item->alert, baod_pg_bytes(r, row, 10).p, sizeof(item->alert));
    return keep(rc, baod_pg_bytes(r, row, 6), &item->warnings) &&
           keep(rc, baod_pg_bytes(r, row, 7), &item->stored) &&
           keep(rc, baod_pg_bytes(r, row, 8), &item->code) && keep(rc, baod_pg_bytes(r, row, 9), &item->id) &&
           keep(rc, baod_pg_bytes(r, row, 11), &item->alert_vi);
}

static void on_queue(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (!answered(rc, r))
        return;
    rc->items = bao_arena_array(&rc->arena, baod_pg_rows(r), sizeof(*rc->items));
    if (rc->items == NULL) {
        rc->error = -ENOMEM;
        return;
    }
    for (size_t row = 0; row < baod_pg_rows(r) && rc->error == 0; row++)
        if (!take_item(rc, r, row, &rc->items[rc->n++]))
            rc->error = -ENOMEM;
}

static void on_head(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (!answered(rc, r) || baod_pg_rows(r) != 1)
        return;
    rc->now = baod_pg_time(r, 0, 0);
    rc->outdated = baod_pg_int(r, 0, 1) != baod_dictionary_registry_epoch(rc->slice.dictionary) ||
                   baod_pg_int(r, 0, 2) != baod_dictionary_forms_epoch(rc->slice.dictionary);
}

static void on_pasts(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (answered(rc, r))
        rc->error = baod_pasts_take(&rc->pasts, &rc->arena, r);
}

static void on_looked_back(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (rc->state != LOOKING_BACK || baod_pg_outcome(r) == BAOD_PG_LOST)
        return;
    if (rc->error != 0) {
        fail(rc, rc->error);
        return;
    }
    rc->state = JUDGING;
    rc->work.data = rc;
    if (uv_queue_work(rc->loop, &rc->work, work, worked) != 0)
        abort(); /* fails only without a work function */
}

/* The places of the version's indicators; none when the dictionary does not know it. */
static bool copy_slots(struct baod_recheck *rc, struct item *item)
{
    const struct bao_slots *slots =
        baod_dictionary_slots(rc->slice.dictionary, item->id, item->judged_by->version);
    struct bao_slot *of;

    if (slots == NULL || slots->n_indicators != item->judged_by->n_indicators) {
        item->judged_by = NULL;
        return true;
    }
    of = bao_arena_array(&rc->arena, slots->n_indicators, sizeof(*of));
    if (of == NULL)
        return false;
    if (slots->n_indicators != 0)
        memcpy(of, slots->of, slots->n_indicators * sizeof(*of));
    item->slots = (struct bao_slots){.of = of, .n_indicators = slots->n_indicators, .n = slots->n};
    return true;
}

static int want_of(struct baod_recheck *rc, struct item *item, struct bao_period period)
{
    struct baod_past_of of = {.unit = item->unit, .form = item->form, .period = period};
    bao_date from, to;

    if (bao_form_window(item->judged_by, period, &from, &to))
        of.from = bao_form_looks_from(item->judged_by, &rc->slice.snapshot->registry, item->code, to);
    return baod_pasts_want(&rc->pasts, &of, bao_checks_look_back(item->judged_by), &item->view);
}

/* What the counted reports look back on, by the version that is in force for their periods. */
static int want(struct baod_recheck *rc)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < rc->n; i++) {
        struct item *item = &rc->items[i];
        struct bao_period period;
        bool known;

        if (item->revision == 0 || !bao_period_of_code(item->period, &period))
            continue;
        item->judged_by = bao_forms_get(&rc->slice.snapshot->forms, item->id, period, &known);
        if (item->judged_by != NULL && !copy_slots(rc, item))
            return -ENOMEM;
        if (item->judged_by != NULL)
            r = want_of(rc, item, period);
    }
    return r;
}

static void on_read(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;
    int e;

    if (rc->state != READING || baod_pg_outcome(r) == BAOD_PG_LOST)
        return;
    if (rc->error != 0) {
        fail(rc, rc->error);
        return;
    }
    if (rc->outdated || rc->n == 0) {
        roll_back(rc, rc->outdated ? BAOD_RECHECK_OUTDATED : BAOD_RECHECK_NONE);
        return;
    }
    rc->state = LOOKING_BACK;
    e = want(rc);
    if (e == 0 && rc->pasts.n != 0)
        e = baod_pasts_read(&rc->pasts, &rc->arena, rc->slice.pg, on_pasts, rc);
    if (e == 0)
        e = baod_pg_sync(rc->slice.pg, on_looked_back, rc);
    if (e < 0)
        fail(rc, e);
}

static int read_slice(struct baod_recheck *rc)
{
    struct baod_pg_param *key = bao_arena_array(&rc->arena, 1, sizeof(*key));
    struct baod_pg *pg = rc->slice.pg;
    int r;

    if (key == NULL)
        return -ENOMEM;
    *key = baod_pg_p_int4(&rc->arena, baod_dictionary_province(rc->slice.dictionary));
    r = baod_pg_exec(pg, &BEGIN, NULL, 0, on_plain, rc);
    if (r == 0)
        r = baod_pg_exec(pg, &LOCK, key, 1, on_plain, rc);
    if (r == 0)
        r = baod_pg_exec(pg, &HEAD, NULL, 0, on_head, rc);
    if (r == 0)
        r = baod_pg_exec(pg, &QUEUE, NULL, 0, on_queue, rc);
    return r < 0 ? r : baod_pg_sync(pg, on_read, rc);
}

static void on_probe(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    rc->found = answered(rc, r) && baod_pg_rows(r) != 0;
}

static void on_probed(const struct baod_pg_result *r, void *user)
{
    struct baod_recheck *rc = user;

    if (rc->state != PROBING || baod_pg_outcome(r) == BAOD_PG_LOST)
        return;
    if (!rc->found) {
        end(rc, rc->error != 0 ? BAOD_RECHECK_FAILED : BAOD_RECHECK_NONE);
        return;
    }
    rc->state = READING;
    if (read_slice(rc) < 0)
        baod_pg_drop(rc->slice.pg, "a recheck could not be read");
}

/* ------------------------------------------------------------------ from outside */

int baod_recheck_start(struct baod_recheck *rc, const struct baod_recheck_slice *slice)
{
    int r;

    bao_require(rc->state == IDLE);
    rc->found = rc->outdated = false;
    rc->error = 0;
    rc->slice = *slice;
    r = baod_pg_exec(slice->pg, &PROBE, NULL, 0, on_probe, rc);
    if (r == 0)
        r = baod_pg_sync(slice->pg, on_probed, rc);
    if (r < 0)
        return r;
    (void)baod_snapshot_ref(rc->slice.snapshot);
    rc->state = PROBING;
    return 0;
}

bool baod_recheck_is_busy(const struct baod_recheck *rc)
{
    return rc->state != IDLE;
}

void baod_recheck_lost(struct baod_recheck *rc)
{
    if (rc->state == JUDGING)
        rc->gone = true;
    else if (rc->state != IDLE)
        forget(rc);
}

static void destroy(struct baod_recheck *rc)
{
    (void)baod_snapshot_unref(rc->slice.snapshot);
    baod_pasts_deinit(&rc->pasts);
    bao_arena_deinit(&rc->arena);
    bao_arena_deinit(&rc->scratch);
    (void)bao_schema_scratch_free(rc->schema);
    (void)bao_inflater_free(rc->inflater);
    free(rc);
}

struct baod_recheck *baod_recheck_free(struct baod_recheck *rc)
{
    if (rc == NULL)
        return NULL;
    if (rc->state == JUDGING)
        rc->dying = true;
    else
        destroy(rc);
    return NULL;
}

int baod_recheck_new(uv_loop_t *loop, struct baod_recheck **ret)
{
    struct baod_recheck *rc = calloc(1, sizeof(*rc));

    if (rc == NULL)
        return -ENOMEM;
    rc->loop = loop;
    bao_arena_init(&rc->arena, ARENA_MAX);
    bao_arena_init(&rc->scratch, SCRATCH_MAX);
    rc->schema = bao_schema_scratch_new();
    rc->inflater = bao_inflater_new();
    if (rc->schema == NULL || rc->inflater == NULL) {
        destroy(rc);
        return -ENOMEM;
    }
    *ret = rc;
    return 0;
}
