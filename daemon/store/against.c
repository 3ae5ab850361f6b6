#include "daemon/store/against.h"

#include "daemon/store/pgcall.h"
#include "lib/form/judge.h"
#include "lib/wire/deflate.h"

enum { SHOWN_REPORTS = 200, SHOWN_FINDINGS = 5, REPORT_ARENA = 64 << 20 };

static const struct baod_pg_statement NEXT = {
    "against", "SELECT r.unit, r.period, u.code, p.label, r.revision, r.raw_size, r.body FROM baocao.report r"
               "  JOIN (SELECT DISTINCT form FROM baocao.form WHERE id = $1) f USING (form)"
               "  JOIN (SELECT DISTINCT unit, code FROM baocao.unit) u USING (unit)"
               "  JOIN baocao.period p USING (form, period)"
               " WHERE r.state = 1 AND (r.unit, r.period) > ($2, $3) ORDER BY r.unit, r.period LIMIT 200"};

struct judge {
    struct bao_judge_context context;
    struct bao_form form;  /* the version, in force for ever */
    struct bao_form *only; /* the list of it */
    struct bao_forms forms;
    struct bao_schema_scratch *scratch;
    struct bao_inflater *inflater;
    enum bao_lang lang;
    struct bao_buf *out;
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
    int r = bao_buf_printf(&file, "%.*s %.*s lần %lld", BAO_STR_ARG(baod_pg_bytes(rows, row, 2)),
                           BAO_STR_ARG(baod_pg_bytes(rows, row, 3)), (long long)baod_pg_int(rows, row, 4));

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
    int r = bao_inflate(j->inflater, &arena, baod_pg_bytes(rows, row, 6), (size_t)baod_pg_int(rows, row, 5),
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

static int judge_all(struct judge *j, struct baod_pg_call *call, struct bao_str id)
{
    int32_t unit = 0, period = 0;

    for (;;) {
        struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
        const struct baod_pg_param params[] = {baod_pg_p_text(id), baod_pg_p_int4(&arena, unit),
                                               baod_pg_p_int4(&arena, period)};
        const struct baod_pg_result *rows;
        int r = baod_pg_call_exec(call, &NEXT, params, BAO_COUNT(params), &rows);
        size_t n;

        bao_arena_deinit(&arena);
        if (r != 0) {
            int told = bao_buf_append_c(j->out, baod_pg_call_error(call));

            return r < 0 ? r : told < 0 ? told : BAOD_AGAINST_E_DATABASE;
        }
        n = baod_pg_rows(rows);
        if (n == 0)
            return 0;
        for (size_t i = 0; i < n && r == 0; i++)
            r = judge_row(j, rows, i);
        if (r != 0)
            return r;
        unit = (int32_t)baod_pg_int(rows, n - 1, 0);
        period = (int32_t)baod_pg_int(rows, n - 1, 1);
    }
}

int baod_against_stored(struct baod_pg_call *call, const struct baod_snapshot *snapshot, struct bao_str form,
                        enum bao_lang lang, struct bao_buf *out, struct baod_against_counts *ret)
{
    struct judge j = {.lang = lang, .out = out};
    int r = init(&j, snapshot, form);

    if (r == 0)
        r = judge_all(&j, call, form);
    deinit(&j);
    if (r == 0)
        *ret = j.counts;
    return r;
}
