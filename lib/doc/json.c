#include "lib/doc/build.h"
#include "lib/base/octets.h"
#include "lib/base/utf8.h"

/* RFC 8259, strictly. The reader works on a copy of the text in the arena: strings stay where they stand,
 * their escapes are decoded in place and a NUL takes the place of the closing quote, so that a string costs
 * no copy and no allocation. The copy ends in zero octets, which no token may hold: nothing needs to look
 * for the end. */
enum { PAD = 16 };

struct json {
    struct bao_loading *l;
    char *start, *end, *p;
    char *line_start;
    uint32_t line;
    uint32_t extra; /* octets of this line so far that begin no character */
    uint32_t nodes;
    struct bao_stack stack;
};

struct mark {
    uint32_t line, column, offset;
};

static struct mark here(const struct json *j)
{
    return (struct mark){.line = j->line,
                         .column = (uint32_t)(j->p - j->line_start) - j->extra + 1,
                         .offset = (uint32_t)(j->p - j->start)};
}

static void set_place(struct json *j, struct bao_node *node, struct mark at)
{
    node->line = at.line;
    node->column = at.column;
    node->offset = at.offset;
    node->extent = (uint32_t)(j->p - j->start) - at.offset;
}

static int refuse(struct json *j, unsigned code, const char *at)
{
    return bao_loading_refuse(j->l, code, (size_t)(at - j->start), 0);
}

static void skip_space(struct json *j)
{
    for (;; j->p++) {
        char c = *j->p;

        if (c == ' ' || c == '\t')
            continue;
        if (c != '\n' && c != '\r')
            return;
        /* CR LF ends one line, at its LF. */
        if (c == '\r' && j->p[1] == '\n')
            continue;
        j->line++;
        j->line_start = j->p + 1;
        j->extra = 0;
    }
}

/* What stands where something else should: the end of the file has its own sentence. */
static int refuse_token(struct json *j, unsigned code)
{
    if (j->p == j->end)
        return refuse(j, BAO_BC_JSON_END, j->p);
    return refuse(j, code, j->p);
}

/* ---- strings ---- */

/* Moves on to the quote, backslash or control that ends a run of plain characters. */
static char *skip_plain(struct json *j, char *p)
{
    for (;; p += 8) {
        uint64_t w = bao_octets_at(p), continuing = bao_octets_continuing(w);
        uint64_t stop = bao_octets_below(w, 0x20) | bao_octets_equal(w, '"') | bao_octets_equal(w, '\\');

        if (stop == 0) {
            j->extra += bao_octets_count(continuing);
            continue;
        }
        j->extra += bao_octets_count(continuing & ((stop & -stop) - 1));
        return p + bao_octets_first(stop);
    }
}

static int hex4(const char *p)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* \uXXXX at *in, and its other half: the octets go to *out. */
static int unescape_unicode(struct json *j, char **in, char **out)
{
    int c = hex4(*in + 2), low;

    if (c < 0)
        return refuse(j, BAO_BC_JSON_ESCAPE, *in);
    if (c >= 0xd800 && c < 0xe000) {
        low = c < 0xdc00 && (*in)[6] == '\\' && (*in)[7] == 'u' ? hex4(*in + 8) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return refuse(j, BAO_BC_SURROGATE, *in);
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        *in += 6;
    }
    *in += 6;
    *out += bao_utf8_put((uint32_t)c, *out);
    return 0;
}

static int unescape(struct json *j, char **in, char **out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if ((*in)[1] == 'u')
        return unescape_unicode(j, in, out);
    letter = (*in)[1] == '\0' ? NULL : strchr(letters, (*in)[1]);
    if (letter == NULL)
        return refuse(j, BAO_BC_JSON_ESCAPE, *in);
    *(*out)++ = meanings[letter - letters];
    *in += 2;
    return 0;
}

/* The rest of a string from its first escape on: decoded in place, never longer than it was. Leaves j->p at
 * the octet that ended it. */
static int read_escaped(struct json *j, char *in, char **out)
{
    while (*in == '\\') {
        char *plain;
        int r = unescape(j, &in, out);

        if (r != 0)
            return r;
        plain = in;
        in = skip_plain(j, in);
        memmove(*out, plain, (size_t)(in - plain));
        *out += in - plain;
    }
    j->p = in;
    return 0;
}

static int check_string(struct json *j, struct bao_str s, bool is_key)
{
    size_t at = (size_t)(s.p - 1 - j->start);
    uint32_t limit = is_key ? j->l->limits.key : j->l->limits.scalar;

    if (s.n > limit)
        return bao_loading_refuse_number(j->l, is_key ? BAO_BC_KEY_LONG : BAO_BC_SCALAR_LONG, at, 0, limit);
    if (j->l->mode == BAO_LOAD_REPORT && bao_loading_control(s) != s.n)
        return bao_loading_refuse(j->l, BAO_BC_CONTROL, at, 0);
    return 0;
}

/* A string at its opening quote. */
static int read_string(struct json *j, bool is_key, struct bao_str *ret)
{
    char *open = j->p, *out = skip_plain(j, open + 1);
    bool escaped = *out == '\\';

    j->p = out;
    if (escaped) {
        int r = read_escaped(j, out, &out);

        if (r != 0)
            return r;
    }
    if (*j->p != '"')
        return refuse(j, j->p == j->end ? BAO_BC_JSON_QUOTE : BAO_BC_JSON_CONTROL,
                      j->p == j->end ? open : j->p);
    *out = '\0';
    j->p++;
    *ret = (struct bao_str){open + 1, (size_t)(out - open) - 1};
    /* Without an escape there is no control in it. */
    return escaped || ret->n > j->l->limits.key ? check_string(j, *ret, is_key) : 0;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits at p; false when there are none. */
static bool skip_digits(char **p)
{
    char *from = *p;

    while (is_digit(**p))
        ++*p;
    return *p != from;
}

/* Moves *p over a fraction and an exponent, which *ret_float then tells: false when they are cut short. */
static bool skip_float(char **p, bool *ret_float)
{
    *ret_float = **p == '.' || **p == 'e' || **p == 'E';
    if (**p == '.') {
        ++*p;
        if (!skip_digits(p))
            return false;
    }
    if (**p == 'e' || **p == 'E') {
        ++*p;
        if (**p == '+' || **p == '-')
            ++*p;
        return skip_digits(p);
    }
    return true;
}

static int read_exact(struct json *j, struct bao_str text, struct bao_node *ret)
{
    size_t at = (size_t)(text.p - j->start);
    struct bao_num x;
    int r;

    if (text.n > j->l->limits.scalar)
        return bao_loading_refuse_number(j->l, BAO_BC_SCALAR_LONG, at, text.n, j->l->limits.scalar);
    r = bao_num_parse(j->l->arena, text, &x);
    if (r == BAO_DEC_E_RANGE)
        return bao_loading_refuse(j->l, BAO_BC_NUMBER_RANGE, at, text.n);
    if (r != 0)
        return bao_error_fold(r);
    bao_node_set_number(ret, x);
    return 0;
}

static int read_number(struct json *j, struct bao_node *ret)
{
    enum { WORD_DIGITS = 18 };
    char *start = j->p, *p = start, *digits;
    bool negative = *p == '-', is_float = false;
    int64_t m = 0;

    p += negative;
    digits = p;
    for (; is_digit(*p) && p - digits < WORD_DIGITS; p++)
        m = m * 10 + (*p - '0');
    if (p == digits || (*digits == '0' && is_digit(digits[1])))
        return refuse(j, BAO_BC_JSON_NUMBER, start);
    (void)skip_digits(&p);
    if (p - digits < WORD_DIGITS && *p != '.' && (*p | 0x20) != 'e') {
        ret->type = BAO_INT;
        ret->i = negative ? -m : m;
        j->p = p;
        return 0;
    }
    if (!skip_float(&p, &is_float))
        return refuse(j, BAO_BC_JSON_NUMBER, start);
    ret->style = is_float ? BAO_STYLE_FLOAT : 0;
    j->p = p;
    return read_exact(j, (struct bao_str){start, (size_t)(p - start)}, ret);
}

/* ---- values ---- */

static int read_value(struct json *j, uint32_t depth, struct bao_node *ret);

/* After an element: 1 at a comma, 0 at the closing bracket, which is then behind us. */
static int next_element(struct json *j, char close, int *ret_more)
{
    skip_space(j);
    if (*j->p != ',' && *j->p != close)
        return refuse_token(j, BAO_BC_JSON_COMMA);
    *ret_more = *j->p == ',';
    j->p++;
    if (*ret_more != 0) {
        skip_space(j);
        if (*j->p == close)
            return refuse(j, BAO_BC_JSON_LAST_COMMA, j->p);
    }
    return 0;
}

static int read_list(struct json *j, uint32_t depth, struct bao_node *ret)
{
    size_t from = j->stack.used;
    int more = 1, r;

    j->p++;
    skip_space(j);
    if (*j->p == ']') {
        j->p++;
        more = 0;
    }
    while (more != 0) {
        struct bao_node item, *place;

        r = read_value(j, depth, &item);
        if (r == 0)
            r = next_element(j, ']', &more);
        if (r != 0)
            return r;
        place = bao_stack_push(&j->stack, sizeof(item));
        if (place == NULL)
            return -ENOMEM;
        *place = item;
    }
    return bao_stack_take_list(&j->stack, from, j->l->arena, ret);
}

static int read_member(struct json *j, uint32_t depth, struct bao_member *m)
{
    struct mark at = here(j);
    struct bao_str key;
    int r;

    if (*j->p != '"')
        return refuse_token(j, BAO_BC_JSON_KEY);
    r = read_string(j, true, &key);
    if (r != 0)
        return r;
    m->key = key.p;
    m->key_len = (uint32_t)key.n;
    m->hash = bao_key_hash(key.p, key.n);
    m->line = at.line;
    m->column = at.column;
    m->offset = at.offset;
    m->extent = (uint32_t)(j->p - j->start) - at.offset;
    skip_space(j);
    if (*j->p != ':')
        return refuse_token(j, BAO_BC_JSON_COLON);
    j->p++;
    skip_space(j);
    return read_value(j, depth, &m->value);
}

static int read_map(struct json *j, uint32_t depth, struct bao_node *ret)
{
    const struct bao_member *twins[2];
    size_t from = j->stack.used;
    int more = 1, r;

    j->p++;
    skip_space(j);
    if (*j->p == '}') {
        j->p++;
        more = 0;
    }
    while (more != 0) {
        struct bao_member member, *place;

        r = read_member(j, depth, &member);
        if (r == 0)
            r = next_element(j, '}', &more);
        if (r != 0)
            return r;
        place = bao_stack_push(&j->stack, sizeof(member));
        if (place == NULL)
            return -ENOMEM;
        *place = member;
    }
    r = bao_stack_take_map(&j->stack, from, j->l->arena, ret, twins);
    return r == 1 ? bao_loading_refuse_twin(j->l, twins[0], twins[1]) : r;
}

static int read_collection(struct json *j, uint32_t depth, struct bao_node *ret)
{
    if (depth == j->l->limits.depth)
        return bao_loading_refuse_number(j->l, BAO_BC_DEPTH, (size_t)(j->p - j->start), 1, depth);
    ret->style = BAO_STYLE_FLOW;
    return *j->p == '{' ? read_map(j, depth + 1, ret) : read_list(j, depth + 1, ret);
}

static int read_word(struct json *j, struct bao_node *ret)
{
    static const struct {
        char text[6];
        uint8_t len, type;
        bool value;
    } words[] = {{"true", 4, BAO_BOOL, true}, {"false", 5, BAO_BOOL, false}, {"null", 4, BAO_NULL, false}};

    for (size_t i = 0; i < BAO_COUNT(words); i++)
        if (memcmp(j->p, words[i].text, words[i].len) == 0) {
            ret->type = words[i].type;
            if (ret->type == BAO_BOOL)
                ret->boolean = words[i].value;
            j->p += words[i].len;
            return 0;
        }
    return refuse_token(j, BAO_BC_JSON_VALUE);
}

static int read_value(struct json *j, uint32_t depth, struct bao_node *ret)
{
    struct mark at = here(j);
    struct bao_str s;
    int r;

    memset(ret, 0, sizeof(*ret));
    if (++j->nodes > j->l->limits.nodes)
        return bao_loading_refuse_number(j->l, BAO_BC_NODES, at.offset, 0, j->l->limits.nodes);
    switch (*j->p) {
    case '"':
        r = read_string(j, false, &s);
        if (r == 0) {
            ret->type = BAO_STRING;
            ret->style = BAO_STYLE_QUOTED;
            ret->str = s.p;
            ret->len = (uint32_t)s.n;
        }
        break;
    case '{':
    case '[':
        r = read_collection(j, depth, ret);
        break;
    default:
        r = *j->p == '-' || is_digit(*j->p) ? read_number(j, ret) : read_word(j, ret);
        break;
    }
    if (r == 0)
        set_place(j, ret, at);
    return r;
}

int bao_json_read(struct bao_loading *l, struct bao_doc *ret)
{
    struct json j; /* its stack alone is large: not cleared */
    struct bao_node root;
    int r;

    j.l = l;
    j.line = 1;
    j.extra = j.nodes = 0;
    j.start = bao_arena_alloc(l->arena, l->text.n + PAD);
    if (j.start == NULL)
        return -ENOMEM;
    if (l->text.n != 0)
        memcpy(j.start, l->text.p, l->text.n);
    j.p = j.line_start = j.start;
    j.end = j.start + l->text.n;
    memset(j.end, 0, PAD);
    bao_stack_init(&j.stack);
    skip_space(&j);
    r = read_value(&j, 0, &root);
    if (r == 0) {
        skip_space(&j);
        if (j.p != j.end)
            r = refuse(&j, BAO_BC_JSON_AFTER, j.p);
    }
    bao_stack_deinit(&j.stack);
    if (r != 0)
        return r;
    ret->root = root;
    ret->n_nodes = j.nodes;
    ret->is_json = true;
    return 0;
}
