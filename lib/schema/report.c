/* The reporting pass: walks a refused value beside its schema and finds what is wrong, for people.
 *
 * It looks only where the verdict pass says no, so it reports mistakes and nothing that merely follows from
 * them. */
#include "lib/schema/reporter.h"

enum { MOST_SUBS = 20000, MOST_DEPTH = 300, MOST_GUESSES = 20000 };

/* ---- going down ---- */

bool bao_report_accepts(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node)
{
    int verdict;

    if (sub == NULL || r->error != 0)
        return true;
    verdict = bao_run_sub(r->scratch, sub, node);
    if (verdict == BAO_RUN_COSTLY) {
        bao_run_forgive(r->scratch);
        r->costly = true;
        return false;
    }
    if (verdict < 0)
        r->error = verdict;
    return verdict != 0;
}

void bao_report_unless(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node,
                       const struct bao_step *step)
{
    if (!bao_report_accepts(r, sub, node))
        bao_report_sub(r, sub, node, step);
}

void bao_report_member(const struct bao_case *c, const struct bao_member *m, const struct bao_sub *sub)
{
    struct bao_step step = {.up = c->step, .member = m};

    if (sub == NULL || bao_report_accepts(c->r, sub, &m->value))
        return;
    bao_report_title(sub, step.title);
    bao_report_sub(c->r, sub, &m->value, &step);
}

/* The text of an item's key, by the list's x-key. */
struct bao_str bao_report_item_key(const struct bao_case *c, const struct bao_node *item)
{
    const struct bao_node *key = c->sub->kw.at[BAO_KW_X_KEY];
    const struct bao_member *m;

    if (key == NULL || key->type != BAO_STRING || item->type != BAO_MAP)
        return BAO_STR_NULL;
    m = bao_node_member(item, bao_node_str(key));
    if (m == NULL || m->value.type == BAO_LIST || m->value.type == BAO_MAP || m->value.type == BAO_NULL)
        return BAO_STR_NULL;
    return bao_report_spelling(c->r, &m->value);
}

void bao_report_item(const struct bao_case *c, uint32_t i, const struct bao_sub *sub)
{
    struct bao_step step = {.up = c->step, .index = i};
    const struct bao_node *item = &c->node->items[i];
    const struct bao_case inner = {.r = c->r, .sub = sub, .node = item, .step = &step};

    if (sub == NULL || bao_report_accepts(c->r, sub, item))
        return;
    step.key = bao_report_item_key(c, item);
    if (sub->is_bad) {
        bao_finding_arg(bao_report_add(&inner, BAO_BC_EXTRA_ITEM, NULL),
                        bao_report_count(c->r, (uint64_t)i + 1));
        return;
    }
    bao_report_title(sub, step.title);
    bao_report_sub(c->r, sub, item, &step);
}

bool bao_blame_count(const struct bao_case *c, enum bao_kw kw, unsigned code, bool is_min)
{
    const struct bao_node *bound = c->sub->kw.at[kw];
    int order;
    struct bao_finding *f;

    if (bound == NULL || !bao_node_is_number(bound))
        return false;
    order = bao_num_cmp(bao_num_int(c->node->len), bao_node_num(bound));
    if (is_min ? order >= 0 : order <= 0)
        return false;
    f = bao_report_add(c, code, bao_keyword_info(kw)->name);
    bao_finding_arg(f, bao_report_spelling(c->r, bound));
    bao_finding_arg(f, bao_report_count(c->r, c->node->len));
    return true;
}

/* ---- a sub ---- */

/* Asks a sub whose refusal is no mistake; false, and told, when it costs too much to answer. */
static bool asks_cheaply(const struct bao_case *c, const struct bao_sub *sub, const char *keyword, bool *ret)
{
    c->r->costly = false;
    *ret = bao_report_accepts(c->r, sub, c->node);
    if (!c->r->costly)
        return true;
    c->r->costly = false;
    bao_report_add(c, BAO_BC_TOO_COSTLY, keyword);
    return false;
}

static void report_applied(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;
    struct bao_reporter *r = c->r;
    bool yes;

    bao_report_unless(r, sub->dynamic_ref, c->node, c->step);
    for (uint32_t i = 0; i < sub->n_all; i++)
        bao_report_unless(r, sub->all[i], c->node, c->step);
    bao_blame_branches(c, sub->any, sub->n_any, false);
    bao_blame_branches(c, sub->one, sub->n_one, true);
    if (sub->if_ != NULL && asks_cheaply(c, sub->if_, "if", &yes))
        bao_report_unless(r, yes ? sub->then : sub->otherwise, c->node, c->step);
    if (sub->not_ != NULL && asks_cheaply(c, sub->not_, "not", &yes) && yes)
        bao_report_add(c, BAO_BC_NOT, "not");
}

static size_t said(const struct bao_reporter *r)
{
    return r->findings->n + r->findings->dropped;
}

static void report_own(const struct bao_case *c)
{
    bool wrong = bao_blame_value(c);

    if (bao_node_is_number(c->node) && !wrong)
        bao_blame_number(c);
    if (c->node->type == BAO_STRING && !wrong)
        bao_blame_text(c);
    if (c->node->type == BAO_LIST)
        bao_report_list(c);
    if (c->node->type == BAO_MAP) {
        bao_report_map(c);
        bao_report_dependents(c);
    }
}

/* Says what it can of one sub, but for what it refers to. */
static void report_one(const struct bao_case *c)
{
    size_t before = said(c->r);

    if (c->sub->is_bad) {
        struct bao_str name =
            c->step->member != NULL ? bao_member_key(c->step->member) : bao_report_value(c->r, c->node).vi;

        bao_finding_arg(bao_report_add(c, BAO_BC_NOT_ALLOWED, NULL), name);
        return;
    }
    if (bao_blame_type(c))
        return;
    report_own(c);
    bao_report_static(c);
    report_applied(c);
    if (said(c->r) == before && bao_report_accepts(c->r, c->sub->ref, c->node))
        bao_report_unevaluated(c);
}

void bao_report_sub(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node,
                    const struct bao_step *step)
{
    size_t before = said(r);
    const struct bao_sub *last = sub;

    if (r->depth >= MOST_DEPTH) {
        const struct bao_case c = {.r = r, .sub = sub, .node = node, .step = step};

        bao_report_add(&c, BAO_BC_NO_FIT, NULL);
        return;
    }
    r->depth++;
    /* A chain of references is walked, not climbed: it may be long. */
    for (; sub != NULL && r->error == 0 && --r->left >= 0; sub = sub->ref) {
        const struct bao_case c = {.r = r, .sub = sub, .node = node, .step = step};

        last = sub;
        report_one(&c);
        if (said(r) != before || bao_report_accepts(r, sub->ref, node))
            break;
    }
    /* Something refused it: if nothing above could say what, at least the place is told. */
    if (said(r) == before && r->error == 0) {
        const struct bao_case c = {.r = r, .sub = last, .node = node, .step = step};

        bao_report_add(&c, r->costly ? BAO_BC_TOO_COSTLY : BAO_BC_NO_FIT, NULL);
        r->costly = false;
    }
    r->depth--;
}

/* ---- from outside ---- */

int bao_schema_report(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                      const struct bao_node *value, struct bao_schema_at at, struct bao_findings *findings)
{
    struct bao_reporter r = {.schema = schema,
                             .scratch = scratch,
                             .findings = findings,
                             .arena = findings->arena,
                             .at = at,
                             .left = MOST_SUBS,
                             .guesses = MOST_GUESSES};
    struct bao_step top = {.up = NULL};
    const struct bao_case c = {.r = &r, .sub = schema->root, .node = value, .step = &top};

    bao_run_start(scratch);
    if (!bao_report_accepts(&r, schema->root, value))
        bao_report_sub(&r, schema->root, value, &top);
    if (r.error == -E2BIG) {
        bao_report_add(&c, BAO_BC_TOO_COSTLY, NULL);
        return 0;
    }
    return r.error;
}
