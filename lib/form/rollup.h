/* Exact sums of reports: a report's values by slot, and a scope's counts and sums by slot.
 *
 * Slots are the places that the database gives the indicators of a form, for ever and append-only; a version
 * of the form knows which of them its own indicators have. A ratio has two slots that nobody sees, filled
 * only when both of its parts are given, so that its parts are summed over the same reports. Sums are scaled
 * integers with every overflow checked; counts and sums can be taken back, so a correction subtracts the old
 * and adds the new. */
#pragma once

#include "lib/form/judge.h"

/* No figure of a report is larger than this in its scaled form. */
#define BAO_SCALED_MAX (INT64_C(1) << 50)

enum { BAO_SLOT_NONE = UINT16_MAX };

/* The slots of one indicator: `at` for its value, or for a ratio `at` and `to` for its two parts. */
struct bao_slot {
    uint16_t at;
    uint16_t to; /* BAO_SLOT_NONE unless a ratio */
};

/* What a form version needs to know of its form's slots. Immutable; owned by whoever read it. */
struct bao_slots {
    const struct bao_slot *of; /* by indicator of the version */
    size_t n_indicators;
    size_t n;         /* slots that the form has by now: the length of values written from now on */
    const bool *adds; /* by slot: false = over_units none, never added across units */
};

/* Counts and sums of one (scope, form, period). Arrays read from the database may be shorter than the form's
 * slots; what they lack counts as nothing. */
struct bao_rollup {
    int32_t reported; /* reports counted */
    size_t n;
    int32_t *counts;
    int64_t *sums;
};

enum bao_rollup_outcome {
    BAO_ROLLUP_E_RANGE = 1, /* a figure or sum beyond its limit, or a count below zero: nothing was changed */
};

/* Lays a report's figures (form->n_indicators) out by slot: ret has room for slots->n.
 * BAO_ROLLUP_E_RANGE when a figure is larger than BAO_SCALED_MAX. */
int bao_values_fill(const struct bao_slots *slots, const struct bao_form *form,
                    const struct bao_figure *figures, struct bao_figure *ret) BAO_MUST_CHECK;
/* A rollup of n slots that counts nothing, in the arena. */
int bao_rollup_init(struct bao_arena *arena, size_t n, struct bao_rollup *ret) BAO_MUST_CHECK;
/* Adds (sign 1) or takes back (sign -1) one report's values. The rollup must have slots for all of them. A
 * slot that does not add is counted, never summed. 0 or BAO_ROLLUP_E_RANGE. */
int bao_rollup_add(struct bao_rollup *r, const struct bao_slots *slots, const struct bao_figure *values,
                   size_t n, int sign) BAO_MUST_CHECK;
/* Adds a whole other rollup, e.g. of another period of the same span. 0 or BAO_ROLLUP_E_RANGE. */
int bao_rollup_merge(struct bao_rollup *r, const struct bao_rollup *other) BAO_MUST_CHECK;
