/* What an author should see of a form before it is used: its next deadlines, and what is allowed but unwise.
 */
#pragma once

#include "lib/form/form.h"

/* One deadline to come. */
struct bao_form_date {
    struct bao_period period;
    const struct bao_deadline *row;
    bao_date from, cutoff;
    bao_time due, lock; /* lock BAO_TIME_NONE: never */
    bool provisional;   /* stands on holidays that are not yet known */
    bool after_25;      /* after the 25th of the period's last month (Decree 09/2019 Art. 13), though cut off
                           before */
};

/* The deadlines on or after `today` of periods that the form is in force for, by period, then by row; at most
 * `size`. Gives their number. */
size_t bao_form_dates(const struct bao_form *form, const struct bao_holidays *h, int offset, bao_date today,
                      struct bao_form_date *ret, size_t size);
/* Adds a warning for each thing that is allowed but unwise: deadlines after day 25, three
 * decimals (1.000 is refused in reports). The findings borrow from the form. */
void bao_form_warn(const struct bao_form *form, const struct bao_holidays *h, int offset, bao_date today,
                   struct bao_findings *findings);
