/* Asking the hub over HTTP. client.c is the only file that includes libcurl. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct cli_parameter {
    const char *name, *value; /* value NULL: left out */
};

/* GET server + path with the parameters percent-encoded; the body goes to *ret_body (initialised by the
 * caller). 0 and the HTTP status; <0: nobody answered, and *ret_why (static text of the library) says why. */
int cli_get(const char *server, const char *path, const struct cli_parameter *parameters, size_t n,
            struct bao_buf *ret_body, long *ret_status, const char **ret_why) BAO_MUST_CHECK;
