#include "daemon/ops/slice.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_NS = 100 * 1000 }; /* the shortest that is granted */

int baod_slice_shorten(void)
{
    struct sched_attr attr = {.size = sizeof(attr)};

    if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
        return -errno;
    if (attr.sched_policy != SCHED_NORMAL || attr.sched_nice < 0)
        return 0;
    attr.sched_runtime = SLICE_NS;
    attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK; /* children and later threads have turns as usual */
    return syscall(SYS_sched_setattr, 0, &attr, 0) < 0 ? -errno : 0;
}
