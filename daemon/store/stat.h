/* The fate of one report, looked up by its key or its receipt: the same receipt that its first answer held,
 * and on request the receipt file that proves it. */
#pragma once

#include "daemon/store/submission.h"

struct baod_pg;

struct baod_stat_ask {
    bool by_receipt;
    uint8_t receipt[16];
    struct bao_str form, unit, period; /* otherwise; borrowed for the call */
    int revision;                      /* 0 = the counted one, else the highest */
    bool proof, document;
};

struct baod_stat {
    /* NONE: found; UNKNOWN; PERIOD (written in no known way); BUSY; or, by receipt, why a queued report was
     * refused when it was drained: form, unit, period and revision are set then too */
    enum bao_symbol symbol;
    struct baod_receipt receipt;
    struct bao_str form, unit, period;
    struct bao_str file;     /* the receipt file, when it was wanted and can be made */
    struct bao_str warnings; /* JSON, as accepted; may be empty */
    struct bao_str stored;   /* the document as a zlib stream, when it was wanted */
    size_t raw_size;         /* its octets once inflated */
};

/* `stat` is valid for the call only. */
typedef void baod_stat_done(void *user, const struct baod_stat *stat);

/* Looks a report up over a reading connection. province: its code, as receipts name it; it must outlive the
 * answer. `done` is called once on the loop thread, perhaps at once. 0 or -ENOMEM: then done is not called.
 */
int baod_stat(struct baod_pg *pg, struct bao_str province, const struct baod_stat_ask *ask,
              baod_stat_done *done, void *user) BAO_MUST_CHECK;
