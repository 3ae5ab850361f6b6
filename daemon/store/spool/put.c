#include "daemon/store/spool/file.h"

enum { COMMIT_OCTETS = 16 << 10 /* of the log for one report, beside its own: pages are written whole */ };

static void tell(struct baod_submission *s, const struct baod_spool_row *row, bool dup)
{
    baod_spool_receipt(row, &s->receipt);
    s->receipt.dup = dup;
}

/* Is the key in the spool already? 0 no, E_SAME, E_OTHER, or <0. A row that cannot be trusted answers
 * nothing. */
static int look_for_key(struct baod_spool_file *f, struct baod_submission *s)
{
    struct baod_statement *st = f->statements[Q_BY_KEY];
    const struct bao_verdict *v = &s->verdict;
    struct baod_spool_row row = {.seq = 0};
    bool damaged = false;
    char period[16];
    int rc, r;

    bao_period_print(v->period, period);
    baod_db_bind_text(st, 1, v->unit);
    baod_db_bind_text(st, 2, v->form_id);
    baod_db_bind_text(st, 3, bao_str_c(period));
    baod_db_bind_number(st, 4, v->revision);
    rc = baod_db_step(st);
    r = baod_spool_outcome_of(f, "looking for a key", rc);
    if (rc == BAOD_DB_ROW) {
        damaged = !baod_spool_get_row(st, &row);
        if (damaged) {
            baod_spool_tell_damaged(f, &row);
        } else {
            r = memcmp(row.content, v->content, sizeof(row.content)) == 0 ? BAOD_SPOOL_E_SAME
                                                                          : BAOD_SPOOL_E_OTHER;
            tell(s, &row, r == BAOD_SPOOL_E_SAME);
        }
    }
    baod_db_reset(st);
    return damaged ? baod_spool_put_aside(f, row.seq) : r;
}

/* Has PostgreSQL this key already? Its id and time are this copy's too then: 0, *ret_is says so; E_OTHER. */
static int look_for_drained(struct baod_spool_file *f, struct baod_submission *s, bool *ret_is)
{
    struct baod_statement *st = f->statements[Q_REMEMBERED_KEY];
    const struct bao_verdict *v = &s->verdict;
    struct baod_spool_row row = {.unit = v->unit, .form = v->form_id, .revision = v->revision};
    uint8_t stored[BAO_SHA256_LEN], is[BAO_SHA256_LEN];
    char period[16];
    int rc, r;

    bao_period_print(v->period, period);
    row.period = bao_str_c(period);
    baod_db_bind_text(st, 1, row.unit);
    baod_db_bind_text(st, 2, row.form);
    baod_db_bind_text(st, 3, row.period);
    baod_db_bind_number(st, 4, row.revision);
    rc = baod_db_step(st);
    r = baod_spool_outcome_of(f, "looking for a drained key", rc);
    if (rc == BAOD_DB_ROW) {
        baod_db_octets(st, 0, row.receipt, sizeof(row.receipt));
        row.received_at = baod_db_number(st, 1);
        baod_db_octets(st, 2, row.content, sizeof(row.content));
        baod_db_octets(st, 3, stored, sizeof(stored));
        baod_spool_seal_drained(&row, is);
        *ret_is = memcmp(stored, is, sizeof(is)) == 0; /* else it is as if it were not there */
    }
    baod_db_reset(st);
    if (r != 0 || !*ret_is)
        return r;
    if (memcmp(row.content, v->content, sizeof(row.content)) != 0) {
        s->receipt.received_at = row.received_at;
        return BAOD_SPOOL_E_OTHER;
    }
    memcpy(s->receipt.id, row.receipt, sizeof(row.receipt));
    s->has_id = true;
    if (row.received_at < s->received_at)
        s->received_at = row.received_at;
    return 0;
}

static int look_for_deadline(struct baod_spool_file *f, struct baod_submission *s)
{
    const struct bao_verdict *v = &s->verdict;
    char period[16];
    int last_revision;

    bao_period_print(v->period, period);
    return baod_spool_look_for_obligation(f, (struct bao_str[]){v->unit, v->form_id, bao_str_c(period)},
                                          &s->receipt.due_at, &last_revision);
}

int baod_spool_put_row(struct baod_spool_file *f, struct bao_arena *arena, struct baod_submission *s)
{
    struct baod_spool_row row;
    uint8_t of[BAO_SHA256_LEN];
    bool drained = false;
    int r = look_for_key(f, s);

    if (r == 0)
        r = look_for_drained(f, s, &drained);
    if (r == 0)
        r = look_for_deadline(f, s);
    if (r == 0)
        r = baod_spool_make_row(&f->by, arena, s, &row);
    if (r != 0)
        return r;
    f->room -= COMMIT_OCTETS + 2 * (int64_t)baod_spool_row_octets(&row);
    if (f->bytes + baod_spool_row_octets(&row) > f->max_bytes || f->room < 0)
        return BAOD_SPOOL_E_CAPPED;
    baod_spool_seal(&row, of);
    baod_spool_bind_row(f->statements[Q_INSERT], &row, of);
    r = baod_spool_run(f, Q_INSERT, "writing a report");
    if (r == 0) {
        f->rows++;
        f->bytes += baod_spool_row_octets(&row);
        tell(s, &row, drained);
    }
    return r;
}
