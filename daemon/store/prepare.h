/* Making a database ready for a snapshot, off the loop: migrations, then the dictionaries. */
#pragma once

#include "daemon/store/sync.h"

#include <uv.h>

struct baod_prepare_options {
    const char *conninfo;           /* copied */
    struct baod_snapshot *snapshot; /* a reference is held meanwhile */
    struct baod_sync_options sync;  /* node is copied */
    int wait_ms;                    /* for the server to answer */
    /* Called once on the loop thread. dictionary belongs to the callee; NULL when it failed, and why says it.
     */
    void (*done)(void *user, struct baod_snapshot *snapshot, struct baod_dictionary *dictionary,
                 const struct baod_sync_changes *changes, const char *why);
    void *user;
};

/* Starts it: 0 or -ENOMEM. */
int baod_prepare(uv_loop_t *loop, const struct baod_prepare_options *options) BAO_MUST_CHECK;
