/* Instructions about one value alone: numbers, const and enum, lengths, text. */
#include "lib/schema/emit.h"

#include "lib/schema/format.h"

#include <math.h>

/* ---- numbers ---- */

/* Lowers *hi or raises *lo by a bound on whole numbers; false: none can be left. */
static int int_bound(struct bao_emitter *e, const struct bao_node *bound, bool exclusive, bool is_min,
                     int64_t *lo, int64_t *hi)
{
    struct bao_num n;
    int64_t i;

    if (bound == NULL || !bao_node_is_number(bound))
        return 0;
    n = bao_node_num(bound);
    if (!n.is_int) {
        /* Never whole within int64: beyond it, or between two whole numbers. */
        bool negative = bao_num_sign(n) < 0;
        struct bao_num cut;
        int r = bao_num_trunc(&e->c->work, n, &cut);

        if (r != 0)
            return bao_error_fold(r);
        if (!cut.is_int) {
            e->never |= negative != is_min;
            return 0;
        }
        i = is_min ? cut.i + !negative : cut.i - negative;
    } else {
        i = n.i;
        if (exclusive && (is_min ? i == INT64_MAX : i == INT64_MIN))
            e->never = true;
        else if (exclusive)
            i += is_min ? 1 : -1;
    }
    if (is_min && i > *lo)
        *lo = i;
    if (!is_min && i < *hi)
        *hi = i;
    return 0;
}

static int emit_int_range(struct bao_emitter *e)
{
    const struct bao_node **at = e->sub->kw.at;
    int64_t lo = INT64_MIN, hi = INT64_MAX;
    int r = int_bound(e, at[BAO_KW_MINIMUM], false, true, &lo, &hi);

    if (r == 0)
        r = int_bound(e, at[BAO_KW_EXCLUSIVE_MINIMUM], true, true, &lo, &hi);
    if (r == 0)
        r = int_bound(e, at[BAO_KW_MAXIMUM], false, false, &lo, &hi);
    if (r == 0)
        r = int_bound(e, at[BAO_KW_EXCLUSIVE_MAXIMUM], true, false, &lo, &hi);
    if (r < 0 || (lo == INT64_MIN && hi == INT64_MAX))
        return r;
    e->never |= lo > hi;
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_INT_RANGE, .lo = lo, .hi = hi});
}

static void tighten(struct bao_range *range, const struct bao_node *bound, bool is_min, bool exclusive)
{
    struct bao_num n;
    bool has = is_min ? range->has_min : range->has_max;
    int c;

    if (bound == NULL || !bao_node_is_number(bound))
        return;
    n = bao_node_num(bound);
    c = !has ? 1 : is_min ? bao_num_cmp(n, range->min) : bao_num_cmp(range->max, n);
    if (c < 0)
        return;
    if (is_min) {
        range->above = exclusive || (c == 0 && has && range->above);
        range->has_min = true;
        range->min = n;
        range->lo = bao_num_near(n);
    } else {
        range->below = exclusive || (c == 0 && has && range->below);
        range->has_max = true;
        range->max = n;
        range->hi = bao_num_near(n);
    }
}

static int emit_dec_range(struct bao_emitter *e)
{
    const struct bao_node **at = e->sub->kw.at;
    struct bao_range *range = bao_arena_array(e->c->arena, 1, sizeof(*range));

    if (range == NULL)
        return -ENOMEM;
    range->lo = -INFINITY;
    range->hi = INFINITY;
    tighten(range, at[BAO_KW_MINIMUM], true, false);
    tighten(range, at[BAO_KW_EXCLUSIVE_MINIMUM], true, true);
    tighten(range, at[BAO_KW_MAXIMUM], false, false);
    tighten(range, at[BAO_KW_EXCLUSIVE_MAXIMUM], false, true);
    if (!range->has_min && !range->has_max)
        return 0;
    range->least = (float)range->lo;
    range->most = (float)range->hi;
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_NUM_RANGE, .range = range});
}

/* x is a multiple of an odd number exactly when x times the inverse of that number modulo 2^64 is small: a
 * multiplication in place of a division. */
static int emit_int_multiple(struct bao_emitter *e, uint64_t by)
{
    uint32_t twos = (uint32_t)__builtin_ctzll(by);
    uint64_t odd = by >> twos, inverse = odd;

    /* Newton: each step doubles the bits that are right, of which the first three are. */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - odd * inverse;
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_INT_MULTIPLE,
                                             .n = twos,
                                             .lo = (int64_t)inverse,
                                             .hi = (int64_t)(UINT64_MAX / odd)});
}

/* 0.01, 0.25, 0.5: every whole number is a multiple. */
static bool divides_one(const struct bao_dec *dec)
{
    uint64_t tens = 1;

    if (dec->exponent > 0 || dec->exponent < -9 || dec->n_limbs != 1)
        return false;
    for (int32_t i = dec->exponent; i < 0; i++)
        tens *= 10;
    return tens % dec->limbs[0] == 0;
}

static int emit_multiple(struct bao_emitter *e)
{
    const struct bao_node *node = e->sub->kw.at[BAO_KW_MULTIPLE_OF];
    struct bao_multiple *m;

    if (node == NULL || !bao_node_is_number(node))
        return 0;
    if (node->type == BAO_INT && e->type == BAO_INT)
        return node->i == 1 ? 0 : emit_int_multiple(e, (uint64_t)node->i);
    if (node->type == BAO_DEC && e->type == BAO_INT && divides_one(node->dec))
        return 0;
    /* No decimal's coefficient ends in a zero, so its exponent tells alone. */
    if (node->type == BAO_DEC && e->type == BAO_DEC && node->dec->n_limbs == 1 && node->dec->limbs[0] == 1)
        return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_PLACES, .lo = node->dec->exponent});
    m = bao_arena_array(e->c->arena, 1, sizeof(*m));
    if (m == NULL)
        return -ENOMEM;
    m->by = bao_node_num(node);
    if (node->type == BAO_INT) {
        m->is_small = true;
        m->coefficient = node->i;
    } else if (node->dec->n_limbs <= 2) {
        m->is_small = true;
        m->coefficient = node->dec->limbs[0];
        if (node->dec->n_limbs == 2)
            m->coefficient += (int64_t)node->dec->limbs[1] * 1000000000;
        m->exponent = node->dec->exponent;
    }
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_MULTIPLE, .multiple = m});
}

int bao_emit_int(struct bao_emitter *e)
{
    int r = bao_emit_const_enum(e);

    if (r == 0 && e->c->options->form && e->sub->only_whole)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_NO_THOUSAND});
    if (r == 0)
        r = emit_int_range(e);
    return r == 0 ? emit_multiple(e) : r;
}

int bao_emit_dec(struct bao_emitter *e)
{
    int r = bao_emit_const_enum(e);

    if (r == 0 && e->sub->only_whole)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_PLACES, .lo = 0});
    if (r == 0)
        r = emit_dec_range(e);
    return r == 0 ? emit_multiple(e) : r;
}

/* ---- const and enum ---- */

static int compare_ints(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int emit_int_enum(struct bao_emitter *e, const struct bao_node *items, uint32_t n, uint32_t n_type)
{
    int64_t *ints = bao_arena_array(e->c->arena, n_type, sizeof(*ints));
    uint32_t k = 0;

    if (ints == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (items[i].type == BAO_INT)
            ints[k++] = items[i].i;
    qsort(ints, k, sizeof(*ints), compare_ints);
    if (k == 1)
        return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_INT_RANGE, .lo = ints[0], .hi = ints[0]});
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_INT_ENUM, .n = k, .ints = ints});
}

static int emit_text_enum(struct bao_emitter *e, const struct bao_node *items, uint32_t n, uint32_t n_type)
{
    struct bao_str *texts = bao_arena_array(e->c->arena, n_type, sizeof(*texts));
    struct bao_names *names = bao_arena_array(e->c->arena, 1, sizeof(*names));
    uint32_t k = 0;

    if (texts == NULL || names == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (items[i].type == BAO_STRING) {
            texts[k] = bao_node_str(&items[i]);
            if (e->c->options->form)
                texts[k] = bao_text_norm(e->c->arena, texts[k]);
            if (texts[k++].p == NULL)
                return -ENOMEM;
        }
    if (k == 1)
        return bao_emit_push(e,
                             (struct bao_ins){.op = BAO_OP_STR_IS, .n = e->c->options->form, .key = texts});
    if (!bao_names_init_texts(e->c->arena, texts, k, names))
        return -ENOMEM;
    return bao_emit_push(e,
                         (struct bao_ins){.op = BAO_OP_STR_ENUM, .n = e->c->options->form, .names = names});
}

struct hashed {
    uint64_t hash;
    const struct bao_node *node;
};

static int compare_hashed(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;

    return (x->hash > y->hash) - (x->hash < y->hash);
}

static int emit_value_enum(struct bao_emitter *e, const struct bao_node *items, uint32_t n, uint32_t n_type)
{
    struct hashed *all = bao_arena_array(&e->c->work, n_type, sizeof(*all));
    struct bao_values *values = bao_arena_array(e->c->arena, 1, sizeof(*values));
    uint32_t k = 0;

    if (all == NULL || values == NULL)
        return -ENOMEM;
    values->items = bao_arena_array(e->c->arena, n_type, sizeof(struct bao_node *));
    values->hashes = bao_arena_array(e->c->arena, n_type, sizeof(uint64_t));
    if (values->items == NULL || values->hashes == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (items[i].type == e->type)
            all[k++] = (struct hashed){bao_node_mix(&items[i]), &items[i]};
    qsort(all, k, sizeof(*all), compare_hashed);
    values->n = k;
    for (uint32_t i = 0; i < k; i++) {
        values->items[i] = all[i].node;
        values->hashes[i] = all[i].hash;
    }
    return bao_emit_push(e, (struct bao_ins){.op = BAO_OP_VALUE_ENUM, .values = values});
}

static int emit_allowed(struct bao_emitter *e, const struct bao_node *items, uint32_t n)
{
    uint32_t n_type = 0;
    unsigned bools = 0;

    for (uint32_t i = 0; i < n; i++) {
        n_type += items[i].type == e->type;
        if (items[i].type == BAO_BOOL)
            bools |= items[i].boolean ? 2 : 1;
    }
    if (n_type == 0) {
        e->never = true;
        return 0;
    }
    switch (e->type) {
    case BAO_NULL:
        return 0;
    case BAO_BOOL:
        return bools == 3 ? 0
                          : bao_emit_push(e, (struct bao_ins){.op = BAO_OP_BOOL_IS, .boolean = bools == 2});
    case BAO_INT:
        return emit_int_enum(e, items, n, n_type);
    case BAO_STRING:
        return emit_text_enum(e, items, n, n_type);
    case BAO_DEC:
    case BAO_LIST:
    case BAO_MAP:
        return emit_value_enum(e, items, n, n_type);
    }
    return 0;
}

int bao_emit_const_enum(struct bao_emitter *e)
{
    const struct bao_node *is = e->sub->kw.at[BAO_KW_CONST], *in = e->sub->kw.at[BAO_KW_ENUM];
    int r = 0;

    if (is != NULL)
        r = emit_allowed(e, is, 1);
    if (r == 0 && in != NULL && in->type == BAO_LIST)
        r = emit_allowed(e, in->items, in->len);
    return r;
}

/* ---- lengths ---- */

int64_t bao_emit_count(const struct bao_node *node, int64_t absent)
{
    struct bao_num n;
    int64_t i;

    if (node == NULL || !bao_node_is_number(node))
        return absent;
    n = bao_node_num(node);
    if (n.is_int)
        return n.i;
    return bao_num_scale(n, 0, &i) == 0 ? i : INT64_MAX;
}

int bao_emit_length(struct bao_emitter *e, enum bao_op op, enum bao_kw min, enum bao_kw max)
{
    int64_t lo = bao_emit_count(e->sub->kw.at[min], 0), hi = bao_emit_count(e->sub->kw.at[max], INT64_MAX);

    if (lo == 0 && hi == INT64_MAX)
        return 0;
    e->never |= lo > hi;
    return bao_emit_push(e, (struct bao_ins){.op = (uint16_t)op, .lo = lo, .hi = hi});
}

int bao_emit_string(struct bao_emitter *e)
{
    int r = 0;

    if (e->sub->normalize)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_NFC});
    if (r == 0)
        r = bao_emit_const_enum(e);
    if (r == 0)
        r = bao_emit_length(e, BAO_OP_STR_LENGTH, BAO_KW_MIN_LENGTH, BAO_KW_MAX_LENGTH);
    if (r == 0 && e->sub->format != BAO_FMT_NONE)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_FORMAT, .n = e->sub->format});
    if (r == 0 && e->sub->pattern != NULL)
        r = bao_emit_push(e, (struct bao_ins){.op = BAO_OP_PATTERN,
                                              .table = bao_regex_table(e->sub->pattern),
                                              .regex = e->sub->pattern});
    return r;
}
