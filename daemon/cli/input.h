/* Reading what a command is given: files, standard input, base64. */
#pragma once

#include "lib/doc/load.h"

/* Reads a whole file, or standard input for "-", into the arena. 0, -EFBIG beyond `cap` octets, or a negative
 * errno. */
int cli_read_file(struct bao_arena *arena, const char *path, size_t cap, struct bao_str *ret) BAO_MUST_CHECK;
/* Tells on standard error, in the user's language, that a file could not be read. */
void cli_tell_unreadable(enum bao_lang lang, const char *path, int error);
/* What a file's name declares: JSON for .json; else its text decides. */
enum bao_load_format cli_format_of(const char *path);
/* Decodes base64 (RFC 4648, padding optional): 0, -EINVAL, -ENOMEM. */
int cli_base64(struct bao_arena *arena, struct bao_str text, struct bao_str *ret) BAO_MUST_CHECK;
