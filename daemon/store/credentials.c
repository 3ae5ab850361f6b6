#include "daemon/store/credentials.h"

#include "daemon/ops/log.h"
#include "daemon/store/pg.h"
#include "lib/wire/answer.h"

#include <sys/random.h>

enum { READ_MS = 3000, STATEMENT_MS = 5000, SECRET_TEXT_MAX = 256, GROUP = 4 };

#define HOLDS (INT64_C(7) * 86400 * 1000000) /* a list that the database no longer confirms */
#define USED_AGAIN (INT64_C(3600) * 1000000) /* a use is written once in so long */

static const char *const role_names[BAOD_ROLES] = {
    [BAOD_ROLE_UNIT] = "unit",
    [BAOD_ROLE_OFFICE] = "office",
    [BAOD_ROLE_OVERSIGHT] = "oversight",
    [BAOD_ROLE_OPERATOR] = "operator",
};

/* When a secret was used last, as far as this daemon has written it. */
struct use {
    uint8_t id[16];
    bao_time written;
    bool due; /* used again since: to be written */
};

/* One that is no longer in force. */
struct revoked {
    uint8_t id[16];
    bao_time at;
};

struct baod_credentials {
    struct baod_credentials_options options;
    uv_timer_t timer;
    struct baod_pg *pg;
    struct bao_arena arena; /* of the list */
    struct baod_credential_list list;
    struct use *uses;
    size_t n_uses;
    struct bao_arena telling; /* of what is being written about them */
    struct baod_pg_param told[2];
    bool is_telling;
    struct revoked *revoked; /* in the arena too */
    size_t n_revoked;
    bool from_database; /* the list is the database's, not one that was kept */
    bool asking, closing;
};

/* ------------------------------------------------------------------ secrets */

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

const char *baod_role_name(enum baod_role role)
{
    return role_names[role];
}

bool baod_role_parse(struct bao_str name, enum baod_role *ret)
{
    for (size_t i = 0; i < BAOD_ROLES; i++) {
        if (bao_str_is(name, role_names[i])) {
            *ret = (enum baod_role)i;
            return true;
        }
    }
    return false;
}

int baod_secret_make(char ret[BAOD_SECRET_SIZE])
{
    unsigned char random[BAOD_SECRET_CHARS];
    size_t at = 0;

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return errno != 0 ? -errno : -EIO;
    for (size_t i = 0; i < BAOD_SECRET_CHARS; i++) {
        if (i != 0 && i % GROUP == 0)
            ret[at++] = '-';
        ret[at++] = base32[random[i] & 31];
    }
    ret[at] = '\0';
    explicit_bzero(random, sizeof(random));
    return 0;
}

void baod_secret_hash(struct bao_str secret, uint8_t ret[BAO_SHA256_LEN])
{
    char plain[SECRET_TEXT_MAX];
    size_t n = 0;

    for (size_t i = 0; i < secret.n && n < sizeof(plain); i++) {
        char c = secret.p[i];

        if (c == '-' || c == ' ')
            continue;
        plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    bao_sha256(plain, n, ret);
    explicit_bzero(plain, sizeof(plain));
}

/* ------------------------------------------------------------------ the list */

struct baod_credential_list baod_credentials_list(const struct baod_credentials *c)
{
    return c->list;
}

static const struct baod_credential *by_id(const struct baod_credential_list *list, const uint8_t id[16])
{
    for (size_t i = 0; i < list->n; i++)
        if (memcmp(list->rows[i].id, id, sizeof(list->rows[i].id)) == 0)
            return &list->rows[i];
    return NULL;
}

static bool is_stale(const struct baod_credentials *c, bao_time now)
{
    return c->list.at == BAO_TIME_NONE || now - c->list.at > HOLDS;
}

/* No memory for it: this use is not told, the next one may be. */
static void note_use(struct baod_credentials *c, const uint8_t id[16], bao_time now)
{
    struct use *more;

    for (size_t i = 0; i < c->n_uses; i++) {
        if (memcmp(c->uses[i].id, id, sizeof(c->uses[i].id)) != 0)
            continue;
        c->uses[i].due = c->uses[i].due || now - c->uses[i].written >= USED_AGAIN;
        return;
    }
    more = reallocarray(c->uses, c->n_uses + 1, sizeof(*more));
    if (more == NULL)
        return;
    c->uses = more;
    more[c->n_uses] = (struct use){.written = BAO_TIME_NONE, .due = true};
    memcpy(more[c->n_uses++].id, id, sizeof(more->id));
}

int baod_credentials_find(struct baod_credentials *c, struct bao_str secret, bao_time now,
                          const struct baod_credential **ret)
{
    const struct baod_credential *found = NULL;
    uint8_t hash[BAO_SHA256_LEN];

    if (is_stale(c, now))
        return BAOD_CREDENTIAL_E_STALE;
    baod_secret_hash(secret, hash);
    for (size_t i = 0; i < c->list.n; i++) /* to the end, whether found or not */
        if (bao_equal_secret(hash, c->list.rows[i].sha256, sizeof(hash)))
            found = &c->list.rows[i];
    if (found == NULL)
        return BAOD_CREDENTIAL_E_UNKNOWN;
    *ret = found;
    if (now >= found->expires_at)
        return BAOD_CREDENTIAL_E_EXPIRED;
    note_use(c, found->id, now);
    return 0;
}

bool baod_credentials_holds(const struct baod_credentials *c, const uint8_t id[16], bao_time now)
{
    const struct baod_credential *row = by_id(&c->list, id);

    if (c->list.at == BAO_TIME_NONE)
        return true;
    return row != NULL && now < row->expires_at && !is_stale(c, now);
}

bool baod_credentials_read_since(const struct baod_credentials *c, bao_time since)
{
    return c->from_database && c->list.at >= since;
}

bool baod_credentials_revoked_by(const struct baod_credentials *c, const uint8_t id[16], bao_time at)
{
    for (size_t i = 0; i < c->n_revoked; i++)
        if (memcmp(c->revoked[i].id, id, sizeof(c->revoked[i].id)) == 0)
            return c->revoked[i].at <= at;
    return false;
}

static bool is_same(const struct baod_credential *a, const struct baod_credential *b)
{
    if (memcmp(a->id, b->id, sizeof(a->id)) != 0 || memcmp(a->sha256, b->sha256, sizeof(a->sha256)) != 0 ||
        a->role != b->role || a->n_units != b->n_units || a->expires_at != b->expires_at ||
        !bao_str_eq(a->name, b->name))
        return false;
    for (size_t i = 0; i < a->n_units; i++)
        if (!bao_str_eq(a->units[i], b->units[i]))
            return false;
    return true;
}

static bool is_same_list(const struct baod_credential_list *a, const struct baod_credential_list *b)
{
    bool same = a->n == b->n && a->at != BAO_TIME_NONE;

    for (size_t i = 0; same && i < a->n; i++)
        same = is_same(&a->rows[i], &b->rows[i]);
    return same;
}

/* Copies a row into the arena; its units have been read already. */
static int keep_row(struct bao_arena *arena, struct baod_credential *row)
{
    struct bao_str *units = bao_arena_array(arena, row->n_units + 1, sizeof(*units));

    row->name = bao_arena_str(arena, row->name);
    if (units == NULL || row->name.p == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < row->n_units; i++) {
        units[i] = bao_arena_str(arena, row->units[i]);
        if (units[i].p == NULL)
            return -ENOMEM;
    }
    row->units = units;
    return 0;
}

int baod_credentials_import(struct baod_credentials *c, const struct baod_credential_list *list)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct baod_credential *rows = bao_arena_array(&arena, list->n + 1, sizeof(*rows));
    int r = rows == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < list->n && r == 0; i++) {
        rows[i] = list->rows[i];
        r = keep_row(&arena, &rows[i]);
    }
    if (r < 0 || c->from_database) {
        bao_arena_deinit(&arena);
        return r;
    }
    bao_arena_deinit(&c->arena);
    c->arena = arena;
    c->list = (struct baod_credential_list){rows, list->n, list->at};
    c->n_revoked = 0;
    return 0;
}

/* ------------------------------------------------------------------ who was here */

/* A row's own daemon may be behind another one's clock, or have started again: the later use stays. */
static const struct baod_pg_statement USED = {
    NULL,
    "UPDATE baocao.credential SET used_at = $2 WHERE id = ANY ($1::uuid[])"
    "   AND (used_at IS NULL OR used_at < $2::timestamptz - interval '30 minutes')",
};

/* Forgets who is in the list no more. */
static void forget_uses(struct baod_credentials *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_uses; i++)
        if (by_id(&c->list, c->uses[i].id) != NULL)
            c->uses[n++] = c->uses[i];
    c->n_uses = n;
}

/* Written, or not: then all of them again, an hour of uses at most. */
static void end_telling(struct baod_credentials *c, bool written)
{
    for (size_t i = 0; !written && i < c->n_uses; i++)
        c->uses[i].due = true;
    bao_arena_reset(&c->telling);
    c->is_telling = false;
}

static void on_used(const struct baod_pg_result *r, void *user)
{
    struct baod_credentials *c = user;
    enum baod_pg_outcome outcome = baod_pg_outcome(r);
    bool standby = outcome == BAOD_PG_SQL && baod_pg_sqlstate_is(r, "25006");

    if (c->closing)
        return;
    /* A standby cannot write: another hour may find the primary. */
    end_telling(c, outcome == BAOD_PG_OK || standby);
    if (outcome == BAOD_PG_SQL && !standby && !baod_pg_sqlstate_is(r, "42703")) /* not migrated yet */
        baod_log(BAOD_LOG_ERROR, "credentials: %s", baod_pg_message(r));
}

/* Takes the uses that are due: how many, and their ids. */
static size_t take_due(struct baod_credentials *c, bao_time now, uint8_t (**ret)[16])
{
    uint8_t(*ids)[16] = bao_arena_array(&c->telling, c->n_uses, sizeof(*ids));
    size_t n = 0;

    for (size_t i = 0; ids != NULL && i < c->n_uses; i++) {
        if (!c->uses[i].due)
            continue;
        memcpy(ids[n++], c->uses[i].id, sizeof(*ids));
        c->uses[i].due = false;
        c->uses[i].written = now;
    }
    *ret = ids;
    return n;
}

/* Writes the uses that are due. */
static void tell_uses(struct baod_credentials *c)
{
    bao_time now = c->options.now(c->options.user);
    uint8_t(*ids)[16] = NULL;
    size_t n;

    forget_uses(c);
    if (c->is_telling || c->n_uses == 0)
        return;
    n = take_due(c, now, &ids);
    if (n == 0) {
        bao_arena_reset(&c->telling);
        return;
    }
    c->told[0] = baod_pg_p_uuids(&c->telling, (const uint8_t(*)[16])ids, n);
    c->told[1] = baod_pg_p_time(&c->telling, now);
    if (baod_pg_exec(c->pg, &USED, c->told, BAO_COUNT(c->told), on_used, c) < 0) {
        end_telling(c, false);
        return;
    }
    c->is_telling = true;
    if (baod_pg_sync(c->pg, NULL, NULL) < 0)
        baod_pg_drop(c->pg, "no memory"); /* the statement is queued and must be answered */
}

/* ------------------------------------------------------------------ reading the table */

static const struct baod_pg_statement READ = {
    "credentials",
    "SELECT id, sha256, role, units, name, coalesce(expires_at, 'infinity'), revoked_at FROM "
    "baocao.credential"
    " WHERE revoked_at IS NULL OR revoked_at > now() - interval '30 days' ORDER BY id",
};

static int read_row(const struct baod_pg_result *r, size_t i, struct bao_arena *arena,
                    struct baod_credential *ret)
{
    struct bao_str id = baod_pg_bytes(r, i, 0), hash = baod_pg_bytes(r, i, 1);
    struct bao_str *units = NULL;
    int e = baod_pg_strs(r, i, 3, arena, &units, &ret->n_units);

    if (e < 0)
        return e;
    if (id.n != sizeof(ret->id) || hash.n != sizeof(ret->sha256) ||
        !baod_role_parse(baod_pg_bytes(r, i, 2), &ret->role))
        return -EBADMSG;
    memcpy(ret->id, id.p, id.n);
    memcpy(ret->sha256, hash.p, hash.n);
    ret->units = units;
    ret->name = baod_pg_bytes(r, i, 4);
    ret->expires_at = baod_pg_time(r, i, 5);
    return keep_row(arena, ret);
}

/* Takes down that a row is no longer in force. */
static bool read_revoked(const struct baod_pg_result *r, size_t i, struct revoked *ret)
{
    struct bao_str id = baod_pg_bytes(r, i, 0);

    if (id.n != sizeof(ret->id))
        return false;
    memcpy(ret->id, id.p, id.n);
    ret->at = baod_pg_time(r, i, 6);
    return true;
}

/* What the table says; owned by its arena. */
struct table {
    struct bao_arena arena;
    struct baod_credential_list list;
    struct revoked *revoked;
    size_t n_revoked;
};

static int read_rows(const struct baod_pg_result *r, struct table *ret)
{
    struct bao_arena *arena = &ret->arena;
    struct baod_credential *rows = bao_arena_array(arena, baod_pg_rows(r) + 1, sizeof(*rows));
    size_t n = 0;

    ret->revoked = bao_arena_array(arena, baod_pg_rows(r) + 1, sizeof(*ret->revoked));
    if (rows == NULL || ret->revoked == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < baod_pg_rows(r); i++) {
        int e = 0;

        if (baod_pg_time(r, i, 6) != BAO_TIME_NONE) {
            ret->n_revoked += read_revoked(r, i, &ret->revoked[ret->n_revoked]);
            continue;
        }
        e = read_row(r, i, arena, &rows[n]);
        if (e == -ENOMEM)
            return e;
        if (e < 0) /* one row that makes no sense shuts nobody else out */
            baod_log(BAOD_LOG_ERROR, "credentials: a row of the table makes no sense and is not believed");
        else
            n++;
    }
    ret->list.rows = rows;
    ret->list.n = n;
    return 0;
}

static void tell_one(const struct baod_credential *row, const char *what)
{
    char id[BAO_UUID_LEN + 1];

    bao_uuid_print(row->id, id);
    baod_log(BAOD_LOG_NOTICE, "credentials: %s (%s, «%.*s») %s", id, role_names[row->role],
             BAO_STR_ARG(row->name), what);
}

/* Who came into force and who no longer is: the operator's acts, seen from here. */
static void tell_changes(const struct baod_credential_list *old, const struct baod_credential_list *fresh)
{
    if (old->at == BAO_TIME_NONE) {
        baod_log(BAOD_LOG_INFO, "credentials: %zu in force", fresh->n);
        return;
    }
    for (size_t i = 0; i < old->n; i++)
        if (by_id(fresh, old->rows[i].id) == NULL)
            tell_one(&old->rows[i], "is revoked");
    for (size_t i = 0; i < fresh->n; i++)
        if (by_id(old, fresh->rows[i].id) == NULL)
            tell_one(&fresh->rows[i], "is in force");
}

static void on_rows(const struct baod_pg_result *r, void *user)
{
    struct baod_credentials *c = user;
    struct table fresh = {.arena = BAO_ARENA_NULL(0)};
    bool changed;

    c->asking = false;
    if (c->closing || baod_pg_outcome(r) != BAOD_PG_OK) {
        if (baod_pg_outcome(r) == BAOD_PG_SQL && !baod_pg_sqlstate_is(r, "42P01")) /* not migrated yet */
            baod_log(BAOD_LOG_ERROR, "credentials: %s", baod_pg_message(r));
        return;
    }
    if (read_rows(r, &fresh) < 0) {
        baod_log(BAOD_LOG_ERROR, "credentials: no memory for the list; the one before stays");
        bao_arena_deinit(&fresh.arena);
        return;
    }
    fresh.list.at = c->options.now(c->options.user);
    changed = !is_same_list(&c->list, &fresh.list);
    if (changed)
        tell_changes(&c->list, &fresh.list);
    bao_arena_deinit(&c->arena);
    c->arena = fresh.arena;
    c->list = fresh.list;
    c->revoked = fresh.revoked;
    c->n_revoked = fresh.n_revoked;
    c->from_database = true;
    if (c->options.on_read != NULL)
        c->options.on_read(c->options.user, &c->list, changed);
    tell_uses(c);
}

static void ask(struct baod_credentials *c)
{
    if (c->asking || c->closing || !baod_pg_is_ready(c->pg) ||
        baod_pg_exec(c->pg, &READ, NULL, 0, on_rows, c) < 0)
        return;
    c->asking = true;
    if (baod_pg_sync(c->pg, NULL, NULL) < 0)
        baod_pg_drop(c->pg, "no memory"); /* the question is queued and must be answered */
}

static void on_timer(uv_timer_t *timer)
{
    ask(timer->data);
}

static void on_ready(struct baod_pg *pg, void *user)
{
    (void)pg;
    ask(user);
}

int baod_credentials_new(uv_loop_t *loop, const struct baod_credentials_options *options,
                         struct baod_credentials **ret)
{
    struct baod_credentials *c = calloc(1, sizeof(*c));
    const struct baod_pg_options connection = {.conninfo = options->conninfo,
                                               .application = "baocaod credentials",
                                               .statement_ms = STATEMENT_MS,
                                               .read_only = true,
                                               .ready = on_ready,
                                               .user = c};
    int r;

    if (c == NULL)
        return -ENOMEM;
    c->options = *options;
    c->options.conninfo = NULL; /* the connection has its own copy */
    c->list.at = BAO_TIME_NONE;
    r = baod_pg_new(loop, &connection, &c->pg);
    if (r < 0) {
        free(c);
        return r;
    }
    (void)uv_timer_init(loop, &c->timer); /* never fails */
    c->timer.data = c;
    (void)uv_timer_start(&c->timer, on_timer, READ_MS, READ_MS);
    baod_pg_open(c->pg);
    *ret = c;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct baod_credentials *c = handle->data;

    bao_arena_deinit(&c->arena);
    bao_arena_deinit(&c->telling);
    free(c->uses);
    free(c);
}

struct baod_credentials *baod_credentials_free(struct baod_credentials *c)
{
    if (c == NULL)
        return NULL;
    c->closing = true;
    c->pg = baod_pg_free(c->pg);
    uv_close((uv_handle_t *)&c->timer, on_closed);
    return NULL;
}
