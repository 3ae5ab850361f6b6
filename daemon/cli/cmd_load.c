/* baocao load: what the loader makes of a YAML or JSON file, as JSON. */
#include "daemon/cli/input.h"
#include "daemon/cli/json_lines.h"
#include "daemon/cli/words.h"
#include "lib/text/catalogue.h"

static int tell_refusal(const struct cli_options *options, const char *path, struct bao_str text,
                        const struct bao_findings *findings)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL((size_t)64 << 20);
    int r = options->json ? bao_text_json_all(&out, findings)
                          : bao_text_render_all(&out, findings, bao_str_c(path), text, options->lang, 20);

    if (r == 0)
        fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&out)));
    return CLI_NO;
}

static int load_file(const struct cli_options *options, const char *path)
{
    struct bao_load_options load = {.format = cli_format_of(path), .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL((size_t)1 << 30);
    struct bao_findings findings;
    struct bao_str text;
    struct bao_doc doc;
    int r = cli_read_file(&arena, path, (size_t)64 << 20, &text);

    if (r < 0) {
        cli_tell_unreadable(options->lang, path, r);
        return CLI_USAGE;
    }
    bao_findings_init(&findings, &arena, 1);
    r = bao_load(&arena, text, &load, &findings, &doc);
    if (r > 0)
        return tell_refusal(options, path, text, &findings);
    if (r == 0)
        r = bao_node_print_json(&out, &doc.root);
    if (r == 0)
        r = bao_buf_append_c(&out, "\n");
    if (r < 0) {
        cli_tell_unreadable(options->lang, path, r);
        return CLI_USAGE;
    }
    return fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout) == bao_buf_len(&out) &&
                   fflush(stdout) == 0
               ? CLI_OK
               : CLI_USAGE;
}

static int load_line(void *data, const struct bao_node *request, struct bao_arena *arena,
                     struct bao_buf *answer)
{
    const struct cli_options *options = data;
    const struct bao_load_options load = {.limits = BAO_LOAD_LIMITS_DEFAULT};
    const struct bao_node *b64 = bao_node_get(request, "b64");
    struct bao_findings findings;
    struct bao_str text;
    struct bao_doc doc;
    int r;

    if (b64 == NULL || b64->type != BAO_STRING)
        return cli_answer_wrong(answer, request, options->lang,
                                "yêu cầu phải có b64: nội dung tệp ở dạng base64",
                                "a request needs b64, the octets in base64");
    r = cli_base64(arena, bao_node_str(b64), &text);
    if (r == -EINVAL)
        return cli_answer_wrong(answer, request, options->lang, "b64 không phải base64", "b64 is not base64");
    if (r < 0)
        return r;
    bao_findings_init(&findings, arena, 1);
    r = bao_load(arena, text, &load, &findings, &doc);
    if (r < 0)
        return r;
    if (r > 0)
        return cli_answer_error(answer, request, cli_finding_text(arena, &findings, options->lang));
    r = cli_answer_id(answer, request);
    if (r == 0)
        r = bao_buf_append_c(answer, ",\"json\":");
    if (r == 0)
        r = bao_node_print_json(answer, &doc.root);
    return r == 0 ? bao_buf_append_c(answer, "}") : r;
}

int cli_load(const struct cli_options *options, int argc, char **argv)
{
    struct cli_options copy = *options;
    bool batch = false;
    const struct cli_word known[] = {{"--batch", NULL, &batch}, {NULL}};
    int n = cli_words_read(options, argc, argv, known, 1);

    if (n < 0)
        return CLI_USAGE;
    if (batch ? n != 0 : n == 0) {
        (void)cli_complain(options, options->lang == BAO_VI ? "ghi một tên tệp, hoặc --batch"
                                                            : "name one file, or --batch");
        return CLI_USAGE;
    }
    if (batch)
        return cli_run_lines(options->lang, load_line, &copy);
    return load_file(options, argv[1]);
}
