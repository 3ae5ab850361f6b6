/* The configuration: one table of settings from which the reader, dump-config, the example file and the
 * manual are made. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"

struct baod_listen {
    char *address; /* host:port; port 0 = any */
    bool plaintext; /* allowed beyond loopback without TLS */
};

/* All values after reading: strings are owned and freed by deinit; sizes in octets, times in milliseconds. */
struct baod_settings {
    struct {
        char *address, *port_file;
        bool plaintext;
    } reports, http;
    struct {
        char *cert, *key, *client_ca, *crl;
    } tls;
    struct {
        char *url;
    } database;
    struct {
        char *state, *runtime, *forms, *province;
    } paths;
    struct {
        int64_t body, document, peer_items, peer_bytes, total_bytes, connections, per_address;
    } limits;
    struct {
        int64_t hello, idle, drain, batch;
    } times;
    struct {
        int64_t threads, batch;
    } work;
    struct {
        char *level;
    } log;
    char *node;
    char *lang;
};

enum baod_settings_outcome { BAOD_SETTINGS_E_BAD = 1 /* messages were appended to `complaints` */ };

/* Defaults only. 0 or -ENOMEM. */
int baod_settings_init(struct baod_settings *s) BAO_MUST_CHECK;
void baod_settings_deinit(struct baod_settings *s);
/* Defaults, then the file's settings. Unknown keys are errors with the nearest known one; each complaint says
 * file, line, column and what to write. */
int baod_settings_load(struct baod_settings *s, const char *file, enum bao_lang lang,
                       struct bao_buf *complaints) BAO_MUST_CHECK;
/* Appends the settings as a YAML file that reads back equal, each with its meaning, default and whether a reload
 * changes it. */
int baod_settings_dump(const struct baod_settings *s, struct bao_buf *out) BAO_MUST_CHECK;
