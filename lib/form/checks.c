/* `checks:` of a form: read, compiled, held against its schema. */
#include "lib/form/check.h"

static const uint32_t names_everywhere = 1u << RULE_SELF | 1u << RULE_PREV | 1u << RULE_PREV_YEAR |
                                         1u << RULE_YTD | 1u << RULE_PERIOD | 1u << RULE_UNIT;

/* The keys of one check as written. */
struct written {
    struct bao_str id, at, each;
    const struct bao_node *rule, *when, *message;
    uint8_t severity, missing;
};

static bool read_keys(const struct bao_reader *reader, const struct bao_node *node, struct written *w)
{
    static const char *const severities[] = {"error", "confirm", "warning", NULL};
    static const char *const missings[] = {"skip-any", "skip-all", "zero", "fail", NULL};
    static const struct bao_field fields[] = {
        {"id", BAO_F_TEXT, true, offsetof(struct written, id), 0, 0, NULL},
        {"rule", BAO_F_ANY, true, offsetof(struct written, rule), 0, 0, NULL},
        {"at", BAO_F_TEXT, false, offsetof(struct written, at), 0, 0, NULL},
        {"severity", BAO_F_WORD, false, offsetof(struct written, severity), 0, 0, severities},
        {"missing", BAO_F_WORD, false, offsetof(struct written, missing), 0, 0, missings},
        {"when", BAO_F_ANY, false, offsetof(struct written, when), 0, 0, NULL},
        {"each", BAO_F_TEXT, false, offsetof(struct written, each), 0, 0, NULL},
        {"message", BAO_F_ANY, false, offsetof(struct written, message), 0, 0, NULL},
    };

    return bao_fields_read(reader, node, fields, BAO_COUNT(fields), w);
}

static bool is_id(struct bao_str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];

        if (!(c >= 'a' && c <= 'z') && (i == 0 || (!(c >= '0' && c <= '9') && c != '-')))
            return false;
    }
    return id.n != 0 && id.n <= 64;
}

/* The id's own demands: its letters, and nobody before it has it. */
static bool check_id(const struct bao_check_loader *loader, const struct bao_node *node, struct bao_str id,
                     const struct bao_check *before, size_t n)
{
    const struct bao_node *value = bao_node_get(node, "id");
    struct bao_finding *f;

    if (!is_id(id)) {
        bao_finding_arg(bao_rule_complain(loader, BAO_BC_CHECK_ID, value, 0, 0), id);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (bao_str_eq(before[i].id, id)) {
            f = bao_rule_complain(loader, BAO_BC_CHECK_TWICE, value, 0, 0);
            bao_finding_arg(f, id);
            bao_finding_arg(f, bao_arena_printf(loader->arena, "%u", before[i].at.line));
            return false;
        }
    return true;
}

/* What is being loaded. */
struct load {
    const struct bao_check_loader *loader;
    const struct bao_node *node;
    struct bao_check_program *program;
    struct rule_scope scope;
    bool bad; /* there are findings */
};

/* Outcomes are remembered, so that every mistake of a check is told; errors travel. */
static int note(struct load *l, int r)
{
    l->bad |= r > 0;
    return r < 0 ? r : 0;
}

static int load_each(struct load *l, struct bao_str each)
{
    struct bao_check_program *p = l->program;
    const struct bao_node *node = bao_node_get(l->node, "each");
    int r;

    l->scope =
        (struct rule_scope){.names = names_everywhere, .item = &p->levels.item, .parent = &p->levels.parent};
    if (each.n == 0)
        return 0;
    p->each = true;
    p->each_prev = each.n > 5 && memcmp(each.p, "prev.", 5) == 0;
    if (p->each_prev)
        each = (struct bao_str){each.p + 5, each.n - 5};
    r = bao_rule_levels_load(l->loader, node, each, true, &p->levels);
    if (r != 0) {
        p->levels.item = p->levels.parent = (struct rule_shape){.open = true};
        r = note(l, r);
    }
    l->scope.names |= 1u << RULE_ITEM | 1u << (p->each_prev ? RULE_NOW_ITEM : RULE_PREV_ITEM);
    if (p->levels.n != 1)
        l->scope.names |= 1u << RULE_PARENT;
    return r;
}

static int load_rule(struct load *l, const struct bao_node *node, struct rule *ret, struct bao_str *ret_text)
{
    struct bao_str text;

    if (!bao_rule_text(l->loader, node, &text)) {
        bao_rule_complain(l->loader, BAO_BC_RULE_NOT_TEXT, node, 0, 0);
        l->bad = true;
        return 0;
    }
    *ret_text = text;
    return note(l, bao_rule_make(l->loader, node, text, &l->scope, ret));
}

/* ---- where the finding stands ---- */

static bool begins_with(struct bao_str s, struct bao_str head)
{
    return s.n > head.n && memcmp(s.p, head.p, head.n) == 0;
}

static int load_at_path(struct load *l, const struct bao_node *node, struct bao_str at)
{
    struct bao_check_program *p = l->program;
    struct rule_shape shape;
    int r = 0;

    p->at_item = p->each && !p->each_prev;
    if (begins_with(at, BAO_STR("self."))) {
        at = (struct bao_str){at.p + 5, at.n - 5};
        p->at_item = false;
    } else if (p->at_item && begins_with(at, BAO_STR("item."))) {
        at = (struct bao_str){at.p + 5, at.n - 5};
    }
    if (p->at_item)
        shape = p->levels.item;
    else
        r = bao_rule_shape_root(l->loader, &shape);
    return r != 0 ? r : note(l, bao_rule_fields_load(l->loader, node, at, &shape, &p->at));
}

/* Without `at` the first field the rule reads in what is judged takes the finding. */
static int default_at(struct load *l)
{
    struct bao_check_program *p = l->program;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(4096);
    struct bao_str root = p->each ? BAO_STR("item") : BAO_STR("self"), text;
    const struct bao_expr_path *paths;
    size_t n, i = 0;
    int r = 0;

    p->at_item = p->each && !p->each_prev;
    if (p->each_prev)
        return 0;
    paths = bao_expr_paths(p->rule.expr, &n);
    while (i < n && !(bao_str_eq(paths[i].root, root) && paths[i].n_steps != 0))
        i++;
    for (size_t k = 0; i < n && r == 0 && k < paths[i].n_steps; k++) {
        const struct bao_expr_step *step = &paths[i].steps[k];

        if (step->kind != BAO_STEP_FIELD || memchr(step->name.p, '.', step->name.n) != NULL)
            break;
        r = bao_buf_printf(&buf, "%s%.*s", k == 0 ? "" : ".", BAO_STR_ARG(step->name));
    }
    if (r != 0 || bao_buf_len(&buf) == 0)
        return r;
    text = bao_arena_str(l->loader->arena, bao_buf_str(&buf));
    return text.p == NULL ? -ENOMEM : load_at_path(l, l->node, text);
}

/* A lost item of the previous report is told at its list. */
static int at_of_lost_item(struct load *l)
{
    struct bao_str each = bao_node_str(bao_node_get(l->node, "each"));

    return load_at_path(l, bao_node_get(l->node, "each"), (struct bao_str){each.p + 5, each.n - 5});
}

static int load_at(struct load *l, struct bao_str at)
{
    struct rule_level whole = {.n_steps = 0};

    l->program->at = whole;
    if (at.n != 0)
        return load_at_path(l, bao_node_get(l->node, "at"), at);
    if (l->program->each_prev && l->program->levels.n == 1)
        return at_of_lost_item(l);
    return l->program->rule.expr == NULL ? 0 : default_at(l);
}

/* ---- messages ---- */

/* Octets up to the brace that closes the expression at text.p[0]; text.n when none does. Braces of maps nest,
 * those in text literals do not count. */
static size_t expression_end(struct bao_str text)
{
    unsigned depth = 0;
    char quote = '\0';

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (quote != '\0') {
            i += c == '\\' ? 1 : 0;
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && depth-- == 0) {
            return i;
        }
    }
    return text.n;
}

/* Plain text up to the next expression or doubled brace: its octets, and those to pass over after it. */
static size_t plain_end(struct bao_str text, size_t *ret_skip)
{
    size_t i = 0;

    *ret_skip = 0;
    while (i < text.n && text.p[i] != '{' && !(text.p[i] == '}' && i + 1 < text.n && text.p[i + 1] == '}'))
        i++;
    if (i + 1 < text.n && text.p[i + 1] == text.p[i]) {
        *ret_skip = 1;
        return i + 1;
    }
    return i;
}

static size_t count_braces(struct bao_str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '{' || text.p[i] == '}';
    return n;
}

static int load_message(struct load *l, const struct bao_node *node, struct check_message *ret)
{
    struct bao_str text = bao_node_str(node);
    struct check_piece *pieces =
        bao_arena_array(l->loader->arena, 2 * count_braces(text) + 1, sizeof(*pieces));
    size_t n = 0, skip, end;

    if (pieces == NULL)
        return -ENOMEM;
    for (size_t at = 0; at < text.n;) {
        struct bao_str rest = {text.p + at, text.n - at};

        end = plain_end(rest, &skip);
        if (end != 0) {
            pieces[n++].text = (struct bao_str){rest.p, end};
            at += end + skip;
            continue;
        }
        rest = (struct bao_str){rest.p + 1, rest.n - 1};
        end = expression_end(rest);
        if (end == rest.n) {
            bao_rule_complain(l->loader, BAO_BC_MESSAGE_BRACE, node, at, at + 1);
            l->bad = true;
            return 0;
        }
        pieces[n].is_rule = true;
        pieces[n].text = (struct bao_str){rest.p, end};
        if (note(l, bao_rule_make(l->loader, node, pieces[n].text, &l->scope, &pieces[n].rule)) < 0)
            return -ENOMEM;
        n++;
        at += end + 2;
    }
    *ret = (struct check_message){pieces, n};
    return 0;
}

/* A finding's words go to the office's tables and alerts: what is personal may be asked for, never shown. */
static int load_messages(struct load *l, const struct bao_reader *reader, const struct bao_node *node)
{
    static const struct bao_field field = {"message", BAO_F_TEXT2, false, 0, 0, 0, NULL};
    static const char *const langs[BAO_LANGS] = {[BAO_VI] = "vi", [BAO_EN] = "en"};
    struct bao_text2 unused;
    int r = 0;

    if (!bao_field_read(reader, node, &field, &unused)) {
        l->bad = true;
        return 0;
    }
    l->scope.shown = true;
    if (node->type == BAO_STRING)
        return load_message(l, node, &l->program->message[BAO_VI]);
    for (unsigned i = 0; r == 0 && i < BAO_LANGS; i++) {
        const struct bao_node *text = bao_node_get(node, langs[i]);

        if (text != NULL)
            r = load_message(l, text, &l->program->message[i]);
    }
    return r;
}

static uint8_t looks_back(const struct bao_check_program *p)
{
    unsigned back = p->rule.looks_back | p->when.looks_back | (p->each_prev ? BAO_BACK_PREV : 0u);

    for (unsigned i = 0; i < BAO_LANGS; i++)
        for (size_t k = 0; k < p->message[i].n; k++)
            back |= p->message[i].pieces[k].rule.looks_back;
    return (uint8_t)back;
}

/* ---- one check, all checks ---- */

static int load_program(struct load *l, const struct bao_reader *reader, const struct written *w)
{
    struct bao_str unused;
    int r = load_each(l, w->each);

    if (r == 0)
        r = load_rule(l, w->rule, &l->program->rule, &l->program->text);
    if (r == 0 && w->when != NULL) {
        l->program->has_when = true;
        r = load_rule(l, w->when, &l->program->when, &unused);
    }
    if (r == 0)
        r = load_at(l, w->at);
    if (r == 0 && w->message != NULL)
        r = load_messages(l, reader, w->message);
    return r;
}

static int load_check(const struct bao_check_loader *loader, const struct bao_node *node,
                      const struct bao_check *before, size_t n_before, struct bao_check *ret)
{
    const struct bao_reader reader = {
        .arena = loader->arena, .findings = loader->findings, .root = loader->root, .source = loader->source};
    struct bao_check_program *program = bao_arena_array(loader->arena, 1, sizeof(*program));
    struct load l = {.loader = loader, .node = node, .program = program};
    struct written w = {.severity = BAO_ERROR};
    int r;

    if (program == NULL)
        return -ENOMEM;
    if (!read_keys(&reader, node, &w))
        return BAO_CHECKS_E_BAD;
    l.bad = !check_id(loader, node, w.id, before, n_before);
    r = load_program(&l, &reader, &w);
    if (r != 0 || l.bad)
        return r != 0 ? r : BAO_CHECKS_E_BAD;
    *ret = (struct bao_check){.id = w.id,
                              .severity = w.severity,
                              .missing = w.missing,
                              .per_item = program->each,
                              .looks_back = looks_back(program),
                              .at = bao_node_place(node),
                              .program = program};
    return 0;
}

int bao_checks_load(const struct bao_check_loader *loader, const struct bao_node *list,
                    const struct bao_check **ret, size_t *ret_n)
{
    struct bao_check *checks;
    size_t n = 0;
    bool bad = false;
    int r;

    if (list == NULL || list->type != BAO_LIST) {
        *ret = NULL;
        *ret_n = 0;
        return 0;
    }
    checks = bao_arena_array(loader->arena, (size_t)list->len + 1, sizeof(*checks));
    if (checks == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < list->len; i++) {
        r = load_check(loader, &list->items[i], checks, n, &checks[n]);
        if (r < 0)
            return r;
        bad |= r != 0;
        n += r == 0;
    }
    if (bad)
        return BAO_CHECKS_E_BAD;
    *ret = checks;
    *ret_n = n;
    return 0;
}
