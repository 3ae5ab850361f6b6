/* Documents, resources, anchors: who stands where. */
#include "lib/schema/compiler.h"

#include "lib/doc/load.h"
#include "lib/schema/uri.h"

struct bao_finding *bao_compiler_bad(struct bao_compiler *c, unsigned code, const struct bao_node *at)
{
    c->bad = true;
    return bao_findings_add(c->findings, code, BAO_ERROR, bao_node_place(at));
}

static int copy_node(struct bao_arena *a, const struct bao_node *from, struct bao_node *to);

static int copy_list(struct bao_arena *a, const struct bao_node *from, struct bao_node *to)
{
    struct bao_node *items = bao_arena_array(a, from->len, sizeof(*items));

    if (items == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < from->len; i++)
        if (copy_node(a, &from->items[i], &items[i]) < 0)
            return -ENOMEM;
    to->items = items;
    return 0;
}

static int copy_map(struct bao_arena *a, const struct bao_node *from, struct bao_node *to)
{
    /* A large map's index stands behind its members. */
    size_t each = sizeof(struct bao_member) + (from->indexed ? sizeof(uint32_t) : 0);
    struct bao_member *members = bao_arena_array(a, from->len, each);

    if (members == NULL)
        return -ENOMEM;
    if (from->len != 0)
        memcpy(members, from->members, from->len * each);
    for (uint32_t i = 0; i < from->len; i++) {
        members[i].key = bao_arena_dup(a, from->members[i].key, from->members[i].key_len);
        if (members[i].key == NULL || copy_node(a, &from->members[i].value, &members[i].value) < 0)
            return -ENOMEM;
    }
    to->members = members;
    return 0;
}

/* Depth is bounded by the loader. */
static int copy_node(struct bao_arena *a, const struct bao_node *from, struct bao_node *to)
{
    *to = *from;
    if (from->type == BAO_LIST)
        return copy_list(a, from, to);
    if (from->type == BAO_MAP)
        return copy_map(a, from, to);
    if (from->type == BAO_STRING) {
        to->str = bao_arena_dup(a, from->str, from->len);
        return to->str == NULL ? -ENOMEM : 0;
    }
    if (from->type == BAO_DEC) {
        size_t size = sizeof(*from->dec) + from->dec->n_limbs * sizeof(from->dec->limbs[0]);

        to->dec = (const struct bao_dec *)(const void *)bao_arena_dup(a, from->dec, size);
        return to->dec == NULL ? -ENOMEM : 0;
    }
    return 0;
}

/* The map goes by octets: a node's are its address, kept beside it. */
struct slot {
    const struct bao_node *node;
    struct bao_loc loc;
};

const struct bao_loc *bao_index_loc(const struct bao_compiler *c, const struct bao_node *node)
{
    struct slot *slot = bao_map_get(&c->locs, (struct bao_str){(const char *)&node, sizeof(node)});

    return slot == NULL ? NULL : &slot->loc;
}

static struct bao_loc *add_loc(struct bao_compiler *c, const struct bao_node *node)
{
    struct slot *slot = bao_arena_array(c->arena, 1, sizeof(*slot));

    if (slot == NULL)
        return NULL;
    slot->node = slot->loc.node = node;
    if (bao_map_set(&c->locs, (struct bao_str){(const char *)&slot->node, sizeof(slot->node)}, slot) < 0)
        return NULL;
    return &slot->loc;
}

static struct bao_str without_empty_fragment(struct bao_str uri)
{
    if (uri.n != 0 && uri.p[uri.n - 1] == '#')
        uri.n--;
    return uri;
}

/* What vocabularies a dialect has; false when it is not known or needs one that is not. */
static bool dialect_vocab(struct bao_compiler *c, struct bao_str dialect, const struct bao_node *at,
                          unsigned *ret)
{
    const struct bao_schema_document *document;
    const struct bao_node *list;

    dialect = without_empty_fragment(dialect);
    *ret = BAO_VOCAB_STANDARD;
    if (dialect.n == 0 || bao_str_is(dialect, "https://json-schema.org/draft/2020-12/schema"))
        return true;
    document = bao_map_get(&c->set->by_uri, dialect);
    if (document == NULL) {
        bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_DIALECT, at), dialect);
        return false;
    }
    list = bao_node_get(document->root, "$vocabulary");
    if (list == NULL || list->type != BAO_MAP)
        return true;
    *ret = BAO_VOCAB_CORE;
    for (uint32_t i = 0; i < list->len; i++) {
        const struct bao_member *m = &list->members[i];
        unsigned bit = bao_vocab_of(bao_member_key(m));

        if (bit == 0 && m->value.type == BAO_BOOL && m->value.boolean) {
            bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_VOCABULARY, at), bao_member_key(m));
            return false;
        }
        *ret |= bit;
    }
    return true;
}

static int add_resource(struct bao_compiler *c, struct bao_str uri, struct bao_resource *resource)
{
    return bao_map_set(&c->resources, uri, resource);
}

static int add_anchor(struct bao_compiler *c, struct bao_loc *loc, const struct bao_node *name, bool dynamic)
{
    struct bao_anchor *anchor;

    if (name == NULL || name->type != BAO_STRING)
        return 0;
    for (anchor = loc->resource->anchors; anchor != NULL; anchor = anchor->next)
        if (bao_str_eq(anchor->name, bao_node_str(name)) && anchor->loc != loc) {
            bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_ANCHOR_TWICE, name), bao_node_str(name));
            return 0;
        }
    anchor = bao_arena_array(c->arena, 1, sizeof(*anchor));
    if (anchor == NULL)
        return -ENOMEM;
    *anchor = (struct bao_anchor){bao_node_str(name), loc, dynamic, loc->resource->anchors};
    loc->resource->anchors = anchor;
    return 0;
}

/* A resource's own dialect, when it names one. */
static void set_dialect(struct bao_compiler *c, struct bao_resource *resource, const struct bao_node *node)
{
    const struct bao_node *dialect = bao_node_get(node, "$schema");

    if (dialect != NULL && dialect->type == BAO_STRING)
        (void)dialect_vocab(c, bao_node_str(dialect), dialect, &resource->vocab); /* a finding was added */
    resource->assert_format =
        c->options->assert_format || (resource->vocab & BAO_VOCAB_FORMAT_ASSERTION) != 0;
}

/* Opens the resource that $id starts, or renames the document's own at its root. */
static int open_resource(struct bao_compiler *c, struct bao_loc *loc, const struct bao_node *id)
{
    struct bao_resource *resource = loc->resource;
    struct bao_str uri = bao_uri_resolve(c->arena, resource->uri, without_empty_fragment(bao_node_str(id)));
    const struct bao_resource *other;

    if (uri.p == NULL)
        return -ENOMEM;
    if (loc->parent != NULL) {
        resource = bao_arena_array(c->arena, 1, sizeof(*resource));
        if (resource == NULL)
            return -ENOMEM;
        resource->vocab = loc->resource->vocab;
        resource->root = loc;
        loc->resource = resource;
        set_dialect(c, resource, loc->node);
    }
    resource->uri = uri;
    other = bao_map_get(&c->resources, uri);
    if (other != NULL && other != resource) {
        if (loc->parent != NULL)
            bao_finding_arg(bao_compiler_bad(c, BAO_BC_SCHEMA_ID_TWICE, id), uri);
        return 0;
    }
    return add_resource(c, uri, resource);
}

static int index_schema(struct bao_compiler *c, const struct bao_node *node, const struct bao_loc *parent,
                        struct bao_str keyword, struct bao_str key, struct bao_resource *resource);

static struct bao_str index_text(struct bao_compiler *c, uint32_t i)
{
    return bao_arena_printf(c->arena, "%u", (unsigned)i);
}

static int index_children(struct bao_compiler *c, const struct bao_loc *loc, enum bao_kw kw,
                          const struct bao_node *value)
{
    struct bao_str name = bao_str_c(bao_keyword_info(kw)->name);
    enum bao_shape shape = (enum bao_shape)bao_keyword_info(kw)->shape;
    int r = 0;

    if (shape == BAO_SHAPE_SCHEMA)
        return index_schema(c, value, loc, name, BAO_STR_NULL, loc->resource);
    if (shape == BAO_SHAPE_SCHEMAS && value->type == BAO_LIST)
        for (uint32_t i = 0; i < value->len && r == 0; i++)
            r = index_schema(c, &value->items[i], loc, name, index_text(c, i), loc->resource);
    if (shape == BAO_SHAPE_SCHEMA_MAP && value->type == BAO_MAP)
        for (uint32_t i = 0; i < value->len && r == 0; i++)
            r = index_schema(c, &value->members[i].value, loc, name, bao_member_key(&value->members[i]),
                             loc->resource);
    return r;
}

static int index_schema(struct bao_compiler *c, const struct bao_node *node, const struct bao_loc *parent,
                        struct bao_str keyword, struct bao_str key, struct bao_resource *resource)
{
    struct bao_loc *loc;
    struct bao_keywords kw;
    int r;

    if (bao_index_loc(c, node) != NULL)
        return 0;
    loc = add_loc(c, node);
    if (loc == NULL)
        return -ENOMEM;
    loc->parent = parent;
    loc->keyword = keyword;
    loc->key = key;
    loc->resource = resource;
    if (parent == NULL)
        resource->root = loc;
    if (node->type == BAO_BOOL)
        return 0;
    if (node->type != BAO_MAP) {
        bao_compiler_bad(c, BAO_BC_SCHEMA_NOT_A_SCHEMA, node);
        return 0;
    }
    bao_keywords_get(node, resource->vocab, &kw);
    if (kw.at[BAO_KW_ID] != NULL && kw.at[BAO_KW_ID]->type == BAO_STRING) {
        r = open_resource(c, loc, kw.at[BAO_KW_ID]);
        if (r < 0)
            return r;
        bao_keywords_get(node, loc->resource->vocab, &kw);
    }
    r = add_anchor(c, loc, kw.at[BAO_KW_ANCHOR], false);
    if (r == 0)
        r = add_anchor(c, loc, kw.at[BAO_KW_DYNAMIC_ANCHOR], true);
    for (int i = 0; i < BAO_KW_COUNT && r == 0; i++)
        if (kw.at[i] != NULL) {
            bao_shape_check(c, (enum bao_kw)i, kw.at[i]);
            r = index_children(c, loc, (enum bao_kw)i, kw.at[i]);
        }
    if (r == 0 && c->options->form)
        bao_shape_check_form(c, node, &kw);
    return r;
}

int bao_index_document(struct bao_compiler *c, struct bao_str uri, const struct bao_node *root,
                       struct bao_resource **ret)
{
    struct bao_resource *resource = bao_arena_array(c->arena, 1, sizeof(*resource));
    struct bao_node *copy = bao_arena_array(c->arena, 1, sizeof(*copy));
    int r;

    if (resource == NULL || copy == NULL)
        return -ENOMEM;
    resource->uri = bao_arena_str(c->arena, without_empty_fragment(uri));
    if (resource->uri.p == NULL)
        return -ENOMEM;
    r = copy_node(c->arena, root, copy);
    if (r < 0)
        return r;
    if (!dialect_vocab(c, bao_str_c(c->options->default_dialect), copy, &resource->vocab))
        resource->vocab = BAO_VOCAB_STANDARD;
    set_dialect(c, resource, copy);
    r = add_resource(c, resource->uri, resource);
    if (r == 0)
        r = index_schema(c, copy, NULL, BAO_STR_NULL, BAO_STR_NULL, resource);
    if (r == 0)
        *ret = resource;
    return r;
}

/* A built-in metaschema: its text is our own and loads. */
static int index_metaschema(struct bao_compiler *c, struct bao_str uri, struct bao_str text,
                            struct bao_resource **ret)
{
    struct bao_load_options options = {
        .mode = BAO_LOAD_PLAIN, .format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    struct bao_doc doc;
    int r;

    bao_findings_init(&findings, &c->work, 1);
    r = bao_load(&c->work, text, &options, &findings, &doc);
    return r != 0 ? bao_error_fold(r) : bao_index_document(c, uri, &doc.root, ret);
}

static int find_resource(struct bao_compiler *c, struct bao_str uri, struct bao_resource **ret)
{
    struct bao_schema_document *document;
    struct bao_str text;

    *ret = bao_map_get(&c->resources, uri);
    if (*ret != NULL)
        return 0;
    document = bao_map_get(&c->set->by_uri, uri);
    if (document != NULL)
        return bao_index_document(c, uri, document->root, ret);
    text = bao_metaschema_text(uri);
    return text.n == 0 ? 0 : index_metaschema(c, uri, text, ret);
}

/* One step of a JSON Pointer from a node: NULL when it leads nowhere. */
static const struct bao_node *step(const struct bao_node *node, struct bao_str token)
{
    uint64_t index = 0;

    if (node->type == BAO_MAP) {
        const struct bao_member *m = bao_node_member(node, token);

        return m == NULL ? NULL : &m->value;
    }
    if (node->type != BAO_LIST || token.n == 0 || token.n > 9 || (token.n > 1 && token.p[0] == '0'))
        return NULL;
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] < '0' || token.p[i] > '9')
            return NULL;
        index = index * 10 + (uint64_t)(token.p[i] - '0');
    }
    return index < node->len ? &node->items[index] : NULL;
}

/* The next token of a pointer, with ~0 and ~1 undone; .p NULL when there is no memory. */
static struct bao_str take_token(struct bao_arena *a, struct bao_str *pointer)
{
    char *p;
    size_t n = 0, i = 1;

    p = bao_arena_alloc(a, pointer->n + 1);
    if (p == NULL)
        return BAO_STR_NULL;
    for (; i < pointer->n && pointer->p[i] != '/'; i++) {
        p[n] = pointer->p[i];
        if (p[n] == '~' && i + 1 < pointer->n && (pointer->p[i + 1] == '0' || pointer->p[i + 1] == '1'))
            p[n] = pointer->p[++i] == '0' ? '~' : '/';
        n++;
    }
    *pointer = (struct bao_str){pointer->p + i, pointer->n - i};
    return (struct bao_str){p, n};
}

static int find_pointer(struct bao_compiler *c, const struct bao_resource *resource, struct bao_str pointer,
                        const struct bao_loc **ret)
{
    const struct bao_loc *last = resource->root, *here = last;
    const struct bao_node *node = resource->root->node;
    struct bao_str way = pointer;

    while (pointer.n != 0) {
        struct bao_str token = take_token(c->arena, &pointer);

        if (token.p == NULL)
            return -ENOMEM;
        node = step(node, token);
        if (node == NULL)
            return 0;
        here = bao_index_loc(c, node);
        if (here != NULL) {
            last = here;
            way = pointer;
        }
    }
    if (here == NULL) {
        /* A place no keyword vouches for: it becomes a schema by being referred to. */
        int r;

        if (node->type != BAO_MAP && node->type != BAO_BOOL)
            return 0;
        if (way.n != 0)
            way = (struct bao_str){way.p + 1, way.n - 1};
        r = index_schema(c, node, last, way, BAO_STR_NULL, last->resource);
        if (r < 0)
            return r;
        here = bao_index_loc(c, node);
    }
    *ret = here;
    return 0;
}

int bao_index_find(struct bao_compiler *c, const struct bao_resource *from, struct bao_str reference,
                   const struct bao_loc **ret, const struct bao_anchor **ret_anchor)
{
    struct bao_str base, fragment;
    struct bao_resource *resource = NULL;
    int r;

    *ret = NULL;
    *ret_anchor = NULL;
    bao_uri_split(reference, &base, &fragment);
    base = bao_uri_resolve(c->arena, from->uri, base);
    fragment = bao_uri_unescape(c->arena, fragment);
    if (base.p == NULL || fragment.p == NULL)
        return -ENOMEM;
    r = find_resource(c, base, &resource);
    if (r < 0 || resource == NULL)
        return r;
    if (fragment.n == 0 || fragment.p[0] == '/')
        return find_pointer(c, resource, fragment, ret);
    for (const struct bao_anchor *a = resource->anchors; a != NULL; a = a->next)
        if (bao_str_eq(a->name, fragment)) {
            *ret = a->loc;
            /* One place may bear the name both ways; the dynamic one counts. */
            if (*ret_anchor == NULL || a->dynamic)
                *ret_anchor = a;
        }
    return 0;
}

/* The document whose name is nearest to one that is not known; "" when none is near. */
static struct bao_str nearest_document(struct bao_compiler *c, struct bao_str name)
{
    const struct bao_schema_document *document;
    struct bao_str best = BAO_STR("");
    size_t least = SIZE_MAX, at = 0;

    while ((document = bao_map_next(&c->set->by_uri, &at)) != NULL) {
        size_t d = bao_name_distance(&c->work, name, document->uri);

        if (d < least) {
            least = d;
            best = document->uri;
        }
    }
    return best;
}

static struct bao_str nearest_member(struct bao_compiler *c, const struct bao_node *map, struct bao_str name)
{
    struct bao_str best = BAO_STR("");
    size_t least = SIZE_MAX;

    for (uint32_t i = 0; map->type == BAO_MAP && i < map->len; i++) {
        struct bao_str key = bao_member_key(&map->members[i]);
        size_t d = bao_name_distance(&c->work, name, key);

        /* A name that a reference would have to escape is not offered. */
        if (d < least && memchr(key.p, '/', key.n) == NULL && memchr(key.p, '~', key.n) == NULL) {
            least = d;
            best = key;
        }
    }
    return best;
}

/* The pointer with its first wrong name replaced; "" when nothing is near. .p NULL: no memory. */
static struct bao_str nearest_pointer(struct bao_compiler *c, const struct bao_node *node,
                                      struct bao_str pointer)
{
    struct bao_str whole = pointer, near;

    while (pointer.n != 0) {
        size_t before = whole.n - pointer.n;
        struct bao_str token = take_token(&c->work, &pointer);
        const struct bao_node *next;

        if (token.p == NULL)
            return BAO_STR_NULL;
        next = step(node, token);
        if (next == NULL) {
            near = nearest_member(c, node, token);
            return near.n == 0 ? near
                               : bao_arena_printf(&c->work, "%.*s/%.*s%.*s", (int)before, whole.p,
                                                  BAO_STR_ARG(near), BAO_STR_ARG(pointer));
        }
        node = next;
    }
    return BAO_STR("");
}

int bao_index_nearest(struct bao_compiler *c, const struct bao_resource *from, struct bao_str reference,
                      struct bao_str *ret)
{
    struct bao_str written, base, fragment, near;
    struct bao_resource *resource = NULL;
    int r;

    bao_uri_split(reference, &written, &fragment);
    base = bao_uri_resolve(&c->work, from->uri, written);
    fragment = bao_uri_unescape(&c->work, fragment);
    if (base.p == NULL || fragment.p == NULL)
        return -ENOMEM;
    r = find_resource(c, base, &resource);
    if (r < 0)
        return r;
    if (resource == NULL) {
        written = nearest_document(c, written);
        near = written.n == 0 ? written : fragment;
    } else if (fragment.n != 0 && fragment.p[0] != '/') {
        near = BAO_STR(""); /* an anchor */
    } else {
        near = nearest_pointer(c, resource->root->node, fragment);
    }
    if (near.p == NULL)
        return -ENOMEM;
    *ret = BAO_STR("");
    if (near.n != 0)
        *ret = bao_arena_printf(&c->work, "%.*s#%.*s", BAO_STR_ARG(written), BAO_STR_ARG(near));
    return ret->p == NULL ? -ENOMEM : 0;
}

struct bao_str bao_loc_pointer(struct bao_arena *a, const struct bao_loc *loc)
{
    struct bao_str tail = {"", 0};

    for (; loc->parent != NULL; loc = loc->parent) {
        char *p = bao_arena_alloc(a, loc->keyword.n + 2 * loc->key.n + tail.n + 3);
        size_t n = 0;

        if (p == NULL)
            return BAO_STR_NULL;
        p[n++] = '/';
        memcpy(p + n, loc->keyword.p, loc->keyword.n);
        n += loc->keyword.n;
        if (loc->key.p != NULL)
            p[n++] = '/';
        for (size_t i = 0; i < loc->key.n; i++) {
            bool special = loc->key.p[i] == '~' || loc->key.p[i] == '/';

            p[n++] = special ? '~' : loc->key.p[i];
            if (special)
                p[n++] = loc->key.p[i] == '~' ? '0' : '1';
        }
        memcpy(p + n, tail.p, tail.n);
        tail = (struct bao_str){p, n + tail.n};
    }
    return tail;
}
