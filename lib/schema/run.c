/* The verdict pass: walks values and instructions together, allocating nothing in the common case. */
#include "lib/schema/run.h"

enum { MEMO_FROM = 200000 /* steps a run may take before answers are remembered */ };

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

/* ---- branches ---- */

static bool any_of(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    bool good = false;

    for (uint32_t i = 0; i < pc->n; i++) {
        if (ev == NULL && bao_run_ask(r, pc->subs[i], v, NULL))
            return true;
        if (ev != NULL)
            good |= bao_run_branch(r, pc->subs[i], v, ev);
    }
    return good;
}

static bool one_of(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                   struct bao_eval *ev)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < pc->n && good < 2; i++)
        good += ev == NULL ? bao_run_ask(r, pc->subs[i], v, NULL) : bao_run_branch(r, pc->subs[i], v, ev);
    return good == 1;
}

static bool choose(struct bao_schema_scratch *r, const struct bao_choice *c, const struct bao_node *v,
                   struct bao_eval *ev)
{
    const struct bao_sub *next;
    bool yes = bao_run_branch(r, c->condition, v, ev);

    if (r->error != 0)
        return false;
    next = yes ? c->then : c->otherwise;
    return next == NULL || bao_run_ask(r, next, v, ev);
}

/* The only sub that can accept a map with this under the key of a switch, or NULL. */
static const struct bao_sub *picked(const struct bao_switch *s, const struct bao_node *x)
{
    uint32_t i;

    if (x->type != BAO_STRING)
        return NULL;
    i = bao_names_index(&s->values, x->str, x->len);
    return i == s->values.n ? NULL : s->subs[i];
}

/* ---- ways around the loop ---- */

/* Does nobody want answers remembered, as in all runs but very long ones? */
static inline bool is_fresh(const struct bao_schema_scratch *r, const struct bao_eval *ev)
{
    return BAO_LIKELY(r->steps > BAO_RUN_STEPS - MEMO_FROM) || r->no_memo != 0 || (ev != NULL && ev->probe);
}

static bool memo(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                 struct bao_eval *ev)
{
    return is_fresh(r, ev) ? bao_run_leads[pc[1].lead](r, pc + 1, v, ev) : bao_run_remembered(r, pc, v, ev);
}

static bool pick(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                 struct bao_eval *ev)
{
    const struct bao_node *key = bao_run_member_of(v, pc->choices->key, pc->choices->hash);
    const struct bao_sub *sub;

    if (key == NULL)
        return bao_run_list(r, pc + 1, v, ev);
    if (!bao_run_may_go_on(r))
        return bao_run_fail(r, -E2BIG);
    sub = picked(pc->choices, key);
    return sub != NULL && bao_run_ask(r, sub, v, ev);
}

bao_run_fn *const bao_run_leads[] = {
    [BAO_LEAD_SWITCH] = pick,
    [BAO_LEAD_MEMO] = memo,
    [BAO_LEAD_ANY] = bao_run_list,
    [BAO_LEAD_SCALAR] = bao_run_scalar,
    [BAO_LEAD_INT] = bao_run_scalar,
    [BAO_LEAD_NUM] = bao_run_scalar,
    [BAO_LEAD_LENGTH] = bao_run_length,
    [BAO_LEAD_TEXT] = bao_run_scalar,
    [BAO_LEAD_ENUM] = bao_run_text_enum,
    [BAO_LEAD_PATTERN] = bao_run_pattern,
    [BAO_LEAD_FORMAT] = bao_run_format,
    [BAO_LEAD_MEMBERS] = bao_run_members,
    [BAO_LEAD_PLAIN] = bao_run_plain,
    [BAO_LEAD_FEW] = bao_run_few,
    [BAO_LEAD_SEEN] = bao_run_seen,
    [BAO_LEAD_LIST] = bao_run_items,
    [BAO_LEAD_TUPLE] = bao_run_tuple,
    [BAO_LEAD_MEASURED] = bao_run_measured_items,
};

/* Instructions of maps and lists by their functions. */
static bao_run_fn *const ways[] = {
    [BAO_OP_ITEMS] = bao_run_items,
    [BAO_OP_UNIQUE] = bao_run_unique,
    [BAO_OP_UNIQUE_KEY] = bao_run_unique_key,
    [BAO_OP_CONTAINS] = bao_run_contains,
    [BAO_OP_UNEVALUATED_ITEMS] = bao_run_unevaluated,
    [BAO_OP_MEMBERS] = bao_run_members,
    [BAO_OP_FEW] = bao_run_few,
    [BAO_OP_SEEN] = bao_run_seen,
    [BAO_OP_NAMES] = bao_run_names,
    [BAO_OP_DEPENDENT] = bao_run_dependent,
    [BAO_OP_UNEVALUATED_MEMBERS] = bao_run_unevaluated,
};

/* ---- the loop ---- */

bool bao_run_list(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                  struct bao_eval *ev)
{
    const struct bao_sub *sub;
    const struct bao_node *key;

    if (!bao_run_may_go_on(r))
        return bao_run_fail(r, -E2BIG);
    for (;; pc++) {
        bool good;

        switch ((enum bao_op)pc->op) {
        case BAO_OP_GOOD:
            return true;
        case BAO_OP_BAD:
            return false;
        case BAO_OP_CALL:
            good = bao_run_ask(r, pc->sub, v, ev);
            break;
        case BAO_OP_SWITCH:
        case BAO_OP_CASES:
            key = bao_run_member_of(v, pc->choices->key, pc->choices->hash);
            if (key == NULL)
                continue;
            sub = picked(pc->choices, key);
            good = sub != NULL && bao_run_ask(r, sub, v, pc->op == BAO_OP_SWITCH ? ev : NULL);
            if (pc->op == BAO_OP_CASES)
                return good;
            pc++;
            break;
        case BAO_OP_JUMP:
            pc = pc->sub->at[v->type];
            if (pc == NULL)
                return true;
            if (--r->steps < 0)
                return bao_run_fail(r, -E2BIG);
            pc--;
            continue;
        case BAO_OP_NOT:
            good = !bao_run_ask(r, pc->sub, v, NULL);
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
            if (is_fresh(r, ev))
                continue;
            return bao_run_remembered(r, pc, v, ev);
        case BAO_OP_TRACK:
            return bao_run_tracked(r, pc + 1, v, ev);
        case BAO_OP_NFC:
            v = bao_run_normal_form(r, v);
            good = v != NULL;
            break;
        case BAO_OP_VALUE_ENUM:
            good = bao_run_in_values(pc->values, v);
            break;
        case BAO_OP_LIST_LENGTH:
        case BAO_OP_MAP_LENGTH:
            good = (int64_t)v->len >= pc->lo && (int64_t)v->len <= pc->hi;
            break;
        default:
            good = ways[pc->op] != NULL ? ways[pc->op](r, pc, v, ev) : bao_run_one_scalar(r, pc, v);
            break;
        }
        if (!good)
            return false;
    }
}

/* ---- from outside ---- */

static inline void start(struct bao_schema_scratch *r)
{
    if (r->arena.at != r->clean) {
        bao_arena_reset(&r->arena);
        r->clean = r->arena.at;
    }
    r->steps = BAO_RUN_STEPS;
    r->error = 0;
    if (BAO_UNLIKELY(r->memo != NULL)) {
        r->memo = NULL;
        r->n_memo = r->size_memo = 0;
    }
}

static inline void set_stack(struct bao_schema_scratch *r)
{
    uintptr_t here = bao_run_stack_here();

    r->stack = here > BAO_RUN_STACK ? here - BAO_RUN_STACK : 0;
}

static inline int run_sub(struct bao_schema_scratch *r, const struct bao_sub *sub,
                          const struct bao_node *value)
{
    const struct bao_ins *pc = sub->at[value->type];
    bool good;

    set_stack(r);
    good = pc == NULL || bao_run_leads[pc->lead](r, pc, value, NULL);
    return BAO_UNLIKELY(r->error != 0) ? r->error : good;
}

void bao_run_start(struct bao_schema_scratch *r)
{
    start(r);
}

void bao_run_forgive(struct bao_schema_scratch *r)
{
    r->error = 0;
    r->steps = r->left;
}

struct bao_arena *bao_run_arena(struct bao_schema_scratch *r)
{
    return &r->arena;
}

int bao_run_sub(struct bao_schema_scratch *r, const struct bao_sub *sub, const struct bao_node *value)
{
    return run_sub(r, sub, value);
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
    *ret = (struct bao_eval){.bits = bao_arena_array(&r->arena, (value->len + 63) / 64, sizeof(uint64_t)),
                             .probe = true};
    if (ret->bits == NULL)
        return -ENOMEM;
    while (pc != NULL && (pc->op == BAO_OP_MEMO || pc->op == BAO_OP_TRACK || pc->op == BAO_OP_CASES))
        pc++;
    good = pc == NULL || bao_run_list(r, pc, value, ret);
    return r->error != 0 ? r->error : good;
}

int bao_schema_is_valid(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                        const struct bao_node *value)
{
    int r;

    start(scratch);
    r = run_sub(scratch, schema->root, value);
    return BAO_UNLIKELY(r == BAO_RUN_COSTLY) ? -E2BIG : r;
}
