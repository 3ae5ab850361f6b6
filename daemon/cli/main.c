/* baocao: what everyone but the operator uses. Finds the command and takes out the common options. */
#include "daemon/cli/cli.h"

#include "lib/form/yaml_fields.h"

#include <stdarg.h>

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
    const char *example; /* a right use, shown with whatever is wrong */
    const char *what[BAO_LANGS];
    const char *usage[BAO_LANGS]; /* every option that the command reads: a test compares them */
} commands[] = {
    {"check",
     cli_check,
     "baocao check bao-cao-q3.yaml",
     {"kiểm tra báo cáo trước khi gửi", "judge report files before sending"},
     {"  baocao check TỆP… [--history THƯ-MỤC|TỆP…] [--outbox THƯ-MỤC]\n"
      "      " FILES_VI "  baocao check --batch " FILES_VI
      "  --history: các báo cáo trước của đơn vị, để so với kỳ trước. --outbox: nơi giữ báo cáo đã gửi.\n",
      "  baocao check FILE… [--history DIR|FILE…] [--outbox DIR]\n"
      "      " FILES_EN "  baocao check --batch " FILES_EN
      "  --history: earlier reports of the unit, to compare with. --outbox: the folder of what was sent.\n"}},
    {"new",
     cli_new,
     "baocao new nd73-quarterly --unit 24133 --period 2026-Q3",
     {"tạo báo cáo trống để điền", "make a blank report to fill in"},
     {"  baocao new BIỂU_MẪU --unit MÃ --period KỲ [--from TỆP-KỲ-TRƯỚC]\n      " FILES_VI
      "  --from: chép các mục còn dang dở từ báo cáo kỳ trước.\n",
      "  baocao new FORM --unit CODE --period PERIOD [--from LAST-REPORT]\n      " FILES_EN
      "  --from: carries over what last period's report left open.\n"}},
    {"forms",
     cli_forms_command,
     "baocao forms",
     {"các biểu mẫu hiện có; forms pull: tải từ máy chủ",
      "the forms there are; forms pull: fetch them from the hub"},
     {"  baocao forms " FILES_VI "  baocao forms pull " HUB_VI,
      "  baocao forms " FILES_EN "  baocao forms pull " HUB_EN}},
    {"schema",
     cli_schema,
     "baocao schema export nd73-quarterly",
     {"xuất JSON Schema của một biểu mẫu", "export a form's JSON Schema"},
     {"  baocao schema export BIỂU_MẪU [--version N] [--draft 7|2020-12] [--forms THƯ-MỤC]\n",
      "  baocao schema export FORM [--version N] [--draft 7|2020-12] [--forms DIR]\n"}},
    {"send",
     cli_send,
     "baocao send bao-cao-q3.yaml --outbox ~/bao-cao",
     {"gửi báo cáo, in biên nhận", "send reports, print receipts"},
     {"  baocao send TỆP… [--outbox THƯ-MỤC] [--no-compress] [--wait GIÂY]\n      " BRP_VI
      "  --outbox: giữ lại những gì chưa gửi được; baocao outbox run gửi tiếp.\n",
      "  baocao send FILE… [--outbox DIR] [--no-compress] [--wait SECONDS]\n      " BRP_EN
      "  --outbox: keeps what could not go; baocao outbox run sends it on.\n"}},
    {"outbox",
     cli_outbox,
     "baocao outbox run --outbox ~/bao-cao",
     {"gửi những gì còn chờ (outbox run)", "send what waits (outbox run)"},
     {"  baocao outbox run [--outbox THƯ-MỤC] [--now] [--wait GIÂY]\n      " BRP_VI
      "  --now: gửi ngay, không đợi hết thời gian nghỉ sau lần gửi hỏng.\n",
      "  baocao outbox run [--outbox DIR] [--now] [--wait SECONDS]\n      " BRP_EN
      "  --now: at once, without the pause that follows a failure.\n"}},
    {"due",
     cli_due,
     "baocao due --unit 24133",
     {"đơn vị còn phải gửi gì, hạn nào, vì sao", "what a unit has to send, until when, and why"},
     {"  baocao due --unit ĐƠN_VỊ [--until NGÀY] [--wait GIÂY] " FILES_VI "      " BRP_VI
      "  ĐƠN_VỊ: mã hoặc tên (Phường Tân Lập). NGÀY viết như 2026-12-31; nếu không ghi thì tính 92 ngày "
      "tới.\n"
      "  Có --to (hoặc BAOCAO_TO) thì hỏi máy chủ, biết cả báo cáo nào đã gửi; nếu không thì tính từ biểu "
      "mẫu\n"
      "  trên máy này.\n",
      "  baocao due --unit UNIT [--until DAY] [--wait SECONDS] " FILES_EN "      " BRP_EN
      "  UNIT: a code or a name. DAY is written like 2026-12-31; without it the next 92 days count.\n"
      "  With --to (or BAOCAO_TO) the hub is asked, which knows what was sent; else the forms on this "
      "machine\n"
      "  tell.\n"}},
    {"stat",
     cli_stat,
     "baocao stat nd73-quarterly 24133 2026-Q3",
     {"tra cứu một báo cáo đã gửi", "the fate of a report"},
     {"  baocao stat BIỂU_MẪU ĐƠN_VỊ KỲ [--rev LẦN] | --receipt MÃ_BIÊN_NHẬN [--save TỆP] [--wait GIÂY]\n"
      "      " BRP_VI "  --save: ghi tệp biên nhận có chữ ký của tỉnh; baocao receipt check kiểm chứng nó.\n",
      "  baocao stat FORM UNIT PERIOD [--rev N] | --receipt UUID [--save FILE] [--wait SECONDS]\n"
      "      " BRP_EN
      "  --save: writes the receipt file that the province signed; baocao receipt check verifies it.\n"}},
    {"receipt",
     cli_receipt,
     "baocao receipt check bien-nhan.txt --key c0ffee…",
     {"kiểm chứng tệp biên nhận (receipt check)", "verify a receipt file (receipt check)"},
     {"  baocao receipt check TỆP --key KHÓA [--heads TỆP]\n"
      "  TỆP: do baocao stat ghi ra.\n"
      "  KHÓA: khóa công khai của tỉnh, 64 chữ số thập lục phân, do văn phòng công bố.\n"
      "  --heads: danh sách mã băm đã công bố; kiểm tra lượt ghi của biên nhận vẫn còn nguyên trong đó.\n",
      "  baocao receipt check FILE --key KEY [--heads FILE]\n"
      "  FILE: as baocao stat writes it.\n"
      "  KEY: the province's public key, 64 hex digits, as its office publishes it.\n"
      "  --heads: a published list of heads; the receipt's batch must still stand in it.\n"}},
    {"status",
     cli_status,
     "baocao status nd73-quarterly --period 2026-Q3",
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
     "baocao rollup nd73-quarterly --period 2026-Q3",
     {"số tổng hợp theo phạm vi", "totals by scope"},
     {"  baocao rollup [BIỂU_MẪU | --form BIỂU_MẪU] [--period KỲ] [--span KHOẢNG] [--scope PHẠM_VI]\n"
      "      [--indicator CHỈ_TIÊU] [--units as-reported|today] [--as-of THỜI_ĐIỂM] [--limit N]\n     "
      " " HUB_VI "  KHOẢNG: 2026, 2026-H1, … cộng nhiều kỳ. THỜI_ĐIỂM: số liệu đúng như lúc đó.\n",
      "  baocao rollup [FORM | --form FORM] [--period PERIOD] [--span SPAN] [--scope SCOPE]\n"
      "      [--indicator CODE] [--units as-reported|today] [--as-of MOMENT] [--limit N]\n      " HUB_EN
      "  SPAN: 2026, 2026-H1, … adds periods up. MOMENT: the figures as they stood then.\n"}},
    {"validate",
     cli_validate,
     "baocao validate --schema schema.json bao-cao.yaml",
     {"kiểm tra tệp bất kỳ theo JSON Schema 2020-12", "judge any file by a JSON Schema 2020-12"},
     {"  baocao validate --schema LƯỢC_ĐỒ [--format-assertion] [--remotes-index TỆP] [--output basic] TỆP…\n"
      "  baocao validate --batch\n",
      "  baocao validate --schema SCHEMA [--format-assertion] [--remotes-index FILE] [--output basic] FILE…\n"
      "  baocao validate --batch\n"}},
    {"eval",
     cli_eval,
     "baocao eval --batch < bieu-thuc.jsonl",
     {"tính biểu thức của quy tắc kiểm tra (--batch)", "run check-language expressions (--batch)"},
     {"  baocao eval --batch\n", "  baocao eval --batch\n"}},
    {"load",
     cli_load,
     "baocao load bao-cao-q3.yaml",
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

bool cli_complain(const struct cli_options *options, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "baocao %s: ", options->command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr,
            options->lang == BAO_VI ? "\nVí dụ: %s\nXem thêm: baocao %s --help\n"
                                    : "\nExample: %s\nMore: baocao %s --help\n",
            options->example, options->command);
    return false;
}

/* What a command is for and how it is used, as asked for. */
static int help(size_t command, enum bao_lang lang)
{
    printf(lang == BAO_VI ? "baocao %s: %s\n\nCách dùng:\n%sVí dụ: %s\n%s"
                          : "baocao %s: %s\n\nUsage:\n%sExample: %s\n%s",
           commands[command].name, commands[command].what[lang], commands[command].usage[lang],
           commands[command].example, common[lang]);
    return CLI_OK;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

/* What is wrong with --lang or --format: its one right set of values. */
static int tell_common(enum bao_lang lang, const char *name, const char *values)
{
    fprintf(stderr,
            lang == BAO_VI ? "baocao: sau %s phải là %s, ví dụ: %s %.*s\n"
                           : "baocao: %s takes %s, such as: %s %.*s\n",
            name, values, name, (int)strcspn(values, " |"), values);
    return -1;
}

/* Takes --lang and --format out of argv, wherever they stand, written "--lang vi" or "--lang=vi": the new
 * argc, or -1 after telling of a value that is none. */
static int take_common(int argc, char **argv, struct cli_options *options)
{
    static const struct {
        const char *name, *values, *first, *second;
    } common_options[] = {{"--lang", "vi|en", "vi", "en"}, {"--format", "text|json", "text", "json"}};
    int out = 1;

    for (int i = 1; i < argc; i++) {
        size_t n = strcspn(argv[i], "="), k = 0;
        const char *value;
        bool second;

        while (k < BAO_COUNT(common_options) &&
               (strncmp(argv[i], common_options[k].name, n) != 0 || common_options[k].name[n] != '\0'))
            k++;
        if (k == BAO_COUNT(common_options)) {
            argv[out++] = argv[i];
            continue;
        }
        value = argv[i][n] == '=' ? argv[i] + n + 1 : i + 1 < argc ? argv[++i] : "";
        second = strcmp(value, common_options[k].second) == 0;
        if (!second && strcmp(value, common_options[k].first) != 0)
            return tell_common(options->lang, common_options[k].name, common_options[k].values);
        if (k == 0)
            options->lang = second ? BAO_EN : BAO_VI;
        else
            options->json = second;
    }
    argv[out] = NULL;
    return out;
}

/* No such command: with the one whose name is nearest. */
static int tell_command(enum bao_lang lang, const char *word)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    const char *names[BAO_COUNT(commands)], *near;

    for (size_t i = 0; i < BAO_COUNT(commands); i++)
        names[i] = commands[i].name;
    near = bao_nearest(&arena, bao_str_c(word), names, BAO_COUNT(names));
    fprintf(stderr, lang == BAO_VI ? "baocao: không có lệnh “%s”" : "baocao: there is no command %s", word);
    if (near != NULL)
        fprintf(stderr, lang == BAO_VI ? "; có phải là %s không?" : "; is %s meant?", near);
    fputs(lang == BAO_VI ? "\nCác lệnh: baocao --help\n" : "\nThe commands: baocao --help\n", stderr);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    struct cli_options options = {.lang = BAO_VI, .self = argv[0]};
    bool wants_help;

    argc = take_common(argc, argv, &options);
    if (argc < 0)
        return CLI_USAGE;
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
        options.command = commands[i].name;
        options.example = commands[i].example;
        return commands[i].run(&options, argc - 1, argv + 1);
    }
    return tell_command(options.lang, argv[wants_help ? 2 : 1]);
}
