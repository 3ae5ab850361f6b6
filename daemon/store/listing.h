/* What an operator's `list --format json` prints: an array of objects, each on a line of its own. */
#pragma once

#include "daemon/store/pg.h"
#include "lib/base/buf.h"

struct baod_listing {
    const char *const *names; /* of the columns */
    size_t n;
    int offset; /* seconds east of UTC, for times */
    /* Adds one cell as a JSON value: 0 or <0. */
    int (*put)(const struct baod_pg_result *res, size_t row, size_t column, int offset, struct bao_buf *out);
};

/* 0 or <0. */
int baod_listing_json(const struct baod_listing *listing, const struct baod_pg_result *res,
                      struct bao_buf *out) BAO_MUST_CHECK;
