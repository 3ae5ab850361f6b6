/* baocao due: what a unit has to send, until when, and why then. From the files, or from the hub by DUE. */
#include "daemon/cli/brp_options.h"
#include "daemon/cli/forms_dir.h"
#include "lib/doc/load.h"
#include "lib/form/due.h"
#include "lib/text/errno.h"

#include <time.h>

enum { AHEAD_DAYS = 92, LINES_MAX = 16 << 20 };

struct due {
    const struct cli_options *options;
    const char *unit, *forms, *province;
    bao_date until; /* BAO_DATE_NONE: some months ahead */
    struct cli_brp_options brp;
    bool ask; /* the hub */
    struct bao_arena arena;
};

static bool read_words(int argc, char **argv, struct due *d)
{
    const char *until = NULL, *wait = NULL;
    const struct cli_word known[] = {{"--unit", &d->unit},
                                     {"--until", &until},
                                     {"--wait", &wait},
                                     {"--forms", &d->forms},
                                     {"--province", &d->province},
                                     CLI_BRP_WORDS(d->brp),
                                     {NULL}};
    bool vi = d->options->lang == BAO_VI;

    if (cli_words_read(d->options, argc, argv, known, 0) < 0 || !cli_seconds(d->options, wait, &d->brp.ask_s))
        return false;
    d->until = BAO_DATE_NONE;
    if (until != NULL && !bao_date_parse(bao_str_c(until), &d->until))
        return cli_complain(d->options,
                            vi ? "ngày phải viết như 2026-12-31, không phải: %s"
                               : "a day is written like 2026-12-31, not like: %s",
                            until);
    if (d->unit == NULL)
        return cli_complain(d->options, vi ? "thiếu --unit: mã hoặc tên đơn vị"
                                           : "--unit is missing: the unit's code or name");
    return true;
}

/* ---- showing the lines ---- */

static struct bao_str text_of(const struct bao_node *line, const char *name)
{
    const struct bao_node *value = bao_node_get(line, name);

    return value == NULL || value->type != BAO_STRING ? BAO_STR_NULL : bao_node_str(value);
}

static const char *state_of(const struct bao_node *line, enum bao_lang lang)
{
    struct bao_str name = text_of(line, "state");

    for (unsigned i = 0; i < BAO_STATES; i++)
        if (bao_str_is(name, bao_state_name((enum bao_state)i)))
            return bao_state_title((enum bao_state)i, lang);
    return lang == BAO_VI ? "chưa rõ đã gửi hay chưa" : "not known whether it was sent";
}

/* Three lines each: what and until when, its title, why then. */
static void show(const struct bao_node *line, enum bao_lang lang)
{
    char moment[64] = "–";
    bao_time due;

    if (bao_time_parse(text_of(line, "due"), &due))
        bao_moment_print(due, BAO_VN_OFFSET, lang, moment);
    printf(lang == BAO_VI ? "%.*s %.*s (%.*s): hạn gửi %s, %s\n" : "%.*s %.*s (%.*s): due %s, %s\n",
           BAO_STR_ARG(text_of(line, "form")), BAO_STR_ARG(text_of(line, "period")),
           BAO_STR_ARG(text_of(line, "unit")), moment, state_of(line, lang));
    printf("  %.*s\n  %.*s\n", BAO_STR_ARG(text_of(line, "title")), BAO_STR_ARG(text_of(line, "why")));
}

static int show_line(struct due *d, struct bao_str text)
{
    const struct bao_load_options load = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    struct bao_doc doc;
    int r;

    bao_findings_init(&findings, &d->arena, 1);
    r = bao_load(&d->arena, text, &load, &findings, &doc);
    if (r == 0)
        show(&doc.root, d->options->lang);
    return r == 0 ? 0 : -EBADMSG;
}

/* Lines as they came, or as a JSON list. */
static int show_all(struct due *d, struct bao_str lines)
{
    bool first = true;
    int r = 0;

    if (d->options->json)
        fputs("[", stdout);
    while (lines.n != 0 && r == 0) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t n = end == NULL ? lines.n : (size_t)(end - lines.p);

        if (d->options->json)
            printf("%s%.*s", first ? "" : ",\n", (int)n, lines.p);
        else if (n != 0)
            r = show_line(d, (struct bao_str){lines.p, n});
        first = false;
        n = n < lines.n ? n + 1 : n;
        lines = (struct bao_str){lines.p + n, lines.n - n};
    }
    if (d->options->json)
        fputs("]\n", stdout);
    else if (first)
        puts(d->options->lang == BAO_VI ? "Không có báo cáo nào phải gửi trong thời gian này."
                                        : "Nothing is due in that time.");
    return r;
}

/* ---- from the files ---- */

static bao_date today(int offset)
{
    return bao_time_date((bao_time)time(NULL) * BAO_SECOND, offset);
}

static int by_files(struct due *d, const struct baod_snapshot *s, struct bao_str code)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf out = BAO_BUF_NULL(LINES_MAX);
    const struct bao_registry *registry = &s->registry;
    bao_date day = today(registry->offset);
    struct bao_due_list list = {.n = 0};
    struct bao_str *codes = NULL;
    size_t n = 0;
    int r = bao_due_codes(&d->arena, registry, code, day, &codes, &n);

    if (r == 0)
        r = bao_due_by_files(&d->arena, &s->forms, registry, codes, n, day,
                             d->until == BAO_DATE_NONE ? day + AHEAD_DAYS : d->until, &list);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        r = bao_due_print(&out, &list.items[i], registry, code, d->options->lang);
        if (r == 0)
            r = bao_buf_append_c(&out, "\n");
    }
    return r == 0 ? show_all(d, bao_buf_str(&out)) : r;
}

/* ---- from the hub ---- */

/* The hub says that another unit answers for this one: people are told, and the other's code is asked for,
 * whose answer holds this one's. False: it does not, or there is no memory to remember it. */
static bool go_on_with_heir(struct due *d, struct bao_str code, const struct bao_client_event *event,
                            struct bao_str *ret)
{
    struct bao_str heir = bao_head_get(&event->head, "heir");

    if (heir.n == 0 || bao_str_eq(heir, code))
        return false;
    heir = bao_arena_str(&d->arena, heir);
    if (heir.p == NULL)
        return false;
    fprintf(stderr,
            d->options->lang == BAO_VI ? "baocao: %.*s là đơn vị cũ; nay thuộc %.*s.\n"
                                       : "baocao: %.*s is a former unit; today it is %.*s.\n",
            BAO_STR_ARG(code), BAO_STR_ARG(heir));
    *ret = heir;
    return true;
}

static int by_hub(struct due *d, struct bao_str code, bool follow)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf keys = BAO_BUF_NULL(4096);
    struct bao_client_event event;
    struct bao_str heir;
    struct cli_brp *b = NULL;
    const char *why = bao_errno_text(ENOMEM, d->options->lang);
    char until[16];
    int r = bao_head_put(&keys, "unit", code);

    if (r == 0 && d->until != BAO_DATE_NONE) {
        bao_date_print(d->until, until);
        r = bao_head_put(&keys, "until", bao_str_c(until));
    }
    if (r == 0)
        r = cli_brp_ask(d->options, &d->brp, "DUE", bao_buf_str(&keys), &b, &event, &why);
    if (r == 0 && event.answer == BAO_OK && follow && go_on_with_heir(d, code, &event, &heir)) {
        cli_brp_close(b);
        return by_hub(d, heir, false);
    }
    if (r == 0 && event.answer == BAO_OK)
        r = show_all(d, event.body);
    else if (r == 0 && event.symbol == BAO_SYM_UNKNOWN)
        fprintf(stderr,
                d->options->lang == BAO_VI ? "baocao due: không có đơn vị nào mang mã %.*s; xem lại mã\n"
                                           : "baocao due: no unit has the code %.*s; look at the code\n",
                BAO_STR_ARG(code));
    else if (r == 0)
        fprintf(stderr, "baocao due: %s\n", bao_symbol_info(event.symbol)->sentence[d->options->lang]);
    if (r != 0)
        fprintf(stderr, "baocao due: %s\n", why);
    cli_brp_close(b);
    if (r != 0)
        return CLI_USAGE;
    return event.answer == BAO_OK ? CLI_OK : CLI_NO;
}

static int run(struct due *d)
{
    BAO_CLEANUP(cli_forms_close) struct cli_forms forms = {.dir = NULL};
    const struct baod_snapshot *snapshot;
    struct bao_str code = bao_str_c(d->unit);
    int r;

    if (d->ask && bao_is_unit_code(code))
        return by_hub(d, code, true);
    if (!cli_forms_open(&forms, d->options, d->forms, d->province))
        return CLI_USAGE;
    snapshot = cli_forms_unit(&forms, &d->arena, today(BAO_VN_OFFSET), &code);
    if (snapshot == NULL)
        return CLI_USAGE;
    if (d->ask)
        return by_hub(d, code, true);
    r = by_files(d, snapshot, code);
    if (r < 0)
        fprintf(stderr, "baocao due: %s\n", bao_errno_text(r, d->options->lang));
    return r < 0 ? CLI_USAGE : CLI_OK;
}

int cli_due(const struct cli_options *options, int argc, char **argv)
{
    struct due d = {.options = options, .arena = BAO_ARENA_NULL(0)};
    int code;

    if (!read_words(argc, argv, &d))
        return CLI_USAGE;
    if (!cli_brp_options_ready(options, &d.brp))
        return CLI_USAGE;
    d.ask = d.brp.to != NULL && *d.brp.to != '\0';
    code = run(&d);
    cli_brp_options_done(&d.brp);
    bao_arena_deinit(&d.arena);
    return code;
}
