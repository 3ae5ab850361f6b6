/* What a peer is told unasked, made of a notice. */
#include "daemon/brp/peer.h"

#include "lib/base/error.h"

enum { KEYS_MAX = 4096, BODY_MAX = 8192 };

static const char *const verbs[] = {
    [BAOD_NOTICE_DONE] = "DONE",
    [BAOD_NOTICE_RETURNED] = "RETURNED",
    [BAOD_NOTICE_REMIND] = "REMIND",
};

static int put_time(struct bao_buf *out, const char *key, bao_time t, int offset)
{
    char text[40];

    if (t == BAO_TIME_NONE)
        return 0;
    bao_time_print(t, offset, text);
    return bao_head_put(out, key, bao_str_c(text));
}

static int put_receipt(struct bao_buf *out, const struct baod_notice *n)
{
    char text[BAO_UUID_LEN + 1];

    if (!n->has_receipt)
        return 0;
    bao_uuid_print(n->receipt, text);
    return bao_head_put(out, "receipt", bao_str_c(text));
}

/* protocol.md section 7. */
static int put_keys(struct bao_buf *out, const struct baod_notice *n, int offset)
{
    int r = n->kind == BAOD_NOTICE_DONE ? put_receipt(out, n) : 0;

    if (r == 0)
        r = bao_head_put(out, "form", n->form);
    if (r == 0)
        r = bao_head_put(out, "unit", n->unit);
    if (r == 0)
        r = bao_head_put(out, "period", n->period);
    if (r == 0 && n->kind != BAOD_NOTICE_REMIND)
        r = bao_head_put_number(out, "rev", (uint64_t)n->revision);
    if (r == 0 && n->kind == BAOD_NOTICE_DONE)
        r = bao_head_put(out, "state", n->state);
    if (r == 0 && n->kind == BAOD_NOTICE_DONE)
        r = bao_head_put(out, "code", n->symbol);
    if (r == 0 && n->kind != BAOD_NOTICE_DONE)
        r = put_time(out, n->kind == BAOD_NOTICE_REMIND ? "due" : "until", n->at, offset);
    return r;
}

/* DONE needs no words: its keys say it; RETURNED has the reason of the office, REMIND a sentence. */
static int put_body(struct bao_buf *out, const struct baod_notice *n, int offset, enum bao_lang lang)
{
    if (n->kind == BAOD_NOTICE_DONE)
        return 0;
    return n->kind == BAOD_NOTICE_RETURNED ? bao_buf_append_str(out, n->detail)
                                           : baod_notice_sentence(out, n, offset, lang);
}

static void tell(struct baod_peer *p, const struct baod_notice *notice)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(KEYS_MAX), body = BAO_BUF_NULL(BODY_MAX);
    int offset = p->peers->config.offset;
    int r = put_keys(&keys, notice, offset);

    if (r == 0)
        r = put_body(&body, notice, offset, p->session.lang);
    if (r == 0)
        r = bao_server_tell(&p->session, verbs[notice->kind], bao_buf_str(&keys), bao_buf_str(&body));
    if (r == -ENOMEM && p->failed == NULL)
        p->failed = "no memory for what it is told";
    baod_peer_touch(p); /* a notice that is too long for a head or finds no room is told again another time */
}

void baod_brp_notify(struct baod_peers *peers, uint64_t peer, const struct baod_notice *notice)
{
    struct baod_peer *one = baod_peers_find(peers, peer);
    struct bao_str heir;

    if (peer != 0) {
        if (one != NULL)
            tell(one, notice);
        return;
    }
    heir = peers->ops->heir != NULL ? peers->ops->heir(peers->ops->user, notice->unit) : BAO_STR_NULL;
    for (size_t i = 0; i < peers->config.max_peers; i++)
        if (peers->slots[i] != NULL && baod_peer_has_unit(peers->slots[i], notice->unit, heir))
            tell(peers->slots[i], notice);
}
