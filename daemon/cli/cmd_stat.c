/* baocao stat: the fate of a report, by its key or its receipt. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/receipt_view.h"
#include "lib/form/envelope.h"
#include "lib/form/period.h"
#include "lib/form/registry.h"
#include "lib/text/errno.h"
#include "lib/wire/answer.h"

enum { KEYS = 3 }; /* form, unit, period */

struct question {
    struct cli_brp_options brp;
    const char *receipt, *revision;
    const char *save; /* where the receipt file goes; NULL: none is asked for */
};

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

static bool is_whole(const struct cli_options *options, const struct question *q, int n, char **argv)
{
    bool vi = options->lang == BAO_VI;
    uint8_t id[16];
    uint64_t number;

    if (q->receipt != NULL ? n != 0 || q->revision != NULL : n != KEYS)
        return cli_complain(options, vi ? "ghi đủ biểu mẫu, đơn vị và kỳ, hoặc chỉ một mình --receipt"
                                        : "name the form, the unit and the period, or --receipt alone");
    if (q->receipt != NULL && !bao_uuid_parse(bao_str_c(q->receipt), id))
        return cli_complain(
            options,
            vi ? "mã biên nhận gồm 36 ký tự như 01a2048a-30c9-7a2c-ae32-b72e673ff4e7, chép "
                 "nguyên từ bảng kết quả gửi, không phải: %s"
               : "a receipt is 36 characters like 01a2048a-30c9-7a2c-ae32-b72e673ff4e7, copied "
                 "from what send printed, not: %s",
            q->receipt);
    if (q->revision != NULL && (!bao_decimal_number(bao_str_c(q->revision), 9999, &number) || number == 0))
        return cli_complain(options,
                            vi ? "--rev là số lần báo cáo, từ 1 đến 9999, không phải: %s"
                               : "--rev is the revision's number, 1 to 9999, not: %s",
                            q->revision);
    return q->receipt != NULL || is_plausible(options, argv + 1);
}

/* The keys of STAT made of the words of the command: true, or false after telling why they do not fit. */
static bool read_question(const struct cli_options *options, int argc, char **argv, struct question *q,
                          struct bao_buf *keys)
{
    static const char *const names[KEYS] = {"form", "unit", "period"};
    const char *wait = NULL;
    const struct cli_word known[] = {{"--rev", &q->revision}, {"--receipt", &q->receipt},
                                     {"--save", &q->save},    {"--wait", &wait},
                                     CLI_BRP_WORDS(q->brp),   {NULL}};
    int n = cli_words_read(options, argc, argv, known, KEYS), r = 0;

    if (n < 0 || !cli_seconds(options, wait, &q->brp.ask_s) || !is_whole(options, q, n, argv))
        return false;
    for (int i = 0; i < n && r == 0; i++)
        r = bao_head_put(keys, names[i], bao_str_c(argv[i + 1]));
    if (r == 0 && q->revision != NULL)
        r = bao_head_put(keys, "rev", bao_str_c(q->revision));
    if (r == 0 && q->receipt != NULL)
        r = bao_head_put(keys, "receipt", bao_str_c(q->receipt));
    if (r == 0 && q->save != NULL)
        r = bao_head_put(keys, "proof", BAO_STR("1"));
    if (r != 0)
        fprintf(stderr, "baocao stat: %s\n", bao_errno_text(r, options->lang));
    return r == 0;
}

/* The answer's body is the receipt file, which is no finding to show. */
static int save(const struct question *q, struct bao_client_event *event)
{
    struct bao_str body = event->body;
    FILE *out;
    bool whole;

    if (q->save == NULL || event->answer != BAO_OK)
        return 0;
    event->body = BAO_STR_NULL;
    out = fopen(q->save, "we");
    if (out == NULL)
        return -errno;
    whole = fwrite(body.p, 1, body.n, out) == body.n;
    if (fclose(out) != 0 || !whole)
        return -errno;
    return 0;
}

static void tell_saved(const struct cli_options *options, const char *path, int r)
{
    bool vi = options->lang == BAO_VI;

    if (r != 0)
        fprintf(stderr,
                vi ? "baocao stat: không ghi được biên nhận vào %s: %s\n"
                   : "baocao stat: the receipt could not be written to %s: %s\n",
                path, bao_errno_text(r, options->lang));
    else
        fprintf(stderr,
                vi ? "Đã ghi tệp biên nhận: %s. Kiểm chứng bằng: baocao receipt check %s --key "
                     "KHÓA_CÔNG_KHAI_CỦA_TỈNH\n"
                   : "The receipt file is %s. Verify it with: baocao receipt check %s --key "
                     "THE_PROVINCES_PUBLIC_KEY\n",
                path, path);
}

/* The hub's sentence speaks of a report that is to be sent later; here it is the question that is asked
 * again, and who asks about a receipt must not read that the report is lost. */
static void say_ask_later(const struct cli_options *options, struct cli_fate *fate)
{
    if (fate->answer == BAO_WAIT && !options->json)
        fate->body =
            options->lang == BAO_VI
                ? BAO_STR("Máy chủ chưa tra được lúc này; báo cáo đã có biên nhận vẫn còn. Hãy hỏi lại sau.")
                : BAO_STR("The hub cannot look it up now; a report that has a receipt is still there. Ask "
                          "again later.");
}

int cli_stat(const struct cli_options *options, int argc, char **argv)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(4096);
    struct question q = {.brp = {.to = NULL}};
    struct bao_client_event event;
    struct bao_arena arena;
    struct cli_fate fate;
    struct cli_brp *b = NULL;
    const char *why = bao_errno_text(ENOMEM, options->lang);
    int saved = 0, r;

    if (!read_question(options, argc, argv, &q, &keys) || !cli_brp_options_ready(options, &q.brp))
        return CLI_USAGE;
    bao_arena_init(&arena, 0);
    r = cli_brp_ask(options, &q.brp, "STAT", bao_buf_str(&keys), &b, &event, &why);
    if (r == 0)
        saved = save(&q, &event);
    if (r == 0)
        r = cli_fate_read(&arena, "", &event, &fate);
    if (r == 0)
        say_ask_later(options, &fate);
    if (r == 0)
        r = cli_fates_print(stdout, options, &fate, 1);
    if (r != 0)
        fprintf(stderr, "baocao stat: %s\n", why);
    if (r == 0 && q.save != NULL && fate.answer == BAO_OK)
        tell_saved(options, q.save, saved);
    r = r != 0 || saved != 0 ? CLI_USAGE : cli_fates_exit(&fate, 1);
    cli_brp_close(b);
    cli_brp_options_done(&q.brp);
    bao_arena_deinit(&arena);
    return r;
}
