/* The judge: what becomes of every kind of bad report, and what a good one leaves behind. */
#include "lib/base/buf.h"
#include "lib/form/blanks.h"
#include "lib/form/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char form_text[] =
    "baocao: 1\nid: thu\nversion: 1\ntitle: Thử\nreporters: {kinds: [ward, department]}\n"
    "period: {type: quarter, calendar: nd09}\ndeadline: {working_days: 2}\nnil: allowed\n"
    "effective: {from: 2026-01-01}\n"
    "schema:\n"
    "  type: object\n"
    "  properties:\n"
    "    giao: {title: Giao, type: integer, minimum: 0}\n"
    "    xong: {title: Xong, type: integer, minimum: 0}\n"
    "    tien: {title: Tiền, type: number, minimum: 0}\n"
    "    ton: {type: integer}\n"
    "    chu: {type: string, maxLength: 20}\n"
    "    rieng: {title: Phần của sở, x-for: {kinds: [department], required: true}, type: object, "
    "properties: {c: {type: integer}}}\n"
    "    viec: {type: array, maxItems: 9, x-key: ma, items: {type: object, properties: {ma: {type: string}, "
    "ten: {type: string}, vuong: {type: string}}, required: [ma], additionalProperties: false}}\n"
    "  required: [giao]\n"
    "  additionalProperties: false\n"
    "checks:\n"
    "  - {id: xong-giao, rule: self.xong <= self.giao, at: xong, severity: error, message: Xong nhiều hơn "
    "giao.}\n"
    "  - {id: cham, rule: self.xong * 2 >= self.giao, at: xong, severity: confirm, message: Làm chậm.}\n"
    "  - {id: it, rule: self.giao > 1, at: giao, severity: warning, message: Giao ít.}\n"
    "  - {id: lui, when: prev != null, rule: self.xong >= prev.xong, at: xong, severity: error, message: "
    "Lùi.}\n"
    "indicators:\n"
    "  - {code: giao, label: Giao, value: self.giao}\n"
    "  - {code: tien, label: Tiền, value: self.tien, decimals: 2}\n"
    "  - {code: ton, label: Tồn, value: self.ton, over_time: last}\n"
    "  - {code: c, label: C, value: self.rieng.c}\n"
    "  - {code: ty_le, label: Tỷ lệ, ratio: {of: tien, to: giao}}\n"
    "collect:\n"
    "  - {field: chu, heading: Chữ}\n"
    "  - {field: viec, when: has(item.vuong), columns: [ma, vuong], heading: Vướng}\n";

struct world {
    struct bao_arena arena, report;
    struct bao_form *form;
    struct bao_forms forms;
    struct bao_unit units[3];
    struct bao_registry registry;
    struct bao_schema_scratch *scratch;
    struct bao_verdict verdict;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct bao_findings findings;

    assert_non_null(w);
    bao_findings_init(&findings, &w->arena, 20);
    assert_int_equal(bao_form_load(bao_str_c(form_text), BAO_STR("thu"), NULL, &findings, &w->form), 0);
    w->forms = (struct bao_forms){&w->form, 1};
    w->units[0] = (struct bao_unit){.code = BAO_STR("1"),
                                    .kind = BAO_STR("ward"),
                                    .name = BAO_STR("Phường Một"),
                                    .from = bao_date_make(2025, 7, 1),
                                    .to = BAO_DATE_NONE};
    w->units[1] = (struct bao_unit){.code = BAO_STR("2"),
                                    .kind = BAO_STR("department"),
                                    .name = BAO_STR("Sở Hai"),
                                    .from = bao_date_make(2025, 7, 1),
                                    .to = bao_date_make(2026, 6, 30)};
    w->units[2] = (struct bao_unit){.code = BAO_STR("3"),
                                    .kind = BAO_STR("front"),
                                    .name = BAO_STR("Mặt trận"),
                                    .from = bao_date_make(2025, 7, 1),
                                    .to = BAO_DATE_NONE};
    w->registry = (struct bao_registry){
        .units = w->units, .n_units = 3, .offset = BAO_VN_OFFSET, .holidays = {.known_to = BAO_DATE_NONE}};
    w->scratch = bao_schema_scratch_new();
    *state = w;
    return w->scratch == NULL;
}

static int teardown(void **state)
{
    struct world *w = *state;

    w->form = bao_form_free(w->form);
    w->scratch = bao_schema_scratch_free(w->scratch);
    bao_arena_deinit(&w->report);
    bao_arena_deinit(&w->arena);
    free(w);
    return 0;
}

static void judge_at(struct world *w, struct bao_str text, bao_time now)
{
    const struct bao_judge_context context = {
        .forms = &w->forms, .registry = &w->registry, .limits = BAO_LOAD_LIMITS_DEFAULT, .now = now};

    bao_arena_deinit(&w->report);
    assert_int_equal(bao_judge(&context, &w->report, w->scratch, text, &w->verdict), 0);
}

static void judge(struct world *w, const char *text)
{
    judge_at(w, bao_str_c(text), BAO_TIME_NONE);
}

#define KEY "form: thu\nunit: '1'\nperiod: 2026-Q3\n"
#define SO "form: thu\nunit: '2'\nperiod: 2026-Q1\n"

static void each_mistake_has_its_symbol(void **state)
{
    static const struct {
        const char *text;
        enum bao_symbol symbol;
        unsigned line; /* of the first finding; 0: no finding is asked for */
    } rows[] = {
        {KEY "data: {giao: 3, xong: 2}\n", BAO_SYM_NONE, 0},
        {"{\"form\":\"thu\",\"unit\":\"1\",\"period\":\"2026-Q3\",\"data\":{\"giao\":3}}", BAO_SYM_NONE, 0},
        {KEY "nil: true\n", BAO_SYM_NONE, 0},
        /* the file */
        {KEY "data: {giao: 3}\n---\nform: thu\n", BAO_SYM_PARSE, 5},
        {KEY "data:\n  giao: 3\n  giao: 4\n", BAO_SYM_PARSE, 6},
        {KEY "data: {giao: 1.000}\n", BAO_SYM_PARSE, 4},
        {KEY "data: {giao: [}\n", BAO_SYM_PARSE, 4},
        {"", BAO_SYM_PARSE, 1},
        {"form: thu\xff\n", BAO_SYM_UTF8, 1},
        /* the envelope */
        {"- 1\n", BAO_SYM_ENVELOPE, 1},
        {KEY "giao: 3\n", BAO_SYM_ENVELOPE, 1},
        {KEY "secrecy: Mật\ndata: {giao: 3}\n", BAO_SYM_SECRET, 4},
        /* form, period, unit */
        {"form: thuu\nunit: '1'\nperiod: 2026-Q3\ndata: {giao: 3}\n", BAO_SYM_FORM, 1},
        {"form: thu\nunit: '1'\nperiod: 2026-09\ndata: {giao: 3}\n", BAO_SYM_PERIOD, 3},
        {"form: thu\nunit: '1'\nperiod: 2025-Q4\ndata: {giao: 3}\n", BAO_SYM_PERIOD, 3},
        {"form: thu\nunit: '9'\nperiod: 2026-Q3\ndata: {giao: 3}\n", BAO_SYM_NOTOWED, 2},
        {"form: thu\nunit: '3'\nperiod: 2026-Q3\ndata: {giao: 3}\n", BAO_SYM_NOTOWED, 2},
        {"form: thu\nunit: '2'\nperiod: 2026-Q3\ndata: {giao: 3}\n", BAO_SYM_NOTOWED, 2}, /* closed on 30/6 */
        /* the data */
        {KEY "data: {}\n", BAO_SYM_INVALID, 4},
        {KEY "data: {giao: ba}\n", BAO_SYM_INVALID, 4},
        {KEY "data: {giao: \"3\"}\n", BAO_SYM_INVALID, 4},
        {KEY "data: {giao: 3.5}\n", BAO_SYM_INVALID, 4},
        {KEY "data: {giao: -1}\n", BAO_SYM_INVALID, 4},
        {KEY "data: {giao: 3, xongg: 2}\n", BAO_SYM_INVALID, 4},
        {KEY "data:\n  giao: 3\n  xong: 4\n", BAO_SYM_INVALID, 6},
        {KEY "data: {giao: 3, rieng: {c: 1}}\n", BAO_SYM_INVALID, 4},
        {SO "data: {giao: 3}\n", BAO_SYM_INVALID, 4},
        {SO "data: {giao: 3, rieng: {c: 1}}\n", BAO_SYM_NONE, 0},
        {KEY "data: {giao: 3, viec: [{ten: a}]}\n", BAO_SYM_INVALID, 4},
        {KEY "data:\n  giao: 3\n  viec:\n    - ma: a\n    - ma: a\n", BAO_SYM_INVALID, 0},
        {KEY "data: {giao: 3, viec: [null]}\n", BAO_SYM_INVALID, 4},
        {KEY "data: {giao: 3, tien: 1.005}\n", BAO_SYM_PARSE, 4},
        {KEY "data: {giao: 3, tien: 0.005}\n", BAO_SYM_INVALID, 4}, /* more decimals than the indicator has */
        {KEY "data: {giao: 1125899906842625}\n", BAO_SYM_INVALID, 4}, /* beyond 2^50 */
        /* blank lines */
        {KEY "data:\n  giao: 3\n  xong:\n  tien: ~\n", BAO_SYM_NONE, 0},
        {KEY "data:\n  giao:\n", BAO_SYM_INVALID, 5},
        /* explanations */
        {KEY "data: {giao: 9, xong: 1}\n", BAO_SYM_EXPLAIN, 4},
        {KEY "explain: {cham: Ngắn}\ndata: {giao: 9, xong: 1}\n", BAO_SYM_EXPLAIN, 4},
        {KEY "explain: {cham: Kinh phí về muộn}\ndata: {giao: 9, xong: 1}\n", BAO_SYM_NONE, 0},
    };
    struct world *w = *state;

    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        judge(w, rows[i].text);
        if (w->verdict.symbol != rows[i].symbol)
            print_message("%s\ngives %s\n", rows[i].text, bao_symbol_info(w->verdict.symbol)->name);
        assert_int_equal(w->verdict.symbol, rows[i].symbol);
        if (rows[i].line == 0)
            continue;
        assert_true(w->verdict.findings.n >= 1);
        if (w->verdict.findings.items[0].at.line != rows[i].line)
            print_message("%s\nfirst finding BC%u in line %u\n", rows[i].text,
                          w->verdict.findings.items[0].code, w->verdict.findings.items[0].at.line);
        assert_int_equal(w->verdict.findings.items[0].at.line, rows[i].line);
    }
}

static void a_report_may_not_come_before_its_period(void **state)
{
    static const struct {
        int month, day;
        enum bao_symbol symbol;
        size_t warnings;
    } rows[] = {
        {6, 14, BAO_SYM_PERIOD, 0},
        {6, 15, BAO_SYM_NONE, 1},
        {9, 14, BAO_SYM_NONE, 1},
        {9, 15, BAO_SYM_NONE, 0},
    };
    struct world *w = *state;

    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        judge_at(w, BAO_STR(KEY "data: {giao: 3, xong: 2}\n"),
                 bao_time_make(bao_date_make(2026, rows[i].month, rows[i].day), 12 * 3600, BAO_VN_OFFSET));
        assert_int_equal(w->verdict.symbol, rows[i].symbol);
        assert_int_equal(w->verdict.findings.by_severity[BAO_WARNING], rows[i].warnings);
    }
}

/* The content is what the report says, not how it is written; any change of what it says is another content.
 */
static void content_is_what_the_report_says(void **state)
{
    static const char first[] = KEY "explain: {cham: Vì chậm}\ndata: {giao: 3, xong: 2, viec: [{ma: a}]}\n";
    static const char *const same[] = {
        "\xef\xbb\xbf" KEY "explain: {cham: Vì chậm}\ndata: {giao: 3, xong: 2, viec: [{ma: a}]}\n",
        "form: thu\r\nunit: 1\r\nperiod: 2026-Q3\r\nexplain: {cham: Vì chậm}\r\n"
        "data: {giao: 3, xong: 2, viec: [{ma: a}]}\r\n",
        "{\"data\":{\"viec\":[{\"ma\":\"a\"}],\"xong\":2.0,\"giao\":3},\"period\":\"2026-Q3\","
        "\"unit\":\"1\",\"form\":\"thu\","
        "\"explain\":{\"cham\":\"Vì chậm\"},\"revision\":1}",
        KEY
        "revision: 1\nsigned: {by: A}\nexplain: {cham: Vì chậm, it: }\ndata:\n  giao: 3\n  xong: 2\n  tien:\n"
        "  viec:\n    - ma: a\n      ten:\n",
    };
    static const char *const other[] = {
        KEY "explain: {cham: Vì chậm}\ndata: {giao: 3, xong: 3, viec: [{ma: a}]}\n",
        KEY "explain: {cham: Vì chậm.}\ndata: {giao: 3, xong: 2, viec: [{ma: a}]}\n",
        KEY "revision: 2\nexplain: {cham: Vì chậm}\ndata: {giao: 3, xong: 2, viec: [{ma: a}]}\n",
        KEY "explain: {cham: Vì chậm}\ndata: {giao: 3, xong: 2, viec: [{ma: a}, {ma: b}]}\n",
        KEY "explain: {cham: Vì chậm}\ndata: {giao: 3, xong: 2}\n",
    };
    struct world *w = *state;
    uint8_t content[32];

    judge(w, first);
    assert_true(w->verdict.has_key);
    memcpy(content, w->verdict.content, sizeof(content));
    for (size_t i = 0; i < BAO_COUNT(same); i++) {
        judge(w, same[i]);
        if (w->verdict.symbol != BAO_SYM_NONE)
            print_message("%s\ngives %s\n", same[i], bao_symbol_info(w->verdict.symbol)->name);
        assert_memory_equal(w->verdict.content, content, sizeof(content));
    }
    for (size_t i = 0; i < BAO_COUNT(other); i++) {
        judge(w, other[i]);
        assert_memory_not_equal(w->verdict.content, content, sizeof(content));
    }
}

/* A resend of an accepted report is known by its key and content whatever has become of form and unit since.
 */
static void a_refused_report_has_key_and_content(void **state)
{
    static const char *const rows[] = {
        "form: khac\nunit: '1'\nperiod: 2026-Q3\ndata: {giao: 3}\n",
        "form: thu\nunit: '9'\nperiod: 2026-Q3\ndata: {giao: 3}\n",
        KEY "data: {giao: ba}\n",
        KEY "la: 1\ndata: {giao: 3}\n",
    };
    static const uint8_t zero[32];
    struct world *w = *state;

    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        judge(w, rows[i]);
        assert_int_not_equal(w->verdict.symbol, BAO_SYM_NONE);
        assert_true(w->verdict.has_key);
        assert_memory_not_equal(w->verdict.content, zero, sizeof(zero));
    }
}

static void nothing_of_a_secret_is_kept(void **state)
{
    struct world *w = *state;

    judge(w, KEY "secrecy: Tuyệt mật\nla: 1\ndata: {giao: 3}\n");
    assert_int_equal(w->verdict.symbol, BAO_SYM_SECRET);
    assert_true(w->verdict.is_secret);
    assert_int_equal(w->verdict.findings.n, 1);
    assert_int_equal(w->verdict.findings.items[0].n_args, 0);
    assert_null(w->verdict.data);
    assert_int_equal(w->verdict.doc.source.n, 0);
}

static void figures_and_texts_are_taken(void **state)
{
    struct world *w = *state;

    judge(w, KEY "explain: {cham: Kinh phí về muộn}\n"
                 "data:\n  giao: 9\n  xong: 1\n  tien: 12.5\n  chu: Đã \"xong\"\n"
                 "  viec:\n    - {ma: a, ten: A, vuong: Mưa}\n    - {ma: b}\n");
    assert_int_equal(w->verdict.symbol, BAO_SYM_NONE);
    assert_true(w->verdict.figures[0].present && w->verdict.figures[0].scaled == 9);
    assert_true(w->verdict.figures[1].present && w->verdict.figures[1].scaled == 1250);
    assert_false(w->verdict.figures[2].present);
    assert_false(w->verdict.figures[3].present);
    assert_false(w->verdict.figures[4].present);
    assert_true(bao_str_is(w->verdict.collected,
                           "{\"chu\":\"Đã \\\"xong\\\"\",\"viec\":[{\"ma\":\"a\",\"vuong\":\"Mưa\"}]}"));
    assert_true(bao_str_is(w->verdict.explanations, "{\"cham\":\"Kinh phí về muộn\"}"));
    assert_true(w->verdict.warnings.n > 2);
    assert_int_equal(w->verdict.unjudged, 1);
    judge(w, KEY "data: {giao: 9, xong: 9}\n");
    assert_int_equal(w->verdict.warnings.n, 0);
    assert_int_equal(w->verdict.explanations.n, 0);
    assert_int_equal(w->verdict.collected.n, 0);
}

/* Nothing happened: flows are zero, stocks unknown, parts of others absent. */
static void a_nil_report_has_its_figures(void **state)
{
    struct world *w = *state;

    judge(w, KEY "nil: true\n");
    assert_int_equal(w->verdict.symbol, BAO_SYM_NONE);
    assert_true(w->verdict.nil);
    assert_null(w->verdict.data);
    assert_true(w->verdict.figures[0].present && w->verdict.figures[0].scaled == 0);
    assert_false(w->verdict.figures[2].present);
    assert_false(w->verdict.figures[3].present);
    assert_false(w->verdict.figures[4].present);
}

static void history_is_judged_apart(void **state)
{
    static const struct bao_history nothing;
    struct world *w = *state;
    struct bao_member member = {
        .key = "xong", .key_len = 4, .hash = bao_key_hash("xong", 4), .value = {.type = BAO_INT, .i = 5}};
    const struct bao_node prev = {.type = BAO_MAP, .len = 1, .members = &member};
    const struct bao_history history = {.prev = &prev};

    judge(w, KEY "data: {giao: 4, xong: 4}\n");
    assert_int_equal(bao_judge_history(&w->report, &nothing, false, &w->verdict), 0);
    assert_int_equal(w->verdict.symbol, BAO_SYM_NONE);
    assert_int_equal(bao_judge_history(&w->report, &history, true, &w->verdict), 0);
    assert_int_equal(w->verdict.symbol, BAO_SYM_NONE);
    assert_int_equal(w->verdict.findings.by_severity[BAO_WARNING], 1);
    assert_true(w->verdict.warnings.n > 2);
    judge(w, KEY "data: {giao: 4, xong: 4}\n");
    assert_int_equal(bao_judge_history(&w->report, &history, false, &w->verdict), 0);
    assert_int_equal(w->verdict.symbol, BAO_SYM_INVALID);
}

/* A large map comes with an index: what went must be gone from it too. */
static void a_large_map_without_its_blanks_is_still_found_in(void **state)
{
    enum { N = 150 };
    struct bao_buf text = BAO_BUF_NULL(1 << 20);
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_doc doc;
    const struct bao_node *data;
    char key[16];

    (void)state;
    for (int i = 0; i < N; i++)
        assert_int_equal(
            bao_buf_printf(&text, "k%d: %s%d\n", i * 37 % N, i % 3 == 1 ? "null # " : "", i * 37 % N), 0);
    bao_findings_init(&findings, &arena, 10);
    assert_int_equal(
        bao_load(&arena, bao_buf_str(&text),
                 &(struct bao_load_options){BAO_LOAD_REPORT, BAO_FORMAT_YAML, BAO_LOAD_LIMITS_DEFAULT},
                 &findings, &doc),
        0);
    data = bao_without_blanks(&arena, &doc.root);
    assert_int_equal(data->len, N - N / 3);
    assert_int_equal(data->kinds, 1u << BAO_INT);
    for (int i = 0; i < N; i++) {
        const struct bao_node *value;

        (void)snprintf(key, sizeof(key), "k%d", i * 37 % N);
        value = bao_node_get(data, key);
        assert_int_equal(value != NULL, i % 3 != 1);
        assert_true(value == NULL || value->i == i * 37 % N);
    }
    bao_buf_deinit(&text);
    bao_arena_deinit(&arena);
}

/* Who left a line of the template blank is told to fill it in, not to write it a second time. */
static void a_blank_required_line_is_named(void **state)
{
    static const struct {
        const char *text;
        int line;
        uint16_t code;
    } rows[] = {
        {KEY "data:\n  xong: 1\n  giao:\n", 6, BAO_BC_REPORT_BLANK_TITLED},
        {KEY "data:\n  xong: 1\n", 5, BAO_BC_MISSING_TITLED},
        {KEY "data:\n  giao: 3\n  viec:\n    - ma: a\n    - ten: b\n      ma:\n", 9, BAO_BC_REPORT_BLANK},
        {KEY "data:\n  giao: 3\n  viec:\n    - ma: a\n    - ten: b\n", 8, BAO_BC_MISSING},
    };
    struct world *w = *state;

    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        const struct bao_finding *f;

        judge(w, rows[i].text);
        assert_int_equal(w->verdict.symbol, BAO_SYM_INVALID);
        assert_int_equal(w->verdict.findings.n, 1);
        f = &w->verdict.findings.items[0];
        assert_int_equal(f->code, rows[i].code);
        assert_int_equal(f->at.line, rows[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_mistake_has_its_symbol, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blank_required_line_is_named, setup, teardown),
        cmocka_unit_test(a_large_map_without_its_blanks_is_still_found_in),
        cmocka_unit_test_setup_teardown(a_report_may_not_come_before_its_period, setup, teardown),
        cmocka_unit_test_setup_teardown(content_is_what_the_report_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_report_has_key_and_content, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_of_a_secret_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(figures_and_texts_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_nil_report_has_its_figures, setup, teardown),
        cmocka_unit_test_setup_teardown(history_is_judged_apart, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
