/* Any octets through the loader, in every mode and format: a document or one finding with a place inside the
 * text; and what was loaded prints to JSON that loads again as the same value with the same hash. */
#include "lib/base/buf.h"
#include "lib/base/utf8.h"
#include "lib/doc/build.h"
#include "tests/unit/same_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(struct bao_str source, uint32_t line, uint32_t column, uint32_t offset,
                        uint32_t extent)
{
    bao_require(line >= 1 && column >= 1);
    bao_require((size_t)offset + extent <= source.n);
    bao_require(offset == source.n || ((uint8_t)source.p[offset] & 0xc0) != 0x80);
}

/* Every value has its place, and its texts end in NUL. */
static uint32_t check_node(struct bao_str source, const struct bao_node *node)
{
    uint32_t nodes = 1;

    check_place(source, node->line, node->column, node->offset, node->extent);
    if (node->type == BAO_STRING)
        bao_require(node->str[node->len] == '\0' && bao_utf8_valid(bao_node_str(node)) == node->len);
    for (uint32_t i = 0; node->type == BAO_LIST && i < node->len; i++)
        nodes += check_node(source, &node->items[i]);
    for (uint32_t i = 0; node->type == BAO_MAP && i < node->len; i++) {
        const struct bao_member *m = &node->members[i];

        check_place(source, m->line, m->column, m->offset, m->extent);
        bao_require(m->key[m->key_len] == '\0' && m->hash == bao_key_hash(m->key, m->key_len));
        bao_require(bao_node_member(node, bao_member_key(m)) == m);
        nodes += check_node(source, &m->value);
    }
    return nodes;
}

static void check_again(struct bao_arena *arena, const struct bao_node *root)
{
    struct bao_load_options options = {BAO_LOAD_PLAIN, BAO_FORMAT_JSON, BAO_LOAD_LIMITS_DEFAULT};
    struct bao_buf text = BAO_BUF_NULL((size_t)1 << 30);
    struct bao_findings findings;
    struct bao_doc again;
    uint8_t first[32], second[32];

    /* Escapes and aliases make the text longer than what was read. */
    options.limits.octets = (size_t)1 << 30;
    bao_findings_init(&findings, arena, 1);
    bao_require(bao_node_print_json(&text, root) == 0);
    bao_require(bao_load(arena, bao_buf_str(&text), &options, &findings, &again) == 0);
    bao_require(bao_node_equal(root, &again.root) && bao_node_cmp(root, &again.root) == 0);
    bao_require(bao_node_hash(root, first) == 0 && bao_node_hash(&again.root, second) == 0);
    bao_require(memcmp(first, second, sizeof(first)) == 0);
    bao_buf_deinit(&text);
}

static void load(struct bao_str text, enum bao_load_mode mode, enum bao_load_format format)
{
    const struct bao_load_options options = {mode, format, BAO_LOAD_LIMITS_DEFAULT};
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_doc doc;
    int r;

    bao_findings_init(&findings, &arena, 4);
    r = bao_load(&arena, text, &options, &findings, &doc);
    bao_require(r == 0 || r == BAO_LOAD_E_REFUSED);
    if (r == 0) {
        bao_require(findings.n == 0);
        bao_require(check_node(doc.source, &doc.root) == doc.n_nodes);
        check_again(&arena, &doc.root);
    } else {
        bao_require(findings.n == 1 && findings.items[0].at.line >= 1);
        bao_require((size_t)findings.items[0].at.offset <= text.n * 2);
    }
}

/* To libyaml these end lines inside quotes, as they did in YAML 1.1. */
static bool has_old_line_ends(struct bao_str text)
{
    if (text.p == NULL)
        return false;
    if (text.n < 2)
        return false;
    return memmem(text.p, text.n, "\xc2\x85", 2) != NULL || memmem(text.p, text.n, "\xe2\x80", 2) != NULL ||
           ((uint8_t)text.p[0] | 1) == 0xff;
}

static void compare_places(const struct bao_node *a, const struct bao_node *b)
{
    bao_require(a->line == b->line && a->column == b->column && a->offset == b->offset &&
                a->extent == b->extent);
    for (uint32_t i = 0; a->type == BAO_LIST && i < a->len; i++)
        compare_places(&a->items[i], &b->items[i]);
    for (uint32_t i = 0; a->type == BAO_MAP && i < a->len; i++) {
        const struct bao_member *m = &a->members[i], *n = &b->members[i];

        bao_require(m->line == n->line && m->column == n->column && m->offset == n->offset &&
                    m->extent == n->extent);
        compare_places(&m->value, &n->value);
    }
}

static void compare_readers(struct bao_str text)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_doc docs[2];

    bao_findings_init(&findings, &arena, 4);
    for (int i = 0; i < 2; i++) {
        const struct bao_load_options options = {BAO_LOAD_PLAIN, i == 0 ? BAO_FORMAT_JSON : BAO_FORMAT_YAML,
                                                 BAO_LOAD_LIMITS_DEFAULT};

        if (bao_load(&arena, text, &options, &findings, &docs[i]) != 0)
            return;
    }
    bao_require(bao_node_equal(&docs[0].root, &docs[1].root));
    compare_places(&docs[0].root, &docs[1].root);
}

/* What the reader of plain YAML takes, libyaml takes too, and makes the very same of it. */
static void compare_plain(struct bao_str text, enum bao_load_mode mode)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_findings findings;
    struct bao_loading l = {.arena = &arena,
                            .text = text,
                            .mode = mode,
                            .limits = BAO_LOAD_LIMITS_DEFAULT,
                            .findings = &findings};
    struct bao_doc docs[2];

    bao_findings_init(&findings, &arena, 4);
    if (bao_yaml_read_plain(&l, &docs[0]) != 0) {
        bao_require(findings.n == 0);
        return;
    }
    bao_require(bao_yaml_read(&l, &docs[1]) == 0);
    bao_require(docs[0].n_nodes == docs[1].n_nodes && docs[0].is_json == docs[1].is_json);
    bao_require(same_tree(&docs[0].root, &docs[1].root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_str text = {(const char *)data, size};

    for (int mode = BAO_LOAD_PLAIN; mode <= BAO_LOAD_REPORT; mode++)
        for (int format = BAO_FORMAT_GUESS; format <= BAO_FORMAT_YAML; format++)
            load(text, (enum bao_load_mode)mode, (enum bao_load_format)format);
    if (size != 0 && !has_old_line_ends(text))
        compare_readers(text);
    if (size != 0 && data[0] != 0xef && bao_utf8_valid(text) == size) {
        compare_plain(text, BAO_LOAD_PLAIN);
        compare_plain(text, BAO_LOAD_REPORT);
    }
    return 0;
}
