/* The spool: reports in custody on this machine's disk while PostgreSQL is away. spool.c is the thread and
 * the loop's side of it; the file itself is spool/file.h, and SQLite stays behind spool/db.h.
 *
 * One file (WAL, synchronous=FULL), one thread that writes it. What arrives while a group is being committed
 * is the next group, 64 reports at most, so a lone report is committed at once and a flood shares its syncs.
 * A report is answered only after COMMIT. A disk that does not take a write, full or failing, is an answer
 * (E_FULL) and may pass: nothing of that group was taken. A failure to sync or to read means that nothing
 * said about the file can be trusted any more: `broken` is called and the process must end (a second fsync
 * would report success for octets that the first one lost). Every row bears a seal, the SHA-256 of all its
 * columns, which is checked whenever it is read.
 *
 * Beside the reports the file keeps lists that the daemon needs when it starts without its database. */
#pragma once

#include "daemon/store/identity.h"
#include "daemon/store/stat.h"
#include "daemon/store/submission.h"

#include <uv.h>

struct baod_spool;

struct baod_spool_options {
    const char *path;            /* of the file; copied. Its folder must exist, and not be on a network */
    uint64_t max_bytes;          /* of reports kept at once */
    const char *province, *node; /* for the signed leaves; copied */
    uint8_t seed[32];            /* the key that signs them */
    /* The file cannot be written any more: on the loop thread, once. Nothing is acknowledged from now on. */
    void (*broken)(void *user, const char *why);
    void *user;
};

/* A report in the spool. Texts live as long as the call that gives them. */
struct baod_spool_row {
    int64_t seq; /* order of arrival */
    struct bao_str unit, form, period;
    int revision, form_version;
    uint8_t receipt[16], content[32], sha256[32];
    bao_time received_at, due_at; /* due_at BAO_TIME_NONE: not known when it came */
    bool nil;
    bao_date cutoff;        /* the period's last day */
    int64_t unjudged;       /* history checks that wait for the database */
    int64_t raw_size;       /* octets of the document */
    struct bao_str figures; /* packed: baod_spool_figures() */
    struct bao_str warnings, explanations, collected;
    struct bao_str body;   /* zlib stream of the document */
    struct bao_str file;   /* the receipt file: the signed leaf */
    struct bao_str sender; /* baod_identity_print() of who handed it in; empty: not known */
};

enum baod_spool_outcome {
    BAOD_SPOOL_E_SAME = 1, /* this key and content is in the spool: its receipt is given */
    BAOD_SPOOL_E_OTHER,   /* this key is in custody with other content; receipt.received_at says since when */
    BAOD_SPOOL_E_FULL,    /* the cap is reached, or the disk is full or does not take what is written */
    BAOD_SPOOL_E_REFUSED, /* baod_spool_open: `why` says what is wrong */
};

/* Opens or makes the file, checks it, and starts its thread; blocking. A damaged file is set aside by another
 * name, whatever of it can be read is taken over, and what is lost is named in the log. 0, E_REFUSED or <0.
 */
int baod_spool_open(uv_loop_t *loop, const struct baod_spool_options *options, struct bao_buf *why,
                    struct baod_spool **ret) BAO_MUST_CHECK;
/* Finishes what was asked, ends the thread, frees. Accepts NULL; gives NULL. */
struct baod_spool *baod_spool_close(struct baod_spool *spool);

/* All callbacks run on the loop thread. outcome: 0, E_SAME, E_OTHER, E_FULL, or <0 (-EAGAIN: somebody else
 * locks the file; -ENOMEM). With 0 and E_SAME s->receipt is the answer. */
typedef void baod_spool_put_done(void *user, struct baod_submission *s, int outcome);
/* Keeps a judged report. An id that it has (has_id) stays. `s` is borrowed until `done`. 0 or -ENOMEM: then
 * done is not called. */
int baod_spool_put(struct baod_spool *spool, struct baod_submission *s, baod_spool_put_done *done,
                   void *user) BAO_MUST_CHECK;

/* row: NULL when it is not there. last_revision: of its obligation, when asked by key and as the database
 * last had it; -1: not known. */
typedef void baod_spool_find_done(void *user, const struct baod_spool_row *row, int last_revision);
/* Looks a report up by receipt or key; without a revision the highest. 0 or -ENOMEM. */
int baod_spool_find(struct baod_spool *spool, const struct baod_stat_ask *ask, baod_spool_find_done *done,
                    void *user) BAO_MUST_CHECK;

typedef void baod_spool_take_done(void *user, const struct baod_spool_row *rows, size_t n);
/* Reads the next reports after `after`, in their order: at most `most` of them and about 8 MiB. A row whose
 * seal is broken is moved to the table `damaged` and named in the log. 0 or -ENOMEM. */
int baod_spool_take(struct baod_spool *spool, int64_t after, size_t most, baod_spool_take_done *done,
                    void *user) BAO_MUST_CHECK;
/* Forgets reports that PostgreSQL has, or has refused. While the disk is full it is tried again by itself.
 * remember_keys: PostgreSQL has them, so that one that is sent again while it is away keeps its receipt and
 * its time (the last 200,000). 0 or -ENOMEM. */
int baod_spool_drop(struct baod_spool *spool, const int64_t *seqs, size_t n,
                    bool remember_keys) BAO_MUST_CHECK;

/* An obligation as the database last had it. */
struct baod_spool_obligation {
    struct bao_str unit, form, period;
    bao_time due_at; /* extension included */
    int last_revision;
};

/* Keeps a list under a name, in place of the one before; copied. 0 or -ENOMEM. */
int baod_spool_keep(struct baod_spool *spool, const char *name, bao_time at,
                    struct bao_str data) BAO_MUST_CHECK;
/* What was last kept under that name when the file was opened: true with its time and octets, borrowed for
 * the spool's life. */
bool baod_spool_kept(const struct baod_spool *spool, const char *name, bao_time *ret_at,
                     struct bao_str *ret_data);
/* Keeps the open obligations, in place of those before; copied. 0 or -ENOMEM. */
int baod_spool_keep_obligations(struct baod_spool *spool, const struct baod_spool_obligation *items,
                                size_t n) BAO_MUST_CHECK;

/* What the receipt of a row says. */
void baod_spool_receipt(const struct baod_spool_row *row, struct baod_receipt *ret);
/* Unpacks a row's figures, by indicator of its form version. 0, -EBADMSG or -ENOMEM. */
int baod_spool_figures(const struct baod_spool_row *row, struct bao_arena *arena, struct bao_figure **ret,
                       size_t *ret_n) BAO_MUST_CHECK;

/* Has its thread nothing to do, or done something since this was asked last? For the watchdog: a disk that
 * does not answer shows here. */
bool baod_spool_is_alive(struct baod_spool *spool);
/* Figures of this moment, for metrics. */
struct baod_spool_counts {
    uint64_t rows, bytes, max_bytes;         /* waiting, and how much of it there may be */
    bao_time oldest_at;                      /* when the first of them was received; BAO_TIME_NONE: none */
    uint64_t queued, full, dropped, damaged; /* since the start; full = answers E_FULL */
};
struct baod_spool_counts baod_spool_counts(struct baod_spool *spool);
