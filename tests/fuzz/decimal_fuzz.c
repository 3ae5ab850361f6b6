/* Two numbers, parted by a space: the laws of arithmetic hold between them whatever their digits. */
#include "lib/base/buf.h"
#include "lib/base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool reads_back(struct bao_arena *a, struct bao_num x)
{
    struct bao_buf text = BAO_BUF_NULL(4096);
    struct bao_num again;
    bool same;

    bao_require(bao_num_print(&text, x) == 0);
    bao_require(bao_num_parse(a, bao_buf_str(&text), &again) == 0);
    same = bao_num_cmp(x, again) == 0 && x.is_int == again.is_int;
    bao_buf_deinit(&text);
    return same;
}

/* r is 0 or a named outcome; with 0 the number is in its one form. */
static bool made(struct bao_arena *a, int r, struct bao_num x)
{
    bao_require(r == 0 || r == BAO_DEC_E_RANGE || r == BAO_DEC_E_DIVISION);
    bao_require(r != 0 || reads_back(a, x));
    return r == 0;
}

static void check_division(struct bao_arena *a, struct bao_num x, struct bao_num y)
{
    struct bao_num quotient, rest, whole, product, sum;

    if (bao_num_sign(y) > 0)
        bao_require(bao_num_is_multiple(a, x, y) ==
                    (bao_num_rem(a, x, y, &rest) == 0 && bao_num_sign(rest) == 0));
    (void)made(a, bao_num_div(a, x, y, &quotient), quotient);
    if (bao_num_rem(a, x, y, &rest) != 0 || bao_num_sub(a, x, rest, &whole) != 0)
        return;
    /* |rest| < |y|, and what is left is a multiple. */
    bao_require(bao_num_sign(rest) == 0 || bao_num_sign(rest) == bao_num_sign(x));
    if (bao_num_mul(a, rest, rest, &product) == 0 && bao_num_mul(a, y, y, &sum) == 0)
        bao_require(bao_num_cmp(product, sum) < 0);
    if (bao_num_sign(y) > 0)
        bao_require(bao_num_is_multiple(a, whole, y) == 1);
}

static void check_pair(struct bao_arena *a, struct bao_num x, struct bao_num y)
{
    struct bao_num z, back;

    bao_require(bao_num_cmp(x, y) == -bao_num_cmp(y, x));
    if (made(a, bao_num_add(a, x, y, &z), z) && bao_num_sub(a, z, y, &back) == 0)
        bao_require(bao_num_cmp(back, x) == 0);
    if (bao_num_sub(a, x, y, &z) == 0)
        bao_require(bao_num_sign(z) == bao_num_cmp(x, y));
    if (made(a, bao_num_mul(a, x, y, &z), z) && bao_num_sign(y) != 0) {
        bao_require(!bao_num_is_whole(x) || bao_num_rem(a, z, y, &back) != 0 || bao_num_sign(back) == 0);
        bao_require(bao_num_sign(z) == bao_num_sign(x) * bao_num_sign(y));
    }
    check_division(a, x, y);
    for (int decimals = 0; decimals < 8; decimals += 3) {
        if (made(a, bao_num_round(a, x, decimals, &z), z))
            bao_require(bao_num_decimals(z) <= decimals);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_arena a BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    const uint8_t *space = size == 0 ? NULL : memchr(data, ' ', size);
    struct bao_num x, y;

    if (space == NULL)
        return 0;
    if (bao_num_parse(&a, (struct bao_str){(const char *)data, (size_t)(space - data)}, &x) == 0 &&
        bao_num_parse(&a, (struct bao_str){(const char *)space + 1, (size_t)(data + size - space) - 1}, &y) ==
            0)
        check_pair(&a, x, y);
    return 0;
}
