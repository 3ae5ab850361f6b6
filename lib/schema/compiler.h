/* What compiling a schema works with: indexing (index.c), the graph of subs (compile.c), instructions
 * (emit.c). */
#pragma once

#include "lib/base/map.h"
#include "lib/schema/program.h"

/* A document of a set. */
struct bao_schema_document {
    struct bao_str uri;
    const struct bao_node *root; /* borrowed */
};

struct bao_schema_set {
    struct bao_arena arena;
    struct bao_map by_uri; /* struct bao_schema_document */
};

struct bao_anchor {
    struct bao_str name;
    const struct bao_loc *loc;
    bool dynamic;
    struct bao_anchor *next;
};

/* A part of a document with a URI of its own. */
struct bao_resource {
    struct bao_str uri;
    const struct bao_loc *root;
    unsigned vocab;
    bool assert_format;
    struct bao_anchor *anchors;
};

/* Which $dynamicAnchor of each name the dynamic scope met first. */
struct bao_scope {
    const struct bao_scope *next;
    uint32_t n;
    const struct bao_anchor *first[];
};

enum { BAO_SCHEMA_CERTAIN = 100000, BAO_SCHEMA_SUBS = 400000, BAO_SCHEMA_MEMORY = 512 << 20 };

struct bao_compiler {
    const struct bao_schema_set *set;
    const struct bao_schema_options *options;
    struct bao_findings *findings;
    struct bao_schema *schema;
    struct bao_arena *arena;  /* the schema's */
    struct bao_arena work;    /* dies with the compiler */
    struct bao_map resources; /* by URI */
    struct bao_map locs;      /* by node */
    const struct bao_scope *scopes;
    struct bao_sub **subs;
    uint32_t n_subs, size_subs;
    struct bao_sub *combined;   /* made by emit.c, linked by next_at_loc */
    struct bao_members *tables; /* all of them, linked by next */
    struct bao_ins *ins;
    uint32_t n_ins, size_ins;
    int certain_left; /* places that may still be looked into to decide unevaluated* beforehand */
    bool bad;         /* findings were added */
};

/* Adds a finding that makes the schema bad; args follow with bao_finding_arg(). May give NULL. */
struct bao_finding *bao_compiler_bad(struct bao_compiler *c, unsigned code, const struct bao_node *at);

/* index.c. A document's root resource, copied into the program and indexed. */
int bao_index_document(struct bao_compiler *c, struct bao_str uri, const struct bao_node *root,
                       struct bao_resource **ret) BAO_MUST_CHECK;
/* The place a reference means; *ret stays NULL (and nothing is reported) when there is none. With
 * *ret_anchor the anchor, when the fragment is one. */
int bao_index_find(struct bao_compiler *c, const struct bao_resource *from, struct bao_str reference,
                   const struct bao_loc **ret, const struct bao_anchor **ret_anchor) BAO_MUST_CHECK;
/* The reference nearest to one that bao_index_find() found nothing for: its first wrong name replaced by the
 * nearest there is. In c->work; n = 0 when none is near. */
int bao_index_nearest(struct bao_compiler *c, const struct bao_resource *from, struct bao_str reference,
                      struct bao_str *ret) BAO_MUST_CHECK;
/* The place of a subschema of an indexed one. */
const struct bao_loc *bao_index_loc(const struct bao_compiler *c, const struct bao_node *node);

/* shape.c. Does the value fit the keyword? Adds a finding when not. */
void bao_shape_check(struct bao_compiler *c, enum bao_kw kw, const struct bao_node *value);
/* The rules that only a form's schema must keep: known keywords, maxItems, x-key, formats. */
void bao_shape_check_form(struct bao_compiler *c, const struct bao_node *schema,
                          const struct bao_keywords *kw);

/* emit.c. Makes the instructions of all subs; `order` has every sub after those it asks about the same value.
 */
int bao_emit_all(struct bao_compiler *c, struct bao_sub *const *order) BAO_MUST_CHECK;

/* metaschemas.c. The text of a built-in metaschema by its URI; empty when it is none. */
struct bao_str bao_metaschema_text(struct bao_str uri);
