#include "lib/expr/ast.h"

#include "lib/base/utf8.h"

struct bao_place bao_lexer_place(const struct lexer *l, size_t at, size_t end)
{
    struct bao_place p = l->start;
    size_t line = 0; /* where the last line begins */

    for (size_t i = 0; i < at; i++)
        if (l->text.p[i] == '\n') {
            p.line++;
            p.column = 1;
            line = i + 1;
        }
    for (size_t i = line; i < at; i++)
        if (((unsigned char)l->text.p[i] & 0xc0) != 0x80)
            p.column++;
    p.offset += (uint32_t)at;
    p.length = (uint32_t)(end - at);
    return p;
}

struct bao_finding *bao_lexer_complain(struct lexer *l, unsigned code, size_t at, size_t end)
{
    return bao_findings_add(l->findings, code, BAO_ERROR, bao_lexer_place(l, at, end));
}

static int bad(struct lexer *l, unsigned code, size_t at, size_t end)
{
    bao_lexer_complain(l, code, at, end);
    return BAO_EXPR_E_BAD;
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static char peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : '\0';
}

static void skip_space(struct lexer *l)
{
    for (;;) {
        char c = peek(l, 0);

        if (l->at < l->text.n && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f')) {
            l->at++;
        } else if (c == '/' && peek(l, 1) == '/') {
            while (l->at < l->text.n && l->text.p[l->at] != '\n')
                l->at++;
        } else {
            return;
        }
    }
}

static void skip_digits(struct lexer *l)
{
    while (is_digit(peek(l, 0)))
        l->at++;
}

static int hex_number(struct lexer *l, struct token *t)
{
    uint64_t x = 0;
    size_t digits = 0;

    for (l->at += 2; hex_value(peek(l, 0)) >= 0; l->at++, digits++)
        x = x << 4 | (unsigned)hex_value(peek(l, 0));
    if (digits == 0 || digits > 16 || x > INT64_MAX)
        return bad(l, BAO_BC_EXPR_NUMBER, t->at, l->at);
    t->num = bao_num_int((int64_t)x);
    return 0;
}

static int decimal_number(struct lexer *l, struct token *t)
{
    int r;

    skip_digits(l);
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        t->is_double = true;
        l->at++;
        skip_digits(l);
    }
    if (peek(l, 0) == 'e' || peek(l, 0) == 'E') {
        size_t sign = peek(l, 1) == '+' || peek(l, 1) == '-' ? 2 : 1;

        if (is_digit(peek(l, sign))) {
            t->is_double = true;
            l->at += sign;
            skip_digits(l);
        }
    }
    r = bao_num_parse(l->arena, (struct bao_str){l->text.p + t->at, l->at - t->at}, &t->num);
    return r > 0 ? bad(l, BAO_BC_EXPR_NUMBER, t->at, l->at) : r;
}

/* CEL writes .5 too, which the reader of numbers does not know. */
static int point_number(struct lexer *l, struct token *t)
{
    struct bao_str text;
    int r;

    l->at++;
    skip_digits(l);
    text = bao_arena_printf(l->arena, "0%.*s", (int)(l->at - t->at), l->text.p + t->at);
    if (text.p == NULL)
        return -ENOMEM;
    t->is_double = true;
    r = bao_num_parse(l->arena, text, &t->num);
    return r > 0 ? bad(l, BAO_BC_EXPR_NUMBER, t->at, l->at) : r;
}

static int number(struct lexer *l, struct token *t)
{
    int r;

    t->kind = TOKEN_NUMBER;
    if (peek(l, 0) == '.')
        r = point_number(l, t);
    else if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X'))
        r = hex_number(l, t);
    else
        r = decimal_number(l, t);
    if (r != 0)
        return r;
    if (!t->is_double && (peek(l, 0) == 'u' || peek(l, 0) == 'U'))
        l->at++;
    if (is_name_start(peek(l, 0)))
        return bad(l, BAO_BC_EXPR_NUMBER, t->at, l->at + 1);
    t->end = (uint32_t)l->at;
    t->text = (struct bao_str){l->text.p + t->at, l->at - t->at};
    return 0;
}

/* \xhh, \uhhhh, \Uhhhhhhhh and \ooo, the letter or first digit at `from`: a code point and where it ends. */
static int numbered_escape(struct lexer *l, size_t from, size_t digits, unsigned base, char *out,
                           size_t *ret_n)
{
    uint32_t c = 0;

    for (size_t i = 0; i < digits; i++) {
        int v = from + i < l->text.n ? hex_value(l->text.p[from + i]) : -1;

        if (v < 0 || (unsigned)v >= base)
            return bad(l, BAO_BC_EXPR_ESCAPE, l->at, from + i);
        c = c * base + (unsigned)v;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || (base == 8 && c > 0xff))
        return bad(l, BAO_BC_EXPR_ESCAPE, l->at, from + digits);
    l->at = from + digits;
    *ret_n = bao_utf8_put(c, out);
    return 0;
}

/* One escape at the reverse solidus. */
static int escape(struct lexer *l, char *out, size_t *ret_n)
{
    static const char letters[] = "abfnrtv\\?\"'`";
    static const char values[] = "\a\b\f\n\r\t\v\\?\"'`";
    char c = peek(l, 1);
    const char *known = c == '\0' ? NULL : strchr(letters, c);

    if (known != NULL) {
        out[0] = values[known - letters];
        *ret_n = 1;
        l->at += 2;
        return 0;
    }
    if (c == 'x' || c == 'X')
        return numbered_escape(l, l->at + 2, 2, 16, out, ret_n);
    if (c == 'u')
        return numbered_escape(l, l->at + 2, 4, 16, out, ret_n);
    if (c == 'U')
        return numbered_escape(l, l->at + 2, 8, 16, out, ret_n);
    if (c >= '0' && c <= '3')
        return numbered_escape(l, l->at + 1, 3, 8, out, ret_n);
    return bad(l, BAO_BC_EXPR_ESCAPE, l->at, l->at + 2 < l->text.n ? l->at + 2 : l->text.n);
}

/* A text literal from its first quotation mark on. */
static int string(struct lexer *l, bool raw, struct token *t)
{
    char quote = peek(l, 0);
    bool triple = peek(l, 1) == quote && peek(l, 2) == quote;
    char *out = bao_arena_alloc(l->arena, l->text.n - l->at + 4);
    size_t n = 0, got;
    int r;

    if (out == NULL)
        return -ENOMEM;
    l->at += triple ? 3 : 1;
    for (;;) {
        char c = peek(l, 0);

        if (l->at >= l->text.n || (!triple && c == '\n'))
            return bad(l, BAO_BC_EXPR_STRING, t->at, l->at);
        if (c == quote && (!triple || (peek(l, 1) == quote && peek(l, 2) == quote)))
            break;
        if (c == '\\' && !raw) {
            if ((r = escape(l, out + n, &got)) != 0)
                return r;
            n += got;
            continue;
        }
        out[n++] = c;
        l->at++;
    }
    l->at += triple ? 3 : 1;
    out[n] = '\0';
    t->kind = TOKEN_STRING;
    t->text = (struct bao_str){out, n};
    t->end = (uint32_t)l->at;
    return 0;
}

/* r"…" is raw; b"…" is bytes, which reports do not have. Gives the letters before the quotation mark, 0 when
 * this is no text literal. */
static size_t string_prefix(const struct lexer *l, bool *ret_raw, bool *ret_bytes)
{
    size_t n = 0;

    *ret_raw = *ret_bytes = false;
    for (; n < 2; n++) {
        char c = peek(l, n);

        if ((c == 'r' || c == 'R') && !*ret_raw)
            *ret_raw = true;
        else if ((c == 'b' || c == 'B') && !*ret_bytes)
            *ret_bytes = true;
        else
            break;
    }
    return peek(l, n) == '"' || peek(l, n) == '\'' ? n : SIZE_MAX;
}

static int quoted_name(struct lexer *l, struct token *t)
{
    const char *end = memchr(l->text.p + l->at + 1, '`', l->text.n - l->at - 1);

    if (end == NULL || end == l->text.p + l->at + 1)
        return bad(l, BAO_BC_EXPR_STRING, t->at, l->text.n);
    t->kind = TOKEN_QUOTED_NAME;
    t->text = (struct bao_str){l->text.p + l->at + 1, (size_t)(end - l->text.p) - l->at - 1};
    l->at = (size_t)(end - l->text.p) + 1;
    t->end = (uint32_t)l->at;
    return 0;
}

/* What people type instead of the operator: Word's signs, other languages' words. */
static const struct {
    const char *typed, *meant;
} near_misses[] = {
    {"=", "=="}, {"<>", "!="}, {"≠", "!="}, {"≤", "<="}, {"≥", ">="}, {"×", "*"},
    {"÷", "/"},  {"−", "-"},   {"–", "-"},  {"“", "\""}, {"”", "\""}, {"‘", "'"},
    {"’", "'"},  {"&", "&&"},  {"|", "||"}, {"∈", "in"}, {"¬", "!"},
};

static bool starts_with(const struct lexer *l, const char *sign)
{
    size_t n = strlen(sign);

    return l->text.n - l->at >= n && memcmp(l->text.p + l->at, sign, n) == 0;
}

static int sign(struct lexer *l, struct token *t)
{
    static const char *const signs[] = {
        "&&", "||", "==", "!=", "<=", ">=", "?", ":", "<", ">", "+", "-",
        "*",  "/",  "%",  "!",  "(",  ")",  "[", "]", "{", "}", ",", ".",
    };
    struct bao_finding *f;
    uint32_t c;

    if (!starts_with(l, "<>"))
        for (size_t i = 0; i < BAO_COUNT(signs); i++)
            if (starts_with(l, signs[i])) {
                t->kind = TOKEN_SIGN;
                t->text = bao_str_c(signs[i]);
                l->at += t->text.n;
                t->end = (uint32_t)l->at;
                return 0;
            }
    for (size_t i = 0; i < BAO_COUNT(near_misses); i++)
        if (starts_with(l, near_misses[i].typed)) {
            f = bao_lexer_complain(l, BAO_BC_EXPR_MISSPELT, l->at, l->at + strlen(near_misses[i].typed));
            bao_finding_arg(f, bao_str_c(near_misses[i].typed));
            bao_finding_arg(f, bao_str_c(near_misses[i].meant));
            return BAO_EXPR_E_BAD;
        }
    t->end = (uint32_t)(l->at + bao_utf8_get(l->text.p + l->at, l->text.p + l->text.n, &c));
    f = bao_lexer_complain(l, BAO_BC_EXPR_SIGN, l->at, t->end);
    bao_finding_arg(f, (struct bao_str){l->text.p + l->at, t->end - l->at});
    return BAO_EXPR_E_BAD;
}

int bao_lexer_next(struct lexer *l, struct token *ret)
{
    size_t prefix;
    bool raw, bytes;

    skip_space(l);
    *ret = (struct token){.kind = TOKEN_END, .at = (uint32_t)l->at, .end = (uint32_t)l->at};
    if (l->at >= l->text.n)
        return 0;
    prefix = string_prefix(l, &raw, &bytes);
    if (prefix != SIZE_MAX) {
        if (bytes)
            return bad(l, BAO_BC_EXPR_BYTES, l->at, l->at + prefix);
        l->at += prefix;
        return string(l, raw, ret);
    }
    if (is_digit(peek(l, 0)) || (peek(l, 0) == '.' && is_digit(peek(l, 1))))
        return number(l, ret);
    if (peek(l, 0) == '`')
        return quoted_name(l, ret);
    if (!is_name_start(peek(l, 0)))
        return sign(l, ret);
    while (is_name_start(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    ret->kind = TOKEN_NAME;
    ret->text = (struct bao_str){l->text.p + ret->at, l->at - ret->at};
    ret->end = (uint32_t)l->at;
    return 0;
}
