/* The spool alone: custody before the answer, one receipt a key, order, caps, seals, and what is left after
 * damage. */
#include "daemon/store/spool.h"
#include "lib/form/receipt.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 200, FIGURES = 3 };

static const bao_time NOON = INT64_C(1790000000000000);
static const struct bao_form FORM = {.version = 2, .n_indicators = FIGURES};

struct fixture {
    uv_loop_t loop;
    char folder[64], path[96];
    struct baod_spool_options options;
    struct baod_spool *spool;
    /* answers */
    int outcome;
    unsigned answers;
    struct baod_receipt receipt;
    int last_revision;
    struct bao_str found; /* the receipt file, or .p NULL */
    int64_t seqs[MANY + 1];
    int revisions[MANY + 1];
    size_t n;
    struct bao_arena arena;
    const char *broken;
};

static void on_broken(void *user, const char *why)
{
    struct fixture *f = user;

    f->broken = why;
}

static void open_spool(struct fixture *f)
{
    struct bao_buf why = BAO_BUF_NULL(4096);
    int r = baod_spool_open(&f->loop, &f->options, &why, &f->spool);

    if (r != 0)
        print_error("%.*s\n", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    assert_int_equal(r, 0);
}

static void close_spool(struct fixture *f)
{
    f->spool = baod_spool_close(f->spool);
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void reopen(struct fixture *f)
{
    close_spool(f);
    open_spool(f);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL || uv_loop_init(&f->loop) != 0)
        return -1;
    snprintf(f->folder, sizeof(f->folder), "spool-test-XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/spool.db", f->folder);
    bao_arena_init(&f->arena, 16 << 20);
    f->options = (struct baod_spool_options){.path = f->path,
                                             .max_bytes = 64 << 20,
                                             .province = "66",
                                             .node = "hub",
                                             .broken = on_broken,
                                             .user = f};
    memset(f->options.seed, 9, sizeof(f->options.seed));
    open_spool(f);
    *state = f;
    return 0;
}

static void empty_folder(const struct fixture *f)
{
    uv_fs_t request;
    uv_dirent_t entry;

    if (uv_fs_scandir(NULL, &request, f->folder, 0, NULL) < 0)
        return;
    while (uv_fs_scandir_next(&request, &entry) == 0) {
        char path[512];

        snprintf(path, sizeof(path), "%s/%s", f->folder, entry.name);
        unlink(path);
    }
    uv_fs_req_cleanup(&request);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close_spool(f);
    empty_folder(f);
    rmdir(f->folder);
    bao_arena_deinit(&f->arena);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

/* ------------------------------------------------------------------ asking */

static void wait_for_answers(struct fixture *f, unsigned answers)
{
    while (f->answers < answers && f->broken == NULL)
        uv_run(&f->loop, UV_RUN_ONCE);
}

/* A report of a unit; `press` is its content. */
static struct baod_submission *report(const char *unit, int revision, int press)
{
    struct baod_submission *s = calloc(1, sizeof(*s));
    struct bao_verdict *v;
    int64_t content[] = {press, revision};

    assert_non_null(s);
    bao_arena_init(&s->arena, 1 << 20);
    v = &s->verdict;
    v->figures = bao_arena_array(&s->arena, FIGURES, sizeof(*v->figures));
    v->has_key = true;
    v->unit = bao_str_c(unit);
    v->form_id = BAO_STR("nd73-quarterly");
    v->period = (struct bao_period){.type = BAO_P_QUARTER, .year = 2026, .n = 3};
    v->revision = revision;
    v->form = &FORM;
    v->to = 20000;
    v->warnings = BAO_STR("[]");
    v->figures[0] = (struct bao_figure){true, press};
    v->figures[2] = (struct bao_figure){true, -5};
    bao_sha256(content, sizeof(content), v->content);
    memset(s->sha256, press, sizeof(s->sha256));
    s->document.n = 1234;
    s->stored = BAO_STR("a zlib stream");
    s->received_at = NOON + revision;
    return s;
}

static void free_report(struct baod_submission *s)
{
    bao_arena_deinit(&s->arena);
    free(s);
}

static void on_put(void *user, struct baod_submission *s, int outcome)
{
    struct fixture *f = user;

    f->outcome = outcome;
    f->receipt = s->receipt;
    f->answers++;
    free_report(s);
}

static int put(struct fixture *f, const char *unit, int revision, int press)
{
    f->answers = 0;
    assert_int_equal(baod_spool_put(f->spool, report(unit, revision, press), on_put, f), 0);
    wait_for_answers(f, 1);
    return f->outcome;
}

static void on_taken(void *user, const struct baod_spool_row *rows, size_t n)
{
    struct fixture *f = user;

    for (size_t i = 0; i < n; i++) {
        f->seqs[f->n + i] = rows[i].seq;
        f->revisions[f->n + i] = rows[i].revision;
    }
    f->n += n;
    f->answers++;
}

/* Reads all reports: their number. */
static size_t take(struct fixture *f)
{
    f->answers = 0;
    f->n = 0;
    assert_int_equal(baod_spool_take(f->spool, 0, MANY, on_taken, f), 0);
    wait_for_answers(f, 1);
    return f->n;
}

static void on_found(void *user, const struct baod_spool_row *row, int last_revision)
{
    struct fixture *f = user;

    f->last_revision = last_revision;
    f->found = row == NULL ? BAO_STR_NULL : bao_arena_str(&f->arena, row->file);
    if (row != NULL)
        f->revisions[0] = row->revision;
    f->answers++;
}

static bool find(struct fixture *f, const struct baod_stat_ask *ask)
{
    f->answers = 0;
    assert_int_equal(baod_spool_find(f->spool, ask, on_found, f), 0);
    wait_for_answers(f, 1);
    return f->found.p != NULL;
}

/* ------------------------------------------------------------------ tests */

static void test_one_receipt_a_key(void **state)
{
    struct fixture *f = *state;
    uint8_t first[16];

    assert_int_equal(put(f, "24133", 1, 4), 0);
    assert_true(f->receipt.queued && !f->receipt.dup);
    assert_int_equal(f->receipt.received_at, NOON + 1);
    assert_int_equal(f->receipt.form_version, 2);
    memcpy(first, f->receipt.id, sizeof(first));
    assert_int_equal(put(f, "24133", 1, 4), BAOD_SPOOL_E_SAME);
    assert_true(f->receipt.queued && f->receipt.dup);
    assert_memory_equal(f->receipt.id, first, sizeof(first));
    assert_int_equal(put(f, "24133", 1, 5), BAOD_SPOOL_E_OTHER);
    assert_int_equal(put(f, "24133", 2, 5), 0);
    reopen(f);
    assert_int_equal(put(f, "24133", 1, 4), BAOD_SPOOL_E_SAME);
    assert_memory_equal(f->receipt.id, first, sizeof(first));
    assert_int_equal(baod_spool_counts(f->spool).rows, 2);
}

static void test_the_receipt_file_verifies(void **state)
{
    struct fixture *f = *state;
    struct baod_stat_ask ask = {.by_receipt = true};
    struct bao_receipt_file file;
    uint8_t pub[32];

    assert_int_equal(put(f, "24133", 1, 4), 0);
    memcpy(ask.receipt, f->receipt.id, sizeof(ask.receipt));
    assert_true(find(f, &ask));
    assert_int_equal(bao_receipt_read(f->found, &file), 0);
    bao_ed25519_public(f->options.seed, pub);
    assert_int_equal(bao_receipt_verify(&file, pub), 0);
    assert_true(bao_str_is(bao_receipt_field(file.leaf, "verdict"), "queued"));
    assert_int_equal(file.batch.seq, 0);
    pub[0] ^= 1;
    assert_int_not_equal(bao_receipt_verify(&file, pub), 0);
    ask = (struct baod_stat_ask){
        .unit = BAO_STR("24133"), .form = BAO_STR("nd73-quarterly"), .period = BAO_STR("2026-Q3")};
    assert_int_equal(put(f, "24133", 7, 4), 0);
    assert_true(find(f, &ask));
    assert_int_equal(f->revisions[0], 7);
    ask.unit = BAO_STR("24121");
    assert_false(find(f, &ask));
}

static void test_order_and_groups(void **state)
{
    struct fixture *f = *state;

    f->answers = 0;
    for (int i = 1; i <= MANY; i++)
        assert_int_equal(baod_spool_put(f->spool, report("24133", i, i), on_put, f), 0);
    wait_for_answers(f, MANY);
    assert_int_equal(take(f), MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(f->revisions[i], i + 1);
    assert_int_equal(baod_spool_drop(f->spool, f->seqs, MANY / 2, true), 0);
    assert_int_equal(take(f), MANY / 2);
    assert_int_equal(f->revisions[0], MANY / 2 + 1);
    assert_int_equal(baod_spool_drop(f->spool, f->seqs, MANY / 2, true), 0);
    assert_int_equal(take(f), 0);
    assert_int_equal(baod_spool_counts(f->spool).bytes, 0);
}

/* Sent again after PostgreSQL has taken it, while it is away once more: the same receipt and time, and it is
 * kept again, for a standby that never saw it. What PostgreSQL refused is not remembered. */
static void test_a_drained_key_is_remembered(void **state)
{
    struct fixture *f = *state;
    uint8_t first[16], later[16];

    assert_int_equal(put(f, "24133", 1, 4), 0);
    memcpy(first, f->receipt.id, sizeof(first));
    assert_int_equal(take(f), 1);
    assert_int_equal(baod_spool_drop(f->spool, f->seqs, 1, true), 0);
    assert_int_equal(take(f), 0);
    reopen(f);
    assert_int_equal(put(f, "24133", 1, 5), BAOD_SPOOL_E_OTHER);
    assert_int_equal(f->receipt.received_at, NOON + 1);
    assert_int_equal(put(f, "24133", 1, 4), 0);
    assert_true(f->receipt.dup && f->receipt.queued);
    assert_memory_equal(f->receipt.id, first, sizeof(first));
    assert_int_equal(take(f), 1);
    assert_int_equal(put(f, "24133", 2, 4), 0);
    memcpy(later, f->receipt.id, sizeof(later));
    assert_int_equal(take(f), 2);
    assert_int_equal(baod_spool_drop(f->spool, f->seqs + 1, 1, false), 0);
    assert_int_equal(take(f), 1);
    assert_int_equal(put(f, "24133", 2, 5), 0);
    assert_false(f->receipt.dup);
    assert_memory_not_equal(f->receipt.id, later, sizeof(later));
}

static off_t file_size(const struct fixture *f)
{
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    return st.st_size;
}

/* What was drained gives its room back to the disk although something still waits: on a full disk nothing
 * else could be taken. */
static void test_room_is_given_back(void **state)
{
    static const char large[64 << 10];
    struct fixture *f = *state;

    f->answers = 0;
    for (int i = 1; i <= MANY; i++) {
        struct baod_submission *s = report("24133", i, i);

        s->stored = (struct bao_str){large, sizeof(large)};
        assert_int_equal(baod_spool_put(f->spool, s, on_put, f), 0);
    }
    wait_for_answers(f, MANY);
    reopen(f);
    assert_true(file_size(f) > MANY * (off_t)sizeof(large));
    f->n = 0;
    while (f->n < MANY) { /* some 8 MiB at a time */
        f->answers = 0;
        assert_int_equal(baod_spool_take(f->spool, f->n == 0 ? 0 : f->seqs[f->n - 1], MANY, on_taken, f), 0);
        wait_for_answers(f, 1);
    }
    assert_int_equal(baod_spool_drop(f->spool, f->seqs, MANY - 1, true), 0);
    for (int i = 0; i < 600 && file_size(f) > 20 * (off_t)sizeof(large); i++)
        uv_sleep(100);
    assert_true(file_size(f) <= 20 * (off_t)sizeof(large));
    assert_int_equal(take(f), 1);
}

static void on_sender(void *user, const struct baod_spool_row *row, int last_revision)
{
    struct fixture *f = user;

    (void)last_revision;
    f->found = row == NULL ? BAO_STR_NULL : bao_arena_str(&f->arena, row->sender);
    f->answers++;
}

/* Who handed it in is kept with it. */
static void test_the_sender(void **state)
{
    struct fixture *f = *state;
    struct bao_str units[] = {BAO_STR("24133"), BAO_STR("24121")};
    const struct baod_identity who = {
        .units = units, .n_units = 2, .by_token = true, .credential = {1, [15] = 0xfe}};
    struct baod_stat_ask ask = {
        .unit = units[0], .form = BAO_STR("nd73-quarterly"), .period = BAO_STR("2026-Q3")};
    struct baod_submission *s = report("24133", 1, 4);
    struct baod_identity read;

    s->who = &who;
    f->answers = 0;
    assert_int_equal(baod_spool_put(f->spool, s, on_put, f), 0);
    wait_for_answers(f, 1);
    reopen(f);
    f->answers = 0;
    assert_int_equal(baod_spool_find(f->spool, &ask, on_sender, f), 0);
    wait_for_answers(f, 1);
    assert_int_equal(baod_identity_parse(&f->arena, f->found, &read), 0);
    assert_true(read.by_token && !read.any_unit && read.n_units == 2);
    assert_true(bao_str_eq(read.units[1], units[1]));
    assert_memory_equal(read.credential, who.credential, sizeof(who.credential));
    assert_int_equal(baod_identity_parse(&f->arena, BAO_STR("any -"), &read), 0);
    assert_true(read.any_unit && !read.by_token && read.n_units == 0);
    assert_int_equal(baod_identity_parse(&f->arena, BAO_STR("all - 24133"), &read), -EBADMSG);
    assert_int_equal(baod_identity_parse(&f->arena, BAO_STR("units 12 24133"), &read), -EBADMSG);
    assert_int_equal(baod_identity_parse(&f->arena, BAO_STR(""), &read), -EBADMSG);
}

static void test_the_cap(void **state)
{
    struct fixture *f = *state;
    int revision = 0;

    f->options.max_bytes = 16 << 10;
    reopen(f);
    while (put(f, "24133", ++revision, 1) == 0)
        assert_true(revision < MANY);
    assert_int_equal(f->outcome, BAOD_SPOOL_E_FULL);
    assert_true(revision > 3);
    assert_int_equal(put(f, "24133", 1, 1), BAOD_SPOOL_E_SAME);
    assert_int_equal(take(f), (size_t)revision - 1);
    assert_int_equal(baod_spool_drop(f->spool, f->seqs, f->n, false), 0);
    assert_int_equal(put(f, "24133", revision, 1), 0);
}

static void test_figures(void **state)
{
    struct fixture *f = *state;
    struct baod_spool_row row = {
        .figures = BAO_STR("\1\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xfb\xff\xff\xff\xff\xff\xff\xff")};
    struct bao_figure *figures;
    size_t n;

    assert_int_equal(baod_spool_figures(&row, &f->arena, &figures, &n), 0);
    assert_int_equal(n, 3);
    assert_true(figures[0].present && figures[0].scaled == 4);
    assert_false(figures[1].present);
    assert_true(figures[2].present && figures[2].scaled == -5);
    row.figures.n--;
    assert_int_equal(baod_spool_figures(&row, &f->arena, &figures, &n), -EBADMSG);
}

static void test_lists(void **state)
{
    struct fixture *f = *state;
    const struct baod_spool_obligation owed = {BAO_STR("24133"), BAO_STR("nd73-quarterly"),
                                               BAO_STR("2026-Q3"), NOON + 1, 4};
    struct baod_stat_ask ask = {.unit = owed.unit, .form = owed.form, .period = owed.period};
    struct bao_str data;
    bao_time at;

    assert_false(baod_spool_kept(f->spool, "tokens", &at, &data));
    assert_int_equal(baod_spool_keep(f->spool, "tokens", NOON, BAO_STR("one")), 0);
    assert_int_equal(baod_spool_keep(f->spool, "tokens", NOON + 1, BAO_STR("two")), 0);
    assert_int_equal(baod_spool_keep_obligations(f->spool, &owed, 1), 0);
    reopen(f);
    assert_true(baod_spool_kept(f->spool, "tokens", &at, &data));
    assert_true(bao_str_is(data, "two"));
    assert_int_equal(at, NOON + 1);
    assert_int_equal(put(f, "24133", 1, 1), 0);
    assert_int_equal(f->receipt.due_at, NOON + 1);
    assert_true(f->receipt.on_time);
    assert_int_equal(put(f, "24133", 2, 1), 0);
    assert_false(f->receipt.on_time);
    assert_int_equal(put(f, "24121", 1, 1), 0);
    assert_int_equal(f->receipt.due_at, BAO_TIME_NONE);
    assert_true(find(f, &ask));
    assert_int_equal(f->last_revision, 4);
    ask.unit = BAO_STR("24121");
    assert_true(find(f, &ask));
    assert_int_equal(f->last_revision, -1);
}

/* ------------------------------------------------------------------ damage */

/* Turns an octet where `what` stands in the file: everywhere, or at the last place only. Gives how many. */
static unsigned spoil(const char *path, struct bao_str what, bool everywhere)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    char *all;
    unsigned n = 0;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    all = malloc((size_t)st.st_size);
    assert_non_null(all);
    assert_int_equal(read(fd, all, (size_t)st.st_size), st.st_size);
    for (size_t i = (size_t)st.st_size; i-- > 0 && (everywhere || n == 0);)
        if (i + what.n <= (size_t)st.st_size && memcmp(all + i, what.p, what.n) == 0) {
            char turned = (char)(all[i] ^ 0x20);

            assert_int_equal(pwrite(fd, &turned, 1, (off_t)i), 1);
            n++;
        }
    free(all);
    close(fd);
    return n;
}

static void test_a_broken_seal(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, "24133", 1, 1), 0);
    assert_int_equal(put(f, "24133", 2, 1), 0);
    close_spool(f);
    assert_int_equal(spoil(f->path, BAO_STR("a zlib stream"), true), 2);
    open_spool(f);
    assert_int_equal(put(f, "24133", 1, 1), 0); /* what cannot be trusted is no custody: taken anew */
    assert_false(f->receipt.dup);
    assert_int_equal(take(f), 1);
    assert_int_equal(f->revisions[0], 1);
    assert_int_equal(baod_spool_counts(f->spool).damaged, 2);
    assert_int_equal(baod_spool_counts(f->spool).rows, 1);
}

static void test_no_database_at_all(void **state)
{
    struct fixture *f = *state;
    int fd;

    assert_int_equal(put(f, "24133", 1, 1), 0);
    close_spool(f);
    fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0 &&
                write(fd,
                      "not a database, and long enough to be looked at as one, one hundred octets of it: "
                      "here they are, all of them",
                      109) == 109);
    close(fd);
    open_spool(f);
    assert_int_equal(take(f), 0);
    assert_int_equal(put(f, "24133", 1, 1), 0);
}

static void copy_file(const char *from, const char *to)
{
    uv_fs_t request;

    assert_int_equal(uv_fs_copyfile(NULL, &request, from, to, 0, NULL), 0);
    uv_fs_req_cleanup(&request);
}

/* The log's commits behind a flipped octet are neither lost nor believed: salvaged, but for the one hit. */
static void test_a_flipped_octet_in_the_log(void **state)
{
    struct fixture *f = *state;
    char log[128], other[128], other_log[128];

    snprintf(log, sizeof(log), "%s-wal", f->path);
    snprintf(other, sizeof(other), "%s/copy.db", f->folder);
    snprintf(other_log, sizeof(other_log), "%s/copy.db-wal", f->folder);
    assert_int_equal(put(f, "24121", 1, 1), 0);
    usleep(400 * 1000); /* long enough for the log to have been emptied: what follows is all it holds */
    f->answers = 0;
    for (int i = 1; i <= 20; i++)
        assert_int_equal(baod_spool_put(f->spool, report("24133", i, 1), on_put, f), 0);
    wait_for_answers(f, 20);
    copy_file(f->path, other); /* as a crash would leave both */
    copy_file(log, other_log);
    close_spool(f);
    memcpy(f->path, other, strlen(other) + 1);
    f->options.path = f->path;
    if (spoil(other_log, BAO_STR("a zlib stream"), false) == 0) {
        open_spool(f); /* it had been tidied up in that very moment: nothing is left to be damaged */
        assert_int_equal(take(f), 21);
        return;
    }
    open_spool(f);
    assert_int_equal(baod_spool_counts(f->spool).damaged, 1);
    assert_int_equal(take(f), 20);
}

/* One mutation of a file: some octets turned, a stretch zeroed, or the end cut off. */
static void mutate(const char *path, unsigned *dice)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    size_t n;

    assert_true(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0);
    n = 1 + (size_t)rand_r(dice) % 8;
    switch (rand_r(dice) % 4) {
    case 0:
        assert_int_equal(ftruncate(fd, rand_r(dice) % st.st_size), 0);
        break;
    case 1: {
        static const char zeros[512];
        off_t at = rand_r(dice) % st.st_size;

        assert_true(pwrite(fd, zeros, (size_t)(1 + rand_r(dice) % 512), at) > 0);
        break;
    }
    default:
        while (n-- > 0) {
            off_t at = rand_r(dice) % st.st_size;
            unsigned char octet;

            assert_int_equal(pread(fd, &octet, 1, at), 1);
            octet = (unsigned char)(octet ^ (1 + (unsigned)rand_r(dice) % 255));
            assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        }
    }
    close(fd);
}

static bool is_set_aside(const struct fixture *f)
{
    uv_fs_t request;
    uv_dirent_t entry;
    bool found = false;

    assert_true(uv_fs_scandir(NULL, &request, f->folder, 0, NULL) >= 0);
    while (uv_fs_scandir_next(&request, &entry) == 0)
        found = found || strstr(entry.name, ".damaged-") != NULL;
    uv_fs_req_cleanup(&request);
    return found;
}

/* However its octets are changed: the spool opens, gives nothing that was not put in, and loses nothing
 * without saying so. Both as a quiet moment leaves the files and as a crash does. */
static void test_random_damage(void **state)
{
    enum { ROWS = 60 };
    struct fixture *f = *state;
    const char *seed = getenv("BAOCAO_SEED");
    unsigned dice = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)uv_hrtime();
    unsigned rounds = getenv("BAOCAO_LONG") != NULL && *getenv("BAOCAO_LONG") != '\0' ? 500 : 20, alarms = 0;
    char log[128], whole[128], whole_log[128];

    print_message("BAOCAO_SEED = %u\n", dice);
    snprintf(log, sizeof(log), "%s-wal", f->path);
    snprintf(whole, sizeof(whole), "%s.whole", f->folder);
    snprintf(whole_log, sizeof(whole_log), "%s.whole-wal", f->folder);
    f->answers = 0;
    for (int i = 1; i <= ROWS; i++)
        assert_int_equal(baod_spool_put(f->spool, report("24133", i, i), on_put, f), 0);
    wait_for_answers(f, ROWS);
    copy_file(f->path, whole);
    copy_file(log, whole_log);
    close_spool(f);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t damaged;

        empty_folder(f);
        copy_file(whole, f->path);
        copy_file(whole_log, log);
        if (round % 2 == 0) { /* the log's content goes into the file */
            open_spool(f);
            close_spool(f);
        }
        mutate(access(log, F_OK) == 0 && rand_r(&dice) % 2 == 0 ? log : f->path, &dice);
        open_spool(f);
        take(f);
        damaged = baod_spool_counts(f->spool).damaged;
        for (size_t i = 0; i < f->n; i++)
            assert_in_range(f->revisions[i], 1, ROWS);
        assert_true(f->n <= ROWS);
        if (damaged == 0 && !is_set_aside(f))
            assert_int_equal(f->n, ROWS);
        alarms += damaged != 0 || is_set_aside(f);
        assert_int_equal(put(f, "24121", 1, 1), 0);
        close_spool(f);
    }
    assert_true(alarms >= rounds / 4);
    open_spool(f);
    unlink(whole);
    unlink(whole_log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_receipt_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_receipt_file_verifies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order_and_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_drained_key_is_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_room_is_given_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_sender, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_cap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_figures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_seal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_database_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_flipped_octet_in_the_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_damage, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
