/* From indexed documents to the graph of subs: references resolved, dynamic scope and all. */
#include "lib/schema/compiler.h"

#include "lib/schema/format.h"

/* ---- scopes ---- */

static bool scope_has(const struct bao_scope *scope, struct bao_str name)
{
    for (uint32_t i = 0; i < scope->n; i++)
        if (bao_str_eq(scope->first[i]->name, name))
            return true;
    return false;
}

static const struct bao_scope *intern_scope(struct bao_compiler *c, struct bao_scope *scope)
{
    for (const struct bao_scope *s = c->scopes; s != NULL; s = s->next)
        if (s->n == scope->n &&
            (s->n == 0 || memcmp(s->first, scope->first, s->n * sizeof(s->first[0])) == 0))
            return s;
    scope->next = c->scopes;
    c->scopes = scope;
    return scope;
}

/* The scope after entering a resource: its dynamic anchors count where no outer one bears the name. */
static const struct bao_scope *enter(struct bao_compiler *c, const struct bao_scope *scope,
                                     const struct bao_resource *resource)
{
    uint32_t more = 0;
    struct bao_scope *inner;

    for (const struct bao_anchor *a = resource->anchors; a != NULL; a = a->next)
        more += a->dynamic && !scope_has(scope, a->name);
    if (more == 0)
        return scope;
    inner = bao_arena_alloc(c->arena, sizeof(*inner) + (scope->n + more) * sizeof(inner->first[0]));
    if (inner == NULL)
        return NULL;
    inner->n = scope->n;
    if (scope->n != 0)
        memcpy(inner->first, scope->first, scope->n * sizeof(scope->first[0]));
    for (const struct bao_anchor *a = resource->anchors; a != NULL; a = a->next)
        if (a->dynamic && !scope_has(scope, a->name))
            inner->first[inner->n++] = a;
    return intern_scope(c, inner);
}

/* ---- subs ---- */

static int grow_subs(struct bao_compiler *c)
{
    uint32_t size = c->size_subs == 0 ? 64 : c->size_subs * 2;
    struct bao_sub **subs;

    if (c->n_subs < c->size_subs)
        return 0;
    subs = realloc(c->subs, size * sizeof(struct bao_sub *));
    if (subs == NULL)
        return -ENOMEM;
    c->subs = subs;
    c->size_subs = size;
    return 0;
}

/* The sub of a place under a scope, made when it is not there yet. Its keywords are filled in later, from the
 * list, so that no chain of references deepens the stack. */
static int get_sub(struct bao_compiler *c, const struct bao_loc *loc, const struct bao_scope *scope,
                   bool tracked, struct bao_sub **ret)
{
    struct bao_sub *sub;
    int r;

    scope = enter(c, scope, loc->resource);
    if (scope == NULL)
        return -ENOMEM;
    for (sub = loc->subs; sub != NULL; sub = sub->next_at_loc)
        if (sub->scope == scope && sub->tracked == tracked)
            break;
    if (sub == NULL) {
        if (c->n_subs >= BAO_SCHEMA_SUBS)
            return -E2BIG;
        r = grow_subs(c);
        if (r < 0)
            return r;
        sub = bao_arena_array(c->arena, 1, sizeof(*sub));
        if (sub == NULL)
            return -ENOMEM;
        sub->loc = loc;
        sub->schema = loc->node;
        sub->scope = scope;
        sub->tracked = tracked;
        sub->number = c->n_subs;
        sub->next_at_loc = loc->subs;
        ((struct bao_loc *)(uintptr_t)loc)->subs = sub; /* the compiler's own, const to everyone else */
        c->subs[c->n_subs++] = sub;
    }
    sub->calls++;
    *ret = sub;
    return 0;
}

static int child(struct bao_compiler *c, struct bao_sub *sub, const struct bao_node *node, bool tracked,
                 struct bao_sub **ret)
{
    const struct bao_loc *loc = node == NULL ? NULL : bao_index_loc(c, node);

    return loc == NULL ? 0 : get_sub(c, loc, sub->scope, tracked, ret);
}

static int children(struct bao_compiler *c, struct bao_sub *sub, const struct bao_node *list, bool tracked,
                    struct bao_sub ***ret, uint32_t *ret_n)
{
    struct bao_sub **subs;

    if (list == NULL || list->type != BAO_LIST)
        return 0;
    subs = bao_arena_array(c->arena, list->len, sizeof(struct bao_sub *));
    if (subs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < list->len; i++) {
        int r = child(c, sub, &list->items[i], tracked, &subs[i]);

        if (r < 0)
            return r;
    }
    *ret = subs;
    *ret_n = list->len;
    return 0;
}

static int named(struct bao_compiler *c, struct bao_sub *sub, const struct bao_node *map, bool tracked,
                 struct bao_named_sub **ret, uint32_t *ret_n)
{
    struct bao_named_sub *subs;

    if (map == NULL || map->type != BAO_MAP)
        return 0;
    subs = bao_arena_array(c->arena, map->len, sizeof(*subs));
    if (subs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < map->len; i++) {
        int r = child(c, sub, &map->members[i].value, tracked, &subs[i].sub);

        if (r < 0)
            return r;
        subs[i].key = bao_member_key(&map->members[i]);
    }
    *ret = subs;
    *ret_n = map->len;
    return 0;
}

static int dependents(struct bao_compiler *c, struct bao_sub *sub, bool tracked)
{
    const struct bao_node *names = sub->kw.at[BAO_KW_DEPENDENT_REQUIRED];
    uint32_t n_names = names != NULL && names->type == BAO_MAP ? names->len : 0;
    struct bao_named_sub *all, *schemas = NULL;
    uint32_t n = 0;
    int r = named(c, sub, sub->kw.at[BAO_KW_DEPENDENT_SCHEMAS], tracked, &schemas, &n);

    if (r < 0 || n + n_names == 0)
        return r;
    all = bao_arena_array(c->arena, n + n_names, sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n_names; i++)
        all[i] = (struct bao_named_sub){.key = bao_member_key(&names->members[i]),
                                        .names = &names->members[i].value};
    for (uint32_t i = 0; i < n; i++)
        all[n_names + i] = schemas[i];
    sub->dependents = all;
    sub->n_dependents = n + n_names;
    return 0;
}

/* Compiles one expression into the program; *ret stays NULL for one that was refused with a finding. */
static int regex(struct bao_compiler *c, struct bao_str text, const struct bao_node *at,
                 const struct bao_regex **ret)
{
    struct bao_regex *regex = NULL;
    size_t where;
    int r = bao_regex_compile(text, &where, &regex);

    if (r < 0)
        return r;
    if (r != 0) {
        if (r == BAO_REGEX_E_UNSUPPORTED)
            bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_PATTERN_UNSUPPORTED, at), text);
        else
            bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_PATTERN, at), text);
        return 0;
    }
    c->schema->regexes = bao_regex_chain(regex, (struct bao_regex *)(uintptr_t)c->schema->regexes);
    *ret = regex;
    return 0;
}

static int patterns(struct bao_compiler *c, struct bao_sub *sub)
{
    const struct bao_node *map = sub->kw.at[BAO_KW_PATTERN_PROPERTIES];

    if (map == NULL || map->type != BAO_MAP)
        return 0;
    sub->patterns = bao_arena_array(c->arena, map->len, sizeof(*sub->patterns));
    if (sub->patterns == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < map->len; i++) {
        struct bao_sub *value = NULL;
        int r = child(c, sub, &map->members[i].value, false, &value);

        if (r == 0)
            r = regex(c, bao_member_key(&map->members[i]), &map->members[i].value, &sub->patterns[i].regex);
        if (r < 0)
            return r;
        sub->patterns[i].sub = value;
    }
    sub->n_patterns = map->len;
    return 0;
}

/* ---- references ---- */

static int refuse_reference(struct bao_compiler *c, const struct bao_resource *from,
                            const struct bao_node *ref)
{
    struct bao_str near;
    struct bao_finding *f;
    int r = bao_index_nearest(c, from, bao_node_str(ref), &near);

    if (r == 0)
        near = bao_arena_str(c->findings->arena, near); /* the finding outlives the compiler */
    if (r < 0 || near.p == NULL)
        return r < 0 ? r : -ENOMEM;
    f = bao_compiler_bad(c, near.n == 0 ? BAO_BC_SCHEMA_REF : BAO_BC_SCHEMA_REF_NEAR, ref);
    bao_finding_arg(f, bao_node_str(ref));
    bao_finding_arg(f, near);
    return 0;
}

static int refer(struct bao_compiler *c, struct bao_sub *sub, const struct bao_node *ref,
                 const struct bao_anchor **ret_anchor, const struct bao_loc **ret_loc)
{
    int r;

    *ret_loc = NULL;
    if (ref == NULL || ref->type != BAO_STRING)
        return 0;
    r = bao_index_find(c, sub->loc->resource, bao_node_str(ref), ret_loc, ret_anchor);
    if (r == 0 && *ret_loc == NULL)
        r = refuse_reference(c, sub->loc->resource, ref);
    return r;
}

static int references(struct bao_compiler *c, struct bao_sub *sub, bool tracked)
{
    const struct bao_anchor *anchor = NULL;
    const struct bao_loc *loc;
    int r = refer(c, sub, sub->kw.at[BAO_KW_REF], &anchor, &loc);

    if (r == 0 && loc != NULL)
        r = get_sub(c, loc, sub->scope, tracked, &sub->ref);
    if (r == 0)
        r = refer(c, sub, sub->kw.at[BAO_KW_DYNAMIC_REF], &anchor, &loc);
    if (r < 0 || loc == NULL)
        return r;
    /* Only a $dynamicAnchor looks outward; the scope knows whom it meets first. */
    for (uint32_t i = 0; anchor != NULL && anchor->dynamic && i < sub->scope->n; i++)
        if (bao_str_eq(sub->scope->first[i]->name, anchor->name)) {
            loc = sub->scope->first[i]->loc;
            break;
        }
    return get_sub(c, loc, sub->scope, tracked, &sub->dynamic_ref);
}

/* ---- unevaluated*, decided beforehand where nothing depends on the value ---- */

/* Can what this place evaluates be told without a value? Then every keyword counts for certain. With
 * `branches` the place itself may have anyOf or oneOf, which are looked at apart. */
static bool is_certain(struct bao_compiler *c, const struct bao_loc *loc, enum bao_kw own, int depth,
                       bool branches)
{
    static const enum bao_kw doubtful[] = {BAO_KW_ANY_OF, BAO_KW_ONE_OF, BAO_KW_IF, BAO_KW_DEPENDENT_SCHEMAS,
                                           BAO_KW_DYNAMIC_REF};
    struct bao_keywords kw;
    const struct bao_loc *target;
    const struct bao_anchor *anchor;

    if (depth > 16 || loc == NULL || --c->certain_left < 0)
        return false;
    bao_keywords_get(loc->node, loc->resource->vocab, &kw);
    for (size_t i = branches ? 2 : 0; i < BAO_COUNT(doubtful); i++)
        if (kw.at[doubtful[i]] != NULL)
            return false;
    if (depth != 0 && kw.at[own] != NULL)
        return false;
    if (own == BAO_KW_UNEVALUATED_ITEMS && kw.at[BAO_KW_CONTAINS] != NULL)
        return false;
    for (uint32_t i = 0; kw.at[BAO_KW_ALL_OF] != NULL && i < kw.at[BAO_KW_ALL_OF]->len; i++)
        if (!is_certain(c, bao_index_loc(c, &kw.at[BAO_KW_ALL_OF]->items[i]), own, depth + 1, false))
            return false;
    if (kw.at[BAO_KW_REF] == NULL || kw.at[BAO_KW_REF]->type != BAO_STRING)
        return true;
    if (bao_index_find(c, loc->resource, bao_node_str(kw.at[BAO_KW_REF]), &target, &anchor) < 0)
        return false;
    return is_certain(c, target, own, depth + 1, false);
}

/* Could unevaluatedProperties be told as soon as it is known which branch of its only anyOf or oneOf holds?
 */
static bool has_certain_branches(struct bao_compiler *c, const struct bao_sub *sub)
{
    const struct bao_node *any = sub->kw.at[BAO_KW_ANY_OF], *one = sub->kw.at[BAO_KW_ONE_OF];
    const struct bao_node *list = any != NULL ? any : one;

    if ((any == NULL) == (one == NULL) || list->type != BAO_LIST ||
        !is_certain(c, sub->loc, BAO_KW_UNEVALUATED_PROPERTIES, 0, true))
        return false;
    for (uint32_t i = 0; i < list->len; i++)
        if (!is_certain(c, bao_index_loc(c, &list->items[i]), BAO_KW_UNEVALUATED_PROPERTIES, 1, false))
            return false;
    return true;
}

static void decide_unevaluated(struct bao_compiler *c, struct bao_sub *sub)
{
    const struct bao_node *members = sub->kw.at[BAO_KW_UNEVALUATED_PROPERTIES];
    const struct bao_node *items = sub->kw.at[BAO_KW_UNEVALUATED_ITEMS];

    sub->static_members = members != NULL && is_certain(c, sub->loc, BAO_KW_UNEVALUATED_PROPERTIES, 0, false);
    sub->static_items = items != NULL && is_certain(c, sub->loc, BAO_KW_UNEVALUATED_ITEMS, 0, false);
    sub->static_cases = members != NULL && !sub->static_members && has_certain_branches(c, sub);
    /* A tracked sub must note what the keyword evaluates as well, which a fold into the one pass does. */
    sub->needs_track = (members != NULL && !sub->static_members) || (items != NULL && !sub->static_items);
}

/* ---- one sub ---- */

static void read_types(struct bao_sub *sub)
{
    static const struct {
        const char *name;
        uint8_t types;
    } types[] = {
        {"null", 1 << BAO_NULL},   {"boolean", 1 << BAO_BOOL},  {"number", 1 << BAO_INT | 1 << BAO_DEC},
        {"integer", 1 << BAO_INT}, {"string", 1 << BAO_STRING}, {"array", 1 << BAO_LIST},
        {"object", 1 << BAO_MAP}};
    const struct bao_node *type = sub->kw.at[BAO_KW_TYPE];
    uint32_t n = type == NULL ? 0 : type->type == BAO_LIST ? type->len : 1;
    bool whole = false;

    sub->types = type == NULL ? (1 << BAO_TYPES) - 1 : 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct bao_node *name = type->type == BAO_LIST ? &type->items[i] : type;

        for (size_t k = 0; name->type == BAO_STRING && k < BAO_COUNT(types); k++)
            if (bao_str_is(bao_node_str(name), types[k].name)) {
                sub->types |= types[k].types;
                whole |= types[k].types == 1 << BAO_INT;
            }
    }
    if (whole && (sub->types & 1 << BAO_DEC) == 0) {
        sub->types |= 1 << BAO_DEC;
        sub->only_whole = true;
    }
}

/* Keywords that say something about the value beside $ref. */
static bool is_lone_ref(const struct bao_sub *sub)
{
    for (int i = 0; i < BAO_KW_COUNT; i++) {
        const struct bao_keyword *info = bao_keyword_info((enum bao_kw)i);

        if (sub->kw.at[i] == NULL || i == BAO_KW_REF || i == BAO_KW_DYNAMIC_REF)
            continue;
        if (i == BAO_KW_FORMAT
                ? sub->format != BAO_FMT_NONE
                : (info->vocab & (BAO_VOCAB_APPLICATOR | BAO_VOCAB_VALIDATION | BAO_VOCAB_UNEVALUATED)) != 0)
            return false;
    }
    return !sub->normalize && (sub->ref != NULL) + (sub->dynamic_ref != NULL) == 1;
}

static int fill_applicators(struct bao_compiler *c, struct bao_sub *sub, bool tracked)
{
    const struct bao_node **at = sub->kw.at;
    int r = references(c, sub, tracked);

    if (r == 0)
        r = children(c, sub, at[BAO_KW_ALL_OF], tracked, &sub->all, &sub->n_all);
    if (r == 0)
        r = children(c, sub, at[BAO_KW_ANY_OF], tracked, &sub->any, &sub->n_any);
    if (r == 0)
        r = children(c, sub, at[BAO_KW_ONE_OF], tracked, &sub->one, &sub->n_one);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_NOT], false, &sub->not_);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_IF], tracked, &sub->if_);
    if (r == 0 && sub->if_ != NULL)
        r = child(c, sub, at[BAO_KW_THEN], tracked, &sub->then);
    if (r == 0 && sub->if_ != NULL)
        r = child(c, sub, at[BAO_KW_ELSE], tracked, &sub->otherwise);
    return r == 0 ? dependents(c, sub, tracked) : r;
}

static int index_properties(struct bao_compiler *c, struct bao_sub *sub)
{
    struct bao_str *keys;

    if (sub->n_properties < 32)
        return 0;
    sub->property_names = bao_arena_array(c->arena, 1, sizeof(*sub->property_names));
    keys = bao_arena_array(c->arena, sub->n_properties, sizeof(*keys));
    if (sub->property_names == NULL || keys == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < sub->n_properties; i++)
        keys[i] = sub->properties[i].key;
    return bao_names_init(c->arena, keys, sub->n_properties, sub->property_names) ? 0 : -ENOMEM;
}

static int fill_parts(struct bao_compiler *c, struct bao_sub *sub)
{
    const struct bao_node **at = sub->kw.at;
    int r = named(c, sub, at[BAO_KW_PROPERTIES], false, &sub->properties, &sub->n_properties);

    if (r == 0)
        r = index_properties(c, sub);
    if (r == 0)
        r = patterns(c, sub);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_ADDITIONAL], false, &sub->additional);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_PROPERTY_NAMES], false, &sub->names);
    if (r == 0)
        r = children(c, sub, at[BAO_KW_PREFIX_ITEMS], false, &sub->prefix, &sub->n_prefix);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_ITEMS], false, &sub->items);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_CONTAINS], false, &sub->contains);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_UNEVALUATED_ITEMS], false, &sub->uneval_items);
    if (r == 0)
        r = child(c, sub, at[BAO_KW_UNEVALUATED_PROPERTIES], false, &sub->uneval_members);
    return r;
}

static int fill(struct bao_compiler *c, struct bao_sub *sub)
{
    const struct bao_node *node = sub->schema, *format, *normalize;
    int r;

    sub->is_bad = node->type == BAO_BOOL && !node->boolean;
    sub->types = (1 << BAO_TYPES) - 1;
    if (node->type != BAO_MAP)
        return 0;
    bao_keywords_get(node, sub->loc->resource->vocab, &sub->kw);
    read_types(sub);
    decide_unevaluated(c, sub);
    sub->assert_format = sub->loc->resource->assert_format;
    format = sub->kw.at[BAO_KW_FORMAT];
    if (format != NULL && format->type == BAO_STRING && sub->assert_format)
        sub->format = (uint16_t)bao_format_of(bao_node_str(format));
    normalize = sub->kw.at[BAO_KW_X_NORMALIZE];
    sub->normalize = c->options->form && normalize != NULL;
    r = fill_applicators(c, sub, sub->tracked || sub->needs_track);
    if (r == 0)
        r = fill_parts(c, sub);
    if (r == 0 && sub->kw.at[BAO_KW_PATTERN] != NULL && sub->kw.at[BAO_KW_PATTERN]->type == BAO_STRING)
        r = regex(c, bao_node_str(sub->kw.at[BAO_KW_PATTERN]), sub->kw.at[BAO_KW_PATTERN], &sub->pattern);
    if (r == 0 && is_lone_ref(sub))
        sub->alias = sub->ref != NULL ? sub->ref : sub->dynamic_ref;
    return r;
}

/* ---- order ---- */

/* Calls visit for each sub that `sub` asks about the very same value. */
static void each_same(struct bao_sub *sub, void (*visit)(void *user, struct bao_sub *sub), void *user)
{
    struct bao_sub *single[] = {sub->ref, sub->dynamic_ref, sub->not_, sub->if_, sub->then, sub->otherwise};

    for (size_t i = 0; i < BAO_COUNT(single); i++)
        if (single[i] != NULL)
            visit(user, single[i]);
    for (uint32_t i = 0; i < sub->n_all; i++)
        if (sub->all[i] != NULL)
            visit(user, sub->all[i]);
    for (uint32_t i = 0; i < sub->n_any; i++)
        if (sub->any[i] != NULL)
            visit(user, sub->any[i]);
    for (uint32_t i = 0; i < sub->n_one; i++)
        if (sub->one[i] != NULL)
            visit(user, sub->one[i]);
    for (uint32_t i = 0; i < sub->n_dependents; i++)
        if (sub->dependents[i].sub != NULL)
            visit(user, sub->dependents[i].sub);
}

struct sorting {
    struct bao_sub **order;
    uint32_t *callers;
    uint32_t n;
};

static void count_caller(void *user, struct bao_sub *sub)
{
    ((struct sorting *)user)->callers[sub->number]++;
}

static void drop_caller(void *user, struct bao_sub *sub)
{
    struct sorting *s = user;

    if (--s->callers[sub->number] == 0)
        s->order[s->n++] = sub;
}

/* Sorts the subs so that each stands after those it asks about the same value. A circle among them would
 * never end at run time: refused. */
static int sort_subs(struct bao_compiler *c, struct bao_sub ***ret)
{
    struct sorting s = {bao_arena_array(&c->work, c->n_subs, sizeof(struct bao_sub *)),
                        bao_arena_array(&c->work, c->n_subs, sizeof(uint32_t)), 0};

    if (s.order == NULL || s.callers == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < c->n_subs; i++)
        each_same(c->subs[i], count_caller, &s);
    for (uint32_t i = 0; i < c->n_subs; i++)
        if (s.callers[i] == 0)
            s.order[s.n++] = c->subs[i];
    for (uint32_t i = 0; i < s.n; i++)
        each_same(s.order[i], drop_caller, &s);
    if (s.n != c->n_subs) {
        for (uint32_t i = 0; i < c->n_subs; i++)
            if (s.callers[i] != 0) {
                bao_compiler_bad(c, BAO_BC_SCHEMA_LOOP, c->subs[i]->schema);
                return 0;
            }
    }
    for (uint32_t i = 0; i < s.n / 2; i++) {
        struct bao_sub *sub = s.order[i];

        s.order[i] = s.order[s.n - 1 - i];
        s.order[s.n - 1 - i] = sub;
    }
    *ret = s.order;
    return 0;
}

/* ---- the whole ---- */

static int compile(struct bao_compiler *c, const struct bao_node *root, struct bao_str base_uri)
{
    static const struct bao_scope outside = {.n = 0};
    struct bao_resource *resource;
    struct bao_sub *sub, **order = NULL;
    int r = bao_index_document(c, base_uri, root, &resource);

    if (r < 0 || c->bad)
        return r;
    r = get_sub(c, resource->root, &outside, false, &sub);
    for (uint32_t i = 0; r == 0 && i < c->n_subs; i++)
        r = fill(c, c->subs[i]);
    if (r == -E2BIG) {
        bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_TOO_BIG, root),
                        bao_arena_printf(c->findings->arena, "%d", (int)BAO_SCHEMA_SUBS));
        return 0;
    }
    if (r < 0 || c->bad)
        return r;
    c->schema->root = sub;
    c->schema->n_subs = c->n_subs;
    r = sort_subs(c, &order);
    return r < 0 || c->bad ? r : bao_emit_all(c, order);
}

static int compiler_run(struct bao_compiler *c, const struct bao_node *root, struct bao_str base_uri)
{
    int r = compile(c, root, base_uri);

    free(c->subs);
    free(c->ins);
    bao_map_deinit(&c->resources);
    bao_map_deinit(&c->locs);
    bao_arena_deinit(&c->work);
    return r < 0 ? r : c->bad ? BAO_SCHEMA_E_BAD : 0;
}

static void schema_freep(struct bao_schema **schema)
{
    *schema = bao_schema_free(*schema);
}

/* Sentences quote the schema, which dies when it is refused: what they quote moves to the findings. */
static int keep_args(struct bao_findings *findings, size_t from)
{
    for (size_t i = from; i < findings->n; i++)
        for (unsigned k = 0; k < findings->items[i].n_args; k++) {
            struct bao_arg *arg = &findings->items[i].args[k];

            arg->vi = bao_arena_str(findings->arena, arg->vi);
            if (arg->vi.p == NULL)
                return -ENOMEM;
            if (arg->en.p != NULL)
                arg->en = bao_arena_str(findings->arena, arg->en);
        }
    return 0;
}

int bao_schema_compile(const struct bao_schema_set *set, const struct bao_node *root, struct bao_str base_uri,
                       const struct bao_schema_options *options, struct bao_findings *findings,
                       struct bao_schema **ret)
{
    static const uint64_t seed[2] = {0x636f6d70, 0x696c6572};
    BAO_CLEANUP(schema_freep) struct bao_schema *schema = calloc(1, sizeof(*schema));
    struct bao_compiler c = {.set = set,
                             .options = options,
                             .findings = findings,
                             .schema = schema,
                             .certain_left = BAO_SCHEMA_CERTAIN};
    size_t before = findings->n;
    int r;

    if (schema == NULL)
        return -ENOMEM;
    bao_arena_init(&schema->arena, BAO_SCHEMA_MEMORY);
    bao_arena_init(&c.work, BAO_SCHEMA_MEMORY);
    schema->form = options->form;
    c.arena = &schema->arena;
    bao_map_init(&c.resources, seed);
    bao_map_init(&c.locs, seed);
    r = compiler_run(&c, root, base_uri);
    if (keep_args(findings, before) < 0)
        return -ENOMEM;
    if (r == 0)
        *ret = BAO_TAKE(schema);
    return r;
}

struct bao_schema *bao_schema_free(struct bao_schema *schema)
{
    if (schema == NULL)
        return NULL;
    bao_regex_free((struct bao_regex *)(uintptr_t)schema->regexes);
    bao_arena_deinit(&schema->arena);
    free(schema);
    return NULL;
}
