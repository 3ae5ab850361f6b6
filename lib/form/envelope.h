/* The envelope of a report: form, unit, period, revision and what stands beside the data. forms.md section 1.
 */
#pragma once

#include "lib/doc/load.h"
#include "lib/form/period.h"

/* Everything is borrowed from the document or lives in the arena. */
struct bao_envelope {
    struct bao_str form, unit; /* empty when they could not be read */
    struct bao_period period;
    int revision;
    bool has_key;   /* all four could be read */
    bool is_secret; /* marked with any secrecy but none */
    bool nil;
    const struct bao_node *signed_by, *explain, *data; /* NULL: absent or null */
};

enum bao_envelope_outcome { BAO_ENVELOPE_E_BAD = 1 /* findings say why */ };

/* Reads the envelope. *ret is filled as far as it could be read, also when there are findings: a resend of an
 * accepted report is known by its key whatever else is wrong with it. 0 or BAO_ENVELOPE_E_BAD. */
int bao_envelope_read(struct bao_arena *arena, const struct bao_doc *doc, struct bao_findings *findings,
                      struct bao_envelope *ret) BAO_MUST_CHECK;
