#include "lib/doc/yaml.h"

static bool is_one_of(struct bao_str s, const char *const *words)
{
    for (; *words != NULL; words++)
        if (bao_str_is(s, *words))
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(struct bao_str s, size_t i)
{
    size_t from = i;

    while (i < s.n && is_digit(s.p[i]))
        i++;
    return i - from;
}

static enum bao_core based(struct bao_str s)
{
    for (size_t i = 2; i < s.n; i++) {
        char c = s.p[i], lower = (char)(c | 0x20);

        if (s.p[1] == 'o' ? c < '0' || c > '7' : !is_digit(c) && (lower < 'a' || lower > 'f'))
            return BAO_CORE_TEXT;
    }
    return BAO_CORE_BASED;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static enum bao_core number(struct bao_str s)
{
    static const char *const infinite[] = {".inf", ".Inf", ".INF", NULL};
    size_t i = s.p[0] == '-' || s.p[0] == '+', whole, fraction = 0;
    bool is_float = false;

    if (is_one_of((struct bao_str){s.p + i, s.n - i}, infinite))
        return BAO_CORE_NOT_FINITE;
    if (i == 0 && s.n > 2 && s.p[0] == '0' && (s.p[1] == 'o' || s.p[1] == 'x'))
        return based(s);
    whole = digits_at(s, i);
    i += whole;
    if (i < s.n && s.p[i] == '.') {
        is_float = true;
        fraction = digits_at(s, ++i);
        i += fraction;
    }
    if (whole + fraction == 0)
        return BAO_CORE_TEXT;
    if (i < s.n && (s.p[i] | 0x20) == 'e') {
        size_t digits;

        is_float = true;
        i++;
        if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
            i++;
        digits = digits_at(s, i);
        if (digits == 0)
            return BAO_CORE_TEXT;
        i += digits;
    }
    if (i != s.n)
        return BAO_CORE_TEXT;
    return is_float ? BAO_CORE_FLOAT : BAO_CORE_INT;
}

enum bao_core bao_core_of(struct bao_str s)
{
    static const char *const nulls[] = {"~", "null", "Null", "NULL", NULL},
                             *const trues[] = {"true", "True", "TRUE", NULL},
                             *const falses[] = {"false", "False", "FALSE", NULL},
                             *const nans[] = {".nan", ".NaN", ".NAN", NULL};

    if (s.n == 0)
        return BAO_CORE_NULL;
    switch (s.p[0]) {
    case '~':
    case 'n':
    case 'N':
        return is_one_of(s, nulls) ? BAO_CORE_NULL : BAO_CORE_TEXT;
    case 't':
    case 'T':
        return is_one_of(s, trues) ? BAO_CORE_TRUE : BAO_CORE_TEXT;
    case 'f':
    case 'F':
        return is_one_of(s, falses) ? BAO_CORE_FALSE : BAO_CORE_TEXT;
    case '.':
        return is_one_of(s, nans) ? BAO_CORE_NOT_FINITE : number(s);
    default:
        return s.p[0] == '-' || s.p[0] == '+' || is_digit(s.p[0]) ? number(s) : BAO_CORE_TEXT;
    }
}

static int digit_value(char c)
{
    return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Digits of base 8 or 16, as many at a time as a word holds. */
static int based_number(struct bao_arena *a, struct bao_str s, struct bao_num *ret)
{
    enum { AT_ONCE = 15, MOST_DIGITS = 1200 }; /* 8^1200 has more than 1,000 digits */
    int64_t base = s.p[1] == 'o' ? 8 : 16;
    struct bao_num sum = bao_num_int(0);
    size_t i = 2;

    while (i < s.n && s.p[i] == '0')
        i++;
    if (s.n - i > MOST_DIGITS)
        return BAO_DEC_E_RANGE;
    while (i < s.n) {
        int64_t part = 0, scale = 1;
        int r;

        for (int k = 0; k < AT_ONCE && i < s.n; k++, i++) {
            part = part * base + digit_value(s.p[i]);
            scale *= base;
        }
        r = bao_num_mul(a, sum, bao_num_int(scale), &sum);
        if (r == 0)
            r = bao_num_add(a, sum, bao_num_int(part), &sum);
        if (r != 0)
            return r;
    }
    *ret = sum;
    return 0;
}

static int read_number(struct bao_arena *a, struct bao_str s, enum bao_core core, struct bao_num *ret)
{
    const char *point;
    char *room;
    size_t n = 0;

    if (core == BAO_CORE_BASED)
        return based_number(a, s, ret);
    point = core == BAO_CORE_INT ? NULL : memchr(s.p, '.', s.n);
    if (point == NULL || (point > s.p && is_digit(point[-1]) && point + 1 < s.p + s.n && is_digit(point[1])))
        return bao_num_parse(a, s, ret);
    /* ".5" and "5." want a digit on the bare side. */
    room = bao_arena_alloc(a, s.n + 2);
    if (room == NULL)
        return -ENOMEM;
    for (const char *p = s.p; p < s.p + s.n; p++) {
        if (p == point && (p == s.p || !is_digit(p[-1])))
            room[n++] = '0';
        room[n++] = *p;
        if (p == point && (p + 1 == s.p + s.n || !is_digit(p[1])))
            room[n++] = '0';
    }
    return bao_num_parse(a, (struct bao_str){room, n}, ret);
}

int bao_core_set(struct bao_arena *a, struct bao_str s, enum bao_core core, struct bao_node *node)
{
    struct bao_num x;
    int r;

    if (core == BAO_CORE_NULL) {
        node->type = BAO_NULL;
        return 0;
    }
    if (core == BAO_CORE_TRUE || core == BAO_CORE_FALSE) {
        node->type = BAO_BOOL;
        node->boolean = core == BAO_CORE_TRUE;
        return 0;
    }
    r = read_number(a, s, core, &x);
    if (r != 0)
        return r;
    if (core != BAO_CORE_INT)
        node->style |= core == BAO_CORE_FLOAT ? BAO_STYLE_FLOAT : BAO_STYLE_CORE;
    bao_node_set_number(node, x);
    return 0;
}

bool bao_core_is_thousand(struct bao_str s)
{
    size_t i = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+'), whole;

    if (i == s.n || s.p[i] == '0')
        return false;
    whole = digits_at(s, i);
    return whole >= 1 && whole <= 3 && i + whole + 4 == s.n && s.p[i + whole] == '.' &&
           digits_at(s, s.n - 3) == 3;
}
