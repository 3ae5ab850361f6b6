/* Form files: any octets. A form that loads is told without errors, one that does not with at least one. */
#include "lib/form/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_arena arena = BAO_ARENA_NULL(64 << 20);
    struct bao_findings findings;
    struct bao_form *form = NULL;
    int r;

    bao_findings_init(&findings, &arena, 50);
    r = bao_form_load((struct bao_str){(const char *)data, size}, BAO_STR("f"), NULL, &findings, &form);
    bao_require(r < 0 || (r == 0) == (findings.by_severity[BAO_ERROR] == 0));
    bao_require((form != NULL) == (r == 0));
    form = bao_form_free(form);
    bao_arena_deinit(&arena);
    return 0;
}
