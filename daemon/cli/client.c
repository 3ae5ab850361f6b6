#include "daemon/cli/client.h"

#include <curl/curl.h>

enum { CONNECT_SECONDS = 10, WHOLE_SECONDS = 120 };

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
    return bao_buf_append(user, data, size * n) == 0 ? size * n : 0;
}

static int add_parameter(CURL *curl, struct bao_buf *url, const struct cli_parameter *p, bool first)
{
    char *value = curl_easy_escape(curl, p->value, 0);
    int r;

    if (value == NULL)
        return -ENOMEM;
    r = bao_buf_printf(url, "%s%s=%s", first ? "?" : "&", p->name, value);
    curl_free(value);
    return r;
}

static int make_url(CURL *curl, const char *server, const char *path, const struct cli_parameter *parameters,
                    size_t n, struct bao_buf *url)
{
    bool first = true;
    int r = bao_buf_printf(url, "%s%s", server, path);

    for (size_t i = 0; i < n && r == 0; i++) {
        if (parameters[i].value == NULL)
            continue;
        r = add_parameter(curl, url, &parameters[i], first);
        first = false;
    }
    return r == 0 ? bao_buf_append(url, "", 1) : r;
}

bool cli_may_carry(const struct cli_hub *hub)
{
    static const char *const here[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = hub->server + 7;

    if (*hub->token == '\0' || strncmp(hub->server, "http://", 7) != 0)
        return true;
    for (size_t i = 0; i < BAO_COUNT(here); i++)
        if (strncmp(host, here[i], strlen(here[i])) == 0 && strchr(":/", host[strlen(here[i])]) != NULL)
            return true;
    return false;
}

static CURLcode perform(CURL *curl, const struct cli_hub *hub, const char *url, struct bao_buf *body,
                        long *ret_status)
{
    struct curl_slist *heads = NULL;
    char has[128];
    CURLcode code;

    if (hub->has != NULL) {
        (void)snprintf(has, sizeof(has), "If-None-Match: \"%s\"", hub->has);
        heads = curl_slist_append(NULL, has); /* without memory the whole answer comes */
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, heads);
    }
    if (*hub->token != '\0') {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, hub->token);
    }
    if (hub->ca != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, hub->ca);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WHOLE_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "baocao/0.1");
    code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
    curl_slist_free_all(heads);
    return code;
}

/* What usually is in the way, in both languages; the rest in the library's own words. */
static const char *curl_text(CURLcode code, enum bao_lang lang)
{
    static const struct {
        CURLcode code;
        const char *say[BAO_LANGS];
    } table[] = {
        {CURLE_COULDNT_RESOLVE_HOST,
         {"không tìm thấy máy chủ có tên này", "there is no server of this name"}},
        {CURLE_COULDNT_CONNECT, {"máy chủ không nhận kết nối", "nothing listens there: connection refused"}},
        {CURLE_OPERATION_TIMEDOUT, {"chờ quá lâu mà không có trả lời", "no answer came in time"}},
        {CURLE_PEER_FAILED_VERIFICATION,
         {"chứng thư của máy chủ không được tin cậy hoặc không phải của máy chủ này",
          "the server's certificate is not trusted, or it is not this server's"}},
        {CURLE_SSL_CONNECT_ERROR,
         {"không lập được kết nối mã hóa (TLS) với máy chủ", "no encrypted connection (TLS) could be made"}},
        {CURLE_SSL_CACERT_BADFILE,
         {"không đọc được tệp chứng thư gốc", "the file of trusted authorities cannot be read"}},
        {CURLE_GOT_NOTHING, {"kết nối bị ngắt giữa chừng", "the connection was cut"}},
        {CURLE_RECV_ERROR, {"kết nối bị ngắt giữa chừng", "the connection was cut"}},
        {CURLE_URL_MALFORMAT, {"địa chỉ máy chủ viết sai", "the server's address is not a URL"}},
        {CURLE_UNSUPPORTED_PROTOCOL,
         {"địa chỉ máy chủ phải bắt đầu bằng http:// hoặc https://",
          "the server's address begins with http:// or https://"}},
    };

    for (size_t i = 0; i < BAO_COUNT(table); i++)
        if (table[i].code == code)
            return table[i].say[lang];
    return curl_easy_strerror(code);
}

int cli_get(const struct cli_hub *hub, const char *path, const struct cli_parameter *parameters, size_t n,
            struct bao_buf *ret_body, long *ret_status, const char **ret_why)
{
    struct bao_buf url = BAO_BUF_NULL(16384);
    CURL *curl = curl_easy_init();
    CURLcode code;
    int r = curl == NULL ? -ENOMEM : make_url(curl, hub->server, path, parameters, n, &url);

    *ret_why = curl_text(CURLE_OUT_OF_MEMORY, hub->lang);
    if (r == 0) {
        code = perform(curl, hub, bao_buf_data(&url), ret_body, ret_status);
        *ret_why = curl_text(code, hub->lang);
        r = code == CURLE_OK ? 0 : -EIO;
    }
    curl_easy_cleanup(curl);
    bao_buf_deinit(&url);
    return r;
}
