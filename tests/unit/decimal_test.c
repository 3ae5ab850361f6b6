/* Exact decimals: against a table made with another implementation, and the limits. */
#include "lib/base/buf.h"
#include "lib/base/decimal.h"
#include "lib/base/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int parse(struct bao_arena *a, const char *text, struct bao_num *ret)
{
    return bao_num_parse(a, bao_str_c(text), ret);
}

static void prints_as(struct bao_num x, const char *expected)
{
    struct bao_buf out = BAO_BUF_NULL(4096);

    assert_int_equal(bao_num_print(&out, x), 0);
    assert_int_equal(bao_buf_append(&out, "", 1), 0);
    assert_string_equal(bao_buf_data(&out), expected);
    bao_buf_deinit(&out);
}

typedef int binary(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret);

static int rounded(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    return bao_num_round(a, x, (int)y.i, ret);
}

static int truncated(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    (void)y;
    return bao_num_trunc(a, x, ret);
}

static int compared(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    (void)a;
    assert_int_equal(bao_num_cmp(y, x), -bao_num_cmp(x, y));
    *ret = bao_num_int(bao_num_cmp(x, y));
    return 0;
}

static int multiple(struct bao_arena *a, struct bao_num x, struct bao_num y, struct bao_num *ret)
{
    int r = bao_num_is_multiple(a, x, y);

    *ret = bao_num_int(r);
    return r < 0 ? r : 0;
}

static binary *operation(const char *name)
{
    static const struct {
        const char *name;
        binary *run;
    } all[] = {{"add", bao_num_add}, {"sub", bao_num_sub}, {"mul", bao_num_mul},
               {"div", bao_num_div}, {"rem", bao_num_rem}, {"round", rounded},
               {"trunc", truncated}, {"cmp", compared},    {"multiple", multiple}};

    for (size_t i = 0; i < BAO_COUNT(all); i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].run;
    return NULL;
}

static void check_row(char *line)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_num x, y, z;
    char *word[4], *save = NULL;
    int r;

    for (int i = 0; i < 4; i++)
        assert_non_null(word[i] = strtok_r(i == 0 ? line : NULL, " \n", &save));
    assert_int_equal(parse(&a, word[1], &x), 0);
    assert_int_equal(parse(&a, word[2], &y), 0);
    assert_non_null(operation(word[0]));
    r = operation(word[0])(&a, x, y, &z);
    if (strcmp(word[3], "range") == 0) {
        assert_int_equal(r, BAO_DEC_E_RANGE);
    } else {
        struct bao_num again;

        assert_int_equal(r, 0);
        prints_as(z, word[3]);
        assert_int_equal(parse(&a, word[3], &again), 0);
        assert_int_equal(bao_num_cmp(z, again), 0);
        assert_int_equal(z.is_int, again.is_int);
    }
    bao_arena_deinit(&a);
}

static void agrees_with_the_table(void **state)
{
    const char *source = getenv("BAOCAO_SOURCE");
    char path[4096], line[8192];
    size_t rows = 0;
    FILE *f;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tests/data/decimal.txt", source == NULL ? "." : source);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (line[0] != '#') {
            check_row(line);
            rows++;
        }
    (void)fclose(f);
    assert_true(rows > 500);
}

static void reads_only_numbers(void **state)
{
    static const char *const bad[] = {"",   "-",  "+",    ".5",  "5.",    "1e",  "1e+", "1.e5", "0x1",
                                      "1 ", " 1", "1..2", "--1", "1e5.5", "nan", "inf", "1,5",  "٣"};
    static const struct {
        const char *text, *canonical;
    } good[] = {{"-0", "0"},
                {"+5", "5"},
                {"007", "7"},
                {"1.0", "1"},
                {"1e2", "100"},
                {"-1.50", "-1.5"},
                {"0e99999999999999", "0"},
                {"0.000", "0"},
                {"1E+3", "1000"},
                {"9223372036854775807", "9223372036854775807"},
                {"-9223372036854775808", "-9223372036854775808"},
                {"9223372036854775808", "9223372036854775808"},
                {"1e18", "1000000000000000000"},
                {"1e400", "1e+400"},
                {"1.25e-40", "1.25e-40"},
                {"1e6144", "1e+6144"},
                {"0.1e6145", "1e+6144"}};
    static const char *const range[] = {"1e6145", "1e-6145", "1e99999999999999999999",
                                        "-1e-99999999999999999999"};
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_num x;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(bad); i++)
        assert_int_equal(parse(&a, bad[i], &x), BAO_DEC_E_SYNTAX);
    for (size_t i = 0; i < BAO_COUNT(good); i++) {
        assert_int_equal(parse(&a, good[i].text, &x), 0);
        prints_as(x, good[i].canonical);
    }
    for (size_t i = 0; i < BAO_COUNT(range); i++)
        assert_int_equal(parse(&a, range[i], &x), BAO_DEC_E_RANGE);
    bao_arena_deinit(&a);
}

static void counts_a_thousand_digits(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    char text[3000];
    struct bao_num x;

    (void)state;
    memset(text, '7', sizeof(text));
    assert_int_equal(bao_num_parse(&a, (struct bao_str){text, 1000}, &x), 0);
    assert_int_equal(bao_num_parse(&a, (struct bao_str){text, 1001}, &x), BAO_DEC_E_RANGE);
    /* Zeros in front and behind are no digits of the number. */
    memset(text, '0', sizeof(text));
    memset(text + 1000, '7', 1000);
    assert_int_equal(bao_num_parse(&a, (struct bao_str){text, 3000}, &x), 0);
    text[1500] = '.';
    assert_int_equal(bao_num_parse(&a, (struct bao_str){text, 3000}, &x), 0);
    assert_int_equal(bao_num_decimals(x), 499);
    bao_arena_deinit(&a);
}

static void one_value_has_one_form(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_num x, y;
    int64_t i;

    (void)state;
    assert_int_equal(parse(&a, "0.5", &x), 0);
    assert_int_equal(bao_num_add(&a, x, x, &y), 0);
    assert_true(y.is_int && y.i == 1);
    assert_int_equal(bao_num_neg(&a, bao_num_int(INT64_MIN), &x), 0);
    assert_false(x.is_int);
    assert_int_equal(bao_num_neg(&a, x, &y), 0);
    assert_true(y.is_int && y.i == INT64_MIN);
    assert_int_equal(bao_num_div(&a, bao_num_int(INT64_MIN), bao_num_int(-1), &y), 0);
    assert_int_equal(bao_num_cmp(x, y), 0);
    assert_int_equal(bao_num_rem(&a, bao_num_int(INT64_MIN), bao_num_int(-1), &y), 0);
    assert_int_equal(bao_num_sign(y), 0);
    assert_int_equal(bao_num_div(&a, x, bao_num_int(0), &y), BAO_DEC_E_DIVISION);
    assert_int_equal(bao_num_rem(&a, x, bao_num_int(0), &y), BAO_DEC_E_DIVISION);
    assert_int_equal(bao_num_is_multiple(&a, x, bao_num_int(0)), -EINVAL);
    assert_int_equal(bao_num_is_multiple(&a, bao_num_int(0), bao_num_int(7)), 1);

    assert_int_equal(parse(&a, "12.345", &x), 0);
    assert_int_equal(bao_num_decimals(x), 3);
    assert_int_equal(bao_num_scale(x, 3, &i), 0);
    assert_int_equal(i, 12345);
    assert_int_equal(bao_num_scale(x, 2, &i), BAO_DEC_E_RANGE);
    assert_int_equal(bao_num_scale(bao_num_int(INT64_MAX), 1, &i), BAO_DEC_E_RANGE);
    assert_int_equal(bao_num_scale(bao_num_int(-5), 6, &i), 0);
    assert_int_equal(i, -5000000);
    assert_int_equal(bao_num_scale(bao_num_int(INT64_MIN), 0, &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(bao_num_from_scaled(&a, -12345, 3, &y), 0);
    prints_as(y, "-12.345");
    assert_int_equal(bao_num_from_scaled(&a, 12000, 3, &y), 0);
    assert_true(y.is_int && y.i == 12);
    bao_arena_deinit(&a);
}

static void doubles_go_both_ways(void **state)
{
    static const struct {
        double x;
        const char *text;
    } table[] = {
        {0.1, "0.1"}, {-2.5, "-2.5"}, {1e300, "1e+300"}, {3, "3"}, {0.1 + 0.2, "0.30000000000000004"},
        {-0.0, "0"}};
    struct bao_arena a = BAO_ARENA_NULL(0);
    struct bao_num x;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        assert_int_equal(bao_num_from_double(&a, table[i].x, &x), 0);
        prints_as(x, table[i].text);
        assert_true(bao_num_to_double(x) == table[i].x);
    }
    assert_int_equal(bao_num_from_double(&a, (double)NAN, &x), BAO_DEC_E_SYNTAX);
    assert_int_equal(bao_num_from_double(&a, (double)INFINITY, &x), BAO_DEC_E_SYNTAX);
    bao_arena_deinit(&a);
}

static void answers_lack_of_memory(void **state)
{
    struct bao_arena a = BAO_ARENA_NULL(1);
    struct bao_num x;

    (void)state;
    assert_int_equal(parse(&a, "0.5", &x), -ENOMEM);
    assert_int_equal(bao_num_add(&a, bao_num_int(INT64_MAX), bao_num_int(1), &x), -ENOMEM);
    assert_int_equal(parse(&a, "5", &x), 0);
    bao_arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_table),    cmocka_unit_test(reads_only_numbers),
        cmocka_unit_test(counts_a_thousand_digits), cmocka_unit_test(one_value_has_one_form),
        cmocka_unit_test(doubles_go_both_ways),     cmocka_unit_test(answers_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
