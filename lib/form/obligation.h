/* Obligations: what each unit owes, by form and period, made ahead from forms and registry; and the state of
 * each.
 *
 * Pure functions: the clock, the stored facts and the acts of the office (extended, exempted) are arguments.
 */
#pragma once

#include "lib/form/form.h"

struct bao_obligation {
    const struct bao_form *form; /* the version in force for the period; borrowed */
    uint32_t unit;               /* index in the registry */
    struct bao_period period;
    bao_date from, cutoff; /* the period's window */
    bao_time due;          /* the instant after which a report is late */
    bao_time lock;         /* BAO_TIME_NONE = never */
    bool provisional;      /* due stands on holidays not yet known */
};

struct bao_obligations {
    struct bao_obligation *items; /* by form, period, unit */
    size_t n;
};

/* Lists every obligation whose cut-off day lies within from..to. Items live in the arena. 0 or -ENOMEM. */
int bao_obligations_list(struct bao_arena *arena, const struct bao_forms *forms,
                         const struct bao_registry *registry, bao_date from, bao_date to,
                         struct bao_obligations *ret) BAO_MUST_CHECK;
/* Entries of the registry, by index. */
struct bao_units_chosen {
    const uint32_t *units;
    size_t n;
};

/* The same for these entries only. */
int bao_obligations_of(struct bao_arena *arena, const struct bao_forms *forms,
                       const struct bao_registry *registry, const struct bao_units_chosen *chosen,
                       bao_date from, bao_date to, struct bao_obligations *ret) BAO_MUST_CHECK;
/* One obligation; false when the unit (index) does not owe that period under this form. */
bool bao_obligation_make(const struct bao_form *form, const struct bao_registry *registry, uint32_t unit,
                         struct bao_period period, struct bao_obligation *ret);

/* The row of the form's deadlines that speaks for a kind of unit, or NULL. */
const struct bao_deadline *bao_form_deadline(const struct bao_form *form, struct bao_str kind);
/* Appends a sentence or two that explain cut-off, due and lock, each with the article it rests on. */
int bao_obligation_why(struct bao_buf *out, const struct bao_obligation *o,
                       const struct bao_registry *registry, enum bao_lang lang) BAO_MUST_CHECK;

/* "16/9/2026" or "2026-09-16". */
void bao_day_print(bao_date d, enum bao_lang lang, char ret[24]);
/* "17:00 ngày 16/9/2026" or "17:00 on 2026-09-16"; midnight is told as 24:00 of the day it ends. */
void bao_moment_print(bao_time t, int offset, enum bao_lang lang, char ret[64]);

/* Every obligation is in exactly one of these; the five add up (design.md section 2.1). */
enum bao_state { BAO_STATE_PENDING, BAO_STATE_ON_TIME, BAO_STATE_LATE, BAO_STATE_OVERDUE, BAO_STATE_EXEMPT };
enum { BAO_STATES = BAO_STATE_EXEMPT + 1 };

/* What is stored of an obligation. */
struct bao_standing {
    bool counted; /* a valid report, not returned, counts for it */
    bao_time
        received_at; /* the earliest custody among its valid, not returned revisions; read when counted */
    bool exempt;
    bao_time due; /* with any extension; BAO_TIME_NONE = no deadline, never late */
};

enum bao_state bao_obligation_state(const struct bao_standing *s, bao_time now);
/* "pending", "on-time", "late", "overdue", "exempt". */
const char *bao_state_name(enum bao_state state);
/* "chưa đến hạn", "đúng hạn", "gửi muộn", "quá hạn", "được miễn"; and in English. */
const char *bao_state_title(enum bao_state state, enum bao_lang lang);
