/* Sets of texts, found by hash. */
#include "lib/schema/program.h"

/* Fills the slots; the longest way to an item or to a free slot is *ret_probes. */
static void fill(struct bao_names *names, uint32_t *hashes, uint32_t *slots, uint32_t *ret_probes)
{
    uint32_t run = 0, longest = 0;

    for (uint32_t i = 0; i < names->n; i++) {
        const struct bao_str *s = &names->items[i];
        uint32_t at;

        hashes[i] = names->quick ? bao_text_quick(s->p, (uint32_t)s->n) : bao_key_hash(s->p, s->n);
        if (bao_names_find(names, s->p, (uint32_t)s->n, hashes[i]) != names->n)
            continue;
        for (at = hashes[i] & names->mask; slots[at] != 0; at = (at + 1) & names->mask)
            ;
        slots[at] = i + 1;
    }
    for (uint32_t at = 0; at < 2 * names->mask; at++) {
        run = slots[at & names->mask] == 0 ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    *ret_probes = longest;
}

static bool init(struct bao_arena *a, const struct bao_str *items, uint32_t n, bool quick,
                 uint32_t *ret_probes, struct bao_names *ret)
{
    uint32_t size = 4, *hashes = bao_arena_array(a, n, sizeof(*hashes)), *slots;

    while (size < 2 * n)
        size *= 2;
    slots = bao_arena_array(a, size, sizeof(*slots));
    if (hashes == NULL || slots == NULL)
        return false;
    *ret = (struct bao_names){items, hashes, slots, n, size - 1, quick};
    fill(ret, hashes, slots, ret_probes);
    return true;
}

bool bao_names_init(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret)
{
    uint32_t probes;

    return init(a, items, n, false, &probes, ret);
}

bool bao_names_init_texts(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret)
{
    enum { MOST_PROBES = 16 };
    uint32_t probes;

    if (!init(a, items, n, true, &probes, ret))
        return false;
    return probes <= MOST_PROBES || init(a, items, n, false, &probes, ret);
}
