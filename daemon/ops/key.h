/* The daemon's signing key: 32 random octets in a file that only its user may read. */
#pragma once

#include "lib/base/crypto.h"
#include "lib/base/error.h"

/* Reads the key, or makes one when the file is not there (synced before it is used). 0; -EBADMSG: the file
 * does not hold 32 octets in hex; or a negative errno. */
int baod_key_load(const char *file, uint8_t ret_seed[BAO_ED25519_KEY_LEN]) BAO_MUST_CHECK;
