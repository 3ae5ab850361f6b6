#include "lib/form/form_load.h"

#include "lib/base/error.h"
#include "lib/doc/load.h"
#include "lib/text/catalogue.h"

enum { FORM_ARENA_MAX = 64 << 20 };

struct bao_form *bao_form_free(struct bao_form *form)
{
    if (form == NULL)
        return NULL;
    form->schema = bao_schema_free(form->schema);
    bao_arena_deinit(&form->arena);
    free(form);
    return NULL;
}

static void form_freep(struct bao_form **form)
{
    *form = bao_form_free(*form);
}

static void set_freep(struct bao_schema_set **set)
{
    *set = bao_schema_set_free(*set);
}

/* A file named like a version must hold that version: an author who copies one and forgets to raise `version`
 * would otherwise see one of the two vanish. */
static void check_file_name(struct bao_form_loader *l)
{
    const struct bao_form *f = l->form;
    struct bao_str base = f->file, want;
    struct bao_finding *finding;

    for (size_t i = base.n; i > 0; i--)
        if (base.p[i - 1] == '/') {
            base = (struct bao_str){base.p + i, base.n - i};
            break;
        }
    want = bao_arena_printf(&l->form->arena, "%.*s.v%d.yaml", BAO_STR_ARG(f->id), f->version);
    if (base.n < 5 || memcmp(base.p + base.n - 5, ".yaml", 5) != 0 || bao_str_eq(base, want))
        return;
    finding = bao_complain(&l->reader, BAO_BC_FORM_FILE_NAME, bao_node_get(&f->doc.root, "id"));
    bao_finding_arg(finding, base);
    bao_finding_arg(finding, f->id);
    bao_finding_arg(finding, bao_arena_printf(&l->form->arena, "%d", f->version));
}

static int compile_schema(struct bao_form_loader *l)
{
    static const struct bao_schema_options options = {.assert_format = true, .form = true};
    struct bao_schema_set *set BAO_CLEANUP(set_freep) = bao_schema_set_new();
    struct bao_form *f = l->form;
    struct bao_str base = bao_arena_printf(&f->arena, "baocao:/%.*s", BAO_STR_ARG(f->id));
    int r;

    if (set == NULL || base.p == NULL)
        return -ENOMEM;
    if (f->common != NULL) {
        r = bao_schema_set_add(set, BAO_STR("baocao:/common"), f->common);
        if (r < 0)
            return r;
    }
    r = bao_schema_compile(set, f->schema_node, base, &options, l->reader.findings, &f->schema);
    return r < 0 ? r : 0;
}

/* Of x-for, x-key and x-personal the form's own reader has said more than the schema compiler can: what that
 * adds from `first` on about the same values, or the maps that hold them, is taken back. */
static void drop_implied(struct bao_findings *findings, size_t first)
{
    size_t n = first;

    for (size_t i = first; i < findings->n; i++) {
        const struct bao_finding *f = &findings->items[i];
        bool told = false;

        for (size_t k = 0; k < first && !told; k++)
            told = f->severity == BAO_ERROR && findings->items[k].at.offset >= f->at.offset &&
                   findings->items[k].at.offset - f->at.offset < f->at.length &&
                   (f->code == BAO_BC_SCHEMA_SHAPE || f->code == BAO_BC_SCHEMA_KEY_REQUIRED ||
                    f->code == BAO_BC_SCHEMA_KEY_PLACE);
        if (told)
            findings->by_severity[BAO_ERROR]--;
        else
            findings->items[n++] = *f;
    }
    findings->n = n;
}

/* Reads as far as mistakes let it: an author wants them all at once. */
static int read_form(struct bao_form_loader *l)
{
    struct bao_form_top top;
    size_t told;
    int r;

    if (!bao_form_read_top(l, &top) && l->form->schema_node == NULL)
        return 0;
    if (l->form->id.n != 0 && l->form->version != 0)
        check_file_name(l);
    (void)bao_form_read_schema(l); /* its findings tell */
    told = l->reader.findings->n;
    r = compile_schema(l);
    if (r < 0)
        return r;
    drop_implied(l->reader.findings, told);
    if (!bao_form_read_indicators(l, top.indicators))
        return 0;
    return bao_form_load_rules(l, &top);
}

static bool own(struct bao_arena *arena, struct bao_str *s)
{
    if (s->n == 0)
        return true;
    *s = bao_arena_str(arena, *s);
    return s->p != NULL;
}

/* Findings outlive a form that is refused, so their texts move to the arena of the list. */
static void keep_findings(struct bao_findings *findings, size_t first)
{
    bool ok = true;

    for (size_t i = first; i < findings->n; i++) {
        struct bao_finding *f = &findings->items[i];
        struct bao_str *texts[] = {
            &f->pointer,        &f->keyword,        &f->path,           &f->check,
            &f->item,           &f->titles[BAO_VI], &f->titles[BAO_EN], &f->message[BAO_VI],
            &f->message[BAO_EN]};

        for (size_t k = 0; k < BAO_COUNT(texts); k++)
            ok &= own(findings->arena, texts[k]);
        for (size_t k = 0; k < f->n_args; k++)
            ok &= own(findings->arena, &f->args[k].vi) && own(findings->arena, &f->args[k].en);
    }
    if (!ok)
        findings->no_memory = true;
}

int bao_form_load(struct bao_str bytes, struct bao_str file, const struct bao_node *common,
                  struct bao_findings *findings, struct bao_form **ret)
{
    const struct bao_load_options options = {
        .mode = BAO_LOAD_PLAIN, .format = BAO_FORMAT_GUESS, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_form *form BAO_CLEANUP(form_freep) = calloc(1, sizeof(*form));
    size_t errors = findings->by_severity[BAO_ERROR], first = findings->n;
    struct bao_form_loader loader;
    struct bao_str copy;
    int r;

    if (form == NULL)
        return -ENOMEM;
    bao_arena_init(&form->arena, FORM_ARENA_MAX);
    copy = bao_arena_str(&form->arena, bytes);
    form->file = bao_arena_str(&form->arena, file);
    form->common = common;
    if (copy.p == NULL || form->file.p == NULL)
        return -ENOMEM;
    r = bao_load(&form->arena, copy, &options, findings, &form->doc);
    if (r != 0) {
        keep_findings(findings, first);
        return r < 0 ? r : BAO_FORM_E_BAD;
    }
    loader = (struct bao_form_loader){form, {&form->arena, findings, &form->doc.root, form->doc.source}};
    r = read_form(&loader);
    keep_findings(findings, first);
    if (r < 0)
        return r;
    if (findings->no_memory)
        return -ENOMEM;
    if (findings->by_severity[BAO_ERROR] != errors)
        return BAO_FORM_E_BAD;
    *ret = BAO_TAKE(form);
    return 0;
}
