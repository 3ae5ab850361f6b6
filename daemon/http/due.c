/* What a unit has to send, by HTTP: the lines of DUE as a JSON list. */
#include "daemon/http/api_internal.h"
#include "lib/base/error.h"

enum { LIST_MAX = 8 << 20 };

/* One question under way. */
struct question {
    struct baod_asker asker;
};

/* Each line of the answer is an object. */
static int print_list(struct bao_buf *out, struct bao_str lines)
{
    const char *before = "[";
    int r = 0;

    while (lines.n != 0 && r == 0) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t n = end == NULL ? lines.n : (size_t)(end - lines.p);

        r = bao_buf_append_c(out, before);
        if (r == 0)
            r = bao_buf_append(out, lines.p, n);
        before = ",\n";
        n += n < lines.n;
        lines = (struct bao_str){lines.p + n, lines.n - n};
    }
    return r == 0 ? bao_buf_append_c(out, *before == '[' ? "[]\n" : "]\n") : r;
}

static void on_due(void *user, const struct baod_due_answer *answer)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(LIST_MAX);
    struct question *q = user;
    enum bao_symbol symbol = answer->symbol;

    if (symbol == BAO_SYM_NONE && print_list(&out, answer->lines) < 0)
        symbol = BAO_SYM_BUSY;
    if (symbol == BAO_SYM_NONE) {
        struct baod_http_reply reply = {
            .status = 200, .type = baod_types[BAOD_FORMAT_JSON], .body = bao_buf_str(&out)};

        baod_api_reply(&q->asker, &reply);
    } else {
        baod_api_refuse_symbol(&q->asker, symbol);
    }
    baod_api_unref(q->asker.api);
    free(q);
}

/* A unit asks for itself, or for what it took over; others name the unit. False after answering. */
static bool find_unit(const struct baod_call *call, struct bao_str *unit)
{
    bool is_unit = call->role == BAOD_ROLE_UNIT;

    if (unit->n == 0 && is_unit && call->who.n_units == 1)
        *unit = call->who.units[0];
    if (unit->n == 0)
        baod_api_refuse(&call->asker, 400, "UNIT", "Hãy ghi rõ đơn vị: unit=mã đơn vị.",
                        "Name the unit: unit=its code.");
    else if (is_unit && !baod_call_speaks_for(call, *unit))
        baod_api_refuse(&call->asker, 403, "UNIT", "Mã truy cập này không được xem nghĩa vụ của đơn vị khác.",
                        "This token does not show what other units owe.");
    else
        return true;
    return false;
}

void baod_due_get(struct baod_call *call, struct baod_http_exchange *x)
{
    struct baod_api *api = call->asker.api;
    struct bao_str until = bao_str_c(baod_http_query(x, "until"));
    struct baod_due_ask ask = {
        .unit = bao_str_c(baod_http_query(x, "unit")), .until = BAO_DATE_NONE, .lang = call->asker.lang};
    struct question *q;

    if (until.n != 0 && !bao_date_parse(until, &ask.until)) {
        baod_api_refuse(&call->asker, 400, "UNTIL", "until phải là một ngày viết như 2026-12-31.",
                        "until must be a day written like 2026-12-31.");
        return;
    }
    if (!find_unit(call, &ask.unit))
        return;
    q = malloc(sizeof(*q));
    if (q == NULL) {
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        return;
    }
    *q = (struct question){call->asker};
    baod_api_ref(api);
    if (api->ops.due(api->ops.user, &ask, call->role == BAOD_ROLE_UNIT, on_due, q) < 0) {
        free(q);
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        baod_api_unref(api);
    }
}
