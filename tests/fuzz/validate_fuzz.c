/* A schema, an empty line, a value; both YAML or JSON. The two passes must agree: what the verdict refuses
 * the report complains of, what it takes the report is silent about. */
#include "lib/doc/load.h"
#include "lib/schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct work {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_schema_set *set;
    struct bao_schema_scratch *scratch;
    struct bao_schema *schema;
};

static bool load(struct work *w, struct bao_str text, struct bao_doc *ret)
{
    struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT};

    options.limits.nodes = 5000;
    return bao_load(&w->arena, text, &options, &w->findings, ret) == 0;
}

static void judge(struct work *w, const struct bao_doc *doc)
{
    struct bao_findings told;
    int verdict = bao_schema_is_valid(w->schema, w->scratch, &doc->root);

    bao_findings_init(&told, &w->arena, 50);
    if (bao_schema_report(w->schema, w->scratch, &doc->root, (struct bao_schema_at){.source = doc->source},
                          &told) < 0)
        return;
    if (verdict >= 0)
        bao_require((verdict == 1) == (told.n + told.dropped == 0));
}

static void run(struct work *w, struct bao_str schema, struct bao_str value, bool form)
{
    const struct bao_schema_options options = {.assert_format = true, .form = form};
    struct bao_doc schema_doc, doc;

    if (!load(w, schema, &schema_doc) || !load(w, value, &doc))
        return;
    if (bao_schema_compile(w->set, &schema_doc.root, BAO_STR_NULL, &options, &w->findings, &w->schema) == 0)
        judge(w, &doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct work w = {.set = bao_schema_set_new(), .scratch = bao_schema_scratch_new()};
    struct bao_str schema = {(const char *)data + 1, size == 0 ? 0 : size - 1}, value = BAO_STR_NULL;
    const char *gap = size < 2 ? NULL : memmem(schema.p, schema.n, "\n\n", 2);

    bao_findings_init(&w.findings, &w.arena, 50);
    if (gap != NULL && w.set != NULL && w.scratch != NULL) {
        value = (struct bao_str){gap + 2, schema.n - (size_t)(gap + 2 - schema.p)};
        schema.n = (size_t)(gap - schema.p);
        run(&w, schema, value, (data[0] & 1) != 0);
    }
    bao_schema_free(w.schema);
    bao_schema_scratch_free(w.scratch);
    bao_schema_set_free(w.set);
    bao_arena_deinit(&w.arena);
    return 0;
}
