/* Expressions of a form at work: what their variables stand for. */
#include "lib/form/rule.h"

void bao_rule_env_init(struct rule_env *env, struct bao_arena *arena, const struct bao_rule_vars *vars)
{
    *env = (struct rule_env){.arena = arena, .vars = vars};
    env->nodes[RULE_SELF] = vars->self;
    env->nodes[RULE_ITEM] = vars->item;
    env->nodes[RULE_PARENT] = vars->parent;
    env->known = 1u << RULE_SELF | 1u << RULE_PERIOD | 1u << RULE_UNIT;
    if (vars->item != NULL)
        env->known |= 1u << RULE_ITEM;
    if (vars->parent != NULL)
        env->known |= 1u << RULE_PARENT;
    if (vars->history != NULL) {
        env->nodes[RULE_PREV] = vars->history->prev;
        env->nodes[RULE_PREV_YEAR] = vars->history->prev_year;
        env->known |= 1u << RULE_PREV | 1u << RULE_PREV_YEAR | 1u << RULE_YTD;
    }
}

static struct bao_value string_value(struct bao_str s)
{
    return (struct bao_value){.type = BAO_V_STRING, .str = s.p == NULL ? "" : s.p, .len = (uint32_t)s.n};
}

static struct bao_value text_value(struct rule_env *env, const char *text)
{
    struct bao_str copy = bao_arena_str(env->arena, bao_str_c(text));

    env->no_memory |= copy.p == NULL;
    return string_value(copy);
}

static struct bao_value date_value(struct rule_env *env, bao_date date)
{
    char text[16];

    if (date == BAO_DATE_NONE)
        return (struct bao_value){.type = BAO_V_ABSENT};
    bao_date_print(date, text);
    return text_value(env, text);
}

/* A made map being filled; absent values are left out. */
struct maker {
    struct bao_value *items;
    uint32_t n;
};

static void put(struct maker *m, struct bao_str name, struct bao_value value)
{
    if (value.type == BAO_V_ABSENT)
        return;
    m->items[2 * m->n] = string_value(name);
    m->items[2 * m->n++ + 1] = value;
}

static struct bao_value maker_value(const struct maker *m)
{
    return (struct bao_value){.type = BAO_V_MAP, .len = m->n, .made = m->items};
}

static bool maker_init(struct rule_env *env, struct maker *m, size_t n)
{
    *m = (struct maker){.items = bao_arena_array(env->arena, 2 * n + 1, sizeof(*m->items))};
    env->no_memory |= m->items == NULL;
    return m->items != NULL;
}

static struct bao_value num_value(int64_t i)
{
    return (struct bao_value){.type = BAO_V_NUM, .num = bao_num_int(i)};
}

static struct bao_value make_period(struct rule_env *env)
{
    const struct bao_rule_vars *v = env->vars;
    struct maker m;
    char label[16];

    if (!maker_init(env, &m, 6))
        return (struct bao_value){.type = BAO_V_ABSENT};
    bao_period_print(v->period, label);
    put(&m, BAO_STR("label"), text_value(env, label));
    put(&m, BAO_STR("from"), date_value(env, v->from));
    put(&m, BAO_STR("to"), date_value(env, v->to));
    put(&m, BAO_STR("year"), num_value(v->period.year));
    put(&m, BAO_STR("n"), num_value(v->period.n));
    put(&m, BAO_STR("due"), date_value(env, v->due));
    return maker_value(&m);
}

static struct bao_value make_unit(struct rule_env *env)
{
    const struct bao_unit *unit = env->vars->unit;
    struct bao_value *groups;
    struct maker m;

    if (!maker_init(env, &m, 4))
        return (struct bao_value){.type = BAO_V_ABSENT};
    put(&m, BAO_STR("code"), string_value(env->vars->unit_code));
    if (unit == NULL)
        return maker_value(&m);
    groups = bao_arena_array(env->arena, unit->n_groups + 1, sizeof(*groups));
    env->no_memory |= groups == NULL;
    for (size_t i = 0; groups != NULL && i < unit->n_groups; i++)
        groups[i] = string_value(unit->groups[i]);
    put(&m, BAO_STR("kind"), string_value(unit->kind));
    put(&m, BAO_STR("name"), string_value(unit->name));
    put(&m, BAO_STR("groups"),
        (struct bao_value){.type = BAO_V_LIST, .len = (uint32_t)unit->n_groups, .made = groups});
    return maker_value(&m);
}

static size_t dot_of(struct bao_str code)
{
    const char *dot = memchr(code.p, '.', code.n);

    return dot == NULL ? code.n : (size_t)(dot - code.p);
}

/* Adds the sums whose codes begin with group and a dot (group empty: those without a dot). */
static void put_codes(const struct bao_rule_vars *v, struct bao_str group, struct maker *m)
{
    for (size_t i = 0; i < v->form->n_indicators; i++) {
        struct bao_str code = v->form->indicators[i].code;
        size_t dot = dot_of(code);
        bool inside = dot < code.n && bao_str_eq((struct bao_str){code.p, dot}, group);

        if (!v->history->ytd[i].present || (group.n == 0 ? dot < code.n : !inside))
            continue;
        if (inside)
            code = (struct bao_str){code.p + dot + 1, code.n - dot - 1};
        put(m, code, (struct bao_value){.type = BAO_V_NUM, .num = v->history->ytd[i].value});
    }
}

/* ytd.CODE; train.direct becomes ytd.train.direct: a map in the map. */
static struct bao_value make_ytd(struct rule_env *env)
{
    const struct bao_rule_vars *v = env->vars;
    size_t n = v->form == NULL ? 0 : v->form->n_indicators;
    struct maker m, inner;

    if (n == 0 || v->history == NULL || v->history->ytd == NULL || !maker_init(env, &m, n))
        return (struct bao_value){.type = BAO_V_MAP};
    put_codes(v, BAO_STR_NULL, &m);
    for (size_t i = 0; i < n; i++) {
        struct bao_str code = v->form->indicators[i].code, group = {code.p, dot_of(code)};
        bool first = group.n < code.n;

        for (size_t k = 0; k < i && first; k++) {
            struct bao_str other = v->form->indicators[k].code;

            first = !(dot_of(other) < other.n && bao_str_eq((struct bao_str){other.p, dot_of(other)}, group));
        }
        if (!first || !maker_init(env, &inner, n))
            continue;
        put_codes(v, group, &inner);
        put(&m, group, maker_value(&inner));
    }
    return maker_value(&m);
}

struct bao_value bao_rule_env_value(struct rule_env *env, enum rule_root root)
{
    struct bao_value *made = &env->made[root];

    if (root >= RULE_ROOTS || (env->known & 1u << root) == 0)
        return (struct bao_value){.type = BAO_V_ABSENT};
    if (root != RULE_PERIOD && root != RULE_UNIT && root != RULE_YTD) {
        if (env->nodes[root] != NULL)
            return bao_value_of_node(env->nodes[root]);
        return (struct bao_value){.type = root == RULE_SELF ? BAO_V_MAP : BAO_V_NULL};
    }
    if (made->type == BAO_V_ABSENT)
        *made = root == RULE_PERIOD ? make_period(env) : root == RULE_UNIT ? make_unit(env) : make_ytd(env);
    return *made;
}

static struct bao_value get(void *user, struct bao_str name)
{
    return bao_rule_env_value(user, bao_rule_root_of(name));
}

int bao_rule_run(const struct rule *rule, struct rule_env *env, bool zeros,
                 const struct bao_node *const *known, struct bao_value *ret)
{
    const struct bao_expr_scope scope = {
        .get = get, .user = env, .zeros = zeros ? rule->zeros : NULL, .form_text = true, .known = known};
    struct bao_value v;
    int r = bao_expr_eval(rule->expr, env->arena, &scope, &v);

    if (r == 0 && env->no_memory)
        r = -ENOMEM;
    if (r == 0)
        *ret = v;
    return r;
}

/* ---- for indicators and collect ---- */

int bao_rule_load(const struct bao_check_loader *loader, const struct bao_node *text, unsigned names,
                  struct bao_str list, const struct bao_expr **ret)
{
    struct rule_levels levels = {.n = 0};
    struct rule_scope scope = {.names = 1u << RULE_SELF | 1u << RULE_PERIOD | 1u << RULE_UNIT,
                               .indicator = true,
                               .item = &levels.item,
                               .parent = &levels.parent};
    struct bao_str expression;
    struct rule rule;
    int r;

    if (!bao_rule_text(loader, text, &expression)) {
        bao_rule_complain(loader, BAO_BC_RULE_NOT_TEXT, text, 0, 0);
        return BAO_CHECKS_E_BAD;
    }
    if ((names & BAO_RULE_ITEM) != 0) {
        r = bao_rule_levels_load(loader, text, list, false, &levels);
        if (r != 0)
            return r;
        scope.names |= 1u << RULE_ITEM | 1u << RULE_PARENT;
    }
    if ((names & BAO_RULE_HISTORY) != 0)
        scope.names |= 1u << RULE_PREV | 1u << RULE_PREV_YEAR | 1u << RULE_YTD;
    r = bao_rule_make(loader, text, expression, &scope, &rule);
    if (r == 0)
        *ret = rule.expr;
    return r;
}

int bao_rule_eval(const struct bao_expr *expr, struct bao_arena *arena, const struct bao_rule_vars *vars,
                  struct bao_value *ret)
{
    const struct rule rule = {.expr = expr};
    struct rule_env env;

    bao_rule_env_init(&env, arena, vars);
    return bao_rule_run(&rule, &env, false, NULL, ret);
}
