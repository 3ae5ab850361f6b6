#include "daemon/store/audit.h"

#include "daemon/store/claims.h"
#include "daemon/store/decide.h"
#include "daemon/store/dictionary.h"
#include "daemon/store/leaves.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/retrace.h"
#include "lib/base/error.h"
#include "lib/form/judge.h"
#include "lib/form/period.h"
#include "lib/form/receipt.h"
#include "lib/wire/deflate.h"

enum { ARENA_CAP = 64 << 20, LINES_MAX = 1000, LEAF_MAX = 4096 };

static const struct baod_pg_statement BATCHES = {
    "audit_batches",
    "SELECT seq, node, at, n, root, prev, public_key, signature, leaves"
    "  FROM baocao.audit WHERE seq > $1 ORDER BY seq LIMIT 200",
};

/* Leaves are stored uncompressed, so a piece of them is read without the rest. */
static const struct baod_pg_statement REPORTS = {
    "audit_reports",
    "SELECT r.unit, r.form, r.period, r.revision, r.form_version, r.received_at, r.seq_from, r.leaf, "
    "r.receipt, r.content,"
    "       (SELECT code FROM baocao.unit u WHERE u.unit = r.unit LIMIT 1),"
    "       (SELECT id FROM baocao.form f WHERE f.form = r.form LIMIT 1),"
    "       (SELECT substring(a.leaves FROM 32 * r.leaf + 1 FOR 32) FROM baocao.audit a WHERE a.seq = "
    "r.seq_from),"
    "       EXISTS (SELECT FROM baocao.receipt c WHERE c.id = r.receipt AND (c.unit, c.form, c.period, "
    "c.revision)"
    "                                                                    = (r.unit, r.form, r.period, "
    "r.revision)),"
    "       r.sha256, r.raw_size, r.body, r.state, r.seq_to, r.nil, r.figures, r.explanations, r.collected,"
    "       (SELECT min(n.seq_from) FROM baocao.report n"
    "         WHERE n.unit = r.unit AND n.form = r.form AND n.period = r.period AND n.seq_from > r.seq_from"
    "           AND n.seq_to <> n.seq_from),"
    "       (SELECT min(e.seq) FROM baocao.obligation_event e"
    "         WHERE e.unit = r.unit AND e.form = r.form AND e.period = r.period AND e.seq > r.seq_from"
    "           AND e.kind = 'returned' AND e.revision = r.revision),"
    "       (SELECT min(e.seq) FROM baocao.obligation_event e"
    "         WHERE e.unit = r.unit AND e.form = r.form AND e.period = r.period AND e.seq > r.seq_from"
    "           AND e.kind = 'withdrawn' AND e.revision = r.revision)"
    "  FROM baocao.report r WHERE (r.unit, r.form, r.period, r.revision) > ($1, $2, $3, $4)"
    " ORDER BY r.unit, r.form, r.period, r.revision LIMIT 200",
};

/* Every receipt that was given out keeps its report, also one that no longer counts. */
static const struct baod_pg_statement RECEIPTS = {
    "audit_receipts",
    "SELECT c.id, (SELECT code FROM baocao.unit u WHERE u.unit = c.unit LIMIT 1),"
    "       (SELECT id FROM baocao.form f WHERE f.form = c.form LIMIT 1), c.period, c.revision,"
    "       EXISTS (SELECT FROM baocao.report r WHERE (r.unit, r.form, r.period, r.revision)"
    "                                               = (c.unit, c.form, c.period, c.revision))"
    "  FROM baocao.receipt c WHERE c.id > $1 ORDER BY c.id LIMIT 2000",
};

/* Columns of REPORTS behind the document. */
enum { STATE = 17, SEQ_TO, NIL, FIGURES, EXPLANATIONS, COLLECTED, NEXT, RETURNED_AT, WITHDRAWN_AT };

struct audit {
    struct baod_pg_call *call;
    const struct baod_snapshot *files;
    struct baod_dictionary *dictionary;
    struct baod_claims claims;
    enum bao_lang lang;
    struct bao_buf *out;
    struct bao_arena arena;
    struct bao_schema_scratch *scratch;
    struct bao_inflater *inflater;
    struct bao_hash previous; /* hash of the row before */
    bao_time at;              /* of the row before */
    struct baod_audit_counts counts;
};

/* What can be wrong, with the batch or the report it is said of before it. */
enum finding {
    GAP,
    TIME,
    PREVIOUS,
    LEAVES,
    ROOT,
    SIGNATURE,
    KEY_CHANGED,
    LEAF,
    DOCUMENT,
    FIGURES_CHANGED,
    SPAN,
    RECEIPT,
    REMOVED,
    ACT,
    REFUSAL,
    CUSTODY,
    UNSHOWN,
    REFUSALS_GONE,
};

static const char *const SENTENCES[][BAO_LANGS] = {
    [GAP] = {"thiếu lượt ghi ngay trước", "the batch before it is missing"},
    [TIME] = {"thời điểm không sau lượt ghi trước", "its time is not after that of the batch before"},
    [PREVIOUS] = {"không nối với lượt ghi trước: một trong hai đã bị sửa",
                  "does not follow from the batch before: one of "
                  "the two was changed"},
    [LEAVES] = {"số lá không đúng", "the number of its leaves is wrong"},
    [ROOT] = {"gốc Merkle không khớp các lá", "its Merkle root does not fit its leaves"},
    [SIGNATURE] = {"chữ ký sai", "its signature is wrong"},
    [KEY_CHANGED] = {"ký bằng khóa khác lượt ghi trước", "signed with another key than the batch before"},
    [LEAF] = {"báo cáo đang lưu không khớp lá của nó trong nhật ký",
              "the stored report does not fit its leaf in the chain"},
    [DOCUMENT] = {"văn bản báo cáo đang lưu không phải văn bản đã nhận",
                  "the stored document is not the one that was received"},
    [FIGURES_CHANGED] = {"số liệu đang lưu không phải số liệu mà biểu mẫu đọc được từ văn bản báo cáo",
                         "the stored figures are not those that its form reads out of the document"},
    [SPAN] = {"thời gian được tính của báo cáo không khớp các lần báo cáo sau và các lần trả lại, thu hồi",
              "from when to when it counted does not fit the later revisions, returns and withdrawals"},
    [REMOVED] = {"đã cấp biên nhận nhưng báo cáo không còn được lưu",
                 "a receipt was given, but the report is no longer stored"},
    [ACT] = {"việc của văn phòng đang lưu không khớp lá của nó trong nhật ký",
             "the stored act of the office does not fit its leaf in the chain"},
    [REFUSAL] = {"lần từ chối đang lưu không khớp lá của nó trong nhật ký",
                 "the stored refusal does not fit its leaf in the chain"},
    [CUSTODY] = {"thời điểm nhận đã dời đang lưu không khớp lá của nó trong nhật ký",
                 "the stored move of a custody does not fit its leaf in the chain"},
    [UNSHOWN] = {"không còn dòng nào ứng với lá: báo cáo hoặc việc của văn phòng đã bị xóa",
                 "leaves have no row any more: a report or an act of the office was removed"},
    [REFUSALS_GONE] = {"lần từ chối đã ghi không còn được lưu, dù chưa đến lượt nhường chỗ",
                       "refusals are no longer stored, although it was not their turn to give way"},
    [RECEIPT] = {"không tra được theo mã biên nhận", "cannot be found by its receipt"},
};

static int say(struct audit *v, struct bao_str what, enum finding finding)
{
    if (v->counts.wrong++ >= LINES_MAX)
        return 0;
    return bao_buf_printf(v->out, "%.*s: %s\n", BAO_STR_ARG(what), SENTENCES[finding][v->lang]);
}

static int run(struct audit *v, const struct baod_pg_statement *statement, const struct baod_pg_param *params,
               size_t n, const struct baod_pg_result **ret)
{
    int r = baod_pg_call_tell(v->call, baod_pg_call_exec(v->call, statement, params, n, ret), v->out);

    return r > 0 ? BAOD_AUDIT_E_DATABASE : r;
}

/* Octets of a column of known length; a wrong length reads as zeros, which fit nothing. */
static void octets(const struct baod_pg_result *res, size_t row, size_t column, uint8_t *ret, size_t n)
{
    struct bao_str s = baod_pg_bytes(res, row, column);

    memset(ret, 0, n);
    if (s.n == n)
        memcpy(ret, s.p, n);
}

/* ------------------------------------------------------------------ the chain */

/* Which leaves are to have a row: all, but those of files and the mark itself. */
static int expect_rows(struct audit *v, const struct bao_batch *batch, const struct bao_hash *leaves)
{
    struct baod_claims_batch claims = {.seq = batch->seq, .n = (uint32_t)batch->n};
    struct bao_hash mark;
    bool files = false;
    int r;

    for (enum baod_mark kind = BAOD_MARK_FILES; batch->n != 0 && kind <= BAOD_MARK_REFUSALS; kind++) {
        baod_mark_leaf(kind, batch->seq, &mark);
        if (memcmp(&mark, &leaves[batch->n - 1], sizeof(mark)) == 0) {
            claims.marked = true;
            files = kind == BAOD_MARK_FILES;
            claims.refusals = kind == BAOD_MARK_REFUSALS;
        }
    }
    r = baod_claims_add(&v->claims, &claims);
    for (uint32_t i = 0; r == 0 && claims.marked && i < claims.n; i++)
        if (files || i + 1 == claims.n)
            baod_claims_mark(&v->claims, claims.seq, i);
    return r;
}

static int check_leaves(struct audit *v, struct bao_str what, const struct bao_batch *batch,
                        struct bao_str leaves)
{
    struct bao_hash root, *hashes;
    int r;

    if (leaves.n != batch->n * sizeof(*hashes))
        return say(v, what, LEAVES);
    hashes = bao_arena_array(&v->arena, batch->n + 1, sizeof(*hashes));
    if (hashes == NULL)
        return -ENOMEM;
    if (leaves.n != 0)
        memcpy(hashes, leaves.p, leaves.n);
    r = expect_rows(v, batch, hashes);
    if (r < 0)
        return r;
    bao_merkle_root(hashes, batch->n, &root);
    return memcmp(&root, &batch->root, sizeof(root)) == 0 ? 0 : say(v, what, ROOT);
}

static int check_signature(struct audit *v, struct bao_str what, const struct bao_batch *batch,
                           const uint8_t *key)
{
    int r = bao_batch_verify(batch, key);

    if (r == 0)
        r = say(v, what, SIGNATURE);
    if (r >= 0 && v->counts.batches > 1 &&
        memcmp(key, v->counts.public_key, sizeof(v->counts.public_key)) != 0)
        r = say(v, what, KEY_CHANGED);
    memcpy(v->counts.public_key, key, sizeof(v->counts.public_key));
    return r < 0 ? r : 0;
}

static int check_batch(struct audit *v, const struct baod_pg_result *res, size_t row)
{
    struct bao_batch batch = {.province = v->files->registry.province,
                              .node = baod_pg_bytes(res, row, 1),
                              .seq = baod_pg_int(res, row, 0),
                              .at = baod_pg_time(res, row, 2),
                              .n = (uint64_t)baod_pg_int(res, row, 3)};
    uint8_t key[BAO_ED25519_KEY_LEN];
    struct bao_str what;
    int r = 0;

    bao_arena_reset(&v->arena);
    what =
        bao_arena_printf(&v->arena, v->lang == BAO_VI ? "lượt ghi %lld" : "batch %lld", (long long)batch.seq);
    if (what.p == NULL)
        return -ENOMEM;
    octets(res, row, 4, batch.root.octets, sizeof(batch.root.octets));
    octets(res, row, 5, batch.previous.octets, sizeof(batch.previous.octets));
    octets(res, row, 6, key, sizeof(key));
    octets(res, row, 7, batch.signature, sizeof(batch.signature));
    v->counts.batches++;
    if (batch.seq != v->counts.head + 1)
        r = say(v, what, GAP);
    if (r == 0 && v->counts.head != 0 && batch.at <= v->at)
        r = say(v, what, TIME);
    if (r == 0 && memcmp(&batch.previous, &v->previous, sizeof(v->previous)) != 0)
        r = say(v, what, PREVIOUS);
    if (r == 0)
        r = check_leaves(v, what, &batch, baod_pg_bytes(res, row, 8));
    if (r == 0)
        r = check_signature(v, what, &batch, key);
    if (r == 0)
        r = bao_batch_hash(&batch, &v->previous);
    v->counts.head = batch.seq;
    v->at = batch.at;
    return r;
}

static int walk_chain(struct audit *v)
{
    const struct baod_pg_result *res = NULL;
    int r;

    do {
        struct baod_pg_param after;

        bao_arena_reset(&v->arena);
        after = baod_pg_p_int8(&v->arena, v->counts.head);
        r = run(v, &BATCHES, &after, 1, &res);
        for (size_t i = 0; r == 0 && i < baod_pg_rows(res); i++)
            r = check_batch(v, res, i);
    } while (r == 0 && baod_pg_rows(res) != 0);
    memcpy(v->counts.head_hash, v->previous.octets, sizeof(v->counts.head_hash));
    return r;
}

/* ------------------------------------------------------------------ the reports */

/* Does the leaf's text, made from the row, hash to the leaf? The verdict is the one thing that the row may
 * not tell: 1 accepted, 2 superseded from the first, 0 it does not fit. */
static int fits_leaf(const struct baod_pg_result *res, size_t row, struct bao_str period)
{
    const struct bao_str verdicts[] = {BAO_STR("accepted"), BAO_STR("superseded")};
    struct bao_str stored = baod_pg_bytes(res, row, 12);
    struct bao_leaf leaf = {.form = baod_pg_bytes(res, row, 11),
                            .unit = baod_pg_bytes(res, row, 10),
                            .period = period,
                            .revision = (int)baod_pg_int(res, row, 3),
                            .received_at = baod_pg_time(res, row, 5),
                            .form_version = (int)baod_pg_int(res, row, 4)};
    struct bao_buf text = BAO_BUF_NULL(LEAF_MAX);
    int r = 0, fits = 0;

    octets(res, row, 8, leaf.id, sizeof(leaf.id));
    octets(res, row, 9, leaf.content, sizeof(leaf.content));
    for (size_t i = 0; r == 0 && fits == 0 && i < BAO_COUNT(verdicts); i++) {
        struct bao_hash hash;

        leaf.verdict = verdicts[i];
        bao_buf_clear(&text);
        r = bao_leaf_print(&text, &leaf);
        bao_merkle_leaf(bao_buf_str(&text), &hash);
        if (bao_str_eq(stored, (struct bao_str){(const char *)hash.octets, sizeof(hash.octets)}))
            fits = (int)i + 1;
    }
    bao_buf_deinit(&text);
    return r < 0 ? r : fits;
}

/* Did it count until the batch that took it out, and is its state what that made of it? verdict: as above. */
static bool fits_span(const struct baod_pg_result *res, size_t row, int verdict)
{
    int64_t seq_from = baod_pg_int(res, row, 6), to = INT64_MAX;
    int64_t state = BAOD_COUNTED;
    static const struct {
        size_t column;
        int64_t state;
    } ends[] = {{NEXT, BAOD_SUPERSEDED}, {RETURNED_AT, BAOD_RETURNED}, {WITHDRAWN_AT, BAOD_WITHDRAWN}};

    if (verdict == 2)
        return baod_pg_int(res, row, STATE) == BAOD_SUPERSEDED && baod_pg_int(res, row, SEQ_TO) == seq_from;
    for (size_t i = 0; i < BAO_COUNT(ends); i++)
        if (!baod_pg_is_null(res, row, ends[i].column) && baod_pg_int(res, row, ends[i].column) < to) {
            to = baod_pg_int(res, row, ends[i].column);
            state = ends[i].state;
        }
    return baod_pg_int(res, row, STATE) == state && baod_pg_int(res, row, SEQ_TO) == to;
}

static const struct bao_form *form_of(const struct audit *v, struct bao_str id, int version)
{
    const struct bao_forms *forms = &v->files->forms;

    for (size_t i = 0; i < forms->n; i++)
        if (forms->items[i]->version == version && bao_str_eq(forms->items[i]->id, id))
            return forms->items[i];
    return NULL;
}

/* Do the row's figures and texts say what the form read out of the document? verdict: by that form. */
static int fits_figures(struct audit *v, struct bao_arena *arena, const struct bao_verdict *verdict,
                        const struct baod_pg_result *res, size_t row)
{
    const struct bao_slots *slots =
        baod_dictionary_slots(v->dictionary, verdict->form->id, verdict->form->version);
    struct bao_figure *figures;
    struct baod_pg_ints stored;
    int r;

    if (slots == NULL || slots->n_indicators != verdict->form->n_indicators) {
        v->counts.unread++;
        return 1;
    }
    figures = bao_arena_array(arena, slots->n, sizeof(*figures));
    r = figures == NULL ? -ENOMEM : bao_values_fill(slots, verdict->form, verdict->figures, figures);
    if (r == 0)
        r = baod_pg_ints(res, row, FIGURES, arena, &stored);
    if (r < 0)
        return r;
    if (r > 0 || stored.n > slots->n || verdict->nil != (baod_pg_int(res, row, NIL) != 0) ||
        !bao_str_eq(verdict->explanations, baod_pg_bytes(res, row, EXPLANATIONS)) ||
        !bao_str_eq(verdict->collected, baod_pg_bytes(res, row, COLLECTED)))
        return 0;
    for (size_t i = 0; i < slots->n; i++) {
        bool present = i < stored.n && !stored.null[i];

        if (present != figures[i].present || (present && stored.v[i] != figures[i].scaled))
            return 0;
    }
    return 1;
}

/* Reads the document by the very version it was judged by, whatever that is in force for today. */
static int read_again(struct audit *v, struct bao_arena *arena, struct bao_str document,
                      const struct baod_pg_result *res, size_t row, struct bao_verdict *ret)
{
    const struct bao_form *known = form_of(v, baod_pg_bytes(res, row, 11), (int)baod_pg_int(res, row, 4));
    struct bao_form form = {.version = 0}, *only = &form;
    const struct bao_forms forms = {.items = &only, .n = known == NULL ? 0 : 1};
    struct bao_judge_context context = {.forms = &forms,
                                        .registry = &v->files->registry,
                                        .limits = BAO_LOAD_LIMITS_DEFAULT,
                                        .now = BAO_TIME_NONE};
    int r;

    if (known != NULL) {
        form = *known; /* borrows all that the snapshot owns */
        form.effective_from = bao_date_make(1900, 1, 1);
        form.effective_to = BAO_DATE_NONE;
    }
    if (context.limits.octets < document.n)
        context.limits.octets = document.n;
    r = bao_judge(&context, arena, v->scratch, document, ret);
    ret->form = known;
    return r;
}

/* Is the stored document still what was received: its octets as hashed then, its content as in the leaf; and
 * are the figures its own? The key and the content need no form; where today's files do not take the report
 * any more, or the version is not there, the figures are not compared. 0, a finding that is to be said, or
 * <0. */
static int check_document(struct audit *v, const struct baod_pg_result *res, size_t row)
{
    struct bao_arena arena = BAO_ARENA_NULL(ARENA_CAP);
    uint8_t sha256[BAO_SHA256_LEN], content[BAO_SHA256_LEN], made[BAO_SHA256_LEN];
    struct bao_verdict verdict = {.has_key = false};
    struct bao_str document = BAO_STR_NULL;
    int r = bao_inflate(v->inflater, &arena, baod_pg_bytes(res, row, 16), (size_t)baod_pg_int(res, row, 15),
                        &document);

    if (r == 0) {
        octets(res, row, 9, content, sizeof(content));
        octets(res, row, 14, sha256, sizeof(sha256));
        bao_sha256(document.p, document.n, made);
        r = read_again(v, &arena, document, res, row, &verdict);
        if (r == 0 && (memcmp(made, sha256, sizeof(made)) != 0 || !verdict.has_key || verdict.is_secret ||
                       memcmp(verdict.content, content, sizeof(content)) != 0))
            r = DOCUMENT;
    } else if (r > 0) {
        r = DOCUMENT;
    }
    if (r == 0 && verdict.form != NULL && verdict.figures != NULL && verdict.symbol == BAO_SYM_NONE) {
        r = fits_figures(v, &arena, &verdict, res, row);
        r = r == 0 ? FIGURES_CHANGED : r > 0 ? 0 : r;
    } else if (r == 0) {
        v->counts.unread++;
    }
    bao_arena_deinit(&arena);
    return r;
}

/* Says what is wrong with one report. */
static int say_report(struct audit *v, const struct bao_leaf *key, enum finding finding)
{
    struct bao_str what;

    bao_arena_reset(&v->arena);
    what = bao_arena_printf(&v->arena, "%.*s %.*s %.*s/%d", BAO_STR_ARG(key->unit), BAO_STR_ARG(key->form),
                            BAO_STR_ARG(key->period), key->revision);
    return what.p == NULL ? -ENOMEM : say(v, what, finding);
}

static struct bao_str label_of(int64_t code, char label[16])
{
    struct bao_period period;

    snprintf(label, 16, "?");
    if (bao_period_of_code((int32_t)code, &period))
        bao_period_print(period, label);
    return bao_str_c(label);
}

static int check_report(struct audit *v, const struct baod_pg_result *res, size_t row)
{
    char label[16];
    const struct bao_leaf key = {.unit = baod_pg_bytes(res, row, 10),
                                 .form = baod_pg_bytes(res, row, 11),
                                 .period = label_of(baod_pg_int(res, row, 2), label),
                                 .revision = (int)baod_pg_int(res, row, 3)};
    int verdict = fits_leaf(res, row, key.period), r = verdict < 0 ? verdict : 0;

    v->counts.reports++;
    if (verdict > 0)
        baod_claims_mark(&v->claims, baod_pg_int(res, row, 6), baod_pg_int(res, row, 7));
    if (verdict == 0)
        r = say_report(v, &key, LEAF);
    else if (r == 0 && !fits_span(res, row, verdict))
        r = say_report(v, &key, SPAN);
    if (r == 0) {
        r = check_document(v, res, row);
        if (r > 0)
            r = say_report(v, &key, (enum finding)r);
    }
    return r == 0 && baod_pg_int(res, row, 13) == 0 ? say_report(v, &key, RECEIPT) : r;
}

static int walk_reports(struct audit *v)
{
    const struct baod_pg_result *res = NULL;
    int32_t after[4] = {INT32_MIN, 0, 0, 0};
    size_t n = 0;
    int r;

    do {
        struct baod_pg_param params[4];

        bao_arena_reset(&v->arena);
        for (size_t i = 0; i < BAO_COUNT(after); i++)
            params[i] = baod_pg_p_int4(&v->arena, after[i]);
        r = run(v, &REPORTS, params, BAO_COUNT(params), &res);
        n = r == 0 ? baod_pg_rows(res) : 0;
        for (size_t i = 0; r == 0 && i < n; i++)
            r = check_report(v, res, i);
        for (size_t i = 0; n != 0 && i < BAO_COUNT(after); i++)
            after[i] = (int32_t)baod_pg_int(res, n - 1, i);
    } while (r == 0 && n != 0);
    return r;
}

static int check_receipt(struct audit *v, const struct baod_pg_result *res, size_t row)
{
    char label[16];
    const struct bao_leaf key = {.unit = baod_pg_bytes(res, row, 1),
                                 .form = baod_pg_bytes(res, row, 2),
                                 .period = label_of(baod_pg_int(res, row, 3), label),
                                 .revision = (int)baod_pg_int(res, row, 4)};

    return baod_pg_int(res, row, 5) != 0 ? 0 : say_report(v, &key, REMOVED);
}

static int walk_receipts(struct audit *v)
{
    const struct baod_pg_result *res = NULL;
    uint8_t id[16] = {0};
    size_t n = 0;
    int r;

    do {
        const struct baod_pg_param after = baod_pg_p_uuid(id);

        r = run(v, &RECEIPTS, &after, 1, &res);
        n = r == 0 ? baod_pg_rows(res) : 0;
        for (size_t i = 0; r == 0 && i < n; i++)
            r = check_receipt(v, res, i);
        if (n != 0)
            octets(res, n - 1, 0, id, sizeof(id));
    } while (r == 0 && n != 0);
    return r;
}

/* ------------------------------------------------------------------ acts and refusals */

static const struct baod_pg_statement EVENTS = {
    "audit_events",
    "SELECT e.unit, e.form, e.period, e.seq, e.leaf, e.kind, e.actor, e.reason, e.decision, e.revision, "
    "e.until,"
    "       (SELECT code FROM baocao.unit u WHERE u.unit = e.unit LIMIT 1),"
    "       (SELECT id FROM baocao.form f WHERE f.form = e.form LIMIT 1),"
    "       (SELECT substring(a.leaves FROM 32 * e.leaf + 1 FOR 32) FROM baocao.audit a"
    "         WHERE a.seq = e.seq AND a.at = e.at), e.received_at"
    "  FROM baocao.obligation_event e"
    " WHERE (e.unit, e.form, e.period, e.seq, e.leaf) > ($1, $2, $3, $4, $5)"
    "   AND e.kind NOT IN ('made', 'moved', 'dropped')"
    " ORDER BY e.unit, e.form, e.period, e.seq, e.leaf LIMIT 2000",
};

static const struct baod_pg_statement REFUSALS = {
    "audit_refusals",
    "SELECT r.unit, r.id, r.at, r.form, r.period, r.revision, r.symbol,"
    "       coalesce((SELECT code FROM baocao.unit u WHERE u.unit = r.unit LIMIT 1), ''), r.seq,"
    "       (SELECT substring(a.leaves FROM 32 * r.leaf + 1 FOR 32) FROM baocao.audit a WHERE a.seq = r.seq),"
    "       r.leaf"
    "  FROM baocao.refusal r WHERE (r.unit, r.id) > ($1, $2) AND r.seq IS NOT NULL ORDER BY r.unit, r.id "
    "LIMIT 2000",
};

/* A row that has a leaf: which one, and what is said when it does not fit. */
struct claim {
    int64_t seq, leaf;
    struct bao_str stored; /* the leaf of that place */
    enum finding finding;
};

static int compare_leaf(struct audit *v, const struct claim *claim, const struct bao_hash *made)
{
    struct bao_str what;

    if (bao_str_eq(claim->stored, (struct bao_str){(const char *)made->octets, sizeof(made->octets)})) {
        baod_claims_mark(&v->claims, claim->seq, claim->leaf);
        return 0;
    }
    bao_arena_reset(&v->arena);
    what = bao_arena_printf(&v->arena, v->lang == BAO_VI ? "lượt ghi %lld" : "batch %lld",
                            (long long)claim->seq);
    return what.p == NULL ? -ENOMEM : say(v, what, claim->finding);
}

static int act_leaf(const struct baod_pg_result *res, size_t row, struct bao_str period, struct bao_hash *ret)
{
    const struct baod_act_leaf act = {.kind = baod_pg_bytes(res, row, 5),
                                      .actor = baod_pg_bytes(res, row, 6),
                                      .reason = baod_pg_bytes(res, row, 7),
                                      .decision = baod_pg_bytes(res, row, 8),
                                      .revision = (int)baod_pg_int(res, row, 9),
                                      .until = baod_pg_time(res, row, 10),
                                      .unit = baod_pg_bytes(res, row, 11),
                                      .form = baod_pg_bytes(res, row, 12),
                                      .period = period};

    return baod_act_leaf(&act, ret);
}

static int custody_leaf(const struct baod_pg_result *res, size_t row, struct bao_str period,
                        struct bao_hash *ret)
{
    const struct baod_custody_leaf custody = {.node = baod_pg_bytes(res, row, 6),
                                              .reason = baod_pg_bytes(res, row, 7),
                                              .revision = (int)baod_pg_int(res, row, 9),
                                              .unit = baod_pg_bytes(res, row, 11),
                                              .form = baod_pg_bytes(res, row, 12),
                                              .received_at = baod_pg_time(res, row, 14),
                                              .period = period};

    return baod_custody_leaf(&custody, ret);
}

static int check_event(struct audit *v, const struct baod_pg_result *res, size_t row)
{
    bool is_custody = bao_str_is(baod_pg_bytes(res, row, 5), "custody");
    struct claim claim = {.seq = baod_pg_int(res, row, 3),
                          .leaf = baod_pg_int(res, row, 4),
                          .stored = baod_pg_bytes(res, row, 13),
                          .finding = is_custody ? CUSTODY : ACT};
    struct bao_hash hash;
    char label[16];
    struct bao_str period = label_of(baod_pg_int(res, row, 2), label);
    int r = is_custody ? custody_leaf(res, row, period, &hash) : act_leaf(res, row, period, &hash);

    v->counts.acts += !is_custody;
    return r < 0 ? r : compare_leaf(v, &claim, &hash);
}

static int walk_events(struct audit *v)
{
    const struct baod_pg_result *res = NULL;
    int64_t after[5] = {INT32_MIN, 0, 0, 0, INT32_MIN};
    size_t n = 0;
    int r;

    do {
        struct baod_pg_param params[5];

        bao_arena_reset(&v->arena);
        for (size_t i = 0; i < BAO_COUNT(after); i++)
            params[i] =
                i == 3 ? baod_pg_p_int8(&v->arena, after[i]) : baod_pg_p_int4(&v->arena, (int32_t)after[i]);
        r = run(v, &EVENTS, params, BAO_COUNT(params), &res);
        n = r == 0 ? baod_pg_rows(res) : 0;
        for (size_t i = 0; r == 0 && i < n; i++)
            r = check_event(v, res, i);
        for (size_t i = 0; n != 0 && i < BAO_COUNT(after); i++)
            after[i] = baod_pg_int(res, n - 1, i);
    } while (r == 0 && n != 0);
    return r;
}

static int check_refusal(struct audit *v, const struct baod_pg_result *res, size_t row)
{
    struct baod_refusal_leaf refusal = {.received_at = baod_pg_time(res, row, 2),
                                        .form = baod_pg_bytes(res, row, 3),
                                        .period = baod_pg_bytes(res, row, 4),
                                        .revision = (int)baod_pg_int(res, row, 5),
                                        .symbol = baod_pg_bytes(res, row, 6),
                                        .unit = baod_pg_bytes(res, row, 7)};
    const struct claim claim = {.seq = baod_pg_int(res, row, 8),
                                .leaf = baod_pg_int(res, row, 10),
                                .stored = baod_pg_bytes(res, row, 9),
                                .finding = REFUSAL};
    struct bao_hash hash;
    int r;

    octets(res, row, 1, refusal.id, sizeof(refusal.id));
    v->counts.refusals++;
    r = baod_refusal_leaf(&refusal, &hash);
    return r < 0 ? r : compare_leaf(v, &claim, &hash);
}

static int walk_refusals(struct audit *v)
{
    const struct baod_pg_result *res = NULL;
    uint8_t id[16] = {0};
    int32_t unit = INT32_MIN;
    size_t n = 0;
    int r;

    do {
        struct baod_pg_param params[2];

        bao_arena_reset(&v->arena);
        params[0] = baod_pg_p_int4(&v->arena, unit);
        params[1] = baod_pg_p_uuid(id);
        r = run(v, &REFUSALS, params, BAO_COUNT(params), &res);
        n = r == 0 ? baod_pg_rows(res) : 0;
        for (size_t i = 0; r == 0 && i < n; i++)
            r = check_refusal(v, res, i);
        if (n != 0) {
            unit = (int32_t)baod_pg_int(res, n - 1, 0);
            octets(res, n - 1, 1, id, sizeof(id));
        }
    } while (r == 0 && n != 0);
    return r;
}

/* ------------------------------------------------------------------ leaves without a row */

/* The oldest batch that a full ring still holds: refusals before it may have given way. 0: no ring is full.
 */
static const struct baod_pg_statement RINGS = {
    "audit_rings",
    "SELECT coalesce(max(k.first), 0) FROM (SELECT min(r.seq) AS first FROM baocao.refusal r"
    "                                        GROUP BY r.unit HAVING count(*) >= 1000) k",
};

static int say_unshown(struct audit *v, const struct baod_claims_batch *batch, uint32_t shown)
{
    struct bao_str what;

    bao_arena_reset(&v->arena);
    what = bao_arena_printf(
        &v->arena, v->lang == BAO_VI ? "lượt ghi %lld (%u trên %u lá)" : "batch %lld (%u of %u leaves)",
        (long long)batch->seq, batch->n - shown, batch->n);
    return what.p == NULL ? -ENOMEM : say(v, what, batch->refusals ? REFUSALS_GONE : UNSHOWN);
}

/* Batches of before there were marks may have been of files or of refusals: of those, what has lost all its
 * rows says nothing. */
static int check_unshown(struct audit *v)
{
    const struct baod_pg_result *res = NULL;
    int64_t given_way, marked_from = INT64_MAX;
    int r = run(v, &RINGS, NULL, 0, &res);

    if (r != 0)
        return r;
    given_way = baod_pg_int(res, 0, 0);
    for (size_t i = 0; i < v->claims.n && marked_from == INT64_MAX; i++)
        if (v->claims.batches[i].marked)
            marked_from = v->claims.batches[i].seq;
    for (size_t i = 0; r == 0 && i < v->claims.n; i++) {
        const struct baod_claims_batch *batch = &v->claims.batches[i];
        uint32_t shown = baod_claims_shown(&v->claims, batch);

        if (shown == batch->n || (shown == 0 && batch->seq < marked_from) ||
            (batch->refusals && batch->seq <= given_way))
            continue;
        r = say_unshown(v, batch, shown);
    }
    return r;
}

/* ------------------------------------------------------------------ the whole */

static const struct baod_pg_statement BEGIN = {NULL, "BEGIN"};
static const struct baod_pg_statement COMMIT = {NULL, "COMMIT"};

/* Which place each indicator of each version has among a report's figures. */
static int read_dictionary(struct audit *v)
{
    int r = run(v, &BEGIN, NULL, 0, NULL);

    if (r != 0)
        return r;
    r = baod_pg_call_tell(v->call, baod_dictionary_read(v->call, v->files, &v->dictionary), v->out);
    if (r != 0)
        return r > 0 ? BAOD_AUDIT_E_DATABASE : r;
    return run(v, &COMMIT, NULL, 0, NULL);
}

static int walk(struct audit *v)
{
    int (*const steps[])(struct audit *) = {read_dictionary, walk_chain,    walk_reports, walk_receipts,
                                            walk_events,     walk_refusals, check_unshown};
    struct baod_retrace_counts counts = {0};
    int r = v->scratch == NULL || v->inflater == NULL ? -ENOMEM : 0;

    for (size_t i = 0; r == 0 && i < BAO_COUNT(steps); i++)
        r = steps[i](v);
    if (r == 0)
        r = baod_retrace(v->call, v->lang, v->out, &counts);
    v->counts.obligations = counts.obligations;
    v->counts.wrong += counts.wrong;
    return r == BAOD_RETRACE_E_DATABASE ? BAOD_AUDIT_E_DATABASE : r;
}

int baod_audit_verify(struct baod_pg_call *call, const struct baod_snapshot *files, enum bao_lang lang,
                      struct bao_buf *out, struct baod_audit_counts *ret)
{
    struct audit v = {.call = call, .files = files, .lang = lang, .out = out};
    int r;

    bao_arena_init(&v.arena, ARENA_CAP);
    v.scratch = bao_schema_scratch_new();
    v.inflater = bao_inflater_new();
    r = walk(&v);
    bao_schema_scratch_free(v.scratch);
    bao_inflater_free(v.inflater);
    baod_dictionary_free(v.dictionary);
    baod_claims_deinit(&v.claims);
    bao_arena_deinit(&v.arena);
    if (r == 0)
        *ret = v.counts;
    return r;
}
