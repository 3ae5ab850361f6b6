/* Sets of characters: ranges, classes, and what stands between square brackets. */
#include "lib/schema/pattern_parser.h"

#include "lib/base/utf8.h"

bool bao_pat_add_range(struct bao_pat_parser *p, struct bao_pat_collect *c, uint32_t lo, uint32_t hi)
{
    if (c->n == c->size) {
        uint32_t size = c->size == 0 ? 8 : c->size * 2;
        struct bao_pat_range *more = bao_arena_array(p->arena, size, sizeof(*more));

        if (more == NULL) {
            p->no_memory = true;
            return false;
        }
        if (c->n != 0)
            memcpy(more, c->ranges, c->n * sizeof(*more));
        c->ranges = more;
        c->size = size;
    }
    c->ranges[c->n++] = (struct bao_pat_range){lo, hi};
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct bao_pat_range *x = a, *y = b;

    return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sorts and joins. */
static void tidy(struct bao_pat_collect *c)
{
    uint32_t n = 0;

    if (c->n > 1)
        qsort(c->ranges, c->n, sizeof(*c->ranges), compare_ranges);
    for (uint32_t i = 0; i < c->n; i++) {
        if (n != 0 && c->ranges[i].lo <= c->ranges[n - 1].hi + 1) {
            if (c->ranges[i].hi > c->ranges[n - 1].hi)
                c->ranges[n - 1].hi = c->ranges[i].hi;
        } else {
            c->ranges[n++] = c->ranges[i];
        }
    }
    c->n = n;
}

static bool bao_pat_complement(struct bao_pat_parser *p, struct bao_pat_collect *c)
{
    struct bao_pat_collect other = {.n = 0};
    uint32_t from = 0;

    tidy(c);
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->ranges[i].lo > from && !bao_pat_add_range(p, &other, from, c->ranges[i].lo - 1))
            return false;
        from = c->ranges[i].hi + 1;
    }
    if (from <= BAO_PAT_LAST_CHARACTER && !bao_pat_add_range(p, &other, from, BAO_PAT_LAST_CHARACTER))
        return false;
    c->ranges = other.ranges;
    c->n = other.n;
    c->size = other.size;
    return true;
}

/* \d, \w, \s (ECMA-262 22.2.2.9: WhiteSpace and LineTerminator) and their opposites. */
bool bao_pat_add_class(struct bao_pat_parser *p, struct bao_pat_collect *to, char letter)
{
    static const struct bao_pat_range digits[] = {{'0', '9'}};
    static const struct bao_pat_range word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    static const struct bao_pat_range space[] = {
        {9, 13},          {32, 32},         {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
        {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    const struct bao_pat_range *from = letter == 'd' || letter == 'D'   ? digits
                                       : letter == 'w' || letter == 'W' ? word
                                                                        : space;
    size_t n = from == digits ? BAO_COUNT(digits) : from == word ? BAO_COUNT(word) : BAO_COUNT(space);
    struct bao_pat_collect c = {.n = 0};

    for (size_t i = 0; i < n; i++)
        if (!bao_pat_add_range(p, &c, from[i].lo, from[i].hi))
            return false;
    if ((letter == 'D' || letter == 'W' || letter == 'S') && !bao_pat_complement(p, &c))
        return false;
    for (uint32_t i = 0; i < c.n; i++)
        if (!bao_pat_add_range(p, to, c.ranges[i].lo, c.ranges[i].hi))
            return false;
    return true;
}

struct bao_pat *bao_pat_make_set(struct bao_pat_parser *p, struct bao_pat_collect *c, bool negated)
{
    struct bao_pat *pat;

    tidy(c);
    if (negated && c->n_properties == 0 && !bao_pat_complement(p, c))
        return NULL;
    pat = bao_pat_make(p, BAO_PAT_SET);
    if (pat == NULL)
        return NULL;
    pat->negated = negated && c->n_properties != 0;
    pat->ranges = c->ranges;
    pat->n = c->n;
    pat->properties = c->properties;
    pat->n_properties = c->n_properties;
    return pat;
}

/* One item of a set: a character in *ret (true, *ret_single), or a class added to the set. */
static bool take_set_item(struct bao_pat_parser *p, struct bao_pat_collect *c, bool *ret_single,
                          uint32_t *ret)
{
    *ret_single = true;
    if (p->at == p->end)
        return false;
    if (*p->at != '\\') {
        p->at += bao_utf8_get(p->at, p->end, ret);
        return true;
    }
    p->at++;
    if (p->at == p->end)
        return false;
    *ret_single = false;
    if (bao_pat_is_class(*p->at))
        return bao_pat_add_class(p, c, *p->at++);
    if (*p->at == 'p' || *p->at == 'P')
        return bao_pat_add_property(p, c, *p->at++ == 'P');
    *ret_single = true;
    return bao_pat_take_escape(p, true, ret);
}

bool bao_pat_is_half(uint32_t c)
{
    return c >= 0xd800 && c < 0xe000;
}

struct bao_pat *bao_pat_parse_set(struct bao_pat_parser *p)
{
    struct bao_pat_collect c = {.n = 0};
    bool negated = bao_pat_eat(p, '^');

    while (!bao_pat_eat(p, ']')) {
        uint32_t lo, hi;
        bool single, to_single;

        if (!take_set_item(p, &c, &single, &lo))
            return NULL;
        hi = lo;
        if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
            p->at++;
            if (!take_set_item(p, &c, &to_single, &hi) || !single || !to_single || hi < lo)
                return NULL;
        }
        /* Half a surrogate pair stands in no valid text, so it matches nothing. */
        if (single && !(lo == hi && bao_pat_is_half(lo)) && !bao_pat_add_range(p, &c, lo, hi))
            return NULL;
    }
    return bao_pat_make_set(p, &c, negated);
}
