/* What became of a report, as a person or a machine wants to read it: shared by send, stat and outbox. */
#pragma once

#include "daemon/cli/cli.h"
#include "lib/wire/client_session.h"

/* The fate of one file. Texts live in the arena it was made with. */
struct cli_fate {
    const char *file; /* "" for a question without a file */
    bool answered;    /* else it could not be sent: why */
    enum bao_answer answer;
    struct bao_str code; /* symbol of WAIT or NO */
    struct bao_str state, receipt, form, unit, period, revision, at, due, dup;
    struct bao_str keys; /* all keys of the answer as members of a JSON object, without braces */
    struct bao_str body;
    const char *why; /* when not answered, or when this program knew the answer beforehand */
    bool kept;       /* a copy waits in the outbox */
    bool misset;     /* not answered, and another attempt needs other settings of this program */
};

/* Copies an answer: 0 or -ENOMEM. */
int cli_fate_read(struct bao_arena *arena, const char *file, const struct bao_client_event *event,
                  struct cli_fate *ret) BAO_MUST_CHECK;
/* Prints them: a table and the findings below it, or a JSON array. */
int cli_fates_print(FILE *out, const struct cli_options *options, const struct cli_fate *fates, size_t n);
/* The exit code they amount to (design.md section 4). */
int cli_fates_exit(const struct cli_fate *fates, size_t n);
