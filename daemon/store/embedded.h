/* The daemon's own PostgreSQL, for whoever has none: made, started, tuned and stopped by the daemon.
 *
 * It lives in <state>/pg/<major>, speaks on a Unix socket only, and lets in the operating system's user who
 * owns it (peer). It runs in a session of its own, so that a Ctrl-C meant for the daemon leaves it alone
 * until the drain is over; one that a crash of the daemon left running is taken over. Starting happens before
 * the loop runs: there is nothing to serve without it, and a plain sequence of steps can say which one
 * failed. */
#pragma once

#include "lib/base/buf.h"

struct baod_embedded;

struct baod_embedded_options {
    const char *state;   /* made when it is not there */
    const char *runtime; /* for the socket, when its path is short enough; may be NULL */
    bool visit; /* a command beside a running daemon: use its server as it is, and leave it running */
};

enum baod_embedded_outcome { BAOD_EMBEDDED_E_REFUSED = 1 /* `why` says what is in the way and what to do */ };

/* Locks the state folder against a second daemon: *ret is the descriptor to keep open. 0,
 * BAOD_EMBEDDED_E_REFUSED, <0. For daemons with a database of their own; baod_embedded_open does it too. */
int baod_state_lock(const char *state, struct bao_buf *why, int *ret) BAO_MUST_CHECK;

/* Makes the cluster on the first day, starts or takes over its server, and waits until it answers. */
int baod_embedded_open(const struct baod_embedded_options *options, struct bao_buf *why,
                       struct baod_embedded **ret) BAO_MUST_CHECK;
/* What libpq needs; lives as long as the object. */
const char *baod_embedded_conninfo(const struct baod_embedded *e);
/* Was the server already running? */
bool baod_embedded_adopted(const struct baod_embedded *e);
/* Starts the server again if it is gone; for a timer of about a second. Never waits. True when it had to. */
bool baod_embedded_watch(struct baod_embedded *e);
/* Stops the server (fast: open transactions are rolled back; after 30 s at once) unless only visited, unlocks
 * and frees. Waits. NULL is fine; gives NULL. */
struct baod_embedded *baod_embedded_close(struct baod_embedded *e);
