#include "lib/doc/yaml.h"
#include "lib/base/utf8.h"

/* libyaml explains what its grammar missed; a clerk needs to hear what was typed wrong. Each of its problems
 * goes to a function that looks at the text around it and picks our own sentence. */

typedef int explain(struct bao_loading *l, const struct bao_yaml_fault *f);

static char octet_at(const struct bao_loading *l, size_t at)
{
    return at < l->text.n ? l->text.p[at] : '\0';
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The line around an octet, without the spaces around it. */
static struct bao_str line_around(const struct bao_loading *l, size_t at)
{
    size_t from = at, to = at;

    while (from != 0 && !is_break(l->text.p[from - 1]))
        from--;
    while (to < l->text.n && !is_break(l->text.p[to]))
        to++;
    while (from < to && is_space(l->text.p[from]))
        from++;
    while (to > from && is_space(l->text.p[to - 1]))
        to--;
    return (struct bao_str){l->text.p + from, to - from};
}

static size_t offset_of(const struct bao_loading *l, struct bao_str piece)
{
    return (size_t)(piece.p - l->text.p);
}

static bool first_on_line(const struct bao_loading *l, size_t at)
{
    return offset_of(l, line_around(l, at)) >= at;
}

/* The whole character at an octet. */
static struct bao_str character_at(const struct bao_loading *l, size_t at)
{
    uint32_t c;

    if (at >= l->text.n)
        return BAO_STR("");
    return (struct bao_str){l->text.p + at, bao_utf8_get(l->text.p + at, l->text.p + l->text.n, &c)};
}

static int refuse_special(struct bao_loading *l, size_t at)
{
    struct bao_str c = character_at(l, at);

    return bao_loading_refuse_text(l, BAO_BC_YAML_SPECIAL, at, c.n, c);
}

static int general(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return bao_loading_refuse(l, BAO_BC_PARSE, f->at, 0);
}

static int control(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return bao_loading_refuse(l, BAO_BC_CONTROL, f->at, 1);
}

static int tab(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return bao_loading_refuse(l, BAO_BC_YAML_TAB, f->at, 1);
}

static int bad_start(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return octet_at(l, f->at) == '\t' ? tab(l, f) : refuse_special(l, f->at);
}

static int special_context(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return refuse_special(l, f->context_at);
}

/* The first ':' of a line that is not followed by a space, or NULL. */
static const char *tight_colon(struct bao_str line)
{
    for (size_t i = 1; i + 1 < line.n; i++)
        if (line.p[i] == ':' && !is_space(line.p[i + 1]))
            return line.p + i;
    return NULL;
}

#define WIDE_COLON "\xef\xbc\x9a" /* U+FF1A */

static const char *find_wide_colon(struct bao_str line)
{
    return line.n == 0 ? NULL : memmem(line.p, line.n, WIDE_COLON, strlen(WIDE_COLON));
}

bool bao_is_wide_colon(struct bao_arena *arena, struct bao_str line, struct bao_str *ret_name,
                       struct bao_str *ret_mended)
{
    const char *colon = find_wide_colon(line);
    size_t before = colon == NULL ? 0 : (size_t)(colon - line.p), width = strlen(WIDE_COLON);
    struct bao_str rest;

    if (before == 0 || memchr(line.p, '\n', before) != NULL)
        return false;
    rest = (struct bao_str){colon + width, line.n - before - width};
    while (rest.n != 0 && is_space(rest.p[0]))
        rest = (struct bao_str){rest.p + 1, rest.n - 1};
    while (before != 0 && is_space(line.p[before - 1]))
        before--;
    if (find_wide_colon(rest) != NULL || (rest.n != 0 && memchr(rest.p, '\n', rest.n) != NULL))
        rest = BAO_STR("…");
    *ret_name = bao_arena_str(arena, (struct bao_str){line.p, before});
    *ret_mended = bao_arena_printf(arena, "%.*s:%s%.*s", (int)before, line.p, rest.n == 0 ? "" : " ",
                                   BAO_STR_ARG(rest));
    return true;
}

/* The wide colon stands where the plain one should. */
static int wide_colon(struct bao_loading *l, struct bao_str line, const char *colon)
{
    struct bao_finding *finding =
        bao_loading_finding(l, BAO_BC_YAML_WIDE_COLON, (size_t)(colon - l->text.p), strlen(WIDE_COLON));
    struct bao_str name, mended;

    if (finding != NULL && bao_is_wide_colon(l->arena, line, &name, &mended)) {
        bao_finding_arg(finding, name);
        bao_finding_arg(finding, mended);
    }
    return BAO_LOAD_E_REFUSED;
}

/* A line that should be "key: value" and is not. */
static int no_colon(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    struct bao_str line = line_around(l, f->context_at);
    const char *colon = tight_colon(line), *wide = find_wide_colon(line);
    struct bao_finding *finding;
    size_t before, odd;

    if (wide != NULL && wide != line.p && (colon == NULL || wide < colon))
        return wide_colon(l, line, wide);
    odd = colon == NULL ? 0 : bao_utf8_odd_space(colon + 1, line.p + line.n);
    if (odd != 0)
        return bao_loading_refuse(l, BAO_BC_YAML_SPACE, (size_t)(colon + 1 - l->text.p), odd);
    if (colon == NULL)
        return bao_loading_refuse_text(l, BAO_BC_YAML_NO_COLON, offset_of(l, line), line.n, line);
    finding = bao_loading_finding(l, BAO_BC_YAML_COLON_SPACE, (size_t)(colon - l->text.p), 1);
    before = (size_t)(colon - line.p) + 1;
    if (finding != NULL) {
        bao_finding_arg(finding, bao_arena_str(l->arena, line));
        bao_finding_arg(finding, bao_arena_printf(l->arena, "%.*s %.*s", (int)before, line.p,
                                                  (int)(line.n - before), colon + 1));
    }
    return BAO_LOAD_E_REFUSED;
}

static int unexpected_colon(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return no_colon(
        l, &(struct bao_yaml_fault){.problem = f->problem, .context = "", .at = f->at, .context_at = f->at});
}

/* The line before this one that is not blank, without its spaces; empty when there is none. */
static struct bao_str line_before(const struct bao_loading *l, size_t at)
{
    size_t end = at;

    while (end != 0 && !is_break(l->text.p[end - 1]))
        end--;
    while (end != 0 && (is_break(l->text.p[end - 1]) || is_space(l->text.p[end - 1])))
        end--;
    return end == 0 ? BAO_STR("") : line_around(l, end - 1);
}

/* Octets between the start of a line and its first word. */
static size_t indentation(const struct bao_loading *l, struct bao_str line)
{
    size_t from = offset_of(l, line), n = 0;

    while (from > n && is_space(l->text.p[from - n - 1]))
        n++;
    return n;
}

static int two_colons(struct bao_loading *l, struct bao_str line, const char *value)
{
    struct bao_str text;

    while (is_space(*value))
        value++;
    text = (struct bao_str){value, (size_t)(line.p + line.n - value)};
    return bao_loading_refuse_text(l, BAO_BC_YAML_TWO_COLONS, offset_of(l, text), text.n, text);
}

/* A colon where none may be: the second on its line; or the line before, of the same indentation, had none
 * and was taken for the beginning of this one's text; or this line stands deeper than it should. */
static int values_not_allowed(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    struct bao_str line = line_around(l, f->at), before = line_before(l, f->at);
    size_t from = offset_of(l, line);
    const char *colon = f->at > from ? memmem(line.p, f->at - from, ": ", 2) : NULL;

    if (colon != NULL)
        return two_colons(l, line, colon + 1);
    if (before.n != 0 && before.p[0] != '#' && before.p[before.n - 1] != ':' &&
        memmem(before.p, before.n, ": ", 2) == NULL && indentation(l, before) == indentation(l, line))
        return no_colon(l,
                        &(struct bao_yaml_fault){.problem = f->problem, .context_at = offset_of(l, before)});
    return bao_loading_refuse(l, BAO_BC_YAML_INDENT, from, 0);
}

static int list_inline(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    if (first_on_line(l, f->at))
        return bao_loading_refuse(l, BAO_BC_YAML_INDENT, f->at, 0);
    return bao_loading_refuse(l, BAO_BC_YAML_LIST_INLINE, f->at, 1);
}

/* Something that fits in nowhere: behind a value on its line, or on a line with the wrong indentation. */
static int misplaced(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    if (f->at < l->text.n && !first_on_line(l, f->at))
        return bao_loading_refuse(l, BAO_BC_YAML_AFTER_QUOTE, f->at, 0);
    if (octet_at(l, f->at) == ':')
        return bao_loading_refuse(l, BAO_BC_NULL_KEY, f->at, 1);
    if (octet_at(l, f->at) == '}' || octet_at(l, f->at) == ']')
        return refuse_special(l, f->at);
    return bao_loading_refuse(l, strstr(f->problem, "'-'") != NULL ? BAO_BC_YAML_DASH : BAO_BC_YAML_INDENT,
                              f->at, 0);
}

static int after_end(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    /* After directives the document must begin with "---". */
    if (octet_at(l, 0) == '%')
        return bao_loading_refuse(l, BAO_BC_YAML_DIRECTIVE, 0, 1);
    return bao_loading_refuse(l, BAO_BC_YAML_AFTER_QUOTE, f->at, 0);
}

static bool nothing_follows(const struct bao_loading *l, size_t at)
{
    while (at < l->text.n && (is_space(l->text.p[at]) || is_break(l->text.p[at])))
        at++;
    return at >= l->text.n;
}

static int bracket(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    char open = octet_at(l, f->context_at);
    struct bao_finding *finding;

    if (nothing_follows(l, f->at))
        return bao_loading_refuse_text(l, BAO_BC_YAML_BRACKET, f->context_at, 1,
                                       character_at(l, f->context_at));
    finding = bao_loading_finding(l, BAO_BC_YAML_FLOW, f->at, 0);
    if (finding != NULL) {
        bao_finding_arg(finding,
                        bao_arena_printf(l->arena, "%u", bao_loading_place(l->text, f->context_at, 0).line));
        bao_finding_arg(finding, open == '{' ? BAO_STR("}") : BAO_STR("]"));
    }
    return BAO_LOAD_E_REFUSED;
}

static int no_content(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    if (nothing_follows(l, f->at))
        return general(l, f);
    return refuse_special(l, f->at);
}

static int open_quote(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return bao_loading_refuse(l, BAO_BC_YAML_QUOTE, f->context_at, 1);
}

static int escape(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    size_t at = f->at;

    /* libyaml points behind the backslash for some escapes and at it for others. */
    while (at > f->context_at && octet_at(l, at) != '\\')
        at--;
    return bao_loading_refuse(l, BAO_BC_YAML_ESCAPE, at, 2);
}

static int block(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    return bao_loading_refuse_text(l, BAO_BC_YAML_BLOCK, f->context_at, 1, character_at(l, f->context_at));
}

static int directive(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    size_t at = f->at;

    while (at != 0 && !is_break(l->text.p[at - 1]))
        at--;
    return bao_loading_refuse(l, BAO_BC_YAML_DIRECTIVE, at, 0);
}

static int tag_handle(struct bao_loading *l, const struct bao_yaml_fault *f)
{
    size_t to = f->at;

    while (to < l->text.n && !is_space(l->text.p[to]) && !is_break(l->text.p[to]))
        to++;
    return bao_loading_refuse_text(l, BAO_BC_TAG_UNKNOWN, f->at, to - f->at,
                                   (struct bao_str){l->text.p + f->at, to - f->at});
}

/* The first row whose words stand in the fault's context and problem. */
static const struct {
    const char *context, *problem;
    explain *run;
} rows[] = {
    {"", "control characters are not allowed", control},
    {"", "found character that cannot start any token", bad_start},
    {"", "found a tab character", tab},
    {"directive", "", directive},
    {"", "YAML document", directive},
    {"", "duplicate %", directive},
    {"", "found undefined tag handle", tag_handle},
    {"scanning a tag", "", special_context},
    {"parsing a tag", "", special_context},
    {"scanning an anchor", "", special_context},
    {"scanning an alias", "", special_context},
    {"block scalar", "", block},
    {"quoted scalar", "found unexpected", open_quote},
    {"quoted scalar", "", escape},
    {"", "could not find expected ':'", no_colon},
    {"", "found unexpected ':'", unexpected_colon},
    {"", "mapping values are not allowed", values_not_allowed},
    {"", "mapping keys are not allowed", bad_start},
    {"", "block sequence entries are not allowed", list_inline},
    {"", "did not find expected key", misplaced},
    {"", "did not find expected '-' indicator", misplaced},
    {"", "did not find expected ','", bracket},
    {"", "did not find expected node content", no_content},
    {"", "did not find expected <document start>", after_end},
    {"", "", general},
};

enum { SIMPLE_KEY_MAX = 1024 /* characters; YAML 1.1 section 9.3 and libyaml */ };

/* Of a line up to a colon: what stands behind the last bracket or comma, where a name in brackets begins. */
static struct bao_str in_brackets(struct bao_str line)
{
    size_t from = line.n;

    while (from != 0 && strchr("{[,", line.p[from - 1]) == NULL)
        from--;
    return (struct bao_str){line.p + from, line.n - from};
}

/* Is the fault that so long a name stands before this colon that libyaml does not take it for one? *ret:
 * where the name begins. */
static bool is_long_key(const struct bao_loading *l, size_t at, size_t *ret)
{
    struct bao_str key = line_around(l, at);
    size_t from = offset_of(l, key);

    if (octet_at(l, at) != ':' || from >= at)
        return false;
    key.n = at - from;
    if (memmem(key.p, key.n, ": ", 2) != NULL)
        key = in_brackets(key);
    while (key.n != 0 && (is_space(key.p[0]) || key.p[0] == '-' || key.p[0] == '{' || key.p[0] == '['))
        key = (struct bao_str){key.p + 1, key.n - 1};
    *ret = at - key.n;
    return key.n > SIMPLE_KEY_MAX && memmem(key.p, key.n, ": ", 2) == NULL &&
           bao_utf8_count(key) > SIMPLE_KEY_MAX;
}

int bao_yaml_refuse(struct bao_loading *l, const struct bao_yaml_fault *fault)
{
    size_t key;

    if (is_long_key(l, fault->at, &key))
        return bao_loading_refuse_number(l, BAO_BC_YAML_LONG_KEY, key, fault->at - key, SIMPLE_KEY_MAX);
    for (size_t i = 0; i < BAO_COUNT(rows); i++)
        if (strstr(fault->context, rows[i].context) != NULL &&
            strstr(fault->problem, rows[i].problem) != NULL)
            return rows[i].run(l, fault);
    return general(l, fault);
}
