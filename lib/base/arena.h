/* Memory that dies together: everything made for one report, one form, one batch line.
 *
 * Ownership: the arena owns every piece; pieces are never freed singly. Not thread-safe; an
 * arena belongs to one worker at a time. The cap bounds what hostile input can pin. */
#pragma once

#include "lib/base/str.h"

struct bao_arena_chunk;
struct bao_arena_deferred;

struct bao_arena {
    struct bao_arena_chunk *chunks;      /* newest first */
    char *at, *end;                      /* free part of the newest chunk */
    size_t used;                         /* octets taken from the system */
    size_t cap;                          /* most octets to take; 0 = no cap */
    struct bao_arena_deferred *deferred; /* what dies with the memory, newest first */
};

#define BAO_ARENA_NULL(cap_) ((struct bao_arena){.cap = (cap_)})

/* Makes an empty arena; takes no memory yet. */
void bao_arena_init(struct bao_arena *a, size_t cap);
/* Frees everything; may be called twice, and on a zeroed arena. */
void bao_arena_deinit(struct bao_arena *a);
/* Forgets everything but keeps the first chunk for the next use. */
void bao_arena_reset(struct bao_arena *a);

/* size octets, aligned to 16, not cleared; NULL when the cap or the system says no. */
void *bao_arena_alloc(struct bao_arena *a, size_t size) BAO_MUST_CHECK;
/* Calls `end` with `what` when the arena is reset or freed, before its memory goes: for things that foreign
 * libraries own. 0 or -ENOMEM (then nothing will be called). */
int bao_arena_defer(struct bao_arena *a, void (*end)(void *what), void *what) BAO_MUST_CHECK;
/* n elements of size octets, cleared; NULL also when the product overflows. */
void *bao_arena_array(struct bao_arena *a, size_t n, size_t size) BAO_MUST_CHECK;
/* A NUL-terminated copy of n octets; NULL when there is no memory. */
char *bao_arena_dup(struct bao_arena *a, const void *p, size_t n) BAO_MUST_CHECK;
/* A copy of a piece; .p is NULL when there is no memory (also tells an empty copy apart: its .p is not NULL).
 */
struct bao_str bao_arena_str(struct bao_arena *a, struct bao_str s) BAO_MUST_CHECK;
/* printf into the arena; .p is NULL when there is no memory. */
struct bao_str bao_arena_printf(struct bao_arena *a, const char *format, ...) BAO_PRINTF(2, 3) BAO_MUST_CHECK;
