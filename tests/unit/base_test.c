/* arena, buf, map, findings. */
#include "lib/base/buf.h"
#include "lib/base/diag.h"
#include "lib/base/error.h"
#include "lib/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void arena_gives_aligned_memory_up_to_its_cap(void **state)
{
    struct bao_arena a;
    size_t got = 0;

    (void)state;
    bao_arena_init(&a, 100000);
    for (;;) {
        char *p = bao_arena_alloc(&a, 1000);
        if (p == NULL)
            break;
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 1, 1000);
        got += 1000;
    }
    assert_true(got >= 80000 && got <= 100000);
    bao_arena_reset(&a);
    assert_non_null(bao_arena_alloc(&a, 1000));
    assert_null(bao_arena_alloc(&a, SIZE_MAX - 4));
    assert_null(bao_arena_array(&a, SIZE_MAX / 2, 3));
    bao_arena_deinit(&a);
    bao_arena_deinit(&a);
}

static void arena_prints(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_str s = bao_arena_printf(&a, "%d-%s", 7, "x");

    (void)state;
    assert_true(bao_str_is(s, "7-x"));
    bao_arena_deinit(&a);
}

static void count_end(void *what)
{
    ++*(int *)what;
}

static void arena_ends_what_was_deferred(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    int ends = 0;

    (void)state;
    assert_int_equal(bao_arena_defer(&a, count_end, &ends), 0);
    assert_int_equal(bao_arena_defer(&a, count_end, &ends), 0);
    bao_arena_reset(&a);
    assert_int_equal(ends, 2);
    assert_int_equal(bao_arena_defer(&a, count_end, &ends), 0);
    bao_arena_deinit(&a);
    bao_arena_deinit(&a);
    assert_int_equal(ends, 3);
}

static void buf_keeps_its_maximum(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(10);

    (void)state;
    assert_int_equal(bao_buf_append_c(&b, "12345678"), 0);
    assert_int_equal(bao_buf_append_c(&b, "9ab"), -ENOBUFS);
    assert_int_equal(bao_buf_len(&b), 8);
    bao_buf_consume(&b, 5);
    assert_int_equal(bao_buf_append_c(&b, "9abcdef"), 0);
    assert_true(bao_str_is(bao_buf_str(&b), "6789abcdef"));
    bao_buf_deinit(&b);
    bao_buf_deinit(&b);
}

static void map_finds_sets_and_takes(void **state)
{
    struct bao_map m;
    char keys[2000][8];
    size_t at = 0, n = 0;

    (void)state;
    bao_map_init(&m, (uint64_t[]){1, 2});
    assert_null(bao_map_get(&m, BAO_STR("x")));
    for (size_t i = 0; i < 2000; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
        assert_int_equal(bao_map_set(&m, bao_str_c(keys[i]), keys[i]), 0);
    }
    for (size_t i = 0; i < 2000; i += 2)
        assert_ptr_equal(bao_map_take(&m, bao_str_c(keys[i])), keys[i]);
    for (size_t i = 0; i < 2000; i++)
        assert_ptr_equal(bao_map_get(&m, bao_str_c(keys[i])), i % 2 == 0 ? NULL : keys[i]);
    while (bao_map_next(&m, &at) != NULL)
        n++;
    assert_int_equal(n, 1000);
    bao_map_deinit(&m);
    bao_map_deinit(&m);
}

static void findings_are_sorted_capped_and_counted(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_findings f;

    (void)state;
    bao_findings_init(&f, &a, 20);
    for (unsigned i = 0; i < 30; i++)
        bao_findings_add(&f, 2000 + i, i % 2 == 0 ? BAO_ERROR : BAO_WARNING,
                         (struct bao_place){.line = 40 - i});
    assert_int_equal(f.n, 20);
    assert_int_equal(f.dropped, 10);
    assert_int_equal(f.by_severity[BAO_ERROR], 15);
    bao_findings_sort(&f);
    for (size_t i = 1; i < f.n; i++)
        assert_true(f.items[i - 1].at.line <= f.items[i].at.line);
    bao_arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_aligned_memory_up_to_its_cap),
        cmocka_unit_test(arena_prints),
        cmocka_unit_test(arena_ends_what_was_deferred),
        cmocka_unit_test(buf_keeps_its_maximum),
        cmocka_unit_test(map_finds_sets_and_takes),
        cmocka_unit_test(findings_are_sorted_capped_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
