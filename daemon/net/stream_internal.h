/* What the listener needs to make a stream: the files of daemon/net only. */
#pragma once

#include "daemon/net/stream.h"

enum baod_stream_phase {
    BAOD_STREAM_LIVE,   /* the owner has it */
    BAOD_STREAM_LINGER, /* the owner let go; the last octets are on their way */
    BAOD_STREAM_CLOSED, /* uv_close() was called */
};

/* What could not be written at once; most answers need none of it. */
struct baod_stream_out {
    struct bao_buf queue;  /* gathered while a write is under way */
    struct bao_buf flight; /* being written */
    size_t left;           /* of the flight, when its progress was last asked for */
    uv_write_t write;
    bool writing;
};

struct baod_stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct baod_net *net;
    enum baod_stream_phase phase;
    const struct baod_stream_ops *ops;
    void *user;
    const struct baod_transform_ops *transform; /* NULL: identity */
    void *transform_state;
    bool was_ready; /* on_ready was called */
    bool begun;     /* its handshake: the transformer has had octets */
    bool ended;     /* the other side has ended, or the connection failed */
    bool paused;
    bool over_mark; /* on_drained is owed */
    bool loopback;
    struct baod_stream_out *out; /* NULL: everything is written */
    uv_shutdown_t *shutdown;
    uint64_t progress;     /* ms */
    uint64_t linger_until; /* ms */
    size_t linger_read;
    struct baod_stream *next, *prev; /* among the lingering, or those whose handshake waits */
    struct bao_buf *put_off;         /* octets of a handshake that waits for its turn */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } from; /* the other side; AF_UNSPEC when it had gone already */
};

/* Handshakes that wait for their turn, first come first. */
struct baod_stream_queue {
    struct baod_stream *first, *last;
};

/* A handshake under way needs about as much memory for a moment as its connection keeps for hours, and what
 * it gives back lies between that of others. So only some are under way at once; one that takes its time no
 * longer counts after PATIENCE, so that those who never answer hold nobody up. */
enum { BAOD_STREAM_BEGUN = 32, BAOD_STREAM_PATIENCE_MS = 20 };

struct baod_stream_begun {
    const struct baod_stream *stream; /* NULL: free */
    uint64_t at;                      /* ms */
};

struct baod_net {
    uv_loop_t *loop;
    uv_timer_t sweep;
    size_t streams;
    bool closing;
    struct baod_stream *lingering;
    struct baod_stream_queue fresh, going; /* handshakes that wait to begin, and to go on: these go first */
    struct baod_stream_begun begun[BAOD_STREAM_BEGUN];
    uv_idle_t turn;             /* runs while one of them can be served, once in a turn of the loop */
    uv_timer_t patience;        /* runs while none can: fresh ones wait for those that were begun */
    unsigned shakes;            /* of this turn */
    unsigned handles;           /* not yet closed */
    struct bao_buf plain, wire; /* scratch: empty between callbacks */
    char name[80], address[64]; /* the ones last asked for */
    char chunk[BAOD_STREAM_CHUNK];
};

/* Makes a stream for an accepted connection: uv.handle is initialised (TCP or pipe), nothing runs yet. The
 * transformer is taken over, also on failure. */
int baod_stream_new(struct baod_net *net, uv_handle_type type, const struct baod_transform_ops *transform,
                    void *transform_state, struct baod_stream **ret) BAO_MUST_CHECK;
/* After uv_accept(): learns the other side's name. */
void baod_stream_learn_name(struct baod_stream *s);
/* Closes without ceremony. */
void baod_stream_destroy(struct baod_stream *s);
/* Prints an address as host and host:port; tells whether it is loopback. */
bool baod_address_print(const struct sockaddr *addr, char *ret_name, size_t name_size, char *ret_host,
                        size_t host_size);
