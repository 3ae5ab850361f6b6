/* The one error grammar of the tree.
 *
 *   < 0   unexpected: a negative errno. Forwarded unchanged to whoever can decide
 *         (server and main, or the peer for its own connection).
 *     0   done.
 *   > 0   a named outcome of the called module (an enumerator in its header). The direct
 *         caller handles or translates it; it never travels further.
 *
 * lib/ never logs and never exits; out-parameters (ret_x) are untouched on failure. */
#pragma once

#include <errno.h>

/* Turns an outcome nobody expected here into an unexpected error, so that it cannot be
 * mistaken for an outcome of the caller's own module. */
static inline int bao_error_fold(int r)
{
    return r > 0 ? -ENOTRECOVERABLE : r;
}
