/* The outbox: a folder that keeps what could not go yet, through power loss and for weeks.
 *
 *     DIR/waiting/   to be sent
 *     DIR/sent/      taken by the hub; NAME.receipt.json beside each
 *     DIR/refused/   refused; NAME.answer.json beside each
 *     DIR/tmp/       half-written files; emptied by nobody but safe to delete
 *
 * A file enters under a name made of its content, so that putting it twice keeps it once. Files move by
 * rename after fsync. One process at a time works on an outbox; others may put files in meanwhile. */
#pragma once

#include "daemon/cli/send.h"

struct cli_outbox;

/* A file that waits. Texts live in the arena of cli_outbox_list(). */
struct cli_outbox_item {
    const char *path;
    const char *name;   /* as its owner named it */
    struct bao_str key; /* form, unit and period; empty when the file has none that can be read */
    int revision;
    int error; /* it cannot be read: a negative errno, and nothing else is known of it */
};

enum cli_outbox_outcome { CLI_OUTBOX_E_BUSY = 1 };

/* Opens, making the folders that are missing. 0; CLI_OUTBOX_E_BUSY: another process works on it, and files
 * may only be put in; <0. */
int cli_outbox_open(const char *dir, struct cli_outbox **ret) BAO_MUST_CHECK;
/* Tells on standard error why it could not be opened, or is only open for putting files in. */
void cli_outbox_tell(const struct cli_options *options, const char *dir, int outcome);
/* Accepts NULL; gives NULL. */
struct cli_outbox *cli_outbox_close(struct cli_outbox *o);
/* Copies a file into waiting/; *ret_path (in the arena) is its place there. 0 or <0. */
int cli_outbox_put(struct cli_outbox *o, struct bao_arena *arena, const char *file,
                   const char **ret_path) BAO_MUST_CHECK;
/* What waits, each key's revisions in rising order, what cannot be read before them. 0 or <0. */
int cli_outbox_list(struct cli_outbox *o, struct bao_arena *arena, struct cli_outbox_item **ret,
                    size_t *ret_n) BAO_MUST_CHECK;
/* Moves a file to where its fate belongs; one that must be sent again stays. Sets fate->kept. 0 or <0. */
int cli_outbox_settle(struct cli_outbox *o, const struct cli_options *options, const char *path,
                      struct cli_fate *fate) BAO_MUST_CHECK;
/* Remembers how a round ended, for the back-off between rounds. */
int cli_outbox_note(struct cli_outbox *o, bool failed) BAO_MUST_CHECK;
/* Seconds until the next round is due: 0 = now. A minute after the first failure, doubling to an hour. */
long cli_outbox_pause(struct cli_outbox *o);
