#include "daemon/store/notices.h"
#include "daemon/ops/log.h"
#include "daemon/store/pg.h"
#include "lib/base/error.h"
#include "lib/form/obligation.h"
#include "lib/text/symbols.h"

enum { PARAMS = 5, KNOWN_MAX = 256 };

#define UNDEFINED_TABLE "42P01"

/* Which row of the table outcome. */
struct outcome_key {
    int64_t seq;
    int32_t unit, leaf;
};

struct baod_notices {
    struct baod_pg *pg;
    struct outcome_key known[KNOWN_MAX]; /* when fresh ones were asked for last */
    size_t n_known;
    bool asking; /* for fresh ones */
    size_t under_way;
    bool closed;
};

/* One statement under way. */
struct asked {
    struct bao_arena arena;
    struct baod_notices *n;
    struct baod_pg_param params[PARAMS];
    baod_notices_tell *tell; /* NULL: nothing is to be told */
    void *user;
    uint64_t key;
    bool fresh, remind;
    bao_time now;
};

#define OUTCOMES                                                                                             \
    "SELECT t.unit, t.seq, t.leaf, (SELECT code FROM baocao.unit u WHERE u.unit = t.unit LIMIT 1),"          \
    "       (SELECT id FROM baocao.form f WHERE f.form = t.form LIMIT 1), t.period, t.revision, t.kind, "    \
    "t.receipt,"                                                                                             \
    "       t.state, t.symbol, t.detail, t.until"                                                            \
    "  FROM baocao.outcome t "

static const struct baod_pg_statement UNREAD = {
    "n_unread", OUTCOMES " WHERE t.unit IN (SELECT unit FROM baocao.unit WHERE code = ANY ($1))"
                         " ORDER BY t.seq DESC, t.leaf DESC LIMIT 64"};
static const struct baod_pg_statement UNREAD_ALL = {"n_unread_all",
                                                    OUTCOMES " ORDER BY t.seq DESC, t.leaf DESC LIMIT 64"};
static const struct baod_pg_statement FRESH = {"n_fresh", OUTCOMES
                                               " ORDER BY t.seq DESC, t.leaf DESC, t.unit LIMIT 256"};

/* $1 codes, $2 now, $3 deadlines up to. The columns are those of OUTCOMES. */
static const struct baod_pg_statement NEAR = {
    "n_near",
    "SELECT o.unit, 0::int8, 0::int4, (SELECT code FROM baocao.unit u WHERE u.unit = o.unit LIMIT 1),"
    "       (SELECT id FROM baocao.form f WHERE f.form = o.form LIMIT 1), o.period, 0::int4, 'remind'::text, "
    "NULL::uuid,"
    "       ''::text, NULL::text, NULL::text, coalesce(o.extended_to, o.due_at)"
    "  FROM baocao.obligation o WHERE o.unit IN (SELECT unit FROM baocao.unit WHERE code = ANY ($1))"
    "   AND o.revision IS NULL AND NOT o.exempt AND (o.lock_at IS NULL OR o.lock_at > $2)"
    "   AND coalesce(o.extended_to, o.due_at) <= $3"
    " ORDER BY coalesce(o.extended_to, o.due_at) DESC LIMIT 64"};

static const struct baod_pg_statement READ_ONE = {
    "n_read_one",
    "DELETE FROM baocao.outcome t WHERE t.unit IN (SELECT unit FROM baocao.unit WHERE code = $1)"
    "   AND t.form IN (SELECT form FROM baocao.form WHERE id = $2) AND t.period = $3 AND t.revision = $4"};
static const struct baod_pg_statement READ_ALL = {
    "n_read_all",
    "DELETE FROM baocao.outcome t WHERE t.unit IN (SELECT unit FROM baocao.unit WHERE code = ANY ($1))"};

/* ------------------------------------------------------------------ sentences */

static int remind_sentence(struct bao_buf *out, const struct baod_notice *n, int offset, enum bao_lang lang)
{
    char moment[64];

    bao_moment_print(n->at, offset, lang, moment);
    if (n->is_past)
        return bao_buf_printf(out,
                              lang == BAO_VI
                                  ? "Báo cáo %.*s kỳ %.*s của đơn vị %.*s đã quá hạn từ %s; đề nghị gửi ngay."
                                  : "Report %.*s for %.*s of unit %.*s was due at %s; please send it now.",
                              BAO_STR_ARG(n->form), BAO_STR_ARG(n->period), BAO_STR_ARG(n->unit), moment);
    return bao_buf_printf(out,
                          lang == BAO_VI
                              ? "Sắp đến hạn: báo cáo %.*s kỳ %.*s của đơn vị %.*s phải gửi trước %s."
                              : "Nearly due: report %.*s for %.*s of unit %.*s, by %s.",
                          BAO_STR_ARG(n->form), BAO_STR_ARG(n->period), BAO_STR_ARG(n->unit), moment);
}

static int returned_sentence(struct bao_buf *out, const struct baod_notice *n, int offset, enum bao_lang lang)
{
    char moment[64];
    int r = bao_buf_printf(
        out, lang == BAO_VI ? "Lần báo cáo %d đã bị trả lại" : "Revision %d was given back", n->revision);

    if (r == 0 && n->detail.n != 0)
        r = bao_buf_printf(out, ": %.*s", BAO_STR_ARG(n->detail));
    if (r == 0)
        r = bao_buf_append_c(out, lang == BAO_VI ? ". Hãy sửa rồi gửi lại với revision cao hơn"
                                                 : ". Mend it and send it with a higher revision");
    if (r == 0 && n->at != BAO_TIME_NONE) {
        bao_moment_print(n->at, offset, lang, moment);
        r = bao_buf_printf(out,
                           lang == BAO_VI ? "; gửi trước %s thì vẫn tính theo thời điểm gửi lần đầu"
                                          : "; by %s it keeps the time of the first one",
                           moment);
    }
    return r == 0 ? bao_buf_append_c(out, ".") : r;
}

static int done_sentence(struct bao_buf *out, const struct baod_notice *n, enum bao_lang lang)
{
    enum bao_symbol symbol = bao_symbol_of(n->symbol);

    if (n->symbol.n == 0)
        return bao_buf_printf(out,
                              lang == BAO_VI ? "Lần báo cáo %d chờ trong kho tạm đã được ghi nhận."
                                             : "Revision %d, which had been queued, has been stored.",
                              n->revision);
    return bao_buf_printf(out,
                          lang == BAO_VI ? "Lần báo cáo %d chờ trong kho tạm đã bị từ chối: %s"
                                         : "Revision %d, which had been queued, was refused: %s",
                          n->revision, bao_symbol_info(symbol)->sentence[lang]);
}

int baod_notice_sentence(struct bao_buf *out, const struct baod_notice *notice, int offset,
                         enum bao_lang lang)
{
    switch (notice->kind) {
    case BAOD_NOTICE_REMIND:
        return remind_sentence(out, notice, offset, lang);
    case BAOD_NOTICE_RETURNED:
        return returned_sentence(out, notice, offset, lang);
    case BAOD_NOTICE_DONE:
        return done_sentence(out, notice, lang);
    }
    return 0;
}

/* ------------------------------------------------------------------ answers */

static void asked_free(struct asked *a)
{
    struct baod_notices *n = a->n;

    if (a->fresh)
        n->asking = false;
    bao_arena_deinit(&a->arena);
    free(a);
    if (--n->under_way == 0 && n->closed)
        free(n);
}

static bool is_known(const struct baod_notices *n, const struct outcome_key *key)
{
    for (size_t i = 0; i < n->n_known; i++)
        if (n->known[i].seq == key->seq && n->known[i].unit == key->unit && n->known[i].leaf == key->leaf)
            return true;
    return false;
}

static void tell_row(struct asked *a, const struct baod_pg_result *r, size_t row)
{
    struct bao_str receipt = baod_pg_bytes(r, row, 8);
    struct baod_notice notice = {
        .kind = a->remind                                          ? BAOD_NOTICE_REMIND
                : bao_str_is(baod_pg_bytes(r, row, 7), "returned") ? BAOD_NOTICE_RETURNED
                                                                   : BAOD_NOTICE_DONE,
        .unit = baod_pg_bytes(r, row, 3),
        .form = baod_pg_bytes(r, row, 4),
        .revision = (int)baod_pg_int(r, row, 6),
        .has_receipt = receipt.n == sizeof(notice.receipt),
        .state = baod_pg_bytes(r, row, 9),
        .symbol = baod_pg_bytes(r, row, 10),
        .detail = baod_pg_bytes(r, row, 11),
        .at = baod_pg_time(r, row, 12),
    };
    struct bao_period period;
    char label[16];

    if (!bao_period_of_code((int32_t)baod_pg_int(r, row, 5), &period) || notice.unit.n == 0 ||
        notice.form.n == 0)
        return;
    bao_period_print(period, label);
    notice.period = bao_str_c(label);
    notice.is_past = a->remind && notice.at < a->now;
    if (notice.has_receipt)
        memcpy(notice.receipt, receipt.p, receipt.n);
    a->tell(a->user, a->key, &notice);
}

static void tell_rows(struct asked *a, const struct baod_pg_result *r)
{
    struct outcome_key seen[KNOWN_MAX];
    size_t n = 0;

    for (size_t row = 0; row < baod_pg_rows(r); row++) {
        struct outcome_key key = {.unit = (int32_t)baod_pg_int(r, row, 0),
                                  .seq = baod_pg_int(r, row, 1),
                                  .leaf = (int32_t)baod_pg_int(r, row, 2)};

        if (n < KNOWN_MAX)
            seen[n++] = key;
        if (!a->fresh || !is_known(a->n, &key))
            tell_row(a, r, row);
    }
    if (!a->fresh)
        return;
    memcpy(a->n->known, seen, n * sizeof(*seen));
    a->n->n_known = n;
}

static void on_rows(const struct baod_pg_result *r, void *user)
{
    struct asked *a = user;

    /* A new database's tables are being made while the first peers come. */
    if (baod_pg_outcome(r) == BAOD_PG_SQL && strcmp(baod_pg_sqlstate(r), UNDEFINED_TABLE) != 0)
        baod_log(BAOD_LOG_ERROR, "notices: %s %s", baod_pg_sqlstate(r), baod_pg_message(r));
    if (baod_pg_outcome(r) == BAOD_PG_OK && a->tell != NULL && !a->n->closed)
        tell_rows(a, r);
    asked_free(a);
}

/* ------------------------------------------------------------------ asking */

static struct asked *asked_new(struct baod_notices *n)
{
    struct asked *a = calloc(1, sizeof(*a));

    if (a != NULL) {
        a->n = n;
        n->under_way++;
    }
    return a;
}

/* A statement that cannot be asked costs one telling less, or more: another time will do. */
static void ask(struct asked *a, const struct baod_pg_statement *statement, size_t n_params)
{
    struct baod_pg *pg = a->n->pg;

    if (baod_pg_exec(pg, statement, a->params, n_params, on_rows, a) < 0)
        asked_free(a);
    else if (baod_pg_sync(pg, NULL, NULL) < 0)
        baod_pg_drop(pg, "no memory"); /* the statement is queued and must be answered */
}

void baod_notices_unread(struct baod_notices *n, const struct bao_str *codes, size_t n_codes,
                         baod_notices_tell *tell, void *user, uint64_t key)
{
    struct asked *a = asked_new(n);

    if (a == NULL)
        return;
    a->tell = tell;
    a->user = user;
    a->key = key;
    if (n_codes != 0)
        a->params[0] = baod_pg_p_texts(&a->arena, codes, n_codes);
    ask(a, n_codes == 0 ? &UNREAD_ALL : &UNREAD, n_codes == 0 ? 0 : 1);
}

void baod_notices_fresh(struct baod_notices *n, baod_notices_tell *tell, void *user)
{
    struct asked *a;

    if (n->asking)
        return;
    a = asked_new(n);
    if (a == NULL)
        return;
    n->asking = a->fresh = true;
    a->tell = tell;
    a->user = user;
    ask(a, &FRESH, 0);
}

void baod_notices_near(struct baod_notices *n, const struct bao_str *codes, size_t n_codes, bao_time now,
                       bao_time until, baod_notices_tell *tell, void *user, uint64_t key)
{
    struct asked *a = asked_new(n);

    if (a == NULL)
        return;
    a->remind = true;
    a->tell = tell;
    a->user = user;
    a->key = key;
    a->now = now;
    a->params[0] = baod_pg_p_texts(&a->arena, codes, n_codes);
    a->params[1] = baod_pg_p_time(&a->arena, now);
    a->params[2] = baod_pg_p_time(&a->arena, until);
    ask(a, &NEAR, 3);
}

void baod_notices_read_one(struct baod_notices *n, struct bao_str unit, struct bao_str form,
                           struct bao_str period, int revision)
{
    struct bao_period p;
    struct asked *a;

    if (!bao_period_parse(period, &p))
        return;
    a = asked_new(n);
    if (a == NULL)
        return;
    a->params[0] = baod_pg_p_text(bao_arena_str(&a->arena, unit));
    a->params[1] = baod_pg_p_text(bao_arena_str(&a->arena, form));
    a->params[2] = baod_pg_p_int4(&a->arena, bao_period_code(p));
    a->params[3] = baod_pg_p_int4(&a->arena, revision);
    ask(a, &READ_ONE, 4);
}

void baod_notices_read_all(struct baod_notices *n, const struct bao_str *codes, size_t n_codes)
{
    struct asked *a = asked_new(n);

    if (a == NULL)
        return;
    a->params[0] = baod_pg_p_texts(&a->arena, codes, n_codes);
    ask(a, &READ_ALL, 1);
}

/* ------------------------------------------------------------------ life */

static void on_lost(struct baod_pg *pg, const char *why, void *user)
{
    (void)pg;
    (void)user;
    baod_log(BAOD_LOG_DEBUG, "database: no connection for outcomes: %s",
             why); /* the writer tells the cause */
}

int baod_notices_new(uv_loop_t *loop, const char *conninfo, struct baod_notices **ret)
{
    const struct baod_pg_options options = {
        .conninfo = conninfo, .application = "baocaod notices", .lost = on_lost};
    struct baod_notices *n = calloc(1, sizeof(*n));
    int r;

    if (n == NULL)
        return -ENOMEM;
    r = baod_pg_new(loop, &options, &n->pg);
    if (r < 0) {
        free(n);
        return r;
    }
    baod_pg_open(n->pg);
    *ret = n;
    return 0;
}

struct baod_notices *baod_notices_free(struct baod_notices *n)
{
    if (n == NULL)
        return NULL;
    n->closed = true;
    n->under_way++; /* it must outlive the answers that closing gives */
    n->pg = baod_pg_free(n->pg);
    if (--n->under_way == 0)
        free(n);
    return NULL;
}
