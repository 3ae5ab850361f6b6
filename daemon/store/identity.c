#include "daemon/store/identity.h"

#include "lib/base/crypto.h"
#include "lib/base/error.h"

static bool is_own(const struct baod_identity *who, struct bao_str unit)
{
    for (size_t i = 0; i < who->n_units; i++)
        if (bao_str_eq(who->units[i], unit))
            return true;
    return who->any_unit;
}

bool baod_identity_may_speak(const struct baod_identity *who, const struct bao_registry *registry,
                             struct bao_str unit, bao_time at)
{
    const struct bao_unit *heir;

    if (is_own(who, unit))
        return true;
    heir = bao_registry_successor(registry, unit, bao_time_date(at, registry->offset));
    return heir != NULL && is_own(who, heir->code);
}

int baod_identity_print(struct bao_buf *out, const struct baod_identity *who)
{
    char id[2 * sizeof(who->credential) + 1] = "-";
    int r;

    if (who->by_token)
        bao_hex(who->credential, sizeof(who->credential), id);
    r = bao_buf_printf(out, "%s %s", who->any_unit ? "any" : "units", id);
    for (size_t i = 0; r == 0 && i < who->n_units; i++)
        r = bao_buf_printf(out, " %.*s", BAO_STR_ARG(who->units[i]));
    return r;
}

/* The next word, which is taken away with the blank behind it. */
static struct bao_str take_word(struct bao_str *rest)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);
    struct bao_str word = {rest->p, end == NULL ? rest->n : (size_t)(end - rest->p)};
    size_t used = word.n + (end != NULL);

    if (used != 0) {
        rest->p += used;
        rest->n -= used;
    }
    return word;
}

int baod_identity_parse(struct bao_arena *arena, struct bao_str text, struct baod_identity *ret)
{
    struct bao_str kind = take_word(&text), id = take_word(&text), *units;
    struct baod_identity who = {.any_unit = bao_str_is(kind, "any")};
    size_t n = text.n != 0;

    if (!who.any_unit && !bao_str_is(kind, "units"))
        return -EBADMSG;
    if (!bao_str_is(id, "-")) {
        if (!bao_unhex(id, who.credential, sizeof(who.credential)))
            return -EBADMSG;
        who.by_token = true;
    }
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ' ';
    units = bao_arena_array(arena, n, sizeof(*units));
    if (units == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        units[i] = take_word(&text);
    who.units = units;
    who.n_units = n;
    *ret = who;
    return 0;
}
