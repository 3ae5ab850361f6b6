/* Refused reports, remembered for the office: the symbol, the key and the first findings, never a body.
 *
 * They are gathered on the loop and written together about once a second, on a worker thread and over a
 * connection of their own, as a batch of the audit chain; so they cost accepted reports nothing but a moment
 * of the province's lock. While the database is away they wait; more than fit are dropped and counted. The
 * last 1,000 of a unit are kept. */
#pragma once

#include "daemon/store/chain.h"
#include "lib/text/symbols.h"

#include <uv.h>

struct baod_refusals;

struct baod_refused {
    struct bao_str unit; /* code; "" = nobody known. A code that is nobody's counts as that too */
    struct bao_str form, period;
    int revision; /* 0 = not known */
    enum bao_symbol symbol;
    bao_time at;
    struct bao_str findings; /* JSON; empty = none */
};

/* conninfo and the signer's texts are copied. 0 or <0. */
int baod_refusals_new(uv_loop_t *loop, const char *conninfo, const struct baod_chain_signer *signer,
                      struct baod_refusals **ret) BAO_MUST_CHECK;
/* Remembers one; without memory or room it is dropped. */
void baod_refusals_add(struct baod_refusals *refusals, const struct baod_refused *refused);
/* Writes what waits at once, as far as the database takes it, then calls drained(user) once. */
void baod_refusals_drain(struct baod_refusals *refusals, void (*drained)(void *user), void *user);
/* How many were dropped since the start. */
uint64_t baod_refusals_dropped(const struct baod_refusals *refusals);
/* What waits is forgotten; the loop must run until what is under way has ended. Accepts NULL; gives NULL. */
struct baod_refusals *baod_refusals_free(struct baod_refusals *refusals);
