#include "lib/form/form_dates.h"

#include "lib/text/catalogue.h"

enum { DATES_MAX = 24, LAST_DAY = 25, PERIODS_MAX = 5000 };

static bool in_force(const struct bao_form *form, bao_date cutoff)
{
    return (form->effective_from == BAO_DATE_NONE || cutoff >= form->effective_from) &&
           (form->effective_to == BAO_DATE_NONE || cutoff <= form->effective_to);
}

static bool is_after_25(bao_date cutoff, bao_date due_day)
{
    struct bao_ymd last = bao_date_split(cutoff);

    return last.day < LAST_DAY && due_day > bao_date_make(last.year, last.month, LAST_DAY);
}

static size_t add_rows(const struct bao_form *form, const struct bao_holidays *h, int offset,
                       struct bao_form_date date, bao_date today, struct bao_form_date *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < form->n_deadlines && n < size; i++) {
        bao_date day;

        date.row = &form->deadlines[i];
        date.due = bao_deadline_time(date.row, h, date.cutoff, offset);
        day = bao_time_date(date.due - 1, offset);
        if (day < today)
            continue;
        date.lock = form->lock.present && form->lock.then != BAO_LOCK_ACCEPT
                        ? bao_lock_time(&form->lock, h, date.due, offset)
                        : BAO_TIME_NONE;
        date.provisional = bao_deadline_is_provisional(h, date.due, offset);
        date.after_25 = form->period_type >= BAO_P_YEAR && form->period_type <= BAO_P_MONTH &&
                        is_after_25(date.cutoff, day);
        ret[n++] = date;
    }
    return n;
}

size_t bao_form_dates(const struct bao_form *form, const struct bao_holidays *h, int offset, bao_date today,
                      struct bao_form_date *ret, size_t size)
{
    struct bao_form_date date = {.from = form->once_from, .cutoff = form->once_to};
    size_t n = 0;

    if (form->period_type == BAO_PERIOD_ONCE) {
        date.period = bao_period_at(BAO_P_DAY, (struct bao_calendar){BAO_CAL_CIVIL, 0}, form->once_to);
        return add_rows(form, h, offset, date, today, ret, size);
    }
    /* A deadline may lie months behind its period: begin a year back. */
    date.period = bao_period_at((enum bao_period_type)form->period_type, form->calendar, today - 366);
    for (int i = 0; i < PERIODS_MAX && n < size; i++, date.period = bao_period_next(date.period)) {
        bao_period_window(date.period, form->calendar, &date.from, &date.cutoff);
        if (form->effective_to != BAO_DATE_NONE && date.cutoff > form->effective_to)
            break;
        if (in_force(form, date.cutoff))
            n += add_rows(form, h, offset, date, today, ret + n, size - n);
    }
    return n;
}

static void warn_date(const struct bao_form *form, const struct bao_form_date *date, int offset,
                      struct bao_findings *findings)
{
    const struct bao_node *at = bao_node_get(&form->doc.root, "deadline");
    struct bao_finding *f = bao_findings_add(findings, BAO_BC_FORM_DAY_25, BAO_WARNING,
                                             bao_node_place(at != NULL ? at : &form->doc.root));
    char period[16], due[16];

    bao_period_print(date->period, period);
    bao_date_print(bao_time_date(date->due - 1, offset), due);
    bao_finding_arg(f, bao_arena_str(findings->arena, bao_str_c(period)));
    bao_finding_arg(f, bao_arena_str(findings->arena, bao_str_c(due)));
}

/* The first is told: the others follow from the same row. */
static void warn_dates(const struct bao_form *form, const struct bao_holidays *h, int offset, bao_date today,
                       struct bao_findings *findings)
{
    struct bao_form_date dates[DATES_MAX];
    size_t n = bao_form_dates(form, h, offset, today, dates, DATES_MAX), i = 0;

    while (i < n && !dates[i].after_25)
        i++;
    if (i < n)
        warn_date(form, &dates[i], offset, findings);
}

/* Is the number 0.001 itself? */
static bool is_thousandth(const struct bao_node *value)
{
    int64_t scaled;

    return value->type == BAO_DEC && bao_num_scale(bao_node_num(value), 3, &scaled) == 0 && scaled == 1;
}

/* Depth is bounded by the loader. */
static void warn_thousandths(const struct bao_node *node, struct bao_findings *findings)
{
    for (uint32_t i = 0; node->type == BAO_MAP && i < node->len; i++) {
        const struct bao_member *m = &node->members[i];

        if (bao_str_is(bao_member_key(m), "multipleOf") && is_thousandth(&m->value))
            (void)bao_findings_add(findings, BAO_BC_FORM_THREE_DECIMALS_FIELD, BAO_WARNING,
                                   bao_node_place(&m->value));
        warn_thousandths(&m->value, findings);
    }
    for (uint32_t i = 0; node->type == BAO_LIST && i < node->len; i++)
        warn_thousandths(&node->items[i], findings);
}

void bao_form_warn(const struct bao_form *form, const struct bao_holidays *h, int offset, bao_date today,
                   struct bao_findings *findings)
{
    warn_dates(form, h, offset, today, findings);
    for (size_t i = 0; i < form->n_indicators; i++)
        if (!form->indicators[i].is_ratio && form->indicators[i].decimals == 3)
            bao_finding_arg(
                bao_findings_add(findings, BAO_BC_FORM_THREE_DECIMALS, BAO_WARNING, form->indicators[i].at),
                form->indicators[i].code);
    if (form->schema_node != NULL)
        warn_thousandths(form->schema_node, findings);
    bao_findings_sort(findings);
}
