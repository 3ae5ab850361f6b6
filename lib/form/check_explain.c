/* Explanations of confirm checks: explain: {id: text}, or {id: {item key: text}}. */
#include "lib/form/check.h"

#include "lib/base/utf8.h"

enum { LETTERS_MIN = 10 };

/* Letters of any script, near enough: neither digits, signs, spaces nor combining marks. */
static bool is_letter(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {'A', 'Z'},       {'a', 'z'},       {0xc0, 0xd6},       {0xd8, 0xf6},
        {0xf8, 0x2c1},    {0x370, 0x482},   {0x48a, 0x1fff},    {0x2c00, 0x2dff},
        {0x3041, 0xd7ff}, {0xf900, 0xfdff}, {0xfe70, 0xfefc},   {0xff21, 0xff3a},
        {0xff41, 0xff5a}, {0xff66, 0xffdc}, {0x10000, 0x1cfff}, {0x20000, 0x3ffff},
    };

    for (size_t i = 0; i < BAO_COUNT(ranges); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

static size_t count_letters(struct bao_str text)
{
    const char *p = text.p, *end = text.p + text.n;
    size_t n = 0;
    uint32_t c;

    while (p < end) {
        p += bao_utf8_get(p, end, &c);
        n += is_letter(c);
    }
    return n;
}

/* The member for an item's key: as one word ("O1.KR2"), or a map in the map (O1: {KR2: …}). */
static const struct bao_node *of_item(const struct bao_node *map, struct bao_str item)
{
    const struct bao_member *m = bao_node_member(map, item);
    const char *dot;
    size_t n;

    if (m != NULL || item.n == 0)
        return m == NULL ? NULL : &m->value;
    dot = memchr(item.p, '.', item.n);
    if (dot == NULL)
        return NULL;
    n = (size_t)(dot - item.p);
    m = bao_node_member(map, (struct bao_str){item.p, n});
    return m == NULL || m->value.type != BAO_MAP
               ? NULL
               : of_item(&m->value, (struct bao_str){dot + 1, item.n - n - 1});
}

enum check_explained bao_check_explanation(const struct bao_node *explain, const struct bao_check *check,
                                           struct bao_str item, const struct bao_node **ret_node)
{
    const struct bao_member *m = explain == NULL ? NULL : bao_node_member(explain, check->id);
    const struct bao_node *node = m == NULL ? NULL : &m->value;

    if (node != NULL && check->per_item && node->type != BAO_NULL) {
        if (node->type != BAO_MAP) {
            *ret_node = node;
            return CHECK_EXPLAINED_WHOLE;
        }
        node = of_item(node, item);
    }
    if (node == NULL || node->type == BAO_NULL)
        return CHECK_UNEXPLAINED;
    *ret_node = node;
    if (node->type != BAO_STRING)
        return CHECK_EXPLAINED_SHAPE;
    return count_letters(bao_node_str(node)) >= LETTERS_MIN ? CHECK_EXPLAINED_WELL : CHECK_EXPLAINED_SHORT;
}

static struct bao_str explain_pointer(struct bao_arena *arena, struct bao_str id, struct bao_str item)
{
    if (item.n == 0)
        return bao_arena_printf(arena, "/explain/%.*s", BAO_STR_ARG(id));
    return bao_arena_printf(arena, "/explain/%.*s/%.*s", BAO_STR_ARG(id), BAO_STR_ARG(item));
}

int bao_check_explain_complain(struct bao_findings *findings, const struct bao_check *check,
                               struct bao_str item, enum check_explained how, const struct bao_node *node)
{
    static const struct {
        const char *vi, *en;
    } kinds[] = {
        [BAO_NULL] = {"giá trị trống", "nothing"}, [BAO_BOOL] = {"true hay false", "true or false"},
        [BAO_INT] = {"một con số", "a number"},    [BAO_DEC] = {"một con số", "a number"},
        [BAO_STRING] = {"văn bản", "text"},        [BAO_LIST] = {"một danh sách", "a list"},
        [BAO_MAP] = {"một nhóm trường", "a map"},
    };
    static const uint16_t codes[] = {
        [CHECK_EXPLAINED_SHORT] = BAO_BC_EXPLAIN_SHORT,
        [CHECK_EXPLAINED_SHAPE] = BAO_BC_EXPLAIN_SHAPE,
        [CHECK_EXPLAINED_WHOLE] = BAO_BC_EXPLAIN_PER_ITEM,
    };
    struct bao_finding *f = bao_findings_add(findings, codes[how], BAO_CONFIRM, bao_node_place(node));

    if (f == NULL)
        return 0;
    f->check = check->id;
    f->item = item;
    f->pointer =
        explain_pointer(findings->arena, check->id, how == CHECK_EXPLAINED_WHOLE ? BAO_STR_NULL : item);
    bao_finding_arg(f, check->id);
    if (how == CHECK_EXPLAINED_SHORT)
        bao_finding_arg(f, bao_arena_printf(findings->arena, "%zu", count_letters(bao_node_str(node))));
    else if (how == CHECK_EXPLAINED_SHAPE)
        bao_finding_arg2(f, bao_str_c(kinds[node->type].vi), bao_str_c(kinds[node->type].en));
    else
        bao_finding_arg(f, item);
    return f->pointer.p == NULL ? -ENOMEM : 0;
}

int bao_check_explain_unknown(struct bao_findings *findings, const struct bao_form *form,
                              const struct bao_node *explain)
{
    struct bao_str *ids;

    if (explain == NULL || explain->type != BAO_MAP || explain->len == 0)
        return 0;
    ids = bao_arena_array(findings->arena, form->n_checks + 1, sizeof(*ids));
    if (ids == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < form->n_checks; i++)
        ids[i] = form->checks[i].id;
    for (uint32_t i = 0; i < explain->len; i++) {
        const struct bao_member *m = &explain->members[i];
        struct bao_finding *f;
        size_t k = 0;

        while (k < form->n_checks && !bao_str_eq(ids[k], bao_member_key(m)))
            k++;
        if (k < form->n_checks)
            continue;
        k = bao_nearest_str(findings->arena, bao_member_key(m), ids, form->n_checks);
        f = bao_findings_add(findings,
                             k < form->n_checks ? BAO_BC_EXPLAIN_UNKNOWN_NEAR : BAO_BC_EXPLAIN_UNKNOWN,
                             BAO_WARNING, bao_member_place(m));
        bao_finding_arg(f, bao_member_key(m));
        if (k < form->n_checks)
            bao_finding_arg(f, ids[k]);
        if (f != NULL)
            f->pointer = explain_pointer(findings->arena, bao_member_key(m), BAO_STR_NULL);
    }
    return 0;
}
