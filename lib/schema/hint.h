/* What a clerk probably meant: numbers, dates and yes/no as Vietnamese offices write them (forms.md 3.12). */
#pragma once

#include "lib/base/arena.h"

enum bao_hint {
    BAO_HINT_NONE,
    BAO_HINT_NUMBER,    /* a number between quotes: the number */
    BAO_HINT_PERCENT,   /* 80%: 80 */
    BAO_HINT_GROUPS,    /* 1.500.000 or 1 500 000: 1500000 */
    BAO_HINT_COMMA,     /* 1,5: 1.5 */
    BAO_HINT_AMBIGUOUS, /* 1,500 or 1.500: 1500, and in other 1.5 */
    BAO_HINT_UNIT,      /* 12 tasks: 12 */
    BAO_HINT_SIGNS,     /* a number with signs that only look right: curly quotes, full-width digits, a true
                           minus, a space that no key types */
};

/* Reads text as a number somebody wrote for people. *ret is the number to type; *ret_other the second reading
 * of an ambiguous one. Texts live in the arena; without memory there is no hint. */
enum bao_hint bao_hint_number(struct bao_arena *a, struct bao_str text, struct bao_str *ret,
                              struct bao_str *ret_other);

/* Reads a date as offices write it (15/9/2026, 15-09-2026, 2026/9/15, 20260915, ngay 15 thang 9 nam 2026 with
 * its accents) and gives it as 2026-09-15; false when it is none. *ret_impossible: it has the shape, but no
 * such day exists. */
bool bao_hint_date(struct bao_arena *a, struct bao_str text, struct bao_str *ret, bool *ret_impossible);

/* co, khong (with accents), yes, no, x …: 1 true, 0 false, -1 neither. */
int bao_hint_bool(struct bao_arena *a, struct bao_str text);
