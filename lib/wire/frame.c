#include "lib/wire/frame.h"

#include "lib/base/digits.h"
#include "lib/base/utf8.h"

/* Heads. */

static bool is_verb_char(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '_'));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool bao_decimal_number(struct bao_str s, uint64_t max, uint64_t *ret)
{
    uint64_t x = 0;

    if (s.n == 0 || s.n > 19 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        x = x * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (x > max)
        return false;
    *ret = x;
    return true;
}

/* The next word of a line; words are parted by exactly one space. false at the end or at an empty word. */
static bool next_word(struct bao_str *line, struct bao_str *ret)
{
    const char *space;

    if (line->n == 0)
        return false;
    space = memchr(line->p, ' ', line->n);
    ret->p = line->p;
    ret->n = space == NULL ? line->n : (size_t)(space - line->p);
    if (ret->n == 0 || (space != NULL && ret->n + 1 == line->n))
        return false; /* two spaces, or one at the end */
    line->p += ret->n + (space != NULL);
    line->n -= ret->n + (space != NULL);
    return true;
}

/* Decodes a value in place; false when it holds what a value may not. */
static bool decode_value(char *p, size_t n, struct bao_str *ret)
{
    size_t out = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c < 0x21 || c > 0x7e)
            return false;
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(p[i + 1]) : -1, low = i + 2 < n ? hex_digit(p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (unsigned char)(high * 16 + low);
            i += 2;
            if (c < 0x20 || c == 0x7f)
                return false;
        }
        p[out++] = (char)c;
    }
    *ret = (struct bao_str){p, out};
    return out != 0 && bao_utf8_valid(*ret) == out;
}

static bool parse_key(struct bao_head *head, struct bao_str word)
{
    struct bao_head_key key = {.must = word.p[0] == '!'};
    const char *equals = memchr(word.p, '=', word.n);
    size_t value_at;

    if (equals == NULL || head->n_keys == BAO_HEAD_KEYS)
        return false;
    key.name = (struct bao_str){word.p + key.must, (size_t)(equals - word.p) - key.must};
    if (key.name.n == 0)
        return false;
    for (size_t i = 0; i < key.name.n; i++)
        if (!is_name_char(key.name.p[i], i == 0))
            return false;
    for (size_t i = 0; i < head->n_keys; i++)
        if (bao_str_eq(head->keys[i].name, key.name))
            return false; /* two values for one name: two readers could choose differently */
    value_at = (size_t)(equals + 1 - head->store);
    if (!decode_value(head->store + value_at, word.n - (size_t)(equals + 1 - word.p), &key.value))
        return false;
    head->keys[head->n_keys++] = key;
    return true;
}

enum bao_symbol bao_head_parse(struct bao_head *head, struct bao_str line)
{
    struct bao_str rest, word;
    uint64_t txn;

    head->n_keys = 0;
    if (line.n != 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0 || line.n > BAO_HEAD_MAX)
        return BAO_SYM_FRAME;
    memcpy(head->store, line.p, line.n);
    head->store[line.n] = '\0';
    rest = (struct bao_str){head->store, line.n};
    if (!next_word(&rest, &head->verb) || head->verb.n > BAO_VERB_MAX)
        return BAO_SYM_FRAME;
    for (size_t i = 0; i < head->verb.n; i++)
        if (!is_verb_char(head->verb.p[i]))
            return BAO_SYM_FRAME;
    if (!next_word(&rest, &word) || !bao_decimal_number(word, BAO_TXN_MAX, &txn))
        return BAO_SYM_FRAME;
    head->txn = (uint32_t)txn;
    if (!next_word(&rest, &word) || !bao_decimal_number(word, INT64_MAX, &head->len))
        return BAO_SYM_FRAME;
    while (rest.n != 0)
        if (!next_word(&rest, &word) || !parse_key(head, word))
            return BAO_SYM_FRAME;
    return BAO_SYM_NONE;
}

struct bao_str bao_head_get(const struct bao_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_keys; i++)
        if (bao_str_is(head->keys[i].name, name))
            return head->keys[i].value;
    return BAO_STR_NULL;
}

bool bao_head_number(const struct bao_head *head, const char *name, uint64_t max, uint64_t *ret)
{
    return bao_decimal_number(bao_head_get(head, name), max, ret);
}

int bao_head_put(struct bao_buf *out, const char *key, struct bao_str value)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = strlen(key), at = 0;
    char *p;

    if (value.n == 0)
        return 0;
    p = bao_buf_room(out, len + 2 + 3 * value.n);
    if (p == NULL)
        return -ENOBUFS;
    p[at++] = ' ';
    memcpy(p + at, key, len);
    at += len;
    p[at++] = '=';
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c > 0x20 && c < 0x7f && c != '%') {
            p[at++] = (char)c;
        } else {
            p[at++] = '%';
            p[at++] = hex[c >> 4];
            p[at++] = hex[c & 15];
        }
    }
    bao_buf_trim(out, at);
    return 0;
}

int bao_head_put_number(struct bao_buf *out, const char *key, uint64_t value)
{
    char digits[BAO_DIGITS_MAX];

    return bao_head_put(out, key,
                        (struct bao_str){digits, (size_t)(bao_digits_put(digits, value, 1) - digits)});
}

int bao_frame_put(struct bao_buf *out, const char *verb, uint32_t txn, struct bao_str keys,
                  struct bao_str body)
{
    char head[BAO_VERB_MAX + 2 * (BAO_DIGITS_MAX + 1)], *p = head;
    size_t n = strlen(verb), all;

    bao_require(n <= BAO_VERB_MAX);
    memcpy(p, verb, n);
    p += n;
    *p++ = ' ';
    p = bao_digits_put(p, txn, 1);
    *p++ = ' ';
    n = (size_t)(bao_digits_put(p, body.n, 1) - head);
    if (n + keys.n > BAO_HEAD_MAX)
        return -ENOBUFS;
    all = n + keys.n + 1 + body.n + 1;
    p = bao_buf_room(out, all);
    if (p == NULL)
        return -ENOBUFS;
    memcpy(p, head, n);
    p += n;
    if (keys.n != 0)
        memcpy(p, keys.p, keys.n);
    p += keys.n;
    *p++ = '\n';
    if (body.n != 0)
        memcpy(p, body.p, body.n);
    p[body.n] = '\n';
    bao_buf_trim(out, all);
    return 0;
}

/* The decoder. */

void bao_frame_decoder_init(struct bao_frame_decoder *d)
{
    *d = (struct bao_frame_decoder){.state = BAO_FRAME_IN_HEAD};
    bao_buf_init(&d->line, BAO_HEAD_MAX + 2); /* CR, and one octet to see that it is too long */
    bao_buf_init(&d->held, 0);
}

void bao_frame_decoder_deinit(struct bao_frame_decoder *d)
{
    bao_buf_deinit(&d->line);
    bao_buf_deinit(&d->held);
}

static void take(struct bao_str *in, size_t n)
{
    in->p += n;
    in->n -= n;
}

static int broken(struct bao_frame_decoder *d)
{
    d->state = BAO_FRAME_LOST;
    return BAO_FRAME_BROKEN;
}

/* Forgets the frame that was given by the call before. */
static void forget(struct bao_frame_decoder *d)
{
    d->dirty = false;
    d->body = BAO_STR_NULL;
    bao_buf_clear(&d->line);
    bao_buf_deinit(&d->held);
}

static int feed_head(struct bao_frame_decoder *d, struct bao_str *in)
{
    const char *lf = memchr(in->p, '\n', in->n);
    size_t n = lf == NULL ? in->n : (size_t)(lf - in->p);
    size_t room = d->line.max - bao_buf_len(&d->line);
    int r;

    if (n > room)
        return broken(d);
    r = bao_buf_append(&d->line, in->p, n);
    if (r < 0)
        return r;
    take(in, n + (lf != NULL));
    if (lf != NULL) {
        d->state = BAO_FRAME_DECIDE;
        return BAO_FRAME_HEAD;
    }
    return bao_buf_len(&d->line) == d->line.max ? broken(d) : BAO_FRAME_MORE;
}

static int complete(struct bao_frame_decoder *d, enum bao_frame_step step)
{
    d->state = BAO_FRAME_IN_HEAD;
    d->dirty = true;
    return step;
}

static int feed_body(struct bao_frame_decoder *d, struct bao_str *in)
{
    size_t n;
    int r;

    if (d->left == d->len && in->n > d->left) { /* the whole body and its LF: no copy */
        d->body = (struct bao_str){in->p, (size_t)d->len};
        take(in, (size_t)d->len);
        d->left = 0;
    } else if (d->left != 0) {
        n = d->left < in->n ? (size_t)d->left : in->n;
        r = bao_buf_append(&d->held, in->p, n);
        if (r < 0)
            return r;
        take(in, n);
        d->left -= n;
        d->body = bao_buf_str(&d->held);
    }
    if (d->left != 0 || in->n == 0)
        return BAO_FRAME_MORE;
    if (in->p[0] != '\n')
        return broken(d);
    take(in, 1);
    return complete(d, BAO_FRAME_BODY);
}

static int feed_drop(struct bao_frame_decoder *d, struct bao_str *in)
{
    size_t n = d->left < in->n ? (size_t)d->left : in->n;

    take(in, n);
    d->left -= n;
    if (d->left != 0 || in->n == 0)
        return BAO_FRAME_MORE;
    if (in->p[0] != '\n')
        return broken(d);
    take(in, 1);
    return complete(d, BAO_FRAME_DROPPED);
}

int bao_frame_feed(struct bao_frame_decoder *d, struct bao_str *in)
{
    if (d->dirty)
        forget(d);
    if (d->state == BAO_FRAME_LOST)
        return BAO_FRAME_BROKEN;
    bao_require(d->state != BAO_FRAME_DECIDE);
    if (in->n == 0)
        return BAO_FRAME_MORE;
    if (d->state == BAO_FRAME_IN_HEAD)
        return feed_head(d, in);
    return d->state == BAO_FRAME_IN_BODY ? feed_body(d, in) : feed_drop(d, in);
}

void bao_frame_keep(struct bao_frame_decoder *d, uint64_t len)
{
    bao_require(d->state == BAO_FRAME_DECIDE);
    d->state = BAO_FRAME_IN_BODY;
    d->len = d->left = len;
    bao_buf_init(&d->held, (size_t)len);
}

void bao_frame_drop(struct bao_frame_decoder *d, uint64_t len)
{
    bao_require(d->state == BAO_FRAME_DECIDE);
    d->state = BAO_FRAME_IN_DROP;
    d->len = d->left = len;
}

void bao_frame_trim(struct bao_frame_decoder *d)
{
    if (d->dirty)
        forget(d);
    if (bao_frame_idle(d))
        bao_buf_deinit(&d->line);
}

bool bao_frame_idle(const struct bao_frame_decoder *d)
{
    return d->state == BAO_FRAME_IN_HEAD && (d->dirty || bao_buf_len(&d->line) == 0);
}
