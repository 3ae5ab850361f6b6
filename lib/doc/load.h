/* From bytes to a value tree: YAML (libyaml's events; the plainest kind without it) and strict JSON (RFC
 * 8259). forms.md section 3.
 *
 * A refused document gives exactly one finding with its place, mending told by the catalogue. */
#pragma once

#include "lib/doc/codes.h"
#include "lib/doc/tree.h"

enum bao_load_mode {
    BAO_LOAD_PLAIN,  /* any document: NUL allowed in text, no Vietnamese-thousand rule */
    BAO_LOAD_REPORT, /* a report: rules 8 (no C0 controls but TAB, LF, CR) and 11 (1.000) hold too */
};

enum bao_load_format {
    BAO_FORMAT_GUESS, /* JSON when the strict reader takes it, else YAML */
    BAO_FORMAT_JSON,  /* declared: only RFC 8259 */
    BAO_FORMAT_YAML,
};

enum { BAO_LOAD_DEPTH_MAX = 512 };

struct bao_load_limits {
    size_t octets;    /* of the document */
    uint32_t depth;   /* lists and maps inside each other, at most BAO_LOAD_DEPTH_MAX; a bare scalar has 0 */
    uint32_t nodes;   /* aliases counted as expanded */
    uint32_t scalar;  /* octets of one scalar */
    uint32_t key;     /* octets of one key */
    uint32_t aliases; /* uses */
    uint32_t tag_directives;
};

/* 4 MiB, 64, 200,000, 1 MiB, 4 KiB, 1,000, 16. */
#define BAO_LOAD_LIMITS_DEFAULT                                                                              \
    ((struct bao_load_limits){.octets = 4u << 20,                                                            \
                              .depth = 64,                                                                   \
                              .nodes = 200000,                                                               \
                              .scalar = 1u << 20,                                                            \
                              .key = 4096,                                                                   \
                              .aliases = 1000,                                                               \
                              .tag_directives = 16})

struct bao_load_options {
    enum bao_load_mode mode;
    enum bao_load_format format;
    struct bao_load_limits limits;
};

enum bao_load_outcome {
    BAO_LOAD_E_REFUSED = 1, /* a finding was added */
};

/* Is this a line "name： value" whose colon is the wide one (U+FF1A) of other keyboards? The name, and the
 * line as it should be; where more wide colons follow, lines ran together and the value is left open ("name:
 * …"). Texts live in the arena. */
bool bao_is_wide_colon(struct bao_arena *arena, struct bao_str line, struct bao_str *ret_name,
                       struct bao_str *ret_mended);

/* Loads one document. `text` is borrowed by the tree (places point into ret->source, which is text itself
 * or a converted copy in the arena) and must live as long. 0, BAO_LOAD_E_REFUSED, or <0. */
int bao_load(struct bao_arena *arena, struct bao_str text, const struct bao_load_options *options,
             struct bao_findings *findings, struct bao_doc *ret) BAO_MUST_CHECK;
