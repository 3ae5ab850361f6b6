/* Periods: Decree 09/2019 Article 12, civil calendars, weeks, days; nesting through the years. */
#include "lib/form/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct bao_calendar civil = {BAO_CAL_CIVIL, 0}, nd09 = {BAO_CAL_ND09, 0};

static struct bao_period period(const char *text)
{
    struct bao_period p;

    if (!bao_period_parse(bao_str_c(text), &p))
        fail_msg("%s is a period", text);
    return p;
}

static void assert_window(const char *text, struct bao_calendar c, const char *from, const char *to)
{
    char got_from[16], got_to[16];
    bao_date a, b;

    bao_period_window(period(text), c, &a, &b);
    bao_date_print(a, got_from);
    bao_date_print(b, got_to);
    assert_string_equal(got_from, from);
    assert_string_equal(got_to, to);
}

/* Each row of the decree's article as Circular 09/2019/TT-NHNN and Decision 40/2019 quote it. */
static void decree_09_article_12(void **state)
{
    (void)state;
    assert_window("2026-01", nd09, "2025-12-15", "2026-01-14");
    assert_window("2026-09", nd09, "2026-08-15", "2026-09-14");
    assert_window("2026-12", nd09, "2026-11-15", "2026-12-14");
    assert_window("2024-03", nd09, "2024-02-15", "2024-03-14");
    /* Clause 1 for every month: from the 15th of the month before to the 14th. */
    for (int month = 1; month <= 12; month++) {
        struct bao_period p = {.year = 2026, .type = BAO_P_MONTH, .n = (uint16_t)month};
        bao_date from, to;

        bao_period_window(p, nd09, &from, &to);
        assert_int_equal(from, month == 1 ? bao_date_make(2025, 12, 15) : bao_date_make(2026, month - 1, 15));
        assert_int_equal(to, bao_date_make(2026, month, 14));
    }
    assert_window("2026-Q1", nd09, "2025-12-15", "2026-03-14");
    assert_window("2026-Q2", nd09, "2026-03-15", "2026-06-14");
    assert_window("2026-Q3", nd09, "2026-06-15", "2026-09-14");
    assert_window("2026-Q4", nd09, "2026-09-15", "2026-12-14");
    assert_window("2026-H1", nd09, "2025-12-15", "2026-06-14");
    assert_window("2026-H2", nd09, "2026-06-15", "2026-12-14");
    assert_window("2026-9M", nd09, "2025-12-15", "2026-09-14");
    assert_window("2026", nd09, "2025-12-15", "2026-12-14");
    assert_window("2024", nd09, "2023-12-15", "2024-12-14");
}

static void other_calendars(void **state)
{
    static const struct bao_calendar from_21 = {BAO_CAL_STARTS, 21}, friday = {BAO_CAL_STARTS, 4};

    (void)state;
    assert_window("2024-02", civil, "2024-02-01", "2024-02-29");
    assert_window("2026-Q4", civil, "2026-10-01", "2026-12-31");
    assert_window("2026-H1", civil, "2026-01-01", "2026-06-30");
    assert_window("2026-9M", civil, "2026-01-01", "2026-09-30");
    assert_window("2026", civil, "2026-01-01", "2026-12-31");
    assert_window("2026-03", from_21, "2026-02-21", "2026-03-20");
    assert_window("2026-Q1", from_21, "2025-12-21", "2026-03-20");
    assert_window("2026-W37", civil, "2026-09-07", "2026-09-13");
    assert_window("2026-W01", civil, "2025-12-29", "2026-01-04");
    assert_window("2020-W53", civil, "2020-12-28", "2021-01-03");
    assert_window("2026-W37", friday, "2026-09-04", "2026-09-10");
    assert_window("2026-W01", friday, "2025-12-26", "2026-01-01");
    assert_window("2026-09-14", nd09, "2026-09-14", "2026-09-14");
}

static void days_of(struct bao_period p, struct bao_calendar c, bao_date *ret_from, bao_date *ret_to)
{
    bao_period_window(p, c, ret_from, ret_to);
    assert_true(*ret_from <= *ret_to);
}

/* The parts begin and end with the whole and leave neither gap nor overlap. */
static void assert_tiles(struct bao_period span, enum bao_period_type type, struct bao_calendar c,
                         size_t parts)
{
    struct bao_period part[12];
    bao_date from, to, at;

    days_of(span, c, &from, &to);
    assert_int_equal(bao_period_parts(span, type, part, BAO_COUNT(part)), parts);
    at = from;
    for (size_t i = 0; i < parts; i++) {
        bao_date a, b;

        days_of(part[i], c, &a, &b);
        assert_int_equal(a, at);
        at = b + 1;
    }
    assert_int_equal(at, to + 1);
}

static void periods_nest_from_2019_to_2040(void **state)
{
    static const struct bao_calendar calendars[] = {{BAO_CAL_CIVIL, 0},
                                                    {BAO_CAL_ND09, 0},
                                                    {BAO_CAL_STARTS, 2},
                                                    {BAO_CAL_STARTS, 21},
                                                    {BAO_CAL_STARTS, 28}};

    (void)state;
    for (size_t k = 0; k < BAO_COUNT(calendars); k++) {
        for (int year = 2019; year <= 2040; year++) {
            struct bao_calendar c = calendars[k];
            struct bao_period y = {.year = (int16_t)year, .type = BAO_P_YEAR, .n = 1}, part[4], nine = y;
            bao_date from, to;

            days_of(y, c, &from, &to);
            assert_int_equal(to - from + 1, year % 4 == 0 ? 366 : 365);
            assert_tiles(y, BAO_P_MONTH, c, 12);
            assert_tiles(y, BAO_P_QUARTER, c, 4);
            assert_tiles(y, BAO_P_HALF, c, 2);
            nine.type = BAO_P_NINE;
            assert_tiles(nine, BAO_P_QUARTER, c, 3);
            assert_tiles(nine, BAO_P_MONTH, c, 9);
            assert_int_equal(bao_period_parts(y, BAO_P_HALF, part, 4), 2);
            for (size_t i = 0; i < 2; i++) {
                assert_tiles(part[i], BAO_P_QUARTER, c, 2);
                assert_tiles(part[i], BAO_P_MONTH, c, 6);
            }
            assert_int_equal(bao_period_parts(y, BAO_P_QUARTER, part, 4), 4);
            for (size_t i = 0; i < 4; i++)
                assert_tiles(part[i], BAO_P_MONTH, c, 3);
        }
    }
}

/* Walking on and looking up agree for every day, every type and every calendar. */
static void periods_follow_each_other(void **state)
{
    static const uint8_t types[] = {BAO_P_YEAR,  BAO_P_HALF, BAO_P_QUARTER,
                                    BAO_P_MONTH, BAO_P_WEEK, BAO_P_DAY};

    (void)state;
    for (size_t t = 0; t < BAO_COUNT(types); t++) {
        for (unsigned k = 0; k < 4; k++) {
            static const struct bao_calendar month_calendars[] = {
                {BAO_CAL_CIVIL, 0}, {BAO_CAL_ND09, 0}, {BAO_CAL_STARTS, 21}, {BAO_CAL_STARTS, 2}};
            static const struct bao_calendar week_calendars[] = {
                {BAO_CAL_CIVIL, 0}, {BAO_CAL_STARTS, 4}, {BAO_CAL_STARTS, 6}, {BAO_CAL_STARTS, 0}};
            struct bao_calendar c = types[t] == BAO_P_WEEK ? week_calendars[k] : month_calendars[k];
            struct bao_period p = bao_period_at(types[t], c, bao_date_make(2018, 12, 1));
            bao_date from, to, at = bao_date_make(2018, 12, 1);

            bao_period_window(p, c, &from, &to);
            while (at < bao_date_make(2041, 1, 10)) {
                if (bao_period_code(bao_period_at(types[t], c, at)) != bao_period_code(p) || at < from ||
                    at > to)
                    fail_msg("type %d, calendar %u, day %d", types[t], k, at);
                if (at++ == to) {
                    struct bao_period next = bao_period_next(p);

                    assert_int_equal(bao_period_code(bao_period_prev(next)), bao_period_code(p));
                    p = next;
                    bao_period_window(p, c, &from, &to);
                    assert_int_equal(from, at);
                }
            }
        }
    }
}

static void periods_are_read_and_written(void **state)
{
    static const char *const right[] = {"2026",     "2026-H1",    "2026-H2", "2026-Q1",  "2026-Q4",
                                        "2026-9M",  "2026-01",    "2026-12", "2026-W01", "2026-W53",
                                        "2020-W53", "2026-09-14", "1900",    "2999-Q4",  "2028-02-29"};
    static const char *const wrong[] = {
        "",         "202",      "2026-",      "2026-H3",   "2026-Q0", "2026-Q5", "2026-00",   "2026-13",
        "2026-W00", "2025-W53", "2027-02-29", "2026-9m",   "2026-q3", "Q3-2026", "2026-Q33",  "2026-W7",
        "1899",     "3000",     "2026-9",     "2026-09-1", "02026",   "2026 Q3", "2026-W054", "-026"};
    char text[16];

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(right); i++) {
        struct bao_period p = period(right[i]), again;

        bao_period_print(p, text);
        assert_string_equal(text, right[i]);
        assert_true(bao_period_of_code(bao_period_code(p), &again));
        assert_memory_equal(&p, &again, sizeof(p));
    }
    for (size_t i = 0; i < BAO_COUNT(wrong); i++) {
        struct bao_period p;

        if (bao_period_parse(bao_str_c(wrong[i]), &p))
            fail_msg("'%s' was taken", wrong[i]);
    }
}

static void codes_are_checked(void **state)
{
    static const int32_t wrong[] = {0,        -1,       20260001, 20261002, 20262003, 20263005,  20264002,
                                    20265013, 20256053, 20267366, 20268001, 18991001, INT32_MAX, INT32_MIN};
    struct bao_period p;

    (void)state;
    assert_int_equal(bao_period_code(period("2026-Q3")), 20263003);
    for (size_t i = 0; i < BAO_COUNT(wrong); i++)
        assert_false(bao_period_of_code(wrong[i], &p));
}

static void titles_and_last_year(void **state)
{
    static const struct {
        const char *period, *vi, *en, *year_before;
    } rows[] = {
        {"2026", "Năm 2026", "Year 2026", "2025"},
        {"2026-H1", "6 tháng đầu năm 2026", "First half of 2026", "2025-H1"},
        {"2026-H2", "6 tháng cuối năm 2026", "Second half of 2026", "2025-H2"},
        {"2026-Q3", "Quý III năm 2026", "Quarter 3 of 2026", "2025-Q3"},
        {"2026-9M", "9 tháng năm 2026", "Nine months of 2026", "2025-9M"},
        {"2026-09", "Tháng 9 năm 2026", "September 2026", "2025-09"},
        {"2026-W53", "Tuần 53 năm 2026", "Week 53 of 2026", "2025-W52"},
        {"2028-02-29", "Ngày 29 tháng 2 năm 2028", "29 February 2028", "2027-02-28"},
        {"2028-09-14", "Ngày 14 tháng 9 năm 2028", "14 September 2028", "2027-09-14"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct bao_period p = period(rows[i].period);
        char vi[64], en[64], before[16];

        bao_period_title(p, vi, en);
        bao_period_print(bao_period_in_year(p, p.year - 1), before);
        assert_string_equal(vi, rows[i].vi);
        assert_string_equal(en, rows[i].en);
        assert_string_equal(before, rows[i].year_before);
    }
}

static void what_does_not_tile_gives_nothing(void **state)
{
    struct bao_period part[12];

    (void)state;
    assert_int_equal(bao_period_parts(period("2026-Q3"), BAO_P_YEAR, part, 12), 0);
    assert_int_equal(bao_period_parts(period("2026"), BAO_P_WEEK, part, 12), 0);
    assert_int_equal(bao_period_parts(period("2026-9M"), BAO_P_HALF, part, 12), 0);
    assert_int_equal(bao_period_parts(period("2026"), BAO_P_NINE, part, 12), 0);
    assert_int_equal(bao_period_parts(period("2026"), BAO_P_MONTH, part, 11), 0);
    assert_int_equal(bao_period_parts(period("2026-W37"), BAO_P_DAY, part, 12), 0);
    assert_int_equal(bao_period_parts(period("2026-Q3"), BAO_P_QUARTER, part, 12), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decree_09_article_12),           cmocka_unit_test(other_calendars),
        cmocka_unit_test(periods_nest_from_2019_to_2040), cmocka_unit_test(periods_follow_each_other),
        cmocka_unit_test(periods_are_read_and_written),   cmocka_unit_test(codes_are_checked),
        cmocka_unit_test(titles_and_last_year),           cmocka_unit_test(what_does_not_tile_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
