/* What became of a report, as words: the same for both ports.
 *
 * A receipt's fields as protocol.md names them, and the findings in the reader's language or as JSON. */
#pragma once

#include "daemon/store/submission.h"
#include "lib/wire/answer.h"

/* The words of a receipt; form, unit and period are borrowed. offset: seconds east of UTC for its times. */
struct bao_receipt_text baod_receipt_words(const struct baod_receipt *r, struct bao_str form,
                                           struct bao_str unit, struct bao_str period, int offset);
/* Appends the findings of a report and the sentence of its symbol: one line each, or a JSON array with both
 * languages. Nothing is appended when there is nothing to tell; beyond 512 KiB, or the room in `out`, the rest
 * is left out, whole findings at a time. */
int baod_answer_findings(struct bao_buf *out, const struct baod_submission *s, enum bao_lang lang,
                         bool json) BAO_MUST_CHECK;
/* Appends the warnings that were stored with a report (a JSON array) as the body that first told them;
 * nothing when there are none. */
int baod_answer_warnings(struct bao_buf *out, struct bao_str stored, enum bao_lang lang,
                         bool json) BAO_MUST_CHECK;
