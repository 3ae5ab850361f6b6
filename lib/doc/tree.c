#include "lib/doc/tree.h"
#include "lib/base/octets.h"
#include "lib/base/buf.h"
#include "lib/base/crypto.h"

/* ---- members in the order of their keys ---- */

static const uint32_t *index_of(const struct bao_node *map)
{
    return map->indexed ? (const uint32_t *)(const void *)(map->members + map->len) : NULL;
}

static int key_cmp(const struct bao_member *a, const struct bao_member *b)
{
    return bao_str_cmp(bao_member_key(a), bao_member_key(b));
}

/* A walk over a map's members sorted by key, without any allocation. */
struct walk {
    const struct bao_node *map;
    const uint32_t *order;         /* NULL: search the next key each time */
    uint32_t at;                   /* members given so far */
    const struct bao_member *last; /* the one given last */
    uint32_t small[BAO_MAP_SMALL];
};

/* The first octets of a key as a number: where two differ they say which key is the smaller. */
static uint64_t key_begin(const struct bao_member *m)
{
    return __builtin_bswap64(m->key_len < 8 ? bao_octets_few(m->key, m->key_len) : bao_octets_at(m->key));
}

static void walk_init(struct walk *w, const struct bao_node *map)
{
    uint64_t begins[BAO_MAP_SMALL];

    w->map = map;
    w->at = 0;
    w->last = NULL;
    w->order = index_of(map);
    if (w->order != NULL || map->len > BAO_MAP_SMALL)
        return;
    for (uint32_t i = 0; i < map->len; i++) {
        uint64_t begin = key_begin(&map->members[i]);
        uint32_t k = i;

        for (; k != 0 &&
               (begins[k - 1] > begin ||
                (begins[k - 1] == begin && key_cmp(&map->members[w->small[k - 1]], &map->members[i]) > 0));
             k--) {
            w->small[k] = w->small[k - 1];
            begins[k] = begins[k - 1];
        }
        w->small[k] = i;
        begins[k] = begin;
    }
    w->order = w->small;
}

static const struct bao_member *walk_next(struct walk *w)
{
    const struct bao_member *members = w->map->members, *next = NULL;

    if (w->at == w->map->len)
        return NULL;
    if (w->order != NULL) {
        next = &members[w->order[w->at]];
    } else {
        for (uint32_t i = 0; i < w->map->len; i++)
            if ((w->last == NULL || key_cmp(&members[i], w->last) > 0) &&
                (next == NULL || key_cmp(&members[i], next) < 0))
                next = &members[i];
    }
    w->at++;
    w->last = next;
    return next;
}

/* ---- lookup and order ---- */

static const struct bao_member *bisect(const struct bao_node *map, struct bao_str key)
{
    const uint32_t *order = index_of(map);
    uint32_t low = 0, high = map->len;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct bao_member *m = &map->members[order[mid]];
        int c = bao_str_cmp(key, bao_member_key(m));

        if (c == 0)
            return m;
        if (c > 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static const struct bao_member *find(const struct bao_node *map, struct bao_str key, uint32_t hash)
{
    if (map->indexed)
        return bisect(map, key);
    for (uint32_t i = 0; i < map->len; i++) {
        const struct bao_member *m = &map->members[i];

        if (m->hash == hash && bao_str_eq(bao_member_key(m), key))
            return m;
    }
    return NULL;
}

const struct bao_member *bao_node_member(const struct bao_node *map, struct bao_str key)
{
    return map == NULL || map->type != BAO_MAP ? NULL : find(map, key, bao_key_hash(key.p, key.n));
}

const struct bao_node *bao_node_get(const struct bao_node *map, const char *key)
{
    const struct bao_member *m = bao_node_member(map, bao_str_c(key));

    return m == NULL ? NULL : &m->value;
}

const struct bao_node *bao_node_at(const struct bao_node *node, struct bao_str pointer)
{
    while (pointer.n != 0 && node != NULL) {
        const char *slash = memchr(pointer.p + 1, '/', pointer.n - 1);
        size_t n = slash == NULL ? pointer.n - 1 : (size_t)(slash - pointer.p) - 1;
        const struct bao_member *m = bao_node_member(node, (struct bao_str){pointer.p + 1, n});

        node = m == NULL ? NULL : &m->value;
        pointer = (struct bao_str){pointer.p + n + 1, pointer.n - n - 1};
    }
    return node;
}

static bool equal_maps(const struct bao_node *a, const struct bao_node *b)
{
    if (a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct bao_member *m = &a->members[i], *n = &b->members[i];

        /* Equal maps mostly have the same order. */
        if (m->hash != n->hash || !bao_str_eq(bao_member_key(m), bao_member_key(n)))
            n = find(b, bao_member_key(m), m->hash);
        if (n == NULL || !bao_node_equal(&m->value, &n->value))
            return false;
    }
    return true;
}

static bool equal_lists(const struct bao_node *a, const struct bao_node *b)
{
    if (a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (!bao_node_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

bool bao_node_equal(const struct bao_node *a, const struct bao_node *b)
{
    if (a->type != b->type)
        return false;
    switch ((enum bao_type)a->type) {
    case BAO_NULL:
        return true;
    case BAO_BOOL:
        return a->boolean == b->boolean;
    case BAO_INT:
        return a->i == b->i;
    case BAO_DEC:
        return bao_num_cmp(bao_node_num(a), bao_node_num(b)) == 0;
    case BAO_STRING:
        return bao_str_eq(bao_node_str(a), bao_node_str(b));
    case BAO_LIST:
        return equal_lists(a, b);
    case BAO_MAP:
        return equal_maps(a, b);
    }
    return false;
}

static int cmp_lists(const struct bao_node *a, const struct bao_node *b)
{
    uint32_t n = a->len < b->len ? a->len : b->len;

    for (uint32_t i = 0; i < n; i++) {
        int c = bao_node_cmp(&a->items[i], &b->items[i]);

        if (c != 0)
            return c;
    }
    return (a->len > b->len) - (a->len < b->len);
}

/* By the smallest key at which the two differ; a map that has it comes after one that has not. */
static int cmp_maps(const struct bao_node *a, const struct bao_node *b)
{
    struct walk x, y;

    walk_init(&x, a);
    walk_init(&y, b);
    for (;;) {
        const struct bao_member *m = walk_next(&x), *n = walk_next(&y);
        int c;

        if (m == NULL || n == NULL)
            return (m != NULL) - (n != NULL);
        c = key_cmp(m, n);
        if (c != 0)
            return -c;
        c = bao_node_cmp(&m->value, &n->value);
        if (c != 0)
            return c;
    }
}

int bao_node_cmp(const struct bao_node *a, const struct bao_node *b)
{
    if (bao_node_is_number(a) && bao_node_is_number(b))
        return bao_num_cmp(bao_node_num(a), bao_node_num(b));
    if (a->type != b->type)
        return a->type > b->type ? 1 : -1;
    switch ((enum bao_type)a->type) {
    case BAO_BOOL:
        return (int)a->boolean - (int)b->boolean;
    case BAO_STRING:
        return bao_str_cmp(bao_node_str(a), bao_node_str(b));
    case BAO_LIST:
        return cmp_lists(a, b);
    case BAO_MAP:
        return cmp_maps(a, b);
    case BAO_NULL:
    case BAO_INT:
    case BAO_DEC:
        break;
    }
    return 0;
}

/* ---- writing ---- */

/* What follows the backslash for an octet that cannot stand in quotes: its letter, or u for hexadecimal. */
static char escape_letter(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 'u';
    }
}

/* Marks the octets below a space, quotes and backslashes: the lowest mark is right. One step for the three of
 * them, none of which has its high bit set. */
static uint64_t marks_to_escape(uint64_t w)
{
    uint64_t low = w - BAO_EACH_OCTET(0x20), quote = (w ^ BAO_EACH_OCTET('"')) - BAO_EACH_OCTET(1),
             backslash = (w ^ BAO_EACH_OCTET('\\')) - BAO_EACH_OCTET(1);

    return (low | quote | backslash) & ~w & BAO_EACH_OCTET(0x80);
}

/* Where, from octet i on, the next one stands that must be escaped; s.n when there is none. */
static size_t plain_octets(struct bao_str s, size_t i)
{
    uint64_t stop;

    for (; s.n - i >= 8; i += 8) {
        stop = marks_to_escape(bao_octets_at(s.p + i));
        if (stop != 0)
            return i + bao_octets_first(stop);
    }
    if (i == s.n)
        return i;
    /* Filled up with spaces, which need no escape. */
    stop = marks_to_escape(bao_octets_few(s.p + i, s.n - i) | BAO_EACH_OCTET(' ') << (s.n - i) * 8);
    return stop == 0 ? s.n : i + bao_octets_first(stop);
}

/* The same when some octets must be escaped; `plain` of them come before the first. */
static int quote_escaping(struct bao_buf *out, struct bao_str s, size_t plain)
{
    size_t from = 0;
    int r = bao_buf_append(out, "\"", 1);

    for (size_t i = plain; i < s.n && r == 0; i = plain_octets(s, i + 1)) {
        char letter = escape_letter((unsigned char)s.p[i]);

        r = bao_buf_append(out, s.p + from, i - from);
        if (r == 0)
            r = letter == 'u' ? bao_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)s.p[i])
                              : bao_buf_append(out, (const char[]){'\\', letter}, 2);
        from = i + 1;
    }
    if (r == 0 && s.n > from)
        r = bao_buf_append(out, s.p + from, s.n - from);
    return r == 0 ? bao_buf_append(out, "\"", 1) : r;
}

/* Copies a text that needs no escape, with up to 7 octets more; false where one does. */
static bool copy_plain(char *to, struct bao_str s)
{
    size_t i = 0;
    uint64_t w;

    for (; s.n - i >= 8; i += 8) {
        w = bao_octets_at(s.p + i);
        if (marks_to_escape(w) != 0)
            return false;
        bao_octets_put(to + i, w);
    }
    if (i == s.n)
        return true;
    w = bao_octets_few(s.p + i, s.n - i) | BAO_EACH_OCTET(' ') << (s.n - i) * 8;
    bao_octets_put(to + i, w);
    return marks_to_escape(w) == 0;
}

/* A quoted text between two octets, NUL for none. In one piece when nothing needs an escape, as in nearly
 * every text of a report: the content hash is made on every report's way. */
static int quote_between(struct bao_buf *out, char before, struct bao_str s, char after)
{
    char *start = bao_buf_room(out, s.n + 4 + 8), *p = start;
    int r = 0;

    if (p != NULL && before != '\0')
        *p++ = before;
    if (p == NULL || !copy_plain(p + 1, s)) {
        if (before != '\0')
            r = bao_buf_append(out, &before, 1);
        if (r == 0)
            r = quote_escaping(out, s, plain_octets(s, 0));
        return r == 0 && after != '\0' ? bao_buf_append(out, &after, 1) : r;
    }
    *p = '"';
    p += s.n + 1;
    *p++ = '"';
    if (after != '\0')
        *p++ = after;
    bao_buf_trim(out, (size_t)(p - start));
    return 0;
}

int bao_json_quote(struct bao_buf *out, struct bao_str s)
{
    return quote_between(out, '\0', s, '\0');
}

int bao_json_both(struct bao_buf *out, struct bao_str vi, struct bao_str en)
{
    int r = bao_buf_append_c(out, "{\"vi\":");

    if (r == 0)
        r = bao_json_quote(out, vi);
    if (r == 0)
        r = bao_buf_append_c(out, ",\"en\":");
    if (r == 0)
        r = bao_json_quote(out, en);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

enum { ENOUGH = 4096 }; /* octets that are hashed at a time */

/* Where the text goes: into the buffer, and from there into the hash whenever enough has come together. */
struct printer {
    struct bao_buf *out;
    struct bao_sha256 *hash; /* NULL: only the buffer */
    bool sorted;
};

static int print_node(struct printer *p, const struct bao_node *node);

static int print_member(struct printer *p, const struct bao_member *m, bool first)
{
    int r = quote_between(p->out, first ? '\0' : ',', bao_member_key(m), ':');

    return r == 0 ? print_node(p, &m->value) : r;
}

static int print_sorted(struct printer *p, const struct bao_node *map)
{
    const struct bao_member *m;
    struct walk w;
    int r = 0;

    walk_init(&w, map);
    while (r == 0 && (m = walk_next(&w)) != NULL)
        r = print_member(p, m, w.at == 1);
    return r;
}

static int print_map(struct printer *p, const struct bao_node *map)
{
    int r = bao_buf_append(p->out, "{", 1);

    if (r == 0 && p->sorted)
        r = print_sorted(p, map);
    for (uint32_t i = 0; i < map->len && r == 0 && !p->sorted; i++)
        r = print_member(p, &map->members[i], i == 0);
    return r == 0 ? bao_buf_append(p->out, "}", 1) : r;
}

static int print_list(struct printer *p, const struct bao_node *list)
{
    int r = bao_buf_append(p->out, "[", 1);

    for (uint32_t i = 0; i < list->len && r == 0; i++) {
        if (i != 0)
            r = bao_buf_append(p->out, ",", 1);
        if (r == 0)
            r = print_node(p, &list->items[i]);
    }
    return r == 0 ? bao_buf_append(p->out, "]", 1) : r;
}

static int print_node(struct printer *p, const struct bao_node *node)
{
    if (p->hash != NULL && bao_buf_len(p->out) >= ENOUGH) {
        bao_sha256_feed(p->hash, bao_buf_data(p->out), bao_buf_len(p->out));
        bao_buf_clear(p->out);
    }
    switch ((enum bao_type)node->type) {
    case BAO_NULL:
        return bao_buf_append(p->out, "null", 4);
    case BAO_BOOL:
        return bao_buf_append_c(p->out, node->boolean ? "true" : "false");
    case BAO_INT:
    case BAO_DEC:
        return bao_num_print(p->out, bao_node_num(node));
    case BAO_STRING:
        return bao_json_quote(p->out, bao_node_str(node));
    case BAO_LIST:
        return print_list(p, node);
    case BAO_MAP:
        return print_map(p, node);
    }
    return -EINVAL;
}

int bao_node_print_json(struct bao_buf *out, const struct bao_node *node)
{
    return print_node(&(struct printer){.out = out}, node);
}

int bao_node_print_canonical(struct bao_buf *out, const struct bao_node *node)
{
    return print_node(&(struct printer){.out = out, .sorted = true}, node);
}

int bao_node_hash(const struct bao_node *node, uint8_t ret[32])
{
    struct bao_buf room BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(SIZE_MAX / 2);
    struct bao_sha256 hash;
    int r;

    if (bao_buf_room(&room, 2 * ENOUGH) == NULL) /* at once, not in many steps */
        return -ENOMEM;
    bao_sha256_init(&hash);
    r = print_node(&(struct printer){.out = &room, .hash = &hash, .sorted = true}, node);
    if (r < 0)
        return r;
    bao_sha256_feed(&hash, bao_buf_data(&room), bao_buf_len(&room));
    bao_sha256_get(&hash, ret);
    return 0;
}

/* ------------------------------------------------------------------ copying */

static bool copy_into(struct bao_arena *arena, const struct bao_node *node, struct bao_node *ret);

static bool copy_list(struct bao_arena *arena, const struct bao_node *node, struct bao_node *ret)
{
    struct bao_node *items = bao_arena_array(arena, node->len, sizeof(*items));
    bool ok = items != NULL;

    for (uint32_t i = 0; ok && i < node->len; i++)
        ok = copy_into(arena, &node->items[i], &items[i]);
    ret->items = items;
    return ok;
}

static bool copy_map(struct bao_arena *arena, const struct bao_node *node, struct bao_node *ret)
{
    size_t index = node->indexed ? node->len * sizeof(uint32_t) : 0;
    size_t size = node->len * sizeof(struct bao_member) + index;
    struct bao_member *members = bao_arena_alloc(arena, size);

    if (members == NULL)
        return false;
    if (size != 0)
        memcpy(members, node->members, size);
    for (uint32_t i = 0; i < node->len; i++) {
        members[i].key = bao_arena_dup(arena, members[i].key, members[i].key_len);
        if (members[i].key == NULL || !copy_into(arena, &node->members[i].value, &members[i].value))
            return false;
    }
    ret->members = members;
    return true;
}

static bool copy_into(struct bao_arena *arena, const struct bao_node *node, struct bao_node *ret)
{
    size_t size;
    struct bao_dec *dec;

    *ret = *node;
    switch ((enum bao_type)node->type) {
    case BAO_STRING:
        ret->str = bao_arena_dup(arena, node->str, node->len);
        return ret->str != NULL;
    case BAO_DEC:
        size = sizeof(*dec) + node->dec->n_limbs * sizeof(dec->limbs[0]);
        dec = bao_arena_alloc(arena, size);
        if (dec != NULL)
            memcpy(dec, node->dec, size);
        ret->dec = dec;
        return dec != NULL;
    case BAO_LIST:
        return copy_list(arena, node, ret);
    case BAO_MAP:
        return copy_map(arena, node, ret);
    case BAO_NULL:
    case BAO_BOOL:
    case BAO_INT:
        return true;
    }
    return true;
}

const struct bao_node *bao_node_copy(struct bao_arena *arena, const struct bao_node *node)
{
    struct bao_node *copy = bao_arena_array(arena, 1, sizeof(*copy));

    return copy != NULL && copy_into(arena, node, copy) ? copy : NULL;
}
