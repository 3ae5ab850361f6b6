/* Figures across time, against cases that tests/data/across_cases.py made. */
#include "lib/base/buf.h"
#include "lib/form/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { FIELDS_MAX = 12, CELLS_MAX = 12, LINE_MAX_OCTETS = 4096 };

/* One case: its fields and where they stand. */
struct line {
    struct bao_arena *arena;
    char *field[FIELDS_MAX];
    size_t n;
    unsigned number;
};

static struct bao_maybe number(struct bao_arena *arena, const char *text)
{
    struct bao_maybe x = {.is = strcmp(text, "-") != 0};

    if (x.is)
        assert_int_equal(bao_num_parse(arena, bao_str_c(text), &x.v), 0);
    return x;
}

static void is(const struct line *l, struct bao_maybe got, const char *wanted)
{
    struct bao_maybe x = number(l->arena, wanted);

    if (got.is != x.is || (x.is && bao_num_cmp(got.v, x.v) != 0))
        fail_msg("line %u: not %s", l->number, wanted);
}

static int integer(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static struct bao_measure measure(const char *over, const char *kind)
{
    return (struct bao_measure){.over_time = strcmp(over, "sum") == 0    ? BAO_OVER_SUM
                                             : strcmp(over, "last") == 0 ? BAO_OVER_LAST
                                                                         : BAO_OVER_NONE,
                                .is_ratio = strcmp(kind, "plain") != 0,
                                .percent = strcmp(kind, "percent") == 0};
}

static size_t read_cells(struct line *l, char *text, struct bao_cell *ret)
{
    size_t n = 0;

    for (char *next, *cell = strtok_r(text, " ", &next); cell != NULL; cell = strtok_r(NULL, " ", &next)) {
        char *end, *part = strtok_r(cell, "/", &end);

        assert_in_range(n, 0, CELLS_MAX - 1);
        ret[n].reported = integer(part);
        ret[n].owed = integer(strtok_r(NULL, "/", &end));
        ret[n].of = number(l->arena, strtok_r(NULL, "/", &end)).v;
        ret[n].to = number(l->arena, strtok_r(NULL, "/", &end)).v;
        ret[n].estimated = n == 0;
        n++;
    }
    return n;
}

static void run_span(struct line *l)
{
    struct bao_measure m = measure(l->field[1], l->field[2]);
    struct bao_cell cells[CELLS_MAX];
    size_t n = read_cells(l, l->field[3], cells);
    struct bao_maybe value = {.is = false};
    struct bao_span span;

    assert_int_equal(bao_span_make(l->arena, &m, cells, n, &span), 0);
    if (span.is)
        assert_int_equal(bao_cell_value(l->arena, &m, &span.total, &value), 0);
    is(l, value, l->field[4]);
    assert_int_equal(span.of_part, integer(l->field[5]));
    assert_int_equal(span.total.reported, integer(l->field[6]));
    assert_int_equal(span.total.owed, integer(l->field[7]));
    assert_int_equal(span.n_reported, integer(l->field[8]));
    /* Only the first part was estimated: the total is so when it holds that part. */
    assert_int_equal(span.total.estimated,
                     span.is && cells[0].reported != 0 && (m.over_time == BAO_OVER_SUM || span.of_part == 0));
}

static void run_running(struct line *l)
{
    struct bao_maybe total = {.is = false};
    char *next, *last, *figure = strtok_r(l->field[1], " ", &next);

    for (char *wanted = strtok_r(l->field[2], " ", &last); wanted != NULL;
         wanted = strtok_r(NULL, " ", &last)) {
        bool begins = figure[0] == '*';

        assert_int_equal(
            bao_running(l->arena, total, number(l->arena, figure + (begins ? 1 : 0)), begins, &total), 0);
        is(l, total, wanted);
        figure = strtok_r(NULL, " ", &next);
    }
    assert_null(figure);
}

static void run_change(struct line *l)
{
    struct bao_change c;

    assert_int_equal(bao_change(l->arena, number(l->arena, l->field[1]), number(l->arena, l->field[2]), &c),
                     0);
    is(l, c.by, l->field[3]);
    is(l, c.percent, l->field[4]);
}

static void run_elapsed(struct line *l)
{
    int starts = integer(l->field[1]);
    struct bao_calendar c = {.kind = starts == 1    ? BAO_CAL_CIVIL
                                     : starts == 15 ? BAO_CAL_ND09
                                                    : BAO_CAL_STARTS,
                             .starts = (uint8_t)starts};
    struct bao_elapsed e;
    bao_date day;

    assert_true(bao_date_parse(bao_str_c(l->field[3]), &day));
    e = bao_year_elapsed(c, integer(l->field[2]), day);
    assert_int_equal(e.days, integer(l->field[4]));
    assert_int_equal(e.of, integer(l->field[5]));
}

static void run_pace(struct line *l)
{
    struct bao_measure m = measure(l->field[1], l->field[2]);
    struct bao_elapsed e = {integer(l->field[6]), integer(l->field[7])};
    struct bao_pace_answer answer;
    const char *name;

    m.direction = (int8_t)integer(l->field[3]);
    assert_int_equal(
        bao_pace(l->arena, &m, number(l->arena, l->field[4]), number(l->arena, l->field[5]), e, &answer), 0);
    is(l, answer.expected, l->field[8]);
    name = bao_pace_name(answer.pace);
    if (strcmp(name == NULL ? "-" : name, l->field[9]) != 0)
        fail_msg("line %u: %s, not %s", l->number, name, l->field[9]);
}

static void run(struct line *l)
{
    static const struct {
        const char *name;
        size_t n;
        void (*run)(struct line *l);
    } kinds[] = {{"span", 9, run_span},
                 {"running", 3, run_running},
                 {"change", 5, run_change},
                 {"elapsed", 6, run_elapsed},
                 {"pace", 10, run_pace}};

    for (size_t i = 0; i < BAO_COUNT(kinds); i++)
        if (strcmp(kinds[i].name, l->field[0]) == 0) {
            assert_int_equal(l->n, kinds[i].n);
            kinds[i].run(l);
            return;
        }
    fail_msg("line %u: %s", l->number, l->field[0]);
}

static void the_cases_of_another_program(void **state)
{
    const char *source = getenv("BAOCAO_SOURCE");
    char path[512], text[LINE_MAX_OCTETS];
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct line l = {.arena = &arena};
    unsigned cases = 0;
    FILE *f;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tests/data/across_cases.tsv", source == NULL ? "." : source);
    f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(text, sizeof(text), f) != NULL) {
        char *next;

        l.number++;
        if (text[0] == '#')
            continue;
        text[strcspn(text, "\n")] = '\0';
        l.n = 0;
        for (char *s = strtok_r(text, "\t", &next); s != NULL; s = strtok_r(NULL, "\t", &next)) {
            assert_in_range(l.n, 0, FIELDS_MAX - 1);
            l.field[l.n++] = s;
        }
        run(&l);
        cases++;
    }
    (void)fclose(f);
    bao_arena_deinit(&arena);
    assert_in_range(cases, 1000, 5000);
}

static void a_sum_beyond_all_limits_is_told(void **state)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_measure m = {.over_time = BAO_OVER_SUM};
    struct bao_cell parts[2] = {{.reported = 1, .owed = 1}, {.reported = 1, .owed = 1}};
    struct bao_span span = {.n_reported = 77};
    struct bao_maybe huge = number(&arena, "1e6100"), tiny = number(&arena, "1e-6100");
    struct bao_change c;

    (void)state;
    parts[0].of = huge.v;
    parts[1].of = tiny.v;
    assert_int_equal(bao_span_make(&arena, &m, parts, 2, &span), BAO_ACROSS_E_RANGE);
    assert_int_equal(span.n_reported, 77); /* untouched */
    assert_int_equal(bao_running(&arena, huge, tiny, false, &huge), BAO_ACROSS_E_RANGE);
    assert_int_equal(bao_change(&arena, huge, tiny, &c), BAO_ACROSS_E_RANGE);
    bao_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cases_of_another_program),
        cmocka_unit_test(a_sum_beyond_all_limits_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
