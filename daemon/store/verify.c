#include "daemon/store/verify.h"

#include "daemon/store/pgcall.h"
#include "daemon/store/sums_wanted.inc"
#include "lib/base/error.h"

enum { ARENA_CAP = 64 << 20, LINES_MAX = 1000 };

/* Forms and periods with a counted report or a sum. */
static const struct baod_pg_statement SLICES = {
    NULL,
    "SELECT form, period FROM baocao.rollup UNION SELECT form, period FROM baocao.report WHERE state = 1 "
    "ORDER BY 1, 2",
};

/* Of one form and period. */
#define WANT                                                                                                 \
    BAOD_SUMS_WANTED(                                                                                        \
        "SELECT m.scope, r.form, r.period, r.figures FROM baocao.report r"                                   \
        "  JOIN baocao.obligation o USING (unit, form, period)"                                              \
        " CROSS JOIN LATERAL (SELECT DISTINCT u.scope FROM baocao.scope_unit u"                              \
        "                      WHERE u.unit = r.unit AND o.cutoff BETWEEN u.from_day AND u.to_day"           \
        "                        AND u.seq_to = 9223372036854775807) m"                                      \
        " WHERE r.state = 1 AND r.form = $1 AND r.period = $2")                                              \
    ", have AS (SELECT scope, reported, counts, sums FROM baocao.rollup WHERE form = $1 AND period = $2)"

/* Slot 0 stands for the number of reports; a row without any is no row; a shorter array means zeros. */
static const struct baod_pg_statement COMPARE = {
    "verify_compare",
    WANT
    ","
    " wanted AS (SELECT scope, 0::int8 AS slot, reported::int8 AS n, 0::numeric AS total FROM want"
    "            UNION ALL SELECT w.scope, a.slot, a.n, a.total"
    "                        FROM want w CROSS JOIN LATERAL unnest(w.counts, w.sums) WITH ORDINALITY a(n, "
    "total, slot)),"
    " had AS (SELECT scope, 0::int8 AS slot, reported::int8 AS n, 0::numeric AS total FROM have"
    "         UNION ALL SELECT h.scope, a.slot, coalesce(a.n, 0), coalesce(a.total, 0)"
    "                     FROM have h CROSS JOIN LATERAL unnest(h.counts, h.sums) WITH ORDINALITY a(n, "
    "total, slot))"
    " SELECT (SELECT s.id FROM baocao.scope s WHERE s.scope = d.scope), d.slot,"
    "        (SELECT i.code FROM baocao.indicator i WHERE i.form = $1 AND d.slot IN (i.slot, i.slot_to)),"
    "        d.n_had::text, d.n_wanted::text, d.total_had::text, d.total_wanted::text"
    "   FROM (SELECT scope, slot, coalesce(had.n, 0) AS n_had, coalesce(wanted.n, 0) AS n_wanted,"
    "                coalesce(had.total, 0) AS total_had, coalesce(wanted.total, 0) AS total_wanted"
    "           FROM wanted FULL JOIN had USING (scope, slot)) d"
    "  WHERE (n_had, total_had) <> (n_wanted, total_wanted) ORDER BY d.scope, d.slot",
};

static const struct baod_pg_statement SIZE = {
    "verify_size",
    "SELECT (SELECT count(*) FROM baocao.rollup WHERE form = $1 AND period = $2),"
    "       (SELECT count(*) FROM baocao.report WHERE form = $1 AND period = $2 AND state = 1),"
    "       (SELECT id FROM baocao.form WHERE form = $1 LIMIT 1),"
    "       coalesce((SELECT label FROM baocao.period WHERE form = $1 AND period = $2), $2::text)",
};

/* The counted report of every obligation is the one it names, and none other says that it counts. */
static const struct baod_pg_statement COUNTED = {
    "verify_counted",
    "SELECT (SELECT code FROM baocao.unit u WHERE u.unit = coalesce(o.unit, r.unit) LIMIT 1),"
    "       coalesce(o.revision::text, '-'), coalesce(r.revision::text, '-')"
    "  FROM (SELECT unit, revision FROM baocao.obligation WHERE form = $1 AND period = $2 AND revision IS "
    "NOT NULL) o"
    "  FULL JOIN (SELECT unit, revision FROM baocao.report WHERE form = $1 AND period = $2 AND state = 1) r"
    "    ON o.unit = r.unit AND o.revision = r.revision"
    " WHERE o.unit IS NULL OR r.unit IS NULL",
};

/* One statement, so one snapshot: reports and sums of the same batches. */
static const struct baod_pg_statement DIFFERS = {
    "rebuild_differs",
    WANT " SELECT EXISTS (SELECT FROM want w FULL JOIN have h USING (scope)"
         "  WHERE (w.reported, w.counts, w.sums::int8[]) IS DISTINCT FROM (h.reported, h.counts, h.sums))",
};
static const struct baod_pg_statement BEGIN_SLICE = {NULL, "BEGIN"};
static const struct baod_pg_statement LOCK_SLICE = {NULL, "SELECT pg_advisory_xact_lock(7316, $1)"};
static const struct baod_pg_statement COMMIT_SLICE = {NULL, "COMMIT"};
static const struct baod_pg_statement DROP_GONE = {
    "rebuild_drop",
    WANT " DELETE FROM baocao.rollup r WHERE r.form = $1 AND r.period = $2"
         "   AND NOT EXISTS (SELECT FROM want w WHERE w.scope = r.scope)",
};
static const struct baod_pg_statement WRITE_WANTED = {
    "rebuild_write",
    WANT " INSERT INTO baocao.rollup AS r (scope, form, period, reported, counts, sums)"
         " SELECT w.scope, $1, $2, w.reported, w.counts, w.sums::int8[]"
         "   FROM want w LEFT JOIN have h USING (scope)"
         "  WHERE (w.reported, w.counts, w.sums::int8[]) IS DISTINCT FROM (h.reported, h.counts, h.sums)"
         "  ORDER BY w.scope"
         "     ON CONFLICT (scope, form, period) DO UPDATE"
         "    SET reported = excluded.reported, counts = excluded.counts, sums = excluded.sums",
};

struct verify {
    struct baod_pg_call *call;
    enum bao_lang lang;
    struct bao_buf *out;
    struct bao_arena arena;
    struct baod_pg_param slice[2];
    struct bao_str form, period; /* names of the slice, in the arena */
    struct baod_verify_counts counts;
};

static int run(struct verify *v, const struct baod_pg_statement *statement,
               const struct baod_pg_param *params, size_t n, const struct baod_pg_result **ret)
{
    int r = baod_pg_call_tell(v->call, baod_pg_call_exec(v->call, statement, params, n, ret), v->out);

    return r > 0 ? BAOD_VERIFY_E_DATABASE : r;
}

static int slice_begin(struct verify *v, int32_t form, int32_t period)
{
    const struct baod_pg_result *res = NULL;
    int r;

    bao_arena_reset(&v->arena);
    v->slice[0] = baod_pg_p_int4(&v->arena, form);
    v->slice[1] = baod_pg_p_int4(&v->arena, period);
    r = run(v, &SIZE, v->slice, 2, &res);
    if (r != 0)
        return r;
    v->counts.slices++;
    v->counts.rollups += baod_pg_int(res, 0, 0);
    v->counts.reports += baod_pg_int(res, 0, 1);
    v->form = bao_arena_str(&v->arena, baod_pg_bytes(res, 0, 2));
    v->period = bao_arena_str(&v->arena, baod_pg_bytes(res, 0, 3));
    return v->form.p == NULL || v->period.p == NULL ? -ENOMEM : 0;
}

/* Says one difference; beyond the first thousand they are only counted. */
static int say(struct verify *v, const char *vi, const char *en, const struct bao_str *words, size_t n)
{
    const char *at = v->lang == BAO_VI ? vi : en;
    int r = 0;

    if (v->counts.different++ >= LINES_MAX)
        return 0;
    r = bao_buf_printf(v->out, "%.*s %.*s: ", BAO_STR_ARG(v->form), BAO_STR_ARG(v->period));
    for (; r == 0 && *at != '\0'; at++) {
        size_t i = at[0] == '%' && at[1] >= '1' && at[1] <= '9' ? (size_t)(at[1] - '0') : 0;

        if (i == 0 || i > n)
            r = bao_buf_append(v->out, at, 1);
        else
            r = bao_buf_append_str(v->out, words[i - 1]), at++;
    }
    return r < 0 ? r : bao_buf_append(v->out, "\n", 1);
}

static int say_sums(struct verify *v, const struct baod_pg_result *res)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < baod_pg_rows(res); i++) {
        const struct bao_str words[] = {baod_pg_bytes(res, i, 0), baod_pg_bytes(res, i, 2),
                                        baod_pg_bytes(res, i, 3), baod_pg_bytes(res, i, 4),
                                        baod_pg_bytes(res, i, 5), baod_pg_bytes(res, i, 6)};

        if (baod_pg_int(res, i, 1) == 0)
            r = say(v, "phạm vi %1: đang lưu %3 báo cáo, tính lại được %4",
                    "scope %1: stored %3 reports, recomputed %4", words, BAO_COUNT(words));
        else
            r = say(
                v, "phạm vi %1, chỉ tiêu %2: đang lưu %3 giá trị, tổng %5; tính lại được %4 giá trị, tổng %6",
                "scope %1, indicator %2: stored %3 values, sum %5; recomputed %4 values, sum %6", words,
                BAO_COUNT(words));
    }
    return r;
}

static int say_counted(struct verify *v, const struct baod_pg_result *res)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < baod_pg_rows(res); i++) {
        const struct bao_str words[] = {baod_pg_bytes(res, i, 0), baod_pg_bytes(res, i, 1),
                                        baod_pg_bytes(res, i, 2)};

        r = say(v, "đơn vị %1: nghĩa vụ ghi lần báo cáo %2, báo cáo được tính là lần %3",
                "unit %1: the obligation counts revision %2, the reports say %3", words, BAO_COUNT(words));
    }
    return r;
}

static int compare_slice(struct verify *v)
{
    const struct baod_pg_result *res = NULL;
    int r = run(v, &COMPARE, v->slice, 2, &res);

    if (r == 0)
        r = say_sums(v, res);
    if (r == 0)
        r = run(v, &COUNTED, v->slice, 2, &res);
    return r == 0 ? say_counted(v, res) : r;
}

/* Nobody waits for a slice that is right already. */
static int rebuild_slice(struct verify *v, int32_t province)
{
    const struct baod_pg_result *res = NULL;
    const struct baod_pg_param key = baod_pg_p_int4(&v->arena, province);
    int64_t touched = 0;
    int r = run(v, &DIFFERS, v->slice, 2, &res);

    if (r != 0 || baod_pg_int(res, 0, 0) == 0)
        return r;
    r = run(v, &BEGIN_SLICE, NULL, 0, NULL);
    if (r == 0)
        r = run(v, &LOCK_SLICE, &key, 1, NULL);
    if (r == 0)
        r = run(v, &DROP_GONE, v->slice, 2, &res);
    if (r == 0) {
        touched = baod_pg_affected(res);
        r = run(v, &WRITE_WANTED, v->slice, 2, &res);
    }
    if (r == 0) {
        touched += baod_pg_affected(res);
        r = run(v, &COMMIT_SLICE, NULL, 0, NULL);
    }
    if (r == 0)
        v->counts.different += touched;
    return r;
}

/* Walks all slices. province is looked at only when rebuilding. */
static int walk(struct verify *v, bool rebuild, int32_t province)
{
    const struct baod_pg_result *res = NULL;
    struct bao_arena keep;
    int32_t(*slices)[2];
    size_t n;
    int r = run(v, &SLICES, NULL, 0, &res);

    if (r != 0)
        return r;
    n = baod_pg_rows(res);
    bao_arena_init(&keep, 0);
    slices = bao_arena_array(&keep, n + 1, sizeof(*slices));
    if (slices == NULL)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++) {
        slices[i][0] = (int32_t)baod_pg_int(res, i, 0);
        slices[i][1] = (int32_t)baod_pg_int(res, i, 1);
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = slice_begin(v, slices[i][0], slices[i][1]);
        if (r == 0)
            r = rebuild ? rebuild_slice(v, province) : compare_slice(v);
    }
    bao_arena_deinit(&keep);
    return r;
}

static int start(struct baod_pg_call *call, enum bao_lang lang, struct bao_buf *out, bool rebuild,
                 int32_t province, struct baod_verify_counts *ret)
{
    struct verify v = {.call = call, .lang = lang, .out = out};
    int r;

    bao_arena_init(&v.arena, ARENA_CAP);
    r = walk(&v, rebuild, province);
    bao_arena_deinit(&v.arena);
    if (r == 0)
        *ret = v.counts;
    return r;
}

int baod_verify(struct baod_pg_call *call, enum bao_lang lang, struct bao_buf *out,
                struct baod_verify_counts *ret)
{
    return start(call, lang, out, false, 0, ret);
}

int baod_rebuild(struct baod_pg_call *call, int32_t province, enum bao_lang lang, struct bao_buf *out,
                 struct baod_verify_counts *ret)
{
    return start(call, lang, out, true, province, ret);
}
