/* Decimal digits put into room that is known to be large enough: a receipt alone has thirty such numbers, and
 * printf would cost more than all that is done with them. */
#pragma once

#include "lib/base/attributes.h"

enum { BAO_DIGITS_MAX = 20 };

/* n with at least `width` digits (at most BAO_DIGITS_MAX), zeros before it; gives the octet behind them. */
static inline char *bao_digits_put(char *at, uint64_t n, size_t width)
{
    char digits[BAO_DIGITS_MAX];
    size_t from = sizeof(digits), least = sizeof(digits) - width;

    while (n != 0 || from > least) {
        digits[--from] = (char)('0' + n % 10);
        n /= 10;
    }
    for (size_t i = from; i < sizeof(digits); i++)
        *at++ = digits[i];
    return at;
}
