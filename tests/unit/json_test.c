/* The strict JSON reader: RFC 8259, places, limits. */
#include "tests/unit/load_helper.h"

static void takes_what_json_allows(void **state)
{
    static const struct accept table[] = {
        {"null", "null"},
        {" true ", "true"},
        {"false\n", "false"},
        {"0", "0"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"-12", "-12"},
        {"1.0", "1"},
        {"1e2", "100"},
        {"1E+2", "100"},
        {"12.50", "12.5"},
        {"1e400", "1e+400"},
        {"-1.5e-3", "-0.0015"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "9223372036854775808"},
        {"123456789012345678", "123456789012345678"},
        {"1234567890123456789", "1234567890123456789"},
        {"\"\"", "\"\""},
        {"\"abc\"", "\"abc\""},
        {"\"Đắk Lắk\"", "\"Đắk Lắk\""},
        {"\"\x7f\"", "\"\x7f\""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u00e9\\u1EAF\"", "\"éắ\""},
        {"\"\\ud83d\\ude00!\"", "\"😀!\""},
        {"\"a\\u0000b\"", "\"a\\u0000b\""},
        {"\"12345678901234567890123\\n\"", "\"12345678901234567890123\\n\""},
        {"[]", "[]"},
        {"[ ]", "[]"},
        {"{}", "{}"},
        {"{ }", "{}"},
        {"[1,[2,[3]],{}]", "[1,[2,[3]],{}]"},
        {"{\"a\":1,\"b\":{\"c\":[true,null]},\"\":0}", "{\"a\":1,\"b\":{\"c\":[true,null]},\"\":0}"},
        {"\xef\xbb\xbf{\"a\":1}", "{\"a\":1}"},
        {"[1\t,\r\n2\r]", "[1,2]"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_accept(&table[i], BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
}

static void refuses_all_else(void **state)
{
    static const struct refuse table[] = {
        {"", BAO_BC_JSON_END, 1, 1, NULL},
        {"  ", BAO_BC_JSON_END, 1, 3, NULL},
        {"nul", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"True", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"NaN", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"'a'", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"+1", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"-", BAO_BC_JSON_NUMBER, 1, 1, NULL},
        {"01", BAO_BC_JSON_NUMBER, 1, 1, NULL},
        {"-01", BAO_BC_JSON_NUMBER, 1, 1, NULL},
        {"1.", BAO_BC_JSON_NUMBER, 1, 1, NULL},
        {".5", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"1e", BAO_BC_JSON_NUMBER, 1, 1, NULL},
        {"1e+", BAO_BC_JSON_NUMBER, 1, 1, NULL},
        {"0x1", BAO_BC_JSON_AFTER, 1, 2, NULL},
        {"1 2", BAO_BC_JSON_AFTER, 1, 3, NULL},
        {"{} x", BAO_BC_JSON_AFTER, 1, 4, NULL},
        {"[1", BAO_BC_JSON_END, 1, 3, NULL},
        {"[1,]", BAO_BC_JSON_LAST_COMMA, 1, 4, NULL},
        {"[,1]", BAO_BC_JSON_VALUE, 1, 2, NULL},
        {"[1 2]", BAO_BC_JSON_COMMA, 1, 4, NULL},
        {"{\"a\":1,}", BAO_BC_JSON_LAST_COMMA, 1, 8, NULL},
        {"{a:1}", BAO_BC_JSON_KEY, 1, 2, NULL},
        {"{1:1}", BAO_BC_JSON_KEY, 1, 2, NULL},
        {"{\"a\" 1}", BAO_BC_JSON_COLON, 1, 6, NULL},
        {"{\"a\":}", BAO_BC_JSON_VALUE, 1, 6, NULL},
        {"{\"a\":1 \"b\":2}", BAO_BC_JSON_COMMA, 1, 8, NULL},
        {"{\"a\"", BAO_BC_JSON_END, 1, 5, NULL},
        {"{\"a\":", BAO_BC_JSON_END, 1, 6, NULL},
        {"{", BAO_BC_JSON_END, 1, 2, NULL},
        {"]", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"[1}", BAO_BC_JSON_COMMA, 1, 3, NULL},
        {"\"abc", BAO_BC_JSON_QUOTE, 1, 1, NULL},
        {"[\"é\", \"abc]", BAO_BC_JSON_QUOTE, 1, 7, NULL},
        {"\"a\\\"", BAO_BC_JSON_QUOTE, 1, 1, NULL},
        {"\"a\\", BAO_BC_JSON_ESCAPE, 1, 3, NULL},
        {"\"a\\x\"", BAO_BC_JSON_ESCAPE, 1, 3, NULL},
        {"\"\\u12g4\"", BAO_BC_JSON_ESCAPE, 1, 2, NULL},
        {"\"\\u12", BAO_BC_JSON_ESCAPE, 1, 2, NULL},
        {"\"a\nb\"", BAO_BC_JSON_CONTROL, 1, 3, NULL},
        {"\"ab\tc\"", BAO_BC_JSON_CONTROL, 1, 4, NULL},
        {"\"\\ud83d\"", BAO_BC_SURROGATE, 1, 2, NULL},
        {"\"\\ude00\\ud83d\"", BAO_BC_SURROGATE, 1, 2, NULL},
        {"\"x\\ud83d\\ud83d\"", BAO_BC_SURROGATE, 1, 3, NULL},
        {"\"\\ud83dabc\\ude00\"", BAO_BC_SURROGATE, 1, 2, NULL},
        {"{\n \"a\": 1,\n \"Đắk\": 2, \"a\": 3}", BAO_BC_TWIN_KEY, 3, 12, "a"},
        {"[\n1,\r\n\"đ\", x]", BAO_BC_JSON_VALUE, 3, 6, NULL},
        {"[\r\r x]", BAO_BC_JSON_VALUE, 3, 2, NULL},
        {"// a\n1", BAO_BC_JSON_VALUE, 1, 1, NULL},
        {"1e99999", BAO_BC_NUMBER_RANGE, 1, 1, NULL},
        {"[1, 1e-6145]", BAO_BC_NUMBER_RANGE, 1, 5, NULL},
        {"{\"\\u0061\":1,\"a\":2}", BAO_BC_TWIN_KEY, 1, 13, "a"},
        {"\"a\xff\"", BAO_BC_NOT_UTF8, 1, 3, "FF"},
        {"\f1", BAO_BC_JSON_VALUE, 1, 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        check_refuse(&table[i], BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
}

static void knows_every_place(void **state)
{
    struct bao_str text = BAO_STR("{\n  \"đơn vị\": [1, \"é\", 2.50],\r\n  \"b\": {}\n}");
    const struct bao_member *m;
    struct loaded l;

    (void)state;
    load(&l, text, BAO_LOAD_REPORT, BAO_FORMAT_GUESS);
    assert_int_equal(l.r, 0);
    assert_true(l.doc.is_json);
    assert_int_equal(l.doc.n_nodes, 6);
    assert_int_equal(l.doc.root.extent, text.n);
    m = &l.doc.root.members[0];
    assert_int_equal(m->line, 2);
    assert_int_equal(m->column, 3);
    assert_int_equal(m->offset, 4);
    assert_int_equal(m->extent, 12);
    assert_int_equal(m->value.column, 13);
    assert_int_equal(m->value.items[1].column, 17);
    assert_int_equal(m->value.items[1].extent, 4);
    assert_int_equal(m->value.items[2].column, 22);
    assert_int_equal(m->value.items[2].extent, 4);
    assert_true(memcmp(text.p + m->value.items[2].offset, "2.50", 4) == 0);
    assert_int_equal(m->value.items[2].style & BAO_STYLE_FLOAT, BAO_STYLE_FLOAT);
    m = bao_node_member(&l.doc.root, BAO_STR("b"));
    assert_int_equal(m->line, 3);
    assert_int_equal(m->value.column, 8);
    unload(&l);
}

/* Text of n times `open`, then `middle`, then n times `close`. */
static struct bao_str nested(char *room, size_t n, const char *open, const char *middle, const char *close)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++, at += strlen(open))
        memcpy(room + at, open, strlen(open));
    memcpy(room + at, middle, strlen(middle));
    at += strlen(middle);
    for (size_t i = 0; i < n; i++, at += strlen(close))
        memcpy(room + at, close, strlen(close));
    room[at] = '\0';
    return (struct bao_str){room, at};
}

static void keeps_its_limits(void **state)
{
    struct bao_load_options options = {
        BAO_LOAD_PLAIN, BAO_FORMAT_JSON, {.octets = 1000, .depth = 3, .nodes = 5, .scalar = 8, .key = 4}};
    static const struct refuse table[] = {
        {"[[[[]]]]", BAO_BC_DEPTH, 1, 4, "3"},
        {"[1,2,3,4,5]", BAO_BC_NODES, 1, 10, "5"},
        {"\"123456789\"", BAO_BC_SCALAR_LONG, 1, 1, "8"},
        {"[\"1234567\\u1234\"]", BAO_BC_SCALAR_LONG, 1, 2, "8"},
        {"{\"12345\":0}", BAO_BC_KEY_LONG, 1, 2, "4"},
        {"1.00000000", BAO_BC_SCALAR_LONG, 1, 1, "8"},
    };
    char *room = malloc(600000);
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        load_with(&l, bao_str_c(table[i].text), &options);
        check_finding(&l, &table[i]);
        unload(&l);
    }
    load_with(&l, BAO_STR("[[[1,\"12345678\",{}]]]"), &options);
    assert_int_equal(l.r, BAO_LOAD_E_REFUSED); /* six values */
    unload(&l);
    load_with(&l, BAO_STR("[[[1,\"12345678\"]]]"), &options);
    assert_int_equal(l.r, 0);
    unload(&l);
    memset(room, ' ', 1001);
    load_with(&l, (struct bao_str){room, 1001}, &options);
    assert_int_equal(l.findings.items[0].code, BAO_BC_TOO_LARGE);
    unload(&l);

    load(&l, nested(room, 64, "[", "1", "]"), BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
    assert_int_equal(l.r, 0);
    unload(&l);
    load(&l, nested(room, 250000, "[", "", "]"), BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
    check_finding(&l, &(struct refuse){room, BAO_BC_DEPTH, 1, 65, "64"});
    unload(&l);
    free(room);
}

static void large_maps_find_their_twins(void **state)
{
    struct bao_buf text = BAO_BUF_NULL(1 << 24);
    struct loaded l;

    (void)state;
    assert_int_equal(bao_buf_append_c(&text, "{"), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bao_buf_printf(&text, "\"key number %d\": %d,\n", i * 7919 % 1000, i), 0);
    assert_int_equal(bao_buf_append_c(&text, "\"last\": 1}"), 0);
    load(&l, bao_buf_str(&text), BAO_LOAD_REPORT, BAO_FORMAT_JSON);
    assert_int_equal(l.r, 0);
    for (int i = 0; i < 1000; i++) {
        const struct bao_member *m =
            bao_node_member(&l.doc.root, bao_arena_printf(&l.arena, "key number %d", i * 7919 % 1000));

        assert_non_null(m);
        assert_int_equal(m->value.i, i);
    }
    assert_null(bao_node_get(&l.doc.root, "key number 1000"));
    unload(&l);
    bao_buf_trim(&text, 0);
    text.end -= 1;
    assert_int_equal(bao_buf_append_c(&text, ", \"key number 7\": 0}"), 0);
    load(&l, bao_buf_str(&text), BAO_LOAD_REPORT, BAO_FORMAT_JSON);
    assert_int_equal(l.r, BAO_LOAD_E_REFUSED);
    assert_int_equal(l.findings.items[0].code, BAO_BC_TWIN_KEY);
    assert_int_equal(l.findings.items[0].at.line, 1001);
    assert_true(bao_str_is(l.findings.items[0].args[0].vi, "key number 7"));
    unload(&l);
    bao_buf_deinit(&text);
}

static void every_cut_is_refused(void **state)
{
    static const char text[] =
        "{\"đơn\": [1.5e3, \"\\u00e9\\ud83d\\ude00x\", true, null], \"b\": {\"c\": -0.25}}";

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        /* A copy of its own, so that a sanitizer sees the first octet beyond. */
        char *copy = malloc(n == 0 ? 1 : n);
        struct loaded l;

        memcpy(copy, text, n);
        load(&l, (struct bao_str){copy, n}, BAO_LOAD_REPORT, BAO_FORMAT_JSON);
        assert_int_equal(l.r, BAO_LOAD_E_REFUSED);
        unload(&l);
        free(copy);
    }
}

static void lack_of_memory_is_no_verdict(void **state)
{
    static const char text[] = "{\"a\": [1, 2.5, \"x\\n\"], \"b\": {\"a long enough key\": [[], {}]}}";
    size_t cap = 64;
    int r;

    (void)state;
    do {
        struct bao_arena a = BAO_ARENA_NULL(cap);
        struct bao_findings f;
        struct bao_doc doc;

        bao_findings_init(&f, &a, 1);
        r = bao_load(&a, bao_str_c(text),
                     &(struct bao_load_options){BAO_LOAD_PLAIN, BAO_FORMAT_JSON, BAO_LOAD_LIMITS_DEFAULT}, &f,
                     &doc);
        assert_true(r == 0 || r == -ENOMEM);
        bao_arena_deinit(&a);
        cap += 16;
    } while (r != 0);
    assert_true(cap > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_json_allows),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(knows_every_place),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(large_maps_find_their_twins),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(lack_of_memory_is_no_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
