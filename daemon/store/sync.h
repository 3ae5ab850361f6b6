/* Bringing the database's dictionaries up to a snapshot: units, scopes, forms, indicator slots, obligations.
 *
 * One transaction, the end of which is under the province's lock; sync_parts.h says what comes before.
 * Numbers are given once and never change; slots are append-only. What a change of the registry or of the
 * forms does is a batch of its own in the audit. */
#pragma once

#include "daemon/store/dictionary.h"

struct baod_sync_report;

struct baod_sync_options {
    bao_time now;
    const char *node; /* for the audit row */
    uint8_t seed[32]; /* the key that signs it */
    bool new_key;     /* although the chain so far was signed by another */
    bool follow; /* these files were in force before: what another daemon put in force since is not undone */
    struct baod_sync_report *report; /* filled when not NULL; its preview asks for a look only */
};

enum baod_sync_outcome {
    BAOD_SYNC_E_CONFLICT = 1, /* the files contradict what is stored; `why` says what and how to mend it */
    BAOD_SYNC_E_BEHIND,       /* `follow`, and other files are in force; nothing was changed */
    BAOD_SYNC_E_KEY,          /* another key signs this database's chain; nothing was changed */
    BAOD_SYNC_E_DATABASE,     /* the database did not take it; `why` says its message */
};

/* What a sync did, for the log. */
struct baod_sync_changes {
    bool registry, forms;         /* the epoch moved */
    int64_t made, moved, dropped; /* obligations */
    int year_waits; /* not 0: the table of that coming year's reports is to be made by another sync */
};

/* Does the work, blocking, and gives the dictionary of the outcome. On success `why` lists the deadlines that
 * moved, one a line. Obligations reach from the first day that a form was in force (five years back at most)
 * to 400 days ahead; with `follow` from 500 days ago, for what is older stands since these files came into
 * force. A preview changes nothing, takes no lock and gives no dictionary (NULL). 0, an outcome, or <0. */
int baod_sync(struct baod_pg_call *call, const struct baod_snapshot *snapshot,
              const struct baod_sync_options *options, struct bao_buf *why,
              struct baod_sync_changes *ret_changes, struct baod_dictionary **ret) BAO_MUST_CHECK;
