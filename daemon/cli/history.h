/* Earlier reports that a clerk has at hand, for the rules that compare with them. */
#pragma once

#include "daemon/cli/forms_dir.h"
#include "lib/form/judge.h"

/* One report of a unit that could be read and is not plainly wrong. */
struct cli_past {
    struct bao_verdict verdict;
    struct cli_past *next;
};

struct cli_history {
    struct bao_arena *arena; /* keeps the reports */
    struct bao_schema_scratch *scratch;
    struct cli_forms *forms;
    struct cli_past *reports;
};

/* Judges the bytes and remembers the report when it is one. 0, or <0. */
int cli_history_add(struct cli_history *h, struct bao_str bytes) BAO_MUST_CHECK;
/* Remembers a report that has been judged. 0, or -ENOMEM. */
int cli_history_remember(struct cli_history *h, const struct bao_verdict *verdict) BAO_MUST_CHECK;
/* Adds a file, or every .yaml, .yml and .json file of a folder. false after telling what is wrong. */
bool cli_history_add_path(struct cli_history *h, const char *path);
/* The report of that unit and form for a period: the highest revision; NULL: not at hand. */
const struct bao_verdict *cli_history_find(const struct cli_history *h, struct bao_str form,
                                           struct bao_str unit, struct bao_period period);
/* Runs the history checks of a judged report against what is at hand. Those that need a report that should
 * exist and is not at hand stay unjudged (verdict->unjudged). 0, or <0. */
int cli_history_judge(const struct cli_history *h, struct bao_arena *arena,
                      struct bao_verdict *verdict) BAO_MUST_CHECK;
