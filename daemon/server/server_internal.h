/* What the files of the server share: the daemon as one object, and what each file does for the others. For
 * daemon/server only.
 *
 *   server.c   starting, signals, leaving          prepare.c  bringing the files into the database
 *   files.c    reading forms and units (anew)      keys.c     certificates of both ports
 *   store.c    the database, the spool, the writer tick.c     what every second asks for
 *   ports.c    what both ports ask for alike       heads.c    the list of heads, to be published
 *   reports.c  the report port                     acts.c     office acts, from wherever they come
 *   http.c     the HTTP port                       admin.c    the operator's socket
 *   database.c whether the database takes reports, and telling it
 *
 * All of it runs on the loop thread but where a work callback says otherwise. */
#pragma once

#include "daemon/brp/peers.h"
#include "daemon/config/settings.h"
#include "daemon/ops/clock.h"
#include "daemon/ops/failures.h"
#include "daemon/ops/sd.h"
#include "daemon/store/acts.h"
#include "daemon/store/cache.h"
#include "daemon/store/chain.h"
#include "daemon/store/stat.h"
#include "daemon/store/sync_report.h"

#include <uv.h>

struct baod_http_keys;
struct baod_socket;

enum {
    BAOD_AGAIN_TICKS = 10, /* what failed is tried again after */
    BAOD_PREPARE_WAIT_MS = 10000,
    BAOD_ADMIN_ANSWER_MAX = 4 << 20,
    BAOD_KEYS_ARENA = 4 << 20, /* holds a certificate with its chain and a key */
    BAOD_EXIT_FAILED = 1,
};

enum baod_server_state { BAOD_STARTING, BAOD_SERVING, BAOD_DRAINING, BAOD_ENDING };

struct baod_server {
    uv_loop_t loop;
    const struct baod_settings *settings;
    enum bao_lang lang;
    enum baod_server_state state;
    int code;
    struct baod_clock clock;
    char node[64], province[64];
    uint8_t seed[32];

    struct baod_snapshot *snapshot;
    struct baod_snapshot *candidate; /* files reloaded, which the database has not taken yet; NULL: none */
    bool candidate_follows; /* they were read anew because another daemon's are in force, not by anybody's
                               wish */
    bool synced;            /* the database has taken this daemon's files once */
    unsigned reread_after;  /* the tick from which on they may be read anew for that */
    struct baod_reload *applying; /* `units apply` that waits for its files to be taken; NULL: none */
    struct baod_embedded *embedded;
    int lock; /* of the state folder, with a database of one's own */
    const char *conninfo;
    struct baod_writer *writer;
    struct baod_intake *intake;
    struct baod_pg *reading, *quick; /* quick: for questions of one form, period and scope */
    struct baod_queries *queries;
    struct baod_notices *notices;
    struct baod_credentials *credentials;
    struct baod_spool *spool; /* NULL: switched off */
    struct baod_custody *custody;
    struct baod_cache cache;
    struct baod_failures failures; /* of identities, on both ports */
    struct baod_net *net;
    struct baod_listener *listener;
    struct baod_tls *tls; /* NULL: plaintext */
    struct baod_peers *peers;
    struct baod_brp_ops brp_ops;
    struct baod_http *http;
    struct baod_api *api;
    struct baod_admin *admin; /* NULL: it could not be opened, or not any more */
    unsigned acts;            /* under way */
    struct baod_refusals *refusals;

    struct baod_sd_socket passed[BAOD_SD_SOCKETS]; /* by the service manager */
    int n_passed;

    uv_signal_t on_term, on_int, on_hup;
    uv_timer_t tick, deadline, goodbye;
    unsigned goodbyes;  /* looks at connections that end */
    unsigned draining;  /* parts that have not told their end */
    bao_date heads_day; /* the local day on which the list of heads was last brought up to date */
    bool heads_busy;
    unsigned heads_after; /* the tick from which on it may be tried again */
    bao_date keys_day;    /* the local day on which it was last said which keys are out of their time */
    bao_date sync_day;    /* the local day that obligations were last made for */
    int year_waits;       /* the coming year whose table of reports could not be attached; 0: none */
    unsigned year_after;  /* the tick after which it is tried again */
    unsigned year_wait;   /* ... and how many ticks lay between the last two tries */
    unsigned ticks;
    bool preparing;
    bool up, away;            /* last told states of the database */
    bool unready;             /* ... it answers, but what is wanted in force cannot be brought into it: */
    bool behind;              /* another daemon's files are in force there, and ours are not the same, */
    bool failing;             /* or the last try failed; either is logged */
    bool locked, locked_told; /* it answers, but other work holds a lock that the writer wants; */
    int holder;               /* ... its server process, */
    bool holder_asked;        /* ... which is being looked for, */
    unsigned holder_after;    /* ... up to this tick without saying that the database is away; */
    unsigned nobody;          /* ... answers in a row that named nobody, */
    bool standby;             /* ... and whether the last said that a commit waits for a standby */
    bool was_up;              /* since the start */
    bool lost_told;           /* that the reading connection was lost, since the database was last up */
    uint64_t moves,
        trimmed;          /* connections opened and closed, at the last tick and when memory was given back */
    unsigned quiet_ticks; /* since many last came or went */
};

/* The time by the daemon's own clock; `user` is the server. */
bao_time baod_server_now(void *user);

/* ------------------------------------------------------------------ prepare.c */

/* Brings the files that are wanted in force into the database, and then lets the writer go on (or not); does
 * nothing while that is under way. As the writer's prepare(), `user` is the server. */
void baod_server_prepare(struct baod_writer *writer, void *user);

/* ------------------------------------------------------------------ files.c */

enum baod_reload_kind {
    BAOD_RELOAD_SIGNAL,  /* waits for a database that is away */
    BAOD_RELOAD_FOLLOW,  /* as another daemon has put other files in force */
    BAOD_RELOAD_PREVIEW, /* `units apply --dry-run` */
    BAOD_RELOAD_APPLY,
};

struct baod_reload;

/* Reads the files at the start; what is wrong with them is printed and logged: 0, an outcome (the files are
 * wrong), or <0. */
int baod_server_load_files(struct baod_server *s) BAO_MUST_CHECK;
/* Starts to read the files anew; the admin socket's `peer` is answered at the end, for the kinds that were
 * asked for by it. -ENOMEM: not begun, nobody is answered. */
int baod_server_reload(struct baod_server *s, enum baod_reload_kind kind, uint64_t peer) BAO_MUST_CHECK;
/* The same to follow another daemon; a failure is logged. */
void baod_server_read_anew(struct baod_server *s);
/* Where the database is to say what it changes, while `units apply` waits for it; NULL: nobody waits. */
struct baod_sync_report *baod_server_report_wanted(const struct baod_server *s);
/* The database has spoken of a snapshot: whoever waits for it is answered. */
void baod_server_finish_apply(struct baod_server *s, const struct baod_snapshot *snapshot, bool taken);
struct baod_reload *baod_server_free_reload(struct baod_reload *reload);

/* ------------------------------------------------------------------ keys.c */

/* Loads the keys of the report port; those in force stay when the new ones are bad, which is logged. */
int baod_server_load_keys(struct baod_server *s) BAO_MUST_CHECK;
/* Reads the same keys as texts, for the HTTP port: *ret lives in the arena, both NULL without TLS. */
int baod_server_read_http_keys(const struct baod_server *s, struct bao_arena *arena,
                               struct baod_http_keys *ret) BAO_MUST_CHECK;
/* After a reload: both ports get the new keys, or what is wrong is logged and the old ones stay. */
void baod_server_renew_keys(struct baod_server *s);
/* Says which files of keys are past their time or soon will be: once a day, and after a (re)load. */
void baod_server_tell_keys(struct baod_server *s, bao_date today);
/* A report connection's transformer; `user` is the server. */
int baod_server_transform(void *user, const struct baod_transform_ops **ret_ops, void **ret_transform);

/* ------------------------------------------------------------------ store.c */

/* Each logs what failed. The three are called in this order, the files being there. */
int baod_server_open_database(struct baod_server *s) BAO_MUST_CHECK;
int baod_server_load_key(struct baod_server *s) BAO_MUST_CHECK;
int baod_server_make_store(struct baod_server *s) BAO_MUST_CHECK;
/* Who signs what this daemon writes; borrows the server's names. */
struct baod_chain_signer baod_server_signer(const struct baod_server *s);

/* ------------------------------------------------------------------ ports.c */

/* A passed-in socket of that name, or a new one. Plaintext beyond loopback must have been allowed. 0, an
 * outcome or <0, logged. */
int baod_server_open_socket(const struct baod_server *s, const char *name, const char *address,
                            bool plaintext, struct baod_socket *ret) BAO_MUST_CHECK;
/* Logs the port and writes its number to a file, "" for none. */
int baod_server_write_port(const struct baod_socket *socket, const char *name,
                           const char *file) BAO_MUST_CHECK;
/* A report, as baod_intake_submit(); `user` is the server. */
/* Nothing that is done from now on would be right: ends the daemon, and says by its exit that it failed. */
void baod_server_fail(struct baod_server *s, const char *why);

/* For baod_api_ops. */
int baod_server_metrics(void *user, struct bao_buf *out) BAO_MUST_CHECK;
int baod_server_submit(void *user, const struct baod_request *request) BAO_MUST_CHECK;
/* What became of a report, wherever it is. As baod_stat(). */
int baod_server_look_up(struct baod_server *s, const struct baod_stat_ask *asked, baod_stat_done *done,
                        void *user) BAO_MUST_CHECK;

/* ------------------------------------------------------------------ reports.c, http.c */

/* Each opens its port; what failed is logged. Reports first: it loads the keys. */
int baod_server_serve_reports(struct baod_server *s) BAO_MUST_CHECK;
int baod_server_serve_http(struct baod_server *s) BAO_MUST_CHECK;
/* Does this credential still hold? `user` is the server. */
bool baod_server_token_holds(void *user, const uint8_t credential[16]);
/* Tells a connected unit what it has not read yet; `user` is the server. */
void baod_server_tell_notice(void *user, uint64_t peer, const struct baod_notice *notice);

/* ------------------------------------------------------------------ acts.c, admin.c */

/* An office act of the admin socket, which is answered at the end. <0: nobody was answered. */
int baod_server_office(struct baod_server *s, uint64_t peer, uid_t uid,
                       const struct bao_node *request) BAO_MUST_CHECK;
/* An act over HTTP; its actor is named already. `user` is the server. <0: done() is not called. */
int baod_server_act(void *user, const struct baod_act *act,
                    void (*done)(void *user, const struct baod_act_answer *answer),
                    void *done_user) BAO_MUST_CHECK;
/* The daemon serves without it, so a runtime folder that is not there is told and no more. */
void baod_server_open_admin(struct baod_server *s);
/* Answers with what was printed to `out` when r is 0, else that it cannot be done now; frees `out`. */
void baod_server_admin_reply(struct baod_server *s, uint64_t peer, int r, struct bao_buf *out);
void baod_server_admin_refuse(struct baod_server *s, uint64_t peer, const char *const why[BAO_LANGS]);

/* ------------------------------------------------------------------ heads.c, tick.c, database.c */

/* Starts to bring the list of heads in the state folder up to date. */
void baod_server_publish_heads(struct baod_server *s, bao_date today);
/* Once a second. */
void baod_server_on_tick(uv_timer_t *timer);
/* Looks, once a second, what the database can do now, and says so when it changes. */
void baod_server_watch_database(struct baod_server *s);
/* Would a report be committed now? */
bool baod_server_database_takes(const struct baod_server *s);
