/* How long a thread's turns on the processor are. */
#pragma once

#include "lib/base/attributes.h"

/* Asks the kernel for short turns of the calling thread, not of those it makes. Its share of the time stays
 * what it was; but since Linux 6.12 one that wakes takes the processor at once from another whose turns are
 * longer, where it would else wait until that turn ends. Meant for the loop, for which the database waits,
 * beside threads that judge. Earlier kernels take the wish and change nothing, and nothing is asked for where
 * a policy or a negative niceness has been chosen for the process, which threads made later would lose. 0 or
 * a negative errno (a sandbox may forbid it): nothing is lost but time. See sched_setattr(2). */
int baod_slice_shorten(void) BAO_MUST_CHECK;
