/* What a change of the province's files does, told before or after it is made: units opened, closed, renamed
 * and moved, obligations, sums. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/diag.h"
#include "lib/form/date.h"

struct baod_pg_call;

struct baod_sync_report {
    bool preview; /* by the asker: look only, change nothing */
    /* What came of it. */
    char conflict[BAO_LANGS][512]; /* why the files contradict what is stored; "" when they do not */
    struct bao_buf lines;          /* JSON: [{"vi", "en"}, …], at most 300 */
    int64_t opened, closed, renamed, moved, removed; /* units */
    int64_t made, shifted, dropped;                  /* obligations */
    int64_t rollups;                                 /* rows of sums that differ from before */
};

/* An empty report; preview: ask for a look only. */
void baod_sync_report_init(struct baod_sync_report *report, bool preview);
/* Frees the lines; may be called twice. */
void baod_sync_report_deinit(struct baod_sync_report *report);

/* Compares the registry that is in force with the one that the sync has staged (sync_parts.h). 0, an outcome
 * of enum baod_pg_outcome, <0. */
int baod_sync_report_units(struct baod_pg_call *call, struct baod_sync_report *report) BAO_MUST_CHECK;

struct baod_sync_deadline {
    struct bao_str form, period;
    bao_time was, is;
    int64_t units;
    bool provisional;
};

/* A line of deadlines that move. 0 or <0. */
int baod_sync_report_deadline(struct baod_sync_report *report, const struct baod_sync_deadline *deadline,
                              int offset) BAO_MUST_CHECK;

/* Appends the answer of `units apply`: {"code", counts, "lines", "message"}. */
int baod_sync_report_print(struct bao_buf *out, const struct baod_sync_report *report) BAO_MUST_CHECK;
