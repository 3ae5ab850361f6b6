/* Counted reports whose earlier ones have changed since they were judged: their history checks are run again,
 * and what no longer agrees is flagged, never refused: as warnings of the report, and as an alert of kind
 * `history` that is closed when a correction mends it.
 *
 * Why apart from the batch that brought the correction: one correction may concern a year of later reports,
 * whose bodies that batch would have to read and parse while everybody's answers wait. Instead it names them
 * in the table recheck, in its own transaction, so that no crash loses a flag; a slice of them is done under
 * the province's lock between two batches, usually milliseconds later, by whichever daemon comes first. The
 * outcome depends on what is stored alone, so doing one twice does no harm. */
#pragma once

#include "daemon/store/dictionary.h"
#include "daemon/store/pg.h"

enum { BAOD_RECHECK_SLICE = 64 };

struct baod_recheck;

enum baod_recheck_outcome {
    BAOD_RECHECK_NONE,     /* nothing was waiting */
    BAOD_RECHECK_SOME,     /* a slice is done; there may be more */
    BAOD_RECHECK_OUTDATED, /* the dictionary is older than the database: prepare, then try again */
    BAOD_RECHECK_FAILED,   /* rolled back; to be tried again in a while */
};

struct baod_recheck_slice {
    struct baod_pg *pg;
    const struct baod_dictionary *dictionary; /* borrowed until done */
    struct baod_snapshot *snapshot;           /* a reference is held meanwhile */
    /* Called once on the loop thread, with the connection outside any transaction; not after a loss. */
    void (*done)(void *user, enum baod_recheck_outcome outcome);
    void *user;
};

/* With memory and a schema machine of its own. 0 or -ENOMEM. */
int baod_recheck_new(uv_loop_t *loop, struct baod_recheck **ret) BAO_MUST_CHECK;
/* Accepts NULL; gives NULL. A slice with a worker thread ends in silence. */
struct baod_recheck *baod_recheck_free(struct baod_recheck *rc);
/* Is a slice under way, perhaps one of a connection that is gone? */
bool baod_recheck_is_busy(const struct baod_recheck *rc);
/* Starts a slice on an idle connection. 0 or <0 (then done is not called). */
int baod_recheck_start(struct baod_recheck *rc, const struct baod_recheck_slice *slice) BAO_MUST_CHECK;
/* The connection is gone: the slice is given up; what it was about still stands in the table. */
void baod_recheck_lost(struct baod_recheck *rc);
