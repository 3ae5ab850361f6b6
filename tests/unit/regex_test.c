/* Patterns mean what ECMA-262 (u mode) says, whichever engine runs them, and nothing else gets through. */
#include "lib/schema/regex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void matches_as_ecma_says(void **state)
{
    static const struct {
        const char *pattern, *text;
        int match;
    } cases[] = {
        {"", "", 1},
        {"a", "bab", 1},
        {"^a", "ba", 0},
        {"a$", "a\n", 0},
        {"^$", "", 1},
        {"$^", "", 1},
        {"^.$", "\n", 0},
        {"^.$", "\xe2\x80\xa8", 0},
        {"^.$", "ơ", 1},
        {"^.{3}$", "Đắk", 1},
        {"^[^]$", "\n", 1},
        {"[]", "a", 0},
        {"^[^a-y]$", "z", 1},
        {"^[^a-y]$", "x", 0},
        {"^[\\d-z]$", "-", -1},
        {"^[\\-a]$", "-", 1},
        {"^[a-]$", "-", 1},
        {"^\\d+$", "09", 1},
        {"^\\d+$", "٣", 0},
        {"^\\w$", "é", 0},
        {"^\\W$", "é", 1},
        {"^\\s$", "\xc2\xa0", 1},
        {"^\\s$", "\xef\xbb\xbf", 1},
        {"^\\S$", "\xe2\x80\x83", 0},
        {"\\bnam\\b", "Việt nam!", 1},
        {"\\Bam", "nam", 1},
        {"^\\p{L}+$", "Đắk", 1},
        {"^\\p{Letter}+$", "Đ1", 0},
        {"^\\p{Lu}\\p{Ll}*$", "Đắk", 1},
        {"^\\P{L}$", "1", 1},
        {"^[\\p{Lu}\\d]+$", "Đ1", 1},
        {"^[^\\p{Lu}\\d]+$", "đ", 1},
        {"^\\p{Script=Latin}+$", "Đắk", 1},
        {"^\\p{sc=Greek}$", "λ", 1},
        {"^\\p{ASCII}+$", "a~", 1},
        {"^\\p{Any}$", "☃", 1},
        {"^\\p{Assigned}$", "a", 1},
        {"\\p{Nope}", "", -1},
        {"\\p{script=Latin}", "", -1},
        {"\\p{sc=Nowhere}", "", -1},
        {"\\pL", "", -1},
        {"^\\x41\\u0042\\u{43}$", "ABC", 1},
        {"^\\ud83d\\udc32$", "🐲", 1},
        {"^\\ud83d$", "🐲", 0},
        {"^[\\u{1F400}-\\u{1F4FF}]$", "🐲", 1},
        {"^\\cJ$", "\n", 1},
        {"^\\0$", "0", 0},
        {"\\01", "", -1},
        {"^\\/\\.\\^$", "/.^", 1},
        {"\\-", "", -1},
        {"\\a", "", -1},
        {"\\_", "", -1},
        {"a{2,3}", "aa", 1},
        {"^a{2,3}$", "aaaa", 0},
        {"a{3,2}", "", -1},
        {"a{,2}", "", -1},
        {"{", "", -1},
        {"}", "", -1},
        {"]", "", -1},
        {"a**", "", -1},
        {"a+?b", "aab", 1},
        {"?", "", -1},
        {"(a", "", -1},
        {"a)", "", -1},
        {"[b-a]", "", -1},
        {"[a", "", -1},
        {"(?:ab)+$", "abab", 1},
        {"^(a|b)\\1$", "aa", 1},
        {"^(a|b)\\1$", "ab", 0},
        {"^\\1(a)$", "a", 1},
        {"(a)\\2", "", -1},
        {"^(?<x>a)\\k<x>$", "aa", 1},
        {"^(?<tên>a)\\k<tên>$", "aa", 1},
        {"\\k<y>(?<x>a)", "", -1},
        {"(?<x>a)(?<x>b)", "", -1},
        {"(?<1>a)", "", -1},
        {"(?=a)a", "a", 1},
        {"^(?!a).$", "b", 1},
        {"^(?!a).$", "a", 0},
        {"(?<=a)b", "ab", 1},
        {"(?<=a|bc)d", "bcd", 1},
        {"(?<!a)b", "ab", 0},
        {"(?=a)*", "", -1},
        {"(?<=a+)b", "", -2},
        {"(?i)a", "", -1},
        {"(?P<n>a)", "", -1},
        {"(?#c)a", "", -1},
        {"(?>a)", "", -1},
        {"a{70000}b\\b", "", -2},
        {"^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", 0},
        {"^(([a-z])+.)+[A-Z]([a-z])+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
        {"^(?:a|ab)(?:c|bcd)(?:d*)$", "abcd", 1},
        {"^[ăâđêôơưĂÂĐÊÔƠƯ]+$", "đê", 1},
        {"^[ăâđêôơưĂÂĐÊÔƠƯ]+$", "đe", 0},
        {"^[\\u0080-\\uffff]$", "ơ", 1},
        {"^[\\u0800-\\u{10FFFF}]$", "ơ", 0},
        {"(^|,)b(,|$)", "a,b", 1},
        {"(^|,)b(,|$)", "ab", 0},
    };
    struct bao_regex_scratch *scratch = bao_regex_scratch_new();

    (void)state;
    assert_non_null(scratch);
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        struct bao_regex *regex = NULL;
        size_t at;
        int r = bao_regex_compile(bao_str_c(cases[i].pattern), &at, &regex);

        assert_true(r >= 0);
        r = r != 0 ? -r : bao_regex_match(regex, scratch, bao_str_c(cases[i].text));
        if (r != cases[i].match)
            fail_msg("/%s/ on %s: %d", cases[i].pattern, cases[i].text, r);
        bao_regex_free(regex);
    }
    bao_regex_scratch_free(scratch);
}

static void gives_up_on_what_costs_too_much(void **state)
{
    struct bao_regex_scratch *scratch = bao_regex_scratch_new();
    struct bao_regex *regex = NULL;
    size_t at;

    (void)state;
    assert_non_null(scratch);
    assert_int_equal(bao_regex_compile(BAO_STR("^(?=(a+)+$)b?"), &at, &regex), 0);
    assert_int_equal(
        bao_regex_match(regex, scratch, BAO_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")),
        -E2BIG);
    bao_regex_free(regex);
    bao_regex_scratch_free(scratch);
}

static void tells_where_a_pattern_goes_wrong(void **state)
{
    struct bao_regex *regex = NULL;
    size_t at = 0;

    (void)state;
    assert_int_equal(bao_regex_compile(BAO_STR("ab\\qc"), &at, &regex), BAO_REGEX_E_SYNTAX);
    assert_in_range(at, 2, 4);
    assert_int_equal(bao_regex_check(BAO_STR("(?<=a+)b"), &at), 0);
    assert_int_equal(bao_regex_check(BAO_STR("\\p{Nope}"), &at), BAO_REGEX_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_ecma_says),
        cmocka_unit_test(gives_up_on_what_costs_too_much),
        cmocka_unit_test(tells_where_a_pattern_goes_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
