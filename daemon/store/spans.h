/* Answers that the statement alone does not give: spans of periods and the trend, made of the figures of
 * single periods by lib/form/across and lib/form/pace. */
#pragma once

#include "daemon/store/queries.h"
#include "lib/form/period.h"

struct baod_pg_result;

/* What a statement must give for each form, scope, indicator and period, in this order and sorted by form,
 * scope, indicator, the period's last day. */
enum baod_cells_column {
    BAOD_CELLS_FORM,
    BAOD_CELLS_SCOPE,
    BAOD_CELLS_SCOPE_VI,
    BAOD_CELLS_INDICATOR,
    BAOD_CELLS_LABEL_VI,
    BAOD_CELLS_LABEL_EN,
    BAOD_CELLS_MEASURE,
    BAOD_CELLS_OVER_TIME, /* "sum", "last", "none" */
    BAOD_CELLS_RATIO,     /* bool */
    BAOD_CELLS_PERCENT,   /* bool */
    BAOD_CELLS_ADDS,      /* bool: over_units sum; else there is no figure but its coverage */
    BAOD_CELLS_DIRECTION, /* int8 */
    BAOD_CELLS_PERIOD,    /* int8: the code */
    BAOD_CELLS_FROM,      /* date */
    BAOD_CELLS_TO,        /* date */
    BAOD_CELLS_REPORTED,  /* int8 */
    BAOD_CELLS_OWED,      /* int8 */
    BAOD_CELLS_SUM,       /* text: a decimal; null = no report gave it */
    BAOD_CELLS_SUM_TO,    /* text: of a ratio */
    BAOD_CELLS_TARGET,    /* text: of the year; null = none */
    BAOD_CELLS_ESTIMATED, /* bool */
    BAOD_CELLS_MIN, /* of spans only: text, the least, the most and the median of what each unit comes to */
    BAOD_CELLS_MAX, /* in the span; the same in every row of an indicator of a scope */
    BAOD_CELLS_MEDIAN,
};

extern const struct baod_column baod_span_columns[], baod_trend_columns[];
extern const size_t baod_span_n_columns, baod_trend_n_columns;

/* One row for each form, scope and indicator that has periods in the span: its total over the span
 * (bao_span_make) beside the same span a year before and the pace towards the year's target. At most limit
 * rows. The cells must reach from the year before to the span's year. Rows live in the arena. 0, -ENOMEM or
 * -EBADMSG. */
int baod_span_rows(struct bao_arena *arena, const struct baod_pg_result *cells, struct bao_period span,
                   size_t limit, struct baod_rows *ret) BAO_MUST_CHECK;
/* One row for each cell: against the period before, the same period last year, and the target. */
int baod_trend_rows(struct bao_arena *arena, const struct baod_pg_result *cells, size_t limit,
                    struct baod_rows *ret) BAO_MUST_CHECK;
