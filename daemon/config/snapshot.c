#include "daemon/config/snapshot.h"

#include "daemon/config/files.h"
#include "lib/base/error.h"
#include "lib/doc/load.h"
#include "lib/text/catalogue.h"

enum {
    FILE_MAX = 16 << 20, /* octets of a units file: the whole country takes less than 1 MiB */
    NODES_MAX = 2000000,
    FINDINGS_MAX = 200,
    ARENA_MAX = 256 << 20,
};

/* A file read into values, with what is to be said about it. */
struct file {
    struct bao_str path;
    struct bao_doc doc;
    struct bao_findings findings;
};

struct loader {
    struct bao_arena *arena; /* of the snapshot */
    enum bao_lang lang;
    struct bao_buf *complaints;
    bool bad;
};

static void freep(struct baod_snapshot **s)
{
    *s = baod_snapshot_unref(*s);
}

static void arenap(struct bao_arena *a)
{
    bao_arena_deinit(a);
}

/* ---- telling people ---- */

/* Why a file could not even be read. Only for memory there is no use in telling it. */
static int cannot_read(struct loader *l, const char *path, int why)
{
    if (why == -ENOMEM)
        return why;
    l->bad = true;
    return bao_buf_printf(l->complaints, "%s: %s.\n", path, baod_files_why(why, l->lang));
}

static int tell(struct loader *l, const struct file *file)
{
    int r = 0;

    if (file->findings.no_memory)
        return -ENOMEM;
    if (file->findings.by_severity[BAO_ERROR] != 0)
        l->bad = true;
    if (file->findings.n == 0)
        return 0;
    if (bao_buf_len(l->complaints) != 0)
        r = bao_buf_append_c(l->complaints, "\n");
    return r == 0 ? bao_text_render_all(l->complaints, &file->findings, file->path, file->doc.source, l->lang,
                                        BAO_TEXT_SHOW)
                  : r;
}

/* ---- one file ---- */

/* Reads and parses. 0 with ret->findings telling whether the document is good; an outcome when there is no
 * text. */
static int load_file(struct loader *l, const char *path, struct file *ret)
{
    struct bao_load_options options = {
        .mode = BAO_LOAD_PLAIN, .format = BAO_FORMAT_YAML, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_str text;
    int r = baod_file_read(l->arena, path, FILE_MAX, &text);

    if (r != 0)
        return r;
    options.limits.octets = FILE_MAX;
    options.limits.nodes = NODES_MAX;
    ret->path = bao_str_c(path);
    ret->doc = (struct bao_doc){.source = text};
    bao_findings_init(&ret->findings, l->arena, FINDINGS_MAX);
    r = bao_load(l->arena, text, &options, &ret->findings, &ret->doc);
    return r < 0 ? r : 0;
}

static bool is_good(const struct file *file)
{
    return file->findings.by_severity[BAO_ERROR] == 0 && !file->findings.no_memory;
}

/* ---- the province ---- */

enum { UNITS, HOLIDAYS, TARGETS, PROGRAMMES, PROVINCE_FILES };

static int load_province_files(struct loader *l, const char *folder, struct file files[PROVINCE_FILES])
{
    static const char *const names[] = {"units.yaml", "holidays.yaml", "targets.yaml", "programmes.yaml"};

    for (size_t i = 0; i < PROVINCE_FILES; i++) {
        struct bao_str path = bao_arena_printf(l->arena, "%s/%s", folder, names[i]);
        int r = path.p == NULL ? -ENOMEM : load_file(l, path.p, &files[i]);

        if (r == BAOD_FILES_E_MISSING && i != UNITS)
            continue;
        if (r != 0)
            r = cannot_read(l, path.p, r);
        if (r < 0)
            return r;
    }
    return 0;
}

static struct bao_registry_file part(struct file *file)
{
    return (struct bao_registry_file){file->path.n == 0 || !is_good(file) ? NULL : &file->doc,
                                      &file->findings};
}

static int load_province(struct loader *l, const char *folder, struct file files[PROVINCE_FILES],
                         struct bao_registry *ret)
{
    struct bao_registry_files parts;
    int r = load_province_files(l, folder, files);

    if (r < 0)
        return r;
    parts = (struct bao_registry_files){part(&files[UNITS]), part(&files[HOLIDAYS]), part(&files[TARGETS]),
                                        part(&files[PROGRAMMES])};
    return parts.units.doc == NULL ? 0 : bao_registry_load(l->arena, &parts, ret);
}

static int tell_province(struct loader *l, struct file files[PROVINCE_FILES])
{
    int r = 0;

    for (size_t i = 0; i < PROVINCE_FILES && r == 0; i++) {
        bao_findings_sort(&files[i].findings);
        r = tell(l, &files[i]);
    }
    return r;
}

int baod_province_load(const char *province_dir, enum bao_lang lang, struct bao_arena *arena,
                       struct bao_buf *complaints, struct bao_registry *ret)
{
    struct loader l = {.arena = arena, .lang = lang, .complaints = complaints};
    struct file files[PROVINCE_FILES] = {{.path = BAO_STR_NULL}};
    struct bao_registry registry = {.n_units = 0};
    int r = load_province(&l, province_dir, files, &registry);

    if (r >= 0)
        r = tell_province(&l, files);
    if (r < 0)
        return r;
    if (l.bad)
        return BAOD_SNAPSHOT_E_BAD;
    *ret = registry;
    return 0;
}

/* ---- forms ---- */

/* Does the province carry out the form's programme? A name that is nearly one it lists is a slip of the pen.
 */
static bool is_wanted(struct baod_snapshot *s, const struct bao_form *form, struct bao_findings *findings)
{
    const struct bao_registry *r = &s->registry;
    const struct bao_reader reader = {&s->arena, findings, &form->doc.root, form->doc.source};
    struct bao_str *ids = bao_arena_array(reader.arena, r->n_programmes, sizeof(*ids));
    struct bao_finding *f;
    size_t near;

    if (ids == NULL || form->programme.n == 0 || r->n_programmes == 0)
        return true;
    for (size_t i = 0; i < r->n_programmes; i++) {
        ids[i] = r->programmes[i].id;
        if (bao_str_eq(ids[i], form->programme))
            return true;
    }
    near = bao_nearest_str(reader.arena, form->programme, ids, r->n_programmes);
    if (near == r->n_programmes)
        return false;
    f = bao_complain(&reader, BAO_BC_PROGRAMME_NEAR, bao_node_get(&form->doc.root, "programme"));
    bao_finding_arg(f, form->programme);
    bao_finding_arg(f, ids[near]);
    return true;
}

/* Kinds that a form names must be kinds of the province. */
static void check_kinds(struct baod_snapshot *s, const struct bao_form *form, struct bao_findings *findings)
{
    const struct bao_reader reader = {&s->arena, findings, &form->doc.root, form->doc.source};
    const struct bao_node *reporters = bao_node_get(&form->doc.root, "reporters"),
                          *list = reporters == NULL ? NULL : bao_node_get(reporters, "kinds");
    struct bao_str *ids = bao_arena_array(&s->arena, s->registry.n_kinds, sizeof(*ids));

    if (ids == NULL || list == NULL || s->registry.n_kinds == 0)
        return;
    for (size_t i = 0; i < s->registry.n_kinds; i++)
        ids[i] = s->registry.kinds[i].id;
    for (size_t i = 0; i < form->n_kinds; i++) {
        struct bao_finding *f;
        size_t near;

        if (bao_kind_in(form->kinds[i], ids, s->registry.n_kinds))
            continue;
        near = bao_nearest_str(&s->arena, form->kinds[i], ids, s->registry.n_kinds);
        f = bao_complain(&reader, near < s->registry.n_kinds ? BAO_BC_KIND_UNKNOWN_NEAR : BAO_BC_KIND_UNKNOWN,
                         i < list->len ? &list->items[i] : list);
        bao_finding_arg(f, form->kinds[i]);
        bao_finding_arg(f, near < s->registry.n_kinds ? ids[near] : BAO_STR_NULL);
    }
}

static void check_twice(struct baod_snapshot *s, const struct bao_form *form, struct bao_findings *findings)
{
    const struct bao_reader reader = {&s->arena, findings, &form->doc.root, form->doc.source};

    for (size_t i = 0; i < s->forms.n; i++) {
        const struct bao_form *other = s->forms.items[i];
        struct bao_finding *f;

        if (other == form || other->version != form->version || !bao_str_eq(other->id, form->id))
            continue;
        f = bao_complain(&reader, BAO_BC_FORM_TWICE, bao_node_get(&form->doc.root, "version"));
        bao_finding_arg(f, form->id);
        bao_finding_arg(f, bao_arena_printf(&s->arena, "%d", form->version));
        bao_finding_arg(f, other->file);
    }
}

static void form_freep(struct bao_form **form)
{
    *form = bao_form_free(*form);
}

/* Notes a form that is not wanted; false without memory. */
static bool leave_out(struct baod_snapshot *s, const struct bao_form *form)
{
    struct baod_left_out *row = &s->left_out[s->n_left_out++];

    *row = (struct baod_left_out){.form = bao_arena_str(&s->arena, form->id),
                                  .programme = bao_arena_str(&s->arena, form->programme),
                                  .version = form->version};
    return row->form.p != NULL && row->programme.p != NULL;
}

/* Loads a file that says `baocao:` and keeps the form if the province wants it. */
static int load_form(struct loader *l, struct baod_snapshot *s, struct file *file,
                     const struct bao_node *common)
{
    struct bao_form *form BAO_CLEANUP(form_freep) = NULL;
    int r;

    bao_findings_init(&file->findings, &s->arena, FINDINGS_MAX);
    r = bao_form_load(file->doc.source, file->path, common, &file->findings, &form);
    if (r < 0)
        return r;
    if (form != NULL && is_wanted(s, form, &file->findings)) {
        check_kinds(s, form, &file->findings);
        check_twice(s, form, &file->findings);
        s->forms.items[s->forms.n++] = BAO_TAKE(form);
    } else if (form != NULL && !leave_out(s, form)) {
        return -ENOMEM;
    }
    bao_findings_sort(&file->findings);
    return tell(l, file);
}

static int compare_forms(const void *a, const void *b)
{
    const struct bao_form *x = *(struct bao_form *const *)a, *y = *(struct bao_form *const *)b;
    int c = bao_str_cmp(x->id, y->id);

    return c != 0 ? c : (x->version > y->version) - (x->version < y->version);
}

/* What forms may refer to as "common#". NULL when there is no such file or it is bad (and that has been
 * told). */
static int load_common(struct loader *l, const char *folder, const struct bao_node **ret)
{
    struct bao_str path = bao_arena_printf(l->arena, "%s/common.yaml", folder);
    struct file *file = bao_arena_array(l->arena, 1, sizeof(*file));
    int r = path.p == NULL || file == NULL ? -ENOMEM : load_file(l, path.p, file);

    *ret = NULL;
    if (r == BAOD_FILES_E_MISSING)
        return 0;
    if (r != 0)
        return cannot_read(l, path.p, r);
    if (is_good(file))
        *ret = &file->doc.root;
    return tell(l, file);
}

static int load_form_file(struct loader *l, struct baod_snapshot *s, const char *path,
                          const struct bao_node *common)
{
    struct bao_arena scratch BAO_CLEANUP(arenap) = BAO_ARENA_NULL(ARENA_MAX);
    struct loader once = {&scratch, l->lang, l->complaints, false};
    struct file file;
    int r = load_file(&once, path, &file);

    if (r != 0)
        return cannot_read(l, path, r);
    if (!is_good(&file)) {
        l->bad = true;
        return tell(l, &file);
    }
    return bao_node_get(&file.doc.root, "baocao") == NULL ? 0 : load_form(l, s, &file, common);
}

static int load_forms(struct loader *l, struct baod_snapshot *s, const char *folder)
{
    static const char *const skip[] = {"provinces", "samples", "common.yaml", "form.schema.yaml", NULL};
    const struct bao_node *common;
    const char **paths;
    size_t n;
    int r = baod_files_list(&s->arena, folder, skip, &paths, &n);

    if (r != 0)
        return cannot_read(l, folder, r);
    r = load_common(l, folder, &common);
    if (r < 0)
        return r;
    s->forms.items = bao_arena_array(&s->arena, n, sizeof(*s->forms.items));
    s->left_out = bao_arena_array(&s->arena, n, sizeof(*s->left_out));
    if (s->forms.items == NULL || s->left_out == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = load_form_file(l, s, paths[i], common);
    if (s->forms.n != 0)
        qsort(s->forms.items, s->forms.n, sizeof(*s->forms.items), compare_forms);
    return r;
}

/* ---- both ---- */

static const struct bao_indicator *find_indicator(const struct bao_forms *forms, struct bao_str form,
                                                  struct bao_str code, bool *ret_form)
{
    *ret_form = false;
    for (size_t i = 0; i < forms->n; i++) {
        if (!bao_str_eq(forms->items[i]->id, form))
            continue;
        *ret_form = true;
        for (size_t k = 0; k < forms->items[i]->n_indicators; k++)
            if (bao_str_eq(forms->items[i]->indicators[k].code, code))
                return &forms->items[i]->indicators[k];
    }
    return NULL;
}

/* A target for an indicator that no version of its form has would be shown nowhere. */
static void check_targets(struct baod_snapshot *s, struct file *file)
{
    for (size_t i = 0; i < s->registry.n_targets; i++) {
        const struct bao_target *t = &s->registry.targets[i];
        struct bao_finding *f;
        bool known;

        if (find_indicator(&s->forms, t->form, t->code, &known) != NULL)
            continue;
        /* A folder may hold some of the forms only; a code that its form has not is a mistake anywhere. */
        f = bao_findings_add(&file->findings, known ? BAO_BC_TARGET_CODE : BAO_BC_TARGET_FORM,
                             known ? BAO_ERROR : BAO_WARNING, t->at);
        if (known)
            bao_finding_arg(f, t->code);
        bao_finding_arg(f, t->form);
    }
}

int baod_snapshot_load(const char *forms_dir, const char *province_dir, enum bao_lang lang,
                       struct bao_buf *complaints, struct baod_snapshot **ret)
{
    struct baod_snapshot *s BAO_CLEANUP(freep) = calloc(1, sizeof(*s));
    struct file files[PROVINCE_FILES] = {{.path = BAO_STR_NULL}};
    struct loader l = {.lang = lang, .complaints = complaints};
    int r;

    if (s == NULL)
        return -ENOMEM;
    s->refs = 1;
    bao_arena_init(&s->arena, ARENA_MAX);
    l.arena = &s->arena;
    r = province_dir == NULL ? 0 : load_province(&l, province_dir, files, &s->registry);
    if (r >= 0)
        r = load_forms(&l, s, forms_dir);
    if (r == 0 && !l.bad && province_dir != NULL)
        check_targets(s, &files[TARGETS]);
    if (r >= 0 && province_dir != NULL)
        r = tell_province(&l, files);
    if (r < 0)
        return r;
    if (l.bad)
        return BAOD_SNAPSHOT_E_BAD;
    *ret = BAO_TAKE(s);
    return 0;
}

struct baod_snapshot *baod_snapshot_ref(struct baod_snapshot *s)
{
    bao_require(s->refs != 0);
    s->refs++;
    return s;
}

struct baod_snapshot *baod_snapshot_unref(struct baod_snapshot *s)
{
    if (s == NULL || --s->refs != 0)
        return NULL;
    for (size_t i = 0; i < s->forms.n; i++)
        (void)bao_form_free(s->forms.items[i]);
    bao_arena_deinit(&s->arena);
    free(s);
    return NULL;
}

/* ---- baocaod units check ---- */

/* Units of a kind without a last day; of any kind when `kind` is null. Those with one are history. */
static size_t count_kind(const struct bao_registry *r, struct bao_str kind)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_units; i++)
        n += r->units[i].to == BAO_DATE_NONE && (kind.p == NULL || bao_str_eq(r->units[i].kind, kind));
    return n;
}

static int append_kinds(struct bao_buf *out, const struct bao_registry *r, enum bao_lang lang)
{
    int result = 0;

    for (size_t i = 0; i < r->n_kinds && result == 0; i++) {
        struct bao_str name =
            lang == BAO_EN && r->kinds[i].name_en.n != 0 ? r->kinds[i].name_en : r->kinds[i].name;
        size_t n = count_kind(r, r->kinds[i].id);

        if (n != 0)
            result = bao_buf_printf(out, "  %6zu  %.*s\n", n, BAO_STR_ARG(name));
    }
    return result;
}

static int append_summary(struct bao_buf *out, const struct bao_registry *r, enum bao_lang lang)
{
    char known_to[16] = "-";
    size_t n = count_kind(r, BAO_STR_NULL);
    int result;

    if (lang == BAO_VI)
        result = bao_buf_printf(
            out, "%.*s (%.*s): %zu đơn vị, %zu phạm vi tổng hợp, %zu nhóm, %zu cây tổ chức\n",
            BAO_STR_ARG(r->name), BAO_STR_ARG(r->province), n, r->n_scopes, r->n_groups, r->n_trees);
    else
        result = bao_buf_printf(out, "%.*s (%.*s): %zu %s, %zu %s, %zu %s, %zu %s\n", BAO_STR_ARG(r->name),
                                BAO_STR_ARG(r->province), n, bao_plural((long long)n, "unit", "units"),
                                r->n_scopes, bao_plural((long long)r->n_scopes, "scope", "scopes"),
                                r->n_groups, bao_plural((long long)r->n_groups, "group", "groups"),
                                r->n_trees, bao_plural((long long)r->n_trees, "tree", "trees"));
    if (result == 0)
        result = append_kinds(out, r, lang);
    if (result == 0 && n < r->n_units)
        result = bao_buf_printf(out, "  %6zu  %s\n", r->n_units - n,
                                lang == BAO_VI ? "đơn vị có ngày kết thúc (đơn vị cũ)"
                                               : "units with a last day (former units)");
    if (r->holidays.known_to != BAO_DATE_NONE)
        bao_date_print(r->holidays.known_to, known_to);
    if (result != 0)
        return result;
    return bao_buf_printf(out,
                          lang == BAO_VI
                              ? "Lịch nghỉ: %zu kỳ nghỉ, %zu ngày làm bù, đã biết đến %s. Chỉ tiêu: %zu. "
                                "Chương trình: %zu.\n"
                              : "Holidays: %zu, worked days off: %zu, known to %s. Targets: %zu. "
                                "Programmes: %zu.\n",
                          r->holidays.n_off, r->holidays.n_working, known_to, r->n_targets, r->n_programmes);
}

int baod_units_check(const char *province_dir, enum bao_lang lang, struct bao_buf *out)
{
    struct bao_arena arena BAO_CLEANUP(arenap) = BAO_ARENA_NULL(ARENA_MAX);
    struct bao_registry registry;
    int r = baod_province_load(province_dir, lang, &arena, out, &registry);

    return r == 0 ? append_summary(out, &registry, lang) : r;
}
