/* The check language: a CEL subset with exact decimals. forms.md section 5.
 *
 * Parse and bind once, when a form loads; evaluate many times, from many threads, each with its own arena. */
#pragma once

#include "lib/doc/tree.h"
#include "lib/text/catalogue.h"

/* A value while evaluating. Lists and maps may be borrowed nodes of a document or made by the expression. */
enum bao_value_type {
    BAO_V_ABSENT, /* no such member, or null in a report */
    BAO_V_NULL,
    BAO_V_BOOL,
    BAO_V_NUM,
    BAO_V_STRING,
    BAO_V_LIST,
    BAO_V_MAP,
    BAO_V_ERROR, /* carries a code; absorbed by && and || as CEL says */
};

struct bao_value {
    uint8_t type;
    bool is_double; /* BAO_V_NUM: came from a decimal, for CEL's type questions only */
    uint16_t code;  /* BAO_V_ERROR: BAO_BC_EXPR_* */
    uint32_t len; /* string octets, list or map elements; BAO_V_ERROR: octet of the expression it arose at */
    union {
        bool boolean;
        struct bao_num num;
        const char *str;
        const struct bao_node *node; /* list or map of a document; else NULL and made is used */
    };
    const struct bao_value *made; /* made list: len values; made map: 2 * len, key then value */
};

struct bao_expr; /* immutable; lives in the arena it was parsed into */

enum bao_expr_outcome {
    BAO_EXPR_E_BAD = 1, /* findings say why, with places in the expression's file */
};

/* Parses text whose first character stands at `at` in its file (so that findings point into the form).
 * 0, BAO_EXPR_E_BAD, or <0. */
int bao_expr_parse(struct bao_arena *arena, struct bao_str text, struct bao_place at,
                   struct bao_findings *findings, const struct bao_expr **ret) BAO_MUST_CHECK;

enum bao_step_kind {
    BAO_STEP_FIELD,   /* .name or ["name"] */
    BAO_STEP_INDEX,   /* [7] of a list */
    BAO_STEP_EACH,    /* any element: the variable of a comprehension over the list */
    BAO_STEP_COMPUTED /* [expression]: which one is known only when it runs */
};

struct bao_expr_step {
    uint8_t kind;
    uint32_t hash; /* BAO_STEP_FIELD: bao_key_hash(name) */
    int64_t index; /* BAO_STEP_INDEX */
    struct bao_str name;
};

/* A path an expression reads, from a variable: self.kinh_phi.giao gives root "self", steps kinh_phi, giao.
 * The variable of a comprehension is resolved to the list it walks. */
struct bao_expr_path {
    struct bao_str root;
    const struct bao_expr_step *steps;
    size_t n_steps;
    bool guarded; /* read inside has(), or only where has() of the same path holds */
    struct bao_place at;
};

/* Every path the expression reads, for checking against a schema and for the missing strategies. Owned by
 * the expression. */
const struct bao_expr_path *bao_expr_paths(const struct bao_expr *expr, size_t *ret_n);
/* How much of a path is there, from the value of its root: with elements on the way every one of them is
 * asked, and an empty list misses nothing. What lies behind a computed index counts as there. */
enum bao_presence { BAO_PATH_ABSENT, BAO_PATH_PARTLY, BAO_PATH_PRESENT };
enum bao_presence bao_expr_path_presence(const struct bao_expr_path *path, struct bao_value root);
/* The node a path of fields leads to below a document's node; NULL: absent, or the path is not of fields
 * alone. */
const struct bao_node *bao_expr_path_node(const struct bao_expr_path *path, const struct bao_node *root);
/* Is the whole expression one path? */
bool bao_expr_is_path(const struct bao_expr *expr);

/* Values of variables: gives the value of a name, or type BAO_V_ABSENT. Asked once a name and evaluation. */
struct bao_expr_scope {
    struct bao_value (*get)(void *user, struct bao_str name);
    void *user;
    const struct bao_value *zeros; /* by path: what an absent one stands for; NULL: absent is an error */
    bool form_text;                /* text is compared as a form's schema does: NFC, blanks around it aside */
    const struct bao_node *const
        *known; /* by path: its node where the caller has found it, else NULL; or NULL */
};

/* Evaluates within a step limit (1,000,000). 0 (ret may be BAO_V_ERROR or BAO_V_ABSENT), or -ENOMEM. */
int bao_expr_eval(const struct bao_expr *expr, struct bao_arena *arena, const struct bao_expr_scope *scope,
                  struct bao_value *ret) BAO_MUST_CHECK;

/* A document's value as an expression value. A member whose value is null reads as absent (forms.md 1); NULL
 * gives BAO_V_ABSENT. */
struct bao_value bao_value_of_node(const struct bao_node *node);
/* Appends a value as a person writes it (numbers canonical, text plain). */
int bao_value_print(struct bao_buf *out, struct bao_value v) BAO_MUST_CHECK;
