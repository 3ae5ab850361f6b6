#include "lib/doc/cursor.h"
#include "lib/base/octets.h"

static bool continues(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

static bool ends_line(const struct bao_cursor *c)
{
    char here = c->text.p[c->offset];

    return here == '\n' || (here == '\r' && (c->offset + 1 == c->text.n || c->text.p[c->offset + 1] != '\n'));
}

static void step_back(struct bao_cursor *c)
{
    do
        c->offset--;
    while (c->offset != 0 && continues(c->text.p[c->offset]));
    c->index--;
    if (ends_line(c)) {
        size_t at = c->offset;

        c->line--;
        c->line_index = c->index;
        while (at != 0 && c->text.p[at - 1] != '\n' && c->text.p[at - 1] != '\r')
            if (!continues(c->text.p[--at]))
                c->line_index--;
    }
}

void bao_cursor_pass(struct bao_cursor *c, size_t n, size_t characters, bool line_ends)
{
    c->offset += n;
    c->index += characters;
    if (line_ends) {
        c->line++;
        c->line_index = c->index;
    }
}

/* Moves the cursor onto the character of that index, or to the end. Eight octets at a time, but only up to a
 * line end: what stands before each other line's end is all that a column counts. */
void bao_cursor_seek(struct bao_cursor *c, size_t index)
{
    while (c->index > index)
        step_back(c);
    while (c->text.n - c->offset >= 8) {
        uint64_t w = bao_octets_at(c->text.p + c->offset);
        uint64_t begins = ~bao_octets_continuing(w) & BAO_EACH_OCTET(0x80);
        uint64_t breaks = bao_octets_equal(w, '\n') | bao_octets_equal(w, '\r');
        uint32_t n = breaks == 0 ? 8 : bao_octets_first(breaks) + 1;
        uint32_t characters = bao_octets_count(n == 8 ? begins : begins & (((uint64_t)1 << (8 * n)) - 1));

        if (c->index + characters > index) {
            for (; c->index < index; c->index++)
                begins &= begins - 1;
            c->offset += bao_octets_first(begins);
            return;
        }
        c->offset += n - 1;
        bao_cursor_pass(c, 1, characters, breaks != 0 && ends_line(c));
    }
    while (c->offset < c->text.n && (c->index < index || continues(c->text.p[c->offset])))
        bao_cursor_pass(c, 1, !continues(c->text.p[c->offset]), ends_line(c));
}
