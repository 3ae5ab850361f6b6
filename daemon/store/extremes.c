#include "daemon/store/extremes.h"

#include "daemon/store/pg.h"
#include "lib/base/buf.h"
#include "lib/base/decimal.h"

enum {
    SLOTS_MAX = 8192,
    HEAD = 12,     /* of an array: dimensions, whether it has nulls, the type of its elements */
    DIMENSION = 8, /* its length and its first index */
    INT8_OID = 20, /* pg_type.dat */
    NUMBER_MAX = 64
};

struct extreme {
    bool has;
    int64_t least, most;
};

struct extremes {
    struct extreme *of; /* by slot, from 1 on */
    size_t n;
};

static uint32_t word(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static void hold(struct extreme *e, int64_t v)
{
    if (!e->has || v < e->least)
        e->least = v;
    if (!e->has || v > e->most)
        e->most = v;
    e->has = true;
}

/* Takes one array off the text. */
static int take_array(struct bao_str *text, struct extremes *x)
{
    size_t at = HEAD + DIMENSION, n;

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
        if (null)
            continue;
        hold(&x->of[slot], (int64_t)((uint64_t)word(text->p + at) << 32 | word(text->p + at + 4)));
        at += 8;
    }
    if (n > x->n)
        x->n = n;
    *text = (struct bao_str){text->p + at, text->n - at};
    return 0;
}

static int compare(struct bao_str figures, struct extremes *x)
{
    int r = 0;

    memset(x->of, 0, x->n * sizeof(*x->of));
    x->n = 0;
    while (r == 0 && figures.n != 0)
        r = take_array(&figures, x);
    return r;
}

static int print(struct bao_arena *arena, int64_t scaled, int decimals, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(NUMBER_MAX);
    struct bao_num number;
    int r = bao_num_from_scaled(arena, scaled, decimals, &number);

    if (r == 0)
        r = bao_num_print(&text, number);
    if (r == 0)
        *ret = bao_arena_str(arena, bao_buf_str(&text));
    return r == 0 && ret->p == NULL ? -ENOMEM : r;
}

int baod_extremes_put(struct bao_arena *arena, const struct baod_pg_result *r, size_t first, size_t least,
                      struct bao_str *cells, size_t width)
{
    struct extremes x = {.of = bao_arena_array(arena, SLOTS_MAX, sizeof(*x.of))};
    int e = x.of == NULL ? -ENOMEM : 0;

    if (e == 0)
        memset(x.of, 0, SLOTS_MAX * sizeof(*x.of));
    for (size_t row = 0; e == 0 && row < baod_pg_rows(r); row++) {
        int64_t slot = baod_pg_int(r, row, first + BAOD_EXTREMES_SLOT);
        int decimals = (int)baod_pg_int(r, row, first + BAOD_EXTREMES_DECIMALS);
        struct bao_str *cell = &cells[row * width + least];

        if (!baod_pg_is_null(r, row, first + BAOD_EXTREMES_FIGURES))
            e = compare(baod_pg_bytes(r, row, first + BAOD_EXTREMES_FIGURES), &x);
        if (e != 0 || slot < 1 || (size_t)slot > x.n || !x.of[slot - 1].has)
            continue;
        e = print(arena, x.of[slot - 1].least, decimals, &cell[0]);
        if (e == 0)
            e = print(arena, x.of[slot - 1].most, decimals, &cell[1]);
    }
    return e;
}
