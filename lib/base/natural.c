#include "lib/base/natural.h"

static const uint32_t power10[BAO_LIMB_DIGITS + 1] = {1,      10,      100,      1000,      10000,
                                                      100000, 1000000, 10000000, 100000000, 1000000000};

uint32_t bao_power10(int k)
{
    bao_require(k >= 0 && k <= BAO_LIMB_DIGITS);
    return power10[k];
}

static int limb_digits(uint32_t limb)
{
    int k = 1;

    while (k < BAO_LIMB_DIGITS && limb >= power10[k])
        k++;
    return k;
}

int bao_limbs_digits(const uint32_t *d, uint32_t n)
{
    return n == 0 ? 0 : (int)(n - 1) * BAO_LIMB_DIGITS + limb_digits(d[n - 1]);
}

uint32_t bao_limbs_of(uint32_t d[3], uint64_t m)
{
    uint32_t n = 0;

    for (; m != 0; m /= BAO_LIMB_BASE)
        d[n++] = (uint32_t)(m % BAO_LIMB_BASE);
    return n;
}

void bao_natural_set(struct bao_natural *w, const uint32_t *d, uint32_t n)
{
    bao_require(n <= BAO_NATURAL_LIMBS);
    w->n = n;
    if (n != 0)
        memcpy(w->d, d, n * sizeof(*d));
}

void bao_natural_trim(struct bao_natural *w)
{
    while (w->n != 0 && w->d[w->n - 1] == 0)
        w->n--;
}

void bao_natural_mul_small(struct bao_natural *w, uint32_t by, uint32_t carry)
{
    for (uint32_t i = 0; i < w->n; i++) {
        uint64_t t = (uint64_t)w->d[i] * by + carry;

        w->d[i] = (uint32_t)(t % BAO_LIMB_BASE);
        carry = (uint32_t)(t / BAO_LIMB_BASE);
    }
    if (carry != 0) {
        bao_require(w->n < BAO_NATURAL_LIMBS);
        w->d[w->n++] = carry;
    }
}

uint32_t bao_natural_div_small(struct bao_natural *w, uint32_t by)
{
    uint64_t rest = 0;

    for (uint32_t i = w->n; i-- != 0;) {
        rest = rest * BAO_LIMB_BASE + w->d[i];
        w->d[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    bao_natural_trim(w);
    return (uint32_t)rest;
}

void bao_natural_shift_up(struct bao_natural *w, int k)
{
    uint32_t limbs = (uint32_t)k / BAO_LIMB_DIGITS;

    if (w->n == 0 || k == 0)
        return;
    bao_require(w->n + limbs < BAO_NATURAL_LIMBS);
    memmove(w->d + limbs, w->d, w->n * sizeof(*w->d));
    memset(w->d, 0, limbs * sizeof(*w->d));
    w->n += limbs;
    if (k % BAO_LIMB_DIGITS != 0)
        bao_natural_mul_small(w, bao_power10(k % BAO_LIMB_DIGITS), 0);
}

int bao_natural_shift_down(struct bao_natural *w, int k)
{
    uint32_t limbs, cut, rest, half;
    bool low = false;

    if (k == 0 || w->n == 0)
        return -1;
    if (k > bao_limbs_digits(w->d, w->n)) {
        w->n = 0;
        return -1;
    }
    /* All but the last step take away whole limbs; the last one 1 to 9 digits, so that their value
     * alone tells which side of a half it is. */
    limbs = (uint32_t)(k - 1) / BAO_LIMB_DIGITS;
    cut = bao_power10(k - (int)limbs * BAO_LIMB_DIGITS);
    for (uint32_t i = 0; i < limbs; i++)
        low |= w->d[i] != 0;
    memmove(w->d, w->d + limbs, (w->n - limbs) * sizeof(*w->d));
    w->n -= limbs;
    rest = bao_natural_div_small(w, cut);
    half = cut / 2;
    if (rest != half)
        return rest > half ? 1 : -1;
    return low ? 1 : 0;
}

int bao_limbs_cmp(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb)
{
    if (na != nb)
        return na > nb ? 1 : -1;
    for (uint32_t i = na; i-- != 0;)
        if (a[i] != b[i])
            return a[i] > b[i] ? 1 : -1;
    return 0;
}

void bao_natural_add(struct bao_natural *a, const struct bao_natural *b)
{
    uint32_t carry = 0;

    bao_require(b->n < BAO_NATURAL_LIMBS && a->n < BAO_NATURAL_LIMBS);
    for (uint32_t i = 0; i < b->n || carry != 0; i++) {
        uint32_t t = (i < a->n ? a->d[i] : 0) + (i < b->n ? b->d[i] : 0) + carry;

        if (i >= a->n)
            a->n = i + 1;
        carry = t >= BAO_LIMB_BASE;
        a->d[i] = carry ? t - BAO_LIMB_BASE : t;
    }
}

void bao_natural_sub(struct bao_natural *a, const struct bao_natural *b)
{
    uint32_t borrow = 0;

    for (uint32_t i = 0; i < b->n || borrow != 0; i++) {
        uint32_t less = (i < b->n ? b->d[i] : 0) + borrow;

        bao_require(i < a->n);
        borrow = a->d[i] < less;
        a->d[i] = borrow ? a->d[i] + BAO_LIMB_BASE - less : a->d[i] - less;
    }
    bao_natural_trim(a);
}

void bao_natural_mul(struct bao_natural *ret, const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb)
{
    bao_require(na + nb <= BAO_NATURAL_LIMBS);
    ret->n = na + nb;
    memset(ret->d, 0, ret->n * sizeof(*ret->d));
    for (uint32_t i = 0; i < na; i++) {
        uint64_t carry = 0;

        for (uint32_t k = 0; k < nb; k++) {
            carry += (uint64_t)a[i] * b[k] + ret->d[i + k];
            ret->d[i + k] = (uint32_t)(carry % BAO_LIMB_BASE);
            carry /= BAO_LIMB_BASE;
        }
        ret->d[i + nb] = (uint32_t)carry;
    }
    bao_natural_trim(ret);
}

/* One step of long division: the digit q of u[0..n] / v[0..n), taken away from u. v is scaled so that
 * its first limb is at least BAO_LIMB_BASE / 2 (Knuth, The Art of Computer Programming, 4.3.1, algorithm D).
 */
static uint32_t divide_step(uint32_t *u, const uint32_t *v, uint32_t n)
{
    uint64_t top = (uint64_t)u[n] * BAO_LIMB_BASE + u[n - 1];
    uint64_t q = top / v[n - 1], rest = top % v[n - 1], carry = 0;
    int64_t borrow = 0;

    while (q >= BAO_LIMB_BASE || q * v[n - 2] > rest * BAO_LIMB_BASE + u[n - 2]) {
        q--;
        rest += v[n - 1];
        if (rest >= BAO_LIMB_BASE)
            break;
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t t;

        carry += q * v[i];
        t = (int64_t)u[i] - (int64_t)(carry % BAO_LIMB_BASE) + borrow;
        carry /= BAO_LIMB_BASE;
        borrow = t < 0 ? -1 : 0;
        u[i] = (uint32_t)(t < 0 ? t + BAO_LIMB_BASE : t);
    }
    if ((int64_t)u[n] - (int64_t)carry + borrow >= 0) {
        u[n] = 0;
        return (uint32_t)q;
    }
    /* The guess was one too many: give one v back. */
    u[n] = 0;
    for (uint32_t i = 0, c = 0; i < n; i++) {
        uint32_t t = u[i] + v[i] + c;

        c = t >= BAO_LIMB_BASE;
        u[i] = c ? t - BAO_LIMB_BASE : t;
    }
    return (uint32_t)q - 1;
}

void bao_natural_divide(struct bao_natural *u, const uint32_t *v, uint32_t nv, struct bao_natural *ret_q)
{
    struct bao_natural scaled, q;
    uint32_t factor, n;

    if (ret_q == NULL)
        ret_q = &q;
    ret_q->n = 0;
    if (bao_limbs_cmp(u->d, u->n, v, nv) < 0)
        return;
    if (nv == 1) {
        *ret_q = *u;
        u->d[0] = bao_natural_div_small(ret_q, v[0]);
        u->n = 1;
        bao_natural_trim(u);
        return;
    }
    factor = BAO_LIMB_BASE / (v[nv - 1] + 1);
    bao_natural_set(&scaled, v, nv);
    bao_natural_mul_small(&scaled, factor, 0);
    n = u->n;
    bao_natural_mul_small(u, factor, 0);
    if (u->n == n) {
        bao_require(n < BAO_NATURAL_LIMBS);
        u->d[u->n++] = 0;
    }
    ret_q->n = u->n - nv;
    for (uint32_t i = ret_q->n; i-- != 0;)
        ret_q->d[i] = divide_step(u->d + i, scaled.d, nv);
    bao_natural_trim(ret_q);
    bao_natural_trim(u);
    (void)bao_natural_div_small(u, factor); /* leaves no remainder: u is a multiple of the factor */
}
