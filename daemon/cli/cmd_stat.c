/* baocao stat: the fate of a report, by its key or its receipt. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/receipt_view.h"
#include "lib/text/errno.h"

/* The keys of STAT made of the words of the command: true, or false when they do not fit. */
static bool read_question(int argc, char **argv, struct cli_brp_options *brp, struct bao_buf *keys)
{
    static const char *const names[] = {"form", "unit", "period"};
    const char *receipt = NULL, *revision = NULL, *value;
    size_t n = 0;
    int r = 0;

    for (int i = 1; i < argc && r == 0; i++) {
        if (cli_brp_option(argc, argv, &i, brp))
            continue;
        if ((value = cli_option(argc, argv, &i, "--rev")) != NULL)
            revision = value;
        else if ((value = cli_option(argc, argv, &i, "--receipt")) != NULL)
            receipt = value;
        else if (argv[i][0] == '-' || n == BAO_COUNT(names))
            return false;
        else
            r = bao_head_put(keys, names[n++], bao_str_c(argv[i]));
    }
    if (r == 0 && revision != NULL)
        r = bao_head_put(keys, "rev", bao_str_c(revision));
    if (r == 0 && receipt != NULL)
        r = bao_head_put(keys, "receipt", bao_str_c(receipt));
    return r == 0 && (receipt != NULL ? n == 0 && revision == NULL : n == BAO_COUNT(names));
}

int cli_stat(const struct cli_options *options, int argc, char **argv)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(4096);
    struct cli_brp_options brp = {.to = NULL};
    struct bao_client_event event;
    struct bao_arena arena;
    struct cli_fate fate;
    struct cli_brp *b = NULL;
    const char *why = bao_errno_text(ENOMEM, options->lang);
    int r;

    if (!read_question(argc, argv, &brp, &keys))
        return cli_usage(options);
    if (!cli_brp_options_ready(options, &brp))
        return CLI_USAGE;
    bao_arena_init(&arena, 0);
    r = cli_brp_ask(options, &brp, "STAT", bao_buf_str(&keys), &b, &event, &why);
    if (r == 0)
        r = cli_fate_read(&arena, "", &event, &fate);
    if (r == 0)
        r = cli_fates_print(stdout, options, &fate, 1);
    if (r != 0)
        fprintf(stderr, "baocao stat: %s\n", why);
    r = r != 0 ? CLI_USAGE : cli_fates_exit(&fate, 1);
    cli_brp_close(b);
    cli_brp_options_done(&brp);
    bao_arena_deinit(&arena);
    return r;
}
