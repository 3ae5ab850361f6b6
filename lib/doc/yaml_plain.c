#include "lib/doc/yaml.h"
#include "lib/base/octets.h"

/* Plain YAML: what a template, a clerk and a program write almost always. Blocks of names in ASCII letters,
 * one name or list item a line, values on one line: unquoted, or in quotes without escapes; comments, blank
 * values and blank lines.
 *
 * libyaml takes some 60 us for such a report, more than everything else that is done with it: four tokens
 * and two events a value, each allocated, each octet looked at about ten times. This reader takes a
 * twentieth. It judges nothing: at whatever it does not know, or would have to refuse, it gives up, and
 * libyaml reads the document from its beginning. So there is one place for the rules of YAML and for what is
 * told of a fault, and a document is read the same way or not here at all: the fuzz target compares, place
 * by place.
 *
 * Like the JSON reader it works on a copy in the arena, whose texts stay where they stand and end in a NUL
 * put over what stood behind them; the copy ends in zero octets. */
enum { PAD = 16, KEY_MAX = 256 /* libyaml's own limit is 1,024 characters */ };

struct plain {
    struct bao_loading *l;
    const char *start, *end;
    char *p, *line_start;
    int64_t indent; /* column from 0 of what stands at p, when that begins a line or an item; -1 at the end */
    uint32_t line, nodes;
    struct bao_stack stack;
};

/* ---- octets ---- */

/* What an ASCII character may do outside quotes. */
enum { BEGINS_KEY = 1, IN_KEY = 2, BEGINS_VALUE = 4, WORD = BEGINS_KEY | IN_KEY | BEGINS_VALUE };

static unsigned uses_of(char c)
{
    unsigned char lower = (unsigned char)(c | 0x20);

    if ((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '_')
        return WORD;
    switch (c) {
    case '-':
        return IN_KEY;
    case '.':
        return IN_KEY | BEGINS_VALUE;
    case '+':
    case '(':
    case '/':
    case '~':
    case '<':
    case '=':
        return BEGINS_VALUE;
    default:
        return 0;
    }
}

static bool can(char c, unsigned use)
{
    return (uses_of(c) & use) != 0;
}

/* The text's octets below a space are LF, CR LF and the zeros behind its end. */
static bool ends_line(char c)
{
    return (unsigned char)c < ' ';
}

static bool ends_token(char c)
{
    return c == ' ' || ends_line(c);
}

/* Has the text nothing but printable characters and the line ends LF and CR LF? What libyaml refuses, or
 * takes for a line end as YAML 1.1 did, begins with one of the octets C2, E2 and EF. */
static bool is_printable(struct bao_str text)
{
    size_t i = 0;

    while (i < text.n) {
        const char *p = text.p + i;
        uint64_t w = 0, odd;

        if (text.n - i >= 8)
            w = bao_octets_at(p);
        else
            for (size_t k = 0; k < 8; k++)
                w |= (uint64_t)(uint8_t)(k < text.n - i ? p[k] : ' ') << (8 * k);
        odd = bao_octets_below(w, ' ') | bao_octets_equal(w, 0x7f) |
              bao_octets_below(w ^ BAO_EACH_OCTET(0xc2), 1) | bao_octets_below(w ^ BAO_EACH_OCTET(0xe2), 1) |
              bao_octets_below(w ^ BAO_EACH_OCTET(0xef), 1);
        if (odd == 0) {
            i += 8;
            continue;
        }
        i += bao_octets_first(odd);
        p = text.p + i;
        if (*p == '\r' && i + 1 < text.n && p[1] == '\n')
            i += 2;
        else if (*p == '\n')
            i++;
        else if ((uint8_t)*p == 0xe2 && (uint8_t)p[1] != 0x80) /* valid UTF-8: two more follow */
            i += 3;
        else if ((uint8_t)*p == 0xe2 && (uint8_t)p[2] != 0xa8 && (uint8_t)p[2] != 0xa9)
            i += 3;
        else
            return false;
    }
    return true;
}

/* ---- lines ---- */

static void set_place(const struct plain *y, struct bao_node *node, const char *from, const char *to)
{
    node->line = y->line;
    node->column = (uint32_t)(from - y->line_start) + 1; /* nothing but ASCII stands before it */
    node->offset = (uint32_t)(from - y->start);
    node->extent = (uint32_t)(to - from);
}

/* From behind the last thing of a line to the beginning of the next: only a comment may stand between. */
static int end_line(struct plain *y)
{
    char *p = y->p;

    while (*p == ' ')
        p++;
    if (*p == '#' && p != y->line_start && p[-1] != ' ')
        return BAO_YAML_E_NOT_PLAIN;
    if (*p == '#')
        while (!ends_line(*p))
            p++;
    if (!ends_line(*p))
        return BAO_YAML_E_NOT_PLAIN;
    if (p != y->end) {
        p += *p == '\r' ? 2 : 1;
        y->line++;
        y->line_start = p;
    }
    y->p = p;
    return 0;
}

/* To the first line from here on that is neither blank nor a comment. */
static int next_content(struct plain *y)
{
    for (;;) {
        char *p = y->p;
        int r;

        while (*p == ' ')
            p++;
        if (p == y->end) {
            y->p = p;
            y->indent = -1;
            return 0;
        }
        if (!ends_line(*p) && *p != '#') {
            y->p = p;
            y->indent = p - y->line_start;
            return 0;
        }
        r = end_line(y);
        if (r != 0)
            return r;
    }
}

static bool at_item(const struct plain *y)
{
    return *y->p == '-' && ends_token(y->p[1]);
}

/* The octets of the key at p, or 0 when there is none. */
static size_t key_at(const char *p)
{
    size_t n = 0;

    if (!can(*p, BEGINS_KEY))
        return 0;
    while (can(p[n], IN_KEY))
        n++;
    return p[n] == ':' && ends_token(p[n + 1]) && n <= KEY_MAX ? n : 0;
}

/* ---- values on one line ---- */

/* Moves on to the line's end, a colon or a number sign. */
static char *skip_plain(char *p)
{
    for (;; p += 8) {
        uint64_t w = bao_octets_at(p);
        uint64_t stop = bao_octets_below(w, ' ') | bao_octets_equal(w, ':') | bao_octets_equal(w, '#');

        if (stop != 0)
            return p + bao_octets_first(stop);
    }
}

/* Behind an unquoted value, or NULL where it is none. */
static char *plain_end(char *p)
{
    bool begins = (*p & 0x80) != 0 || can(*p, BEGINS_VALUE) || (*p == '-' && can(p[1], BEGINS_VALUE));

    for (p = begins ? skip_plain(p + 1) : NULL; p != NULL && !ends_line(*p); p = skip_plain(p + 1)) {
        if (*p == ':' && ends_token(p[1]))
            return NULL;
        if (*p == '#' && p[-1] == ' ')
            break;
    }
    while (p != NULL && p[-1] == ' ')
        p--;
    return p;
}

/* The closing quote of a value in quotes, or NULL where it holds more than plain characters. */
static char *quote_end(char *p)
{
    char quote = *p++;

    while (*p != quote && !ends_line(*p) && (*p != '\\' || quote == '\''))
        p++;
    return *p == quote && p[1] != quote ? p : NULL;
}

static int set_value(struct plain *y, struct bao_str s, bool quoted, struct bao_node *node)
{
    enum bao_core core = quoted ? BAO_CORE_TEXT : bao_core_of(s);
    int r;

    if (s.n > y->l->limits.scalar || ++y->nodes > y->l->limits.nodes)
        return BAO_YAML_E_NOT_PLAIN;
    node->style = (uint8_t)(BAO_STYLE_YAML | (quoted ? BAO_STYLE_QUOTED : 0));
    if (core == BAO_CORE_TEXT) {
        node->type = BAO_STRING;
        node->str = s.p;
        node->len = (uint32_t)s.n;
        return 0;
    }
    if (core == BAO_CORE_NOT_FINITE || (core == BAO_CORE_FLOAT && bao_core_is_thousand(s)))
        return BAO_YAML_E_NOT_PLAIN;
    r = bao_core_set(y->l->arena, s, core, node);
    return r > 0 ? BAO_YAML_E_NOT_PLAIN : r;
}

/* A value that stands at p, to the end of its line. */
static int read_scalar(struct plain *y, struct bao_node *node)
{
    bool quoted = *y->p == '"' || *y->p == '\'';
    char *from = y->p + quoted, *to = quoted ? quote_end(y->p) : plain_end(y->p);
    int r;

    if (to == NULL)
        return BAO_YAML_E_NOT_PLAIN;
    set_place(y, node, y->p, to + quoted);
    r = set_value(y, (struct bao_str){from, (size_t)(to - from)}, quoted, node);
    y->p = to + quoted;
    if (r == 0)
        r = end_line(y);
    *to = '\0'; /* what stood here has been read */
    return r;
}

/* ---- blocks ---- */

static int read_block(struct plain *y, uint32_t depth, struct bao_node *node);
static int read_map(struct plain *y, uint32_t depth, struct bao_node *node);

/* What follows the colon of a name or the dash of an item that stands in that column: a value, a block, or
 * nothing. Ends at the next content. */
static int read_value(struct plain *y, int64_t column, uint32_t depth, struct bao_node *node)
{
    bool is_key = *y->p == ':';
    char *mark = y->p++;
    int r;

    while (*y->p == ' ')
        y->p++;
    memset(node, 0, sizeof(*node));
    if (!ends_line(*y->p) && *y->p != '#') {
        if (!is_key && key_at(y->p) != 0) {
            y->indent = y->p - y->line_start;
            return read_map(y, depth, node);
        }
        r = read_scalar(y, node);
        return r == 0 ? next_content(y) : r;
    }
    set_place(y, node, mark + 1, mark + 1);
    r = end_line(y);
    if (r == 0)
        r = next_content(y);
    if (r != 0)
        return r;
    /* A list may stand as far left as the name it belongs to. */
    if (y->indent > column || (is_key && y->indent == column && at_item(y)))
        return read_block(y, depth, node);
    return set_value(y, BAO_STR(""), false, node);
}

/* Begins a list or map at p. */
static int open_block(struct plain *y, uint32_t depth, struct bao_node *node)
{
    if (depth == y->l->limits.depth || ++y->nodes > y->l->limits.nodes)
        return BAO_YAML_E_NOT_PLAIN;
    memset(node, 0, sizeof(*node));
    node->style = BAO_STYLE_YAML;
    set_place(y, node, y->p, y->p);
    return 0;
}

static int read_member(struct plain *y, int64_t column, uint32_t depth, struct bao_member *m)
{
    char *key = y->p;
    size_t n = key_at(key);
    int r;

    if (n == 0 || n > y->l->limits.key || bao_core_of((struct bao_str){key, n}) == BAO_CORE_NULL)
        return BAO_YAML_E_NOT_PLAIN;
    *m = (struct bao_member){.key = key,
                             .key_len = (uint32_t)n,
                             .hash = bao_key_hash(key, n),
                             .line = y->line,
                             .column = (uint32_t)(key - y->line_start) + 1,
                             .offset = (uint32_t)(key - y->start),
                             .extent = (uint32_t)n};
    y->p = key + n;
    r = read_value(y, column, depth, &m->value);
    key[n] = '\0';
    return r;
}

static int read_map(struct plain *y, uint32_t depth, struct bao_node *node)
{
    const struct bao_member *twins[2];
    size_t from = y->stack.used;
    int64_t column = y->indent;
    int r = open_block(y, depth, node);

    while (r == 0 && y->indent == column) {
        struct bao_member member, *place;

        r = read_member(y, column, depth + 1, &member);
        if (r != 0)
            return r;
        place = bao_stack_push(&y->stack, sizeof(member));
        if (place == NULL)
            return -ENOMEM;
        *place = member;
        node->extent = member.value.offset + member.value.extent - node->offset;
    }
    if (r == 0 && y->indent > column)
        r = BAO_YAML_E_NOT_PLAIN;
    if (r == 0)
        r = bao_stack_take_map(&y->stack, from, y->l->arena, node, twins);
    return r > 0 ? BAO_YAML_E_NOT_PLAIN : r;
}

static int read_list(struct plain *y, uint32_t depth, struct bao_node *node)
{
    size_t from = y->stack.used;
    int64_t column = y->indent;
    int r = open_block(y, depth, node);

    while (r == 0 && y->indent == column && at_item(y)) {
        struct bao_node item, *place;

        r = read_value(y, column, depth + 1, &item);
        if (r != 0)
            return r;
        place = bao_stack_push(&y->stack, sizeof(item));
        if (place == NULL)
            return -ENOMEM;
        *place = item;
        node->extent = item.offset + item.extent - node->offset;
    }
    if (r == 0 && y->indent > column)
        r = BAO_YAML_E_NOT_PLAIN;
    return r == 0 ? bao_stack_take_list(&y->stack, from, y->l->arena, node) : r;
}

static int read_block(struct plain *y, uint32_t depth, struct bao_node *node)
{
    return at_item(y) ? read_list(y, depth, node) : read_map(y, depth, node);
}

int bao_yaml_read_plain(struct bao_loading *l, struct bao_doc *ret)
{
    struct plain y; /* its stack is large: not cleared */
    struct bao_node root;
    char *copy;
    int r;

    if (!is_printable(l->text))
        return BAO_YAML_E_NOT_PLAIN;
    copy = bao_arena_alloc(l->arena, l->text.n + PAD);
    if (copy == NULL)
        return -ENOMEM;
    if (l->text.n != 0)
        memcpy(copy, l->text.p, l->text.n);
    memset(copy + l->text.n, 0, PAD);
    y.l = l;
    y.start = y.p = y.line_start = copy;
    y.end = copy + l->text.n;
    y.line = 1;
    y.nodes = 0;
    bao_stack_init(&y.stack);
    r = next_content(&y);
    if (r == 0)
        r = read_block(&y, 0, &root);
    bao_stack_deinit(&y.stack);
    if (r == 0 && y.indent != -1)
        r = BAO_YAML_E_NOT_PLAIN;
    if (r != 0)
        return r;
    ret->root = root;
    ret->n_nodes = y.nodes;
    ret->is_json = false;
    return 0;
}
