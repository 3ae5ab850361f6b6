/* daemon/http/rows: JSON and CSV of an answer. */
#include "daemon/http/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct baod_column columns[] = {
    {"name", BAOD_CELL_TEXT}, {"value", BAOD_CELL_NUMBER}, {"final", BAOD_CELL_BOOL}};

static void print(int (*how)(struct bao_buf *, const struct baod_rows *), const struct baod_rows *rows,
                  const char *expected)
{
    struct bao_buf out = BAO_BUF_NULL(1 << 16);

    assert_int_equal(how(&out, rows), 0);
    assert_int_equal(bao_buf_append(&out, "", 1), 0);
    assert_string_equal(bao_buf_data(&out), expected);
    bao_buf_deinit(&out);
}

static void cells_keep_their_kind(void **state)
{
    const struct bao_str cells[] = {
        BAO_STR("Phường \"Một\""),
        BAO_STR("12345678901234567890.50"),
        BAO_STR("true"),
        BAO_STR("=1+1"),
        BAO_STR_NULL,
        BAO_STR_NULL,
        BAO_STR("-5"),
        BAO_STR("-5"),
        BAO_STR("false"),
        BAO_STR("a,b\nc"),
        BAO_STR("0"),
        BAO_STR("true"),
    };
    const struct baod_rows rows = {columns, BAO_COUNT(columns), cells, 4};

    (void)state;
    print(baod_rows_json, &rows,
          "[\n{\"name\":\"Phường \\\"Một\\\"\",\"value\":12345678901234567890.50,\"final\":true},"
          "\n{\"name\":\"=1+1\",\"value\":null,\"final\":null},"
          "\n{\"name\":\"-5\",\"value\":-5,\"final\":false},"
          "\n{\"name\":\"a,b\\nc\",\"value\":0,\"final\":true}\n]\n");
    print(baod_rows_csv, &rows,
          "name,value,final\r\n\"Phường \"\"Một\"\"\",12345678901234567890.50,true\r\n"
          "\"'=1+1\",,\r\n\"'-5\",-5,false\r\n\"a,b\nc\",0,true\r\n");
}

static void no_rows_are_an_empty_list_and_a_head_line(void **state)
{
    const struct baod_rows rows = {columns, BAO_COUNT(columns), NULL, 0};

    (void)state;
    print(baod_rows_json, &rows, "[]\n");
    print(baod_rows_csv, &rows, "name,value,final\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_keep_their_kind),
        cmocka_unit_test(no_rows_are_an_empty_list_and_a_head_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
