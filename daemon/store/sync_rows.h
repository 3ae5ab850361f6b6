/* What a snapshot says, as JSON rows for PostgreSQL's jsonb_to_recordset: one list a table. */
#pragma once

#include "daemon/config/snapshot.h"
#include "lib/form/obligation.h"

/* Each appends one JSON array; columns are named as the parts of a sync read them. 0 or <0. */
int baod_rows_units(struct bao_buf *out, const struct bao_registry *registry) BAO_MUST_CHECK;
int baod_rows_successions(struct bao_buf *out, const struct bao_registry *registry) BAO_MUST_CHECK;
int baod_rows_scopes(struct bao_buf *out, const struct bao_registry *registry) BAO_MUST_CHECK;
int baod_rows_members(struct bao_buf *out, const struct bao_registry *registry) BAO_MUST_CHECK;
int baod_rows_forms(struct bao_buf *out, const struct bao_forms *forms) BAO_MUST_CHECK;
int baod_rows_indicators(struct bao_buf *out, const struct bao_forms *forms) BAO_MUST_CHECK;
int baod_rows_targets(struct bao_buf *out, const struct baod_snapshot *snapshot) BAO_MUST_CHECK;
int baod_rows_obligations(struct bao_buf *out, const struct bao_obligations *obligations,
                          const struct bao_registry *registry) BAO_MUST_CHECK;
/* The windows and titles of the periods that the obligations speak of, each once. */
int baod_rows_periods(struct bao_buf *out, const struct bao_obligations *obligations) BAO_MUST_CHECK;
