/* TLS 1.3 as a transformer. tls.c is the only file that includes GnuTLS.
 *
 * Keys and trusted authorities are loaded once into a struct baod_tls and shared by its connections; a reload
 * loads another and leaves the old one to those that still hold it. */
#pragma once

#include "daemon/net/transform.h"
#include "lib/base/diag.h"

struct baod_tls;

struct baod_tls_files {
    const char *certificate; /* PEM chain, own first; a client may have none */
    const char *key;         /* PEM */
    const char *authorities; /* PEM; whose certificates are believed. Server: NULL = clients are not asked for
                              * one. Client: NULL = the system's */
    const char *revoked;     /* PEM list of revoked client certificates, or NULL */
};

enum { BAOD_TLS_UNITS = 128 };

/* Loads the files: 0, or <0 with *ret_why (static text) and the file it is about in *ret_file (one of
 * `files`, or NULL). The reference belongs to the caller. */
int baod_tls_load_server(const struct baod_tls_files *files, struct baod_tls **ret, const char **ret_why,
                         const char **ret_file) BAO_MUST_CHECK;
int baod_tls_load_client(const struct baod_tls_files *files, struct baod_tls **ret, const char **ret_why,
                         const char **ret_file) BAO_MUST_CHECK;
struct baod_tls *baod_tls_ref(struct baod_tls *tls);
/* From when to when something holds, in seconds since 1970; what has no bound or is not there: INT64_MIN,
 * INT64_MAX. */
struct baod_tls_span {
    int64_t from, to;
};
struct baod_tls_spans {
    struct baod_tls_span certificate; /* the own one */
    struct baod_tls_span authorities; /* of files.authorities, what all of them share */
    struct baod_tls_span revoked; /* the list; RFC 5280 5.1.2.5: past its nextUpdate it no longer tells who is
                                     revoked, and GnuTLS goes on by it without a word */
};
struct baod_tls_spans baod_tls_spans(const struct baod_tls *tls);
/* Frees it with the last reference; accepts NULL; gives NULL. One thread. */
struct baod_tls *baod_tls_unref(struct baod_tls *tls);

/* A connection's transformer; `host` is the server's name for a client (checked against its certificate),
 * NULL for a server. The state is freed by its ops. 0 or <0. */
int baod_tls_transform(struct baod_tls *tls, const char *host, const struct baod_transform_ops **ret_ops,
                       void **ret_state) BAO_MUST_CHECK;

/* What the other side's certificate proves, once the handshake is done. */
struct baod_tls_peer {
    bool has_certificate;
    bool trusted;                         /* signed by an authority, in its time, not revoked */
    const char *const *complaint;         /* static texts by language, when not trusted */
    struct bao_str units[BAOD_TLS_UNITS]; /* of its URIs urn:baocao:unit:<code>, when trusted; live as long as
                                             the state */
    size_t n_units;
};
void baod_tls_peer(const void *state, struct baod_tls_peer *ret);
/* What ended a connection of a client, as far as people can do something about it. */
enum baod_tls_trouble {
    BAOD_TLS_FINE,
    BAOD_TLS_AUTHORITY, /* the server's certificate is of an authority that is not trusted */
    BAOD_TLS_TIME,      /* it is not yet or no longer valid */
    BAOD_TLS_NAME,      /* it is for another name */
    BAOD_TLS_PROTOCOL,  /* the other side speaks something else */
    BAOD_TLS_REFUSED,   /* it refused us */
    BAOD_TLS_OTHER,
};
enum baod_tls_trouble baod_tls_trouble(const void *state);
/* After a reload: the connection goes on with the new files (a reference is taken). False when its
 * certificate was trusted and no longer is: revoked, expired, or of an authority that has gone. */
bool baod_tls_renew(void *state, struct baod_tls *tls) BAO_MUST_CHECK;
