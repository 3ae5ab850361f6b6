#include "lib/form/checks.h"
#include "lib/form/form_load.h"

#include "lib/base/error.h"
#include "lib/text/catalogue.h"

enum { INDICATORS_MAX = 500, COLLECT_MAX = 50, CODE_MAX = 64, YEAR_MIN = 2000, YEAR_MAX = 2100 };

static bool no_memory(struct bao_form_loader *l)
{
    l->reader.findings->no_memory = true;
    return false;
}

/* One row of indicators: as written. */
struct row {
    struct bao_str code, same_as;
    struct bao_text2 label, measure;
    const struct bao_node *value, *ratio, *target, *alert;
    int decimals;
    uint8_t over_units, over_time, direction;
};

struct ratio {
    struct bao_str of, to;
    bool percent;
};

static const char *const over_units[] = {"sum", "none", NULL};
static const char *const over_times[] = {"sum", "last", "none", NULL};
static const char *const directions[] = {"up", "down", NULL};

static const struct bao_field row_fields[] = {
    {"code", BAO_F_TEXT, true, offsetof(struct row, code), 0, 0, NULL},
    {"label", BAO_F_TEXT2, true, offsetof(struct row, label), 0, 0, NULL},
    {"measure", BAO_F_TEXT2, false, offsetof(struct row, measure), 0, 0, NULL},
    {"value", BAO_F_ANY, false, offsetof(struct row, value), 0, 0, NULL},
    {"ratio", BAO_F_MAP, false, offsetof(struct row, ratio), 0, 0, NULL},
    {"decimals", BAO_F_INT, false, offsetof(struct row, decimals), 0, 6, NULL},
    {"over_units", BAO_F_WORD, false, offsetof(struct row, over_units), 0, 0, over_units},
    {"over_time", BAO_F_WORD, false, offsetof(struct row, over_time), 0, 0, over_times},
    {"target", BAO_F_MAP, false, offsetof(struct row, target), 0, 0, NULL},
    {"direction", BAO_F_WORD, false, offsetof(struct row, direction), 0, 0, directions},
    {"alert", BAO_F_MAP, false, offsetof(struct row, alert), 0, 0, NULL},
    {"same_as", BAO_F_TEXT, false, offsetof(struct row, same_as), 0, 0, NULL},
};

enum { NOT_SAID = 255 };

static bool is_code(struct bao_str s)
{
    size_t dots = 0;

    if (s.n == 0 || s.n > CODE_MAX || s.p[0] < 'a' || s.p[0] > 'z' || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        dots += s.p[i] == '.';
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_' ||
              s.p[i] == '.'))
            return false;
    }
    return dots <= 1;
}

static bool check_code(struct bao_form_loader *l, const struct bao_node *map, struct bao_str code)
{
    const struct bao_form *f = l->form;
    const struct bao_node *at = bao_node_get(map, "code");
    struct bao_finding *finding;

    if (!is_code(code)) {
        bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_CODE, at), code);
        return false;
    }
    for (size_t i = 0; i < f->n_indicators; i++)
        if (bao_str_eq(f->indicators[i].code, code)) {
            finding = bao_complain(&l->reader, BAO_BC_FORM_CODE_TWICE, at);
            bao_finding_arg(finding, code);
            bao_finding_arg(finding, bao_arena_printf(&l->form->arena, "%u", f->indicators[i].at.line));
            return false;
        }
    return true;
}

static bool read_targets(struct bao_form_loader *l, const struct bao_node *map, struct bao_indicator *ind)
{
    static const struct bao_field number = {"target", BAO_F_NUMBER, false, 0, 0, 0, NULL};
    bool ok = true;

    ind->targets = bao_arena_array(&l->form->arena, map->len, sizeof(*ind->targets));
    if (ind->targets == NULL)
        return no_memory(l);
    for (uint32_t i = 0; i < map->len; i++) {
        struct bao_str key = bao_member_key(&map->members[i]);
        int year = 0;

        for (size_t k = 0; k < key.n && k < 4; k++)
            year = key.p[k] >= '0' && key.p[k] <= '9' ? year * 10 + (key.p[k] - '0') : -1000000;
        if (key.n != 4 || year < YEAR_MIN || year > YEAR_MAX) {
            bao_finding_arg(bao_complain_key(&l->reader, BAO_BC_FORM_TARGET_YEAR, &map->members[i]), key);
            ok = false;
            continue;
        }
        ind->targets[ind->n_targets].year = year;
        ok &=
            bao_field_read(&l->reader, &map->members[i].value, &number, &ind->targets[ind->n_targets].value);
        ind->n_targets++;
    }
    return ok;
}

static bool read_alert(struct bao_form_loader *l, const struct bao_node *map, struct bao_indicator *ind)
{
    static const struct bao_field rows[] = {
        {"below", BAO_F_NUMBER, false, offsetof(struct bao_indicator, alert_below), 0, 0, NULL},
        {"above", BAO_F_NUMBER, false, offsetof(struct bao_indicator, alert_above), 0, 0, NULL},
    };

    ind->has_alert_below = bao_node_get(map, "below") != NULL;
    ind->has_alert_above = bao_node_get(map, "above") != NULL;
    return bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), ind);
}

static bool check_same_as(struct bao_form_loader *l, const struct bao_node *map, struct bao_str s)
{
    const char *slash = s.n == 0 ? NULL : memchr(s.p, '/', s.n);

    if (s.n == 0 || (slash != NULL && slash != s.p &&
                     is_code((struct bao_str){slash + 1, s.n - (size_t)(slash + 1 - s.p)})))
        return true;
    bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_SAME_AS, bao_node_get(map, "same_as")), s);
    return false;
}

/* A ratio is rounded where it is shown and adds up by its parts: keys that say otherwise are mistakes. */
static bool check_ratio_keys(struct bao_form_loader *l, const struct bao_node *map, struct bao_str code)
{
    static const char *const keys[] = {"over_units", "over_time"};
    struct bao_finding *finding;
    bool ok = true;

    for (size_t i = 0; i < BAO_COUNT(keys); i++) {
        const struct bao_member *m = bao_node_member(map, bao_str_c(keys[i]));

        if (m == NULL)
            continue;
        finding = bao_complain_key(&l->reader, BAO_BC_FORM_RATIO_KEY, m);
        bao_finding_arg(finding, code);
        bao_finding_arg(finding, bao_str_c(keys[i]));
        ok = false;
    }
    return ok;
}

static bool read_row(struct bao_form_loader *l, const struct bao_node *map, struct bao_indicator *ret)
{
    struct row row = {
        .decimals = -1, .over_units = BAO_OVER_SUM, .over_time = BAO_OVER_SUM, .direction = NOT_SAID};
    struct bao_indicator ind = {.at = bao_node_place(map)};
    bool ok;

    if (!bao_fields_read(&l->reader, map, row_fields, BAO_COUNT(row_fields), &row) ||
        !check_code(l, map, row.code))
        return false;
    if ((row.value == NULL) == (row.ratio == NULL)) {
        bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_VALUE_OR_RATIO, map), row.code);
        return false;
    }
    ind.code = row.code;
    ind.label = row.label;
    ind.measure = row.measure;
    ind.is_ratio = row.ratio != NULL;
    ind.decimals = row.decimals >= 0 ? row.decimals : ind.is_ratio ? 2 : 0;
    ind.over_units = row.over_units == 1 ? BAO_OVER_NONE : BAO_OVER_SUM;
    ind.over_time = row.over_time;
    ind.direction = row.direction == NOT_SAID ? 0 : row.direction == 0 ? 1 : -1;
    ind.same_as = row.same_as;
    ok = check_same_as(l, map, row.same_as);
    if (row.target != NULL)
        ok &= read_targets(l, row.target, &ind);
    if (row.alert != NULL)
        ok &= read_alert(l, row.alert, &ind);
    if (ind.is_ratio)
        ok &= check_ratio_keys(l, map, row.code);
    *ret = ind;
    return ok;
}

/* ", gần nhất là …" for the mending of an unknown name; empty when none is near. */
static void arg_nearest(struct bao_form_loader *l, struct bao_finding *finding, struct bao_str near)
{
    if (near.n == 0)
        bao_finding_arg(finding, BAO_STR(""));
    else
        bao_finding_arg2(finding,
                         bao_arena_printf(&l->form->arena, "; có phải là “%.*s” không?", BAO_STR_ARG(near)),
                         bao_arena_printf(&l->form->arena, "; did you mean “%.*s”?", BAO_STR_ARG(near)));
}

static bool find_part(struct bao_form_loader *l, const struct bao_node *at, const struct bao_indicator *ratio,
                      struct bao_str code, uint16_t *ret)
{
    const struct bao_form *f = l->form;
    struct bao_str *codes = bao_arena_array(&l->form->arena, f->n_indicators, sizeof(*codes));
    struct bao_finding *finding;
    size_t n = 0, near;

    if (codes == NULL)
        return no_memory(l);
    for (size_t i = 0; i < f->n_indicators; i++) {
        if (f->indicators[i].is_ratio)
            continue;
        if (bao_str_eq(f->indicators[i].code, code)) {
            *ret = (uint16_t)i;
            return true;
        }
        codes[n++] = f->indicators[i].code;
    }
    near = bao_nearest_str(&l->form->arena, code, codes, n);
    finding = bao_complain(&l->reader, BAO_BC_FORM_RATIO_PART, at);
    bao_finding_arg(finding, ratio->code);
    bao_finding_arg(finding, code);
    arg_nearest(l, finding, near < n ? codes[near] : BAO_STR_NULL);
    return false;
}

/* A ratio goes on through time as its parts do; when they differ it has no meaning over several periods. */
static uint8_t of_both(const struct bao_indicator *of, const struct bao_indicator *to)
{
    return of->over_time == to->over_time ? of->over_time : BAO_OVER_NONE;
}

static bool read_ratio(struct bao_form_loader *l, const struct bao_node *map, struct bao_indicator *ind)
{
    static const struct bao_field rows[] = {
        {"of", BAO_F_TEXT, true, offsetof(struct ratio, of), 0, 0, NULL},
        {"to", BAO_F_TEXT, true, offsetof(struct ratio, to), 0, 0, NULL},
        {"percent", BAO_F_BOOL, false, offsetof(struct ratio, percent), 0, 0, NULL},
    };
    struct ratio raw = {.percent = false};
    bool ok;

    if (!bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &raw))
        return false;
    ind->percent = raw.percent;
    ok = find_part(l, bao_node_get(map, "of"), ind, raw.of, &ind->of);
    ok = find_part(l, bao_node_get(map, "to"), ind, raw.to, &ind->to) && ok;
    if (ok)
        ind->over_time = of_both(&l->form->indicators[ind->of], &l->form->indicators[ind->to]);
    return ok;
}

bool bao_form_read_indicators(struct bao_form_loader *l, const struct bao_node *list)
{
    struct bao_form *f = l->form;
    struct bao_indicator *items;
    struct bao_finding *finding;
    bool ok = true;

    if (list == NULL || list->len == 0)
        return true;
    if (list->len > INDICATORS_MAX) {
        finding = bao_complain(&l->reader, BAO_BC_FORM_TOO_MANY, list);
        bao_finding_arg(finding, BAO_STR("indicators"));
        bao_finding_arg(finding, bao_arena_printf(&f->arena, "%u", list->len));
        bao_finding_arg(finding, bao_arena_printf(&f->arena, "%d", (int)INDICATORS_MAX));
        return false;
    }
    items = bao_arena_array(&f->arena, list->len, sizeof(*items));
    if (items == NULL)
        return no_memory(l);
    f->indicators = items;
    for (uint32_t i = 0; i < list->len; i++) {
        ok &= read_row(l, &list->items[i], &items[i]);
        f->n_indicators = i + 1;
    }
    for (uint32_t i = 0; i < list->len; i++)
        if (items[i].is_ratio)
            ok &= read_ratio(l, bao_node_get(&list->items[i], "ratio"), &items[i]);
    return ok;
}

/* ---- expressions and who has the fields ---- */

/* The place in the data that an expression's path reads. */
static bool data_path_of(struct bao_form_loader *l, const struct bao_expr_path *p, struct bao_data_path *ret)
{
    struct bao_str *steps = bao_arena_array(&l->form->arena, p->n_steps, sizeof(*steps));

    if (steps == NULL)
        return no_memory(l);
    for (size_t i = 0; i < p->n_steps; i++)
        steps[i] = p->steps[i].kind == BAO_STEP_FIELD ? p->steps[i].name : BAO_STR("*");
    *ret = (struct bao_data_path){steps, p->n_steps};
    return true;
}

static bool reads_personal(struct bao_form_loader *l, const struct bao_node *value,
                           const struct bao_indicator *ind, struct bao_data_path path)
{
    const struct bao_form *f = l->form;
    struct bao_finding *finding;

    for (size_t i = 0; i < f->n_personal; i++)
        if (bao_data_path_within(path, f->personal[i])) {
            finding = bao_complain(&l->reader, BAO_BC_FORM_PERSONAL_FIGURE, value);
            bao_finding_arg(finding, ind->code);
            bao_finding_arg(finding, path.n != 0 ? path.steps[path.n - 1] : BAO_STR("self"));
            return true;
        }
    return false;
}

static bool settle_kinds(struct bao_form_loader *l, const struct bao_node *value, struct bao_indicator *ind)
{
    const struct bao_form *f = l->form;
    size_t n;
    const struct bao_expr_path *paths = bao_expr_paths(ind->value, &n);

    for (size_t i = 0; i < n; i++) {
        struct bao_data_path path;

        if (!bao_str_is(paths[i].root, "self"))
            continue;
        if (!data_path_of(l, &paths[i], &path) || reads_personal(l, value, ind, path))
            return false;
        for (size_t k = 0; k < f->n_parts && ind->n_kinds == 0; k++)
            if (bao_data_path_within(path, f->parts[k].path)) {
                ind->kinds = f->parts[k].kinds;
                ind->n_kinds = f->parts[k].n_kinds;
            }
    }
    return true;
}

static int load_values(struct bao_form_loader *l, const struct bao_check_loader *loader,
                       const struct bao_node *list)
{
    struct bao_indicator *items = (struct bao_indicator *)l->form->indicators;

    for (size_t i = 0; i < l->form->n_indicators; i++) {
        const struct bao_node *value = bao_node_get(&list->items[i], "value");
        int r;

        if (value == NULL || items[i].is_ratio)
            continue;
        r = bao_rule_load(loader, value, 0, BAO_STR_NULL, &items[i].value);
        if (r < 0)
            return r;
        if (r == 0)
            (void)settle_kinds(l, value, &items[i]); /* its findings tell */
    }
    for (size_t i = 0; i < l->form->n_indicators; i++)
        if (items[i].is_ratio) {
            const struct bao_indicator *of = &items[items[i].of], *to = &items[items[i].to];

            items[i].kinds = of->n_kinds != 0 ? of->kinds : to->kinds;
            items[i].n_kinds = of->n_kinds != 0 ? of->n_kinds : to->n_kinds;
        }
    return 0;
}

/* ---- collect ---- */

struct collect_row {
    struct bao_str field;
    struct bao_text2 heading;
    const struct bao_node *when, *columns;
};

static bool unknown_field(struct bao_form_loader *l, const struct bao_node *at, struct bao_str name,
                          struct bao_schema_place place)
{
    const struct bao_node *properties = bao_form_keyword(l->form, place, "properties");
    size_t n = properties != NULL && properties->type == BAO_MAP ? properties->len : 0, near = 0;
    struct bao_str *names = bao_arena_array(&l->form->arena, n, sizeof(*names));
    struct bao_finding *finding = bao_complain(&l->reader, BAO_BC_FORM_COLLECT_PATH, at);

    if (names == NULL)
        return no_memory(l);
    for (size_t i = 0; i < n; i++)
        names[i] = bao_member_key(&properties->members[i]);
    near = bao_nearest_str(&l->form->arena, name, names, n);
    bao_finding_arg(finding, name);
    arg_nearest(l, finding, near < n ? names[near] : BAO_STR_NULL);
    return false;
}

static bool is_personal(const struct bao_form *f, struct bao_data_path path, struct bao_str column)
{
    struct bao_str steps[40];

    if (path.n + 1 > BAO_COUNT(steps))
        return true;
    memcpy(steps, path.steps, path.n * sizeof(*steps));
    steps[path.n] = column;
    for (size_t i = 0; i < f->n_personal; i++)
        if (bao_data_path_within((struct bao_data_path){steps, path.n + (column.n != 0)}, f->personal[i]))
            return true;
    return false;
}

/* The place of a row's columns: the items of a list, else the value itself. */
static struct bao_data_path column_place(struct bao_form_loader *l, const struct bao_collect *c)
{
    struct bao_str *steps;

    if (!c->is_list)
        return c->path;
    steps = bao_arena_array(&l->form->arena, c->path.n + 1, sizeof(*steps));
    if (steps == NULL)
        return (struct bao_data_path){NULL, 0};
    memcpy(steps, c->path.steps, c->path.n * sizeof(*steps));
    steps[c->path.n] = BAO_STR("*");
    return (struct bao_data_path){steps, c->path.n + 1};
}

static bool personal_collect(struct bao_form_loader *l, const struct bao_node *at, struct bao_str name)
{
    bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_COLLECT_PERSONAL, at), name);
    return false;
}

static bool check_columns(struct bao_form_loader *l, const struct collect_row *row, struct bao_collect *c)
{
    struct bao_data_path place = column_place(l, c);
    struct bao_schema_place schema = bao_form_root(l->form), column;
    bool ok = true;

    if (place.steps == NULL)
        return no_memory(l);
    (void)bao_form_place(l->form, place,
                         &schema); /* a list without items names its columns against the whole */
    if (row->columns == NULL) {
        /* Whole values are collected: nothing personal may lie within. */
        for (size_t i = 0; i < l->form->n_personal; i++)
            if (bao_data_path_within(l->form->personal[i], c->path))
                return personal_collect(l, &l->form->doc.root, c->field);
        return true;
    }
    if (!bao_texts_read(&l->reader, row->columns, "columns", true, &c->columns, &c->n_columns))
        return false;
    for (size_t i = 0; i < c->n_columns; i++)
        if (is_personal(l->form, place, c->columns[i]))
            ok = personal_collect(l, &row->columns->items[i], c->columns[i]);
        else if (!bao_form_step(l->form, schema, c->columns[i], &column))
            ok = unknown_field(l, &row->columns->items[i], c->columns[i], schema);
    return ok;
}

static bool says_list(const struct bao_form *f, struct bao_schema_place place)
{
    const struct bao_node *type = bao_form_keyword(f, place, "type");

    return type != NULL && type->type == BAO_STRING && bao_str_is(bao_node_str(type), "array");
}

static int read_collect_row(struct bao_form_loader *l, const struct bao_check_loader *loader,
                            const struct bao_node *map, struct bao_collect *c)
{
    static const struct bao_field rows[] = {
        {"field", BAO_F_TEXT, true, offsetof(struct collect_row, field), 0, 0, NULL},
        {"heading", BAO_F_TEXT2, true, offsetof(struct collect_row, heading), 0, 0, NULL},
        {"when", BAO_F_ANY, false, offsetof(struct collect_row, when), 0, 0, NULL},
        {"columns", BAO_F_LIST, false, offsetof(struct collect_row, columns), 0, 0, NULL},
    };
    struct collect_row row = {.when = NULL};
    struct bao_schema_place place;
    int r;

    if (!bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &row))
        return 0;
    c->field = row.field;
    c->heading = row.heading;
    c->path = bao_data_path_parse(&l->form->arena, row.field);
    if (c->path.steps == NULL)
        return -ENOMEM;
    if (!bao_form_place(l->form, c->path, &place)) {
        (void)unknown_field(l, bao_node_get(map, "field"), row.field, bao_form_root(l->form));
        return 0;
    }
    if (is_personal(l->form, c->path, BAO_STR_NULL)) {
        (void)personal_collect(l, bao_node_get(map, "field"), row.field);
        return 0;
    }
    c->is_list = says_list(l->form, place);
    if (!check_columns(l, &row, c) || row.when == NULL)
        return 0;
    r = bao_rule_load(loader, row.when, c->is_list ? BAO_RULE_ITEM : 0, c->is_list ? row.field : BAO_STR_NULL,
                      &c->when);
    return r < 0 ? r : 0;
}

static int load_collect(struct bao_form_loader *l, const struct bao_check_loader *loader,
                        const struct bao_node *list)
{
    struct bao_collect *rows;
    struct bao_finding *finding;
    int r = 0;

    if (list == NULL || list->len == 0)
        return 0;
    if (list->len > COLLECT_MAX) {
        finding = bao_complain(&l->reader, BAO_BC_FORM_TOO_MANY, list);
        bao_finding_arg(finding, BAO_STR("collect"));
        bao_finding_arg(finding, bao_arena_printf(&l->form->arena, "%u", list->len));
        bao_finding_arg(finding, bao_arena_printf(&l->form->arena, "%d", (int)COLLECT_MAX));
        return 0;
    }
    rows = bao_arena_array(&l->form->arena, list->len, sizeof(*rows));
    if (rows == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < list->len && r == 0; i++)
        r = read_collect_row(l, loader, &list->items[i], &rows[i]);
    l->form->collect = rows;
    l->form->n_collect = list->len;
    return r;
}

int bao_form_load_rules(struct bao_form_loader *l, const struct bao_form_top *top)
{
    struct bao_form *f = l->form;
    const struct bao_check_loader loader = {.arena = &f->arena,
                                            .schema = f->schema_node,
                                            .common = f->common,
                                            .source = f->doc.source,
                                            .root = &f->doc.root,
                                            .indicators = f->indicators,
                                            .n_indicators = f->n_indicators,
                                            .findings = l->reader.findings};
    int r = load_values(l, &loader, top->indicators);

    if (r == 0)
        r = load_collect(l, &loader, top->collect);
    if (r == 0)
        r = bao_checks_load(&loader, top->checks, &f->checks, &f->n_checks);
    return r < 0 ? r : 0;
}
