#include "daemon/cli/ask.h"

#include "daemon/cli/table.h"
#include "lib/text/catalogue.h"
#include "daemon/cli/client.h"
#include "daemon/cli/words.h"

enum { BODY_MAX = 64 << 20, HTTP_UNAUTHORIZED = 401 };

static bool takes(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

bool cli_question_read(const struct cli_options *options, int argc, char **argv, const char *const *own,
                       struct cli_question *ret)
{
    struct cli_question q = {.server = getenv("BAOCAO_SERVER"),
                             .token_file = getenv("BAOCAO_TOKEN_FILE"),
                             .ca = getenv("BAOCAO_CA")};
    enum { OF_SOME = 4 }; /* the first are not taken by every question */
    const struct cli_word known[] = {{"--span", &q.span},
                                     {"--unit", &q.unit},
                                     {"--units", &q.units},
                                     {"--indicator", &q.indicator},
                                     {"--form", &q.form},
                                     {"--period", &q.period},
                                     {"--scope", &q.scope},
                                     {"--limit", &q.limit},
                                     {"--as-of", &q.as_of},
                                     {"--token-file", &q.token_file},
                                     {"--server", &q.server},
                                     {"--ca", &q.ca},
                                     {NULL}};
    bool vi = options->lang == BAO_VI;
    int n = cli_words_read(options, argc, argv, known, 1);

    if (n < 0)
        return false;
    for (size_t i = 0; i < OF_SOME; i++)
        if (*known[i].value != NULL && !takes(own, known[i].name))
            return cli_complain(options, vi ? "câu hỏi này không dùng %s" : "this question does not take %s",
                                known[i].name);
    if (n == 1 && q.form != NULL)
        return cli_complain(options,
                            vi ? "biểu mẫu được ghi hai lần: %s và %s" : "the form is named twice: %s and %s",
                            q.form, argv[1]);
    if (n == 1)
        q.form = argv[1];
    if (q.server == NULL || *q.server == '\0')
        q.server = CLI_DEFAULT_SERVER;
    *ret = q;
    return true;
}

/* The hub's refusal in the asked language; its bare status when the body says nothing. */
static void tell_status(const struct cli_options *options, long status, const struct bao_node *root)
{
    const struct bao_node *message = root == NULL ? NULL : bao_node_get(root, "message");
    const struct bao_node *text =
        message == NULL ? NULL : bao_node_get(message, options->lang == BAO_VI ? "vi" : "en");

    if (text != NULL && text->type == BAO_STRING)
        fprintf(stderr, "baocao: %.*s\n", BAO_STR_ARG(bao_node_str(text)));
    if (status == HTTP_UNAUTHORIZED)
        fputs(options->lang == BAO_VI
                  ? "Dùng --token-file TỆP (hoặc biến BAOCAO_TOKEN_FILE): tệp chứa mã truy cập do tỉnh cấp.\n"
                  : "Use --token-file FILE (or BAOCAO_TOKEN_FILE): the file of the token that the hub gave "
                    "you.\n",
              stderr);
    if (text == NULL || text->type != BAO_STRING)
        fprintf(stderr,
                options->lang == BAO_VI ? "baocao: máy chủ trả lời HTTP %ld\n"
                                        : "baocao: the hub answered HTTP %ld\n",
                status);
}

int cli_tell_refusal(const struct cli_options *options, long status, struct bao_str body)
{
    struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_doc doc;

    bao_findings_init(&findings, &arena, 1);
    tell_status(options, status, bao_load(&arena, body, &load, &findings, &doc) == 0 ? &doc.root : NULL);
    bao_arena_deinit(&arena);
    return CLI_USAGE;
}

static int read_answer(const struct cli_options *options, long status, struct bao_arena *arena,
                       struct bao_str body, const struct bao_node **ret_rows)
{
    struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    struct bao_doc *doc = bao_arena_alloc(arena, sizeof(*doc));
    int r;

    if (doc == NULL)
        return CLI_USAGE;
    load.limits.octets = BODY_MAX;
    load.limits.nodes = 20000000;
    bao_findings_init(&findings, arena, 1);
    r = bao_load(arena, body, &load, &findings, doc);
    if (status != 200 || r != 0 || doc->root.type != BAO_LIST) {
        tell_status(options, status, r == 0 ? &doc->root : NULL);
        return status == 400 || status == 422 ? CLI_NO : CLI_USAGE;
    }
    *ret_rows = &doc->root;
    return CLI_OK;
}

void cli_tell_no_answer(const struct cli_options *options, const char *server, const char *why)
{
    fprintf(stderr,
            options->lang == BAO_VI ? "baocao: không hỏi được %s: %s\n" : "baocao: cannot ask %s: %s\n",
            server, why);
}

bool cli_hub_ready(const struct cli_options *options, const char *token_file, char token[CLI_TOKEN_MAX],
                   struct cli_hub *hub)
{
    hub->lang = options->lang;
    hub->token = token;
    if (token_file != NULL && *token_file != '\0' && !cli_token_read(options, token_file, token))
        return false;
    if (cli_may_carry(hub))
        return true;
    fprintf(stderr,
            options->lang == BAO_VI
                ? "baocao: không gửi mã truy cập qua đường không mã hóa tới %s; hãy dùng địa chỉ https://\n"
                : "baocao: the token does not travel unencrypted to %s; use an address with https://\n",
            hub->server);
    return false;
}

int cli_ask(const struct cli_options *options, struct cli_question *question, const char *path,
            struct bao_arena *arena, const struct bao_node **ret_rows)
{
    struct cli_hub hub = {.server = question->server, .ca = question->ca};
    const struct cli_parameter parameters[] = {
        {"form", question->form},           {"period", question->period}, {"span", question->span},
        {"scope", question->scope},         {"unit", question->unit},     {"units", question->units},
        {"indicator", question->indicator}, {"limit", question->limit},   {"as_of", question->as_of},
    };
    struct bao_buf body = BAO_BUF_NULL(BODY_MAX);
    const char *why = "";
    struct bao_str copy;
    long status = 0;
    int r;

    *ret_rows = NULL;
    if (!cli_hub_ready(options, question->token_file, question->token, &hub))
        return CLI_USAGE;
    r = cli_get(&hub, path, parameters, BAO_COUNT(parameters), &body, &status, &why);
    if (r < 0) {
        cli_tell_no_answer(options, question->server, why);
        bao_buf_deinit(&body);
        return CLI_USAGE;
    }
    if (options->json && status == 200) {
        fwrite(bao_buf_data(&body), 1, bao_buf_len(&body), stdout);
        bao_buf_deinit(&body);
        return CLI_OK;
    }
    copy = bao_arena_str(arena, bao_buf_str(&body));
    bao_buf_deinit(&body);
    return copy.p == NULL ? CLI_USAGE : read_answer(options, status, arena, copy, ret_rows);
}

struct bao_str cli_cell(struct bao_arena *arena, const struct bao_node *row, const char *name,
                        enum bao_lang lang)
{
    const struct bao_node *value = bao_node_get(row, name);
    struct bao_buf text = BAO_BUF_NULL(1 << 16);
    struct bao_str copy;

    if (value == NULL || value->type == BAO_NULL)
        return BAO_STR("–");
    if (value->type == BAO_STRING)
        return bao_node_str(value);
    if (bao_node_print_json(&text, value) != 0) {
        bao_buf_deinit(&text);
        return BAO_STR("?");
    }
    copy = bao_arena_str(arena, bao_buf_str(&text));
    bao_buf_deinit(&text);
    return bao_node_is_number(value) ? cli_number(arena, copy, lang) : copy;
}
