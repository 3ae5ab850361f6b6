/* One peer of the report protocol: a stream, a session, its share of the budget. For the files of daemon/brp
 * only.
 *
 * Everything that may end a peer or wake another one is put off to settle(), which runs once an iteration of
 * the loop for each peer that was touched: so no callback ever returns into a peer that is gone. */
#pragma once

#include "daemon/brp/peers.h"

enum baod_peer_state {
    BAOD_PEER_TLS,   /* the handshake is under way */
    BAOD_PEER_HELLO, /* who is it? */
    BAOD_PEER_READY,
    BAOD_PEER_THROTTLED, /* READY, but not read from: see holds */
    BAOD_PEER_DRAINING,  /* the daemon leaves: only what was read is finished */
    BAOD_PEER_CLOSING,   /* the stream is let go, the peer is freed */
    BAOD_PEER_STATES
};

/* Why a peer is not read from; several may hold at once. */
enum baod_peer_hold {
    BAOD_HOLD_INPUT = 1, /* octets wait for a reservation or for the answer to HELLO */
    BAOD_HOLD_WRITE = 2, /* it does not read its answers */
    BAOD_HOLD_EOF = 4,   /* it will send nothing more */
};

struct baod_peer {
    uint64_t id;
    struct baod_peers *peers;
    struct baod_stream *stream;
    enum baod_peer_state state;
    unsigned holds;
    struct bao_server_session session;
    struct bao_buf held; /* octets read but not yet used, at most a read or two */
    uint64_t charged;    /* of the budget of all */
    bool touched, queued_for_budget;
    struct baod_peer *next_touched, *next_waiting;
    const char *failed;       /* close at the next settling, for this reason */
    struct baod_identity who; /* its units and their texts are one piece of memory */
    bool by_token;
    unsigned renewal;       /* which reload its certificate was last judged after */
    uint8_t account[8];     /* of the token last shown, by hash */
    struct bao_buf refusal; /* the body of a refused HELLO that waits */
    uint64_t refuse_at;     /* ms: HELLO was wrong, the answer waits; 0 = not */
    uint64_t opened_at;     /* ms */
    uint64_t remind_at;     /* ms: when it is to be reminded next; 0 = never */
    uint64_t reports;
};

struct baod_peers {
    uv_loop_t *loop;
    struct baod_brp_config config;
    const struct baod_brp_ops *ops;
    uv_check_t check;
    uv_prepare_t prepare;
    uv_timer_t sweep;
    unsigned handles;         /* not yet closed */
    struct baod_peer **slots; /* by the low half of the id */
    uint32_t *free_slots;
    size_t n_free, n_open;
    uint64_t serial;
    struct baod_peer *touched;
    struct baod_peer *waiting, **waiting_end; /* for the budget, first come first */
    uint64_t reserved;
    bool draining, closing;
    uint64_t looked_at, woke_at, asleep; /* ms, see baod_peers_time() */
    uint64_t drain_until;                /* ms */
    void (*drained)(void *user);
    void *drained_user;
    struct baod_brp_counts counts;
    struct baod_tls *tls; /* of the last reload; NULL: there was none */
    unsigned renewal;
    unsigned reminders; /* peers that may still be reminded in this sweep */
};

/* Makes a peer of an accepted stream: 0 or <0, then the stream is still the caller's. */
int baod_peer_new(struct baod_peers *peers, uint64_t id, struct baod_stream *stream,
                  struct baod_peer **ret) BAO_MUST_CHECK;
/* Does what the last events ask for; the peer may be freed: false then. */
bool baod_peer_settle(struct baod_peer *p);
/* Asks for settling in this iteration of the loop. */
void baod_peer_touch(struct baod_peer *p);
/* Judges its certificate by the files of the last reload. */
void baod_peer_renew(struct baod_peer *p);
/* Looks at its limits of time. */
void baod_peer_sweep(struct baod_peer *p, uint64_t now_ms);
/* Frees it and lets its stream go. */
void baod_peer_close(struct baod_peer *p, bool linger, const char *why);
/* Tells it that the daemon leaves. */
void baod_peer_drain(struct baod_peer *p, int within_ms);
/* For the unit itself, or as the one that took over its debts. */
bool baod_peer_speaks_for(const struct baod_peer *p, struct bao_str unit);
/* Is this very code among those it proved? `heir`: who answers for it now, may be empty. */
bool baod_peer_has_unit(const struct baod_peer *p, struct bao_str unit, struct bao_str heir);
/* Microseconds for the sessions. This clock stands still while the loop does, in a long turn or on a machine
 * that was stopped: what came meanwhile is in time, for the server itself was not reading. */
int64_t baod_peers_time(struct baod_peers *peers);
struct baod_peer *baod_peers_find(struct baod_peers *peers, uint64_t id);
/* Reserves octets of the budget of all, or puts the peer into the queue: true when reserved. */
bool baod_peers_reserve(struct baod_peers *peers, struct baod_peer *p, uint64_t octets);
/* Gives octets back; those who wait may get them. */
void baod_peers_release(struct baod_peers *peers, uint64_t octets);
/* Forgets a peer everywhere. */
void baod_peers_forget(struct baod_peers *peers, struct baod_peer *p);

/* The keys of the answer to a report that was taken. */
int baod_answer_keys(struct bao_buf *out, const struct baod_brp_fate *fate, int offset) BAO_MUST_CHECK;
