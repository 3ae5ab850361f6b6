#include "daemon/store/extremes.h"

#include "daemon/store/pg.h"
#include "lib/base/buf.h"
#include "lib/base/decimal.h"
#include "lib/form/across.h"

enum {
    SLOTS_MAX = 8192,
    GROUPS_MAX = 100000,
    HEAD = 12,     /* of an array: dimensions, whether it has nulls, the type of its elements */
    DIMENSION = 8, /* its length and its first index */
    INT8_OID = 20, /* pg_type.dat */
    NUMBER_MAX = 64
};

__extension__ typedef __int128 wide;

/* A scaled figure; of a ratio both parts, with to > 0. What is no ratio is divided by 1. */
struct figure {
    int64_t of, to;
};

/* One row of the answer: what it is about, and what was found so far. */
struct extreme {
    size_t slot, slot_to; /* slot_to 0: it is no ratio */
    bool has;
    struct figure least, most;
};

/* The rows of one group. */
struct group {
    size_t first, n;
};

struct values {
    int64_t of[SLOTS_MAX];
    bool has[SLOTS_MAX];
    size_t n;
};

struct extremes {
    struct extreme *rows;
    size_t n_rows;
    struct group *groups; /* by number - 1 */
    size_t n_groups;
    struct values *groups_of, *figures; /* of the report at hand */
};

static uint32_t word(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* Takes one array off the text. */
static int take_array(struct bao_str *text, struct values *ret)
{
    size_t at = HEAD + DIMENSION, n;

    ret->n = 0;
    if (text->n < HEAD)
        return -EBADMSG;
    if (word(text->p) == 0) { /* empty: it has no dimension */
        *text = (struct bao_str){text->p + HEAD, text->n - HEAD};
        return 0;
    }
    if (word(text->p) != 1 || word(text->p + 8) != INT8_OID || text->n < at)
        return -EBADMSG;
    n = word(text->p + HEAD);
    if (n > SLOTS_MAX)
        return -EBADMSG;
    for (size_t slot = 0; slot < n; slot++) {
        bool null = at + 4 <= text->n && word(text->p + at) == UINT32_MAX;

        at += 4;
        if (at > text->n || (!null && (word(text->p + at - 4) != 8 || at + 8 > text->n)))
            return -EBADMSG;
        ret->has[slot] = !null;
        if (null)
            continue;
        ret->of[slot] = (int64_t)((uint64_t)word(text->p + at) << 32 | word(text->p + at + 4));
        at += 8;
    }
    ret->n = n;
    *text = (struct bao_str){text->p + at, text->n - at};
    return 0;
}

static bool has(const struct values *v, size_t slot)
{
    return slot >= 1 && slot <= v->n && v->has[slot - 1];
}

/* What the report says of the row's indicator; false: nothing. */
static bool figure_of(const struct extreme *e, const struct values *v, struct figure *ret)
{
    int64_t of, to;

    if (!has(v, e->slot))
        return false;
    of = v->of[e->slot - 1];
    if (e->slot_to == 0) {
        *ret = (struct figure){of, 1};
        return true;
    }
    if (!has(v, e->slot_to) || v->of[e->slot_to - 1] == 0)
        return false;
    to = v->of[e->slot_to - 1]; /* scaled figures are far from what cannot be negated (design.md section 6) */
    *ret = to < 0 ? (struct figure){-of, -to} : (struct figure){of, to};
    return true;
}

static bool is_less(struct figure a, struct figure b)
{
    return a.to == b.to ? a.of < b.of : (wide)a.of * b.to < (wide)b.of * a.to;
}

static void hold(struct extreme *e, const struct values *v)
{
    struct figure f;

    if (!figure_of(e, v, &f))
        return;
    if (!e->has || is_less(f, e->least))
        e->least = f;
    if (!e->has || is_less(e->most, f))
        e->most = f;
    e->has = true;
}

static int compare(struct extremes *x, struct bao_str reports)
{
    while (reports.n != 0) {
        int r = take_array(&reports, x->groups_of);

        if (r == 0)
            r = take_array(&reports, x->figures);
        if (r != 0)
            return r;
        for (size_t i = 0; i < x->groups_of->n; i++) {
            int64_t number = has(x->groups_of, i + 1) ? x->groups_of->of[i] : 0;

            if (number < 1 || number > (int64_t)x->n_groups)
                continue; /* its rows are beyond the answer's limit */
            for (size_t k = 0; k < x->groups[number - 1].n; k++)
                hold(&x->rows[x->groups[number - 1].first + k], x->figures);
        }
    }
    return 0;
}

static size_t slot_of(const struct baod_pg_result *r, size_t row, size_t column)
{
    int64_t slot = baod_pg_is_null(r, row, column) ? 0 : baod_pg_int(r, row, column);

    return slot < 0 || slot > SLOTS_MAX ? 0 : (size_t)slot;
}

static int read_rows(struct extremes *x, struct bao_arena *arena, const struct baod_pg_result *r,
                     size_t first)
{
    x->n_rows = baod_pg_rows(r);
    for (size_t row = 0; row < x->n_rows; row++) {
        int64_t number = baod_pg_int(r, row, first + BAOD_EXTREMES_GROUP);

        if (number < 1 || number > GROUPS_MAX)
            return -EBADMSG;
        if ((size_t)number > x->n_groups)
            x->n_groups = (size_t)number;
    }
    x->rows = bao_arena_array(arena, x->n_rows, sizeof(*x->rows));
    x->groups = bao_arena_array(arena, x->n_groups, sizeof(*x->groups));
    x->groups_of = bao_arena_array(arena, 1, sizeof(*x->groups_of));
    x->figures = bao_arena_array(arena, 1, sizeof(*x->figures));
    if (x->rows == NULL || x->groups == NULL || x->groups_of == NULL || x->figures == NULL)
        return -ENOMEM;
    memset(x->groups, 0, x->n_groups * sizeof(*x->groups));
    for (size_t row = 0; row < x->n_rows; row++) {
        struct group *g = &x->groups[baod_pg_int(r, row, first + BAOD_EXTREMES_GROUP) - 1];

        if (g->n != 0 && g->first + g->n != row)
            return -EBADMSG;
        if (g->n++ == 0)
            g->first = row;
        x->rows[row] = (struct extreme){.slot = slot_of(r, row, first + BAOD_EXTREMES_SLOT),
                                        .slot_to = slot_of(r, row, first + BAOD_EXTREMES_SLOT_TO)};
    }
    return 0;
}

static int print(struct bao_arena *arena, struct bao_num number, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(NUMBER_MAX);
    int r = bao_num_print(&text, number);

    if (r == 0)
        *ret = bao_arena_str(arena, bao_buf_str(&text));
    return r == 0 && ret->p == NULL ? -ENOMEM : r;
}

/* The figure as office.rollup shows it, by the row's decimals. */
static int put(struct bao_arena *arena, const struct baod_pg_result *r, size_t row, size_t first,
               const struct figure *f, struct bao_str *ret)
{
    bool is_ratio = !baod_pg_is_null(r, row, first + BAOD_EXTREMES_DECIMALS_TO);
    struct bao_measure measure = {.is_ratio = is_ratio,
                                  .percent = baod_pg_int(r, row, first + BAOD_EXTREMES_PERCENT) != 0};
    struct bao_cell cell = {.reported = 1, .to = bao_num_int(1)};
    struct bao_maybe value = {.is = false};
    int e =
        bao_num_from_scaled(arena, f->of, (int)baod_pg_int(r, row, first + BAOD_EXTREMES_DECIMALS), &cell.of);

    if (e == 0 && is_ratio)
        e = bao_num_from_scaled(arena, f->to, (int)baod_pg_int(r, row, first + BAOD_EXTREMES_DECIMALS_TO),
                                &cell.to);
    if (e == 0)
        e = bao_cell_value(arena, &measure, &cell, &value);
    if (e == 0 && value.is)
        e = print(arena, value.v, ret);
    return e > 0 ? -EBADMSG : e;
}

int baod_extremes_put(struct bao_arena *arena, const struct baod_pg_result *r, size_t first, size_t least,
                      struct bao_str *cells, size_t width)
{
    struct extremes x = {.n_groups = 0};
    int e;

    if (baod_pg_rows(r) == 0)
        return 0;
    e = read_rows(&x, arena, r, first);
    if (e == 0 && !baod_pg_is_null(r, 0, first + BAOD_EXTREMES_REPORTS))
        e = compare(&x, baod_pg_bytes(r, 0, first + BAOD_EXTREMES_REPORTS));
    for (size_t row = 0; e == 0 && row < x.n_rows; row++) {
        if (!x.rows[row].has)
            continue;
        e = put(arena, r, row, first, &x.rows[row].least, &cells[row * width + least]);
        if (e == 0)
            e = put(arena, r, row, first, &x.rows[row].most, &cells[row * width + least + 1]);
    }
    return e;
}
