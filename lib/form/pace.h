/* Targets of a year and the pace at which they are approached.
 *
 * What can be expected by a cut-off is the target times the share of the year that has gone by then, for all
 * that grows through the year: a flow (its running total), a stock, a ratio of stocks. A ratio of flows is
 * a rate that should hold in every period: the whole target is expected of it at any time. */
#pragma once

#include "lib/form/across.h"

enum bao_pace {
    BAO_PACE_NONE, /* no figure, no target, or the indicator does not say which way is better */
    BAO_PACE_AHEAD,
    BAO_PACE_ON_TRACK,
    BAO_PACE_AT_RISK,
    BAO_PACE_BEHIND,
};

/* Thresholds, in thousandths of what is expected, by which the figure may lead (>= 0) or lag (< 0):
 *   ahead     leads by AHEAD or more, or has the whole target before the year is over (direction up; not a
 * rate) on-track  lags by no more than ON_TRACK at-risk   lags by no more than AT_RISK behind    lags by more
 * With direction down a figure leads by being smaller. */
enum { BAO_PACE_LEAD_AHEAD = 50, BAO_PACE_LAG_ON_TRACK = 50, BAO_PACE_LAG_AT_RISK = 200 };

/* How much of the year has gone: days of it up to a day, of all its days. */
struct bao_elapsed {
    int days, of;
};

struct bao_pace_answer {
    struct bao_maybe expected; /* rounded to BAO_QUOTIENT_DECIMALS; absent without a target */
    uint8_t pace;              /* enum bao_pace */
};

/* The share of `year` (its window under the calendar) that has gone at the end of `day`: 0 before it, all
 * after it. */
struct bao_elapsed bao_year_elapsed(struct bao_calendar c, int year, bao_date day);
/* Sets a figure against the year's target. `value`: a flow's running total since the year began; a stock or
 * ratio as it is. 0, BAO_ACROSS_E_RANGE or -ENOMEM. */
int bao_pace(struct bao_arena *a, const struct bao_measure *m, struct bao_maybe value,
             struct bao_maybe target, struct bao_elapsed elapsed, struct bao_pace_answer *ret) BAO_MUST_CHECK;
/* "ahead", "on-track", "at-risk", "behind"; NULL for none. */
const char *bao_pace_name(enum bao_pace pace);
