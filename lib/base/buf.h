/* A growable byte buffer with a hard maximum and two ends: append at the back, consume at the front.
 *
 * Ownership: the buffer owns its memory. A failed append leaves the contents as they were. */
#pragma once

#include "lib/base/str.h"

struct bao_buf {
    char *base;
    size_t start, end, size; /* valid octets are base[start..end) */
    size_t max;              /* most octets held at once */
};

#define BAO_BUF_NULL(max_) ((struct bao_buf){.max = (max_)})

void bao_buf_init(struct bao_buf *b, size_t max);
/* Frees the memory; may be called twice, and on a zeroed buffer. */
void bao_buf_deinit(struct bao_buf *b);

static inline size_t bao_buf_len(const struct bao_buf *b)
{
    return b->end - b->start;
}

static inline char *bao_buf_data(const struct bao_buf *b)
{
    return b->base == NULL ? NULL : b->base + b->start;
}

static inline struct bao_str bao_buf_str(const struct bao_buf *b)
{
    return (struct bao_str){bao_buf_data(b), bao_buf_len(b)};
}

/* Room for n more octets at the back, to be written by the caller and then told with
 * bao_buf_trim(); NULL when the maximum or the system says no. */
char *bao_buf_room(struct bao_buf *b, size_t n) BAO_MUST_CHECK;
/* Says that n octets were written into the room. */
void bao_buf_trim(struct bao_buf *b, size_t n);
/* Drops n octets from the front. */
void bao_buf_consume(struct bao_buf *b, size_t n);
/* Empties the buffer, keeping its memory. */
void bao_buf_clear(struct bao_buf *b);

/* 0, or -ENOBUFS at the maximum, -ENOMEM. */
int bao_buf_append(struct bao_buf *b, const void *p, size_t n) BAO_MUST_CHECK;
int bao_buf_append_str(struct bao_buf *b, struct bao_str s) BAO_MUST_CHECK;
int bao_buf_append_c(struct bao_buf *b, const char *c) BAO_MUST_CHECK;
int bao_buf_printf(struct bao_buf *b, const char *format, ...) BAO_PRINTF(2, 3) BAO_MUST_CHECK;
