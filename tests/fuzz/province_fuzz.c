/* Province files: any octets, read as each of the four. What loads is told without errors and its closure
 * holds together; what does not has at least one; every finding can be rendered. */
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/doc/load.h"
#include "lib/form/registry.h"
#include "lib/text/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char units[] = "province: {code: \"66\", name: X, timezone: Asia/Ho_Chi_Minh}\nunits:\n"
                            "  - {code: A, kind: ward, name: A, from: 2025-07-01}\n";

static bool load(struct bao_arena *arena, struct bao_str text, struct bao_findings *findings,
                 struct bao_doc *ret)
{
    const struct bao_load_options options = {.format = BAO_FORMAT_YAML, .limits = BAO_LOAD_LIMITS_DEFAULT};

    bao_findings_init(findings, arena, 50);
    return bao_load(arena, text, &options, findings, ret) == 0;
}

static void check(const struct bao_registry *r)
{
    for (size_t i = 0; i < r->n_memberships; i++)
        bao_require(r->memberships[i].unit < r->n_units && r->memberships[i].scope < r->n_scopes);
    for (size_t i = 0; i < r->n_units; i++)
        bao_require(bao_registry_unit(r, r->units[i].code, r->units[i].from) == &r->units[i] &&
                    bao_registry_is_member(r, i, 0, r->units[i].from));
}

static void read_as(size_t file, struct bao_str text)
{
    struct bao_arena arena = BAO_ARENA_NULL(64 << 20);
    struct bao_findings findings[4] = {{.arena = NULL}};
    struct bao_registry_file files[4] = {{NULL, NULL}};
    struct bao_buf said = BAO_BUF_NULL(1 << 20);
    struct bao_doc docs[4];
    struct bao_registry registry;
    int r;

    bao_require(load(&arena, bao_str_c(units), &findings[0], &docs[0]));
    files[0] = (struct bao_registry_file){&docs[0], &findings[0]};
    if (load(&arena, text, &findings[file], &docs[file])) {
        files[file] = (struct bao_registry_file){&docs[file], &findings[file]};
        r = bao_registry_load(&arena, &(struct bao_registry_files){files[0], files[1], files[2], files[3]},
                              &registry);
        bao_require(r < 0 || (r == 0) == (findings[file].by_severity[BAO_ERROR] == 0));
        if (r == 0)
            check(&registry);
    }
    r = bao_text_render_all(&said, &findings[file], BAO_STR("f"), text, BAO_VI, BAO_TEXT_SHOW);
    bao_require(r == 0 || r == -ENOBUFS || r == -ENOMEM);
    bao_buf_deinit(&said);
    bao_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t file = 0; file < 4; file++)
        read_as(file, (struct bao_str){(const char *)data, size});
    return 0;
}
