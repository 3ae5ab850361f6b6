/* The statements behind the office's questions and the columns of their answers: what is asked. queries.c
 * asks it. */
#pragma once

#include "daemon/store/pg.h"
#include "daemon/store/queries.h"

/* What becomes of the statement's rows. */
enum shape { PLAIN, SPANS, TRENDS, EXTREMES };

struct baod_question_sql {
    struct baod_pg_statement statement;
    const struct baod_column *columns;
    size_t n_columns;
    uint8_t shape;  /* enum shape */
    bool has_today; /* the statement takes today's date as its last parameter; of spans all do */
    bool has_as_of; /* ... or the moment that is asked about */
    bool of_one;    /* ... or the period's number: it is asked of one form, period and scope */
};

/* Statements beside the one that bears a question's own number. */
enum {
    SPAN = BAOD_QUESTIONS,
    ROLLUP_ONE,
    STATUS_ONE,
    ROLLUP_PERIOD,
    SPAN_TODAY,
    TREND_TODAY,
    STATUS_TODAY,
    REPORT_TODAY,
    ROLLUP_AT,
    STATUS_AT,
    MISSING_AT,
    REPORT_AT,
    STATEMENTS
};

/* By enum baod_question and the enum above. */
extern const struct baod_question_sql baod_questions[STATEMENTS];

/* ------------------------------------------------------------------ for the files of statements */

/* Every statement takes the same six filters: form, period, scope, unit, indicator, limit; null = any.
 * Numbers come as text, so that they stay exact. */
#define ANY(column, place) "(" place "::text IS NULL OR " column " = " place ")"

/* Is the unit (a code) a member of the scope on the period's last day? The members are listed once a
 * question; asked row by row it took most of the time. */
#define IN_SCOPE(unit, form, period, place)                                                                  \
    "(" place "::text IS NULL OR (" form ", " period ", " unit ") IN ("                                      \
    "SELECT w.id, w.label, n.code FROM baocao.scope s"                                                       \
    "  JOIN baocao.scope_unit m ON m.scope = s.scope AND m.seq_to = 9223372036854775807"                     \
    "  JOIN baocao.unit n ON n.unit = m.unit"                                                                \
    "  JOIN baocao.form_period w ON w.to_day BETWEEN m.from_day AND m.to_day AND " ANY(                      \
        "w.id", "$1") " AND " ANY("w.label", "$2") " WHERE s.id = " place "))"

/* The periods asked for, of questions that name one. */
#define ONE_WINDOW                                                                                           \
    "WITH w AS MATERIALIZED (SELECT * FROM baocao.form_period p WHERE " ANY("p.id", "$1") " AND " ANY(       \
        "p.label", "$2") "), "

#define CELLS_SCOPE(column)                                                                                  \
    "($3::text IS NULL OR " column " = (SELECT scope FROM baocao.scope WHERE id = $3)) "

/* Where each unit's figures of each period stand today. A unit that nobody took over stays in the scopes of
 * its last day. */
#define TODAY_PLACES                                                                                         \
    "place AS MATERIALIZED ("                                                                                \
    "SELECT d.to_day, x.unit, x.holder, x.share, x.estimated, x.main, m.scope"                               \
    "  FROM (SELECT DISTINCT to_day FROM w) d CROSS JOIN LATERAL baocao.crosswalk(d.to_day, $7::date) x"     \
    "  JOIN baocao.scope_unit m ON m.unit = x.holder AND m.seq_to = 9223372036854775807"                     \
    "                          AND x.on_day BETWEEN m.from_day AND m.to_day"                                 \
    " WHERE " CELLS_SCOPE("m.scope") ") "

/* The one scope $3 in the one period $7 (a number; $2 is its text) of the form $1, with its units. */
#define ONE_SCOPE                                                                                            \
    "WITH k AS MATERIALIZED ("                                                                               \
    "SELECT p.form, p.id, p.label, p.from_day, p.to_day, p.version, s.scope, s.id AS scope_id, s.name_vi,"   \
    "       ARRAY(SELECT n.unit FROM baocao.scope_unit n"                                                    \
    "              WHERE n.scope = s.scope AND n.seq_to = 9223372036854775807"                               \
    "                AND p.to_day BETWEEN n.from_day AND n.to_day) AS units"                                 \
    "  FROM baocao.form_period p CROSS JOIN baocao.scope s"                                                  \
    " WHERE p.id = $1 AND p.label = $2 AND p.period = $7 AND s.id = $3),"

/* Rows of the table that belong to it, by key. */
#define OF_ONE_SCOPE(table)                                                                                  \
    table ".form = (SELECT form FROM k) AND " table ".period = $7 AND " table                                \
          ".unit = ANY ((SELECT units FROM k)::int4[])"

enum { ROLLUP_LEAST = 11, ROLLUP_COLUMNS = 16 };
extern const struct baod_column baod_rollup_columns[ROLLUP_COLUMNS];

/* questions_rollup.c */
extern const char baod_rollup_sql[], baod_rollup_one_sql[], baod_rollup_period_sql[];

/* questions_shared.c */
enum { SHARED_COLUMNS = 15 };
extern const struct baod_column baod_shared_columns[SHARED_COLUMNS];
extern const char baod_shared_sql[];

/* questions_spans.c */
extern const char baod_cells_sql[], baod_span_sql[], baod_cells_today_sql[], baod_span_today_sql[];
