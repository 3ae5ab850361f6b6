/* What the files of the registry's reader share; nobody else includes it. */
#pragma once

#include "lib/form/registry.h"

/* Makes the scopes and the closure from units, kinds, groups and trees already read. 0 or -ENOMEM. */
int bao_registry_link(struct bao_arena *arena, struct bao_registry *r) BAO_MUST_CHECK;
/* Read targets.yaml and programmes.yaml; findings tell what is wrong. 0 or -ENOMEM. */
int bao_targets_read(const struct bao_reader *reader, struct bao_registry *r) BAO_MUST_CHECK;
int bao_programmes_read(const struct bao_reader *reader, struct bao_registry *r) BAO_MUST_CHECK;
/* The entries of a code: index of the first, their number in *ret_n (0 when there is none). */
size_t bao_registry_entries(const struct bao_registry *r, struct bao_str code, size_t *ret_n);
/* Is `day` within from..to (to BAO_DATE_NONE = open)? */
static inline bool bao_window_holds(bao_date from, bao_date to, bao_date day)
{
    return from <= day && (to == BAO_DATE_NONE || day <= to);
}
/* An open end as a date that is later than all others. */
static inline bao_date bao_window_end(bao_date to)
{
    return to == BAO_DATE_NONE ? INT32_MAX : to;
}
