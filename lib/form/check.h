/* Checks as compiled: shared by checks.c, check_run.c and check_explain.c alone. */
#pragma once

#include "lib/form/rule.h"

/* Text, or an expression whose value stands there. */
struct check_piece {
    struct bao_str text;
    bool is_rule;
    struct rule rule;
};

struct check_message {
    const struct check_piece *pieces;
    size_t n; /* 0: the form gives no message in that language */
};

struct bao_check_program {
    struct rule rule, when;
    struct bao_str text; /* of the rule */
    bool has_when;
    bool each, each_prev;      /* walks a list of this report, or of the previous one */
    struct rule_levels levels; /* each */
    bool at_item;              /* `at` begins at the item, else at the data */
    struct rule_level at;      /* n_steps 0: the item or the data themselves */
    struct check_message message[BAO_LANGS];
};

enum check_explained {
    CHECK_UNEXPLAINED,
    CHECK_EXPLAINED_WELL,
    CHECK_EXPLAINED_SHORT, /* fewer letters than it takes */
    CHECK_EXPLAINED_SHAPE, /* not a text */
    CHECK_EXPLAINED_WHOLE, /* one text for a check that is explained by item */
};

/* Looks for the explanation of a check (of one item of it): *ret_node is where it stands, when there is one.
 */
enum check_explained bao_check_explanation(const struct bao_node *explain, const struct bao_check *check,
                                           struct bao_str item, const struct bao_node **ret_node);
/* Tells what is wrong with an explanation. */
int bao_check_explain_complain(struct bao_findings *findings, const struct bao_check *check,
                               struct bao_str item, enum check_explained how,
                               const struct bao_node *node) BAO_MUST_CHECK;
/* Tells of explanations whose id is no check of the form. 0, or -ENOMEM. */
int bao_check_explain_unknown(struct bao_findings *findings, const struct bao_form *form,
                              const struct bao_node *explain) BAO_MUST_CHECK;
