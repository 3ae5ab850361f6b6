/* Blank lines of a template: a member of the data whose value is null is absent (forms.md section 1). */
#pragma once

#include "lib/doc/tree.h"

/* The value without the null members of its maps, at any depth; items of lists stay, null or not. Gives the
 * value itself when there are none. NULL without memory. */
const struct bao_node *bao_without_blanks(struct bao_arena *arena,
                                          const struct bao_node *value) BAO_MUST_CHECK;
