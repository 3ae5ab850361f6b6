/* Intake: every report enters here, whatever port it came by.
 *
 * A request is copied or moved in; a worker thread inflates, checks the hash and judges; the loop then asks
 * whether the peer may speak for the unit and hands it to the writer. The answer comes by callback on the
 * loop thread, exactly once, whether or not its peer still lives (peers are named by id, never by pointer).
 *
 * What waits to be judged has fair turns: one report of each sender (a unit, or the units of one gateway,
 * over all its connections; a connection that nobody is named for is a sender of its own), round and round.
 * Large ones, by what they announce or prove to be, wait in a queue apart, are judged alone, and get at most
 * half of the threads: measured on two cores, two peers that kept sending 2 MiB of zeros in 2 kB made one who
 * sends small reports wait 340 ms at p99 as long as they could hold both threads. With one thread, large and
 * small take turns. */
#pragma once

#include "daemon/config/snapshot.h"
#include "daemon/ops/quota.h"
#include "daemon/store/identity.h"
#include "daemon/store/submission.h"

#include <uv.h>

struct baod_intake;
struct baod_writer;

/* The key that the sender said the document has, beside the document itself. */
struct baod_expected {
    struct bao_str unit, form, period;
    int revision; /* 0 = not said */
};

struct baod_request {
    struct bao_str body; /* as received; copied */
    bool deflated;       /* enc=deflate: a zlib stream of `raw` octets */
    bool sizeless;       /* deflated, zlib or gzip, and raw is not announced */
    bool only_judge;     /* tell the verdict; store nothing, and do not ask whom the sender speaks for */
    uint64_t raw;        /* announced size after inflating */
    const struct baod_expected *expected; /* NULL: nothing was said; copied. Otherwise: symbol ENVELOPE */
    bool has_sha256;
    uint8_t sha256[32];              /* announced hash of the uncompressed document */
    bao_time received_at;            /* last octet read */
    const struct baod_identity *who; /* borrowed for the call of submit; copied in */
    /* Called once on the loop thread. `s` is valid for the call only. */
    void (*answer)(void *user, uint64_t peer, uint32_t txn, const struct baod_submission *s);
    void *user;
    uint64_t peer;
    uint32_t txn;
    unsigned *after_ms; /* -EDQUOT: set to when it would fit the sender's share; may be NULL */
};

struct baod_intake_options {
    size_t max_reports;            /* inside at once; 0 = 32,768 */
    size_t max_bytes;              /* of their bodies; 0 = 256 MiB */
    size_t max_raw;                /* octets of one document after inflating; 0 = 4 MiB */
    int threads;                   /* judged in parallel; 0 = 2. The pool is UV_THREADPOOL_SIZE's */
    size_t large;                  /* octets, see above; 0 = 256 KiB */
    struct bao_load_limits limits; /* octets 0: the default limits */
    struct baod_custody *custody;  /* stands before the writer; borrowed. NULL: there is no spool */
    struct baod_quota_share share; /* of a unit; any_unit has none. reports and octets 0: no limit */
    /* Called for each report that is refused for good, before its answer; may be NULL. `who` handed it in. */
    void (*refused)(void *user, const struct baod_submission *s, const struct baod_identity *who);
    void *user;
};

/* The writer and the snapshot must be set before the first submit. */
int baod_intake_new(uv_loop_t *loop, struct baod_writer *writer, const struct baod_intake_options *options,
                    struct baod_intake **ret) BAO_MUST_CHECK;
/* What reports are judged by from now on (a reference is taken); those under way keep the older one. */
void baod_intake_use(struct baod_intake *intake, struct baod_snapshot *snapshot);
/* Takes a request: 0; or what the caller answers WAIT: -ENOMEM, -EAGAIN (over budget: BUSY), -EDQUOT (more
 * than its share: QUOTA), -ESHUTDOWN (DRAINING). */
int baod_intake_submit(struct baod_intake *intake, const struct baod_request *request) BAO_MUST_CHECK;
/* Takes nothing new; calls drained(user) once when all has been answered. */
void baod_intake_drain(struct baod_intake *intake, void (*drained)(void *user), void *user);
/* Only when nothing is inside (after drain, or before the first submit). Accepts NULL; gives NULL. */
struct baod_intake *baod_intake_free(struct baod_intake *intake);

/* Figures since the start, for metrics. */
struct baod_intake_counts {
    uint64_t taken, refused_budget, refused_quota;
    size_t inside, bytes;
};
/* The figures of this moment. */
struct baod_intake_counts baod_intake_counts(const struct baod_intake *intake);
