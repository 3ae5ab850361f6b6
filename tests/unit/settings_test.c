/* daemon/config/settings: defaults, reading, complaints, and a dump that reads back equal. */
#include "daemon/config/settings.h"

#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void write_file(char path[32], const char *text)
{
    int fd;

    memcpy(path, "settings-XXXXXX", sizeof("settings-XXXXXX"));
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int load(struct baod_settings *s, const char *text, struct bao_buf *complaints)
{
    char path[32];
    int r;

    write_file(path, text);
    r = baod_settings_load(s, path, BAO_EN, complaints);
    unlink(path);
    return r;
}

static void values_replace_defaults(void **state)
{
    struct bao_buf complaints = BAO_BUF_NULL(1 << 16);
    struct baod_settings s;

    (void)state;
    assert_int_equal(baod_settings_init(&s), 0);
    assert_string_equal(s.reports_address, "127.0.0.1:7316");
    assert_int_equal(s.idle_ms, 180000);
    assert_int_equal(load(&s,
                          "reports: {address: \"127.0.0.1:0\", plaintext: true}\n"
                          "limits:\n  max_body: 2MiB\n  peer_items: 7\ntimes: {idle: 2m}\nlang: en\n",
                          &complaints),
                     0);
    assert_string_equal(s.reports_address, "127.0.0.1:0");
    assert_true(s.reports_plaintext);
    assert_int_equal(s.max_body, 2 << 20);
    assert_int_equal(s.peer_items, 7);
    assert_int_equal(s.idle_ms, 120000);
    assert_string_equal(s.lang, "en");
    assert_int_equal(load(&s, "", &complaints), 0);
    assert_int_equal(load(&s, "# lang: en\n", &complaints), 0);
    assert_int_equal(bao_buf_len(&complaints), 0);
    baod_settings_deinit(&s);
    baod_settings_deinit(&s);
    bao_buf_deinit(&complaints);
}

static void mistakes_are_told_with_place_and_leave_all_as_it_was(void **state)
{
    static const struct {
        const char *text, *place, *says;
    } cases[] = {
        {"reports:\n  adress: x\n", ":2:3:", "address"},
        {"limits: {max_body: 5MB}\n", ":1:20:", "MiB"},
        {"limits: {max_body: 1}\n", ":1:20:", "1KiB"},
        {"limits: {max_body: 99999999999999999999GiB}\n", ":1:20:", "MiB"},
        {"times: {idle: 5}\n", ":1:15:", "30s"},
        {"log: {level: loud}\n", ":1:14:", "notice"},
        {"reports: {plaintext: yes}\n", ":1:22:", "true"},
        {"work: {threads: many}\n", ":1:17:", "64"},
        {"reports: 5\n", ":1:10:", ""},
        {"lang: vi\nlang: en\n", ":2:1:", ""},
        {"a: [\n", ":", ""},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        struct bao_buf complaints = BAO_BUF_NULL(1 << 16);
        struct baod_settings s;

        assert_int_equal(baod_settings_init(&s), 0);
        assert_int_equal(load(&s, cases[i].text, &complaints), BAOD_SETTINGS_E_BAD);
        assert_int_equal(bao_buf_append(&complaints, "", 1), 0);
        assert_non_null(strstr(bao_buf_data(&complaints), cases[i].place));
        assert_non_null(strstr(bao_buf_data(&complaints), cases[i].says));
        assert_int_equal(s.max_body, 1 << 20);
        baod_settings_deinit(&s);
        bao_buf_deinit(&complaints);
    }
}

static void a_dump_reads_back_equal(void **state)
{
    struct bao_buf complaints = BAO_BUF_NULL(1 << 16), first = BAO_BUF_NULL(1 << 16),
                   second = BAO_BUF_NULL(1 << 16);
    struct baod_settings s;
    char path[32];

    (void)state;
    assert_int_equal(baod_settings_init(&s), 0);
    assert_int_equal(load(&s, "node: \"máy \\\"1\\\"\"\ntimes: {drain: 1500ms}\n", &complaints), 0);
    assert_int_equal(baod_settings_dump(&s, &first), 0);
    assert_int_equal(bao_buf_append(&first, "", 1), 0);
    write_file(path, bao_buf_data(&first));
    baod_settings_deinit(&s);
    assert_int_equal(baod_settings_init(&s), 0);
    assert_int_equal(baod_settings_load(&s, path, BAO_EN, &complaints), 0);
    unlink(path);
    assert_string_equal(s.node, "máy \"1\"");
    assert_int_equal(s.drain_ms, 1500);
    assert_int_equal(baod_settings_dump(&s, &second), 0);
    assert_int_equal(bao_buf_append(&second, "", 1), 0);
    assert_string_equal(bao_buf_data(&first), bao_buf_data(&second));
    baod_settings_deinit(&s);
    bao_buf_deinit(&first);
    bao_buf_deinit(&second);
    bao_buf_deinit(&complaints);
}

/* 0 = cores: as the setting's text says, and never so few that a large report holds up the small ones. */
static void threads_follow_the_cores_unless_they_are_set(void **state)
{
    static const struct {
        int64_t set;
        unsigned cores, threads;
    } cases[] = {{0, 0, 2},     {0, 1, 2},     {0, 2, 2},  {0, 3, 3},  {0, 64, 64},
                 {0, 128, 128}, {0, 500, 128}, {1, 64, 1}, {2, 64, 2}, {128, 4, 128}};
    struct baod_settings s;

    (void)state;
    assert_int_equal(baod_settings_init(&s), 0);
    assert_int_equal(s.threads, 0);
    for (size_t i = 0; i < BAO_COUNT(cases); i++) {
        s.threads = cases[i].set;
        assert_int_equal(baod_settings_threads(&s, cases[i].cores), cases[i].threads);
    }
    baod_settings_deinit(&s);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct bao_buf complaints = BAO_BUF_NULL(1 << 16);
    struct baod_settings s;

    (void)state;
    assert_int_equal(baod_settings_init(&s), 0);
    assert_int_equal(baod_settings_load(&s, "no-such-file.yaml", BAO_EN, &complaints), BAOD_SETTINGS_E_BAD);
    assert_non_null(strstr(bao_buf_data(&complaints), "no-such-file.yaml"));
    baod_settings_deinit(&s);
    bao_buf_deinit(&complaints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_replace_defaults),
        cmocka_unit_test(mistakes_are_told_with_place_and_leave_all_as_it_was),
        cmocka_unit_test(a_dump_reads_back_equal),
        cmocka_unit_test(threads_follow_the_cores_unless_they_are_set),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
