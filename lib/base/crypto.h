/* SHA-256, Ed25519 and constant-time comparison. crypto.c is the only file that includes nettle. */
#pragma once

#include "lib/base/str.h"

#define BAO_SHA256_LEN 32
#define BAO_ED25519_KEY_LEN 32
#define BAO_ED25519_SIG_LEN 64

/* A running SHA-256; opaque storage so that no caller sees nettle. */
struct bao_sha256 {
    uint64_t opaque[16];
};

/* Begins a text. */
void bao_sha256_init(struct bao_sha256 *h);
/* Goes on with n octets; p may be NULL when n is 0. */
void bao_sha256_feed(struct bao_sha256 *h, const void *p, size_t n);
/* Gives the digest and resets the state for another text. */
void bao_sha256_get(struct bao_sha256 *h, uint8_t ret[BAO_SHA256_LEN]);
/* The digest of one whole text. */
void bao_sha256(const void *p, size_t n, uint8_t ret[BAO_SHA256_LEN]);

/* RFC 8032: the public key that belongs to a seed, which is the private key. */
void bao_ed25519_public(const uint8_t seed[BAO_ED25519_KEY_LEN], uint8_t ret_public[BAO_ED25519_KEY_LEN]);
/* Signs n octets with the pair of seed and public key; deterministic. */
void bao_ed25519_sign(const uint8_t seed[BAO_ED25519_KEY_LEN], const uint8_t pub[BAO_ED25519_KEY_LEN],
                      const void *p, size_t n, uint8_t ret_signature[BAO_ED25519_SIG_LEN]);
/* Did the holder of the public key's seed sign these n octets? */
bool bao_ed25519_verify(const uint8_t pub[BAO_ED25519_KEY_LEN], const void *p, size_t n,
                        const uint8_t signature[BAO_ED25519_SIG_LEN]);

/* Equal? In time that depends on n alone. */
bool bao_equal_secret(const void *a, const void *b, size_t n);
/* Lower-case hex with a final NUL: 2 n + 1 octets. */
void bao_hex(const uint8_t *p, size_t n, char *ret);
/* Reads exactly 2 n hex digits of either case: false when they are not. */
bool bao_unhex(struct bao_str s, uint8_t *ret, size_t n);
