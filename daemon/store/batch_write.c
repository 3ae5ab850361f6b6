/* What a batch writes: reports, receipts, obligations, sums and one audit row. */
#include "daemon/store/batch.h"
#include "daemon/store/leaves.h"
#include "lib/base/error.h"

#include <sys/random.h>

enum { REPORT_FIELDS = 20, LEAF_MAX = 1024, ID_RANDOM = 10, IDS_AT_ONCE = 16 };

#define REPORT_COLUMNS                                                                                       \
    "(unit, form, period, revision, form_version, state, nil, received_at, seq_from, seq_to, leaf, "         \
    "raw_size, "                                                                                             \
    "receipt, content, sha256, figures, warnings, explanations, collected, body)"

static const struct baod_pg_statement INSERT_REPORT = {
    "w_report",
    "INSERT INTO baocao.report " REPORT_COLUMNS
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"};

/* Several at once, still in the pipeline: of a statement a row most would be its beginning and end. Figures
 * travel end to end. */
static const struct baod_pg_statement INSERT_REPORTS = {
    "w_reports",
    "INSERT INTO baocao.report " REPORT_COLUMNS
    " SELECT k.unit, k.form, k.period, k.revision, k.form_version, k.state, k.nil, k.received_at, $20,"
    "        k.seq_to, k.leaf, k.raw_size, k.receipt, k.content, k.sha256, ($21::int8[])[k.first:k.last],"
    "        k.warnings, k.explanations, k.collected, k.body"
    "   FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], $6::int4[], $7::int4[],"
    "               $8::int4[], $9::int4[], $10::int2[], $11::bool[], $12::timestamptz[], $13::int8[],"
    "               $14::uuid[], $15::bytea[], $16::bytea[], $17::text[], $18::text[], $19::text[],"
    "               $22::bytea[])"
    "        k(unit, form, period, revision, form_version, leaf, raw_size, first, last, state, nil,"
    "          received_at, seq_to, receipt, content, sha256, warnings, explanations, collected, body)"};

static const char COPY_REPORT[] = "COPY baocao.report " REPORT_COLUMNS " FROM STDIN (FORMAT binary)";

static const struct baod_pg_statement INSERT_RECEIPTS = {
    "w_receipts", "INSERT INTO baocao.receipt (id, unit, form, period, revision)"
                  " SELECT * FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::int4[], $5::int4[])"};

/* The row that counted until this batch. A statement a row: no join whose order could be chosen badly. */
static const struct baod_pg_statement SUPERSEDE = {
    "w_supersede", "UPDATE baocao.report SET state = 2, seq_to = $1"
                   " WHERE unit = $2 AND form = $3 AND period = $4 AND revision = $5"};

static const struct baod_pg_statement OBLIGATIONS = {
    "w_discharge", "UPDATE baocao.obligation o SET revision = k.revision, last_revision = k.last_revision,"
                   "       received_at = k.received_at, kept_at = k.kept_at, kept_until = k.kept_until"
                   "  FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], "
                   "$6::timestamptz[], $7::timestamptz[],"
                   "              $8::timestamptz[])"
                   "       k(unit, form, period, revision, last_revision, received_at, kept_at, kept_until)"
                   " WHERE o.unit = k.unit AND o.form = k.form AND o.period = k.period"};

/* All rows at once: a statement each costs as much as writing ten reports. Their arrays travel end to end. */
static const struct baod_pg_statement SUMS = {
    "w_rollup",
    "INSERT INTO baocao.rollup (scope, form, period, reported, counts, sums)"
    " SELECT k.scope, k.form, k.period, k.reported, ($7::int8[])[k.first:k.last], "
    "($8::int8[])[k.first:k.last]"
    "   FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], $6::int4[])"
    "        k(scope, form, period, reported, first, last)"
    " ON CONFLICT (scope, form, period)"
    " DO UPDATE SET reported = excluded.reported, counts = excluded.counts, sums = excluded.sums"};

static const struct baod_pg_statement RECHECK = {
    "w_recheck", "INSERT INTO baocao.recheck (unit, form, period)"
                 " SELECT * FROM unnest($1::int4[], $2::int4[], $3::int4[]) ON CONFLICT DO NOTHING"};

static const struct baod_pg_statement AUDIT = {
    "w_audit", "INSERT INTO baocao.audit (seq, node, at, n, root, prev, public_key, signature, leaves)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};

/* A copy drained from a spool whose report had come another way before: its receipt resolves too. */
static const struct baod_pg_statement INSERT_COPIES = {
    "w_copies", "INSERT INTO baocao.receipt (id, unit, form, period, revision)"
                " SELECT * FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::int4[], $5::int4[])"
                " ON CONFLICT DO NOTHING"};

/* What became of a report that had been answered `queued`, until its unit has read it. Those that were not
 * stored have no leaf: a negative number made of the receipt keeps them apart. Who sends a report again is
 * answered `queued` again, and waits for its outcome: the one of before gives way to it, and is new. */
static const struct baod_pg_statement OLD_OUTCOMES = {
    "w_old_outcomes", "DELETE FROM baocao.outcome o USING unnest($1::int4[], $2::uuid[]) k(unit, receipt)"
                      " WHERE o.unit = k.unit AND o.receipt = k.receipt"};
static const struct baod_pg_statement OUTCOMES = {
    "w_outcomes",
    "INSERT INTO baocao.outcome (unit, seq, leaf, kind, receipt, form, period, revision, state, symbol)"
    " SELECT k.unit, $1, k.leaf, 'done', k.receipt, k.form, k.period, k.revision, k.state, k.symbol"
    "   FROM unnest($2::int4[], $3::int4[], $4::uuid[], $5::int4[], $6::int4[], $7::int4[], $8::text[], "
    "$9::text[])"
    "        k(unit, leaf, receipt, form, period, revision, state, symbol)"
    " ON CONFLICT DO NOTHING"};

static const struct baod_pg_statement MOVE_CUSTODY = {
    "w_custody",
    "UPDATE baocao.obligation SET received_at = $4 WHERE unit = $1 AND form = $2 AND period = $3"};

static const struct baod_pg_statement CUSTODY_EVENT = {
    "w_custody_event",
    "INSERT INTO baocao.obligation_event (unit, form, period, seq, leaf, kind, at, actor, reason, revision,"
    "       due_at, lock_at, extended_to, exempt, kept_at, kept_until, received_at)"
    " SELECT o.unit, o.form, o.period, $5, $6, 'custody', $7, $8, $9, $10,"
    "        o.due_at, o.lock_at, o.extended_to, o.exempt, o.kept_at, o.kept_until, $4"
    "   FROM baocao.obligation o WHERE o.unit = $1 AND o.form = $2 AND o.period = $3"};

static const struct baod_pg_statement COMMIT = {"w_commit", "COMMIT"};

/* ------------------------------------------------------------------ answers */

static void on_written(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;

    switch (baod_pg_outcome(r)) {
    case BAOD_PG_OK:
        return;
    case BAOD_PG_LOST:
        b->lost = true;
        return;
    case BAOD_PG_SQL:
        if (!b->failed) {
            (void)snprintf(b->sqlstate, sizeof(b->sqlstate), "%s", baod_pg_sqlstate(r));
            (void)snprintf(b->message, sizeof(b->message), "%s", baod_pg_message(r));
        }
        b->failed = true;
        return;
    case BAOD_PG_ABORTED:
        b->failed = true;
        return;
    }
}

/* ------------------------------------------------------------------ the pieces */

static bool stores(const struct baod_item *item)
{
    return item->leaf >= 0;
}

/* Gives each stored report its id; one that it got in an earlier attempt stays. */
static int make_ids(struct baod_batch *b)
{
    uint8_t random[IDS_AT_ONCE][ID_RANDOM];
    size_t left = 0;

    for (size_t i = 0; i < b->n; i++) {
        struct baod_submission *s = b->items[i].s;

        if (!stores(&b->items[i]) || s->has_id)
            continue;
        if (left == 0) {
            if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -errno;
            left = BAO_COUNT(random);
        }
        bao_uuid_v7(b->at, random[--left], s->receipt.id);
        s->has_id = true;
    }
    return 0;
}

/* The hashes of the batch's leaves, in order. */
static int make_leaves(struct baod_batch *b, struct bao_hash *leaves)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(LEAF_MAX);
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++) {
        const struct baod_item *item = &b->items[i];
        const struct bao_verdict *verdict = item->verdict;
        struct bao_leaf leaf = {.form = verdict->form_id,
                                .unit = verdict->unit,
                                .revision = verdict->revision,
                                .received_at = item->s->received_at};
        char period[16];

        if (!stores(item))
            continue;
        bao_period_print(verdict->period, period);
        leaf.period = bao_str_c(period);
        leaf.form_version = verdict->form->version;
        leaf.verdict = item->decision.kind == BAOD_KEEP ? BAO_STR("superseded") : BAO_STR("accepted");
        memcpy(leaf.id, item->s->receipt.id, sizeof(leaf.id));
        memcpy(leaf.content, verdict->content, sizeof(leaf.content));
        bao_buf_clear(&text);
        r = bao_leaf_print(&text, &leaf);
        if (r == 0)
            bao_merkle_leaf(bao_buf_str(&text), &leaves[item->leaf]);
    }
    return r;
}

static struct bao_str text_or_null(struct bao_str s)
{
    return s.n == 0 ? BAO_STR_NULL : s;
}

static struct bao_str octets(const uint8_t *p, size_t n)
{
    return (struct bao_str){(const char *)p, n};
}

/* The columns of report, in the order of REPORT_COLUMNS. */
static int report_params(struct baod_batch *b, const struct baod_item *item,
                         struct baod_pg_param ret[REPORT_FIELDS])
{
    const struct baod_submission *s = item->s;
    const struct bao_verdict *v = item->verdict;
    struct bao_arena *a = &b->arena;
    size_t n = item->slots->n, at = 0;
    int64_t *figures = bao_arena_array(a, n, sizeof(*figures));
    bool *null = bao_arena_array(a, n, sizeof(*null));
    bool counted = item->decision.kind == BAOD_COUNT;

    if (figures == NULL || null == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        figures[i] = item->figures[i].scaled;
        null[i] = !item->figures[i].present;
    }
    ret[at++] = baod_pg_p_int4(a, item->unit);
    ret[at++] = baod_pg_p_int4(a, item->form);
    ret[at++] = baod_pg_p_int4(a, item->period);
    ret[at++] = baod_pg_p_int4(a, v->revision);
    ret[at++] = baod_pg_p_int4(a, v->form->version);
    ret[at++] = baod_pg_p_int2(a, counted ? BAOD_COUNTED : BAOD_SUPERSEDED);
    ret[at++] = baod_pg_p_bool(a, v->nil);
    ret[at++] = baod_pg_p_time(a, s->received_at);
    ret[at++] = baod_pg_p_int8(a, b->seq);
    ret[at++] = baod_pg_p_int8(a, counted ? INT64_MAX : b->seq);
    ret[at++] = baod_pg_p_int4(a, item->leaf);
    ret[at++] = baod_pg_p_int4(a, (int32_t)s->document.n);
    ret[at++] = baod_pg_p_uuid(s->receipt.id);
    ret[at++] = baod_pg_p_bytea(octets(v->content, sizeof(v->content)));
    ret[at++] = baod_pg_p_bytea(octets(s->sha256, sizeof(s->sha256)));
    ret[at++] = baod_pg_p_int8s(a, figures, null, n);
    ret[at++] = baod_pg_p_text(text_or_null(v->warnings));
    ret[at++] = baod_pg_p_text(text_or_null(v->explanations));
    ret[at++] = baod_pg_p_text(text_or_null(v->collected));
    ret[at++] = baod_pg_p_bytea(s->stored);
    bao_require(at == REPORT_FIELDS);
    return 0;
}

static int insert_singly(struct baod_batch *b, struct baod_pg *pg)
{
    for (size_t i = 0; i < b->n; i++) {
        struct baod_pg_param *params;
        int r;

        if (!stores(&b->items[i]))
            continue;
        params = bao_arena_array(&b->arena, REPORT_FIELDS, sizeof(*params));
        if (params == NULL)
            return -ENOMEM;
        r = report_params(b, &b->items[i], params);
        if (r == 0)
            r = baod_pg_exec(pg, &INSERT_REPORT, params, REPORT_FIELDS, on_written, b);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The columns of several reports, an array each. */
struct report_columns {
    int32_t *numbers[9]; /* unit form period revision form_version leaf raw_size first last */
    int16_t *state;
    bool *nil, *null;
    bao_time *received_at;
    int64_t *seq_to, *figures;
    uint8_t (*receipt)[16];
    struct bao_str *texts[6]; /* content sha256 warnings explanations collected body */
    size_t n_figures;
};

/* Room for so many reports with so many figures together. */
static int make_columns(struct bao_arena *a, size_t n, size_t figures, struct report_columns *ret)
{
    struct report_columns c = {.state = bao_arena_array(a, n, sizeof(*c.state)),
                               .nil = bao_arena_array(a, n, sizeof(*c.nil)),
                               .null = bao_arena_array(a, figures, sizeof(*c.null)),
                               .received_at = bao_arena_array(a, n, sizeof(*c.received_at)),
                               .seq_to = bao_arena_array(a, n, sizeof(*c.seq_to)),
                               .figures = bao_arena_array(a, figures, sizeof(*c.figures)),
                               .receipt = bao_arena_array(a, n, sizeof(*c.receipt))};
    bool ok = c.state != NULL && c.nil != NULL && c.null != NULL && c.received_at != NULL &&
              c.seq_to != NULL && c.figures != NULL && c.receipt != NULL;

    for (size_t k = 0; k < BAO_COUNT(c.numbers); k++)
        ok = (c.numbers[k] = bao_arena_array(a, n, sizeof(*c.numbers[k]))) != NULL && ok;
    for (size_t k = 0; k < BAO_COUNT(c.texts); k++)
        ok = (c.texts[k] = bao_arena_array(a, n, sizeof(*c.texts[k]))) != NULL && ok;
    if (!ok)
        return -ENOMEM;
    *ret = c;
    return 0;
}

static void put_report(struct report_columns *c, const struct baod_batch *b, const struct baod_item *item)
{
    const struct baod_submission *s = item->s;
    const struct bao_verdict *v = item->verdict;
    size_t at = (size_t)item->leaf;
    bool counted = item->decision.kind == BAOD_COUNT;
    const int32_t numbers[] = {item->unit,
                               item->form,
                               item->period,
                               v->revision,
                               v->form->version,
                               item->leaf,
                               (int32_t)s->document.n,
                               (int32_t)c->n_figures + 1,
                               (int32_t)(c->n_figures + item->slots->n)};
    const struct bao_str texts[] = {octets(v->content, sizeof(v->content)),
                                    octets(s->sha256, sizeof(s->sha256)),
                                    text_or_null(v->warnings),
                                    text_or_null(v->explanations),
                                    text_or_null(v->collected),
                                    s->stored};

    for (size_t k = 0; k < BAO_COUNT(numbers); k++)
        c->numbers[k][at] = numbers[k];
    for (size_t k = 0; k < BAO_COUNT(texts); k++)
        c->texts[k][at] = texts[k];
    c->state[at] = counted ? BAOD_COUNTED : BAOD_SUPERSEDED;
    c->nil[at] = v->nil;
    c->received_at[at] = s->received_at;
    c->seq_to[at] = counted ? INT64_MAX : b->seq;
    memcpy(c->receipt[at], s->receipt.id, sizeof(c->receipt[at]));
    for (size_t i = 0; i < item->slots->n; i++, c->n_figures++) {
        c->figures[c->n_figures] = item->figures[i].scaled;
        c->null[c->n_figures] = !item->figures[i].present;
    }
}

/* The reports of a small batch by one statement. */
static int insert_together(struct baod_batch *b, struct baod_pg *pg)
{
    enum { NUMBERS = 9, PARAMS = 22 };
    struct bao_arena *a = &b->arena;
    struct baod_pg_param *params = bao_arena_array(a, PARAMS, sizeof(*params)), *p = params;
    size_t n = b->n_stored, figures = 0;
    struct report_columns c;

    for (size_t i = 0; i < b->n; i++)
        figures += stores(&b->items[i]) ? b->items[i].slots->n : 0;
    if (params == NULL || make_columns(a, n, figures, &c) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++)
        if (stores(&b->items[i]))
            put_report(&c, b, &b->items[i]);
    for (size_t k = 0; k < NUMBERS; k++)
        *p++ = baod_pg_p_int4s(a, c.numbers[k], NULL, n);
    *p++ = baod_pg_p_int2s(a, c.state, NULL, n);
    *p++ = baod_pg_p_bools(a, c.nil, n);
    *p++ = baod_pg_p_times(a, c.received_at, n);
    *p++ = baod_pg_p_int8s(a, c.seq_to, NULL, n);
    *p++ = baod_pg_p_uuids(a, (const uint8_t(*)[16])c.receipt, n);
    *p++ = baod_pg_p_byteas(a, c.texts[0], n);
    *p++ = baod_pg_p_byteas(a, c.texts[1], n);
    for (size_t k = 2; k < 5; k++)
        *p++ = baod_pg_p_texts(a, c.texts[k], n);
    *p++ = baod_pg_p_int8(a, b->seq);
    *p++ = baod_pg_p_int8s(a, c.figures, c.null, figures);
    *p++ = baod_pg_p_byteas(a, c.texts[5], n);
    bao_require(p == params + PARAMS);
    return baod_pg_exec(pg, &INSERT_REPORTS, params, PARAMS, on_written, b);
}

static int insert_reports(struct baod_batch *b, struct baod_pg *pg)
{
    return b->n_stored <= BAOD_BATCH_SINGLY ? insert_singly(b, pg) : insert_together(b, pg);
}

static int copy_reports(struct baod_batch *b, struct baod_pg *pg)
{
    struct baod_pg_param params[REPORT_FIELDS];
    int r = baod_pg_copy_begin(&b->copy);

    for (size_t i = 0; r == 0 && i < b->n; i++) {
        if (!stores(&b->items[i]))
            continue;
        r = report_params(b, &b->items[i], params);
        if (r == 0)
            r = baod_pg_copy_row(&b->copy, REPORT_FIELDS);
        for (size_t k = 0; r == 0 && k < REPORT_FIELDS; k++)
            r = baod_pg_copy_param(&b->copy, params[k]);
    }
    if (r == 0)
        r = baod_pg_copy_end(&b->copy);
    return r < 0 ? r : baod_pg_copy(pg, COPY_REPORT, bao_buf_str(&b->copy), on_written, b);
}

static int write_receipts(struct baod_batch *b, struct baod_pg *pg)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 5, sizeof(*params));
    int32_t *v = bao_arena_array(&b->arena, 4 * b->n_stored, sizeof(*v));
    uint8_t(*ids)[16] = bao_arena_array(&b->arena, b->n_stored, sizeof(*ids));
    size_t n = b->n_stored;

    if (params == NULL || v == NULL || ids == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        const struct baod_item *item = &b->items[i];
        size_t at = (size_t)item->leaf;

        if (!stores(item))
            continue;
        memcpy(ids[at], item->s->receipt.id, sizeof(ids[at]));
        v[at] = item->unit;
        v[n + at] = item->form;
        v[2 * n + at] = item->period;
        v[3 * n + at] = item->s->verdict.revision;
    }
    params[0] = baod_pg_p_uuids(&b->arena, (const uint8_t(*)[16])ids, n);
    for (size_t k = 0; k < 4; k++)
        params[k + 1] = baod_pg_p_int4s(&b->arena, v + k * n, NULL, n);
    return baod_pg_exec(pg, &INSERT_RECEIPTS, params, 5, on_written, b);
}

static int write_superseded(struct baod_batch *b, struct baod_pg *pg)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++) {
        const struct baod_item *item = &b->items[i];
        struct baod_pg_param *params;

        if (!stores(item) || item->decision.kind != BAOD_COUNT || !item->current.exists)
            continue;
        params = bao_arena_array(&b->arena, 5, sizeof(*params));
        if (params == NULL)
            return -ENOMEM;
        params[0] = baod_pg_p_int8(&b->arena, b->seq);
        params[1] = baod_pg_p_int4(&b->arena, item->unit);
        params[2] = baod_pg_p_int4(&b->arena, item->form);
        params[3] = baod_pg_p_int4(&b->arena, item->period);
        params[4] = baod_pg_p_int4(&b->arena, item->current.revision);
        r = baod_pg_exec(pg, &SUPERSEDE, params, 5, on_written, b);
    }
    return r;
}

static int write_obligations(struct baod_batch *b, struct baod_pg *pg)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 8, sizeof(*params));
    size_t n = b->n_stored;
    int32_t *v = bao_arena_array(&b->arena, 5 * n, sizeof(*v));
    bao_time *times = bao_arena_array(&b->arena, 3 * n, sizeof(*times));
    bool *none = bao_arena_array(&b->arena, n, sizeof(*none));

    if (params == NULL || v == NULL || times == NULL || none == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        const struct baod_item *item = &b->items[i];
        const struct baod_obligation *after = &item->decision.after;
        size_t at = (size_t)item->leaf;

        if (!stores(item))
            continue;
        v[at] = item->unit;
        v[n + at] = item->form;
        v[2 * n + at] = item->period;
        v[3 * n + at] = after->revision;
        none[at] = after->revision == 0;
        v[4 * n + at] = after->last_revision;
        times[at] = after->received_at;
        times[n + at] = after->kept_at;
        times[2 * n + at] = after->kept_until;
    }
    for (size_t k = 0; k < 5; k++)
        params[k] = baod_pg_p_int4s(&b->arena, v + k * n, k == 3 ? none : NULL, n);
    for (size_t k = 0; k < 3; k++)
        params[5 + k] = baod_pg_p_times(&b->arena, times + k * n, n);
    return baod_pg_exec(pg, &OBLIGATIONS, params, 8, on_written, b);
}

/* The touched rows and all their slots. */
static size_t count_sums(const struct baod_batch *b, size_t *ret_slots)
{
    size_t n = 0;

    *ret_slots = 0;
    for (size_t i = 0; i < b->n_sums; i++)
        if (b->sums[i].touched) {
            n++;
            *ret_slots += b->sums[i].rollup.n;
        }
    return n;
}

static int write_sums(struct baod_batch *b, struct baod_pg *pg)
{
    enum { KEYS = 6, PARAMS = 8 };
    struct bao_arena *a = &b->arena;
    size_t slots, n = count_sums(b, &slots), row = 0, at = 0;
    struct baod_pg_param *params = bao_arena_array(a, PARAMS, sizeof(*params));
    int32_t *v = bao_arena_array(a, KEYS * n, sizeof(*v));
    int64_t *counts = bao_arena_array(a, slots, sizeof(*counts));
    int64_t *sums = bao_arena_array(a, slots, sizeof(*sums));

    if (params == NULL || v == NULL || counts == NULL || sums == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n_sums; i++) {
        const struct baod_sums *from = &b->sums[i];
        size_t width = from->rollup.n;

        if (!from->touched)
            continue;
        for (size_t k = 0; k < 3; k++)
            v[k * n + row] = from->key[k];
        v[3 * n + row] = from->rollup.reported;
        v[4 * n + row] = (int32_t)at + 1;
        v[5 * n + row++] = (int32_t)(at + width);
        for (size_t slot = 0; slot < width; slot++)
            counts[at + slot] = from->rollup.counts[slot];
        if (width != 0)
            memcpy(sums + at, from->rollup.sums, width * sizeof(*sums));
        at += width;
    }
    for (size_t k = 0; k < KEYS; k++)
        params[k] = baod_pg_p_int4s(a, v + k * n, NULL, n);
    params[6] = baod_pg_p_int8s(a, counts, NULL, slots);
    params[7] = baod_pg_p_int8s(a, sums, NULL, slots);
    return baod_pg_exec(pg, &SUMS, params, PARAMS, on_written, b);
}

/* ------------------------------------------------------------------ what was drained from a spool */

static bool is_copy(const struct baod_item *item)
{
    return item->s->spooled && item->decision.kind == BAOD_DUPLICATE &&
           memcmp(item->s->receipt.id, item->same.id, sizeof(item->same.id)) != 0;
}

static int write_copies(struct baod_batch *b, struct baod_pg *pg)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 5, sizeof(*params));
    int32_t *v = bao_arena_array(&b->arena, 4 * b->n, sizeof(*v));
    uint8_t(*ids)[16] = bao_arena_array(&b->arena, b->n, sizeof(*ids));
    size_t n = 0;

    if (params == NULL || v == NULL || ids == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        const struct baod_item *item = &b->items[i];

        if (!is_copy(item))
            continue;
        memcpy(ids[n], item->s->receipt.id, sizeof(ids[n]));
        v[n] = item->unit;
        v[b->n + n] = item->form;
        v[2 * b->n + n] = item->period;
        v[3 * b->n + n++] = item->s->verdict.revision;
    }
    if (n == 0)
        return 0;
    params[0] = baod_pg_p_uuids(&b->arena, (const uint8_t(*)[16])ids, n);
    for (size_t k = 0; k < 4; k++)
        params[k + 1] = baod_pg_p_int4s(&b->arena, v + k * b->n, NULL, n);
    return baod_pg_exec(pg, &INSERT_COPIES, params, 5, on_written, b);
}

static struct bao_str outcome_state(const struct baod_item *item)
{
    bool superseded = item->decision.kind == BAOD_KEEP ||
                      (item->decision.kind == BAOD_DUPLICATE && item->same.state == BAOD_SUPERSEDED);

    if (item->decision.kind == BAOD_REFUSE)
        return BAO_STR("refused");
    return superseded ? BAO_STR("superseded") : BAO_STR("committed");
}

/* The place of an outcome in its batch. */
static int32_t outcome_leaf(const struct baod_item *item)
{
    const uint8_t *random = item->s->receipt.id + 12;

    if (stores(item))
        return item->leaf;
    return -1 - (int32_t)((uint32_t)(random[0] & 0x7f) << 24 | (uint32_t)random[1] << 16 |
                          (uint32_t)random[2] << 8 | random[3]);
}

static int write_outcomes(struct baod_batch *b, struct baod_pg *pg)
{
    struct bao_arena *a = &b->arena;
    size_t n = b->n_spooled, at = 0;
    struct baod_pg_param *params = bao_arena_array(a, 11, sizeof(*params));
    int32_t *v = bao_arena_array(a, 5 * n, sizeof(*v));
    uint8_t(*ids)[16] = bao_arena_array(a, n, sizeof(*ids));
    struct bao_str *texts = bao_arena_array(a, 2 * n, sizeof(*texts));
    int r;

    if (params == NULL || v == NULL || ids == NULL || texts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        const struct baod_item *item = &b->items[i];

        if (!baod_item_is_told(item))
            continue;
        memcpy(ids[at], item->s->receipt.id, sizeof(ids[at]));
        v[at] = item->unit;
        v[n + at] = outcome_leaf(item);
        v[2 * n + at] = item->form;
        v[3 * n + at] = item->period;
        v[4 * n + at] = item->s->verdict.revision;
        texts[at] = outcome_state(item);
        if (item->decision.kind == BAOD_REFUSE)
            texts[n + at] = bao_str_c(bao_symbol_info(item->decision.symbol)->name);
        at++;
    }
    params[0] = baod_pg_p_int8(a, b->seq);
    params[1] = baod_pg_p_int4s(a, v, NULL, n);
    params[2] = baod_pg_p_int4s(a, v + n, NULL, n);
    params[3] = baod_pg_p_uuids(a, (const uint8_t(*)[16])ids, n);
    for (size_t k = 2; k < 5; k++)
        params[k + 2] = baod_pg_p_int4s(a, v + k * n, NULL, n);
    params[7] = baod_pg_p_texts(a, texts, n);
    params[8] = baod_pg_p_texts(a, texts + n, n);
    params[9] = params[1];
    params[10] = params[3];
    r = baod_pg_exec(pg, &OLD_OUTCOMES, params + 9, 2, on_written, b);
    return r == 0 ? baod_pg_exec(pg, &OUTCOMES, params, 9, on_written, b) : r;
}

/* ------------------------------------------------------------------ custody that moved */

static struct bao_str copy_receipt(struct baod_batch *b, const struct baod_item *item)
{
    char hex[33];

    bao_hex(item->s->receipt.id, sizeof(item->s->receipt.id), hex);
    return bao_arena_printf(&b->arena, "receipt %s", hex);
}

static int write_move(struct baod_batch *b, struct baod_pg *pg, const struct baod_item *item,
                      const struct baod_signer *signer)
{
    struct bao_arena *a = &b->arena;
    struct baod_pg_param *params = bao_arena_array(a, 10, sizeof(*params));
    struct bao_str reason = copy_receipt(b, item);
    int r;

    if (params == NULL || reason.p == NULL)
        return -ENOMEM;
    params[0] = baod_pg_p_int4(a, item->unit);
    params[1] = baod_pg_p_int4(a, item->form);
    params[2] = baod_pg_p_int4(a, item->period);
    params[3] = baod_pg_p_time(a, item->decision.after.received_at);
    params[4] = baod_pg_p_int8(a, b->seq);
    params[5] = baod_pg_p_int4(a, item->move);
    params[6] = baod_pg_p_time(a, b->at);
    params[7] = baod_pg_p_text(signer->node);
    params[8] = baod_pg_p_text(reason);
    params[9] = baod_pg_p_int4(a, item->s->verdict.revision);
    r = baod_pg_exec(pg, &MOVE_CUSTODY, params, 4, on_written, b);
    return r < 0 ? r : baod_pg_exec(pg, &CUSTODY_EVENT, params, 10, on_written, b);
}

static int write_moves(struct baod_batch *b, struct baod_pg *pg, const struct baod_signer *signer)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++)
        if (b->items[i].move >= 0)
            r = write_move(b, pg, &b->items[i], signer);
    return r;
}

static int make_move_leaf(struct baod_batch *b, const struct baod_item *item,
                          const struct baod_signer *signer, struct bao_hash *ret)
{
    char period[16];
    struct baod_custody_leaf leaf = {.form = item->s->verdict.form_id,
                                     .unit = item->s->verdict.unit,
                                     .node = signer->node,
                                     .reason = copy_receipt(b, item),
                                     .revision = item->s->verdict.revision,
                                     .received_at = item->decision.after.received_at};

    if (leaf.reason.p == NULL)
        return -ENOMEM;
    bao_period_print(item->s->verdict.period, period);
    leaf.period = bao_str_c(period);
    return baod_custody_leaf(&leaf, ret);
}

static int make_move_leaves(struct baod_batch *b, const struct baod_signer *signer, struct bao_hash *leaves)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++)
        if (b->items[i].move >= 0)
            r = make_move_leaf(b, &b->items[i], signer, &leaves[b->items[i].move]);
    return r;
}

/* Reports whose past this one changes; and itself, when it takes the place of one that may be flagged, or
 * could only be flagged (recheck.h). */
static size_t rechecks(const struct baod_item *item, int32_t *periods)
{
    bool self = (item->decision.kind == BAOD_COUNT && item->current.exists) || item->s->spooled;
    size_t n = item->decision.kind == BAOD_COUNT ? item->n_later : 0;

    if (!stores(item) || item->back == 0)
        return 0;
    if (periods != NULL && n != 0)
        memcpy(periods, item->later, n * sizeof(*periods));
    if (self && periods != NULL)
        periods[n] = item->period;
    return n + self;
}

static int write_rechecks(struct baod_batch *b, struct baod_pg *pg)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 3, sizeof(*params));
    size_t n = 0, at = 0;
    int32_t *v;

    for (size_t i = 0; i < b->n; i++)
        n += rechecks(&b->items[i], NULL);
    b->n_recheck = n;
    if (n == 0)
        return 0;
    v = bao_arena_array(&b->arena, 3 * n, sizeof(*v));
    if (params == NULL || v == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++)
        for (size_t k = rechecks(&b->items[i], v + 2 * n + at); k != 0; k--, at++) {
            v[at] = b->items[i].unit;
            v[n + at] = b->items[i].form;
        }
    for (size_t k = 0; k < 3; k++)
        params[k] = baod_pg_p_int4s(&b->arena, v + k * n, NULL, n);
    return baod_pg_exec(pg, &RECHECK, params, 3, on_written, b);
}

static int write_audit(struct baod_batch *b, struct baod_pg *pg, const struct baod_signer *signer)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 9, sizeof(*params));
    struct bao_hash *leaves = bao_arena_array(&b->arena, b->n_leaves, sizeof(*leaves));
    struct bao_batch *row = bao_arena_array(&b->arena, 1, sizeof(*row));
    struct bao_arena *a = &b->arena;
    int r = params == NULL || leaves == NULL || row == NULL ? -ENOMEM : 0;

    if (r == 0)
        r = make_leaves(b, leaves);
    if (r == 0)
        r = make_move_leaves(b, signer, leaves);
    if (r < 0)
        return r;
    *row = (struct bao_batch){
        .province = signer->province, .node = signer->node, .seq = b->seq, .at = b->at, .n = b->n_leaves};
    bao_merkle_root(leaves, b->n_leaves, &row->root);
    if (b->head.last.seq != 0) {
        b->head.last.province = signer->province;
        r = bao_batch_hash(&b->head.last, &row->previous);
    }
    if (r == 0)
        r = bao_batch_sign(row, signer->seed, signer->pub);
    if (r < 0)
        return r;
    params[0] = baod_pg_p_int8(a, b->seq);
    params[1] = baod_pg_p_text(signer->node);
    params[2] = baod_pg_p_time(a, b->at);
    params[3] = baod_pg_p_int4(a, (int32_t)b->n_leaves);
    params[4] = baod_pg_p_bytea(octets(row->root.octets, sizeof(row->root.octets)));
    params[5] = baod_pg_p_bytea(octets(row->previous.octets, sizeof(row->previous.octets)));
    params[6] = baod_pg_p_bytea(octets(signer->pub, sizeof(signer->pub)));
    params[7] = baod_pg_p_bytea(octets(row->signature, sizeof(row->signature)));
    params[8] = baod_pg_p_bytea((struct bao_str){(const char *)leaves, b->n_leaves * sizeof(*leaves)});
    return baod_pg_exec(pg, &AUDIT, params, 9, on_written, b);
}

/* What goes with the reports that are stored, all by statements of one pipeline. */
static int write_beside(struct baod_batch *b, struct baod_pg *pg)
{
    int r = write_receipts(b, pg);
    size_t slots;

    if (r == 0)
        r = write_superseded(b, pg);
    if (r == 0)
        r = write_obligations(b, pg);
    if (r == 0 && count_sums(b, &slots) != 0)
        r = write_sums(b, pg);
    return r < 0 ? r : write_rechecks(b, pg);
}

/* COPY stands outside the pipeline. Its data take a while to be laid out, and the server has the rest to do
 * meanwhile. */
static int write_by_copy(struct baod_batch *b, struct baod_pg *pg)
{
    int r = write_beside(b, pg);

    if (r == 0)
        r = baod_pg_sync(pg, NULL, NULL);
    return r < 0 ? r : copy_reports(b, pg);
}

static int write_reports(struct baod_batch *b, struct baod_pg *pg)
{
    int r = make_ids(b);

    if (r == 0 && b->n_stored > BAOD_BATCH_PIPELINED)
        return write_by_copy(b, pg);
    if (r == 0)
        r = insert_reports(b, pg);
    return r < 0 ? r : write_beside(b, pg);
}

int baod_batch_write(struct baod_batch *b, struct baod_pg *pg, const struct baod_signer *signer,
                     baod_pg_callback *committed, baod_pg_callback *done, void *user)
{
    int r = b->n_stored != 0 ? write_reports(b, pg) : 0;

    if (r == 0)
        r = write_moves(b, pg, signer);
    if (r == 0 && b->n_spooled != 0) {
        r = write_copies(b, pg);
        if (r == 0)
            r = write_outcomes(b, pg);
    }
    baod_pg_push(pg); /* signing takes as long as some of these statements */
    if (r == 0 && b->n_leaves != 0)
        r = write_audit(b, pg, signer);
    if (r == 0)
        r = baod_pg_exec(pg, &COMMIT, NULL, 0, committed, user);
    return r < 0 ? r : baod_pg_sync(pg, done, user);
}

int baod_batch_rehearse(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done, void *user)
{
    int r = baod_batch_rehearse_reads(b, pg);

    if (r == 0)
        r = insert_together(b, pg);
    if (r == 0)
        r = write_receipts(b, pg);
    if (r == 0)
        r = write_obligations(b, pg);
    if (r == 0)
        r = write_sums(b, pg);
    return r < 0 ? r : baod_pg_sync(pg, done, user);
}
