#include "lib/schema/keyword.h"

#include "lib/base/utf8.h"

static const struct bao_keyword table[BAO_KW_COUNT] = {
#define X(id, name_, vocab_, shape_) [BAO_KW_##id] = {name_, BAO_VOCAB_##vocab_, BAO_SHAPE_##shape_},
    BAO_KEYWORDS(X)
#undef X
};

const struct bao_keyword *bao_keyword_info(enum bao_kw kw)
{
    return &table[kw];
}

enum bao_kw bao_keyword_of(struct bao_str name)
{
    for (int i = 0; i < BAO_KW_COUNT; i++)
        if (name.n != 0 && table[i].name[0] == name.p[0] && bao_str_is(name, table[i].name))
            return (enum bao_kw)i;
    return BAO_KW_COUNT;
}

size_t bao_name_distance(struct bao_arena *a, struct bao_str written, struct bao_str known)
{
    struct bao_str folded = bao_utf8_fold(a, written), other = bao_utf8_fold(a, known);
    size_t limit = written.n < 6 ? 1 : written.n < 12 ? 2 : 3, d;

    if (folded.p == NULL || other.p == NULL)
        return SIZE_MAX;
    d = bao_utf8_distance(folded, other, limit);
    return d <= limit ? d : SIZE_MAX;
}

const char *bao_keyword_nearest(struct bao_arena *a, struct bao_str name)
{
    struct bao_str folded = bao_utf8_fold(a, name);
    const char *best = NULL;
    size_t limit = name.n < 6 ? 1 : name.n < 12 ? 2 : 3;

    if (folded.p == NULL)
        return NULL;
    for (int i = 0; i < BAO_KW_COUNT; i++) {
        struct bao_str known = bao_utf8_fold(a, bao_str_c(table[i].name));
        size_t d = known.p == NULL ? limit + 1 : bao_utf8_distance(folded, known, limit);

        if (d <= limit && (best == NULL || d < limit)) {
            best = table[i].name;
            limit = d;
        }
    }
    return best;
}

unsigned bao_vocab_of(struct bao_str uri)
{
    static const char text[] = "https://json-schema.org/draft/2020-12/vocab/";
    struct bao_str prefix = {text, sizeof(text) - 1};
    static const char *const names[] = {"core",      "applicator",        "unevaluated",      "validation",
                                        "meta-data", "format-annotation", "format-assertion", "content"};

    if (uri.n <= prefix.n || memcmp(uri.p, prefix.p, prefix.n) != 0)
        return 0;
    for (unsigned i = 0; i < BAO_COUNT(names); i++)
        if (bao_str_is((struct bao_str){uri.p + prefix.n, uri.n - prefix.n}, names[i]))
            return 1u << i;
    return 0;
}

void bao_keywords_get(const struct bao_node *schema, unsigned vocab, struct bao_keywords *ret)
{
    *ret = (struct bao_keywords){.at = {NULL}};
    for (uint32_t i = 0; schema->type == BAO_MAP && i < schema->len; i++) {
        enum bao_kw kw = bao_keyword_of(bao_member_key(&schema->members[i]));

        if (kw == BAO_KW_FORMAT && (vocab & BAO_VOCAB_FORMAT_ASSERTION) != 0)
            ret->at[kw] = &schema->members[i].value;
        else if (kw != BAO_KW_COUNT && (vocab & table[kw].vocab) != 0)
            ret->at[kw] = &schema->members[i].value;
    }
}
