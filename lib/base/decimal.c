#include "lib/base/decimal.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/natural.h"

#include <math.h>

enum {
    MAX_DIGITS = 1000,
    MAX_EXPONENT = 6144,
    QUOTIENT_DIGITS = 34,
    FAR_EXPONENT = 100000000, /* where a written exponent stops counting: far outside any limit */
};

__extension__ typedef unsigned __int128 u128;

/* A number taken apart: coefficient * 10^exponent, zero has n == 0. An int's coefficient may end in zeros. */
struct parts {
    bool negative;
    int32_t exponent;
    uint32_t n;
    const uint32_t *d;
    uint32_t own[3];
};

static uint64_t u64_power(int k)
{
    return k <= BAO_LIMB_DIGITS ? bao_power10(k) : (uint64_t)BAO_LIMB_BASE * bao_power10(k - BAO_LIMB_DIGITS);
}

static uint64_t magnitude(int64_t i)
{
    return i < 0 ? -(uint64_t)i : (uint64_t)i;
}

static void take_apart(struct parts *p, struct bao_num x)
{
    if (x.is_int) {
        p->negative = x.i < 0;
        p->exponent = 0;
        p->n = bao_limbs_of(p->own, magnitude(x.i));
        p->d = p->own;
    } else {
        p->negative = x.d->negative;
        p->exponent = x.d->exponent;
        p->n = x.d->n_limbs;
        p->d = x.d->limbs;
    }
}

/* The exponent of the first digit: 123 has 2. The number is not zero. */
static int first_exponent(const struct parts *p)
{
    return p->exponent + bao_limbs_digits(p->d, p->n) - 1;
}

/* m * 10^k as an int64 with a sign, if it is one. */
static bool fits_int(bool negative, uint64_t m, int k, int64_t *ret)
{
    u128 t;

    if (k > 19)
        return false;
    t = (u128)m * u64_power(k > 18 ? 18 : k) * (k > 18 ? 10 : 1);
    if (t > (u128)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t) - (uint64_t)t : (int64_t)t;
    return true;
}

/* Makes the number (negative ? - : +) w * 10^exponent in its one form. w is used up. */
static int finish(struct bao_arena *a, bool negative, struct bao_natural *w, int64_t exponent,
                  struct bao_num *ret)
{
    uint32_t zeros = 0, limb;
    struct bao_dec *dec;
    int digits, k = 0;
    int64_t i;

    bao_natural_trim(w);
    if (w->n == 0) {
        *ret = bao_num_int(0);
        return 0;
    }
    while (w->d[zeros] == 0)
        zeros++;
    memmove(w->d, w->d + zeros, (w->n - zeros) * sizeof(*w->d));
    w->n -= zeros;
    for (limb = w->d[0]; limb % 10 == 0; limb /= 10)
        k++;
    if (k != 0)
        (void)bao_natural_div_small(w, bao_power10(k)); /* leaves no remainder */
    exponent += k + (int64_t)zeros * BAO_LIMB_DIGITS;

    digits = bao_limbs_digits(w->d, w->n);
    if (digits > MAX_DIGITS || exponent + digits - 1 > MAX_EXPONENT || exponent + digits - 1 < -MAX_EXPONENT)
        return BAO_DEC_E_RANGE;
    if (exponent >= 0 && digits + exponent <= 19) {
        uint64_t m = 0;

        for (uint32_t at = w->n; at-- != 0;)
            m = m * BAO_LIMB_BASE + w->d[at];
        if (fits_int(negative, m, (int)exponent, &i)) {
            *ret = bao_num_int(i);
            return 0;
        }
    }
    dec = bao_arena_alloc(a, sizeof(*dec) + w->n * sizeof(*w->d));
    if (dec == NULL)
        return -ENOMEM;
    dec->negative = negative;
    dec->exponent = (int32_t)exponent;
    dec->n_limbs = w->n;
    memcpy(dec->limbs, w->d, w->n * sizeof(*w->d));
    *ret = (struct bao_num){.is_int = false, .d = dec};
    return 0;
}

/* The same for a coefficient of a machine word. */
static int finish_small(struct bao_arena *a, bool negative, uint64_t m, int64_t exponent, struct bao_num *ret)
{
    struct bao_natural w;
    int64_t i;

    if (m == 0 || (exponent == 0 && fits_int(negative, m, 0, &i))) {
        *ret = bao_num_int(m == 0 ? 0 : i);
        return 0;
    }
    w.n = bao_limbs_of(w.d, m);
    return finish(a, negative, &w, exponent, ret);
}

/* ---- reading and writing ---- */

/* A written number: digits before and after the point, and the exponent. */
struct written {
    bool negative;
    struct bao_str whole, fraction;
    int64_t exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct bao_str scan_digits(const char **p, const char *end)
{
    const char *start = *p;

    while (*p < end && is_digit(**p))
        ++*p;
    return (struct bao_str){start, (size_t)(*p - start)};
}

static bool scan_sign(const char **p, const char *end)
{
    bool negative = *p < end && **p == '-';

    if (*p < end && (**p == '-' || **p == '+'))
        ++*p;
    return negative;
}

static bool scan_exponent(const char **p, const char *end, int64_t *ret)
{
    bool negative;
    struct bao_str digits;
    int64_t e = 0;

    *ret = 0;
    if (*p == end || (**p != 'e' && **p != 'E'))
        return true;
    ++*p;
    negative = scan_sign(p, end);
    digits = scan_digits(p, end);
    for (size_t i = 0; i < digits.n && e < FAR_EXPONENT; i++)
        e = e * 10 + (digits.p[i] - '0');
    *ret = negative ? -e : e;
    return digits.n != 0;
}

static bool scan(struct bao_str text, struct written *ret)
{
    const char *p = text.p, *end = text.p + text.n;

    if (text.n == 0)
        return false;
    ret->negative = scan_sign(&p, end);
    ret->whole = scan_digits(&p, end);
    ret->fraction = (struct bao_str){p, 0};
    if (ret->whole.n == 0)
        return false;
    if (p < end && *p == '.') {
        p++;
        ret->fraction = scan_digits(&p, end);
        if (ret->fraction.n == 0)
            return false;
    }
    return scan_exponent(&p, end, &ret->exponent) && p == end;
}

/* Digit i of the written number, counted from the first of both parts. */
static uint32_t written_digit(const struct written *x, size_t i)
{
    return (uint32_t)((i < x->whole.n ? x->whole.p[i] : x->fraction.p[i - x->whole.n]) - '0');
}

static int read_long(struct bao_arena *a, const struct written *x, struct bao_num *ret)
{
    size_t first = 0, last = x->whole.n + x->fraction.n, end = last;
    struct bao_natural w = {.n = 0};

    while (first < end && written_digit(x, first) == 0)
        first++;
    while (last > first && written_digit(x, last - 1) == 0)
        last--;
    if (last - first > MAX_DIGITS)
        return BAO_DEC_E_RANGE;
    for (size_t i = last; i > first;) {
        uint32_t limb = 0;
        size_t from = i - first > BAO_LIMB_DIGITS ? i - BAO_LIMB_DIGITS : first;

        for (size_t k = from; k < i; k++)
            limb = limb * 10 + written_digit(x, k);
        w.d[w.n++] = limb;
        i = from;
    }
    return finish(a, x->negative, &w, x->exponent - (int64_t)x->fraction.n + (int64_t)(end - last), ret);
}

int bao_num_parse(struct bao_arena *a, struct bao_str text, struct bao_num *ret)
{
    struct written x;
    uint64_t m = 0;

    if (!scan(text, &x))
        return BAO_DEC_E_SYNTAX;
    if (x.whole.n + x.fraction.n > 18)
        return read_long(a, &x, ret);
    for (size_t i = 0; i < x.whole.n; i++)
        m = m * 10 + (uint64_t)(x.whole.p[i] - '0');
    for (size_t i = 0; i < x.fraction.n; i++)
        m = m * 10 + (uint64_t)(x.fraction.p[i] - '0');
    return finish_small(a, x.negative, m, x.exponent - (int64_t)x.fraction.n, ret);
}

int bao_num_from_double(struct bao_arena *a, double x, struct bao_num *ret)
{
    char text[64];
    int n = 0;

    if (!isfinite(x))
        return BAO_DEC_E_SYNTAX;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*e", digits - 1, x);
        if (strtod(text, NULL) == x)
            break;
    }
    /* The process may run with a locale whose point is a comma. */
    for (int i = 0; i < n; i++)
        if (!is_digit(text[i]) && strchr("+-e", text[i]) == NULL)
            text[i] = '.';
    return bao_num_parse(a, (struct bao_str){text, (size_t)n}, ret);
}

/* Writes all digits of a coefficient, no NUL; gives their number. */
static size_t write_digits(char *out, const uint32_t *d, uint32_t n)
{
    size_t len = (size_t)bao_limbs_digits(d, n), at = len;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t limb = d[i];

        for (int k = 0; k < BAO_LIMB_DIGITS && at != 0; k++, limb /= 10)
            out[--at] = (char)('0' + limb % 10);
    }
    return len;
}

static int print_int(struct bao_buf *out, int64_t i)
{
    char text[24], *p = text + sizeof(text);
    uint64_t m = magnitude(i);

    do
        *--p = (char)('0' + m % 10);
    while ((m /= 10) != 0);
    if (i < 0)
        *--p = '-';
    return bao_buf_append(out, p, (size_t)(text + sizeof(text) - p));
}

int bao_num_print(struct bao_buf *out, struct bao_num x)
{
    enum { PLAIN = 30 };
    char text[MAX_DIGITS + PLAIN + 24], digits[MAX_DIGITS];
    size_t len, at = 0;
    int e;

    if (x.is_int)
        return print_int(out, x.i);
    len = write_digits(digits, x.d->limbs, x.d->n_limbs);
    e = x.d->exponent;
    if (x.d->negative)
        text[at++] = '-';
    if (e < -PLAIN || e > PLAIN) {
        text[at++] = digits[0];
        if (len > 1) {
            text[at++] = '.';
            memcpy(text + at, digits + 1, len - 1);
            at += len - 1;
        }
        at += (size_t)snprintf(text + at, sizeof(text) - at, "e%+d", e + (int)len - 1);
    } else if (e >= 0) {
        memcpy(text + at, digits, len);
        memset(text + at + len, '0', (size_t)e);
        at += len + (size_t)e;
    } else {
        size_t places = (size_t)-e, whole = len > places ? len - places : 0;

        memcpy(text + at, digits, whole);
        at += whole;
        if (whole == 0)
            text[at++] = '0';
        text[at++] = '.';
        for (size_t i = len; i < places; i++)
            text[at++] = '0';
        memcpy(text + at, digits + whole, len - whole);
        at += len - whole;
    }
    return bao_buf_append(out, text, at);
}

double bao_num_to_double(struct bao_num x)
{
    char text[MAX_DIGITS + 32];
    size_t at = 0;

    if (x.is_int)
        return (double)x.i;
    if (x.d->negative)
        text[at++] = '-';
    at += write_digits(text + at, x.d->limbs, x.d->n_limbs);
    /* No point in it, so that no locale matters. */
    (void)snprintf(text + at, sizeof(text) - at, "e%d", (int)x.d->exponent);
    return strtod(text, NULL);
}

/* ---- order ---- */

int bao_num_sign(struct bao_num a)
{
    if (a.is_int)
        return (a.i > 0) - (a.i < 0);
    return a.d->negative ? -1 : 1;
}

int bao_num_cmp(struct bao_num a, struct bao_num b)
{
    struct parts x, y;
    struct bao_natural u, v;
    int sign, c;

    if (a.is_int && b.is_int)
        return (a.i > b.i) - (a.i < b.i);
    sign = bao_num_sign(a);
    if (sign != bao_num_sign(b) || sign == 0)
        return (sign > bao_num_sign(b)) - (sign < bao_num_sign(b));
    take_apart(&x, a);
    take_apart(&y, b);
    c = first_exponent(&x) - first_exponent(&y);
    if (c != 0)
        return c > 0 ? sign : -sign;
    if (x.exponent == y.exponent)
        return sign * bao_limbs_cmp(x.d, x.n, y.d, y.n);
    /* The first digits stand at the same place, so that neither grows beyond the longer one's digits. */
    bao_natural_set(&u, x.d, x.n);
    bao_natural_set(&v, y.d, y.n);
    if (x.exponent > y.exponent)
        bao_natural_shift_up(&u, x.exponent - y.exponent);
    else
        bao_natural_shift_up(&v, y.exponent - x.exponent);
    return sign * bao_limbs_cmp(u.d, u.n, v.d, v.n);
}

bool bao_num_is_whole(struct bao_num a)
{
    return a.is_int || a.d->exponent >= 0;
}

int bao_num_decimals(struct bao_num x)
{
    return bao_num_is_whole(x) ? 0 : -x.d->exponent;
}

/* ---- arithmetic ---- */

static int add_parts(struct bao_arena *a, struct parts *x, struct parts *y, struct bao_num *ret)
{
    int32_t low = x->exponent < y->exponent ? x->exponent : y->exponent;
    struct bao_natural u, v;
    int top_x, top_y;

    if (x->n == 0 || y->n == 0) {
        const struct parts *p = x->n == 0 ? y : x;

        bao_natural_set(&u, p->d, p->n);
        return finish(a, p->negative, &u, p->exponent, ret);
    }
    top_x = first_exponent(x);
    top_y = first_exponent(y);
    /* Cancelling can take away many digits only where both begin at the same place or next to it, and
     * then the sum spans at most one more digit than the longer one. */
    if ((top_x > top_y ? top_x : top_y) - low > MAX_DIGITS + BAO_LIMB_DIGITS * 3)
        return BAO_DEC_E_RANGE;
    bao_natural_set(&u, x->d, x->n);
    bao_natural_set(&v, y->d, y->n);
    bao_natural_shift_up(&u, x->exponent - low);
    bao_natural_shift_up(&v, y->exponent - low);
    if (x->negative == y->negative) {
        bao_natural_add(&u, &v);
        return finish(a, x->negative, &u, low, ret);
    }
    if (bao_limbs_cmp(u.d, u.n, v.d, v.n) >= 0) {
        bao_natural_sub(&u, &v);
        return finish(a, x->negative, &u, low, ret);
    }
    bao_natural_sub(&v, &u);
    return finish(a, y->negative, &v, low, ret);
}

int bao_num_add(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    struct parts p, q;
    int64_t i;

    if (x.is_int && y.is_int && !__builtin_add_overflow(x.i, y.i, &i)) {
        *ret = bao_num_int(i);
        return 0;
    }
    take_apart(&p, x);
    take_apart(&q, y);
    return add_parts(a, &p, &q, ret);
}

int bao_num_sub(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    struct parts p, q;
    int64_t i;

    if (x.is_int && y.is_int && !__builtin_sub_overflow(x.i, y.i, &i)) {
        *ret = bao_num_int(i);
        return 0;
    }
    take_apart(&p, x);
    take_apart(&q, y);
    q.negative = !q.negative;
    return add_parts(a, &p, &q, ret);
}

int bao_num_neg(struct bao_arena *a, struct bao_num x, struct bao_num *ret)
{
    return bao_num_sub(a, bao_num_int(0), x, ret);
}

int bao_num_mul(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    struct parts p, q;
    struct bao_natural w;
    int64_t i;

    if (x.is_int && y.is_int && !__builtin_mul_overflow(x.i, y.i, &i)) {
        *ret = bao_num_int(i);
        return 0;
    }
    take_apart(&p, x);
    take_apart(&q, y);
    bao_natural_mul(&w, p.d, p.n, q.d, q.n);
    return finish(a, p.negative != q.negative, &w, (int64_t)p.exponent + q.exponent, ret);
}

int bao_num_div(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    struct parts p, q;
    struct bao_natural u, quotient;
    int scale, over, side;
    int64_t exponent;
    bool rest;

    if (bao_num_sign(y) == 0)
        return BAO_DEC_E_DIVISION;
    if (x.is_int && y.is_int && y.i != -1 && x.i % y.i == 0) {
        *ret = bao_num_int(x.i / y.i);
        return 0;
    }
    take_apart(&p, x);
    take_apart(&q, y);
    /* Enough digits in the numerator for a quotient of one more than is kept. */
    scale = QUOTIENT_DIGITS + 2 + bao_limbs_digits(q.d, q.n) - bao_limbs_digits(p.d, p.n);
    bao_natural_set(&u, p.d, p.n);
    if (scale > 0)
        bao_natural_shift_up(&u, scale);
    else
        scale = 0;
    bao_natural_divide(&u, q.d, q.n, &quotient);
    exponent = (int64_t)p.exponent - q.exponent - scale;
    rest = u.n != 0;
    over = bao_limbs_digits(quotient.d, quotient.n) - QUOTIENT_DIGITS;
    if (over > 0) {
        side = bao_natural_shift_down(&quotient, over);
        if (side == 0 && rest)
            side = 1;
        if (side > 0 || (side == 0 && quotient.d[0] % 2 != 0))
            bao_natural_add(&quotient, &(struct bao_natural){.n = 1, .d = {1}});
        exponent += over;
    }
    return finish(a, p.negative != q.negative, &quotient, exponent, ret);
}

/* w = w * 10^k mod m, for any k >= 0. */
static void long_shift_mod(struct bao_natural *w, int k, const uint32_t *m, uint32_t nm)
{
    struct bao_natural power = {.n = 1, .d = {10}}, t;

    bao_natural_divide(&power, m, nm, NULL);
    bao_natural_divide(w, m, nm, NULL);
    for (; k != 0 && w->n != 0; k >>= 1) {
        if (k & 1) {
            bao_natural_mul(&t, w->d, w->n, power.d, power.n);
            bao_natural_divide(&t, m, nm, NULL);
            *w = t;
        }
        bao_natural_mul(&t, power.d, power.n, power.d, power.n);
        bao_natural_divide(&t, m, nm, NULL);
        power = t;
    }
}

/* The same for one machine word. */
static uint64_t shift_mod(uint64_t w, int k, uint64_t m)
{
    uint64_t power = 10 % m;

    for (w %= m; k != 0 && w != 0; k >>= 1) {
        if (k & 1)
            w = (uint64_t)((u128)w * power % m);
        power = (uint64_t)((u128)power * power % m);
    }
    return w;
}

int bao_num_rem(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    struct parts p, q;
    struct bao_natural u, v;
    int32_t low;

    if (bao_num_sign(y) == 0)
        return BAO_DEC_E_DIVISION;
    if (x.is_int && y.is_int) {
        *ret = bao_num_int(y.i == -1 ? 0 : x.i % y.i);
        return 0;
    }
    take_apart(&p, x);
    take_apart(&q, y);
    if (p.n == 0 || first_exponent(&p) < first_exponent(&q)) {
        *ret = x;
        return 0;
    }
    low = p.exponent < q.exponent ? p.exponent : q.exponent;
    bao_natural_set(&u, p.d, p.n);
    bao_natural_set(&v, q.d, q.n);
    /* x begins no later than y, so that y spread out is no longer than x; x is never spread out. */
    bao_natural_shift_up(&v, q.exponent - low);
    long_shift_mod(&u, p.exponent - low, v.d, v.n);
    return finish(a, p.negative, &u, low, ret);
}

/* A coefficient of at most 18 digits as a machine word, without final zeros; false when it is longer. */
static bool small_parts(struct bao_num x, uint64_t *ret_m, int *ret_exponent)
{
    uint64_t m;
    int e = 0;

    if (x.is_int) {
        for (m = magnitude(x.i); m != 0 && m % 10 == 0; m /= 10)
            e++;
    } else {
        if (x.d->n_limbs > 2)
            return false;
        m = x.d->limbs[0] + (x.d->n_limbs == 2 ? (uint64_t)x.d->limbs[1] * BAO_LIMB_BASE : 0);
        e = x.d->exponent;
    }
    *ret_m = m;
    *ret_exponent = e;
    return true;
}

int bao_num_is_multiple(struct bao_arena *a, struct bao_num x, struct bao_num y)
{
    uint64_t m, n;
    int e, f, r;
    struct bao_num rest;

    if (bao_num_sign(y) <= 0)
        return -EINVAL;
    if (x.is_int && y.is_int)
        return x.i % y.i == 0;
    if (x.is_int && x.i == 0)
        return 1;
    /* m * 10^e over n * 10^f: with fewer final zeros than y, x cannot be a multiple. */
    if (small_parts(x, &m, &e) && small_parts(y, &n, &f))
        return e >= f && shift_mod(m, e - f, n) == 0;
    r = bao_num_rem(a, x, y, &rest);
    return r != 0 ? bao_error_fold(r) : bao_num_sign(rest) == 0;
}

static int cut(struct bao_arena *a, struct bao_num x, int decimals, bool round, struct bao_num *ret)
{
    struct parts p;
    struct bao_natural w;
    int side;

    if (bao_num_decimals(x) <= decimals) {
        *ret = x;
        return 0;
    }
    take_apart(&p, x);
    bao_natural_set(&w, p.d, p.n);
    side = bao_natural_shift_down(&w, -p.exponent - decimals);
    if (round && side >= 0)
        bao_natural_add(&w, &(struct bao_natural){.n = 1, .d = {1}});
    return finish(a, p.negative, &w, -decimals, ret);
}

int bao_num_round(struct bao_arena *a, struct bao_num x, int decimals, struct bao_num *ret)
{
    bao_require(decimals >= 0);
    return cut(a, x, decimals, true, ret);
}

int bao_num_trunc(struct bao_arena *a, struct bao_num x, struct bao_num *ret)
{
    return cut(a, x, 0, false, ret);
}

int bao_num_scale(struct bao_num x, int decimals, int64_t *ret)
{
    struct parts p;
    uint64_t m = 0;
    int64_t i;

    bao_require(decimals >= 0);
    take_apart(&p, x);
    if (p.n == 0) {
        *ret = 0;
        return 0;
    }
    if (p.exponent + decimals < 0 || first_exponent(&p) + decimals > 18)
        return BAO_DEC_E_RANGE;
    for (uint32_t at = p.n; at-- != 0;)
        m = m * BAO_LIMB_BASE + p.d[at];
    if (!fits_int(p.negative, m, p.exponent + decimals, &i))
        return BAO_DEC_E_RANGE;
    *ret = i;
    return 0;
}

int bao_num_from_scaled(struct bao_arena *a, int64_t scaled, int decimals, struct bao_num *ret)
{
    return finish_small(a, scaled < 0, magnitude(scaled), -(int64_t)decimals, ret);
}
