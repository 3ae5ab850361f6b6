/* baocao forms: which forms there are to judge by; forms pull: fetch them from the hub. */
#include "daemon/cli/ask.h"
#include "daemon/cli/forms_dir.h"
#include "daemon/cli/pulled.h"
#include "daemon/cli/table.h"
#include "lib/doc/tree.h"

enum { COLUMNS = 5, OUT_MAX = 16 << 20 };

static struct bao_str title_of(const struct bao_form *f, enum bao_lang lang)
{
    return lang == BAO_EN && f->title.en.n != 0 ? f->title.en : f->title.vi;
}

static struct bao_str span(struct bao_arena *arena, const struct bao_form *f)
{
    char from[16] = "", to[16] = "";

    if (f->effective_from != BAO_DATE_NONE)
        bao_date_print(f->effective_from, from);
    if (f->effective_to != BAO_DATE_NONE)
        bao_date_print(f->effective_to, to);
    return bao_arena_printf(arena, "%s – %s", from, to);
}

static int print_table(const struct bao_forms *forms, enum bao_lang lang)
{
    static const struct cli_column columns[BAO_LANGS][COLUMNS] = {
        {{"Biểu mẫu", false}, {"Phiên bản", true}, {"Kỳ", false}, {"Hiệu lực", false}, {"Tên", false}},
        {{"Form", false}, {"Version", true}, {"Period", false}, {"In force", false}, {"Title", false}},
    };
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_str *cells = bao_arena_array(&arena, forms->n * COLUMNS, sizeof(*cells));

    if (cells == NULL)
        return CLI_USAGE;
    for (size_t i = 0; i < forms->n; i++) {
        const struct bao_form *f = forms->items[i];
        struct bao_str *row = &cells[i * COLUMNS];

        row[0] = f->id;
        row[1] = bao_arena_printf(&arena, "%d", f->version);
        row[2] = bao_str_c(bao_period_word(f->period_type, lang));
        row[3] = span(&arena, f);
        row[4] = title_of(f, lang);
    }
    cli_table(stdout, columns[lang], COLUMNS, cells, forms->n);
    return CLI_OK;
}

static int print_form(struct bao_buf *out, const struct bao_form *f)
{
    char from[16] = "", to[16] = "";
    int r = bao_buf_append_c(out, "{\"form\":");

    if (f->effective_from != BAO_DATE_NONE)
        bao_date_print(f->effective_from, from);
    if (f->effective_to != BAO_DATE_NONE)
        bao_date_print(f->effective_to, to);
    if (r == 0)
        r = bao_json_quote(out, f->id);
    if (r == 0)
        r = bao_buf_printf(
            out, ",\"version\":%d,\"period\":\"%s\",\"effective_from\":\"%s\",\"effective_to\":\"%s\"",
            f->version, bao_period_word(f->period_type, BAO_EN), from, to);
    if (r == 0)
        r = bao_buf_append_c(out, ",\"title_vi\":");
    if (r == 0)
        r = bao_json_quote(out, f->title.vi);
    if (r == 0)
        r = bao_buf_append_c(out, ",\"title_en\":");
    if (r == 0)
        r = bao_json_quote(out, f->title.en);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static int print_json(const struct bao_forms *forms)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(OUT_MAX);
    int r = bao_buf_append_c(&out, "[");

    for (size_t i = 0; i < forms->n && r == 0; i++) {
        r = i == 0 ? 0 : bao_buf_append_c(&out, ",\n");
        if (r == 0)
            r = print_form(&out, forms->items[i]);
    }
    if (r == 0)
        r = bao_buf_append_c(&out, "]\n");
    if (r != 0 || fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout) != bao_buf_len(&out))
        return CLI_USAGE;
    return CLI_OK;
}

static int pull(const struct cli_options *options, int argc, char **argv)
{
    const char *server = getenv("BAOCAO_SERVER"), *token_file = getenv("BAOCAO_TOKEN_FILE"),
               *ca = getenv("BAOCAO_CA");
    const struct cli_word known[] = {
        {"--server", &server}, {"--token-file", &token_file}, {"--ca", &ca}, {NULL}};
    char token[CLI_TOKEN_MAX] = "";
    struct cli_hub hub = {.server = CLI_DEFAULT_SERVER};

    if (cli_words_read(options, argc, argv, known, 0) < 0)
        return CLI_USAGE;
    if (server != NULL && *server != '\0')
        hub.server = server;
    hub.ca = ca;
    return cli_hub_ready(options, token_file, token, &hub) ? cli_pulled_fetch(options, &hub) : CLI_USAGE;
}

int cli_forms_command(const struct cli_options *options, int argc, char **argv)
{
    const char *dir = NULL, *province = NULL;
    const struct cli_word known[] = {{"--forms", &dir}, {"--province", &province}, {NULL}};
    struct cli_forms forms;
    int code;

    if (argc > 1 && strcmp(argv[1], "pull") == 0)
        return pull(options, argc - 1, argv + 1);
    if (cli_words_read(options, argc, argv, known, 0) < 0)
        return CLI_USAGE;
    if (!cli_forms_open(&forms, options, dir, province))
        return CLI_USAGE;
    code = options->json ? print_json(&cli_forms_get(&forms, 0)->forms)
                         : print_table(&cli_forms_get(&forms, 0)->forms, options->lang);
    cli_forms_tell(&forms);
    cli_forms_close(&forms);
    return code;
}
