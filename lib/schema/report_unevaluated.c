/* unevaluatedProperties and unevaluatedItems: what is wrong with members and items that nothing else looked
 * at. */
#include "lib/schema/reporter.h"

static bool is_known_name(const struct bao_members *m, const struct bao_case *c, const struct bao_member *x)
{
    uint32_t i = bao_names_find(&m->names, x->key, x->key_len, x->hash);

    if (i != m->n)
        return !m->entries[i].by_rest;
    for (uint32_t k = 0; k < m->n_patterns; k++)
        if (bao_run_match(c->r->scratch, m->patterns[k].regex, bao_member_key(x)) == 1)
            return true;
    return false;
}

static void report_static_members(const struct bao_case *c)
{
    const struct bao_members *m = c->sub->members;

    if (m == NULL || !m->has_rest || m->rest == NULL || c->sub->additional != NULL)
        return;
    for (uint32_t i = 0; i < c->node->len && c->r->left > 0; i++) {
        const struct bao_member *x = &c->node->members[i];

        if (is_known_name(m, c, x))
            continue;
        if (m->rest->is_bad)
            bao_blame_unknown(c, x, "unevaluatedProperties");
        else
            bao_report_member(c, x, m->rest);
    }
}

static void report_dynamic(const struct bao_case *c, const struct bao_sub *sub)
{
    struct bao_eval eval;
    int r = bao_run_evaluated(c->r->scratch, c->sub, c->node, &eval);

    if (r == BAO_RUN_COSTLY) {
        bao_run_forgive(c->r->scratch);
        bao_report_add(c, BAO_BC_TOO_COSTLY, NULL);
    } else if (r < 0) {
        c->r->error = r;
    }
    if (r <= 0 || eval.all)
        return;
    for (uint32_t i = 0; i < c->node->len && c->r->left > 0; i++) {
        if ((eval.bits[i / 64] >> i % 64 & 1) != 0)
            continue;
        if (c->node->type == BAO_LIST)
            bao_report_item(c, i, sub);
        else if (sub->is_bad)
            bao_blame_unknown(c, &c->node->members[i], "unevaluatedProperties");
        else
            bao_report_member(c, &c->node->members[i], sub);
    }
}

void bao_report_static(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;

    if (c->node->type == BAO_MAP && sub->static_members)
        report_static_members(c);
    for (uint32_t i = 0; c->node->type == BAO_LIST && sub->static_items && i < c->node->len && c->r->left > 0;
         i++)
        if (i >= sub->known_items)
            bao_report_item(c, i, sub->uneval_items);
}

/* What was evaluated is known only where nothing else is wrong. */
void bao_report_unevaluated(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;

    if (c->node->type == BAO_MAP && sub->uneval_members != NULL && !sub->static_members)
        report_dynamic(c, sub->uneval_members);
    if (c->node->type == BAO_LIST && sub->uneval_items != NULL && !sub->static_items)
        report_dynamic(c, sub->uneval_items);
}
