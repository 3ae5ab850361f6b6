/* baocao schema export: a form's inner schema as one JSON document that other validators take. */
#include "daemon/cli/forms_dir.h"
#include "daemon/cli/words.h"
#include "lib/doc/tree.h"

enum { OUT_MAX = 64 << 20 };

/* Draft 7 cannot say these. */
static const char *const lost_keys[] = {"minContains",      "maxContains", "unevaluatedProperties",
                                        "unevaluatedItems", "$anchor",     "$dynamicRef",
                                        "$dynamicAnchor",   "$vocabulary"};

struct export
{
    struct bao_buf *out;
    bool draft7;
    bool *lost; /* by lost_keys: what was left out */
};

/* How a map is to be read. */
enum reading { SCHEMA, NAMED_SCHEMAS, DATA };

static bool is_one_of(struct bao_str key, const char *const *words)
{
    for (; *words != NULL; words++)
        if (bao_str_is(key, *words))
            return true;
    return false;
}

static enum reading reading_of(struct bao_str key)
{
    static const char *const named[] = {"properties", "patternProperties", "$defs", "dependentSchemas", NULL};
    static const char *const data[] = {"enum", "const", "default", "examples", NULL};

    if (is_one_of(key, named))
        return NAMED_SCHEMAS;
    return is_one_of(key, data) || (key.n > 2 && key.p[0] == 'x' && key.p[1] == '-') ? DATA : SCHEMA;
}

/* The common file travels inside, under $defs/common: references are turned to it. */
static int print_ref(const struct export *e, struct bao_str ref, bool in_common)
{
    const char *defs = e->draft7 ? "definitions" : "$defs";
    bool to_common = ref.n >= 7 && memcmp(ref.p, "common#", 7) == 0;
    int r;

    if (to_common)
        ref = (struct bao_str){ref.p + 7, ref.n - 7};
    else if (ref.n != 0 && ref.p[0] == '#')
        ref = (struct bao_str){ref.p + 1, ref.n - 1};
    else
        return bao_json_quote(e->out, ref);
    r = bao_buf_append_c(e->out, "\"#");
    if (r == 0 && (to_common || in_common))
        r = bao_buf_printf(e->out, "/%s/common", defs);
    if (r == 0 && e->draft7 && ref.n >= 7 && memcmp(ref.p, "/$defs/", 7) == 0) {
        r = bao_buf_append_c(e->out, "/definitions/");
        ref = (struct bao_str){ref.p + 7, ref.n - 7};
    }
    if (r == 0)
        r = bao_buf_append_str(e->out, ref);
    return r == 0 ? bao_buf_append_c(e->out, "\"") : r;
}

static int print_schema(const struct export *e, const struct bao_node *node, enum reading how,
                        bool in_common);

/* Members printed so far of one map. */
struct members {
    const struct export *e;
    bool in_common, any;
};

static int print_key(struct members *m, struct bao_str key)
{
    int r = m->any ? bao_buf_append_c(m->e->out, ",\n") : 0;

    m->any = true;
    if (r == 0)
        r = bao_json_quote(m->e->out, key);
    return r == 0 ? bao_buf_append_c(m->e->out, ":") : r;
}

static int print_member(struct members *m, struct bao_str key, const struct bao_node *value, enum reading how)
{
    int r = print_key(m, key);

    return r == 0 ? print_schema(m->e, value, how, m->in_common) : r;
}

/* ---- what draft 7 says otherwise ---- */

static bool has(const struct bao_node *map, const char *key)
{
    return bao_node_get(map, key) != NULL;
}

/* Does anything but `properties` and its like speak of the same members? */
static bool is_applied_in_place(const struct bao_node *map)
{
    static const char *const keys[] = {"$ref", "$dynamicRef", "allOf", "anyOf",           "oneOf",
                                       "if",   "then",        "else",  "dependentSchemas"};

    for (size_t i = 0; i < BAO_COUNT(keys); i++)
        if (has(map, keys[i]))
            return true;
    return false;
}

static void lose(const struct export *e, struct bao_str key)
{
    for (size_t i = 0; i < BAO_COUNT(lost_keys); i++)
        if (bao_str_is(key, lost_keys[i]))
            e->lost[i] = true;
}

/* The name of a member that draft 7 has under the same or another name; NULL: it is printed apart or lost. */
static const char *draft7_key(const struct export *e, const struct bao_node *map, struct bao_str key)
{
    static const char *const apart[] = {"$ref", "allOf", "dependentSchemas", "dependentRequired", NULL};
    bool tuple = has(map, "prefixItems");

    if (is_one_of(key, apart))
        return NULL;
    if (bao_str_is(key, "prefixItems"))
        return "items";
    if (bao_str_is(key, "items") && tuple)
        return "additionalItems";
    if (bao_str_is(key, "contains") && has(map, "minContains") &&
        bao_node_is_number(bao_node_get(map, "minContains")) &&
        bao_num_sign(bao_node_num(bao_node_get(map, "minContains"))) == 0)
        return NULL; /* none need be there */
    if (bao_str_is(key, "unevaluatedProperties") && !is_applied_in_place(map) &&
        !has(map, "additionalProperties"))
        return "additionalProperties";
    if (bao_str_is(key, "unevaluatedItems") && !is_applied_in_place(map) && !has(map, "items") &&
        !has(map, "contains"))
        return tuple ? "additionalItems" : "items";
    for (size_t i = 0; i < BAO_COUNT(lost_keys); i++)
        if (bao_str_is(key, lost_keys[i])) {
            lose(e, key);
            return NULL;
        }
    return bao_str_is(key, "$defs") ? "definitions" : "";
}

/* Draft 7 ignores what stands beside a $ref, so the reference moves into the allOf there. */
static int print_all_of(struct members *m, const struct bao_node *map)
{
    const struct bao_node *ref = bao_node_get(map, "$ref"), *all = bao_node_get(map, "allOf");
    struct bao_buf *out = m->e->out;
    int r;

    if (ref != NULL && map->len == 1) {
        r = print_key(m, BAO_STR("$ref"));
        return r == 0 ? print_ref(m->e, bao_node_str(ref), m->in_common) : r;
    }
    if (ref == NULL && all == NULL)
        return 0;
    r = print_key(m, BAO_STR("allOf"));
    if (r == 0)
        r = bao_buf_append_c(out, "[");
    if (r == 0 && ref != NULL) {
        r = bao_buf_append_c(out, "{\"$ref\":");
        if (r == 0)
            r = print_ref(m->e, bao_node_str(ref), m->in_common);
        if (r == 0)
            r = bao_buf_append_c(out, "}");
    }
    for (uint32_t i = 0; all != NULL && all->type == BAO_LIST && i < all->len && r == 0; i++) {
        r = i == 0 && ref == NULL ? 0 : bao_buf_append_c(out, ",");
        if (r == 0)
            r = print_schema(m->e, &all->items[i], SCHEMA, m->in_common);
    }
    return r == 0 ? bao_buf_append_c(out, "]") : r;
}

/* Names and schemas that depend on a member, which draft 7 gives together. */
static int print_dependencies(struct members *m, const struct bao_node *map)
{
    const struct bao_node *names = bao_node_get(map, "dependentRequired"),
                          *schemas = bao_node_get(map, "dependentSchemas");
    struct members inner = {m->e, m->in_common, false};
    int r;

    if (names == NULL && schemas == NULL)
        return 0;
    r = print_key(m, BAO_STR("dependencies"));
    if (r == 0)
        r = bao_buf_append_c(m->e->out, "{");
    for (uint32_t i = 0; names != NULL && names->type == BAO_MAP && i < names->len && r == 0; i++) {
        struct bao_str key = bao_member_key(&names->members[i]);
        const struct bao_member *both = schemas == NULL ? NULL : bao_node_member(schemas, key);

        if (both == NULL) {
            r = print_member(&inner, key, &names->members[i].value, DATA);
            continue;
        }
        r = print_key(&inner, key);
        if (r == 0)
            r = bao_buf_append_c(m->e->out, "{\"allOf\":[{\"required\":");
        if (r == 0)
            r = bao_node_print_json(m->e->out, &names->members[i].value);
        if (r == 0)
            r = bao_buf_append_c(m->e->out, "},");
        if (r == 0)
            r = print_schema(m->e, &both->value, SCHEMA, m->in_common);
        if (r == 0)
            r = bao_buf_append_c(m->e->out, "]}");
    }
    for (uint32_t i = 0; schemas != NULL && schemas->type == BAO_MAP && i < schemas->len && r == 0; i++) {
        struct bao_str key = bao_member_key(&schemas->members[i]);

        if (names == NULL || bao_node_member(names, key) == NULL)
            r = print_member(&inner, key, &schemas->members[i].value, SCHEMA);
    }
    return r == 0 ? bao_buf_append_c(m->e->out, "}") : r;
}

/* ---- maps ---- */

/* The keywords of a schema; `$schema`, and at the root `$defs`, are the caller's. */
static int print_keywords(struct members *m, const struct bao_node *map, bool root)
{
    int r = 0;

    for (uint32_t i = 0; i < map->len && r == 0; i++) {
        const struct bao_node *value = &map->members[i].value;
        struct bao_str key = bao_member_key(&map->members[i]);
        const char *other = m->e->draft7 ? draft7_key(m->e, map, key) : "";

        if (bao_str_is(key, "$schema") || (root && bao_str_is(key, "$defs")) || other == NULL)
            continue;
        if (bao_str_is(key, "$ref") && value->type == BAO_STRING) {
            r = print_key(m, key);
            if (r == 0)
                r = print_ref(m->e, bao_node_str(value), m->in_common);
        } else {
            r = print_member(m, *other == '\0' ? key : bao_str_c(other), value, reading_of(key));
        }
    }
    if (r == 0 && m->e->draft7)
        r = print_all_of(m, map);
    return r == 0 && m->e->draft7 ? print_dependencies(m, map) : r;
}

static int print_map(const struct export *e, const struct bao_node *map, enum reading how, bool in_common)
{
    struct members m = {e, in_common, false};
    int r = bao_buf_append_c(e->out, "{");

    if (r == 0 && how == SCHEMA)
        r = print_keywords(&m, map, false);
    for (uint32_t i = 0; how != SCHEMA && i < map->len && r == 0; i++)
        r = print_member(&m, bao_member_key(&map->members[i]), &map->members[i].value, SCHEMA);
    return r == 0 ? bao_buf_append_c(e->out, "}") : r;
}

static int print_schema(const struct export *e, const struct bao_node *node, enum reading how, bool in_common)
{
    int r;

    if (how == DATA || (node->type != BAO_MAP && node->type != BAO_LIST))
        return bao_node_print_json(e->out, node);
    if (node->type == BAO_MAP)
        return print_map(e, node, how, in_common);
    r = bao_buf_append_c(e->out, "[");
    for (uint32_t i = 0; i < node->len && r == 0; i++) {
        r = i == 0 ? 0 : bao_buf_append_c(e->out, ",");
        if (r == 0)
            r = print_schema(e, &node->items[i], SCHEMA, in_common);
    }
    return r == 0 ? bao_buf_append_c(e->out, "]") : r;
}

/* The form's own $defs and the common file become one. */
static int print_root(const struct export *e, const struct bao_form *f)
{
    const struct bao_node *own = bao_node_get(f->schema_node, "$defs");
    struct members m = {e, false, true}, defs = {e, false, false};
    int r = bao_buf_printf(e->out, "{\"$schema\":\"%s\"",
                           e->draft7 ? "http://json-schema.org/draft-07/schema#"
                                     : "https://json-schema.org/draft/2020-12/schema");

    if (r == 0)
        r = print_keywords(&m, f->schema_node, true);
    if (r == 0)
        r = print_key(&m, bao_str_c(e->draft7 ? "definitions" : "$defs"));
    if (r == 0)
        r = bao_buf_append_c(e->out, "{");
    if (r == 0 && f->common != NULL) {
        r = print_key(&defs, BAO_STR("common"));
        if (r == 0)
            r = print_schema(e, f->common, SCHEMA, true);
    }
    for (uint32_t i = 0; own != NULL && own->type == BAO_MAP && i < own->len && r == 0; i++)
        r = print_member(&defs, bao_member_key(&own->members[i]), &own->members[i].value, SCHEMA);
    return r == 0 ? bao_buf_append_c(e->out, "}}\n") : r;
}

/* Names what the older draft cannot say. */
static void tell_lost(const struct cli_options *options, const struct export *e)
{
    bool any = false;

    for (size_t i = 0; i < BAO_COUNT(lost_keys); i++) {
        if (!e->lost[i])
            continue;
        fprintf(stderr, "%s%s",
                any                       ? ", "
                : options->lang == BAO_VI ? "baocao schema: bản xuất bỏ những từ khóa mà draft 7 không có: "
                                          : "baocao schema: left out, as draft 7 has no such keywords: ",
                lost_keys[i]);
        any = true;
    }
    if (any)
        fputc('\n', stderr);
}

static const struct bao_form *find(const struct bao_forms *forms, const char *id, int version)
{
    const struct bao_form *best = NULL;

    for (size_t i = 0; i < forms->n; i++)
        if (bao_str_is(forms->items[i]->id, id) && (version == 0 || forms->items[i]->version == version))
            best = forms->items[i];
    return best;
}

static int export_form(const struct cli_options *options, const struct bao_forms *forms, const char *id,
                       int version, bool draft7)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(OUT_MAX);
    bool lost[BAO_COUNT(lost_keys)] = {false};
    const struct export e = {&out, draft7, lost};
    const struct bao_form *form = find(forms, id, version);

    if (form == NULL) {
        fprintf(stderr,
                options->lang == BAO_VI ? "baocao schema: không có biểu mẫu %s\n"
                                        : "baocao schema: no such form: %s\n",
                id);
        return CLI_USAGE;
    }
    if (print_root(&e, form) != 0 ||
        fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout) != bao_buf_len(&out) || fflush(stdout) != 0)
        return CLI_USAGE;
    tell_lost(options, &e);
    return CLI_OK;
}

/* 1..9999, or -1. */
static int read_version(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    return *end == '\0' && end != text && n >= 1 && n <= 9999 ? (int)n : -1;
}

struct words {
    const char *form, *dir;
    int version; /* 0: the newest */
    bool draft7;
};

static bool read_words(const struct cli_options *options, int argc, char **argv, struct words *ret)
{
    const char *version = NULL, *draft = "2020-12";
    const struct cli_word known[] = {
        {"--forms", &ret->dir}, {"--version", &version}, {"--draft", &draft}, {NULL}};
    bool vi = options->lang == BAO_VI;
    int n;

    if (!cli_words_second(options, &argc, &argv, "export"))
        return false;
    n = cli_words_read(options, argc, argv, known, 1);
    if (n < 0)
        return false;
    if (n == 0)
        return cli_complain(options, vi ? "thiếu tên biểu mẫu; xem các biểu mẫu bằng: baocao forms"
                                        : "no form is named; see the forms with: baocao forms");
    ret->form = argv[1];
    ret->version = version == NULL ? 0 : read_version(version);
    if (ret->version < 0)
        return cli_complain(options,
                            vi ? "--version là số từ 1 đến 9999, không phải “%s”"
                               : "--version is a number from 1 to 9999, not “%s”",
                            version);
    ret->draft7 = strcmp(draft, "7") == 0;
    if (!ret->draft7 && strcmp(draft, "2020-12") != 0)
        return cli_complain(
            options, vi ? "--draft là 7 hoặc 2020-12, không phải “%s”" : "--draft is 7 or 2020-12, not “%s”",
            draft);
    return true;
}

int cli_schema(const struct cli_options *options, int argc, char **argv)
{
    struct words w = {.form = NULL};
    struct cli_forms forms;
    int code;

    if (!read_words(options, argc, argv, &w))
        return CLI_USAGE;
    if (!cli_forms_open(&forms, options, w.dir, NULL))
        return CLI_USAGE;
    code = export_form(options, &cli_forms_get(&forms, 0)->forms, w.form, w.version, w.draft7);
    cli_forms_close(&forms);
    return code;
}
