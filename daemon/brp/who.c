#include "daemon/brp/who.h"

static int say(const struct baod_who *who, struct baod_brp_verdict *ret, struct bao_str vi, struct bao_str en)
{
    (void)who;
    ret->detail[BAO_VI] = vi;
    ret->detail[BAO_EN] = en;
    return vi.p == NULL || en.p == NULL ? -ENOMEM : 0;
}

static int refuse_expired(const struct baod_who *who, const struct baod_credential *row,
                          struct baod_brp_verdict *ret)
{
    char day[16];

    bao_date_print(bao_time_date(row->expires_at - 1, who->registry->offset), day);
    ret->symbol = BAO_SYM_AUTH;
    return say(
        who, ret,
        bao_arena_printf(who->arena,
                         "Mã truy cập này đã hết hạn từ hết ngày %s; hãy đề nghị Văn phòng cấp mã mới.", day),
        bao_arena_printf(who->arena, "This token ended with %s; ask the office for a new one.", day));
}

static int refuse_role(const struct baod_who *who, struct baod_brp_verdict *ret)
{
    ret->symbol = BAO_SYM_AUTH;
    return say(
        who, ret,
        BAO_STR("Mã truy cập này không đứng tên đơn vị báo cáo nào nên không dùng được ở cổng nhận báo cáo; "
                "hãy dùng mã của đơn vị."),
        BAO_STR("This token stands for no reporting unit, so the report port does not take it; use the "
                "unit's own."));
}

/* 0 and an identity; or an outcome told in *ret; or <0. */
static int by_token(const struct baod_who *who, struct bao_str token, struct baod_brp_verdict *ret)
{
    const struct baod_credential *row = NULL;
    int r = baod_credentials_find(who->credentials, token, who->now, &row);

    ret->by_token = true;
    if (r == BAOD_CREDENTIAL_E_STALE) {
        ret->symbol = BAO_SYM_BUSY;
        return say(
            who, ret,
            BAO_STR("Máy chủ chưa đọc được danh sách mã truy cập từ cơ sở dữ liệu; giữ tệp và gửi lại sau."),
            BAO_STR("The list of tokens could not be read from the database yet; keep the file and send it "
                    "later."));
    }
    if (r == BAOD_CREDENTIAL_E_EXPIRED)
        return refuse_expired(who, row, ret);
    if (r != 0) {
        ret->symbol = BAO_SYM_AUTH;
        return 0; /* the symbol's own sentence: nobody learns whether it was ever right */
    }
    if (row->role != BAOD_ROLE_UNIT)
        return refuse_role(who, ret);
    ret->who = (struct baod_identity){.units = row->units, .n_units = row->n_units, .by_token = true};
    memcpy(ret->who.credential, row->id, sizeof(ret->who.credential));
    return 0;
}

/* Units that the province does not know, or that do not exist today, are named in a sentence; an identity of
 * unknown ones alone is refused. A closed unit may still mend what it owed. */
static int check_units(const struct baod_who *who, struct baod_brp_verdict *ret)
{
    bao_date today = bao_time_date(who->now, who->registry->offset);
    struct bao_str unknown = BAO_STR(""), closed = BAO_STR("");
    size_t n_unknown = 0;

    for (size_t i = 0; i < ret->who.n_units; i++) {
        struct bao_str code = ret->who.units[i], *list = NULL;

        if (bao_registry_any(who->registry, code) == NULL) {
            list = &unknown;
            n_unknown++;
        } else if (bao_registry_unit(who->registry, code, today) == NULL) {
            list = &closed;
        }
        if (list == NULL)
            continue;
        *list = bao_arena_printf(who->arena, "%.*s%s%.*s", BAO_STR_ARG(*list), list->n != 0 ? ", " : "",
                                 BAO_STR_ARG(code));
        if (list->p == NULL)
            return -ENOMEM;
    }
    if (n_unknown != 0) {
        if (n_unknown == ret->who.n_units)
            ret->symbol = BAO_SYM_AUTH;
        return say(
            who, ret,
            bao_arena_printf(who->arena,
                             "Danh mục đơn vị của tỉnh không có mã %.*s ghi trong chứng thư hoặc mã truy cập "
                             "này; hãy báo Văn phòng cấp lại theo mã đơn vị hiện hành.",
                             BAO_STR_ARG(unknown)),
            bao_arena_printf(who->arena,
                             "The province's units have no code %.*s, which this certificate or token "
                             "names; ask the office for one with the present code.",
                             BAO_STR_ARG(unknown)));
    }
    if (closed.n == 0)
        return 0;
    return say(
        who, ret,
        bao_arena_printf(
            who->arena,
            "Đơn vị %.*s hiện không hoạt động: chỉ gửi được báo cáo của các kỳ mà đơn vị còn hoạt "
            "động; các kỳ khác do đơn vị kế thừa gửi.",
            BAO_STR_ARG(closed)),
        bao_arena_printf(who->arena,
                         "Unit %.*s does not exist today: only reports for periods in which it did can be "
                         "sent; its successor sends the others.",
                         BAO_STR_ARG(closed)));
}

/* Neither a token nor a certificate that proves anybody: which of it is missing or wrong. */
static int refuse_nobody(const struct baod_who *who, const struct baod_brp_hello *hello,
                         struct baod_brp_verdict *ret)
{
    ret->symbol = BAO_SYM_AUTH;
    if (hello->complaint != NULL)
        return say(who, ret,
                   bao_arena_printf(who->arena,
                                    "Chứng thư này %s nên không được nhận; hãy xin Văn phòng chứng thư mới.",
                                    hello->complaint[BAO_VI]),
                   bao_arena_printf(who->arena,
                                    "This certificate is %s and is not taken; ask the office for another.",
                                    hello->complaint[BAO_EN]));
    if (hello->has_certificate)
        return say(
            who, ret,
            BAO_STR(
                "Chứng thư này không ghi mã đơn vị nào (urn:baocao:unit:MÃ); hãy xin Văn phòng chứng thư của "
                "đơn vị."),
            BAO_STR(
                "This certificate names no unit (urn:baocao:unit:CODE); ask the office for the unit's own."));
    return say(
        who, ret,
        BAO_STR(
            "Chưa biết ai đang gửi: HELLO phải kèm mã truy cập (token), hoặc kết nối phải kèm chứng thư của "
            "đơn vị."),
        BAO_STR("Nobody is named: HELLO needs a token, or the connection the unit's certificate."));
}

int baod_who_says_hello(const struct baod_who *who, const struct baod_brp_hello *hello,
                        struct baod_brp_verdict *ret)
{
    struct baod_brp_verdict verdict = {.symbol = BAO_SYM_NONE};
    int r = 0;

    if (hello->token.n != 0)
        r = by_token(who, hello->token, &verdict);
    else if (hello->proven != NULL)
        verdict.who = *hello->proven;
    else
        r = refuse_nobody(who, hello, &verdict);
    if (r == 0 && verdict.symbol == BAO_SYM_NONE && !verdict.who.any_unit)
        r = check_units(who, &verdict);
    if (r == 0)
        *ret = verdict;
    return r;
}
