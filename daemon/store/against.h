/* What would a new version of a form say of the reports accepted so far? */
#pragma once

#include "daemon/config/snapshot.h"

struct baod_pg_call;

struct baod_against_counts {
    int64_t reports; /* counted reports of the form, judged again */
    int64_t refused; /* of those, reports that the version would refuse */
};

enum baod_against_outcome {
    BAOD_AGAINST_E_FORM = 1, /* the folder has no such form */
    BAOD_AGAINST_E_DATABASE, /* `out` ends with its message */
};

/* Judges every counted report of the form by the folder's highest version of it, whatever periods that is in
 * force for, history apart. Each that it would refuse is told in `out` with its first findings (the first 200
 * reports). */
int baod_against_stored(struct baod_pg_call *call, const struct baod_snapshot *snapshot, struct bao_str form,
                        enum bao_lang lang, struct bao_buf *out,
                        struct baod_against_counts *ret) BAO_MUST_CHECK;
