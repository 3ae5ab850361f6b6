/* Conditions over members already seen: if, not, dependentRequired and dependentSchemas that speak of members
 * of the map whose table stands in the same list. One pass notes the members; the conditions then cost a few
 * comparisons, not a search each. */
#include "lib/schema/emit.h"

struct making {
    struct bao_emitter *e;
    const struct bao_members *base;
    struct bao_entry *entries; /* BAO_SEEN_MOST of them */
    struct bao_test *tests;
    uint64_t need; /* the required ones */
    uint32_t n, n_values, n_tests;
    bool full; /* more names or values than a bao_seen holds */
};

/* The entry of a name, made when the table has none. NULL: full. */
static struct bao_entry *entry_for(struct making *m, struct bao_str key)
{
    struct bao_entry *entry;

    for (uint32_t i = 0; i < m->n; i++)
        if (bao_str_eq((struct bao_str){m->entries[i].key, m->entries[i].len}, key))
            return &m->entries[i];
    if (m->n == BAO_SEEN_MOST) {
        m->full = true;
        return NULL;
    }
    entry = &m->entries[m->n];
    bao_emit_entry(entry, key);
    entry->sub = m->base->rest;
    entry->bit = (uint64_t)1 << m->n++;
    return entry;
}

static uint64_t bit_for(struct making *m, struct bao_str key)
{
    const struct bao_entry *entry = entry_for(m, key);

    return entry == NULL ? 0 : entry->bit;
}

static uint32_t value_of(struct making *m, struct bao_entry *entry)
{
    if (entry->value == 0 && m->n_values == BAO_SEEN_VALUES) {
        m->full = true;
        return 0;
    }
    if (entry->value == 0)
        entry->value = (uint8_t)m->n_values++;
    return entry->value;
}

/* The text that alone a sub takes, or NULL. */
static const struct bao_str *only_text(const struct making *m, const struct bao_sub *sub)
{
    const struct bao_ins *ins = &m->e->c->ins[sub->start[BAO_STRING]];

    for (int t = 0; t < BAO_TYPES; t++)
        if (sub->known[t] != (t == BAO_STRING ? BAO_KNOWN_LIST : BAO_KNOWN_BAD))
            return NULL;
    return ins->lead == BAO_LEAD_TEXT ? ins->key : NULL;
}

/* What a plain table asks: names that are needed, values that are looked at. */
static int facts_of_table(struct making *m, const struct bao_members *table, struct bao_facts *ret)
{
    struct bao_fact_ask *asks = bao_arena_array(m->e->c->arena, table->n, sizeof(*asks));

    if (asks == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < table->n && !m->full; i++) {
        const struct bao_entry *from = &table->entries[i];
        struct bao_entry *entry = entry_for(m, (struct bao_str){from->key, from->len});

        if (entry == NULL)
            break;
        if (from->required)
            ret->need |= entry->bit;
        if (from->sub == NULL)
            continue;
        asks[ret->n].bit = entry->bit;
        asks[ret->n].sub = from->sub;
        asks[ret->n].text = only_text(m, from->sub);
        asks[ret->n].value = value_of(m, entry);
        ret->n++;
    }
    ret->asks = asks;
    return 0;
}

/* What must hold of a map for a sub to accept it. */
static int facts_of(struct making *m, const struct bao_sub *sub, struct bao_facts *ret)
{
    const struct bao_ins *ins;
    int r = 0;

    sub = bao_emit_real((struct bao_sub *)(uintptr_t)sub);
    *ret = (struct bao_facts){.need = 0};
    if (sub == NULL || bao_emit_known(m->e, sub) == BAO_KNOWN_GOOD)
        return 0;
    ret->negated = bao_emit_known(m->e, sub) == BAO_KNOWN_BAD;
    if (bao_emit_known(m->e, sub) != BAO_KNOWN_LIST) {
        if (!ret->negated)
            ret->whole = sub;
        return 0;
    }
    ins = &m->e->c->ins[sub->start[BAO_MAP]];
    ins += ins->op == BAO_OP_MEMO;
    if (ins->op == BAO_OP_JUMP)
        return facts_of(m, ins->sub, ret);
    if (ins[1].op == BAO_OP_GOOD && ins->op == BAO_OP_NOT) {
        r = facts_of(m, ins->sub, ret);
        ret->negated = !ret->negated;
    } else if (ins[1].op == BAO_OP_GOOD && (ins->op == BAO_OP_FEW || ins->op == BAO_OP_MEMBERS) &&
               !ins->members->has_rest && ins->members->n_patterns == 0) {
        r = facts_of_table(m, ins->members, ret);
    } else {
        ret->whole = sub;
    }
    return r;
}

static bool is_quick(const struct bao_facts *f)
{
    return f->n == 0 && f->whole == NULL;
}

/* Keeps a test unless it asks only for what is required anyway. */
static void add(struct making *m, struct bao_test test)
{
    test.quick = is_quick(&test.then) && is_quick(&test.otherwise);
    if (test.quick && !test.then.negated && !test.otherwise.negated &&
        ((test.then.need | test.otherwise.need) & ~m->need) == 0)
        return;
    m->tests[m->n_tests++] = test;
}

/* A condition that would have to search the map itself is no gain. */
static int add_choice(struct making *m, const struct bao_choice *choice, bool *ret)
{
    struct bao_test test;
    int r = facts_of(m, choice->condition, &test.when);

    *ret = r == 0 && test.when.whole == NULL;
    if (!*ret)
        return r;
    r = facts_of(m, choice->then, &test.then);
    if (r == 0)
        r = facts_of(m, choice->otherwise, &test.otherwise);
    if (r == 0)
        add(m, test);
    return r;
}

static int add_not(struct making *m, const struct bao_sub *sub, bool *ret)
{
    struct bao_test test = {.then = {.negated = true}};
    int r = facts_of(m, sub, &test.when);

    *ret = r == 0 && test.when.whole == NULL;
    if (*ret)
        add(m, test);
    return r;
}

static int add_dependents(struct making *m, const struct bao_dependent *all, uint32_t n)
{
    int r = 0;

    for (uint32_t i = 0; i < n && r == 0; i++) {
        struct bao_test test = {.when = {.need = bit_for(m, all[i].key)}};

        r = facts_of(m, all[i].sub, &test.then);
        for (uint32_t k = 0; k < all[i].n_names; k++)
            test.then.need |= bit_for(m, all[i].names[k]);
        if (r == 0)
            add(m, test);
    }
    return r;
}

/* Makes tests of one instruction; *ret tells whether it could. */
static int add_tests(struct making *m, const struct bao_ins *ins, bool *ret)
{
    *ret = false;
    if (ins->op == BAO_OP_IF)
        return add_choice(m, ins->choice, ret);
    if (ins->op == BAO_OP_NOT)
        return add_not(m, ins->sub, ret);
    if (ins->op != BAO_OP_DEPENDENT)
        return 0;
    *ret = true;
    return add_dependents(m, ins->dependents, ins->n);
}

static int make(struct making *m, struct bao_seen **ret)
{
    struct bao_arena *arena = m->e->c->arena;
    struct bao_seen *s = bao_arena_array(arena, 1, sizeof(*s));
    struct bao_str *keys = bao_arena_array(arena, m->n, sizeof(*keys));

    if (s == NULL || keys == NULL)
        return -ENOMEM;
    bao_emit_last_entry(&m->entries[m->n]);
    s->members = *m->base;
    s->members.entries = m->entries;
    s->members.n = m->n;
    s->members.next = m->e->c->tables;
    m->e->c->tables = &s->members;
    for (uint32_t i = 0; i < m->n; i++)
        keys[i] = (struct bao_str){m->entries[i].key, m->entries[i].len};
    s->need = m->need;
    s->tests = m->tests;
    s->n = m->n_tests;
    *ret = s;
    return bao_names_init_apart(arena, keys, m->n, &s->members.names) ? 0 : -ENOMEM;
}

/* The table, with the entries numbered. */
static int begin(struct making *m, uint32_t n_tests)
{
    struct bao_arena *arena = m->e->c->arena;

    m->entries = bao_arena_array(arena, BAO_SEEN_MOST + 1, sizeof(*m->entries));
    m->tests = bao_arena_array(arena, n_tests, sizeof(*m->tests));
    if (m->entries == NULL || m->tests == NULL)
        return -ENOMEM;
    for (m->n = 0; m->n < m->base->n; m->n++) {
        m->entries[m->n] = m->base->entries[m->n];
        m->entries[m->n].bit = (uint64_t)1 << m->n;
        if (m->entries[m->n].required)
            m->need |= m->entries[m->n].bit;
    }
    m->n_values = 1; /* 0 is where values go that nobody asks for */
    return 0;
}

/* How many tests the instructions behind the table may become. */
static uint32_t most_tests(const struct bao_ins *ins, uint32_t n)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < n; i++)
        most += ins[i].op == BAO_OP_DEPENDENT ? ins[i].n : ins[i].op == BAO_OP_IF || ins[i].op == BAO_OP_NOT;
    return most;
}

/* Puts the one instruction in place of the table and of those that became its tests. */
static int replace(struct making *m, uint32_t at, const bool *gone)
{
    struct bao_compiler *c = m->e->c;
    struct bao_seen *seen;
    uint32_t to = at + 1;
    int r = make(m, &seen);

    if (r < 0)
        return r;
    c->ins[at] = (struct bao_ins){.op = BAO_OP_SEEN, .seen = seen};
    for (uint32_t i = at + 1; i < c->n_ins; i++)
        if (!gone[i - at])
            c->ins[to++] = c->ins[i];
    c->n_ins = to;
    return 0;
}

int bao_emit_seen(struct bao_emitter *e)
{
    struct making m = {.e = e};
    struct bao_compiler *c = e->c;
    uint32_t at = e->start, most;
    bool *gone;
    int r;

    while (at < c->n_ins && c->ins[at].op != BAO_OP_MEMBERS && c->ins[at].op != BAO_OP_FEW)
        at++;
    if (!bao_emit_merges(e) || at == c->n_ins || c->ins[at].members->n_patterns != 0 ||
        c->ins[at].members->n > BAO_SEEN_MOST)
        return 0;
    most = most_tests(&c->ins[at], c->n_ins - at);
    if (most == 0)
        return 0;
    m.base = c->ins[at].members;
    gone = bao_arena_array(&c->work, c->n_ins - at, sizeof(*gone));
    r = gone == NULL ? -ENOMEM : begin(&m, most);
    for (uint32_t i = at + 1; i < c->n_ins && r == 0; i++)
        r = add_tests(&m, &c->ins[i], &gone[i - at]);
    return r < 0 || m.full ? r : replace(&m, at, gone);
}
