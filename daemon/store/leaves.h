/* Leaves of the audit chain that are not reports: acts of the office and refusals. One text each, made where
 * they are written and made again from the stored rows when the chain is verified. */
#pragma once

#include "lib/form/date.h"
#include "lib/form/merkle.h"

/* Texts are borrowed; the period as the tables label it; revision 0 and until BAO_TIME_NONE: none. */
struct baod_act_leaf {
    struct bao_str kind, form, unit, period, actor, reason, decision;
    int revision;
    bao_time until;
};

/* 0 or <0. */
int baod_act_leaf(const struct baod_act_leaf *act, struct bao_hash *ret) BAO_MUST_CHECK;

struct baod_refusal_leaf {
    uint8_t id[16];
    struct bao_str unit, form, period, symbol;
    int revision;
    bao_time received_at;
};

/* 0 or <0. */
int baod_refusal_leaf(const struct baod_refusal_leaf *refusal, struct bao_hash *ret) BAO_MUST_CHECK;

/* Custody that a copy drained from a spool has moved back. Texts are borrowed. */
struct baod_custody_leaf {
    struct bao_str form, unit, period, node, reason;
    int revision;
    bao_time received_at;
};

/* 0 or <0. */
int baod_custody_leaf(const struct baod_custody_leaf *custody, struct bao_hash *ret) BAO_MUST_CHECK;

/* The last leaf of a batch whose rows may be gone, rightly, or never were: files read in, and refusals, of
 * which a unit's oldest give way. Made of the batch's number alone, it can always be made again; so a batch
 * of reports whose rows were removed cannot be passed off as one of these. */
enum baod_mark { BAOD_MARK_FILES, BAOD_MARK_REFUSALS };

/* seq: the batch's number. */
void baod_mark_leaf(enum baod_mark kind, int64_t seq, struct bao_hash *ret);
