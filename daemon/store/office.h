/* Acts of the office on obligations: return, withdraw, extend, exempt, lock, unlock.
 *
 * Each act is one transaction under the province's lock: obligations and sums change together, an event says
 * the state after it, and a signed audit row makes each touched obligation a leaf. Blocking: for a thread of
 * its own. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include "lib/form/date.h"

struct baod_pg_call;

enum baod_act_kind {
    BAOD_ACT_RETURN,   /* the counted report goes back for mending; it leaves the sums at once */
    BAOD_ACT_WITHDRAW, /* the unit takes it back itself, before the lock */
    BAOD_ACT_EXTEND,   /* until: the new deadline; the lock moves by as much */
    BAOD_ACT_EXEMPT,
    BAOD_ACT_OWE,    /* the exemption is lifted */
    BAOD_ACT_LOCK,   /* from now on, or from `until` */
    BAOD_ACT_UNLOCK, /* until `until`, or for good */
};

struct baod_act {
    enum baod_act_kind kind;
    struct bao_str form, period;
    struct bao_str unit; /* empty: all units of the period; not for return and withdraw */
    bao_time until; /* BAO_TIME_NONE: not given. With return: the first time is kept for what comes by then */
    struct bao_str actor, reason; /* who and why; no line feeds */
};

/* Who signs. */
struct baod_act_signer {
    int32_t province_key; /* baod_province_key() of the province */
    struct bao_str province, node;
    uint8_t seed[BAO_ED25519_KEY_LEN];
};

enum baod_act_outcome {
    BAOD_ACT_E_NOTOWED = 1, /* no such obligation */
    BAOD_ACT_E_EMPTY,       /* nothing is counted that could be returned */
    BAOD_ACT_E_LOCKED,      /* too late to withdraw */
    BAOD_ACT_E_WRONG,       /* period written in no known way, until missing, or a line feed in a text */
    BAOD_ACT_E_DATABASE,    /* `why` says its message */
};

/* Carries out one act; gives the number of obligations touched and the batch. 0, an outcome, or <0. */
int baod_office_act(struct baod_pg_call *call, const struct baod_act_signer *signer,
                    const struct baod_act *act, struct bao_buf *why, int64_t *ret_touched,
                    int64_t *ret_seq) BAO_MUST_CHECK;
