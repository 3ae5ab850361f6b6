/* baocao: what everyone but the operator uses. Finds the command and takes out the common options. */
#include "daemon/cli/cli.h"

/* Options that several commands read alike. */
#define BRP_VI "[--to MÁY[:CỔNG]] [--token-file TỆP] [--ca TỆP] [--cert TỆP --key TỆP] [--plaintext]\n"
#define BRP_EN "[--to HOST[:PORT]] [--token-file FILE] [--ca FILE] [--cert FILE --key FILE] [--plaintext]\n"
#define HUB_VI "[--server URL] [--token-file TỆP] [--ca TỆP]\n"
#define HUB_EN "[--server URL] [--token-file FILE] [--ca FILE]\n"
#define FILES_VI "[--forms THƯ-MỤC] [--province THƯ-MỤC]\n"
#define FILES_EN "[--forms DIR] [--province DIR]\n"

static const struct {
    const char *name;
    cli_command *run;
    const char *what[BAO_LANGS];
    const char *usage[BAO_LANGS]; /* every option that the command reads: a test compares them */
} commands[] = {
    {"check",
     cli_check,
     {"kiểm tra báo cáo trước khi gửi", "judge report files before sending"},
     {"  baocao check TỆP… [--history THƯ-MỤC|TỆP…] [--outbox THƯ-MỤC]\n"
      "      " FILES_VI "  baocao check --batch " FILES_VI
      "  --history: các báo cáo trước của đơn vị, để so với kỳ trước. --outbox: nơi giữ báo cáo đã gửi.\n",
      "  baocao check FILE… [--history DIR|FILE…] [--outbox DIR]\n"
      "      " FILES_EN "  baocao check --batch " FILES_EN
      "  --history: earlier reports of the unit, to compare with. --outbox: the folder of what was sent.\n"}},
    {"new",
     cli_new,
     {"tạo báo cáo trống để điền", "make a blank report to fill in"},
     {"  baocao new BIỂU_MẪU --unit MÃ --period KỲ [--from TỆP-KỲ-TRƯỚC]\n      " FILES_VI
      "  --from: chép các mục còn dang dở từ báo cáo kỳ trước.\n",
      "  baocao new FORM --unit CODE --period PERIOD [--from LAST-REPORT]\n      " FILES_EN
      "  --from: carries over what last period's report left open.\n"}},
    {"forms",
     cli_forms_command,
     {"các biểu mẫu hiện có; forms pull: tải từ máy chủ",
      "the forms there are; forms pull: fetch them from the hub"},
     {"  baocao forms " FILES_VI "  baocao forms pull " HUB_VI,
      "  baocao forms " FILES_EN "  baocao forms pull " HUB_EN}},
    {"schema",
     cli_schema,
     {"xuất JSON Schema của một biểu mẫu", "export a form's JSON Schema"},
     {"  baocao schema export BIỂU_MẪU [--version N] [--draft 7|2020-12] [--forms THƯ-MỤC]\n",
      "  baocao schema export FORM [--version N] [--draft 7|2020-12] [--forms DIR]\n"}},
    {"send",
     cli_send,
     {"gửi báo cáo, in biên nhận", "send reports, print receipts"},
     {"  baocao send TỆP… [--outbox THƯ-MỤC] [--no-compress] [--wait GIÂY]\n      " BRP_VI
      "  --outbox: giữ lại những gì chưa gửi được; baocao outbox run gửi tiếp.\n",
      "  baocao send FILE… [--outbox DIR] [--no-compress] [--wait SECONDS]\n      " BRP_EN
      "  --outbox: keeps what could not go; baocao outbox run sends it on.\n"}},
    {"outbox",
     cli_outbox,
     {"gửi những gì còn chờ (outbox run)", "send what waits (outbox run)"},
     {"  baocao outbox run [--outbox THƯ-MỤC] [--now] [--wait GIÂY]\n      " BRP_VI
      "  --now: gửi ngay, không đợi hết thời gian nghỉ sau lần gửi hỏng.\n",
      "  baocao outbox run [--outbox DIR] [--now] [--wait SECONDS]\n      " BRP_EN
      "  --now: at once, without the pause that follows a failure.\n"}},
    {"due",
     cli_due,
     {"đơn vị còn phải gửi gì, hạn nào, vì sao", "what a unit has to send, until when, and why"},
     {"  baocao due --unit ĐƠN_VỊ [--until NGÀY] " FILES_VI "      " BRP_VI
      "  ĐƠN_VỊ: mã hoặc tên (Phường Tân Lập). NGÀY viết như 2026-12-31; nếu không ghi thì tính 92 ngày "
      "tới.\n"
      "  Có --to (hoặc BAOCAO_TO) thì hỏi máy chủ, biết cả báo cáo nào đã gửi; nếu không thì tính từ biểu "
      "mẫu\n"
      "  trên máy này.\n",
      "  baocao due --unit UNIT [--until DAY] " FILES_EN "      " BRP_EN
      "  UNIT: a code or a name. DAY is written like 2026-12-31; without it the next 92 days count.\n"
      "  With --to (or BAOCAO_TO) the hub is asked, which knows what was sent; else the forms on this "
      "machine\n"
      "  tell.\n"}},
    {"stat",
     cli_stat,
     {"tra cứu một báo cáo đã gửi", "the fate of a report"},
     {"  baocao stat BIỂU_MẪU ĐƠN_VỊ KỲ [--rev LẦN] | --receipt MÃ_BIÊN_NHẬN\n      " BRP_VI,
      "  baocao stat FORM UNIT PERIOD [--rev N] | --receipt UUID\n      " BRP_EN}},
    {"receipt",
     cli_receipt,
     {"kiểm chứng tệp biên nhận (receipt check)", "verify a receipt file (receipt check)"},
     {"  baocao receipt check TỆP --key KHÓA [--heads TỆP]\n"
      "  KHÓA: khóa công khai của tỉnh, 64 chữ số thập lục phân, do văn phòng công bố.\n"
      "  --heads: danh sách mã băm đã công bố; kiểm tra lượt ghi của biên nhận vẫn còn nguyên trong đó.\n",
      "  baocao receipt check FILE --key KEY [--heads FILE]\n"
      "  KEY: the province's public key, 64 hex digits, as its office publishes it.\n"
      "  --heads: a published list of heads; the receipt's batch must still stand in it.\n"}},
    {"status",
     cli_status,
     {"đơn vị nào đã gửi, chậm, quá hạn (--missing: liệt kê)",
      "who reported, who is late (--missing: list them)"},
     {"  baocao status [BIỂU_MẪU | --form BIỂU_MẪU] [--period KỲ] [--scope PHẠM_VI] [--units "
      "as-reported|today]\n"
      "      [--as-of THỜI_ĐIỂM] [--limit N] " HUB_VI
      "  baocao status --missing [BIỂU_MẪU] [--period KỲ] [--scope PHẠM_VI] [--unit ĐƠN_VỊ]\n"
      "      [--as-of THỜI_ĐIỂM] [--limit N] " HUB_VI
      "  --missing: từng đơn vị chưa gửi. THỜI_ĐIỂM: tình hình đúng như lúc đó.\n",
      "  baocao status [FORM | --form FORM] [--period PERIOD] [--scope SCOPE] [--units as-reported|today]\n"
      "      [--as-of MOMENT] [--limit N] " HUB_EN
      "  baocao status --missing [FORM] [--period PERIOD] [--scope SCOPE] [--unit UNIT]\n"
      "      [--as-of MOMENT] [--limit N] " HUB_EN
      "  --missing: each unit that has not reported. MOMENT: everything as it stood then.\n"}},
    {"rollup",
     cli_rollup,
     {"số tổng hợp theo phạm vi", "totals by scope"},
     {"  baocao rollup [BIỂU_MẪU | --form BIỂU_MẪU] [--period KỲ] [--span KHOẢNG] [--scope PHẠM_VI]\n"
      "      [--indicator CHỈ_TIÊU] [--units as-reported|today] [--as-of THỜI_ĐIỂM] [--limit N]\n     "
      " " HUB_VI "  KHOẢNG: 2026, 2026-H1, … cộng nhiều kỳ. THỜI_ĐIỂM: số liệu đúng như lúc đó.\n",
      "  baocao rollup [FORM | --form FORM] [--period PERIOD] [--span SPAN] [--scope SCOPE]\n"
      "      [--indicator CODE] [--units as-reported|today] [--as-of MOMENT] [--limit N]\n      " HUB_EN
      "  SPAN: 2026, 2026-H1, … adds periods up. MOMENT: the figures as they stood then.\n"}},
    {"validate",
     cli_validate,
     {"kiểm tra tệp bất kỳ theo JSON Schema 2020-12", "judge any file by a JSON Schema 2020-12"},
     {"  baocao validate --schema LƯỢC_ĐỒ [--format-assertion] [--remotes-index TỆP] [--output basic] TỆP…\n"
      "  baocao validate --batch\n",
      "  baocao validate --schema SCHEMA [--format-assertion] [--remotes-index FILE] [--output basic] FILE…\n"
      "  baocao validate --batch\n"}},
    {"eval",
     cli_eval,
     {"tính biểu thức của quy tắc kiểm tra (--batch)", "run check-language expressions (--batch)"},
     {"  baocao eval --batch\n", "  baocao eval --batch\n"}},
    {"load",
     cli_load,
     {"in JSON đọc được từ tệp YAML hoặc JSON", "print the JSON made of a YAML or JSON file"},
     {"  baocao load TỆP\n  baocao load --batch\n", "  baocao load FILE\n  baocao load --batch\n"}},
};

static const char *const common[BAO_LANGS] = {"\nTùy chọn chung: --lang vi|en, --format text|json, --help\n",
                                              "\nCommon options: --lang vi|en, --format text|json, --help\n"};

static int usage(FILE *to, enum bao_lang lang)
{
    fputs(lang == BAO_VI ? "Cách dùng: baocao LỆNH [TÙY CHỌN] …\n\nCác lệnh:\n"
                         : "Usage: baocao COMMAND [OPTION] …\n\nCommands:\n",
          to);
    for (size_t i = 0; i < BAO_COUNT(commands); i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].what[lang]);
    fputs(common[lang], to);
    return to == stdout ? CLI_OK : CLI_USAGE;
}

int cli_usage(const struct cli_options *options)
{
    fprintf(stderr, options->lang == BAO_VI ? "Cách dùng:\n%s" : "Usage:\n%s", options->usage[options->lang]);
    return CLI_USAGE;
}

bool cli_tell_wrong(const struct cli_options *options, const char *vi, const char *en, const char *word)
{
    fprintf(stderr, "baocao: %s: %s\n\n", options->lang == BAO_VI ? vi : en, word);
    return false;
}

/* What a command is for and how it is used, as asked for. */
static int help(size_t command, enum bao_lang lang)
{
    printf(lang == BAO_VI ? "baocao %s: %s\n\nCách dùng:\n%s%s" : "baocao %s: %s\n\nUsage:\n%s%s",
           commands[command].name, commands[command].what[lang], commands[command].usage[lang], common[lang]);
    return CLI_OK;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

/* The value of option `name` at argv[i], written "--name value" or "--name=value"; *used says how many words.
 */
static const char *option_value(int argc, char **argv, int i, const char *name, int *used)
{
    size_t n = strlen(name);

    if (strncmp(argv[i], name, n) != 0)
        return NULL;
    if (argv[i][n] == '=') {
        *used = 1;
        return argv[i] + n + 1;
    }
    if (argv[i][n] != '\0' || i + 1 >= argc)
        return NULL;
    *used = 2;
    return argv[i + 1];
}

/* Takes --lang and --format out of argv: the new argc, or -1 for a value that is none. */
static int take_common(int argc, char **argv, struct cli_options *options)
{
    int out = 1;

    for (int i = 1; i < argc;) {
        const char *value;
        int used = 0;

        if ((value = option_value(argc, argv, i, "--lang", &used)) != NULL) {
            if (strcmp(value, "vi") != 0 && strcmp(value, "en") != 0)
                return -1;
            options->lang = strcmp(value, "en") == 0 ? BAO_EN : BAO_VI;
        } else if ((value = option_value(argc, argv, i, "--format", &used)) != NULL) {
            if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
                return -1;
            options->json = strcmp(value, "json") == 0;
        } else {
            argv[out++] = argv[i];
            used = 1;
        }
        i += used;
    }
    argv[out] = NULL;
    return out;
}

int main(int argc, char **argv)
{
    struct cli_options options = {.lang = BAO_VI, .self = argv[0]};
    bool wants_help;

    argc = take_common(argc, argv, &options);
    if (argc < 2)
        return usage(stderr, options.lang);
    wants_help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0;
    if (wants_help && argc == 2)
        return usage(stdout, options.lang);
    for (size_t i = 0; i < BAO_COUNT(commands); i++) {
        if (strcmp(argv[wants_help ? 2 : 1], commands[i].name) != 0)
            continue;
        if (wants_help || asks_for_help(argc, argv))
            return help(i, options.lang);
        memcpy(options.usage, commands[i].usage, sizeof(options.usage));
        return commands[i].run(&options, argc - 1, argv + 1);
    }
    fprintf(stderr, options.lang == BAO_VI ? "baocao: không có lệnh “%s”\n" : "baocao: no such command: %s\n",
            argv[wants_help ? 2 : 1]);
    return usage(stderr, options.lang);
}
