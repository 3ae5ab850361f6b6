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
    uint8_t class_of[256]; /* octets that no state tells apart are of one class */
    uint32_t n_classes;
    /* State s is spoken of as its row s * n_classes: next[row + class] is the row to go on with. */
    uint16_t *next;
    bool *at_end; /* by row: matches when the text ends in this state */
    uint32_t n;
    uint16_t start; /* a row */
    /* Where every state has but one that follows it, the states stand in a line and where an octet is met
     * tells the state: no step waits for the one before. Bit i of line[octet]: octet number i may be this
     * one; all octets from number `last` on have its bit. NULL: no such line. */
    const uint64_t *line;
    uint64_t ends; /* bit i: the text may have i octets; bit `last`: also more */
    uint32_t last;
    bool open; /* texts longer than `last` may be good */
};

/* Builds one in the arena. 0; 1 when the pattern is not regular or the table would be large; -ENOMEM. */
int bao_automaton_init(struct bao_arena *a, const struct bao_pat *pattern,
                       struct bao_automaton *ret) BAO_MUST_CHECK;

static inline bool bao_automaton_match(const struct bao_automaton *m, struct bao_str text)
{
    uint32_t state = m->start;
    const char *p = text.p, *bend, *end;
    uint64_t good = 1;

    if (text.n == 0)
        return m->at_end[state];
    end = p + text.n;
    if (m->line == NULL) {
        for (; p < end && state > m->n_classes; p++)
            state = m->next[state + m->class_of[(uint8_t)*p]];
        return m->at_end[state];
    }
    if (text.n > m->last ? !m->open : (m->ends >> text.n & 1) == 0)
        return false;
    bend = text.n > m->last ? text.p + m->last : end;
    /* Four at a time: the octets wait for nothing but their own lines. */
    for (; bend - p >= 4; p += 4)
        good &= (m->line[(uint8_t)p[0]] & m->line[(uint8_t)p[1]] >> 1 & m->line[(uint8_t)p[2]] >> 2 &
                 m->line[(uint8_t)p[3]] >> 3) >>
                (p - text.p);
    for (; p < bend; p++)
        good &= m->line[(uint8_t)*p] >> (p - text.p);
    for (; p < end; p++)
        good &= m->line[(uint8_t)*p] >> m->last;
    return (good & 1) != 0;
}
