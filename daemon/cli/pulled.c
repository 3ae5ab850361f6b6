#include "daemon/cli/pulled.h"

#include "daemon/cli/ask.h"
#include "daemon/config/snapshot.h"
#include "lib/doc/load.h"
#include "lib/text/errno.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUNDLE_MAX = 64 << 20,
    FILES_MAX = 10000,
    PATH_LENGTH = 4096,
    DAY_S = 86400,
    HOUR_S = 3600,
    OLD_DAYS = 35, /* longer than a month: a new version or a holiday may have come */
    STATUS_OK = 200,
    STATUS_SAME = 304,
};

static const char note[] =
    ".pulled"; /* version and server, a line each; its time is that of the last check */

/* ------------------------------------------------------------------ where it stands */

static bool make_path(char ret[PATH_LENGTH], const char *a, const char *b)
{
    int n = snprintf(ret, PATH_LENGTH, "%s/%s", a, b);

    return n > 0 && n < PATH_LENGTH;
}

static bool base_of(char ret[PATH_LENGTH])
{
    const char *own = getenv("BAOCAO_FORMS"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (own != NULL && *own != '\0')
        return snprintf(ret, PATH_LENGTH, "%s", own) < PATH_LENGTH;
    if (data != NULL && *data == '/')
        return make_path(ret, data, "baocao/forms");
    return home != NULL && *home == '/' && make_path(ret, home, ".local/share/baocao/forms");
}

static bool read_line(FILE *f, char *to, int size)
{
    if (fgets(to, size, f) == NULL)
        return false;
    to[strcspn(to, "\r\n")] = '\0';
    return *to != '\0';
}

bool cli_pulled_find(struct cli_pulled *ret)
{
    struct cli_pulled p = {.checked_at = 0};
    char base[PATH_LENGTH], path[PATH_LENGTH], real[PATH_LENGTH];
    struct stat st;
    bool ok;
    FILE *f;

    if (!base_of(base) || !make_path(path, base, "current") || realpath(path, real) == NULL ||
        !make_path(path, real, note))
        return false;
    f = fopen(path, "re");
    if (f == NULL)
        return false;
    ok = read_line(f, p.version, sizeof(p.version)) && read_line(f, p.server, sizeof(p.server)) &&
         fstat(fileno(f), &st) == 0;
    (void)fclose(f); /* it was only read */
    if (!ok)
        return false;
    p.checked_at = st.st_mtime;
    memcpy(p.dir, real, sizeof(p.dir));
    *ret = p;
    return true;
}

void cli_pulled_tell(FILE *to, const struct cli_pulled *p, enum bao_lang lang)
{
    long age = (long)(time(NULL) - p->checked_at);
    long n = age < 0 ? 0 : age >= DAY_S ? age / DAY_S : age / HOUR_S;

    if (lang == BAO_VI)
        fprintf(to, "Biểu mẫu: bản %s tải từ %s, kiểm tra lần cuối %ld %s trước%s", p->version, p->server, n,
                age >= DAY_S ? "ngày" : "giờ",
                age > OLD_DAYS * DAY_S ? "; đã cũ, hãy chạy lại: baocao forms pull" : "");
    else
        fprintf(to, "Forms: bundle %s from %s, last checked %ld %s ago%s", p->version, p->server, n,
                age >= DAY_S ? "days" : "hours",
                age > OLD_DAYS * DAY_S ? "; it is old: run baocao forms pull" : "");
}

/* ------------------------------------------------------------------ files */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* A folder of ours that nobody needs; what cannot be removed is only litter. */
static void remove_folder(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd); /* synced */
    return r;
}

/* Makes the folders of a path up to its last slash. */
static int make_folders(char *path)
{
    for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return 0;
}

static int write_file(const char *dir, struct bao_str name, struct bao_str text)
{
    char path[PATH_LENGTH];
    FILE *f;
    int n = snprintf(path, sizeof(path), "%s/%.*s", dir, BAO_STR_ARG(name)), r;

    if (n < 0 || n >= (int)sizeof(path))
        return -ENAMETOOLONG;
    r = make_folders(path);
    if (r < 0)
        return r;
    f = fopen(path, "wxe");
    if (f == NULL)
        return -errno;
    if (fwrite(text.p, 1, text.n, f) != text.n || fflush(f) != 0 || fsync(fileno(f)) != 0)
        r = -errno;
    return fclose(f) != 0 && r == 0 ? -errno : r;
}

/* Does the name stay inside the folder and end in .yaml? The hub is believed, its bundle is judged all the
 * same. */
static bool is_safe(struct bao_str name)
{
    bool begins = true;

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (begins && (c == '.' || c == '/'))
            return false;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("._-/", c) != NULL) ||
            c == '\0')
            return false;
        begins = c == '/';
    }
    return name.n > 5 && name.n < 1024 && memcmp(name.p + name.n - 5, ".yaml", 5) == 0;
}

/* ------------------------------------------------------------------ a bundle */

/* One pull: what came, and where it goes. */
struct pull {
    const struct cli_options *options;
    const struct cli_hub *hub;
    struct bao_arena arena;
    struct bao_doc doc;
    char base[PATH_LENGTH], fresh[PATH_LENGTH], final[PATH_LENGTH];
    struct bao_str province; /* its folder in the fresh one */
    struct bao_str version;
};

static int complain(const struct pull *p, const char *vi, const char *en)
{
    fprintf(stderr, "baocao: %s\n", p->options->lang == BAO_VI ? vi : en);
    return CLI_USAGE;
}

static struct bao_str text_of(const struct bao_node *map, const char *name)
{
    const struct bao_node *node = map->type == BAO_MAP ? bao_node_get(map, name) : NULL;

    return node != NULL && node->type == BAO_STRING ? bao_node_str(node) : BAO_STR_NULL;
}

static bool is_version(struct bao_str version)
{
    for (size_t i = 0; i < version.n; i++)
        if (!((version.p[i] >= '0' && version.p[i] <= '9') || (version.p[i] >= 'a' && version.p[i] <= 'f')))
            return false;
    return version.n != 0 && version.n <= 64;
}

static bool read_bundle(struct pull *p, struct bao_str body)
{
    struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;

    load.limits.octets = BUNDLE_MAX;
    load.limits.scalar = BUNDLE_MAX;
    bao_findings_init(&findings, &p->arena, 1);
    if (bao_load(&p->arena, body, &load, &findings, &p->doc) != 0)
        return false;
    p->version = text_of(&p->doc.root, "version");
    return is_version(p->version);
}

static int write_bundle(struct pull *p)
{
    const struct bao_node *files = bao_node_get(&p->doc.root, "files");
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf said = BAO_BUF_NULL(PATH_LENGTH);
    int r = 0;

    if (files == NULL || files->type != BAO_LIST || files->len == 0 || files->len > FILES_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < files->len && r == 0; i++) {
        struct bao_str name = text_of(&files->items[i], "path"), text = text_of(&files->items[i], "text");

        if (!is_safe(name))
            return -EBADMSG;
        r = write_file(p->fresh, name, text);
        if (name.n > 11 && memcmp(name.p + name.n - 11, "/units.yaml", 11) == 0) {
            name.n -= 11;
            p->province = bao_arena_printf(&p->arena, "%s/%.*s", p->fresh, BAO_STR_ARG(name));
        }
    }
    if (r == 0)
        r = bao_buf_printf(&said, "%.*s\n%s\n", BAO_STR_ARG(p->version), p->hub->server);
    if (r == 0)
        r = write_file(p->fresh, bao_str_c(note), bao_buf_str(&said));
    return r == 0 ? sync_folder(p->fresh) : r;
}

/* Would reports be judged by it? */
static bool is_good(const struct pull *p)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf complaints = BAO_BUF_NULL(1 << 20);
    struct baod_snapshot *s = NULL;
    int r = p->province.p == NULL
                ? BAOD_SNAPSHOT_E_BAD
                : baod_snapshot_load(p->fresh, p->province.p, p->options->lang, &complaints, &s);

    if (r != 0)
        fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&complaints)));
    baod_snapshot_unref(s);
    return r == 0;
}

/* Makes the fresh folder the current one: by renaming, so that there is always one. */
static int put_in_place(struct pull *p)
{
    char link[PATH_LENGTH], fresh_link[PATH_LENGTH], old[PATH_LENGTH] = "";
    ssize_t n;

    if (!make_path(link, p->base, "current") || !make_path(fresh_link, p->base, ".current"))
        return -ENAMETOOLONG;
    n = readlink(link, old, sizeof(old) - 1);
    old[n < 0 ? 0 : n] = '\0';
    if (rename(p->fresh, p->final) < 0)
        return -errno;
    (void)unlink(fresh_link); /* of a pull that was cut short */
    if (symlink(strrchr(p->final, '/') + 1, fresh_link) < 0 || rename(fresh_link, link) < 0)
        return -errno;
    if (*old != '\0' && strchr(old, '/') == NULL && make_path(fresh_link, p->base, old))
        remove_folder(fresh_link);
    return sync_folder(p->base);
}

static bool name_folders(struct pull *p)
{
    int n = snprintf(p->fresh, sizeof(p->fresh), "%s/.fresh-%ld", p->base, (long)getpid());
    int m = snprintf(p->final, sizeof(p->final), "%s/%.*s-%lld", p->base, BAO_STR_ARG(p->version),
                     (long long)time(NULL) * 1000 + (long long)getpid() % 1000);

    return n > 0 && n < (int)sizeof(p->fresh) && m > 0 && m < (int)sizeof(p->final);
}

static int keep(struct pull *p, struct bao_str body)
{
    const struct bao_node *forms;
    unsigned n;
    int r;

    if (!read_bundle(p, body) || !name_folders(p))
        return complain(p, "máy chủ trả lời không phải là gói biểu mẫu",
                        "the hub's answer is no bundle of forms");
    remove_folder(p->fresh);
    r = write_bundle(p);
    if (r == 0 && !is_good(p)) {
        remove_folder(p->fresh);
        return complain(p, "gói biểu mẫu vừa tải có lỗi, giữ lại bản đang dùng",
                        "the bundle that came is faulty; the one in use stays");
    }
    if (r == 0)
        r = put_in_place(p);
    if (r < 0) {
        remove_folder(p->fresh);
        fprintf(stderr, "baocao: %s: %s\n", p->base, bao_errno_text(r, p->options->lang));
        return CLI_USAGE;
    }
    forms = bao_node_get(&p->doc.root, "forms");
    n = forms != NULL && forms->type == BAO_LIST ? forms->len : 0;
    printf(p->options->lang == BAO_VI ? "Đã tải %u %s của %.*s, bản %.*s.\n"
                                      : "Fetched %u %s of %.*s, bundle %.*s.\n",
           n, p->options->lang == BAO_VI ? "biểu mẫu" : bao_plural(n, "form", "forms"),
           BAO_STR_ARG(text_of(&p->doc.root, "name")), BAO_STR_ARG(p->version));
    return CLI_OK;
}

/* The hub has said that the kept one is the present one. */
static int touch(const struct pull *p, const struct cli_pulled *kept)
{
    char path[PATH_LENGTH];

    if (!make_path(path, kept->dir, note) || utimensat(AT_FDCWD, path, NULL, 0) < 0) {
        fprintf(stderr, "baocao: %s: %s\n", kept->dir, bao_errno_text(errno, p->options->lang));
        return CLI_USAGE;
    }
    printf(p->options->lang == BAO_VI ? "Biểu mẫu đang dùng đã là bản mới nhất (%s).\n"
                                      : "The forms in use are the present ones (%s).\n",
           kept->version);
    return CLI_OK;
}

static bool make_base(struct pull *p)
{
    char path[PATH_LENGTH];

    return base_of(p->base) && make_path(path, p->base, "") && make_folders(path) == 0;
}

int cli_pulled_fetch(const struct cli_options *options, struct cli_hub *hub)
{
    struct pull p = {.options = options, .hub = hub, .arena = BAO_ARENA_NULL(0)};
    struct bao_buf body = BAO_BUF_NULL(BUNDLE_MAX);
    struct cli_pulled kept;
    const char *why = "";
    long status = 0;
    bool has = cli_pulled_find(&kept) && strcmp(kept.server, hub->server) == 0;
    int code;

    hub->has = has ? kept.version : NULL;
    if (!make_base(&p)) {
        code = complain(&p, "không tạo được thư mục để giữ biểu mẫu; hãy đặt biến BAOCAO_FORMS",
                        "cannot make a folder to keep the forms in; set BAOCAO_FORMS");
    } else if (cli_get(hub, "/v1/bundle", NULL, 0, &body, &status, &why) < 0) {
        cli_tell_no_answer(options, hub->server, why);
        code = CLI_USAGE;
    } else if (status == STATUS_SAME && has) {
        code = touch(&p, &kept);
    } else if (status != STATUS_OK) {
        code = cli_tell_refusal(options, status, bao_buf_str(&body));
    } else {
        code = keep(&p, bao_buf_str(&body));
    }
    bao_buf_deinit(&body);
    bao_arena_deinit(&p.arena);
    return code;
}
