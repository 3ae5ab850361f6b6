#include "daemon/intake.h"
#include "daemon/ops/log.h"
#include "daemon/ops/socket.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/custody.h"
#include "daemon/store/stat.h"

#include <unistd.h>

enum { BACKLOG = 4096 };

int baod_server_open_socket(const struct baod_server *s, const char *name, const char *address,
                            bool plaintext, struct baod_socket *ret)
{
    int passed = -1, r;

    for (int i = 0; i < s->n_passed; i++)
        if (strcmp(s->passed[i].name, name) == 0)
            passed = s->passed[i].fd;
    r = passed >= 0 ? baod_socket_adopt(passed, ret) : baod_socket_listen(address, BACKLOG, ret);
    if (r == BAOD_SOCKET_E_ADDRESS) {
        baod_log(BAOD_LOG_ERROR, "%s: address \"%s\" is not of the form 127.0.0.1:7316", name, address);
        return r;
    }
    if (r < 0) {
        baod_log(BAOD_LOG_ERROR, "%s: cannot listen on %s: %s", name, address, strerror(-r));
        return r;
    }
    if (!ret->loopback && !plaintext) {
        baod_log(BAOD_LOG_ERROR,
                 "%s: %s is reachable from other machines, and nothing would be encrypted; set %s.plaintext: "
                 "true if a "
                 "private network carries it",
                 name, address, name);
        close(ret->fd);
        return BAOD_SOCKET_E_ADDRESS;
    }
    return 0;
}

int baod_server_write_port(const struct baod_socket *socket, const char *name, const char *file)
{
    int r = baod_socket_write_port(socket, file);

    if (r < 0)
        baod_log(BAOD_LOG_ERROR, "%s: cannot write %s: %s", name, file, strerror(-r));
    else
        baod_log(BAOD_LOG_NOTICE, "%s: listening on port %d", name, socket->port);
    return r;
}

/* ------------------------------------------------------------------ what both ports ask */

int baod_server_submit(void *user, const struct baod_request *request)
{
    struct baod_server *s = user;

    return baod_intake_submit(s->intake, request);
}

/* A question that the spool is asked before the database. */
struct queued_call {
    struct baod_server *server;
    baod_stat_done *done;
    void *user;
    struct bao_arena arena;
    struct baod_stat_ask ask;
};

static void on_queued(void *user, const struct baod_stat *stat)
{
    struct queued_call *q = user;
    struct baod_server *s = q->server;
    const struct baod_stat busy = {.symbol = BAO_SYM_BUSY};

    if (stat != NULL)
        q->done(q->user, stat);
    else if (s->reading == NULL ||
             baod_stat(s->reading, bao_str_c(s->province), &q->ask, q->done, q->user) < 0)
        q->done(q->user, &busy);
    bao_arena_deinit(&q->arena);
    free(q);
}

/* True when `done` will be called. */
static bool look_in_spool(struct baod_server *s, const struct baod_stat_ask *asked, baod_stat_done *done,
                          void *user)
{
    struct queued_call *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return false;
    *q = (struct queued_call){.server = s, .done = done, .user = user, .ask = *asked};
    q->ask.form = bao_arena_str(&q->arena, asked->form);
    q->ask.unit = bao_arena_str(&q->arena, asked->unit);
    q->ask.period = bao_arena_str(&q->arena, asked->period);
    if (q->ask.form.p != NULL && q->ask.unit.p != NULL && q->ask.period.p != NULL &&
        baod_custody_stat(s->custody, asked, on_queued, q))
        return true;
    bao_arena_deinit(&q->arena);
    free(q);
    return false;
}

int baod_server_look_up(struct baod_server *s, const struct baod_stat_ask *asked, baod_stat_done *done,
                        void *user)
{
    if (s->custody != NULL && look_in_spool(s, asked, done, user))
        return 0;
    return baod_stat(s->reading, bao_str_c(s->province), asked, done, user);
}
