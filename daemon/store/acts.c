#include "daemon/store/acts.h"

#include "daemon/ops/user.h"
#include "daemon/store/pgcall.h"
#include "lib/base/error.h"
#include "lib/form/period.h"

enum { WAIT_MS = 5000, DEADLINE_MS = 30000, WHY_MAX = 4096, TEXT_MAX = 500 };

/* ------------------------------------------------------------------ words into acts */

enum need { UNIT = 1, UNTIL = 2, REASON = 4, DECISION = 8 };

static const struct {
    const char *word;
    unsigned needs, bars;
} VERBS[] = {
    [BAOD_ACT_RETURN] = {"return", UNIT | REASON, 0},  [BAOD_ACT_WITHDRAW] = {"withdraw", UNIT | REASON, 0},
    [BAOD_ACT_EXTEND] = {"extend", UNTIL | REASON, 0}, [BAOD_ACT_EXEMPT] = {"exempt", UNIT | DECISION, 0},
    [BAOD_ACT_OWE] = {"owe", UNIT | REASON, 0},        [BAOD_ACT_LOCK] = {"lock", 0, 0},
    [BAOD_ACT_UNLOCK] = {"unlock", REASON, 0},         [BAOD_ACT_APPROVE] = {"approve", 0, UNIT | UNTIL},
};

static const struct {
    unsigned need;
    const char *why[BAO_LANGS];
} MISSING[] = {
    {UNIT,
     {"Thiếu đơn vị: ghi --unit, ví dụ --unit 24133.",
      "The unit is missing: give --unit, such as --unit 24133."}},
    {UNTIL,
     {"Thiếu thời hạn mới: ghi until (trên dòng lệnh: --until), ví dụ 2026-10-20 hoặc 2026-10-20T17:00.",
      "The new deadline is missing: give until (on the command line: --until), such as 2026-10-20 or "
      "2026-10-20T17:00."}},
    {REASON,
     {"Thiếu lý do: ghi reason (trên dòng lệnh: --reason), ví dụ “Nộp nhầm tệp”.",
      "The reason is missing: give reason (on the command line: --reason), such as “the wrong file was "
      "sent”."}},
    {DECISION,
     {"Thiếu số văn bản: miễn báo cáo phải dẫn văn bản ở decision (trên dòng lệnh: --decision), ví dụ “Số "
      "12/QĐ-UBND”.",
      "The document is missing: an exemption names it as decision (on the command line: --decision), such as "
      "“Số "
      "12/QĐ-UBND”."}},
};

/* The first PLACES say where; they are not for a body whose path says it. */
enum { PLACES = 5 };

static const char *const MEMBERS[] = {"do",       "act",   "form",     "unit",   "period",
                                      "revision", "until", "decision", "reason", "by"};

static int wrong(const char *vi, const char *en, const char *ret_why[BAO_LANGS])
{
    ret_why[BAO_VI] = vi;
    ret_why[BAO_EN] = en;
    return BAOD_ACT_E_WRONG;
}

static bool is_line(struct bao_str s)
{
    return s.n <= TEXT_MAX &&
           (s.n == 0 || (memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '\0', s.n) == NULL));
}

/* Only known members, each one line of text. */
static bool is_plain(const struct bao_node *map, bool has_place)
{
    if (map->type != BAO_MAP)
        return false;
    for (uint32_t i = 0; i < map->len; i++) {
        const struct bao_member *m = &map->members[i];
        size_t k = has_place ? PLACES : 0;

        while (k < BAO_COUNT(MEMBERS) && !bao_str_is(bao_member_key(m), MEMBERS[k]))
            k++;
        if (k == BAO_COUNT(MEMBERS) || (m->value.type != BAO_STRING && m->value.type != BAO_INT) ||
            (m->value.type == BAO_STRING && !is_line(bao_node_str(&m->value))))
            return false;
    }
    return true;
}

static struct bao_str text_of(const struct bao_node *map, const char *name)
{
    const struct bao_node *value = map == NULL ? NULL : bao_node_get(map, name);

    return value != NULL && value->type == BAO_STRING ? bao_node_str(value) : BAO_STR_NULL;
}

/* 1..9999, as a number or in digits; nothing written is 0. */
static bool revision_of(const struct bao_node *map, int *ret)
{
    const struct bao_node *value = map == NULL ? NULL : bao_node_get(map, "revision");
    struct bao_str s = text_of(map, "revision");
    int64_t n = 0;

    if (value != NULL && value->type == BAO_INT) {
        n = value->i;
    } else {
        for (size_t i = 0; i < s.n && n < 10000; i++) {
            if (s.p[i] < '0' || s.p[i] > '9')
                return false;
            n = 10 * n + (s.p[i] - '0');
        }
        if (s.n == 0) {
            *ret = 0;
            return value == NULL || value->type == BAO_STRING;
        }
    }
    *ret = (int)n;
    return n >= 1 && n <= 9999;
}

/* A moment, or none. */
static bool moment_of(struct bao_str s, int offset, bao_time *ret)
{
    *ret = BAO_TIME_NONE;
    return s.n == 0 || bao_moment_parse(s, offset, ret);
}

static int verb_of(struct bao_str word)
{
    for (size_t i = 0; i < BAO_COUNT(VERBS); i++)
        if (bao_str_is(word, VERBS[i].word))
            return (int)i;
    return -1;
}

static int check_needs(const struct baod_act *act, const char *ret_why[BAO_LANGS])
{
    unsigned given = (act->unit.n != 0 ? UNIT : 0u) | (act->until != BAO_TIME_NONE ? UNTIL : 0u) |
                     (act->reason.n != 0 ? REASON : 0u) | (act->decision.n != 0 ? DECISION : 0u);

    for (size_t i = 0; i < BAO_COUNT(MISSING); i++)
        if ((VERBS[act->kind].needs & MISSING[i].need & ~given) != 0)
            return wrong(MISSING[i].why[BAO_VI], MISSING[i].why[BAO_EN], ret_why);
    if ((VERBS[act->kind].bars & given) != 0)
        return wrong("Phê duyệt là cho cả kỳ và có hiệu lực ngay: không ghi unit hay until.",
                     "An approval is of the whole period, from now on: give neither unit nor until.",
                     ret_why);
    return 0;
}

int baod_act_read(const struct bao_node *map, const struct baod_act_place *place, int offset,
                  struct baod_act *ret, const char *ret_why[BAO_LANGS])
{
    struct baod_act act = {.kind = BAOD_ACT_RETURN};
    struct bao_period period;
    int verb, r;

    if (map != NULL && !is_plain(map, place != NULL))
        return wrong("Chỉ nhận form, unit, period, revision, until, decision, reason, by; mỗi mục một dòng.",
                     "Only form, unit, period, revision, until, decision, reason and by, a line each.",
                     ret_why);
    verb = verb_of(place != NULL ? place->act : text_of(map, "act"));
    if (verb < 0)
        return wrong("Không có việc này: return, withdraw, extend, exempt, owe, lock, unlock, approve.",
                     "There is no such act: return, withdraw, extend, exempt, owe, lock, unlock, approve.",
                     ret_why);
    act.kind = (enum baod_act_kind)verb;
    act.form = place != NULL ? place->form : text_of(map, "form");
    act.period = place != NULL ? place->period : text_of(map, "period");
    act.unit = place != NULL ? place->unit : text_of(map, "unit");
    act.actor = text_of(map, "by");
    act.reason = text_of(map, "reason");
    act.decision = text_of(map, "decision");
    if (act.form.n == 0)
        return wrong("Thiếu biểu mẫu: ghi --form, ví dụ --form nd73-quarterly.",
                     "The form is missing: give --form, such as --form nd73-quarterly.", ret_why);
    if (act.period.n == 0)
        return wrong("Thiếu kỳ báo cáo: ghi --period, ví dụ --period 2026-Q3.",
                     "The period is missing: give --period, such as --period 2026-Q3.", ret_why);
    if (!bao_period_parse(act.period, &period))
        return wrong(
            "Kỳ báo cáo viết chưa đúng; viết như 2026, 2026-H1, 2026-Q3, 2026-9M, 2026-09, 2026-W37 hoặc "
            "2026-09-14.",
            "The period is written wrongly; write it like 2026, 2026-H1, 2026-Q3, 2026-9M, 2026-09, "
            "2026-W37 or 2026-09-14.",
            ret_why);
    if (!revision_of(map, &act.revision))
        return wrong("revision là số từ 1 đến 9999, ví dụ 2.",
                     "revision is a number from 1 to 9999, such as 2.", ret_why);
    if (!moment_of(text_of(map, "until"), offset, &act.until))
        return wrong("until (trên dòng lệnh: --until) viết theo năm-tháng-ngày, như 2026-10-20, "
                     "2026-10-20T17:00 hoặc 2026-10-20T17:00:00+07:00.",
                     "until (on the command line: --until) is written year-month-day, like 2026-10-20, "
                     "2026-10-20T17:00 or 2026-10-20T17:00:00+07:00.",
                     ret_why);
    r = check_needs(&act, ret_why);
    if (r == 0)
        *ret = act;
    return r;
}

/* ------------------------------------------------------------------ answers */

/* The numbers of a sentence are those of DONE below. */
static const struct {
    const char *code;
    int status;
    const char *message[BAO_LANGS];
} OUTCOMES[] = {
    [0] = {"OK", 200, {NULL, NULL}},
    [BAOD_ACT_E_NOTOWED] =
        {"NOTOWED",
         404,
         {"Biểu mẫu %2, kỳ %3 không phải là nghĩa vụ của %1; xem những ai phải gửi bằng: baocao status %2 "
          "--period %3 --missing",
          "Form %2, period %3 is not owed by %1; see who owes it with: baocao status %2 --period %3 "
          "--missing"}},
    [BAOD_ACT_E_NOFORM] = {"NOTOWED",
                           404,
                           {"Không có biểu mẫu “%2”; xem tên các biểu mẫu bằng: baocao forms",
                            "There is no form %2; see the forms' names with: baocao forms"}},
    [BAOD_ACT_E_NOUNIT] =
        {"NOTOWED",
         404,
         {"Không có đơn vị mang mã “%1”; mã ghi đủ chữ số, kể cả số 0 ở đầu, như 24133 hoặc H15.02.",
          "No unit has the code %1; a code is written whole, with zeros in front, like 24133 or H15.02."}},
    [BAOD_ACT_E_NOPERIOD] =
        {"NOTOWED",
         404,
         {"Biểu mẫu %2 không báo cáo theo loại kỳ như “%3”; xem các kỳ của biểu mẫu này bằng: baocao status "
          "%2",
          "Form %2 is not reported by periods like %3; see its periods with: baocao status %2"}},
    [BAOD_ACT_E_EMPTY] =
        {"EMPTY",
         409,
         {"Đơn vị %1 chưa có báo cáo nào đang được tính ở biểu mẫu %2, kỳ %3; xem bằng: baocao "
          "stat %2 %1 %3",
          "Unit %1 has no report that counts for form %2, period %3; look with: baocao stat "
          "%2 %1 %3"}},
    [BAOD_ACT_E_REVISION] = {"REVISION",
                             409,
                             {"Lần báo cáo đang được tính không phải lần đã nêu ở revision; xem bằng: baocao "
                              "stat %2 %1 %3, rồi làm lại.",
                              "Another revision counts than the one named; look with: baocao stat %2 %1 %3, "
                              "then act again."}},
    [BAOD_ACT_E_LOCKED] =
        {"LOCKED",
         409,
         {"Kỳ báo cáo đã khóa, đơn vị không thu hồi được nữa; hãy đề nghị cơ quan chủ trì trả lại.",
          "The period is locked and the unit can no longer withdraw; ask the office to return it."}},
    [BAOD_ACT_E_EARLY] =
        {"EARLY",
         409,
         {"Thời hạn mới (%5) phải muộn hơn thời hạn theo quy định; xem thời hạn bằng: baocao "
          "status %2 --period %3 --missing",
          "The new deadline (%5) must be later than the one of the rule; see that with: "
          "baocao status %2 --period %3 --missing"}},
    [BAOD_ACT_E_FINAL] =
        {"FINAL",
         409,
         {"Hết hạn khóa, biểu mẫu này ghi “không thực hiện”; muốn mở lại phải dẫn văn bản ở decision.",
          "Once locked, this form ends as “not done”; opening it again needs a document, as decision."}},
    [BAOD_ACT_E_PENDING] =
        {"PENDING",
         409,
         {"Còn đơn vị chưa gửi mà chưa hết hạn (kể cả hạn đã gia hạn); xem bằng: baocao status %2 --period "
          "%3 "
          "--missing. Hãy phê duyệt sau thời hạn gửi, hoặc khi mọi đơn vị đã gửi.",
          "Some unit has not reported and is still in time, perhaps by an extension; see which with: baocao "
          "status %2 --period %3 --missing. Approve after the deadline, or once all have."}},
    [BAOD_ACT_E_APPROVED] =
        {"APPROVED",
         409,
         {"Kỳ này đã được phê duyệt; muốn thay đổi phải mở khóa kỳ và dẫn văn bản ở decision, rồi làm lại.",
          "The period is approved; to change it, unlock it first and name the document as decision."}},
    [BAOD_ACT_E_WRONG] = {"USAGE", 422, {"Yêu cầu viết sai.", "The request is written wrongly."}},
    [BAOD_ACT_E_DATABASE] = {"BUSY",
                             503,
                             {"Cơ sở dữ liệu không nhận lúc này; chưa có gì thay đổi, hãy làm lại sau.",
                              "The database does not take it now; nothing was changed, try again later."}},
};

static size_t outcome_index(int outcome)
{
    return outcome >= 0 && (size_t)outcome < BAO_COUNT(OUTCOMES) ? (size_t)outcome : BAOD_ACT_E_DATABASE;
}

int baod_act_status(int outcome)
{
    return OUTCOMES[outcome_index(outcome)].status;
}

/* Each kind's sentence: %1 unit, %2 form, %3 period, %4 revision, %5 until, %6 how many obligations were
 * touched, %7 how many of these had a later extension. */
static const struct {
    const char *text[BAO_LANGS];
    const char *with_until[BAO_LANGS];
} DONE[] = {
    [BAOD_ACT_RETURN] =
        {{"Đã trả lại lần báo cáo %4 của đơn vị %1, biểu mẫu %2, kỳ %3; số liệu đã ra khỏi số tổng hợp.",
          "Revision %4 of unit %1, form %2, period %3 is returned; its figures have left the totals."},
         {"Đã trả lại lần báo cáo %4 của đơn vị %1, biểu mẫu %2, kỳ %3; số liệu đã ra khỏi số tổng hợp. Gửi "
          "lại trước "
          "%5 thì vẫn giữ thời điểm gửi lần đầu.",
          "Revision %4 of unit %1, form %2, period %3 is returned; its figures have left the totals. What "
          "comes by %5 "
          "keeps the first time."}},
    [BAOD_ACT_WITHDRAW] =
        {{"Đơn vị %1 đã thu hồi lần báo cáo %4, biểu mẫu %2, kỳ %3; số liệu đã ra khỏi số tổng hợp.",
          "Unit %1 has withdrawn revision %4, form %2, period %3; its figures have left the totals."},
         {NULL, NULL}},
    [BAOD_ACT_EXTEND] = {{NULL, NULL},
                         {"Đã gia hạn biểu mẫu %2, kỳ %3 của %1 đến %5; thời điểm khóa lùi theo.",
                          "Form %2, period %3 of %1 is extended to %5; the lock moves with it."}},
    [BAOD_ACT_EXEMPT] = {{"Đã miễn báo cáo cho đơn vị %1, biểu mẫu %2, kỳ %3.",
                          "Unit %1 is exempt from form %2, period %3."},
                         {NULL, NULL}},
    [BAOD_ACT_OWE] = {{"Đơn vị %1 lại phải gửi biểu mẫu %2, kỳ %3.",
                       "Unit %1 owes form %2, period %3 again."},
                      {NULL, NULL}},
    [BAOD_ACT_LOCK] = {{"Đã khóa biểu mẫu %2, kỳ %3 của %1 (%6) từ bây giờ.",
                        "Form %2, period %3 of %1 (%6) is locked from now on."},
                       {"Biểu mẫu %2, kỳ %3 của %1 (%6) sẽ khóa từ %5.",
                        "Form %2, period %3 of %1 (%6) will be locked from %5."}},
    [BAOD_ACT_UNLOCK] = {{"Đã mở khóa biểu mẫu %2, kỳ %3 của %1 (%6).",
                          "Form %2, period %3 of %1 (%6) is unlocked."},
                         {"Đã mở khóa biểu mẫu %2, kỳ %3 của %1 (%6) đến %5.",
                          "Form %2, period %3 of %1 (%6) is unlocked until %5."}},
    [BAOD_ACT_APPROVE] = {{"Đã phê duyệt số liệu biểu mẫu %2, kỳ %3 (%6); kỳ đã khóa.",
                           "The figures of form %2, period %3 (%6) are approved and locked."},
                          {NULL, NULL}},
};

/* The same for an act that found everything so already. */
static const struct {
    const char *text[BAO_LANGS];
    const char *with_until[BAO_LANGS];
} SAME[] = {
    [BAOD_ACT_RETURN] =
        {{"Lần báo cáo %4 của đơn vị %1, biểu mẫu %2, kỳ %3 đã được trả lại từ trước; không ghi gì thêm.",
          "Revision %4 of unit %1, form %2, period %3 was returned before; nothing more is recorded."},
         {NULL, NULL}},
    [BAOD_ACT_WITHDRAW] =
        {{"Lần báo cáo %4 của đơn vị %1, biểu mẫu %2, kỳ %3 đã được thu hồi từ trước; không ghi gì thêm.",
          "Revision %4 of unit %1, form %2, period %3 was withdrawn before; nothing more is recorded."},
         {NULL, NULL}},
    [BAOD_ACT_EXTEND] = {{NULL, NULL},
                         {"Biểu mẫu %2, kỳ %3 của %1 đã được gia hạn đến %5 từ trước; không ghi gì thêm.",
                          "Form %2, period %3 of %1 was extended to %5 before; nothing more is recorded."}},
    [BAOD_ACT_EXEMPT] = {{"Đơn vị %1 đã được miễn biểu mẫu %2, kỳ %3 từ trước; không ghi gì thêm.",
                          "Unit %1 was exempt from form %2, period %3 before; nothing more is recorded."},
                         {NULL, NULL}},
    [BAOD_ACT_OWE] =
        {{"Đơn vị %1 không được miễn biểu mẫu %2, kỳ %3, vẫn phải gửi; không ghi gì thêm.",
          "Unit %1 is not exempt from form %2, period %3 and owes it; nothing more is recorded."},
         {NULL, NULL}},
    [BAOD_ACT_LOCK] =
        {{"Biểu mẫu %2, kỳ %3 của %1 đã khóa từ trước; không ghi gì thêm.",
          "Form %2, period %3 of %1 was locked before; nothing more is recorded."},
         {"Biểu mẫu %2, kỳ %3 của %1 đã định khóa từ %5; không ghi gì thêm.",
          "Form %2, period %3 of %1 is to be locked from %5 as it is; nothing more is recorded."}},
    [BAOD_ACT_UNLOCK] = {{"Biểu mẫu %2, kỳ %3 của %1 đang mở, không có thời điểm khóa; không ghi gì thêm.",
                          "Form %2, period %3 of %1 is open, without any lock; nothing more is recorded."},
                         {"Biểu mẫu %2, kỳ %3 của %1 đang mở đến %5; không ghi gì thêm.",
                          "Form %2, period %3 of %1 is open until %5 as it is; nothing more is recorded."}},
    [BAOD_ACT_APPROVE] =
        {{"Số liệu biểu mẫu %2, kỳ %3 đã được phê duyệt từ trước; không ghi gì thêm.",
          "The figures of form %2, period %3 were approved before; nothing more is recorded."},
         {NULL, NULL}},
};

/* 17:00 20/10/2026, as offices write a moment; midnight is the end of the day before. */
static void print_moment(bao_time at, int offset, char ret[40])
{
    bao_date day = bao_time_date(at, offset);
    int minute = (int)((at - bao_time_make(day, 0, offset)) / (60 * BAO_SECOND));
    struct bao_ymd ymd;

    if (minute == 0) {
        day--;
        minute = 24 * 60;
    }
    ymd = bao_date_split(day);
    snprintf(ret, 40, "%02d:%02d %02d/%02d/%04d", minute / 60, minute % 60, ymd.day, ymd.month, ymd.year);
}

static const char *const SHORTENED[BAO_LANGS] = {
    " Chú ý: %7 trước đây được gia hạn muộn hơn, nay ngắn lại; đơn vị nào cần giữ hạn cũ thì gia hạn lại "
    "riêng bằng --unit.",
    " Note: %7 had been extended to a later time and now have less; extend those that need it again with "
    "--unit."};

struct words {
    struct bao_str of[7];
};

static int fill(struct bao_buf *out, const char *pattern, const struct words *words)
{
    int r = 0;

    for (; r == 0 && *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] >= '1' && pattern[1] <= '7')
            r = bao_buf_append_str(out, words->of[*++pattern - '1']);
        else
            r = bao_buf_append(out, pattern, 1);
    }
    return r;
}

static int print_said(struct bao_buf *out, const struct baod_act_answer *answer, enum bao_lang lang,
                      int offset, const char *pattern)
{
    const struct baod_act *act = answer->act;
    const struct baod_act_done *done = &answer->done;
    char revision[16], touched[64], until[40] = "", shortened[64];
    struct words words = {{act->unit, act->form, act->period}};
    int r;

    snprintf(revision, sizeof(revision), "%d", done->revision);
    snprintf(touched, sizeof(touched), "%lld %s", (long long)done->touched,
             lang == BAO_VI ? "nghĩa vụ báo cáo" : bao_plural(done->touched, "obligation", "obligations"));
    snprintf(shortened, sizeof(shortened), "%lld %s", (long long)done->shortened,
             lang == BAO_VI ? "đơn vị" : bao_plural(done->shortened, "unit", "units"));
    if (act->until != BAO_TIME_NONE)
        print_moment(act->until, offset, until);
    if (act->unit.n == 0)
        words.of[0] = lang == BAO_VI ? BAO_STR("mọi đơn vị") : BAO_STR("all units");
    words.of[3] = bao_str_c(revision);
    words.of[4] = bao_str_c(until);
    words.of[5] = bao_str_c(touched);
    words.of[6] = bao_str_c(shortened);
    r = fill(out, pattern, &words);
    return r == 0 && answer->outcome == 0 && done->shortened != 0 ? fill(out, SHORTENED[lang], &words) : r;
}

static const char *done_pattern(const struct baod_act_answer *answer, enum bao_lang lang)
{
    const struct baod_act *act = answer->act;
    bool same = answer->done.touched == 0;
    const char *with_until = same ? SAME[act->kind].with_until[lang] : DONE[act->kind].with_until[lang];

    if (act->until != BAO_TIME_NONE && with_until != NULL)
        return with_until;
    return same ? SAME[act->kind].text[lang] : DONE[act->kind].text[lang];
}

static int add_text(struct bao_buf *out, const char *name, struct bao_str value)
{
    int r = bao_buf_printf(out, "\"%s\":", name);

    if (r == 0)
        r = bao_json_quote(out, value);
    return r == 0 ? bao_buf_append_c(out, ",") : r;
}

static int add_time(struct bao_buf *out, const char *name, bao_time at, int offset)
{
    char text[40];

    if (at == BAO_TIME_NONE)
        return bao_buf_printf(out, "\"%s\":null,", name);
    bao_time_print(at, offset, text);
    return add_text(out, name, bao_str_c(text));
}

static int add_facts(struct bao_buf *out, const struct baod_act_answer *answer, int offset)
{
    const struct baod_act_done *done = &answer->done;
    int r = bao_buf_printf(out, "\"touched\":%lld,", (long long)done->touched);

    if (r == 0)
        r = done->seq == 0 ? bao_buf_append_c(out, "\"batch\":null,")
                           : bao_buf_printf(out, "\"batch\":%lld,", (long long)done->seq);
    if (r == 0)
        r = add_time(out, "at", done->at, offset);
    if (r != 0 || answer->act->unit.n == 0)
        return r;
    r = add_time(out, "due_at", done->due_at, offset);
    if (r == 0)
        r = add_time(out, "extended_to", done->extended_to, offset);
    if (r == 0)
        r = add_time(out, "lock_at", done->lock_at, offset);
    return r == 0 && done->revision != 0 ? bao_buf_printf(out, "\"revision\":%d,", done->revision) : r;
}

static int add_message(struct bao_buf *out, struct bao_str vi, struct bao_str en)
{
    int r = bao_buf_append_c(out, "\"message\":");

    if (r == 0)
        r = bao_json_both(out, vi, en);
    return r == 0 ? bao_buf_append_c(out, "}") : r;
}

int baod_act_say(struct bao_buf *out, const struct baod_act_answer *answer, enum bao_lang lang, int offset)
{
    return print_said(out, answer, lang, offset,
                      answer->outcome == 0 ? done_pattern(answer, lang)
                                           : OUTCOMES[outcome_index(answer->outcome)].message[lang]);
}

int baod_act_print_wrong(struct bao_buf *out, const char *const why[BAO_LANGS])
{
    int r = bao_buf_append_c(out, "{\"code\":\"USAGE\",");

    return r == 0 ? add_message(out, bao_str_c(why[BAO_VI]), bao_str_c(why[BAO_EN])) : r;
}

int baod_act_print(struct bao_buf *out, const struct baod_act_answer *answer, int offset)
{
    size_t i = outcome_index(answer->outcome);
    struct bao_buf said[BAO_LANGS] = {BAO_BUF_NULL(WHY_MAX), BAO_BUF_NULL(WHY_MAX)};
    int r = bao_buf_printf(out, "{\"code\":\"%s\",\"act\":\"%s\",", OUTCOMES[i].code,
                           VERBS[answer->act->kind].word);

    if (r == 0)
        r = add_text(out, "form", answer->act->form);
    if (r == 0)
        r = add_text(out, "period", answer->act->period);
    if (r == 0 && answer->act->unit.n != 0)
        r = add_text(out, "unit", answer->act->unit);
    if (r == 0 && answer->outcome == 0)
        r = add_facts(out, answer, offset);
    for (enum bao_lang lang = BAO_VI; r == 0 && lang < BAO_LANGS; lang++)
        r = baod_act_say(&said[lang], answer, lang, offset);
    if (r == 0)
        r = add_message(out, bao_buf_str(&said[BAO_VI]), bao_buf_str(&said[BAO_EN]));
    bao_buf_deinit(&said[BAO_VI]);
    bao_buf_deinit(&said[BAO_EN]);
    return r;
}

/* ------------------------------------------------------------------ carrying out */

struct job {
    uv_work_t work;
    struct baod_acts_options options;
    struct bao_arena arena;
    struct baod_act act;
    struct baod_act_answer answer;
    struct bao_buf why;
};

static void free_job(struct job *job)
{
    bao_arena_deinit(&job->arena);
    bao_buf_deinit(&job->why);
    free(job);
}

/* Whose act it is: the user's name, which the kernel vouches for, behind the name given. Looked up here,
 * where waiting for a directory of users holds nobody up. */
static int name_actor(struct job *job)
{
    char user[64];

    if (job->options.uid == (uid_t)-1)
        return 0;
    baod_user_name(job->options.uid, user);
    job->act.actor = job->act.actor.n == 0
                         ? bao_arena_printf(&job->arena, "%s", user)
                         : bao_arena_printf(&job->arena, "%.*s (%s)", BAO_STR_ARG(job->act.actor), user);
    return job->act.actor.p == NULL ? -ENOMEM : 0;
}

static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    const struct baod_pg_call_options options = {.conninfo = job->options.conninfo,
                                                 .application = "baocaod office",
                                                 .wait_ms = WAIT_MS,
                                                 .deadline_ms = DEADLINE_MS};
    struct baod_pg_call *call = NULL;
    int r = name_actor(job);

    if (r == 0) {
        r = baod_pg_call_open(&options, &job->why, &call);
        if (r > 0)
            r = BAOD_ACT_E_DATABASE;
    }
    if (r == 0)
        r = baod_office_act(call, &job->options.signer, &job->act, &job->why, &job->answer.done);
    baod_pg_call_close(call);
    job->answer.outcome = r;
    job->answer.why = bao_buf_str(&job->why);
}

static void on_done(uv_work_t *work, int status)
{
    struct job *job = work->data;

    if (status != 0)
        job->answer.outcome = BAOD_ACT_E_DATABASE;
    job->options.done(job->options.user, &job->answer);
    free_job(job);
}

int baod_acts_start(uv_loop_t *loop, const struct baod_acts_options *options, const struct baod_act *act)
{
    struct job *job = calloc(1, sizeof(*job));
    struct bao_str *texts[6];
    bool copied = true;

    if (job == NULL)
        return -ENOMEM;
    job->options = *options;
    job->act = *act;
    bao_buf_init(&job->why, WHY_MAX);
    texts[0] = &job->act.form;
    texts[1] = &job->act.period;
    texts[2] = &job->act.unit;
    texts[3] = &job->act.actor;
    texts[4] = &job->act.reason;
    texts[5] = &job->act.decision;
    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = bao_arena_str(&job->arena, *texts[i]);
        copied = copied && texts[i]->p != NULL;
    }
    if (!copied) {
        free_job(job);
        return -ENOMEM;
    }
    job->answer.act = &job->act;
    job->work.data = job;
    uv_queue_work(loop, &job->work, on_work, on_done); /* fails only without a callback */
    return 0;
}
