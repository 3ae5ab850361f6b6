/* What was evaluated, for unevaluated* that only a run can decide, and answers remembered against references
 * that double. */
#include "lib/schema/run.h"

enum { MEMO_MOST = 1 << 18 };

/* ---- what was evaluated ---- */

static uint32_t words(const struct bao_node *v)
{
    return (v->len + 63) / 64;
}

bool bao_eval_init(struct bao_schema_scratch *r, struct bao_eval *ev, const struct bao_node *v)
{
    ev->one = 0;
    ev->all = ev->probe = false;
    ev->bits = v->len <= 64 ? &ev->one : bao_arena_array(&r->arena, words(v), sizeof(uint64_t));
    return ev->bits != NULL || bao_run_fail(r, -ENOMEM);
}

static void eval_copy(struct bao_eval *to, const struct bao_eval *from, const struct bao_node *v)
{
    for (uint32_t i = 0; i < words(v); i++)
        to->bits[i] = from->bits[i];
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
bool bao_run_branch(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *v,
                    struct bao_eval *ev)
{
    struct bao_eval before;

    if (ev == NULL || !is_container(v))
        return bao_run_ask(r, sub, v, NULL);
    if (!bao_eval_init(r, &before, v))
        return false;
    eval_copy(&before, ev, v);
    if (bao_run_ask(r, sub, v, ev))
        return true;
    eval_copy(ev, &before, v);
    return false;
}

bool bao_run_tracked(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                     struct bao_eval *outer)
{
    struct bao_eval own;

    if (!bao_eval_init(r, &own, v) || !bao_run_list(r, pc, v, &own))
        return false;
    if (outer != NULL)
        eval_add(outer, own.bits, own.all, v);
    return true;
}

bool bao_run_unevaluated(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                         struct bao_eval *ev)
{
    if (ev->probe || ev->all)
        return true;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct bao_node *x = v->type == BAO_MAP ? &v->members[i].value : &v->items[i];

        if ((ev->bits[i / 64] >> i % 64 & 1) == 0 && !bao_run_ask(r, pc->sub, x, NULL))
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
    struct bao_memo *old = r->memo;
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
    struct bao_memo *m;
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
    *m = (struct bao_memo){v, bits, sub, good, ev != NULL && ev->all};
}

/* The rest of a list whose answer is remembered by its sub and the value. Doubling references would otherwise
 * ask the same thing 2^n times. */
bool bao_run_remembered(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                        struct bao_eval *ev)
{
    struct bao_eval own;
    bool good;

    if (r->memo != NULL) {
        const struct bao_memo *m = &r->memo[memo_slot(r, pc->n, v)];

        /* An answer given to somebody who noted nothing does not serve one who does. */
        if (m->value != NULL && (ev == NULL || !m->good || m->bits != NULL || !is_container(v))) {
            if (m->good && ev != NULL && m->bits != NULL)
                eval_add(ev, m->bits, m->all, v);
            return m->good;
        }
    }
    if (ev == NULL || !is_container(v)) {
        good = bao_run_list(r, pc + 1, v, ev);
        memo_put(r, pc->n, v, good, NULL);
        return good;
    }
    if (!bao_eval_init(r, &own, v))
        return false;
    good = bao_run_list(r, pc + 1, v, &own);
    if (good)
        eval_add(ev, own.bits, own.all, v);
    memo_put(r, pc->n, v, good, &own);
    return good;
}
