/* What the parts of the pattern parser share: pattern.c the grammar, pattern_set.c sets of characters,
 * pattern_escape.c escapes, pattern_property.c Unicode properties. */
#pragma once

#include "lib/schema/pattern.h"

enum { BAO_PAT_LAST_CHARACTER = 0x10ffff };

struct bao_pat_group_name {
    struct bao_str name;
    uint32_t number;
    struct bao_pat_group_name *next;
};

struct bao_pat_parser {
    struct bao_arena *arena;
    const char *start, *at, *end;
    uint32_t n_groups;     /* opened so far */
    uint32_t total_groups; /* counted beforehand, for back references to later ones */
    struct bao_pat_group_name *names;
    bool no_memory;
    int depth;
};

/* A set while it is read. */
struct bao_pat_collect {
    struct bao_pat_range *ranges;
    uint32_t n, size;
    struct bao_pat_property *properties;
    uint32_t n_properties, size_properties;
};

/* pattern.c. Takes what stands next, if it is this. */
bool bao_pat_eat(struct bao_pat_parser *p, char c);
bool bao_pat_eat_text(struct bao_pat_parser *p, const char *text);
/* A node, or one with a child; NULL without memory, which the parser notes, or without the child. */
struct bao_pat *bao_pat_make(struct bao_pat_parser *p, enum bao_pat_type type);
struct bao_pat *bao_pat_make_one(struct bao_pat_parser *p, enum bao_pat_type type, struct bao_pat *child);

/* pattern_set.c. They say whether it could be done. */
bool bao_pat_add_range(struct bao_pat_parser *p, struct bao_pat_collect *c, uint32_t lo, uint32_t hi);
/* The class of a letter: \d \D \w \W \s \S. */
bool bao_pat_add_class(struct bao_pat_parser *p, struct bao_pat_collect *to, char letter);
struct bao_pat *bao_pat_make_set(struct bao_pat_parser *p, struct bao_pat_collect *c, bool negated);
/* Behind the opening bracket; NULL when it is no set. */
struct bao_pat *bao_pat_parse_set(struct bao_pat_parser *p);
/* Half a surrogate pair? */
bool bao_pat_is_half(uint32_t c);

/* pattern_escape.c. Behind the backslash: an escape that stands for one character. */
bool bao_pat_take_escape(struct bao_pat_parser *p, bool in_set, uint32_t *ret);
bool bao_pat_is_class(char c);

/* pattern_property.c. Behind \p or \P. */
bool bao_pat_add_property(struct bao_pat_parser *p, struct bao_pat_collect *c, bool negated);
