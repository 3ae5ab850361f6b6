#include "lib/form/due.h"

#include "lib/base/error.h"
#include "lib/doc/tree.h"

enum { WHY_MAX = 16 << 10, BACK_DAYS = 400, CODES_MAX = 4096 };

/* ---- who answers for whom ---- */

struct heirs {
    struct bao_arena *arena;
    const struct bao_registry *registry;
    bao_date day;
    struct bao_str *codes;
    size_t n, size;
};

static bool has_code(const struct heirs *h, struct bao_str code)
{
    for (size_t i = 0; i < h->n; i++)
        if (bao_str_eq(h->codes[i], code))
            return true;
    return false;
}

static int add_code(struct heirs *h, struct bao_str code)
{
    if (h->n == h->size) {
        size_t size = h->size == 0 ? 8 : h->size * 2;
        struct bao_str *more = bao_arena_array(h->arena, size, sizeof(*more));

        if (more == NULL)
            return -ENOMEM;
        if (h->n != 0)
            memcpy(more, h->codes, h->n * sizeof(*more));
        h->codes = more;
        h->size = size;
    }
    h->codes[h->n++] = code;
    return 0;
}

/* Takes up the predecessors of one entry whose debts have come to `heir`. */
static int add_predecessors(struct heirs *h, const struct bao_unit *entry, struct bao_str heir)
{
    for (size_t k = 0; k < entry->n_was && h->n < CODES_MAX; k++) {
        struct bao_str code = entry->was[k].code;
        const struct bao_unit *now = bao_registry_successor(h->registry, code, h->day);

        if (now == NULL || !bao_str_eq(now->code, heir) || has_code(h, code))
            continue;
        if (add_code(h, code) < 0)
            return -ENOMEM;
    }
    return 0;
}

int bao_due_codes(struct bao_arena *arena, const struct bao_registry *registry, struct bao_str code,
                  bao_date day, struct bao_str **ret, size_t *ret_n)
{
    struct heirs h = {.arena = arena, .registry = registry, .day = day};
    int r = add_code(&h, code);

    /* A code that came in may have had predecessors of its own: they stand behind it in the list. */
    for (size_t i = 0; i < h.n && r == 0; i++)
        for (size_t u = 0; u < registry->n_units && r == 0; u++)
            if (registry->units[u].n_was != 0 && registry->units[u].from <= day &&
                bao_str_eq(registry->units[u].code, h.codes[i]))
                r = add_predecessors(&h, &registry->units[u], code);
    if (r != 0)
        return r;
    *ret = h.codes;
    *ret_n = h.n;
    return 0;
}

/* ---- by the files ---- */

static int compare(const void *a, const void *b)
{
    const struct bao_due *x = a, *y = b;
    int c = (x->o.due > y->o.due) - (x->o.due < y->o.due);

    if (c == 0)
        c = bao_str_cmp(x->o.form->id, y->o.form->id);
    if (c == 0)
        c = (x->o.cutoff > y->o.cutoff) - (x->o.cutoff < y->o.cutoff);
    return c != 0 ? c : (x->o.unit > y->o.unit) - (x->o.unit < y->o.unit);
}

void bao_due_sort(struct bao_due_list *list)
{
    if (list->n > 1)
        qsort(list->items, list->n, sizeof(*list->items), compare);
}

/* Indexes of all entries of the codes. */
static int entries_of(struct bao_arena *arena, const struct bao_registry *registry,
                      const struct bao_str *codes, size_t n_codes, struct bao_units_chosen *ret)
{
    uint32_t *units = bao_arena_array(arena, registry->n_units, sizeof(*units));
    size_t n = 0;

    if (units == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < registry->n_units; i++)
        for (size_t k = 0; k < n_codes; k++)
            if (bao_str_eq(registry->units[i].code, codes[k])) {
                units[n++] = i;
                break;
            }
    *ret = (struct bao_units_chosen){units, n};
    return 0;
}

int bao_due_by_files(struct bao_arena *arena, const struct bao_forms *forms,
                     const struct bao_registry *registry, const struct bao_str *codes, size_t n_codes,
                     bao_date from, bao_date to, struct bao_due_list *ret)
{
    struct bao_units_chosen chosen;
    struct bao_obligations all = {.n = 0};
    struct bao_due_list list = {.n = 0};
    int r = entries_of(arena, registry, codes, n_codes, &chosen);

    /* A deadline lies behind its cut-off, at most a year of it. */
    if (r == 0)
        r = bao_obligations_of(arena, forms, registry, &chosen, from - BACK_DAYS, to, &all);
    if (r != 0)
        return r;
    list.items = bao_arena_array(arena, all.n, sizeof(*list.items));
    if (list.items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < all.n; i++) {
        const struct bao_obligation *o = &all.items[i];
        bao_date day = o->due == BAO_TIME_NONE ? o->cutoff : bao_time_date(o->due - 1, registry->offset);

        if (day >= from && day <= to)
            list.items[list.n++] =
                (struct bao_due){.o = *o, .extended_to = BAO_TIME_NONE, .approved_at = BAO_TIME_NONE};
    }
    bao_due_sort(&list);
    *ret = list;
    return 0;
}

/* ---- one line ---- */

/* What the office decided, behind the reasons of the dates. */
static int why_ruling(struct bao_buf *out, const struct bao_due *d, int offset, enum bao_lang lang)
{
    char moment[64];
    int r = 0;

    if (d->known && d->state == BAO_STATE_EXEMPT)
        r = bao_buf_append_c(out, lang == BAO_VI ? " Đơn vị được miễn báo cáo kỳ này"
                                                 : " The unit is exempt from this report");
    else if (d->extended_to != BAO_TIME_NONE) {
        bao_moment_print(d->extended_to, offset, lang, moment);
        r = bao_buf_printf(out, lang == BAO_VI ? " Đã được gia hạn đến %s" : " Extended to %s", moment);
    } else {
        return 0;
    }
    if (r == 0 && d->ruling.n != 0)
        r = bao_buf_printf(out, " (%.*s)", BAO_STR_ARG(d->ruling));
    return r == 0 ? bao_buf_append_c(out, ".") : r;
}

static int why_approved(struct bao_buf *out, const struct bao_due *d, int offset, enum bao_lang lang)
{
    char moment[64];
    int r;

    if (d->approved_at == BAO_TIME_NONE)
        return 0;
    bao_moment_print(d->approved_at, offset, lang, moment);
    r = bao_buf_printf(out, lang == BAO_VI ? " Số liệu kỳ này đã được phê duyệt lúc %s" : " Approved at %s",
                       moment);
    if (r == 0 && d->approval.n != 0)
        r = bao_buf_printf(out, " (%.*s)", BAO_STR_ARG(d->approval));
    return r == 0 ? bao_buf_append_c(out, ".") : r;
}

static int why_heir(struct bao_buf *out, const struct bao_due *d, const struct bao_registry *registry,
                    struct bao_str asked, enum bao_lang lang)
{
    const struct bao_unit *owner = &registry->units[d->o.unit];
    struct bao_str name = lang == BAO_EN && owner->name_en.n != 0 ? owner->name_en : owner->name;

    if (bao_str_eq(owner->code, asked))
        return 0;
    return bao_buf_printf(
        out,
        lang == BAO_VI ? " Đây là nghĩa vụ của %.*s (%.*s), nay đơn vị kế thừa phải gửi; trong báo cáo "
                         "ghi unit: \"%.*s\"."
                       : " This was owed by %.*s (%.*s) and has passed to its successor; write unit: "
                         "\"%.*s\" in the report.",
        BAO_STR_ARG(name), BAO_STR_ARG(owner->code), BAO_STR_ARG(owner->code));
}

static int put_why(struct bao_buf *out, const struct bao_due *d, const struct bao_registry *registry,
                   struct bao_str asked, enum bao_lang lang)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf why = BAO_BUF_NULL(WHY_MAX);
    int r = bao_obligation_why(&why, &d->o, registry, lang);

    if (r == 0)
        r = why_ruling(&why, d, registry->offset, lang);
    if (r == 0)
        r = why_approved(&why, d, registry->offset, lang);
    if (r == 0)
        r = why_heir(&why, d, registry, asked, lang);
    if (r == 0 && d->news.n != 0)
        r = bao_buf_printf(&why, " %.*s", BAO_STR_ARG(d->news));
    if (r == 0)
        r = bao_buf_append_c(out, ",\"why\":");
    return r == 0 ? bao_json_quote(out, bao_buf_str(&why)) : r;
}

static int put_text(struct bao_buf *out, const char *before, struct bao_str text)
{
    int r = bao_buf_append_c(out, before);

    return r == 0 ? bao_json_quote(out, text) : r;
}

static int put_time(struct bao_buf *out, const char *name, bao_time t, int offset)
{
    char text[40];

    if (t == BAO_TIME_NONE)
        return bao_buf_printf(out, ",\"%s\":null", name);
    bao_time_print(t, offset, text);
    return bao_buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

static int put_standing(struct bao_buf *out, const struct bao_due *d)
{
    int r = bao_buf_printf(out, ",\"state\":\"%s\"", d->known ? bao_state_name(d->state) : "unknown");

    if (r == 0 && d->known)
        r = bao_buf_printf(out, ",\"revision\":%d", d->revision);
    else if (r == 0)
        r = bao_buf_append_c(out, ",\"revision\":null");
    return r == 0
               ? bao_buf_append_c(out, d->o.provisional ? ",\"provisional\":true" : ",\"provisional\":false")
               : r;
}

/* "Báo cáo quý thực hiện Nghị định 73, Quý III năm 2026" */
static int put_title(struct bao_buf *out, const struct bao_due *d, enum bao_lang lang)
{
    const struct bao_text2 *title = &d->o.form->title;
    struct bao_str form = lang == BAO_EN && title->en.n != 0 ? title->en : title->vi;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(WHY_MAX);
    char vi[64], en[64];
    int r;

    bao_period_title(d->o.period, vi, en);
    r = bao_buf_printf(&text, "%.*s, %s", BAO_STR_ARG(form), lang == BAO_VI ? vi : en);
    return r == 0 ? put_text(out, ",\"title\":", bao_buf_str(&text)) : r;
}

int bao_due_print(struct bao_buf *out, const struct bao_due *d, const struct bao_registry *registry,
                  struct bao_str asked, enum bao_lang lang)
{
    bao_time due = d->extended_to != BAO_TIME_NONE ? d->extended_to : d->o.due;
    char period[16], from[16], to[16];
    int r = put_text(out, "{\"form\":", d->o.form->id);

    bao_period_print(d->o.period, period);
    bao_date_print(d->o.from, from);
    bao_date_print(d->o.cutoff, to);
    if (r == 0)
        r = put_text(out, ",\"unit\":", registry->units[d->o.unit].code);
    if (r == 0)
        r = bao_buf_printf(out, ",\"period\":\"%s\"", period);
    if (r == 0)
        r = put_title(out, d, lang);
    if (r == 0)
        r = bao_buf_printf(out, ",\"from\":\"%s\",\"to\":\"%s\"", from, to);
    if (r == 0)
        r = put_time(out, "due", due, registry->offset);
    if (r == 0)
        r = put_time(out, "lock", d->o.lock, registry->offset);
    if (r == 0)
        r = put_standing(out, d);
    if (r == 0)
        r = put_why(out, d, registry, asked, lang);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}
