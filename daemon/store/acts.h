/* Acts of the office as people write them and are told of them: one form for the admin socket and for HTTP.
 *
 * An act is read from a map of texts, carried out on a worker thread over a connection of its own (it waits
 * for the province's lock like any batch), and answered with a line of JSON in both languages. */
#pragma once

#include "daemon/store/office.h"
#include "lib/doc/tree.h"

#include <uv.h>

/* Where an act points, when not the map but a path says it. */
struct baod_act_place {
    struct bao_str act, form, period, unit; /* unit empty: all of the period */
};

/* Members: act (return withdraw extend exempt owe lock unlock approve), form, period, unit ("" = all of the
 * period), revision, until (2026-10-20, 2026-10-20T17:00, or RFC 3339), decision, reason, by. A day alone
 * means its end. place: says act, form, period and unit in the map's stead, when not NULL; the map may then
 * be NULL. Texts are borrowed. 0, or BAOD_ACT_E_WRONG and the sentence. */
int baod_act_read(const struct bao_node *map, const struct baod_act_place *place, int offset,
                  struct baod_act *ret, const char *ret_why[BAO_LANGS]) BAO_MUST_CHECK;

/* What an act came to. */
struct baod_act_answer {
    int outcome; /* 0, enum baod_act_outcome, or <0 */
    const struct baod_act *act;
    struct baod_act_done done; /* of outcome 0 */
    struct bao_str why;        /* of BAOD_ACT_E_DATABASE, for the log */
};

/* Appends {"code", "act", …, "message": {"vi", "en"}}; code is OK or says why nothing was done. offset: the
 * province's, for times. */
int baod_act_print(struct bao_buf *out, const struct baod_act_answer *answer, int offset) BAO_MUST_CHECK;
/* Appends the sentence alone. */
int baod_act_say(struct bao_buf *out, const struct baod_act_answer *answer, enum bao_lang lang,
                 int offset) BAO_MUST_CHECK;
/* The same as the first for words that make no sense. */
int baod_act_print_wrong(struct bao_buf *out, const char *const why[BAO_LANGS]) BAO_MUST_CHECK;
/* The HTTP status of an outcome. */
int baod_act_status(int outcome);

struct baod_acts_options {
    const char *conninfo;            /* borrowed until the answer */
    struct baod_chain_signer signer; /* its texts as well */
    uid_t uid;                       /* whose act: named in the audit; (uid_t)-1 = act->actor says it all */
    /* Called once on the loop thread; `answer` for the call only. */
    void (*done)(void *user, const struct baod_act_answer *answer);
    void *user;
};

/* Starts an act, which is copied in. 0 or -ENOMEM. */
int baod_acts_start(uv_loop_t *loop, const struct baod_acts_options *options,
                    const struct baod_act *act) BAO_MUST_CHECK;
