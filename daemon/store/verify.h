/* Are the sums what the reports say? Every rollup is made anew from the counted reports, by the database in
 * exact numerics and in one form and period at a time, and compared to the last digit; rebuilding writes them
 * so. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"

struct baod_pg_call;

struct baod_verify_counts {
    int64_t slices;    /* forms × periods that had something to compare */
    int64_t rollups;   /* rows compared */
    int64_t reports;   /* counted reports behind them */
    int64_t different; /* differences found; rebuilt rows when rebuilding */
};

enum baod_verify_outcome { BAOD_VERIFY_E_DATABASE = 1 /* `out` ends with its message */ };

/* Compares; each slice is one statement, so it may run beside a serving daemon. A line for each difference is
 * appended to out (the first 1,000). 0 also when there are differences: look at the counts. */
int baod_verify(struct baod_pg_call *call, enum bao_lang lang, struct bao_buf *out,
                struct baod_verify_counts *ret) BAO_MUST_CHECK;
/* Writes the rows that differ anew, a slice a transaction, each under the province's lock. */
int baod_rebuild(struct baod_pg_call *call, int32_t province, enum bao_lang lang, struct bao_buf *out,
                 struct baod_verify_counts *ret) BAO_MUST_CHECK;
