/* The inside of lib/expr: tokens, the bound tree, and what its files share. Nobody outside includes this. */
#pragma once

#include "lib/expr/expr.h"
#include "lib/schema/regex.h"
#include "lib/schema/schema.h"

enum {
    EXPR_TEXT_MAX = 16384, /* octets of one expression */
    EXPR_DEPTH_MAX = 400,  /* nesting of one expression, and so of the evaluator's stack */
    EXPR_STEPS_MAX = 1000000,
};

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_QUOTED_NAME, /* `ho-so`: only after a point */
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_SIGN, /* an operator or a bracket: its text says which */
};

struct token {
    uint8_t kind;
    bool is_double;      /* TOKEN_NUMBER written with a point or exponent */
    uint32_t at, end;    /* octets of the expression's text */
    struct bao_str text; /* as written; TOKEN_STRING and TOKEN_QUOTED_NAME: what it stands for */
    struct bao_num num;
};

struct lexer {
    struct bao_arena *arena;
    struct bao_str text;
    struct bao_place start; /* of the first octet in its file */
    struct bao_findings *findings;
    size_t at;
};

/* The next token: 0, BAO_EXPR_E_BAD (told), or <0. */
int bao_lexer_next(struct lexer *l, struct token *ret) BAO_MUST_CHECK;
/* Where text[at..end) stands in its file. */
struct bao_place bao_lexer_place(const struct lexer *l, size_t at, size_t end);
/* Tells a mistake at text[at..end). The finding may be NULL (only counted). */
struct bao_finding *bao_lexer_complain(struct lexer *l, unsigned code, size_t at, size_t end);

enum op {
    OP_VALUE,
    OP_LIST,
    OP_MAP,  /* kids: key, value, key, value */
    OP_NAME, /* a variable and the fields selected from it: slot, steps */
    OP_SELECT,
    OP_INDEX,
    OP_HAS,
    OP_NOT,
    OP_NEG,
    OP_AND,
    OP_OR,
    OP_CHOICE, /* ?: */
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_REM,
    OP_CALL,
    OP_ALL, /* comprehensions: kids are the range, then what is done with each element */
    OP_EXISTS,
    OP_EXISTS_ONE,
    OP_MAP_EACH, /* kids: range, what it becomes, optional filter */
    OP_FILTER,
    OP_COUNT_
};

struct ast {
    uint8_t op;
    bool local;     /* OP_NAME: slot is a comprehension's variable */
    bool rooted;    /* OP_NAME written .name: never a comprehension's variable */
    uint16_t depth; /* of the tree below */
    uint32_t at, end;
    uint32_t n;    /* kids */
    uint32_t slot; /* OP_NAME, comprehensions */
    uint32_t path; /* index in the expression's paths + 1; 0: reads none */
    uint32_t n_steps;
    struct ast **kids;
    struct bao_str name;               /* OP_NAME, OP_SELECT: the field; comprehensions: the variable */
    uint32_t hash;                     /* OP_SELECT */
    const struct bao_expr_step *steps; /* OP_NAME */
    const struct function *function;   /* OP_CALL */
    const struct bao_regex *pattern;   /* OP_CALL of matches() with a literal */
    struct bao_value value;            /* OP_VALUE */
};

struct bao_expr {
    const struct ast *root;
    struct bao_str text;
    const struct bao_str *names; /* variables, by slot */
    size_t n_names;
    size_t n_locals;
    const struct bao_expr_path *paths;
    size_t n_paths;
};

/* Resolves variables and collects paths; `root` comes from the parser. 0, or -ENOMEM. */
int bao_ast_bind(struct lexer *l, struct ast *root, struct bao_expr *expr) BAO_MUST_CHECK;

/* One evaluation under way. */
struct run {
    struct bao_arena *arena;
    const struct bao_expr *expr;
    const struct bao_expr_scope *scope;
    struct bao_value *names; /* asked so far */
    bool *asked;
    struct bao_value *locals;
    uint32_t steps;                    /* left */
    uint32_t in_has;                   /* inside has(): absent stays absent */
    struct bao_regex_scratch *scratch; /* made by the first matches() */
};

struct function {
    const char *name;
    bool method, global; /* x.f(…) and f(x, …) */
    uint8_t least, most; /* arguments, the receiver counted; most 0: any number */
    const char *usage;   /* an example, for messages */
    int (*call)(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret);
};

/* The function of that name, or NULL. */
const struct function *bao_function_find(struct bao_str name);
/* Its n-th entry, NULL at the end: for suggestions. */
const struct function *bao_function_at(size_t i);

static inline struct bao_value value_error(enum bao_code code, const struct ast *node)
{
    return (struct bao_value){.type = BAO_V_ERROR, .code = (uint16_t)code, .len = node->at};
}

static inline struct bao_value value_bool(bool b)
{
    return (struct bao_value){.type = BAO_V_BOOL, .boolean = b};
}

static inline struct bao_value value_num(struct bao_num num, bool is_double)
{
    return (struct bao_value){.type = BAO_V_NUM, .is_double = is_double, .num = num};
}

static inline struct bao_value value_str(struct bao_str s)
{
    return (struct bao_value){.type = BAO_V_STRING, .str = s.p, .len = (uint32_t)s.n};
}

static inline struct bao_str str_of_value(struct bao_value v)
{
    return (struct bao_str){v.str, v.len};
}

static inline bool value_is_container(struct bao_value v)
{
    return v.type == BAO_V_LIST || v.type == BAO_V_MAP;
}

/* Takes n steps of the budget: false when it is spent. */
static inline bool run_spend(struct run *run, size_t n)
{
    if (n >= run->steps) {
        run->steps = 0;
        return false;
    }
    run->steps -= (uint32_t)n;
    return true;
}

/* bao_value_of_node, written where it is wanted. */
void bao_value_set(struct bao_value *ret, const struct bao_node *node);
/* Element i of a list (i < len). */
struct bao_value bao_value_item(struct bao_value list, size_t i);
/* The value of a key: absent when there is none (or it is null in a document). */
struct bao_value bao_value_get(struct bao_value map, struct bao_value key);
struct bao_value bao_value_field(struct bao_value map, struct bao_str name, uint32_t hash);
/* Key and value at place i (i < len); false when a document's null stands there. */
bool bao_value_entry(struct bao_value map, size_t i, struct bao_value *ret_key, struct bao_value *ret_value);
/* Follows fields while there are maps: the node reached (NULL: absent) after *ret_done steps. */
const struct bao_node *bao_ast_walk(const struct bao_node *node, const struct bao_expr_step *steps, size_t n,
                                    size_t *ret_done);
/* Entries that are not null. */
size_t bao_value_map_size(struct bao_value map);
/* 1 equal, 0 not, -1 the budget is spent. */
int bao_value_equal(struct run *run, struct bao_value a, struct bao_value b);

/* 0, or -ENOMEM. */
int bao_ast_run(struct run *run, const struct ast *node, struct bao_value *ret) BAO_MUST_CHECK;
/* Number arithmetic for functions.c: *ret becomes the result or an error value. */
int bao_run_number(struct run *run, const struct ast *node, enum op op, const struct bao_value args[2],
                   struct bao_value *ret) BAO_MUST_CHECK;
