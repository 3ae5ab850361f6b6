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

/* The index of a large map without the members that went. */
static bool copy_index(struct bao_arena *arena, const struct bao_node *in, uint32_t *index)
{
    const uint32_t *old = (const uint32_t *)(const void *)(in->members + in->len);
    uint32_t *places = bao_arena_array(arena, in->len, sizeof(*places)), place = 0;

    if (places == NULL)
        return false;
    for (uint32_t i = 0; i < in->len; i++)
        places[i] = in->members[i].value.type == BAO_NULL ? UINT32_MAX : place++;
    for (uint32_t i = 0; i < in->len; i++)
        if (places[old[i]] != UINT32_MAX)
            *index++ = places[old[i]];
    return true;
}

static bool copy_map(struct bao_arena *arena, const struct bao_node *in, struct bao_node *out)
{
    size_t each = sizeof(struct bao_member) + (in->indexed ? sizeof(uint32_t) : 0);
    struct bao_member *members = bao_arena_array(arena, in->len, each);

    if (members == NULL)
        return false;
    out->len = 0;
    out->members = members;
    out->kinds &= (uint8_t) ~(1u << BAO_NULL);
    for (uint32_t i = 0; i < in->len; i++) {
        if (in->members[i].value.type == BAO_NULL)
            continue;
        members[out->len] = in->members[i];
        if (!copy(arena, &in->members[i].value, &members[out->len].value))
            return false;
        out->len++;
    }
    return !in->indexed || copy_index(arena, in, (uint32_t *)(void *)(members + out->len));
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

/* The member or item that a pointer's part names, or NULL. */
static const struct bao_node *child_of(const struct bao_node *value, struct bao_str part)
{
    uint32_t at = 0;

    if (value->type == BAO_MAP) {
        const struct bao_member *m = bao_node_member(value, part);

        return m == NULL ? NULL : &m->value;
    }
    for (size_t i = 0; i < part.n && at < value->len; i++)
        at = at * 10 + (uint32_t)(part.p[i] - '0');
    return value->type == BAO_LIST && at < value->len ? &value->items[at] : NULL;
}

const struct bao_member *bao_blank_member(const struct bao_node *value, struct bao_str pointer,
                                          struct bao_str name)
{
    const struct bao_member *m;

    while (value != NULL && pointer.n > 1) {
        const char *end = memchr(pointer.p + 1, '/', pointer.n - 1);
        size_t n = end == NULL ? pointer.n - 1 : (size_t)(end - pointer.p) - 1;

        value = child_of(value, (struct bao_str){pointer.p + 1, n});
        pointer = (struct bao_str){pointer.p + 1 + n, pointer.n - 1 - n};
    }
    m = value == NULL || value->type != BAO_MAP ? NULL : bao_node_member(value, name);
    return m != NULL && m->value.type == BAO_NULL ? m : NULL;
}
