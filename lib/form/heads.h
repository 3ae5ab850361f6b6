/* The published list of heads: one line a batch of the audit chain, with the hash by which the next batch
 * names it.
 *
 *     baocao-heads 1
 *     province 66
 *     head 1 2026-11-01T00:59:58.113Z <64 hex>
 *     head 2 …
 *
 * A list is only ever added to. Whoever kept a copy can tell later that a batch which stood in it is still
 * the same (a hash covers the batch's root, signature and everything before it), and that none was taken
 * away. */
#pragma once

#include "lib/form/receipt.h"

struct bao_chain_head {
    int64_t seq;
    bao_time at;          /* to the millisecond */
    struct bao_hash hash; /* bao_batch_hash() */
};

enum bao_heads_outcome {
    BAO_HEADS_E_SYNTAX = 1, /* not a list of heads, or one that was changed in shape */
    BAO_HEADS_E_END,        /* no more lines */
    BAO_HEADS_E_UNLISTED,   /* the list does not reach to the batch, or begins behind it */
    BAO_HEADS_E_DIFFERS,    /* the list knows the batch otherwise */
    BAO_HEADS_E_PROVINCE,   /* the list is another province's */
};

/* Append the two first lines, and one head. 0 or <0. */
int bao_heads_print_start(struct bao_buf *out, struct bao_str province) BAO_MUST_CHECK;
int bao_heads_print(struct bao_buf *out, const struct bao_chain_head *head) BAO_MUST_CHECK;
/* Takes the two first lines off *rest: 0 or BAO_HEADS_E_SYNTAX. The province is borrowed from it. */
int bao_heads_start(struct bao_str *rest, struct bao_str *ret_province) BAO_MUST_CHECK;
/* Takes one head off *rest: 0, BAO_HEADS_E_END, BAO_HEADS_E_SYNTAX. */
int bao_heads_next(struct bao_str *rest, struct bao_chain_head *ret) BAO_MUST_CHECK;
/* Does the list hold this batch as it is? 0, an outcome, or <0. */
int bao_heads_check(struct bao_str list, const struct bao_batch *batch) BAO_MUST_CHECK;
