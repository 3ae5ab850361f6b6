/* The reporting pass: walks a refused value beside its schema and finds what is wrong, for people.
 *
 * It looks only where the verdict pass says no, so it reports mistakes and nothing that merely follows from
 * them. */
#include "lib/schema/reporter.h"

#include "lib/base/buf.h"
#include "lib/base/utf8.h"

enum { MOST_SUBS = 20000, MOST_DEPTH = 300, MOST_GUESSES = 20000, PATH_MOST = 1 << 16 };

/* ---- words ---- */

struct bao_str bao_report_count(const struct bao_reporter *r, uint64_t n)
{
    return bao_arena_printf(r->arena, "%llu", (unsigned long long)n);
}

void bao_report_arg(struct bao_finding *f, struct bao_arg arg)
{
    bao_finding_arg2(f, arg.vi, arg.en);
}

struct bao_str bao_report_spelling(const struct bao_reporter *r, const struct bao_node *node)
{
    struct bao_buf out BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(1 << 20);
    uint64_t end = (uint64_t)node->offset + node->extent;

    if (node->type == BAO_STRING)
        return bao_node_str(node);
    if (node->extent != 0 && end <= r->at.source.n && (node->type == BAO_INT || node->type == BAO_DEC) &&
        (node->style & BAO_STYLE_ALIAS) == 0)
        return (struct bao_str){r->at.source.p + node->offset, node->extent};
    if (bao_node_print_json(&out, node) < 0)
        return BAO_STR("…");
    return bao_arena_str(r->arena, bao_buf_str(&out));
}

struct bao_arg bao_report_value(const struct bao_reporter *r, const struct bao_node *node)
{
    if (node->type == BAO_LIST)
        return (struct bao_arg){BAO_STR("một danh sách"), BAO_STR("a list")};
    if (node->type == BAO_MAP)
        return (struct bao_arg){BAO_STR("một nhóm các trường"), BAO_STR("a group of fields")};
    if (node->type == BAO_NULL)
        return (struct bao_arg){BAO_STR("để trống"), BAO_STR("empty")};
    return (struct bao_arg){bao_report_spelling(r, node), BAO_STR_NULL};
}

struct bao_arg bao_report_wanted(const struct bao_reporter *r, const struct bao_sub *sub)
{
    static const struct {
        unsigned types;
        const char *vi, *en;
    } names[] = {{1u << BAO_NULL, "để trống", "empty"},
                 {1u << BAO_BOOL, "true hoặc false", "true or false"},
                 {1u << BAO_INT | 1u << BAO_DEC, "số", "a number"},
                 {1u << BAO_STRING, "văn bản", "text"},
                 {1u << BAO_LIST, "danh sách", "a list"},
                 {1u << BAO_MAP, "nhóm các trường", "a group of fields"}};
    struct bao_buf vi BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(1024);
    struct bao_buf en BAO_CLEANUP(bao_buf_deinit) = BAO_BUF_NULL(1024);
    int e = 0;

    while (sub->alias != NULL)
        sub = sub->alias;
    if (sub->types == (1u << BAO_TYPES) - 1)
        return (struct bao_arg){BAO_STR_NULL, BAO_STR_NULL};
    for (size_t i = 0; i < BAO_COUNT(names) && e == 0; i++) {
        bool number = names[i].types == (1u << BAO_INT | 1u << BAO_DEC);

        if ((sub->types & names[i].types) == 0)
            continue;
        e = bao_buf_printf(&vi, "%s%s", bao_buf_len(&vi) != 0 ? " hoặc " : "",
                           number && sub->only_whole ? "số nguyên" : names[i].vi);
        if (e == 0)
            e = bao_buf_printf(&en, "%s%s", bao_buf_len(&en) != 0 ? " or " : "",
                               number && sub->only_whole ? "a whole number" : names[i].en);
    }
    return (struct bao_arg){bao_arena_str(r->arena, bao_buf_str(&vi)),
                            bao_arena_str(r->arena, bao_buf_str(&en))};
}

void bao_report_title(const struct bao_sub *sub, struct bao_str ret[BAO_LANGS])
{
    ret[BAO_VI] = ret[BAO_EN] = BAO_STR_NULL;
    for (int hops = 0; sub != NULL && hops < 16; hops++) {
        const struct bao_node *vi = sub->kw.at[BAO_KW_TITLE], *en = sub->kw.at[BAO_KW_X_EN];

        if (ret[BAO_VI].n == 0 && vi != NULL && vi->type == BAO_STRING)
            ret[BAO_VI] = bao_node_str(vi);
        if (ret[BAO_EN].n == 0 && en != NULL && en->type == BAO_STRING)
            ret[BAO_EN] = bao_node_str(en);
        if (ret[BAO_VI].n != 0)
            return;
        sub = sub->ref;
    }
}

/* ---- places ---- */

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
    f->pointer = pointer;
    f->path = print_steps(r, step, BAO_STR_NULL, print_path);
    f->keyword = keyword_pointer(c, keyword);
    f->titles[BAO_VI] = print_titles(r, step, BAO_VI);
    f->titles[BAO_EN] = print_titles(r, step, BAO_EN);
    return f;
}

struct bao_finding *bao_report_add(const struct bao_case *c, unsigned code, const char *keyword)
{
    struct bao_finding *f = bao_report_add_at(c, code, keyword, bao_node_place(c->node), c->step);

    if (f != NULL)
        set_message(f, c->sub);
    return f;
}

/* ---- going down ---- */

bool bao_report_accepts(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node)
{
    int verdict;

    if (sub == NULL || r->error != 0)
        return true;
    verdict = bao_run_sub(r->scratch, sub, node);
    if (verdict == BAO_RUN_COSTLY) {
        bao_run_forgive(r->scratch);
        r->costly = true;
        return false;
    }
    if (verdict < 0)
        r->error = verdict;
    return verdict != 0;
}

static void report_unless(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node,
                          const struct bao_step *step)
{
    if (!bao_report_accepts(r, sub, node))
        bao_report_sub(r, sub, node, step);
}

static void down_member(const struct bao_case *c, const struct bao_member *m, const struct bao_sub *sub)
{
    struct bao_step step = {.up = c->step, .member = m};

    if (sub == NULL || bao_report_accepts(c->r, sub, &m->value))
        return;
    bao_report_title(sub, step.title);
    bao_report_sub(c->r, sub, &m->value, &step);
}

/* The text of an item's key, by the list's x-key. */
static struct bao_str item_key(const struct bao_case *c, const struct bao_node *item)
{
    const struct bao_node *key = c->sub->kw.at[BAO_KW_X_KEY];
    const struct bao_member *m;

    if (key == NULL || key->type != BAO_STRING || item->type != BAO_MAP)
        return BAO_STR_NULL;
    m = bao_node_member(item, bao_node_str(key));
    if (m == NULL || m->value.type == BAO_LIST || m->value.type == BAO_MAP || m->value.type == BAO_NULL)
        return BAO_STR_NULL;
    return bao_report_spelling(c->r, &m->value);
}

static void down_item(const struct bao_case *c, uint32_t i, const struct bao_sub *sub)
{
    struct bao_step step = {.up = c->step, .index = i};
    const struct bao_node *item = &c->node->items[i];
    const struct bao_case inner = {.r = c->r, .sub = sub, .node = item, .step = &step};

    if (sub == NULL || bao_report_accepts(c->r, sub, item))
        return;
    step.key = item_key(c, item);
    if (sub->is_bad) {
        bao_finding_arg(bao_report_add(&inner, BAO_BC_EXTRA_ITEM, NULL),
                        bao_report_count(c->r, (uint64_t)i + 1));
        return;
    }
    bao_report_title(sub, step.title);
    bao_report_sub(c->r, sub, item, &step);
}

/* ---- lists ---- */

static bool blame_count(const struct bao_case *c, enum bao_kw kw, unsigned code, bool is_min)
{
    const struct bao_node *bound = c->sub->kw.at[kw];
    int order;
    struct bao_finding *f;

    if (bound == NULL || !bao_node_is_number(bound))
        return false;
    order = bao_num_cmp(bao_num_int(c->node->len), bao_node_num(bound));
    if (is_min ? order >= 0 : order <= 0)
        return false;
    f = bao_report_add(c, code, bao_keyword_info(kw)->name);
    bao_finding_arg(f, bao_report_spelling(c->r, bound));
    bao_finding_arg(f, bao_report_count(c->r, c->node->len));
    return true;
}

static void blame_twins(const struct bao_case *c)
{
    const struct bao_node *unique = c->sub->kw.at[BAO_KW_UNIQUE_ITEMS], **nodes;
    struct bao_arena *work = bao_run_arena(c->r->scratch);
    struct bao_step step = {.up = c->step};
    uint32_t first, second;
    int found;

    if (unique == NULL || unique->type != BAO_BOOL || !unique->boolean)
        return;
    nodes = bao_arena_array(work, c->node->len, sizeof(struct bao_node *));
    if (nodes == NULL) {
        c->r->error = -ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < c->node->len; i++)
        nodes[i] = &c->node->items[i];
    found = bao_unique_find(work, nodes, c->node->len, &first, &second);
    if (found < 0)
        c->r->error = found;
    if (found <= 0)
        return;
    step.index = second;
    step.key = item_key(c, nodes[second]);
    bao_finding_arg(bao_report_add_at(c, BAO_BC_TWINS, "uniqueItems", bao_node_place(nodes[second]), &step),
                    bao_report_count(c->r, nodes[first]->line));
}

/* Every second use of an item's key, with the line of the first. */
static void blame_key_twins(const struct bao_case *c)
{
    const struct bao_node *key = c->sub->kw.at[BAO_KW_X_KEY], **nodes, **items;
    struct bao_arena *work = bao_run_arena(c->r->scratch);
    uint32_t n = 0, first, second;

    if (!c->r->schema->form || key == NULL || key->type != BAO_STRING)
        return;
    nodes = bao_arena_array(work, c->node->len, sizeof(struct bao_node *));
    items = bao_arena_array(work, c->node->len, sizeof(struct bao_node *));
    if (nodes == NULL || items == NULL) {
        c->r->error = -ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < c->node->len; i++) {
        const struct bao_member *m = bao_node_member(&c->node->items[i], bao_node_str(key));

        if (m != NULL) {
            items[n] = &c->node->items[i];
            nodes[n++] = &m->value;
        }
    }
    for (int times = 0; times < 20 && bao_unique_find(work, nodes, n, &first, &second) == 1; times++) {
        struct bao_step step = {.up = c->step, .index = (uint32_t)(items[second] - c->node->items)};
        struct bao_finding *f;

        step.key = item_key(c, items[second]);
        f = bao_report_add_at(c, BAO_BC_KEY_TWINS, "x-key", bao_node_place(nodes[second]), &step);
        bao_finding_arg(f, bao_node_str(key));
        bao_report_arg(f, bao_report_value(c->r, nodes[second]));
        bao_finding_arg(f, bao_report_count(c->r, nodes[first]->line));
        n--;
        nodes[second] = nodes[n];
        items[second] = items[n];
    }
}

static void blame_contains(const struct bao_case *c)
{
    const struct bao_node *min = c->sub->kw.at[BAO_KW_MIN_CONTAINS],
                          *max = c->sub->kw.at[BAO_KW_MAX_CONTAINS];
    struct bao_num n = bao_num_int(0),
                   least = min != NULL && bao_node_is_number(min) ? bao_node_num(min) : bao_num_int(1);
    bool few, many;
    struct bao_finding *f;

    if (c->sub->contains == NULL)
        return;
    for (uint32_t i = 0; i < c->node->len; i++)
        n.i += bao_report_accepts(c->r, c->sub->contains, &c->node->items[i]);
    few = bao_num_cmp(n, least) < 0;
    many = max != NULL && bao_node_is_number(max) && bao_num_cmp(n, bao_node_num(max)) > 0;
    if (!few && !many)
        return;
    if (few && n.i == 0 && min == NULL) {
        bao_report_add(c, BAO_BC_CONTAINS_NONE, "contains");
        return;
    }
    f = bao_report_add(c, few ? BAO_BC_CONTAINS_FEW : BAO_BC_CONTAINS_MANY,
                       few ? "minContains" : "maxContains");
    bao_finding_arg(f, few && min == NULL ? BAO_STR("1") : bao_report_spelling(c->r, few ? min : max));
    bao_finding_arg(f, bao_report_count(c->r, (uint64_t)n.i));
}

static void report_list(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;

    blame_count(c, BAO_KW_MIN_ITEMS, BAO_BC_FEW_ITEMS, true);
    blame_count(c, BAO_KW_MAX_ITEMS, BAO_BC_MANY_ITEMS, false);
    for (uint32_t i = 0; i < sub->n_prefix && i < c->node->len; i++)
        down_item(c, i, sub->prefix[i]);
    for (uint32_t i = sub->n_prefix; sub->items != NULL && i < c->node->len && c->r->left > 0; i++)
        down_item(c, i, sub->items);
    blame_twins(c);
    blame_key_twins(c);
    blame_contains(c);
}

/* ---- maps ---- */

/* A line to paste for a missing field: the name, and its kind as a comment. */
static struct bao_str line_for(const struct bao_case *c, struct bao_str name, const struct bao_sub *sub)
{
    struct bao_str title[BAO_LANGS] = {BAO_STR_NULL, BAO_STR_NULL};
    struct bao_arg kind = {BAO_STR_NULL, BAO_STR_NULL};

    if ((c->node->style & BAO_STYLE_YAML) == 0)
        return bao_arena_printf(c->r->arena, "\"%.*s\": …", BAO_STR_ARG(name));
    if (sub != NULL) {
        bao_report_title(sub, title);
        kind = bao_report_wanted(c->r, sub);
    }
    if (title[BAO_VI].n == 0 && kind.vi.n == 0)
        return bao_arena_printf(c->r->arena, "%.*s: …", BAO_STR_ARG(name));
    return bao_arena_printf(c->r->arena, "%.*s: …   # %.*s%s%.*s", BAO_STR_ARG(name),
                            BAO_STR_ARG(title[BAO_VI]), title[BAO_VI].n != 0 && kind.vi.n != 0 ? ", " : "",
                            BAO_STR_ARG(kind.vi));
}

static const struct bao_sub *property_of(const struct bao_sub *sub, struct bao_str name)
{
    if (sub->property_names != NULL) {
        uint32_t i =
            bao_names_find(sub->property_names, name.p, (uint32_t)name.n, bao_key_hash(name.p, name.n));

        return i == sub->n_properties ? NULL : sub->properties[i].sub;
    }
    for (uint32_t i = 0; i < sub->n_properties; i++)
        if (bao_str_eq(sub->properties[i].key, name))
            return sub->properties[i].sub;
    return NULL;
}

/* How far apart two names may be and still be taken for one misspelt. */
static size_t slip(struct bao_str folded)
{
    return folded.n < 3 ? 0 : folded.n < 6 ? 1 : folded.n < 10 ? 2 : 3;
}

/* The distance of two names, SIZE_MAX when they are not alike or enough was guessed already. */
static size_t distance(struct bao_reporter *r, struct bao_str a, struct bao_str b)
{
    struct bao_arena *work = bao_run_arena(r->scratch);
    struct bao_str x, y;
    size_t limit, d;

    if (--r->guesses < 0 || r->findings->n >= r->findings->cap)
        return SIZE_MAX;
    x = bao_utf8_fold(work, a);
    y = bao_utf8_fold(work, b);
    if (x.p == NULL || y.p == NULL)
        return SIZE_MAX;
    limit = slip(y);
    d = bao_utf8_distance(x, y, limit);
    return d <= limit ? d : SIZE_MAX;
}

/* The member that is no known field and looks like this one misspelt. */
static const struct bao_member *misspelt(const struct bao_case *c, struct bao_str name)
{
    const struct bao_member *best = NULL;
    size_t least = SIZE_MAX;

    for (uint32_t i = 0; i < c->node->len && c->r->guesses > 0; i++) {
        const struct bao_member *m = &c->node->members[i];
        size_t d;

        if (property_of(c->sub, bao_member_key(m)) != NULL)
            continue;
        d = distance(c->r, bao_member_key(m), name);
        if (d < least) {
            least = d;
            best = m;
        }
    }
    return best;
}

static void blame_missing(const struct bao_case *c, struct bao_str name)
{
    const struct bao_sub *sub = property_of(c->sub, name);
    const struct bao_member *wrong = misspelt(c, name);
    struct bao_str title[BAO_LANGS] = {BAO_STR_NULL, BAO_STR_NULL};
    struct bao_place at = bao_node_place(c->node);
    struct bao_step step = *c->step;
    struct bao_finding *f;

    if (sub != NULL)
        bao_report_title(sub, title);
    if (wrong != NULL) {
        f = bao_report_add_at(c, BAO_BC_MISSING_RENAMED, "required", bao_member_place(wrong), &step);
        bao_finding_arg(f, name);
        bao_finding_arg(f, bao_member_key(wrong));
        return;
    }
    /* The place is the parent's own line: its key when it is a member's value. */
    if (c->step->member != NULL)
        at = bao_member_place(c->step->member);
    /* Several may be missing from one parent: the name in the keyword keeps them apart. */
    f = bao_findings_add(c->r->findings, title[BAO_VI].n != 0 ? BAO_BC_MISSING_TITLED : BAO_BC_MISSING,
                         BAO_ERROR, at);
    if (f == NULL)
        return;
    f->pointer = print_steps(c->r, c->step, c->r->at.pointer, print_pointer);
    f->path = print_steps(c->r, c->step, BAO_STR_NULL, print_path);
    f->titles[BAO_VI] = print_titles(c->r, c->step, BAO_VI);
    f->titles[BAO_EN] = print_titles(c->r, c->step, BAO_EN);
    f->keyword = keyword_pointer(c, "required");
    bao_finding_arg(f, name);
    bao_finding_arg(f, line_for(c, name, sub));
    bao_finding_arg2(f, title[BAO_VI], title[BAO_EN]);
}

static void blame_required(const struct bao_case *c)
{
    const struct bao_node *required = c->sub->kw.at[BAO_KW_REQUIRED];

    for (uint32_t i = 0; required != NULL && required->type == BAO_LIST && i < required->len; i++)
        if (required->items[i].type == BAO_STRING &&
            bao_node_member(c->node, bao_node_str(&required->items[i])) == NULL)
            blame_missing(c, bao_node_str(&required->items[i]));
}

static struct bao_str nearest_property(const struct bao_case *c, struct bao_str name)
{
    struct bao_str best = BAO_STR_NULL;
    size_t least = SIZE_MAX;

    for (uint32_t i = 0; i < c->sub->n_properties && c->r->guesses > 0; i++) {
        struct bao_str key = c->sub->properties[i].key;
        size_t d = bao_node_member(c->node, key) != NULL ? SIZE_MAX : distance(c->r, name, key);

        if (d < least) {
            least = d;
            best = key;
        }
    }
    return best;
}

/* A misspelt required field was told where it is missing. */
static bool told_as_missing(const struct bao_case *c, struct bao_str near)
{
    const struct bao_node *required = c->sub->kw.at[BAO_KW_REQUIRED];

    for (uint32_t i = 0; required != NULL && required->type == BAO_LIST && i < required->len; i++)
        if (required->items[i].type == BAO_STRING && bao_str_eq(bao_node_str(&required->items[i]), near))
            return true;
    return false;
}

static void blame_unknown(const struct bao_case *c, const struct bao_member *m, const char *keyword)
{
    struct bao_str near = nearest_property(c, bao_member_key(m));
    struct bao_step step = {.up = c->step, .member = m};
    struct bao_finding *f;

    if (near.n != 0 && told_as_missing(c, near) && misspelt(c, near) == m)
        return;
    f = bao_report_add_at(c, near.n != 0 ? BAO_BC_UNKNOWN_NEAR : BAO_BC_UNKNOWN, keyword, bao_member_place(m),
                          &step);
    bao_finding_arg(f, bao_member_key(m));
    if (near.n != 0)
        bao_finding_arg(f, near);
}

static void blame_costly_name(const struct bao_case *c, const struct bao_member *m, struct bao_str pattern)
{
    struct bao_step step = {.up = c->step, .member = m};

    c->r->costly = false;
    bao_finding_arg(
        bao_report_add_at(c, BAO_BC_PATTERN_COSTLY, "patternProperties", bao_member_place(m), &step),
        pattern);
}

static void report_member(const struct bao_case *c, const struct bao_member *m)
{
    const struct bao_sub *sub = c->sub, *own = property_of(sub, bao_member_key(m));
    bool seen = own != NULL;

    if (own != NULL && own->is_bad) {
        struct bao_step step = {.up = c->step, .member = m};

        bao_finding_arg(bao_report_add_at(c, BAO_BC_NOT_ALLOWED, "properties", bao_member_place(m), &step),
                        bao_member_key(m));
        return;
    }
    down_member(c, m, own);
    for (uint32_t i = 0; i < sub->n_patterns; i++) {
        int found = bao_run_match(c->r->scratch, sub->patterns[i].regex, bao_member_key(m));

        seen |= found != 0;
        if (found == 1)
            down_member(c, m, sub->patterns[i].sub);
        else if (found == -E2BIG)
            blame_costly_name(c, m, bao_member_key(&sub->kw.at[BAO_KW_PATTERN_PROPERTIES]->members[i]));
    }
    if (seen || sub->additional == NULL)
        return;
    if (sub->additional->is_bad)
        blame_unknown(c, m, "additionalProperties");
    else
        down_member(c, m, sub->additional);
}

static void blame_names(const struct bao_case *c)
{
    for (uint32_t i = 0; c->sub->names != NULL && i < c->node->len && c->r->left > 0; i++) {
        const struct bao_member *m = &c->node->members[i];
        struct bao_node *key = bao_arena_array(c->r->arena, 1, sizeof(*key));
        struct bao_step step = {.up = c->step, .member = m};

        if (key == NULL) {
            c->r->error = -ENOMEM;
            return;
        }
        *key = (struct bao_node){
            .type = BAO_STRING, .style = BAO_STYLE_QUOTED, .len = m->key_len, .str = m->key};
        if (bao_report_accepts(c->r, c->sub->names, key))
            continue;
        bao_finding_arg(bao_report_add_at(c, c->r->costly ? BAO_BC_NAME_COSTLY : BAO_BC_NAME, "propertyNames",
                                          bao_member_place(m), &step),
                        bao_member_key(m));
        c->r->costly = false;
    }
}

static void report_dependents(const struct bao_case *c)
{
    for (uint32_t i = 0; i < c->sub->n_dependents; i++) {
        const struct bao_named_sub *d = &c->sub->dependents[i];

        if (bao_node_member(c->node, d->key) == NULL)
            continue;
        for (uint32_t k = 0; d->names != NULL && k < d->names->len; k++) {
            struct bao_finding *f;

            if (d->names->items[k].type != BAO_STRING ||
                bao_node_member(c->node, bao_node_str(&d->names->items[k])) != NULL)
                continue;
            f = bao_report_add(c, BAO_BC_DEPENDENT, "dependentRequired");
            bao_finding_arg(f, d->key);
            bao_finding_arg(f, bao_node_str(&d->names->items[k]));
        }
        if (d->sub != NULL)
            report_unless(c->r, d->sub, c->node, c->step);
    }
}

static void report_map(const struct bao_case *c)
{
    blame_required(c);
    for (uint32_t i = 0; i < c->node->len && c->r->left > 0; i++)
        report_member(c, &c->node->members[i]);
    blame_names(c);
    blame_count(c, BAO_KW_MIN_PROPERTIES, BAO_BC_FEW_FIELDS, true);
    blame_count(c, BAO_KW_MAX_PROPERTIES, BAO_BC_MANY_FIELDS, false);
}

/* ---- unevaluated* ---- */

static bool is_known_name(const struct bao_members *m, const struct bao_case *c, const struct bao_member *x)
{
    uint32_t i = bao_names_find(&m->names, x->key, x->key_len, x->hash);

    if (i != m->n)
        return !m->entries[i].by_rest;
    for (uint32_t k = 0; k < m->n_patterns; k++)
        if (bao_run_match(c->r->scratch, m->patterns[k].regex, bao_member_key(x)) == 1)
            return true;
    return false;
}

static void report_static_members(const struct bao_case *c)
{
    const struct bao_members *m = c->sub->members;

    if (m == NULL || !m->has_rest || m->rest == NULL || c->sub->additional != NULL)
        return;
    for (uint32_t i = 0; i < c->node->len && c->r->left > 0; i++) {
        const struct bao_member *x = &c->node->members[i];

        if (is_known_name(m, c, x))
            continue;
        if (m->rest->is_bad)
            blame_unknown(c, x, "unevaluatedProperties");
        else
            down_member(c, x, m->rest);
    }
}

static void report_dynamic(const struct bao_case *c, const struct bao_sub *sub)
{
    struct bao_eval eval;
    int r = bao_run_evaluated(c->r->scratch, c->sub, c->node, &eval);

    if (r == BAO_RUN_COSTLY) {
        bao_run_forgive(c->r->scratch);
        bao_report_add(c, BAO_BC_TOO_COSTLY, NULL);
    } else if (r < 0) {
        c->r->error = r;
    }
    if (r <= 0 || eval.all)
        return;
    for (uint32_t i = 0; i < c->node->len && c->r->left > 0; i++) {
        if ((eval.bits[i / 64] >> i % 64 & 1) != 0)
            continue;
        if (c->node->type == BAO_LIST)
            down_item(c, i, sub);
        else if (sub->is_bad)
            blame_unknown(c, &c->node->members[i], "unevaluatedProperties");
        else
            down_member(c, &c->node->members[i], sub);
    }
}

static void report_static(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;

    if (c->node->type == BAO_MAP && sub->static_members)
        report_static_members(c);
    for (uint32_t i = 0; c->node->type == BAO_LIST && sub->static_items && i < c->node->len && c->r->left > 0;
         i++)
        if (i >= sub->known_items)
            down_item(c, i, sub->uneval_items);
}

/* What was evaluated is known only where nothing else is wrong. */
static void report_unevaluated(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;

    if (c->node->type == BAO_MAP && sub->uneval_members != NULL && !sub->static_members)
        report_dynamic(c, sub->uneval_members);
    if (c->node->type == BAO_LIST && sub->uneval_items != NULL && !sub->static_items)
        report_dynamic(c, sub->uneval_items);
}

/* ---- a sub ---- */

/* Asks a sub whose refusal is no mistake; false, and told, when it costs too much to answer. */
static bool asks_cheaply(const struct bao_case *c, const struct bao_sub *sub, const char *keyword, bool *ret)
{
    c->r->costly = false;
    *ret = bao_report_accepts(c->r, sub, c->node);
    if (!c->r->costly)
        return true;
    c->r->costly = false;
    bao_report_add(c, BAO_BC_TOO_COSTLY, keyword);
    return false;
}

static void report_applied(const struct bao_case *c)
{
    const struct bao_sub *sub = c->sub;
    struct bao_reporter *r = c->r;
    bool yes;

    report_unless(r, sub->dynamic_ref, c->node, c->step);
    for (uint32_t i = 0; i < sub->n_all; i++)
        report_unless(r, sub->all[i], c->node, c->step);
    bao_blame_branches(c, sub->any, sub->n_any, false);
    bao_blame_branches(c, sub->one, sub->n_one, true);
    if (sub->if_ != NULL && asks_cheaply(c, sub->if_, "if", &yes))
        report_unless(r, yes ? sub->then : sub->otherwise, c->node, c->step);
    if (sub->not_ != NULL && asks_cheaply(c, sub->not_, "not", &yes) && yes)
        bao_report_add(c, BAO_BC_NOT, "not");
}

static size_t said(const struct bao_reporter *r)
{
    return r->findings->n + r->findings->dropped;
}

static void report_own(const struct bao_case *c)
{
    bool wrong = bao_blame_value(c);

    if (bao_node_is_number(c->node) && !wrong)
        bao_blame_number(c);
    if (c->node->type == BAO_STRING && !wrong)
        bao_blame_text(c);
    if (c->node->type == BAO_LIST)
        report_list(c);
    if (c->node->type == BAO_MAP) {
        report_map(c);
        report_dependents(c);
    }
}

/* Says what it can of one sub, but for what it refers to. */
static void report_one(const struct bao_case *c)
{
    size_t before = said(c->r);

    if (c->sub->is_bad) {
        struct bao_str name =
            c->step->member != NULL ? bao_member_key(c->step->member) : bao_report_value(c->r, c->node).vi;

        bao_finding_arg(bao_report_add(c, BAO_BC_NOT_ALLOWED, NULL), name);
        return;
    }
    if (bao_blame_type(c))
        return;
    report_own(c);
    report_static(c);
    report_applied(c);
    if (said(c->r) == before && bao_report_accepts(c->r, c->sub->ref, c->node))
        report_unevaluated(c);
}

void bao_report_sub(struct bao_reporter *r, const struct bao_sub *sub, const struct bao_node *node,
                    const struct bao_step *step)
{
    size_t before = said(r);
    const struct bao_sub *last = sub;

    if (r->depth >= MOST_DEPTH) {
        const struct bao_case c = {.r = r, .sub = sub, .node = node, .step = step};

        bao_report_add(&c, BAO_BC_NO_FIT, NULL);
        return;
    }
    r->depth++;
    /* A chain of references is walked, not climbed: it may be long. */
    for (; sub != NULL && r->error == 0 && --r->left >= 0; sub = sub->ref) {
        const struct bao_case c = {.r = r, .sub = sub, .node = node, .step = step};

        last = sub;
        report_one(&c);
        if (said(r) != before || bao_report_accepts(r, sub->ref, node))
            break;
    }
    /* Something refused it: if nothing above could say what, at least the place is told. */
    if (said(r) == before && r->error == 0) {
        const struct bao_case c = {.r = r, .sub = last, .node = node, .step = step};

        bao_report_add(&c, r->costly ? BAO_BC_TOO_COSTLY : BAO_BC_NO_FIT, NULL);
        r->costly = false;
    }
    r->depth--;
}

/* ---- from outside ---- */

int bao_schema_report(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                      const struct bao_node *value, struct bao_schema_at at, struct bao_findings *findings)
{
    struct bao_reporter r = {.schema = schema,
                             .scratch = scratch,
                             .findings = findings,
                             .arena = findings->arena,
                             .at = at,
                             .left = MOST_SUBS,
                             .guesses = MOST_GUESSES};
    struct bao_step top = {.up = NULL};
    const struct bao_case c = {.r = &r, .sub = schema->root, .node = value, .step = &top};

    bao_run_start(scratch);
    if (!bao_report_accepts(&r, schema->root, value))
        bao_report_sub(&r, schema->root, value, &top);
    if (r.error == -E2BIG) {
        bao_report_add(&c, BAO_BC_TOO_COSTLY, NULL);
        return 0;
    }
    return r.error;
}
