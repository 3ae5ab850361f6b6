/* The configuration: one table of settings from which the reader, dump-config and the example file are made.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"

/* All values after reading. Texts are owned and freed by deinit, "" when not set; sizes in octets, times in
 * milliseconds. What each means stands in the table of settings.c, and so in dump-config. */
struct baod_settings {
    char *reports_address, *reports_port_file;
    char *tls_certificate, *tls_key, *tls_authorities, *tls_revoked;
    char *http_address, *http_port_file, *http_local;
    bool reports_plaintext, http_plaintext;
    char *database_url;
    char *state, *runtime, *forms, *province;
    int64_t max_body, max_document, peer_items, peer_bytes, total_bytes, connections, per_address;
    int64_t unit_reports, unit_bytes;
    int64_t hello_ms, idle_ms, drain_ms, batch_ms;
    int64_t remind_before_ms, remind_every_ms;
    bool new_key;
    bool spool_enabled;
    char *spool_path;
    int64_t spool_max_bytes, spool_after_ms, spool_hold_ms;
    int64_t threads, batch, large;
    char *admin_group;
    char *log_level, *node, *lang;
};

enum baod_settings_outcome { BAOD_SETTINGS_E_BAD = 1 /* messages were appended to `complaints` */ };

/* A large report must not hold up the small ones, whatever the cores: two at least unless one is asked for.
 */
enum { BAOD_THREADS_LEAST = 2, BAOD_THREADS_MOST = 128 };

/* How many threads judge on a machine of `cores` cores that this process may use: 1 to BAOD_THREADS_MOST. */
unsigned baod_settings_threads(const struct baod_settings *s, unsigned cores);
/* Defaults only. 0 or -ENOMEM. */
int baod_settings_init(struct baod_settings *s) BAO_MUST_CHECK;
/* Frees the texts; may be called twice, and on a zeroed struct. */
void baod_settings_deinit(struct baod_settings *s);
/* Puts the file's settings over what is there. Unknown keys are errors with the nearest known one; each
 * complaint says file, line, column and what to write. The settings are untouched unless 0 is given. */
int baod_settings_load(struct baod_settings *s, const char *file, enum bao_lang lang,
                       struct bao_buf *complaints) BAO_MUST_CHECK;
/* Appends the settings as a YAML file that reads back equal, each with its meaning in both languages, its
 * default, and whether a reload (SIGHUP) changes it. */
int baod_settings_dump(const struct baod_settings *s, struct bao_buf *out) BAO_MUST_CHECK;
