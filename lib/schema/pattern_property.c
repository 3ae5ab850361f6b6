/* \p{…}: the Unicode properties that ECMA-262 names, as PCRE2 names them. */
#include "lib/schema/pattern_parser.h"

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
static struct bao_str property_text(struct bao_pat_parser *p, struct bao_str name)
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

bool bao_pat_add_property(struct bao_pat_parser *p, struct bao_pat_collect *c, bool negated)
{
    const char *close;
    struct bao_str text;

    if (!bao_pat_eat(p, '{'))
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
