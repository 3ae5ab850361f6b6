/* The parts of one sync (sync.h): what they share, and what each does inside its transaction. Every function
 * gives 0, an outcome of enum baod_sync_outcome (with `why` written), or <0.
 *
 * What is staged is staged before the province's lock is taken, in temporary tables: new_unit,
 * new_succession, new_scope, new_member, new_form, new_indicator, new_period, new_obligation. It may rest on
 * what only a sync changes, for of those there is one at a time. What is written, and what rests on reports
 * and on the acts of the office, comes under the lock. */
#pragma once

#include "daemon/config/snapshot.h"
#include "daemon/store/sync.h"
#include "lib/form/receipt.h"

struct baod_pg_param;
struct baod_pg_result;

#define BAOD_SYNC_OPEN "9223372036854775807" /* seq_to of what is in force */
enum { BAOD_SYNC_ROWS_MAX = 256 << 20 };     /* octets of rows staged at a time; jsonb takes no more */

struct sync {
    struct baod_pg_call *call;
    const struct baod_snapshot *snapshot;
    const struct baod_sync_options *options;
    struct bao_buf *why;
    struct bao_arena arena;
    struct baod_sync_changes changes;
    uint8_t registry[BAO_SHA256_LEN], forms[BAO_SHA256_LEN];
    struct bao_str moves; /* what is to be told of the deadlines that moved */
    bool registry_differs, forms_differ;
    int64_t registry_epoch, forms_epoch; /* by which was staged; 0: none yet */
    bao_date from, to;                   /* the cut-off days looked at */
    bool remakes;                        /* sums are made anew, */
    int64_t rollups;                     /* ... of which so many rows differ from before */
    /* the chain */
    struct bao_batch head;
    int64_t seq;
    bao_time at;
};

typedef int baod_sync_rows(struct bao_buf *out, const void *what);

/* An outcome of enum baod_pg_outcome as one of a sync, told in `why`. */
int baod_sync_complain(struct sync *s, int r) BAO_MUST_CHECK;
/* ret may be NULL; the result is valid until the next statement. */
int baod_sync_run(struct sync *s, const char *sql, const struct baod_pg_param *params, size_t n,
                  const struct baod_pg_result **ret);
/* Runs statements that take nothing, one after the other; adds up the rows they touched. */
int baod_sync_run_all(struct sync *s, const char *const *sql, size_t n, int64_t *ret_touched) BAO_MUST_CHECK;
/* Runs a statement that reads the rows made from `what` as pg_temp.sync_rows.rows, a JSON list. A table that
 * it makes is to be ANALYZEd before large ones are joined with it: nobody else counts a temporary table's
 * rows, and a planner that knows nothing of them expects one row of four equal columns, and compares each
 * with each.
 */
int baod_sync_stage(struct sync *s, const char *sql, baod_sync_rows *make, const void *what) BAO_MUST_CHECK;
/* The hash of the rows that these make of the snapshot. */
int baod_sync_hash(struct sync *s, baod_sync_rows *const *make, size_t n,
                   uint8_t ret[BAO_SHA256_LEN]) BAO_MUST_CHECK;
/* Why the files contradict what is stored, for whoever asked for the change: %1 to %4 are the words. */
void baod_sync_tell_conflict(struct sync *s, enum bao_lang lang, const char *pattern,
                             const struct bao_str words[4]);

/* sync_chain.c: the batch that the changes are. */
int baod_sync_read_head(struct sync *s) BAO_MUST_CHECK;
int baod_sync_stage_batch(struct sync *s) BAO_MUST_CHECK;
int baod_sync_write_audit(struct sync *s) BAO_MUST_CHECK;

/* sync_registry.c: units, successions, scopes and their members. */
int baod_sync_hash_registry(struct sync *s, uint8_t ret[BAO_SHA256_LEN]) BAO_MUST_CHECK;
int baod_sync_stage_registry(struct sync *s) BAO_MUST_CHECK;
int baod_sync_write_registry(struct sync *s) BAO_MUST_CHECK;

/* sync_forms.c: forms and the slots of their indicators; targets, which need the registry's numbers too. */
int baod_sync_hash_forms(struct sync *s, uint8_t ret[BAO_SHA256_LEN]) BAO_MUST_CHECK;
int baod_sync_stage_forms(struct sync *s) BAO_MUST_CHECK;
int baod_sync_write_forms(struct sync *s) BAO_MUST_CHECK;
int baod_sync_write_targets(struct sync *s) BAO_MUST_CHECK;

/* sync_obligations.c: periods, and who owes what and when. Staging needs the registry and the forms staged,
 * and leaves what differs from what is stored in sync_made, sync_moved and sync_gone. */
int baod_sync_stage_obligations(struct sync *s) BAO_MUST_CHECK;
/* Are the differences possible beside the reports that there are? Leaves moved cut-off days of what has been
 * counted in sync_cutoff. */
int baod_sync_check_obligations(struct sync *s) BAO_MUST_CHECK;
/* How many there would be, for a preview. */
int baod_sync_count_obligations(struct sync *s) BAO_MUST_CHECK;
int baod_sync_write_obligations(struct sync *s) BAO_MUST_CHECK;

/* sync_rollups.c: the sums of scopes that counted reports have entered or left, made anew. They are added up
 * before the registry and the obligations are written, and written after. */
int baod_sync_add_rollups(struct sync *s) BAO_MUST_CHECK;
int baod_sync_write_rollups(struct sync *s) BAO_MUST_CHECK;
