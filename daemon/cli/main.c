/* baocao: what everyone but the operator uses. Finds the command and takes out the common options. */
#include "daemon/cli/cli.h"

static const struct {
    const char *name;
    cli_command *run;
    const char *what[BAO_LANGS];
} commands[] = {
    {"check", cli_check, {"kiểm tra báo cáo trước khi gửi", "judge report files before sending"}},
    {"new", cli_new, {"tạo báo cáo trống để điền", "make a blank report to fill in"}},
    {"forms",
     cli_forms_command,
     {"các biểu mẫu hiện có; forms pull: tải từ máy chủ",
      "the forms there are; forms pull: fetch them from the hub"}},
    {"schema", cli_schema, {"xuất JSON Schema của một biểu mẫu", "export a form's JSON Schema"}},
    {"send", cli_send, {"gửi báo cáo, in biên nhận", "send reports, print receipts"}},
    {"outbox", cli_outbox, {"gửi những gì còn chờ (outbox run)", "send what waits (outbox run)"}},
    {"due",
     cli_due,
     {"đơn vị còn phải gửi gì, hạn nào, vì sao", "what a unit has to send, until when, and why"}},
    {"stat", cli_stat, {"tra cứu một báo cáo đã gửi", "the fate of a report"}},
    {"receipt",
     cli_receipt,
     {"kiểm chứng tệp biên nhận (receipt check)", "verify a receipt file (receipt check)"}},
    {"status",
     cli_status,
     {"đơn vị nào đã gửi, chậm, quá hạn (--missing: liệt kê)",
      "who reported, who is late (--missing: list them)"}},
    {"rollup", cli_rollup, {"số tổng hợp theo phạm vi", "totals by scope"}},
    {"validate",
     cli_validate,
     {"kiểm tra tệp bất kỳ theo JSON Schema 2020-12", "judge any file by a JSON Schema 2020-12"}},
    {"eval",
     cli_eval,
     {"tính biểu thức của quy tắc kiểm tra (--batch)", "run check-language expressions (--batch)"}},
    {"load",
     cli_load,
     {"in JSON đọc được từ tệp YAML hoặc JSON", "print the JSON made of a YAML or JSON file"}},
};

static int usage(FILE *to, enum bao_lang lang)
{
    fputs(lang == BAO_VI ? "Cách dùng: baocao LỆNH [TÙY CHỌN] …\n\nCác lệnh:\n"
                         : "Usage: baocao COMMAND [OPTION] …\n\nCommands:\n",
          to);
    for (size_t i = 0; i < BAO_COUNT(commands); i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].what[lang]);
    fputs(lang == BAO_VI ? "\nTùy chọn chung: --lang vi|en, --format text|json, --help\n"
                         : "\nCommon options: --lang vi|en, --format text|json, --help\n",
          to);
    return to == stdout ? CLI_OK : CLI_USAGE;
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

    argc = take_common(argc, argv, &options);
    if (argc < 2)
        return usage(stderr, options.lang);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout, options.lang);
    for (size_t i = 0; i < BAO_COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&options, argc - 1, argv + 1);
    fprintf(stderr, options.lang == BAO_VI ? "baocao: không có lệnh “%s”\n" : "baocao: no such command: %s\n",
            argv[1]);
    return usage(stderr, options.lang);
}
