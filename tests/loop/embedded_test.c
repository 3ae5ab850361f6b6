/* The private PostgreSQL: made, locked, adopted, watched, stopped. Root is refused;
 * started as root the rest runs as nobody. */
#include "daemon/store/embedded.h"
#include "daemon/store/pgcall.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char root_folder[64];

static void path_of(char ret[256], const char *format, ...) BAO_PRINTF(2, 3);

static void path_of(char ret[256], const char *format, ...)
{
    va_list args;
    int n = snprintf(ret, 256, "%s/", root_folder);

    va_start(args, format);
    (void)vsnprintf(ret + n, 256 - (size_t)n, format, args);
    va_end(args);
}

static int try_open(const char *state, bool visit, char why[512], struct baod_embedded **ret)
{
    struct baod_embedded_options options = {.state = state, .runtime = state, .visit = visit};
    struct bao_buf text = BAO_BUF_NULL(4096);
    int r = baod_embedded_open(&options, &text, ret);

    snprintf(why, 512, "%.*s", BAO_STR_ARG(bao_buf_str(&text)));
    bao_buf_deinit(&text);
    return r;
}

static struct baod_embedded *open_or_fail(const char *state)
{
    struct baod_embedded *e = NULL;
    char why[512];

    if (try_open(state, false, why, &e) != 0)
        fail_msg("%s", why);
    return e;
}

static bool answers(const struct baod_embedded *e)
{
    static const struct baod_pg_statement one = {NULL, "SELECT 1"};
    struct baod_pg_call_options options = {.conninfo = baod_embedded_conninfo(e), .wait_ms = 10000};
    struct baod_pg_call *call = NULL;
    bool ok;

    if (baod_pg_call_open(&options, NULL, &call) != 0)
        return false;
    ok = baod_pg_call_exec(call, &one, NULL, 0, NULL) == 0;
    baod_pg_call_close(call);
    return ok;
}

static int server_pid(const char *state)
{
    char path[512];
    DIR *dir;
    struct dirent *entry;
    int pid = 0;

    snprintf(path, sizeof(path), "%s/pg", state);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        FILE *f;

        snprintf(path, sizeof(path), "%s/pg/%s/postmaster.pid", state, entry->d_name);
        f = fopen(path, "r");
        if (f == NULL)
            continue;
        assert_int_equal(fscanf(f, "%d", &pid), 1);
        fclose(f);
    }
    closedir(dir);
    return pid;
}

static void life(void **unused)
{
    struct baod_embedded *e, *second = NULL;
    char state[256], why[512];
    int pid;

    (void)unused;
    path_of(state, "state");
    e = open_or_fail(state);
    assert_false(baod_embedded_adopted(e));
    assert_true(answers(e));
    pid = server_pid(state);
    assert_true(pid > 1);
    assert_int_equal(getsid(pid), pid); /* a session of its own */

    /* A second daemon is refused by name; a visitor may use the server and leaves it. */
    assert_int_equal(try_open(state, false, why, &second), BAOD_EMBEDDED_E_REFUSED);
    assert_non_null(strstr(why, "another baocaod (process "));
    assert_non_null(strstr(why, state));
    assert_int_equal(try_open(state, true, why, &second), 0);
    assert_true(answers(second));
    second = baod_embedded_close(second);
    assert_true(answers(e));

    /* Killed as a whole, it is started again by the watch. */
    assert_false(baod_embedded_watch(e));
    kill(pid, SIGKILL);
    for (int i = 0; i < 500 && !baod_embedded_watch(e); i++)
        usleep(10000);
    assert_true(answers(e));
    assert_int_not_equal(server_pid(state), pid);
    pid = server_pid(state);
    assert_null(baod_embedded_close(e));
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(server_pid(state), 0);
}

static void adopted_after_a_crash(void **unused)
{
    struct baod_embedded *e;
    char state[256];
    int pid, status;
    pid_t daemon;

    (void)unused;
    path_of(state, "state");
    daemon = fork();
    if (daemon == 0) {
        struct baod_embedded_options options = {.state = state, .runtime = state};
        struct bao_buf why = BAO_BUF_NULL(4096);

        _exit(baod_embedded_open(&options, &why, &e) == 0 ? 7 : 1); /* a crash: nothing is closed */
    }
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    assert_int_equal(WEXITSTATUS(status), 7);
    pid = server_pid(state);
    assert_int_equal(kill(pid, 0), 0);
    e = open_or_fail(state);
    assert_true(baod_embedded_adopted(e));
    assert_int_equal(server_pid(state), pid);
    assert_true(answers(e));
    baod_embedded_close(e);
    assert_int_equal(server_pid(state), 0);
}

static void another_major_is_answered(void **unused)
{
    struct baod_embedded *e = NULL;
    char state[256], path[256], why[512];
    FILE *f;

    (void)unused;
    path_of(state, "old");
    assert_int_equal(mkdir(state, 0700), 0);
    path_of(path, "old/pg");
    assert_int_equal(mkdir(path, 0700), 0);
    path_of(path, "old/pg/9");
    assert_int_equal(mkdir(path, 0700), 0);
    path_of(path, "old/pg/9/PG_VERSION");
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("9\n", f);
    fclose(f);
    assert_int_equal(try_open(state, false, why, &e), BAOD_EMBEDDED_E_REFUSED);
    assert_non_null(strstr(why, "made by PostgreSQL 9, but PostgreSQL "));
    assert_non_null(strstr(why, "install postgresql-9"));
    assert_non_null(strstr(why, "nothing was changed"));
}

static void a_long_folder_gets_a_short_socket(void **unused)
{
    struct baod_embedded *e;
    char state[256];

    (void)unused;
    path_of(state, "%0120d", 7);
    e = open_or_fail(state);
    assert_null(strstr(baod_embedded_conninfo(e), state));
    assert_true(answers(e));
    baod_embedded_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life),
        cmocka_unit_test(adopted_after_a_crash),
        cmocka_unit_test(another_major_is_answered),
        cmocka_unit_test(a_long_folder_gets_a_short_socket),
    };
    char why[512];
    struct baod_embedded *e = NULL;
    int failed;

    snprintf(root_folder, sizeof(root_folder), "/tmp/baocao-embedded-XXXXXX");
    if (mkdtemp(root_folder) == NULL)
        return 1;
    if (geteuid() == 0) {
        const struct passwd *nobody = getpwnam("nobody");

        if (try_open(root_folder, false, why, &e) != BAOD_EMBEDDED_E_REFUSED ||
            strstr(why, "--user") == NULL) {
            fprintf(stderr, "root was not refused: %s\n", why);
            return 1;
        }
        if (nobody == NULL || chown(root_folder, nobody->pw_uid, nobody->pw_gid) < 0 ||
            setgroups(0, NULL) < 0 || setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0)
            return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    execl("/bin/sh", "sh", "-c", "rm -rf -- \"$1\"; exit \"$2\"", "sh", root_folder, failed == 0 ? "0" : "1",
          (char *)NULL);
    return 1;
}
