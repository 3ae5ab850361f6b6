#include "lib/form/parts.h"

#include "lib/text/catalogue.h"

/* Items beyond this many are bounded by the schema's maxItems, whose finding stands already. */
enum { KEYED_MAX = 100000 };

struct visit {
    const struct bao_reader *reader;
    const struct bao_part *part;
    bool is_ours;
};

static void arg_title(struct bao_finding *f, const struct bao_part *part)
{
    if (part->title.vi.n == 0)
        bao_finding_arg(f, part->path.steps[part->path.n - 1]);
    else
        bao_finding_arg2(f, part->title.vi, part->title.en.n != 0 ? part->title.en : part->title.vi);
}

/* Walks to every map that may hold the part's last step; depth is that of the form's path. */
static void visit(const struct visit *v, const struct bao_node *node, size_t at)
{
    struct bao_str step = v->part->path.steps[at];
    const struct bao_member *m;
    struct bao_finding *f;

    if (bao_str_is(step, "*")) {
        for (uint32_t i = 0; node->type == BAO_LIST && i < node->len && at + 1 < v->part->path.n; i++)
            visit(v, &node->items[i], at + 1);
        return;
    }
    if (node->type != BAO_MAP)
        return;
    m = bao_node_member(node, step);
    if (at + 1 < v->part->path.n) {
        if (m != NULL)
            visit(v, &m->value, at + 1);
    } else if (m != NULL && !v->is_ours) {
        f = bao_complain_key(v->reader, BAO_BC_REPORT_PART_NOT_OURS, m);
        arg_title(f, v->part);
    } else if (m == NULL && v->is_ours && v->part->required) {
        f = bao_complain(v->reader, BAO_BC_REPORT_PART_MISSING, node);
        arg_title(f, v->part);
        bao_finding_arg(f, step);
    }
}

void bao_judge_parts(const struct bao_reader *reader, const struct bao_form *form, const struct bao_node *data,
                     struct bao_str kind)
{
    for (size_t i = 0; i < form->n_parts; i++) {
        const struct visit v = {reader, &form->parts[i],
                                bao_kind_in(kind, form->parts[i].kinds, form->parts[i].n_kinds)};

        visit(&v, data, 0);
    }
}

/* ---- x-key ---- */

static int by_value(const void *a, const void *b)
{
    const struct bao_node *const *x = a, *const *y = b;
    int c = bao_node_cmp(*x, *y);

    return c != 0 ? c : (*x > *y) - (*x < *y);
}

static void tell_twins(const struct bao_reader *reader, const struct bao_node **keys, size_t n, struct bao_str name)
{
    qsort(keys, n, sizeof(*keys), by_value);
    for (size_t i = 1; i < n; i++) {
        struct bao_finding *f;

        if (!bao_node_equal(keys[i - 1], keys[i]))
            continue;
        f = bao_complain(reader, BAO_BC_REPORT_KEY_TWICE, keys[i]);
        bao_finding_arg(f, name);
        bao_finding_arg(f, bao_spelling(reader, keys[i]));
        bao_finding_arg(f, bao_arena_printf(reader->arena, "%u", keys[i - 1]->line));
    }
}

static void judge_list(const struct bao_reader *reader, const struct bao_node *list, struct bao_str key)
{
    const struct bao_node **keys;
    size_t n = 0;

    if (list->type != BAO_LIST || list->len > KEYED_MAX)
        return;
    keys = bao_arena_array(reader->arena, list->len, sizeof(struct bao_node *));
    if (keys == NULL) {
        reader->findings->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < list->len; i++) {
        const struct bao_member *m = bao_node_member(&list->items[i], key);

        if (m != NULL)
            keys[n++] = &m->value;
        else if (list->items[i].type == BAO_MAP)
            bao_finding_arg2(bao_complain(reader, BAO_BC_REPORT_KEY_MISSING, &list->items[i]), key, BAO_STR_NULL);
    }
    tell_twins(reader, keys, n, key);
}

static void find_lists(const struct bao_reader *reader, const struct bao_node *node, struct bao_data_path path,
                       struct bao_str key)
{
    const struct bao_member *m;

    if (path.n == 0) {
        judge_list(reader, node, key);
    } else if (bao_str_is(path.steps[0], "*")) {
        for (uint32_t i = 0; node->type == BAO_LIST && i < node->len; i++)
            find_lists(reader, &node->items[i], (struct bao_data_path){path.steps + 1, path.n - 1}, key);
    } else if ((m = bao_node_member(node, path.steps[0])) != NULL) {
        find_lists(reader, &m->value, (struct bao_data_path){path.steps + 1, path.n - 1}, key);
    }
}

void bao_judge_keys(const struct bao_reader *reader, const struct bao_form *form, const struct bao_node *data)
{
    for (size_t i = 0; i < form->n_keyed; i++)
        find_lists(reader, data, form->keyed[i].path, form->keyed[i].key);
}
