/* baocao new: a blank report to fill in. */
#include "daemon/cli/forms_dir.h"
#include "daemon/cli/history.h"
#include "daemon/cli/input.h"
#include "daemon/cli/template.h"
#include "daemon/cli/words.h"
#include "lib/form/obligation.h"

enum { FILE_CAP = 4 << 20, OUT_MAX = 16 << 20 };

struct arguments {
    const char *form, *unit, *period, *from, *forms, *province;
};

struct new_report {
    const struct cli_options *options;
    struct cli_forms forms;
    struct bao_arena arena;
    struct bao_schema_scratch *scratch;
    const struct baod_snapshot *snapshot;
    const struct bao_form *form;
    const struct bao_unit *unit;
    struct bao_str unit_code;
    struct bao_period period;
    bao_date from, to;
    struct bao_verdict before; /* the report named by --from */
    struct bao_findings
        open; /* history findings of a report that carries nothing over: by item what is missing */
};

static bool read_arguments(const struct cli_options *options, int argc, char **argv, struct arguments *a)
{
    const struct cli_word known[] = {{"--unit", &a->unit},         {"--period", &a->period},
                                     {"--from", &a->from},         {"--forms", &a->forms},
                                     {"--province", &a->province}, {NULL}};
    int n = cli_words_read(options, argc, argv, known, 1);
    bool vi = options->lang == BAO_VI;

    if (n < 0)
        return false;
    if (n == 0)
        return cli_complain(options, vi ? "thiếu tên biểu mẫu; xem các biểu mẫu bằng: baocao forms"
                                        : "no form is named; see the forms with: baocao forms");
    if (a->unit == NULL)
        return cli_complain(options, vi ? "thiếu --unit: mã hoặc tên đơn vị"
                                        : "--unit is missing: the unit's code or name");
    if (a->period == NULL)
        return cli_complain(options, vi ? "thiếu --period: kỳ báo cáo" : "--period is missing");
    a->form = argv[1];
    return true;
}

static int complain(const struct new_report *n, const char *vi, const char *en, const char *what)
{
    fprintf(stderr, "baocao new: %s: %s\n", n->options->lang == BAO_VI ? vi : en, what);
    return CLI_USAGE;
}

/* No such form: with the one whose name is nearest. */
static int tell_form(struct new_report *n, const char *form)
{
    const struct bao_forms *forms = &n->snapshot->forms;
    struct bao_str *ids = bao_arena_array(&n->arena, forms->n, sizeof(*ids));
    size_t near;

    for (size_t i = 0; ids != NULL && i < forms->n; i++)
        ids[i] = forms->items[i]->id;
    near = ids == NULL ? forms->n : bao_nearest_str(&n->arena, bao_str_c(form), ids, forms->n);
    (void)complain(n, "không có biểu mẫu này", "there is no such form", form);
    if (near < forms->n)
        fprintf(stderr, n->options->lang == BAO_VI ? "Có phải là %.*s không?\n" : "Is %.*s meant?\n",
                BAO_STR_ARG(ids[near]));
    return CLI_USAGE;
}

/* The form is there, but not for such a period: of another type, or before or after its time. */
static int tell_period(const struct new_report *n, const struct arguments *a)
{
    const struct bao_forms *forms = &n->snapshot->forms;
    const struct bao_calendar civil = {BAO_CAL_CIVIL, 0};
    const struct bao_form *form = NULL;
    bao_date from, to;
    char example[16];

    for (size_t i = 0; i < forms->n; i++)
        if (bao_str_is(forms->items[i]->id, a->form))
            form = forms->items[i];
    if (form == NULL || form->period_type == BAO_PERIOD_ONCE || form->period_type == n->period.type)
        return complain(n, "biểu mẫu không dùng cho kỳ này", "the form is not in force for this period",
                        a->period);
    bao_period_window(n->period, civil, &from, &to);
    bao_period_print(bao_period_at((enum bao_period_type)form->period_type, form->calendar, from), example);
    fprintf(stderr,
            n->options->lang == BAO_VI ? "baocao new: biểu mẫu %s báo cáo theo %s, ví dụ --period %s\n"
                                       : "baocao new: form %s is due by the %s, such as --period %s\n",
            a->form, bao_period_word(form->period_type, n->options->lang), example);
    return CLI_USAGE;
}

/* The unit may be written by its name, as it stood when the period ended by the civil calendar. */
static const struct baod_snapshot *find_unit(struct new_report *n)
{
    const struct bao_calendar civil = {BAO_CAL_CIVIL, 0};
    bao_date from, to;

    if (bao_is_unit_code(n->unit_code))
        return cli_forms_of_unit(&n->forms, n->unit_code);
    bao_period_window(n->period, civil, &from, &to);
    return cli_forms_unit(&n->forms, &n->arena, to, &n->unit_code);
}

static int find_form(struct new_report *n, const struct arguments *a)
{
    bool known;

    n->unit_code = bao_str_c(a->unit);
    if (!bao_period_parse(bao_str_c(a->period), &n->period))
        return complain(n, "kỳ báo cáo phải viết như 2026, 2026-H1, 2026-Q3 hoặc 2026-09, không phải",
                        "a period is written like 2026, 2026-H1, 2026-Q3 or 2026-09, not like", a->period);
    n->snapshot = find_unit(n);
    if (n->snapshot == NULL)
        return CLI_USAGE;
    n->form = bao_forms_get(&n->snapshot->forms, bao_str_c(a->form), n->period, &known);
    if (n->form == NULL)
        return known ? tell_period(n, a) : tell_form(n, a->form);
    (void)bao_form_window(n->form, n->period, &n->from, &n->to); /* bao_forms_get has asked already */
    if (cli_registry(n->snapshot) == NULL)
        return CLI_OK;
    n->unit = bao_registry_unit(&n->snapshot->registry, n->unit_code, n->to);
    if (n->unit == NULL)
        return complain(n, "không có đơn vị này trong kỳ", "there is no such unit in that period", a->unit);
    return bao_form_owes(n->form, n->unit, n->to) ? CLI_OK
                                                  : complain(n, "đơn vị không phải gửi báo cáo này",
                                                             "the unit does not owe this report", a->unit);
}

/* ---- what is carried over ---- */

/* The rules that walk the earlier report's items say what may not be dropped: they are run over a report that
 * drops everything, and what they miss is open. */
static int find_open(struct new_report *n)
{
    static const struct bao_node nothing = {.type = BAO_MAP};
    const struct bao_history history = {.prev = n->before.data};
    const struct bao_check_context context = {
        .vars = {.self = &nothing,
                 .unit_code = n->unit_code,
                 .unit = n->unit,
                 .period = n->period,
                 .from = n->from,
                 .to = n->to,
                 .due = BAO_DATE_NONE,
                 .form = n->form,
                 .history = &history},
        .which = BAO_CHECKS_HISTORY,
        .pointer = BAO_STR("/data"),
    };
    struct bao_check_tally tally;

    bao_findings_init(&n->open, &n->arena, 100000);
    return bao_checks_run(n->form, &n->arena, &context, &n->open, &tally);
}

/* The list that a check walks in the earlier report: "nhiem_vu" of each: prev.nhiem_vu; empty when it is
 * none. */
static struct bao_str walked(const struct bao_form *form, struct bao_str check)
{
    const struct bao_node *checks = bao_node_get(&form->doc.root, "checks");

    for (uint32_t i = 0; checks != NULL && i < checks->len; i++) {
        const struct bao_node *id = bao_node_get(&checks->items[i], "id");
        const struct bao_node *each = bao_node_get(&checks->items[i], "each");

        if (id == NULL || each == NULL || id->type != BAO_STRING || each->type != BAO_STRING ||
            !bao_str_eq(bao_node_str(id), check) || each->len <= 5 || memcmp(each->str, "prev.", 5) != 0)
            continue;
        return (struct bao_str){each->str + 5, each->len - 5};
    }
    return BAO_STR_NULL;
}

static bool same_path(struct bao_data_path path, struct bao_str dotted)
{
    for (size_t i = 0; i < path.n; i++) {
        struct bao_str step = path.steps[i];

        if (i != 0) {
            if (dotted.n == 0 || dotted.p[0] != '.')
                return false;
            dotted = (struct bao_str){dotted.p + 1, dotted.n - 1};
        }
        if (dotted.n < step.n || memcmp(dotted.p, step.p, step.n) != 0)
            return false;
        dotted = (struct bao_str){dotted.p + step.n, dotted.n - step.n};
    }
    return dotted.n == 0;
}

static struct bao_str key_of(const struct bao_form *form, struct bao_data_path list)
{
    for (size_t i = 0; i < form->n_keyed; i++)
        if (form->keyed[i].path.n == list.n && bao_data_path_within(form->keyed[i].path, list))
            return form->keyed[i].key;
    return BAO_STR_NULL;
}

static bool is_open(void *user, struct bao_data_path list, const struct bao_node *item)
{
    const struct new_report *n = user;
    const struct bao_member *key = bao_node_member(item, key_of(n->form, list));

    for (size_t i = 0; key != NULL && key->value.type == BAO_STRING && i < n->open.n; i++)
        if (bao_str_eq(n->open.items[i].item, bao_node_str(&key->value)) &&
            same_path(list, walked(n->form, n->open.items[i].check)))
            return true;
    return false;
}

static int read_before(struct new_report *n, const char *path)
{
    const struct bao_judge_context context = {.forms = &n->snapshot->forms,
                                              .registry = cli_registry(n->snapshot),
                                              .limits = BAO_LOAD_LIMITS_DEFAULT,
                                              .now = BAO_TIME_NONE};
    struct bao_str bytes;
    int r = cli_read_file(&n->arena, path, FILE_CAP, &bytes);

    if (r == 0)
        r = bao_judge(&context, &n->arena, n->scratch, bytes, &n->before);
    if (r < 0) {
        cli_tell_unreadable(n->options->lang, path, r);
        return CLI_USAGE;
    }
    if (!bao_str_eq(n->before.form_id, n->form->id) || n->before.data == NULL)
        return complain(n, "tệp này không phải báo cáo trước của biểu mẫu",
                        "this is no earlier report of the form", path);
    return find_open(n) < 0 ? CLI_USAGE : CLI_OK;
}

/* ---- writing ---- */

static const char *const help[BAO_LANGS] = {
    "#\n# Ghi sau dấu hai chấm. Không có thì ghi 0; chưa có số liệu thì để trống. Số viết liền: 1500000.\n"
    "# Xong thì chạy: baocao check TÊN-TỆP\n\n",
    "#\n# Write after the colons: 0 for none, blank for not known. Figures without separators: 1500000.\n"
    "# Then run: baocao check FILE\n\n",
};

static struct bao_str unit_name(const struct new_report *n)
{
    return n->options->lang == BAO_EN && n->unit->name_en.n != 0 ? n->unit->name_en : n->unit->name;
}

static int put_head(struct bao_buf *out, const struct new_report *n)
{
    enum bao_lang lang = n->options->lang;
    const struct bao_form *f = n->form;
    struct bao_str title = lang == BAO_EN && f->title.en.n != 0 ? f->title.en : f->title.vi;
    char vi[64], en[64], from[24], to[24], period[16], due_text[64] = "";
    const struct bao_registry *r = cli_registry(n->snapshot);
    int result;

    bao_period_title(n->period, vi, en);
    bao_period_print(n->period, period);
    bao_day_print(n->from, lang, from);
    bao_day_print(n->to, lang, to);
    if (r != NULL && n->unit != NULL) {
        bao_time due, lock;

        bao_form_times(f, &r->holidays, r->offset, n->unit->kind, n->to, &due, &lock);
        if (due != BAO_TIME_NONE)
            bao_moment_print(due, r->offset, lang, due_text);
    }
    result = bao_buf_printf(out, "# %.*s\n# %s (%s – %s)\n", BAO_STR_ARG(title), lang == BAO_VI ? vi : en,
                            from, to);
    if (result == 0 && due_text[0] != '\0')
        result = bao_buf_printf(out, lang == BAO_VI ? "# Hạn gửi: %s\n" : "# Due: %s\n", due_text);
    if (result == 0)
        result = bao_buf_append_c(out, help[lang]);
    if (result == 0)
        result =
            bao_buf_printf(out, "form: %.*s\nunit: \"%.*s\"", BAO_STR_ARG(f->id), BAO_STR_ARG(n->unit_code));
    if (result == 0 && n->unit != NULL)
        result = bao_buf_printf(out, "   # %.*s", BAO_STR_ARG(unit_name(n)));
    return result == 0 ? bao_buf_printf(out, "\nperiod: %s\nrevision: 1   # %s\n", period,
                                        lang == BAO_VI ? "mỗi lần đính chính tăng thêm 1"
                                                       : "add 1 for each correction")
                       : result;
}

static int put_envelope(struct bao_buf *out, const struct new_report *n)
{
    bool vi = n->options->lang == BAO_VI;
    int r =
        bao_buf_append_c(out, vi ? "# signed: {position: Chủ tịch, number: 12/BC-UBND, date: 2026-09-16}\n"
                                 : "# signed: {position: Chairman, number: 12/BC-UBND, date: 2026-09-16}\n");

    /* An example that is left standing must not pass for the unit's own words. */
    if (r == 0 && n->form->signed_required)
        r = bao_buf_append_c(out, vi ? "# Bắt buộc ghi người ký (by) hoặc chức vụ (position)\n"
                                       "signed: {by: , position: , number: , date: }\n"
                                     : "# Who signed (by) or the position is required\n"
                                       "signed: {by: , position: , number: , date: }\n");
    if (r == 0 && n->form->nil_allowed)
        r = bao_buf_append_c(
            out, vi ? "# nil: true   # trong kỳ không phát sinh: bỏ dấu # và xóa từ data trở xuống\n"
                    : "# nil: true   # nothing happened: drop the # and everything from data on\n");
    return r == 0 ? bao_buf_append_c(out, "data:\n") : r;
}

static int write_report(struct new_report *n)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(OUT_MAX);
    const struct cli_template t = {
        .form = n->form,
        .lang = n->options->lang,
        .kind = n->unit == NULL ? BAO_STR_NULL : n->unit->kind,
        .arena = &n->arena,
        .before = n->before.data,
        .is_open = is_open,
        .user = n,
    };
    int r = put_head(&out, n);

    if (r == 0)
        r = put_envelope(&out, n);
    if (r == 0)
        r = cli_template_data(&t, &out);
    if (r < 0) {
        cli_tell_unreadable(n->options->lang, "baocao new", r);
        return CLI_USAGE;
    }
    return fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout) == bao_buf_len(&out) &&
                   fflush(stdout) == 0
               ? CLI_OK
               : CLI_USAGE;
}

int cli_new(const struct cli_options *options, int argc, char **argv)
{
    struct new_report n = {.options = options, .arena = BAO_ARENA_NULL(0)};
    struct arguments a = {.form = NULL};
    int code;

    if (!read_arguments(options, argc, argv, &a))
        return CLI_USAGE;
    n.scratch = bao_schema_scratch_new();
    if (n.scratch == NULL || !cli_forms_open(&n.forms, options, a.forms, a.province)) {
        n.scratch = bao_schema_scratch_free(n.scratch);
        return CLI_USAGE;
    }
    code = find_form(&n, &a);
    if (code == CLI_OK && a.from != NULL)
        code = read_before(&n, a.from);
    if (code == CLI_OK)
        code = write_report(&n);
    cli_forms_close(&n.forms);
    n.scratch = bao_schema_scratch_free(n.scratch);
    bao_arena_deinit(&n.arena);
    return code;
}
