#include "lib/form/obligation.h"

#include "lib/base/error.h"

/* ---- the list ---- */

struct lister {
    struct bao_arena *arena;
    const struct bao_forms *forms;
    const struct bao_registry *registry;
    const struct bao_units_chosen *chosen; /* NULL: all units */
    bao_date from, to;
    struct bao_obligations list;
    size_t size;
};

const struct bao_deadline *bao_form_deadline(const struct bao_form *form, struct bao_str kind)
{
    for (size_t i = 0; i < form->n_deadlines; i++)
        if (form->deadlines[i].n_kinds == 0 ||
            bao_kind_in(kind, form->deadlines[i].kinds, form->deadlines[i].n_kinds))
            return &form->deadlines[i];
    return NULL;
}

bool bao_obligation_make(const struct bao_form *form, const struct bao_registry *registry, uint32_t unit,
                         struct bao_period period, struct bao_obligation *ret)
{
    const struct bao_unit *u = &registry->units[unit];
    struct bao_obligation o = {.form = form, .unit = unit, .period = period};

    if (!bao_form_window(form, period, &o.from, &o.cutoff) || !bao_form_owes(form, u, o.cutoff))
        return false;
    bao_form_times(form, &registry->holidays, registry->offset, u->kind, o.cutoff, &o.due, &o.lock);
    o.provisional =
        o.due != BAO_TIME_NONE && bao_deadline_is_provisional(&registry->holidays, o.due, registry->offset);
    *ret = o;
    return true;
}

static int add(struct lister *l, const struct bao_obligation *o)
{
    if (l->list.n == l->size) {
        size_t size = l->size == 0 ? 256 : l->size * 2;
        struct bao_obligation *more = bao_arena_array(l->arena, size, sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        if (l->list.n != 0)
            memcpy(more, l->list.items, l->list.n * sizeof(*more));
        l->list.items = more;
        l->size = size;
    }
    l->list.items[l->list.n++] = *o;
    return 0;
}

/* All units asked for in one period, if this version is the one in force for it. */
static int list_period(struct lister *l, const struct bao_form *form, struct bao_period period)
{
    size_t n = l->chosen != NULL ? l->chosen->n : l->registry->n_units;
    struct bao_obligation o;
    bool known;
    int r = 0;

    if (bao_forms_get(l->forms, form->id, period, &known) != form)
        return 0;
    for (uint32_t i = 0; i < n && r == 0; i++)
        if (bao_obligation_make(form, l->registry, l->chosen != NULL ? l->chosen->units[i] : i, period, &o))
            r = add(l, &o);
    return r;
}

static int list_form(struct lister *l, const struct bao_form *form)
{
    static const struct bao_calendar civil = {BAO_CAL_CIVIL, 0};
    struct bao_period p;
    bao_date from, to;
    int r = 0;

    if (form->period_type == BAO_PERIOD_ONCE) {
        if (form->once_to < l->from || form->once_to > l->to)
            return 0;
        return list_period(l, form, bao_period_at(BAO_P_DAY, civil, form->once_to));
    }
    p = bao_period_at(form->period_type, form->calendar, l->from);
    for (bao_period_window(p, form->calendar, &from, &to); to <= l->to && r == 0;
         bao_period_window(p, form->calendar, &from, &to)) {
        if (to >=
            l->from) /* nine months end before the last quarter, which may hold the first day asked for */
            r = list_period(l, form, p);
        p = bao_period_next(p);
    }
    return r;
}

int bao_obligations_list(struct bao_arena *arena, const struct bao_forms *forms,
                         const struct bao_registry *registry, bao_date from, bao_date to,
                         struct bao_obligations *ret)
{
    return bao_obligations_of(arena, forms, registry, NULL, from, to, ret);
}

int bao_obligations_of(struct bao_arena *arena, const struct bao_forms *forms,
                       const struct bao_registry *registry, const struct bao_units_chosen *chosen,
                       bao_date from, bao_date to, struct bao_obligations *ret)
{
    struct lister l = {
        .arena = arena, .forms = forms, .registry = registry, .chosen = chosen, .from = from, .to = to};

    for (size_t i = 0; i < forms->n; i++) {
        int r = list_form(&l, forms->items[i]);

        if (r != 0)
            return r;
    }
    *ret = l.list;
    return 0;
}

/* ---- why ---- */

void bao_day_print(bao_date d, enum bao_lang lang, char ret[24])
{
    struct bao_ymd x = bao_date_split(d);

    if (lang == BAO_VI)
        (void)snprintf(ret, 24, "%d/%d/%d", x.day, x.month, x.year);
    else
        bao_date_print(d, ret);
}

void bao_moment_print(bao_time t, int offset, enum bao_lang lang, char ret[64])
{
    bao_date d = bao_time_date(t - 1, offset);
    int minute = (int)((t - bao_time_make(d, 0, offset)) / (60 * BAO_SECOND));
    char day[24];

    bao_day_print(d, lang, day);
    (void)snprintf(ret, 64, lang == BAO_VI ? "%02d:%02d ngày %s" : "%02d:%02d on %s", minute / 60 % 100,
                   minute % 60, day);
}

/* The clause of Decree 09 that sets the window; "" when none does. */
static const char *article_of(const struct bao_form *form, enum bao_lang lang)
{
    static const char *const clauses[][BAO_LANGS] = {
        [BAO_P_YEAR] = {" (khoản 4 Điều 12 Nghị định 09/2019/NĐ-CP)", " (Decree 09/2019/ND-CP Art. 12.4)"},
        [BAO_P_HALF] = {" (khoản 3 Điều 12 Nghị định 09/2019/NĐ-CP)", " (Decree 09/2019/ND-CP Art. 12.3)"},
        [BAO_P_QUARTER] = {" (khoản 2 Điều 12 Nghị định 09/2019/NĐ-CP)", " (Decree 09/2019/ND-CP Art. 12.2)"},
        [BAO_P_NINE] = {" (theo cách tính của Điều 12 Nghị định 09/2019/NĐ-CP)",
                        " (counted as in Decree 09/2019/ND-CP Art. 12)"},
        [BAO_P_MONTH] = {" (khoản 1 Điều 12 Nghị định 09/2019/NĐ-CP)", " (Decree 09/2019/ND-CP Art. 12.1)"},
    };

    if (form->calendar.kind != BAO_CAL_ND09 || form->period_type < BAO_P_YEAR ||
        form->period_type > BAO_P_MONTH)
        return "";
    return clauses[form->period_type][lang];
}

static int why_cutoff(struct bao_buf *out, const struct bao_obligation *o, enum bao_lang lang)
{
    char from[24], to[24];

    bao_day_print(o->from, lang, from);
    bao_day_print(o->cutoff, lang, to);
    return bao_buf_printf(out,
                          lang == BAO_VI ? "Số liệu tính từ ngày %s đến hết ngày %s%s."
                                         : "Figures from %s to the end of %s%s.",
                          from, to, article_of(o->form, lang));
}

/* What the form says of the deadline, as words after "hạn gửi là …". */
static int why_rule(struct bao_buf *out, const struct bao_deadline *d, enum bao_lang lang)
{
    static const char *const rolls[][BAO_LANGS] = {
        [BAO_ROLL_NEXT] = {", gặp ngày nghỉ thì lùi sang ngày làm việc tiếp theo (Điều 148 Bộ luật Dân sự)",
                           ", moved to the next working day when it is a day off (Civil Code Art. 148)"},
        [BAO_ROLL_PREVIOUS] = {", gặp ngày nghỉ thì gửi trước vào ngày làm việc liền trước",
                               ", moved to the working day before when it is a day off"},
        [BAO_ROLL_NONE] = {"", ""},
    };

    if (d->working_days > 0 && lang == BAO_VI)
        return bao_buf_printf(
            out, "%d ngày làm việc sau ngày chốt số liệu (điểm b khoản 5 Điều 8 Nghị định 09/2019/NĐ-CP)",
            d->working_days);
    if (d->working_days > 0)
        return bao_buf_printf(out, "%d %s after the cut-off (Decree 09/2019/ND-CP Art. 8.5b)",
                              d->working_days, bao_plural(d->working_days, "working day", "working days"));
    if (d->on != BAO_DATE_NONE)
        return bao_buf_printf(out,
                              lang == BAO_VI
                                  ? "ngày do cơ quan yêu cầu báo cáo ấn định (điểm c khoản 5 Điều 8 Nghị "
                                    "định 09/2019/NĐ-CP)%s"
                                  : "the day set by the body that asks (Decree 09/2019/ND-CP Art. 8.5c)%s",
                              rolls[d->roll][lang]);
    if (lang == BAO_VI)
        return bao_buf_printf(out, "ngày %d của %s%s (khoản 2 Điều 13 Nghị định 09/2019/NĐ-CP)", d->day,
                              d->next_month ? "tháng sau kỳ báo cáo" : "tháng cuối kỳ báo cáo",
                              rolls[d->roll][lang]);
    return bao_buf_printf(out, "day %d of %s%s (Decree 09/2019/ND-CP Art. 13.2)", d->day,
                          d->next_month ? "the month after the period" : "the period's last month",
                          rolls[d->roll][lang]);
}

static int why_due(struct bao_buf *out, const struct bao_obligation *o, const struct bao_registry *registry,
                   enum bao_lang lang)
{
    const struct bao_deadline *d = bao_form_deadline(o->form, registry->units[o->unit].kind);
    char due[64];
    int r;

    if (d == NULL || o->due == BAO_TIME_NONE)
        return bao_buf_append_c(out, lang == BAO_VI ? " Biểu mẫu không đặt thời hạn cho loại đơn vị này."
                                                    : " The form sets no deadline for this kind of unit.");
    bao_moment_print(o->due, registry->offset, lang, due);
    r = bao_buf_append_c(out, lang == BAO_VI ? " Hạn gửi là " : " Due ");
    if (r == 0)
        r = why_rule(out, d, lang);
    if (r == 0)
        r = bao_buf_printf(out, lang == BAO_VI ? ", tức %s." : ", that is %s.", due);
    if (r == 0 && o->provisional)
        r = bao_buf_append_c(out, lang == BAO_VI ? " Ngày này là tạm tính vì lịch nghỉ chưa công bố đủ."
                                                 : " This is provisional: not all holidays are known yet.");
    return r;
}

static int why_lock(struct bao_buf *out, const struct bao_obligation *o, const struct bao_registry *registry,
                    enum bao_lang lang)
{
    char lock[64];

    if (o->lock == BAO_TIME_NONE)
        return bao_buf_append_c(out, lang == BAO_VI ? " Quá hạn vẫn nhận, tính là gửi muộn."
                                                    : " Later reports are taken and counted as late.");
    bao_moment_print(o->lock, registry->offset, lang, lock);
    if (o->form->lock.then == BAO_LOCK_NOT_DONE)
        return bao_buf_printf(out,
                              lang == BAO_VI ? " Khóa kỳ lúc %s; sau đó tính là không thực hiện."
                                             : " Locked at %s; from then on it counts as not done.",
                              lock);
    return bao_buf_printf(out, lang == BAO_VI ? " Khóa kỳ lúc %s." : " Locked at %s.", lock);
}

int bao_obligation_why(struct bao_buf *out, const struct bao_obligation *o,
                       const struct bao_registry *registry, enum bao_lang lang)
{
    int r = why_cutoff(out, o, lang);

    if (r == 0)
        r = why_due(out, o, registry, lang);
    return r == 0 && o->due != BAO_TIME_NONE ? why_lock(out, o, registry, lang) : r;
}

/* ---- states ---- */

enum bao_state bao_obligation_state(const struct bao_standing *s, bao_time now)
{
    bool has_due = s->due != BAO_TIME_NONE;

    if (s->counted)
        return has_due && s->received_at > s->due ? BAO_STATE_LATE : BAO_STATE_ON_TIME;
    if (s->exempt)
        return BAO_STATE_EXEMPT;
    return has_due && now > s->due ? BAO_STATE_OVERDUE : BAO_STATE_PENDING;
}

static const struct {
    const char *name, *title[BAO_LANGS];
} states[BAO_STATES] = {
    [BAO_STATE_PENDING] = {"pending", {"chưa đến hạn", "not yet due"}},
    [BAO_STATE_ON_TIME] = {"on-time", {"đúng hạn", "on time"}},
    [BAO_STATE_LATE] = {"late", {"gửi muộn", "late"}},
    [BAO_STATE_OVERDUE] = {"overdue", {"quá hạn chưa gửi", "overdue"}},
    [BAO_STATE_EXEMPT] = {"exempt", {"được miễn", "exempt"}},
};

const char *bao_state_name(enum bao_state state)
{
    return states[state].name;
}

const char *bao_state_title(enum bao_state state, enum bao_lang lang)
{
    return states[state].title[lang];
}
