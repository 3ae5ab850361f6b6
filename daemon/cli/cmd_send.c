/* baocao send FILE…: sends now, prints receipts. */
#include "daemon/cli/input.h"
#include "daemon/cli/outbox.h"
#include "lib/text/errno.h"

#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_S = 30, PROGRESS_FROM = 20 };

struct words {
    struct cli_brp_options brp;
    const char *outbox;
    bool no_compress;
    int wait_s;
    char **files; /* at the front of argv */
    size_t n_files;
};

static bool read_words(const struct cli_options *options, int argc, char **argv, struct words *w)
{
    const char *wait = NULL;
    const struct cli_word known[] = {{"--outbox", &w->outbox},
                                     {"--wait", &wait},
                                     {"--no-compress", NULL, &w->no_compress},
                                     CLI_BRP_WORDS(w->brp),
                                     {NULL}};
    int n = cli_words_read(options, argc, argv, known, argc);

    if (n < 0 || !cli_seconds(options, wait, &w->wait_s))
        return false;
    if (n == 0)
        return cli_complain(options,
                            options->lang == BAO_VI ? "thiếu tên tệp báo cáo" : "no report file is named");
    w->files = argv + 1;
    w->n_files = (size_t)n;
    return true;
}

/* Every file must be there before the first is sent. */
static bool are_readable(const struct words *w, enum bao_lang lang)
{
    bool ok = true;

    for (size_t i = 0; i < w->n_files; i++) {
        struct stat st;
        int r = access(w->files[i], R_OK) < 0 || stat(w->files[i], &st) < 0 ? -errno : 0;

        if (r == 0 && S_ISDIR(st.st_mode))
            r = -EISDIR;
        if (r < 0) {
            cli_tell_unreadable(lang, w->files[i], r);
            ok = false;
        }
    }
    return ok;
}

struct batch {
    struct cli_send_item *items;
    size_t n;
};

/* A file that was put into the outbox, and its place among the items. */
struct given {
    const char *path;
    size_t index;
};

static int by_path(const void *a, const void *b)
{
    const struct given *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* Picks from what waits, which is ordered by key and revision: at[i] = its place among the items. A revision
 * of the same key below one that is given goes along. */
static void pick(const struct cli_outbox_item *waiting, size_t n, const struct given *given, size_t n_given,
                 struct batch *batch, size_t *at)
{
    bool wanted = false;

    for (size_t i = n; i-- != 0;) {
        const struct given *found =
            bsearch(&(struct given){waiting[i].path, 0}, given, n_given, sizeof(*given), by_path);

        if (i + 1 == n || waiting[i].key.n == 0 || !bao_str_eq(waiting[i].key, waiting[i + 1].key))
            wanted = false;
        wanted = wanted || found != NULL;
        at[i] = CLI_SEND_FIRST;
        if (found != NULL) {
            at[i] = found->index;
        } else if (wanted) {
            at[i] = batch->n++;
            batch->items[at[i]] = (struct cli_send_item){waiting[i].path, waiting[i].name, CLI_SEND_FIRST};
        }
    }
}

/* Revisions of one key go one after the other, also after those that wait from earlier. */
static int order(struct cli_outbox *o, struct bao_arena *arena, struct batch *batch)
{
    struct cli_outbox_item *waiting;
    struct cli_send_item *items = batch->items;
    struct given *given = bao_arena_array(arena, batch->n, sizeof(*given));
    size_t n, n_given = batch->n, *at;
    int r = cli_outbox_list(o, arena, &waiting, &n);

    if (r < 0)
        return r;
    batch->items = bao_arena_array(arena, n + n_given, sizeof(*batch->items));
    at = bao_arena_array(arena, n + 1, sizeof(*at));
    if (given == NULL || batch->items == NULL || at == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n_given; i++) {
        batch->items[i] = items[i];
        given[i] = (struct given){items[i].path, i};
    }
    qsort(given, n_given, sizeof(*given), by_path);
    pick(waiting, n, given, n_given, batch, at);
    for (size_t i = 1; i < n; i++)
        if (at[i] != CLI_SEND_FIRST && waiting[i].key.n != 0 &&
            bao_str_eq(waiting[i].key, waiting[i - 1].key))
            batch->items[at[i]].after = at[i - 1];
    return 0;
}

/* With an outbox every file is put there first, so that whatever happens from here on it is kept. */
static int fill_items(const struct words *w, enum bao_lang lang, struct cli_outbox *o,
                      struct bao_arena *arena, struct cli_send_item *items)
{
    for (size_t i = 0; i < w->n_files; i++) {
        const char *path = w->files[i];
        int r = o == NULL ? 0 : cli_outbox_put(o, arena, w->files[i], &path);

        if (r < 0) {
            fprintf(stderr, "%s: %s\n", w->files[i], bao_errno_text(r, lang));
            return r;
        }
        items[i] = (struct cli_send_item){path, w->files[i], CLI_SEND_FIRST};
    }
    return 0;
}

/* The files, and with an outbox what must go before them. 0 or <0, told. */
static int gather(const struct words *w, enum bao_lang lang, struct cli_outbox *o, struct bao_arena *arena,
                  struct batch *ret)
{
    struct batch batch = {bao_arena_array(arena, w->n_files, sizeof(*batch.items)), w->n_files};
    int r = batch.items == NULL ? -ENOMEM : fill_items(w, lang, o, arena, batch.items);

    if (r < 0)
        return r;
    if (o != NULL)
        r = order(o, arena, &batch);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", w->outbox, bao_errno_text(r, lang));
    *ret = batch;
    return r;
}

/* Sends and tells: an exit code. */
static int run(const struct cli_options *options, struct words *w, struct cli_outbox *o,
               struct bao_arena *arena)
{
    const struct cli_send_options how = {
        .common = options,
        .brp = &w->brp,
        .compress = !w->no_compress,
        .wait_s = w->wait_s,
        .progress = !options->json && w->n_files >= PROGRESS_FROM && isatty(STDERR_FILENO),
    };
    struct cli_fate *fates;
    struct batch batch;

    if (gather(w, options->lang, o, arena, &batch) < 0)
        return CLI_USAGE;
    fates = bao_arena_array(arena, batch.n, sizeof(*fates));
    if (fates == NULL || cli_send_all(&how, arena, batch.items, batch.n, fates) < 0)
        return CLI_USAGE;
    for (size_t i = 0; i < batch.n && o != NULL; i++)
        if (cli_outbox_settle(o, options, batch.items[i].path, &fates[i]) < 0)
            fates[i].kept = true; /* it stays where it is and is only sent once more than needed */
    if (cli_fates_print(stdout, options, fates, batch.n) < 0)
        return CLI_USAGE;
    return cli_fates_exit(fates, batch.n);
}

/* Another process sends from the outbox: what is put in goes with its next round, or with the timer's. */
static int leave(const struct cli_options *options, const struct words *w, struct cli_outbox *o,
                 struct bao_arena *arena)
{
    struct cli_send_item *items = bao_arena_array(arena, w->n_files, sizeof(*items));

    if (items == NULL || fill_items(w, options->lang, o, arena, items) < 0)
        return CLI_USAGE;
    if (options->lang == BAO_VI)
        fprintf(stderr,
                "%s: đang có tiến trình khác gửi; đã cất %zu tệp, lần chạy sau (baocao outbox run) sẽ gửi\n",
                w->outbox, w->n_files);
    else
        fprintf(stderr,
                "%s: another process is sending; %zu %s kept for the next round (baocao outbox run)\n",
                w->outbox, w->n_files, bao_plural((long long)w->n_files, "file is", "files are"));
    return CLI_KEPT;
}

int cli_send(const struct cli_options *options, int argc, char **argv)
{
    struct words w = {.wait_s = WAIT_S};
    struct cli_outbox *o = NULL;
    struct bao_arena arena;
    int code, r = 0;

    if (!read_words(options, argc, argv, &w))
        return CLI_USAGE;
    if (!are_readable(&w, options->lang) || !cli_brp_options_ready(options, &w.brp))
        return CLI_USAGE;
    if (w.outbox != NULL)
        r = cli_outbox_open(w.outbox, &o);
    if (r < 0) {
        cli_outbox_tell(options, w.outbox, r);
        return CLI_USAGE;
    }
    bao_arena_init(&arena, 0);
    code = r == CLI_OUTBOX_E_BUSY ? leave(options, &w, o, &arena) : run(options, &w, o, &arena);
    cli_outbox_close(o);
    cli_brp_options_done(&w.brp);
    bao_arena_deinit(&arena);
    return code;
}
