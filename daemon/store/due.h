/* DUE: what a unit has to send, as JSON lines (lib/form/due.h). From the database, with the state of each;
 * while the database is away from the files alone, with the state unknown. */
#pragma once

#include "daemon/config/snapshot.h"
#include "lib/text/symbols.h"

struct baod_pg;

struct baod_due_ask {
    struct baod_snapshot *snapshot; /* a reference is taken until the answer */
    struct bao_str unit;            /* borrowed for the call */
    bao_date until;                 /* deadlines up to this day; BAO_DATE_NONE: 92 days ahead */
    bao_time now;
    enum bao_lang lang;
};

struct baod_due_answer {
    enum bao_symbol symbol; /* NONE: lines; UNKNOWN: no such unit; BUSY */
    struct bao_str lines;
    struct bao_str heir; /* who answers today for a unit that is no more; empty: the unit itself, or nobody */
    bool from_store;     /* so the unit has read what became of its reports */
    const struct bao_str *codes; /* whose obligations these are: the unit and those it took over */
    size_t n_codes;
};

/* `answer` is valid for the call only. */
typedef void baod_due_done(void *user, const struct baod_due_answer *answer);

/* Asks over a reading connection. `done` is called once on the loop thread, perhaps at once. Listed are what
 * is still owed, however old, and what was discharged or exempt with a deadline in the last 31 days or ahead;
 * at most 500, those with the latest deadlines. 0 or -ENOMEM: then done is not called. */
int baod_due(struct baod_pg *pg, const struct baod_due_ask *ask, baod_due_done *done,
             void *user) BAO_MUST_CHECK;
