/* The verdict pass over scalars. */
#include "lib/schema/run.h"

#include "lib/base/utf8.h"
#include "lib/schema/format.h"
#include "lib/schema/pattern.h"

/* ---- text ---- */

static uint32_t count_characters(const char *p, uint32_t n)
{
    uint32_t count = 0, i = 0;
    uint64_t w;

    /* Octets that do not continue a character: top bits other than 10. */
    for (; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        w = ~(w >> 7 & ~(w >> 6)) & 0x0101010101010101u;
        count += (uint32_t)(w * 0x0101010101010101u >> 56);
    }
    for (; i < n; i++)
        count += (p[i] & 0xc0) != 0x80;
    return count;
}

bool bao_run_length(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                    struct bao_eval *ev)
{
    bool good;
    int64_t n;

    (void)r;
    (void)ev;
    if (bao_run_quick_length(pc, v, &good))
        return good;
    n = count_characters(v->str, v->len);
    return n >= pc->lo && n <= pc->hi;
}

struct bao_str bao_text_norm(struct bao_arena *a, struct bao_str s)
{
    while (s.n != 0 && memchr(" \t\r\n", s.p[0], 4) != NULL) {
        s.p++;
        s.n--;
    }
    while (s.n != 0 && memchr(" \t\r\n", s.p[s.n - 1], 4) != NULL)
        s.n--;
    return s.n == 0 ? (struct bao_str){"", 0} : bao_utf8_nfc(a, s);
}

static bool is_text(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v)
{
    struct bao_str norm;

    if (v->len == pc->key->n && bao_text_same(v->str, pc->key->p, v->len))
        return true;
    if (pc->n == 0)
        return false;
    norm = bao_text_norm(&r->arena, bao_node_str(v));
    return norm.p == NULL ? bao_run_fail(r, -ENOMEM) : bao_str_eq(norm, *pc->key);
}

bool bao_run_text_enum(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                       struct bao_eval *ev)
{
    const struct bao_names *set = pc->names;
    struct bao_str norm;

    (void)ev;
    if (bao_names_index(set, v->str, v->len) != set->n)
        return true;
    if (pc->n == 0)
        return false;
    norm = bao_text_norm(&r->arena, bao_node_str(v));
    if (norm.p == NULL)
        return bao_run_fail(r, -ENOMEM);
    return bao_names_index(set, norm.p, (uint32_t)norm.n) != set->n;
}

bool bao_run_is_match(struct bao_schema_scratch *r, const struct bao_automaton *table,
                      const struct bao_regex *regex, struct bao_str text)
{
    int found;

    if (table != NULL)
        return bao_automaton_match(table, text);
    found = bao_regex_match(regex, r->regex, text);
    r->steps -= bao_regex_take_cost(r->regex);
    return found < 0 ? bao_run_fail(r, found == -E2BIG ? BAO_RUN_COSTLY : found) : found == 1;
}

bool bao_run_pattern(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                     struct bao_eval *ev)
{
    (void)ev;
    r->steps -= v->len >> 6;
    return bao_run_is_match(r, pc->table, pc->regex, bao_node_str(v));
}

bool bao_run_format(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                    struct bao_eval *ev)
{
    (void)r;
    (void)ev;
    return bao_format_is((enum bao_format)pc->n, bao_node_str(v));
}

const struct bao_node *bao_run_normal_form(struct bao_schema_scratch *r, const struct bao_node *v)
{
    struct bao_str norm = bao_utf8_nfc(&r->arena, bao_node_str(v));
    struct bao_node *copy;

    if (norm.p == v->str)
        return v;
    copy = bao_arena_alloc(&r->arena, sizeof(*copy));
    if (norm.p == NULL || copy == NULL) {
        bao_run_fail(r, -ENOMEM);
        return NULL;
    }
    *copy = *v;
    copy->str = norm.p;
    copy->len = (uint32_t)norm.n;
    return copy;
}

/* ---- numbers ---- */

/* Doubles that are each the nearest to their number keep its order, but for what they make equal. */
static bool in_range(const struct bao_range *range, const struct bao_node *v)
{
    struct bao_num n = bao_node_num(v);
    double x = bao_num_near(n);
    int c;

    if (x > range->lo && x < range->hi)
        return true;
    c = !range->has_min ? 1 : bao_num_cmp(n, range->min);
    if (c < 0 || (c == 0 && range->above))
        return false;
    c = !range->has_max ? -1 : bao_num_cmp(n, range->max);
    return c < 0 || (c == 0 && !range->below);
}

static bool in_ints(const struct bao_ins *pc, int64_t i)
{
    uint32_t lo = 0, hi = pc->n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (pc->ints[mid] == i)
            return true;
        if (pc->ints[mid] < i)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

enum { SMALL_TENS = 19 };

static const uint64_t tens[SMALL_TENS] = {1u,
                                          10u,
                                          100u,
                                          1000u,
                                          10000u,
                                          100000u,
                                          1000000u,
                                          10000000u,
                                          100000000u,
                                          1000000000u,
                                          10000000000u,
                                          100000000000u,
                                          1000000000000u,
                                          10000000000000u,
                                          100000000000000u,
                                          1000000000000000u,
                                          10000000000000000u,
                                          100000000000000000u,
                                          1000000000000000000u};

/* v = c1 * 10^e1, by = c2 * 10^e2: a whole multiple when c1 * 10^(e1 - e2) / c2 is whole. 1, 0, or -1: the
 * numbers are too large for this way. */
static int small_multiple(const struct bao_node *v, const struct bao_multiple *m)
{
    uint64_t c, x;
    int32_t e = 0;

    if (!m->is_small)
        return -1;
    if (v->type == BAO_DEC) {
        if (v->dec->n_limbs > 2)
            return -1;
        c = v->dec->limbs[0];
        if (v->dec->n_limbs == 2)
            c += (uint64_t)v->dec->limbs[1] * 1000000000;
        e = v->dec->exponent;
    } else {
        c = v->i < 0 ? -(uint64_t)v->i : (uint64_t)v->i;
    }
    if (c == 0)
        return 1;
    e -= m->exponent;
    if (e < 0) {
        /* c1 must be divisible by 10^-e as well, which a decimal's coefficient never is. */
        if (v->type == BAO_DEC)
            return 0;
        if (-e >= SMALL_TENS || __builtin_mul_overflow(tens[-e], (uint64_t)m->coefficient, &x))
            return 0;
        return c % x == 0;
    }
    if (m->coefficient == 1)
        return 1;
    if (e >= SMALL_TENS || __builtin_mul_overflow(c, tens[e], &x))
        return -1;
    return x % (uint64_t)m->coefficient == 0;
}

static bool is_multiple(struct bao_schema_scratch *r, const struct bao_node *v, const struct bao_multiple *m)
{
    int yes = small_multiple(v, m);

    if (yes < 0)
        yes = bao_num_is_multiple(&r->arena, bao_node_num(v), m->by);
    return yes < 0 ? bao_run_fail(r, yes) : yes == 1;
}

bool bao_is_thousand(const struct bao_node *node)
{
    uint32_t digits;

    if (node->type != BAO_INT || (node->style & (BAO_STYLE_FLOAT | BAO_STYLE_YAML)) != BAO_STYLE_FLOAT ||
        node->i == 0 || node->i < -999 || node->i > 999)
        return false;
    digits = (node->i < 0) + 1u + (node->i > 9 || node->i < -9) + (node->i > 99 || node->i < -99);
    /* A point and three digits, all zero, follow the whole part. */
    return node->extent == digits + 4;
}

/* ---- any ---- */

bool bao_run_in_values(const struct bao_values *values, const struct bao_node *v)
{
    uint64_t hash = bao_node_mix(v);
    uint32_t lo = 0, hi = values->n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (values->hashes[mid] < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < values->n && values->hashes[lo] == hash; lo++)
        if (bao_node_equal(values->items[lo], v))
            return true;
    return false;
}

bool bao_run_one_scalar(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v)
{
    switch ((enum bao_op)pc->op) {
    case BAO_OP_BOOL_IS:
        return v->boolean == pc->boolean;
    case BAO_OP_PLACES:
        return v->dec->exponent >= pc->lo;
    case BAO_OP_NO_THOUSAND:
        return (v->style & BAO_STYLE_FLOAT) == 0 || !bao_is_thousand(v);
    case BAO_OP_INT_RANGE:
        return v->i >= pc->lo && v->i <= pc->hi;
    case BAO_OP_NUM_RANGE:
        return bao_run_is_between(v, pc->range->least, pc->range->most) || in_range(pc->range, v);
    case BAO_OP_MULTIPLE:
        return is_multiple(r, v, pc->multiple);
    case BAO_OP_INT_MULTIPLE:
        return bao_run_int_multiple(pc, v->i);
    case BAO_OP_INT_ENUM:
        return in_ints(pc, v->i);
    case BAO_OP_STR_LENGTH:
        return bao_run_length(r, pc, v, NULL);
    case BAO_OP_STR_IS:
        return is_text(r, pc, v);
    case BAO_OP_STR_ENUM:
        return bao_run_text_enum(r, pc, v, NULL);
    case BAO_OP_PATTERN:
        return bao_run_pattern(r, pc, v, NULL);
    case BAO_OP_FORMAT:
        return bao_run_format(r, pc, v, NULL);
    default:
        return false;
    }
}

bool bao_run_scalar(struct bao_schema_scratch *r, const struct bao_ins *pc, const struct bao_node *v,
                    struct bao_eval *ev)
{
    (void)ev;
    for (; pc->op != BAO_OP_GOOD; pc++)
        if (!bao_run_one_scalar(r, pc, v))
            return false;
    return true;
}
