/* The yardstick of tests/bench/ingest: writes the rows that a daemon's run left in one database into another
 * one, as fast as a person would write it by hand: COPY BINARY and unnest in batches, nothing read, nothing
 * judged, no network.
 *
 *     loader SOURCE TARGET [BATCH]
 *
 * SOURCE holds the run; TARGET is a copy of the database from before it. All answers are known beforehand:
 * the rows are fetched, and the data of every statement is laid out, before the clock starts. Prints one line
 * of JSON. */
#include "daemon/store/pgcall.h"

#include <time.h>

enum { FIELDS = 20, BATCH = 1000, KEYS = 5, SUMS_PARAMS = 8 };

struct rows {
    struct bao_buf copy; /* COPY data of report */
    struct baod_pg_param receipts[KEYS];
    struct baod_pg_param obligations[8];
    struct baod_pg_param sums[SUMS_PARAMS];
    struct baod_pg_param audit[9];
};

struct loader {
    struct bao_arena arena;
    struct baod_pg_call *source, *target;
    struct rows *batches;
    size_t n, n_batches, batch;
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
    l->n_batches = (l->n + l->batch - 1) / l->batch;
    l->batches = alloc(l, l->n_batches, sizeof(*l->batches));
    for (size_t b = 0; b < l->n_batches; b++) {
        struct rows *rows = &l->batches[b];
        size_t first = b * l->batch, n = l->n - first < l->batch ? l->n - first : l->batch;
        uint8_t(*ids)[16] = alloc(l, n, sizeof(*ids));
        int32_t *keys = alloc(l, 4 * n, sizeof(*keys));

        bao_buf_init(&rows->copy, (size_t)256 << 20);
        must(baod_pg_copy_begin(&rows->copy), "copy");
        for (size_t i = 0; i < n; i++) {
            must(baod_pg_copy_row(&rows->copy, FIELDS), "copy");
            for (size_t column = 0; column < FIELDS; column++)
                copy_field(l, &rows->copy, r, first + i, column);
            memcpy(ids[i], baod_pg_bytes(r, first + i, 12).p, 16);
            for (size_t k = 0; k < 4; k++)
                keys[k * n + i] = (int32_t)baod_pg_int(r, first + i, k);
        }
        must(baod_pg_copy_end(&rows->copy), "copy");
        rows->receipts[0] = baod_pg_p_uuids(&l->arena, (const uint8_t(*)[16])ids, n);
        for (size_t k = 0; k < 4; k++)
            rows->receipts[k + 1] = baod_pg_p_int4s(&l->arena, keys + k * n, NULL, n);
    }
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
    for (size_t b = 0; b < l->n_batches; b++) {
        struct rows *rows = &l->batches[b];
        size_t first = b * l->batch, n = l->n - first < l->batch ? l->n - first : l->batch;
        int32_t *numbers = alloc(l, 5 * n, sizeof(*numbers));
        bao_time *times = alloc(l, 3 * n, sizeof(*times));

        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < 5; k++)
                numbers[k * n + i] = (int32_t)baod_pg_int(r, first + i, k);
            for (size_t k = 0; k < 3; k++)
                times[k * n + i] = baod_pg_time(r, first + i, 5 + k);
        }
        for (size_t k = 0; k < 5; k++)
            rows->obligations[k] = baod_pg_p_int4s(&l->arena, numbers + k * n, NULL, n);
        for (size_t k = 0; k < 3; k++)
            rows->obligations[5 + k] = baod_pg_p_times(&l->arena, times + k * n, n);
    }
}

/* The sums that each batch touches, at their last value. */
static const struct baod_pg_statement SUMS = {
    NULL,
    "SELECT q.b, s.scope, s.form, s.period, s.reported, s.counts, s.sums"
    "  FROM (SELECT DISTINCT r.b, m.scope, r.form, r.period"
    "          FROM (SELECT (row_number() OVER (ORDER BY seq_from, leaf) - 1) / $1 AS b, unit, form, period"
    "                  FROM baocao.report) r"
    "          JOIN baocao.period p ON p.form = r.form AND p.period = r.period"
    "          JOIN baocao.scope_unit m ON m.unit = r.unit AND m.seq_to = 9223372036854775807"
    "                                  AND p.to_day BETWEEN m.from_day AND m.to_day) q"
    "  JOIN baocao.rollup s ON s.scope = q.scope AND s.form = q.form AND s.period = q.period ORDER BY q.b"};

/* Appends one array of a row to those of its batch. */
static size_t add_ints(struct loader *l, const struct baod_pg_result *r, size_t row, size_t column,
                       struct bao_buf *all)
{
    struct baod_pg_ints ints;

    must(baod_pg_ints(r, row, column, &l->arena, &ints), "sums");
    must(bao_buf_append(all, ints.v, ints.n * sizeof(*ints.v)), "sums");
    return ints.n;
}

static struct baod_pg_param all_ints(struct loader *l, const struct bao_buf *all)
{
    size_t n = bao_buf_len(all) / sizeof(int64_t);
    int64_t *v = alloc(l, n, sizeof(*v));

    if (n != 0)
        memcpy(v, bao_buf_data(all), n * sizeof(*v));
    return baod_pg_p_int8s(&l->arena, v, NULL, n);
}

/* Lays out rows [row, end) for one statement: their arrays end to end, each row knowing where its own lie. */
static void lay_out_sums(struct loader *l, const struct baod_pg_result *r, size_t row, size_t end,
                         struct baod_pg_param *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf counts = BAO_BUF_NULL((size_t)256 << 20);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf sums = BAO_BUF_NULL((size_t)256 << 20);
    size_t n = end - row, at = 0;
    int32_t *v = alloc(l, 6 * n, sizeof(*v));

    for (size_t i = 0; i < n; i++, row++) {
        size_t width = add_ints(l, r, row, 5, &counts);

        if (add_ints(l, r, row, 6, &sums) != width)
            die("sums", "their arrays are not of one length");
        for (size_t k = 0; k < 4; k++)
            v[k * n + i] = (int32_t)baod_pg_int(r, row, 1 + k);
        v[4 * n + i] = (int32_t)at + 1;
        v[5 * n + i] = (int32_t)(at += width);
    }
    for (size_t k = 0; k < 6; k++)
        ret[k] = baod_pg_p_int4s(&l->arena, v + k * n, NULL, n);
    ret[6] = all_ints(l, &counts);
    ret[7] = all_ints(l, &sums);
}

static void fetch_sums(struct loader *l)
{
    struct baod_pg_param batch = baod_pg_p_int8(&l->arena, (int64_t)l->batch);
    const struct baod_pg_result *r = ask(l->source, &SUMS, &batch, 1);
    size_t row = 0;

    for (size_t b = 0; b < l->n_batches; b++) {
        size_t end = row;

        while (end < baod_pg_rows(r) && baod_pg_int(r, end, 0) == (int64_t)b)
            end++;
        lay_out_sums(l, r, row, end, l->batches[b].sums);
        row = end;
    }
    if (row != baod_pg_rows(r))
        die("sums", "not all belong to a batch");
}

static const struct baod_pg_statement LAST_AUDIT = {NULL, "SELECT coalesce(max(seq), 0) FROM baocao.audit"};

/* Audit rows of the size that this batch would have; what they prove does not matter here. */
static void make_audit(struct loader *l)
{
    int64_t seq = baod_pg_int(ask(l->target, &LAST_AUDIT, NULL, 0), 0, 0);
    char *hash = alloc(l, 64 + 32 * l->batch, 1);

    for (size_t i = 0; i < 64 + 32 * l->batch; i++)
        hash[i] = (char)(i * 2654435761u >> 24);
    for (size_t b = 0; b < l->n_batches; b++) {
        struct baod_pg_param *p = l->batches[b].audit;
        size_t n = l->n - b * l->batch < l->batch ? l->n - b * l->batch : l->batch;

        p[0] = baod_pg_p_int8(&l->arena, ++seq);
        p[1] = baod_pg_p_text(BAO_STR("loader"));
        p[2] = baod_pg_p_time(&l->arena, INT64_C(1790000000000000) + seq);
        p[3] = baod_pg_p_int4(&l->arena, (int32_t)n);
        p[4] = p[5] = p[6] = baod_pg_p_bytea((struct bao_str){hash, 32});
        p[7] = baod_pg_p_bytea((struct bao_str){hash, 64});
        p[8] = baod_pg_p_bytea((struct bao_str){hash, 32 * n});
    }
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

int main(int argc, char **argv)
{
    static const char wal[] = "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8";
    struct loader l = {.batch = BATCH};
    double start, cpu;
    int64_t pid, before;

    if (argc < 3)
        die("usage", "loader SOURCE TARGET [BATCH]");
    if (argc > 3)
        l.batch = strtoul(argv[3], NULL, 10);
    open_call(&l.source, argv[1]);
    open_call(&l.target, argv[2]);
    fetch_reports(&l);
    fetch_obligations(&l);
    fetch_sums(&l);
    make_audit(&l);
    (void)number(l.target, "SELECT 1 FROM set_config('jit', 'off', false)");
    pid = number(l.target, "SELECT pg_backend_pid()::int8");
    before = number(l.target, wal);
    cpu = backend_cpu(pid);
    start = seconds();
    for (size_t b = 0; b < l.n_batches; b++)
        write_batch(&l, &l.batches[b]);
    printf("{\"reports\": %zu, \"seconds\": %.6f, ", l.n, seconds() - start);
    printf("\"pg_cpu\": %.6f, ", backend_cpu(pid) - cpu);
    printf("\"wal\": %lld}\n", (long long)(number(l.target, wal) - before));
    for (size_t b = 0; b < l.n_batches; b++)
        bao_buf_deinit(&l.batches[b].copy);
    (void)baod_pg_call_close(l.source);
    (void)baod_pg_call_close(l.target);
    bao_arena_deinit(&l.arena);
    return 0;
}
