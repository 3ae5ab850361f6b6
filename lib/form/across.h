/* Figures across time: the total of a span, the running total of a year, the same period last year.
 *
 * A cell is what one indicator came to in one period: over the counted reports of a scope, or in one unit's
 * report. All arithmetic is exact (lib/base/decimal.h); only quotients are rounded, half away from zero. A
 * figure that is not there stays absent and never counts as zero. Results live in the arena. */
#pragma once

#include "lib/form/form.h"

/* Digits after the point of a quotient as it is shown, and of a change in percent. */
enum { BAO_QUOTIENT_DECIMALS = 6, BAO_CHANGE_DECIMALS = 2 };

/* What time makes of an indicator. */
struct bao_measure {
    uint8_t over_time; /* BAO_OVER_SUM: a flow, BAO_OVER_LAST: a stock; of a ratio: that of both its parts */
    bool is_ratio;
    bool percent;     /* of a ratio: times 100 */
    int8_t direction; /* 1 more is better, -1 less is better, 0 not said */
};

struct bao_cell {
    int64_t reported;  /* reports that gave the figure; 0: there is none, and of and to mean nothing */
    int64_t owed;      /* obligations of that period */
    struct bao_num of; /* the sum, or the sum of what a ratio divides */
    struct bao_num to; /* of a ratio: the sum of what it divides by, over the same reports */
    bool estimated;    /* a part of it was apportioned by a stated share */
};

/* A figure or none. */
struct bao_maybe {
    bool is;
    struct bao_num v;
};

struct bao_span {
    struct bao_cell total; /* its coverage is that of the parts it was made of */
    bool is;               /* has it a figure? */
    size_t of_part;        /* a stock: the part that it was taken from */
    size_t n_reported;     /* parts with a figure */
};

enum bao_across_outcome {
    BAO_ACROSS_E_RANGE = 1 /* a sum beyond what a decimal may be */
};

/* What a cell shows: the sum, or the quotient rounded to BAO_QUOTIENT_DECIMALS; absent without a report or
 * when it would divide by zero. 0, BAO_ACROSS_E_RANGE or -ENOMEM. */
int bao_cell_value(struct bao_arena *a, const struct bao_measure *m, const struct bao_cell *cell,
                   struct bao_maybe *ret) BAO_MUST_CHECK;
/* The total of n parts, first one first, that tile a span (bao_period_parts). A flow adds all; owed are then
 * all obligations of the span. A stock is that of the latest part with a report, with that part's coverage:
 * nothing is carried forward into the parts after it. A ratio does so with its two sums. What is neither has
 * a figure only in a span of one part. 0, BAO_ACROSS_E_RANGE or -ENOMEM. */
int bao_span_make(struct bao_arena *a, const struct bao_measure *m, const struct bao_cell *parts, size_t n,
                  struct bao_span *ret) BAO_MUST_CHECK;

/* The running total of a year (luy ke): before + now, and at the start of the year just now. Absent once a
 * part is absent, until the next year begins. 0, BAO_ACROSS_E_RANGE or -ENOMEM. */
int bao_running(struct bao_arena *a, struct bao_maybe before, struct bao_maybe now, bool starts_year,
                struct bao_maybe *ret) BAO_MUST_CHECK;

/* One figure against an earlier one. */
struct bao_change {
    struct bao_maybe by;      /* now - before; absent when either is */
    struct bao_maybe percent; /* by / |before| * 100, rounded to BAO_CHANGE_DECIMALS; absent when before is 0
                               */
};

/* 0, BAO_ACROSS_E_RANGE or -ENOMEM. */
int bao_change(struct bao_arena *a, struct bao_maybe now, struct bao_maybe before,
               struct bao_change *ret) BAO_MUST_CHECK;
