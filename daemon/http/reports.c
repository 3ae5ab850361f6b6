/* Reports by HTTP: handing one in, judging one without handing it in, and what became of one. */
#include "daemon/answer.h"
#include "daemon/http/api_internal.h"
#include "lib/base/crypto.h"
#include "lib/doc/tree.h"
#include "lib/wire/deflate.h"
#include "lib/wire/frame.h"

#include <strings.h>

enum { BODY_MAX = 8 << 20, REVISION_MAX = 9999, HTTP_OK = 200, HTTP_CREATED = 201, HTTP_ACCEPTED = 202 };

static const char plain[] = "text/plain; charset=utf-8";

/* An answer of intake names its asker by two numbers: the exchange and these. */
enum { TXN_ENGLISH = 1, TXN_TEXT = 2 };

static uint32_t txn_of(const struct baod_asker *asker)
{
    return (asker->lang == BAO_EN ? TXN_ENGLISH : 0u) | (asker->text ? TXN_TEXT : 0u);
}

static struct baod_asker asker_of(struct baod_api *api, uint64_t exchange, uint32_t txn)
{
    return (struct baod_asker){api, exchange, (txn & TXN_ENGLISH) != 0 ? BAO_EN : BAO_VI,
                               (txn & TXN_TEXT) != 0};
}

/* ------------------------------------------------------------------ answers */

/* Sends a body that was made by r, with the wait that a WAIT symbol asks for. */
static void send_answer(const struct baod_asker *to, int status, const struct bao_buf *body, int after_ms)
{
    struct baod_http_reply reply = {
        .status = status, .type = to->text ? plain : baod_types[BAOD_FORMAT_JSON], .body = bao_buf_str(body)};
    char seconds[16];

    if (status == 503 || status == 429) {
        (void)snprintf(seconds, sizeof(seconds), "%d", after_ms > 0 ? (after_ms + 999) / 1000 : 5);
        reply.headers[0] = "Retry-After";
        reply.headers[1] = seconds;
    }
    baod_api_reply(to, &reply);
}

/* {"code", "message": {"vi", "en"}, "findings": […]}, or lines. */
static int print_refused(struct bao_buf *out, const struct baod_asker *to, const struct baod_submission *s,
                         enum bao_symbol symbol)
{
    const struct bao_symbol_info *info = bao_symbol_info(symbol);
    size_t before;
    int r;

    if (to->text) {
        r = bao_buf_printf(out, "%s\t%s\n", info->name, info->sentence[to->lang]);
        return r == 0 ? baod_answer_findings(out, s, to->lang, false) : r;
    }
    r = bao_buf_printf(out, "{\"code\":\"%s\",\"message\":", info->name);
    if (r == 0)
        r = bao_json_both(out, bao_str_c(info->sentence[BAO_VI]), bao_str_c(info->sentence[BAO_EN]));
    if (r == 0)
        r = bao_buf_append_c(out, ",\"findings\":");
    before = bao_buf_len(out);
    if (r == 0)
        r = baod_answer_findings(out, s, to->lang, true);
    if (r == 0 && bao_buf_len(out) == before)
        r = bao_buf_append_c(out, "[]");
    return r == 0 ? bao_buf_append_c(out, "}\n") : r;
}

/* The receipt's fields with the warnings, as an object or as lines. */
static int print_receipt(struct bao_buf *out, const struct baod_asker *to,
                         const struct bao_receipt_text *text, struct bao_str warnings)
{
    int r;

    if (to->text) {
        r = bao_receipt_put(out, text);
        if (r == 0)
            bao_buf_consume(out, 1); /* the space that parts it from a head's words */
        if (r == 0)
            r = bao_buf_append_c(out, "\n");
        return r == 0 ? bao_buf_append_str(out, warnings) : r;
    }
    r = bao_buf_append_c(out, "{");
    if (r == 0)
        r = bao_receipt_json(out, text);
    if (r == 0)
        r = bao_buf_append_c(out, ",\"warnings\":");
    if (r == 0)
        r = bao_buf_append_str(out, warnings.n == 0 ? BAO_STR("[]") : warnings);
    return r == 0 ? bao_buf_append_c(out, "}\n") : r;
}

static int print_accepted(struct bao_buf *out, const struct baod_asker *to, const struct baod_submission *s)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf warnings = BAO_BUF_NULL(BODY_MAX);
    struct bao_receipt_text text;
    char period[16];
    int r;

    bao_period_print(s->verdict.period, period);
    text = baod_receipt_words(&s->receipt, s->verdict.form_id, s->verdict.unit, bao_str_c(period),
                              to->api->config.offset);
    r = baod_answer_findings(&warnings, s, to->lang, !to->text);
    return r == 0 ? print_receipt(out, to, &text, bao_buf_str(&warnings)) : r;
}

static int accepted_status(const struct baod_receipt *r)
{
    if (r->queued)
        return HTTP_ACCEPTED;
    return r->dup ? HTTP_OK : HTTP_CREATED;
}

/* ------------------------------------------------------------------ PUT and check */

static void on_put(void *user, uint64_t exchange, uint32_t txn, const struct baod_submission *s)
{
    struct baod_api *api = user;
    struct baod_asker to = asker_of(api, exchange, txn);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(BODY_MAX);
    bool ok = s->symbol == BAO_SYM_NONE;
    int r = ok ? print_accepted(&out, &to, s) : print_refused(&out, &to, s, s->symbol);

    if (r == 0)
        send_answer(&to, ok ? accepted_status(&s->receipt) : bao_symbol_info(s->symbol)->http, &out,
                    s->after_ms);
    else /* it is kept all the same: a resend gives the receipt */
        baod_api_refuse_symbol(&to, BAO_SYM_BUSY);
    baod_api_unref(api);
}

static int print_verdict(struct bao_buf *out, const struct baod_asker *to, const struct baod_submission *s)
{
    const struct bao_verdict *v = &s->verdict;
    char period[16];
    size_t before;
    int r;

    if (to->text)
        return baod_answer_findings(out, s, to->lang, false);
    bao_period_print(v->period, period);
    r = bao_buf_append_c(out, "{\"form\":");
    if (r == 0)
        r = bao_json_quote(out, v->form_id);
    if (r == 0)
        r = bao_buf_append_c(out, ",\"unit\":");
    if (r == 0)
        r = bao_json_quote(out, v->unit);
    if (r == 0)
        r = bao_buf_printf(out, ",\"period\":\"%s\",\"rev\":%d,\"form_version\":%d,\"findings\":", period,
                           v->revision, v->form == NULL ? 0 : v->form->version);
    before = bao_buf_len(out);
    if (r == 0)
        r = baod_answer_findings(out, s, to->lang, true);
    if (r == 0 && bao_buf_len(out) == before)
        r = bao_buf_append_c(out, "[]");
    return r == 0 ? bao_buf_append_c(out, "}\n") : r;
}

static void on_check(void *user, uint64_t exchange, uint32_t txn, const struct baod_submission *s)
{
    struct baod_api *api = user;
    struct baod_asker to = asker_of(api, exchange, txn);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(BODY_MAX);
    bool ok = s->symbol == BAO_SYM_NONE;
    int r = ok ? print_verdict(&out, &to, s) : print_refused(&out, &to, s, s->symbol);

    if (r == 0)
        send_answer(&to, ok ? HTTP_OK : bao_symbol_info(s->symbol)->http, &out, s->after_ms);
    else
        baod_api_refuse_symbol(&to, BAO_SYM_BUSY);
    baod_api_unref(api);
}

/* The encoding of the body and what its sender says of it: false after answering. */
static bool read_heads(const struct baod_call *call, const struct baod_http_exchange *x,
                       struct baod_request *request)
{
    const char *encoding = baod_http_header(x, "Content-Encoding"),
               *hash = baod_http_header(x, "Baocao-SHA256"), *raw = baod_http_header(x, "Baocao-Raw");

    if (encoding != NULL && strcasecmp(encoding, "identity") != 0) {
        request->deflated = request->sizeless =
            strcasecmp(encoding, "deflate") == 0 || strcasecmp(encoding, "gzip") == 0;
        if (!request->deflated) {
            baod_api_refuse(&call->asker, 415, "ENCODING", "Content-Encoding phải là deflate hoặc gzip.",
                            "Content-Encoding must be deflate or gzip.");
            return false;
        }
    }
    if (raw != NULL && encoding != NULL && strcasecmp(encoding, "deflate") == 0) {
        request->sizeless = false;
        if (!bao_decimal_number(bao_str_c(raw), UINT32_MAX, &request->raw)) {
            baod_api_refuse_symbol(&call->asker, BAO_SYM_HEAD);
            return false;
        }
    }
    if (hash != NULL) {
        request->has_sha256 = bao_unhex(bao_str_c(hash), request->sha256, sizeof(request->sha256));
        if (!request->has_sha256) {
            baod_api_refuse_symbol(&call->asker, BAO_SYM_HEAD);
            return false;
        }
    }
    return true;
}

static void submit(const struct baod_call *call, struct baod_http_exchange *x, struct baod_request *request)
{
    struct baod_api *api = call->asker.api;
    unsigned after_ms = 0;
    int r;

    request->after_ms = &after_ms;
    request->body = baod_http_body(x);
    request->received_at = api->ops.now(api->ops.user);
    request->user = api;
    request->peer = call->asker.exchange;
    request->txn = txn_of(&call->asker);
    if (!read_heads(call, x, request))
        return;
    baod_api_ref(api);
    r = api->ops.submit(api->ops.user, request);
    if (r == 0)
        return;
    baod_api_unref(api);
    baod_api_refuse_wait(&call->asker,
                         r == -EDQUOT      ? BAO_SYM_QUOTA
                         : r == -ESHUTDOWN ? BAO_SYM_DRAINING
                                           : BAO_SYM_BUSY,
                         after_ms);
}

/* The revision that a part of a path names, 1..9999, or 0. */
static int revision_of(struct bao_str part)
{
    int value = 0;

    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] < '0' || part.p[i] > '9' || value > REVISION_MAX)
            return 0;
        value = value * 10 + (part.p[i] - '0');
    }
    return value <= REVISION_MAX ? value : 0;
}

static void refuse_path(const struct baod_call *call)
{
    baod_api_refuse(
        &call->asker, 404, "PATH",
        "Địa chỉ báo cáo viết như /v1/reports/24133/nd73-quarterly/2026-Q3 hoặc thêm /2 cho lần 2.",
        "A report's address is written like /v1/reports/24133/nd73-quarterly/2026-Q3, with /2 for its "
        "revision 2.");
}

void baod_reports_put(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_expected expected = {.unit = call->part[0], .form = call->part[1], .period = call->part[2]};
    struct baod_request request = {.expected = &expected, .who = &call->who, .answer = on_put};

    if (call->n_parts == 4)
        expected.revision = revision_of(call->part[3]);
    if (call->n_parts < 3 || call->n_parts > 4 || (call->n_parts == 4 && expected.revision == 0)) {
        refuse_path(call);
        return;
    }
    submit(call, x, &request);
}

void baod_reports_check(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_identity who = call->who;
    struct baod_request request = {.only_judge = true, .who = &who, .answer = on_check};

    who.any_unit = who.any_unit || call->role != BAOD_ROLE_UNIT;
    submit(call, x, &request);
}

/* ------------------------------------------------------------------ GET */

/* One look-up under way. */
struct look {
    struct baod_asker asker;
    bool proof, document, packed; /* packed: the asker takes a deflated document */
};

static void send_file(const struct baod_asker *to, struct bao_str file)
{
    struct baod_http_reply reply = {.status = HTTP_OK, .type = plain, .body = file};

    if (file.n == 0)
        baod_api_refuse(to, 404, "UNKNOWN", "Báo cáo này chưa có biên nhận để xác minh.",
                        "There is no receipt file of this report yet.");
    else
        baod_api_reply(to, &reply);
}

/* JSON begins with a brace, which no report in YAML does. */
static const char *type_of(struct bao_str document)
{
    size_t i = 0;

    while (i < document.n && strchr("\xef\xbb\xbf \t\r\n", document.p[i]) != NULL)
        i++;
    return i < document.n && document.p[i] == '{' ? "application/json; charset=utf-8"
                                                  : "application/yaml; charset=utf-8";
}

static void send_document(const struct look *look, const struct baod_stat *stat)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_inflater *z = bao_inflater_new();
    struct baod_http_reply reply = {.status = HTTP_OK};
    struct bao_str document;

    if (stat->stored.n == 0) /* it waits in the spool */
        baod_api_refuse_symbol(&look->asker, BAO_SYM_UNKNOWN);
    else if (z == NULL || bao_inflate(z, &arena, stat->stored, stat->raw_size, &document) != 0)
        baod_api_refuse_symbol(&look->asker, BAO_SYM_INTERNAL);
    else {
        reply.type = type_of(document);
        reply.body = look->packed ? stat->stored : document;
        reply.headers[0] = "Vary";
        reply.headers[1] = "Accept-Encoding";
        if (look->packed) {
            reply.headers[2] = "Content-Encoding";
            reply.headers[3] = "deflate";
        }
        baod_api_reply(&look->asker, &reply);
    }
    (void)bao_inflater_free(z);
}

static void send_fate(const struct baod_asker *to, const struct baod_stat *stat)
{
    struct bao_receipt_text text =
        baod_receipt_words(&stat->receipt, stat->form, stat->unit, stat->period, to->api->config.offset);
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(BODY_MAX);

    if (print_receipt(&out, to, &text, to->text ? BAO_STR_NULL : stat->warnings) == 0)
        send_answer(to, stat->receipt.queued ? HTTP_ACCEPTED : HTTP_OK, &out, 0);
    else
        baod_api_refuse_symbol(to, BAO_SYM_BUSY);
}

static void on_stat(void *user, const struct baod_stat *stat)
{
    struct look *look = user;

    if (stat->symbol != BAO_SYM_NONE)
        baod_api_refuse_symbol(&look->asker, stat->symbol);
    else if (look->document)
        send_document(look, stat);
    else if (look->proof)
        send_file(&look->asker, stat->file);
    else
        send_fate(&look->asker, stat);
    baod_api_unref(look->asker.api);
    free(look);
}

/* Reads the path's parts after the period: the revision, and what is wanted of the report. */
static bool read_parts(const struct baod_call *call, struct baod_stat_ask *ask)
{
    size_t n = call->n_parts;

    if (n > 3 && bao_str_is(call->part[n - 1], "document")) {
        ask->document = true;
        n--;
    }
    if (n == 4)
        ask->revision = revision_of(call->part[3]);
    return n == 3 || (n == 4 && ask->revision != 0);
}

/* What a unit wrote may name persons: it is for the unit and the office, not for those who oversee. */
static bool may_see(const struct baod_call *call, const struct baod_stat_ask *ask)
{
    if (call->role == BAOD_ROLE_UNIT ? baod_call_speaks_for(call, ask->unit)
                                     : !ask->document || call->role != BAOD_ROLE_OVERSIGHT)
        return true;
    baod_api_refuse(&call->asker, 403, "UNIT", "Mã truy cập này không được xem báo cáo của đơn vị này.",
                    "This token does not show the reports of this unit.");
    return false;
}

void baod_reports_get(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_api *api = call->asker.api;
    const char *proof = baod_http_query(x, "proof"), *encodings = baod_http_header(x, "Accept-Encoding");
    struct baod_stat_ask ask = {.form = call->part[1],
                                .unit = call->part[0],
                                .period = call->part[2],
                                .proof = proof != NULL && strcmp(proof, "1") == 0};
    struct look *look;

    if (call->n_parts < 3 || !read_parts(call, &ask)) {
        refuse_path(call);
        return;
    }
    if (!may_see(call, &ask))
        return;
    look = malloc(sizeof(*look));
    if (look == NULL) {
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        return;
    }
    *look = (struct look){.asker = call->asker,
                          .proof = ask.proof,
                          .document = ask.document,
                          .packed = encodings != NULL && strstr(encodings, "deflate") != NULL};
    baod_api_ref(api);
    if (api->ops.stat(api->ops.user, &ask, on_stat, look) < 0) {
        free(look);
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        baod_api_unref(api);
    }
}
