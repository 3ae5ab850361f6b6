#include "lib/form/parts.h"

#include "lib/text/catalogue.h"

struct visit {
    const struct bao_reader *reader;
    const struct bao_part *part;
    bool is_ours;
};

/* Paths begin at the data, as rules and explanations write them. */
static struct bao_finding *in_data(struct bao_finding *f)
{
    static const char data[] = "data.";
    size_t n = sizeof(data) - 1;

    if (f != NULL && f->path.n > n && memcmp(f->path.p, data, n) == 0)
        f->path = (struct bao_str){f->path.p + n, f->path.n - n};
    return f;
}

static void arg_title(struct bao_finding *f, const struct bao_part *part)
{
    if (part->title.vi.n == 0)
        bao_finding_arg(f, part->path.steps[part->path.n - 1]);
    else
        bao_finding_arg2(f, part->title.vi, part->title.en.n != 0 ? part->title.en : part->title.vi);
}

/* Walks to every map that may hold the part's last step; depth is that of the form's path. */
static void visit(const struct visit *v, const struct bao_node *node, size_t at)
{
    struct bao_str step = v->part->path.steps[at];
    const struct bao_member *m;
    struct bao_finding *f;

    if (bao_str_is(step, "*")) {
        for (uint32_t i = 0; node->type == BAO_LIST && i < node->len && at + 1 < v->part->path.n; i++)
            visit(v, &node->items[i], at + 1);
        return;
    }
    if (node->type != BAO_MAP)
        return;
    m = bao_node_member(node, step);
    if (at + 1 < v->part->path.n) {
        if (m != NULL)
            visit(v, &m->value, at + 1);
    } else if (m != NULL && !v->is_ours) {
        f = in_data(bao_complain_key(v->reader, BAO_BC_REPORT_PART_NOT_OURS, m));
        arg_title(f, v->part);
    } else if (m == NULL && v->is_ours && v->part->required) {
        f = in_data(bao_complain(v->reader, BAO_BC_REPORT_PART_MISSING, node));
        arg_title(f, v->part);
        bao_finding_arg(f, step);
    }
}

void bao_judge_parts(const struct bao_reader *reader, const struct bao_form *form,
                     const struct bao_node *data, struct bao_str kind)
{
    for (size_t i = 0; i < form->n_parts; i++) {
        const struct visit v = {reader, &form->parts[i],
                                bao_kind_in(kind, form->parts[i].kinds, form->parts[i].n_kinds)};

        visit(&v, data, 0);
    }
}
