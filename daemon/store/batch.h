/* One batch of the writer: its statements, what they read, what is decided and what is written.
 *
 * A batch is filled with reports of different obligations, reads under the lock, decides, writes. It knows
 * nothing of queues and retries; the writer does. Everything lives in the batch's arena until it is cleared.
 */
#pragma once

#include "daemon/store/decide.h"
#include "daemon/store/dictionary.h"
#include "daemon/store/past.h"
#include "daemon/store/pg.h"
#include "lib/base/map.h"
#include "lib/form/receipt.h"

enum {
    BAOD_BATCH_SINGLY = 2,        /* up to so many reports go by a statement each, */
    BAOD_BATCH_PIPELINED = 12,    /* up to so many by one together, more by COPY, outside the pipeline */
    BAOD_UNIT_SCOPES = 64,        /* scopes of one unit */
    BAOD_BATCH_OCTETS = 32 << 20, /* of bodies in one batch */
};

struct baod_item {
    struct baod_submission *s;
    int32_t unit, form, period;    /* numbers of the dictionary; 0 = it has none */
    const struct bao_slots *slots; /* NULL: form unknown */
    struct bao_figure *figures;    /* by slot; NULL when there are none */
    struct baod_obligation obligation;
    struct baod_stored same, current;
    const struct bao_verdict *verdict; /* of s, or one of the batch's own once history checks have run */
    unsigned back; /* BAO_BACK_* of any version of its form: what later reports may look at */
    bool looks;    /* history checks are to run, on `view` */
    struct baod_view view;
    const int32_t *later; /* counted periods after it, up to the same one next year; n_later */
    size_t n_later;
    struct baod_decision decision;
    uint32_t *rollups; /* indexes of its scopes' rows */
    size_t n_rollups;
    int32_t leaf; /* of the stored report; -1 = not stored */
    int32_t move; /* leaf of the custody that moved; -1 = it did not */
};

struct baod_sums {
    int32_t key[3]; /* scope, form, period */
    bool touched;
    struct bao_rollup rollup;
};

/* What stood at the end of the chain when the lock was taken. */
struct baod_head {
    bool read;
    struct bao_batch last; /* seq 0: the chain is empty */
    bao_time now;          /* PostgreSQL's clock */
    int64_t registry_epoch, forms_epoch;
    bool standby; /* synchronous_standby_names is not empty */
};

struct baod_batch {
    struct bao_arena arena;
    struct baod_item *items; /* room for max */
    size_t n, max, octets;
    struct bao_map obligations; /* which are in the batch */
    struct bao_map sums_map;
    struct baod_sums *sums;
    size_t n_sums, size_sums;
    struct baod_pasts pasts;
    size_t n_recheck; /* reports that the batch asks to judge again */
    size_t n_back;    /* items whose form has history checks and that may be accepted */
    struct bao_inflater *inflater;
    struct bao_arena scratch; /* of one judgement */
    struct baod_head head;
    const struct baod_dictionary *dictionary;
    const struct baod_snapshot *snapshot; /* the files that the dictionary is of; NULL: not known */
    int offset;
    /* written */
    int64_t seq;
    bao_time at;
    size_t n_stored;
    size_t n_leaves;     /* the stored ones', then those of custody that moved */
    size_t n_spooled;    /* whose outcome is to be left for their units */
    struct bao_buf copy; /* COPY data of the reports */
    int error;           /* <0 met while reading answers (-ENOMEM, -EBADMSG) */
    /* the first statement that failed */
    bool failed, lost;
    char sqlstate[6];
    char message[256];
};

/* An empty batch of at most max reports. 0 or -ENOMEM. */
int baod_batch_init(struct baod_batch *b, size_t max) BAO_MUST_CHECK;
/* Frees its memory, not its reports; may be called twice. */
void baod_batch_deinit(struct baod_batch *b);
/* Empties it for the next reports and the next attempt. */
void baod_batch_clear(struct baod_batch *b, const struct baod_dictionary *dictionary);

enum baod_batch_outcome {
    BAOD_BATCH_E_TAKEN = 1, /* its obligation is in the batch already: it waits for the next */
    BAOD_BATCH_E_FULL,
    BAOD_BATCH_E_STALE, /* judged by forms that are no longer the dictionary's */
};

/* Adds a report: 0, an outcome, or <0. */
int baod_batch_add(struct baod_batch *b, struct baod_submission *s) BAO_MUST_CHECK;
/* Is the obligation of this report in the batch? */
bool baod_batch_has(const struct baod_batch *b, const struct baod_submission *s);
/* Queues what a usual batch reads and writes, for no reports at all and outside a transaction, and a sync
 * that calls done whatever became of it: on a new connection the server so reads its catalogue and plans
 * before the first report waits for it. The batch is empty, and is to be cleared afterwards. */
int baod_batch_rehearse(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done,
                        void *user) BAO_MUST_CHECK;
/* Its reads alone, without the sync. */
int baod_batch_rehearse_reads(struct baod_batch *b, struct baod_pg *pg) BAO_MUST_CHECK;
/* Queues BEGIN, the lock and the reads, and a sync that calls done. */
int baod_batch_read(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done,
                    void *user) BAO_MUST_CHECK;
/* May reports of the same keys be stored, as far as the obligations read tell? Then
 * baod_batch_read_stored() queues reading them, before anything else is asked of the batch. */
bool baod_batch_wants_stored(const struct baod_batch *b);
int baod_batch_read_stored(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done,
                           void *user) BAO_MUST_CHECK;
/* Was this batch read by another daemon's forms or registry? */
bool baod_batch_is_outdated(const struct baod_batch *b);
/* Could it still be accepted, or its findings matter, as far as the rows read tell? */
bool baod_item_is_open(const struct baod_item *item);
/* Have reports of it, as read, history checks or later reports that might have been checked against them?
 * Then baod_batch_look_back() queues the reads for those, and baod_batch_decide() belongs on a worker thread.
 */
bool baod_batch_looks_back(struct baod_batch *b);
int baod_batch_look_back(struct baod_batch *b, struct baod_pg *pg, baod_pg_callback *done,
                         void *user) BAO_MUST_CHECK;
/* Is its outcome to be left for its unit, which was told `queued`? */
bool baod_item_is_told(const struct baod_item *item);
/* Decides every report and computes what is to be written. An earlier period of the same unit and form comes
 * first, whatever the order in the batch. */
int baod_batch_decide(struct baod_batch *b) BAO_MUST_CHECK;
/* Whose name and key the audit row bears; province as text. */
struct baod_signer {
    struct bao_str province, node;
    uint8_t seed[32], pub[32];
};
/* Queues the writes, COMMIT and a sync. `committed` gets COMMIT's own answer, `done` the sync's. */
int baod_batch_write(struct baod_batch *b, struct baod_pg *pg, const struct baod_signer *signer,
                     baod_pg_callback *committed, baod_pg_callback *done, void *user) BAO_MUST_CHECK;
/* Sets every report's outcome after the commit (durable_sync: the standby has it). */
void baod_batch_tell(struct baod_batch *b, bool durable_sync);
