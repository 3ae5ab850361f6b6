#include "lib/form/extract.h"

#include "lib/base/error.h"

int bao_extract_figures(const struct bao_form *form, struct bao_arena *arena,
                        const struct bao_check_context *context, struct bao_findings *findings,
                        struct bao_figure **ret)
{
    struct bao_figure *figures = bao_arena_array(arena, form->n_indicators, sizeof(*figures));

    if (figures == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < form->n_indicators; i++) {
        int r = bao_indicator_eval(&form->indicators[i], arena, context, findings, &figures[i].present,
                                   &figures[i].scaled);

        if (r < 0)
            return r;
    }
    *ret = figures;
    return 0;
}

struct bao_figure *bao_nil_figures(const struct bao_form *form, struct bao_arena *arena,
                                   const struct bao_unit *unit)
{
    struct bao_figure *figures = bao_arena_array(arena, form->n_indicators, sizeof(*figures));

    for (size_t i = 0; figures != NULL && i < form->n_indicators; i++) {
        const struct bao_indicator *ind = &form->indicators[i];

        figures[i].present =
            !ind->is_ratio && ind->over_time == BAO_OVER_SUM &&
            (ind->n_kinds == 0 || (unit != NULL && bao_kind_in(unit->kind, ind->kinds, ind->n_kinds)));
    }
    return figures;
}
