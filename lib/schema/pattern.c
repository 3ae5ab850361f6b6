/* The grammar of ECMA-262 patterns with the u flag (section 22.2.1), and nothing more. */
#include "lib/schema/pattern.h"

#include "lib/base/error.h"
#include "lib/base/utf8.h"

enum { MOST_DEPTH = 100, MOST_GROUPS = 1000, LAST_CHARACTER = 0x10ffff };

struct group_name {
    struct bao_str name;
    uint32_t number;
    struct group_name *next;
};

struct parser {
    struct bao_arena *arena;
    const char *start, *at, *end;
    uint32_t n_groups;     /* opened so far */
    uint32_t total_groups; /* counted beforehand, for back references to later ones */
    struct group_name *names;
    bool no_memory;
    int depth;
};

/* A set while it is read. */
struct collect {
    struct bao_pat_range *ranges;
    uint32_t n, size;
    struct bao_pat_property *properties;
    uint32_t n_properties, size_properties;
};

static struct bao_pat *parse_either(struct parser *p);

static bool eat(struct parser *p, char c)
{
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static bool eat_text(struct parser *p, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

static struct bao_pat *make(struct parser *p, enum bao_pat_type type)
{
    struct bao_pat *pat = bao_arena_array(p->arena, 1, sizeof(*pat));

    if (pat == NULL)
        p->no_memory = true;
    else
        pat->type = (uint8_t)type;
    return pat;
}

static struct bao_pat *make_one(struct parser *p, enum bao_pat_type type, struct bao_pat *child)
{
    struct bao_pat *pat = child == NULL ? NULL : make(p, type);

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

/* ---- sets ---- */

static bool add_range(struct parser *p, struct collect *c, uint32_t lo, uint32_t hi)
{
    if (c->n == c->size) {
        uint32_t size = c->size == 0 ? 8 : c->size * 2;
        struct bao_pat_range *more = bao_arena_array(p->arena, size, sizeof(*more));

        if (more == NULL) {
            p->no_memory = true;
            return false;
        }
        if (c->n != 0)
            memcpy(more, c->ranges, c->n * sizeof(*more));
        c->ranges = more;
        c->size = size;
    }
    c->ranges[c->n++] = (struct bao_pat_range){lo, hi};
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct bao_pat_range *x = a, *y = b;

    return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Sorts and joins. */
static void tidy(struct collect *c)
{
    uint32_t n = 0;

    if (c->n > 1)
        qsort(c->ranges, c->n, sizeof(*c->ranges), compare_ranges);
    for (uint32_t i = 0; i < c->n; i++) {
        if (n != 0 && c->ranges[i].lo <= c->ranges[n - 1].hi + 1) {
            if (c->ranges[i].hi > c->ranges[n - 1].hi)
                c->ranges[n - 1].hi = c->ranges[i].hi;
        } else {
            c->ranges[n++] = c->ranges[i];
        }
    }
    c->n = n;
}

static bool complement(struct parser *p, struct collect *c)
{
    struct collect other = {.n = 0};
    uint32_t from = 0;

    tidy(c);
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->ranges[i].lo > from && !add_range(p, &other, from, c->ranges[i].lo - 1))
            return false;
        from = c->ranges[i].hi + 1;
    }
    if (from <= LAST_CHARACTER && !add_range(p, &other, from, LAST_CHARACTER))
        return false;
    c->ranges = other.ranges;
    c->n = other.n;
    c->size = other.size;
    return true;
}

/* \d, \w, \s (ECMA-262 22.2.2.9: WhiteSpace and LineTerminator) and their opposites. */
static bool add_class(struct parser *p, struct collect *to, char letter)
{
    static const struct bao_pat_range digits[] = {{'0', '9'}};
    static const struct bao_pat_range word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    static const struct bao_pat_range space[] = {
        {9, 13},          {32, 32},         {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
        {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    const struct bao_pat_range *from = letter == 'd' || letter == 'D'   ? digits
                                       : letter == 'w' || letter == 'W' ? word
                                                                        : space;
    size_t n = from == digits ? BAO_COUNT(digits) : from == word ? BAO_COUNT(word) : BAO_COUNT(space);
    struct collect c = {.n = 0};

    for (size_t i = 0; i < n; i++)
        if (!add_range(p, &c, from[i].lo, from[i].hi))
            return false;
    if ((letter == 'D' || letter == 'W' || letter == 'S') && !complement(p, &c))
        return false;
    for (uint32_t i = 0; i < c.n; i++)
        if (!add_range(p, to, c.ranges[i].lo, c.ranges[i].hi))
            return false;
    return true;
}

static struct bao_pat *make_set(struct parser *p, struct collect *c, bool negated)
{
    struct bao_pat *pat;

    tidy(c);
    if (negated && c->n_properties == 0 && !complement(p, c))
        return NULL;
    pat = make(p, BAO_PAT_SET);
    if (pat == NULL)
        return NULL;
    pat->negated = negated && c->n_properties != 0;
    pat->ranges = c->ranges;
    pat->n = c->n;
    pat->properties = c->properties;
    pat->n_properties = c->n_properties;
    return pat;
}

/* ---- properties: \p{…} ---- */

static const struct {
    const char *name, *gc;
} categories[] = {
    {"L", "L"},
    {"Letter", "L"},
    {"LC", "L&"},
    {"Cased_Letter", "L&"},
    {"Lu", "Lu"},
    {"Uppercase_Letter", "Lu"},
    {"Ll", "Ll"},
    {"Lowercase_Letter", "Ll"},
    {"Lt", "Lt"},
    {"Titlecase_Letter", "Lt"},
    {"Lm", "Lm"},
    {"Modifier_Letter", "Lm"},
    {"Lo", "Lo"},
    {"Other_Letter", "Lo"},
    {"M", "M"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Mn", "Mn"},
    {"Nonspacing_Mark", "Mn"},
    {"Mc", "Mc"},
    {"Spacing_Mark", "Mc"},
    {"Me", "Me"},
    {"Enclosing_Mark", "Me"},
    {"N", "N"},
    {"Number", "N"},
    {"Nd", "Nd"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Nl", "Nl"},
    {"Letter_Number", "Nl"},
    {"No", "No"},
    {"Other_Number", "No"},
    {"P", "P"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Pc", "Pc"},
    {"Connector_Punctuation", "Pc"},
    {"Pd", "Pd"},
    {"Dash_Punctuation", "Pd"},
    {"Ps", "Ps"},
    {"Open_Punctuation", "Ps"},
    {"Pe", "Pe"},
    {"Close_Punctuation", "Pe"},
    {"Pi", "Pi"},
    {"Initial_Punctuation", "Pi"},
    {"Pf", "Pf"},
    {"Final_Punctuation", "Pf"},
    {"Po", "Po"},
    {"Other_Punctuation", "Po"},
    {"S", "S"},
    {"Symbol", "S"},
    {"Sm", "Sm"},
    {"Math_Symbol", "Sm"},
    {"Sc", "Sc"},
    {"Currency_Symbol", "Sc"},
    {"Sk", "Sk"},
    {"Modifier_Symbol", "Sk"},
    {"So", "So"},
    {"Other_Symbol", "So"},
    {"Z", "Z"},
    {"Separator", "Z"},
    {"Zs", "Zs"},
    {"Space_Separator", "Zs"},
    {"Zl", "Zl"},
    {"Line_Separator", "Zl"},
    {"Zp", "Zp"},
    {"Paragraph_Separator", "Zp"},
    {"C", "C"},
    {"Other", "C"},
    {"Cc", "Cc"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Cf", "Cf"},
    {"Format", "Cf"},
    {"Cs", "Cs"},
    {"Surrogate", "Cs"},
    {"Co", "Co"},
    {"Private_Use", "Co"},
    {"Cn", "Cn"},
    {"Unassigned", "Cn"},
    {"Any", "Any"},
};

/* The binary properties of ECMA-262 table 69, short and long names. */
static const char *const binary[] = {
    "ASCII",
    "ASCII_Hex_Digit",
    "AHex",
    "Alphabetic",
    "Alpha",
    "Bidi_Control",
    "Bidi_C",
    "Bidi_Mirrored",
    "Bidi_M",
    "Case_Ignorable",
    "CI",
    "Cased",
    "Changes_When_Casefolded",
    "CWCF",
    "Changes_When_Casemapped",
    "CWCM",
    "Changes_When_Lowercased",
    "CWL",
    "Changes_When_NFKC_Casefolded",
    "CWKCF",
    "Changes_When_Titlecased",
    "CWT",
    "Changes_When_Uppercased",
    "CWU",
    "Dash",
    "Default_Ignorable_Code_Point",
    "DI",
    "Deprecated",
    "Dep",
    "Diacritic",
    "Dia",
    "Emoji",
    "Emoji_Component",
    "EComp",
    "Emoji_Modifier",
    "EMod",
    "Emoji_Modifier_Base",
    "EBase",
    "Emoji_Presentation",
    "EPres",
    "Extended_Pictographic",
    "ExtPict",
    "Extender",
    "Ext",
    "Grapheme_Base",
    "Gr_Base",
    "Grapheme_Extend",
    "Gr_Ext",
    "Hex_Digit",
    "Hex",
    "IDS_Binary_Operator",
    "IDSB",
    "IDS_Trinary_Operator",
    "IDST",
    "ID_Continue",
    "IDC",
    "ID_Start",
    "IDS",
    "Ideographic",
    "Ideo",
    "Join_Control",
    "Join_C",
    "Logical_Order_Exception",
    "LOE",
    "Lowercase",
    "Lower",
    "Math",
    "Noncharacter_Code_Point",
    "NChar",
    "Pattern_Syntax",
    "Pat_Syn",
    "Pattern_White_Space",
    "Pat_WS",
    "Quotation_Mark",
    "QMark",
    "Radical",
    "Regional_Indicator",
    "RI",
    "Sentence_Terminal",
    "STerm",
    "Soft_Dotted",
    "SD",
    "Terminal_Punctuation",
    "Term",
    "Unified_Ideograph",
    "UIdeo",
    "Uppercase",
    "Upper",
    "Variation_Selector",
    "VS",
    "White_Space",
    "space",
    "XID_Continue",
    "XIDC",
    "XID_Start",
    "XIDS",
};

static struct bao_str category(struct bao_str name)
{
    for (size_t i = 0; i < BAO_COUNT(categories); i++)
        if (bao_str_is(name, categories[i].name))
            return bao_str_c(categories[i].gc);
    return BAO_STR_NULL;
}

static bool is_plain_word(struct bao_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return s.n != 0;
}

/* What stands in the braces, in PCRE2's words; n 0 when ECMA knows no such property. */
static struct bao_str property_text(struct parser *p, struct bao_str name)
{
    const char *equals = memchr(name.p, '=', name.n);
    struct bao_str key, value;

    if (equals == NULL) {
        struct bao_str gc = category(name);

        for (size_t i = 0; gc.n == 0 && i < BAO_COUNT(binary); i++)
            if (bao_str_is(name, binary[i]))
                return name;
        return gc;
    }
    key = (struct bao_str){name.p, (size_t)(equals - name.p)};
    value = (struct bao_str){equals + 1, name.n - key.n - 1};
    if (bao_str_is(key, "General_Category") || bao_str_is(key, "gc"))
        return category(value);
    if (!is_plain_word(value))
        return BAO_STR_NULL;
    if (bao_str_is(key, "Script") || bao_str_is(key, "sc"))
        return bao_arena_printf(p->arena, "sc:%.*s", BAO_STR_ARG(value));
    if (bao_str_is(key, "Script_Extensions") || bao_str_is(key, "scx"))
        return bao_arena_printf(p->arena, "scx:%.*s", BAO_STR_ARG(value));
    return BAO_STR_NULL;
}

static bool add_property(struct parser *p, struct collect *c, bool negated)
{
    const char *close;
    struct bao_str text;

    if (!eat(p, '{'))
        return false;
    close = memchr(p->at, '}', (size_t)(p->end - p->at));
    if (close == NULL)
        return false;
    text = (struct bao_str){p->at, (size_t)(close - p->at)};
    p->at = close + 1;
    if (bao_str_is(text, "Assigned")) {
        negated = !negated;
        text = BAO_STR("Cn");
    } else {
        text = property_text(p, text);
    }
    if (text.n == 0)
        return false;
    if (c->n_properties == c->size_properties) {
        uint32_t size = c->size_properties == 0 ? 4 : c->size_properties * 2;
        struct bao_pat_property *more = bao_arena_array(p->arena, size, sizeof(*more));

        if (more == NULL) {
            p->no_memory = true;
            return false;
        }
        if (c->n_properties != 0)
            memcpy(more, c->properties, c->n_properties * sizeof(*more));
        c->properties = more;
        c->size_properties = size;
    }
    c->properties[c->n_properties++] = (struct bao_pat_property){text, negated};
    return true;
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_hex(struct parser *p, int n, uint32_t *ret)
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
static bool take_unicode(struct parser *p, uint32_t *ret)
{
    uint32_t value = 0, low;
    const char *back;

    if (!eat(p, '{')) {
        if (!take_hex(p, 4, ret))
            return false;
        back = p->at;
        if (*ret >= 0xd800 && *ret < 0xdc00 && eat_text(p, "\\u") && take_hex(p, 4, &low) && low >= 0xdc00 &&
            low < 0xe000)
            *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
        else
            p->at = back;
        return true;
    }
    if (p->at == p->end || *p->at == '}')
        return false;
    while (!eat(p, '}')) {
        int digit = p->at == p->end ? -1 : hex_digit(*p->at++);

        if (digit < 0)
            return false;
        value = value * 16 + (uint32_t)digit;
        if (value > LAST_CHARACTER)
            return false;
    }
    *ret = value;
    return true;
}

/* After the backslash: an escape that stands for one character. */
static bool take_character_escape(struct parser *p, bool in_set, uint32_t *ret)
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

static bool is_class_letter(char c)
{
    return c == 'd' || c == 'D' || c == 'w' || c == 'W' || c == 's' || c == 'S';
}

/* ---- [ … ] ---- */

/* One item of a set: a character in *ret (true, *ret_single), or a class added to the set. */
static bool take_set_item(struct parser *p, struct collect *c, bool *ret_single, uint32_t *ret)
{
    *ret_single = true;
    if (p->at == p->end)
        return false;
    if (*p->at != '\\') {
        p->at += bao_utf8_get(p->at, p->end, ret);
        return true;
    }
    p->at++;
    if (p->at == p->end)
        return false;
    *ret_single = false;
    if (is_class_letter(*p->at))
        return add_class(p, c, *p->at++);
    if (*p->at == 'p' || *p->at == 'P')
        return add_property(p, c, *p->at++ == 'P');
    *ret_single = true;
    return take_character_escape(p, true, ret);
}

static bool is_half(uint32_t c)
{
    return c >= 0xd800 && c < 0xe000;
}

static struct bao_pat *parse_set(struct parser *p)
{
    struct collect c = {.n = 0};
    bool negated = eat(p, '^');

    while (!eat(p, ']')) {
        uint32_t lo, hi;
        bool single, to_single;

        if (!take_set_item(p, &c, &single, &lo))
            return NULL;
        hi = lo;
        if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
            p->at++;
            if (!take_set_item(p, &c, &to_single, &hi) || !single || !to_single || hi < lo)
                return NULL;
        }
        /* Half a surrogate pair stands in no valid text, so it matches nothing. */
        if (single && !(lo == hi && is_half(lo)) && !add_range(p, &c, lo, hi))
            return NULL;
    }
    return make_set(p, &c, negated);
}

/* ---- groups ---- */

static bool is_name_character(uint32_t c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';

    /* Beyond ASCII the identifier classes are wide; anything but separators is let through. */
    return letter || (!first && c >= '0' && c <= '9') ||
           (c > 0xbf && !is_half(c) && (c < 0x2000 || c > 0x206f));
}

/* <name>, after the '<'. */
static bool take_name(struct parser *p, struct bao_str *ret)
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
    return ret->n != 0 && eat(p, '>');
}

static struct group_name *find_name(const struct parser *p, struct bao_str name)
{
    for (struct group_name *g = p->names; g != NULL; g = g->next)
        if (bao_str_eq(g->name, name))
            return g;
    return NULL;
}

/* Counts the groups and learns their names before parsing, because references may look ahead. */
static bool survey(struct parser *p)
{
    bool in_set = false;

    for (p->at = p->start; p->at < p->end; p->at++) {
        struct group_name *g;

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

static struct bao_pat *parse_group(struct parser *p)
{
    struct bao_pat *inner, *pat;
    bool look = false, behind = false, negated = false, capture = false;

    if (eat_text(p, "?:")) {
        capture = false;
    } else if (eat_text(p, "?=")) {
        look = true;
    } else if (eat_text(p, "?!")) {
        look = negated = true;
    } else if (eat_text(p, "?<=")) {
        look = behind = true;
    } else if (eat_text(p, "?<!")) {
        look = behind = negated = true;
    } else {
        struct bao_str name;

        if (eat_text(p, "?<") && !take_name(p, &name))
            return NULL;
        if (p->at < p->end && *p->at == '?')
            return NULL;
        capture = true;
        p->n_groups++;
    }
    inner = parse_either(p);
    if (inner == NULL || !eat(p, ')'))
        return NULL;
    if (!look && !capture)
        return inner;
    pat = make_one(p, look ? BAO_PAT_LOOK : BAO_PAT_GROUP, inner);
    if (pat != NULL) {
        pat->behind = behind;
        pat->negated = negated;
    }
    return pat;
}

/* ---- atoms ---- */

static struct bao_pat *parse_character(struct parser *p, uint32_t c)
{
    struct collect set = {.n = 0};

    if (!is_half(c) && !add_range(p, &set, c, c))
        return NULL;
    return make_set(p, &set, false);
}

static struct bao_pat *parse_back(struct parser *p, uint32_t number)
{
    struct bao_pat *pat = number == 0 || number > p->total_groups ? NULL : make(p, BAO_PAT_BACK);

    if (pat != NULL)
        pat->n = number;
    return pat;
}

static struct bao_pat *parse_escape(struct parser *p)
{
    struct collect set = {.n = 0};
    uint32_t c = 0;
    char letter;

    if (p->at == p->end)
        return NULL;
    letter = *p->at;
    if (is_class_letter(letter)) {
        p->at++;
        return add_class(p, &set, letter) ? make_set(p, &set, false) : NULL;
    }
    if (letter == 'p' || letter == 'P') {
        p->at++;
        return add_property(p, &set, letter == 'P') ? make_set(p, &set, false) : NULL;
    }
    if (letter >= '1' && letter <= '9') {
        while (p->at < p->end && *p->at >= '0' && *p->at <= '9' && c < 100000)
            c = c * 10 + (uint32_t)(*p->at++ - '0');
        return parse_back(p, c);
    }
    if (letter == 'k') {
        struct bao_str name;
        const struct group_name *g;

        p->at++;
        if (!eat(p, '<') || !take_name(p, &name))
            return NULL;
        g = find_name(p, name);
        return g == NULL ? NULL : parse_back(p, g->number);
    }
    return take_character_escape(p, false, &c) ? parse_character(p, c) : NULL;
}

static struct bao_pat *parse_dot(struct parser *p)
{
    static const uint32_t line_ends[] = {'\n', '\r', 0x2028, 0x2029};
    struct collect set = {.n = 0};

    for (size_t i = 0; i < BAO_COUNT(line_ends); i++)
        if (!add_range(p, &set, line_ends[i], line_ends[i]))
            return NULL;
    return make_set(p, &set, true);
}

static struct bao_pat *parse_atom(struct parser *p)
{
    uint32_t c;

    if (eat(p, '('))
        return parse_group(p);
    if (eat(p, '['))
        return parse_set(p);
    if (eat(p, '.'))
        return parse_dot(p);
    if (eat(p, '\\'))
        return parse_escape(p);
    if (strchr("*+?)]{}", *p->at) != NULL && *p->at != '\0')
        return NULL;
    p->at += bao_utf8_get(p->at, p->end, &c);
    return parse_character(p, c);
}

/* ---- quantifiers ---- */

static bool take_number(struct parser *p, int32_t *ret)
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
static int take_quantifier(struct parser *p, int32_t *min, int32_t *max)
{
    *max = BAO_PAT_FOREVER;
    *min = 0;
    if (eat(p, '*'))
        return 1;
    if (eat(p, '+')) {
        *min = 1;
        return 1;
    }
    if (eat(p, '?')) {
        *max = 1;
        return 1;
    }
    if (!eat(p, '{'))
        return 0;
    if (!take_number(p, min))
        return -1;
    *max = *min;
    if (eat(p, ',')) {
        *max = BAO_PAT_FOREVER;
        if (p->at < p->end && *p->at != '}' && !take_number(p, max))
            return -1;
    }
    return eat(p, '}') && (*max == BAO_PAT_FOREVER || *max >= *min) ? 1 : -1;
}

static struct bao_pat *parse_term(struct parser *p)
{
    struct bao_pat *atom, *pat;
    int32_t min, max;
    int r;

    if (eat(p, '^'))
        return make(p, BAO_PAT_START);
    if (eat(p, '$'))
        return make(p, BAO_PAT_END);
    if (p->end - p->at >= 2 && p->at[0] == '\\' && (p->at[1] == 'b' || p->at[1] == 'B')) {
        pat = make(p, BAO_PAT_BORDER);
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
    pat = make_one(p, BAO_PAT_REPEAT, atom);
    if (pat == NULL)
        return NULL;
    pat->min = min;
    pat->max = max;
    pat->lazy = eat(p, '?');
    return pat;
}

/* Gives a chain of n parts one parent. */
static struct bao_pat *join(struct parser *p, enum bao_pat_type type, struct bao_pat *first, uint32_t n)
{
    struct bao_pat *pat;

    if (n == 1)
        return first;
    pat = make(p, n == 0 ? BAO_PAT_EMPTY : type);
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

static struct bao_pat *parse_sequence(struct parser *p)
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

static struct bao_pat *parse_either(struct parser *p)
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
    } while (eat(p, '|'));
    p->depth--;
    return join(p, BAO_PAT_EITHER, first, n);
}

int bao_pat_parse(struct bao_arena *a, struct bao_str pattern, size_t *ret_at, struct bao_pat **ret)
{
    struct parser p = {.arena = a, .start = pattern.n == 0 ? "" : pattern.p};
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
