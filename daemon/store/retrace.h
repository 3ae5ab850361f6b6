/* Do the obligations follow from what happened to them? Each event holds the state after it, and the acts of
 * the office, which are leaves of the audit chain, say what they changed: so the states can be gone through
 * again, one after the other, and the last is what the obligation must say today. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"

#include <stdint.h>

struct baod_pg_call;

struct baod_retrace_counts {
    int64_t obligations;
    int64_t wrong;
};

enum baod_retrace_outcome { BAOD_RETRACE_E_DATABASE = 1 /* `out` ends with its message */ };

/* One form and period after the other, beside a serving daemon. A line for each finding is appended to out
 * (the first 1,000). 0 also when something is wrong: look at the counts. */
int baod_retrace(struct baod_pg_call *call, enum bao_lang lang, struct bao_buf *out,
                 struct baod_retrace_counts *ret) BAO_MUST_CHECK;
