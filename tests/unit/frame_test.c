/* Heads, frames and the decoder, fed whole and split at every position. */
#include "lib/wire/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    const char *line;
    enum bao_symbol symbol;
} heads[] = {
    {"PING 5 0", BAO_SYM_NONE},
    {"PING 5 0\r", BAO_SYM_NONE},
    {"REPORT 2147483647 1834 enc=deflate raw=9120", BAO_SYM_NONE},
    {"HELLO 1 0 !v=1 agent=a%20b", BAO_SYM_NONE},
    {"", BAO_SYM_FRAME},
    {"\r", BAO_SYM_FRAME},
    {"PING", BAO_SYM_FRAME},
    {"PING 5", BAO_SYM_FRAME},
    {"ping 5 0", BAO_SYM_FRAME},
    {"PING  5 0", BAO_SYM_FRAME},
    {" PING 5 0", BAO_SYM_FRAME},
    {"PING 5 0 ", BAO_SYM_FRAME},
    {"PING 05 0", BAO_SYM_FRAME},
    {"PING 5 00", BAO_SYM_FRAME},
    {"PING +5 0", BAO_SYM_FRAME},
    {"PING 2147483648 0", BAO_SYM_FRAME},
    {"PING 5 -1", BAO_SYM_FRAME},
    {"PING 5 99999999999999999999", BAO_SYM_FRAME},
    {"PING 5 0 v", BAO_SYM_FRAME},
    {"PING 5 0 =1", BAO_SYM_FRAME},
    {"PING 5 0 v=", BAO_SYM_FRAME},
    {"PING 5 0 V=1", BAO_SYM_FRAME},
    {"PING 5 0 1v=1", BAO_SYM_FRAME},
    {"PING 5 0 !=1", BAO_SYM_FRAME},
    {"PING 5 0 v=%2", BAO_SYM_FRAME},
    {"PING 5 0 v=%zz", BAO_SYM_FRAME},
    {"PING 5 0 v=%00", BAO_SYM_FRAME},
    {"PING 5 0 v=%0a", BAO_SYM_FRAME},
    {"PING 5 0 v=%ff", BAO_SYM_FRAME},
    {"PING 5 0 v=a%C3", BAO_SYM_FRAME},
    {"PING 5 0 v=%c3%a1%E1%BA%A1", BAO_SYM_NONE},
    {"PING 5 0 v=\xc3\xa1", BAO_SYM_FRAME},
    {"PING 5 0 v=a\tb", BAO_SYM_FRAME},
    {"PING 5 0 v=1 v=2", BAO_SYM_FRAME},
    {"PING 5 0 v=1 !v=1", BAO_SYM_FRAME},
    {"SEVENTEENLETTERSX 5 0", BAO_SYM_FRAME},
};

static void heads_are_read_or_refused(void **state)
{
    struct bao_head head;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(heads); i++)
        if (bao_head_parse(&head, bao_str_c(heads[i].line)) != heads[i].symbol)
            fail_msg("head %zu: %s", i, heads[i].line);
}

static void a_head_gives_its_parts(void **state)
{
    struct bao_head head;
    uint64_t n = 7;

    (void)state;
    assert_int_equal(
        bao_head_parse(&head, BAO_STR("REPORT 12 34 !enc=deflate agent=ph%C3%A1t%20%25 raw=9120 x=0x1")),
        BAO_SYM_NONE);
    assert_true(bao_str_is(head.verb, "REPORT"));
    assert_int_equal(head.txn, 12);
    assert_int_equal(head.len, 34);
    assert_int_equal(head.n_keys, 4);
    assert_true(head.keys[0].must && !head.keys[1].must);
    assert_true(bao_str_is(bao_head_get(&head, "agent"), "phát %"));
    assert_null(bao_head_get(&head, "none").p);
    assert_true(bao_head_number(&head, "raw", 9120, &n) && n == 9120);
    n = 7;
    assert_false(bao_head_number(&head, "raw", 9119, &n));
    assert_false(bao_head_number(&head, "x", 100, &n));
    assert_false(bao_head_number(&head, "none", 100, &n));
    assert_int_equal(n, 7);
}

static void too_many_keys_are_no_head(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(BAO_HEAD_MAX);
    struct bao_head head;

    (void)state;
    assert_int_equal(bao_buf_append_c(&b, "PING 1 0"), 0);
    for (int i = 0; i < BAO_HEAD_KEYS; i++)
        assert_int_equal(bao_buf_printf(&b, " k%d=1", i), 0);
    assert_int_equal(bao_head_parse(&head, bao_buf_str(&b)), BAO_SYM_NONE);
    assert_int_equal(bao_buf_append_c(&b, " more=1"), 0);
    assert_int_equal(bao_head_parse(&head, bao_buf_str(&b)), BAO_SYM_FRAME);
    bao_buf_deinit(&b);
}

static void keys_come_back_as_written(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(4096);
    struct bao_head head;

    (void)state;
    assert_int_equal(bao_buf_append_c(&b, "HELLO 1 0"), 0);
    assert_int_equal(bao_head_put(&b, "agent", BAO_STR("Phần mềm = 100%")), 0);
    assert_int_equal(bao_head_put(&b, "nothing", BAO_STR_NULL), 0);
    assert_int_equal(bao_head_put_number(&b, "v", 18446744073709551615u), 0);
    assert_int_equal(bao_head_parse(&head, bao_buf_str(&b)), BAO_SYM_NONE);
    assert_int_equal(head.n_keys, 2);
    assert_true(bao_str_is(bao_head_get(&head, "agent"), "Phần mềm = 100%"));
    assert_true(bao_str_is(bao_head_get(&head, "v"), "18446744073709551615"));
    bao_buf_deinit(&b);
}

/* Feeds pieces; writes what happened as text: H<line> B<line>|<body> D<line> X. */
struct run {
    struct bao_frame_decoder d;
    struct bao_buf seen;
};

static void run_piece(struct run *run, const char *p, size_t n)
{
    /* A copy of its own, so that the sanitizer sees any octet read beyond the piece. */
    char *copy = malloc(n == 0 ? 1 : n);
    struct bao_str in = {copy, n};
    struct bao_head head;

    assert_non_null(copy);
    memcpy(copy, p, n);
    for (;;) {
        int got = bao_frame_feed(&run->d, &in);
        struct bao_str line = bao_frame_line(&run->d);

        assert_true(got >= 0);
        if (got == BAO_FRAME_MORE || got == BAO_FRAME_BROKEN) {
            if (got == BAO_FRAME_BROKEN)
                assert_int_equal(bao_buf_append_c(&run->seen, "X"), 0);
            break;
        }
        if (got == BAO_FRAME_HEAD) {
            if (bao_head_parse(&head, line) != BAO_SYM_NONE) {
                assert_int_equal(bao_buf_append_c(&run->seen, "?"), 0);
                bao_frame_drop(&run->d, 0);
            } else if (bao_str_is(head.verb, "DROP")) {
                bao_frame_drop(&run->d, head.len);
            } else {
                bao_frame_keep(&run->d, head.len);
            }
            continue;
        }
        assert_int_equal(bao_buf_printf(&run->seen, "%c(%.*s|%.*s)", got == BAO_FRAME_BODY ? 'B' : 'D',
                                        BAO_STR_ARG(line), BAO_STR_ARG(run->d.body)),
                         0);
    }
    free(copy);
}

static const struct {
    const char *in, *seen;
} streams[] = {
    {"PING 1 0\n\n", "B(PING 1 0|)"},
    {"A 1 3\nabc\nB 2 0\n\nC 3 1\n\n\n", "B(A 1 3|abc)B(B 2 0|)B(C 3 1|\n)"},
    {"DROP 1 5\nabcde\nA 2 1\nx\n", "D(DROP 1 5|)B(A 2 1|x)"},
    {"DROP 1 0\n\nA 2 0\n\n", "D(DROP 1 0|)B(A 2 0|)"},
    {"A 1 2\nabc\n", "X"},
    {"DROP 1 2\nabc\n", "X"},
    {"A 1 0\nB", "X"},
    {"A 1 10\nabc", ""},
};

static void streams_split_anywhere_mean_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAO_COUNT(streams); i++) {
        size_t n = strlen(streams[i].in);

        for (size_t a = 0; a <= n; a++) {
            for (size_t b = a; b <= n; b++) {
                struct run run = {.seen = BAO_BUF_NULL(4096)};
                const char *want = streams[i].seen;

                bao_frame_decoder_init(&run.d);
                run_piece(&run, streams[i].in, a);
                run_piece(&run, streams[i].in + a, b - a);
                run_piece(&run, streams[i].in + b, n - b);
                if (want[0] == 'X') /* once broken it stays so: one X or more */
                    assert_true(bao_buf_len(&run.seen) >= 1 && bao_buf_data(&run.seen)[0] == 'X');
                else
                    assert_true(bao_str_is(bao_buf_str(&run.seen), want));
                bao_frame_decoder_deinit(&run.d);
                bao_buf_deinit(&run.seen);
            }
        }
    }
}

static void a_head_line_has_an_end(void **state)
{
    char text[BAO_HEAD_MAX + 8];

    (void)state;
    memset(text, 'A', sizeof(text));
    for (size_t step = 1; step <= sizeof(text); step += 257) {
        struct bao_frame_decoder d;
        size_t at = 0;
        int got = BAO_FRAME_MORE;

        bao_frame_decoder_init(&d);
        while (at < sizeof(text) && got == BAO_FRAME_MORE) {
            struct bao_str in = {text + at, step < sizeof(text) - at ? step : sizeof(text) - at};

            at += in.n;
            got = bao_frame_feed(&d, &in);
        }
        assert_int_equal(got, BAO_FRAME_BROKEN);
        assert_true(bao_buf_len(&d.line) <= BAO_HEAD_MAX + 2);
        bao_frame_decoder_deinit(&d);
    }
}

static void memory_is_given_back_between_frames(void **state)
{
    struct bao_frame_decoder d;
    struct bao_str in = BAO_STR("PING 1 0\n\n");

    (void)state;
    bao_frame_decoder_init(&d);
    assert_true(bao_frame_idle(&d));
    assert_int_equal(bao_frame_feed(&d, &in), BAO_FRAME_HEAD);
    bao_frame_keep(&d, 0);
    assert_false(bao_frame_idle(&d));
    assert_int_equal(bao_frame_feed(&d, &in), BAO_FRAME_BODY);
    assert_true(bao_frame_idle(&d));
    bao_frame_trim(&d);
    assert_null(d.line.base);
    assert_null(d.held.base);
    bao_frame_decoder_deinit(&d);
}

static void a_frame_is_written_whole_or_not_at_all(void **state)
{
    struct bao_buf b = BAO_BUF_NULL(20);

    (void)state;
    assert_int_equal(bao_frame_put(&b, "OK", 7, BAO_STR(" a=1"), BAO_STR("body")), 0);
    assert_true(bao_str_is(bao_buf_str(&b), "OK 7 4 a=1\nbody\n"));
    assert_int_equal(bao_frame_put(&b, "OK", 8, BAO_STR_NULL, BAO_STR_NULL), -ENOBUFS);
    assert_int_equal(bao_buf_len(&b), 16);
    bao_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_or_refused),
        cmocka_unit_test(a_head_gives_its_parts),
        cmocka_unit_test(too_many_keys_are_no_head),
        cmocka_unit_test(keys_come_back_as_written),
        cmocka_unit_test(streams_split_anywhere_mean_the_same),
        cmocka_unit_test(a_head_line_has_an_end),
        cmocka_unit_test(memory_is_given_back_between_frames),
        cmocka_unit_test(a_frame_is_written_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
