/* What the reporting pass works with: the walk (report.c), lists, maps and unevaluated* (report_*.c), places
 * and words of findings (report_place.c, report_words.c), mistakes in single values (blame.c), branches
 * (branch.c). */
#pragma once

#include "lib/schema/program.h"

/* One step from the judged value down to a value. */
struct bao_step {
    const struct bao_step *up;       /* NULL at the judged value itself */
    const struct bao_member *member; /* a map's member, or */
    uint32_t index;                  /* an item of a list */
    struct bao_str key;              /* of the item, by x-key; n 0 when it has none */
    struct bao_str title[BAO_LANGS]; /* from the schema; n 0 when it has none */
};

struct bao_reporter {
    const struct bao_schema *schema;
    struct bao_schema_scratch *scratch;
    struct bao_findings *findings; /* where they go now: while a branch is tried, not the caller's */
    struct bao_arena *arena;       /* of the caller's findings */
    struct bao_schema_at at;
    int left;    /* subs that may still be looked into */
    int guesses; /* names that may still be compared */
    int depth;
    int error;   /* <0: stop */
    bool costly; /* an expression cost too much to match, and nothing was said of it yet */
};

/* A value under judgement. */
struct bao_case {
    struct bao_reporter *r;
    const struct bao_sub *sub;
    const struct bao_node *node;
    const struct bao_step *step;
};

/* Does the sub accept the value? An error is kept in r->error and answered with true; an expression that
 * costs too much is answered with false, so that its place is found. */
bool bao_report_accepts(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node);
/* Finds what is wrong with a value the sub refuses. */
void bao_report_sub(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node,
                    const struct bao_step *step);

/* The same when it refuses. */
void bao_report_unless(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node,
                       const struct bao_step *step);
/* The same for a member or an item of the case's value; sub may be NULL: nothing judges it. */
void bao_report_member(const struct bao_case *c, const struct bao_member *m, const struct bao_sub *sub);
void bao_report_item(const struct bao_case *c, uint32_t i, const struct bao_sub *sub);
/* The text of an item's key, by the list's x-key; n 0 without one. */
struct bao_str bao_report_item_key(const struct bao_case *c, const struct bao_node *item);
/* How many elements: did a least or most number of them find a mistake? */
bool bao_blame_count(const struct bao_case *c, enum bao_kw kw, unsigned code, bool is_min);

/* report_list.c, report_map.c, report_unevaluated.c. All that is wrong with a list, with a map. */
void bao_report_list(const struct bao_case *c);
void bao_report_map(const struct bao_case *c);
void bao_report_dependents(const struct bao_case *c);
/* A member that no keyword speaks of and none may be there. */
void bao_blame_unknown(const struct bao_case *c, const struct bao_member *m, const char *keyword);
/* unevaluated* that was decided beforehand, and that only a run could decide. */
void bao_report_static(const struct bao_case *c);
void bao_report_unevaluated(const struct bao_case *c);

/* Adds a finding about the case's own value, by the keyword (NULL: the sub itself); NULL when the same was
 * said already or it could only be counted. */
struct bao_finding *bao_report_add(const struct bao_case *c, unsigned code, const char *keyword);
/* The same about another place: a member's key, an item. */
struct bao_finding *bao_report_add_at(const struct bao_case *c, unsigned code, const char *keyword,
                                      struct bao_place at, const struct bao_step *step);

/* Fills in where a finding is: pointer, path, titles, and the keyword. */
void bao_report_set_place(const struct bao_case *c, struct bao_finding *f, const char *keyword,
                          const struct bao_step *step);

/* A value for people: text as it is, numbers as they are written, lists and maps by name. */
struct bao_arg bao_report_value(const struct bao_reporter *r, const struct bao_node *node);
/* A value as it was written in the file; canonical where the file is not at hand. */
struct bao_str bao_report_spelling(const struct bao_reporter *r, const struct bao_node *node);
/* Adds an argument in both languages. */
void bao_report_arg(struct bao_finding *f, struct bao_arg arg);
struct bao_str bao_report_count(const struct bao_reporter *r, uint64_t n);

/* The title a sub gives to what it judges, its own or that of what it refers to. */
void bao_report_title(const struct bao_sub *sub, struct bao_str ret[BAO_LANGS]);
/* What kind of value the sub wants, in words: "a whole number". .vi.p NULL when it does not say. */
struct bao_arg bao_report_wanted(const struct bao_reporter *r, const struct bao_sub *sub);

/* blame.c. Mistakes in the value itself: type, const, enum, numbers, text. They say whether they found any.
 */
bool bao_blame_type(const struct bao_case *c);
bool bao_blame_value(const struct bao_case *c);
bool bao_blame_number(const struct bao_case *c);
bool bao_blame_text(const struct bao_case *c);

/* branch.c. anyOf and oneOf that refuse. */
void bao_blame_branches(const struct bao_case *c, struct bao_sub *const *subs, uint32_t n, bool one);
