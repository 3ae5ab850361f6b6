/* zlib streams: any octets against any announced size; and what we pack ourselves comes back. */
#include "lib/wire/deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
    struct bao_inflater *in = bao_inflater_new();
    struct bao_deflater *out = bao_deflater_new(1 + (int)(size % 9));
    size_t raw = size < 2 ? 0 : (size_t)data[0] * 256 + data[1];
    struct bao_str text = {(const char *)data, size}, got, packed;
    int r;

    bao_require(in != NULL && out != NULL);
    if (size > 2) {
        const struct bao_str stream = {(const char *)data + 2, size - 2};

        r = bao_inflate(in, &arena, stream, raw, &got);
        bao_require(r != 0 || got.n == raw);
    }
    if (size < 100000 && bao_deflate(out, &arena, text, &packed) == 0) {
        r = bao_inflate(in, &arena, packed, size, &got);
        bao_require(r == -ENOMEM || (r == 0 && bao_str_eq(got, text)));
        if (size != 0) {
            r = bao_inflate(in, &arena, packed, size - 1, &got);
            bao_require(r == -ENOMEM || r == BAO_INFLATE_E_RAW);
        }
    }
    bao_inflater_free(in);
    bao_deflater_free(out);
    bao_arena_deinit(&arena);
    return 0;
}
