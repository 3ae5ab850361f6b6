/* What a batch reads under the lock: plain statements, one after the other in one pipeline.
 *
 * Each goes by its list of keys. OFFSET 0 keeps the planner from turning the join round: one plan serves all
 * batches, and one made while a table was still empty would otherwise walk all of it for ever. */
#include "daemon/store/batch.h"
#include "lib/base/error.h"

static const struct baod_pg_statement BEGIN = {"w_begin", "BEGIN ISOLATION LEVEL READ COMMITTED"};

/* A statement of its own: the snapshots of those after it begin once the lock is held. */
static const struct baod_pg_statement LOCK = {"w_lock", "SELECT pg_advisory_xact_lock(7316, $1)"};

static const struct baod_pg_statement HEAD = {
    "w_head", "SELECT a.seq, a.node, a.at, a.n, a.root, a.prev, a.signature, clock_timestamp(),"
              "       (SELECT value FROM baocao.epoch WHERE name = 'registry'),"
              "       (SELECT value FROM baocao.epoch WHERE name = 'forms'),"
              "       current_setting('synchronous_standby_names') <> ''"
              "  FROM (VALUES (1)) one(x)"
              "  LEFT JOIN LATERAL (SELECT * FROM baocao.audit ORDER BY seq DESC LIMIT 1) a ON true"};

static const struct baod_pg_statement KEYS = {
    "w_keys",
    "SELECT k.i, o.due_at, o.lock_at, o.extended_to, o.exempt, o.revision, o.last_revision, o.received_at,"
    "       o.kept_at, o.kept_until"
    "  FROM unnest($1::int4[], $2::int4[], $3::int4[]) WITH ORDINALITY k(unit, form, period, i)"
    " CROSS JOIN LATERAL (SELECT * FROM baocao.obligation o"
    "                      WHERE o.unit = k.unit AND o.form = k.form AND o.period = k.period OFFSET 0) o"};

/* Of each report's key the one of this very revision and the counted one. Where none was ever accepted, which
 * is the common case, it is not asked: only to begin on every year's partition costs as much as the rest. */
static const struct baod_pg_statement STORED = {
    "w_stored",
    "SELECT k.i, r.revision, r.state, r.form_version, r.received_at, r.seq_from, r.receipt, r.content,"
    "       r.sha256, r.figures"
    "  FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::int4[]) WITH ORDINALITY"
    "       k(unit, form, period, revision, counted, i)"
    " CROSS JOIN LATERAL (SELECT * FROM baocao.report r"
    "                      WHERE r.unit = k.unit AND r.form = k.form AND r.period = k.period"
    "                        AND r.revision = ANY (ARRAY[k.revision, k.counted]) OFFSET 0) r"};

static const struct baod_pg_statement SUMS = {
    "w_sums",
    "SELECT k.i, r.reported, r.counts, r.sums"
    "  FROM unnest($1::int4[], $2::int4[], $3::int4[]) WITH ORDINALITY k(scope, form, period, i)"
    " CROSS JOIN LATERAL (SELECT * FROM baocao.rollup r"
    "                      WHERE r.scope = k.scope AND r.form = k.form AND r.period = k.period OFFSET 0) r"};

/* Remembers the first failure; false when the answer has no rows to read. */
static bool answered(struct baod_batch *b, const struct baod_pg_result *r)
{
    switch (baod_pg_outcome(r)) {
    case BAOD_PG_OK:
        return b->error == 0;
    case BAOD_PG_SQL:
        if (!b->failed) {
            (void)snprintf(b->sqlstate, sizeof(b->sqlstate), "%s", baod_pg_sqlstate(r));
            (void)snprintf(b->message, sizeof(b->message), "%s", baod_pg_message(r));
        }
        b->failed = true;
        return false;
    case BAOD_PG_LOST:
        b->lost = true;
        return false;
    case BAOD_PG_ABORTED:
        b->failed = true;
        return false;
    }
    return false;
}

static void on_plain(const struct baod_pg_result *r, void *user)
{
    (void)answered(user, r);
}

/* Copies exactly n octets; an empty result means that the row is not ours. */
static void get_octets(struct baod_batch *b, struct bao_str s, uint8_t *ret, size_t n)
{
    if (s.n != n)
        b->error = -EBADMSG;
    else
        memcpy(ret, s.p, n);
}

static void on_head(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;
    struct baod_head *h = &b->head;

    if (!answered(b, r))
        return;
    if (baod_pg_rows(r) != 1) {
        b->error = -EBADMSG;
        return;
    }
    h->read = true;
    h->now = baod_pg_time(r, 0, 7);
    h->registry_epoch = baod_pg_int(r, 0, 8);
    h->forms_epoch = baod_pg_int(r, 0, 9);
    h->standby = baod_pg_int(r, 0, 10) != 0;
    h->last = (struct bao_batch){.seq = 0, .at = 0};
    if (baod_pg_is_null(r, 0, 0))
        return;
    h->last.seq = baod_pg_int(r, 0, 0);
    h->last.node = bao_arena_str(&b->arena, baod_pg_bytes(r, 0, 1));
    if (h->last.node.p == NULL)
        b->error = -ENOMEM;
    h->last.at = baod_pg_time(r, 0, 2);
    h->last.n = (uint64_t)baod_pg_int(r, 0, 3);
    get_octets(b, baod_pg_bytes(r, 0, 4), h->last.root.octets, sizeof(h->last.root.octets));
    get_octets(b, baod_pg_bytes(r, 0, 5), h->last.previous.octets, sizeof(h->last.previous.octets));
    get_octets(b, baod_pg_bytes(r, 0, 6), h->last.signature, sizeof(h->last.signature));
}

/* The item or sums row that a result row is about: its ordinality. */
static size_t row_index(struct baod_batch *b, const struct baod_pg_result *r, size_t row, size_t n)
{
    int64_t i = baod_pg_int(r, row, 0);

    if (i >= 1 && (uint64_t)i <= n)
        return (size_t)i - 1;
    b->error = -EBADMSG;
    return SIZE_MAX;
}

static struct baod_obligation get_obligation(const struct baod_pg_result *r, size_t row)
{
    return (struct baod_obligation){
        .exists = true,
        .due_at = baod_pg_time(r, row, 1),
        .lock_at = baod_pg_time(r, row, 2),
        .extended_to = baod_pg_time(r, row, 3),
        .exempt = baod_pg_int(r, row, 4) != 0,
        .revision = (int)baod_pg_int(r, row, 5),
        .last_revision = (int)baod_pg_int(r, row, 6),
        .received_at = baod_pg_time(r, row, 7),
        .kept_at = baod_pg_time(r, row, 8),
        .kept_until = baod_pg_time(r, row, 9),
    };
}

static void get_figures(struct baod_batch *b, const struct baod_pg_result *r, size_t row,
                        struct baod_stored *stored)
{
    struct baod_pg_ints ints;
    int e = baod_pg_ints(r, row, 9, &b->arena, &ints);

    if (e < 0) {
        b->error = e;
        return;
    }
    stored->figures = bao_arena_array(&b->arena, ints.n, sizeof(*stored->figures));
    if (stored->figures == NULL) {
        b->error = -ENOMEM;
        return;
    }
    stored->n_figures = ints.n;
    for (size_t i = 0; i < ints.n; i++)
        stored->figures[i] = (struct bao_figure){!ints.null[i], ints.v[i]};
}

static struct baod_stored get_stored(struct baod_batch *b, const struct baod_pg_result *r, size_t row)
{
    struct baod_stored stored = {.exists = true,
                                 .revision = (int)baod_pg_int(r, row, 1),
                                 .state = (uint8_t)baod_pg_int(r, row, 2),
                                 .form_version = (int)baod_pg_int(r, row, 3),
                                 .received_at = baod_pg_time(r, row, 4),
                                 .seq_from = baod_pg_int(r, row, 5)};

    get_octets(b, baod_pg_bytes(r, row, 6), stored.id, sizeof(stored.id));
    get_octets(b, baod_pg_bytes(r, row, 7), stored.content, sizeof(stored.content));
    get_octets(b, baod_pg_bytes(r, row, 8), stored.sha256, sizeof(stored.sha256));
    get_figures(b, r, row, &stored);
    return stored;
}

static void on_keys(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;

    if (!answered(b, r))
        return;
    for (size_t row = 0; row < baod_pg_rows(r); row++) {
        size_t i = row_index(b, r, row, b->n);

        if (i == SIZE_MAX)
            return;
        b->items[i].obligation = get_obligation(r, row);
    }
}

static void on_stored(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;

    if (!answered(b, r))
        return;
    for (size_t row = 0; row < baod_pg_rows(r) && b->error == 0; row++) {
        size_t i = row_index(b, r, row, b->n);
        struct baod_stored stored;

        if (i == SIZE_MAX)
            return;
        stored = get_stored(b, r, row);
        if (stored.revision == b->items[i].s->verdict.revision)
            b->items[i].same = stored;
        if (stored.state == BAOD_COUNTED)
            b->items[i].current = stored;
    }
}

static void on_sums(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;

    if (!answered(b, r))
        return;
    for (size_t row = 0; row < baod_pg_rows(r); row++) {
        size_t i = row_index(b, r, row, b->n_sums);
        struct baod_pg_ints counts, sums;
        int e;

        if (i == SIZE_MAX)
            return;
        e = baod_pg_ints(r, row, 2, &b->arena, &counts);
        if (e == 0)
            e = baod_pg_ints(r, row, 3, &b->arena, &sums);
        if (e == 0 && (counts.n != sums.n || counts.n > b->sums[i].rollup.n))
            e = -EBADMSG;
        if (e < 0) {
            b->error = e;
            return;
        }
        b->sums[i].rollup.reported = (int32_t)baod_pg_int(r, row, 1);
        for (size_t slot = 0; slot < counts.n; slot++) {
            b->sums[i].rollup.counts[slot] = (int32_t)counts.v[slot];
            b->sums[i].rollup.sums[slot] = sums.v[slot];
        }
    }
}

/* ------------------------------------------------------------------ looking back */

/* Counted periods after one, up to the same one next year. */
static const struct baod_pg_statement LATER = {
    "w_later",
    "SELECT k.i, o.period FROM unnest($1::int4[], $2::int4[], $3::int4[]) WITH ORDINALITY"
    "       k(unit, form, period, i)"
    " CROSS JOIN LATERAL (SELECT o.period FROM baocao.obligation o"
    "                      WHERE o.unit = k.unit AND o.form = k.form AND o.period > k.period"
    "                        AND o.period <= k.period + 10000 AND o.revision IS NOT NULL OFFSET 0) o"
    " ORDER BY k.i"};

static void on_pasts(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;
    int e = answered(b, r) ? baod_pasts_take(&b->pasts, &b->arena, r) : 0;

    if (e < 0)
        b->error = e;
}

/* The rows of one item stand together; those that no check looks back from are left out. */
static void on_later(const struct baod_pg_result *r, void *user)
{
    struct baod_batch *b = user;

    if (!answered(b, r))
        return;
    for (size_t row = 0; row < baod_pg_rows(r);) {
        size_t i = row_index(b, r, row, b->n), n = 0;
        struct baod_item *item;
        int32_t *later;

        if (i == SIZE_MAX)
            return;
        item = &b->items[i];
        while (row + n < baod_pg_rows(r) && baod_pg_int(r, row + n, 0) == (int64_t)i + 1)
            n++;
        later = bao_arena_array(&b->arena, n, sizeof(*later));
        if (later == NULL) {
            b->error = -ENOMEM;
            return;
        }
        item->later = later;
        for (; n != 0; n--, row++) {
            int32_t period = (int32_t)baod_pg_int(r, row, 1);

            if (baod_looks_at(period, item->period, item->back))
                later[item->n_later++] = period;
        }
    }
}

/* Which earlier reports are wanted, by the checks of each report's own version. */
static int want_pasts(struct baod_batch *b)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < b->n; i++) {
        struct baod_item *item = &b->items[i];

        item->looks = item->back != 0 && item->verdict->unjudged != 0 && baod_item_is_open(item);
        if (item->looks) {
            const struct bao_verdict *v = item->verdict;
            const struct bao_registry *registry = &item->s->snapshot->registry;
            struct baod_past_of of = {item->unit, item->form, v->period,
                                      bao_form_looks_from(v->form, registry, v->unit, v->to)};

            r = baod_pasts_want(&b->pasts, &of, bao_checks_look_back(v->form), &item->view);
        }
    }
    return r;
}

int baod_batch_look_back(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done, void *user)
{
    int32_t *v = bao_arena_array(&b->arena, 3 * b->n, sizeof(*v));
    struct baod_pg_param *params = bao_arena_array(&b->arena, 3, sizeof(*params));
    int r = v == NULL || params == NULL ? -ENOMEM : want_pasts(b);

    if (r < 0)
        return r;
    for (size_t i = 0; i < b->n; i++) {
        bool asks = b->items[i].back != 0 && baod_item_is_open(&b->items[i]);

        v[i] = asks ? b->items[i].unit : 0; /* no unit has the number 0 */
        v[b->n + i] = b->items[i].form;
        v[2 * b->n + i] = b->items[i].period;
    }
    for (size_t k = 0; k < 3; k++)
        params[k] = baod_pg_p_int4s(&b->arena, v + k * b->n, NULL, b->n);
    r = baod_pg_exec(pg, &LATER, params, 3, on_later, b);
    if (r == 0 && b->pasts.n != 0)
        r = baod_pasts_read(&b->pasts, &b->arena, pg, on_pasts, b);
    return r < 0 ? r : baod_pg_sync(pg, done, user);
}

/* ------------------------------------------------------------------ reading */

/* May reports of its key be stored? One whose obligation has gone is found all the same. */
static bool may_be_stored(const struct baod_item *item)
{
    return item->unit != 0 && item->form != 0 &&
           (!item->obligation.exists || item->obligation.last_revision != 0);
}

bool baod_batch_wants_stored(const struct baod_batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (may_be_stored(&b->items[i]))
            return true;
    return false;
}

static int ask_stored(struct baod_batch *b, struct baod_pg *pg)
{
    enum { KEYS_OF_STORED = 5 };
    struct baod_pg_param *params = bao_arena_array(&b->arena, KEYS_OF_STORED, sizeof(*params));
    int32_t *v = bao_arena_array(&b->arena, KEYS_OF_STORED * b->n, sizeof(*v));

    if (params == NULL || v == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        const struct baod_item *item = &b->items[i];

        v[i] = may_be_stored(item) ? item->unit : 0; /* no unit has the number 0 */
        v[b->n + i] = item->form;
        v[2 * b->n + i] = item->period;
        v[3 * b->n + i] = item->s->verdict.revision;
        v[4 * b->n + i] = item->obligation.revision;
    }
    for (size_t k = 0; k < KEYS_OF_STORED; k++)
        params[k] = baod_pg_p_int4s(&b->arena, v + k * b->n, NULL, b->n);
    return baod_pg_exec(pg, &STORED, params, KEYS_OF_STORED, on_stored, b);
}

int baod_batch_read_stored(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done, void *user)
{
    int r = ask_stored(b, pg);

    return r < 0 ? r : baod_pg_sync(pg, done, user);
}

/* The items' keys as three arrays. */
static int item_keys(struct baod_batch *b, struct baod_pg_param ret[3])
{
    int32_t *v = bao_arena_array(&b->arena, 3 * b->n, sizeof(*v));

    if (v == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        v[i] = b->items[i].unit;
        v[b->n + i] = b->items[i].form;
        v[2 * b->n + i] = b->items[i].period;
    }
    for (size_t k = 0; k < 3; k++)
        ret[k] = baod_pg_p_int4s(&b->arena, v + k * b->n, NULL, b->n);
    return 0;
}

static int sums_keys(struct baod_batch *b, struct baod_pg_param ret[3])
{
    int32_t *v = bao_arena_array(&b->arena, 3 * b->n_sums, sizeof(*v));

    if (v == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < b->n_sums; i++)
        for (size_t k = 0; k < 3; k++)
            v[k * b->n_sums + i] = b->sums[i].key[k];
    for (size_t k = 0; k < 3; k++)
        ret[k] = baod_pg_p_int4s(&b->arena, v + k * b->n_sums, NULL, b->n_sums);
    return 0;
}

int baod_batch_read(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done, void *user)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 7, sizeof(*params));
    int r;

    if (params == NULL)
        return -ENOMEM;
    params[0] = baod_pg_p_int4(&b->arena, baod_dictionary_province(b->dictionary));
    r = item_keys(b, params + 1);
    if (r == 0)
        r = sums_keys(b, params + 4);
    if (r == 0)
        r = baod_pg_exec(pg, &BEGIN, NULL, 0, on_plain, b);
    if (r == 0)
        r = baod_pg_exec(pg, &LOCK, params, 1, on_plain, b);
    if (r == 0)
        r = baod_pg_exec(pg, &HEAD, NULL, 0, on_head, b);
    if (r == 0)
        r = baod_pg_exec(pg, &KEYS, params + 1, 3, on_keys, b);
    if (r == 0 && b->n_sums != 0)
        r = baod_pg_exec(pg, &SUMS, params + 4, 3, on_sums, b);
    return r < 0 ? r : baod_pg_sync(pg, done, user);
}

int baod_batch_rehearse_reads(struct baod_batch *b, struct baod_pg *pg)
{
    struct baod_pg_param *params = bao_arena_array(&b->arena, 6, sizeof(*params));
    int r = params == NULL ? -ENOMEM : item_keys(b, params);

    if (r == 0)
        r = sums_keys(b, params + 3);
    if (r == 0)
        r = baod_pg_exec(pg, &HEAD, NULL, 0, on_head, b);
    if (r == 0)
        r = baod_pg_exec(pg, &KEYS, params, 3, on_keys, b);
    if (r == 0)
        r = baod_pg_exec(pg, &SUMS, params + 3, 3, on_sums, b);
    return r < 0 ? r : ask_stored(b, pg);
}
