/* What the daemon judges by: forms and registry of one moment, immutable, shared by reference.
 *
 * Loaded from the forms folder and the province folder; a reload makes a new one and leaves the old to those
 * who still hold it. Reference counts change on the loop thread only. */
#pragma once

#include "lib/form/form.h"

/* A form of a programme that the province does not carry out. */
struct baod_left_out {
    struct bao_str form, programme;
    int version;
};

struct baod_snapshot {
    unsigned refs;
    struct bao_forms forms;
    struct bao_registry registry;
    struct baod_left_out *left_out;
    size_t n_left_out;
    struct bao_str bundle; /* a zlib stream, when baod_bundle_make() has made it */
    size_t bundle_size;    /* octets once inflated */
    struct bao_str bundle_version;
    struct bao_arena arena; /* the registry and the folder's texts */
};

enum baod_snapshot_outcome { BAOD_SNAPSHOT_E_BAD = 1 /* messages were appended to `complaints` */ };

/* Loads both folders. Messages for people (with file, line, column, mending) go to complaints; warnings may
 * stand there although the result is 0. Forms are the *.yaml files with a key `baocao`, in any subfolder but
 * provinces/ and samples/; common.yaml at the top is what "common#" names. A form of a programme that the
 * province does not list in its programmes.yaml is left out and named. Without a province (NULL) the registry
 * stays empty. 0, BAOD_SNAPSHOT_E_BAD, or <0. One reference belongs to the caller. */
int baod_snapshot_load(const char *forms_dir, const char *province_dir, enum bao_lang lang,
                       struct bao_buf *complaints, struct baod_snapshot **ret) BAO_MUST_CHECK;
struct baod_snapshot *baod_snapshot_ref(struct baod_snapshot *s);
/* Frees it with the last reference; accepts NULL; gives NULL. */
struct baod_snapshot *baod_snapshot_unref(struct baod_snapshot *s);

/* A province folder alone: its registry into the arena, messages to complaints. 0, BAOD_SNAPSHOT_E_BAD or <0.
 */
int baod_province_load(const char *province_dir, enum bao_lang lang, struct bao_arena *arena,
                       struct bao_buf *complaints, struct bao_registry *ret) BAO_MUST_CHECK;
/* `baocaod units check`: judges a province folder and appends to `out` what is wrong, or else a summary of
 * units by kind, groups, trees and holidays. 0, BAOD_SNAPSHOT_E_BAD or <0. */
int baod_units_check(const char *province_dir, enum bao_lang lang, struct bao_buf *out) BAO_MUST_CHECK;
