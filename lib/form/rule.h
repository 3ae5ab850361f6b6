/* Expressions bound to a form: what checks.c, check_run.c and rule.c share. Nobody outside
 * lib/form/{rule,check}*.c includes this. */
#pragma once

#include "lib/form/checks.h"

/* ---- places in the schema ---- */

enum { RULE_SHAPES_MAX = 48 };

/* All subschemas that speak of one place, $ref followed, and branches of allOf, anyOf, oneOf, then and else.
 */
struct rule_shape {
    struct {
        const struct bao_node *schema, *document; /* document: what "#" means inside */
    } at[RULE_SHAPES_MAX];
    size_t n;
    bool open;                   /* anything may stand here: the schema does not say */
    const struct bao_str *kinds; /* x-for of the place or what it lies in; n_kinds 0 = all */
    size_t n_kinds;
    bool personal; /* x-personal: here or above */
};

enum rule_type {
    RULE_TYPE_UNKNOWN,
    RULE_TYPE_NUMBER,
    RULE_TYPE_STRING,
    RULE_TYPE_BOOL,
    RULE_TYPE_LIST,
    RULE_TYPE_MAP
};

enum rule_step_outcome {
    RULE_STEP_E_NONE = 1, /* no such field */
    RULE_STEP_E_LIST,     /* a field of a list */
    RULE_STEP_E_PLAIN,    /* a field or element of a plain value */
};

/* The shape of the data themselves. */
int bao_rule_shape_root(const struct bao_check_loader *loader, struct rule_shape *ret) BAO_MUST_CHECK;
/* One step further: 0, an outcome, or -ENOMEM. `shape` and `ret` may be one. */
int bao_rule_shape_step(const struct bao_check_loader *loader, const struct rule_shape *shape,
                        const struct bao_expr_step *step, struct rule_shape *ret) BAO_MUST_CHECK;
enum rule_type bao_rule_shape_type(const struct rule_shape *shape);
/* The text of a keyword of the place (title, x-en, x-key), or an empty piece. */
struct bao_str bao_rule_shape_text(const struct rule_shape *shape, const char *keyword);
/* The names a field could have there: at most size; gives their number. */
size_t bao_rule_shape_names(const struct rule_shape *shape, struct bao_str *ret, size_t size);

/* ---- rules ---- */

enum rule_root {
    RULE_SELF,
    RULE_ITEM,
    RULE_PARENT,
    RULE_PREV,
    RULE_PREV_YEAR,
    RULE_YTD,
    RULE_PERIOD,
    RULE_UNIT,
    RULE_PREV_ITEM,
    RULE_NOW_ITEM,
    RULE_ROOTS,
};

/* What a path of an expression is in this form. */
struct rule_read {
    uint8_t root;                /* enum rule_root */
    const struct bao_str *kinds; /* x-for */
    size_t n_kinds;
};

struct rule {
    const struct bao_expr *expr;
    const struct rule_read *reads; /* by path of the expression */
    const struct bao_value *zeros; /* by path */
    uint8_t looks_back;            /* BAO_BACK_* */
};

/* Where an expression stands: the variables it may name, and what item and parent are. */
struct rule_scope {
    uint32_t names; /* bits 1 << enum rule_root */
    const struct rule_shape *item, *parent;
    bool indicator; /* for the sentence that refuses history */
    bool shown;     /* a message: others than the unit may read what it says */
};

/* Loads `text`, which is `inside` the node's text when that is not the whole (an expression of a message).
 * 0, BAO_CHECKS_E_BAD, or <0. */
int bao_rule_make(const struct bao_check_loader *loader, const struct bao_node *node, struct bao_str text,
                  const struct rule_scope *scope, struct rule *ret) BAO_MUST_CHECK;
/* The expression a node holds: its text, or true, false and numbers as they are written. */
bool bao_rule_text(const struct bao_check_loader *loader, const struct bao_node *node, struct bao_str *ret);
/* A finding of the form at octets from..to of a scalar's text. NULL beyond the cap. */
struct bao_finding *bao_rule_complain(const struct bao_check_loader *loader, unsigned code,
                                      const struct bao_node *node, size_t from, size_t to);
/* A list's path as each: and collect name it: levels of lists, one inside the other. */
struct rule_level {
    const struct bao_expr_step *steps; /* fields from the container to the list */
    size_t n_steps;
    struct bao_str key;       /* x-key */
    struct bao_text2 *titles; /* by step */
};

struct rule_levels {
    const struct rule_level *items;
    size_t n;
    struct rule_shape item, parent; /* of the innermost list's items and of those it lies in */
};

/* Resolves a list's path; `each` wants an x-key at every level. 0, BAO_CHECKS_E_BAD, or <0. */
int bao_rule_levels_load(const struct bao_check_loader *loader, const struct bao_node *node,
                         struct bao_str path, bool each, struct rule_levels *ret) BAO_MUST_CHECK;
/* The steps of a dotted path of fields under a shape, with titles. 0, BAO_CHECKS_E_BAD (told), or <0. */
int bao_rule_fields_load(const struct bao_check_loader *loader, const struct bao_node *node,
                         struct bao_str path, struct rule_shape *shape,
                         struct rule_level *ret) BAO_MUST_CHECK;

/* ---- running ---- */

/* The variables of one evaluation. What is made for period, unit and ytd is made once. */
struct rule_env {
    struct bao_arena *arena;
    const struct bao_rule_vars *vars;
    const struct bao_node
        *nodes[RULE_ROOTS]; /* self, item, parent, prev, prev_year, prev_item, now_item; NULL: null */
    uint32_t known;         /* roots that exist here (bits); others are absent */
    struct bao_value made[RULE_ROOTS]; /* period, unit, ytd */
    bool no_memory;
};

/* An environment over the variables, which are borrowed for its life. */
void bao_rule_env_init(struct rule_env *env, struct bao_arena *arena, const struct bao_rule_vars *vars);
/* The value of a root; made on first use. Absent when it is not known here. */
struct bao_value bao_rule_env_value(struct rule_env *env, enum rule_root root);
/* Evaluates; with `zeros` absent paths stand for zero; `known` as in bao_expr_scope. 0, or -ENOMEM. */
int bao_rule_run(const struct rule *rule, struct rule_env *env, bool zeros,
                 const struct bao_node *const *known, struct bao_value *ret) BAO_MUST_CHECK;
/* The root of that name, or RULE_ROOTS. */
enum rule_root bao_rule_root_of(struct bao_str name);
