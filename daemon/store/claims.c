#include "daemon/store/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void baod_claims_deinit(struct baod_claims *c)
{
    free(c->batches);
    free(c->bits);
    *c = BAOD_CLAIMS_NULL;
}

/* Room for so many, at least doubled. NULL without memory; what was there stays then. */
static void *grow(void *p, size_t *size, size_t want, size_t each)
{
    size_t more = *size < 512 ? 512 : *size;

    while (more < want)
        more *= 2;
    p = reallocarray(p, more, each);
    if (p != NULL)
        *size = more;
    return p;
}

int baod_claims_add(struct baod_claims *c, const struct baod_claims_batch *batch)
{
    size_t octets = (size_t)((c->n_bits + batch->n + 7) / 8), had = c->bits_size;

    if (c->n != 0 && batch->seq <= c->batches[c->n - 1].seq)
        return 0;
    if (c->n == c->size) {
        struct baod_claims_batch *batches = grow(c->batches, &c->size, c->n + 1, sizeof(*batches));

        if (batches == NULL)
            return -ENOMEM;
        c->batches = batches;
    }
    if (octets > had) {
        uint8_t *bits = grow(c->bits, &c->bits_size, octets, 1);

        if (bits == NULL)
            return -ENOMEM;
        memset(bits + had, 0, c->bits_size - had);
        c->bits = bits;
    }
    c->batches[c->n] = *batch;
    c->batches[c->n++].first = c->n_bits;
    c->n_bits += batch->n;
    return 0;
}

static int cmp_seq(const void *key, const void *item)
{
    int64_t a = *(const int64_t *)key, b = ((const struct baod_claims_batch *)item)->seq;

    return (a > b) - (a < b);
}

void baod_claims_mark(struct baod_claims *c, int64_t seq, int64_t leaf)
{
    const struct baod_claims_batch *batch =
        c->n == 0 ? NULL : bsearch(&seq, c->batches, c->n, sizeof(*c->batches), cmp_seq);

    if (batch != NULL && leaf >= 0 && leaf < batch->n) {
        uint64_t at = batch->first + (uint64_t)leaf;

        c->bits[at / 8] |= (uint8_t)(1u << (at % 8));
    }
}

uint32_t baod_claims_shown(const struct baod_claims *c, const struct baod_claims_batch *batch)
{
    uint32_t n = 0;

    for (uint64_t at = batch->first; at < batch->first + batch->n; at++)
        n += (c->bits[at / 8] >> (at % 8)) & 1u;
    return n;
}
