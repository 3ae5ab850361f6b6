#include "daemon/store/cache.h"

#include "daemon/ops/log.h"
#include "daemon/store/pg.h"
#include "lib/base/error.h"
#include "lib/form/period.h"

#include <inttypes.h>

enum { ARENA_MAX = 256 << 20, LIST_MAX = 64 << 20 };

static const bao_time DAY = 86400 * BAO_SECOND;

static const struct baod_pg_statement OBLIGATIONS = {
    "c_obligations", "SELECT (SELECT code FROM baocao.unit u WHERE u.unit = o.unit LIMIT 1),"
                     "       (SELECT id FROM baocao.form f WHERE f.form = o.form LIMIT 1), o.period,"
                     "       coalesce(o.extended_to, o.due_at), o.last_revision"
                     "  FROM baocao.obligation o WHERE o.due_at BETWEEN $1 AND $2 AND NOT o.exempt"
                     " ORDER BY o.unit, o.form, o.period LIMIT 200000"};

/* ------------------------------------------------------------------ obligations */

static void feed(struct bao_sha256 *h, const struct baod_spool_obligation *o)
{
    const int64_t numbers[] = {(int64_t)o->unit.n, (int64_t)o->form.n, (int64_t)o->period.n, o->due_at,
                               o->last_revision};

    bao_sha256_feed(h, numbers, sizeof(numbers));
    bao_sha256_feed(h, o->unit.p, o->unit.n);
    bao_sha256_feed(h, o->form.p, o->form.n);
    bao_sha256_feed(h, o->period.p, o->period.n);
}

static void keep_rows(struct baod_cache *c, const struct baod_pg_result *r)
{
    size_t rows = baod_pg_rows(r), n = 0;
    struct baod_spool_obligation *items = bao_arena_array(&c->arena, rows, sizeof(*items));
    uint8_t sha256[BAO_SHA256_LEN];
    struct bao_sha256 h;

    bao_sha256_init(&h);
    for (size_t i = 0; items != NULL && i < rows; i++) {
        struct baod_spool_obligation *o = &items[n];
        struct bao_period period;
        char label[16];

        *o = (struct baod_spool_obligation){.unit = baod_pg_bytes(r, i, 0),
                                            .form = baod_pg_bytes(r, i, 1),
                                            .due_at = baod_pg_time(r, i, 3),
                                            .last_revision = (int)baod_pg_int(r, i, 4)};
        if (o->unit.n == 0 || o->form.n == 0 || !bao_period_of_code((int32_t)baod_pg_int(r, i, 2), &period))
            continue;
        bao_period_print(period, label);
        o->period = bao_arena_str(&c->arena, bao_str_c(label));
        if (o->period.p == NULL)
            return;
        feed(&h, o);
        n++;
    }
    bao_sha256_get(&h, sha256);
    if (items != NULL && memcmp(sha256, c->sha256, sizeof(sha256)) != 0 &&
        baod_spool_keep_obligations(c->spool, items, n) == 0)
        memcpy(c->sha256, sha256, sizeof(sha256));
}

static void on_obligations(const struct baod_pg_result *r, void *user)
{
    struct baod_cache *c = user;

    if (baod_pg_outcome(r) == BAOD_PG_SQL)
        baod_log(BAOD_LOG_ERROR, "cache: %s %s", baod_pg_sqlstate(r), baod_pg_message(r));
    if (baod_pg_outcome(r) == BAOD_PG_OK)
        keep_rows(c, r);
    bao_arena_deinit(&c->arena);
    c->asking = false;
}

void baod_cache_refresh(struct baod_cache *c, bao_time now)
{
    if (c->asking || !baod_pg_is_ready(c->pg))
        return;
    bao_arena_init(&c->arena, ARENA_MAX);
    c->params = bao_arena_array(&c->arena, 2, sizeof(*c->params));
    if (c->params == NULL)
        return;
    c->params[0] = baod_pg_p_time(&c->arena, now - 90 * DAY);
    c->params[1] = baod_pg_p_time(&c->arena, now + 100 * DAY);
    c->asking = baod_pg_exec(c->pg, &OBLIGATIONS, c->params, 2, on_obligations, c) == 0;
    if (!c->asking)
        bao_arena_deinit(&c->arena);
    else if (baod_pg_sync(c->pg, NULL, NULL) < 0)
        baod_pg_drop(c->pg, "no memory"); /* the question is queued and must be answered */
}

/* ------------------------------------------------------------------ credentials */

/* One line a credential: id, hash of the secret, role, end, units, name; between TABs. Names hold none: what
 * could break a line is written as a blank. */
static int print_credential(struct bao_buf *out, const struct baod_credential *credential)
{
    char id[33], sha256[2 * BAO_SHA256_LEN + 1];
    int r;

    bao_hex(credential->id, sizeof(credential->id), id);
    bao_hex(credential->sha256, sizeof(credential->sha256), sha256);
    r = bao_buf_printf(out, "%s\t%s\t%s\t%" PRId64 "\t", id, sha256, baod_role_name(credential->role),
                       credential->expires_at);
    for (size_t i = 0; r == 0 && i < credential->n_units; i++)
        r = bao_buf_printf(out, "%s%.*s", i == 0 ? "" : ",", BAO_STR_ARG(credential->units[i]));
    if (r == 0)
        r = bao_buf_append_c(out, "\t");
    for (size_t i = 0; r == 0 && i < credential->name.n; i++)
        r = bao_buf_append(out, (unsigned char)credential->name.p[i] < ' ' ? " " : &credential->name.p[i], 1);
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

int baod_cache_keep_credentials(struct baod_spool *spool, const struct baod_credential_list *list)
{
    struct bao_buf text = BAO_BUF_NULL(LIST_MAX);
    int r = 0;

    for (size_t i = 0; r == 0 && i < list->n; i++)
        r = print_credential(&text, &list->rows[i]);
    if (r == 0)
        r = baod_spool_keep(spool, "credentials", list->at, bao_buf_str(&text));
    bao_buf_deinit(&text);
    return r < 0 ? -ENOMEM : 0;
}

/* The text up to a separator, which is taken away with it. */
static bool take(struct bao_str *rest, char separator, struct bao_str *ret)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, separator, rest->n);

    if (end == NULL)
        return false;
    *ret = (struct bao_str){rest->p, (size_t)(end - rest->p)};
    rest->n -= ret->n + 1;
    rest->p = end + 1;
    return true;
}

static bool take_number(struct bao_str *rest, int64_t *ret)
{
    struct bao_str s;
    char text[24], *end;

    if (!take(rest, '\t', &s) || s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *ret = strtoll(text, &end, 10);
    return *end == '\0';
}

static int read_units(struct bao_arena *arena, struct bao_str text, struct baod_credential *ret)
{
    struct bao_str *units;
    size_t n = text.n != 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',';
    units = bao_arena_array(arena, n, sizeof(*units));
    if (units == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (!take(&text, ',', &units[i]))
            units[i] = text;
    ret->units = units;
    ret->n_units = n;
    return 0;
}

static int read_credential(struct bao_arena *arena, struct bao_str line, struct baod_credential *ret)
{
    struct bao_str id, sha256, role, units;

    if (!take(&line, '\t', &id) || !bao_unhex(id, ret->id, sizeof(ret->id)) || !take(&line, '\t', &sha256) ||
        !bao_unhex(sha256, ret->sha256, sizeof(ret->sha256)) || !take(&line, '\t', &role) ||
        !baod_role_parse(role, &ret->role) || !take_number(&line, &ret->expires_at) ||
        !take(&line, '\t', &units))
        return -EBADMSG;
    ret->name = line;
    return read_units(arena, units, ret);
}

int baod_cache_restore_credentials(const struct baod_spool *spool, struct baod_credentials *credentials,
                                   size_t *ret_n, bao_time *ret_at)
{
    struct bao_arena arena = BAO_ARENA_NULL(ARENA_MAX);
    struct baod_credential_list list = {.n = 0};
    struct baod_credential *rows;
    struct bao_str text, line;
    size_t n = 0;
    int r = 0;

    if (!baod_spool_kept(spool, "credentials", &list.at, &text)) {
        *ret_n = 0;
        *ret_at = BAO_TIME_NONE;
        return 0;
    }
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    rows = bao_arena_array(&arena, n, sizeof(*rows));
    if (rows == NULL)
        r = -ENOMEM;
    for (; r == 0 && take(&text, '\n', &line); list.n++)
        r = read_credential(&arena, line, &rows[list.n]);
    list.rows = rows;
    if (r == 0)
        r = baod_credentials_import(credentials, &list);
    if (r == 0) {
        *ret_n = list.n;
        *ret_at = list.at;
    }
    bao_arena_deinit(&arena);
    return r;
}

int baod_cache_keep_epochs(struct baod_spool *spool, bao_time at, int64_t registry, int64_t forms)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "registry %" PRId64 " forms %" PRId64, registry, forms);
    return baod_spool_keep(spool, "epochs", at, bao_str_c(text));
}
