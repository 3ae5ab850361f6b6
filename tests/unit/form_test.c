/* Form files: what a good one becomes, and each mistake of an author told at its place. */
#include "lib/form/form_dates.h"
#include "lib/form/checks.h"
#include "lib/text/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HEAD "baocao: 1\nid: t\nversion: 2\ntitle: {vi: Thử, en: Test}\n"
#define REPORTERS "reporters: {kinds: [ward, department]}\n"
#define PERIOD "period: {type: quarter, calendar: nd09}\n"
#define DEADLINE "deadline: {working_days: 2, at: \"17:00\"}\n"
#define SCHEMA                                                                                                 \
    "schema:\n  type: object\n  properties:\n    a: {title: Mục A, type: integer}\n    b: {type: integer}\n" \
    "    ds: {type: array, maxItems: 5, x-key: ma, items: {type: object, properties: {ma: {type: string}, "    \
    "ten: {type: string}, nguoi: {type: string, x-personal: true}}, required: [ma]}}\n"                        \
    "    rieng: {title: Phần riêng, x-for: [department], type: object, properties: {c: {type: integer}}}\n"
#define TOP HEAD REPORTERS PERIOD DEADLINE SCHEMA

struct world {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_form *form;
};

static int load(struct world *w, const char *text)
{
    w->form = bao_form_free(w->form);
    bao_arena_deinit(&w->arena);
    bao_findings_init(&w->findings, &w->arena, 50);
    return bao_form_load(bao_str_c(text), BAO_STR("t.v2.yaml"), NULL, &w->findings, &w->form);
}

static void unload(struct world *w)
{
    w->form = bao_form_free(w->form);
    bao_arena_deinit(&w->arena);
}

static void tell(const struct world *w)
{
    for (size_t i = 0; i < w->findings.n; i++)
        print_message("BC%u line %u\n", w->findings.items[i].code, w->findings.items[i].at.line);
}

static void a_form_becomes_what_it_says(void **state)
{
    static const char text[] =
        "baocao: 1\nid: t\nversion: 2\ntitle: {vi: Thử, en: Test}\nprogramme: p\n"
        "basis: [Nghị định 1]\n" REPORTERS PERIOD "deadline:\n  - {kinds: [ward], working_days: 2, at: "
        "\"17:00\"}\n  - {day: 19, month: last, roll: next}\n"
        "lock: {working_days: 5, then: not-done}\nnil: allowed\nsigned: required\n"
        "effective: {from: 2026-01-01, to: null}\n" SCHEMA
        "checks:\n  - {id: b-a, rule: self.b <= self.a, at: b, severity: error, message: B lớn hơn A.}\n"
        "indicators:\n"
        "  - {code: a, label: A, value: self.a, target: {2026: 80, 2030: 99.5}, direction: up, alert: "
        "{below: 70}}\n"
        "  - {code: b, label: B, value: self.b, decimals: 2, over_time: last}\n"
        "  - {code: c.d, label: C, value: self.rieng.c, over_units: none, over_time: none}\n"
        "  - {code: r, label: R, ratio: {of: b, to: a, percent: true}}\n"
        "  - {code: s, label: S, ratio: {of: b, to: b}}\n"
        "collect:\n  - {field: ds, when: item.ma != 'x', columns: [ma, ten], heading: Danh sách}\n";
    struct world w = {.arena = BAO_ARENA_NULL(0)};
    bao_time due, lock;
    const struct bao_form *f;
    struct bao_holidays none = {.known_to = BAO_DATE_NONE};

    (void)state;
    if (load(&w, text) != 0)
        tell(&w);
    f = w.form;
    assert_non_null(f);
    assert_true(bao_str_is(f->id, "t") && f->version == 2 && bao_str_is(f->title.en, "Test"));
    assert_true(f->nil_allowed && f->signed_required);
    assert_int_equal(f->n_indicators, 5);
    assert_int_equal(f->indicators[0].targets[1].year, 2030);
    assert_int_equal(f->indicators[3].of, 1);
    assert_int_equal(f->indicators[3].to, 0);
    assert_true(f->indicators[2].n_kinds == 1 && bao_str_is(f->indicators[2].kinds[0], "department"));
    assert_int_equal(f->indicators[2].over_units, BAO_OVER_NONE);
    assert_int_equal(f->indicators[1].over_time, BAO_OVER_LAST);
    assert_int_equal(f->indicators[3].over_time, BAO_OVER_NONE); /* a stock over a flow */
    assert_int_equal(f->indicators[4].over_time, BAO_OVER_LAST);
    assert_int_equal(f->n_checks, 1);
    assert_int_equal(f->n_parts, 1);
    assert_int_equal(f->n_keyed, 1);
    assert_int_equal(f->n_personal, 1);
    assert_true(f->n_collect == 1 && f->collect[0].is_list && f->collect[0].n_columns == 2);
    /* Cut-off Monday 14/9/2026: wards on Wednesday at 17:00; others on Monday 21st, since the 19th is a
     * Saturday. */
    bao_form_times(f, &none, BAO_VN_OFFSET, BAO_STR("ward"), bao_date_make(2026, 9, 14), &due, &lock);
    assert_int_equal(due, bao_time_make(bao_date_make(2026, 9, 16), 17 * 3600, BAO_VN_OFFSET));
    assert_int_equal(lock, bao_time_make(bao_date_make(2026, 9, 24), 0, BAO_VN_OFFSET));
    bao_form_times(f, &none, BAO_VN_OFFSET, BAO_STR("department"), bao_date_make(2026, 9, 14), &due, &lock);
    assert_int_equal(due, bao_time_make(bao_date_make(2026, 9, 22), 0, BAO_VN_OFFSET));
    unload(&w);
}

static void mistakes_of_authors_are_told(void **state)
{
    static const struct {
        const char *text;
        unsigned code, line;
    } rows[] = {
        {"id: t\n", BAO_BC_FORM_MARK, 1},
        {"baocao: 2\nid: t\n", BAO_BC_FORM_MARK, 1},
        {TOP "indicatorss: []\n", BAO_BC_FIELD_UNKNOWN_NEAR, 15},
        {"baocao: 1\nid: T 1\nversion: 2\ntitle: T\n" PERIOD DEADLINE SCHEMA, BAO_BC_FORM_ID, 2},
        {"baocao: 1\nid: t\nversion: 3\ntitle: T\n" PERIOD DEADLINE SCHEMA, BAO_BC_FORM_FILE_NAME, 2},
        {HEAD PERIOD SCHEMA, BAO_BC_FIELD_MISSING, 1},
        {HEAD "reporters: {kinds: []}\n" PERIOD DEADLINE SCHEMA, BAO_BC_FIELD_LIST_EMPTY, 5},
        {HEAD "period: {type: week, calendar: nd09}\n" DEADLINE SCHEMA, BAO_BC_FORM_CALENDAR, 5},
        {HEAD "period: {type: month, calendar: {starts: 29}}\n" DEADLINE SCHEMA, BAO_BC_FORM_CALENDAR, 5},
        {HEAD "period: {type: month, calendar: {starts: friday}}\n" DEADLINE SCHEMA, BAO_BC_FORM_CALENDAR, 5},
        {HEAD "period: {type: quarterr}\n" DEADLINE SCHEMA, BAO_BC_FIELD_WORD_NEAR, 5},
        {HEAD "period: {type: quarter, due: 2026-01-01}\n" DEADLINE SCHEMA, BAO_BC_FORM_ONCE_ONLY, 5},
        {HEAD "period: {type: once, from: 2026-08-15, to: 2026-08-01, due: 2026-08-20}\n" SCHEMA,
         BAO_BC_FORM_ONCE, 5},
        {HEAD "period: {type: once, from: 2026-08-01, to: 2026-08-15}\n" SCHEMA, BAO_BC_FORM_ONCE, 5},
        {HEAD PERIOD "deadline: {working_days: 2, day: 19}\n" SCHEMA, BAO_BC_FORM_DEADLINE_SHAPE, 6},
        {HEAD "period: {type: week}\ndeadline: {day: 19}\n" SCHEMA, BAO_BC_FORM_DEADLINE_SHAPE, 6},
        {HEAD PERIOD "deadline: {day: 14, month: last}\n" SCHEMA, BAO_BC_FORM_DEADLINE_EARLY, 6},
        {HEAD PERIOD "deadline: {day: 15, month: last, roll: previous}\n" SCHEMA, BAO_BC_FORM_DEADLINE_EARLY,
         6},
        {HEAD REPORTERS PERIOD "deadline: [{kinds: [ward], working_days: 2}]\n" SCHEMA,
         BAO_BC_FORM_DEADLINE_KIND, 7},
        {HEAD PERIOD "deadline: [{kinds: [ward], working_days: 2}]\n" SCHEMA, BAO_BC_FORM_DEADLINE_OPEN, 6},
        {HEAD "period: {type: once, from: 2026-08-01, to: 2026-08-15, due: 2026-08-20}\n" DEADLINE SCHEMA,
         BAO_BC_FORM_ONCE_DEADLINE, 6},
        {HEAD PERIOD DEADLINE "lock: {working_days: 2, days: 3}\n" SCHEMA, BAO_BC_FORM_LOCK_SHAPE, 7},
        {HEAD PERIOD DEADLINE "lock: {then: refuse}\n" SCHEMA, BAO_BC_FORM_LOCK_SHAPE, 7},
        {HEAD PERIOD DEADLINE "effective: {from: 2027-01-01, to: 2026-01-01}\n" SCHEMA, BAO_BC_FORM_EFFECTIVE,
         7},
        {HEAD PERIOD DEADLINE "schema: {type: array, maxItems: 3}\n", BAO_BC_FORM_SCHEMA_TYPE, 7},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {type: array}\n",
         BAO_BC_SCHEMA_NO_MAX_ITEMS, 10},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {x-for: ward}\n",
         BAO_BC_FORM_XFOR, 10},
        {HEAD REPORTERS PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {x-for: [commune]}\n",
         BAO_BC_FORM_XFOR_KIND, 11},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {type: array, maxItems: 2, "
                              "x-key: m, items: {type: object}}\n",
         BAO_BC_FORM_XKEY, 10},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {x-personal: có}\n",
         BAO_BC_FORM_XPERSONAL, 10},
        {TOP "checks:\n  - {id: c, rule: \"self.ds[0].nguoi != 'x'\", severity: warning}\n",
         BAO_BC_RULE_PERSONAL, 16},
        {TOP "checks:\n  - {id: c, each: ds, rule: item.nguoi != 'x', severity: warning}\n",
         BAO_BC_RULE_PERSONAL, 16},
        {TOP "checks:\n  - {id: c, each: ds, rule: has(item.nguoi), message: \"Thiếu {item.nguoi}\"}\n",
         BAO_BC_RULE_PERSONAL, 16},
        {TOP "indicators:\n  - {code: A, label: A, value: self.a}\n", BAO_BC_FORM_CODE, 16},
        {TOP "indicators:\n  - {code: a.b.c, label: A, value: self.a}\n", BAO_BC_FORM_CODE, 16},
        {TOP "indicators:\n  - {code: a, label: A, value: self.a}\n  - {code: a, label: A, value: self.b}\n",
         BAO_BC_FORM_CODE_TWICE, 17},
        {TOP "indicators:\n  - {code: a, label: A}\n", BAO_BC_FORM_VALUE_OR_RATIO, 16},
        {TOP "indicators:\n  - {code: a, label: A, value: self.a}\n  - {code: r, label: R, ratio: {of: a, "
             "to: aa}}\n",
         BAO_BC_FORM_RATIO_PART, 17},
        {TOP "indicators:\n  - {code: a, label: A, value: self.a}\n"
             "  - {code: r, label: R, over_time: sum, ratio: {of: a, to: a}}\n",
         BAO_BC_FORM_RATIO_KEY, 17},
        {TOP "indicators:\n  - {code: a, label: A, value: self.a, target: {26: 5}}\n",
         BAO_BC_FORM_TARGET_YEAR, 16},
        {TOP "indicators:\n  - {code: a, label: A, value: self.a, decimals: 7}\n", BAO_BC_FIELD_RANGE, 16},
        {TOP "indicators:\n  - {code: a, label: A, value: self.a, same_as: x}\n", BAO_BC_FORM_SAME_AS, 16},
        {TOP "collect:\n  - {field: dss, heading: D}\n", BAO_BC_FORM_COLLECT_PATH, 16},
        {TOP "collect:\n  - {field: ds, heading: D, columns: [ma, tn]}\n", BAO_BC_FORM_COLLECT_PATH, 16},
        {TOP "collect:\n  - {field: ds, heading: D, columns: [ma, nguoi]}\n", BAO_BC_FORM_COLLECT_PERSONAL,
         16},
        {TOP "collect:\n  - {field: ds, heading: D}\n", BAO_BC_FORM_COLLECT_PERSONAL, 1},
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        bool found = false;

        assert_int_equal(load(&w, rows[i].text), BAO_FORM_E_BAD);
        assert_null(w.form);
        for (size_t k = 0; k < w.findings.n; k++)
            found |= w.findings.items[k].code == rows[i].code && w.findings.items[k].at.line == rows[i].line;
        if (!found) {
            print_message("%s\nwanted BC%u line %u, got:\n", rows[i].text, rows[i].code, rows[i].line);
            tell(&w);
        }
        assert_true(found);
    }
    unload(&w);
}

/* What follows from a mistake that is told is not told as another. */
static void one_mistake_is_told_once(void **state)
{
    static const struct {
        const char *text;
        unsigned code;
    } rows[] = {
        {HEAD "period: {type: quarterr}\n" DEADLINE SCHEMA, BAO_BC_FIELD_WORD_NEAR},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {x-for: ward}\n",
         BAO_BC_FORM_XFOR},
        {HEAD PERIOD DEADLINE
         "schema:\n  type: object\n  properties:\n    l: {x-for: {kinds: [ward], requird: true}}\n",
         BAO_BC_FIELD_UNKNOWN_NEAR},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {x-personal: có}\n",
         BAO_BC_FORM_XPERSONAL},
        {HEAD PERIOD DEADLINE "schema:\n  type: object\n  properties:\n    l: {type: array, maxItems: 2, "
                              "x-key: m, items: {type: object}}\n",
         BAO_BC_FORM_XKEY},
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        assert_int_equal(load(&w, rows[i].text), BAO_FORM_E_BAD);
        if (w.findings.n != 1 || w.findings.by_severity[BAO_ERROR] != 1 ||
            w.findings.items[0].code != rows[i].code) {
            print_message("%s\n", rows[i].text);
            tell(&w);
            fail();
        }
    }
    unload(&w);
}

static void unknown_paths_and_keywords_are_errors(void **state)
{
    static const char *const rows[] = {
        TOP "indicators:\n  - {code: a, label: A, value: self.aa}\n",
        TOP "indicators:\n  - {code: a, label: A, value: prev.a}\n",
        TOP "indicators:\n  - {code: a, label: A, value: self.a +}\n",
        TOP "checks:\n  - {id: c, rule: self.khong_co > 0, message: m}\n",
        HEAD PERIOD DEADLINE "schema:\n  type: object\n  propertis: {}\n",
        HEAD PERIOD DEADLINE
        "schema:\n  type: object\n  properties:\n    m: {$ref: \"common#/$defs/khong_co\"}\n",
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        if (load(&w, rows[i]) != BAO_FORM_E_BAD)
            print_message("%s\n", rows[i]);
        assert_null(w.form);
        assert_true(w.findings.by_severity[BAO_ERROR] >= 1);
        assert_true(w.findings.items[0].at.line > 1);
    }
    unload(&w);
}

/* A mistake in an expression is told with the pointer of its place in the form, in indicators, collect and
 * checks alike. */
static void mistakes_of_expressions_have_pointers(void **state)
{
    static const struct {
        const char *text, *pointer;
    } rows[] = {
        {TOP "indicators:\n  - {code: a, label: A, value: self.a}\n  - {code: b, label: B, value: self.aa}\n",
         "/indicators/1/value"},
        {TOP "collect:\n  - {field: a, heading: A, when: self.aa > 1}\n", "/collect/0/when"},
        {TOP "checks:\n  - {id: c, rule: self.aa > 0, message: m}\n", "/checks/0/rule"},
    };
    struct world w = {.arena = BAO_ARENA_NULL(0)};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        assert_int_equal(load(&w, rows[i].text), BAO_FORM_E_BAD);
        if (!bao_str_is(w.findings.items[0].pointer, rows[i].pointer))
            fail_msg("%s: %.*s", rows[i].pointer, BAO_STR_ARG(w.findings.items[0].pointer));
    }
    unload(&w);
}

/* Findings of a refused form must not point into it: it is gone by then. */
static void findings_outlive_the_form(void **state)
{
    struct world w = {.arena = BAO_ARENA_NULL(0)};
    struct bao_buf out = BAO_BUF_NULL(1 << 20);

    (void)state;
    assert_int_equal(load(&w, TOP "indicators:\n  - {code: B A, label: A, value: self.a}\n"), BAO_FORM_E_BAD);
    assert_int_equal(bao_text_render_all(&out, &w.findings, BAO_STR("t.yaml"), BAO_STR_NULL, BAO_VI, 20), 0);
    assert_non_null(memmem(bao_buf_data(&out), bao_buf_len(&out), "B A", 3));
    bao_buf_deinit(&out);
    unload(&w);
}

static struct bao_period period(const char *text)
{
    struct bao_period p;

    assert_true(bao_period_parse(bao_str_c(text), &p));
    return p;
}

static void the_version_in_force_is_by_the_last_day(void **state)
{
    static const char *const texts[] = {
        "baocao: 1\nid: t\nversion: 1\ntitle: T\neffective: {from: 2026-01-01}\n" PERIOD DEADLINE SCHEMA,
        "baocao: 1\nid: t\nversion: 2\ntitle: T\neffective: {from: 2026-09-14, to: 2026-12-14}\n" PERIOD
            DEADLINE SCHEMA,
        "baocao: 1\nid: o\nversion: 1\ntitle: T\n"
        "period: {type: once, from: 2026-08-01, to: 2026-08-15, due: 2026-08-20}\n" SCHEMA,
    };
    static const struct {
        const char *id, *period;
        int version; /* 0: none */
        bool known;
    } rows[] = {
        {"t", "2026-Q1", 1, true},  {"t", "2025-Q4", 0, true},    {"t", "2026-Q3", 2, true},
        {"t", "2026-Q4", 2, true},  {"t", "2027-Q1", 1, true},    {"t", "2026-09", 0, true},
        {"x", "2026-Q1", 0, false}, {"o", "2026-08-15", 1, true}, {"o", "2026-08-14", 0, true},
    };
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_form *items[BAO_COUNT(texts)] = {NULL};
    const struct bao_forms forms = {items, BAO_COUNT(texts)};

    (void)state;
    bao_findings_init(&findings, &arena, 20);
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        assert_int_equal(bao_form_load(bao_str_c(texts[i]), BAO_STR("t"), NULL, &findings, &items[i]), 0);
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        bool known;
        const struct bao_form *f =
            bao_forms_get(&forms, bao_str_c(rows[i].id), period(rows[i].period), &known);

        assert_int_equal(f == NULL ? 0 : f->version, rows[i].version);
        assert_int_equal(known, rows[i].known);
    }
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        items[i] = bao_form_free(items[i]);
    bao_arena_deinit(&arena);
}

static void an_author_sees_dates_and_warnings(void **state)
{
    struct world w = {.arena = BAO_ARENA_NULL(0)};
    const struct bao_holidays none = {.known_to = bao_date_make(2026, 12, 31)};
    struct bao_form_date dates[24];
    struct bao_findings warnings;
    char name[16];

    (void)state;
    assert_int_equal(load(&w, HEAD REPORTERS PERIOD
                          "deadline:\n  - {kinds: [ward], working_days: 2}\n  - {day: 26, month: last}\n"
                          "effective: {from: 2026-01-01, to: 2027-06-30}\n"
                          "schema:\n  type: object\n  properties:\n    a: {type: number, multipleOf: 0.001}\n"
                          "indicators:\n  - {code: a, label: A, value: self.a, decimals: 3}\n"),
                     0);
    /* Q3 2026 is due to wards on 16/9; to the others on Saturday 26/9, so Monday 28/9. */
    assert_int_equal(bao_form_dates(w.form, &none, BAO_VN_OFFSET, bao_date_make(2026, 9, 17), dates, 24), 7);
    bao_period_print(dates[0].period, name);
    assert_string_equal(name, "2026-Q3");
    assert_int_equal(dates[0].due, bao_time_make(bao_date_make(2026, 9, 29), 0, BAO_VN_OFFSET));
    assert_true(dates[0].after_25 && !dates[0].provisional);
    bao_period_print(dates[6].period, name);
    assert_string_equal(name, "2027-Q2");
    assert_true(dates[6].provisional);
    assert_int_equal(bao_form_dates(w.form, &none, BAO_VN_OFFSET, bao_date_make(2026, 9, 17), dates, 2), 2);
    bao_findings_init(&warnings, &w.arena, 20);
    bao_form_warn(w.form, &none, BAO_VN_OFFSET, bao_date_make(2026, 9, 17), &warnings);
    assert_int_equal(warnings.n, 3);
    assert_int_equal(warnings.items[0].code, BAO_BC_FORM_DAY_25);
    assert_int_equal(warnings.items[1].code, BAO_BC_FORM_THREE_DECIMALS_FIELD);
    assert_int_equal(warnings.items[2].code, BAO_BC_FORM_THREE_DECIMALS);
    unload(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_becomes_what_it_says),
        cmocka_unit_test(mistakes_of_authors_are_told),
        cmocka_unit_test(one_mistake_is_told_once),
        cmocka_unit_test(unknown_paths_and_keywords_are_errors),
        cmocka_unit_test(mistakes_of_expressions_have_pointers),
        cmocka_unit_test(findings_outlive_the_form),
        cmocka_unit_test(the_version_in_force_is_by_the_last_day),
        cmocka_unit_test(an_author_sees_dates_and_warnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
