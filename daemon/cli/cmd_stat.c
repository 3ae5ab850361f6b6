/* baocao stat: the fate of a report, by its key or its receipt. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/receipt_view.h"
#include "lib/form/period.h"
#include "lib/form/registry.h"
#include "lib/text/errno.h"

/* What can be no unit's code and no period would only be answered "not known". */
static bool is_plausible(const struct cli_options *options, char **words)
{
    struct bao_period period;
    bool vi = options->lang == BAO_VI;

    if (!bao_is_unit_code(bao_str_c(words[1])))
        return cli_complain(options,
                            vi ? "đơn vị phải ghi bằng mã như 24133 hoặc H15.02, không phải: %s"
                               : "a unit is given by its code such as 24133 or H15.02, not by: %s",
                            words[1]);
    if (!bao_period_parse(bao_str_c(words[2]), &period))
        return cli_complain(
            options,
            vi ? "kỳ báo cáo phải viết như 2026, 2026-H1, 2026-Q3 hoặc 2026-09, không phải: %s"
               : "a period is written like 2026, 2026-H1, 2026-Q3 or 2026-09, not like: %s",
            words[2]);
    return true;
}

/* The keys of STAT made of the words of the command: true, or false after telling why they do not fit. */
static bool read_question(const struct cli_options *options, int argc, char **argv,
                          struct cli_brp_options *brp, struct bao_buf *keys)
{
    static const char *const names[] = {"form", "unit", "period"};
    const char *receipt = NULL, *revision = NULL, *wait = NULL;
    const struct cli_word known[] = {
        {"--rev", &revision}, {"--receipt", &receipt}, {"--wait", &wait}, CLI_BRP_WORDS(*brp), {NULL}};
    int n = cli_words_read(options, argc, argv, known, BAO_COUNT(names)), r = 0;

    if (n < 0 || !cli_seconds(options, wait, &brp->ask_s))
        return false;
    if (receipt != NULL ? n != 0 || revision != NULL : n != BAO_COUNT(names))
        return cli_complain(options, options->lang == BAO_VI
                                         ? "ghi đủ biểu mẫu, đơn vị và kỳ, hoặc chỉ một mình --receipt"
                                         : "name the form, the unit and the period, or --receipt alone");
    if (receipt == NULL && !is_plausible(options, argv + 1))
        return false;
    for (int i = 0; i < n && r == 0; i++)
        r = bao_head_put(keys, names[i], bao_str_c(argv[i + 1]));
    if (r == 0 && revision != NULL)
        r = bao_head_put(keys, "rev", bao_str_c(revision));
    if (r == 0 && receipt != NULL)
        r = bao_head_put(keys, "receipt", bao_str_c(receipt));
    if (r != 0)
        fprintf(stderr, "baocao stat: %s\n", bao_errno_text(r, options->lang));
    return r == 0;
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
        return CLI_USAGE;
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
