#include "lib/base/buf.h"
#include "lib/base/error.h"

#include <stdarg.h>

void bao_buf_init(struct bao_buf *b, size_t max)
{
    *b = BAO_BUF_NULL(max);
}

void bao_buf_deinit(struct bao_buf *b)
{
    free(b->base);
    bao_buf_init(b, b->max);
}

static bool grow(struct bao_buf *b, size_t need)
{
    size_t size = b->size == 0 ? 256 : b->size;
    char *p;

    while (size < need)
        size = size > SIZE_MAX / 2 ? need : size * 2;
    if (size > b->max && need <= b->max)
        size = b->max;
    p = realloc(b->base, size);
    if (p == NULL)
        return false;
    b->base = p;
    b->size = size;
    return true;
}

char *bao_buf_room(struct bao_buf *b, size_t n)
{
    size_t len = bao_buf_len(b);

    if (n > b->max || len > b->max - n)
        return NULL;
    if (b->base == NULL || b->size - b->end < n) {
        if (b->start != 0) {
            memmove(b->base, b->base + b->start, len);
            b->start = 0;
            b->end = len;
        }
        if (b->size - b->end < n || b->base == NULL)
            if (!grow(b, len + n))
                return NULL;
    }
    return b->base + b->end;
}

void bao_buf_trim(struct bao_buf *b, size_t n)
{
    bao_require(n <= b->size - b->end);
    b->end += n;
}

void bao_buf_consume(struct bao_buf *b, size_t n)
{
    bao_require(n <= bao_buf_len(b));
    b->start += n;
    if (b->start == b->end)
        bao_buf_clear(b);
}

void bao_buf_clear(struct bao_buf *b)
{
    b->start = b->end = 0;
}

int bao_buf_append(struct bao_buf *b, const void *p, size_t n)
{
    char *room = bao_buf_room(b, n);

    if (room == NULL)
        return n > b->max || bao_buf_len(b) > b->max - n ? -ENOBUFS : -ENOMEM;
    if (n != 0)
        memcpy(room, p, n);
    b->end += n;
    return 0;
}

int bao_buf_append_str(struct bao_buf *b, struct bao_str s)
{
    return bao_buf_append(b, s.p, s.n);
}

int bao_buf_append_c(struct bao_buf *b, const char *c)
{
    return bao_buf_append(b, c, strlen(c));
}

int bao_buf_printf(struct bao_buf *b, const char *format, ...)
{
    va_list args;
    char *room;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return -EINVAL;
    room = bao_buf_room(b, (size_t)n + 1);
    if (room == NULL)
        return bao_buf_len(b) + (size_t)n + 1 > b->max ? -ENOBUFS : -ENOMEM;
    va_start(args, format);
    (void)vsnprintf(room, (size_t)n + 1, format, args); /* the first call measured it */
    va_end(args);
    b->end += (size_t)n;
    return 0;
}
