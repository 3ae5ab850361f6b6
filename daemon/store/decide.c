#include "daemon/store/decide.h"
#include "lib/base/error.h"

bao_time baod_obligation_due(const struct baod_obligation *o)
{
    return o->extended_to != BAO_TIME_NONE ? o->extended_to : o->due_at;
}

bool baod_obligation_on_time(const struct baod_obligation *o)
{
    return o->received_at != BAO_TIME_NONE && o->received_at <= baod_obligation_due(o);
}

static int refuse(enum bao_symbol symbol, struct baod_decision *ret)
{
    ret->kind = BAOD_REFUSE;
    ret->symbol = symbol;
    return 0;
}

/* 07:59 01/11/2026, as Vietnamese offices write a moment. */
static struct bao_str moment(struct bao_arena *arena, bao_time at, int offset)
{
    bao_date day = bao_time_date(at, offset);
    struct bao_ymd ymd = bao_date_split(day);
    int minute = (int)((at - bao_time_make(day, 0, offset)) / (60 * BAO_SECOND));

    return bao_arena_printf(arena, "%02d:%02d %02d/%02d/%04d", minute / 60, minute % 60, ymd.day, ymd.month,
                            ymd.year);
}

/* A scaled figure as a person reads it; empty when it was not given. */
static struct bao_str figure_text(struct bao_arena *arena, struct bao_figure f, int decimals)
{
    uint64_t size = f.scaled < 0 ? 0 - (uint64_t)f.scaled : (uint64_t)f.scaled, unit = 1;

    if (!f.present)
        return BAO_STR("");
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    if (decimals == 0)
        return bao_arena_printf(arena, "%lld", (long long)f.scaled);
    return bao_arena_printf(arena, "%s%llu.%0*llu", f.scaled < 0 ? "-" : "",
                            (unsigned long long)(size / unit), decimals, (unsigned long long)(size % unit));
}

static struct bao_figure figure_at(const struct bao_figure *figures, size_t n, size_t slot)
{
    return slot < n ? figures[slot] : (struct bao_figure){.present = false};
}

/* The first indicator whose figure differs, or NULL. */
static const struct bao_indicator *first_difference(const struct baod_case *c, struct bao_figure *ret_was,
                                                    struct bao_figure *ret_is)
{
    const struct bao_form *form = c->verdict->form;

    if (form == NULL || c->slots == NULL || c->figures == NULL)
        return NULL;
    for (size_t i = 0; i < form->n_indicators; i++) {
        size_t slot = c->slots->of[i].at;
        struct bao_figure was = figure_at(c->same->figures, c->same->n_figures, slot);
        struct bao_figure is = figure_at(c->figures, c->slots->n, slot);

        if (form->indicators[i].is_ratio || (was.present == is.present && was.scaled == is.scaled))
            continue;
        *ret_was = was;
        *ret_is = is;
        return &form->indicators[i];
    }
    return NULL;
}

/* Says when the key was used, what differs, and which revision to take. */
static int refuse_reused(const struct baod_case *c, struct bao_arena *arena, struct baod_decision *ret)
{
    struct bao_figure was, is;
    const struct bao_indicator *differs = first_difference(c, &was, &is);
    struct bao_str at = moment(arena, c->same->received_at, c->offset), vi, en;
    int last =
        c->obligation->last_revision > c->same->revision ? c->obligation->last_revision : c->same->revision;

    if (differs != NULL) {
        struct bao_str old = figure_text(arena, was, differs->decimals),
                       new = figure_text(arena, is, differs->decimals);

        vi = bao_arena_printf(arena, "Chỉ tiêu «%.*s» trước %s%.*s, nay %s%.*s.",
                              BAO_STR_ARG(differs->label.vi), was.present ? "ghi " : "để trống",
                              BAO_STR_ARG(old), is.present ? "ghi " : "để trống", BAO_STR_ARG(new));
        en = bao_arena_printf(arena, "“%.*s” was %s%.*s and is now %s%.*s.", BAO_STR_ARG(differs->label.en),
                              was.present ? "" : "empty", BAO_STR_ARG(old), is.present ? "" : "empty",
                              BAO_STR_ARG(new));
    } else {
        vi = BAO_STR("Các chỉ tiêu không đổi; phần nội dung khác đã thay đổi.");
        en = BAO_STR("Its indicators are the same; other parts have changed.");
    }
    ret->detail[BAO_VI] = bao_arena_printf(arena,
                                           "Lần báo cáo %d đã được nhận lúc %.*s với nội dung khác. %.*s "
                                           "Nếu muốn đính chính, ghi revision: %d rồi gửi lại.",
                                           c->same->revision, BAO_STR_ARG(at), BAO_STR_ARG(vi), last + 1);
    ret->detail[BAO_EN] = bao_arena_printf(arena,
                                           "Revision %d was received at %.*s with other content. %.*s "
                                           "To correct it, write revision: %d and send again.",
                                           c->same->revision, BAO_STR_ARG(at), BAO_STR_ARG(en), last + 1);
    if (ret->detail[BAO_VI].p == NULL || ret->detail[BAO_EN].p == NULL)
        return -ENOMEM;
    return refuse(BAO_SYM_KEYREUSED, ret);
}

static int refuse_locked(const struct baod_case *c, struct bao_arena *arena, struct baod_decision *ret)
{
    struct bao_str at = moment(arena, c->obligation->lock_at, c->offset);

    ret->detail[BAO_VI] = bao_arena_printf(
        arena, "Kỳ báo cáo đã khóa từ %.*s. Muốn gửi, hãy đề nghị cơ quan chủ trì mở khóa.", BAO_STR_ARG(at));
    ret->detail[BAO_EN] = bao_arena_printf(
        arena, "The period has been locked since %.*s. Ask the office in charge to unlock it.",
        BAO_STR_ARG(at));
    if (ret->detail[BAO_VI].p == NULL || ret->detail[BAO_EN].p == NULL)
        return -ENOMEM;
    return refuse(BAO_SYM_LOCKED, ret);
}

/* The obligation once this report has been accepted. */
static void accept(const struct baod_case *c, struct baod_decision *ret)
{
    struct baod_obligation *o = &ret->after;
    int revision = c->verdict->revision;
    bao_time custody = c->received_at;

    if (o->kept_at != BAO_TIME_NONE && custody <= o->kept_until && o->kept_at < custody)
        custody = o->kept_at;
    o->kept_at = o->kept_until = BAO_TIME_NONE;
    if (o->received_at == BAO_TIME_NONE || custody < o->received_at)
        o->received_at = custody;
    /* Behind a higher one it is history, even when that one was given back: the unit has gone on since. */
    ret->kind = o->last_revision > revision ? BAOD_KEEP : BAOD_COUNT;
    if (revision > o->last_revision)
        o->last_revision = revision;
    if (ret->kind == BAOD_COUNT)
        o->revision = revision;
}

/* A copy that had come earlier than the one that was stored first: custody never gets worse. Of a report that
 * was given back nothing counts. */
static void move_custody(const struct baod_case *c, struct baod_decision *ret)
{
    struct baod_obligation *o = &ret->after;
    bool valid = c->same->state == BAOD_COUNTED || c->same->state == BAOD_SUPERSEDED;

    ret->moved_custody = o->exists && valid && c->received_at < c->same->received_at &&
                         (o->received_at == BAO_TIME_NONE || c->received_at < o->received_at);
    if (ret->moved_custody)
        o->received_at = c->received_at;
}

static bool comes_before_lock(enum bao_symbol symbol)
{
    return symbol == BAO_SYM_FORM || symbol == BAO_SYM_PERIOD || symbol == BAO_SYM_NOTOWED;
}

int baod_decide(const struct baod_case *c, struct bao_arena *arena, struct baod_decision *ret)
{
    const struct bao_verdict *verdict = c->verdict;
    struct baod_decision d = {.after = *c->obligation};
    int r = 0;

    bao_require(verdict->has_key);
    if (verdict->symbol == BAO_SYM_UNIT) {
        r = refuse(BAO_SYM_UNIT, &d); /* found at drain: for others intake has asked */
    } else if (c->same->exists && memcmp(c->same->content, verdict->content, sizeof(verdict->content)) == 0) {
        d.kind = BAOD_DUPLICATE;
        move_custody(c, &d);
    } else if (c->same->exists) {
        r = refuse_reused(c, arena, &d);
    } else if (comes_before_lock(verdict->symbol)) {
        r = refuse(verdict->symbol, &d);
    } else if (!c->obligation->exists) {
        r = refuse(BAO_SYM_NOTOWED, &d);
    } else if (c->obligation->lock_at != BAO_TIME_NONE && c->received_at >= c->obligation->lock_at) {
        r = refuse_locked(c, arena, &d);
    } else if (verdict->symbol != BAO_SYM_NONE) {
        r = refuse(verdict->symbol, &d);
    } else {
        accept(c, &d);
    }
    if (r < 0)
        return r;
    *ret = d;
    return 0;
}
