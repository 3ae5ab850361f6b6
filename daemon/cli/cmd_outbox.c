/* baocao outbox run: sends what waits in an outbox; meant for a timer. */
#include "daemon/cli/input.h"
#include "daemon/cli/outbox.h"
#include "lib/text/errno.h"

#include <unistd.h>

enum { WAIT_S = 30 };

struct words {
    struct cli_brp_options brp;
    const char *dir;
    bool now;
    int wait_s;
};

static bool read_words(const struct cli_options *options, int argc, char **argv, struct words *w)
{
    const char *wait = NULL;
    const struct cli_word known[] = {
        {"--outbox", &w->dir}, {"--wait", &wait}, {"--now", NULL, &w->now}, CLI_BRP_WORDS(w->brp), {NULL}};

    if (!cli_words_second(options, &argc, &argv, "run") ||
        cli_words_read(options, argc, argv, known, 0) < 0 || !cli_seconds(options, wait, &w->wait_s))
        return false;
    if (w->dir == NULL)
        w->dir = getenv("BAOCAO_OUTBOX");
    if (w->dir == NULL)
        return cli_complain(options, options->lang == BAO_VI
                                         ? "thiếu --outbox: thư mục giữ báo cáo chưa gửi được"
                                         : "--outbox is missing: the folder of what could not go");
    return true;
}

/* What cannot be read stays, and holds nothing else up: how many there are, at the front. */
static size_t tell_unreadable(const struct cli_options *options, const struct cli_outbox_item *waiting,
                              size_t n)
{
    size_t i = 0;

    for (; i < n && waiting[i].error != 0; i++)
        cli_tell_unreadable(options->lang, waiting[i].path, waiting[i].error);
    return i;
}

/* One round over what waits: an exit code. */
static int run(const struct cli_options *options, struct words *w, struct cli_outbox *o,
               struct bao_arena *arena)
{
    struct cli_send_options how = {.common = options, .brp = &w->brp, .compress = true, .wait_s = w->wait_s};
    struct cli_outbox_item *waiting;
    struct cli_send_item *items;
    struct cli_fate *fates;
    size_t n, unreadable;
    int code;

    code = cli_outbox_list(o, arena, &waiting, &n);
    if (code < 0) {
        cli_outbox_tell(options, w->dir, code);
        return CLI_USAGE;
    }
    unreadable = tell_unreadable(options, waiting, n);
    waiting += unreadable;
    n -= unreadable;
    if (n == 0)
        return unreadable != 0 ? CLI_KEPT : CLI_OK;
    items = bao_arena_array(arena, n, sizeof(*items));
    fates = bao_arena_array(arena, n, sizeof(*fates));
    if (items == NULL || fates == NULL)
        return CLI_USAGE;
    how.progress = !options->json && isatty(STDERR_FILENO);
    for (size_t i = 0; i < n; i++) {
        bool same = i != 0 && waiting[i].key.n != 0 && bao_str_eq(waiting[i].key, waiting[i - 1].key);

        items[i] = (struct cli_send_item){waiting[i].path, waiting[i].name, same ? i - 1 : CLI_SEND_FIRST};
    }
    if (cli_send_all(&how, arena, items, n, fates) < 0)
        return CLI_USAGE;
    for (size_t i = 0; i < n; i++)
        if (cli_outbox_settle(o, options, waiting[i].path, &fates[i]) < 0)
            fates[i].kept = true; /* it stays where it is and is only sent once more than needed */
    code = cli_fates_exit(fates, n);
    if (code == CLI_OK && unreadable != 0)
        code = CLI_KEPT;
    if (cli_fates_print(stdout, options, fates, n) < 0)
        code = CLI_USAGE;
    return code;
}

int cli_outbox(const struct cli_options *options, int argc, char **argv)
{
    struct words w = {.wait_s = WAIT_S};
    struct cli_outbox *o;
    struct bao_arena arena;
    int r, code;

    if (!read_words(options, argc, argv, &w))
        return CLI_USAGE;
    r = cli_outbox_open(w.dir, &o);
    if (r != 0) {
        cli_outbox_tell(options, w.dir, r);
        if (r > 0)
            cli_outbox_close(o);
        return r > 0 ? CLI_KEPT : CLI_USAGE;
    }
    if (!w.now && cli_outbox_pause(o) > 0) {
        cli_outbox_close(o);
        return CLI_KEPT;
    }
    bao_arena_init(&arena, 0);
    code = cli_brp_options_ready(options, &w.brp) ? run(options, &w, o, &arena) : CLI_USAGE;
    r = cli_outbox_note(o, code == CLI_KEPT);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", w.dir, bao_errno_text(r, options->lang));
    cli_brp_options_done(&w.brp);
    bao_arena_deinit(&arena);
    cli_outbox_close(o);
    return code;
}
