#include "lib/doc/build.h"

void bao_stack_init(struct bao_stack *s)
{
    s->base = s->first;
    s->used = 0;
    s->size = sizeof(s->first);
}

void bao_stack_deinit(struct bao_stack *s)
{
    if (s->base != s->first)
        free(s->base);
    bao_stack_init(s);
}

static bool grow(struct bao_stack *s, size_t need)
{
    size_t size = s->size * 2 < need ? need : s->size * 2;
    char *p = s->base == s->first ? malloc(size) : realloc(s->base, size);

    if (p == NULL)
        return false;
    if (s->base == s->first)
        memcpy(p, s->first, s->used);
    s->base = p;
    s->size = size;
    return true;
}

void *bao_stack_push(struct bao_stack *s, size_t n)
{
    void *p;

    if (BAO_UNLIKELY(s->size - s->used < n) && !grow(s, s->used + n))
        return NULL;
    p = s->base + s->used;
    s->used += n;
    return p;
}

int bao_stack_take_list(struct bao_stack *s, size_t from, struct bao_arena *a, struct bao_node *list)
{
    size_t octets = s->used - from;
    char *items = octets == 0 ? NULL : bao_arena_alloc(a, octets);

    if (octets != 0) {
        if (items == NULL)
            return -ENOMEM;
        memcpy(items, s->base + from, octets);
    }
    s->used = from;
    list->type = BAO_LIST;
    list->len = (uint32_t)(octets / sizeof(struct bao_node));
    list->items = (const struct bao_node *)(const void *)items;
    list->kinds = 0;
    for (uint32_t i = 0; i < list->len; i++) {
        list->kinds |= (uint8_t)(1u << list->items[i].type);
        if (list->items[i].type == BAO_DEC && list->items[i].len == 0)
            list->kinds |= BAO_KIND_UNSURE;
    }
    return 0;
}

static bool same_key(const struct bao_member *a, const struct bao_member *b)
{
    return a->hash == b->hash && bao_str_eq(bao_member_key(a), bao_member_key(b));
}

/* The first member whose key stood before, in a small map. A bit a hash tells most keys apart at once. */
static bool find_twins(const struct bao_member *members, uint32_t n, const struct bao_member *ret_twins[2])
{
    uint64_t seen[4] = {0};

    for (uint32_t i = 0; i < n; i++) {
        uint64_t bit = (uint64_t)1 << (members[i].hash & 63), *word = &seen[members[i].hash >> 6 & 3];

        for (uint32_t k = 0; k < i && (*word & bit) != 0; k++)
            if (same_key(&members[k], &members[i])) {
                ret_twins[0] = &members[k];
                ret_twins[1] = &members[i];
                return true;
            }
        *word |= bit;
    }
    return false;
}

/* For sorting: the first octets of the key decide mostly. */
struct entry {
    uint64_t prefix;
    const struct bao_member *member;
};

static uint64_t prefix_of(const struct bao_member *m)
{
    uint64_t prefix = 0;

    for (uint32_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < m->key_len ? (uint8_t)m->key[i] : 0);
    return prefix;
}

static int entry_cmp(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int c;

    if (a->prefix != b->prefix)
        return a->prefix > b->prefix ? 1 : -1;
    c = bao_str_cmp(bao_member_key(a->member), bao_member_key(b->member));
    return c != 0 ? c : (a->member > b->member) - (a->member < b->member);
}

/* Sorts the members of a large map into its index: 0, 1 for twins, -ENOMEM. Sorting, not hashing, so that no
 * choice of keys makes it slow. */
static int make_index(const struct bao_member *members, uint32_t n, uint32_t *index,
                      const struct bao_member *ret_twins[2])
{
    struct entry *entries BAO_CLEANUP(bao_freep) = calloc(n, sizeof(*entries));
    bool twins = false;

    if (entries == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        entries[i] = (struct entry){prefix_of(&members[i]), &members[i]};
    qsort(entries, n, sizeof(*entries), entry_cmp);
    for (uint32_t i = 0; i < n; i++) {
        index[i] = (uint32_t)(entries[i].member - members);
        if (i == 0 || !same_key(entries[i - 1].member, entries[i].member))
            continue;
        if (!twins || entries[i].member < ret_twins[1]) {
            ret_twins[0] = entries[i - 1].member;
            ret_twins[1] = entries[i].member;
        }
        twins = true;
    }
    return twins;
}

int bao_stack_take_map(struct bao_stack *s, size_t from, struct bao_arena *a, struct bao_node *map,
                       const struct bao_member *ret_twins[2])
{
    size_t octets = s->used - from;
    uint32_t n = (uint32_t)(octets / sizeof(struct bao_member));
    bool large = n > BAO_MAP_SMALL;
    char *room = NULL;
    const struct bao_member *members;

    if (n != 0) {
        room = bao_arena_alloc(a, octets + (large ? n * sizeof(uint32_t) : 0));
        if (room == NULL)
            return -ENOMEM;
        memcpy(room, s->base + from, octets);
    }
    s->used = from;
    members = (const struct bao_member *)(const void *)room;
    if (large) {
        int r = make_index(members, n, (uint32_t *)(void *)(room + octets), ret_twins);

        if (r != 0)
            return r;
    } else if (find_twins(members, n, ret_twins)) {
        return 1;
    }
    map->type = BAO_MAP;
    map->indexed = large;
    map->len = n;
    map->members = members;
    map->kinds = 0;
    for (uint32_t i = 0; i < n; i++)
        map->kinds |= (uint8_t)(1u << members[i].value.type);
    return 0;
}
