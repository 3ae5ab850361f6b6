#include "daemon/cli/input.h"
#include "lib/base/error.h"
#include "lib/text/errno.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd > STDERR_FILENO)
        close(*fd);
}

/* Octets to make room for at first; a pipe says nothing about its length. */
static size_t expected_size(int fd, size_t cap)
{
    struct stat st;
    size_t size = 64 * 1024;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0)
        size = (size_t)st.st_size + 1;
    return size > cap ? cap + 1 : size;
}

static int read_all(struct bao_arena *arena, int fd, size_t cap, struct bao_str *ret)
{
    size_t size = expected_size(fd, cap), n = 0;
    char *room = bao_arena_alloc(arena, size + 1);

    for (;;) {
        ssize_t got;

        if (room == NULL)
            return -ENOMEM;
        got = read(fd, room + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > cap)
            return -EFBIG;
        if (n == size) {
            char *more;

            size = size > cap / 2 ? cap + 1 : size * 2;
            more = bao_arena_alloc(arena, size + 1);
            if (more != NULL)
                memcpy(more, room, n);
            room = more;
        }
    }
    room[n] = '\0';
    *ret = (struct bao_str){room, n};
    return 0;
}

int cli_read_file(struct bao_arena *arena, const char *path, size_t cap, struct bao_str *ret)
{
    int fd BAO_CLEANUP(close_fd) = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : read_all(arena, fd, cap, ret);
}

void cli_tell_unreadable(enum bao_lang lang, const char *path, int error)
{
    fprintf(stderr, lang == BAO_VI ? "baocao: không đọc được tệp %s: %s\n" : "baocao: cannot read %s: %s\n",
            path, bao_errno_text(error, lang));
}

enum bao_load_format cli_format_of(const char *path)
{
    size_t n = strlen(path);

    return n > 5 && strcasecmp(path + n - 5, ".json") == 0 ? BAO_FORMAT_JSON : BAO_FORMAT_GUESS;
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

int cli_base64(struct bao_arena *arena, struct bao_str text, struct bao_str *ret)
{
    char *out = bao_arena_alloc(arena, text.n / 4 * 3 + 4);
    uint32_t bits = 0, held = 0;
    size_t n = 0;

    if (out == NULL)
        return -ENOMEM;
    for (int i = 0; i < 2 && text.n % 4 != 1 && text.n != 0 && text.p[text.n - 1] == '='; i++)
        text.n--;
    if (text.n % 4 == 1)
        return -EINVAL;
    for (size_t i = 0; i < text.n; i++) {
        int value = base64_value(text.p[i]);

        if (value < 0)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (char)(bits >> held & 0xff);
        }
    }
    out[n] = '\0';
    *ret = (struct bao_str){out, n};
    return 0;
}
