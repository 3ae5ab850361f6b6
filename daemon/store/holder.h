/* Who holds the province's lock that the writer waits for: the database answers then, and is not away. */
#pragma once

#include "daemon/store/pg.h"

struct baod_holder {
    int pid;         /* the holder's server process; 0: nobody is known to hold it */
    int64_t seconds; /* since when its transaction runs */
    bool kept;       /* the writer waits for it at this moment */
    char name[64];   /* its application_name; "" when this login may not see it */
};

/* The holder is valid for the call only. */
typedef void baod_holder_done(void *user, const struct baod_holder *holder);

/* Asks on a connection that waits for no lock; `writer` is the writer's server process. done() is called
 * once, unless this fails: 0, -ENOTCONN, -ENOMEM. */
int baod_holder_ask(struct baod_pg *pg, int32_t province, int writer, baod_holder_done *done,
                    void *user) BAO_MUST_CHECK;
