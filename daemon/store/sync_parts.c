#include "daemon/store/sync_parts.h"

#include "daemon/store/pgcall.h"
#include "daemon/store/sync_report.h"

int baod_sync_complain(struct sync *s, int r)
{
    if (r <= 0)
        return r;
    r = bao_buf_append_c(s->why, baod_pg_call_error(s->call));
    return r < 0 ? r : BAOD_SYNC_E_DATABASE;
}

int baod_sync_run(struct sync *s, const char *sql, const struct baod_pg_param *params, size_t n,
                  const struct baod_pg_result **ret)
{
    const struct baod_pg_statement statement = {NULL, sql};
    const struct baod_pg_result *result;
    int r = baod_pg_call_exec(s->call, &statement, params, n, &result);

    if (r == 0 && ret != NULL)
        *ret = result;
    return baod_sync_complain(s, r);
}

int baod_sync_run_all(struct sync *s, const char *const *sql, size_t n, int64_t *ret_touched)
{
    const struct baod_pg_result *result;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        r = baod_sync_run(s, sql[i], NULL, 0, &result);
        if (r == 0 && ret_touched != NULL)
            *ret_touched += baod_pg_affected(result);
    }
    return r;
}

int baod_sync_stage(struct sync *s, const char *sql, baod_sync_rows *make, const void *what)
{
    struct bao_buf rows = BAO_BUF_NULL(BAOD_SYNC_ROWS_MAX);
    int r = make(&rows, what);

    if (r == 0) {
        /* Utility statements take no parameters, so the rows go in by way of a table. */
        struct baod_pg_param p = baod_pg_p_text(bao_buf_str(&rows));

        r = baod_sync_run(s, "UPDATE pg_temp.sync_rows SET rows = $1::text::jsonb", &p, 1, NULL);
        if (r == 0)
            r = baod_sync_run(s, sql, NULL, 0, NULL);
    }
    bao_buf_deinit(&rows);
    return r;
}

int baod_sync_hash(struct sync *s, baod_sync_rows *const *make, size_t n, uint8_t ret[BAO_SHA256_LEN])
{
    struct bao_sha256 h;
    int r = 0;

    bao_sha256_init(&h);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct bao_buf rows = BAO_BUF_NULL(BAOD_SYNC_ROWS_MAX);

        r = make[i](&rows, s->snapshot);
        if (r == 0)
            bao_sha256_feed(&h, bao_buf_data(&rows), bao_buf_len(&rows));
        bao_buf_deinit(&rows);
    }
    bao_sha256_get(&h, ret);
    return r;
}

void baod_sync_tell_conflict(struct sync *s, enum bao_lang lang, const char *pattern,
                             const struct bao_str words[4])
{
    struct bao_buf out = BAO_BUF_NULL(sizeof(s->options->report->conflict[lang]) - 1);
    int r = 0;

    if (s->options->report == NULL)
        return;
    for (; r == 0 && *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] >= '1' && pattern[1] <= '4')
            r = bao_buf_append_str(&out, words[*++pattern - '1']);
        else
            r = bao_buf_append(&out, pattern, 1);
    }
    snprintf(s->options->report->conflict[lang], sizeof(s->options->report->conflict[lang]), "%.*s",
             BAO_STR_ARG(bao_buf_str(&out)));
    bao_buf_deinit(&out);
}
