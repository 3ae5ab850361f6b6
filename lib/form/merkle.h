/* Merkle trees as RFC 9162 section 2.1 hashes them, with SHA-256: leaf = H(00 || text), node = H(01 || left
 * || right), split at the largest power of two below n. */
#pragma once

#include "lib/base/crypto.h"

/* Longest inclusion path: trees of up to 2^32 leaves. */
enum { BAO_MERKLE_PATH_MAX = 32 };

/* One hash, so that arrays of them read easily. */
struct bao_hash {
    uint8_t octets[BAO_SHA256_LEN];
};

/* H(00 || text). */
void bao_merkle_leaf(struct bao_str text, struct bao_hash *ret);
/* The root of n leaf hashes; of none: the hash of the empty text. */
void bao_merkle_root(const struct bao_hash *leaves, size_t n, struct bao_hash *ret);
/* The path that proves leaf `index` (< n), from the leaf up; gives its length, at most BAO_MERKLE_PATH_MAX.
 */
size_t bao_merkle_path(const struct bao_hash *leaves, size_t n, size_t index, struct bao_hash *ret);
/* Does the path lead from the leaf hash at `index` of a tree of n leaves to the root? */
bool bao_merkle_verify(const struct bao_hash *leaf, size_t n, size_t index, const struct bao_hash *path,
                       size_t n_path, const struct bao_hash *root);
