/* Frames: any octets, in pieces whose sizes the input chooses. What is written back must read back. */
#include "lib/wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const struct bao_head *head)
{
    struct bao_buf keys = BAO_BUF_NULL(16 * BAO_HEAD_MAX), frame = BAO_BUF_NULL(32 * BAO_HEAD_MAX);
    struct bao_head again;
    char verb[BAO_VERB_MAX + 1], name[BAO_HEAD_MAX + 1];

    (void)snprintf(verb, sizeof(verb), "%.*s", BAO_STR_ARG(head->verb));
    for (size_t i = 0; i < head->n_keys; i++) {
        (void)snprintf(name, sizeof(name), "%s%.*s", head->keys[i].must ? "!" : "",
                       BAO_STR_ARG(head->keys[i].name));
        bao_require(bao_head_put(&keys, name, head->keys[i].value) == 0);
    }
    if (bao_frame_put(&frame, verb, head->txn, bao_buf_str(&keys), BAO_STR_NULL) == 0) {
        struct bao_str line = bao_buf_str(&frame);

        line.n -= 2;
        bao_require(bao_head_parse(&again, line) == BAO_SYM_NONE);
        bao_require(again.n_keys == head->n_keys && again.txn == head->txn);
        for (size_t i = 0; i < head->n_keys; i++)
            bao_require(bao_str_eq(again.keys[i].value, head->keys[i].value));
    }
    bao_buf_deinit(&keys);
    bao_buf_deinit(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_frame_decoder d;
    struct bao_head head;
    size_t step = size == 0 ? 1 : (size_t)data[0] + 1;

    bao_frame_decoder_init(&d);
    for (size_t at = 1; at < size;) {
        struct bao_str in = {(const char *)data + at, step < size - at ? step : size - at};
        int got = BAO_FRAME_HEAD;

        at += in.n;
        while (got != BAO_FRAME_MORE && got != BAO_FRAME_BROKEN) {
            got = bao_frame_feed(&d, &in);
            bao_require(got >= 0);
            if (got != BAO_FRAME_HEAD)
                continue;
            if (bao_head_parse(&head, bao_frame_line(&d)) != BAO_SYM_NONE) {
                bao_frame_drop(&d, 3);
                continue;
            }
            check_head(&head);
            if (head.len > 65536)
                bao_frame_drop(&d, head.len);
            else
                bao_frame_keep(&d, head.len);
        }
    }
    bao_frame_trim(&d);
    bao_frame_decoder_deinit(&d);
    return 0;
}
