#include "daemon/http/rows.h"

#include "lib/doc/tree.h"

static int json_cell(struct bao_buf *out, const struct baod_column *column, struct bao_str cell)
{
    if (cell.p == NULL)
        return bao_buf_append_c(out, "null");
    switch (column->cell) {
    case BAOD_CELL_INT:
    case BAOD_CELL_NUMBER:
    case BAOD_CELL_BOOL:
    case BAOD_CELL_JSON:
        return bao_buf_append_str(out, cell);
    default:
        return bao_json_quote(out, cell);
    }
}

static int json_row(struct bao_buf *out, const struct baod_rows *rows, size_t row)
{
    int r = bao_buf_append_c(out, row == 0 ? "\n{" : ",\n{");

    for (size_t i = 0; i < rows->n_columns && r == 0; i++) {
        r = bao_buf_append_c(out, i == 0 ? "\"" : ",\"");
        if (r == 0)
            r = bao_buf_append_c(out, rows->columns[i].name);
        if (r == 0)
            r = bao_buf_append_c(out, "\":");
        if (r == 0)
            r = json_cell(out, &rows->columns[i], rows->cells[row * rows->n_columns + i]);
    }
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

int baod_rows_json(struct bao_buf *out, const struct baod_rows *rows)
{
    int r = bao_buf_append_c(out, "[");

    for (size_t row = 0; row < rows->n_rows && r == 0; row++)
        r = json_row(out, rows, row);
    return r == 0 ? bao_buf_append_c(out, rows->n_rows == 0 ? "]\n" : "\n]\n") : r;
}

static bool reads_as_formula(const struct baod_column *column, struct bao_str cell)
{
    return column->cell == BAOD_CELL_TEXT && cell.n != 0 && strchr("=+-@\t\r", cell.p[0]) != NULL;
}

static int csv_cell(struct bao_buf *out, const struct baod_column *column, struct bao_str cell)
{
    bool formula = reads_as_formula(column, cell), quote = formula;
    int r;

    for (size_t i = 0; i < cell.n && !quote; i++)
        quote = strchr("\",\r\n", cell.p[i]) != NULL;
    if (!quote)
        return bao_buf_append_str(out, cell);
    r = bao_buf_append_c(out, formula ? "\"'" : "\"");
    for (size_t i = 0; i < cell.n && r == 0; i++) {
        r = bao_buf_append(out, cell.p + i, 1);
        if (r == 0 && cell.p[i] == '"')
            r = bao_buf_append(out, "\"", 1);
    }
    return r == 0 ? bao_buf_append(out, "\"", 1) : r;
}

int baod_rows_csv(struct bao_buf *out, const struct baod_rows *rows)
{
    int r = 0;

    for (size_t i = 0; i < rows->n_columns && r == 0; i++)
        r = bao_buf_printf(out, "%s%s", i == 0 ? "" : ",", rows->columns[i].name);
    for (size_t row = 0; row < rows->n_rows && r == 0; row++) {
        r = bao_buf_append_c(out, "\r\n");
        for (size_t i = 0; i < rows->n_columns && r == 0; i++) {
            if (i != 0)
                r = bao_buf_append(out, ",", 1);
            if (r == 0)
                r = csv_cell(out, &rows->columns[i], rows->cells[row * rows->n_columns + i]);
        }
    }
    return r == 0 ? bao_buf_append_c(out, "\r\n") : r;
}
