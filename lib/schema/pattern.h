/* An ECMA-262 pattern (u mode) as a tree: parsed by pattern.c, written anew for PCRE2 by regex.c, made into a
 * table by automaton.c where it is regular. */
#pragma once

#include "lib/base/arena.h"

enum bao_pat_type {
    BAO_PAT_EMPTY,
    BAO_PAT_SET, /* one character */
    BAO_PAT_SEQUENCE,
    BAO_PAT_EITHER,
    BAO_PAT_REPEAT,
    BAO_PAT_GROUP, /* capturing */
    BAO_PAT_LOOK,
    BAO_PAT_BACK, /* back reference */
    BAO_PAT_START,
    BAO_PAT_END,
    BAO_PAT_BORDER, /* \b; negated \B */
};

struct bao_pat_range {
    uint32_t lo, hi;
};

struct bao_pat_property {
    struct bao_str text; /* as PCRE2 wants it: "L", "sc:Greek" */
    bool negated;
};

enum { BAO_PAT_FOREVER = -1 };

struct bao_pat {
    uint8_t type;     /* enum bao_pat_type */
    bool negated;     /* SET with properties, LOOK, BORDER */
    bool behind;      /* LOOK */
    bool lazy;        /* REPEAT */
    uint32_t n;       /* children; ranges of a set; number of a back reference */
    int32_t min, max; /* REPEAT; max BAO_PAT_FOREVER */
    union {
        struct bao_pat **children;    /* SEQUENCE, EITHER; REPEAT, GROUP and LOOK have one */
        struct bao_pat_range *ranges; /* sorted, apart, already complemented when there are no properties */
    };
    struct bao_pat_property *properties;
    uint32_t n_properties;
    struct bao_pat *next; /* while parsing */
};

/* Parses. 0; 1 with *ret_at where it is no pattern; -ENOMEM. */
int bao_pat_parse(struct bao_arena *a, struct bao_str pattern, size_t *ret_at,
                  struct bao_pat **ret) BAO_MUST_CHECK;

/* A table that walks UTF-8 octet by octet in time linear in the text. State 0 refuses for good, state 1 has
 * matched. */
struct bao_automaton {
    uint8_t (*next)[256];
    bool *at_end; /* matches when the text ends in this state */
    uint32_t n;
    uint8_t start;
};

/* Builds one in the arena. 0; 1 when the pattern is not regular or the table would be large; -ENOMEM. */
int bao_automaton_init(struct bao_arena *a, const struct bao_pat *pattern,
                       struct bao_automaton *ret) BAO_MUST_CHECK;

static inline bool bao_automaton_match(const struct bao_automaton *m, struct bao_str text)
{
    unsigned state = m->start;

    for (size_t i = 0; i < text.n && state > 1; i++)
        state = m->next[state][(uint8_t)text.p[i]];
    return m->at_end[state];
}
