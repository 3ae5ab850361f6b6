#include "daemon/cli/table.h"

#include "lib/base/utf8.h"

static void pad(FILE *out, size_t n)
{
    while (n-- != 0)
        fputc(' ', out);
}

static void put_cell(FILE *out, struct bao_str cell, size_t width, bool right, bool last)
{
    size_t have = bao_utf8_width(cell);

    if (right)
        pad(out, width - have);
    fprintf(out, "%.*s", BAO_STR_ARG(cell));
    if (!right && !last)
        pad(out, width - have);
    fputs(last ? "\n" : "  ", out);
}

static size_t widest(const struct cli_column *column, size_t index, size_t n_columns,
                     const struct bao_str *cells, size_t n_rows)
{
    size_t width = bao_utf8_width(bao_str_c(column->title));

    for (size_t row = 0; row < n_rows; row++) {
        size_t w = bao_utf8_width(cells[row * n_columns + index]);
        width = w > width ? w : width;
    }
    return width;
}

void cli_table(FILE *out, const struct cli_column *columns, size_t n_columns, const struct bao_str *cells,
               size_t n_rows)
{
    enum { COLUMNS = 16 };
    size_t widths[COLUMNS];

    bao_require(n_columns <= COLUMNS);
    for (size_t i = 0; i < n_columns; i++)
        widths[i] = widest(&columns[i], i, n_columns, cells, n_rows);
    for (size_t i = 0; i < n_columns; i++)
        put_cell(out, bao_str_c(columns[i].title), widths[i], columns[i].right, i + 1 == n_columns);
    for (size_t i = 0; i < n_columns; i++) {
        for (size_t k = 0; k < widths[i]; k++)
            fputs("─", out);
        fputs(i + 1 == n_columns ? "\n" : "  ", out);
    }
    for (size_t row = 0; row < n_rows; row++)
        for (size_t i = 0; i < n_columns; i++)
            put_cell(out, cells[row * n_columns + i], widths[i], columns[i].right, i + 1 == n_columns);
}

static bool is_plain_number(struct bao_str s)
{
    size_t digits = 0, points = 0;

    for (size_t i = s.n != 0 && s.p[0] == '-'; i < s.n; i++) {
        if (s.p[i] == '.')
            points++;
        else if (s.p[i] >= '0' && s.p[i] <= '9')
            digits++;
        else
            return false;
    }
    return digits != 0 && points <= 1;
}

struct bao_str cli_number(struct bao_arena *a, struct bao_str plain, enum bao_lang lang)
{
    char group = lang == BAO_VI ? '.' : ',', point = lang == BAO_VI ? ',' : '.';
    size_t sign = plain.n != 0 && plain.p[0] == '-', whole = sign, n = 0;
    char *out;

    if (!is_plain_number(plain))
        return plain;
    while (whole < plain.n && plain.p[whole] != '.')
        whole++;
    out = bao_arena_alloc(a, plain.n * 2 + 1);
    if (out == NULL)
        return BAO_STR_NULL;
    for (size_t i = 0; i < plain.n; i++) {
        if (i > sign && i < whole && (whole - i) % 3 == 0)
            out[n++] = group;
        out[n++] = plain.p[i] == '.' ? point : plain.p[i];
    }
    return (struct bao_str){out, n};
}
