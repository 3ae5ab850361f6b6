#include "daemon/cli/receipt_view.h"

#include "daemon/cli/table.h"
#include "lib/doc/tree.h"

enum { COLUMNS = 7 };

static bool is_number(struct bao_str name)
{
    static const char *const names[] = {"rev", "form_version", "dup", "chain", "after"};

    for (size_t i = 0; i < BAO_COUNT(names); i++)
        if (bao_str_is(name, names[i]))
            return true;
    return false;
}

static int keys_json(struct bao_buf *out, const struct bao_head *head)
{
    int r = 0;

    for (size_t i = 0; i < head->n_keys && r == 0; i++) {
        const struct bao_head_key *key = &head->keys[i];
        uint64_t number;

        r = bao_buf_printf(out, ",\"%.*s\":", BAO_STR_ARG(key->name));
        if (r == 0)
            r = is_number(key->name) && bao_decimal_number(key->value, INT64_MAX, &number)
                    ? bao_buf_append_str(out, key->value)
                    : bao_json_quote(out, key->value);
    }
    return r;
}

int cli_fate_read(struct bao_arena *arena, const char *file, const struct bao_client_event *event,
                  struct cli_fate *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(64 * 1024);
    struct cli_fate fate = {.file = file, .answered = true, .answer = event->answer};
    const struct {
        const char *name;
        struct bao_str *to;
    } wanted[] = {
        {"code", &fate.code}, {"state", &fate.state},   {"receipt", &fate.receipt}, {"form", &fate.form},
        {"unit", &fate.unit}, {"period", &fate.period}, {"rev", &fate.revision},    {"at", &fate.at},
        {"due", &fate.due},   {"dup", &fate.dup},
    };

    for (size_t i = 0; i < BAO_COUNT(wanted); i++) {
        *wanted[i].to = bao_arena_str(arena, bao_head_get(&event->head, wanted[i].name));
        if (wanted[i].to->p == NULL)
            return -ENOMEM;
    }
    if (keys_json(&keys, &event->head) < 0)
        return -ENOMEM;
    fate.keys = bao_arena_str(arena, bao_buf_str(&keys));
    fate.body = bao_arena_str(arena, event->body);
    if (fate.keys.p == NULL || fate.body.p == NULL)
        return -ENOMEM;
    *ret = fate;
    return 0;
}

int cli_fates_exit(const struct cli_fate *fates, size_t n)
{
    bool misset = false, open = false;

    for (size_t i = 0; i < n; i++) {
        if (fates[i].answered && fates[i].answer == BAO_NO)
            return CLI_NO;
        misset |= fates[i].misset && !fates[i].kept;
        open |= !fates[i].answered || fates[i].answer == BAO_WAIT || bao_str_is(fates[i].state, "queued");
    }
    return misset ? CLI_USAGE : open ? CLI_KEPT : CLI_OK;
}

/* For machines. */

static int print_json(FILE *out, const struct cli_fate *fates, size_t n)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf b = BAO_BUF_NULL(64 << 20);
    static const char *const words[] = {[BAO_OK] = "OK", [BAO_WAIT] = "WAIT", [BAO_NO] = "NO"};
    int r = bao_buf_append_c(&b, "[");

    for (size_t i = 0; i < n && r == 0; i++) {
        const struct cli_fate *f = &fates[i];

        r = bao_buf_append_c(&b, i == 0 ? "\n{\"file\":" : ",\n{\"file\":");
        if (r == 0)
            r = bao_json_quote(&b, bao_str_c(f->file));
        if (r == 0)
            r = bao_buf_printf(&b, ",\"answer\":%s%s%s,\"kept\":%s", f->answered ? "\"" : "",
                               f->answered ? words[f->answer] : "null", f->answered ? "\"" : "",
                               f->kept ? "true" : "false");
        if (r == 0)
            r = bao_buf_append_str(&b, f->keys);
        if (r == 0 && f->why != NULL) {
            r = bao_buf_append_c(&b, ",\"why\":");
            if (r == 0)
                r = bao_json_quote(&b, bao_str_c(f->why));
        }
        if (r == 0 && f->body.n != 0 && f->body.p[0] == '[')
            r = bao_buf_printf(&b, ",\"findings\":%.*s", BAO_STR_ARG(f->body));
        if (r == 0)
            r = bao_buf_append_c(&b, "}");
    }
    if (r == 0)
        r = bao_buf_append_c(&b, "\n]\n");
    if (r < 0)
        return r;
    return fwrite(bao_buf_data(&b), 1, bao_buf_len(&b), out) == bao_buf_len(&b) ? 0 : -EIO;
}

/* For people. */

static const char *result_of(const struct cli_fate *f, enum bao_lang lang)
{
    static const struct {
        const char *state;
        const char *say[BAO_LANGS];
    } states[] = {
        {"committed", {"đã nhận", "accepted"}},
        {"queued", {"đang chờ ghi, hãy giữ tệp", "queued, keep the file"}},
        {"superseded",
         {"đã lưu, không tính (đã có lần sau)", "kept, not counted (a later revision is here)"}},
        {"returned", {"đã bị trả lại", "returned"}},
    };

    if (!f->answered)
        return lang == BAO_VI ? "chưa gửi được" : "not sent";
    if (f->answer == BAO_WAIT && *f->file == '\0') /* a question: nothing was sent */
        return lang == BAO_VI ? "chưa tra được, hỏi lại sau" : "not known now, ask later";
    if (f->answer == BAO_WAIT)
        return lang == BAO_VI ? "chưa nhận, gửi lại sau" : "not taken, send later";
    if (bao_str_is(f->code, "UNKNOWN"))
        return lang == BAO_VI ? "không thấy ở đây" : "not known here";
    if (f->answer == BAO_NO)
        return lang == BAO_VI ? "bị từ chối" : "refused";
    if (bao_str_is(f->state, "committed") && bao_str_is(f->dup, "1"))
        return lang == BAO_VI ? "đã nhận từ trước" : "accepted before";
    for (size_t i = 0; i < BAO_COUNT(states); i++)
        if (bao_str_is(f->state, states[i].state))
            return states[i].say[lang];
    return "OK";
}

static struct bao_str due_of(const struct cli_fate *f, enum bao_lang lang)
{
    if (bao_str_is(f->due, "on-time"))
        return lang == BAO_VI ? BAO_STR("đúng hạn") : BAO_STR("on time");
    if (bao_str_is(f->due, "late"))
        return lang == BAO_VI ? BAO_STR("trễ hạn") : BAO_STR("late");
    return BAO_STR("–");
}

/* 2026-11-01T07:59:58.113+07:00 as 07:59:58 01/11/2026; anything else as it is. */
static struct bao_str when(struct bao_arena *a, struct bao_str at)
{
    if (at.n < 19 || at.p[4] != '-' || at.p[10] != 'T')
        return at.n == 0 ? BAO_STR("–") : at;
    return bao_arena_printf(a, "%.8s %.2s/%.2s/%.4s", at.p + 11, at.p + 8, at.p + 5, at.p);
}

static struct bao_str file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return bao_str_c(slash == NULL ? path : slash + 1);
}

static struct bao_str report_of(struct bao_arena *a, const struct cli_fate *f)
{
    if (f->form.n == 0)
        return BAO_STR("–");
    return bao_arena_printf(a, "%.*s %.*s %.*s/%.*s", BAO_STR_ARG(f->form), BAO_STR_ARG(f->unit),
                            BAO_STR_ARG(f->period), BAO_STR_ARG(f->revision));
}

static int print_table(FILE *out, enum bao_lang lang, const struct cli_fate *fates, size_t n)
{
    static const struct cli_column columns[BAO_LANGS][COLUMNS] = {
        [BAO_VI] = {{"Tệp", false},
                    {"Kết quả", false},
                    {"Báo cáo", false},
                    {"Nhận lúc", false},
                    {"Thời hạn", false},
                    {"Mã", false},
                    {"Biên nhận", false}},
        [BAO_EN] = {{"File", false},
                    {"Result", false},
                    {"Report", false},
                    {"Received", false},
                    {"Deadline", false},
                    {"Code", false},
                    {"Receipt", false}},
    };
    size_t skip = n == 1 && *fates[0].file == '\0'; /* a question without a file needs no column for it */
    struct bao_arena arena;
    struct bao_str *cells;
    int r = -ENOMEM;

    bao_arena_init(&arena, 0);
    cells = bao_arena_array(&arena, n * COLUMNS, sizeof(*cells)); /* the skipped one only with a single row */
    if (cells != NULL) {
        for (size_t i = 0; i < n; i++) {
            const struct cli_fate *f = &fates[i];
            struct bao_str *row = cells + i * COLUMNS;

            row[0] = file_name(f->file);
            row[1] = bao_str_c(result_of(f, lang));
            row[2] = report_of(&arena, f);
            row[3] = when(&arena, f->at);
            row[4] = due_of(f, lang);
            row[5] = f->code.n == 0 ? BAO_STR("–") : f->code;
            row[6] = f->receipt.n == 0 ? BAO_STR("–") : f->receipt;
        }
        cli_table(out, columns[lang] + skip, COLUMNS - skip, cells + skip, n);
        r = 0;
    }
    bao_arena_deinit(&arena);
    return r;
}

/* A finding line of the wire as file:line:column: code path, and its sentence below. */
static void print_finding(FILE *out, const char *file, struct bao_str line)
{
    struct bao_str part[4] = {{NULL, 0}};
    size_t n = 0;

    while (n < 4) {
        const char *tab = n == 3 ? NULL : memchr(line.p, '\t', line.n);

        part[n] = (struct bao_str){line.p, tab == NULL ? line.n : (size_t)(tab - line.p)};
        n++;
        if (tab == NULL)
            break;
        line.n -= (size_t)(tab + 1 - line.p);
        line.p = tab + 1;
    }
    if (n < 4) {
        fprintf(out, "  %.*s\n", BAO_STR_ARG(part[n - 1]));
        return;
    }
    if (bao_str_is(part[0], "0:0"))
        fprintf(out, "%s%s%.*s", file, *file != '\0' ? ": " : "", BAO_STR_ARG(part[1]));
    else
        fprintf(out, "%s%s%.*s: %.*s", file, *file != '\0' ? ":" : "", BAO_STR_ARG(part[0]),
                BAO_STR_ARG(part[1]));
    if (part[2].n != 0)
        fprintf(out, " (%.*s)", BAO_STR_ARG(part[2]));
    fprintf(out, "\n  %.*s\n", BAO_STR_ARG(part[3]));
}

static void print_body(FILE *out, const struct cli_fate *f)
{
    struct bao_str rest = f->body;

    while (rest.n != 0) {
        const char *lf = memchr(rest.p, '\n', rest.n);
        size_t n = lf == NULL ? rest.n : (size_t)(lf - rest.p);

        if (n != 0)
            print_finding(out, f->file, (struct bao_str){rest.p, n});
        rest.p += n + (lf != NULL);
        rest.n -= n + (lf != NULL);
    }
}

/* The answer is OK, for it was received once; but it counts no more, and sent again it never will. */
static void print_next(FILE *out, const struct cli_fate *f, enum bao_lang lang)
{
    uint64_t revision;

    if (!f->answered || f->answer != BAO_OK || !bao_str_is(f->state, "returned") ||
        !bao_decimal_number(f->revision, 9999, &revision) || revision == 0)
        return;
    if (*f->file == '\0' && f->body.n != 0) /* looked up: the hub has said why, and what to do */
        return;
    fprintf(out, "\n%s%s", f->file, *f->file == '\0' ? "" : ": ");
    fprintf(out,
            lang == BAO_VI
                ? "Lần báo cáo này đã bị trả lại hoặc đã thu hồi nên không được tính: hỏi cơ quan chủ trì lý "
                  "do, sửa, ghi revision từ %d trở lên rồi gửi lại.\n"
                : "This revision was returned or withdrawn and does not count: ask the office in charge why, "
                  "mend it, write revision %d or higher and send again.\n",
            (int)revision + 1);
}

int cli_fates_print(FILE *out, const struct cli_options *options, const struct cli_fate *fates, size_t n)
{
    int r;

    if (options->json)
        return print_json(out, fates, n);
    r = print_table(out, options->lang, fates, n);
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct cli_fate *f = &fates[i];

        if (f->body.n != 0 || f->why != NULL)
            fputc('\n', out);
        if (f->why != NULL)
            fprintf(out, "%s: %s\n", f->file, f->why);
        print_body(out, f);
        print_next(out, f, options->lang);
    }
    return r;
}
