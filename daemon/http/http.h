/* HTTP/1.1 on the daemon's loop: connections, TLS, limits, guards, suspend and resume. It knows no path.
 *
 * http.c is the only file that includes libmicrohttpd. A request is an exchange, named by an id across
 * asynchronous edges. Its head is shown first, so that nothing of a body is kept for a request that is
 * refused anyway; its handler answers at once or later, exactly once. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"

#include <uv.h>

struct baod_http;
struct baod_http_exchange;

struct baod_http_limits {
    size_t body;       /* octets of a request's body; more is answered 413 */
    size_t total_body; /* octets of the bodies in hand of all requests; more is answered 503 */
    unsigned connections, per_address;
    unsigned head_ms,
        idle_ms;          /* a request's head or body must be complete by then; silence ends after idle */
    unsigned answer_rate; /* octets a millisecond that an answer must be taken at, beyond idle_ms */
};

/* Called with an exchange that is shown to the handlers. */
typedef void baod_http_handler(void *user, struct baod_http_exchange *x);

struct baod_http_handlers {
    void *user;
    /* The head is complete. May reply: then the body is read and dropped, and request() is not called. */
    baod_http_handler *head;
    /* The whole request is here. Must lead to one baod_http_reply(), now or later. */
    baod_http_handler *request;
    /* The request cannot be taken, for this status: 400 (its heads contradict each other; head() was not
     * called), 413, or 503 (too much is in hand). Must lead to a reply. */
    void (*refused)(void *user, struct baod_http_exchange *x, int status);
    /* The exchange is over: its keeping is to be freed. */
    baod_http_handler *ended;
};

/* PEM texts of a certificate with its chain and its key; copied. NULL: plaintext. */
struct baod_http_keys {
    const char *certificate, *key;
};

/* Serves on a listening, non-blocking socket that it owns from now on; TLS 1.3 only when there are keys.
 * -EKEYREJECTED: the keys cannot be used. 0 or <0. */
int baod_http_new(uv_loop_t *loop, int listen_fd, const struct baod_http_limits *limits,
                  const struct baod_http_handlers *handlers, const struct baod_http_keys *keys,
                  struct baod_http **ret) BAO_MUST_CHECK;
/* New connections get these keys; those that are open finish with the old ones. On failure all stays as it
 * is. Only where keys were given from the start. */
int baod_http_renew(struct baod_http *http, const struct baod_http_keys *keys) BAO_MUST_CHECK;
/* Stops accepting; requests in hand may still be answered. */
void baod_http_quiesce(struct baod_http *http);
/* Ends everything. The loop must run once more to close the handles; `closed` is called then. */
void baod_http_close(struct baod_http *http, void (*closed)(void *user), void *user);

uint64_t baod_http_id(const struct baod_http_exchange *x);
/* All borrowed until the reply. Query values are percent-decoded. NULL = not there. */
const char *baod_http_method(const struct baod_http_exchange *x);
const char *baod_http_path(const struct baod_http_exchange *x);
const char *baod_http_query(const struct baod_http_exchange *x, const char *name);
/* The name of the first query parameter that `known` does not know; NULL = it knows them all. */
const char *baod_http_stray_query(const struct baod_http_exchange *x,
                                  bool (*known)(const void *user, const char *name), const void *user);
const char *baod_http_header(const struct baod_http_exchange *x, const char *name);
struct bao_str baod_http_body(const struct baod_http_exchange *x);
/* The peer's address in digits, and whether it is this machine. */
const char *baod_http_address(const struct baod_http_exchange *x);
bool baod_http_is_local(const struct baod_http_exchange *x);
/* Did it come by TLS? */
bool baod_http_is_secure(const struct baod_http_exchange *x);
/* A pointer that the handlers keep with the exchange, until ended(). */
void baod_http_keep(struct baod_http_exchange *x, void *kept);
void *baod_http_kept(const struct baod_http_exchange *x);
/* When the last octet of the request had arrived (microseconds since 1970). */
int64_t baod_http_arrived(const struct baod_http_exchange *x);

struct baod_http_reply {
    int status;
    const char *type;        /* Content-Type */
    struct bao_str body;     /* copied */
    const char *headers[12]; /* name, value, name, value, …, NULL */
    unsigned after_ms;       /* sent no earlier than this; for those that guess at secrets */
};

/* Answers an exchange; an id that is gone (peer left) is ignored. */
void baod_http_reply(struct baod_http *http, uint64_t id, const struct baod_http_reply *reply);
