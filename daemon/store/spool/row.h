/* A report in the spool as octets and meaning, without its file: how it is made of a submission, sealed and
 * signed. */
#pragma once

#include "daemon/store/spool.h"
#include "lib/base/crypto.h"

/* Whose signature stands under a queued receipt; borrowed. */
struct baod_spool_signer {
    const char *province, *node;
    uint8_t seed[32], pub[BAO_ED25519_KEY_LEN];
};

/* Makes the row of a judged submission, gives it an id unless it has one, and signs its receipt file. Texts
 * are the submission's or the arena's. 0 or <0. */
int baod_spool_make_row(const struct baod_spool_signer *by, struct bao_arena *arena,
                        struct baod_submission *s, struct baod_spool_row *ret) BAO_MUST_CHECK;
/* Copies a row's texts; false: no memory. */
bool baod_spool_keep_row(struct bao_arena *arena, struct baod_spool_row *row);
/* What it counts for against the cap. */
uint64_t baod_spool_row_octets(const struct baod_spool_row *row);

/* The seal: a hash over every column but itself. */
void baod_spool_seal(const struct baod_spool_row *row, uint8_t ret[BAO_SHA256_LEN]);
/* The seal of what is remembered of a report that was drained. */
void baod_spool_seal_drained(const struct baod_spool_row *row, uint8_t ret[BAO_SHA256_LEN]);
/* The seal of a list that is kept beside the reports. */
void baod_spool_seal_list(struct bao_str name, bao_time at, struct bao_str data, uint8_t ret[BAO_SHA256_LEN]);
