#include "daemon/store/sync_rows.h"

#include "lib/base/crypto.h"

#include <inttypes.h>

/* A list being written. The first failure stays, so that rows are written without a check at each cell. */
struct list {
    struct bao_buf *out;
    int r;
    bool row, cell; /* something stands before the next row, the next cell */
};

static struct list begin(struct bao_buf *out)
{
    struct list l = {.out = out};

    l.r = bao_buf_append_c(out, "[");
    return l;
}

static int end(struct list *l)
{
    if (l->r == 0)
        l->r = bao_buf_append_c(l->out, l->row ? "}]" : "]");
    return l->r;
}

static void row(struct list *l)
{
    if (l->r == 0)
        l->r = bao_buf_append_c(l->out, l->row ? "},\n{" : "{");
    l->row = true;
    l->cell = false;
}

static void name(struct list *l, const char *key)
{
    if (l->r == 0)
        l->r = bao_buf_printf(l->out, "%s\"%s\":", l->cell ? "," : "", key);
    l->cell = true;
}

static void text(struct list *l, const char *key, struct bao_str value)
{
    name(l, key);
    if (l->r == 0)
        l->r = value.n == 0 && value.p == NULL ? bao_buf_append_c(l->out, "null")
                                               : bao_json_quote(l->out, value);
}

static void number(struct list *l, const char *key, int64_t value)
{
    name(l, key);
    if (l->r == 0)
        l->r = bao_buf_printf(l->out, "%" PRId64, value);
}

static void decimal(struct list *l, const char *key, bool present, struct bao_num value)
{
    name(l, key);
    if (l->r == 0)
        l->r = present ? bao_num_print(l->out, value) : bao_buf_append_c(l->out, "null");
}

/* An open end is infinity. */
static void day(struct list *l, const char *key, bao_date value)
{
    char written[16] = "infinity";

    if (value != BAO_DATE_NONE)
        bao_date_print(value, written);
    text(l, key, bao_str_c(written));
}

static void instant(struct list *l, const char *key, bao_time value)
{
    char written[40];

    if (value == BAO_TIME_NONE) {
        text(l, key, BAO_STR_NULL);
        return;
    }
    bao_time_print(value, 0, written);
    text(l, key, bao_str_c(written));
}

static void texts(struct list *l, const char *key, const struct bao_str *values, size_t n)
{
    name(l, key);
    for (size_t i = 0; i < n && l->r == 0; i++) {
        l->r = bao_buf_append_c(l->out, i == 0 ? "[" : ",");
        if (l->r == 0)
            l->r = bao_json_quote(l->out, values[i]);
    }
    if (l->r == 0)
        l->r = bao_buf_append_c(l->out, n == 0 ? "[]" : "]");
}

static void hex(struct list *l, const char *key, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *room;

    name(l, key);
    if (l->r != 0)
        return;
    room = bao_buf_room(l->out, 2 * n + 2);
    if (room == NULL) {
        l->r = -ENOMEM;
        return;
    }
    *room++ = '"';
    for (size_t i = 0; i < n; i++) {
        *room++ = digits[((const uint8_t *)p)[i] >> 4];
        *room++ = digits[((const uint8_t *)p)[i] & 15];
    }
    *room = '"';
    bao_buf_trim(l->out, 2 * n + 2);
}

static struct bao_str or (struct bao_str a, struct bao_str b)
{
    return a.n != 0 ? a : b;
}

int baod_rows_units(struct bao_buf *out, const struct bao_registry *registry)
{
    struct list l = begin(out);

    for (size_t i = 0; i < registry->n_units; i++) {
        const struct bao_unit *u = &registry->units[i];

        row(&l);
        text(&l, "code", u->code);
        text(&l, "kind", u->kind);
        text(&l, "name_vi", u->name);
        text(&l, "name_en", or (u->name_en, u->name));
        day(&l, "from_day", u->from);
        day(&l, "to_day", u->to);
        texts(&l, "groups", u->groups, u->n_groups);
    }
    return end(&l);
}

int baod_rows_successions(struct bao_buf *out, const struct bao_registry *registry)
{
    struct list l = begin(out);

    for (size_t i = 0; i < registry->n_units; i++)
        for (size_t k = 0; k < registry->units[i].n_was; k++) {
            const struct bao_was *was = &registry->units[i].was[k];

            row(&l);
            text(&l, "code", registry->units[i].code);
            text(&l, "predecessor", was->code);
            day(&l, "from_day", registry->units[i].from);
            decimal(&l, "share", !was->whole, was->share);
        }
    return end(&l);
}

int baod_rows_scopes(struct bao_buf *out, const struct bao_registry *registry)
{
    struct list l = begin(out);

    for (size_t i = 0; i < registry->n_scopes; i++) {
        const struct bao_scope *s = &registry->scopes[i];

        row(&l);
        text(&l, "id", s->id);
        number(&l, "type", s->type);
        text(&l, "name_vi", s->name);
        text(&l, "name_en", or (s->name_en, s->name));
    }
    return end(&l);
}

int baod_rows_members(struct bao_buf *out, const struct bao_registry *registry)
{
    struct list l = begin(out);

    for (size_t i = 0; i < registry->n_memberships; i++) {
        const struct bao_membership *m = &registry->memberships[i];

        row(&l);
        text(&l, "scope", registry->scopes[m->scope].id);
        text(&l, "unit", registry->units[m->unit].code);
        day(&l, "from_day", m->from);
        day(&l, "to_day", m->to);
    }
    return end(&l);
}

int baod_rows_forms(struct bao_buf *out, const struct bao_forms *forms)
{
    struct list l = begin(out);
    uint8_t sha256[BAO_SHA256_LEN];

    for (size_t i = 0; i < forms->n; i++) {
        const struct bao_form *f = forms->items[i];

        bao_sha256(f->doc.source.p, f->doc.source.n, sha256);
        row(&l);
        text(&l, "id", f->id);
        number(&l, "version", f->version);
        text(&l, "title_vi", f->title.vi);
        text(&l, "title_en", or (f->title.en, f->title.vi));
        text(&l, "programme", f->programme);
        number(&l, "period_type", f->period_type);
        day(&l, "effective_from", f->effective_from);
        day(&l, "effective_to", f->effective_to);
        hex(&l, "sha256", sha256, sizeof(sha256));
        hex(&l, "source", f->doc.source.p, f->doc.source.n);
    }
    return end(&l);
}

static void indicator(struct list *l, const struct bao_form *f, size_t i)
{
    static const char *const times[] = {
        [BAO_OVER_SUM] = "sum", [BAO_OVER_LAST] = "last", [BAO_OVER_NONE] = "none"};
    const struct bao_indicator *x = &f->indicators[i];

    row(l);
    text(l, "form", f->id);
    number(l, "version", f->version);
    number(l, "place", (int64_t)i);
    text(l, "code", x->code);
    number(l, "width", x->is_ratio ? 2 : 1);
    number(l, "decimals", x->is_ratio ? f->indicators[x->of].decimals : x->decimals);
    if (x->is_ratio)
        number(l, "decimals_to", f->indicators[x->to].decimals);
    text(l, "over_units", x->over_units == BAO_OVER_NONE ? BAO_STR("none") : BAO_STR("sum"));
    text(l, "over_time", bao_str_c(times[x->over_time]));
    name(l, "percent");
    if (l->r == 0)
        l->r = bao_buf_append_c(l->out, x->percent ? "true" : "false");
    text(l, "label_vi", x->label.vi);
    text(l, "label_en", or (x->label.en, x->label.vi));
    text(l, "measure_vi", x->measure.vi);
    text(l, "measure_en", x->measure.en);
    number(l, "direction", x->direction);
    decimal(l, "alert_below", x->has_alert_below, x->alert_below);
    decimal(l, "alert_above", x->has_alert_above, x->alert_above);
    text(l, "same_as", x->same_as);
}

int baod_rows_indicators(struct bao_buf *out, const struct bao_forms *forms)
{
    struct list l = begin(out);

    for (size_t i = 0; i < forms->n; i++)
        for (size_t k = 0; k < forms->items[i]->n_indicators; k++)
            indicator(&l, forms->items[i], k);
    return end(&l);
}

/* The file's targets come after the forms' own, but name a scope or a unit, so that keys never clash. */
int baod_rows_targets(struct bao_buf *out, const struct baod_snapshot *snapshot)
{
    const struct bao_registry *registry = &snapshot->registry;
    struct list l = begin(out);

    for (size_t i = 0; i < snapshot->forms.n; i++) {
        const struct bao_form *f = snapshot->forms.items[i];

        for (size_t k = 0; k < f->n_indicators; k++)
            for (size_t t = 0; t < f->indicators[k].n_targets; t++) {
                row(&l);
                text(&l, "form", f->id);
                number(&l, "version", f->version);
                text(&l, "code", f->indicators[k].code);
                number(&l, "year", f->indicators[k].targets[t].year);
                decimal(&l, "value", true, f->indicators[k].targets[t].value);
            }
    }
    for (size_t i = 0; i < registry->n_targets; i++) {
        const struct bao_target *t = &registry->targets[i];

        row(&l);
        text(&l, "form", t->form);
        number(&l, "version", INT32_MAX);
        text(&l, "code", t->code);
        number(&l, "year", t->year);
        text(&l, "scope", t->scope.n == 0 ? BAO_STR_NULL : t->scope);
        text(&l, "unit", t->unit.n == 0 ? BAO_STR_NULL : t->unit);
        decimal(&l, "value", true, t->value);
    }
    return end(&l);
}

int baod_rows_obligations(struct bao_buf *out, const struct bao_obligations *obligations,
                          const struct bao_registry *registry)
{
    struct list l = begin(out);

    for (size_t i = 0; i < obligations->n; i++) {
        const struct bao_obligation *o = &obligations->items[i];

        row(&l);
        text(&l, "unit", registry->units[o->unit].code);
        text(&l, "form", o->form->id);
        number(&l, "period", bao_period_code(o->period));
        day(&l, "cutoff", o->cutoff);
        instant(&l, "due_at", o->due);
        instant(&l, "lock_at", o->lock);
        name(&l, "provisional");
        if (l.r == 0)
            l.r = bao_buf_append_c(out, o->provisional ? "true" : "false");
    }
    return end(&l);
}

int baod_rows_periods(struct bao_buf *out, const struct bao_obligations *obligations)
{
    struct list l = begin(out);

    for (size_t i = 0; i < obligations->n; i++) {
        const struct bao_obligation *o = &obligations->items[i], *before = i == 0 ? NULL : o - 1;
        char label[16], vi[64], en[64];

        /* Items come by form and period. */
        if (before != NULL && bao_str_eq(before->form->id, o->form->id) &&
            bao_period_code(before->period) == bao_period_code(o->period))
            continue;
        bao_period_print(o->period, label);
        bao_period_title(o->period, vi, en);
        row(&l);
        text(&l, "form", o->form->id);
        number(&l, "period", bao_period_code(o->period));
        text(&l, "label", bao_str_c(label));
        day(&l, "from_day", o->from);
        day(&l, "to_day", o->cutoff);
        text(&l, "title_vi", bao_str_c(vi));
        text(&l, "title_en", bao_str_c(en));
    }
    return end(&l);
}
