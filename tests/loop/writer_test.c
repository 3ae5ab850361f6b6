/* The writer on a real PostgreSQL (BAOCAO_TEST_PG holds a conninfo of a database that may be emptied): keys,
 * revisions, sums, races of two writers, audit chain, poison, lost connections. */
#include "daemon/store/batch.h"
#include "daemon/store/migrate.h"
#include "daemon/store/office.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/stat.h"
#include "daemon/store/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { UNITS = 12, PERIODS = 3, SLOTS = 5, WAIT_MS = 30000 };

/* ------------------------------------------------------------------ a registry of numbers */

/* assigned, done (2 decimals), rate = done / assigned, headcount (over_units none): slots 0, 1, 2+3, 4 */
static const struct bao_indicator INDICATORS[] = {
    {.decimals = 0}, {.decimals = 2}, {.is_ratio = true, .of = 1, .to = 0}, {.over_units = BAO_OVER_NONE}};
static const struct bao_slot OF[] = {{0, BAO_SLOT_NONE}, {1, BAO_SLOT_NONE}, {2, 3}, {4, BAO_SLOT_NONE}};
static const bool ADDS[SLOTS] = {true, true, true, true, false};
static const struct bao_slots FORM_SLOTS = {OF, 4, SLOTS, ADDS};
static const struct bao_form FORM = {.version = 3, .indicators = INDICATORS, .n_indicators = 4};

struct baod_dictionary {
    int64_t forms_epoch;
};

int32_t baod_dictionary_unit(const struct baod_dictionary *d, struct bao_str code)
{
    (void)d;
    return code.n == 2 && code.p[0] == 'u' && code.p[1] - 'a' < UNITS ? code.p[1] - 'a' + 1 : 0;
}

int32_t baod_dictionary_form(const struct baod_dictionary *d, struct bao_str id)
{
    (void)d;
    return bao_str_is(id, "f") ? 1 : 0;
}

unsigned baod_dictionary_looks_back(const struct baod_dictionary *d, struct bao_str form)
{
    (void)d;
    (void)form;
    return 0; /* its form has no checks */
}

const struct bao_slots *baod_dictionary_slots(const struct baod_dictionary *d, struct bao_str form,
                                              int version)
{
    (void)d;
    return bao_str_is(form, "f") && version == 3 ? &FORM_SLOTS : NULL;
}

/* Everybody is in scope 1; even units in 2, odd ones in 3. */
size_t baod_dictionary_scopes(const struct baod_dictionary *d, struct bao_str unit, bao_date day,
                              int32_t *ret, size_t size)
{
    (void)day;
    assert_true(size >= 2);
    ret[0] = 1;
    ret[1] = 2 + baod_dictionary_unit(d, unit) % 2;
    return 2;
}

int64_t baod_dictionary_registry_epoch(const struct baod_dictionary *d)
{
    (void)d;
    return 1;
}

int64_t baod_dictionary_forms_epoch(const struct baod_dictionary *d)
{
    return d->forms_epoch;
}

int32_t baod_dictionary_province(const struct baod_dictionary *d)
{
    (void)d;
    return 66;
}

struct baod_dictionary *baod_dictionary_free(struct baod_dictionary *d)
{
    free(d);
    return NULL;
}

/* ------------------------------------------------------------------ one test's world */

struct world {
    uv_loop_t loop;
    uv_timer_t limit;
    const char *conninfo;
    struct baod_pg_call *call;
    struct baod_writer *writers[2];
    size_t under_way;
    int prepared;
    int64_t forms_epoch; /* what prepare finds */
};

static void prepare(struct baod_writer *writer, void *user)
{
    struct world *w = user;
    struct baod_dictionary *d = malloc(sizeof(*d));

    assert_non_null(d);
    d->forms_epoch = w->forms_epoch;
    w->prepared++;
    baod_writer_go(writer, d);
}

static void sql(struct world *w, const char *text)
{
    if (baod_pg_call_script(w->call, text) != 0)
        fail_msg("%s: %s", text, baod_pg_call_error(w->call));
}

static int64_t number(struct world *w, const char *text)
{
    const struct baod_pg_statement statement = {NULL, text};
    const struct baod_pg_result *r;

    if (baod_pg_call_exec(w->call, &statement, NULL, 0, &r) != 0)
        fail_msg("%s: %s", text, baod_pg_call_error(w->call));
    return baod_pg_int(r, 0, 0);
}

static struct baod_writer *make_writer(struct world *w, const char *node)
{
    struct baod_writer_options options = {.conninfo = w->conninfo,
                                          .node = node,
                                          .province = "66",
                                          .offset = BAO_VN_OFFSET,
                                          .seed = {7},
                                          .prepare = prepare,
                                          .user = w};
    struct baod_writer *writer;

    assert_int_equal(baod_writer_new(&w->loop, &options, &writer), 0);
    return writer;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct bao_buf why = BAO_BUF_NULL(4096);
    struct baod_pg_call_options options = {0};
    int applied;

    assert_non_null(w);
    w->conninfo = options.conninfo = getenv("BAOCAO_TEST_PG");
    options.application = "test";
    w->forms_epoch = 1;
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_timer_init(&w->loop, &w->limit), 0);
    assert_int_equal(baod_pg_call_open(&options, &why, &w->call), 0);
    sql(w, "DROP SCHEMA IF EXISTS baocao CASCADE; DROP SCHEMA IF EXISTS office CASCADE;");
    assert_int_equal(baod_migrate(w->conninfo, 66, 1000, &why, &applied), 0);
    sql(w, "SELECT baocao.make_year(2026);"
           "INSERT INTO baocao.epoch VALUES ('registry', 1, ''), ('forms', 1, '');"
           "INSERT INTO baocao.obligation (unit, form, period, cutoff, due_at, lock_at)"
           " SELECT u, 1, 20263000 + p, '2026-09-14', '2026-09-16 17:00+07', '2026-10-01 00:00+07'"
           "   FROM generate_series(1, 11) u, generate_series(1, 3) p;");
    w->writers[0] = make_writer(w, "a");
    w->writers[1] = make_writer(w, "b");
    bao_buf_deinit(&why);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < 2; i++)
        w->writers[i] = baod_writer_free(w->writers[i]);
    uv_close((uv_handle_t *)&w->limit, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    w->call = baod_pg_call_close(w->call);
    free(w);
    return 0;
}

/* ------------------------------------------------------------------ reports */

struct report {
    struct baod_submission s;
    struct world *w;
    struct bao_figure figures[4];
    char unit[2];
    bool answered;
};

static void done(struct baod_submission *s)
{
    struct report *report = s->user;

    assert_false(report->answered);
    report->answered = true;
    report->w->under_way--;
}

/* content tells two reports of one key apart; figures follow from it. */
static struct report *make_report(struct world *w, int unit, int quarter, int revision, int content)
{
    struct report *report = calloc(1, sizeof(*report));
    struct baod_submission *s = &report->s;

    assert_non_null(report);
    report->w = w;
    report->unit[0] = 'u';
    report->unit[1] = (char)('a' + unit - 1);
    for (int i = 0; i < 4; i++)
        report->figures[i] = (struct bao_figure){(content >> i) % 3 != 0 && i != 2, content * 7 + i - 50};
    s->done = done;
    s->user = report;
    s->document.n = 100;
    s->stored = BAO_STR("a body");
    s->received_at = INT64_C(1789466400000000) + content; /* 2026-09-15 10:00:00 UTC */
    s->verdict = (struct bao_verdict){.form_id = BAO_STR("f"),
                                      .unit = {report->unit, 2},
                                      .has_key = true,
                                      .period = {.year = 2026, .type = BAO_P_QUARTER, .n = (uint16_t)quarter},
                                      .revision = revision,
                                      .form = &FORM,
                                      .figures = report->figures};
    memcpy(s->verdict.content, &content, sizeof(content));
    s->verdict.content[31] = (uint8_t)unit;
    return report;
}

static void submit(struct world *w, size_t writer, struct report *report)
{
    w->under_way++;
    report->answered = false;
    report->s.symbol = BAO_SYM_NONE;
    baod_writer_submit(w->writers[writer], &report->s);
}

static void too_long(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("not answered in time");
}

static void wait_all(struct world *w)
{
    assert_int_equal(uv_timer_start(&w->limit, too_long, WAIT_MS, 0), 0);
    while (w->under_way != 0)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    (void)uv_timer_stop(&w->limit);
}

static void free_report(struct report *report)
{
    bao_arena_deinit(&report->s.arena);
    free(report);
}

/* Sends one report and gives it back answered. */
static struct report *send_one(struct world *w, size_t writer, struct report *report)
{
    submit(w, writer, report);
    wait_all(w);
    return report;
}

/* Sums as they stand and sums as the counted reports say: rows that are on one side only. */
static const char DIFFERENCES[] =
    "WITH again AS ("
    "  SELECT s.scope, r.form, r.period, count(DISTINCT r.unit) AS reported, i,"
    "         count(r.figures[i]) AS n, CASE WHEN i = 5 THEN 0 ELSE coalesce(sum(r.figures[i]), 0) END AS sum"
    "    FROM baocao.report r, generate_series(1, 5) i, LATERAL (VALUES (1), (2 + r.unit % 2)) s(scope)"
    "   WHERE r.state = 1 GROUP BY s.scope, r.form, r.period, i),"
    " stored AS ("
    "  SELECT scope, form, period, reported, i, counts[i] AS n, sums[i] AS sum"
    "    FROM baocao.rollup, generate_series(1, 5) i WHERE reported > 0)"
    "SELECT (SELECT count(*) FROM (TABLE again EXCEPT TABLE stored) x)"
    "     + (SELECT count(*) FROM (TABLE stored EXCEPT TABLE again) x)"
    "     + (SELECT count(*) FROM baocao.obligation o WHERE o.revision IS DISTINCT FROM"
    "         (SELECT max(r.revision) FROM baocao.report r"
    "           WHERE r.unit = o.unit AND r.form = o.form AND r.period = o.period AND r.state = 1))"
    "     + (SELECT count(*) FROM baocao.obligation o WHERE o.received_at IS DISTINCT FROM"
    "         (SELECT min(r.received_at) FROM baocao.report r"
    "           WHERE r.unit = o.unit AND r.form = o.form AND r.period = o.period AND r.state IN (1, 2)))"
    "     + (SELECT count(*) FROM (SELECT FROM baocao.report WHERE state = 1 GROUP BY unit, form, period"
    "                               HAVING count(*) > 1) x)"
    "     + (SELECT count(*) FROM baocao.report r FULL JOIN baocao.receipt q ON q.id = r.receipt"
    "         WHERE (r.unit, r.form, r.period, r.revision) IS DISTINCT FROM (q.unit, q.form, q.period, "
    "q.revision))";

/* Every audit row names the one before, is signed, and its leaves make its root. */
static void check_chain(struct world *w)
{
    static const struct baod_pg_statement ROWS = {
        NULL,
        "SELECT seq, node, at, n, root, prev, signature, public_key, leaves FROM baocao.audit ORDER BY seq"};
    const struct baod_pg_result *r;
    struct bao_hash previous = {{0}}, root;

    assert_int_equal(baod_pg_call_exec(w->call, &ROWS, NULL, 0, &r), 0);
    for (size_t i = 0; i < baod_pg_rows(r); i++) {
        struct bao_batch b = {.province = BAO_STR("66"),
                              .node = baod_pg_bytes(r, i, 1),
                              .seq = baod_pg_int(r, i, 0),
                              .at = baod_pg_time(r, i, 2),
                              .n = (uint64_t)baod_pg_int(r, i, 3)};
        struct bao_str leaves = baod_pg_bytes(r, i, 8);

        assert_int_equal(b.seq, (int64_t)i + 1);
        memcpy(b.root.octets, baod_pg_bytes(r, i, 4).p, 32);
        memcpy(b.previous.octets, baod_pg_bytes(r, i, 5).p, 32);
        memcpy(b.signature, baod_pg_bytes(r, i, 6).p, 64);
        assert_memory_equal(b.previous.octets, previous.octets, 32);
        assert_int_equal(leaves.n, b.n * 32);
        bao_merkle_root((const struct bao_hash *)(const void *)leaves.p, b.n, &root);
        assert_memory_equal(root.octets, b.root.octets, 32);
        assert_int_equal(bao_batch_verify(&b, (const uint8_t *)baod_pg_bytes(r, i, 7).p), 1);
        assert_int_equal(bao_batch_hash(&b, &previous), 0);
    }
}

/* ------------------------------------------------------------------ the tests */

static void a_report_is_stored_once_and_answered_for_ever(void **state)
{
    struct world *w = *state;
    struct report *first = send_one(w, 0, make_report(w, 1, 3, 1, 100));
    struct report *again = send_one(w, 1, make_report(w, 1, 3, 1, 100));
    struct report *other = send_one(w, 0, make_report(w, 1, 3, 1, 101));
    struct report *unknown = send_one(w, 0, make_report(w, 12, 3, 1, 1));

    assert_int_equal(first->s.symbol, BAO_SYM_NONE);
    assert_false(first->s.receipt.dup || first->s.receipt.superseded || first->s.receipt.queued);
    assert_true(first->s.receipt.on_time);
    assert_int_equal(first->s.receipt.chain, 1);
    assert_int_equal(again->s.symbol, BAO_SYM_NONE);
    assert_true(again->s.receipt.dup);
    assert_memory_equal(again->s.receipt.id, first->s.receipt.id, 16);
    assert_true(again->s.receipt.received_at == first->s.receipt.received_at);
    assert_int_equal(other->s.symbol, BAO_SYM_KEYREUSED);
    assert_non_null(strstr(other->s.detail[BAO_VI].p, "revision: 2"));
    assert_int_equal(unknown->s.symbol, BAO_SYM_NOTOWED);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.report"), 1);
    assert_int_equal(number(w, DIFFERENCES), 0);
    free_report(first);
    free_report(again);
    free_report(other);
    free_report(unknown);
}

static void corrections_move_the_sums(void **state)
{
    struct world *w = *state;
    static const struct {
        int revision, content;
        bool superseded;
        int counted;
    } steps[] = {{1, 9, false, 1}, {4, 21, false, 4}, {2, 33, true, 4}, {5, 2, false, 5}};

    for (size_t i = 0; i < BAO_COUNT(steps); i++) {
        struct report *r = send_one(w, i % 2, make_report(w, 3, 2, steps[i].revision, steps[i].content));

        assert_int_equal(r->s.symbol, BAO_SYM_NONE);
        assert_int_equal(r->s.receipt.superseded, steps[i].superseded);
        assert_int_equal(
            number(w, "SELECT revision FROM baocao.obligation WHERE unit = 3 AND period = 20263002"),
            steps[i].counted);
        assert_int_equal(number(w, DIFFERENCES), 0);
        free_report(r);
    }
    assert_int_equal(number(w, "SELECT reported FROM baocao.rollup WHERE scope = 1"), 1);
    check_chain(w);
}

static void locks_refuse_and_late_is_late(void **state)
{
    struct world *w = *state;
    struct report *late = make_report(w, 2, 1, 1, 5), *locked = make_report(w, 4, 1, 1, 5);

    late->s.received_at = INT64_C(1790000000000000);   /* 2026-09-21 */
    locked->s.received_at = INT64_C(1800000000000000); /* 2027-01-15 */
    (void)send_one(w, 0, late);
    (void)send_one(w, 0, locked);
    assert_int_equal(late->s.symbol, BAO_SYM_NONE);
    assert_false(late->s.receipt.on_time);
    assert_int_equal(locked->s.symbol, BAO_SYM_LOCKED);
    assert_int_equal(number(w, DIFFERENCES), 0);
    free_report(late);
    free_report(locked);
}

/* Many reports through two writers at once, the same keys by both: one row a key, the same receipt on both
 * sides, the highest revision counts, the sums are those of the counted ones. */
static void two_writers_race_on_the_same_keys(void **state)
{
    enum { N = 1200 };
    struct world *w = *state;
    struct report **reports = calloc(2 * N, sizeof(*reports)), *own[2];
    uint64_t seed = 0x2545f4914f6cdd1d;

    assert_non_null(reports);
    for (int i = 0; i < N; i++) {
        int unit, quarter, revision, content;

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        unit = 1 + (int)(seed % (UNITS - 1));
        quarter = 1 + (int)((seed >> 8) % PERIODS);
        revision = 1 + (int)((seed >> 16) % 9);
        content = unit * 1000 + revision * 10 + quarter; /* same key, same content */
        reports[2 * i] = make_report(w, unit, quarter, revision, content);
        reports[2 * i + 1] = make_report(w, unit, quarter, revision, content);
        submit(w, i % 2, reports[2 * i]);
        submit(w, (i + 1) % 2, reports[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) { /* a key of its own for each, so that neither can be late for all */
        own[i] = make_report(w, UNITS - 1, 1 + i, 20, 7);
        submit(w, i, own[i]);
    }
    wait_all(w);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(own[i]->s.symbol, BAO_SYM_NONE);
        free_report(own[i]);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(reports[2 * i]->s.symbol, BAO_SYM_NONE);
        assert_int_equal(reports[2 * i + 1]->s.symbol, BAO_SYM_NONE);
        assert_memory_equal(reports[2 * i]->s.receipt.id, reports[2 * i + 1]->s.receipt.id, 16);
    }
    assert_int_equal(number(w, DIFFERENCES), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.receipt") +
                         (int64_t)baod_writer_counts(w->writers[0]).duplicates +
                         (int64_t)baod_writer_counts(w->writers[1]).duplicates,
                     2 * N + 2);
    assert_true(number(w, "SELECT count(DISTINCT node) FROM baocao.audit") == 2); /* both did write */
    check_chain(w);
    for (int i = 0; i < 2 * N; i++)
        free_report(reports[i]);
    free(reports);
}

static void another_epoch_is_fetched_first(void **state)
{
    struct world *w = *state;
    int before;

    free_report(send_one(w, 0, make_report(w, 1, 1, 1, 5)));
    before = w->prepared;
    sql(w, "UPDATE baocao.epoch SET value = 2 WHERE name = 'forms'");
    w->forms_epoch = 2;
    free_report(send_one(w, 0, make_report(w, 2, 1, 1, 5)));
    assert_int_equal(w->prepared, before + 1);
    assert_int_equal(number(w, DIFFERENCES), 0);
}

/* One report that PostgreSQL cannot take must not hold the others. */
static void a_poisonous_report_is_set_aside(void **state)
{
    enum { N = 40 };
    struct world *w = *state;
    struct report *reports[N];

    sql(w, "ALTER TABLE baocao.report ADD CONSTRAINT poison CHECK (figures[1] <> 949 OR figures[1] IS NULL)");
    for (int i = 0; i < N; i++) {
        reports[i] = make_report(w, 1 + i % 11, 1 + i / 11 % 3, 1 + i / 33, i);
        reports[i]->figures[0] = (struct bao_figure){true, i == 17 ? 949 : i};
        submit(w, 0, reports[i]);
    }
    wait_all(w);
    for (int i = 0; i < N; i++) {
        assert_int_equal(reports[i]->s.symbol, i == 17 ? BAO_SYM_INTERNAL : BAO_SYM_NONE);
        free_report(reports[i]);
    }
    assert_true(baod_writer_counts(w->writers[0]).bisected >= 2);
    assert_int_equal(baod_writer_counts(w->writers[0]).quarantined, 1);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.quarantine WHERE sqlstate = '23514'"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.report"), N - 1);
    assert_int_equal(number(w, DIFFERENCES), 0);
}

/* The registry that the numbers above stand for, as the office's acts read it. */
static void fill_registry(struct world *w)
{
    sql(w,
        "INSERT INTO baocao.unit (unit, code, kind, name_vi, name_en, from_day, seq_from)"
        "  SELECT u, 'u' || chr(96 + u), 'ward', 'X', 'X', '2025-07-01', 0 FROM generate_series(1, 11) u;"
        "INSERT INTO baocao.scope SELECT s, 's' || s, 1, 'S', 'S' FROM generate_series(1, 3) s;"
        "INSERT INTO baocao.scope_unit (scope, unit, from_day, seq_from)"
        "  SELECT s, u, '2025-01-01', 0 FROM generate_series(1, 11) u, LATERAL (VALUES (1), (2 + u % 2)) "
        "s(s);"
        "INSERT INTO baocao.form VALUES (1, 3, 'f', 'F', 'F', NULL, 3, '2025-01-01', 'infinity', '', '', 0);"
        "INSERT INTO baocao.period SELECT 1, 20263000 + p, '2026-Q' || p, '2026-06-15', '2026-09-14', 'P', "
        "'P'"
        "  FROM generate_series(1, 3) p;"
        "INSERT INTO baocao.indicator (form, slot, slot_to, code, decimals, over_units, over_time, label_vi, "
        "label_en,"
        "  version_from, version_to) VALUES (1, 1, NULL, 'a', 0, 'sum', 'sum', 'A', 'A', 1, 3),"
        "  (1, 2, NULL, 'b', 2, 'sum', 'sum', 'B', 'B', 1, 3), (1, 3, 4, 'c', 2, 'sum', 'sum', 'C', 'C', 1, "
        "3),"
        "  (1, 5, NULL, 'd', 0, 'none', 'last', 'D', 'D', 1, 3);");
}

struct fate {
    struct world *w;
    enum bao_symbol symbol;
    struct baod_receipt receipt;
    char file[4096];
};

static void on_fate(void *user, const struct baod_stat *stat)
{
    struct fate *fate = user;

    fate->symbol = stat->symbol;
    fate->receipt = stat->receipt;
    assert_true(stat->file.n < sizeof(fate->file));
    (void)snprintf(fate->file, sizeof(fate->file), "%.*s", BAO_STR_ARG(stat->file));
    fate->w->under_way--;
}

static struct fate look_up(struct world *w, struct baod_pg *pg, const struct baod_stat_ask *ask)
{
    struct fate fate = {.w = w};

    w->under_way++;
    assert_int_equal(baod_stat(pg, BAO_STR("66"), ask, on_fate, &fate), 0);
    wait_all(w);
    return fate;
}

/* STAT gives the receipt of the first answer again, and a file that proves it offline. */
static void a_receipt_can_be_had_again_and_proved(void **state)
{
    enum { N = 33 };
    struct world *w = *state;
    struct baod_pg_options options = {.conninfo = w->conninfo, .application = "test reader"};
    struct baod_stat_ask ask = {.by_receipt = true, .proof = true};
    struct baod_pg *pg;
    struct report *reports[N];
    struct bao_receipt_file file;
    struct fate fate;
    uint8_t seed[32] = {7}, pub[32];

    assert_int_equal(baod_pg_new(&w->loop, &options, &pg), 0);
    baod_pg_open(pg);
    bao_ed25519_public(seed, pub);
    fill_registry(w);
    for (int i = 0; i < N; i++)
        submit(w, 0, reports[i] = make_report(w, 1 + i % 11, 1 + i / 11, 2, i));
    wait_all(w);
    free_report(send_one(w, 0, make_report(w, 1, 1, 3, 777)));
    free_report(send_one(w, 0, make_report(w, 1, 1, 1, 778))); /* kept: a higher one counts */
    while (!baod_pg_is_ready(pg))
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    for (int i = 0; i < N; i++) {
        memcpy(ask.receipt, reports[i]->s.receipt.id, 16);
        fate = look_up(w, pg, &ask);
        assert_int_equal(fate.symbol, BAO_SYM_NONE);
        assert_int_equal(fate.receipt.superseded, i == 0);
        assert_int_equal(fate.receipt.chain, reports[i]->s.receipt.chain);
        assert_memory_equal(fate.receipt.content, reports[i]->s.receipt.content, 32);
        assert_int_equal(bao_receipt_read(bao_str_c(fate.file), &file), 0);
        assert_int_equal(bao_receipt_verify(&file, pub), 0);
        free_report(reports[i]);
    }
    ask = (struct baod_stat_ask){.form = BAO_STR("f"), .unit = BAO_STR("ub"), .period = BAO_STR("2026-Q1")};
    fate = look_up(w, pg, &ask);
    assert_int_equal(fate.symbol, BAO_SYM_NONE);
    assert_int_equal(fate.receipt.revision, 2);
    assert_int_equal(fate.file[0], '\0');
    ask.revision = 9;
    assert_int_equal(look_up(w, pg, &ask).symbol, BAO_SYM_UNKNOWN);
    ask.period = BAO_STR("2026-Q9");
    assert_int_equal(look_up(w, pg, &ask).symbol, BAO_SYM_PERIOD);
    (void)baod_pg_free(pg);
}

static int act(struct world *w, enum baod_act_kind kind, const char *unit, bao_time until)
{
    const struct baod_chain_signer signer = {
        .province_key = 66, .province = BAO_STR("66"), .node = BAO_STR("office"), .seed = {7}};
    const struct baod_act a = {.kind = kind,
                               .form = BAO_STR("f"),
                               .period = BAO_STR("2026-Q2"),
                               .unit = bao_str_c(unit),
                               .until = until,
                               .actor = BAO_STR("văn phòng"),
                               .reason = BAO_STR("số liệu chưa khớp")};
    struct bao_buf why = BAO_BUF_NULL(4096);
    struct baod_act_done done;
    int r = baod_office_act(w->call, &signer, &a, &why, &done);

    if (r == BAOD_ACT_E_DATABASE)
        fail_msg("%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    return r;
}

/* A return takes the report out of the sums at once; what comes within its term is on time; locks and
 * exemptions. */
static void the_office_acts_in_the_open(void **state)
{
    static const char MINE[] = "SELECT revision FROM baocao.obligation WHERE unit = 3 AND period = 20263002";
    const bao_time late = INT64_C(1790000000000000); /* 2026-09-21 */
    struct world *w = *state;
    struct report *r;

    fill_registry(w);
    free_report(send_one(w, 0, make_report(w, 3, 2, 1, 100)));
    free_report(send_one(w, 0, make_report(w, 4, 2, 1, 300)));
    assert_int_equal(number(w, DIFFERENCES), 0);
    assert_int_equal(act(w, BAOD_ACT_RETURN, "ue", BAO_TIME_NONE), BAOD_ACT_E_EMPTY);
    assert_int_equal(act(w, BAOD_ACT_RETURN, "zz", BAO_TIME_NONE), BAOD_ACT_E_NOTOWED);
    assert_int_equal(act(w, BAOD_ACT_EXTEND, "uc", BAO_TIME_NONE), BAOD_ACT_E_WRONG);
    assert_int_equal(act(w, BAOD_ACT_RETURN, "uc", late + 1), 0);
    assert_int_equal(number(w, MINE), 0);
    assert_int_equal(number(w, "SELECT reported FROM baocao.rollup WHERE scope = 1"), 1);
    assert_int_equal(number(w, DIFFERENCES), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.outcome WHERE state = 'returned'"), 1);

    r = send_one(w, 1,
                 make_report(w, 3, 2, 1, 100)); /* the returned one again: its first receipt, given back */
    assert_true(r->s.symbol == BAO_SYM_NONE && r->s.receipt.dup && r->s.receipt.returned);
    free_report(r);
    r = make_report(w, 3, 2, 2, 200);
    r->s.received_at = late;
    (void)send_one(w, 1, r);
    assert_true(r->s.symbol == BAO_SYM_NONE && r->s.receipt.on_time); /* within the term of the return */
    free_report(r);
    assert_int_equal(number(w, MINE), 2);
    assert_int_equal(number(w, "SELECT reported FROM baocao.rollup WHERE scope = 1"), 2);

    assert_int_equal(act(w, BAOD_ACT_LOCK, "", INT64_C(1789400000000000)),
                     0); /* everybody, from before they send */
    r = send_one(w, 0, make_report(w, 5, 2, 1, 5));
    assert_int_equal(r->s.symbol, BAO_SYM_LOCKED);
    free_report(r);
    assert_int_equal(act(w, BAOD_ACT_WITHDRAW, "uc", BAO_TIME_NONE), BAOD_ACT_E_LOCKED);
    assert_int_equal(act(w, BAOD_ACT_UNLOCK, "", BAO_TIME_NONE), 0);
    assert_int_equal(act(w, BAOD_ACT_WITHDRAW, "ud", BAO_TIME_NONE), 0);
    assert_int_equal(act(w, BAOD_ACT_EXTEND, "ue", late), 0);
    r = make_report(w, 5, 2, 1, 5);
    r->s.received_at = late;
    (void)send_one(w, 0, r);
    assert_true(r->s.symbol == BAO_SYM_NONE && r->s.receipt.on_time);
    free_report(r);
    assert_int_equal(act(w, BAOD_ACT_EXEMPT, "uf", BAO_TIME_NONE), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.obligation_state WHERE state = 'exempt'"), 1);
    assert_int_equal(act(w, BAOD_ACT_OWE, "uf", BAO_TIME_NONE), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.obligation_state WHERE state = 'exempt'"), 0);
    assert_int_equal(number(w, "SELECT count(*) FROM baocao.obligation_event WHERE kind = 'locked'"), 11);
    assert_int_equal(
        number(w, "SELECT count(*) FROM baocao.report r JOIN baocao.rollup s ON s.scope = 1 AND r.state = 1"
                  " AND s.reported <> 2"),
        0);
    check_chain(w);
}

struct killer {
    uv_timer_t timer;
    struct world *w;
    int kills;
};

static void kill_backends(uv_timer_t *timer)
{
    struct killer *k = timer->data;

    k->kills +=
        (int)number(k->w, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                          " WHERE application_name = 'baocaod writer' AND datname = current_database()");
}

/* Backends die in the middle of batches again and again: nothing acked is missing, nothing is doubled. */
static void dying_backends_lose_and_double_nothing(void **state)
{
    enum { ROUNDS = 40, EACH = 60 };
    struct world *w = *state;
    struct killer killer = {.w = w};
    int stored = 0;

    assert_int_equal(uv_timer_init(&w->loop, &killer.timer), 0);
    killer.timer.data = &killer;
    assert_int_equal(uv_timer_start(&killer.timer, kill_backends, 20, 37), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct report *reports[EACH];

        for (int i = 0; i < EACH; i++) {
            reports[i] = make_report(w, 1 + i % 11, 1 + i / 11 % 3, 1 + round * 2 + i / 33, round * 1000 + i);
            submit(w, (size_t)i % 2, reports[i]);
        }
        wait_all(w);
        for (int i = 0; i < EACH; i++) {
            assert_true(reports[i]->s.symbol == BAO_SYM_NONE || reports[i]->s.symbol == BAO_SYM_BUSY);
            stored += reports[i]->s.symbol == BAO_SYM_NONE;
            /* Asked again, an acked one is known by the same receipt. */
            free_report(reports[i]);
        }
        if (killer.kills > 60)
            (void)uv_timer_stop(&killer.timer);
    }
    uv_close((uv_handle_t *)&killer.timer, NULL);
    assert_true(killer.kills >= 10);
    assert_true(stored > 0);
    assert_true(number(w, "SELECT count(*) FROM baocao.report") >= stored);
    assert_int_equal(number(w, DIFFERENCES), 0);
    check_chain(w);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_report_is_stored_once_and_answered_for_ever),
        TEST(corrections_move_the_sums),
        TEST(locks_refuse_and_late_is_late),
        TEST(two_writers_race_on_the_same_keys),
        TEST(another_epoch_is_fetched_first),
        TEST(a_poisonous_report_is_set_aside),
        TEST(the_office_acts_in_the_open),
        TEST(a_receipt_can_be_had_again_and_proved),
        TEST(dying_backends_lose_and_double_nothing),
    };

    if (getenv("BAOCAO_TEST_PG") == NULL) {
        printf("skipped: BAOCAO_TEST_PG is not set\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
