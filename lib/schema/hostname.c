#include "lib/schema/hostname.h"

#include "lib/base/utf8.h"

enum { MOST = 63 };

struct label {
    uint32_t c[MOST];
    uint32_t n;
};

static bool in(uint32_t c, uint32_t lo, uint32_t hi)
{
    return c >= lo && c <= hi;
}

/* ---- Punycode: RFC 3492 section 6.2 ---- */

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / 700 : delta / 2;
    delta += delta / points;
    for (; delta > 455; k += 36)
        delta /= 35;
    return k + 36 * delta / (delta + 38);
}

static int digit_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '0' && c <= '9' ? c - '0' + 26 : -1;
}

/* One number of variable length added to *i. */
static bool take_delta(const char **p, const char *end, uint32_t bias, uint32_t *i)
{
    uint64_t w = 1, sum = *i;

    for (uint32_t k = 36;; k += 36) {
        uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        int digit = *p == end ? -1 : digit_of(*(*p)++);

        if (digit < 0)
            return false;
        sum += (uint64_t)digit * w;
        if (sum > 0x7fffffff)
            return false;
        if ((uint32_t)digit < t)
            break;
        w *= 36 - t;
        if (w > 0x7fffffff)
            return false;
    }
    *i = (uint32_t)sum;
    return true;
}

static bool decode(struct bao_str s, struct label *out)
{
    const char *p = s.p, *end = s.p + s.n;
    uint32_t n = 128, i = 0, bias = 72;

    out->n = 0;
    for (size_t k = s.n; k > 0; k--)
        if (s.p[k - 1] == '-') {
            for (size_t j = 0; j + 1 < k; j++)
                out->c[out->n++] = (uint8_t)s.p[j];
            p = s.p + k;
            break;
        }
    if (p == end)
        return false;
    while (p < end) {
        uint32_t old = i;

        if (!take_delta(&p, end, bias, &i) || out->n == MOST)
            return false;
        bias = adapt(i - old, out->n + 1, old == 0);
        n += i / (out->n + 1);
        i %= out->n + 1;
        if (n > 0x10ffff)
            return false;
        memmove(&out->c[i + 1], &out->c[i], (out->n - i) * sizeof(out->c[0]));
        out->c[i++] = n;
        out->n++;
    }
    return true;
}

/* ---- RFC 5892: what may stand in a label ---- */

static bool is_greek(uint32_t c)
{
    return in(c, 0x370, 0x3ff) || in(c, 0x1f00, 0x1fff);
}

static bool is_hebrew(uint32_t c)
{
    return in(c, 0x591, 0x5f4) || in(c, 0xfb1d, 0xfb4f);
}

static bool is_kana_or_han(uint32_t c)
{
    return in(c, 0x3041, 0x309f) || (in(c, 0x30a1, 0x30ff) && c != 0x30fb) || in(c, 0x31f0, 0x31ff) ||
           in(c, 0x3400, 0x4dbf) || in(c, 0x4e00, 0x9fff) || in(c, 0xf900, 0xfaff) ||
           in(c, 0x20000, 0x3ffff) || c == 0x3005 || c == 0x3007;
}

/* Letters that join to the next one, roughly: Arabic, Syriac, N'Ko, Mongolian. */
static bool is_joining(uint32_t c)
{
    return in(c, 0x620, 0x64a) || in(c, 0x66e, 0x6d3) || in(c, 0x6fa, 0x6ff) || in(c, 0x710, 0x77f) ||
           in(c, 0x7ca, 0x7ea) || in(c, 0x8a0, 0x8c7) || in(c, 0x1820, 0x18aa);
}

static bool is_virama(uint32_t c)
{
    static const uint32_t viramas[] = {
        0x94d,  0x9cd,  0xa4d,  0xacd,  0xb4d,  0xbcd,  0xc4d,  0xccd,  0xd3b,  0xd3c,   0xd4d,   0xdca,
        0xe3a,  0xeba,  0xf84,  0x1039, 0x103a, 0x1714, 0x1734, 0x17d2, 0x1a60, 0x1b44,  0x1baa,  0x1bab,
        0x1bf2, 0x1bf3, 0x2d7f, 0xa806, 0xa8c4, 0xa953, 0xa9c0, 0xaaf6, 0xabed, 0x10a3f, 0x11046, 0x1107f};

    for (size_t i = 0; i < BAO_COUNT(viramas); i++)
        if (viramas[i] == c)
            return true;
    return false;
}

static bool has_any(const struct label *l, bool (*is)(uint32_t))
{
    for (uint32_t i = 0; i < l->n; i++)
        if (is(l->c[i]))
            return true;
    return false;
}

static bool is_arabic_digit(uint32_t c)
{
    return in(c, 0x660, 0x669);
}

static bool is_extended_digit(uint32_t c)
{
    return in(c, 0x6f0, 0x6f9);
}

/* Appendix A: characters that are good only in some company. */
static bool context_fits(const struct label *l, uint32_t i)
{
    uint32_t before = i == 0 ? 0 : l->c[i - 1], after = i + 1 < l->n ? l->c[i + 1] : 0;

    switch (l->c[i]) {
    case 0x200c:
        return is_virama(before) || (is_joining(before) && is_joining(after));
    case 0x200d:
        return is_virama(before);
    case 0xb7:
        return before == 'l' && after == 'l';
    case 0x375:
        return is_greek(after);
    case 0x5f3:
    case 0x5f4:
        return is_hebrew(before);
    case 0x30fb:
        return has_any(l, is_kana_or_han);
    default:
        return true;
    }
}

/* Section 2.6, and letters that case folding would change. */
static bool is_disallowed(uint32_t c)
{
    return c == 0x640 || c == 0x7fa || c == 0x302e || c == 0x302f || in(c, 0x3031, 0x3035) || c == 0x303b ||
           in(c, 0x80, 0xa0) || (in(c, 0xc0, 0xde) && c != 0xd7) || in(c, 0x2000, 0x200b) ||
           in(c, 0x200e, 0x206f) || in(c, 0xd800, 0xf8ff) || in(c, 0xff00, 0xffef);
}

static bool is_unicode_label(const struct label *l)
{
    if (l->n == 0 || bao_utf8_is_mark(l->c[0]) || l->c[0] == '-' || l->c[l->n - 1] == '-')
        return false;
    if (l->n >= 4 && l->c[2] == '-' && l->c[3] == '-')
        return false;
    if (has_any(l, is_arabic_digit) && has_any(l, is_extended_digit))
        return false;
    for (uint32_t i = 0; i < l->n; i++)
        if (is_disallowed(l->c[i]) || !context_fits(l, i))
            return false;
    return true;
}

/* ---- labels ---- */

enum { PLAIN = 1, HYPHEN = 2 };

/* What may stand in a label. */
static const uint8_t classes[256] = {
    ['-'] = HYPHEN, ['0'] = PLAIN, ['1'] = PLAIN, ['2'] = PLAIN, ['3'] = PLAIN, ['4'] = PLAIN, ['5'] = PLAIN,
    ['6'] = PLAIN,  ['7'] = PLAIN, ['8'] = PLAIN, ['9'] = PLAIN, ['a'] = PLAIN, ['b'] = PLAIN, ['c'] = PLAIN,
    ['d'] = PLAIN,  ['e'] = PLAIN, ['f'] = PLAIN, ['g'] = PLAIN, ['h'] = PLAIN, ['i'] = PLAIN, ['j'] = PLAIN,
    ['k'] = PLAIN,  ['l'] = PLAIN, ['m'] = PLAIN, ['n'] = PLAIN, ['o'] = PLAIN, ['p'] = PLAIN, ['q'] = PLAIN,
    ['r'] = PLAIN,  ['s'] = PLAIN, ['t'] = PLAIN, ['u'] = PLAIN, ['v'] = PLAIN, ['w'] = PLAIN, ['x'] = PLAIN,
    ['y'] = PLAIN,  ['z'] = PLAIN, ['A'] = PLAIN, ['B'] = PLAIN, ['C'] = PLAIN, ['D'] = PLAIN, ['E'] = PLAIN,
    ['F'] = PLAIN,  ['G'] = PLAIN, ['H'] = PLAIN, ['I'] = PLAIN, ['J'] = PLAIN, ['K'] = PLAIN, ['L'] = PLAIN,
    ['M'] = PLAIN,  ['N'] = PLAIN, ['O'] = PLAIN, ['P'] = PLAIN, ['Q'] = PLAIN, ['R'] = PLAIN, ['S'] = PLAIN,
    ['T'] = PLAIN,  ['U'] = PLAIN, ['V'] = PLAIN, ['W'] = PLAIN, ['X'] = PLAIN, ['Y'] = PLAIN, ['Z'] = PLAIN,
};

/* A label of plain characters and hyphens. */
static bool is_label(struct bao_str s)
{
    struct label l;

    if (s.n == 0 || s.n > MOST || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    if (s.n < 4 || s.p[2] != '-' || s.p[3] != '-')
        return true;
    if ((s.p[0] | 32) != 'x' || (s.p[1] | 32) != 'n')
        return true;
    return decode((struct bao_str){s.p + 4, s.n - 4}, &l) && is_unicode_label(&l);
}

bool bao_hostname_is(struct bao_str name)
{
    const char *p = name.p, *end = p + name.n;

    if (name.n == 0 || name.n > 253)
        return false;
    for (;; p++) {
        const char *start = p;

        while (p < end && classes[(uint8_t)*p] != 0)
            p++;
        if (!is_label((struct bao_str){start, (size_t)(p - start)}))
            return false;
        if (p == end)
            return true;
        if (*p != '.')
            return false;
    }
}
