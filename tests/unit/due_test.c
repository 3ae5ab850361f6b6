/* Who answers for whom, and the lines that say what is owed. */
#include "lib/base/error.h"
#include "lib/form/due.h"

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

/* A and half of B became C, the other half D; C became E; F never changed; G ended and nobody took it over.
 * By code. */
static struct bao_was c_was[2], d_was[1], e_was[1];
static struct bao_unit units[7];
static struct bao_registry registry;
static struct bao_deadline deadline;
static struct bao_form monthly;
static struct bao_form *list[] = {&monthly};
static const struct bao_forms forms = {list, 1};

static struct bao_unit unit(const char *code, const char *name, const char *from, const char *to)
{
    return (struct bao_unit){.code = bao_str_c(code),
                             .name = bao_str_c(name),
                             .kind = BAO_STR("commune"),
                             .from = day(from),
                             .to = to == NULL ? BAO_DATE_NONE : day(to)};
}

static int set_up(void **state)
{
    (void)state;
    units[0] = unit("A", "Xã A", "2020-01-01", "2026-03-31");
    units[1] = unit("B", "Xã B", "2020-01-01", "2026-03-31");
    units[2] = unit("C", "Xã C", "2026-04-01", "2026-08-31");
    units[3] = unit("D", "Xã D", "2026-04-01", NULL);
    units[4] = unit("E", "Phường E", "2026-09-01", NULL);
    units[5] = unit("F", "Xã F", "2020-01-01", NULL);
    units[6] = unit("G", "Xã G", "2020-01-01", "2026-03-31");
    c_was[0] = (struct bao_was){.code = BAO_STR("A"), .whole = true};
    c_was[1] = (struct bao_was){.code = BAO_STR("B"), .share = bao_num_int(0)};
    d_was[0] = (struct bao_was){.code = BAO_STR("B"), .share = bao_num_int(1)};
    e_was[0] = (struct bao_was){.code = BAO_STR("C"), .whole = true};
    units[2].was = c_was;
    units[2].n_was = 2;
    units[3].was = d_was;
    units[3].n_was = 1;
    units[4].was = e_was;
    units[4].n_was = 1;
    registry = (struct bao_registry){.units = units,
                                     .n_units = BAO_COUNT(units),
                                     .offset = BAO_VN_OFFSET,
                                     .holidays = {.known_to = day("2026-12-31")}};
    deadline = (struct bao_deadline){.working_days = 2, .on = BAO_DATE_NONE, .at = 17 * 3600};
    monthly = (struct bao_form){.id = BAO_STR("thang"),
                                .version = 1,
                                .title = {BAO_STR("Báo cáo \"tháng\""), BAO_STR("Monthly")},
                                .period_type = BAO_P_MONTH,
                                .calendar = {BAO_CAL_ND09, 0},
                                .deadlines = &deadline,
                                .n_deadlines = 1,
                                .effective_from = day("2026-01-01"),
                                .effective_to = BAO_DATE_NONE};
    return 0;
}

static void assert_codes(const char *code, const char *on, const char *expected)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_str *codes;
    char got[64] = "";
    size_t n;

    assert_int_equal(bao_due_codes(&a, &registry, bao_str_c(code), day(on), &codes, &n), 0);
    for (size_t i = 0; i < n; i++)
        strncat(got, codes[i].p, 1);
    assert_string_equal(got, expected);
    bao_arena_deinit(&a);
}

static void debts_pass_through_any_number_of_mergers(void **state)
{
    static const struct {
        const char *code, *on, *codes;
    } rows[] = {
        {"A", "2026-03-31", "A"},  {"C", "2026-03-31", "C"},  {"C", "2026-04-01", "CA"},
        {"D", "2026-04-01", "DB"}, {"C", "2026-08-31", "CA"}, {"E", "2026-09-01", "ECA"},
        {"C", "2026-09-01", "C"},  {"F", "2026-09-01", "F"},  {"A", "2026-09-01", "A"},
        {"D", "2027-01-01", "DB"}, {"G", "2026-09-01", "G"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++)
        assert_codes(rows[i].code, rows[i].on, rows[i].codes);
    /* The two sides of it agree: whoever is listed for a code has it as successor, and nobody else has. */
    for (bao_date d = day("2026-03-01"); d < day("2026-10-01"); d += 7)
        for (size_t i = 0; i < registry.n_units; i++) {
            const struct bao_unit *heir = bao_registry_successor(&registry, units[i].code, d);
            struct bao_arena a = BAO_ARENA_NULL(0);
            struct bao_str *codes;
            size_t n, found = 0;

            if (heir == NULL)
                continue;
            assert_int_equal(bao_due_codes(&a, &registry, heir->code, d, &codes, &n), 0);
            for (size_t k = 0; k < n; k++)
                found += bao_str_eq(codes[k], units[i].code);
            assert_int_equal(found, 1);
            bao_arena_deinit(&a);
        }
}

static void files_list_what_falls_due(void **state)
{
    const struct bao_str codes[] = {BAO_STR("E"), BAO_STR("C"), BAO_STR("A")};
    static const struct {
        const char *unit, *period;
    } expected[] = {{"A", "2026-03"}, {"C", "2026-04"}, {"C", "2026-05"}, {"C", "2026-06"},
                    {"C", "2026-07"}, {"C", "2026-08"}, {"E", "2026-09"}};
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_due_list found;

    (void)state;
    assert_int_equal(bao_due_by_files(&a, &forms, &registry, codes, BAO_COUNT(codes), day("2026-03-01"),
                                      day("2026-09-30"), &found),
                     0);
    assert_int_equal(found.n, BAO_COUNT(expected));
    for (size_t i = 0; i < found.n; i++) {
        char period[16];

        bao_period_print(found.items[i].o.period, period);
        assert_string_equal(period, expected[i].period);
        assert_true(bao_str_is(units[found.items[i].o.unit].code, expected[i].unit));
        assert_false(found.items[i].known);
        assert_true(i == 0 || found.items[i - 1].o.due <= found.items[i].o.due);
    }
    assert_int_equal(bao_due_by_files(&a, &forms, &registry, codes, BAO_COUNT(codes), day("2026-03-18"),
                                      day("2026-04-15"), &found),
                     0);
    assert_int_equal(found.n, 0);
    bao_arena_deinit(&a);
}

static void assert_line(const struct bao_due *d, const char *asked, enum bao_lang lang, const char *expected)
{
    struct bao_buf out = BAO_BUF_NULL(16384);

    assert_int_equal(bao_due_print(&out, d, &registry, bao_str_c(asked), lang), 0);
    assert_int_equal(bao_buf_append(&out, "", 1), 0);
    assert_string_equal(bao_buf_data(&out), expected);
    bao_buf_deinit(&out);
}

static void lines_say_all(void **state)
{
    struct bao_period september = {.year = 2026, .type = BAO_P_MONTH, .n = 9},
                      march = {2026, BAO_P_MONTH, 0, 3, 0};
    struct bao_due d = {.extended_to = BAO_TIME_NONE, .approved_at = BAO_TIME_NONE};

    (void)state;
    assert_true(bao_obligation_make(&monthly, &registry, 4, september, &d.o));
    assert_line(
        &d, "E", BAO_EN,
        "{\"form\":\"thang\",\"unit\":\"E\",\"period\":\"2026-09\",\"title\":\"Monthly, September 2026\","
        "\"from\":\"2026-08-15\",\"to\":\"2026-09-14\",\"due\":\"2026-09-16T17:00:00.000+07:00\",\"lock\":"
        "null,"
        "\"state\":\"unknown\",\"revision\":null,\"provisional\":false,\"why\":\"Figures from 2026-08-15 to "
        "the "
        "end of 2026-09-14 (Decree 09/2019/ND-CP Art. 12.1). Due 2 working days after the cut-off (Decree "
        "09/2019/ND-CP Art. 8.5b), that is 17:00 on 2026-09-16. Later reports are taken and counted as "
        "late.\"}");
    assert_true(bao_obligation_make(&monthly, &registry, 0, march, &d.o));
    d.known = true;
    d.state = BAO_STATE_PENDING;
    d.extended_to = bao_time_make(day("2026-03-20"), 86400, BAO_VN_OFFSET);
    d.o.lock = bao_time_make(day("2026-03-25"), 86400, BAO_VN_OFFSET);
    d.ruling = BAO_STR("Công văn 5/VP \"hỏa tốc\"");
    d.approved_at = bao_time_make(day("2026-03-26"), 8 * 3600, BAO_VN_OFFSET);
    d.approval = BAO_STR("Số 7/QĐ-UBND");
    d.news = BAO_STR("Lần báo cáo 1 đã bị trả lại.");
    assert_line(
        &d, "E", BAO_VI,
        "{\"form\":\"thang\",\"unit\":\"A\",\"period\":\"2026-03\",\"title\":\"Báo cáo \\\"tháng\\\", Tháng "
        "3 năm "
        "2026\",\"from\":\"2026-02-15\",\"to\":\"2026-03-14\",\"due\":\"2026-03-21T00:00:00.000+07:00\","
        "\"lock\":\"2026-03-26T00:00:00.000+07:00\",\"state\":\"pending\",\"revision\":0,\"provisional\":"
        "false,"
        "\"why\":\"Số liệu tính từ ngày 15/2/2026 đến hết ngày 14/3/2026 (khoản 1 Điều 12 Nghị định "
        "09/2019/NĐ-CP). Hạn gửi là 2 ngày làm việc sau ngày chốt số liệu (điểm b khoản 5 Điều 8 Nghị định "
        "09/2019/NĐ-CP), tức 17:00 ngày 17/3/2026. Khóa kỳ lúc 24:00 ngày 25/3/2026. Đã được gia hạn đến "
        "24:00 "
        "ngày 20/3/2026 (Công văn 5/VP \\\"hỏa tốc\\\"). Số liệu kỳ này đã được phê duyệt lúc 08:00 ngày "
        "26/3/2026 "
        "(Số 7/QĐ-UBND). Đây là nghĩa vụ của Xã A (A), nay đơn vị kế thừa "
        "phải "
        "gửi; trong báo cáo ghi unit: \\\"A\\\". Lần báo cáo 1 đã bị trả lại.\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debts_pass_through_any_number_of_mergers),
        cmocka_unit_test(files_list_what_falls_due),
        cmocka_unit_test(lines_say_all),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
