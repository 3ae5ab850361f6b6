/* The asking side of the admin socket: a command's words become one request, and its answer is printed. */
#include "daemon/ops/admin.h"
#include "lib/doc/load.h"
#include "lib/form/yaml_fields.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { DONE = 0, REFUSED = 1, USAGE = 2, ANSWER_MAX = 16 << 20, REQUEST_MAX = 64 << 10, OPTIONS_MAX = 16 };

struct ask {
    const struct baod_admin_command *command;
    enum bao_lang lang;
    struct bao_buf request, answer;
    struct bao_arena arena;
    bool given[OPTIONS_MAX];
};

/* ------------------------------------------------------------------ the words */

static int add_member(struct ask *ask, struct bao_str name, struct bao_str value)
{
    int r = bao_buf_append_c(&ask->request, bao_buf_len(&ask->request) == 0 ? "{" : ",");

    if (r == 0)
        r = bao_json_quote(&ask->request, name);
    if (r == 0)
        r = bao_buf_append_c(&ask->request, ":");
    return r == 0 ? bao_json_quote(&ask->request, value) : r;
}

/* Tells why a word makes no sense; one without memory is told as an empty sentence. */
static int tell_wrong(const struct ask *ask, struct bao_str vi, struct bao_str en)
{
    struct bao_buf out = BAO_BUF_NULL(REQUEST_MAX);
    int r = bao_json_both(&out, vi, en);

    if (ask->command->json && r == 0)
        printf("{\"code\":\"USAGE\",\"message\":%.*s}\n", BAO_STR_ARG(bao_buf_str(&out)));
    else
        fprintf(stderr,
                ask->lang == BAO_VI ? "baocaod: %.*s\nXem thêm: baocaod %s --help\n"
                                    : "baocaod: %.*s\nMore: baocaod %s --help\n",
                BAO_STR_ARG(ask->lang == BAO_VI ? vi : en), ask->command->what);
    bao_buf_deinit(&out);
    return USAGE;
}

/* An option's name without the "=" of a switch. */
static const char *bare(const char *option)
{
    return *option == '=' ? option + 1 : option;
}

static int tell_unknown(struct ask *ask, struct bao_str name)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf all = BAO_BUF_NULL(REQUEST_MAX);
    struct bao_arena *a = &ask->arena;
    const char *words[OPTIONS_MAX], *near;
    size_t n = 0;
    int r = 0;

    for (const char *const *o = ask->command->options; *o != NULL && n < OPTIONS_MAX && r == 0; o++) {
        words[n++] = bare(*o);
        r = bao_buf_printf(&all, "%s--%s", n == 1 ? "" : ", ", bare(*o));
    }
    near = bao_nearest(a, name, words, n);
    if (near == NULL)
        return tell_wrong(ask,
                          bao_arena_printf(a, "không có tùy chọn --%.*s; các tùy chọn: %.*s",
                                           BAO_STR_ARG(name), BAO_STR_ARG(bao_buf_str(&all))),
                          bao_arena_printf(a, "there is no option --%.*s; the options: %.*s",
                                           BAO_STR_ARG(name), BAO_STR_ARG(bao_buf_str(&all))));
    return tell_wrong(
        ask, bao_arena_printf(a, "không có tùy chọn --%.*s; có phải --%s không?", BAO_STR_ARG(name), near),
        bao_arena_printf(a, "there is no option --%.*s; is --%s meant?", BAO_STR_ARG(name), near));
}

/* "--name value", "--name=value" or, for a switch, "--name" at *i, which moves on. 0, or USAGE after telling
 * what is wrong. */
static int take_option(struct ask *ask, int *i, struct bao_str *ret_name, struct bao_str *ret_value)
{
    const struct baod_admin_command *c = ask->command;
    const char *word = c->words[*i], *equals = strchr(word, '=');
    const char *const *known = c->options;
    struct bao_str name;

    if (strncmp(word, "--", 2) != 0 && **known == '=') /* all that this command takes are switches */
        return tell_wrong(ask, bao_arena_printf(&ask->arena, "thừa “%s”", word),
                          bao_arena_printf(&ask->arena, "“%s” is too much", word));
    if (strncmp(word, "--", 2) != 0 || word[2] == '\0' || word[2] == '=')
        return tell_wrong(
            ask,
            bao_arena_printf(&ask->arena, "không hiểu “%s”; viết --tên giá_trị, ví dụ --unit 24133", word),
            bao_arena_printf(&ask->arena, "cannot make sense of %s; write --name value, such as --unit 24133",
                             word));
    name = equals == NULL ? bao_str_c(word + 2) : (struct bao_str){word + 2, (size_t)(equals - word - 2)};
    while (*known != NULL && !bao_str_is(name, bare(*known)))
        known++;
    if (*known == NULL)
        return tell_unknown(ask, name);
    if (known - c->options < OPTIONS_MAX && ask->given[known - c->options])
        return tell_wrong(
            ask, bao_arena_printf(&ask->arena, "tùy chọn --%.*s được ghi hai lần", BAO_STR_ARG(name)),
            bao_arena_printf(&ask->arena, "the option --%.*s is given twice", BAO_STR_ARG(name)));
    if (known - c->options < OPTIONS_MAX)
        ask->given[known - c->options] = true;
    if (**known == '=')
        *ret_value = BAO_STR("yes");
    else if (equals != NULL)
        *ret_value = bao_str_c(equals + 1);
    else if (*i + 1 < c->n_words && strncmp(c->words[*i + 1], "--", 2) != 0)
        *ret_value = bao_str_c(c->words[++*i]);
    else
        return tell_wrong(ask, bao_arena_printf(&ask->arena, "sau %s còn thiếu giá trị", word),
                          bao_arena_printf(&ask->arena, "a value is missing after %s", word));
    *ret_name = name;
    return 0;
}

static int write_request(struct ask *ask)
{
    const struct baod_admin_command *c = ask->command;
    int r = add_member(ask, BAO_STR("do"), bao_str_c(c->what));

    if (r == 0 && c->act != NULL)
        r = add_member(ask, BAO_STR("act"), bao_str_c(c->act));
    for (int i = 0; r == 0 && i < c->n_words; i++) {
        struct bao_str name, value;

        r = take_option(ask, &i, &name, &value);
        if (r == 0)
            r = add_member(ask, name, value);
    }
    return r == 0 ? bao_buf_append_c(&ask->request, "}\n") : r;
}

/* ------------------------------------------------------------------ the socket */

static int send_all(int fd, struct bao_str octets)
{
    while (octets.n != 0) {
        ssize_t n = send(fd, octets.p, octets.n, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            octets = (struct bao_str){octets.p + n, octets.n - (size_t)n};
    }
    return 0;
}

/* Reads up to the line feed; one that ends before is -ECONNRESET. */
static int read_line(int fd, struct bao_buf *line)
{
    for (;;) {
        char *room = bao_buf_room(line, 4096);
        ssize_t n = room == NULL ? -1 : recv(fd, room, 4096, 0);

        if (room == NULL)
            return -ENOMEM;
        if (n == 0)
            return -ECONNRESET;
        if (n < 0 && errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (n > 0)
            bao_buf_trim(line, (size_t)n);
        if (n > 0 && room[n - 1] == '\n')
            return 0;
    }
}

static int exchange(struct ask *ask)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = ask->command->wait_ms / 1000};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

    if (fd < 0)
        return -errno;
    memcpy(where.sun_path, ask->command->path, strlen(ask->command->path) + 1);
    r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
                connect(fd, (const struct sockaddr *)&where, sizeof(where)) < 0
            ? -errno
            : send_all(fd, bao_buf_str(&ask->request));
    if (r == 0)
        r = read_line(fd, &ask->answer);
    close(fd);
    return r;
}

static int tell_failure(const struct ask *ask, int r)
{
    const char *path = ask->command->path;

    if (r == -ENOENT || r == -ECONNREFUSED)
        fprintf(stderr,
                ask->lang == BAO_VI
                    ? "baocaod: dịch vụ không chạy (không ai nghe ở %s); hãy chạy baocaod rồi làm lại\n"
                    : "baocaod: the daemon is not running (nobody listens at %s); start it and try again\n",
                path);
    else if (r == -ECONNRESET || r == -EPIPE)
        fprintf(stderr,
                ask->lang == BAO_VI
                    ? "baocaod: dịch vụ ngừng trước khi trả lời (%s); hãy xem lại việc đã được ghi hay chưa\n"
                    : "baocaod: the daemon left before it answered (%s); look whether the act was recorded\n",
                path);
    else if (r == -EACCES || r == -EPERM)
        fprintf(stderr,
                ask->lang == BAO_VI
                    ? "baocaod: không được phép dùng %s; hãy chạy bằng người dùng của dịch vụ hoặc root\n"
                    : "baocaod: %s may not be used; run this as the daemon's user or root\n",
                path);
    else
        fprintf(stderr, "baocaod: %s: %s\n", path, strerror(-r));
    return USAGE;
}

/* ------------------------------------------------------------------ the answer */

static struct bao_str member_text(const struct bao_node *map, const char *name)
{
    const struct bao_node *value = map == NULL ? NULL : bao_node_get(map, name);

    return value != NULL && value->type == BAO_STRING ? bao_node_str(value) : BAO_STR_NULL;
}

static void print_lines(const struct bao_node *lines, const char *lang)
{
    for (uint32_t i = 0; lines != NULL && lines->type == BAO_LIST && i < lines->len; i++)
        printf("%.*s\n", BAO_STR_ARG(member_text(&lines->items[i], lang)));
}

static int tell(struct ask *ask)
{
    struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    const char *lang = ask->lang == BAO_VI ? "vi" : "en";
    struct bao_findings findings;
    struct bao_doc doc;
    bool done, wrong;

    load.limits.octets = ANSWER_MAX;
    bao_findings_init(&findings, &ask->arena, 1);
    if (bao_load(&ask->arena, bao_buf_str(&ask->answer), &load, &findings, &doc) != 0)
        return tell_failure(ask, -EBADMSG);
    done = bao_str_is(member_text(&doc.root, "code"), "OK");
    wrong = bao_str_is(member_text(&doc.root, "code"), "USAGE");
    if (ask->command->json) {
        printf("%.*s", BAO_STR_ARG(bao_buf_str(&ask->answer)));
    } else {
        print_lines(bao_node_get(&doc.root, "lines"), lang);
        fprintf(done ? stdout : stderr, "%.*s\n",
                BAO_STR_ARG(member_text(bao_node_get(&doc.root, "message"), lang)));
        if (wrong)
            fprintf(stderr,
                    ask->lang == BAO_VI ? "Xem thêm: baocaod %s --help\n" : "More: baocaod %s --help\n",
                    ask->command->what);
    }
    if (done)
        return DONE;
    return wrong ? USAGE : REFUSED;
}

int baod_admin_command(const struct baod_admin_command *command)
{
    struct ask ask = {.command = command,
                      .lang = command->lang,
                      .request = BAO_BUF_NULL(REQUEST_MAX),
                      .answer = BAO_BUF_NULL(ANSWER_MAX),
                      .arena = BAO_ARENA_NULL(0)};
    int r = write_request(&ask);

    if (r == 0) {
        r = exchange(&ask);
        r = r < 0 ? tell_failure(&ask, r) : tell(&ask);
    } else if (r < 0) {
        r = tell_failure(&ask, r);
    }
    bao_buf_deinit(&ask.request);
    bao_buf_deinit(&ask.answer);
    bao_arena_deinit(&ask.arena);
    return r;
}
