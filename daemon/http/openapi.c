/* The description of the paths for programs, as it stands in openapi.yaml beside this file. */
#include "daemon/http/api_internal.h"

#include "openapi.inc"

void baod_openapi_get(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_http_reply reply = {.status = 200,
                                    .type = "application/yaml; charset=utf-8",
                                    .body = {(const char *)openapi_yaml, sizeof(openapi_yaml)}};

    (void)x;
    baod_api_reply(&call->asker, &reply);
}
