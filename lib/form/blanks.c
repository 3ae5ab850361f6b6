#include "lib/form/blanks.h"

/* Depth is bounded by the loader. */
static bool has_blanks(const struct bao_node *value)
{
    if (value->type == BAO_MAP) {
        for (uint32_t i = 0; i < value->len; i++)
            if (value->members[i].value.type == BAO_NULL || has_blanks(&value->members[i].value))
                return true;
    } else if (value->type == BAO_LIST) {
        for (uint32_t i = 0; i < value->len; i++)
            if (has_blanks(&value->items[i]))
                return true;
    }
    return false;
}

static bool copy(struct bao_arena *arena, const struct bao_node *in, struct bao_node *out);

static bool copy_map(struct bao_arena *arena, const struct bao_node *in, struct bao_node *out)
{
    struct bao_member *members = bao_arena_array(arena, in->len, sizeof(*members));

    if (members == NULL)
        return false;
    out->len = 0;
    out->members = members;
    for (uint32_t i = 0; i < in->len; i++) {
        if (in->members[i].value.type == BAO_NULL)
            continue;
        members[out->len] = in->members[i];
        if (!copy(arena, &in->members[i].value, &members[out->len].value))
            return false;
        out->len++;
    }
    return true;
}

static bool copy_list(struct bao_arena *arena, const struct bao_node *in, struct bao_node *out)
{
    struct bao_node *items = bao_arena_array(arena, in->len, sizeof(*items));

    if (items == NULL)
        return false;
    out->items = items;
    for (uint32_t i = 0; i < in->len; i++)
        if (!copy(arena, &in->items[i], &items[i]))
            return false;
    return true;
}

static bool copy(struct bao_arena *arena, const struct bao_node *in, struct bao_node *out)
{
    *out = *in;
    if (!has_blanks(in))
        return true;
    return in->type == BAO_MAP ? copy_map(arena, in, out) : copy_list(arena, in, out);
}

const struct bao_node *bao_without_blanks(struct bao_arena *arena, const struct bao_node *value)
{
    struct bao_node *out;

    if (!has_blanks(value))
        return value;
    out = bao_arena_alloc(arena, sizeof(*out));
    return out != NULL && copy(arena, value, out) ? out : NULL;
}
