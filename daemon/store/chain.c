#include "daemon/store/chain.h"

#include "daemon/store/pgcall.h"
#include "lib/base/error.h"

static const struct baod_pg_statement BEGIN = {NULL, "BEGIN"};

/* A statement of its own: the snapshots of those after it begin once the lock is held. */
static const struct baod_pg_statement LOCK = {NULL, "SELECT pg_advisory_xact_lock(7316, $1)"};

static const struct baod_pg_statement HEAD = {
    NULL, "SELECT a.seq, a.node, a.at, a.n, a.root, a.prev, a.signature, clock_timestamp()"
          "  FROM (VALUES (1)) one(x)"
          "  LEFT JOIN LATERAL (SELECT * FROM baocao.audit ORDER BY seq DESC LIMIT 1) a ON true"};

static const struct baod_pg_statement INSERT = {
    NULL, "INSERT INTO baocao.audit (seq, node, at, n, root, prev, public_key, signature, leaves)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};

static void take(struct bao_str octets, void *ret, size_t n)
{
    if (octets.n == n)
        memcpy(ret, octets.p, n);
}

int baod_chain_begin(struct baod_pg_call *call, struct bao_arena *arena,
                     const struct baod_chain_signer *signer, struct baod_chain *ret)
{
    struct baod_pg_param key = baod_pg_p_int4(arena, signer->province_key);
    const struct baod_pg_result *rows;
    struct baod_chain chain;
    bao_time now;
    int r = baod_pg_call_exec(call, &BEGIN, NULL, 0, NULL);

    if (r == 0)
        r = baod_pg_call_exec(call, &LOCK, &key, 1, NULL);
    if (r == 0)
        r = baod_pg_call_exec(call, &HEAD, NULL, 0, &rows);
    if (r != 0)
        return r;
    chain.head = (struct bao_batch){.province = signer->province,
                                    .seq = baod_pg_int(rows, 0, 0),
                                    .node = bao_arena_str(arena, baod_pg_bytes(rows, 0, 1)),
                                    .at = baod_pg_time(rows, 0, 2),
                                    .n = (uint64_t)baod_pg_int(rows, 0, 3)};
    if (chain.head.node.p == NULL)
        return -ENOMEM;
    take(baod_pg_bytes(rows, 0, 4), chain.head.root.octets, sizeof(chain.head.root.octets));
    take(baod_pg_bytes(rows, 0, 5), chain.head.previous.octets, sizeof(chain.head.previous.octets));
    take(baod_pg_bytes(rows, 0, 6), chain.head.signature, sizeof(chain.head.signature));
    now = baod_pg_time(rows, 0, 7);
    chain.row =
        (struct bao_batch){.province = signer->province,
                           .node = signer->node,
                           .seq = chain.head.seq + 1,
                           .at = chain.head.seq != 0 && now <= chain.head.at ? chain.head.at + 1 : now};
    *ret = chain;
    return 0;
}

static struct baod_pg_param octets(const void *p, size_t n)
{
    return baod_pg_p_bytea((struct bao_str){p, n});
}

int baod_chain_write(struct baod_pg_call *call, struct bao_arena *arena,
                     const struct baod_chain_signer *signer, struct baod_chain *chain,
                     const struct bao_hash *leaves, size_t n)
{
    struct bao_batch *row = &chain->row;
    uint8_t pub[BAO_ED25519_KEY_LEN];
    int r = 0;

    row->n = n;
    bao_merkle_root(leaves, n, &row->root);
    bao_ed25519_public(signer->seed, pub);
    if (chain->head.seq != 0)
        r = bao_batch_hash(&chain->head, &row->previous);
    if (r == 0)
        r = bao_batch_sign(row, signer->seed, pub);
    if (r < 0)
        return r;
    struct baod_pg_param params[] = {
        baod_pg_p_int8(arena, row->seq),
        baod_pg_p_text(row->node),
        baod_pg_p_time(arena, row->at),
        baod_pg_p_int4(arena, (int32_t)n),
        octets(row->root.octets, sizeof(row->root.octets)),
        octets(row->previous.octets, sizeof(row->previous.octets)),
        octets(pub, sizeof(pub)),
        octets(row->signature, sizeof(row->signature)),
        octets(leaves, n * sizeof(*leaves)),
    };
    return baod_pg_call_exec(call, &INSERT, params, BAO_COUNT(params), NULL);
}
