/* What stands between a socket and its user: identity, or TLS. No sockets and no loop in here, so that the
 * daemon's streams and a client that blocks can both use it. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"

/* Turns octets of the wire into plain ones and back; no sockets inside. Functions give 0 or <0 (fatal). */
struct baod_transform_ops {
    const char *name;
    /* The connection begins: may put octets into `wire`. */
    int (*start)(void *t, struct bao_buf *wire);
    /* Octets came: appends what they mean to `plain`, and whatever must be said back to `wire`. 1 = the other
     * side ended properly. */
    int (*receive)(void *t, struct bao_str in, struct bao_buf *plain, struct bao_buf *wire);
    int (*send)(void *t, struct bao_str plain, struct bao_buf *wire);
    /* Says the end (close_notify). */
    int (*finish)(void *t, struct bao_buf *wire);
    /* Plain octets may flow. */
    bool (*ready)(const void *t);
    /* Why the last call failed, for people: static text; NULL when none did. */
    const char *(*why)(const void *t);
    void (*free)(void *t);
};
