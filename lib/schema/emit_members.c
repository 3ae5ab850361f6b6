/* The one table over a map's members: properties, patternProperties, additionalProperties, required, and what
 * allOf and references say of the same map. */
#include "lib/schema/emit.h"

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
    bao_emit_entry(&g->entries[g->n], key);
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
    g->patterns[g->n_patterns++] =
        (struct bao_pattern_sub){regex, bao_emit_is_true(sub) ? NULL : bao_emit_real(sub),
                                 regex == NULL ? NULL : bao_regex_table(regex)};
    return 0;
}

void bao_emit_entry(struct bao_entry *entry, struct bao_str key)
{
    *entry = (struct bao_entry){.hash = bao_key_hash(key.p, key.n), .len = (uint32_t)key.n, .key = key.p};
    bao_key_ends(key.p, (uint32_t)key.n, &entry->first, &entry->last);
}

void bao_emit_last_entry(struct bao_entry *entry)
{
    *entry = (struct bao_entry){.len = UINT32_MAX};
}

/* One list that asks two subs about the same value, without a call where what they ask is known. */
static int combine_type(struct bao_emitter *e, const struct bao_sub *a, const struct bao_sub *b)
{
    struct bao_sub *both = e->sub;
    int r = 0;

    e->start = e->c->n_ins;
    both->known[e->type] = BAO_KNOWN_LIST;
    both->start[e->type] = e->start;
    if (bao_emit_known(e, a) == BAO_KNOWN_NOT_YET || bao_emit_known(e, b) == BAO_KNOWN_NOT_YET) {
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_CALL, .sub = a});
        return r < 0 ? r : bao_emit_push(e, (struct bao_ins){.op = BAO_OP_JUMP, .sub = b});
    }
    r = bao_emit_call(e, a);
    if (r == 0)
        r = bao_emit_call(e, b);
    if (r == 0 && e->never) {
        e->c->n_ins = e->start;
        both->known[e->type] = BAO_KNOWN_BAD;
    } else if (r == 0 && e->c->n_ins == e->start) {
        both->known[e->type] = BAO_KNOWN_GOOD;
    } else if (r == 0) {
        r = bao_emit_finish(e);
    }
    return r;
}

/* One sub that asks several about the same value; NULL: no memory. */
static const struct bao_sub *combine(struct bao_emitter *e, const struct bao_sub *a, const struct bao_sub *b)
{
    struct bao_sub *both;

    if (a == NULL || b == NULL || a == b)
        return a == NULL ? b : a;
    both = bao_arena_array(e->c->arena, 1, sizeof(*both));
    if (both == NULL)
        return NULL;
    /* It notes nothing: values of members are asked on their own. */
    *both = (struct bao_sub){.loc = a->loc, .schema = a->schema, .number = e->c->n_subs};
    for (int t = 0; t < BAO_TYPES; t++) {
        struct bao_emitter of = {.c = e->c, .sub = both, .type = (enum bao_type)t};

        if (combine_type(&of, a, b) < 0)
            return NULL;
    }
    /* Linked after the others so that its lists are found in the end. */
    both->next_at_loc = e->c->combined;
    e->c->combined = both;
    return both;
}

static int gather_names(struct bao_emitter *e, struct gather *g, struct bao_sub *sub, bool own)
{
    const struct bao_node *required = sub->kw.at[BAO_KW_REQUIRED];
    int r = 0;

    for (uint32_t i = 0; i < sub->n_properties; i++) {
        struct bao_entry *entry = entry_of(g, sub->properties[i].key);

        if (entry == NULL)
            return -ENOMEM;
        entry->evaluated = true;
        if (!own || bao_emit_is_true(sub->properties[i].sub))
            continue;
        entry->sub = combine(e, entry->sub, bao_emit_real(sub->properties[i].sub));
        if (entry->sub == NULL)
            return -ENOMEM;
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
static int gather_closure(struct bao_emitter *e, struct gather *g, struct bao_sub *sub)
{
    int r = 0;

    for (uint32_t i = 0; i < sub->n_all && r == 0; i++)
        if (sub->all[i] != NULL) {
            r = gather_names(e, g, sub->all[i], false);
            if (r == 0)
                r = gather_closure(e, g, sub->all[i]);
        }
    if (r == 0 && sub->ref != NULL) {
        r = gather_names(e, g, sub->ref, false);
        if (r == 0)
            r = gather_closure(e, g, sub->ref);
    }
    return r;
}

/* Runs the patterns over the known names now, so that no known member meets a pattern later. */
static int match_known(struct bao_emitter *e, struct gather *g)
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

bool bao_emit_merges(const struct bao_emitter *e)
{
    return e->type == BAO_MAP && !e->sub->tracked && !e->sub->needs_track;
}

enum { MOST_MERGED = 128, FEW = 2 };

const struct bao_members *bao_emit_plain(const struct bao_emitter *e, struct bao_sub *sub)
{
    sub = bao_emit_real(sub);
    return sub == NULL || !bao_emit_merges(e) || sub->plain == NULL || sub->plain->n > MOST_MERGED
               ? NULL
               : sub->plain;
}

static int merge_plain(struct bao_emitter *e, struct gather *g, struct bao_sub *sub)
{
    const struct bao_members *m = bao_emit_plain(e, sub);

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

static int merge_all(struct bao_emitter *e, struct gather *g)
{
    int r = merge_plain(e, g, e->sub->ref);

    if (r == 0)
        r = merge_plain(e, g, e->sub->dynamic_ref);
    for (uint32_t i = 0; i < e->sub->n_all && r == 0; i++)
        r = merge_plain(e, g, e->sub->all[i]);
    return r;
}

/* What judges members that no name and no pattern speaks of: 0 nothing does. */
static bool rest_of(const struct bao_emitter *e, const struct gather *g, const struct bao_sub **ret)
{
    struct bao_sub *rest = e->sub->additional;

    if (rest == NULL && e->sub->static_members && !g->all)
        rest = e->sub->uneval_members;
    *ret = bao_emit_is_true(rest) ? NULL : bao_emit_real(rest);
    return rest != NULL;
}

/* Names that are only required, or come from elsewhere, are judged as any other. */
static int apply_rest(struct bao_emitter *e, struct gather *g)
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

static int finish_members(struct bao_emitter *e, struct gather *g)
{
    struct bao_sub *sub = e->sub;
    struct bao_members *m = bao_arena_array(e->c->arena, 1, sizeof(*m));
    struct bao_entry *entries = bao_arena_array(e->c->arena, g->n + 1, sizeof(*entries));
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
    bao_emit_last_entry(&entries[g->n]);
    m->entries = entries;
    m->n = g->n;
    m->next = e->c->tables;
    e->c->tables = m;
    m->patterns = patterns;
    m->n_patterns = g->n_patterns;
    if (!bao_names_init_apart(e->c->arena, keys, g->n, &m->names))
        return -ENOMEM;
    sub->members = m;
    few = g->n <= FEW && m->n_patterns == 0 && !m->has_rest && bao_emit_merges(e);
    return bao_emit_push(e, (struct bao_ins){.op = few ? BAO_OP_FEW : BAO_OP_MEMBERS, .members = m});
}

/* Instructions were pushed into the middle of this list: they stay where they are and the list's beginning is
 * copied behind them. */
static int move_behind(struct bao_emitter *e, uint32_t middle)
{
    uint32_t old = e->start;
    int r = 0;

    e->start = e->c->n_ins;
    for (uint32_t i = old; i < middle && r == 0; i++)
        r = bao_emit_push(e, e->c->ins[i]);
    return r;
}

int bao_emit_members(struct bao_emitter *e)
{
    static const uint64_t seed[2] = {1, 2};
    struct bao_sub *sub = e->sub;
    struct gather g = {.c = e->c};
    uint32_t before = e->c->n_ins;
    int r;

    bao_map_init(&g.by_name, seed);
    /* What a schema builds on mostly comes first in a file too. */
    r = merge_all(e, &g);
    if (r == 0)
        r = gather_names(e, &g, sub, true);
    if (r == 0 && sub->static_members)
        r = gather_closure(e, &g, sub);
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

int bao_emit_dependents(struct bao_emitter *e)
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
            from->key, bao_key_hash(from->key.p, from->key.n), n, names, hashes, bao_emit_real(from->sub)};
    }
    return bao_emit_push(
        e, (struct bao_ins){.op = BAO_OP_DEPENDENT, .n = sub->n_dependents, .dependents = list});
}
