/* baocao rollup: totals of a form by scope, each with its coverage. */
#include "daemon/cli/ask.h"
#include "daemon/cli/table.h"

enum { COLUMNS = 6 };

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

static int print_group(const struct bao_node *rows, size_t n, struct bao_arena *arena, enum bao_lang lang)
{
    const struct cli_column columns[BAO_LANGS][COLUMNS] = {
        {{"Chỉ tiêu", false},
         {"Mã", false},
         {"Giá trị", true},
         {"Đơn vị tính", false},
         {"Mục tiêu", true},
         {"Đã gửi/phải gửi", true}},
        {{"Indicator", false},
         {"Code", false},
         {"Value", true},
         {"Measure", false},
         {"Target", true},
         {"Reported/owed", true}},
    };
    struct bao_str *cells = bao_arena_array(arena, n * COLUMNS, sizeof(*cells));

    if (cells == NULL)
        return CLI_USAGE;
    print_heading(rows, arena, lang);
    for (size_t i = 0; i < n; i++) {
        struct bao_str *cell = cells + i * COLUMNS;

        cell[0] = cli_cell(arena, &rows[i], lang == BAO_VI ? "label_vi" : "label_en", lang);
        cell[1] = cli_cell(arena, &rows[i], "indicator", lang);
        cell[2] = cli_cell(arena, &rows[i], "value", lang);
        cell[3] = cli_cell(arena, &rows[i], "measure", lang);
        cell[4] = cli_cell(arena, &rows[i], "target", lang);
        cell[5] = coverage(arena, &rows[i], lang);
    }
    cli_table(stdout, columns[lang], COLUMNS, cells, n);
    return CLI_OK;
}

int cli_rollup(const struct cli_options *options, int argc, char **argv)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    const struct bao_node *rows = NULL;
    struct cli_question question;
    int code = CLI_USAGE;

    if (cli_question_read(options, argc, argv, &question))
        code = cli_ask(options, &question, "/v1/rollups", &arena, &rows);
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
