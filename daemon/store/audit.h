/* Is the chain of batches whole? Every audit row is checked against the one before, its leaves and its
 * signature, every stored report, act and refusal against its leaf, a report's document against its hashes, and
 * every receipt for its report: what was changed, removed or put in later shows. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include "lib/base/diag.h"

struct baod_pg_call;

struct baod_audit_counts {
    int64_t batches, reports, acts, refusals;
    int64_t wrong;                           /* findings */
    int64_t head;                            /* the last batch; 0 = none */
    uint8_t head_hash[BAO_SHA256_LEN];       /* to be compared with the published heads */
    uint8_t public_key[BAO_ED25519_KEY_LEN]; /* of the last batch, to be compared with the published key */
};

enum baod_audit_outcome { BAOD_AUDIT_E_DATABASE = 1 /* `out` ends with its message */ };

/* Walks the chain, the reports, the acts of the office and the refusals, a page at a time, beside a serving
 * daemon. A line for each finding is appended to out (the first 1,000). 0 also when something is wrong: look
 * at the counts. */
int baod_audit_verify(struct baod_pg_call *call, struct bao_str province, enum bao_lang lang,
                      struct bao_buf *out, struct baod_audit_counts *ret) BAO_MUST_CHECK;
