/* baocao send FILE…: sends now, prints receipts. */
#include "daemon/cli/input.h"
#include "daemon/cli/send.h"

#include <unistd.h>

enum { WAIT_S = 30, PROGRESS_FROM = 20 };

static int usage(const struct cli_options *options)
{
    fputs(
        options->lang == BAO_VI
            ? "Cách dùng: baocao send TỆP… [--to MÁY[:CỔNG]] [--outbox THƯ_MỤC] [--no-compress] [--wait "
              "GIÂY]\n"
              "             [--token-file TỆP] [--ca TỆP] [--cert TỆP --key TỆP] [--plaintext]\n"
            : "Usage: baocao send FILE… [--to HOST[:PORT]] [--outbox DIR] [--no-compress] [--wait SECONDS]\n"
              "             [--token-file FILE] [--ca FILE] [--cert FILE --key FILE] [--plaintext]\n",
        stderr);
    return CLI_USAGE;
}

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
            char *end;
            long s = strtol(value, &end, 10);

            if (*value == '\0' || *end != '\0' || s < 0 || s > 86400)
                return false;
            w->wait_s = (int)s;
        } else if (strcmp(argv[i], "--no-compress") == 0) {
            w->no_compress = true;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return false;
        } else {
            w->files[w->n_files++] = argv[i];
        }
    }
    return w->n_files != 0;
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

int cli_send(const struct cli_options *options, int argc, char **argv)
{
    struct words w = {.wait_s = WAIT_S};
    struct cli_send_options how = {.common = options, .brp = &w.brp};
    struct bao_arena arena;
    struct cli_send_item *items;
    struct cli_fate *fates;
    int code = CLI_USAGE;

    if (!read_words(argc, argv, &w))
        return usage(options);
    if (!are_readable(&w, options->lang) || !cli_brp_options_ready(options, &w.brp))
        return CLI_USAGE;
    how.compress = !w.no_compress;
    how.wait_s = w.wait_s;
    how.progress = !options->json && w.n_files >= PROGRESS_FROM && isatty(STDERR_FILENO);
    bao_arena_init(&arena, 0);
    items = bao_arena_array(&arena, w.n_files, sizeof(*items));
    fates = bao_arena_array(&arena, w.n_files, sizeof(*fates));
    if (items != NULL && fates != NULL) {
        for (size_t i = 0; i < w.n_files; i++)
            items[i] = (struct cli_send_item){w.files[i], w.files[i], CLI_SEND_FIRST};
        if (cli_send_all(&how, &arena, items, w.n_files, fates) == 0 &&
            cli_fates_print(stdout, options, fates, w.n_files) == 0)
            code = cli_fates_exit(fates, w.n_files);
    }
    cli_brp_options_done(&w.brp);
    bao_arena_deinit(&arena);
    return code;
}
