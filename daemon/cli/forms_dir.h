/* The forms and provinces a command judges by: given by --forms and --province, else the hub's bundle that
 * `baocao forms pull` keeps, else found beside the clerk or where they were installed. */
#pragma once

#include "daemon/cli/cli.h"
#include "daemon/cli/pulled.h"
#include "daemon/config/snapshot.h"

enum { CLI_PROVINCES_MAX = 64 };

struct cli_forms {
    char *dir;                                          /* of the forms */
    char *provinces[CLI_PROVINCES_MAX];                 /* folders, in order of name; loaded when asked for */
    struct baod_snapshot *snapshots[CLI_PROVINCES_MAX]; /* one a province; one without when there is none */
    size_t n;
    enum bao_lang lang;
    bool quiet;     /* for programs: nothing is told beside the answer */
    bool is_pulled; /* from the hub: */
    struct cli_pulled pulled;
};

/* Finds the folders and loads the first. `forms` and `province` may be NULL. false after telling what is
 * wrong. */
bool cli_forms_open(struct cli_forms *f, const struct cli_options *options, const char *forms,
                    const char *province);
void cli_forms_close(struct cli_forms *f);
/* Tells by which bundle of the hub was judged and how old it is, on stderr; nothing for other folders. */
void cli_forms_tell(const struct cli_forms *f);
/* The i-th snapshot, loaded now if it has not been; NULL past the last, or after telling what is wrong. */
const struct baod_snapshot *cli_forms_get(struct cli_forms *f, size_t i);
/* The snapshot whose province knows the unit on any day; the first when none does. */
const struct baod_snapshot *cli_forms_of_unit(struct cli_forms *f, struct bao_str unit);
/* The registry of a snapshot, or NULL when it was loaded without a province. */
const struct bao_registry *cli_registry(const struct baod_snapshot *s);
/* Resolves what a person wrote for a unit, a code or a name of that day (old and new tone marks alike), to
 * the code in *code (perhaps in the arena) and gives its snapshot. NULL after telling what is wrong. */
const struct baod_snapshot *cli_forms_unit(struct cli_forms *f, struct bao_arena *arena, bao_date day,
                                           struct bao_str *code);
