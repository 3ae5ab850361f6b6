/* systemd: readiness, status, watchdog, passed-in sockets. sd.c is the only file that includes libsystemd.
 * Without systemd every call does nothing. */
#pragma once

#include "lib/base/str.h"

enum { BAOD_SD_SOCKETS = 8 };

struct baod_sd_socket {
    int fd;
    char name[32]; /* FileDescriptorName= of the socket unit */
};

/* Sockets passed in, made non-blocking; gives their number (0 without socket activation) or <0. */
int baod_sd_sockets(struct baod_sd_socket ret[BAOD_SD_SOCKETS]);
/* READY=1 with a status line; may be called again to change the status. */
void baod_sd_ready(const char *status);
void baod_sd_reloading(void);
void baod_sd_stopping(void);
void baod_sd_alive(void);
/* Milliseconds between signs of life that systemd wants; 0 = none. */
unsigned baod_sd_watchdog_ms(void);
