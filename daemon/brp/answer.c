/* The answer of a report, from what became of it. */
#include "daemon/answer.h"
#include "daemon/brp/peer.h"

int baod_answer_keys(struct bao_buf *out, const struct baod_brp_fate *fate, int offset)
{
    struct bao_receipt_text text =
        baod_receipt_words(&fate->receipt, fate->form, fate->unit, fate->period, offset);

    return bao_receipt_put(out, &text);
}
