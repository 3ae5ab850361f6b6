/* Binary values in and out: what travels in parameters, results and copies. Knows PostgreSQL's formats, not
 * libpq. */
#include "daemon/store/pg.h"

#include "lib/base/error.h"

#include <endian.h>

/* Object identifiers of built-in types are fixed for ever (pg_type.dat). */
enum {
    T_BOOL = 16,
    T_BYTEA = 17,
    T_INT8 = 20,
    T_INT2 = 21,
    T_INT4 = 23,
    T_TEXT = 25,
    T_DATE = 1082,
    T_TIMESTAMPTZ = 1184,
    T_UUID = 2950,
    T_BOOLS = 1000,
    T_BYTEAS = 1001,
    T_INT2S = 1005,
    T_INT4S = 1007,
    T_TEXTS = 1009,
    T_INT8S = 1016,
    T_DATES = 1182,
    T_TIMESTAMPTZS = 1185,
    T_UUIDS = 2951,
};

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_DAYS 10957
#define EPOCH_TIME (EPOCH_DAYS * BAO_DAY)

enum { ARRAY_HEAD = 20, ARRAY_MOST = 1 << 26 };

static void put16(char *p, uint16_t v)
{
    v = htobe16(v);
    memcpy(p, &v, sizeof(v));
}

static void put32(char *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, sizeof(v));
}

static void put64(char *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, sizeof(v));
}

static uint32_t get32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return be32toh(v);
}

static int64_t get_int(const char *p, size_t n)
{
    uint16_t v16;
    uint64_t v64;

    switch (n) {
    case 1:
        return (signed char)*p;
    case 2:
        memcpy(&v16, p, sizeof(v16));
        return (int16_t)be16toh(v16);
    case 4:
        return (int32_t)get32(p);
    case 8:
        memcpy(&v64, p, sizeof(v64));
        return (int64_t)be64toh(v64);
    default:
        return 0;
    }
}

static int64_t time_out(bao_time v)
{
    return v == INT64_MAX ? v : v - EPOCH_TIME;
}

static int32_t date_out(bao_date v)
{
    return v == INT32_MAX ? v : v - EPOCH_DAYS;
}

/* ------------------------------------------------------------------ results */

int64_t baod_pg_int(const struct baod_pg_result *r, size_t row, size_t column)
{
    struct bao_str s = baod_pg_bytes(r, row, column);

    return get_int(s.p, s.n);
}

bao_time baod_pg_time(const struct baod_pg_result *r, size_t row, size_t column)
{
    struct bao_str s = baod_pg_bytes(r, row, column);
    int64_t v = s.n == 8 ? get_int(s.p, s.n) : INT64_MIN;

    return v == INT64_MIN ? BAO_TIME_NONE : v == INT64_MAX ? INT64_MAX : v + EPOCH_TIME;
}

bao_date baod_pg_date(const struct baod_pg_result *r, size_t row, size_t column)
{
    struct bao_str s = baod_pg_bytes(r, row, column);
    int32_t v = s.n == 4 ? (int32_t)get32(s.p) : INT32_MIN;

    return v == INT32_MIN || v == INT32_MAX ? BAO_DATE_NONE : v + EPOCH_DAYS;
}

/* Reads an array's head: its number of elements and where they begin. */
static int array_open(struct bao_str s, size_t *ret_n, size_t *ret_at)
{
    uint32_t dimensions;

    if (s.n < 12)
        return s.p == NULL ? (*ret_n = 0, 0) : -EBADMSG;
    dimensions = get32(s.p);
    if (dimensions == 0) {
        *ret_n = 0;
        return 0;
    }
    if (dimensions != 1 || s.n < ARRAY_HEAD || get32(s.p + 12) > (s.n - ARRAY_HEAD) / 4)
        return -EBADMSG;
    *ret_n = get32(s.p + 12);
    *ret_at = ARRAY_HEAD;
    return 0;
}

/* The next element; .p NULL for null. */
static int array_next(struct bao_str s, size_t *at, struct bao_str *ret)
{
    int32_t n;

    if (s.n - *at < 4)
        return -EBADMSG;
    n = (int32_t)get32(s.p + *at);
    *at += 4;
    if (n < 0) {
        *ret = BAO_STR_NULL;
        return 0;
    }
    if ((size_t)n > s.n - *at)
        return -EBADMSG;
    *ret = (struct bao_str){s.p + *at, (size_t)n};
    *at += (size_t)n;
    return 0;
}

int baod_pg_strs(const struct baod_pg_result *r, size_t row, size_t column, struct bao_arena *arena,
                 struct bao_str **ret, size_t *ret_n)
{
    struct bao_str s = baod_pg_bytes(r, row, column), *items;
    size_t n = 0, at = 0;
    int e = array_open(s, &n, &at);

    if (e < 0)
        return e;
    items = bao_arena_array(arena, n + 1, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        e = array_next(s, &at, &items[i]);
        if (e < 0)
            return e;
    }
    *ret = items;
    *ret_n = n;
    return 0;
}

int baod_pg_ints(const struct baod_pg_result *r, size_t row, size_t column, struct bao_arena *arena,
                 struct baod_pg_ints *ret)
{
    struct bao_str s = baod_pg_bytes(r, row, column), item;
    struct baod_pg_ints ints = {.n = 0};
    size_t at = 0;
    int e = array_open(s, &ints.n, &at);

    if (e < 0)
        return e;
    ints.v = bao_arena_array(arena, ints.n + 1, sizeof(*ints.v));
    ints.null = bao_arena_array(arena, ints.n + 1, sizeof(*ints.null));
    if (ints.v == NULL || ints.null == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ints.n; i++) {
        e = array_next(s, &at, &item);
        if (e < 0)
            return e;
        ints.null[i] = item.p == NULL;
        ints.v[i] = item.p == NULL ? 0 : get_int(item.p, item.n);
    }
    *ret = ints;
    return 0;
}

/* ------------------------------------------------------------------ parameters */

static struct baod_pg_param param(uint32_t type, const char *p, size_t n)
{
    return (struct baod_pg_param){.type = p == NULL || n > INT32_MAX ? 0 : type, .n = (int32_t)n, .p = p};
}

static struct baod_pg_param param_null(uint32_t type)
{
    return (struct baod_pg_param){.type = type};
}

struct baod_pg_param baod_pg_p_bool(struct bao_arena *a, bool v)
{
    char *p = bao_arena_alloc(a, 1);

    if (p != NULL)
        *p = v;
    return param(T_BOOL, p, 1);
}

struct baod_pg_param baod_pg_p_int2(struct bao_arena *a, int16_t v)
{
    char *p = bao_arena_alloc(a, 2);

    if (p != NULL)
        put16(p, (uint16_t)v);
    return param(T_INT2, p, 2);
}

static struct baod_pg_param param32(struct bao_arena *a, uint32_t type, int32_t v)
{
    char *p = bao_arena_alloc(a, 4);

    if (p != NULL)
        put32(p, (uint32_t)v);
    return param(type, p, 4);
}

static struct baod_pg_param param64(struct bao_arena *a, uint32_t type, int64_t v)
{
    char *p = bao_arena_alloc(a, 8);

    if (p != NULL)
        put64(p, (uint64_t)v);
    return param(type, p, 8);
}

struct baod_pg_param baod_pg_p_int4(struct bao_arena *a, int32_t v)
{
    return param32(a, T_INT4, v);
}

struct baod_pg_param baod_pg_p_int8(struct bao_arena *a, int64_t v)
{
    return param64(a, T_INT8, v);
}

struct baod_pg_param baod_pg_p_time(struct bao_arena *a, bao_time v)
{
    return v == BAO_TIME_NONE ? param_null(T_TIMESTAMPTZ) : param64(a, T_TIMESTAMPTZ, time_out(v));
}

struct baod_pg_param baod_pg_p_date(struct bao_arena *a, bao_date v)
{
    return v == BAO_DATE_NONE ? param_null(T_DATE) : param32(a, T_DATE, date_out(v));
}

struct baod_pg_param baod_pg_p_text(struct bao_str v)
{
    return v.p == NULL ? param_null(T_TEXT) : param(T_TEXT, v.p, v.n);
}

struct baod_pg_param baod_pg_p_bytea(struct bao_str v)
{
    return v.p == NULL ? param_null(T_BYTEA) : param(T_BYTEA, v.p, v.n);
}

struct baod_pg_param baod_pg_p_uuid(const uint8_t v[16])
{
    return param(T_UUID, (const char *)v, 16);
}

static void array_head(char *p, bool nulls, uint32_t type, size_t n)
{
    put32(p, 1);
    put32(p + 4, nulls);
    put32(p + 8, type);
    put32(p + 12, (uint32_t)n);
    put32(p + 16, 1);
}

/* An array of elements of at most 8 octets; each value is asked for as an int64. */
typedef int64_t value_at(const void *v, size_t i);

static void put_int(char *p, size_t width, int64_t v)
{
    switch (width) {
    case 1:
        *p = (char)v;
        break;
    case 2:
        put16(p, (uint16_t)v);
        break;
    case 4:
        put32(p, (uint32_t)v);
        break;
    default:
        put64(p, (uint64_t)v);
    }
}

struct int_array {
    uint32_t type, element;
    size_t width;
    value_at *get;
};

static struct baod_pg_param int_array(struct bao_arena *a, const struct int_array *kind, const void *v,
                                      const bool *null, size_t n)
{
    char *p, *at;

    if (n > ARRAY_MOST)
        return param_null(0);
    p = bao_arena_alloc(a, ARRAY_HEAD + n * (4 + kind->width));
    if (p == NULL)
        return param_null(0);
    array_head(p, null != NULL, kind->element, n);
    at = p + ARRAY_HEAD;
    for (size_t i = 0; i < n; i++) {
        bool none = null != NULL && null[i];

        put32(at, none ? UINT32_MAX : (uint32_t)kind->width);
        at += 4;
        if (!none) {
            put_int(at, kind->width, kind->get(v, i));
            at += kind->width;
        }
    }
    return param(kind->type, p, (size_t)(at - p));
}

static int64_t bool_at(const void *v, size_t i)
{
    return ((const bool *)v)[i];
}

static int64_t int2_at(const void *v, size_t i)
{
    return ((const int16_t *)v)[i];
}

static int64_t int4_at(const void *v, size_t i)
{
    return ((const int32_t *)v)[i];
}

static int64_t int8_at(const void *v, size_t i)
{
    return ((const int64_t *)v)[i];
}

static int64_t time_at(const void *v, size_t i)
{
    return time_out(((const bao_time *)v)[i]);
}

static int64_t date_at(const void *v, size_t i)
{
    return date_out(((const bao_date *)v)[i]);
}

struct baod_pg_param baod_pg_p_bools(struct bao_arena *a, const bool *v, size_t n)
{
    return int_array(a, &(struct int_array){T_BOOLS, T_BOOL, 1, bool_at}, v, NULL, n);
}

struct baod_pg_param baod_pg_p_int2s(struct bao_arena *a, const int16_t *v, const bool *null, size_t n)
{
    return int_array(a, &(struct int_array){T_INT2S, T_INT2, 2, int2_at}, v, null, n);
}

struct baod_pg_param baod_pg_p_int4s(struct bao_arena *a, const int32_t *v, const bool *null, size_t n)
{
    return int_array(a, &(struct int_array){T_INT4S, T_INT4, 4, int4_at}, v, null, n);
}

struct baod_pg_param baod_pg_p_int8s(struct bao_arena *a, const int64_t *v, const bool *null, size_t n)
{
    return int_array(a, &(struct int_array){T_INT8S, T_INT8, 8, int8_at}, v, null, n);
}

/* Times and dates carry their own "none". */
struct baod_pg_param baod_pg_p_times(struct bao_arena *a, const bao_time *v, size_t n)
{
    bool *null = bao_arena_array(a, n + 1, sizeof(*null));

    if (null == NULL)
        return param_null(0);
    for (size_t i = 0; i < n; i++)
        null[i] = v[i] == BAO_TIME_NONE;
    return int_array(a, &(struct int_array){T_TIMESTAMPTZS, T_TIMESTAMPTZ, 8, time_at}, v, null, n);
}

struct baod_pg_param baod_pg_p_dates(struct bao_arena *a, const bao_date *v, size_t n)
{
    bool *null = bao_arena_array(a, n + 1, sizeof(*null));

    if (null == NULL)
        return param_null(0);
    for (size_t i = 0; i < n; i++)
        null[i] = v[i] == BAO_DATE_NONE;
    return int_array(a, &(struct int_array){T_DATES, T_DATE, 4, date_at}, v, null, n);
}

static struct baod_pg_param str_array(struct bao_arena *a, uint32_t type, uint32_t element,
                                      const struct bao_str *v, size_t n)
{
    size_t size = ARRAY_HEAD;
    char *p, *at;

    for (size_t i = 0; i < n; i++) {
        if (v[i].n > INT32_MAX || size > INT32_MAX)
            return param_null(0);
        size += 4 + v[i].n;
    }
    p = bao_arena_alloc(a, size);
    if (p == NULL)
        return param_null(0);
    array_head(p, true, element, n);
    at = p + ARRAY_HEAD;
    for (size_t i = 0; i < n; i++) {
        put32(at, v[i].p == NULL ? UINT32_MAX : (uint32_t)v[i].n);
        at += 4;
        if (v[i].p != NULL && v[i].n != 0)
            memcpy(at, v[i].p, v[i].n);
        at += v[i].p == NULL ? 0 : v[i].n;
    }
    return param(type, p, (size_t)(at - p));
}

struct baod_pg_param baod_pg_p_texts(struct bao_arena *a, const struct bao_str *v, size_t n)
{
    return str_array(a, T_TEXTS, T_TEXT, v, n);
}

struct baod_pg_param baod_pg_p_byteas(struct bao_arena *a, const struct bao_str *v, size_t n)
{
    return str_array(a, T_BYTEAS, T_BYTEA, v, n);
}

struct baod_pg_param baod_pg_p_uuids(struct bao_arena *a, const uint8_t (*v)[16], size_t n)
{
    char *p, *at;

    if (n > ARRAY_MOST)
        return param_null(0);
    p = bao_arena_alloc(a, ARRAY_HEAD + n * 20);
    if (p == NULL)
        return param_null(0);
    array_head(p, false, T_UUID, n);
    at = p + ARRAY_HEAD;
    for (size_t i = 0; i < n; i++, at += 20) {
        put32(at, 16);
        memcpy(at + 4, v[i], 16);
    }
    return param(T_UUIDS, p, (size_t)(at - p));
}

/* ------------------------------------------------------------------ the data of a binary COPY */

int baod_pg_copy_begin(struct bao_buf *out)
{
    static const char head[19] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', '\377', '\r', '\n', '\0'};

    return bao_buf_append(out, head, sizeof(head)); /* signature, flags 0, extension of 0 octets */
}

int baod_pg_copy_row(struct bao_buf *out, size_t fields)
{
    char p[2];

    put16(p, (uint16_t)fields);
    return bao_buf_append(out, p, sizeof(p));
}

int baod_pg_copy_end(struct bao_buf *out)
{
    return baod_pg_copy_row(out, UINT16_MAX);
}

int baod_pg_copy_null(struct bao_buf *out)
{
    char p[4];

    put32(p, UINT32_MAX);
    return bao_buf_append(out, p, sizeof(p));
}

static int copy_int(struct bao_buf *out, size_t width, int64_t v)
{
    char p[12];

    put32(p, (uint32_t)width);
    put_int(p + 4, width, v);
    return bao_buf_append(out, p, 4 + width);
}

int baod_pg_copy_bool(struct bao_buf *out, bool v)
{
    return copy_int(out, 1, v);
}

int baod_pg_copy_int2(struct bao_buf *out, int16_t v)
{
    return copy_int(out, 2, v);
}

int baod_pg_copy_int4(struct bao_buf *out, int32_t v)
{
    return copy_int(out, 4, v);
}

int baod_pg_copy_int8(struct bao_buf *out, int64_t v)
{
    return copy_int(out, 8, v);
}

int baod_pg_copy_time(struct bao_buf *out, bao_time v)
{
    return v == BAO_TIME_NONE ? baod_pg_copy_null(out) : copy_int(out, 8, time_out(v));
}

int baod_pg_copy_date(struct bao_buf *out, bao_date v)
{
    return v == BAO_DATE_NONE ? baod_pg_copy_null(out) : copy_int(out, 4, date_out(v));
}

int baod_pg_copy_bytes(struct bao_buf *out, struct bao_str v)
{
    char p[4];
    int r;

    if (v.p == NULL)
        return baod_pg_copy_null(out);
    if (v.n > INT32_MAX)
        return -ENOBUFS;
    put32(p, (uint32_t)v.n);
    r = bao_buf_append(out, p, sizeof(p));
    return r < 0 ? r : bao_buf_append(out, v.p, v.n);
}

int baod_pg_copy_int8s(struct bao_buf *out, const int64_t *v, const bool *null, size_t n)
{
    size_t nulls = 0, size;
    char *p;

    if (n > ARRAY_MOST)
        return -ENOBUFS;
    for (size_t i = 0; null != NULL && i < n; i++)
        nulls += null[i];
    size = ARRAY_HEAD + n * 12 - nulls * 8;
    p = bao_buf_room(out, 4 + size);
    if (p == NULL)
        return -ENOBUFS;
    put32(p, (uint32_t)size);
    array_head(p + 4, nulls != 0, T_INT8, n);
    bao_buf_trim(out, 4 + size);
    p += 4 + ARRAY_HEAD;
    for (size_t i = 0; i < n; i++) {
        bool none = null != NULL && null[i];

        put32(p, none ? UINT32_MAX : 8);
        p += 4;
        if (!none) {
            put64(p, (uint64_t)v[i]);
            p += 8;
        }
    }
    return 0;
}

int baod_pg_copy_param(struct bao_buf *out, struct baod_pg_param p)
{
    return p.type == 0 ? -ENOMEM : baod_pg_copy_bytes(out, (struct bao_str){p.p, (size_t)p.n});
}
