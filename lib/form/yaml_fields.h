/* Reading a YAML map by a table of its keys: province files and form files are read with it.
 *
 * One row a key: its name, what kind of value it takes, where in the caller's struct it goes. Keys that no
 * row names, kinds that do not fit and missing required keys become findings with place, path, the nearest
 * known key and a mending. Texts and nodes put into the struct are borrowed from the tree. */
#pragma once

#include "lib/doc/tree.h"
#include "lib/form/date.h"

/* A text in Vietnamese and, where given, in English (else .en is empty). */
struct bao_text2 {
    struct bao_str vi, en;
};

enum bao_field_type {
    BAO_F_TEXT,   /* struct bao_str: not empty; a bare number is refused with its quoted spelling */
    BAO_F_TEXT2,  /* struct bao_text2: a text, or a map {vi: …, en: …} of which vi must be there */
    BAO_F_WORD,   /* uint8_t: index in .words (NULL-terminated) */
    BAO_F_INT,    /* int: within .min .. .max */
    BAO_F_NUMBER, /* struct bao_num */
    BAO_F_BOOL,   /* bool */
    BAO_F_DATE,   /* bao_date; null gives BAO_DATE_NONE */
    BAO_F_CLOCK,  /* int, second of the day: "17:00", "24:00" */
    BAO_F_LIST,   /* const struct bao_node *: not empty unless .min is -1 */
    BAO_F_MAP,    /* const struct bao_node * */
    BAO_F_ANY,    /* const struct bao_node * */
};

struct bao_field {
    const char *name;
    uint8_t type; /* enum bao_field_type */
    bool required;
    size_t offset; /* offsetof the member it fills; untouched when the key is absent or null (but dates) */
    int min, max;
    const char *const *words;
};

/* One document being read; findings go to `findings` with paths found from `root`. */
struct bao_reader {
    struct bao_arena *arena;
    struct bao_findings *findings;
    const struct bao_node *root; /* of the whole document */
    struct bao_str source;       /* its text, for spellings as written; may be empty */
};

/* Reads a map into *ret_target, whose defaults the caller has set. false: there are findings. Keys that begin
 * with "x-" are refused too unless a row names them. */
bool bao_fields_read(const struct bao_reader *r, const struct bao_node *map, const struct bao_field *fields,
                     size_t n, void *ret_target) BAO_MUST_CHECK;
/* One value alone, by a row (name and required are not looked at but for the message). */
bool bao_field_read(const struct bao_reader *r, const struct bao_node *value, const struct bao_field *field,
                    void *ret_target) BAO_MUST_CHECK;
/* A list of texts, each not empty and none twice; `name` is the list's key, for messages. An empty list is an
 * error when `empty_is_wrong`. */
bool bao_texts_read(const struct bao_reader *r, const struct bao_node *list, const char *name,
                    bool empty_is_wrong, const struct bao_str **ret_items, size_t *ret_n) BAO_MUST_CHECK;

/* A new error finding at a value, pointer and path filled in; NULL beyond the list's cap. Never fails
 * otherwise. */
struct bao_finding *bao_complain(const struct bao_reader *r, unsigned code, const struct bao_node *value);
/* The same at a key. */
struct bao_finding *bao_complain_key(const struct bao_reader *r, unsigned code,
                                     const struct bao_member *member);
/* The value as it was written in the source ("24133", "[a, b]"), or its JSON text; cut at 60 octets. */
struct bao_str bao_spelling(const struct bao_reader *r, const struct bao_node *value);
/* The likeliest of the words for what somebody wrote: accents, case and a few letters aside; NULL: none is
 * near. */
const char *bao_nearest(struct bao_arena *arena, struct bao_str written, const char *const *words, size_t n);
/* The same over texts; gives the index, or n. */
size_t bao_nearest_str(struct bao_arena *arena, struct bao_str written, const struct bao_str *words,
                       size_t n);
