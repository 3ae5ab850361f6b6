#include "daemon/store/spool/log.h"

#include "lib/base/error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER = 32,
    SUMMED_HEADER = 24,
    FRAME_HEADER = 24,
    FILE_HEAD = 100,
    SUMMED_FRAME = 8,
    PAGE = 4096,
    PAGE_MIN = 512,
    PAGE_MAX = 65536
};

static const char FILE_MAGIC[16] = "SQLite format 3";
static const uint32_t MAGIC = 0x377f0682; /* sums over little-endian words; + 1: big-endian */

struct sums {
    uint32_t a, b;
};

struct log {
    uint8_t *p;
    size_t n, page;
    bool big; /* endianness of the words that are summed */
    bool header_is_good;
    uint8_t salts[8];
    struct sums sums; /* at the end of the header */
};

static uint32_t get(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void set(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static struct sums add(struct sums s, const uint8_t *p, size_t n, bool big)
{
    for (size_t i = 0; i + 8 <= n; i += 8) {
        s.a += get(p + i, big) + s.b;
        s.b += get(p + i + 4, big) + s.a;
    }
    return s;
}

static bool is_page(size_t n)
{
    return n >= PAGE_MIN && n <= PAGE_MAX && (n & (n - 1)) == 0;
}

/* Reads a file, or its first octets; an absent one is empty. */
static int slurp(const char *path, size_t most, uint8_t **ret, size_t *ret_n)
{
    struct stat st;
    uint8_t *p;
    size_t n = 0, size;
    int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;

    if (fd < 0 && errno == ENOENT) {
        *ret = NULL;
        *ret_n = 0;
        return 0;
    }
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    size = (size_t)st.st_size < most ? (size_t)st.st_size : most;
    p = malloc(size + 1);
    while (p != NULL && n < size) {
        ssize_t got = read(fd, p + n, size - n);

        if (got <= 0) {
            r = got < 0 ? -errno : 0;
            break;
        }
        n += (size_t)got;
    }
    close(fd);
    if (p == NULL)
        return -ENOMEM;
    if (r < 0) {
        free(p);
        return r;
    }
    *ret = p;
    *ret_n = n;
    return 0;
}

/* The log's shape; of a wrong header what its first frame tells. */
static void understand(struct log *log)
{
    uint32_t magic = get(log->p, true);

    log->big = magic == MAGIC + 1;
    log->page = get(log->p + 8, true);
    memcpy(log->salts, log->p + 16, sizeof(log->salts));
    log->sums = add((struct sums){0, 0}, log->p, SUMMED_HEADER, log->big);
    log->header_is_good = (magic == MAGIC || magic == MAGIC + 1) && is_page(log->page) &&
                          log->sums.a == get(log->p + 24, true) && log->sums.b == get(log->p + 28, true);
    if (!log->header_is_good && !is_page(log->page))
        log->page = PAGE;
}

static size_t frame_octets(const struct log *log)
{
    return FRAME_HEADER + log->page;
}

/* Is the frame of this generation? One of the two salts will do: the other may be what was damaged. */
static bool is_of_generation(const struct log *log, const uint8_t *frame)
{
    return memcmp(frame + 8, log->salts, 4) == 0 || memcmp(frame + 12, log->salts + 4, 4) == 0;
}

static bool is_damaged(const struct log *log)
{
    struct sums s = log->sums;
    size_t at = HEADER, size = frame_octets(log);
    bool good = true;

    if (!log->header_is_good)
        return true;
    for (; at + size <= log->n; at += size) {
        const uint8_t *frame = log->p + at;

        if (good) {
            s = add(add(s, frame, SUMMED_FRAME, log->big), frame + FRAME_HEADER, log->page, log->big);
            good = memcmp(frame + 8, log->salts, sizeof(log->salts)) == 0 && s.a == get(frame + 16, true) &&
                   s.b == get(frame + 20, true);
        }
        if (!good && is_of_generation(log, frame) && get(frame + 4, true) != 0)
            return true;
    }
    return good && at < log->n; /* cut in the middle of a frame */
}

/* Does the file's head speak of a log? (Its magic, its page size, and 2, 2: written and read with a log.) */
static bool is_head(const uint8_t *p, size_t n)
{
    size_t page = n < FILE_HEAD ? 0 : (size_t)p[16] << 8 | p[17];

    return n >= FILE_HEAD && memcmp(p, FILE_MAGIC, sizeof(FILE_MAGIC)) == 0 && (page == 1 || is_page(page)) &&
           p[18] == 2 && p[19] == 2;
}

int baod_spool_log_check(const char *file, const char *path)
{
    struct log log = {.p = NULL};
    uint8_t *p = NULL;
    size_t n = 0;
    int r = slurp(path, SIZE_MAX, &log.p, &log.n);

    if (r < 0 || log.n == 0) {
        free(log.p);
        return r;
    }
    r = slurp(file, FILE_HEAD, &p, &n);
    if (r == 0 && log.n >= HEADER)
        understand(&log);
    if (r == 0)
        r = is_head(p, n) && log.n >= HEADER && !is_damaged(&log) ? 0 : BAOD_SPOOL_LOG_E_DAMAGED;
    free(p);
    free(log.p);
    return r;
}

/* Makes every sum of the generation right. */
static void mend(struct log *log)
{
    size_t size = frame_octets(log);
    struct sums s;

    if (!log->header_is_good && log->n >= HEADER + FRAME_HEADER)
        memcpy(log->salts, log->p + HEADER + 8, sizeof(log->salts));
    set(log->p, log->big ? MAGIC + 1 : MAGIC);
    set(log->p + 4, 3007000); /* the one version there is */
    set(log->p + 8, (uint32_t)log->page);
    memcpy(log->p + 16, log->salts, sizeof(log->salts));
    s = add((struct sums){0, 0}, log->p, SUMMED_HEADER, log->big);
    set(log->p + 24, s.a);
    set(log->p + 28, s.b);
    for (size_t at = HEADER; at + size <= log->n; at += size) {
        uint8_t *frame = log->p + at;

        if (!is_of_generation(log, frame))
            return;
        memcpy(frame + 8, log->salts, sizeof(log->salts));
        s = add(add(s, frame, SUMMED_FRAME, log->big), frame + FRAME_HEADER, log->page, log->big);
        set(frame + 16, s.a);
        set(frame + 20, s.b);
    }
}

static int write_at_start(const char *path, int flags, const void *octets, size_t size)
{
    const char *p = octets;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600), r = 0;
    size_t n = 0;

    if (fd < 0)
        return -errno;
    while (r == 0 && n < size) {
        ssize_t put = write(fd, p + n, size - n);

        if (put < 0)
            r = -errno;
        else
            n += (size_t)put;
    }
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

/* A file of one page at least, whose head SQLite accepts; all else is in the log, or lost. */
static int mend_head(const char *file, size_t page)
{
    uint8_t *p = NULL;
    size_t n = 0;
    int r = slurp(file, FILE_HEAD, &p, &n);

    if (r == 0 && !is_head(p, n)) {
        uint8_t *head = calloc(1, page);

        r = head == NULL ? -ENOMEM : 0;
        if (head != NULL) {
            if (n == FILE_HEAD)
                memcpy(head, p, n);
            memcpy(head, FILE_MAGIC, sizeof(FILE_MAGIC));
            head[16] = (uint8_t)(page == PAGE_MAX ? 0 : page >> 8);
            head[17] = (uint8_t)(page == PAGE_MAX ? 1 : 0);
            head[18] = head[19] = 2;
            head[21] = 64; /* the three fractions of a payload, which never differ */
            head[22] = head[23] = 32;
            r = write_at_start(file, 0, head, n == FILE_HEAD ? FILE_HEAD : page);
        }
        free(head);
    }
    free(p);
    return r;
}

int baod_spool_log_mend(const char *file, const char *from, const char *to)
{
    struct log log = {.p = NULL};
    int r = slurp(from, SIZE_MAX, &log.p, &log.n);

    if (r < 0)
        return r;
    if (log.n >= HEADER) {
        understand(&log);
        mend(&log);
        r = mend_head(file, log.page);
    }
    if (r == 0)
        r = write_at_start(to, O_TRUNC, log.p, log.n);
    free(log.p);
    return r;
}
