/* Reporting periods and their windows: Decree 09/2019/ND-CP Article 12 (15th to 14th), civil calendars, ISO
 * weeks, days, and a programme's own window. */
#pragma once

#include "lib/base/diag.h"
#include "lib/form/date.h"

enum bao_period_type {
    BAO_P_YEAR = 1, /* 2026 */
    BAO_P_HALF,     /* 2026-H1 */
    BAO_P_QUARTER,  /* 2026-Q3 */
    BAO_P_NINE,     /* 2026-9M */
    BAO_P_MONTH,    /* 2026-09 */
    BAO_P_WEEK,     /* 2026-W37 */
    BAO_P_DAY,      /* 2026-09-14 */
};

struct bao_period {
    int16_t year;
    uint8_t type;
    uint8_t spare;
    uint16_t n; /* 1-based: quarter, month, week, day of the year; 1 for year and nine months */
    uint16_t spare2;
};

/* The integer that tables and the wire's batch use, led by the year: year * 10000 + type * 1000 + n. */
int32_t bao_period_code(struct bao_period p);
/* false when the code is nobody's. */
bool bao_period_of_code(int32_t code, struct bao_period *ret);
/* Reads the written form (years 1900..2999, a real week or day): false when it is none. */
bool bao_period_parse(struct bao_str s, struct bao_period *ret);
/* Writes it, with NUL. */
void bao_period_print(struct bao_period p, char ret[16]);
/* "Quý III năm 2026" and "Quarter 3 of 2026", with NUL. */
void bao_period_title(struct bao_period p, char ret_vi[64], char ret_en[64]);
/* What a type of period is called: "quý", "quarter"; type 0 is a form that is due once. Static text. */
const char *bao_period_word(unsigned type, enum bao_lang lang);
struct bao_period bao_period_next(struct bao_period p);
struct bao_period bao_period_prev(struct bao_period p);
/* The same period of another year: a week 53 that is not there gives the last week, a day keeps its month and
 * day (29 February gives the 28th). */
struct bao_period bao_period_in_year(struct bao_period p, int year);

enum bao_calendar_kind {
    BAO_CAL_CIVIL,  /* 1st to last day */
    BAO_CAL_ND09,   /* 15th of the month before to the 14th: Decree 09/2019 Art. 12 */
    BAO_CAL_STARTS, /* as nd09 but from day `starts` (2..28) of the month before; for weeks: from a weekday,
                     * the week being named by the ISO week that holds its last day */
};

struct bao_calendar {
    uint8_t kind;
    uint8_t starts; /* day of the month 2..28, or weekday 0 = Monday .. 6 for weeks */
};

/* First and last day of the period, both inclusive; last is the cut-off day. */
void bao_period_window(struct bao_period p, struct bao_calendar c, bao_date *ret_from, bao_date *ret_to);
/* The period of that type that holds the day; for nine months that of the year, though its last quarter is
 * outside. */
struct bao_period bao_period_at(enum bao_period_type type, struct bao_calendar c, bao_date day);
/* The periods of `type` that tile `span` (quarters of a year, months of a quarter, ...), first one first; at
 * most `size`; gives their number, 0 when they do not tile it or do not fit. Weeks and days tile nothing
 * here. */
size_t bao_period_parts(struct bao_period span, enum bao_period_type type, struct bao_period *ret,
                        size_t size);
