#include "daemon/ops/admin.h"
#include "daemon/ops/log.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/acts.h"
#include "lib/doc/load.h"

enum { ADMIN_NODES = 64 };

void baod_server_admin_reply(struct baod_server *s, uint64_t peer, int r, struct bao_buf *out)
{
    static const char no_memory[] = "{\"code\":\"BUSY\",\"message\":{\"vi\":\"Dịch vụ đang thiếu bộ nhớ hoặc "
                                    "quá bận; chưa có gì thay đổi, hãy làm "
                                    "lại sau.\",\"en\":\"The daemon is too busy or short of memory; nothing "
                                    "was changed, try again later.\"}}";

    if (s->admin != NULL)
        baod_admin_reply(s->admin, peer, r == 0 ? bao_buf_str(out) : bao_str_c(no_memory));
    bao_buf_deinit(out);
}

void baod_server_admin_refuse(struct baod_server *s, uint64_t peer, const char *const why[BAO_LANGS])
{
    struct bao_buf out = BAO_BUF_NULL(BAOD_ADMIN_ANSWER_MAX);
    int r = baod_act_print_wrong(&out, why);

    baod_server_admin_reply(s, peer, r, &out);
}

static int do_units(struct baod_server *s, uint64_t peer, uid_t uid, const struct bao_node *request)
{
    bool look_only = bao_node_get(request, "dry-run") != NULL;

    if (!look_only)
        baod_log(BAOD_LOG_NOTICE, "units apply: asked for by user %lu", (unsigned long)uid);
    return baod_server_reload(s, look_only ? BAOD_RELOAD_PREVIEW : BAOD_RELOAD_APPLY, peer);
}

static const struct {
    const char *name;
    int (*run)(struct baod_server *s, uint64_t peer, uid_t uid, const struct bao_node *request);
} errands[] = {{"office", baod_server_office}, {"units", do_units}};

static void on_admin_line(void *user, uint64_t peer, uid_t uid, struct bao_str line)
{
    static const char *const unknown[BAO_LANGS] = {"Dịch vụ này không hiểu yêu cầu.",
                                                   "This daemon does not understand the request."};
    struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct baod_server *s = user;
    struct bao_arena arena = BAO_ARENA_NULL(1 << 20);
    struct bao_findings findings;
    const struct bao_node *what;
    struct bao_doc doc;
    size_t i = 0;
    int r;

    load.limits.nodes = ADMIN_NODES;
    bao_findings_init(&findings, &arena, 1);
    r = bao_load(&arena, line, &load, &findings, &doc);
    what = r == 0 ? bao_node_get(&doc.root, "do") : NULL;
    while (what != NULL && what->type == BAO_STRING && i < BAO_COUNT(errands) &&
           !bao_str_is(bao_node_str(what), errands[i].name))
        i++;
    if (what == NULL || what->type != BAO_STRING || i == BAO_COUNT(errands))
        baod_server_admin_refuse(s, peer, unknown);
    else if (s->state != BAOD_SERVING || errands[i].run(s, peer, uid, &doc.root) < 0)
        baod_server_admin_reply(s, peer, -EAGAIN, &BAO_BUF_NULL(1));
    bao_arena_deinit(&arena);
}

void baod_server_open_admin(struct baod_server *s)
{
    char path[108];
    int r = baod_admin_path(s->settings->runtime, path);

    if (r == 0)
        r = baod_admin_new(&s->loop, path, s->settings->admin_group, on_admin_line, s, &s->admin);
    if (r < 0)
        baod_log(BAOD_LOG_WARNING, "admin: no socket in %s (%s): office acts can only come over HTTP",
                 s->settings->runtime, strerror(-r));
}
