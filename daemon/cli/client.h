/* Asking the hub over HTTP. client.c is the only file that includes libcurl. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"
#include "lib/base/error.h"

/* The hub and how it is spoken to; texts are borrowed. */
struct cli_hub {
    enum bao_lang lang; /* of what is told when it cannot be asked */
    const char *server; /* http://… or https://… */
    const char *token;  /* "": none */
    const char *ca;     /* PEM file of the authorities to believe; NULL: the system's */
    const char
        *has; /* version that the asker has already, answered 304 when it is the present one; or NULL */
};

struct cli_parameter {
    const char *name, *value; /* value NULL: left out */
};

/* May the token travel to this server: by https, or to this machine? */
bool cli_may_carry(const struct cli_hub *hub);
/* GET server + path with the parameters percent-encoded; the body goes to *ret_body (initialised by the
 * caller). 0 and the HTTP status; <0: nobody answered, and *ret_why (static text) says why. */
int cli_get(const struct cli_hub *hub, const char *path, const struct cli_parameter *parameters, size_t n,
            struct bao_buf *ret_body, long *ret_status, const char **ret_why) BAO_MUST_CHECK;
