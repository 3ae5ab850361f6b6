/* The checks of a form: rules that cross fields, items, periods. forms.md sections 2 and 5; schemas/CHECKS.md
 * teaches them.
 *
 * Loaded once with the form, every path resolved against the form's schema; run for each report, from many
 * threads, each with its own arena. Nothing here reads a clock, a file or a database: earlier reports come in
 * as struct bao_history. */
#pragma once

#include "lib/form/form.h"

/* What the expressions of a form are resolved against while it loads. Everything is borrowed; `schema`,
 * `common` and `source` must live as long as the arena. */
struct bao_check_loader {
    struct bao_arena *arena;       /* the form's: owns what is made */
    const struct bao_node *schema; /* the form's inner schema */
    const struct bao_node *common; /* what "common#" refers to, or NULL */
    struct bao_str source;         /* the form's text, for places inside expressions */
    const struct bao_node *root;   /* the form's whole document, for the pointers of findings; may be NULL */
    const struct bao_indicator *indicators; /* for ytd.CODE; their codes must be set */
    size_t n_indicators;
    struct bao_findings *findings; /* mistakes of the form go here, with places in the form's file */
};

struct bao_check_program; /* compiled; checks.c and check_run.c */

struct bao_check {
    struct bao_str id;
    uint8_t severity;   /* enum bao_severity */
    uint8_t missing;    /* enum bao_missing */
    uint8_t looks_back; /* BAO_BACK_*; not 0 = a history check: it names prev, prev_year, ytd, prev_item or
                           now_item, or walks prev's items */
    bool per_item;      /* has each: explained by item key */
    struct bao_place at;
    const struct bao_check_program *program;
};

/* What of the past a check reads. */
enum {
    BAO_BACK_PREV = 1,      /* the report of the period before */
    BAO_BACK_PREV_YEAR = 2, /* that of the same period last year */
    BAO_BACK_YTD = 4,       /* sums of the earlier periods of the year */
};

enum bao_checks_outcome { BAO_CHECKS_E_BAD = 1 /* findings of the form say why */ };

/* Loads the list under `checks:` (NULL: none). The array lives in the loader's arena. Every mistake is told,
 * not only the first. 0, BAO_CHECKS_E_BAD, or <0. */
int bao_checks_load(const struct bao_check_loader *loader, const struct bao_node *list,
                    const struct bao_check **ret, size_t *ret_n) BAO_MUST_CHECK;

/* Which variables an expression outside the checks may name besides self, unit and period. */
enum {
    BAO_RULE_ITEM = 1,    /* item and parent of the list it is loaded for */
    BAO_RULE_HISTORY = 2, /* prev, prev_year, ytd */
};

/* Loads one expression of a form: an indicator's value, a collect's when. `list` is the path of the list
 * whose items are `item`, as in each: (empty: none). 0, BAO_CHECKS_E_BAD, or <0. */
int bao_rule_load(const struct bao_check_loader *loader, const struct bao_node *text, unsigned names,
                  struct bao_str list, const struct bao_expr **ret) BAO_MUST_CHECK;

/* The sum of one indicator over the unit's earlier periods of the same year. */
struct bao_ytd {
    bool present; /* false: one of them was owed and is not reported */
    struct bao_num value;
};

/* What the unit reported before, as far as whoever judges knows it. A period with nothing before it has NULL
 * data: prev is null then. Data of an older form version is given as it was sent. */
struct bao_history {
    const struct bao_node *prev;      /* data of the period before, or NULL */
    const struct bao_node *prev_year; /* data of the same period last year, or NULL */
    const struct bao_ytd *ytd;        /* by indicator index; NULL: none is present */
    uint8_t unknown; /* BAO_BACK_* that whoever judges cannot tell: the checks that read them stay unjudged */
};

/* What the variables of an expression stand for. */
struct bao_rule_vars {
    const struct bao_node *self; /* the report's data; NULL reads as an empty map */
    const struct bao_node *item; /* with BAO_RULE_ITEM */
    const struct bao_node *parent;
    struct bao_str unit_code;
    const struct bao_unit *unit; /* NULL: only unit.code is known */
    struct bao_period period;
    bao_date from, to;           /* the period's window */
    bao_date due;                /* local day of the deadline; BAO_DATE_NONE: absent */
    const struct bao_form *form; /* for ytd's codes */
    const struct bao_history *history;
};

/* What of the past the form's checks read: BAO_BACK_* of them all. */
unsigned bao_checks_look_back(const struct bao_form *form);

/* Evaluates an expression loaded by bao_rule_load. 0 (the value may be an error or absent), or -ENOMEM. */
int bao_rule_eval(const struct bao_expr *expr, struct bao_arena *arena, const struct bao_rule_vars *vars,
                  struct bao_value *ret) BAO_MUST_CHECK;

enum bao_checks_which {
    BAO_CHECKS_PLAIN = 1,   /* those that need the report alone */
    BAO_CHECKS_HISTORY = 2, /* history checks; vars.history must be given */
    BAO_CHECKS_ALL = 3,
};

struct bao_check_context {
    struct bao_rule_vars vars; /* item and parent unused; history NULL: history checks are counted only */
    enum bao_checks_which which;
    const struct bao_node *explain; /* the envelope's explain:, or NULL */
    struct bao_str pointer;         /* JSON Pointer of the data: "/data" */
};

struct bao_check_tally {
    size_t run;      /* checks judged (at least one item of an each) */
    size_t unjudged; /* history checks that could not be run here for want of (all or some of the) history */
};

/* Runs the form's checks over a report's data and adds their findings. A check does not run when a path it
 * reads has a finding already in `findings`: so call it after the schema. Confirm checks that the report
 * explains well enough become warnings; explanations that name no check are told when `which` has
 * BAO_CHECKS_PLAIN. 0, or <0. */
int bao_checks_run(const struct bao_form *form, struct bao_arena *arena,
                   const struct bao_check_context *context, struct bao_findings *findings,
                   struct bao_check_tally *ret) BAO_MUST_CHECK;

/* The value of an indicator in a report, scaled by its decimals: *ret_present false is null (absent path, x /
 * 0, not a number). A field's own value with more decimals than the indicator has, and one beyond 2^50 when
 * scaled, are findings; a computed value is rounded half away from zero. Ratios are always null. 0, or <0. */
int bao_indicator_eval(const struct bao_indicator *indicator, struct bao_arena *arena,
                       const struct bao_check_context *context, struct bao_findings *findings,
                       bool *ret_present, int64_t *ret_scaled) BAO_MUST_CHECK;
