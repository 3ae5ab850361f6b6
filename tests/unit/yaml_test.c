/* The YAML reader: the rules of forms.md section 3, in their order. */
#include "tests/unit/load_helper.h"

#include "lib/base/utf8.h"
#include "lib/doc/build.h"
#include "lib/text/catalogue.h"
#include "tests/unit/same_tree.h"

/* Rule 5: the YAML 1.2 core schema; rule 9: exact numbers. */
static void plain_scalars_follow_the_core_schema(void **state)
{
    static const struct accept table[] = {
        {"a:", "{\"a\":null}"},
        {"~", "null"},
        {"[null, Null, NULL, nULL]", "[null,null,null,\"nULL\"]"},
        {"[true, True, TRUE, tRUE, false, False, FALSE, fALSE]",
         "[true,true,true,\"tRUE\",false,false,false,\"fALSE\"]"},
        {"[yes, no, on, off, y, n, Yes, NO]", "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"Yes\",\"NO\"]"},
        {"[0, -0, +5, 007, -12]", "[0,0,5,7,-12]"},
        {"[0o17, 0x1F, 0xff, 0o8, 0x, 0xg, -0x1, 0b1]",
         "[15,31,255,\"0o8\",\"0x\",\"0xg\",\"-0x1\",\"0b1\"]"},
        {"[1.5, .5, 5., +.5, -1.e3, 1e3, 1E-2, 1e+2]", "[1.5,0.5,5,0.5,-1000,1000,0.01,100]"},
        {"[., e5, 1e, 1e+, .e5, -, +, 1.2.3, --1, 1.5e3.2]",
         "[\".\",\"e5\",\"1e\",\"1e+\",\".e5\",\"-\",\"+\",\"1.2.3\",\"--1\",\"1.5e3.2\"]"},
        {"[1_000, 1.000.000, 1:30, 2026-09-14, 2026-Q3, .infx, nan, inf]",
         "[\"1_000\",\"1.000.000\",\"1:30\",\"2026-09-14\",\"2026-Q3\",\".infx\",\"nan\",\"inf\"]"},
        {"a: 1,5", "{\"a\":\"1,5\"}"},
        {"1.000", "1"},
        {"[9223372036854775807, 9223372036854775808, -9223372036854775808, 0xffffffffffffffff, "
         "0x8000000000000000]",
         "[9223372036854775807,9223372036854775808,-9223372036854775808,18446744073709551615,"
         "9223372036854775808]"},
        {"[1e400, 1e-400, 0.1000, 1e6144]", "[1e+400,1e-400,0.1,1e+6144]"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_accept(&table[i], BAO_LOAD_PLAIN, BAO_FORMAT_YAML);
}

/* Rule 6: quotes, blocks and tags. */
static void quotes_blocks_and_tags_say_what_they_are(void **state)
{
    static const struct accept table[] = {
        {"[\"1\", 'true', \"null\", '', \"\"]", "[\"1\",\"true\",\"null\",\"\",\"\"]"},
        {"a: |\n  1\n  2\n", "{\"a\":\"1\\n2\\n\"}"},
        {"a: >-\n  1\n  2\n", "{\"a\":\"1 2\"}"},
        {"[!!str 1, !!str true, !!str , !!str ~]", "[\"1\",\"true\",\"\",\"~\"]"},
        {"[!!int \"5\", !!int 0x1f, !!float 5, !!float \"1.50\", !!bool \"true\", !!null \"\", !!null ~]",
         "[5,31,5,1.5,true,null,null]"},
        {"[! 12, ! true, ! \"x\"]", "[\"12\",\"true\",\"x\"]"},
        {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
        {"! [1]", "[1]"},
        {"!<tag:yaml.org,2002:str> 1", "\"1\""},
        {"%TAG !e! tag:yaml.org,2002:\n---\n!e!str 1", "\"1\""},
    };
    static const struct refuse bad[] = {
        {"a: !!int x", BAO_BC_TAG_MISMATCH, 1, 4, "!!int"},
        {"a: !!int 1.5", BAO_BC_TAG_MISMATCH, 1, 4, "!!int"},
        {"!!bool yes", BAO_BC_TAG_MISMATCH, 1, 1, "!!bool"},
        {"!!null x", BAO_BC_TAG_MISMATCH, 1, 1, "!!null"},
        {"!!float abc", BAO_BC_TAG_MISMATCH, 1, 1, "!!float"},
        {"!!seq {a: 1}", BAO_BC_TAG_MISMATCH, 1, 1, "!!seq"},
        {"!!map [1]", BAO_BC_TAG_MISMATCH, 1, 1, "!!map"},
        {"!!str [1]", BAO_BC_TAG_MISMATCH, 1, 1, "!!str"},
        {"!!int [1]", BAO_BC_TAG_MISMATCH, 1, 1, "!!int"},
        {"!!seq x", BAO_BC_TAG_MISMATCH, 1, 1, "!!seq"},
        {"a: !quan 5", BAO_BC_TAG_UNKNOWN, 1, 4, "!quan"},
        {"!!binary aGk=", BAO_BC_TAG_UNKNOWN, 1, 1, NULL},
        {"!!set {a}", BAO_BC_TAG_UNKNOWN, 1, 1, NULL},
        {"!!timestamp 2026-01-01", BAO_BC_TAG_UNKNOWN, 1, 1, NULL},
        {"a: !x!y 5", BAO_BC_TAG_UNKNOWN, 1, 4, "!x!y"},
        {"[.inf]", BAO_BC_NOT_FINITE, 1, 2, ".inf"},
        {"a: -.Inf", BAO_BC_NOT_FINITE, 1, 4, "-.Inf"},
        {".NaN", BAO_BC_NOT_FINITE, 1, 1, ".NaN"},
        {"+.INF", BAO_BC_NOT_FINITE, 1, 1, NULL},
        {"a: 1e6145", BAO_BC_NUMBER_RANGE, 1, 4, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_accept(&table[i], BAO_LOAD_PLAIN, BAO_FORMAT_YAML);
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        check_refuse(&bad[i], BAO_LOAD_PLAIN, BAO_FORMAT_YAML);
}

/* Rule 7: keys, aliases. */
static void keys_are_scalars_as_written(void **state)
{
    static const struct accept table[] = {
        {"true: 1\n1.0: 2\n0x1: 3\n\"\": 4\n'~': 5\n\"null\": 6\n",
         "{\"true\":1,\"1.0\":2,\"0x1\":3,\"\":4,\"~\":5,\"null\":6}"},
        {"\"<<\": 1", "{\"<<\":1}"},
        {"? a\n: 1\n? b\n", "{\"a\":1,\"b\":null}"},
        {"{a, b: 1}", "{\"a\":null,\"b\":1}"},
        {"!!str null: 1", "{\"null\":1}"},
        {"a: &x 1\n*x : 2", "{\"a\":1,\"1\":2}"},
        {"&k key: 1\nb: *k", "{\"key\":1,\"b\":\"key\"}"},
        {"a: &x [1, 2]\nb: *x\nc: {d: *x}", "{\"a\":[1,2],\"b\":[1,2],\"c\":{\"d\":[1,2]}}"},
        {"a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"- &x\n- *x", "[null,null]"},
        {"[a: 1, b]", "[{\"a\":1},\"b\"]"},
    };
    static const struct refuse bad[] = {
        {"a: 1\nb: 2\na: 3", BAO_BC_TWIN_KEY, 3, 1, "a"},
        {"{a: 1, \"a\": 2}", BAO_BC_TWIN_KEY, 1, 8, "a"},
        {"đ: 1\nx: {b: 1, đ: 2, b: 3}", BAO_BC_TWIN_KEY, 2, 17, "b"},
        {"~: 1", BAO_BC_NULL_KEY, 1, 1, NULL},
        {"null: 1", BAO_BC_NULL_KEY, 1, 1, NULL},
        {"a: 1\n: 2", BAO_BC_NULL_KEY, 2, 1, NULL},
        {"[1]: 2", BAO_BC_COLLECTION_KEY, 1, 1, NULL},
        {"a:\n  ? {b: 1}\n  : 2", BAO_BC_COLLECTION_KEY, 2, 5, NULL},
        {"a: &x [1]\n*x : 2", BAO_BC_COLLECTION_KEY, 2, 1, NULL},
        {"a: &x ~\n*x : 2", BAO_BC_NULL_KEY, 2, 1, NULL},
        {"a: &x {b: 1}\nc:\n  <<: *x", BAO_BC_MERGE_KEY, 3, 3, NULL},
        {"a: *x", BAO_BC_NO_ANCHOR, 1, 4, "x"},
        {"a: &x [1, *x]", BAO_BC_SELF_ALIAS, 1, 11, "x"},
        {"&a {b: [*a]}", BAO_BC_SELF_ALIAS, 1, 9, "a"},
        {"!!int x: 1", BAO_BC_TAG_MISMATCH, 1, 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_accept(&table[i], BAO_LOAD_PLAIN, BAO_FORMAT_YAML);
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        check_refuse(&bad[i], BAO_LOAD_PLAIN, BAO_FORMAT_YAML);
}

static void twins_name_both_lines(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, BAO_STR("x: 0\na: 1\nb: 2\na: 3"), BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_int_equal(l.r, BAO_LOAD_E_REFUSED);
    assert_true(bao_str_is(l.findings.items[0].args[1].vi, "2"));
    assert_true(bao_str_is(l.findings.items[0].args[2].vi, "4"));
    unload(&l);
}

/* Rules 1 and 4: JSON is recognised; one document. */
static void one_document_of_either_kind(void **state)
{
    static const struct accept table[] = {
        {"--- 1\n...\n", "1"},
        {"---\n", "null"},
        {"%YAML 1.2\n--- a\n", "\"a\""},
        {"%YAML 1.1\n--- yes\n", "\"yes\""},
        {"# x\n--- # y\na: 1 # z\n", "{\"a\":1}"},
        {"{a: 1, b: [x, y]}", "{\"a\":1,\"b\":[\"x\",\"y\"]}"},
        {"[1, 2,]", "[1,2]"},
        {"{\"a\":\"\\ud83d\\ude00\\/\"}", "{\"a\":\"😀/\"}"},
        {"{\"a\"\t:\t1}", "{\"a\":1}"},
        {" \n\t{\"a\": 1}", "{\"a\":1}"},
        {"\"a\" : 1", "{\"a\":1}"},
        {"[\"\x7f\"]", "[\"\x7f\"]"},
        {"{\"a\":{\"b\":[{\"c\":1}]}}", "{\"a\":{\"b\":[{\"c\":1}]}}"},
    };
    static const struct refuse bad[] = {
        {"", BAO_BC_NO_DOCUMENT, 1, 1, NULL},
        {"# only\n\n", BAO_BC_NO_DOCUMENT, 3, 1, NULL},
        {"a: 1\n---\nb: 2\n", BAO_BC_TWO_DOCUMENTS, 2, 1, NULL},
        {"--- 1\n--- 2\n", BAO_BC_TWO_DOCUMENTS, 2, 1, NULL},
        {"[1, 2", BAO_BC_JSON_END, 1, 6, NULL},
        {"{\"a\": [1, 2}", BAO_BC_JSON_COMMA, 1, 12, NULL},
        {"{a: 1", BAO_BC_JSON_KEY, 1, 2, NULL},
        {"{\"a\": 1, \"a\": 2}", BAO_BC_TWIN_KEY, 1, 10, "a"},
        {"{a: [1, b: {c: 2}", BAO_BC_YAML_BRACKET, 1, 5, "["},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_accept(&table[i], BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        check_refuse(&bad[i], BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
}

/* Rule 3: encodings. */
static void encodings_are_told_apart(void **state)
{
    static const char big[] = "\xfe\xff\x00\x61\x00\x3a\x00\x20\x01\x10\xd8\x3d\xde\x00\x00\x0a";
    static const char little[] = "\xff\xfe\x61\x00\x3a\x00\x20\x00\x10\x01\x3d\xd8\x00\xde\x0a\x00";
    static const char half[] = "\xff\xfe\x61\x00\x3a\x00\x20\x00\x3d\xd8\x62\x00",
                      odd[] = "\xff\xfe\x61\x00\x3a";
    static const struct refuse bad[] = {
        {"a: \xb8\xb8", BAO_BC_NOT_UTF8, 1, 4, "B8"}, {"ten: x\nđơn: Bu\xabn\n", BAO_BC_NOT_UTF8, 2, 8, "AB"},
        {"a\xc0\x80", BAO_BC_NOT_UTF8, 1, 2, "C0"},   {"a: \xed\xa0\x80", BAO_BC_NOT_UTF8, 1, 4, "ED"},
        {"a: b\x01", BAO_BC_CONTROL, 1, 5, NULL},     {"đ: \x7f", BAO_BC_CONTROL, 1, 4, NULL},
    };
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        load(&l, (struct bao_str){i == 0 ? big : little, sizeof(big) - 1}, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
        assert_int_equal(l.r, 0);
        assert_string_equal(json_of(&l), "{\"a\":\"Đ😀\"}");
        assert_int_equal(l.doc.root.members[0].value.offset, 3);
        unload(&l);
    }
    load(&l, (struct bao_str){half, sizeof(half) - 1}, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_int_equal(l.findings.items[0].code, BAO_BC_NOT_UTF16);
    unload(&l);
    load(&l, (struct bao_str){odd, sizeof(odd) - 1}, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_int_equal(l.findings.items[0].code, BAO_BC_NOT_UTF16);
    unload(&l);
    load(&l, BAO_STR("a\0:\0 \0001\0"), BAO_LOAD_REPORT, BAO_FORMAT_GUESS); /* no mark */
    assert_int_equal(l.findings.items[0].code, BAO_BC_NOT_UTF16);
    unload(&l);
    load(&l, BAO_STR("a: \0b"), BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
    assert_int_equal(l.findings.items[0].code, BAO_BC_CONTROL);
    unload(&l);
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        check_refuse(&bad[i], BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
}

/* Rule 8: surrogates in escapes; NUL kept by load, no controls in a report. */
static void halves_of_characters_are_joined(void **state)
{
    static const struct accept table[] = {
        {"a: \"\\ud83d\\ude00\"", "{\"a\":\"😀\"}"},
        {"- \"\xef\xbf\xbd\\ud83d\\ude00\\ufffd\\U0000fffd\\uD83D\\uDE01\"",
         "[\"\xef\xbf\xbd😀\xef\xbf\xbd\xef\xbf\xbd😁\"]"},
        {"- \"\\\\ud83d\"\n- '\\ud83d'\n- \\ud83d \\ufffd\n- |\n  \\ude00\n",
         "[\"\\\\ud83d\",\"\\\\ud83d\",\"\\\\ud83d \\\\ufffd\",\"\\\\ude00\\n\"]"},
        {"\"\\ud83d\\ude00\": \"x\\\\\\ud83d\\ude00\"", "{\"😀\":\"x\\\\😀\"}"},
        {"- '\\ufffd \\ud83d'", "[\"\\\\ufffd \\\\ud83d\"]"},
        {"a: \"\\0 \\x01\"", "{\"a\":\"\\u0000 \\u0001\"}"},
    };
    static const struct refuse bad[] = {
        {"a: \"x\\ud83d\"", BAO_BC_SURROGATE, 1, 6, NULL},
        {"a: \"\\ude00\\ud83d\"", BAO_BC_SURROGATE, 1, 5, NULL},
        {"a: \"\\ud83d \\ude00\"", BAO_BC_SURROGATE, 1, 5, NULL},
        {"\"\\ud83d\": 1", BAO_BC_SURROGATE, 1, 2, NULL},
    };
    static const struct refuse report[] = {
        {"a: \"\\0\"", BAO_BC_CONTROL, 1, 4, NULL},      {"a: \"\\e\"", BAO_BC_CONTROL, 1, 4, NULL},
        {"\"\\x01\": 1", BAO_BC_CONTROL, 1, 1, NULL},    {"{\"a\":\"\\u0000\"}", BAO_BC_CONTROL, 1, 6, NULL},
        {"{\"\\u001f\":1}", BAO_BC_CONTROL, 1, 2, NULL},
    };
    static const struct accept fine = {"a: \"\\t\\r\\n\"", "{\"a\":\"\\t\\r\\n\"}"};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_accept(&table[i], BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        check_refuse(&bad[i], BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
    for (size_t i = 0; i < BAO_COUNT(report); i++)
        check_refuse(&report[i], BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    check_accept(&fine, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
}

/* Rule 11: the Vietnamese thousand and the decimal comma. */
static void vietnamese_figures_are_asked_back(void **state)
{
    static const struct refuse bad[] = {
        {"a: 1.000", BAO_BC_THOUSAND, 1, 4, "1.000"},
        {"a: -12.500", BAO_BC_THOUSAND, 1, 4, "-12.500"},
        {"[+999.123]", BAO_BC_THOUSAND, 1, 2, "+999.123"},
        {"{a: 38,5}", BAO_BC_DECIMAL_COMMA, 1, 5, "38,5"},
        {"x: {b: 1, a: -3,25, c: 2}", BAO_BC_DECIMAL_COMMA, 1, 14, "-3,25"},
    };
    static const struct accept good[] = {
        {"[1.0, 0.500, 1.0000, 1000, 1234.500, 1.00, 01.000, 1.000e0, \"1.000\"]",
         "[1,0.5,1,1000,1234.5,1,1,1,\"1.000\"]"},
        {"{a: 38, 5: }", "{\"a\":38,\"5\":null}"},
        {"{a: 38,5: 1}", "{\"a\":38,\"5\":1}"},
        {"{a: x,5}", "{\"a\":\"x\",\"5\":null}"},
        {"[38,5]", "[38,5]"},
    };
    static const struct accept json = {"{\"a\": 1.000}", "{\"a\":1}"},
                               plain = {"{a: 1.000, b: 38,5}", "{\"a\":1,\"b\":38,\"5\":null}"};
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        check_refuse(&bad[i], BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    for (size_t i = 0; i < BAO_COUNT(good); i++)
        check_accept(&good[i], BAO_LOAD_REPORT, BAO_FORMAT_YAML);
    check_accept(&json, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    check_accept(&plain, BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
    load(&l, BAO_STR("a: 1.500"), BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_true(bao_str_is(l.findings.items[0].args[1].vi, "1500"));
    assert_true(bao_str_is(l.findings.items[0].args[2].vi, "1.5"));
    unload(&l);
    load(&l, BAO_STR("a: 1.234"), BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_true(bao_str_is(l.findings.items[0].args[2].vi, "1.2340"));
    unload(&l);
}

static void assert_taken(const char *text)
{
    struct loaded l;

    load(&l, bao_str_c(text), BAO_LOAD_REPORT, BAO_FORMAT_YAML);
    assert_int_equal(l.r, 0);
    unload(&l);
}

/* libyaml takes no name of more than 1,024 characters, wherever the line stands. */
static void a_name_too_long_is_told_as_that(void **state)
{
    static const struct {
        const char *before, *letter, *after;
        unsigned n, line, column; /* line 0: taken */
    } table[] = {{"", "k", ": 1\nb: 2\n", 1025, 1, 1},
                 {"a: 1\n", "k", ": 1\nb: 2\n", 1025, 2, 1},
                 {"a:\n  - b: 1\n    ", "ă", ": 1\n", 1025, 3, 5},
                 {"a:\n  - ", "ă", ": 1\n", 1025, 2, 5},
                 {"{", "k", ": 1}\n", 1025, 1, 2},
                 {"a: {", "k", ": 1, b: 2}\n", 1025, 1, 5},
                 {"a: {b: [1, 2], ", "ă", ": 1}\n", 1025, 1, 16},
                 {"a: 1\n", "k", ": 1\n", 1024, 0, 0},
                 {"", "ă", ": 1\n", 1024, 0, 0},
                 {"a: ", "k", "\n", 3000, 0, 0}};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        struct bao_buf text = BAO_BUF_NULL(1 << 14);
        struct refuse refuse = {
            .code = BAO_BC_YAML_LONG_KEY, .line = table[i].line, .column = table[i].column, .arg = "1024"};

        assert_int_equal(bao_buf_append(&text, table[i].before, strlen(table[i].before)), 0);
        for (unsigned k = 0; k < table[i].n; k++)
            assert_int_equal(bao_buf_append(&text, table[i].letter, strlen(table[i].letter)), 0);
        assert_int_equal(bao_buf_append(&text, table[i].after, strlen(table[i].after) + 1), 0);
        refuse.text = bao_buf_data(&text);
        if (table[i].line != 0)
            check_refuse(&refuse, BAO_LOAD_REPORT, BAO_FORMAT_YAML);
        else
            assert_taken(refuse.text);
        bao_buf_deinit(&text);
    }
}

/* What clerks type wrong, and what they are told. */
static void common_slips_have_their_own_sentence(void **state)
{
    static const struct refuse table[] = {
        {"a:\n\tb: 1", BAO_BC_YAML_TAB, 2, 1, NULL},
        {"x: [a:,b]", BAO_BC_YAML_COLON_SPACE, 1, 6, "x: [a:,b]"},
        {"a:\u00a01\nb: 2", BAO_BC_YAML_SPACE, 1, 3, NULL},
        {"data:\n\u00a0\u00a0a: 1\n", BAO_BC_YAML_SPACE, 2, 1, NULL},
        {"PK\3\4\n\n", BAO_BC_OTHER_FILE, 1, 1, "Word, Excel (docx, xlsx, zip)"},
        {"\xd0\xcf\x11\xe0\xa1", BAO_BC_OTHER_FILE, 1, 1, "Word, Excel (doc, xls)"},
        {"%PDF-1.4\n1 0 obj\n", BAO_BC_OTHER_FILE, 1, 1, "PDF"},
        {"{\\rtf1\\ansi a}", BAO_BC_OTHER_FILE, 1, 1, "Word (rtf)"},
        {"%YAML 1.2\nabc", BAO_BC_YAML_DIRECTIVE, 1, 1, NULL},
        {"a: [b\n- c\n", BAO_BC_YAML_BRACKET, 1, 4, "["},
        {"a:\n  - b\n   c: 1", BAO_BC_YAML_INDENT, 3, 4, NULL},
        {"ten:Xã A\nb: 1", BAO_BC_YAML_COLON_SPACE, 1, 4, "ten:Xã A"},
        {"a: 1\ngiao：5\nb: 2", BAO_BC_YAML_WIDE_COLON, 2, 5, "giao"},
        {"giao ： 5\nb: 2", BAO_BC_YAML_WIDE_COLON, 1, 6, "giao"},
        {"data:\n  họp：10:30\n  b: 1", BAO_BC_YAML_WIDE_COLON, 2, 6, "họp"},
        {"data:\n  a: 1\n  b：\n", BAO_BC_YAML_WIDE_COLON, 3, 4, "b"},
        {"a: 1\ngiờ:10：30\nb: 1", BAO_BC_YAML_COLON_SPACE, 2, 4, "giờ:10：30"},
        {"Báo cáo quý\n\nform: x", BAO_BC_YAML_NO_COLON, 1, 1, "Báo cáo quý"},
        {"data:\n  ten:Xã A\n  b: 1", BAO_BC_YAML_COLON_SPACE, 2, 6, "ten:Xã A"},
        {"data:\n  # ghi chú\n  ten Xã\n  b: 1", BAO_BC_YAML_NO_COLON, 3, 3, "ten Xã"},
        {"a: 1\n}\n", BAO_BC_YAML_SPECIAL, 2, 1, "}"},
        {"form: x\nunit \"24133\"\nperiod: 2026-Q3", BAO_BC_YAML_NO_COLON, 2, 1, "unit \"24133\""},
        {"form: x\nunit:24133\nperiod: 2026-Q3", BAO_BC_YAML_COLON_SPACE, 2, 5, "unit:24133"},
        {"ten: \"Buôn Ma\nunit: 1\n", BAO_BC_YAML_QUOTE, 1, 6, NULL},
        {"ten: 'Buôn", BAO_BC_YAML_QUOTE, 1, 6, NULL},
        {"a: 1\n b: 2", BAO_BC_YAML_INDENT, 2, 2, NULL},
        {"a:\n  b: 1\n c: 2", BAO_BC_YAML_INDENT, 3, 2, NULL},
        {"a: @x", BAO_BC_YAML_SPECIAL, 1, 4, "@"},
        {"a: `x`", BAO_BC_YAML_SPECIAL, 1, 4, "`"},
        {"a: %5", BAO_BC_YAML_SPECIAL, 1, 4, "%"},
        {"a: *", BAO_BC_YAML_SPECIAL, 1, 4, "*"},
        {"a: * ghi chú", BAO_BC_YAML_SPECIAL, 1, 4, "*"},
        {"a: &", BAO_BC_YAML_SPECIAL, 1, 4, "&"},
        {"a: ]", BAO_BC_YAML_SPECIAL, 1, 4, "]"},
        {"a: , b", BAO_BC_YAML_SPECIAL, 1, 4, ","},
        {"a: [1, 2\n", BAO_BC_YAML_BRACKET, 1, 4, "["},
        {"a: {b: 1", BAO_BC_YAML_BRACKET, 1, 4, "{"},
        {"a: [1, 2\nb: 3\n", BAO_BC_YAML_FLOW, 2, 2, "1"},
        {"a: {b: 1 c: 2}", BAO_BC_YAML_FLOW, 1, 11, "1"},
        {"a: \"C:\\Users\"", BAO_BC_YAML_ESCAPE, 1, 7, NULL},
        {"a: \"\\xg\"", BAO_BC_YAML_ESCAPE, 1, 5, NULL},
        {"ten: Báo cáo: quý 3", BAO_BC_YAML_TWO_COLONS, 1, 6, "Báo cáo: quý 3"},
        {"ten: \"Báo\" cáo", BAO_BC_YAML_AFTER_QUOTE, 1, 12, NULL},
        {"a: [1] x", BAO_BC_YAML_AFTER_QUOTE, 1, 8, NULL},
        {"a: - b", BAO_BC_YAML_LIST_INLINE, 1, 4, NULL},
        {"a: > 5 triệu", BAO_BC_YAML_BLOCK, 1, 4, ">"},
        {"a: | x", BAO_BC_YAML_BLOCK, 1, 4, "|"},
        {"%abc\n", BAO_BC_YAML_DIRECTIVE, 1, 1, NULL},
        {"%YAML 3.0\n---\n1", BAO_BC_YAML_DIRECTIVE, 1, 1, NULL},
        {"- a\nb: 1", BAO_BC_YAML_DASH, 2, 1, NULL},
        {"a: 1\n- b", BAO_BC_YAML_INDENT, 2, 1, NULL},
        {"a: !\"x\"", BAO_BC_YAML_SPECIAL, 1, 4, "!"},
        {"a: |\n\tx", BAO_BC_YAML_TAB, 2, 1, NULL},
        {"\"x\"\ny: 1", BAO_BC_YAML_AFTER_QUOTE, 2, 1, NULL},
        {"{a: 1}\nb: 2", BAO_BC_YAML_AFTER_QUOTE, 2, 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_refuse(&table[i], BAO_LOAD_REPORT, BAO_FORMAT_YAML);
}

/* A document by the reader of plain YAML: its answer; what it takes, libyaml reads the very same. */
static int read_plain(const char *text)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_loading l = {.arena = &arena,
                            .text = bao_str_c(text),
                            .mode = BAO_LOAD_REPORT,
                            .limits = BAO_LOAD_LIMITS_DEFAULT,
                            .findings = &findings};
    struct bao_doc plain, whole;
    int r;

    bao_findings_init(&findings, &arena, 4);
    r = bao_yaml_read_plain(&l, &plain);
    assert_int_equal(findings.n, 0);
    if (r == 0) {
        assert_int_equal(bao_yaml_read(&l, &whole), 0);
        assert_int_equal(plain.n_nodes, whole.n_nodes);
        if (!same_tree(&plain.root, &whole.root))
            print_error("not the same: %s\n", text);
        assert_true(same_tree(&plain.root, &whole.root));
    }
    bao_arena_deinit(&arena);
    return r;
}

static void plain_yaml_is_read_as_libyaml_reads_it(void **state)
{
    static const char *const plain[] = {
        "a: 1",
        "a: 1\n",
        "a: 1\r\nb:\r\n  c: x y  \r\n  d:\r\n",
        "# c\n\n  a: 1   # c\n  # c\n\n  b: c#d e:f http://x.vn/?a=1#b  # x: y\n",
        "a:\nb: ~\nc: null # x\nd: NULL\ne: True\nf: false\ng: # only this\n",
        "a: -5\nb: +5\nc: 1.5\nd: 1,5\ne: 0x1F\nf: 0o17\ng: 1e400\nh: .5\ni: 5.\nj: 2026-Q3\nk: -.5\nl: "
        "12.3456",
        "a: \"x: # '[y\"\nb: 'x \"\\ y' # c\nc: \"\"\nd: ''\ne: 'Phường Tân An'\n",
        "ten: Tổ hỗ trợ – “nộp” hồ sơ…\nb: đ\n",
        "a:\n- 1\n- b\n-\n- # none\nb:\n  - c: 1\n    d:\n    - 2\n    e: 3\n  -\n    f: 1\n  -\n    - 1\nc: "
        "2\n",
        "- a\n- b: 1\n  c: 2\n-   d: x\n    e: y\n- 'q' \n- \"r\"\n-\n",
        "a:\n  b:\n    c:\n   \n# x\n      d: 1\ne: 2",
        "12: x\n1.2: y\na-b_c.d: z\n",
        "a: <b\nb: =c\nc: (d)\ne: /f\ng: ~h\ni: _j\nk: ...",
    };
    static const char *const other[] = {
        "",
        "\n# x\n",
        "a",
        "a: [1]",
        "a: {b: 1}",
        "a: |\n  b\n",
        "a: >\n  b",
        "a: b\n  c",
        "a:\n  b",
        "a: 1\n b: 2",
        "a:\n  b: 1\n c: 2",
        "a: \"\\n\"",
        "a: 'it''s'",
        "a: \"b\n  c\"",
        "a: \"b\" c",
        "a: \"b\"#c",
        "a: &b c",
        "a: *b",
        "a: !!str b",
        "? a\n: b",
        "a : 1",
        "\"a\": 1",
        "a: b: c",
        "a: b:",
        "a: 1\na: 2",
        "null: 1",
        "~: 1",
        "<<: 1",
        "a:\tb",
        "---\na: 1",
        "a: 1\n---\n",
        "a: 1\n...",
        "%YAML 1.2\n---\na: 1",
        "a: 1\rb: 2",
        "- - 1",
        "a:\n  - b\n  c: 1",
        "- a\nb: 1",
        "a: 1.000",
        "a: .inf",
        "a: 1e9999",
        "a: b\u00a0",
        "a: b\u2028c",
        "a: b\xc2\x85 c",
        "a: b\ufeff",
        "á: 1",
        "a: - b",
        "a: @b",
        "a: %b",
        "a: ?",
        "a: ,b",
        "a: \x01",
        "a: \x7f",
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(plain); i++) {
        if (read_plain(plain[i]) != 0)
            print_error("not taken as plain: %s\n", plain[i]);
        assert_int_equal(read_plain(plain[i]), 0);
    }
    for (size_t i = 0; i < BAO_COUNT(other); i++) {
        if (read_plain(other[i]) != BAO_YAML_E_NOT_PLAIN)
            print_error("taken as plain: %s\n", other[i]);
        assert_int_equal(read_plain(other[i]), BAO_YAML_E_NOT_PLAIN);
    }
}

/* Every prefix of a report, and each with one octet changed: most are faults, and none is read differently.
 */
static void plain_yaml_is_told_from_all_else(void **state)
{
    static const char report[] =
        "form: a-b # c\nunit: \"24\"\ndata:\n  x:\n  - k: 1\n    t: Tổ 'a'\n  - -2.5\n"
        "  y:\n    z: 'q'\r\n\n    w:\nv: true";
    static const char octets[] = "\n :-#\"'[]{},?&*!|>%@`\\.~0a\t\r";
    char text[sizeof(report)];

    (void)state;
    assert_int_equal(read_plain(report), 0);
    for (size_t n = 0; n < sizeof(report); n++) {
        memcpy(text, report, sizeof(report));
        text[n] = '\0';
        if (bao_utf8_valid(bao_str_c(text)) == strlen(text))
            (void)read_plain(text);
        for (size_t i = 0; n + 1 < sizeof(report) && i < sizeof(octets) - 1; i++) {
            text[n] = octets[i];
            if (bao_utf8_valid(bao_str_c(text)) == strlen(text))
                (void)read_plain(text);
        }
    }
}

static void knows_every_place(void **state)
{
    struct bao_str text = BAO_STR("# đầu\r\nđơn vị: \"Đắk\"\nlist:\n  - é 😀\n  - {a: 1, ộ: [x, y]}\n  - |\n  "
                                  "  block\nend: &a !!str 5\nref: *a\n");
    const struct bao_member *m;
    const struct bao_node *n;
    struct loaded l;

    (void)state;
    load(&l, text, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_int_equal(l.r, 0);
    assert_false(l.doc.is_json);
    assert_int_equal(l.doc.root.line, 2);
    m = &l.doc.root.members[0];
    assert_int_equal(m->line, 2);
    assert_int_equal(m->column, 1);
    assert_int_equal(m->extent, strlen("đơn vị"));
    assert_int_equal(m->value.column, 9);
    assert_int_equal(m->value.extent, strlen("\"Đắk\""));
    assert_true(memcmp(text.p + m->value.offset, "\"Đắk\"", m->value.extent) == 0);
    n = bao_node_get(&l.doc.root, "list");
    assert_int_equal(n->line, 4);
    assert_int_equal(n->column, 3);
    assert_int_equal(n->items[0].column, 5);
    assert_int_equal(n->items[0].extent, strlen("é 😀"));
    assert_int_equal(n->items[1].column, 5);
    assert_int_equal(n->items[1].extent, strlen("{a: 1, ộ: [x, y]}"));
    m = &n->items[1].members[1];
    assert_int_equal(m->column, 12);
    assert_int_equal(m->value.items[1].column, 19);
    assert_int_equal(n->items[2].line, 6);
    n = bao_node_get(&l.doc.root, "end");
    assert_int_equal(n->line, 8);
    assert_int_equal(n->column, 6);
    n = bao_node_get(&l.doc.root, "ref");
    assert_int_equal(n->line, 9);
    assert_int_equal(n->style & BAO_STYLE_ALIAS, BAO_STYLE_ALIAS);
    assert_true(l.doc.root.offset + l.doc.root.extent <= text.n);
    unload(&l);
}

/* Rule 2. */
static void keeps_its_limits(void **state)
{
    struct bao_load_options options = {
        BAO_LOAD_PLAIN,
        BAO_FORMAT_YAML,
        {.octets = 1000, .depth = 3, .nodes = 8, .scalar = 8, .key = 4, .aliases = 2, .tag_directives = 2}};
    static const struct refuse table[] = {
        {"[[[[x]]]]", BAO_BC_DEPTH, 1, 4, "3"},
        {"a:\n b:\n  c:\n   d: 1", BAO_BC_DEPTH, 4, 4, "3"},
        {"[1,2,3,4,5,6,7,8]", BAO_BC_NODES, 1, 16, "8"},
        {"a: 123456789", BAO_BC_SCALAR_LONG, 1, 4, "8"},
        {"a: \"123456789\"", BAO_BC_SCALAR_LONG, 1, 4, "8"},
        {"12345: 1", BAO_BC_KEY_LONG, 1, 1, "4"},
        {"[&a 1, *a, *a, *a]", BAO_BC_ALIASES, 1, 16, "2"},
        {"[&a [1, 2, 3], *a]", BAO_BC_NODES, 1, 16, "8"},
        {"- &a [[1]]\n- [*a]", BAO_BC_DEPTH, 2, 4, "3"},
        {"%TAG !a! x\n%TAG !b! x\n%TAG !c! x\n---\n1", BAO_BC_TAG_DIRECTIVES, 3, 1, "2"},
    };
    static const char *const fine[] = {"[[[x]]]",
                                       "[1,2,3,4,5,6,7]",
                                       "[&a [1, 2], *a]",
                                       "[&a 1, *a, *a]",
                                       "a: 12345678",
                                       "1234: 1",
                                       "%TAG !a! x\n%TAG !b! x\n---\n1"};
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        load_with(&l, bao_str_c(table[i].text), &options);
        check_finding(&l, &table[i]);
        unload(&l);
    }
    for (size_t i = 0; i < BAO_COUNT(fine); i++) {
        load_with(&l, bao_str_c(fine[i]), &options);
        if (l.r != 0)
            print_error("refused: %s\n", fine[i]);
        assert_int_equal(l.r, 0);
        unload(&l);
    }
}

static void repeated(char *room, size_t n, const char *piece)
{
    for (size_t i = 0; i < n; i++)
        memcpy(room + i * strlen(piece), piece, strlen(piece));
    room[n * strlen(piece)] = '\0';
}

static void hostile_shapes_end_soon(void **state)
{
    static const struct {
        const char *piece;
        size_t n;
        unsigned code;
    } table[] = {
        {"[", 250000, BAO_BC_DEPTH},    {"- ", 125000, BAO_BC_DEPTH},
        {"{a: ", 100000, BAO_BC_DEPTH}, {"? ", 100000, BAO_BC_COLLECTION_KEY},
        {"[a: ", 100000, BAO_BC_DEPTH}, {"%TAG !a! x\n", 100000, BAO_BC_TAG_DIRECTIVES},
    };
    char *room = malloc(2000000);
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        repeated(room, table[i].n, table[i].piece);
        load(&l, bao_str_c(room), BAO_LOAD_REPORT, BAO_FORMAT_YAML);
        assert_int_equal(l.r, BAO_LOAD_E_REFUSED);
        assert_int_equal(l.findings.items[0].code, table[i].code);
        unload(&l);
    }
    /* Laughs by the billion. */
    load(&l,
         BAO_STR("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
                 "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: "
                 "[*e,*e,*e,*e,*e,*e]\n"),
         BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_int_equal(l.findings.items[0].code, BAO_BC_NODES);
    unload(&l);
    free(room);
}

static void lack_of_memory_is_no_verdict(void **state)
{
    static const char text[] =
        "a: &x [1, 2.5, \"x\\n\\ud83d\\ude00\"]\nb: *x\nc: {a long enough key: [[], {}]}\nđ: .5\n";
    size_t cap = 64;
    int r;

    (void)state;
    do {
        struct bao_arena a = BAO_ARENA_NULL(cap);
        struct bao_findings f;
        struct bao_doc doc;

        bao_findings_init(&f, &a, 1);
        r = bao_load(&a, bao_str_c(text),
                     &(struct bao_load_options){BAO_LOAD_REPORT, BAO_FORMAT_GUESS, BAO_LOAD_LIMITS_DEFAULT},
                     &f, &doc);
        assert_true(r == 0 || r == -ENOMEM);
        bao_arena_deinit(&a);
        cap += 16;
    } while (r != 0);
    assert_true(cap > 200);
}

/* The enum in codes.h and the catalogue are written by hand: they must name the same numbers. */
static void every_code_has_its_sentence(void **state)
{
    static const unsigned codes[] = {
        BAO_BC_PARSE,
        BAO_BC_TOO_LARGE,
        BAO_BC_NO_DOCUMENT,
        BAO_BC_TWO_DOCUMENTS,
        BAO_BC_NOT_UTF8,
        BAO_BC_NOT_UTF16,
        BAO_BC_CONTROL,
        BAO_BC_DEPTH,
        BAO_BC_NODES,
        BAO_BC_SCALAR_LONG,
        BAO_BC_KEY_LONG,
        BAO_BC_ALIASES,
        BAO_BC_TAG_DIRECTIVES,
        BAO_BC_OTHER_FILE,
        BAO_BC_TWIN_KEY,
        BAO_BC_NULL_KEY,
        BAO_BC_COLLECTION_KEY,
        BAO_BC_MERGE_KEY,
        BAO_BC_NO_ANCHOR,
        BAO_BC_SELF_ALIAS,
        BAO_BC_TAG_UNKNOWN,
        BAO_BC_TAG_MISMATCH,
        BAO_BC_NUMBER_RANGE,
        BAO_BC_NOT_FINITE,
        BAO_BC_SURROGATE,
        BAO_BC_THOUSAND,
        BAO_BC_DECIMAL_COMMA,
        BAO_BC_JSON_VALUE,
        BAO_BC_JSON_QUOTE,
        BAO_BC_JSON_ESCAPE,
        BAO_BC_JSON_CONTROL,
        BAO_BC_JSON_NUMBER,
        BAO_BC_JSON_COMMA,
        BAO_BC_JSON_LAST_COMMA,
        BAO_BC_JSON_COLON,
        BAO_BC_JSON_KEY,
        BAO_BC_JSON_END,
        BAO_BC_JSON_AFTER,
        BAO_BC_YAML_TAB,
        BAO_BC_YAML_NO_COLON,
        BAO_BC_YAML_COLON_SPACE,
        BAO_BC_YAML_QUOTE,
        BAO_BC_YAML_INDENT,
        BAO_BC_YAML_SPECIAL,
        BAO_BC_YAML_BRACKET,
        BAO_BC_YAML_FLOW,
        BAO_BC_YAML_ESCAPE,
        BAO_BC_YAML_TWO_COLONS,
        BAO_BC_YAML_AFTER_QUOTE,
        BAO_BC_YAML_LIST_INLINE,
        BAO_BC_YAML_BLOCK,
        BAO_BC_YAML_DIRECTIVE,
        BAO_BC_YAML_DASH,
        BAO_BC_YAML_SPACE,
        BAO_BC_YAML_WIDE_COLON,
        BAO_BC_YAML_LONG_KEY,
    };
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(codes); i++) {
        const struct bao_message *m = bao_message_get(codes[i]);

        assert_non_null(m);
        assert_true(m->sentence[BAO_VI][0] != '\0' && m->sentence[BAO_EN][0] != '\0');
        assert_true(m->mend[BAO_VI][0] != '\0' && m->mend[BAO_EN][0] != '\0');
    }
    for (unsigned code = 1001; code < 2000; code++)
        n += bao_message_get(code) != NULL;
    assert_int_equal(n, BAO_COUNT(codes));
#define BAO_MESSAGE(number, name, vi, en, mend_vi, mend_en) assert_int_equal(BAO_BC_##name, number);
#include "lib/text/messages_doc.inc"
#undef BAO_MESSAGE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_follow_the_core_schema),
        cmocka_unit_test(quotes_blocks_and_tags_say_what_they_are),
        cmocka_unit_test(keys_are_scalars_as_written),
        cmocka_unit_test(twins_name_both_lines),
        cmocka_unit_test(one_document_of_either_kind),
        cmocka_unit_test(encodings_are_told_apart),
        cmocka_unit_test(halves_of_characters_are_joined),
        cmocka_unit_test(vietnamese_figures_are_asked_back),
        cmocka_unit_test(a_name_too_long_is_told_as_that),
        cmocka_unit_test(common_slips_have_their_own_sentence),
        cmocka_unit_test(plain_yaml_is_read_as_libyaml_reads_it),
        cmocka_unit_test(plain_yaml_is_told_from_all_else),
        cmocka_unit_test(knows_every_place),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(hostile_shapes_end_soon),
        cmocka_unit_test(lack_of_memory_is_no_verdict),
        cmocka_unit_test(every_code_has_its_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
