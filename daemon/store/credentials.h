/* Who may speak: the secrets (by their SHA-256 only), what each stands for, and until when.
 *
 * The list lives in memory and is read again from baocao.credential every few seconds while the database
 * answers, so a revocation reaches every daemon within 10 s; without the database the last list holds for 7
 * days. A list can be taken out (for the spool's local cache) and put back before the database was reached.
 * For the loop thread. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/crypto.h"
#include "lib/form/date.h"

#include <uv.h>

struct baod_credentials;

enum baod_role { BAOD_ROLE_UNIT, BAOD_ROLE_OFFICE, BAOD_ROLE_OVERSIGHT, BAOD_ROLE_OPERATOR, BAOD_ROLES };

enum {
    BAOD_SECRET_CHARS = 28, /* of base32: 140 bits */
    BAOD_SECRET_SIZE = 36,  /* printed in groups of four, with its NUL */
};

/* One secret that is in force. Texts belong to the list. */
struct baod_credential {
    uint8_t id[16];
    uint8_t sha256[BAO_SHA256_LEN];
    enum baod_role role;
    const struct bao_str *units; /* unit codes it speaks for; none for other roles */
    size_t n_units;
    struct bao_str name;
    bao_time expires_at; /* first instant at which it holds no more; INT64_MAX: never */
};

struct baod_credential_list {
    const struct baod_credential *rows;
    size_t n;
    bao_time at; /* when the database said so; BAO_TIME_NONE: never */
};

enum baod_credential_outcome {
    BAOD_CREDENTIAL_E_UNKNOWN = 1, /* no such secret, or revoked */
    BAOD_CREDENTIAL_E_EXPIRED,
    BAOD_CREDENTIAL_E_STALE, /* no list, or one too old to be trusted: answer WAIT */
};

/* Called after each reading of the table, on the loop thread; `changed`: it says other than before. The list
 * is borrowed for the call. */
typedef void baod_credentials_read(void *user, const struct baod_credential_list *list, bool changed);

struct baod_credentials_options {
    const char
        *conninfo; /* copied; a connection of its own, so that no long question holds a revocation up */
    bao_time (*now)(void *user);
    baod_credentials_read *on_read; /* may be NULL */
    void *user;
};

int baod_credentials_new(uv_loop_t *loop, const struct baod_credentials_options *options,
                         struct baod_credentials **ret) BAO_MUST_CHECK;
/* Accepts NULL; gives NULL. */
struct baod_credentials *baod_credentials_free(struct baod_credentials *c);

/* The present list: valid until the loop runs again. */
struct baod_credential_list baod_credentials_list(const struct baod_credentials *c);
/* Puts a list back that was kept elsewhere (copied), unless the database has given one: 0 or -ENOMEM. */
int baod_credentials_import(struct baod_credentials *c,
                            const struct baod_credential_list *list) BAO_MUST_CHECK;

/* Whose secret is this? Upper or lower case, with or without its hyphens. The time does not depend on how
 * near a wrong one is. 0 and *ret (valid until the loop runs again), or an outcome; EXPIRED sets *ret too.
 * That it was used is written beside it, to the hour, when the list is read next. */
int baod_credentials_find(struct baod_credentials *c, struct bao_str secret, bao_time now,
                          const struct baod_credential **ret) BAO_MUST_CHECK;
/* Is the credential of that id in force? Also true when nothing can be known (a list too old ends that by
 * itself: find() says STALE). For connections that were opened by it. */
bool baod_credentials_holds(const struct baod_credentials *c, const uint8_t id[16], bao_time now);

/* Has the database said anything since `since`? Only then is what revoked_by() says worth believing. */
bool baod_credentials_read_since(const struct baod_credentials *c, bao_time since);
/* Had the credential of that id been revoked by then? Of the last 30 days. */
bool baod_credentials_revoked_by(const struct baod_credentials *c, const uint8_t id[16], bao_time at);

/* "unit" "office" "oversight" "operator". */
const char *baod_role_name(enum baod_role role);
bool baod_role_parse(struct bao_str name, enum baod_role *ret);
/* A new secret from the system's random numbers, in groups: 0 or <0. */
int baod_secret_make(char ret[BAOD_SECRET_SIZE]) BAO_MUST_CHECK;
/* The hash under which a secret is stored; hyphens, blanks and case do not count. */
void baod_secret_hash(struct bao_str secret, uint8_t ret[BAO_SHA256_LEN]);
