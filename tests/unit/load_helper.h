/* For the tests of lib/doc: one load, and what came of it as text. */
#pragma once

#include "lib/base/buf.h"
#include "lib/doc/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct loaded {
    struct bao_arena arena;
    struct bao_findings findings;
    struct bao_doc doc;
    int r;
};

static inline void load_with(struct loaded *l, struct bao_str text, const struct bao_load_options *options)
{
    memset(l, 0, sizeof(*l));
    bao_findings_init(&l->findings, &l->arena, 10);
    l->r = bao_load(&l->arena, text, options, &l->findings, &l->doc);
}

static inline void load(struct loaded *l, struct bao_str text, enum bao_load_mode mode,
                        enum bao_load_format format)
{
    load_with(l, text, &(struct bao_load_options){mode, format, BAO_LOAD_LIMITS_DEFAULT});
}

static inline void unload(struct loaded *l)
{
    bao_arena_deinit(&l->arena);
}

/* The JSON text of the tree, NUL-terminated, in the arena. */
static inline const char *json_of(struct loaded *l)
{
    struct bao_buf out = BAO_BUF_NULL((size_t)1 << 28);
    const char *copy;

    assert_int_equal(bao_node_print_json(&out, &l->doc.root), 0);
    copy = bao_arena_dup(&l->arena, bao_buf_data(&out), bao_buf_len(&out));
    bao_buf_deinit(&out);
    return copy;
}

/* A document that loads, and as what. */
struct accept {
    const char *text, *json;
};

/* One that does not: the finding's code and place, and its first argument unless NULL. */
struct refuse {
    const char *text;
    unsigned code, line, column;
    const char *arg;
};

static inline void check_accept(const struct accept *row, enum bao_load_mode mode,
                                enum bao_load_format format)
{
    struct loaded l;

    load(&l, bao_str_c(row->text), mode, format);
    if (l.r != 0)
        print_error("refused (%u): %s\n", l.findings.n == 0 ? 0 : l.findings.items[0].code, row->text);
    assert_int_equal(l.r, 0);
    assert_string_equal(json_of(&l), row->json);
    unload(&l);
}

static inline void check_finding(const struct loaded *l, const struct refuse *row)
{
    const struct bao_finding *f = l->findings.items;

    if (l->r != BAO_LOAD_E_REFUSED || f->code != row->code || f->at.line != row->line ||
        f->at.column != row->column)
        print_error("answer %d, BC%u at %u:%u for: %s\n", l->r, l->findings.n == 0 ? 0 : f->code,
                    l->findings.n == 0 ? 0 : f->at.line, l->findings.n == 0 ? 0 : f->at.column, row->text);
    assert_int_equal(l->r, BAO_LOAD_E_REFUSED);
    assert_int_equal(l->findings.n, 1);
    assert_int_equal(f->code, row->code);
    assert_int_equal(f->at.line, row->line);
    assert_int_equal(f->at.column, row->column);
    assert_true(f->at.offset + f->at.length <= strlen(row->text) || row->text[0] == '\0');
    if (row->arg != NULL) {
        assert_true(f->n_args >= 1);
        assert_true(bao_str_is(f->args[0].vi, row->arg));
    }
}

static inline void check_refuse(const struct refuse *row, enum bao_load_mode mode,
                                enum bao_load_format format)
{
    struct loaded l;

    load(&l, bao_str_c(row->text), mode, format);
    check_finding(&l, row);
    unload(&l);
}
