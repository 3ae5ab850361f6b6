/* Making a database ready for a snapshot, off the loop: migrations, then the dictionaries. */
#pragma once

#include "daemon/store/sync.h"

#include <uv.h>

struct baod_prepared {
    struct baod_dictionary *dictionary; /* the callee's; NULL when it failed */
    bool done;                          /* a preview has done its work, without a dictionary */
    bool conflict;                      /* it failed because the files contradict what is stored */
    bool other_key;                     /* another key signs this database's chain */
    bool foreign;                       /* the tables are a newer program's, or of none that is known */
    bool behind;                        /* it was to follow, and other files are in force */
    struct baod_sync_changes changes;
    const char *why; /* why it failed; else which deadlines moved, one a line */
};

struct baod_prepare_options {
    const char *conninfo;           /* copied */
    struct baod_snapshot *snapshot; /* a reference is held meanwhile */
    struct baod_sync_options sync;  /* node is copied */
    int wait_ms;                    /* for the server to answer */
    /* Called once on the loop thread. */
    void (*done)(void *user, struct baod_snapshot *snapshot, const struct baod_prepared *prepared);
    void *user;
};

/* Starts it: 0 or -ENOMEM. */
int baod_prepare(uv_loop_t *loop, const struct baod_prepare_options *options) BAO_MUST_CHECK;
