#include "daemon/ops/quota.h"

#include <stdlib.h>

enum { SLOTS = 8192, PROBES = 8, SECOND_US = 1000000 };

/* Times at which each kind of share would be whole again, and no debt be left (a leaky bucket read as a
 * clock). */
struct bucket {
    uint64_t key; /* 0: free */
    uint64_t reports_until, octets_until;
};

struct baod_quota {
    struct baod_quota_share share;
    uint64_t seed;
    struct bucket slots[SLOTS];
};

struct baod_quota *baod_quota_new(const struct baod_quota_share *share, uint64_t seed)
{
    struct baod_quota *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->share = *share;
    q->seed = seed;
    return q;
}

struct baod_quota *baod_quota_free(struct baod_quota *q)
{
    free(q);
    return NULL;
}

static uint64_t key_of(uint64_t seed, const struct bao_str *names, size_t n)
{
    uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < names[i].n; k++)
            h = (h ^ (unsigned char)names[i].p[k]) * UINT64_C(0x100000001b3);
        h = (h ^ ',') * UINT64_C(0x100000001b3);
    }
    h ^= h >> 29;
    return h != 0 ? h : 1;
}

uint64_t baod_quota_key(const struct baod_quota *q, const struct bao_str *names, size_t n)
{
    return key_of(q->seed, names, n);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The bucket of a key. A new one takes the place of the one that has been whole the longest: nothing is
 * forgotten by that until very many are in debt at once. */
static struct bucket *find(struct baod_quota *q, uint64_t key)
{
    struct bucket *best = NULL;

    for (size_t i = 0; i < PROBES; i++) {
        struct bucket *b = &q->slots[(key + i) % SLOTS];

        if (b->key == key)
            return b;
        if (best == NULL ||
            later(b->reports_until, b->octets_until) < later(best->reports_until, best->octets_until))
            best = b;
    }
    *best = (struct bucket){.key = key};
    return best;
}

/* When the share would be whole again after taking `amount`. */
static uint64_t after_taking(uint64_t until, uint64_t now, uint64_t amount, uint64_t rate)
{
    return rate == 0 ? now : later(until, now) + amount * SECOND_US / rate;
}

unsigned baod_quota_take(struct baod_quota *q, const struct bao_str *names, size_t n, uint64_t octets,
                         uint64_t now_us)
{
    struct bucket *b = find(q, key_of(q->seed, names, n));
    uint64_t most = now_us + q->share.seconds * SECOND_US;
    uint64_t reports = after_taking(b->reports_until, now_us, 1, q->share.reports * n);
    uint64_t bytes = after_taking(b->octets_until, now_us, octets, q->share.octets * n);
    uint64_t worst = later(reports, bytes);

    /* A single report larger than all that can be saved up goes when nothing is owed. */
    if (worst > most && (later(b->reports_until, b->octets_until) > now_us || reports > most))
        return (unsigned)((worst - most) / 1000 < 60000 ? (worst - most) / 1000 + 1 : 60000);
    b->reports_until = reports;
    b->octets_until = bytes;
    return 0;
}
