#include "daemon/config/forms_check.h"

#include "lib/form/form_dates.h"
#include "lib/text/catalogue.h"

enum { DATES = 24, WARNINGS = 100 };

static const char *const rolled[BAO_LANGS] = {" (tạm tính)", " (provisional)"};
static const char *const weekdays[BAO_LANGS][7] = {
    {"thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"},
    {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
};

/* "thứ Tư 2026-09-16 17:00"; midnight belongs to the day it ends. */
static int put_instant(struct bao_buf *out, bao_time t, int offset, enum bao_lang lang)
{
    bao_date day = bao_time_date(t - 1, offset);
    bool midnight = t == bao_time_make(day + 1, 0, offset);
    char date[16], clock[40];

    bao_date_print(day, date);
    bao_time_print(t, offset, clock);
    return bao_buf_printf(out, "%s %s %.5s", weekdays[lang][bao_date_weekday(day)], date,
                          midnight ? "24:00" : clock + 11);
}

static int put_date(struct bao_buf *out, const struct bao_form_date *d, int offset, enum bao_lang lang)
{
    char period[16], from[16], cutoff[16];
    int r;

    bao_period_print(d->period, period);
    bao_date_print(d->from, from);
    bao_date_print(d->cutoff, cutoff);
    r = bao_buf_printf(out, "  %-10s %s – %s  ", period, from, cutoff);
    if (r == 0)
        r = put_instant(out, d->due, offset, lang);
    if (r == 0 && d->provisional)
        r = bao_buf_append_c(out, rolled[lang]);
    for (size_t i = 0; i < d->row->n_kinds && r == 0; i++)
        r = bao_buf_printf(out, "%s%.*s", i == 0 ? "  " : ", ", BAO_STR_ARG(d->row->kinds[i]));
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

static int put_form(struct bao_buf *out, const struct baod_snapshot *s, const struct bao_form *form,
                    bao_date today, enum bao_lang lang)
{
    const struct bao_registry *registry = &s->registry;
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_str title = lang == BAO_EN && form->title.en.n != 0 ? form->title.en : form->title.vi;
    struct bao_form_date dates[DATES];
    struct bao_findings warnings;
    size_t n = bao_form_dates(form, &registry->holidays, registry->offset, today, dates, DATES);
    int r = bao_buf_printf(out, "%.*s v%d: %.*s\n", BAO_STR_ARG(form->id), form->version, BAO_STR_ARG(title));

    for (size_t i = 0; i < n && r == 0; i++)
        r = put_date(out, &dates[i], registry->offset, lang);
    bao_findings_init(&warnings, &arena, WARNINGS);
    bao_form_warn(form, &registry->holidays, registry->offset, today, &warnings);
    if (r == 0 && warnings.n != 0)
        r = bao_text_render_all(out, &warnings, form->file, form->doc.source, lang, WARNINGS);
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

int baod_forms_check(const struct baod_snapshot *s, bao_date today, enum bao_lang lang, struct bao_buf *out)
{
    int r = 0;

    for (size_t i = 0; i < s->forms.n && r == 0; i++)
        r = put_form(out, s, s->forms.items[i], today, lang);
    for (size_t i = 0; i < s->n_left_out && r == 0; i++)
        r = bao_buf_printf(
            out,
            lang == BAO_VI ? "%.*s v%d: không dùng, vì programmes.yaml của tỉnh không có chương trình "
                             "%.*s\n"
                           : "%.*s v%d: not used, the province's programmes.yaml does not list %.*s\n",
            BAO_STR_ARG(s->left_out[i].form), s->left_out[i].version, BAO_STR_ARG(s->left_out[i].programme));
    return r;
}
