#include "lib/wire/deflate.h"

#define ZLIB_CONST
#include <zlib.h>

/* zlib's names for what a stream's head may be. */
enum { ZLIB_ALONE = 15, ZLIB_OR_GZIP = 15 + 32, FIRST_ROOM = 16384, USUAL_RATIO = 8 };

struct bao_inflater {
    z_stream z;
};

struct bao_deflater {
    z_stream z;
};

struct bao_inflater *bao_inflater_new(void)
{
    BAO_CLEANUP(bao_freep) struct bao_inflater *z = calloc(1, sizeof(*z));

    if (z == NULL || inflateInit(&z->z) != Z_OK)
        return NULL;
    return BAO_TAKE(z);
}

struct bao_inflater *bao_inflater_free(struct bao_inflater *z)
{
    if (z != NULL)
        (void)inflateEnd(&z->z); /* fails only for a stream that is none */
    free(z);
    return NULL;
}

/* What zlib's word means once it has seen all input and had raw + 1 octets of room. */
static int inflate_outcome(const struct bao_inflater *z, int r, size_t raw)
{
    if (r == Z_MEM_ERROR)
        return -ENOMEM;
    if (z->z.total_out > raw)
        return BAO_INFLATE_E_RAW;
    if (r != Z_STREAM_END || z->z.avail_in != 0)
        return BAO_INFLATE_E_BROKEN;
    return z->z.total_out == raw ? 0 : BAO_INFLATE_E_RAW;
}

int bao_inflate(struct bao_inflater *z, struct bao_arena *arena, struct bao_str in, size_t raw,
                struct bao_str *ret)
{
    char *out;
    int r;

    if (raw >= UINT32_MAX || in.n >= UINT32_MAX)
        return BAO_INFLATE_E_RAW;
    if (inflateReset2(&z->z, ZLIB_ALONE) != Z_OK)
        return -EINVAL;
    out = bao_arena_alloc(arena, raw + 1);
    if (out == NULL)
        return -ENOMEM;
    z->z.next_in = (const Bytef *)in.p;
    z->z.avail_in = (uInt)in.n;
    z->z.next_out = (Bytef *)out;
    z->z.avail_out = (uInt)(raw + 1);
    r = inflate_outcome(z, inflate(&z->z, Z_FINISH), raw);
    if (r != 0)
        return r;
    out[raw] = '\0';
    *ret = (struct bao_str){out, raw};
    return 0;
}

/* Twice the room, with what was written so far. */
static char *more_room(struct bao_arena *arena, const char *have, size_t n, size_t *size, size_t most)
{
    size_t larger = *size > most / 2 ? most : *size * 2;
    char *out = bao_arena_alloc(arena, larger);

    if (out != NULL) {
        memcpy(out, have, n);
        *size = larger;
    }
    return out;
}

int bao_inflate_most(struct bao_inflater *z, struct bao_arena *arena, struct bao_str in, size_t most,
                     struct bao_str *ret)
{
    size_t size = in.n * USUAL_RATIO + FIRST_ROOM;
    char *out;
    int r;

    if (most >= UINT32_MAX || in.n >= UINT32_MAX / USUAL_RATIO - FIRST_ROOM)
        return BAO_INFLATE_E_RAW;
    if (inflateReset2(&z->z, ZLIB_OR_GZIP) != Z_OK)
        return -EINVAL;
    if (size > most + 1)
        size = most + 1;
    out = bao_arena_alloc(arena, size);
    z->z.next_in = (const Bytef *)in.p;
    z->z.avail_in = (uInt)in.n;
    for (;;) {
        if (out == NULL)
            return -ENOMEM;
        z->z.next_out = (Bytef *)out + z->z.total_out;
        z->z.avail_out = (uInt)(size - z->z.total_out);
        r = inflate(&z->z, Z_NO_FLUSH);
        if (r != Z_OK || z->z.avail_out != 0 || size > most)
            break;
        out = more_room(arena, out, size, &size, most + 1);
    }
    if (r == Z_OK && z->z.avail_out == 0)
        return BAO_INFLATE_E_RAW;
    r = inflate_outcome(z, r, z->z.total_out < most ? (size_t)z->z.total_out : most);
    if (r != 0)
        return r;
    if (z->z.total_out == size && (out = more_room(arena, out, size, &size, size + 1)) == NULL)
        return -ENOMEM;
    out[z->z.total_out] = '\0';
    *ret = (struct bao_str){out, z->z.total_out};
    return 0;
}

struct bao_deflater *bao_deflater_new(int level)
{
    BAO_CLEANUP(bao_freep) struct bao_deflater *z = calloc(1, sizeof(*z));

    if (z == NULL || deflateInit(&z->z, level) != Z_OK)
        return NULL;
    return BAO_TAKE(z);
}

struct bao_deflater *bao_deflater_free(struct bao_deflater *z)
{
    if (z != NULL)
        (void)deflateEnd(&z->z); /* complains of unfinished output, which nobody wants any more */
    free(z);
    return NULL;
}

int bao_deflate(struct bao_deflater *z, struct bao_arena *arena, struct bao_str in, struct bao_str *ret)
{
    uLong bound;
    char *out;

    if (in.n >= UINT32_MAX / 2)
        return -EFBIG;
    if (deflateReset(&z->z) != Z_OK)
        return -EINVAL;
    bound = deflateBound(&z->z, (uLong)in.n);
    out = bao_arena_alloc(arena, bound);
    if (out == NULL)
        return -ENOMEM;
    z->z.next_in = (const Bytef *)in.p;
    z->z.avail_in = (uInt)in.n;
    z->z.next_out = (Bytef *)out;
    z->z.avail_out = (uInt)bound;
    bao_require(deflate(&z->z, Z_FINISH) == Z_STREAM_END); /* deflateBound() promises the room */
    *ret = (struct bao_str){out, z->z.total_out};
    return 0;
}
