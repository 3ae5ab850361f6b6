#include "daemon/store/questions.h"

static const struct baod_column status_columns[] = {
    {"form", BAOD_CELL_TEXT},   {"period", BAOD_CELL_TEXT}, {"scope", BAOD_CELL_TEXT},
    {"owed", BAOD_CELL_INT},    {"pending", BAOD_CELL_INT}, {"overdue", BAOD_CELL_INT},
    {"on_time", BAOD_CELL_INT}, {"late", BAOD_CELL_INT},    {"exempt", BAOD_CELL_INT},
    {"final", BAOD_CELL_INT},
};

static const struct baod_column rate_columns[] = {
    {"form", BAOD_CELL_TEXT},        {"period", BAOD_CELL_TEXT},        {"scope", BAOD_CELL_TEXT},
    {"rate", BAOD_CELL_TEXT},        {"label_vi", BAOD_CELL_TEXT},      {"label_en", BAOD_CELL_TEXT},
    {"numerator", BAOD_CELL_NUMBER}, {"denominator", BAOD_CELL_NUMBER}, {"value", BAOD_CELL_NUMBER},
    {"percent", BAOD_CELL_BOOL},     {"reported", BAOD_CELL_INT},       {"owed", BAOD_CELL_INT},
};

static const struct baod_column missing_columns[] = {
    {"form", BAOD_CELL_TEXT},         {"period", BAOD_CELL_TEXT},      {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT},      {"kind", BAOD_CELL_TEXT},        {"due_at", BAOD_CELL_TIME},
    {"hours_late", BAOD_CELL_NUMBER}, {"extended_to", BAOD_CELL_TIME}, {"heir", BAOD_CELL_TEXT},
    {"heir_vi", BAOD_CELL_TEXT},
};

static const struct baod_column report_columns[] = {
    {"form", BAOD_CELL_TEXT},         {"version", BAOD_CELL_INT},      {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT},      {"kind", BAOD_CELL_TEXT},        {"period", BAOD_CELL_TEXT},
    {"revision", BAOD_CELL_INT},      {"received_at", BAOD_CELL_TIME}, {"due_at", BAOD_CELL_TIME},
    {"state", BAOD_CELL_TEXT},        {"receipt", BAOD_CELL_TEXT},     {"warnings", BAOD_CELL_JSON},
    {"explanations", BAOD_CELL_JSON},
};

static const struct baod_column value_columns[] = {
    {"form", BAOD_CELL_TEXT},      {"version", BAOD_CELL_INT},   {"unit", BAOD_CELL_TEXT},
    {"kind", BAOD_CELL_TEXT},      {"period", BAOD_CELL_TEXT},   {"revision", BAOD_CELL_INT},
    {"indicator", BAOD_CELL_TEXT}, {"label_vi", BAOD_CELL_TEXT}, {"measure", BAOD_CELL_TEXT},
    {"value", BAOD_CELL_NUMBER},
};

static const struct baod_column form_columns[] = {
    {"form", BAOD_CELL_TEXT},           {"version", BAOD_CELL_INT},       {"programme", BAOD_CELL_TEXT},
    {"title_vi", BAOD_CELL_TEXT},       {"title_en", BAOD_CELL_TEXT},     {"period_type", BAOD_CELL_TEXT},
    {"effective_from", BAOD_CELL_DATE}, {"effective_to", BAOD_CELL_DATE},
};

static const struct baod_column unit_columns[] = {
    {"unit", BAOD_CELL_TEXT},    {"kind", BAOD_CELL_TEXT},       {"name_vi", BAOD_CELL_TEXT},
    {"name_en", BAOD_CELL_TEXT}, {"valid_from", BAOD_CELL_DATE}, {"valid_to", BAOD_CELL_DATE},
    {"groups", BAOD_CELL_JSON},  {"heir", BAOD_CELL_TEXT},       {"heir_vi", BAOD_CELL_TEXT},
};

static const struct baod_column indicator_columns[] = {
    {"form", BAOD_CELL_TEXT},          {"indicator", BAOD_CELL_TEXT},   {"label_vi", BAOD_CELL_TEXT},
    {"label_en", BAOD_CELL_TEXT},      {"measure", BAOD_CELL_TEXT},     {"decimals", BAOD_CELL_INT},
    {"over_units", BAOD_CELL_TEXT},    {"over_time", BAOD_CELL_TEXT},   {"ratio", BAOD_CELL_BOOL},
    {"percent", BAOD_CELL_BOOL},       {"direction", BAOD_CELL_INT},    {"alert_below", BAOD_CELL_NUMBER},
    {"alert_above", BAOD_CELL_NUMBER}, {"version_from", BAOD_CELL_INT}, {"version_to", BAOD_CELL_INT},
};

static const struct baod_column alert_columns[] = {
    {"form", BAOD_CELL_TEXT},    {"period", BAOD_CELL_TEXT},    {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT}, {"indicator", BAOD_CELL_TEXT}, {"kind", BAOD_CELL_TEXT},
    {"at", BAOD_CELL_TIME},      {"value", BAOD_CELL_NUMBER},   {"expected", BAOD_CELL_NUMBER},
    {"text_vi", BAOD_CELL_TEXT}, {"text_en", BAOD_CELL_TEXT},   {"state", BAOD_CELL_TEXT},
    {"note", BAOD_CELL_TEXT},
};

static const struct baod_column refusal_columns[] = {
    {"unit", BAOD_CELL_TEXT},   {"name_vi", BAOD_CELL_TEXT},  {"at", BAOD_CELL_TIME},
    {"form", BAOD_CELL_TEXT},   {"period", BAOD_CELL_TEXT},   {"revision", BAOD_CELL_INT},
    {"symbol", BAOD_CELL_TEXT}, {"findings", BAOD_CELL_JSON}, {"batch", BAOD_CELL_INT},
};

/* As reports, by the unit that stands for it today; reported_as is the unit that sent it. */
static const struct baod_column report_today_columns[] = {
    {"form", BAOD_CELL_TEXT},         {"version", BAOD_CELL_INT},      {"unit", BAOD_CELL_TEXT},
    {"name_vi", BAOD_CELL_TEXT},      {"kind", BAOD_CELL_TEXT},        {"period", BAOD_CELL_TEXT},
    {"revision", BAOD_CELL_INT},      {"received_at", BAOD_CELL_TIME}, {"due_at", BAOD_CELL_TIME},
    {"state", BAOD_CELL_TEXT},        {"receipt", BAOD_CELL_TEXT},     {"warnings", BAOD_CELL_JSON},
    {"explanations", BAOD_CELL_JSON}, {"reported_as", BAOD_CELL_TEXT}, {"estimated", BAOD_CELL_BOOL},
};

#include "daemon/store/as_of.inc"

/* The figures of office.status, by the keys of the scope's units. */
static const char status_one_sql[] =
    ONE_SCOPE " o AS MATERIALIZED (SELECT * FROM baocao.obligation_state o WHERE " OF_ONE_SCOPE(
        "o") ") "
             "SELECT (SELECT id FROM k), (SELECT label FROM k), (SELECT scope_id FROM k), count(*),"
             "       count(*) FILTER (WHERE o.state = 'pending'),"
             "       count(*) FILTER (WHERE o.state = 'overdue'),"
             "       count(*) FILTER (WHERE o.state = 'on-time'),"
             "       count(*) FILTER (WHERE o.state = 'late'),"
             "       count(*) FILTER (WHERE o.state = 'exempt'),"
             "       count(*) FILTER (WHERE o.state = 'overdue' AND o.lock_at <= now())"
             "  FROM o WHERE $4::text IS NULL AND $5::text IS NULL HAVING count(*) > 0 LIMIT $6";

const struct baod_question_sql baod_questions[STATEMENTS] = {
    [BAOD_ASK_ROLLUP] = {{"q_rollup", baod_rollup_sql}, baod_rollup_columns, ROLLUP_COLUMNS},
    [ROLLUP_ONE] = {{"q_rollup_one", baod_rollup_one_sql},
                    baod_rollup_columns,
                    ROLLUP_COLUMNS,
                    EXTREMES,
                    .of_one = true},
    [STATUS_ONE] = {{"q_status_one", status_one_sql},
                    status_columns,
                    BAO_COUNT(status_columns),
                    .of_one = true},
    [ROLLUP_PERIOD] = {{"q_rollup_period", baod_rollup_period_sql},
                       baod_rollup_columns,
                       ROLLUP_COLUMNS,
                       EXTREMES},
    [BAOD_ASK_STATUS] =
        {{"q_status",
          "SELECT form, period, scope, owed::int8, pending::int8, overdue::int8, on_time::int8, late::int8, "
          "exempt::int8,"
          "       final::int8"
          "  FROM office.status WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "scope",
              "$3") "   AND $4::text IS NULL AND $5::text IS NULL ORDER BY form, period, scope LIMIT $6"},
         status_columns,
         BAO_COUNT(status_columns)},
    [BAOD_ASK_MISSING] =
        {{"q_missing",
          "SELECT form, period, unit, name_vi, kind, due_at, hours_late::text, extended_to, heir, "
          "heir_vi"
          "  FROM office.missing x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") "   AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                               "$3") "   AND $5::text IS NULL ORDER BY due_at, form, period, "
                                                     "unit LIMIT $6"},
         missing_columns,
         BAO_COUNT(missing_columns)},
    [BAOD_ASK_REPORT] =
        {{"q_report",
          "SELECT form, version::int8, unit, name_vi, kind, period, revision::int8, received_at, due_at, "
          "state,"
          "       receipt::text, warnings, explanations"
          "  FROM office.report x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") "   AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                               "$3") "   AND $5::text IS NULL ORDER BY form, period, unit, "
                                                     "revision LIMIT $6"},
         report_columns,
         BAO_COUNT(report_columns)},
    [BAOD_ASK_VALUE] =
        {{"q_value",
          "SELECT form, version::int8, unit, kind, period, revision::int8, indicator, label_vi, measure, "
          "value::text"
          "  FROM office.value x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") "   AND " ANY("indicator",
                                          "$5") " AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                                                 "$3") " ORDER BY form, period, unit, "
                                                                       "indicator LIMIT $6"},
         value_columns,
         BAO_COUNT(value_columns)},
    [BAOD_ASK_FORM] =
        {{"q_form",
          "SELECT id, version::int8, programme, title_vi, title_en,"
          "       (ARRAY['once', 'year', 'half', 'quarter', 'nine-months', 'month', 'week', "
          "'day'])[period_type + 1],"
          "       effective_from, CASE WHEN effective_to = 'infinity' THEN NULL ELSE effective_to END"
          "  FROM baocao.form WHERE seq_to = 9223372036854775807 AND " ANY(
              "id",
              "$1") "   AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL AND $5::text IS NULL"
                    " ORDER BY id, version LIMIT $6"},
         form_columns,
         BAO_COUNT(form_columns)},
    [BAOD_ASK_UNIT] =
        {{"q_unit",
          "SELECT unit, kind, name_vi, name_en, valid_from, valid_to, to_json(groups)::text, heir, heir_vi"
          /* Units that are no more are for those who ask for them by code or name. */
          "  FROM office.unit x WHERE (coalesce($4, $5) IS NOT NULL OR coalesce(valid_to >= baocao.today(), "
          "true)) AND " ANY(
              "unit",
              "$4") " AND $1::text IS NULL AND $2::text IS NULL"
                    "   AND ($5::text IS NULL OR unit = ANY (string_to_array($5, ',')))"
                    "   AND ($3::text IS NULL OR EXISTS ("
                    "        SELECT FROM baocao.scope s"
                    "          JOIN baocao.scope_unit m ON m.scope = s.scope AND m.seq_to = "
                    "9223372036854775807"
                    "          JOIN baocao.unit n ON n.unit = m.unit AND n.code = x.unit WHERE s.id = $3))"
                    " ORDER BY heir IS NOT NULL, unit, valid_from LIMIT $6"},
         unit_columns,
         BAO_COUNT(unit_columns)},
    [BAOD_ASK_INDICATOR] =
        {{"q_indicator",
          "SELECT form, indicator, label_vi, label_en, measure, decimals::int8, over_units, over_time, "
          "ratio, percent,"
          "       direction::int8, alert_below::text, alert_above::text, version_from::int8, version_to::int8"
          "  FROM office.indicator WHERE " ANY("form", "$1") " AND " ANY(
              "indicator", "$5") "   AND $2::text IS NULL AND $3::text IS NULL AND $4::text IS NULL ORDER BY "
                                 "form, indicator LIMIT $6"},
         indicator_columns,
         BAO_COUNT(indicator_columns)},
    [BAOD_ASK_ALERT] =
        {{"q_alert",
          "SELECT form, period, unit, name_vi, indicator, kind, at, value::text, expected::text, text_vi, "
          "text_en,"
          "       state, note"
          "  FROM office.alert x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit",
              "$4") "   AND " ANY("indicator",
                                  "$5") " AND " IN_SCOPE("x.unit", "x.form", "x.period",
                                                         "$3") " ORDER BY at DESC, form, period, unit, "
                                                               "indicator LIMIT $6"},
         alert_columns,
         BAO_COUNT(alert_columns)},
    [BAOD_ASK_REFUSAL] =
        {{"q_refusal",
          "SELECT unit, name_vi, at, form, period, revision::int8, symbol, findings, batch"
          "  FROM office.refusal x WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "unit", "$4") " AND $3::text IS NULL AND $5::text IS NULL ORDER BY at DESC, unit LIMIT $6"},
         refusal_columns,
         BAO_COUNT(refusal_columns)},
#define AT(name, sql, columns)                                                                               \
    {                                                                                                        \
        {name, sql}, columns, BAO_COUNT(columns), PLAIN, false, true                                         \
    }
    [ROLLUP_AT] = AT("q_rollup_at", rollup_at_sql, baod_rollup_columns),
    [STATUS_AT] = AT("q_status_at", status_at_sql, status_columns),
    [MISSING_AT] = AT("q_missing_at", missing_at_sql, missing_columns),
    [REPORT_AT] = AT("q_report_at", report_at_sql, report_columns),
    [BAOD_ASK_RATE] =
        {{"q_rate",
          "SELECT form, period, scope, rate, label_vi, label_en, numerator::text, denominator::text, "
          "value::text,"
          "       percent, reported::int8, owed::int8"
          "  FROM office.rate WHERE " ANY("form", "$1") " AND " ANY("period", "$2") " AND " ANY(
              "scope",
              "$3") "   AND $4::text IS NULL AND " ANY("rate",
                                                       "$5") " ORDER BY form, period, scope, rate LIMIT $6"},
         rate_columns,
         BAO_COUNT(rate_columns)},
    [BAOD_ASK_SHARED] = {{"q_shared", baod_shared_sql}, baod_shared_columns, SHARED_COLUMNS},
    [BAOD_ASK_TREND] = {{"q_trend", baod_cells_sql}, NULL, 0, TRENDS},
    [SPAN] = {{"q_span", baod_span_sql}, NULL, 0, SPANS},
    [TREND_TODAY] = {{"q_trend_today", baod_cells_today_sql}, NULL, 0, TRENDS, true},
    [SPAN_TODAY] = {{"q_span_today", baod_span_today_sql}, NULL, 0, SPANS},
    [STATUS_TODAY] =
        {{"q_status_today", ONE_WINDOW TODAY_PLACES
          "SELECT w.id, w.label, s.id, count(*), count(*) FILTER (WHERE o.state = 'pending'),"
          "       count(*) FILTER (WHERE o.state = 'overdue'), count(*) FILTER (WHERE o.state = 'on-time'),"
          "       count(*) FILTER (WHERE o.state = 'late'), count(*) FILTER (WHERE o.state = 'exempt'),"
          "       count(*) FILTER (WHERE o.state = 'overdue' AND o.lock_at <= now())"
          "  FROM w JOIN baocao.obligation_state o ON o.form = w.form AND o.period = w.period"
          "  JOIN place a ON a.unit = o.unit AND a.to_day = w.to_day AND a.main"
          "  JOIN baocao.scope s ON s.scope = a.scope"
          " WHERE $4::text IS NULL AND $5::text IS NULL"
          " GROUP BY w.id, w.label, s.id ORDER BY 1, 2, 3 LIMIT $6"},
         status_columns,
         BAO_COUNT(status_columns),
         PLAIN,
         true},
    [REPORT_TODAY] =
        {{"q_report_today", ONE_WINDOW TODAY_PLACES
          "SELECT w.id, r.form_version::int8, h.code, h.name_vi, h.kind, w.label, r.revision::int8, "
          "r.received_at,"
          "       coalesce(o.extended_to, o.due_at),"
          "       (ARRAY['counted', 'superseded', 'returned', 'withdrawn'])[r.state], r.receipt::text, "
          "r.warnings,"
          "       r.explanations, (SELECT min(u.code) FROM baocao.unit u WHERE u.unit = r.unit), a.estimated"
          "  FROM w JOIN baocao.report r ON r.form = w.form AND r.period = w.period"
          "  JOIN (SELECT DISTINCT to_day, unit, holder, estimated FROM place WHERE main) a"
          "    ON a.unit = r.unit AND a.to_day = w.to_day"
          "  JOIN LATERAL (SELECT u.code, u.name_vi, u.kind FROM baocao.unit u"
          "                 WHERE u.unit = a.holder AND u.seq_to = 9223372036854775807"
          "                 ORDER BY u.from_day > $7::date, u.from_day DESC LIMIT 1) h ON true"
          "  LEFT JOIN baocao.obligation o ON o.unit = r.unit AND o.form = r.form AND o.period = r.period"
          " WHERE " ANY("h.code", "$4") " AND $5::text IS NULL ORDER BY 1, 6, 3, 14, 7 LIMIT $6"},
         report_today_columns,
         BAO_COUNT(report_today_columns),
         PLAIN,
         true},
};
