/* Aligned tables for a terminal. */
#pragma once

#include "lib/base/diag.h"

struct cli_column {
    const char *title;
    bool right; /* figures */
};

/* Prints head, rule and rows; cells[row * n_columns + column] are UTF-8, widths as a terminal shows them. */
void cli_table(FILE *out, const struct cli_column *columns, size_t n_columns, const struct bao_str *cells,
               size_t n_rows);
/* A decimal number as people of that language write it: 1234.5 gives "1.234,5" or "1,234.5". Anything that is
 * no plain number is given back as it is. .p NULL when there is no memory. */
struct bao_str cli_number(struct bao_arena *a, struct bao_str plain, enum bao_lang lang);
