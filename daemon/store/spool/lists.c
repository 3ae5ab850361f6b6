#include "daemon/store/spool/file.h"

#include "lib/base/error.h"

int baod_spool_keep_list(struct baod_spool_file *f, struct bao_str name, bao_time at, struct bao_str data)
{
    struct baod_statement *st = f->statements[Q_KEEP_LIST];
    uint8_t of[BAO_SHA256_LEN];

    baod_spool_seal_list(name, at, data, of);
    baod_db_bind_text(st, 1, name);
    baod_db_bind_number(st, 2, at);
    baod_db_bind_octets(st, 3, data.p, data.n);
    baod_db_bind_octets(st, 4, of, sizeof(of));
    f->untidy = true;
    return baod_spool_run(f, Q_KEEP_LIST, "keeping a list");
}

int baod_spool_write_obligations(struct baod_spool_file *f, const struct baod_spool_obligation *items,
                                 size_t n)
{
    struct baod_statement *st = f->statements[Q_KEEP_OBLIGATION];
    int r = baod_spool_run(f, Q_BEGIN, "beginning");

    if (r == 0)
        r = baod_spool_run(f, Q_CLEAR_OBLIGATIONS, "keeping obligations");
    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct baod_spool_obligation *o = &items[i];

        baod_db_bind_text(st, 1, o->unit);
        baod_db_bind_text(st, 2, o->form);
        baod_db_bind_text(st, 3, o->period);
        if (o->due_at != BAO_TIME_NONE)
            baod_db_bind_number(st, 4, o->due_at);
        baod_db_bind_number(st, 5, o->last_revision);
        r = baod_spool_run(f, Q_KEEP_OBLIGATION, "keeping obligations");
    }
    if (r == 0)
        r = baod_spool_run(f, Q_COMMIT, "keeping obligations");
    if (r != 0)
        baod_spool_roll_back(f);
    f->untidy = true;
    return r;
}

int baod_spool_read_lists(struct baod_spool_file *f, struct bao_arena *arena, struct baod_spool_kept **ret)
{
    struct baod_spool_kept *first = NULL;
    struct baod_statement *st = NULL;
    int r = 0;

    if (baod_db_prepare(f->db, "SELECT name, at, data, seal FROM cache_list", &st) == 0)
        while (r == 0 && baod_db_step(st) == BAOD_DB_ROW) {
            struct bao_str name = baod_db_text(st, 0), data = baod_db_text(st, 2),
                           stored = baod_db_text(st, 3);
            uint8_t is[BAO_SHA256_LEN];
            struct baod_spool_kept *k;

            baod_spool_seal_list(name, baod_db_number(st, 1), data, is);
            if (!bao_str_eq(stored, (struct bao_str){(const char *)is, sizeof(is)}))
                continue; /* damaged: as if it had never been kept */
            k = bao_arena_array(arena, 1, sizeof(*k));
            if (k != NULL)
                *k = (struct baod_spool_kept){.next = first,
                                              .at = baod_db_number(st, 1),
                                              .name = bao_arena_str(arena, name),
                                              .data = bao_arena_str(arena, data)};
            if (k == NULL || k->name.p == NULL || k->data.p == NULL)
                r = -ENOMEM;
            else
                first = k;
        }
    baod_db_finalize(st);
    if (r == 0)
        *ret = first;
    return r;
}
