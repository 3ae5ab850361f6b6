/* The verdict pass: walks values and instructions together, allocating nothing in the common case. */
#include "lib/schema/compiler.h"

#include "lib/base/utf8.h"
#include "lib/schema/format.h"

enum {
    MEMO_FROM = 200000, /* steps a run may take before answers are remembered */
    MEMO_MOST = 1 << 18,
    FEW = 10, /* items compared pair by pair */
};

struct memo {
    const struct bao_node *value;
    const uint64_t *bits; /* what was evaluated; NULL when nothing was noted */
    uint32_t sub;
    bool good, all;
};

struct bao_schema_scratch {
    struct bao_arena arena;
    const char *clean; /* where the arena stands when nothing was taken from it */
    struct bao_regex_scratch *regex;
    int64_t steps;
    uintptr_t stack; /* the lowest address a frame may have */
    int error;       /* the first, <0 */
    unsigned no_memo;
    struct memo *memo; /* in the arena; NULL until a run is long */
    uint32_t n_memo, size_memo;
};

struct bao_schema_scratch *bao_schema_scratch_new(void)
{
    struct bao_schema_scratch *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->regex = bao_regex_scratch_new();
    if (s->regex == NULL) {
        free(s);
        return NULL;
    }
    bao_arena_init(&s->arena, 256u << 20);
    return s;
}

struct bao_schema_scratch *bao_schema_scratch_free(struct bao_schema_scratch *s)
{
    if (s == NULL)
        return NULL;
    bao_regex_scratch_free(s->regex);
    bao_arena_deinit(&s->arena);
    free(s);
    return NULL;
}

static bool run(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                struct bao_eval *ev);

static bool fail(struct bao_schema_scratch *r, int error)
{
    if (r->error == 0)
        r->error = error;
    r->steps = -1;
    return false;
}

static bool scalar(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v);
static bool in_range(const struct bao_range *range, const struct bao_node *v);
static bool members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v,
                    struct bao_eval *ev);
static bool few_members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v);
static bool items(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                  struct bao_eval *ev);

/* Is there budget and stack for going further down? */
static inline bool may_go_on(struct bao_schema_scratch *r)
{
    return BAO_LIKELY(--r->steps >= 0 && (uintptr_t)__builtin_frame_address(0) >= r->stack);
}

static inline bool quick_length(const struct bao_ins *pc, const struct bao_node *v, bool *ret)
{
    int64_t n = v->len;

    /* A character has one to four octets; often that tells. */
    *ret = n <= pc->hi && (n + 3) / 4 >= pc->lo;
    return *ret || n < pc->lo || (n + 3) / 4 > pc->hi;
}

static inline bool is_surely_in(const struct bao_range *range, const struct bao_node *v)
{
    float x;

    memcpy(&x, &v->len, sizeof(x));
    return v->len != 0 && x > range->least && x < range->most;
}

static inline bool is_int_multiple(const struct bao_ins *pc, int64_t i)
{
    uint64_t x = i < 0 ? -(uint64_t)i : (uint64_t)i;

    return (x & (((uint64_t)1 << pc->n) - 1)) == 0 && (x >> pc->n) * (uint64_t)pc->lo <= (uint64_t)pc->hi;
}

/* Whole numbers: a range, and perhaps what they must be a multiple of. */
static inline bool int_fits(const struct bao_ins *pc, const struct bao_node *v)
{
    if (v->i < pc->lo || v->i > pc->hi)
        return false;
    pc++;
    return pc->op == BAO_OP_GOOD || is_int_multiple(pc, v->i);
}

/* The kinds of list that are more than a comparison or two. */
static __attribute__((noinline)) bool go_far(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                             const struct bao_node *v, struct bao_eval *ev)
{
    switch ((enum bao_lead)pc->lead) {
    case BAO_LEAD_MEMBERS:
        return members(r, pc->members, v, ev);
    case BAO_LEAD_FEW:
        return few_members(r, pc->members, v);
    case BAO_LEAD_LIST:
        if (pc->op == BAO_OP_LIST_LENGTH) {
            if ((int64_t)v->len < pc->lo || (int64_t)v->len > pc->hi)
                return false;
            pc++;
        }
        return items(r, pc, v, ev);
    case BAO_LEAD_ANY:
        return run(r, pc, v, ev);
    case BAO_LEAD_INT:
    case BAO_LEAD_NUM:
    case BAO_LEAD_LENGTH:
    case BAO_LEAD_SCALAR:
        break;
    }
    return scalar(r, pc, v);
}

/* Runs a list, the commonest kinds right here: an indirect jump costs more than what they do. */
static inline __attribute__((always_inline)) bool go(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                                     const struct bao_node *v, struct bao_eval *ev)
{
    bool good;

    if (pc->lead == BAO_LEAD_INT)
        return int_fits(pc, v);
    if (pc->lead == BAO_LEAD_LENGTH && quick_length(pc, v, &good))
        return good;
    if (pc->lead == BAO_LEAD_NUM && is_surely_in(pc->range, v))
        return true;
    return go_far(r, pc, v, ev);
}

static inline bool ask(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *v,
                       struct bao_eval *ev)
{
    const struct bao_ins *pc = sub->at[v->type];

    return pc == NULL || go(r, pc, v, ev);
}

/* ---- names ---- */

uint32_t bao_names_find(const struct bao_names *names, const char *p, uint32_t len, uint32_t hash)
{
    for (uint32_t at = hash & names->mask;; at = (at + 1) & names->mask) {
        uint32_t i = names->slots[at];

        if (i == 0)
            return names->n;
        i--;
        if (names->hashes[i] == hash && names->items[i].n == len && bao_text_same(names->items[i].p, p, len))
            return i;
    }
}

static const struct bao_node *member_of(const struct bao_node *map, struct bao_str key, uint32_t hash)
{
    const struct bao_member *m;

    if (map->indexed != 0) {
        m = bao_node_member(map, key);
        return m == NULL ? NULL : &m->value;
    }
    for (uint32_t i = 0; i < map->len; i++)
        if (map->members[i].hash == hash && map->members[i].key_len == key.n &&
            bao_text_same(map->members[i].key, key.p, (uint32_t)key.n))
            return &map->members[i].value;
    return NULL;
}

/* ---- what was evaluated ---- */

static uint32_t words(const struct bao_node *v)
{
    return (v->len + 63) / 64;
}

static inline void mark(struct bao_eval *ev, uint32_t i)
{
    ev->bits[i / 64] |= (uint64_t)1 << i % 64;
}

static bool eval_init(struct bao_schema_scratch *r, struct bao_eval *ev, const struct bao_node *v)
{
    ev->one = 0;
    ev->all = ev->probe = false;
    ev->bits = v->len <= 64 ? &ev->one : bao_arena_array(&r->arena, words(v), sizeof(uint64_t));
    return ev->bits != NULL || fail(r, -ENOMEM);
}

static void eval_copy(struct bao_eval *to, const struct bao_eval *from, const struct bao_node *v)
{
    memcpy(to->bits, from->bits, words(v) * sizeof(uint64_t));
    to->all = from->all;
}

static void eval_add(struct bao_eval *to, const uint64_t *bits, bool all, const struct bao_node *v)
{
    for (uint32_t i = 0; i < words(v); i++)
        to->bits[i] |= bits[i];
    to->all |= all;
}

static bool is_container(const struct bao_node *v)
{
    return v->type == BAO_LIST || v->type == BAO_MAP;
}

/* Asks a branch that may fail without harm: what it evaluated then does not count. */
static __attribute__((noinline)) bool try_branch(struct bao_schema_scratch *r, const struct bao_sub *sub,
                                                 const struct bao_node *v, struct bao_eval *ev)
{
    struct bao_eval before;

    if (!is_container(v))
        return ask(r, sub, v, NULL);
    if (!eval_init(r, &before, v))
        return false;
    eval_copy(&before, ev, v);
    if (ask(r, sub, v, ev))
        return true;
    eval_copy(ev, &before, v);
    return false;
}

static __attribute__((noinline)) bool tracked(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                              const struct bao_node *v, struct bao_eval *outer)
{
    struct bao_eval own;

    if (!eval_init(r, &own, v) || !run(r, pc, v, &own))
        return false;
    if (outer != NULL)
        eval_add(outer, own.bits, own.all, v);
    return true;
}

static bool unevaluated(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *v,
                        struct bao_eval *ev)
{
    if (ev->probe || ev->all)
        return true;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct bao_node *x = v->type == BAO_MAP ? &v->members[i].value : &v->items[i];

        if ((ev->bits[i / 64] >> i % 64 & 1) == 0 && !ask(r, sub, x, NULL))
            return false;
    }
    ev->all = true;
    return true;
}

/* ---- remembered answers ---- */

static uint32_t memo_slot(const struct bao_schema_scratch *r, uint32_t sub, const struct bao_node *v)
{
    uint64_t h = ((uint64_t)(uintptr_t)v >> 5) * 0x9e3779b97f4a7c15u ^ (uint64_t)sub * 0xff51afd7ed558ccdu;
    uint32_t at = (uint32_t)(h ^ h >> 32) & (r->size_memo - 1);

    while (r->memo[at].value != NULL && (r->memo[at].value != v || r->memo[at].sub != sub))
        at = (at + 1) & (r->size_memo - 1);
    return at;
}

static bool memo_grow(struct bao_schema_scratch *r)
{
    struct memo *old = r->memo;
    uint32_t n = r->size_memo;

    if (r->n_memo * 2 < n)
        return true;
    if (n >= MEMO_MOST)
        return false;
    r->size_memo = n == 0 ? 4096 : n * 4;
    r->memo = bao_arena_array(&r->arena, r->size_memo, sizeof(*r->memo));
    if (r->memo == NULL) {
        r->memo = old;
        r->size_memo = n;
        return false;
    }
    for (uint32_t i = 0; i < n; i++)
        if (old[i].value != NULL)
            r->memo[memo_slot(r, old[i].sub, old[i].value)] = old[i];
    return true;
}

static void memo_put(struct bao_schema_scratch *r, uint32_t sub, const struct bao_node *v, bool good,
                     const struct bao_eval *ev)
{
    struct memo *m;
    uint64_t *bits = NULL;

    if (r->error != 0 || !memo_grow(r))
        return;
    if (ev != NULL && is_container(v) && good) {
        bits = bao_arena_array(&r->arena, words(v), sizeof(*bits));
        if (bits == NULL)
            return;
        memcpy(bits, ev->bits, words(v) * sizeof(*bits));
    }
    m = &r->memo[memo_slot(r, sub, v)];
    r->n_memo += m->value == NULL;
    *m = (struct memo){v, bits, sub, good, ev != NULL && ev->all};
}

/* The rest of a list whose answer is remembered by its sub and the value. Doubling references would otherwise
 * ask the same thing 2^n times. */
static __attribute__((noinline)) bool remembered(struct bao_schema_scratch *r, const struct bao_ins *pc,
                                                 const struct bao_node *v, struct bao_eval *ev)
{
    struct bao_eval own;
    bool good;

    if (r->memo != NULL) {
        const struct memo *m = &r->memo[memo_slot(r, pc->n, v)];

        /* An answer given to somebody who noted nothing does not serve one who does. */
        if (m->value != NULL && (ev == NULL || !m->good || m->bits != NULL || !is_container(v))) {
            if (m->good && ev != NULL && m->bits != NULL)
                eval_add(ev, m->bits, m->all, v);
            return m->good;
        }
    }
    if (ev == NULL || !is_container(v)) {
        good = run(r, pc + 1, v, ev);
        memo_put(r, pc->n, v, good, NULL);
        return good;
    }
    if (!eval_init(r, &own, v))
        return false;
    good = run(r, pc + 1, v, &own);
    if (good)
        eval_add(ev, own.bits, own.all, v);
    memo_put(r, pc->n, v, good, &own);
    return good;
}

/* ---- members ---- */

static __attribute__((noinline)) bool unknown_member(struct bao_schema_scratch *r,
                                                     const struct bao_members *m, const struct bao_node *v,
                                                     uint32_t i, struct bao_eval *ev)
{
    const struct bao_member *x = &v->members[i];
    bool matched = false;

    for (uint32_t k = 0; k < m->n_patterns; k++) {
        int found = bao_regex_match(m->patterns[k].regex, r->regex, bao_member_key(x));

        r->steps -= bao_regex_take_cost(r->regex);
        if (found < 0)
            return fail(r, found);
        if (found == 0)
            continue;
        matched = true;
        if (m->patterns[k].sub != NULL && !ask(r, m->patterns[k].sub, &x->value, NULL))
            return false;
    }
    if (!matched && m->rest != NULL && !ask(r, m->rest, &x->value, NULL))
        return false;
    if (ev != NULL && (matched || m->has_rest))
        mark(ev, i);
    return true;
}

static bool members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v,
                    struct bao_eval *ev)
{
    const struct bao_entry *entries = m->entries, *guess = entries, *end = entries + m->n;
    bool closed = m->n_patterns != 0 || m->has_rest, simple = m->n_patterns == 0 && ev == NULL;
    const struct bao_ins *pc;
    uint32_t required = 0;

    if (v->len < m->n_required)
        return false;
    if (!may_go_on(r))
        return fail(r, -E2BIG);
    r->steps -= v->len >> 3;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct bao_member *x = &v->members[i];
        const struct bao_entry *e = guess;

        /* Files mostly give members in the schema's order. */
        if (e == end || e->hash != x->hash || e->len != x->key_len ||
            !bao_text_same(e->key, x->key, e->len)) {
            uint32_t k = m->n == 0 ? 0 : bao_names_find(&m->names, x->key, x->key_len, x->hash);

            if (k == m->n && simple) {
                pc = m->rest == NULL ? NULL : m->rest->at[x->value.type];
                if (pc != NULL && !go(r, pc, &x->value, NULL))
                    return false;
                continue;
            }
            if (k == m->n) {
                if (closed && !unknown_member(r, m, v, i, ev))
                    return false;
                continue;
            }
            e = entries + k;
        }
        guess = e + 1;
        required += e->required;
        if (ev != NULL && e->evaluated)
            mark(ev, i);
        if (e->sub == NULL)
            continue;
        pc = e->sub->at[x->value.type];
        if (pc != NULL && !go(r, pc, &x->value, NULL))
            return false;
    }
    /* A loaded map has no key twice, so counting is enough. */
    return required == m->n_required;
}

/* One or two names and nothing else to say: each is looked for. */
static bool few_members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v)
{
    if (!may_go_on(r))
        return fail(r, -E2BIG);
    for (uint32_t i = 0; i < m->n; i++) {
        const struct bao_entry *e = &m->entries[i];
        const struct bao_node *x = member_of(v, (struct bao_str){e->key, e->len}, e->hash);

        if (x == NULL ? e->required : e->sub != NULL && !ask(r, e->sub, x, NULL))
            return false;
    }
    return true;
}

static bool names(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *v)
{
    bool good = true;

    r->no_memo++; /* the node below is at one address for all names */
    for (uint32_t i = 0; i < v->len && good; i++) {
        const struct bao_member *x = &v->members[i];
        struct bao_node key = {
            .type = BAO_STRING, .style = BAO_STYLE_QUOTED, .len = x->key_len, .str = x->key};

        good = ask(r, sub, &key, NULL);
    }
    r->no_memo--;
    return good;
}

static bool dependent(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                      struct bao_eval *ev)
{
    for (uint32_t i = 0; i < pc->n; i++) {
        const struct bao_dependent *d = &pc->dependents[i];

        r->steps--;
        if (r->steps < 0)
            return fail(r, -E2BIG);
        if (member_of(v, d->key, d->hash) == NULL)
            continue;
        for (uint32_t k = 0; k < d->n_names; k++)
            if (member_of(v, d->names[k], d->hashes[k]) == NULL)
                return false;
        if (d->sub != NULL && !ask(r, d->sub, v, ev))
            return false;
    }
    return true;
}

/* ---- lists ---- */

static bool items(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                  struct bao_eval *ev)
{
    uint32_t n = pc->n < v->len ? pc->n : v->len;

    if (!may_go_on(r))
        return fail(r, -E2BIG);
    for (uint32_t i = 0; i < n; i++) {
        if (pc->subs[i] != NULL && !ask(r, pc->subs[i], &v->items[i], NULL))
            return false;
        if (ev != NULL)
            mark(ev, i);
    }
    if (pc->rest == NULL)
        return true;
    r->steps -= v->len >> 3;
    for (const struct bao_node *x = v->items + n, *end = v->items + v->len; x < end; x++) {
        const struct bao_ins *at = pc->rest->at[x->type];

        if (at != NULL && !go(r, at, x, NULL))
            return false;
    }
    if (ev != NULL)
        ev->all = true;
    return true;
}

static bool contains(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                     struct bao_eval *ev)
{
    const struct bao_count *count = pc->count;
    uint64_t found = 0;

    r->steps -= v->len >> 3;
    for (uint32_t i = 0; i < v->len; i++) {
        if (!ask(r, count->sub, &v->items[i], NULL)) {
            if (r->error != 0)
                return false;
            continue;
        }
        if (++found > count->max)
            return false;
        if (ev != NULL)
            mark(ev, i);
        else if (found >= count->min && count->max >= v->len)
            return true;
    }
    return found >= count->min;
}

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

static bool is_unique(struct bao_schema_scratch *r, const struct bao_node *v)
{
    const struct bao_node **nodes;
    uint32_t a, b;
    int found;

    if (v->len <= FEW) {
        for (uint32_t i = 1; i < v->len; i++)
            for (uint32_t k = 0; k < i; k++)
                if (is_same(&v->items[i], &v->items[k]))
                    return false;
        return true;
    }
    nodes = bao_arena_alloc(&r->arena, v->len * sizeof(struct bao_node *));
    if (nodes == NULL)
        return fail(r, -ENOMEM);
    for (uint32_t i = 0; i < v->len; i++)
        nodes[i] = &v->items[i];
    found = bao_unique_find(&r->arena, nodes, v->len, &a, &b);
    return found < 0 ? fail(r, found) : found == 0;
}

static bool is_unique_key(struct bao_schema_scratch *r, const struct bao_node *v, struct bao_str key)
{
    const struct bao_node **nodes = bao_arena_alloc(&r->arena, v->len * sizeof(struct bao_node *));
    uint32_t n = 0, a, b, hash = bao_key_hash(key.p, key.n);
    int found;

    if (nodes == NULL)
        return fail(r, -ENOMEM);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct bao_node *node = v->items[i].type == BAO_MAP ? member_of(&v->items[i], key, hash) : NULL;

        if (node != NULL)
            nodes[n++] = node;
    }
    found = bao_unique_find(&r->arena, nodes, n, &a, &b);
    return found < 0 ? fail(r, found) : found == 0;
}

/* ---- scalars ---- */

static uint32_t count_characters(const char *p, uint32_t n)
{
    uint32_t count = 0, i = 0;
    uint64_t w;

    /* Octets that do not continue a character: top bits other than 10. */
    for (; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        w = ~(w >> 7 & ~(w >> 6)) & 0x0101010101010101u;
        count += (uint32_t)(w * 0x0101010101010101u >> 56);
    }
    for (; i < n; i++)
        count += (p[i] & 0xc0) != 0x80;
    return count;
}

static bool length_fits(const struct bao_ins *pc, const struct bao_node *v)
{
    bool good;
    int64_t n;

    if (quick_length(pc, v, &good))
        return good;
    n = count_characters(v->str, v->len);
    return n >= pc->lo && n <= pc->hi;
}

/* Doubles that are each the nearest to their number keep its order, but for what they make equal. */
static bool in_range(const struct bao_range *range, const struct bao_node *v)
{
    struct bao_num n = bao_node_num(v);
    double x = bao_num_near(n);
    int c;

    if (x > range->lo && x < range->hi)
        return true;
    c = !range->has_min ? 1 : bao_num_cmp(n, range->min);
    if (c < 0 || (c == 0 && range->above))
        return false;
    c = !range->has_max ? -1 : bao_num_cmp(n, range->max);
    return c < 0 || (c == 0 && !range->below);
}

static bool in_ints(const struct bao_ins *pc, int64_t i)
{
    uint32_t lo = 0, hi = pc->n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (pc->ints[mid] == i)
            return true;
        if (pc->ints[mid] < i)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static bool in_values(const struct bao_values *values, const struct bao_node *v)
{
    uint64_t hash = bao_node_mix(v);
    uint32_t lo = 0, hi = values->n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (values->hashes[mid] < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < values->n && values->hashes[lo] == hash; lo++)
        if (bao_node_equal(values->items[lo], v))
            return true;
    return false;
}

struct bao_str bao_text_norm(struct bao_arena *a, struct bao_str s)
{
    while (s.n != 0 && memchr(" \t\r\n", s.p[0], 4) != NULL) {
        s.p++;
        s.n--;
    }
    while (s.n != 0 && memchr(" \t\r\n", s.p[s.n - 1], 4) != NULL)
        s.n--;
    return s.n == 0 ? (struct bao_str){"", 0} : bao_utf8_nfc(a, s);
}

static bool is_text(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v)
{
    struct bao_str norm;

    if (v->len == pc->key->n && bao_text_same(v->str, pc->key->p, v->len))
        return true;
    if (pc->n == 0)
        return false;
    norm = bao_text_norm(&r->arena, bao_node_str(v));
    return norm.p == NULL ? fail(r, -ENOMEM) : bao_str_eq(norm, *pc->key);
}

static bool in_names(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v)
{
    const struct bao_names *set = pc->names;
    struct bao_str norm;

    if (bao_names_find(set, v->str, v->len, bao_key_hash(v->str, v->len)) != set->n)
        return true;
    if (pc->n == 0)
        return false;
    norm = bao_text_norm(&r->arena, bao_node_str(v));
    if (norm.p == NULL)
        return fail(r, -ENOMEM);
    return bao_names_find(set, norm.p, (uint32_t)norm.n, bao_key_hash(norm.p, norm.n)) != set->n;
}

__extension__ typedef __int128 wide;

/* v = c1 * 10^e1, by = c2 * 10^e2: a whole multiple when c1 * 10^(e1 - e2) / c2 is whole. 1, 0, or -1: the
 * numbers are too large for this way. */
static int small_multiple(const struct bao_node *v, const struct bao_multiple *m)
{
    int64_t c = v->type == BAO_INT ? v->i : 0;
    int32_t e = 0;
    wide x;

    if (!m->is_small)
        return -1;
    if (v->type == BAO_DEC) {
        if (v->dec->n_limbs > 2)
            return -1;
        c = v->dec->limbs[0];
        if (v->dec->n_limbs == 2)
            c += (int64_t)v->dec->limbs[1] * 1000000000;
        e = v->dec->exponent;
    }
    if (c == 0)
        return 1;
    e -= m->exponent;
    if (e < 0) {
        /* c1 must be divisible by 10^-e as well, which a decimal's coefficient never is. */
        if (v->type == BAO_DEC)
            return 0;
        x = m->coefficient;
        for (; e < 0; e++) {
            x *= 10;
            if (x > INT64_MAX)
                return 0;
        }
        return c % (int64_t)x == 0;
    }
    if (e > 18)
        return -1;
    for (x = c < 0 ? -(wide)c : c; e > 0; e--)
        x *= 10;
    return x % m->coefficient == 0;
}

static bool is_multiple(struct bao_schema_scratch *r, const struct bao_node *v, const struct bao_multiple *m)
{
    int yes = small_multiple(v, m);

    if (yes < 0)
        yes = bao_num_is_multiple(&r->arena, bao_node_num(v), m->by);
    return yes < 0 ? fail(r, yes) : yes == 1;
}

static bool matches(struct bao_schema_scratch *r, const struct bao_regex *regex, const struct bao_node *v)
{
    int found;

    r->steps -= v->len >> 6;
    found = bao_regex_match(regex, r->regex, bao_node_str(v));
    r->steps -= bao_regex_take_cost(r->regex);
    return found < 0 ? fail(r, found) : found == 1;
}

static const struct bao_node *normal_form(struct bao_schema_scratch *r, const struct bao_node *v)
{
    struct bao_str norm = bao_utf8_nfc(&r->arena, bao_node_str(v));
    struct bao_node *copy;

    if (norm.p == v->str)
        return v;
    copy = bao_arena_alloc(&r->arena, sizeof(*copy));
    if (norm.p == NULL || copy == NULL) {
        fail(r, -ENOMEM);
        return NULL;
    }
    *copy = *v;
    copy->str = norm.p;
    copy->len = (uint32_t)norm.n;
    return copy;
}

bool bao_is_thousand(const struct bao_node *node)
{
    uint32_t digits;

    if (node->type != BAO_INT || (node->style & (BAO_STYLE_FLOAT | BAO_STYLE_YAML)) != BAO_STYLE_FLOAT ||
        node->i == 0 || node->i < -999 || node->i > 999)
        return false;
    digits = (node->i < 0) + 1u + (node->i > 9 || node->i < -9) + (node->i > 99 || node->i < -99);
    /* A point and three digits, all zero, follow the whole part. */
    return node->extent == digits + 4;
}

/* ---- branches ---- */

static bool any_of(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    bool good = false;

    for (uint32_t i = 0; i < pc->n; i++) {
        if (ev == NULL && ask(r, pc->subs[i], v, NULL))
            return true;
        if (ev != NULL)
            good |= try_branch(r, pc->subs[i], v, ev);
    }
    return good;
}

static bool one_of(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < pc->n && good < 2; i++)
        good += ev == NULL ? ask(r, pc->subs[i], v, NULL) : try_branch(r, pc->subs[i], v, ev);
    return good == 1;
}

static bool choose(struct bao_schema_scratch *r, const struct bao_choice *c, const struct bao_node *v,
                   struct bao_eval *ev)
{
    const struct bao_sub *next;
    bool yes = ev == NULL ? ask(r, c->condition, v, NULL) : try_branch(r, c->condition, v, ev);

    if (r->error != 0)
        return false;
    next = yes ? c->then : c->otherwise;
    return next == NULL || ask(r, next, v, ev);
}

static const struct bao_sub *picked(const struct bao_switch *s, const struct bao_node *x)
{
    uint32_t i;

    if (x->type != BAO_STRING)
        return NULL;
    i = bao_names_find(&s->values, x->str, x->len, bao_key_hash(x->str, x->len));
    return i == s->values.n ? NULL : s->subs[i];
}

/* ---- the loops ---- */

/* One instruction that looks at a scalar and asks nothing further. */
static inline bool one_scalar(struct bao_schema_scratch *r, const struct bao_ins *pc,
                              const struct bao_node *v)
{
    switch ((enum bao_op)pc->op) {
    case BAO_OP_BOOL_IS:
        return v->boolean == pc->boolean;
    case BAO_OP_WHOLE:
        return v->dec->exponent >= 0;
    case BAO_OP_NO_THOUSAND:
        return (v->style & BAO_STYLE_FLOAT) == 0 || !bao_is_thousand(v);
    case BAO_OP_INT_RANGE:
        return v->i >= pc->lo && v->i <= pc->hi;
    case BAO_OP_NUM_RANGE:
        return in_range(pc->range, v);
    case BAO_OP_MULTIPLE:
        return is_multiple(r, v, pc->multiple);
    case BAO_OP_INT_MULTIPLE:
        return is_int_multiple(pc, v->i);
    case BAO_OP_INT_ENUM:
        return in_ints(pc, v->i);
    case BAO_OP_STR_LENGTH:
        return length_fits(pc, v);
    case BAO_OP_STR_IS:
        return is_text(r, pc, v);
    case BAO_OP_STR_ENUM:
        return in_names(r, pc, v);
    case BAO_OP_PATTERN:
        return matches(r, pc->regex, v);
    case BAO_OP_FORMAT:
        return bao_format_is((enum bao_format)pc->n, bao_node_str(v));
    default:
        return false;
    }
}

/* A list of nothing but such instructions. */
static bool scalar(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v)
{
    for (; pc->op != BAO_OP_GOOD; pc++)
        if (!one_scalar(r, pc, v))
            return false;
    return true;
}

static bool run(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                struct bao_eval *ev)
{
    const struct bao_sub *sub;
    const struct bao_node *key;

    if (!may_go_on(r))
        return fail(r, -E2BIG);
    for (;; pc++) {
        bool good;

        switch ((enum bao_op)pc->op) {
        case BAO_OP_GOOD:
            return true;
        case BAO_OP_BAD:
            return false;
        case BAO_OP_CALL:
            good = ask(r, pc->sub, v, ev);
            break;
        case BAO_OP_SWITCH:
            key = member_of(v, pc->choices->key, pc->choices->hash);
            if (key == NULL)
                continue;
            sub = picked(pc->choices, key);
            good = sub != NULL && ask(r, sub, v, ev);
            pc++;
            break;
        case BAO_OP_JUMP:
            pc = pc->sub->at[v->type];
            if (pc == NULL)
                return true;
            if (--r->steps < 0)
                return fail(r, -E2BIG);
            pc--;
            continue;
        case BAO_OP_NOT:
            good = !ask(r, pc->sub, v, NULL);
            break;
        case BAO_OP_ANY:
            good = any_of(r, pc, v, ev);
            break;
        case BAO_OP_ONE:
            good = one_of(r, pc, v, ev);
            break;
        case BAO_OP_IF:
            good = choose(r, pc->choice, v, ev);
            break;
        case BAO_OP_MEMO:
            if (r->steps > BAO_RUN_STEPS - MEMO_FROM || r->no_memo != 0 || (ev != NULL && ev->probe))
                continue;
            return remembered(r, pc, v, ev);
        case BAO_OP_TRACK:
            return tracked(r, pc + 1, v, ev);
        case BAO_OP_BOOL_IS:
        case BAO_OP_WHOLE:
        case BAO_OP_NO_THOUSAND:
        case BAO_OP_INT_RANGE:
        case BAO_OP_NUM_RANGE:
        case BAO_OP_MULTIPLE:
        case BAO_OP_INT_MULTIPLE:
        case BAO_OP_INT_ENUM:
        case BAO_OP_STR_LENGTH:
        case BAO_OP_STR_IS:
        case BAO_OP_STR_ENUM:
        case BAO_OP_PATTERN:
        case BAO_OP_FORMAT:
            good = one_scalar(r, pc, v);
            break;
        case BAO_OP_NFC:
            v = normal_form(r, v);
            good = v != NULL;
            break;
        case BAO_OP_VALUE_ENUM:
            good = in_values(pc->values, v);
            break;
        case BAO_OP_LIST_LENGTH:
        case BAO_OP_MAP_LENGTH:
            good = (int64_t)v->len >= pc->lo && (int64_t)v->len <= pc->hi;
            break;
        case BAO_OP_ITEMS:
            good = items(r, pc, v, ev);
            break;
        case BAO_OP_UNIQUE:
            good = is_unique(r, v);
            break;
        case BAO_OP_UNIQUE_KEY:
            good = is_unique_key(r, v, *pc->key);
            break;
        case BAO_OP_CONTAINS:
            good = contains(r, pc, v, ev);
            break;
        case BAO_OP_MEMBERS:
            good = members(r, pc->members, v, ev);
            break;
        case BAO_OP_FEW:
            good = few_members(r, pc->members, v);
            break;
        case BAO_OP_NAMES:
            good = names(r, pc->sub, v);
            break;
        case BAO_OP_DEPENDENT:
            good = dependent(r, pc, v, ev);
            break;
        case BAO_OP_UNEVALUATED_ITEMS:
        case BAO_OP_UNEVALUATED_MEMBERS:
            good = unevaluated(r, pc->sub, v, ev);
            break;
        default:
            good = false;
            break;
        }
        if (!good)
            return false;
    }
}

/* ---- from outside ---- */

void bao_run_start(struct bao_schema_scratch *r)
{
    if (r->arena.at != r->clean) {
        bao_arena_reset(&r->arena);
        r->clean = r->arena.at;
    }
    r->steps = BAO_RUN_STEPS;
    r->error = 0;
    r->no_memo = 0;
    r->memo = NULL;
    r->n_memo = r->size_memo = 0;
}

struct bao_arena *bao_run_arena(struct bao_schema_scratch *r)
{
    return &r->arena;
}

static void set_stack(struct bao_schema_scratch *r)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    r->stack = here > BAO_RUN_STACK ? here - BAO_RUN_STACK : 0;
}

int bao_run_sub(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *value)
{
    bool good;

    set_stack(r);
    good = ask(r, sub, value, NULL);
    return r->error != 0 ? r->error : good;
}

int bao_run_match(struct bao_schema_scratch *r, const struct bao_regex *regex, struct bao_str text)
{
    return bao_regex_match(regex, r->regex, text);
}

int bao_run_evaluated(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *value,
                      struct bao_eval *ret)
{
    const struct bao_ins *pc = sub->at[value->type];
    bool good;

    set_stack(r);
    *ret =
        (struct bao_eval){.bits = bao_arena_array(&r->arena, words(value), sizeof(uint64_t)), .probe = true};
    if (ret->bits == NULL)
        return -ENOMEM;
    while (pc != NULL && (pc->op == BAO_OP_MEMO || pc->op == BAO_OP_TRACK))
        pc++;
    good = pc == NULL || run(r, pc, value, ret);
    return r->error != 0 ? r->error : good;
}

int bao_schema_is_valid(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                        const struct bao_node *value)
{
    bao_run_start(scratch);
    return bao_run_sub(scratch, schema->root, value);
}
