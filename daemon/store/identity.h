/* Whom a connection may speak for, by what it has proved; and the same in a line of text, for the spool.
 *
 * Asked when a report comes in, and once more when one that was kept for the database is brought there: units
 * may have changed meanwhile, and a token may have been revoked before the report came without this daemon
 * knowing. */
#pragma once

#include "lib/base/buf.h"
#include "lib/form/registry.h"

struct baod_identity {
    bool any_unit;               /* trusted plaintext loopback, or a gateway for all */
    const struct bao_str *units; /* borrowed */
    size_t n_units;
    bool by_token;
    uint8_t credential[16]; /* the token's id */
};

/* For its own units, and for what units owed that one of them has taken over by that moment. */
bool baod_identity_may_speak(const struct baod_identity *who, const struct bao_registry *registry,
                             struct bao_str unit, bao_time at);

/* "any" or "units", then the token's id or "-", then the codes; one blank between. 0 or <0. */
int baod_identity_print(struct bao_buf *out, const struct baod_identity *who) BAO_MUST_CHECK;
/* Reads it back; codes are borrowed from the text. 0, -EBADMSG or -ENOMEM. */
int baod_identity_parse(struct bao_arena *arena, struct bao_str text,
                        struct baod_identity *ret) BAO_MUST_CHECK;
