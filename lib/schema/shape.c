/* Is a schema written as it must be? Told with the place in the schema's own file. */
#include "lib/schema/compiler.h"

#include "lib/base/utf8.h"
#include "lib/schema/format.h"

static const char *const type_names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

static bool is_type(const struct bao_node *node)
{
    for (size_t i = 0; node->type == BAO_STRING && i < BAO_COUNT(type_names); i++)
        if (bao_str_is(bao_node_str(node), type_names[i]))
            return true;
    return false;
}

/* A list of texts. One given twice is harmless, so it is not looked for. */
static bool is_names(const struct bao_node *node)
{
    if (node->type != BAO_LIST)
        return false;
    for (uint32_t i = 0; i < node->len; i++)
        if (node->items[i].type != BAO_STRING)
            return false;
    return true;
}

static bool is_types(const struct bao_node *node)
{
    if (node->type != BAO_LIST || node->len == 0)
        return is_type(node);
    for (uint32_t i = 0; i < node->len; i++) {
        if (!is_type(&node->items[i]))
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (bao_node_equal(&node->items[i], &node->items[k]))
                return false;
    }
    return true;
}

static bool is_count(const struct bao_node *node)
{
    return bao_node_is_number(node) && bao_num_is_whole(bao_node_num(node)) &&
           bao_num_sign(bao_node_num(node)) >= 0;
}

static bool is_anchor(const struct bao_node *node)
{
    if (node->type != BAO_STRING || node->len == 0)
        return false;
    for (uint32_t i = 0; i < node->len; i++) {
        char c = node->str[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '-' && c != '.')))
            return false;
    }
    return true;
}

static bool is_map_of(const struct bao_node *node, bool (*is)(const struct bao_node *))
{
    if (node->type != BAO_MAP)
        return false;
    for (uint32_t i = 0; i < node->len; i++)
        if (!is(&node->members[i].value))
            return false;
    return true;
}

static bool is_bool(const struct bao_node *node)
{
    return node->type == BAO_BOOL;
}

static bool is_text2(const struct bao_node *node)
{
    const struct bao_node *vi = bao_node_get(node, "vi"), *en = bao_node_get(node, "en");

    if (node->type == BAO_STRING)
        return true;
    return vi != NULL && vi->type == BAO_STRING && (en == NULL || en->type == BAO_STRING) &&
           node->len == (en == NULL ? 1u : 2u);
}

static bool is_for(const struct bao_node *node)
{
    const struct bao_node *kinds = bao_node_get(node, "kinds"), *required = bao_node_get(node, "required");

    if (node->type != BAO_MAP)
        return is_names(node) && node->len != 0;
    return kinds != NULL && is_names(kinds) && kinds->len != 0 && (required == NULL || is_bool(required)) &&
           node->len == (required == NULL ? 1u : 2u);
}

static bool is_id(const struct bao_node *node)
{
    const char *hash;

    if (node->type != BAO_STRING)
        return false;
    hash = memchr(node->str, '#', node->len);
    return hash == NULL || hash == node->str + node->len - 1;
}

static bool fits(enum bao_shape shape, const struct bao_node *node)
{
    switch (shape) {
    case BAO_SHAPE_SCHEMAS:
        return node->type == BAO_LIST && node->len != 0;
    case BAO_SHAPE_SCHEMA_MAP:
    case BAO_SHAPE_MAP:
        return node->type == BAO_MAP;
    case BAO_SHAPE_STRING:
    case BAO_SHAPE_URI:
        return node->type == BAO_STRING;
    case BAO_SHAPE_ID:
        return is_id(node);
    case BAO_SHAPE_ANCHOR:
        return is_anchor(node);
    case BAO_SHAPE_COUNT:
        return is_count(node);
    case BAO_SHAPE_NUMBER:
        return bao_node_is_number(node);
    case BAO_SHAPE_POSITIVE:
        return bao_node_is_number(node) && bao_num_sign(bao_node_num(node)) > 0;
    case BAO_SHAPE_BOOL:
        return is_bool(node);
    case BAO_SHAPE_NAMES:
        return is_names(node);
    case BAO_SHAPE_NAMES_MAP:
        return is_map_of(node, is_names);
    case BAO_SHAPE_TYPE:
        return is_types(node);
    case BAO_SHAPE_LIST:
        return node->type == BAO_LIST;
    case BAO_SHAPE_BOOL_MAP:
        return is_map_of(node, is_bool);
    case BAO_SHAPE_TEXT2:
        return is_text2(node);
    case BAO_SHAPE_FOR:
        return is_for(node);
    case BAO_SHAPE_ANY:
    case BAO_SHAPE_SCHEMA:
        return true;
    }
    return true;
}

/* What each shape is called; a schema tells for itself when it is none. */
static const struct {
    const char *vi, *en;
} shape_names[] = {
    [BAO_SHAPE_ANY] = {"giá trị bất kỳ", "any value"},
    [BAO_SHAPE_SCHEMA] = {"một lược đồ", "a schema"},
    [BAO_SHAPE_SCHEMAS] = {"danh sách lược đồ, có ít nhất một", "a list of schemas, at least one"},
    [BAO_SHAPE_SCHEMA_MAP] = {"bảng tên: lược đồ", "a map of names to schemas"},
    [BAO_SHAPE_STRING] = {"văn bản", "text"},
    [BAO_SHAPE_URI] = {"một URI", "a URI"},
    [BAO_SHAPE_ID] = {"một URI không có phần sau dấu #", "a URI without a fragment"},
    [BAO_SHAPE_ANCHOR] = {"tên bắt đầu bằng chữ cái hoặc _, chỉ gồm chữ, số, “-”, “_”, “.”",
                          "a name that begins with a letter or _ and has only letters, digits, - _ ."},
    [BAO_SHAPE_COUNT] = {"số nguyên không âm", "a whole number, not negative"},
    [BAO_SHAPE_NUMBER] = {"một số", "a number"},
    [BAO_SHAPE_POSITIVE] = {"một số lớn hơn 0", "a number above 0"},
    [BAO_SHAPE_BOOL] = {"true hoặc false", "true or false"},
    [BAO_SHAPE_NAMES] = {"danh sách tên", "a list of names"},
    [BAO_SHAPE_NAMES_MAP] = {"bảng tên: danh sách tên", "a map of names to lists of names"},
    [BAO_SHAPE_TYPE] = {"một hoặc nhiều trong số null, boolean, integer, number, string, array, object",
                        "one or several of null, boolean, integer, number, string, array, object"},
    [BAO_SHAPE_LIST] = {"một danh sách", "a list"},
    [BAO_SHAPE_BOOL_MAP] = {"bảng tên: true/false", "a map of names to true or false"},
    [BAO_SHAPE_MAP] = {"một bảng", "a map"},
    [BAO_SHAPE_TEXT2] = {"văn bản, hoặc {vi: …, en: …}", "text, or {vi: …, en: …}"},
    [BAO_SHAPE_FOR] = {"danh sách loại đơn vị, hoặc {kinds: […], required: true}",
                       "a list of kinds of unit, or {kinds: […], required: true}"},
};

static void check_regexes(struct bao_compiler *c, const struct bao_node *map)
{
    for (uint32_t i = 0; i < map->len; i++) {
        struct bao_str text = bao_member_key(&map->members[i]);
        struct bao_node at = map->members[i].value;
        size_t where;

        if (bao_regex_check(text, &where) <= 0)
            continue;
        at.line = map->members[i].line;
        at.column = map->members[i].column;
        at.offset = map->members[i].offset;
        at.extent = map->members[i].extent;
        bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_PATTERN, &at), text);
    }
}

void bao_shape_check(struct bao_compiler *c, enum bao_kw kw, const struct bao_node *value)
{
    const struct bao_keyword *info = bao_keyword_info(kw);
    size_t where;

    if (!fits((enum bao_shape)info->shape, value)) {
        struct bao_finding *f = bao_compiler_bad(c, BAO_BC_SCHEMA_SHAPE, value);

        bao_finding_arg(f, bao_str_c(info->name));
        bao_finding_arg2(f, bao_str_c(shape_names[info->shape].vi), bao_str_c(shape_names[info->shape].en));
        return;
    }
    if (kw == BAO_KW_PATTERN && bao_regex_check(bao_node_str(value), &where) > 0)
        bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_PATTERN, value), bao_node_str(value));
    if (kw == BAO_KW_PATTERN_PROPERTIES)
        check_regexes(c, value);
}

static void check_unknown(struct bao_compiler *c, const struct bao_node *schema)
{
    for (uint32_t i = 0; i < schema->len; i++) {
        const struct bao_member *m = &schema->members[i];
        struct bao_str key = bao_member_key(m);
        struct bao_finding *f;
        const char *near;
        bool own;

        if (bao_keyword_of(key) != BAO_KW_COUNT)
            continue;
        near = bao_keyword_nearest(&c->work, key);
        own = key.n >= 2 && memcmp(key.p, "x-", 2) == 0;
        if (own && near == NULL)
            continue;
        /* x-… is anybody's to use; one that looks misspelt is worth a warning. */
        c->bad |= !own;
        f = bao_findings_add(c->findings, near == NULL ? BAO_BC_SCHEMA_KEYWORD : BAO_BC_SCHEMA_KEYWORD_NEAR,
                             own ? BAO_WARNING : BAO_ERROR, bao_member_place(m));
        bao_finding_arg(f, key);
        bao_finding_arg(f, bao_str_c(near));
    }
}

static bool has_type(const struct bao_node *type, const char *name)
{
    if (type == NULL)
        return false;
    if (type->type == BAO_STRING)
        return bao_str_is(bao_node_str(type), name);
    for (uint32_t i = 0; type->type == BAO_LIST && i < type->len; i++)
        if (type->items[i].type == BAO_STRING && bao_str_is(bao_node_str(&type->items[i]), name))
            return true;
    return false;
}

static bool names_have(const struct bao_node *names, struct bao_str name)
{
    for (uint32_t i = 0; names != NULL && names->type == BAO_LIST && i < names->len; i++)
        if (names->items[i].type == BAO_STRING && bao_str_eq(bao_node_str(&names->items[i]), name))
            return true;
    return false;
}

/* x-key stands beside type: array; the items are maps that have the key, written out or behind one $ref. */
static void check_key(struct bao_compiler *c, const struct bao_keywords *kw)
{
    const struct bao_node *key = kw->at[BAO_KW_X_KEY], *items = kw->at[BAO_KW_ITEMS];

    if (key == NULL || key->type != BAO_STRING)
        return;
    if (!has_type(kw->at[BAO_KW_TYPE], "array") || items == NULL || items->type != BAO_MAP) {
        bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_KEY_PLACE, key), bao_node_str(key));
        return;
    }
    if (bao_node_get(items, "$ref") == NULL &&
        !names_have(bao_node_get(items, "required"), bao_node_str(key)))
        bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_KEY_REQUIRED, key), bao_node_str(key));
}

/* The nearest format, by the same likeness as keywords. */
static const char *nearest_format(struct bao_arena *a, struct bao_str name)
{
    struct bao_str folded = bao_utf8_fold(a, name);

    for (int i = 1; folded.p != NULL && i < BAO_FMT_COUNT; i++) {
        struct bao_str known = bao_utf8_fold(a, bao_str_c(bao_format_name((enum bao_format)i)));

        if (known.p != NULL && bao_utf8_distance(folded, known, 2) <= 2)
            return bao_format_name((enum bao_format)i);
    }
    return "date";
}

void bao_shape_check_form(struct bao_compiler *c, const struct bao_node *schema,
                          const struct bao_keywords *kw)
{
    const struct bao_node *type = kw->at[BAO_KW_TYPE], *format = kw->at[BAO_KW_FORMAT];
    const struct bao_node *normalize = kw->at[BAO_KW_X_NORMALIZE];

    check_unknown(c, schema);
    check_key(c, kw);
    if (has_type(type, "array") && kw->at[BAO_KW_MAX_ITEMS] == NULL)
        bao_compiler_bad(c, BAO_BC_SCHEMA_NO_MAX_ITEMS, schema);
    if (format != NULL && format->type == BAO_STRING && bao_format_of(bao_node_str(format)) == BAO_FMT_NONE) {
        struct bao_finding *f = bao_compiler_bad(c, BAO_BC_SCHEMA_FORMAT, format);

        bao_finding_arg(f, bao_node_str(format));
        bao_finding_arg(f, bao_str_c(nearest_format(&c->work, bao_node_str(format))));
    }
    if (normalize != NULL && (normalize->type != BAO_STRING || !bao_str_is(bao_node_str(normalize), "NFC")))
        bao_compiler_bad(c, BAO_BC_SCHEMA_NORMALIZE, normalize);
}
