#include "daemon/store/sync.h"

#include "daemon/ops/log.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/sync_parts.h"
#include "daemon/store/sync_report.h"

enum { ARENA_MAX = 16 << 20 };

/* What is stored of one kind of files: its epoch's value (0: none yet), and whether it is the snapshot's. */
static int64_t epoch_of(const struct baod_pg_result *rows, const char *name,
                        const uint8_t hash[BAO_SHA256_LEN], bool *ret_differs)
{
    for (size_t i = 0; i < baod_pg_rows(rows); i++)
        if (bao_str_is(baod_pg_bytes(rows, i, 0), name)) {
            *ret_differs =
                !bao_str_eq(baod_pg_bytes(rows, i, 2), (struct bao_str){(const char *)hash, BAO_SHA256_LEN});
            return baod_pg_int(rows, i, 1);
        }
    *ret_differs = true;
    return 0;
}

static const char EPOCHS[] = "SELECT name, value, sha256 FROM baocao.epoch";

static int compare(struct sync *s)
{
    const struct baod_pg_result *rows;
    int r = baod_sync_hash_registry(s, s->registry);

    if (r == 0)
        r = baod_sync_hash_forms(s, s->forms);
    if (r == 0)
        r = baod_sync_run(s, EPOCHS, NULL, 0, &rows);
    if (r != 0)
        return r;
    s->registry_epoch = epoch_of(rows, "registry", s->registry, &s->registry_differs);
    s->forms_epoch = epoch_of(rows, "forms", s->forms, &s->forms_differ);
    return s->options->follow && (s->registry_differs || s->forms_differ) ? BAOD_SYNC_E_BEHIND : 0;
}

static bool is_preview(const struct sync *s)
{
    return s->options->report != NULL && s->options->report->preview;
}

/* One sync at a time, from its first look at what is stored. Reports and acts of the office go on meanwhile:
 * they change nothing that is staged, and no epoch. A preview needs no turn: it writes nothing but temporary
 * tables, and all it reads is of one snapshot. As whoever changes anything commits under the province's lock,
 * one after the other, a snapshot is the state between two of their batches, the same that the preview would
 * see under the lock. */
static int start(struct sync *s)
{
    struct baod_pg_param province =
        baod_pg_p_int4(&s->arena, baod_province_key(s->snapshot->registry.province));
    int r = 0;

    if (is_preview(s)) {
        r = baod_sync_run(s, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL, 0, NULL);
    } else {
        /* Of the session, which ends with the sync. */
        r = baod_sync_run(s, "SELECT pg_advisory_lock(7317, $1)", &province, 1, NULL);
        if (r == 0)
            r = baod_sync_run(s, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0, NULL);
    }
    if (r == 0)
        r = baod_sync_run(s, "CREATE TEMP TABLE sync_rows ON COMMIT DROP AS SELECT NULL::jsonb AS rows", NULL,
                          0, NULL);
    return r;
}

/* All that takes long and rests on what only a sync changes. */
static int stage(struct sync *s)
{
    int r = baod_sync_stage_registry(s);

    if (r == 0)
        r = baod_sync_stage_forms(s);
    if (r == 0)
        r = baod_sync_stage_obligations(s);
    if (r == 0 && s->options->report != NULL && s->registry_differs)
        r = baod_sync_complain(s, baod_sync_report_units(s->call, s->options->report));
    return r;
}

/* The province's lock, as a statement of its own: the snapshots of those after it begin once it is held. An
 * older program knows no turns and may have put other files in force since these were staged. */
static int lock(struct sync *s)
{
    struct baod_pg_param province =
        baod_pg_p_int4(&s->arena, baod_province_key(s->snapshot->registry.province));
    const struct baod_pg_result *rows;
    bool differs;
    int r = baod_sync_run(s, "SELECT pg_advisory_xact_lock(7316, $1)", &province, 1, NULL);

    if (r == 0)
        r = baod_sync_run(s, EPOCHS, NULL, 0, &rows);
    if (r != 0 || (epoch_of(rows, "registry", s->registry, &differs) == s->registry_epoch &&
                   epoch_of(rows, "forms", s->forms, &differs) == s->forms_epoch))
        return r;
    r = bao_buf_append_c(s->why, "another daemon has put other files in force at the same time");
    return r < 0 ? r : BAOD_SYNC_E_DATABASE;
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
    int r = baod_sync_write_rollups(s);

    if (r == 0 && s->registry_differs)
        r = write_epoch(s, "registry", s->registry);
    if (r == 0 && s->forms_differ)
        r = write_epoch(s, "forms", s->forms);
    if (r == 0 && (s->registry_differs || s->forms_differ || c->made + c->moved + c->dropped != 0))
        r = baod_sync_write_audit(s);
    return r;
}

static int write_all(struct sync *s)
{
    int r = 0;

    if (s->registry_differs)
        r = baod_sync_write_registry(s);
    if (r == 0 && s->forms_differ)
        r = baod_sync_write_forms(s);
    if (r == 0 && (s->registry_differs || s->forms_differ))
        r = baod_sync_write_targets(s);
    if (r == 0)
        r = baod_sync_write_obligations(s);
    return r == 0 ? finish(s) : r;
}

static void fill_report(const struct sync *s)
{
    struct baod_sync_report *report = s->options->report;

    if (report == NULL)
        return;
    report->made = s->changes.made;
    report->shifted = s->changes.moved;
    report->dropped = s->changes.dropped;
    report->rollups = s->rollups;
}

static int do_all(struct sync *s, struct baod_dictionary **ret)
{
    int r = start(s);

    if (r == 0)
        r = compare(s);
    if (r == 0)
        r = stage(s);
    if (r == 0 && !is_preview(s))
        r = lock(s);
    if (r == 0)
        r = baod_sync_read_head(s);
    if (r == 0)
        r = baod_sync_stage_batch(s);
    if (r == 0)
        r = baod_sync_check_obligations(s);
    if (r == 0)
        r = baod_sync_add_rollups(s);
    if (r == 0)
        r = is_preview(s) ? baod_sync_count_obligations(s) : write_all(s);
    if (r == 0)
        fill_report(s);
    if (r == 0 && !is_preview(s))
        r = baod_sync_complain(s, baod_dictionary_read(s->call, s->snapshot, ret));
    return r;
}

/* Autovacuum would come a minute later, and plans are made at once. */
static void count_rows(struct sync *s)
{
    static const struct baod_pg_statement COUNT = {
        NULL, "ANALYZE baocao.unit, baocao.scope_unit, baocao.period, baocao.indicator, baocao.obligation"};

    if (baod_pg_call_exec(s->call, &COUNT, NULL, 0, NULL) != 0) /* the files are in force all the same */
        baod_log(BAOD_LOG_WARNING, "database: the new rows could not be counted: %s",
                 baod_pg_call_error(s->call));
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
    if (r == 0 && !is_preview(&s) && (s.registry_differs || s.forms_differ))
        count_rows(&s);
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
