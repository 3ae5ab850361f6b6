/* What stands behind a backslash for one character. */
#include "lib/schema/pattern_parser.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_hex(struct bao_pat_parser *p, int n, uint32_t *ret)
{
    uint32_t value = 0;

    if (p->end - p->at < n)
        return false;
    for (int i = 0; i < n; i++) {
        int digit = hex_digit(p->at[i]);

        if (digit < 0)
            return false;
        value = value * 16 + (uint32_t)digit;
    }
    p->at += n;
    *ret = value;
    return true;
}

/* After \u: four digits (two halves joined) or braces. */
static bool take_unicode(struct bao_pat_parser *p, uint32_t *ret)
{
    uint32_t value = 0, low;
    const char *back;

    if (!bao_pat_eat(p, '{')) {
        if (!take_hex(p, 4, ret))
            return false;
        back = p->at;
        if (*ret >= 0xd800 && *ret < 0xdc00 && bao_pat_eat_text(p, "\\u") && take_hex(p, 4, &low) &&
            low >= 0xdc00 && low < 0xe000)
            *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
        else
            p->at = back;
        return true;
    }
    if (p->at == p->end || *p->at == '}')
        return false;
    while (!bao_pat_eat(p, '}')) {
        int digit = p->at == p->end ? -1 : hex_digit(*p->at++);

        if (digit < 0)
            return false;
        value = value * 16 + (uint32_t)digit;
        if (value > BAO_PAT_LAST_CHARACTER)
            return false;
    }
    *ret = value;
    return true;
}

/* After the backslash: an escape that stands for one character. */
bool bao_pat_take_escape(struct bao_pat_parser *p, bool in_set, uint32_t *ret)
{
    static const char controls[] = "f\fn\nr\rt\tv\v";
    char c;

    if (p->at == p->end)
        return false;
    c = *p->at++;
    for (size_t i = 0; i + 1 < sizeof(controls); i += 2)
        if (controls[i] == c) {
            *ret = (uint8_t)controls[i + 1];
            return true;
        }
    if (c == 'c') {
        char letter = p->at == p->end ? '\0' : *p->at++;

        *ret = (uint32_t)letter % 32;
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    }
    if (c == '0') {
        *ret = 0;
        return p->at == p->end || *p->at < '0' || *p->at > '9';
    }
    if (c == 'x')
        return take_hex(p, 2, ret);
    if (c == 'u')
        return take_unicode(p, ret);
    *ret = (uint8_t)c;
    if (in_set && (c == 'b' || c == '-')) {
        *ret = c == 'b' ? 8 : '-';
        return true;
    }
    return c != '\0' && strchr("^$\\.*+?()[]{}|/", c) != NULL;
}

bool bao_pat_is_class(char c)
{
    return c == 'd' || c == 'D' || c == 'w' || c == 'W' || c == 's' || c == 'S';
}
