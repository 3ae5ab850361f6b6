/* Rows of an answer as JSON and CSV. */
#pragma once

#include "daemon/store/queries.h"
#include "lib/base/buf.h"

/* A JSON array of objects, one a row, members named as the columns; numbers as they stand, exact. 0 or <0. */
int baod_rows_json(struct bao_buf *out, const struct baod_rows *rows) BAO_MUST_CHECK;
/* RFC 4180 with a head line and CRLF. Text that a spreadsheet would take for a formula gets an apostrophe in
 * front; null is an empty field. 0 or <0. */
int baod_rows_csv(struct bao_buf *out, const struct baod_rows *rows) BAO_MUST_CHECK;
