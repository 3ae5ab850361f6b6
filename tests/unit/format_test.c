/* Formats, beyond what the official suite asks. */
#include "lib/schema/format.h"
#include "lib/schema/hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void tells_right_from_wrong(void **state)
{
    static const struct {
        enum bao_format format;
        const char *text;
        bool is;
    } cases[] = {
        {BAO_FMT_DATE, "2028-02-29", true},
        {BAO_FMT_DATE, "2100-02-29", false},
        {BAO_FMT_DATE, "2000-02-29", true},
        {BAO_FMT_DATE, "2026-04-31", false},
        {BAO_FMT_DATE, "2026-00-10", false},
        {BAO_FMT_DATE, "2026-1-10", false},
        {BAO_FMT_DATE, "2026-09-15 ", false},
        {BAO_FMT_TIME, "23:59:60+07:00", false},
        {BAO_FMT_TIME, "06:59:60+07:00", true},
        {BAO_FMT_TIME, "12:00:00.Z", false},
        {BAO_FMT_DATE_TIME, "2026-09-15t17:00:00.5+07:00", true},
        {BAO_FMT_DATE_TIME, "2026-09-15 17:00:00Z", false},
        {BAO_FMT_DURATION, "P1Y2M3DT4H5M6S", true},
        {BAO_FMT_DURATION, "P1Y1D", false},
        {BAO_FMT_EMAIL, "vanthu@daklak.gov.vn", true},
        {BAO_FMT_EMAIL, "văn thư@daklak.gov.vn", false},
        {BAO_FMT_EMAIL, "a@b@c.vn", false},
        {BAO_FMT_EMAIL, "\"a\\", false},
        {BAO_FMT_HOSTNAME, "daklak.gov.vn", true},
        {BAO_FMT_HOSTNAME, "daklak..vn", false},
        {BAO_FMT_HOSTNAME, "xn--", false},
        {BAO_FMT_IPV4, "255.255.255.255", true},
        {BAO_FMT_IPV4, "1.2.3.4.5", false},
        {BAO_FMT_IPV6, "::ffff:1.2.3.4", true},
        {BAO_FMT_IPV6, "1:2:3:4:5:6:7:1.2.3.4", false},
        {BAO_FMT_IPV6, "::1:2:3:4:5:6:7:8", false},
        {BAO_FMT_URI, "https://daklak.gov.vn/a?b=c#d", true},
        {BAO_FMT_URI, "https://daklak.gov.vn/văn-bản", false},
        {BAO_FMT_URI, "a:", true},
        {BAO_FMT_URI, "http://[::1", false},
        {BAO_FMT_URI, "http://[v1.a:b]/", true},
        {BAO_FMT_URI, "https://a:b@c:8/d:@/e?/:@?#/?:@", true}, /* each mark where it may stand */
        {BAO_FMT_URI, "https://a@b@c/", false},
        {BAO_FMT_URI, "https://a/b#c#d", false},
        {BAO_FMT_URI, "https://a/b?c[d", false},
        {BAO_FMT_URI, "https://a/%4", false},
        {BAO_FMT_URI_REFERENCE, "1:2", false},
        {BAO_FMT_URI_REFERENCE, "./1:2", true},
        {BAO_FMT_IRI, "https://daklak.gov.vn/văn-bản", true},
        {BAO_FMT_IRI_REFERENCE, "văn-bản#2", true},
        {BAO_FMT_URI_TEMPLATE, "/{a,b*}{?c:3}", true},
        {BAO_FMT_URI_TEMPLATE, "/{a", false},
        {BAO_FMT_UUID, "0b1e6f2a-4c1d-4e57-9a53-2f6f0c2d9b11", true},
        {BAO_FMT_UUID, "0b1e6f2a4c1d-4e57-9a53-2f6f0c2d9b111", false},
        {BAO_FMT_JSON_POINTER, "/a~1b", true},
        {BAO_FMT_JSON_POINTER, "/a~", false},
        {BAO_FMT_RELATIVE_JSON_POINTER, "0#", true},
        {BAO_FMT_REGEX, "(?<x>a)\\k<x>", true},
        {BAO_FMT_REGEX, "(", false},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (bao_format_is(cases[i].format, bao_str_c(cases[i].text)) != cases[i].is)
            fail_msg("%s: %s", bao_format_name(cases[i].format), cases[i].text);
    for (int i = 1; i < BAO_FMT_COUNT; i++)
        assert_int_equal(bao_format_of(bao_str_c(bao_format_name((enum bao_format)i))), i);
    assert_int_equal(bao_format_of(BAO_STR("idn-email")), BAO_FMT_NONE);
}

/* No reader looks beyond the text's end: every cut of every good text, in memory of exactly its size. */
static void stops_at_the_end(void **state)
{
    static const char *const texts[] = {"2026-09-15t17:00:00.5+07:00",
                                        "P1Y2M3DT4H5M6S",
                                        "\"a b\"@[IPv6:::1]",
                                        "https://u@[v1.a]:80/%41?b#c",
                                        "/{+a,b*}{?c:3}%20",
                                        "0/~01",
                                        "(?<x>[a-z]\\k<x>){1,2}",
                                        "xn--hello-txk.xn--ngb6iyr",
                                        "1:2::192.168.0.1"};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        for (size_t n = 0; n <= strlen(texts[i]); n++) {
            char *exact = malloc(n == 0 ? 1 : n);

            assert_non_null(exact);
            memcpy(exact, texts[i], n);
            for (int f = 1; f < BAO_FMT_COUNT; f++)
                (void)bao_format_is((enum bao_format)f, (struct bao_str){exact, n});
            free(exact);
        }
}

static void reads_numbers_as_offices_write_them(void **state)
{
    static const struct {
        const char *text;
        enum bao_hint hint;
        const char *number, *other;
    } cases[] = {
        {"80%", BAO_HINT_PERCENT, "80", NULL},
        {"80,5 %", BAO_HINT_PERCENT, "80.5", NULL},
        {"1.500.000", BAO_HINT_GROUPS, "1500000", NULL},
        {"1.500.000 đồng", BAO_HINT_UNIT, "1500000", NULL},
        {"1 500 000", BAO_HINT_GROUPS, "1500000", NULL},
        {"1,500,000.25", BAO_HINT_GROUPS, "1500000.25", NULL},
        {"-1,5", BAO_HINT_COMMA, "-1.5", NULL},
        {"1.500", BAO_HINT_AMBIGUOUS, "1500", "1.500"},
        {"12", BAO_HINT_NUMBER, "12", NULL},
        {" 12.5 ", BAO_HINT_NUMBER, "12.5", NULL},
        {"“12”", BAO_HINT_SIGNS, "12", NULL},
        {"\u22125", BAO_HINT_SIGNS, "-5", NULL},
        {"–12,5", BAO_HINT_COMMA, "-12.5", NULL},
        {"\u00a0120\u00a0", BAO_HINT_SIGNS, "120", NULL},
        {"1\u00a0500\u00a0000", BAO_HINT_GROUPS, "1500000", NULL},
        {"12\u200b", BAO_HINT_SIGNS, "12", NULL},
        {"\uff11\uff12", BAO_HINT_SIGNS, "12", NULL},
        {"\uff18\uff10\uff05", BAO_HINT_PERCENT, "80", NULL},
        {"“mười hai”", BAO_HINT_NONE, NULL, NULL},
        {"\u200b", BAO_HINT_NONE, NULL, NULL},
        {"khoảng 12", BAO_HINT_NONE, NULL, NULL},
        {"12/15", BAO_HINT_NONE, NULL, NULL},
        {"1.2.3", BAO_HINT_NONE, NULL, NULL},
        {"", BAO_HINT_NONE, NULL, NULL},
        {"-", BAO_HINT_NONE, NULL, NULL},
    };
    struct bao_arena a = BAO_ARENA_NULL(0);

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        struct bao_str number = BAO_STR_NULL, other = BAO_STR_NULL;
        enum bao_hint hint = bao_hint_number(&a, bao_str_c(cases[i].text), &number, &other);

        if (hint != cases[i].hint || (cases[i].number != NULL && !bao_str_is(number, cases[i].number)) ||
            (cases[i].other != NULL && !bao_str_is(other, cases[i].other)))
            fail_msg("%s: %d %.*s", cases[i].text, (int)hint, BAO_STR_ARG(number));
    }
    bao_arena_deinit(&a);
}

static void reads_dates_as_offices_write_them(void **state)
{
    static const struct {
        const char *text, *day;
        bool impossible;
    } cases[] = {
        {"15/9/2026", "2026-09-15", false}, {"15-09-2026", "2026-09-15", false},
        {"15.9.2026", "2026-09-15", false}, {"2026/9/5", "2026-09-05", false},
        {"20260915", "2026-09-15", false},  {"Ngày 15 tháng 9 năm 2026", "2026-09-15", false},
        {"29/2/2026", NULL, true},          {"15/13/2026", NULL, true},
        {"15/9/26", NULL, false},           {"9/2026", NULL, false},
        {"trước 15/9/2026", NULL, false},   {"1/2/3/2026", NULL, false},
    };
    struct bao_arena a = BAO_ARENA_NULL(0);

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        struct bao_str day = BAO_STR_NULL;
        bool impossible, is = bao_hint_date(&a, bao_str_c(cases[i].text), &day, &impossible);

        if (is != (cases[i].day != NULL) || impossible != cases[i].impossible ||
            (is && !bao_str_is(day, cases[i].day)))
            fail_msg("%s: %.*s", cases[i].text, BAO_STR_ARG(day));
    }
    assert_int_equal(bao_hint_bool(&a, BAO_STR("Có")), 1);
    assert_int_equal(bao_hint_bool(&a, BAO_STR("KHÔNG")), 0);
    assert_int_equal(bao_hint_bool(&a, BAO_STR("có thể")), -1);
    bao_arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_right_from_wrong),
        cmocka_unit_test(stops_at_the_end),
        cmocka_unit_test(reads_numbers_as_offices_write_them),
        cmocka_unit_test(reads_dates_as_offices_write_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
