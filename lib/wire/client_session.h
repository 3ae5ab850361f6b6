/* The client's side of one BRP/1 connection, without sockets or clocks: requests in, bytes out in `out`;
 * bytes in, events out. Keeps the server's windows, matches answers to requests by transaction. */
#pragma once

#include "lib/wire/frame.h"

struct bao_client_limits {
    uint32_t items;
    uint64_t bytes, maxbody, maxraw;
    uint32_t idle_s;
};

enum bao_client_outcome {
    BAO_CLIENT_E_WINDOW = 1, /* too much unanswered: try again after an answer */
    BAO_CLIENT_E_TOOBIG,     /* larger than the server takes; never sent */
    BAO_CLIENT_E_STATE,      /* before HELLO was answered, or after the end */
};

enum bao_client_kind {
    BAO_CLIENT_NONE,    /* all input was used */
    BAO_CLIENT_GREETED, /* HELLO was answered OK; limits are known */
    BAO_CLIENT_ANSWER,  /* to the request `txn` made with `cookie` */
    BAO_CLIENT_TOLD,    /* DONE, REMIND, RETURNED or DRAIN: head.verb */
    BAO_CLIENT_ENDED,   /* BYE, a refused HELLO, or NO 0: `symbol`; nothing more will come */
    BAO_CLIENT_BROKEN,  /* the server's octets make no frame */
};

struct bao_client_event {
    enum bao_client_kind kind;
    uint32_t txn;
    uint64_t cookie;
    enum bao_answer answer;
    enum bao_symbol symbol; /* NONE for OK; INTERNAL for a symbol unknown here */
    uint64_t after_ms;      /* of WAIT */
    struct bao_str body;    /* valid until the next feed */
    struct bao_head head;   /* valid until the event is filled again */
};

struct bao_client_request {
    uint32_t txn;
    uint64_t cookie, bytes;
};

struct bao_client_session {
    struct bao_frame_decoder frames;
    struct bao_buf out;
    struct bao_client_limits limits;
    bool greeted, ended;
    uint32_t last_txn;
    struct bao_client_request *open;
    uint32_t n_open, size_open;
    uint64_t open_bytes;
};

struct bao_client_hello {
    struct bao_str agent, token; /* token may be empty */
    enum bao_lang lang;
    bool json; /* findings as JSON */
};

/* One report to send. */
struct bao_client_report {
    struct bao_str body; /* as it goes on the wire */
    bool deflated;
    uint64_t raw;          /* the document's size when deflated */
    const uint8_t *sha256; /* of the document; 32 octets or NULL */
    uint64_t cookie;       /* comes back with the answer */
};

/* Starts with HELLO in `out`: 0 or -ENOMEM. Deinit in any case. */
int bao_client_init(struct bao_client_session *c, const struct bao_client_hello *hello) BAO_MUST_CHECK;
void bao_client_deinit(struct bao_client_session *c);
/* Uses octets from the front of *in until something happens: 0 and an event, or -ENOMEM. */
int bao_client_feed(struct bao_client_session *c, struct bao_str *in,
                    struct bao_client_event *ret) BAO_MUST_CHECK;
/* 0, an outcome, or -ENOMEM, -ENOBUFS. */
int bao_client_send(struct bao_client_session *c, const struct bao_client_report *report) BAO_MUST_CHECK;
/* Any other verb (STAT, DUE, PING, QUIT) with keys as made by bao_head_put(). */
int bao_client_ask(struct bao_client_session *c, const char *verb, struct bao_str keys,
                   uint64_t cookie) BAO_MUST_CHECK;
