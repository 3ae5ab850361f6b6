/* The verdict pass over maps. */
#include "lib/schema/pattern.h"
#include "lib/schema/run_member.h"

const struct bao_node *bao_run_member_of(const struct bao_node *map, struct bao_str key, uint32_t hash)
{
    const struct bao_member *m;

    if (map->indexed) {
        m = bao_node_member(map, key);
        return m == NULL ? NULL : &m->value;
    }
    for (uint32_t i = 0; i < map->len; i++)
        if (map->members[i].hash == hash && map->members[i].key_len == key.n &&
            bao_text_same(map->members[i].key, key.p, (uint32_t)key.n))
            return &map->members[i].value;
    return NULL;
}

const struct bao_entry *bao_run_find_further(const struct bao_members *m, const struct bao_member *x)
{
    const uint32_t *slots = m->names.slots;
    uint32_t mask = m->names.mask;

    for (uint32_t at = (x->hash + 1) & mask; slots[at] != 0; at = (at + 1) & mask)
        if (bao_entry_is_for(&m->entries[slots[at] - 1], x))
            return &m->entries[slots[at] - 1];
    return NULL;
}

static __attribute__((noinline)) bool unknown_member(struct bao_schema_scratch *r,
                                                     const struct bao_members *m, const struct bao_node *v,
                                                     uint32_t i, struct bao_eval *ev)
{
    const struct bao_member *x = &v->members[i];
    bool matched = false;

    for (uint32_t k = 0; k < m->n_patterns; k++) {
        const struct bao_pattern_sub *p = &m->patterns[k];

        if (!bao_run_is_match(r, p->table, p->regex, bao_member_key(x))) {
            if (r->error != 0)
                return false;
            continue;
        }
        matched = true;
        if (p->sub != NULL && !bao_run_ask(r, p->sub, &x->value, NULL))
            return false;
    }
    if (!matched && m->rest != NULL && !bao_run_ask(r, m->rest, &x->value, NULL))
        return false;
    if (ev != NULL && (matched || m->has_rest))
        bao_eval_mark(ev, i);
    return true;
}

/* With patterns, or with somebody who wants to know what was evaluated. */
static bool any_members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v,
                        struct bao_eval *ev)
{
    const struct bao_entry *guess = m->entries;
    bool closed = m->n_patterns != 0 || m->has_rest;
    uint32_t required = 0;

    for (uint32_t i = 0; i < v->len; i++) {
        const struct bao_member *x = &v->members[i];
        const struct bao_entry *e = bao_entry_of(m, guess, x);
        const struct bao_ins *pc;

        if (e == NULL) {
            if (closed && !unknown_member(r, m, v, i, ev))
                return false;
            continue;
        }
        guess = e + 1;
        required += e->required;
        if (ev != NULL && e->evaluated)
            bao_eval_mark(ev, i);
        pc = e->at[x->value.type];
        if (pc != NULL && BAO_UNLIKELY(!bao_run_go(r, pc, &x->value, NULL)))
            return false;
    }
    /* A loaded map has no key twice, so counting is enough. */
    return required == m->n_required;
}

/* Every member meets the same. */
static bool all_members(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *v)
{
    bool good;

    if (bao_run_by_kinds(sub, v, &good))
        return good;
    for (const struct bao_member *x = v->members, *end = bao_member_end(v); x < end; x++) {
        const struct bao_ins *pc = sub->at[x->value.type];

        if (pc != NULL && BAO_UNLIKELY(!bao_run_go(r, pc, &x->value, NULL)))
            return false;
    }
    return true;
}

bool bao_run_members(struct bao_schema_scratch *r, const struct bao_ins *ins, const struct bao_node *v,
                     struct bao_eval *ev)
{
    const struct bao_members *m = ins->members;

    if (v->len < m->n_required)
        return false;
    if (!bao_run_may_go_over(r, v->len))
        return bao_run_fail(r, -E2BIG);
    if (ev != NULL || m->n_patterns != 0)
        return any_members(r, m, v, ev);
    if (m->n == 0)
        return m->rest == NULL || all_members(r, m->rest, v);
    return bao_run_plain_members(r, m, v);
}

bool bao_run_plain(struct bao_schema_scratch *r, const struct bao_ins *ins, const struct bao_node *v,
                   struct bao_eval *ev)
{
    const struct bao_members *m = ins->members;

    if (BAO_UNLIKELY(ev != NULL))
        return bao_run_members(r, ins, v, ev);
    if (v->len < m->n_required)
        return false;
    if (!bao_run_may_go_over(r, v->len))
        return bao_run_fail(r, -E2BIG);
    return bao_run_plain_members(r, m, v);
}

bool bao_run_few(struct bao_schema_scratch *r, const struct bao_ins *ins, const struct bao_node *v,
                 struct bao_eval *ev)
{
    (void)ev;
    if (!bao_run_may_go_on(r))
        return bao_run_fail(r, -E2BIG);
    return bao_run_few_members(r, ins->members, v);
}

/* ---- conditions over members already seen ---- */

/* Which entries had a member, and the values that conditions look at. */
struct seen {
    uint64_t present;
    const struct bao_node *values[BAO_SEEN_VALUES];
};

static inline bool hold_quick(const struct bao_facts *f, const struct seen *seen)
{
    return ((seen->present & f->need) == f->need) != f->negated;
}

static inline bool is_good(struct bao_schema_scratch *r, const struct bao_fact_ask *ask,
                           const struct bao_node *v)
{
    if (ask->text == NULL)
        return bao_run_ask(r, ask->sub, v, NULL);
    return v->type == BAO_STRING && v->len == ask->text->n && bao_text_same(v->str, ask->text->p, v->len);
}

static inline bool hold(struct bao_schema_scratch *r, const struct bao_facts *f, const struct bao_node *v,
                        const struct seen *seen)
{
    if ((seen->present & f->need) != f->need)
        return f->negated;
    for (uint32_t i = 0; i < f->n; i++)
        if ((seen->present & f->asks[i].bit) != 0 && !is_good(r, &f->asks[i], seen->values[f->asks[i].value]))
            return f->negated;
    if (f->whole != NULL && !bao_run_ask(r, f->whole, v, NULL))
        return f->negated;
    return !f->negated;
}

static bool test_holds(struct bao_schema_scratch *r, const struct bao_test *t, const struct bao_node *v,
                       const struct seen *seen)
{
    bool yes;

    if (t->quick) {
        bool then = hold_quick(&t->then, seen), otherwise = hold_quick(&t->otherwise, seen);

        /* Often both ways come to the same, and the condition need not be known. */
        return then == otherwise ? then : hold(r, &t->when, v, seen) == then;
    }
    yes = hold(r, &t->when, v, seen);
    return r->error == 0 && hold(r, yes ? &t->then : &t->otherwise, v, seen);
}

bool bao_run_seen(struct bao_schema_scratch *r, const struct bao_ins *ins, const struct bao_node *v,
                  struct bao_eval *ev)
{
    const struct bao_seen *s = ins->seen;
    const struct bao_members *m = &s->members;
    const struct bao_entry *guess = m->entries;
    struct seen seen;

    (void)ev;
    if (v->len < m->n_required)
        return false;
    if (!bao_run_may_go_over(r, v->len))
        return bao_run_fail(r, -E2BIG);
    seen.present = 0;
    for (const struct bao_member *x = v->members, *end = bao_member_end(v); x < end; x++) {
        const struct bao_entry *e = bao_entry_of(m, guess, x);
        const struct bao_ins *pc;

        if (BAO_LIKELY(e != NULL)) {
            guess = e + 1;
            seen.present |= e->bit;
            seen.values[e->value] = &x->value;
            pc = e->at[x->value.type];
        } else {
            pc = m->rest == NULL ? NULL : m->rest->at[x->value.type];
        }
        if (pc != NULL && BAO_UNLIKELY(!bao_run_go(r, pc, &x->value, NULL)))
            return false;
    }
    if ((seen.present & s->need) != s->need)
        return false;
    for (uint32_t i = 0; i < s->n; i++)
        if (!test_holds(r, &s->tests[i], v, &seen))
            return false;
    return r->error == 0;
}

/* ---- the other keywords of maps ---- */

bool bao_run_names(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    const struct bao_ins *at = pc->sub->at[BAO_STRING];
    bool good = true;

    (void)ev;
    if (at == NULL)
        return true;
    r->steps -= v->len >> 3;
    if (at->lead == BAO_LEAD_PATTERN && at->table != NULL) {
        for (const struct bao_member *x = v->members, *end = bao_member_end(v); x < end && good; x++)
            good = bao_automaton_match(at->table, bao_member_key(x));
        return good;
    }
    r->no_memo++; /* the node below is at one address for all names */
    for (uint32_t i = 0; i < v->len && good; i++) {
        const struct bao_member *x = &v->members[i];
        struct bao_node key = {
            .type = BAO_STRING, .style = BAO_STYLE_QUOTED, .len = x->key_len, .str = x->key};

        good = bao_run_go(r, at, &key, NULL);
    }
    r->no_memo--;
    return good;
}

bool bao_run_dependent(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                       struct bao_eval *ev)
{
    for (uint32_t i = 0; i < pc->n; i++) {
        const struct bao_dependent *d = &pc->dependents[i];

        r->steps--;
        if (r->steps < 0)
            return bao_run_fail(r, -E2BIG);
        if (bao_run_member_of(v, d->key, d->hash) == NULL)
            continue;
        for (uint32_t k = 0; k < d->n_names; k++)
            if (bao_run_member_of(v, d->names[k], d->hashes[k]) == NULL)
                return false;
        if (d->sub != NULL && !bao_run_ask(r, d->sub, v, ev))
            return false;
    }
    return true;
}
