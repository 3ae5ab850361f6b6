/* The functions of the check language. */
#include "lib/expr/ast.h"

#include "lib/base/buf.h"
#include "lib/base/utf8.h"

static int type_error(const struct ast *node, struct bao_value *ret)
{
    *ret = value_error(BAO_BC_EXPR_TYPE, node);
    return 0;
}

static int f_size(struct run *run, const struct ast *node, const struct bao_value *args,
                  struct bao_value *ret)
{
    size_t n;

    (void)run;
    if (args[0].type == BAO_V_STRING)
        n = bao_utf8_count(str_of_value(args[0]));
    else if (args[0].type == BAO_V_LIST)
        n = args[0].len;
    else if (args[0].type == BAO_V_MAP)
        n = bao_value_map_size(args[0]);
    else
        return type_error(node, ret);
    *ret = value_num(bao_num_int((int64_t)n), false);
    return 0;
}

/* Both texts, in NFC when they are a form's, and the budget for looking through them: 1 fine, 0 *ret is the
 * error, -ENOMEM. */
static int two_strings(struct run *run, const struct ast *node, const struct bao_value *args,
                       struct bao_str ret_texts[2], struct bao_value *ret)
{
    if (args[0].type != BAO_V_STRING || args[1].type != BAO_V_STRING) {
        *ret = value_error(BAO_BC_EXPR_TYPE, node);
        return 0;
    }
    if (!run_spend(run, args[0].len / 64)) {
        *ret = value_error(BAO_BC_EXPR_STEPS, node);
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        ret_texts[i] = str_of_value(args[i]);
        if (run->scope->form_text && args[i].len != 0)
            ret_texts[i] = bao_utf8_nfc(run->arena, ret_texts[i]);
        if (ret_texts[i].p == NULL)
            return -ENOMEM;
    }
    return 1;
}

static int f_contains(struct run *run, const struct ast *node, const struct bao_value *args,
                      struct bao_value *ret)
{
    struct bao_str t[2];
    int r = two_strings(run, node, args, t, ret);

    if (r > 0)
        *ret = value_bool(t[1].n == 0 || (t[0].n != 0 && memmem(t[0].p, t[0].n, t[1].p, t[1].n) != NULL));
    return r < 0 ? r : 0;
}

static int f_starts_with(struct run *run, const struct ast *node, const struct bao_value *args,
                         struct bao_value *ret)
{
    struct bao_str t[2];
    int r = two_strings(run, node, args, t, ret);

    if (r > 0)
        *ret = value_bool(t[0].n >= t[1].n && bao_str_eq((struct bao_str){t[0].p, t[1].n}, t[1]));
    return r < 0 ? r : 0;
}

static int f_ends_with(struct run *run, const struct ast *node, const struct bao_value *args,
                       struct bao_value *ret)
{
    struct bao_str t[2];
    int r = two_strings(run, node, args, t, ret);

    if (r > 0)
        *ret = value_bool(t[0].n >= t[1].n &&
                          bao_str_eq((struct bao_str){t[0].p + t[0].n - t[1].n, t[1].n}, t[1]));
    return r < 0 ? r : 0;
}

/* One search costs as much as MATCH_STEPS other steps. */
enum { MATCH_STEPS = 100 };

static int search(struct run *run, const struct ast *node, const struct bao_regex *pattern,
                  struct bao_str text, struct bao_value *ret)
{
    int r;

    if (run->scratch == NULL && (run->scratch = bao_regex_scratch_new()) == NULL)
        return -ENOMEM;
    r = bao_regex_match(pattern, run->scratch, text);
    if (r == -ENOMEM)
        return r;
    *ret = r < 0 ? value_error(BAO_BC_EXPR_PATTERN_RUN, node) : value_bool(r == 1);
    return 0;
}

static int f_matches(struct run *run, const struct ast *node, const struct bao_value *args,
                     struct bao_value *ret)
{
    struct bao_regex *pattern;
    struct bao_str t[2];
    size_t at;
    int r = two_strings(run, node, args, t, ret);

    if (r <= 0)
        return r;
    if (!run_spend(run, MATCH_STEPS)) {
        *ret = value_error(BAO_BC_EXPR_STEPS, node);
        return 0;
    }
    if (node->pattern != NULL)
        return search(run, node, node->pattern, t[0], ret);
    r = bao_regex_compile(t[1], &at, &pattern);
    if (r > 0)
        *ret = value_error(BAO_BC_EXPR_PATTERN_RUN, node);
    if (r != 0)
        return r < 0 ? r : 0;
    r = search(run, node, pattern, t[0], ret);
    bao_regex_free(pattern);
    return r;
}

/* Text to number; whole when `whole`. */
static int read_number(struct run *run, const struct ast *node, struct bao_value v, bool whole,
                       struct bao_value *ret)
{
    struct bao_num num;
    int r = bao_num_parse(run->arena, str_of_value(v), &num);

    if (r < 0)
        return r;
    if (r > 0 || (whole && (memchr(v.str, '.', v.len) != NULL || memchr(v.str, 'e', v.len) != NULL ||
                            memchr(v.str, 'E', v.len) != NULL)))
        *ret = value_error(BAO_BC_EXPR_CONVERT, node);
    else
        *ret = value_num(num, !whole);
    return 0;
}

static int f_int(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret)
{
    struct bao_num num;
    int r;

    if (args[0].type == BAO_V_STRING) {
        r = read_number(run, node, args[0], true, ret);
        if (r == 0 && ret->type == BAO_V_NUM && !ret->num.is_int)
            *ret = value_error(BAO_BC_EXPR_RANGE, node);
        return r;
    }
    if (args[0].type != BAO_V_NUM)
        return type_error(node, ret);
    r = bao_num_trunc(run->arena, args[0].num, &num);
    if (r == 0)
        *ret = num.is_int ? value_num(num, false) : value_error(BAO_BC_EXPR_RANGE, node);
    return bao_error_fold(r);
}

static int f_uint(struct run *run, const struct ast *node, const struct bao_value *args,
                  struct bao_value *ret)
{
    int r = f_int(run, node, args, ret);

    if (r == 0 && ret->type == BAO_V_NUM && bao_num_sign(ret->num) < 0)
        *ret = value_error(BAO_BC_EXPR_RANGE, node);
    return r;
}

static int f_double(struct run *run, const struct ast *node, const struct bao_value *args,
                    struct bao_value *ret)
{
    if (args[0].type == BAO_V_STRING)
        return read_number(run, node, args[0], false, ret);
    if (args[0].type != BAO_V_NUM)
        return type_error(node, ret);
    *ret = value_num(args[0].num, true);
    return 0;
}

static int f_string(struct run *run, const struct ast *node, const struct bao_value *args,
                    struct bao_value *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf buf = BAO_BUF_NULL(8192);
    struct bao_str copy;
    int r;

    if (args[0].type == BAO_V_STRING) {
        *ret = args[0];
        return 0;
    }
    if (args[0].type != BAO_V_NUM && args[0].type != BAO_V_BOOL)
        return type_error(node, ret);
    r = bao_value_print(&buf, args[0]);
    if (r != 0)
        return r;
    copy = bao_arena_str(run->arena, bao_buf_str(&buf));
    if (copy.p == NULL)
        return -ENOMEM;
    *ret = value_str(copy);
    return 0;
}

static int f_bool(struct run *run, const struct ast *node, const struct bao_value *args,
                  struct bao_value *ret)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"True", true},   {"TRUE", true},   {"t", true},  {"1", true},
                 {"false", false}, {"False", false}, {"FALSE", false}, {"f", false}, {"0", false}};

    (void)run;
    *ret = args[0];
    if (args[0].type == BAO_V_BOOL)
        return 0;
    if (args[0].type != BAO_V_STRING)
        return type_error(node, ret);
    *ret = value_error(BAO_BC_EXPR_CONVERT, node);
    for (size_t i = 0; i < BAO_COUNT(words); i++)
        if (bao_str_is(str_of_value(args[0]), words[i].text))
            *ret = value_bool(words[i].value);
    return 0;
}

static int f_dyn(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret)
{
    (void)run;
    (void)node;
    *ret = args[0];
    return 0;
}

static int f_sum(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret)
{
    struct bao_value pair[2] = {value_num(bao_num_int(0), false)};
    int r;

    if (args[0].type != BAO_V_LIST)
        return type_error(node, ret);
    *ret = pair[0];
    for (size_t i = 0; i < args[0].len; i++) {
        pair[0] = *ret;
        pair[1] = bao_value_item(args[0], i);
        if (pair[1].type != BAO_V_NUM)
            return type_error(node, ret);
        r = run_spend(run, 1) ? bao_run_number(run, node, OP_ADD, pair, ret) : type_error(node, ret);
        if (r != 0 || ret->type == BAO_V_ERROR)
            return r;
    }
    return 0;
}

/* The least (sign -1) or greatest (1) of numbers or of texts. */
static int extreme(const struct ast *node, struct bao_value list, int sign, struct bao_value *ret)
{
    struct bao_value best, v;
    int c;

    if (list.len == 0) {
        *ret = value_error(BAO_BC_EXPR_EMPTY, node);
        return 0;
    }
    best = bao_value_item(list, 0);
    for (size_t i = 0; i < list.len; i++) {
        v = bao_value_item(list, i);
        if (v.type != best.type || (v.type != BAO_V_NUM && v.type != BAO_V_STRING))
            return type_error(node, ret);
        c = v.type == BAO_V_NUM ? bao_num_cmp(v.num, best.num)
                                : bao_str_cmp(str_of_value(v), str_of_value(best));
        if (sign < 0 ? c < 0 : c > 0)
            best = v;
    }
    *ret = best;
    return 0;
}

/* list.min(), min(list) and min(a, b, …). */
static int min_or_max(struct run *run, const struct ast *node, const struct bao_value *args, int sign,
                      struct bao_value *ret)
{
    struct bao_value list = {.type = BAO_V_LIST, .len = node->n, .made = args};

    if (node->n == 1 && args[0].type == BAO_V_LIST)
        list = args[0];
    if (!run_spend(run, list.len)) {
        *ret = value_error(BAO_BC_EXPR_STEPS, node);
        return 0;
    }
    return extreme(node, list, sign, ret);
}

static int f_min(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret)
{
    return min_or_max(run, node, args, -1, ret);
}

static int f_max(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret)
{
    return min_or_max(run, node, args, 1, ret);
}

static int f_round(struct run *run, const struct ast *node, const struct bao_value *args,
                   struct bao_value *ret)
{
    struct bao_num num;
    int r;

    if (args[0].type != BAO_V_NUM || args[1].type != BAO_V_NUM)
        return type_error(node, ret);
    if (!args[1].num.is_int || args[1].num.i < 0 || args[1].num.i > 1000) {
        *ret = value_error(BAO_BC_EXPR_RANGE, node);
        return 0;
    }
    r = bao_num_round(run->arena, args[0].num, (int)args[1].num.i, &num);
    if (r == 0)
        *ret = value_num(num, args[0].is_double);
    return bao_error_fold(r);
}

static int f_abs(struct run *run, const struct ast *node, const struct bao_value *args, struct bao_value *ret)
{
    struct bao_num num = args[0].num;
    int r = 0;

    if (args[0].type != BAO_V_NUM)
        return type_error(node, ret);
    if (bao_num_sign(num) < 0)
        r = bao_num_neg(run->arena, args[0].num, &num);
    if (r == 0)
        *ret = value_num(num, args[0].is_double);
    return bao_error_fold(r);
}

static bool read_digits(const char *p, size_t n, int *ret)
{
    int x = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        x = x * 10 + (p[i] - '0');
    }
    *ret = x;
    return true;
}

/* Days of a real date YYYY-MM-DD since 0000-03-01. */
static bool read_date(struct bao_str s, int64_t *ret)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, years, months;
    bool leap;

    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !read_digits(s.p, 4, &year) ||
        !read_digits(s.p + 5, 2, &month) || !read_digits(s.p + 8, 2, &day))
        return false;
    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (leap && month == 2 ? 1 : 0))
        return false;
    years = month <= 2 ? year - 1 : year; /* years that begin in March end with the leap day */
    months = (month + 9) % 12;
    *ret = years * INT64_C(365) + (years + 400) / 4 - (years + 400) / 100 + (years + 400) / 400 +
           (153 * months + 2) / 5 + day;
    return true;
}

static int f_days(struct run *run, const struct ast *node, const struct bao_value *args,
                  struct bao_value *ret)
{
    int64_t from, to;

    (void)run;
    if (args[0].type != BAO_V_STRING || args[1].type != BAO_V_STRING)
        return type_error(node, ret);
    if (!read_date(str_of_value(args[0]), &from) || !read_date(str_of_value(args[1]), &to))
        *ret = value_error(BAO_BC_EXPR_DATE, node);
    else
        *ret = value_num(bao_num_int(to - from), false);
    return 0;
}

static const struct function functions[] = {
    {"size", true, true, 1, 1, "size(x)", f_size},
    {"contains", true, false, 2, 2, "x.contains(\"y\")", f_contains},
    {"startsWith", true, false, 2, 2, "x.startsWith(\"y\")", f_starts_with},
    {"endsWith", true, false, 2, 2, "x.endsWith(\"y\")", f_ends_with},
    {"matches", true, true, 2, 2, "x.matches(\"^[0-9]+$\")", f_matches},
    {"int", false, true, 1, 1, "int(x)", f_int},
    {"uint", false, true, 1, 1, "uint(x)", f_uint},
    {"double", false, true, 1, 1, "double(x)", f_double},
    {"string", false, true, 1, 1, "string(x)", f_string},
    {"bool", false, true, 1, 1, "bool(x)", f_bool},
    {"dyn", false, true, 1, 1, "dyn(x)", f_dyn},
    {"sum", true, false, 1, 1, "list.sum()", f_sum},
    {"min", true, true, 1, 0, "min(a, b)", f_min},
    {"max", true, true, 1, 0, "max(a, b)", f_max},
    {"round", false, true, 2, 2, "round(x, 1)", f_round},
    {"abs", false, true, 1, 1, "abs(x)", f_abs},
    {"days", false, true, 2, 2, "days(a, b)", f_days},
};

const struct function *bao_function_at(size_t i)
{
    return i < BAO_COUNT(functions) ? &functions[i] : NULL;
}

const struct function *bao_function_find(struct bao_str name)
{
    for (size_t i = 0; i < BAO_COUNT(functions); i++)
        if (bao_str_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}
