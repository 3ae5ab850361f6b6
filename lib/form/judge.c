#include "lib/form/judge.h"

#include "lib/base/error.h"
#include "lib/form/blanks.h"
#include "lib/form/due.h"
#include "lib/form/envelope.h"
#include "lib/form/extract.h"
#include "lib/form/parts.h"
#include "lib/text/catalogue.h"

enum { FINDINGS_MAX = 200, JSON_MAX = 16 << 20, TITLE_MAX = 64 };

/* What one judgement works with. */
/* Where the figures stand in a report. */
#define DATA BAO_STR("/data")

struct judgement {
    const struct bao_judge_context *context;
    struct bao_arena *arena;
    struct bao_schema_scratch *scratch;
    struct bao_reader reader; /* speaks of the report */
    struct bao_envelope envelope;
    struct bao_verdict *v;
};

/* ---- the content's identity ---- */

static void put_text(struct bao_member *m, const char *key, struct bao_str value)
{
    size_t n = strlen(key);

    *m = (struct bao_member){.key = key, .key_len = (uint32_t)n, .hash = bao_key_hash(key, n)};
    m->value = (struct bao_node){.type = BAO_STRING, .len = (uint32_t)value.n, .str = value.p};
}

static void put_node(struct bao_member *m, const char *key, const struct bao_node *value)
{
    put_text(m, key, BAO_STR(""));
    m->value = *value;
}

/* forms.md section 1: form, unit, period, revision, explain and data, without what is absent. */
static int hash_content(struct judgement *j)
{
    struct bao_verdict *v = j->v;
    struct bao_node root = {.type = BAO_MAP}, revision = {.type = BAO_INT, .i = v->revision};
    struct bao_member members[6];
    char period[16];
    uint32_t n = 0;

    bao_period_print(v->period, period);
    put_text(&members[n++], "form", v->form_id);
    put_text(&members[n++], "unit", v->unit);
    put_text(&members[n++], "period", bao_str_c(period));
    put_node(&members[n++], "revision", &revision);
    if (v->explain != NULL)
        put_node(&members[n++], "explain", v->explain);
    if (v->data != NULL)
        put_node(&members[n++], "data", v->data);
    root.len = n;
    root.members = members;
    return bao_node_hash(&root, v->content);
}

/* The document again, with the one member replaced: findings look for values in the tree that was judged. */
static const struct bao_node *replace(struct judgement *j, const struct bao_node *old,
                                      const struct bao_node *new)
{
    struct bao_node *root = &j->v->doc.root;
    struct bao_member *members;
    uint32_t at = 0;
    size_t each; /* a large map's index stands behind its members */

    if (old == new || new == NULL)
        return new;
    each = sizeof(*members) + (root->indexed ? sizeof(uint32_t) : 0);
    members = bao_arena_array(j->arena, root->len, each);
    if (members == NULL)
        return NULL;
    memcpy(members, root->members, root->len * each);
    while (&root->members[at].value != old)
        at++;
    members[at].value = *new;
    root->members = members;
    return &members[at].value;
}

static int take_values(struct judgement *j)
{
    struct bao_verdict *v = j->v;

    if (j->envelope.explain != NULL) {
        v->explain = bao_without_blanks(j->arena, j->envelope.explain);
        if (v->explain == NULL)
            return -ENOMEM;
        if (v->explain->len == 0)
            v->explain = NULL;
    }
    if (j->envelope.data != NULL && !v->nil) {
        v->data = replace(j, j->envelope.data, bao_without_blanks(j->arena, j->envelope.data));
        if (v->data == NULL)
            return -ENOMEM;
    }
    return v->has_key ? hash_content(j) : 0;
}

/* ---- form, period, unit ---- */

static const struct bao_node *envelope_value(struct judgement *j, const char *key)
{
    const struct bao_node *value = bao_node_get(&j->v->doc.root, key);

    return value == NULL ? &j->v->doc.root : value;
}

static enum bao_symbol refuse_form(struct judgement *j)
{
    const struct bao_forms *forms = j->context->forms;
    struct bao_str *ids = bao_arena_array(j->arena, forms->n, sizeof(*ids));
    struct bao_finding *f;
    size_t n = 0, near;

    for (size_t i = 0; i < forms->n && ids != NULL; i++)
        if (n == 0 || !bao_str_eq(ids[n - 1], forms->items[i]->id))
            ids[n++] = forms->items[i]->id;
    near = bao_nearest_str(j->arena, j->v->form_id, ids, n);
    f = bao_complain(&j->reader, near < n ? BAO_BC_REPORT_FORM_NEAR : BAO_BC_REPORT_FORM,
                     envelope_value(j, "form"));
    bao_finding_arg(f, j->v->form_id);
    bao_finding_arg(f, bao_join(j->arena, ids, n));
    if (near < n)
        bao_finding_arg(f, ids[near]);
    return BAO_SYM_FORM;
}

static struct bao_str date_text(struct judgement *j, bao_date d)
{
    char text[16];

    bao_date_print(d, text);
    return bao_arena_str(j->arena, bao_str_c(text));
}

static void arg_period(struct judgement *j, struct bao_finding *f, struct bao_period p)
{
    char vi[TITLE_MAX], en[TITLE_MAX];

    bao_period_title(p, vi, en);
    bao_finding_arg2(f, bao_arena_str(j->arena, bao_str_c(vi)), bao_arena_str(j->arena, bao_str_c(en)));
}

static const struct bao_form *any_version(const struct bao_forms *forms, struct bao_str id)
{
    const struct bao_form *last = NULL;

    for (size_t i = 0; i < forms->n; i++)
        if (bao_str_eq(forms->items[i]->id, id))
            last = forms->items[i];
    return last;
}

static struct bao_period example_period(const struct bao_form *form, bao_date day)
{
    if (form->period_type == BAO_PERIOD_ONCE)
        return bao_period_at(BAO_P_DAY, (struct bao_calendar){BAO_CAL_CIVIL, 0}, form->once_to);
    return bao_period_at((enum bao_period_type)form->period_type, form->calendar, day);
}

/* The form is known but no version of it is in force for the period. */
static enum bao_symbol refuse_period(struct judgement *j)
{
    const struct bao_form *form = any_version(j->context->forms, j->v->form_id);
    struct bao_finding *f;
    char written[16], example[16];
    bao_date from, to;

    if (bao_form_window(form, j->v->period, &from, &to)) {
        f = bao_complain(&j->reader, BAO_BC_REPORT_PERIOD_EFFECTIVE, envelope_value(j, "period"));
        bao_finding_arg(f, form->id);
        arg_period(j, f, j->v->period);
        if (form->effective_to == BAO_DATE_NONE)
            bao_finding_arg2(f, bao_arena_printf(j->arena, "từ %s", date_text(j, form->effective_from).p),
                             bao_arena_printf(j->arena, "from %s", date_text(j, form->effective_from).p));
        else
            bao_finding_arg2(f, bao_arena_printf(j->arena, "đến hết %s", date_text(j, form->effective_to).p),
                             bao_arena_printf(j->arena, "until %s", date_text(j, form->effective_to).p));
        return BAO_SYM_PERIOD;
    }
    bao_period_print(j->v->period, written);
    bao_period_window(j->v->period, (struct bao_calendar){BAO_CAL_CIVIL, 0}, &from, &to);
    bao_period_print(example_period(form, from), example);
    f = bao_complain(&j->reader, BAO_BC_REPORT_PERIOD_TYPE, envelope_value(j, "period"));
    bao_finding_arg(f, form->id);
    bao_finding_arg2(f, bao_str_c(bao_period_word(form->period_type, BAO_VI)),
                     bao_str_c(bao_period_word(form->period_type, BAO_EN)));
    bao_finding_arg(f, bao_arena_str(j->arena, bao_str_c(written)));
    bao_finding_arg(f, bao_arena_str(j->arena, bao_str_c(example)));
    return BAO_SYM_PERIOD;
}

static int province_offset(const struct judgement *j)
{
    return j->context->registry == NULL ? BAO_VN_OFFSET : j->context->registry->offset;
}

static enum bao_symbol judge_times(struct judgement *j)
{
    struct bao_verdict *v = j->v;
    struct bao_finding *f;
    bao_date today;

    if (j->context->now == BAO_TIME_NONE)
        return BAO_SYM_NONE;
    today = bao_time_date(j->context->now, province_offset(j));
    if (today < v->from) {
        f = bao_complain(&j->reader, BAO_BC_REPORT_PERIOD_EARLY, envelope_value(j, "period"));
        arg_period(j, f, v->period);
        bao_finding_arg(f, date_text(j, v->from));
        return BAO_SYM_PERIOD;
    }
    if (today <= v->to && v->to != v->from) {
        f = bao_findings_add(&v->findings, BAO_BC_REPORT_BEFORE_CUTOFF, BAO_WARNING,
                             bao_node_place(envelope_value(j, "period")));
        if (f != NULL) {
            f->pointer = BAO_STR("/period");
            f->path = BAO_STR("period");
        }
        bao_finding_arg(f, date_text(j, v->to));
    }
    return BAO_SYM_NONE;
}

static enum bao_symbol refuse_unknown_unit(struct judgement *j)
{
    const struct bao_registry *r = j->context->registry;
    struct bao_str *codes = bao_arena_array(j->arena, r->n_units, sizeof(*codes));
    const struct bao_unit *near;
    struct bao_finding *f;
    size_t n = 0, at;

    for (size_t i = 0; i < r->n_units && codes != NULL; i++)
        if (r->units[i].from <= j->v->to && (r->units[i].to == BAO_DATE_NONE || r->units[i].to >= j->v->to))
            codes[n++] = r->units[i].code;
    at = n == 0 ? 0 : bao_nearest_str(j->arena, j->v->unit, codes, n);
    near = at < n ? bao_registry_unit(r, codes[at], j->v->to) : NULL;
    f = bao_complain(&j->reader, near != NULL ? BAO_BC_REPORT_UNIT_NEAR : BAO_BC_REPORT_UNIT,
                     envelope_value(j, "unit"));
    bao_finding_arg(f, j->v->unit);
    if (near != NULL) {
        bao_finding_arg(f, near->code);
        bao_finding_arg(f, near->name);
    }
    return BAO_SYM_NOTOWED;
}

/* Who owed the period in the unit's stead: the one it was merged into by its last day, or those it was made
 * of later. Codes; none when nobody did. -ENOMEM. */
static int owner_codes(struct judgement *j, const struct bao_unit *u, struct bao_str **ret, size_t *ret_n)
{
    const struct bao_registry *r = j->context->registry;
    bao_date last = j->v->to;
    const struct bao_unit *heir = u->from > last ? NULL : bao_registry_successor(r, u->code, last);
    struct bao_str *codes = bao_arena_array(j->arena, 1, sizeof(*codes));
    size_t n = 0, kept = 0;

    if (codes == NULL)
        return -ENOMEM;
    if (heir != NULL)
        codes[kept++] = heir->code;
    else if (u->from > last && bao_due_codes(j->arena, r, u->code, u->from, &codes, &n) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (bao_registry_unit(r, codes[i], last) != NULL)
            codes[kept++] = codes[i];
    *ret = codes;
    *ret_n = kept;
    return 0;
}

/* "24121 (Phường Tân Lập)": how the sentence names each; the mending gives the codes alone. */
static struct bao_str owner_names(struct judgement *j, const struct bao_str *codes, size_t n)
{
    struct bao_str *names = bao_arena_array(j->arena, n, sizeof(*names));

    for (size_t i = 0; i < n && names != NULL; i++) {
        const struct bao_unit *u = bao_registry_unit(j->context->registry, codes[i], j->v->to);

        names[i] = bao_arena_printf(j->arena, "%.*s (%.*s)", BAO_STR_ARG(u->code), BAO_STR_ARG(u->name));
    }
    return names == NULL ? BAO_STR_NULL : bao_join(j->arena, names, n);
}

static enum bao_symbol refuse_gone_unit(struct judgement *j, const struct bao_unit *u)
{
    struct bao_str *codes = NULL;
    struct bao_finding *f;
    size_t n = 0;

    if (owner_codes(j, u, &codes, &n) < 0)
        j->reader.findings->no_memory = true;
    f = bao_complain(&j->reader, n == 0 ? BAO_BC_REPORT_UNIT_GONE : BAO_BC_REPORT_UNIT_OTHER,
                     envelope_value(j, "unit"));
    bao_finding_arg(f, u->code);
    bao_finding_arg(f, u->name);
    bao_finding_arg(f, date_text(j, j->v->to));
    bao_finding_arg(f, n == 0 ? BAO_STR_NULL : bao_join(j->arena, codes, n));
    bao_finding_arg(f, n == 0 ? BAO_STR_NULL : owner_names(j, codes, n));
    return BAO_SYM_NOTOWED;
}

static enum bao_symbol judge_unit(struct judgement *j)
{
    const struct bao_registry *r = j->context->registry;
    struct bao_verdict *v = j->v;
    const struct bao_unit *any;
    struct bao_finding *f;

    if (r == NULL)
        return BAO_SYM_NONE;
    v->reporter = bao_registry_unit(r, v->unit, v->to);
    if (v->reporter == NULL) {
        any = bao_registry_any(r, v->unit);
        if (any == NULL)
            return refuse_unknown_unit(j);
        return refuse_gone_unit(j, any);
    }
    if (!bao_form_owes(v->form, v->reporter, v->to)) {
        f = bao_complain(&j->reader, BAO_BC_REPORT_NOT_OWED, envelope_value(j, "unit"));
        bao_finding_arg(f, v->reporter->code);
        bao_finding_arg(f, v->reporter->name);
        bao_finding_arg(f, v->form->id);
        return BAO_SYM_NOTOWED;
    }
    return BAO_SYM_NONE;
}

static void find_due(struct judgement *j)
{
    static const struct bao_holidays none;
    const struct bao_registry *r = j->context->registry;
    struct bao_verdict *v = j->v;
    bao_time due, lock;

    bao_form_times(v->form, r == NULL ? &none : &r->holidays, province_offset(j),
                   v->reporter == NULL ? BAO_STR_NULL : v->reporter->kind, v->to, &due, &lock);
    /* 24:00 belongs to the day that it ends. */
    v->due = due == BAO_TIME_NONE ? BAO_DATE_NONE : bao_time_date(due - 1, province_offset(j));
}

static enum bao_symbol judge_key(struct judgement *j)
{
    struct bao_verdict *v = j->v;
    enum bao_symbol symbol;
    bool known;

    v->form = bao_forms_get(j->context->forms, v->form_id, v->period, &known);
    if (v->form == NULL)
        return known ? refuse_period(j) : refuse_form(j);
    (void)bao_form_window(v->form, v->period, &v->from, &v->to); /* bao_forms_get has asked already */
    symbol = judge_times(j);
    if (symbol == BAO_SYM_NONE)
        symbol = judge_unit(j);
    if (symbol == BAO_SYM_NONE)
        find_due(j);
    return symbol;
}

/* ---- the data ---- */

static struct bao_check_context check_context(const struct bao_verdict *v, const struct bao_history *history)
{
    return (struct bao_check_context){
        .vars = {.self = v->data,
                 .unit_code = v->unit,
                 .unit = v->reporter,
                 .period = v->period,
                 .from = v->from,
                 .to = v->to,
                 .due = v->due,
                 .form = v->form,
                 .history = history},
        .which = history == NULL ? BAO_CHECKS_PLAIN : BAO_CHECKS_HISTORY,
        .explain = v->explain,
        .pointer = DATA,
    };
}

/* A required field whose line is there, but blank, is not to be added: the finding moves to that line. */
static void tell_blanks(struct judgement *j, size_t first)
{
    struct bao_findings *findings = &j->v->findings;

    for (size_t i = first; i < findings->n; i++) {
        struct bao_finding *f = &findings->items[i];
        struct bao_str pointer = f->pointer;
        bool is_part = f->code == BAO_BC_REPORT_PART_MISSING;
        const struct bao_member *blank;

        if ((f->code != BAO_BC_MISSING && f->code != BAO_BC_MISSING_TITLED && !is_part) || pointer.n < DATA.n)
            continue;
        pointer = (struct bao_str){pointer.p + DATA.n, pointer.n - DATA.n};
        blank = bao_blank_member(j->envelope.data, pointer, f->args[is_part ? 1 : 0].vi);
        if (blank == NULL)
            continue;
        f->at = bao_member_place(blank);
        if (is_part)
            f->code = BAO_BC_REPORT_PART_BLANK;
        else
            f->code = f->code == BAO_BC_MISSING ? BAO_BC_REPORT_BLANK : BAO_BC_REPORT_BLANK_TITLED;
    }
}

static int judge_data(struct judgement *j)
{
    struct bao_verdict *v = j->v;
    size_t first = v->findings.n;
    struct bao_check_context context = check_context(v, NULL);
    struct bao_check_tally tally = {0, 0};
    int r;

    if (v->form->n_parts != 0 && v->reporter != NULL)
        bao_judge_parts(&j->reader, v->form, v->data, v->reporter->kind);
    r = bao_schema_is_valid(v->form->schema, j->scratch, v->data);
    if (r == -ENOMEM)
        return r;
    if (r != 1)
        r = bao_schema_report(v->form->schema, j->scratch, v->data,
                              (struct bao_schema_at){DATA, v->doc.source}, &v->findings);
    else
        r = 0;
    tell_blanks(j, first);
    if (r == 0)
        r = bao_checks_run(v->form, j->arena, &context, &v->findings, &tally);
    v->unjudged = tally.unjudged;
    v->unknown = BAO_BACK_PREV | BAO_BACK_PREV_YEAR | BAO_BACK_YTD;
    if (r != 0 || v->findings.by_severity[BAO_ERROR] != 0)
        return r;
    r = bao_extract_figures(v->form, j->arena, &context, &v->findings, &v->figures);
    return r == 0 ? bao_collect(v->form, j->arena, &context.vars, &v->collected) : r;
}

static int judge_nil(struct judgement *j)
{
    struct bao_verdict *v = j->v;

    if (!v->form->nil_allowed)
        bao_finding_arg(bao_complain(&j->reader, BAO_BC_REPORT_NIL, envelope_value(j, "nil")), v->form->id);
    v->figures = bao_nil_figures(v->form, j->arena, v->reporter);
    return v->figures == NULL ? -ENOMEM : 0;
}

/* ---- the outcome ---- */

static int json_text(struct bao_arena *arena, struct bao_buf *buf, int r, struct bao_str *ret)
{
    if (r == 0) {
        *ret = bao_arena_str(arena, bao_buf_str(buf));
        if (ret->p == NULL)
            r = -ENOMEM;
    }
    bao_buf_deinit(buf);
    return r;
}

static int print_warnings(struct bao_arena *arena, struct bao_verdict *v)
{
    struct bao_buf text = BAO_BUF_NULL(JSON_MAX);
    struct bao_findings warnings;

    v->warnings = BAO_STR_NULL;
    if (v->findings.by_severity[BAO_WARNING] == 0)
        return 0;
    bao_findings_init(&warnings, arena, FINDINGS_MAX);
    for (size_t i = 0; i < v->findings.n; i++)
        if (v->findings.items[i].severity == BAO_WARNING) {
            struct bao_finding *copy =
                bao_findings_add(&warnings, v->findings.items[i].code, BAO_WARNING, v->findings.items[i].at);
            if (copy == NULL)
                return -ENOMEM;
            *copy = v->findings.items[i];
        }
    return json_text(arena, &text, bao_text_json_all(&text, &warnings), &v->warnings);
}

static int print_explanations(struct bao_arena *arena, struct bao_verdict *v)
{
    struct bao_buf text = BAO_BUF_NULL(JSON_MAX);

    if (v->explain == NULL)
        return 0;
    return json_text(arena, &text, bao_node_print_json(&text, v->explain), &v->explanations);
}

/* Paths are told as rules and explanations write them: from the data. */
static void shorten_paths(struct bao_verdict *v)
{
    for (size_t i = 0; i < v->findings.n; i++) {
        struct bao_str *path = &v->findings.items[i].path;

        if (path->n > 5 && memcmp(path->p, "data.", 5) == 0)
            *path = (struct bao_str){path->p + 5, path->n - 5};
    }
}

/* The symbol of what was found in the data, and the texts that go with an acceptance. */
static int conclude(struct bao_arena *arena, struct bao_verdict *v)
{
    shorten_paths(v);
    bao_findings_sort(&v->findings);
    if (v->findings.by_severity[BAO_ERROR] != 0)
        v->symbol = BAO_SYM_INVALID;
    else if (v->findings.by_severity[BAO_CONFIRM] != 0)
        v->symbol = BAO_SYM_EXPLAIN;
    return v->symbol == BAO_SYM_NONE ? print_warnings(arena, v) : 0;
}

/* Does it say who signed, by name or by position? */
static bool names_signer(const struct bao_node *signed_by)
{
    static const char *const keys[] = {"by", "position"};

    for (size_t i = 0; signed_by != NULL && i < BAO_COUNT(keys); i++) {
        const struct bao_node *value = bao_node_get(signed_by, keys[i]);

        if (value != NULL && value->type != BAO_NULL &&
            !(value->type == BAO_STRING && bao_node_str(value).n == 0))
            return true;
    }
    return false;
}

static int judge_body(struct judgement *j)
{
    struct bao_verdict *v = j->v;
    int r;

    if (v->form->signed_required && !names_signer(j->envelope.signed_by))
        bao_finding_arg(bao_complain(&j->reader, BAO_BC_REPORT_SIGNED,
                                     j->envelope.signed_by != NULL ? j->envelope.signed_by : &v->doc.root),
                        v->form->id);
    r = v->nil ? judge_nil(j) : judge_data(j);
    if (r == 0)
        r = conclude(j->arena, v);
    return r == 0 && v->symbol == BAO_SYM_NONE ? print_explanations(j->arena, v) : r;
}

/* Nothing of a classified report is kept, not even what its findings would quote. This goes before the other
 * complaints of the envelope, which would quote it. */
static void refuse_secret(struct judgement *j)
{
    struct bao_place at = bao_node_place(envelope_value(j, "secrecy"));

    bao_findings_init(&j->v->findings, j->arena, FINDINGS_MAX);
    j->v->findings.in_json = j->v->doc.is_json;
    (void)bao_findings_add(&j->v->findings, BAO_BC_ENVELOPE_SECRET, BAO_ERROR, at);
    j->v->is_secret = true;
    j->v->symbol = BAO_SYM_SECRET;
    j->v->doc = (struct bao_doc){.is_json = false};
}

static int judge_document(struct judgement *j)
{
    struct bao_verdict *v = j->v;
    int bad = bao_envelope_read(j->arena, &v->doc, &v->findings, &j->envelope), r;

    v->form_id = j->envelope.form;
    v->unit = j->envelope.unit;
    v->period = j->envelope.period;
    v->revision = j->envelope.revision;
    v->has_key = j->envelope.has_key;
    v->nil = j->envelope.nil;
    if (j->envelope.is_secret) {
        refuse_secret(j);
        return 0;
    }
    r = take_values(j);
    if (r != 0)
        return r;
    v->symbol = bad != 0 ? BAO_SYM_ENVELOPE : judge_key(j);
    if (v->symbol == BAO_SYM_NONE)
        return judge_body(j);
    bao_findings_sort(&v->findings);
    return 0;
}

static enum bao_symbol refused_symbol(const struct bao_findings *findings)
{
    bool is_text = findings->n == 0 || (findings->items[0].code != BAO_BC_NOT_UTF8 &&
                                        findings->items[0].code != BAO_BC_NOT_UTF16);

    return is_text ? BAO_SYM_PARSE : BAO_SYM_UTF8;
}

int bao_judge(const struct bao_judge_context *context, struct bao_arena *arena,
              struct bao_schema_scratch *scratch, struct bao_str bytes, struct bao_verdict *ret)
{
    const struct bao_load_options options = {
        .mode = BAO_LOAD_REPORT, .format = BAO_FORMAT_GUESS, .limits = context->limits};
    struct bao_verdict v = {
        .symbol = BAO_SYM_NONE, .from = BAO_DATE_NONE, .to = BAO_DATE_NONE, .due = BAO_DATE_NONE};
    struct judgement j = {.context = context, .arena = arena, .scratch = scratch, .v = &v};
    int r;

    bao_findings_init(&v.findings, arena, FINDINGS_MAX);
    r = bao_load(arena, bytes, &options, &v.findings, &v.doc);
    if (r < 0)
        return r;
    if (r == BAO_LOAD_E_REFUSED) {
        v.symbol = refused_symbol(&v.findings);
    } else {
        j.reader = (struct bao_reader){arena, &v.findings, &v.doc.root, v.doc.source};
        r = judge_document(&j);
        if (r < 0)
            return r;
    }
    if (v.findings.no_memory)
        return -ENOMEM;
    *ret = v;
    return 0;
}

int bao_report_data(struct bao_arena *arena, struct bao_str bytes, const struct bao_node **ret)
{
    struct bao_load_options options = {
        .mode = BAO_LOAD_REPORT, .format = BAO_FORMAT_GUESS, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    const struct bao_node *data;
    struct bao_doc doc;
    int r;

    if (options.limits.octets < bytes.n)
        options.limits.octets = bytes.n;
    bao_findings_init(&findings, arena, 1);
    r = bao_load(arena, bytes, &options, &findings, &doc);
    if (r != 0)
        return r;
    data = bao_node_get(&doc.root, "data");
    if (data == NULL || data->type != BAO_MAP) {
        *ret = NULL;
        return 0;
    }
    data = bao_without_blanks(arena, data);
    if (data == NULL)
        return -ENOMEM;
    *ret = data;
    return 0;
}

int bao_judge_history(struct bao_arena *arena, const struct bao_history *history, bool flag_only,
                      struct bao_verdict *verdict)
{
    struct bao_verdict *v = verdict;
    struct bao_check_context context;
    struct bao_check_tally tally;
    size_t before = v->findings.n;
    int r;

    if (v->data == NULL || v->form == NULL ||
        (v->symbol != BAO_SYM_NONE &&
         (flag_only || (v->symbol != BAO_SYM_INVALID && v->symbol != BAO_SYM_EXPLAIN))))
        return 0;
    context = check_context(v, history);
    r = bao_checks_run(v->form, arena, &context, &v->findings, &tally);
    if (r != 0)
        return r;
    v->unjudged = tally.unjudged;
    v->unknown = history->unknown;
    if (flag_only) {
        for (size_t i = before; i < v->findings.n; i++)
            v->findings.items[i].severity = BAO_WARNING;
        v->findings.by_severity[BAO_WARNING] +=
            v->findings.by_severity[BAO_ERROR] + v->findings.by_severity[BAO_CONFIRM];
        v->findings.by_severity[BAO_ERROR] = v->findings.by_severity[BAO_CONFIRM] = 0;
    }
    r = conclude(arena, v);
    return r == 0 && v->findings.no_memory ? -ENOMEM : r;
}
