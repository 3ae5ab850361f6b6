#include "daemon/store/sync_report.h"

#include "daemon/store/pgcall.h"
#include "lib/base/error.h"
#include "lib/doc/tree.h"
#include "lib/form/obligation.h"

enum { LINES_MAX = 200, LINES_OCTETS = 1 << 20 };

#define OPEN "9223372036854775807"

void baod_sync_report_init(struct baod_sync_report *report, bool preview)
{
    *report = (struct baod_sync_report){.preview = preview, .lines = BAO_BUF_NULL(LINES_OCTETS)};
}

void baod_sync_report_deinit(struct baod_sync_report *report)
{
    bao_buf_deinit(&report->lines);
}

/* Each unit before and after, by its latest window: code, what happened, its name before and after, its last
 * day. The very first registry is no change. */
static const struct baod_pg_statement UNITS = {
    NULL,
    "WITH was AS (SELECT DISTINCT ON (unit) unit, code, name_vi, name_en, kind, to_day FROM baocao.unit"
    "              WHERE seq_to = " OPEN " ORDER BY unit, from_day DESC),"
    "      now AS (SELECT DISTINCT ON (unit) unit, code, name_vi, name_en, kind, to_day FROM new_unit"
    "              ORDER BY unit, from_day DESC)"
    " SELECT coalesce(n.code, w.code),"
    "        CASE WHEN w.unit IS NULL THEN 1 WHEN n.unit IS NULL THEN 2"
    "             WHEN n.to_day < 'infinity' AND n.to_day IS DISTINCT FROM w.to_day THEN 3"
    "             WHEN (n.name_vi, n.name_en) IS DISTINCT FROM (w.name_vi, w.name_en) THEN 4 ELSE 5 END,"
    "        coalesce(w.name_vi, n.name_vi), coalesce(n.name_vi, w.name_vi), n.to_day::text, w.kind, n.kind"
    "   FROM was w FULL JOIN now n USING (unit)"
    "  WHERE EXISTS (SELECT FROM was) AND (w.unit IS NULL OR n.unit IS NULL OR (w.name_vi, w.name_en, "
    "w.kind, w.to_day)"
    "        IS DISTINCT FROM (n.name_vi, n.name_en, n.kind, n.to_day))"
    "  ORDER BY 2, 1",
};

/* Units that entered or left a scope other than by coming or going themselves. */
static const struct baod_pg_statement MOVES = {
    NULL,
    "WITH was AS (SELECT DISTINCT m.unit, s.id FROM baocao.scope_unit m JOIN baocao.scope s USING (scope)"
    "              WHERE m.seq_to = " OPEN "),"
    "      now AS (SELECT DISTINCT m.unit, s.id FROM new_member m JOIN new_scope s USING (scope)),"
    "      change AS (SELECT unit, id, w.id IS NULL AS joined FROM (SELECT unit, id, id AS key FROM was) "
    "w(unit, id, key)"
    "                   FULL JOIN (SELECT unit, id, id AS key FROM now) n(unit, id, key) USING (unit, id)"
    "                  WHERE w.key IS NULL OR n.key IS NULL)"
    " SELECT (SELECT code FROM baocao.unit u WHERE u.unit = c.unit LIMIT 1),"
    "        coalesce(string_agg(id, ', ' ORDER BY id) FILTER (WHERE NOT joined), ''),"
    "        coalesce(string_agg(id, ', ' ORDER BY id) FILTER (WHERE joined), '')"
    "   FROM change c WHERE unit IN (SELECT unit FROM was) AND unit IN (SELECT unit FROM now) GROUP BY unit "
    "ORDER BY 1",
};

/* ------------------------------------------------------------------ lines */

enum change { OPENED = 1, REMOVED, CLOSED, RENAMED, RECAST, MOVED };

/* %1 code, %2 before, %3 after. */
static const char *const SENTENCES[][BAO_LANGS] = {
    [OPENED] = {"Mở đơn vị %1 %3", "Unit %1 %3 is opened"},
    [REMOVED] = {"Đơn vị %1 %2 không còn trong danh mục", "Unit %1 %2 is no longer in the registry"},
    [CLOSED] = {"Đơn vị %1 %2 tồn tại đến hết ngày %3", "Unit %1 %2 exists to the end of %3"},
    [RENAMED] = {"Đơn vị %1 đổi tên từ %2 thành %3", "Unit %1 is renamed from %2 to %3"},
    [RECAST] = {"Đơn vị %1 đổi loại từ %2 thành %3", "Unit %1 changes its kind from %2 to %3"},
    [MOVED] = {"Đơn vị %1 rời [%2], vào [%3]", "Unit %1 leaves [%2] and enters [%3]"},
};

static int fill(struct bao_buf *out, const char *pattern, const struct bao_str words[3])
{
    int r = 0;

    for (; r == 0 && *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] >= '1' && pattern[1] <= '3')
            r = bao_buf_append_str(out, words[*++pattern - '1']);
        else
            r = bao_buf_append(out, pattern, 1);
    }
    return r;
}

static int add_said(struct baod_sync_report *report, const struct bao_buf said[BAO_LANGS])
{
    int r = bao_buf_len(&report->lines) == 0 ? 0 : bao_buf_append_c(&report->lines, ",");

    return r == 0 ? bao_json_both(&report->lines, bao_buf_str(&said[BAO_VI]), bao_buf_str(&said[BAO_EN])) : r;
}

static int add_line(struct baod_sync_report *report, int64_t before, enum change change,
                    const struct bao_str words[3])
{
    struct bao_buf said[BAO_LANGS] = {BAO_BUF_NULL(4096), BAO_BUF_NULL(4096)};
    int r = 0;

    if (before >= LINES_MAX)
        return 0;
    for (enum bao_lang lang = BAO_VI; r == 0 && lang < BAO_LANGS; lang++)
        r = fill(&said[lang], SENTENCES[change][lang], words);
    if (r == 0)
        r = add_said(report, said);
    bao_buf_deinit(&said[BAO_VI]);
    bao_buf_deinit(&said[BAO_EN]);
    return r;
}

int baod_sync_report_deadline(struct baod_sync_report *report, const struct baod_sync_deadline *deadline,
                              int offset)
{
    struct bao_buf said[BAO_LANGS] = {BAO_BUF_NULL(4096), BAO_BUF_NULL(4096)};
    int r = 0;

    for (enum bao_lang lang = BAO_VI; r == 0 && lang < BAO_LANGS; lang++) {
        char was[64], is[64];

        bao_moment_print(deadline->was, offset, lang, was);
        bao_moment_print(deadline->is, offset, lang, is);
        if (lang == BAO_VI)
            r = bao_buf_printf(&said[lang], "Hạn gửi %.*s kỳ %.*s của %lld đơn vị chuyển từ %s sang %s%s",
                               BAO_STR_ARG(deadline->form), BAO_STR_ARG(deadline->period),
                               (long long)deadline->units, was, is,
                               deadline->provisional ? " (tạm tính)" : "");
        else
            r = bao_buf_printf(&said[lang], "The deadline of %.*s for %.*s of %lld %s moves from %s to %s%s",
                               BAO_STR_ARG(deadline->form), BAO_STR_ARG(deadline->period),
                               (long long)deadline->units, bao_plural(deadline->units, "unit", "units"), was,
                               is, deadline->provisional ? " (provisional)" : "");
    }
    if (r == 0)
        r = add_said(report, said);
    bao_buf_deinit(&said[BAO_VI]);
    bao_buf_deinit(&said[BAO_EN]);
    return r;
}

static int64_t lines_so_far(const struct baod_sync_report *report)
{
    return report->opened + report->removed + report->closed + report->renamed + report->moved;
}

static int add_unit(struct baod_sync_report *report, const struct baod_pg_result *rows, size_t i)
{
    enum change change = (enum change)baod_pg_int(rows, i, 1);
    struct bao_str words[3] = {baod_pg_bytes(rows, i, 0), baod_pg_bytes(rows, i, 2),
                               baod_pg_bytes(rows, i, 3)};
    int64_t before = lines_so_far(report);
    int64_t *const counts[] = {[OPENED] = &report->opened,
                               [REMOVED] = &report->removed,
                               [CLOSED] = &report->closed,
                               [RENAMED] = &report->renamed,
                               [RECAST] = &report->renamed};

    if (change == CLOSED)
        words[2] = baod_pg_bytes(rows, i, 4);
    if (change == RECAST) {
        words[1] = baod_pg_bytes(rows, i, 5);
        words[2] = baod_pg_bytes(rows, i, 6);
    }
    ++*counts[change];
    return add_line(report, before, change, words);
}

static int add_move(struct baod_sync_report *report, const struct baod_pg_result *rows, size_t i)
{
    const struct bao_str words[3] = {baod_pg_bytes(rows, i, 0), baod_pg_bytes(rows, i, 1),
                                     baod_pg_bytes(rows, i, 2)};

    return add_line(report, lines_so_far(report), MOVED, words);
}

int baod_sync_report_units(struct baod_pg_call *call, struct baod_sync_report *report)
{
    const struct baod_pg_result *rows;
    int r = baod_pg_call_exec(call, &UNITS, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++)
        r = add_unit(report, rows, i);
    if (r == 0)
        r = baod_pg_call_exec(call, &MOVES, NULL, 0, &rows);
    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
        r = add_move(report, rows, i);
        report->moved++;
    }
    return r;
}

/* ------------------------------------------------------------------ the answer */

static int print_message(struct bao_buf *out, const struct baod_sync_report *r, enum bao_lang lang)
{
    long long units[] = {r->opened, r->closed + r->removed, r->renamed, r->moved};
    long long rest[] = {r->made, r->shifted, r->dropped, r->rollups};

    if (*r->conflict[lang] != '\0')
        return bao_buf_append_c(out, r->conflict[lang]);
    if (lang == BAO_VI)
        return bao_buf_printf(
            out,
            "%s: đơn vị mở %lld, đóng %lld, đổi tên hoặc loại %lld, chuyển phạm vi %lld; nghĩa vụ "
            "báo cáo thêm %lld, dời hạn %lld, bỏ %lld; %lld dòng tổng hợp đổi số.",
            r->preview ? "Nếu áp dụng" : "Đã áp dụng", units[0], units[1], units[2], units[3], rest[0],
            rest[1], rest[2], rest[3]);
    return bao_buf_printf(
        out,
        "%s: units opened %lld, closed %lld, renamed or recast %lld, moved %lld; obligations made "
        "%lld, moved %lld, dropped %lld; rollup rows changed %lld.",
        r->preview ? "If applied" : "Applied", units[0], units[1], units[2], units[3], rest[0], rest[1],
        rest[2], rest[3]);
}

int baod_sync_report_print(struct bao_buf *out, const struct baod_sync_report *report)
{
    struct bao_buf said[BAO_LANGS] = {BAO_BUF_NULL(4096), BAO_BUF_NULL(4096)};
    int r = bao_buf_printf(out,
                           "{\"code\":\"%s\",\"preview\":%s,\"opened\":%lld,\"closed\":%lld,\"removed\":%lld,"
                           "\"renamed\":%lld,\"moved\":%lld,\"made\":%lld,\"shifted\":%lld,\"dropped\":%lld,"
                           "\"rollups\":%lld,\"lines\":[%.*s],\"message\":",
                           *report->conflict[BAO_EN] == '\0' ? "OK" : "CONFLICT",
                           report->preview ? "true" : "false", (long long)report->opened,
                           (long long)report->closed, (long long)report->removed, (long long)report->renamed,
                           (long long)report->moved, (long long)report->made, (long long)report->shifted,
                           (long long)report->dropped, (long long)report->rollups,
                           BAO_STR_ARG(bao_buf_str(&report->lines)));

    for (enum bao_lang lang = BAO_VI; r == 0 && lang < BAO_LANGS; lang++)
        r = print_message(&said[lang], report, lang);
    if (r == 0)
        r = bao_json_both(out, bao_buf_str(&said[BAO_VI]), bao_buf_str(&said[BAO_EN]));
    bao_buf_deinit(&said[BAO_VI]);
    bao_buf_deinit(&said[BAO_EN]);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}
