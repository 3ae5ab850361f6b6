#include "lib/base/error.h"
#include "lib/base/utf8.h"
#include "lib/form/registry_parts.h"

enum { TREE_DEPTH_MAX = 32, SUCCESSION_MAX = 16 };

/* ---- finding ---- */

size_t bao_registry_entries(const struct bao_registry *r, struct bao_str code, size_t *ret_n)
{
    size_t low = 0, high = r->n_units, n = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bao_str_cmp(r->units[middle].code, code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < r->n_units && bao_str_eq(r->units[low + n].code, code))
        n++;
    *ret_n = n;
    return low;
}

const struct bao_unit *bao_registry_unit(const struct bao_registry *r, struct bao_str code, bao_date day)
{
    size_t n, first = bao_registry_entries(r, code, &n);

    for (size_t i = first; i < first + n; i++)
        if (bao_window_holds(r->units[i].from, r->units[i].to, day))
            return &r->units[i];
    return NULL;
}

size_t bao_registry_count(const struct bao_registry *r, bao_date day)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_units; i++)
        n += bao_window_holds(r->units[i].from, r->units[i].to, day);
    return n;
}

const struct bao_unit *bao_registry_any(const struct bao_registry *r, struct bao_str code)
{
    size_t n, first = bao_registry_entries(r, code, &n);

    return n == 0 ? NULL : &r->units[first + n - 1];
}

int64_t bao_registry_scope(const struct bao_registry *r, struct bao_str id)
{
    for (size_t i = 0; i < r->n_scopes; i++)
        if (bao_str_eq(r->scopes[i].id, id))
            return (int64_t)i;
    return -1;
}

static size_t first_membership(const struct bao_registry *r, size_t unit)
{
    size_t low = 0, high = r->n_memberships;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (r->memberships[middle].unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t bao_registry_scopes_of(const struct bao_registry *r, size_t unit, bao_date day, uint32_t *ret,
                              size_t size)
{
    size_t n = 0;

    for (size_t i = first_membership(r, unit); i < r->n_memberships && r->memberships[i].unit == unit; i++) {
        const struct bao_membership *m = &r->memberships[i];

        if (n < size && bao_window_holds(m->from, m->to, day))
            ret[n++] = m->scope;
    }
    return n;
}

bool bao_registry_is_member(const struct bao_registry *r, size_t unit, uint32_t scope, bao_date day)
{
    for (size_t i = first_membership(r, unit); i < r->n_memberships && r->memberships[i].unit == unit; i++)
        if (r->memberships[i].scope == scope &&
            bao_window_holds(r->memberships[i].from, r->memberships[i].to, day))
            return true;
    return false;
}

/* Who took over most of `code`; NULL when nobody did. */
static const struct bao_unit *heir(const struct bao_registry *r, struct bao_str code, bao_date day)
{
    const struct bao_unit *best = NULL;
    struct bao_num most = bao_num_int(0);

    for (size_t i = 0; i < r->n_units; i++) {
        const struct bao_unit *u = &r->units[i];

        if (u->from > day)
            continue;
        for (size_t k = 0; k < u->n_was; k++) {
            struct bao_num share = u->was[k].whole ? bao_num_int(1) : u->was[k].share;

            if (bao_str_eq(u->was[k].code, code) && bao_num_cmp(share, most) > 0) {
                best = u;
                most = share;
            }
        }
    }
    return best;
}

const struct bao_unit *bao_registry_successor(const struct bao_registry *r, struct bao_str code, bao_date day)
{
    for (int i = 0; i < SUCCESSION_MAX; i++) {
        const struct bao_unit *u = bao_registry_unit(r, code, day);

        if (u != NULL)
            return u;
        u = heir(r, code, day);
        if (u == NULL)
            return NULL;
        code = u->code;
    }
    return NULL;
}

/* Did another unit take this code over, or a part of it, on that day? */
static bool is_taken(const struct bao_registry *r, struct bao_str code, bao_date day)
{
    for (size_t i = 0; i < r->n_units; i++)
        for (size_t k = 0; r->units[i].from == day && k < r->units[i].n_was; k++)
            if (bao_str_eq(r->units[i].was[k].code, code))
                return true;
    return false;
}

bao_date bao_registry_since(const struct bao_registry *r, struct bao_str code, bao_date day)
{
    size_t n, first = bao_registry_entries(r, code, &n), i = first + n;

    while (i > first && !bao_window_holds(r->units[i - 1].from, r->units[i - 1].to, day))
        i--;
    if (i == first)
        return BAO_DATE_NONE;
    for (i--; i > first; i--) {
        const struct bao_unit *u = &r->units[i];

        if (u->n_was != 0 || u[-1].to != u->from - 1 || is_taken(r, code, u->from))
            break;
    }
    return r->units[i].from;
}

/* Is `name` the whole of `full`, or its end after a word break ("buon_ma_thuot" of "phuong_buon_ma_thuot")?
 */
static bool is_named(struct bao_str full, struct bao_str name, bool whole)
{
    if (whole)
        return bao_str_eq(full, name);
    return full.n > name.n && full.p[full.n - name.n - 1] == '_' &&
           memcmp(full.p + full.n - name.n, name.p, name.n) == 0;
}

/* Which entries to look at: those of the day, or those that ended before it. */
static bool is_wanted(const struct bao_unit *u, bao_date day, bool ended)
{
    return ended ? bao_window_end(u->to) < day : bao_window_holds(u->from, u->to, day);
}

static size_t find_named(const struct bao_registry *r, struct bao_str folded, bao_date day, bool ended,
                         uint32_t *ret, size_t size)
{
    size_t n = 0;

    if (folded.p == NULL || folded.n == 0)
        return 0;
    for (int whole = 1; whole >= 0 && n == 0; whole--)
        for (size_t i = 0; i < r->n_units && n < size; i++)
            if (is_wanted(&r->units[i], day, ended) && is_named(r->units[i].fold, folded, whole != 0))
                ret[n++] = (uint32_t)i;
    return n;
}

size_t bao_registry_named(const struct bao_registry *r, struct bao_arena *arena, struct bao_str name,
                          bao_date day, uint32_t *ret, size_t size)
{
    return find_named(r, bao_utf8_fold(arena, name), day, false, ret, size);
}

size_t bao_registry_once_named(const struct bao_registry *r, struct bao_arena *arena, struct bao_str name,
                               bao_date day, uint32_t *ret, size_t size)
{
    return find_named(r, bao_utf8_fold(arena, name), day, true, ret, size);
}

/* Is `part` in `full` at the beginning of a word? */
static bool has_words(struct bao_str full, struct bao_str part)
{
    for (size_t i = 0; i + part.n <= full.n; i++)
        if ((i == 0 || full.p[i - 1] == '_') && memcmp(full.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

size_t bao_registry_search(const struct bao_registry *r, struct bao_arena *arena, struct bao_str text,
                           uint32_t *ret, size_t size)
{
    struct bao_str folded = bao_utf8_fold(arena, text);
    size_t n = 0;

    if (folded.p == NULL || folded.n == 0)
        return 0;
    for (size_t i = 0; i < r->n_units && n < size; i++) {
        const struct bao_unit *u = &r->units[i];
        bool begins = u->code.n >= text.n && memcmp(u->code.p, text.p, text.n) == 0;

        /* Entries of one code follow each other. */
        if ((begins || has_words(u->fold, folded)) &&
            (n == 0 || !bao_str_eq(r->units[ret[n - 1]].code, u->code)))
            ret[n++] = (uint32_t)i;
    }
    return n;
}

/* ---- making scopes ---- */

/* A code that has children in a tree. */
struct tree_node {
    struct bao_str tree, code;
};

struct linker {
    struct bao_arena *arena;
    struct bao_registry *r;
    struct tree_node *nodes; /* by tree, then code; without doubles */
    size_t n_nodes;
    uint32_t first_kind, first_group, first_node; /* indexes of scopes */
    size_t size;                                  /* of memberships */
};

static int compare_nodes(const void *a, const void *b)
{
    const struct tree_node *x = a, *y = b;
    int c = bao_str_cmp(x->tree, y->tree);

    return c != 0 ? c : bao_str_cmp(x->code, y->code);
}

static int collect_nodes(struct linker *l)
{
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < l->r->n_units; i++)
        n += l->r->units[i].n_parents;
    l->nodes = bao_arena_array(l->arena, n, sizeof(*l->nodes));
    if (l->nodes == NULL)
        return -ENOMEM;
    n = 0;
    for (size_t i = 0; i < l->r->n_units; i++)
        for (size_t k = 0; k < l->r->units[i].n_parents; k++)
            l->nodes[n++] =
                (struct tree_node){l->r->units[i].parents[k].tree, l->r->units[i].parents[k].code};
    if (n != 0)
        qsort(l->nodes, n, sizeof(*l->nodes), compare_nodes);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || compare_nodes(&l->nodes[kept - 1], &l->nodes[i]) != 0)
            l->nodes[kept++] = l->nodes[i];
    l->n_nodes = kept;
    return 0;
}

/* The scope of a tree's node, or -1 when it has no children there. */
static int64_t node_scope(const struct linker *l, struct bao_str tree, struct bao_str code)
{
    const struct tree_node wanted = {tree, code};
    const struct tree_node *found =
        l->n_nodes == 0 ? NULL : bsearch(&wanted, l->nodes, l->n_nodes, sizeof(wanted), compare_nodes);

    return found == NULL ? -1 : (int64_t)l->first_node + (found - l->nodes);
}

static int add_scope(struct linker *l, enum bao_scope_type type, struct bao_str id, struct bao_str name,
                     struct bao_str name_en)
{
    if (id.p == NULL)
        return -ENOMEM;
    l->r->scopes[l->r->n_scopes++] = (struct bao_scope){id, name, name_en, (uint8_t)type};
    return 0;
}

static int add_node_scope(struct linker *l, const struct tree_node *node)
{
    struct bao_registry *r = l->r;
    const struct bao_unit *u = bao_registry_any(r, node->code);
    struct bao_str id =
        bao_arena_printf(l->arena, "%.*s:%.*s", BAO_STR_ARG(node->tree), BAO_STR_ARG(node->code));

    return add_scope(l, BAO_SCOPE_NODE, id, u != NULL ? u->name : r->name,
                     u != NULL ? u->name_en : r->name_en);
}

static int make_scopes(struct linker *l)
{
    struct bao_registry *r = l->r;
    int result;

    r->scopes = bao_arena_array(l->arena, 1 + r->n_kinds + r->n_groups + l->n_nodes, sizeof(*r->scopes));
    if (r->scopes == NULL)
        return -ENOMEM;
    result = add_scope(l, BAO_SCOPE_PROVINCE, r->province, r->name, r->name_en);
    l->first_kind = (uint32_t)r->n_scopes;
    for (size_t i = 0; i < r->n_kinds && result == 0; i++)
        result =
            add_scope(l, BAO_SCOPE_KIND, bao_arena_printf(l->arena, "kind:%.*s", BAO_STR_ARG(r->kinds[i].id)),
                      r->kinds[i].name, r->kinds[i].name_en);
    l->first_group = (uint32_t)r->n_scopes;
    for (size_t i = 0; i < r->n_groups && result == 0; i++)
        result = add_scope(l, BAO_SCOPE_GROUP,
                           bao_arena_printf(l->arena, "group:%.*s", BAO_STR_ARG(r->groups[i].id)),
                           r->groups[i].name, r->groups[i].name_en);
    l->first_node = (uint32_t)r->n_scopes;
    for (size_t i = 0; i < l->n_nodes && result == 0; i++)
        result = add_node_scope(l, &l->nodes[i]);
    return result;
}

/* ---- the closure ---- */

struct window {
    bao_date from, to;
};

static int add_membership(struct linker *l, size_t unit, uint32_t scope, struct window w)
{
    struct bao_registry *r = l->r;

    if (r->n_memberships == l->size) {
        size_t size = l->size == 0 ? 256 : l->size * 2;
        struct bao_membership *more = bao_arena_array(l->arena, size, sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        if (r->n_memberships != 0)
            memcpy(more, r->memberships, r->n_memberships * sizeof(*more));
        r->memberships = more;
        l->size = size;
    }
    r->memberships[r->n_memberships++] = (struct bao_membership){scope, (uint32_t)unit, w.from, w.to};
    return 0;
}

/* Adds `unit` to the scope of node `at` and of everything above it, as long as each link of the chain holds.
 */
static int climb(struct linker *l, size_t unit, struct bao_parent at, struct window w, int depth)
{
    int64_t scope = node_scope(l, at.tree, at.code);
    size_t n, first = bao_registry_entries(l->r, at.code, &n);
    int result = 0;

    if (depth > TREE_DEPTH_MAX)
        return 0; /* the reader has refused such a tree */
    if (n == 0)   /* the province itself: the root of every tree that leads to it */
        return scope < 0 ? 0 : add_membership(l, unit, (uint32_t)scope, w);
    for (size_t i = first; i < first + n && result == 0; i++) {
        const struct bao_unit *u = &l->r->units[i];
        struct window x = {w.from > u->from ? w.from : u->from, w.to};

        if (bao_window_end(u->to) < bao_window_end(x.to))
            x.to = u->to;
        if (x.from > bao_window_end(x.to))
            continue;
        if (scope >= 0)
            result = add_membership(l, unit, (uint32_t)scope, x);
        for (size_t k = 0; k < u->n_parents && result == 0; k++)
            if (bao_str_eq(u->parents[k].tree, at.tree))
                result = climb(l, unit, u->parents[k], x, depth + 1);
    }
    return result;
}

static uint32_t index_of_kind(const struct bao_registry *r, struct bao_str id)
{
    uint32_t i = 0;

    while (i + 1 < r->n_kinds && !bao_str_eq(r->kinds[i].id, id))
        i++;
    return i;
}

static uint32_t index_of_group(const struct bao_registry *r, struct bao_str id)
{
    uint32_t i = 0;

    while (i + 1 < r->n_groups && !bao_str_eq(r->groups[i].id, id))
        i++;
    return i;
}

static int link_unit(struct linker *l, size_t i)
{
    const struct bao_unit *u = &l->r->units[i];
    struct window w = {u->from, u->to};
    int result = add_membership(l, i, 0, w);

    if (result == 0)
        result = add_membership(l, i, l->first_kind + index_of_kind(l->r, u->kind), w);
    for (size_t k = 0; k < u->n_groups && result == 0; k++)
        result = add_membership(l, i, l->first_group + index_of_group(l->r, u->groups[k]), w);
    for (size_t k = 0; k < u->n_parents && result == 0; k++)
        result = climb(l, i, u->parents[k], w, 0);
    /* A unit that has others below it counts in its own node too: the node is the whole of it. */
    for (size_t k = 0; k < l->r->n_trees && result == 0; k++) {
        int64_t scope = node_scope(l, l->r->trees[k], u->code);

        if (scope >= 0)
            result = add_membership(l, i, (uint32_t)scope, w);
    }
    return result;
}

static int compare_memberships(const void *a, const void *b)
{
    const struct bao_membership *x = a, *y = b;

    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    if (x->scope != y->scope)
        return x->scope < y->scope ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* Joins windows of one unit in one scope that touch: a parent with two entries is still one scope. */
static void tidy(struct bao_registry *r)
{
    size_t kept = 0;

    if (r->n_memberships == 0)
        return;
    qsort(r->memberships, r->n_memberships, sizeof(*r->memberships), compare_memberships);
    for (size_t i = 1; i < r->n_memberships; i++) {
        struct bao_membership *last = &r->memberships[kept], *m = &r->memberships[i];

        if (m->unit == last->unit && m->scope == last->scope &&
            (last->to == BAO_DATE_NONE || m->from <= last->to + 1)) {
            if (bao_window_end(m->to) > bao_window_end(last->to))
                last->to = m->to;
        } else {
            r->memberships[++kept] = *m;
        }
    }
    r->n_memberships = kept + 1;
}

int bao_registry_link(struct bao_arena *arena, struct bao_registry *r)
{
    struct linker l = {.arena = arena, .r = r};
    int result = collect_nodes(&l);

    if (result == 0)
        result = make_scopes(&l);
    for (size_t i = 0; i < r->n_units && result == 0; i++)
        result = link_unit(&l, i);
    if (result == 0)
        tidy(r);
    return result;
}
