#include "daemon/store/against.h"

#include "daemon/store/pgcall.h"
#include "lib/form/judge.h"
#include "lib/wire/deflate.h"

enum { SHOWN_REPORTS = 200, SHOWN_FINDINGS = 5, REPORT_ARENA = 64 << 20 };

/* A period at a time, and its reports by unit: each page then costs what it shows, however much is stored. */
static const struct baod_pg_statement NEXT_PERIOD = {
    "against_period", "SELECT form, period, label FROM baocao.period"
                      " WHERE form = (SELECT form FROM baocao.form WHERE id = $1 LIMIT 1) AND period > $2"
                      " ORDER BY period LIMIT 1"};
static const struct baod_pg_statement NEXT = {
    "against",
    "SELECT r.unit, (SELECT u.code FROM baocao.unit u WHERE u.unit = r.unit LIMIT 1), r.revision,"
    "       r.raw_size, r.body FROM baocao.report r"
    " WHERE r.form = $1 AND r.period = $2 AND r.state = 1 AND r.unit > $3 ORDER BY r.unit LIMIT 200"};

struct judge {
    struct bao_judge_context context;
    struct bao_form form;  /* the version, in force for ever */
    struct bao_form *only; /* the list of it */
    struct bao_forms forms;
    struct bao_schema_scratch *scratch;
    struct bao_inflater *inflater;
    enum bao_lang lang;
    struct bao_buf *out;
    struct baod_pg_call *call;
    struct bao_str period; /* its label */
    struct baod_against_counts counts;
};

static void deinit(struct judge *j)
{
    bao_schema_scratch_free(j->scratch);
    bao_inflater_free(j->inflater);
}

static int init(struct judge *j, const struct baod_snapshot *snapshot, struct bao_str id)
{
    const struct bao_form *newest = NULL;

    for (size_t i = 0; i < snapshot->forms.n; i++) {
        const struct bao_form *f = snapshot->forms.items[i];

        if (bao_str_eq(f->id, id) && (newest == NULL || f->version > newest->version))
            newest = f;
    }
    if (newest == NULL)
        return BAOD_AGAINST_E_FORM;
    j->form = *newest; /* borrows all that the snapshot owns */
    j->form.effective_from = bao_date_make(1900, 1, 1);
    j->form.effective_to = BAO_DATE_NONE;
    j->only = &j->form;
    j->forms = (struct bao_forms){.items = &j->only, .n = 1};
    j->context = (struct bao_judge_context){.forms = &j->forms,
                                            .registry = &snapshot->registry,
                                            .limits = BAO_LOAD_LIMITS_DEFAULT,
                                            .now = BAO_TIME_NONE};
    j->scratch = bao_schema_scratch_new();
    j->inflater = bao_inflater_new();
    return j->scratch == NULL || j->inflater == NULL ? -ENOMEM : 0;
}

static int tell(struct judge *j, const struct bao_verdict *verdict, const struct baod_pg_result *rows,
                size_t row)
{
    struct bao_buf file = BAO_BUF_NULL(256);
    int r = bao_buf_printf(&file, "%.*s %.*s lần %lld", BAO_STR_ARG(baod_pg_bytes(rows, row, 1)),
                           BAO_STR_ARG(j->period), (long long)baod_pg_int(rows, row, 2));

    if (r == 0)
        r = bao_buf_printf(j->out, "%.*s: %s\n", BAO_STR_ARG(bao_buf_str(&file)),
                           bao_symbol_info(verdict->symbol)->name);
    if (r == 0)
        r = bao_text_render_all(j->out, &verdict->findings, bao_buf_str(&file), verdict->doc.source, j->lang,
                                SHOWN_FINDINGS);
    bao_buf_deinit(&file);
    return r;
}

static int judge_row(struct judge *j, const struct baod_pg_result *rows, size_t row)
{
    struct bao_arena arena = BAO_ARENA_NULL(REPORT_ARENA);
    struct bao_verdict verdict;
    struct bao_str document;
    int r = bao_inflate(j->inflater, &arena, baod_pg_bytes(rows, row, 4), (size_t)baod_pg_int(rows, row, 3),
                        &document);

    r = bao_error_fold(r); /* what was stored must inflate */
    if (r == 0)
        r = bao_judge(&j->context, &arena, j->scratch, document, &verdict);
    if (r == 0) {
        j->counts.reports++;
        if (verdict.symbol != BAO_SYM_NONE && ++j->counts.refused <= SHOWN_REPORTS)
            r = tell(j, &verdict, rows, row);
    }
    bao_arena_deinit(&arena);
    return r;
}

static int run(struct judge *j, const struct baod_pg_statement *statement, const struct baod_pg_param *params,
               size_t n, const struct baod_pg_result **ret)
{
    int r = baod_pg_call_tell(j->call, baod_pg_call_exec(j->call, statement, params, n, ret), j->out);

    return r > 0 ? BAOD_AGAINST_E_DATABASE : r;
}

static int judge_period(struct judge *j, int32_t form, int32_t period)
{
    int32_t unit = 0;

    for (;;) {
        BAO_CLEANUP(bao_arena_deinit) struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
        const struct baod_pg_param params[] = {baod_pg_p_int4(&arena, form), baod_pg_p_int4(&arena, period),
                                               baod_pg_p_int4(&arena, unit)};
        const struct baod_pg_result *rows = NULL;
        int r = run(j, &NEXT, params, BAO_COUNT(params), &rows);
        size_t n = r == 0 ? baod_pg_rows(rows) : 0;

        for (size_t i = 0; i < n && r == 0; i++)
            r = judge_row(j, rows, i);
        if (r != 0 || n == 0)
            return r;
        unit = (int32_t)baod_pg_int(rows, n - 1, 0);
    }
}

static int judge_all(struct judge *j, struct bao_str id)
{
    int32_t period = 0;

    for (;;) {
        BAO_CLEANUP(bao_arena_deinit) struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
        const struct baod_pg_param params[] = {baod_pg_p_text(id), baod_pg_p_int4(&arena, period)};
        const struct baod_pg_result *rows = NULL;
        int r = run(j, &NEXT_PERIOD, params, BAO_COUNT(params), &rows);

        if (r != 0 || baod_pg_rows(rows) == 0)
            return r;
        j->period = bao_arena_str(&arena, baod_pg_bytes(rows, 0, 2));
        if (j->period.p == NULL)
            return -ENOMEM;
        period = (int32_t)baod_pg_int(rows, 0, 1);
        r = judge_period(j, (int32_t)baod_pg_int(rows, 0, 0), period);
        if (r != 0)
            return r;
    }
}

int baod_against_stored(struct baod_pg_call *call, const struct baod_snapshot *snapshot, struct bao_str form,
                        enum bao_lang lang, struct bao_buf *out, struct baod_against_counts *ret)
{
    struct judge j = {.lang = lang, .out = out, .call = call};
    int r = init(&j, snapshot, form);

    if (r == 0)
        r = judge_all(&j, form);
    deinit(&j);
    if (r == 0)
        *ret = j.counts;
    return r;
}
