#include "lib/form/extract.h"

#include "lib/base/buf.h"
#include "lib/base/error.h"

/* A report is at most 4 MiB and one part may be named by several rows. */
enum { COLLECTED_MAX = 64 << 20 };

static const struct bao_node *value_at(const struct bao_node *data, struct bao_data_path path)
{
    for (size_t i = 0; i < path.n && data != NULL; i++) {
        const struct bao_member *m = bao_node_member(data, path.steps[i]);

        data = m == NULL ? NULL : &m->value;
    }
    return data;
}

/* Only the columns asked for, in their order; a whole value when none are named. */
static int print_row(struct bao_buf *out, const struct bao_collect *c, const struct bao_node *value)
{
    bool any = false;
    int r;

    if (c->n_columns == 0 || value->type != BAO_MAP)
        return bao_node_print_json(out, value);
    r = bao_buf_append_c(out, "{");
    for (size_t i = 0; i < c->n_columns && r == 0; i++) {
        const struct bao_member *m = bao_node_member(value, c->columns[i]);

        if (m == NULL)
            continue;
        r = any ? bao_buf_append_c(out, ",") : 0;
        if (r == 0)
            r = bao_json_quote(out, c->columns[i]);
        if (r == 0)
            r = bao_buf_append_c(out, ":");
        if (r == 0)
            r = bao_node_print_json(out, &m->value);
        any = true;
    }
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static int wanted(const struct bao_collect *c, struct bao_arena *arena, const struct bao_rule_vars *vars,
                  const struct bao_node *item, bool *ret)
{
    struct bao_rule_vars with = *vars;
    struct bao_value value;
    int r;

    *ret = true;
    if (c->when == NULL)
        return 0;
    with.item = item;
    r = bao_rule_eval(c->when, arena, &with, &value);
    if (r == 0)
        *ret = value.type == BAO_V_BOOL && value.boolean;
    return r;
}

/* The value of one row of collect, or nothing: *ret_any. */
static int print_value(struct bao_buf *out, const struct bao_collect *c, struct bao_arena *arena,
                       const struct bao_rule_vars *vars, const struct bao_node *value, bool *ret_any)
{
    bool any = false, want;
    int r;

    if (!c->is_list) {
        r = wanted(c, arena, vars, NULL, ret_any);
        return r == 0 && *ret_any ? print_row(out, c, value) : r;
    }
    r = bao_buf_append_c(out, "[");
    for (uint32_t i = 0; value->type == BAO_LIST && i < value->len && r == 0; i++) {
        r = wanted(c, arena, vars, &value->items[i], &want);
        if (r != 0 || !want)
            continue;
        r = any ? bao_buf_append_c(out, ",") : 0;
        if (r == 0)
            r = print_row(out, c, &value->items[i]);
        any = true;
    }
    *ret_any = any;
    return r == 0 ? bao_buf_append_c(out, "]") : r;
}

static int print_field(struct bao_buf *out, const struct bao_collect *c, struct bao_arena *arena,
                       const struct bao_rule_vars *vars, const struct bao_node *value)
{
    struct bao_buf text = BAO_BUF_NULL(COLLECTED_MAX);
    bool any = false;
    int r = print_value(&text, c, arena, vars, value, &any);

    if (r == 0 && any) {
        r = bao_buf_append_c(out, bao_buf_len(out) == 0 ? "{" : ",");
        if (r == 0)
            r = bao_json_quote(out, c->field);
        if (r == 0)
            r = bao_buf_append_c(out, ":");
        if (r == 0)
            r = bao_buf_append_str(out, bao_buf_str(&text));
    }
    bao_buf_deinit(&text);
    return r;
}

int bao_collect(const struct bao_form *form, struct bao_arena *arena, const struct bao_rule_vars *vars,
                struct bao_str *ret)
{
    struct bao_buf out = BAO_BUF_NULL(COLLECTED_MAX);
    struct bao_str text = BAO_STR_NULL;
    int r = 0;

    for (size_t i = 0; i < form->n_collect && r == 0; i++) {
        const struct bao_node *value = value_at(vars->self, form->collect[i].path);

        if (value != NULL)
            r = print_field(&out, &form->collect[i], arena, vars, value);
    }
    if (r == 0 && bao_buf_len(&out) != 0) {
        r = bao_buf_append_c(&out, "}");
        if (r == 0)
            text = bao_arena_str(arena, bao_buf_str(&out));
        if (r == 0 && text.p == NULL)
            r = -ENOMEM;
    }
    bao_buf_deinit(&out);
    if (r == 0)
        *ret = text;
    return r;
}
