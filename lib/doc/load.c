#include "lib/doc/build.h"
#include "lib/base/octets.h"
#include "lib/base/buf.h"
#include "lib/base/utf8.h"

/* ---- findings ---- */

struct bao_place bao_loading_place(struct bao_str text, size_t offset, size_t length)
{
    const char *line = text.p, *p = text.p, *at = text.p + offset;
    uint32_t lines = 1;

    for (; p < at; p++)
        if (*p == '\n' || (*p == '\r' && (p + 1 == text.p + text.n || p[1] != '\n'))) {
            lines++;
            line = p + 1;
        }
    return (struct bao_place){.line = lines,
                              .column =
                                  (uint32_t)bao_utf8_count((struct bao_str){line, (size_t)(at - line)}) + 1,
                              .offset = (uint32_t)offset,
                              .length = (uint32_t)length};
}

struct bao_finding *bao_loading_finding(struct bao_loading *l, unsigned code, size_t offset, size_t length)
{
    if (offset > l->text.n)
        offset = l->text.n;
    if (length > l->text.n - offset)
        length = l->text.n - offset;
    l->refused_at = offset;
    return bao_findings_add(l->findings, code, BAO_ERROR, bao_loading_place(l->text, offset, length));
}

int bao_loading_refuse(struct bao_loading *l, unsigned code, size_t offset, size_t length)
{
    (void)bao_loading_finding(l, code, offset, length); /* counted at least */
    return BAO_LOAD_E_REFUSED;
}

int bao_loading_refuse_text(struct bao_loading *l, unsigned code, size_t offset, size_t length,
                            struct bao_str text)
{
    struct bao_finding *f = bao_loading_finding(l, code, offset, length);

    if (f != NULL)
        bao_finding_arg(f, bao_arena_str(l->arena, text));
    return BAO_LOAD_E_REFUSED;
}

int bao_loading_refuse_number(struct bao_loading *l, unsigned code, size_t offset, size_t length,
                              size_t number)
{
    struct bao_finding *f = bao_loading_finding(l, code, offset, length);

    if (f != NULL)
        bao_finding_arg(f, bao_arena_printf(l->arena, "%zu", number));
    return BAO_LOAD_E_REFUSED;
}

int bao_loading_refuse_twin(struct bao_loading *l, const struct bao_member *first,
                            const struct bao_member *second)
{
    struct bao_finding *f = bao_loading_finding(l, BAO_BC_TWIN_KEY, second->offset, second->extent);

    if (f != NULL) {
        bao_finding_arg(f, bao_member_key(second));
        bao_finding_arg(f, bao_arena_printf(l->arena, "%u", first->line));
        bao_finding_arg(f, bao_arena_printf(l->arena, "%u", second->line));
    }
    return BAO_LOAD_E_REFUSED;
}

size_t bao_loading_control(struct bao_str s)
{
    size_t i = 0;

    while (s.n - i >= 8 && bao_octets_below(bao_octets_at(s.p + i), 0x20) == 0)
        i += 8;
    for (; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return i;
    }
    return s.n;
}

/* ---- encodings ---- */

static uint32_t unit16(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

/* Makes UTF-8 of UTF-16 without its mark; the places are those of what was made. */
static int from_utf16(struct bao_loading *l, const uint8_t *p, size_t n, bool big)
{
    char *out = bao_arena_alloc(l->arena, n / 2 * 3 + 1);
    size_t at = 0;

    if (out == NULL)
        return -ENOMEM;
    l->text.p = out;
    for (size_t i = 0; i < n; i += 2) {
        uint32_t c, low;

        l->text.n = at;
        if (n - i < 2)
            return bao_loading_refuse(l, BAO_BC_NOT_UTF16, at, 0);
        c = unit16(p + i, big);
        if (c >= 0xd800 && c < 0xe000) {
            low = c < 0xdc00 && n - i >= 4 ? unit16(p + i + 2, big) : 0;
            if (low < 0xdc00 || low > 0xdfff)
                return bao_loading_refuse(l, BAO_BC_NOT_UTF16, at, 0);
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        at += bao_utf8_put(c, out + at);
    }
    out[at] = '\0';
    l->text.n = at;
    return 0;
}

/* What office programs write begins like this. */
static const struct {
    const char *begins;
    size_t n;
    const char *programs;
} others[] = {
    {"PK\3\4", 4, "Word, Excel (docx, xlsx, zip)"},
    {"\xd0\xcf\x11\xe0", 4, "Word, Excel (doc, xls)"},
    {"%PDF-", 5, "PDF"},
    {"{\\rtf", 5, "Word (rtf)"},
};

static const char *other_file(struct bao_str text)
{
    for (size_t i = 0; i < BAO_COUNT(others); i++)
        if (text.n >= others[i].n && memcmp(text.p, others[i].begins, others[i].n) == 0)
            return others[i].programs;
    return NULL;
}

/* Brings the text to UTF-8 without a mark, or refuses it. */
static int decode(struct bao_loading *l)
{
    const uint8_t *p = (const uint8_t *)l->text.p;
    const char *other = other_file(l->text);
    size_t n = l->text.n, valid;

    if (other != NULL) {
        l->text.n = 0; /* there is no line worth showing */
        return bao_loading_refuse_text(l, BAO_BC_OTHER_FILE, 0, 0, bao_str_c(other));
    }
    /* UTF-16 that lacks its mark: half of its octets are NUL. */
    if (n >= 4 && (p[0] == 0) != (p[1] == 0) && (p[0] == 0) == (p[2] == 0) && (p[1] == 0) == (p[3] == 0)) {
        l->text.n = 0;
        return bao_loading_refuse(l, BAO_BC_NOT_UTF16, 0, 0);
    }

    if (n >= 2 && ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0xff && p[1] == 0xfe)))
        return from_utf16(l, p + 2, n - 2, p[0] == 0xfe);
    if (n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        l->text.p += 3;
        l->text.n -= 3;
    }
    valid = bao_utf8_valid(l->text);
    if (valid != l->text.n) {
        struct bao_finding *f;
        unsigned octet = (uint8_t)l->text.p[valid];

        l->text.n = valid; /* so that columns can be counted */
        f = bao_loading_finding(l, BAO_BC_NOT_UTF8, valid, 0);
        if (f != NULL)
            bao_finding_arg(f, bao_arena_printf(l->arena, "%02X", octet));
        return BAO_LOAD_E_REFUSED;
    }
    return 0;
}

/* ---- which language ---- */

/* Could this be JSON? A list, a map or a text in quotes: only there do JSON and YAML part ways. */
static bool looks_like_json(struct bao_str s)
{
    size_t i = 0;

    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r'))
        i++;
    return i < s.n && (s.p[i] == '{' || s.p[i] == '[' || s.p[i] == '"');
}

static int read_yaml(struct bao_loading *l, struct bao_doc *ret)
{
    int r = bao_yaml_read_plain(l, ret);

    return r == BAO_YAML_E_NOT_PLAIN ? bao_yaml_read(l, ret) : r;
}

/* A refusal by the grammar of one language, after which the other could still take the text. */
static bool is_syntax(const struct bao_findings *f)
{
    return f->n == 1 && (f->items[0].code == BAO_BC_PARSE || f->items[0].code >= BAO_BC_JSON_VALUE);
}

/* Tries JSON, then YAML. When both refuse, YAML's answer counts if it understood the text or came further. */
static int read_guessing(struct bao_loading *l, struct bao_doc *ret)
{
    struct bao_findings *out = l->findings, json, yaml;
    size_t json_at;
    int r;

    if (!looks_like_json(l->text))
        return read_yaml(l, ret);
    bao_findings_init(&json, l->arena, 1);
    bao_findings_init(&yaml, l->arena, 1);
    l->findings = &json;
    r = bao_json_read(l, ret);
    json_at = l->refused_at;
    if (r == BAO_LOAD_E_REFUSED && is_syntax(&json)) {
        l->findings = &yaml;
        r = bao_yaml_read(l, ret);
    }
    l->findings = out;
    if (r == BAO_LOAD_E_REFUSED) {
        bool further = yaml.n == 1 && (!is_syntax(&yaml) || l->refused_at > json_at);
        const struct bao_findings *better = further ? &yaml : &json;
        struct bao_finding *f;

        if (json.no_memory || yaml.no_memory)
            return -ENOMEM;
        f = bao_findings_add(out, better->items[0].code, BAO_ERROR, better->items[0].at);
        if (f != NULL)
            *f = better->items[0];
    }
    return r;
}

static int read_document(struct bao_loading *l, enum bao_load_format format, struct bao_doc *ret)
{
    int r = decode(l);

    if (r != 0)
        return r;
    switch (format) {
    case BAO_FORMAT_JSON:
        return bao_json_read(l, ret);
    case BAO_FORMAT_YAML:
        return read_yaml(l, ret);
    case BAO_FORMAT_GUESS:
        return read_guessing(l, ret);
    }
    return -EINVAL;
}

int bao_load(struct bao_arena *arena, struct bao_str text, const struct bao_load_options *options,
             struct bao_findings *findings, struct bao_doc *ret)
{
    struct bao_loading l = {
        .arena = arena, .text = text, .mode = options->mode, .limits = options->limits, .findings = findings};
    struct bao_doc doc = {.is_json = false};
    int r;

    if (l.text.p == NULL)
        l.text = BAO_STR("");
    /* Places are 32 bits wide, and a UTF-16 text grows by half. */
    if (l.limits.octets > UINT32_MAX / 4)
        l.limits.octets = UINT32_MAX / 4;
    if (l.limits.depth > BAO_LOAD_DEPTH_MAX)
        l.limits.depth = BAO_LOAD_DEPTH_MAX;
    if (l.text.n > l.limits.octets) {
        l.text.n = 0;
        return bao_loading_refuse_number(&l, BAO_BC_TOO_LARGE, 0, 0, l.limits.octets);
    }
    r = read_document(&l, options->format, &doc);
    /* A refusal that cannot be told is none. */
    if (r == BAO_LOAD_E_REFUSED && findings->no_memory)
        return -ENOMEM;
    if (r != 0)
        return r;
    findings->in_json = doc.is_json;
    doc.source = l.text;
    *ret = doc;
    return 0;
}
