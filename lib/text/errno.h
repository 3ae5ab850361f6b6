/* What a system error means to a person, in both languages; static texts. */
#pragma once

#include "lib/base/diag.h"

/* `error` is an errno, with either sign. One that has no sentence here gets the system's own English one. */
const char *bao_errno_text(int error, enum bao_lang lang);
