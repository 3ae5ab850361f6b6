/* The one writer: reports in, rows and receipts out, exact at every commit.
 *
 * One transaction is open at a time; what arrives meanwhile is the next batch, so a batch is one report at
 * low load and grows by itself under load. Every transaction first takes the province's advisory lock, then
 * reads what it needs, decides in C, writes and commits; answers go out after COMMIT only. A batch whose
 * COMMIT got no answer is submitted again once the connection is back: the keys tell what had happened.
 *
 * A server that hangs with all its sockets open is seen only when the batch's deadline passes, and that must
 * be long: a batch may not be given up lightly once its COMMIT was sent. Those who are not in it need not
 * wait as long: after hold_ms without an answer they go to away() at once, and so do later ones, until the
 * batch is answered or given up. Only reports of an obligation that is in the batch wait for it: which of two
 * came first is for the batch to decide. */
#pragma once

#include "daemon/store/submission.h"

#include <uv.h>

struct baod_writer;
struct baod_dictionary;
struct baod_snapshot;

struct baod_writer_options {
    const char *conninfo; /* copied */
    const char *node;     /* this daemon's name in audit rows; copied */
    const char *province; /* its code, as audit rows and receipts name it; copied */
    int offset;           /* its seconds east of UTC, for times in sentences */
    uint8_t seed[32];     /* its Ed25519 key */
    size_t batch_max;     /* reports in a batch; 0 = 1,000 */
    size_t queue_max;     /* reports waiting; 0 = 20,000. More are answered BUSY */
    int deadline_ms;      /* longest wait for one answer of the database; 0 = 10000 */
    int patience_ms; /* how long a report waits for the database before WAIT BUSY, or away(); 0 = 4,000 */
    int hold_ms;     /* how long the batch may be without an answer before others go to away(); 0 = 2,000 */
    /* Takes over a report that the database keeps waiting, and answers it through s->done. NULL: WAIT BUSY.
     */
    void (*away)(void *user, struct baod_submission *s);
    void *away_user;
    /* The database is there: bring what judges and numbers up to its epochs (migrations, forms, registry),
     * then call baod_writer_go(). Called on each connection, and when a batch found another daemon's epoch.
     */
    void (*prepare)(struct baod_writer *writer, void *user);
    void *user;
};

/* Figures since the start, for metrics. */
struct baod_writer_counts {
    uint64_t batches, reports; /* committed transactions; reports stored */
    uint64_t duplicates, refused;
    uint64_t retried, bisected, quarantined,
        unknown;    /* batches run again; split; rows set aside; commits without answer */
    uint64_t found; /* reports of such commits that were found to have been stored */
    size_t waiting, in_batch, backlog;
    int64_t last_seq;
};

int baod_writer_new(uv_loop_t *loop, const struct baod_writer_options *options,
                    struct baod_writer **ret) BAO_MUST_CHECK;
/* Says that preparation is done: the numbers to use from now on, which the writer takes and frees when newer
 * ones have come. NULL: it failed; the writer asks again in a while. Also right at any other time, after a
 * reload. */
void baod_writer_go(struct baod_writer *writer, struct baod_dictionary *dictionary);
/* The forms and the registry that go with the next baod_writer_go(): what later reports are judged by again
 * when an earlier one has changed. The writer holds a reference. Without any, that waits. */
void baod_writer_use(struct baod_writer *writer, struct baod_snapshot *snapshot);
/* Somebody else (an act of the office) has changed what later reports were judged against: look now, not at
 * the next sweep. */
void baod_writer_recheck(struct baod_writer *writer);
/* Takes a judged report (verdict.has_key) and answers through s->done, once, perhaps at once. */
void baod_writer_submit(struct baod_writer *writer, struct baod_submission *s);
/* Takes a report that is in custody elsewhere: it goes along with new ones, which never wait behind it. It is
 * answered as by baod_writer_submit, but never handed to away(): with BUSY when the database goes away. */
void baod_writer_submit_later(struct baod_writer *writer, struct baod_submission *s);
/* Takes nothing new, finishes what waits, then calls drained(user) once. */
void baod_writer_drain(struct baod_writer *writer, void (*drained)(void *user), void *user);
/* Answers what waits with DRAINING, lets the connection go. Accepts NULL; gives NULL. */
struct baod_writer *baod_writer_free(struct baod_writer *writer);
struct baod_writer_counts baod_writer_counts(const struct baod_writer *writer);
/* Has there been no connection for longer than a report waits for one? */
bool baod_writer_is_away(const struct baod_writer *writer);
/* Does it answer, but is not yet, or not, what reports can be written into: tables, forms, units? */
bool baod_writer_is_preparing(const struct baod_writer *writer);
/* Does the database answer, and not only hold its connection? */
bool baod_writer_is_up(const struct baod_writer *writer);
/* Has what was asked for gone without an answer for hold_ms, although the connection stands? Perhaps somebody
 * else holds the province's lock (holder.h). */
bool baod_writer_is_held(const struct baod_writer *writer);
/* Why the database, which answers, has taken no batch for longer than hold_ms (its disk is full); NULL: it
 * takes them, or nobody has tried of late. Valid until the loop turns. */
const char *baod_writer_refusal(const struct baod_writer *writer);
/* The server's process that writes; 0 without one. */
int baod_writer_backend(const struct baod_writer *writer);
