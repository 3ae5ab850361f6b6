#include "lib/form/envelope.h"

#include "lib/base/buf.h"
#include "lib/form/yaml_fields.h"
#include "lib/text/catalogue.h"

enum { FORM_ID_MAX = 64, UNIT_MAX = 32, REVISION_MAX = 9999, NUMBER_MAX = 4096 };

enum key { K_FORM, K_UNIT, K_PERIOD, K_REVISION, K_SIGNED, K_SECRECY, K_EXPLAIN, K_NIL, K_DATA, KEYS };

static const char *const names[KEYS] = {"form",    "unit",    "period", "revision", "signed",
                                        "secrecy", "explain", "nil",    "data"};

/* What a clerk types for the keys that a report cannot do without. */
static const struct {
    const char *vi, *en, *examples[2]; /* in YAML, in JSON */
} hints[] = {
    [K_FORM] = {"mã biểu mẫu", "the form's id", {"form: nd73-quarterly", "\"form\": \"nd73-quarterly\""}},
    [K_UNIT] = {"mã đơn vị báo cáo", "the reporting unit's code", {"unit: \"24133\"", "\"unit\": \"24133\""}},
    [K_PERIOD] = {"kỳ báo cáo", "the reporting period", {"period: 2026-Q3", "\"period\": \"2026-Q3\""}},
    [K_REVISION] = {"lần báo cáo", "the revision", {"revision: 1", "\"revision\": 1"}},
};

struct reading {
    const struct bao_reader *reader;
    const struct bao_doc *doc;
    const struct bao_node *values[KEYS];  /* NULL: absent or null */
    const struct bao_member *blank[KEYS]; /* there, but null */
    bool misspelt[KEYS];                  /* another key was told to be this one */
    const struct bao_member *strange;     /* the first that resembles none */
    bool bad;
};

static struct bao_str example(const struct reading *r, enum key key)
{
    return bao_str_c(hints[key].examples[r->doc->is_json]);
}

static struct bao_finding *complain(struct reading *r, unsigned code, const struct bao_node *value)
{
    r->bad = true;
    return bao_complain(r->reader, code, value);
}

static struct bao_str trimmed(struct bao_str s)
{
    while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r'))
        s = (struct bao_str){s.p + 1, s.n - 1};
    while (s.n != 0 &&
           (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* A number's own digits: unit 02210 keeps its zero. Where an alias hides them the number is printed. */
static struct bao_str digits(struct reading *r, const struct bao_node *value)
{
    struct bao_buf text = BAO_BUF_NULL(NUMBER_MAX);
    struct bao_str s = BAO_STR_NULL;

    if ((value->style & BAO_STYLE_ALIAS) == 0 && value->extent != 0 && value->offset <= r->doc->source.n &&
        value->extent <= r->doc->source.n - value->offset)
        return (struct bao_str){r->doc->source.p + value->offset, value->extent};
    if (bao_num_print(&text, bao_node_num(value)) == 0)
        s = bao_arena_str(r->reader->arena, bao_buf_str(&text));
    bao_buf_deinit(&text);
    if (s.p == NULL)
        r->reader->findings->no_memory = true;
    return s;
}

/* The value of a key as text, however it is written; false: it is a list, a map or a boolean. */
static bool text_of(struct reading *r, const struct bao_node *value, struct bao_str *ret)
{
    if (value->type == BAO_STRING)
        *ret = trimmed(bao_node_str(value));
    else if (bao_node_is_number(value))
        *ret = digits(r, value);
    else
        return false;
    return true;
}

/* Told of the blank line, else of the whole report. */
static struct bao_finding *complain_absent(struct reading *r, unsigned code, enum key key)
{
    r->bad = true;
    return r->blank[key] != NULL ? bao_complain_key(r->reader, code, r->blank[key])
                                 : bao_complain(r->reader, code, &r->doc->root);
}

static bool read_text(struct reading *r, enum key key, struct bao_str *ret)
{
    const struct bao_node *value = r->values[key];
    struct bao_finding *f;

    if (value == NULL && r->misspelt[key])
        return false;
    if (value == NULL) {
        bool blank = r->blank[key] != NULL;

        f = complain_absent(r, blank ? BAO_BC_REPORT_BLANK_TITLED : BAO_BC_ENVELOPE_MISSING, key);
        bao_finding_arg(f, bao_str_c(names[key]));
        if (blank)
            bao_finding_arg(f, example(r, key));
        bao_finding_arg2(f, bao_str_c(hints[key].vi), bao_str_c(hints[key].en));
        if (!blank)
            bao_finding_arg(f, example(r, key));
        return false;
    }
    if (text_of(r, value, ret))
        return true;
    f = complain(r, BAO_BC_ENVELOPE_TEXT, value);
    bao_finding_arg(f, bao_str_c(names[key]));
    bao_finding_arg(f, bao_spelling(r->reader, value));
    bao_finding_arg(f, example(r, key));
    return false;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_form_id(struct bao_str s)
{
    if (s.n == 0 || s.n > FORM_ID_MAX || !is_lower(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_lower(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool is_unit(struct bao_str s)
{
    if (s.n == 0 || s.n > UNIT_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool plain = is_lower(s.p[i]) || is_digit(s.p[i]) || (s.p[i] >= 'A' && s.p[i] <= 'Z');

        if (!plain && (i == 0 || (s.p[i] != '.' && s.p[i] != '-')))
            return false;
    }
    return true;
}

static bool is_revision(struct bao_str s, int *ret)
{
    int n = 0;

    if (s.n == 0 || s.n > 4 || s.p[0] == '0')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        n = n * 10 + (s.p[i] - '0');
    }
    *ret = n;
    return n <= REVISION_MAX;
}

static void bad_shape(struct reading *r, unsigned code, enum key key, struct bao_str written)
{
    struct bao_finding *f = complain(r, code, r->values[key]);

    if (code == BAO_BC_ENVELOPE_SHAPE)
        bao_finding_arg(f, bao_str_c(names[key]));
    bao_finding_arg(f, written);
    if (code == BAO_BC_ENVELOPE_SHAPE)
        bao_finding_arg(f, example(r, key));
}

static void read_key(struct reading *r, struct bao_envelope *e)
{
    struct bao_str form, unit, period, revision;
    bool ok[4] = {false, false, false, true};

    if (read_text(r, K_FORM, &form)) {
        if ((ok[0] = is_form_id(form)))
            e->form = form;
        else
            bad_shape(r, BAO_BC_ENVELOPE_SHAPE, K_FORM, form);
    }
    if (read_text(r, K_UNIT, &unit)) {
        if ((ok[1] = is_unit(unit)))
            e->unit = unit;
        else
            bad_shape(r, BAO_BC_ENVELOPE_UNIT, K_UNIT, unit);
    }
    if (read_text(r, K_PERIOD, &period)) {
        ok[2] = bao_period_parse(period, &e->period);
        if (!ok[2])
            bad_shape(r, BAO_BC_ENVELOPE_PERIOD, K_PERIOD, period);
    }
    e->revision = 1;
    if (r->values[K_REVISION] != NULL) {
        ok[3] = read_text(r, K_REVISION, &revision);
        if (ok[3] && !(ok[3] = is_revision(revision, &e->revision)))
            bad_shape(r, BAO_BC_ENVELOPE_REVISION, K_REVISION, revision);
    }
    e->has_key = ok[0] && ok[1] && ok[2] && ok[3];
}

static void read_signed(struct reading *r, struct bao_envelope *e)
{
    static const char *const keys[] = {"by", "position", "number", "date"};
    const struct bao_node *map = r->values[K_SIGNED];
    bao_date date;

    if (map == NULL)
        return;
    if (map->type != BAO_MAP) {
        bao_finding_arg(complain(r, BAO_BC_ENVELOPE_SIGNED, map), bao_spelling(r->reader, map));
        return;
    }
    e->signed_by = map;
    for (uint32_t i = 0; i < map->len; i++) {
        const struct bao_member *m = &map->members[i];
        struct bao_str text;
        size_t k = 0;

        while (k < BAO_COUNT(keys) && !bao_str_is(bao_member_key(m), keys[k]))
            k++;
        if (k == BAO_COUNT(keys)) {
            r->bad = true;
            bao_finding_arg(bao_complain_key(r->reader, BAO_BC_ENVELOPE_SIGNED_KEY, m), bao_member_key(m));
        } else if (m->value.type != BAO_NULL && !text_of(r, &m->value, &text)) {
            bao_finding_arg(complain(r, BAO_BC_ENVELOPE_SIGNED, &m->value),
                            bao_spelling(r->reader, &m->value));
        } else if (k == 3 && m->value.type != BAO_NULL && !bao_date_parse(text, &date)) {
            bao_finding_arg(complain(r, BAO_BC_ENVELOPE_SIGNED_DATE, &m->value), text);
        }
    }
}

static bool is_explanation(const struct bao_node *value)
{
    return value->type == BAO_STRING || value->type == BAO_NULL;
}

static void read_explain(struct reading *r, struct bao_envelope *e)
{
    const struct bao_node *map = r->values[K_EXPLAIN];

    if (map == NULL)
        return;
    if (map->type != BAO_MAP) {
        bao_finding_arg(complain(r, BAO_BC_ENVELOPE_EXPLAIN, map), bao_spelling(r->reader, map));
        return;
    }
    e->explain = map;
    for (uint32_t i = 0; i < map->len; i++) {
        const struct bao_node *value = &map->members[i].value, *wrong = NULL;

        if (value->type == BAO_MAP) {
            for (uint32_t k = 0; k < value->len && wrong == NULL; k++)
                if (!is_explanation(&value->members[k].value))
                    wrong = &value->members[k].value;
        } else if (!is_explanation(value)) {
            wrong = value;
        }
        if (wrong != NULL)
            bao_finding_arg(complain(r, BAO_BC_ENVELOPE_EXPLAIN, wrong), bao_spelling(r->reader, wrong));
    }
}

/* Did somebody write "data:" and forget to indent the figures below it? */
static bool is_flat(const struct reading *r)
{
    return r->blank[K_DATA] != NULL && r->strange != NULL && r->strange > r->blank[K_DATA];
}

static void tell_flat(struct reading *r)
{
    bao_finding_arg(bao_complain_key(r->reader, BAO_BC_ENVELOPE_FLAT, r->strange),
                    bao_member_key(r->strange));
}

/* A map must stand here. A line whose colon is the wide one is told as such. */
static void not_map(struct reading *r, unsigned code, const struct bao_node *node)
{
    struct bao_str name, mended;
    struct bao_finding *f;

    if (node->type != BAO_STRING ||
        !bao_is_wide_colon(r->reader->arena, bao_node_str(node), &name, &mended)) {
        bao_finding_arg(complain(r, code, node), bao_spelling(r->reader, node));
        return;
    }
    f = complain(r, BAO_BC_YAML_WIDE_COLON, node);
    bao_finding_arg(f, name);
    bao_finding_arg(f, mended);
}

static void read_data(struct reading *r, struct bao_envelope *e)
{
    const struct bao_node *data = r->values[K_DATA], *nil = r->values[K_NIL];

    if (nil != NULL && nil->type != BAO_BOOL)
        bao_finding_arg(complain(r, BAO_BC_ENVELOPE_NIL_SHAPE, nil), bao_spelling(r->reader, nil));
    e->nil = nil != NULL && nil->type == BAO_BOOL && nil->boolean;
    e->data = data;
    if (data == NULL && is_flat(r))
        tell_flat(r);
    else if (data == NULL && !e->nil && !r->misspelt[K_DATA] && (nil == NULL || nil->type == BAO_BOOL))
        (void)complain_absent(r, BAO_BC_ENVELOPE_NO_DATA, K_DATA);
    else if (data != NULL && data->type != BAO_MAP)
        not_map(r, BAO_BC_ENVELOPE_DATA_SHAPE, data);
    else if (data != NULL && e->nil)
        (void)complain(r, BAO_BC_ENVELOPE_NIL_DATA, nil);
}

/* Finds the known keys and tells of the others. */
static void sort_keys(struct reading *r)
{
    const struct bao_node *root = &r->doc->root;

    for (uint32_t i = 0; i < root->len; i++) {
        const struct bao_member *m = &root->members[i];
        struct bao_finding *f;
        const char *near;
        size_t k = 0;

        while (k < KEYS && !bao_str_is(bao_member_key(m), names[k]))
            k++;
        if (k < KEYS) {
            r->values[k] = m->value.type == BAO_NULL ? NULL : &m->value;
            r->blank[k] = m->value.type == BAO_NULL ? m : NULL;
            continue;
        }
        near = bao_nearest(r->reader->arena, bao_member_key(m), names, KEYS);
        r->bad = true;
        if (near == NULL && r->strange == NULL)
            r->strange = m;
        if (near == NULL && is_flat(r)) /* one slip, told once */
            continue;
        for (k = 0; k < KEYS; k++)
            r->misspelt[k] |= near == names[k];
        f = bao_complain_key(r->reader, near != NULL ? BAO_BC_ENVELOPE_UNKNOWN_NEAR : BAO_BC_ENVELOPE_UNKNOWN,
                             m);
        bao_finding_arg(f, bao_member_key(m));
        bao_finding_arg(f, BAO_STR("form, unit, period, revision, signed, secrecy, explain, nil, data"));
        bao_finding_arg(f, bao_str_c(near));
    }
}

int bao_envelope_read(struct bao_arena *arena, const struct bao_doc *doc, struct bao_findings *findings,
                      struct bao_envelope *ret)
{
    const struct bao_reader reader = {arena, findings, &doc->root, doc->source};
    struct reading r = {.reader = &reader, .doc = doc};
    struct bao_envelope e = {.revision = 1};
    const struct bao_node *secrecy;

    if (doc->root.type != BAO_MAP) {
        not_map(&r, BAO_BC_ENVELOPE_NOT_MAP, &doc->root);
        *ret = e;
        return BAO_ENVELOPE_E_BAD;
    }
    sort_keys(&r);
    read_key(&r, &e);
    read_signed(&r, &e);
    read_explain(&r, &e);
    read_data(&r, &e);
    secrecy = r.values[K_SECRECY];
    e.is_secret = secrecy != NULL &&
                  (secrecy->type != BAO_STRING || !bao_str_is(trimmed(bao_node_str(secrecy)), "none"));
    *ret = e;
    return r.bad ? BAO_ENVELOPE_E_BAD : 0;
}
