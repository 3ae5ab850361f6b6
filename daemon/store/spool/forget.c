#include "daemon/store/spool/file.h"

#include "daemon/ops/log.h"

enum {
    REMEMBERED = 200000, /* keys of reports that PostgreSQL has */
    SLOWLY = 4,          /* reports forgotten at a time on a full disk */
};

/* Takes down the key of the row under DELETE, of which PostgreSQL has the report. */
static int remember(struct baod_spool_file *f, int64_t seq)
{
    struct baod_statement *of = f->statements[Q_DELETE], *st = f->statements[Q_REMEMBER];
    struct baod_spool_row row = {.unit = baod_db_text(of, 1),
                                 .form = baod_db_text(of, 2),
                                 .period = baod_db_text(of, 3),
                                 .revision = (int)baod_db_number(of, 4),
                                 .received_at = baod_db_number(of, 6)};
    uint8_t seal_of[BAO_SHA256_LEN];

    baod_db_octets(of, 5, row.receipt, sizeof(row.receipt));
    baod_db_octets(of, 7, row.content, sizeof(row.content));
    baod_spool_seal_drained(&row, seal_of);
    baod_db_bind_number(st, 1, seq);
    baod_db_bind_text(st, 2, row.unit);
    baod_db_bind_text(st, 3, row.form);
    baod_db_bind_text(st, 4, row.period);
    baod_db_bind_number(st, 5, row.revision);
    baod_db_bind_octets(st, 6, row.receipt, sizeof(row.receipt));
    baod_db_bind_number(st, 7, row.received_at);
    baod_db_bind_octets(st, 8, row.content, sizeof(row.content));
    baod_db_bind_octets(st, 9, seal_of, sizeof(seal_of));
    return baod_spool_run(f, Q_REMEMBER, "remembering a report");
}

/* Deletes one row; its octets are added up. */
static int delete_row(struct baod_spool_file *f, int64_t seq, bool keep_key, uint64_t *rows, uint64_t *octets)
{
    struct baod_statement *st = f->statements[Q_DELETE];
    int rc, r = 0;

    baod_db_bind_number(st, 1, seq);
    while (r == 0 && (rc = baod_db_step(st)) == BAOD_DB_ROW) {
        *rows += 1;
        *octets += (uint64_t)baod_db_number(st, 0);
        if (keep_key)
            r = remember(f, seq);
    }
    if (r == 0)
        r = baod_spool_outcome_of(f, "forgetting a report", rc);
    baod_db_reset(st);
    return r;
}

static void take_off(struct baod_spool_file *f, uint64_t rows, uint64_t octets)
{
    f->rows -= rows < f->rows ? rows : f->rows;
    f->bytes -= octets < f->bytes ? octets : f->bytes;
    f->untidy = true;
}

static int drop_some(struct baod_spool_file *f, const int64_t *seqs, size_t n, bool keep_keys)
{
    uint64_t rows = 0, octets = 0;
    int r = baod_spool_run(f, Q_BEGIN, "beginning");

    for (size_t i = 0; r == 0 && i < n; i++)
        r = delete_row(f, seqs[i], keep_keys, &rows, &octets);
    if (r == 0 && keep_keys) {
        baod_db_bind_number(f->statements[Q_FORGET_OLD], 1, REMEMBERED);
        r = baod_spool_run(f, Q_FORGET_OLD, "forgetting old keys");
    }
    if (r == 0)
        r = baod_spool_run(f, Q_COMMIT, "forgetting reports");
    if (r == 0)
        take_off(f, rows, octets);
    else
        baod_spool_roll_back(f);
    return r;
}

/* On a full disk a few at a time, the log emptied after each: that needs a few pages only. Their keys are
 * remembered as long as there is room: all that depends on it is which receipt a resend is given. */
int baod_spool_forget(struct baod_spool_file *f, const int64_t *seqs, size_t n, bool remember_keys)
{
    int r = drop_some(f, seqs, n, remember_keys && baod_spool_room(f) > 0);

    if (r != BAOD_SPOOL_E_FULL)
        return r;
    r = baod_spool_empty_log(f);
    for (size_t i = 0; r == 0 && i < n; i += SLOWLY) {
        r = drop_some(f, seqs + i, n - i < SLOWLY ? n - i : SLOWLY, false);
        if (r == 0)
            r = baod_spool_empty_log(f);
    }
    return r;
}

int baod_spool_put_aside(struct baod_spool_file *f, int64_t seq)
{
    uint64_t rows = 0, octets = 0;
    int r;

    baod_db_bind_number(f->statements[Q_SET_ASIDE], 1, seq);
    r = baod_spool_run(f, Q_SET_ASIDE, "setting a report aside");
    if (r == 0)
        r = delete_row(f, seq, false, &rows, &octets);
    if (r == 0)
        take_off(f, rows, octets);
    f->damaged++;
    return r;
}

void baod_spool_tell_damaged(const struct baod_spool_file *f, const struct baod_spool_row *row)
{
    baod_log(
        BAOD_LOG_ERROR,
        "spool: the queued report of unit %.*s, form %.*s, period %.*s, revision %d is damaged on disk and "
        "must be sent again; what is left of it stands in table damaged of %s",
        BAO_STR_ARG(row->unit), BAO_STR_ARG(row->form), BAO_STR_ARG(row->period), row->revision, f->path);
}
