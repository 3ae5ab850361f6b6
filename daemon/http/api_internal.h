/* What the files of the API share: a call, who makes it, and how it is answered. For daemon/http only. */
#pragma once

#include "daemon/http/api.h"
#include "daemon/ops/failures.h"
#include "lib/text/symbols.h"

struct baod_api {
    struct baod_api_ops ops;
    struct baod_api_config config;
    struct baod_http *http; /* NULL: nobody is left to be answered */
    unsigned refs;          /* the owner and each question under way */
};

enum baod_format { BAOD_FORMAT_JSON, BAOD_FORMAT_CSV, BAOD_FORMATS };

/* Where an answer goes, and in which language and form. Small enough to be copied across asynchronous edges;
 * whoever keeps one holds a reference of the API (baod_api_ref). */
struct baod_asker {
    struct baod_api *api;
    uint64_t exchange;
    enum bao_lang lang;
    bool text; /* plain text was asked for, instead of JSON */
};

enum { BAOD_PATH_PARTS = 5 };

/* One request, from its head to its end; freed with the exchange. */
struct baod_call {
    struct baod_asker asker;
    const struct baod_route *route;
    enum baod_format format;
    enum baod_role role;
    struct baod_identity who;             /* any_unit: of the role unit, for all */
    struct bao_str name;                  /* of the secret that was shown; .p NULL: none was */
    struct bao_str part[BAOD_PATH_PARTS]; /* of the path, after the route's */
    size_t n_parts;
    struct bao_arena arena;
};

typedef void baod_route_handler(struct baod_call *call, struct baod_http_exchange *x);

enum { BAOD_GET = 1, BAOD_PUT = 2, BAOD_POST = 4 };

struct baod_route {
    const char *path; /* whole, or with a '/' at its end: parts follow */
    unsigned methods; /* GET stands for HEAD too */
    unsigned roles;   /* 1 << enum baod_role; 0 = open to everybody */
    bool own;         /* rows: a unit sees only its own */
    baod_route_handler *handle;
    enum baod_question question; /* of rows */
    const char *const *filters;  /* of rows: the query parameters it knows, NULL-terminated */
};

/* The types of baod_format, for Content-Type. */
extern const char *const baod_types[BAOD_FORMATS];

/* Whoever keeps an asker holds a reference. */
void baod_api_ref(struct baod_api *api);
void baod_api_unref(struct baod_api *api);
/* Answers. A refusal has one shape: {"code", "message": {"vi", "en"}}, or its sentence as plain text. */
void baod_api_reply(const struct baod_asker *to, const struct baod_http_reply *reply);
void baod_api_refuse(const struct baod_asker *to, int status, const char *code, const char *vi,
                     const char *en);
void baod_api_refuse_symbol(const struct baod_asker *to, enum bao_symbol symbol);
/* The same, with the time to wait; 0 = the usual. */
void baod_api_refuse_wait(const struct baod_asker *to, enum bao_symbol symbol, unsigned after_ms);
/* May the caller speak for the unit, as the role unit does: for itself and for what it took over? */
bool baod_call_speaks_for(const struct baod_call *call, struct bao_str unit);

/* Finds out who calls, and whether the route is for them: true, or false after answering. */
bool baod_access_check(struct baod_call *call, const struct baod_http_exchange *x);
/* What other methods than GET must fulfil, so that no foreign page makes a browser send them. */
bool baod_access_may_write(const struct baod_call *call, const struct baod_http_exchange *x);

/* Handlers in files of their own. */
baod_route_handler baod_acts_post, baod_due_get;
baod_route_handler baod_bundle_get, baod_openapi_get, baod_reports_put, baod_reports_get, baod_reports_check;
