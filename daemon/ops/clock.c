#include "daemon/ops/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t which)
{
    struct timespec t = {0};

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bao_time carried(const struct baod_clock *c)
{
    return c->wall + (read_clock(CLOCK_MONOTONIC) - c->monotonic);
}

void baod_clock_init(struct baod_clock *c)
{
    *c = (struct baod_clock){.wall = read_clock(CLOCK_REALTIME), .monotonic = read_clock(CLOCK_MONOTONIC)};
    c->last = c->wall;
}

bao_time baod_clock_now(struct baod_clock *c)
{
    bao_time now = carried(c);

    c->last = now > c->last ? now : c->last + 1;
    return c->last;
}

static bool is_off(bao_time a, bao_time b)
{
    return a - b > BAO_SECOND || b - a > BAO_SECOND;
}

int64_t baod_clock_check(struct baod_clock *c, bao_time reference)
{
    bao_time mine = carried(c), wall = read_clock(CLOCK_REALTIME);

    if (!is_off(mine, wall) || (reference != BAO_TIME_NONE && !is_off(mine, reference)))
        return 0;
    c->wall = wall;
    c->monotonic = read_clock(CLOCK_MONOTONIC);
    return wall - mine;
}
