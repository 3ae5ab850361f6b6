/* An indicator's value in one report. */
#include "lib/form/rule.h"

static const int64_t scaled_max = INT64_C(1) << 50; /* so that sums over every unit and year stay exact */

/* A finding at the field an indicator takes as it is. */
static struct bao_finding *complain(const struct bao_indicator *indicator,
                                    const struct bao_check_context *context, struct bao_findings *findings,
                                    unsigned code)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf pointer = BAO_BUF_NULL(4096), path = BAO_BUF_NULL(4096);
    const struct bao_node *node = context->vars.self;
    struct bao_place place = node == NULL ? (struct bao_place){.line = 0} : bao_node_place(node);
    const struct bao_expr_path *paths;
    struct bao_finding *f;
    size_t n;
    int r = bao_buf_append_str(&pointer, context->pointer);

    place.length = 0;
    paths = bao_expr_paths(indicator->value, &n);
    for (size_t i = 0; r == 0 && n == 1 && i < paths[0].n_steps && paths[0].steps[i].kind == BAO_STEP_FIELD;
         i++) {
        const struct bao_member *m = bao_node_member(node, paths[0].steps[i].name);

        if (m == NULL)
            break;
        node = &m->value;
        place = bao_node_place(node);
        r = bao_buf_printf(&pointer, "/%.*s", BAO_STR_ARG(bao_member_key(m)));
        if (r == 0)
            r = bao_buf_printf(&path, "%s%.*s", bao_buf_len(&path) == 0 ? "" : ".",
                               BAO_STR_ARG(bao_member_key(m)));
    }
    f = bao_findings_add(findings, code, BAO_ERROR, place);
    if (f != NULL) {
        f->pointer = bao_arena_str(findings->arena, bao_buf_str(&pointer));
        f->path = bao_arena_str(findings->arena, bao_buf_str(&path));
    }
    return f;
}

static struct bao_str number_text(struct bao_arena *arena, struct bao_num num)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(8192);

    return bao_num_print(&buf, num) != 0 ? BAO_STR_NULL : bao_arena_str(arena, bao_buf_str(&buf));
}

/* Fits the number to the indicator: *ret_present false when a finding refuses it. */
static int fit(const struct bao_indicator *indicator, struct bao_arena *arena,
               const struct bao_check_context *context, struct bao_findings *findings, struct bao_num num,
               bool *ret_present, int64_t *ret_scaled)
{
    struct bao_num rounded = num;
    struct bao_finding *f;
    int64_t scaled;
    int r = bao_num_round(arena, num, indicator->decimals, &rounded);

    if (r != 0)
        return bao_error_fold(r);
    if (bao_expr_is_path(indicator->value) && bao_num_decimals(num) > indicator->decimals) {
        f = complain(indicator, context, findings, BAO_BC_FIGURE_DECIMALS);
        bao_finding_arg(f, number_text(findings->arena, num));
        bao_finding_arg(f, bao_arena_printf(findings->arena, "%d", bao_num_decimals(num)));
        bao_finding_arg(f, bao_arena_printf(findings->arena, "%d", indicator->decimals));
        return 0;
    }
    if (bao_num_scale(rounded, indicator->decimals, &scaled) != 0 || scaled > scaled_max ||
        scaled < -scaled_max) {
        f = complain(indicator, context, findings, BAO_BC_FIGURE_RANGE);
        bao_finding_arg(f, number_text(findings->arena, num));
        bao_finding_arg(f, indicator->code);
        return 0;
    }
    *ret_present = true;
    *ret_scaled = scaled;
    return 0;
}

/* The indicator's value, most often a field alone. */
static int value_of(const struct bao_indicator *indicator, struct bao_arena *arena,
                    const struct bao_check_context *context, struct bao_value *ret)
{
    size_t n;
    const struct bao_expr_path *paths = bao_expr_paths(indicator->value, &n);

    if (!bao_expr_is_path(indicator->value) || !bao_str_is(paths[0].root, "self"))
        return bao_rule_eval(indicator->value, arena, &context->vars, ret);
    *ret = bao_value_of_node(bao_expr_path_node(&paths[0], context->vars.self));
    return 0;
}

int bao_indicator_eval(const struct bao_indicator *indicator, struct bao_arena *arena,
                       const struct bao_check_context *context, struct bao_findings *findings,
                       bool *ret_present, int64_t *ret_scaled)
{
    struct bao_value v;
    int r;

    *ret_present = false;
    if (indicator->is_ratio || indicator->value == NULL)
        return 0;
    r = value_of(indicator, arena, context, &v);
    if (r != 0 || v.type != BAO_V_NUM)
        return r;
    return fit(indicator, arena, context, findings, v.num, ret_present, ret_scaled);
}
