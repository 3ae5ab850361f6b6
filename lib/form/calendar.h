/* Working days, deadlines and locks, from a province's holiday file (forms.md sections 2 and 8). */
#pragma once

#include "lib/form/period.h"
#include "lib/form/yaml_fields.h"

struct bao_holiday {
    bao_date from, to; /* inclusive */
    struct bao_text2 name;
    struct bao_str basis; /* the decision or notice it comes from; may be empty */
};

/* Immutable once loaded; lives in the arena. */
struct bao_holidays {
    struct bao_holiday *off; /* by date, none overlapping */
    size_t n_off;
    bao_date *working; /* worked Saturdays and Sundays, by date */
    size_t n_working;
    bao_date known_to; /* deadlines after it are provisional */
};

enum bao_calendar_outcome { BAO_CALENDAR_E_BAD = 1 /* findings say why */ };

/* Reads a loaded holidays.yaml; texts are borrowed from its document. 0, BAO_CALENDAR_E_BAD or -ENOMEM. */
int bao_holidays_load(const struct bao_reader *r, struct bao_holidays *ret) BAO_MUST_CHECK;
/* Monday to Friday and no holiday, or a worked weekend day. */
bool bao_is_working_day(const struct bao_holidays *h, bao_date d);
/* The n-th working day after d (n >= 0; 0 gives d itself). */
bao_date bao_working_days_after(const struct bao_holidays *h, bao_date d, int n);
/* Working days after a and up to b; 0 when b is not later. */
int bao_working_days_between(const struct bao_holidays *h, bao_date a, bao_date b);

enum bao_roll { BAO_ROLL_NEXT, BAO_ROLL_PREVIOUS, BAO_ROLL_NONE };

/* One row of a form's `deadline:`. Either working_days after the cut-off, or a day of a month, or a date
 * (once). */
struct bao_deadline {
    const struct bao_str *kinds; /* unit kinds it is for; n_kinds 0 = all */
    size_t n_kinds;
    int working_days; /* >= 1, or 0 when day or on is used */
    int day;          /* 1..31 (capped to the month's length), or 0 */
    bool next_month;  /* month: next instead of last */
    bao_date on;      /* a fixed date, or BAO_DATE_NONE */
    int at;           /* second of the day, 86400 = 24:00 */
    uint8_t roll;
};

enum bao_lock_then { BAO_LOCK_REFUSE, BAO_LOCK_ACCEPT, BAO_LOCK_NOT_DONE };

struct bao_lock {
    bool present;     /* no lock: never locked */
    int working_days; /* after the deadline's day; -1 when calendar days are used */
    int days;
    uint8_t then;
};

/* The day the report of a period that ends on `cutoff` is due; Civil Code 2015 Art. 148 is `roll: next`. */
bao_date bao_deadline_day(const struct bao_deadline *d, const struct bao_holidays *h, bao_date cutoff);
/* When the report of a period that ends on `cutoff` is due (the instant after which it is late). */
bao_time bao_deadline_time(const struct bao_deadline *d, const struct bao_holidays *h, bao_date cutoff,
                           int offset);
/* When it locks, from the due time (24:00 of the lock day); BAO_TIME_NONE when it never does. */
bao_time bao_lock_time(const struct bao_lock *lock, const struct bao_holidays *h, bao_time due, int offset);
/* Does it depend on days after known_to? */
bool bao_deadline_is_provisional(const struct bao_holidays *h, bao_time due, int offset);
