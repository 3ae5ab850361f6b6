/* Variables to slots, and what the expression reads: every path, with the places where has() guards it.
 *
 * What is known at a point is a list of facts: paths whose has() holds there. has(a) && b, has(a) ? b : c,
 * !has(a) || b and list.filter(x, has(x.so)).map(x, x.so) all add to it. */
#include "lib/expr/ast.h"

struct path {
    struct bao_str root; /* .p NULL: nothing is known */
    const struct bao_expr_step *steps;
    size_t n;
};

struct fact {
    struct path path;
    const struct fact *next;
};

/* What a tree's value is: one path's value, or a list whose elements are. */
struct shape {
    struct path path;
    bool list_of;
    const struct fact *facts; /* that hold for each element */
};

struct local {
    struct bao_str name;
    uint32_t slot;
    struct path path; /* of the element */
    const struct local *outer;
};

struct scope {
    const struct local *locals;
    const struct fact *facts;
    bool guarded; /* inside has() */
};

struct binder {
    struct lexer *lexer;
    struct bao_arena *arena;
    struct bao_str *names;
    size_t n_names, names_size;
    struct bao_expr_path *paths;
    size_t n_paths, paths_size;
    size_t n_locals;
};

static int bind(struct binder *b, struct ast *node, struct scope scope, struct shape *ret);

/* Room for one more in a growing array of the arena. */
static int make_room(struct bao_arena *a, void *array, size_t n, size_t *size, size_t each)
{
    void **items = array;
    size_t more = *size == 0 ? 8 : *size * 2;
    void *grown;

    if (n < *size)
        return 0;
    grown = bao_arena_array(a, more, each);
    if (grown == NULL)
        return -ENOMEM;
    if (n != 0)
        memcpy(grown, *items, n * each);
    *items = grown;
    *size = more;
    return 0;
}

static int name_slot(struct binder *b, struct bao_str name, uint32_t *ret)
{
    size_t i = 0;
    int r;

    while (i < b->n_names && !bao_str_eq(b->names[i], name))
        i++;
    if (i == b->n_names) {
        r = make_room(b->arena, &b->names, b->n_names, &b->names_size, sizeof(*b->names));
        if (r != 0)
            return r;
        b->names[b->n_names++] = name;
    }
    *ret = (uint32_t)i;
    return 0;
}

static bool step_equal(const struct bao_expr_step *a, const struct bao_expr_step *b)
{
    return a->kind == b->kind && a->index == b->index && bao_str_eq(a->name, b->name);
}

/* Does `a` begin with `b`? */
static bool path_covers(struct path a, struct path b)
{
    if (!bao_str_eq(a.root, b.root) || a.n < b.n)
        return false;
    for (size_t i = 0; i < b.n; i++)
        if (!step_equal(&a.steps[i], &b.steps[i]))
            return false;
    return true;
}

static bool is_known(const struct fact *facts, struct path path)
{
    for (; facts != NULL; facts = facts->next)
        if (path_covers(facts->path, path))
            return true;
    return false;
}

/* path followed by more steps. */
static int extend(struct binder *b, struct path path, const struct bao_expr_step *steps, size_t n,
                  struct path *ret)
{
    struct bao_expr_step *all;

    if (path.root.p == NULL || n == 0) {
        *ret = path;
        return 0;
    }
    all = bao_arena_array(b->arena, path.n + n, sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    if (path.n != 0)
        memcpy(all, path.steps, path.n * sizeof(*all));
    memcpy(all + path.n, steps, n * sizeof(*all));
    *ret = (struct path){path.root, all, path.n + n};
    return 0;
}

/* Notes that the tree reads the path; the same path read alike is one entry. */
static int record(struct binder *b, struct ast *node, struct path path, const struct scope *scope)
{
    bool guarded = scope->guarded || is_known(scope->facts, path);
    struct bao_place at = b->lexer->start;
    size_t i = 0;
    int r;

    if (path.root.p == NULL)
        return 0;
    for (; i < b->n_paths; i++) {
        struct path other = {b->paths[i].root, b->paths[i].steps, b->paths[i].n_steps};

        if (b->paths[i].guarded == guarded && other.n == path.n && path_covers(other, path))
            break;
    }
    if (i == b->n_paths) {
        r = make_room(b->arena, &b->paths, b->n_paths, &b->paths_size, sizeof(*b->paths));
        if (r != 0)
            return r;
        at = bao_lexer_place(b->lexer, node->at, node->end);
        b->paths[b->n_paths++] = (struct bao_expr_path){path.root, path.steps, path.n, guarded, at};
    }
    node->path = (uint32_t)i + 1;
    return 0;
}

static int bind_name(struct binder *b, struct ast *node, const struct local *locals, struct path *ret)
{
    int r;

    for (; locals != NULL && !node->rooted; locals = locals->outer)
        if (bao_str_eq(locals->name, node->name)) {
            node->local = true;
            node->slot = locals->slot;
            return extend(b, locals->path, node->steps, node->n_steps, ret);
        }
    r = name_slot(b, node->name, &node->slot);
    if (r == 0)
        *ret = (struct path){node->name, node->steps, node->n_steps};
    return r;
}

static bool is_chain(const struct ast *node)
{
    return node->op == OP_NAME || node->op == OP_SELECT || node->op == OP_INDEX;
}

static int bind_index(struct binder *b, struct ast *node, struct scope scope, struct bao_expr_step *ret)
{
    const struct ast *index = node->kids[1];
    struct shape unused;

    *ret = (struct bao_expr_step){.kind = BAO_STEP_COMPUTED};
    if (index->op == OP_VALUE && index->value.type == BAO_V_NUM && index->value.num.is_int) {
        ret->kind = BAO_STEP_INDEX;
        ret->index = index->value.num.i;
    }
    scope.guarded = false;
    return bind(b, node->kids[1], scope, &unused);
}

/* The path of a.b[2].c without noting it as read: its beginnings are not read for themselves. */
static int bind_chain(struct binder *b, struct ast *node, struct scope scope, struct path *ret)
{
    struct bao_expr_step step = {.kind = BAO_STEP_FIELD, .name = node->name, .hash = node->hash};
    struct shape base = {.list_of = false};
    int r;

    if (node->op == OP_NAME)
        return bind_name(b, node, scope.locals, ret);
    if (is_chain(node->kids[0]))
        r = bind_chain(b, node->kids[0], scope, &base.path);
    else
        r = bind(b, node->kids[0], scope, &base);
    if (r == 0 && node->op == OP_INDEX)
        r = bind_index(b, node, scope, &step);
    if (r != 0)
        return r;
    if (base.list_of) {
        *ret = node->op == OP_INDEX ? base.path : (struct path){.n = 0};
        return 0;
    }
    return extend(b, base.path, &step, 1, ret);
}

static int add_fact(struct binder *b, struct path path, const struct fact **facts)
{
    struct fact *f;

    if (path.root.p == NULL)
        return 0;
    f = bao_arena_array(b->arena, 1, sizeof(*f));
    if (f == NULL)
        return -ENOMEM;
    *f = (struct fact){path, *facts};
    *facts = f;
    return 0;
}

/* Adds what holds where the tree is true (or false). */
static int learn(struct binder *b, struct ast *node, bool truth, struct scope scope,
                 const struct fact **facts)
{
    struct path path;
    int r;

    if (node->op == OP_NOT)
        return learn(b, node->kids[0], !truth, scope, facts);
    if (node->op == (truth ? OP_AND : OP_OR)) {
        r = learn(b, node->kids[0], truth, scope, facts);
        return r != 0 ? r : learn(b, node->kids[1], truth, scope, facts);
    }
    if (node->op != OP_HAS || !truth)
        return 0;
    scope.guarded = true;
    r = bind_chain(b, node->kids[0], scope, &path);
    return r != 0 ? r : add_fact(b, path, facts);
}

/* && || ?: : the later parts know what the first one said. */
static int bind_logic(struct binder *b, struct ast *node, struct scope scope)
{
    struct shape unused;
    int r = bind(b, node->kids[0], scope, &unused);

    for (uint32_t i = 1; r == 0 && i < node->n; i++) {
        bool truth = node->op == OP_AND || (node->op == OP_CHOICE && i == 1);
        struct scope inner = scope;

        r = learn(b, node->kids[0], truth, scope, &inner.facts);
        if (r == 0)
            r = bind(b, node->kids[i], inner, &unused);
    }
    return r;
}

static uint32_t local_depth(const struct local *locals)
{
    return locals == NULL ? 0 : locals->slot + 1;
}

static int bind_comprehension(struct binder *b, struct ast *node, struct scope scope, struct shape *ret)
{
    static const struct bao_expr_step each = {.kind = BAO_STEP_EACH};
    struct local local = {.name = node->name, .slot = local_depth(scope.locals), .outer = scope.locals};
    struct shape range, body, unused;
    int r = bind(b, node->kids[0], scope, &range);

    if (r == 0)
        r = extend(b, range.path, &each, range.list_of ? 0 : 1, &local.path);
    if (r != 0)
        return r;
    node->slot = local.slot;
    b->n_locals = local.slot + 1 > b->n_locals ? local.slot + 1 : b->n_locals;
    scope.locals = &local;
    for (const struct fact *f = range.facts; r == 0 && f != NULL; f = f->next)
        r = add_fact(b, f->path, &scope.facts);
    if (r == 0 && node->n == 3) {
        r = bind(b, node->kids[2], scope, &unused);
        if (r == 0)
            r = learn(b, node->kids[2], true, scope, &scope.facts);
    }
    if (r == 0)
        r = bind(b, node->kids[1], scope, &body);
    if (r != 0)
        return r;
    if (node->op == OP_FILTER) {
        *ret = (struct shape){.path = local.path, .list_of = true, .facts = range.facts};
        return learn(b, node->kids[1], true, scope, &ret->facts);
    }
    if (node->op == OP_MAP_EACH && !body.list_of)
        *ret = (struct shape){.path = body.path, .list_of = true, .facts = scope.facts};
    return 0;
}

static int bind(struct binder *b, struct ast *node, struct scope scope, struct shape *ret)
{
    struct shape unused;
    int r = 0;

    *ret = (struct shape){.list_of = false};
    if (is_chain(node)) {
        r = bind_chain(b, node, scope, &ret->path);
        return r != 0 ? r : record(b, node, ret->path, &scope);
    }
    switch (node->op) {
    case OP_HAS:
        scope.guarded = true;
        return bind(b, node->kids[0], scope, &unused);
    case OP_AND:
    case OP_OR:
    case OP_CHOICE:
        return bind_logic(b, node, scope);
    case OP_ALL:
    case OP_EXISTS:
    case OP_EXISTS_ONE:
    case OP_MAP_EACH:
    case OP_FILTER:
        return bind_comprehension(b, node, scope, ret);
    default:
        for (uint32_t i = 0; r == 0 && i < node->n; i++)
            r = bind(b, node->kids[i], scope, &unused);
        return r;
    }
}

int bao_ast_bind(struct lexer *l, struct ast *root, struct bao_expr *expr)
{
    struct binder b = {.lexer = l, .arena = l->arena};
    struct scope scope = {.locals = NULL};
    struct shape unused;
    int r = bind(&b, root, scope, &unused);

    if (r != 0)
        return r;
    expr->names = b.names;
    expr->n_names = b.n_names;
    expr->n_locals = b.n_locals;
    expr->paths = b.paths;
    expr->n_paths = b.n_paths;
    return 0;
}

const struct bao_expr_path *bao_expr_paths(const struct bao_expr *expr, size_t *ret_n)
{
    *ret_n = expr->n_paths;
    return expr->paths;
}

bool bao_expr_is_path(const struct bao_expr *expr)
{
    return expr->root->path != 0 && expr->n_paths == 1;
}
