/* Sets of texts, found by hash. */
#include "lib/schema/program.h"

enum { MOST_APART = 256, MOST_ROOM = 8 }; /* items that get a table of up to so many slots each */

/* Fills the slots. False: an item would stand more than `most` places behind its own. */
static bool fill(const struct bao_names *names, uint32_t *hashes, uint32_t *slots, uint32_t most)
{
    for (uint32_t i = 0; i < names->n; i++) {
        const struct bao_str *s = &names->items[i];
        uint32_t at, way = 0;

        hashes[i] = names->quick ? bao_text_quick(s->p, (uint32_t)s->n) : bao_key_hash(s->p, s->n);
        if (bao_names_find(names, s->p, (uint32_t)s->n, hashes[i]) != names->n)
            continue;
        for (at = hashes[i] & names->mask; slots[at] != 0; at = (at + 1) & names->mask)
            if (++way > most)
                return false;
        slots[at] = i + 1;
    }
    return true;
}

/* 1 done, 0 the hash does not tell the items apart well enough, -1 no memory. */
static int init(struct bao_arena *a, const struct bao_str *items, uint32_t n, bool quick, uint32_t most,
                uint32_t room, struct bao_names *ret)
{
    uint32_t size = 4, *hashes = bao_arena_array(a, n, sizeof(*hashes)), *slots;

    while (size < room * n)
        size *= 2;
    slots = bao_arena_array(a, size, sizeof(*slots));
    if (hashes == NULL || slots == NULL)
        return -1;
    *ret = (struct bao_names){NULL, items, hashes, slots, n, size - 1, quick};
    return fill(ret, hashes, slots, most);
}

bool bao_names_init(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret)
{
    return init(a, items, n, false, UINT32_MAX, 2, ret) == 1;
}

bool bao_names_init_apart(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret)
{
    int r = 0;

    for (uint32_t room = 2; r == 0 && n <= MOST_APART && room <= MOST_ROOM; room *= 2)
        r = init(a, items, n, false, 0, room, ret);
    return r == 0 ? bao_names_init(a, items, n, ret) : r == 1;
}

static bool add_brief(struct bao_arena *a, struct bao_names *names)
{
    struct bao_brief *brief;

    if (names->n > BAO_BRIEF_FEW)
        return true;
    for (uint32_t i = 0; i < names->n; i++)
        if (names->items[i].n > BAO_BRIEF_MOST)
            return true;
    brief = bao_arena_array(a, names->n, sizeof(*brief));
    if (brief == NULL)
        return false;
    for (uint32_t i = 0; i < names->n; i++)
        brief[i] = bao_brief_of(names->items[i].p, (uint32_t)names->items[i].n);
    names->brief = brief;
    return true;
}

bool bao_names_init_texts(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret)
{
    int r = init(a, items, n, true, 12, 2, ret);

    if (r == 0 ? !bao_names_init(a, items, n, ret) : r < 0)
        return false;
    return add_brief(a, ret);
}
