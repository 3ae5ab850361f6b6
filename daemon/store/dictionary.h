/* The numbers that the database gives to codes: units, forms, scopes, and the slots of indicators.
 *
 * One immutable state of them, that of two epochs: the writer compares these with the database's under the
 * lock and asks for a newer dictionary when they differ. */
#pragma once

#include "daemon/config/snapshot.h"
#include "lib/form/rollup.h"

struct baod_dictionary;
struct baod_pg_call;

/* Reads the numbers of a snapshot's codes inside the caller's transaction (see sync.h). The dictionary keeps
 * nothing of the snapshot. 0, an outcome of enum baod_pg_outcome (the call says why), or <0. */
int baod_dictionary_read(struct baod_pg_call *call, const struct baod_snapshot *snapshot,
                         struct baod_dictionary **ret) BAO_MUST_CHECK;
/* Accepts NULL; gives NULL. */
struct baod_dictionary *baod_dictionary_free(struct baod_dictionary *d);

/* The number of a unit's code, or of a form's id; 0 when there is none. */
int32_t baod_dictionary_unit(const struct baod_dictionary *d, struct bao_str code);
int32_t baod_dictionary_form(const struct baod_dictionary *d, struct bao_str id);
/* What of the past the checks of any version of a form read: BAO_BACK_*. */
unsigned baod_dictionary_looks_back(const struct baod_dictionary *d, struct bao_str form);
/* The slots of one version of a form, for as long as the dictionary lives; NULL when it is not known. */
const struct bao_slots *baod_dictionary_slots(const struct baod_dictionary *d, struct bao_str form,
                                              int version);
/* Numbers of the scopes that hold the unit on that day, rising; at most size; gives their number. */
size_t baod_dictionary_scopes(const struct baod_dictionary *d, struct bao_str unit, bao_date day,
                              int32_t *ret, size_t size);
/* The epochs it was read at. */
int64_t baod_dictionary_registry_epoch(const struct baod_dictionary *d);
int64_t baod_dictionary_forms_epoch(const struct baod_dictionary *d);
/* Second argument of every pg_advisory_xact_lock(7316, province). */
int32_t baod_dictionary_province(const struct baod_dictionary *d);
/* Accepts NULL; gives NULL. */
struct baod_dictionary *baod_dictionary_free(struct baod_dictionary *d);
