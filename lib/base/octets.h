/* Looking at eight octets at a time, in plain C. In the word of bao_octets_at() the first octet is the
 * lowest one; a mark is its high bit. */
#pragma once

#include "lib/base/str.h"

#include <endian.h>

#define BAO_EACH_OCTET(c) (0x0101010101010101u * (uint64_t)(c))

static inline uint64_t bao_octets_at(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return le64toh(w);
}

/* Marks octets below c <= 0x80. The lowest mark is always right; those above it may be wrong. */
static inline uint64_t bao_octets_below(uint64_t w, unsigned c)
{
    return (w - BAO_EACH_OCTET(c)) & ~w & BAO_EACH_OCTET(0x80);
}

/* Marks octets equal to c < 0x80; the same caution. */
static inline uint64_t bao_octets_equal(uint64_t w, char c)
{
    return bao_octets_below(w ^ BAO_EACH_OCTET(c), 1);
}

/* Marks octets 10xxxxxx, which go on with a character; each mark is right. */
static inline uint64_t bao_octets_continuing(uint64_t w)
{
    return w & ~(w << 1) & BAO_EACH_OCTET(0x80);
}

/* How many marks. */
static inline uint32_t bao_octets_count(uint64_t marks)
{
    return (uint32_t)((marks >> 7) * BAO_EACH_OCTET(1) >> 56);
}

/* Place of the lowest mark; there must be one. */
static inline uint32_t bao_octets_first(uint64_t marks)
{
    return (uint32_t)__builtin_ctzll(marks) >> 3;
}
