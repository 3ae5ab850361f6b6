/* SHA-256 (FIPS 180-4 examples), Ed25519 (RFC 8032 section 7.1), hex. */
#include "lib/base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void digests(void **state)
{
    uint8_t digest[BAO_SHA256_LEN];
    char hex[2 * BAO_SHA256_LEN + 1];
    struct bao_sha256 h;

    (void)state;
    bao_sha256("abc", 3, digest);
    bao_hex(digest, sizeof(digest), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bao_sha256_init(&h);
    for (int round = 0; round < 2; round++) {
        bao_sha256_feed(&h, "a", 1);
        bao_sha256_feed(&h, NULL, 0);
        bao_sha256_feed(&h, "bc", 2);
        bao_sha256_get(&h, digest);
        bao_hex(digest, sizeof(digest), hex);
        assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
    bao_sha256(NULL, 0, digest);
    bao_hex(digest, sizeof(digest), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void signs_and_verifies(void **state)
{
    static const struct {
        const char *seed, *pub, *text, *signature;
    } table[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
         "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        uint8_t seed[32], pub[32], derived[32], text[8], signature[64], made[64];
        size_t n = strlen(table[i].text) / 2;

        assert_true(bao_unhex(bao_str_c(table[i].seed), seed, 32));
        assert_true(bao_unhex(bao_str_c(table[i].pub), pub, 32));
        assert_true(bao_unhex(bao_str_c(table[i].text), text, n));
        assert_true(bao_unhex(bao_str_c(table[i].signature), signature, 64));
        bao_ed25519_public(seed, derived);
        assert_memory_equal(derived, pub, 32);
        bao_ed25519_sign(seed, pub, text, n, made);
        assert_memory_equal(made, signature, 64);
        assert_true(bao_ed25519_verify(pub, text, n, signature));
        assert_false(bao_ed25519_verify(pub, "other", 5, signature));
        signature[7] ^= 1;
        assert_false(bao_ed25519_verify(pub, text, n, signature));
    }
}

static void reads_hex_strictly(void **state)
{
    uint8_t out[3] = {7, 7, 7};

    (void)state;
    assert_true(bao_unhex(BAO_STR("00fFa1"), out, 3));
    assert_memory_equal(out, "\x00\xff\xa1", 3);
    assert_false(bao_unhex(BAO_STR("00ff"), out, 3));
    assert_false(bao_unhex(BAO_STR("00ffg1"), out, 3));
    assert_memory_equal(out, "\x00\xff\xa1", 3);
    assert_true(bao_equal_secret("abc", "abc", 3));
    assert_false(bao_equal_secret("abc", "abd", 3));
    assert_true(bao_equal_secret("a", "b", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(signs_and_verifies),
        cmocka_unit_test(reads_hex_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
