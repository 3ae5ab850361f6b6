/* The spool's file: its tables and statements, and what is done with them. Everything here runs on one thread
 * at a time: the spool's own, or before it begins the one that opens. */
#pragma once

#include "daemon/store/spool/db.h"
#include "daemon/store/spool/row.h"

enum baod_spool_statement {
    Q_BEGIN,
    Q_COMMIT,
    Q_ROLLBACK,
    Q_INSERT,
    Q_BY_KEY,
    Q_REMEMBER,
    Q_FORGET_OLD,
    Q_REMEMBERED_KEY,
    Q_BY_RECEIPT,
    Q_NEXT,
    Q_DELETE,
    Q_SET_ASIDE,
    Q_KEEP_LIST,
    Q_CLEAR_OBLIGATIONS,
    Q_KEEP_OBLIGATION,
    Q_OBLIGATION,
    Q_FREE_PAGES,
    Q_OLDEST,
    BAOD_SPOOL_STATEMENTS
};

/* Columns of a report in the order of baod_spool_get_row(), the last but the sender. */
#define BAOD_SPOOL_COLUMNS                                                                                   \
    "seq, unit, form, period, revision, receipt, received_at, due_at, form_version, nil, cutoff, unjudged, " \
    "raw_size, content, sha256, figures, warnings, explanations, collected, body, file, seal, "

/* Outcomes beside those of spool.h. */
enum baod_spool_file_outcome {
    BAOD_SPOOL_E_CAPPED = 100, /* E_FULL by our own cap, which hinders nobody else of the group */
    BAOD_SPOOL_E_DAMAGED,      /* the file is not what it should be */
};

struct baod_spool_file {
    char *path; /* owned */
    struct baod_spool_signer by;
    struct baod_db *db;
    struct baod_statement *statements[BAOD_SPOOL_STATEMENTS];
    uint64_t rows, bytes, max_bytes; /* waiting, and how much of it there may be */
    uint64_t damaged;                /* reports lost or put aside since the start */
    int64_t room;                    /* of the disk, for this group */
    bool untidy;                     /* the log holds something that can be moved into the file */
    bool broken;                     /* nothing said about the file can be trusted any more; why: */
    char why[500];
    char full_why[64]; /* what the disk said when it did not take something */
};

/* Opens or makes the file at f->path and checks it. 0, E_DAMAGED, E_REFUSED with `why`, or <0. */
int baod_spool_file_open(struct baod_spool_file *f, struct bao_buf *why) BAO_MUST_CHECK;
/* Says in `why` that the file is not usable: E_REFUSED or <0. */
int baod_spool_refuse(struct bao_buf *why, const char *path, const char *what) BAO_MUST_CHECK;
void baod_spool_file_close(struct baod_spool_file *f);
/* The path of a file that stands beside it. 0 or -ENAMETOOLONG. */
int baod_spool_side_path(const struct baod_spool_file *f, const char *suffix, char *ret,
                         size_t size) BAO_MUST_CHECK;

/* Turns an answer of db.h into ours: 0, E_FULL, -EAGAIN, -ENOMEM; what is beyond mending makes the file
 * broken and is -EIO. */
int baod_spool_outcome_of(struct baod_spool_file *f, const char *doing, int rc);
/* Runs a bound statement that gives no rows, and makes it ready for the next time. */
int baod_spool_run(struct baod_spool_file *f, enum baod_spool_statement which, const char *doing);
void baod_spool_roll_back(struct baod_spool_file *f);
/* Moves what the log holds into the file and empties the log. */
int baod_spool_empty_log(struct baod_spool_file *f) BAO_MUST_CHECK;
/* As that, and gives back pages that nothing stands on; for when nobody asks for anything. */
void baod_spool_tidy(struct baod_spool_file *f);
/* Octets that may still be written, a reserve for forgetting left aside. */
int64_t baod_spool_room(const struct baod_spool_file *f);

/* The row under the statement. Texts are the statement's until its next step. True when its seal holds. */
bool baod_spool_get_row(struct baod_statement *st, struct baod_spool_row *ret);
void baod_spool_bind_row(struct baod_statement *st, const struct baod_spool_row *row,
                         const uint8_t of[BAO_SHA256_LEN]);

/* Inside a transaction: writes the row of s and answers in s->receipt. 0, E_SAME, E_OTHER, E_FULL, E_CAPPED
 * or <0. */
int baod_spool_put_row(struct baod_spool_file *f, struct bao_arena *arena,
                       struct baod_submission *s) BAO_MUST_CHECK;

/* Forgets reports, their keys remembered if asked for. 0, E_FULL (try again) or <0. */
int baod_spool_forget(struct baod_spool_file *f, const int64_t *seqs, size_t n,
                      bool remember_keys) BAO_MUST_CHECK;
/* A row that does not fit its seal, inside a transaction: kept apart for a person, no longer in anybody's
 * way. */
int baod_spool_put_aside(struct baod_spool_file *f, int64_t seq) BAO_MUST_CHECK;
void baod_spool_tell_damaged(const struct baod_spool_file *f, const struct baod_spool_row *row);

/* Reads into the arena. *ret is NULL when it is not there; *ret_last_revision as baod_spool_find_done's. */
void baod_spool_read_one(struct baod_spool_file *f, const struct baod_stat_ask *ask, struct bao_arena *arena,
                         struct baod_spool_row **ret, int *ret_last_revision);
/* Reads the next rows after `after`, at most `most`; damaged ones are put aside. */
void baod_spool_read_next(struct baod_spool_file *f, int64_t after, size_t most, struct bao_arena *arena,
                          struct baod_spool_row **ret, size_t *ret_n);
/* What the database last knew of an obligation; last_revision -1: nothing. */
int baod_spool_look_for_obligation(struct baod_spool_file *f, const struct bao_str key[3], bao_time *ret_due,
                                   int *ret_last_revision) BAO_MUST_CHECK;
/* When the first report that waits was received; BAO_TIME_NONE: none waits. */
bao_time baod_spool_oldest(struct baod_spool_file *f);

/* What is kept beside the reports. */
struct baod_spool_kept {
    struct baod_spool_kept *next;
    struct bao_str name, data;
    bao_time at;
};
int baod_spool_keep_list(struct baod_spool_file *f, struct bao_str name, bao_time at, struct bao_str data);
int baod_spool_write_obligations(struct baod_spool_file *f, const struct baod_spool_obligation *items,
                                 size_t n);
/* All lists whose seal holds, into the arena. 0 or <0. */
int baod_spool_read_lists(struct baod_spool_file *f, struct bao_arena *arena,
                          struct baod_spool_kept **ret) BAO_MUST_CHECK;

/* Sets a damaged file aside, opens a new one, and takes over what can be read of the old. 0, E_REFUSED or <0.
 */
int baod_spool_replace_damaged(struct baod_spool_file *f, struct bao_buf *why) BAO_MUST_CHECK;
