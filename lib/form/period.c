#include "lib/form/period.h"
#include "lib/base/digits.h"

enum { YEAR_MIN = 1900, YEAR_MAX = 2999, ND09_STARTS = 15 };

/* Periods made of whole months; weeks and days are counted apart. */
static const struct {
    uint8_t months; /* of one */
    uint8_t count;  /* in a year */
} spans[] = {
    [BAO_P_YEAR] = {12, 1}, [BAO_P_HALF] = {6, 2},   [BAO_P_QUARTER] = {3, 4},
    [BAO_P_NINE] = {9, 1},  [BAO_P_MONTH] = {1, 12},
};

static bool is_of_months(unsigned type)
{
    return type >= BAO_P_YEAR && type <= BAO_P_MONTH;
}

static struct bao_period make(unsigned type, int year, int n)
{
    return (struct bao_period){.year = (int16_t)year, .type = (uint8_t)type, .n = (uint16_t)n};
}

/* Monday of ISO week 1: the week that holds 4 January. */
static bao_date first_monday(int year)
{
    bao_date fourth = bao_date_make(year, 1, 4);

    return fourth - bao_date_weekday(fourth);
}

static int weeks_in(int year)
{
    return (first_monday(year + 1) - first_monday(year)) / 7;
}

static int days_in(int year)
{
    return bao_date_make(year + 1, 1, 1) - bao_date_make(year, 1, 1);
}

static int count_in(unsigned type, int year)
{
    if (type == BAO_P_WEEK)
        return weeks_in(year);
    return type == BAO_P_DAY ? days_in(year) : spans[type].count;
}

int32_t bao_period_code(struct bao_period p)
{
    return p.year * 10000 + p.type * 1000 + p.n;
}

bool bao_period_of_code(int32_t code, struct bao_period *ret)
{
    int year = code / 10000, type = code / 1000 % 10, n = code % 1000;

    if (code < 0 || year < YEAR_MIN || year > YEAR_MAX || type < BAO_P_YEAR || type > BAO_P_DAY)
        return false;
    if (n < 1 || n > count_in((unsigned)type, year))
        return false;
    *ret = make((unsigned)type, year, n);
    return true;
}

/* The number that the rest of s is, or -1. */
static int number(struct bao_str s, size_t from, size_t digits)
{
    int value = 0;

    if (s.n != from + digits)
        return -1;
    for (size_t i = from; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        value = value * 10 + (s.p[i] - '0');
    }
    return value;
}

static bool parse_day(struct bao_str s, struct bao_period *ret)
{
    struct bao_ymd x;
    bao_date d;

    if (!bao_date_parse(s, &d))
        return false;
    x = bao_date_split(d);
    if (x.year < YEAR_MIN || x.year > YEAR_MAX)
        return false;
    *ret = make(BAO_P_DAY, x.year, d - bao_date_make(x.year, 1, 1) + 1);
    return true;
}

/* The part after "2026-": its type and number. */
static bool parse_part(struct bao_str s, unsigned *ret_type, int *ret_n)
{
    static const struct {
        char letter;
        uint8_t type, digits;
    } lettered[] = {{'H', BAO_P_HALF, 1}, {'Q', BAO_P_QUARTER, 1}, {'W', BAO_P_WEEK, 2}};

    if (s.n == 7 && s.p[5] == '9' && s.p[6] == 'M') {
        *ret_type = BAO_P_NINE;
        *ret_n = 1;
        return true;
    }
    for (size_t i = 0; i < BAO_COUNT(lettered); i++) {
        if (s.p[5] != lettered[i].letter)
            continue;
        *ret_type = lettered[i].type;
        *ret_n = number(s, 6, lettered[i].digits);
        return true;
    }
    *ret_type = BAO_P_MONTH;
    *ret_n = number(s, 5, 2);
    return true;
}

bool bao_period_parse(struct bao_str s, struct bao_period *ret)
{
    unsigned type = BAO_P_YEAR;
    int year, n = 1;

    if (s.n == 10)
        return parse_day(s, ret);
    if (s.n < 4 || s.n > 8)
        return false;
    year = number((struct bao_str){s.p, 4}, 0, 4);
    if (year < YEAR_MIN || year > YEAR_MAX)
        return false;
    if (s.n > 4 && (s.n < 7 || s.p[4] != '-' || !parse_part(s, &type, &n)))
        return false;
    if (n < 1 || n > count_in(type, year))
        return false;
    *ret = make(type, year, n);
    return true;
}

static char *put(char *at, const char *text)
{
    while (*text != '\0')
        *at++ = *text++;
    return at;
}

void bao_period_print(struct bao_period p, char ret[16])
{
    unsigned n = p.n % 100u;
    char *at = bao_digits_put(ret, (unsigned)p.year % 10000, 4);

    switch (p.type) {
    case BAO_P_YEAR:
        break;
    case BAO_P_HALF:
        at = bao_digits_put(put(at, "-H"), n, 1);
        break;
    case BAO_P_QUARTER:
        at = bao_digits_put(put(at, "-Q"), n, 1);
        break;
    case BAO_P_NINE:
        at = put(at, "-9M");
        break;
    case BAO_P_MONTH:
        at = bao_digits_put(put(at, "-"), n, 2);
        break;
    case BAO_P_WEEK:
        at = bao_digits_put(put(at, "-W"), n, 2);
        break;
    default:
        bao_date_print(bao_date_make(p.year, 1, 1) + p.n - 1, ret);
        return;
    }
    *at = '\0';
}

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};

static void title_of_day(struct bao_period p, char ret_vi[64], char ret_en[64])
{
    struct bao_ymd x = bao_date_split(bao_date_make(p.year, 1, 1) + p.n - 1);

    (void)snprintf(ret_vi, 64, "Ngày %d tháng %d năm %d", x.day, x.month, x.year);
    (void)snprintf(ret_en, 64, "%d %s %d", x.day, month_names[x.month - 1], x.year);
}

void bao_period_title(struct bao_period p, char ret_vi[64], char ret_en[64])
{
    static const char *const roman[] = {"", "I", "II", "III", "IV"};

    switch (p.type) {
    case BAO_P_YEAR:
        (void)snprintf(ret_vi, 64, "Năm %d", p.year);
        (void)snprintf(ret_en, 64, "Year %d", p.year);
        break;
    case BAO_P_HALF:
        (void)snprintf(ret_vi, 64, "6 tháng %s năm %d", p.n == 1 ? "đầu" : "cuối", p.year);
        (void)snprintf(ret_en, 64, "%s half of %d", p.n == 1 ? "First" : "Second", p.year);
        break;
    case BAO_P_QUARTER:
        (void)snprintf(ret_vi, 64, "Quý %s năm %d", roman[p.n <= 4 ? p.n : 0], p.year);
        (void)snprintf(ret_en, 64, "Quarter %d of %d", p.n, p.year);
        break;
    case BAO_P_NINE:
        (void)snprintf(ret_vi, 64, "9 tháng năm %d", p.year);
        (void)snprintf(ret_en, 64, "Nine months of %d", p.year);
        break;
    case BAO_P_MONTH:
        (void)snprintf(ret_vi, 64, "Tháng %d năm %d", p.n, p.year);
        (void)snprintf(ret_en, 64, "%s %d", month_names[(p.n - 1) % 12], p.year);
        break;
    case BAO_P_WEEK:
        (void)snprintf(ret_vi, 64, "Tuần %d năm %d", p.n, p.year);
        (void)snprintf(ret_en, 64, "Week %d of %d", p.n, p.year);
        break;
    default:
        title_of_day(p, ret_vi, ret_en);
        break;
    }
}

const char *bao_period_word(unsigned type, enum bao_lang lang)
{
    static const char *const words[][BAO_LANGS] = {
        {"một lần", "once"},
        [BAO_P_YEAR] = {"năm", "year"},
        [BAO_P_HALF] = {"sáu tháng", "half-year"},
        [BAO_P_QUARTER] = {"quý", "quarter"},
        [BAO_P_NINE] = {"chín tháng", "nine months"},
        [BAO_P_MONTH] = {"tháng", "month"},
        [BAO_P_WEEK] = {"tuần", "week"},
        [BAO_P_DAY] = {"ngày", "day"},
    };

    return words[type][lang];
}

struct bao_period bao_period_next(struct bao_period p)
{
    if (p.n < count_in(p.type, p.year))
        return make(p.type, p.year, p.n + 1);
    return make(p.type, p.year + 1, 1);
}

struct bao_period bao_period_prev(struct bao_period p)
{
    if (p.n > 1)
        return make(p.type, p.year, p.n - 1);
    return make(p.type, p.year - 1, count_in(p.type, p.year - 1));
}

struct bao_period bao_period_in_year(struct bao_period p, int year)
{
    int n = p.n, count = count_in(p.type, year);

    if (p.type == BAO_P_DAY) {
        struct bao_ymd x = bao_date_split(bao_date_make(p.year, 1, 1) + p.n - 1);
        int last = bao_month_days(year, x.month);

        n = bao_date_make(year, x.month, x.day < last ? x.day : last) - bao_date_make(year, 1, 1) + 1;
    }
    return make(p.type, year, n < count ? n : count);
}

/* The day of the month on which a period of months begins; 1 = with the month itself, else in the month
 * before. */
static int start_day(struct bao_calendar c)
{
    if (c.kind == BAO_CAL_ND09)
        return ND09_STARTS;
    return c.kind == BAO_CAL_STARTS && c.starts >= 2 && c.starts <= 28 ? c.starts : 1;
}

/* A week belongs to the ISO week that holds its last day: from Friday to Thursday, W37 ends on W37's
 * Thursday. */
static bao_date week_start(struct bao_period p, struct bao_calendar c)
{
    int weekday = c.kind == BAO_CAL_STARTS ? c.starts % 7 : 0;

    return first_monday(p.year) + (p.n - 1) * 7 + (weekday + 6) % 7 - 6;
}

void bao_period_window(struct bao_period p, struct bao_calendar c, bao_date *ret_from, bao_date *ret_to)
{
    int first, last, start = start_day(c);

    if (!is_of_months(p.type)) {
        *ret_from = p.type == BAO_P_WEEK ? week_start(p, c) : bao_date_make(p.year, 1, 1) + p.n - 1;
        *ret_to = p.type == BAO_P_WEEK ? *ret_from + 6 : *ret_from;
        return;
    }
    first = (p.n - 1) * spans[p.type].months + 1;
    last = first + spans[p.type].months - 1;
    if (start == 1) {
        *ret_from = bao_date_make(p.year, first, 1);
        *ret_to = bao_date_make(p.year, last, bao_month_days(p.year, last));
        return;
    }
    *ret_from = first == 1 ? bao_date_make(p.year - 1, 12, start) : bao_date_make(p.year, first - 1, start);
    *ret_to = bao_date_make(p.year, last, start - 1);
}

static struct bao_period week_at(struct bao_calendar c, bao_date day)
{
    int weekday = c.kind == BAO_CAL_STARTS ? c.starts % 7 : 0;
    bao_date last = day + (weekday + 6 - bao_date_weekday(day) + 7) % 7; /* the week's last day */
    int year = bao_date_split(last - bao_date_weekday(last) + 3).year; /* ISO: the Thursday tells the year */

    return make(BAO_P_WEEK, year, (last - first_monday(year)) / 7 + 1);
}

struct bao_period bao_period_at(enum bao_period_type type, struct bao_calendar c, bao_date day)
{
    struct bao_ymd x = bao_date_split(day);
    int start = start_day(c), month = x.month, n;

    if (type == BAO_P_WEEK)
        return week_at(c, day);
    if (type == BAO_P_DAY)
        return make(BAO_P_DAY, x.year, day - bao_date_make(x.year, 1, 1) + 1);
    if (start != 1 && x.day >= start && ++month == 13) {
        month = 1;
        x.year++;
    }
    n = (month - 1) / spans[type].months + 1;
    return make(type, x.year, n < spans[type].count ? n : spans[type].count);
}

size_t bao_period_parts(struct bao_period span, enum bao_period_type type, struct bao_period *ret,
                        size_t size)
{
    int first, months, n;

    if (!is_of_months(span.type) || !is_of_months(type) || (type == BAO_P_NINE && span.type != BAO_P_NINE))
        return 0;
    months = spans[span.type].months;
    first = (span.n - 1) * months;
    if (months % spans[type].months != 0 || first % spans[type].months != 0)
        return 0;
    n = months / spans[type].months;
    if ((size_t)n > size)
        return 0;
    for (int i = 0; i < n; i++)
        ret[i] = make(type, span.year, first / spans[type].months + i + 1);
    return (size_t)n;
}
