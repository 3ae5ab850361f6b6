/* The commands of baocao. Each stands in its own cmd_<name>.c and is a row of the table in main.c. */
#pragma once

#include "lib/base/diag.h"

/* Options every command knows. */
struct cli_options {
    enum bao_lang lang;  /* --lang vi|en; default vi */
    bool json;           /* --format json */
    const char *self;    /* argv[0] */
    const char *command; /* the one that runs */
    const char *example; /* a right use of it */
};

/* Exit codes (design.md section 4). */
enum { CLI_OK = 0, CLI_NO = 1, CLI_USAGE = 2, CLI_KEPT = 3 };

/* argv[0] is the command's name; the common options are already taken out. Gives the exit code. */
typedef int cli_command(const struct cli_options *options, int argc, char **argv);

/* Tells in one sentence what is wrong with the command's words, with an example and the way to its help.
 * Gives false. */
bool cli_complain(const struct cli_options *options, const char *format, ...) BAO_PRINTF(2, 3);

cli_command cli_eval;
cli_command cli_check;
cli_command cli_new;
cli_command cli_forms_command;
cli_command cli_schema;
cli_command cli_load;
cli_command cli_validate;
cli_command cli_rollup;
cli_command cli_status;
cli_command cli_send;
cli_command cli_stat;
cli_command cli_receipt;
cli_command cli_outbox;
cli_command cli_due;
