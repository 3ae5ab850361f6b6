/* Exact decimals: every figure of a report, a check and a rollup. Never binary floating point.
 *
 * A number is an int64 where it is whole and fits; otherwise a bao_dec: sign, decimal digits,
 * power of ten. Values are immutable and live in an arena. Limits (forms.md 3.9): at most 1,000
 * digits, exponent within +-6,144. */
#pragma once

#include "lib/base/arena.h"

#include <math.h>

struct bao_buf;

/* (negative ? -1 : 1) * coefficient * 10^exponent; the coefficient is limbs in base 10^9, least
 * significant first, no leading zero limb and not a multiple of ten. Never zero. */
struct bao_dec {
    bool negative;
    int32_t exponent;
    uint32_t n_limbs;
    uint32_t limbs[];
};

/* A number by value. is_int: i holds it. Otherwise d does, and no int64 equals it. So two equal
 * numbers always have the same form. */
struct bao_num {
    bool is_int;
    union {
        int64_t i;
        const struct bao_dec *d;
    };
};

enum bao_dec_outcome {
    BAO_DEC_E_SYNTAX = 1, /* not a number */
    BAO_DEC_E_RANGE,      /* more than 1,000 digits or an exponent beyond +-6,144 */
    BAO_DEC_E_DIVISION,   /* division by zero */
};

static inline struct bao_num bao_num_int(int64_t i)
{
    return (struct bao_num){.is_int = true, .i = i};
}

/* Reads [-+]?digits[.digits][(e|E)[-+]?digits]: 0, an outcome, or -ENOMEM. */
int bao_num_parse(struct bao_arena *a, struct bao_str text, struct bao_num *ret) BAO_MUST_CHECK;
/* From an IEEE double that stands for a decimal, by its shortest form. Not finite: BAO_DEC_E_SYNTAX. */
int bao_num_from_double(struct bao_arena *a, double x, struct bao_num *ret) BAO_MUST_CHECK;
/* Order and equality; exact. */
int bao_num_cmp(struct bao_num a, struct bao_num b);
/* -1, 0, 1 */
int bao_num_sign(struct bao_num a);
bool bao_num_is_whole(struct bao_num a);
/* Nearest double, for things that only order or draw. */
double bao_num_to_double(struct bao_num a);

/* The double nearest to a number where that is sure: coefficient below 2^53 and a power of ten that a double
 * holds exactly, so that one rounding is all. NaN otherwise. */
static inline double bao_num_near(struct bao_num n)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const struct bao_dec *d = n.d;
    int64_t c;
    double x;

    if (n.is_int)
        return n.i > -(1ll << 53) && n.i < 1ll << 53 ? (double)n.i : NAN;
    if (d->n_limbs > 2 || d->exponent > 22 || d->exponent < -22)
        return NAN;
    c = d->limbs[0];
    if (d->n_limbs == 2)
        c += (int64_t)d->limbs[1] * 1000000000;
    if (c >= 1ll << 53)
        return NAN;
    x = d->exponent < 0 ? (double)c / tens[-d->exponent] : (double)c * tens[d->exponent];
    return d->negative ? -x : x;
}

/* Exact; an outcome is BAO_DEC_E_RANGE or, for the last three, BAO_DEC_E_DIVISION. */
int bao_num_add(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret) BAO_MUST_CHECK;
int bao_num_sub(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret) BAO_MUST_CHECK;
int bao_num_mul(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret) BAO_MUST_CHECK;
/* Quotient to 34 significant digits, half even on the digit after (IEEE 754 decimal128). */
int bao_num_div(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret) BAO_MUST_CHECK;
/* Remainder with the sign of x (truncated division), exact. */
int bao_num_rem(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret) BAO_MUST_CHECK;
/* Is x a whole multiple of y (y > 0)? Exact, and quick for any pair of exponents. 1 yes, 0 no, <0 error. */
int bao_num_is_multiple(struct bao_arena *a, struct bao_num x, struct bao_num y) BAO_MUST_CHECK;
int bao_num_neg(struct bao_arena *a, struct bao_num x, struct bao_num *ret) BAO_MUST_CHECK;
/* Rounded to `decimals` places (0..6144), half away from zero. */
int bao_num_round(struct bao_arena *a, struct bao_num x, int decimals, struct bao_num *ret) BAO_MUST_CHECK;
/* Toward zero to a whole number. */
int bao_num_trunc(struct bao_arena *a, struct bao_num x, struct bao_num *ret) BAO_MUST_CHECK;
/* Digits after the point that the value needs (0 for whole numbers). */
int bao_num_decimals(struct bao_num x);
/* x * 10^decimals as an int64: 0; BAO_DEC_E_RANGE when it is not whole or does not fit. */
int bao_num_scale(struct bao_num x, int decimals, int64_t *ret) BAO_MUST_CHECK;
/* scaled / 10^decimals. */
int bao_num_from_scaled(struct bao_arena *a, int64_t scaled, int decimals,
                        struct bao_num *ret) BAO_MUST_CHECK;

/* Canonical text: plain digits when the exponent lies in -30..30, else d.ddde+n. Reads back equal. */
int bao_num_print(struct bao_buf *out, struct bao_num x) BAO_MUST_CHECK;
