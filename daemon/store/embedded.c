#include "daemon/store/embedded.h"

#include "lib/base/error.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    OLDEST_MAJOR = 15,
    SOCKET_PATH_MAX = 107, /* sun_path without its NUL */
    READY_WAIT_MS = 60000,
    STOP_WAIT_MS = 30000,
    STEP_MS = 10,
    GONE_WAIT_MS = 15000, /* for the processes of a killed server to end */
    AGAIN_MS = 250,
    PID_FILE_MAX = 4096,
    LOG_MAX = 8 << 20,
    LOG_TAIL = 600,
};

#define SOCKET_NAME "/.s.PGSQL.5432"

extern char **environ;

struct baod_embedded {
    int lock;
    pid_t pid;
    bool child; /* ours to reap; else taken over or visited */
    bool visit;
    bool adopted;
    int major;
    char bin[PATH_MAX]; /* folder of initdb and postgres */
    char data[PATH_MAX];
    char log[PATH_MAX];
    off_t log_from;        /* where the log of the last start begins */
    char socket[PATH_MAX]; /* folder */
    char conninfo[PATH_MAX + 128];
};

/* What holds whatever the operator puts below it in postgresql.conf. Durability is not for tuning: an
 * acknowledged report is on disk. */
static const char SETTINGS[] =
    "# Written by baocaod at each start; put your own settings into postgresql.conf,\n"
    "# below the line that includes this file.\n"
    "listen_addresses = ''\n"
    "port = 5432\n"
    "unix_socket_permissions = 0700\n"
    "max_connections = 40\n"
    "shared_buffers = 256MB\n"
    "fsync = on\n"
    "synchronous_commit = on\n"
    "full_page_writes = on\n"
    "wal_compression = on\n"
    "max_wal_size = 2GB\n"
    "min_wal_size = 512MB\n" /* a deadline's rush finds its segments made */
    "checkpoint_timeout = 15min\n"
    "random_page_cost = 1.1\n"
    "autovacuum_vacuum_scale_factor = 0.05\n"
    "autovacuum_analyze_scale_factor = 0.02\n"
    "jit = off\n"
    "timezone = 'UTC'\n"
    "log_timezone = 'UTC'\n"
    "log_destination = 'stderr'\n"
    "logging_collector = off\n"
    "log_line_prefix = '%m [%p] %q%a '\n"
    "log_checkpoints = off\n";

/* ------------------------------------------------------------------ small tools */

static int refuse(struct bao_buf *why, const char *format, ...) BAO_PRINTF(2, 3);

static int refuse(struct bao_buf *why, const char *format, ...)
{
    char text[2 * PATH_MAX];
    va_list args;
    int r;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    r = bao_buf_append_c(why, text);
    return r < 0 ? r : BAOD_EMBEDDED_E_REFUSED;
}

static int join(char ret[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(ret, PATH_MAX, "%s/%s", folder, name);

    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static void pause_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&t, NULL); /* cut short by a signal: the caller looks again */
}

static bool is_file(const char *folder, const char *name)
{
    char path[PATH_MAX];

    return join(path, folder, name) == 0 && access(path, R_OK) == 0;
}

static int write_file(const char *path, const char *text, size_t n, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    ssize_t done;
    int r = 0;

    if (fd < 0)
        return -errno;
    done = write(fd, text, n);
    if (done < 0)
        r = -errno;
    else if ((size_t)done != n)
        r = -ENOSPC;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? 0 : st.st_size;
}

/* The last octets of a text file that stand behind `from`, as one line. */
static void tail_of(const char *path, off_t from, char *ret, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    off_t end;

    if (fd >= 0) {
        end = lseek(fd, 0, SEEK_END);
        if (end - from >= (off_t)size)
            from = end - (off_t)size + 1;
        n = pread(fd, ret, size - 1, from);
        (void)close(fd); /* only read */
    }
    ret[n < 0 ? 0 : n] = '\0';
    for (char *p = ret; *p != '\0'; p++)
        if (*p == '\n' || *p == '\r')
            *p = p[1] == '\0' ? '\0' : ' ';
}

/* ------------------------------------------------------------------ running programs */

/* Starts a program in a session of its own, its output appended to a log file. */
static int start_program(const char *path, char *const argv[], const char *log, pid_t *ret)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    pid_t pid;
    int r;

    (void)sigemptyset(&none); /* neither fails for a valid set */
    (void)sigfillset(&usual);
    r = posix_spawn_file_actions_init(&files);
    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = posix_spawnattr_setflags(&attributes,
                                     POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
            r = posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
            r = posix_spawnattr_setsigdefault(&attributes, &usual);
        if (r == 0)
            r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        if (r == 0)
            r = posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (r == 0)
            r = posix_spawn_file_actions_adddup2(&files, 1, 2);
        if (r == 0)
            r = posix_spawn(&pid, path, &files, &attributes, argv, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    if (r == 0)
        *ret = pid;
    return -r;
}

/* ------------------------------------------------------------------ the lock of the state folder */

static int make_folder(const char *path, struct bao_buf *why)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return refuse(why, "the folder %s cannot be made: %s", path, strerror(errno));
    return 0;
}

int baod_state_lock(const char *state, struct bao_buf *why, int *ret)
{
    char path[PATH_MAX], text[32] = "";
    int fd, n, r = make_folder(state, why);

    if (r != 0)
        return r;
    r = join(path, state, "lock");
    if (r < 0)
        return r;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse(why, "the state folder %s cannot be used: %s", state, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

        (void)close(fd); /* nothing was written */
        text[got < 0 ? 0 : got] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return refuse(
            why,
            "another baocaod (process %s) already uses the state folder %s: stop it first, or give this "
            "one a folder of its own with paths.state",
            text, state);
    }
    n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        r = refuse(why, "the state folder %s cannot be written: %s", state, strerror(errno));
        (void)close(fd); /* the lock goes with it */
        return r;
    }
    *ret = fd;
    return 0;
}

/* ------------------------------------------------------------------ finding PostgreSQL */

/* Where distributions put each major version. */
static const char *const PLACES[] = {"/usr/lib/postgresql/%d/bin", "/usr/pgsql-%d/bin",
                                     "/usr/local/pgsql-%d/bin"};

static bool has_programs(const char *folder)
{
    char path[PATH_MAX];

    return join(path, folder, "postgres") == 0 && access(path, X_OK) == 0 &&
           join(path, folder, "initdb") == 0 && access(path, X_OK) == 0;
}

static bool find_major(int major, char ret[PATH_MAX])
{
    for (size_t i = 0; i < BAO_COUNT(PLACES); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats stand in the table above */
        (void)snprintf(ret, PATH_MAX, PLACES[i], major);
#pragma GCC diagnostic pop
        if (has_programs(ret))
            return true;
    }
    return false;
}

/* The major version that `postgres --version` prints; 0 when it does not run. */
static int ask_version(const char *folder, const char *scratch)
{
    char path[PATH_MAX], text[128];
    char *argv[] = {path, (char[]){"--version"}, NULL};
    const char *digits;
    int status;
    pid_t pid;

    (void)unlink(scratch);
    if (join(path, folder, "postgres") < 0 || start_program(path, argv, scratch, &pid) < 0 ||
        waitpid(pid, &status, 0) < 0 || status != 0)
        return 0;
    tail_of(scratch, 0, text, sizeof(text));
    (void)unlink(scratch);
    digits = strpbrk(text, "0123456789");
    return digits == NULL ? 0 : (int)strtol(digits, NULL, 10);
}

/* PostgreSQL somewhere on the PATH, for places that PLACES does not know. */
static int find_on_path(const char *scratch, char ret[PATH_MAX])
{
    const char *at = getenv("PATH");

    while (at != NULL && *at != '\0') {
        size_t n = strcspn(at, ":");

        if (n > 0 && n < PATH_MAX) {
            memcpy(ret, at, n);
            ret[n] = '\0';
            if (has_programs(ret))
                return ask_version(ret, scratch);
        }
        at += n + (at[n] == ':');
    }
    return 0;
}

/* Majors of the clusters in <state>/pg, newest first; at most size. */
static size_t clusters(const char *folder, int *ret, size_t size)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t n = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL && n < size) {
        char path[PATH_MAX], *end;
        long major = strtol(entry->d_name, &end, 10);
        size_t at = n;

        if (major <= 0 || major > 1000 || *end != '\0' || join(path, folder, entry->d_name) < 0 ||
            !is_file(path, "PG_VERSION"))
            continue;
        for (; at > 0 && ret[at - 1] < (int)major; at--)
            ret[at] = ret[at - 1];
        ret[at] = (int)major;
        n++;
    }
    closedir(dir);
    return n;
}

/* Chooses the cluster and the programs: the newest cluster there is, with its own programs; or for the first
 * day the newest PostgreSQL installed. */
static int choose(struct baod_embedded *e, const char *folder, struct bao_buf *why)
{
    char scratch[PATH_MAX];
    int made[8], on_path, r = join(scratch, folder, "version.txt");
    size_t n = clusters(folder, made, BAO_COUNT(made));
    int newest = 0;

    if (r < 0)
        return r;
    if (n > 0 && find_major(made[0], e->bin)) {
        e->major = made[0];
        return 0;
    }
    on_path = find_on_path(scratch, e->bin);
    if (n > 0 && on_path == made[0]) {
        e->major = on_path;
        return 0;
    }
    for (int major = 40; major >= OLDEST_MAJOR && newest == 0; major--) {
        char bin[PATH_MAX];

        if (find_major(major, bin)) {
            newest = major;
            memcpy(e->bin, bin, sizeof(bin));
        }
    }
    if (newest == 0 && on_path >= OLDEST_MAJOR)
        newest = on_path;
    if (n > 0 && newest != 0)
        return refuse(why,
                      "the data in %s/%d were made by PostgreSQL %d, but PostgreSQL %d is installed: install "
                      "postgresql-%d beside it, or move the data over with pg_upgrade; nothing was changed",
                      folder, made[0], made[0], newest, made[0]);
    if (newest == 0)
        return refuse(
            why,
            "PostgreSQL %d or later is not installed: install it (apt install postgresql), or name a "
            "server with database.url",
            n > 0 ? made[0] : OLDEST_MAJOR);
    e->major = newest;
    return 0;
}

/* ------------------------------------------------------------------ making the cluster */

static int settings_write(const struct baod_embedded *e)
{
    char path[PATH_MAX];
    int r = join(path, e->data, "baocaod.conf");

    return r < 0 ? r : write_file(path, SETTINGS, sizeof(SETTINGS) - 1, O_TRUNC);
}

static int settings_include(const char *data)
{
    static const char line[] = "\ninclude = 'baocaod.conf'\n\n# Your own settings go below and win.\n";
    char path[PATH_MAX];
    int r = join(path, data, "postgresql.conf");

    return r < 0 ? r : write_file(path, line, sizeof(line) - 1, O_APPEND);
}

static int remove_tree(const char *path, const char *log)
{
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, strdup(path), NULL};
    int status = 0, r = argv[3] == NULL ? -ENOMEM : 0;
    pid_t pid;

    if (r == 0)
        r = start_program("/bin/rm", argv, log, &pid);
    if (r == 0 && waitpid(pid, &status, 0) < 0)
        r = -errno;
    free(argv[3]);
    return r < 0 ? r : status == 0 ? 0 : -EIO;
}

/* initdb works beside the final place and is moved there when whole, so that a crash leaves no half cluster.
 */
static int make_cluster(struct baod_embedded *e, const char *folder, const char *user, struct bao_buf *why)
{
    char program[PATH_MAX], fresh[PATH_MAX], owner[128], tail[LOG_TAIL];
    off_t from = size_of(e->log);
    char *argv[] = {program,
                    (char[]){"-D"},
                    fresh,
                    (char[]){"--encoding=UTF8"},
                    (char[]){"--locale=C.UTF-8"},
                    (char[]){"--auth-local=peer"},
                    (char[]){"--auth-host=reject"},
                    (char[]){"--no-instructions"},
                    owner,
                    NULL};
    int status = -1, r;
    pid_t pid;

    (void)snprintf(owner, sizeof(owner), "--username=%s", user);
    r = join(program, e->bin, "initdb");
    if (r == 0)
        r = join(fresh, folder, "new");
    if (r == 0 && access(fresh, F_OK) == 0)
        r = remove_tree(fresh, e->log);
    if (r == 0)
        r = start_program(program, argv, e->log, &pid);
    if (r < 0)
        return r;
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    if (status != 0) {
        tail_of(e->log, from, tail, sizeof(tail));
        return refuse(why, "the private database could not be made (initdb): %s", tail);
    }
    r = settings_include(fresh);
    if (r == 0 && rename(fresh, e->data) < 0)
        r = -errno;
    return r;
}

/* ------------------------------------------------------------------ the server */

struct pid_file {
    long pid;
    char socket[PATH_MAX];
    bool ready;
};

/* Reads <data>/postmaster.pid: pid, data folder, start time, port, socket folder, address, shared memory,
 * state. */
static bool pid_file_read(const char *data, struct pid_file *ret)
{
    char path[PATH_MAX], text[PID_FILE_MAX], *line = text;
    ssize_t n;
    int fd;

    if (join(path, data, "postmaster.pid") < 0)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    (void)close(fd); /* only read */
    if (n <= 0)
        return false;
    text[n] = '\0';
    *ret = (struct pid_file){.pid = strtol(text, NULL, 10)};
    for (int i = 0; line != NULL && i < 8; i++) {
        size_t length = strcspn(line, "\n");

        if (i == 4 && length < sizeof(ret->socket))
            (void)snprintf(ret->socket, sizeof(ret->socket), "%.*s", (int)length, line);
        if (i == 7)
            ret->ready = strncmp(line, "ready", 5) == 0;
        line = line[length] == '\n' ? line + length + 1 : NULL;
    }
    return ret->pid > 1;
}

/* Is the process of that number the server of this folder? It works inside it. */
static bool is_server_of(long pid, const char *data)
{
    char link[64], there[PATH_MAX], here[PATH_MAX];
    ssize_t n;

    if (kill((pid_t)pid, 0) < 0)
        return false;
    (void)snprintf(link, sizeof(link), "/proc/%ld/cwd", pid);
    n = readlink(link, there, sizeof(there) - 1);
    if (n < 0 || realpath(data, here) == NULL)
        return false;
    there[n] = '\0';
    return strcmp(there, here) == 0;
}

/* Still running? Reaps it when it was our child. */
static bool is_running(struct baod_embedded *e)
{
    if (e->pid <= 0)
        return false;
    if (e->child ? waitpid(e->pid, NULL, WNOHANG) == 0 : is_server_of(e->pid, e->data))
        return true;
    e->pid = 0;
    return false;
}

static bool wait_end(struct baod_embedded *e, int ms)
{
    for (; ms > 0; ms -= STEP_MS) {
        if (!is_running(e))
            return true;
        pause_ms(STEP_MS);
    }
    return !is_running(e);
}

static void stop_server(struct baod_embedded *e)
{
    if (!is_running(e))
        return;
    (void)kill(e->pid, SIGINT); /* fast; an error means that it is gone */
    if (wait_end(e, STOP_WAIT_MS))
        return;
    (void)kill(e->pid, SIGQUIT); /* at once; the next start recovers from the log */
    if (!wait_end(e, STOP_WAIT_MS / 3))
        (void)kill(e->pid, SIGKILL);
}

static int start_server(struct baod_embedded *e)
{
    char program[PATH_MAX];
    char *argv[] = {program, (char[]){"-D"}, e->data, (char[]){"-k"}, e->socket, NULL};
    int r = join(program, e->bin, "postgres");

    if (r < 0)
        return r;
    if (size_of(e->log) > LOG_MAX && truncate(e->log, 0) < 0)
        return -errno;
    e->log_from = size_of(e->log);
    r = start_program(program, argv, e->log, &e->pid);
    e->child = r == 0;
    return r;
}

/* Waits until the server says "ready"; one that recovers longer than that is left to the connection's
 * patience. */
static int wait_ready(struct baod_embedded *e, struct bao_buf *why)
{
    struct pid_file file;
    char tail[LOG_TAIL];

    for (int ms = 0; ms < READY_WAIT_MS; ms += STEP_MS) {
        if (!is_running(e)) {
            tail_of(e->log, e->log_from, tail, sizeof(tail));
            return refuse(why, "the private PostgreSQL did not start: %s (more in %s)", tail, e->log);
        }
        if (pid_file_read(e->data, &file) && file.pid == e->pid && file.ready)
            return 0;
        pause_ms(STEP_MS);
    }
    return 0;
}

/* A server left over by a crash is used as it stands; when its socket is gone nobody can reach it any more.
 */
static bool adopt(struct baod_embedded *e)
{
    struct pid_file file;

    if (!pid_file_read(e->data, &file) || !is_server_of(file.pid, e->data))
        return false;
    e->pid = (pid_t)file.pid;
    e->child = false;
    if (strlen(file.socket) + sizeof(SOCKET_NAME) - 1 <= SOCKET_PATH_MAX &&
        is_file(file.socket, SOCKET_NAME + 1)) {
        memcpy(e->socket, file.socket, sizeof(e->socket));
        e->adopted = true;
        return true;
    }
    stop_server(e);
    return false;
}

/* The first of: the runtime folder, the state folder, a folder of this user in /tmp. */
static int choose_socket(struct baod_embedded *e, const struct baod_embedded_options *options,
                         struct bao_buf *why)
{
    const char *const tries[] = {options->runtime, options->state};
    struct stat st;

    for (size_t i = 0; i < BAO_COUNT(tries); i++) {
        if (tries[i] == NULL || tries[i][0] == '\0' || realpath(tries[i], e->socket) == NULL)
            continue;
        if (strlen(e->socket) + sizeof(SOCKET_NAME) - 1 <= SOCKET_PATH_MAX && access(e->socket, W_OK) == 0)
            return 0;
    }
    if (stat(e->data, &st) < 0)
        return -errno;
    (void)snprintf(e->socket, sizeof(e->socket), "/tmp/baocaod-%lu-%lu", (unsigned long)geteuid(),
                   (unsigned long)st.st_ino);
    if (mkdir(e->socket, 0700) < 0 && errno != EEXIST)
        return refuse(why, "no folder for the database's socket: %s: %s", e->socket, strerror(errno));
    if (lstat(e->socket, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077) != 0)
        return refuse(why, "%s is not a private folder of this user: remove it", e->socket);
    return 0;
}

/* ------------------------------------------------------------------ life */

static void conninfo_write(struct baod_embedded *e, const char *user)
{
    (void)snprintf(e->conninfo, sizeof(e->conninfo), "host='%s' port=5432 user='%s' dbname=postgres",
                   e->socket, user);
}

static struct baod_embedded *embedded_free(struct baod_embedded *e)
{
    if (e != NULL && e->lock >= 0)
        (void)close(e->lock); /* unlocks */
    free(e);
    return NULL;
}

static void embedded_freep(struct baod_embedded **e)
{
    embedded_free(*e);
}

static int open_folders(struct baod_embedded *e, const char *state, char folder[PATH_MAX],
                        struct bao_buf *why)
{
    char real[PATH_MAX];
    int r;

    if (realpath(state, real) == NULL)
        return refuse(why, "the state folder %s cannot be used: %s", state, strerror(errno));
    if (strpbrk(real, "'\\") != NULL)
        return refuse(why, "the state folder's path must not hold quotes or backslashes: %s", real);
    r = join(folder, real, "pg");
    if (r == 0)
        r = make_folder(folder, why);
    if (r == 0)
        r = join(e->log, folder, "postgres.log");
    return r;
}

static int open_cluster(struct baod_embedded *e, const char *folder, const char *user, struct bao_buf *why)
{
    char name[16];
    int r = choose(e, folder, why);

    if (r != 0)
        return r;
    (void)snprintf(name, sizeof(name), "%d", e->major);
    r = join(e->data, folder, name);
    if (r == 0 && !is_file(e->data, "PG_VERSION"))
        r = e->visit ? refuse(why, "there is no private database in %s yet: start the daemon once", folder)
                     : make_cluster(e, folder, user, why);
    return r;
}

/* PostgreSQL does not start beside the processes of one that was killed, and its file stands as long as they
 * do: the last of them may need a moment to notice. */
static int start_after_crash(struct baod_embedded *e, struct bao_buf *why)
{
    struct pid_file file;

    for (int ms = 0;; ms += AGAIN_MS) {
        int r = start_server(e);

        if (r == 0)
            r = wait_ready(e, why);
        if (r != BAOD_EMBEDDED_E_REFUSED || ms >= GONE_WAIT_MS || !pid_file_read(e->data, &file))
            return r;
        bao_buf_clear(why);
        pause_ms(AGAIN_MS);
    }
}

static int open_server(struct baod_embedded *e, const struct baod_embedded_options *options,
                       struct bao_buf *why)
{
    int r;

    if (adopt(e)) {
        r = wait_ready(e, why);
        if (r != BAOD_EMBEDDED_E_REFUSED)
            return r;
        bao_buf_clear(why); /* it was about to end */
        e->adopted = false;
    }
    r = choose_socket(e, options, why);
    if (r == 0)
        r = settings_write(e);
    return r != 0 ? r : start_after_crash(e, why);
}

int baod_embedded_open(const struct baod_embedded_options *options, struct bao_buf *why,
                       struct baod_embedded **ret)
{
    BAO_CLEANUP(embedded_freep) struct baod_embedded *e = calloc(1, sizeof(*e));
    const struct passwd *user = getpwuid(geteuid());
    char folder[PATH_MAX];
    int r;

    if (e == NULL)
        return -ENOMEM;
    e->lock = -1;
    if (geteuid() == 0)
        return refuse(why,
                      "PostgreSQL does not run as root: start baocaod with --user NAME (for example --user "
                      "baocaod), or name a server with database.url");
    if (user == NULL || strpbrk(user->pw_name, "'\\") != NULL)
        return refuse(why, "the user number %lu has no name that PostgreSQL could know it by",
                      (unsigned long)geteuid());
    r = baod_state_lock(options->state, why, &e->lock);
    if (r == BAOD_EMBEDDED_E_REFUSED && options->visit) {
        bao_buf_clear(why); /* the daemon runs: its server is used */
        e->visit = true;
        r = 0;
    }
    if (r == 0)
        r = open_folders(e, options->state, folder, why);
    if (r == 0)
        r = open_cluster(e, folder, user->pw_name, why);
    if (r == 0 && e->visit && !adopt(e))
        r = refuse(why, "the daemon's private database is not running (it may be starting): try again");
    if (r == 0 && !e->visit)
        r = open_server(e, options, why);
    if (r != 0)
        return r;
    conninfo_write(e, user->pw_name);
    *ret = BAO_TAKE(e);
    return 0;
}

const char *baod_embedded_conninfo(const struct baod_embedded *e)
{
    return e->conninfo;
}

bool baod_embedded_adopted(const struct baod_embedded *e)
{
    return e->adopted;
}

bool baod_embedded_watch(struct baod_embedded *e)
{
    /* A failed start shows as a server that is gone: the next turn of the timer tries again. */
    return !e->visit && !is_running(e) && start_server(e) == 0;
}

struct baod_embedded *baod_embedded_close(struct baod_embedded *e)
{
    static const char own[] = "/tmp/baocaod-"; /* as choose_socket makes it */

    if (e != NULL && !e->visit) {
        stop_server(e);
        if (strncmp(e->socket, own, sizeof(own) - 1) == 0)
            (void)rmdir(e->socket); /* empty by now, or somebody else's matter */
    }
    return embedded_free(e);
}
