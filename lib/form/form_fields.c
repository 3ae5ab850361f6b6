#include "lib/form/form_load.h"

#include "lib/base/error.h"
#include "lib/text/catalogue.h"

enum { VERSION_MAX = 9999, WORKING_DAYS_MAX = 250, DAYS_MAX = 366 };

#define ROW(struct_, name, type, required, ...)                                                              \
    {                                                                                                        \
#name, type, required, offsetof(struct struct_, name), __VA_ARGS__                                   \
    }

struct bao_str bao_join(struct bao_arena *arena, const struct bao_str *items, size_t n)
{
    size_t size = 0, at = 0;
    char *text;

    for (size_t i = 0; i < n; i++)
        size += items[i].n + 2;
    text = bao_arena_alloc(arena, size + 1);
    if (text == NULL)
        return BAO_STR_NULL;
    for (size_t i = 0; i < n; i++) {
        if (i != 0) {
            memcpy(text + at, ", ", 2);
            at += 2;
        }
        memcpy(text + at, items[i].p, items[i].n);
        at += items[i].n;
    }
    text[at] = '\0';
    return (struct bao_str){text, at};
}

static bool is_id(struct bao_str s)
{
    if (s.n == 0 || s.n > 64 || s.p[0] < 'a' || s.p[0] > 'z')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return true;
}

/* ---- reporters ---- */

struct reporters {
    const struct bao_node *kinds, *groups, *only, *except;
};

static bool read_reporters(struct bao_form_loader *l, const struct bao_node *map)
{
    static const struct bao_field rows[] = {
        ROW(reporters, kinds, BAO_F_LIST, false),
        ROW(reporters, groups, BAO_F_LIST, false),
        ROW(reporters, only, BAO_F_LIST, false),
        ROW(reporters, except, BAO_F_LIST, false),
    };
    struct reporters raw = {NULL, NULL, NULL, NULL};
    struct bao_form *f = l->form;
    bool ok;

    if (map == NULL)
        return true;
    ok = bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &raw);
    if (raw.kinds != NULL)
        ok &= bao_texts_read(&l->reader, raw.kinds, "kinds", true, &f->kinds, &f->n_kinds);
    if (raw.groups != NULL)
        ok &= bao_texts_read(&l->reader, raw.groups, "groups", true, &f->groups, &f->n_groups);
    if (raw.only != NULL)
        ok &= bao_texts_read(&l->reader, raw.only, "only", true, &f->only, &f->n_only);
    if (raw.except != NULL)
        ok &= bao_texts_read(&l->reader, raw.except, "except", true, &f->except, &f->n_except);
    return ok;
}

/* ---- period ---- */

/* The order is that of enum bao_period_type, with `once` at 0. */
static const char *const period_words[] = {"once",  "year", "half", "quarter", "nine-months",
                                           "month", "week", "day",  NULL};
static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday",    NULL};

struct period {
    uint8_t type;
    const struct bao_node *calendar;
    bao_date from, to, due;
    int at;
};

static bool bad_calendar(struct bao_form_loader *l, const struct bao_node *value)
{
    bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_CALENDAR, value), bao_spelling(&l->reader, value));
    return false;
}

static bool read_starts(struct bao_form_loader *l, const struct bao_node *map)
{
    const struct bao_node *starts = bao_node_get(map, "starts");
    struct bao_calendar *c = &l->form->calendar;

    if (map->len != 1 || starts == NULL)
        return bad_calendar(l, map);
    c->kind = BAO_CAL_STARTS;
    if (l->form->period_type == BAO_P_WEEK && starts->type == BAO_STRING) {
        for (uint8_t i = 0; weekdays[i] != NULL; i++)
            if (bao_str_is(bao_node_str(starts), weekdays[i])) {
                c->starts = i;
                return true;
            }
        return bad_calendar(l, map);
    }
    if (l->form->period_type == BAO_P_WEEK || l->form->period_type == BAO_P_DAY || starts->type != BAO_INT ||
        starts->i < 2 || starts->i > 28)
        return bad_calendar(l, map);
    c->starts = (uint8_t)starts->i;
    return true;
}

static bool read_calendar(struct bao_form_loader *l, const struct bao_node *value)
{
    struct bao_calendar *c = &l->form->calendar;

    c->kind = BAO_CAL_CIVIL;
    if (value == NULL)
        return true;
    if (value->type == BAO_MAP)
        return read_starts(l, value);
    if (value->type == BAO_STRING && bao_str_is(bao_node_str(value), "civil"))
        return true;
    if (value->type != BAO_STRING || !bao_str_is(bao_node_str(value), "nd09") ||
        l->form->period_type == BAO_P_WEEK || l->form->period_type == BAO_P_DAY)
        return bad_calendar(l, value);
    c->kind = BAO_CAL_ND09;
    return true;
}

static bool read_once(struct bao_form_loader *l, const struct bao_node *map, const struct period *raw)
{
    struct bao_form *f = l->form;
    struct bao_deadline *due;

    if (raw->from == BAO_DATE_NONE || raw->to == BAO_DATE_NONE || raw->due == BAO_DATE_NONE ||
        raw->from > raw->to || raw->due < raw->to) {
        (void)bao_complain(&l->reader, BAO_BC_FORM_ONCE, map);
        return false;
    }
    due = bao_arena_array(&f->arena, 1, sizeof(*due));
    if (due == NULL) {
        l->reader.findings->no_memory = true;
        return false;
    }
    *due = (struct bao_deadline){.on = raw->due, .at = raw->at, .roll = BAO_ROLL_NONE};
    f->once_from = raw->from;
    f->once_to = raw->to;
    f->once_due = raw->due;
    f->deadlines = due;
    f->n_deadlines = 1;
    return true;
}

static bool read_period(struct bao_form_loader *l, const struct bao_node *map)
{
    static const struct bao_field rows[] = {
        ROW(period, type, BAO_F_WORD, true, 0, 0, period_words),
        ROW(period, calendar, BAO_F_ANY, false),
        ROW(period, from, BAO_F_DATE, false),
        ROW(period, to, BAO_F_DATE, false),
        ROW(period, due, BAO_F_DATE, false),
        ROW(period, at, BAO_F_CLOCK, false),
    };
    static const char *const once_keys[] = {"from", "to", "due", "at"};
    struct period raw = {.from = BAO_DATE_NONE, .to = BAO_DATE_NONE, .due = BAO_DATE_NONE, .at = 86400};
    bool ok;

    if (!bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &raw))
        return false;
    l->form->period_type = raw.type;
    l->period_known = true;
    if (raw.type == BAO_PERIOD_ONCE)
        return read_once(l, map, &raw);
    ok = read_calendar(l, raw.calendar);
    for (size_t i = 0; i < BAO_COUNT(once_keys); i++) {
        const struct bao_member *m = bao_node_member(map, bao_str_c(once_keys[i]));

        if (m != NULL) {
            bao_finding_arg(bao_complain_key(&l->reader, BAO_BC_FORM_ONCE_ONLY, m), bao_member_key(m));
            ok = false;
        }
    }
    return ok;
}

/* ---- deadline and lock ---- */

struct deadline {
    const struct bao_node *kinds;
    int working_days, day, at;
    uint8_t month, roll;
};

static bool read_deadline(struct bao_form_loader *l, const struct bao_node *map, struct bao_deadline *ret)
{
    static const char *const months[] = {"last", "next", NULL};
    static const char *const rolls[] = {"next", "previous", "none", NULL};
    static const struct bao_field rows[] = {
        ROW(deadline, kinds, BAO_F_LIST, false),
        ROW(deadline, working_days, BAO_F_INT, false, 1, WORKING_DAYS_MAX, NULL),
        ROW(deadline, day, BAO_F_INT, false, 1, 31, NULL),
        ROW(deadline, month, BAO_F_WORD, false, 0, 0, months),
        ROW(deadline, roll, BAO_F_WORD, false, 0, 0, rolls),
        ROW(deadline, at, BAO_F_CLOCK, false),
    };
    struct deadline raw = {.at = 86400};
    bool months_long = l->form->period_type >= BAO_P_YEAR && l->form->period_type <= BAO_P_MONTH;

    if (!bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &raw))
        return false;
    if ((raw.working_days == 0) == (raw.day == 0) || (raw.day != 0 && !months_long)) {
        (void)bao_complain(&l->reader, BAO_BC_FORM_DEADLINE_SHAPE, map);
        return false;
    }
    *ret = (struct bao_deadline){.working_days = raw.working_days,
                                 .day = raw.day,
                                 .next_month = raw.month == 1,
                                 .on = BAO_DATE_NONE,
                                 .at = raw.at,
                                 .roll = raw.roll};
    return raw.kinds == NULL ||
           bao_texts_read(&l->reader, raw.kinds, "kinds", true, &ret->kinds, &ret->n_kinds);
}

static bool read_deadlines(struct bao_form_loader *l, const struct bao_node *value)
{
    bool is_list = value->type == BAO_LIST, ok = true;
    size_t n = is_list ? value->len : 1;
    struct bao_deadline *rows = bao_arena_array(&l->form->arena, n, sizeof(*rows));

    if (rows == NULL) {
        l->reader.findings->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < n; i++)
        ok &= read_deadline(l, is_list ? &value->items[i] : value, &rows[i]);
    l->form->deadlines = rows;
    l->form->n_deadlines = n;
    return ok;
}

static bool has_row(const struct bao_form *f, struct bao_str kind)
{
    for (size_t i = 0; i < f->n_deadlines; i++) {
        const struct bao_deadline *d = &f->deadlines[i];

        if (d->n_kinds == 0 || (kind.n != 0 && bao_kind_in(kind, d->kinds, d->n_kinds)))
            return true;
    }
    return false;
}

/* Every kind that reports must find its row; a form open to any kind needs a row open to any. */
static bool check_rows(struct bao_form_loader *l, const struct bao_node *value)
{
    const struct bao_form *f = l->form;
    bool ok = true;

    for (size_t i = 0; i < f->n_kinds; i++)
        if (!has_row(f, f->kinds[i])) {
            bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_DEADLINE_KIND, value), f->kinds[i]);
            ok = false;
        }
    if (f->n_kinds == 0 && !has_row(f, BAO_STR_NULL)) {
        (void)bao_complain(&l->reader, BAO_BC_FORM_DEADLINE_OPEN, value);
        ok = false;
    }
    return ok;
}

static struct bao_str date_text(struct bao_form_loader *l, bao_date d)
{
    char text[16];

    bao_date_print(d, text);
    return bao_arena_str(&l->form->arena, bao_str_c(text));
}

/* Decree 09/2019 Art. 8.5b, for the periods of two years and with weekends alone: holidays only move a rolled
 * deadline later. */
static bool check_early(struct bao_form_loader *l, const struct bao_node *row, const struct bao_deadline *d)
{
    static const struct bao_holidays none;
    struct bao_form *f = l->form;
    bao_date start = f->effective_from == BAO_DATE_NONE ? bao_date_make(2026, 1, 1) : f->effective_from;
    struct bao_period p = bao_period_at((enum bao_period_type)f->period_type, f->calendar, start);

    for (int i = 0; i < 24; i++, p = bao_period_next(p)) {
        bao_date from, cutoff, due, first;
        struct bao_finding *finding;
        char name[16];

        bao_period_window(p, f->calendar, &from, &cutoff);
        due = bao_time_date(bao_deadline_time(d, &none, cutoff, BAO_VN_OFFSET) - 1, BAO_VN_OFFSET);
        first = bao_working_days_after(&none, cutoff, 1);
        if (due >= first)
            continue;
        bao_period_print(p, name);
        finding = bao_complain(&l->reader, BAO_BC_FORM_DEADLINE_EARLY, row);
        bao_finding_arg(finding, bao_arena_str(&f->arena, bao_str_c(name)));
        bao_finding_arg(finding, date_text(l, due));
        bao_finding_arg(finding, date_text(l, first));
        return false;
    }
    return true;
}

struct lock {
    int working_days, days;
    uint8_t then;
};

static bool read_lock(struct bao_form_loader *l, const struct bao_node *map)
{
    static const char *const thens[] = {"refuse", "accept", "not-done", NULL};
    static const struct bao_field rows[] = {
        ROW(lock, working_days, BAO_F_INT, false, 0, WORKING_DAYS_MAX, NULL),
        ROW(lock, days, BAO_F_INT, false, 0, DAYS_MAX, NULL),
        ROW(lock, then, BAO_F_WORD, false, 0, 0, thens),
    };
    struct lock raw = {-1, -1, BAO_LOCK_REFUSE};

    if (map == NULL)
        return true;
    if (!bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &raw))
        return false;
    if ((raw.working_days >= 0 && raw.days >= 0) ||
        (raw.working_days < 0 && raw.days < 0 && raw.then != BAO_LOCK_ACCEPT)) {
        (void)bao_complain(&l->reader, BAO_BC_FORM_LOCK_SHAPE, map);
        return false;
    }
    l->form->lock = (struct bao_lock){.present = true,
                                      .working_days = raw.working_days,
                                      .days = raw.days < 0 ? 0 : raw.days,
                                      .then = raw.then};
    return true;
}

struct effective {
    bao_date from, to;
};

static bool read_effective(struct bao_form_loader *l, const struct bao_node *map)
{
    static const struct bao_field rows[] = {
        ROW(effective, from, BAO_F_DATE, false),
        ROW(effective, to, BAO_F_DATE, false),
    };
    struct effective raw = {BAO_DATE_NONE, BAO_DATE_NONE};
    struct bao_finding *finding;

    l->form->effective_from = l->form->effective_to = BAO_DATE_NONE;
    if (map == NULL)
        return true;
    if (!bao_fields_read(&l->reader, map, rows, BAO_COUNT(rows), &raw))
        return false;
    if (raw.from != BAO_DATE_NONE && raw.to != BAO_DATE_NONE && raw.from > raw.to) {
        finding = bao_complain(&l->reader, BAO_BC_FORM_EFFECTIVE, map);
        bao_finding_arg(finding, date_text(l, raw.from));
        bao_finding_arg(finding, date_text(l, raw.to));
        return false;
    }
    l->form->effective_from = raw.from;
    l->form->effective_to = raw.to;
    return true;
}

/* ---- the top ---- */

static bool read_times(struct bao_form_loader *l, const struct bao_form_top *top, const struct bao_node *root)
{
    bool ok = read_period(l, top->period);

    if (!l->period_known) /* nothing else can be told of times */
        return false;
    if (l->form->period_type == BAO_PERIOD_ONCE) {
        if (top->deadline != NULL) {
            (void)bao_complain(&l->reader, BAO_BC_FORM_ONCE_DEADLINE, top->deadline);
            return false;
        }
        return ok;
    }
    if (top->deadline == NULL) {
        bao_finding_arg(bao_complain(&l->reader, BAO_BC_FIELD_MISSING, root), BAO_STR("deadline"));
        return false;
    }
    if (!ok || !read_deadlines(l, top->deadline))
        return false;
    ok = check_rows(l, top->deadline);
    for (size_t i = 0; i < l->form->n_deadlines; i++)
        ok &= check_early(l, top->deadline->type == BAO_LIST ? &top->deadline->items[i] : top->deadline,
                          &l->form->deadlines[i]);
    return ok;
}

static bool check_id(struct bao_form_loader *l, const struct bao_node *root)
{
    const struct bao_node *id = bao_node_get(root, "id");

    if (is_id(l->form->id))
        return true;
    bao_finding_arg(bao_complain(&l->reader, BAO_BC_FORM_ID, id), l->form->id);
    return false;
}

static bool read_map(struct bao_form_loader *l, const struct bao_node *root, struct bao_form_top *top)
{
    static const char *const nils[] = {"refused", "allowed", NULL};
    static const char *const signs[] = {"optional", "required", NULL};
    static const struct bao_field rows[] = {
        {"baocao", BAO_F_INT, true, offsetof(struct bao_form_top, mark), 1, 1, NULL},
        ROW(bao_form_top, id, BAO_F_TEXT, true),
        ROW(bao_form_top, version, BAO_F_INT, true, 1, VERSION_MAX, NULL),
        ROW(bao_form_top, title, BAO_F_TEXT2, true),
        ROW(bao_form_top, basis, BAO_F_LIST, false),
        ROW(bao_form_top, programme, BAO_F_TEXT, false),
        ROW(bao_form_top, reporters, BAO_F_MAP, false),
        ROW(bao_form_top, period, BAO_F_MAP, true),
        ROW(bao_form_top, deadline, BAO_F_ANY, false),
        ROW(bao_form_top, lock, BAO_F_MAP, false),
        {"nil", BAO_F_WORD, false, offsetof(struct bao_form_top, nil), 0, 0, nils},
        {"signed", BAO_F_WORD, false, offsetof(struct bao_form_top, is_signed), 0, 0, signs},
        ROW(bao_form_top, effective, BAO_F_MAP, false),
        ROW(bao_form_top, schema, BAO_F_MAP, true),
        ROW(bao_form_top, checks, BAO_F_LIST, false, -1, 0, NULL),
        ROW(bao_form_top, indicators, BAO_F_LIST, false, -1, 0, NULL),
        ROW(bao_form_top, collect, BAO_F_LIST, false, -1, 0, NULL),
    };
    bool ok = bao_fields_read(&l->reader, root, rows, BAO_COUNT(rows), top);

    l->form->id = top->id;
    l->form->version = top->version;
    l->form->title = top->title;
    l->form->programme = top->programme;
    return ok;
}

bool bao_form_read_top(struct bao_form_loader *l, struct bao_form_top *ret_top)
{
    const struct bao_node *root = &l->form->doc.root;
    struct bao_form_top top = {.mark = 0};
    const struct bao_node *mark = root->type == BAO_MAP ? bao_node_get(root, "baocao") : NULL;
    bool ok;

    if (mark == NULL || mark->type != BAO_INT || mark->i != 1) {
        (void)bao_complain(&l->reader, BAO_BC_FORM_MARK, mark != NULL ? mark : root);
        return false;
    }
    ok = read_map(l, root, &top);
    if (l->form->id.n != 0)
        ok &= check_id(l, root);
    if (top.basis != NULL)
        ok &= bao_texts_read(&l->reader, top.basis, "basis", true, &l->form->basis, &l->form->n_basis);
    ok &= read_reporters(l, top.reporters);
    ok &= read_effective(l, top.effective);
    if (top.period != NULL)
        ok &= read_times(l, &top, root);
    ok &= read_lock(l, top.lock);
    l->form->nil_allowed = top.nil == 1;
    l->form->signed_required = top.is_signed == 1;
    l->form->schema_node = top.schema;
    *ret_top = top;
    return ok;
}
