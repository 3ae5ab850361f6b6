/* `baocaod forms check`: what an author should see of the forms that load. */
#pragma once

#include "daemon/config/snapshot.h"

/* Appends, form by form, the next 24 deadlines and the warnings. 0, or <0. */
int baod_forms_check(const struct baod_snapshot *s, bao_date today, enum bao_lang lang,
                     struct bao_buf *out) BAO_MUST_CHECK;
