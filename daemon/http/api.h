/* The paths of HTTP: which question each asks, in which form it answers, and what it says when it cannot. */
#pragma once

#include "daemon/http/http.h"
#include "daemon/store/queries.h"

struct baod_api;

/* What the paths need from the rest of the daemon; wired in server.c. */
struct baod_api_ops {
    void *user;
    bao_time (*now)(void *user);
    /* baod_queries_ask(). */
    int (*ask)(void *user, const struct baod_ask *ask, baod_ask_done *done, void *done_user);
    /* Is the database reachable, so that a report would be committed now? */
    bool (*is_ready)(void *user);
};

/* An API that answers through `http` (set later by baod_api_attach). `ops` is borrowed for its life. */
int baod_api_new(const struct baod_api_ops *ops, struct baod_api **ret) BAO_MUST_CHECK;
/* Says where answers go. */
void baod_api_attach(struct baod_api *api, struct baod_http *http);
/* Accepts NULL; gives NULL. Questions still on their way are answered nowhere. */
struct baod_api *baod_api_free(struct baod_api *api);
/* The handler for baod_http_new(); user = the API. */
void baod_api_handle(void *user, struct baod_http_exchange *x);
