/* A pattern without back references, looks, borders and properties is regular: Thompson's construction over
 * UTF-8 octets, then the subset construction, both kept small; what does not fit stays with PCRE2. */
#include "lib/schema/pattern.h"

#include "lib/base/error.h"

enum { MOST_NFA = 512, WORDS = MOST_NFA / 64, MOST_DFA = 160 /* rows of up to 256 fit 16 bits */ };

enum kind { OCTET, SPLIT, AT_START, AT_END, MATCH };

struct nfa_state {
    uint8_t kind;
    uint8_t lo, hi;
    uint16_t next, other;
};

struct set {
    uint64_t bits[WORDS];
};

struct builder {
    struct nfa_state nfa[MOST_NFA];
    uint32_t n_nfa;
    uint16_t first; /* where the pattern begins */
    bool full;
    uint8_t class_of[256];
    uint8_t octet_of[256]; /* one octet of each class */
    uint32_t n_classes;
    struct set sets[MOST_DFA];
    uint32_t n_dfa;
    uint16_t stack[2 * MOST_NFA + 2];
};

static uint16_t add(struct builder *b, struct nfa_state state)
{
    if (b->n_nfa == MOST_NFA) {
        b->full = true;
        return 0;
    }
    b->nfa[b->n_nfa] = state;
    return (uint16_t)b->n_nfa++;
}

static uint16_t split(struct builder *b, uint16_t x, uint16_t y)
{
    return add(b, (struct nfa_state){.kind = SPLIT, .next = x, .other = y});
}

/* ---- characters as octets ---- */

static int encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

/* Characters lo..hi whose encodings have one length and whose octets each make one range. */
static uint16_t octets(struct builder *b, uint32_t lo, uint32_t hi, uint16_t next)
{
    uint8_t from[4], to[4];
    int n = encode(lo, from);

    encode(hi, to);
    for (int i = n - 1; i >= 0; i--)
        next = add(b, (struct nfa_state){.kind = OCTET, .lo = from[i], .hi = to[i], .next = next});
    return next;
}

/* Adds the ways of lo..hi to those in *way (0 = none yet). */
static void characters(struct builder *b, uint32_t lo, uint32_t hi, uint16_t next, uint16_t *way)
{
    static const uint32_t lengths[] = {0x7f, 0x7ff, 0xd7ff, 0xdfff, 0xffff};
    uint16_t one;

    for (size_t i = 0; i < BAO_COUNT(lengths); i++)
        if (lo <= lengths[i] && hi > lengths[i]) {
            characters(b, lo, lengths[i], next, way);
            characters(b, lengths[i] + 1, hi, next, way);
            return;
        }
    if (lo >= 0xd800 && hi <= 0xdfff)
        return;
    /* Where the front octets differ, the ones behind must run over their whole range. */
    for (int i = 1; i < 4 && lo >= 0x80 && !b->full; i++) {
        uint32_t mask = (1u << 6 * i) - 1;

        if ((lo & ~mask) == (hi & ~mask))
            continue;
        if ((lo & mask) != 0) {
            characters(b, lo, lo | mask, next, way);
            characters(b, (lo | mask) + 1, hi, next, way);
            return;
        }
        if ((hi & mask) != mask) {
            characters(b, lo, (hi & ~mask) - 1, next, way);
            characters(b, hi & ~mask, hi, next, way);
            return;
        }
    }
    one = octets(b, lo, hi, next);
    *way = *way == 0 ? one : split(b, one, *way);
}

/* ---- the pattern, from its end ---- */

static uint16_t build(struct builder *b, const struct bao_pat *pat, uint16_t next);

static uint16_t build_repeat(struct builder *b, const struct bao_pat *pat, uint16_t next)
{
    const struct bao_pat *inner = pat->children[0];

    if (pat->min > MOST_NFA || pat->max > MOST_NFA) {
        b->full = true;
        return 0;
    }
    if (pat->max == BAO_PAT_FOREVER) {
        uint16_t loop = split(b, next, next);
        uint16_t again = b->full ? 0 : build(b, inner, loop);

        if (!b->full)
            b->nfa[loop].next = again;
        next = loop;
    } else {
        uint16_t out = next;

        for (int32_t i = pat->min; i < pat->max && !b->full; i++)
            next = split(b, build(b, inner, next), out);
    }
    for (int32_t i = 0; i < pat->min && !b->full; i++)
        next = build(b, inner, next);
    return next;
}

static uint16_t build_set(struct builder *b, const struct bao_pat *pat, uint16_t next)
{
    uint16_t way = 0;

    for (uint32_t i = 0; i < pat->n && !b->full; i++)
        characters(b, pat->ranges[i].lo, pat->ranges[i].hi, next, &way);
    /* An empty set: an octet that UTF-8 never has. */
    return way != 0 ? way : add(b, (struct nfa_state){.kind = OCTET, .lo = 0xff, .hi = 0xff, .next = next});
}

static uint16_t build(struct builder *b, const struct bao_pat *pat, uint16_t next)
{
    uint16_t way;

    if (b->full)
        return 0;
    switch ((enum bao_pat_type)pat->type) {
    case BAO_PAT_EMPTY:
        return next;
    case BAO_PAT_SET:
        if (pat->n_properties != 0)
            break;
        return build_set(b, pat, next);
    case BAO_PAT_SEQUENCE:
        for (uint32_t i = pat->n; i > 0; i--)
            next = build(b, pat->children[i - 1], next);
        return next;
    case BAO_PAT_EITHER:
        way = build(b, pat->children[0], next);
        for (uint32_t i = 1; i < pat->n && !b->full; i++)
            way = split(b, build(b, pat->children[i], next), way);
        return way;
    case BAO_PAT_REPEAT:
        return build_repeat(b, pat, next);
    case BAO_PAT_GROUP:
        return build(b, pat->children[0], next);
    case BAO_PAT_START:
        return add(b, (struct nfa_state){.kind = AT_START, .next = next});
    case BAO_PAT_END:
        return add(b, (struct nfa_state){.kind = AT_END, .next = next});
    case BAO_PAT_LOOK:
    case BAO_PAT_BACK:
    case BAO_PAT_BORDER:
        break;
    }
    b->full = true; /* not for a table */
    return 0;
}

/* ---- sets of states ---- */

static bool has(const struct set *s, uint16_t i)
{
    return (s->bits[i / 64] >> i % 64 & 1) != 0;
}

/* Adds a state and all that it reaches without an octet. */
static void reach(struct builder *b, struct set *s, uint16_t from, bool at_start, bool at_end)
{
    uint32_t n = 0;

    b->stack[n++] = from;
    while (n != 0) {
        uint16_t i = b->stack[--n];
        const struct nfa_state *state = &b->nfa[i];

        if (has(s, i))
            continue;
        s->bits[i / 64] |= (uint64_t)1 << i % 64;
        if (state->kind == SPLIT) {
            b->stack[n++] = state->next;
            b->stack[n++] = state->other;
        } else if ((state->kind == AT_START && at_start) || (state->kind == AT_END && at_end)) {
            b->stack[n++] = state->next;
        }
    }
}

static void find_classes(struct builder *b)
{
    bool begins[257] = {true};
    unsigned class = 0;

    for (uint32_t i = 0; i < b->n_nfa; i++)
        if (b->nfa[i].kind == OCTET) {
            begins[b->nfa[i].lo] = true;
            begins[b->nfa[i].hi + 1] = true;
        }
    for (unsigned i = 0; i < 256; i++) {
        class += i != 0 && begins[i];
        b->class_of[i] = (uint8_t) class;
        b->octet_of[class] = (uint8_t)i;
    }
    b->n_classes = class + 1;
}

enum { MATCH_STATE = 1 }; /* of the NFA: 0 is a dead octet, so that 0 can mean none */

/* Where an octet leads from a set; *ret_matched when a match is complete whatever follows. */
static void follow(struct builder *b, const struct set *from, uint8_t octet, struct set *to,
                   bool *ret_matched)
{
    *to = (struct set){.bits = {0}};
    for (uint32_t w = 0; w < WORDS; w++)
        for (uint64_t bits = from->bits[w]; bits != 0; bits &= bits - 1) {
            const struct nfa_state *state = &b->nfa[w * 64 + (uint32_t)__builtin_ctzll(bits)];

            if (state->kind == OCTET && octet >= state->lo && octet <= state->hi)
                reach(b, to, state->next, false, false);
        }
    reach(b, to, b->first, false, false);
    *ret_matched = has(to, MATCH_STATE);
}

/* The number of a set's DFA state, new or known; -1 when there are too many. States 0..2 are special: dead,
 * matched, start. */
static int state_of(struct builder *b, const struct set *s)
{
    for (uint32_t i = 3; i < b->n_dfa; i++)
        if (memcmp(&b->sets[i], s, sizeof(*s)) == 0)
            return (int)i;
    if (b->n_dfa == MOST_DFA)
        return -1;
    b->sets[b->n_dfa] = *s;
    return (int)b->n_dfa++;
}

static bool ends_well(struct builder *b, uint32_t state, bool at_start)
{
    struct set s = b->sets[state];

    for (uint16_t i = 0; i < b->n_nfa; i++)
        if (b->nfa[i].kind == AT_END && has(&b->sets[state], i))
            reach(b, &s, b->nfa[i].next, at_start, true);
    return has(&s, MATCH_STATE);
}

/* Can this set ever lead to a match? Only when it holds more than dead ends. */
static bool is_dead(const struct builder *b, const struct set *s)
{
    for (uint16_t i = 0; i < b->n_nfa; i++)
        if (has(s, i) && (b->nfa[i].kind == OCTET || b->nfa[i].kind == AT_END) && b->nfa[i].lo != 0xff)
            return false;
    return true;
}

/* One row: by class, the number of the state that follows. */
static int fill_row(struct builder *b, uint32_t state, uint8_t row[256])
{
    for (uint32_t c = 0; c < b->n_classes; c++) {
        struct set to;
        bool matched;
        int next;

        follow(b, &b->sets[state], b->octet_of[c], &to, &matched);
        next = matched ? 1 : is_dead(b, &to) ? 0 : state_of(b, &to);
        if (next < 0)
            return 1;
        row[c] = (uint8_t)next;
    }
    return 0;
}

/* The finished table, states as rows. */
static int take_table(struct bao_arena *a, struct builder *b, uint8_t (*rows)[256], uint32_t start,
                      struct bao_automaton *ret)
{
    uint32_t n = b->n_classes;
    struct bao_automaton m = {.n = b->n_dfa, .n_classes = n, .start = (uint16_t)(start * n)};

    memcpy(m.class_of, b->class_of, sizeof(m.class_of));
    m.next = bao_arena_array(a, m.n * n, sizeof(*m.next));
    m.at_end = bao_arena_array(a, m.n * n, sizeof(*m.at_end));
    if (m.next == NULL || m.at_end == NULL)
        return -ENOMEM;
    for (uint32_t i = 2; i < m.n; i++)
        for (uint32_t c = 0; c < n; c++)
            m.next[i * n + c] = (uint16_t)(rows[i][c] * n);
    for (uint32_t c = 0; c < n; c++)
        m.next[n + c] = (uint16_t)n;
    m.at_end[n] = true;
    for (uint32_t i = 2; i < m.n; i++)
        m.at_end[i * n] = ends_well(b, i, i == 2);
    *ret = m;
    return 0;
}

static int build_table(struct bao_arena *a, struct builder *b, struct bao_automaton *ret)
{
    uint8_t(*rows)[256] = calloc(MOST_DFA, sizeof(*rows));
    uint32_t start = 2;
    int r = rows == NULL ? -ENOMEM : 0;

    b->n_dfa = 3;
    reach(b, &b->sets[2], b->first, true, false);
    if (has(&b->sets[2], MATCH_STATE))
        start = 1;
    for (uint32_t i = 2; r == 0 && i < b->n_dfa; i++)
        r = fill_row(b, i, rows[i]);
    if (r == 0)
        r = take_table(a, b, rows, start, ret);
    free(rows);
    return r;
}

/* The only row that a row leads to, 0 none, -1 several. */
static int only_next(const struct bao_automaton *m, int row)
{
    int next = 0;

    for (uint32_t c = 0; c < m->n_classes; c++) {
        int to = m->next[(uint32_t)row + c];

        if (to != 0 && next != 0 && to != next)
            return -1;
        next = to != 0 ? to : next;
    }
    return next;
}

/* Lines the states up where that can be done. */
static int find_line(struct bao_arena *a, struct bao_automaton *m)
{
    enum { MOST_LINE = 63 };
    uint64_t line[256] = {0}, ends = 0, *copy;
    int matched = (int)m->n_classes, state = m->start, next;
    uint32_t i = 0;

    for (;; i++, state = next) {
        /* What has matched takes whatever follows. */
        next = only_next(m, state);
        if (next < 0 || i > MOST_LINE)
            return 0;
        for (unsigned k = 0; k < 256; k++)
            line[k] |= (uint64_t)(state == matched || m->next[(uint32_t)state + m->class_of[k]] != 0) << i;
        ends |= (uint64_t)m->at_end[state] << i;
        if (next == 0 || next == state)
            break;
    }
    copy = bao_arena_alloc(a, sizeof(line));
    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, line, sizeof(line));
    m->line = copy;
    m->ends = ends;
    m->last = i;
    m->open = next != 0 && m->at_end[state];
    return 0;
}

int bao_automaton_init(struct bao_arena *a, const struct bao_pat *pattern, struct bao_automaton *ret)
{
    struct builder *b = calloc(1, sizeof(*b));
    int r = 1;

    if (b == NULL)
        return -ENOMEM;
    add(b, (struct nfa_state){.kind = OCTET, .lo = 0xff, .hi = 0xff});
    add(b, (struct nfa_state){.kind = MATCH});
    b->first = build(b, pattern, MATCH_STATE);
    if (!b->full) {
        find_classes(b);
        r = build_table(a, b, ret);
        if (r == 0)
            r = find_line(a, ret);
    }
    free(b);
    return r;
}
