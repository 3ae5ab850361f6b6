/* Verifying and rebuilding sums, on a real PostgreSQL (BAOCAO_TEST_PG: a conninfo of a database that may be
 * emptied). */
#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Two units in one scope and in the province, one of them with a superseded revision; slot 3 is never added;
 * slots 4 and 5 are a ratio that one unit did not give. */
static const char ROWS[] =
    "INSERT INTO baocao.unit (unit, code, kind, name_vi, name_en, from_day, seq_from) VALUES"
    " (1, '24133', 'ward', 'P', 'P', '2025-07-01', 1), (2, '24121', 'commune', 'X', 'X', '2025-07-01', 1);"
    "INSERT INTO baocao.scope (scope, id, type, name_vi, name_en) VALUES (1, '66', 0, 'T', 'T'), (2, "
    "'kind:ward', 1, 'K', 'K');"
    "INSERT INTO baocao.scope_unit (scope, unit, from_day, seq_from) VALUES"
    " (1, 1, '2025-07-01', 1), (1, 2, '2025-07-01', 1), (2, 1, '2025-07-01', 1), (2, 2, '2030-01-01', 1);"
    "INSERT INTO baocao.form (form, version, id, title_vi, title_en, period_type, effective_from, sha256, "
    "source, seq_from)"
    " VALUES (1, 1, 'nd73-quarterly', 'B', 'R', 3, '2026-01-01', '', '', 1);"
    "INSERT INTO baocao.indicator (form, slot, slot_to, code, decimals, over_units, over_time, label_vi, "
    "label_en,"
    "  version_from, version_to) VALUES (1, 1, NULL, 'assigned', 0, 'sum', 'sum', 'a', 'a', 1, 1),"
    " (1, 2, NULL, 'done', 0, 'sum', 'sum', 'd', 'd', 1, 1), (1, 3, NULL, 'rank', 0, 'none', 'last', 'r', "
    "'r', 1, 1),"
    " (1, 4, 5, 'rate', 0, 'sum', 'sum', 'r', 'r', 1, 1);"
    "INSERT INTO baocao.period VALUES (1, 20263003, '2026-Q3', '2026-06-15', '2026-09-14', 'Q', 'Q');"
    "SELECT baocao.make_year(2026), baocao.make_year(2026);"
    "INSERT INTO baocao.obligation (unit, form, period, cutoff, due_at, revision, received_at) VALUES"
    " (1, 1, 20263003, '2026-09-14', now(), 2, now()), (2, 1, 20263003, '2026-09-14', now(), 1, now());"
    "INSERT INTO baocao.report (unit, form, period, revision, form_version, state, received_at, seq_from, "
    "leaf, raw_size,"
    "  receipt, content, sha256, figures, body) VALUES"
    " (1, 1, 20263003, 1, 1, 2, now(), 2, 0, 1, gen_random_uuid(), '', '', '{900,900,900,900,900}', ''),"
    " (1, 1, 20263003, 2, 1, 1, now(), 3, 0, 1, gen_random_uuid(), '', '', '{10,7,3,7,10}', ''),"
    " (2, 1, 20263003, 1, 1, 1, now(), 3, 1, 1, gen_random_uuid(), '', '', '{1125899906842624,NULL,5}', '');";

static struct baod_pg_call *setup_tables(void)
{
    const char *conninfo = getenv("BAOCAO_TEST_PG");
    struct baod_pg_call_options options = {.conninfo = conninfo};
    struct bao_buf why = BAO_BUF_NULL(4096);
    struct baod_pg_call *call = NULL;
    int applied;

    if (conninfo == NULL)
        skip();
    assert_int_equal(baod_pg_call_open(&options, &why, &call), 0);
    assert_int_equal(baod_pg_call_script(
                         call, "DROP SCHEMA IF EXISTS office CASCADE; DROP SCHEMA IF EXISTS baocao CASCADE"),
                     0);
    assert_int_equal(baod_migrate(conninfo, 66, 0, &why, &applied), 0);
    if (baod_pg_call_script(call, ROWS) != 0)
        fail_msg("%s", baod_pg_call_error(call));
    bao_buf_deinit(&why);
    return call;
}

/* Verifies; gives the number of differences and leaves their text in `text`. */
static int64_t differences(struct baod_pg_call *call, char text[4096])
{
    struct bao_buf out = BAO_BUF_NULL(1 << 20);
    struct baod_verify_counts counts = {0};

    if (baod_verify(call, BAO_EN, &out, &counts) != 0)
        fail_msg("%.*s", BAO_STR_ARG(bao_buf_str(&out)));
    snprintf(text, 4096, "%.*s", BAO_STR_ARG(bao_buf_str(&out)));
    assert_int_equal(counts.slices, 1);
    assert_int_equal(counts.reports, 2);
    bao_buf_deinit(&out);
    return counts.different;
}

static int64_t rebuilt(struct baod_pg_call *call)
{
    struct bao_buf out = BAO_BUF_NULL(1 << 20);
    struct baod_verify_counts counts = {0};

    if (baod_rebuild(call, 66, BAO_EN, &out, &counts) != 0)
        fail_msg("%.*s", BAO_STR_ARG(bao_buf_str(&out)));
    bao_buf_deinit(&out);
    return counts.different;
}

static void sums_are_made_and_compared(void **state)
{
    static const struct baod_pg_statement read = {NULL,
                                                  "SELECT string_agg(concat_ws(' ', scope, reported, counts, "
                                                  "sums), ';' ORDER BY scope) FROM baocao.rollup"};
    struct baod_pg_call *call = setup_tables();
    const struct baod_pg_result *res = NULL;
    char text[4096];

    (void)state;
    assert_true(differences(call, text) > 0);
    assert_non_null(strstr(text, "nd73-quarterly 2026-Q3: scope 66: stored 0 reports, recomputed 2\n"));
    assert_int_equal(rebuilt(call), 2);
    assert_int_equal(baod_pg_call_exec(call, &read, NULL, 0, &res), 0);
    assert_true(bao_str_is(baod_pg_bytes(res, 0, 0),
                           "1 2 {2,1,2,1,1} {1125899906842634,7,0,7,10};2 1 {1,1,1,1,1} {10,7,0,7,10}"));
    assert_int_equal(differences(call, text), 0);
    assert_string_equal(text, "");
    assert_int_equal(rebuilt(call), 0);

    /* One digit off, a scope too many, a wrong number of reports: each is found and mended. */
    assert_int_equal(
        baod_pg_call_script(call, "UPDATE baocao.rollup SET sums[1] = sums[1] + 1 WHERE scope = 1"), 0);
    assert_int_equal(differences(call, text), 1);
    assert_string_equal(text, "nd73-quarterly 2026-Q3: scope 66, indicator assigned: stored 2 values, sum "
                              "1125899906842635; recomputed 2 values, sum 1125899906842634\n");
    assert_int_equal(baod_pg_call_script(call,
                                         "INSERT INTO baocao.rollup VALUES (9, 1, 20263003, 1, '{}', '{}');"
                                         "UPDATE baocao.rollup SET reported = 7 WHERE scope = 2"),
                     0);
    assert_int_equal(differences(call, text), 3);
    assert_int_equal(rebuilt(call), 3);
    assert_int_equal(differences(call, text), 0);
    /* Trailing slots that are not there count as zeros: no difference. */
    assert_int_equal(baod_pg_call_script(
                         call, "UPDATE baocao.rollup SET counts = counts || 0::int8, sums = sums || '{0,0}'"),
                     0);
    assert_int_equal(differences(call, text), 0);
    /* An obligation that names another revision than the one that counts. */
    assert_int_equal(baod_pg_call_script(call, "UPDATE baocao.obligation SET revision = 1 WHERE unit = 1"),
                     0);
    assert_int_equal(differences(call, text), 2);
    assert_non_null(strstr(text, "unit 24133: the obligation counts revision 1, the reports say -"));
    baod_pg_call_close(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_made_and_compared)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
