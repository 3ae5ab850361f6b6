/* Custody while the database is away: between intake, writer and spool.
 *
 * With the database there a report goes to the writer. When the writer can wait no longer it comes here, goes
 * to the spool and is answered `queued`. Once the database is back the spool is drained in its order, beside
 * new reports; a report sent again meanwhile keeps the receipt and the time that it was first given. */
#pragma once

#include "daemon/store/spool.h"

struct baod_custody;
struct baod_writer;
struct baod_snapshot;
struct baod_credentials;
struct bao_load_limits;

struct baod_custody_options {
    struct baod_spool *spool;             /* borrowed */
    int offset;                           /* the province's seconds east of UTC, for times in sentences */
    const struct bao_load_limits *limits; /* of documents; copied */
    bao_time (*now)(void *user);
    /* Called for each report that is refused for good when it is drained; may be NULL. `who` had handed it
     * in. */
    void (*refused)(void *user, const struct baod_submission *s, const struct baod_identity *who);
    void *user;
};

int baod_custody_new(uv_loop_t *loop, const struct baod_custody_options *options,
                     struct baod_custody **ret) BAO_MUST_CHECK;
/* The writer that drained and new reports go to; to be said before the first report. NULL: it is gone. */
void baod_custody_attach(struct baod_custody *c, struct baod_writer *writer);
/* Who had been revoked before a report came is asked here (borrowed). NULL: that is not asked any more. */
void baod_custody_believe(struct baod_custody *c, const struct baod_credentials *credentials);
/* What drained reports are made with from now on (a reference is taken). */
void baod_custody_use(struct baod_custody *c, struct baod_snapshot *snapshot);
/* Takes a judged report (verdict.has_key) and answers through s->done, once, perhaps at once. */
void baod_custody_submit(struct baod_custody *c, struct baod_submission *s);
/* For baod_writer_options.away. */
void baod_custody_away(void *custody, struct baod_submission *s);
/* Looks for a queued report. False: there is none to look for, ask the database; else `done` is called once,
 * with NULL when it is not in the spool. */
bool baod_custody_stat(struct baod_custody *c, const struct baod_stat_ask *ask, baod_stat_done *done,
                       void *user);
/* Waits for what is under way, then frees; `spool` and writer must live until then: close the spool
 * afterwards. Accepts NULL; gives NULL. */
struct baod_custody *baod_custody_free(struct baod_custody *c);

/* Figures since the start, for metrics. */
struct baod_custody_counts {
    uint64_t drained, refused; /* committed or a duplicate; refused at drain */
    bool draining;
};
struct baod_custody_counts baod_custody_counts(const struct baod_custody *c);
