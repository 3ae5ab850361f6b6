/* The check language: what expressions give, what they read, what is refused. */
#include "lib/base/buf.h"
#include "lib/doc/load.h"
#include "lib/expr/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char data[] = "{\"a\": 7, \"b\": 2, \"d\": 0.1, \"s\": \"Đắk Lắk\", \"t\": true, \"n\": null, "
                           "\"m\": {\"x\": 1, \"ho-so\": 5, \"z\": null},"
                           " \"l\": [3, 1, 2], \"e\": [], \"o\": [{\"k\": \"A\", \"so\": 4}, {\"k\": \"B\"}, "
                           "{\"k\": \"C\", \"so\": 6}], \"day\": \"2026-09-15\"}";

struct world {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_doc doc;
};

static struct bao_value get(void *user, struct bao_str name)
{
    struct world *w = user;

    if (bao_str_is(name, "self"))
        return bao_value_of_node(&w->doc.root);
    return (struct bao_value){.type = BAO_V_ABSENT};
}

static void start(struct world *w)
{
    struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT, .format = BAO_FORMAT_JSON};

    *w = (struct world){.arena = BAO_ARENA_NULL(64u << 20)};
    bao_findings_init(&w->findings, &w->arena, 20);
    assert_int_equal(bao_load(&w->arena, bao_str_c(data), &options, &w->findings, &w->doc), 0);
}

/* The value as text: !code for errors, ~ for absent; ?code:column when it does not parse. */
static const char *answer(struct world *w, const char *text, char *ret, size_t size)
{
    struct bao_place at = {.line = 1, .column = 1};
    struct bao_expr_scope scope = {.get = get, .user = w};
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(100000);
    const struct bao_expr *expr;
    struct bao_value v;
    int r;

    bao_findings_init(&w->findings, &w->arena, 20);
    r = bao_expr_parse(&w->arena, bao_str_c(text), at, &w->findings, &expr);
    if (r != 0) {
        assert_int_equal(r, BAO_EXPR_E_BAD);
        assert_int_equal(w->findings.n, 1);
        snprintf(ret, size, "?%u:%u", w->findings.items[0].code, w->findings.items[0].at.column);
        return ret;
    }
    assert_int_equal(bao_expr_eval(expr, &w->arena, &scope, &v), 0);
    if (v.type == BAO_V_ERROR) {
        snprintf(ret, size, "!%u", v.code);
        return ret;
    }
    if (v.type == BAO_V_ABSENT)
        return "~";
    assert_int_equal(bao_value_print(&buf, v), 0);
    snprintf(ret, size, "%.*s", BAO_STR_ARG(bao_buf_str(&buf)));
    return ret;
}

struct row {
    const char *text, *answer;
};

static void check_rows(const struct row *rows, size_t n)
{
    struct world w;
    char got[4096];
    const char *is;

    start(&w);
    for (size_t i = 0; i < n; i++) {
        is = answer(&w, rows[i].text, got, sizeof(got));
        if (strcmp(is, rows[i].answer) != 0)
            fail_msg("%s gives %s, not %s", rows[i].text, is, rows[i].answer);
    }
    bao_arena_deinit(&w.arena);
}

static void numbers_are_exact(void **state)
{
    static const struct row rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"0.1 + 0.2 == 0.3", "true"},
        {"7 / 2", "3.5"},
        {"6 / 2", "3"},
        {"1 / 3", "3.333333333333333333333333333333333e-1"},
        {"round(1 / 3, 4)", "0.3333"},
        {"2 / 3 > 0.6", "true"},
        {"-7 % 3", "-1"},
        {"7 % -3", "1"},
        {"7.5 % 2", "1.5"},
        {"9223372036854775807 + 1", "9223372036854775808"},
        {"-(-3)", "3"},
        {"--3", "3"},
        {"1 / 0", "!3203"},
        {"1 % 0", "!3203"},
        {"1 == 1.0", "true"},
        {"1e3 == 1000", "true"},
        {".5 + .5", "1"},
        {"0x1F", "31"},
        {"5u + 1", "6"},
        {"10 - 2 - 3", "5"},
        {"2 * 3 % 4", "2"},
        {"1e6000 * 1e6000", "!3204"},
        {"self.a / self.b", "3.5"},
        {"self.d * 3 == 0.3", "true"},
        {"-self.a", "-7"},
        {"-true", "!3202"},
        {"1 + true", "!3202"},
        {"'a' + 1", "!3202"},
        {"'a' + 'b'", "ab"},
        {"[1] + [2, 3]", "1, 2, 3"},
        {"1.5e-1", "0.15"},
        {"[1] - [2]", "!3202"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void comparisons_know_kinds(void **state)
{
    static const struct row rows[] = {
        {"1 < 2", "true"},
        {"2 <= 2", "true"},
        {"3 > 4", "false"},
        {"4 >= 4", "true"},
        {"'a' < 'b'", "true"},
        {"'Z' < 'a'", "true"},
        {"'a' <= 'a'", "true"},
        {"false < true", "true"},
        {"1 < 'a'", "!3202"},
        {"[1] < [2]", "!3202"},
        {"1 == 'a'", "false"},
        {"1 != 'a'", "true"},
        {"[1, 2] == [1, 2.0]", "true"},
        {"[1] == [1, 2]", "false"},
        {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
        {"{'a': 1} == {'a': 2}", "false"},
        {"{'a': 1} == {'b': 1}", "false"},
        {"null == null", "true"},
        {"null == 1", "false"},
        {"self.day <= '2026-09-30'", "true"},
        {"self.m == {'x': 1, 'ho-so': 5}", "true"},
        {"2 in [1, 2]", "true"},
        {"4 in self.l", "false"},
        {"'x' in self.m", "true"},
        {"'z' in self.m", "false"},
        {"1 in 2", "!3202"},
        {"self.s == 'Đắk Lắk'", "true"},
        {"true == !false", "true"},
        {"1 == 1 == true", "true"},
        {"self == self", "true"},
        {"self.l == [3, 1, 2]", "true"},
        {"1 in {1.0 == 1.0: 2}", "false"},
        {"null < null", "!3202"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void logic_absorbs_errors(void **state)
{
    static const struct row rows[] = {
        {"true && false", "false"},
        {"true || false", "true"},
        {"!true", "false"},
        {"!!true", "true"},
        {"!1", "!3202"},
        {"false && 1 / 0 == 1", "false"},
        {"1 / 0 == 1 && false", "false"},
        {"true || 1 / 0 == 1", "true"},
        {"1 / 0 == 1 || true", "true"},
        {"true && 1 / 0 == 1", "!3203"},
        {"1 / 0 == 1 || false", "!3203"},
        {"1 && false", "false"},
        {"false && 1", "false"},
        {"1 && true", "!3202"},
        {"'x' || true", "true"},
        {"0 || false", "!3202"},
        {"self.zz > 1 || true", "true"},
        {"self.zz > 1 && true", "!3201"},
        {"self.zz && false", "false"},
        {"true ? 1 : 1 / 0", "1"},
        {"false ? 1 / 0 : 2", "2"},
        {"1 ? 2 : 3", "!3202"},
        {"1 / 0 == 1 ? 2 : 3", "!3203"},
        {"true ? false ? 1 : 2 : 3", "?3101:14"},
        {"true ? (false ? 1 : 2) : 3", "2"},
        {"false ? 1 : false ? 2 : 3", "3"},
        {"false || false || true && true", "true"},
        {"true ? self.zz : 1", "~"},
        {"self.zz ? 1 : 2", "!3201"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void fields_may_be_absent(void **state)
{
    static const struct row rows[] = {
        {"self.m.x", "1"},
        {"self['m']['x']", "1"},
        {"self.m['ho-so']", "5"},
        {"self.m.`ho-so`", "5"},
        {"self.zz", "~"},
        {"self.n", "~"},
        {"self.m.z", "~"},
        {"self.zz.y.x", "~"},
        {"self.a.x", "!3202"},
        {"self.zz + 1", "!3201"},
        {"has(self.a)", "true"},
        {"has(self.zz)", "false"},
        {"has(self.n)", "false"},
        {"has(self.zz.y.x)", "false"},
        {"has(self.m.x)", "true"},
        {"has(self.l[1])", "true"},
        {"has(self.l[9])", "false"},
        {"has(self.o[1].so)", "false"},
        {"has(self.o[0].so)", "true"},
        {"has(self)", "true"},
        {"has(other)", "false"},
        {"has(self.a.x)", "!3202"},
        {"has({'a': 1}.a)", "true"},
        {"has({'a': null}.a)", "false"},
        {"self.l[0]", "3"},
        {"self.l[1.0]", "1"},
        {"self.l[3]", "!3205"},
        {"self.l[-1]", "!3205"},
        {"self.l[0.5]", "!3205"},
        {"self.l['a']", "!3202"},
        {"self.l[true]", "!3202"},
        {"{'a': 1}['b']", "~"},
        {"{1: 'x'}[1.0]", "x"},
        {"{'a': 1, 'a': 2}", "!3206"},
        {"{1.5: 1}", "!3206"},
        {"{null: 1}", "!3206"},
        {"{'a': {'b': 3}}.a.b", "3"},
        {"[1, 2][1]", "2"},
        {"[[1, 2], [3]][1][0]", "3"},
        {"[self.zz]", "!3201"},
        {"{'a': 1 / 0}", "!3203"},
        {"null.a", "~"},
        {"self.o[0]['k']", "A"},
        {"[{'a': 1}][0].a", "1"},
        {"self.m[self.s]", "~"},
        {"self.m[1]", "~"},
        {"1[0]", "!3202"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void comprehensions_walk(void **state)
{
    static const struct row rows[] = {
        {"self.l.all(x, x > 0)", "true"},
        {"self.l.all(x, x > 1)", "false"},
        {"self.l.exists(x, x == 2)", "true"},
        {"self.l.exists(x, x == 9)", "false"},
        {"self.l.exists_one(x, x > 2)", "true"},
        {"self.l.exists_one(x, x > 1)", "false"},
        {"self.l.map(x, x * 2)", "6, 2, 4"},
        {"self.l.map(x, x > 1, x * 2)", "6, 4"},
        {"self.l.filter(x, x > 1)", "3, 2"},
        {"self.e.all(x, 1 / 0 == x)", "true"},
        {"self.e.exists(x, true)", "false"},
        {"[1, 0].all(x, 1 / x == 5)", "false"},
        {"[0, 1].all(x, 1 / x == 1)", "!3203"},
        {"[0, 1].exists(x, 1 / x == 1)", "true"},
        {"[0, 2].exists(x, 1 / x == 1)", "!3203"},
        {"[1, 0].exists_one(x, 1 / x == 1)", "!3203"},
        {"[1, 0].map(x, 1 / x)", "!3203"},
        {"[1, 0].filter(x, 1 / x == 1)", "!3203"},
        {"[1].filter(x, x)", "!3202"},
        {"[1].all(x, x)", "!3202"},
        {"1.all(x, true)", "!3202"},
        {"self.a.all(x, true)", "!3202"},
        {"{'a': 1, 'b': 2}.map(k, k)", "a, b"},
        {"self.m.filter(k, k != 'x')", "ho-so"},
        {"self.l.map(x, self.l.map(y, x * y).sum())", "18, 6, 12"},
        {"[[1, 2], [3]].map(x, x.map(y, y + 1).sum()).sum()", "9"},
        {"self.o.map(x, x.k)", "A, B, C"},
        {"self.o.map(x, x.so)", "!3201"},
        {"self.o.filter(x, has(x.so)).map(x, x.so).sum()", "10"},
        {"self.o.map(x, has(x.so), x.so).sum()", "10"},
        {"self.o.exists(x, x.k == 'B' && !has(x.so))", "true"},
        {"[1].map(self, self + 1)", "2"},
        {"[1].map(x, [2].map(x, x))", "[…]"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void functions_work(void **state)
{
    static const struct row rows[] = {
        {"size('Đắk')", "3"},
        {"self.l.size()", "3"},
        {"size(self.m)", "2"},
        {"size({'a': 1})", "1"},
        {"size(1)", "!3202"},
        {"'abc'.contains('b')", "true"},
        {"'abc'.contains('')", "true"},
        {"'abc'.contains('d')", "false"},
        {"'abc'.startsWith('ab')", "true"},
        {"'abc'.startsWith('abcd')", "false"},
        {"'abc'.endsWith('bc')", "true"},
        {"'abc'.endsWith('xabc')", "false"},
        {"'a'.contains(1)", "!3202"},
        {"1.contains('a')", "!3202"},
        {"''.contains('a')", "false"},
        {"int(3.9)", "3"},
        {"int(-3.9)", "-3"},
        {"int('42')", "42"},
        {"int('4.2')", "!3208"},
        {"int('x')", "!3208"},
        {"int(1e99)", "!3204"},
        {"int('99999999999999999999')", "!3204"},
        {"int(true)", "!3202"},
        {"uint(3)", "3"},
        {"uint(-3)", "!3204"},
        {"double('1.5')", "1.5"},
        {"double('x')", "!3208"},
        {"double(2)", "2"},
        {"double(null)", "!3202"},
        {"string(1.50)", "1.5"},
        {"string(true) + string('x') + string(7)", "truex7"},
        {"string(null)", "!3202"},
        {"bool('true')", "true"},
        {"bool('no')", "!3208"},
        {"bool(true)", "true"},
        {"bool(1)", "!3202"},
        {"dyn(3) == dyn(3.0)", "true"},
        {"self.l.sum()", "6"},
        {"[].sum()", "0"},
        {"[0.1, 0.2].sum()", "0.3"},
        {"['a'].sum()", "!3202"},
        {"'a'.sum()", "!3202"},
        {"self.l.min()", "1"},
        {"self.l.max()", "3"},
        {"min(3, 1, 2)", "1"},
        {"max(3, 1.5)", "3"},
        {"max(self.l)", "3"},
        {"[].max()", "!3211"},
        {"min('b', 'a')", "a"},
        {"min(1, 'a')", "!3202"},
        {"min(true)", "!3202"},
        {"round(2.5, 0)", "3"},
        {"round(-2.5, 0)", "-3"},
        {"round(1.2345, 2)", "1.23"},
        {"round(1, -1)", "!3204"},
        {"round('a', 1)", "!3202"},
        {"abs(-3)", "3"},
        {"abs(2.5)", "2.5"},
        {"abs('a')", "!3202"},
        {"'Đắk Lắk'.matches('^Đ.k L')", "true"},
        {"matches('abc', 'b')", "true"},
        {"'abc'.matches('^b')", "false"},
        {"'a'.matches('(')", "?3116:13"},
        {"'a'.matches('' + '(')", "!3210"},
        {"'abc'.matches('' + 'b')", "true"},
        {"1.matches('a')", "!3202"},
        {"['a1', 'b2'].all(x, x.matches('^[a-z][0-9]$'))", "true"},
        {"[1].map(self, .self.a)", "7"},
        {".self.a", "7"},
        {".1 + .5", "0.6"},
        {". + 1", "?3101:3"},
        {"[1].all(.x, true)", "?3111:9"},
        {"days('2026-09-15', '2026-09-20')", "5"},
        {"days('2026-03-01', '2026-02-28')", "-1"},
        {"days('2024-02-28', '2024-03-01')", "2"},
        {"days('2000-01-01', '2026-01-01')", "9497"},
        {"days('2026-02-29', '2026-03-01')", "!3209"},
        {"days('15/9/2026', '2026-09-15')", "!3209"},
        {"days(1, 2)", "!3202"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void texts_and_comments(void **state)
{
    static const struct row rows[] = {
        {"'a\\n\\t\\\\\\'\\\"\\?\\`\\a\\b\\f\\v\\r' == \"a\\n\\t\\\\'\\\"?`\\a\\b\\f\\v\\r\"", "true"},
        {"'\\u0110\\x41\\101\\U0001F600' == 'ĐAA😀'", "true"},
        {"r'a\\n' == 'a\\\\n'", "true"},
        {"size('''a\n'b''')", "4"},
        {"size(\"\"\"a\"\"\")", "1"},
        {"R\"\\d\"", "\\d"},
        {"1 + // one\n 2", "3"},
        {"'\\q'", "?3106:2"},
        {"'\\uD800'", "?3106:2"},
        {"'\\x4'", "?3106:2"},
        {"'\\400'", "?3106:2"},
        {"'abc", "?3105:1"},
        {"'a\nb'", "?3105:1"},
        {"b'abc'", "?3115:1"},
        {"rb'abc'", "?3115:1"},
        {"'''abc", "?3105:1"},
        {"'\\", "?3106:2"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

static void mistakes_have_a_place(void **state)
{
    static const struct row rows[] = {
        {"", "?3102:1"},
        {"1 +", "?3102:4"},
        {"1 2", "?3101:3"},
        {"(1", "?3102:3"},
        {"self.", "?3102:6"},
        {"self.1", "?3101:5"},
        {"a = b", "?3103:3"},
        {"a ≥ b", "?3103:3"},
        {"a and b", "?3103:3"},
        {"a <> b", "?3103:3"},
        {"a & b", "?3103:3"},
        {"“x”", "?3103:1"},
        {"a @ b", "?3104:3"},
        {"Đắk + @", "?3104:1"},
        {"'Đắk' + @", "?3104:9"},
        {"sise(a)", "?3109:1"},
        {"zzzzzzzzz(a)", "?3108:1"},
        {"a.sizee()", "?3109:3"},
        {"round(a)", "?3110:1"},
        {"contains(a, b)", "?3110:1"},
        {"a.abs()", "?3110:3"},
        {"a.all(x)", "?3110:3"},
        {"a.all(x.y, true)", "?3111:7"},
        {"a.all(1, true)", "?3111:7"},
        {"has(1)", "?3112:1"},
        {"has(a, b)", "?3112:1"},
        {"has(a + b)", "?3112:1"},
        {"for + 1", "?3113:1"},
        {"a.for", "~"},
        {"a.map(x, x,)", "?3101:12"},
        {"[1, 2,]", "1, 2"},
        {"{'a': 1,}", "{…}"},
        {"{'a'}", "?3101:5"},
        {"1x", "?3107:1"},
        {"1e99999", "?3107:1"},
        {"0x", "?3107:1"},
        {"a ? b", "?3102:6"},
        {"a[1", "?3102:4"},
        {"a.`", "?3105:3"},
        {"a.`b`", "~"},
        {"`b`", "?3101:1"},
        {"1 +\n +", "?3101:2"},
        {"a.b(", "?3102:5"},
        {"a,b", "?3101:2"},
        {"\xff", "?3105:1"},
    };

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
}

/* Nested far beyond the limit, and long chains: an error with a place, never a crash. */
static void depth_and_work_are_bounded(void **state)
{
    enum { MANY = 12000 };
    static const char *const openings[] = {"(",    "[",  "!",    "-",           "size(",    "1 + ",
                                           "a.b.", "a[", "{1: ", "true ? 1 : ", "x.map(x, "};
    static const struct row rows[] = {
        {"[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, [0,1,2,3,4,5,6,7,8,9].map(c, "
         "[0,1,2,3,4,5,6,7,8,9].map(d,"
         " [0,1,2,3,4,5,6,7,8,9].map(e, [0,1,2,3,4,5,6,7,8,9].map(f, [0,1,2,3,4,5,6,7,8,9].map(g, 1)))))))",
         "!3207"},
    };
    struct world w;
    char *text = malloc(MANY + 32), got[64];

    (void)state;
    check_rows(rows, BAO_COUNT(rows));
    start(&w);
    assert_non_null(text);
    for (size_t i = 0; i < BAO_COUNT(openings); i++) {
        size_t n = 0;

        for (; n + strlen(openings[i]) < MANY; n += strlen(openings[i]))
            memcpy(text + n, openings[i], strlen(openings[i]));
        text[n] = '\0';
        assert_int_equal(answer(&w, text, got, sizeof(got))[0], '?');
    }
    memset(text, ' ', MANY);
    free(text);
    bao_arena_deinit(&w.arena);
}

/* Paths as text: root.step[*][2][?], a trailing ~ when guarded. */
static void print_paths(const struct bao_expr *expr, struct bao_buf *out)
{
    static const char *const signs[] = {[BAO_STEP_EACH] = "[*]", [BAO_STEP_COMPUTED] = "[?]"};
    size_t n;
    const struct bao_expr_path *paths = bao_expr_paths(expr, &n);
    int r = 0;

    for (size_t i = 0; i < n; i++) {
        r |= bao_buf_printf(out, "%s%.*s", i == 0 ? "" : " ", BAO_STR_ARG(paths[i].root));
        for (size_t k = 0; k < paths[i].n_steps; k++) {
            const struct bao_expr_step *s = &paths[i].steps[k];

            if (s->kind == BAO_STEP_FIELD)
                r |= bao_buf_printf(out, ".%.*s", BAO_STR_ARG(s->name));
            else if (s->kind == BAO_STEP_INDEX)
                r |= bao_buf_printf(out, "[%d]", (int)s->index);
            else
                r |= bao_buf_append_c(out, signs[s->kind]);
        }
        r |= bao_buf_append_c(out, paths[i].guarded ? "~" : "");
    }
    assert_int_equal(r, 0);
}

static void paths_and_guards_are_known(void **state)
{
    static const struct row rows[] = {
        {"self.a.b + self.a.b <= self.c", "self.a.b self.c"},
        {"has(self.a) && self.a > 1", "self.a~"},
        {"self.a > 1 && has(self.a)", "self.a self.a~"},
        {"!has(self.a) || self.a > 1", "self.a~"},
        {"has(self.a) ? self.a : self.b", "self.a~ self.b"},
        {"has(self.a) ? 1 : self.a", "self.a~ self.a"},
        {"!has(self.a) ? 1 : self.a", "self.a~"},
        {"has(self.a.b) && self.a.b > 0 && self.a != null", "self.a.b~ self.a~"},
        {"has(self.a) && self.a.b > 0", "self.a~ self.a.b"},
        {"!(has(self.a) && has(self.b)) || self.a < self.b", "self.a~ self.b~"},
        {"(has(self.a) || has(self.b)) && self.a > 1", "self.a~ self.b~ self.a"},
        {"self.l.all(x, x.so > 0)", "self.l self.l[*].so"},
        {"self.l.filter(x, has(x.so)).map(y, y.so).sum()", "self.l self.l[*].so~"},
        {"self.l.map(x, has(x.so), x.so).sum()", "self.l self.l[*].so~"},
        {"self.l.map(x, x.con).map(y, y.ten)", "self.l self.l[*].con self.l[*].con.ten"},
        {"self.l[0].so + self.l[self.i].so", "self.l[0].so self.i self.l[?].so"},
        {"self['ho-so']", "self.ho-so"},
        {"prev == null || self.a >= prev.a", "prev self.a prev.a"},
        {"self.l.all(x, self.k.all(y, x.a == y.b))", "self.l self.k self.l[*].a self.k[*].b"},
        {"[1].all(x, x > 0)", ""},
        {"self.l.filter(x, x.so > 1)[0].ten", "self.l self.l[*].so self.l[*].ten"},
        {"self.l.all(x, !has(x.so) || x.so > 1)", "self.l self.l[*].so~"},
        {"self.so.all(x, x > 1)", "self.so self.so[*]"},
    };
    struct world w;

    (void)state;
    start(&w);
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(1000);
        const struct bao_expr *expr;

        assert_int_equal(bao_expr_parse(&w.arena, bao_str_c(rows[i].text), (struct bao_place){1, 1, 0, 0},
                                        &w.findings, &expr),
                         0);
        print_paths(expr, &buf);
        if (!bao_str_is(bao_buf_str(&buf), rows[i].answer))
            fail_msg("%s reads %.*s, not %s", rows[i].text, BAO_STR_ARG(bao_buf_str(&buf)), rows[i].answer);
    }
    bao_arena_deinit(&w.arena);
}

static void places_count_from_where_the_text_stands(void **state)
{
    struct world w;
    const struct bao_expr *expr;
    const struct bao_finding *f;

    (void)state;
    start(&w);
    assert_int_equal(bao_expr_parse(&w.arena, BAO_STR("'Đ' +\n  Đ"), (struct bao_place){7, 11, 100, 0},
                                    &w.findings, &expr),
                     BAO_EXPR_E_BAD);
    f = &w.findings.items[0];
    assert_int_equal(f->at.line, 8);
    assert_int_equal(f->at.column, 3);
    assert_int_equal(f->at.offset, 109);
    assert_int_equal(f->at.length, 2);
    bao_arena_deinit(&w.arena);
}

/* missing: zero gives each absent path the zero of its type. */
static void zeros_stand_for_absent_paths(void **state)
{
    struct bao_value zeros[4] = {{.type = BAO_V_NUM, .num = {.is_int = true, .i = 0}},
                                 {.type = BAO_V_LIST},
                                 {.type = BAO_V_STRING, .str = ""},
                                 {.type = BAO_V_BOOL}};
    struct world w;
    const struct bao_expr *expr;
    struct bao_value v;

    (void)state;
    start(&w);
    assert_int_equal(
        bao_expr_parse(&w.arena,
                       BAO_STR("self.p1 + 1 == 1 && size(self.p2) == 0 && self.p3 == '' && !self.p4"),
                       (struct bao_place){1, 1, 0, 0}, &w.findings, &expr),
        0);
    assert_int_equal(bao_expr_eval(expr, &w.arena, &(struct bao_expr_scope){get, &w, zeros}, &v), 0);
    assert_int_equal(v.type, BAO_V_BOOL);
    assert_true(v.boolean);
    bao_arena_deinit(&w.arena);
}

/* Whatever allocation fails: -ENOMEM and nothing worse. */
static void memory_may_end_anywhere(void **state)
{
    static const char text[] = "self.o.filter(x, has(x.so)).map(x, x.so * 1.5 + size(string(x.so) + "
                               "'đ')).sum() > 3 && {'a': [1, 2]}.a[0] == 1"
                               " && 'a1'.matches('^[a-z]' + '[0-9]$') && self.l.exists_one(y, y in [1, 9] + "
                               "[8]) && max(1, 2, 3, 4, 5) / 3 < 2";
    struct world w;
    size_t done = 0;

    (void)state;
    start(&w);
    for (size_t cap = 300; cap < 40000; cap += 64) {
        struct bao_arena arena = BAO_ARENA_NULL(cap);
        struct bao_expr_scope scope = {.get = get, .user = &w};
        struct bao_findings findings;
        const struct bao_expr *expr;
        struct bao_value v;
        int r;

        bao_findings_init(&findings, &arena, 1);
        r = bao_expr_parse(&arena, bao_str_c(text), (struct bao_place){1, 1, 0, 0}, &findings, &expr);
        if (r == 0)
            r = bao_expr_eval(expr, &arena, &scope, &v);
        if (r == 0) {
            assert_int_equal(v.type, BAO_V_BOOL);
            assert_true(v.boolean);
            done++;
        } else {
            assert_int_equal(r, -ENOMEM);
        }
        bao_arena_deinit(&arena);
    }
    assert_true(done > 100 && done < 600);
    bao_arena_deinit(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(comparisons_know_kinds),
        cmocka_unit_test(logic_absorbs_errors),
        cmocka_unit_test(fields_may_be_absent),
        cmocka_unit_test(comprehensions_walk),
        cmocka_unit_test(functions_work),
        cmocka_unit_test(texts_and_comments),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(depth_and_work_are_bounded),
        cmocka_unit_test(paths_and_guards_are_known),
        cmocka_unit_test(places_count_from_where_the_text_stands),
        cmocka_unit_test(zeros_stand_for_absent_paths),
        cmocka_unit_test(memory_may_end_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
