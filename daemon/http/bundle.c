/* The bundle by HTTP: what a unit needs to judge offline, sent only when it is not what the unit has. */
#include "daemon/http/api_internal.h"
#include "lib/wire/deflate.h"

#include <string.h>

enum { TAG_MAX = 64, STATUS_OK = 200, STATUS_SAME = 304 };

static void inflater_freep(struct bao_inflater **z)
{
    *z = bao_inflater_free(*z);
}

void baod_bundle_get(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_api *api = call->asker.api;
    const struct baod_snapshot *s = api->ops.snapshot(api->ops.user);
    const char *has = baod_http_header(x, "If-None-Match"),
               *encodings = baod_http_header(x, "Accept-Encoding");
    BAO_CLEANUP(inflater_freep) struct bao_inflater *z = NULL;
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    char tag[TAG_MAX];
    struct baod_http_reply reply = {
        .status = STATUS_OK,
        .type = baod_types[BAOD_FORMAT_JSON],
        .body = s->bundle,
        .headers = {"ETag", tag, "Vary", "Accept-Encoding"},
    };

    (void)snprintf(tag, sizeof(tag), "\"%.*s\"", BAO_STR_ARG(s->bundle_version));
    if (has != NULL && strstr(has, tag) != NULL) {
        reply.status = STATUS_SAME;
        reply.body = BAO_STR_NULL;
    } else if (encodings != NULL && strstr(encodings, "deflate") != NULL) {
        reply.headers[4] = "Content-Encoding";
        reply.headers[5] = "deflate";
    } else {
        z = bao_inflater_new();
        if (z == NULL || bao_inflate(z, &arena, s->bundle, s->bundle_size, &reply.body) != 0) {
            baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
            return;
        }
    }
    baod_api_reply(&call->asker, &reply);
}
