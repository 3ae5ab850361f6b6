#include "daemon/store/batch.h"
#include "lib/base/error.h"

enum { ARENA_MAX = 256 << 20, COPY_MAX = 256 << 20, SCRATCH_MAX = 256 << 20, KEY = 3 * sizeof(int32_t) };

int baod_batch_init(struct baod_batch *b, size_t max)
{
    *b = (struct baod_batch){.arena = BAO_ARENA_NULL(ARENA_MAX),
                             .max = max,
                             .copy = BAO_BUF_NULL(COPY_MAX),
                             .scratch = BAO_ARENA_NULL(SCRATCH_MAX)};
    b->items = calloc(max, sizeof(*b->items));
    b->inflater = bao_inflater_new();
    return b->items == NULL || b->inflater == NULL ? -ENOMEM : 0;
}

void baod_batch_deinit(struct baod_batch *b)
{
    free(b->items);
    free(b->sums);
    baod_pasts_deinit(&b->pasts);
    (void)bao_inflater_free(b->inflater);
    bao_arena_deinit(&b->scratch);
    bao_map_deinit(&b->obligations);
    bao_map_deinit(&b->sums_map);
    bao_buf_deinit(&b->copy);
    bao_arena_deinit(&b->arena);
    *b = (struct baod_batch){.max = 0};
}

void baod_batch_clear(struct baod_batch *b, const struct baod_dictionary *dictionary)
{
    bao_arena_reset(&b->arena);
    bao_buf_clear(&b->copy);
    bao_map_deinit(&b->obligations);
    bao_map_deinit(&b->sums_map);
    b->n = b->octets = b->n_sums = b->n_stored = b->n_leaves = b->n_spooled = 0;
    b->n_back = b->n_recheck = b->pasts.n = 0;
    b->head = (struct baod_head){.read = false};
    b->dictionary = dictionary;
    b->error = 0;
    b->failed = b->lost = false;
    b->sqlstate[0] = b->message[0] = '\0';
}

/* The sums of a scope in this form and period: those that stand in the batch, or new and empty ones. */
static int sums_of(struct baod_batch *b, const int32_t key[3], const struct bao_slots *slots, uint32_t *ret)
{
    struct bao_str text = {(const char *)key, KEY};
    uintptr_t at = (uintptr_t)bao_map_get(&b->sums_map, text);
    struct baod_sums *sums;
    int r;

    if (at != 0) {
        *ret = (uint32_t)(at - 1);
        return 0;
    }
    if (b->n_sums == b->size_sums) {
        size_t size = b->size_sums == 0 ? 64 : 2 * b->size_sums;
        struct baod_sums *more = realloc(b->sums, size * sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        b->sums = more;
        b->size_sums = size;
    }
    sums = &b->sums[b->n_sums];
    *sums = (struct baod_sums){.key = {key[0], key[1], key[2]}};
    r = bao_rollup_init(&b->arena, slots->n, &sums->rollup);
    if (r < 0)
        return r;
    text.p = bao_arena_dup(&b->arena, key, KEY);
    if (text.p == NULL)
        return -ENOMEM;
    r = bao_map_set(&b->sums_map, text, (void *)(uintptr_t)(b->n_sums + 1));
    if (r < 0)
        return r;
    *ret = (uint32_t)b->n_sums++;
    return 0;
}

/* Finds the rows of sums that the report would be added to. */
static int find_sums(struct baod_batch *b, struct baod_item *item)
{
    const struct bao_verdict *verdict = &item->s->verdict;
    int32_t scopes[BAOD_UNIT_SCOPES];
    size_t n = baod_dictionary_scopes(b->dictionary, verdict->unit, verdict->to, scopes, BAOD_UNIT_SCOPES);
    int r = 0;

    item->rollups = bao_arena_array(&b->arena, n, sizeof(*item->rollups));
    if (item->rollups == NULL)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++) {
        const int32_t key[3] = {scopes[i], item->form, item->period};

        r = sums_of(b, key, item->slots, &item->rollups[i]);
    }
    item->n_rollups = n;
    return r;
}

/* Looks up the report's numbers and lays its figures out by slot. */
static int resolve(struct baod_batch *b, struct baod_item *item)
{
    const struct bao_verdict *verdict = &item->s->verdict;
    int r;

    item->unit = baod_dictionary_unit(b->dictionary, verdict->unit);
    item->form = baod_dictionary_form(b->dictionary, verdict->form_id);
    item->period = bao_period_code(verdict->period);
    item->back = baod_dictionary_looks_back(b->dictionary, verdict->form_id);
    if (verdict->form == NULL)
        return 0;
    item->slots = baod_dictionary_slots(b->dictionary, verdict->form_id, verdict->form->version);
    if (item->slots == NULL || item->slots->n_indicators != verdict->form->n_indicators)
        return BAOD_BATCH_E_STALE;
    if (verdict->symbol != BAO_SYM_NONE)
        return 0;
    item->figures = bao_arena_array(&b->arena, item->slots->n, sizeof(*item->figures));
    if (item->figures == NULL)
        return -ENOMEM;
    r = bao_values_fill(item->slots, verdict->form, verdict->figures, item->figures);
    if (r == BAO_ROLLUP_E_RANGE)
        item->figures = NULL; /* decide refuses it once the key is known */
    else if (r < 0)
        return r;
    return find_sums(b, item);
}

/* What tells obligations apart within a batch. */
static void number_obligation(const struct baod_batch *b, const struct baod_submission *s, int32_t ret[3])
{
    ret[0] = baod_dictionary_unit(b->dictionary, s->verdict.unit);
    ret[1] = baod_dictionary_form(b->dictionary, s->verdict.form_id);
    ret[2] = bao_period_code(s->verdict.period);
}

bool baod_batch_has(const struct baod_batch *b, const struct baod_submission *s)
{
    int32_t numbers[3];

    if (b->n == 0)
        return false;
    number_obligation(b, s, numbers);
    return bao_map_get(&b->obligations, (struct bao_str){(const char *)numbers, sizeof(numbers)}) != NULL;
}

int baod_batch_add(struct baod_batch *b, struct baod_submission *s)
{
    struct baod_item item = {.s = s, .verdict = &s->verdict, .leaf = -1, .move = -1};
    struct bao_str key;
    int32_t numbers[3];
    int r;

    if (b->n == b->max || (b->n > 0 && b->octets + s->stored.n > BAOD_BATCH_OCTETS))
        return BAOD_BATCH_E_FULL;
    number_obligation(b, s, numbers);
    key = (struct bao_str){(const char *)numbers, sizeof(numbers)};
    if (bao_map_get(&b->obligations, key) != NULL)
        return BAOD_BATCH_E_TAKEN;
    r = resolve(b, &item);
    if (r != 0)
        return r;
    key.p = bao_arena_dup(&b->arena, numbers, sizeof(numbers));
    if (key.p == NULL)
        return -ENOMEM;
    r = bao_map_set(&b->obligations, key, &b->items[b->n]);
    if (r < 0)
        return r;
    b->items[b->n++] = item;
    b->octets += s->stored.n;
    return 0;
}

bool baod_batch_is_outdated(const struct baod_batch *b)
{
    return b->head.registry_epoch != baod_dictionary_registry_epoch(b->dictionary) ||
           b->head.forms_epoch != baod_dictionary_forms_epoch(b->dictionary);
}

/* ------------------------------------------------------------------ deciding */

/* Takes the old figures out of one scope and puts the new ones in; on a refusal nothing is changed. */
static int exchange(struct bao_rollup *rollup, const struct baod_item *item, bool forward)
{
    const struct baod_stored *old = &item->current;
    int r = 0;

    if (old->exists)
        r = bao_rollup_add(rollup, item->slots, old->figures, old->n_figures, forward ? -1 : 1);
    if (r != 0)
        return r;
    r = bao_rollup_add(rollup, item->slots, item->figures, item->slots->n, forward ? 1 : -1);
    if (r != 0 && old->exists &&
        bao_rollup_add(rollup, item->slots, old->figures, old->n_figures, forward ? 1 : -1) != 0)
        return -ENOTRECOVERABLE;
    return r;
}

/* Puts the report into the sums of all its scopes, or of none: BAO_ROLLUP_E_RANGE. */
static int add_up(struct baod_batch *b, const struct baod_item *item)
{
    for (size_t i = 0; i < item->n_rollups; i++) {
        int r = exchange(&b->sums[item->rollups[i]].rollup, item, true);

        if (r == 0)
            continue;
        while (i-- > 0)
            if (exchange(&b->sums[item->rollups[i]].rollup, item, false) != 0)
                return -ENOTRECOVERABLE;
        return r;
    }
    for (size_t i = 0; i < item->n_rollups; i++)
        b->sums[item->rollups[i]].touched = true;
    return 0;
}

static void refuse_range(struct baod_item *item)
{
    item->decision = (struct baod_decision){
        .kind = BAOD_REFUSE,
        .symbol = BAO_SYM_INVALID,
        .after = item->obligation,
        .detail = {
            BAO_STR("Có số liệu hoặc số tổng hợp lớn hơn mức hệ thống tính chính xác được; "
                    "kiểm tra lại đơn vị tính."),
            BAO_STR("A figure or a sum is larger than can be kept exactly; check the unit of measure.")}};
}

/* ------------------------------------------------------------------ history checks */

/* Could it be accepted, or its findings matter, as far as the rows read tell? */
bool baod_item_is_open(const struct baod_item *item)
{
    const struct baod_obligation *o = &item->obligation;
    enum bao_symbol symbol = item->verdict->symbol;

    return !item->same.exists && o->exists &&
           (o->lock_at == BAO_TIME_NONE || item->s->received_at < o->lock_at) &&
           (symbol == BAO_SYM_NONE || symbol == BAO_SYM_INVALID || symbol == BAO_SYM_EXPLAIN);
}

bool baod_batch_looks_back(struct baod_batch *b)
{
    b->n_back = 0;
    for (size_t i = 0; i < b->n; i++)
        b->n_back += b->items[i].back != 0 && baod_item_is_open(&b->items[i]);
    return b->n_back != 0;
}

/* Puts the batch's own reports, decided already, in the place of what was read. */
static void take_own(struct baod_batch *b, const struct baod_view *view)
{
    for (size_t i = view->first; i < view->first + view->n; i++) {
        struct baod_past *past = &b->pasts.items[i];
        const int32_t key[3] = {past->unit, past->form, past->period};
        const struct baod_item *own = bao_map_get(&b->obligations, (struct bao_str){(const char *)key, KEY});

        if (own == NULL || own->leaf < 0 || own->decision.kind != BAOD_COUNT)
            continue;
        past->counted = true;
        past->stored = own->verdict->nil ? BAO_STR_NULL : own->s->stored;
        past->raw = own->s->document.n;
        past->figures = own->figures;
        past->n_figures = own->slots->n;
    }
}

/* Gives the item a verdict of the batch's own, history checks included: the submission's stays as it was, in
 * case the batch is run again. */
static int judge_past(struct baod_batch *b, struct baod_item *item)
{
    struct baod_submission *s = item->s;
    struct bao_verdict v = s->verdict, *judged = bao_arena_array(&b->arena, 1, sizeof(*judged));
    struct bao_history history;
    int r = judged == NULL ? -ENOMEM : 0;

    take_own(b, &item->view);
    if (r == 0)
        r = baod_view_history(&b->pasts, &item->view, v.form, item->slots, b->inflater, &b->scratch,
                              &history);
    if (r == 0)
        r = bao_findings_copy(&s->verdict.findings, &b->scratch, &v.findings);
    if (r == 0)
        r = bao_judge_history(&b->scratch, &history, s->spooled, &v);
    if (r == 0)
        r = bao_findings_copy(&v.findings, &s->arena, &v.findings);
    if (r == 0 && v.warnings.n != 0) {
        v.warnings = bao_arena_str(&s->arena, v.warnings);
        r = v.warnings.p == NULL ? -ENOMEM : 0;
    }
    bao_arena_reset(&b->scratch);
    if (r < 0)
        return r;
    *judged = v;
    item->verdict = judged;
    return 0;
}

/* What it was refused for may be otherwise in the files that are in force by now, which it was not judged by:
 * a new form, a unit that was opened. It comes again, and is judged by them. */
static void spare_outdated(const struct baod_batch *b, struct baod_item *item)
{
    enum bao_symbol symbol = item->decision.symbol;
    bool by_files = symbol == item->verdict->symbol || symbol == BAO_SYM_NOTOWED;

    if (item->decision.kind == BAOD_REFUSE && by_files && b->snapshot != NULL &&
        item->s->snapshot != b->snapshot)
        item->decision.symbol = BAO_SYM_BUSY;
}

static int decide_item(struct baod_batch *b, struct baod_item *item)
{
    struct baod_case c = {.verdict = item->verdict,
                          .received_at = item->s->received_at,
                          .obligation = &item->obligation,
                          .same = &item->same,
                          .slots = item->slots,
                          .figures = item->figures,
                          .offset = b->offset};
    int r = item->looks ? judge_past(b, item) : 0;

    if (r < 0) { /* nothing that is the report's or the database's: it alone comes again later */
        item->decision = (struct baod_decision){
            .kind = BAOD_REFUSE, .symbol = BAO_SYM_INTERNAL, .after = item->obligation};
        return 0;
    }
    c.verdict = item->verdict;
    r = baod_decide(&c, &item->s->arena, &item->decision);
    if (r == 0)
        spare_outdated(b, item);
    if (r < 0 || item->decision.kind == BAOD_REFUSE || item->decision.kind == BAOD_DUPLICATE)
        return r;
    if (item->figures == NULL) {
        refuse_range(item);
        return 0;
    }
    if (item->decision.kind == BAOD_COUNT)
        r = add_up(b, item);
    if (r == BAO_ROLLUP_E_RANGE) {
        refuse_range(item);
        return 0;
    }
    if (r != 0)
        return bao_error_fold(r);
    item->leaf = (int32_t)b->n_stored++;
    return 0;
}

static int cmp_period(const void *a, const void *b)
{
    const struct baod_item *x = *(struct baod_item *const *)a, *y = *(struct baod_item *const *)b;

    if (x->period != y->period)
        return x->period < y->period ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The items, an earlier period before a later one; NULL without memory. */
static struct baod_item **in_order_of_period(struct baod_batch *b)
{
    struct baod_item **order = bao_arena_array(&b->arena, b->n, sizeof(*order));

    for (size_t i = 0; order != NULL && i < b->n; i++)
        order[i] = &b->items[i];
    if (order != NULL)
        qsort(order, b->n, sizeof(struct baod_item *), cmp_period);
    return order;
}

/* Gives their leaves to what is written beside the stored reports. */
static void count_leaves(struct baod_batch *b)
{
    b->n_leaves = b->n_stored;
    for (size_t i = 0; i < b->n; i++) {
        struct baod_item *item = &b->items[i];

        if (item->decision.moved_custody)
            item->move = (int32_t)b->n_leaves++;
        b->n_spooled += baod_item_is_told(item);
    }
}

bool baod_item_is_told(const struct baod_item *item)
{
    bool final =
        item->decision.kind != BAOD_REFUSE || bao_symbol_info(item->decision.symbol)->answer == BAO_NO;

    return item->s->spooled && final && item->unit != 0 && item->form != 0;
}

int baod_batch_decide(struct baod_batch *b)
{
    struct baod_item **order = NULL;
    int r = 0;

    b->seq = b->head.last.seq + 1;
    b->at = b->head.now > b->head.last.at ? b->head.now : b->head.last.at + 1;
    if (b->pasts.n != 0) {
        order = in_order_of_period(b);
        r = order == NULL ? -ENOMEM : 0;
    }
    for (size_t i = 0; r == 0 && i < b->n; i++)
        r = decide_item(b, order == NULL ? &b->items[i] : order[i]);
    if (r == 0)
        count_leaves(b);
    return r;
}

/* ------------------------------------------------------------------ telling */

static void tell_stored(struct baod_item *item)
{
    struct baod_receipt *receipt = &item->s->receipt;
    const struct baod_stored *same = &item->same;

    /* A row with the id that this copy was given is not another copy's: its COMMIT merely got no answer. */
    receipt->dup = !(item->s->has_id && memcmp(receipt->id, same->id, sizeof(receipt->id)) == 0);
    memcpy(receipt->id, same->id, sizeof(receipt->id));
    memcpy(receipt->content, same->content, sizeof(receipt->content));
    memcpy(receipt->sha256, same->sha256, sizeof(receipt->sha256));
    receipt->received_at = same->received_at;
    receipt->form_version = same->form_version;
    receipt->chain = same->seq_from;
    receipt->superseded = same->state == BAOD_SUPERSEDED;
    receipt->returned = same->state == BAOD_RETURNED || same->state == BAOD_WITHDRAWN;
}

static void tell_new(const struct baod_batch *b, struct baod_item *item)
{
    struct baod_receipt *receipt = &item->s->receipt;

    receipt->dup = receipt->returned = false;
    memcpy(receipt->content, item->s->verdict.content, sizeof(receipt->content));
    memcpy(receipt->sha256, item->s->sha256, sizeof(receipt->sha256));
    receipt->received_at = item->s->received_at;
    receipt->form_version = item->s->verdict.form->version;
    receipt->chain = b->seq;
    receipt->superseded = item->decision.kind == BAOD_KEEP;
}

void baod_batch_tell(struct baod_batch *b, bool durable_sync)
{
    for (size_t i = 0; i < b->n; i++) {
        struct baod_item *item = &b->items[i];
        struct baod_submission *s = item->s;
        const struct baod_obligation *after = &item->decision.after;

        s->verdict = *item->verdict;
        s->symbol = item->decision.kind == BAOD_REFUSE ? item->decision.symbol : BAO_SYM_NONE;
        s->detail[BAO_VI] = item->decision.detail[BAO_VI];
        s->detail[BAO_EN] = item->decision.detail[BAO_EN];
        if (s->symbol != BAO_SYM_NONE)
            continue;
        if (item->decision.kind == BAOD_DUPLICATE)
            tell_stored(item);
        else
            tell_new(b, item);
        s->receipt.queued = false;
        s->receipt.durable_sync = durable_sync;
        s->receipt.revision = s->verdict.revision;
        s->receipt.due_at = after->exists ? baod_obligation_due(after) : BAO_TIME_NONE;
        s->receipt.on_time = baod_obligation_on_time(after);
    }
}
