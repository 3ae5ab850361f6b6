#include "daemon/config/snapshot.h"
#include "daemon/ops/log.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/acts.h"
#include "daemon/store/writer.h"

enum { ACTS_MAX = 8 };

/* One act under way: of the admin socket, or of whoever else asked. */
struct act_call {
    struct baod_server *server;
    uint64_t peer;
    void (*done)(void *user, const struct baod_act_answer *answer); /* NULL: the admin socket's */
    void *user;
};

static void log_act(const struct baod_act_answer *answer)
{
    const struct baod_act *act = answer->act;
    struct bao_str unit = act->unit.n != 0 ? act->unit : BAO_STR("all units");

    if (answer->outcome == 0 && answer->done.touched == 0)
        baod_log(BAOD_LOG_NOTICE, "office: %s %.*s %.*s %.*s by %.*s: it is so already, nothing is recorded",
                 baod_act_name(act->kind), BAO_STR_ARG(act->form), BAO_STR_ARG(act->period),
                 BAO_STR_ARG(unit), BAO_STR_ARG(act->actor));
    else if (answer->outcome == 0)
        baod_log(BAOD_LOG_NOTICE, "office: %s %.*s %.*s %.*s by %.*s: %lld %s, batch %lld",
                 baod_act_name(act->kind), BAO_STR_ARG(act->form), BAO_STR_ARG(act->period),
                 BAO_STR_ARG(unit), BAO_STR_ARG(act->actor), (long long)answer->done.touched,
                 bao_plural(answer->done.touched, "obligation", "obligations"), (long long)answer->done.seq);
    else if (answer->outcome < 0 || answer->outcome == BAOD_ACT_E_DATABASE)
        baod_log(BAOD_LOG_ERROR, "office: an act was not carried out: %s%.*s",
                 answer->outcome < 0 ? strerror(-answer->outcome) : "", BAO_STR_ARG(answer->why));
}

/* Why nobody owes what an act names, as far as the files in force say it. */
static int why_not_owed(const struct baod_server *s, const struct baod_act *act)
{
    const struct bao_forms *forms = &s->snapshot->forms;
    struct bao_period period;
    bool known = false, fits = false;

    if (!bao_period_parse(act->period, &period))
        return BAOD_ACT_E_NOTOWED;
    for (size_t i = 0; i < forms->n; i++) {
        if (!bao_str_eq(forms->items[i]->id, act->form))
            continue;
        known = true;
        fits = fits || forms->items[i]->period_type == period.type ||
               (forms->items[i]->period_type == BAO_PERIOD_ONCE && period.type == BAO_P_DAY);
    }
    if (!known)
        return BAOD_ACT_E_NOFORM;
    if (act->unit.n != 0 && bao_registry_any(&s->snapshot->registry, act->unit) == NULL)
        return BAOD_ACT_E_NOUNIT;
    return fits ? BAOD_ACT_E_NOTOWED : BAOD_ACT_E_NOPERIOD;
}

static void on_act_done(void *user, const struct baod_act_answer *done)
{
    struct act_call *call = user;
    struct baod_server *s = call->server;
    struct baod_act_answer told = *done;
    const struct baod_act_answer *answer = &told;
    struct bao_buf out = BAO_BUF_NULL(BAOD_ADMIN_ANSWER_MAX);

    if (told.outcome == BAOD_ACT_E_NOTOWED)
        told.outcome = why_not_owed(s, told.act);
    s->acts--;
    log_act(answer);
    if (answer->outcome == 0 && answer->done.touched != 0 && s->state == BAOD_SERVING)
        baod_writer_recheck(s->writer);
    if (call->done != NULL) {
        call->done(call->user, answer);
    } else {
        int r = baod_act_print(&out, answer, s->snapshot->registry.offset);

        baod_server_admin_reply(s, call->peer, r, &out);
    }
    free(call);
}

/* Is a period of this form over for good once it is locked (lock: then: not-done)? */
static bool ends_not_done(const struct baod_server *s, struct bao_str form)
{
    const struct bao_forms *forms = &s->snapshot->forms;

    for (size_t i = 0; i < forms->n; i++)
        if (bao_str_eq(forms->items[i]->id, form) && forms->items[i]->lock.present &&
            forms->items[i]->lock.then == BAO_LOCK_NOT_DONE)
            return true;
    return false;
}

static int start_act(const struct act_call *asked, uid_t uid, const struct baod_act *act)
{
    struct baod_server *s = asked->server;
    struct act_call *call = s->acts < ACTS_MAX && s->state == BAOD_SERVING ? malloc(sizeof(*call)) : NULL;
    struct baod_acts_options options = {
        .conninfo = s->conninfo,
        .signer = baod_server_signer(s),
        .uid = uid,
        .done = on_act_done,
        .user = call,
    };
    int r;

    if (call == NULL)
        return -ENOMEM;
    *call = *asked;
    if (!baod_writer_is_up(s->writer)) { /* away, or with tables that are not this program's */
        const struct baod_act_answer answer = {
            .outcome = BAOD_ACT_E_DATABASE, .act = act, .why = BAO_STR("the database is not ready")};

        s->acts++;
        on_act_done(call, &answer);
        return 0;
    }
    if (act->kind == BAOD_ACT_UNLOCK && act->decision.n == 0 && ends_not_done(s, act->form)) {
        const struct baod_act_answer answer = {.outcome = BAOD_ACT_E_FINAL, .act = act};

        s->acts++;
        on_act_done(call, &answer);
        return 0;
    }
    r = baod_acts_start(&s->loop, &options, act);
    if (r < 0)
        free(call);
    else
        s->acts++;
    return r;
}

int baod_server_office(struct baod_server *s, uint64_t peer, uid_t uid, const struct bao_node *request)
{
    const char *why[BAO_LANGS];
    struct baod_act act;

    if (baod_act_read(request, NULL, s->snapshot->registry.offset, &act, why) != 0) {
        baod_server_admin_refuse(s, peer, why);
        return 0;
    }
    return start_act(&(struct act_call){.server = s, .peer = peer}, uid, &act);
}

/* An act over HTTP; its actor is named already. */
int baod_server_act(void *user, const struct baod_act *act,
                    void (*done)(void *user, const struct baod_act_answer *answer), void *done_user)
{
    return start_act(&(struct act_call){.server = user, .done = done, .user = done_user}, (uid_t)-1, act);
}
