/* What becomes of a report, given what the batch read under the province's lock. Pure: no database, no clock.
 *
 * The order is the contract (design.md section 5), first hit answers: UNIT, of a report that was kept in a
 * spool (of others intake has asked); same key and content -> the first receipt; KEYREUSED; FORM, PERIOD,
 * NOTOWED; LOCKED; INVALID, EXPLAIN; accepted. The judge's verdict is held until the key is known, so a
 * resend of an accepted report is a duplicate whatever has changed since. */
#pragma once

#include "daemon/store/submission.h"
#include "lib/form/rollup.h"

/* report.state */
enum baod_state { BAOD_COUNTED = 1, BAOD_SUPERSEDED = 2, BAOD_RETURNED = 3, BAOD_WITHDRAWN = 4 };

/* A stored report, as far as deciding needs it. */
struct baod_stored {
    bool exists;
    uint8_t state; /* enum baod_state */
    int revision, form_version;
    bao_time received_at;
    int64_t seq_from;
    uint8_t id[16], content[32], sha256[32];
    struct bao_figure *figures; /* by slot; borrowed from the batch */
    size_t n_figures;
};

/* The state of an obligation; BAO_TIME_NONE where the table has null. */
struct baod_obligation {
    bool exists, exempt;
    bao_time due_at, lock_at, extended_to;
    int revision;         /* counted; 0 = none */
    int last_revision;    /* highest ever accepted; 0 = none */
    bao_time received_at; /* earliest custody of its accepted revisions that were not returned */
    bao_time kept_at, kept_until;
};

enum baod_decision_kind {
    BAOD_REFUSE,    /* symbol and detail say why */
    BAOD_DUPLICATE, /* the stored one's receipt is the answer */
    BAOD_COUNT,     /* store; it counts from now on in place of the counted one, if there was any */
    BAOD_KEEP,      /* store as history: a higher revision counts already */
};

struct baod_case {
    const struct bao_verdict *verdict; /* has_key */
    bao_time received_at;
    const struct baod_obligation *obligation; /* as read */
    const struct baod_stored *same;           /* the stored row of this very key */
    const struct bao_slots *slots;            /* for naming what differs; NULL when the form is unknown */
    const struct bao_figure *figures;         /* this report's, by slot; NULL when there are none */
    int offset;                               /* the province's, for times in sentences */
};

struct baod_decision {
    uint8_t kind;           /* enum baod_decision_kind */
    enum bao_symbol symbol; /* of BAOD_REFUSE */
    struct bao_str detail[BAO_LANGS];
    struct baod_obligation after; /* the obligation once the report is stored */
    bool moved_custody;           /* a duplicate that came earlier than the stored one: custody moves back */
};

/* Decides one report. Sentences go to the arena. 0 or -ENOMEM. */
int baod_decide(const struct baod_case *c, struct bao_arena *arena, struct baod_decision *ret) BAO_MUST_CHECK;
/* The instant after which the obligation's report is late. */
bao_time baod_obligation_due(const struct baod_obligation *o);
/* Was what it counts on time? False when nothing is counted. */
bool baod_obligation_on_time(const struct baod_obligation *o);
