/* Is the chain of batches whole? Every audit row is checked against the one before, its leaves and its
 * signature; every stored report, act, moved custody and refusal against its leaf, and every leaf for its
 * row; a report's document against its hashes, its figures against what its form reads out of the document,
 * until when it counted against what took its place; every receipt for its report; every obligation against
 * its events and reports (retrace.h): what was changed, removed or put in later shows.
 *
 * What it cannot show: batches cut off at the chain's end together with all that they wrote (for that there
 * are published heads, heads.h), the warnings of a report, which change as later ones come, and whatever is
 * no leaf: observations, alerts, syntheses, tokens. */
#pragma once

#include "daemon/config/snapshot.h"
#include "lib/base/crypto.h"

struct baod_pg_call;

struct baod_audit_counts {
    int64_t batches, reports, acts, refusals, obligations;
    int64_t unread; /* reports whose form version the folder does not have: their figures are not compared */
    int64_t wrong;  /* findings */
    int64_t head;   /* the last batch; 0 = none */
    uint8_t head_hash[BAO_SHA256_LEN];       /* to be compared with the published heads */
    uint8_t public_key[BAO_ED25519_KEY_LEN]; /* of the last batch, to be compared with the published key */
};

enum baod_audit_outcome { BAOD_AUDIT_E_DATABASE = 1 /* `out` ends with its message */ };

/* Walks the chain and all that it speaks of, a page at a time, beside a serving daemon. A line for each
 * finding is appended to out (the first 1,000). 0 also when something is wrong: look at the counts. */
int baod_audit_verify(struct baod_pg_call *call, const struct baod_snapshot *files, enum bao_lang lang,
                      struct bao_buf *out, struct baod_audit_counts *ret) BAO_MUST_CHECK;
