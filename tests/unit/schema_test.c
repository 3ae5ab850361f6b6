/* The validator: verdicts beyond the official suite, refusals of bad schemas, findings for people, and
 * hostile shapes. */
#include "lib/base/buf.h"
#include "lib/doc/load.h"
#include "lib/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

struct fixture {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_schema_set *set;
    struct bao_schema_scratch *scratch;
    struct bao_schema_options options;
    struct bao_schema *schema;
    struct bao_doc doc;
};

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.set = bao_schema_set_new(), .scratch = bao_schema_scratch_new()};
    bao_findings_init(&f->findings, &f->arena, 100);
    assert_non_null(f->set);
    assert_non_null(f->scratch);
}

static void close_fixture(struct fixture *f)
{
    bao_schema_free(f->schema);
    bao_schema_scratch_free(f->scratch);
    bao_schema_set_free(f->set);
    bao_arena_deinit(&f->arena);
}

static struct bao_node load(struct fixture *f, const char *text)
{
    struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT};

    options.limits.octets = 64u << 20;
    options.limits.nodes = 4000000;
    options.limits.depth = 128;
    assert_int_equal(bao_load(&f->arena, bao_str_c(text), &options, &f->findings, &f->doc), 0);
    return f->doc.root;
}

static int compile(struct fixture *f, const char *text)
{
    struct bao_node root = load(f, text);

    f->schema = bao_schema_free(f->schema);
    return bao_schema_compile(f->set, &root, BAO_STR_NULL, &f->options, &f->findings, &f->schema);
}

static int judge(struct fixture *f, const char *text)
{
    struct bao_node value = load(f, text);

    return bao_schema_is_valid(f->schema, f->scratch, &value);
}

static int verdict(const char *schema, const char *value)
{
    struct fixture f;
    int r;

    open_fixture(&f);
    f.options.assert_format = true;
    assert_int_equal(compile(&f, schema), 0);
    r = judge(&f, value);
    close_fixture(&f);
    return r;
}

/* ---- verdicts ---- */

static void judges_what_the_suite_leaves_out(void **state)
{
    static const struct {
        const char *schema, *value;
        int verdict;
    } cases[] = {
        {"{type: integer}", "1e400", 1},
        {"{type: integer}", "0.1e-400", 0},
        {"{const: 1.0}", "1", 1},
        {"{multipleOf: 0.01}", "0.07", 1},
        {"{multipleOf: 0.01}", "0.075", 0},
        {"{multipleOf: 0.01}", "1e300", 1},
        {"{multipleOf: 0.0001}", "0.0075", 1},
        {"{multipleOf: 0.3}", "-0.9", 1},
        {"{multipleOf: 7}", "1e100", 0},
        {"{minimum: 1.5, type: integer}", "1", 0},
        {"{minimum: 1.5, type: integer}", "2", 1},
        {"{maximum: -1.5, type: integer}", "-1", 0},
        {"{maximum: -1.5, type: integer}", "-2", 1},
        {"{exclusiveMinimum: 9223372036854775807}", "9223372036854775807", 0},
        {"{exclusiveMinimum: 9223372036854775807}", "9223372036854775808", 1},
        {"{minimum: 1e40}", "5", 0},
        {"{maximum: -1e40}", "5", 0},
        {"{minimum: -1e40}", "5", 1},
        {"{enum: [[1, {a: 1, b: 2}], 1.5]}", "[1.0, {b: 2, a: 1}]", 1},
        {"{enum: [[1, {a: 1, b: 2}], 1.5]}", "1.50", 1},
        {"{enum: [[1, {a: 1, b: 2}], 1.5]}", "[{b: 2, a: 1}, 1]", 0},
        {"{enum: [true, null]}", "false", 0},
        {"{maxLength: 2}", "ươ", 1},
        {"{minLength: 3}", "ươ", 0},
        {"{minLength: 9, maxLength: 9}", "Đắk Lắk ơ", 1},
        {"{minLength: 9, maxLength: 9}", "Đắk Lắkơ", 0},
        {"{maxItems: 1e300}", "[1]", 1},
        {"{minItems: 1e300}", "[1]", 0},
        {"{uniqueItems: true}", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1.0]", 0},
        {"{uniqueItems: true}", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, '1']", 1},
        /* branches picked by the value of a member */
        {"{oneOf: [{required: [k], properties: {k: {const: a}, x: {type: integer}}},"
         " {required: [k], properties: {k: {enum: [b, c]}, x: {type: string}}}]}",
         "{k: c, x: t}", 1},
        {"{oneOf: [{required: [k], properties: {k: {const: a}, x: {type: integer}}},"
         " {required: [k], properties: {k: {enum: [b, c]}, x: {type: string}}}]}",
         "{k: c, x: 1}", 0},
        {"{oneOf: [{required: [k], properties: {k: {const: a}}}, {required: [k], properties: {k: {enum: [a, "
         "c]}}}]}",
         "{k: a}", 0},
        {"{anyOf: [{required: [k], properties: {k: {const: a}}}, {required: [k], properties: {k: {const: "
         "b}}}],"
         " unevaluatedProperties: false}",
         "{k: b}", 1},
        {"{anyOf: [{required: [k], properties: {k: {const: a}}}, {required: [k], properties: {k: {const: "
         "b}}}],"
         " unevaluatedProperties: false}",
         "{k: b, l: 1}", 0},
        /* names that patterns touch are decided when compiling */
        {"{properties: {ab: {minimum: 1}}, patternProperties: {'^a': {maximum: 5}, 'b$': {multipleOf: 2}}}",
         "{ab: 4}", 1},
        {"{properties: {ab: {minimum: 1}}, patternProperties: {'^a': {maximum: 5}, 'b$': {multipleOf: 2}}}",
         "{ab: 3}", 0},
        {"{properties: {ab: {minimum: 1}}, patternProperties: {'^a': {maximum: 5}, 'b$': {multipleOf: 2}}}",
         "{ab: 6}", 0},
        {"{required: [z], additionalProperties: {type: string}}", "{z: 1}", 0},
        {"{required: [z], additionalProperties: {type: string}}", "{z: y}", 1},
        /* a $ref beside allOf, told beforehand */
        {"{$ref: '#/$defs/a', properties: {y: true}, unevaluatedProperties: false, $defs: {a: {properties: "
         "{x: true}}}}",
         "{x: 1, y: 2}", 1},
        {"{$ref: '#/$defs/a', properties: {y: true}, unevaluatedProperties: false, $defs: {a: {properties: "
         "{x: true}}}}",
         "{x: 1, y: 2, z: 3}", 0},
        {"{allOf: [{prefixItems: [true, true]}], unevaluatedItems: {type: string}}", "[1, 2, a]", 1},
        {"{allOf: [{prefixItems: [true, true]}], unevaluatedItems: {type: string}}", "[1, 2, 3]", 0},
        {"{format: date}", "'2026-02-29'", 0},
        {"{$ref: 'https://json-schema.org/draft/2020-12/schema'}", "{type: objekt}", 0},
        {"{$ref: 'https://json-schema.org/draft/2020-12/schema'}",
         "{properties: {a: {items: {type: [string]}}}}", 1},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        int got = verdict(cases[i].schema, cases[i].value);

        if (got != cases[i].verdict)
            fail_msg("%s on %s: %d", cases[i].schema, cases[i].value, got);
    }
}

/* ---- bad schemas ---- */

static void refuses_bad_schemas_with_their_place(void **state)
{
    static const struct {
        const char *schema;
        unsigned code, line;
        bool form;
    } cases[] = {
        {"type: strin\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"a: 1\nminLength: -1\n", BAO_BC_SCHEMA_SHAPE, 2, false},
        {"items: [true]\n", BAO_BC_SCHEMA_NOT_A_SCHEMA, 1, false},
        {"allOf: []\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"required: a\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"properties:\n  a:\n    multipleOf: 0\n", BAO_BC_SCHEMA_SHAPE, 3, false},
        {"pattern: '(a'\n", BAO_BC_SCHEMA_PATTERN, 1, false},
        {"patternProperties: {'[': true}\n", BAO_BC_SCHEMA_PATTERN, 1, false},
        {"pattern: '(?<=a+)b'\n", BAO_BC_SCHEMA_PATTERN_UNSUPPORTED, 1, false},
        {"$ref: '#/$defs/x'\n", BAO_BC_SCHEMA_REF, 1, false},
        {"$ref: 'https://example.com/nowhere'\n", BAO_BC_SCHEMA_REF, 1, false},
        {"allOf: [{$ref: '#'}]\n", BAO_BC_SCHEMA_LOOP, 1, false},
        {"$schema: http://json-schema.org/draft-07/schema#\n", BAO_BC_SCHEMA_DIALECT, 1, false},
        {"$defs:\n  a: {$anchor: x}\n  b: {$anchor: x}\n", BAO_BC_SCHEMA_ANCHOR_TWICE, 3, false},
        {"proprties: {}\n", BAO_BC_SCHEMA_KEYWORD_NEAR, 1, true},
        {"chi_phi: 1\n", BAO_BC_SCHEMA_KEYWORD, 1, true},
        {"type: array\nitems: true\n", BAO_BC_SCHEMA_NO_MAX_ITEMS, 1, true},
        {"type: object\nx-key: ma\n", BAO_BC_SCHEMA_KEY_PLACE, 2, true},
        {"type: array\nmaxItems: 5\nx-key: ma\nitems: {type: object}\n", BAO_BC_SCHEMA_KEY_REQUIRED, 3, true},
        {"format: dat\n", BAO_BC_SCHEMA_FORMAT, 1, true},
        {"x-normalize: NFD\n", BAO_BC_SCHEMA_NORMALIZE, 1, true},
        {"x-for: 3\n", BAO_BC_SCHEMA_SHAPE, 1, true},
        {"5\n", BAO_BC_SCHEMA_NOT_A_SCHEMA, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        struct fixture f;

        open_fixture(&f);
        f.options.form = cases[i].form;
        if (compile(&f, cases[i].schema) != BAO_SCHEMA_E_BAD)
            fail_msg("taken: %s", cases[i].schema);
        if (f.findings.n == 0 || f.findings.items[0].code != cases[i].code ||
            f.findings.items[0].at.line != cases[i].line)
            fail_msg("%s: BC%u line %u", cases[i].schema, f.findings.n == 0 ? 0 : f.findings.items[0].code,
                     f.findings.n == 0 ? 0 : f.findings.items[0].at.line);
        close_fixture(&f);
    }
}

static void takes_own_keywords_in_a_form(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.options.form = true;
    assert_int_equal(compile(&f,
                             "{type: array, maxItems: 3, x-key: ma, x-en: Tasks, x-mine: 1, x-personal: true,"
                             " x-for: {kinds: [ward], required: true}, x-message: {vi: a, en: b},"
                             " items: {type: object, required: [ma], properties: {ma: {type: string}}}}"),
                     0);
    assert_int_equal(judge(&f, "[{ma: a}, {ma: b}]"), 1);
    assert_int_equal(judge(&f, "[{ma: a}, {ma: a}]"), 0);
    close_fixture(&f);
}

static void a_form_compares_text_kindly(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.options.form = true;
    assert_int_equal(compile(&f, "{enum: [Hoàn thành]}"), 0);
    assert_int_equal(judge(&f, "Hoa\xcc\x80n tha\xcc\x80nh"), 1);
    assert_int_equal(judge(&f, "' Hoàn thành '"), 1);
    assert_int_equal(judge(&f, "hoàn thành"), 0);
    assert_int_equal(compile(&f, "{x-normalize: NFC, maxLength: 2}"), 0);
    assert_int_equal(judge(&f, "o\xcc\x80u"), 1);
    close_fixture(&f);
}

/* In JSON 1.000 may mean a thousand: refused where a whole number is wanted, and only there. */
static void a_form_refuses_a_dotted_thousand(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.options.form = true;
    assert_int_equal(compile(&f, "{type: object, properties: {a: {type: integer}, b: {type: number}}}"), 0);
    assert_int_equal(judge(&f, "{\"a\": 1.000}"), 0);
    assert_int_equal(judge(&f, "{\"a\": -12.000}"), 0);
    assert_int_equal(judge(&f, "{\"a\": 1.0, \"b\": 1.000}"), 1);
    assert_int_equal(judge(&f, "{\"a\": 1000}"), 1);
    close_fixture(&f);
}

/* ---- findings ---- */

struct expected {
    const char *schema, *value;
    unsigned code;
    const char *pointer, *arg; /* arg: the last argument that is text, NULL = not looked at */
};

static void finds(const struct expected *e)
{
    struct fixture f;
    struct bao_node value;
    const struct bao_finding *found;

    open_fixture(&f);
    f.options = (struct bao_schema_options){.assert_format = true, .form = true};
    assert_int_equal(compile(&f, e->schema), 0);
    value = load(&f, e->value);
    if (bao_schema_is_valid(f.schema, f.scratch, &value) != 0)
        fail_msg("%s takes %s", e->schema, e->value);
    assert_int_equal(bao_schema_report(f.schema, f.scratch, &value,
                                       (struct bao_schema_at){BAO_STR("/data"), f.doc.source}, &f.findings),
                     0);
    bao_findings_sort(&f.findings);
    if (f.findings.n != 1)
        fail_msg("%s on %s: %zu findings, first BC%u", e->schema, e->value, f.findings.n,
                 f.findings.items[0].code);
    found = &f.findings.items[0];
    if (found->code != e->code || !bao_str_is(found->pointer, e->pointer))
        fail_msg("%s on %s: BC%u at %.*s", e->schema, e->value, found->code, BAO_STR_ARG(found->pointer));
    if (e->arg != NULL) {
        struct bao_str arg = found->args[found->n_args - 1].vi;

        if (!bao_str_is(arg, e->arg))
            fail_msg("%s on %s: %.*s", e->schema, e->value, BAO_STR_ARG(arg));
    }
    close_fixture(&f);
}

static void finds_what_is_wrong(void **state)
{
    static const struct expected cases[] = {
        {"{type: number}", "abc", BAO_BC_WANT_NUMBER, "/data", "abc"},
        {"{type: integer}", "[1]", BAO_BC_WANT_WHOLE, "/data", NULL},
        {"{type: integer}", "'12'", BAO_BC_NUMBER_QUOTED, "/data", "12"},
        {"{type: integer}", "80%", BAO_BC_NUMBER_PERCENT, "/data", "80"},
        {"{type: number}", "1.500.000", BAO_BC_NUMBER_GROUPS, "/data", "1500000"},
        {"{type: number}", "1.500.000,25", BAO_BC_NUMBER_GROUPS, "/data", "1500000.25"},
        {"{type: number}", "1,5", BAO_BC_NUMBER_COMMA, "/data", "1.5"},
        {"{type: number}", "1,500", BAO_BC_NUMBER_AMBIGUOUS, "/data", "1.500"},
        {"{type: integer}", "12 nhiệm vụ", BAO_BC_NUMBER_UNIT, "/data", "12"},
        {"{type: integer}", "1.5", BAO_BC_WHOLE_FRACTION, "/data", "1.5"},
        {"{type: string}", "1.10", BAO_BC_TEXT_BARE, "/data", "\"1.10\""},
        {"{type: string}", "0012", BAO_BC_TEXT_BARE, "/data", "\"0012\""},
        {"{type: string}", "true", BAO_BC_TEXT_BARE, "/data", "\"true\""},
        {"{type: string, format: date}", "20260915", BAO_BC_DATE_ORDER, "/data", "2026-09-15"},
        {"{type: string}", "[a]", BAO_BC_WANT_TEXT, "/data", NULL},
        {"{type: boolean}", "có", BAO_BC_BOOL_WORD, "/data", "true"},
        {"{type: boolean}", "Không", BAO_BC_BOOL_WORD, "/data", "false"},
        {"{type: boolean}", "abc", BAO_BC_WANT_BOOL, "/data", NULL},
        {"{type: array, maxItems: 2}", "x", BAO_BC_LIST_ONE, "/data", "x"},
        {"{type: array, maxItems: 2}", "{a: 1}", BAO_BC_WANT_LIST, "/data", NULL},
        {"{type: object}", "x", BAO_BC_WANT_MAP, "/data", NULL},
        {"{type: 'null'}", "x", BAO_BC_WANT_EMPTY, "/data", NULL},
        {"{type: [string, boolean]}", "1", BAO_BC_WANT_SEVERAL, "/data", "true hoặc false hoặc văn bản"},
        {"{type: integer}", "null", BAO_BC_EMPTY, "/data", "số nguyên"},
        {"{required: [a]}", "{b: 1}", BAO_BC_MISSING, "/data", NULL},
        {"{properties: {hoan_thanh: {title: Xong}}, required: [hoan_thanh]}", "{b: 1}", BAO_BC_MISSING_TITLED,
         "/data", "Xong"},
        {"{properties: {hoan_thanh: true}, required: [hoan_thanh], additionalProperties: false}",
         "{hoan_thnh: 1}", BAO_BC_MISSING_RENAMED, "/data", "hoan_thnh"},
        {"{properties: {hoan_thanh: true}, additionalProperties: false}", "{Hoàn_thành: 1}",
         BAO_BC_UNKNOWN_NEAR, "/data/Hoàn_thành", "hoan_thanh"},
        {"{properties: {hoan_thanh: true}, additionalProperties: false}", "{abc: 1}", BAO_BC_UNKNOWN,
         "/data/abc", "abc"},
        {"{properties: {a: true}, unevaluatedProperties: false}", "{xyz: 1}", BAO_BC_UNKNOWN, "/data/xyz",
         "xyz"},
        {"{anyOf: [{properties: {a: true}}, {properties: {b: true}}], unevaluatedProperties: false}",
         "{xyz: 1}", BAO_BC_UNKNOWN, "/data/xyz", "xyz"},
        {"{properties: {a: false}}", "{a: 1}", BAO_BC_NOT_ALLOWED, "/data/a", "a"},
        {"{dependentRequired: {a: [b]}}", "{a: 1}", BAO_BC_DEPENDENT, "/data", "b"},
        {"{propertyNames: {maxLength: 2}}", "{abc: 1}", BAO_BC_NAME, "/data/abc", "abc"},
        {"{minProperties: 2}", "{abc: 1}", BAO_BC_FEW_FIELDS, "/data", "1"},
        {"{maxProperties: 1}", "{abc: 1, d: 1}", BAO_BC_MANY_FIELDS, "/data", "2"},
        {"{enum: [a, b]}", "xyz", BAO_BC_ENUM, "/data", "a, b"},
        {"{enum: [Hoàn thành, Đang làm]}", "hoan thanh", BAO_BC_ENUM_NEAR, "/data", "Hoàn thành"},
        {"{enum: [Hòa, Đang làm]}", "Hoà", BAO_BC_ENUM_NEAR, "/data", "Hòa"},
        {"{const: 5}", "6", BAO_BC_CONST, "/data", "5"},
        {"{minimum: 5}", "4", BAO_BC_MINIMUM, "/data", "5"},
        {"{minimum: 0}", "-4", BAO_BC_NEGATIVE, "/data", "0"},
        {"{maximum: 5}", "6", BAO_BC_MAXIMUM, "/data", "5"},
        {"{exclusiveMinimum: 5}", "5", BAO_BC_ABOVE, "/data", "5"},
        {"{exclusiveMaximum: 5}", "5", BAO_BC_BELOW, "/data", "5"},
        {"{multipleOf: 3}", "5", BAO_BC_MULTIPLE, "/data", "3"},
        {"{multipleOf: 0.01}", "5.123", BAO_BC_DECIMALS, "/data", "2"},
        {"{minLength: 3}", "ab", BAO_BC_SHORT, "/data", "3"},
        {"{minLength: 1}", "''", BAO_BC_EMPTY_TEXT, "/data", NULL},
        {"{maxLength: 3}", "abcd", BAO_BC_LONG, "/data", "3"},
        {"{pattern: '^NV'}", "abcd", BAO_BC_PATTERN, "/data", "^NV"},
        {"{pattern: '^NV', examples: [NV-1]}", "abcd", BAO_BC_PATTERN_EXAMPLE, "/data", "NV-1"},
        {"{pattern: '^ò$'}", "o\xcc\x80", BAO_BC_PATTERN_NFC, "/data", "ò"},
        {"{format: date}", "15/9/2026", BAO_BC_DATE_ORDER, "/data", "2026-09-15"},
        {"{format: date}", "ngày 5 tháng 9 năm 2026", BAO_BC_DATE_ORDER, "/data", "2026-09-05"},
        {"{format: date}", "'2026-9-5'", BAO_BC_DATE_ORDER, "/data", "2026-09-05"},
        {"{format: date}", "31/9/2026", BAO_BC_DATE_NONE, "/data", "31/9/2026"},
        {"{format: date}", "hôm qua", BAO_BC_DATE, "/data", NULL},
        {"{format: date-time}", "x", BAO_BC_DATE_TIME, "/data", NULL},
        {"{format: time}", "x", BAO_BC_TIME, "/data", NULL},
        {"{format: duration}", "x", BAO_BC_DURATION, "/data", NULL},
        {"{format: email}", "x", BAO_BC_EMAIL, "/data", NULL},
        {"{format: hostname}", "x y", BAO_BC_HOSTNAME, "/data", NULL},
        {"{format: ipv4}", "x", BAO_BC_ADDRESS, "/data", "IPv4"},
        {"{format: uri}", "x y", BAO_BC_URI, "/data", NULL},
        {"{format: uuid}", "x", BAO_BC_UUID, "/data", NULL},
        {"{format: json-pointer}", "x", BAO_BC_FORMAT, "/data", "json-pointer"},
        {"{minItems: 2}", "[1]", BAO_BC_FEW_ITEMS, "/data", "1"},
        {"{maxItems: 1}", "[1, 2]", BAO_BC_MANY_ITEMS, "/data", "2"},
        {"{uniqueItems: true}", "[1, 2,\n 1]", BAO_BC_TWINS, "/data/2", "1"},
        {"{type: array, maxItems: 9, x-key: m, items: {type: object, required: [m]}}", "[{m: a},\n {m: a}]",
         BAO_BC_KEY_TWINS, "/data/1", "1"},
        {"{contains: {const: 5}}", "[1]", BAO_BC_CONTAINS_NONE, "/data", NULL},
        {"{contains: {const: 5}, minContains: 2}", "[5]", BAO_BC_CONTAINS_FEW, "/data", "1"},
        {"{contains: {const: 5}, maxContains: 1}", "[5, 5]", BAO_BC_CONTAINS_MANY, "/data", "2"},
        {"{prefixItems: [true], items: false}", "[1, 2]", BAO_BC_EXTRA_ITEM, "/data/1", "2"},
        {"{prefixItems: [true], unevaluatedItems: false}", "[1, 2]", BAO_BC_EXTRA_ITEM, "/data/1", "2"},
        {"{not: {type: string}}", "x", BAO_BC_NOT, "/data", NULL},
        {"{oneOf: [{title: A}, {title: B}]}", "x", BAO_BC_ONE_SEVERAL, "/data", "A; B"},
        {"{anyOf: [{required: [a]}, {required: [b]}]}", "{c: 1}", BAO_BC_ANY_NONE, "/data",
         "có trường “a”; có trường “b”"},
        {"false", "x", BAO_BC_NOT_ALLOWED, "/data", "x"},
        /* the branch that was meant: by a member's value, by type, by how far it got */
        {"{anyOf: [{properties: {k: {const: a}, x: {type: string}}}, {properties: {k: {const: b}, x: "
         "{minimum: 9}}}]}",
         "{k: b, x: 1}", BAO_BC_MINIMUM, "/data/x", "9"},
        {"{anyOf: [{type: string}, {type: object, properties: {x: {minimum: 9}}}]}", "{x: 1}", BAO_BC_MINIMUM,
         "/data/x", "9"},
        {"{anyOf: [{required: [y]}, {required: [x], properties: {x: {minimum: 9}}}]}", "{x: 1}",
         BAO_BC_MINIMUM, "/data/x", "9"},
        {"{if: {properties: {k: {const: a}}}, then: {required: [m]}}", "{k: a}", BAO_BC_MISSING, "/data",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        finds(&cases[i]);
}

static void names_items_by_their_key_and_title(void **state)
{
    struct fixture f;
    struct bao_node value;

    (void)state;
    open_fixture(&f);
    f.options.form = true;
    assert_int_equal(compile(&f, "{type: object, properties: {nhiem_vu: {title: Nhiệm vụ, x-en: Tasks, type: "
                                 "array, maxItems: 5, x-key: ma,"
                                 " items: {type: object, required: [ma], properties: {ma: {type: string},"
                                 " tien_do: {title: Tiến độ, x-en: Progress, type: number, maximum: 100,"
                                 " x-message: {vi: Quá một trăm., en: Above a hundred.}}}}}}}"),
                     0);
    value = load(&f, "nhiem_vu:\n  - {ma: NV-03, tien_do: 120}\n");
    assert_int_equal(bao_schema_is_valid(f.schema, f.scratch, &value), 0);
    assert_int_equal(bao_schema_report(f.schema, f.scratch, &value,
                                       (struct bao_schema_at){.pointer = BAO_STR("/data")}, &f.findings),
                     0);
    assert_int_equal(f.findings.n, 1);
    assert_true(bao_str_is(f.findings.items[0].path, "nhiem_vu[NV-03].tien_do"));
    assert_true(bao_str_is(f.findings.items[0].titles[BAO_VI], "Nhiệm vụ › NV-03 › Tiến độ"));
    assert_true(bao_str_is(f.findings.items[0].titles[BAO_EN], "Tasks › NV-03 › Progress"));
    assert_true(bao_str_is(f.findings.items[0].pointer, "/data/nhiem_vu/0/tien_do"));
    assert_true(bao_str_is(f.findings.items[0].message[BAO_EN], "Above a hundred."));
    assert_true(
        bao_str_is(f.findings.items[0].keyword, "/properties/nhiem_vu/items/properties/tien_do/maximum"));
    close_fixture(&f);
}

/* ---- hostile shapes ---- */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Text made by repeating a piece with a number in it. */
static char *repeat(const char *before, const char *piece, size_t n, const char *after)
{
    struct bao_buf out = BAO_BUF_NULL((size_t)256 << 20);
    char *text;
    int r = bao_buf_append_c(&out, before);

    for (size_t i = 0; i < n && r == 0; i++)
        for (const char *p = piece; *p != '\0' && r == 0; p++)
            r = *p == '#'   ? bao_buf_printf(&out, "%zu", i)
                : *p == '@' ? bao_buf_printf(&out, "%zu", i + 1)
                            : bao_buf_append(&out, p, 1);
    assert_int_equal(r, 0);
    assert_int_equal(bao_buf_append_c(&out, after), 0);
    text = strndup(bao_buf_data(&out), bao_buf_len(&out));
    bao_buf_deinit(&out);
    return text;
}

/* Compiles, judges and reports, all in less than a second a step. */
static void endures(const char *schema, const char *value, int want)
{
    struct fixture f;
    struct bao_node node;
    double start = seconds();
    int got;

    open_fixture(&f);
    assert_int_equal(compile(&f, schema), 0);
    node = load(&f, value);
    start = seconds();
    got = bao_schema_is_valid(f.schema, f.scratch, &node);
    assert_int_equal(got, want);
    if (got != 1)
        assert_int_equal(bao_schema_report(f.schema, f.scratch, &node,
                                           (struct bao_schema_at){.source = f.doc.source}, &f.findings),
                         0);

    assert_true(seconds() - start < 4.0); /* sanitizers slow it by far more than the rest of the second */
    close_fixture(&f);
}

static void endures_hostile_shapes(void **state)
{
    char *a, *b;

    (void)state;
    b = repeat("[", "#,", 100000, "\"end\"]");
    endures("{\"uniqueItems\":true}", b, 1);
    free(b);
    a = repeat("{\"enum\":[", "\"value #\",", 20000, "0.5]}");
    endures(a, "\"value 19999\"", 1);
    endures(a, "\"value 20001\"", 0);
    free(a);
    a = repeat("{\"additionalProperties\":false,\"properties\":{", "\"p#\":{\"type\":\"integer\"},", 10000,
               "\"z\":true}}");
    b = repeat("{", "\"p#\":#,", 10000, "\"z\":1}");
    endures(a, b, 1);
    free(b);
    b = repeat("{", "\"q#\":#,", 10000, "\"z\":1}");
    endures(a, b, 0);
    free(a);
    free(b);
    endures("{\"items\":{\"multipleOf\":0.01}}", "[1e6000,1e-6000,0.07,123456789012345678901234567890.12]",
            0);
    endures("{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", 0);
    endures("{\"pattern\":\"^(\\\\w+\\\\s?)*$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
            0);
    endures("{\"pattern\":\"^(?=(a+)+$)b?\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
            -E2BIG);
}

static void endures_references(void **state)
{
    struct bao_buf out = BAO_BUF_NULL((size_t)16 << 20);
    char *deep, *closed;
    int r = 0;

    (void)state;
    /* every link asks twice: 2^60 without a memory of answers */
    r = bao_buf_append_c(&out, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 60 && r == 0; i++)
        r = bao_buf_printf(&out,
                           "\"a%d\":{\"allOf\":[{\"$ref\":\"#/$defs/a%d\",\"minimum\":0},"
                           "{\"$ref\":\"#/$defs/a%d\",\"minimum\":1}]},",
                           i, i + 1, i + 1);
    assert_int_equal(r, 0);
    assert_int_equal(bao_buf_append_c(&out, "\"a60\":{\"maximum\":5}}}"), 0);
    assert_int_equal(bao_buf_append(&out, "", 1), 0);
    endures(bao_buf_data(&out), "3", 1);
    endures(bao_buf_data(&out), "6", 0);
    bao_buf_clear(&out);
    /* a chain of 3,000 links, each with something to say itself */
    r = bao_buf_append_c(&out, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 3000 && r == 0; i++)
        r = bao_buf_printf(&out, "\"a%d\":{\"$ref\":\"#/$defs/a%d\",\"maximum\":%d},", i, i + 1, 10 + i);
    assert_int_equal(r, 0);
    assert_int_equal(bao_buf_append_c(&out, "\"a3000\":{\"type\":\"integer\"}}}"), 0);
    assert_int_equal(bao_buf_append(&out, "", 1), 0);
    endures(bao_buf_data(&out), "3", 1);
    endures(bao_buf_data(&out), "3.5", 0);
    bao_buf_deinit(&out);
    /* the same value asked twice at each of 40 levels */
    deep = repeat("", "{\"a\":", 60, "{\"a\":1}");
    closed = repeat(deep, "}", 60, "");
    endures("{\"allOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}}},{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
            "\"minProperties\":0}]}",
            closed, 1);
    endures(
        "{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}}},{\"properties\":{\"a\":{\"$ref\":\"#\"}}}],"
        "\"unevaluatedProperties\":false}",
        closed, 1);
    free(deep);
    free(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_what_the_suite_leaves_out),
        cmocka_unit_test(refuses_bad_schemas_with_their_place),
        cmocka_unit_test(takes_own_keywords_in_a_form),
        cmocka_unit_test(a_form_compares_text_kindly),
        cmocka_unit_test(a_form_refuses_a_dotted_thousand),
        cmocka_unit_test(finds_what_is_wrong),
        cmocka_unit_test(names_items_by_their_key_and_title),
        cmocka_unit_test(endures_hostile_shapes),
        cmocka_unit_test(endures_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
