/* A blank report of a form: every member with its title, hint, type and allowed values as comments. */
#pragma once

#include "lib/base/buf.h"
#include "lib/form/form.h"

struct cli_template {
    const struct bao_form *form;
    enum bao_lang lang;
    struct bao_str kind; /* of the unit: parts for other kinds are left out; empty: all parts */
    struct bao_arena *arena;
    /* From an earlier report; NULL: none. */
    const struct bao_node *before;
    /* Is an item of a list still open, to be carried over? NULL: nothing is carried. */
    bool (*is_open)(void *user, struct bao_data_path list, const struct bao_node *item);
    void *user;
};

/* Appends the lines under `data:`. 0, or <0. */
int cli_template_data(const struct cli_template *t, struct bao_buf *out) BAO_MUST_CHECK;
