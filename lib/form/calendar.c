#include "lib/form/calendar.h"

#include "lib/base/error.h"
#include "lib/text/catalogue.h"

enum { HOLIDAY_DAYS_MAX = 60 };

/* ---- reading holidays.yaml ---- */

struct holiday_file {
    bao_date known_to;
    const struct bao_node *holidays, *working;
};

static const struct bao_field file_fields[] = {
    {"known_to", BAO_F_DATE, true, offsetof(struct holiday_file, known_to), 0, 0, NULL},
    {"holidays", BAO_F_LIST, true, offsetof(struct holiday_file, holidays), 0, 0, NULL},
    {"working", BAO_F_LIST, false, offsetof(struct holiday_file, working), -1, 0, NULL},
};

static const struct bao_field holiday_fields[] = {
    {"from", BAO_F_DATE, true, offsetof(struct bao_holiday, from), 0, 0, NULL},
    {"to", BAO_F_DATE, false, offsetof(struct bao_holiday, to), 0, 0, NULL},
    {"name", BAO_F_TEXT2, true, offsetof(struct bao_holiday, name), 0, 0, NULL},
    {"basis", BAO_F_TEXT, false, offsetof(struct bao_holiday, basis), 0, 0, NULL},
};

static void print_range(const struct bao_reader *r, struct bao_finding *f, bao_date from, bao_date to)
{
    char a[16], b[16];

    bao_date_print(from, a);
    bao_date_print(to, b);
    bao_finding_arg(f, bao_arena_printf(r->arena, "%s", a));
    bao_finding_arg(f, bao_arena_printf(r->arena, "%s", b));
}

static bool read_holiday(const struct bao_reader *r, const struct bao_node *node, struct bao_holiday *ret)
{
    *ret = (struct bao_holiday){.from = BAO_DATE_NONE, .to = BAO_DATE_NONE};
    if (!bao_fields_read(r, node, holiday_fields, BAO_COUNT(holiday_fields), ret))
        return false;
    if (ret->from == BAO_DATE_NONE) {
        bao_finding_arg(bao_complain(r, BAO_BC_FIELD_MISSING, node), BAO_STR("from"));
        return false;
    }
    if (ret->to == BAO_DATE_NONE)
        ret->to = ret->from;
    if (ret->to < ret->from) {
        print_range(r, bao_complain(r, BAO_BC_HOLIDAY_BACKWARD, node), ret->from, ret->to);
        return false;
    }
    if (ret->to - ret->from >= HOLIDAY_DAYS_MAX) {
        print_range(r, bao_complain(r, BAO_BC_HOLIDAY_LONG, node), ret->from, ret->to);
        return false;
    }
    return true;
}

/* Puts a holiday where it belongs; false when it overlaps another. Files are written nearly in order. */
static bool insert_holiday(struct bao_holidays *h, struct bao_holiday x, const struct bao_holiday **ret_other)
{
    size_t at = h->n_off;

    while (at > 0 && h->off[at - 1].from > x.from)
        at--;
    if (at > 0 && h->off[at - 1].to >= x.from) {
        *ret_other = &h->off[at - 1];
        return false;
    }
    if (at < h->n_off && h->off[at].from <= x.to) {
        *ret_other = &h->off[at];
        return false;
    }
    memmove(&h->off[at + 1], &h->off[at], (h->n_off - at) * sizeof(*h->off));
    h->off[at] = x;
    h->n_off++;
    return true;
}

static void read_off(const struct bao_reader *r, const struct bao_node *list, struct bao_holidays *h)
{
    for (uint32_t i = 0; i < list->len; i++) {
        const struct bao_holiday *other;
        struct bao_finding *f;
        struct bao_holiday x;

        if (!read_holiday(r, &list->items[i], &x))
            continue;
        if (x.to > h->known_to) {
            print_range(r, bao_complain(r, BAO_BC_HOLIDAY_UNKNOWN, &list->items[i]), x.to, h->known_to);
        } else if (!insert_holiday(h, x, &other)) {
            f = bao_complain(r, BAO_BC_HOLIDAY_OVERLAP, &list->items[i]);
            bao_finding_arg(f, x.name.vi);
            bao_finding_arg(f, other->name.vi);
        }
    }
}

static const struct bao_holiday *holiday_on(const struct bao_holidays *h, bao_date d)
{
    size_t low = 0, high = h->n_off;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (h->off[middle].to < d)
            low = middle + 1;
        else
            high = middle;
    }
    return low < h->n_off && h->off[low].from <= d ? &h->off[low] : NULL;
}

static bool is_worked(const struct bao_holidays *h, bao_date d)
{
    for (size_t i = 0; i < h->n_working; i++)
        if (h->working[i] == d)
            return true;
    return false;
}

static void read_working(const struct bao_reader *r, const struct bao_node *list, struct bao_holidays *h)
{
    static const struct bao_field one = {"working", BAO_F_DATE, true, 0, 0, 0, NULL};

    for (uint32_t i = 0; i < list->len; i++) {
        const struct bao_node *node = &list->items[i];
        bao_date d = BAO_DATE_NONE;
        unsigned code = 0;

        if (!bao_field_read(r, node, &one, &d))
            continue;
        if (d == BAO_DATE_NONE || bao_date_weekday(d) < 5)
            code = BAO_BC_WORKING_WEEKDAY;
        else if (holiday_on(h, d) != NULL)
            code = BAO_BC_WORKING_HOLIDAY;
        else if (is_worked(h, d))
            code = BAO_BC_FIELD_TWICE;
        if (code != 0)
            bao_finding_arg(bao_complain(r, code, node), bao_spelling(r, node));
        else
            h->working[h->n_working++] = d;
    }
}

int bao_holidays_load(const struct bao_reader *r, struct bao_holidays *ret)
{
    struct holiday_file file = {.known_to = BAO_DATE_NONE};
    size_t before = r->findings->by_severity[BAO_ERROR];
    struct bao_holidays h = {.n_off = 0};

    if (!bao_fields_read(r, r->root, file_fields, BAO_COUNT(file_fields), &file))
        return r->findings->no_memory ? -ENOMEM : BAO_CALENDAR_E_BAD;
    if (file.known_to == BAO_DATE_NONE) {
        bao_finding_arg(bao_complain(r, BAO_BC_FIELD_MISSING, r->root), BAO_STR("known_to"));
        return BAO_CALENDAR_E_BAD;
    }
    h.known_to = file.known_to;
    h.off = bao_arena_array(r->arena, file.holidays->len, sizeof(*h.off));
    h.working = bao_arena_array(r->arena, file.working == NULL ? 0 : file.working->len, sizeof(*h.working));
    if (h.off == NULL || h.working == NULL)
        return -ENOMEM;
    read_off(r, file.holidays, &h);
    if (file.working != NULL)
        read_working(r, file.working, &h);
    if (r->findings->by_severity[BAO_ERROR] != before)
        return r->findings->no_memory ? -ENOMEM : BAO_CALENDAR_E_BAD;
    *ret = h;
    return 0;
}

/* ---- days ---- */

bool bao_is_working_day(const struct bao_holidays *h, bao_date d)
{
    if (bao_date_weekday(d) >= 5)
        return is_worked(h, d);
    return holiday_on(h, d) == NULL;
}

bao_date bao_working_days_after(const struct bao_holidays *h, bao_date d, int n)
{
    while (n > 0)
        if (bao_is_working_day(h, ++d))
            n--;
    return d;
}

int bao_working_days_between(const struct bao_holidays *h, bao_date a, bao_date b)
{
    int n = 0;

    while (a < b)
        n += bao_is_working_day(h, ++a);
    return n;
}

/* ---- the clocks ---- */

static bao_date day_of_month(const struct bao_deadline *d, bao_date cutoff)
{
    struct bao_ymd x = bao_date_split(cutoff);
    int last;

    if (d->next_month && ++x.month == 13) {
        x.month = 1;
        x.year++;
    }
    last = bao_month_days(x.year, x.month);
    return bao_date_make(x.year, x.month, d->day < last ? d->day : last);
}

bao_date bao_deadline_day(const struct bao_deadline *d, const struct bao_holidays *h, bao_date cutoff)
{
    bao_date day;

    if (d->working_days > 0)
        return bao_working_days_after(h, cutoff, d->working_days);
    day = d->on != BAO_DATE_NONE ? d->on : day_of_month(d, cutoff);
    if (d->roll != BAO_ROLL_NONE)
        while (!bao_is_working_day(h, day))
            day += d->roll == BAO_ROLL_NEXT ? 1 : -1;
    return day;
}

bao_time bao_deadline_time(const struct bao_deadline *d, const struct bao_holidays *h, bao_date cutoff,
                           int offset)
{
    return bao_time_make(bao_deadline_day(d, h, cutoff), d->at, offset);
}

/* 24:00 is the first instant of the next day, but it belongs to the day before. */
static bao_date day_of_due(bao_time due, int offset)
{
    return bao_time_date(due - 1, offset);
}

bao_time bao_lock_time(const struct bao_lock *lock, const struct bao_holidays *h, bao_time due, int offset)
{
    bao_date day = day_of_due(due, offset);

    if (!lock->present || lock->then == BAO_LOCK_ACCEPT)
        return BAO_TIME_NONE;
    day = lock->working_days >= 0 ? bao_working_days_after(h, day, lock->working_days) : day + lock->days;
    return bao_time_make(day, 86400, offset);
}

bool bao_deadline_is_provisional(const struct bao_holidays *h, bao_time due, int offset)
{
    return day_of_due(due, offset) > h->known_to;
}
