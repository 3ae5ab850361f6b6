#include "lib/base/map.h"
#include "lib/base/error.h"

struct bao_map_slot {
    struct bao_str key;
    void *value; /* NULL = free */
    uint64_t hash;
};

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

/* SipHash-1-3, the variant meant for hash tables. */
static uint64_t hash_of(const struct bao_map *m, struct bao_str key)
{
    uint64_t v[4] = {m->seed[0] ^ 0x736f6d6570736575, m->seed[1] ^ 0x646f72616e646f6d,
                     m->seed[0] ^ 0x6c7967656e657261, m->seed[1] ^ 0x7465646279746573};
    uint64_t word, last = (uint64_t)key.n << 56;
    size_t i = 0;

    for (; i + 8 <= key.n; i += 8) {
        memcpy(&word, key.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    if (i < key.n)
        memcpy(&word, key.p + i, key.n - i);
    last |= word;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int k = 0; k < 3; k++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void bao_map_init(struct bao_map *m, const uint64_t seed[2])
{
    *m = BAO_MAP_NULL;
    m->seed[0] = seed[0];
    m->seed[1] = seed[1];
}

void bao_map_deinit(struct bao_map *m)
{
    free(m->slots);
    m->slots = NULL;
    m->n = m->size = 0;
}

/* The slot that holds the key, or the free one where it would go. The table is never full. */
static struct bao_map_slot *find(const struct bao_map *m, struct bao_str key, uint64_t hash)
{
    size_t i = hash & (m->size - 1);

    while (m->slots[i].value != NULL && (m->slots[i].hash != hash || !bao_str_eq(m->slots[i].key, key)))
        i = (i + 1) & (m->size - 1);
    return &m->slots[i];
}

void *bao_map_get(const struct bao_map *m, struct bao_str key)
{
    return m->n == 0 ? NULL : find(m, key, hash_of(m, key))->value;
}

static int resize(struct bao_map *m)
{
    struct bao_map bigger = *m;

    bigger.size = m->size == 0 ? 16 : m->size * 2;
    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < m->size; i++)
        if (m->slots[i].value != NULL)
            *find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = bigger;
    return 0;
}

int bao_map_set(struct bao_map *m, struct bao_str key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct bao_map_slot *slot;

    bao_require(value != NULL);
    if ((m->n + 1) * 4 > m->size * 3) {
        int r = resize(m);

        if (r < 0)
            return r;
    }
    slot = find(m, key, hash);
    if (slot->value == NULL)
        m->n++;
    *slot = (struct bao_map_slot){key, value, hash};
    return 0;
}

void *bao_map_take(struct bao_map *m, struct bao_str key)
{
    struct bao_map_slot *slot;
    void *value;
    size_t hole, i;

    if (m->n == 0)
        return NULL;
    slot = find(m, key, hash_of(m, key));
    value = slot->value;
    if (value == NULL)
        return NULL;
    /* Close the gap, so that probing still meets every key: move back each follower whose home
     * does not lie after the hole. */
    hole = i = (size_t)(slot - m->slots);
    for (;;) {
        size_t home;

        i = (i + 1) & (m->size - 1);
        if (m->slots[i].value == NULL)
            break;
        home = m->slots[i].hash & (m->size - 1);
        if (((i - home) & (m->size - 1)) >= ((i - hole) & (m->size - 1))) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = NULL;
    m->n--;
    return value;
}

void *bao_map_next(const struct bao_map *m, size_t *at)
{
    while (*at < m->size)
        if (m->slots[(*at)++].value != NULL)
            return m->slots[*at - 1].value;
    return NULL;
}
