/* baocao eval --batch: expressions of the check language over given values, for trying and for conformance
 * runs. */
#include "daemon/cli/json_lines.h"
#include "daemon/cli/words.h"
#include "lib/expr/expr.h"
#include "lib/text/catalogue.h"

enum typed_outcome { TYPED_E_BAD = 1 }; /* not a typed value of forms.md section 7 */

/* ---- typed JSON to values ---- */

static int read_typed(struct bao_arena *arena, const struct bao_node *node, struct bao_value *ret);

static struct bao_str member_text(const struct bao_node *node, const char *name)
{
    const struct bao_node *m = bao_node_get(node, name);

    return m == NULL || m->type != BAO_STRING ? BAO_STR_NULL : bao_node_str(m);
}

static int read_number(struct bao_arena *arena, const struct bao_node *v, bool is_double,
                       struct bao_value *ret)
{
    struct bao_num num;
    int r = 0;

    if (v != NULL && bao_node_is_number(v))
        num = bao_node_num(v);
    else if (v != NULL && v->type == BAO_STRING)
        r = bao_num_parse(arena, bao_node_str(v), &num);
    else
        return TYPED_E_BAD;
    if (r != 0)
        return r < 0 ? r : TYPED_E_BAD;
    *ret = (struct bao_value){.type = BAO_V_NUM, .is_double = is_double, .num = num};
    return 0;
}

static int read_list(struct bao_arena *arena, const struct bao_node *v, struct bao_value *ret)
{
    struct bao_value *items;
    int r = 0;

    if (v == NULL || v->type != BAO_LIST)
        return TYPED_E_BAD;
    items = bao_arena_array(arena, (size_t)v->len + 1, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < v->len; i++)
        r = read_typed(arena, &v->items[i], &items[i]);
    *ret = (struct bao_value){.type = BAO_V_LIST, .len = v->len, .made = items};
    return r;
}

static int read_map(struct bao_arena *arena, const struct bao_node *v, struct bao_value *ret)
{
    struct bao_value *items;
    int r = 0;

    if (v == NULL || v->type != BAO_LIST)
        return TYPED_E_BAD;
    items = bao_arena_array(arena, 2 * (size_t)v->len + 1, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < v->len; i++) {
        const struct bao_node *pair = &v->items[i];

        if (pair->type != BAO_LIST || pair->len != 2)
            return TYPED_E_BAD;
        r = read_typed(arena, &pair->items[0], &items[2 * i]);
        if (r == 0)
            r = read_typed(arena, &pair->items[1], &items[2 * i + 1]);
    }
    *ret = (struct bao_value){.type = BAO_V_MAP, .len = v->len, .made = items};
    return r;
}

static int read_typed(struct bao_arena *arena, const struct bao_node *node, struct bao_value *ret)
{
    struct bao_str type = member_text(node, "t");
    const struct bao_node *v = bao_node_get(node, "v");

    if (bao_str_is(type, "null")) {
        *ret = (struct bao_value){.type = BAO_V_NULL};
        return 0;
    }
    if (bao_str_is(type, "bool") && v != NULL && v->type == BAO_BOOL) {
        *ret = (struct bao_value){.type = BAO_V_BOOL, .boolean = v->boolean};
        return 0;
    }
    if (bao_str_is(type, "string") && v != NULL && v->type == BAO_STRING) {
        *ret = (struct bao_value){.type = BAO_V_STRING, .str = v->str, .len = v->len};
        return 0;
    }
    if (bao_str_is(type, "int") || bao_str_is(type, "uint") || bao_str_is(type, "double"))
        return read_number(arena, v, bao_str_is(type, "double"), ret);
    if (bao_str_is(type, "list"))
        return read_list(arena, v, ret);
    return bao_str_is(type, "map") ? read_map(arena, v, ret) : TYPED_E_BAD;
}

/* ---- values to typed JSON ---- */

static int put_typed(struct bao_buf *out, struct bao_value v);

static int put_number(struct bao_buf *out, struct bao_value v)
{
    int r = bao_buf_printf(out, "{\"t\":\"%s\",\"v\":\"", v.is_double ? "double" : "int");

    if (r == 0)
        r = bao_num_print(out, v.num);
    return r == 0 ? bao_buf_append_c(out, "\"}") : r;
}

static int put_string(struct bao_buf *out, struct bao_value v)
{
    int r = bao_buf_append_c(out, "{\"t\":\"string\",\"v\":");

    if (r == 0)
        r = bao_json_quote(out, (struct bao_str){v.str, v.len});
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static int put_container(struct bao_buf *out, struct bao_value v)
{
    bool map = v.type == BAO_V_MAP;
    int r = bao_buf_append_c(out, map ? "{\"t\":\"map\",\"v\":[" : "{\"t\":\"list\",\"v\":[");

    for (uint32_t i = 0; r == 0 && i < v.len; i++) {
        r = bao_buf_append_c(out, i == 0 ? "" : ",");
        if (r == 0 && map)
            r = bao_buf_append_c(out, "[");
        if (r == 0)
            r = put_typed(out, v.made[map ? 2 * i : i]);
        if (r == 0 && map)
            r = bao_buf_append_c(out, ",");
        if (r == 0 && map)
            r = put_typed(out, v.made[2 * i + 1]);
        if (r == 0 && map)
            r = bao_buf_append_c(out, "]");
    }
    return r == 0 ? bao_buf_append_c(out, "]}") : r;
}

/* Values here are made by the expression or read from typed JSON: never nodes of a document. */
static int put_typed(struct bao_buf *out, struct bao_value v)
{
    switch (v.type) {
    case BAO_V_BOOL:
        return bao_buf_append_c(out,
                                v.boolean ? "{\"t\":\"bool\",\"v\":true}" : "{\"t\":\"bool\",\"v\":false}");
    case BAO_V_NUM:
        return put_number(out, v);
    case BAO_V_STRING:
        return put_string(out, v);
    case BAO_V_LIST:
    case BAO_V_MAP:
        return put_container(out, v);
    default:
        return bao_buf_append_c(out, "{\"t\":\"null\"}");
    }
}

/* ---- one request ---- */

/* The variables of a request. */
struct bindings {
    const struct bao_node *names; /* the map as sent, or NULL */
    struct bao_value *values;     /* by member */
};

static struct bao_value get(void *user, struct bao_str name)
{
    const struct bindings *b = user;

    for (uint32_t i = 0; b->names != NULL && i < b->names->len; i++)
        if (bao_str_eq(bao_member_key(&b->names->members[i]), name))
            return b->values[i];
    return (struct bao_value){.type = BAO_V_ABSENT};
}

static int read_bindings(struct bao_arena *arena, const struct bao_node *node, struct bindings *ret)
{
    struct bindings b = {.names = node};
    int r = 0;

    if (node == NULL) {
        *ret = b;
        return 0;
    }
    if (node->type != BAO_MAP)
        return TYPED_E_BAD;
    b.values = bao_arena_array(arena, (size_t)node->len + 1, sizeof(*b.values));
    if (b.values == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < node->len; i++)
        r = read_typed(arena, &node->members[i].value, &b.values[i]);
    if (r == 0)
        *ret = b;
    return r;
}

/* An evaluation's error in the words a finding would have. */
static int answer_failure(struct bao_buf *answer, const struct bao_node *request, struct bao_arena *arena,
                          struct bao_str text, const struct bao_value *v, enum bao_lang lang)
{
    unsigned code = v->type == BAO_V_ERROR ? v->code : BAO_BC_EXPR_ABSENT;
    struct bao_findings findings;

    bao_findings_init(&findings, arena, 1);
    bao_finding_arg(
        bao_findings_add(&findings, code, BAO_ERROR, (struct bao_place){.line = 1, .column = v->len + 1}),
        text);
    return cli_answer_error(answer, request, cli_finding_text(arena, &findings, lang));
}

static int eval_line(void *data, const struct bao_node *request, struct bao_arena *arena,
                     struct bao_buf *answer)
{
    const struct cli_options *options = data;
    const struct bao_node *text = bao_node_get(request, "expr");
    struct bindings bindings;
    struct bao_expr_scope scope = {.get = get, .user = &bindings};
    struct bao_findings findings;
    const struct bao_expr *expr;
    struct bao_value v;
    int r;

    if (text == NULL || text->type != BAO_STRING)
        return cli_answer_wrong(answer, request, options->lang,
                                "yêu cầu phải có expr: biểu thức, là một đoạn chữ",
                                "a request needs expr, a text");
    r = read_bindings(arena, bao_node_get(request, "bindings"), &bindings);
    if (r > 0)
        return cli_answer_wrong(
            answer, request, options->lang,
            "bindings phải là một nhóm các giá trị có kiểu, ví dụ {\"x\": {\"t\": \"int\", \"v\": \"5\"}}",
            "bindings are a map of typed values");
    bao_findings_init(&findings, arena, 1);
    if (r == 0)
        r = bao_expr_parse(arena, bao_node_str(text), (struct bao_place){.line = 1, .column = 1}, &findings,
                           &expr);
    if (r > 0)
        return cli_answer_error(answer, request, cli_finding_text(arena, &findings, options->lang));
    if (r == 0)
        r = bao_expr_eval(expr, arena, &scope, &v);
    if (r < 0)
        return r;
    if (v.type == BAO_V_ERROR || v.type == BAO_V_ABSENT)
        return answer_failure(answer, request, arena, bao_node_str(text), &v, options->lang);
    r = cli_answer_id(answer, request);
    if (r == 0)
        r = bao_buf_append_c(answer, ",\"value\":");
    if (r == 0)
        r = put_typed(answer, v);
    return r == 0 ? bao_buf_append_c(answer, "}") : r;
}

int cli_eval(const struct cli_options *options, int argc, char **argv)
{
    struct cli_options copy = *options;
    bool batch = false;
    const struct cli_word known[] = {{"--batch", NULL, &batch}, {NULL}};

    if (cli_words_read(options, argc, argv, known, 0) < 0)
        return CLI_USAGE;
    if (!batch) {
        (void)cli_complain(options, options->lang == BAO_VI
                                        ? "thiếu --batch: các yêu cầu được đọc từ đầu vào chuẩn"
                                        : "--batch is missing: requests are read from standard input");
        return CLI_USAGE;
    }
    return cli_run_lines(options->lang, eval_line, &copy);
}
