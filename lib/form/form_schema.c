#include "lib/form/form_load.h"

#include "lib/base/error.h"
#include "lib/text/catalogue.h"

enum { STEPS_MAX = 32, REFS_MAX = 16, VISITS_MAX = 100000 };

void *bao_grow(struct bao_arena *arena, const void *items, size_t n, size_t size)
{
    void *bigger;

    /* Room is made at 0, 1, 2, 4, 8 …; between these there is some left. */
    if (n != 0 && (n & (n - 1)) != 0)
        return (void *)items;
    bigger = bao_arena_array(arena, n == 0 ? 1 : 2 * n, size);
    if (bigger != NULL && n != 0)
        memcpy(bigger, items, n * size);
    return bigger;
}

/* ---- places ---- */

struct bao_data_path bao_data_path_parse(struct bao_arena *arena, struct bao_str dotted)
{
    struct bao_data_path path = {NULL, 1};
    struct bao_str *steps;
    size_t k = 0, start = 0;

    for (size_t i = 0; i < dotted.n; i++)
        path.n += dotted.p[i] == '.';
    steps = bao_arena_array(arena, path.n, sizeof(*steps));
    if (steps == NULL)
        return (struct bao_data_path){NULL, 0};
    for (size_t i = 0; i <= dotted.n; i++)
        if (i == dotted.n || dotted.p[i] == '.') {
            steps[k++] = (struct bao_str){dotted.p + start, i - start};
            start = i + 1;
        }
    path.steps = steps;
    return path;
}

bool bao_data_path_within(struct bao_data_path place, struct bao_data_path part)
{
    if (place.n < part.n)
        return false;
    for (size_t i = 0; i < part.n; i++)
        if (!bao_str_eq(place.steps[i], part.steps[i]))
            return false;
    return true;
}

bool bao_kind_in(struct bao_str kind, const struct bao_str *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bao_str_eq(kind, kinds[i]))
            return true;
    return false;
}

/* ---- $ref ---- */

struct scope {
    const struct bao_node *own, *common; /* documents; own changes to common behind a reference into it */
};

/* Where a $ref leads, or NULL: only the two shapes that forms use; the validator knows all. */
static const struct bao_node *follow(struct scope *scope, const struct bao_node *schema)
{
    const struct bao_node *ref = bao_node_get(schema, "$ref");
    struct bao_str s;

    if (ref == NULL || ref->type != BAO_STRING)
        return NULL;
    s = bao_node_str(ref);
    if (s.n >= 7 && memcmp(s.p, "common#", 7) == 0) {
        scope->own = scope->common;
        s = (struct bao_str){s.p + 7, s.n - 7};
    } else if (s.n >= 1 && s.p[0] == '#') {
        s = (struct bao_str){s.p + 1, s.n - 1};
    } else {
        return NULL;
    }
    if (scope->own == NULL || (s.n != 0 && s.p[0] != '/'))
        return NULL;
    return bao_node_at(scope->own, s);
}

static const struct bao_node *step_into(struct scope *scope, const struct bao_node *schema,
                                        struct bao_str step, int refs)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    static const char *const singles[] = {"then", "else"};
    const struct bao_node *sub, *found;
    const struct bao_member *m;
    struct scope inner = *scope;

    if (schema == NULL || schema->type != BAO_MAP || refs > REFS_MAX)
        return NULL;
    if (bao_str_is(step, "*")) {
        sub = bao_node_get(schema, "items");
        if (sub != NULL)
            return sub;
    } else {
        m = bao_node_member(bao_node_get(schema, "properties"), step);
        if (m != NULL)
            return &m->value;
    }
    sub = follow(&inner, schema);
    found = sub == NULL ? NULL : step_into(&inner, sub, step, refs + 1);
    for (size_t i = 0; i < BAO_COUNT(lists) && found == NULL; i++) {
        sub = bao_node_get(schema, lists[i]);
        for (uint32_t k = 0; sub != NULL && sub->type == BAO_LIST && k < sub->len && found == NULL; k++) {
            inner = *scope;
            found = step_into(&inner, &sub->items[k], step, refs + 1);
        }
    }
    for (size_t i = 0; i < BAO_COUNT(singles) && found == NULL; i++) {
        inner = *scope;
        found = step_into(&inner, bao_node_get(schema, singles[i]), step, refs + 1);
    }
    if (found != NULL)
        *scope = inner;
    return found;
}

struct bao_schema_place bao_form_root(const struct bao_form *form)
{
    return (struct bao_schema_place){form->schema_node, form->schema_node};
}

bool bao_form_step(const struct bao_form *form, struct bao_schema_place place, struct bao_str step,
                   struct bao_schema_place *ret)
{
    struct scope scope = {place.document, form->common};
    const struct bao_node *found = step_into(&scope, place.schema, step, 0);

    if (found == NULL)
        return false;
    *ret = (struct bao_schema_place){found, scope.own};
    return true;
}

bool bao_form_place(const struct bao_form *form, struct bao_data_path path, struct bao_schema_place *ret)
{
    struct bao_schema_place place = bao_form_root(form);

    for (size_t i = 0; i < path.n; i++)
        if (!bao_form_step(form, place, path.steps[i], &place))
            return false;
    *ret = place;
    return true;
}

const struct bao_node *bao_form_keyword(const struct bao_form *form, struct bao_schema_place place,
                                        const char *name)
{
    struct scope scope = {place.document, form->common};

    for (int i = 0; i < REFS_MAX && place.schema != NULL && place.schema->type == BAO_MAP; i++) {
        const struct bao_node *value = bao_node_get(place.schema, name);

        if (value != NULL)
            return value;
        place.schema = follow(&scope, place.schema);
    }
    return NULL;
}

/* ---- x-for, x-key, x-personal ---- */

struct walk {
    struct bao_form_loader *l;
    struct bao_str steps[STEPS_MAX];
    size_t n;
    int refs, visits; /* references that double must not keep a form from loading */
};

static bool no_memory(struct bao_form_loader *l)
{
    l->reader.findings->no_memory = true;
    return false;
}

static bool here(struct walk *w, struct bao_data_path *ret)
{
    struct bao_str *steps = bao_arena_array(&w->l->form->arena, w->n, sizeof(*steps));

    if (steps == NULL)
        return no_memory(w->l);
    memcpy(steps, w->steps, w->n * sizeof(*steps));
    *ret = (struct bao_data_path){steps, w->n};
    return true;
}

struct xfor {
    const struct bao_node *kinds;
    bool required;
};

static bool check_kinds(struct walk *w, const struct bao_node *list)
{
    const struct bao_form *f = w->l->form;
    bool ok = true;

    for (uint32_t i = 0; i < list->len && f->n_kinds != 0; i++) {
        struct bao_finding *finding;

        if (bao_kind_in(bao_node_str(&list->items[i]), f->kinds, f->n_kinds))
            continue;
        finding = bao_complain(&w->l->reader, BAO_BC_FORM_XFOR_KIND, &list->items[i]);
        bao_finding_arg(finding, bao_node_str(&list->items[i]));
        bao_finding_arg(finding, bao_join(&w->l->form->arena, f->kinds, f->n_kinds));
        ok = false;
    }
    return ok;
}

static bool read_xfor(struct walk *w, const struct bao_node *schema, const struct bao_node *value)
{
    static const struct bao_field rows[] = {
        {"kinds", BAO_F_LIST, true, offsetof(struct xfor, kinds), 0, 0, NULL},
        {"required", BAO_F_BOOL, false, offsetof(struct xfor, required), 0, 0, NULL},
    };
    static const struct bao_field titles[] = {{"title", BAO_F_TEXT, false, 0, 0, 0, NULL}};
    struct bao_form *f = w->l->form;
    struct xfor raw = {value, false};
    struct bao_part part = {.required = false}, *parts;
    const struct bao_node *title = bao_node_get(schema, "title"), *en = bao_node_get(schema, "x-en");

    if (value->type == BAO_MAP && !bao_fields_read(&w->l->reader, value, rows, BAO_COUNT(rows), &raw))
        return false;
    if (value->type != BAO_MAP && value->type != BAO_LIST) {
        (void)bao_complain(&w->l->reader, BAO_BC_FORM_XFOR, value);
        return false;
    }
    if (!bao_texts_read(&w->l->reader, raw.kinds, "x-for", true, &part.kinds, &part.n_kinds) ||
        !check_kinds(w, raw.kinds) || !here(w, &part.path))
        return false;
    part.required = raw.required;
    if (title != NULL && !bao_field_read(&w->l->reader, title, titles, &part.title.vi))
        return false;
    if (en != NULL && en->type == BAO_STRING)
        part.title.en = bao_node_str(en);
    parts = bao_grow(&f->arena, f->parts, f->n_parts, sizeof(*parts));
    if (parts == NULL)
        return no_memory(w->l);
    parts[f->n_parts++] = part;
    f->parts = parts;
    return true;
}

static bool read_xkey(struct walk *w, const struct bao_node *schema, const struct bao_node *value)
{
    struct bao_form *f = w->l->form;
    const struct bao_node *items = bao_node_get(schema, "items");
    struct bao_keyed_list keyed, *list;
    struct scope scope = {f->schema_node, f->common};

    if (value->type != BAO_STRING || items == NULL ||
        step_into(&scope, items, bao_node_str(value), 0) == NULL) {
        bao_finding_arg(bao_complain(&w->l->reader, BAO_BC_FORM_XKEY, value),
                        bao_spelling(&w->l->reader, value));
        return false;
    }
    keyed.key = bao_node_str(value);
    if (!here(w, &keyed.path))
        return false;
    list = bao_grow(&f->arena, f->keyed, f->n_keyed, sizeof(*list));
    if (list == NULL)
        return no_memory(w->l);
    list[f->n_keyed++] = keyed;
    f->keyed = list;
    return true;
}

static bool read_personal(struct walk *w, const struct bao_node *value)
{
    struct bao_form *f = w->l->form;
    struct bao_data_path path, *list;

    if (value->type != BAO_BOOL) {
        bao_finding_arg(bao_complain(&w->l->reader, BAO_BC_FORM_XPERSONAL, value),
                        bao_spelling(&w->l->reader, value));
        return false;
    }
    if (!value->boolean)
        return true;
    list = here(w, &path) ? bao_grow(&f->arena, f->personal, f->n_personal, sizeof(*list)) : NULL;
    if (list == NULL)
        return no_memory(w->l);
    list[f->n_personal++] = path;
    f->personal = list;
    return true;
}

static bool walk_schema(struct walk *w, struct scope scope, const struct bao_node *schema);

static bool walk_properties(struct walk *w, struct scope scope, const struct bao_node *properties)
{
    bool ok = true;

    for (uint32_t i = 0; properties != NULL && properties->type == BAO_MAP && i < properties->len; i++) {
        if (w->n == STEPS_MAX)
            return false;
        w->steps[w->n++] = bao_member_key(&properties->members[i]);
        ok &= walk_schema(w, scope, &properties->members[i].value);
        w->n--;
    }
    return ok;
}

static bool walk_inner(struct walk *w, struct scope scope, const struct bao_node *schema)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    static const char *const singles[] = {"then", "else"};
    bool ok = walk_properties(w, scope, bao_node_get(schema, "properties"));
    const struct bao_node *sub = bao_node_get(schema, "items");

    if (sub != NULL && w->n < STEPS_MAX) {
        w->steps[w->n++] = BAO_STR("*");
        ok &= walk_schema(w, scope, sub);
        w->n--;
    }
    for (size_t i = 0; i < BAO_COUNT(lists); i++) {
        sub = bao_node_get(schema, lists[i]);
        for (uint32_t k = 0; sub != NULL && sub->type == BAO_LIST && k < sub->len; k++)
            ok &= walk_schema(w, scope, &sub->items[k]);
    }
    for (size_t i = 0; i < BAO_COUNT(singles); i++)
        ok &= walk_schema(w, scope, bao_node_get(schema, singles[i]));
    return ok;
}

/* Follows the data downwards: one place may be met on several ways, which does no harm. */
static bool walk_schema(struct walk *w, struct scope scope, const struct bao_node *schema)
{
    const struct bao_node *value, *target;
    bool ok = true;

    if (schema == NULL || schema->type != BAO_MAP || ++w->visits > VISITS_MAX)
        return true;
    if ((value = bao_node_get(schema, "x-for")) != NULL)
        ok &= read_xfor(w, schema, value);
    if ((value = bao_node_get(schema, "x-key")) != NULL)
        ok &= read_xkey(w, schema, value);
    if ((value = bao_node_get(schema, "x-personal")) != NULL)
        ok &= read_personal(w, value);
    ok &= walk_inner(w, scope, schema);
    target = follow(&scope, schema);
    if (target != NULL && w->refs < REFS_MAX) {
        w->refs++;
        ok &= walk_schema(w, scope, target);
        w->refs--;
    }
    return ok;
}

bool bao_form_read_schema(struct bao_form_loader *l)
{
    const struct bao_node *schema = l->form->schema_node, *type = bao_node_get(schema, "type");
    struct walk walk = {.l = l};
    bool ok = true;

    if (type == NULL || type->type != BAO_STRING || !bao_str_is(bao_node_str(type), "object")) {
        (void)bao_complain(&l->reader, BAO_BC_FORM_SCHEMA_TYPE, type != NULL ? type : schema);
        ok = false;
    }
    ok &= walk_schema(&walk, (struct scope){schema, l->form->common}, schema);
    return ok;
}
