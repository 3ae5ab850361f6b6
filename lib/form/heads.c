#include "lib/form/heads.h"

static const char FIRST[] = "baocao-heads 1\nprovince ";

enum { HEX = 2 * BAO_SHA256_LEN, SEQ_DIGITS = 19 };

int bao_heads_print_start(struct bao_buf *out, struct bao_str province)
{
    return bao_buf_printf(out, "%s%.*s\n", FIRST, BAO_STR_ARG(province));
}

int bao_heads_print(struct bao_buf *out, const struct bao_chain_head *head)
{
    char hash[HEX + 1], at[40];

    bao_hex(head->hash.octets, sizeof(head->hash.octets), hash);
    bao_time_print(head->at, 0, at);
    /* …+00:00 is written Z: one way to write a moment. */
    return bao_buf_printf(out, "head %lld %.*sZ %s\n", (long long)head->seq, (int)(strlen(at) - 6), at, hash);
}

/* A line without its line feed; false at the end or when none follows. */
static bool take_line(struct bao_str *rest, struct bao_str *ret)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

    if (end == NULL)
        return false;
    *ret = (struct bao_str){rest->p, (size_t)(end - rest->p)};
    *rest = (struct bao_str){end + 1, rest->n - ret->n - 1};
    return true;
}

int bao_heads_start(struct bao_str *rest, struct bao_str *ret_province)
{
    size_t n = sizeof(FIRST) - 1;
    struct bao_str after = *rest, province;

    if (after.n < n || memcmp(after.p, FIRST, n) != 0)
        return BAO_HEADS_E_SYNTAX;
    after = (struct bao_str){after.p + n, after.n - n};
    if (!take_line(&after, &province) || province.n == 0)
        return BAO_HEADS_E_SYNTAX;
    *rest = after;
    *ret_province = province;
    return 0;
}

/* Up to a blank, which goes too. */
static bool take_word(struct bao_str *line, struct bao_str *ret)
{
    const char *end = line->n == 0 ? NULL : memchr(line->p, ' ', line->n);

    if (end == NULL)
        return false;
    *ret = (struct bao_str){line->p, (size_t)(end - line->p)};
    *line = (struct bao_str){end + 1, line->n - ret->n - 1};
    return true;
}

static bool read_seq(struct bao_str s, int64_t *ret)
{
    int64_t seq = 0;

    if (s.n == 0 || s.n >= SEQ_DIGITS || s.p[0] == '0')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        seq = 10 * seq + (s.p[i] - '0');
    }
    *ret = seq;
    return true;
}

int bao_heads_next(struct bao_str *rest, struct bao_chain_head *ret)
{
    struct bao_str after = *rest, line, word, seq, at;
    struct bao_chain_head head;

    if (after.n == 0)
        return BAO_HEADS_E_END;
    if (!take_line(&after, &line) || !take_word(&line, &word) || !bao_str_is(word, "head") ||
        !take_word(&line, &seq) || !read_seq(seq, &head.seq) || !take_word(&line, &at) ||
        !bao_time_parse(at, &head.at) || !bao_unhex(line, head.hash.octets, sizeof(head.hash.octets)))
        return BAO_HEADS_E_SYNTAX;
    *rest = after;
    *ret = head;
    return 0;
}

int bao_heads_check(struct bao_str list, const struct bao_batch *batch)
{
    struct bao_str province;
    struct bao_hash hash;
    struct bao_chain_head head;
    int r = bao_heads_start(&list, &province);

    if (r != 0)
        return r;
    if (!bao_str_eq(province, batch->province))
        return BAO_HEADS_E_PROVINCE;
    r = bao_batch_hash(batch, &hash);
    if (r < 0)
        return r;
    while ((r = bao_heads_next(&list, &head)) == 0)
        if (head.seq == batch->seq)
            return memcmp(&head.hash, &hash, sizeof(hash)) == 0 ? 0 : BAO_HEADS_E_DIFFERS;
    return r == BAO_HEADS_E_END ? BAO_HEADS_E_UNLISTED : r;
}
