/* From the graph of subs to instructions, one list a sub and type of value, with all that can be told
 * beforehand left out. */
#include "lib/schema/emit.h"

int bao_emit_push(struct bao_emitter *e, struct bao_ins ins)
{
    struct bao_compiler *c = e->c;

    if (c->n_ins == c->size_ins) {
        uint32_t size = c->size_ins == 0 ? 256 : c->size_ins * 2;
        struct bao_ins *p = realloc(c->ins, size * sizeof(*p));

        if (p == NULL)
            return -ENOMEM;
        c->ins = p;
        c->size_ins = size;
    }
    c->ins[c->n_ins++] = ins;
    return 0;
}

/* ---- lists ---- */

/* How many items the closure of allOf and $ref evaluates beforehand. */
static void known_items(struct bao_sub *sub, uint32_t *n, bool *all)
{
    *n = sub->n_prefix > *n ? sub->n_prefix : *n;
    *all |= sub->items != NULL;
    for (uint32_t i = 0; i < sub->n_all; i++)
        if (sub->all[i] != NULL)
            known_items(sub->all[i], n, all);
    if (sub->ref != NULL)
        known_items(sub->ref, n, all);
}

static int emit_items(struct bao_emitter *e)
{
    struct bao_sub *sub = e->sub, *rest = sub->items;
    uint32_t n = sub->n_prefix;
    struct bao_sub **subs;
    bool all = false;

    if (sub->static_items) {
        known_items(sub, &n, &all);
        sub->known_items = all ? UINT32_MAX : n;
        if (!all)
            rest = sub->uneval_items;
        else if (rest == NULL)
            n = sub->n_prefix;
    }
    if (bao_emit_is_true(rest) && !sub->tracked)
        rest = NULL;
    if (n == 0 && rest == NULL)
        return 0;
    subs = bao_arena_array(e->c->arena, n, sizeof(struct bao_sub *));
    if (subs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < sub->n_prefix && i < n; i++)
        subs[i] = bao_emit_real(sub->prefix[i]);
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_ITEMS,
                                             .n = n,
                                             .subs = (const struct bao_sub *const *)subs,
                                             .rest = bao_emit_real(rest)});
}

static int emit_contains(struct bao_emitter *e)
{
    const struct bao_node **at = e->sub->kw.at;
    struct bao_count *count;
    bool tracked = e->sub->tracked || e->sub->needs_track;

    if (e->sub->contains == NULL)
        return 0;
    count = bao_arena_array(e->c->arena, 1, sizeof(*count));
    if (count == NULL)
        return -ENOMEM;
    *count = (struct bao_count){bao_emit_real(e->sub->contains),
                                (uint64_t)bao_emit_count(at[BAO_KW_MIN_CONTAINS], 1),
                                (uint64_t)bao_emit_count(at[BAO_KW_MAX_CONTAINS], INT64_MAX)};
    if (count->min == 0 && count->max == INT64_MAX && !tracked)
        return 0;
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_CONTAINS, .n = tracked, .count = count});
}

static int emit_list(struct bao_emitter *e)
{
    const struct bao_node *unique = e->sub->kw.at[BAO_KW_UNIQUE_ITEMS], *key = e->sub->kw.at[BAO_KW_X_KEY];
    int r = bao_emit_const_enum(e);

    if (r == 0)
        r = bao_emit_length(e, BAO_OP_LIST_LENGTH, BAO_KW_MIN_ITEMS, BAO_KW_MAX_ITEMS);
    if (r == 0)
        r = emit_items(e);
    if (r == 0 && unique != NULL && unique->type == BAO_BOOL && unique->boolean)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_UNIQUE});
    if (r == 0 && e->c->options->form && key != NULL && key->type == BAO_STRING) {
        struct bao_str *text = bao_arena_array(e->c->arena, 1, sizeof(*text));

        if (text == NULL)
            return -ENOMEM;
        *text = bao_node_str(key);
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_UNIQUE_KEY, .key = text});
    }
    return r == 0 ? emit_contains(e) : r;
}

/* ---- maps ---- */

static int emit_map(struct bao_emitter *e)
{
    int r = bao_emit_const_enum(e);

    if (r == 0)
        r = bao_emit_length(e, BAO_OP_MAP_LENGTH, BAO_KW_MIN_PROPERTIES, BAO_KW_MAX_PROPERTIES);
    if (r == 0)
        r = bao_emit_members(e);
    if (r == 0 && e->sub->names != NULL && !bao_emit_is_true(e->sub->names))
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_NAMES, .sub = bao_emit_real(e->sub->names)});
    return r == 0 ? bao_emit_dependents(e) : r;
}

/* ---- applicators in place ---- */

enum { MOST_SPLICED = 6 };

/* Instructions that mean the same in the midst of another list. */
static bool can_splice(uint32_t op)
{
    return op != BAO_OP_GOOD && op != BAO_OP_TRACK && op != BAO_OP_NFC && op != BAO_OP_CASES &&
           op != BAO_OP_MEMO;
}

/* A short list is copied into this one; a call would cost more than it. One that remembers its answers is
 * asked by many, and would be asked twice as often at each level if it came without its memory. */
static int splice(struct bao_emitter *e, struct bao_sub *sub)
{
    uint32_t from = sub->start[e->type], n = 0;
    int r = 0;

    while (n <= MOST_SPLICED && can_splice(e->c->ins[from + n].op))
        n++;
    if (n > MOST_SPLICED || e->c->ins[from + n].op != BAO_OP_GOOD)
        return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_CALL, .sub = sub});
    for (uint32_t i = 0; i < n && r == 0; i++) {
        struct bao_ins ins = e->c->ins[from + i];

        ins.lead = BAO_LEAD_ANY;
        if (ins.op == BAO_OP_JUMP)
            ins.op = BAO_OP_CALL;
        r = bao_emit_push(e, ins);
    }
    return r;
}

int bao_emit_call(struct bao_emitter *e, const struct bao_sub *called)
{
    struct bao_sub *sub = bao_emit_real((struct bao_sub *)(uintptr_t)called);

    if (sub == NULL || bao_emit_known(e, sub) == BAO_KNOWN_GOOD)
        return 0;
    if (bao_emit_known(e, sub) == BAO_KNOWN_BAD) {
        e->never = true;
        return 0;
    }
    return splice(e, sub);
}

/* A call that every value must pass, unless the members table has it already. */
static int emit_must(struct bao_emitter *e, struct bao_sub *sub)
{
    return bao_emit_plain(e, sub) != NULL ? 0 : bao_emit_call(e, sub);
}

static int emit_all_of(struct bao_emitter *e)
{
    uint32_t before = e->c->n_ins;
    int r = emit_must(e, e->sub->ref);

    if (r == 0)
        r = emit_must(e, e->sub->dynamic_ref);
    for (uint32_t i = 0; i < e->sub->n_all && r == 0; i++) {
        bool again = false;

        for (uint32_t k = before; k < e->c->n_ins && k < before + 64; k++)
            again |= e->c->ins[k].sub == bao_emit_real(e->sub->all[i]);
        if (!again)
            r = emit_must(e, e->sub->all[i]);
    }
    return r;
}

static int emit_not(struct bao_emitter *e)
{
    struct bao_sub *sub = bao_emit_real(e->sub->not_);

    if (sub == NULL || bao_emit_known(e, sub) == BAO_KNOWN_BAD)
        return 0;
    e->never |= bao_emit_known(e, sub) == BAO_KNOWN_GOOD;
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_NOT, .sub = sub});
}

static int emit_if(struct bao_emitter *e)
{
    struct bao_sub *sub = e->sub, *condition = bao_emit_real(sub->if_);
    bool tracked = sub->tracked || sub->needs_track;
    struct bao_choice *choice;

    if (condition == NULL || (sub->then == NULL && sub->otherwise == NULL && !tracked))
        return 0;
    if (bao_emit_known(e, condition) == BAO_KNOWN_GOOD)
        return bao_emit_call(e, sub->then);
    if (bao_emit_known(e, condition) == BAO_KNOWN_BAD)
        return bao_emit_call(e, sub->otherwise);
    choice = bao_arena_array(e->c->arena, 1, sizeof(*choice));
    if (choice == NULL)
        return -ENOMEM;
    *choice = (struct bao_choice){condition, bao_emit_real(sub->then), bao_emit_real(sub->otherwise)};
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_IF, .choice = choice});
}

int bao_emit_branches(struct bao_emitter *e, struct bao_sub *const *all, uint32_t n_all,
                      struct bao_sub ***ret, uint32_t *ret_n, uint32_t *ret_good)
{
    struct bao_sub **subs = bao_arena_array(e->c->arena, n_all, sizeof(struct bao_sub *));
    uint32_t n = 0, good = 0;

    if (subs == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n_all; i++) {
        struct bao_sub *sub = bao_emit_real(all[i]);

        if (sub == NULL || bao_emit_known(e, sub) == BAO_KNOWN_BAD)
            continue;
        good += bao_emit_known(e, sub) == BAO_KNOWN_GOOD;
        subs[n++] = sub;
    }
    *ret = subs;
    *ret_n = n;
    *ret_good = good;
    return 0;
}

static int emit_branches(struct bao_emitter *e, struct bao_sub *const *all, uint32_t n_all, enum bao_op op)
{
    bool tracked = e->sub->tracked || e->sub->needs_track;
    struct bao_switch *choices;
    struct bao_sub **subs;
    uint32_t n, good;
    int r;

    if (n_all == 0)
        return 0;
    r = bao_emit_branches(e, all, n_all, &subs, &n, &good);
    if (r < 0)
        return r;
    e->never |= n == 0 || (op == BAO_OP_ONE && good > 1);
    if (e->never || (op == BAO_OP_ANY && good != 0 && !tracked))
        return 0;
    if (n == 1)
        return bao_emit_call(e, subs[0]);
    r = bao_emit_switch(e, subs, n, &choices);
    if (r == 0 && choices != NULL)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_SWITCH, .choices = choices});
    if (r < 0)
        return r;
    return bao_emit_push(
        e, (struct bao_ins){.op = (uint16_t)op, .n = n, .subs = (const struct bao_sub *const *)subs});
}

static int emit_applicators(struct bao_emitter *e)
{
    int r = emit_not(e);

    if (r == 0)
        r = emit_if(e);
    if (r == 0)
        r = emit_branches(e, e->sub->any, e->sub->n_any, BAO_OP_ANY);
    if (r == 0)
        r = emit_branches(e, e->sub->one, e->sub->n_one, BAO_OP_ONE);
    return r == 0 ? emit_all_of(e) : r;
}

/* ---- a list ---- */

static int emit_own(struct bao_emitter *e)
{
    switch (e->type) {
    case BAO_STRING:
        return bao_emit_string(e);
    case BAO_LIST:
        return emit_list(e);
    case BAO_MAP:
        return emit_map(e);
    case BAO_INT:
        return bao_emit_int(e);
    case BAO_DEC:
        return bao_emit_dec(e);
    case BAO_NULL:
    case BAO_BOOL:
        return bao_emit_const_enum(e);
    }
    return 0;
}

static bool is_costly(uint32_t op)
{
    switch (op) {
    case BAO_OP_CALL:
    case BAO_OP_JUMP:
    case BAO_OP_NOT:
    case BAO_OP_ANY:
    case BAO_OP_ONE:
    case BAO_OP_IF:
    case BAO_OP_SWITCH:
    case BAO_OP_ITEMS:
    case BAO_OP_CONTAINS:
    case BAO_OP_UNIQUE:
    case BAO_OP_MEMBERS:
    case BAO_OP_FEW:
    case BAO_OP_SEEN:
    case BAO_OP_CASES:
    case BAO_OP_NAMES:
    case BAO_OP_DEPENDENT:
        return true;
    default:
        return false;
    }
}

static bool is_scalar(uint32_t op)
{
    return op >= BAO_OP_BOOL_IS && op <= BAO_OP_FORMAT;
}

/* How a list of one instruction may begin. */
static enum bao_lead lead_of_one(const struct bao_ins *ins)
{
    switch ((enum bao_op)ins->op) {
    case BAO_OP_INT_RANGE:
        return BAO_LEAD_INT;
    case BAO_OP_NUM_RANGE:
        return BAO_LEAD_NUM;
    case BAO_OP_STR_LENGTH:
        return BAO_LEAD_LENGTH;
    case BAO_OP_STR_IS:
        return ins->n == 0 ? BAO_LEAD_TEXT : BAO_LEAD_SCALAR;
    case BAO_OP_STR_ENUM:
        return BAO_LEAD_ENUM;
    case BAO_OP_PATTERN:
        return BAO_LEAD_PATTERN;
    case BAO_OP_FORMAT:
        return BAO_LEAD_FORMAT;
    case BAO_OP_MEMBERS:
        return ins->members->n != 0 && ins->members->n_patterns == 0 ? BAO_LEAD_PLAIN : BAO_LEAD_MEMBERS;
    case BAO_OP_FEW:
        return BAO_LEAD_FEW;
    case BAO_OP_SEEN:
        return BAO_LEAD_SEEN;
    case BAO_OP_ITEMS:
        return ins->n == 0 ? BAO_LEAD_LIST : BAO_LEAD_TUPLE;
    default:
        return is_scalar(ins->op) ? BAO_LEAD_SCALAR : BAO_LEAD_ANY;
    }
}

static enum bao_lead lead_of(const struct bao_ins *ins, uint32_t n)
{
    if (n == 1)
        return lead_of_one(ins);
    if (n == 2 && ins[0].op == BAO_OP_INT_RANGE && ins[1].op == BAO_OP_INT_MULTIPLE)
        return BAO_LEAD_INT;
    if (n == 2 && ins[0].op == BAO_OP_NUM_RANGE && ins[1].op == BAO_OP_PLACES)
        return BAO_LEAD_NUM;
    if (n == 2 && ins[0].op == BAO_OP_SWITCH)
        return BAO_LEAD_SWITCH;
    if (n == 2 && ins[0].op == BAO_OP_LIST_LENGTH && ins[1].op == BAO_OP_ITEMS && ins[1].n == 0)
        return BAO_LEAD_MEASURED;
    for (uint32_t i = 0; i < n; i++)
        if (!is_scalar(ins[i].op))
            return BAO_LEAD_ANY;
    return BAO_LEAD_SCALAR;
}

/* A last call becomes a jump, and a memory of answers goes first where many ask. */
int bao_emit_finish(struct bao_emitter *e)
{
    struct bao_compiler *c = e->c;
    struct bao_ins *list;
    bool costly = false;
    uint32_t n;
    int r = bao_emit_seen(e);

    if (r < 0)
        return r;
    list = &c->ins[e->start];
    n = c->n_ins - e->start;
    for (uint32_t i = 0; i < n; i++)
        costly |= is_costly(list[i].op);
    list[0].lead = (uint16_t)lead_of(list, n);
    if (n == 1 && (list[0].op == BAO_OP_MEMBERS || list[0].op == BAO_OP_FEW) && !list[0].members->has_rest &&
        list[0].members->n_patterns == 0)
        e->sub->plain = list[0].members;
    if (list[n - 1].op == BAO_OP_CALL)
        list[n - 1].op = BAO_OP_JUMP;
    r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_GOOD});
    if (r < 0 || !costly || e->sub->calls < 2)
        return r;
    r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_GOOD});
    if (r < 0)
        return r;
    list = &c->ins[e->start];
    memmove(list + 1, list, (n + 1) * sizeof(*list));
    list[0] = (struct bao_ins){.op = BAO_OP_MEMO, .lead = BAO_LEAD_MEMO, .n = e->sub->number};
    return 0;
}

/* What stands before the keywords of a sub whose unevaluated* only a run can decide. */
static int begin_list(struct bao_emitter *e, bool track)
{
    struct bao_switch *cases = NULL;
    int r = 0;

    if (e->type == BAO_MAP && e->sub->static_cases && !e->sub->tracked)
        r = bao_emit_cases(e, &cases);
    e->start = e->c->n_ins;
    if (r == 0 && cases != NULL)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_CASES, .choices = cases});
    return r == 0 && track ? bao_emit_push(e, (struct bao_ins){.op = BAO_OP_TRACK}) : r;
}

int bao_emit_list_of(struct bao_emitter *e)
{
    struct bao_compiler *c = e->c;
    struct bao_sub *sub = e->sub;
    bool track_members = e->type == BAO_MAP && sub->uneval_members != NULL && !sub->static_members;
    bool track_items = e->type == BAO_LIST && sub->uneval_items != NULL && !sub->static_items;
    int r = begin_list(e, track_members || track_items);

    if (r == 0)
        r = emit_own(e);
    if (r == 0)
        r = emit_applicators(e);
    if (r == 0 && track_members)
        r = bao_emit_push(
            e, (struct bao_ins){.op = BAO_OP_UNEVALUATED_MEMBERS, .sub = bao_emit_real(sub->uneval_members)});
    if (r == 0 && track_items)
        r = bao_emit_push(
            e, (struct bao_ins){.op = BAO_OP_UNEVALUATED_ITEMS, .sub = bao_emit_real(sub->uneval_items)});
    if (r < 0)
        return r;
    if (e->never) {
        c->n_ins = e->start;
        sub->known[e->type] = BAO_KNOWN_BAD;
        return 0;
    }
    if (c->n_ins == e->start) {
        sub->known[e->type] = BAO_KNOWN_GOOD;
        return 0;
    }
    r = bao_emit_finish(e);
    sub->start[e->type] = e->start;
    sub->known[e->type] = BAO_KNOWN_LIST;
    return r;
}

static int emit_sub(struct bao_compiler *c, struct bao_sub *sub)
{
    struct bao_sub *target = bao_emit_real(sub);
    int r = 0;

    for (int t = 0; t < BAO_TYPES && r == 0; t++) {
        struct bao_emitter e = {.c = c, .sub = sub, .type = (enum bao_type)t};

        if (target != sub) {
            sub->known[t] = target->known[t];
            sub->start[t] = target->start[t];
        } else if (sub->is_bad || (sub->types & 1 << t) == 0) {
            sub->known[t] = BAO_KNOWN_BAD;
        } else {
            r = bao_emit_list_of(&e);
        }
    }
    return r;
}

static void link_sub(struct bao_sub *sub, const struct bao_ins *ins)
{
    sub->takes = BAO_KIND_UNSURE;
    for (int t = 0; t < BAO_TYPES; t++) {
        sub->at[t] = sub->known[t] == BAO_KNOWN_GOOD  ? NULL
                     : sub->known[t] == BAO_KNOWN_BAD ? &ins[0]
                                                      : &ins[sub->start[t]];
        sub->takes |= (uint8_t)((sub->known[t] == BAO_KNOWN_GOOD) << t);
        sub->refuses |= (uint8_t)((sub->known[t] == BAO_KNOWN_BAD) << t);
    }
}

/* What an entry's value meets, without the way over its sub. */
static void link_table(struct bao_members *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        struct bao_entry *entry = (struct bao_entry *)(uintptr_t)&m->entries[i]; /* const to everyone else */

        for (int t = 0; t < BAO_TYPES; t++)
            entry->at[t] = entry->sub == NULL ? NULL : entry->sub->at[t];
    }
}

int bao_emit_all(struct bao_compiler *c, struct bao_sub *const *order)
{
    struct bao_emitter first = {.c = c};
    struct bao_ins *ins;
    int r = bao_emit_push(&first, (struct bao_ins){.op = BAO_OP_BAD});

    for (uint32_t i = 0; i < c->n_subs && r == 0; i++)
        r = emit_sub(c, order[i]);
    if (r < 0)
        return r;
    ins = bao_arena_array(c->arena, c->n_ins, sizeof(*ins));
    if (ins == NULL)
        return -ENOMEM;
    memcpy(ins, c->ins, c->n_ins * sizeof(*ins));
    for (uint32_t i = 0; i < c->n_subs; i++)
        link_sub(c->subs[i], ins);
    for (struct bao_sub *sub = c->combined; sub != NULL; sub = sub->next_at_loc)
        link_sub(sub, ins);
    for (struct bao_members *m = c->tables; m != NULL; m = m->next)
        link_table(m);
    c->schema->n_ins = c->n_ins;
    return 0;
}
