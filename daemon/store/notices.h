/* What units are to be told: outcomes of their reports that they have not read yet (table outcome), and
 * obligations near or past their deadline. Losing one does no harm: STAT and DUE tell the same, and until one
 * of them has, outcomes are told again.
 *
 * A connection of its own that may write. Reading an outcome deletes its row; that is no part of what the
 * province's lock guards. While the database is away, or without memory, nothing is told. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/diag.h"
#include "lib/form/date.h"

#include <uv.h>

enum baod_notice_kind {
    BAOD_NOTICE_DONE,     /* a queued report has its outcome */
    BAOD_NOTICE_RETURNED, /* the office gave a report back */
    BAOD_NOTICE_REMIND,   /* near or past its deadline */
};

struct baod_notice {
    enum baod_notice_kind kind;
    struct bao_str unit, form, period; /* codes; the period as written */
    int revision;                      /* not with REMIND */
    bool has_receipt;
    uint8_t receipt[16];
    struct bao_str state;  /* DONE: committed, superseded or refused */
    struct bao_str symbol; /* DONE: of a refusal; may be empty */
    struct bao_str detail; /* RETURNED: the reason; may be empty */
    bao_time at;  /* RETURNED: the first time is kept for a revision that comes by then; REMIND: the deadline;
                     else BAO_TIME_NONE */
    bool is_past; /* REMIND: overdue */
};

/* Appends a sentence for people: what happened and what to do. 0 or <0. */
int baod_notice_sentence(struct bao_buf *out, const struct baod_notice *notice, int offset,
                         enum bao_lang lang) BAO_MUST_CHECK;

struct baod_notices;

int baod_notices_new(uv_loop_t *loop, const char *conninfo, struct baod_notices **ret) BAO_MUST_CHECK;
/* What waits is answered with nothing. Accepts NULL; gives NULL. */
struct baod_notices *baod_notices_free(struct baod_notices *n);

/* Called once for each notice found; texts are valid for the call. `key` is what the question was asked with.
 */
typedef void baod_notices_tell(void *user, uint64_t key, const struct baod_notice *notice);

/* Unread outcomes of these units (none named: of all), at most 64, the newest. */
void baod_notices_unread(struct baod_notices *n, const struct bao_str *codes, size_t n_codes,
                         baod_notices_tell *tell, void *user, uint64_t key);
/* Unread outcomes that were not there when it was asked last, whoever wrote them. Key 0. */
void baod_notices_fresh(struct baod_notices *n, baod_notices_tell *tell, void *user);
/* What these units owe with a deadline up to `until` and no lock before `now`, at most 64, the latest
 * deadlines. */
void baod_notices_near(struct baod_notices *n, const struct bao_str *codes, size_t n_codes, bao_time now,
                       bao_time until, baod_notices_tell *tell, void *user, uint64_t key);
/* The unit has read what became of this revision. */
void baod_notices_read_one(struct baod_notices *n, struct bao_str unit, struct bao_str form,
                           struct bao_str period, int revision);
/* The units have read everything that stands there now. */
void baod_notices_read_all(struct baod_notices *n, const struct bao_str *codes, size_t n_codes);
