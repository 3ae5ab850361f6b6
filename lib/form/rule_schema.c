/* Walking a form's schema by the paths its expressions name. A place is described by several subschemas at
 * once: those that $ref, allOf and the branches of conditions add. */
#include "lib/form/rule.h"

enum { REFS_MAX = 32 };

/* Where a $ref leads, with the document it leads into; NULL: not to a place a form can name. */
static const struct bao_node *follow(const struct bao_check_loader *loader, const struct bao_node *ref,
                                     const struct bao_node **document)
{
    struct bao_str s = ref != NULL && ref->type == BAO_STRING ? bao_node_str(ref) : BAO_STR_NULL;

    if (s.n >= 7 && memcmp(s.p, "common#", 7) == 0) {
        *document = loader->common;
        s = (struct bao_str){s.p + 6, s.n - 6};
    }
    if (s.n == 0 || s.p[0] != '#' || *document == NULL || (s.n > 1 && s.p[1] != '/'))
        return NULL;
    return bao_node_at(*document, (struct bao_str){s.p + 1, s.n - 1});
}

static bool is_in(const struct rule_shape *shape, const struct bao_node *schema)
{
    for (size_t i = 0; i < shape->n; i++)
        if (shape->at[i].schema == schema)
            return true;
    return false;
}

/* Adds a subschema and all that apply together with it. */
static void expand(const struct bao_check_loader *loader, struct rule_shape *shape,
                   const struct bao_node *schema, const struct bao_node *document, unsigned depth)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    static const char *const singles[] = {"then", "else"};
    const struct bao_node *sub;

    if (schema == NULL || schema->type != BAO_MAP || depth > REFS_MAX || is_in(shape, schema))
        return;
    if (shape->n == RULE_SHAPES_MAX) {
        shape->open = true;
        return;
    }
    shape->at[shape->n].schema = schema;
    shape->at[shape->n++].document = document;
    sub = bao_node_get(schema, "$ref");
    if (sub != NULL) {
        const struct bao_node *inner = document, *target = follow(loader, sub, &inner);

        if (target == NULL)
            shape->open = true; /* the validator says what is wrong with it */
        expand(loader, shape, target, inner, depth + 1);
    }
    for (size_t i = 0; i < BAO_COUNT(lists); i++) {
        sub = bao_node_get(schema, lists[i]);
        for (uint32_t k = 0; sub != NULL && sub->type == BAO_LIST && k < sub->len; k++)
            expand(loader, shape, &sub->items[k], document, depth + 1);
    }
    for (size_t i = 0; i < BAO_COUNT(singles); i++)
        expand(loader, shape, bao_node_get(schema, singles[i]), document, depth + 1);
}

/* x-for of the place narrows who has it; x-personal marks it and all below. */
static int read_marks(const struct bao_check_loader *loader, struct rule_shape *shape)
{
    for (size_t i = 0; i < shape->n; i++) {
        const struct bao_node *kinds = bao_node_get(shape->at[i].schema, "x-for"),
                              *personal = bao_node_get(shape->at[i].schema, "x-personal");
        struct bao_str *list;

        shape->personal |= personal != NULL && personal->type == BAO_BOOL && personal->boolean;

        if (kinds != NULL && kinds->type == BAO_MAP)
            kinds = bao_node_get(kinds, "kinds");
        if (kinds == NULL || kinds->type != BAO_LIST || kinds->len == 0)
            continue;
        list = bao_arena_array(loader->arena, kinds->len, sizeof(*list));
        if (list == NULL)
            return -ENOMEM;
        for (uint32_t k = 0; k < kinds->len; k++)
            list[k] = kinds->items[k].type == BAO_STRING ? bao_node_str(&kinds->items[k]) : BAO_STR_NULL;
        shape->kinds = list;
        shape->n_kinds = kinds->len;
    }
    return 0;
}

int bao_rule_shape_root(const struct bao_check_loader *loader, struct rule_shape *ret)
{
    *ret = (struct rule_shape){.n = 0};
    expand(loader, ret, loader->schema, loader->schema, 0);
    ret->open |= ret->n == 0;
    return read_marks(loader, ret);
}

/* May the keyword's subschema hold members that are not named? */
static bool is_open(const struct bao_node *schema, const char *keyword)
{
    const struct bao_node *sub = bao_node_get(schema, keyword);

    return sub != NULL && (sub->type == BAO_MAP || (sub->type == BAO_BOOL && sub->boolean));
}

static void step_field(const struct bao_check_loader *loader, const struct rule_shape *shape,
                       struct bao_str name, struct rule_shape *ret)
{
    for (size_t i = 0; i < shape->n; i++) {
        const struct bao_node *schema = shape->at[i].schema;
        const struct bao_member *m = bao_node_member(bao_node_get(schema, "properties"), name);

        if (m != NULL)
            expand(loader, ret, &m->value, shape->at[i].document, 0);
        if (m != NULL && m->value.type == BAO_BOOL && m->value.boolean)
            ret->open = true;
        if (bao_node_get(schema, "patternProperties") != NULL || is_open(schema, "additionalProperties") ||
            is_open(schema, "unevaluatedProperties"))
            ret->open = true;
    }
}

static void step_element(const struct bao_check_loader *loader, const struct rule_shape *shape,
                         struct rule_shape *ret)
{
    for (size_t i = 0; i < shape->n; i++) {
        const struct bao_node *schema = shape->at[i].schema, *prefix = bao_node_get(schema, "prefixItems");

        expand(loader, ret, bao_node_get(schema, "items"), shape->at[i].document, 0);
        for (uint32_t k = 0; prefix != NULL && prefix->type == BAO_LIST && k < prefix->len; k++)
            expand(loader, ret, &prefix->items[k], shape->at[i].document, 0);
    }
    ret->open |= ret->n == 0;
}

static bool names_fields(const struct rule_shape *shape)
{
    for (size_t i = 0; i < shape->n; i++)
        if (bao_node_get(shape->at[i].schema, "properties") != NULL)
            return true;
    return false;
}

int bao_rule_shape_step(const struct bao_check_loader *loader, const struct rule_shape *shape,
                        const struct bao_expr_step *step, struct rule_shape *ret)
{
    enum rule_type type = bao_rule_shape_type(shape);
    struct rule_shape next = {
        .open = shape->open, .kinds = shape->kinds, .n_kinds = shape->n_kinds, .personal = shape->personal};
    int r;

    if (step->kind == BAO_STEP_FIELD) {
        if (type == RULE_TYPE_LIST)
            return RULE_STEP_E_LIST;
        if (type != RULE_TYPE_MAP && type != RULE_TYPE_UNKNOWN)
            return RULE_STEP_E_PLAIN;
        step_field(loader, shape, step->name, &next);
        next.open |= next.n == 0 && !names_fields(shape);
        if (next.n == 0 && !next.open)
            return RULE_STEP_E_NONE;
    } else if (type == RULE_TYPE_LIST) {
        step_element(loader, shape, &next);
    } else if (type == RULE_TYPE_MAP || type == RULE_TYPE_UNKNOWN) {
        next.open = true; /* a map's keys, or a computed member */
    } else {
        return RULE_STEP_E_PLAIN;
    }
    r = read_marks(loader, &next);
    if (r == 0)
        *ret = next;
    return r;
}

static enum rule_type type_of_word(struct bao_str word)
{
    static const struct {
        const char *word;
        enum rule_type type;
    } words[] = {
        {"integer", RULE_TYPE_NUMBER}, {"number", RULE_TYPE_NUMBER}, {"string", RULE_TYPE_STRING},
        {"boolean", RULE_TYPE_BOOL},   {"array", RULE_TYPE_LIST},    {"object", RULE_TYPE_MAP},
    };

    for (size_t i = 0; i < BAO_COUNT(words); i++)
        if (bao_str_is(word, words[i].word))
            return words[i].type;
    return RULE_TYPE_UNKNOWN;
}

static enum rule_type type_of_value(const struct bao_node *value)
{
    static const uint8_t types[] = {
        [BAO_NULL] = RULE_TYPE_UNKNOWN, [BAO_BOOL] = RULE_TYPE_BOOL,     [BAO_INT] = RULE_TYPE_NUMBER,
        [BAO_DEC] = RULE_TYPE_NUMBER,   [BAO_STRING] = RULE_TYPE_STRING, [BAO_LIST] = RULE_TYPE_LIST,
        [BAO_MAP] = RULE_TYPE_MAP,
    };

    return types[value->type];
}

static enum rule_type type_of_schema(const struct bao_node *schema)
{
    const struct bao_node *type = bao_node_get(schema, "type"), *values = bao_node_get(schema, "enum");
    enum rule_type found = RULE_TYPE_UNKNOWN;

    if (type != NULL && type->type == BAO_STRING)
        return type_of_word(bao_node_str(type));
    for (uint32_t i = 0; type != NULL && type->type == BAO_LIST && i < type->len; i++)
        if (found == RULE_TYPE_UNKNOWN && type->items[i].type == BAO_STRING)
            found = type_of_word(bao_node_str(&type->items[i]));
    if (found != RULE_TYPE_UNKNOWN)
        return found;
    if (values != NULL && values->type == BAO_LIST && values->len != 0)
        return type_of_value(&values->items[0]);
    if (bao_node_get(schema, "const") != NULL)
        return type_of_value(bao_node_get(schema, "const"));
    if (bao_node_get(schema, "properties") != NULL)
        return RULE_TYPE_MAP;
    return bao_node_get(schema, "items") != NULL ? RULE_TYPE_LIST : RULE_TYPE_UNKNOWN;
}

enum rule_type bao_rule_shape_type(const struct rule_shape *shape)
{
    enum rule_type type = RULE_TYPE_UNKNOWN;

    for (size_t i = 0; type == RULE_TYPE_UNKNOWN && i < shape->n; i++)
        type = type_of_schema(shape->at[i].schema);
    return type;
}

struct bao_str bao_rule_shape_text(const struct rule_shape *shape, const char *keyword)
{
    for (size_t i = 0; i < shape->n; i++) {
        const struct bao_node *text = bao_node_get(shape->at[i].schema, keyword);

        if (text != NULL && text->type == BAO_STRING)
            return bao_node_str(text);
    }
    return BAO_STR_NULL;
}

size_t bao_rule_shape_names(const struct rule_shape *shape, struct bao_str *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < shape->n; i++) {
        const struct bao_node *fields = bao_node_get(shape->at[i].schema, "properties");

        for (uint32_t k = 0; fields != NULL && fields->type == BAO_MAP && k < fields->len && n < size; k++)
            ret[n++] = bao_member_key(&fields->members[k]);
    }
    return n;
}
