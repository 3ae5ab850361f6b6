#include "lib/schema/uri.h"

/* The five parts of RFC 3986 appendix B; a part that is absent has a NULL pointer. */
struct parts {
    struct bao_str scheme, authority, path, query;
};

void bao_uri_split(struct bao_str uri, struct bao_str *ret_base, struct bao_str *ret_fragment)
{
    const char *hash = uri.n == 0 ? NULL : memchr(uri.p, '#', uri.n);

    *ret_fragment = BAO_STR_NULL;
    *ret_base = uri;
    if (hash == NULL)
        return;
    *ret_fragment = (struct bao_str){hash + 1, uri.n - (size_t)(hash + 1 - uri.p)};
    ret_base->n = (size_t)(hash - uri.p);
}

static bool is_scheme_char(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static struct bao_str rest(struct bao_str s, size_t from)
{
    return (struct bao_str){s.p + from, s.n - from};
}

static void parse(struct bao_str s, struct parts *p)
{
    size_t i = 0;

    *p = (struct parts){.scheme = BAO_STR_NULL};
    while (i < s.n && is_scheme_char(s.p[i], i == 0))
        i++;
    if (i != 0 && i < s.n && s.p[i] == ':') {
        p->scheme = (struct bao_str){s.p, i};
        s = rest(s, i + 1);
    }
    if (s.n >= 2 && s.p[0] == '/' && s.p[1] == '/') {
        for (i = 2; i < s.n && s.p[i] != '/' && s.p[i] != '?'; i++)
            ;
        p->authority = (struct bao_str){s.p + 2, i - 2};
        s = rest(s, i);
    }
    for (i = 0; i < s.n && s.p[i] != '?'; i++)
        ;
    p->path = (struct bao_str){s.n == 0 ? "" : s.p, i};
    if (i < s.n)
        p->query = rest(s, i + 1);
}

/* RFC 3986 5.2.4, in place: the result is never longer. Gives the new length. */
static size_t remove_dots(char *p, size_t n)
{
    size_t out = 0, i = 0;

    while (i < n) {
        size_t end = i + 1;

        while (end < n && p[end] != '/')
            end++;
        if (end - i == 2 && p[i] == '/' && p[i + 1] == '.') {
            if (end == n)
                p[out++] = '/';
        } else if (end - i == 3 && p[i] == '/' && p[i + 1] == '.' && p[i + 2] == '.') {
            while (out > 0 && p[--out] != '/')
                ;
            if (end == n)
                p[out++] = '/';
        } else {
            memmove(p + out, p + i, end - i);
            out += end - i;
        }
        i = end;
    }
    return out;
}

/* The base's path up to its last '/', then the reference's. */
static size_t merge(char *out, const struct parts *base, struct bao_str path)
{
    size_t n = 0;

    if (base->authority.p != NULL && base->path.n == 0) {
        out[n++] = '/';
    } else {
        for (size_t i = 0; i < base->path.n; i++)
            if (base->path.p[i] == '/')
                n = i + 1;
        if (n != 0)
            memcpy(out, base->path.p, n);
    }
    if (path.n != 0)
        memcpy(out + n, path.p, path.n);
    return n + path.n;
}

static struct bao_str join(struct bao_arena *a, const struct parts *t)
{
    size_t n = 0;
    char *p = bao_arena_alloc(a, t->scheme.n + t->authority.n + t->path.n + t->query.n + 5);

    if (p == NULL)
        return BAO_STR_NULL;
    if (t->scheme.p != NULL) {
        memcpy(p, t->scheme.p, t->scheme.n);
        n = t->scheme.n;
        p[n++] = ':';
    }
    if (t->authority.p != NULL) {
        memcpy(p + n, "//", 2);
        memcpy(p + n + 2, t->authority.p, t->authority.n);
        n += 2 + t->authority.n;
    }
    memcpy(p + n, t->path.p, t->path.n);
    n += t->path.n;
    if (t->query.p != NULL) {
        p[n++] = '?';
        memcpy(p + n, t->query.p, t->query.n);
        n += t->query.n;
    }
    p[n] = '\0';
    return (struct bao_str){p, n};
}

struct bao_str bao_uri_resolve(struct bao_arena *a, struct bao_str base, struct bao_str reference)
{
    struct parts b, r, t;
    char *path;

    if (reference.n == 0)
        return base.n == 0 ? (struct bao_str){"", 0} : base;
    parse(base, &b);
    parse(reference, &r);
    path = bao_arena_alloc(a, b.path.n + r.path.n + 2);
    if (path == NULL)
        return BAO_STR_NULL;
    t = r;
    t.path = (struct bao_str){path, r.path.n};
    if (r.path.n != 0)
        memcpy(path, r.path.p, r.path.n);
    if (r.scheme.p == NULL) {
        t.scheme = b.scheme;
        if (r.authority.p == NULL) {
            t.authority = b.authority;
            if (r.path.n == 0) {
                t.path = b.path;
                t.query = r.query.p != NULL ? r.query : b.query;
                return join(a, &t);
            }
            if (r.path.p[0] != '/')
                t.path.n = merge(path, &b, r.path);
        }
    }
    t.path.n = remove_dots(path, t.path.n);
    return join(a, &t);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct bao_str bao_uri_unescape(struct bao_arena *a, struct bao_str s)
{
    char *p = bao_arena_alloc(a, s.n + 1);
    size_t n = 0;

    if (p == NULL)
        return BAO_STR_NULL;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            p[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
            i += 2;
        } else {
            p[n++] = s.p[i];
        }
    }
    p[n] = '\0';
    return (struct bao_str){p, n};
}
