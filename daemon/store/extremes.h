/* The least and the most of each indicator among the reports of a scope. PostgreSQL hands over the figures as
 * they are stored and they are compared here: unnesting 150 reports of 50 figures took it several
 * milliseconds, this takes microseconds. */
#pragma once

#include "daemon/store/queries.h"

struct baod_pg_result;

/* Columns beside those of office.rollup, in this order. Rows of one scope follow each other. */
enum baod_extremes_column {
    BAOD_EXTREMES_SLOT,     /* int8; null of a ratio, whose least and most the statement has found */
    BAOD_EXTREMES_DECIMALS, /* int8 */
    BAOD_EXTREMES_FIGURES, /* bytea: int8[] as array_send() writes them, one after the other; in the first row
                              of a scope, in the others null */
};

/* Puts the least into column `least` of the rows' cells and the most into the one after it. first: where the
 * columns above begin in the result. 0, -ENOMEM or -EBADMSG. */
int baod_extremes_put(struct bao_arena *arena, const struct baod_pg_result *r, size_t first, size_t least,
                      struct bao_str *cells, size_t width) BAO_MUST_CHECK;
