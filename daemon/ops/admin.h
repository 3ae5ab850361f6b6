/* The daemon's own Unix socket, by which its operator and the office on the same machine ask it to act.
 *
 * A request is one line of JSON, and so is its answer; a connection carries one at a time. Whoever runs the
 * daemon, root, and members of one configured group are let in, told by the kernel (SO_PEERCRED); the file's
 * mode is 0660. What requests mean is not known here. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"
#include "lib/base/error.h"

#include <sys/types.h>
#include <uv.h>

struct baod_admin;

/* A request of the connection `id`; `uid` is its peer's user. Must lead to one baod_admin_reply(), now or
 * later. The line is borrowed for the call. */
typedef void baod_admin_handler(void *user, uint64_t id, uid_t uid, struct bao_str line);

/* Listens on `path` (a socket that nobody serves any more is replaced). group: whose members are let in, "" =
 * nobody else. 0; -EADDRINUSE (another daemon serves there), -ENAMETOOLONG (107 octets at most), -ENOENT (no
 * such group or folder), another negative errno. */
int baod_admin_new(uv_loop_t *loop, const char *path, const char *group, baod_admin_handler *handler,
                   void *user, struct baod_admin **ret) BAO_MUST_CHECK;
/* Answers with one line (without its line feed); an id that is gone is ignored. */
void baod_admin_reply(struct baod_admin *admin, uint64_t id, struct bao_str line);
/* Stops; the loop must run once more. Accepts NULL; gives NULL. */
struct baod_admin *baod_admin_close(struct baod_admin *admin);

/* Where the socket of a runtime folder stands. 0 or -ENAMETOOLONG. */
int baod_admin_path(const char *runtime, char ret[108]) BAO_MUST_CHECK;

/* The other side, for commands: sends {"do": what, name: value, ...} with the options `--name value` among
 * the words, waits for the answer and prints it: its sentence (and lines), or with --format json as it came.
 * Gives the exit code: 0 done, 1 refused, 2 words that make no sense or nobody there. `act` becomes the
 * member "act" unless NULL. `options` are the names that it takes (a NULL ends them); a name behind "=" is a
 * switch. */
struct baod_admin_command {
    const char *path, *what, *act;
    const char *const *options;
    int n_words;
    char **words;
    enum bao_lang lang;
    bool json;
    int wait_ms;
};
int baod_admin_command(const struct baod_admin_command *command);
