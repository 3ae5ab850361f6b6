/* SQLite's write-ahead log, looked at as octets.
 *
 * SQLite ends a log silently at the first frame whose sums are wrong: right after a crash in the middle of a
 * write, but a flipped octet then loses every commit behind it without a word. Here such damage is told
 * apart: frames of the same generation, with a commit among them, behind one that is wrong. (Format: the
 * SQLite file format document, section "The Write-Ahead Log".) */
#pragma once

#include "lib/base/attributes.h"

enum baod_spool_log_outcome { BAOD_SPOOL_LOG_E_DAMAGED = 1 };

/* Is the log whole, as far as it was ever committed, and will SQLite look at it? (With an empty file, or one
 * whose head does not speak of a log, it throws the log away.) A missing or empty log is whole. 0, E_DAMAGED
 * or <0. */
int baod_spool_log_check(const char *file, const char *log) BAO_MUST_CHECK;
/* Writes a copy of the log whose sums fit its octets and makes the file's head speak of it, so that SQLite
 * shows what is behind the damage; what is wrong in it is for others to find (seals, quick_check). 0 or <0.
 */
int baod_spool_log_mend(const char *file, const char *from, const char *to) BAO_MUST_CHECK;
