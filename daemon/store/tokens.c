#include "daemon/store/tokens.h"

#include "daemon/store/listing.h"
#include "daemon/store/pgcall.h"
#include "lib/doc/tree.h"
#include "lib/wire/answer.h"

#include <sys/random.h>

enum { NAME_MAX_OCTETS = 200 };

/* ------------------------------------------------------------------ the command line */

/* Why the words make no sense, each sentence with a right use. */
static const char *const WRONG[][BAO_LANGS] = {
    {"sau token phải là add, list hoặc revoke, ví dụ: baocaod token list",
     "after token comes add, list or revoke, such as: baocaod token list"},
    {"--name là tên người hoặc máy dùng mã, dài nhất 200 byte, ví dụ: baocaod token add --unit 24133 --name "
     "\"Phường Tân Lập\"",
     "--name is who will use the token, at most 200 octets, such as: baocaod token add --unit 24133 --name "
     "\"Tan Lap\""},
    {"--unit là một hay nhiều mã đơn vị cách nhau bằng dấu phẩy, nhiều nhất 512, ví dụ: --unit 24133,24121",
     "--unit is one or more codes of units parted by commas, at most 512, such as: --unit 24133,24121"},
    {"--expires là ngày cuối cùng còn dùng được, viết như 2027-12-31",
     "--expires is the last day on which it holds, written like 2027-12-31"},
    {"--role là office, oversight hoặc operator, ví dụ: --role office",
     "--role is office, oversight or operator, such as: --role office"},
    {"ghi --unit cho đơn vị, hoặc --role cho văn phòng, cơ quan giám sát, người vận hành; không ghi cả hai, "
     "ví dụ: "
     "baocaod token add --role office --name \"Sở Nội vụ\"",
     "give --unit for units, or --role for the office, overseers and operators, not both, such as: baocaod "
     "token "
     "add --role office --name \"Home Affairs\""},
    {"chỉ nhận --name, --unit, --role và --expires, mỗi cái kèm một giá trị, ví dụ: baocaod token add --unit "
     "24133 "
     "--name \"Phường Tân Lập\"",
     "only --name, --unit, --role and --expires are taken, each with a value, such as: baocaod token add "
     "--unit "
     "24133 --name \"Tan Lap\""},
    {"token list không kèm gì khác ngoài --format text|json",
     "token list takes nothing but --format text|json"},
    {"sau token revoke là số hiệu 36 ký tự của mã; xem số hiệu bằng: baocaod token list",
     "token revoke takes the token's id of 36 letters; see the ids with: baocaod token list"},
};

enum wrong { RIGHT = -1, W_ACT, W_NAME, W_UNIT, W_EXPIRES, W_ROLE, W_BOTH, W_OPTION, W_LIST, W_REVOKE };

static bool split_units(const char *text, struct baod_token_ask *ask)
{
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        struct bao_str code = {text, n};

        if (!bao_is_unit_code(code) || ask->n_units == BAOD_TOKEN_UNITS)
            return false;
        ask->units[ask->n_units++] = code;
        text += n + (text[n] == ',');
    }
    return ask->n_units != 0;
}

static enum wrong take_option(const char *name, const char *value, struct baod_token_ask *ask, bool *has_role)
{
    if (strcmp(name, "--name") == 0) {
        ask->name = value;
        return *value != '\0' && strlen(value) <= NAME_MAX_OCTETS ? RIGHT : W_NAME;
    }
    if (strcmp(name, "--unit") == 0)
        return split_units(value, ask) ? RIGHT : W_UNIT;
    if (strcmp(name, "--expires") == 0)
        return bao_date_parse(bao_str_c(value), &ask->until) ? RIGHT : W_EXPIRES;
    if (strcmp(name, "--role") == 0) {
        *has_role = true;
        return baod_role_parse(bao_str_c(value), &ask->role) && ask->role != BAOD_ROLE_UNIT ? RIGHT : W_ROLE;
    }
    return W_OPTION;
}

static enum wrong parse_add(int argc, char **argv, struct baod_token_ask *ask)
{
    bool has_role = false;

    for (int i = 0; i < argc; i += 2) {
        enum wrong w = i + 1 < argc ? take_option(argv[i], argv[i + 1], ask, &has_role) : W_OPTION;

        if (w != RIGHT)
            return w;
    }
    if (has_role == (ask->n_units != 0))
        return W_BOTH;
    return ask->name == NULL ? W_NAME : RIGHT;
}

int baod_token_parse(int argc, char **argv, enum bao_lang lang, struct bao_buf *why,
                     struct baod_token_ask *ret)
{
    const char *act = argc == 0 ? "" : argv[0];
    enum wrong wrong = W_ACT;
    int r;

    *ret = (struct baod_token_ask){.role = BAOD_ROLE_UNIT, .until = BAO_DATE_NONE};
    if (strcmp(act, "add") == 0) {
        ret->act = BAOD_TOKEN_ADD;
        wrong = parse_add(argc - 1, argv + 1, ret);
    } else if (strcmp(act, "list") == 0) {
        ret->act = BAOD_TOKEN_LIST;
        wrong = argc == 1 ? RIGHT : W_LIST;
    } else if (strcmp(act, "revoke") == 0) {
        ret->act = BAOD_TOKEN_REVOKE;
        wrong = argc == 2 && bao_uuid_parse(bao_str_c(argv[1]), ret->id) ? RIGHT : W_REVOKE;
    }
    if (wrong == RIGHT)
        return 0;
    r = bao_buf_append_c(why, WRONG[wrong][lang]);
    return r < 0 ? r : BAOD_TOKEN_E_USAGE;
}

/* ------------------------------------------------------------------ making one */

static const struct baod_pg_statement ADD = {
    NULL,
    "INSERT INTO baocao.credential (id, sha256, role, units, name, created_at, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)",
};

static int run(const struct baod_token_place *place, const struct baod_pg_statement *statement,
               const struct baod_pg_param *params, size_t n, struct bao_buf *why,
               const struct baod_pg_result **ret)
{
    int r = baod_pg_call_tell(place->call, baod_pg_call_exec(place->call, statement, params, n, ret), why);

    return r > 0 ? BAOD_TOKEN_E_REFUSED : r;
}

/* Nobody gets a secret for a unit that never was; for one that is closed it is said. */
static int check_units(const struct baod_token_place *place, const struct baod_token_ask *ask,
                       struct bao_buf *why)
{
    bao_date today = bao_time_date(place->now, place->registry->offset);
    int outcome = 0, r = 0;

    for (size_t i = 0; i < ask->n_units && r == 0; i++) {
        struct bao_str code = ask->units[i];
        const struct bao_unit *any = bao_registry_any(place->registry, code);

        if (any == NULL) {
            outcome = BAOD_TOKEN_E_REFUSED;
            r = bao_buf_printf(why,
                               place->lang == BAO_VI
                                   ? "Danh mục đơn vị không có mã “%.*s”; hãy xem lại mã trong units.yaml.\n"
                                   : "The units have no code %.*s; look it up in units.yaml.\n",
                               BAO_STR_ARG(code));
        } else if (bao_registry_unit(place->registry, code, today) == NULL) {
            r = bao_buf_printf(
                why,
                place->lang == BAO_VI
                    ? "Lưu ý: đơn vị “%.*s” (%.*s) hiện không hoạt động; mã truy cập chỉ dùng được "
                      "cho các kỳ mà đơn vị còn hoạt động.\n"
                    : "Note: unit %.*s (%.*s) does not exist today; the token serves only for "
                      "periods in which it did.\n",
                BAO_STR_ARG(code), BAO_STR_ARG(any->name));
        }
    }
    return r < 0 ? r : outcome;
}

/* A UUID of version 7: the time first, so that a list by id is a list by age. */
static int make_id(bao_time now, uint8_t ret[16])
{
    uint64_t ms = (uint64_t)now / 1000;

    if (getrandom(ret, 16, 0) != 16)
        return -EIO;
    for (int i = 0; i < 6; i++)
        ret[i] = (uint8_t)(ms >> (8 * (5 - i)));
    ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x70);
    ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
    return 0;
}

static int tell_added(const struct baod_token_place *place, const uint8_t id[16], struct bao_buf *why)
{
    char text[BAO_UUID_LEN + 1];

    bao_uuid_print(id, text);
    return bao_buf_printf(
        why,
        place->lang == BAO_VI
            ? "Đã tạo mã truy cập số hiệu %s. Mã ở dòng dưới chỉ hiện một lần: hãy giao cho đúng "
              "người và cất trong tệp mà chỉ chủ tệp đọc được (chmod 600).\n"
            : "Token %s is made. The secret below is shown only once: hand it to its owner, to be "
              "kept in a file that only its owner can read (chmod 600).\n",
        text);
}

static int add(const struct baod_token_place *place, const struct baod_token_ask *ask, struct bao_buf *out,
               struct bao_buf *why)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    char secret[BAOD_SECRET_SIZE];
    uint8_t hash[BAO_SHA256_LEN], id[16];
    bao_time until = ask->until == BAO_DATE_NONE ? BAO_TIME_NONE
                                                 : bao_time_make(ask->until + 1, 0, place->registry->offset);
    int r = check_units(place, ask, why);

    if (r == 0 && until != BAO_TIME_NONE && until <= place->now) {
        r = bao_buf_append_c(why, place->lang == BAO_VI
                                      ? "Ngày hết hạn đã qua; hãy ghi một ngày sau hôm nay.\n"
                                      : "That day has passed; write a later one.\n");
        r = r < 0 ? r : BAOD_TOKEN_E_REFUSED;
    }
    if (r == 0)
        r = baod_secret_make(secret);
    if (r == 0)
        r = make_id(place->now, id);
    if (r == 0) {
        const struct baod_pg_param params[] = {
            baod_pg_p_uuid(id),
            baod_pg_p_bytea((struct bao_str){(const char *)hash, sizeof(hash)}),
            baod_pg_p_text(bao_str_c(baod_role_name(ask->role))),
            baod_pg_p_texts(&arena, ask->units, ask->n_units),
            baod_pg_p_text(bao_str_c(ask->name)),
            baod_pg_p_time(&arena, place->now),
            baod_pg_p_time(&arena, until),
        };

        baod_secret_hash(bao_str_c(secret), hash);
        r = run(place, &ADD, params, BAO_COUNT(params), why, NULL);
    }
    if (r == 0)
        r = tell_added(place, id, why);
    if (r == 0)
        r = bao_buf_printf(out, "%s\n", secret);
    explicit_bzero(secret, sizeof(secret));
    bao_arena_deinit(&arena);
    return r;
}

/* ------------------------------------------------------------------ listing and revoking */

static const struct baod_pg_statement LIST = {
    NULL,
    "SELECT id, role, array_to_string(units, ','), name, created_at, expires_at, used_at, revoked_at"
    " FROM baocao.credential ORDER BY id",
};

static const struct baod_pg_statement REVOKE = {
    NULL,
    "UPDATE baocao.credential SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
};

enum { COLUMNS = 8, UNITS = 2, FIRST_TIME = 4, EXPIRES = 5, REVOKED = 7 };

/* One cell as text; empty for null. */
static struct bao_str cell(const struct baod_pg_result *res, size_t row, size_t column, int offset,
                           char buffer[40])
{
    uint8_t id[16];

    if (baod_pg_is_null(res, row, column))
        return BAO_STR_NULL;
    if (column >= FIRST_TIME) {
        bao_time_print(baod_pg_time(res, row, column), offset, buffer);
        return bao_str_c(buffer);
    }
    if (column != 0)
        return baod_pg_bytes(res, row, column);
    memcpy(id, baod_pg_bytes(res, row, column).p, sizeof(id));
    bao_uuid_print(id, buffer);
    return bao_str_c(buffer);
}

/* "a,b" as a JSON array of texts. */
static int put_codes(struct bao_buf *out, struct bao_str codes)
{
    int r = bao_buf_append_c(out, "[");

    for (size_t at = 0; at < codes.n && r == 0;) {
        const char *comma = memchr(codes.p + at, ',', codes.n - at);
        size_t end = comma == NULL ? codes.n : (size_t)(comma - codes.p);

        if (at != 0)
            r = bao_buf_append_c(out, ",");
        if (r == 0)
            r = bao_json_quote(out, (struct bao_str){codes.p + at, end - at});
        at = end + 1;
    }
    return r < 0 ? r : bao_buf_append_c(out, "]");
}

static int put_cell(const struct baod_pg_result *res, size_t row, size_t column, int offset,
                    struct bao_buf *out)
{
    char buffer[40];
    struct bao_str text = cell(res, row, column, offset, buffer);

    if (column == UNITS)
        return put_codes(out, text);
    return text.p == NULL ? bao_buf_append_c(out, "null") : bao_json_quote(out, text);
}

static int list_json(const struct baod_pg_result *res, int offset, struct bao_buf *out)
{
    static const char *const names[COLUMNS] = {"id",      "role",    "units", "name",
                                               "created", "expires", "used",  "revoked"};
    const struct baod_listing listing = {names, COLUMNS, offset, put_cell};

    return baod_listing_json(&listing, res, out);
}

/* That there is nothing is a sentence, which no program takes for a row. */
static int list_text(const struct baod_pg_result *res, const struct baod_token_place *place,
                     struct bao_buf *out, struct bao_buf *why)
{
    static const char *const states[BAO_LANGS][3] = {
        [BAO_VI] = {"còn hiệu lực", "hết hạn", "đã thu hồi"},
        [BAO_EN] = {"in force", "expired", "revoked"},
    };
    static const char *const heads[BAO_LANGS] = {
        [BAO_VI] = "số hiệu\tvai trò\tđơn vị\ttên\tcấp lúc\thết hạn\tdùng lần cuối\ttình trạng\n",
        [BAO_EN] = "id\trole\tunits\tname\tmade\texpires\tlast used\tstate\n",
    };
    char buffer[40];
    int r = 0;

    if (baod_pg_rows(res) == 0)
        return bao_buf_append_c(
            why, place->lang == BAO_VI
                     ? "Chưa cấp mã truy cập nào; cấp bằng: baocaod token add --unit 24133 --name TÊN\n"
                     : "There are no tokens; make one with: baocaod token add --unit 24133 --name NAME\n");
    if (place->headed)
        r = bao_buf_append_c(out, heads[place->lang]);

    for (size_t row = 0; row < baod_pg_rows(res) && r == 0; row++) {
        bool revoked = !baod_pg_is_null(res, row, REVOKED);
        bool expired = !baod_pg_is_null(res, row, EXPIRES) && baod_pg_time(res, row, EXPIRES) <= place->now;

        for (size_t i = 0; i < COLUMNS - 1 && r == 0; i++) {
            struct bao_str text = cell(res, row, i, place->registry->offset, buffer);

            r = bao_buf_printf(out, "%.*s\t", BAO_STR_ARG(text.n != 0 ? text : BAO_STR("-")));
        }
        if (r == 0)
            r = bao_buf_printf(out, "%s\n", states[place->lang][revoked ? 2 : expired ? 1 : 0]);
    }
    return r;
}

static int list(const struct baod_token_place *place, const struct baod_token_ask *ask, struct bao_buf *out,
                struct bao_buf *why)
{
    const struct baod_pg_result *res = NULL;
    int r = run(place, &LIST, NULL, 0, why, &res);

    if (r != 0)
        return r;
    return ask->json ? list_json(res, place->registry->offset, out) : list_text(res, place, out, why);
}

static int revoke_one(const struct baod_token_place *place, const struct baod_token_ask *ask,
                      struct bao_buf *why)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    const struct baod_pg_param params[] = {baod_pg_p_uuid(ask->id), baod_pg_p_time(&arena, place->now)};
    const struct baod_pg_result *res = NULL;
    int r = run(place, &REVOKE, params, BAO_COUNT(params), why, &res);
    bool done = r == 0 && baod_pg_affected(res) == 1;

    if (r == 0)
        r = bao_buf_append_c(why,
                             place->lang == BAO_VI
                                 ? (done ? "Đã thu hồi; mọi máy chủ thôi nhận mã này trong vòng 10 giây.\n"
                                         : "Không có mã truy cập còn hiệu lực nào mang số hiệu này.\n")
                                 : (done ? "Revoked; every hub stops taking it within 10 seconds.\n"
                                         : "There is no token in force with this id.\n"));
    bao_arena_deinit(&arena);
    return r < 0 ? r : (done ? 0 : (r == 0 ? BAOD_TOKEN_E_REFUSED : r));
}

int baod_token_run(const struct baod_token_place *place, const struct baod_token_ask *ask,
                   struct bao_buf *out, struct bao_buf *why)
{
    switch (ask->act) {
    case BAOD_TOKEN_ADD:
        return add(place, ask, out, why);
    case BAOD_TOKEN_LIST:
        return list(place, ask, out, why);
    default:
        return revoke_one(place, ask, why);
    }
}
