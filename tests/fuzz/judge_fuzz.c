/* Reports: any octets, judged against a form with everything in it. The verdict must say what it found, and
 * the same octets must give the same content again. */
#include "lib/form/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char form_text[] =
    "baocao: 1\nid: f\nversion: 1\ntitle: F\nperiod: {type: quarter, calendar: nd09}\ndeadline: "
    "{working_days: 2}\n"
    "nil: allowed\n"
    "schema:\n"
    "  type: object\n"
    "  properties:\n"
    "    a: {type: integer}\n"
    "    b: {type: number, multipleOf: 0.01}\n"
    "    c: {type: string, format: date, x-normalize: NFC}\n"
    "    p: {x-for: [department], type: object, properties: {q: {type: integer}}}\n"
    "    l: {type: array, maxItems: 9, x-key: k, items: {type: object, "
    "properties: {k: {type: string}, n: {type: integer}}, "
    "required: [k]}}\n"
    "  required: [a]\n"
    "  additionalProperties: false\n"
    "checks:\n"
    "  - {id: c1, rule: self.b <= self.a, at: b, severity: error, message: \"{self.b} > {self.a}\"}\n"
    "  - {id: c2, each: l, rule: item.n > 0, at: n, severity: confirm, message: \"{item.k}\"}\n"
    "indicators:\n"
    "  - {code: a, label: A, value: self.a}\n"
    "  - {code: b, label: B, value: self.b / self.a, decimals: 3}\n"
    "collect:\n"
    "  - {field: l, heading: L, columns: [k, n]}\n";

static void judge(const struct bao_judge_context *context, struct bao_arena *arena,
                  struct bao_schema_scratch *scratch, struct bao_str bytes, struct bao_verdict *ret)
{
    bao_require(bao_judge(context, arena, scratch, bytes, ret) == 0);
    bao_require((ret->symbol == BAO_SYM_NONE) ==
                (ret->findings.by_severity[BAO_ERROR] + ret->findings.by_severity[BAO_CONFIRM] == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bao_str bytes = {(const char *)data, size};
    struct bao_arena keep = BAO_ARENA_NULL(0), first = BAO_ARENA_NULL(0), second = BAO_ARENA_NULL(0);
    struct bao_schema_scratch *scratch = bao_schema_scratch_new();
    struct bao_form *form = NULL;
    struct bao_findings findings;
    struct bao_verdict a, b;

    bao_findings_init(&findings, &keep, 20);
    bao_require(scratch != NULL);
    bao_require(bao_form_load(bao_str_c(form_text), BAO_STR("f"), NULL, &findings, &form) == 0);
    {
        const struct bao_forms forms = {&form, 1};
        const struct bao_judge_context context = {
            .forms = &forms, .limits = BAO_LOAD_LIMITS_DEFAULT, .now = BAO_TIME_NONE};

        judge(&context, &first, scratch, bytes, &a);
        judge(&context, &second, scratch, bytes, &b);
    }
    bao_require(a.symbol == b.symbol && a.has_key == b.has_key);
    bao_require(!a.has_key || a.is_secret || memcmp(a.content, b.content, sizeof(a.content)) == 0);
    bao_arena_deinit(&first);
    bao_arena_deinit(&second);
    form = bao_form_free(form);
    scratch = bao_schema_scratch_free(scratch);
    bao_arena_deinit(&keep);
    return 0;
}
