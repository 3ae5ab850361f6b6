#include "lib/form/pace.h"

#include "lib/base/error.h"

static int outcome(int r)
{
    return r == BAO_DEC_E_RANGE ? BAO_ACROSS_E_RANGE : bao_error_fold(r);
}

struct bao_elapsed bao_year_elapsed(struct bao_calendar c, int year, bao_date day)
{
    const struct bao_period p = {.year = (int16_t)year, .type = BAO_P_YEAR, .n = 1};
    bao_date from, to;
    int days, of;

    bao_period_window(p, c, &from, &to);
    of = to - from + 1;
    days = day - from + 1;
    return (struct bao_elapsed){days < 0 ? 0 : days > of ? of : days, of};
}

/* Does it grow through the year, so that only a part of the target can be expected? */
static bool grows(const struct bao_measure *m)
{
    return !m->is_ratio || m->over_time == BAO_OVER_LAST;
}

static int expect(struct bao_arena *a, const struct bao_measure *m, struct bao_num target,
                  struct bao_elapsed elapsed, struct bao_num *ret)
{
    struct bao_num x = target;
    int r = 0;

    if (grows(m)) {
        r = bao_num_mul(a, target, bao_num_int(elapsed.days), &x);
        if (r == 0)
            r = bao_num_div(a, x, bao_num_int(elapsed.of), &x);
        if (r == 0)
            r = bao_num_round(a, x, BAO_QUOTIENT_DECIMALS, &x);
    }
    if (r == 0)
        *ret = x;
    return r;
}

/* By how much the figure leads, in thousandths of one expected: lead * 1000 against limit * |expected|. */
static int compare_lead(struct bao_arena *a, struct bao_num lead, struct bao_num expected, int limit,
                        int *ret)
{
    struct bao_num left = lead, right = expected;
    int r = bao_num_mul(a, lead, bao_num_int(1000), &left);

    if (r == 0 && bao_num_sign(expected) < 0)
        r = bao_num_neg(a, expected, &right);
    if (r == 0)
        r = bao_num_mul(a, right, bao_num_int(limit), &right);
    if (r == 0)
        *ret = bao_num_cmp(left, right);
    return r;
}

static int judge(struct bao_arena *a, const struct bao_measure *m, struct bao_num value,
                 struct bao_num expected, enum bao_pace *ret)
{
    struct bao_num lead = value;
    int c = 0, r;

    r = m->direction > 0 ? bao_num_sub(a, value, expected, &lead) : bao_num_sub(a, expected, value, &lead);
    if (r == 0)
        r = compare_lead(a, lead, expected, BAO_PACE_LEAD_AHEAD, &c);
    if (r == 0 && c >= 0 && bao_num_sign(lead) > 0) {
        *ret = BAO_PACE_AHEAD;
        return 0;
    }
    if (r == 0)
        r = compare_lead(a, lead, expected, -BAO_PACE_LAG_ON_TRACK, &c);
    if (r == 0 && c >= 0) {
        *ret = BAO_PACE_ON_TRACK;
        return 0;
    }
    if (r == 0)
        r = compare_lead(a, lead, expected, -BAO_PACE_LAG_AT_RISK, &c);
    if (r == 0)
        *ret = c >= 0 ? BAO_PACE_AT_RISK : BAO_PACE_BEHIND;
    return r;
}

int bao_pace(struct bao_arena *a, const struct bao_measure *m, struct bao_maybe value,
             struct bao_maybe target, struct bao_elapsed elapsed, struct bao_pace_answer *ret)
{
    struct bao_pace_answer answer = {.expected = {.is = target.is}};
    enum bao_pace pace = BAO_PACE_NONE;
    int r = 0;

    if (target.is)
        r = expect(a, m, target.v, elapsed, &answer.expected.v);
    if (r == 0 && target.is && value.is && m->direction != 0) {
        if (grows(m) && m->direction > 0 && elapsed.days < elapsed.of && bao_num_cmp(value.v, target.v) >= 0)
            pace = BAO_PACE_AHEAD;
        else
            r = judge(a, m, value.v, answer.expected.v, &pace);
    }
    if (r != 0)
        return outcome(r);
    answer.pace = (uint8_t)pace;
    *ret = answer;
    return 0;
}

const char *bao_pace_name(enum bao_pace pace)
{
    static const char *const names[] = {NULL, "ahead", "on-track", "at-risk", "behind"};

    return names[pace];
}
