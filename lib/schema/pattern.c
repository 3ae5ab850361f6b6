/* The grammar of ECMA-262 patterns with the u flag (section 22.2.1), and nothing more. */
#include "lib/schema/pattern_parser.h"

#include "lib/base/error.h"
#include "lib/base/utf8.h"

enum { MOST_DEPTH = 100, MOST_GROUPS = 1000 };

static struct bao_pat *parse_either(struct bao_pat_parser *p);

bool bao_pat_eat(struct bao_pat_parser *p, char c)
{
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

bool bao_pat_eat_text(struct bao_pat_parser *p, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

struct bao_pat *bao_pat_make(struct bao_pat_parser *p, enum bao_pat_type type)
{
    struct bao_pat *pat = bao_arena_array(p->arena, 1, sizeof(*pat));

    if (pat == NULL)
        p->no_memory = true;
    else
        pat->type = (uint8_t)type;
    return pat;
}

struct bao_pat *bao_pat_make_one(struct bao_pat_parser *p, enum bao_pat_type type, struct bao_pat *child)
{
    struct bao_pat *pat = child == NULL ? NULL : bao_pat_make(p, type);

    if (pat == NULL)
        return NULL;
    pat->children = bao_arena_alloc(p->arena, sizeof(struct bao_pat *));
    if (pat->children == NULL) {
        p->no_memory = true;
        return NULL;
    }
    pat->children[0] = child;
    pat->n = 1;
    return pat;
}

/* ---- groups ---- */

static bool is_name_character(uint32_t c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';

    /* Beyond ASCII the identifier classes are wide; anything but separators is let through. */
    return letter || (!first && c >= '0' && c <= '9') ||
           (c > 0xbf && !bao_pat_is_half(c) && (c < 0x2000 || c > 0x206f));
}

/* <name>, after the '<'. */
static bool take_name(struct bao_pat_parser *p, struct bao_str *ret)
{
    const char *start = p->at;

    while (p->at < p->end && *p->at != '>') {
        const char *here = p->at;
        uint32_t c;

        p->at += bao_utf8_get(p->at, p->end, &c);
        if (!is_name_character(c, here == start))
            return false;
    }
    *ret = (struct bao_str){start, (size_t)(p->at - start)};
    return ret->n != 0 && bao_pat_eat(p, '>');
}

static struct bao_pat_group_name *find_name(const struct bao_pat_parser *p, struct bao_str name)
{
    for (struct bao_pat_group_name *g = p->names; g != NULL; g = g->next)
        if (bao_str_eq(g->name, name))
            return g;
    return NULL;
}

/* Counts the groups and learns their names before parsing, because references may look ahead. */
static bool survey(struct bao_pat_parser *p)
{
    bool in_set = false;

    for (p->at = p->start; p->at < p->end; p->at++) {
        struct bao_pat_group_name *g;

        if (*p->at == '\\') {
            p->at += p->at + 1 < p->end;
            continue;
        }
        if (*p->at == '[' || *p->at == ']')
            in_set = *p->at == '[';
        if (in_set || *p->at != '(')
            continue;
        if (p->at + 1 < p->end && p->at[1] == '?') {
            if (p->end - p->at < 4 || p->at[2] != '<' || p->at[3] == '=' || p->at[3] == '!')
                continue;
            p->at += 3;
            g = bao_arena_array(p->arena, 1, sizeof(*g));
            if (g == NULL) {
                p->no_memory = true;
                return false;
            }
            if (!take_name(p, &g->name) || find_name(p, g->name) != NULL)
                return false;
            p->at--;
            g->number = p->total_groups + 1;
            g->next = p->names;
            p->names = g;
        }
        if (++p->total_groups > MOST_GROUPS)
            return false;
    }
    p->at = p->start;
    return true;
}

static struct bao_pat *parse_group(struct bao_pat_parser *p)
{
    struct bao_pat *inner, *pat;
    bool look = false, behind = false, negated = false, capture = false;

    if (bao_pat_eat_text(p, "?:")) {
        capture = false;
    } else if (bao_pat_eat_text(p, "?=")) {
        look = true;
    } else if (bao_pat_eat_text(p, "?!")) {
        look = negated = true;
    } else if (bao_pat_eat_text(p, "?<=")) {
        look = behind = true;
    } else if (bao_pat_eat_text(p, "?<!")) {
        look = behind = negated = true;
    } else {
        struct bao_str name;

        if (bao_pat_eat_text(p, "?<") && !take_name(p, &name))
            return NULL;
        if (p->at < p->end && *p->at == '?')
            return NULL;
        capture = true;
        p->n_groups++;
    }
    inner = parse_either(p);
    if (inner == NULL || !bao_pat_eat(p, ')'))
        return NULL;
    if (!look && !capture)
        return inner;
    pat = bao_pat_make_one(p, look ? BAO_PAT_LOOK : BAO_PAT_GROUP, inner);
    if (pat != NULL) {
        pat->behind = behind;
        pat->negated = negated;
    }
    return pat;
}

/* ---- atoms ---- */

static struct bao_pat *parse_character(struct bao_pat_parser *p, uint32_t c)
{
    struct bao_pat_collect set = {.n = 0};

    if (!bao_pat_is_half(c) && !bao_pat_add_range(p, &set, c, c))
        return NULL;
    return bao_pat_make_set(p, &set, false);
}

static struct bao_pat *parse_back(struct bao_pat_parser *p, uint32_t number)
{
    struct bao_pat *pat = number == 0 || number > p->total_groups ? NULL : bao_pat_make(p, BAO_PAT_BACK);

    if (pat != NULL)
        pat->n = number;
    return pat;
}

static struct bao_pat *parse_escape(struct bao_pat_parser *p)
{
    struct bao_pat_collect set = {.n = 0};
    uint32_t c = 0;
    char letter;

    if (p->at == p->end)
        return NULL;
    letter = *p->at;
    if (bao_pat_is_class(letter)) {
        p->at++;
        return bao_pat_add_class(p, &set, letter) ? bao_pat_make_set(p, &set, false) : NULL;
    }
    if (letter == 'p' || letter == 'P') {
        p->at++;
        return bao_pat_add_property(p, &set, letter == 'P') ? bao_pat_make_set(p, &set, false) : NULL;
    }
    if (letter >= '1' && letter <= '9') {
        while (p->at < p->end && *p->at >= '0' && *p->at <= '9' && c < 100000)
            c = c * 10 + (uint32_t)(*p->at++ - '0');
        return parse_back(p, c);
    }
    if (letter == 'k') {
        struct bao_str name;
        const struct bao_pat_group_name *g;

        p->at++;
        if (!bao_pat_eat(p, '<') || !take_name(p, &name))
            return NULL;
        g = find_name(p, name);
        return g == NULL ? NULL : parse_back(p, g->number);
    }
    return bao_pat_take_escape(p, false, &c) ? parse_character(p, c) : NULL;
}

static struct bao_pat *parse_dot(struct bao_pat_parser *p)
{
    static const uint32_t line_ends[] = {'\n', '\r', 0x2028, 0x2029};
    struct bao_pat_collect set = {.n = 0};

    for (size_t i = 0; i < BAO_COUNT(line_ends); i++)
        if (!bao_pat_add_range(p, &set, line_ends[i], line_ends[i]))
            return NULL;
    return bao_pat_make_set(p, &set, true);
}

static struct bao_pat *parse_atom(struct bao_pat_parser *p)
{
    uint32_t c;

    if (bao_pat_eat(p, '('))
        return parse_group(p);
    if (bao_pat_eat(p, '['))
        return bao_pat_parse_set(p);
    if (bao_pat_eat(p, '.'))
        return parse_dot(p);
    if (bao_pat_eat(p, '\\'))
        return parse_escape(p);
    if (strchr("*+?)]{}", *p->at) != NULL && *p->at != '\0')
        return NULL;
    p->at += bao_utf8_get(p->at, p->end, &c);
    return parse_character(p, c);
}

/* ---- quantifiers ---- */

static bool take_number(struct bao_pat_parser *p, int32_t *ret)
{
    int32_t n = 0;

    if (p->at == p->end || *p->at < '0' || *p->at > '9')
        return false;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
        if (n < 100000000)
            n = n * 10 + (*p->at - '0');
    *ret = n;
    return true;
}

/* Reads a quantifier into min and max: 1, 0 when there is none, -1 when it is wrong. */
static int take_quantifier(struct bao_pat_parser *p, int32_t *min, int32_t *max)
{
    *max = BAO_PAT_FOREVER;
    *min = 0;
    if (bao_pat_eat(p, '*'))
        return 1;
    if (bao_pat_eat(p, '+')) {
        *min = 1;
        return 1;
    }
    if (bao_pat_eat(p, '?')) {
        *max = 1;
        return 1;
    }
    if (!bao_pat_eat(p, '{'))
        return 0;
    if (!take_number(p, min))
        return -1;
    *max = *min;
    if (bao_pat_eat(p, ',')) {
        *max = BAO_PAT_FOREVER;
        if (p->at < p->end && *p->at != '}' && !take_number(p, max))
            return -1;
    }
    return bao_pat_eat(p, '}') && (*max == BAO_PAT_FOREVER || *max >= *min) ? 1 : -1;
}

static struct bao_pat *parse_term(struct bao_pat_parser *p)
{
    struct bao_pat *atom, *pat;
    int32_t min, max;
    int r;

    if (bao_pat_eat(p, '^'))
        return bao_pat_make(p, BAO_PAT_START);
    if (bao_pat_eat(p, '$'))
        return bao_pat_make(p, BAO_PAT_END);
    if (p->end - p->at >= 2 && p->at[0] == '\\' && (p->at[1] == 'b' || p->at[1] == 'B')) {
        pat = bao_pat_make(p, BAO_PAT_BORDER);
        if (pat != NULL)
            pat->negated = p->at[1] == 'B';
        p->at += 2;
        return pat;
    }
    atom = parse_atom(p);
    if (atom == NULL || p->at == p->end)
        return atom;
    r = take_quantifier(p, &min, &max);
    if (r == 0)
        return atom;
    if (r < 0 || atom->type == BAO_PAT_LOOK)
        return NULL;
    pat = bao_pat_make_one(p, BAO_PAT_REPEAT, atom);
    if (pat == NULL)
        return NULL;
    pat->min = min;
    pat->max = max;
    pat->lazy = bao_pat_eat(p, '?');
    return pat;
}

/* Gives a chain of n parts one parent. */
static struct bao_pat *join(struct bao_pat_parser *p, enum bao_pat_type type, struct bao_pat *first,
                            uint32_t n)
{
    struct bao_pat *pat;

    if (n == 1)
        return first;
    pat = bao_pat_make(p, n == 0 ? BAO_PAT_EMPTY : type);
    if (pat == NULL || n == 0)
        return pat;
    pat->children = bao_arena_array(p->arena, n, sizeof(struct bao_pat *));
    if (pat->children == NULL) {
        p->no_memory = true;
        return NULL;
    }
    for (; first != NULL; first = first->next)
        pat->children[pat->n++] = first;
    return pat;
}

static struct bao_pat *parse_sequence(struct bao_pat_parser *p)
{
    struct bao_pat *first = NULL, **last = &first;
    uint32_t n = 0;

    while (p->at < p->end && *p->at != '|' && *p->at != ')') {
        struct bao_pat *term = parse_term(p);

        if (term == NULL)
            return NULL;
        *last = term;
        last = &term->next;
        n++;
    }
    return join(p, BAO_PAT_SEQUENCE, first, n);
}

static struct bao_pat *parse_either(struct bao_pat_parser *p)
{
    struct bao_pat *first = NULL, **last = &first;
    uint32_t n = 0;

    if (++p->depth > MOST_DEPTH)
        return NULL;
    do {
        struct bao_pat *part = parse_sequence(p);

        if (part == NULL)
            return NULL;
        *last = part;
        last = &part->next;
        n++;
    } while (bao_pat_eat(p, '|'));
    p->depth--;
    return join(p, BAO_PAT_EITHER, first, n);
}

int bao_pat_parse(struct bao_arena *a, struct bao_str pattern, size_t *ret_at, struct bao_pat **ret)
{
    struct bao_pat_parser p = {.arena = a, .start = pattern.n == 0 ? "" : pattern.p};
    struct bao_pat *pat = NULL;

    p.end = p.start + pattern.n;
    p.at = p.start;
    if (survey(&p))
        pat = parse_either(&p);
    if (p.no_memory)
        return -ENOMEM;
    if (pat == NULL || p.at != p.end) {
        *ret_at = (size_t)(p.at - p.start);
        return 1;
    }
    *ret = pat;
    return 0;
}
