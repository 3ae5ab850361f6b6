#include "lib/form/merkle.h"

void bao_merkle_leaf(struct bao_str text, struct bao_hash *ret)
{
    struct bao_sha256 h;

    bao_sha256_init(&h);
    bao_sha256_feed(&h, "\0", 1);
    bao_sha256_feed(&h, text.p, text.n);
    bao_sha256_get(&h, ret->octets);
}

static void node_hash(const struct bao_hash *left, const struct bao_hash *right, struct bao_hash *ret)
{
    struct bao_sha256 h;

    bao_sha256_init(&h);
    bao_sha256_feed(&h, "\1", 1);
    bao_sha256_feed(&h, left->octets, sizeof(left->octets));
    bao_sha256_feed(&h, right->octets, sizeof(right->octets));
    bao_sha256_get(&h, ret->octets);
}

/* The largest power of two below n (n >= 2). */
static size_t split(size_t n)
{
    return (size_t)1 << (63 - __builtin_clzll((unsigned long long)n - 1));
}

void bao_merkle_root(const struct bao_hash *leaves, size_t n, struct bao_hash *ret)
{
    struct bao_hash left, right;
    size_t k;

    if (n == 0) {
        bao_sha256("", 0, ret->octets);
        return;
    }
    if (n == 1) {
        *ret = leaves[0];
        return;
    }
    k = split(n);
    bao_merkle_root(leaves, k, &left);
    bao_merkle_root(leaves + k, n - k, &right);
    node_hash(&left, &right, ret);
}

size_t bao_merkle_path(const struct bao_hash *leaves, size_t n, size_t index, struct bao_hash *ret)
{
    size_t k, length;

    bao_require(index < n);
    if (n == 1)
        return 0;
    k = split(n);
    if (index < k) {
        length = bao_merkle_path(leaves, k, index, ret);
        bao_merkle_root(leaves + k, n - k, &ret[length]);
    } else {
        length = bao_merkle_path(leaves + k, n - k, index - k, ret);
        bao_merkle_root(leaves, k, &ret[length]);
    }
    bao_require(length < BAO_MERKLE_PATH_MAX);
    return length + 1;
}

bool bao_merkle_verify(const struct bao_hash *leaf, size_t n, size_t index, const struct bao_hash *path,
                       size_t n_path, const struct bao_hash *root)
{
    size_t at = index, last = n - 1;
    struct bao_hash hash = *leaf;

    if (n == 0 || index >= n)
        return false;
    /* RFC 9162 section 2.1.3.2. */
    for (size_t i = 0; i < n_path; i++) {
        if (last == 0)
            return false;
        if ((at & 1) != 0 || at == last) {
            node_hash(&path[i], &hash, &hash);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node_hash(&hash, &path[i], &hash);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash.octets, root->octets, sizeof(hash.octets)) == 0;
}
