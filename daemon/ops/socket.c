#include "daemon/ops/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    return a->any.sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* Splits at the last colon; brackets around an IPv6 host are taken off. */
static bool split(const char *address, char host[64], char port[8])
{
    const char *colon = strrchr(address, ':');
    size_t n;

    if (colon == NULL || strlen(colon + 1) == 0 || strlen(colon + 1) > 5)
        return false;
    if (*address == '[' && colon > address + 1 && colon[-1] == ']') {
        address++;
        n = (size_t)(colon - 1 - address);
    } else {
        n = (size_t)(colon - address);
    }
    if (n == 0 || n > 63)
        return false;
    memcpy(host, address, n);
    host[n] = '\0';
    snprintf(port, 8, "%s", colon + 1);
    return true;
}

static int open_one(const struct addrinfo *where, int backlog)
{
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1, r;

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
        bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, backlog) == 0)
        return fd;
    r = -errno;
    close(fd);
    return r;
}

int baod_socket_adopt(int fd, struct baod_socket *ret)
{
    union address a = {.any = {0}};
    socklen_t n = sizeof(a);

    if (getsockname(fd, &a.any, &n) < 0)
        return -errno;
    *ret = (struct baod_socket){.fd = fd, .loopback = is_loopback(&a)};
    if (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6)
        ret->port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    return 0;
}

int baod_socket_listen(const char *address, int backlog, struct baod_socket *ret)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[64], port[8];
    int fd;

    if (!split(address, host, port) || getaddrinfo(host, port, &hints, &found) != 0)
        return BAOD_SOCKET_E_ADDRESS;
    fd = open_one(found, backlog);
    freeaddrinfo(found);
    return fd < 0 ? fd : baod_socket_adopt(fd, ret);
}

int baod_socket_write_port(const struct baod_socket *s, const char *file)
{
    char temporary[4096];
    FILE *f;
    bool ok;

    if (*file == '\0')
        return 0;
    if (snprintf(temporary, sizeof(temporary), "%s.new", file) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    f = fopen(temporary, "we");
    if (f == NULL)
        return -errno;
    ok = fprintf(f, "%d\n", s->port) > 0;
    ok = fclose(f) == 0 && ok;
    return ok && rename(temporary, file) == 0 ? 0 : -errno;
}
