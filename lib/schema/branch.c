/* anyOf and oneOf that refuse: which alternative did its author mean? */
#include "lib/schema/reporter.h"

#include "lib/base/buf.h"

static const struct bao_sub *real(const struct bao_sub *sub)
{
    while (sub != NULL && sub->alias != NULL)
        sub = sub->alias;
    return sub;
}

/* Could this branch ever take a value of the node's type? */
static bool takes_type(const struct bao_sub *sub, const struct bao_node *node)
{
    const struct bao_ins *pc = sub->at[node->type];

    return pc == NULL || pc->op != BAO_OP_BAD;
}

static const struct bao_sub *property(const struct bao_sub *sub, struct bao_str key)
{
    sub = real(sub);
    for (uint32_t i = 0; i < sub->n_properties; i++)
        if (bao_str_eq(sub->properties[i].key, key))
            return real(sub->properties[i].sub);
    return NULL;
}

/* The only branch whose const or enum under one of the value's keys accepts what stands there. */
static const struct bao_sub *by_discriminator(const struct bao_case *c, struct bao_sub *const *subs,
                                              uint32_t n)
{
    for (uint32_t i = 0; c->node->type == BAO_MAP && i < c->node->len && i < 200; i++) {
        const struct bao_member *m = &c->node->members[i];
        const struct bao_sub *only = NULL;
        uint32_t speaking = 0, accepting = 0;

        for (uint32_t k = 0; k < n; k++) {
            const struct bao_sub *p = property(subs[k], bao_member_key(m));

            if (p == NULL || (p->kw.at[BAO_KW_CONST] == NULL && p->kw.at[BAO_KW_ENUM] == NULL))
                continue;
            speaking++;
            if (bao_report_accepts(c->r, p, &m->value)) {
                accepting++;
                only = subs[k];
            }
        }
        if (speaking > 1 && accepting == 1)
            return only;
    }
    return NULL;
}

static const struct bao_sub *by_type(const struct bao_case *c, struct bao_sub *const *subs, uint32_t n)
{
    const struct bao_sub *only = NULL;

    for (uint32_t i = 0; i < n; i++)
        if (takes_type(subs[i], c->node)) {
            if (only != NULL)
                return NULL;
            only = subs[i];
        }
    return only;
}

static size_t depth_of(struct bao_str pointer)
{
    size_t n = 0;

    for (size_t i = 0; i < pointer.n; i++)
        n += pointer.p[i] == '/';
    return n;
}

/* Tries a branch with a list of its own: how deep its shallowest complaint lies. */
static size_t attempt(const struct bao_case *c, const struct bao_sub *sub, struct bao_findings *own)
{
    struct bao_findings *outer = c->r->findings;
    size_t least = SIZE_MAX;

    bao_findings_init(own, c->r->arena, 32);
    c->r->findings = own;
    bao_report_sub(c->r, sub, c->node, c->step);
    c->r->findings = outer;
    for (size_t i = 0; i < own->n; i++) {
        size_t depth = depth_of(own->items[i].pointer);

        least = depth < least ? depth : least;
    }
    return least;
}

static void move(struct bao_findings *to, const struct bao_findings *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct bao_finding *f = bao_findings_add(
            to, from->items[i].code, (enum bao_severity)from->items[i].severity, from->items[i].at);

        if (f != NULL)
            *f = from->items[i];
    }
}

/* The branch that got furthest, alone in that, told by its own complaints. */
static bool by_depth(const struct bao_case *c, struct bao_sub *const *subs, uint32_t n)
{
    struct bao_findings best = {.n = 0};
    size_t deepest = 0, fewest = 0;
    bool tie = false;

    for (uint32_t i = 0; i < n && i < 32; i++) {
        struct bao_findings own;
        size_t depth;

        if (!takes_type(subs[i], c->node))
            continue;
        depth = attempt(c, subs[i], &own);
        if (best.n == 0 || depth > deepest || (depth == deepest && own.n < fewest)) {
            tie = false;
            best = own;
            deepest = depth;
            fewest = own.n;
        } else if (depth == deepest && own.n == fewest) {
            tie = true;
        }
    }
    if (best.n == 0 || tie)
        return false;
    move(c->r->findings, &best);
    return true;
}

/* ---- one line an alternative ---- */

/* What tells a branch apart: its title, its type, the value it wants under a key. */
static void describe(const struct bao_case *c, const struct bao_sub *sub, struct bao_buf *vi,
                     struct bao_buf *en)
{
    struct bao_str title[BAO_LANGS];
    struct bao_arg wanted;
    const struct bao_node *is, *required;

    bao_report_title(sub, title);
    sub = real(sub);
    is = sub->kw.at[BAO_KW_CONST];
    required = sub->kw.at[BAO_KW_REQUIRED];
    wanted = bao_report_wanted(c->r, sub);
    if (title[BAO_VI].n != 0)
        wanted = (struct bao_arg){title[BAO_VI], title[BAO_EN].n != 0 ? title[BAO_EN] : title[BAO_VI]};
    else if (is != NULL)
        wanted = (struct bao_arg){bao_report_spelling(c->r, is), BAO_STR_NULL};
    else if (required != NULL && required->type == BAO_LIST && required->len != 0 &&
             required->items[0].type == BAO_STRING)
        wanted = (struct bao_arg){
            bao_arena_printf(c->r->arena, "có trường “%.*s”", BAO_STR_ARG(bao_node_str(&required->items[0]))),
            bao_arena_printf(c->r->arena, "with the field \"%.*s\"",
                             BAO_STR_ARG(bao_node_str(&required->items[0])))};
    if (wanted.vi.p == NULL)
        wanted = (struct bao_arg){BAO_STR("cách ghi khác"), BAO_STR("another way")};
    if (wanted.en.p == NULL)
        wanted.en = wanted.vi;
    /* A list cut short by lack of room is still a list. */
    if (bao_buf_printf(vi, "%s%.*s", bao_buf_len(vi) != 0 ? "; " : "", BAO_STR_ARG(wanted.vi)) < 0 ||
        bao_buf_printf(en, "%s%.*s", bao_buf_len(en) != 0 ? "; " : "", BAO_STR_ARG(wanted.en)) < 0)
        return;
}

static void add_list(const struct bao_case *c, unsigned code, const char *keyword, const struct bao_buf *vi,
                     const struct bao_buf *en)
{
    struct bao_finding *f = bao_report_add(c, code, keyword);

    bao_finding_arg2(f, bao_arena_str(c->r->arena, bao_buf_str(vi)),
                     bao_arena_str(c->r->arena, bao_buf_str(en)));
}

void bao_blame_branches(const struct bao_case *c, struct bao_sub *const *subs, uint32_t n, bool one)
{
    struct bao_buf vi BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(2048);
    struct bao_buf en BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(2048);
    const struct bao_sub *meant;
    uint32_t good = 0;

    for (uint32_t i = 0; i < n && c->r->error == 0; i++)
        if (bao_report_accepts(c->r, subs[i], c->node)) {
            good++;
            describe(c, subs[i], &vi, &en);
        }
    if (n == 0 || c->r->error != 0 || (one ? good == 1 : good != 0))
        return;
    if (good > 1) {
        add_list(c, BAO_BC_ONE_SEVERAL, "oneOf", &vi, &en);
        return;
    }
    meant = by_discriminator(c, subs, n);
    if (meant == NULL)
        meant = by_type(c, subs, n);
    if (meant != NULL) {
        bao_report_sub(c->r, meant, c->node, c->step);
        return;
    }
    if (by_depth(c, subs, n))
        return;
    for (uint32_t i = 0; i < n; i++)
        describe(c, subs[i], &vi, &en);
    add_list(c, BAO_BC_ANY_NONE, one ? "oneOf" : "anyOf", &vi, &en);
}
