#include "daemon/cli/forms_dir.h"

#include "lib/base/buf.h"
#include "lib/text/errno.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { COMPLAINTS_MAX = 1 << 20 };

#ifndef BAOCAO_SHARE_DIR
#define BAOCAO_SHARE_DIR "/usr/share/baocaod/schemas"
#endif

static bool is_there(const char *dir, const char *name)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

    return n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0;
}

static const char *find_forms(struct cli_forms *f, const char *given)
{
    const char *share = getenv("BAOCAO_SHARE"); /* of a program that was unpacked somewhere */
    const char *const places[] = {"schemas", share != NULL ? share : BAOCAO_SHARE_DIR};

    if (given != NULL)
        return given;
    f->is_pulled = cli_pulled_find(&f->pulled);
    if (f->is_pulled)
        return f->pulled.dir;
    for (size_t i = 0; i < BAO_COUNT(places); i++)
        if (is_there(places[i], "common.yaml"))
            return places[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_province(struct cli_forms *f, const char *dir, const char *name)
{
    char *path = NULL;

    if (f->n == CLI_PROVINCES_MAX || asprintf(&path, "%s%s%s", dir, *name == '\0' ? "" : "/", name) < 0)
        return false;
    if (!is_there(path, "units.yaml")) {
        free(path);
        return true;
    }
    f->provinces[f->n++] = path;
    return true;
}

/* All provinces beside the forms: the report's unit tells which of them is meant. */
static bool find_provinces(struct cli_forms *f)
{
    char *dir = NULL;
    const struct dirent *entry;
    bool ok = true;
    DIR *d;

    if (asprintf(&dir, "%s/provinces", f->dir) < 0)
        return false;
    d = opendir(dir);
    while (d != NULL && ok && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            ok = add_province(f, dir, entry->d_name);
    if (d != NULL)
        (void)closedir(d); /* only read from */
    free(dir);
    if (f->n > 1)
        qsort(f->provinces, f->n, sizeof(*f->provinces), by_name);
    return ok;
}

void cli_forms_close(struct cli_forms *f)
{
    for (size_t i = 0; i < CLI_PROVINCES_MAX; i++) {
        f->snapshots[i] = baod_snapshot_unref(f->snapshots[i]);
        free(f->provinces[i]);
        f->provinces[i] = NULL;
    }
    free(f->dir);
    f->dir = NULL;
    f->n = 0;
}

const struct baod_snapshot *cli_forms_get(struct cli_forms *f, size_t i)
{
    struct bao_buf complaints = BAO_BUF_NULL(COMPLAINTS_MAX);
    int r;

    if (i >= CLI_PROVINCES_MAX || (i != 0 && i >= f->n))
        return NULL;
    if (f->snapshots[i] != NULL)
        return f->snapshots[i];
    r = baod_snapshot_load(f->dir, f->provinces[i], f->lang, &complaints, &f->snapshots[i]);
    if (r != 0 && bao_buf_len(&complaints) != 0)
        fprintf(stderr, "%.*s\n", BAO_STR_ARG(bao_buf_str(&complaints)));
    if (r < 0)
        fprintf(stderr, "baocao: %s: %s\n", f->dir, bao_errno_text(r, f->lang));
    bao_buf_deinit(&complaints);
    return r == 0 ? f->snapshots[i] : NULL;
}

bool cli_forms_open(struct cli_forms *f, const struct cli_options *options, const char *forms,
                    const char *province)
{
    const char *dir;
    bool ok;

    *f = (struct cli_forms){.lang = options->lang, .quiet = options->json};
    dir = find_forms(f, forms);
    if (dir == NULL) {
        fputs(options->lang == BAO_VI ? "baocao: không thấy thư mục biểu mẫu; chỉ ra bằng --forms THƯ-MỤC, "
                                        "hoặc chạy ở nơi có thư mục schemas\n"
                                      : "baocao: no folder of forms found; name it with --forms DIR, "
                                        "or run where there is a folder schemas\n",
              stderr);
        return false;
    }
    f->dir = strdup(dir);
    if (f->dir == NULL)
        return false;
    if (province != NULL) {
        f->provinces[0] = strdup(province);
        f->n = 1;
        ok = f->provinces[0] != NULL;
    } else {
        ok = find_provinces(f);
    }
    ok = ok && cli_forms_get(f, 0) != NULL;
    if (!ok)
        cli_forms_close(f);
    return ok;
}

void cli_forms_tell(const struct cli_forms *f)
{
    if (!f->is_pulled || f->quiet)
        return;
    cli_pulled_tell(stderr, &f->pulled, f->lang);
    fputc('\n', stderr);
}

const struct bao_registry *cli_registry(const struct baod_snapshot *s)
{
    return s->registry.n_units == 0 ? NULL : &s->registry;
}

const struct baod_snapshot *cli_forms_of_unit(struct cli_forms *f, struct bao_str unit)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct baod_snapshot *s = cli_forms_get(f, i);

        if (s == NULL)
            return NULL;
        if (bao_registry_any(&s->registry, unit) != NULL)
            return s;
    }
    return cli_forms_get(f, 0);
}

enum { NAMED_MAX = 8 };

static const struct baod_snapshot *tell_unit(const struct cli_forms *f, struct bao_str text, const char *vi,
                                             const char *en)
{
    fprintf(stderr, "baocao: %s: %.*s\n", f->lang == BAO_VI ? vi : en, BAO_STR_ARG(text));
    return NULL;
}

/* A name that several units bear: they are listed, so that a code can be chosen. */
static const struct baod_snapshot *tell_named(const struct cli_forms *f, const struct baod_snapshot *s,
                                              struct bao_str text, const uint32_t *units, size_t n)
{
    (void)tell_unit(f, text, "nhiều đơn vị có tên này, hãy ghi mã",
                    "several units have this name, write a code");
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "  %.*s  %.*s\n", BAO_STR_ARG(s->registry.units[units[i]].code),
                BAO_STR_ARG(s->registry.units[units[i]].name));
    return NULL;
}

/* Says which unit stands for one that is no more, and gives that one's code. */
static void tell_heir(const struct cli_forms *f, const struct bao_registry *r, const struct bao_unit *old,
                      bao_date day, struct bao_str *code)
{
    const struct bao_unit *now = bao_registry_successor(r, old->code, day);
    char to[16];

    if (now == NULL) {
        *code = old->code;
        return;
    }
    bao_date_print(old->to, to);
    fprintf(stderr,
            f->lang == BAO_VI ? "baocao: %.*s (%.*s) là đơn vị cũ, đến hết ngày %s; nay thuộc %.*s (%.*s).\n"
                              : "baocao: %.*s (%.*s) is a former unit, until %s; today it is %.*s (%.*s).\n",
            BAO_STR_ARG(old->name), BAO_STR_ARG(old->code), to, BAO_STR_ARG(now->name),
            BAO_STR_ARG(now->code));
    *code = now->code;
}

/* The same of several units of one name. */
static const struct baod_snapshot *tell_heirs(const struct cli_forms *f, const struct baod_snapshot *s,
                                              struct bao_str text, bao_date day, const uint32_t *units,
                                              size_t n)
{
    struct bao_str code;

    (void)tell_unit(f, text, "nhiều đơn vị cũ có tên này, hãy ghi mã",
                    "several former units have this name, write a code");
    for (size_t i = 0; i < n; i++)
        tell_heir(f, &s->registry, &s->registry.units[units[i]], day, &code);
    return NULL;
}

/* A code that somebody has or had. */
static void take_code(const struct cli_forms *f, const struct bao_registry *r, bao_date day,
                      struct bao_str *code)
{
    const struct bao_unit *any = bao_registry_any(r, *code);

    if (any->from <= day && bao_registry_unit(r, *code, day) == NULL)
        tell_heir(f, r, any, day, code);
}

const struct baod_snapshot *cli_forms_unit(struct cli_forms *f, struct bao_arena *arena, bao_date day,
                                           struct bao_str *code)
{
    uint32_t units[NAMED_MAX];

    for (size_t i = 0; i < f->n; i++) {
        const struct baod_snapshot *s = cli_forms_get(f, i);
        size_t n;

        if (s == NULL)
            return NULL;
        if (bao_registry_any(&s->registry, *code) != NULL) {
            take_code(f, &s->registry, day, code);
            return s;
        }
        n = bao_registry_named(&s->registry, arena, *code, day, units, NAMED_MAX);
        if (n > 1)
            return tell_named(f, s, *code, units, n);
        if (n == 1) {
            *code = s->registry.units[units[0]].code;
            return s;
        }
        n = bao_registry_once_named(&s->registry, arena, *code, day, units, NAMED_MAX);
        if (n > 1)
            return tell_heirs(f, s, *code, day, units, n);
        if (n == 1) {
            tell_heir(f, &s->registry, &s->registry.units[units[0]], day, code);
            return s;
        }
    }
    return tell_unit(f, *code, "không có đơn vị này", "there is no such unit");
}
