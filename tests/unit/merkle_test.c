/* Merkle trees against the vectors of the Certificate Transparency test suite, and every path of small trees.
 */
#include "lib/form/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct bao_str TEXTS[] = {
    {"", 0},         {"\x00", 1},
    {"\x10", 1},     {"\x20\x21", 2},
    {"\x30\x31", 2}, {"\x40\x41\x42\x43", 4},
    {"PQRSTUVW", 8}, {"`abcdefghijklmno", 16},
};
static const char *const ROOTS[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void roots_are_those_of_the_vectors(void **state)
{
    struct bao_hash leaves[BAO_COUNT(TEXTS)], root;
    char hex[65];

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(TEXTS); i++)
        bao_merkle_leaf(TEXTS[i], &leaves[i]);
    for (size_t n = 0; n <= BAO_COUNT(TEXTS); n++) {
        bao_merkle_root(leaves, n, &root);
        bao_hex(root.octets, sizeof(root.octets), hex);
        assert_string_equal(hex, ROOTS[n]);
    }
}

static void every_path_proves_its_leaf_and_no_other(void **state)
{
    struct bao_hash leaves[40], path[BAO_MERKLE_PATH_MAX], root;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(leaves); i++)
        bao_merkle_leaf((struct bao_str){(const char *)&i, sizeof(i)}, &leaves[i]);
    for (size_t n = 1; n <= BAO_COUNT(leaves); n++) {
        bao_merkle_root(leaves, n, &root);
        for (size_t i = 0; i < n; i++) {
            size_t length = bao_merkle_path(leaves, n, i, path);

            assert_true(bao_merkle_verify(&leaves[i], n, i, path, length, &root));
            assert_false(bao_merkle_verify(&leaves[(i + 1) % BAO_COUNT(leaves)], n, i, path, length, &root));
            if (length > 0) {
                assert_false(bao_merkle_verify(&leaves[i], n, i, path, length - 1, &root));
                path[length / 2].octets[7] ^= 1;
                assert_false(bao_merkle_verify(&leaves[i], n, i, path, length, &root));
            }
            assert_false(bao_merkle_verify(&leaves[i], n, n, path, length, &root));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_vectors),
        cmocka_unit_test(every_path_proves_its_leaf_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
