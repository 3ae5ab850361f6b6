/* What a unit has to send: its own obligations and those of the units it took over, each as one JSON line
 * with the sentence that explains its dates. The same lines answer DUE and `baocao due`. */
#pragma once

#include "lib/form/obligation.h"

struct bao_due {
    struct bao_obligation o; /* due (without an extension) and lock are those in force */
    bool known;              /* the following come from the store; else only the files speak */
    enum bao_state state;
    int revision;            /* the counted one; 0 = none */
    bao_time extended_to;    /* BAO_TIME_NONE: not extended */
    struct bao_str ruling;   /* the reason of an extension or exemption, with its decision; may be empty */
    bao_time approved_at;    /* the period's figures are final; BAO_TIME_NONE: not approved */
    struct bao_str approval; /* its reason, with its decision; may be empty */
    struct bao_str news;     /* what became of a report and has not been read: a sentence; may be empty */
};

struct bao_due_list {
    struct bao_due *items; /* by deadline, the next one first */
    size_t n;
};

/* The codes that answer as `code` on that day: itself, then the units whose debts have passed to it through
 * any number of mergers. In the arena. 0 or -ENOMEM. */
int bao_due_codes(struct bao_arena *arena, const struct bao_registry *registry, struct bao_str code,
                  bao_date day, struct bao_str **ret, size_t *ret_n) BAO_MUST_CHECK;
/* What the files alone can tell: obligations whose deadline lies in from..to. 0 or -ENOMEM. */
int bao_due_by_files(struct bao_arena *arena, const struct bao_forms *forms,
                     const struct bao_registry *registry, const struct bao_str *codes, size_t n_codes,
                     bao_date from, bao_date to, struct bao_due_list *ret) BAO_MUST_CHECK;
/* Puts the next deadline first. */
void bao_due_sort(struct bao_due_list *list);

/* Appends one JSON object, without a line feed: form, unit, period, title, from, to, due, lock, state,
 * revision, why, provisional. `asked` is the unit that the question was about. */
int bao_due_print(struct bao_buf *out, const struct bao_due *d, const struct bao_registry *registry,
                  struct bao_str asked, enum bao_lang lang) BAO_MUST_CHECK;
