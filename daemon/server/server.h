/* The daemon as a whole: makes the parts, wires them, runs the loop, and takes everything down in order. */
#pragma once

#include "daemon/config/settings.h"

/* Serves until SIGTERM or SIGINT. Gives the process's exit code: 0 after a clean drain. `settings` is
 * borrowed. */
int baod_server_run(const struct baod_settings *settings);
