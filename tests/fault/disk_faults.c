/* Preloaded into a daemon: makes writes or syncs of its spool fail, while a file says so.
 *
 * DISK_FAULT names the file. Its first word is the fault: `enospc` and `eio` make every write fail, `fsync` makes
 * one sync fail (and is renamed, so that the next one succeeds, as after a real one). Each hit adds an octet to
 * DISK_FAULT.hits, so that a test can prove that its fault took place. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_spool(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return strstr(path, "spool.db") != NULL && strstr(path, "-shm") == NULL;
}

static void hit(const char *control)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s.hits", control);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0) {
        if (write(fd, "x", 1) < 0)
            perror("hit");
        close(fd);
    }
}

static int is_fault(const char *wanted)
{
    const char *control = getenv("DISK_FAULT");
    char word[16] = "";
    int fd = control == NULL ? -1 : open(control, O_RDONLY);

    if (fd < 0)
        return 0;
    if (read(fd, word, sizeof(word) - 1) < 0)
        word[0] = '\0';
    close(fd);
    if (strncmp(word, wanted, strlen(wanted)) != 0)
        return 0;
    hit(control);
    return 1;
}

static int write_fails(int fd)
{
    if (!is_spool(fd))
        return 0;
    if (is_fault("enospc")) {
        errno = ENOSPC;
        return 1;
    }
    if (is_fault("eio")) {
        errno = EIO;
        return 1;
    }
    return 0;
}

static int sync_fails(int fd)
{
    char used[4096];

    if (!is_spool(fd) || !is_fault("fsync"))
        return 0;
    snprintf(used, sizeof(used), "%s.used", getenv("DISK_FAULT"));
    if (rename(getenv("DISK_FAULT"), used) < 0)
        perror("rename");
    errno = EIO;
    return 1;
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    typedef ssize_t function(int, const void *, size_t, off_t);

    return write_fails(fd) ? -1 : NEXT(function *, "pwrite")(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    typedef ssize_t function(int, const void *, size_t, off64_t);

    return write_fails(fd) ? -1 : NEXT(function *, "pwrite64")(fd, p, n, at);
}

int fsync(int fd)
{
    typedef int function(int);

    return sync_fails(fd) ? -1 : NEXT(function *, "fsync")(fd);
}

int fdatasync(int fd)
{
    typedef int function(int);

    return sync_fails(fd) ? -1 : NEXT(function *, "fdatasync")(fd);
}
