/* Reading a command's words by a table, so that every command tells alike what is wrong with them. */
#pragma once

#include "daemon/cli/cli.h"

/* One option that a command takes. Without `n` the last value counts; with it every value is kept. */
struct cli_word {
    const char *name;   /* "--unit"; NULL ends the table */
    const char **value; /* where its value goes, written "--unit V" or "--unit=V"; NULL: a switch */
    bool *given;        /* of a switch */
    size_t *n;          /* how many values; `value` has room for argc of them */
};

/* Sorts the options from the other words, at most `most`, which move to the front of argv (from 1 on). After
 * such words an option with `n` takes every word up to the next option. Gives how many words there are, or -1
 * after telling what is wrong. */
int cli_words_read(const struct cli_options *options, int argc, char **argv, const struct cli_word *known,
                   int most);
/* A command of two words, such as "receipt check": takes the second out. false after telling that it lacks.
 */
bool cli_words_second(const struct cli_options *options, int *argc, char ***argv, const char *second);
