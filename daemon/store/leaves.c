#include "daemon/store/leaves.h"

#include "lib/base/crypto.h"

enum { LEAF_MAX = 8192 };

int baod_act_leaf(const struct baod_act_leaf *act, struct bao_hash *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(LEAF_MAX);
    int r = bao_buf_printf(
        &text,
        "baocao-act 1\nkind %.*s\nform %.*s\nunit %.*s\nperiod %.*s\nrevision %d\nactor %.*s\n"
        "reason %.*s\ndecision %.*s\nuntil %lld\n",
        BAO_STR_ARG(act->kind), BAO_STR_ARG(act->form), BAO_STR_ARG(act->unit), BAO_STR_ARG(act->period),
        act->revision, BAO_STR_ARG(act->actor), BAO_STR_ARG(act->reason), BAO_STR_ARG(act->decision),
        act->until == BAO_TIME_NONE ? 0LL : (long long)act->until);

    if (r == 0)
        bao_merkle_leaf(bao_buf_str(&text), ret);
    return r;
}

int baod_refusal_leaf(const struct baod_refusal_leaf *refusal, struct bao_hash *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(LEAF_MAX);
    char id[2 * sizeof(refusal->id) + 1];
    int r;

    bao_hex(refusal->id, sizeof(refusal->id), id);
    r = bao_buf_printf(&text,
                       "baocao-refusal 1\nrefusal %s\nunit %.*s\nform %.*s\nperiod %.*s\nrevision %d\n"
                       "symbol %.*s\nreceived %lld\n",
                       id, BAO_STR_ARG(refusal->unit), BAO_STR_ARG(refusal->form),
                       BAO_STR_ARG(refusal->period), refusal->revision, BAO_STR_ARG(refusal->symbol),
                       (long long)refusal->received_at);
    if (r == 0)
        bao_merkle_leaf(bao_buf_str(&text), ret);
    return r;
}

int baod_custody_leaf(const struct baod_custody_leaf *custody, struct bao_hash *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(LEAF_MAX);
    int r = bao_buf_printf(&text,
                           "baocao-custody 1\nform %.*s\nunit %.*s\nperiod %.*s\nrevision %d\nnode "
                           "%.*s\n%.*s\nreceived_at %lld\n",
                           BAO_STR_ARG(custody->form), BAO_STR_ARG(custody->unit),
                           BAO_STR_ARG(custody->period), custody->revision, BAO_STR_ARG(custody->node),
                           BAO_STR_ARG(custody->reason), (long long)custody->received_at);

    if (r == 0)
        bao_merkle_leaf(bao_buf_str(&text), ret);
    return r;
}

void baod_mark_leaf(enum baod_mark kind, int64_t seq, struct bao_hash *ret)
{
    static const char *const words[] = {[BAOD_MARK_FILES] = "files", [BAOD_MARK_REFUSALS] = "refusals"};
    char text[64];
    int n = snprintf(text, sizeof(text), "baocao-batch 1\nseq %lld\nholds %s\n", (long long)seq, words[kind]);

    bao_merkle_leaf((struct bao_str){text, (size_t)n}, ret);
}
