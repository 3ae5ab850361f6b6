/* UTF-8: what is valid, normal forms, foldings, distances, escapes. */
#include "lib/base/buf.h"
#include "lib/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void finds_the_first_invalid_octet(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } table[] = {
        {"", 0},
        {"abc", 3},
        {"Đắk Lắk", 12},
        {"12345678Đ", 10},
        {"\x80", 0},
        {"a\xc0\x80", 1},
        {"a\xc1\xbf", 1},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},
        {"\xed\xa0\x80", 0},
        {"\xed\x9f\xbf", 3},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"ab\xe1\xba", 2},
        {"ab\xe1\xba"
         "c",
         2},
        {"\xff", 0},
        {"abcdefgh\xfe", 8},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        assert_int_equal(bao_utf8_valid(bao_str_c(table[i].text)), table[i].valid);
    assert_int_equal(bao_utf8_valid(BAO_STR_NULL), 0);
}

static void every_code_point_goes_both_ways(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x10000 ? 1 : 37) {
        char text[4];
        uint32_t back;
        size_t n = bao_utf8_put(c, text);

        assert_int_equal(bao_utf8_valid((struct bao_str){text, n}), c >= 0xd800 && c < 0xe000 ? 0 : n);
        assert_int_equal(bao_utf8_get(text, text + n, &back), n);
        assert_int_equal(back, c);
    }
    assert_int_equal(bao_utf8_count(BAO_STR("Đắk Lắk")), 7);
    assert_int_equal(bao_utf8_width(BAO_STR("Đắk")), 3);
    assert_int_equal(bao_utf8_width(BAO_STR("a\xcc\x81")), 1);
    assert_int_equal(bao_utf8_width(BAO_STR("日本")), 4);
    assert_int_equal(bao_utf8_width(BAO_STR_NULL), 0);
}

static void composes(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0), none = BAO_ARENA_NULL(1);
    struct bao_str s = BAO_STR("Hòa Thắng"), nfd = BAO_STR("Ho\xcc\x80"
                                                           "a Tha\xcc\x86\xcc\x81ng");

    (void)state;
    assert_true(bao_utf8_is_nfc(s));
    assert_ptr_equal(bao_utf8_nfc(&a, s).p, s.p);
    assert_false(bao_utf8_is_nfc(nfd));
    assert_true(bao_str_eq(bao_utf8_nfc(&a, nfd), s));
    assert_null(bao_utf8_nfc(&none, nfd).p);
    assert_non_null(bao_utf8_nfc(&a, BAO_STR_NULL).p);
    /* Outside the quick blocks, but normal all the same. */
    assert_true(bao_utf8_is_nfc(BAO_STR("日本 ☃")));
    assert_false(bao_utf8_is_nfc(BAO_STR("\xe2\x84\xa6"))); /* OHM SIGN becomes omega */
    bao_arena_deinit(&a);
}

static void folds_alike(void **state)
{
    static const struct {
        const char *a, *b;
    } alike[] = {
        {"Hoàn thành", "hoan_thanh"},
        {"hoà", "hòa"},
        {"thuỷ", "thủy"},
        {"ĐẮK LẮK", "dak-lak"},
        {"nhiem  vu", "nhiem_vu"},
        {"Ho\xcc\x80"
         "a",
         "Hòa"},
        {"ƯƠNG", "uong"},
        {"a - b", "a_b"},
        {"Straße", "STRASSE"},
        {"", ""},
    };
    struct bao_arena a = BAO_ARENA_NULL(0), none = BAO_ARENA_NULL(1);

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(alike); i++) {
        struct bao_str x = bao_utf8_fold(&a, bao_str_c(alike[i].a)),
                       y = bao_utf8_fold(&a, bao_str_c(alike[i].b));

        assert_true(bao_str_eq(x, y));
    }
    assert_true(bao_str_is(bao_utf8_fold(&a, BAO_STR("Đã Hoàn-Thành")), "da_hoan_thanh"));
    assert_true(bao_str_is(bao_utf8_fold(&a, BAO_STR("ab\xff"
                                                     "cd")),
                           "ab"));
    assert_true(bao_str_is(bao_utf8_fold(&a, BAO_STR("\xef\xb7\xba")), "\xef\xb7\xba"));
    assert_null(bao_utf8_fold(&none, BAO_STR("a")).p);
    bao_arena_deinit(&a);
}

static void measures_distance(void **state)
{
    static const struct {
        const char *a, *b;
        size_t limit, distance;
    } table[] = {
        {"giao", "giao", 3, 0},
        {"giao", "gaio", 3, 1},
        {"hoan_thanh", "hoanthanh", 3, 1},
        {"abc", "", 3, 3},
        {"abc", "", 2, 3},
        {"kitten", "sitting", 5, 3},
        {"kitten", "sitting", 2, 3},
        {"ca", "abc", 5, 3},
        {"đắk", "dak", 5, 2},
        {"abcdefgh", "zyxwvuts", 3, 4},
        {"ab", "ba", 0, 1},
        {"", "", 0, 0},
    };
    char x[200], y[200];

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        struct bao_str s = bao_str_c(table[i].a), t = bao_str_c(table[i].b);

        assert_int_equal(bao_utf8_distance(s, t, table[i].limit), table[i].distance);
        assert_int_equal(bao_utf8_distance(t, s, table[i].limit), table[i].distance);
    }
    memset(x, 'a', sizeof(x));
    memset(y, 'a', sizeof(y));
    y[0] = 'b';
    assert_int_equal(bao_utf8_distance((struct bao_str){x, 128}, (struct bao_str){y, 128}, 3), 1);
    assert_int_equal(bao_utf8_distance((struct bao_str){x, 129}, (struct bao_str){y, 129}, 3), 4);
    assert_int_equal(bao_utf8_distance((struct bao_str){x, 200}, (struct bao_str){x, 200}, 3), 0);
}

static void escapes_for_screens(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *shown;
    } table[] = {
        {"Đắk Lắk", 20, "Đắk Lắk"},
        {"Đắk Lắk", 3, "Đắk…"},
        {"a\nb\tc", 20, "a\\u{a}b\\u{9}c"},
        {"\xe2\x80\xae"
         "abc",
         20, "\\u{202e}abc"},
        {"\xe2\x81\xa6x\xe2\x81\xa9", 20, "\\u{2066}x\\u{2069}"},
        {"x\xff\xfey", 20, "x\\x{ff}\\x{fe}y"},
        {"\x1b[31m", 20, "\\u{1b}[31m"},
        {"\x7f", 20, "\\u{7f}"},
        {"\xc2\x85", 20, "\\u{85}"},
        {"\xef\xbb\xbfx", 20, "\\u{feff}x"},
        {"abc", 0, "…"},
        {"", 0, ""},
        {"abc", 3, "abc"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        struct bao_buf out = BAO_BUF_NULL(1000);

        assert_int_equal(bao_utf8_escape(&out, bao_str_c(table[i].text), table[i].max), 0);
        assert_int_equal(bao_buf_append(&out, "", 1), 0);
        assert_string_equal(bao_buf_data(&out), table[i].shown);
        bao_buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first_invalid_octet),
        cmocka_unit_test(every_code_point_goes_both_ways),
        cmocka_unit_test(composes),
        cmocka_unit_test(folds_alike),
        cmocka_unit_test(measures_distance),
        cmocka_unit_test(escapes_for_screens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
