/* Golden tests: what a clerk reads of each kind of mistake, in both languages, as text, JSON and "basic"
 * output.
 *
 * tests/data/messages/<name>.yaml|json is judged by messages/forms, which stay as they are whatever becomes
 * of the forms in use, and the province 66; what is said is compared with expected/<name>.txt.
 * BAOCAO_GOLDEN=write writes those files anew, to be read with care before a commit. */
#include "daemon/config/files.h"
#include "daemon/config/snapshot.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/form/judge.h"
#include "lib/text/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <dirent.h>

enum { FILES_MAX = 300, CODES_MIN = 60 };

static char folder[512];
static struct baod_snapshot *snapshot;
static struct bao_schema_scratch *scratch;

static int set_up(void **state)
{
    const char *source = getenv("BAOCAO_SOURCE");
    struct bao_buf said = BAO_BUF_NULL(1 << 20);
    char forms[600], province[600];
    int r;

    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/tests/data/messages", source == NULL ? "." : source);
    (void)snprintf(forms, sizeof(forms), "%s/forms", folder);
    (void)snprintf(province, sizeof(province), "%s/schemas/provinces/66-dak-lak",
                   source == NULL ? "." : source);
    scratch = bao_schema_scratch_new();
    r = baod_snapshot_load(forms, province, BAO_VI, &said, &snapshot);
    bao_buf_deinit(&said);
    return r != 0 || scratch == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch = bao_schema_scratch_free(scratch);
    snapshot = baod_snapshot_unref(snapshot);
    return 0;
}

/* Everything that is said of a report; nothing of a classified one is shown. */
static void describe(struct bao_buf *out, const struct bao_verdict *v, struct bao_str name,
                     struct bao_str text)
{
    struct bao_str source = v->is_secret ? BAO_STR_NULL : v->doc.source.n != 0 ? v->doc.source : text;

    assert_int_equal(bao_buf_printf(out, "%s\n", bao_symbol_info(v->symbol)->name), 0);
    for (int lang = 0; lang < BAO_LANGS; lang++) {
        assert_int_equal(bao_buf_append_c(out, lang == BAO_VI ? "\n== vi\n" : "\n== en\n"), 0);
        assert_int_equal(
            bao_text_render_all(out, &v->findings, name, source, (enum bao_lang)lang, BAO_TEXT_SHOW), 0);
    }
    assert_int_equal(bao_buf_append_c(out, "\n== json\n"), 0);
    for (size_t i = 0; i < v->findings.n; i++) {
        assert_int_equal(bao_text_json(out, &v->findings.items[i]), 0);
        assert_int_equal(bao_buf_append_c(out, "\n"), 0);
    }
    for (int lang = 0; lang < BAO_LANGS; lang++) {
        assert_int_equal(bao_buf_append_c(out, lang == BAO_VI ? "\n== basic vi\n" : "\n== basic en\n"), 0);
        assert_int_equal(bao_text_json_basic(out, &v->findings, (enum bao_lang)lang), 0);
        assert_int_equal(bao_buf_append_c(out, "\n"), 0);
    }
}

static void compare(struct bao_arena *arena, const char *name, struct bao_str got)
{
    struct bao_str path = bao_arena_printf(arena, "%s/expected/%s.txt", folder, name),
                   expected = BAO_STR_NULL;
    const char *golden = getenv("BAOCAO_GOLDEN");

    if (golden != NULL && strcmp(golden, "write") == 0) {
        FILE *f = fopen(path.p, "wb");

        assert_non_null(f);
        assert_int_equal(fwrite(got.p, 1, got.n, f), got.n);
        assert_int_equal(fclose(f), 0);
        return;
    }
    if (baod_file_read(arena, path.p, 1 << 20, &expected) != 0)
        fail_msg("there is no %s", path.p);
    if (!bao_str_eq(expected, got))
        fail_msg("%s (to take it: BAOCAO_GOLDEN=write): expected\n%.*s\ngot\n%.*s", name,
                 BAO_STR_ARG(expected), BAO_STR_ARG(got));
}

/* Judges one file; marks the codes it met. */
static void judge(const char *name, bool met[10000])
{
    const struct bao_judge_context context = {
        .forms = &snapshot->forms,
        .registry = &snapshot->registry,
        .limits = BAO_LOAD_LIMITS_DEFAULT,
        .now = bao_time_make(bao_date_make(2026, 9, 17), 8 * 3600, BAO_VN_OFFSET)};
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_buf got = BAO_BUF_NULL(1 << 20);
    struct bao_str path = bao_arena_printf(&arena, "%s/%s", folder, name), text;
    struct bao_verdict v;

    assert_int_equal(baod_file_read(&arena, path.p, 1 << 20, &text), 0);
    assert_int_equal(bao_judge(&context, &arena, scratch, text, &v), 0);
    if (v.symbol == BAO_SYM_NONE && v.findings.n == 0)
        fail_msg("%s: nothing is said of it", name);
    for (size_t i = 0; i < v.findings.n; i++)
        met[v.findings.items[i].code % 10000] = true;
    describe(&got, &v, bao_str_c(name), text);
    compare(&arena, name, bao_buf_str(&got));
    bao_buf_deinit(&got);
    bao_arena_deinit(&arena);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void mistakes_are_told_as_they_should(void **state)
{
    static bool met[10000];
    char *names[FILES_MAX];
    struct dirent *entry;
    size_t n = 0, codes = 0;
    DIR *dir = opendir(folder);

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".yaml") == NULL && strstr(entry->d_name, ".json") == NULL)
            continue;
        assert_true(n < FILES_MAX);
        names[n++] = strdup(entry->d_name);
    }
    (void)closedir(dir);
    qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++) {
        judge(names[i], met);
        free(names[i]);
    }
    for (size_t i = 0; i < BAO_COUNT(met); i++)
        codes += met[i];
    if (codes < CODES_MIN)
        fail_msg("only %zu kinds of mistake in %zu files", codes, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told_as_they_should),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
