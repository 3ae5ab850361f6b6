#include "lib/form/form.h"

#include "lib/base/error.h"

bool bao_form_window(const struct bao_form *form, struct bao_period p, bao_date *ret_from, bao_date *ret_to)
{
    bao_date from, to;

    if (form->period_type == BAO_PERIOD_ONCE) {
        if (p.type != BAO_P_DAY)
            return false;
        bao_period_window(p, (struct bao_calendar){BAO_CAL_CIVIL, 0}, &from, &to);
        if (to != form->once_to)
            return false;
        from = form->once_from;
    } else {
        if (p.type != form->period_type)
            return false;
        bao_period_window(p, form->calendar, &from, &to);
    }
    *ret_from = from;
    *ret_to = to;
    return true;
}

int32_t bao_form_looks_from(const struct bao_form *form, const struct bao_registry *r, struct bao_str unit,
                            bao_date cutoff)
{
    bao_date since = bao_registry_since(r, unit, cutoff), from, to;
    struct bao_period first;

    if (since == BAO_DATE_NONE || form->period_type == BAO_PERIOD_ONCE)
        return 0;
    first = bao_period_at(form->period_type, form->calendar, since);
    bao_period_window(first, form->calendar, &from, &to);
    /* Nine months leave out the last quarter of their year. */
    return bao_period_code(to < since ? bao_period_next(first) : first);
}

const struct bao_form *bao_forms_get(const struct bao_forms *forms, struct bao_str id,
                                     struct bao_period period, bool *ret_known)
{
    const struct bao_form *best = NULL;
    bool known = false;

    for (size_t i = 0; i < forms->n; i++) {
        const struct bao_form *f = forms->items[i];
        bao_date from, to;

        if (!bao_str_eq(f->id, id))
            continue;
        known = true;
        if (!bao_form_window(f, period, &from, &to) ||
            (f->effective_from != BAO_DATE_NONE && to < f->effective_from) ||
            (f->effective_to != BAO_DATE_NONE && to > f->effective_to))
            continue;
        if (best == NULL || f->version > best->version)
            best = f;
    }
    *ret_known = known;
    return best;
}

bool bao_form_owes(const struct bao_form *form, const struct bao_unit *unit, bao_date cutoff)
{
    bool in_group = form->n_groups == 0;

    if (unit->from > cutoff || (unit->to != BAO_DATE_NONE && unit->to < cutoff))
        return false;
    for (size_t i = 0; i < unit->n_groups && !in_group; i++)
        in_group = bao_kind_in(unit->groups[i], form->groups, form->n_groups);
    return in_group && (form->n_kinds == 0 || bao_kind_in(unit->kind, form->kinds, form->n_kinds)) &&
           (form->n_only == 0 || bao_kind_in(unit->code, form->only, form->n_only)) &&
           !bao_kind_in(unit->code, form->except, form->n_except);
}

void bao_form_times(const struct bao_form *form, const struct bao_holidays *h, int offset,
                    struct bao_str kind, bao_date cutoff, bao_time *ret_due, bao_time *ret_lock)
{
    bao_time due = BAO_TIME_NONE, lock = BAO_TIME_NONE;

    for (size_t i = 0; i < form->n_deadlines && due == BAO_TIME_NONE; i++) {
        const struct bao_deadline *d = &form->deadlines[i];

        if (d->n_kinds == 0 || bao_kind_in(kind, d->kinds, d->n_kinds))
            due = bao_deadline_time(d, h, cutoff, offset);
    }
    if (due != BAO_TIME_NONE && form->lock.present && form->lock.then != BAO_LOCK_ACCEPT)
        lock = bao_lock_time(&form->lock, h, due, offset);
    *ret_due = due;
    *ret_lock = lock;
}
