/* Regular expressions as ECMA-262 means them with the u flag, run by PCRE2. regex.c is the only file that
 * includes PCRE2.
 *
 * A pattern is parsed here and written anew for PCRE2, so that classes, escapes and anchors mean what ECMA
 * says and nothing else gets through. */
#pragma once

#include "lib/base/arena.h"

struct bao_regex;

enum bao_regex_outcome {
    BAO_REGEX_E_SYNTAX = 1,  /* not an ECMA-262 pattern */
    BAO_REGEX_E_UNSUPPORTED, /* a lookbehind without bound, or too large */
};

/* Compiles; *ret_at is the octet where a bad pattern goes wrong. 0, an outcome, or -ENOMEM. */
int bao_regex_compile(struct bao_str pattern, size_t *ret_at, struct bao_regex **ret) BAO_MUST_CHECK;
struct bao_regex *bao_regex_free(struct bao_regex *regex);

/* Is it a pattern at all (format "regex")? 0 or an outcome or -ENOMEM, without making it ready to run. */
int bao_regex_check(struct bao_str pattern, size_t *ret_at) BAO_MUST_CHECK;

/* What a thread needs to match in. */
struct bao_regex_scratch;
struct bao_regex_scratch *bao_regex_scratch_new(void) BAO_MUST_CHECK;
struct bao_regex_scratch *bao_regex_scratch_free(struct bao_regex_scratch *scratch);

/* Is there a match anywhere in the text (valid UTF-8)? 1, 0, -E2BIG when it costs too much to tell, -ENOMEM.
 */
int bao_regex_match(const struct bao_regex *regex, struct bao_regex_scratch *scratch,
                    struct bao_str text) BAO_MUST_CHECK;

/* The table that matches in one reading of the text (pattern.h), so that it never costs too much to tell;
 * NULL when the pattern is not for a table. Belongs to the pattern. */
struct bao_automaton;
const struct bao_automaton *bao_regex_table(const struct bao_regex *regex);

/* What the matches since the last call cost beyond the reading of their texts, in steps of a run's budget. */
uint32_t bao_regex_take_cost(struct bao_regex_scratch *scratch);

/* A chain of compiled patterns that are freed together. */
struct bao_regex *bao_regex_chain(struct bao_regex *regex, struct bao_regex *next);
