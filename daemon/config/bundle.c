#include "daemon/config/bundle.h"

#include "daemon/config/files.h"
#include "lib/base/crypto.h"
#include "lib/doc/tree.h"
#include "lib/wire/deflate.h"

#include <string.h>

enum { FILE_MAX = 16 << 20, BUNDLE_MAX = 64 << 20, LEVEL = 9 };

struct bundler {
    const struct baod_snapshot *s;
    struct bao_arena arena; /* texts of the files while they are put together */
    struct bao_sha256 hash;
    struct bao_buf files; /* the items of "files" */
    struct bao_buf *complaints;
};

/* One file goes in, as it is. */
static int add(struct bundler *b, struct bao_str path, struct bao_str text)
{
    int r = bao_buf_append_c(&b->files, bao_buf_len(&b->files) == 0 ? "\n{\"path\":" : ",\n{\"path\":");

    bao_sha256_feed(&b->hash, path.p, path.n);
    bao_sha256_feed(&b->hash, "", 1);
    bao_sha256_feed(&b->hash, text.p, text.n);
    bao_sha256_feed(&b->hash, "", 1);
    if (r == 0)
        r = bao_json_quote(&b->files, path);
    if (r == 0)
        r = bao_buf_append_c(&b->files, ",\"text\":");
    if (r == 0)
        r = bao_json_quote(&b->files, text);
    return r == 0 ? bao_buf_append_c(&b->files, "}") : r;
}

static int read_and_add(struct bundler *b, const char *file, struct bao_str path)
{
    struct bao_str text;
    int r = baod_file_read(&b->arena, file, FILE_MAX, &text);

    if (r == 0)
        return add(b, path, text);
    if (r < 0)
        return r;
    r = bao_buf_printf(b->complaints, "%s: cannot be read / không đọc được\n", file);
    return r == 0 ? BAOD_SNAPSHOT_E_BAD : r;
}

/* The path as seen from the folder. */
static struct bao_str inside(const char *folder, struct bao_str path)
{
    size_t n = strlen(folder);

    while (n != 0 && folder[n - 1] == '/')
        n--;
    if (path.n <= n || memcmp(path.p, folder, n) != 0)
        return path;
    while (n < path.n && path.p[n] == '/')
        n++;
    return (struct bao_str){path.p + n, path.n - n};
}

static int add_common(struct bundler *b, const char *forms_dir)
{
    struct bao_str file = bao_arena_printf(&b->arena, "%s/common.yaml", forms_dir), text;
    int r = file.p == NULL ? -ENOMEM : baod_file_read(&b->arena, file.p, FILE_MAX, &text);

    if (r == BAOD_FILES_E_MISSING)
        return 0; /* forms need not refer to common parts */
    return r == 0 ? add(b, BAO_STR("common.yaml"), text) : r;
}

static int add_forms(struct bundler *b, const char *forms_dir)
{
    int r = 0;

    for (size_t i = 0; i < b->s->forms.n && r == 0; i++) {
        const struct bao_form *form = b->s->forms.items[i];

        r = add(b, inside(forms_dir, form->file), form->doc.source);
    }
    return r;
}

static int add_province(struct bundler *b, const char *dir)
{
    struct bao_str name = bao_str_c(dir);
    const char **paths;
    size_t n;
    int r = baod_files_list(&b->arena, dir, NULL, &paths, &n);

    while (name.n != 0 && name.p[name.n - 1] == '/')
        name.n--;
    for (size_t i = name.n; i != 0; i--)
        if (name.p[i - 1] == '/') {
            name = (struct bao_str){name.p + i, name.n - i};
            break;
        }
    for (size_t i = 0; i < n && r == 0; i++) {
        struct bao_str rest = inside(dir, bao_str_c(paths[i]));
        struct bao_str path =
            bao_arena_printf(&b->arena, "provinces/%.*s/%.*s", BAO_STR_ARG(name), BAO_STR_ARG(rest));

        r = path.p == NULL ? -ENOMEM : read_and_add(b, paths[i], path);
    }
    return r > 0 ? BAOD_SNAPSHOT_E_BAD : r;
}

static int print_form(struct bao_buf *out, const struct bao_form *form, struct bao_str path)
{
    char from[16] = "", to[16] = "";
    int r = bao_buf_append_c(out, "{\"form\":");

    if (form->effective_from != BAO_DATE_NONE)
        bao_date_print(form->effective_from, from);
    if (form->effective_to != BAO_DATE_NONE)
        bao_date_print(form->effective_to, to);
    if (r == 0)
        r = bao_json_quote(out, form->id);
    if (r == 0)
        r = bao_buf_printf(out, ",\"version\":%d,\"effective_from\":\"%s\",\"effective_to\":\"%s\",\"path\":",
                           form->version, from, to);
    if (r == 0)
        r = bao_json_quote(out, path);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static int print_bundle(struct bundler *b, struct bao_buf *out, const char *version, const char *forms_dir)
{
    const struct bao_registry *registry = &b->s->registry;
    char known_to[16] = "";
    int r = bao_buf_append_c(out, "{\"province\":");

    if (registry->holidays.known_to != BAO_DATE_NONE)
        bao_date_print(registry->holidays.known_to, known_to);
    if (r == 0)
        r = bao_json_quote(out, registry->province);
    if (r == 0)
        r = bao_buf_append_c(out, ",\"name\":");
    if (r == 0)
        r = bao_json_quote(out, registry->name);
    if (r == 0)
        r = bao_buf_printf(out, ",\"version\":\"%s\",\"holidays_known_to\":\"%s\",\"forms\":[", version,
                           known_to);
    for (size_t i = 0; i < b->s->forms.n && r == 0; i++) {
        const struct bao_form *form = b->s->forms.items[i];

        r = bao_buf_append_c(out, i == 0 ? "\n" : ",\n");
        if (r == 0)
            r = print_form(out, form, inside(forms_dir, form->file));
    }
    if (r == 0)
        r = bao_buf_append_c(out, "],\n\"files\":[");
    if (r == 0)
        r = bao_buf_append_str(out, bao_buf_str(&b->files));
    return r == 0 ? bao_buf_append_c(out, "]}\n") : r;
}

static void deflater_freep(struct bao_deflater **z)
{
    *z = bao_deflater_free(*z);
}

static int keep(struct baod_snapshot *s, const struct bao_buf *text, const char *version)
{
    BAO_CLEANUP(deflater_freep) struct bao_deflater *z = bao_deflater_new(LEVEL);
    int r = z == NULL ? -ENOMEM : bao_deflate(z, &s->arena, bao_buf_str(text), &s->bundle);

    if (r < 0)
        return r;
    s->bundle_size = bao_buf_len(text);
    s->bundle_version = bao_arena_str(&s->arena, bao_str_c(version));
    return s->bundle_version.p == NULL ? -ENOMEM : 0;
}

int baod_bundle_make(struct baod_snapshot *s, const char *forms_dir, const char *province_dir,
                     struct bao_buf *complaints)
{
    struct bundler b = {.s = s, .files = BAO_BUF_NULL(BUNDLE_MAX), .complaints = complaints};
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(BUNDLE_MAX);
    char version[2 * BAO_SHA256_LEN + 1];
    uint8_t digest[BAO_SHA256_LEN];
    int r;

    bao_sha256_init(&b.hash);
    r = add_common(&b, forms_dir);
    if (r == 0)
        r = add_forms(&b, forms_dir);
    if (r == 0)
        r = add_province(&b, province_dir);
    bao_sha256_get(&b.hash, digest);
    bao_hex(digest, sizeof(digest), version);
    version[BAOD_BUNDLE_VERSION] = '\0';
    if (r == 0)
        r = print_bundle(&b, &out, version, forms_dir);
    if (r == 0)
        r = keep(s, &out, version);
    bao_buf_deinit(&b.files);
    bao_arena_deinit(&b.arena);
    return r;
}
