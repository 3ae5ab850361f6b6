/* JSON Schema 2020-12, compiled to a flat program. forms.md section 4.
 *
 * A set holds documents by URI; compile makes an immutable program from one of them, safe to run from many
 * threads at once. Nothing is ever fetched: a document that is not in the set is an error. The metaschemas
 * of draft 2020-12 are built in. */
#pragma once

#include "lib/doc/tree.h"
#include "lib/text/catalogue.h"

struct bao_schema_set;
struct bao_schema;

struct bao_schema_options {
    bool assert_format; /* formats refuse; else they only annotate */
    bool form; /* a form's schema: unknown keywords but x-… are errors, named with the nearest known one */
    const char *default_dialect; /* URI for schemas without $schema; NULL = 2020-12 */
};

enum bao_schema_outcome {
    BAO_SCHEMA_E_BAD = 1, /* findings say why */
};

/* An empty set; NULL when there is no memory. */
struct bao_schema_set *bao_schema_set_new(void) BAO_MUST_CHECK;
struct bao_schema_set *bao_schema_set_free(struct bao_schema_set *set);
/* Makes a document known by a URI. The tree is borrowed until the set is freed. 0 or -ENOMEM. */
int bao_schema_set_add(struct bao_schema_set *set, struct bao_str uri,
                       const struct bao_node *root) BAO_MUST_CHECK;

/* Compiles `root`, whose base is `base_uri` unless it has an $id. The program keeps what it needs: after
 * success neither set nor tree is needed, but when the caller asks for findings whose sentences quote the
 * schema (titles, x-message) — these are copied at compile. 0, BAO_SCHEMA_E_BAD (findings added, with
 * places in the schema's file), or <0. */
int bao_schema_compile(const struct bao_schema_set *set, const struct bao_node *root, struct bao_str base_uri,
                       const struct bao_schema_options *options, struct bao_findings *findings,
                       struct bao_schema **ret) BAO_MUST_CHECK;
struct bao_schema *bao_schema_free(struct bao_schema *schema);

/* What one run needs to work in; reusable, one a thread. */
struct bao_schema_scratch;
struct bao_schema_scratch *bao_schema_scratch_new(void) BAO_MUST_CHECK;
struct bao_schema_scratch *bao_schema_scratch_free(struct bao_schema_scratch *scratch);

/* Verdict alone: 1 valid, 0 invalid, <0 could not be decided (-ENOMEM, -E2BIG: step budget or regex limit
 * spent; such a document is refused). */
int bao_schema_is_valid(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                        const struct bao_node *value) BAO_MUST_CHECK;

/* Where a judged value stands, for pointers and paths that begin above it. */
struct bao_schema_at {
    struct bao_str pointer; /* e.g. "/data" */
    struct bao_str source;  /* the document's text, to give back a value as it was written; may be empty */
};

/* The reporting pass: adds a finding for each mistake, with implied ones suppressed (forms.md section 6).
 * Run it only when the verdict is 0 or undecided. 0, or <0. */
int bao_schema_report(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                      const struct bao_node *value, struct bao_schema_at at,
                      struct bao_findings *findings) BAO_MUST_CHECK;

/* NFC without blanks around it: how a form compares text. .p NULL: no memory. */
struct bao_str bao_text_norm(struct bao_arena *a, struct bao_str s) BAO_MUST_CHECK;
