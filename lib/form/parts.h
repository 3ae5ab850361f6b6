/* What a form asks of the data beyond its schema: parts for some kinds of unit only. */
#pragma once

#include "lib/form/form.h"

/* Tells of parts (x-for) that are not this kind's, and of required ones that are missing. */
void bao_judge_parts(const struct bao_reader *reader, const struct bao_form *form,
                     const struct bao_node *data, struct bao_str kind);
