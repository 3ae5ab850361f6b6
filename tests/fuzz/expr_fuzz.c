/* Any octets as an expression over a fixed document: it parses or is refused with one place, and when it
 * parses it gives a value or an error within its steps. What it says twice is the same. */
#include "lib/base/buf.h"
#include "lib/doc/load.h"
#include "lib/expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
    "{\"a\": 7, \"b\": 0, \"d\": 0.1, \"s\": \"Đắk Lắk\", \"t\": true, \"n\": null, \"m\": {\"x\": 1, "
    "\"ho-so\": 5}, \"l\": [3, 1, 2],"
    " \"o\": [{\"k\": \"A\", \"so\": 4}, {\"k\": \"B\"}], \"day\": \"2026-09-15\"}";

struct world {
    struct bao_arena arena;
    struct bao_doc doc;
};

static struct bao_value get(void *user, struct bao_str name)
{
    struct world *w = user;

    return bao_value_of_node(bao_str_is(name, "self") ? &w->doc.root : NULL);
}

static void evaluate(struct world *w, const struct bao_expr *expr, struct bao_buf *out)
{
    const struct bao_expr_scope scope = {.get = get, .user = w};
    struct bao_value v;
    int r = bao_expr_eval(expr, &w->arena, &scope, &v);

    bao_require(r == 0 || r == -ENOMEM);
    if (r != 0)
        return;
    r = v.type == BAO_V_ERROR ? bao_buf_printf(out, "!%u at %u", v.code, v.len) : bao_value_print(out, v);
    bao_require(r == 0 || r == -ENOBUFS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bao_load_options options = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct world w = {.arena = BAO_ARENA_NULL(16u << 20)};
    struct bao_buf one = BAO_BUF_NULL(1 << 16), two = BAO_BUF_NULL(1 << 16);
    struct bao_findings findings;
    const struct bao_expr *expr;
    size_t n;
    int r;

    bao_findings_init(&findings, &w.arena, 4);
    r = bao_load(&w.arena, bao_str_c(document), &options, &findings, &w.doc);
    bao_require(r == 0);
    r = bao_expr_parse(&w.arena, (struct bao_str){(const char *)data, size},
                       (struct bao_place){.line = 1, .column = 1}, &findings, &expr);
    bao_require(r != BAO_EXPR_E_BAD || (findings.n == 1 && findings.items[0].at.offset <= size));
    if (r == 0) {
        const struct bao_expr_path *paths = bao_expr_paths(expr, &n);

        for (size_t i = 0; i < n; i++)
            (void)bao_expr_path_presence(&paths[i], bao_value_of_node(&w.doc.root));
        evaluate(&w, expr, &one);
        evaluate(&w, expr, &two);
        bao_require(w.arena.used > (15u << 20) || bao_str_eq(bao_buf_str(&one), bao_buf_str(&two)));
    }
    bao_buf_deinit(&one);
    bao_buf_deinit(&two);
    bao_arena_deinit(&w.arena);
    return 0;
}
