/* The one judge: bytes of a report in, verdict out. The same code in `baocao check` and in the daemon.
 *
 * Pure: time, forms and registry are arguments. What needs the unit's earlier reports is judged apart
 * (bao_judge_history), by whoever knows them. Thread-safe: everything made lives in the caller's arena. */
#pragma once

#include "lib/doc/load.h"
#include "lib/form/checks.h"
#include "lib/form/form.h"
#include "lib/text/symbols.h"

struct bao_judge_context {
    const struct bao_forms *forms;
    const struct bao_registry *registry; /* NULL: unit, obligation and x-for are not judged */
    struct bao_load_limits limits;
    bao_time now; /* for "too early"; BAO_TIME_NONE = not judged */
};

/* One indicator's value in a report. */
struct bao_figure {
    bool present;
    int64_t scaled; /* value * 10^decimals; |scaled| <= 2^50 */
};

struct bao_verdict {
    enum bao_symbol symbol; /* BAO_SYM_NONE = acceptable as far as the report alone tells */
    struct bao_findings findings;
    struct bao_doc doc; /* root valid unless PARSE, UTF8 or SECRET */
    bool is_secret;     /* SECRET: the body must be neither stored nor logged */
    /* the key; set as far as the envelope could be read, also when the report is refused */
    struct bao_str form_id, unit;
    struct bao_period period;
    bool has_key;
    int revision;
    uint8_t content[32]; /* SHA-256 of the canonical tree; valid when has_key and not is_secret */
    bool nil;
    const struct bao_form *form;     /* version in force, or NULL */
    const struct bao_unit *reporter; /* the unit on the cut-off day, or NULL */
    const struct bao_node *data;     /* without blanks; NULL when absent or nil */
    const struct bao_node *explain;  /* without blanks; NULL when absent */
    bao_date from, to;               /* the period's window; to = cut-off day */
    bao_date due;                    /* local day of the deadline by the rule; BAO_DATE_NONE: unknown */
    struct bao_figure *figures;      /* form->n_indicators, ratios absent (their parts count) */
    size_t unjudged;         /* history checks that wait for bao_judge_history, or that it could not run */
    uint8_t unknown;         /* BAO_BACK_* that those checks would need */
    struct bao_str warnings; /* JSON array of findings accepted with the report; empty = none */
    struct bao_str explanations; /* JSON object as sent; empty = none */
    struct bao_str collected;    /* JSON object by collect field; empty = none */
};

/* Judges one report. Everything in *ret lives in the arena or in `bytes`. 0, or <0 (-ENOMEM): no verdict. */
int bao_judge(const struct bao_judge_context *context, struct bao_arena *arena,
              struct bao_schema_scratch *scratch, struct bao_str bytes,
              struct bao_verdict *ret) BAO_MUST_CHECK;

/* The data of a report that had been accepted, without blanks, as its form's checks saw them; NULL when it
 * said nothing (nil). `bytes` is borrowed. 0, BAO_LOAD_E_REFUSED when it cannot be read, or <0. */
int bao_report_data(struct bao_arena *arena, struct bao_str bytes,
                    const struct bao_node **ret) BAO_MUST_CHECK;

/* Runs the history checks of a report whose data was judged against what the unit reported before;
 * `findings`, `symbol` and `warnings` of the verdict follow. With `flag_only` a check that would refuse is
 * told as a warning (at drain, and for later reports that a correction breaks). Uses the arena of bao_judge.
 * 0, or <0. */
int bao_judge_history(struct bao_arena *arena, const struct bao_history *history, bool flag_only,
                      struct bao_verdict *verdict) BAO_MUST_CHECK;
