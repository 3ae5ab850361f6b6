/* The commands of baocao. Each stands in its own cmd_<name>.c and is a row of the table in main.c. */
#pragma once

#include "lib/base/diag.h"

/* Options every command knows. */
struct cli_options {
    enum bao_lang lang;           /* --lang vi|en; default vi */
    bool json;                    /* --format json */
    const char *self;             /* argv[0] */
    const char *usage[BAO_LANGS]; /* of the command that runs */
};

/* Exit codes (design.md section 4). */
enum { CLI_OK = 0, CLI_NO = 1, CLI_USAGE = 2, CLI_KEPT = 3 };

/* argv[0] is the command's name; the common options are already taken out. Gives the exit code. */
typedef int cli_command(const struct cli_options *options, int argc, char **argv);

/* For words that make no sense: prints how the command is used to standard error, and gives CLI_USAGE. */
int cli_usage(const struct cli_options *options);

/* Tells of one word that it is not what it should be: "baocao: SENTENCE: WORD". Gives false. */
bool cli_tell_wrong(const struct cli_options *options, const char *vi, const char *en, const char *word);

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
