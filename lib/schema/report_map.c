/* What is wrong with a map: members that are missing, that nobody knows, that depend on others. */
#include "lib/schema/reporter.h"

#include "lib/base/utf8.h"

/* A line to paste for a missing field: the name, and its kind as a comment. */
static struct bao_str line_for(const struct bao_case *c, struct bao_str name, const struct bao_sub *sub)
{
    struct bao_str title[BAO_LANGS] = {BAO_STR_NULL, BAO_STR_NULL};
    struct bao_arg kind = {BAO_STR_NULL, BAO_STR_NULL};

    if ((c->node->style & BAO_STYLE_YAML) == 0)
        return bao_arena_printf(c->r->arena, "\"%.*s\": …", BAO_STR_ARG(name));
    if (sub != NULL) {
        bao_report_title(sub, title);
        kind = bao_report_wanted(c->r, sub);
    }
    if (title[BAO_VI].n == 0 && kind.vi.n == 0)
        return bao_arena_printf(c->r->arena, "%.*s: …", BAO_STR_ARG(name));
    return bao_arena_printf(c->r->arena, "%.*s: …   # %.*s%s%.*s", BAO_STR_ARG(name),
                            BAO_STR_ARG(title[BAO_VI]), title[BAO_VI].n != 0 && kind.vi.n != 0 ? ", " : "",
                            BAO_STR_ARG(kind.vi));
}

static const struct bao_sub *property_of(const struct bao_sub *sub, struct bao_str name)
{
    if (sub->property_names != NULL) {
        uint32_t i =
            bao_names_find(sub->property_names, name.p, (uint32_t)name.n, bao_key_hash(name.p, name.n));

        return i == sub->n_properties ? NULL : sub->properties[i].sub;
    }
    for (uint32_t i = 0; i < sub->n_properties; i++)
        if (bao_str_eq(sub->properties[i].key, name))
            return sub->properties[i].sub;
    return NULL;
}

/* How far apart two names may be and still be taken for one misspelt. */
static size_t slip(struct bao_str folded)
{
    return folded.n < 3 ? 0 : folded.n < 6 ? 1 : folded.n < 10 ? 2 : 3;
}

/* The distance of two names, SIZE_MAX when they are not alike or enough was guessed already. */
static size_t distance(struct bao_reporter *r, struct bao_str a, struct bao_str b)
{
    struct bao_arena *work = bao_run_arena(r->scratch);
    struct bao_str x, y;
    size_t limit, d;

    if (--r->guesses < 0 || r->findings->n >= r->findings->cap)
        return SIZE_MAX;
    x = bao_utf8_fold(work, a);
    y = bao_utf8_fold(work, b);
    if (x.p == NULL || y.p == NULL)
        return SIZE_MAX;
    limit = slip(y);
    d = bao_utf8_distance(x, y, limit);
    return d <= limit ? d : SIZE_MAX;
}

/* The member that is no known field and looks like this one misspelt. */
static const struct bao_member *misspelt(const struct bao_case *c, struct bao_str name)
{
    const struct bao_member *best = NULL;
    size_t least = SIZE_MAX;

    for (uint32_t i = 0; i < c->node->len && c->r->guesses > 0; i++) {
        const struct bao_member *m = &c->node->members[i];
        size_t d;

        if (property_of(c->sub, bao_member_key(m)) != NULL)
            continue;
        d = distance(c->r, bao_member_key(m), name);
        if (d < least) {
            least = d;
            best = m;
        }
    }
    return best;
}

static void blame_missing(const struct bao_case *c, struct bao_str name)
{
    const struct bao_sub *sub = property_of(c->sub, name);
    const struct bao_member *wrong = misspelt(c, name);
    struct bao_str title[BAO_LANGS] = {BAO_STR_NULL, BAO_STR_NULL};
    struct bao_place at = bao_node_place(c->node);
    struct bao_step step = *c->step;
    struct bao_finding *f;

    if (sub != NULL)
        bao_report_title(sub, title);
    if (wrong != NULL) {
        f = bao_report_add_at(c, BAO_BC_MISSING_RENAMED, "required", bao_member_place(wrong), &step);
        bao_finding_arg(f, name);
        bao_finding_arg(f, bao_member_key(wrong));
        return;
    }
    /* The place is the parent's own line: its key when it is a member's value. */
    if (c->step->member != NULL)
        at = bao_member_place(c->step->member);
    /* Several may be missing from one parent: the name in the keyword keeps them apart. */
    f = bao_findings_add(c->r->findings, title[BAO_VI].n != 0 ? BAO_BC_MISSING_TITLED : BAO_BC_MISSING,
                         BAO_ERROR, at);
    if (f == NULL)
        return;
    bao_report_set_place(c, f, "required", c->step);
    bao_finding_arg(f, name);
    bao_finding_arg(f, line_for(c, name, sub));
    bao_finding_arg2(f, title[BAO_VI], title[BAO_EN]);
}

static void blame_required(const struct bao_case *c)
{
    const struct bao_node *required = c->sub->kw.at[BAO_KW_REQUIRED];

    for (uint32_t i = 0; required != NULL && required->type == BAO_LIST && i < required->len; i++)
        if (required->items[i].type == BAO_STRING &&
            bao_node_member(c->node, bao_node_str(&required->items[i])) == NULL)
            blame_missing(c, bao_node_str(&required->items[i]));
}

static struct bao_str nearest_property(const struct bao_case *c, struct bao_str name)
{
    struct bao_str best = BAO_STR_NULL;
    size_t least = SIZE_MAX;

    for (uint32_t i = 0; i < c->sub->n_properties && c->r->guesses > 0; i++) {
        struct bao_str key = c->sub->properties[i].key;
        size_t d = bao_node_member(c->node, key) != NULL ? SIZE_MAX : distance(c->r, name, key);

        if (d < least) {
            least = d;
            best = key;
        }
    }
    return best;
}

/* A misspelt required field was told where it is missing. */
static bool told_as_missing(const struct bao_case *c, struct bao_str near)
{
    const struct bao_node *required = c->sub->kw.at[BAO_KW_REQUIRED];

    for (uint32_t i = 0; required != NULL && required->type == BAO_LIST && i < required->len; i++)
        if (required->items[i].type == BAO_STRING && bao_str_eq(bao_node_str(&required->items[i]), near))
            return true;
    return false;
}

void bao_blame_unknown(const struct bao_case *c, const struct bao_member *m, const char *keyword)
{
    struct bao_str near = nearest_property(c, bao_member_key(m));
    struct bao_step step = {.up = c->step, .member = m};
    struct bao_finding *f;

    if (near.n != 0 && told_as_missing(c, near) && misspelt(c, near) == m)
        return;
    f = bao_report_add_at(c, near.n != 0 ? BAO_BC_UNKNOWN_NEAR : BAO_BC_UNKNOWN, keyword, bao_member_place(m),
                          &step);
    bao_finding_arg(f, bao_member_key(m));
    if (near.n != 0)
        bao_finding_arg(f, near);
}

static void blame_costly_name(const struct bao_case *c, const struct bao_member *m, struct bao_str pattern)
{
    struct bao_step step = {.up = c->step, .member = m};

    c->r->costly = false;
    bao_finding_arg(
        bao_report_add_at(c, BAO_BC_PATTERN_COSTLY, "patternProperties", bao_member_place(m), &step),
        pattern);
}

static void report_member(const struct bao_case *c, const struct bao_member *m)
{
    const struct bao_sub *sub = c->sub, *own = property_of(sub, bao_member_key(m));
    bool seen = own != NULL;

    if (own != NULL && own->is_bad) {
        struct bao_step step = {.up = c->step, .member = m};

        bao_finding_arg(bao_report_add_at(c, BAO_BC_NOT_ALLOWED, "properties", bao_member_place(m), &step),
                        bao_member_key(m));
        return;
    }
    bao_report_member(c, m, own);
    for (uint32_t i = 0; i < sub->n_patterns; i++) {
        int found = bao_run_match(c->r->scratch, sub->patterns[i].regex, bao_member_key(m));

        seen |= found != 0;
        if (found == 1)
            bao_report_member(c, m, sub->patterns[i].sub);
        else if (found == -E2BIG)
            blame_costly_name(c, m, bao_member_key(&sub->kw.at[BAO_KW_PATTERN_PROPERTIES]->members[i]));
    }
    if (seen || sub->additional == NULL)
        return;
    if (sub->additional->is_bad)
        bao_blame_unknown(c, m, "additionalProperties");
    else
        bao_report_member(c, m, sub->additional);
}

static void blame_names(const struct bao_case *c)
{
    for (uint32_t i = 0; c->sub->names != NULL && i < c->node->len && c->r->left > 0; i++) {
        const struct bao_member *m = &c->node->members[i];
        struct bao_node *key = bao_arena_array(c->r->arena, 1, sizeof(*key));
        struct bao_step step = {.up = c->step, .member = m};

        if (key == NULL) {
            c->r->error = -ENOMEM;
            return;
        }
        *key = (struct bao_node){
            .type = BAO_STRING, .style = BAO_STYLE_QUOTED, .len = m->key_len, .str = m->key};
        if (bao_report_accepts(c->r, c->sub->names, key))
            continue;
        bao_finding_arg(bao_report_add_at(c, c->r->costly ? BAO_BC_NAME_COSTLY : BAO_BC_NAME, "propertyNames",
                                          bao_member_place(m), &step),
                        bao_member_key(m));
        c->r->costly = false;
    }
}

void bao_report_dependents(const struct bao_case *c)
{
    for (uint32_t i = 0; i < c->sub->n_dependents; i++) {
        const struct bao_named_sub *d = &c->sub->dependents[i];

        if (bao_node_member(c->node, d->key) == NULL)
            continue;
        for (uint32_t k = 0; d->names != NULL && k < d->names->len; k++) {
            struct bao_finding *f;

            if (d->names->items[k].type != BAO_STRING ||
                bao_node_member(c->node, bao_node_str(&d->names->items[k])) != NULL)
                continue;
            f = bao_report_add(c, BAO_BC_DEPENDENT, "dependentRequired");
            bao_finding_arg(f, d->key);
            bao_finding_arg(f, bao_node_str(&d->names->items[k]));
        }
        if (d->sub != NULL)
            bao_report_unless(c->r, d->sub, c->node, c->step);
    }
}

void bao_report_map(const struct bao_case *c)
{
    blame_required(c);
    for (uint32_t i = 0; i < c->node->len && c->r->left > 0; i++)
        report_member(c, &c->node->members[i]);
    blame_names(c);
    bao_blame_count(c, BAO_KW_MIN_PROPERTIES, BAO_BC_FEW_FIELDS, true);
    bao_blame_count(c, BAO_KW_MAX_PROPERTIES, BAO_BC_MANY_FIELDS, false);
}
