/* What the history checks of a report look back on: which rows, reading them, making the data of them.
 *
 * Filled while a batch holds its lock; read on a worker thread. Forms without history checks ask for nothing.
 */
#pragma once

#include "daemon/store/pg.h"
#include "lib/form/rollup.h"
#include "lib/wire/deflate.h"

/* One period of a unit's form. */
struct baod_past {
    int32_t unit, form, period;
    bool body; /* what it says is wanted too, not only its figures */
    /* as read */
    bool owed;             /* there is an obligation, not exempt */
    bool counted;          /* a report of it is counted; the following speak of that */
    struct bao_str stored; /* zlib stream; empty when not wanted, or of a report that says nothing (nil) */
    size_t raw;
    const struct bao_figure *figures; /* by slot */
    size_t n_figures;
};

/* The places of one report among them. */
struct baod_view {
    size_t first, n;        /* [first, first + n); the year's earlier periods come first */
    size_t n_year;          /* of them */
    size_t prev, prev_year; /* places; SIZE_MAX: not looked at */
    unsigned back;          /* BAO_BACK_* */
};

struct baod_pasts {
    struct baod_past *items;
    size_t n, size;
};

/* Forgets and frees; may be called twice. */
void baod_pasts_deinit(struct baod_pasts *p);
/* Whose past. */
struct baod_past_of {
    int32_t unit, form;
    struct bao_period period;
    int32_t
        from; /* code of the first period that it may be compared with, see bao_form_looks_from(); 0 = any */
};

/* Asks for what `back` (BAO_BACK_*) says of a report's past. 0 or -ENOMEM. */
int baod_pasts_want(struct baod_pasts *p, const struct baod_past_of *of, unsigned back,
                    struct baod_view *ret) BAO_MUST_CHECK;
/* Queues the statement that reads all of them; parameters live in the arena. */
int baod_pasts_read(const struct baod_pasts *p, struct bao_arena *arena, struct baod_pg *pg,
                    baod_pg_callback *callback, void *user) BAO_MUST_CHECK;
/* Takes its answer, copied into the arena. 0, -ENOMEM, -EBADMSG. */
int baod_pasts_take(struct baod_pasts *p, struct bao_arena *arena,
                    const struct baod_pg_result *rows) BAO_MUST_CHECK;

/* Makes the history of a report: data of the bodies, sums of the year. A body that can no longer be read
 * counts as unknown, so that nobody is refused for it. `slots` are those of the judged version. 0, or <0. */
int baod_view_history(const struct baod_pasts *p, const struct baod_view *view, const struct bao_form *form,
                      const struct bao_slots *slots, struct bao_inflater *inflater, struct bao_arena *arena,
                      struct bao_history *ret) BAO_MUST_CHECK;
/* Is a report of period `later` judged against one of period `earlier`, by checks that look back so? */
bool baod_looks_at(int32_t later, int32_t earlier, unsigned back);
