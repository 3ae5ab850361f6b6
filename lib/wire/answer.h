/* Answers to a report as both ports and the client write and read them: the receipt's fields and their order.
 */
#pragma once

#include "lib/form/date.h"
#include "lib/wire/frame.h"

/* A receipt as words of protocol.md. Texts are borrowed; .n 0 leaves a field out. */
struct bao_receipt_text {
    const char *state; /* committed queued superseded returned */
    uint8_t id[16];    /* receipt= as a UUID */
    struct bao_str form, unit, period;
    int revision;    /* rev= */
    bao_time at;     /* custody */
    int offset;      /* seconds east of UTC in which `at` is printed */
    const char *due; /* on-time late none */
    int form_version;
    uint8_t content[32], sha256[32];
    bool dup;
    const char *dur; /* sync local spool */
    int64_t chain;   /* 0: not yet in a batch, left out */
};

/* Octets of a UUID's text, without NUL. */
enum { BAO_UUID_LEN = 36 };

/* Writes the lower-case 8-4-4-4-12 form and NUL. */
void bao_uuid_print(const uint8_t id[16], char ret[BAO_UUID_LEN + 1]);
/* Reads the 8-4-4-4-12 form, either case: true. */
bool bao_uuid_parse(struct bao_str s, uint8_t ret[16]);

/* Appends the keys of an OK answer. */
int bao_receipt_put(struct bao_buf *out, const struct bao_receipt_text *r) BAO_MUST_CHECK;
/* The same as members of a JSON object, without the braces. */
int bao_receipt_json(struct bao_buf *out, const struct bao_receipt_text *r) BAO_MUST_CHECK;
/* Appends ' code=SYM', and for a WAIT symbol ' after=MS'. */
int bao_symbol_put(struct bao_buf *out, enum bao_symbol symbol, int after_ms) BAO_MUST_CHECK;
/* The body of an answer that is about no place in the document: one finding line with its LF, or a JSON array
 * of one, whose code is the symbol's name. `detail` may be empty; then the symbol's own sentence stands. */
int bao_symbol_body(struct bao_buf *out, enum bao_symbol symbol, const struct bao_str detail[BAO_LANGS],
                    enum bao_lang lang, bool json) BAO_MUST_CHECK;
