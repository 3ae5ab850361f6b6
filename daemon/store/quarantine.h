/* The operator's commands about reports that were judged good and that the tables would not take: list them,
 * read one, forget one. The writer puts them there (writer.c); their senders are told to wait and send them
 * again, so nothing has to be put back: once the cause is mended the next copy is taken. */
#pragma once

#include "lib/base/diag.h"
#include "lib/form/date.h"

struct baod_pg_call;

enum baod_quarantine_act { BAOD_QUARANTINE_LIST, BAOD_QUARANTINE_SHOW, BAOD_QUARANTINE_DROP };

/* What the command line says. */
struct baod_quarantine_ask {
    enum baod_quarantine_act act;
    bool json;      /* the caller's to set */
    uint8_t id[16]; /* to be shown or forgotten */
};

enum baod_quarantine_outcome {
    BAOD_QUARANTINE_E_USAGE = 1, /* a sentence was appended */
    BAOD_QUARANTINE_E_REFUSED,   /* the same */
};

/* Reads "list", "show ID", "drop ID". 0, E_USAGE with a sentence in `why`, or <0. */
int baod_quarantine_parse(int argc, char **argv, enum bao_lang lang, struct bao_buf *why,
                          struct baod_quarantine_ask *ret) BAO_MUST_CHECK;

struct baod_quarantine_place {
    struct baod_pg_call *call;
    int offset; /* the province's, in seconds east of UTC */
    enum bao_lang lang;
};

/* Does it. `out` gets what belongs on standard output, the list or the document as it was sent; `why`
 * sentences for people. 0, an outcome, or <0. */
int baod_quarantine_run(const struct baod_quarantine_place *place, const struct baod_quarantine_ask *ask,
                        struct bao_buf *out, struct bao_buf *why) BAO_MUST_CHECK;
