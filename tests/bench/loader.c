/* The yardstick of tests/bench/ingest: writes the rows that a daemon's run left in one database into another
 * one, as fast as a person would write it by hand: COPY BINARY and unnest in batches, nothing read, nothing
 * judged, no network.
 *
 *     loader SOURCE TARGET [BATCH [RATE [WARM]]]
 *
 * SOURCE holds the run; TARGET is a copy of the database from before it. All answers are known beforehand:
 * the rows are fetched, and the data of every statement is laid out, before the clock starts. With RATE row k
 * is due k/RATE seconds after the start, what is due makes the next batch, at most BATCH, and is laid out
 * then; a row's time runs from when it was due to the end of its COMMIT, and the first WARM rows' are not
 * told. Prints one line of JSON. */
#include "daemon/store/pgcall.h"

#include <time.h>

enum { FIELDS = 20, BATCH = 1000, KEYS = 5, SUMS_PARAMS = 8, SUMS_MOST = 4096 };

/* The data of one batch's statements. */
struct rows {
    struct bao_buf copy; /* COPY data of report */
    struct baod_pg_param receipts[KEYS];
    struct baod_pg_param obligations[8];
    struct baod_pg_param sums[SUMS_PARAMS];
    struct baod_pg_param audit[9];
};

/* A row of rollup at its last value. */
struct sums {
    int32_t v[4]; /* scope, form, period, reported */
    struct baod_pg_ints counts, sums;
    size_t batch; /* the last one that has it */
};

struct loader {
    struct bao_arena arena;
    struct baod_pg_call *source, *target;
    size_t n, batch, n_laid_out;
    struct bao_buf copy; /* the rows of report end to end */
    size_t *copy_at;     /* where row i begins; n + 1 */
    uint8_t (*ids)[16];
    int32_t *keys[4], *numbers[5];
    bao_time *times[3];
    struct sums *sums;
    size_t n_sums;
    int32_t *touched; /* numbers of sums, of one report after the other */
    size_t *touched_at;
    int64_t seq;
    char *hash;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "loader: %s: %s\n", what, why);
    exit(1);
}

static void *alloc(struct loader *l, size_t n, size_t size)
{
    void *p = bao_arena_array(&l->arena, n, size);

    if (p == NULL)
        die("memory", "there is none");
    return p;
}

static const struct baod_pg_result *ask(struct baod_pg_call *call, const struct baod_pg_statement *statement,
                                        const struct baod_pg_param *params, size_t n)
{
    const struct baod_pg_result *r = NULL;

    if (baod_pg_call_exec(call, statement, params, n, &r) != 0)
        die(statement->sql, baod_pg_call_error(call));
    return r;
}

static void must(int r, const char *what)
{
    if (r < 0)
        die(what, "failed");
}

/* ------------------------------------------------------------------ fetching */

static const struct baod_pg_statement REPORTS = {
    NULL, "SELECT unit, form, period, revision, form_version, state, nil, received_at, seq_from, seq_to, "
          "leaf, raw_size,"
          "       receipt, content, sha256, figures, warnings, explanations, collected, body"
          "  FROM baocao.report ORDER BY seq_from, leaf"};

/* The types of the columns, by which a value is copied. */
static const char KINDS[FIELDS + 1] = "444442bt8844yyyfyyyy";

static void copy_field(struct loader *l, struct bao_buf *out, const struct baod_pg_result *r, size_t row,
                       size_t column)
{
    struct baod_pg_ints ints;

    if (baod_pg_is_null(r, row, column)) {
        must(baod_pg_copy_null(out), "copy");
        return;
    }
    switch (KINDS[column]) {
    case '2':
        must(baod_pg_copy_int2(out, (int16_t)baod_pg_int(r, row, column)), "copy");
        break;
    case '4':
        must(baod_pg_copy_int4(out, (int32_t)baod_pg_int(r, row, column)), "copy");
        break;
    case '8':
        must(baod_pg_copy_int8(out, baod_pg_int(r, row, column)), "copy");
        break;
    case 'b':
        must(baod_pg_copy_bool(out, baod_pg_int(r, row, column) != 0), "copy");
        break;
    case 't':
        must(baod_pg_copy_time(out, baod_pg_time(r, row, column)), "copy");
        break;
    case 'f':
        must(baod_pg_ints(r, row, column, &l->arena, &ints), "figures");
        must(baod_pg_copy_int8s(out, ints.v, ints.null, ints.n), "copy");
        break;
    default:
        must(baod_pg_copy_bytes(out, baod_pg_bytes(r, row, column)), "copy");
    }
}

static void fetch_reports(struct loader *l)
{
    const struct baod_pg_result *r = ask(l->source, &REPORTS, NULL, 0);

    l->n = baod_pg_rows(r);
    bao_buf_init(&l->copy, (size_t)1 << 30);
    l->copy_at = alloc(l, l->n + 1, sizeof(*l->copy_at));
    l->ids = alloc(l, l->n, sizeof(*l->ids));
    for (size_t k = 0; k < 4; k++)
        l->keys[k] = alloc(l, l->n, sizeof(*l->keys[k]));
    for (size_t i = 0; i < l->n; i++) {
        l->copy_at[i] = bao_buf_len(&l->copy);
        must(baod_pg_copy_row(&l->copy, FIELDS), "copy");
        for (size_t column = 0; column < FIELDS; column++)
            copy_field(l, &l->copy, r, i, column);
        memcpy(l->ids[i], baod_pg_bytes(r, i, 12).p, 16);
        for (size_t k = 0; k < 4; k++)
            l->keys[k][i] = (int32_t)baod_pg_int(r, i, k);
    }
    l->copy_at[l->n] = bao_buf_len(&l->copy);
}

/* The obligations as the run left them, in the order of the reports. */
static const struct baod_pg_statement OBLIGATIONS = {
    NULL,
    "SELECT o.unit, o.form, o.period, o.revision, o.last_revision, o.received_at, o.kept_at, o.kept_until"
    "  FROM baocao.report r JOIN baocao.obligation o USING (unit, form, period) ORDER BY r.seq_from, r.leaf"};

static void fetch_obligations(struct loader *l)
{
    const struct baod_pg_result *r = ask(l->source, &OBLIGATIONS, NULL, 0);

    if (baod_pg_rows(r) != l->n)
        die("obligations", "not one for each report");
    for (size_t k = 0; k < 5; k++) {
        l->numbers[k] = alloc(l, l->n, sizeof(*l->numbers[k]));
        for (size_t i = 0; i < l->n; i++)
            l->numbers[k][i] = (int32_t)baod_pg_int(r, i, k);
    }
    for (size_t k = 0; k < 3; k++) {
        l->times[k] = alloc(l, l->n, sizeof(*l->times[k]));
        for (size_t i = 0; i < l->n; i++)
            l->times[k][i] = baod_pg_time(r, i, 5 + k);
    }
}

static const struct baod_pg_statement SUMS = {
    NULL, "SELECT scope, form, period, reported, counts, sums FROM baocao.rollup ORDER BY 1, 2, 3"};

/* Which of those each report is added to. */
static const struct baod_pg_statement TOUCHED = {
    NULL, "SELECT r.i, s.i FROM (SELECT row_number() OVER (ORDER BY seq_from, leaf) AS i, unit, form, period"
          "                        FROM baocao.report) r"
          "  JOIN baocao.period p ON p.form = r.form AND p.period = r.period"
          "  JOIN baocao.scope_unit m ON m.unit = r.unit AND m.seq_to = 9223372036854775807"
          "                          AND p.to_day BETWEEN m.from_day AND m.to_day"
          "  JOIN (SELECT row_number() OVER (ORDER BY scope, form, period) AS i, scope, form, period"
          "          FROM baocao.rollup) s ON s.scope = m.scope AND s.form = r.form AND s.period = r.period"
          " ORDER BY 1, 2"};

static void fetch_sums(struct loader *l)
{
    const struct baod_pg_result *r = ask(l->source, &SUMS, NULL, 0);
    size_t row = 0;

    l->n_sums = baod_pg_rows(r);
    l->sums = alloc(l, l->n_sums, sizeof(*l->sums));
    for (size_t i = 0; i < l->n_sums; i++) {
        struct sums *s = &l->sums[i];

        for (size_t k = 0; k < 4; k++)
            s->v[k] = (int32_t)baod_pg_int(r, i, k);
        must(baod_pg_ints(r, i, 4, &l->arena, &s->counts), "sums");
        must(baod_pg_ints(r, i, 5, &l->arena, &s->sums), "sums");
        if (s->counts.n != s->sums.n)
            die("sums", "their arrays are not of one length");
    }
    r = ask(l->source, &TOUCHED, NULL, 0);
    l->touched = alloc(l, baod_pg_rows(r), sizeof(*l->touched));
    l->touched_at = alloc(l, l->n + 1, sizeof(*l->touched_at));
    for (size_t i = 0; i < l->n; i++) {
        l->touched_at[i] = row;
        for (; row < baod_pg_rows(r) && baod_pg_int(r, row, 0) == (int64_t)i + 1; row++)
            l->touched[row] = (int32_t)baod_pg_int(r, row, 1) - 1;
    }
    l->touched_at[l->n] = row;
    if (row != baod_pg_rows(r))
        die("sums", "not all belong to a report");
}

static const struct baod_pg_statement LAST_AUDIT = {NULL, "SELECT coalesce(max(seq), 0) FROM baocao.audit"};

/* What audit rows prove does not matter here, only their size. */
static void make_audit(struct loader *l)
{
    l->seq = baod_pg_int(ask(l->target, &LAST_AUDIT, NULL, 0), 0, 0);
    l->hash = alloc(l, 64 + 32 * l->batch, 1);
    for (size_t i = 0; i < 64 + 32 * l->batch; i++)
        l->hash[i] = (char)(i * 2654435761u >> 24);
}

/* ------------------------------------------------------------------ laying out */

static struct baod_pg_param all_ints(struct bao_arena *a, const struct sums *const *sums, size_t n,
                                     bool counts)
{
    size_t slots = 0;
    int64_t *v;

    for (size_t i = 0; i < n; i++)
        slots += sums[i]->sums.n;
    v = bao_arena_array(a, slots, sizeof(*v));
    if (v == NULL)
        die("memory", "there is none");
    slots = 0;
    for (size_t i = 0; i < n; i++) {
        const struct baod_pg_ints *from = counts ? &sums[i]->counts : &sums[i]->sums;

        if (from->n != 0)
            memcpy(v + slots, from->v, from->n * sizeof(*v));
        slots += from->n;
    }
    return baod_pg_p_int8s(a, v, NULL, slots);
}

/* The sums that reports [first, first + n) touch, by one statement: their arrays end to end, each row knowing
 * where its own lie. */
static void lay_out_sums(struct loader *l, struct bao_arena *a, size_t first, size_t n,
                         struct baod_pg_param *ret)
{
    const struct sums *all[SUMS_MOST];
    int32_t v[6][SUMS_MOST];
    size_t rows = 0, at = 0;

    for (size_t i = l->touched_at[first]; i < l->touched_at[first + n]; i++) {
        struct sums *s = &l->sums[l->touched[i]];

        if (s->batch == l->n_laid_out)
            continue;
        s->batch = l->n_laid_out;
        if (rows == SUMS_MOST)
            die("sums", "too many in one batch");
        for (size_t k = 0; k < 4; k++)
            v[k][rows] = s->v[k];
        v[4][rows] = (int32_t)at + 1;
        v[5][rows] = (int32_t)(at += s->sums.n);
        all[rows++] = s;
    }
    for (size_t k = 0; k < 6; k++)
        ret[k] = baod_pg_p_int4s(a, v[k], NULL, rows);
    ret[6] = all_ints(a, all, rows, true);
    ret[7] = all_ints(a, all, rows, false);
}

static void lay_out_audit(struct loader *l, struct bao_arena *a, size_t n, struct baod_pg_param p[9])
{
    p[0] = baod_pg_p_int8(a, ++l->seq);
    p[1] = baod_pg_p_text(BAO_STR("loader"));
    p[2] = baod_pg_p_time(a, INT64_C(1790000000000000) + l->seq);
    p[3] = baod_pg_p_int4(a, (int32_t)n);
    p[4] = p[5] = p[6] = baod_pg_p_bytea((struct bao_str){l->hash, 32});
    p[7] = baod_pg_p_bytea((struct bao_str){l->hash, 64});
    p[8] = baod_pg_p_bytea((struct bao_str){l->hash, 32 * n});
}

/* The data of a batch of reports [first, first + n); copy is begun or empty. */
static void lay_out(struct loader *l, struct bao_arena *a, size_t first, size_t n, struct rows *ret)
{
    size_t from = l->copy_at[first], to = l->copy_at[first + n];

    l->n_laid_out++;
    must(baod_pg_copy_begin(&ret->copy), "copy");
    must(bao_buf_append(&ret->copy, bao_buf_data(&l->copy) + from, to - from), "copy");
    must(baod_pg_copy_end(&ret->copy), "copy");
    ret->receipts[0] = baod_pg_p_uuids(a, (const uint8_t(*)[16])l->ids + first, n);
    for (size_t k = 0; k < 4; k++)
        ret->receipts[k + 1] = baod_pg_p_int4s(a, l->keys[k] + first, NULL, n);
    for (size_t k = 0; k < 5; k++)
        ret->obligations[k] = baod_pg_p_int4s(a, l->numbers[k] + first, NULL, n);
    for (size_t k = 0; k < 3; k++)
        ret->obligations[5 + k] = baod_pg_p_times(a, l->times[k] + first, n);
    lay_out_sums(l, a, first, n, ret->sums);
    lay_out_audit(l, a, n, ret->audit);
}

/* ------------------------------------------------------------------ writing */

static const struct baod_pg_statement BEGIN = {"l_begin", "BEGIN"}, COMMIT = {"l_commit", "COMMIT"};

static const char COPY_REPORT[] = "COPY baocao.report (unit, form, period, revision, form_version, state, "
                                  "nil, received_at, seq_from, seq_to, leaf,"
                                  " raw_size, receipt, content, sha256, figures, warnings, explanations, "
                                  "collected, body) FROM STDIN (FORMAT binary)";

static const struct baod_pg_statement WRITE_RECEIPTS = {
    "l_receipts", "INSERT INTO baocao.receipt (id, unit, form, period, revision)"
                  " SELECT * FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::int4[], $5::int4[])"};

static const struct baod_pg_statement WRITE_OBLIGATIONS = {
    "l_obligations", "UPDATE baocao.obligation o SET revision = k.revision, last_revision = k.last_revision,"
                     "       received_at = k.received_at, kept_at = k.kept_at, kept_until = k.kept_until"
                     "  FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], "
                     "$6::timestamptz[], $7::timestamptz[],"
                     "              $8::timestamptz[])"
                     "       k(unit, form, period, revision, last_revision, received_at, kept_at, kept_until)"
                     " WHERE o.unit = k.unit AND o.form = k.form AND o.period = k.period"};

/* A statement a batch, not one a row: five rows cost as much by it as two by statements of their own. */
static const struct baod_pg_statement WRITE_SUMS = {
    "l_sums", "INSERT INTO baocao.rollup (scope, form, period, reported, counts, sums)"
              " SELECT k.scope, k.form, k.period, k.reported, ($7::int8[])[k.first:k.last], "
              "($8::int8[])[k.first:k.last]"
              "   FROM unnest($1::int4[], $2::int4[], $3::int4[], $4::int4[], $5::int4[], $6::int4[])"
              "        k(scope, form, period, reported, first, last)"
              " ON CONFLICT (scope, form, period)"
              " DO UPDATE SET reported = excluded.reported, counts = excluded.counts, sums = excluded.sums"};

static const struct baod_pg_statement WRITE_AUDIT = {
    "l_audit", "INSERT INTO baocao.audit (seq, node, at, n, root, prev, public_key, signature, leaves)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};

static void write_batch(struct loader *l, const struct rows *rows)
{
    (void)ask(l->target, &BEGIN, NULL, 0);
    if (baod_pg_call_copy(l->target, COPY_REPORT, bao_buf_str(&rows->copy)) != 0)
        die("COPY", baod_pg_call_error(l->target));
    (void)ask(l->target, &WRITE_RECEIPTS, rows->receipts, KEYS);
    (void)ask(l->target, &WRITE_OBLIGATIONS, rows->obligations, 8);
    (void)ask(l->target, &WRITE_SUMS, rows->sums, SUMS_PARAMS);
    (void)ask(l->target, &WRITE_AUDIT, rows->audit, 9);
    (void)ask(l->target, &COMMIT, NULL, 0);
}

/* ------------------------------------------------------------------ measuring */

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(double at)
{
    struct timespec t = {.tv_sec = (time_t)at, .tv_nsec = (long)((at - (double)(time_t)at) * 1e9)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int64_t number(struct baod_pg_call *call, const char *sql)
{
    const struct baod_pg_statement statement = {NULL, sql};

    return baod_pg_int(ask(call, &statement, NULL, 0), 0, 0);
}

/* The processor time of the target's backend, in seconds; 0 when it cannot be read. */
static double backend_cpu(int64_t pid)
{
    unsigned long long ns = 0;
    char path[64];
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%lld/schedstat", (long long)pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu", &ns) != 1)
        ns = 0;
    (void)fclose(f);
    return (double)ns / 1e9;
}

static void open_call(struct baod_pg_call **call, const char *conninfo)
{
    struct baod_pg_call_options options = {.conninfo = conninfo, .application = "loader"};
    struct bao_buf why = BAO_BUF_NULL(4096);

    if (baod_pg_call_open(&options, &why, call) != 0)
        die(conninfo, bao_buf_append(&why, "", 1) == 0 ? bao_buf_data(&why) : "");
}

/* Everything in batches of one size, laid out before the clock starts. Gives the seconds taken. */
static double write_all(struct loader *l)
{
    size_t n_batches = (l->n + l->batch - 1) / l->batch;
    struct rows *batches = alloc(l, n_batches, sizeof(*batches));
    double start;

    for (size_t b = 0; b < n_batches; b++) {
        size_t first = b * l->batch, n = l->n - first < l->batch ? l->n - first : l->batch;

        bao_buf_init(&batches[b].copy, (size_t)256 << 20);
        lay_out(l, &l->arena, first, n, &batches[b]);
    }
    start = seconds();
    for (size_t b = 0; b < n_batches; b++)
        write_batch(l, &batches[b]);
    start = seconds() - start;
    for (size_t b = 0; b < n_batches; b++)
        bao_buf_deinit(&batches[b].copy);
    return start;
}

/* Each row when it is due; times gets how long each took from then. Gives the seconds of all. */
static double write_paced(struct loader *l, double rate, double *times)
{
    struct bao_arena arena = BAO_ARENA_NULL((size_t)256 << 20);
    struct rows rows = {.copy = BAO_BUF_NULL((size_t)256 << 20)};
    double start = seconds(), at = start;

    for (size_t first = 0, n; first < l->n; first += n) {
        double due = (at - start) * rate;

        if (due < (double)first)
            sleep_until(start + (double)first / rate);
        n = due < (double)first ? 1 : (size_t)due + 1 - first;
        n = n < l->batch ? n : l->batch;
        n = n < l->n - first ? n : l->n - first;
        bao_buf_clear(&rows.copy);
        lay_out(l, &arena, first, n, &rows);
        write_batch(l, &rows);
        bao_arena_reset(&arena);
        at = seconds();
        for (size_t i = first; i < first + n; i++)
            times[i] = at - (start + (double)i / rate);
    }
    bao_buf_deinit(&rows.copy);
    bao_arena_deinit(&arena);
    return at - start;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const char wal[] = "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8";
    struct loader l = {.batch = BATCH};
    double rate = argc > 4 ? strtod(argv[4], NULL) : 0, took, cpu, *times;
    size_t warm = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
    int64_t pid, before;

    if (argc < 3)
        die("usage", "loader SOURCE TARGET [BATCH [RATE [WARM]]]");
    if (argc > 3)
        l.batch = strtoul(argv[3], NULL, 10);
    open_call(&l.source, argv[1]);
    open_call(&l.target, argv[2]);
    fetch_reports(&l);
    fetch_obligations(&l);
    fetch_sums(&l);
    make_audit(&l);
    times = alloc(&l, l.n, sizeof(*times));
    (void)number(l.target, "SELECT 1 FROM set_config('jit', 'off', false)");
    pid = number(l.target, "SELECT pg_backend_pid()::int8");
    before = number(l.target, wal);
    cpu = backend_cpu(pid);
    took = rate > 0 ? write_paced(&l, rate, times) : write_all(&l);
    printf("{\"reports\": %zu, \"seconds\": %.6f, ", l.n, took);
    printf("\"pg_cpu\": %.6f, ", backend_cpu(pid) - cpu);
    if (rate > 0 && l.n > warm) {
        size_t n = l.n - warm;

        qsort(times + warm, n, sizeof(*times), compare);
        printf("\"p50\": %.3f, \"p99\": %.3f, ", times[warm + n / 2] * 1e3, times[warm + n * 99 / 100] * 1e3);
    }
    printf("\"wal\": %lld}\n", (long long)(number(l.target, wal) - before));
    bao_buf_deinit(&l.copy);
    (void)baod_pg_call_close(l.source);
    (void)baod_pg_call_close(l.target);
    bao_arena_deinit(&l.arena);
    return 0;
}
