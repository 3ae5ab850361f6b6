/* Inside lib/doc: the parts of the YAML reader. yaml.c alone knows libyaml; yaml_plain.c reads the common
 * case without it; yaml_scalar.c knows the YAML 1.2 core schema (chapter 10.3), yaml_errors.c what libyaml's
 * complaints mean to a clerk. */
#pragma once

#include "lib/doc/build.h"

/* What a plain scalar says by its form. */
enum bao_core {
    BAO_CORE_TEXT,
    BAO_CORE_NULL,
    BAO_CORE_TRUE,
    BAO_CORE_FALSE,
    BAO_CORE_INT,
    BAO_CORE_FLOAT,
    BAO_CORE_BASED, /* 0o17, 0xff */
    BAO_CORE_NOT_FINITE,
};

enum bao_core bao_core_of(struct bao_str s);
/* Makes the node what an unquoted scalar stands for that is neither TEXT nor NOT_FINITE, with its style: 0,
 * BAO_DEC_E_RANGE or -ENOMEM. */
int bao_core_set(struct bao_arena *a, struct bao_str s, enum bao_core core,
                 struct bao_node *node) BAO_MUST_CHECK;
/* Has it the shape of a Vietnamese thousand (forms.md 3.11)? */
bool bao_core_is_thousand(struct bao_str s);

/* A fault that libyaml found: its words and the octets it points to. */
struct bao_yaml_fault {
    const char *problem; /* never NULL */
    const char *context; /* "" when there is none */
    size_t at, context_at;
};

/* Puts a fault into a finding of ours: BAO_LOAD_E_REFUSED. */
int bao_yaml_refuse(struct bao_loading *l, const struct bao_yaml_fault *fault);

/* Surrogate halves in escapes, which libyaml refuses (forms.md 3.8). Gives the text with each \uD800..\uDFFF
 * replaced by \ufffd, in a copy if there is any: 0 or -ENOMEM. */
int bao_halves_hide(struct bao_loading *l, struct bao_str *ret_hidden) BAO_MUST_CHECK;
/* Puts them back into the value of a scalar read at that place; `escapes` says that it stands in double
 * quotes. 0, BAO_LOAD_E_REFUSED for a lone half, or -ENOMEM. */
int bao_halves_join(struct bao_loading *l, struct bao_str hidden, struct bao_place at, bool escapes,
                    struct bao_str *value) BAO_MUST_CHECK;
