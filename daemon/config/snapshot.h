/* What the daemon judges by: forms and registry of one moment, immutable, shared by reference.
 *
 * Loaded from the forms folder and the province folder; a reload makes a new one and leaves the old to those
 * who still hold it. Reference counts change on the loop thread only. */
#pragma once

#include "lib/form/form.h"

struct baod_snapshot {
    unsigned refs;
    struct bao_forms forms;
    struct bao_registry registry;
    struct bao_arena arena; /* the registry and the folder's texts */
};

enum baod_snapshot_outcome { BAOD_SNAPSHOT_E_BAD = 1 /* messages were appended to `complaints` */ };

/* Loads both folders. Messages for people (with file, line, column, mending) go to complaints.
 * 0, BAOD_SNAPSHOT_E_BAD, or <0. One reference belongs to the caller. */
int baod_snapshot_load(const char *forms_dir, const char *province_dir, enum bao_lang lang,
                       struct bao_buf *complaints, struct baod_snapshot **ret) BAO_MUST_CHECK;
struct baod_snapshot *baod_snapshot_ref(struct baod_snapshot *s);
/* Frees it with the last reference; accepts NULL; gives NULL. */
struct baod_snapshot *baod_snapshot_unref(struct baod_snapshot *s);
