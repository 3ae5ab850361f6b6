#include "daemon/cli/template.h"

#include "lib/doc/tree.h"

enum { DEPTH_MAX = 24, COMMENT_MAX = 2000, TOLD_MAX = 100000 };

/* Where the writing stands. `off`: the lines are commented out, for the clerk to take in when needed. */
struct spot {
    struct bao_schema_place place;
    const struct bao_node *before;
    struct bao_str steps[DEPTH_MAX];
    size_t n;
    int indent;
    bool off, was_off; /* was_off: the part around it says so already */
};

static int put_indent(struct bao_buf *out, const struct spot *s)
{
    return bao_buf_printf(out, s->off ? "%*s# " : "%*s", s->indent, "");
}

static struct bao_str word(const struct cli_template *t, struct bao_schema_place place, const char *name)
{
    const struct bao_node *value = bao_form_keyword(t->form, place, name);

    return value != NULL && value->type == BAO_STRING ? bao_node_str(value) : BAO_STR_NULL;
}

static struct bao_str title_of(const struct cli_template *t, struct bao_schema_place place)
{
    struct bao_str en = t->lang == BAO_EN ? word(t, place, "x-en") : BAO_STR_NULL;

    return en.n != 0 ? en : word(t, place, "title");
}

static bool says(const struct cli_template *t, struct bao_schema_place place, const char *type)
{
    return bao_str_is(word(t, place, "type"), type);
}

static bool has_properties(const struct cli_template *t, struct bao_schema_place place)
{
    const struct bao_node *p = bao_form_keyword(t->form, place, "properties");

    return p != NULL && p->type == BAO_MAP && p->len != 0;
}

/* ---- hints ---- */

static const struct {
    const char *type, *vi, *en;
} type_words[] = {
    {"integer", "số nguyên", "whole number"},
    {"number", "số", "number"},
    {"boolean", "true hoặc false", "true or false"},
    {"string", "chữ", "text"},
    {"array", "danh sách", "list"},
};

static int put_enum(const struct cli_template *t, struct bao_buf *out, const struct bao_node *list)
{
    int r = bao_buf_append_c(out, t->lang == BAO_VI ? "một trong: " : "one of: ");

    for (uint32_t i = 0; i < list->len && r == 0; i++) {
        r = i == 0 ? 0 : bao_buf_append_c(out, " | ");
        if (r == 0)
            r = list->items[i].type == BAO_STRING ? bao_buf_append_str(out, bao_node_str(&list->items[i]))
                                                  : bao_node_print_json(out, &list->items[i]);
    }
    return r;
}

/* Bounds that only stop nonsense (millions, at least nothing) would drown the hint. */
static int put_range(const struct cli_template *t, struct bao_buf *out, struct bao_schema_place place)
{
    const struct bao_node *low = bao_form_keyword(t->form, place, "minimum"),
                          *high = bao_form_keyword(t->form, place, "maximum");
    int r = 0;

    if (high != NULL && (high->type != BAO_INT || high->i >= TOLD_MAX))
        high = NULL;
    if (low != NULL && high == NULL && low->type == BAO_INT && low->i == 0)
        low = NULL;
    if (low != NULL) {
        r = bao_buf_append_c(out, t->lang == BAO_VI ? " từ " : " from ");
        if (r == 0)
            r = bao_node_print_json(out, low);
    }
    if (r == 0 && high != NULL && low != NULL) {
        r = bao_buf_append_c(out, t->lang == BAO_VI ? " đến " : " to ");
        if (r == 0)
            r = bao_node_print_json(out, high);
    }
    return r;
}

static int put_type(const struct cli_template *t, struct bao_buf *out, struct bao_schema_place place)
{
    const struct bao_node *list = bao_form_keyword(t->form, place, "enum");
    struct bao_str type = word(t, place, "type"), format = word(t, place, "format");

    if (list != NULL && list->type == BAO_LIST)
        return put_enum(t, out, list);
    if (bao_str_is(format, "date"))
        return bao_buf_append_c(out,
                                t->lang == BAO_VI ? "ngày, ví dụ 2026-09-15" : "a date such as 2026-09-15");
    for (size_t i = 0; i < BAO_COUNT(type_words); i++)
        if (bao_str_is(type, type_words[i].type)) {
            int r = bao_buf_append_c(out, t->lang == BAO_VI ? type_words[i].vi : type_words[i].en);

            return r == 0 && i < 2 ? put_range(t, out, place) : r;
        }
    return 0;
}

/* A comment may not end its line early. */
static int put_line_text(struct bao_buf *out, struct bao_str s)
{
    int r = 0;

    for (size_t i = 0; i < s.n && i < COMMENT_MAX && r == 0; i++)
        r = s.p[i] == '\n' || s.p[i] == '\r' ? (i + 1 < s.n ? bao_buf_append_c(out, " ") : 0)
                                             : bao_buf_append(out, &s.p[i], 1);
    return r;
}

/* The description is written in Vietnamese; that of dates says what the type says already. */
static struct bao_str hint_of(const struct cli_template *t, struct bao_schema_place place)
{
    struct bao_str hint = word(t, place, "description");

    if (t->lang != BAO_VI || bao_str_is(word(t, place, "format"), "date"))
        return BAO_STR_NULL;
    while (hint.n != 0 && (hint.p[hint.n - 1] == '.' || hint.p[hint.n - 1] == '\n'))
        hint.n--;
    return hint;
}

/* "# Title (required): type. Hint" above the member. */
static int put_comment(const struct cli_template *t, struct bao_buf *out, const struct spot *s, bool required)
{
    struct bao_str title = title_of(t, s->place), hint = hint_of(t, s->place);
    bool is_map = has_properties(t, s->place);
    int r = bao_buf_printf(out, "%*s# ", s->indent, "");

    if (r == 0)
        r = put_line_text(out, title.n != 0 ? title : s->steps[s->n - 1]);
    if (r == 0 && required)
        r = bao_buf_append_c(out, t->lang == BAO_VI ? " (bắt buộc)" : " (required)");
    if (r == 0 && !is_map) {
        r = bao_buf_append_c(out, ": ");
        if (r == 0)
            r = put_type(t, out, s->place);
    }
    if (r == 0 && hint.n != 0) {
        r = bao_buf_append_c(out, ". ");
        if (r == 0)
            r = put_line_text(out, hint);
    }
    if (r == 0 && s->off && !s->was_off)
        r = bao_buf_append_c(out, t->lang == BAO_VI ? " (nếu có thì bỏ dấu # ở các dòng dưới)"
                                                    : " (if you have it, drop the # of the lines below)");
    if (r == 0 && s->before != NULL && s->before->type != BAO_MAP && s->before->type != BAO_LIST) {
        r = bao_buf_append_c(out, t->lang == BAO_VI ? "; kỳ trước: " : "; before: ");
        if (r == 0)
            r = s->before->type == BAO_STRING ? put_line_text(out, bao_node_str(s->before))
                                              : bao_node_print_json(out, s->before);
    }
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

/* ---- members ---- */

static bool is_in(const struct bao_node *list, struct bao_str name)
{
    for (uint32_t i = 0; list != NULL && list->type == BAO_LIST && i < list->len; i++)
        if (list->items[i].type == BAO_STRING && bao_str_eq(bao_node_str(&list->items[i]), name))
            return true;
    return false;
}

static const struct bao_part *part_at(const struct cli_template *t, const struct spot *s)
{
    for (size_t i = 0; i < t->form->n_parts; i++) {
        const struct bao_part *part = &t->form->parts[i];
        size_t k = 0;

        while (k < s->n && k < part->path.n && bao_str_eq(part->path.steps[k], s->steps[k]))
            k++;
        if (k == s->n && k == part->path.n)
            return part;
    }
    return NULL;
}

static int put_members(const struct cli_template *t, struct bao_buf *out, const struct spot *s);

static int put_scalar(struct bao_buf *out, const struct bao_node *value)
{
    int r = bao_buf_append_c(out, " ");

    return r == 0 ? bao_node_print_json(out, value) : r;
}

/* An item in flow style is one line whatever it holds; JSON is YAML. */
static int put_carried(const struct cli_template *t, struct bao_buf *out, const struct spot *s, bool *ret_any)
{
    const struct bao_data_path path = {s->steps, s->n};
    int r = 0;

    *ret_any = false;
    for (uint32_t i = 0; s->before != NULL && s->before->type == BAO_LIST && i < s->before->len && r == 0;
         i++) {
        const struct bao_node *item = &s->before->items[i];

        if (item->type != BAO_MAP || t->is_open == NULL || !t->is_open(t->user, path, item))
            continue;
        *ret_any = true;
        for (uint32_t k = 0; k < item->len && r == 0; k++) {
            r = bao_buf_printf(out, "%*s%s%.*s:", s->indent + 2, "", k == 0 ? "- " : "  ",
                               BAO_STR_ARG(bao_member_key(&item->members[k])));
            if (r == 0)
                r = put_scalar(out, &item->members[k].value);
            if (r == 0)
                r = bao_buf_append_c(out, "\n");
        }
    }
    return r;
}

/* One item, commented out, to be copied as often as needed. */
static int put_sample_item(const struct cli_template *t, struct bao_buf *out, const struct spot *s)
{
    struct spot item = *s;
    const struct bao_node *properties;
    int r = 0;

    if (s->n == DEPTH_MAX || !bao_form_step(t->form, s->place, BAO_STR("*"), &item.place))
        return 0;
    properties = bao_form_keyword(t->form, item.place, "properties");
    if (properties == NULL || properties->type != BAO_MAP)
        return bao_buf_printf(out, "%*s# -\n", s->indent + 2, "");
    for (uint32_t i = 0; i < properties->len && r == 0; i++) {
        struct bao_str key = bao_member_key(&properties->members[i]), title;
        struct bao_schema_place place;

        if (!bao_form_step(t->form, item.place, key, &place))
            continue;
        title = title_of(t, place);
        if (title.n == 0)
            title = key;
        r = bao_buf_printf(out, "%*s# %s%.*s:   # %.*s%s: ", s->indent + 2, "", i == 0 ? "- " : "  ",
                           BAO_STR_ARG(key), BAO_STR_ARG(title),
                           !is_in(bao_form_keyword(t->form, item.place, "required"), key) ? ""
                           : t->lang == BAO_VI                                            ? " (bắt buộc)"
                                                                                          : " (required)");
        if (r == 0)
            r = put_type(t, out, place);
        if (r == 0)
            r = bao_buf_append_c(out, "\n");
    }
    return r;
}

static int put_list(const struct cli_template *t, struct bao_buf *out, const struct spot *s)
{
    bool any = false;
    int r = bao_buf_append_c(out, "\n");

    if (r == 0)
        r = put_carried(t, out, s, &any);
    return r == 0 ? put_sample_item(t, out, s) : r;
}

static int put_member(const struct cli_template *t, struct bao_buf *out, struct spot *s, bool required)
{
    bool is_map = has_properties(t, s->place);
    const struct bao_node *inner = is_map ? bao_form_keyword(t->form, s->place, "required") : NULL;
    int r;

    /* A part that may be left out but asks for members once it is there would refuse to stay blank. */
    s->was_off = s->off;
    s->off = s->off || (is_map && !required && inner != NULL && inner->len != 0);
    r = put_comment(t, out, s, required);
    if (r == 0)
        r = put_indent(out, s);
    if (r == 0)
        r = bao_buf_printf(out, "%.*s:", BAO_STR_ARG(s->steps[s->n - 1]));
    if (r != 0)
        return r;
    if (is_map) {
        r = bao_buf_append_c(out, "\n");
        s->indent += 2;
        return r == 0 ? put_members(t, out, s) : r;
    }
    return says(t, s->place, "array") && !s->off ? put_list(t, out, s) : bao_buf_append_c(out, "\n");
}

static int put_members(const struct cli_template *t, struct bao_buf *out, const struct spot *s)
{
    const struct bao_node *properties = bao_form_keyword(t->form, s->place, "properties"),
                          *required = bao_form_keyword(t->form, s->place, "required");
    int r = 0;

    for (uint32_t i = 0; properties != NULL && properties->type == BAO_MAP && i < properties->len && r == 0;
         i++) {
        struct bao_str key = bao_member_key(&properties->members[i]);
        struct spot inner = *s;
        const struct bao_member *before = s->before == NULL ? NULL : bao_node_member(s->before, key);
        const struct bao_part *part;

        if (s->n == DEPTH_MAX || !bao_form_step(t->form, s->place, key, &inner.place))
            continue;
        inner.steps[inner.n++] = key;
        inner.before = before == NULL ? NULL : &before->value;
        part = part_at(t, &inner);
        if (part != NULL && t->kind.n != 0 && !bao_kind_in(t->kind, part->kinds, part->n_kinds))
            continue;
        r = put_member(t, out, &inner, is_in(required, key) || (part != NULL && part->required));
    }
    return r;
}

int cli_template_data(const struct cli_template *t, struct bao_buf *out)
{
    const struct spot top = {.place = bao_form_root(t->form), .before = t->before, .indent = 2};

    return put_members(t, out, &top);
}
