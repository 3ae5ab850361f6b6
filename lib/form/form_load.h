/* Parts of the form loader that share its state; for lib/form/form*.c alone. */
#pragma once

#include "lib/form/form.h"

struct bao_form_loader {
    struct bao_form *form;
    struct bao_reader reader; /* the form's arena; findings of its mistakes */
    bool period_known;        /* the type of period could be read */
};

/* The keys of the document but schema and checks: form_fields.c. false: there are findings. */
struct bao_form_top {
    int mark, version;
    struct bao_str id, programme;
    struct bao_text2 title;
    const struct bao_node *basis, *reporters, *period, *deadline, *lock, *effective, *schema, *checks,
        *indicators, *collect;
    uint8_t nil, is_signed;
};

/* Reads the document's top map and everything in it that needs no schema. */
bool bao_form_read_top(struct bao_form_loader *l, struct bao_form_top *ret_top) BAO_MUST_CHECK;
/* Indicators without their expressions; then, when these are loaded, who has their fields. form_indicators.c
 */
bool bao_form_read_indicators(struct bao_form_loader *l, const struct bao_node *list) BAO_MUST_CHECK;
/* Loads the expressions of indicators and collect. 0 also when there are findings; <0. */
int bao_form_load_rules(struct bao_form_loader *l, const struct bao_form_top *top) BAO_MUST_CHECK;
/* Walks the inner schema for what a form adds to JSON Schema: x-for, x-key, x-personal.
 * form_schema.c */
bool bao_form_read_schema(struct bao_form_loader *l);

/* "kho_khan.ma" as steps in the arena; {NULL, 0} without memory. */
struct bao_data_path bao_data_path_parse(struct bao_arena *arena, struct bao_str dotted);
/* The next item of an array in the arena that grows by doubling; NULL without memory. */
void *bao_grow(struct bao_arena *arena, const void *items, size_t n, size_t size) BAO_MUST_CHECK;
