#include "lib/doc/yaml.h"
#include "lib/base/utf8.h"

/* Why it is done this way: in double quotes "\ud83d\ude00" is one character for JSON's heirs and an error for
 * libyaml, but whether a backslash stands in double quotes only libyaml knows. So the halves are hidden by a
 * text of the same length that libyaml takes anywhere, and put back afterwards where the scalar came from. */
enum { ESCAPE_LEN = 6 };

static const char hiding[] = "\\ufffd";
static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number of n hexadecimal digits at p, or -1. */
static int64_t hex_number(const char *p, const char *end, int n)
{
    int64_t value = 0;

    for (int i = 0; i < n; i++) {
        int digit = p + i < end ? hex_digit(p[i]) : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The half that \uXXXX at p is, or 0. */
static uint32_t half_at(const char *p, const char *end)
{
    int64_t c = end - p >= ESCAPE_LEN && p[0] == '\\' && p[1] == 'u' ? hex_number(p + 2, end, 4) : -1;

    return c >= 0xd800 && c < 0xe000 ? (uint32_t)c : 0;
}

int bao_halves_hide(struct bao_loading *l, struct bao_str *ret)
{
    const char *p = l->text.p, *end = p + l->text.n;
    char *copy = NULL;

    for (; (p = memchr(p, '\\', (size_t)(end - p))) != NULL; p++) {
        if (half_at(p, end) == 0) {
            p += p + 1 < end && p[1] == '\\'; /* a backslash behind a backslash begins nothing */
            continue;
        }
        if (copy == NULL) {
            copy = bao_arena_dup(l->arena, l->text.p, l->text.n);
            if (copy == NULL)
                return -ENOMEM;
        }
        memcpy(copy + (p - l->text.p), hiding, ESCAPE_LEN);
        p += ESCAPE_LEN - 1;
    }
    *ret = copy == NULL ? l->text : (struct bao_str){copy, l->text.n};
    return 0;
}

/* Text that is no escape to YAML: each hidden place gets its octets back. */
static char *restore(const struct bao_loading *l, struct bao_str hidden, struct bao_place at,
                     struct bao_str value, char *out)
{
    const char *in = value.p, *in_end = in + value.n, *found;
    const char *from = hidden.p + at.offset, *end = from + at.length, *place;

    while ((found = memmem(in, (size_t)(in_end - in), hiding, ESCAPE_LEN)) != NULL &&
           (place = memmem(from, (size_t)(end - from), hiding, ESCAPE_LEN)) != NULL) {
        memcpy(out, in, (size_t)(found - in));
        out += found - in;
        memcpy(out, l->text.p + (place - hidden.p), ESCAPE_LEN);
        out += ESCAPE_LEN;
        in = found + ESCAPE_LEN;
        from = place + ESCAPE_LEN;
    }
    memcpy(out, in, (size_t)(in_end - in));
    return out + (in_end - in);
}

/* Walks the source of a scalar in double quotes to the next thing that gives U+FFFD. *ret_half is the half
 * hidden there, or 0 when the source says U+FFFD itself. */
static bool next_sign(const char **p, const char *end, uint32_t *ret_half)
{
    for (; *p < end; ++*p) {
        size_t len = 0;

        *ret_half = half_at(*p, end);
        if (*ret_half != 0)
            len = ESCAPE_LEN;
        else if (end - *p >= 3 && memcmp(*p, replacement, 3) == 0)
            len = 3;
        else if (**p == '\\' && end - *p >= 2) {
            size_t digits = (*p)[1] == 'u' ? 4 : (*p)[1] == 'U' ? 8 : 0;

            if (digits != 0 && hex_number(*p + 2, end, (int)digits) == 0xfffd)
                len = 2 + digits;
            else
                ++*p; /* what stands behind a backslash begins nothing */
        }
        if (len != 0) {
            *p += len;
            return true;
        }
    }
    return false;
}

/* A scalar in double quotes: U+FFFD where halves were hidden becomes what two of them mean. */
static int join(struct bao_loading *l, struct bao_place at, struct bao_str value, char **out)
{
    const char *source = l->text.p + at.offset, *end = source + at.length;
    const char *in = value.p, *in_end = in + value.n, *found;
    uint32_t half, low;

    while ((found = memmem(in, (size_t)(in_end - in), replacement, 3)) != NULL &&
           next_sign(&source, end, &half)) {
        memcpy(*out, in, (size_t)(found - in));
        *out += found - in;
        in = found + 3;
        if (half == 0) {
            memcpy(*out, replacement, 3);
            *out += 3;
            continue;
        }
        low = half < 0xdc00 ? half_at(source, end) : 0;
        if (low < 0xdc00)
            return bao_loading_refuse(l, BAO_BC_SURROGATE, (size_t)(source - l->text.p) - ESCAPE_LEN,
                                      ESCAPE_LEN);
        source += ESCAPE_LEN;
        in += 3; /* the sign of the other half follows at once */
        *out += bao_utf8_put(0x10000 + ((half - 0xd800) << 10) + (low - 0xdc00), *out);
    }
    memcpy(*out, in, (size_t)(in_end - in));
    *out += in_end - in;
    return 0;
}

int bao_halves_join(struct bao_loading *l, struct bao_str hidden, struct bao_place at, bool escapes,
                    struct bao_str *value)
{
    char *copy = bao_arena_alloc(l->arena, value->n + 1), *out = copy;
    int r = 0;

    if (copy == NULL)
        return -ENOMEM;
    if (escapes)
        r = join(l, at, *value, &out);
    else
        out = restore(l, hidden, at, *value, out);
    if (r != 0)
        return r;
    *out = '\0';
    *value = (struct bao_str){copy, (size_t)(out - copy)};
    return 0;
}
