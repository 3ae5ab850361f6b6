/* Leaving root behind. */
#pragma once

#include "lib/base/error.h"
#include "lib/base/str.h"

#include <sys/types.h>

/* Becomes the user of that name with its groups, for good. 0, -ENOENT (no such user), or a negative errno. */
int baod_become(const char *name) BAO_MUST_CHECK;
/* The name of a user, or "uid 1000" when nobody has it. May wait for a directory of users. */
void baod_user_name(uid_t uid, char ret[64]);
