/* How the members of a map find their entries in a table, for those who go over many maps: inline, so that
 * the table is taken up once. */
#pragma once

#include "lib/schema/run.h"

#include <stddef.h>

/* The entry of a member behind the first place that its hash says; NULL: nobody speaks of it. */
const struct bao_entry *bao_run_find_further(const struct bao_members *m, const struct bao_member *x);

/* Behind the last member; an empty map may have no address to reckon from. */
static inline const struct bao_member *bao_member_end(const struct bao_node *v)
{
    return v->len == 0 ? v->members : v->members + v->len;
}

/* Has a key as long as the entry's the same text? */
static inline bool bao_entry_spells(const struct bao_entry *e, const char *key)
{
    uint32_t n = e->len, low, high;
    uint64_t first, last;

    if (n <= BAO_KEY_EXACT)
        return true; /* the hash told */
    if (n >= 8) {
        if (BAO_UNLIKELY(n > BAO_BRIEF_MOST))
            return bao_text_same(e->key, key, n);
        memcpy(&first, key, 8);
        memcpy(&last, key + n - 8, 8);
        return ((first ^ e->first) | (last ^ e->last)) == 0;
    }
    memcpy(&low, key, 4);
    memcpy(&high, key + n - 4, 4);
    return (low | (uint64_t)high << 32) == e->first;
}

static inline bool bao_entry_is_for(const struct bao_entry *e, const struct bao_member *x)
{
    uint64_t wanted, had;

    memcpy(&wanted, &e->len, sizeof(wanted)); /* with the hash */
    memcpy(&had, &x->key_len, sizeof(had));
    return wanted == had && bao_entry_spells(e, x->key);
}

_Static_assert(offsetof(struct bao_entry, hash) == offsetof(struct bao_entry, len) + sizeof(uint32_t) &&
                   offsetof(struct bao_member, hash) ==
                       offsetof(struct bao_member, key_len) + sizeof(uint32_t),
               "compared as one");

/* The entry of a member, or NULL. Files mostly give members in the schema's order: the entry after the last
 * one is tried first. */
static inline __attribute__((always_inline)) const struct bao_entry *
bao_entry_of(const struct bao_members *m, const struct bao_entry *guess, const struct bao_member *x)
{
    uint32_t slot;

    if (BAO_LIKELY(bao_entry_is_for(guess, x)))
        return guess;
    if (guess->len != UINT32_MAX && bao_entry_is_for(guess + 1, x))
        return guess + 1;
    slot = m->names.slots[x->hash & m->names.mask];
    if (slot == 0)
        return NULL;
    return bao_entry_is_for(&m->entries[slot - 1], x) ? &m->entries[slot - 1] : bao_run_find_further(m, x);
}

/* The value under an entry's key; NULL: there is none. *guess is where it stands when the file keeps to the
 * schema's order, and what to guess next. */
static inline const struct bao_node *bao_entry_value(const struct bao_node *v, const struct bao_entry *e,
                                                     const struct bao_member **guess)
{
    const struct bao_member *last = bao_member_end(v);

    if (*guess < last && bao_entry_is_for(e, *guess))
        return &(*guess)++->value;
    if (v->indexed)
        return bao_run_member_of(v, (struct bao_str){e->key, e->len}, e->hash);
    for (const struct bao_member *x = v->members; x < last; x++)
        if (bao_entry_is_for(e, x)) {
            *guess = x + 1;
            return &x->value;
        }
    return NULL;
}

/* One or two names and nothing else to say: each is looked for. Takes nothing from the budget. */
static inline __attribute__((always_inline)) bool
bao_run_few_members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v)
{
    const struct bao_member *guess = v->members;

    for (const struct bao_entry *e = m->entries, *end = e + m->n; e < end; e++) {
        const struct bao_node *x = bao_entry_value(v, e, &guess);
        const struct bao_ins *pc;

        if (x == NULL) {
            if (e->required)
                return false;
            continue;
        }
        pc = e->at[x->type];
        if (pc != NULL && BAO_UNLIKELY(!bao_run_go(r, pc, x, NULL)))
            return false;
    }
    return true;
}

/* A table without patterns, with at least one name; nobody asks what was evaluated. */
static inline __attribute__((always_inline)) bool
bao_run_plain_members(struct bao_schema_scratch *r, const struct bao_members *m, const struct bao_node *v)
{
    const struct bao_entry *guess = m->entries;
    uint32_t required = 0;

    for (const struct bao_member *x = v->members, *end = bao_member_end(v); x < end; x++) {
        const struct bao_entry *e = bao_entry_of(m, guess, x);
        const struct bao_ins *pc;

        if (BAO_LIKELY(e != NULL)) {
            guess = e + 1;
            required += e->required;
            pc = e->at[x->value.type];
        } else {
            pc = m->rest == NULL ? NULL : m->rest->at[x->value.type];
        }
        if (pc != NULL && BAO_UNLIKELY(!bao_run_go(r, pc, &x->value, NULL)))
            return false;
    }
    /* A loaded map has no key twice, so counting is enough. */
    return required == m->n_required;
}
