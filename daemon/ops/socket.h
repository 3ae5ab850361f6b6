/* Opening listening TCP sockets by address, and telling where they are. */
#pragma once

#include "lib/base/error.h"
#include "lib/base/str.h"

struct baod_socket {
    int fd;
    int port;
    bool loopback; /* reachable from this machine alone */
};

enum baod_socket_outcome { BAOD_SOCKET_E_ADDRESS = 1 /* not of the form host:port with a numeric host */ };

/* Listens on "127.0.0.1:7316", "[::1]:7316" or "0.0.0.0:7316", non-blocking, close-on-exec; port 0 = any free
 * one. The caller owns the descriptor. 0, BAOD_SOCKET_E_ADDRESS, or a negative errno. */
int baod_socket_listen(const char *address, int backlog, struct baod_socket *ret) BAO_MUST_CHECK;
/* The same facts of a socket that was passed in. 0 or a negative errno. */
int baod_socket_adopt(int fd, struct baod_socket *ret) BAO_MUST_CHECK;
/* Writes the port and a newline to a file, whole or not at all; "" writes nothing. 0 or a negative errno. */
int baod_socket_write_port(const struct baod_socket *s, const char *file) BAO_MUST_CHECK;
