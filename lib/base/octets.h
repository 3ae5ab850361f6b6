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

static inline void bao_octets_put(char *p, uint64_t w)
{
    w = htole64(w);
    memcpy(p, &w, sizeof(w));
}

/* The n < 8 octets at p as the lowest of a word, zeros above; reads no others. */
static inline uint64_t bao_octets_few(const char *p, size_t n)
{
    uint32_t low, high;

    if (n >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        return le32toh(low) | (uint64_t)le32toh(high) << (n - 4) * 8;
    }
    if (n == 0)
        return 0;
    return (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << n / 2 * 8 |
           (uint64_t)(uint8_t)p[n - 1] << (n - 1) * 8;
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
