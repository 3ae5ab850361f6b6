#include "daemon/config/files.h"
#include "daemon/http/http.h"
#include "daemon/net/tls.h"
#include "daemon/ops/log.h"
#include "daemon/server/server_internal.h"

enum { KEYS_MAX = 1 << 20, RENEW_DAYS = 30, DAY = 86400 };

static const char *set_or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

/* Clients refuse a hub whose certificate has ended, and here it would look as if they had left by themselves.
 */
static void tell_end(struct baod_server *s, const struct baod_tls *tls, const char *file)
{
    int64_t ends = baod_tls_ends(tls);
    int64_t left = ends - baod_clock_now(&s->clock) / BAO_SECOND;

    if (ends < 0 || left >= RENEW_DAYS * DAY)
        return;
    if (left <= 0)
        baod_log(BAOD_LOG_ERROR,
                 "tls: %s: this certificate has expired, so clients refuse the hub; put a new "
                 "one in its place, then reload",
                 file);
    else
        baod_log(BAOD_LOG_WARNING,
                 "tls: %s: this certificate expires in %lld days; put a new one in its place, "
                 "then reload",
                 file, (long long)(left / DAY));
}

int baod_server_load_keys(struct baod_server *s)
{
    const struct baod_tls_files files = {
        .certificate = set_or_null(s->settings->tls_certificate),
        .key = set_or_null(s->settings->tls_key),
        .authorities = set_or_null(s->settings->tls_authorities),
        .revoked = set_or_null(s->settings->tls_revoked),
    };
    const char *why = NULL, *file = NULL;
    struct baod_tls *tls;
    int r;

    if (files.certificate == NULL)
        return 0;
    if (files.key == NULL) {
        baod_log(BAOD_LOG_ERROR, "tls: certificate is set, but key is not");
        return -EINVAL;
    }
    r = baod_tls_load_server(&files, &tls, &why, &file);
    if (r < 0) {
        baod_log(BAOD_LOG_ERROR, "tls: %s: %s", file != NULL ? file : "start", why);
        return r;
    }
    tell_end(s, tls, files.certificate);
    baod_tls_unref(s->tls);
    s->tls = tls;
    return 0;
}

int baod_server_read_http_keys(const struct baod_server *s, struct bao_arena *arena,
                               struct baod_http_keys *ret)
{
    const char *files[] = {s->settings->tls_certificate, s->settings->tls_key};
    struct bao_str texts[2] = {BAO_STR_NULL};

    *ret = (struct baod_http_keys){.certificate = NULL};
    if (s->tls == NULL)
        return 0;
    for (size_t i = 0; i < BAO_COUNT(files); i++) {
        int r = baod_file_read(arena, files[i], KEYS_MAX, &texts[i]);

        if (r != 0) {
            baod_log(BAOD_LOG_ERROR, "tls: %s: %s", files[i], baod_files_why(r, BAO_EN));
            return r < 0 ? r : -EINVAL;
        }
    }
    *ret = (struct baod_http_keys){.certificate = texts[0].p, .key = texts[1].p};
    return 0;
}

/* Gives the HTTP port the keys that were just found good. */
static void renew_http(struct baod_server *s)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(BAOD_KEYS_ARENA);
    struct baod_http_keys keys;
    int r = baod_server_read_http_keys(s, &arena, &keys);

    if (r == 0)
        r = baod_http_renew(s->http, &keys);
    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "http: the new keys were not taken: %s", strerror(-r));
}

void baod_server_renew_keys(struct baod_server *s)
{
    if (baod_server_load_keys(s) < 0 || s->tls == NULL)
        return;
    renew_http(s);
    baod_peers_renew(s->peers, s->tls);
}

int baod_server_transform(void *user, const struct baod_transform_ops **ret_ops, void **ret_transform)
{
    struct baod_server *s = user;

    return baod_tls_transform(s->tls, NULL, ret_ops, ret_transform);
}
