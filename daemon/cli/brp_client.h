/* A blocking connection to the report port: a socket, an optional TLS transformer, and the client's session.
 */
#pragma once

#include "daemon/net/transform.h"
#include "lib/wire/client_session.h"

enum { CLI_BRP_PORT = 7316 };

struct cli_brp;

struct cli_brp_target {
    const char *to;                             /* HOST, HOST:PORT or [V6]:PORT; NULL = 127.0.0.1:7316 */
    const struct baod_transform_ops *transform; /* NULL: plaintext */
    void *transform_state;                      /* taken over, also on failure */
    int connect_ms;                             /* for each address; 0: ten seconds */
};

enum cli_brp_outcome { CLI_BRP_E_TIMEOUT = 1 };

/* Connects (at most 10 s an address) and queues HELLO. On failure *ret_why (static, or the resolver's text)
 * says why. 0 or <0. */
int cli_brp_open(const struct cli_brp_target *target, const struct bao_client_hello *hello,
                 struct cli_brp **ret, const char **ret_why) BAO_MUST_CHECK;
/* Sends what is queued and waits for one event: 0; CLI_BRP_E_TIMEOUT after timeout_ms; <0: the connection is
 * lost. */
int cli_brp_wait(struct cli_brp *b, int timeout_ms, struct bao_client_event *ret) BAO_MUST_CHECK;
/* Words for a negative result of cli_brp_wait(): TLS's own when it was TLS. Static text. */
const char *cli_brp_why(const struct cli_brp *b, int error);
/* Is it about the server's certificate, so that another attempt with the same settings gives the same? */
bool cli_brp_is_final(const struct cli_brp *b);
/* For making requests. */
struct bao_client_session *cli_brp_session(struct cli_brp *b);
/* Says QUIT when that is possible, and closes. Accepts NULL; gives NULL. */
struct cli_brp *cli_brp_close(struct cli_brp *b);

/* Parts HOST, HOST:PORT, [V6] or [V6]:PORT (NULL: 127.0.0.1): true. */
bool cli_split_target(const char *to, char ret_host[256], char ret_port[16]);
/* Milliseconds of a clock that never goes back. */
int64_t cli_now_ms(void);
