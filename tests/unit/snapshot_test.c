/* Forms and province loaded together: what is kept, what is left out, what is told. */
#include "daemon/config/snapshot.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/baocao-snapshot-XXXXXX");
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int forget(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(root, forget, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", root, folder);
    (void)mkdir(path, 0700); /* may be there already */
    (void)snprintf(path, sizeof(path), "%s/%s/%s", root, folder, name);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

#define UNITS                                                                                                \
    "province: {code: \"66\", name: X, timezone: Asia/Ho_Chi_Minh}\nunits:\n"                                \
    "  - {code: \"22015\", kind: ward, name: Phường A, from: 2025-07-01}\n"
#define PROGRAMMES "programmes: [{id: nd73, title: x}]\n"
#define HOLIDAYS "known_to: 2027-12-31\nholidays: [{from: 2026-01-01, name: x}]\n"
#define TARGET(form, code)                                                                                   \
    "targets:\n  - {form: " form ", code: " code ", unit: \"22015\", year: 2026, value: 9}\n"
#define FORM(id, programme, kinds)                                                                           \
    "baocao: 1\nid: " id "\nversion: 1\ntitle: {vi: Thử, en: Trial}\nprogramme: " programme "\n"             \
    "reporters: {kinds: [" kinds                                                                             \
    "]}\nperiod: {type: quarter, calendar: nd09}\ndeadline: {working_days: 2}\n"                             \
    "effective: {from: 2026-01-01}\nschema:\n  type: object\n  properties: {a: {type: integer}}\n"           \
    "  additionalProperties: false\nindicators:\n"                                                           \
    "  - {code: a, label: {vi: A, en: A}, measure: {vi: a, en: a}, value: self.a, decimals: 0, over_units: " \
    "sum, "                                                                                                  \
    "over_time: sum}\n"

/* Loads root/forms and root/province; gives what was said, NUL-terminated. */
static int load(struct bao_buf *said, struct baod_snapshot **ret)
{
    char forms[128], province[128];
    int r;

    (void)snprintf(forms, sizeof(forms), "%s/forms", root);
    (void)snprintf(province, sizeof(province), "%s/province", root);
    bao_buf_init(said, 1 << 16);
    r = baod_snapshot_load(forms, province, BAO_VI, said, ret);
    assert_int_equal(bao_buf_append(said, "", 1), 0);
    return r;
}

static void good_folders(void)
{
    put("province", "units.yaml", UNITS);
    put("province", "programmes.yaml", PROGRAMMES);
    put("province", "holidays.yaml", HOLIDAYS);
    put("province", "targets.yaml", TARGET("thu", "a"));
    put("forms", "thu.v1.yaml", FORM("thu", "nd73", "ward"));
}

static void the_tree_s_own_folders_are_good(void **state)
{
    static const char *const provinces[] = {"66-dak-lak", "68-lam-dong", "01-ha-noi"};
    const char *source = getenv("BAOCAO_SOURCE");
    struct baod_snapshot *s = NULL;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(provinces); i++) {
        struct bao_buf said = BAO_BUF_NULL(1 << 20);
        char forms[512], province[600];

        (void)snprintf(forms, sizeof(forms), "%s/schemas", source == NULL ? "." : source);
        (void)snprintf(province, sizeof(province), "%s/provinces/%s", forms, provinces[i]);
        if (baod_snapshot_load(forms, province, BAO_VI, &said, &s) != 0)
            fail_msg("%.*s", BAO_STR_ARG(bao_buf_str(&said)));
        assert_true(s->forms.n >= 1 && s->registry.n_units > 100);
        assert_ptr_equal(baod_snapshot_ref(s), s);
        assert_null(baod_snapshot_unref(s));
        assert_null(baod_snapshot_unref(s));
        bao_buf_clear(&said);
        assert_int_equal(baod_units_check(province, BAO_EN, &said), 0);
        bao_buf_deinit(&said);
    }
    assert_null(baod_snapshot_unref(NULL));
}

static void forms_of_other_programmes_are_left_out(void **state)
{
    struct baod_snapshot *s = NULL;
    struct bao_buf said;

    (void)state;
    good_folders();
    put("forms", "khac.v1.yaml", FORM("khac", "hn-kpi", "ward"));
    put("forms/samples", "bad.yaml", "form: nd73\n: : :\n");
    put("forms", "ghi-chu.yaml", "muc: khong phai bieu mau\n");
    put("forms", ".an.yaml", "[[[");
    put("province", "targets.yaml", TARGET("khac", "a"));
    assert_int_equal(load(&said, &s), 0);
    assert_int_equal(s->forms.n, 1);
    assert_true(bao_str_is(s->forms.items[0]->id, "thu"));
    assert_non_null(strstr(bao_buf_data(&said), "targets.yaml:2:5: cảnh báo BC5403"));
    assert_null(baod_snapshot_unref(s));
    bao_buf_deinit(&said);
}

static void what_is_wrong_is_told_with_its_file(void **state)
{
    static const struct {
        const char *folder, *name, *text;
        const char *says[3];
    } rows[] = {
        {"forms",
         "thu.v1.yaml",
         FORM("thu", "nd37", "ward"),
         {"forms/thu.v1.yaml:5:12: lỗi BC5401", "“nd73”", NULL}},
        {"forms",
         "thu.v1.yaml",
         FORM("thu", "nd73", "wards"),
         {"thu.v1.yaml:6:21: lỗi BC5205", "“ward”", NULL}},
        {"forms/b", "thu.v1.yaml", FORM("thu", "nd73", "ward"), {"BC5402", "forms/b/thu.v1.yaml", NULL}},
        {"forms", "hong.yaml", "a: [1,\nb\n", {"forms/hong.yaml:", "lỗi BC1", "Cách sửa: "}},
        {"province", "units.yaml", UNITS "x: 1\n", {"province/units.yaml:4:1: lỗi BC5002", NULL, NULL}},
        {"province", "units.yaml", "a: [1,\nb\n", {"province/units.yaml:", "lỗi BC1", NULL}},
        {"province", "targets.yaml", TARGET("thu", "b"), {"targets.yaml:2:5: lỗi BC5404", "“b”", NULL}},
        {"province", "holidays.yaml", "known_to: 2026\n", {"holidays.yaml:1:11: lỗi BC5007", NULL, NULL}},
    };

    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct baod_snapshot *s = NULL;
        struct bao_buf said;

        good_folders();
        put(rows[i].folder, rows[i].name, rows[i].text);
        if (load(&said, &s) != BAOD_SNAPSHOT_E_BAD || s != NULL)
            fail_msg("row %zu was taken: %s", i, bao_buf_data(&said));
        for (size_t k = 0; k < 3 && rows[i].says[k] != NULL; k++)
            if (strstr(bao_buf_data(&said), rows[i].says[k]) == NULL)
                fail_msg("row %zu does not say %s: %s", i, rows[i].says[k], bao_buf_data(&said));
        bao_buf_deinit(&said);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(mkdir(root, 0700), 0);
    }
}

static void missing_folders_and_files_are_told(void **state)
{
    struct baod_snapshot *s = NULL;
    struct bao_buf said;
    char link[128];

    (void)state;
    assert_int_equal(load(&said, &s), BAOD_SNAPSHOT_E_BAD);
    assert_non_null(strstr(bao_buf_data(&said), "/province/units.yaml: không có tệp"));
    assert_non_null(strstr(bao_buf_data(&said), "/forms: không có tệp hoặc thư mục này"));
    bao_buf_deinit(&said);
    /* One that the system does not let be read is told by its name too. */
    put("province", "units.yaml", UNITS);
    put("forms", "thu.v1.yaml", FORM("thu", "nd73", "ward"));
    (void)snprintf(link, sizeof(link), "%s/province/holidays.yaml", root);
    assert_int_equal(symlink("holidays.yaml", link), 0);
    assert_int_equal(load(&said, &s), BAOD_SNAPSHOT_E_BAD);
    assert_non_null(strstr(bao_buf_data(&said), "/province/holidays.yaml: liên kết chỉ vòng quanh"));
    bao_buf_deinit(&said);
    assert_int_equal(unlink(link), 0);
    /* Only units.yaml is needed of a province. */
    assert_int_equal(load(&said, &s), 0);
    assert_int_equal(s->registry.holidays.known_to, BAO_DATE_NONE);
    assert_null(baod_snapshot_unref(s));
    bao_buf_deinit(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_s_own_folders_are_good),
        cmocka_unit_test_setup_teardown(forms_of_other_programmes_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told_with_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_folders_and_files_are_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
