/* What is owed, when, why, and in which state it stands. */
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/form/obligation.h"

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

/* Two communes, one of which becomes a ward and the other of which is closed within a period, and a
 * department. */
static struct bao_unit units[4];
static struct bao_holiday off[1];
static struct bao_registry registry;
static struct bao_str communes[2], departments[1], groups[1];
static struct bao_deadline deadlines[2];
static struct bao_form quarterly[2], once, weekly;
static struct bao_form *forms_list[4] = {&once, &quarterly[0], &quarterly[1], &weekly};
static struct bao_forms forms;

static struct bao_unit unit(const char *code, const char *kind, const char *from, const char *to)
{
    return (struct bao_unit){.code = bao_str_c(code),
                             .kind = bao_str_c(kind),
                             .from = day(from),
                             .to = to == NULL ? BAO_DATE_NONE : day(to)};
}

static int set_up(void **state)
{
    (void)state;
    communes[0] = BAO_STR("commune");
    communes[1] = BAO_STR("ward");
    departments[0] = BAO_STR("department");
    groups[0] = BAO_STR("cu");
    units[0] = unit("22015", "commune", "2025-07-01", "2026-04-29");
    units[1] = unit("22015", "ward", "2026-04-30", NULL);
    units[2] = unit("24133", "commune", "2025-07-01", "2026-09-10");
    units[3] = unit("H15.02", "department", "2025-07-01", NULL);
    units[1].groups = groups;
    units[1].n_groups = 1;
    off[0] = (struct bao_holiday){.from = day("2026-09-15"), .to = day("2026-09-15")};
    registry = (struct bao_registry){.units = units,
                                     .n_units = 4,
                                     .offset = BAO_VN_OFFSET,
                                     .holidays = {.off = off, .n_off = 1, .known_to = day("2026-12-31")}};
    deadlines[0] = (struct bao_deadline){
        .kinds = communes, .n_kinds = 2, .working_days = 2, .on = BAO_DATE_NONE, .at = 17 * 3600};
    deadlines[1] = (struct bao_deadline){.day = 19, .on = BAO_DATE_NONE, .at = 86400, .roll = BAO_ROLL_NEXT};
    quarterly[0] = (struct bao_form){.id = BAO_STR("nd73-quarterly"),
                                     .version = 1,
                                     .period_type = BAO_P_QUARTER,
                                     .calendar = {BAO_CAL_ND09, 0},
                                     .deadlines = deadlines,
                                     .n_deadlines = 2,
                                     .lock = {.present = true, .working_days = 5, .then = BAO_LOCK_REFUSE},
                                     .effective_from = day("2026-01-01"),
                                     .effective_to = BAO_DATE_NONE};
    quarterly[1] = quarterly[0];
    quarterly[1].version = 2;
    quarterly[1].effective_from = day("2026-07-01");
    quarterly[1].lock.then = BAO_LOCK_NOT_DONE;
    once = (struct bao_form){.id = BAO_STR("chuyen-de"),
                             .version = 1,
                             .period_type = BAO_PERIOD_ONCE,
                             .once_from = day("2026-05-01"),
                             .once_to = day("2026-08-20"),
                             .effective_from = day("2026-01-01"),
                             .effective_to = BAO_DATE_NONE,
                             .groups = groups,
                             .n_groups = 1};
    weekly = (struct bao_form){.id = BAO_STR("tuan"),
                               .version = 1,
                               .period_type = BAO_P_WEEK,
                               .kinds = departments,
                               .n_kinds = 1,
                               .calendar = {BAO_CAL_STARTS, 4},
                               .effective_from = day("2027-01-01"),
                               .effective_to = day("2027-02-28")};
    forms = (struct bao_forms){forms_list, 4};
    return 0;
}

static void obligations_follow_forms_units_and_periods(void **state)
{
    static const struct {
        const char *unit, *kind, *period;
        int version;
    } expected[] = {
        {"22015", "ward", "2026-08-20", 1}, /* the thematic report, for the group only */
        {"22015", "commune", "2026-Q1", 1},     {"24133", "commune", "2026-Q1", 1},
        {"H15.02", "department", "2026-Q1", 1}, {"22015", "ward", "2026-Q2", 1},
        {"24133", "commune", "2026-Q2", 1},     {"H15.02", "department", "2026-Q2", 1},
        {"22015", "ward", "2026-Q3", 2},        {"H15.02", "department", "2026-Q3", 2},
        {"22015", "ward", "2026-Q4", 2},        {"H15.02", "department", "2026-Q4", 2},
    };
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_obligations list;

    (void)state;
    assert_int_equal(bao_obligations_list(&a, &forms, &registry, day("2026-01-01"), day("2026-12-31"), &list),
                     0);
    for (size_t i = 0; i < BAO_COUNT(expected); i++) {
        const struct bao_obligation *o = &list.items[i];
        char period[16];

        assert_true(i < list.n);
        bao_period_print(o->period, period);
        if (!bao_str_is(units[o->unit].code, expected[i].unit) ||
            !bao_str_is(units[o->unit].kind, expected[i].kind) || strcmp(period, expected[i].period) != 0 ||
            o->form->version != expected[i].version)
            fail_msg("%zu: %.*s %s version %d", i, BAO_STR_ARG(units[o->unit].code), period,
                     o->form->version);
    }
    assert_int_equal(list.n, BAO_COUNT(expected));
    /* Nine weeks end on Thursdays of January and February 2027, and eight of them are the department's
     * form's. */
    assert_int_equal(bao_obligations_list(&a, &forms, &registry, day("2027-01-01"), day("2027-03-10"), &list),
                     0);
    assert_int_equal(list.n, 8);
    assert_int_equal(list.items[0].cutoff, day("2027-01-07"));
    assert_int_equal(list.items[7].cutoff, day("2027-02-25"));
    assert_int_equal(bao_obligations_list(&a, &forms, &registry, day("2026-09-15"), day("2026-12-13"), &list),
                     0);
    assert_int_equal(list.n, 0);
    bao_arena_deinit(&a);
}

static struct bao_obligation obligation(const struct bao_form *form, uint32_t u, const char *period)
{
    struct bao_obligation o;
    struct bao_period p;

    assert_true(bao_period_parse(bao_str_c(period), &p));
    assert_true(bao_obligation_make(form, &registry, u, p, &o));
    return o;
}

static void times_depend_on_the_kind(void **state)
{
    struct bao_obligation commune = obligation(&quarterly[1], 1, "2026-Q3"),
                          department = obligation(&quarterly[1], 3, "2026-Q3"),
                          next = obligation(&quarterly[1], 1, "2027-Q1");
    struct bao_obligation o;
    struct bao_period month;

    (void)state;
    assert_int_equal(commune.due, bao_time_make(day("2026-09-17"), 17 * 3600, BAO_VN_OFFSET));
    assert_int_equal(department.due, bao_time_make(day("2026-09-21"), 86400, BAO_VN_OFFSET));
    assert_int_equal(commune.lock, bao_time_make(day("2026-09-24"), 86400, BAO_VN_OFFSET));
    assert_false(commune.provisional);
    assert_true(next.provisional);
    assert_true(bao_period_parse(BAO_STR("2026-09"), &month));
    assert_false(bao_obligation_make(&quarterly[1], &registry, 1, month, &o));
}

static void assert_why(const struct bao_obligation *o, enum bao_lang lang, const char *expected)
{
    struct bao_buf b = BAO_BUF_NULL(4096);

    assert_int_equal(bao_obligation_why(&b, o, &registry, lang), 0);
    assert_int_equal(bao_buf_append(&b, "", 1), 0);
    assert_string_equal(bao_buf_data(&b), expected);
    bao_buf_deinit(&b);
}

static void dates_are_explained(void **state)
{
    struct bao_obligation commune = obligation(&quarterly[1], 1, "2026-Q3"),
                          department = obligation(&quarterly[0], 3, "2027-Q1"),
                          special = obligation(&once, 1, "2026-08-20");

    (void)state;
    assert_why(&commune, BAO_VI,
               "Số liệu tính từ ngày 15/6/2026 đến hết ngày 14/9/2026 (khoản 2 Điều 12 Nghị định "
               "09/2019/NĐ-CP). Hạn gửi là 2 "
               "ngày làm việc sau ngày chốt số liệu (điểm b khoản 5 Điều 8 Nghị định 09/2019/NĐ-CP), tức "
               "17:00 ngày 17/9/2026. "
               "Khóa kỳ lúc 24:00 ngày 24/9/2026; sau đó tính là không thực hiện.");
    assert_why(
        &department, BAO_EN,
        "Figures from 2026-12-15 to the end of 2027-03-14 (Decree 09/2019/ND-CP Art. 12.2). Due day 19 "
        "of the period's "
        "last month, moved to the next working day when it is a day off (Civil Code Art. 148) (Decree "
        "09/2019/ND-CP "
        "Art. 13.2), that is 24:00 on 2027-03-19. This is provisional: not all holidays are known yet. "
        "Locked at 24:00 "
        "on 2027-03-26.");
    assert_why(&special, BAO_VI,
               "Số liệu tính từ ngày 1/5/2026 đến hết ngày 20/8/2026. Biểu mẫu không đặt thời hạn cho loại "
               "đơn vị này.");
}

static void five_states_by_precedence(void **state)
{
    static const struct {
        struct bao_standing s;
        bao_time now;
        enum bao_state state;
    } rows[] = {
        {{.due = 100}, 99, BAO_STATE_PENDING},
        {{.due = 100}, 100, BAO_STATE_PENDING}, /* at the very instant it is not yet late */
        {{.due = 100}, 101, BAO_STATE_OVERDUE},
        {{.due = 100, .exempt = true}, 101, BAO_STATE_EXEMPT},
        {{.due = 100, .exempt = true}, 99, BAO_STATE_EXEMPT},
        {{.due = 100, .counted = true, .received_at = 100}, 500, BAO_STATE_ON_TIME},
        {{.due = 100, .counted = true, .received_at = 101}, 500, BAO_STATE_LATE},
        {{.due = 100, .counted = true, .received_at = 50, .exempt = true}, 500, BAO_STATE_ON_TIME},
        {{.due = 100, .counted = true, .received_at = 150, .exempt = true}, 500, BAO_STATE_LATE},
        {{.due = 200, .counted = true, .received_at = 150}, 500, BAO_STATE_ON_TIME}, /* extended */
        {{.due = BAO_TIME_NONE}, 500, BAO_STATE_PENDING},
        {{.due = BAO_TIME_NONE, .counted = true, .received_at = 50}, 500, BAO_STATE_ON_TIME},
    };
    size_t counts[BAO_STATES] = {0}, sum = 0;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        enum bao_state got = bao_obligation_state(&rows[i].s, rows[i].now);

        if (got != rows[i].state)
            fail_msg("row %zu is %s", i, bao_state_name(got));
        counts[got]++;
    }
    for (size_t i = 0; i < BAO_STATES; i++) {
        sum += counts[i];
        assert_true(*bao_state_title((enum bao_state)i, BAO_VI) != '\0' &&
                    *bao_state_title((enum bao_state)i, BAO_EN) != '\0');
    }
    assert_int_equal(sum, BAO_COUNT(rows));
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Whatever was stored and whenever it is asked: one state each, so the five add up; and time alone moves only
 * pending to overdue. */
static void the_five_states_always_add_up(void **state)
{
    uint64_t seed = 73;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t counts[BAO_STATES] = {0}, sum = 0, n = 1 + next(&seed) % 40;
        bao_time now = (bao_time)(next(&seed) % 1000);

        for (size_t i = 0; i < n; i++) {
            struct bao_standing s = {.counted = next(&seed) % 2 != 0,
                                     .received_at = (bao_time)(next(&seed) % 1000),
                                     .exempt = next(&seed) % 4 == 0,
                                     .due = next(&seed) % 10 == 0 ? BAO_TIME_NONE
                                                                  : (bao_time)(next(&seed) % 1000)};
            enum bao_state at = bao_obligation_state(&s, now), later = bao_obligation_state(&s, now + 500);

            assert_true((unsigned)at < BAO_STATES);
            assert_true(at == later || (at == BAO_STATE_PENDING && later == BAO_STATE_OVERDUE));
            assert_int_equal(s.counted, at == BAO_STATE_ON_TIME || at == BAO_STATE_LATE);
            counts[at]++;
        }
        for (size_t i = 0; i < BAO_STATES; i++)
            sum += counts[i];
        assert_int_equal(sum, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obligations_follow_forms_units_and_periods),
        cmocka_unit_test(times_depend_on_the_kind),
        cmocka_unit_test(dates_are_explained),
        cmocka_unit_test(five_states_by_precedence),
        cmocka_unit_test(the_five_states_always_add_up),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
