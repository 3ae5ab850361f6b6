/* Publishing the heads of the audit chain (lib/form/heads.h), and holding the chain against a list that was
 * kept. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"

struct baod_pg_call;

enum baod_heads_outcome {
    BAOD_HEADS_E_DATABASE = 1, /* `why` says its message */
    BAOD_HEADS_E_FILE,         /* the list is none, or another province's; `why` says so */
};

/* Gives the heads of batches from `from` on, piece by piece, to write(); first: the list's own two lines
 * before them. 0, an outcome, or <0 (also what write() gave). */
int baod_heads_write(struct baod_pg_call *call, struct bao_str province, int64_t from, bool first,
                     int (*write)(void *user, struct bao_str text), void *user,
                     struct bao_buf *why) BAO_MUST_CHECK;

/* Adds to the list in `path` (made when it is not there) the heads that it does not have yet; an end that a
 * crash left half written goes. Blocking. 0, an outcome, or <0. */
int baod_heads_append(struct baod_pg_call *call, struct bao_str province, const char *path,
                      struct bao_buf *why) BAO_MUST_CHECK;

struct baod_heads_counts {
    int64_t listed; /* heads of the list */
    int64_t wrong;  /* batches that are not what the list says, or are gone */
};

/* Compares each head of the list with the chain as it is stored. A line for each that is wrong is appended to
 * `out` (the first 1,000). 0 also when some are wrong: look at the counts. */
int baod_heads_compare(struct baod_pg_call *call, struct bao_str province, struct bao_str list,
                       enum bao_lang lang, struct bao_buf *out, struct baod_heads_counts *ret) BAO_MUST_CHECK;
