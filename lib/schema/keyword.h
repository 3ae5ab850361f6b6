/* The keywords of draft 2020-12 and the x-… ones that forms add: one table for indexing, shape checks and the
 * did-you-mean. */
#pragma once

#include "lib/doc/tree.h"

/* Vocabularies, as bits. */
enum bao_vocab {
    BAO_VOCAB_CORE = 1,
    BAO_VOCAB_APPLICATOR = 2,
    BAO_VOCAB_UNEVALUATED = 4,
    BAO_VOCAB_VALIDATION = 8,
    BAO_VOCAB_META_DATA = 16,
    BAO_VOCAB_FORMAT_ANNOTATION = 32,
    BAO_VOCAB_FORMAT_ASSERTION = 64,
    BAO_VOCAB_CONTENT = 128,
    BAO_VOCAB_STANDARD = 255 - BAO_VOCAB_FORMAT_ASSERTION,
};

/* What a keyword's value must look like. */
enum bao_shape {
    BAO_SHAPE_ANY,
    BAO_SHAPE_SCHEMA,
    BAO_SHAPE_SCHEMAS,    /* a list of them, not empty */
    BAO_SHAPE_SCHEMA_MAP, /* name to schema */
    BAO_SHAPE_STRING,
    BAO_SHAPE_URI, /* text that may hold a fragment */
    BAO_SHAPE_ID,  /* text without a fragment, but for an empty one */
    BAO_SHAPE_ANCHOR,
    BAO_SHAPE_COUNT, /* whole, not negative */
    BAO_SHAPE_NUMBER,
    BAO_SHAPE_POSITIVE,
    BAO_SHAPE_BOOL,
    BAO_SHAPE_NAMES, /* list of different texts */
    BAO_SHAPE_NAMES_MAP,
    BAO_SHAPE_TYPE,
    BAO_SHAPE_LIST,
    BAO_SHAPE_BOOL_MAP,
    BAO_SHAPE_MAP,
    BAO_SHAPE_TEXT2, /* text, or {vi, en} */
    BAO_SHAPE_FOR,   /* x-for: kinds, or {kinds, required} */
};

/* X(identifier, name, vocabulary, shape) */
#define BAO_KEYWORDS(X)                                                                                      \
    X(ID, "$id", CORE, ID)                                                                                   \
    X(SCHEMA, "$schema", CORE, URI)                                                                          \
    X(REF, "$ref", CORE, URI)                                                                                \
    X(ANCHOR, "$anchor", CORE, ANCHOR)                                                                       \
    X(DYNAMIC_REF, "$dynamicRef", CORE, URI)                                                                 \
    X(DYNAMIC_ANCHOR, "$dynamicAnchor", CORE, ANCHOR)                                                        \
    X(VOCABULARY, "$vocabulary", CORE, BOOL_MAP)                                                             \
    X(COMMENT, "$comment", CORE, STRING)                                                                     \
    X(DEFS, "$defs", CORE, SCHEMA_MAP)                                                                       \
    X(PREFIX_ITEMS, "prefixItems", APPLICATOR, SCHEMAS)                                                      \
    X(ITEMS, "items", APPLICATOR, SCHEMA)                                                                    \
    X(CONTAINS, "contains", APPLICATOR, SCHEMA)                                                              \
    X(ADDITIONAL, "additionalProperties", APPLICATOR, SCHEMA)                                                \
    X(PROPERTIES, "properties", APPLICATOR, SCHEMA_MAP)                                                      \
    X(PATTERN_PROPERTIES, "patternProperties", APPLICATOR, SCHEMA_MAP)                                       \
    X(DEPENDENT_SCHEMAS, "dependentSchemas", APPLICATOR, SCHEMA_MAP)                                         \
    X(PROPERTY_NAMES, "propertyNames", APPLICATOR, SCHEMA)                                                   \
    X(IF, "if", APPLICATOR, SCHEMA)                                                                          \
    X(THEN, "then", APPLICATOR, SCHEMA)                                                                      \
    X(ELSE, "else", APPLICATOR, SCHEMA)                                                                      \
    X(ALL_OF, "allOf", APPLICATOR, SCHEMAS)                                                                  \
    X(ANY_OF, "anyOf", APPLICATOR, SCHEMAS)                                                                  \
    X(ONE_OF, "oneOf", APPLICATOR, SCHEMAS)                                                                  \
    X(NOT, "not", APPLICATOR, SCHEMA)                                                                        \
    X(UNEVALUATED_ITEMS, "unevaluatedItems", UNEVALUATED, SCHEMA)                                            \
    X(UNEVALUATED_PROPERTIES, "unevaluatedProperties", UNEVALUATED, SCHEMA)                                  \
    X(TYPE, "type", VALIDATION, TYPE)                                                                        \
    X(CONST, "const", VALIDATION, ANY)                                                                       \
    X(ENUM, "enum", VALIDATION, LIST)                                                                        \
    X(MULTIPLE_OF, "multipleOf", VALIDATION, POSITIVE)                                                       \
    X(MAXIMUM, "maximum", VALIDATION, NUMBER)                                                                \
    X(EXCLUSIVE_MAXIMUM, "exclusiveMaximum", VALIDATION, NUMBER)                                             \
    X(MINIMUM, "minimum", VALIDATION, NUMBER)                                                                \
    X(EXCLUSIVE_MINIMUM, "exclusiveMinimum", VALIDATION, NUMBER)                                             \
    X(MAX_LENGTH, "maxLength", VALIDATION, COUNT)                                                            \
    X(MIN_LENGTH, "minLength", VALIDATION, COUNT)                                                            \
    X(PATTERN, "pattern", VALIDATION, STRING)                                                                \
    X(MAX_ITEMS, "maxItems", VALIDATION, COUNT)                                                              \
    X(MIN_ITEMS, "minItems", VALIDATION, COUNT)                                                              \
    X(UNIQUE_ITEMS, "uniqueItems", VALIDATION, BOOL)                                                         \
    X(MAX_CONTAINS, "maxContains", VALIDATION, COUNT)                                                        \
    X(MIN_CONTAINS, "minContains", VALIDATION, COUNT)                                                        \
    X(MAX_PROPERTIES, "maxProperties", VALIDATION, COUNT)                                                    \
    X(MIN_PROPERTIES, "minProperties", VALIDATION, COUNT)                                                    \
    X(REQUIRED, "required", VALIDATION, NAMES)                                                               \
    X(DEPENDENT_REQUIRED, "dependentRequired", VALIDATION, NAMES_MAP)                                        \
    X(TITLE, "title", META_DATA, STRING)                                                                     \
    X(DESCRIPTION, "description", META_DATA, STRING)                                                         \
    X(DEFAULT, "default", META_DATA, ANY)                                                                    \
    X(DEPRECATED, "deprecated", META_DATA, BOOL)                                                             \
    X(READ_ONLY, "readOnly", META_DATA, BOOL)                                                                \
    X(WRITE_ONLY, "writeOnly", META_DATA, BOOL)                                                              \
    X(EXAMPLES, "examples", META_DATA, LIST)                                                                 \
    X(FORMAT, "format", FORMAT_ANNOTATION, STRING)                                                           \
    X(CONTENT_ENCODING, "contentEncoding", CONTENT, STRING)                                                  \
    X(CONTENT_MEDIA_TYPE, "contentMediaType", CONTENT, STRING)                                               \
    X(CONTENT_SCHEMA, "contentSchema", CONTENT, SCHEMA)                                                      \
    X(X_EN, "x-en", META_DATA, STRING)                                                                       \
    X(X_KEY, "x-key", META_DATA, STRING)                                                                     \
    X(X_FOR, "x-for", META_DATA, FOR)                                                                        \
    X(X_PERSONAL, "x-personal", META_DATA, BOOL)                                                             \
    X(X_NORMALIZE, "x-normalize", META_DATA, STRING)                                                         \
    X(X_MESSAGE, "x-message", META_DATA, TEXT2)

enum bao_kw {
#define X(id, name, vocab, shape) BAO_KW_##id,
    BAO_KEYWORDS(X)
#undef X
        BAO_KW_COUNT
};

struct bao_keyword {
    const char *name;
    uint8_t vocab; /* enum bao_vocab */
    uint8_t shape; /* enum bao_shape */
};

/* What is known of a keyword; never NULL below BAO_KW_COUNT. */
const struct bao_keyword *bao_keyword_info(enum bao_kw kw);
/* The keyword of a name, or BAO_KW_COUNT. */
enum bao_kw bao_keyword_of(struct bao_str name);
/* How alike two names are: edits between them without accents and case, or SIZE_MAX when they are not near.
 */
size_t bao_name_distance(struct bao_arena *a, struct bao_str written, struct bao_str known);
/* The known keyword nearest to a misspelt one; NULL when none is near. */
const char *bao_keyword_nearest(struct bao_arena *a, struct bao_str name);
/* The vocabulary bit of a URI; 0 = not known here. */
unsigned bao_vocab_of(struct bao_str uri);

/* Keywords of an object schema by number; NULL where absent. */
struct bao_keywords {
    const struct bao_node *at[BAO_KW_COUNT];
};

/* Sorts the members of an object schema into keywords of the given vocabularies; everything of others stays
 * NULL, as does everything when the node is not a map. */
void bao_keywords_get(const struct bao_node *schema, unsigned vocab, struct bao_keywords *ret);
