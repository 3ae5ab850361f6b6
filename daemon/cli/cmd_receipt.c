/* baocao receipt check: does this receipt file prove what it says? Needs the province's public key alone. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/input.h"
#include "lib/doc/tree.h"
#include "lib/form/heads.h"
#include "lib/form/obligation.h"
#include "lib/form/receipt.h"
#include "lib/text/errno.h"

#include <stdio.h>

enum { FILE_MAX_OCTETS = 1 << 20, HEADS_MAX_OCTETS = 256 << 20 };

/* What each outcome says: valid, not a receipt, changed, signed by somebody else. */
static const char *const SENTENCES[][BAO_LANGS] = {
    {"Biên nhận hợp lệ: báo cáo này đã được ghi đúng như dưới đây.",
     "The receipt is valid: the report was stored as it says."},
    [BAO_RECEIPT_E_SYNTAX] = {"Tệp này không phải biên nhận, hoặc đã bị sửa hay cắt mất một phần.",
                              "This is not a receipt file, or it was changed or cut."},
    [BAO_RECEIPT_E_PATH] = {"Nội dung biên nhận đã bị sửa: nó không có trong lượt ghi mà nó nêu.",
                            "The receipt was changed: it is not part of the batch that it names."},
    [BAO_RECEIPT_E_SIGNATURE] =
        {"Chữ ký không phải của khóa này: biên nhận không do tỉnh cấp, hoặc khóa chưa đúng.",
         "The signature is not of this key: not this province's receipt, or not its key."},
};

/* What comes of the published list, by enum bao_heads_outcome. */
static const char *const LISTED[][BAO_LANGS] = {
    {"Lượt ghi của biên nhận vẫn nguyên vẹn trong danh sách đã công bố.",
     "The receipt's batch still stands in the published list."},
    [BAO_HEADS_E_SYNTAX] = {"Danh sách đã công bố không đọc được: tệp đã bị sửa hay cắt mất một phần.",
                            "The published list cannot be read: it was changed or cut."},
    [BAO_HEADS_E_UNLISTED] = {"Danh sách này chưa có lượt ghi của biên nhận; hãy lấy danh sách mới hơn.",
                              "The list does not have the receipt's batch; get a newer list."},
    [BAO_HEADS_E_DIFFERS] =
        {"Lượt ghi của biên nhận KHÁC với danh sách đã công bố: một trong hai đã bị viết lại.",
         "The receipt's batch is NOT what was published: one of the two was rewritten."},
    [BAO_HEADS_E_PROVINCE] = {"Danh sách này của tỉnh khác.", "The list is another province's."},
};

/* listed: of the published list; < 0: none was given. */
static int print_json(const struct bao_receipt_file *receipt, int outcome, int listed)
{
    static const char *const fields[] = {"receipt", "form",     "unit",         "period", "revision",
                                         "content", "received", "form_version", "verdict"};
    struct bao_buf out = BAO_BUF_NULL(FILE_MAX_OCTETS);
    int r = bao_buf_printf(&out, "{\"valid\":%s", outcome == 0 ? "true" : "false");

    for (size_t i = 0; r == 0 && outcome != BAO_RECEIPT_E_SYNTAX && i < BAO_COUNT(fields); i++) {
        r = bao_buf_printf(&out, ",\"%s\":", fields[i]);
        if (r == 0)
            r = bao_json_quote(&out, bao_receipt_field(receipt->leaf, fields[i]));
    }
    if (r == 0 && outcome != BAO_RECEIPT_E_SYNTAX)
        r = bao_buf_printf(&out, ",\"batch\":%lld", (long long)receipt->batch.seq);
    if (r == 0 && outcome == 0 && listed >= 0)
        r = bao_buf_printf(&out, ",\"listed\":%s", listed == 0 ? "true" : "false");
    if (r == 0)
        r = bao_buf_append_c(&out, "}\n");
    if (r == 0)
        fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout);
    bao_buf_deinit(&out);
    return r;
}

/* What the leaf says, for people; the leaf itself follows. */
static void print_summary(struct bao_str leaf, enum bao_lang lang)
{
    static const char *const queued[BAO_LANGS] = {
        "Biên nhận hợp lệ: báo cáo này đã được tiếp nhận, thời điểm nhận được tính cho thời hạn; nó còn chờ "
        "ghi vào cơ sở dữ liệu, hãy giữ tệp báo cáo.",
        "The receipt is valid: the report is in custody and its time counts for the deadline; it still waits "
        "for the database, so keep the report's file."};
    char received[64] = "–";
    bao_time at;

    puts((bao_str_is(bao_receipt_field(leaf, "verdict"), "queued") ? queued : SENTENCES[0])[lang]);
    if (bao_time_parse(bao_receipt_field(leaf, "received"), &at))
        bao_moment_print(at, BAO_VN_OFFSET, lang, received);
    printf(lang == BAO_VI ? "Báo cáo %.*s kỳ %.*s của đơn vị %.*s, lần %.*s, nhận lúc %s.\n\n"
                          : "Report %.*s for %.*s of unit %.*s, revision %.*s, received %s.\n\n",
           BAO_STR_ARG(bao_receipt_field(leaf, "form")), BAO_STR_ARG(bao_receipt_field(leaf, "period")),
           BAO_STR_ARG(bao_receipt_field(leaf, "unit")), BAO_STR_ARG(bao_receipt_field(leaf, "revision")),
           received);
}

static void print_text(const struct bao_receipt_file *receipt, int outcome, enum bao_lang lang)
{
    if (outcome == 0)
        print_summary(receipt->leaf, lang);
    else
        puts(SENTENCES[outcome][lang]);
    if (outcome == 0)
        printf("%.*s%s %lld\n", BAO_STR_ARG(receipt->leaf), lang == BAO_VI ? "lượt ghi" : "batch",
               (long long)receipt->batch.seq);
}

/* heads .p NULL: no list was given. */
static int check(const struct cli_options *options, struct bao_str file, struct bao_str heads,
                 const uint8_t key[BAO_ED25519_KEY_LEN])
{
    struct bao_receipt_file receipt = {.leaf = BAO_STR_NULL};
    int outcome = bao_receipt_read(file, &receipt), listed = 0;

    if (outcome == 0)
        outcome = bao_receipt_verify(&receipt, key);
    if (outcome == 0 && heads.p != NULL)
        listed = bao_heads_check(heads, &receipt.batch);
    if (listed < 0)
        outcome = listed;
    if (outcome < 0 || (options->json && print_json(&receipt, outcome, heads.p == NULL ? -1 : listed) < 0)) {
        fprintf(stderr, "baocao: %s\n", bao_errno_text(ENOMEM, options->lang));
        return CLI_USAGE;
    }
    if (!options->json)
        print_text(&receipt, outcome, options->lang);
    if (!options->json && outcome == 0 && heads.p != NULL)
        puts(LISTED[listed][options->lang]);
    return outcome == 0 && listed == 0 ? CLI_OK : CLI_NO;
}

/* What must be given with the command. */
static bool read_key(const struct cli_options *options, bool no_file, const char *text,
                     uint8_t ret[BAO_ED25519_KEY_LEN])
{
    bool vi = options->lang == BAO_VI;

    if (no_file)
        return cli_complain(options, vi ? "thiếu tên tệp biên nhận" : "no receipt file is named");
    if (text == NULL)
        return cli_complain(options, vi ? "thiếu --key: khóa công khai của tỉnh, 64 chữ số thập lục phân"
                                        : "--key is missing: the province's public key, 64 hex digits");
    if (!bao_unhex(bao_str_c(text), ret, BAO_ED25519_KEY_LEN))
        return cli_complain(
            options,
            vi ? "--key phải là khóa công khai của tỉnh, đúng 64 chữ số thập lục phân (0-9, a-f), "
                 "không phải “%s”"
               : "--key is the province's public key of exactly 64 hex digits (0-9, a-f), not “%s”",
            text);
    return true;
}

int cli_receipt(const struct cli_options *options, int argc, char **argv)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    const char *path, *key_text = NULL, *heads_path = NULL;
    const struct cli_word known[] = {{"--key", &key_text}, {"--heads", &heads_path}, {NULL}};
    uint8_t key[BAO_ED25519_KEY_LEN];
    struct bao_str file, heads = BAO_STR_NULL;
    int n, r;

    if (!cli_words_second(options, &argc, &argv, "check"))
        return CLI_USAGE;
    n = cli_words_read(options, argc, argv, known, 1);
    if (n < 0 || !read_key(options, n == 0, key_text, key))
        return CLI_USAGE;
    path = argv[1];
    r = cli_read_file(&arena, path, FILE_MAX_OCTETS, &file);
    if (r == 0 && heads_path != NULL)
        r = cli_read_file(&arena, path = heads_path, HEADS_MAX_OCTETS, &heads);
    if (r < 0)
        cli_tell_unreadable(options->lang, path, r);
    r = r < 0 ? CLI_USAGE : check(options, file, heads, key);
    bao_arena_deinit(&arena);
    return r;
}
