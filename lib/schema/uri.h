/* URI references as schemas use them: splitting and resolving (RFC 3986 section 5). Text in, text out;
 * nothing is ever fetched. */
#pragma once

#include "lib/base/arena.h"

/* The part before '#' and the part after it (empty when there is none). */
void bao_uri_split(struct bao_str uri, struct bao_str *ret_base, struct bao_str *ret_fragment);
/* `reference` (without fragment) against `base` (without fragment). An empty base gives the reference
 * itself. .p NULL when there is no memory. */
struct bao_str bao_uri_resolve(struct bao_arena *a, struct bao_str base,
                               struct bao_str reference) BAO_MUST_CHECK;
/* Undoes %XX; wrong escapes stay as they are. .p NULL when there is no memory. */
struct bao_str bao_uri_unescape(struct bao_arena *a, struct bao_str s) BAO_MUST_CHECK;
