/* Inside lib/doc: what the readers build trees with. Children wait on one stack until their list or map
 * ends; then they move, as one array, into the arena. */
#pragma once

#include "lib/doc/load.h"

/* One load under way. */
struct bao_loading {
    struct bao_arena *arena;
    struct bao_str text; /* valid UTF-8 without BOM: the source that places point into */
    enum bao_load_mode mode;
    struct bao_load_limits limits;
    struct bao_findings *findings;
    size_t refused_at; /* offset of the finding that refused the document */
};

/* Adds the finding that refuses the document; NULL when it could only be counted. length 0: a point. */
struct bao_finding *bao_loading_finding(struct bao_loading *l, unsigned code, size_t offset, size_t length);
/* The same without arguments; gives BAO_LOAD_E_REFUSED. */
int bao_loading_refuse(struct bao_loading *l, unsigned code, size_t offset, size_t length);
/* The same with a number to name. */
int bao_loading_refuse_number(struct bao_loading *l, unsigned code, size_t offset, size_t length,
                              size_t number);
/* The same with a piece of text to show. */
int bao_loading_refuse_text(struct bao_loading *l, unsigned code, size_t offset, size_t length,
                            struct bao_str text);
/* Two members with one key: names both lines. */
int bao_loading_refuse_twin(struct bao_loading *l, const struct bao_member *first,
                            const struct bao_member *second);
/* Line and column of an octet of the source; costs a walk from its start. */
struct bao_place bao_loading_place(struct bao_str text, size_t offset, size_t length);
/* The C0 control that a report may not hold, as its place in s, or s.n. */
size_t bao_loading_control(struct bao_str s);

struct bao_stack {
    char *base;
    size_t used, size;
    _Alignas(16) char first[8192]; /* enough for a common report */
};

void bao_stack_init(struct bao_stack *s);
void bao_stack_deinit(struct bao_stack *s);
/* n more octets on top, or NULL; older pointers into the stack no longer hold. n is a multiple of 8. */
void *bao_stack_push(struct bao_stack *s, size_t n) BAO_MUST_CHECK;

/* Moves what lies above `from` into the arena as the elements of a list: 0 or -ENOMEM. */
int bao_stack_take_list(struct bao_stack *s, size_t from, struct bao_arena *a,
                        struct bao_node *list) BAO_MUST_CHECK;
/* The same for the members of a map; 1 when two have the same key, then ret_twins names them. */
int bao_stack_take_map(struct bao_stack *s, size_t from, struct bao_arena *a, struct bao_node *map,
                       const struct bao_member *ret_twins[2]) BAO_MUST_CHECK;

/* Makes the node that number; its style is the caller's. */
static inline void bao_node_set_number(struct bao_node *node, struct bao_num x)
{
    node->type = x.is_int ? BAO_INT : BAO_DEC;
    if (x.is_int)
        node->i = x.i;
    else
        node->dec = x.d;
    node->len = x.is_int ? 0 : bao_float_bits(x.d);
}

enum { BAO_YAML_E_NOT_PLAIN = 1 };

/* The readers: they give ret->root and ret->n_nodes. 0, BAO_LOAD_E_REFUSED, or <0. */
int bao_json_read(struct bao_loading *l, struct bao_doc *ret) BAO_MUST_CHECK;
int bao_yaml_read(struct bao_loading *l, struct bao_doc *ret) BAO_MUST_CHECK;
/* YAML of the plainest kind, as bao_yaml_read would read it but much faster; or BAO_YAML_E_NOT_PLAIN, which
 * says nothing about the document and leaves no finding. */
int bao_yaml_read_plain(struct bao_loading *l, struct bao_doc *ret) BAO_MUST_CHECK;
