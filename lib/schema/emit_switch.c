/* Discriminators: branches that each demand other texts under one key. */
#include "lib/schema/emit.h"

/* The texts that alone a branch takes under a key; NULL when it takes others. */
static const struct bao_node *demanded(struct bao_sub *branch, struct bao_str key, uint32_t *ret_n)
{
    const struct bao_node *values = NULL;

    for (uint32_t i = 0; i < branch->n_properties; i++)
        if (bao_str_eq(branch->properties[i].key, key)) {
            const struct bao_sub *sub = bao_emit_real(branch->properties[i].sub);
            const struct bao_node *in = sub->kw.at[BAO_KW_ENUM];

            values = sub->kw.at[BAO_KW_CONST];
            *ret_n = 1;
            if (values == NULL && in != NULL && in->type == BAO_LIST) {
                values = in->items;
                *ret_n = in->len;
            }
        }
    for (uint32_t i = 0; values != NULL && i < *ret_n; i++)
        if (values[i].type != BAO_STRING)
            return NULL;
    return values;
}

/* Tries one key as the discriminator: *ret stays NULL when it is none. */
static int try_switch(struct bao_emitter *e, struct bao_sub *const *subs, uint32_t n, struct bao_str key,
                      struct bao_switch **ret)
{
    struct bao_switch *s;
    struct bao_str *texts;
    const struct bao_sub **targets;
    uint32_t total = 0, k = 0, count;

    for (uint32_t i = 0; i < n; i++) {
        if (demanded(subs[i], key, &count) == NULL)
            return 0;
        total += count;
    }
    s = bao_arena_array(e->c->arena, 1, sizeof(*s));
    texts = bao_arena_array(e->c->arena, total, sizeof(*texts));
    targets = bao_arena_array(e->c->arena, total, sizeof(struct bao_sub *));
    if (s == NULL || texts == NULL || targets == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct bao_node *values = demanded(subs[i], key, &count);

        for (uint32_t v = 0; v < count; v++, k++) {
            texts[k] = bao_node_str(&values[v]);
            targets[k] = subs[i];
        }
    }
    *s = (struct bao_switch){.key = key, .hash = bao_key_hash(key.p, key.n), .subs = targets};
    if (!bao_names_init_texts(e->c->arena, texts, total, &s->values))
        return -ENOMEM;
    /* A text that two branches take decides nothing. */
    for (uint32_t i = 0; i < total; i++)
        if (targets[bao_names_index(&s->values, texts[i].p, (uint32_t)texts[i].n)] != targets[i])
            return 0;
    *ret = s;
    return 0;
}

int bao_emit_switch(struct bao_emitter *e, struct bao_sub *const *subs, uint32_t n, struct bao_switch **ret)
{
    int r = 0;

    *ret = NULL;
    /* A form compares text more kindly than a table of exact values can. */
    if (e->type != BAO_MAP || e->c->options->form || n < 2)
        return 0;
    for (uint32_t i = 0; i < subs[0]->n_properties && i < 32 && r == 0 && *ret == NULL; i++)
        r = try_switch(e, subs, n, subs[0]->properties[i].key, ret);
    return r;
}

/* The sub with one of its branches among what must hold, in place of anyOf and oneOf. */
static int with_branch(struct bao_emitter *e, struct bao_sub *branch, const struct bao_sub **ret)
{
    struct bao_sub *sub = bao_arena_array(e->c->arena, 1, sizeof(*sub));
    struct bao_sub **all = bao_arena_array(e->c->arena, e->sub->n_all + 1, sizeof(struct bao_sub *));
    struct bao_emitter of = {.c = e->c, .sub = sub, .type = e->type};

    if (sub == NULL || all == NULL)
        return -ENOMEM;
    if (e->sub->n_all != 0)
        memcpy(all, e->sub->all, e->sub->n_all * sizeof(struct bao_sub *));
    all[e->sub->n_all] = branch;
    *sub = *e->sub;
    memset(sub->at, 0, sizeof(sub->at));
    memset(sub->known, 0, sizeof(sub->known));
    sub->all = all;
    sub->n_all++;
    sub->any = sub->one = NULL;
    sub->n_any = sub->n_one = 0;
    sub->calls = 0; /* no memory under the number it shares */
    sub->static_cases = sub->needs_track = false;
    sub->static_members = true;
    sub->next_at_loc = e->c->combined;
    e->c->combined = sub;
    *ret = sub;
    return bao_emit_list_of(&of);
}

int bao_emit_cases(struct bao_emitter *e, struct bao_switch **ret)
{
    bool any = e->sub->n_any != 0;
    struct bao_sub **subs;
    const struct bao_sub **targets;
    uint32_t n, good;
    int r = bao_emit_branches(e, any ? e->sub->any : e->sub->one, any ? e->sub->n_any : e->sub->n_one, &subs,
                              &n, &good);

    *ret = NULL;
    if (r == 0)
        r = bao_emit_switch(e, subs, n, ret);
    if (r < 0 || *ret == NULL)
        return r;
    targets = bao_arena_array(e->c->arena, (*ret)->values.n, sizeof(struct bao_sub *));
    if (targets == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < (*ret)->values.n && r == 0; i++) {
        const struct bao_sub *branch = (*ret)->subs[i];

        /* Several texts of one branch stand together. */
        if (i != 0 && branch == (*ret)->subs[i - 1])
            targets[i] = targets[i - 1];
        else
            r = with_branch(e, (struct bao_sub *)(uintptr_t)branch, &targets[i]);
    }
    (*ret)->subs = targets;
    return r;
}
