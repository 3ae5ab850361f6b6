/* baocao status: who owes, who is late, as counts that add up; --missing lists the units. */
#include "daemon/cli/ask.h"
#include "daemon/cli/table.h"
#include "lib/form/obligation.h"

enum { COLUMNS_MAX = 11, RATES = 2 };

struct view {
    const char *path;
    size_t n;
    const char *names[COLUMNS_MAX];
    struct cli_column columns[BAO_LANGS][COLUMNS_MAX];
    const char *empty[BAO_LANGS];
};

static const struct view counts = {
    "/v1/status",
    11,
    {"form", "period", "scope", "owed", "on_time", "late", "overdue", "pending", "exempt", NULL, NULL},
    {{{"Biểu mẫu", false},
      {"Kỳ", false},
      {"Phạm vi", false},
      {"Phải gửi", true},
      {"Đúng hạn", true},
      {"Chậm", true},
      {"Quá hạn", true},
      {"Chưa đến hạn", true},
      {"Miễn", true},
      {"Đã gửi/phải gửi trừ miễn", true},
      {"Đúng hạn/phải gửi trừ miễn", true}},
     {{"Form", false},
      {"Period", false},
      {"Scope", false},
      {"Owed", true},
      {"On time", true},
      {"Late", true},
      {"Overdue", true},
      {"Pending", true},
      {"Exempt", true},
      {"Reported of owed less exempt", true},
      {"On time of owed less exempt", true}}},
    {"Chưa có nghĩa vụ báo cáo nào khớp câu hỏi.", "No obligation matches the question."},
};

static const struct view missing = {
    "/v1/missing",
    10,
    {"form", "period", "unit", "name_vi", "kind", "due_at", "hours_late", "extended_to", "heir", "heir_vi"},
    {{{"Biểu mẫu", false},
      {"Kỳ", false},
      {"Mã đơn vị", false},
      {"Đơn vị", false},
      {"Loại", false},
      {"Hạn gửi", false},
      {"Chậm (giờ)", true},
      {"Gia hạn đến", false},
      {"Mã kế thừa", false},
      {"Đơn vị kế thừa phải gửi", false}},
     {{"Form", false},
      {"Period", false},
      {"Unit", false},
      {"Name", false},
      {"Kind", false},
      {"Due", false},
      {"Hours late", true},
      {"Extended to", false},
      {"Successor", false},
      {"Successor that owes it", false}}},
    {"Không còn đơn vị nào thiếu báo cáo.", "No unit owes a report."},
};

/* "2026-09-16T17:00:00.000+07:00" as a person reads it. */
static struct bao_str moment(struct bao_arena *arena, const struct bao_node *row, const char *name,
                             enum bao_lang lang)
{
    struct bao_str text = cli_cell(arena, row, name, lang);
    char written[24];
    bao_date day;

    if (text.n < 16 || text.p[10] != 'T' || !bao_date_parse((struct bao_str){text.p, 10}, &day))
        return text;
    bao_day_print(day, lang, written);
    return bao_arena_printf(arena, "%.5s %s", text.p + 11, written);
}

/* A kind of unit by its title; one of the province's own keeps its id. */
static struct bao_str kind_of(struct bao_arena *arena, const struct bao_node *row, enum bao_lang lang)
{
    struct bao_str id = cli_cell(arena, row, "kind", lang);
    const char *title = lang == BAO_VI ? bao_kind_title(id, lang) : NULL;

    return title == NULL ? id : bao_str_c(title);
}

static struct bao_str cell_of(struct bao_arena *arena, const struct bao_node *row, const char *name,
                              enum bao_lang lang)
{
    if (strcmp(name, "due_at") == 0 || strcmp(name, "extended_to") == 0)
        return moment(arena, row, name, lang);
    return strcmp(name, "kind") == 0 ? kind_of(arena, row, lang) : cli_cell(arena, row, name, lang);
}

static int64_t count_of(const struct bao_node *row, const char *name)
{
    const struct bao_node *value = bao_node_get(row, name);

    return value != NULL && value->type == BAO_INT ? value->i : 0;
}

/* "45/100 = 45,0%": what is divided, by what, and the rate; which = 0 reported, 1 on time. What is exempt
 * owes nothing. */
static struct bao_str rate(struct bao_arena *arena, const struct bao_node *row, size_t which,
                           enum bao_lang lang)
{
    int64_t of = count_of(row, "on_time") + (which == 0 ? count_of(row, "late") : 0);
    int64_t to = count_of(row, "owed") - count_of(row, "exempt");
    int64_t tenths = to > 0 ? (of * 2000 + to) / (2 * to) : 0;

    if (to <= 0)
        return bao_arena_printf(arena, "%lld/%lld", (long long)of, (long long)to);
    return bao_arena_printf(arena, "%lld/%lld = %lld%c%lld%%", (long long)of, (long long)to,
                            (long long)(tenths / 10), lang == BAO_VI ? ',' : '.', (long long)(tenths % 10));
}

static int print_rows(const struct view *view, const struct bao_node *rows, struct bao_arena *arena,
                      enum bao_lang lang)
{
    struct bao_str *cells = bao_arena_array(arena, rows->len * view->n, sizeof(*cells));

    if (cells == NULL)
        return CLI_USAGE;
    for (size_t i = 0; i < rows->len; i++)
        for (size_t k = 0; k < view->n; k++)
            cells[i * view->n + k] = view->names[k] == NULL
                                         ? rate(arena, &rows->items[i], k - (view->n - RATES), lang)
                                         : cell_of(arena, &rows->items[i], view->names[k], lang);
    cli_table(stdout, view->columns[lang], view->n, cells, rows->len);
    return CLI_OK;
}

/* Takes --missing out of argv: the new argc. */
static int take_missing(int argc, char **argv, bool *ret)
{
    int n = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--missing") == 0)
            *ret = true;
        else
            argv[n++] = argv[i];
    }
    return n;
}

int cli_status(const struct cli_options *options, int argc, char **argv)
{
    static const char *const of_missing[] = {"--unit", NULL}, *const of_counts[] = {"--units", NULL};
    struct bao_arena arena = BAO_ARENA_NULL(0);
    const struct bao_node *rows = NULL;
    struct cli_question question;
    bool list = false;
    const struct view *view;
    int code = CLI_USAGE;

    argc = take_missing(argc, argv, &list);
    view = list ? &missing : &counts;
    if (cli_question_read(options, argc, argv, list ? of_missing : of_counts, &question))
        code = cli_ask(options, &question, view->path, &arena, &rows);
    if (rows != NULL && rows->len == 0)
        puts(view->empty[options->lang]);
    else if (rows != NULL)
        code = print_rows(view, rows, &arena, options->lang);
    bao_arena_deinit(&arena);
    return code;
}
