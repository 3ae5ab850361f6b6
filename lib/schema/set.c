#include "lib/schema/compiler.h"

struct bao_schema_set *bao_schema_set_new(void)
{
    /* A set's keys come from the operator's own files, so the seed need not be secret. */
    static const uint64_t seed[2] = {0x62616f63616f, 0x736368656d61};
    struct bao_schema_set *set = calloc(1, sizeof(*set));

    if (set == NULL)
        return NULL;
    bao_map_init(&set->by_uri, seed);
    return set;
}

struct bao_schema_set *bao_schema_set_free(struct bao_schema_set *set)
{
    if (set == NULL)
        return NULL;
    bao_map_deinit(&set->by_uri);
    bao_arena_deinit(&set->arena);
    free(set);
    return NULL;
}

static struct bao_str plain(struct bao_str uri)
{
    if (uri.n != 0 && uri.p[uri.n - 1] == '#')
        uri.n--;
    return uri;
}

int bao_schema_set_add(struct bao_schema_set *set, struct bao_str uri, const struct bao_node *root)
{
    struct bao_schema_document *document = bao_arena_array(&set->arena, 1, sizeof(*document));
    const struct bao_node *id = bao_node_get(root, "$id");
    int r;

    if (document == NULL)
        return -ENOMEM;
    *document = (struct bao_schema_document){bao_arena_str(&set->arena, plain(uri)), root};
    if (document->uri.p == NULL)
        return -ENOMEM;
    r = bao_map_set(&set->by_uri, document->uri, document);
    if (r < 0 || id == NULL || id->type != BAO_STRING)
        return r;
    /* Known by its own name too, unless that is another's. */
    if (memchr(id->str, ':', id->len) == NULL || bao_map_get(&set->by_uri, plain(bao_node_str(id))) != NULL)
        return 0;
    return bao_map_set(&set->by_uri, plain(bao_node_str(id)), document);
}
