/* For the tests of lib/doc: are two trees the same, to the last place and flag? */
#pragma once

#include "lib/doc/tree.h"

static inline bool same_value(const struct bao_node *a, const struct bao_node *b)
{
    switch (a->type) {
    case BAO_BOOL:
        return a->boolean == b->boolean;
    case BAO_STRING:
        return memcmp(a->str, b->str, (size_t)a->len + 1) == 0;
    case BAO_INT:
    case BAO_DEC:
        return bao_node_equal(a, b);
    default:
        return true;
    }
}

static inline bool same_tree(const struct bao_node *a, const struct bao_node *b)
{
    if (a->type != b->type || a->style != b->style || a->kinds != b->kinds || a->indexed != b->indexed ||
        a->len != b->len || a->line != b->line || a->column != b->column || a->offset != b->offset ||
        a->extent != b->extent || !same_value(a, b))
        return false;
    for (uint32_t i = 0; a->type == BAO_LIST && i < a->len; i++)
        if (!same_tree(&a->items[i], &b->items[i]))
            return false;
    for (uint32_t i = 0; a->type == BAO_MAP && i < a->len; i++) {
        const struct bao_member *m = &a->members[i], *n = &b->members[i];

        if (m->key_len != n->key_len || memcmp(m->key, n->key, (size_t)m->key_len + 1) != 0 ||
            m->hash != n->hash || m->line != n->line || m->column != n->column || m->offset != n->offset ||
            m->extent != n->extent || !same_tree(&m->value, &n->value))
            return false;
    }
    return true;
}
