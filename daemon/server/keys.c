#include "daemon/config/files.h"
#include "daemon/config/snapshot.h"
#include "daemon/http/http.h"
#include "daemon/net/tls.h"
#include "daemon/ops/log.h"
#include "daemon/server/server_internal.h"

enum { KEYS_MAX = 1 << 20, RENEW_DAYS = 30, DAY = 86400 };

static const char *set_or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

/* What a file out of its time means, and what to do. */
enum matter { EXPIRED, EXPIRES, NOT_YET, MATTERS };

static const char *const certificate_texts[MATTERS][BAO_LANGS] = {
    [EXPIRED] = {"chứng thư này đã hết hạn từ ngày ấy nên máy của đơn vị từ chối máy chủ; hãy thay bằng "
                 "chứng thư mới",
                 "this certificate has expired, so clients refuse the hub; put a new one in its place"},
    [EXPIRES] = {"chứng thư này hết hạn ngày ấy; hãy thay bằng chứng thư mới trước đó",
                 "this certificate expires on that day; put a new one in its place before"},
    [NOT_YET] =
        {"chứng thư này từ ngày ấy mới có hiệu lực; hãy xem lại đồng hồ của máy này, hoặc thay chứng thư",
         "this certificate is valid only from that day; look at this machine's clock, or replace it"},
};

static const char *const authority_texts[MATTERS][BAO_LANGS] = {
    [EXPIRED] =
        {"chứng thư của nơi cấp đã hết hạn từ ngày ấy nên chứng thư đơn vị do nơi ấy cấp không được nhận "
         "nữa; "
         "hãy thay bằng chứng thư mới của nơi cấp",
         "an authority's certificate has expired, so the units' certificates it signed are no longer taken; "
         "put its new one in its place"},
    [EXPIRES] = {"chứng thư của nơi cấp hết hạn ngày ấy; hãy xin chứng thư mới của nơi cấp trước đó",
                 "an authority's certificate expires on that day; get its new one before"},
    [NOT_YET] = {"chứng thư của nơi cấp từ ngày ấy mới có hiệu lực; hãy xem lại đồng hồ của máy này",
                 "an authority's certificate is valid only from that day; look at this machine's clock"},
};

/* Lists live for days, and the next one is often made on the last: nothing is said before. */
static const char *const revoked_texts[MATTERS][BAO_LANGS] = {
    [EXPIRED] =
        {"danh sách thu hồi này phải được thay từ ngày ấy: chứng thư bị thu hồi về sau vẫn được nhận; hãy "
         "lấy "
         "danh sách mới của nơi cấp (bộ dùng thử: deploy/pki THƯ-MỤC list)",
         "this list of revoked certificates was to be replaced on that day: what was revoked since is still "
         "let in; get the authority's new list (of a trial: deploy/pki DIR list)"},
    [NOT_YET] = {"danh sách thu hồi này ghi ngày phát hành còn ở phía trước; hãy xem lại đồng hồ của máy này",
                 "this list of revoked certificates is from the future; look at this machine's clock"},
};

static void tell_span(struct baod_server *s, const char *file, struct baod_tls_span span,
                      const char *const texts[][BAO_LANGS])
{
    int64_t now = baod_clock_now(&s->clock) / BAO_SECOND;
    enum matter matter = span.to <= now                     ? EXPIRED
                         : span.from > now                  ? NOT_YET
                         : span.to - now < RENEW_DAYS * DAY ? EXPIRES
                                                            : MATTERS;
    char day[16];

    if (matter == MATTERS || texts[matter][BAO_EN] == NULL)
        return;
    bao_date_print(
        bao_time_date((matter == NOT_YET ? span.from : span.to) * BAO_SECOND, s->snapshot->registry.offset),
        day);
    baod_log(matter == EXPIRES ? BAOD_LOG_WARNING : BAOD_LOG_ERROR,
             "tls: %s, %s: %s; rồi chạy / %s; then run: systemctl reload baocaod", file, day,
             texts[matter][BAO_VI], texts[matter][BAO_EN]);
}

void baod_server_tell_keys(struct baod_server *s, bao_date today)
{
    struct baod_tls_spans spans;

    s->keys_day = today;
    if (s->tls == NULL)
        return;
    spans = baod_tls_spans(s->tls);
    tell_span(s, s->settings->tls_certificate, spans.certificate, certificate_texts);
    tell_span(s, s->settings->tls_authorities, spans.authorities, authority_texts);
    tell_span(s, s->settings->tls_revoked, spans.revoked, revoked_texts);
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
    baod_tls_unref(s->tls);
    s->tls = tls;
    s->keys_day = 0; /* the next tick says what it finds */
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
