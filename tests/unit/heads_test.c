/* Published heads: written, read back; a batch that was changed, or that stands in no list, is told. */
#include "lib/form/heads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct bao_batch make_batch(int64_t seq)
{
    struct bao_batch batch = {
        .province = BAO_STR("66"), .node = BAO_STR("hub"), .seq = seq, .at = seq * BAO_SECOND, .n = 1};
    const uint8_t seed[32] = {9};
    uint8_t pub[32];

    bao_ed25519_public(seed, pub);
    assert_int_equal(bao_batch_sign(&batch, seed, pub), 0);
    return batch;
}

static void make_list(struct bao_buf *out, int64_t from, int64_t to)
{
    assert_int_equal(bao_heads_print_start(out, BAO_STR("66")), 0);
    for (int64_t seq = from; seq <= to; seq++) {
        struct bao_batch batch = make_batch(seq);
        struct bao_chain_head head = {.seq = seq, .at = batch.at};

        assert_int_equal(bao_batch_hash(&batch, &head.hash), 0);
        assert_int_equal(bao_heads_print(out, &head), 0);
    }
}

static void what_is_printed_is_read_back(void **state)
{
    struct bao_buf out = BAO_BUF_NULL(1 << 16);
    struct bao_str rest, province;
    struct bao_chain_head head;
    int64_t seq = 3;

    (void)state;
    make_list(&out, 3, 7);
    rest = bao_buf_str(&out);
    assert_int_equal(bao_heads_start(&rest, &province), 0);
    assert_true(bao_str_is(province, "66"));
    while (bao_heads_next(&rest, &head) == 0) {
        assert_int_equal(head.seq, seq);
        assert_int_equal(head.at, seq * BAO_SECOND);
        seq++;
    }
    assert_int_equal(seq, 8);
    assert_int_equal(bao_heads_next(&rest, &head), BAO_HEADS_E_END);
    bao_buf_deinit(&out);
}

static void a_batch_is_found_as_it_is_or_told(void **state)
{
    struct bao_buf out = BAO_BUF_NULL(1 << 16);
    struct bao_batch batch = make_batch(5), other = make_batch(5), foreign = make_batch(5),
                     late = make_batch(9);

    (void)state;
    make_list(&out, 1, 7);
    other.root.octets[0] ^= 1;
    foreign.province = BAO_STR("67");
    assert_int_equal(bao_heads_check(bao_buf_str(&out), &batch), 0);
    assert_int_equal(bao_heads_check(bao_buf_str(&out), &other), BAO_HEADS_E_DIFFERS);
    assert_int_equal(bao_heads_check(bao_buf_str(&out), &foreign), BAO_HEADS_E_PROVINCE);
    assert_int_equal(bao_heads_check(bao_buf_str(&out), &late), BAO_HEADS_E_UNLISTED);
    bao_buf_deinit(&out);
}

static void what_is_no_list_is_told(void **state)
{
    static const char H[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const struct {
        const char *text;
        bool with_hash;
    } bad[] = {
        {"", false},
        {"baocao-heads 2\nprovince 66\n", false},
        {"baocao-heads 1\nprovince \n", false},
        {"baocao-heads 1\nprovince 66", false},
        {"baocao-heads 1\nprovince 66\nhead 0 2026-11-01T00:00:00.000Z %s\n", true},
        {"baocao-heads 1\nprovince 66\nhead 01 2026-11-01T00:00:00.000Z %s\n", true},
        {"baocao-heads 1\nprovince 66\nhead 9999999999999999999 2026-11-01T00:00:00.000Z %s\n", true},
        {"baocao-heads 1\nprovince 66\nhead 1 yesterday %s\n", true},
        {"baocao-heads 1\nprovince 66\nhead 1 2026-11-01T00:00:00.000Z 00\n", false},
        {"baocao-heads 1\nprovince 66\nhead 1 2026-11-01T00:00:00.000Z %s", true},
        {"baocao-heads 1\nprovince 66\nfoot 1 2026-11-01T00:00:00.000Z %s\n", true},
        {"baocao-heads 1\nprovince 66\n\n", false},
    };
    struct bao_batch batch = make_batch(5);

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(bad); i++) {
        char text[512];
        const char *at = strstr(bad[i].text, "%s");

        if (bad[i].with_hash)
            snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - bad[i].text), bad[i].text, H, at + 2);
        else
            snprintf(text, sizeof(text), "%s", bad[i].text);
        assert_int_equal(bao_heads_check(bao_str_c(text), &batch), BAO_HEADS_E_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_printed_is_read_back),
                                       cmocka_unit_test(a_batch_is_found_as_it_is_or_told),
                                       cmocka_unit_test(what_is_no_list_is_told)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
