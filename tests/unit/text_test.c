/* The catalogue and the ways to show a finding. */
#include "lib/base/error.h"
#include "lib/text/catalogue.h"
#include "lib/text/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_entry_is_whole(void **state)
{
    const struct bao_message *m;
    unsigned n = 0;

    (void)state;
    for (size_t i = 0; (m = bao_message_at(i)) != NULL; i++, n++) {
        if (bao_message_get(m->code) != m)
            fail_msg("code %u stands twice", m->code);
        if (m->code < 1001 || m->code > 7999)
            fail_msg("code %u is nobody's", m->code);
        for (int lang = 0; lang < BAO_LANGS; lang++) {
            size_t length = strlen(m->sentence[lang]);

            if (length == 0 || strpbrk(m->sentence[lang], "\n\t") != NULL ||
                strpbrk(m->mend[lang], "\n\t") != NULL)
                fail_msg("BC%u: an empty sentence or one with a line end", m->code);
            if (strchr(".?!…:", m->sentence[lang][length - 1]) == NULL &&
                strcmp(m->sentence[lang] + length - 1, "}") != 0 && m->sentence[lang][length - 1] != '\xa6')
                fail_msg("BC%u does not end as a sentence: %s", m->code, m->sentence[lang]);
        }
        if ((*m->mend[BAO_VI] == '\0') != (*m->mend[BAO_EN] == '\0'))
            fail_msg("BC%u: mending in one language only", m->code);
    }
    assert_true(n > 50);
    assert_null(bao_message_get(9999));
}

/* Each argument that a language's sentence or mending uses is known to the other language's as well. */
static void languages_say_the_same(void **state)
{
    const struct bao_message *m;

    (void)state;
    for (size_t i = 0; (m = bao_message_at(i)) != NULL; i++) {
        unsigned used[BAO_LANGS] = {0, 0};

        for (int lang = 0; lang < BAO_LANGS; lang++) {
            const char *texts[] = {m->sentence[lang], m->mend[lang]};

            for (size_t t = 0; t < 2; t++)
                for (const char *p = texts[t]; (p = strchr(p, '{')) != NULL; p++)
                    if (p[1] >= '0' && p[1] <= '5' && p[2] == '}')
                        used[lang] |= 1u << (p[1] - '0');
        }
        if (used[BAO_VI] != used[BAO_EN])
            fail_msg("BC%u: the languages use other arguments", m->code);
    }
}

static struct bao_finding finding(unsigned code, struct bao_place at)
{
    return (struct bao_finding){.code = (uint16_t)code, .severity = BAO_ERROR, .at = at};
}

static void assert_text(struct bao_buf *b, const char *expected)
{
    assert_int_equal(bao_buf_append(b, "", 1), 0);
    assert_string_equal(bao_buf_data(b), expected);
    bao_buf_deinit(b);
}

static const char source[] = "form: nd73-quarterly\nnhiem_vu:\n  giao: 10\n  hoan_thanh: 12\n";

static struct bao_finding sample(void)
{
    struct bao_finding f = finding(BAO_BC_FIELD_RANGE, (struct bao_place){4, 15, 56, 2});

    f.path = BAO_STR("nhiem_vu.hoan_thanh");
    f.pointer = BAO_STR("/nhiem_vu/hoan_thanh");
    f.titles[BAO_VI] = BAO_STR("Nhiệm vụ › Đã hoàn thành");
    f.titles[BAO_EN] = BAO_STR("Tasks › Done");
    bao_finding_arg(&f, BAO_STR("hoan_thanh"));
    bao_finding_arg(&f, BAO_STR("12"));
    bao_finding_arg(&f, BAO_STR("0"));
    bao_finding_arg(&f, BAO_STR("10"));
    return f;
}

static void a_person_sees_the_caret(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(4096);
    struct bao_finding f = sample();

    (void)state;
    assert_memory_equal(source + 56, "12", 2);
    assert_int_equal(bao_text_render(&b, &f, BAO_STR("bao-cao-q3.yaml"), bao_str_c(source), BAO_VI), 0);
    assert_text(&b, "bao-cao-q3.yaml:4:15: lỗi BC5010 tại Nhiệm vụ › Đã hoàn thành (nhiem_vu.hoan_thanh)\n"
                    "  4 |   hoan_thanh: 12\n"
                    "    |               ^^ Mục “hoan_thanh” là 12, nằm ngoài khoảng cho phép từ 0 đến 10.\n"
                    "Cách sửa: viết một số từ 0 đến 10.\n");
    assert_int_equal(bao_text_render(&b, &f, BAO_STR("bao-cao-q3.yaml"), bao_str_c(source), BAO_EN), 0);
    assert_text(&b, "bao-cao-q3.yaml:4:15: error BC5010 at Tasks › Done (nhiem_vu.hoan_thanh)\n"
                    "  4 |   hoan_thanh: 12\n"
                    "    |               ^^ “hoan_thanh” is 12, outside 0 to 10.\n"
                    "How to mend: write a number from 0 to 10.\n");
}

static void severities_and_missing_pieces(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(4096);
    struct bao_finding f = finding(BAO_BC_FIELD_EMPTY, (struct bao_place){0, 0, 0, 0});

    (void)state;
    f.message[BAO_VI] = BAO_STR("Tiến độ lùi\n  từ 80 xuống 60.\n");
    f.severity = BAO_CONFIRM;
    f.path = BAO_STR("tien_do");
    assert_int_equal(bao_text_render(&b, &f, BAO_STR_NULL, bao_str_c(source), BAO_VI), 0);
    assert_text(&b, "cần giải trình BC5006 tại tien_do\n  Tiến độ lùi   từ 80 xuống 60.\n"
                    "Cách sửa: ghi nội dung vào, hoặc xóa cả dòng nếu không dùng.\n");
    f.severity = BAO_WARNING;
    f.path = BAO_STR_NULL;
    f.at = (struct bao_place){2, 1, 21, 0};
    assert_int_equal(bao_text_render(&b, &f, BAO_STR("a.yaml"), bao_str_c(source), BAO_EN), 0);
    assert_text(&b, "a.yaml:2:1: warning BC5006\n  2 | nhiem_vu:\n    | ^ Tiến độ lùi   từ 80 xuống 60.\n"
                    "How to mend: fill it in, or drop the line.\n");
    f = finding(9999, (struct bao_place){0, 0, 0, 0});
    assert_int_equal(bao_text_render(&b, &f, BAO_STR_NULL, BAO_STR_NULL, BAO_VI), 0);
    assert_text(&b, "lỗi BC9999\n  Lỗi BC9999.\n");
}

static void a_place_outside_the_source_shows_no_line(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(4096);
    struct bao_finding f = finding(BAO_BC_FIELD_EMPTY, (struct bao_place){9, 9, 5000, 9});

    (void)state;
    bao_finding_arg(&f, BAO_STR("x"));
    assert_int_equal(bao_text_render(&b, &f, BAO_STR("a"), bao_str_c(source), BAO_EN), 0);
    assert_text(&b, "a:9:9: error BC5006\n  “x” is empty.\nHow to mend: fill it in, or drop the line.\n");
}

/* Columns, not octets: Vietnamese composed and decomposed, wide characters, tabs. */
static void carets_stand_under_what_is_seen(void **state)
{
    static const struct {
        const char *source, *value, *line, *caret;
    } rows[] = {
        {"tên: Đắk Lắk", "Đắk Lắk", "tên: Đắk Lắk", "     ^^^^^^^"},
        {"te\xcc\x82n: x", "x", "te\xcc\x82n: x", "     ^"},
        {"字x: 漢", "漢", "字x: 漢", "     ^^"},
        {"\t\"a\":\t12,", "12", "  \"a\":  12,", "        ^^"},
        {"a: \xe2\x80\xae"
         "evil",
         "evil", "a: \\u{202e}evil", "           ^^^^"},
        {"a: \x1b[31mx", "\x1b[31mx", "a: \\u{1b}[31mx", "   ^^^^^^^^^^^"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        uint32_t at = (uint32_t)(strstr(rows[i].source, rows[i].value) - rows[i].source);
        struct bao_finding f =
            finding(BAO_BC_FIELD_EMPTY, (struct bao_place){1, 1, at, (uint32_t)strlen(rows[i].value)});
        struct bao_buf b = BAO_BUF_NULL(4096);
        char expected[512];

        bao_finding_arg(&f, BAO_STR("x"));
        assert_int_equal(bao_text_render(&b, &f, BAO_STR_NULL, bao_str_c(rows[i].source), BAO_EN), 0);
        (void)snprintf(expected, sizeof(expected),
                       "1:1: error BC5006\n  1 | %s\n    | %s “x” is empty.\nHow "
                       "to mend: fill "
                       "it in, or drop the line.\n",
                       rows[i].line, rows[i].caret);
        assert_text(&b, expected);
    }
}

static void long_lines_are_cut_around_the_caret(void **state)
{
    char text[4001];
    struct bao_finding f = finding(BAO_BC_FIELD_EMPTY, (struct bao_place){1, 2001, 2000, 1000});
    struct bao_buf b = BAO_BUF_NULL(4096);
    size_t longest = 0, from = 0;

    (void)state;
    memset(text, 'a', 4000);
    memset(text + 2000, 'b', 1000);
    text[4000] = '\0';
    bao_finding_arg(&f, BAO_STR("x"));
    assert_int_equal(bao_text_render(&b, &f, BAO_STR_NULL, bao_str_c(text), BAO_EN), 0);
    assert_int_equal(bao_buf_append(&b, "", 1), 0);
    for (size_t i = 0; i + 1 < bao_buf_len(&b); i++) {
        if (bao_buf_data(&b)[i] == '\n') {
            longest = i - from > longest ? i - from : longest;
            from = i + 1;
        }
    }
    assert_true(longest < 200);
    assert_non_null(strstr(bao_buf_data(&b), "…aaa"));
    assert_non_null(strstr(bao_buf_data(&b), "bbb…\n"));
    bao_buf_deinit(&b);
}

static void what_was_pasted_is_escaped_and_cut(void **state)
{
    char text[1000];
    struct bao_finding f = finding(BAO_BC_FIELD_EMPTY, (struct bao_place){0, 0, 0, 0});
    struct bao_buf b = BAO_BUF_NULL(4096);

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "\x1b]0;\xe2\x80\xae", 7);
    bao_finding_arg(&f, (struct bao_str){text, sizeof(text)});
    assert_int_equal(bao_text_sentence(&b, &f, BAO_VI), 0);
    assert_true(bao_buf_len(&b) < 500);
    assert_null(memchr(bao_buf_data(&b), '\x1b', bao_buf_len(&b)));
    assert_memory_equal(bao_buf_data(&b), "Mục “\\u{1b}]0;\\u{202e}xxx", 29);
    bao_buf_deinit(&b);
}

static void twenty_are_shown_and_the_rest_counted(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_findings list;
    struct bao_buf b = BAO_BUF_NULL(1 << 16);
    const char *p;
    size_t heads = 0;

    (void)state;
    bao_findings_init(&list, &a, 25);
    for (uint32_t i = 0; i < 30; i++)
        bao_finding_arg(
            bao_findings_add(&list, BAO_BC_FIELD_EMPTY, BAO_ERROR, (struct bao_place){i + 1, 1, 0, 0}),
            BAO_STR("x"));
    assert_int_equal(bao_text_render_all(&b, &list, BAO_STR("f"), BAO_STR_NULL, BAO_VI, BAO_TEXT_SHOW), 0);
    assert_int_equal(bao_buf_append(&b, "", 1), 0);
    for (p = bao_buf_data(&b); (p = strstr(p, "lỗi BC5006")) != NULL; p++)
        heads++;
    assert_int_equal(heads, 20);
    assert_non_null(strstr(bao_buf_data(&b), "… và 10 điểm khác nữa"));
    bao_buf_deinit(&b);
    bao_arena_deinit(&a);
}

static void machines_get_lines_and_json(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(4096);
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_finding f = sample();
    struct bao_findings list;

    (void)state;
    assert_int_equal(bao_text_wire_line(&b, &f, BAO_EN), 0);
    assert_text(&b, "4:15\tBC5010\tnhiem_vu.hoan_thanh\t“hoan_thanh” is 12, outside 0 to 10. How to mend: "
                    "write a number "
                    "from 0 to 10.\n");
    assert_int_equal(bao_text_json(&b, &f), 0);
    assert_text(&b, "{\"code\":\"BC5010\",\"severity\":\"error\",\"line\":4,\"column\":15,"
                    "\"pointer\":\"/nhiem_vu/hoan_thanh\","
                    "\"path\":\"nhiem_vu.hoan_thanh\",\"check\":null,\"message\":{\"vi\":\"Mục “hoan_thanh” "
                    "là 12, nằm ngoài "
                    "khoảng cho phép từ 0 đến 10.\",\"en\":\"“hoan_thanh” is 12, outside 0 to "
                    "10.\"},\"mend\":{\"vi\":\"viết một "
                    "số từ 0 đến 10.\",\"en\":\"write a number from 0 to 10.\"}}");
    bao_findings_init(&list, &a, 5);
    assert_int_equal(bao_text_json_all(&b, &list), 0);
    assert_text(&b, "[]");
    assert_int_equal(bao_text_json_basic(&b, &list, BAO_EN), 0);
    assert_text(&b, "{\"valid\":true}");
    *bao_findings_add(&list, 5006, BAO_WARNING, f.at) = f;
    *bao_findings_add(&list, 5006, BAO_ERROR, f.at) = f;
    list.items[0].severity = BAO_WARNING;
    list.items[1].keyword = BAO_STR("/properties/a/maximum");
    assert_int_equal(bao_text_json_basic(&b, &list, BAO_EN), 0);
    assert_text(
        &b,
        "{\"valid\":false,\"errors\":[{\"keywordLocation\":\"/properties/a/maximum\",\"instanceLocation\":"
        "\"/nhiem_vu/hoan_thanh\",\"error\":\"“hoan_thanh” is 12, outside 0 to 10.\"}]}");
    f.check = BAO_STR("tien-do-lui");
    f.item = BAO_STR("NV-\"03\"");
    assert_int_equal(bao_text_json(&b, &f), 0);
    assert_int_equal(bao_buf_append(&b, "", 1), 0);
    assert_non_null(strstr(bao_buf_data(&b), "\"check\":\"tien-do-lui\",\"item\":\"NV-\\\"03\\\"\","));
    bao_buf_deinit(&b);
    bao_arena_deinit(&a);
}

static void a_full_buffer_is_told(void **state)
{
    struct bao_finding f = sample();

    (void)state;
    for (size_t max = 0; max < 250; max++) {
        struct bao_buf b = BAO_BUF_NULL(max), c = BAO_BUF_NULL(max);

        assert_int_equal(bao_text_render(&b, &f, BAO_STR("bao-cao-q3.yaml"), bao_str_c(source), BAO_VI),
                         -ENOBUFS);
        assert_int_equal(bao_text_json(&c, &f), -ENOBUFS);
        bao_buf_deinit(&b);
        bao_buf_deinit(&c);
    }
}

static void symbols_are_found_by_name(void **state)
{
    (void)state;
    for (int i = BAO_SYM_NONE; i <= BAO_SYM_INTERNAL; i++) {
        const struct bao_symbol_info *s = bao_symbol_info((enum bao_symbol)i);

        assert_int_equal(bao_symbol_of(bao_str_c(s->name)), i);
        assert_true(i == BAO_SYM_NONE ||
                    (s->http >= 400 && s->answer != BAO_OK && *s->sentence[BAO_VI] != '\0'));
    }
    assert_int_equal(bao_symbol_of(BAO_STR("frame")), BAO_SYM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_whole),
        cmocka_unit_test(languages_say_the_same),
        cmocka_unit_test(a_person_sees_the_caret),
        cmocka_unit_test(severities_and_missing_pieces),
        cmocka_unit_test(a_place_outside_the_source_shows_no_line),
        cmocka_unit_test(carets_stand_under_what_is_seen),
        cmocka_unit_test(long_lines_are_cut_around_the_caret),
        cmocka_unit_test(what_was_pasted_is_escaped_and_cut),
        cmocka_unit_test(twenty_are_shown_and_the_rest_counted),
        cmocka_unit_test(machines_get_lines_and_json),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(symbols_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
