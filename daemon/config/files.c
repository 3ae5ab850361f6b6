#include "daemon/config/files.h"

#include "lib/text/errno.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 10000, DEPTH_MAX = 8 };

static void closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* only read from */
}

static void closedirp(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir); /* only read from */
}

static int open_error(void)
{
    return errno == ENOENT || errno == ENOTDIR ? BAOD_FILES_E_MISSING : -errno;
}

int baod_file_read(struct bao_arena *arena, const char *path, size_t max, struct bao_str *ret)
{
    int fd BAO_CLEANUP(closep) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    size_t n = 0;
    char *p;

    if (fd < 0)
        return open_error();
    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return BAOD_FILES_E_NOT_REGULAR;
    if (st.st_size < 0 || (uintmax_t)st.st_size > max)
        return BAOD_FILES_E_TOO_BIG;
    p = bao_arena_alloc(arena, (size_t)st.st_size + 1);
    if (p == NULL)
        return -ENOMEM;
    while (n < (size_t)st.st_size) {
        ssize_t got = read(fd, p + n, (size_t)st.st_size - n);

        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            break; /* made shorter meanwhile: what is there is judged */
        if (got > 0)
            n += (size_t)got;
    }
    p[n] = '\0';
    *ret = (struct bao_str){p, n};
    return 0;
}

struct lister {
    struct bao_arena *arena;
    const char *const *skip;
    const char **paths;
    size_t n, size;
};

static int keep(struct lister *l, const char *path)
{
    if (l->n == FILES_MAX)
        return BAOD_FILES_E_TOO_BIG;
    if (l->n == l->size) {
        size_t size = l->size == 0 ? 64 : l->size * 2;
        const char **more = bao_arena_array(l->arena, size, sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        if (l->n != 0)
            memcpy(more, l->paths, l->n * sizeof(*more));
        l->paths = more;
        l->size = size;
    }
    l->paths[l->n++] = path;
    return 0;
}

static bool is_skipped(const struct lister *l, const char *name, int depth)
{
    if (name[0] == '.')
        return true;
    for (size_t i = 0; depth == 0 && l->skip != NULL && l->skip[i] != NULL; i++)
        if (strcmp(name, l->skip[i]) == 0)
            return true;
    return false;
}

static bool is_yaml(const char *name)
{
    size_t n = strlen(name);

    return n > 5 && strcmp(name + n - 5, ".yaml") == 0;
}

static int walk(struct lister *l, const char *folder, int depth)
{
    DIR *dir BAO_CLEANUP(closedirp) = opendir(folder);
    struct dirent *entry;

    if (dir == NULL)
        return open_error();
    while ((entry = readdir(dir)) != NULL) {
        struct bao_str path;
        struct stat st;
        int r = 0;

        if (is_skipped(l, entry->d_name, depth))
            continue;
        path = bao_arena_printf(l->arena, "%s/%s", folder, entry->d_name);
        if (path.p == NULL)
            return -ENOMEM;
        if (stat(path.p, &st) != 0)
            continue; /* gone meanwhile, or a link to nowhere: nothing to read */
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            r = walk(l, path.p, depth + 1);
        else if (S_ISREG(st.st_mode) && is_yaml(entry->d_name))
            r = keep(l, path.p);
        if (r != 0)
            return r;
    }
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int baod_files_list(struct bao_arena *arena, const char *folder, const char *const *skip, const char ***ret,
                    size_t *ret_n)
{
    struct lister l = {.arena = arena, .skip = skip};
    int r = walk(&l, folder, 0);

    if (r != 0)
        return r;
    if (l.n != 0)
        qsort(l.paths, l.n, sizeof(*l.paths), compare_paths);
    *ret = l.paths;
    *ret_n = l.n;
    return 0;
}

const char *baod_files_why(int r, enum bao_lang lang)
{
    static const char *const words[][BAO_LANGS] = {
        [BAOD_FILES_E_MISSING] = {"không có tệp hoặc thư mục này; kiểm tra lại đường dẫn",
                                  "there is no such file or folder; check the path"},
        [BAOD_FILES_E_TOO_BIG] = {"quá lớn để đọc", "too big to be read"},
        [BAOD_FILES_E_NOT_REGULAR] = {"không phải là tệp thường", "not a regular file"},
    };

    return r < 0 ? bao_errno_text(r, lang) : words[r][lang];
}
