/* What the daemon must know to take reports while its database is away, kept in the spool's file: the open
 * obligations, who may speak, and the epochs that the database was last seen at. */
#pragma once

#include "daemon/store/credentials.h"
#include "daemon/store/spool.h"

struct baod_pg;

/* Keeps the obligations up to date; zeroed but for the first two. It must outlive the connection. */
struct baod_cache {
    struct baod_spool *spool;
    struct baod_pg *pg; /* a reading connection */
    struct bao_arena arena;
    struct baod_pg_param *params;
    uint8_t sha256[BAO_SHA256_LEN]; /* of what was kept last: the same is not written again */
    bool asking;
};

/* Asks for the obligations due within 90 days before and 100 after `now`, and keeps them; one question at a
 * time, none while the database is away. */
void baod_cache_refresh(struct baod_cache *c, bao_time now);

/* Keeps the list of credentials: 0 or -ENOMEM. */
int baod_cache_keep_credentials(struct baod_spool *spool,
                                const struct baod_credential_list *list) BAO_MUST_CHECK;
/* Gives the list that was kept last to `credentials`; *ret_n credentials, *ret_at when the database said so
 * (BAO_TIME_NONE: none was kept). 0, -EBADMSG or -ENOMEM. */
int baod_cache_restore_credentials(const struct baod_spool *spool, struct baod_credentials *credentials,
                                   size_t *ret_n, bao_time *ret_at) BAO_MUST_CHECK;
/* Keeps the epochs that the database was seen at: 0 or -ENOMEM. */
int baod_cache_keep_epochs(struct baod_spool *spool, bao_time at, int64_t registry,
                           int64_t forms) BAO_MUST_CHECK;
