/* Expressions of a form: read, their places found in the form's file, their paths held against its schema. */
#include "lib/form/rule.h"

enum { NAMES_MAX = 256 };

static const char *const root_names[RULE_ROOTS] = {
    [RULE_SELF] = "self",         [RULE_ITEM] = "item",           [RULE_PARENT] = "parent",
    [RULE_PREV] = "prev",         [RULE_PREV_YEAR] = "prev_year", [RULE_YTD] = "ytd",
    [RULE_PERIOD] = "period",     [RULE_UNIT] = "unit",           [RULE_PREV_ITEM] = "prev_item",
    [RULE_NOW_ITEM] = "now_item",
};

/* What of the past a root stands for. */
static uint8_t back_of(enum rule_root root)
{
    switch (root) {
    case RULE_PREV:
    case RULE_PREV_ITEM:
    case RULE_NOW_ITEM:
        return BAO_BACK_PREV;
    case RULE_PREV_YEAR:
        return BAO_BACK_PREV_YEAR;
    case RULE_YTD:
        return BAO_BACK_YTD;
    default:
        return 0;
    }
}

enum rule_root bao_rule_root_of(struct bao_str name)
{
    unsigned i = 0;

    while (i < RULE_ROOTS && !bao_str_is(name, root_names[i]))
        i++;
    return (enum rule_root)i;
}

/* ---- places ---- */

/* Where octet `to` of a scalar's text stands in the scalar as written: layout, quotes and escapes are passed
 * over. */
static size_t written_at(struct bao_str written, struct bao_str text, size_t to)
{
    size_t i = 0;

    if (written.n != 0 && (written.p[0] == '"' || written.p[0] == '\''))
        i = 1;
    else if (written.n != 0 && (written.p[0] == '|' || written.p[0] == '>'))
        while (i < written.n && written.p[i++] != '\n')
            ;
    for (size_t k = 0; k <= to && k < text.n; k++) {
        char c = text.p[k];

        if (c == ' ' && i < written.n && (written.p[i] == '\n' || written.p[i] == '\r')) {
            while (i < written.n && strchr(" \t\r\n", written.p[i]) != NULL && written.p[i] != '\0')
                i++;
            continue;
        }
        while (i < written.n && written.p[i] != c && written.p[i] != '\0' &&
               strchr(" \t\r\n\\'", written.p[i]) != NULL)
            i++;
        if (k == to)
            break;
        i += i < written.n ? 1 : 0;
    }
    return i;
}

static struct bao_place place_in(struct bao_str source, const struct bao_node *node, size_t from, size_t to)
{
    struct bao_place place = bao_node_place(node);
    struct bao_str text = bao_node_str(node), written;
    size_t start, end;

    if (node->type != BAO_STRING || node->offset > source.n || node->extent > source.n - node->offset)
        return place;
    written = (struct bao_str){source.p + node->offset, node->extent};
    start = written_at(written, text, from);
    end = to > from ? written_at(written, text, to - 1) + 1 : start;
    for (size_t i = 0; i < start && i < written.n; i++) {
        if (written.p[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)written.p[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    place.offset += (uint32_t)start;
    place.length = (uint32_t)(end > start ? end - start : 0);
    return place;
}

struct bao_finding *bao_rule_complain(const struct bao_check_loader *loader, unsigned code,
                                      const struct bao_node *node, size_t from, size_t to)
{
    const struct bao_reader reader = {
        .arena = loader->arena, .findings = loader->findings, .root = loader->root, .source = loader->source};
    struct bao_finding *f = bao_complain(&reader, code, node);

    if (f != NULL && to != 0)
        f->at = place_in(loader->source, node, from, to);
    return f;
}

/* ---- reading ---- */

/* Adds what the parser found, with places in the form's file. */
static void adopt(const struct bao_check_loader *loader, const struct bao_node *node, size_t base,
                  const struct bao_findings *found)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct bao_finding *one = &found->items[i];
        size_t from = base + one->at.offset;
        struct bao_finding *f = bao_rule_complain(loader, one->code, node, from,
                                                  from + (one->at.length != 0 ? one->at.length : 1));

        for (size_t k = 0; k < one->n_args; k++)
            bao_finding_arg2(f, one->args[k].vi, one->args[k].en);
    }
}

/* a.b[*] as people write it. */
static struct bao_str path_text(struct bao_arena *arena, struct bao_str root,
                                const struct bao_expr_step *steps, size_t n)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(4096);
    int r = bao_buf_append_str(&buf, root);

    for (size_t i = 0; r == 0 && i < n; i++)
        if (steps[i].kind == BAO_STEP_FIELD)
            r = bao_buf_printf(&buf, "%s%.*s", bao_buf_len(&buf) == 0 ? "" : ".", BAO_STR_ARG(steps[i].name));
    return r != 0 ? root : bao_arena_str(arena, bao_buf_str(&buf));
}

/* The known names in one line. */
static struct bao_str names_text(const struct bao_check_loader *loader, uint32_t names)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(400);
    int r = 0;

    for (unsigned i = 0; r == 0 && i < RULE_ROOTS; i++)
        if ((names & 1u << i) != 0)
            r = bao_buf_printf(&buf, "%s%s", bao_buf_len(&buf) == 0 ? "" : ", ", root_names[i]);
    return r != 0 ? BAO_STR_NULL : bao_arena_str(loader->arena, bao_buf_str(&buf));
}

/* What is being loaded, for the functions below. */
struct loading {
    const struct bao_check_loader *loader;
    const struct bao_node *node;
    size_t base; /* of the expression in the node's text */
    const struct rule_scope *scope;
};

static struct bao_finding *complain_path(const struct loading *l, unsigned code,
                                         const struct bao_expr_path *path)
{
    size_t from = l->base + path->at.offset;

    return bao_rule_complain(l->loader, code, l->node, from, from + path->at.length);
}

/* No such field: with the nearest there is. */
static void complain_field(const struct loading *l, const struct bao_expr_path *path, size_t step,
                           const struct bao_str *names, size_t n)
{
    size_t near = bao_nearest_str(l->loader->arena, path->steps[step].name, names, n);
    struct bao_finding *f = complain_path(l, near < n ? BAO_BC_RULE_PATH_NEAR : BAO_BC_RULE_PATH, path);

    bao_finding_arg(f, path_text(l->loader->arena, path->root, path->steps, step + 1));
    if (near < n)
        bao_finding_arg(f, names[near]);
}

/* each: names the lists of this report without "self". */
static struct bao_str each_root(struct bao_str root)
{
    return bao_str_is(root, "self") ? BAO_STR("") : root;
}

static int resolve_schema(const struct loading *l, const struct bao_expr_path *path, struct rule_shape shape,
                          struct rule_read *read, enum rule_type *ret_type)
{
    struct bao_str names[NAMES_MAX];
    struct bao_finding *f;
    int r = 0;

    for (size_t i = 0; i < path->n_steps && !(shape.open && shape.n == 0); i++) {
        r = bao_rule_shape_step(l->loader, &shape, &path->steps[i], &shape);
        if (r < 0)
            return r;
        if (r == RULE_STEP_E_NONE) {
            complain_field(l, path, i, names, bao_rule_shape_names(&shape, names, NAMES_MAX));
        } else if (r != 0) {
            f = complain_path(l, r == RULE_STEP_E_LIST ? BAO_BC_RULE_LIST : BAO_BC_RULE_NOT_MAP, path);
            bao_finding_arg(f, path_text(l->loader->arena, path->root, path->steps, i));
            bao_finding_arg(f, path->steps[i].name);
            if (r == RULE_STEP_E_LIST)
                bao_finding_arg(f, path_text(l->loader->arena, each_root(path->root), path->steps, i));
        }
        if (r != 0)
            return BAO_CHECKS_E_BAD;
    }
    if (shape.personal && !l->scope->indicator && (l->scope->shown || !path->guarded)) {
        f = complain_path(l, BAO_BC_RULE_PERSONAL, path);
        bao_finding_arg(f, path_text(l->loader->arena, path->root, path->steps, path->n_steps));
        return BAO_CHECKS_E_BAD;
    }
    read->kinds = shape.kinds;
    read->n_kinds = shape.n_kinds;
    *ret_type = bao_rule_shape_type(&shape);
    return 0;
}

/* period.x and unit.x. */
static int resolve_fixed(const struct loading *l, const struct bao_expr_path *path, bool period,
                         enum rule_type *ret_type)
{
    const struct bao_str period_fields[] = {BAO_STR("label"), BAO_STR("from"), BAO_STR("to"),
                                            BAO_STR("year"),  BAO_STR("n"),    BAO_STR("due")};
    const struct bao_str unit_fields[] = {BAO_STR("code"), BAO_STR("kind"), BAO_STR("name"),
                                          BAO_STR("groups")};
    const struct bao_str *fields = period ? period_fields : unit_fields;
    size_t n = period ? BAO_COUNT(period_fields) : BAO_COUNT(unit_fields), i = 0;

    *ret_type = RULE_TYPE_MAP;
    if (path->n_steps == 0)
        return 0;
    while (i < n && !(path->steps[0].kind == BAO_STEP_FIELD && bao_str_eq(fields[i], path->steps[0].name)))
        i++;
    if (i == n) {
        complain_field(l, path, 0, fields, n);
        return BAO_CHECKS_E_BAD;
    }
    *ret_type = RULE_TYPE_STRING;
    if (period && (i == 3 || i == 4))
        *ret_type = RULE_TYPE_NUMBER;
    else if (!period && i == 3)
        *ret_type = path->n_steps == 1 ? RULE_TYPE_LIST : RULE_TYPE_STRING;
    return 0;
}

/* ytd.CODE, where a code may hold one dot. */
static int resolve_code(const struct loading *l, const struct bao_expr_path *path)
{
    const struct bao_check_loader *loader = l->loader;
    struct bao_str code = path_text(loader->arena, BAO_STR_NULL, path->steps, path->n_steps), *codes;
    struct bao_finding *f;
    size_t near;

    for (size_t i = 0; i < loader->n_indicators; i++)
        if (bao_str_eq(loader->indicators[i].code, code) && !loader->indicators[i].is_ratio)
            return 0;
    codes = bao_arena_array(loader->arena, loader->n_indicators + 1, sizeof(*codes));
    if (codes == NULL || code.p == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < loader->n_indicators; i++)
        codes[i] = loader->indicators[i].code;
    near = bao_nearest_str(loader->arena, code, codes, loader->n_indicators);
    f = complain_path(l, near < loader->n_indicators ? BAO_BC_RULE_CODE_NEAR : BAO_BC_RULE_CODE, path);
    bao_finding_arg(f, code);
    if (near < loader->n_indicators)
        bao_finding_arg(f, codes[near]);
    return BAO_CHECKS_E_BAD;
}

static int unknown_name(const struct loading *l, const struct bao_expr_path *path, enum rule_root root)
{
    bool history = l->scope->indicator && root < RULE_ROOTS && back_of(root) != 0;
    struct bao_finding *f = complain_path(l, history ? BAO_BC_RULE_HISTORY : BAO_BC_RULE_NAME, path);

    bao_finding_arg(f, path->root);
    if (!history)
        bao_finding_arg(f, names_text(l->loader, l->scope->names));
    return BAO_CHECKS_E_BAD;
}

static int resolve(const struct loading *l, const struct bao_expr_path *path, struct rule_read *read,
                   enum rule_type *ret_type)
{
    enum rule_root root = bao_rule_root_of(path->root);
    struct rule_shape shape;
    int r;

    *ret_type = RULE_TYPE_UNKNOWN;
    if (root == RULE_ROOTS || (l->scope->names & 1u << root) == 0)
        return unknown_name(l, path, root);
    *read = (struct rule_read){.root = (uint8_t)root};
    switch (root) {
    case RULE_YTD:
        *ret_type = RULE_TYPE_NUMBER;
        return resolve_code(l, path);
    case RULE_PERIOD:
    case RULE_UNIT:
        return resolve_fixed(l, path, root == RULE_PERIOD, ret_type);
    case RULE_ITEM:
    case RULE_PREV_ITEM:
    case RULE_NOW_ITEM:
        return resolve_schema(l, path, *l->scope->item, read, ret_type);
    case RULE_PARENT:
        return resolve_schema(l, path, *l->scope->parent, read, ret_type);
    default:
        r = bao_rule_shape_root(l->loader, &shape);
        return r != 0 ? r : resolve_schema(l, path, shape, read, ret_type);
    }
}

/* What an absent path of that type stands for under missing: zero. */
static struct bao_value zero_of(enum rule_type type, bool whole)
{
    if (whole)
        return (struct bao_value){.type = BAO_V_ABSENT}; /* a variable itself is never missing */
    switch (type) {
    case RULE_TYPE_STRING:
        return (struct bao_value){.type = BAO_V_STRING, .str = ""};
    case RULE_TYPE_BOOL:
        return (struct bao_value){.type = BAO_V_BOOL};
    case RULE_TYPE_LIST:
        return (struct bao_value){.type = BAO_V_LIST};
    case RULE_TYPE_MAP:
        return (struct bao_value){.type = BAO_V_MAP};
    default:
        return (struct bao_value){.type = BAO_V_NUM, .num = bao_num_int(0)};
    }
}

bool bao_rule_text(const struct bao_check_loader *loader, const struct bao_node *node, struct bao_str *ret)
{
    const struct bao_reader reader = {.arena = loader->arena, .source = loader->source};

    if (node->type == BAO_STRING)
        *ret = bao_node_str(node);
    else if (node->type == BAO_BOOL || bao_node_is_number(node))
        *ret = bao_spelling(&reader, node);
    else
        return false;
    return true;
}

/* Where a piece of a scalar's text begins in it; 0 when it is not a piece of it. */
static size_t base_of(const struct bao_node *node, struct bao_str text)
{
    bool inside = node->type == BAO_STRING && text.p >= node->str && text.p <= node->str + node->len;

    return inside ? (size_t)(text.p - node->str) : 0;
}

int bao_rule_make(const struct bao_check_loader *loader, const struct bao_node *node, struct bao_str text,
                  const struct rule_scope *scope, struct rule *ret)
{
    struct loading l = {loader, node, base_of(node, text), scope};
    struct bao_findings found;
    struct rule rule = {.looks_back = 0};
    const struct bao_expr_path *paths;
    struct rule_read *reads;
    struct bao_value *zeros;
    bool bad = false;
    size_t n;
    int r;

    bao_findings_init(&found, loader->arena, 1);
    r = bao_expr_parse(loader->arena, text, (struct bao_place){.line = 1, .column = 1}, &found, &rule.expr);
    if (r == BAO_EXPR_E_BAD)
        adopt(loader, node, l.base, &found);
    if (r != 0)
        return r < 0 ? r : BAO_CHECKS_E_BAD;
    paths = bao_expr_paths(rule.expr, &n);
    reads = bao_arena_array(loader->arena, n + 1, sizeof(*reads));
    zeros = bao_arena_array(loader->arena, n + 1, sizeof(*zeros));
    if (reads == NULL || zeros == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        enum rule_type type;

        r = resolve(&l, &paths[i], &reads[i], &type);
        if (r < 0)
            return r;
        bad |= r != 0;
        zeros[i] = zero_of(type, paths[i].n_steps == 0);
        rule.looks_back |= r == 0 ? back_of((enum rule_root)reads[i].root) : 0;
    }
    rule.reads = reads;
    rule.zeros = zeros;
    if (!bad)
        *ret = rule;
    return bad ? BAO_CHECKS_E_BAD : 0;
}

/* ---- lists and fields by their dotted paths ---- */

static size_t count_steps(struct bao_str path)
{
    size_t n = 1;

    for (size_t i = 0; i < path.n; i++)
        n += path.p[i] == '.';
    return n;
}

/* Splits a.b.c; nothing is looked up yet. */
static struct bao_expr_step *split(struct bao_arena *arena, struct bao_str path, size_t *ret_n)
{
    size_t n = count_steps(path), at = 0;
    struct bao_expr_step *steps = bao_arena_array(arena, n, sizeof(*steps));

    for (size_t i = 0; steps != NULL && i < n; i++) {
        const char *dot = at < path.n ? memchr(path.p + at, '.', path.n - at) : NULL;
        size_t end = dot == NULL ? path.n : (size_t)(dot - path.p);

        steps[i].kind = BAO_STEP_FIELD;
        steps[i].name = (struct bao_str){path.p + at, end - at};
        steps[i].hash = bao_key_hash(path.p + at, end - at);
        at = end + 1;
    }
    *ret_n = n;
    return steps;
}

static int field_step(const struct loading *l, const struct bao_expr_path *path, size_t i,
                      struct rule_shape *shape)
{
    struct bao_str names[NAMES_MAX];
    int r = bao_rule_shape_step(l->loader, shape, &path->steps[i], shape);

    if (r <= 0)
        return r;
    complain_field(l, path, i, names, bao_rule_shape_names(shape, names, NAMES_MAX));
    return BAO_CHECKS_E_BAD;
}

static struct bao_text2 title_of(const struct rule_shape *shape, struct bao_str name)
{
    struct bao_text2 title = {bao_rule_shape_text(shape, "title"), bao_rule_shape_text(shape, "x-en")};

    if (title.vi.n == 0)
        title.vi = name;
    if (title.en.n == 0)
        title.en = title.vi;
    return title;
}

int bao_rule_fields_load(const struct bao_check_loader *loader, const struct bao_node *node,
                         struct bao_str path, struct rule_shape *shape, struct rule_level *ret)
{
    const struct loading l = {.loader = loader, .node = node, .base = base_of(node, path)};
    struct bao_expr_path whole = {.at = {.offset = 0, .length = (uint32_t)path.n}};
    size_t n;
    struct bao_expr_step *steps = split(loader->arena, path, &n);
    struct bao_text2 *titles = bao_arena_array(loader->arena, n, sizeof(*titles));

    if (steps == NULL || titles == NULL)
        return -ENOMEM;
    whole.steps = steps;
    whole.n_steps = n;
    for (size_t i = 0; i < n; i++) {
        int r = field_step(&l, &whole, i, shape);

        if (r != 0)
            return r;
        titles[i] = title_of(shape, steps[i].name);
    }
    *ret = (struct rule_level){.steps = steps, .n_steps = n, .titles = titles};
    return 0;
}

/* Every list has what `each` needs, and the path ends with a list. */
static bool are_levels(const struct rule_level *levels, size_t n, bool each)
{
    for (size_t i = 0; i < n; i++)
        if (each && levels[i].key.n == 0)
            return false;
    return n != 0;
}

int bao_rule_levels_load(const struct bao_check_loader *loader, const struct bao_node *node,
                         struct bao_str path, bool each, struct rule_levels *ret)
{
    static const struct bao_expr_step element = {.kind = BAO_STEP_EACH};
    const struct loading l = {.loader = loader, .node = node, .base = base_of(node, path)};
    struct bao_expr_path whole = {.at = {.offset = 0, .length = (uint32_t)path.n}};
    struct rule_levels found = {.item = {.open = true}, .parent = {.open = true}};
    struct rule_shape shape;
    size_t from = 0;
    struct bao_expr_step *steps = split(loader->arena, path, &whole.n_steps);
    struct bao_text2 *titles = bao_arena_array(loader->arena, whole.n_steps, sizeof(*titles));
    struct rule_level *levels = bao_arena_array(loader->arena, whole.n_steps, sizeof(*levels));
    int r = bao_rule_shape_root(loader, &shape);

    if (r != 0 || steps == NULL || titles == NULL || levels == NULL)
        return r != 0 ? r : -ENOMEM;
    whole.steps = steps;
    for (size_t i = 0; i < whole.n_steps; i++) {
        if ((r = field_step(&l, &whole, i, &shape)) != 0)
            return r;
        titles[i] = title_of(&shape, steps[i].name);
        if (bao_rule_shape_type(&shape) != RULE_TYPE_LIST)
            continue;
        levels[found.n++] = (struct rule_level){steps + from, i + 1 - from,
                                                bao_rule_shape_text(&shape, "x-key"), titles + from};
        from = i + 1;
        found.parent = found.item;
        if ((r = bao_rule_shape_step(loader, &shape, &element, &shape)) != 0)
            return bao_error_fold(r);
        found.item = shape;
    }
    if (from != whole.n_steps || !are_levels(levels, found.n, each)) {
        bao_finding_arg(bao_rule_complain(loader, BAO_BC_CHECK_EACH, node, l.base, l.base + path.n), path);
        return BAO_CHECKS_E_BAD;
    }
    found.items = levels;
    *ret = found;
    return 0;
}
