/* What is wrong with a list: how many items it has, which of them, and which are the same. */
#include "lib/schema/reporter.h"

static void blame_twins(const struct bao_case *c)
{
    const struct bao_node *unique = c->sub->kw.at[BAO_KW_UNIQUE_ITEMS], **nodes;
    struct bao_arena *work = bao_run_arena(c->r->scratch);
    struct bao_step step = {.up = c->step};
    uint32_t first, second;
    int found;

    if (unique == NULL || unique->type != BAO_BOOL || !unique->boolean)
        return;
    nodes = bao_arena_array(work, c->node->len, sizeof(struct bao_node *));
    if (nodes == NULL) {
        c->r->error = -ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < c->node->len; i++)
        nodes[i] = &c->node->items[i];
    found = bao_unique_find(work, nodes, c->node->len, &first, &second);
    if (found < 0)
        c->r->error = found;
    if (found <= 0)
        return;
    step.index = second;
    step.key = bao_report_item_key(c, nodes[second]);
    bao_finding_arg(bao_report_add_at(c, BAO_BC_TWINS, "uniqueItems", bao_node_place(nodes[second]), &step),
                    bao_report_count(c->r, nodes[first]->line));
}

/* Every second use of an item's key, with the line of the first. */
static void blame_key_twins(const struct bao_case *c)
{
    const struct bao_node *key = c->sub->kw.at[BAO_KW_X_KEY], **nodes, **items;
    struct bao_arena *work = bao_run_arena(c->r->scratch);
    uint32_t n = 0, first, second;

    if (!c->r->schema->form || key == NULL || key->type != BAO_STRING)
        return;
    nodes = bao_arena_array(work, c->node->len, sizeof(struct bao_node *));
    items = bao_arena_array(work, c->node->len, sizeof(struct bao_node *));
    if (nodes == NULL || items == NULL) {
        c->r->error = -ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < c->node->len; i++) {
        const struct bao_member *m = bao_node_member(&c->node->items[i], bao_node_str(key));

        if (m != NULL) {
            items[n] = &c->node->items[i];
            nodes[n++] = &m->value;
        }
    }
    for (int times = 0; times < 20 && bao_unique_find(work, nodes, n, &first, &second) == 1; times++) {
        struct bao_step step = {.up = c->step, .index = (uint32_t)(items[second] - c->node->items)};
        struct bao_finding *f;

        step.key = bao_report_item_key(c, items[second]);
        f = bao_report_add_at(c, BAO_BC_KEY_TWINS, "x-key", bao_node_place(nodes[second]), &step);
        bao_finding_arg(f, bao_node_str(key));
        bao_report_arg(f, bao_report_value(c->r, nodes[second]));
        bao_finding_arg(f, bao_report_count(c->r, nodes[first]->line));
        n--;
        nodes[second] = nodes[n];
        items[second] = items[n];
    }
}

static void blame_contains(const struct bao_case *c)
{
    const struct bao_node *min = c->sub->kw.at[BAO_KW_MIN_CONTAINS],
                          *max = c->sub->kw.at[BAO_KW_MAX_CONTAINS];
    struct bao_num n = bao_num_int(0),
                   least = min != NULL && bao_node_is_number(min) ? bao_node_num(min) : bao_num_int(1);
    bool few, many, costly = false;
    struct bao_finding *f;

    if (c->sub->contains == NULL)
        return;
    for (uint32_t i = 0; i < c->node->len; i++) {
        c->r->costly = false;
        n.i += bao_report_accepts(c->r, c->sub->contains, &c->node->items[i]);
        costly |= c->r->costly;
    }
    c->r->costly = false;
    few = bao_num_cmp(n, least) < 0;
    many = max != NULL && bao_node_is_number(max) && bao_num_cmp(n, bao_node_num(max)) > 0;
    if (!few && !many)
        return;
    /* Those that could not be judged may be the ones that are wanted. */
    if (few && costly) {
        bao_report_add(c, BAO_BC_TOO_COSTLY, "contains");
        return;
    }
    if (few && n.i == 0 && min == NULL) {
        bao_report_add(c, BAO_BC_CONTAINS_NONE, "contains");
        return;
    }
    f = bao_report_add(c, few ? BAO_BC_CONTAINS_FEW : BAO_BC_CONTAINS_MANY,
                       few ? "minContains" : "maxContains");
    bao_finding_arg(f, few && min == NULL ? BAO_STR("1") : bao_report_spelling(c->r, few ? min : max));
    bao_finding_arg(f, bao_report_count(c->r, (uint64_t)n.i));
}

void bao_report_list(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;

    bao_blame_count(c, BAO_KW_MIN_ITEMS, BAO_BC_FEW_ITEMS, true);
    bao_blame_count(c, BAO_KW_MAX_ITEMS, BAO_BC_MANY_ITEMS, false);
    for (uint32_t i = 0; i < sub->n_prefix && i < c->node->len; i++)
        bao_report_item(c, i, sub->prefix[i]);
    for (uint32_t i = sub->n_prefix; sub->items != NULL && i < c->node->len && c->r->left > 0; i++)
        bao_report_item(c, i, sub->items);
    blame_twins(c);
    blame_key_twins(c);
    blame_contains(c);
}
