/* Running patterns: by a table where they are regular, else by PCRE2 from a text written anew. */
#include "lib/schema/regex.h"

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/schema/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    QUICK_LIMIT = 5000,   /* enough for all but the worst, */
    MATCH_LIMIT = 300000, /* which are tried once more up to here */
    QUICK_COST = 50,
    SLOW_COST = 500000, /* so that a run can afford but a few of them */
    HEAP_KIB = 8192,
    JIT_STACK = 512 << 10,
    MOST_PATTERN = 64 << 10,
    MOST_REWRITTEN = 1 << 20,
    MOST_REPEAT = 65535,
};

struct bao_regex {
    struct bao_arena arena;
    struct bao_automaton table; /* next NULL: PCRE2 it is */
    pcre2_code *code;
    bool jit;
    struct bao_regex *next;
};

struct bao_regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *quick, *slow;
    pcre2_jit_stack *stack;
    uint32_t cost;
};

/* ---- rewriting ---- */

static int write_pat(struct bao_buf *out, const struct bao_pat *pat);

static int write_range(struct bao_buf *out, struct bao_pat_range range)
{
    /* PCRE2 refuses halves of pairs, which no valid text has anyway. */
    if (range.lo >= 0xd800 && range.lo < 0xe000)
        range.lo = 0xe000;
    if (range.hi >= 0xd800 && range.hi < 0xe000)
        range.hi = 0xd7ff;
    if (range.lo > range.hi)
        return 0;
    return range.lo == range.hi
               ? bao_buf_printf(out, "\\x{%x}", (unsigned)range.lo)
               : bao_buf_printf(out, "\\x{%x}-\\x{%x}", (unsigned)range.lo, (unsigned)range.hi);
}

static int write_set(struct bao_buf *out, const struct bao_pat *pat)
{
    size_t before;
    int r;

    if (pat->n == 1 && pat->n_properties == 0 && pat->ranges[0].lo == 0 && pat->ranges[0].hi == 0x10ffff)
        return bao_buf_append_c(out, "(?s:.)");
    r = bao_buf_append_c(out, pat->negated ? "[^" : "[");
    before = bao_buf_len(out);
    for (uint32_t i = 0; i < pat->n && r == 0; i++)
        r = write_range(out, pat->ranges[i]);
    for (uint32_t i = 0; i < pat->n_properties && r == 0; i++)
        r = bao_buf_printf(out, "\\%c{%.*s}", pat->properties[i].negated ? 'P' : 'p',
                           BAO_STR_ARG(pat->properties[i].text));
    if (r == 0 && bao_buf_len(out) == before) {
        /* Nothing at all: a set that never matches. */
        out->end -= pat->negated ? 2 : 1;
        return bao_buf_append_c(out, "(?!)");
    }
    return r == 0 ? bao_buf_append_c(out, "]") : r;
}

static int write_children(struct bao_buf *out, const struct bao_pat *pat, const char *open,
                          const char *between)
{
    int r = bao_buf_append_c(out, open);

    for (uint32_t i = 0; i < pat->n && r == 0; i++) {
        if (i != 0)
            r = bao_buf_append_c(out, between);
        if (r == 0)
            r = write_pat(out, pat->children[i]);
    }
    return r == 0 ? bao_buf_append_c(out, ")") : r;
}

static int write_repeat(struct bao_buf *out, const struct bao_pat *pat)
{
    int r;

    if (pat->min > MOST_REPEAT || pat->max > MOST_REPEAT)
        return -E2BIG;
    r = write_children(out, pat, "(?:", "");
    if (r == 0)
        r = pat->max == BAO_PAT_FOREVER ? bao_buf_printf(out, "{%d,}", pat->min)
                                        : bao_buf_printf(out, "{%d,%d}", pat->min, pat->max);
    return r == 0 && pat->lazy ? bao_buf_append_c(out, "?") : r;
}

static int write_pat(struct bao_buf *out, const struct bao_pat *pat)
{
    switch ((enum bao_pat_type)pat->type) {
    case BAO_PAT_EMPTY:
        return 0;
    case BAO_PAT_SET:
        return write_set(out, pat);
    case BAO_PAT_SEQUENCE:
        return write_children(out, pat, "(?:", "");
    case BAO_PAT_EITHER:
        /* A lookbehind wants its alternatives at its top. */
        return write_children(out, pat, "(?:", "|");
    case BAO_PAT_REPEAT:
        return write_repeat(out, pat);
    case BAO_PAT_GROUP:
        return write_children(out, pat, "(", "");
    case BAO_PAT_LOOK:
        if (pat->children[0]->type == BAO_PAT_EITHER)
            return write_children(out, pat->children[0],
                                  pat->behind    ? pat->negated ? "(?<!" : "(?<="
                                  : pat->negated ? "(?!"
                                                 : "(?=",
                                  "|");
        return write_children(out, pat,
                              pat->behind    ? pat->negated ? "(?<!" : "(?<="
                              : pat->negated ? "(?!"
                                             : "(?=",
                              "");
    case BAO_PAT_BACK:
        return bao_buf_printf(out, "\\g{%u}", (unsigned)pat->n);
    case BAO_PAT_START:
        return bao_buf_append_c(out, "^");
    case BAO_PAT_END:
        return bao_buf_append_c(out, "$");
    case BAO_PAT_BORDER:
        return bao_buf_append_c(out, pat->negated ? "\\B" : "\\b");
    }
    return 0;
}

/* ---- compiling ---- */

struct bao_regex *bao_regex_free(struct bao_regex *regex)
{
    while (regex != NULL) {
        struct bao_regex *next = regex->next;

        pcre2_code_free(regex->code);
        bao_arena_deinit(&regex->arena);
        free(regex);
        regex = next;
    }
    return NULL;
}

static void regex_freep(struct bao_regex **regex)
{
    *regex = bao_regex_free(*regex);
}

struct bao_regex *bao_regex_chain(struct bao_regex *regex, struct bao_regex *next)
{
    regex->next = next;
    return regex;
}

/* The written text as PCRE2 code. A text we wrote fails only for a property nobody knows, a lookbehind
 * without bound, or its size. */
static int compile_code(const struct bao_pat *pat, pcre2_code **ret)
{
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(MOST_REWRITTEN);
    PCRE2_SIZE where;
    int error, r = write_pat(&text, pat);

    if (r == 0)
        r = bao_buf_append_c(&text, "");
    if (r < 0)
        return r == -ENOMEM ? r : BAO_REGEX_E_UNSUPPORTED;
    *ret = pcre2_compile((PCRE2_SPTR)(bao_buf_data(&text) == NULL ? "" : bao_buf_data(&text)),
                         bao_buf_len(&text), options, &error, &where, NULL);
    if (*ret != NULL)
        return 0;
    if (error == PCRE2_ERROR_HEAP_FAILED)
        return -ENOMEM;
    return error == PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY || error == PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY
               ? BAO_REGEX_E_SYNTAX
               : BAO_REGEX_E_UNSUPPORTED;
}

static int parse(struct bao_arena *a, struct bao_str pattern, size_t *ret_at, struct bao_pat **ret)
{
    int r;

    if (pattern.n > MOST_PATTERN)
        return BAO_REGEX_E_UNSUPPORTED;
    r = bao_pat_parse(a, pattern, ret_at, ret);
    return r > 0 ? BAO_REGEX_E_SYNTAX : r;
}

int bao_regex_compile(struct bao_str pattern, size_t *ret_at, struct bao_regex **ret)
{
    BAO_CLEANUP(regex_freep) struct bao_regex *regex = calloc(1, sizeof(*regex));
    struct bao_arena work = BAO_ARENA_NULL(16 << 20);
    struct bao_pat *pat;
    int r;

    if (regex == NULL)
        return -ENOMEM;
    *ret_at = 0;
    r = parse(&work, pattern, ret_at, &pat);
    if (r == 0) {
        r = bao_automaton_init(&regex->arena, pat, &regex->table);
        if (r > 0) {
            r = compile_code(pat, &regex->code);
            /* Where memory may not be both writable and executable there is no JIT; the interpreter does. */
            regex->jit = r == 0 && pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
        }
    }
    bao_arena_deinit(&work);
    if (r == 0)
        *ret = BAO_TAKE(regex);
    return r;
}

static bool has_property(const struct bao_pat *pat)
{
    bool found = pat->n_properties != 0;

    if (pat->type == BAO_PAT_SET || pat->type == BAO_PAT_BACK)
        return found;
    for (uint32_t i = 0; i < pat->n && !found; i++)
        found = has_property(pat->children[i]);
    return found;
}

int bao_regex_check(struct bao_str pattern, size_t *ret_at)
{
    struct bao_arena work = BAO_ARENA_NULL(16 << 20);
    struct bao_pat *pat;
    int r;

    *ret_at = 0;
    r = parse(&work, pattern, ret_at, &pat);
    if (r == 0 && has_property(pat)) {
        pcre2_code *code = NULL;

        r = compile_code(pat, &code);
        pcre2_code_free(code);
    }
    bao_arena_deinit(&work);
    return r == BAO_REGEX_E_UNSUPPORTED ? 0 : r;
}

/* ---- matching ---- */

static pcre2_match_context *new_context(uint32_t limit, pcre2_jit_stack *stack)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);

    if (context == NULL)
        return NULL;
    pcre2_set_match_limit(context, limit);
    pcre2_set_heap_limit(context, HEAP_KIB);
    if (stack != NULL)
        pcre2_jit_stack_assign(context, NULL, stack);
    return context;
}

struct bao_regex_scratch *bao_regex_scratch_new(void)
{
    struct bao_regex_scratch *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->data = pcre2_match_data_create(1, NULL);
    s->stack = pcre2_jit_stack_create(32 << 10, JIT_STACK, NULL);
    s->quick = new_context(QUICK_LIMIT, s->stack);
    s->slow = new_context(MATCH_LIMIT, s->stack);
    if (s->data == NULL || s->quick == NULL || s->slow == NULL)
        return bao_regex_scratch_free(s);
    return s;
}

struct bao_regex_scratch *bao_regex_scratch_free(struct bao_regex_scratch *s)
{
    if (s == NULL)
        return NULL;
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->quick);
    pcre2_match_context_free(s->slow);
    pcre2_jit_stack_free(s->stack);
    free(s);
    return NULL;
}

static int match(const struct bao_regex *regex, struct bao_regex_scratch *s, struct bao_str text,
                 pcre2_match_context *context)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.n == 0 ? "" : text.p);

    if (regex->jit)
        return pcre2_jit_match(regex->code, subject, text.n, 0, 0, s->data, context);
    return pcre2_match(regex->code, subject, text.n, 0, PCRE2_NO_UTF_CHECK, s->data, context);
}

int bao_regex_match(const struct bao_regex *regex, struct bao_regex_scratch *s, struct bao_str text)
{
    int r;

    if (regex->table.next != NULL)
        return bao_automaton_match(&regex->table, text);
    s->cost += QUICK_COST;
    r = match(regex, s, text, s->quick);
    if (r == PCRE2_ERROR_MATCHLIMIT) {
        s->cost += SLOW_COST;
        r = match(regex, s, text, s->slow);
    }
    if (r >= 0)
        return 1;
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    return r == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -E2BIG;
}

const struct bao_automaton *bao_regex_table(const struct bao_regex *regex)
{
    return regex->table.next != NULL ? &regex->table : NULL;
}

uint32_t bao_regex_take_cost(struct bao_regex_scratch *s)
{
    uint32_t cost = s->cost;

    s->cost = 0;
    return cost;
}
