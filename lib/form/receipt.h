/* Receipts and their proofs: what was stored, provable with the province's public key alone.
 *
 * A leaf is the canonical text of one stored report (or office act). The leaves of a batch are the leaves of
 * a Merkle tree; the batch row holds its root and the hash of the row before, and is signed with Ed25519. A
 * receipt file = leaf + inclusion path + batch row, all of it text:
 *
 *     baocao-receipt 1
 *     receipt 019a3b52-...
 *     form nd73-quarterly
 *     ...
 *     verdict accepted
 *                                empty line; the lines above are the leaf
 *     leaf 17
 *     path <64 hex>              one line a step, from the leaf up
 *                                empty line
 *     baocao-batch 1
 *     province 66
 *     batch 12
 *     node hub-1
 *     at 2026-11-01T00:59:58.113000Z
 *     leaves 1000
 *     root <64 hex>
 *     previous <64 hex>          the lines from baocao-batch to here are signed
 *     signature <128 hex>
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/form/date.h"
#include "lib/form/merkle.h"

/* RFC 9562 version 7 from a time and 10 random octets (6 bits of them give way to version and variant). */
void bao_uuid_v7(bao_time at, const uint8_t random[10], uint8_t ret[16]);

/* What a receipt says of one stored report; texts are borrowed. */
struct bao_leaf {
    uint8_t id[16];
    struct bao_str form, unit, period;
    int revision;
    uint8_t content[BAO_SHA256_LEN];
    bao_time received_at; /* custody */
    int form_version;
    struct bao_str verdict; /* accepted, or superseded: kept beside a higher revision */
};

/* Appends the canonical text, from "baocao-receipt 1" on, each line with its LF. */
int bao_leaf_print(struct bao_buf *out, const struct bao_leaf *leaf) BAO_MUST_CHECK;

/* One row of the audit chain; texts are borrowed. */
struct bao_batch {
    struct bao_str province, node;
    int64_t seq;
    bao_time at;
    uint64_t n; /* leaves */
    struct bao_hash root;
    struct bao_hash previous; /* bao_batch_hash of the row before; zeros for the first */
    uint8_t signature[BAO_ED25519_SIG_LEN];
};

/* Appends the text that is signed. */
int bao_batch_print(struct bao_buf *out, const struct bao_batch *batch) BAO_MUST_CHECK;
/* Sets batch->signature: 0 or -ENOMEM. */
int bao_batch_sign(struct bao_batch *batch, const uint8_t seed[BAO_ED25519_KEY_LEN],
                   const uint8_t pub[BAO_ED25519_KEY_LEN]) BAO_MUST_CHECK;
/* Is its signature that of this key? 1 yes, 0 no, <0 error. */
int bao_batch_verify(const struct bao_batch *batch, const uint8_t pub[BAO_ED25519_KEY_LEN]) BAO_MUST_CHECK;
/* The hash by which the next row names this one: SHA-256 of the signed text and the signature line. */
int bao_batch_hash(const struct bao_batch *batch, struct bao_hash *ret) BAO_MUST_CHECK;

/* Appends a receipt file. leaf: the leaf's text. */
int bao_receipt_print(struct bao_buf *out, struct bao_str leaf, size_t index, const struct bao_hash *path,
                      size_t n_path, const struct bao_batch *batch) BAO_MUST_CHECK;

/* A receipt file taken apart; texts point into it. */
struct bao_receipt_file {
    struct bao_str leaf; /* the leaf's text */
    uint64_t index;
    struct bao_hash path[BAO_MERKLE_PATH_MAX];
    size_t n_path;
    struct bao_batch batch;
};

enum bao_receipt_outcome {
    BAO_RECEIPT_E_SYNTAX = 1, /* not a receipt file, or one that was changed in shape */
    BAO_RECEIPT_E_PATH,       /* the leaf does not belong to the batch: its text was changed */
    BAO_RECEIPT_E_SIGNATURE,  /* the batch was not signed by this key */
};

/* Takes a file apart without judging it: 0 or BAO_RECEIPT_E_SYNTAX. CR before LF is tolerated nowhere. */
int bao_receipt_read(struct bao_str file, struct bao_receipt_file *ret) BAO_MUST_CHECK;
/* Verifies what was read with the province's public key: 0, E_PATH, E_SIGNATURE, or <0. */
int bao_receipt_verify(const struct bao_receipt_file *receipt,
                       const uint8_t pub[BAO_ED25519_KEY_LEN]) BAO_MUST_CHECK;
/* The value of a line "name value" of the leaf; .p NULL when it has none. */
struct bao_str bao_receipt_field(struct bao_str leaf, const char *name);
