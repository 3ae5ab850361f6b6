#include "lib/base/crypto.h"

#include <nettle/eddsa.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(((struct bao_sha256 *)0)->opaque),
               "room for nettle's state");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct bao_sha256), "aligned for nettle's state");

static struct sha256_ctx *context(struct bao_sha256 *h)
{
    return (struct sha256_ctx *)(void *)h->opaque;
}

void bao_sha256_init(struct bao_sha256 *h)
{
    sha256_init(context(h));
}

void bao_sha256_feed(struct bao_sha256 *h, const void *p, size_t n)
{
    if (n != 0)
        sha256_update(context(h), n, p);
}

void bao_sha256_get(struct bao_sha256 *h, uint8_t ret[BAO_SHA256_LEN])
{
    sha256_digest(context(h), BAO_SHA256_LEN, ret);
}

void bao_sha256(const void *p, size_t n, uint8_t ret[BAO_SHA256_LEN])
{
    struct bao_sha256 h;

    bao_sha256_init(&h);
    bao_sha256_feed(&h, p, n);
    bao_sha256_get(&h, ret);
}

void bao_ed25519_public(const uint8_t seed[BAO_ED25519_KEY_LEN], uint8_t ret_public[BAO_ED25519_KEY_LEN])
{
    ed25519_sha512_public_key(ret_public, seed);
}

void bao_ed25519_sign(const uint8_t seed[BAO_ED25519_KEY_LEN], const uint8_t pub[BAO_ED25519_KEY_LEN],
                      const void *p, size_t n, uint8_t ret_signature[BAO_ED25519_SIG_LEN])
{
    ed25519_sha512_sign(pub, seed, n, n == 0 ? (const void *)"" : p, ret_signature);
}

bool bao_ed25519_verify(const uint8_t pub[BAO_ED25519_KEY_LEN], const void *p, size_t n,
                        const uint8_t signature[BAO_ED25519_SIG_LEN])
{
    return ed25519_sha512_verify(pub, n, n == 0 ? (const void *)"" : p, signature) == 1;
}

bool bao_equal_secret(const void *a, const void *b, size_t n)
{
    return n == 0 || memeql_sec(a, b, n) != 0;
}

void bao_hex(const uint8_t *p, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * n] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool bao_unhex(struct bao_str s, uint8_t *ret, size_t n)
{
    if (s.n != 2 * n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (hex_value(s.p[i]) < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint8_t)(hex_value(s.p[2 * i]) << 4 | hex_value(s.p[2 * i + 1]));
    return true;
}
