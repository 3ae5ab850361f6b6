#include "daemon/store/holder.h"

#include "lib/base/error.h"

struct asked {
    struct bao_arena arena;
    struct baod_pg_param params[2];
    baod_holder_done *done;
    void *user;
};

/* $1 the province, $2 the writer. */
static const struct baod_pg_statement HOLDER = {
    "holder",
    "WITH lock AS MATERIALIZED (SELECT pid, granted FROM pg_locks"
    "  WHERE locktype = 'advisory' AND classid = 7316 AND objid = $1::int4::oid AND objsubid = 2"
    "    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    " SELECT h.pid, coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::int8, h.kept,"
    "        coalesce(a.application_name, ''), h.province,"
    "        EXISTS (SELECT FROM pg_stat_activity w WHERE w.pid = $2 AND w.wait_event = 'SyncRep')"
    "   FROM (SELECT l.pid, EXISTS (SELECT FROM lock w WHERE w.pid = $2 AND NOT w.granted) AS kept,"
    "                true AS province"
    "           FROM lock l WHERE l.granted AND l.pid <> $2"
    "         UNION ALL SELECT b.pid, true, false FROM unnest(pg_blocking_pids($2)) AS b (pid)"
    "         UNION ALL SELECT 0, false, false) h"
    "   LEFT JOIN pg_stat_activity a USING (pid) ORDER BY h.province DESC, h.kept DESC LIMIT 1"};

static void on_answer(const struct baod_pg_result *r, void *user)
{
    struct asked *asked = user;
    struct baod_holder holder = {.pid = 0};

    if (baod_pg_outcome(r) == BAOD_PG_OK && baod_pg_rows(r) == 1) {
        holder.pid = (int)baod_pg_int(r, 0, 0);
        holder.seconds = baod_pg_int(r, 0, 1);
        holder.kept = baod_pg_int(r, 0, 2) != 0;
        holder.province = baod_pg_int(r, 0, 4) != 0;
        holder.standby = baod_pg_int(r, 0, 5) != 0;
        (void)snprintf(holder.name, sizeof(holder.name), "%.*s", BAO_STR_ARG(baod_pg_bytes(r, 0, 3)));
    }
    asked->done(asked->user, &holder);
    bao_arena_deinit(&asked->arena);
    free(asked);
}

int baod_holder_ask(struct baod_pg *pg, int32_t province, int writer, baod_holder_done *done, void *user)
{
    struct asked *asked = calloc(1, sizeof(*asked));
    int r;

    if (asked == NULL)
        return -ENOMEM;
    bao_arena_init(&asked->arena, 4096);
    asked->params[0] = baod_pg_p_int4(&asked->arena, province);
    asked->params[1] = baod_pg_p_int4(&asked->arena, writer);
    asked->done = done;
    asked->user = user;
    r = baod_pg_exec(pg, &HOLDER, asked->params, BAO_COUNT(asked->params), on_answer, asked);
    if (r < 0) {
        bao_arena_deinit(&asked->arena);
        free(asked);
        return r;
    }
    if (baod_pg_sync(pg, NULL, NULL) < 0)
        baod_pg_drop(pg, "no memory"); /* which answers */
    return 0;
}
