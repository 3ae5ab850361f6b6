/* One connected socket: octets in and out through a transformer (identity, or TLS), with bounded queues.
 *
 * Ownership: the owner of a stream calls baod_stream_close() exactly once; from then on no callback comes,
 * and the stream writes what is queued, lingers (protocol.md: shutdown of writing, at most 2 s or 256 KiB of
 * reading) and frees itself. Callbacks run on the loop thread; closing from inside one is allowed. */
#pragma once

#include "daemon/net/transform.h"

#include <uv.h>

struct baod_net;
struct baod_stream;

/* What all streams of a loop share: scratch buffers and the timer of lingering ones. */
struct baod_net *baod_net_new(uv_loop_t *loop) BAO_MUST_CHECK;
/* Closes the shared timer; frees it when the last stream has gone. Accepts NULL. */
void baod_net_close(struct baod_net *net);
uv_loop_t *baod_net_loop(struct baod_net *net);
/* Streams that exist, lingering ones included. */
size_t baod_net_streams(const struct baod_net *net);

struct baod_stream_ops {
    /* Plain octets; all are taken (the owner may call pause; at most one read, 64 KiB, can be on its way). */
    void (*on_read)(void *user, struct bao_str bytes);
    /* The transformer is ready (TLS handshake done); not called for the identity. May be NULL. */
    void (*on_ready)(void *user);
    /* The handshake has to wait for its turn (true), or goes on (false). May be NULL. */
    void (*on_turn)(void *user, bool waits);
    /* The write queue is short again after baod_stream_queued() was over the mark. May be NULL. */
    void (*on_drained)(void *user);
    /* The other side has ended (eof), or the connection failed; `why` is for the log. The owner still closes.
     */
    void (*on_end)(void *user, bool eof, const char *why);
};

/* Steps of handshakes in one turn of the loop; the others wait in the order they came, so that a whole
 * province that comes back at once holds nobody up who is there already. */
enum { BAOD_STREAM_SHAKES = 8 };

/* Octets queued for writing above which the owner should stop making more. */
enum {
    BAOD_STREAM_MARK = 256 * 1024,
    BAOD_STREAM_QUEUE_MAX = 4 * 1024 * 1024,
    BAOD_STREAM_CHUNK = 64 * 1024
};

/* Sets whom the stream belongs to and starts reading. To be called once, inside the listener's callback. */
int baod_stream_own(struct baod_stream *s, const struct baod_stream_ops *ops, void *user) BAO_MUST_CHECK;
/* Queues octets: 0, or -ENOBUFS when the queue is full, -ENOMEM, or the transformer's error; then close it.
 */
int baod_stream_write(struct baod_stream *s, struct bao_str bytes) BAO_MUST_CHECK;
/* Octets not yet taken by the system. */
size_t baod_stream_queued(const struct baod_stream *s);
/* When the system last took octets or the queue was empty, in uv_now() milliseconds; of octets taken since
 * the question before, the time of this one. */
uint64_t baod_stream_progress(struct baod_stream *s);
void baod_stream_pause(struct baod_stream *s);
void baod_stream_resume(struct baod_stream *s);
/* See above. `linger` false drops what is queued and resets nothing politely. */
void baod_stream_close(struct baod_stream *s, bool linger);
/* "10.1.2.3:4711", "[::1]:4711" or "unix". Valid until the next question of the kind to any stream. */
const char *baod_stream_name(const struct baod_stream *s);
/* The other side's address without its port; the same. */
const char *baod_stream_address(const struct baod_stream *s);
/* Do both come from one address? The key of per-address caps. */
bool baod_stream_is_neighbour(const struct baod_stream *a, const struct baod_stream *b);
bool baod_stream_is_loopback(const struct baod_stream *s);
/* The transformer, for questions about certificates; NULL for the identity. */
void *baod_stream_transform(const struct baod_stream *s);
