/* Civil dates and times of the province. Pure arithmetic; no clock is read here.
 *
 * A date is days since 1970-01-01 (proleptic Gregorian). A time is microseconds since
 * 1970-01-01T00:00:00Z. The province's offset is an argument (Asia/Ho_Chi_Minh: +7 h, no summer time). */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"

typedef int32_t bao_date;
typedef int64_t bao_time;

#define BAO_DATE_NONE INT32_MIN
#define BAO_TIME_NONE INT64_MIN
#define BAO_SECOND INT64_C(1000000)
#define BAO_DAY (INT64_C(86400) * BAO_SECOND)
#define BAO_VN_OFFSET (7 * 3600) /* seconds east of UTC */

struct bao_ymd {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

/* A day from its parts, which must be a real one (month 1..12, day within it); and back. */
bao_date bao_date_make(int year, int month, int day);
struct bao_ymd bao_date_split(bao_date d);
/* 0 = Monday .. 6 = Sunday (ISO 8601). */
int bao_date_weekday(bao_date d);
/* 28..31 */
int bao_month_days(int year, int month);
/* YYYY-MM-DD of a real day: true. */
bool bao_date_parse(struct bao_str s, bao_date *ret);
/* Writes YYYY-MM-DD and NUL. */
void bao_date_print(bao_date d, char ret[16]);
/* The local day of a time, and the instant at which a local day and second of day stand. */
bao_date bao_time_date(bao_time t, int offset);
bao_time bao_time_make(bao_date d, int second_of_day, int offset);
/* Puts YYYY-MM-DDTHH:MM:SS, a second of that day, and gives the octet behind it; 19 octets. */
char *bao_second_put(char *at, bao_date d, int second);
/* RFC 3339 with milliseconds and offset: 2026-11-01T07:59:58.113+07:00 and NUL. */
void bao_time_print(bao_time t, int offset, char ret[40]);
/* Reads RFC 3339 with any offset. */
bool bao_time_parse(struct bao_str s, bao_time *ret);
/* Reads a moment as an office writes it: 2026-10-20T17:00 or 2026-10-20T17:00:30.5 at the province's offset,
 * RFC 3339 with any, or a day alone, which means its end (24:00). */
bool bao_moment_parse(struct bao_str s, int offset, bao_time *ret);
