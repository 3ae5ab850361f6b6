#include "daemon/http/api_internal.h"
#include "daemon/http/rows.h"
#include "lib/doc/tree.h"

#include <strings.h>

enum { ANSWER_MAX = 64 << 20, ROWS_MAX = 100000, CALL_MAX = 1 << 20, USUAL_WAIT_S = 5 };

const char *const baod_types[BAOD_FORMATS] = {"application/json; charset=utf-8",
                                              "text/csv; charset=utf-8; header=present"};

int baod_api_new(const struct baod_api_config *config, const struct baod_api_ops *ops, struct baod_api **ret)
{
    struct baod_api *api = calloc(1, sizeof(*api));

    if (api == NULL)
        return -ENOMEM;
    api->ops = *ops;
    api->config = *config;
    api->refs = 1;
    *ret = api;
    return 0;
}

void baod_api_attach(struct baod_api *api, struct baod_http *http)
{
    if (api != NULL)
        api->http = http;
}

void baod_api_ref(struct baod_api *api)
{
    api->refs++;
}

void baod_api_unref(struct baod_api *api)
{
    if (--api->refs == 0)
        free(api);
}

struct baod_api *baod_api_free(struct baod_api *api)
{
    if (api != NULL) {
        api->http = NULL;
        baod_api_unref(api);
    }
    return NULL;
}

/* ------------------------------------------------------------------ answers */

void baod_api_reply(const struct baod_asker *to, const struct baod_http_reply *reply)
{
    if (to->api->http != NULL)
        baod_http_reply(to->api->http, to->exchange, reply);
}

/* What a refusal says. */
struct baod_refusal {
    int status;
    const char *code;
    const char *sentence[BAO_LANGS];
};

static int print_refusal(struct bao_buf *out, const char *code, const char *vi, const char *en)
{
    int r = bao_buf_printf(out, "{\"code\":\"%s\",\"message\":", code);

    if (r == 0)
        r = bao_json_both(out, bao_str_c(vi), bao_str_c(en));
    return r == 0 ? bao_buf_append_c(out, "}\n") : r;
}

static void refuse(const struct baod_asker *to, const struct baod_refusal *refusal, unsigned after_ms)
{
    const char *code = refusal->code, *vi = refusal->sentence[BAO_VI], *en = refusal->sentence[BAO_EN];
    char seconds[16];
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(8192);
    int r = to->text ? bao_buf_printf(&out, "%s\n", to->lang == BAO_VI ? vi : en)
                     : print_refusal(&out, code, vi, en);
    struct baod_http_reply reply = {
        .status = refusal->status,
        .type = to->text ? "text/plain; charset=utf-8" : baod_types[BAOD_FORMAT_JSON],
        .body = r == 0 ? bao_buf_str(&out) : BAO_STR_NULL,
    };

    if (reply.status == 503 || reply.status == 429) {
        (void)snprintf(seconds, sizeof(seconds), "%u",
                       after_ms == 0 ? USUAL_WAIT_S : (after_ms + 999) / 1000);
        reply.headers[0] = "Retry-After";
        reply.headers[1] = seconds;
    }
    baod_api_reply(to, &reply);
}

void baod_api_refuse(const struct baod_asker *to, int status, const char *code, const char *vi,
                     const char *en)
{
    const struct baod_refusal refusal = {status, code, {[BAO_VI] = vi, [BAO_EN] = en}};

    refuse(to, &refusal, 0);
}

void baod_api_refuse_wait(const struct baod_asker *to, enum bao_symbol symbol, unsigned after_ms)
{
    const struct bao_symbol_info *info = bao_symbol_info(symbol);
    const struct baod_refusal refusal = {
        info->http, info->name, {[BAO_VI] = info->sentence[BAO_VI], [BAO_EN] = info->sentence[BAO_EN]}};

    refuse(to, &refusal, after_ms);
}

void baod_api_refuse_symbol(const struct baod_asker *to, enum bao_symbol symbol)
{
    baod_api_refuse_wait(to, symbol, 0);
}

/* ------------------------------------------------------------------ rows */

/* One question under way. */
struct question {
    struct baod_asker asker;
    enum baod_format format;
};

/* BUSY, in words for who asks and has no file to keep. */
static void refuse_unanswered(const struct baod_asker *to)
{
    baod_api_refuse(to, 503, "BUSY", "Cơ sở dữ liệu chưa trả lời lúc này; hãy hỏi lại sau ít phút.",
                    "The database does not answer now; ask again in a few minutes.");
}

static void refuse_too_long(const struct baod_asker *to)
{
    baod_api_refuse(to, 503, "TIMEOUT",
                    "Câu hỏi này cần quá nhiều thời gian; hãy nêu kỳ, phạm vi hoặc chỉ tiêu để hỏi ít hơn.",
                    "This question takes too long; name a period, a scope or an indicator to ask for less.");
}

static void on_rows(void *user, int r, const struct baod_rows *rows)
{
    struct question *q = user;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(ANSWER_MAX);

    if (r == 0)
        r = q->format == BAOD_FORMAT_CSV ? baod_rows_csv(&out, rows) : baod_rows_json(&out, rows);
    if (r == 0) {
        struct baod_http_reply reply = {
            .status = 200, .type = baod_types[q->format], .body = bao_buf_str(&out)};

        baod_api_reply(&q->asker, &reply);
    } else if (r == -EIO) {
        baod_api_refuse_symbol(&q->asker, BAO_SYM_INTERNAL);
    } else if (r == -ETIMEDOUT) {
        refuse_too_long(&q->asker);
    } else {
        refuse_unanswered(&q->asker);
    }
    baod_api_unref(q->asker.api);
    free(q);
}

/* Of rows: only what the route knows gets as far as here. */
static struct bao_str filter(const struct baod_http_exchange *x, const char *name)
{
    return bao_str_c(baod_http_query(x, name));
}

static bool is_known_query(const void *user, const char *name)
{
    const struct baod_route *route = user;

    for (const char *const *known = route->filters; *known != NULL; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return strcmp(name, "lang") == 0 || strcmp(name, "format") == 0;
}

/* A mistyped name must not answer everything in place of what was asked: false after saying which names there
 * are. */
static bool check_queries(const struct baod_call *call, const struct baod_http_exchange *x)
{
    const char *stray = baod_http_stray_query(x, is_known_query, call->route);
    char names[256] = "", vi[512], en[512];

    if (stray == NULL)
        return true;
    if (stray[strspn(stray, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] != '\0')
        stray = "…"; /* whatever it is, a sentence is no place for it */
    for (const char *const *known = call->route->filters; *known != NULL; known++)
        if (strcmp(*known, "format") != 0)
            (void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s, ", *known);
    (void)snprintf(vi, sizeof(vi), "Không có tham số “%.40s”; đường dẫn này nhận: %sformat, lang.", stray,
                   names);
    (void)snprintf(en, sizeof(en), "There is no parameter “%.40s”; this path takes: %sformat, lang.", stray,
                   names);
    baod_api_refuse(&call->asker, 400, "QUERY", vi, en);
    return false;
}

/* "limit=N", 1..100,000: false when it is written otherwise. */
static bool read_limit(const struct baod_http_exchange *x, int *ret)
{
    const char *text = baod_http_query(x, "limit");
    int value = 0;

    if (text == NULL)
        return true;
    for (; *text >= '0' && *text <= '9' && value <= ROWS_MAX; text++)
        value = value * 10 + (*text - '0');
    if (*text != '\0' || value < 1 || value > ROWS_MAX)
        return false;
    *ret = value;
    return true;
}

/* "units=as-reported|today": false when it is written otherwise. */
static bool read_units(struct bao_str text, bool *ret)
{
    *ret = bao_str_is(text, "today");
    return *ret || text.n == 0 || bao_str_is(text, "as-reported");
}

/* A unit asks for its own rows: names the one it is, or sees to it that the one named is its own. */
static bool keep_to_own(const struct baod_call *call, struct bao_str *unit)
{
    if (!call->route->own || call->role != BAOD_ROLE_UNIT || call->who.any_unit)
        return true;
    if (unit->n == 0 && call->who.n_units == 1)
        *unit = call->who.units[0];
    if (unit->n == 0) {
        baod_api_refuse(&call->asker, 400, "UNIT",
                        "Mã truy cập này dùng cho nhiều đơn vị; hãy ghi rõ một đơn vị: unit=…",
                        "This token is for several units; name one of them: unit=…");
        return false;
    }
    if (baod_call_speaks_for(call, *unit))
        return true;
    baod_api_refuse(&call->asker, 403, "UNIT", "Mã truy cập này không được xem số liệu của đơn vị khác.",
                    "This token does not show what other units report.");
    return false;
}

static void ask(struct baod_call *call, struct baod_http_exchange *x)
{
    const struct baod_route *route = call->route;
    struct baod_api *api = call->asker.api;
    struct baod_ask question = {
        .question = route->question,
        .form = filter(x, "form"),
        .period = filter(x, "period"),
        .scope = filter(x, "scope"),
        .unit = filter(x, "unit"),
        .indicator = filter(x, "indicator"),
        .named = filter(x, "q"),
        .span = filter(x, "span"),
        .as_of = filter(x, "as_of"),
        .now = api->ops.now(api->ops.user),
    };
    struct question *q;
    int r;

    if (!read_limit(x, &question.limit)) {
        baod_api_refuse(&call->asker, 400, "LIMIT", "limit phải là số từ 1 đến 100000.",
                        "limit must be a number from 1 to 100000.");
        return;
    }
    if (!read_units(filter(x, "units"), &question.today)) {
        baod_api_refuse(&call->asker, 400, "UNITS",
                        "units phải là as-reported (đơn vị lúc báo cáo) hoặc today (đơn vị hiện nay).",
                        "units must be as-reported or today.");
        return;
    }
    if (!keep_to_own(call, &question.unit))
        return;
    q = malloc(sizeof(*q));
    if (q == NULL) {
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        return;
    }
    *q = (struct question){call->asker, call->format};
    baod_api_ref(api);
    r = api->ops.ask(api->ops.user, &question, on_rows, q);
    if (r == 0)
        return;
    free(q);
    baod_api_unref(api);
    if (r == BAOD_ASK_E_PERIOD)
        baod_api_refuse(&call->asker, 422, "PERIOD",
                        "Kỳ báo cáo phải viết như 2026, 2026-Q3, 2026-09, 2026-W37 hoặc 2026-09-14.",
                        "A period is written like 2026, 2026-Q3, 2026-09, 2026-W37 or 2026-09-14.");
    else if (r == BAOD_ASK_E_AS_OF)
        baod_api_refuse(&call->asker, 422, "AS_OF",
                        "as_of viết như 2026-10-20, 2026-10-20T17:00 hoặc 2026-10-20T17:00:30 (giờ của "
                        "tỉnh), và không đi "
                        "cùng span hay units=today.",
                        "as_of is written like 2026-10-20, 2026-10-20T17:00 or 2026-10-20T17:00:30 (the "
                        "province's time), "
                        "and not together with span or units=today.");
    else if (r == BAOD_ASK_E_SPAN)
        baod_api_refuse(&call->asker, 422, "SPAN",
                        "Hỏi số tổng hợp theo đơn vị hiện nay thì phải nêu period hoặc span.",
                        "Rollups by the units of today need a period or a span.");
    else
        refuse_unanswered(&call->asker);
}

/* ------------------------------------------------------------------ health */

/* /healthz: the daemon lives. /readyz: a report sent now is taken; `degraded` says that it would be queued. A
 * balancer that has another daemon to turn to asks /readyz?need=database and sees 503 then. */
static void health(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_api *api = call->asker.api;
    bool database = api->ops.is_ready(api->ops.user), ready = baod_http_path(x)[1] == 'r';
    bool degraded = !database && api->ops.is_degraded != NULL && api->ops.is_degraded(api->ops.user);
    const char *need = baod_http_query(x, "need");
    bool enough = database || (degraded && (need == NULL || strcmp(need, "database") != 0));
    bool locked = !database && api->ops.is_locked != NULL && api->ops.is_locked(api->ops.user);
    bool unready = !database && api->ops.is_unready != NULL && api->ops.is_unready(api->ops.user);
    const char *status = degraded ? "degraded" : ready && !database ? "waiting" : "ok";
    char text[96];
    int n = snprintf(text, sizeof(text), "{\"status\":\"%s\",\"database\":\"%s\"%s}\n", status,
                     database  ? "ready"
                     : locked  ? "locked"
                     : unready ? "not ready"
                               : "away",
                     degraded ? ",\"reports\":\"queued\"" : "");
    struct baod_http_reply reply = {.status = ready && !enough ? 503 : 200,
                                    .type = baod_types[BAOD_FORMAT_JSON],
                                    .body = {text, n < 0 ? 0 : (size_t)n}};

    baod_api_reply(&call->asker, &reply);
}

/* Figures for Prometheus and its like: of the machine's work, none of what is reported. */
static void metrics(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_api *api = call->asker.api;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(64 << 10);
    struct baod_http_reply reply = {.status = 200, .type = "text/plain; version=0.0.4; charset=utf-8"};

    (void)x;
    if (api->ops.metrics(api->ops.user, &text) < 0) {
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        return;
    }
    reply.body = bao_buf_str(&text);
    baod_api_reply(&call->asker, &reply);
}

/* ------------------------------------------------------------------ the table of paths */

static const char *const by_rollup[] = {"form",  "period", "span",  "scope",  "indicator",
                                        "units", "as_of",  "limit", "format", NULL};
static const char *const by_shared[] = {"form", "period", "scope", "indicator", "limit", "format", NULL};
static const char *const by_trend[] = {"form", "scope", "indicator", "units", "limit", "format", NULL};
static const char *const by_status[] = {"form", "period", "scope", "units", "as_of", "limit", "format", NULL};
static const char *const by_report[] = {"form",  "period", "scope",  "unit", "units",
                                        "as_of", "limit",  "format", NULL};
static const char *const by_alert[] = {"form",      "period", "scope",  "unit",
                                       "indicator", "limit",  "format", NULL};
static const char *const by_unit_period[] = {"form",  "period", "scope",  "unit",
                                             "as_of", "limit",  "format", NULL};
static const char *const by_unit[] = {"form", "period", "unit", "limit", "format", NULL};
static const char *const by_form[] = {"form", "limit", "format", NULL};
static const char *const by_scope[] = {"scope", "unit", "q", "limit", "format", NULL};
static const char *const by_due[] = {"unit", "until", NULL};
static const char *const by_rate[] = {"form", "period", "scope", "indicator", "limit", "format", NULL};

#define ROLE(name) (1u << BAOD_ROLE_##name)
#define READERS (ROLE(OFFICE) | ROLE(OVERSIGHT) | ROLE(OPERATOR))
#define ALL (READERS | ROLE(UNIT))
#define OFFICE (ROLE(OFFICE) | ROLE(OPERATOR))
#define OFFICE_AND_OWN (OFFICE | ROLE(UNIT))

static const struct baod_route routes[] = {
    {"/healthz", BAOD_GET, 0, false, health, 0, NULL},
    {"/readyz", BAOD_GET, 0, false, health, 0, NULL},
    {"/metrics", BAOD_GET, OFFICE, false, metrics, 0, NULL},
    {"/v1/rollups", BAOD_GET, READERS, false, ask, BAOD_ASK_ROLLUP, by_rollup},
    {"/v1/status", BAOD_GET, ALL, false, ask, BAOD_ASK_STATUS, by_status},
    {"/v1/rates", BAOD_GET, READERS, false, ask, BAOD_ASK_RATE, by_rate},
    {"/v1/trend", BAOD_GET, READERS, false, ask, BAOD_ASK_TREND, by_trend},
    {"/v1/shared", BAOD_GET, READERS, false, ask, BAOD_ASK_SHARED, by_shared},
    {"/v1/alerts", BAOD_GET, READERS, false, ask, BAOD_ASK_ALERT, by_alert},
    {"/v1/missing", BAOD_GET, ALL, true, ask, BAOD_ASK_MISSING, by_unit_period},
    {"/v1/reports", BAOD_GET, ALL, true, ask, BAOD_ASK_REPORT, by_report},
    {"/v1/reports/", BAOD_GET, ALL, false, baod_reports_get, 0, NULL},
    {"/v1/reports/", BAOD_PUT, ROLE(UNIT), false, baod_reports_put, 0, NULL},
    {"/v1/reports/", BAOD_POST, OFFICE_AND_OWN, false, baod_acts_post, 0, NULL},
    {"/v1/obligations/", BAOD_POST, OFFICE, false, baod_acts_post, 0, NULL},
    {"/v1/periods/", BAOD_POST, OFFICE, false, baod_acts_post, 0, NULL},
    {"/v1/check", BAOD_POST, ALL, false, baod_reports_check, 0, NULL},
    {"/v1/bundle", BAOD_GET, ALL, false, baod_bundle_get, 0, NULL},
    {"/v1/openapi.yaml", BAOD_GET, 0, false, baod_openapi_get, 0, NULL},
    {"/v1/refusals", BAOD_GET, OFFICE_AND_OWN, true, ask, BAOD_ASK_REFUSAL, by_unit},
    {"/v1/forms", BAOD_GET, ALL, false, ask, BAOD_ASK_FORM, by_form},
    {"/v1/due", BAOD_GET, ALL, false, baod_due_get, 0, by_due},
    {"/v1/units", BAOD_GET, ALL, false, ask, BAOD_ASK_UNIT, by_scope},
    {"/v1/indicators", BAOD_GET, ALL, false, ask, BAOD_ASK_INDICATOR, by_form},
};

static const struct {
    const char *name;
    unsigned bit;
} methods[] = {{"GET", BAOD_GET}, {"HEAD", BAOD_GET}, {"PUT", BAOD_PUT}, {"POST", BAOD_POST}};

static unsigned method_bit(const char *name)
{
    for (size_t i = 0; i < BAO_COUNT(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].bit;
    return 0;
}

/* Does the path name the route? A suffix .json or .csv of rows says the format. */
static bool matches(const struct baod_route *route, const char *path, enum baod_format *format)
{
    size_t n = strlen(route->path);

    if (strncmp(path, route->path, n) != 0)
        return false;
    if (route->path[n - 1] == '/')
        return path[n] != '\0';
    if (path[n] == '\0')
        return true;
    if (route->filters == NULL)
        return false;
    if (strcmp(path + n, ".csv") == 0)
        *format = BAOD_FORMAT_CSV;
    else if (strcmp(path + n, ".json") == 0)
        *format = BAOD_FORMAT_JSON;
    else
        return false;
    return true;
}

static void refuse_method(const struct baod_asker *to, unsigned allowed)
{
    char list[40] = "";
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(4096);
    int r = print_refusal(&out, "METHOD", "Đường dẫn này không nhận phương thức HTTP này.",
                          "This path does not take this HTTP method.");
    struct baod_http_reply reply = {.status = 405,
                                    .type = baod_types[BAOD_FORMAT_JSON],
                                    .body = r == 0 ? bao_buf_str(&out) : BAO_STR_NULL,
                                    .headers = {"Allow", list}};

    for (size_t i = 0, n = 0; i < BAO_COUNT(methods); i++)
        if ((allowed & methods[i].bit) != 0)
            n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n == 0 ? "" : ", ", methods[i].name);
    baod_api_reply(to, &reply);
}

/* Finds the route of the request: false after answering that there is none. */
static bool find_route(struct baod_call *call, const struct baod_http_exchange *x)
{
    const char *path = baod_http_path(x);
    unsigned bit = method_bit(baod_http_method(x)), allowed = 0;

    for (size_t i = 0; i < BAO_COUNT(routes); i++) {
        if (!matches(&routes[i], path, &call->format))
            continue;
        allowed |= routes[i].methods;
        if ((routes[i].methods & bit) == 0)
            continue;
        call->route = &routes[i];
        return true;
    }
    if (allowed != 0)
        refuse_method(&call->asker, allowed);
    else
        baod_api_refuse(&call->asker, 404, "PATH",
                        "Không có đường dẫn này; các đường dẫn đọc được bắt đầu bằng /v1/.",
                        "There is no such path; readable ones begin with /v1/.");
    return false;
}

/* ------------------------------------------------------------------ a call */

static enum baod_format wanted_format(const struct baod_http_exchange *x)
{
    const char *named = baod_http_query(x, "format"), *accept = baod_http_header(x, "Accept");

    if (named != NULL)
        return strcmp(named, "csv") == 0 ? BAOD_FORMAT_CSV : BAOD_FORMAT_JSON;
    return accept != NULL && strstr(accept, "text/csv") != NULL ? BAOD_FORMAT_CSV : BAOD_FORMAT_JSON;
}

/* "q=0.8" of one item of a list, in thousandths. */
static int weight_of(const char *item, size_t n)
{
    const char *q = memmem(item, n, "q=", 2);
    int weight = 0, digit = 1000;

    if (q == NULL)
        return 1000;
    for (q += 2; q < item + n && (*q == '.' || (*q >= '0' && *q <= '9')); q++) {
        if (*q == '.')
            continue;
        weight += (*q - '0') * digit;
        digit /= 10;
    }
    return weight;
}

/* The language of ours that the asker likes best. */
static enum bao_lang wanted_lang(const struct baod_http_exchange *x, enum bao_lang lang)
{
    const char *list = baod_http_query(x, "lang");
    int best = 0;

    if (list == NULL)
        list = baod_http_header(x, "Accept-Language");
    while (list != NULL && *list != '\0') {
        size_t n = strcspn(list, ","), tag = strcspn(list, "-;, ");
        int weight = weight_of(list, n);

        if (tag == 2 && weight > best &&
            (strncasecmp(list, "vi", 2) == 0 || strncasecmp(list, "en", 2) == 0)) {
            best = weight;
            lang = strncasecmp(list, "en", 2) == 0 ? BAO_EN : BAO_VI;
        }
        list += n;
        list += strspn(list, ", ");
    }
    return lang;
}

static bool wants_text(const struct baod_http_exchange *x)
{
    const char *accept = baod_http_header(x, "Accept");

    return accept != NULL && strstr(accept, "text/plain") != NULL && strstr(accept, "json") == NULL;
}

static void end_call(void *user, struct baod_http_exchange *x)
{
    struct baod_call *call = baod_http_kept(x);

    (void)user;
    if (call == NULL)
        return;
    bao_arena_deinit(&call->arena);
    free(call);
}

/* Splits what follows the route's path: false when it has too many parts or an empty one. */
static bool split_path(struct baod_call *call, const char *path)
{
    const char *at = path + strlen(call->route->path);

    if (call->route->path[strlen(call->route->path) - 1] != '/')
        return true;
    for (;;) {
        size_t n = strcspn(at, "/");

        if (n == 0 || call->n_parts == BAOD_PATH_PARTS)
            return false;
        call->part[call->n_parts++] = (struct bao_str){at, n};
        if (at[n] == '\0')
            return true;
        at += n + 1;
    }
}

/* The head is here: finds the route and who calls, before anything of a body is kept. */
static void on_head(void *user, struct baod_http_exchange *x)
{
    struct baod_api *api = user;
    struct baod_call *call = calloc(1, sizeof(*call));
    const struct baod_asker nobody = {api, baod_http_id(x), BAO_VI, false};

    if (call == NULL) {
        baod_api_refuse_symbol(&nobody, BAO_SYM_BUSY);
        return;
    }
    baod_http_keep(x, call);
    bao_arena_init(&call->arena, CALL_MAX);
    call->asker = (struct baod_asker){api, baod_http_id(x), wanted_lang(x, api->config.lang), wants_text(x)};
    call->format = wanted_format(x);
    if (!find_route(call, x) || !baod_access_check(call, x))
        return;
    if (call->route->methods != BAOD_GET && !baod_access_may_write(call, x))
        return;
    if (call->route->filters != NULL && !check_queries(call, x))
        return;
    if (!split_path(call, baod_http_path(x)))
        baod_api_refuse(&call->asker, 404, "PATH", "Đường dẫn này viết chưa đủ hoặc thừa phần.",
                        "This path has too few or too many parts.");
}

static void on_request(void *user, struct baod_http_exchange *x)
{
    struct baod_call *call = baod_http_kept(x);

    (void)user;
    call->route->handle(call, x);
}

/* The request never came to be a call. */
static void on_refused(void *user, struct baod_http_exchange *x, int status)
{
    struct baod_api *api = user;
    const struct baod_asker to = {api, baod_http_id(x), wanted_lang(x, api->config.lang), wants_text(x)};

    baod_api_refuse_symbol(&to, status == 400 ? BAO_SYM_HEAD : status == 413 ? BAO_SYM_TOOBIG : BAO_SYM_BUSY);
}

struct baod_http_handlers baod_api_handlers(struct baod_api *api)
{
    return (struct baod_http_handlers){

        .user = api, .head = on_head, .request = on_request, .refused = on_refused, .ended = end_call};
}
