/* A piece of text with a length: borrowed, immutable, not NUL-terminated unless said so. */
#pragma once

#include "lib/base/attributes.h"

#include <string.h>

struct bao_str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* octets */
};

#define BAO_STR(literal) ((struct bao_str){("" literal ""), sizeof(literal) - 1})
#define BAO_STR_NULL ((struct bao_str){NULL, 0})

/* For printf("%.*s", BAO_STR_ARG(s)). */
#define BAO_STR_ARG(s) (int)(s).n, (s).n != 0 ? (s).p : ""

/* Borrows a C string; NULL gives the empty piece. */
static inline struct bao_str bao_str_c(const char *c)
{
    return (struct bao_str){c, c == NULL ? 0 : strlen(c)};
}

static inline bool bao_str_eq(struct bao_str a, struct bao_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool bao_str_is(struct bao_str a, const char *c)
{
    return bao_str_eq(a, bao_str_c(c));
}

/* Order by octets, shorter first on a tie: <0, 0, >0. */
static inline int bao_str_cmp(struct bao_str a, struct bao_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

/* The English word for n things: "1 form", "2 forms", "0 forms". */
static inline const char *bao_plural(long long n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
