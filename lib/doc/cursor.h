/* Inside lib/doc: from an index of characters, as libyaml counts, to octet, line and column. */
#pragma once

#include "lib/base/str.h"

/* Stands on one character of valid UTF-8, or at its end. Begins with .text and .line = 1. */
struct bao_cursor {
    struct bao_str text;
    size_t index, offset; /* of the character: in characters and in octets */
    size_t line_index;    /* of the first character of its line */
    uint32_t line;        /* from 1; LF, CR LF and CR end lines */
};

/* Moves onto the character of that index, or to the end. Quick forward; backward a character at a time. */
void bao_cursor_seek(struct bao_cursor *c, size_t index);
/* Takes in n octets, `characters` of which begin one; if `line_ends`, the last of them is a line end. */
void bao_cursor_pass(struct bao_cursor *c, size_t n, size_t characters, bool line_ends);
