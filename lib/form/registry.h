/* The province's units through time, its scopes and their members. forms.md section 8.
 *
 * Immutable once loaded; lives in its arena; shared by reference between threads. */
#pragma once

#include "lib/doc/tree.h"
#include "lib/form/calendar.h"

struct bao_was {
    struct bao_str code;
    bool whole;            /* no share given */
    struct bao_num share;  /* 0 < share <= 1 when not whole */
};

struct bao_parent {
    struct bao_str tree;
    struct bao_str code;
};

struct bao_unit {
    struct bao_str code, kind, name, name_en;
    struct bao_str fold;  /* bao_utf8_fold(name), for finding by name */
    bao_date from;        /* first day it exists */
    bao_date to;          /* last day it exists; BAO_DATE_NONE = still */
    const struct bao_str *groups;
    size_t n_groups;
    const struct bao_parent *parents;
    size_t n_parents;
    const struct bao_was *was; /* predecessors whose debts and figures it takes over */
    size_t n_was;
    struct bao_place at;
};

struct bao_group {
    struct bao_str id, name, name_en;
};

/* One aggregation scope: the province ("66"), a kind ("kind:ward"), a group ("group:phu-yen-cu"), a node of
 * a tree that has children ("state:66"). The id is stable. */
struct bao_scope {
    struct bao_str id, name, name_en;
    uint8_t type; /* enum bao_scope_type */
};

enum bao_scope_type { BAO_SCOPE_PROVINCE, BAO_SCOPE_KIND, BAO_SCOPE_GROUP, BAO_SCOPE_NODE };

/* unit belongs to scope from..to (to BAO_DATE_NONE = open): the closure. */
struct bao_membership {
    uint32_t scope, unit; /* indexes */
    bao_date from, to;
};

struct bao_programme {
    struct bao_str id, title, title_en;
};

struct bao_target {
    struct bao_str form, code, unit, scope;
    int year;
    struct bao_num value;
};

struct bao_registry {
    struct bao_str province, name, name_en, timezone;
    int offset; /* seconds east of UTC */
    struct bao_unit *units; /* by code; the same code may stand several times with windows that do not overlap */
    size_t n_units;
    struct bao_group *groups;
    size_t n_groups;
    struct bao_scope *scopes;
    size_t n_scopes;
    struct bao_membership *memberships;
    size_t n_memberships;
    struct bao_programme *programmes;
    size_t n_programmes;
    struct bao_target *targets;
    size_t n_targets;
    struct bao_holidays holidays;
};

enum bao_registry_outcome { BAO_REGISTRY_E_BAD = 1 /* findings say why */ };

/* The documents of one province folder; a NULL root = file not there (only units is required). */
struct bao_registry_files {
    const struct bao_node *units, *holidays, *targets, *programmes;
};

int bao_registry_load(struct bao_arena *arena, const struct bao_registry_files *files,
                      struct bao_findings *findings, struct bao_registry *ret) BAO_MUST_CHECK;
/* The unit of that code on that day; NULL when it does not exist then. */
const struct bao_unit *bao_registry_unit(const struct bao_registry *r, struct bao_str code, bao_date day);
/* Any entry of that code, whatever the day; NULL when the code is nobody's. */
const struct bao_unit *bao_registry_any(const struct bao_registry *r, struct bao_str code);
/* Indexes of the scopes that hold the unit (index) on that day; at most size; gives their number. */
size_t bao_registry_scopes_of(const struct bao_registry *r, size_t unit, bao_date day, uint32_t *ret, size_t size);
