/* Each unit's share: how many reports and octets a second it may hand in, with room for a backlog. Kept by
 * the names somebody speaks for, whichever connection or port it comes by; a gateway for n units has n
 * shares. No loop and no clock in here; times are microseconds of a clock that never goes back. */
#pragma once

#include "lib/base/str.h"

struct baod_quota;

struct baod_quota_share {
    uint64_t reports; /* a second, for one unit; 0 = no limit */
    uint64_t octets;
    uint64_t seconds; /* what may be saved up */
};

/* NULL: no memory. */
struct baod_quota *baod_quota_new(const struct baod_quota_share *share, uint64_t seed) BAO_MUST_CHECK;
/* Accepts NULL; gives NULL. */
struct baod_quota *baod_quota_free(struct baod_quota *q);
/* Takes one report of so many octets out of the share of these names: 0; or over the share: milliseconds
 * until it would fit, and nothing is taken. */
unsigned baod_quota_take(struct baod_quota *q, const struct bao_str *names, size_t n, uint64_t octets,
                         uint64_t now_us);
/* The number that a share of these names is kept by; another one for each q. */
uint64_t baod_quota_key(const struct baod_quota *q, const struct bao_str *names, size_t n);
