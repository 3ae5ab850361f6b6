/* baocao stat: the fate of a report, by its key or its receipt. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/receipt_view.h"
#include "lib/form/period.h"
#include "lib/form/registry.h"
#include "lib/text/errno.h"

/* What can be no unit's code and no period would only be answered "not known". */
static bool is_plausible(const struct cli_options *options, const char *name, const char *word)
{
    struct bao_period period;

    if (strcmp(name, "unit") == 0 && !bao_is_unit_code(bao_str_c(word)))
        return cli_tell_wrong(options, "đơn vị phải ghi bằng mã như 24133 hoặc H15.02, không phải",
                              "a unit is given by its code such as 24133 or H15.02, not by", word);
    if (strcmp(name, "period") == 0 && !bao_period_parse(bao_str_c(word), &period))
        return cli_tell_wrong(options,
                              "kỳ báo cáo phải viết như 2026, 2026-H1, 2026-Q3 hoặc 2026-09, không phải",
                              "a period is written like 2026, 2026-H1, 2026-Q3 or 2026-09, not like", word);
    return true;
}

/* The keys of STAT made of the words of the command: true, or false when they do not fit. */
static bool read_question(const struct cli_options *options, int argc, char **argv,
                          struct cli_brp_options *brp, struct bao_buf *keys)
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
        else if (!is_plausible(options, names[n], argv[i]))
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

    if (!read_question(options, argc, argv, &brp, &keys))
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
