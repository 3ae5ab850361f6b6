/* Checks of a form: loaded against its schema, run over reports with and without history. */
#include "lib/base/buf.h"
#include "lib/doc/load.h"
#include "lib/form/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char common[] = "$defs:\n"
                             "  money: {title: Số tiền, x-en: Money, type: integer}\n"
                             "  evidence:\n"
                             "    type: object\n"
                             "    properties: {so: {type: string}, tien: {$ref: '#/$defs/money'}}\n";

/* A form's schema; the checks of a test are put behind it. */
static const char schema[] =
    "schema:\n"
    "  type: object\n"
    "  $defs: {dem: {type: integer, title: Đếm}}\n"
    "  properties:\n"
    "    a: {type: integer, title: Số a, x-en: Figure a}\n"
    "    b: {type: integer}\n"
    "    c: {$ref: '#/$defs/dem'}\n"
    "    ten: {type: string}\n"
    "    co: {type: boolean}\n"
    "    kinh_phi:\n"
    "      title: Kinh phí\n"
    "      x-en: Budget\n"
    "      type: object\n"
    "      properties: {giao: {$ref: 'common#/$defs/money'}, giai_ngan: {type: integer}}\n"
    "    minh_chung: {$ref: 'common#/$defs/evidence'}\n"
    "    rieng: {type: integer, x-for: [department]}\n"
    "    ds: {type: array, items: {type: integer}}\n"
    "    nhiem_vu:\n"
    "      title: Nhiệm vụ\n"
    "      x-en: Tasks\n"
    "      type: array\n"
    "      x-key: ma\n"
    "      items:\n"
    "        allOf: [{properties: {phu: {type: string}}}]\n"
    "        type: object\n"
    "        properties: {ma: {type: string}, tien_do: {type: number, title: Tiến độ, x-en: Progress}, "
    "trang_thai: {type: string}}\n"
    "    muc_tieu:\n"
    "      type: array\n"
    "      x-key: ma\n"
    "      items:\n"
    "        type: object\n"
    "        properties:\n"
    "          ma: {type: string}\n"
    "          nguong: {type: integer}\n"
    "          kr: {type: array, x-key: so, items: {type: object, properties: {so: {type: integer}, diem: "
    "{type: integer}}}}\n";

struct world {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_doc common, doc, data, prev, prev_year, explain;
    struct bao_check_loader loader;
    struct bao_indicator indicators[3];
    struct bao_unit unit;
    struct bao_str group;
    struct bao_form form;
    struct bao_history history;
    struct bao_ytd ytd[3];
    struct bao_check_context context;
    struct bao_check_tally tally;
};

static void load(struct world *w, const char *text, struct bao_doc *ret)
{
    struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT, .format = BAO_FORMAT_YAML};

    if (bao_load(&w->arena, bao_str_c(text), &options, &w->findings, ret) != 0)
        fail_msg("does not load: %s (%u:%u)", text, w->findings.items[0].at.line,
                 w->findings.items[0].at.column);
}

/* Loads a form that has these checks: what bao_checks_load says. */
static int start(struct world *w, const char *checks)
{
    BAO_CLEANUP(bao_freep) char *text = NULL;
    struct bao_str kept;

    *w = (struct world){.arena = BAO_ARENA_NULL(64u << 20)};
    bao_findings_init(&w->findings, &w->arena, 50);
    assert_true(asprintf(&text, "%schecks:\n%s", schema, checks) > 0);
    kept = bao_arena_str(&w->arena, bao_str_c(text));
    load(w, common, &w->common);
    load(w, kept.p, &w->doc);
    w->indicators[0].code = BAO_STR("a_sum");
    w->indicators[1].code = BAO_STR("train.direct");
    w->indicators[2].code = BAO_STR("train.online");
    w->group = BAO_STR("phu-yen-cu");
    w->unit = (struct bao_unit){.code = BAO_STR("24133"),
                                .kind = BAO_STR("ward"),
                                .name = BAO_STR("Phường 1"),
                                .groups = &w->group,
                                .n_groups = 1};
    w->loader = (struct bao_check_loader){.arena = &w->arena,
                                          .schema = bao_node_get(&w->doc.root, "schema"),
                                          .common = &w->common.root,
                                          .source = w->doc.source,
                                          .root = &w->doc.root,
                                          .indicators = w->indicators,
                                          .n_indicators = 3,
                                          .findings = &w->findings};
    w->form.indicators = w->indicators;
    w->form.n_indicators = 3;
    w->context = (struct bao_check_context){.which = BAO_CHECKS_PLAIN,
                                            .pointer = BAO_STR("/data"),
                                            .vars = {.unit_code = BAO_STR("24133"),
                                                     .unit = &w->unit,
                                                     .period = {.year = 2026, .type = BAO_P_QUARTER, .n = 3},
                                                     .from = bao_date_make(2026, 6, 15),
                                                     .to = bao_date_make(2026, 9, 14),
                                                     .due = bao_date_make(2026, 9, 16),
                                                     .form = &w->form}};
    return bao_checks_load(&w->loader, bao_node_get(&w->doc.root, "checks"), &w->form.checks,
                           &w->form.n_checks);
}

static void start_well(struct world *w, const char *checks)
{
    int r = start(w, checks);

    if (r != 0)
        fail_msg("%s: BC%u at %u:%u", checks, w->findings.n != 0 ? w->findings.items[0].code : 0,
                 w->findings.items[0].at.line, w->findings.items[0].at.column);
}

static void with_prev(struct world *w, const char *prev)
{
    if (prev != NULL)
        load(w, prev, &w->prev);
    w->history = (struct bao_history){.prev = prev == NULL ? NULL : &w->prev.root};
    w->context.vars.history = &w->history;
    w->context.which = BAO_CHECKS_ALL;
}

/* Judges a report: codes of the findings with severity and item, "3001e 3003c/NV-03". */
static const char *judge(struct world *w, const char *data, char ret[512])
{
    size_t before = w->findings.n, n = 0;

    load(w, data, &w->data);
    w->context.vars.self = &w->data.root;
    ret[0] = '\0';
    assert_int_equal(bao_checks_run(&w->form, &w->arena, &w->context, &w->findings, &w->tally), 0);
    for (size_t i = before; i < w->findings.n; i++) {
        const struct bao_finding *f = &w->findings.items[i];

        n += (size_t)snprintf(ret + n, 512 - n, "%s%u%c%s%.*s", i == before ? "" : " ", f->code,
                              "ecw"[f->severity], f -> item.n != 0 ? "/" : "", BAO_STR_ARG(f->item));
    }
    return ret;
}

static const struct bao_finding *last(const struct world *w)
{
    assert_true(w->findings.n != 0);
    return &w->findings.items[w->findings.n - 1];
}

static void end(struct world *w)
{
    bao_arena_deinit(&w->arena);
}

struct row {
    const char *data, *answer;
};

static void judge_rows(const char *checks, const char *prev, const struct row *rows, size_t n)
{
    char got[512];

    for (size_t i = 0; i < n; i++) {
        struct world w;

        start_well(&w, checks);
        if (prev != NULL)
            with_prev(&w, *prev == '\0' ? NULL : prev);
        judge(&w, rows[i].data, got);
        if (strcmp(got, rows[i].answer) != 0)
            fail_msg("%s with %s gives %s, not %s", checks, rows[i].data, got, rows[i].answer);
        end(&w);
    }
}

/* ---- DHIS2's eight operators and three missing strategies ---- */

static void eight_operators_are_expressible(void **state)
{
    static const struct {
        const char *rule, *good, *bad;
    } rows[] = {
        {"self.a == self.b", "{a: 3, b: 3}", "{a: 3, b: 4}"},
        {"self.a != self.b", "{a: 3, b: 4}", "{a: 3, b: 3}"},
        {"self.a > self.b", "{a: 4, b: 3}", "{a: 3, b: 3}"},
        {"self.a >= self.b", "{a: 3, b: 3}", "{a: 2, b: 3}"},
        {"self.a < self.b", "{a: 2, b: 3}", "{a: 3, b: 3}"},
        {"self.a <= self.b", "{a: 3, b: 3}", "{a: 4, b: 3}"},
        {"has(self.a) == has(self.b)", "{a: 1, b: 2}", "{a: 1}"},
        {"has(self.a) == has(self.b)", "{}", "{b: 1}"},
        {"!(has(self.a) && has(self.b))", "{a: 1}", "{a: 1, b: 2}"},
        {"!(has(self.a) && has(self.b))", "{}", "{a: 0, b: 0}"},
    };
    char check[200];

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        snprintf(check, sizeof(check), "  - {id: x, rule: \"%s\"}\n", rows[i].rule);
        judge_rows(check, NULL, &(struct row){rows[i].good, ""}, 1);
        judge_rows(check, NULL, &(struct row){rows[i].bad, "3001e"}, 1);
    }
}

static void missing_strategies(void **state)
{
    static const char head[] = "  - {id: x, rule: 'self.a <= self.b', missing: ";
    static const struct {
        const char *missing;
        struct row rows[5];
    } sets[] = {
        {"skip-any",
         {{"{a: 5, b: 1}", "3001e"}, {"{a: 5}", ""}, {"{b: 1}", ""}, {"{}", ""}, {"{a: null, b: 1}", ""}}},
        {"skip-all",
         {{"{a: 5, b: 1}", "3001e"},
          {"{a: 5}", "3001e"},
          {"{b: 1}", ""},
          {"{}", ""},
          {"{a: 5, b: null}", "3001e"}}},
        {"zero",
         {{"{a: 5, b: 1}", "3001e"}, {"{a: 5}", "3001e"}, {"{b: 1}", ""}, {"{}", ""}, {"{b: -1}", "3001e"}}},
        {"fail",
         {{"{a: 5, b: 1}", "3001e"},
          {"{a: 5}", "3011e"},
          {"{b: 1}", "3011e"},
          {"{}", "3011e"},
          {"{a: 1, b: 1}", ""}}},
    };
    char check[200];

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(sets); i++) {
        snprintf(check, sizeof(check), "%s%s}\n", head, sets[i].missing);
        judge_rows(check, NULL, sets[i].rows, 5);
    }
}

static void zero_is_of_the_schema_type(void **state)
{
    static const struct row rows[] = {{"{}", ""},
                                      {"{a: 1}", "3001e"},
                                      {"{ten: x}", "3001e"},
                                      {"{co: true}", "3001e"},
                                      {"{ds: [1]}", "3001e"}};
    static const struct row lists[] = {{"{nhiem_vu: [{ma: A}, {ma: B, tien_do: 2}]}", ""},
                                       {"{nhiem_vu: [{ma: A, tien_do: 1}, {ma: B, tien_do: 2}]}", "3001e"},
                                       {"{}", "3001e"}};

    (void)state;
    judge_rows("  - {id: x, missing: zero, rule: \"self.a == 0 && self.ten == '' && !self.co && "
               "size(self.ds) == 0 && self.kinh_phi.giao == 0\"}\n",
               NULL, rows, BAO_COUNT(rows));
    judge_rows("  - {id: x, missing: zero, rule: 'self.nhiem_vu.map(x, x.tien_do).sum() == 2'}\n", NULL,
               lists, BAO_COUNT(lists));
}

static void missing_looks_into_lists_and_past_guards(void **state)
{
    static const struct row lists[] = {{"{a: 1, nhiem_vu: [{ma: A, tien_do: 2}]}", "3001e"},
                                       {"{a: 1, nhiem_vu: [{ma: A, tien_do: 2}, {ma: B}]}", ""},
                                       {"{a: 1, nhiem_vu: []}", "3001e"},
                                       {"{a: 1}", ""}};
    static const struct row guarded[] = {
        {"{a: 1, b: 5}", "3001e"}, {"{a: 1}", ""}, {"{b: 5}", ""}, {"{a: 9, b: 5}", ""}};

    (void)state;
    judge_rows("  - {id: x, rule: 'self.nhiem_vu.map(x, x.tien_do).sum() == self.a'}\n", NULL, lists,
               BAO_COUNT(lists));
    judge_rows("  - {id: x, missing: fail, rule: '!has(self.a) || !has(self.b) || self.a >= self.b'}\n", NULL,
               guarded, BAO_COUNT(guarded));
}

static void a_part_of_other_kinds_is_not_missing(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(&w, "  - {id: x, missing: fail, rule: 'self.rieng > 0'}\n");
    assert_string_equal(judge(&w, "{}", got), "");
    w.unit.kind = BAO_STR("department");
    assert_string_equal(judge(&w, "{}", got), "3011e");
    end(&w);
}

static void when_decides_whether_to_run(void **state)
{
    static const struct row rows[] = {
        {"{a: 1, b: 5}", "3001e"}, {"{a: 0, b: 5}", ""}, {"{b: 5}", ""}, {"{a: 1}", ""}};
    static const struct row broken[] = {{"{a: 0, b: 5}", ""}, {"{a: 1, b: 5}", "3001e"}};

    (void)state;
    judge_rows("  - {id: x, when: self.a > 0, rule: self.b < 5}\n", NULL, rows, BAO_COUNT(rows));
    judge_rows("  - {id: x, when: 1 / self.a > 0, rule: self.b < 5}\n", NULL, broken, BAO_COUNT(broken));
    judge_rows("  - {id: x, when: true, rule: false}\n", NULL, &(struct row){"{}", "3001e"}, 1);
}

static void what_cannot_be_evaluated_is_told(void **state)
{
    (void)state;
    judge_rows("  - {id: x, rule: 'self.a / self.b > 1'}\n", NULL, &(struct row){"{a: 1, b: 0}", "3203e"}, 1);
    judge_rows("  - {id: x, rule: 'self.a / self.b > 1', severity: warning}\n", NULL,
               &(struct row){"{a: 1, b: 0}", "3203w"}, 1);
    judge_rows("  - {id: x, rule: 'self.a < self.ten'}\n", NULL, &(struct row){"{a: 1, ten: x}", "3202e"}, 1);
    judge_rows("  - {id: x, rule: 'self.a'}\n", NULL, &(struct row){"{a: 1}", "3212e"}, 1);
    judge_rows("  - {id: x, rule: 'has(self.a) || self.b > 1', missing: fail}\n", NULL,
               &(struct row){"{a: 1}", "3011e"}, 1);
    judge_rows(
        "  - {id: x, rule: 'size(self.ds.map(x, self.ds.map(y, self.ds.map(z, x + y + z)))) > 1'}\n", NULL,
        &(struct row){
            "{ds: "
            "[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,"
            "7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,"
            "4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9]}",
            "3207e"},
        1);
}

/* ---- findings ---- */

static void findings_stand_at_the_value(void **state)
{
    struct world w;
    char got[512];
    const struct bao_finding *f;

    (void)state;
    start_well(&w, "  - id: giai-ngan\n    rule: self.kinh_phi.giai_ngan <= self.kinh_phi.giao\n    at: "
                   "kinh_phi.giai_ngan\n"
                   "    message: {vi: \"Đã chi {self.kinh_phi.giai_ngan} / {{{self.kinh_phi.giao}}} "
                   "({round(self.kinh_phi.giai_ngan / self.kinh_phi.giao, 1)}, {1 / 3}, {self.b})\", en: "
                   "'Spent {self.kinh_phi.giai_ngan}'}\n");
    assert_string_equal(judge(&w, "ten: x\nkinh_phi:\n  giao: 10\n  giai_ngan: 25\n", got), "3001e");
    f = last(&w);
    assert_int_equal(f->at.line, 4);
    assert_int_equal(f->at.column, 14);
    assert_true(bao_str_is(f->pointer, "/data/kinh_phi/giai_ngan"));
    assert_true(bao_str_is(f->path, "kinh_phi.giai_ngan"));
    assert_true(bao_str_is(f->titles[BAO_VI], "Kinh phí › giai_ngan"));
    assert_true(bao_str_is(f->titles[BAO_EN], "Budget › giai_ngan"));
    assert_true(bao_str_is(f->check, "giai-ngan"));
    assert_true(bao_str_is(f->message[BAO_VI], "Đã chi 25 / {10} (2.5, 0.333333, (để trống))"));
    assert_true(bao_str_is(f->message[BAO_EN], "Spent 25"));
    end(&w);
}

static void an_absent_place_is_told_at_its_parent(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(
        &w,
        "  - {id: x, rule: has(self.kinh_phi.giao), at: kinh_phi.giao}\n  - {id: y, rule: has(self.a)}\n");
    assert_string_equal(judge(&w, "ten: x\nkinh_phi:\n  giai_ngan: 25\n", got), "3001e 3001e");
    assert_int_equal(w.findings.items[0].at.line, 2);
    assert_true(bao_str_is(w.findings.items[0].pointer, "/data/kinh_phi"));
    assert_true(bao_str_is(w.findings.items[0].path, "kinh_phi.giao"));
    assert_true(bao_str_is(w.findings.items[1].path, "a"));
    assert_true(bao_str_is(w.findings.items[1].pointer, "/data"));
    end(&w);
}

static void items_are_judged_one_by_one(void **state)
{
    struct world w;
    char got[512];
    const struct bao_finding *f;

    (void)state;
    start_well(&w, "  - {id: x, each: nhiem_vu, rule: item.tien_do <= 100, at: tien_do, message: 'Mục "
                   "{item.ma}: {item.tien_do}'}\n");
    assert_string_equal(judge(&w,
                              "nhiem_vu:\n  - {ma: A, tien_do: 50}\n  - {ma: B, tien_do: 150}\n  - {ma: C}\n "
                              " - {ma: D, tien_do: 101}\n",
                              got),
                        "3001e/B 3001e/D");
    f = &w.findings.items[0];
    assert_int_equal(f->at.line, 3);
    assert_true(bao_str_is(f->pointer, "/data/nhiem_vu/1/tien_do"));
    assert_true(bao_str_is(f->path, "nhiem_vu[B].tien_do"));
    assert_true(bao_str_is(f->titles[BAO_VI], "Nhiệm vụ › B › Tiến độ"));
    assert_true(bao_str_is(f->titles[BAO_EN], "Tasks › B › Progress"));
    assert_true(bao_str_is(f->message[BAO_VI], "Mục B: 150"));
    assert_int_equal(f->message[BAO_EN].n, 0);
    end(&w);
}

static void nested_items_have_a_parent(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(
        &w,
        "  - {id: x, each: muc_tieu.kr, rule: item.diem <= parent.nguong, at: diem, severity: confirm}\n");
    load(&w, "x: {O1: {1: đã có kế hoạch bù}, O2.1: đã có kế hoạch bù}", &w.explain);
    w.context.explain = &w.explain.root;
    assert_string_equal(judge(&w,
                              "muc_tieu: [{ma: O1, nguong: 5, kr: [{so: 1, diem: 9}, {so: 2, diem: 8}]}, "
                              "{ma: O2, nguong: 7, kr: [{so: 1, diem: 8}, {so: 2, diem: 7}]}, {ma: O3}]",
                              got),
                        "3005w/O1.1 3003c/O1.2 3005w/O2.1");
    assert_true(bao_str_is(w.findings.items[1].path, "muc_tieu[O1].kr[2].diem"));
    assert_true(bao_str_is(w.findings.items[1].pointer, "/data/muc_tieu/0/kr/1/diem"));
    end(&w);
}

static void schema_findings_silence_checks(void **state)
{
    static const struct {
        const char *pointer, *keyword, *answer;
    } rows[] = {
        {"/data/a", "/properties/a/type", "3001e/A"},
        {"/data/b", "/x/maximum", "3001e/A"},
        {"/data/ten", "/x/minLength", "3001e 3001e/A"},
        {"/data/nhiem_vu/0/tien_do", "/x/maximum", "3001e"},
        {"/data/nhiem_vu/1/tien_do", "/x/maximum", "3001e 3001e/A"},
        {"/data/nhiem_vu/0", "/x/type", "3001e"},
        {"/data/nhiem_vu", "/x/maxItems", "3001e 3001e/A"},
        {"/data/nhiem_vu", "/x/type", "3001e"},
        {"/data", "/required", "3001e 3001e/A"},
        {"/data", "/type", ""},
        {"", "", "3001e 3001e/A"},
        {"/period", "", "3001e 3001e/A"},
        {"/data/a/deeper", "/x/type", "3001e/A"},
        {"/datax", "/type", "3001e 3001e/A"},
        {"/data/nhiem_vu/0/ma", "/x/pattern", "3001e 3001e/A"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct world w;
        char got[512];
        struct bao_finding *f;

        start_well(
            &w,
            "  - {id: x, rule: self.a <= self.b}\n  - {id: y, each: nhiem_vu, rule: item.tien_do <= 100}\n");
        f = bao_findings_add(&w.findings, 2001, BAO_ERROR, (struct bao_place){.line = 1});
        f->pointer = bao_str_c(rows[i].pointer);
        f->keyword = bao_str_c(rows[i].keyword);
        judge(&w, "{a: 5, b: 1, nhiem_vu: [{ma: A, tien_do: 101}]}", got);
        if (strcmp(got, rows[i].answer) != 0)
            fail_msg("%s %s gives %s, not %s", rows[i].pointer, rows[i].keyword, got, rows[i].answer);
        end(&w);
    }
}

static void a_missing_field_told_by_the_schema_is_not_told_again(void **state)
{
    struct world w;
    char got[512];
    struct bao_finding *f;

    (void)state;
    start_well(&w, "  - {id: x, missing: fail, rule: self.a <= self.b}\n");
    f = bao_findings_add(&w.findings, 2001, BAO_ERROR, (struct bao_place){.line = 1});
    f->pointer = BAO_STR("/data");
    f->keyword = BAO_STR("/required");
    assert_string_equal(judge(&w, "{a: 5}", got), "");
    end(&w);
}

/* ---- explanations ---- */

static void confirm_needs_an_explanation(void **state)
{
    static const struct {
        const char *explain, *answer;
    } rows[] = {
        {"{}", "3002c 3003c/A"},
        {"{x: Kinh phí được giao ngày 20/8 nên chưa kịp., y: {A: Chờ hướng dẫn của sở}}", "3005w 3005w/A"},
        {"{x: 123456 789012 ok}", "3006c 3002c 3003c/A"},
        {"{x: ước lượng đ}", "3006c 3002c 3003c/A"},
        {"{x: ước lượng đủ}", "3005w 3003c/A"},
        {"{x: 12, y: {A: [a]}}", "3007c 3002c 3007c/A 3003c/A"},
        {"{y: một câu chung cho mọi mục}", "3002c 3008c/A 3003c/A"},
        {"{y: {B: Chờ hướng dẫn của sở}}", "3002c 3003c/A"},
        {"{cham-nop: gì đó, qqqqqq: thừa}", "3002c 3003c/A 3010w 3009w"},
        {"{x: null}", "3002c 3003c/A"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct world w;
        char got[512];

        start_well(&w, "  - {id: x, rule: self.a <= self.b, severity: confirm}\n  - {id: y, each: nhiem_vu, "
                       "rule: item.tien_do <= 100, severity: confirm}\n  - {id: cham-nap, rule: true}\n");
        load(&w, rows[i].explain, &w.explain);
        w.context.explain = &w.explain.root;
        judge(&w, "{a: 5, b: 1, nhiem_vu: [{ma: A, tien_do: 101}]}", got);
        if (strcmp(got, rows[i].answer) != 0)
            fail_msg("%s gives %s, not %s", rows[i].explain, got, rows[i].answer);
        end(&w);
    }
}

static void an_explanation_nobody_asked_for_is_ignored(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(&w, "  - {id: x, rule: self.a <= self.b, severity: confirm}\n");
    load(&w, "{x: ngắn}", &w.explain);
    w.context.explain = &w.explain.root;
    assert_string_equal(judge(&w, "{a: 1, b: 1}", got), "");
    end(&w);
}

/* ---- history ---- */

static void history_checks_wait_for_history(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(&w, "  - {id: x, rule: self.a >= prev.a}\n  - {id: y, rule: self.a > 0}\n  - {id: z, rule: "
                   "self.a > 0, message: 'Trước là {prev.a}'}\n");
    assert_true(w.form.checks[0].looks_back != 0);
    assert_int_equal(w.form.checks[1].looks_back, 0);
    assert_true(w.form.checks[2].looks_back != 0);
    assert_string_equal(judge(&w, "{a: 0}", got), "3001e");
    assert_int_equal(w.tally.unjudged, 2);
    assert_int_equal(w.tally.run, 1);
    with_prev(&w, "{a: 5}");
    w.context.which = BAO_CHECKS_HISTORY;
    assert_string_equal(judge(&w, "{a: 0}", got), "3001e 3001e");
    assert_int_equal(w.tally.unjudged, 0);
    assert_true(bao_str_is(last(&w)->message[BAO_VI], "Trước là 5"));
    end(&w);
}

static void prev_may_be_null(void **state)
{
    static const char checks[] = "  - {id: x, when: prev != null, rule: self.a >= prev.a}\n";

    (void)state;
    judge_rows(checks, "{a: 5}", (struct row[]){{"{a: 4}", "3001e"}, {"{a: 5}", ""}, {"{b: 1}", ""}}, 3);
    judge_rows(checks, "", &(struct row){"{a: 4}", ""}, 1);
    judge_rows("  - {id: x, rule: self.a >= prev.a}\n", "", &(struct row){"{a: 4}", ""}, 1);
    judge_rows("  - {id: x, missing: zero, rule: self.a >= prev.a + 5}\n", "",
               &(struct row){"{a: 4}", "3001e"}, 1);
}

static void items_meet_their_earlier_selves(void **state)
{
    static const char checks[] = "  - {id: lui, each: nhiem_vu, when: prev_item != null, rule: item.tien_do "
                                 ">= prev_item.tien_do, at: tien_do, severity: confirm}\n";

    (void)state;
    judge_rows(
        checks, "{nhiem_vu: [{ma: B, tien_do: 50}, {ma: A, tien_do: 40}]}",
        (struct row[]){
            {"{nhiem_vu: [{ma: A, tien_do: 39}, {ma: B, tien_do: 50}, {ma: C, tien_do: 0}]}", "3003c/A"},
            {"{nhiem_vu: [{ma: A}]}", ""}},
        2);
    judge_rows(checks, "", &(struct row){"{nhiem_vu: [{ma: A, tien_do: 39}]}", ""}, 1);
}

/* A file from a Mac has its accents apart, and blanks slip in: the same words all the same. */
static void text_is_compared_as_the_schema_does(void **state)
{
    static const struct row rows[] = {{"{ten: \"Hoa\u0300n tha\u0300nh \"}", ""},
                                      {"{ten: Hoàn thành}", ""},
                                      {"{ten: Hoàn thanh}", "3001e"}};
    static const char items[] = "  - {id: x, each: nhiem_vu, rule: prev_item != null}\n";

    (void)state;
    judge_rows("  - {id: x, rule: \"self.ten in ['Hủy', 'Hoàn thành'] && self.ten.contains('oàn') && "
               "self.ten.matches('^Hoàn')\"}\n",
               NULL, rows, BAO_COUNT(rows));
    judge_rows(items, "{nhiem_vu: [{ma: Một}]}",
               &(struct row){"{nhiem_vu: [{ma: \"Mo\u0323\u0302t \"}]}", ""}, 1);
}

static void lost_items_are_missed(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(&w, "  - id: sot\n    each: prev.nhiem_vu\n    when: \"!(item.trang_thai in ['Hoàn thành', "
                   "'Hủy'])\"\n    rule: now_item != null\n"
                   "    message: {vi: 'Thiếu {item.ma}'}\n");
    with_prev(&w, "{nhiem_vu: [{ma: A, trang_thai: Đang làm}, {ma: B, trang_thai: Hoàn thành}, {ma: C}, {ma: "
                  "D, trang_thai: Đang làm}]}");
    assert_string_equal(judge(&w, "a: 1\nnhiem_vu:\n  - ma: D\n", got), "3001e/A");
    assert_int_equal(last(&w)->at.line, 2);
    assert_true(bao_str_is(last(&w)->path, "nhiem_vu"));
    assert_true(bao_str_is(last(&w)->pointer, "/data/nhiem_vu"));
    assert_true(bao_str_is(last(&w)->message[BAO_VI], "Thiếu A"));
    assert_string_equal(judge(&w, "a: 1\n", got), "3001e/A 3001e/D");
    end(&w);
}

static void sums_of_the_year(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(&w, "  - {id: x, rule: self.a + ytd.a_sum <= 10}\n  - {id: y, rule: self.b + ytd.train.direct "
                   "<= 10}\n  - {id: z, rule: self.c + ytd.train.online <= 10}\n");
    with_prev(&w, "{}");
    w.history.ytd = w.ytd;
    w.ytd[0] = (struct bao_ytd){true, bao_num_int(7)};
    w.ytd[1] = (struct bao_ytd){true, bao_num_int(8)};
    assert_string_equal(judge(&w, "{a: 4, b: 3, c: 99}", got), "3001e 3001e");
    assert_string_equal(judge(&w, "{a: 3, b: 2, c: 99}", got), "");
    end(&w);
}

/* Each check waits only for what it reads itself. */
static void what_is_not_known_stays_unjudged(void **state)
{
    static const struct {
        unsigned unknown;
        const char *answer;
        size_t unjudged;
    } rows[] = {
        {0, "3001e 3001e 3001e", 0},
        {BAO_BACK_PREV, "3001e 3001e", 1},
        {BAO_BACK_PREV_YEAR, "3001e 3001e", 1},
        {BAO_BACK_YTD, "3001e 3001e", 1},
        {BAO_BACK_PREV | BAO_BACK_PREV_YEAR | BAO_BACK_YTD, "", 3},
    };
    char got[512];

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct world w;

        start_well(&w, "  - {id: x, rule: self.a > prev.a}\n  - {id: y, rule: self.a > prev_year.a}\n"
                       "  - {id: z, rule: self.a > ytd.a_sum}\n");
        assert_int_equal(bao_checks_look_back(&w.form), BAO_BACK_PREV | BAO_BACK_PREV_YEAR | BAO_BACK_YTD);
        with_prev(&w, "{a: 3}");
        w.history.prev_year = w.history.prev;
        w.history.ytd = w.ytd;
        w.ytd[0] = (struct bao_ytd){true, bao_num_int(3)};
        w.history.unknown = (uint8_t)rows[i].unknown;
        assert_string_equal(judge(&w, "{a: 3}", got), rows[i].answer);
        assert_int_equal(w.tally.unjudged, rows[i].unjudged);
        end(&w);
    }
}

static void the_same_period_last_year(void **state)
{
    struct world w;
    char got[512];

    (void)state;
    start_well(&w, "  - {id: x, rule: self.a >= prev_year.a}\n");
    with_prev(&w, NULL);
    load(&w, "{a: 3}", &w.prev_year);
    w.history.prev_year = &w.prev_year.root;
    assert_string_equal(judge(&w, "{a: 2}", got), "3001e");
    end(&w);
}

static void period_and_unit_are_known(void **state)
{
    static const char check[] =
        "  - {id: x, rule: \"period.label == '2026-Q3' && period.from == '2026-06-15' && period.to == "
        "'2026-09-14' && period.year == 2026"
        " && period.n == 3 && period.due == '2026-09-16' && unit.code == '24133' && unit.kind == 'ward' && "
        "unit.name == 'Phường 1' && 'phu-yen-cu' in unit.groups\"}\n";
    struct world w;
    char got[512];

    (void)state;
    judge_rows(check, NULL, &(struct row){"{}", ""}, 1);
    start_well(&w, "  - {id: x, rule: \"unit.code == '24133' && !has(unit.kind) && !has(period.due)\"}\n");
    w.context.vars.unit = NULL;
    w.context.vars.due = BAO_DATE_NONE;
    assert_string_equal(judge(&w, "{}", got), "");
    end(&w);
}

/* ---- mistakes of a form ---- */

static void mistakes_are_told_at_their_place(void **state)
{
    static const struct {
        const char *check;
        unsigned code;
        unsigned column; /* 0: anywhere */
        const char *arg; /* last argument */
    } rows[] = {
        {"  - {id: x, rule: self.tenn > 1}\n", BAO_BC_RULE_PATH_NEAR, 19, "ten"},
        {"  - {id: x, rule: 'self.kinh_phi.giao2 > 1'}\n", BAO_BC_RULE_PATH_NEAR, 20, "giao"},
        {"  - {id: x, rule: '1 < self.minh_chung.tienn'}\n", BAO_BC_RULE_PATH_NEAR, 24, "tien"},
        {"  - {id: x, rule: self.zzzzzzzz > 1}\n", BAO_BC_RULE_PATH, 19, "self.zzzzzzzz"},
        {"  - {id: x, rule: self.nhiem_vu.ma == ''}\n", BAO_BC_RULE_LIST, 19, "nhiem_vu"},
        {"  - {id: x, rule: self.a.b > 1}\n", BAO_BC_RULE_NOT_MAP, 19, "b"},
        {"  - {id: x, rule: 'self.nhiem_vu.all(x, x.tiendo > 1)'}\n", BAO_BC_RULE_PATH_NEAR, 41, "tien_do"},
        {"  - {id: x, rule: slef.a > 1}\n", BAO_BC_RULE_NAME, 19, "self, prev, prev_year, ytd, period, unit"},
        {"  - {id: x, rule: item.ma == ''}\n", BAO_BC_RULE_NAME, 19, NULL},
        {"  - {id: x, each: nhiem_vu, rule: item.maa == ''}\n", BAO_BC_RULE_PATH_NEAR, 35, "ma"},
        {"  - {id: x, each: nhiem_vu, rule: parent.ma == ''}\n", BAO_BC_RULE_NAME, 35, NULL},
        {"  - {id: x, each: nhiem_vu, rule: now_item.ma == ''}\n", BAO_BC_RULE_NAME, 35, NULL},
        {"  - {id: x, rule: ytd.a_sun > 1}\n", BAO_BC_RULE_CODE_NEAR, 19, "a_sum"},
        {"  - {id: x, rule: ytd.qqqqqqq > 1}\n", BAO_BC_RULE_CODE, 19, NULL},
        {"  - {id: x, rule: period.lable == ''}\n", BAO_BC_RULE_PATH_NEAR, 19, "label"},
        {"  - {id: x, rule: unit.zzzzzz == ''}\n", BAO_BC_RULE_PATH, 19, NULL},
        {"  - {id: x, rule: self.a = 1}\n", BAO_BC_EXPR_MISSPELT, 26, "=="},
        {"  - {id: x, rule: 'sise(self.ten) > 1'}\n", BAO_BC_EXPR_FUNCTION_NEAR, 20, "size"},
        {"  - {id: x, rule: \"self.ten == \\\"\\\" && self.tenn > 1\"}\n", BAO_BC_RULE_PATH_NEAR, 40, "ten"},
        {"  - {id: x, rule: [1]}\n", BAO_BC_RULE_NOT_TEXT, 19, NULL},
        {"  - {id: X y, rule: 1 == 1}\n", BAO_BC_CHECK_ID, 10, "X y"},
        {"  - {id: x, rule: 1 == 1}\n  - {id: x, rule: 1 == 1}\n", BAO_BC_CHECK_TWICE, 10, NULL},
        {"  - {id: x, each: ds, rule: item > 1}\n", BAO_BC_CHECK_EACH, 19, "ds"},
        {"  - {id: x, each: kinh_phi, rule: 1 == 1}\n", BAO_BC_CHECK_EACH, 19, "kinh_phi"},
        {"  - {id: x, each: nhiemvu, rule: 1 == 1}\n", BAO_BC_RULE_PATH_NEAR, 19, "nhiem_vu"},
        {"  - {id: x, each: prev.nhiem_vuu, rule: 1 == 1}\n", BAO_BC_RULE_PATH_NEAR, 24, "nhiem_vu"},
        {"  - {id: x, rule: 1 == 1, at: kinh_phi.gia}\n", BAO_BC_RULE_PATH_NEAR, 31, "giao"},
        {"  - {id: x, rule: 1 == 1, message: 'a {self.tenn} b'}\n", BAO_BC_RULE_PATH_NEAR, 40, "ten"},
        {"  - {id: x, rule: 1 == 1, message: {vi: a, en: 'x {self.a'}}\n", BAO_BC_MESSAGE_BRACE, 51, NULL},
        {"  - {id: x, rule: 1 == 1, when: self.tenn > 0}\n", BAO_BC_RULE_PATH_NEAR, 33, "ten"},
        {"  - {id: x, rule: 1 == 1, sevirity: error}\n", 0, 0, NULL},
        {"  - {id: x, rule: 1 == 1, severity: eror}\n", 0, 0, NULL},
        {"  - {id: x}\n", 0, 0, NULL},
        {"  - {rule: 1 == 1}\n", 0, 0, NULL},
        {"  - x\n", 0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct world w;
        const struct bao_finding *f;
        int r = start(&w, rows[i].check);

        if (r != BAO_CHECKS_E_BAD || w.findings.n != 1)
            fail_msg("%s: %d with %zu findings", rows[i].check, r, w.findings.n);
        f = &w.findings.items[0];
        if (rows[i].code != 0 && (f->code != rows[i].code || f->at.column != rows[i].column))
            fail_msg("%s: BC%u at column %u", rows[i].check, f->code, f->at.column);
        if (rows[i].arg != NULL && !bao_str_is(f->args[f->n_args - 1].vi, rows[i].arg))
            fail_msg("%s: names %.*s", rows[i].check, BAO_STR_ARG(f->args[f->n_args - 1].vi));
        end(&w);
    }
}

static void every_mistake_is_told(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(start(&w, "  - {id: x, rule: self.aa + self.bb > 1, at: cc}\n  - {id: y, each: "
                               "nhiem_vu, rule: item.tiendo > 1}\n"),
                     BAO_CHECKS_E_BAD);
    assert_int_equal(w.findings.n, 4);
    end(&w);
}

/* Folded and literal block scalars: the place is in the line of the file. */
static void places_in_block_scalars(void **state)
{
    struct world w;
    unsigned base = 0;

    (void)state;
    for (const char *p = schema; *p != '\0'; p++)
        base += *p == '\n';
    assert_int_equal(start(&w, "  - id: x\n    rule: >-\n      self.a > 1 &&\n      self.bb > 1\n  - id: y\n "
                               "   rule: |\n      self.a > 1\n      && self.cc > 1\n"),
                     BAO_CHECKS_E_BAD);
    assert_int_equal(w.findings.n, 2);
    assert_int_equal(w.findings.items[0].at.line, base + 5);
    assert_int_equal(w.findings.items[0].at.column, 7);
    assert_int_equal(w.findings.items[1].at.line, base + 9);
    assert_int_equal(w.findings.items[1].at.column, 10);
    end(&w);
}

/* ---- indicators ---- */

static void indicator_values(void **state)
{
    static const struct {
        const char *value;
        int decimals;
        const char *data;
        bool present;
        int64_t scaled;
        unsigned code;
    } rows[] = {
        {"self.a", 0, "{a: 5}", true, 5, 0},
        {"self.a", 2, "{a: 5}", true, 500, 0},
        {"self.a", 0, "{}", false, 0, 0},
        {"self.a", 0, "{a: 1.5}", false, 0, BAO_BC_FIGURE_DECIMALS},
        {"self.a + 0", 0, "{a: 1.5}", true, 2, 0},
        {"self.a + 0", 0, "{a: -1.5}", true, -2, 0},
        {"self.a / self.b", 2, "{a: 2, b: 3}", true, 67, 0},
        {"self.a / self.b", 2, "{a: 2, b: 0}", false, 0, 0},
        {"self.ten", 0, "{ten: x}", false, 0, 0},
        {"'self.co ? 1 : 0'", 0, "{co: true}", true, 1, 0},
        {"'self.co ? 1 : 0'", 0, "{}", false, 0, 0},
        {"self.a", 6, "{a: 9000000000000000}", false, 0, BAO_BC_FIGURE_RANGE},
        {"size(self.nhiem_vu)", 0, "{nhiem_vu: [{ma: A}, {ma: B}]}", true, 2, 0},
        {"1", 0, "{}", true, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct world w;
        struct bao_doc value;
        struct bao_indicator ind = {.code = BAO_STR("x"), .decimals = rows[i].decimals};
        bool present;
        int64_t scaled = 0;

        start_well(&w, "  []\n");
        load(&w, rows[i].value, &value);
        w.loader.source = value.source;
        w.loader.root = &value.root;
        if (bao_rule_load(&w.loader, &value.root, 0, BAO_STR_NULL, &ind.value) != 0)
            fail_msg("%s: BC%u", rows[i].value, w.findings.items[0].code);
        load(&w, rows[i].data, &w.data);
        w.context.vars.self = &w.data.root;
        assert_int_equal(bao_indicator_eval(&ind, &w.arena, &w.context, &w.findings, &present, &scaled), 0);
        if (present != rows[i].present || (present && scaled != rows[i].scaled) ||
            w.findings.n != (rows[i].code != 0) ||
            (rows[i].code != 0 && w.findings.items[0].code != rows[i].code))
            fail_msg("%s with %s gives %d %lld", rows[i].value, rows[i].data, present, (long long)scaled);
        end(&w);
    }
}

static void indicators_see_no_history(void **state)
{
    static const char *const values[] = {"prev.a", "prev_year.a", "ytd.a_sum", "self.a + ytd.a_sum"};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(values); i++) {
        struct world w;
        struct bao_doc value;
        const struct bao_expr *expr;

        start_well(&w, "  []\n");
        load(&w, values[i], &value);
        assert_int_equal(bao_rule_load(&w.loader, &value.root, 0, BAO_STR_NULL, &expr), BAO_CHECKS_E_BAD);
        assert_int_equal(w.findings.items[0].code, BAO_BC_RULE_HISTORY);
        end(&w);
    }
}

/* Whatever allocation fails while judging: -ENOMEM, or the whole answer. */
static void memory_may_end_anywhere(void **state)
{
    struct world w;
    size_t done = 0;

    (void)state;
    start_well(&w, "  - {id: x, each: nhiem_vu, rule: item.tien_do <= prev_item.tien_do, severity: confirm, "
                   "message: 'Từ {prev_item.tien_do} lên {item.tien_do}, kỳ {period.label}'}\n"
                   "  - {id: y, rule: 'self.nhiem_vu.map(x, x.tien_do).sum() < ytd.a_sum', message: 'Tổng "
                   "{self.nhiem_vu.map(x, x.tien_do)}'}\n");
    with_prev(&w, "{nhiem_vu: [{ma: A, tien_do: 1}, {ma: B, tien_do: 2.5}]}");
    w.history.ytd = w.ytd;
    w.ytd[0] = (struct bao_ytd){true, bao_num_int(3)};
    load(&w, "{nhiem_vu: [{ma: B, tien_do: 4.25}, {ma: A, tien_do: 9}]}", &w.data);
    load(&w, "{x: {A: đã có lý do đủ dài, B: ngắn}}", &w.explain);
    w.context.vars.self = &w.data.root;
    w.context.explain = &w.explain.root;
    for (size_t cap = 300; cap < 60000; cap += 128) {
        struct bao_arena arena = BAO_ARENA_NULL(cap);
        struct bao_findings findings;
        int r;

        bao_findings_init(&findings, &arena, 20);
        r = bao_checks_run(&w.form, &arena, &w.context, &findings, &w.tally);
        if (r == 0) {
            assert_int_equal(findings.n, 4);
            done++;
        } else {
            assert_int_equal(r, -ENOMEM);
        }
        bao_arena_deinit(&arena);
    }
    assert_true(done > 100 && done < 460);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_operators_are_expressible),
        cmocka_unit_test(missing_strategies),
        cmocka_unit_test(zero_is_of_the_schema_type),
        cmocka_unit_test(missing_looks_into_lists_and_past_guards),
        cmocka_unit_test(a_part_of_other_kinds_is_not_missing),
        cmocka_unit_test(when_decides_whether_to_run),
        cmocka_unit_test(what_cannot_be_evaluated_is_told),
        cmocka_unit_test(findings_stand_at_the_value),
        cmocka_unit_test(an_absent_place_is_told_at_its_parent),
        cmocka_unit_test(items_are_judged_one_by_one),
        cmocka_unit_test(nested_items_have_a_parent),
        cmocka_unit_test(schema_findings_silence_checks),
        cmocka_unit_test(a_missing_field_told_by_the_schema_is_not_told_again),
        cmocka_unit_test(confirm_needs_an_explanation),
        cmocka_unit_test(an_explanation_nobody_asked_for_is_ignored),
        cmocka_unit_test(history_checks_wait_for_history),
        cmocka_unit_test(prev_may_be_null),
        cmocka_unit_test(items_meet_their_earlier_selves),
        cmocka_unit_test(text_is_compared_as_the_schema_does),
        cmocka_unit_test(lost_items_are_missed),
        cmocka_unit_test(sums_of_the_year),
        cmocka_unit_test(what_is_not_known_stays_unjudged),
        cmocka_unit_test(the_same_period_last_year),
        cmocka_unit_test(period_and_unit_are_known),
        cmocka_unit_test(mistakes_are_told_at_their_place),
        cmocka_unit_test(every_mistake_is_told),
        cmocka_unit_test(places_in_block_scalars),
        cmocka_unit_test(indicator_values),
        cmocka_unit_test(indicators_see_no_history),
        cmocka_unit_test(memory_may_end_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
