#include "daemon/ops/sd.h"
#include "lib/base/error.h"

#include <fcntl.h>
#include <systemd/sd-daemon.h>
#include <time.h>

int baod_sd_sockets(struct baod_sd_socket ret[BAOD_SD_SOCKETS])
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names), kept = 0;

    for (int i = 0; i < n && kept < BAOD_SD_SOCKETS; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        int flags = fcntl(fd, F_GETFL);

        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0 && flags >= 0 &&
            fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) {
            ret[kept].fd = fd;
            snprintf(ret[kept].name, sizeof(ret[kept].name), "%s", names[i]);
            kept++;
        }
    }
    for (int i = 0; names != NULL && names[i] != NULL; i++)
        free(names[i]);
    free(names);
    return n < 0 ? n : kept;
}

void baod_sd_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status); /* without systemd there is nobody to tell */
}

void baod_sd_reloading(void)
{
    struct timespec t = {0};

    clock_gettime(CLOCK_MONOTONIC, &t);
    /* Needed from systemd 253 on; older ones ignore the time. */
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

void baod_sd_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1"); /* as above */
}

void baod_sd_alive(void)
{
    (void)sd_notify(0, "WATCHDOG=1"); /* as above */
}

unsigned baod_sd_watchdog_ms(void)
{
    uint64_t usec = 0;

    return sd_watchdog_enabled(0, &usec) > 0 ? (unsigned)(usec / 1000) : 0;
}
