/* What the machine does to anybody at this moment: sleeps to every full millisecond until its input ends, and
 * prints by how much it was late, in ms, as one line of JSON. It does nothing else; beside a benchmark, no
 * answer can come more in time than this program wakes. */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TICK_NS = 1000000, SECOND_NS = 1000000000, MOST = 4 << 20 };

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static bool has_ended(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char octet;

    return poll(&in, 1, 0) != 0 && read(STDIN_FILENO, &octet, 1) <= 0;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

int main(void)
{
    float *late = malloc(MOST * sizeof(*late));
    int64_t due = now_ns();
    size_t n = 0;

    if (late == NULL)
        return 1;
    while (n < MOST && !has_ended()) {
        struct timespec t;

        due += TICK_NS;
        t = (struct timespec){.tv_sec = (time_t)(due / SECOND_NS), .tv_nsec = (long)(due % SECOND_NS)};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        /* Every tick of a long stall counts: whoever had come at one of them would have waited as well. */
        late[n++] = (float)(now_ns() - due) / TICK_NS;
    }
    qsort(late, n, sizeof(*late), compare);
    if (n != 0)
        printf("{\"n\": %zu, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}\n", n, (double)late[n / 2],
               (double)late[n * 99 / 100], (double)late[n - 1]);
    free(late);
    return n == 0;
}
