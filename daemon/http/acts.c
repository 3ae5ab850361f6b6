/* Acts of the office by HTTP: return, withdraw, extend, exempt, owe, lock, unlock, approve. The path says
 * what and where, the body (YAML or JSON, may be empty) until, reason, decision, revision and by.
 *
 * Whoever acts shows a secret, also on the hub's own machine: the audit names whose it was. */
#include "daemon/http/api_internal.h"
#include "lib/doc/load.h"

enum { BODY_MAX = 64 << 10, NODES_MAX = 64, ANSWER_MAX = 64 << 10, HTTP_OK = 200 };

struct path {
    const char *route, *act;
    size_t parts; /* after the route: unit, form, period, act; a period's path has no unit */
    bool unit;    /* its unit may do it as well */
};

static const struct path paths[] = {
    {"/v1/reports/", "return", 4, false},     {"/v1/reports/", "withdraw", 4, true},
    {"/v1/obligations/", "extend", 4, false}, {"/v1/obligations/", "exempt", 4, false},
    {"/v1/obligations/", "owe", 4, false},    {"/v1/periods/", "lock", 3, false},
    {"/v1/periods/", "unlock", 3, false},     {"/v1/periods/", "approve", 3, false},
};

static const struct path *find_path(const struct baod_call *call)
{
    for (size_t i = 0; i < BAO_COUNT(paths); i++)
        if (strcmp(paths[i].route, call->route->path) == 0 && call->n_parts == paths[i].parts &&
            bao_str_is(call->part[call->n_parts - 1], paths[i].act))
            return &paths[i];
    return NULL;
}

/* Tells who may not: false after answering. */
static bool may_act(const struct baod_call *call, const struct path *path)
{
    if (call->name.p == NULL) {
        baod_api_refuse(
            &call->asker, 401, "AUTH",
            "Việc này phải kèm mã truy cập, cả khi gửi từ chính máy chủ: nhật ký ghi tên người làm.",
            "Acts need a token, also from the hub's own machine: the audit names who acted.");
        return false;
    }
    if (call->role != BAOD_ROLE_UNIT)
        return true;
    if (path->unit && baod_call_speaks_for(call, call->part[0]))
        return true;
    baod_api_refuse(&call->asker, 403, "UNIT",
                    path->unit ? "Mã truy cập này không được thu hồi báo cáo của đơn vị khác."
                               : "Đơn vị không được làm việc này; hãy đề nghị cơ quan chủ trì.",
                    path->unit ? "This token may not withdraw another unit's report."
                               : "A unit may not do this; ask the office in charge.");
    return false;
}

/* One act under way. */
struct doing {
    struct baod_asker asker;
};

static void send_refused(const struct baod_asker *to, const char *const why[BAO_LANGS])
{
    baod_api_refuse(to, baod_act_status(BAOD_ACT_E_WRONG), "USAGE", why[BAO_VI], why[BAO_EN]);
}

static void on_act(void *user, const struct baod_act_answer *answer)
{
    struct doing *doing = user;
    const struct baod_asker *to = &doing->asker;
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(ANSWER_MAX);
    int offset = to->api->config.offset;
    int r = to->text ? baod_act_say(&out, answer, to->lang, offset) : baod_act_print(&out, answer, offset);

    if (r == 0)
        r = bao_buf_append_c(&out, "\n");
    if (r == 0) {
        struct baod_http_reply reply = {.status = baod_act_status(answer->outcome),
                                        .type = to->text ? "text/plain; charset=utf-8"
                                                         : baod_types[BAOD_FORMAT_JSON],
                                        .body = bao_buf_str(&out)};

        baod_api_reply(to, &reply);
    } else {
        baod_api_refuse_symbol(to, BAO_SYM_INTERNAL);
    }
    baod_api_unref(to->api);
    free(doing);
}

static void start(struct baod_call *call, const struct baod_act *act)
{
    struct baod_api *api = call->asker.api;
    struct doing *doing = malloc(sizeof(*doing));

    if (doing == NULL) {
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
        return;
    }
    *doing = (struct doing){call->asker};
    baod_api_ref(api);
    if (api->ops.act(api->ops.user, act, on_act, doing) == 0)
        return;
    baod_api_unref(api);
    free(doing);
    baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
}

/* The body as a map; *ret NULL when it is empty. False when it is none. */
static bool read_body(struct baod_call *call, struct bao_str body, const struct bao_node **ret)
{
    struct bao_load_options load = {.format = BAO_FORMAT_GUESS, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    struct bao_doc *doc;

    *ret = NULL;
    if (body.n == 0)
        return true;
    doc = bao_arena_alloc(&call->arena, sizeof(*doc));
    load.limits.octets = BODY_MAX;
    load.limits.nodes = NODES_MAX;
    bao_findings_init(&findings, &call->arena, 1);
    if (doc == NULL || bao_load(&call->arena, body, &load, &findings, doc) != 0)
        return false;
    *ret = &doc->root;
    return true;
}

void baod_acts_post(struct baod_call *call, struct baod_http_exchange *x)
{
    static const char *const unreadable[BAO_LANGS] = {
        "Không đọc được nội dung yêu cầu (YAML hoặc JSON).",
        "The body of the request cannot be read (YAML or JSON)."};
    const struct path *path = find_path(call);
    struct baod_act_place place;
    const char *why[BAO_LANGS];
    const struct bao_node *map;
    struct baod_act act;
    size_t first;

    if (path == NULL) {
        baod_api_refuse(&call->asker, 404, "PATH", "Không có việc này ở đường dẫn đã nêu.",
                        "There is no such act at this path.");
        return;
    }
    if (!may_act(call, path))
        return;
    first = path->parts - 3; /* of form */
    place = (struct baod_act_place){.act = bao_str_c(path->act),
                                    .form = call->part[first],
                                    .period = call->part[first + 1],
                                    .unit = first == 0 ? BAO_STR_NULL : call->part[0]};
    if (!read_body(call, baod_http_body(x), &map)) {
        send_refused(&call->asker, unreadable);
        return;
    }
    if (baod_act_read(map, &place, call->asker.api->config.offset, &act, why) != 0) {
        send_refused(&call->asker, why);
        return;
    }
    act.actor = act.actor.n == 0 ? call->name
                                 : bao_arena_printf(&call->arena, "%.*s (%.*s)", BAO_STR_ARG(act.actor),
                                                    BAO_STR_ARG(call->name));
    if (act.actor.p == NULL)
        baod_api_refuse_symbol(&call->asker, BAO_SYM_BUSY);
    else
        start(call, &act);
}
