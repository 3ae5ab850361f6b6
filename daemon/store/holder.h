/* Whom the writer waits for: who holds the province's lock or another that it wants, or a standby that is to
 * confirm its commit. The database answers then, and is not away. */
#pragma once

#include "daemon/store/pg.h"

struct baod_holder {
    int pid;         /* the holder's server process; 0: nobody is known to hold it */
    int64_t seconds; /* since when its transaction runs */
    bool kept;       /* the writer waits for it at this moment */
    bool province;   /* it holds the province's lock; else a lock of a table or row */
    bool standby;    /* the writer's commit waits for a standby at this moment */
    char name[64];   /* its application_name; "" when this login may not see it */
};

/* The holder is valid for the call only. */
typedef void baod_holder_done(void *user, const struct baod_holder *holder);

/* Asks on a connection that waits for no lock; `writer` is the writer's server process. done() is called
 * once, unless this fails: 0, -ENOTCONN, -ENOMEM. */
int baod_holder_ask(struct baod_pg *pg, int32_t province, int writer, baod_holder_done *done,
                    void *user) BAO_MUST_CHECK;
