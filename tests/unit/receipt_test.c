/* Receipt files: printed, read back, verified; any change is noticed. */
#include "lib/form/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { LEAVES = 5, MINE = 3 };

static const uint8_t SEED[32] = {1, 2, 3, 4, 5};

/* A receipt file of leaf MINE in a batch of LEAVES. */
static void make(struct bao_buf *out, uint8_t ret_pub[32])
{
    struct bao_leaf leaf = {.form = BAO_STR("nd73-quarterly"),
                            .unit = BAO_STR("24133"),
                            .period = BAO_STR("2026-Q3"),
                            .revision = 2,
                            .received_at = INT64_C(1793494798113456),
                            .form_version = 3,
                            .verdict = BAO_STR("accepted")};
    struct bao_batch batch = {.province = BAO_STR("66"),
                              .node = BAO_STR("hub-1"),
                              .seq = 12,
                              .at = INT64_C(1793494799000001),
                              .n = LEAVES};
    struct bao_hash leaves[LEAVES], path[BAO_MERKLE_PATH_MAX];
    struct bao_buf text = BAO_BUF_NULL(4096), mine = BAO_BUF_NULL(4096);
    size_t n_path;

    for (uint8_t i = 0; i < LEAVES; i++) {
        leaf.id[15] = i;
        bao_buf_clear(&text);
        assert_int_equal(bao_leaf_print(&text, &leaf), 0);
        bao_merkle_leaf(bao_buf_str(&text), &leaves[i]);
        if (i == MINE)
            assert_int_equal(bao_buf_append_str(&mine, bao_buf_str(&text)), 0);
    }
    bao_merkle_root(leaves, LEAVES, &batch.root);
    bao_ed25519_public(SEED, ret_pub);
    assert_int_equal(bao_batch_sign(&batch, SEED, ret_pub), 0);
    n_path = bao_merkle_path(leaves, LEAVES, MINE, path);
    assert_int_equal(bao_receipt_print(out, bao_buf_str(&mine), MINE, path, n_path, &batch), 0);
    bao_buf_deinit(&text);
    bao_buf_deinit(&mine);
}

static void a_receipt_reads_back_and_verifies(void **state)
{
    struct bao_buf file = BAO_BUF_NULL(8192);
    struct bao_receipt_file got;
    uint8_t pub[32], other[32];

    (void)state;
    make(&file, pub);
    assert_int_equal(bao_receipt_read(bao_buf_str(&file), &got), 0);
    assert_int_equal(bao_receipt_verify(&got, pub), 0);
    assert_int_equal(got.batch.seq, 12);
    assert_true(bao_str_is(bao_receipt_field(got.leaf, "period"), "2026-Q3"));
    assert_true(bao_str_is(bao_receipt_field(got.leaf, "received"), "2026-11-01T00:59:58.113456Z"));
    assert_null(bao_receipt_field(got.leaf, "perio").p);
    memcpy(other, pub, 32);
    other[0] ^= 1;
    assert_int_equal(bao_receipt_verify(&got, other), BAO_RECEIPT_E_SIGNATURE);
    bao_buf_deinit(&file);
}

/* Whatever single character is changed or cut away, the file is no longer a valid receipt. */
static void every_change_is_noticed(void **state)
{
    struct bao_buf file = BAO_BUF_NULL(8192);
    struct bao_receipt_file got;
    uint8_t pub[32];
    size_t n;

    (void)state;
    make(&file, pub);
    n = bao_buf_len(&file);
    for (size_t i = 0; i < n; i++) {
        char *p = bao_buf_data(&file) + i, was = *p;
        int r;

        assert_int_equal(bao_receipt_read((struct bao_str){bao_buf_data(&file), i}, &got),
                         BAO_RECEIPT_E_SYNTAX);
        if (i % 7 != 0) /* verifying costs; every seventh change is enough to meet each line */
            continue;
        *p = (char)(was == '1' ? '2' : '1');
        r = bao_receipt_read(bao_buf_str(&file), &got);
        assert_true(r != 0 || bao_receipt_verify(&got, pub) != 0);
        *p = was;
    }
    bao_buf_deinit(&file);
}

static void uuids_lead_with_the_time(void **state)
{
    static const uint8_t RANDOM[10] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6};
    uint8_t id[16];
    char text[33];

    (void)state;
    bao_uuid_v7(INT64_C(1645557742000000), RANDOM, id);
    bao_hex(id, sizeof(id), text);
    assert_string_equal(text, "017f22e279b07fffbfff010203040506");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_reads_back_and_verifies),
        cmocka_unit_test(every_change_is_noticed),
        cmocka_unit_test(uuids_lead_with_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
