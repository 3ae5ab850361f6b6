/* One report on its way through the daemon, from the last octet read to the answer.
 *
 * Made by intake, judged on a worker thread, decided by the writer under the province's lock. Owned by intake
 * until `done` has been called; the writer borrows it between submit and done. */
#pragma once

#include "lib/form/judge.h"

/* What the answer of protocol.md says of a stored report. Texts are NUL-terminated. */
struct baod_receipt {
    uint8_t id[16]; /* UUIDv7 */
    bool queued;    /* state=queued; else the following say more */
    bool superseded, returned;
    bool dup;             /* this key and content had been received before */
    bao_time received_at; /* custody: when the first copy's last octet arrived */
    bao_time due_at;      /* BAO_TIME_NONE: none */
    bool on_time;
    int form_version;
    int64_t chain;     /* audit batch; 0 while queued */
    bool durable_sync; /* dur=sync; else local */
    uint8_t content[32], sha256[32];
    int revision;
};

struct baod_submission {
    struct bao_arena arena;  /* owns everything below */
    struct bao_str document; /* uncompressed octets */
    struct bao_str stored;   /* zlib stream of them, as it goes into the table */
    uint8_t sha256[32];      /* of document */
    bao_time received_at;
    const struct baod_identity *who;      /* who handed it in; NULL: not known */
    const struct baod_snapshot *snapshot; /* forms and registry it was judged by; a reference is held */
    struct bao_verdict verdict; /* with its data and explanations while history checks wait for the writer */
    /* The outcome, set by whoever decides; symbol NONE = receipt is valid. Findings in verdict.findings. */
    enum bao_symbol symbol;
    struct baod_receipt receipt;
    struct bao_str
        detail[BAO_LANGS]; /* a sentence beside the symbol, e.g. what KEYREUSED differs in; may be empty */
    int after_ms;          /* for WAIT answers; 0 = the default */
    void (*done)(struct baod_submission *s); /* called once, on the loop thread */
    void *user;
    struct baod_submission *next; /* for whichever queue holds it */
    /* The writer's own. */
    uint64_t since_ms;       /* loop time at which it was handed over */
    uint8_t tries, failures; /* batches of it that were run again; that failed on it alone */
    bool in_doubt;           /* a COMMIT of it got no answer */
    bool has_id; /* receipt.id was made; a stored row with it is this very copy, not a duplicate */
    /* Drained from the spool: it was answered `queued`, so its outcome is left for its unit to read, and
     * checks against earlier reports refuse it no more: they flag it. */
    bool spooled;
};
