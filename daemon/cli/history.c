#include "daemon/cli/history.h"

#include "daemon/cli/input.h"
#include "lib/base/error.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

enum { REPORT_MAX = 4 << 20 };

int cli_history_remember(struct cli_history *h, const struct bao_verdict *verdict)
{
    struct cli_past *past = bao_arena_array(h->arena, 1, sizeof(*past));

    if (past == NULL)
        return -ENOMEM;
    past->verdict = *verdict;
    past->next = h->reports;
    h->reports = past;
    return 0;
}

static int judge(struct cli_history *h, const struct baod_snapshot *s, struct bao_str bytes,
                 struct bao_verdict *ret)
{
    const struct bao_judge_context context = {.forms = &s->forms,
                                              .registry = cli_registry(s),
                                              .limits = BAO_LOAD_LIMITS_DEFAULT,
                                              .now = BAO_TIME_NONE};

    return bao_judge(&context, h->arena, h->scratch, bytes, ret);
}

int cli_history_add(struct cli_history *h, struct bao_str bytes)
{
    const struct baod_snapshot *first = cli_forms_get(h->forms, 0), *mine;
    struct bao_verdict verdict;
    struct bao_str copy = bao_arena_str(h->arena, bytes);
    int r;

    if (copy.p == NULL || first == NULL)
        return -ENOMEM;
    r = judge(h, first, copy, &verdict);
    if (r != 0)
        return r;
    mine = cli_forms_of_unit(h->forms, verdict.unit);
    if (verdict.symbol == BAO_SYM_NOTOWED && mine != NULL && mine != first) {
        r = judge(h, mine, copy, &verdict);
        if (r != 0)
            return r;
    }
    /* What the province accepted may have been explained since; what it refused is no report. */
    if (verdict.symbol != BAO_SYM_NONE && verdict.symbol != BAO_SYM_EXPLAIN)
        return 0;
    return cli_history_remember(h, &verdict);
}

static bool complain(const struct cli_history *h, const char *path, int error)
{
    cli_tell_unreadable(h->forms->lang, path, error);
    return false;
}

static bool add_file(struct cli_history *h, const char *path)
{
    struct bao_str bytes;
    int r = cli_read_file(h->arena, path, REPORT_MAX, &bytes);

    if (r == 0)
        r = cli_history_add(h, bytes);
    return r == 0 ? true : complain(h, path, r);
}

static bool is_report_name(const char *name)
{
    static const char *const ends[] = {".yaml", ".yml", ".json"};
    size_t n = strlen(name), answer = strlen(".receipt.json");

    if (n > answer && strcmp(name + n - answer, ".receipt.json") == 0)
        return false; /* beside a report in the outbox's sent folder */
    for (size_t i = 0; i < BAO_COUNT(ends); i++)
        if (n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
            return name[0] != '.';
    return false;
}

static bool add_folder(struct cli_history *h, const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    bool ok = true;

    if (d == NULL)
        return complain(h, path, -errno);
    while (ok && (entry = readdir(d)) != NULL) {
        struct bao_str file;

        if (!is_report_name(entry->d_name))
            continue;
        file = bao_arena_printf(h->arena, "%s/%s", path, entry->d_name);
        ok = file.p != NULL && add_file(h, file.p);
    }
    (void)closedir(d); /* only read from */
    return ok;
}

bool cli_history_add_path(struct cli_history *h, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return complain(h, path, -errno);
    return S_ISDIR(st.st_mode) ? add_folder(h, path) : add_file(h, path);
}

const struct bao_verdict *cli_history_find(const struct cli_history *h, struct bao_str form,
                                           struct bao_str unit, struct bao_period period)
{
    const struct bao_verdict *best = NULL;

    for (const struct cli_past *p = h->reports; p != NULL; p = p->next)
        if (bao_str_eq(p->verdict.form_id, form) && bao_str_eq(p->verdict.unit, unit) &&
            bao_period_code(p->verdict.period) == bao_period_code(period) &&
            (best == NULL || p->verdict.revision > best->revision))
            best = &p->verdict;
    return best;
}

static const struct bao_figure *figure_of(const struct bao_verdict *past, struct bao_str code,
                                          int *ret_decimals)
{
    for (size_t i = 0; i < past->form->n_indicators && past->figures != NULL; i++)
        if (bao_str_eq(past->form->indicators[i].code, code)) {
            *ret_decimals = past->form->indicators[i].decimals;
            return &past->figures[i];
        }
    return NULL;
}

static int add_figure(struct bao_arena *arena, const struct bao_verdict *past,
                      const struct bao_indicator *ind, struct bao_ytd *sum)
{
    int decimals = 0, r;
    const struct bao_figure *f = figure_of(past, ind->code, &decimals);
    struct bao_num value;

    if (f == NULL || !f->present) /* null adds nothing */
        return 0;
    r = bao_num_from_scaled(arena, f->scaled, decimals, &value);
    return bao_error_fold(r == 0 ? bao_num_add(arena, sum->value, value, &sum->value) : r);
}

/* Was the unit to report that period? If not, that there is no report of it is known. */
static bool is_expected(const struct cli_history *h, const struct bao_verdict *v, struct bao_period period)
{
    const struct baod_snapshot *s = cli_forms_of_unit(h->forms, v->unit);
    const struct bao_form *form;
    const struct bao_unit *unit;
    bao_date from, to;
    bool known;

    form = s == NULL ? NULL : bao_forms_get(&s->forms, v->form_id, period, &known);
    if (form == NULL || !bao_form_window(form, period, &from, &to))
        return false;
    unit = bao_registry_unit(&s->registry, v->unit, to);
    return s->registry.n_units == 0 || (unit != NULL && bao_form_owes(form, unit, to));
}

/* The report of an earlier period of the same unit, not of one that had its code before. *ret_known: false
 * when there should be one and it is not at hand. */
static const struct bao_verdict *look_back(const struct cli_history *h, const struct bao_verdict *v,
                                           struct bao_period period, bool *ret_known)
{
    const struct baod_snapshot *s = cli_forms_of_unit(h->forms, v->unit);
    const struct bao_verdict *past = NULL;

    *ret_known = true;
    if (s == NULL || bao_period_code(period) >= bao_form_looks_from(v->form, &s->registry, v->unit, v->to)) {
        past = cli_history_find(h, v->form_id, v->unit, period);
        *ret_known = past != NULL || !is_expected(h, v, period);
    }
    return past;
}

/* The sums of the year's earlier periods. *ret_known: each that was to be reported is at hand. */
static int sum_year(const struct cli_history *h, struct bao_arena *arena, const struct bao_verdict *v,
                    struct bao_ytd **ret, bool *ret_known)
{
    const struct bao_form *form = v->form;
    struct bao_ytd *ytd = bao_arena_array(arena, form->n_indicators, sizeof(*ytd));
    struct bao_period p = v->period;
    bool known = true;
    int r = 0;

    if (ytd == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < form->n_indicators; i++)
        ytd[i] = (struct bao_ytd){.present = !form->indicators[i].is_ratio, .value = bao_num_int(0)};
    for (p.n = 1; p.n < v->period.n && known && r == 0; p.n++) {
        const struct bao_verdict *past = look_back(h, v, p, &known);

        for (size_t i = 0; i < form->n_indicators && past != NULL && r == 0; i++)
            r = add_figure(arena, past, &form->indicators[i], &ytd[i]);
    }
    *ret = ytd;
    *ret_known = known;
    return r;
}

int cli_history_judge(const struct cli_history *h, struct bao_arena *arena, struct bao_verdict *verdict)
{
    struct bao_period before, year_ago;
    const struct bao_verdict *prev, *prev_year;
    struct bao_history history = {.prev = NULL};
    struct bao_ytd *ytd;
    bool known, prev_known, year_known;
    int r;

    if (verdict->form == NULL || verdict->unjudged == 0)
        return 0;
    before = bao_period_prev(verdict->period);
    year_ago = bao_period_in_year(verdict->period, verdict->period.year - 1);
    prev = look_back(h, verdict, before, &prev_known);
    prev_year = look_back(h, verdict, year_ago, &year_known);
    r = sum_year(h, arena, verdict, &ytd, &known);
    if (r != 0)
        return r;
    history.prev = prev == NULL ? NULL : prev->data;
    history.prev_year = prev_year == NULL ? NULL : prev_year->data;
    history.ytd = ytd;
    if (!prev_known)
        history.unknown |= BAO_BACK_PREV;
    if (!year_known)
        history.unknown |= BAO_BACK_PREV_YEAR;
    if (!known)
        history.unknown |= BAO_BACK_YTD;
    return bao_judge_history(arena, &history, false, verdict);
}
