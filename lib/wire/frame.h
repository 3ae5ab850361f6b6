/* Frames of BRP/1 (lib/wire/protocol.md): head LF body LF. Sans-I/O: bytes in, frames out.
 *
 * A head is text of at most 1,024 octets, a body has the length the head says, one line feed ends both.
 * Whatever breaks that order is final: there is no way to find the next frame. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/text/symbols.h"

enum {
    BAO_HEAD_MAX = 1024, /* octets of a head line without its LF */
    BAO_HEAD_KEYS = 32,  /* most keys of a head */
    BAO_VERB_MAX = 16,   /* octets of a verb */
    BAO_TXN_MAX = 2147483647,
};

struct bao_head_key {
    struct bao_str name;  /* without '!' */
    struct bao_str value; /* percent-decoded, never empty, UTF-8, no C0 control */
    bool must;
};

/* A parsed head. Texts point into its own store, valid until the next head is parsed into it. */
struct bao_head {
    struct bao_str verb;
    uint32_t txn;
    uint64_t len;
    struct bao_head_key keys[BAO_HEAD_KEYS];
    size_t n_keys;
    char store[BAO_HEAD_MAX + 1];
};

/* Parses one head line (no LF; one CR at the end is tolerated): BAO_SYM_NONE, or FRAME. */
enum bao_symbol bao_head_parse(struct bao_head *head, struct bao_str line);
/* The value of a key; .p NULL when absent. */
struct bao_str bao_head_get(const struct bao_head *head, const char *name);
/* The key's whole value as a decimal number within max: true. */
bool bao_head_number(const struct bao_head *head, const char *name, uint64_t max, uint64_t *ret);
/* Reads 1..19 decimal digits without a leading zero, at most max: true. */
bool bao_decimal_number(struct bao_str s, uint64_t max, uint64_t *ret);
/* Appends ' key=value', percent-encoding what must be. An empty value appends nothing. */
int bao_head_put(struct bao_buf *out, const char *key, struct bao_str value) BAO_MUST_CHECK;
/* The same for a number. */
int bao_head_put_number(struct bao_buf *out, const char *key, uint64_t value) BAO_MUST_CHECK;
/* Appends a whole frame; `keys` is what bao_head_put() made. All or nothing: 0, -ENOBUFS, -ENOMEM. */
int bao_frame_put(struct bao_buf *out, const char *verb, uint32_t txn, struct bao_str keys,
                  struct bao_str body) BAO_MUST_CHECK;

/* What feeding gave. */
enum bao_frame_step {
    BAO_FRAME_MORE,    /* everything was used; nothing complete yet */
    BAO_FRAME_HEAD,    /* a head line is in `line`; answer with keep() or drop() before feeding again */
    BAO_FRAME_BODY,    /* the frame is complete: `line` and `body` */
    BAO_FRAME_DROPPED, /* the frame is complete, its body was thrown away: `line` */
    BAO_FRAME_BROKEN,  /* framing is lost; every later call says so again */
};

enum bao_frame_state {
    BAO_FRAME_IN_HEAD,
    BAO_FRAME_DECIDE,
    BAO_FRAME_IN_BODY,
    BAO_FRAME_IN_DROP,
    BAO_FRAME_LOST
};

/* One direction of a connection. Holds no memory between frames after trim(). */
struct bao_frame_decoder {
    enum bao_frame_state state;
    bool dirty;          /* `line` and `held` belong to a frame already given */
    struct bao_buf line; /* the head line, as far as it came */
    struct bao_buf held; /* the body, as far as it came; unused when body and LF came in one piece */
    uint64_t len, left;  /* of the body */
    struct bao_str body; /* valid after BODY until the next feed */
};

/* An empty decoder; takes no memory yet. deinit may be called twice. */
void bao_frame_decoder_init(struct bao_frame_decoder *d);
void bao_frame_decoder_deinit(struct bao_frame_decoder *d);
/* Uses octets from the front of *in until something happens. After BODY the body may point into *in.
 * An enum bao_frame_step, or -ENOMEM. */
int bao_frame_feed(struct bao_frame_decoder *d, struct bao_str *in) BAO_MUST_CHECK;
/* After HEAD: the body of len octets is wanted, or is to be read and thrown away. */
void bao_frame_keep(struct bao_frame_decoder *d, uint64_t len);
void bao_frame_drop(struct bao_frame_decoder *d, uint64_t len);
/* Gives back memory when no frame is under way. */
void bao_frame_trim(struct bao_frame_decoder *d);
/* Is the decoder between two frames, not one octet of the next one read? */
bool bao_frame_idle(const struct bao_frame_decoder *d);
static inline struct bao_str bao_frame_line(const struct bao_frame_decoder *d)
{
    return bao_buf_str(&d->line);
}
