/* The least and the most of each indicator among the reports of a scope. PostgreSQL hands over each report's
 * figures once, as they are stored, and they are compared here: unnesting the figures of 3,300 reports for
 * each of four scopes took it more than a second, this takes milliseconds. */
#pragma once

#include "daemon/store/queries.h"

struct baod_pg_result;

/* Columns beside those of office.rollup, in this order. Rows of one group follow each other. */
enum baod_extremes_column {
    BAOD_EXTREMES_GROUP,       /* int8: the number of the row's scope and period, from 1 on */
    BAOD_EXTREMES_SLOT,        /* int8 */
    BAOD_EXTREMES_SLOT_TO,     /* int8: of a ratio, what it divides by; else null */
    BAOD_EXTREMES_DECIMALS,    /* int8 */
    BAOD_EXTREMES_DECIMALS_TO, /* int8 or null */
    BAOD_EXTREMES_PERCENT,     /* bool */
    BAOD_EXTREMES_REPORTS,     /* bytea, in the first row: of each report the groups it belongs to and its
                                  figures,     both int8[] as array_send() writes them, one after the other */
};

/* Puts the least into column `least` of the rows' cells and the most into the one after it. first: where the
 * columns above begin in the result. 0, -ENOMEM or -EBADMSG. */
int baod_extremes_put(struct bao_arena *arena, const struct baod_pg_result *r, size_t first, size_t least,
                      struct bao_str *cells, size_t width) BAO_MUST_CHECK;
