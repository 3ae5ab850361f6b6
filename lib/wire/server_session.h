/* The server's side of one BRP/1 connection, without sockets or clocks.
 *
 * Bytes go in by feed(), which gives one event at a time; answers go in by the functions below and come out
 * as bytes in `out`, to be written and consumed by the owner. Everything that concerns the protocol alone
 * (PING, broken frames, unknown verbs, wrong heads, windows, bodies too large, verbs before HELLO) is
 * answered here.
 *
 *     while ((r = bao_server_feed(s, &in, now, &event)) == 0 && event.kind != BAO_SERVER_NONE)
 *         act on it; at HOLD stop and keep what is left of `in`
 *
 * Times are microseconds of a clock that never goes back. */
#pragma once

#include "lib/wire/frame.h"

struct bao_server_limits {
    uint32_t items;   /* most unanswered requests; one more breaks the frame */
    uint64_t bytes;   /* told to the client; the owner enforces it by its reservations */
    uint64_t maxbody; /* most octets of a body */
    uint64_t maxraw;  /* most octets of a document after inflating */
    int idle_s;
    int hello_ms;    /* for the handshake and HELLO; 0 = 10,000 */
    bool needs_hash; /* no TLS: REPORT must carry sha256 */
    uint64_t seed;   /* any number, another for each connection: spreads after= by +-50 % */
};

/* Most octets of answers that wait in `out`. */
enum { BAO_SERVER_OUT_MAX = 8 * 1024 * 1024 };

enum bao_server_kind {
    BAO_SERVER_NONE,  /* all input was used */
    BAO_SERVER_HELLO, /* head: agent, token …; answer with greet() or refuse(); feeding holds until then */
    BAO_SERVER_RESERVE, /* `reserve` octets are wanted for a report; grant() them; feeding holds until then */
    BAO_SERVER_HOLD,    /* greet() or grant() has not come yet; no octet was used */
    BAO_SERVER_REPORT,  /* a whole report: body, deflated, raw, sha256 */
    BAO_SERVER_STAT,    /* head: receipt, or form, unit, period and rev; all checked for their form */
    BAO_SERVER_DUE,     /* head: unit, until */
    BAO_SERVER_CLOSE,   /* ended: write what is in `out`, then close; the session's `why` is for the log */
};

struct bao_server_event {
    enum bao_server_kind kind;
    uint32_t txn;
    uint64_t reserve;
    struct bao_str body; /* valid until the next feed */
    bool deflated;
    uint64_t raw; /* the document's size when deflated */
    bool has_sha256;
    uint8_t sha256[32];
    struct bao_head head; /* valid until the event is filled again */
};

enum bao_server_state {
    BAO_SERVER_NEW,      /* no HELLO yet */
    BAO_SERVER_GREETING, /* HELLO is being looked at */
    BAO_SERVER_OPEN,
    BAO_SERVER_DRAINING, /* new reports are answered WAIT DRAINING */
    BAO_SERVER_QUITTING, /* QUIT came: what is open is answered, input is ignored */
    BAO_SERVER_ENDED,    /* the last answer is written; input is ignored */
    BAO_SERVER_STATES
};

/* A request that was read and has no answer yet. */
struct bao_server_request {
    uint32_t txn;
    uint64_t reserve;
};

struct bao_server_session {
    struct bao_server_limits limits;
    enum bao_server_state state; /* ENDED: write `out`, then close */
    struct bao_frame_decoder frames;
    struct bao_buf out;
    enum bao_lang lang;
    bool json;                  /* findings as JSON */
    bool reserving;             /* RESERVE was given, grant() is awaited */
    uint64_t reserve, body_len; /* of the report under way */
    uint64_t reserved;          /* granted and not yet answered, in all */
    uint32_t last_txn, hello_txn, quit_txn;
    struct bao_server_request *open;
    uint32_t n_open;
    unsigned strikes;         /* verbs before identity */
    enum bao_symbol pending;  /* what the frame whose body is dropped will be answered */
    char wrong_key[24];       /* ... which key is to blame, or "" */
    const char *why;          /* why it ended */
    int64_t deadline;         /* INT64_MAX: none */
    int64_t paused_at;        /* INT64_MIN: reading */
    const char *deadline_why; /* NULL: idle */
};

/* `limits` is copied. Starts the time for HELLO (10 s). */
void bao_server_init(struct bao_server_session *s, const struct bao_server_limits *limits, int64_t now);
void bao_server_deinit(struct bao_server_session *s);

/* Uses octets from the front of *in until something happens. 0 and an event, or -ENOMEM, -ENOBUFS (`out` is
 * full). */
int bao_server_feed(struct bao_server_session *s, struct bao_str *in, int64_t now,
                    struct bao_server_event *ret) BAO_MUST_CHECK;
/* Ends the session when a limit of time has passed: true; then `out` has its BYE and `why` the reason. */
bool bao_server_expire(struct bao_server_session *s, int64_t now);
/* The owner stops or starts reading: limits stand still meanwhile. Either may be repeated. */
void bao_server_pause(struct bao_server_session *s, int64_t now);
void bao_server_resume(struct bao_server_session *s, int64_t now);
/* Gives memory back between frames. */
void bao_server_trim(struct bao_server_session *s);

/* Answers HELLO: the connection is open; `server` is the software's name, `body` warnings or empty. */
int bao_server_greet(struct bao_server_session *s, struct bao_str server, struct bao_str body,
                     int64_t now) BAO_MUST_CHECK;
/* Refuses HELLO (AUTH); the third time ends the session. An empty body gets the symbol's sentence. */
int bao_server_refuse(struct bao_server_session *s, enum bao_symbol symbol, struct bao_str body,
                      int64_t now) BAO_MUST_CHECK;
/* The reservation asked for is made: the body may be read. */
void bao_server_grant(struct bao_server_session *s, int64_t now);
/* Answers an open request with OK; `keys` as made by bao_head_put(). An unknown transaction: 0, nothing is
 * written. */
int bao_server_ok(struct bao_server_session *s, uint32_t txn, struct bao_str keys, struct bao_str body,
                  int64_t now) BAO_MUST_CHECK;
/* Answers an open request with its symbol's word. An empty body gets the symbol's sentence. after_ms is
 * spread by half of it; 0: 1,000. */
int bao_server_no(struct bao_server_session *s, uint32_t txn, enum bao_symbol symbol, int after_ms,
                  struct bao_str body, int64_t now) BAO_MUST_CHECK;
/* Tells something nobody asked for (DONE, REMIND, RETURNED). Before HELLO is answered: 0, nothing is written.
 */
int bao_server_tell(struct bao_server_session *s, const char *verb, struct bao_str keys,
                    struct bao_str body) BAO_MUST_CHECK;
/* Starts leaving: DRAIN is told; new reports get WAIT DRAINING. */
int bao_server_drain(struct bao_server_session *s, int within_ms) BAO_MUST_CHECK;
/* Ends the session with BYE (code: a symbol's name, IDLE or TIME). */
int bao_server_bye(struct bao_server_session *s, const char *code, const char *why) BAO_MUST_CHECK;
/* Ends the session without a word: the other side has gone or never spoke properly. */
void bao_server_end(struct bao_server_session *s, const char *why);
/* Nothing unanswered and no frame under way. */
bool bao_server_quiet(const struct bao_server_session *s);
