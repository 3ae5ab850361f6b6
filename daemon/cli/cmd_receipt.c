/* baocao receipt check: does this receipt file prove what it says? Needs the province's public key alone. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/input.h"
#include "lib/doc/tree.h"
#include "lib/form/receipt.h"

#include <stdio.h>

enum { FILE_MAX_OCTETS = 1 << 20 };

static int usage(const struct cli_options *options)
{
    fputs(options->lang == BAO_VI
              ? "Cách dùng: baocao receipt check TỆP --key KHÓA\n"
                "  KHÓA: khóa công khai của tỉnh, 64 chữ số thập lục phân, do văn phòng công bố.\n"
              : "Usage: baocao receipt check FILE --key KEY\n"
                "  KEY: the province's public key, 64 hex digits, as its office publishes it.\n",
          stderr);
    return CLI_USAGE;
}

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

static int print_json(const struct bao_receipt_file *receipt, int outcome)
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
    if (r == 0)
        r = bao_buf_append_c(&out, "}\n");
    if (r == 0)
        fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout);
    bao_buf_deinit(&out);
    return r;
}

static void print_text(const struct bao_receipt_file *receipt, int outcome, enum bao_lang lang)
{
    puts(SENTENCES[outcome][lang]);
    if (outcome == 0)
        printf("%.*s%s %lld\n", BAO_STR_ARG(receipt->leaf), lang == BAO_VI ? "lượt ghi" : "batch",
               (long long)receipt->batch.seq);
}

static int check(const struct cli_options *options, struct bao_str file,
                 const uint8_t key[BAO_ED25519_KEY_LEN])
{
    struct bao_receipt_file receipt = {.leaf = BAO_STR_NULL};
    int outcome = bao_receipt_read(file, &receipt);

    if (outcome == 0)
        outcome = bao_receipt_verify(&receipt, key);
    if (outcome < 0 || (options->json && print_json(&receipt, outcome) < 0)) {
        fputs("baocao: not enough memory\n", stderr);
        return CLI_USAGE;
    }
    if (!options->json)
        print_text(&receipt, outcome, options->lang);
    return outcome == 0 ? CLI_OK : CLI_NO;
}

int cli_receipt(const struct cli_options *options, int argc, char **argv)
{
    struct bao_arena arena = BAO_ARENA_NULL(2 * FILE_MAX_OCTETS);
    const char *path = NULL, *key_text = NULL, *value;
    uint8_t key[BAO_ED25519_KEY_LEN];
    struct bao_str file;
    int r;

    for (int i = 1; i < argc; i++) {
        if ((value = cli_option(argc, argv, &i, "--key")) != NULL)
            key_text = value;
        else if (i == 1 && strcmp(argv[i], "check") == 0)
            continue;
        else if (i == 1 || path != NULL || (argv[i][0] == '-' && argv[i][1] != '\0'))
            return usage(options);
        else
            path = argv[i];
    }
    if (path == NULL || key_text == NULL || !bao_unhex(bao_str_c(key_text), key, sizeof(key)))
        return usage(options);
    r = cli_read_file(&arena, path, FILE_MAX_OCTETS, &file);
    if (r < 0)
        cli_tell_unreadable(options->lang, path, r);
    r = r < 0 ? CLI_USAGE : check(options, file, key);
    bao_arena_deinit(&arena);
    return r;
}
