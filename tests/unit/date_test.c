/* Dates and times. */
#include "lib/form/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <time.h>

static void dates_agree_with_the_c_library(void **state)
{
    (void)state;
    for (bao_date d = bao_date_make(1900, 1, 1); d <= bao_date_make(2999, 12, 31); d++) {
        time_t t = (time_t)d * 86400;
        struct bao_ymd x = bao_date_split(d);
        struct tm tm;

        assert_non_null(gmtime_r(&t, &tm));
        if (tm.tm_year + 1900 != x.year || tm.tm_mon + 1 != x.month || tm.tm_mday != x.day ||
            (tm.tm_wday + 6) % 7 != bao_date_weekday(d) || bao_date_make(x.year, x.month, x.day) != d)
            fail_msg("day %d", d);
    }
}

static void dates_are_read_and_written(void **state)
{
    static const char *const wrong[] = {"2026-02-29", "2026-13-01", "2026-00-10",  "2026-1-01",
                                        "15/9/2026",  "2026-09-31", "2026-09-15 ", "",
                                        "2026-09-1a", "2026/09/15"};
    char text[16];
    bao_date d = 0;

    (void)state;
    assert_true(bao_date_parse(BAO_STR("2028-02-29"), &d));
    bao_date_print(d, text);
    assert_string_equal(text, "2028-02-29");
    for (size_t i = 0; i < BAO_COUNT(wrong); i++)
        assert_false(bao_date_parse(bao_str_c(wrong[i]), &d));
    assert_int_equal(bao_month_days(2026, 12), 31);
    assert_int_equal(bao_month_days(2100, 2), 28);
    assert_int_equal(bao_month_days(2000, 2), 29);
}

static void times_are_read_and_written(void **state)
{
    static const char *const wrong[] = {"2026-11-01",
                                        "2026-11-01T24:00:00Z",
                                        "2026-11-01T07:59:58",
                                        "2026-11-01T07:59:58+7",
                                        "2026-11-01T07:59:58.Z",
                                        "2026-11-01T07:60:00Z"};
    char text[40];
    bao_time t = 0, u = 0;

    (void)state;
    assert_true(bao_time_parse(BAO_STR("2026-11-01T07:59:58.113+07:00"), &t));
    bao_time_print(t, BAO_VN_OFFSET, text);
    assert_string_equal(text, "2026-11-01T07:59:58.113+07:00");
    assert_true(bao_time_parse(BAO_STR("2026-11-01T00:59:58.113000Z"), &u));
    assert_int_equal(t, u);
    bao_time_print(t, -(3 * 3600 + 1800), text);
    assert_string_equal(text, "2026-10-31T21:29:58.113-03:30");
    assert_int_equal(bao_time_date(t, BAO_VN_OFFSET), bao_date_make(2026, 11, 1));
    assert_int_equal(bao_time_date(t - 8 * 3600 * BAO_SECOND, BAO_VN_OFFSET), bao_date_make(2026, 10, 31));
    for (size_t i = 0; i < BAO_COUNT(wrong); i++)
        assert_false(bao_time_parse(bao_str_c(wrong[i]), &t));
    assert_int_equal(bao_time_date(-1, 0), -1);
    assert_int_equal(bao_time_make(bao_date_make(2026, 9, 16), 86400, BAO_VN_OFFSET),
                     bao_time_make(bao_date_make(2026, 9, 17), 0, BAO_VN_OFFSET));
}

static void moments_take_the_offset_where_no_zone_stands(void **state)
{
    static const struct {
        const char *text, *means;
    } right[] = {
        {"2026-10-20", "2026-10-21T00:00:00.000+07:00"},
        {"2026-10-20T17:00", "2026-10-20T17:00:00.000+07:00"},
        {"2026-10-20 17:00:30", "2026-10-20T17:00:30.000+07:00"},
        {"2026-10-20T17:00:30.25", "2026-10-20T17:00:30.250+07:00"},
        {"2026-10-20T17:00:30Z", "2026-10-21T00:00:30.000+07:00"},
        {"2026-10-20T17:00:30.5+08:00", "2026-10-20T16:00:30.500+07:00"},
    };
    static const char *const wrong[] = {"2026-10-20T24:00",    "2026-10-20T17",
                                        "2026-10-20T17:00:60", "2026-10-20T17:00:30.",
                                        "2026-10-20T17:00:3",  "2026-10-20T17:00+07:00"};
    char text[40];
    bao_time t = 0;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(right); i++) {
        assert_true(bao_moment_parse(bao_str_c(right[i].text), BAO_VN_OFFSET, &t));
        bao_time_print(t, BAO_VN_OFFSET, text);
        assert_string_equal(text, right[i].means);
    }
    for (size_t i = 0; i < BAO_COUNT(wrong); i++)
        assert_false(bao_moment_parse(bao_str_c(wrong[i]), BAO_VN_OFFSET, &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_agree_with_the_c_library),
        cmocka_unit_test(dates_are_read_and_written),
        cmocka_unit_test(times_are_read_and_written),
        cmocka_unit_test(moments_take_the_offset_where_no_zone_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
