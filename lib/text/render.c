#include "lib/base/error.h"
#include "lib/base/utf8.h"
#include "lib/doc/tree.h"
#include "lib/text/catalogue.h"

enum {
    BEFORE_MAX = 60, /* characters of a source line shown before the caret */
    AFTER_MAX = 60,  /* and after the value */
    VALUE_MAX = 60,  /* and of the value itself */
    PATH_MAX = 300,
    CARETS_MAX = 32, /* under a longer value, such as a whole map, three carets at its beginning say enough */
    SCRATCH_MAX = 1 << 16,
};

static const struct {
    const char *severity[BAO_WARNING + 1], *at, *mend;
} words[BAO_LANGS] = {
    [BAO_VI] = {{"lỗi", "cần giải trình", "cảnh báo"}, " tại ", "Cách sửa: "},
    [BAO_EN] = {{"error", "needs an explanation", "warning"}, " at ", "How to mend: "},
};

static const char *const json_severity[] = {"error", "confirm", "warning"};

/* ---- the source line ---- */

/* The line that holds the finding's value, and where in it the value begins. */
static bool find_line(const struct bao_finding *f, struct bao_str source, struct bao_str *ret_line,
                      size_t *ret_at)
{
    size_t at = f->at.offset, start, end;

    if (f->at.line == 0 || at > source.n || source.n == 0)
        return false;
    for (start = at; start > 0 && source.p[start - 1] != '\n' && source.p[start - 1] != '\r'; start--)
        ;
    for (end = at; end < source.n && source.p[end] != '\n' && source.p[end] != '\r'; end++)
        ;
    *ret_line = (struct bao_str){source.p + start, end - start};
    *ret_at = at - start;
    return true;
}

/* Appends a stretch of the source line for the screen; a tab becomes two blanks so that columns can be
 * counted. */
static int append_source(struct bao_buf *out, struct bao_str s)
{
    size_t at = 0;

    while (at < s.n) {
        const char *tab = memchr(s.p + at, '\t', s.n - at);
        size_t n = tab == NULL ? s.n - at : (size_t)(tab - (s.p + at));
        int r = bao_utf8_escape(out, (struct bao_str){s.p + at, n}, SIZE_MAX);

        if (r == 0 && tab != NULL)
            r = bao_buf_append_c(out, "  ");
        if (r != 0)
            return r;
        at += n + (tab != NULL);
    }
    return 0;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Octets of the first `max` characters of s. */
static size_t head_octets(struct bao_str s, size_t max)
{
    size_t i = 0;

    while (i < s.n && (is_continuation(s.p[i]) || max-- != 0))
        i++;
    return i;
}

/* Octets to drop so that the last `max` characters of s stay. */
static size_t tail_start(struct bao_str s, size_t max)
{
    size_t i = s.n;

    while (i > 0 && max != 0)
        if (!is_continuation(s.p[--i]))
            max--;
    return i;
}

/* Appends `before`, then the value, then `after`, cut around the value; tells the columns of the first two.
 */
static int cut_line(struct bao_buf *out, const struct bao_finding *f, struct bao_str line, size_t at,
                    size_t columns[2])
{
    size_t length = f->at.length == 0 ? 1 : f->at.length, mark = bao_buf_len(out), drop, keep;
    struct bao_str before = {line.p, at}, value = {line.p + at, line.n - at}, after;
    int r = 0;

    if (value.n > length)
        value.n = length;
    while (value.n > 0 && value.n < line.n - at && is_continuation(value.p[value.n]))
        value.n++;
    after = (struct bao_str){value.p + value.n, line.n - at - value.n};
    drop = tail_start(before, BEFORE_MAX);
    if (drop != 0)
        r = bao_buf_append_c(out, "…");
    if (r == 0)
        r = append_source(out, (struct bao_str){before.p + drop, before.n - drop});
    if (r != 0)
        return r;
    columns[0] = bao_utf8_width((struct bao_str){bao_buf_data(out) + mark, bao_buf_len(out) - mark});
    mark = bao_buf_len(out);
    keep = head_octets(value, VALUE_MAX);
    r = append_source(out, (struct bao_str){value.p, keep});
    if (r != 0)
        return r;
    columns[1] = bao_utf8_width((struct bao_str){bao_buf_data(out) + mark, bao_buf_len(out) - mark});
    if (keep < value.n)
        return bao_buf_append_c(out, "…");
    keep = head_octets(after, AFTER_MAX);
    r = append_source(out, (struct bao_str){after.p, keep});
    if (r == 0 && keep < after.n)
        r = bao_buf_append_c(out, "…");
    return r;
}

static int repeat(struct bao_buf *out, char c, size_t n)
{
    char *room = bao_buf_room(out, n);

    if (room == NULL)
        return -ENOBUFS;
    memset(room, c, n);
    bao_buf_trim(out, n);
    return 0;
}

/* "  8 |   hoan_thanh: 12" and, on the line below, blanks and carets up to where the sentence begins. */
static int append_caret(struct bao_buf *out, const struct bao_finding *f, struct bao_str line, size_t at)
{
    size_t mark = bao_buf_len(out), gutter, columns[2] = {0, 0};
    int r = bao_buf_printf(out, "  %u", f->at.line);

    if (r != 0)
        return r;
    gutter = bao_buf_len(out) - mark;
    r = bao_buf_append_c(out, " | ");
    if (r == 0)
        r = cut_line(out, f, line, at, columns);
    if (r == 0)
        r = bao_buf_append_c(out, "\n");
    if (r == 0)
        r = repeat(out, ' ', gutter);
    if (r == 0)
        r = bao_buf_append_c(out, " | ");
    if (r == 0)
        r = repeat(out, ' ', columns[0]);
    if (r == 0)
        r = repeat(out, '^', columns[1] > CARETS_MAX ? 3 : columns[1] == 0 ? 1 : columns[1]);
    return r == 0 ? bao_buf_append_c(out, " ") : r;
}

/* ---- for people ---- */

/* "tại Nhiệm vụ › Đã hoàn thành (nhiem_vu.hoan_thanh)"; nothing for the document as a whole. */
static int append_path(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang)
{
    struct bao_str titles = f->titles[lang].n != 0 ? f->titles[lang] : f->titles[BAO_VI];
    bool both = titles.n != 0 && f->path.n != 0 && !bao_str_eq(titles, f->path);
    int r;

    if (titles.n == 0 && f->path.n == 0)
        return 0;
    r = bao_buf_append_c(out, words[lang].at);
    if (r == 0 && titles.n != 0)
        r = bao_utf8_escape(out, titles, PATH_MAX);
    if (r == 0 && both)
        r = bao_buf_append_c(out, " (");
    if (r == 0 && (both || titles.n == 0))
        r = bao_utf8_escape(out, f->path, PATH_MAX);
    if (r == 0 && both)
        r = bao_buf_append_c(out, ")");
    return r;
}

static int append_head(struct bao_buf *out, const struct bao_finding *f, struct bao_str file,
                       enum bao_lang lang)
{
    int r = 0;

    if (file.n != 0) {
        r = bao_utf8_escape(out, file, PATH_MAX);
        if (r == 0)
            r = bao_buf_append_c(out, ":");
    }
    if (r == 0 && f->at.line != 0)
        r = bao_buf_printf(out, "%u:%u:", f->at.line, f->at.column);
    if (r == 0)
        r = bao_buf_printf(out, "%s%s BC%04u", file.n != 0 || f->at.line != 0 ? " " : "",
                           words[lang].severity[f->severity], (unsigned)f->code);
    if (r == 0)
        r = append_path(out, f, lang);
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

static int append_mend(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang, const char *end)
{
    size_t mark = bao_buf_len(out), empty;
    int r = bao_buf_append_c(out, words[lang].mend);

    if (r != 0)
        return r;
    empty = bao_buf_len(out);
    r = bao_text_mend(out, f, lang);
    if (r != 0)
        return r;
    if (bao_buf_len(out) == empty) {
        out->end = out->start + mark; /* nothing to say: take the word back */
        return 0;
    }
    return bao_buf_append_c(out, end);
}

int bao_text_render(struct bao_buf *out, const struct bao_finding *f, struct bao_str file,
                    struct bao_str source, enum bao_lang lang)
{
    struct bao_str line;
    size_t at;
    int r = append_head(out, f, file, lang);

    if (r == 0 && find_line(f, source, &line, &at))
        r = append_caret(out, f, line, at);
    else if (r == 0)
        r = bao_buf_append_c(out, "  ");
    if (r == 0)
        r = bao_text_sentence(out, f, lang);
    if (r == 0)
        r = bao_buf_append_c(out, "\n");
    return r == 0 ? append_mend(out, f, lang, "\n") : r;
}

int bao_text_render_all(struct bao_buf *out, const struct bao_findings *f, struct bao_str file,
                        struct bao_str source, enum bao_lang lang, size_t show)
{
    size_t n = f->n < show ? f->n : show, rest = f->n - n + f->dropped;

    for (size_t i = 0; i < n; i++) {
        int r = i == 0 ? 0 : bao_buf_append_c(out, "\n");

        if (r == 0)
            r = bao_text_render(out, &f->items[i], file, source, lang);
        if (r != 0)
            return r;
    }
    if (rest == 0)
        return 0;
    return bao_buf_printf(out,
                          lang == BAO_VI
                              ? "\n… và %zu điểm khác nữa; hãy sửa những điểm trên rồi kiểm tra lại.\n"
                              : "\n… and %zu more; mend those above, then check again.\n",
                          rest);
}

/* ---- for machines ---- */

int bao_text_wire_line(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang)
{
    int r = bao_buf_printf(out, "%u:%u\tBC%04u\t", f->at.line, f->at.column, (unsigned)f->code);

    if (r == 0)
        r = bao_utf8_escape(out, f->path, PATH_MAX);
    if (r == 0)
        r = bao_buf_append_c(out, "\t");
    if (r == 0)
        r = bao_text_sentence(out, f, lang);
    if (r == 0)
        r = bao_buf_append_c(out, " ");
    if (r == 0)
        r = append_mend(out, f, lang, "");
    if (r == 0 && bao_buf_data(out)[bao_buf_len(out) - 1] == ' ')
        out->end--;
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

typedef int bao_text_function(struct bao_buf *, const struct bao_finding *, enum bao_lang);

/* Appends before "<what the function says>", quoted. */
static int quote_text(struct bao_buf *out, const char *before, bao_text_function *say,
                      const struct bao_finding *f, enum bao_lang lang)
{
    struct bao_buf text = BAO_BUF_NULL(SCRATCH_MAX);
    int r = bao_buf_append_c(out, before);

    if (r == 0)
        r = say(&text, f, lang);
    if (r == 0)
        r = bao_json_quote(out, bao_buf_str(&text));
    bao_buf_deinit(&text);
    return r;
}

static int quote_str(struct bao_buf *out, const char *before, struct bao_str s)
{
    int r = bao_buf_append_c(out, before);

    return r == 0 ? bao_json_quote(out, s) : r;
}

int bao_text_json(struct bao_buf *out, const struct bao_finding *f)
{
    int r = bao_buf_printf(out, "{\"code\":\"BC%04u\",\"severity\":\"%s\",\"line\":%u,\"column\":%u",
                           (unsigned)f->code, json_severity[f->severity], f->at.line, f->at.column);

    if (r == 0)
        r = quote_str(out, ",\"pointer\":", f->pointer);
    if (r == 0)
        r = quote_str(out, ",\"path\":", f->path);
    if (r == 0 && f->check.n == 0)
        r = bao_buf_append_c(out, ",\"check\":null");
    else if (r == 0)
        r = quote_str(out, ",\"check\":", f->check);
    if (r == 0 && f->item.n != 0)
        r = quote_str(out, ",\"item\":", f->item);
    if (r == 0)
        r = quote_text(out, ",\"message\":{\"vi\":", bao_text_sentence, f, BAO_VI);
    if (r == 0)
        r = quote_text(out, ",\"en\":", bao_text_sentence, f, BAO_EN);
    if (r == 0)
        r = quote_text(out, "},\"mend\":{\"vi\":", bao_text_mend, f, BAO_VI);
    if (r == 0)
        r = quote_text(out, ",\"en\":", bao_text_mend, f, BAO_EN);
    return r == 0 ? bao_buf_append_c(out, "}}") : r;
}

int bao_text_json_all(struct bao_buf *out, const struct bao_findings *f)
{
    int r = bao_buf_append_c(out, "[");

    for (size_t i = 0; i < f->n && r == 0; i++) {
        if (i != 0)
            r = bao_buf_append_c(out, ",");
        if (r == 0)
            r = bao_text_json(out, &f->items[i]);
    }
    return r == 0 ? bao_buf_append_c(out, "]") : r;
}

int bao_text_json_basic(struct bao_buf *out, const struct bao_findings *f, enum bao_lang lang)
{
    bool first = true;
    int r = bao_buf_append_c(out, f->by_severity[BAO_ERROR] == 0 && !f->no_memory
                                      ? "{\"valid\":true"
                                      : "{\"valid\":false,\"errors\":[");

    for (size_t i = 0; i < f->n && r == 0; i++) {
        const struct bao_finding *x = &f->items[i];

        if (x->severity != BAO_ERROR)
            continue;
        r = quote_str(out, first ? "{\"keywordLocation\":" : ",{\"keywordLocation\":", x->keyword);
        if (r == 0)
            r = quote_str(out, ",\"instanceLocation\":", x->pointer);
        if (r == 0)
            r = quote_text(out, ",\"error\":", bao_text_sentence, x, lang);
        if (r == 0)
            r = bao_buf_append_c(out, "}");
        first = false;
    }
    if (r == 0 && (f->by_severity[BAO_ERROR] != 0 || f->no_memory))
        r = bao_buf_append_c(out, "]");
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}
