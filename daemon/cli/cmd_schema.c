/* baocao schema export: a form's inner schema as one JSON document that other validators take. */
#include "daemon/cli/forms_dir.h"
#include "lib/doc/tree.h"

enum { OUT_MAX = 64 << 20 };

struct export
{
    struct bao_buf *out;
    bool draft7;
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

static const char *renamed(const struct export *e, struct bao_str key)
{
    static const char *const pairs[][2] = {
        {"$defs", "definitions"},
        {"prefixItems", "items"},
        {"dependentSchemas", "dependencies"},
        {"dependentRequired", "dependencies"},
    };

    for (size_t i = 0; e->draft7 && i < BAO_COUNT(pairs); i++)
        if (bao_str_is(key, pairs[i][0]))
            return pairs[i][1];
    return NULL;
}

static int print_schema(const struct export *e, const struct bao_node *node, enum reading how,
                        bool in_common);

static int print_key(const struct export *e, struct bao_str key, enum reading how)
{
    const char *other = how == SCHEMA ? renamed(e, key) : NULL;
    int r = other == NULL ? bao_json_quote(e->out, key) : bao_json_quote(e->out, bao_str_c(other));

    return r == 0 ? bao_buf_append_c(e->out, ":") : r;
}

/* Draft 7 ignores what stands beside a $ref, so the reference moves into an allOf there. */
static int print_reference(const struct export *e, const struct bao_node *map, const struct bao_node *ref,
                           bool in_common)
{
    bool wrap = e->draft7 && map->len > 1;
    int r = bao_buf_append_c(e->out, wrap ? "\"allOf\":[{\"$ref\":" : "\"$ref\":");

    if (r == 0)
        r = print_ref(e, bao_node_str(ref), in_common);
    return r == 0 && wrap ? bao_buf_append_c(e->out, "}]") : r;
}

static int print_map(const struct export *e, const struct bao_node *map, enum reading how, bool in_common)
{
    int r = bao_buf_append_c(e->out, "{");
    bool any = false;

    for (uint32_t i = 0; i < map->len && r == 0; i++) {
        const struct bao_member *m = &map->members[i];
        struct bao_str key = bao_member_key(m);

        if (how == SCHEMA && bao_str_is(key, "$schema"))
            continue;
        r = any ? bao_buf_append_c(e->out, ",") : 0;
        any = true;
        if (r == 0 && how == SCHEMA && bao_str_is(key, "$ref") && m->value.type == BAO_STRING) {
            r = print_reference(e, map, &m->value, in_common);
            continue;
        }
        if (r == 0)
            r = print_key(e, key, how);
        if (r == 0)
            r = print_schema(e, &m->value, how == SCHEMA ? reading_of(key) : SCHEMA, in_common);
    }
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
    const char *defs = e->draft7 ? "definitions" : "$defs";
    const struct bao_node *own = bao_node_get(f->schema_node, "$defs");
    int r = bao_buf_printf(e->out, "{\"$schema\":\"%s\"",
                           e->draft7 ? "http://json-schema.org/draft-07/schema#"
                                     : "https://json-schema.org/draft/2020-12/schema");

    for (uint32_t i = 0; i < f->schema_node->len && r == 0; i++) {
        const struct bao_member *m = &f->schema_node->members[i];
        struct bao_str key = bao_member_key(m);

        if (bao_str_is(key, "$schema") || bao_str_is(key, "$defs"))
            continue;
        r = bao_buf_append_c(e->out, ",\n");
        if (r == 0)
            r = print_key(e, key, SCHEMA);
        if (r == 0)
            r = print_schema(e, &m->value, reading_of(key), false);
    }
    if (r == 0)
        r = bao_buf_printf(e->out, ",\n\"%s\":{", defs);
    if (r == 0 && f->common != NULL) {
        r = bao_buf_append_c(e->out, "\"common\":");
        if (r == 0)
            r = print_schema(e, f->common, SCHEMA, true);
    }
    for (uint32_t i = 0; own != NULL && own->type == BAO_MAP && i < own->len && r == 0; i++) {
        r = i == 0 && f->common == NULL ? 0 : bao_buf_append_c(e->out, ",\n");
        if (r == 0)
            r = print_key(e, bao_member_key(&own->members[i]), NAMED_SCHEMAS);
        if (r == 0)
            r = print_schema(e, &own->members[i].value, SCHEMA, false);
    }
    return r == 0 ? bao_buf_append_c(e->out, "}}\n") : r;
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
    const struct export e = {&out, draft7};
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
    return CLI_OK;
}

/* 1..9999, or -1. */
static int read_version(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    return *end == '\0' && end != text && n >= 1 && n <= 9999 ? (int)n : -1;
}

int cli_schema(const struct cli_options *options, int argc, char **argv)
{
    const char *id = NULL, *dir = NULL, *version = NULL, *draft = NULL;
    struct cli_forms forms;
    int code, number;

    if (argc < 3 || strcmp(argv[1], "export") != 0)
        return cli_usage(options);
    for (int i = 2; i < argc; i++) {
        const char **value = strcmp(argv[i], "--forms") == 0     ? &dir
                             : strcmp(argv[i], "--version") == 0 ? &version
                             : strcmp(argv[i], "--draft") == 0   ? &draft
                                                                 : NULL;

        if (value != NULL ? i + 1 >= argc : argv[i][0] == '-' || id != NULL)
            return cli_usage(options);
        if (value != NULL)
            *value = argv[++i];
        else
            id = argv[i];
    }
    number = version == NULL ? 0 : read_version(version);
    if (id == NULL || number < 0 ||
        (draft != NULL && strcmp(draft, "7") != 0 && strcmp(draft, "2020-12") != 0))
        return cli_usage(options);
    if (!cli_forms_open(&forms, options, dir, NULL))
        return CLI_USAGE;
    code = export_form(options, &cli_forms_get(&forms, 0)->forms, id, number,
                       draft != NULL && strcmp(draft, "7") == 0);
    cli_forms_close(&forms);
    return code;
}
