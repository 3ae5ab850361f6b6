#include "daemon/store/migrate.h"

#include "daemon/store/pgcall.h"
#include "lib/base/crypto.h"
#include "lib/base/error.h"

struct baod_migration {
    int version;
    const char *name;
    const char *sql;
    size_t n;
};

#include "migrations.inc"

enum { ARENA_CAP = 1 << 20 };

static const struct baod_pg_statement BEGIN_WORK = {NULL, "BEGIN"};
static const struct baod_pg_statement COMMIT_WORK = {NULL, "COMMIT"};
static const struct baod_pg_statement LOCK_PROVINCE = {NULL, "SELECT pg_advisory_xact_lock(7316, $1)"};
static const struct baod_pg_statement IS_THERE = {NULL, "SELECT to_regclass('baocao.migration') IS NOT NULL"};
static const struct baod_pg_statement APPLIED = {
    NULL,
    "SELECT version, sha256 FROM baocao.migration ORDER BY version",
};
static const struct baod_pg_statement RECORD = {
    NULL,
    "INSERT INTO baocao.migration (version, name, sha256, at) VALUES ($1, $2, $3, clock_timestamp())",
};

int32_t baod_province_key(struct bao_str code)
{
    uint8_t digest[BAO_SHA256_LEN];
    int32_t key = 0;

    for (size_t i = 0; i < code.n && i < 9; i++) {
        if (code.p[i] < '0' || code.p[i] > '9') {
            key = -1;
            break;
        }
        key = key * 10 + (code.p[i] - '0');
    }
    if (key >= 0 && code.n >= 1 && code.n <= 9)
        return key;
    bao_sha256(code.p, code.n, digest);
    memcpy(&key, digest, sizeof(key));
    return key < 0 ? key : -key - 1; /* below the numbers, so that no hash meets a code of digits */
}

/* "permission denied" alone does not say of what. */
static const char RIGHTS[] =
    "; the login of database.url must own the database, and be allowed to alter the role "
    "baocao_office where that exists (CREATEROLE); or an administrator of the server runs "
    "baocaod migrate once with a database.url of his own";

static int sql_failed(struct baod_pg_call *call, const char *doing, struct bao_buf *why, int r)
{
    const char *error = baod_pg_call_error(call);

    if (r <= 0)
        return r;
    r = bao_buf_printf(why, "the database's tables could not be brought up to date: %s: %s%s", doing, error,
                       strncmp(error, "42501", 5) == 0 ? RIGHTS : "");
    return r < 0 ? r : BAOD_MIGRATE_E_SQL;
}

/* Compares what was applied with what this program holds. */
static int check_applied(struct baod_pg_call *call, struct bao_buf *why, size_t *ret_n)
{
    const struct baod_pg_result *res = NULL;
    size_t n;
    int r = baod_pg_call_exec(call, &IS_THERE, NULL, 0, &res);

    if (r != 0)
        return sql_failed(call, "looking for them", why, r);
    if (baod_pg_int(res, 0, 0) == 0) {
        *ret_n = 0;
        return 0;
    }
    r = baod_pg_call_exec(call, &APPLIED, NULL, 0, &res);
    if (r != 0)
        return sql_failed(call, "reading their history", why, r);
    n = baod_pg_rows(res);
    if (n > BAO_COUNT(MIGRATIONS)) {
        r = bao_buf_printf(why,
                           "the database is at version %zu, this program knows versions up to %zu: "
                           "run the newer program, or restore a backup made before the upgrade",
                           n, BAO_COUNT(MIGRATIONS));
        return r < 0 ? r : BAOD_MIGRATE_E_NEWER;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t digest[BAO_SHA256_LEN];

        bao_sha256(MIGRATIONS[i].sql, MIGRATIONS[i].n, digest);
        if (baod_pg_int(res, i, 0) == MIGRATIONS[i].version &&
            bao_str_eq(baod_pg_bytes(res, i, 1), (struct bao_str){(const char *)digest, sizeof(digest)}))
            continue;
        r = bao_buf_printf(why,
                           "migration %d was applied in another form than this program's: the database and "
                           "the program do not belong together",
                           MIGRATIONS[i].version);
        return r < 0 ? r : BAOD_MIGRATE_E_CHANGED;
    }
    *ret_n = n;
    return 0;
}

static int apply(struct baod_pg_call *call, const struct baod_migration *m, struct bao_buf *why)
{
    struct bao_arena arena;
    uint8_t digest[BAO_SHA256_LEN];
    int r = sql_failed(call, m->name, why, baod_pg_call_script(call, m->sql));

    if (r != 0)
        return r;
    bao_sha256(m->sql, m->n, digest);
    bao_arena_init(&arena, ARENA_CAP);
    const struct baod_pg_param params[] = {
        baod_pg_p_int4(&arena, m->version),
        baod_pg_p_text(bao_str_c(m->name)),
        baod_pg_p_bytea((struct bao_str){(const char *)digest, sizeof(digest)}),
    };
    r = sql_failed(call, m->name, why, baod_pg_call_exec(call, &RECORD, params, BAO_COUNT(params), NULL));
    bao_arena_deinit(&arena);
    return r;
}

static int run(struct baod_pg_call *call, struct baod_pg_param key, struct bao_buf *why, int *ret_applied)
{
    size_t n = 0;
    int r = check_applied(call, why, &n);

    if (r != 0 || n == BAO_COUNT(MIGRATIONS)) {
        if (r == 0)
            *ret_applied = 0;
        return r; /* what has been applied stays so: there is nothing to wait for */
    }
    r = sql_failed(call, "BEGIN", why, baod_pg_call_exec(call, &BEGIN_WORK, NULL, 0, NULL));
    if (r == 0)
        r = sql_failed(call, "waiting for the lock", why,
                       baod_pg_call_exec(call, &LOCK_PROVINCE, &key, 1, NULL));
    if (r == 0)
        r = check_applied(call, why, &n);
    for (size_t i = n; r == 0 && i < BAO_COUNT(MIGRATIONS); i++)
        r = apply(call, &MIGRATIONS[i], why);
    if (r == 0)
        r = sql_failed(call, "COMMIT", why, baod_pg_call_exec(call, &COMMIT_WORK, NULL, 0, NULL));
    if (r == 0)
        *ret_applied = (int)(BAO_COUNT(MIGRATIONS) - n);
    return r;
}

int baod_migrate_look(struct baod_pg_call *call, struct bao_buf *why, size_t *ret_has, size_t *ret_knows)
{
    int r = check_applied(call, why, ret_has);

    if (r == BAOD_MIGRATE_E_NEWER) {
        bao_buf_clear(why); /* the caller says it in the asker's language */
        *ret_has = BAO_COUNT(MIGRATIONS) + 1;
        r = 0;
    }
    if (r == 0)
        *ret_knows = BAO_COUNT(MIGRATIONS);
    return r;
}

int baod_migrate(const char *conninfo, int32_t province, int wait_ms, struct bao_buf *why, int *ret_applied)
{
    const struct baod_pg_call_options options = {
        .conninfo = conninfo,
        .application = "baocaod migrate",
        .wait_ms = wait_ms,
    };
    struct baod_pg_call *call = NULL;
    struct bao_arena arena;
    int r = baod_pg_call_open(&options, why, &call);

    if (r != 0)
        return r < 0 ? r : BAOD_MIGRATE_E_CONNECT;
    bao_arena_init(&arena, 4096);
    r = run(call, baod_pg_p_int4(&arena, province), why, ret_applied);
    bao_arena_deinit(&arena);
    baod_pg_call_close(call);
    return r;
}
