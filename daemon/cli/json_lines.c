#include "daemon/cli/json_lines.h"
#include "lib/text/catalogue.h"

int cli_answer_id(struct bao_buf *answer, const struct bao_node *request)
{
    static const struct bao_node none = {.type = BAO_NULL};
    const struct bao_node *id = bao_node_get(request, "id");
    int r = bao_buf_append_c(answer, "{\"id\":");

    return r == 0 ? bao_node_print_json(answer, id == NULL ? &none : id) : r;
}

int cli_answer_error(struct bao_buf *answer, const struct bao_node *request, struct bao_str text)
{
    int r = cli_answer_id(answer, request);

    if (r == 0)
        r = bao_buf_append_c(answer, ",\"error\":");
    if (r == 0)
        r = bao_json_quote(answer, text);
    return r == 0 ? bao_buf_append_c(answer, "}") : r;
}

int cli_answer_wrong(struct bao_buf *answer, const struct bao_node *request, enum bao_lang lang,
                     const char *vi, const char *en)
{
    return cli_answer_error(answer, request, bao_str_c(lang == BAO_VI ? vi : en));
}

struct bao_str cli_finding_text(struct bao_arena *arena, const struct bao_findings *findings,
                                enum bao_lang lang)
{
    struct bao_buf sentence BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(64 * 1024);
    const struct bao_finding *f = findings->items;

    if (findings->n == 0 || bao_text_sentence(&sentence, f, lang) != 0)
        return lang == BAO_VI ? BAO_STR("không nhận") : BAO_STR("refused");
    return bao_arena_printf(arena, "%u:%u: BC%u: %.*s", f->at.line, f->at.column, f->code,
                            BAO_STR_ARG(bao_buf_str(&sentence)));
}

/* What answers the lines, and in which language those get their answer that are no request. */
struct batch {
    cli_line *run;
    void *data;
    enum bao_lang lang;
};

static int answer_line(const struct batch *b, struct bao_str line, struct bao_arena *arena,
                       struct bao_buf *answer)
{
    const struct bao_load_options options = {.format = BAO_FORMAT_JSON, .limits = CLI_LINE_LIMITS};
    static const struct bao_node no_request = {.type = BAO_NULL};
    struct bao_findings findings;
    struct bao_doc request;
    int r;

    bao_findings_init(&findings, arena, 1);
    if (line.n == 0)
        return cli_answer_wrong(answer, &no_request, b->lang,
                                "dòng trống: mỗi dòng là một yêu cầu JSON, ví dụ {\"id\": \"1\", …}",
                                "an empty line: each line is a request in JSON, such as {\"id\": \"1\", …}");
    r = bao_load(arena, line, &options, &findings, &request);
    if (r < 0)
        return r;
    if (r != 0)
        return cli_answer_error(answer, &no_request, cli_finding_text(arena, &findings, b->lang));
    if (request.root.type != BAO_MAP)
        return cli_answer_wrong(answer, &no_request, b->lang,
                                "yêu cầu phải là một đối tượng JSON, ví dụ {\"id\": \"1\", …}",
                                "a request is a JSON object, such as {\"id\": \"1\", …}");
    return b->run(b->data, &request.root, arena, answer);
}

int cli_run_lines(enum bao_lang lang, cli_line *run, void *data)
{
    const struct batch batch = {run, data, lang};
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_buf answer BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(CLI_LINE_MAX);
    char *line BAO_CLEANUP(bao_freep) = NULL;
    size_t size = 0;
    ssize_t n;

    while ((n = getline(&line, &size, stdin)) >= 0) {
        struct bao_str text = {line, (size_t)n};
        int r;

        while (text.n != 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
            text.n--;
        r = answer_line(&batch, text, &arena, &answer);
        if (r == 0)
            r = bao_buf_append_c(&answer, "\n");
        if (r < 0 || fwrite(bao_buf_data(&answer), 1, bao_buf_len(&answer), stdout) != bao_buf_len(&answer) ||
            fflush(stdout) != 0) {
            fprintf(stderr, "baocao: %s\n", strerror(r < 0 ? -r : errno));
            return CLI_USAGE;
        }
        bao_buf_clear(&answer);
        bao_arena_reset(&arena);
    }
    return CLI_OK;
}
