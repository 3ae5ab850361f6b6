/* Reading whole files and folders at start-up and at a reload. Blocking: never on the loop thread while
 * serving. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/diag.h"
#include "lib/base/error.h"

enum baod_files_outcome {
    BAOD_FILES_E_MISSING = 1, /* there is no such file or folder */
    BAOD_FILES_E_TOO_BIG,     /* larger than asked for, or more files than 10,000 */
    BAOD_FILES_E_NOT_REGULAR, /* a folder, a socket … */
};

/* Reads a file into the arena (NUL-terminated besides): 0, an outcome, or <0. */
int baod_file_read(struct bao_arena *arena, const char *path, size_t max, struct bao_str *ret) BAO_MUST_CHECK;
/* Paths of the *.yaml files under a folder, in the order of their names, folders named in `skip`
 * (NULL-terminated) left out at the top, hidden ones everywhere. 0, an outcome, or <0. */
int baod_files_list(struct bao_arena *arena, const char *folder, const char *const *skip, const char ***ret,
                    size_t *ret_n) BAO_MUST_CHECK;
/* Why either of them gave r (an outcome or <0), for a person: static text without a full stop. */
const char *baod_files_why(int r, enum bao_lang lang);
