#include "daemon/store/quarantine.h"

#include "daemon/store/listing.h"
#include "daemon/store/pgcall.h"
#include "lib/doc/tree.h"
#include "lib/wire/answer.h"
#include "lib/wire/deflate.h"

/* ------------------------------------------------------------------ the command line */

int baod_quarantine_parse(int argc, char **argv, enum bao_lang lang, struct bao_buf *why,
                          struct baod_quarantine_ask *ret)
{
    const char *act = argc > 0 ? argv[0] : "", *wrong = NULL;
    bool vi = lang == BAO_VI;
    int r;

    *ret = (struct baod_quarantine_ask){.act = BAOD_QUARANTINE_LIST};
    if (strcmp(act, "list") == 0) {
        if (argc != 1)
            wrong = vi ? "quarantine list không kèm gì khác ngoài --format text|json"
                       : "quarantine list takes nothing but --format text|json";
    } else if (strcmp(act, "show") == 0 || strcmp(act, "drop") == 0) {
        ret->act = *act == 's' ? BAOD_QUARANTINE_SHOW : BAOD_QUARANTINE_DROP;
        if (argc != 2 || !bao_uuid_parse(bao_str_c(argv[1]), ret->id))
            wrong = vi ? "sau quarantine show hoặc drop là số hiệu 36 ký tự; xem số hiệu bằng: baocaod "
                         "quarantine list"
                       : "quarantine show and drop take an id of 36 letters; see the ids with: baocaod "
                         "quarantine list";
    } else {
        wrong = vi ? "sau quarantine phải là list, show hoặc drop, ví dụ: baocaod quarantine list"
                   : "after quarantine comes list, show or drop, such as: baocaod quarantine list";
    }
    if (wrong == NULL)
        return 0;
    r = bao_buf_append_c(why, wrong);
    return r < 0 ? r : BAOD_QUARANTINE_E_USAGE;
}

/* ------------------------------------------------------------------ doing it */

/* Accepted: a later copy of the same revision was taken, so nobody waits for this one. */
static const struct baod_pg_statement LIST = {
    NULL,
    "SELECT q.id, q.at, q.received_at, q.unit, q.form, q.period, q.revision::int8, q.tries::int8, q.sqlstate,"
    "       q.message, q.raw_size::int8, EXISTS ("
    "       SELECT FROM baocao.form_period p JOIN baocao.report r ON r.form = p.form AND r.period = p.period"
    "         JOIN baocao.unit u ON u.unit = r.unit AND u.code = q.unit"
    "        WHERE p.id = q.form AND p.label = q.period AND r.revision = q.revision)"
    "  FROM baocao.quarantine q ORDER BY q.at, q.id",
};

static const struct baod_pg_statement SHOW = {
    NULL, "SELECT body, raw_size::int8 FROM baocao.quarantine WHERE id = $1"};
static const struct baod_pg_statement DROP = {NULL, "DELETE FROM baocao.quarantine WHERE id = $1"};

enum { COLUMNS = 12, TIMES = 1, TEXTS = 3, TRIES_END = 8, MESSAGE = 9, SIZE = 10, ACCEPTED = 11 };

static int run(const struct baod_quarantine_place *place, const struct baod_pg_statement *statement,
               const uint8_t *id, struct bao_buf *why, const struct baod_pg_result **ret)
{
    const struct baod_pg_param params[] = {id == NULL ? (struct baod_pg_param){0} : baod_pg_p_uuid(id)};
    int r = baod_pg_call_exec(place->call, statement, params, id == NULL ? 0 : 1, ret);

    r = baod_pg_call_tell(place->call, r, why);
    return r > 0 ? BAOD_QUARANTINE_E_REFUSED : r;
}

static bool is_number(size_t column)
{
    return column == SIZE || (column > TEXTS + 2 && column < TRIES_END);
}

/* One cell as text. */
static struct bao_str cell(const struct baod_pg_result *res, size_t row, size_t column, int offset,
                           char buffer[40])
{
    uint8_t id[16];

    if (column == 0) {
        memcpy(id, baod_pg_bytes(res, row, column).p, sizeof(id));
        bao_uuid_print(id, buffer);
    } else if (column < TEXTS) {
        bao_time_print(baod_pg_time(res, row, column), offset, buffer);
    } else if (is_number(column)) {
        (void)snprintf(buffer, 40, "%lld", (long long)baod_pg_int(res, row, column));
    } else if (column == ACCEPTED) {
        return baod_pg_int(res, row, column) != 0 ? BAO_STR("true") : BAO_STR("false");
    } else {
        return baod_pg_bytes(res, row, column);
    }
    return bao_str_c(buffer);
}

static int put_cell(const struct baod_pg_result *res, size_t row, size_t column, int offset,
                    struct bao_buf *out)
{
    char buffer[40];
    struct bao_str text = cell(res, row, column, offset, buffer);

    return is_number(column) || column == ACCEPTED ? bao_buf_append_str(out, text)
                                                   : bao_json_quote(out, text);
}

static int list_json(const struct baod_pg_result *res, int offset, struct bao_buf *out)
{
    static const char *const names[COLUMNS] = {"id",       "at",      "received_at", "unit",
                                               "form",     "period",  "revision",    "tries",
                                               "sqlstate", "message", "octets",      "accepted"};
    const struct baod_listing listing = {names, COLUMNS, offset, put_cell};

    return baod_listing_json(&listing, res, out);
}

/* That there is nothing is a sentence, which no program takes for a row. */
static int list_text(const struct baod_pg_result *res, const struct baod_quarantine_place *place,
                     struct bao_buf *out, struct bao_buf *why)
{
    static const char *const rests[BAO_LANGS][2] = {
        [BAO_VI] = {"còn chờ", "bản gửi lại đã được nhận; có thể xóa bằng quarantine drop"},
        [BAO_EN] = {"waits", "a later copy was accepted; it can go by quarantine drop"},
    };
    char buffer[40];
    int r = 0;

    if (baod_pg_rows(res) == 0)
        return bao_buf_append_c(why, place->lang == BAO_VI ? "Không có báo cáo nào bị giữ riêng.\n"
                                                           : "No report is in quarantine.\n");
    for (size_t row = 0; row < baod_pg_rows(res) && r == 0; row++) {
        for (size_t i = 0; i < ACCEPTED && r == 0; i++) {
            struct bao_str text = cell(res, row, i, place->offset, buffer);

            r = bao_buf_printf(out, "%.*s\t", BAO_STR_ARG(text));
        }
        if (r == 0)
            r = bao_buf_printf(out, "%s\n", rests[place->lang][baod_pg_int(res, row, ACCEPTED) != 0]);
    }
    return r;
}

static int tell_none(const struct baod_quarantine_place *place, struct bao_buf *why)
{
    int r = bao_buf_append_c(
        why, place->lang == BAO_VI ? "Không có báo cáo nào bị giữ riêng mang số hiệu này; xem "
                                     "baocaod quarantine list.\n"
                                   : "No report in quarantine has this id; see baocaod quarantine list.\n");

    return r < 0 ? r : BAOD_QUARANTINE_E_REFUSED;
}

static int show(const struct baod_quarantine_place *place, const struct baod_pg_result *res,
                struct bao_buf *out, struct bao_buf *why)
{
    struct bao_inflater *z = bao_inflater_new();
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct bao_str document;
    int r = z == NULL
                ? -ENOMEM
                : bao_inflate(z, &arena, baod_pg_bytes(res, 0, 0), (size_t)baod_pg_int(res, 0, 1), &document);

    if (r == 0)
        r = bao_buf_append(out, document.p, document.n);
    else if (r > 0) {
        r = bao_buf_append_c(why, place->lang == BAO_VI ? "Nội dung được giữ đã hỏng.\n"
                                                        : "What was kept is damaged.\n");
        r = r < 0 ? r : BAOD_QUARANTINE_E_REFUSED;
    }
    bao_inflater_free(z);
    bao_arena_deinit(&arena);
    return r;
}

int baod_quarantine_run(const struct baod_quarantine_place *place, const struct baod_quarantine_ask *ask,
                        struct bao_buf *out, struct bao_buf *why)
{
    static const struct baod_pg_statement *const statements[] = {
        [BAOD_QUARANTINE_LIST] = &LIST, [BAOD_QUARANTINE_SHOW] = &SHOW, [BAOD_QUARANTINE_DROP] = &DROP};
    const struct baod_pg_result *res = NULL;
    int r = run(place, statements[ask->act], ask->act == BAOD_QUARANTINE_LIST ? NULL : ask->id, why, &res);

    if (r != 0)
        return r;
    switch (ask->act) {
    case BAOD_QUARANTINE_LIST:
        return ask->json ? list_json(res, place->offset, out) : list_text(res, place, out, why);
    case BAOD_QUARANTINE_SHOW:
        return baod_pg_rows(res) == 0 ? tell_none(place, why) : show(place, res, out, why);
    case BAOD_QUARANTINE_DROP:
        break;
    }
    return baod_pg_affected(res) == 0 ? tell_none(place, why) : 0;
}
