/* The paths of HTTP: who may ask what, which question each asks, in which form it answers, and what it says
 * when it cannot. */
#pragma once

#include "daemon/config/snapshot.h"
#include "daemon/http/http.h"
#include "daemon/intake.h"
#include "daemon/store/acts.h"
#include "daemon/store/credentials.h"
#include "daemon/store/due.h"
#include "daemon/store/queries.h"
#include "daemon/store/stat.h"
#include "lib/base/diag.h"

struct baod_api;
struct baod_failures;

/* What the paths need from the rest of the daemon; wired in daemon/server. All run on the loop thread. */
struct baod_api_ops {
    void *user;
    bao_time (*now)(void *user);
    /* baod_queries_ask(). */
    int (*ask)(void *user, const struct baod_ask *ask, baod_ask_done *done, void *done_user);
    /* Is the database reachable, so that a report would be committed now? */
    bool (*is_ready)(void *user);
    /* If not: is a report taken into custody all the same? NULL: never. */
    bool (*is_degraded)(void *user);
    /* ... and does the database answer, but other work hold the province's lock? NULL: not known. */
    bool (*is_locked)(void *user);
    /* ... or wait for the same forms and units as this daemon's, or for its tables? NULL: not known. */
    bool (*is_unready)(void *user);
    /* baod_credentials_find(). */
    int (*who)(void *user, struct bao_str secret, const struct baod_credential **ret);
    /* What reports are judged by now, with its bundle; borrowed for the call. */
    const struct baod_snapshot *(*snapshot)(void *user);
    /* baod_intake_submit(). */
    int (*submit)(void *user, const struct baod_request *request);
    /* baod_stat(). */
    int (*stat)(void *user, const struct baod_stat_ask *ask, baod_stat_done *done, void *done_user);
    /* baod_due() of the files in force, now. reads: the asker is the unit itself, which need not be told
     * again. */
    int (*due)(void *user, const struct baod_due_ask *ask, bool reads, baod_due_done *done, void *done_user);
    /* The text of /metrics, appended: 0 or <0. */
    int (*metrics)(void *user, struct bao_buf *out);
    /* Carries out an act of the office, whose actor says who asked: 0, or <0 when done is not called. */
    int (*act)(void *user, const struct baod_act *act,
               void (*done)(void *user, const struct baod_act_answer *answer), void *done_user);
};

struct baod_api_config {
    const char *local; /* the role of who asks from this machine without a secret: "none", or a role's name */
    int offset;        /* the province's seconds east of UTC, for times */
    enum bao_lang lang;             /* of plain text when the asker names none */
    struct baod_failures *failures; /* of identities; borrowed, shared with the report port */
};

/* An API that answers through `http` (set later by baod_api_attach). `ops` are copied. */
int baod_api_new(const struct baod_api_config *config, const struct baod_api_ops *ops,
                 struct baod_api **ret) BAO_MUST_CHECK;
/* Says where answers go; NULL: nowhere any more. */
void baod_api_attach(struct baod_api *api, struct baod_http *http);
/* Accepts NULL; gives NULL. Questions still on their way are answered nowhere. */
struct baod_api *baod_api_free(struct baod_api *api);
/* For baod_http_new(). */
struct baod_http_handlers baod_api_handlers(struct baod_api *api);
