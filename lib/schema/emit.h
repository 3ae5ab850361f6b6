/* The parts that make instructions: emit.c the lists and what is asked of the same value, the others what
 * belongs to scalars, to members, to discriminators and to conditions. */
#pragma once

#include "lib/schema/compiler.h"

/* The list being made. */
struct bao_emitter {
    struct bao_compiler *c;
    struct bao_sub *sub;
    enum bao_type type;
    uint32_t start; /* where the list begins */
    bool never;     /* no value of this type can be accepted */
};

/* emit.c. All functions give 0 or <0 unless they say otherwise. */
int bao_emit_push(struct bao_emitter *e, struct bao_ins ins) BAO_MUST_CHECK;
/* The sub that must accept too: a call, or its few instructions. NULL: nothing. */
int bao_emit_call(struct bao_emitter *e, const struct bao_sub *sub) BAO_MUST_CHECK;
/* Makes the list of e->sub for e->type. */
int bao_emit_list_of(struct bao_emitter *e) BAO_MUST_CHECK;
/* Ends a list that is not empty. */
int bao_emit_finish(struct bao_emitter *e) BAO_MUST_CHECK;
/* The branches of anyOf or oneOf that can accept this type; *ret_good of them accept every such value. */
int bao_emit_branches(struct bao_emitter *e, struct bao_sub *const *all, uint32_t n_all,
                      struct bao_sub ***ret, uint32_t *ret_n, uint32_t *ret_good) BAO_MUST_CHECK;

/* emit_scalar.c. Everything that looks at this value alone. */
int bao_emit_const_enum(struct bao_emitter *e) BAO_MUST_CHECK;
int bao_emit_int(struct bao_emitter *e) BAO_MUST_CHECK;
int bao_emit_dec(struct bao_emitter *e) BAO_MUST_CHECK;
int bao_emit_string(struct bao_emitter *e) BAO_MUST_CHECK;
int bao_emit_length(struct bao_emitter *e, enum bao_op op, enum bao_kw min, enum bao_kw max) BAO_MUST_CHECK;
/* A count keyword as a number; beyond int64 no real length reaches it. */
int64_t bao_emit_count(const struct bao_node *node, int64_t absent);

/* emit_members.c */
/* Makes the entry of a key that nothing is asked of yet; and the one behind the last. */
void bao_emit_entry(struct bao_entry *entry, struct bao_str key);
void bao_emit_last_entry(struct bao_entry *entry);
int bao_emit_members(struct bao_emitter *e) BAO_MUST_CHECK;
int bao_emit_dependents(struct bao_emitter *e) BAO_MUST_CHECK;
/* The table that is all a sub asks of a map, when this list's own table can take it in; else NULL. */
const struct bao_members *bao_emit_plain(const struct bao_emitter *e, struct bao_sub *sub);
/* May this list speak of members that others evaluated without noting it? */
bool bao_emit_merges(const struct bao_emitter *e);

/* emit_switch.c. *ret stays NULL when no key tells the branches apart. */
int bao_emit_switch(struct bao_emitter *e, struct bao_sub *const *subs, uint32_t n,
                    struct bao_switch **ret) BAO_MUST_CHECK;
/* The same for a sub whose unevaluatedProperties is decided once the branch is known: makes a list for each
 * branch. */
int bao_emit_cases(struct bao_emitter *e, struct bao_switch **ret) BAO_MUST_CHECK;

/* emit_seen.c. Turns the conditions of a finished map list into tests over the members its table saw. */
int bao_emit_seen(struct bao_emitter *e) BAO_MUST_CHECK;

static inline struct bao_sub *bao_emit_real(struct bao_sub *sub)
{
    while (sub != NULL && sub->alias != NULL)
        sub = sub->alias;
    return sub;
}

static inline bool bao_emit_is_true(const struct bao_sub *sub)
{
    return sub != NULL && sub->schema->type == BAO_BOOL && sub->schema->boolean;
}

static inline enum bao_known bao_emit_known(const struct bao_emitter *e, const struct bao_sub *sub)
{
    return (enum bao_known)sub->known[e->type];
}
