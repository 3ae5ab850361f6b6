/* Blank lines of a template: a member of the data whose value is null is absent (forms.md section 1). */
#pragma once

#include "lib/doc/tree.h"

/* The value without the null members of its maps, at any depth; items of lists stay, null or not. Gives the
 * value itself when there are none. NULL without memory. */
const struct bao_node *bao_without_blanks(struct bao_arena *arena,
                                          const struct bao_node *value) BAO_MUST_CHECK;

/* The blank member of that name in the map that a JSON Pointer names below `value` (as written, blanks
 * included), or NULL when nothing was written there. */
const struct bao_member *bao_blank_member(const struct bao_node *value, struct bao_str pointer,
                                          struct bao_str name);
