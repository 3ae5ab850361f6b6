/* Acts of the office on obligations: return, withdraw, extend, exempt, lock, unlock, approve.
 *
 * Each act is one transaction under the province's lock: obligations and sums change together, an event says
 * the state after it, and a signed audit row makes each touched obligation a leaf. Obligations of which the
 * act's outcome is true already are left alone: an act said twice is done once. Blocking: for a thread of its
 * own. */
#pragma once

#include "daemon/store/chain.h"

enum baod_act_kind {
    BAOD_ACT_RETURN,   /* the counted report goes back for mending; it leaves the sums at once */
    BAOD_ACT_WITHDRAW, /* the unit takes it back itself, before the lock */
    BAOD_ACT_EXTEND,   /* until: the new deadline; the lock moves by as much */
    BAOD_ACT_EXEMPT,
    BAOD_ACT_OWE,     /* the exemption is lifted */
    BAOD_ACT_LOCK,    /* from now on, or from `until` */
    BAOD_ACT_UNLOCK,  /* until `until`, or for good; lifts an approval, which takes a decision */
    BAOD_ACT_APPROVE, /* a whole period's figures are final: locked, and other acts need an unlock first */
};

struct baod_act {
    enum baod_act_kind kind;
    struct bao_str form, period;
    struct bao_str unit; /* empty: all units of the period; not for return and withdraw */
    int revision;        /* of return and withdraw: the one that is meant; 0 = whichever counts */
    bao_time until; /* BAO_TIME_NONE: not given. With return: the first time is kept for what comes by then,
                       and the lock waits for it */
    struct bao_str actor, reason; /* who and why; no line feeds */
    struct bao_str decision;      /* the document that it rests on, "Số 12/QĐ-UBND"; may be empty */
};

/* What an act did. */
struct baod_act_done {
    int64_t touched;   /* obligations that it changed; 0: all was so already, and nothing was written */
    int64_t shortened; /* of these, extended to a later time before */
    int64_t seq;       /* its batch; 0: none */
    bao_time at;       /* BAO_TIME_NONE: none */
    /* Where it touched one: */
    int revision; /* the one given back or taken back; 0: none */
    bao_time due_at, lock_at, extended_to;
};

enum baod_act_outcome {
    BAOD_ACT_E_NOTOWED = 1, /* no such obligation */
    BAOD_ACT_E_NOFORM,      /* nor such a form, unit, or a period of that kind: told by the caller, who */
    BAOD_ACT_E_NOUNIT,      /* knows the files in force */
    BAOD_ACT_E_NOPERIOD,
    BAOD_ACT_E_EMPTY,    /* nothing is counted that could be returned */
    BAOD_ACT_E_REVISION, /* another revision counts than the one meant */
    BAOD_ACT_E_LOCKED,   /* too late to withdraw */
    BAOD_ACT_E_EARLY,    /* an extension that would end before the deadline */
    BAOD_ACT_E_FINAL,    /* a period that ends as "not done" is opened again on a decision only; the caller
                            judges */
    BAOD_ACT_E_PENDING,  /* an approval while some unit may still report on time */
    BAOD_ACT_E_APPROVED, /* the period is approved: only unlocking on a decision changes anything */
    BAOD_ACT_E_WRONG,    /* period written in no known way, until missing, or a line feed in a text */
    BAOD_ACT_E_DATABASE, /* `why` says its message */
};

/* "returned", "extended": the kind of an act as events and leaves name it. */
const char *baod_act_name(enum baod_act_kind kind);
/* Carries out one act. 0, an outcome (nothing was changed), or <0. */
int baod_office_act(struct baod_pg_call *call, const struct baod_chain_signer *signer,
                    const struct baod_act *act, struct bao_buf *why,
                    struct baod_act_done *ret) BAO_MUST_CHECK;
