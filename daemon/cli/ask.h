/* What the office's commands share: options of a question, asking it, and telling the answer. */
#pragma once

#include "daemon/cli/brp_options.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/client.h"
#include "lib/doc/load.h"

/* --server, --token-file, --ca, --form (or the first word), --period, --span, --scope, --unit, --units,
 * --indicator, --as-of, --limit. */
struct cli_question {
    const char *server, *token_file, *ca, *form, *period, *span, *scope, *unit, *units, *indicator, *as_of,
        *limit;
    char token[CLI_TOKEN_MAX]; /* read from token_file */
};

/* The hub when neither --server nor BAOCAO_SERVER names one. */
#define CLI_DEFAULT_SERVER "http://127.0.0.1:7380"

/* Tells that nobody answered, or why nobody was asked. */
void cli_tell_no_answer(const struct cli_options *options, const char *server, const char *why);
/* Tells the hub's refusal, of which `body` is the JSON, in the asked language: CLI_USAGE. */
int cli_tell_refusal(const struct cli_options *options, long status, struct bao_str body);
/* Sees to it that the hub can be asked: reads its token file (NULL: none) into `token`, and refuses to send
 * it in the clear to another machine. false after telling what is wrong. */
bool cli_hub_ready(const struct cli_options *options, const char *token_file, char token[CLI_TOKEN_MAX],
                   struct cli_hub *hub);

/* Reads the options: true, or false after telling what is wrong. `own`: which of --span, --unit, --units and
 * --indicator this question takes, NULL-terminated; the others all do. */
bool cli_question_read(const struct cli_options *options, int argc, char **argv, const char *const *own,
                       struct cli_question *ret);

/* Asks `path` and reads the rows (a list of maps). With --format json the body is printed as it came and
 * *ret_rows is NULL. CLI_OK, or an exit code after telling what went wrong. */
int cli_ask(const struct cli_options *options, struct cli_question *question, const char *path,
            struct bao_arena *arena, const struct bao_node **ret_rows);

/* The member as a person reads it: text as it is, figures by the language's custom, null as "–". */
struct bao_str cli_cell(struct bao_arena *arena, const struct bao_node *row, const char *name,
                        enum bao_lang lang);
