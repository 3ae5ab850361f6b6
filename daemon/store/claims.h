/* Which leaves of the audit chain have a row that shows them. A leaf without one is a report, an act or a
 * refusal that was removed together with everything that named it: only the signed chain still remembers that
 * it was. */
#pragma once

#include "lib/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct baod_claims_batch {
    int64_t seq;
    uint64_t first; /* bit of its first leaf */
    uint32_t n;     /* leaves */
    bool marked;    /* it says itself that it holds files or refusals (leaves.h) */
    bool refusals;  /* refusals, which give way to later ones */
};

struct baod_claims {
    struct baod_claims_batch *batches; /* by seq */
    size_t n, size;
    uint8_t *bits;
    uint64_t n_bits;
    size_t bits_size;
};

#define BAOD_CLAIMS_NULL ((struct baod_claims){0})

/* Idempotent. */
void baod_claims_deinit(struct baod_claims *c);
/* Adds a batch that comes after those there are; one that does not is left out. 0 or -ENOMEM. */
int baod_claims_add(struct baod_claims *c, const struct baod_claims_batch *batch) BAO_MUST_CHECK;
/* The leaf has its row. Batches and leaves that there are not are passed over. */
void baod_claims_mark(struct baod_claims *c, int64_t seq, int64_t leaf);
/* Leaves of a batch that have a row. */
uint32_t baod_claims_shown(const struct baod_claims *c, const struct baod_claims_batch *batch);
