/* What the office asks: the figures behind /v1, with exactly the columns of the `office` views.
 *
 * Each question runs as prepared statements on a connection of its own, so that reading never waits for the
 * writer nor the writer for reading. Rows are typed text, ready to become JSON, CSV or cells. */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/form/date.h"

struct baod_pg;
struct baod_queries;

/* How a cell's text is to be read. Every cell is UTF-8 text, or null (.p == NULL). */
enum baod_cell {
    BAOD_CELL_TEXT,
    BAOD_CELL_INT,    /* decimal digits with an optional minus */
    BAOD_CELL_NUMBER, /* exact decimal, plain notation; a JSON number as it stands */
    BAOD_CELL_BOOL,   /* true or false */
    BAOD_CELL_DATE,   /* YYYY-MM-DD */
    BAOD_CELL_TIME,   /* RFC 3339 with milliseconds and the province's offset */
    BAOD_CELL_JSON,   /* a JSON value as it stands */
};

struct baod_column {
    const char *name; /* the contract's column name */
    uint8_t cell;     /* enum baod_cell */
};

/* An answer; valid during the callback only. cells[row * n_columns + column]. */
struct baod_rows {
    const struct baod_column *columns;
    size_t n_columns;
    const struct bao_str *cells;
    size_t n_rows;
};

enum baod_question {
    BAOD_ASK_ROLLUP,  /* office.rollup */
    BAOD_ASK_STATUS,  /* office.status; no personal data, open to every role */
    BAOD_ASK_MISSING, /* office.missing: who still owes */
    BAOD_ASK_REPORT,  /* office.report */
    BAOD_ASK_VALUE,   /* office.value */
    BAOD_ASK_FORM, /* form, version, programme, title_vi, title_en, period_type, effective_from, effective_to
                    */
    BAOD_ASK_UNIT, /* office.unit */
    BAOD_ASK_INDICATOR, /* office.indicator */
    BAOD_ASK_TREND,   /* office.trend with running totals, the same period last year and the target's pace */
    BAOD_ASK_ALERT,   /* office.alert */
    BAOD_ASK_RATE,    /* office.rate */
    BAOD_ASK_REFUSAL, /* office.refusal, the newest first */
    BAOD_ASK_SHARED,  /* totals of figures that several forms ask for (same_as), each unit counted once */
    BAOD_QUESTIONS,
};

/* Filters: an empty text does not restrict. Borrowed for the call of ask. */
struct baod_ask {
    enum baod_question question;
    struct bao_str form;      /* form id */
    struct bao_str period;    /* as written in reports: 2026-Q3 */
    struct bao_str scope;     /* scope id; for units and reports: only members of it */
    struct bao_str unit;      /* unit code */
    struct bao_str indicator; /* code */
    struct bao_str
        named; /* BAOD_ASK_UNIT: only these codes, separated by commas; from a port: words to look for */
    struct bao_str span; /* of rollups: the totals of all periods that tile it, instead of single periods */
    bool
        today; /* rollups, trend, status, reports: by the units of today, through the registry's succession */
    struct bao_str as_of; /* rollups, status, missing, reports: as was known then (bao_moment_parse), by the
                             units that reported; not with span or today */
    bao_time now;         /* the asker's clock; what is overdue goes by PostgreSQL's, as in the views */
    int limit;            /* most rows; 0 = 100,000 */
};

enum baod_ask_outcome {
    BAOD_ASK_E_PERIOD = 1, /* the period or span is written in no known way */
    BAOD_ASK_E_SPAN,       /* rollups by the units of today need a period or span */
    BAOD_ASK_E_AS_OF,      /* as_of is written in no known way, or cannot be asked here */
};

/* r: 0 and rows; -ENOTCONN (the database is away), -EAGAIN (too many waiting), -ETIMEDOUT, -EIO (the
 * statement failed; logged), -ENOMEM, -ECANCELED (shutting down): rows NULL. */
typedef void baod_ask_done(void *user, int r, const struct baod_rows *rows);

/* Takes a question; `done` is called once on the loop thread, never from inside the call.
 * 0, an outcome, -EAGAIN, -ENOMEM: then done is not called. */
int baod_queries_ask(struct baod_queries *q, const struct baod_ask *ask, baod_ask_done *done,
                     void *user) BAO_MUST_CHECK;

/* Over connections that stay the caller's, for as long as the queries live. quick: for what is asked of one
 * form, period and scope, so that it never waits behind a question about everything; baod_queries_quick() is
 * to be its `ready`. offset: the province's, in seconds east of UTC, for times. */
int baod_queries_new(struct baod_pg *pg, struct baod_pg *quick, int offset,
                     struct baod_queries **ret) BAO_MUST_CHECK;
/* Sets the session up: one plan for all questions of a kind, for planning takes longer than answering. */
void baod_queries_quick(struct baod_pg *quick, void *user);
/* Answers what waits with -ECANCELED; accepts NULL; gives NULL. */
struct baod_queries *baod_queries_free(struct baod_queries *q);
