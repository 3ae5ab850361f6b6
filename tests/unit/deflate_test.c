/* zlib streams: whole, cut, padded, lying about their size. */
#include "lib/wire/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct kit {
    struct bao_arena arena;
    struct bao_inflater *in;
    struct bao_deflater *out;
    char *text;
    struct bao_str plain, packed;
};

static int make(void **state)
{
    struct kit *kit = calloc(1, sizeof(*kit));
    const size_t n = 20000;

    bao_require(kit != NULL);
    kit->text = malloc(n);
    kit->in = bao_inflater_new();
    kit->out = bao_deflater_new(6);
    bao_require(kit->text != NULL && kit->in != NULL && kit->out != NULL);
    for (size_t i = 0; i < n; i++)
        kit->text[i] = (char)('a' + (i * i / 7) % 23);
    kit->plain = (struct bao_str){kit->text, n};
    bao_require(bao_deflate(kit->out, &kit->arena, kit->plain, &kit->packed) == 0);
    *state = kit;
    return 0;
}

static int unmake(void **state)
{
    struct kit *kit = *state;

    bao_inflater_free(kit->in);
    bao_deflater_free(kit->out);
    bao_arena_deinit(&kit->arena);
    free(kit->text);
    free(kit);
    return 0;
}

static void what_was_packed_comes_back(void **state)
{
    struct kit *kit = *state;
    struct bao_str s;

    for (int i = 0; i < 3; i++) { /* a context is used again */
        assert_int_equal(bao_inflate(kit->in, &kit->arena, kit->packed, kit->plain.n, &s), 0);
        assert_true(bao_str_eq(s, kit->plain));
        assert_int_equal(s.p[s.n], '\0');
    }
    assert_int_equal(bao_deflate(kit->out, &kit->arena, BAO_STR_NULL, &s), 0);
    assert_int_equal(bao_inflate(kit->in, &kit->arena, s, 0, &s), 0);
    assert_int_equal(s.n, 0);
}

static void a_wrong_size_is_told(void **state)
{
    struct kit *kit = *state;
    struct bao_str s = {"x", 1};

    assert_int_equal(bao_inflate(kit->in, &kit->arena, kit->packed, kit->plain.n - 1, &s), BAO_INFLATE_E_RAW);
    assert_int_equal(bao_inflate(kit->in, &kit->arena, kit->packed, kit->plain.n + 1, &s), BAO_INFLATE_E_RAW);
    assert_int_equal(bao_inflate(kit->in, &kit->arena, kit->packed, 0, &s), BAO_INFLATE_E_RAW);
    assert_int_equal(bao_inflate(kit->in, &kit->arena, kit->packed, SIZE_MAX, &s), BAO_INFLATE_E_RAW);
    assert_int_equal(s.n, 1);
}

static void a_cut_or_padded_stream_is_broken(void **state)
{
    struct kit *kit = *state;
    struct bao_str s;
    char *more = malloc(kit->packed.n + 1);

    assert_non_null(more);
    memcpy(more, kit->packed.p, kit->packed.n);
    more[kit->packed.n] = 0;
    for (size_t n = 0; n < kit->packed.n; n += n < 40 ? 1 : 97)
        assert_int_equal(bao_inflate(kit->in, &kit->arena, (struct bao_str){more, n}, kit->plain.n, &s),
                         BAO_INFLATE_E_BROKEN);
    assert_int_equal(
        bao_inflate(kit->in, &kit->arena, (struct bao_str){more, kit->packed.n + 1}, kit->plain.n, &s),
        BAO_INFLATE_E_BROKEN);
    more[kit->packed.n - 1] = (char)(more[kit->packed.n - 1] ^ 1); /* the checksum at its end */
    assert_int_equal(
        bao_inflate(kit->in, &kit->arena, (struct bao_str){more, kit->packed.n}, kit->plain.n, &s),
        BAO_INFLATE_E_BROKEN);
    free(more);
    assert_int_equal(bao_inflate(kit->in, &kit->arena, BAO_STR("form: nd73-quarterly\n"), 21, &s),
                     BAO_INFLATE_E_BROKEN);
}

static void a_bomb_costs_what_it_announced(void **state)
{
    struct kit *kit = *state;
    struct bao_arena small = BAO_ARENA_NULL(64 * 1024);
    struct bao_str zeros = {calloc(1, 8 << 20), 8 << 20}, packed, s;

    assert_non_null(zeros.p);
    assert_int_equal(bao_deflate(kit->out, &kit->arena, zeros, &packed), 0);
    assert_true(packed.n < 10000);
    assert_int_equal(bao_inflate(kit->in, &small, packed, 1000, &s), BAO_INFLATE_E_RAW);
    assert_true(small.used <= 64 * 1024);
    assert_int_equal(bao_inflate(kit->in, &small, packed, 8 << 20, &s), -ENOMEM);
    bao_arena_deinit(&small);
    free((char *)zeros.p);
}

static void a_stream_may_keep_its_size_to_itself(void **state)
{
    struct kit *kit = *state;
    /* "xin chào\n" by gzip */
    static const unsigned char zipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                           0xab, 0xc8, 0xcc, 0x53, 0x48, 0xce, 0x38, 0xbc, 0x20, 0x9f,
                                           0x0b, 0x00, 0x76, 0xd2, 0x1a, 0x64, 0x0a, 0x00, 0x00, 0x00};
    struct bao_str s, gzip = {(const char *)zipped, sizeof(zipped)}, bomb;
    char *zeros = calloc(1, 3 << 20);

    assert_int_equal(bao_inflate_most(kit->in, &kit->arena, gzip, 10, &s), 0);
    assert_true(bao_str_is(s, "xin chào\n"));
    assert_int_equal(bao_inflate_most(kit->in, &kit->arena, gzip, 9, &s), BAO_INFLATE_E_RAW);
    assert_int_equal(bao_inflate_most(kit->in, &kit->arena, kit->packed, kit->plain.n, &s), 0);
    assert_true(bao_str_eq(s, kit->plain));
    assert_int_equal(s.p[s.n], '\0');
    assert_int_equal(bao_inflate_most(kit->in, &kit->arena, kit->packed, kit->plain.n - 1, &s),
                     BAO_INFLATE_E_RAW);
    /* The room grows as far as is allowed, and no further. */
    assert_non_null(zeros);
    assert_int_equal(bao_deflate(kit->out, &kit->arena, (struct bao_str){zeros, 3 << 20}, &bomb), 0);
    assert_int_equal(bao_inflate_most(kit->in, &kit->arena, bomb, 3 << 20, &s), 0);
    assert_int_equal(s.n, 3 << 20);
    assert_int_equal(bao_inflate_most(kit->in, &kit->arena, bomb, (3 << 20) - 1, &s), BAO_INFLATE_E_RAW);
    free(zeros);
    for (size_t n = 0; n < gzip.n; n++)
        assert_int_equal(bao_inflate_most(kit->in, &kit->arena, (struct bao_str){gzip.p, n}, 100, &s),
                         BAO_INFLATE_E_BROKEN);
    /* A zlib stream with its size is still read, and gzip is none. */
    assert_int_equal(bao_inflate(kit->in, &kit->arena, kit->packed, kit->plain.n, &s), 0);
    assert_int_equal(bao_inflate(kit->in, &kit->arena, gzip, 10, &s), BAO_INFLATE_E_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_packed_comes_back, make, unmake),
        cmocka_unit_test_setup_teardown(a_wrong_size_is_told, make, unmake),
        cmocka_unit_test_setup_teardown(a_cut_or_padded_stream_is_broken, make, unmake),
        cmocka_unit_test_setup_teardown(a_bomb_costs_what_it_announced, make, unmake),
        cmocka_unit_test_setup_teardown(a_stream_may_keep_its_size_to_itself, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
