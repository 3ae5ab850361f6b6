#include "daemon/store/sync.h"

#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/sync_parts.h"
#include "daemon/store/sync_report.h"

enum { ARENA_MAX = 16 << 20 };

static bool stored_equals(const struct baod_pg_result *rows, const char *epoch,
                          const uint8_t hash[BAO_SHA256_LEN])
{
    for (size_t i = 0; i < baod_pg_rows(rows); i++)
        if (bao_str_is(baod_pg_bytes(rows, i, 0), epoch))
            return bao_str_eq(baod_pg_bytes(rows, i, 1),
                              (struct bao_str){(const char *)hash, BAO_SHA256_LEN});
    return false;
}

static int compare(struct sync *s)
{
    const struct baod_pg_result *rows;
    int r = baod_sync_hash_registry(s, s->registry);

    if (r == 0)
        r = baod_sync_hash_forms(s, s->forms);
    if (r == 0)
        r = baod_sync_run(s, "SELECT name, sha256 FROM baocao.epoch", NULL, 0, &rows);
    if (r != 0)
        return r;
    s->registry_differs = !stored_equals(rows, "registry", s->registry);
    s->forms_differ = !stored_equals(rows, "forms", s->forms);
    return s->options->follow && (s->registry_differs || s->forms_differ) ? BAOD_SYNC_E_BEHIND : 0;
}

static int lock(struct sync *s)
{
    struct baod_pg_param province =
        baod_pg_p_int4(&s->arena, baod_province_key(s->snapshot->registry.province));
    int r = baod_sync_run(s, "BEGIN", NULL, 0, NULL);

    if (r == 0)
        r = baod_sync_run(s, "SELECT pg_advisory_xact_lock(7316, $1)", &province, 1, NULL);
    if (r == 0)
        r = baod_sync_run(s, "CREATE TEMP TABLE sync_rows ON COMMIT DROP AS SELECT NULL::jsonb AS rows", NULL,
                          0, NULL);
    return r;
}

static int write_epoch(struct sync *s, const char *name, const uint8_t hash[BAO_SHA256_LEN])
{
    struct baod_pg_param params[] = {
        baod_pg_p_text(bao_str_c(name)),
        baod_pg_p_bytea((struct bao_str){(const char *)hash, BAO_SHA256_LEN}),
    };

    return baod_sync_run(s,
                         "INSERT INTO baocao.epoch AS e (name, value, sha256) VALUES ($1, 1, $2)"
                         "    ON CONFLICT (name) DO UPDATE SET value = e.value + 1, sha256 = excluded.sha256",
                         params, BAO_COUNT(params), NULL);
}

static int finish(struct sync *s)
{
    const struct baod_sync_changes *c = &s->changes;
    int r = baod_sync_remake_rollups(s);

    if (r == 0 && s->registry_differs)
        r = write_epoch(s, "registry", s->registry);
    if (r == 0 && s->forms_differ)
        r = write_epoch(s, "forms", s->forms);
    if (r == 0 && (s->registry_differs || s->forms_differ || c->made + c->moved + c->dropped != 0))
        r = baod_sync_write_audit(s);
    return r;
}

static bool is_preview(const struct sync *s)
{
    return s->options->report != NULL && s->options->report->preview;
}

static int do_all(struct sync *s, struct baod_dictionary **ret)
{
    int r = lock(s);

    if (r == 0)
        r = compare(s);
    if (r == 0)
        r = baod_sync_read_head(s);
    if (r == 0)
        r = baod_sync_stage_batch(s);
    if (r == 0 && s->options->report != NULL)
        r = baod_sync_complain(s, baod_sync_report_before(s->call));
    if (r == 0 && s->registry_differs)
        r = baod_sync_write_registry(s);
    if (r == 0 && s->forms_differ)
        r = baod_sync_write_forms(s);
    if (r == 0 && (s->registry_differs || s->forms_differ))
        r = baod_sync_write_targets(s);
    if (r == 0)
        r = baod_sync_write_obligations(s);
    if (r == 0)
        r = finish(s);
    if (r == 0 && s->options->report != NULL)
        r = baod_sync_complain(s, baod_sync_report_after(s->call, s->seq, s->options->report));
    if (r == 0 && !is_preview(s) && (s->registry_differs || s->forms_differ))
        r = baod_sync_run(
            s, "ANALYZE baocao.unit, baocao.scope_unit, baocao.period, baocao.indicator, baocao.obligation",
            NULL, 0, NULL); /* autovacuum would come a minute later, and plans are made at once */
    if (r == 0 && !is_preview(s))
        r = baod_sync_complain(s, baod_dictionary_read(s->call, s->snapshot, ret));
    return r;
}

int baod_sync(struct baod_pg_call *call, const struct baod_snapshot *snapshot,
              const struct baod_sync_options *options, struct bao_buf *why,
              struct baod_sync_changes *ret_changes, struct baod_dictionary **ret)
{
    struct sync s = {.call = call, .snapshot = snapshot, .options = options, .why = why};
    struct baod_dictionary *dictionary = NULL;
    int r;

    bao_arena_init(&s.arena, ARENA_MAX);
    r = do_all(&s, &dictionary);
    if (r == 0 && !is_preview(&s))
        r = baod_sync_run(&s, "COMMIT", NULL, 0, NULL);
    else
        (void)baod_sync_run(&s, "ROLLBACK", NULL, 0, NULL); /* the first failure is the one to tell */
    if (r == 0 && bao_buf_append_str(why, s.moves) < 0)
        bao_buf_clear(why); /* they moved all the same */
    bao_arena_deinit(&s.arena);
    if (r != 0) {
        baod_dictionary_free(dictionary);
        return r;
    }
    s.changes.registry = s.registry_differs;
    s.changes.forms = s.forms_differ;
    *ret_changes = s.changes;
    *ret = dictionary;
    return 0;
}
