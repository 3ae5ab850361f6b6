/* A listening socket, TCP or Unix: opened here or passed in by the service manager.
 *
 * Accepting goes through uv_listen, which at the limit of descriptors closes new connections instead of
 * spinning. */
#pragma once

#include "daemon/net/stream.h"

struct baod_listener;

struct baod_listener_config {
    const char *address; /* "127.0.0.1:7316", "[::]:7316" or "unix:/path"; port 0 = any free one */
    int fd;              /* >= 0: adopted instead of opening `address` */
    bool plaintext;      /* without `transform`: allowed beyond loopback */
    unsigned mode;       /* of a Unix socket; 0 = 0600 */
    int backlog;         /* 0 = 1,024 */
    /* Makes the transformer of one connection: 0 or <0. NULL = identity. */
    int (*transform)(void *user, const struct baod_transform_ops **ret_ops, void **ret_transform);
    /* A connection was accepted; the callee owns it. */
    void (*on_stream)(void *user, struct baod_stream *stream);
    /* Accepting failed for one connection (errno as a negative number); for counting and logs. May be NULL.
     */
    void (*on_refused)(void *user, int error);
    void *user;
};

enum baod_listener_outcome {
    BAOD_LISTENER_E_PLAINTEXT = 1, /* not loopback, no TLS, and `plaintext` is not set */
    BAOD_LISTENER_E_ADDRESS,       /* the address cannot be read */
};

/* Opens and listens: 0, an outcome, or a negative errno (-EADDRINUSE …). `config` is copied, `net` borrowed.
 */
int baod_listener_open(struct baod_net *net, const struct baod_listener_config *config,
                       struct baod_listener **ret) BAO_MUST_CHECK;
/* The port in use; 0 for a Unix socket. */
int baod_listener_port(const struct baod_listener *l);
/* "127.0.0.1:7316" or "unix:/path", as it really is. */
const char *baod_listener_name(const struct baod_listener *l);
/* Writes the port and a newline to a file, whole or not at all. */
int baod_listener_write_port(const struct baod_listener *l, const char *path) BAO_MUST_CHECK;
/* Stops accepting and frees itself; a passed-in socket stays open with its owner, a Unix path is removed.
 * Accepts NULL. */
void baod_listener_close(struct baod_listener *l);
