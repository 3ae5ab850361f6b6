/* The verdict pass over lists. */
#include "lib/schema/run_member.h"

#include <math.h>

enum {
    FEW = 10,   /* items compared pair by pair */
    SOME = 256, /* items whose table fits the stack */
    PROBES = 64,
};

/* Maps that meet the same table, up to the first value of another type. NULL: one is bad. */
static const struct bao_node *all_maps(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                       const struct bao_node *x, const struct bao_node *end)
{
    const struct bao_members *m = pc->members;

    if (pc->lead == BAO_LEAD_FEW) {
        const struct bao_node *from = x;

        do {
            if (!bao_run_few_members(r, m, x))
                return NULL;
        } while (++x < end && x->type == BAO_MAP);
        r->steps -= x - from;
        if (r->steps >= 0)
            return x;
        bao_run_fail(r, -E2BIG);
        return NULL;
    }
    do {
        if (!bao_run_may_go_over(r, x->len)) {
            bao_run_fail(r, -E2BIG);
            return NULL;
        }
        if (x->len < m->n_required || !bao_run_plain_members(r, m, x))
            return NULL;
    } while (++x < end && x->type == BAO_MAP);
    return x;
}

/* Texts whose octets tell whether their characters are few and many enough, up to one of which they do not,
 * or to a value of another type. NULL: one is bad. */
static const struct bao_node *all_lengths(const struct bao_ins *pc, const struct bao_node *x,
                                          const struct bao_node *end)
{
    bool good;

    for (; x < end && x->type == BAO_STRING; x++) {
        if (!bao_run_quick_length(pc, x, &good))
            return x;
        if (!good)
            return NULL;
    }
    return x;
}

/* A list under `at` of which every item must satisfy the same. */
static inline bool is_list(struct bao_schema_scratch *r, const struct bao_ins *at, const struct bao_node *x)
{
    bool good;

    if (x->len == 0)
        return true;
    if (at->rest != NULL && bao_run_by_kinds(at->rest, x, &good))
        return good;
    return bao_run_items(r, at, x, NULL);
}

/* Lists that meet the same, up to the first value of another type. NULL: one is bad. */
static const struct bao_node *all_lists(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                        const struct bao_node *x, const struct bao_node *end)
{
    if (pc->lead == BAO_LEAD_LIST) {
        do {
            if (!is_list(r, pc, x))
                return NULL;
        } while (++x < end && x->type == BAO_LIST);
        return x;
    }
    do {
        if ((int64_t)x->len < pc->lo || (int64_t)x->len > pc->hi || !is_list(r, pc + 1, x))
            return NULL;
    } while (++x < end && x->type == BAO_LIST);
    return x;
}

/* Items that every one must satisfy the same list. Those of one type stand mostly together: what is asked of
 * them is picked once. */
static bool all_items(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *x,
                      const struct bao_node *end)
{
    while (x < end) {
        uint8_t type = x->type;
        const struct bao_ins *pc = sub->at[type];

        if (pc == NULL) {
            while (++x < end && x->type == type)
                ;
        } else if (pc->lead == BAO_LEAD_FEW || pc->lead == BAO_LEAD_PLAIN) {
            x = all_maps(r, pc, x, end);
            if (x == NULL)
                return false;
        } else if (pc->lead == BAO_LEAD_LIST || pc->lead == BAO_LEAD_MEASURED) {
            x = all_lists(r, pc, x, end);
            if (x == NULL)
                return false;
        } else if (pc->lead == BAO_LEAD_TUPLE) {
            do {
                if (!bao_run_tuple(r, pc, x, NULL))
                    return false;
            } while (++x < end && x->type == type);
        } else if (pc->lead == BAO_LEAD_LENGTH && (x = all_lengths(pc, x, end)) == end) {
            return true;
        } else if (x == NULL) {
            return false;
        } else {
            if (BAO_UNLIKELY(!bao_run_go(r, pc, x, NULL)))
                return false;
            x++;
        }
    }
    return true;
}

static __attribute__((noinline)) bool any_items(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                                const struct bao_node *v, struct bao_eval *ev)
{
    /* An empty list may have no address to reckon from. */
    const struct bao_node *x = v->items, *end = v->len == 0 ? x : x + v->len;

    if (!bao_run_may_go_on(r))
        return bao_run_fail(r, -E2BIG);
    for (uint32_t i = 0; i < pc->n && x < end; i++, x++) {
        if (pc->subs[i] != NULL && BAO_UNLIKELY(!bao_run_ask(r, pc->subs[i], x, NULL)))
            return false;
        if (ev != NULL)
            bao_eval_mark(ev, i);
    }
    if (pc->rest == NULL)
        return true;
    r->steps -= v->len >> 3;
    if (x < end && !all_items(r, pc->rest, x, end))
        return false;
    if (ev != NULL)
        ev->all = true;
    return true;
}

/* ---- lists of numbers ---- */

/* These judge all items of one type with as few jumps as can be. */

static bool all_ints(const struct bao_node *x, const struct bao_node *end, const struct bao_ins *at)
{
    uint64_t lo = (uint64_t)at->lo, width = (uint64_t)at->hi - lo;

    for (; x < end; x++)
        if ((uint64_t)x->i - lo > width)
            return false;
    return true;
}

/* The same, and multiples; none may be below zero. A product that is no multiple has its lowest bits turned
 * to the top. */
static bool all_multiples(const struct bao_node *x, const struct bao_node *end, const struct bao_ins *at)
{
    uint64_t lo = (uint64_t)at->lo, width = (uint64_t)at->hi - lo;
    uint64_t inverse = (uint64_t)at[1].lo, twos = at[1].n, most = (uint64_t)at[1].hi >> twos;

    for (; x < end; x++) {
        uint64_t i = (uint64_t)x->i, product = i * inverse;

        if ((i - lo > width) | ((product >> twos | product << (-twos & 63)) > most))
            return false;
    }
    return true;
}

static inline float float_of(const struct bao_node *x)
{
    float f;

    memcpy(&f, &x->len, sizeof(f));
    return f;
}

static inline float less(float a, float b)
{
    return a < b ? a : b;
}

static inline float more(float a, float b)
{
    return a > b ? a : b;
}

static bool all_decimals(const struct bao_node *x, const struct bao_node *end, float least, float most)
{
    float low = INFINITY, high = -INFINITY;

    for (; end - x >= 4; x += 4) {
        float a = float_of(x), b = float_of(x + 1), c = float_of(x + 2), d = float_of(x + 3);

        low = less(low, less(less(a, b), less(c, d)));
        high = more(high, more(more(a, b), more(c, d)));
    }
    for (; x < end; x++) {
        low = less(low, float_of(x));
        high = more(high, float_of(x));
    }
    return low > least && high < most;
}

/* Whole numbers and decimals side by side, each of which brings its float. */
static bool both_kinds(const struct bao_node *x, const struct bao_node *end, const struct bao_ins *whole,
                       const struct bao_range *range)
{
    int64_t lo = whole == NULL ? INT64_MIN : whole->lo, hi = whole == NULL ? INT64_MAX : whole->hi;
    float least = range->least, most = range->most;
    bool good = true;

    for (; x < end; x++) {
        if (x->type == BAO_DEC) {
            good &= (float_of(x) > least) & (float_of(x) < most);
        } else {
            good &= (x->i >= lo) & (x->i <= hi);
        }
    }
    return good;
}

/* Numbers of several kinds: nothing is called as long as their size tells. */
static bool mixed_numbers(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v)
{
    for (const struct bao_node *x = v->items, *end = x + v->len; x < end; x++) {
        const struct bao_ins *at = pc->rest->at[x->type];

        if (at == NULL)
            continue;
        if (at->lead == BAO_LEAD_INT) {
            if (!bao_run_int_fits(at, x))
                return false;
        } else if (at->lead != BAO_LEAD_NUM || !bao_run_dec_fits(at, x)) {
            if (!bao_run_go(r, at, x, NULL))
                return false;
        }
    }
    return true;
}

/* A list that begins with a number. */
static __attribute__((noinline)) bool numbers(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                              const struct bao_node *v)
{
    const struct bao_node *x = v->items, *end = x + v->len;
    const struct bao_ins *at = pc->rest->at[x->type];

    if (!bao_run_may_go_on(r))
        return bao_run_fail(r, -E2BIG);
    r->steps -= v->len >> 3;
    if (v->kinds == 1u << BAO_INT && at->lead == BAO_LEAD_INT) {
        if (at[1].op == BAO_OP_GOOD)
            return all_ints(x, end, at);
        if (at->lo >= 0)
            return all_multiples(x, end, at);
    }
    if (v->kinds == 1u << BAO_DEC && at->lead == BAO_LEAD_NUM && at[1].op == BAO_OP_GOOD &&
        all_decimals(x, end, at->range->least, at->range->most))
        return true;
    if (v->kinds == (1u << BAO_INT | 1u << BAO_DEC)) {
        const struct bao_ins *whole = pc->rest->at[BAO_INT], *decimal = pc->rest->at[BAO_DEC];

        if ((whole == NULL || (whole->lead == BAO_LEAD_INT && whole[1].op == BAO_OP_GOOD)) &&
            decimal != NULL && decimal->lead == BAO_LEAD_NUM && decimal[1].op == BAO_OP_GOOD &&
            both_kinds(x, end, whole, decimal->range))
            return true;
    }
    return mixed_numbers(r, pc, v);
}

/* Every prefix sub has its item; the rest is for what is left over. */
bool bao_run_tuple(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    uint32_t n = v->len < pc->n ? v->len : pc->n;
    const struct bao_node *x = v->items;

    if (BAO_UNLIKELY(ev != NULL || (v->len > n && pc->rest != NULL)))
        return any_items(r, pc, v, ev);
    if (!bao_run_may_go_on(r))
        return bao_run_fail(r, -E2BIG);
    for (uint32_t i = 0; i < n; i++)
        if (pc->subs[i] != NULL && BAO_UNLIKELY(!bao_run_ask(r, pc->subs[i], &x[i], NULL)))
            return false;
    return true;
}

static inline __attribute__((always_inline)) bool pick_way(struct bao_schema_scratch *r,
                                                           const struct bao_ins *pc, const struct bao_node *v,
                                                           struct bao_eval *ev)
{
    bool good;

    if (v->len != 0 && pc->n == 0 && pc->rest != NULL && ev == NULL) {
        if (bao_run_by_kinds(pc->rest, v, &good))
            return good;
        if (v->items->type == BAO_INT || v->items->type == BAO_DEC)
            return numbers(r, pc, v);
    }
    return any_items(r, pc, v, ev);
}

bool bao_run_items(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    return pick_way(r, pc, v, ev);
}

bool bao_run_measured_items(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                            struct bao_eval *ev)
{
    if ((int64_t)v->len < pc->lo || (int64_t)v->len > pc->hi)
        return false;
    return pick_way(r, pc + 1, v, ev);
}

/* Does an item satisfy a sub that is asked of many? */
static inline bool is_wanted(struct bao_schema_scratch *r, const struct bao_sub *sub,
                             const struct bao_node *x)
{
    const struct bao_ins *pc = sub->at[x->type];

    if (pc != NULL && pc->lead == BAO_LEAD_FEW)
        return bao_run_few_members(r, pc->members, x);
    return pc == NULL || bao_run_go(r, pc, x, NULL);
}

bool bao_run_contains(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                      struct bao_eval *ev)
{
    const struct bao_count count = *pc->count;
    uint64_t found = 0;

    r->steps -= v->len;
    if (r->steps < 0)
        return bao_run_fail(r, -E2BIG);
    if (ev == NULL && v->kinds != 0 && (v->kinds & ~(count.sub->refuses | BAO_KIND_UNSURE)) == 0)
        return count.min == 0;
    for (uint32_t i = 0; i < v->len; i++) {
        if (!is_wanted(r, count.sub, &v->items[i])) {
            if (BAO_UNLIKELY(r->error != 0))
                return false;
            continue;
        }
        if (++found > count.max)
            return false;
        if (ev != NULL)
            bao_eval_mark(ev, i);
        else if (found >= count.min && count.max >= v->len)
            return true;
    }
    return found >= count.min;
}

/* ---- items that differ ---- */

static inline bool is_same(const struct bao_node *a, const struct bao_node *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == BAO_STRING)
        return a->len == b->len && bao_text_same(a->str, b->str, a->len);
    if (a->type == BAO_INT)
        return a->i == b->i;
    return bao_node_equal(a, b);
}

/* Texts that a quick hash sees whole, mostly. */
static inline uint64_t mix(const struct bao_node *x)
{
    if (x->type == BAO_STRING && x->len <= BAO_BRIEF_MOST)
        return (uint64_t)bao_text_quick(x->str, x->len) << 32 | x->len;
    return bao_node_mix(x);
}

/* What equal values have in common and others mostly do not. */
static inline uint64_t mark_of(const struct bao_node *x)
{
    uint64_t first;

    if (x->type == BAO_INT)
        return (uint64_t)x->i;
    if (x->type != BAO_STRING)
        return x->type;
    if (x->len < 8)
        return x->len;
    memcpy(&first, x->str, 8);
    return first;
}

/* Pair by pair. */
static bool few_differ(const struct bao_node *items, uint32_t n)
{
    uint64_t marks[FEW];

    for (uint32_t i = 0; i < n; i++) {
        marks[i] = mark_of(&items[i]);
        for (uint32_t k = 0; k < i; k++)
            if (marks[i] == marks[k] && is_same(&items[i], &items[k]))
                return false;
    }
    return true;
}

/* With a table on the stack: the high half of a hash and an index, or 0. 1 they all differ, 0 not, -1 hashes
 * were made to collide. */
static int some_differ(const struct bao_node *items, uint32_t n)
{
    const uint64_t high = ~(uint64_t)UINT32_MAX;
    uint64_t slots[2 * SOME];
    uint32_t mask = 31;

    while (mask < 2 * n - 1)
        mask = mask * 2 + 1;
    memset(slots, 0, (mask + 1) * sizeof(*slots));
    for (uint32_t i = 0; i < n; i++) {
        uint64_t hash = mix(&items[i]);
        uint32_t at = (uint32_t)(hash ^ hash >> 32) & mask, probes = 0;

        for (; slots[at] != 0; at = (at + 1) & mask) {
            if (((slots[at] ^ hash) & high) == 0 && is_same(&items[(uint32_t)slots[at] - 1], &items[i]))
                return 0;
            if (++probes > PROBES)
                return -1;
        }
        slots[at] = (hash & high) | (i + 1);
    }
    return 1;
}

bool bao_run_unique(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                    struct bao_eval *ev)
{
    const struct bao_node **nodes;
    uint32_t a, b;
    int found;

    (void)pc;
    (void)ev;
    if (v->len <= FEW)
        return few_differ(v->items, v->len);
    r->steps -= v->len >> 3;
    found = v->len <= SOME ? some_differ(v->items, v->len) : -1;
    if (found >= 0)
        return found == 1;
    nodes = bao_arena_alloc(&r->arena, v->len * sizeof(struct bao_node *));
    if (nodes == NULL)
        return bao_run_fail(r, -ENOMEM);
    for (uint32_t i = 0; i < v->len; i++)
        nodes[i] = &v->items[i];
    found = bao_unique_find(&r->arena, nodes, v->len, &a, &b);
    return found < 0 ? bao_run_fail(r, found) : found == 0;
}

bool bao_run_unique_key(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                        struct bao_eval *ev)
{
    const struct bao_node **nodes = bao_arena_alloc(&r->arena, v->len * sizeof(struct bao_node *));
    struct bao_str key = *pc->key;
    uint32_t n = 0, a, b, hash = bao_key_hash(key.p, key.n);
    int found;

    (void)ev;
    if (nodes == NULL)
        return bao_run_fail(r, -ENOMEM);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct bao_node *node =
            v->items[i].type == BAO_MAP ? bao_run_member_of(&v->items[i], key, hash) : NULL;

        if (node != NULL)
            nodes[n++] = node;
    }
    found = bao_unique_find(&r->arena, nodes, n, &a, &b);
    return found < 0 ? bao_run_fail(r, found) : found == 0;
}
