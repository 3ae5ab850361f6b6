#include "lib/base/error.h"
#include "lib/base/utf8.h"
#include "lib/form/registry_parts.h"
#include "lib/text/catalogue.h"

enum { TREE_DEPTH_MAX = 32 };

/* One unit as read, with the lists that are linked once all units are known. */
struct unit_row {
    struct bao_unit unit;
    const struct bao_node *node, *groups, *parents, *was;
};

struct loader {
    const struct bao_reader *reader;
    struct bao_registry *r;
    struct unit_row *rows; /* by code, then from */
    size_t n_rows;
};

struct units_file {
    const struct bao_node *province, *trees, *kinds, *groups, *units;
};

static const struct bao_field file_fields[] = {
    {"province", BAO_F_MAP, true, offsetof(struct units_file, province), 0, 0, NULL},
    {"trees", BAO_F_LIST, false, offsetof(struct units_file, trees), -1, 0, NULL},
    {"kinds", BAO_F_LIST, false, offsetof(struct units_file, kinds), -1, 0, NULL},
    {"groups", BAO_F_LIST, false, offsetof(struct units_file, groups), -1, 0, NULL},
    {"units", BAO_F_LIST, true, offsetof(struct units_file, units), 0, 0, NULL},
};

static const struct bao_field unit_fields[] = {
    {"code", BAO_F_TEXT, true, offsetof(struct unit_row, unit.code), 0, 0, NULL},
    {"kind", BAO_F_TEXT, true, offsetof(struct unit_row, unit.kind), 0, 0, NULL},
    {"name", BAO_F_TEXT, true, offsetof(struct unit_row, unit.name), 0, 0, NULL},
    {"en", BAO_F_TEXT, false, offsetof(struct unit_row, unit.name_en), 0, 0, NULL},
    {"from", BAO_F_DATE, true, offsetof(struct unit_row, unit.from), 0, 0, NULL},
    {"to", BAO_F_DATE, false, offsetof(struct unit_row, unit.to), 0, 0, NULL},
    {"groups", BAO_F_LIST, false, offsetof(struct unit_row, groups), -1, 0, NULL},
    {"parents", BAO_F_MAP, false, offsetof(struct unit_row, parents), 0, 0, NULL},
    {"was", BAO_F_LIST, false, offsetof(struct unit_row, was), -1, 0, NULL},
};

bool bao_is_unit_code(struct bao_str s)
{
    if (s.n == 0 || s.n > 32)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!letter && (i == 0 || (c != '.' && c != '-')))
            return false;
    }
    return true;
}

/* Names of kinds, groups and trees: they stand in scope ids and forms. */
static bool is_id(struct bao_str s)
{
    if (s.n == 0 || s.n > 64 || s.p[0] < 'a' || s.p[0] > 'z')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return true;
}

static int out_of_memory(struct loader *l)
{
    l->reader->findings->no_memory = true;
    return -ENOMEM;
}

static bool check_code(const struct loader *l, const struct bao_node *map, struct bao_str code)
{
    if (bao_is_unit_code(code))
        return true;
    bao_finding_arg(bao_complain(l->reader, BAO_BC_UNIT_CODE, bao_node_get(map, "code")), code);
    return false;
}

/* ---- the province, trees, kinds and groups ---- */

/* Zones without summer time whose offset is a fact, so that dates stay a matter of arithmetic. */
static const struct {
    const char *name;
    int offset;
} zones[] = {{"Asia/Ho_Chi_Minh", BAO_VN_OFFSET}, {"UTC", 0}};

static void read_province(struct loader *l, const struct bao_node *node)
{
    static const struct bao_field fields[] = {
        {"code", BAO_F_TEXT, true, offsetof(struct bao_registry, province), 0, 0, NULL},
        {"name", BAO_F_TEXT, true, offsetof(struct bao_registry, name), 0, 0, NULL},
        {"en", BAO_F_TEXT, false, offsetof(struct bao_registry, name_en), 0, 0, NULL},
        {"timezone", BAO_F_TEXT, true, offsetof(struct bao_registry, timezone), 0, 0, NULL},
    };

    if (!bao_fields_read(l->reader, node, fields, BAO_COUNT(fields), l->r) ||
        !check_code(l, node, l->r->province))
        return;
    for (size_t i = 0; i < BAO_COUNT(zones); i++) {
        if (bao_str_is(l->r->timezone, zones[i].name)) {
            l->r->offset = zones[i].offset;
            return;
        }
    }
    bao_finding_arg(bao_complain(l->reader, BAO_BC_TIMEZONE, bao_node_get(node, "timezone")), l->r->timezone);
}

static const struct {
    const char *id, *vi, *en;
} known_kinds[] = {
    {"province", "Cấp tỉnh", "Province"},
    {"department", "Sở, ban, ngành", "Departments"},
    {"commune", "Xã", "Communes"},
    {"ward", "Phường", "Wards"},
    {"special-zone", "Đặc khu", "Special zones"},
    {"party-agency", "Cơ quan Đảng", "Party agencies"},
    {"front", "Mặt trận Tổ quốc", "Fatherland Front"},
    {"organisation", "Tổ chức chính trị - xã hội", "Socio-political organisations"},
    {"enterprise", "Doanh nghiệp nhà nước", "State enterprises"},
};

const char *bao_kind_title(struct bao_str id, enum bao_lang lang)
{
    for (size_t i = 0; i < BAO_COUNT(known_kinds); i++)
        if (bao_str_is(id, known_kinds[i].id))
            return lang == BAO_VI ? known_kinds[i].vi : known_kinds[i].en;
    return NULL;
}

static size_t kind_index(const struct bao_registry *r, struct bao_str id)
{
    size_t i = 0;

    while (i < r->n_kinds && !bao_str_eq(r->kinds[i].id, id))
        i++;
    return i;
}

static const struct bao_field named_fields[] = {
    {"id", BAO_F_TEXT, true, offsetof(struct bao_group, id), 0, 0, NULL},
    {"name", BAO_F_TEXT, true, offsetof(struct bao_group, name), 0, 0, NULL},
    {"en", BAO_F_TEXT, false, offsetof(struct bao_group, name_en), 0, 0, NULL},
};

/* One of kinds or groups: {id, name, en}. */
static bool read_named(struct loader *l, const struct bao_node *node, struct bao_group *ret)
{
    *ret = (struct bao_group){.name_en = BAO_STR_NULL};
    if (!bao_fields_read(l->reader, node, named_fields, BAO_COUNT(named_fields), ret))
        return false;
    if (is_id(ret->id))
        return true;
    bao_finding_arg(bao_complain(l->reader, BAO_BC_ID_SHAPE, bao_node_get(node, "id")), ret->id);
    return false;
}

static int read_kinds(struct loader *l, const struct bao_node *list)
{
    struct bao_registry *r = l->r;
    uint32_t own = list == NULL ? 0 : list->len;

    r->kinds = bao_arena_array(l->reader->arena, BAO_COUNT(known_kinds) + own, sizeof(*r->kinds));
    if (r->kinds == NULL)
        return out_of_memory(l);
    for (; r->n_kinds < BAO_COUNT(known_kinds); r->n_kinds++)
        r->kinds[r->n_kinds] =
            (struct bao_kind){bao_str_c(known_kinds[r->n_kinds].id), bao_str_c(known_kinds[r->n_kinds].vi),
                              bao_str_c(known_kinds[r->n_kinds].en)};
    for (uint32_t i = 0; i < own; i++) {
        struct bao_group kind;

        if (!read_named(l, &list->items[i], &kind))
            continue;
        if (kind_index(r, kind.id) < r->n_kinds)
            bao_finding_arg(bao_complain(l->reader, BAO_BC_FIELD_TWICE, &list->items[i]), kind.id);
        else
            r->kinds[r->n_kinds++] = (struct bao_kind){kind.id, kind.name, kind.name_en};
    }
    return 0;
}

static size_t group_index(const struct bao_registry *r, struct bao_str id)
{
    size_t i = 0;

    while (i < r->n_groups && !bao_str_eq(r->groups[i].id, id))
        i++;
    return i;
}

static int read_groups(struct loader *l, const struct bao_node *list)
{
    struct bao_registry *r = l->r;

    if (list == NULL)
        return 0;
    r->groups = bao_arena_array(l->reader->arena, list->len, sizeof(*r->groups));
    if (r->groups == NULL)
        return out_of_memory(l);
    for (uint32_t i = 0; i < list->len; i++) {
        struct bao_group group;

        if (!read_named(l, &list->items[i], &group))
            continue;
        if (group_index(r, group.id) < r->n_groups)
            bao_finding_arg(bao_complain(l->reader, BAO_BC_FIELD_TWICE, &list->items[i]), group.id);
        else
            r->groups[r->n_groups++] = group;
    }
    return 0;
}

static void read_trees(struct loader *l, const struct bao_node *list)
{
    if (list == NULL || !bao_texts_read(l->reader, list, "trees", false, &l->r->trees, &l->r->n_trees))
        return;
    for (size_t i = 0; i < l->r->n_trees; i++)
        if (!is_id(l->r->trees[i]))
            bao_finding_arg(bao_complain(l->reader, BAO_BC_ID_SHAPE, &list->items[i]), l->r->trees[i]);
}

/* ---- units, one by one ---- */

static void unknown_kind(struct loader *l, const struct unit_row *row)
{
    const struct bao_registry *r = l->r;
    struct bao_str *ids = bao_arena_array(l->reader->arena, r->n_kinds, sizeof(*ids));
    size_t near = r->n_kinds;
    struct bao_finding *f;

    for (size_t i = 0; ids != NULL && i < r->n_kinds; i++)
        ids[i] = r->kinds[i].id;
    if (ids != NULL)
        near = bao_nearest_str(l->reader->arena, row->unit.kind, ids, r->n_kinds);
    f = bao_complain(l->reader, near < r->n_kinds ? BAO_BC_KIND_UNKNOWN_NEAR : BAO_BC_KIND_UNKNOWN,
                     bao_node_get(row->node, "kind"));
    bao_finding_arg(f, row->unit.kind);
    bao_finding_arg(f, near < r->n_kinds ? r->kinds[near].id : BAO_STR_NULL);
}

static void window_arguments(struct loader *l, struct bao_finding *f, bao_date from, bao_date to)
{
    char a[16], b[16] = "…";

    bao_date_print(from, a);
    if (to != BAO_DATE_NONE)
        bao_date_print(to, b);
    bao_finding_arg(f, bao_arena_printf(l->reader->arena, "%s", a));
    bao_finding_arg(f, bao_arena_printf(l->reader->arena, "%s", b));
}

static bool check_row(struct loader *l, const struct unit_row *row)
{
    struct bao_finding *f;

    if (!check_code(l, row->node, row->unit.code))
        return false;
    if (kind_index(l->r, row->unit.kind) == l->r->n_kinds) {
        unknown_kind(l, row);
        return false;
    }
    if (row->unit.from == BAO_DATE_NONE) {
        bao_finding_arg(bao_complain(l->reader, BAO_BC_FIELD_MISSING, row->node), BAO_STR("from"));
        return false;
    }
    if (bao_window_end(row->unit.to) < row->unit.from) {
        f = bao_complain(l->reader, BAO_BC_UNIT_BACKWARD, row->node);
        bao_finding_arg(f, row->unit.code);
        window_arguments(l, f, row->unit.from, row->unit.to);
        return false;
    }
    return true;
}

static int read_unit(struct loader *l, const struct bao_node *node)
{
    struct unit_row row = {.node = node, .unit = {.from = BAO_DATE_NONE, .to = BAO_DATE_NONE}};
    struct bao_arena *arena = l->reader->arena;

    if (!bao_fields_read(l->reader, node, unit_fields, BAO_COUNT(unit_fields), &row) || !check_row(l, &row))
        return 0;
    row.unit.name = bao_utf8_nfc(arena, row.unit.name);
    row.unit.fold = bao_utf8_fold(arena, row.unit.name);
    if (row.unit.name.p == NULL || row.unit.fold.p == NULL)
        return out_of_memory(l);
    row.unit.at = bao_node_place(node);
    l->rows[l->n_rows++] = row;
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct unit_row *x = a, *y = b;
    int c = bao_str_cmp(x->unit.code, y->unit.code);

    if (c != 0)
        return c;
    if (x->unit.from != y->unit.from)
        return x->unit.from < y->unit.from ? -1 : 1;
    return (x->node->line > y->node->line) - (x->node->line < y->node->line);
}

/* Two entries of one code may follow each other, never stand at the same time. */
static void check_windows(struct loader *l)
{
    for (size_t i = 1; i < l->n_rows; i++) {
        const struct bao_unit *before = &l->rows[i - 1].unit, *u = &l->rows[i].unit;
        struct bao_finding *f;

        if (!bao_str_eq(before->code, u->code) || bao_window_end(before->to) < u->from)
            continue;
        f = bao_complain(l->reader, BAO_BC_UNIT_OVERLAP, l->rows[i].node);
        bao_finding_arg(f, u->code);
        bao_finding_arg(f, bao_arena_printf(l->reader->arena, "%u", l->rows[i - 1].node->line));
        window_arguments(l, f, before->from, before->to);
    }
}

static int read_units(struct loader *l, const struct bao_node *list)
{
    int result = 0;

    l->rows = bao_arena_array(l->reader->arena, list->len, sizeof(*l->rows));
    l->r->units = bao_arena_array(l->reader->arena, list->len, sizeof(*l->r->units));
    if (l->rows == NULL || l->r->units == NULL)
        return out_of_memory(l);
    for (uint32_t i = 0; i < list->len && result == 0; i++)
        result = read_unit(l, &list->items[i]);
    if (l->n_rows != 0)
        qsort(l->rows, l->n_rows, sizeof(*l->rows), compare_rows);
    check_windows(l);
    for (size_t i = 0; i < l->n_rows; i++)
        l->r->units[i] = l->rows[i].unit;
    l->r->n_units = l->n_rows;
    return result;
}

/* ---- links between units ---- */

static void unknown_unit(struct loader *l, const struct bao_node *at, struct bao_str code)
{
    bao_finding_arg(bao_complain(l->reader, BAO_BC_UNIT_UNKNOWN, at), code);
}

static void link_groups(struct loader *l, struct unit_row *row)
{
    struct bao_str *ids = bao_arena_array(l->reader->arena, l->r->n_groups, sizeof(*ids));

    if (row->groups == NULL || ids == NULL ||
        !bao_texts_read(l->reader, row->groups, "groups", false, &row->unit.groups, &row->unit.n_groups))
        return;
    for (size_t i = 0; i < l->r->n_groups; i++)
        ids[i] = l->r->groups[i].id;
    for (size_t i = 0; i < row->unit.n_groups; i++) {
        struct bao_str id = row->unit.groups[i];
        struct bao_finding *f;
        size_t near;

        if (group_index(l->r, id) < l->r->n_groups)
            continue;
        near = bao_nearest_str(l->reader->arena, id, ids, l->r->n_groups);
        f = bao_complain(l->reader, near < l->r->n_groups ? BAO_BC_GROUP_UNKNOWN_NEAR : BAO_BC_GROUP_UNKNOWN,
                         &row->groups->items[i]);
        bao_finding_arg(f, id);
        bao_finding_arg(f, near < l->r->n_groups ? ids[near] : BAO_STR_NULL);
    }
}

/* Is there an entry of the code on each day of the window? Entries are in the order of their days. */
static bool covers(const struct bao_registry *r, struct bao_str code, bao_date from, bao_date to)
{
    size_t n, first = bao_registry_entries(r, code, &n);

    for (size_t i = first; i < first + n; i++) {
        if (r->units[i].from > from)
            return false;
        if (bao_window_end(r->units[i].to) >= bao_window_end(to))
            return true;
        if (r->units[i].to >= from)
            from = r->units[i].to + 1;
    }
    return false;
}

static bool check_parent(struct loader *l, const struct unit_row *row, const struct bao_member *m)
{
    struct bao_str code = bao_node_str(&m->value);
    struct bao_finding *f;

    if (bao_str_eq(code, l->r->province) && bao_registry_any(l->r, code) == NULL)
        return true;
    if (bao_registry_any(l->r, code) == NULL) {
        unknown_unit(l, &m->value, code);
        return false;
    }
    if (covers(l->r, code, row->unit.from, row->unit.to))
        return true;
    f = bao_complain(l->reader, BAO_BC_PARENT_GONE, &m->value);
    bao_finding_arg(f, code);
    bao_finding_arg(f, row->unit.code);
    window_arguments(l, f, row->unit.from, row->unit.to);
    return false;
}

static bool is_tree(const struct bao_registry *r, struct bao_str id)
{
    for (size_t i = 0; i < r->n_trees; i++)
        if (bao_str_eq(r->trees[i], id))
            return true;
    return false;
}

static int link_parents(struct loader *l, struct unit_row *row)
{
    static const struct bao_field one = {"parents", BAO_F_TEXT, true, 0, 0, 0, NULL};
    struct bao_parent *parents;
    size_t n = 0;

    if (row->parents == NULL)
        return 0;
    parents = bao_arena_array(l->reader->arena, row->parents->len, sizeof(*parents));
    if (parents == NULL)
        return out_of_memory(l);
    for (uint32_t i = 0; i < row->parents->len; i++) {
        const struct bao_member *m = &row->parents->members[i];
        struct bao_str code;

        if (!is_tree(l->r, bao_member_key(m)))
            bao_finding_arg(bao_complain_key(l->reader, BAO_BC_TREE_UNKNOWN, m), bao_member_key(m));
        else if (bao_field_read(l->reader, &m->value, &one, &code) && check_parent(l, row, m))
            parents[n++] = (struct bao_parent){bao_member_key(m), code};
    }
    row->unit.parents = parents;
    row->unit.n_parents = n;
    return 0;
}

/* Does climbing from `code` in the tree come back to `start` (or never end)? */
static bool goes_round(const struct bao_registry *r, struct bao_parent at, struct bao_str start, int depth)
{
    size_t n, first = bao_registry_entries(r, at.code, &n);

    if (depth > TREE_DEPTH_MAX || bao_str_eq(at.code, start))
        return true;
    for (size_t i = first; i < first + n; i++)
        for (size_t k = 0; k < r->units[i].n_parents; k++)
            if (bao_str_eq(r->units[i].parents[k].tree, at.tree) &&
                goes_round(r, r->units[i].parents[k], start, depth + 1))
                return true;
    return false;
}

static void check_cycles(struct loader *l)
{
    for (size_t i = 0; i < l->r->n_units; i++) {
        const struct bao_unit *u = &l->r->units[i];

        for (size_t k = 0; k < u->n_parents; k++) {
            struct bao_finding *f;

            if (!goes_round(l->r, u->parents[k], u->code, 0))
                continue;
            f = bao_complain(l->reader, BAO_BC_PARENT_CYCLE, l->rows[i].parents);
            bao_finding_arg(f, u->code);
            bao_finding_arg(f, u->parents[k].tree);
            return; /* every unit of the circle would say the same */
        }
    }
}

/* ---- predecessors ---- */

struct was_row {
    struct bao_str code;
    const struct bao_node *share;
};

static const struct bao_field was_fields[] = {
    {"code", BAO_F_TEXT, true, offsetof(struct was_row, code), 0, 0, NULL},
    {"share", BAO_F_ANY, false, offsetof(struct was_row, share), 0, 0, NULL},
};

static bool read_share(struct loader *l, const struct bao_node *node, struct bao_was *was)
{
    was->whole = node == NULL;
    was->share = bao_num_int(0);
    if (was->whole || (node->type == BAO_STRING && bao_str_is(bao_node_str(node), "unknown")))
        return true;
    if (bao_node_is_number(node)) {
        was->share = bao_node_num(node);
        if (bao_num_sign(was->share) > 0 && bao_num_cmp(was->share, bao_num_int(1)) <= 0)
            return true;
    }
    bao_finding_arg(bao_complain(l->reader, BAO_BC_WAS_SHARE, node), bao_spelling(l->reader, node));
    return false;
}

/* A predecessor stands in the register with its own dates; taken over whole, it has ended by then. */
static bool check_was(struct loader *l, const struct unit_row *row, const struct bao_node *node,
                      struct bao_was *was)
{
    size_t n, first = bao_registry_entries(l->r, was->code, &n);
    const struct bao_unit *last = n == 0 ? NULL : &l->r->units[first + n - 1];
    unsigned code = 0;
    struct bao_finding *f;

    if (last == NULL)
        code = BAO_BC_WAS_UNKNOWN;
    else if (bao_str_eq(was->code, row->unit.code))
        code = BAO_BC_WAS_SELF;
    else if (l->r->units[first].from >= row->unit.from)
        code = BAO_BC_WAS_LATER;
    else if (was->whole && bao_window_end(last->to) >= row->unit.from)
        code = BAO_BC_WAS_ALIVE;
    if (code == 0)
        return true;
    f = bao_complain(l->reader, code, node);
    bao_finding_arg(f, was->code);
    bao_finding_arg(f, row->unit.code);
    return false;
}

static int link_was(struct loader *l, struct unit_row *row)
{
    struct bao_was *list;
    size_t n = 0;

    if (row->was == NULL)
        return 0;
    list = bao_arena_array(l->reader->arena, row->was->len, sizeof(*list));
    if (list == NULL)
        return out_of_memory(l);
    for (uint32_t i = 0; i < row->was->len; i++) {
        const struct bao_node *node = &row->was->items[i];
        struct was_row w = {.share = NULL};
        struct bao_was was;

        if (!bao_fields_read(l->reader, node, was_fields, BAO_COUNT(was_fields), &w))
            continue;
        was.code = w.code;
        if (read_share(l, w.share, &was) && check_was(l, row, node, &was))
            list[n++] = was;
    }
    row->unit.was = list;
    row->unit.n_was = n;
    return 0;
}

struct part {
    struct bao_str code;
    struct bao_num share;
    const struct bao_node *node;
};

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    int c = bao_str_cmp(x->code, y->code);

    return c != 0 ? c : (x->node->line > y->node->line) - (x->node->line < y->node->line);
}

/* What is given away of one unit is at most the whole of it. */
static int check_shares(struct loader *l)
{
    struct bao_num sum = bao_num_int(0);
    struct part *parts;
    size_t n = 0;

    for (size_t i = 0; i < l->n_rows; i++)
        n += l->rows[i].unit.n_was;
    parts = bao_arena_array(l->reader->arena, n, sizeof(*parts));
    if (parts == NULL)
        return out_of_memory(l);
    n = 0;
    for (size_t i = 0; i < l->n_rows; i++)
        for (size_t k = 0; k < l->rows[i].unit.n_was; k++) {
            const struct bao_was *was = &l->rows[i].unit.was[k];

            parts[n++] = (struct part){was->code, was->whole ? bao_num_int(1) : was->share, l->rows[i].was};
        }
    if (n != 0)
        qsort(parts, n, sizeof(*parts), compare_parts);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && !bao_str_eq(parts[i - 1].code, parts[i].code))
            sum = bao_num_int(0);
        if (bao_num_add(l->reader->arena, sum, parts[i].share, &sum) != 0)
            return out_of_memory(l);
        if (bao_num_cmp(sum, bao_num_int(1)) > 0)
            bao_finding_arg(bao_complain(l->reader, BAO_BC_WAS_OVER, parts[i].node), parts[i].code);
    }
    return 0;
}

static int link_units(struct loader *l)
{
    int result = 0;

    for (size_t i = 0; i < l->n_rows && result == 0; i++) {
        link_groups(l, &l->rows[i]);
        result = link_parents(l, &l->rows[i]);
        if (result == 0)
            result = link_was(l, &l->rows[i]);
        l->r->units[i] = l->rows[i].unit;
    }
    if (result != 0)
        return result;
    check_cycles(l);
    return check_shares(l);
}

/* ---- the files together ---- */

static int read_units_file(const struct bao_reader *reader, struct bao_registry *r)
{
    struct loader l = {.reader = reader, .r = r};
    struct units_file file = {NULL, NULL, NULL, NULL, NULL};
    int result;

    if (!bao_fields_read(reader, reader->root, file_fields, BAO_COUNT(file_fields), &file))
        return reader->findings->no_memory ? -ENOMEM : 0;
    read_province(&l, file.province);
    read_trees(&l, file.trees);
    result = read_kinds(&l, file.kinds);
    if (result == 0)
        result = read_groups(&l, file.groups);
    if (result == 0)
        result = read_units(&l, file.units);
    return result == 0 ? link_units(&l) : result;
}

static struct bao_reader reader_of(struct bao_arena *arena, const struct bao_registry_file *file)
{
    return (struct bao_reader){arena, file->findings, &file->doc->root, file->doc->source};
}

static bool is_good(const struct bao_registry_file *file)
{
    return file->doc == NULL || file->findings->by_severity[BAO_ERROR] == 0;
}

static int read_other_files(struct bao_arena *arena, const struct bao_registry_files *files,
                            struct bao_registry *r)
{
    struct bao_reader reader;
    int result = 0;

    r->holidays.known_to = BAO_DATE_NONE;
    if (files->holidays.doc != NULL) {
        reader = reader_of(arena, &files->holidays);
        result = bao_holidays_load(&reader, &r->holidays);
    }
    if (result >= 0 && files->programmes.doc != NULL) {
        reader = reader_of(arena, &files->programmes);
        result = bao_programmes_read(&reader, r);
    }
    if (result >= 0 && files->targets.doc != NULL) {
        reader = reader_of(arena, &files->targets);
        result = bao_targets_read(&reader, r);
    }
    return result < 0 ? result : 0; /* what is wrong with a file stands in its findings */
}

int bao_registry_load(struct bao_arena *arena, const struct bao_registry_files *files,
                      struct bao_registry *ret)
{
    struct bao_reader reader = reader_of(arena, &files->units);
    struct bao_registry r = {.n_units = 0};
    int result = read_units_file(&reader, &r);

    if (result == 0 && is_good(&files->units))
        result = bao_registry_link(arena, &r);
    if (result == 0)
        result = read_other_files(arena, files, &r);
    if (result != 0)
        return result;
    if (!is_good(&files->units) || !is_good(&files->holidays) || !is_good(&files->targets) ||
        !is_good(&files->programmes))
        return BAO_REGISTRY_E_BAD;
    *ret = r;
    return 0;
}
