/* The batch protocols of forms.md section 7: one JSON request a line on standard input, one JSON answer a
 * line on standard output, in the same order, flushed at once. */
#pragma once

#include "daemon/cli/cli.h"
#include "lib/base/buf.h"
#include "lib/doc/load.h"

/* Most octets of one request or answer. */
#define CLI_LINE_MAX ((size_t)256 << 20)
/* What a request may hold: deeper and larger than a report, for it carries whole suites. */
#define CLI_LINE_LIMITS                                                                                      \
    ((struct bao_load_limits){                                                                               \
        .octets = CLI_LINE_MAX, .depth = 128, .nodes = 20000000, .scalar = 64u << 20, .key = 1u << 20})

/* Answers one request: appends one JSON value without a line end. The arena is emptied after each line.
 * 0, or a negative errno, which ends the batch. */
typedef int cli_line(void *data, const struct bao_node *request, struct bao_arena *arena,
                     struct bao_buf *answer);

/* Reads standard input to its end. A line that is no JSON map, also an empty one, is answered by {"error":…}
 * in this language. Gives the exit code. */
int cli_run_lines(enum bao_lang lang, cli_line *run, void *data);

/* Begins an answer: {"id":ID (null when the request has none). The caller appends its members, each with a
 * comma before it, and "}". */
int cli_answer_id(struct bao_buf *answer, const struct bao_node *request) BAO_MUST_CHECK;
/* The whole answer {"id":…,"error":TEXT}. */
int cli_answer_error(struct bao_buf *answer, const struct bao_node *request,
                     struct bao_str text) BAO_MUST_CHECK;
/* The same with the sentence in that language. */
int cli_answer_wrong(struct bao_buf *answer, const struct bao_node *request, enum bao_lang lang,
                     const char *vi, const char *en) BAO_MUST_CHECK;
/* A finding as the text of an error: line:column: BC1234: sentence. */
struct bao_str cli_finding_text(struct bao_arena *arena, const struct bao_findings *findings,
                                enum bao_lang lang);
