#include "daemon/cli/outbox.h"

#include "daemon/cli/input.h"
#include "lib/base/crypto.h"
#include "lib/form/envelope.h"
#include "lib/text/errno.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FILE_MAX = 16 << 20,
    SHORT_HASH = 16,    /* hex digits of a name */
    NAME_LONGEST = 220, /* octets: with a process's number before and ".receipt.json" behind, a file's name */
    EXTENSION_LONGEST = 16,
    FIRST_PAUSE_S = 60,
    LAST_PAUSE_S = 3600,
};

static const char *const folders[] = {"waiting", "sent", "refused", "tmp"};

struct cli_outbox {
    char *dir;
    int fd; /* of dir: holds the lock, and is the base of all names */
};

struct cli_outbox *cli_outbox_close(struct cli_outbox *o)
{
    if (o == NULL)
        return NULL;
    if (o->fd >= 0)
        (void)close(o->fd); /* it was only locked */
    free(o->dir);
    free(o);
    return NULL;
}

void cli_outbox_tell(const struct cli_options *options, const char *dir, int outcome)
{
    const char *busy = options->lang == BAO_VI ? "đang có tiến trình khác gửi" : "another process is sending";

    fprintf(stderr, "%s: %s\n", dir,
            outcome == CLI_OUTBOX_E_BUSY ? busy : bao_errno_text(outcome, options->lang));
}

int cli_outbox_open(const char *dir, struct cli_outbox **ret)
{
    struct cli_outbox *o = calloc(1, sizeof(*o));
    bool busy = false;
    int r = 0;

    if (o == NULL)
        return -ENOMEM;
    o->dir = strdup(dir);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        r = -errno;
    o->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r == 0 && (o->fd < 0 || o->dir == NULL))
        r = -errno;
    if (r == 0 && flock(o->fd, LOCK_EX | LOCK_NB) < 0) {
        busy = errno == EWOULDBLOCK;
        r = busy ? 0 : -errno;
    }
    for (size_t i = 0; i < BAO_COUNT(folders) && r == 0; i++)
        if (mkdirat(o->fd, folders[i], 0700) < 0 && errno != EEXIST)
            r = -errno;
    if (r == 0 && fsync(o->fd) < 0)
        r = -errno;
    if (r < 0) {
        cli_outbox_close(o);
        return r;
    }
    *ret = o;
    return busy ? CLI_OUTBOX_E_BUSY : 0;
}

/* Makes a folder's entries durable. */
static int sync_folder(struct cli_outbox *o, const char *folder)
{
    int fd = openat(o->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (fd < 0)
        return -errno;
    if (fsync(fd) < 0)
        r = -errno;
    (void)close(fd); /* it was only synced */
    return r;
}

static int write_all(int fd, struct bao_str s)
{
    while (s.n != 0) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s.p += n;
        s.n -= (size_t)n;
    }
    return 0;
}

/* Writes folder/name whole or not at all, durable when it returns. No other process writes the same part. */
static int write_file(struct cli_outbox *o, const char *folder, const char *name, struct bao_str text)
{
    char part[512], whole[512];
    int n = snprintf(part, sizeof(part), "tmp/%ld-%s", (long)getpid(), name),
        m = snprintf(whole, sizeof(whole), "%s/%s", folder, name);
    int fd, r;

    if (n < 0 || m < 0 || (size_t)n >= sizeof(part) || (size_t)m >= sizeof(whole))
        return -ENAMETOOLONG;
    fd = openat(o->fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = write_all(fd, text);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && renameat(o->fd, part, o->fd, whole) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(o->fd, part, 0); /* a full disk needs the room; what stays is only untidy */
    return r < 0 ? r : sync_folder(o, folder);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* A name from the content's hash and the owner's name, which is cut between characters when it is too long;
 * its extension stays. */
static void make_name(const char *hex, const char *owners, char ret[256])
{
    const char *dot = strrchr(owners, '.');
    size_t n = strlen(owners), tail = dot == NULL ? 0 : strlen(dot), most = NAME_LONGEST - SHORT_HASH - 1;

    if (n <= most) {
        (void)snprintf(ret, 256, "%.*s-%s", SHORT_HASH, hex, owners);
        return;
    }
    if (tail > EXTENSION_LONGEST)
        tail = 0;
    most -= tail;
    while (most != 0 && ((unsigned char)owners[most] & 0xc0) == 0x80)
        most--;
    (void)snprintf(ret, 256, "%.*s-%.*s%s", SHORT_HASH, hex, (int)most, owners, owners + n - tail);
}

int cli_outbox_put(struct cli_outbox *o, struct bao_arena *arena, const char *file, const char **ret_path)
{
    uint8_t sha[BAO_SHA256_LEN];
    char hex[2 * BAO_SHA256_LEN + 1], name[256];
    struct bao_str text, path;
    int r = cli_read_file(arena, file, FILE_MAX, &text);

    if (r < 0)
        return r;
    bao_sha256(text.p, text.n, sha);
    bao_hex(sha, sizeof(sha), hex);
    make_name(hex, base_name(file), name);
    path = bao_arena_printf(arena, "%s/waiting/%s", o->dir, name);
    if (path.p == NULL)
        return -ENOMEM;
    r = write_file(o, "waiting", name, text);
    if (r == 0)
        *ret_path = path.p;
    return r;
}

/* Reads the key of a file, if it has one. */
static int read_key(struct bao_arena *arena, struct cli_outbox_item *item)
{
    const struct bao_load_options options = {
        .mode = BAO_LOAD_REPORT, .format = cli_format_of(item->path), .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    struct bao_envelope envelope = {.has_key = false};
    struct bao_doc doc;
    struct bao_str text;
    char period[16];
    int r = cli_read_file(arena, item->path, FILE_MAX, &text);

    if (r < 0)
        return r;
    bao_findings_init(&findings, arena, 1);
    r = bao_load(arena, text, &options, &findings, &doc);
    if (r == 0)
        r = bao_envelope_read(arena, &doc, &findings, &envelope);
    if (r < 0)
        return r;
    if (!envelope.has_key)
        return 0; /* the hub will say what is wrong with it */
    bao_period_print(envelope.period, period);
    item->revision = envelope.revision;
    item->key = bao_arena_printf(arena, "%.*s %.*s %s", BAO_STR_ARG(envelope.form),
                                 BAO_STR_ARG(envelope.unit), period);
    return item->key.p == NULL ? -ENOMEM : 0;
}

static int by_key(const void *a, const void *b)
{
    const struct cli_outbox_item *x = a, *y = b;
    int c = (y->error != 0) - (x->error != 0);

    if (c == 0)
        c = bao_str_cmp(x->key, y->key);
    if (c == 0)
        c = (x->revision > y->revision) - (x->revision < y->revision);
    return c != 0 ? c : strcmp(x->path, y->path);
}

/* The part of a waiting file's name that its owner gave. */
static const char *owners_name(const char *name)
{
    return strlen(name) > SHORT_HASH && name[SHORT_HASH] == '-' ? name + SHORT_HASH + 1 : name;
}

static int add_item(struct cli_outbox *o, struct bao_arena *arena, const char *name,
                    struct cli_outbox_item *ret)
{
    struct bao_str path = bao_arena_printf(arena, "%s/waiting/%s", o->dir, name);
    char *copy = bao_arena_dup(arena, owners_name(name), strlen(owners_name(name)));

    if (path.p == NULL || copy == NULL)
        return -ENOMEM;
    *ret = (struct cli_outbox_item){.path = path.p, .name = copy};
    ret->error = read_key(arena, ret);
    return ret->error == -ENOMEM ? -ENOMEM : 0;
}

/* Walks the folder: counts when `items` is NULL, else fills at most `size`. */
static int walk(struct cli_outbox *o, struct bao_arena *arena, struct cli_outbox_item *items, size_t size,
                size_t *ret)
{
    int fd = openat(o->fd, "waiting", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    size_t n = 0;

    if (folder == NULL) {
        r = -errno;
        if (fd >= 0)
            (void)close(fd); /* the first error is the one to tell */
        return r;
    }
    while (r == 0 && (items == NULL || n < size) && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (items != NULL)
            r = add_item(o, arena, entry->d_name, &items[n]);
        n++;
    }
    (void)closedir(folder); /* it was only read */
    *ret = n;
    return r;
}

int cli_outbox_list(struct cli_outbox *o, struct bao_arena *arena, struct cli_outbox_item **ret,
                    size_t *ret_n)
{
    struct cli_outbox_item *items;
    size_t size, n;
    int r = walk(o, arena, NULL, 0, &size);

    if (r < 0)
        return r;
    items = bao_arena_array(arena, size == 0 ? 1 : size, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    r = walk(o, arena, items, size, &n);
    if (r < 0)
        return r;
    qsort(items, n, sizeof(*items), by_key);
    *ret = items;
    *ret_n = n;
    return 0;
}

/* The answer as a file beside the report. */
static int write_answer(struct cli_outbox *o, const struct cli_options *options, const char *folder,
                        const char *name, const struct cli_fate *fate)
{
    const struct cli_options json = {.lang = options->lang, .json = true, .self = options->self};
    char *text = NULL, path[512];
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    int n = snprintf(path, sizeof(path), "%s.%s.json", name,
                     strcmp(folder, "sent") == 0 ? "receipt" : "answer"),
        r;

    if (f == NULL || n < 0 || (size_t)n >= sizeof(path)) {
        if (f != NULL)
            (void)fclose(f); /* nothing was written to it */
        free(text);
        return -ENAMETOOLONG;
    }
    r = cli_fates_print(f, &json, fate, 1);
    if (fclose(f) != 0 && r == 0)
        r = -ENOMEM;
    if (r == 0)
        r = write_file(o, folder, path, (struct bao_str){text, size});
    free(text);
    return r;
}

int cli_outbox_settle(struct cli_outbox *o, const struct cli_options *options, const char *path,
                      struct cli_fate *fate)
{
    bool taken = fate->answered && fate->answer == BAO_OK && !bao_str_is(fate->state, "queued");
    bool refused = fate->answered && fate->answer == BAO_NO;
    const char *folder = taken ? "sent" : "refused", *name = base_name(path);
    char from[512], to[512];
    int r;

    fate->kept = !taken && !refused;
    if (fate->kept)
        return 0;
    (void)snprintf(from, sizeof(from), "waiting/%s", name); /* names were measured when they came in */
    (void)snprintf(to, sizeof(to), "%s/%s", folder, name);
    r = write_answer(o, options, folder, name, fate);
    if (r == 0 && renameat(o->fd, from, o->fd, to) < 0 &&
        (errno != ENOENT || faccessat(o->fd, to, F_OK, 0) < 0)) /* given twice: it is there already */
        r = -errno;
    if (r == 0)
        r = sync_folder(o, folder);
    return r < 0 ? r : sync_folder(o, "waiting");
}

/* The back-off: a file whose length counts the failures and whose time is the last one's. */

int cli_outbox_note(struct cli_outbox *o, bool failed)
{
    int fd, r = 0;

    if (!failed)
        return unlinkat(o->fd, "failures", 0) < 0 && errno != ENOENT ? -errno : 0;
    fd = openat(o->fd, "failures", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = write_all(fd, BAO_STR("x"));
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

long cli_outbox_pause(struct cli_outbox *o)
{
    struct stat st;
    long pause = FIRST_PAUSE_S, since;

    if (fstatat(o->fd, "failures", &st, 0) < 0)
        return 0;
    for (off_t i = 1; i < st.st_size && pause < LAST_PAUSE_S; i++)
        pause *= 2;
    pause = pause < LAST_PAUSE_S ? pause : LAST_PAUSE_S;
    pause = pause / 2 +
            (long)((unsigned long)st.st_mtim.tv_nsec / 1000 % (unsigned long)pause); /* spread by half */
    since = (long)(time(NULL) - st.st_mtim.tv_sec);
    return since >= 0 && since < pause ? pause - since : 0;
}
