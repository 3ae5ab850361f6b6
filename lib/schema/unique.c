/* Equal values among many: by hash, with an order to fall back on when hashes are made to collide. */
#include "lib/schema/program.h"

static uint64_t stir(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0xff51afd7ed558ccdu;
    h ^= h >> 29;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static uint64_t mix_text(uint64_t h, const char *p, size_t n)
{
    uint64_t w;

    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = stir(h, w);
    }
    return stir(h, bao_octets_short(p, n) ^ (uint64_t)n << 56);
}

uint64_t bao_node_mix(const struct bao_node *node)
{
    uint64_t h = stir(0x62616f, node->type);

    switch ((enum bao_type)node->type) {
    case BAO_NULL:
        return h;
    case BAO_BOOL:
        return stir(h, node->boolean);
    case BAO_INT:
        return stir(h, (uint64_t)node->i);
    case BAO_DEC:
        h = stir(h, (uint64_t)(uint32_t)node->dec->exponent << 1 | node->dec->negative);
        return mix_text(h, (const char *)node->dec->limbs, node->dec->n_limbs * sizeof(node->dec->limbs[0]));
    case BAO_STRING:
        return (uint64_t)bao_key_hash(node->str, node->len) << 32 | node->len;
    case BAO_LIST:
        for (uint32_t i = 0; i < node->len; i++)
            h = stir(h, bao_node_mix(&node->items[i]));
        return h;
    case BAO_MAP: {
        uint64_t sum = node->len; /* members have no order */

        for (uint32_t i = 0; i < node->len; i++)
            sum += stir((uint64_t)node->members[i].hash << 32 | node->members[i].key_len,
                        bao_node_mix(&node->members[i].value));
        return stir(h, sum);
    }
    }
    return h;
}

struct hashed {
    uint64_t hash;
    const struct bao_node *node;
    uint32_t index;
};

static int compare(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    int c = (x->hash > y->hash) - (x->hash < y->hash);

    if (c == 0)
        c = bao_node_cmp(x->node, y->node);
    return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

/* Equal ones lie side by side when sorted; of all pairs the one whose second stands first is told. */
static int find_sorted(struct hashed *all, uint32_t n, uint32_t *ret_first, uint32_t *ret_second)
{
    bool found = false;

    qsort(all, n, sizeof(*all), compare);
    for (uint32_t i = 1; i < n; i++)
        if (all[i].hash == all[i - 1].hash && bao_node_equal(all[i].node, all[i - 1].node) &&
            (!found || all[i].index < *ret_second)) {
            *ret_first = all[i - 1].index;
            *ret_second = all[i].index;
            found = true;
        }
    return found;
}

enum { MOST_PROBES = 64 };

int bao_unique_find(struct bao_arena *a, const struct bao_node *const *nodes, uint32_t n, uint32_t *ret_first,
                    uint32_t *ret_second)
{
    struct hashed *all;
    uint32_t *slots, size = 16;

    if (n < 2)
        return 0;
    while (size < 2 * n)
        size *= 2;
    all = bao_arena_alloc(a, n * sizeof(*all));
    slots = bao_arena_array(a, size, sizeof(*slots));
    if (all == NULL || slots == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct hashed){bao_node_mix(nodes[i]), nodes[i], i};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)(all[i].hash ^ all[i].hash >> 32) & (size - 1), probes = 0;

        for (; slots[at] != 0; at = (at + 1) & (size - 1)) {
            const struct hashed *other = &all[slots[at] - 1];

            if (other->hash == all[i].hash && bao_node_equal(other->node, nodes[i])) {
                *ret_first = other->index;
                *ret_second = i;
                return 1;
            }
            if (++probes > MOST_PROBES)
                return find_sorted(all, n, ret_first, ret_second);
        }
        slots[at] = i + 1;
    }
    return 0;
}
