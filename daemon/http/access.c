/* Who calls, and may they? HTTP Basic and Bearer with the generated secrets; the own machine by the settings.
 */
#include "daemon/http/api_internal.h"
#include "daemon/ops/log.h"

#include <string.h>
#include <strings.h>
#include <uv.h>

enum { SECRET_MAX = 512 };

/* The secret that the head shows, and the name beside it. */
struct shown {
    char text[SECRET_MAX];
    struct bao_str name, secret;
};

static int digit64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Reads base64 of at most SECRET_MAX octets: their number, or -1. */
static int decode64(const char *in, char *out)
{
    uint32_t bits = 0;
    int n_bits = 0, n = 0;

    for (; digit64(*in) >= 0; in++) {
        bits = bits << 6 | (uint32_t)digit64(*in);
        n_bits += 6;
        if (n_bits < 8)
            continue;
        if (n == SECRET_MAX)
            return -1;
        n_bits -= 8;
        out[n++] = (char)(bits >> n_bits & 0xff);
    }
    while (*in == '=')
        in++;
    return *in == '\0' ? n : -1;
}

/* The value of a head "Scheme value", or NULL when it is of another scheme. */
static const char *of_scheme(const char *head, const char *scheme)
{
    size_t n = strlen(scheme);

    if (strncasecmp(head, scheme, n) != 0 || head[n] != ' ')
        return NULL;
    head += n;
    while (*head == ' ')
        head++;
    return head;
}

/* Reads the head Authorization: false when it makes no sense. */
static bool read_shown(const char *head, struct shown *ret)
{
    const char *basic = of_scheme(head, "Basic"), *bearer = of_scheme(head, "Bearer"), *colon;
    size_t n;
    int got;

    if (bearer != NULL) {
        n = strlen(bearer);
        if (n >= sizeof(ret->text))
            return false;
        memcpy(ret->text, bearer, n);
        ret->secret = (struct bao_str){ret->text, n};
        return true;
    }
    got = basic == NULL ? -1 : decode64(basic, ret->text);
    if (got < 0)
        return false;
    colon = memchr(ret->text, ':', (size_t)got);
    if (colon == NULL)
        return false;
    n = (size_t)(colon - ret->text);
    ret->name = (struct bao_str){ret->text, n};
    ret->secret = (struct bao_str){colon + 1, (size_t)got - n - 1};
    return true;
}

/* Asks for a secret; one that was wrong waits for its answer the longer the oftener. */
static void ask_for_secret(const struct baod_call *call, unsigned after_ms, bool expired)
{
    static const char basic[] = "Basic realm=\"baocaod\", charset=\"UTF-8\"",
                      bearer[] = "Bearer realm=\"baocaod\"";
    const struct bao_symbol_info *info = bao_symbol_info(BAO_SYM_AUTH);
    const char *vi = expired ? "Mã truy cập đã hết hạn; hãy xin cấp mã mới." : info->sentence[BAO_VI],
               *en = expired ? "The token has expired; ask for a new one." : info->sentence[BAO_EN];
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf body = BAO_BUF_NULL(4096);
    int r = call->asker.text
                ? bao_buf_printf(&body, "%s\n", call->asker.lang == BAO_VI ? vi : en)
                : bao_buf_printf(&body, "{\"code\":\"%s\",\"message\":{\"vi\":\"%s\",\"en\":\"%s\"}}\n",
                                 info->name, vi, en);
    struct baod_http_reply reply = {
        .status = info->http,
        .type = call->asker.text ? "text/plain; charset=utf-8" : baod_types[BAOD_FORMAT_JSON],
        .body = r == 0 ? bao_buf_str(&body) : BAO_STR_NULL,
        .headers = {"WWW-Authenticate", basic, "WWW-Authenticate", bearer},
        .after_ms = after_ms,
    };

    baod_api_reply(&call->asker, &reply);
}

static bool is_host_local(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; host != NULL && i < BAO_COUNT(names); i++) {
        size_t n = strlen(names[i]);

        if (strncasecmp(host, names[i], n) == 0 && (host[n] == '\0' || host[n] == ':'))
            return true;
    }
    return false;
}

/* Is it really somebody on this machine? A proxy here speaks for others, and a browser here that was lured to
 * a foreign name (which resolves to this machine) says that name as its host. */
static bool is_local(const struct baod_http_exchange *x)
{
    static const char *const by_proxies[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP",
                                             "Via"};

    for (size_t i = 0; i < BAO_COUNT(by_proxies); i++)
        if (baod_http_header(x, by_proxies[i]) != NULL)
            return false;
    return baod_http_is_local(x) && is_host_local(baod_http_header(x, "Host"));
}

static bool take_credential(struct baod_call *call, const struct baod_credential *c)
{
    struct bao_str *units = bao_arena_array(&call->arena, c->n_units, sizeof(*units));

    if (units == NULL)
        return false;
    for (size_t i = 0; i < c->n_units; i++) {
        units[i] = bao_arena_str(&call->arena, c->units[i]);
        if (units[i].p == NULL)
            return false;
    }
    call->who = (struct baod_identity){.units = units, .n_units = c->n_units, .by_token = true};
    memcpy(call->who.credential, c->id, sizeof(call->who.credential));
    call->role = c->role;
    call->name = bao_arena_str(&call->arena, c->name);
    return call->name.p != NULL;
}

static void refuse_secret(const struct baod_call *call, const struct baod_http_exchange *x,
                          const struct shown *shown, int outcome)
{
    struct baod_api *api = call->asker.api;
    struct bao_str address = bao_str_c(baod_http_address(x));
    struct baod_failure failure =
        baod_failures_add(api->config.failures, address, shown->name.n != 0 ? shown->name : shown->secret,
                          uv_hrtime() / 1000000);

    baod_log(BAOD_LOG_NOTICE, "http: %.*s: %s (%u from its address or account lately)", BAO_STR_ARG(address),
             outcome == BAOD_CREDENTIAL_E_EXPIRED ? "its secret has expired" : "its secret is wrong",
             failure.count);
    ask_for_secret(call, failure.after_ms, outcome == BAOD_CREDENTIAL_E_EXPIRED);
}

/* Who is it? true, or false after answering. */
static bool identify(struct baod_call *call, const struct baod_http_exchange *x)
{
    struct baod_api *api = call->asker.api;
    const char *head = baod_http_header(x, "Authorization");
    const struct baod_credential *credential = NULL;
    struct shown shown = {.name = BAO_STR_NULL};
    int r = BAOD_CREDENTIAL_E_UNKNOWN;

    if (head == NULL) {
        if (baod_role_parse(bao_str_c(api->config.local), &call->role) && is_local(x)) {
            call->who.any_unit = call->role == BAOD_ROLE_UNIT;
            return true;
        }
        ask_for_secret(call, 0, false);
        return false;
    }
    if (read_shown(head, &shown))
        r = api->ops.who(api->ops.user, shown.secret, &credential);
    if (r == 0 && !take_credential(call, credential))
        r = -ENOMEM;
    if (r < 0 || r == BAOD_CREDENTIAL_E_STALE)
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
    else if (r > 0)
        refuse_secret(call, x, &shown, r);
    explicit_bzero(shown.text, sizeof(shown.text));
    return r == 0;
}

bool baod_access_check(struct baod_call *call, const struct baod_http_exchange *x)
{
    if (call->route->roles == 0)
        return true;
    if (!identify(call, x))
        return false;
    if ((call->route->roles & 1u << call->role) != 0)
        return true;
    baod_api_refuse(&call->asker, 403, "ROLE", "Mã truy cập này không được dùng cho việc này.",
                    "This token is not for this use.");
    return false;
}

bool baod_call_speaks_for(const struct baod_call *call, struct bao_str unit)
{
    struct baod_api *api = call->asker.api;

    return baod_identity_may_speak(&call->who, &api->ops.snapshot(api->ops.user)->registry, unit,
                                   api->ops.now(api->ops.user));
}

static bool is_document_type(const char *type)
{
    static const char *const types[] = {"application/json", "application/yaml", "application/x-yaml",
                                        "text/yaml", "text/x-yaml"};
    size_t n = type == NULL ? 0 : strcspn(type, "; \t");

    for (size_t i = 0; i < BAO_COUNT(types); i++)
        if (n == strlen(types[i]) && strncasecmp(type, types[i], n) == 0)
            return true;
    return false;
}

/* Is it the origin of this address by that scheme? */
static bool is_origin(const char *origin, const char *scheme, const char *host)
{
    size_t n = strlen(scheme);

    return strncasecmp(origin, scheme, n) == 0 && strcasecmp(origin + n, host) == 0;
}

/* Does the page that sends this come from here? Heads that no browser leaves out. Without TLS of our own
 * there may be a proxy that speaks it for us, so both schemes are ours then. */
static bool is_same_origin(const struct baod_http_exchange *x)
{
    const char *origin = baod_http_header(x, "Origin"), *site = baod_http_header(x, "Sec-Fetch-Site"),
               *host = baod_http_header(x, "Host");

    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return false;
    if (origin == NULL)
        return true;
    return host != NULL && (is_origin(origin, "https://", host) ||
                            (!baod_http_is_secure(x) && is_origin(origin, "http://", host)));
}

bool baod_access_may_write(const struct baod_call *call, const struct baod_http_exchange *x)
{
    if (!is_same_origin(x)) {
        baod_api_refuse(&call->asker, 403, "ORIGIN", "Yêu cầu đến từ một trang web khác nên bị từ chối.",
                        "The request comes from another web site and is refused.");
        return false;
    }
    if (!is_document_type(baod_http_header(x, "Content-Type"))) {
        baod_api_refuse(&call->asker, 415, "TYPE",
                        "Content-Type phải là application/yaml hoặc application/json.",
                        "Content-Type must be application/yaml or application/json.");
        return false;
    }
    return true;
}
