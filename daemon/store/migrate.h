/* Brings a database to the tables this program was built for. Forward only: what was applied stays as it is,
 * is checked by its hash, and a database from a newer program is refused. */
#pragma once

#include "lib/base/buf.h"

struct baod_pg_call;

/* Which province's writers exclude each other: the second key of pg_advisory_xact_lock(BAOD_LOCK_CLASS, ...).
 * A code of digits is its own number, any other is spread by its hash. */
enum { BAOD_LOCK_CLASS = 7316 };
int32_t baod_province_key(struct bao_str code);

enum baod_migrate_outcome {
    BAOD_MIGRATE_E_CONNECT = 1, /* the server cannot be reached */
    BAOD_MIGRATE_E_NEWER,       /* the database is ahead of this program */
    BAOD_MIGRATE_E_CHANGED,     /* a migration that was applied is not the one this program holds */
    BAOD_MIGRATE_E_SQL,         /* a migration failed; nothing of this run was kept */
};

/* Applies what is missing, all in one transaction under the province's lock; where nothing is, the lock is
 * not taken. Waits up to wait_ms for the server. 0: *ret_applied migrations were applied. A sentence for the
 * operator is appended to why otherwise. */
int baod_migrate(const char *conninfo, int32_t province, int wait_ms, struct bao_buf *why,
                 int *ret_applied) BAO_MUST_CHECK;
/* How many migrations a database has (0: none of these tables), of how many this program knows: statements
 * are only right where the two are equal. 0, or an outcome as above with its sentence. */
int baod_migrate_look(struct baod_pg_call *call, struct bao_buf *why, size_t *ret_has,
                      size_t *ret_knows) BAO_MUST_CHECK;
