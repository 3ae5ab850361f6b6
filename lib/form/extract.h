/* What an accepted report leaves behind: figures by indicator, texts for the synthesis. */
#pragma once

#include "lib/form/judge.h"

/* The figures of a report, with findings for those that cannot be kept. Ratios stay absent. 0, or <0. */
int bao_extract_figures(const struct bao_form *form, struct bao_arena *arena,
                        const struct bao_check_context *context, struct bao_findings *findings,
                        struct bao_figure **ret) BAO_MUST_CHECK;
/* The figures of a nil report: flows of parts that the unit has are 0, all else is absent. NULL: no memory.
 */
struct bao_figure *bao_nil_figures(const struct bao_form *form, struct bao_arena *arena,
                                   const struct bao_unit *unit) BAO_MUST_CHECK;
/* The collected parts as a JSON object by field; empty when there is nothing. 0, or <0. */
int bao_collect(const struct bao_form *form, struct bao_arena *arena, const struct bao_rule_vars *vars,
                struct bao_str *ret) BAO_MUST_CHECK;
