#include "lib/form/date.h"
#include "lib/base/digits.h"

/* Days from civil and back: years are counted from March so that the leap day ends a year, and grouped in
 * eras of 400 years, which always have the same number of days. */
enum { ERA_YEARS = 400, ERA_DAYS = 146097, DAYS_TO_EPOCH = 719468 };

static int floor_div(int a, int b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

bao_date bao_date_make(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year, era = floor_div(y, ERA_YEARS), of_era = y - era * ERA_YEARS;
    int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_EPOCH;
}

struct bao_ymd bao_date_split(bao_date d)
{
    int z = d + DAYS_TO_EPOCH, era = floor_div(z, ERA_DAYS), of_era = z - era * ERA_DAYS;
    int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * y + y / 4 - y / 100), shifted = (5 * of_year + 2) / 153;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;

    return (struct bao_ymd){era * ERA_YEARS + y + (month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1};
}

int bao_date_weekday(bao_date d)
{
    return ((d + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
}

int bao_month_days(int year, int month)
{
    int next_year = month == 12 ? year + 1 : year, next = month == 12 ? 1 : month + 1;

    return bao_date_make(next_year, next, 1) - bao_date_make(year, month, 1);
}

/* Reads exactly n digits at *at and steps over them. */
static bool digits(struct bao_str s, size_t *at, int n, int *ret)
{
    int value = 0;

    if (s.n - *at < (size_t)n)
        return false;
    for (int i = 0; i < n; i++) {
        char c = s.p[*at + (size_t)i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += (size_t)n;
    *ret = value;
    return true;
}

static bool sign(struct bao_str s, size_t *at, char c)
{
    if (*at >= s.n || s.p[*at] != c)
        return false;
    (*at)++;
    return true;
}

static bool read_day(struct bao_str s, size_t *at, bao_date *ret)
{
    int year, month, day;

    if (!digits(s, at, 4, &year) || !sign(s, at, '-') || !digits(s, at, 2, &month) || !sign(s, at, '-') ||
        !digits(s, at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > bao_month_days(year, month))
        return false;
    *ret = bao_date_make(year, month, day);
    return true;
}

bool bao_date_parse(struct bao_str s, bao_date *ret)
{
    size_t at = 0;
    bao_date d;

    if (!read_day(s, &at, &d) || at != s.n)
        return false;
    *ret = d;
    return true;
}

void bao_date_print(bao_date d, char ret[16])
{
    struct bao_ymd x = bao_date_split(d);

    /* Modulo keeps the width whatever the caller gives; real dates have years of four digits. */
    ret = bao_digits_put(ret, (unsigned)x.year % 10000, 4);
    *ret++ = '-';
    ret = bao_digits_put(ret, (unsigned)x.month % 100, 2);
    *ret++ = '-';
    *bao_digits_put(ret, (unsigned)x.day % 100, 2) = '\0';
}

bao_date bao_time_date(bao_time t, int offset)
{
    bao_time local = t + offset * BAO_SECOND, day = local / BAO_DAY;

    return (bao_date)(day - (local % BAO_DAY < 0));
}

bao_time bao_time_make(bao_date d, int second_of_day, int offset)
{
    return d * BAO_DAY + (second_of_day - offset) * BAO_SECOND;
}

char *bao_second_put(char *at, bao_date d, int second)
{
    const int parts[] = {second / 3600, second / 60 % 60, second % 60};

    bao_date_print(d, at);
    at += strlen("YYYY-MM-DD");
    for (size_t i = 0; i < BAO_COUNT(parts); i++) {
        *at++ = i == 0 ? 'T' : ':';
        at = bao_digits_put(at, (unsigned)parts[i], 2);
    }
    return at;
}

void bao_time_print(bao_time t, int offset, char ret[40])
{
    bao_date d = bao_time_date(t, offset);
    int64_t in_day = t - bao_time_make(d, 0, offset);
    int minutes = (offset < 0 ? -offset : offset) / 60;

    ret = bao_second_put(ret, d, (int)(in_day / BAO_SECOND));
    *ret++ = '.';
    ret = bao_digits_put(ret, (unsigned)(in_day % BAO_SECOND / 1000), 3);
    *ret++ = offset < 0 ? '-' : '+';
    ret = bao_digits_put(ret, (unsigned)(minutes / 60 % 24), 2);
    *ret++ = ':';
    *bao_digits_put(ret, (unsigned)(minutes % 60), 2) = '\0';
}

/* .digits of a second, as microseconds; digits beyond the sixth are cut. */
static bool read_fraction(struct bao_str s, size_t *at, int64_t *ret)
{
    int64_t value = 0, unit = 100000;
    size_t from;

    *ret = 0;
    if (!sign(s, at, '.'))
        return true;
    for (from = *at; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++) {
        value += (s.p[*at] - '0') * unit;
        unit /= 10;
    }
    *ret = value;
    return *at != from;
}

/* Z or +hh:mm, in seconds. */
static bool read_zone(struct bao_str s, size_t *at, int *ret)
{
    bool west;
    int hours, minutes;

    if (sign(s, at, 'Z') || sign(s, at, 'z')) {
        *ret = 0;
        return true;
    }
    west = sign(s, at, '-');
    if ((!west && !sign(s, at, '+')) || !digits(s, at, 2, &hours) || !sign(s, at, ':') ||
        !digits(s, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool bao_time_parse(struct bao_str s, bao_time *ret)
{
    int hour, minute, second, zone;
    int64_t fraction;
    size_t at = 0;
    bao_date d;

    if (!read_day(s, &at, &d) || !(sign(s, &at, 'T') || sign(s, &at, 't') || sign(s, &at, ' ')))
        return false;
    if (!digits(s, &at, 2, &hour) || !sign(s, &at, ':') || !digits(s, &at, 2, &minute) ||
        !sign(s, &at, ':') || !digits(s, &at, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!read_fraction(s, &at, &fraction) || !read_zone(s, &at, &zone) || at != s.n)
        return false;
    *ret = bao_time_make(d, hour * 3600 + minute * 60 + second, zone) + fraction;
    return true;
}

/* hh:mm or hh:mm:ss with a fraction, without a zone, up to the end: the microsecond of its day. */
static bool read_clock(struct bao_str s, size_t at, int64_t *ret)
{
    int hour, minute, second = 0;
    int64_t fraction = 0;

    if (!digits(s, &at, 2, &hour) || !sign(s, &at, ':') || !digits(s, &at, 2, &minute) || hour > 23 ||
        minute > 59)
        return false;
    if (sign(s, &at, ':') &&
        (!digits(s, &at, 2, &second) || second > 59 || !read_fraction(s, &at, &fraction)))
        return false;
    *ret = (hour * 3600 + minute * 60 + second) * BAO_SECOND + fraction;
    return at == s.n;
}

bool bao_moment_parse(struct bao_str s, int offset, bao_time *ret)
{
    size_t at = 0;
    int64_t clock;
    bao_date day;

    if (bao_date_parse(s, &day)) {
        *ret = bao_time_make(day + 1, 0, offset);
        return true;
    }
    if (!read_day(s, &at, &day) || !(sign(s, &at, 'T') || sign(s, &at, ' ')) || !read_clock(s, at, &clock))
        return bao_time_parse(s, ret);
    *ret = bao_time_make(day, 0, offset) + clock;
    return true;
}
