/* Mistakes in a single value: what is wrong with it and what was probably meant. */
#include "lib/schema/reporter.h"

#include "lib/base/buf.h"
#include "lib/base/utf8.h"
#include "lib/doc/yaml.h"
#include "lib/schema/format.h"
#include "lib/schema/hint.h"

static struct bao_str text_of(const struct bao_node *node)
{
    return bao_node_str(node);
}

/* ---- type ---- */

static bool wants(const struct bao_sub *sub, enum bao_type type)
{
    return (sub->types >> type & 1) != 0;
}

/* Text where a number is wanted: says which number. */
static bool number_from_text(const struct bao_case *c)
{
    static const uint16_t codes[] = {
        [BAO_HINT_NUMBER] = BAO_BC_NUMBER_QUOTED,       [BAO_HINT_PERCENT] = BAO_BC_NUMBER_PERCENT,
        [BAO_HINT_GROUPS] = BAO_BC_NUMBER_GROUPS,       [BAO_HINT_COMMA] = BAO_BC_NUMBER_COMMA,
        [BAO_HINT_AMBIGUOUS] = BAO_BC_NUMBER_AMBIGUOUS, [BAO_HINT_UNIT] = BAO_BC_NUMBER_UNIT,
        [BAO_HINT_SIGNS] = BAO_BC_NUMBER_SIGNS};
    struct bao_str number = BAO_STR_NULL, other = BAO_STR_NULL;
    enum bao_hint hint = bao_hint_number(c->r->arena, text_of(c->node), &number, &other);
    bool fraction = c->sub->only_whole && hint != BAO_HINT_AMBIGUOUS && number.p != NULL &&
                    memchr(number.p, '.', number.n) != NULL;
    struct bao_finding *f;

    if (hint == BAO_HINT_NONE)
        return false;
    f = bao_report_add(c, fraction ? BAO_BC_WHOLE_WRITTEN : codes[hint], "type");
    bao_finding_arg(f, text_of(c->node));
    bao_finding_arg(f, number);
    if (hint == BAO_HINT_AMBIGUOUS)
        bao_finding_arg(f, other);
    return true;
}

static void want_number(const struct bao_case *c)
{
    bool whole = c->sub->only_whole;
    struct bao_finding *f;

    if (c->node->type == BAO_STRING && number_from_text(c))
        return;
    f = bao_report_add(c, whole ? BAO_BC_WANT_WHOLE : BAO_BC_WANT_NUMBER, "type");
    bao_report_arg(f, bao_report_value(c->r, c->node));
}

/* A bare number, true or null where text is wanted: back it goes between quotes, spelt as it was. */
static void want_text(const struct bao_case *c)
{
    struct bao_str spelling = bao_report_spelling(c->r, c->node), day;
    struct bao_finding *f;
    bool impossible;

    if (c->node->type == BAO_LIST || c->node->type == BAO_MAP) {
        bao_report_arg(bao_report_add(c, BAO_BC_WANT_TEXT, "type"), bao_report_value(c->r, c->node));
        return;
    }
    if (c->sub->format == BAO_FMT_DATE && bao_hint_date(c->r->arena, spelling, &day, &impossible)) {
        f = bao_report_add(c, BAO_BC_DATE_ORDER, "type");
        bao_finding_arg(f, spelling);
        bao_finding_arg(f, day);
        return;
    }
    f = bao_report_add(c, BAO_BC_TEXT_BARE, "type");
    bao_finding_arg(f, spelling);
    bao_finding_arg(f, bao_arena_printf(c->r->arena, "\"%.*s\"", BAO_STR_ARG(spelling)));
}

static void want_bool(const struct bao_case *c)
{
    struct bao_str spelling = bao_report_spelling(c->r, c->node);
    int value =
        c->node->type == BAO_LIST || c->node->type == BAO_MAP ? -1 : bao_hint_bool(c->r->arena, spelling);
    struct bao_finding *f = bao_report_add(c, value < 0 ? BAO_BC_WANT_BOOL : BAO_BC_BOOL_WORD, "type");

    bao_report_arg(f, bao_report_value(c->r, c->node));
    if (value >= 0)
        bao_finding_arg(f, value == 1 ? BAO_STR("true") : BAO_STR("false"));
}

static void want_list(const struct bao_case *c)
{
    struct bao_finding *f;

    if (c->node->type == BAO_MAP) {
        bao_report_arg(bao_report_add(c, BAO_BC_WANT_LIST, "type"), bao_report_value(c->r, c->node));
        return;
    }
    f = bao_report_add(c, BAO_BC_LIST_ONE, "type");
    bao_report_arg(f, bao_report_value(c->r, c->node));
    bao_finding_arg(f, bao_report_spelling(c->r, c->node));
}

static void want_map(const struct bao_case *c)
{
    struct bao_str name, mended;
    struct bao_finding *f;

    if (c->node->type != BAO_STRING || !bao_is_wide_colon(c->r->arena, text_of(c->node), &name, &mended)) {
        bao_report_arg(bao_report_add(c, BAO_BC_WANT_MAP, "type"), bao_report_value(c->r, c->node));
        return;
    }
    f = bao_report_add(c, BAO_BC_YAML_WIDE_COLON, "type");
    bao_finding_arg(f, name);
    bao_finding_arg(f, mended);
}

/* A fraction where a whole number is wanted. Where JSON says 1.500 that may be a thousand and a half. */
static void blame_fraction(const struct bao_case *c)
{
    struct bao_str spelling = bao_report_spelling(c->r, c->node);
    bool thousand = bao_core_is_thousand(spelling);
    struct bao_finding *f =
        bao_report_add(c, thousand ? BAO_BC_WHOLE_OR_GROUPS : BAO_BC_WHOLE_FRACTION, "type");

    bao_finding_arg(f, spelling);
    if (thousand)
        bao_finding_arg(f, bao_arena_printf(c->r->arena, "%.*s%.*s", (int)spelling.n - 4, spelling.p, 3,
                                            spelling.p + spelling.n - 3));
}

bool bao_blame_type(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;
    unsigned types = sub->types;

    if (wants(sub, (enum bao_type)c->node->type) &&
        !(c->node->type == BAO_DEC && sub->only_whole && c->node->dec->exponent < 0))
        return false;
    types &= ~(1u << BAO_NULL);
    if (c->node->type == BAO_NULL) {
        bao_report_arg(bao_report_add(c, BAO_BC_EMPTY, "type"), bao_report_wanted(c->r, sub));
    } else if (c->node->type == BAO_DEC && sub->only_whole) {
        blame_fraction(c);
    } else if (types == 0) {
        bao_report_arg(bao_report_add(c, BAO_BC_WANT_EMPTY, "type"), bao_report_value(c->r, c->node));
    } else if (types == (1u << BAO_INT | 1u << BAO_DEC)) {
        want_number(c);
    } else if (types == 1u << BAO_STRING) {
        want_text(c);
    } else if (types == 1u << BAO_BOOL) {
        want_bool(c);
    } else if (types == 1u << BAO_LIST) {
        want_list(c);
    } else if (types == 1u << BAO_MAP) {
        want_map(c);
    } else {
        struct bao_finding *f = bao_report_add(c, BAO_BC_WANT_SEVERAL, "type");

        bao_report_arg(f, bao_report_value(c->r, c->node));
        bao_report_arg(f, bao_report_wanted(c->r, sub));
    }
    return true;
}

/* ---- const and enum ---- */

static bool is_allowed(const struct bao_case *c, const struct bao_node *value)
{
    struct bao_str a, b;

    if (bao_node_equal(value, c->node))
        return true;
    if (!c->r->schema->form || value->type != BAO_STRING || c->node->type != BAO_STRING)
        return false;
    a = bao_text_norm(c->r->arena, text_of(value));
    b = bao_text_norm(c->r->arena, text_of(c->node));
    return a.p != NULL && b.p != NULL && bao_str_eq(a, b);
}

/* The allowed text that differs only in case, accents or a slip of the hand; NULL when none is near. */
static const struct bao_node *nearest(const struct bao_case *c, const struct bao_node *items, uint32_t n)
{
    struct bao_str folded = bao_utf8_fold(c->r->arena, bao_report_spelling(c->r, c->node));
    const struct bao_node *best = NULL;
    size_t limit = folded.n < 4 ? 0 : folded.n < 9 ? 1 : 2;

    for (uint32_t i = 0; folded.p != NULL && i < n && i < 2000; i++) {
        struct bao_str known;
        size_t d;

        if (items[i].type != BAO_STRING)
            continue;
        known = bao_utf8_fold(bao_run_arena(c->r->scratch), text_of(&items[i]));
        d = known.p == NULL ? limit + 1 : bao_utf8_distance(folded, known, limit);
        if (d <= limit && (best == NULL || d < limit)) {
            best = &items[i];
            limit = d;
        }
    }
    return best;
}

enum { LISTED = 12 };

static struct bao_str list_values(const struct bao_reporter *r, const struct bao_node *items, uint32_t n)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(4096);
    int e = 0;

    for (uint32_t i = 0; i < n && i < LISTED && e == 0; i++) {
        if (i != 0)
            e = bao_buf_append_c(&out, ", ");
        if (e == 0 && items[i].type == BAO_STRING)
            e = bao_buf_append_str(&out, text_of(&items[i]));
        else if (e == 0)
            e = bao_node_print_json(&out, &items[i]);
    }
    if (e == 0 && n > LISTED)
        e = bao_buf_append_c(&out, ", …");
    return e == 0 ? bao_arena_str(r->arena, bao_buf_str(&out)) : BAO_STR("…");
}

static bool blame_enum(const struct bao_case *c, const struct bao_node *items, uint32_t n,
                       const char *keyword)
{
    const struct bao_node *near;
    struct bao_finding *f;

    for (uint32_t i = 0; i < n; i++)
        if (is_allowed(c, &items[i]))
            return false;
    near = c->node->type == BAO_LIST || c->node->type == BAO_MAP ? NULL : nearest(c, items, n);
    f = bao_report_add(c, near != NULL ? BAO_BC_ENUM_NEAR : n == 1 ? BAO_BC_CONST : BAO_BC_ENUM, keyword);
    bao_report_arg(f, bao_report_value(c->r, c->node));
    bao_finding_arg(f, near != NULL ? text_of(near) : list_values(c->r, items, n));
    return true;
}

bool bao_blame_value(const struct bao_case *c)
{
    const struct bao_node *is = c->sub->kw.at[BAO_KW_CONST], *in = c->sub->kw.at[BAO_KW_ENUM];

    if (is != NULL && blame_enum(c, is, 1, "const"))
        return true;
    return in != NULL && in->type == BAO_LIST && blame_enum(c, in->items, in->len, "enum");
}

/* ---- numbers ---- */

static bool blame_bound(const struct bao_case *c, enum bao_kw kw, int wrong, bool exclusive, unsigned code)
{
    const struct bao_node *bound = c->sub->kw.at[kw];
    struct bao_finding *f;
    int order;

    if (bound == NULL || !bao_node_is_number(bound))
        return false;
    order = bao_num_cmp(bao_node_num(c->node), bao_node_num(bound));
    if (order != wrong && !(exclusive && order == 0))
        return false;
    if (code == BAO_BC_MINIMUM && bao_num_sign(bao_node_num(bound)) == 0)
        code = BAO_BC_NEGATIVE;
    f = bao_report_add(c, code, bao_keyword_info(kw)->name);
    bao_finding_arg(f, bao_report_spelling(c->r, c->node));
    bao_finding_arg(f, bao_report_spelling(c->r, bound));
    return true;
}

static bool blame_multiple(const struct bao_case *c)
{
    const struct bao_node *by = c->sub->kw.at[BAO_KW_MULTIPLE_OF];
    struct bao_finding *f;
    bool decimals;

    if (by == NULL || !bao_node_is_number(by) ||
        bao_num_is_multiple(bao_run_arena(c->r->scratch), bao_node_num(c->node), bao_node_num(by)) != 0)
        return false;
    decimals =
        by->type == BAO_DEC && by->dec->n_limbs == 1 && by->dec->limbs[0] == 1 && by->dec->exponent < 0;
    f = bao_report_add(c, decimals ? BAO_BC_DECIMALS : BAO_BC_MULTIPLE, "multipleOf");
    bao_finding_arg(f, bao_report_spelling(c->r, c->node));
    bao_finding_arg(f, decimals ? bao_report_count(c->r, (uint64_t)-by->dec->exponent)
                                : bao_report_spelling(c->r, by));
    return true;
}

static bool blame_thousand(const struct bao_case *c)
{
    struct bao_str spelling;
    struct bao_finding *f;

    if (!c->r->schema->form || !c->sub->only_whole || !bao_is_thousand(c->node))
        return false;
    spelling = bao_report_spelling(c->r, c->node);
    f = bao_report_add(c, BAO_BC_WHOLE_THOUSAND, "type");
    bao_finding_arg(f, spelling);
    bao_finding_arg(f, bao_arena_printf(c->r->arena, "%lld000", (long long)c->node->i));
    bao_finding_arg(f, bao_arena_printf(c->r->arena, "%lld", (long long)c->node->i));
    return true;
}

bool bao_blame_number(const struct bao_case *c)
{
    bool found = blame_thousand(c);

    found |= blame_bound(c, BAO_KW_MINIMUM, -1, false, BAO_BC_MINIMUM);
    found |= blame_bound(c, BAO_KW_EXCLUSIVE_MINIMUM, -1, true, BAO_BC_ABOVE);
    found |= blame_bound(c, BAO_KW_MAXIMUM, 1, false, BAO_BC_MAXIMUM);
    found |= blame_bound(c, BAO_KW_EXCLUSIVE_MAXIMUM, 1, true, BAO_BC_BELOW);
    return found || blame_multiple(c);
}

/* ---- text ---- */

static bool blame_length(const struct bao_case *c, struct bao_str text)
{
    const struct bao_node *min = c->sub->kw.at[BAO_KW_MIN_LENGTH], *max = c->sub->kw.at[BAO_KW_MAX_LENGTH];
    struct bao_num n = bao_num_int((int64_t)bao_utf8_count(text));
    bool is_short = min != NULL && bao_node_is_number(min) && bao_num_cmp(n, bao_node_num(min)) < 0;
    bool is_long = max != NULL && bao_node_is_number(max) && bao_num_cmp(n, bao_node_num(max)) > 0;
    struct bao_finding *f;

    if (!is_short && !is_long)
        return false;
    if (n.i == 0) {
        bao_report_add(c, BAO_BC_EMPTY_TEXT, "minLength");
        return true;
    }
    f = bao_report_add(c, is_short ? BAO_BC_SHORT : BAO_BC_LONG, is_short ? "minLength" : "maxLength");
    bao_finding_arg(f, bao_report_count(c->r, (uint64_t)n.i));
    bao_finding_arg(f, bao_report_spelling(c->r, is_short ? min : max));
    return true;
}

static bool blame_date(const struct bao_case *c, struct bao_str text)
{
    struct bao_str day;
    bool impossible;
    struct bao_finding *f;

    if (bao_hint_date(c->r->arena, text, &day, &impossible)) {
        f = bao_report_add(c, BAO_BC_DATE_ORDER, "format");
        bao_finding_arg(f, text);
        bao_finding_arg(f, day);
    } else {
        bao_finding_arg(bao_report_add(c, impossible ? BAO_BC_DATE_NONE : BAO_BC_DATE, "format"), text);
    }
    return true;
}

static bool blame_format(const struct bao_case *c, struct bao_str text)
{
    static const uint16_t codes[BAO_FMT_COUNT] = {
        [BAO_FMT_DATE_TIME] = BAO_BC_DATE_TIME, [BAO_FMT_TIME] = BAO_BC_TIME,
        [BAO_FMT_DURATION] = BAO_BC_DURATION,   [BAO_FMT_EMAIL] = BAO_BC_EMAIL,
        [BAO_FMT_HOSTNAME] = BAO_BC_HOSTNAME,   [BAO_FMT_IPV4] = BAO_BC_ADDRESS,
        [BAO_FMT_IPV6] = BAO_BC_ADDRESS,        [BAO_FMT_URI] = BAO_BC_URI,
        [BAO_FMT_URI_REFERENCE] = BAO_BC_URI,   [BAO_FMT_IRI] = BAO_BC_URI,
        [BAO_FMT_IRI_REFERENCE] = BAO_BC_URI,   [BAO_FMT_UUID] = BAO_BC_UUID};
    enum bao_format format = (enum bao_format)c->sub->format;
    struct bao_finding *f;
    const char *name;

    if (format == BAO_FMT_NONE || bao_format_is(format, text))
        return false;
    if (format == BAO_FMT_DATE)
        return blame_date(c, text);
    name = format == BAO_FMT_IPV4 ? "IPv4" : format == BAO_FMT_IPV6 ? "IPv6" : bao_format_name(format);
    f = bao_report_add(c, codes[format] != 0 ? codes[format] : BAO_BC_FORMAT, "format");
    bao_finding_arg(f, text);
    bao_finding_arg(f, bao_str_c(name));
    return true;
}

static bool blame_pattern(const struct bao_case *c, struct bao_str text)
{
    const struct bao_node *examples;
    struct bao_str pattern, nfc;
    bool has_example;
    struct bao_finding *f;
    int found;

    if (c->sub->pattern == NULL)
        return false;
    found = bao_run_match(c->r->scratch, c->sub->pattern, text);
    if (found == 1)
        return false;
    pattern = bao_node_str(c->sub->kw.at[BAO_KW_PATTERN]);
    if (found < 0) {
        c->r->costly = false;
        bao_finding_arg(bao_report_add(c, BAO_BC_PATTERN_COSTLY, "pattern"), pattern);
        return true;
    }
    nfc = bao_utf8_nfc(c->r->arena, text);
    found = nfc.p == NULL || nfc.p == text.p ? 0 : bao_run_match(c->r->scratch, c->sub->pattern, nfc);
    examples = c->sub->kw.at[BAO_KW_EXAMPLES];
    has_example = examples != NULL && examples->type == BAO_LIST && examples->len != 0 &&
                  examples->items[0].type == BAO_STRING;
    f = bao_report_add(c,
                       found == 1    ? BAO_BC_PATTERN_NFC
                       : has_example ? BAO_BC_PATTERN_EXAMPLE
                                     : BAO_BC_PATTERN,
                       "pattern");
    bao_finding_arg(f, text);
    bao_finding_arg(f, found == 1 ? nfc : has_example ? bao_node_str(&examples->items[0]) : pattern);
    return true;
}

bool bao_blame_text(const struct bao_case *c)
{
    struct bao_str text = text_of(c->node);

    if (c->sub->normalize) {
        text = bao_utf8_nfc(c->r->arena, text);
        if (text.p == NULL) {
            c->r->error = -ENOMEM;
            return true;
        }
    }
    /* One complaint about a text is enough: the others mostly follow from it. */
    return blame_length(c, text) || blame_format(c, text) || blame_pattern(c, text);
}
