/* The parts of the verdict pass: run.c goes through a list of instructions, the others do what one of them
 * asks of maps, lists and scalars. What is commonest and shortest is inline here.
 *
 * Every function that answers bool says whether the value is accepted; after fail() that answer means
 * nothing and the scratch holds the error. */
#pragma once

#include "lib/schema/program.h"

struct bao_memo {
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
    int64_t left;    /* steps that were left then */
    unsigned no_memo;
    struct bao_memo *memo; /* in the arena; NULL until a run is long */
    uint32_t n_memo, size_memo;
};

/* What runs a list of one kind; `ev` is NULL when nobody asks what was evaluated. */
typedef bool bao_run_fn(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                        struct bao_eval *ev);

/* run.c: any list, and the way to run each enum bao_lead. */
bao_run_fn bao_run_list;
extern bao_run_fn *const bao_run_leads[];

/* run_map.c */
bao_run_fn bao_run_members, bao_run_plain, bao_run_few, bao_run_seen, bao_run_names, bao_run_dependent;
const struct bao_node *bao_run_member_of(const struct bao_node *map, struct bao_str key, uint32_t hash);
/* run_list.c */
bao_run_fn bao_run_items, bao_run_tuple, bao_run_measured_items, bao_run_contains, bao_run_unique,
    bao_run_unique_key;
/* run_scalar.c */
bao_run_fn bao_run_scalar, bao_run_text_enum, bao_run_pattern, bao_run_format, bao_run_length;
bool bao_run_one_scalar(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v);
/* Does the expression match somewhere? By its table when it has one; false with r->error when it cannot be
 * told. */
bool bao_run_is_match(struct bao_schema_scratch *r, const struct bao_automaton *table,
                      const struct bao_regex *regex, struct bao_str text);
bool bao_run_in_values(const struct bao_values *values, const struct bao_node *v);
const struct bao_node *bao_run_normal_form(struct bao_schema_scratch *r, const struct bao_node *v);
/* run_track.c */
bao_run_fn bao_run_tracked, bao_run_unevaluated, bao_run_remembered;
bool bao_run_branch(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *v,
                    struct bao_eval *ev);
bool bao_eval_init(struct bao_schema_scratch *r, struct bao_eval *ev, const struct bao_node *v);

static inline bool bao_run_fail(struct bao_schema_scratch *r, int error)
{
    if (r->error == 0) {
        r->error = error;
        r->left = r->steps;
    }
    r->steps = -1;
    return false;
}

/* About where the stack stands. Asking for the frame's address would keep a register from every caller. */
static inline uintptr_t bao_run_stack_here(void)
{
#if defined(__x86_64__)
    uintptr_t here;

    __asm__("movq %%rsp, %0" : "=r"(here));
    return here;
#elif defined(__aarch64__)
    uintptr_t here;

    __asm__("mov %0, sp" : "=r"(here));
    return here;
#else
    return (uintptr_t)__builtin_frame_address(0);
#endif
}

/* Is there budget and stack for going further down? */
static inline bool bao_run_may_go_on(struct bao_schema_scratch *r)
{
    return BAO_LIKELY(--r->steps >= 0 && bao_run_stack_here() >= r->stack);
}

/* The same before going over n elements. */
static inline bool bao_run_may_go_over(struct bao_schema_scratch *r, uint32_t n)
{
    r->steps -= 1 + (n >> 3);
    return BAO_LIKELY(r->steps >= 0 && bao_run_stack_here() >= r->stack);
}

static inline void bao_eval_mark(struct bao_eval *ev, uint32_t i)
{
    ev->bits[i / 64] |= (uint64_t)1 << i % 64;
}

/* Does the octet count tell whether the text's characters are lo..hi? A character has one to four octets. */
static inline bool bao_run_quick_length(const struct bao_ins *pc, const struct bao_node *v, bool *ret)
{
    int64_t n = v->len;

    *ret = n <= pc->hi && (n + 3) / 4 >= pc->lo;
    return *ret || n < pc->lo || (n + 3) / 4 > pc->hi;
}

/* Does a decimal's own float tell that it lies between? */
static inline bool bao_run_is_between(const struct bao_node *v, float least, float most)
{
    float x;

    memcpy(&x, &v->len, sizeof(x));
    /* All three without a jump: numbers come in lists. */
    return (v->len != 0) & (x > least) & (x < most);
}

/* Does a decimal fit surely? */
static inline bool bao_run_dec_fits(const struct bao_ins *pc, const struct bao_node *v)
{
    return bao_run_is_between(v, pc->range->least, pc->range->most) &&
           (pc[1].op == BAO_OP_GOOD || v->dec->exponent >= pc[1].lo);
}

static inline bool bao_run_int_multiple(const struct bao_ins *pc, int64_t i)
{
    uint64_t x = i < 0 ? -(uint64_t)i : (uint64_t)i;

    return (x & (((uint64_t)1 << pc->n) - 1)) == 0 && (x >> pc->n) * (uint64_t)pc->lo <= (uint64_t)pc->hi;
}

/* Whole numbers: a range, and perhaps what they must be a multiple of. */
static inline bool bao_run_int_fits(const struct bao_ins *pc, const struct bao_node *v)
{
    /* No list has a range that is empty. */
    if ((uint64_t)v->i - (uint64_t)pc->lo > (uint64_t)pc->hi - (uint64_t)pc->lo)
        return false;
    pc++;
    return pc->op == BAO_OP_GOOD || bao_run_int_multiple(pc, v->i);
}

/* Do the types of a list's or map's elements tell alone what a sub says of all of them? */
static inline bool bao_run_by_kinds(const struct bao_sub *sub, const struct bao_node *v, bool *ret)
{
    *ret = (v->kinds & ~sub->takes) == 0;
    return v->kinds != 0 && (*ret || (v->kinds & sub->refuses) != 0);
}

/* Runs a list, the commonest kinds right here: a call costs more than what they do. */
static inline __attribute__((always_inline)) bool bao_run_go(struct bao_schema_scratch *r,
                                                             const struct bao_ins *pc,
                                                             const struct bao_node *v, struct bao_eval *ev)
{
    bool good;

    /* Figures are by far the commonest. */
    if (pc->lead == BAO_LEAD_INT)
        return bao_run_int_fits(pc, v);
    if (pc->lead <= BAO_LEAD_TEXT) {
        if (pc->lead == BAO_LEAD_TEXT)
            return v->len == pc->key->n && bao_text_same(v->str, pc->key->p, v->len);
        if (pc->lead == BAO_LEAD_LENGTH && bao_run_quick_length(pc, v, &good))
            return good;
        if (pc->lead == BAO_LEAD_NUM && bao_run_dec_fits(pc, v))
            return true;
    }
    return bao_run_leads[pc->lead](r, pc, v, ev);
}

static inline bool bao_run_ask(struct bao_schema_scratch *r, const struct bao_sub *sub,
                               const struct bao_node *v, struct bao_eval *ev)
{
    const struct bao_ins *pc = sub->at[v->type];

    return pc == NULL || bao_run_go(r, pc, v, ev);
}
