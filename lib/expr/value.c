/* Values: one way to read lists and maps of a document and those an expression made. */
#include "lib/expr/ast.h"

#include "lib/base/buf.h"

enum { SCAN_MAX = 24 }; /* members looked through here by hash; larger maps may have an index */

void bao_value_set(struct bao_value *ret, const struct bao_node *node)
{
    static const uint8_t types[] = {
        [BAO_NULL] = BAO_V_NULL,     [BAO_BOOL] = BAO_V_BOOL, [BAO_INT] = BAO_V_NUM, [BAO_DEC] = BAO_V_NUM,
        [BAO_STRING] = BAO_V_STRING, [BAO_LIST] = BAO_V_LIST, [BAO_MAP] = BAO_V_MAP,
    };

    ret->made = NULL;
    ret->is_double = false;
    ret->code = 0;
    if (node == NULL) {
        ret->type = BAO_V_ABSENT;
        return;
    }
    ret->type = types[node->type];
    ret->len = node->len;
    switch (node->type) {
    case BAO_BOOL:
        ret->boolean = node->boolean;
        break;
    case BAO_INT:
        ret->num.is_int = true;
        ret->num.i = node->i;
        ret->is_double = (node->style & BAO_STYLE_FLOAT) != 0;
        break;
    case BAO_DEC:
        ret->num.is_int = false;
        ret->num.d = node->dec;
        ret->is_double = true;
        break;
    case BAO_STRING:
        ret->str = node->str;
        break;
    default:
        ret->node = node;
        break;
    }
}

struct bao_value bao_value_of_node(const struct bao_node *node)
{
    struct bao_value v = {.type = BAO_V_ABSENT};

    bao_value_set(&v, node);
    return v;
}

const struct bao_node *bao_expr_path_node(const struct bao_expr_path *path, const struct bao_node *root)
{
    size_t done;
    const struct bao_node *node = root == NULL ? NULL : bao_ast_walk(root, path->steps, path->n_steps, &done);

    return node == NULL || done != path->n_steps ? NULL : node;
}

struct bao_value bao_value_item(struct bao_value list, size_t i)
{
    return list.made != NULL ? list.made[i] : bao_value_of_node(&list.node->items[i]);
}

bool bao_value_entry(struct bao_value map, size_t i, struct bao_value *ret_key, struct bao_value *ret_value)
{
    if (map.made != NULL) {
        *ret_key = map.made[2 * i];
        *ret_value = map.made[2 * i + 1];
        return true;
    }
    *ret_key = value_str(bao_member_key(&map.node->members[i]));
    *ret_value = bao_value_of_node(&map.node->members[i].value);
    return ret_value->type != BAO_V_NULL;
}

size_t bao_value_map_size(struct bao_value map)
{
    struct bao_value key, value;
    size_t n = 0;

    for (size_t i = 0; i < map.len; i++)
        n += bao_value_entry(map, i, &key, &value) ? 1 : 0;
    return n;
}

/* Keys are text, numbers and booleans. */
static bool key_equal(struct bao_value a, struct bao_value b)
{
    if (a.type != b.type)
        return false;
    if (a.type == BAO_V_STRING)
        return bao_str_eq(str_of_value(a), str_of_value(b));
    if (a.type == BAO_V_NUM)
        return bao_num_cmp(a.num, b.num) == 0;
    return a.type == BAO_V_BOOL && a.boolean == b.boolean;
}

static const struct bao_node *find_member(const struct bao_node *map, struct bao_str name, uint32_t hash)
{
    const struct bao_member *m = map->members;

    if (map->len > SCAN_MAX) {
        m = bao_node_member(map, name);
        return m == NULL ? NULL : &m->value;
    }
    for (const struct bao_member *end = m + map->len; m < end; m++)
        if (m->hash == hash && m->key_len == name.n && memcmp(m->key, name.p, name.n) == 0)
            return &m->value;
    return NULL;
}

const struct bao_node *bao_ast_walk(const struct bao_node *node, const struct bao_expr_step *steps, size_t n,
                                    size_t *ret_done)
{
    size_t i = 0;

    for (; i < n && node != NULL && node->type == BAO_MAP && steps[i].kind == BAO_STEP_FIELD; i++) {
        node = find_member(node, steps[i].name, steps[i].hash);
        if (node != NULL && node->type == BAO_NULL)
            node = NULL;
    }
    *ret_done = i;
    return node;
}

struct bao_value bao_value_field(struct bao_value map, struct bao_str name, uint32_t hash)
{
    const struct bao_node *node;

    if (map.made != NULL)
        return bao_value_get(map, value_str(name));
    node = map.len == 0 ? NULL : find_member(map.node, name, hash);
    return bao_value_of_node(node == NULL || node->type == BAO_NULL ? NULL : node);
}

struct bao_value bao_value_get(struct bao_value map, struct bao_value key)
{
    if (map.made == NULL) {
        if (key.type != BAO_V_STRING)
            return (struct bao_value){.type = BAO_V_ABSENT};
        return bao_value_field(map, str_of_value(key), bao_key_hash(key.str, key.len));
    }
    for (size_t i = 0; i < map.len; i++)
        if (key_equal(map.made[2 * i], key))
            return map.made[2 * i + 1];
    return (struct bao_value){.type = BAO_V_ABSENT};
}

static int list_equal(struct run *run, struct bao_value a, struct bao_value b)
{
    int r = 1;

    if (a.len != b.len)
        return 0;
    for (size_t i = 0; r == 1 && i < a.len; i++)
        r = bao_value_equal(run, bao_value_item(a, i), bao_value_item(b, i));
    return r;
}

static int map_equal(struct run *run, struct bao_value a, struct bao_value b)
{
    struct bao_value key, value, other;
    int r = 1;

    if (bao_value_map_size(a) != bao_value_map_size(b))
        return 0;
    for (size_t i = 0; r == 1 && i < a.len; i++) {
        if (!bao_value_entry(a, i, &key, &value))
            continue;
        if (!run_spend(run, b.len))
            return -1;
        other = bao_value_get(b, key);
        r = other.type == BAO_V_ABSENT ? 0 : bao_value_equal(run, value, other);
    }
    return r;
}

/* Text of a form: what the schema lets pass as an allowed word is that word here too. As bao_value_equal;
 * without memory it cannot be told either. */
static int text_equal(struct run *run, struct bao_str a, struct bao_str b)
{
    struct bao_str plain_a, plain_b;

    if (bao_str_eq(a, b))
        return 1;
    if (!run->scope->form_text)
        return 0;
    plain_a = bao_text_norm(run->arena, a);
    plain_b = bao_text_norm(run->arena, b);
    if (plain_a.p == NULL || plain_b.p == NULL)
        return -1;
    return bao_str_eq(plain_a, plain_b);
}

int bao_value_equal(struct run *run, struct bao_value a, struct bao_value b)
{
    if (!run_spend(run, 1 + (a.type == BAO_V_STRING ? a.len / 64 : 0)))
        return -1;
    if (a.type != b.type)
        return 0;
    switch (a.type) {
    case BAO_V_BOOL:
        return a.boolean == b.boolean;
    case BAO_V_NUM:
        return bao_num_cmp(a.num, b.num) == 0;
    case BAO_V_STRING:
        return text_equal(run, str_of_value(a), str_of_value(b));
    case BAO_V_LIST:
        return list_equal(run, a, b);
    case BAO_V_MAP:
        return map_equal(run, a, b);
    default:
        return a.type == BAO_V_NULL;
    }
}

/* One level of a list is shown; what stands deeper only by its kind. */
static int print_inner(struct bao_buf *out, struct bao_value v)
{
    if (v.type == BAO_V_LIST)
        return bao_buf_append_c(out, "[…]");
    if (v.type == BAO_V_MAP)
        return bao_buf_append_c(out, "{…}");
    return bao_value_print(out, v);
}

int bao_value_print(struct bao_buf *out, struct bao_value v)
{
    int r = 0;

    switch (v.type) {
    case BAO_V_BOOL:
        return bao_buf_append_c(out, v.boolean ? "true" : "false");
    case BAO_V_NUM:
        return bao_num_print(out, v.num);
    case BAO_V_STRING:
        return bao_buf_append_str(out, str_of_value(v));
    case BAO_V_LIST:
        for (size_t i = 0; r == 0 && i < v.len; i++) {
            if (i != 0)
                r = bao_buf_append_c(out, ", ");
            if (r == 0)
                r = print_inner(out, bao_value_item(v, i));
        }
        return r;
    case BAO_V_MAP:
        return bao_buf_append_c(out, "{…}");
    case BAO_V_NULL:
        return bao_buf_append_c(out, "null");
    default:
        return bao_buf_append_c(out, "?");
    }
}

static enum bao_presence presence_in_each(const struct bao_expr_step *steps, size_t n, struct bao_value list);

static enum bao_presence presence(const struct bao_expr_step *steps, size_t n, struct bao_value v)
{
    if (n != 0 && v.type == BAO_V_MAP && v.made == NULL && v.len != 0) {
        size_t done;

        v = bao_value_of_node(bao_ast_walk(v.node, steps, n, &done));
        steps += done;
        n -= done;
    }
    for (; n != 0; steps++, n--) {
        if (steps->kind == BAO_STEP_COMPUTED)
            return value_is_container(v) ? BAO_PATH_PRESENT : BAO_PATH_ABSENT;
        if (steps->kind == BAO_STEP_EACH)
            return presence_in_each(steps + 1, n - 1, v);
        if (steps->kind == BAO_STEP_FIELD && v.type == BAO_V_MAP)
            v = bao_value_field(v, steps->name, steps->hash);
        else if (steps->kind == BAO_STEP_INDEX && v.type == BAO_V_LIST && steps->index >= 0 &&
                 steps->index < v.len)
            v = bao_value_item(v, (size_t)steps->index);
        else
            return BAO_PATH_ABSENT;
    }
    return v.type == BAO_V_ABSENT || v.type == BAO_V_NULL ? BAO_PATH_ABSENT : BAO_PATH_PRESENT;
}

static enum bao_presence presence_in_each(const struct bao_expr_step *steps, size_t n, struct bao_value list)
{
    size_t absent = 0, present = 0;

    if (list.type == BAO_V_MAP)
        return BAO_PATH_PRESENT;
    if (list.type != BAO_V_LIST)
        return BAO_PATH_ABSENT;
    for (size_t i = 0; i < list.len; i++) {
        enum bao_presence one = presence(steps, n, bao_value_item(list, i));

        absent += one != BAO_PATH_PRESENT;
        present += one != BAO_PATH_ABSENT;
    }
    if (absent == 0)
        return BAO_PATH_PRESENT;
    return present == 0 ? BAO_PATH_ABSENT : BAO_PATH_PARTLY;
}

enum bao_presence bao_expr_path_presence(const struct bao_expr_path *path, struct bao_value root)
{
    return presence(path->steps, path->n_steps, root);
}
