/* Custody time: the wall clock of the start carried forward by the monotonic clock, so that a step of the
 * wall clock never puts one report before another that came earlier. */
#pragma once

#include "lib/form/date.h"

struct baod_clock {
    bao_time wall;     /* at the anchor */
    int64_t monotonic; /* microseconds, at the anchor */
    bao_time last;     /* given out last: time never goes back */
};

/* Anchors at the present wall time. */
void baod_clock_init(struct baod_clock *c);
/* Microseconds since 1970, never smaller than the one before. */
bao_time baod_clock_now(struct baod_clock *c);
/* Moves the anchor when it is more than a second off the wall clock and off `reference` too (another clock's
 * time of this moment, the database's; BAO_TIME_NONE = none is known: the wall clock decides alone). Gives by
 * how much it moved, in microseconds; 0 = it stayed. */
int64_t baod_clock_check(struct baod_clock *c, bao_time reference);
