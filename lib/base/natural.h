/* Inside lib/base: natural numbers of up to 2,160 decimal digits, as exact decimals need them for one
 * operation: the product of two coefficients of 1,000 digits fits. They stand on the stack and never
 * allocate; whoever would make one larger has miscounted, which is a requirement that does not hold. */
#pragma once

#include "lib/base/attributes.h"

#include <string.h>

enum {
    BAO_LIMB_BASE = 1000000000,
    BAO_LIMB_DIGITS = 9,
    BAO_NATURAL_LIMBS = 240,
};

/* Limbs of nine decimal digits, least significant first; no leading zero limb, zero has none. */
struct bao_natural {
    uint32_t n;
    uint32_t d[BAO_NATURAL_LIMBS];
};

/* 10^k for 0 <= k <= 9. */
uint32_t bao_power10(int k);
/* Decimal digits of limbs; 0 for zero. */
int bao_limbs_digits(const uint32_t *d, uint32_t n);
/* Limbs of a machine word; gives their number. */
uint32_t bao_limbs_of(uint32_t d[3], uint64_t m);
/* Order: -1, 0, 1. */
int bao_limbs_cmp(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb);

void bao_natural_set(struct bao_natural *w, const uint32_t *d, uint32_t n);
/* Drops leading zero limbs. */
void bao_natural_trim(struct bao_natural *w);
/* w = w * by + carry */
void bao_natural_mul_small(struct bao_natural *w, uint32_t by, uint32_t carry);
/* w = w / by; gives the remainder. */
uint32_t bao_natural_div_small(struct bao_natural *w, uint32_t by);
/* w = w * 10^k */
void bao_natural_shift_up(struct bao_natural *w, int k);
/* w = w / 10^k. Gives how the part cut off compares with a half: -1 less, 0 equal, 1 more. */
int bao_natural_shift_down(struct bao_natural *w, int k);
/* a = a + b */
void bao_natural_add(struct bao_natural *a, const struct bao_natural *b);
/* a = a - b, where a >= b */
void bao_natural_sub(struct bao_natural *a, const struct bao_natural *b);
void bao_natural_mul(struct bao_natural *ret, const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb);
/* u = u mod v; the quotient goes to ret_q unless it is NULL. v is not zero. */
void bao_natural_divide(struct bao_natural *u, const uint32_t *v, uint32_t nv, struct bao_natural *ret_q);
