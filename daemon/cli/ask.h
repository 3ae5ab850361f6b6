/* What the office's commands share: options of a question, asking it, and telling the answer. */
#pragma once

#include "daemon/cli/cli.h"
#include "daemon/cli/client.h"
#include "lib/doc/load.h"

/* --server, --form (or the first word), --period, --span, --scope, --unit, --units, --indicator, --limit. */
struct cli_question {
    const char *server, *form, *period, *span, *scope, *unit, *units, *indicator, *limit;
};

/* Reads the options: true, or false after telling what is wrong. */
bool cli_question_read(const struct cli_options *options, int argc, char **argv, struct cli_question *ret);

/* Asks `path` and reads the rows (a list of maps). With --format json the body is printed as it came and
 * *ret_rows is NULL. CLI_OK, or an exit code after telling what went wrong. */
int cli_ask(const struct cli_options *options, const struct cli_question *question, const char *path,
            struct bao_arena *arena, const struct bao_node **ret_rows);

/* The member as a person reads it: text as it is, figures by the language's custom, null as "–". */
struct bao_str cli_cell(struct bao_arena *arena, const struct bao_node *row, const char *name,
                        enum bao_lang lang);
