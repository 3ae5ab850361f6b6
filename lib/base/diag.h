/* What one finding says, before anybody puts it into words.
 *
 * Modules record a code, a place and a few arguments; lib/text turns them into Vietnamese and
 * English sentences. Everything lives in the arena of the judged document. */
#pragma once

#include "lib/base/arena.h"

enum bao_severity {
    BAO_ERROR,   /* refuses */
    BAO_CONFIRM, /* accepted only with an explanation */
    BAO_WARNING, /* told, never refuses */
};

enum bao_lang { BAO_VI, BAO_EN, BAO_LANGS };

/* A piece of a source file. Line and column count from 1; columns count characters. line 0: no place. */
struct bao_place {
    uint32_t line, column;
    uint32_t offset, length; /* octets in the source; length 0 when only the point is known */
};

/* An argument of a sentence: the same in both languages (en.p NULL), or a word of each. */
struct bao_arg {
    struct bao_str vi;
    struct bao_str en;
};

enum { BAO_FINDING_ARGS = 6 };

struct bao_finding {
    uint16_t code; /* BC<code>; the catalogue in lib/text has its sentences */
    uint8_t severity;
    uint8_t n_args;
    bool in_json; /* of a JSON document: what is to be typed is spelt so */
    struct bao_place at;
    struct bao_str pointer;            /* JSON Pointer of the value in the document ("" = whole) */
    struct bao_str keyword;            /* JSON Pointer of the schema keyword, "" when none */
    struct bao_str path;               /* nhiem_vu[NV-03].tien_do: as rules and explanations write it */
    struct bao_str titles[BAO_LANGS];  /* path in titles, joined by " > " signs; empty when none */
    struct bao_str check;              /* id of the check, "" when none */
    struct bao_str item;               /* key of the list item the check speaks of, "" when none */
    struct bao_str message[BAO_LANGS]; /* the form's own sentence (check or x-message); empty: catalogue's */
    struct bao_arg args[BAO_FINDING_ARGS];
};

/* A list of findings with a cap: beyond it they are counted, not kept. */
struct bao_findings {
    struct bao_arena *arena;
    struct bao_finding *items;
    size_t n, size;
    size_t cap;     /* most to keep */
    size_t dropped; /* found beyond the cap */
    size_t by_severity[BAO_WARNING + 1];
    bool in_json;   /* the document being read, or read last, is JSON */
    bool no_memory; /* one could not be kept for lack of memory: the verdict must not be "valid" */
};

/* An empty list that keeps at most cap findings in the arena. */
void bao_findings_init(struct bao_findings *f, struct bao_arena *arena, size_t cap);
/* Adds one; gives it for filling in, or NULL when it was only counted. The counts are right either way. */
struct bao_finding *bao_findings_add(struct bao_findings *f, unsigned code, enum bao_severity severity,
                                     struct bao_place at);
/* Adds an argument that reads the same in both languages (borrowed text, already in the arena). */
void bao_finding_arg(struct bao_finding *finding, struct bao_str value);
/* Adds an argument with a word for each language. */
void bao_finding_arg2(struct bao_finding *finding, struct bao_str vi, struct bao_str en);
/* Copies the findings of `from` with all their texts into the arena, which may be one that `from` does not
 * outlive. 0, or -ENOMEM. */
int bao_findings_copy(const struct bao_findings *from, struct bao_arena *arena,
                      struct bao_findings *ret) BAO_MUST_CHECK;
/* Orders by line, column, code; stable. */
void bao_findings_sort(struct bao_findings *f);
