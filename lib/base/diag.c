#include "lib/base/diag.h"
#include "lib/base/error.h"

void bao_findings_init(struct bao_findings *f, struct bao_arena *arena, size_t cap)
{
    *f = (struct bao_findings){.arena = arena, .cap = cap};
}

static bool make_room(struct bao_findings *f)
{
    size_t size = f->size == 0 ? 8 : f->size * 2;
    struct bao_finding *items;

    if (f->n < f->size)
        return true;
    items = bao_arena_array(f->arena, size, sizeof(*items));
    if (items == NULL) {
        f->no_memory = true;
        return false;
    }
    if (f->n != 0)
        memcpy(items, f->items, f->n * sizeof(*items));
    f->items = items;
    f->size = size;
    return true;
}

struct bao_finding *bao_findings_add(struct bao_findings *f, unsigned code, enum bao_severity severity,
                                     struct bao_place at)
{
    struct bao_finding *finding;

    f->by_severity[severity]++;
    if (f->n >= f->cap || !make_room(f)) {
        f->dropped++;
        return NULL;
    }
    finding = &f->items[f->n++];
    *finding = (struct bao_finding){
        .code = (uint16_t)code, .severity = (uint8_t)severity, .at = at, .in_json = f->in_json};
    return finding;
}

void bao_finding_arg2(struct bao_finding *finding, struct bao_str vi, struct bao_str en)
{
    if (finding == NULL)
        return;
    bao_require(finding->n_args < BAO_FINDING_ARGS);
    finding->args[finding->n_args++] = (struct bao_arg){vi, en};
}

void bao_finding_arg(struct bao_finding *finding, struct bao_str value)
{
    bao_finding_arg2(finding, value, BAO_STR_NULL);
}

static int copy_text(struct bao_arena *arena, struct bao_str *s)
{
    struct bao_str copy = s->n == 0 ? BAO_STR("") : bao_arena_str(arena, *s);

    if (copy.p == NULL)
        return -ENOMEM;
    *s = copy;
    return 0;
}

static int copy_finding(struct bao_arena *arena, struct bao_finding *f)
{
    struct bao_str *texts[] = {&f->pointer,        &f->keyword,         &f->path,
                               &f->titles[BAO_VI], &f->titles[BAO_EN],  &f->check,
                               &f->item,           &f->message[BAO_VI], &f->message[BAO_EN]};
    int r = 0;

    for (size_t i = 0; r == 0 && i < BAO_COUNT(texts); i++)
        r = copy_text(arena, texts[i]);
    for (size_t i = 0; r == 0 && i < f->n_args; i++) {
        r = copy_text(arena, &f->args[i].vi);
        /* A missing English text says that both languages share the Vietnamese one. */
        if (r == 0 && f->args[i].en.p != NULL)
            r = copy_text(arena, &f->args[i].en);
    }
    return r;
}

int bao_findings_copy(const struct bao_findings *from, struct bao_arena *arena, struct bao_findings *ret)
{
    struct bao_findings copy = *from;
    int r = 0;

    copy.arena = arena;
    copy.size = from->n;
    copy.items = bao_arena_array(arena, from->n, sizeof(*copy.items));
    if (copy.items == NULL)
        return -ENOMEM;
    if (from->n != 0)
        memcpy(copy.items, from->items, from->n * sizeof(*copy.items));
    for (size_t i = 0; r == 0 && i < copy.n; i++)
        r = copy_finding(arena, &copy.items[i]);
    if (r == 0)
        *ret = copy;
    return r;
}

static bool comes_after(const struct bao_finding *a, const struct bao_finding *b)
{
    if (a->at.line != b->at.line)
        return a->at.line > b->at.line;
    if (a->at.column != b->at.column)
        return a->at.column > b->at.column;
    return a->code > b->code;
}

/* Insertion sort: stable, and lists are capped in the hundreds and nearly ordered already. */
void bao_findings_sort(struct bao_findings *f)
{
    for (size_t i = 1; i < f->n; i++) {
        struct bao_finding x = f->items[i];
        size_t k = i;

        for (; k > 0 && comes_after(&f->items[k - 1], &x); k--)
            f->items[k] = f->items[k - 1];
        f->items[k] = x;
    }
}
