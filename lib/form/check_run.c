/* Checks at work: over the data, over each item of a list, against earlier reports. */
#include "lib/form/check.h"

enum {
    LEVELS_MAX = 8,
    KNOWN_MAX = 32,
    MESSAGE_MAX = 8192,
    SHOWN_DECIMALS = 6,
    FIGURES_MAX = 4,
    FIGURE_TEXT_MAX = 60
};

/* One list on the way to an item. */
struct trail {
    size_t index;
    struct bao_str key;
    const struct bao_node *key_node;
};

struct runner {
    struct bao_arena *arena;
    const struct bao_check_context *context;
    struct bao_findings *findings;
    size_t
        n_before; /* findings that were there already: a check reads no place that the schema complains of */
    struct rule_env env;
    const struct bao_check *check;
    struct trail trail[LEVELS_MAX];
    size_t n_trail;
    const struct bao_node
        *known[KNOWN_MAX]; /* by path of the rule: nodes found while looking for missing ones */
    bool ran;
};

/* ---- keys of items ---- */

/* The key of an item as text; .p NULL when it has none. */
static struct bao_str key_of(struct runner *run, const struct bao_node *item, struct bao_str name,
                             const struct bao_node **ret_node)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(2048);
    const struct bao_member *m = bao_node_member(item, name);
    struct bao_str key;

    *ret_node = m == NULL ? NULL : &m->value;
    if (m != NULL && m->value.type == BAO_STRING) {
        key = bao_text_norm(run->arena, bao_node_str(&m->value));
        run->env.no_memory |= key.p == NULL;
        return key;
    }
    if (m == NULL || !bao_node_is_number(&m->value) || bao_num_print(&buf, bao_node_num(&m->value)) != 0)
        return BAO_STR_NULL;
    return bao_arena_str(run->arena, bao_buf_str(&buf));
}

/* Items of a list by key: open addressing over places. */
struct key_index {
    const struct bao_node *list;
    struct bao_str *keys; /* by place */
    uint32_t *slots;      /* place + 1; 0 = free */
    uint32_t mask;
};

static int key_index_make(struct runner *run, const struct bao_node *list, struct bao_str name,
                          struct key_index *ret)
{
    struct key_index x = {.list = list};
    const struct bao_node *unused;
    size_t size = 4;

    if (list == NULL || list->type != BAO_LIST || list->len == 0) {
        *ret = (struct key_index){.list = NULL};
        return 0;
    }
    while (size < 2 * (size_t)list->len)
        size *= 2;
    x.mask = (uint32_t)size - 1;
    x.keys = bao_arena_array(run->arena, list->len, sizeof(*x.keys));
    x.slots = bao_arena_array(run->arena, size, sizeof(*x.slots));
    if (x.keys == NULL || x.slots == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < list->len; i++) {
        uint32_t at;

        x.keys[i] = key_of(run, &list->items[i], name, &unused);
        if (x.keys[i].p == NULL)
            continue;
        at = bao_key_hash(x.keys[i].p, x.keys[i].n) & x.mask;
        while (x.slots[at] != 0)
            at = (at + 1) & x.mask;
        x.slots[at] = i + 1;
    }
    *ret = x;
    return 0;
}

static const struct bao_node *key_index_get(const struct key_index *x, struct bao_str key)
{
    if (x->list == NULL || key.p == NULL)
        return NULL;
    for (uint32_t at = bao_key_hash(key.p, key.n) & x->mask; x->slots[at] != 0; at = (at + 1) & x->mask)
        if (bao_str_eq(x->keys[x->slots[at] - 1], key))
            return &x->list->items[x->slots[at] - 1];
    return NULL;
}

/* ---- places ---- */

static const struct bao_node *descend(const struct bao_node *node, const struct bao_expr_step *steps,
                                      size_t n)
{
    for (size_t i = 0; i < n && node != NULL; i++) {
        const struct bao_member *m = bao_node_member(node, steps[i].name);

        node = m == NULL || m->value.type == BAO_NULL ? NULL : &m->value;
    }
    return node;
}

/* JSON Pointer token with its escapes. */
static int put_token(struct bao_buf *out, struct bao_str token)
{
    int r = bao_buf_append_c(out, "/");

    for (size_t i = 0; r == 0 && i < token.n; i++) {
        if (token.p[i] == '~')
            r = bao_buf_append_c(out, "~0");
        else if (token.p[i] == '/')
            r = bao_buf_append_c(out, "~1");
        else
            r = bao_buf_append(out, token.p + i, 1);
    }
    return r;
}

/* The pointer of the item under judgement (of the data when there is none), `levels` deep. */
static int put_item_pointer(const struct runner *run, size_t levels, struct bao_buf *out)
{
    const struct rule_levels *l = &run->check->program->levels;
    int r = bao_buf_append_str(out, run->context->pointer);

    for (size_t i = 0; r == 0 && i < levels; i++) {
        for (size_t k = 0; r == 0 && k < l->items[i].n_steps; k++)
            r = put_token(out, l->items[i].steps[k].name);
        if (r == 0)
            r = bao_buf_printf(out, "/%zu", run->trail[i].index);
    }
    return r;
}

/* ---- findings that are there already ---- */

/* Compares one pointer token with a step. */
static bool token_is(struct bao_str token, const struct bao_expr_step *step)
{
    size_t i = 0, k = 0;
    char number[24];

    if (step->kind == BAO_STEP_EACH || step->kind == BAO_STEP_COMPUTED)
        return true;
    if (step->kind == BAO_STEP_INDEX) {
        snprintf(number, sizeof(number), "%lld", (long long)step->index);
        return bao_str_is(token, number);
    }
    for (; i < token.n && k < step->name.n; i++, k++) {
        char c = token.p[i];

        if (c == '~' && i + 1 < token.n)
            c = token.p[++i] == '1' ? '/' : '~';
        if (c != step->name.p[k])
            return false;
    }
    return i == token.n && k == step->name.n;
}

/* Keywords that speak of a container, not of the members it has. */
static bool is_about_container(struct bao_str keyword)
{
    static const char *const words[] = {
        "required",
        "dependentRequired",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "minContains",
        "maxContains",
        "unevaluatedItems",
    };
    size_t start = keyword.n;

    while (start != 0 && keyword.p[start - 1] != '/')
        start--;
    for (size_t i = 0; i < BAO_COUNT(words); i++)
        if (bao_str_is((struct bao_str){keyword.p + start, keyword.n - start}, words[i]))
            return true;
    return false;
}

/* Does the finding speak of the path that begins at `base`? `there`: the path has a value. */
static bool speaks_of(const struct bao_finding *f, struct bao_str base, const struct bao_expr_path *path,
                      bool there)
{
    struct bao_str p = f->pointer;
    size_t shorter = p.n < base.n ? p.n : base.n, step = 0;

    if (memcmp(p.p, base.p, shorter) != 0)
        return false;
    if (p.n < base.n)
        return base.p[p.n] == '/' && !is_about_container(f->keyword);
    p = (struct bao_str){p.p + base.n, p.n - base.n};
    for (; p.n != 0 && step < path->n_steps; step++) {
        const char *slash = p.p[0] != '/' ? NULL : memchr(p.p + 1, '/', p.n - 1);
        size_t n = slash == NULL ? p.n : (size_t)(slash - p.p);

        if (p.p[0] != '/' || !token_is((struct bao_str){p.p + 1, n - 1}, &path->steps[step]))
            return false;
        p = (struct bao_str){p.p + n, p.n - n};
    }
    return step == path->n_steps || !is_about_container(f->keyword) || !there;
}

/* Where a root's values stand in this report; false: they do not. */
static int base_of(const struct runner *run, enum rule_root root, struct bao_buf *out, bool *ret_here)
{
    bool prev = run->check->program->each_prev;

    *ret_here = root == RULE_SELF || (!prev && (root == RULE_ITEM || root == RULE_PARENT));
    if (!*ret_here)
        return 0;
    if (root == RULE_SELF)
        return put_item_pointer(run, 0, out);
    return put_item_pointer(run, root == RULE_ITEM ? run->n_trail : run->n_trail - 1, out);
}

static int rule_is_touched(struct runner *run, const struct rule *rule, bool *ret)
{
    size_t n;
    const struct bao_expr_path *paths = bao_expr_paths(rule->expr, &n);

    for (size_t i = 0; i < n && !*ret; i++) {
        BAO_CLEANUP(bao_buf_deinit) struct bao_buf base = BAO_BUF_NULL(1 << 16);
        bool here, there;
        int r = base_of(run, rule->reads[i].root, &base, &here);

        if (r != 0)
            return r;
        if (!here || paths[i].n_steps == 0)
            continue;
        there = bao_expr_path_presence(&paths[i], bao_rule_env_value(&run->env, rule->reads[i].root)) ==
                BAO_PATH_PRESENT;
        for (size_t k = 0; k < run->n_before && !*ret; k++) {
            const struct bao_finding *f = &run->findings->items[k];

            *ret = f->severity == BAO_ERROR && f->check.n == 0 && f->pointer.n >= run->context->pointer.n &&
                   speaks_of(f, bao_buf_str(&base), &paths[i], there);
        }
    }
    return 0;
}

static int is_touched(struct runner *run, bool *ret)
{
    const struct bao_check_program *p = run->check->program;
    int r = 0;

    *ret = false;
    if (run->n_before != 0)
        r = rule_is_touched(run, &p->rule, ret);
    if (run->n_before != 0 && r == 0 && p->has_when)
        r = rule_is_touched(run, &p->when, ret);
    return r;
}

/* ---- missing figures ---- */

static bool is_for_unit(const struct runner *run, const struct rule_read *read)
{
    const struct bao_unit *unit = run->context->vars.unit;

    for (size_t i = 0; unit != NULL && i < read->n_kinds; i++)
        if (bao_str_eq(read->kinds[i], unit->kind))
            return true;
    return unit == NULL || read->n_kinds == 0;
}

/* Is the path there? A node found on the way is kept for the evaluation. */
static enum bao_presence presence_of(struct runner *run, const struct bao_expr_path *path,
                                     enum rule_root root, size_t i)
{
    const struct bao_node *top = run->env.nodes[root];

    if (top != NULL && i < KNOWN_MAX && (run->known[i] = bao_expr_path_node(path, top)) != NULL)
        return BAO_PATH_PRESENT;
    return bao_expr_path_presence(path, bao_rule_env_value(&run->env, root));
}

/* What the missing strategy says: run, skip, or fail with *ret_path absent. */
enum verdict { RUN, SKIP, FAIL };

static enum verdict look_for_missing(struct runner *run, const struct bao_expr_path **ret_path,
                                     enum rule_root *ret_root)
{
    const struct rule *rule = &run->check->program->rule;
    size_t n, asked = 0, absent = 0;
    const struct bao_expr_path *paths = bao_expr_paths(rule->expr, &n);

    if (run->check->missing == BAO_MISSING_ZERO)
        return RUN;
    for (size_t i = 0; i < n; i++) {
        enum bao_presence presence;

        if (paths[i].guarded || paths[i].n_steps == 0 || rule->reads[i].root == RULE_PERIOD ||
            rule->reads[i].root == RULE_UNIT)
            continue;
        if (run->check->missing == BAO_MISSING_FAIL && !is_for_unit(run, &rule->reads[i]))
            return SKIP;
        presence = presence_of(run, &paths[i], rule->reads[i].root, i);
        asked++;
        absent += presence == BAO_PATH_ABSENT;
        if (presence == BAO_PATH_PRESENT || run->check->missing == BAO_MISSING_SKIP_ALL)
            continue;
        *ret_path = &paths[i];
        *ret_root = (enum rule_root)rule->reads[i].root;
        return run->check->missing == BAO_MISSING_FAIL ? FAIL : SKIP;
    }
    return run->check->missing == BAO_MISSING_SKIP_ALL && asked != 0 && absent == asked ? SKIP : RUN;
}

/* ---- telling ---- */

static int put_value(struct runner *run, enum bao_lang lang, struct bao_value v, struct bao_buf *out)
{
    if (v.type == BAO_V_NUM && bao_num_decimals(v.num) > SHOWN_DECIMALS) {
        int r = bao_num_round(run->arena, v.num, SHOWN_DECIMALS, &v.num);

        if (r != 0)
            return bao_error_fold(r);
    }
    if (v.type == BAO_V_ABSENT || v.type == BAO_V_NULL || v.type == BAO_V_ERROR)
        return bao_buf_append_c(out, lang == BAO_VI ? "(để trống)" : "(blank)");
    return bao_value_print(out, v);
}

/* The form's sentence with its expressions filled in; empty when it gives none in that language. What grows
 * beyond the buffer is cut off. */
static int make_message(struct runner *run, enum bao_lang lang, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(MESSAGE_MAX);
    const struct check_message *m = &run->check->program->message[lang];
    bool zeros = run->check->missing == BAO_MISSING_ZERO || run->check->missing == BAO_MISSING_SKIP_ALL;
    int r = 0;

    if (m->n == 0) {
        *ret = BAO_STR_NULL;
        return 0;
    }
    for (size_t i = 0; r == 0 && i < m->n; i++) {
        struct bao_value v;

        if (!m->pieces[i].is_rule) {
            r = bao_buf_append_str(&buf, m->pieces[i].text);
            continue;
        }
        r = bao_rule_run(&m->pieces[i].rule, &run->env, zeros, NULL, &v);
        if (r == 0)
            r = put_value(run, lang, v, &buf);
    }
    if (r != 0 && r != -ENOBUFS)
        return r;
    *ret = bao_arena_str(run->arena, bao_buf_str(&buf));
    return ret->p == NULL ? -ENOMEM : 0;
}

/* Where the value of `at` stands, or the nearest thing around it that does: *ret_depth steps of `at` exist.
 */
static struct bao_place place_of(const struct runner *run, size_t *ret_depth)
{
    const struct bao_check_program *p = run->check->program;
    const struct bao_node *node = run->env.nodes[p->at_item ? RULE_ITEM : RULE_SELF];
    struct bao_place place = node == NULL ? (struct bao_place){.line = 0} : bao_node_place(node);
    size_t i = 0;

    place.length = 0;
    if (p->at_item && run->n_trail != 0 && run->trail[run->n_trail - 1].key_node != NULL)
        place = bao_node_place(run->trail[run->n_trail - 1].key_node);
    for (; i < p->at.n_steps && node != NULL; i++) {
        const struct bao_member *m = bao_node_member(node, p->at.steps[i].name);

        if (m == NULL || m->value.type == BAO_NULL)
            break;
        node = &m->value;
        place = node->type == BAO_MAP || node->type == BAO_LIST ? bao_member_place(m) : bao_node_place(node);
    }
    *ret_depth = i;
    return place;
}

static int put_path(const struct runner *run, struct bao_buf *out)
{
    const struct bao_check_program *p = run->check->program;
    int r = 0;

    for (size_t i = 0; r == 0 && p->at_item && i < run->n_trail; i++) {
        for (size_t k = 0; r == 0 && k < p->levels.items[i].n_steps; k++)
            r = bao_buf_printf(out, "%s%.*s", bao_buf_len(out) == 0 ? "" : ".",
                               BAO_STR_ARG(p->levels.items[i].steps[k].name));
        if (r == 0)
            r = bao_buf_printf(out, "[%.*s]", BAO_STR_ARG(run->trail[i].key));
    }
    for (size_t i = 0; r == 0 && i < p->at.n_steps; i++)
        r = bao_buf_printf(out, "%s%.*s", bao_buf_len(out) == 0 ? "" : ".", BAO_STR_ARG(p->at.steps[i].name));
    return r;
}

static int put_title(struct bao_buf *out, struct bao_str title)
{
    int r = bao_buf_len(out) == 0 ? 0 : bao_buf_append_c(out, " › ");

    return r != 0 ? r : bao_buf_append_str(out, title);
}

static struct bao_str in_lang(struct bao_text2 text, enum bao_lang lang)
{
    return lang == BAO_VI ? text.vi : text.en;
}

static int put_titles(const struct runner *run, enum bao_lang lang, struct bao_buf *out)
{
    const struct bao_check_program *p = run->check->program;
    int r = 0;

    for (size_t i = 0; r == 0 && p->at_item && i < run->n_trail; i++) {
        for (size_t k = 0; r == 0 && k < p->levels.items[i].n_steps; k++)
            r = put_title(out, in_lang(p->levels.items[i].titles[k], lang));
        if (r == 0)
            r = put_title(out, run->trail[i].key);
    }
    for (size_t i = 0; r == 0 && i < p->at.n_steps; i++)
        r = put_title(out, in_lang(p->at.titles[i], lang));
    return r;
}

/* One buffer after the other into the arena. */
static int keep_text(struct runner *run, struct bao_buf *buf, int r, struct bao_str *ret)
{
    if (r == 0 || r == -ENOBUFS) {
        *ret = bao_arena_str(run->arena, bao_buf_str(buf));
        r = ret->p == NULL ? -ENOMEM : 0;
    }
    bao_buf_clear(buf);
    return r;
}

/* The item's key for explanations: keys of all levels, joined by points. */
static int item_key(struct runner *run, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(MESSAGE_MAX);
    int r = 0;

    if (run->n_trail <= 1) {
        *ret = run->n_trail == 0 ? BAO_STR_NULL : run->trail[0].key;
        return 0;
    }
    for (size_t i = 0; r == 0 && i < run->n_trail; i++)
        r = bao_buf_printf(&buf, "%s%.*s", i == 0 ? "" : ".", BAO_STR_ARG(run->trail[i].key));
    return keep_text(run, &buf, r, ret);
}

static int fill_place(struct runner *run, size_t depth, struct bao_finding *f)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(1 << 16);
    const struct bao_check_program *p = run->check->program;
    int r = put_item_pointer(run, p->at_item ? run->n_trail : 0, &buf);

    for (size_t i = 0; r == 0 && i < depth; i++)
        r = put_token(&buf, p->at.steps[i].name);
    r = keep_text(run, &buf, r, &f->pointer);
    if (r == 0)
        r = keep_text(run, &buf, put_path(run, &buf), &f->path);
    for (unsigned i = 0; r == 0 && i < BAO_LANGS; i++)
        r = keep_text(run, &buf, put_titles(run, (enum bao_lang)i, &buf), &f->titles[i]);
    return r;
}

/* What a broken check is called, by severity. */
static unsigned failed_code(const struct bao_check *check)
{
    if (check->severity == BAO_WARNING)
        return BAO_BC_CHECK_WARNED;
    if (check->severity == BAO_CONFIRM)
        return check->per_item ? BAO_BC_CHECK_CONFIRM_ITEM : BAO_BC_CHECK_CONFIRM;
    return BAO_BC_CHECK_FAILED;
}

/* "kinh_phi.giao", and whose it is when that is another report's. */
static int put_read(enum bao_lang lang, const struct bao_expr_path *path, enum rule_root root,
                    struct bao_buf *out)
{
    static const char *const whose[RULE_ROOTS][BAO_LANGS] = {
        [RULE_PARENT] = {" của mục chứa nó", " of what holds the item"},
        [RULE_PREV] = {" của kỳ trước", " of the period before"},
        [RULE_PREV_ITEM] = {" của kỳ trước", " of the period before"},
        [RULE_PREV_YEAR] = {" của cùng kỳ năm trước", " of the same period last year"},
    };
    bool first = true;
    int r = 0;

    for (size_t i = 0; r == 0 && i < path->n_steps; i++)
        if (path->steps[i].kind == BAO_STEP_FIELD) {
            r = bao_buf_printf(out, "%s%.*s", first ? "" : ".", BAO_STR_ARG(path->steps[i].name));
            first = false;
        }
    return r != 0 || whose[root][lang] == NULL ? r : bao_buf_append_c(out, whose[root][lang]);
}

/* The rule, then the figures it read, as far as they are single values: "self.a <= self.b, trong khi a = 7
 * (dòng 5), b = 3 (dòng 6)". What is personal is not read outside has(). */
static int put_rule(struct runner *run, enum bao_lang lang, struct bao_buf *out)
{
    const struct rule *rule = &run->check->program->rule;
    const struct bao_expr_path *paths;
    size_t n, shown = 0;
    int r = bao_buf_append_str(out, run->check->program->text);

    paths = bao_expr_paths(rule->expr, &n);
    for (size_t i = 0; r == 0 && i < n && shown < FIGURES_MAX; i++) {
        enum rule_root root = (enum rule_root)rule->reads[i].root;
        const struct bao_node *top = run->env.nodes[root],
                              *node = top == NULL || paths[i].guarded || paths[i].n_steps == 0
                                          ? NULL
                                          : bao_expr_path_node(&paths[i], top);
        bool of_prev = root == RULE_PREV || root == RULE_PREV_ITEM || root == RULE_PREV_YEAR ||
                       (run->check->program->each_prev && (root == RULE_ITEM || root == RULE_PARENT));

        if (node == NULL || !(bao_node_is_number(node) || node->type == BAO_BOOL ||
                              (node->type == BAO_STRING && bao_node_str(node).n <= FIGURE_TEXT_MAX)))
            continue;
        r = bao_buf_append_c(out, shown++ != 0 ? ", " : lang == BAO_VI ? ", trong khi " : ", while ");
        if (r == 0)
            r = put_read(lang, &paths[i], root, out);
        if (r == 0)
            r = bao_buf_append_c(out, " = ");
        if (r == 0)
            r = bao_node_print_json(out, node);
        if (r == 0 && !of_prev)
            r = bao_buf_printf(out, lang == BAO_VI ? " (dòng %u)" : " (line %u)", node->line);
    }
    return r;
}

/* Adds the finding of the check under judgement. `own`: the form's sentence speaks; what: argument 1. */
static int tell(struct runner *run, unsigned code, bool own, struct bao_text2 what)
{
    const struct bao_check *check = run->check;
    const struct bao_node *explanation = NULL;
    enum bao_severity severity = check->severity;
    enum check_explained how = CHECK_UNEXPLAINED;
    struct bao_finding *f;
    struct bao_place place;
    struct bao_str item;
    size_t depth;
    int r = item_key(run, &item);

    if (r != 0)
        return r;
    if (severity == BAO_CONFIRM)
        how = bao_check_explanation(run->context->explain, check, item, &explanation);
    if (how == CHECK_EXPLAINED_WELL) {
        severity = BAO_WARNING;
        code = own ? BAO_BC_CHECK_EXPLAINED : code;
    } else if (how != CHECK_UNEXPLAINED) {
        r = bao_check_explain_complain(run->findings, check, item, how, explanation);
    }
    place = place_of(run, &depth);
    f = r != 0 ? NULL : bao_findings_add(run->findings, code, severity, place);
    if (f == NULL)
        return r;
    f->check = check->id;
    f->item = item;
    bao_finding_arg(f, check->id);
    bao_finding_arg2(f, what.vi, what.en);
    bao_finding_arg(f, item);
    r = fill_place(run, depth, f);
    for (unsigned i = 0; r == 0 && own && i < BAO_LANGS; i++)
        r = make_message(run, (enum bao_lang)i, &f->message[i]);
    return r;
}

static int tell_missing(struct runner *run, const struct bao_expr_path *path, enum rule_root root)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(MESSAGE_MAX);
    struct bao_text2 what;
    int r = keep_text(run, &buf, put_read(BAO_VI, path, root, &buf), &what.vi);

    if (r == 0)
        r = keep_text(run, &buf, put_read(BAO_EN, path, root, &buf), &what.en);
    return r != 0 ? r : tell(run, BAO_BC_CHECK_INCOMPLETE, true, what);
}

static int tell_failed(struct runner *run)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(MESSAGE_MAX);
    struct bao_text2 what;
    int r = keep_text(run, &buf, put_rule(run, BAO_VI, &buf), &what.vi);

    if (r == 0)
        r = keep_text(run, &buf, put_rule(run, BAO_EN, &buf), &what.en);
    return r != 0 ? r : tell(run, failed_code(run->check), true, what);
}

/* ---- judging ---- */

/* Judges the check as the environment stands: once, or for one item. */
static int judge(struct runner *run)
{
    const struct bao_check_program *p = run->check->program;
    const struct bao_expr_path *missing = NULL;
    enum rule_root missing_root = RULE_SELF;
    struct bao_value v;
    bool touched,
        zeros = run->check->missing == BAO_MISSING_ZERO || run->check->missing == BAO_MISSING_SKIP_ALL;
    enum verdict verdict;
    size_t n_paths;
    int r = is_touched(run, &touched);

    if (r != 0 || touched)
        return r;
    if (p->has_when) {
        r = bao_rule_run(&p->when, &run->env, false, NULL, &v);
        if (r != 0 || v.type != BAO_V_BOOL || !v.boolean)
            return r;
    }
    (void)bao_expr_paths(p->rule.expr, &n_paths);
    memset(run->known, 0, (n_paths < KNOWN_MAX ? n_paths : KNOWN_MAX) * sizeof(*run->known));
    verdict = look_for_missing(run, &missing, &missing_root);
    if (verdict == SKIP)
        return 0;
    run->ran = true;
    if (verdict == FAIL)
        return tell_missing(run, missing, missing_root);
    r = bao_rule_run(&p->rule, &run->env, zeros, n_paths <= KNOWN_MAX ? run->known : NULL, &v);
    if (r != 0 || (v.type == BAO_V_BOOL && v.boolean))
        return r;
    if (v.type == BAO_V_BOOL)
        return tell_failed(run);
    return tell(run,
                v.type == BAO_V_ERROR    ? v.code
                : v.type == BAO_V_ABSENT ? BAO_BC_EXPR_ABSENT
                                         : BAO_BC_EXPR_NOT_BOOL,
                false, (struct bao_text2){p->text, p->text});
}

/* Walks the lists of `each` from the container down; `other` is the same place in the other report. */
static int walk(struct runner *run, size_t level, const struct bao_node *container,
                const struct bao_node *other)
{
    const struct bao_check_program *p = run->check->program;
    const struct rule_level *l = &p->levels.items[level];
    const struct bao_node *list = descend(container, l->steps, l->n_steps);
    struct key_index others = {0};
    int r = key_index_make(run, descend(other, l->steps, l->n_steps), l->key, &others);

    if (list == NULL || list->type != BAO_LIST || level >= LEVELS_MAX)
        return r;
    for (uint32_t i = 0; r == 0 && i < list->len; i++) {
        const struct bao_node *item = &list->items[i], *twin;
        struct trail *t = &run->trail[level];

        if (item->type != BAO_MAP)
            continue;
        t->index = i;
        t->key = key_of(run, item, l->key, &t->key_node);
        twin = key_index_get(&others, t->key);
        if (level + 1 < p->levels.n) {
            run->env.nodes[RULE_PARENT] = item;
            r = walk(run, level + 1, item, twin);
            continue;
        }
        run->n_trail = level + 1;
        run->env.nodes[RULE_ITEM] = item;
        run->env.nodes[p->each_prev ? RULE_NOW_ITEM : RULE_PREV_ITEM] = twin;
        r = judge(run);
    }
    return r;
}

static int run_check(struct runner *run)
{
    const struct bao_check_program *p = run->check->program;
    const struct bao_history *history = run->context->vars.history;
    const struct bao_node *self = run->context->vars.self, *prev = history == NULL ? NULL : history->prev;

    run->n_trail = 0;
    run->env.known &= ~(1u << RULE_ITEM | 1u << RULE_PARENT | 1u << RULE_PREV_ITEM | 1u << RULE_NOW_ITEM);
    if (!p->each)
        return judge(run);
    run->env.known |= 1u << RULE_ITEM | 1u << (p->each_prev ? RULE_NOW_ITEM : RULE_PREV_ITEM);
    if (p->levels.n > 1)
        run->env.known |= 1u << RULE_PARENT;
    return p->each_prev ? walk(run, 0, prev, self) : walk(run, 0, self, prev);
}

unsigned bao_checks_look_back(const struct bao_form *form)
{
    unsigned back = 0;

    for (size_t i = 0; i < form->n_checks; i++)
        back |= form->checks[i].looks_back;
    return back;
}

int bao_checks_run(const struct bao_form *form, struct bao_arena *arena,
                   const struct bao_check_context *context, struct bao_findings *findings,
                   struct bao_check_tally *ret)
{
    struct runner run = {.arena = arena, .context = context, .findings = findings, .n_before = findings->n};
    struct bao_check_tally tally = {.run = 0};
    const struct bao_history *history =
        (context->which & BAO_CHECKS_HISTORY) != 0 ? context->vars.history : NULL;
    unsigned unknown = history == NULL ? UINT8_MAX : history->unknown;
    int r = 0;

    bao_rule_env_init(&run.env, arena, &context->vars);
    for (size_t i = 0; r == 0 && i < form->n_checks && findings->dropped == 0; i++) {
        run.check = &form->checks[i];
        if ((run.check->looks_back & unknown) != 0) {
            tally.unjudged++;
            continue;
        }
        if (run.check->looks_back == 0 && (context->which & BAO_CHECKS_PLAIN) == 0)
            continue;
        run.ran = false;
        r = run_check(&run);
        tally.run += run.ran;
    }
    if (r == 0 && (context->which & BAO_CHECKS_PLAIN) != 0)
        r = bao_check_explain_unknown(findings, form, context->explain);
    if (r == 0 && (findings->no_memory || run.env.no_memory))
        r = -ENOMEM;
    if (r == 0)
        *ret = tally;
    return r;
}
