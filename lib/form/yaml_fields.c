#include "lib/form/yaml_fields.h"

#include "lib/base/error.h"
#include "lib/base/utf8.h"
#include "lib/text/catalogue.h"

enum { DEPTH_MAX = 128, SPELLING_MAX = 60, PATH_MAX = 4096, NEAR_MAX = 3 };

/* ---- where a value stands ---- */

struct step {
    const struct bao_node *in;
    uint32_t index;
};

struct trail {
    struct step steps[DEPTH_MAX];
    size_t n;
};

static uint32_t children(const struct bao_node *node)
{
    return node->type == BAO_LIST || node->type == BAO_MAP ? node->len : 0;
}

static const struct bao_node *child(const struct bao_node *node, uint32_t i)
{
    return node->type == BAO_LIST ? &node->items[i] : &node->members[i].value;
}

/* Values do not know their parents; only a complaint asks, so the tree is searched then. */
static bool find(const struct bao_node *in, const struct bao_node *wanted, struct trail *trail)
{
    if (in == wanted)
        return true;
    if (trail->n == DEPTH_MAX)
        return false;
    for (uint32_t i = 0; i < children(in); i++) {
        trail->steps[trail->n++] = (struct step){in, i};
        if (find(child(in, i), wanted, trail))
            return true;
        trail->n--;
    }
    return false;
}

static int append_pointer_key(struct bao_buf *out, struct bao_str key)
{
    int r = bao_buf_append_c(out, "/");

    for (size_t i = 0; i < key.n && r == 0; i++) {
        if (key.p[i] == '~')
            r = bao_buf_append_c(out, "~0");
        else if (key.p[i] == '/')
            r = bao_buf_append_c(out, "~1");
        else
            r = bao_buf_append(out, &key.p[i], 1);
    }
    return r;
}

/* What names an item of a list to a person: its code or id, else its number. */
static struct bao_str item_name(const struct bao_node *item)
{
    static const char *const names[] = {"code", "id"};

    for (size_t i = 0; i < BAO_COUNT(names); i++) {
        const struct bao_node *name = bao_node_get(item, names[i]);

        if (name != NULL && name->type == BAO_STRING && name->len != 0)
            return bao_node_str(name);
    }
    return BAO_STR_NULL;
}

static int append_step(struct bao_buf *pointer, struct bao_buf *path, const struct step *step)
{
    struct bao_str name;
    int r;

    if (step->in->type == BAO_MAP) {
        name = bao_member_key(&step->in->members[step->index]);
        r = append_pointer_key(pointer, name);
        if (r == 0 && bao_buf_len(path) != 0)
            r = bao_buf_append_c(path, ".");
        return r == 0 ? bao_buf_append_str(path, name) : r;
    }
    r = bao_buf_printf(pointer, "/%u", step->index);
    if (r != 0)
        return r;
    name = item_name(&step->in->items[step->index]);
    return name.n != 0 ? bao_buf_printf(path, "[%.*s]", BAO_STR_ARG(name))
                       : bao_buf_printf(path, "[%u]", step->index);
}

/* A path is a help, not the finding itself: without memory it is left out. */
static void fill_path(const struct bao_reader *r, struct bao_finding *f, const struct trail *trail)
{
    struct bao_buf pointer = BAO_BUF_NULL(PATH_MAX), path = BAO_BUF_NULL(PATH_MAX);
    int result = 0;

    for (size_t i = 0; i < trail->n && result == 0; i++)
        result = append_step(&pointer, &path, &trail->steps[i]);
    f->pointer = bao_arena_str(r->arena, bao_buf_str(&pointer));
    f->path = bao_arena_str(r->arena, bao_buf_str(&path));
    bao_buf_deinit(&pointer);
    bao_buf_deinit(&path);
}

struct bao_finding *bao_complain(const struct bao_reader *r, unsigned code, const struct bao_node *value)
{
    struct bao_finding *f = bao_findings_add(r->findings, code, BAO_ERROR, bao_node_place(value));
    struct trail trail;

    trail.n = 0;
    if (f != NULL && r->root != NULL && find(r->root, value, &trail))
        fill_path(r, f, &trail);
    return f;
}

struct bao_finding *bao_complain_key(const struct bao_reader *r, unsigned code,
                                     const struct bao_member *member)
{
    struct bao_finding *f = bao_complain(r, code, &member->value);

    if (f != NULL)
        f->at = bao_member_place(member);
    return f;
}

struct bao_str bao_spelling(const struct bao_reader *r, const struct bao_node *value)
{
    struct bao_str s = BAO_STR_NULL;

    if (value->extent != 0 && value->offset <= r->source.n && value->extent <= r->source.n - value->offset) {
        s = (struct bao_str){r->source.p + value->offset, value->extent};
    } else {
        struct bao_buf text = BAO_BUF_NULL(1 << 16);

        if (bao_node_print_json(&text, value) == 0)
            s = bao_arena_str(r->arena, bao_buf_str(&text));
        bao_buf_deinit(&text);
    }
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n' || s.p[i] == '\r')
            s.n = i;        /* a list or map in lines of its own: its first line says enough */
    if (s.n > SPELLING_MAX) /* between two characters */
        for (s.n = SPELLING_MAX; s.n != 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
            s.n--;
    return s;
}

/* ---- near misses ---- */

/* Distance of two words as a person would see it, or NEAR_MAX + 1. A few letters may differ, fewer in short
 * words; a word may also be cut short or have something after it. */
static size_t likeness(struct bao_arena *arena, struct bao_str folded, struct bao_str word)
{
    struct bao_str other = bao_utf8_fold(arena, word);
    size_t shorter = folded.n < other.n ? folded.n : other.n, limit = shorter / 3, distance;

    if (other.p == NULL)
        return NEAR_MAX + 1;
    if (limit > NEAR_MAX)
        limit = NEAR_MAX;
    if (limit == 0)
        limit = shorter > 1 ? 1 : 0;
    distance = bao_utf8_distance(folded, other, limit);
    if (distance <= limit)
        return distance;
    return shorter >= 4 && memcmp(folded.p, other.p, shorter) == 0 ? NEAR_MAX : NEAR_MAX + 1;
}

size_t bao_nearest_str(struct bao_arena *arena, struct bao_str written, const struct bao_str *words, size_t n)
{
    struct bao_str folded = bao_utf8_fold(arena, written);
    size_t best = n, best_distance = NEAR_MAX + 1;

    if (folded.p == NULL)
        return n;
    for (size_t i = 0; i < n; i++) {
        size_t distance = likeness(arena, folded, words[i]);

        if (distance < best_distance) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}

const char *bao_nearest(struct bao_arena *arena, struct bao_str written, const char *const *words, size_t n)
{
    struct bao_str *list = bao_arena_array(arena, n, sizeof(*list));
    size_t best;

    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        list[i] = bao_str_c(words[i]);
    best = bao_nearest_str(arena, written, list, n);
    return best < n ? words[best] : NULL;
}

/* ---- values ---- */

static const struct {
    const char *vi, *en;
} type_names[] = {
    [BAO_NULL] = {"chỗ trống", "nothing"}, [BAO_BOOL] = {"true/false", "true or false"},
    [BAO_INT] = {"một số", "a number"},    [BAO_DEC] = {"một số", "a number"},
    [BAO_STRING] = {"chữ", "text"},        [BAO_LIST] = {"một danh sách", "a list"},
    [BAO_MAP] = {"một nhóm mục", "a map"},
};

static const struct {
    const char *vi, *en;
} field_names[] = {
    [BAO_F_TEXT] = {"chữ", "text"},
    [BAO_F_TEXT2] = {"chữ, hoặc {vi: …, en: …}", "text, or {vi: …, en: …}"},
    [BAO_F_WORD] = {"một từ trong danh sách", "one of the words"},
    [BAO_F_INT] = {"một số nguyên", "a whole number"},
    [BAO_F_NUMBER] = {"một số", "a number"},
    [BAO_F_BOOL] = {"true hoặc false", "true or false"},
    [BAO_F_DATE] = {"một ngày", "a date"},
    [BAO_F_CLOCK] = {"giờ trong ngày, ví dụ \"17:00\"", "a time of day such as \"17:00\""},
    [BAO_F_LIST] = {"một danh sách", "a list"},
    [BAO_F_MAP] = {"một nhóm mục", "a map"},
};

static bool wrong_type(const struct bao_reader *r, const struct bao_node *value,
                       const struct bao_field *field)
{
    struct bao_finding *f =
        bao_complain(r, *field->name != '\0' ? BAO_BC_FIELD_TYPE : BAO_BC_FIELD_SHAPE, value);

    if (*field->name != '\0')
        bao_finding_arg(f, bao_str_c(field->name));
    bao_finding_arg2(f, bao_str_c(field_names[field->type].vi), bao_str_c(field_names[field->type].en));
    bao_finding_arg2(f, bao_str_c(type_names[value->type].vi), bao_str_c(type_names[value->type].en));
    return false;
}

static bool read_text(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                      struct bao_str *ret)
{
    struct bao_finding *f;

    if (bao_node_is_number(value) || value->type == BAO_BOOL) {
        f = bao_complain(r, BAO_BC_FIELD_QUOTE, value);
        bao_finding_arg(f, bao_str_c(field->name));
        bao_finding_arg(f, bao_spelling(r, value));
        return false;
    }
    if (value->type != BAO_STRING)
        return wrong_type(r, value, field);
    if (value->len == 0) {
        bao_finding_arg(bao_complain(r, BAO_BC_FIELD_EMPTY, value), bao_str_c(field->name));
        return false;
    }
    *ret = bao_node_str(value);
    return true;
}

static bool read_text2(const struct bao_reader *r, const struct bao_node *value,
                       const struct bao_field *field, struct bao_text2 *ret)
{
    static const struct bao_field languages[] = {
        {"vi", BAO_F_TEXT, true, offsetof(struct bao_text2, vi), 0, 0, NULL},
        {"en", BAO_F_TEXT, false, offsetof(struct bao_text2, en), 0, 0, NULL},
    };
    struct bao_text2 text = {BAO_STR_NULL, BAO_STR_NULL};

    if (value->type == BAO_MAP) {
        if (!bao_fields_read(r, value, languages, BAO_COUNT(languages), &text))
            return false;
    } else if (!read_text(r, value, field, &text.vi)) {
        return false;
    }
    *ret = text;
    return true;
}

/* "a, b, c" for a message. */
static struct bao_str joined(const struct bao_reader *r, const char *const *words, size_t n)
{
    struct bao_buf text = BAO_BUF_NULL(PATH_MAX);
    struct bao_str s;
    int result = 0;

    for (size_t i = 0; i < n && result == 0; i++)
        result = bao_buf_printf(&text, "%s%s", i == 0 ? "" : ", ", words[i]);
    s = bao_arena_str(r->arena, bao_buf_str(&text));
    bao_buf_deinit(&text);
    return s;
}

static bool read_word(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                      uint8_t *ret)
{
    struct bao_finding *f;
    const char *near;
    size_t n = 0;

    if (value->type == BAO_STRING || value->type == BAO_INT)
        for (; field->words[n] != NULL; n++)
            if (value->type == BAO_STRING && bao_str_is(bao_node_str(value), field->words[n])) {
                *ret = (uint8_t)n;
                return true;
            }
    if (value->type != BAO_STRING)
        return wrong_type(r, value, field);
    near = bao_nearest(r->arena, bao_node_str(value), field->words, n);
    f = bao_complain(r, near != NULL ? BAO_BC_FIELD_WORD_NEAR : BAO_BC_FIELD_WORD, value);
    bao_finding_arg(f, bao_str_c(field->name));
    bao_finding_arg(f, bao_node_str(value));
    bao_finding_arg(f, joined(r, field->words, n));
    bao_finding_arg(f, bao_str_c(near));
    return false;
}

static bool read_int(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                     int *ret)
{
    struct bao_finding *f;

    if (value->type != BAO_INT)
        return wrong_type(r, value, field);
    if (value->i < field->min || value->i > field->max) {
        f = bao_complain(r, BAO_BC_FIELD_RANGE, value);
        bao_finding_arg(f, bao_str_c(field->name));
        bao_finding_arg(f, bao_spelling(r, value));
        bao_finding_arg(f, bao_arena_printf(r->arena, "%d", field->min));
        bao_finding_arg(f, bao_arena_printf(r->arena, "%d", field->max));
        return false;
    }
    *ret = (int)value->i;
    return true;
}

static bool read_date(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                      bao_date *ret)
{
    struct bao_finding *f;

    if (value->type == BAO_NULL) {
        *ret = BAO_DATE_NONE;
        return true;
    }
    if (value->type == BAO_STRING && bao_date_parse(bao_node_str(value), ret))
        return true;
    if (value->type == BAO_LIST || value->type == BAO_MAP)
        return wrong_type(r, value, field);
    f = bao_complain(r, BAO_BC_FIELD_DATE, value);
    bao_finding_arg(f, bao_str_c(field->name));
    bao_finding_arg(f, bao_spelling(r, value));
    return false;
}

/* "17:00" as seconds; 24:00 is the end of the day. */
static bool parse_clock(struct bao_str s, int *ret)
{
    int hour, minute;

    if (s.n != 5 || s.p[2] != ':')
        return false;
    for (size_t i = 0; i < 5; i++)
        if (i != 2 && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    hour = (s.p[0] - '0') * 10 + (s.p[1] - '0');
    minute = (s.p[3] - '0') * 10 + (s.p[4] - '0');
    if (minute > 59 || hour * 60 + minute > 24 * 60)
        return false;
    *ret = hour * 3600 + minute * 60;
    return true;
}

static bool read_clock(const struct bao_reader *r, const struct bao_node *value,
                       const struct bao_field *field, int *ret)
{
    struct bao_finding *f;

    if (value->type == BAO_LIST || value->type == BAO_MAP)
        return wrong_type(r, value, field);
    if (value->type == BAO_STRING && parse_clock(bao_node_str(value), ret))
        return true;
    f = bao_complain(r, BAO_BC_FIELD_CLOCK, value);
    bao_finding_arg(f, bao_str_c(field->name));
    bao_finding_arg(f, bao_spelling(r, value));
    return false;
}

static bool read_tree(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                      const struct bao_node **ret)
{
    if (field->type == BAO_F_LIST && value->type == BAO_LIST && value->len == 0 && field->min >= 0) {
        bao_finding_arg(bao_complain(r, BAO_BC_FIELD_LIST_EMPTY, value), bao_str_c(field->name));
        return false;
    }
    if ((field->type == BAO_F_LIST && value->type != BAO_LIST) ||
        (field->type == BAO_F_MAP && value->type != BAO_MAP))
        return wrong_type(r, value, field);
    *ret = value;
    return true;
}

bool bao_field_read(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                    void *ret_target)
{
    switch ((enum bao_field_type)field->type) {
    case BAO_F_TEXT:
        return read_text(r, value, field, ret_target);
    case BAO_F_TEXT2:
        return read_text2(r, value, field, ret_target);
    case BAO_F_WORD:
        return read_word(r, value, field, ret_target);
    case BAO_F_INT:
        return read_int(r, value, field, ret_target);
    case BAO_F_NUMBER:
        if (!bao_node_is_number(value))
            return wrong_type(r, value, field);
        *(struct bao_num *)ret_target = bao_node_num(value);
        return true;
    case BAO_F_BOOL:
        if (value->type != BAO_BOOL)
            return wrong_type(r, value, field);
        *(bool *)ret_target = value->boolean;
        return true;
    case BAO_F_DATE:
        return read_date(r, value, field, ret_target);
    case BAO_F_CLOCK:
        return read_clock(r, value, field, ret_target);
    case BAO_F_LIST:
    case BAO_F_MAP:
    case BAO_F_ANY:
        return read_tree(r, value, field, ret_target);
    }
    return false;
}

/* ---- maps and lists ---- */

static void unknown_key(const struct bao_reader *r, const struct bao_member *member,
                        const struct bao_field *fields, size_t n)
{
    const char **names = bao_arena_array(r->arena, n, sizeof(*names));
    const char *near = NULL;
    struct bao_finding *f;

    if (names != NULL) {
        for (size_t i = 0; i < n; i++)
            names[i] = fields[i].name;
        near = bao_nearest(r->arena, bao_member_key(member), names, n);
    }
    f = bao_complain_key(r, near != NULL ? BAO_BC_FIELD_UNKNOWN_NEAR : BAO_BC_FIELD_UNKNOWN, member);
    bao_finding_arg(f, bao_member_key(member));
    bao_finding_arg(f, names != NULL ? joined(r, names, n) : BAO_STR_NULL);
    bao_finding_arg(f, bao_str_c(near));
}

static const struct bao_field *row_of(struct bao_str key, const struct bao_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bao_str_is(key, fields[i].name))
            return &fields[i];
    return NULL;
}

/* null is the same as absent, but for a date, where it says "open". */
static bool is_given(const struct bao_node *value, const struct bao_field *field)
{
    return value != NULL && (value->type != BAO_NULL || field->type == BAO_F_DATE);
}

bool bao_fields_read(const struct bao_reader *r, const struct bao_node *map, const struct bao_field *fields,
                     size_t n, void *ret_target)
{
    size_t before = r->findings->by_severity[BAO_ERROR];
    bool good = true;
    static const struct bao_field whole = {"", BAO_F_MAP, true, 0, 0, 0, NULL};

    if (map->type != BAO_MAP)
        return wrong_type(r, map, &whole);
    for (uint32_t i = 0; i < map->len; i++) {
        const struct bao_member *member = &map->members[i];
        const struct bao_field *field = row_of(bao_member_key(member), fields, n);

        if (field == NULL)
            unknown_key(r, member, fields, n);
        else if (is_given(&member->value, field))
            good = bao_field_read(r, &member->value, field, (char *)ret_target + field->offset) && good;
    }
    for (size_t i = 0; i < n; i++)
        if (fields[i].required && !is_given(bao_node_get(map, fields[i].name), &fields[i]))
            bao_finding_arg(bao_complain(r, BAO_BC_FIELD_MISSING, map), bao_str_c(fields[i].name));
    return good && r->findings->by_severity[BAO_ERROR] == before && !r->findings->no_memory;
}

/* Is the text at i also among those before it? Lists of a file are short, so no table is made. */
static bool stands_before(const struct bao_str *items, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (bao_str_eq(items[k], items[i]))
            return true;
    return false;
}

bool bao_texts_read(const struct bao_reader *r, const struct bao_node *list, const char *name,
                    bool empty_is_wrong, const struct bao_str **ret_items, size_t *ret_n)
{
    const struct bao_field whole = {name, BAO_F_LIST, true, 0, empty_is_wrong ? 0 : -1, 0, NULL};
    const struct bao_field one = {name, BAO_F_TEXT, true, 0, 0, 0, NULL};
    const struct bao_node *node;
    struct bao_str *items;
    bool good = true;

    if (!bao_field_read(r, list, &whole, &node))
        return false;
    items = bao_arena_array(r->arena, list->len, sizeof(*items));
    if (items == NULL) {
        r->findings->no_memory = true;
        return false;
    }
    for (uint32_t i = 0; i < list->len; i++) {
        if (!bao_field_read(r, &list->items[i], &one, &items[i])) {
            good = false;
        } else if (stands_before(items, i)) {
            bao_finding_arg(bao_complain(r, BAO_BC_FIELD_TWICE, &list->items[i]), items[i]);
            good = false;
        }
    }
    if (!good)
        return false;
    *ret_items = items;
    *ret_n = list->len;
    return true;
}
