#include "daemon/store/stat.h"
#include "daemon/ops/log.h"
#include "daemon/store/decide.h"
#include "daemon/store/notices.h"
#include "daemon/store/pg.h"
#include "lib/doc/tree.h"
#include "lib/form/date.h"
#include "lib/form/receipt.h"

enum { PARAMS = 4, LEAF_MAX = 1024, FILE_MAX = 8192, REASON_MAX = 1 << 20 };

/* One look-up under way. */
struct look {
    struct bao_arena arena;
    struct baod_pg *pg;
    struct bao_str province;
    struct baod_pg_param params[PARAMS];
    bool by_receipt, proof, document;
    baod_stat_done *done;
    void *user;
    struct baod_stat stat;
    bool never_counted; /* superseded when it came */
    int64_t leaf;
};

#define REPORT_COLUMNS                                                                                       \
    "SELECT r.receipt, (SELECT code FROM baocao.unit u WHERE u.unit = r.unit LIMIT 1),"                      \
    "       (SELECT id FROM baocao.form f WHERE f.form = r.form LIMIT 1), r.period, r.revision,"             \
    "       r.form_version, r.state, r.received_at, r.seq_from, r.seq_to, r.leaf, r.content, r.sha256,"      \
    "       coalesce(o.extended_to, o.due_at), o.received_at, r.warnings,"                                   \
    "       current_setting('synchronous_standby_names') <> '', r.state >= 3 AND o.revision IS NULL,"        \
    "       o.kept_until, (SELECT e.reason FROM baocao.obligation_event e WHERE r.state >= 3 AND e.unit = "  \
    "r.unit"                                                                                                 \
    "            AND e.form = r.form AND e.period = r.period AND e.revision = r.revision"                    \
    "            AND e.kind IN ('returned', 'withdrawn') ORDER BY e.seq DESC LIMIT 1) "

#define OBLIGATION                                                                                           \
    " LEFT JOIN baocao.obligation o ON o.unit = r.unit AND o.form = r.form AND o.period = r.period "

static const struct baod_pg_statement BY_RECEIPT = {
    "s_receipt", REPORT_COLUMNS
    "FROM baocao.receipt c JOIN baocao.report r ON r.unit = c.unit AND r.form = c.form"
    "                                      AND r.period = c.period AND r.revision = c.revision" OBLIGATION
    "WHERE c.id = $1"};

static const struct baod_pg_statement BY_KEY = {
    "s_key", REPORT_COLUMNS "FROM baocao.report r" OBLIGATION
                            "WHERE r.unit = (SELECT unit FROM baocao.unit WHERE code = $1 LIMIT 1)"
                            "  AND r.form = (SELECT form FROM baocao.form WHERE id = $2 LIMIT 1)"
                            "  AND r.period = $3 AND ($4::int4 = 0 OR r.revision = $4)"
                            " ORDER BY (r.revision = o.revision) DESC NULLS LAST, r.revision DESC LIMIT 1"};

/* A receipt that was answered `queued` and refused when it was drained. */
static const struct baod_pg_statement REFUSED = {
    "s_refused", "SELECT o.symbol, (SELECT code FROM baocao.unit u WHERE u.unit = o.unit LIMIT 1),"
                 "       (SELECT id FROM baocao.form f WHERE f.form = o.form LIMIT 1), o.period, o.revision"
                 "  FROM baocao.outcome o WHERE o.receipt = $1 AND o.state = 'refused' LIMIT 1"};

static const struct baod_pg_statement BATCH = {
    "s_batch", "SELECT node, at, n, root, prev, signature, leaves FROM baocao.audit WHERE seq = $1"};

static const struct baod_pg_statement DOCUMENT = {
    "s_document",
    "SELECT r.body, r.raw_size::int8 FROM baocao.receipt c JOIN baocao.report r ON r.unit = c.unit"
    " AND r.form = c.form AND r.period = c.period AND r.revision = c.revision WHERE c.id = $1"};

static void finish(struct look *look, enum bao_symbol symbol)
{
    look->stat.symbol = symbol;
    look->done(look->user, &look->stat);
    bao_arena_deinit(&look->arena);
    free(look);
}

static bool get_octets(struct bao_str s, uint8_t *ret, size_t n)
{
    if (s.n != n)
        return false;
    memcpy(ret, s.p, n);
    return true;
}

static bool get_text(struct look *look, struct bao_str s, struct bao_str *ret)
{
    *ret = bao_arena_str(&look->arena, s);
    return ret->p != NULL;
}

/* ------------------------------------------------------------------ the proof */

/* The leaf's text as it was when the batch was made; the verdict is the one thing that the row may not tell.
 */
static int print_leaf(const struct look *look, struct bao_buf *out, bool accepted)
{
    const struct baod_receipt *r = &look->stat.receipt;
    struct bao_leaf leaf = {.form = look->stat.form,
                            .unit = look->stat.unit,
                            .period = look->stat.period,
                            .revision = r->revision,
                            .received_at = r->received_at,
                            .form_version = r->form_version,
                            .verdict = accepted ? BAO_STR("accepted") : BAO_STR("superseded")};

    memcpy(leaf.id, r->id, sizeof(leaf.id));
    memcpy(leaf.content, r->content, sizeof(leaf.content));
    return bao_leaf_print(out, &leaf);
}

static bool read_batch(struct look *look, const struct baod_pg_result *r, struct bao_batch *ret)
{
    *ret = (struct bao_batch){.province = look->province,
                              .node = baod_pg_bytes(r, 0, 0),
                              .seq = look->stat.receipt.chain,
                              .at = baod_pg_time(r, 0, 1),
                              .n = (uint64_t)baod_pg_int(r, 0, 2)};
    return get_octets(baod_pg_bytes(r, 0, 3), ret->root.octets, sizeof(ret->root.octets)) &&
           get_octets(baod_pg_bytes(r, 0, 4), ret->previous.octets, sizeof(ret->previous.octets)) &&
           get_octets(baod_pg_bytes(r, 0, 5), ret->signature, sizeof(ret->signature));
}

/* Makes the receipt file; leaves it empty when the leaf is not where it should be. */
static void make_file(struct look *look, const struct baod_pg_result *r)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(LEAF_MAX), file = BAO_BUF_NULL(FILE_MAX);
    struct bao_str octets = baod_pg_bytes(r, 0, 6);
    struct bao_hash path[BAO_MERKLE_PATH_MAX], leaf, *leaves;
    struct bao_batch batch;
    size_t n_path, index = (size_t)look->leaf;

    if (!read_batch(look, r, &batch) || octets.n != batch.n * sizeof(*leaves) || look->leaf < 0 ||
        index >= batch.n)
        return;
    leaves = bao_arena_array(&look->arena, batch.n, sizeof(*leaves));
    if (leaves == NULL || print_leaf(look, &text, !look->never_counted) < 0)
        return;
    memcpy(leaves, octets.p, octets.n);
    bao_merkle_leaf(bao_buf_str(&text), &leaf);
    if (memcmp(&leaf, &leaves[index], sizeof(leaf)) != 0)
        return;
    n_path = bao_merkle_path(leaves, batch.n, index, path);
    if (bao_receipt_print(&file, bao_buf_str(&text), index, path, n_path, &batch) == 0)
        (void)get_text(look, bao_buf_str(&file),
                       &look->stat.file); /* without memory: no file, the receipt stands */
}

static void on_batch(const struct baod_pg_result *r, void *user)
{
    struct look *look = user;

    if (baod_pg_outcome(r) == BAOD_PG_OK && baod_pg_rows(r) == 1)
        make_file(look, r);
    finish(look, baod_pg_outcome(r) == BAOD_PG_OK ? BAO_SYM_NONE : BAO_SYM_BUSY);
}

/* ------------------------------------------------------------------ the report */

/* Of one given back, why, before its other warnings: whoever asks next is not told by RETURNED any more. */
static bool put_reason(struct look *look, const struct baod_pg_result *r)
{
    BAO_CLEANUP(bao_buf_deinit)
    struct bao_buf out = BAO_BUF_NULL(REASON_MAX),
                   vi = BAO_BUF_NULL(REASON_MAX), en = BAO_BUF_NULL(REASON_MAX);
    const struct baod_notice notice = {
        .kind = BAOD_NOTICE_RETURNED,
        .revision = look->stat.receipt.revision,
        .detail = baod_pg_bytes(r, 0, 19),
        .at = baod_pg_int(r, 0, 17) != 0 ? baod_pg_time(r, 0, 18) : BAO_TIME_NONE,
    };
    struct bao_str others = look->stat.warnings;

    if (!look->stat.receipt.returned)
        return true;
    if (bao_buf_append_c(&out, "[{\"code\":\"RETURNED\",\"severity\":\"warning\",\"line\":0,\"column\":0,"
                               "\"path\":\"\",\"message\":") < 0 ||
        baod_notice_sentence(&vi, &notice, BAO_VN_OFFSET, BAO_VI) < 0 ||
        baod_notice_sentence(&en, &notice, BAO_VN_OFFSET, BAO_EN) < 0 ||
        bao_json_both(&out, bao_buf_str(&vi), bao_buf_str(&en)) < 0 ||
        bao_buf_append_c(&out, others.n > 2 ? "}," : "}]") < 0 || /* "[]" has none */
        (others.n > 2 && bao_buf_append_str(&out, (struct bao_str){others.p + 1, others.n - 1}) < 0))
        return false;
    return get_text(look, bao_buf_str(&out), &look->stat.warnings);
}

static bool read_report(struct look *look, const struct baod_pg_result *r)
{
    struct baod_receipt *receipt = &look->stat.receipt;
    struct bao_period period;
    bao_time custody = baod_pg_time(r, 0, 14);
    uint8_t state = (uint8_t)baod_pg_int(r, 0, 6);
    char label[16];

    if (!bao_period_of_code((int32_t)baod_pg_int(r, 0, 3), &period))
        return false;
    bao_period_print(period, label);
    receipt->revision = (int)baod_pg_int(r, 0, 4);
    receipt->form_version = (int)baod_pg_int(r, 0, 5);
    receipt->superseded = state == BAOD_SUPERSEDED;
    receipt->returned = state == BAOD_RETURNED || state == BAOD_WITHDRAWN;
    receipt->received_at = baod_pg_time(r, 0, 7);
    receipt->chain = baod_pg_int(r, 0, 8);
    look->never_counted = baod_pg_int(r, 0, 9) == receipt->chain;
    look->leaf = baod_pg_int(r, 0, 10);
    receipt->due_at = baod_pg_time(r, 0, 13);
    receipt->on_time = custody != BAO_TIME_NONE && custody <= receipt->due_at;
    receipt->durable_sync = baod_pg_int(r, 0, 16) != 0;
    return get_octets(baod_pg_bytes(r, 0, 0), receipt->id, sizeof(receipt->id)) &&
           get_octets(baod_pg_bytes(r, 0, 11), receipt->content, sizeof(receipt->content)) &&
           get_octets(baod_pg_bytes(r, 0, 12), receipt->sha256, sizeof(receipt->sha256)) &&
           get_text(look, baod_pg_bytes(r, 0, 1), &look->stat.unit) &&
           get_text(look, baod_pg_bytes(r, 0, 2), &look->stat.form) &&
           get_text(look, bao_str_c(label), &look->stat.period) &&
           get_text(look, baod_pg_bytes(r, 0, 15), &look->stat.warnings) && put_reason(look, r);
}

static int ask_batch(struct look *look)
{
    int r;

    look->params[0] = baod_pg_p_int8(&look->arena, look->stat.receipt.chain);
    r = baod_pg_exec(look->pg, &BATCH, look->params, 1, on_batch, look);
    if (r < 0)
        return r;
    if (baod_pg_sync(look->pg, NULL, NULL) < 0)
        baod_pg_drop(look->pg, "no memory"); /* the question is queued and must be answered */
    return 0;
}

static void on_document(const struct baod_pg_result *r, void *user)
{
    struct look *look = user;
    bool ok = baod_pg_outcome(r) == BAOD_PG_OK && baod_pg_rows(r) == 1 &&
              get_text(look, baod_pg_bytes(r, 0, 0), &look->stat.stored);

    if (ok)
        look->stat.raw_size = (size_t)baod_pg_int(r, 0, 1);
    finish(look, ok ? BAO_SYM_NONE : BAO_SYM_BUSY);
}

static int ask_document(struct look *look)
{
    int r;

    look->params[0] = baod_pg_p_uuid(look->stat.receipt.id);
    r = baod_pg_exec(look->pg, &DOCUMENT, look->params, 1, on_document, look);
    if (r < 0)
        return r;
    if (baod_pg_sync(look->pg, NULL, NULL) < 0)
        baod_pg_drop(look->pg, "no memory"); /* the question is queued and must be answered */
    return 0;
}

static void on_refused(const struct baod_pg_result *r, void *user)
{
    struct look *look = user;
    enum bao_symbol symbol = BAO_SYM_UNKNOWN;
    struct bao_period period;
    char label[16];

    if (baod_pg_outcome(r) != BAOD_PG_OK) {
        finish(look, BAO_SYM_BUSY);
        return;
    }
    if (baod_pg_rows(r) == 1 && bao_period_of_code((int32_t)baod_pg_int(r, 0, 3), &period)) {
        bao_period_print(period, label);
        symbol = bao_symbol_of(baod_pg_bytes(r, 0, 0));
        look->stat.receipt.revision = (int)baod_pg_int(r, 0, 4);
        if (symbol == BAO_SYM_NONE || !get_text(look, baod_pg_bytes(r, 0, 1), &look->stat.unit) ||
            !get_text(look, baod_pg_bytes(r, 0, 2), &look->stat.form) ||
            !get_text(look, bao_str_c(label), &look->stat.period))
            symbol = BAO_SYM_INTERNAL;
    }
    finish(look, symbol);
}

/* Nothing is stored under that receipt: it may have been refused at drain. */
static void ask_refused(struct look *look)
{
    if (baod_pg_exec(look->pg, &REFUSED, look->params, 1, on_refused, look) < 0)
        finish(look, BAO_SYM_UNKNOWN);
    else if (baod_pg_sync(look->pg, NULL, NULL) < 0)
        baod_pg_drop(look->pg, "no memory"); /* the question is queued and must be answered */
}

static void on_report(const struct baod_pg_result *r, void *user)
{
    struct look *look = user;

    if (baod_pg_outcome(r) == BAOD_PG_SQL)
        baod_log(BAOD_LOG_ERROR, "stat: %s %s", baod_pg_sqlstate(r), baod_pg_message(r));
    if (baod_pg_outcome(r) != BAOD_PG_OK) {
        finish(look, BAO_SYM_BUSY);
        return;
    }
    if (baod_pg_rows(r) == 0 && look->by_receipt) {
        ask_refused(look);
        return;
    }
    if (baod_pg_rows(r) == 0) {
        finish(look, BAO_SYM_UNKNOWN);
        return;
    }
    if (!read_report(look, r)) {
        finish(look, BAO_SYM_INTERNAL);
        return;
    }
    if (look->document && ask_document(look) < 0)
        finish(look, BAO_SYM_BUSY);
    else if (!look->document && (!look->proof || ask_batch(look) < 0))
        finish(look, BAO_SYM_NONE);
}

/* Sets the parameters of the look-up: 0, BAO_SYM_PERIOD, or -ENOMEM. */
static int set_params(struct look *look, const struct baod_stat_ask *ask)
{
    struct bao_str texts[2] = {ask->unit, ask->form}, id;
    struct bao_period period;

    if (ask->by_receipt) {
        id = bao_arena_str(&look->arena, (struct bao_str){(const char *)ask->receipt, sizeof(ask->receipt)});
        if (id.p == NULL)
            return -ENOMEM;
        look->params[0] = baod_pg_p_uuid((const uint8_t *)id.p);
        return 0;
    }
    if (!bao_period_parse(ask->period, &period))
        return BAO_SYM_PERIOD;
    for (size_t i = 0; i < 2; i++) {
        texts[i] = bao_arena_str(&look->arena, texts[i]);
        if (texts[i].p == NULL)
            return -ENOMEM;
        look->params[i] = baod_pg_p_text(texts[i]);
    }
    look->params[2] = baod_pg_p_int4(&look->arena, bao_period_code(period));
    look->params[3] = baod_pg_p_int4(&look->arena, ask->revision);
    return 0;
}

int baod_stat(struct baod_pg *pg, struct bao_str province, const struct baod_stat_ask *ask,
              baod_stat_done *done, void *user)
{
    struct look *look = calloc(1, sizeof(*look));
    int r;

    if (look == NULL)
        return -ENOMEM;
    *look = (struct look){.pg = pg,
                          .province = province,
                          .by_receipt = ask->by_receipt,
                          .proof = ask->proof,
                          .document = ask->document,
                          .done = done,
                          .user = user};
    r = set_params(look, ask);
    if (r == -ENOMEM) {
        bao_arena_deinit(&look->arena);
        free(look);
        return r;
    }
    if (r > 0) {
        finish(look, (enum bao_symbol)r);
        return 0;
    }
    r = baod_pg_exec(pg, ask->by_receipt ? &BY_RECEIPT : &BY_KEY, look->params, ask->by_receipt ? 1 : PARAMS,
                     on_report, look);
    if (r < 0) {
        finish(look, BAO_SYM_BUSY);
        return 0;
    }
    if (baod_pg_sync(pg, NULL, NULL) < 0)
        baod_pg_drop(pg, "no memory"); /* the question is queued and must be answered */
    return 0;
}
