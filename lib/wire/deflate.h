/* zlib and gzip streams. deflate.c is the only file that includes zlib. A context is reused; one thread at a
 * time. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/error.h"

enum bao_inflate_outcome {
    BAO_INFLATE_E_BROKEN = 1, /* not a zlib stream, cut short, or octets after its end: symbol INFLATE */
    BAO_INFLATE_E_RAW,        /* sound as far as read, but not of `raw` octets: symbol RAW */
};

struct bao_inflater;
struct bao_deflater;

/* NULL when there is no memory. */
struct bao_inflater *bao_inflater_new(void) BAO_MUST_CHECK;
/* Accepts NULL; gives NULL. */
struct bao_inflater *bao_inflater_free(struct bao_inflater *z);
/* Inflates a whole stream that must give exactly `raw` octets into the arena; never writes more than raw + 1,
 * so a bomb costs what it announced. 0, an outcome, or -ENOMEM. */
int bao_inflate(struct bao_inflater *z, struct bao_arena *arena, struct bao_str in, size_t raw,
                struct bao_str *ret) BAO_MUST_CHECK;

/* The same for a stream that does not announce its size, zlib or gzip by its first octets, of at most `most`
 * octets: E_RAW when it gives more. */
int bao_inflate_most(struct bao_inflater *z, struct bao_arena *arena, struct bao_str in, size_t most,
                     struct bao_str *ret) BAO_MUST_CHECK;

/* level 1..9. NULL when there is no memory. */
struct bao_deflater *bao_deflater_new(int level) BAO_MUST_CHECK;
struct bao_deflater *bao_deflater_free(struct bao_deflater *z);
/* Deflates into the arena: 0, or -ENOMEM. */
int bao_deflate(struct bao_deflater *z, struct bao_arena *arena, struct bao_str in,
                struct bao_str *ret) BAO_MUST_CHECK;
