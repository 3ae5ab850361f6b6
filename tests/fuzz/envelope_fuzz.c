/* The envelope alone: any document. What it says it could read must be readable, and a document that it finds
 * no fault with has all of it. */
#include "lib/form/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct bao_envelope *e, bool good, const struct bao_findings *findings)
{
    bao_require(good == (findings->by_severity[BAO_ERROR] == 0));
    bao_require(!good || e->has_key);
    if (e->has_key)
        bao_require(e->form.n != 0 && e->unit.n != 0 && e->revision >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bao_str bytes = {(const char *)data, size};
    const struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT, .mode = BAO_LOAD_REPORT};
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_envelope envelope = {.revision = 0};
    struct bao_findings findings;
    struct bao_doc doc;

    bao_findings_init(&findings, &arena, 20);
    if (bao_load(&arena, bytes, &options, &findings, &doc) == 0) {
        int r = bao_envelope_read(&arena, &doc, &findings, &envelope);

        bao_require(r == 0 || r == BAO_ENVELOPE_E_BAD);
        check(&envelope, r == 0, &findings);
    }
    bao_arena_deinit(&arena);
    return 0;
}
