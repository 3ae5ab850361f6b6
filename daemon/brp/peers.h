/* The report protocol's port: peers, their windows and limits, and what they ask of the rest of the daemon.
 *
 * The registry (struct baod_peers) owns every peer and finds it by a 64-bit id, so that an answer to a peer
 * that has left is simply dropped. Asynchronous answers name peer and transaction. */
#pragma once

#include "daemon/intake.h"
#include "daemon/net/stream.h"
#include "daemon/ops/failures.h"
#include "daemon/store/notices.h"
#include "lib/wire/answer.h"
#include "lib/wire/server_session.h"

struct baod_peers;
struct baod_tls;

/* A question by STAT; texts are borrowed for the call. */
struct baod_brp_stat {
    bool by_receipt;
    uint8_t receipt[16];
    struct bao_str form, unit, period; /* otherwise */
    int revision;                      /* 0 = the current one */
    bool proof;                        /* the receipt file is wanted as body */
};

struct baod_brp_due {
    struct bao_str unit;
    bao_date until; /* BAO_DATE_NONE: not said */
    enum bao_lang lang;
};

/* A HELLO; texts are borrowed for the call. */
struct baod_brp_hello {
    struct bao_str agent, token;
    const char *address; /* of the peer, for the log */
    const struct baod_identity
        *proven;                  /* by its certificate, or the own machine without TLS; NULL: nothing */
    bool has_certificate;         /* it showed one */
    const char *const *complaint; /* what is wrong with it, by language; NULL: nothing */
};

/* What became of it. */
struct baod_brp_verdict {
    enum bao_symbol symbol;           /* NONE: accepted; AUTH; or a WAIT symbol */
    struct baod_identity who;         /* when accepted; copied */
    struct bao_str detail[BAO_LANGS]; /* a sentence: why not, or a warning; may be empty */
    bool by_token;                    /* it was shown one, right or wrong */
};

/* What the port needs from others; wired in daemon/server. All run on the loop thread. */
struct baod_brp_ops {
    void *user;
    /* Wall time of custody: anchored, never going back. */
    bao_time (*now)(void *user);
    /* baod_intake_submit(). */
    int (*submit)(void *user, const struct baod_request *request);
    /* Starts looking a report up; answered by baod_brp_fate(), at once or later. 0 or <0 (WAIT BUSY). */
    int (*stat)(void *user, uint64_t peer, uint32_t txn, const struct baod_brp_stat *question,
                const struct baod_identity *who);
    /* Starts listing obligations; answered by baod_brp_lines(). NULL: VERB. */
    int (*due)(void *user, uint64_t peer, uint32_t txn, const struct baod_brp_due *question,
               const struct baod_identity *who);
    /* Who is this? Answered by baod_brp_identity(), at once or later. NULL: what is proven is believed, and
     * no token. */
    int (*hello)(void *user, uint64_t peer, const struct baod_brp_hello *hello);
    /* A peer is open for these units (send again what they have not read). May be NULL. */
    void (*opened)(void *user, uint64_t peer, const struct baod_identity *who);
    /* It is time to tell a peer what these units owe; called again after `remind_ms`. May be NULL. */
    void (*remind)(void *user, uint64_t peer, const struct baod_identity *who);
    /* Who answers now for what the unit owed: itself, or the one it was merged into; empty when nobody does.
     * Borrowed until the next call. NULL: itself. */
    struct bao_str (*heir)(void *user, struct bao_str unit);
};

struct baod_brp_config {
    struct bao_server_limits limits; /* needs_hash is set per stream */
    uint64_t total_bytes;            /* reservations of all peers together */
    size_t max_peers;
    size_t max_per_address;         /* 0 = no cap */
    int offset;                     /* the province's seconds east of UTC, for answers */
    uint64_t remind_ms;             /* how often an open peer is reminded; 0 = never */
    const char *server;             /* the name in the answer of HELLO */
    struct baod_failures *failures; /* of identities, shared with the other port; borrowed */
};

/* items 64, bytes 4 MiB, maxbody 1 MiB, maxraw 4 MiB, idle 180 s, 256 MiB in all, 8,192 peers. */
struct baod_brp_config baod_brp_defaults(void);

/* `ops` and texts of `config` are borrowed for its life. 0 or <0. */
int baod_peers_new(uv_loop_t *loop, const struct baod_brp_config *config, const struct baod_brp_ops *ops,
                   struct baod_peers **ret) BAO_MUST_CHECK;
/* Takes a connection from a listener. */
void baod_peers_accept(struct baod_peers *peers, struct baod_stream *stream);
/* New keys and lists of revoked certificates are in force: connections whose certificate they no longer trust
 * are ended within seconds, a few in each turn. A reference is taken. */
void baod_peers_renew(struct baod_peers *peers, struct baod_tls *tls);
/* Starts leaving: DRAIN to all; `drained(user)` is called once when the last peer has gone, or at once. */
void baod_peers_drain(struct baod_peers *peers, int within_ms, void (*drained)(void *user), void *user);
/* Closes every peer now and frees the registry after its handles. Accepts NULL. */
void baod_peers_close(struct baod_peers *peers);
size_t baod_peers_count(const struct baod_peers *peers);

/* Figures since the start, for metrics. */
struct baod_brp_counts {
    uint64_t accepted, closed, refused; /* connections; refused = over a cap */
    uint64_t reports, ok, wait, no;     /* reports read and their answers */
    uint64_t auth_failed;               /* HELLOs refused */
    uint64_t late;                      /* answers whose peer had gone */
    uint64_t reserved;                  /* octets reserved now */
    size_t open, waiting;               /* peers; of those, waiting for a reservation */
};
struct baod_brp_counts baod_peers_counts(const struct baod_peers *peers);

/* The answer of a report; fits baod_request.answer with user = the registry. */
void baod_brp_answer(void *peers, uint64_t peer, uint32_t txn, const struct baod_submission *s);

/* What STAT found. Texts are borrowed for the call. */
struct baod_brp_fate {
    enum bao_symbol symbol; /* NONE: the receipt is valid */
    struct baod_receipt receipt;
    struct bao_str form, unit, period;
    struct bao_str file;     /* the receipt file, when it was asked for */
    struct bao_str warnings; /* JSON, as stored; may be empty */
};
/* True: the peer was told of a report that it may know of. */
bool baod_brp_fate(struct baod_peers *peers, uint64_t peer, uint32_t txn, const struct baod_brp_fate *fate);
/* Answers DUE: JSON lines and who answers for the unit now (may be empty), or a symbol. True: the peer was
 * still there. */
bool baod_brp_lines(struct baod_peers *peers, uint64_t peer, uint32_t txn, enum bao_symbol symbol,
                    struct bao_str heir, struct bao_str lines);
/* Answers HELLO. The answer of AUTH is put off the longer the oftener its address or its token was wrong. */
void baod_brp_identity(struct baod_peers *peers, uint64_t peer, const struct baod_brp_verdict *verdict);
/* Ends the connections of tokens that hold no more: `holds(user, credential)` is asked for each. */
void baod_peers_recheck(struct baod_peers *peers, bool (*holds)(void *user, const uint8_t credential[16]),
                        void *user);
/* Tells this peer, or with peer 0 every open one that speaks for the notice's unit: DONE, RETURNED or REMIND
 * in its own language. A peer that has gone is no error. */
void baod_brp_notify(struct baod_peers *peers, uint64_t peer, const struct baod_notice *notice);
/* The same in ready-made words, to every open peer that speaks for the unit. */
void baod_brp_tell(struct baod_peers *peers, struct bao_str unit, const char *verb, struct bao_str keys,
                   struct bao_str body);
