/* baocao rollup: totals of a form by scope, each with its coverage; over a period or a span also beside the
 * same one last year and the pace towards the year's target. */
#include "daemon/cli/ask.h"
#include "daemon/cli/table.h"

enum { COLUMNS = 10 };

static bool same_group(const struct bao_node *a, const struct bao_node *b)
{
    static const char *const names[] = {"form", "period", "scope"};

    for (size_t i = 0; i < BAO_COUNT(names); i++) {
        const struct bao_node *x = bao_node_get(a, names[i]), *y = bao_node_get(b, names[i]);

        if (x == NULL || y == NULL || !bao_node_equal(x, y))
            return false;
    }
    return true;
}

static void print_heading(const struct bao_node *row, struct bao_arena *arena, enum bao_lang lang)
{
    struct bao_str form = cli_cell(arena, row, "form", lang), period = cli_cell(arena, row, "period", lang),
                   scope = cli_cell(arena, row, "scope_vi", lang), code = cli_cell(arena, row, "scope", lang),
                   from = cli_cell(arena, row, "period_from", lang),
                   to = cli_cell(arena, row, "period_to", lang);

    printf("\n%.*s · %.*s (%.*s → %.*s) · %.*s [%.*s]\n\n", BAO_STR_ARG(form), BAO_STR_ARG(period),
           BAO_STR_ARG(from), BAO_STR_ARG(to), BAO_STR_ARG(scope), BAO_STR_ARG(code));
}

/* Every figure goes with how many units gave it, of those that owe it. */
static struct bao_str coverage(struct bao_arena *arena, const struct bao_node *row, enum bao_lang lang)
{
    struct bao_str reported = cli_cell(arena, row, "reported", lang),
                   owed = cli_cell(arena, row, "owed", lang);

    return bao_arena_printf(arena, "%.*s/%.*s", BAO_STR_ARG(reported), BAO_STR_ARG(owed));
}

/* "đúng tiến độ" for "on-track"; nothing is a dash. */
static struct bao_str pace(struct bao_arena *arena, const struct bao_node *row, enum bao_lang lang)
{
    static const struct {
        const char *name, *vi;
    } words[] = {{"ahead", "vượt tiến độ"},
                 {"on-track", "đúng tiến độ"},
                 {"at-risk", "có nguy cơ chậm"},
                 {"behind", "chậm tiến độ"}};
    struct bao_str name = cli_cell(arena, row, "pace", lang);

    for (size_t i = 0; lang == BAO_VI && i < BAO_COUNT(words); i++)
        if (bao_str_is(name, words[i].name))
            return bao_str_c(words[i].vi);
    return name;
}

/* " = 640/1.000" behind a rate: what is divided and by what; nothing behind any other figure. */
static struct bao_str parts_of(struct bao_arena *arena, const struct bao_node *row, enum bao_lang lang)
{
    const struct bao_node *by = bao_node_get(row, "denominator");
    struct bao_str of = cli_cell(arena, row, "numerator", lang),
                   to = cli_cell(arena, row, "denominator", lang);

    if (by == NULL || by->type == BAO_NULL)
        return BAO_STR("");
    return bao_arena_printf(arena, " = %.*s/%.*s", BAO_STR_ARG(of), BAO_STR_ARG(to));
}

/* The figure; "≈" before one that a split's shares apportioned, and of a stock the part it was taken from. */
static struct bao_str figure(struct bao_arena *arena, const struct bao_node *row, enum bao_lang lang)
{
    const struct bao_node *estimated = bao_node_get(row, "estimated"), *part = bao_node_get(row, "of_period"),
                          *span = bao_node_get(row, "period");
    struct bao_str value = cli_cell(arena, row, "value", lang), divided = parts_of(arena, row, lang);
    bool named = part != NULL && part->type == BAO_STRING && span != NULL && !bao_node_equal(part, span);
    bool about = estimated != NULL && estimated->type == BAO_BOOL && estimated->boolean;

    return bao_arena_printf(arena, "%s%.*s%.*s%s%.*s%s", about ? "≈ " : "", BAO_STR_ARG(value),
                            BAO_STR_ARG(divided), named ? " (" : "", named ? (int)bao_node_str(part).n : 0,
                            named ? bao_node_str(part).p : "", named ? ")" : "");
}

/* "3 / 12 / 40": how far apart the units are. */
static struct bao_str spread(struct bao_arena *arena, const struct bao_node *row, enum bao_lang lang)
{
    struct bao_str least = cli_cell(arena, row, "min", lang), middle = cli_cell(arena, row, "median", lang),
                   most = cli_cell(arena, row, "max", lang);
    const struct bao_node *is = bao_node_get(row, "min");

    if (is == NULL || is->type == BAO_NULL)
        return middle;
    return bao_arena_printf(arena, "%.*s / %.*s / %.*s", BAO_STR_ARG(least), BAO_STR_ARG(middle),
                            BAO_STR_ARG(most));
}

/* The rows are of one period without comparison (the plain question) when they have no member `pace`. */
static int print_group(const struct bao_node *rows, size_t n, struct bao_arena *arena, enum bao_lang lang)
{
    static const struct cli_column columns[BAO_LANGS][COLUMNS] = {
        {{"Chỉ tiêu", false},
         {"Mã", false},
         {"Giá trị", true},
         {"Đơn vị tính", false},
         {"Mục tiêu", true},
         {"Đã gửi/phải gửi", true},
         {"Tiến độ", false},
         {"Cùng kỳ năm trước", true},
         {"So cùng kỳ (%)", true},
         {"Đơn vị thấp nhất/trung vị/cao nhất", true}},
        {{"Indicator", false},
         {"Code", false},
         {"Value", true},
         {"Measure", false},
         {"Target", true},
         {"Reported/owed", true},
         {"Pace", false},
         {"Last year", true},
         {"Change (%)", true},
         {"Least/median/most of a unit", true}},
    };
    size_t width = bao_node_get(rows, "pace") == NULL ? 6 : COLUMNS;
    struct bao_str *cells = bao_arena_array(arena, n * width, sizeof(*cells));

    if (cells == NULL)
        return CLI_USAGE;
    print_heading(rows, arena, lang);
    for (size_t i = 0; i < n; i++) {
        struct bao_str *cell = cells + i * width;

        cell[0] = cli_cell(arena, &rows[i], lang == BAO_VI ? "label_vi" : "label_en", lang);
        cell[1] = cli_cell(arena, &rows[i], "indicator", lang);
        cell[2] = figure(arena, &rows[i], lang);
        cell[3] = cli_cell(arena, &rows[i], "measure", lang);
        cell[4] = cli_cell(arena, &rows[i], "target", lang);
        cell[5] = coverage(arena, &rows[i], lang);
        if (width == 6)
            continue;
        cell[6] = pace(arena, &rows[i], lang);
        cell[7] = cli_cell(arena, &rows[i], "last_year", lang);
        cell[8] = cli_cell(arena, &rows[i], "last_year_percent", lang);
        cell[9] = spread(arena, &rows[i], lang);
    }
    cli_table(stdout, columns[lang], width, cells, n);
    return CLI_OK;
}

int cli_rollup(const struct cli_options *options, int argc, char **argv)
{
    static const char *const own[] = {"--span", "--units", "--indicator", NULL};
    struct bao_arena arena = BAO_ARENA_NULL(0);
    const struct bao_node *rows = NULL;
    struct cli_question question;
    int code = CLI_USAGE;

    if (cli_question_read(options, argc, argv, own, &question)) {
        /* A period is a span of one part: people see it with last year and the pace. Programs get what they
         * name. */
        if (!options->json && question.span == NULL && question.as_of == NULL)
            question.span = question.period;
        code = cli_ask(options, &question, "/v1/rollups", &arena, &rows);
    }
    if (rows != NULL && rows->len == 0)
        puts(options->lang == BAO_VI ? "Chưa có số liệu tổng hợp nào khớp câu hỏi."
                                     : "No rollup matches the question.");
    for (size_t i = 0, n; rows != NULL && i < rows->len && code == CLI_OK; i += n) {
        for (n = 1; i + n < rows->len && same_group(&rows->items[i], &rows->items[i + n]); n++)
            ;
        code = print_group(&rows->items[i], n, &arena, options->lang);
    }
    bao_arena_deinit(&arena);
    return code;
}
