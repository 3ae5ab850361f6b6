/* Working days, deadlines and locks. The holidays are those of the year 2026 as the province's file has them.
 */
#include "lib/form/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bao_date day(const char *text)
{
    bao_date d;

    if (!bao_date_parse(bao_str_c(text), &d))
        fail_msg("%s is a date", text);
    return d;
}

static struct bao_holiday off[6];
static bao_date working[2];
static struct bao_holidays h;

static int set_up(void **state)
{
    static const char *const days[][2] = {
        {"2026-01-01", "2026-01-02"}, {"2026-02-16", "2026-02-20"}, {"2026-04-27", "2026-04-27"},
        {"2026-04-30", "2026-05-01"}, {"2026-08-31", "2026-08-31"}, {"2026-09-01", "2026-09-02"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(off); i++)
        off[i] = (struct bao_holiday){.from = day(days[i][0]), .to = day(days[i][1])};
    working[0] = day("2026-01-10");
    working[1] = day("2026-08-22");
    h = (struct bao_holidays){off, BAO_COUNT(off), working, BAO_COUNT(working), day("2026-12-31")};
    return 0;
}

static void working_days_know_holidays_and_swaps(void **state)
{
    static const struct {
        const char *day;
        bool works;
    } rows[] = {
        {"2026-09-14", true},  {"2026-09-12", false}, {"2026-09-13", false}, {"2026-08-22", true},
        {"2026-08-23", false}, {"2026-08-31", false}, {"2026-09-02", false}, {"2026-09-03", true},
        {"2026-02-16", false}, {"2026-02-20", false}, {"2026-02-23", true},  {"2026-01-10", true},
        {"2026-01-17", false}, {"2026-04-27", false}, {"2025-09-02", true},
    };
    static const struct {
        const char *from, *to;
        int n;
    } steps[] = {
        {"2026-09-14", "2026-09-14", 0}, {"2026-09-14", "2026-09-15", 1}, {"2026-09-14", "2026-09-16", 2},
        {"2026-09-14", "2026-09-21", 5}, {"2026-08-21", "2026-08-22", 1}, {"2026-08-21", "2026-08-24", 2},
        {"2026-08-28", "2026-09-03", 1}, {"2026-02-14", "2026-02-23", 1}, {"2026-12-14", "2027-01-04", 15},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++)
        if (bao_is_working_day(&h, day(rows[i].day)) != rows[i].works)
            fail_msg("%s", rows[i].day);
    for (size_t i = 0; i < BAO_COUNT(steps); i++) {
        assert_int_equal(bao_working_days_after(&h, day(steps[i].from), steps[i].n), day(steps[i].to));
        assert_int_equal(bao_working_days_between(&h, day(steps[i].from), day(steps[i].to)), steps[i].n);
    }
    assert_int_equal(bao_working_days_between(&h, day("2026-09-14"), day("2026-09-01")), 0);
}

static void assert_due(struct bao_deadline d, const char *cutoff, const char *due)
{
    char text[40];

    bao_time_print(bao_deadline_time(&d, &h, day(cutoff), BAO_VN_OFFSET), BAO_VN_OFFSET, text);
    assert_string_equal(text, due);
}

static struct bao_deadline on_day(int d, bool next_month, enum bao_roll roll)
{
    return (struct bao_deadline){
        .day = d, .next_month = next_month, .on = BAO_DATE_NONE, .at = 86400, .roll = (uint8_t)roll};
}

static void deadlines_count_working_days(void **state)
{
    struct bao_deadline two = {.working_days = 2, .at = 17 * 3600, .on = BAO_DATE_NONE},
                        one = {.working_days = 1, .at = 86400, .on = BAO_DATE_NONE};

    (void)state;
    assert_due(two, "2026-09-14", "2026-09-16T17:00:00.000+07:00");
    assert_due(two, "2026-03-14", "2026-03-17T17:00:00.000+07:00"); /* 14 March is a Saturday */
    assert_due(one, "2026-09-14", "2026-09-16T00:00:00.000+07:00"); /* 24:00 of the 15th */
    assert_due(one, "2026-08-28", "2026-09-04T00:00:00.000+07:00"); /* National Day and the swap between */
    assert_due(one, "2026-02-14", "2026-02-24T00:00:00.000+07:00"); /* Lunar New Year between */
    assert_due(one, "2026-08-21", "2026-08-23T00:00:00.000+07:00"); /* a worked Saturday */
}

/* The tiers that domain.md c1 names: Circular 02/2023/TT-BTTTT, Circular 44/2019/TT-BGTVT, Decree 09
 * Art. 13.1. */
static void deadlines_of_the_circulars(void **state)
{
    static const struct {
        int day;
        const char *cutoff, *due; /* due at the end of this day */
    } rows[] = {
        {15, "2026-09-14", "2026-09-15"}, {16, "2026-09-14", "2026-09-16"}, /* month: 15, then 16 */
        {6, "2026-03-14", "2026-03-06"},  {8, "2026-03-14", "2026-03-09"}, /* quarter: 6, then 8 (a Sunday) */
        {6, "2026-06-14", "2026-06-08"},  {8, "2026-06-14", "2026-06-08"}, /* half: 6 June is a Saturday */
        {25, "2026-11-14", "2026-11-25"}, {27, "2026-11-14", "2026-11-27"}, /* year: 25 and 27 November */
        {20, "2026-09-14", "2026-09-21"}, {20, "2026-12-14", "2026-12-21"}, /* the 20th, both Sundays */
        {20, "2026-06-14", "2026-06-22"}, {25, "2026-09-14", "2026-09-25"}, /* Government: day 25 */
        {25, "2026-12-14", "2026-12-25"}, {25, "2026-01-14", "2026-01-26"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct bao_deadline d = on_day(rows[i].day, false, BAO_ROLL_NEXT);

        assert_int_equal(bao_deadline_day(&d, &h, day(rows[i].cutoff)), day(rows[i].due));
    }
}

static void deadlines_roll_as_told(void **state)
{
    struct bao_deadline fixed = on_day(0, false, BAO_ROLL_NEXT);

    (void)state;
    /* 19 September 2026 is a Saturday. */
    assert_due(on_day(19, false, BAO_ROLL_NEXT), "2026-09-14", "2026-09-22T00:00:00.000+07:00");
    assert_due(on_day(19, false, BAO_ROLL_PREVIOUS), "2026-09-14", "2026-09-19T00:00:00.000+07:00");
    assert_due(on_day(19, false, BAO_ROLL_NONE), "2026-09-14", "2026-09-20T00:00:00.000+07:00");
    /* The month after, across the year, and a day that the month does not have. */
    assert_due(on_day(5, true, BAO_ROLL_NEXT), "2026-12-14", "2027-01-06T00:00:00.000+07:00");
    assert_due(on_day(31, false, BAO_ROLL_NONE), "2026-09-14", "2026-10-01T00:00:00.000+07:00");
    assert_due(on_day(30, true, BAO_ROLL_NONE), "2026-01-14", "2026-03-01T00:00:00.000+07:00");
    fixed.on = day("2026-05-01");
    assert_due(fixed, "2026-04-15", "2026-05-05T00:00:00.000+07:00");
}

static void locks_follow_deadlines(void **state)
{
    bao_time due = bao_time_make(day("2026-09-16"), 17 * 3600, BAO_VN_OFFSET),
             midnight = bao_time_make(day("2026-09-16"), 86400, BAO_VN_OFFSET);
    struct bao_lock lock = {.present = true, .working_days = 5, .then = BAO_LOCK_REFUSE};

    (void)state;
    assert_int_equal(bao_lock_time(&lock, &h, due, BAO_VN_OFFSET),
                     bao_time_make(day("2026-09-23"), 86400, BAO_VN_OFFSET));
    assert_int_equal(bao_lock_time(&lock, &h, midnight, BAO_VN_OFFSET),
                     bao_time_make(day("2026-09-23"), 86400, BAO_VN_OFFSET));
    lock = (struct bao_lock){.present = true, .working_days = -1, .days = 9, .then = BAO_LOCK_NOT_DONE};
    assert_int_equal(bao_lock_time(&lock, &h, due, BAO_VN_OFFSET),
                     bao_time_make(day("2026-09-25"), 86400, BAO_VN_OFFSET));
    lock.then = BAO_LOCK_ACCEPT;
    assert_int_equal(bao_lock_time(&lock, &h, due, BAO_VN_OFFSET), BAO_TIME_NONE);
    lock = (struct bao_lock){.present = false, .working_days = 1};
    assert_int_equal(bao_lock_time(&lock, &h, due, BAO_VN_OFFSET), BAO_TIME_NONE);
}

/* Decree 09 Art. 8.5 wants a deadline for each tier, Art. 13.1 the Government's by the 25th: commune 16 or
 * 17, department 18 or 19, Home Affairs, the committee's office, Government 25 (domain.md c1). Each tier is a
 * kind of its own. */
static void the_chain_of_tiers_ends_by_the_25th(void **state)
{
    static const char *const kinds[] = {"commune", "department", "home-affairs", "committee-office",
                                        "government"};
    static const char *const september[] = {"2026-09-16", "2026-09-18", "2026-09-21", "2026-09-22",
                                            "2026-09-25"};
    static const int working_days[] = {2, 4, 5, 6, 0};
    struct bao_str kind[BAO_COUNT(kinds)];
    struct bao_deadline rows[BAO_COUNT(kinds)];
    struct bao_form form = {.deadlines = rows, .n_deadlines = BAO_COUNT(rows)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(kinds); i++) {
        kind[i] = bao_str_c(kinds[i]);
        rows[i] = on_day(25, false, BAO_ROLL_PREVIOUS); /* nothing slips past the 25th */
        if (working_days[i] != 0)
            rows[i] =
                (struct bao_deadline){.working_days = working_days[i], .at = 17 * 3600, .on = BAO_DATE_NONE};
        rows[i].kinds = &kind[i];
        rows[i].n_kinds = 1;
    }
    for (int month = 1; month <= 12; month++) {
        bao_date cutoff = bao_date_make(2026, month, 14);
        bao_time before = bao_time_make(bao_working_days_after(&h, cutoff, 1), 86400, BAO_VN_OFFSET), due,
                 lock;

        if (month == 2)
            continue; /* Lunar New Year leaves two working days before the 25th: the office extends by hand */
        for (size_t i = 0; i < BAO_COUNT(kinds); i++) {
            bao_form_times(&form, &h, BAO_VN_OFFSET, kind[i], cutoff, &due, &lock);
            if (due <= before)
                fail_msg("month %d: %s is not after the tier below", month, kinds[i]);
            if (month == 9)
                assert_int_equal(bao_time_date(due - 1, BAO_VN_OFFSET), day(september[i]));
            before = due;
        }
        assert_true(bao_time_date(before - 1, BAO_VN_OFFSET) <= bao_date_make(2026, month, 25));
    }
}

/* Khanh Hoa's KPI: by the 25th of each month, and what has not come then was not done. The Civil Code's Art.
 * 148: a day off moves the end to the end of the next working day. */
static void not_done_after_the_25th(void **state)
{
    static const struct {
        const char *cutoff, *due;
    } rows[] = {
        {"2026-03-14", "2026-03-25"},
        {"2026-04-14", "2026-04-28"}, /* Saturday, Sunday, Hung Kings' day in lieu */
        {"2026-07-14", "2026-07-27"},
        {"2026-12-14", "2026-12-25"},
    };
    struct bao_lock lock = {.present = true, .working_days = -1, .days = 0, .then = BAO_LOCK_NOT_DONE};
    struct bao_deadline d = on_day(25, false, BAO_ROLL_NEXT);

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        bao_time due = bao_deadline_time(&d, &h, day(rows[i].cutoff), BAO_VN_OFFSET);

        assert_int_equal(due, bao_time_make(day(rows[i].due), 86400, BAO_VN_OFFSET));
        assert_int_equal(bao_lock_time(&lock, &h, due, BAO_VN_OFFSET), due);
    }
}

/* Article 8.5b: at least one working day after the window closes, wherever the window's end falls. */
static void one_working_day_is_the_least(void **state)
{
    static const struct {
        const char *cutoff, *due; /* by the end of this day */
    } rows[] = {
        {"2026-01-14", "2026-01-15"}, {"2026-02-14", "2026-02-23"}, {"2026-03-14", "2026-03-16"},
        {"2026-04-14", "2026-04-15"}, {"2026-05-14", "2026-05-15"}, {"2026-06-14", "2026-06-15"},
        {"2026-07-14", "2026-07-15"}, {"2026-08-14", "2026-08-17"}, {"2026-09-14", "2026-09-15"},
        {"2026-10-14", "2026-10-15"}, {"2026-11-14", "2026-11-16"}, {"2026-12-14", "2026-12-15"},
        {"2026-08-30", "2026-09-03"}, {"2026-04-29", "2026-05-04"}, {"2025-12-31", "2026-01-05"},
    };
    struct bao_deadline d = {.working_days = 1, .at = 86400, .on = BAO_DATE_NONE};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++)
        assert_int_equal(bao_deadline_day(&d, &h, day(rows[i].cutoff)), day(rows[i].due));
}

static void dates_beyond_what_is_known_are_provisional(void **state)
{
    (void)state;
    assert_false(bao_deadline_is_provisional(&h, bao_time_make(day("2026-12-31"), 86400, BAO_VN_OFFSET),
                                             BAO_VN_OFFSET));
    assert_true(bao_deadline_is_provisional(&h, bao_time_make(day("2027-01-01"), 3600, BAO_VN_OFFSET),
                                            BAO_VN_OFFSET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(working_days_know_holidays_and_swaps),
        cmocka_unit_test(deadlines_count_working_days),
        cmocka_unit_test(deadlines_of_the_circulars),
        cmocka_unit_test(deadlines_roll_as_told),
        cmocka_unit_test(locks_follow_deadlines),
        cmocka_unit_test(the_chain_of_tiers_ends_by_the_25th),
        cmocka_unit_test(not_done_after_the_25th),
        cmocka_unit_test(one_working_day_is_the_least),
        cmocka_unit_test(dates_beyond_what_is_known_are_provisional),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
