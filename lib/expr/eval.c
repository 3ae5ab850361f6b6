/* The evaluator: a bound tree, values by value, errors as values. Stack depth is bounded by EXPR_DEPTH_MAX,
 * work by EXPR_STEPS_MAX. */
#include "lib/expr/ast.h"

/* Where a value is needed: absent becomes an error. true: *v is one, and *ret says it. */
static bool is_bad(const struct ast *node, struct bao_value v, struct bao_value *ret)
{
    if (v.type == BAO_V_ABSENT)
        *ret = value_error(BAO_BC_EXPR_ABSENT, node);
    else if (v.type == BAO_V_ERROR)
        *ret = v;
    else
        return false;
    return true;
}

static struct bao_value wrong_type(const struct ast *node)
{
    return value_error(BAO_BC_EXPR_TYPE, node);
}

static struct bao_value no_steps(const struct ast *node)
{
    return value_error(BAO_BC_EXPR_STEPS, node);
}

/* Evaluates a kid that must have a value: 1 it has, 0 *ret is the error, -ENOMEM. */
static int need(struct run *run, const struct ast *kid, struct bao_value *v, struct bao_value *ret)
{
    int r = bao_ast_run(run, kid, v);

    if (r != 0)
        return r;
    return !is_bad(kid, *v, ret);
}

static struct bao_value field_of(const struct ast *node, struct bao_value v, struct bao_str name,
                                 uint32_t hash)
{
    switch (v.type) {
    case BAO_V_MAP:
        return bao_value_field(v, name, hash);
    case BAO_V_NULL:
    case BAO_V_ABSENT:
        return (struct bao_value){.type = BAO_V_ABSENT};
    case BAO_V_ERROR:
        return v;
    default:
        return wrong_type(node);
    }
}

/* The value of a variable: asked for once. */
static const struct bao_value *variable(struct run *run, const struct ast *node)
{
    if (node->local)
        return &run->locals[node->slot];
    if (!run->asked[node->slot]) {
        run->names[node->slot] = run->scope->get(run->scope->user, run->expr->names[node->slot]);
        run->asked[node->slot] = true;
    }
    return &run->names[node->slot];
}

static int run_name(struct run *run, const struct ast *node, struct bao_value *ret)
{
    const struct bao_value *v;
    size_t done = 0;

    if (run->scope->known != NULL && node->path != 0 && run->scope->known[node->path - 1] != NULL) {
        bao_value_set(ret, run->scope->known[node->path - 1]);
        return 0;
    }
    v = variable(run, node);
    if (v->type == BAO_V_MAP && v->made == NULL && v->len != 0)
        bao_value_set(ret, bao_ast_walk(v->node, node->steps, node->n_steps, &done));
    else
        *ret = *v;
    for (; done < node->n_steps; done++)
        *ret = field_of(node, *ret, node->steps[done].name, node->steps[done].hash);
    return 0;
}

static int run_select(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value base;
    int r = bao_ast_run(run, node->kids[0], &base);

    if (r == 0)
        *ret = field_of(node, base, node->name, node->hash);
    return r;
}

static struct bao_value element(const struct ast *node, struct bao_value list, struct bao_value index)
{
    struct bao_num i;

    if (index.type != BAO_V_NUM)
        return wrong_type(node);
    i = index.num;
    if (!bao_num_is_whole(i))
        return value_error(BAO_BC_EXPR_INDEX, node);
    if (!i.is_int || i.i < 0 || i.i >= list.len)
        return value_error(BAO_BC_EXPR_INDEX, node);
    return bao_value_item(list, (size_t)i.i);
}

static int run_index(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value base, index;
    int r = bao_ast_run(run, node->kids[0], &base);

    if (r != 0)
        return r;
    r = need(run, node->kids[1], &index, ret);
    if (r <= 0)
        return r;
    if (base.type == BAO_V_LIST)
        *ret = element(node, base, index);
    else if (base.type == BAO_V_MAP)
        *ret = run_spend(run, base.len) ? bao_value_get(base, index) : no_steps(node);
    else
        *ret = field_of(node, base, BAO_STR_NULL, 0);
    return 0;
}

static int run_has(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v;
    int r;

    run->in_has++;
    r = bao_ast_run(run, node->kids[0], &v);
    run->in_has--;
    if (r != 0)
        return r;
    if (v.type == BAO_V_ERROR && v.code != BAO_BC_EXPR_INDEX)
        *ret = v;
    else
        *ret = value_bool(v.type != BAO_V_ERROR && v.type != BAO_V_ABSENT && v.type != BAO_V_NULL);
    return 0;
}

/* && and ||: the answer that decides alone (false, true) outweighs an error on the other side. */
static int run_logic(struct run *run, const struct ast *node, struct bao_value *ret)
{
    bool decides = node->op == OP_OR;
    struct bao_value error = {.type = BAO_V_ABSENT}, v;

    for (uint32_t i = 0; i < 2; i++) {
        int r = bao_ast_run(run, node->kids[i], &v);

        if (r != 0)
            return r;
        if (v.type == BAO_V_BOOL && v.boolean == decides) {
            *ret = v;
            return 0;
        }
        if (v.type != BAO_V_BOOL && error.type == BAO_V_ABSENT && !is_bad(node->kids[i], v, &error))
            error = wrong_type(node->kids[i]);
    }
    *ret = error.type == BAO_V_ERROR ? error : value_bool(!decides);
    return 0;
}

static int run_choice(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v;
    int r = need(run, node->kids[0], &v, ret);

    if (r <= 0)
        return r;
    if (v.type == BAO_V_BOOL)
        return bao_ast_run(run, node->kids[v.boolean ? 1 : 2], ret);
    *ret = wrong_type(node->kids[0]);
    return 0;
}

static int run_not(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v;
    int r = need(run, node->kids[0], &v, ret);

    if (r > 0)
        *ret = v.type == BAO_V_BOOL ? value_bool(!v.boolean) : wrong_type(node);
    return r < 0 ? r : 0;
}

static int run_neg(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v;
    int r = need(run, node->kids[0], &v, ret);

    if (r <= 0)
        return r;
    if (v.type != BAO_V_NUM) {
        *ret = wrong_type(node);
        return 0;
    }
    r = bao_num_neg(run->arena, v.num, &v.num);
    if (r == 0)
        *ret = v;
    return bao_error_fold(r);
}

/* Evaluates both sides: 1 both have values, 0 *ret is the error, -ENOMEM. */
static int both(struct run *run, const struct ast *node, struct bao_value v[2], struct bao_value *ret)
{
    int r = need(run, node->kids[0], &v[0], ret);

    return r <= 0 ? r : need(run, node->kids[1], &v[1], ret);
}

static int run_equal(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v[2];
    int r = both(run, node, v, ret);
    int equal;

    if (r <= 0)
        return r;
    equal = bao_value_equal(run, v[0], v[1]);
    *ret = equal < 0 ? no_steps(node) : value_bool((equal == 1) == (node->op == OP_EQ));
    return 0;
}

/* The order of two values of one kind that has an order: -1, 0, 1. */
static bool compare(struct bao_value a, struct bao_value b, int *ret)
{
    int c;

    if (a.type != b.type)
        return false;
    if (a.type == BAO_V_NUM)
        c = bao_num_cmp(a.num, b.num);
    else if (a.type == BAO_V_STRING)
        c = bao_str_cmp(str_of_value(a), str_of_value(b));
    else if (a.type == BAO_V_BOOL)
        c = (int)a.boolean - (int)b.boolean;
    else
        return false;
    *ret = (c > 0) - (c < 0);
    return true;
}

static int run_order(struct run *run, const struct ast *node, struct bao_value *ret)
{
    static const struct {
        int8_t wanted, other;
    } rows[] = {[OP_LT] = {-1, -1}, [OP_LE] = {-1, 0}, [OP_GT] = {1, 1}, [OP_GE] = {1, 0}};
    struct bao_value v[2];
    int r = both(run, node, v, ret), c;

    if (r <= 0)
        return r;
    if (compare(v[0], v[1], &c))
        *ret = value_bool(c == rows[node->op].wanted || c == rows[node->op].other);
    else
        *ret = wrong_type(node);
    return 0;
}

static int run_in(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v[2];
    int r = both(run, node, v, ret), equal = 0;

    if (r <= 0)
        return r;
    if (v[1].type == BAO_V_MAP) {
        *ret = run_spend(run, v[1].len) ? value_bool(bao_value_get(v[1], v[0]).type != BAO_V_ABSENT)
                                        : no_steps(node);
        return 0;
    }
    if (v[1].type != BAO_V_LIST) {
        *ret = wrong_type(node);
        return 0;
    }
    for (size_t i = 0; equal == 0 && i < v[1].len; i++)
        equal = bao_value_equal(run, v[0], bao_value_item(v[1], i));
    *ret = equal < 0 ? no_steps(node) : value_bool(equal == 1);
    return 0;
}

static int join_strings(struct run *run, const struct ast *node, const struct bao_value v[2],
                        struct bao_value *ret)
{
    size_t n = (size_t)v[0].len + v[1].len;
    char *p;

    if (!run_spend(run, n / 16)) {
        *ret = no_steps(node);
        return 0;
    }
    p = bao_arena_alloc(run->arena, n + 1);
    if (p == NULL)
        return -ENOMEM;
    if (v[0].len != 0)
        memcpy(p, v[0].str, v[0].len);
    if (v[1].len != 0)
        memcpy(p + v[0].len, v[1].str, v[1].len);
    p[n] = '\0';
    *ret = value_str((struct bao_str){p, n});
    return 0;
}

static int join_lists(struct run *run, const struct ast *node, const struct bao_value v[2],
                      struct bao_value *ret)
{
    size_t n = (size_t)v[0].len + v[1].len;
    struct bao_value *items;

    if (!run_spend(run, n)) {
        *ret = no_steps(node);
        return 0;
    }
    items = bao_arena_array(run->arena, n + 1, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = i < v[0].len ? bao_value_item(v[0], i) : bao_value_item(v[1], i - v[0].len);
    *ret = (struct bao_value){.type = BAO_V_LIST, .len = (uint32_t)n, .made = items};
    return 0;
}

static size_t num_cost(struct bao_num n)
{
    return n.is_int ? 0 : n.d->n_limbs;
}

int bao_run_number(struct run *run, const struct ast *node, enum op op, const struct bao_value v[2],
                   struct bao_value *ret)
{
    int (*const calls[])(struct bao_arena *, struct bao_num, struct bao_num, struct bao_num *) = {
        [OP_ADD] = bao_num_add, [OP_SUB] = bao_num_sub, [OP_MUL] = bao_num_mul,
        [OP_DIV] = bao_num_div, [OP_REM] = bao_num_rem,
    };
    struct bao_num num;
    int r;

    if (!run_spend(run, num_cost(v[0].num) + num_cost(v[1].num))) {
        *ret = no_steps(node);
        return 0;
    }
    r = calls[op](run->arena, v[0].num, v[1].num, &num);
    if (r == BAO_DEC_E_DIVISION)
        *ret = value_error(BAO_BC_EXPR_DIVISION, node);
    else if (r > 0)
        *ret = value_error(BAO_BC_EXPR_RANGE, node);
    else if (r == 0)
        *ret = value_num(num, op == OP_DIV || v[0].is_double || v[1].is_double);
    return r < 0 ? r : 0;
}

static int run_arithmetic(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value v[2];
    int r = both(run, node, v, ret);

    if (r <= 0)
        return r;
    if (v[0].type == BAO_V_NUM && v[1].type == BAO_V_NUM)
        return bao_run_number(run, node, node->op, v, ret);
    if (node->op == OP_ADD && v[0].type == v[1].type && v[0].type == BAO_V_STRING)
        return join_strings(run, node, v, ret);
    if (node->op == OP_ADD && v[0].type == v[1].type && v[0].type == BAO_V_LIST)
        return join_lists(run, node, v, ret);
    *ret = wrong_type(node);
    return 0;
}

static int run_list(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value *items = bao_arena_array(run->arena, node->n + 1u, sizeof(*items));
    int r;

    if (items == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < node->n; i++) {
        r = need(run, node->kids[i], &items[i], ret);
        if (r <= 0)
            return r;
    }
    *ret = (struct bao_value){.type = BAO_V_LIST, .len = node->n, .made = items};
    return 0;
}

static bool is_key(struct bao_value v)
{
    return v.type == BAO_V_STRING || v.type == BAO_V_BOOL || (v.type == BAO_V_NUM && !v.is_double);
}

static int run_map(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value *items = bao_arena_array(run->arena, node->n + 1u, sizeof(*items));
    struct bao_value map = {.type = BAO_V_MAP, .made = items};
    int r;

    if (items == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < node->n; i += 2) {
        if ((r = need(run, node->kids[i], &items[i], ret)) <= 0 ||
            (r = need(run, node->kids[i + 1], &items[i + 1], ret)) <= 0)
            return r;
        if (!is_key(items[i]) || !run_spend(run, map.len) ||
            bao_value_get(map, items[i]).type != BAO_V_ABSENT) {
            *ret = value_error(BAO_BC_EXPR_KEY, node->kids[i]);
            return 0;
        }
        map.len++;
    }
    *ret = map;
    return 0;
}

static int run_call(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value few[4], *args = few;
    int r;

    if (node->n > BAO_COUNT(few) && (args = bao_arena_array(run->arena, node->n, sizeof(*args))) == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < node->n; i++) {
        r = need(run, node->kids[i], &args[i], ret);
        if (r <= 0)
            return r;
    }
    return node->function->call(run, node, args, ret);
}

/* Element i of what a comprehension walks: a list's elements, a map's keys. false: nothing stands there. */
static bool walk(struct bao_value range, size_t i, struct bao_value *ret)
{
    struct bao_value unused;

    if (range.type == BAO_V_MAP)
        return bao_value_entry(range, i, ret, &unused);
    *ret = bao_value_item(range, i);
    return true;
}

/* all, exists, exists_one. `found` counts the elements that are true (all: false); an error counts only when
 * no such element decides, as && and || over all of them would say. */
static int run_quantifier(struct run *run, const struct ast *node, struct bao_value range,
                          struct bao_value *ret)
{
    struct bao_value error = {.type = BAO_V_ABSENT}, v;
    size_t found = 0;
    int r;

    for (size_t i = 0; i < range.len; i++) {
        if (!walk(range, i, &run->locals[node->slot]))
            continue;
        if ((r = bao_ast_run(run, node->kids[1], &v)) != 0)
            return r;
        if (v.type == BAO_V_BOOL) {
            found += v.boolean == (node->op != OP_ALL);
            if (found != 0 && node->op != OP_EXISTS_ONE)
                break;
        } else if (error.type == BAO_V_ABSENT && !is_bad(node->kids[1], v, &error)) {
            error = wrong_type(node->kids[1]);
        }
    }
    if (error.type == BAO_V_ERROR && (node->op == OP_EXISTS_ONE || found == 0))
        *ret = error;
    else if (node->op == OP_EXISTS_ONE)
        *ret = value_bool(found == 1);
    else
        *ret = value_bool((found != 0) == (node->op == OP_EXISTS));
    return 0;
}

/* Asks whether an element is kept: 1 *ret_keep says it, 0 *ret is the error, -ENOMEM. */
static int keep(struct run *run, const struct ast *test, struct bao_value *ret, bool *ret_keep)
{
    struct bao_value v;
    int r = need(run, test, &v, ret);

    if (r <= 0)
        return r;
    if (v.type != BAO_V_BOOL) {
        *ret = wrong_type(test);
        return 0;
    }
    *ret_keep = v.boolean;
    return 1;
}

static int run_collect(struct run *run, const struct ast *node, struct bao_value range, struct bao_value *ret)
{
    const struct ast *test = node->op == OP_FILTER ? node->kids[1] : node->n == 3 ? node->kids[2] : NULL;
    struct bao_value *items;
    size_t n = 0;
    bool kept = true;
    int r;

    if (!run_spend(run, range.len)) {
        *ret = no_steps(node);
        return 0;
    }
    items = bao_arena_array(run->arena, (size_t)range.len + 1, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < range.len; i++) {
        struct bao_value *element = &run->locals[node->slot];

        if (!walk(range, i, element))
            continue;
        if (test != NULL && (r = keep(run, test, ret, &kept)) <= 0)
            return r;
        if (!kept)
            continue;
        items[n] = *element;
        if (node->op == OP_MAP_EACH && (r = need(run, node->kids[1], &items[n], ret)) <= 0)
            return r;
        n++;
    }
    *ret = (struct bao_value){.type = BAO_V_LIST, .len = (uint32_t)n, .made = items};
    return 0;
}

static int run_comprehension(struct run *run, const struct ast *node, struct bao_value *ret)
{
    struct bao_value range;
    int r = need(run, node->kids[0], &range, ret);

    if (r <= 0)
        return r;
    if (!value_is_container(range)) {
        *ret = wrong_type(node->kids[0]);
        return 0;
    }
    if (node->op == OP_MAP_EACH || node->op == OP_FILTER)
        return run_collect(run, node, range, ret);
    return run_quantifier(run, node, range, ret);
}

static int run_value(struct run *run, const struct ast *node, struct bao_value *ret)
{
    (void)run;
    *ret = node->value;
    return 0;
}

int bao_ast_run(struct run *run, const struct ast *node, struct bao_value *ret)
{
    static int (*const runs[OP_COUNT_])(struct run *, const struct ast *, struct bao_value *) = {
        [OP_VALUE] = run_value,
        [OP_LIST] = run_list,
        [OP_MAP] = run_map,
        [OP_NAME] = run_name,
        [OP_SELECT] = run_select,
        [OP_INDEX] = run_index,
        [OP_HAS] = run_has,
        [OP_NOT] = run_not,
        [OP_NEG] = run_neg,
        [OP_AND] = run_logic,
        [OP_OR] = run_logic,
        [OP_CHOICE] = run_choice,
        [OP_EQ] = run_equal,
        [OP_NE] = run_equal,
        [OP_LT] = run_order,
        [OP_LE] = run_order,
        [OP_GT] = run_order,
        [OP_GE] = run_order,
        [OP_IN] = run_in,
        [OP_ADD] = run_arithmetic,
        [OP_SUB] = run_arithmetic,
        [OP_MUL] = run_arithmetic,
        [OP_DIV] = run_arithmetic,
        [OP_REM] = run_arithmetic,
        [OP_CALL] = run_call,
        [OP_ALL] = run_comprehension,
        [OP_EXISTS] = run_comprehension,
        [OP_EXISTS_ONE] = run_comprehension,
        [OP_MAP_EACH] = run_comprehension,
        [OP_FILTER] = run_comprehension,
    };
    int r;

    if (!run_spend(run, 1)) {
        *ret = no_steps(node);
        return 0;
    }
    r = runs[node->op](run, node, ret);
    if (r == 0 && ret->type == BAO_V_ABSENT && node->path != 0 && run->scope->zeros != NULL &&
        run->in_has == 0)
        *ret = run->scope->zeros[node->path - 1];
    return r;
}

int bao_expr_eval(const struct bao_expr *expr, struct bao_arena *arena, const struct bao_expr_scope *scope,
                  struct bao_value *ret)
{
    enum { FEW = 8 };
    struct bao_value names[FEW], locals[FEW], v;
    bool asked[FEW] = {false};
    struct run run = {.arena = arena,
                      .expr = expr,
                      .scope = scope,
                      .names = names,
                      .asked = asked,
                      .locals = locals,
                      .steps = EXPR_STEPS_MAX};
    int r;

    if (expr->n_names > FEW) {
        run.names = bao_arena_array(arena, expr->n_names, sizeof(*run.names));
        run.asked = bao_arena_array(arena, expr->n_names, sizeof(*run.asked));
    }
    if (expr->n_locals > FEW)
        run.locals = bao_arena_array(arena, expr->n_locals, sizeof(*run.locals));
    if (run.names == NULL || run.asked == NULL || run.locals == NULL)
        return -ENOMEM;
    r = bao_ast_run(&run, expr->root, &v);
    bao_regex_scratch_free(run.scratch);
    if (r == 0)
        *ret = v;
    return r;
}
