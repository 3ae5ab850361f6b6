/* The operator's commands about secrets: make one, list them, revoke one. They work on the table; every
 * running daemon sees the change within seconds (credentials.h). */
#pragma once

#include "daemon/store/credentials.h"
#include "lib/base/diag.h"
#include "lib/form/registry.h"

struct baod_pg_call;

enum baod_token_act { BAOD_TOKEN_ADD, BAOD_TOKEN_LIST, BAOD_TOKEN_REVOKE };

enum { BAOD_TOKEN_UNITS = 512 };

/* What the command line says; texts are borrowed from it. */
struct baod_token_ask {
    enum baod_token_act act;
    enum baod_role role;
    struct bao_str units[BAOD_TOKEN_UNITS];
    size_t n_units;
    const char *name;
    bao_date until; /* last day on which it holds; BAO_DATE_NONE: for ever */
    bool json;      /* the caller's to set */
    uint8_t id[16]; /* to be revoked */
};

enum baod_token_outcome {
    BAOD_TOKEN_E_USAGE = 1, /* a sentence was appended */
    BAOD_TOKEN_E_REFUSED,   /* the same */
};

/* Reads "add --unit U[,U…] | --role office|oversight|operator, --name TEXT, [--expires YYYY-MM-DD]",
 * "list", "revoke ID". 0, BAOD_TOKEN_E_USAGE with a sentence in `why`, or <0. */
int baod_token_parse(int argc, char **argv, enum bao_lang lang, struct bao_buf *why,
                     struct baod_token_ask *ret) BAO_MUST_CHECK;

struct baod_token_place {
    struct baod_pg_call *call;
    const struct bao_registry *registry;
    bao_time now;
    enum bao_lang lang;
    bool headed; /* the list's columns get their names: people read it, not a program */
};

/* Does it. `out` gets what belongs on standard output: the new secret alone on its line (the only time it can
 * be read), or the list; `why` sentences for people. 0, an outcome, or <0. */
int baod_token_run(const struct baod_token_place *place, const struct baod_token_ask *ask,
                   struct bao_buf *out, struct bao_buf *why) BAO_MUST_CHECK;
