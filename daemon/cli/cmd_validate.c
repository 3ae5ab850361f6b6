/* baocao validate: plain JSON Schema 2020-12 of any document, and the batch protocol of forms.md section 7.
 */
#include "daemon/cli/input.h"
#include "daemon/cli/json_lines.h"
#include "daemon/cli/words.h"
#include "lib/schema/schema.h"
#include "lib/text/catalogue.h"

#include <time.h>

enum { FINDINGS = 200, FILE_MOST = 64 << 20 };

static void schema_freep(struct bao_schema **schema)
{
    *schema = bao_schema_free(*schema);
}

/* ---- batch ---- */

struct batch {
    struct bao_arena arena; /* the remotes of the last setup */
    struct bao_schema_set *set;
    struct bao_schema_scratch *scratch;
    struct bao_schema_options options;
    enum bao_lang lang;
};

/* The request's tree dies with its line: what must stay is loaded once more from its own text. */
static int keep(struct batch *b, const struct bao_node *node, struct bao_node *ret)
{
    const struct bao_load_options options = {.format = BAO_FORMAT_JSON, .limits = CLI_LINE_LIMITS};
    struct bao_buf text BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(CLI_LINE_MAX);
    struct bao_findings findings;
    struct bao_doc doc;
    struct bao_str copy;
    int r = bao_node_print_json(&text, node);

    if (r < 0)
        return r;
    copy = bao_arena_str(&b->arena, bao_buf_str(&text));
    if (copy.p == NULL)
        return -ENOMEM;
    bao_findings_init(&findings, &b->arena, 1);
    r = bao_load(&b->arena, copy, &options, &findings, &doc);
    if (r == 0)
        *ret = doc.root;
    return bao_error_fold(r);
}

static int set_up(struct batch *b, const struct bao_node *request, struct bao_buf *answer)
{
    const struct bao_node *format = bao_node_get(request, "format"),
                          *remotes = bao_node_get(request, "remotes");
    const struct bao_node *dialect = bao_node_get(request, "dialect");
    struct bao_node kept = {.type = BAO_MAP};
    int r = 0;

    b->set = bao_schema_set_free(b->set);
    bao_arena_deinit(&b->arena);
    b->set = bao_schema_set_new();
    if (b->set == NULL)
        return -ENOMEM;
    b->options.assert_format =
        format != NULL && format->type == BAO_STRING && bao_str_is(bao_node_str(format), "assert");
    b->options.default_dialect = NULL;
    if (dialect != NULL && dialect->type == BAO_STRING) {
        b->options.default_dialect = bao_arena_dup(&b->arena, dialect->str, dialect->len);
        if (b->options.default_dialect == NULL)
            return -ENOMEM;
    }
    if (remotes != NULL && remotes->type == BAO_MAP)
        r = keep(b, remotes, &kept);
    for (uint32_t i = 0; r == 0 && i < kept.len; i++)
        r = bao_schema_set_add(b->set, bao_member_key(&kept.members[i]), &kept.members[i].value);
    return r == 0 ? bao_buf_append_c(answer, "{\"ok\":true}") : r;
}

/* Compiles the request's schema. 0, 1 after answering that it was refused, <0. */
static int compile_case(struct batch *b, const struct bao_node *request, struct bao_arena *arena,
                        struct bao_buf *answer, struct bao_schema **ret)
{
    const struct bao_node *schema = bao_node_get(request, "schema"),
                          *instances = bao_node_get(request, "instances");
    struct bao_findings findings;
    int r;

    if (schema == NULL || instances == NULL || instances->type != BAO_LIST) {
        r = cli_answer_wrong(answer, request, b->lang, "case phải có schema và instances",
                             "a case needs schema and instances");
        return r == 0 ? 1 : r;
    }
    bao_findings_init(&findings, arena, 5);
    r = bao_schema_compile(b->set, schema, BAO_STR_NULL, &b->options, &findings, ret);
    if (r > 0) {
        r = cli_answer_error(answer, request, cli_finding_text(arena, &findings, b->lang));
        return r == 0 ? 1 : r;
    }
    return r;
}

static int run_case(struct batch *b, const struct bao_node *request, struct bao_arena *arena,
                    struct bao_buf *answer)
{
    struct bao_schema *schema BAO_CLEANUP(schema_freep) = NULL;
    const struct bao_node *instances = bao_node_get(request, "instances");
    int r = compile_case(b, request, arena, answer, &schema);

    if (r != 0)
        return r < 0 ? r : 0;
    r = cli_answer_id(answer, request);
    if (r == 0)
        r = bao_buf_append_c(answer, ",\"valid\":[");
    for (uint32_t i = 0; r == 0 && i < instances->len; i++) {
        int verdict = bao_schema_is_valid(schema, b->scratch, &instances->items[i]);

        if (i != 0)
            r = bao_buf_append_c(answer, ",");
        if (r == 0)
            r = bao_buf_append_c(answer, verdict < 0 ? "null" : verdict == 1 ? "true" : "false");
    }
    return r == 0 ? bao_buf_append_c(answer, "]}") : r;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double seconds_of(const struct bao_node *request)
{
    const struct bao_node *seconds = bao_node_get(request, "seconds");

    return seconds != NULL && bao_node_is_number(seconds) ? bao_num_to_double(bao_node_num(seconds)) : 0.5;
}

static int run_bench(struct batch *b, const struct bao_node *request, struct bao_arena *arena,
                     struct bao_buf *answer)
{
    struct bao_schema *schema BAO_CLEANUP(schema_freep) = NULL;
    const struct bao_node *instances = bao_node_get(request, "instances");
    int64_t start = now_ns(), best = INT64_MAX, until, compile_ns;
    uint64_t passes = 0, valid = 0;
    int r = compile_case(b, request, arena, answer, &schema);

    if (r != 0)
        return r < 0 ? r : 0;
    compile_ns = now_ns() - start;
    until = now_ns() + (int64_t)(seconds_of(request) * 1e9);
    do {
        int64_t began = now_ns(), took;

        valid = 0;
        for (uint32_t i = 0; i < instances->len; i++)
            valid += bao_schema_is_valid(schema, b->scratch, &instances->items[i]) == 1;
        took = now_ns() - began;
        best = took < best ? took : best;
        passes++;
    } while (now_ns() < until);
    r = cli_answer_id(answer, request);
    if (r < 0)
        return r;
    return bao_buf_printf(
        answer, ",\"count\":%u,\"valid\":%llu,\"compile_ns\":%lld,\"best_pass_ns\":%lld,\"passes\":%llu}",
        (unsigned)instances->len, (unsigned long long)valid, (long long)compile_ns, (long long)best,
        (unsigned long long)passes);
}

static int batch_line(void *data, const struct bao_node *request, struct bao_arena *arena,
                      struct bao_buf *answer)
{
    static const struct {
        const char *name;
        int (*run)(struct batch *b, const struct bao_node *request, struct bao_arena *arena,
                   struct bao_buf *answer);
    } commands[] = {{"case", run_case}, {"bench", run_bench}};
    const struct bao_node *cmd = bao_node_get(request, "cmd");
    const struct batch *b = data;

    if (cmd == NULL || cmd->type != BAO_STRING)
        return cli_answer_wrong(answer, request, b->lang, "yêu cầu phải có cmd: setup, case hoặc bench",
                                "a request needs cmd: setup, case or bench");
    if (bao_str_is(bao_node_str(cmd), "setup"))
        return set_up(data, request, answer);
    for (size_t i = 0; i < BAO_COUNT(commands); i++)
        if (bao_str_is(bao_node_str(cmd), commands[i].name))
            return commands[i].run(data, request, arena, answer);
    return cli_answer_wrong(answer, request, b->lang, "cmd phải là setup, case hoặc bench",
                            "cmd is none of setup, case, bench");
}

static int run_batch(const struct cli_options *options)
{
    struct batch b = {
        .set = bao_schema_set_new(), .scratch = bao_schema_scratch_new(), .lang = options->lang};
    int code = CLI_USAGE;

    if (b.set != NULL && b.scratch != NULL)
        code = cli_run_lines(options->lang, batch_line, &b);
    bao_schema_scratch_free(b.scratch);
    bao_schema_set_free(b.set);
    bao_arena_deinit(&b.arena);
    return code;
}

/* ---- files ---- */

struct validate {
    const struct cli_options *cli;
    const char *schema_path, *index_path;
    bool assert_format, basic, batch;
    struct bao_arena arena; /* schema, remotes and their texts */
    struct bao_schema_set *set;
    struct bao_schema *schema;
    struct bao_schema_scratch *scratch;
};

/* Shows findings on the given stream. */
static void show(const struct validate *v, FILE *to, const char *path, struct bao_str source,
                 const struct bao_findings *findings)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL((size_t)64 << 20);

    if (bao_text_render_all(&out, findings, bao_str_c(path), source, v->cli->lang, BAO_TEXT_SHOW) == 0)
        fprintf(to, "%.*s", BAO_STR_ARG(bao_buf_str(&out)));
}

/* Loads a file into the arena. 0, or the exit code after telling why not. */
static int load_file(const struct validate *v, struct bao_arena *arena, const char *path,
                     struct bao_findings *findings, struct bao_doc *ret)
{
    const struct bao_load_options options = {.format = cli_format_of(path),
                                             .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_str text;
    int r = cli_read_file(arena, path, FILE_MOST, &text);

    if (r == 0)
        r = bao_load(arena, text, &options, findings, ret);
    if (r == 0)
        return 0;
    if (r < 0)
        cli_tell_unreadable(v->cli->lang, path, r);
    else
        show(v, stderr, path, text, findings);
    return CLI_USAGE;
}

/* The index's value is no name of a file. */
static int tell_index(const struct validate *v, struct bao_str uri)
{
    fprintf(stderr,
            v->cli->lang == BAO_VI
                ? "baocao validate: %s: “%.*s” phải kèm tên một tệp, ví dụ {\"%.*s\": \"a.json\"}\n"
                : "baocao validate: %s: “%.*s” needs the name of a file, such as {\"%.*s\": \"a.json\"}\n",
            v->index_path, BAO_STR_ARG(uri), BAO_STR_ARG(uri));
    return CLI_USAGE;
}

/* The index: a map of URIs to files. */
static int load_remotes(struct validate *v)
{
    struct bao_findings findings;
    struct bao_doc index;
    int r;

    bao_findings_init(&findings, &v->arena, 1);
    if (v->index_path == NULL)
        return 0;
    r = load_file(v, &v->arena, v->index_path, &findings, &index);
    for (uint32_t i = 0; r == 0 && index.root.type == BAO_MAP && i < index.root.len; i++) {
        const struct bao_member *m = &index.root.members[i];
        struct bao_doc *doc = bao_arena_array(&v->arena, 1, sizeof(*doc));

        if (doc == NULL || m->value.type != BAO_STRING)
            return tell_index(v, bao_member_key(m));
        r = load_file(v, &v->arena, m->value.str, &findings, doc);
        if (r == 0 && bao_schema_set_add(v->set, bao_member_key(m), &doc->root) < 0)
            r = CLI_USAGE;
    }
    return r;
}

static int compile_schema(struct validate *v)
{
    struct bao_schema_options options = {.assert_format = v->assert_format};
    struct bao_findings findings;
    struct bao_doc doc;
    int r;

    bao_findings_init(&findings, &v->arena, FINDINGS);
    r = load_file(v, &v->arena, v->schema_path, &findings, &doc);
    if (r != 0)
        return r;
    r = bao_schema_compile(v->set, &doc.root, BAO_STR_NULL, &options, &findings, &v->schema);
    if (r == 0)
        return 0;
    if (r < 0)
        cli_tell_unreadable(v->cli->lang, v->schema_path, r);
    bao_findings_sort(&findings);
    show(v, stderr, v->schema_path, doc.source, &findings);
    return CLI_USAGE;
}

static int print_json(const struct validate *v, const char *path, bool valid,
                      const struct bao_findings *findings)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL((size_t)64 << 20);
    int r;

    if (v->basic) {
        r = bao_text_json_basic(&out, findings, v->cli->lang);
    } else {
        r = bao_buf_append_c(&out, "{\"file\":");
        if (r == 0)
            r = bao_json_quote(&out, bao_str_c(path));
        if (r == 0)
            r = bao_buf_printf(&out, ",\"valid\":%s,\"findings\":", valid ? "true" : "false");
        if (r == 0)
            r = bao_text_json_all(&out, findings);
        if (r == 0)
            r = bao_buf_append_c(&out, "}");
    }
    if (r == 0)
        printf("%.*s\n", BAO_STR_ARG(bao_buf_str(&out)));
    return r;
}

static int judge_file(struct validate *v, const char *path)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_doc doc;
    int verdict, r;

    bao_findings_init(&findings, &arena, FINDINGS);
    r = load_file(v, &arena, path, &findings, &doc);
    if (r != 0)
        return r;
    verdict = bao_schema_is_valid(v->schema, v->scratch, &doc.root);
    if (verdict != 1) {
        r = bao_schema_report(v->schema, v->scratch, &doc.root, (struct bao_schema_at){.source = doc.source},
                              &findings);
        bao_findings_sort(&findings);
    }
    if (r < 0) {
        cli_tell_unreadable(v->cli->lang, path, r);
        return CLI_USAGE;
    }
    if (v->cli->json || v->basic)
        return print_json(v, path, verdict == 1, &findings) < 0 || verdict < 0 ? CLI_USAGE
               : verdict == 1                                                  ? CLI_OK
                                                                               : CLI_NO;
    if (verdict == 1)
        printf(v->cli->lang == BAO_VI ? "%s: hợp lệ\n" : "%s: valid\n", path);
    else
        show(v, stdout, path, doc.source, &findings);
    return verdict < 0 ? CLI_USAGE : verdict == 1 ? CLI_OK : CLI_NO;
}

static int judge_files(struct validate *v, int n, char **paths)
{
    int worst = CLI_OK, r;

    v->set = bao_schema_set_new();
    v->scratch = bao_schema_scratch_new();
    if (v->set == NULL || v->scratch == NULL)
        return CLI_USAGE;
    r = load_remotes(v);
    if (r == 0)
        r = compile_schema(v);
    if (r != 0)
        return r;
    for (int i = 0; i < n; i++) {
        r = judge_file(v, paths[i]);
        worst = r > worst ? r : worst;
    }
    return worst;
}

/* How many files stand at the front of argv, or -1 after telling what is wrong. */
static int read_words(struct validate *v, int argc, char **argv)
{
    const char *output = NULL;
    const struct cli_word known[] = {
        {"--schema", &v->schema_path}, {"--remotes-index", &v->index_path},
        {"--output", &output},         {"--format-assertion", NULL, &v->assert_format},
        {"--batch", NULL, &v->batch},  {NULL}};
    int n = cli_words_read(v->cli, argc, argv, known, argc);
    bool vi = v->cli->lang == BAO_VI, ok = false;

    if (n < 0 || (v->batch && argc == 2))
        return n;
    v->basic = output != NULL;
    if (v->batch)
        (void)cli_complain(v->cli, vi ? "--batch không đi cùng tệp hay tùy chọn khác"
                                      : "--batch goes with neither files nor other options");
    else if (output != NULL && strcmp(output, "basic") != 0)
        (void)cli_complain(v->cli,
                           vi ? "--output chỉ nhận basic, không phải “%s”" : "--output takes basic, not “%s”",
                           output);
    else if (v->schema_path == NULL)
        (void)cli_complain(v->cli, vi ? "thiếu --schema: tệp JSON Schema"
                                      : "--schema is missing: the file of the schema");
    else if (n == 0)
        (void)cli_complain(v->cli, vi ? "thiếu tên tệp cần kiểm tra" : "no file to judge is named");
    else
        ok = true;
    return ok ? n : -1;
}

int cli_validate(const struct cli_options *options, int argc, char **argv)
{
    struct validate v = {.cli = options};
    int n = read_words(&v, argc, argv), code;

    if (n < 0)
        return CLI_USAGE;
    if (v.batch)
        return run_batch(options);
    code = judge_files(&v, n, argv + 1);
    bao_schema_scratch_free(v.scratch);
    bao_schema_free(v.schema);
    bao_schema_set_free(v.set);
    bao_arena_deinit(&v.arena);
    return code;
}
