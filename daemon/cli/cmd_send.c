/* baocao send FILE…: sends now, prints receipts. */
#include "daemon/cli/input.h"
#include "daemon/cli/outbox.h"
#include "lib/text/errno.h"

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

/* Sorts options from files: true, or false for something that is neither. */
static bool read_words(int argc, char **argv, struct words *w)
{
    const char *value;

    w->files = argv + 1;
    for (int i = 1; i < argc; i++) {
        if (cli_brp_option(argc, argv, &i, &w->brp)) {
            continue;
        } else if ((value = cli_option(argc, argv, &i, "--outbox")) != NULL) {
            w->outbox = value;
        } else if ((value = cli_option(argc, argv, &i, "--wait")) != NULL) {
            w->wait_s = cli_seconds(value);
        } else if (strcmp(argv[i], "--no-compress") == 0) {
            w->no_compress = true;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return false;
        } else {
            w->files[w->n_files++] = argv[i];
        }
    }
    return w->n_files != 0 && w->wait_s >= 0;
}

/* Every file must be there before the first is sent. */
static bool are_readable(const struct words *w, enum bao_lang lang)
{
    bool ok = true;

    for (size_t i = 0; i < w->n_files; i++) {
        if (access(w->files[i], R_OK) < 0) {
            cli_tell_unreadable(lang, w->files[i], -errno);
            ok = false;
        }
    }
    return ok;
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
    struct cli_send_item *items = bao_arena_array(arena, w->n_files, sizeof(*items));
    struct cli_fate *fates = bao_arena_array(arena, w->n_files, sizeof(*fates));

    if (items == NULL || fates == NULL || fill_items(w, options->lang, o, arena, items) < 0 ||
        cli_send_all(&how, arena, items, w->n_files, fates) < 0)
        return CLI_USAGE;
    for (size_t i = 0; i < w->n_files && o != NULL; i++)
        if (cli_outbox_settle(o, options, items[i].path, &fates[i]) < 0)
            fates[i].kept = true; /* it stays where it is and is only sent once more than needed */
    if (cli_fates_print(stdout, options, fates, w->n_files) < 0)
        return CLI_USAGE;
    return cli_fates_exit(fates, w->n_files);
}

int cli_send(const struct cli_options *options, int argc, char **argv)
{
    struct words w = {.wait_s = WAIT_S};
    struct cli_outbox *o = NULL;
    struct bao_arena arena;
    int code, r = 0;

    if (!read_words(argc, argv, &w))
        return cli_usage(options);
    if (!are_readable(&w, options->lang) || !cli_brp_options_ready(options, &w.brp))
        return CLI_USAGE;
    if (w.outbox != NULL)
        r = cli_outbox_open(w.outbox, &o);
    if (r < 0) {
        cli_outbox_tell(options, w.outbox, r);
        return CLI_USAGE;
    }
    bao_arena_init(&arena, 0);
    code = run(options, &w, o, &arena);
    cli_outbox_close(o);
    cli_brp_options_done(&w.brp);
    bao_arena_deinit(&arena);
    return code;
}
