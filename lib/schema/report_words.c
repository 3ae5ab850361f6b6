/* The words findings are made of: values, counts, kinds and titles. */
#include "lib/schema/reporter.h"

#include "lib/base/buf.h"

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
