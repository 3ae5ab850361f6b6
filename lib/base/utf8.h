/* UTF-8: checking, counting, normal forms, and the foldings that spot a clerk's near misses.
 * utf8.c is the only file that includes utf8proc. */
#pragma once

#include "lib/base/arena.h"

struct bao_buf;

/* Octets of the longest valid prefix (RFC 3629: no surrogates, no overlong forms, <= U+10FFFF). */
size_t bao_utf8_valid(struct bao_str s);
/* Characters (code points) in valid UTF-8. */
size_t bao_utf8_count(struct bao_str s);
/* Reads one code point at p < end of valid UTF-8; gives its octets (1..4). */
size_t bao_utf8_get(const char *p, const char *end, uint32_t *ret);
/* Writes a code point; gives its octets (1..4). */
size_t bao_utf8_put(uint32_t c, char out[4]);
/* Octets of the space at p < end that no plain key types: no-break, thin, zero-width, ideographic; 0: none. */
size_t bao_utf8_odd_space(const char *p, const char *end);
/* Columns a terminal gives to the text (wide and combining characters considered). */
size_t bao_utf8_width(struct bao_str s);

bool bao_utf8_is_nfc(struct bao_str s);
/* NFC; .p NULL when there is no memory. Gives s itself when it already is. */
struct bao_str bao_utf8_nfc(struct bao_arena *a, struct bao_str s) BAO_MUST_CHECK;
/* For likeness only: case folded, accents and marks dropped, d-stroke as d, spaces, '-' and '_' as one
 * '_', NFC/NFD and old and new tone places alike (Hoa with the mark on o or a). .p NULL: no memory. */
struct bao_str bao_utf8_fold(struct bao_arena *a, struct bao_str s) BAO_MUST_CHECK;
/* Optimal string alignment distance of two folded texts, in characters, capped at limit + 1. Unequal texts of
 * more than 128 characters are simply far apart. */
size_t bao_utf8_distance(struct bao_str a, struct bao_str b, size_t limit);
/* Appends s for a person's screen: at most max characters, then an ellipsis; control, bidi and invalid
 * octets as \u{..} and \x{..} escapes. */
int bao_utf8_escape(struct bao_buf *out, struct bao_str s, size_t max) BAO_MUST_CHECK;
/* Is the code point a combining mark (general category M)? */
bool bao_utf8_is_mark(uint32_t c);
