/* baocao check: judges report files with the very rules of the daemon. */
#include "daemon/cli/history.h"
#include "daemon/cli/input.h"
#include "daemon/cli/json_lines.h"
#include "daemon/cli/words.h"
#include "lib/base/crypto.h"
#include "lib/text/catalogue.h"

#include <sys/stat.h>
#include <time.h>

enum { FILE_CAP = 4 << 20, OUT_MAX = 64 << 20, SHOWN = 20 };

struct checked {
    const char *path;
    struct bao_str bytes;
    struct bao_verdict verdict;
};

struct check {
    const struct cli_options *options;
    struct cli_forms forms;
    struct cli_history history;
    struct bao_arena arena;
    struct bao_schema_scratch *scratch;
    bao_time now;
};

struct arguments {
    const char *forms, *province, *outbox;
    bool batch;
    char **files;
    const char **past;
    size_t n_files, n_past;
};

static bool read_arguments(const struct cli_options *options, int argc, char **argv, struct arguments *a)
{
    const struct cli_word known[] = {{"--forms", &a->forms},       {"--province", &a->province},
                                     {"--outbox", &a->outbox},     {"--history", a->past, NULL, &a->n_past},
                                     {"--batch", NULL, &a->batch}, {NULL}};
    int n = cli_words_read(options, argc, argv, known, argc);

    if (n < 0)
        return false;
    a->files = argv + 1;
    a->n_files = (size_t)n;
    if (a->batch && (n != 0 || a->n_past != 0))
        return cli_complain(options,
                            options->lang == BAO_VI
                                ? "--batch đọc từ đầu vào chuẩn, không ghi tệp hay --history"
                                : "--batch reads standard input and takes neither files nor --history");
    if (!a->batch && n == 0)
        return cli_complain(options,
                            options->lang == BAO_VI ? "thiếu tên tệp báo cáo" : "no report file is named");
    return true;
}

static bao_time clock_now(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_REALTIME, &t) == 0 ? t.tv_sec * BAO_SECOND + t.tv_nsec / 1000 : BAO_TIME_NONE;
}

/* ---- judging ---- */

static int judge_with(struct check *c, const struct baod_snapshot *s, struct bao_arena *arena,
                      struct bao_str bytes, struct bao_verdict *ret)
{
    const struct bao_judge_context context = {
        .forms = &s->forms, .registry = cli_registry(s), .limits = BAO_LOAD_LIMITS_DEFAULT, .now = c->now};

    return bao_judge(&context, arena, c->scratch, bytes, ret);
}

/* With several provinces at hand the one that knows the unit judges. */
static int judge(struct check *c, struct bao_arena *arena, struct bao_str bytes, struct bao_verdict *ret)
{
    const struct baod_snapshot *first = cli_forms_get(&c->forms, 0), *mine;
    int r = judge_with(c, first, arena, bytes, ret);

    if (r != 0 || ret->symbol != BAO_SYM_NOTOWED)
        return r;
    mine = cli_forms_of_unit(&c->forms, ret->unit);
    return mine == NULL || mine == first ? 0 : judge_with(c, mine, arena, bytes, ret);
}

/* ---- the age of the forms ---- */

/* When a form's file was put where it is. */
static bao_time taken_at(const struct bao_form *form)
{
    struct stat st;
    char path[4096];

    if (form == NULL || snprintf(path, sizeof(path), "%.*s", BAO_STR_ARG(form->file)) >= (int)sizeof(path) ||
        stat(path, &st) != 0)
        return BAO_TIME_NONE;
    return st.st_mtim.tv_sec * BAO_SECOND;
}

static bao_time newest_form(const struct checked *files, size_t n)
{
    bao_time newest = BAO_TIME_NONE;

    for (size_t i = 0; i < n; i++) {
        bao_time at = taken_at(files[i].verdict.form);

        newest = newest == BAO_TIME_NONE || (at != BAO_TIME_NONE && at > newest) ? at : newest;
    }
    return newest;
}

/* Whole days of the calendar; a clock that is behind gives 0. */
static long age_in_days(const struct check *c, bao_time at)
{
    bao_date then, today;

    if (at == BAO_TIME_NONE || c->now == BAO_TIME_NONE)
        return 0;
    then = bao_time_date(at, BAO_VN_OFFSET);
    today = bao_time_date(c->now, BAO_VN_OFFSET);
    return today < then ? 0 : (long)(today - then);
}

/* ---- answers in JSON ---- */

static int print_figure(struct bao_buf *out, struct bao_arena *arena, const struct bao_verdict *v, size_t i)
{
    const struct bao_indicator *ind = &v->form->indicators[i];
    const struct bao_figure *f = &v->figures[i];
    struct bao_num a, b, value;
    int r = 1;

    if (ind->is_ratio) {
        const struct bao_figure *of = &v->figures[ind->of], *to = &v->figures[ind->to];

        if (of->present && to->present && to->scaled != 0) {
            r = bao_num_from_scaled(arena, of->scaled, v->form->indicators[ind->of].decimals, &a);
            if (r == 0)
                r = bao_num_from_scaled(arena, to->scaled, v->form->indicators[ind->to].decimals, &b);
            if (r == 0 && ind->percent)
                r = bao_num_mul(arena, a, bao_num_int(100), &a);
            if (r == 0)
                r = bao_num_div(arena, a, b, &value);
            if (r == 0)
                r = bao_num_round(arena, value, ind->decimals, &value);
        }
    } else if (f->present) {
        r = bao_num_from_scaled(arena, f->scaled, ind->decimals, &value);
    }
    if (r < 0)
        return r;
    return r == 0 ? bao_num_print(out, value) : bao_buf_append_c(out, "null");
}

static int print_figures(struct bao_buf *out, struct bao_arena *arena, const struct bao_verdict *v)
{
    int r = bao_buf_append_c(out, ",\"indicators\":{");

    for (size_t i = 0; v->figures != NULL && i < v->form->n_indicators && r == 0; i++) {
        r = i == 0 ? 0 : bao_buf_append_c(out, ",");
        if (r == 0)
            r = bao_json_quote(out, v->form->indicators[i].code);
        if (r == 0)
            r = bao_buf_append_c(out, ":");
        if (r == 0)
            r = print_figure(out, arena, v, i);
    }
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static int print_member(struct bao_buf *out, const char *name, struct bao_str value)
{
    int r = bao_buf_printf(out, ",\"%s\":", name);

    return r != 0 ? r : value.n == 0 ? bao_buf_append_c(out, "null") : bao_json_quote(out, value);
}

/* Is it one of those that wait for a report that is not at hand? */
static bool is_unjudged(const struct bao_verdict *v, const struct bao_check *check)
{
    return v->unjudged != 0 && (check->looks_back & v->unknown) != 0;
}

static int print_unjudged_ids(struct bao_buf *out, const struct bao_verdict *v)
{
    const char *comma = "";
    int r = bao_buf_append_c(out, ",\"unjudged_checks\":[");

    for (size_t i = 0; r == 0 && v->form != NULL && i < v->form->n_checks; i++)
        if (is_unjudged(v, &v->form->checks[i])) {
            r = bao_buf_append_c(out, comma);
            if (r == 0)
                r = bao_json_quote(out, v->form->checks[i].id);
            comma = ",";
        }
    return r == 0 ? bao_buf_append_c(out, "]") : r;
}

/* The members of an answer after its first. */
static int print_verdict(struct bao_buf *out, struct bao_arena *arena, const struct bao_verdict *v)
{
    bool good = v->symbol == BAO_SYM_NONE;
    char period[16] = "", content[65] = "";
    int r = bao_buf_printf(out, ",\"verdict\":\"%s\"", good ? "valid" : "invalid");

    if (v->has_key)
        bao_period_print(v->period, period);
    if (v->has_key && !v->is_secret)
        bao_hex(v->content, sizeof(v->content), content);
    if (r == 0)
        r = print_member(out, "symbol", bao_str_c(bao_symbol_info(v->symbol)->name));
    if (r == 0)
        r = print_member(out, "form", v->form_id);
    if (r == 0)
        r = v->form == NULL ? bao_buf_append_c(out, ",\"form_version\":null")
                            : bao_buf_printf(out, ",\"form_version\":%d", v->form->version);
    if (r == 0)
        r = print_member(out, "unit", v->unit);
    if (r == 0)
        r = print_member(out, "period", bao_str_c(period));
    if (r == 0)
        r = bao_buf_printf(out, ",\"revision\":%d", v->revision);
    if (r == 0)
        r = print_member(out, "content", bao_str_c(content));
    if (r == 0)
        r = bao_buf_append_c(out, ",\"findings\":");
    if (r == 0)
        r = bao_text_json_all(out, &v->findings);
    if (r == 0)
        r = bao_buf_printf(out, ",\"more\":%zu,\"unjudged\":%zu", v->findings.dropped, v->unjudged);
    if (r == 0)
        r = print_unjudged_ids(out, v);
    return r == 0 ? print_figures(out, arena, v) : r;
}

/* ---- answers for people ---- */

static int print_subject(struct bao_buf *out, const struct check *c, const struct bao_verdict *v)
{
    enum bao_lang lang = c->options->lang;
    char vi[64], en[64];
    struct bao_str title, unit;

    if (v->form == NULL || !v->has_key)
        return 0;
    bao_period_title(v->period, vi, en);
    title = lang == BAO_EN && v->form->title.en.n != 0 ? v->form->title.en : v->form->title.vi;
    unit = v->reporter == NULL                             ? v->unit
           : lang == BAO_EN && v->reporter->name_en.n != 0 ? v->reporter->name_en
                                                           : v->reporter->name;
    return bao_buf_printf(out,
                          lang == BAO_VI ? "  %.*s · %.*s · %s · lần %d · biểu mẫu phiên bản %d\n"
                                         : "  %.*s · %.*s · %s · revision %d · form version %d\n",
                          BAO_STR_ARG(unit), BAO_STR_ARG(title), lang == BAO_VI ? vi : en, v->revision,
                          v->form->version);
}

static int print_unjudged(struct bao_buf *out, const struct bao_verdict *v, enum bao_lang lang)
{
    const char *comma = "";
    int r =
        lang == BAO_VI
            ? bao_buf_printf(out, "  chưa kiểm tra được ở đây: %zu quy tắc so với kỳ trước (", v->unjudged)
            : bao_buf_printf(out, "  not judged here: %zu %s with earlier periods (", v->unjudged,
                             bao_plural((long long)v->unjudged, "rule that compares", "rules that compare"));

    for (size_t i = 0; r == 0 && i < v->form->n_checks; i++)
        if (is_unjudged(v, &v->form->checks[i])) {
            r = bao_buf_printf(out, "%s%.*s", comma, BAO_STR_ARG(v->form->checks[i].id));
            comma = ", ";
        }
    return r == 0 ? bao_buf_append_c(out, ")\n") : r;
}

static int print_text(struct bao_buf *out, const struct check *c, const struct checked *one)
{
    const struct bao_verdict *v = &one->verdict;
    const struct bao_symbol_info *info = bao_symbol_info(v->symbol);
    enum bao_lang lang = c->options->lang;
    struct bao_str source = v->is_secret ? BAO_STR_NULL : v->doc.source.n != 0 ? v->doc.source : one->bytes;
    int r;

    if (v->symbol == BAO_SYM_NONE)
        r = bao_buf_printf(out, lang == BAO_VI ? "%s: hợp lệ\n" : "%s: valid\n", one->path);
    else
        r = bao_buf_printf(out, "%s: %s: %s\n", one->path, info->name, info->sentence[lang]);
    if (r == 0)
        r = print_subject(out, c, v);
    if (r == 0 && v->findings.n != 0)
        r = bao_text_render_all(out, &v->findings, bao_str_c(one->path), source, lang, SHOWN);
    if (r == 0 && v->symbol == BAO_SYM_NONE && v->unjudged != 0)
        r = print_unjudged(out, v, lang);
    return r;
}

/* By which forms it was judged, and how old they are: a newer version may be in force by now. */
static void print_forms(const struct check *c, const struct checked *files, size_t n)
{
    bao_time newest = newest_form(files, n);
    long days = age_in_days(c, newest);
    struct bao_ymd ymd;

    if (newest == BAO_TIME_NONE)
        return;
    ymd = bao_date_split(bao_time_date(newest, BAO_VN_OFFSET));
    if (c->options->lang == BAO_VI && days == 0)
        printf("\nXét theo biểu mẫu trong %s, bản mới nhất lấy hôm nay (%02d/%02d/%d).\n", c->forms.dir,
               ymd.day, ymd.month, ymd.year);
    else if (c->options->lang == BAO_VI)
        printf("\nXét theo biểu mẫu trong %s, bản mới nhất lấy ngày %02d/%02d/%d, cách đây %ld ngày.\n",
               c->forms.dir, ymd.day, ymd.month, ymd.year, days);
    else if (days == 0)
        printf("\nJudged by the forms in %s, the newest taken today (%04d-%02d-%02d).\n", c->forms.dir,
               ymd.year, ymd.month, ymd.day);
    else
        printf("\nJudged by the forms in %s, the newest taken on %04d-%02d-%02d, %ld %s ago.\n", c->forms.dir,
               ymd.year, ymd.month, ymd.day, days, bao_plural(days, "day", "days"));
}

static void print_tally(const struct check *c, size_t good, size_t n)
{
    if (n > 1)
        printf(c->options->lang == BAO_VI ? "\n%zu tệp hợp lệ, %zu tệp không hợp lệ\n"
                                          : "\n%zu valid, %zu not valid\n",
               good, n - good);
}

/* ---- the plain command ---- */

/* What went out of the outbox, named or usual (BAOCAO_OUTBOX), was taken: it is history too. */
static bool add_sent(struct check *c, const struct arguments *a)
{
    const char *dir = a->outbox != NULL ? a->outbox : getenv("BAOCAO_OUTBOX");
    struct bao_str sent;
    struct stat st;

    if (dir == NULL || *dir == '\0')
        return true;
    sent = bao_arena_printf(&c->arena, "%s/sent", dir);
    if (sent.p == NULL)
        return false;
    if (a->outbox == NULL && stat(sent.p, &st) != 0)
        return true; /* nothing was ever sent from there */
    return cli_history_add_path(&c->history, sent.p);
}

/* The files named together are each other's history. */
static int judge_files(struct check *c, const struct arguments *a, struct checked *files)
{
    for (size_t i = 0; i < a->n_files; i++) {
        struct checked *one = &files[i];
        int r;

        one->path = a->files[i];
        r = cli_read_file(&c->arena, one->path, FILE_CAP, &one->bytes);
        if (r == 0)
            r = judge(c, &c->arena, one->bytes, &one->verdict);
        if (r < 0) {
            cli_tell_unreadable(c->options->lang, one->path, r);
            return CLI_USAGE;
        }
        if (one->verdict.symbol == BAO_SYM_NONE && cli_history_remember(&c->history, &one->verdict) != 0)
            return CLI_USAGE;
    }
    for (size_t i = 0; i < a->n_past; i++)
        if (!cli_history_add_path(&c->history, a->past[i]))
            return CLI_USAGE;
    if (!add_sent(c, a))
        return CLI_USAGE;
    for (size_t i = 0; i < a->n_files; i++) {
        int r = cli_history_judge(&c->history, &c->arena, &files[i].verdict);

        if (r < 0) {
            cli_tell_unreadable(c->options->lang, files[i].path, r);
            return CLI_USAGE;
        }
    }
    return CLI_OK;
}

static int print_age(struct bao_buf *out, const struct check *c, const struct checked *one)
{
    bao_time at = taken_at(one->verdict.form);
    char day[16];

    if (at == BAO_TIME_NONE)
        return bao_buf_append_c(out, ",\"forms_date\":null,\"forms_age_days\":null");
    bao_date_print(bao_time_date(at, BAO_VN_OFFSET), day);
    return bao_buf_printf(out, ",\"forms_date\":\"%s\",\"forms_age_days\":%ld", day, age_in_days(c, at));
}

static int print_json_file(struct bao_buf *out, struct check *c, const struct checked *one, bool first)
{
    int r = bao_buf_append_c(out, first ? "[{\"file\":" : ",\n{\"file\":");

    if (r == 0)
        r = bao_json_quote(out, bao_str_c(one->path));
    if (r == 0)
        r = print_verdict(out, &c->arena, &one->verdict);
    if (r == 0)
        r = print_age(out, c, one);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

static int print_files(struct check *c, const struct checked *files, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i++) {
        struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(OUT_MAX);
        int r =
            c->options->json ? print_json_file(&out, c, &files[i], i == 0) : print_text(&out, c, &files[i]);

        if (r < 0 || fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout) != bao_buf_len(&out))
            return CLI_USAGE;
        good += files[i].verdict.symbol == BAO_SYM_NONE;
    }
    if (c->options->json) {
        puts("]");
    } else {
        print_tally(c, good, n);
        print_forms(c, files, n);
    }
    if (fflush(stdout) != 0)
        return CLI_USAGE;
    return good == n ? CLI_OK : CLI_NO;
}

static int check_files(struct check *c, const struct arguments *a)
{
    struct checked *files = bao_arena_array(&c->arena, a->n_files, sizeof(*files));
    int code = files == NULL ? CLI_USAGE : judge_files(c, a, files);

    return code == CLI_OK ? print_files(c, files, a->n_files) : code;
}

/* ---- the batch ---- */

static int add_past(struct cli_history *history, struct bao_arena *arena, const struct bao_node *list)
{
    int r = list == NULL || list->type == BAO_NULL || list->type == BAO_LIST ? 0 : -EINVAL;

    for (uint32_t i = 0; r == 0 && list != NULL && i < list->len; i++) {
        struct bao_str bytes;

        if (list->items[i].type != BAO_STRING)
            return -EINVAL;
        r = cli_base64(arena, bao_node_str(&list->items[i]), &bytes);
        if (r == 0)
            r = cli_history_add(history, bytes);
    }
    return r;
}

static int check_line(void *data, const struct bao_node *request, struct bao_arena *arena,
                      struct bao_buf *answer)
{
    struct check *c = data;
    struct cli_history history = {.arena = arena, .scratch = c->scratch, .forms = &c->forms};
    const struct bao_node *b64 = bao_node_get(request, "b64");
    struct bao_verdict verdict;
    struct bao_str bytes;
    int r;

    if (b64 == NULL || b64->type != BAO_STRING)
        return cli_answer_wrong(answer, request, c->options->lang,
                                "yêu cầu phải có b64: nội dung tệp ở dạng base64",
                                "a request needs b64, the octets in base64");
    r = cli_base64(arena, bao_node_str(b64), &bytes);
    if (r == 0)
        r = add_past(&history, arena, bao_node_get(request, "history"));
    if (r == -EINVAL)
        return cli_answer_wrong(
            answer, request, c->options->lang,
            "b64 không phải base64, hoặc history không phải danh sách các nội dung base64",
            "b64 is not base64, or history no list of such");
    if (r == 0)
        r = judge(c, arena, bytes, &verdict);
    if (r == 0)
        r = cli_history_judge(&history, arena, &verdict);
    if (r == 0)
        r = cli_answer_id(answer, request);
    if (r == 0)
        r = print_verdict(answer, arena, &verdict);
    return r == 0 ? bao_buf_append_c(answer, "}") : r;
}

/* ---- both ---- */

static int run(struct check *c, const struct arguments *a)
{
    int code;

    c->scratch = bao_schema_scratch_new();
    if (c->scratch == NULL || !cli_forms_open(&c->forms, c->options, a->forms, a->province)) {
        c->scratch = bao_schema_scratch_free(c->scratch);
        return CLI_USAGE;
    }
    c->history = (struct cli_history){.arena = &c->arena, .scratch = c->scratch, .forms = &c->forms};
    c->now = clock_now();
    code = a->batch ? cli_run_lines(c->options->lang, check_line, c) : check_files(c, a);
    if (!a->batch)
        cli_forms_tell(&c->forms);
    cli_forms_close(&c->forms);
    c->scratch = bao_schema_scratch_free(c->scratch);
    return code;
}

int cli_check(const struct cli_options *options, int argc, char **argv)
{
    struct check c = {.options = options, .arena = BAO_ARENA_NULL(0)};
    struct arguments a = {.past = bao_arena_array(&c.arena, (size_t)argc, sizeof(char *))};
    int code = a.past == NULL || !read_arguments(options, argc, argv, &a) ? CLI_USAGE : run(&c, &a);

    bao_arena_deinit(&c.arena);
    return code;
}
