/* The validator: verdicts beyond the official suite, refusals of bad schemas, findings for people, and
 * hostile shapes. */
#include "lib/base/buf.h"
#include "lib/doc/load.h"
#include "lib/schema/program.h"

#include <setjmp.h>
#include <stdarg.h>
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
    if (compile(&f, schema) != 0)
        fail_msg("%s is refused: BC%u", schema, f.findings.items[0].code);
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

/* One pass over a map's members and conditions over what it saw. */
static void judges_conditions(void **state)
{
    static const char chain[] =
        "{properties: {s: {enum: [done, late, new]}, a: {type: string}, b: {minimum: 3}}, required: [s],"
        " dependentRequired: {b: [s, a]}, dependentSchemas: {c: {required: [a], properties: {a: {minLength: "
        "2}}}},"
        " not: {required: [d, e]}, additionalProperties: {type: [integer, string]},"
        " allOf: [{if: {properties: {s: {const: done}}}, then: {required: [a]}, else: {not: {required: "
        "[z]}}},"
        " {if: {properties: {s: {const: late}}, required: [b]}, then: {properties: {b: {maximum: 9}}}},"
        " {if: {required: [f]}, then: {minProperties: 3}, else: false}]}";
    static const struct {
        const char *value;
        int verdict;
    } cases[] = {
        {"{s: new, f: 1, x: 2}", 1},
        {"{s: new, f: 1}", 0},                /* minProperties */
        {"{s: new, x: 1, y: 2}", 0},          /* without f never */
        {"{s: other, f: 1, x: 2}", 0},        /* enum */
        {"{f: 1, x: 2, y: 2}", 0},            /* required */
        {"{s: done, f: 1, x: 2}", 0},         /* then: a */
        {"{s: done, f: 1, a: q}", 1},         /* a is there */
        {"{s: done, f: 1, a: q, z: 1}", 1},   /* z only beside done */
        {"{s: new, f: 1, z: 1}", 0},          /* else: not z */
        {"{s: new, f: 1, b: 5}", 0},          /* b needs a */
        {"{s: new, f: 1, b: 5, a: q}", 1},    /* and has it */
        {"{s: new, f: 1, b: 2, a: q}", 0},    /* minimum */
        {"{s: late, f: 1, b: 10, a: q}", 0},  /* then: maximum */
        {"{s: late, f: 1, b: 9.5, a: q}", 0}, /* also of decimals */
        {"{s: late, f: 1, b: 9, a: q}", 1},   /* */
        {"{s: new, f: 1, c: 1, a: q}", 0},    /* dependentSchemas: a too short */
        {"{s: new, f: 1, c: 1}", 0},          /* a missing */
        {"{s: new, f: 1, c: 1, a: qq}", 1},   /* */
        {"{s: new, f: 1, d: 1, e: 1}", 0},    /* not */
        {"{s: new, f: 1, d: 1}", 1},          /* */
        {"{s: new, f: true, x: 1}", 0},       /* names of conditions are judged by the rest as well */
        {"{s: new, f: 1, x: [1]}", 0},        /* as any other */
        {"[]", 0},                            /* not: a list lacks no members */
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (verdict(chain, cases[i].value) != cases[i].verdict)
            fail_msg("%s: %d", cases[i].value, !cases[i].verdict);
}

/* More names and values than a table of conditions holds: judged the long way, just as well. */
static void judges_very_many_conditions(void **state)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(1 << 20);
    int r = bao_buf_append_c(&out, "{\"properties\": {\"k\": {\"type\": \"integer\"}}, \"allOf\": [");

    (void)state;
    for (int i = 0; i < 80 && r == 0; i++)
        r = bao_buf_printf(&out,
                           "%s{\"if\": {\"properties\": {\"k%d\": {\"const\": \"x%d\"}}, \"required\": "
                           "[\"k%d\"]}, \"then\": {\"required\": [\"m%d\"]}}",
                           i == 0 ? "" : ", ", i, i, i, i);
    assert_int_equal(r, 0);
    assert_int_equal(bao_buf_append(&out, "]}", 3), 0);
    assert_int_equal(verdict(bao_buf_data(&out), "{k79: x79}"), 0);
    assert_int_equal(verdict(bao_buf_data(&out), "{k79: x78}"), 1);
    assert_int_equal(verdict(bao_buf_data(&out), "{k79: x79, m79: 1}"), 1);
    assert_int_equal(verdict(bao_buf_data(&out), "{k: a}"), 0);
}

/* unevaluatedProperties over branches that one member tells apart. */
static void judges_cases(void **state)
{
    static const char any[] =
        "{type: object, properties: {kind: {type: string}, at: {type: string}}, allOf: [{properties: {id: "
        "{type: "
        "integer}}}], anyOf: [{properties: {kind: {enum: [road, path]}, km: {type: number}}, required: [km]},"
        " {properties: {kind: {const: school}}, patternProperties: {'^r': {type: integer}}}],"
        " unevaluatedProperties: {type: boolean}}";
    static const char one[] = "{oneOf: [{properties: {k: {const: a}, x: {type: integer}}},"
                              " {properties: {k: {const: b}, y: true}}], unevaluatedProperties: false}";
    static const struct {
        const char *schema, *value;
        int verdict;
    } cases[] = {
        {any, "{kind: road, km: 1.5, id: 7, at: x, more: true}", 1},
        {any, "{kind: path, km: 1.5}", 1},
        {any, "{kind: path, km: 1.5, more: 1}", 0},
        {any, "{kind: path, id: 1}", 0},
        {any, "{kind: school, rooms: 3, ok: false}", 1},
        {any, "{kind: school, rooms: x}", 0},
        {any, "{kind: school, km: 1}", 0}, /* km is evaluated by the other branch only */
        {any, "{kind: clinic}", 0},
        {any, "{kind: 5}", 0},
        {any, "{id: 1}", 1}, /* without the member both branches are asked: the second takes it */
        {any, "{id: 1, km: 2}", 1},
        {any, "{id: 1, km: 2, z: 1}", 0},
        {any, "[]", 0},
        {one, "{k: a, x: 1}", 1},
        {one, "{k: a, y: 1}", 0},
        {one, "{k: b, y: 1}", 1},
        {one, "{k: b, x: 1}", 0},
        {one, "{k: c}", 0},
        {one, "{}", 0}, /* both */
        {one, "5", 0},  /* both */
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (verdict(cases[i].schema, cases[i].value) != cases[i].verdict)
            fail_msg("%s: %d", cases[i].value, !cases[i].verdict);
}

/* Numbers in lists, texts in sets and items that differ, near the borders of their quick ways. */
static void judges_lists_and_sets(void **state)
{
    static const struct {
        const char *schema, *value;
        int verdict;
    } cases[] = {
        {"{items: {type: number, minimum: -1.5, maximum: 9}}", "[1, -1.5, 2.25, 9, 9.0]", 1},
        {"{items: {type: number, minimum: -1.5, maximum: 9}}", "[1, -1.50000000000000001]", 0},
        {"{items: {type: number, minimum: -1.5, maximum: 9}}", "[2.5, 10]", 0},
        {"{items: {type: number, minimum: -1.5, maximum: 9}}", "[2.5, x]", 0},
        {"{items: {minimum: -1.5, maximum: 9}}", "[2.5, x, 3, [1], 9.5]", 0},
        {"{items: {minimum: -1.5, maximum: 9}}", "[2.5, x, 3, [1], 8.5]", 1},
        {"{items: {type: integer, multipleOf: 6}}", "[0, -12, 600]", 1},
        {"{items: {type: integer, multipleOf: 6}}", "[0, -12, 602]", 0},
        {"{items: {type: integer, minimum: 0, multipleOf: 5}}", "[5, 1e30, 10]", 1},
        {"{items: {type: integer, minimum: 0, multipleOf: 5}}", "[5, 10, -5]", 0},
        {"{items: {type: integer, minimum: 0, multipleOf: 5}}", "[5, 10, 11]", 0},
        {"{items: {type: number}}", "[1, 2.5, 1e400]", 1},
        {"{items: {type: number}}", "[1, 2.5, null]", 0},
        {"{items: {multipleOf: 0.25}}", "[9223372036854775807, 0.75, -2]", 1},
        {"{items: {multipleOf: 0.25}}", "[0.80]", 0},
        {"{items: {multipleOf: 3e5}}", "[900000, 1200000000000000000]", 1},
        {"{items: {multipleOf: 3e5}}", "[900001]", 0},
        {"{enum: [abcdefgh1abcdefgh, abcdefgh2abcdefgh, abcdefgh3abcdefgh]}", "abcdefgh2abcdefgh", 1},
        {"{enum: [abcdefgh1abcdefgh, abcdefgh2abcdefgh, abcdefgh3abcdefgh]}", "abcdefgh4abcdefgh", 0},
        {"{enum: ['', a, ab, abc, abcd, abcde]}", "''", 1},
        {"{enum: ['', a, ab, abc, abcd, abcde]}", "abd", 0},
        {"{pattern: '^(ab){2}$'}", "abab", 1},
        {"{pattern: '^(ab){2}$'}", "ababa", 0},
        {"{pattern: '^ab[0-9]+$'}", "ab", 0},
        {"{pattern: '^ab[0-9]+$'}",
         "ab0123456789012345678901234567890123456789012345678901234567890123456789", 1},
        {"{pattern: '^ab[0-9]+$'}",
         "ab0123456789012345678901234567890123456789012345678901234567890123456789x", 0},
        {"{pattern: '^x-'}", "x-", 1},
        {"{pattern: '^x-'}", "x-whatever", 1},
        {"{pattern: '^x-'}", "y-whatever", 0},
        {"{pattern: '^$'}", "''", 1},
        {"{pattern: '^$'}", "a", 0},
        {"{pattern: '^[a-z]{70}$'}", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr",
         1},
        {"{pattern: '^[a-z]{70}$'}", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopq",
         0},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (verdict(cases[i].schema, cases[i].value) != cases[i].verdict)
            fail_msg("%s on %s: %d", cases[i].schema, cases[i].value, !cases[i].verdict);
}

/* Keys of every length against names that differ in one place, in the schema's order and in others. */
static void finds_members_in_any_order(void **state)
{
    static const char closed[] =
        "{properties: {ab: {type: integer, minimum: 0, maximum: 9}, abcde: {type: string}, "
        "abcdefghij: {type: integer, minimum: 5}, abcdefghijklmnopqrstu: {const: true}, "
        "z: {type: number, minimum: 0.5, multipleOf: 0.01}}, "
        "required: [ab, z], additionalProperties: false}";
    static const struct {
        const char *value;
        int verdict;
    } cases[] = {
        {"{ab: 1, abcde: x, abcdefghij: 5, abcdefghijklmnopqrstu: true, z: 1.25}", 1},
        {"{ab: 1, abcdefghij: 5, z: 1}", 1},                         /* every second is left out */
        {"{ab: 1, z: 1}", 1},                                        /* several in a row are */
        {"{z: 1, abcdefghijklmnopqrstu: true, abcde: x, ab: 1}", 1}, /* backwards */
        {"{ab: 1, abcde: x}", 0},
        {"{ab: 10, z: 1}", 0},
        {"{ab: -1, z: 1}", 0},
        {"{ab: 1, abcdefghij: 4, z: 1}", 0},
        {"{ab: 1, z: 0.25}", 0},
        {"{ab: 1, z: 0.755}", 0},
        {"{ab: 1, z: 1, ac: 1}", 0},
        {"{ab: 1, abcdf: x, z: 1}", 0},
        {"{ab: 1, xbcde: x, z: 1}", 0},
        {"{ab: 1, abxde: x, z: 1}", 0},
        {"{ab: 1, abcdxfghij: 5, z: 1}", 0},
        {"{ab: 1, abcdefghix: 5, z: 1}", 0},
        {"{ab: 1, abcdefghijxlmnopqrstu: true, z: 1}", 0},
        {"{ab: 1, z: 1, zz: 1}", 0}, /* behind the last name */
        {"{}", 0},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (verdict(closed, cases[i].value) != cases[i].verdict)
            fail_msg("%s: %d", cases[i].value, !cases[i].verdict);
}

/* What is asked of many items at once, just within and just beyond. */
static void judges_many_items_at_once(void **state)
{
    static const struct {
        const char *schema, *value;
        int verdict;
    } cases[] = {
        {"{items: {type: string, minLength: 2, maxLength: 4}}", "[ab, abcd, abc]", 1},
        {"{items: {type: string, minLength: 2, maxLength: 4}}", "[ab, abcde]", 0},
        {"{items: {type: string, minLength: 2, maxLength: 4}}", "[ab, a]", 0},
        {"{items: {type: string, minLength: 2, maxLength: 4}}", "[ab, \"\u1ec7\u1ec7\u1ec7\u1ec7\", ab]", 1},
        {"{items: {type: string, minLength: 2, maxLength: 4}}", "[ab, \"\u1ec7\", ab]", 0},
        {"{items: {type: string, minLength: 2, maxLength: 4}}", "[ab, 5]", 0},
        {"{items: {minLength: 2}}", "[ab, 5, x]", 0},
        {"{items: {minLength: 2}}", "[ab, 5, xy]", 1},
        {"{items: {type: number, minimum: 0, maximum: 9}}", "[1.5, 2.5, 3.5, 4.5, 8.75]", 1},
        {"{items: {type: number, minimum: 0, maximum: 9}}", "[1.5, 2.5, 3.5, 9.5, 8.75]", 0},
        {"{items: {type: number, minimum: 0, maximum: 9}}", "[-0.5, 2.5, 3.5, 4.5]", 0},
        {"{items: {type: number, minimum: 0, maximum: 9}}", "[1.5, 2.5, 3.5, 4.5, 9.25]", 0},
        {"{items: {type: number, minimum: 0, maximum: 9, multipleOf: 0.01}}", "[1.25, 2.5, 3]", 1},
        {"{items: {type: number, minimum: 0, maximum: 9, multipleOf: 0.01}}", "[1.25, 2.5, 3.125]", 0},
        {"{items: {type: number, minimum: 0, maximum: 9, multipleOf: 0.01}}", "[1.255]", 0},
        {"{items: {items: {type: integer}}}", "[[], [1, 2], [3]]", 1},
        {"{items: {items: {type: integer}}}", "[[], [1, 2], [x]]", 0},
        {"{items: {items: {minimum: 2}}}", "[[2, x], [3, 2.5], 7]", 1},
        {"{items: {items: {minimum: 2}}}", "[[2, x], [3, 1.5], 7]", 0},
        {"{items: {minItems: 1, maxItems: 2, items: {type: integer}}}", "[[1], [1, 2], 3]", 1},
        {"{items: {minItems: 1, maxItems: 2, items: {type: integer}}}", "[[1], []]", 0},
        {"{items: {minItems: 1, maxItems: 2, items: {type: integer}}}", "[[1], [1, 2, 3]]", 0},
        {"{items: {minItems: 1, maxItems: 2, items: {type: integer}}}", "[[1], [1, x]]", 0},
        {"{items: {prefixItems: [{type: string}, {minimum: 1}]}}", "[[a, 1], [a], [], [a, 1, 2], x]", 1},
        {"{items: {prefixItems: [{type: string}, {minimum: 1}]}}", "[[a, 1], [a, 0]]", 0},
        {"{items: {prefixItems: [{type: string}, true], items: false}}", "[[a, 1], [a]]", 1},
        {"{items: {prefixItems: [{type: string}, true], items: false}}", "[[a, 1], [a, 1, 2]]", 0},
        {"{items: {prefixItems: [{type: string}, true], items: {type: 'null'}}}", "[[a, 1, null], [a]]", 1},
        {"{items: {properties: {a: {minimum: 1}}, required: [b]}}", "[{b: 1}, {a: 1, b: 1}, x]", 1},
        {"{items: {properties: {a: {minimum: 1}}, required: [b]}}", "[{b: 1}, {a: 1}]", 0},
        {"{items: {properties: {a: {minimum: 1}}, required: [b]}}", "[{b: 1}, {b: 1, a: 0.5}]", 0},
        {"{multipleOf: 0.01}", "-7", 1},
        {"{multipleOf: 0.03}", "7", 0},
        {"{multipleOf: 0.03}", "9", 1},
        {"{multipleOf: 0.0000000001}", "7", 1},
        {"{multipleOf: 1e30}", "1.5e31", 1},
        {"{multipleOf: 1e30}", "1.5e30", 0},
        {"{type: integer, multipleOf: 0.1}", "2.5", 0},
        {"{uniqueItems: true}", "[true, false, null, 1.5, 2.5, [1], [2], abcdefgh1, abcdefgh2]", 1},
        {"{uniqueItems: true}", "[true, 1.5, 15e-1]", 0},
        {"{uniqueItems: true}", "[abcdefgh1, abcdefgh2, abcdefgh1]", 0},
        {"{uniqueItems: true}", "[ab, ac, '5', 5, ab]", 0},
        {"{uniqueItems: true}", "[{a: 1, b: 2}, {b: 2, a: 1.0}]", 0},
        {"{uniqueItems: true}", "[false, 0, '', [], {}]", 1},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (verdict(cases[i].schema, cases[i].value) != cases[i].verdict)
            fail_msg("%s on %s: %d", cases[i].schema, cases[i].value, !cases[i].verdict);
}

/* References, unevaluated* that only a run can tell, and expressions that no automaton takes. */
static void judges_the_rarer_ways(void **state)
{
    static const char nested[] = "{allOf: [{properties: {a: true}, anyOf: [{properties: {b: {type: "
                                 "integer}}, required: [b]}, {properties: "
                                 "{c: true}}], unevaluatedProperties: {type: integer}}], if: {required: "
                                 "[a]}, unevaluatedProperties: false}";
    static const char items[] =
        "{prefixItems: [true], contains: {type: string}, unevaluatedItems: {type: integer}}";
    static const char bases[] =
        "{$id: 'http://x.vn/a/b/c', $ref: '../d?q=%2f', $defs: {d: {$id: '/a/d?q=%2f', type: "
        "string}, e: {$id: './/e/../f/.', $anchor: g, maxLength: 2}}, allOf: [{$ref: './/f/#g'}]}";
    static const struct {
        const char *schema, *value;
        int verdict;
    } cases[] = {
        {nested, "{a: 1, b: 2, d: 3}", 1}, /* the inner keyword evaluates d */
        {nested, "{a: 1, b: 2, d: x}", 0},
        {nested, "{c: x}", 1},
        {items, "[null, x, 5]", 1},
        {items, "[null, x, 5.5]", 0},
        {"{minProperties: 1, properties: {a: true}, if: {required: [a]}, then: {required: [b]}}", "{a: 1}",
         0},
        {"{minProperties: 1, properties: {a: true}, if: {required: [a]}, then: {required: [b]}}",
         "{a: 1, b: 1}", 1},
        {"{properties: {a: {$ref: '#'}}, allOf: [{properties: {a: {type: object}}}]}", "{a: {a: 5}}", 0},
        {"{properties: {a: {$ref: '#'}}, allOf: [{properties: {a: {type: object}}}]}", "{a: {a: {}}}", 1},
        {"{properties: {a: {not: {$ref: '#/$defs/n'}}, b: true}, not: {$ref: '#/$defs/n'}, $defs: {n: {$ref: "
         "'#/$defs/m', description: d}, m: {required: [b]}}}",
         "{a: {b: 1}}", 0},
        {bases, "ab", 1},
        {bases, "abc", 0},
        {bases, "5", 0},
        {"{$ref: '#/$defs/a~1b~0c%25', $defs: {'a/b~c%': {type: string}}}", "5", 0},
        {"{$id: 'http://x.vn/a?z', allOf: [{$ref: '?q=1'}], $defs: {d: {$id: 'http://x.vn/a?q=1', type: "
         "string}}}",
         "5", 0},
        {"{$id: 'http://x.vn/a/b', allOf: [{$ref: 'c/..'}], $defs: {d: {$id: 'http://x.vn/a/', type: "
         "string}}}",
         "5", 0},
        {"{$id: 'http://x.vn', allOf: [{$ref: y}], $defs: {d: {$id: 'http://x.vn/y', type: string}}}", "5",
         0},
        {"{$ref: '#/$defs/%C3%a9', $defs: {é: {type: string}}}", "5", 0},
        {"{$ref: '#/$defs/%C3%a9', $defs: {é: {type: string}}}", "x", 1},
        {"{properties: {a: true}, if: {required: [a]}, then: {required: [b]}, anyOf: [{required: [c]}, "
         "{required: "
         "[d]}]}",
         "{a: 1, b: 1}", 0},
        {"{properties: {a: true}, if: {required: [a]}, then: {required: [b]}, anyOf: [{required: [c]}, "
         "{required: "
         "[d]}]}",
         "{a: 1, b: 1, d: 1}", 1},
        {"{properties: {a: true}, if: {required: [a]}, then: {allOf: [{$ref: '#/$defs/x'}]}, else: {allOf: "
         "[{$ref: "
         "'#/$defs/x'}]}, $defs: {x: {required: [b], minProperties: 2}}}",
         "{a: 1, b: 1}", 1},
        {"{properties: {a: true}, if: {required: [a]}, then: {allOf: [{$ref: '#/$defs/x'}]}, else: {allOf: "
         "[{$ref: "
         "'#/$defs/x'}]}, $defs: {x: {required: [b], minProperties: 2}}}",
         "{b: 1}", 0},
        {"{pattern: '^(?!x|y)z?(?=a|b)'}", "za", 1},
        {"{pattern: '^(?!x|y)z?(?=a|b)'}", "zc", 0},
        {"{pattern: '^(?!x|y)z?(?=a|b)'}", "xa", 0},
        {"{pattern: '^(a)\\1[\\u{d900}-\\u{e100}]$'}", "aa\xee\x82\x80", 1},
        {"{pattern: '^(a)\\1[\\u{1}-\\u{d900}]$'}", "aab", 1},
        {"{pattern: '^(a)\\1[\\u{d900}-\\u{da00}]$'}", "aab", 0},
        {"{pattern: '^(?=[])a'}", "a", 0},
        {"{pattern: '^(?![])[^]$'}", "a", 1},
        {"{pattern: '(?<=[^])a(?!b)'}", "xab", 0},
        {"{pattern: '(?<=[^])a(?!b)'}", "xac", 1},
        {"{pattern: '(?<!x|yy)a'}", "xa", 0},
        {"{pattern: '(?<!x|yy)a'}", "za", 1},
        {"{pattern: '^\\p{Script_Extensions=Greek}\\p{General_Category=Lu}\\P{L}$'}", "αA1", 1},
        {"{pattern: '^\\p{Script_Extensions=Greek}\\p{General_Category=Lu}\\P{L}$'}", "αa1", 0},
        {"{pattern: '^(a)\\1[\\u{d000}-\\u{e100}]$'}", "aa\xee\x82\x80", 1},
        {"{pattern: '^(a)\\1[\\u{d000}-\\u{e100}]$'}", "aab", 0},
        {"{multipleOf: 0.00000000012345}", "0.0000000024690", 1},
        {"{multipleOf: 0.00000000012345}", "0.0000000024691", 0},
        {"{multipleOf: 12345678901.5}", "24691357803", 1},
        {"{multipleOf: 12345678901.5}", "24691357804", 0},
        {"{multipleOf: 12345678901.5}", "12345678901.5", 1},
        {"{multipleOf: 0.0000000000000000001}", "5", 1},
        {"{multipleOf: 3e30}", "5", 0},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++)
        if (verdict(cases[i].schema, cases[i].value) != cases[i].verdict)
            fail_msg("%s on %s: %d", cases[i].schema, cases[i].value, !cases[i].verdict);
}

/* Texts whose hashes want the same place of a table, more than it probes for: they are told apart by order.
 */
static void colliding_items_are_told_apart(void **state)
{
    static const struct {
        int n;
        uint32_t mask;
    } sizes[] = {{200, 511}, {300, 1023}};

    (void)state;
    for (size_t k = 0; k < BAO_COUNT(sizes); k++) {
        BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(1 << 20);
        int found = 0, r = bao_buf_append_c(&out, "[");

        for (unsigned i = 0; found < sizes[k].n && r == 0; i++) {
            char text[16];
            struct bao_node node = {.type = BAO_STRING, .str = text};
            uint64_t hash;

            node.len = (uint32_t)snprintf(text, sizeof(text), "%08u", i);
            hash = bao_node_mix(&node);
            if (((uint32_t)(hash ^ hash >> 32) & sizes[k].mask) != 7)
                continue;
            found++;
            r = bao_buf_printf(&out, "\"%s\", ", text);
        }
        assert_int_equal(r, 0);
        assert_int_equal(bao_buf_append(&out, "null]", 6), 0);
        assert_int_equal(verdict("{uniqueItems: true}", bao_buf_data(&out)), 1);
        out.end -= 6;
        assert_int_equal(bao_buf_append(&out, "null, null]", 12), 0);
        assert_int_equal(verdict("{uniqueItems: true}", bao_buf_data(&out)), 0);
    }
}

/* uniqueItems by pairs, by a table on the stack and by one in the arena. */
static void tells_items_apart(void **state)
{
    (void)state;
    for (int n = 2; n < 600; n += n < 20 ? 1 : 97)
        for (int twin = 0; twin < 2; twin++) {
            BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(1 << 20);
            int r = bao_buf_append_c(&out, "[");

            for (int i = 0; i < n && r == 0; i++)
                r = bao_buf_printf(&out,
                                   i % 3 == 0   ? "{\"a\": %d}, "
                                   : i % 3 == 1 ? "\"t%d\", "
                                                : "%d.5, ",
                                   i);
            assert_int_equal(r, 0);
            r = bao_buf_printf(&out, "%s]", twin == 0 ? "null" : "{\"a\": 0.0e0}");
            assert_int_equal(r, 0);
            assert_int_equal(bao_buf_append(&out, "", 1), 0);
            assert_int_equal(verdict("{uniqueItems: true}", bao_buf_data(&out)), twin == 0);
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
        {"a: 1\ntype: [1]\n", BAO_BC_SCHEMA_SHAPE, 2, false},
        {"type: [string, string]\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"required: [1]\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"$anchor: 1a\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"$anchor: 5\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"$id: 5\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"dependentRequired: []\n", BAO_BC_SCHEMA_SHAPE, 1, false},
        {"dependentRequired: {a: b}\n", BAO_BC_SCHEMA_SHAPE, 1, false},
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
        {"$defs:\n  a: {$id: http://x.vn/x}\n  b: {$id: http://x.vn/x}\n", BAO_BC_SCHEMA_ID_TWICE, 3, false},
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

/* A reference that leads nowhere is told with the nearest that leads somewhere. */
static void a_wrong_reference_names_the_nearest(void **state)
{
    static const struct {
        const char *ref, *near;
    } cases[] = {{"common#/$defs/evidense", "common#/$defs/evidence"},
                 {"common#/defs/evidence", "common#/$defs/evidence"},
                 {"common#/$defs/Tien_Do", "common#/$defs/tiến_độ"},
                 {"comon#/$defs/evidence", "common#/$defs/evidence"},
                 {"#/$defs/dia_bn", "#/$defs/dia_ban"},
                 {"#/$defs/dia_bn/properties/x", "#/$defs/dia_ban/properties/x"},
                 {"common#/$defs/a~1c", NULL},
                 {"common#evidence", NULL},
                 {"common#/$defs/money", NULL},
                 {"common#/$defs/evidence/type/x", NULL},
                 {"https://example.com/nowhere", NULL}};

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        struct bao_node common;
        struct fixture f;
        char schema[200];

        open_fixture(&f);
        common = load(&f, "$defs: {evidence: {type: string}, tiến_độ: true, a/b: true}");
        assert_int_equal(bao_schema_set_add(f.set, BAO_STR("common"), &common), 0);
        snprintf(schema, sizeof(schema), "$defs: {dia_ban: true}\n$ref: '%s'\n", cases[i].ref);
        assert_int_equal(compile(&f, schema), BAO_SCHEMA_E_BAD);
        assert_int_equal(f.findings.items[0].code,
                         cases[i].near == NULL ? BAO_BC_SCHEMA_REF : BAO_BC_SCHEMA_REF_NEAR);
        assert_int_equal(f.findings.items[0].at.line, 2);
        assert_true(bao_str_is(f.findings.items[0].args[0].vi, cases[i].ref));
        if (cases[i].near != NULL)
            assert_true(bao_str_is(f.findings.items[0].args[1].vi, cases[i].near));
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
    if (bao_schema_is_valid(f.schema, f.scratch, &value) == 1)
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

/* An expression that PCRE2 gives up on, and a text that it does so for. */
#define COSTLY "^(?=(a+)+$)b?"
#define ENDLESS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"

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
        {"{type: object}", "giao ：5", BAO_BC_YAML_WIDE_COLON, "/data", "giao: 5"},
        {"{type: object}", "giao： 5 xong： 3", BAO_BC_YAML_WIDE_COLON, "/data", "giao: …"},
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
        {"{type: object, properties: {a: {type: integer}}}", "{\"a\": 1.000}", BAO_BC_WHOLE_THOUSAND,
         "/data/a", "1"},
        {"{type: object, properties: {'a~b/c': {type: integer}}}", "{'a~b/c': x}", BAO_BC_WANT_WHOLE,
         "/data/a~0b~1c", NULL},
        {"{type: object, dependentRequired: {a: [b]}}", "{a: 1}", BAO_BC_DEPENDENT, "/data", "b"},
        {"{type: object, dependentSchemas: {a: {properties: {b: {type: integer}}}}}", "{a: 1, b: x}",
         BAO_BC_WANT_WHOLE, "/data/b", NULL},
        {"{type: object, additionalProperties: {type: integer}}", "{a: x}", BAO_BC_WANT_WHOLE, "/data/a",
         NULL},
        {"{type: object, allOf: [{properties: {a: true}}], patternProperties: {^b: true}, "
         "unevaluatedProperties: "
         "{type: integer}}",
         "{a: 1, bc: x, c: x}", BAO_BC_WANT_WHOLE, "/data/c", NULL},
        {"{type: object, anyOf: [{properties: {a: true}}], unevaluatedProperties: {type: integer}}",
         "{a: x, c: x}", BAO_BC_WANT_WHOLE, "/data/c", NULL},
        {"{type: object, anyOf: [{properties: {a: true}}, {required: [b]}], unevaluatedProperties: false}",
         "{a: x, chua_biet: x}", BAO_BC_UNKNOWN, "/data/chua_biet", NULL},
        /* what costs too much to tell is told where it is */
        {"{type: string, pattern: '" COSTLY "'}", ENDLESS, BAO_BC_PATTERN_COSTLY, "/data", COSTLY},
        {"{properties: {a: {properties: {b: {pattern: '" COSTLY "'}}}, c: {type: integer}}}",
         "{c: 1, a: {b: " ENDLESS "}}", BAO_BC_PATTERN_COSTLY, "/data/a/b", COSTLY},
        {"{patternProperties: {'" COSTLY "': {type: integer}}}", "{x: 1, " ENDLESS ": 1}",
         BAO_BC_PATTERN_COSTLY, "/data/" ENDLESS, COSTLY},
        {"{propertyNames: {pattern: '" COSTLY "'}}", "{" ENDLESS ": 1}", BAO_BC_NAME_COSTLY, "/data/" ENDLESS,
         ENDLESS},
        {"{properties: {a: {not: {pattern: '" COSTLY "'}}}}", "{a: " ENDLESS "}", BAO_BC_TOO_COSTLY,
         "/data/a", NULL},
        {"{properties: {a: {anyOf: [{pattern: '" COSTLY "'}, {type: integer}], unevaluatedItems: false}}}",
         "{a: " ENDLESS "}", BAO_BC_PATTERN_COSTLY, "/data/a", COSTLY},
        {"{type: object, allOf: [{patternProperties: {^b: true}}], unevaluatedProperties: false}",
         "{bc: 1, chua_biet: x}", BAO_BC_UNKNOWN, "/data/chua_biet", NULL},
        {"{type: object, properties: {a: {type: integer}}, patternProperties: {^a: {maximum: 3}}}", "{a: 5}",
         BAO_BC_MAXIMUM, "/data/a", "3"},
        {"{properties: {a: {if: {pattern: '" COSTLY "'}, then: false}}}", "{a: " ENDLESS "}",
         BAO_BC_TOO_COSTLY, "/data/a", NULL},
        {"{anyOf: [{type: integer}, {pattern: '" COSTLY "'}]}", ENDLESS, BAO_BC_PATTERN_COSTLY, "/data",
         COSTLY},
        {"{type: array, maxItems: 9, contains: {pattern: '" COSTLY "'}}", "[" ENDLESS "]", BAO_BC_TOO_COSTLY,
         "/data", NULL},
        /* What was found decides where it is enough, and what is surely too much is told as such. */
        {"{contains: {pattern: '" COSTLY "'}, maxContains: 1}", "[aaa, aaa, " ENDLESS "]",
         BAO_BC_CONTAINS_MANY, "/data", NULL},
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

/* Compiles, judges and reports. How long that takes is measured by the bench, not here. */
static void endures(const char *schema, const char *value, int want)
{
    struct fixture f;
    struct bao_node node;
    int got;

    open_fixture(&f);
    assert_int_equal(compile(&f, schema), 0);
    node = load(&f, value);
    got = bao_schema_is_valid(f.schema, f.scratch, &node);
    assert_int_equal(got, want);
    if (got != 1)
        assert_int_equal(bao_schema_report(f.schema, f.scratch, &node,
                                           (struct bao_schema_at){.source = f.doc.source}, &f.findings),
                         0);
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
    a = repeat("{\"enum\":[", "\"task number # of the province\",", 20000, "0.5]}");
    endures(a, "\"task number 19999 of the province\"", 1);
    endures(a, "\"task number 20001 of the province\"", 0);
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

static void endures_long_texts(void **state)
{
    char *text = repeat("\"", "ế", 300000, "\""), *deep, *branches;

    (void)state;
    endures("{\"minLength\": 300000}", text, 1);
    endures("{\"minLength\": 300001}", text, 0);
    endures("{\"allOf\": [{\"minLength\": 100001}, {\"pattern\": \"^[^a]*$\"}]}", text, 1);
    endures("{\"pattern\": \"(ế+)+a\"}", text, 0);
    free(text);
    /* 60 levels of allOf, and anyOf that doubles at each of 40 levels of the value */
    deep = repeat("", "{\"allOf\":[", 60, "{\"minimum\":3}");
    branches = repeat(deep, "]}", 60, "");
    endures(branches, "3", 1);
    endures(branches, "2", 0);
    free(deep);
    free(branches);
    deep = repeat("", "{\"a\":", 40, "1");
    branches = repeat(deep, "}", 40, "");
    endures(
        "{\"type\":[\"object\",\"integer\"],\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
        "\"required\":[\"b\"]},{\"properties\":{\"a\":{\"$ref\":\"#\"}}}],\"unevaluatedProperties\":false}",
        branches, 1);
    endures("{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"minimum\":2},{\"properties\":{\"a\":"
            "{\"$ref\":\"#\"}},\"minimum\":3}]}",
            branches, 0);
    free(deep);
    free(branches);
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
    /* the same, noting what is evaluated all the way down */
    bao_buf_clear(&out);
    r = bao_buf_append_c(&out, "{\"$ref\":\"#/$defs/a0\",\"unevaluatedProperties\":false,\"$defs\":{");
    for (int i = 0; i < 40 && r == 0; i++)
        r = bao_buf_printf(&out,
                           "\"a%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/a%d\",\"minProperties\":0},"
                           "{\"$ref\":\"#/$defs/a%d\",\"minProperties\":1}]},",
                           i, i + 1, i + 1);
    assert_int_equal(r, 0);
    assert_int_equal(
        bao_buf_append_c(&out, "\"a40\":{\"anyOf\":[{\"properties\":{\"x\":{\"type\":\"integer\"}}}]}}}"), 0);
    assert_int_equal(bao_buf_append(&out, "", 1), 0);
    endures(bao_buf_data(&out), "{\"x\":1}", 1);
    endures(bao_buf_data(&out), "{\"x\":1,\"y\":1}", 0);
    endures(bao_buf_data(&out), "{\"x\":\"1\"}", 0);
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
        cmocka_unit_test(judges_conditions),
        cmocka_unit_test(judges_very_many_conditions),
        cmocka_unit_test(judges_cases),
        cmocka_unit_test(judges_lists_and_sets),
        cmocka_unit_test(finds_members_in_any_order),
        cmocka_unit_test(judges_many_items_at_once),
        cmocka_unit_test(judges_the_rarer_ways),
        cmocka_unit_test(tells_items_apart),
        cmocka_unit_test(colliding_items_are_told_apart),
        cmocka_unit_test(refuses_bad_schemas_with_their_place),
        cmocka_unit_test(a_wrong_reference_names_the_nearest),
        cmocka_unit_test(takes_own_keywords_in_a_form),
        cmocka_unit_test(a_form_compares_text_kindly),
        cmocka_unit_test(a_form_refuses_a_dotted_thousand),
        cmocka_unit_test(finds_what_is_wrong),
        cmocka_unit_test(names_items_by_their_key_and_title),
        cmocka_unit_test(endures_hostile_shapes),
        cmocka_unit_test(endures_long_texts),
        cmocka_unit_test(endures_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
