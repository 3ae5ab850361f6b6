/* Where a finding is: its pointer, its path, its titles; and whether the same was said before. */
#include "lib/schema/reporter.h"

#include "lib/base/buf.h"

enum { PATH_MOST = 1 << 16 };

/* The steps from the judged value down, first to last; n is capped by the loader's depth. */
static size_t list_steps(const struct bao_step *step, const struct bao_step **out, size_t most)
{
    size_t n = 0;

    for (const struct bao_step *s = step; s != NULL && s->up != NULL; s = s->up)
        n++;
    if (n > most)
        return 0;
    for (size_t i = n; i > 0; i--, step = step->up)
        out[i - 1] = step;
    return n;
}

static int print_pointer(struct bao_buf *out, const struct bao_step *step)
{
    struct bao_str key;
    int e = bao_buf_append_c(out, "/");

    if (step->member == NULL)
        return e == 0 ? bao_buf_printf(out, "%u", (unsigned)step->index) : e;
    key = bao_member_key(step->member);
    for (size_t i = 0; i < key.n && e == 0; i++)
        e = key.p[i] == '~'   ? bao_buf_append_c(out, "~0")
            : key.p[i] == '/' ? bao_buf_append_c(out, "~1")
                              : bao_buf_append(out, &key.p[i], 1);
    return e;
}

static int print_path(struct bao_buf *out, const struct bao_step *step)
{
    int e = 0;

    if (step->member != NULL) {
        if (bao_buf_len(out) != 0)
            e = bao_buf_append_c(out, ".");
        return e == 0 ? bao_buf_append_str(out, bao_member_key(step->member)) : e;
    }
    if (step->key.n != 0)
        return bao_buf_printf(out, "[%.*s]", BAO_STR_ARG(step->key));
    return bao_buf_printf(out, "[%u]", (unsigned)step->index);
}

static int print_title(struct bao_buf *out, const struct bao_step *step, enum bao_lang lang)
{
    struct bao_str title = step->title[lang].n != 0 ? step->title[lang] : step->title[BAO_VI];
    int e = bao_buf_len(out) != 0 ? bao_buf_append_c(out, " › ") : 0;

    if (e != 0)
        return e;
    if (step->member == NULL && step->key.n != 0)
        return bao_buf_append_str(out, step->key);
    if (step->member == NULL)
        return bao_buf_printf(out, lang == BAO_VI ? "mục %u" : "item %u", (unsigned)step->index + 1);
    return bao_buf_append_str(out, title.n != 0 ? title : bao_member_key(step->member));
}

typedef int print_step(struct bao_buf *out, const struct bao_step *step);

static struct bao_str print_steps(const struct bao_reporter *r, const struct bao_step *step,
                                  struct bao_str before, print_step *print)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(PATH_MOST);
    const struct bao_step *steps[256];
    size_t n = list_steps(step, steps, BAO_COUNT(steps));
    int e = bao_buf_append_str(&out, before);

    for (size_t i = 0; i < n && e == 0; i++)
        e = print(&out, steps[i]);
    return bao_arena_str(r->arena, bao_buf_str(&out));
}

static struct bao_str print_titles(const struct bao_reporter *r, const struct bao_step *step,
                                   enum bao_lang lang)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(PATH_MOST);
    const struct bao_step *steps[256];
    size_t n = list_steps(step, steps, BAO_COUNT(steps));
    bool titled = false;
    int e = 0;

    for (size_t i = 0; i < n && e == 0; i++) {
        titled |= steps[i]->title[BAO_VI].n != 0;
        e = print_title(&out, steps[i], lang);
    }
    return titled ? bao_arena_str(r->arena, bao_buf_str(&out)) : BAO_STR_NULL;
}

static bool said_already(const struct bao_findings *f, unsigned code, struct bao_place at,
                         struct bao_str pointer)
{
    for (size_t i = f->n; i > 0 && f->n - i < 64; i--) {
        const struct bao_finding *x = &f->items[i - 1];

        if (x->code == code && x->at.line == at.line && x->at.column == at.column &&
            bao_str_eq(x->pointer, pointer))
            return true;
    }
    return false;
}

static struct bao_str keyword_pointer(const struct bao_case *c, const char *keyword)
{
    struct bao_str pointer = bao_loc_pointer(c->r->arena, c->sub->loc);

    return keyword == NULL ? pointer
                           : bao_arena_printf(c->r->arena, "%.*s/%s", BAO_STR_ARG(pointer), keyword);
}

/* The form's own sentence on a subschema: {vi, en} or one text. */
static void set_message(struct bao_finding *f, const struct bao_sub *sub)
{
    const struct bao_node *message = sub->kw.at[BAO_KW_X_MESSAGE], *vi, *en;

    if (message == NULL)
        return;
    vi = message->type == BAO_STRING ? message : bao_node_get(message, "vi");
    en = message->type == BAO_STRING ? NULL : bao_node_get(message, "en");
    if (vi != NULL && vi->type == BAO_STRING)
        f->message[BAO_VI] = bao_node_str(vi);
    if (en != NULL && en->type == BAO_STRING)
        f->message[BAO_EN] = bao_node_str(en);
}

void bao_report_set_place(const struct bao_case *c, struct bao_finding *f, const char *keyword,
                          const struct bao_step *step)
{
    f->pointer = print_steps(c->r, step, c->r->at.pointer, print_pointer);
    f->path = print_steps(c->r, step, BAO_STR_NULL, print_path);
    f->keyword = keyword_pointer(c, keyword);
    f->titles[BAO_VI] = print_titles(c->r, step, BAO_VI);
    f->titles[BAO_EN] = print_titles(c->r, step, BAO_EN);
}

struct bao_finding *bao_report_add_at(const struct bao_case *c, unsigned code, const char *keyword,
                                      struct bao_place at, const struct bao_step *step)
{
    struct bao_reporter *r = c->r;
    struct bao_str pointer = print_steps(r, step, r->at.pointer, print_pointer);
    struct bao_finding *f;

    if (said_already(r->findings, code, at, pointer))
        return NULL;
    f = bao_findings_add(r->findings, code, BAO_ERROR, at);
    if (f == NULL)
        return NULL;
    bao_report_set_place(c, f, keyword, step);
    return f;
}

struct bao_finding *bao_report_add(const struct bao_case *c, unsigned code, const char *keyword)
{
    struct bao_finding *f = bao_report_add_at(c, code, keyword, bao_node_place(c->node), c->step);

    if (f != NULL)
        set_message(f, c->sub);
    return f;
}
