/* Text to tree: CEL's grammar by precedence climbing, its macros recognised on the way. */
#include "lib/expr/ast.h"

#include "lib/base/utf8.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one, not yet taken */
    unsigned depth;     /* of parse_expr and unary signs under way */
};

static int parse_expr(struct parser *p, struct ast **ret);

static int advance(struct parser *p)
{
    return bao_lexer_next(&p->lexer, &p->token);
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && bao_str_is(p->token.text, sign);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && bao_str_is(p->token.text, word);
}

/* Words of other languages where an operator is due. */
static const char *meant_by(struct bao_str word)
{
    static const char *const words[][2] = {
        {"and", "&&"}, {"AND", "&&"},  {"va", "&&"}, {"or", "||"},
        {"OR", "||"},  {"hoac", "||"}, {"mod", "%"}, {"IN", "in"},
    };

    for (size_t i = 0; i < BAO_COUNT(words); i++)
        if (bao_str_is(word, words[i][0]))
            return words[i][1];
    return NULL;
}

/* Something else was due here. */
static int unexpected(struct parser *p, const char *vi, const char *en)
{
    const struct token *t = &p->token;
    const char *meant = t->kind == TOKEN_NAME ? meant_by(t->text) : NULL;
    struct bao_finding *f;

    if (meant != NULL) {
        f = bao_lexer_complain(&p->lexer, BAO_BC_EXPR_MISSPELT, t->at, t->end);
        bao_finding_arg(f, t->text);
        bao_finding_arg(f, bao_str_c(meant));
    } else if (t->kind == TOKEN_END) {
        f = bao_lexer_complain(&p->lexer, BAO_BC_EXPR_ENDS, t->at, t->end);
        bao_finding_arg2(f, bao_str_c(vi), bao_str_c(en));
    } else {
        f = bao_lexer_complain(&p->lexer, BAO_BC_EXPR_SYNTAX, t->at, t->end);
        bao_finding_arg(f, (struct bao_str){p->lexer.text.p + t->at, t->end - t->at});
        bao_finding_arg2(f, bao_str_c(vi), bao_str_c(en));
    }
    return BAO_EXPR_E_BAD;
}

static int expect(struct parser *p, const char *sign)
{
    return is_sign(p, sign) ? advance(p) : unexpected(p, sign, sign);
}

static int too_deep(struct parser *p, size_t at)
{
    bao_finding_arg(bao_lexer_complain(&p->lexer, BAO_BC_EXPR_DEEP, at, at), BAO_STR_NULL);
    return BAO_EXPR_E_BAD;
}

/* A tree over kids (copied): 0, BAO_EXPR_E_BAD when too deep, -ENOMEM. */
static int make(struct parser *p, enum op op, size_t at, struct ast *const *kids, size_t n, struct ast **ret)
{
    struct ast *node = bao_arena_array(p->lexer.arena, 1, sizeof(*node));
    unsigned depth = 0;

    if (node == NULL || (n != 0 && (node->kids = bao_arena_array(p->lexer.arena, n, sizeof(*kids))) == NULL))
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        node->kids[i] = kids[i];
        depth = kids[i]->depth > depth ? kids[i]->depth : depth;
    }
    node->op = (uint8_t)op;
    node->n = (uint32_t)n;
    node->at = (uint32_t)at;
    node->end = p->token.at;
    node->depth = (uint16_t)(depth + 1);
    if (node->depth > EXPR_DEPTH_MAX)
        return too_deep(p, at);
    *ret = node;
    return 0;
}

/* A growing list of trees. */
struct kids {
    struct ast **items;
    size_t n, size;
};

static int kids_add(struct parser *p, struct kids *k, struct ast *node)
{
    if (k->n == k->size) {
        size_t size = k->size == 0 ? 4 : k->size * 2;
        struct ast **items = bao_arena_array(p->lexer.arena, size, sizeof(*items));

        if (items == NULL)
            return -ENOMEM;
        if (k->n != 0)
            memcpy(items, k->items, k->n * sizeof(*items));
        k->items = items;
        k->size = size;
    }
    k->items[k->n++] = node;
    return 0;
}

/* Expressions up to the closing sign; with `pairs` each is key: value. A comma may stand before the sign in
 * lists and maps, as CEL allows. */
static int parse_list(struct parser *p, const char *close, bool pairs, struct kids *kids)
{
    struct ast *node;
    int r = 0;

    while (!is_sign(p, close)) {
        if ((r = parse_expr(p, &node)) != 0 || (r = kids_add(p, kids, node)) != 0)
            return r;
        if (pairs) {
            if ((r = expect(p, ":")) != 0 || (r = parse_expr(p, &node)) != 0 ||
                (r = kids_add(p, kids, node)) != 0)
                return r;
        }
        if (!is_sign(p, ","))
            break;
        if ((r = advance(p)) != 0)
            return r;
        if (is_sign(p, close) && *close == ')')
            return unexpected(p, "một giá trị", "a value");
    }
    return expect(p, close);
}

static bool is_reserved(struct bao_str word)
{
    static const char *const words[] = {
        "in",     "as",  "break", "const",   "continue",  "else",   "for", "function", "if",
        "import", "let", "loop",  "package", "namespace", "return", "var", "void",     "while",
    };

    for (size_t i = 0; i < BAO_COUNT(words); i++)
        if (bao_str_is(word, words[i]))
            return true;
    return false;
}

/* The known function nearest in spelling, or an empty piece. */
static int nearest_function(struct parser *p, struct bao_str name, struct bao_str *ret)
{
    static const char *const macros[] = {"has", "all", "exists", "exists_one", "map", "filter"};
    struct bao_str folded = bao_utf8_fold(p->lexer.arena, name), best = BAO_STR_NULL;
    size_t limit = 3, n = 0;
    const struct function *f;

    if (folded.p == NULL)
        return -ENOMEM;
    for (;; n++) {
        struct bao_str other, known;
        size_t d;

        if (n < BAO_COUNT(macros))
            known = bao_str_c(macros[n]);
        else if ((f = bao_function_at(n - BAO_COUNT(macros))) != NULL)
            known = bao_str_c(f->name);
        else
            break;
        other = bao_utf8_fold(p->lexer.arena, known);
        if (other.p == NULL)
            return -ENOMEM;
        d = bao_utf8_distance(folded, other, limit);
        if (d < limit) {
            limit = d;
            best = known;
        }
    }
    *ret = best;
    return 0;
}

static int unknown_function(struct parser *p, struct bao_str name, size_t at)
{
    struct bao_str near;
    struct bao_finding *f;
    int r = nearest_function(p, name, &near);

    if (r != 0)
        return r;
    f = bao_lexer_complain(&p->lexer, near.n != 0 ? BAO_BC_EXPR_FUNCTION_NEAR : BAO_BC_EXPR_FUNCTION, at,
                           at + name.n);
    bao_finding_arg(f, name);
    if (near.n != 0)
        bao_finding_arg(f, near);
    return BAO_EXPR_E_BAD;
}

static int wrong_arguments(struct parser *p, struct bao_str name, size_t at, const char *usage)
{
    struct bao_finding *f = bao_lexer_complain(&p->lexer, BAO_BC_EXPR_ARGUMENTS, at, at + name.n);

    bao_finding_arg(f, name);
    bao_finding_arg(f, bao_str_c(usage));
    return BAO_EXPR_E_BAD;
}

static const struct macro {
    const char *name;
    enum op op;
    size_t least, most; /* arguments, the variable counted */
    const char *usage;
} macros[] = {
    {"all", OP_ALL, 2, 2, "list.all(x, x.so > 0)"},
    {"exists", OP_EXISTS, 2, 2, "list.exists(x, x.so > 0)"},
    {"exists_one", OP_EXISTS_ONE, 2, 2, "list.exists_one(x, x.so > 0)"},
    {"map", OP_MAP_EACH, 2, 3, "list.map(x, x.so)"},
    {"filter", OP_FILTER, 2, 2, "list.filter(x, x.so > 0)"},
};

static const struct macro *macro_find(struct bao_str name)
{
    for (size_t i = 0; i < BAO_COUNT(macros); i++)
        if (bao_str_is(name, macros[i].name))
            return &macros[i];
    return NULL;
}

/* list.map(x, filter, value): CEL puts the filter in the middle. */
static int make_macro(struct parser *p, const struct macro *m, struct ast *list, const struct kids *args,
                      size_t at, struct ast **ret)
{
    const struct ast *variable = args->n == 0 ? NULL : args->items[0];
    struct ast *kids[3] = {list};
    struct ast *node;
    int r;

    if (args->n < m->least || args->n > m->most)
        return wrong_arguments(p, bao_str_c(m->name), at, m->usage);
    if (variable->op != OP_NAME || variable->n_steps != 0 || variable->rooted) {
        bao_finding_arg(bao_lexer_complain(&p->lexer, BAO_BC_EXPR_VARIABLE, variable->at, variable->end),
                        bao_str_c(m->usage));
        return BAO_EXPR_E_BAD;
    }
    kids[1] = args->items[args->n - 1];
    if (args->n == 3)
        kids[2] = args->items[1];
    r = make(p, m->op, at, kids, args->n, &node);
    if (r != 0)
        return r;
    node->name = variable->name;
    *ret = node;
    return 0;
}

static void free_pattern(void *pattern)
{
    bao_regex_free(pattern);
}

/* A literal pattern is compiled once, and told when it is wrong. */
static int compile_pattern(struct parser *p, struct ast *node)
{
    const struct ast *literal = node->kids[1];
    struct bao_regex *pattern;
    size_t at;
    int r;

    if (!bao_str_is(bao_str_c(node->function->name), "matches") || literal->op != OP_VALUE ||
        literal->value.type != BAO_V_STRING)
        return 0;
    r = bao_regex_compile(str_of_value(literal->value), &at, &pattern);
    if (r > 0)
        bao_lexer_complain(&p->lexer, BAO_BC_EXPR_PATTERN, literal->at, literal->end);
    if (r != 0)
        return r < 0 ? r : BAO_EXPR_E_BAD;
    r = bao_arena_defer(p->lexer.arena, free_pattern, pattern);
    if (r == 0)
        node->pattern = pattern;
    else
        bao_regex_free(pattern);
    return r;
}

static int make_call(struct parser *p, struct bao_str name, struct ast *receiver, const struct kids *args,
                     size_t at, struct ast **ret)
{
    const struct function *f = bao_function_find(name);
    struct kids all = {.items = NULL};
    struct ast *node;
    int r = receiver == NULL ? 0 : kids_add(p, &all, receiver);

    for (size_t i = 0; r == 0 && i < args->n; i++)
        r = kids_add(p, &all, args->items[i]);
    if (r != 0)
        return r;
    if (f == NULL)
        return unknown_function(p, name, at);
    if ((receiver != NULL ? !f->method : !f->global) || all.n < f->least || (f->most != 0 && all.n > f->most))
        return wrong_arguments(p, name, at, f->usage);
    r = make(p, OP_CALL, at, all.items, all.n, &node);
    if (r != 0)
        return r;
    node->function = f;
    r = compile_pattern(p, node);
    if (r == 0)
        *ret = node;
    return r;
}

static int make_has(struct parser *p, const struct kids *args, size_t at, struct ast **ret)
{
    const struct ast *a = args->n == 1 ? args->items[0] : NULL;

    if (a == NULL || (a->op != OP_NAME && a->op != OP_SELECT && a->op != OP_INDEX)) {
        bao_lexer_complain(&p->lexer, BAO_BC_EXPR_HAS, at, p->token.at);
        return BAO_EXPR_E_BAD;
    }
    return make(p, OP_HAS, at, args->items, 1, ret);
}

/* self.a.b is one node: fields are added to the name as they come. */
static int select_field(struct parser *p, struct ast *base, struct bao_str name, struct ast **ret)
{
    uint32_t hash = bao_key_hash(name.p, name.n);
    struct bao_expr_step *steps;
    int r;

    if (base->op != OP_NAME) {
        r = make(p, OP_SELECT, base->at, &base, 1, ret);
        if (r == 0) {
            (*ret)->name = name;
            (*ret)->hash = hash;
        }
        return r;
    }
    if (base->n_steps >= EXPR_DEPTH_MAX)
        return too_deep(p, base->at);
    steps = bao_arena_array(p->lexer.arena, base->n_steps + 1, sizeof(*steps));
    if (steps == NULL)
        return -ENOMEM;
    if (base->n_steps != 0)
        memcpy(steps, base->steps, base->n_steps * sizeof(*steps));
    steps[base->n_steps] = (struct bao_expr_step){.kind = BAO_STEP_FIELD, .name = name, .hash = hash};
    base->steps = steps;
    base->n_steps++;
    base->end = p->token.at;
    *ret = base;
    return 0;
}

/* After a point: a field, or a method with its arguments. */
static int parse_member(struct parser *p, struct ast *base, struct ast **ret)
{
    struct token name;
    struct kids args = {.items = NULL};
    const struct macro *macro;
    int r = advance(p);

    if (r != 0)
        return r;
    name = p->token;
    if (name.kind != TOKEN_NAME && name.kind != TOKEN_QUOTED_NAME)
        return unexpected(p, "tên trường sau dấu chấm", "a field's name after the point");
    if ((r = advance(p)) != 0)
        return r;
    if (name.kind == TOKEN_QUOTED_NAME || !is_sign(p, "("))
        return select_field(p, base, name.text, ret);
    if ((r = advance(p)) != 0 || (r = parse_list(p, ")", false, &args)) != 0)
        return r;
    macro = macro_find(name.text);
    if (macro != NULL)
        return make_macro(p, macro, base, &args, name.at, ret);
    return make_call(p, name.text, base, &args, name.at, ret);
}

static int parse_index(struct parser *p, struct ast *base, struct ast **ret)
{
    struct ast *kids[2] = {base, NULL};
    int r = advance(p);

    if (r != 0 || (r = parse_expr(p, &kids[1])) != 0 || (r = expect(p, "]")) != 0)
        return r;
    if (kids[1]->op == OP_VALUE && kids[1]->value.type == BAO_V_STRING)
        return select_field(p, base, str_of_value(kids[1]->value), ret);
    return make(p, OP_INDEX, base->at, kids, 2, ret);
}

static int make_value(struct parser *p, size_t at, struct bao_value v, struct ast **ret)
{
    int r = advance(p);

    if (r == 0)
        r = make(p, OP_VALUE, at, NULL, 0, ret);
    if (r == 0)
        (*ret)->value = v;
    return r;
}

static int parse_name(struct parser *p, struct ast **ret)
{
    struct token name = p->token;
    struct kids args = {.items = NULL};
    int r;

    if (bao_str_is(name.text, "true") || bao_str_is(name.text, "false"))
        return make_value(p, name.at, value_bool(bao_str_is(name.text, "true")), ret);
    if (bao_str_is(name.text, "null"))
        return make_value(p, name.at, (struct bao_value){.type = BAO_V_NULL}, ret);
    if (is_reserved(name.text)) {
        bao_finding_arg(bao_lexer_complain(&p->lexer, BAO_BC_EXPR_RESERVED, name.at, name.end), name.text);
        return BAO_EXPR_E_BAD;
    }
    if ((r = advance(p)) != 0)
        return r;
    if (!is_sign(p, "(")) {
        r = make(p, OP_NAME, name.at, NULL, 0, ret);
        if (r == 0)
            (*ret)->name = name.text;
        return r;
    }
    if ((r = advance(p)) != 0 || (r = parse_list(p, ")", false, &args)) != 0)
        return r;
    if (bao_str_is(name.text, "has"))
        return make_has(p, &args, name.at, ret);
    return make_call(p, name.text, NULL, &args, name.at, ret);
}

static int parse_collection(struct parser *p, enum op op, const char *close, struct ast **ret)
{
    struct kids kids = {.items = NULL};
    size_t at = p->token.at;
    int r = advance(p);

    if (r == 0)
        r = parse_list(p, close, op == OP_MAP, &kids);
    return r != 0 ? r : make(p, op, at, kids.items, kids.n, ret);
}

/* .name: the variable, even where a comprehension has one of that name. */
static int parse_rooted(struct parser *p, struct ast **ret)
{
    size_t at = p->token.at;
    int r = advance(p);

    if (r != 0)
        return r;
    if (p->token.kind != TOKEN_NAME || is_reserved(p->token.text))
        return unexpected(p, "tên biến sau dấu chấm", "a variable's name after the point");
    r = make(p, OP_NAME, at, NULL, 0, ret);
    if (r != 0)
        return r;
    (*ret)->name = p->token.text;
    (*ret)->rooted = true;
    return advance(p);
}

static int parse_primary(struct parser *p, struct ast **ret)
{
    const struct token *t = &p->token;
    int r;

    switch (t->kind) {
    case TOKEN_NAME:
        return parse_name(p, ret);
    case TOKEN_NUMBER:
        return make_value(p, t->at, value_num(t->num, t->is_double), ret);
    case TOKEN_STRING:
        return make_value(p, t->at, value_str(t->text), ret);
    default:
        break;
    }
    if (is_sign(p, "."))
        return parse_rooted(p, ret);
    if (is_sign(p, "["))
        return parse_collection(p, OP_LIST, "]", ret);
    if (is_sign(p, "{"))
        return parse_collection(p, OP_MAP, "}", ret);
    if (!is_sign(p, "("))
        return unexpected(p, "một giá trị", "a value");
    if ((r = advance(p)) != 0 || (r = parse_expr(p, ret)) != 0)
        return r;
    return expect(p, ")");
}

static int parse_postfix(struct parser *p, struct ast **ret)
{
    struct ast *node;
    int r = parse_primary(p, &node);

    while (r == 0) {
        if (is_sign(p, "."))
            r = parse_member(p, node, &node);
        else if (is_sign(p, "["))
            r = parse_index(p, node, &node);
        else
            break;
    }
    if (r == 0)
        *ret = node;
    return r;
}

static int parse_unary(struct parser *p, struct ast **ret)
{
    bool not = is_sign(p, "!");
    size_t at = p->token.at;
    struct ast *node;
    int r;

    if (!not &&!is_sign(p, "-"))
        return parse_postfix(p, ret);
    if (++p->depth > EXPR_DEPTH_MAX)
        return too_deep(p, at);
    r = advance(p);
    if (r == 0)
        r = parse_unary(p, &node);
    p->depth--;
    if (r != 0)
        return r;
    return make(p, not ? OP_NOT : OP_NEG, at, &node, 1, ret);
}

/* Binary operators, loosest first. */
static const struct {
    const char *sign;
    uint8_t level;
    uint8_t op;
} binaries[] = {
    {"||", 1, OP_OR}, {"&&", 2, OP_AND}, {"==", 3, OP_EQ}, {"!=", 3, OP_NE}, {"<=", 3, OP_LE},
    {">=", 3, OP_GE}, {"<", 3, OP_LT},   {">", 3, OP_GT},  {"in", 3, OP_IN}, {"+", 4, OP_ADD},
    {"-", 4, OP_SUB}, {"*", 5, OP_MUL},  {"/", 5, OP_DIV}, {"%", 5, OP_REM},
};

/* The operator that stands next, of at least that level; BAO_COUNT(binaries) when there is none. */
static size_t binary_at(const struct parser *p, unsigned level)
{
    size_t i = 0;

    for (; i < BAO_COUNT(binaries); i++)
        if (binaries[i].level >= level && (is_sign(p, binaries[i].sign) || is_word(p, binaries[i].sign)))
            break;
    return i;
}

static int parse_binary(struct parser *p, unsigned level, struct ast **ret)
{
    struct ast *kids[2];
    size_t i;
    int r = parse_unary(p, &kids[0]);

    while (r == 0 && (i = binary_at(p, level)) < BAO_COUNT(binaries)) {
        r = advance(p);
        if (r == 0)
            r = parse_binary(p, binaries[i].level + 1u, &kids[1]);
        if (r == 0)
            r = make(p, binaries[i].op, kids[0]->at, kids, 2, &kids[0]);
    }
    if (r == 0)
        *ret = kids[0];
    return r;
}

static int parse_choice(struct parser *p, struct ast **ret)
{
    struct ast *kids[3];
    int r = parse_binary(p, 1, &kids[0]);

    if (r != 0)
        return r;
    if (!is_sign(p, "?")) {
        *ret = kids[0];
        return 0;
    }
    if ((r = advance(p)) != 0 || (r = parse_binary(p, 1, &kids[1])) != 0 || (r = expect(p, ":")) != 0 ||
        (r = parse_expr(p, &kids[2])) != 0)
        return r;
    return make(p, OP_CHOICE, kids[0]->at, kids, 3, ret);
}

static int parse_expr(struct parser *p, struct ast **ret)
{
    int r;

    if (++p->depth > EXPR_DEPTH_MAX)
        return too_deep(p, p->token.at);
    r = parse_choice(p, ret);
    p->depth--;
    return r;
}

static int parse_whole(struct parser *p, struct ast **ret)
{
    int r;

    if (p->lexer.text.n > EXPR_TEXT_MAX)
        return too_deep(p, 0);
    if (bao_utf8_valid(p->lexer.text) != p->lexer.text.n) {
        bao_lexer_complain(&p->lexer, BAO_BC_EXPR_STRING, 0, 0);
        return BAO_EXPR_E_BAD;
    }
    if ((r = advance(p)) != 0 || (r = parse_expr(p, ret)) != 0)
        return r;
    if (p->token.kind != TOKEN_END)
        return unexpected(p, "một phép toán hoặc hết biểu thức", "an operator or the end");
    return 0;
}

int bao_expr_parse(struct bao_arena *arena, struct bao_str text, struct bao_place at,
                   struct bao_findings *findings, const struct bao_expr **ret)
{
    struct parser p = {.lexer = {.arena = arena, .text = text, .start = at, .findings = findings}};
    struct bao_expr *expr = bao_arena_array(arena, 1, sizeof(*expr));
    struct ast *root;
    int r;

    if (expr == NULL)
        return -ENOMEM;
    if ((r = parse_whole(&p, &root)) != 0 || (r = bao_ast_bind(&p.lexer, root, expr)) != 0)
        return r;
    expr->root = root;
    expr->text = text;
    *ret = expr;
    return 0;
}
