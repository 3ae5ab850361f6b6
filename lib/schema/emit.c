/* From the graph of subs to instructions, one list a sub and type of value, with all that can be told
 * beforehand left out. */
#include "lib/schema/compiler.h"

#include "lib/schema/format.h"

#include <math.h>

/* The list being made. */
struct emitter {
    struct bao_compiler *c;
    struct bao_sub *sub;
    enum bao_type type;
    uint32_t start; /* where the list begins */
    bool never;     /* no value of this type can be accepted */
};

/* ---- small makers ---- */

static int push(struct emitter *e, struct bao_ins ins)
{
    struct bao_compiler *c = e->c;

    if (c->n_ins == c->size_ins) {
        uint32_t size = c->size_ins == 0 ? 256 : c->size_ins * 2;
        struct bao_ins *p = realloc(c->ins, size * sizeof(*p));

        if (p == NULL)
            return -ENOMEM;
        c->ins = p;
        c->size_ins = size;
    }
    c->ins[c->n_ins++] = ins;
    return 0;
}

static struct bao_sub *real(struct bao_sub *sub)
{
    while (sub != NULL && sub->alias != NULL)
        sub = sub->alias;
    return sub;
}

static bool is_true(const struct bao_sub *sub)
{
    return sub != NULL && sub->schema->type == BAO_BOOL && sub->schema->boolean;
}

static enum bao_known known(const struct emitter *e, const struct bao_sub *sub)
{
    return (enum bao_known)sub->known[e->type];
}

bool bao_names_init(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret)
{
    uint32_t size = 4, *hashes = bao_arena_array(a, n, sizeof(*hashes)), *slots;

    while (size < 2 * n)
        size *= 2;
    slots = bao_arena_array(a, size, sizeof(*slots));
    if (hashes == NULL || slots == NULL)
        return false;
    *ret = (struct bao_names){items, hashes, slots, n, size - 1};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at;

        hashes[i] = bao_key_hash(items[i].p, items[i].n);
        if (bao_names_find(ret, items[i].p, (uint32_t)items[i].n, hashes[i]) != n)
            continue;
        for (at = hashes[i] & ret->mask; slots[at] != 0; at = (at + 1) & ret->mask)
            ;
        slots[at] = i + 1;
    }
    return true;
}

/* ---- numbers ---- */

/* Lowers *hi or raises *lo by a bound on whole numbers; false: none can be left. */
static int int_bound(struct emitter *e, const struct bao_node *bound, bool exclusive, bool is_min,
                     int64_t *lo, int64_t *hi)
{
    struct bao_num n;
    int64_t i;

    if (bound == NULL || !bao_node_is_number(bound))
        return 0;
    n = bao_node_num(bound);
    if (!n.is_int) {
        /* Never whole within int64: beyond it, or between two whole numbers. */
        bool negative = bao_num_sign(n) < 0;
        struct bao_num cut;
        int r = bao_num_trunc(&e->c->work, n, &cut);

        if (r != 0)
            return bao_error_fold(r);
        if (!cut.is_int) {
            e->never |= negative != is_min;
            return 0;
        }
        i = is_min ? cut.i + !negative : cut.i - negative;
    } else {
        i = n.i;
        if (exclusive && (is_min ? i == INT64_MAX : i == INT64_MIN))
            e->never = true;
        else if (exclusive)
            i += is_min ? 1 : -1;
    }
    if (is_min && i > *lo)
        *lo = i;
    if (!is_min && i < *hi)
        *hi = i;
    return 0;
}

static int emit_int_range(struct emitter *e)
{
    const struct bao_node **at = e->sub->kw.at;
    int64_t lo = INT64_MIN, hi = INT64_MAX;
    int r = int_bound(e, at[BAO_KW_MINIMUM], false, true, &lo, &hi);

    if (r == 0)
        r = int_bound(e, at[BAO_KW_EXCLUSIVE_MINIMUM], true, true, &lo, &hi);
    if (r == 0)
        r = int_bound(e, at[BAO_KW_MAXIMUM], false, false, &lo, &hi);
    if (r == 0)
        r = int_bound(e, at[BAO_KW_EXCLUSIVE_MAXIMUM], true, false, &lo, &hi);
    if (r < 0 || (lo == INT64_MIN && hi == INT64_MAX))
        return r;
    e->never |= lo > hi;
    return push(e, (struct bao_ins){.op = BAO_OP_INT_RANGE, .lo = lo, .hi = hi});
}

static void tighten(struct bao_range *range, const struct bao_node *bound, bool is_min, bool exclusive)
{
    struct bao_num n;
    bool has = is_min ? range->has_min : range->has_max;
    int c;

    if (bound == NULL || !bao_node_is_number(bound))
        return;
    n = bao_node_num(bound);
    c = !has ? 1 : is_min ? bao_num_cmp(n, range->min) : bao_num_cmp(range->max, n);
    if (c < 0)
        return;
    if (is_min) {
        range->above = exclusive || (c == 0 && has && range->above);
        range->has_min = true;
        range->min = n;
        range->lo = bao_num_near(n);
    } else {
        range->below = exclusive || (c == 0 && has && range->below);
        range->has_max = true;
        range->max = n;
        range->hi = bao_num_near(n);
    }
}

static int emit_dec_range(struct emitter *e)
{
    const struct bao_node **at = e->sub->kw.at;
    struct bao_range *range = bao_arena_array(e->c->arena, 1, sizeof(*range));

    if (range == NULL)
        return -ENOMEM;
    range->lo = -INFINITY;
    range->hi = INFINITY;
    tighten(range, at[BAO_KW_MINIMUM], true, false);
    tighten(range, at[BAO_KW_EXCLUSIVE_MINIMUM], true, true);
    tighten(range, at[BAO_KW_MAXIMUM], false, false);
    tighten(range, at[BAO_KW_EXCLUSIVE_MAXIMUM], false, true);
    if (!range->has_min && !range->has_max)
        return 0;
    range->least = (float)range->lo;
    range->most = (float)range->hi;
    return push(e, (struct bao_ins){.op = BAO_OP_NUM_RANGE, .range = range});
}

/* x is a multiple of an odd number exactly when x times the inverse of that number modulo 2^64 is small: a
 * multiplication in place of a division. */
static int emit_int_multiple(struct emitter *e, uint64_t by)
{
    uint32_t twos = (uint32_t)__builtin_ctzll(by);
    uint64_t odd = by >> twos, inverse = odd;

    /* Newton: each step doubles the bits that are right, of which the first three are. */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - odd * inverse;
    return push(e, (struct bao_ins){.op = BAO_OP_INT_MULTIPLE,
                                    .n = twos,
                                    .lo = (int64_t)inverse,
                                    .hi = (int64_t)(UINT64_MAX / odd)});
}

static int emit_multiple(struct emitter *e)
{
    const struct bao_node *node = e->sub->kw.at[BAO_KW_MULTIPLE_OF];
    struct bao_multiple *m;

    if (node == NULL || !bao_node_is_number(node))
        return 0;
    if (node->type == BAO_INT && e->type == BAO_INT)
        return node->i == 1 ? 0 : emit_int_multiple(e, (uint64_t)node->i);
    m = bao_arena_array(e->c->arena, 1, sizeof(*m));
    if (m == NULL)
        return -ENOMEM;
    m->by = bao_node_num(node);
    if (node->type == BAO_INT) {
        m->is_small = true;
        m->coefficient = node->i;
    } else if (node->dec->n_limbs <= 2) {
        m->is_small = true;
        m->coefficient = node->dec->limbs[0];
        if (node->dec->n_limbs == 2)
            m->coefficient += (int64_t)node->dec->limbs[1] * 1000000000;
        m->exponent = node->dec->exponent;
    }
    return push(e, (struct bao_ins){.op = BAO_OP_MULTIPLE, .multiple = m});
}

static int emit_dec(struct emitter *e)
{
    int r = 0;

    if (e->sub->only_whole)
        r = push(e, (struct bao_ins){.op = BAO_OP_WHOLE});
    if (r == 0)
        r = emit_dec_range(e);
    return r == 0 ? emit_multiple(e) : r;
}

/* ---- const and enum ---- */

static int compare_ints(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int emit_int_enum(struct emitter *e, const struct bao_node *items, uint32_t n, uint32_t n_type)
{
    int64_t *ints = bao_arena_array(e->c->arena, n_type, sizeof(*ints));
    uint32_t k = 0;

    if (ints == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (items[i].type == BAO_INT)
            ints[k++] = items[i].i;
    qsort(ints, k, sizeof(*ints), compare_ints);
    if (k == 1)
        return push(e, (struct bao_ins){.op = BAO_OP_INT_RANGE, .lo = ints[0], .hi = ints[0]});
    return push(e, (struct bao_ins){.op = BAO_OP_INT_ENUM, .n = k, .ints = ints});
}

static int emit_text_enum(struct emitter *e, const struct bao_node *items, uint32_t n, uint32_t n_type)
{
    struct bao_str *texts = bao_arena_array(e->c->arena, n_type, sizeof(*texts));
    struct bao_names *names = bao_arena_array(e->c->arena, 1, sizeof(*names));
    uint32_t k = 0;

    if (texts == NULL || names == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (items[i].type == BAO_STRING) {
            texts[k] = bao_node_str(&items[i]);
            if (e->c->options->form)
                texts[k] = bao_text_norm(e->c->arena, texts[k]);
            if (texts[k++].p == NULL)
                return -ENOMEM;
        }
    if (k == 1)
        return push(e, (struct bao_ins){.op = BAO_OP_STR_IS, .n = e->c->options->form, .key = texts});
    if (!bao_names_init(e->c->arena, texts, k, names))
        return -ENOMEM;
    return push(e, (struct bao_ins){.op = BAO_OP_STR_ENUM, .n = e->c->options->form, .names = names});
}

struct hashed {
    uint64_t hash;
    const struct bao_node *node;
};

static int compare_hashed(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;

    return (x->hash > y->hash) - (x->hash < y->hash);
}

static int emit_value_enum(struct emitter *e, const struct bao_node *items, uint32_t n, uint32_t n_type)
{
    struct hashed *all = bao_arena_array(&e->c->work, n_type, sizeof(*all));
    struct bao_values *values = bao_arena_array(e->c->arena, 1, sizeof(*values));
    uint32_t k = 0;

    if (all == NULL || values == NULL)
        return -ENOMEM;
    values->items = bao_arena_array(e->c->arena, n_type, sizeof(struct bao_node *));
    values->hashes = bao_arena_array(e->c->arena, n_type, sizeof(uint64_t));
    if (values->items == NULL || values->hashes == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (items[i].type == e->type)
            all[k++] = (struct hashed){bao_node_mix(&items[i]), &items[i]};
    qsort(all, k, sizeof(*all), compare_hashed);
    values->n = k;
    for (uint32_t i = 0; i < k; i++) {
        values->items[i] = all[i].node;
        values->hashes[i] = all[i].hash;
    }
    return push(e, (struct bao_ins){.op = BAO_OP_VALUE_ENUM, .values = values});
}

static int emit_allowed(struct emitter *e, const struct bao_node *items, uint32_t n)
{
    uint32_t n_type = 0;
    unsigned bools = 0;

    for (uint32_t i = 0; i < n; i++) {
        n_type += items[i].type == e->type;
        if (items[i].type == BAO_BOOL)
            bools |= items[i].boolean ? 2 : 1;
    }
    if (n_type == 0) {
        e->never = true;
        return 0;
    }
    switch (e->type) {
    case BAO_NULL:
        return 0;
    case BAO_BOOL:
        return bools == 3 ? 0 : push(e, (struct bao_ins){.op = BAO_OP_BOOL_IS, .boolean = bools == 2});
    case BAO_INT:
        return emit_int_enum(e, items, n, n_type);
    case BAO_STRING:
        return emit_text_enum(e, items, n, n_type);
    case BAO_DEC:
    case BAO_LIST:
    case BAO_MAP:
        return emit_value_enum(e, items, n, n_type);
    }
    return 0;
}

static int emit_const_enum(struct emitter *e)
{
    const struct bao_node *is = e->sub->kw.at[BAO_KW_CONST], *in = e->sub->kw.at[BAO_KW_ENUM];
    int r = 0;

    if (is != NULL)
        r = emit_allowed(e, is, 1);
    if (r == 0 && in != NULL && in->type == BAO_LIST)
        r = emit_allowed(e, in->items, in->len);
    return r;
}

/* ---- lengths ---- */

/* A count keyword as a number; beyond int64 no real length reaches it. */
static int64_t count_of(const struct bao_node *node, int64_t absent)
{
    struct bao_num n;
    int64_t i;

    if (node == NULL || !bao_node_is_number(node))
        return absent;
    n = bao_node_num(node);
    if (n.is_int)
        return n.i;
    return bao_num_scale(n, 0, &i) == 0 ? i : INT64_MAX;
}

static int emit_length(struct emitter *e, enum bao_op op, enum bao_kw min, enum bao_kw max)
{
    int64_t lo = count_of(e->sub->kw.at[min], 0), hi = count_of(e->sub->kw.at[max], INT64_MAX);

    if (lo == 0 && hi == INT64_MAX)
        return 0;
    e->never |= lo > hi;
    return push(e, (struct bao_ins){.op = (uint16_t)op, .lo = lo, .hi = hi});
}

static int emit_string(struct emitter *e)
{
    int r = 0;

    if (e->sub->normalize)
        r = push(e, (struct bao_ins){.op = BAO_OP_NFC});
    if (r == 0)
        r = emit_const_enum(e);
    if (r == 0)
        r = emit_length(e, BAO_OP_STR_LENGTH, BAO_KW_MIN_LENGTH, BAO_KW_MAX_LENGTH);
    if (r == 0 && e->sub->format != BAO_FMT_NONE)
        r = push(e, (struct bao_ins){.op = BAO_OP_FORMAT, .n = e->sub->format});
    if (r == 0 && e->sub->pattern != NULL)
        r = push(e, (struct bao_ins){.op = BAO_OP_PATTERN, .regex = e->sub->pattern});
    return r;
}

/* ---- lists ---- */

/* How many items the closure of allOf and $ref evaluates beforehand. */
static void known_items(struct bao_sub *sub, uint32_t *n, bool *all)
{
    *n = sub->n_prefix > *n ? sub->n_prefix : *n;
    *all |= sub->items != NULL;
    for (uint32_t i = 0; i < sub->n_all; i++)
        if (sub->all[i] != NULL)
            known_items(sub->all[i], n, all);
    if (sub->ref != NULL)
        known_items(sub->ref, n, all);
}

static int emit_items(struct emitter *e)
{
    struct bao_sub *sub = e->sub, *rest = sub->items;
    uint32_t n = sub->n_prefix;
    struct bao_sub **subs;
    bool all = false;

    if (sub->static_items) {
        known_items(sub, &n, &all);
        sub->known_items = all ? UINT32_MAX : n;
        if (!all)
            rest = sub->uneval_items;
        else if (rest == NULL)
            n = sub->n_prefix;
    }
    if (is_true(rest) && !sub->tracked)
        rest = NULL;
    if (n == 0 && rest == NULL)
        return 0;
    subs = bao_arena_array(e->c->arena, n, sizeof(struct bao_sub *));
    if (subs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < sub->n_prefix && i < n; i++)
        subs[i] = real(sub->prefix[i]);
    return push(
        e, (struct bao_ins){
               .op = BAO_OP_ITEMS, .n = n, .subs = (const struct bao_sub *const *)subs, .rest = real(rest)});
}

static int emit_contains(struct emitter *e)
{
    const struct bao_node **at = e->sub->kw.at;
    struct bao_count *count;
    bool tracked = e->sub->tracked || e->sub->needs_track;

    if (e->sub->contains == NULL)
        return 0;
    count = bao_arena_array(e->c->arena, 1, sizeof(*count));
    if (count == NULL)
        return -ENOMEM;
    *count = (struct bao_count){real(e->sub->contains), (uint64_t)count_of(at[BAO_KW_MIN_CONTAINS], 1),
                                (uint64_t)count_of(at[BAO_KW_MAX_CONTAINS], INT64_MAX)};
    if (count->min == 0 && count->max == INT64_MAX && !tracked)
        return 0;
    return push(e, (struct bao_ins){.op = BAO_OP_CONTAINS, .n = tracked, .count = count});
}

static int emit_list(struct emitter *e)
{
    const struct bao_node *unique = e->sub->kw.at[BAO_KW_UNIQUE_ITEMS], *key = e->sub->kw.at[BAO_KW_X_KEY];
    int r = emit_const_enum(e);

    if (r == 0)
        r = emit_length(e, BAO_OP_LIST_LENGTH, BAO_KW_MIN_ITEMS, BAO_KW_MAX_ITEMS);
    if (r == 0)
        r = emit_items(e);
    if (r == 0 && unique != NULL && unique->type == BAO_BOOL && unique->boolean)
        r = push(e, (struct bao_ins){.op = BAO_OP_UNIQUE});
    if (r == 0 && e->c->options->form && key != NULL && key->type == BAO_STRING) {
        struct bao_str *text = bao_arena_array(e->c->arena, 1, sizeof(*text));

        if (text == NULL)
            return -ENOMEM;
        *text = bao_node_str(key);
        r = push(e, (struct bao_ins){.op = BAO_OP_UNIQUE_KEY, .key = text});
    }
    return r == 0 ? emit_contains(e) : r;
}

/* ---- maps ---- */

/* Names and patterns while a members table is made. */
struct gather {
    struct bao_compiler *c;
    struct bao_entry *entries;
    struct bao_map by_name;
    uint32_t n, size;
    struct bao_pattern_sub *patterns;
    uint32_t n_patterns, size_patterns;
    bool all; /* something evaluates every member */
};

static struct bao_entry *entry_of(struct gather *g, struct bao_str key)
{
    uintptr_t at = (uintptr_t)bao_map_get(&g->by_name, key);

    if (at != 0)
        return &g->entries[at - 1];
    if (g->n == g->size) {
        uint32_t size = g->size == 0 ? 16 : g->size * 2;
        struct bao_entry *more = realloc(g->entries, size * sizeof(*more));

        if (more == NULL)
            return NULL;
        g->entries = more;
        g->size = size;
    }
    if (bao_map_set(&g->by_name, key, (void *)(uintptr_t)(g->n + 1)) < 0)
        return NULL;
    g->entries[g->n] =
        (struct bao_entry){bao_key_hash(key.p, key.n), (uint32_t)key.n, key.p, NULL, false, false, false};
    return &g->entries[g->n++];
}

static int add_pattern(struct gather *g, const struct bao_regex *regex, struct bao_sub *sub)
{
    if (g->n_patterns == g->size_patterns) {
        uint32_t size = g->size_patterns == 0 ? 4 : g->size_patterns * 2;
        struct bao_pattern_sub *more = realloc(g->patterns, size * sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        g->patterns = more;
        g->size_patterns = size;
    }
    g->patterns[g->n_patterns++] = (struct bao_pattern_sub){regex, is_true(sub) ? NULL : real(sub)};
    return 0;
}

static int gather_names(struct gather *g, struct bao_sub *sub, bool own)
{
    const struct bao_node *required = sub->kw.at[BAO_KW_REQUIRED];
    int r = 0;

    for (uint32_t i = 0; i < sub->n_properties; i++) {
        struct bao_entry *entry = entry_of(g, sub->properties[i].key);

        if (entry == NULL)
            return -ENOMEM;
        entry->evaluated = true;
        if (own && !is_true(sub->properties[i].sub))
            entry->sub = real(sub->properties[i].sub);
    }
    for (uint32_t i = 0; own && required != NULL && required->type == BAO_LIST && i < required->len; i++) {
        struct bao_entry *entry =
            required->items[i].type == BAO_STRING ? entry_of(g, bao_node_str(&required->items[i])) : NULL;

        if (entry == NULL)
            return -ENOMEM;
        entry->required = true;
    }
    for (uint32_t i = 0; i < sub->n_patterns && r == 0; i++)
        r = add_pattern(g, sub->patterns[i].regex,
                        own ? (struct bao_sub *)(uintptr_t)sub->patterns[i].sub : NULL);
    g->all |= sub->additional != NULL;
    return r;
}

/* What allOf and $ref evaluate for certain. */
static int gather_closure(struct gather *g, struct bao_sub *sub)
{
    int r = 0;

    for (uint32_t i = 0; i < sub->n_all && r == 0; i++)
        if (sub->all[i] != NULL) {
            r = gather_names(g, sub->all[i], false);
            if (r == 0)
                r = gather_closure(g, sub->all[i]);
        }
    if (r == 0 && sub->ref != NULL) {
        r = gather_names(g, sub->ref, false);
        if (r == 0)
            r = gather_closure(g, sub->ref);
    }
    return r;
}

/* One sub that asks several about the same value. */
static const struct bao_sub *combine(struct emitter *e, const struct bao_sub *a, const struct bao_sub *b)
{
    struct bao_sub *both;

    if (a == NULL || b == NULL || a == b)
        return a == NULL ? b : a;
    both = bao_arena_array(e->c->arena, 1, sizeof(*both));
    if (both == NULL)
        return NULL;
    *both = (struct bao_sub){.loc = a->loc, .schema = a->schema, .number = e->c->n_subs};
    for (int t = 0; t < BAO_TYPES; t++) {
        both->known[t] = BAO_KNOWN_LIST;
        both->start[t] = e->c->n_ins;
    }
    if (push(e, (struct bao_ins){.op = BAO_OP_CALL, .sub = a}) < 0 ||
        push(e, (struct bao_ins){.op = BAO_OP_JUMP, .sub = b}) < 0)
        return NULL;
    /* Linked after the others so that its lists are found in the end. */
    both->next_at_loc = e->c->combined;
    e->c->combined = both;
    return both;
}

/* Runs the patterns over the known names now, so that no known member meets a pattern later. */
static int match_known(struct emitter *e, struct gather *g)
{
    struct bao_regex_scratch *scratch;
    int r = 0;

    if (g->n_patterns == 0)
        return 0;
    scratch = bao_regex_scratch_new();
    if (scratch == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < g->n && r >= 0; i++)
        for (uint32_t k = 0; k < g->n_patterns && r >= 0; k++) {
            struct bao_entry *entry = &g->entries[i];

            r = bao_regex_match(g->patterns[k].regex, scratch, (struct bao_str){entry->key, entry->len});
            if (r <= 0)
                continue;
            entry->evaluated = true;
            if (g->patterns[k].sub == NULL)
                continue;
            entry->sub = combine(e, entry->sub, g->patterns[k].sub);
            if (entry->sub == NULL)
                r = -ENOMEM;
        }
    bao_regex_scratch_free(scratch);
    return r < 0 ? r : 0;
}

/* May this sub take the members of those it asks about the same map into its own table? */
static bool merges(const struct emitter *e)
{
    return e->type == BAO_MAP && !e->sub->tracked && !e->sub->needs_track;
}

enum { MOST_MERGED = 128, FEW = 2 };

static const struct bao_members *plain_of(const struct emitter *e, struct bao_sub *sub)
{
    sub = real(sub);
    return sub == NULL || !merges(e) || sub->plain == NULL || sub->plain->n > MOST_MERGED ? NULL : sub->plain;
}

static int merge_plain(struct emitter *e, struct gather *g, struct bao_sub *sub)
{
    const struct bao_members *m = plain_of(e, sub);

    for (uint32_t i = 0; m != NULL && i < m->n; i++) {
        struct bao_entry *entry = entry_of(g, (struct bao_str){m->entries[i].key, m->entries[i].len});

        if (entry == NULL)
            return -ENOMEM;
        entry->required |= m->entries[i].required;
        if (m->entries[i].sub != NULL)
            entry->sub = combine(e, entry->sub, m->entries[i].sub);
        if (m->entries[i].sub != NULL && entry->sub == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int merge_all(struct emitter *e, struct gather *g)
{
    int r = merge_plain(e, g, e->sub->ref);

    if (r == 0)
        r = merge_plain(e, g, e->sub->dynamic_ref);
    for (uint32_t i = 0; i < e->sub->n_all && r == 0; i++)
        r = merge_plain(e, g, e->sub->all[i]);
    return r;
}

/* What judges members that no name and no pattern speaks of: 0 nothing does. */
static bool rest_of(const struct emitter *e, const struct gather *g, const struct bao_sub **ret)
{
    struct bao_sub *rest = e->sub->additional;

    if (rest == NULL && e->sub->static_members && !g->all)
        rest = e->sub->uneval_members;
    *ret = is_true(rest) ? NULL : real(rest);
    return rest != NULL;
}

/* Names that are only required, or come from elsewhere, are judged as any other. */
static int apply_rest(struct emitter *e, struct gather *g)
{
    const struct bao_sub *rest;

    if (!rest_of(e, g, &rest))
        return 0;
    for (uint32_t i = 0; i < g->n; i++) {
        struct bao_entry *entry = &g->entries[i];

        if (entry->evaluated)
            continue;
        entry->evaluated = entry->by_rest = true;
        if (rest == NULL)
            continue;
        entry->sub = combine(e, entry->sub, rest);
        if (entry->sub == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int finish_members(struct emitter *e, struct gather *g)
{
    struct bao_sub *sub = e->sub;
    struct bao_members *m = bao_arena_array(e->c->arena, 1, sizeof(*m));
    struct bao_entry *entries = bao_arena_array(e->c->arena, g->n, sizeof(*entries));
    struct bao_pattern_sub *patterns = bao_arena_array(e->c->arena, g->n_patterns, sizeof(*patterns));
    struct bao_str *keys = bao_arena_array(e->c->arena, g->n, sizeof(*keys));
    bool few;

    if (m == NULL || entries == NULL || patterns == NULL || keys == NULL)
        return -ENOMEM;
    m->has_rest = rest_of(e, g, &m->rest);
    for (uint32_t i = 0; i < g->n; i++) {
        entries[i] = g->entries[i];
        keys[i] = (struct bao_str){entries[i].key, entries[i].len};
        m->n_required += entries[i].required;
    }
    if (g->n_patterns != 0)
        memcpy(patterns, g->patterns, g->n_patterns * sizeof(*patterns));
    m->entries = entries;
    m->n = g->n;
    m->patterns = patterns;
    m->n_patterns = g->n_patterns;
    if (!bao_names_init(e->c->arena, keys, g->n, &m->names))
        return -ENOMEM;
    sub->members = m;
    few = g->n <= FEW && m->n_patterns == 0 && !m->has_rest && merges(e);
    return push(e, (struct bao_ins){.op = few ? BAO_OP_FEW : BAO_OP_MEMBERS, .members = m});
}

/* Instructions were pushed into the middle of this list: they stay where they are and the list's beginning is
 * copied behind them. */
static int move_behind(struct emitter *e, uint32_t middle)
{
    uint32_t old = e->start;
    int r = 0;

    e->start = e->c->n_ins;
    for (uint32_t i = old; i < middle && r == 0; i++)
        r = push(e, e->c->ins[i]);
    return r;
}

static int emit_members(struct emitter *e)
{
    static const uint64_t seed[2] = {1, 2};
    struct bao_sub *sub = e->sub;
    struct gather g = {.c = e->c};
    uint32_t before = e->c->n_ins;
    int r;

    bao_map_init(&g.by_name, seed);
    r = gather_names(&g, sub, true);
    if (r == 0)
        r = merge_all(e, &g);
    if (r == 0 && sub->static_members)
        r = gather_closure(&g, sub);
    if (r == 0)
        r = match_known(e, &g);
    if (r == 0)
        r = apply_rest(e, &g);
    if (r == 0 && e->c->n_ins != before)
        r = move_behind(e, before);
    if (r == 0 && (g.n != 0 || g.n_patterns != 0 || sub->additional != NULL || sub->static_members))
        r = finish_members(e, &g);
    free(g.entries);
    free(g.patterns);
    bao_map_deinit(&g.by_name);
    return r;
}

static int emit_dependents(struct emitter *e)
{
    struct bao_sub *sub = e->sub;
    struct bao_dependent *list;

    if (sub->n_dependents == 0)
        return 0;
    list = bao_arena_array(e->c->arena, sub->n_dependents, sizeof(*list));
    if (list == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < sub->n_dependents; i++) {
        const struct bao_named_sub *from = &sub->dependents[i];
        uint32_t n = from->names == NULL ? 0 : from->names->len;
        struct bao_str *names = bao_arena_array(e->c->arena, n, sizeof(*names));
        uint32_t *hashes = bao_arena_array(e->c->arena, n, sizeof(*hashes));

        if (names == NULL || hashes == NULL)
            return -ENOMEM;
        for (uint32_t k = 0; k < n; k++) {
            names[k] = bao_node_str(&from->names->items[k]);
            hashes[k] = bao_key_hash(names[k].p, names[k].n);
        }
        list[i] = (struct bao_dependent){
            from->key, bao_key_hash(from->key.p, from->key.n), n, names, hashes, real(from->sub)};
    }
    return push(e, (struct bao_ins){.op = BAO_OP_DEPENDENT, .n = sub->n_dependents, .dependents = list});
}

static int emit_map(struct emitter *e)
{
    int r = emit_const_enum(e);

    if (r == 0)
        r = emit_length(e, BAO_OP_MAP_LENGTH, BAO_KW_MIN_PROPERTIES, BAO_KW_MAX_PROPERTIES);
    if (r == 0)
        r = emit_members(e);
    if (r == 0 && e->sub->names != NULL && !is_true(e->sub->names))
        r = push(e, (struct bao_ins){.op = BAO_OP_NAMES, .sub = real(e->sub->names)});
    return r == 0 ? emit_dependents(e) : r;
}

/* ---- applicators in place ---- */

enum { MOST_SPLICED = 6 };

/* Instructions that mean the same in the midst of another list. */
static bool can_splice(uint32_t op)
{
    return op != BAO_OP_GOOD && op != BAO_OP_TRACK && op != BAO_OP_NFC;
}

/* A short list is copied into this one; a call would cost more than it. */
static int splice(struct emitter *e, struct bao_sub *sub)
{
    uint32_t from = sub->start[e->type], n = 0;
    int r = 0;

    from += e->c->ins[from].op == BAO_OP_MEMO;
    while (n <= MOST_SPLICED && can_splice(e->c->ins[from + n].op))
        n++;
    if (n > MOST_SPLICED || e->c->ins[from + n].op != BAO_OP_GOOD)
        return push(e, (struct bao_ins){.op = BAO_OP_CALL, .sub = sub});
    for (uint32_t i = 0; i < n && r == 0; i++) {
        struct bao_ins ins = e->c->ins[from + i];

        ins.lead = BAO_LEAD_ANY;
        if (ins.op == BAO_OP_JUMP)
            ins.op = BAO_OP_CALL;
        r = push(e, ins);
    }
    return r;
}

static int emit_call(struct emitter *e, struct bao_sub *sub)
{
    sub = real(sub);
    if (sub == NULL || known(e, sub) == BAO_KNOWN_GOOD)
        return 0;
    if (known(e, sub) == BAO_KNOWN_BAD) {
        e->never = true;
        return 0;
    }
    return splice(e, sub);
}

/* A call that every value must pass, unless the members table has it already. */
static int emit_must(struct emitter *e, struct bao_sub *sub)
{
    return plain_of(e, sub) != NULL ? 0 : emit_call(e, sub);
}

static int emit_all_of(struct emitter *e)
{
    uint32_t before = e->c->n_ins;
    int r = emit_must(e, e->sub->ref);

    if (r == 0)
        r = emit_must(e, e->sub->dynamic_ref);
    for (uint32_t i = 0; i < e->sub->n_all && r == 0; i++) {
        bool again = false;

        for (uint32_t k = before; k < e->c->n_ins && k < before + 64; k++)
            again |= e->c->ins[k].sub == real(e->sub->all[i]);
        if (!again)
            r = emit_must(e, e->sub->all[i]);
    }
    return r;
}

static int emit_not(struct emitter *e)
{
    struct bao_sub *sub = real(e->sub->not_);

    if (sub == NULL || known(e, sub) == BAO_KNOWN_BAD)
        return 0;
    e->never |= known(e, sub) == BAO_KNOWN_GOOD;
    return push(e, (struct bao_ins){.op = BAO_OP_NOT, .sub = sub});
}

static int emit_if(struct emitter *e)
{
    struct bao_sub *sub = e->sub, *condition = real(sub->if_);
    bool tracked = sub->tracked || sub->needs_track;
    struct bao_choice *choice;

    if (condition == NULL || (sub->then == NULL && sub->otherwise == NULL && !tracked))
        return 0;
    if (known(e, condition) == BAO_KNOWN_GOOD)
        return emit_call(e, sub->then);
    if (known(e, condition) == BAO_KNOWN_BAD)
        return emit_call(e, sub->otherwise);
    choice = bao_arena_array(e->c->arena, 1, sizeof(*choice));
    if (choice == NULL)
        return -ENOMEM;
    *choice = (struct bao_choice){condition, real(sub->then), real(sub->otherwise)};
    return push(e, (struct bao_ins){.op = BAO_OP_IF, .choice = choice});
}

/* The texts that alone a branch takes under a key; NULL when it takes others. */
static const struct bao_node *demanded(struct bao_sub *branch, struct bao_str key, uint32_t *ret_n)
{
    const struct bao_node *values = NULL;

    for (uint32_t i = 0; i < branch->n_properties; i++)
        if (bao_str_eq(branch->properties[i].key, key)) {
            const struct bao_sub *sub = real(branch->properties[i].sub);
            const struct bao_node *in = sub->kw.at[BAO_KW_ENUM];

            values = sub->kw.at[BAO_KW_CONST];
            *ret_n = 1;
            if (values == NULL && in != NULL && in->type == BAO_LIST) {
                values = in->items;
                *ret_n = in->len;
            }
        }
    for (uint32_t i = 0; values != NULL && i < *ret_n; i++)
        if (values[i].type != BAO_STRING)
            return NULL;
    return values;
}

/* Tries one key as the discriminator. 1 done, 0 it is none, <0. */
static int try_switch(struct emitter *e, struct bao_sub *const *subs, uint32_t n, struct bao_str key)
{
    struct bao_switch *s;
    struct bao_str *texts;
    const struct bao_sub **targets;
    uint32_t total = 0, k = 0, count;

    for (uint32_t i = 0; i < n; i++) {
        if (demanded(subs[i], key, &count) == NULL)
            return 0;
        total += count;
    }
    s = bao_arena_array(e->c->arena, 1, sizeof(*s));
    texts = bao_arena_array(e->c->arena, total, sizeof(*texts));
    targets = bao_arena_array(e->c->arena, total, sizeof(struct bao_sub *));
    if (s == NULL || texts == NULL || targets == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct bao_node *values = demanded(subs[i], key, &count);

        for (uint32_t v = 0; v < count; v++, k++) {
            texts[k] = bao_node_str(&values[v]);
            targets[k] = subs[i];
        }
    }
    *s = (struct bao_switch){
        .key = key, .hash = bao_key_hash(key.p, key.n), .subs = (const struct bao_sub *const *)targets};
    if (!bao_names_init(e->c->arena, texts, total, &s->values))
        return -ENOMEM;
    /* A text that two branches take decides nothing. */
    for (uint32_t i = 0; i < total; i++)
        if (targets[bao_names_find(&s->values, texts[i].p, (uint32_t)texts[i].n, s->values.hashes[i])] !=
            targets[i])
            return 0;
    k = (uint32_t)push(e, (struct bao_ins){.op = BAO_OP_SWITCH, .choices = s});
    return (int)k < 0 ? (int)k : 1;
}

static int emit_switch(struct emitter *e, struct bao_sub *const *subs, uint32_t n)
{
    int r = 0;

    /* A form compares text more kindly than a table of exact values can. */
    if (e->type != BAO_MAP || e->c->options->form)
        return 0;
    for (uint32_t i = 0; i < subs[0]->n_properties && i < 32 && r == 0; i++)
        r = try_switch(e, subs, n, subs[0]->properties[i].key);
    return r;
}

/* anyOf or oneOf, without the branches that cannot accept this type. */
static int emit_branches(struct emitter *e, struct bao_sub *const *all, uint32_t n_all, enum bao_op op)
{
    bool tracked = e->sub->tracked || e->sub->needs_track;
    struct bao_sub **subs;
    uint32_t n = 0, good = 0;
    int r;

    if (n_all == 0)
        return 0;
    subs = bao_arena_array(e->c->arena, n_all, sizeof(struct bao_sub *));
    if (subs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n_all; i++) {
        struct bao_sub *sub = real(all[i]);

        if (sub == NULL || known(e, sub) == BAO_KNOWN_BAD)
            continue;
        good += known(e, sub) == BAO_KNOWN_GOOD;
        subs[n++] = sub;
    }
    e->never |= n == 0 || (op == BAO_OP_ONE && good > 1);
    if (e->never || (op == BAO_OP_ANY && good != 0 && !tracked))
        return 0;
    if (n == 1)
        return emit_call(e, subs[0]);
    r = emit_switch(e, subs, n);
    if (r < 0)
        return r;
    return push(e, (struct bao_ins){.op = (uint16_t)op, .n = n, .subs = (const struct bao_sub *const *)subs});
}

static int emit_applicators(struct emitter *e)
{
    int r = emit_not(e);

    if (r == 0)
        r = emit_if(e);
    if (r == 0)
        r = emit_branches(e, e->sub->any, e->sub->n_any, BAO_OP_ANY);
    if (r == 0)
        r = emit_branches(e, e->sub->one, e->sub->n_one, BAO_OP_ONE);
    return r == 0 ? emit_all_of(e) : r;
}

/* ---- a list ---- */

static int emit_own(struct emitter *e)
{
    int r;

    switch (e->type) {
    case BAO_STRING:
        return emit_string(e);
    case BAO_LIST:
        return emit_list(e);
    case BAO_MAP:
        return emit_map(e);
    case BAO_INT:
        r = emit_const_enum(e);
        if (r == 0 && e->c->options->form && e->sub->only_whole)
            r = push(e, (struct bao_ins){.op = BAO_OP_NO_THOUSAND});
        if (r == 0)
            r = emit_int_range(e);
        return r == 0 ? emit_multiple(e) : r;
    case BAO_DEC:
        r = emit_const_enum(e);
        return r == 0 ? emit_dec(e) : r;
    case BAO_NULL:
    case BAO_BOOL:
        return emit_const_enum(e);
    }
    return 0;
}

static bool is_costly(uint32_t op)
{
    switch (op) {
    case BAO_OP_CALL:
    case BAO_OP_JUMP:
    case BAO_OP_NOT:
    case BAO_OP_ANY:
    case BAO_OP_ONE:
    case BAO_OP_IF:
    case BAO_OP_SWITCH:
    case BAO_OP_ITEMS:
    case BAO_OP_CONTAINS:
    case BAO_OP_UNIQUE:
    case BAO_OP_MEMBERS:
    case BAO_OP_FEW:
    case BAO_OP_NAMES:
    case BAO_OP_DEPENDENT:
        return true;
    default:
        return false;
    }
}

static bool is_scalar(uint32_t op)
{
    return op >= BAO_OP_BOOL_IS && op <= BAO_OP_FORMAT;
}

/* How the list from `start` to before its end begins. */
static enum bao_lead lead_of(const struct bao_ins *ins, uint32_t n)
{
    if (ins[0].op == BAO_OP_INT_RANGE && (n == 1 || (n == 2 && ins[1].op == BAO_OP_INT_MULTIPLE)))
        return BAO_LEAD_INT;
    if (n == 1 && ins[0].op == BAO_OP_NUM_RANGE)
        return BAO_LEAD_NUM;
    if (n == 1 && ins[0].op == BAO_OP_STR_LENGTH)
        return BAO_LEAD_LENGTH;
    if (n == 1 && ins[0].op == BAO_OP_MEMBERS)
        return BAO_LEAD_MEMBERS;
    if (n == 1 && ins[0].op == BAO_OP_FEW)
        return BAO_LEAD_FEW;
    if (n <= 2 && ins[n - 1].op == BAO_OP_ITEMS && ins[n - 1].n == 0 &&
        (n == 1 || ins[0].op == BAO_OP_LIST_LENGTH))
        return BAO_LEAD_LIST;
    for (uint32_t i = 0; i < n; i++)
        if (!is_scalar(ins[i].op))
            return BAO_LEAD_ANY;
    return BAO_LEAD_SCALAR;
}

/* Ends the list: a last call becomes a jump, and a memory of answers goes first where many ask. */
static int finish_list(struct emitter *e, uint32_t start)
{
    struct bao_compiler *c = e->c;
    bool costly = false;
    int r;

    for (uint32_t i = start; i < c->n_ins; i++)
        costly |= is_costly(c->ins[i].op);
    c->ins[start].lead = (uint16_t)lead_of(&c->ins[start], c->n_ins - start);
    if (c->n_ins == start + 1 && (c->ins[start].op == BAO_OP_MEMBERS || c->ins[start].op == BAO_OP_FEW) &&
        !c->ins[start].members->has_rest && c->ins[start].members->n_patterns == 0)
        e->sub->plain = c->ins[start].members;
    if (c->ins[c->n_ins - 1].op == BAO_OP_CALL)
        c->ins[c->n_ins - 1].op = BAO_OP_JUMP;
    r = push(e, (struct bao_ins){.op = BAO_OP_GOOD});
    if (r < 0 || !costly || e->sub->calls < 2)
        return r;
    r = push(e, (struct bao_ins){.op = BAO_OP_GOOD});
    if (r < 0)
        return r;
    memmove(&c->ins[start + 1], &c->ins[start], (c->n_ins - start - 1) * sizeof(*c->ins));
    c->ins[start] = (struct bao_ins){.op = BAO_OP_MEMO, .n = e->sub->number};
    return 0;
}

static int emit_list_of(struct emitter *e)
{
    struct bao_compiler *c = e->c;
    struct bao_sub *sub = e->sub;
    bool track_members = e->type == BAO_MAP && sub->uneval_members != NULL && !sub->static_members;
    bool track_items = e->type == BAO_LIST && sub->uneval_items != NULL && !sub->static_items;
    uint32_t start;
    int r = 0;

    e->start = c->n_ins;
    if (track_members || track_items)
        r = push(e, (struct bao_ins){.op = BAO_OP_TRACK});
    if (r == 0)
        r = emit_own(e);
    if (r == 0)
        r = emit_applicators(e);
    if (r == 0 && track_members)
        r = push(e, (struct bao_ins){.op = BAO_OP_UNEVALUATED_MEMBERS, .sub = real(sub->uneval_members)});
    if (r == 0 && track_items)
        r = push(e, (struct bao_ins){.op = BAO_OP_UNEVALUATED_ITEMS, .sub = real(sub->uneval_items)});
    if (r < 0)
        return r;
    start = e->start;
    if (e->never) {
        c->n_ins = start;
        sub->known[e->type] = BAO_KNOWN_BAD;
        return 0;
    }
    sub->start[e->type] = start;
    sub->known[e->type] = c->n_ins == start ? BAO_KNOWN_GOOD : BAO_KNOWN_LIST;
    return c->n_ins == start ? 0 : finish_list(e, start);
}

static int emit_sub(struct bao_compiler *c, struct bao_sub *sub)
{
    struct bao_sub *target = real(sub);
    int r = 0;

    for (int t = 0; t < BAO_TYPES && r == 0; t++) {
        struct emitter e = {.c = c, .sub = sub, .type = (enum bao_type)t};

        if (target != sub) {
            sub->known[t] = target->known[t];
            sub->start[t] = target->start[t];
        } else if (sub->is_bad || (sub->types & 1 << t) == 0) {
            sub->known[t] = BAO_KNOWN_BAD;
        } else {
            r = emit_list_of(&e);
        }
    }
    return r;
}

static void link_sub(struct bao_sub *sub, const struct bao_ins *ins)
{
    for (int t = 0; t < BAO_TYPES; t++)
        sub->at[t] = sub->known[t] == BAO_KNOWN_GOOD  ? NULL
                     : sub->known[t] == BAO_KNOWN_BAD ? &ins[0]
                                                      : &ins[sub->start[t]];
}

int bao_emit_all(struct bao_compiler *c, struct bao_sub *const *order)
{
    struct emitter first = {.c = c};
    struct bao_ins *ins;
    int r = push(&first, (struct bao_ins){.op = BAO_OP_BAD});

    for (uint32_t i = 0; i < c->n_subs && r == 0; i++)
        r = emit_sub(c, order[i]);
    if (r < 0)
        return r;
    ins = bao_arena_array(c->arena, c->n_ins, sizeof(*ins));
    if (ins == NULL)
        return -ENOMEM;
    memcpy(ins, c->ins, c->n_ins * sizeof(*ins));
    for (uint32_t i = 0; i < c->n_subs; i++)
        link_sub(c->subs[i], ins);
    for (struct bao_sub *sub = c->combined; sub != NULL; sub = sub->next_at_loc)
        link_sub(sub, ins);
    c->schema->n_ins = c->n_ins;
    return 0;
}
