/* Leaving root behind. */
#pragma once

#include "lib/base/error.h"
#include "lib/base/str.h"

/* Becomes the user of that name with its groups, for good. 0, -ENOENT (no such user), or a negative errno. */
int baod_become(const char *name) BAO_MUST_CHECK;
