/* targets.yaml and programmes.yaml. */
#include "lib/base/error.h"
#include "lib/form/registry_parts.h"
#include "lib/text/catalogue.h"

struct list_file {
    const struct bao_node *items;
};

/* ---- programmes ---- */

static const struct bao_field programme_fields[] = {
    {"id", BAO_F_TEXT, true, offsetof(struct bao_programme, id), 0, 0, NULL},
    {"title", BAO_F_TEXT2, true, offsetof(struct bao_programme, title), 0, 0, NULL},
    {"basis", BAO_F_TEXT, false, offsetof(struct bao_programme, basis), 0, 0, NULL},
};

int bao_programmes_read(const struct bao_reader *reader, struct bao_registry *r)
{
    static const struct bao_field fields[] = {
        {"programmes", BAO_F_LIST, true, offsetof(struct list_file, items), 0, 0, NULL},
    };
    struct list_file file = {NULL};

    if (!bao_fields_read(reader, reader->root, fields, BAO_COUNT(fields), &file))
        return 0;
    r->programmes = bao_arena_array(reader->arena, file.items->len, sizeof(*r->programmes));
    if (r->programmes == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < file.items->len; i++) {
        struct bao_programme p = {.basis = BAO_STR_NULL};
        size_t k = 0;

        if (!bao_fields_read(reader, &file.items->items[i], programme_fields, BAO_COUNT(programme_fields),
                             &p))
            continue;
        while (k < r->n_programmes && !bao_str_eq(r->programmes[k].id, p.id))
            k++;
        if (k < r->n_programmes)
            bao_finding_arg(bao_complain(reader, BAO_BC_FIELD_TWICE, &file.items->items[i]), p.id);
        else
            r->programmes[r->n_programmes++] = p;
    }
    return 0;
}

/* ---- targets ---- */

struct target_row {
    struct bao_target target;
    const struct bao_node *node;
};

static const struct bao_field target_fields[] = {
    {"form", BAO_F_TEXT, true, offsetof(struct bao_target, form), 0, 0, NULL},
    {"code", BAO_F_TEXT, true, offsetof(struct bao_target, code), 0, 0, NULL},
    {"unit", BAO_F_TEXT, false, offsetof(struct bao_target, unit), 0, 0, NULL},
    {"scope", BAO_F_TEXT, false, offsetof(struct bao_target, scope), 0, 0, NULL},
    {"year", BAO_F_INT, true, offsetof(struct bao_target, year), 1900, 2999, NULL},
    {"value", BAO_F_NUMBER, true, offsetof(struct bao_target, value), 0, 0, NULL},
    {"basis", BAO_F_TEXT, false, offsetof(struct bao_target, basis), 0, 0, NULL},
};

static void unknown_scope(const struct bao_reader *reader, const struct bao_registry *r,
                          const struct target_row *row)
{
    struct bao_str *ids = bao_arena_array(reader->arena, r->n_scopes, sizeof(*ids));
    const struct bao_node *node = bao_node_get(row->node, "scope");
    size_t near = r->n_scopes;
    struct bao_finding *f;

    for (size_t i = 0; ids != NULL && i < r->n_scopes; i++)
        ids[i] = r->scopes[i].id;
    if (ids != NULL)
        near = bao_nearest_str(reader->arena, row->target.scope, ids, r->n_scopes);
    f = bao_complain(reader, near < r->n_scopes ? BAO_BC_SCOPE_UNKNOWN_NEAR : BAO_BC_SCOPE_UNKNOWN, node);
    bao_finding_arg(f, row->target.scope);
    bao_finding_arg(f, near < r->n_scopes ? r->scopes[near].id : BAO_STR_NULL);
}

/* A target names one unit or one scope that exists. */
static bool is_for_somebody(const struct bao_reader *reader, const struct bao_registry *r,
                            const struct target_row *row)
{
    const struct bao_target *t = &row->target;

    if ((t->unit.n != 0) == (t->scope.n != 0)) {
        bao_complain(reader, BAO_BC_TARGET_WHOSE, row->node);
        return false;
    }
    if (t->unit.n != 0 && bao_registry_any(r, t->unit) == NULL) {
        bao_finding_arg(bao_complain(reader, BAO_BC_UNIT_UNKNOWN, bao_node_get(row->node, "unit")), t->unit);
        return false;
    }
    if (t->scope.n != 0 && bao_registry_scope(r, t->scope) < 0) {
        unknown_scope(reader, r, row);
        return false;
    }
    return true;
}

static int compare_targets(const void *a, const void *b)
{
    const struct bao_target *x = &((const struct target_row *)a)->target,
                            *y = &((const struct target_row *)b)->target;
    int c = bao_str_cmp(x->form, y->form);

    c = c != 0 ? c : bao_str_cmp(x->code, y->code);
    c = c != 0 ? c : bao_str_cmp(x->unit, y->unit);
    c = c != 0 ? c : bao_str_cmp(x->scope, y->scope);
    return c != 0 ? c : (x->year > y->year) - (x->year < y->year);
}

/* Puts the rows into the registry in order, complaining of those that say the same thing twice. */
static int keep_targets(const struct bao_reader *reader, struct target_row *rows, size_t n,
                        struct bao_registry *r)
{
    r->targets = bao_arena_array(reader->arena, n, sizeof(*r->targets));
    if (r->targets == NULL)
        return -ENOMEM;
    if (n != 0)
        qsort(rows, n, sizeof(*rows), compare_targets);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && compare_targets(&rows[i - 1], &rows[i]) == 0) {
            struct bao_finding *f = bao_complain(reader, BAO_BC_TARGET_TWICE, rows[i].node);

            bao_finding_arg(f, rows[i].target.code);
            bao_finding_arg(f, bao_arena_printf(reader->arena, "%d", rows[i].target.year));
            bao_finding_arg(f, bao_arena_printf(reader->arena, "%u", rows[i - 1].node->line));
        } else {
            r->targets[r->n_targets++] = rows[i].target;
        }
    }
    return 0;
}

int bao_targets_read(const struct bao_reader *reader, struct bao_registry *r)
{
    static const struct bao_field fields[] = {
        {"targets", BAO_F_LIST, true, offsetof(struct list_file, items), -1, 0, NULL},
    };
    struct list_file file = {NULL};
    struct target_row *rows;
    size_t n = 0;

    if (!bao_fields_read(reader, reader->root, fields, BAO_COUNT(fields), &file))
        return 0;
    rows = bao_arena_array(reader->arena, file.items->len, sizeof(*rows));
    if (rows == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < file.items->len; i++) {
        struct target_row row = {.node = &file.items->items[i]};

        if (bao_fields_read(reader, row.node, target_fields, BAO_COUNT(target_fields), &row.target) &&
            is_for_somebody(reader, r, &row)) {
            row.target.at = bao_node_place(row.node);
            rows[n++] = row;
        }
    }
    return keep_targets(reader, rows, n, r);
}
