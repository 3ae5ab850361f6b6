/* The bundle: every file that a unit needs to judge its reports offline, as one JSON text.
 *
 * {"province", "name", "version", "holidays_known_to", "forms": [{"form", "version", "effective_from",
 * "effective_to", "path"}], "files": [{"path", "text"}]}. `version` is a hash of the files, so equal files
 * make an equal bundle on every hub. Paths are those of a forms folder: common.yaml, nd73/…,
 * provinces/66-dak-lak/…. */
#pragma once

#include "daemon/config/snapshot.h"

enum { BAOD_BUNDLE_VERSION = 16 }; /* hex digits */

/* Makes the bundle of the folders that the snapshot was just loaded from, and leaves it there. Blocking.
 * Messages about files that cannot be read go to complaints. 0, BAOD_SNAPSHOT_E_BAD or <0. */
int baod_bundle_make(struct baod_snapshot *s, const char *forms_dir, const char *province_dir,
                     struct bao_buf *complaints) BAO_MUST_CHECK;
