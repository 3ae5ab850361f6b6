/* The envelope: keys as text however written, near misses, nil and data, secrecy. */
#include "lib/form/envelope.h"
#include "lib/text/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct world {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_doc doc;
    struct bao_envelope envelope;
};

/* Reads a report; gives bao_envelope_read's result. */
static int read_text(struct world *w, const char *text)
{
    const struct bao_load_options options = {.mode = BAO_LOAD_REPORT, .limits = BAO_LOAD_LIMITS_DEFAULT};

    bao_arena_deinit(&w->arena);
    bao_findings_init(&w->findings, &w->arena, 50);
    assert_int_equal(bao_load(&w->arena, bao_str_c(text), &options, &w->findings, &w->doc), 0);
    return bao_envelope_read(&w->arena, &w->doc, &w->findings, &w->envelope);
}

static void keys_are_text_however_they_are_written(void **state)
{
    static const struct {
        const char *text, *unit, *period;
        int revision;
    } rows[] = {
        {"form: f\nunit: \"24133\"\nperiod: 2026-Q3\ndata: {}\n", "24133", "2026-Q3", 1},
        {"form: f\nunit: 24133\nperiod: 2026\nrevision: 2\ndata: {}\n", "24133", "2026", 2},
        {"form: f\nunit: 02210\nperiod: 2026-09\nrevision: \"9999\"\ndata: {}\n", "02210", "2026-09", 9999},
        {"form: f\nunit: H15.01\nperiod: ' 2026-W37 '\nrevision:\ndata: {}\n", "H15.01", "2026-W37", 1},
        {"{\"form\":\"f\",\"unit\":24133,\"period\":2026,\"revision\":1,\"data\":{}}", "24133", "2026", 1},
        {"form: f\nunit: 000.00.01.H15\nperiod: 2026-9M\ndata: {}\n", "000.00.01.H15", "2026-9M", 1},
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        char period[16];

        assert_int_equal(read_text(&w, rows[i].text), 0);
        assert_true(w.envelope.has_key);
        assert_true(bao_str_is(w.envelope.form, "f"));
        assert_true(bao_str_is(w.envelope.unit, rows[i].unit));
        bao_period_print(w.envelope.period, period);
        assert_string_equal(period, rows[i].period);
        assert_int_equal(w.envelope.revision, rows[i].revision);
    }
    bao_arena_deinit(&w.arena);
}

#define KEY "form: f\nunit: '1'\nperiod: 2026\n"

static void mistakes_are_told_at_their_line(void **state)
{
    static const struct {
        const char *text;
        unsigned code, line;
        bool has_key;
    } rows[] = {
        {"- a\n", BAO_BC_ENVELOPE_NOT_MAP, 1, false},
        {"unit: '1'\nperiod: 2026\ndata: {}\n", BAO_BC_ENVELOPE_MISSING, 1, false},
        {"form: f\nunit: '1'\nperiod:\ndata: {}\n", BAO_BC_REPORT_BLANK_TITLED, 3, false},
        {"form: [f]\nunit: '1'\nperiod: 2026\ndata: {}\n", BAO_BC_ENVELOPE_TEXT, 1, false},
        {"form: F 1\nunit: '1'\nperiod: 2026\ndata: {}\n", BAO_BC_ENVELOPE_SHAPE, 1, false},
        {"form: f\nunit: Ea Kar\nperiod: 2026\ndata: {}\n", BAO_BC_ENVELOPE_UNIT, 2, false},
        {"form: f\nunit: '1'\nperiod: Quý 3\ndata: {}\n", BAO_BC_ENVELOPE_PERIOD, 3, false},
        {"form: f\nunit: '1'\nperiod: 2026-Q5\ndata: {}\n", BAO_BC_ENVELOPE_PERIOD, 3, false},
        {KEY "revision: 0\ndata: {}\n", BAO_BC_ENVELOPE_REVISION, 4, false},
        {KEY "revision: 10000\ndata: {}\n", BAO_BC_ENVELOPE_REVISION, 4, false},
        {KEY "revision: 1.5\ndata: {}\n", BAO_BC_ENVELOPE_REVISION, 4, false},
        {KEY "tong_so: 5\ndata: {}\n", BAO_BC_ENVELOPE_UNKNOWN, 4, true},
        {KEY "dataa: {}\nnil: true\n", BAO_BC_ENVELOPE_UNKNOWN_NEAR, 4, true},
        {KEY, BAO_BC_ENVELOPE_NO_DATA, 1, true},
        {KEY "data:\n", BAO_BC_ENVELOPE_NO_DATA, 4, true},
        {KEY "data:\na: 1\nb: 2\n", BAO_BC_ENVELOPE_FLAT, 5, true},
        {KEY "signed:\n  chuc_vu: Chủ tịch\n  date: 2026-09-16\ndata: {}\n", BAO_BC_ENVELOPE_SIGNED_KEY, 5,
         true},
        {KEY "data: 5\n", BAO_BC_ENVELOPE_DATA_SHAPE, 4, true},
        {KEY "data:\n  giao： 5\n", BAO_BC_YAML_WIDE_COLON, 5, true},
        {"form： f\n", BAO_BC_YAML_WIDE_COLON, 1, false},
        {KEY "nil: true\ndata: {a: 1}\n", BAO_BC_ENVELOPE_NIL_DATA, 4, true},
        {KEY "nil: yes\ndata: {}\n", BAO_BC_ENVELOPE_NIL_SHAPE, 4, true},
        {KEY "signed: Chủ tịch\ndata: {}\n", BAO_BC_ENVELOPE_SIGNED, 4, true},
        {KEY "signed: {chuc_vu: Chủ tịch}\ndata: {}\n", BAO_BC_ENVELOPE_SIGNED_KEY, 4, true},
        {KEY "signed: {date: 16/9/2026}\ndata: {}\n", BAO_BC_ENVELOPE_SIGNED_DATE, 4, true},
        {KEY "explain: Vì chậm\ndata: {}\n", BAO_BC_ENVELOPE_EXPLAIN, 4, true},
        {KEY "explain: {a: [1]}\ndata: {}\n", BAO_BC_ENVELOPE_EXPLAIN, 4, true},
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        assert_int_equal(read_text(&w, rows[i].text), BAO_ENVELOPE_E_BAD);
        assert_true(w.findings.n >= 1);
        assert_int_equal(w.findings.items[0].code, rows[i].code);
        assert_int_equal(w.findings.items[0].at.line, rows[i].line);
        assert_int_equal(w.envelope.has_key, rows[i].has_key);
    }
    bao_arena_deinit(&w.arena);
}

/* What follows from a mistake that is told is not told as another. */
static void one_slip_is_told_once(void **state)
{
    static const char *const texts[] = {
        KEY "Data: {a: 1}\n",
        KEY "nil: có\n",
        KEY "data:\na: 1\nb: 2\nc: 3\n",
        "form: f\nunitt: '1'\nperiod: 2026\ndata: {}\n",
        "form: f\nunit: '1'\nPeriod: 2026\ndata: {}\n",
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        assert_int_equal(read_text(&w, texts[i]), BAO_ENVELOPE_E_BAD);
        assert_int_equal(w.findings.n, 1);
    }
    /* The caret stands under the name, not under its value. */
    assert_int_equal(read_text(&w, KEY "signed: {chuc_vu: Chủ tịch}\ndata: {}\n"), BAO_ENVELOPE_E_BAD);
    assert_int_equal(w.findings.items[0].at.column, 10);
    bao_arena_deinit(&w.arena);
}

static void every_sentence_is_whole_in_both_languages(void **state)
{
    struct world w = {.arena = BAO_ARENA_NULL(0)};
    struct bao_buf out = BAO_BUF_NULL(1 << 16);

    (void)state;
    assert_int_equal(read_text(&w, "form: f\nunit: '1'\nperiod: 2026\ndataa: {}\nnil: true\n"),
                     BAO_ENVELOPE_E_BAD);
    assert_int_equal(bao_text_sentence(&out, &w.findings.items[0], BAO_VI), 0);
    assert_true(
        bao_str_is(bao_buf_str(&out), "Phần đầu báo cáo không có mục “dataa”; có phải là “data” không?"));
    bao_buf_clear(&out);
    assert_int_equal(bao_text_mend(&out, &w.findings.items[0], BAO_EN), 0);
    assert_true(bao_str_is(bao_buf_str(&out), "change “dataa” to “data”."));
    bao_buf_deinit(&out);
    bao_arena_deinit(&w.arena);
}

static void what_stands_beside_the_data_is_kept(void **state)
{
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    assert_int_equal(read_text(&w, KEY
                               "signed: {by: A, date: 2026-09-16}\nexplain: {a: Vì chậm, b: {NV-1: Vì mưa}}\n"
                               "secrecy: none\ndata: {x: 1}\n"),
                     0);
    assert_non_null(w.envelope.signed_by);
    assert_non_null(w.envelope.explain);
    assert_non_null(w.envelope.data);
    assert_false(w.envelope.is_secret);
    assert_int_equal(read_text(&w, KEY "secrecy: Tối mật\ndata: {x: 1}\n"), 0);
    assert_true(w.envelope.is_secret);
    assert_int_equal(read_text(&w, KEY "secrecy: true\ndata: {x: 1}\n"), 0);
    assert_true(w.envelope.is_secret);
    assert_int_equal(read_text(&w, KEY "nil: true\n"), 0);
    assert_true(w.envelope.nil);
    assert_null(w.envelope.data);
    bao_arena_deinit(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_text_however_they_are_written),
        cmocka_unit_test(mistakes_are_told_at_their_line),
        cmocka_unit_test(one_slip_is_told_once),
        cmocka_unit_test(every_sentence_is_whole_in_both_languages),
        cmocka_unit_test(what_stands_beside_the_data_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
