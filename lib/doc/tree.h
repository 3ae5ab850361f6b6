/* The one value tree: what YAML and JSON documents become, with the place of every value and key.
 *
 * Immutable once loaded; nodes live in the arena of the load. Made for one pass by a validator: a map's
 * members stand in one array in the order of the file, each with its key's hash. */
#pragma once

#include "lib/base/decimal.h"
#include "lib/base/diag.h"
#include "lib/base/error.h"

enum bao_type { BAO_NULL, BAO_BOOL, BAO_INT, BAO_DEC, BAO_STRING, BAO_LIST, BAO_MAP };

/* How the value was written, for messages and for the report rules (forms.md section 3). */
enum bao_style {
    BAO_STYLE_QUOTED = 1, /* quoted or block scalar: text by its form */
    BAO_STYLE_FLOAT = 2,  /* a number written with a point or exponent */
    BAO_STYLE_ALIAS = 4,  /* stands here by a YAML alias */
    BAO_STYLE_FLOW = 8,   /* list or map in [] or {} */
    BAO_STYLE_CORE = 16,  /* YAML number in hexadecimal or octal */
    BAO_STYLE_YAML = 32,  /* read by the YAML loader */
};

/* Among a list's kinds: a decimal stands there without its float bits. */
enum { BAO_KIND_UNSURE = 1 << 7 };

struct bao_member;

struct bao_node {
    uint8_t type;  /* enum bao_type */
    uint8_t style; /* BAO_STYLE_* */
    uint8_t kinds; /* of a list or map: 1 << type of each element, BAO_KIND_UNSURE; 0 = not said */
    bool indexed;  /* a map whose members are followed by uint32_t[len], their places sorted by key */
    uint32_t
        len; /* octets of a string; elements of a list or map; bao_float_bits() of a decimal, 0 = not said */
    union {
        bool boolean;
        int64_t i;
        const struct bao_dec *dec; /* never whole within int64 */
        const char *str;           /* UTF-8, NUL-terminated besides len; may hold NUL inside */
        const struct bao_node *items;
        const struct bao_member *members;
    };
    uint32_t line, column; /* from 1; column in characters */
    uint32_t offset,
        extent; /* octets in the source: scalars as written with quotes; lists and maps to their end */
};

struct bao_member {
    const char *key; /* UTF-8, NUL-terminated besides key_len */
    uint32_t key_len;
    uint32_t hash;                         /* bao_key_hash(key) */
    uint32_t line, column, offset, extent; /* of the key as written */
    struct bao_node value;
};

_Static_assert(sizeof(struct bao_node) == 32 && sizeof(struct bao_member) == 64, "one cache line a member");

/* A loaded document. */
struct bao_doc {
    struct bao_node root;
    struct bao_str source; /* UTF-8 as judged (BOM dropped, UTF-16 converted), borrowed or in the arena */
    uint32_t n_nodes;
    bool is_json; /* read by the strict JSON parser */
};

/* Up to seven octets as a number, without a call for so few. */
static inline uint64_t bao_octets_short(const char *p, size_t n)
{
    uint32_t low, high;

    if (n >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        return low | (uint64_t)high << (n - 4) * 8;
    }
    if (n == 0)
        return 0;
    return (uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << n / 2 * 8 |
           (uint64_t)(uint8_t)p[n - 1] << (n - 1) * 8;
}

/* Keys of one length up to this differ in their hashes whenever they differ. */
enum { BAO_KEY_EXACT = 4 };

/* Hash of a key: quick, the same on all machines, not keyed. Lookups that hostile keys could degrade sort or
 * cap instead. */
static inline uint32_t bao_key_hash(const char *p, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ (n * 0xff51afd7ed558ccdu), w;

    if (n <= BAO_KEY_EXACT) {
        /* Each step can be undone, so that nothing of the octets is lost. */
        uint32_t x = (uint32_t)bao_octets_short(p, n);

        x ^= x >> 16;
        x *= 0x85ebca6bu;
        x ^= x >> 13;
        x *= 0xc2b2ae35u;
        return x ^ x >> 16;
    }
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    h = (h ^ bao_octets_short(p, n)) * 0xff51afd7ed558ccdu;
    return (uint32_t)(h ^ h >> 29);
}

/* A decimal's nearest float as bits, so that most comparisons need not look at its digits. 0 when there is no
 * sure one (a decimal is never zero). Rounding keeps order: floats that differ tell which number is the
 * larger. */
static inline uint32_t bao_float_bits(const struct bao_dec *dec)
{
    float near = (float)bao_num_near((struct bao_num){.is_int = false, .d = dec});
    uint32_t bits = 0;

    if (near == near)
        memcpy(&bits, &near, sizeof(bits));
    return bits;
}

static inline struct bao_str bao_node_str(const struct bao_node *node)
{
    return (struct bao_str){node->str, node->len};
}

static inline struct bao_str bao_member_key(const struct bao_member *m)
{
    return (struct bao_str){m->key, m->key_len};
}

static inline bool bao_node_is_number(const struct bao_node *node)
{
    return node->type == BAO_INT || node->type == BAO_DEC;
}

static inline struct bao_num bao_node_num(const struct bao_node *node)
{
    return node->type == BAO_INT ? bao_num_int(node->i) : (struct bao_num){.is_int = false, .d = node->dec};
}

static inline struct bao_place bao_node_place(const struct bao_node *node)
{
    return (struct bao_place){node->line, node->column, node->offset, node->extent};
}

static inline struct bao_place bao_member_place(const struct bao_member *m)
{
    return (struct bao_place){m->line, m->column, m->offset, m->extent};
}

/* Members from which on the loader indexes a map. Maps made by hand may be larger without an index: right,
 * but slow. */
enum { BAO_MAP_SMALL = 32 };

/* The member of that key, or NULL (also when the node is not a map). Linear by hash in a small map, else by
 * bisection. */
const struct bao_member *bao_node_member(const struct bao_node *map, struct bao_str key);
/* Its value, or NULL. */
const struct bao_node *bao_node_get(const struct bao_node *map, const char *key);
/* The node that a JSON Pointer through maps names ("" the node itself), or NULL. ~ escapes are not read:
 * names in forms need none. */
const struct bao_node *bao_node_at(const struct bao_node *node, struct bao_str pointer);

/* Equality as JSON Schema means it: numbers by value, maps without order. Needs no memory; depth is bounded
 * by the loader. */
bool bao_node_equal(const struct bao_node *a, const struct bao_node *b);
/* A total order consistent with bao_node_equal, for sorting. */
int bao_node_cmp(const struct bao_node *a, const struct bao_node *b);

/* A copy of the value, with the places in its source, that lives in the arena alone. NULL without memory. */
const struct bao_node *bao_node_copy(struct bao_arena *arena, const struct bao_node *node) BAO_MUST_CHECK;

/* Appends the JSON text of a value: members in file order, numbers in canonical text (bao_num_print). */
int bao_node_print_json(struct bao_buf *out, const struct bao_node *node) BAO_MUST_CHECK;
/* Appends the canonical JSON text: members sorted by octets of the key, numbers normalised, no spaces. The
 * content hash of a report is the SHA-256 of this text. */
int bao_node_print_canonical(struct bao_buf *out, const struct bao_node *node) BAO_MUST_CHECK;
/* The SHA-256 of the canonical text, without making the text whole. 0 or -ENOMEM. */
int bao_node_hash(const struct bao_node *node, uint8_t ret[32]) BAO_MUST_CHECK;
/* Appends one JSON string with its quotes. */
int bao_json_quote(struct bao_buf *out, struct bao_str s) BAO_MUST_CHECK;
/* Appends {"vi":…,"en":…}: a sentence in both languages. */
int bao_json_both(struct bao_buf *out, struct bao_str vi, struct bao_str en) BAO_MUST_CHECK;
