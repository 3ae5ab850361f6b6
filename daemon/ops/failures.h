/* How often an identity was wrong lately, by the address it came from and by the account it named: the answer
 * to the next wrong one is put off the longer. A right one is never delayed, so nobody can lock others out.
 * Shared by both ports; for the loop thread. */
#pragma once

#include "lib/base/str.h"

enum { BAOD_FAILURE_SLOTS = 1024 };

/* Addresses and accounts share the slots by hash. */
struct baod_failures {
    struct {
        uint32_t key, count;
        uint64_t last_ms;
    } slots[BAOD_FAILURE_SLOTS];
    uint64_t total;
    uint64_t seed; /* any number, so that nobody can choose to share a slot */
};

struct baod_failure {
    unsigned after_ms; /* put the answer off by this much: 250, doubling to 4,000 */
    unsigned count;    /* from this address or account lately, this one included */
};

/* Counts one. `account` may be empty: what was shown (a name, a secret), hashed here and kept nowhere. A
 * minute of peace forgives. now_ms: of a clock that never goes back. */
struct baod_failure baod_failures_add(struct baod_failures *f, struct bao_str address, struct bao_str account,
                                      uint64_t now_ms);
