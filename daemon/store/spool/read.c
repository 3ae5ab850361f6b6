#include "daemon/store/spool/file.h"

#include "lib/base/error.h"

enum { TAKE_OCTETS = 8 << 20 };

int baod_spool_look_for_obligation(struct baod_spool_file *f, const struct bao_str key[3], bao_time *ret_due,
                                   int *ret_last_revision)
{
    struct baod_statement *st = f->statements[Q_OBLIGATION];
    int rc, r;

    for (int i = 0; i < 3; i++)
        baod_db_bind_text(st, i + 1, key[i]);
    rc = baod_db_step(st);
    r = baod_spool_outcome_of(f, "looking for a deadline", rc);
    *ret_due = rc == BAOD_DB_ROW && !baod_db_is_null(st, 0) ? baod_db_number(st, 0) : BAO_TIME_NONE;
    *ret_last_revision = rc == BAOD_DB_ROW ? (int)baod_db_number(st, 1) : -1;
    baod_db_reset(st);
    return r;
}

void baod_spool_read_one(struct baod_spool_file *f, const struct baod_stat_ask *ask, struct bao_arena *arena,
                         struct baod_spool_row **ret, int *ret_last_revision)
{
    const struct bao_str key[3] = {ask->unit, ask->form, ask->period};
    struct baod_statement *st = f->statements[ask->by_receipt ? Q_BY_RECEIPT : Q_BY_KEY];
    struct baod_spool_row *row = bao_arena_array(arena, 1, sizeof(*row));
    bao_time due;
    int rc;

    *ret = NULL;
    *ret_last_revision = -1;
    if (row == NULL)
        return;
    if (!ask->by_receipt && baod_spool_look_for_obligation(f, key, &due, ret_last_revision) < 0)
        *ret_last_revision = -1;
    if (ask->by_receipt) {
        baod_db_bind_octets(st, 1, ask->receipt, sizeof(ask->receipt));
    } else {
        for (int i = 0; i < 3; i++)
            baod_db_bind_text(st, i + 1, key[i]);
        baod_db_bind_number(st, 4, ask->revision);
    }
    rc = baod_db_step(st);
    if (baod_spool_outcome_of(f, "reading", rc) == 0 && rc == BAOD_DB_ROW && baod_spool_get_row(st, row) &&
        baod_spool_keep_row(arena, row))
        *ret = row;
    baod_db_reset(st);
}

static void put_damaged_aside(struct baod_spool_file *f, const struct baod_spool_row *row)
{
    int r = baod_spool_run(f, Q_BEGIN, "beginning");

    baod_spool_tell_damaged(f, row);
    if (r == 0)
        r = baod_spool_put_aside(f, row->seq);
    if (r == 0)
        r = baod_spool_run(f, Q_COMMIT, "setting a report aside");
    if (r != 0)
        baod_spool_roll_back(f);
}

void baod_spool_read_next(struct baod_spool_file *f, int64_t after, size_t most, struct bao_arena *arena,
                          struct baod_spool_row **ret, size_t *ret_n)
{
    struct baod_statement *st = f->statements[Q_NEXT];
    struct baod_spool_row *rows = bao_arena_array(arena, most, sizeof(*rows)),
                          *bad = bao_arena_array(arena, most, sizeof(*bad));
    size_t n = 0, n_bad = 0, octets = 0;
    int rc = 0;

    *ret = rows;
    *ret_n = 0;
    if (rows == NULL || bad == NULL)
        return;
    baod_db_bind_number(st, 1, after);
    baod_db_bind_number(st, 2, (int64_t)most);
    while (octets < TAKE_OCTETS && (rc = baod_db_step(st)) == BAOD_DB_ROW) {
        struct baod_spool_row row;
        bool good = baod_spool_get_row(st, &row);

        if (!baod_spool_keep_row(arena, &row))
            break;
        octets += baod_spool_row_octets(&row);
        if (good)
            rows[n++] = row;
        else
            bad[n_bad++] = row;
    }
    (void)baod_spool_outcome_of(f, "reading", rc);
    baod_db_reset(st);
    for (size_t i = 0; i < n_bad; i++)
        put_damaged_aside(f, &bad[i]);
    *ret_n = n;
}

bao_time baod_spool_oldest(struct baod_spool_file *f)
{
    struct baod_statement *st = f->statements[Q_OLDEST];
    bao_time at =
        !f->broken && f->rows != 0 && baod_db_step(st) == BAOD_DB_ROW ? baod_db_number(st, 0) : BAO_TIME_NONE;

    baod_db_reset(st);
    return at;
}
