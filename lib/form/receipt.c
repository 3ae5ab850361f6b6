#include "lib/form/receipt.h"
#include "lib/base/digits.h"
#include "lib/base/error.h"

enum {
    BATCH_TEXT_MAX = 1024,
    UUID = 16,
    UUID_TEXT = 36,
    LEAF_FIXED = 256,
    TIME_MAX = 40,
    HEX_HASH = 2 * BAO_SHA256_LEN,
    HEX_SIG = 2 * BAO_ED25519_SIG_LEN
};

static const char LEAF_HEAD[] = "baocao-receipt 1\n", BATCH_HEAD[] = "baocao-batch 1\n";

/* 8-4-4-4-12 lower-case digits and NUL. */
static void print_uuid(const uint8_t id[UUID], char ret[UUID_TEXT + 1])
{
    static const uint8_t parts[] = {4, 2, 2, 2, 6};

    for (size_t i = 0; i < BAO_COUNT(parts); i++) {
        bao_hex(id, parts[i], ret);
        id += parts[i];
        ret += 2 * parts[i];
        *ret++ = '-';
    }
    ret[-1] = '\0';
}

void bao_uuid_v7(bao_time at, const uint8_t random[10], uint8_t ret[UUID])
{
    uint64_t ms = (uint64_t)(at / 1000);

    for (int i = 0; i < 6; i++)
        ret[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(ret + 6, random, 10);
    ret[6] = (uint8_t)(0x70 | (ret[6] & 0x0f));
    ret[8] = (uint8_t)(0x80 | (ret[8] & 0x3f));
}

/* Puts pieces into room that is known to be large enough: a leaf is made for every report, and printf would
 * cost more than hashing it. */
static char *put(char *at, struct bao_str s)
{
    if (s.n != 0)
        memcpy(at, s.p, s.n);
    return at + s.n;
}

/* "name YYYY-MM-DDTHH:MM:SS.uuuuuuZ" and LF: exact to the microsecond, whatever the province's offset. */
static int print_time(struct bao_buf *out, struct bao_str name, bao_time at)
{
    bao_date day = bao_time_date(at, 0);
    int64_t in_day = at - bao_time_make(day, 0, 0);
    char *start = bao_buf_room(out, name.n + TIME_MAX), *p = start;

    if (p == NULL)
        return -ENOMEM;
    p = put(put(p, name), BAO_STR(" "));
    p = put(bao_second_put(p, day, (int)(in_day / BAO_SECOND)), BAO_STR("."));
    p = put(bao_digits_put(p, (unsigned)(in_day % BAO_SECOND), 6), BAO_STR("Z\n"));
    bao_buf_trim(out, (size_t)(p - start));
    return 0;
}

int bao_leaf_print(struct bao_buf *out, const struct bao_leaf *leaf)
{
    char id[UUID_TEXT + 1],
        *start = bao_buf_room(out, LEAF_FIXED + leaf->form.n + leaf->unit.n + leaf->period.n), *at;
    int r;

    if (start == NULL)
        return -ENOMEM;
    bao_require(leaf->revision >= 0 && leaf->form_version >= 0);
    print_uuid(leaf->id, id);
    at = put(put(start, bao_str_c(LEAF_HEAD)), BAO_STR("receipt "));
    at = put(put(at, (struct bao_str){id, UUID_TEXT}), BAO_STR("\nform "));
    at = put(put(at, leaf->form), BAO_STR("\nunit "));
    at = put(put(at, leaf->unit), BAO_STR("\nperiod "));
    at = put(put(at, leaf->period), BAO_STR("\nrevision "));
    at = put(bao_digits_put(at, (unsigned)leaf->revision, 1), BAO_STR("\ncontent "));
    bao_hex(leaf->content, sizeof(leaf->content), at);
    at = put(at + HEX_HASH, BAO_STR("\n"));
    bao_buf_trim(out, (size_t)(at - start));
    r = print_time(out, BAO_STR("received"), leaf->received_at);
    start = r < 0 ? NULL : bao_buf_room(out, LEAF_FIXED + leaf->verdict.n);
    if (start == NULL)
        return -ENOMEM;
    at = bao_digits_put(put(start, BAO_STR("form_version ")), (unsigned)leaf->form_version, 1);
    at = put(put(put(at, BAO_STR("\nverdict ")), leaf->verdict), BAO_STR("\n"));
    bao_buf_trim(out, (size_t)(at - start));
    return 0;
}

int bao_batch_print(struct bao_buf *out, const struct bao_batch *batch)
{
    char root[HEX_HASH + 1], previous[HEX_HASH + 1];
    int r;

    bao_hex(batch->root.octets, BAO_SHA256_LEN, root);
    bao_hex(batch->previous.octets, BAO_SHA256_LEN, previous);
    r = bao_buf_printf(out, "%sprovince %.*s\nbatch %lld\nnode %.*s\n", BATCH_HEAD,
                       BAO_STR_ARG(batch->province), (long long)batch->seq, BAO_STR_ARG(batch->node));
    if (r < 0)
        return r;
    r = print_time(out, BAO_STR("at"), batch->at);
    if (r < 0)
        return r;
    return bao_buf_printf(out, "leaves %llu\nroot %s\nprevious %s\n", (unsigned long long)batch->n, root,
                          previous);
}

int bao_batch_sign(struct bao_batch *batch, const uint8_t seed[BAO_ED25519_KEY_LEN],
                   const uint8_t pub[BAO_ED25519_KEY_LEN])
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(BATCH_TEXT_MAX);
    int r = bao_batch_print(&text, batch);

    if (r < 0)
        return r;
    bao_ed25519_sign(seed, pub, bao_buf_data(&text), bao_buf_len(&text), batch->signature);
    return 0;
}

int bao_batch_verify(const struct bao_batch *batch, const uint8_t pub[BAO_ED25519_KEY_LEN])
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(BATCH_TEXT_MAX);
    int r = bao_batch_print(&text, batch);

    if (r < 0)
        return r;
    return bao_ed25519_verify(pub, bao_buf_data(&text), bao_buf_len(&text), batch->signature) ? 1 : 0;
}

static int print_signature(struct bao_buf *out, const struct bao_batch *batch)
{
    char signature[HEX_SIG + 1];

    bao_hex(batch->signature, sizeof(batch->signature), signature);
    return bao_buf_printf(out, "signature %s\n", signature);
}

int bao_batch_hash(const struct bao_batch *batch, struct bao_hash *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(BATCH_TEXT_MAX);
    int r = bao_batch_print(&text, batch);

    if (r == 0)
        r = print_signature(&text, batch);
    if (r < 0)
        return r;
    bao_sha256(bao_buf_data(&text), bao_buf_len(&text), ret->octets);
    return 0;
}

int bao_receipt_print(struct bao_buf *out, struct bao_str leaf, size_t index, const struct bao_hash *path,
                      size_t n_path, const struct bao_batch *batch)
{
    char hex[HEX_HASH + 1];
    int r = bao_buf_append_str(out, leaf);

    if (r == 0)
        r = bao_buf_printf(out, "\nleaf %zu\n", index);
    for (size_t i = 0; r == 0 && i < n_path; i++) {
        bao_hex(path[i].octets, BAO_SHA256_LEN, hex);
        r = bao_buf_printf(out, "path %s\n", hex);
    }
    if (r == 0)
        r = bao_buf_append_c(out, "\n");
    if (r == 0)
        r = bao_batch_print(out, batch);
    return r < 0 ? r : print_signature(out, batch);
}

/* Takes the line up to the next LF off the front: false when there is none. */
static bool take_line(struct bao_str *rest, struct bao_str *ret)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

    if (end == NULL)
        return false;
    *ret = (struct bao_str){rest->p, (size_t)(end - rest->p)};
    *rest = (struct bao_str){end + 1, rest->n - ret->n - 1};
    return true;
}

/* Is the line "name value", with a value? */
static bool line_value(struct bao_str line, const char *name, struct bao_str *ret)
{
    size_t n = strlen(name);

    if (line.n < n + 2 || memcmp(line.p, name, n) != 0 || line.p[n] != ' ')
        return false;
    *ret = (struct bao_str){line.p + n + 1, line.n - n - 1};
    return true;
}

static bool take_value(struct bao_str *rest, const char *name, struct bao_str *ret)
{
    struct bao_str line;

    return take_line(rest, &line) && line_value(line, name, ret);
}

/* A whole number without leading zeros. */
static bool take_number(struct bao_str *rest, const char *name, uint64_t *ret)
{
    struct bao_str s;
    uint64_t n = 0;

    if (!take_value(rest, name, &s) || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
            return false;
    *ret = n;
    return true;
}

static bool take_hash(struct bao_str *rest, const char *name, struct bao_hash *ret)
{
    struct bao_str s;

    return take_value(rest, name, &s) && bao_unhex(s, ret->octets, BAO_SHA256_LEN);
}

static bool take_time(struct bao_str *rest, const char *name, bao_time *ret)
{
    struct bao_str s;

    return take_value(rest, name, &s) && bao_time_parse(s, ret);
}

static bool read_batch(struct bao_str *rest, struct bao_batch *ret)
{
    struct bao_str head, signature;
    uint64_t seq;

    if (!take_line(rest, &head) || !bao_str_is(head, "baocao-batch 1") ||
        !take_value(rest, "province", &ret->province) || !take_number(rest, "batch", &seq) ||
        seq > INT64_MAX || !take_value(rest, "node", &ret->node) || !take_time(rest, "at", &ret->at) ||
        !take_number(rest, "leaves", &ret->n) || !take_hash(rest, "root", &ret->root) ||
        !take_hash(rest, "previous", &ret->previous) || !take_value(rest, "signature", &signature))
        return false;
    ret->seq = (int64_t)seq;
    return bao_unhex(signature, ret->signature, BAO_ED25519_SIG_LEN) && rest->n == 0;
}

int bao_receipt_read(struct bao_str file, struct bao_receipt_file *ret)
{
    struct bao_receipt_file got = {.leaf = {file.p, 0}};
    struct bao_str rest = file, line;

    if (!take_line(&rest, &line) || !bao_str_is(line, "baocao-receipt 1"))
        return BAO_RECEIPT_E_SYNTAX;
    do {
        got.leaf.n = (size_t)(rest.p - file.p);
        if (!take_line(&rest, &line))
            return BAO_RECEIPT_E_SYNTAX;
    } while (line.n != 0);
    if (!take_number(&rest, "leaf", &got.index))
        return BAO_RECEIPT_E_SYNTAX;
    for (;;) {
        struct bao_str value;

        if (!take_line(&rest, &line))
            return BAO_RECEIPT_E_SYNTAX;
        if (line.n == 0)
            break;
        if (got.n_path == BAO_MERKLE_PATH_MAX || !line_value(line, "path", &value) ||
            !bao_unhex(value, got.path[got.n_path].octets, BAO_SHA256_LEN))
            return BAO_RECEIPT_E_SYNTAX;
        got.n_path++;
    }
    if (!read_batch(&rest, &got.batch))
        return BAO_RECEIPT_E_SYNTAX;
    *ret = got;
    return 0;
}

int bao_receipt_verify(const struct bao_receipt_file *receipt, const uint8_t pub[BAO_ED25519_KEY_LEN])
{
    struct bao_hash leaf;
    int r;

    bao_merkle_leaf(receipt->leaf, &leaf);
    if (!bao_merkle_verify(&leaf, receipt->batch.n, receipt->index, receipt->path, receipt->n_path,
                           &receipt->batch.root))
        return BAO_RECEIPT_E_PATH;
    r = bao_batch_verify(&receipt->batch, pub);
    if (r < 0)
        return r;
    return r == 1 ? 0 : BAO_RECEIPT_E_SIGNATURE;
}

struct bao_str bao_receipt_field(struct bao_str leaf, const char *name)
{
    struct bao_str rest = leaf, line, value;

    while (take_line(&rest, &line))
        if (line_value(line, name, &value))
            return value;
    return BAO_STR_NULL;
}
