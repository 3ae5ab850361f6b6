#include "daemon/ops/slice.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLICE_NS = 100000 };

/* The kernel's own header and that of threads both define struct sched_param on some systems. */
struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

static struct attr own_attr(void)
{
    struct attr attr = {.size = sizeof(attr)};

    assert_int_equal(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0), 0);
    return attr;
}

/* Slices can be asked for since Linux 6.12. */
static bool has_slices(void)
{
    struct utsname name;
    int major = 0, minor = 0;

    assert_int_equal(uname(&name), 0);
    assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
    return major > 6 || (major == 6 && minor >= 12);
}

static void *look(void *attr)
{
    *(struct attr *)attr = own_attr();
    return NULL;
}

static void turns_are_short_and_nothing_else_changes(void **state)
{
    struct attr before = own_attr(), after;

    (void)state;
    assert_int_equal(baod_slice_shorten(), 0);
    after = own_attr();
    assert_int_equal(after.policy, before.policy);
    assert_int_equal(after.nice, before.nice);
    assert_int_equal(after.priority, before.priority);
    if (has_slices())
        assert_int_equal(after.runtime, SLICE_NS);
}

static void threads_made_later_have_turns_as_usual(void **state)
{
    struct attr before = own_attr(), attr = {.size = 0};
    pthread_t thread;

    (void)state;
    assert_int_equal(baod_slice_shorten(), 0);
    assert_int_equal(pthread_create(&thread, NULL, look, &attr), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(attr.policy, before.policy);
    assert_int_equal(attr.nice, before.nice);
    if (has_slices())
        assert_int_not_equal(attr.runtime, SLICE_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_short_and_nothing_else_changes),
        cmocka_unit_test(threads_made_later_have_turns_as_usual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
