/* The compiled form of a schema, shared by compile.c, emit.c (which make it), run.c (the verdict) and
 * report.c (the findings).
 *
 * Every subschema that can be reached becomes a bao_sub, once for each meaning its $dynamicRefs can have: the
 * dynamic scope is resolved when compiling, so running knows no scope. A sub has one list of instructions for
 * each type of value; NULL means every such value is good. All lists lie in one array. */
#pragma once

#include "lib/schema/keyword.h"
#include "lib/schema/regex.h"
#include "lib/schema/schema.h"

enum { BAO_TYPES = BAO_MAP + 1 };

enum bao_op {
    BAO_OP_GOOD, /* end of the list */
    BAO_OP_BAD,
    BAO_OP_CALL,   /* sub must accept */
    BAO_OP_JUMP,   /* go on with sub */
    BAO_OP_NOT,    /* sub must refuse */
    BAO_OP_ANY,    /* n subs, one accepts */
    BAO_OP_ONE,    /* n subs, exactly one accepts */
    BAO_OP_IF,     /* choice: if, then, else */
    BAO_OP_SWITCH, /* the value of one member picks the only sub that can accept; without the member the next
                    * instruction, which asks all of them, decides */
    BAO_OP_CASES,  /* the same and final: each of its subs is all that is asked when the member is there */
    BAO_OP_MEMO,   /* the answer may be known already for (n, value) */
    BAO_OP_TRACK,  /* from here on, note which members or items were evaluated */
    BAO_OP_BOOL_IS,
    BAO_OP_PLACES,      /* a decimal's exponent is at least lo: 0 is whole, -2 two places */
    BAO_OP_NO_THOUSAND, /* not written like 1.000 */
    BAO_OP_INT_RANGE,   /* lo..hi */
    BAO_OP_NUM_RANGE,
    BAO_OP_MULTIPLE,
    BAO_OP_INT_MULTIPLE, /* of odd * 2^n: lo the inverse of odd, hi the most that a multiple gives (as
                            uint64_t) */
    BAO_OP_INT_ENUM,     /* n sorted int64 */
    BAO_OP_STR_LENGTH,   /* lo..hi characters */
    BAO_OP_STR_IS,       /* key; n: compared kindly */
    BAO_OP_STR_ENUM,     /* names; n: compared kindly */
    BAO_OP_PATTERN,      /* by its table when it has one */
    BAO_OP_FORMAT,       /* n: enum bao_format */
    BAO_OP_NFC,          /* go on with the normal form */
    BAO_OP_VALUE_ENUM,
    BAO_OP_LIST_LENGTH,
    BAO_OP_ITEMS, /* n prefix subs, then sub for the rest */
    BAO_OP_UNIQUE,
    BAO_OP_UNIQUE_KEY, /* list of maps: values under one key differ */
    BAO_OP_CONTAINS,
    BAO_OP_UNEVALUATED_ITEMS,
    BAO_OP_MAP_LENGTH,
    BAO_OP_MEMBERS,
    BAO_OP_FEW,       /* members without rest and patterns, so few that looking for each is quicker */
    BAO_OP_SEEN,      /* members, then conditions over those that were seen */
    BAO_OP_NAMES,     /* every key satisfies sub */
    BAO_OP_DEPENDENT, /* n bao_dependent */
    BAO_OP_UNEVALUATED_MEMBERS,
};

/* What is known of a sub and a type before it runs. */
enum bao_known { BAO_KNOWN_NOT_YET, BAO_KNOWN_GOOD, BAO_KNOWN_BAD, BAO_KNOWN_LIST };

struct bao_sub;

/* How a list begins, for the ways around the loop over instructions. But for ANY, it has nothing else. */
enum bao_lead {
    BAO_LEAD_ANY,
    BAO_LEAD_INT,    /* INT_RANGE, perhaps an INT_MULTIPLE */
    BAO_LEAD_LENGTH, /* STR_LENGTH */
    BAO_LEAD_NUM,    /* NUM_RANGE, perhaps PLACES */
    BAO_LEAD_TEXT,   /* STR_IS, exactly; the last of those that are looked at before anything is called */
    BAO_LEAD_SCALAR, /* only instructions that ask nothing further */
    BAO_LEAD_ENUM,   /* STR_ENUM */
    BAO_LEAD_PATTERN,
    BAO_LEAD_FORMAT,
    BAO_LEAD_MEMBERS,
    BAO_LEAD_PLAIN, /* MEMBERS with names and without patterns */
    BAO_LEAD_FEW,
    BAO_LEAD_SEEN,
    BAO_LEAD_LIST,     /* ITEMS without prefix subs */
    BAO_LEAD_TUPLE,    /* ITEMS with them */
    BAO_LEAD_MEASURED, /* LIST_LENGTH, ITEMS without prefix subs */
    BAO_LEAD_SWITCH,   /* SWITCH, then what decides without the member */
    BAO_LEAD_MEMO,     /* MEMO, then a list with a lead of its own */
};

struct bao_ins {
    uint16_t op;   /* enum bao_op */
    uint16_t lead; /* enum bao_lead, in the first of a list */
    uint32_t n;
    union {
        int64_t lo;
        const struct bao_sub *sub;
        const struct bao_sub *const *subs;
        const struct bao_members *members;
        const struct bao_seen *seen;
        const struct bao_names *names;
        const struct bao_values *values;
        const int64_t *ints;
        const struct bao_regex *regex;
        const struct bao_multiple *multiple;
        const struct bao_dependent *dependents;
        const struct bao_choice *choice;
        const struct bao_switch *choices;
        const struct bao_range *range;
        const struct bao_str *key;
        const struct bao_count *count;
        bool boolean;
    };
    union {
        int64_t hi;
        const struct bao_sub *rest;
        const struct bao_automaton *table;
    };
};

/* A text of at most 16 octets, whole: its first and last eight, which may be the same ones. */
struct bao_brief {
    uint64_t first, last;
    uint32_t n;
};

enum { BAO_BRIEF_MOST = 16, BAO_BRIEF_FEW = 6 };

static inline struct bao_brief bao_brief_of(const char *p, uint32_t n)
{
    struct bao_brief b = {0, 0, n};

    if (n < 8) {
        b.first = bao_octets_short(p, n);
    } else {
        memcpy(&b.first, p, 8);
        memcpy(&b.last, p + n - 8, 8);
    }
    return b;
}

/* A set of texts, found by hash. */
struct bao_names {
    const struct bao_brief *brief; /* when they are few and short: compared one by one */
    const struct bao_str *items;
    const uint32_t *hashes;
    const uint32_t *slots; /* mask + 1 of them: index + 1, 0 = free */
    uint32_t n, mask;
    bool quick; /* hashed by bao_text_quick, else by bao_key_hash */
};

/* Builds the table over items (kept, not copied; of equal ones the first is found), to be asked by the hash
 * of keys. False: no memory. */
bool bao_names_init(struct bao_arena *a, const struct bao_str *items, uint32_t n, struct bao_names *ret);
/* The same, each at its own place at once where a larger table can do that. */
bool bao_names_init_apart(struct bao_arena *a, const struct bao_str *items, uint32_t n,
                          struct bao_names *ret);
/* The same, to be asked by bao_names_index: by the quick hash where that tells the texts apart. */
bool bao_names_init_texts(struct bao_arena *a, const struct bao_str *items, uint32_t n,
                          struct bao_names *ret);

/* A hash of a text's length, beginning and end. */
static inline uint32_t bao_text_quick(const char *p, uint32_t n)
{
    uint64_t a = 0, b = 0;
    uint32_t x, y;

    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
    } else if (n >= 4) {
        memcpy(&x, p, 4);
        memcpy(&y, p + n - 4, 4);
        a = x;
        b = y;
    } else if (n != 0) {
        a = (uint8_t)p[0];
        b = (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1];
    }
    a = (a ^ n) * 0x9e3779b97f4a7c15u + b;
    a = (a ^ a >> 32) * 0xff51afd7ed558ccdu;
    return (uint32_t)(a >> 32);
}

/* A set of values of any type, ordered by hash. */
struct bao_values {
    const struct bao_node **items;
    uint64_t *hashes;
    uint32_t n;
};

/* The beginning and the end of a key: all of one that has BAO_KEY_EXACT + 1 to BAO_BRIEF_MOST octets. */
static inline void bao_key_ends(const char *p, uint32_t n, uint64_t *ret_first, uint64_t *ret_last)
{
    uint32_t low, high;

    *ret_first = *ret_last = 0;
    if (n >= 8) {
        memcpy(ret_first, p, 8);
        memcpy(ret_last, p + n - 8, 8);
    } else if (n >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        *ret_first = low | (uint64_t)high << 32;
    }
}

/* A name that properties or required speaks of. */
struct bao_entry {
    const char *key;
    uint32_t len, hash;   /* side by side as in a member */
    uint64_t first, last; /* bao_key_ends() of the key */
    uint64_t bit;         /* in a bao_seen: that it was seen, */
    uint8_t value;        /* and where its value is kept for conditions; 0 = nobody asks */
    bool required;
    bool evaluated;                      /* properties, a pattern or additionalProperties saw it */
    bool by_rest;                        /* only the last of them, or unevaluatedProperties */
    const struct bao_ins *at[BAO_TYPES]; /* of the sub, at hand */
    const struct bao_sub *sub;           /* everything that judges its value; NULL: nothing does */
};

struct bao_pattern_sub {
    const struct bao_regex *regex;
    const struct bao_sub *sub;         /* NULL: anything goes */
    const struct bao_automaton *table; /* its table, when it has one */
};

/* One pass over a map's members. */
struct bao_members {
    const struct bao_entry *entries; /* n, then one that is for no member */
    struct bao_names names;          /* over the entries' keys */
    uint32_t n, n_required;
    const struct bao_pattern_sub *patterns;
    uint32_t n_patterns;
    bool has_rest;              /* additionalProperties, or unevaluatedProperties decided beforehand */
    const struct bao_sub *rest; /* with has_rest; NULL: anything goes */
    struct bao_members *next;   /* of all tables, while compiling */
};

enum { BAO_SEEN_MOST = 64, BAO_SEEN_VALUES = 16 };

/* Something that may hold of a map whose members were seen: the needed entries are there, the asked values
 * are good where they are there, and a sub accepts the map itself. */
struct bao_facts {
    uint64_t need; /* bits by entry */
    const struct bao_fact_ask {
        uint64_t bit;
        const struct bao_sub *sub;
        const struct bao_str *text; /* the only value that the sub takes; NULL: it takes others */
        uint32_t value;
    } * asks;
    const struct bao_sub *whole; /* or NULL */
    uint32_t n;
    bool negated;
};

/* if, then, else; and whatever can be said so: not, dependentRequired, dependentSchemas. */
struct bao_test {
    struct bao_facts when, then, otherwise;
    bool quick; /* the last two are told by which entries are there */
};

struct bao_seen {
    struct bao_members members;
    uint64_t need; /* the required ones */
    const struct bao_test *tests;
    uint32_t n;
};

struct bao_dependent {
    struct bao_str key;
    uint32_t hash;
    uint32_t n_names;
    const struct bao_str *names; /* must all be there too */
    const uint32_t *hashes;
    const struct bao_sub *sub; /* must accept too, or NULL */
};

struct bao_choice {
    const struct bao_sub *condition, *then, *otherwise; /* the last two may be NULL */
};

/* anyOf and oneOf whose branches all demand different texts under one key. In CASES a sub is the whole schema
 * with that one branch. */
struct bao_switch {
    struct bao_str key;
    uint32_t hash;
    struct bao_names values;
    const struct bao_sub *const *subs; /* one a value */
};

struct bao_count {
    const struct bao_sub *sub;
    uint64_t min, max;
};

/* Bounds of decimals. The doubles decide alone where a value's own double is exact enough to differ from
 * them. */
struct bao_range {
    float least, most; /* the same as floats, for values that bring theirs along */
    double lo, hi;     /* nearest to the bounds; infinite without a bound, NaN when they must not decide */
    struct bao_num min, max;
    bool has_min, has_max, above, below; /* above, below: the bound itself is out */
};

/* A divisor, with coefficient * 10^exponent at hand when the coefficient fits in 63 bits. */
struct bao_multiple {
    struct bao_num by;
    bool is_small;
    int64_t coefficient;
    int32_t exponent;
};

/* A place in a schema document; tells the JSON Pointer by its parents. */
struct bao_loc {
    const struct bao_node *node;
    const struct bao_loc *parent; /* NULL at a document's root */
    struct bao_str keyword, key;  /* from the parent: "properties", "ten"; key.p NULL when there is none */
    struct bao_resource *resource;
    struct bao_sub *subs; /* made from it so far */
};

struct bao_named_sub {
    struct bao_str key;
    const struct bao_node *names; /* dependentRequired */
    struct bao_sub *sub;
};

/* What judges one value: a subschema under one meaning of its dynamic references. */
struct bao_sub {
    const struct bao_ins *at[BAO_TYPES];
    uint8_t takes, refuses; /* 1 << type: every such value is good, is bad */

    /* the rest is for compiling and reporting */
    const struct bao_loc *loc;
    struct bao_sub *next_at_loc;
    const struct bao_scope *scope;
    uint32_t number;
    bool tracked;                      /* notes what it evaluated */
    bool is_bad;                       /* the schema false */
    bool needs_track;                  /* unevaluated* that only a run can decide */
    bool static_cases;                 /* it would be static_members with one branch in place of all */
    bool static_members, static_items; /* unevaluated* folded into members and items */
    bool assert_format;
    bool normalize;            /* x-normalize: NFC */
    uint8_t known[BAO_TYPES];  /* enum bao_known, while compiling */
    uint32_t start[BAO_TYPES]; /* of its list, while compiling */
    uint8_t types;             /* bit by enum bao_type; the whole numbers among decimals under WHOLE */
    bool only_whole;           /* "integer" without "number" */
    uint32_t calls;            /* how often it is asked about the same value as its caller */

    const struct bao_node *schema; /* the object, or true/false */
    struct bao_keywords kw;
    struct bao_sub *alias; /* a lone $ref: everything is over there */
    struct bao_sub *ref, *dynamic_ref, *not_, *if_, *then, *otherwise;
    struct bao_sub *items, *contains, *names, *additional, *uneval_items, *uneval_members;
    struct bao_sub **all, **any, **one, **prefix;
    uint32_t n_all, n_any, n_one, n_prefix;
    struct bao_named_sub *properties, *dependents;
    uint32_t n_properties, n_dependents;
    struct bao_names *property_names; /* over them when they are many */
    struct bao_pattern_sub *patterns;
    uint32_t n_patterns;
    const struct bao_regex *pattern;
    const struct bao_members *members; /* when it has any */
    const struct bao_members *plain;   /* they are all it asks of a map, and leave other members alone */
    uint32_t known_items;              /* static_items: as many are evaluated beforehand */
    uint16_t format;                   /* enum bao_format; 0 = none asserted */
};

struct bao_schema {
    struct bao_arena arena;
    const struct bao_sub *root;
    const struct bao_regex *regexes; /* all of them, by their link, to be freed */
    uint32_t n_subs, n_ins, n_memo;
    bool form;
};

enum {
    BAO_RUN_STEPS = 20000000,
    BAO_RUN_STACK = 3 << 20,
    BAO_RUN_COSTLY = -EOVERFLOW, /* an error of its own: one expression cost too much to match */
};

/* Which members or items of one value were evaluated. */
struct bao_eval {
    uint64_t *bits; /* one a member or item */
    uint64_t one;   /* where the bits are when they are few */
    bool all;
    bool probe; /* stop before unevaluated*: the caller wants to see the bits */
};

/* Starts a fresh budget and forgets everything in the arena. */
void bao_run_start(struct bao_schema_scratch *scratch);
/* The arena of a scratch, for things of one run. */
struct bao_arena *bao_run_arena(struct bao_schema_scratch *scratch);
/* Verdict of one sub within the budget that is left: 1, 0, <0. For the reporting pass. */
int bao_run_sub(struct bao_schema_scratch *scratch, const struct bao_sub *sub, const struct bao_node *value);
/* After BAO_RUN_COSTLY: goes on with the budget that was left. */
void bao_run_forgive(struct bao_schema_scratch *scratch);
/* Does the expression match somewhere: 1, 0, <0. */
int bao_run_match(struct bao_schema_scratch *scratch, const struct bao_regex *regex, struct bao_str text);
/* Which members or items the sub's keywords but its own unevaluated* evaluated: 1 with ret filled in (bits in
 * the arena), 0 when they refuse the value, <0. */
int bao_run_evaluated(struct bao_schema_scratch *scratch, const struct bao_sub *sub,
                      const struct bao_node *value, struct bao_eval *ret);

/* Do two of n nodes equal each other? 1 with their indexes (first pair by the second's place), 0, <0. Cost
 * n log n at worst. */
int bao_unique_find(struct bao_arena *a, const struct bao_node *const *nodes, uint32_t n, uint32_t *ret_first,
                    uint32_t *ret_second);
/* A hash that is equal for equal values. */
uint64_t bao_node_mix(const struct bao_node *node);

/* Was a JSON whole number written like 1.000, which a Vietnamese hand may mean as a thousand (forms.md 3.11)?
 */
bool bao_is_thousand(const struct bao_node *node);

/* The JSON Pointer of a place in its schema document. .p NULL: no memory. */
struct bao_str bao_loc_pointer(struct bao_arena *a, const struct bao_loc *loc);

static inline bool bao_text_same(const char *a, const char *b, uint32_t n)
{
    uint64_t x, y, differ;
    uint32_t v, w;

    if (n >= 8) {
        if (n > 16) {
            uint64_t s[4], t[4];

            if (n > 32)
                return memcmp(a, b, n) == 0;
            memcpy(s, a, 16);
            memcpy(s + 2, a + n - 16, 16);
            memcpy(t, b, 16);
            memcpy(t + 2, b + n - 16, 16);
            return ((s[0] ^ t[0]) | (s[1] ^ t[1]) | (s[2] ^ t[2]) | (s[3] ^ t[3])) == 0;
        }
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        differ = x ^ y;
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return (differ | (x ^ y)) == 0;
    }
    if (n >= 4) {
        memcpy(&v, a, 4);
        memcpy(&w, b, 4);
        differ = v ^ w;
        memcpy(&v, a + n - 4, 4);
        memcpy(&w, b + n - 4, 4);
        return (differ | (v ^ w)) == 0;
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* The index of a text whose hash is known, or n. */
static inline uint32_t bao_names_find(const struct bao_names *names, const char *p, uint32_t len,
                                      uint32_t hash)
{
    for (uint32_t at = hash & names->mask;; at = (at + 1) & names->mask) {
        uint32_t i = names->slots[at];

        if (i == 0)
            return names->n;
        i--;
        if (names->hashes[i] == hash && names->items[i].n == len && bao_text_same(names->items[i].p, p, len))
            return i;
    }
}

/* The same for a text that nobody hashed yet. */
static inline uint32_t bao_names_index(const struct bao_names *names, const char *p, uint32_t len)
{
    if (names->brief != NULL) {
        struct bao_brief b;

        if (len > BAO_BRIEF_MOST)
            return names->n;
        b = bao_brief_of(p, len);
        for (uint32_t i = 0; i < names->n; i++)
            if (((names->brief[i].first ^ b.first) | (names->brief[i].last ^ b.last) |
                 (names->brief[i].n ^ b.n)) == 0)
                return i;
        return names->n;
    }
    return bao_names_find(names, p, len, names->quick ? bao_text_quick(p, len) : bao_key_hash(p, len));
}
