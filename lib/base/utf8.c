#include "lib/base/utf8.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/octets.h"

#include <utf8proc.h>

static bool continues(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Octets of the valid sequence at p, or 0. Ranges of the second octet from RFC 3629 section 4. */
static size_t sequence(const uint8_t *p, const uint8_t *end)
{
    size_t left = (size_t)(end - p);

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xe0)
        return p[0] >= 0xc2 && left >= 2 && continues(p[1]) ? 2 : 0;
    if (p[0] < 0xf0) {
        if (left < 3 || !continues(p[1]) || !continues(p[2]))
            return 0;
        return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
    }
    if (p[0] > 0xf4 || left < 4 || !continues(p[1]) || !continues(p[2]) || !continues(p[3]))
        return 0;
    return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

size_t bao_utf8_valid(struct bao_str s)
{
    const uint8_t *start = (const uint8_t *)s.p, *p = start, *end;

    if (s.n == 0)
        return 0;
    end = start + s.n;
    while (p != end) {
        size_t n;

        if (end - p >= 8) {
            uint64_t beyond_ascii = bao_octets_at((const char *)p) & BAO_EACH_OCTET(0x80);

            p += beyond_ascii == 0 ? 8 : bao_octets_first(beyond_ascii);
            if (beyond_ascii == 0)
                continue;
        }
        do {
            n = sequence(p, end);
            p += n;
        } while (n != 0 && p != end && *p >= 0x80);
        if (n == 0)
            break;
    }
    return (size_t)(p - start);
}

size_t bao_utf8_count(struct bao_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}

size_t bao_utf8_get(const char *p, const char *end, uint32_t *ret)
{
    const uint8_t *u = (const uint8_t *)p;
    size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));

    bao_require((size_t)(end - p) >= n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (u[i] & 0x3f);
    *ret = c;
    return n;
}

size_t bao_utf8_odd_space(const char *p, const char *end)
{
    uint32_t c = 0;
    size_t n;

    if (p >= end || (uint8_t)*p < 0x80)
        return 0;
    n = bao_utf8_get(p, end, &c);
    return c == 0xa0 || (c >= 0x2000 && c <= 0x200b) || c == 0x202f || c == 0x3000 || c == 0xfeff ? n : 0;
}

size_t bao_utf8_put(uint32_t c, char out[4])
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i != 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n == 1 ? 0 : n] | c);
    return n;
}

size_t bao_utf8_width(struct bao_str s)
{
    const char *p = s.p, *end;
    size_t width = 0;

    if (s.n == 0)
        return 0;
    end = p + s.n;
    while (p < end) {
        uint32_t c;

        p += bao_utf8_get(p, end, &c);
        width += (size_t)utf8proc_charwidth((utf8proc_int32_t)c);
    }
    return width;
}

/* Blocks in which no character combines or changes under NFC: nearly all Vietnamese text. */
static bool plainly_nfc(uint32_t c)
{
    return c < 0x300 || (c >= 0x1ea0 && c <= 0x1ef9) || (c >= 0x2010 && c <= 0x2027);
}

static bool is_plainly_nfc(struct bao_str s)
{
    const char *p = s.p, *end;

    if (s.n == 0)
        return true;
    end = p + s.n;
    while (p < end) {
        uint32_t c;

        if (end - p >= 8) {
            uint64_t beyond_ascii = bao_octets_at(p) & BAO_EACH_OCTET(0x80);

            p += beyond_ascii == 0 ? 8 : bao_octets_first(beyond_ascii);
            if (beyond_ascii == 0)
                continue;
        }
        p += bao_utf8_get(p, end, &c);
        if (!plainly_nfc(c))
            return false;
    }
    return true;
}

/* The code points of s after decomposition with the options, in the arena: 0, -ENOMEM or -EINVAL. */
static int decompose(struct bao_arena *a, struct bao_str s, utf8proc_option_t options, int32_t **ret,
                     size_t *ret_n)
{
    /* No character gives more than 18 (U+FDFA), and it takes three octets; two rounds at most. */
    size_t room = s.n + 16;
    utf8proc_ssize_t n;
    int32_t *points;

    for (;;) {
        points = bao_arena_array(a, room, sizeof(*points));
        if (points == NULL)
            return -ENOMEM;
        n = utf8proc_decompose((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, points,
                               (utf8proc_ssize_t)room, options);
        if (n < 0)
            return -EINVAL;
        if ((size_t)n <= room)
            break;
        room = (size_t)n;
    }
    *ret = points;
    *ret_n = (size_t)n;
    return 0;
}

struct bao_str bao_utf8_nfc(struct bao_arena *a, struct bao_str s)
{
    int32_t *points = NULL;
    utf8proc_ssize_t n;
    size_t count = 0, at = 0;
    char *out;

    if (is_plainly_nfc(s))
        return s.p == NULL ? BAO_STR("") : s;
    if (decompose(a, s, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &points, &count) < 0)
        return BAO_STR_NULL;
    n = utf8proc_normalize_utf32(points, (utf8proc_ssize_t)count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (n < 0)
        return BAO_STR_NULL;
    out = bao_arena_alloc(a, (size_t)n * 4 + 1);
    if (out == NULL)
        return BAO_STR_NULL;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        at += bao_utf8_put((uint32_t)points[i], out + at);
    out[at] = '\0';
    return at == s.n && memcmp(out, s.p, at) == 0 ? s : (struct bao_str){out, at};
}

bool bao_utf8_is_nfc(struct bao_str s)
{
    struct bao_arena a BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_str nfc;

    if (is_plainly_nfc(s))
        return true;
    nfc = bao_utf8_nfc(&a, s);
    return nfc.p == NULL || nfc.p == s.p;
}

static bool joins_words(int32_t c)
{
    return c == '_' || c == '-' || c == ' ' || c == '\t' || c == 0xa0;
}

struct bao_str bao_utf8_fold(struct bao_arena *a, struct bao_str s)
{
    enum { D_STROKE = 0x111 };
    int32_t *points = NULL;
    size_t n = 0, at = 0;
    char *out;

    s.n = bao_utf8_valid(s);
    if (s.n != 0 &&
        decompose(a, s, UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_STABLE,
                  &points, &n) < 0)
        return BAO_STR_NULL;
    out = bao_arena_alloc(a, n * 4 + 1);
    if (out == NULL)
        return BAO_STR_NULL;
    for (size_t i = 0; i < n; i++) {
        if (points[i] == D_STROKE)
            out[at++] = 'd';
        else if (!joins_words(points[i]))
            at += bao_utf8_put((uint32_t)points[i], out + at);
        else if (at == 0 || out[at - 1] != '_')
            out[at++] = '_';
    }
    out[at] = '\0';
    return (struct bao_str){out, at};
}

enum { DISTANCE_MAX = 128 };

/* Code points of a text; DISTANCE_MAX + 1 when it is longer. */
static size_t read_points(struct bao_str s, uint32_t out[DISTANCE_MAX])
{
    const char *p = s.p, *end;
    size_t n = 0;

    if (s.n == 0)
        return 0;
    end = p + s.n;
    while (p < end) {
        if (n == DISTANCE_MAX)
            return n + 1;
        p += bao_utf8_get(p, end, &out[n++]);
    }
    return n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t bao_utf8_distance(struct bao_str a, struct bao_str b, size_t limit)
{
    uint32_t x[DISTANCE_MAX], y[DISTANCE_MAX];
    size_t rows[3][DISTANCE_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    size_t n, m;

    if (bao_str_eq(a, b))
        return 0;
    n = read_points(a, x);
    m = read_points(b, y);
    if (n > DISTANCE_MAX || m > DISTANCE_MAX || (n > m ? n - m : m - n) > limit)
        return limit + 1;
    for (size_t k = 0; k <= m; k++)
        above[k] = k;
    for (size_t i = 1; i <= n; i++) {
        size_t *oldest = before, best = i;

        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            row[k] = least(least(above[k], row[k - 1]) + 1, above[k - 1] + (x[i - 1] != y[k - 1]));
            if (i > 1 && k > 1 && x[i - 1] == y[k - 2] && x[i - 2] == y[k - 1])
                row[k] = least(row[k], before[k - 2] + 1);
            best = least(best, row[k]);
        }
        /* A swap reaches two rows back, so that one bad row alone decides nothing; two do. */
        if (best > limit + 1)
            return limit + 1;
        before = above;
        above = row;
        row = oldest;
    }
    return least(above[m], limit + 1);
}

/* Characters that would move, hide or break what stands around them on a screen. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

int bao_utf8_escape(struct bao_buf *out, struct bao_str s, size_t max)
{
    const uint8_t *p = (const uint8_t *)s.p, *end;
    const uint8_t *run = p; /* what is shown as it stands, not appended yet */
    size_t shown = 0;
    int r;

    if (s.n == 0)
        return 0;
    end = p + s.n;
    for (; p < end && shown < max; shown++) {
        size_t n = sequence(p, end);
        uint32_t c = 0;

        if (n != 0) {
            (void)bao_utf8_get((const char *)p, (const char *)end, &c);
            if (!is_unsafe(c)) {
                p += n;
                continue;
            }
        }
        r = bao_buf_append(out, run, (size_t)(p - run));
        if (r == 0)
            r = n == 0 ? bao_buf_printf(out, "\\x{%02x}", *p) : bao_buf_printf(out, "\\u{%x}", c);
        if (r < 0)
            return r;
        p += n == 0 ? 1 : n;
        run = p;
    }
    r = bao_buf_append(out, run, (size_t)(p - run));
    return r < 0 || p == end ? r : bao_buf_append_c(out, "…");
}

bool bao_utf8_is_mark(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);

    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}
