/* daemon/ops/quota and failures: shares and delays by the clock given. */
#include "daemon/ops/failures.h"
#include "daemon/ops/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct bao_str one[] = {{"24133", 5}}, other[] = {{"24121", 5}};
static const struct bao_str both[] = {{"24133", 5}, {"24121", 5}};

static unsigned flood(struct baod_quota *q, const struct bao_str *names, size_t n, uint64_t octets,
                      uint64_t at)
{
    unsigned taken = 0;

    while (taken < 100000 && baod_quota_take(q, names, n, octets, at) == 0)
        taken++;
    return taken;
}

static void a_flood_ends_at_its_share_and_no_other(void **state)
{
    const struct baod_quota_share share = {.reports = 10, .octets = 1000, .seconds = 5};
    struct baod_quota *q = baod_quota_new(&share, 1);
    uint64_t at = UINT64_C(1000000000);
    unsigned after;

    (void)state;
    assert_non_null(q);
    assert_int_equal(flood(q, one, 1, 10, at), 50);
    after = baod_quota_take(q, one, 1, 10, at);
    assert_in_range(after, 100, 101);
    assert_int_equal(flood(q, other, 1, 10, at), 50);
    assert_int_equal(flood(q, both, 2, 10, at), 100); /* a gateway has as many shares as units */
    assert_int_equal(flood(q, one, 1, 10, at + 1000000), 10);
    assert_int_equal(flood(q, one, 1, 10, at + 100000000), 50); /* what is not used is saved up to the end */
    baod_quota_free(q);
}

static void octets_count_and_a_large_one_goes_alone(void **state)
{
    const struct baod_quota_share share = {.reports = 10, .octets = 1000, .seconds = 5};
    const struct baod_quota_share none = {.seconds = 5};
    struct baod_quota *q = baod_quota_new(&share, 2);

    (void)state;
    assert_non_null(q);
    assert_int_equal(flood(q, one, 1, 1000, 7), 5);
    assert_int_equal(flood(q, other, 1, 20000, 7), 1);
    assert_int_not_equal(baod_quota_take(q, other, 1, 1, 7), 0);
    assert_int_equal(baod_quota_take(q, other, 1, 1, 7 + 20000000), 0);
    baod_quota_free(q);
    q = baod_quota_new(&none, 3);
    assert_non_null(q);
    assert_int_equal(flood(q, one, 1, 1 << 20, 7), 100000);
    baod_quota_free(q);
}

static void many_units_do_not_meet(void **state)
{
    const struct baod_quota_share share = {.reports = 1, .octets = 1000, .seconds = 3};
    struct baod_quota *q = baod_quota_new(&share, 4);

    (void)state;
    assert_non_null(q);
    for (int i = 0; i < 3300; i++) {
        char code[16];
        struct bao_str unit;

        snprintf(code, sizeof(code), "%d", 10000 + i);
        unit = bao_str_c(code);
        assert_int_equal(flood(q, &unit, 1, 1, 9), 3);
    }
    baod_quota_free(q);
}

static void failures_wait_the_longer(void **state)
{
    static struct baod_failures f;
    static const unsigned expected[] = {250, 500, 1000, 2000, 4000, 4000};
    struct bao_str a = BAO_STR("10.0.0.1"), b = BAO_STR("10.0.0.2"), account = BAO_STR("x");

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(expected); i++) {
        struct baod_failure got = baod_failures_add(&f, a, account, 1000);

        assert_int_equal(got.after_ms, expected[i]);
        assert_int_equal(got.count, i + 1);
    }
    assert_int_equal(baod_failures_add(&f, b, BAO_STR_NULL, 1000).after_ms, 250);  /* another address */
    assert_int_equal(baod_failures_add(&f, b, account, 1000).after_ms, 4000);      /* the same account */
    assert_int_equal(baod_failures_add(&f, a, BAO_STR_NULL, 62000).after_ms, 250); /* a minute of peace */
    assert_int_equal(f.total, BAO_COUNT(expected) + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_ends_at_its_share_and_no_other),
        cmocka_unit_test(octets_count_and_a_large_one_goes_alone),
        cmocka_unit_test(many_units_do_not_meet),
        cmocka_unit_test(failures_wait_the_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
