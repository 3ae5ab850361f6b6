/* A long line: carries one connection after the other to a local port, and holds what goes each way back.
 *
 *     relay PORT MILLISECONDS
 *
 * Prints the port it listens on. It never holds back more than the delay asks for: neither end waits for it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 4 << 20, CHUNKS = 1 << 16, READ_MOST = 65536 };

/* One way: a ring of octets, and of when each chunk of them may go on. */
struct way {
    int from, to;
    char *data;
    size_t head, tail; /* octets read and written, ever */
    struct {
        size_t end;
        double at;
    } * chunks;
    size_t first, last;
    bool ended;
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void take(struct way *w, double delay)
{
    size_t at = w->head % SIZE, room = SIZE - (w->head - w->tail);
    ssize_t n;

    room = room < SIZE - at ? room : SIZE - at;
    if (room == 0 || w->last - w->first == CHUNKS)
        return;
    n = recv(w->from, w->data + at, room < READ_MOST ? room : READ_MOST, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        w->ended = true;
        return;
    }
    w->head += (size_t)n;
    w->chunks[w->last % CHUNKS].end = w->head;
    w->chunks[w->last++ % CHUNKS].at = now_ms() + delay;
}

/* Writes what is due; gives the time of the next chunk, or < 0. */
static double give(struct way *w)
{
    while (w->first != w->last) {
        size_t at = w->tail % SIZE, n = w->chunks[w->first % CHUNKS].end - w->tail;
        ssize_t sent;

        if (w->chunks[w->first % CHUNKS].at > now_ms())
            return w->chunks[w->first % CHUNKS].at;
        sent = send(w->to, w->data + at, n < SIZE - at ? n : SIZE - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            w->ended = true;
        if (sent <= 0)
            return now_ms() + 1;
        w->tail += (size_t)sent;
        if (w->tail == w->chunks[w->first % CHUNKS].end)
            w->first++;
    }
    return -1;
}

static void open_way(struct way *w, int from, int to)
{
    w->from = from;
    w->to = to;
    w->head = w->tail = w->first = w->last = 0;
    w->ended = false;
}

static void carry(struct way ways[2], double delay)
{
    while (!ways[0].ended && !ways[1].ended) {
        struct pollfd fds[2] = {{.fd = ways[0].from, .events = POLLIN},
                                {.fd = ways[1].from, .events = POLLIN}};
        struct timespec wait = {1, 0};

        for (int i = 0; i < 2; i++) {
            double next = give(&ways[i]), left = next - now_ms();

            if (next >= 0 && left < 1000 &&
                (long)(left * 1e6) < (long)wait.tv_sec * 1000000000 + wait.tv_nsec)
                wait = (struct timespec){0, left > 0 ? (long)(left * 1e6) : 0};
        }
        if (ppoll(fds, 2, &wait, NULL) < 0 && errno != EINTR)
            die("ppoll");
        for (int i = 0; i < 2; i++)
            if (fds[i].revents != 0)
                take(&ways[i], delay);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, there = here;
    socklen_t n = sizeof(here);
    struct way ways[2];
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 3) {
        fprintf(stderr, "usage: relay PORT MILLISECONDS\n");
        return 2;
    }
    there.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    for (int i = 0; i < 2; i++) {
        ways[i].data = malloc(SIZE);
        ways[i].chunks = calloc(CHUNKS, sizeof(*ways[i].chunks));
        if (ways[i].data == NULL || ways[i].chunks == NULL)
            die("memory");
    }
    if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&here, &n) != 0)
        die("listen");
    printf("%d\n", ntohs(here.sin_port));
    (void)fflush(stdout);
    for (;;) {
        int near = accept(listener, NULL, NULL), far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (near < 0 || far < 0 || connect(far, (struct sockaddr *)&there, sizeof(there)) != 0)
            die("connect");
        (void)setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        open_way(&ways[0], near, far);
        open_way(&ways[1], far, near);
        carry(ways, strtod(argv[2], NULL));
        (void)close(near);
        (void)close(far);
    }
}
