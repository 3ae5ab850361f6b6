#include "daemon/store/pgcall.h"
#include "daemon/store/leaves.h"
#include "daemon/store/sync_parts.h"

static void take_hash(struct bao_hash *ret, struct bao_str octets)
{
    if (octets.n == sizeof(ret->octets))
        memcpy(ret->octets, octets.p, octets.n);
}

static bool is_own_key(const struct sync *s, struct bao_str key)
{
    uint8_t pub[BAO_ED25519_KEY_LEN];

    bao_ed25519_public(s->options->seed, pub);
    return bao_str_eq(key, (struct bao_str){(const char *)pub, sizeof(pub)});
}

/* Whoever holds a receipt checks it with the province's one key. */
static int refuse_key(struct sync *s, struct bao_str node)
{
    int r = bao_buf_printf(
        s->why,
        "another key signs this database's chain (daemon %.*s last): all daemons of a province share "
        "one audit.key. Copy that daemon's audit.key into this one's state folder; if the key is "
        "lost, set audit.new_key: true once",
        BAO_STR_ARG(node));

    return r < 0 ? r : BAOD_SYNC_E_KEY;
}

int baod_sync_read_head(struct sync *s)
{
    const struct baod_pg_result *rows;
    struct bao_str node, signature;
    int r = baod_sync_run(
        s,
        "SELECT seq, node, at, n, root, prev, signature, public_key FROM baocao.audit ORDER BY seq "
        "DESC LIMIT 1",
        NULL, 0, &rows);

    if (r != 0)
        return r;
    s->at = s->options->now;
    s->seq = 1;
    if (baod_pg_rows(rows) == 0)
        return 0;
    if (!s->options->new_key && !is_own_key(s, baod_pg_bytes(rows, 0, 7)))
        return refuse_key(s, baod_pg_bytes(rows, 0, 1));
    node = bao_arena_str(&s->arena, baod_pg_bytes(rows, 0, 1));
    signature = baod_pg_bytes(rows, 0, 6);
    if (node.p == NULL)
        return -ENOMEM;
    s->head = (struct bao_batch){.province = s->snapshot->registry.province,
                                 .node = node,
                                 .seq = baod_pg_int(rows, 0, 0),
                                 .at = baod_pg_time(rows, 0, 2),
                                 .n = (uint64_t)baod_pg_int(rows, 0, 3)};
    take_hash(&s->head.root, baod_pg_bytes(rows, 0, 4));
    take_hash(&s->head.previous, baod_pg_bytes(rows, 0, 5));
    if (signature.n == sizeof(s->head.signature))
        memcpy(s->head.signature, signature.p, signature.n);
    s->seq = s->head.seq + 1;
    if (s->at <= s->head.at) /* the order of batches is the order of their times */
        s->at = s->head.at + 1;
    return 0;
}

/* The batch's number and time, where statements can join them. */
int baod_sync_stage_batch(struct sync *s)
{
    struct baod_pg_param params[] = {baod_pg_p_int8(&s->arena, s->seq), baod_pg_p_time(&s->arena, s->at)};
    int r = baod_sync_run(s, "CREATE TEMP TABLE sync_batch (seq int8, at timestamptz) ON COMMIT DROP", NULL,
                          0, NULL);

    if (r == 0)
        r = baod_sync_run(s, "INSERT INTO pg_temp.sync_batch VALUES ($1, $2)", params, BAO_COUNT(params),
                          NULL);
    return r == 0 ? baod_sync_run(s, "ANALYZE sync_batch", NULL, 0, NULL) : r;
}

/* What the files were, and what became of the obligations. */
static int make_leaf(const struct sync *s, struct bao_hash *ret)
{
    char registry[2 * BAO_SHA256_LEN + 1], forms[2 * BAO_SHA256_LEN + 1], text[512];
    int n;

    bao_hex(s->registry, BAO_SHA256_LEN, registry);
    bao_hex(s->forms, BAO_SHA256_LEN, forms);
    n = snprintf(text, sizeof(text),
                 "baocao-files 1\nregistry %s\nforms %s\nmade %lld\nmoved %lld\ndropped %lld\n", registry,
                 forms, (long long)s->changes.made, (long long)s->changes.moved,
                 (long long)s->changes.dropped);
    if (n < 0 || n >= (int)sizeof(text))
        return -EINVAL;
    bao_merkle_leaf((struct bao_str){text, (size_t)n}, ret);
    return 0;
}

int baod_sync_write_audit(struct sync *s)
{
    uint8_t pub[BAO_ED25519_KEY_LEN];
    struct bao_hash leaves[2];
    struct bao_batch row = {.province = s->snapshot->registry.province,
                            .node = bao_str_c(s->options->node),
                            .seq = s->seq,
                            .at = s->at,
                            .n = BAO_COUNT(leaves)};
    int r = make_leaf(s, &leaves[0]);

    bao_ed25519_public(s->options->seed, pub);
    baod_mark_leaf(BAOD_MARK_FILES, s->seq, &leaves[1]);
    bao_merkle_root(leaves, row.n, &row.root);
    if (r == 0 && s->head.seq != 0)
        r = bao_batch_hash(&s->head, &row.previous);
    if (r == 0)
        r = bao_batch_sign(&row, s->options->seed, pub);
    if (r == 0) {
        struct baod_pg_param params[] = {
            baod_pg_p_int8(&s->arena, row.seq),
            baod_pg_p_text(row.node),
            baod_pg_p_time(&s->arena, row.at),
            baod_pg_p_bytea((struct bao_str){(const char *)row.root.octets, sizeof(row.root.octets)}),
            baod_pg_p_bytea((struct bao_str){(const char *)row.previous.octets, sizeof(row.previous.octets)}),
            baod_pg_p_bytea((struct bao_str){(const char *)pub, sizeof(pub)}),
            baod_pg_p_bytea((struct bao_str){(const char *)row.signature, sizeof(row.signature)}),
            baod_pg_p_bytea((struct bao_str){(const char *)leaves, sizeof(leaves)}),
            baod_pg_p_int4(&s->arena, (int32_t)row.n),
        };

        r = baod_sync_run(
            s,
            "INSERT INTO baocao.audit (seq, node, at, n, root, prev, public_key, signature, leaves)"
            " VALUES ($1, $2, $3, $9, $4, $5, $6, $7, $8)",
            params, BAO_COUNT(params), NULL);
    }
    return r;
}
