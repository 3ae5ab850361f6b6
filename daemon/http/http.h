/* HTTP/1.1 on the daemon's loop: connections, limits, guards, suspend and resume. It knows no path.
 *
 * http.c is the only file that includes libmicrohttpd. A request is an exchange, named by an id across
 * asynchronous edges; its handler answers at once or later, exactly once. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"

#include <uv.h>

struct baod_http;
struct baod_http_exchange;

struct baod_http_limits {
    size_t body; /* octets of a request's body; more is answered 413 */
    unsigned connections, per_address;
    unsigned head_ms,
        idle_ms; /* a request's head or body must be complete by then; silence ends after idle */
};

/* Called when a request is complete. Must lead to one baod_http_reply(), now or later. */
typedef void baod_http_handler(void *user, struct baod_http_exchange *x);

/* Serves on a listening, non-blocking socket that it owns from now on. 0 or <0. */
int baod_http_new(uv_loop_t *loop, int listen_fd, const struct baod_http_limits *limits,
                  baod_http_handler *handler, void *user, struct baod_http **ret) BAO_MUST_CHECK;
/* Stops accepting; requests in hand may still be answered. */
void baod_http_quiesce(struct baod_http *http);
/* Ends everything. The loop must run once more to close the handles; `closed` is called then. */
void baod_http_close(struct baod_http *http, void (*closed)(void *user), void *user);

uint64_t baod_http_id(const struct baod_http_exchange *x);
/* All borrowed until the reply. Query values are percent-decoded. NULL = not there. */
const char *baod_http_method(const struct baod_http_exchange *x);
const char *baod_http_path(const struct baod_http_exchange *x);
const char *baod_http_query(const struct baod_http_exchange *x, const char *name);
const char *baod_http_header(const struct baod_http_exchange *x, const char *name);
struct bao_str baod_http_body(const struct baod_http_exchange *x);
/* When the last octet of the request had arrived (microseconds since 1970). */
int64_t baod_http_arrived(const struct baod_http_exchange *x);

struct baod_http_reply {
    int status;
    const char *type;       /* Content-Type */
    struct bao_str body;    /* copied */
    const char *headers[8]; /* name, value, name, value, …, NULL */
};

/* Answers an exchange; an id that is gone (peer left) is ignored. */
void baod_http_reply(struct baod_http *http, uint64_t id, const struct baod_http_reply *reply);
