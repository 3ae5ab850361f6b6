#include "daemon/http/api.h"

#include "daemon/http/rows.h"
#include "lib/doc/tree.h"
#include "lib/text/symbols.h"

enum { ANSWER_MAX = 64 << 20, ROWS_MAX = 100000 };

enum format { JSON, CSV };

static const char *const types[] = {"application/json; charset=utf-8",
                                    "text/csv; charset=utf-8; header=present"};

struct baod_api {
    struct baod_api_ops ops;
    struct baod_http *http;
    unsigned refs; /* the owner and each question under way */
    bool closed;
};

/* One question under way. */
struct question {
    struct baod_api *api;
    uint64_t exchange;
    enum format format;
};

static void unref(struct baod_api *api)
{
    if (--api->refs == 0)
        free(api);
}

int baod_api_new(const struct baod_api_ops *ops, struct baod_api **ret)
{
    struct baod_api *api = calloc(1, sizeof(*api));

    if (api == NULL)
        return -ENOMEM;
    api->ops = *ops;
    api->refs = 1;
    *ret = api;
    return 0;
}

void baod_api_attach(struct baod_api *api, struct baod_http *http)
{
    api->http = http;
}

struct baod_api *baod_api_free(struct baod_api *api)
{
    if (api != NULL) {
        api->closed = true;
        unref(api);
    }
    return NULL;
}

static void reply(struct baod_api *api, uint64_t exchange, int status, const char *type, struct bao_str body)
{
    struct baod_http_reply answer = {.status = status, .type = type, .body = body};

    if (status == 503) {
        answer.headers[0] = "Retry-After";
        answer.headers[1] = "5";
    }
    if (status == 405) {
        answer.headers[0] = "Allow";
        answer.headers[1] = "GET, HEAD";
    }
    baod_http_reply(api->http, exchange, &answer);
}

/* Every refusal has the same shape: {"code", "message": {"vi", "en"}}. */
static void refuse(struct baod_api *api, uint64_t exchange, int status, const char *code, const char *vi,
                   const char *en)
{
    struct bao_buf out = BAO_BUF_NULL(4096);
    int r = bao_buf_printf(&out, "{\"code\":\"%s\",\"message\":{\"vi\":", code);

    if (r == 0)
        r = bao_json_quote(&out, bao_str_c(vi));
    if (r == 0)
        r = bao_buf_append_c(&out, ",\"en\":");
    if (r == 0)
        r = bao_json_quote(&out, bao_str_c(en));
    if (r == 0)
        r = bao_buf_append_c(&out, "}}\n");
    reply(api, exchange, status, types[JSON], r == 0 ? bao_buf_str(&out) : BAO_STR_NULL);
    bao_buf_deinit(&out);
}

static void refuse_symbol(struct baod_api *api, uint64_t exchange, enum bao_symbol symbol)
{
    const struct bao_symbol_info *info = bao_symbol_info(symbol);

    refuse(api, exchange, info->http, info->name, info->sentence[BAO_VI], info->sentence[BAO_EN]);
}

static void on_rows(void *user, int r, const struct baod_rows *rows)
{
    struct question *q = user;
    struct baod_api *api = q->api;
    struct bao_buf out = BAO_BUF_NULL(ANSWER_MAX);

    if (!api->closed) {
        if (r == 0)
            r = q->format == CSV ? baod_rows_csv(&out, rows) : baod_rows_json(&out, rows);
        if (r == 0)
            reply(api, q->exchange, 200, types[q->format], bao_buf_str(&out));
        else
            refuse_symbol(api, q->exchange, r == -EIO ? BAO_SYM_INTERNAL : BAO_SYM_BUSY);
    }
    bao_buf_deinit(&out);
    free(q);
    unref(api);
}

struct route {
    const char *path;
    enum baod_question question;
    const char *const *filters; /* names of the query parameters it knows, NULL-terminated */
};

static const char *const by_rollup[] = {"form",  "period", "span",   "scope", "indicator",
                                        "units", "limit",  "format", NULL};
static const char *const by_trend[] = {"form", "scope", "indicator", "units", "limit", "format", NULL};
static const char *const by_status[] = {"form", "period", "scope", "units", "limit", "format", NULL};
static const char *const by_report[] = {"form", "period", "scope", "unit", "units", "limit", "format", NULL};
static const char *const by_alert[] = {"form",      "period", "scope",  "unit",
                                       "indicator", "limit",  "format", NULL};
static const char *const by_unit_period[] = {"form", "period", "scope", "unit", "limit", "format", NULL};
static const char *const by_form[] = {"form", "limit", "format", NULL};
static const char *const by_scope[] = {"scope", "unit", "limit", "format", NULL};

static const struct route routes[] = {
    {"/v1/rollups", BAOD_ASK_ROLLUP, by_rollup},
    {"/v1/status", BAOD_ASK_STATUS, by_status},
    {"/v1/missing", BAOD_ASK_MISSING, by_unit_period},
    {"/v1/reports", BAOD_ASK_REPORT, by_report},
    {"/v1/trend", BAOD_ASK_TREND, by_trend},
    {"/v1/alerts", BAOD_ASK_ALERT, by_alert},
    {"/v1/forms", BAOD_ASK_FORM, by_form},
    {"/v1/units", BAOD_ASK_UNIT, by_scope},
    {"/v1/indicators", BAOD_ASK_INDICATOR, by_form},
};

/* The route of a path; a suffix .json or .csv names the format. */
static const struct route *find_route(const char *path, enum format *format)
{
    for (size_t i = 0; i < BAO_COUNT(routes); i++) {
        size_t n = strlen(routes[i].path);

        if (strncmp(path, routes[i].path, n) != 0)
            continue;
        if (strcmp(path + n, ".csv") == 0)
            *format = CSV;
        else if (path[n] != '\0' && strcmp(path + n, ".json") != 0)
            continue;
        return &routes[i];
    }
    return NULL;
}

static struct bao_str filter(const struct baod_http_exchange *x, const struct route *route, const char *name)
{
    for (const char *const *known = route->filters; *known != NULL; known++)
        if (strcmp(*known, name) == 0)
            return bao_str_c(baod_http_query(x, name));
    return BAO_STR_NULL;
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

static enum format wanted_format(const struct baod_http_exchange *x)
{
    const char *named = baod_http_query(x, "format"), *accept = baod_http_header(x, "Accept");

    if (named != NULL)
        return strcmp(named, "csv") == 0 ? CSV : JSON;
    return accept != NULL && strstr(accept, "text/csv") != NULL ? CSV : JSON;
}

static void ask(struct baod_api *api, const struct baod_http_exchange *x, const struct route *route,
                enum format format)
{
    uint64_t exchange = baod_http_id(x);
    struct baod_ask question = {
        .question = route->question,
        .form = filter(x, route, "form"),
        .period = filter(x, route, "period"),
        .scope = filter(x, route, "scope"),
        .unit = filter(x, route, "unit"),
        .indicator = filter(x, route, "indicator"),
        .span = filter(x, route, "span"),
        .now = api->ops.now(api->ops.user),
    };
    struct question *q;
    int r;

    if (!read_units(filter(x, route, "units"), &question.today)) {
        refuse(api, exchange, 400, "UNITS",
               "units phải là as-reported (đơn vị lúc báo cáo) hoặc today (đơn vị hiện nay).",
               "units must be as-reported or today.");
        return;
    }
    if (!read_limit(x, &question.limit)) {
        refuse(api, exchange, 400, "LIMIT", "limit phải là số từ 1 đến 100000.",
               "limit must be a number from 1 to 100000.");
        return;
    }
    q = malloc(sizeof(*q));
    if (q == NULL) {
        refuse_symbol(api, exchange, BAO_SYM_BUSY);
        return;
    }
    *q = (struct question){api, exchange, format};
    api->refs++;
    r = api->ops.ask(api->ops.user, &question, on_rows, q);
    if (r == 0)
        return;
    free(q);
    unref(api);
    if (r == BAOD_ASK_E_PERIOD)
        refuse(api, exchange, 422, "PERIOD",
               "Kỳ báo cáo phải viết như 2026, 2026-Q3, 2026-09, 2026-W37 hoặc 2026-09-14.",
               "A period is written like 2026, 2026-Q3, 2026-09, 2026-W37 or 2026-09-14.");
    else if (r == BAOD_ASK_E_SPAN)
        refuse(api, exchange, 422, "SPAN",
               "Hỏi số tổng hợp theo đơn vị hiện nay thì phải nêu period hoặc span.",
               "Rollups by the units of today need a period or a span.");
    else
        refuse_symbol(api, exchange, BAO_SYM_BUSY);
}

static bool is_reading(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void health(struct baod_api *api, uint64_t exchange, bool ready)
{
    bool database = api->ops.is_ready(api->ops.user);
    const char *text = database ? "{\"status\":\"ok\",\"database\":\"ready\"}\n"
                                : "{\"status\":\"ok\",\"database\":\"away\"}\n";

    reply(api, exchange, ready && !database ? 503 : 200, types[JSON], bao_str_c(text));
}

void baod_api_handle(void *user, struct baod_http_exchange *x)
{
    struct baod_api *api = user;
    const char *path = baod_http_path(x);
    uint64_t exchange = baod_http_id(x);
    enum format format = wanted_format(x);
    const struct route *route;

    if (!is_reading(baod_http_method(x))) {
        refuse(api, exchange, 405, "METHOD", "Đường dẫn này chỉ để đọc (GET).",
               "This path is for reading (GET).");
        return;
    }
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0) {
        health(api, exchange, path[1] == 'r');
        return;
    }
    route = find_route(path, &format);
    if (route == NULL)
        refuse(api, exchange, 404, "PATH",
               "Không có đường dẫn này; các đường dẫn đọc được bắt đầu bằng /v1/.",
               "There is no such path; readable ones begin with /v1/.");
    else
        ask(api, x, route, format);
}
