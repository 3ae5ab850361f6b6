/* One batch of the audit chain over a blocking connection: for office acts, refusals and whatever else is
 * written beside the writer. The lock is the writer's own, so that all batches have one order. */
#pragma once

#include "lib/base/arena.h"
#include "lib/form/receipt.h"

struct baod_pg_call;

/* Who signs. */
struct baod_chain_signer {
    int32_t province_key; /* baod_province_key() of the province */
    struct bao_str province, node;
    uint8_t seed[BAO_ED25519_KEY_LEN];
};

struct baod_chain {
    struct bao_batch head; /* the last batch; seq 0: none */
    struct bao_batch row;  /* the one being made: its number and time stand from the beginning */
};

/* BEGIN, the province's lock, the end of the chain and PostgreSQL's clock. Texts go to the arena; the signer
 * is borrowed. 0, an outcome of enum baod_pg_outcome, or <0; whoever began rolls back. */
int baod_chain_begin(struct baod_pg_call *call, struct bao_arena *arena,
                     const struct baod_chain_signer *signer, struct baod_chain *ret) BAO_MUST_CHECK;
/* Signs the batch over its n leaves and inserts its row; COMMIT is the caller's. As above. */
int baod_chain_write(struct baod_pg_call *call, struct bao_arena *arena,
                     const struct baod_chain_signer *signer, struct baod_chain *chain,
                     const struct bao_hash *leaves, size_t n) BAO_MUST_CHECK;
