/* Any document as a schema, plain and as a form's: refused with a finding, or compiled. */
#include "lib/doc/load.h"
#include "lib/schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compile(struct bao_schema_set *set, const struct bao_node *root, bool form)
{
    const struct bao_schema_options options = {.assert_format = true, .form = form};
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_schema *schema = NULL;
    struct bao_findings findings;
    int r;

    bao_findings_init(&findings, &arena, 20);
    r = bao_schema_compile(set, root, BAO_STR("https://example.com/fuzz"), &options, &findings, &schema);
    bao_require(r <= 0 || findings.n != 0);
    bao_require((r == 0) == (schema != NULL));
    bao_schema_free(schema);
    bao_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_schema_set *set = bao_schema_set_new();
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_doc doc;

    options.limits.nodes = 5000;
    bao_findings_init(&findings, &arena, 1);
    if (set != NULL &&
        bao_load(&arena, (struct bao_str){(const char *)data, size}, &options, &findings, &doc) == 0 &&
        bao_schema_set_add(set, BAO_STR("https://example.com/other"), &doc.root) == 0) {
        compile(set, &doc.root, false);
        compile(set, &doc.root, true);
    }
    bao_schema_set_free(set);
    bao_arena_deinit(&arena);
    return 0;
}
