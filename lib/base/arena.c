#include "lib/base/arena.h"
#include "lib/base/error.h"

#include <stdarg.h>

enum { ALIGN = 16, FIRST_CHUNK = 8192 };

struct bao_arena_chunk {
    struct bao_arena_chunk *next;
    size_t size; /* octets after this head */
};

struct bao_arena_deferred {
    struct bao_arena_deferred *next;
    void (*end)(void *what);
    void *what;
};

#define HEAD ((sizeof(struct bao_arena_chunk) + ALIGN - 1) & ~(size_t)(ALIGN - 1))

void bao_arena_init(struct bao_arena *a, size_t cap)
{
    *a = BAO_ARENA_NULL(cap);
}

static void end_deferred(struct bao_arena *a)
{
    struct bao_arena_deferred *d = a->deferred;

    a->deferred = NULL;
    for (; d != NULL; d = d->next)
        d->end(d->what);
}

static void use_chunk(struct bao_arena *a, struct bao_arena_chunk *c)
{
    a->at = (char *)c + HEAD;
    a->end = a->at + c->size;
}

static void free_chunks(struct bao_arena_chunk *c)
{
    while (c != NULL) {
        struct bao_arena_chunk *next = c->next;
        free(c);
        c = next;
    }
}

void bao_arena_deinit(struct bao_arena *a)
{
    end_deferred(a);
    free_chunks(a->chunks);
    bao_arena_init(a, a->cap);
}

void bao_arena_reset(struct bao_arena *a)
{
    struct bao_arena_chunk *keep = a->chunks, **link = &a->chunks;

    end_deferred(a);
    if (keep == NULL)
        return;
    /* The oldest chunk is the last of the list. */
    while (keep->next != NULL) {
        link = &keep->next;
        keep = keep->next;
    }
    *link = NULL;
    if (link != &a->chunks)
        free_chunks(a->chunks);
    a->chunks = keep;
    a->used = HEAD + keep->size;
    use_chunk(a, keep);
}

static bool add_chunk(struct bao_arena *a, size_t need)
{
    size_t size = a->chunks == NULL ? FIRST_CHUNK : a->chunks->size * 2;
    struct bao_arena_chunk *c;

    if (size > (size_t)1 << 20)
        size = (size_t)1 << 20;
    if (size < need)
        size = need;
    if (a->cap != 0) {
        size_t left = a->cap > a->used ? a->cap - a->used : 0;

        if (left < HEAD || need > left - HEAD)
            return false;
        if (size > left - HEAD)
            size = (left - HEAD) & ~(size_t)(ALIGN - 1);
        if (size < need)
            return false;
    }
    c = malloc(HEAD + size);
    if (c == NULL)
        return false;
    *c = (struct bao_arena_chunk){.next = a->chunks, .size = size};
    a->chunks = c;
    a->used += HEAD + size;
    use_chunk(a, c);
    return true;
}

void *bao_arena_alloc(struct bao_arena *a, size_t size)
{
    void *p;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size == 0)
        size = ALIGN;
    if ((size_t)(a->end - a->at) < size && !add_chunk(a, size))
        return NULL;
    p = a->at;
    a->at += size;
    return p;
}

int bao_arena_defer(struct bao_arena *a, void (*end)(void *what), void *what)
{
    struct bao_arena_deferred *d = bao_arena_alloc(a, sizeof(*d));

    if (d == NULL)
        return -ENOMEM;
    *d = (struct bao_arena_deferred){.next = a->deferred, .end = end, .what = what};
    a->deferred = d;
    return 0;
}

void *bao_arena_array(struct bao_arena *a, size_t n, size_t size)
{
    size_t total;
    void *p;

    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    p = bao_arena_alloc(a, total);
    if (p != NULL)
        memset(p, 0, total);
    return p;
}

char *bao_arena_dup(struct bao_arena *a, const void *p, size_t n)
{
    char *copy = n == SIZE_MAX ? NULL : bao_arena_alloc(a, n + 1);

    if (copy == NULL)
        return NULL;
    if (n != 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

struct bao_str bao_arena_str(struct bao_arena *a, struct bao_str s)
{
    char *p = bao_arena_dup(a, s.p, s.n);

    return p == NULL ? BAO_STR_NULL : (struct bao_str){p, s.n};
}

struct bao_str bao_arena_printf(struct bao_arena *a, const char *format, ...)
{
    va_list args;
    char *p;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return BAO_STR_NULL;
    p = bao_arena_alloc(a, (size_t)n + 1);
    if (p == NULL)
        return BAO_STR_NULL;
    va_start(args, format);
    (void)vsnprintf(p, (size_t)n + 1, format, args); /* the first call measured it */
    va_end(args);
    return (struct bao_str){p, (size_t)n};
}
