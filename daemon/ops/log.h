/* The log: one line an event, on stderr, with the priority prefixes that journald understands.
 *
 * The one sink of the process is set up by main. Hostile octets are escaped; a line that repeats within a
 * minute is counted, not repeated. Any thread may log. */
#pragma once

#include "lib/base/str.h"

enum baod_level {
    BAOD_LOG_ERROR = 3,
    BAOD_LOG_WARNING = 4,
    BAOD_LOG_NOTICE = 5,
    BAOD_LOG_INFO = 6,
    BAOD_LOG_DEBUG = 7,
};

/* Says what to print: lines above `most` are dropped. Under journald (`journal`) each line begins with
 * <level> and bears no time, else with the local time. */
void baod_log_init(enum baod_level most, bool journal);
/* One event. No newline at the end. Shorter than 2,000 octets, else cut. */
void baod_log(enum baod_level level, const char *format, ...) BAO_PRINTF(2, 3);
