/* The province's units through time, its scopes and their members. forms.md section 8.
 *
 * Immutable once loaded; lives in its arena; shared by reference between threads. */
#pragma once

#include "lib/form/calendar.h"

struct bao_was {
    struct bao_str code;
    bool whole;           /* no share given */
    struct bao_num share; /* 0 < share <= 1 when not whole; 0 = a part that nobody has stated: it carries
                             neither debts nor figures, which stay with the others, as an estimate */
};

struct bao_parent {
    struct bao_str tree;
    struct bao_str code;
};

struct bao_unit {
    struct bao_str code, kind, name, name_en;
    struct bao_str fold; /* bao_utf8_fold(name), for finding by name */
    bao_date from;       /* first day it exists */
    bao_date to;         /* last day it exists; BAO_DATE_NONE = still */
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

/* A kind of unit: those every province has (forms.md section 2), then the registry's own. */
struct bao_kind {
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
    struct bao_str id;
    struct bao_text2 title;
    struct bao_str basis;
};

/* A target of one unit or of one scope; the other is empty. */
struct bao_target {
    struct bao_str form, code, unit, scope, basis;
    int year;
    struct bao_num value;
    struct bao_place at;
};

struct bao_registry {
    struct bao_str province, name, name_en, timezone;
    int offset; /* seconds east of UTC */
    const struct bao_str *trees;
    size_t n_trees;
    struct bao_kind *kinds;
    size_t n_kinds;
    struct bao_unit
        *units; /* by code, then from; the same code may stand several times, windows not overlapping */
    size_t n_units;
    struct bao_group *groups;
    size_t n_groups;
    struct bao_scope *scopes;
    size_t n_scopes;
    struct bao_membership *memberships; /* by unit, scope, from */
    size_t n_memberships;
    struct bao_programme *programmes;
    size_t n_programmes;
    struct bao_target *targets;
    size_t n_targets;
    struct bao_holidays holidays;
};

enum bao_registry_outcome { BAO_REGISTRY_E_BAD = 1 /* findings say why */ };

/* One file of a province folder, loaded into the same arena as the registry will be; findings are its own. */
struct bao_registry_file {
    const struct bao_doc *doc; /* NULL = file not there (only units.yaml is required) */
    struct bao_findings *findings;
};

struct bao_registry_files {
    struct bao_registry_file units, holidays, targets, programmes;
};

/* Reads and links the files; texts are borrowed from their documents. Without holidays.yaml every date is
 * provisional. 0, BAO_REGISTRY_E_BAD (see each file's findings) or -ENOMEM. */
int bao_registry_load(struct bao_arena *arena, const struct bao_registry_files *files,
                      struct bao_registry *ret) BAO_MUST_CHECK;
/* The unit of that code on that day; NULL when it does not exist then. */
const struct bao_unit *bao_registry_unit(const struct bao_registry *r, struct bao_str code, bao_date day);
/* How many units there are on that day. */
size_t bao_registry_count(const struct bao_registry *r, bao_date day);
/* Any entry of that code, whatever the day; NULL when the code is nobody's. */
const struct bao_unit *bao_registry_any(const struct bao_registry *r, struct bao_str code);
/* Indexes of the scopes that hold the unit (index) on that day; at most size; gives their number. */
size_t bao_registry_scopes_of(const struct bao_registry *r, size_t unit, bao_date day, uint32_t *ret,
                              size_t size);
/* Does `unit` (index) belong to the scope on that day? */
bool bao_registry_is_member(const struct bao_registry *r, size_t unit, uint32_t scope, bao_date day);
/* The scope of that id, or -1. */
int64_t bao_registry_scope(const struct bao_registry *r, struct bao_str id);
/* What a kind of unit that every province has is called ("Phường", "Wards"); NULL for a province's own. */
const char *bao_kind_title(struct bao_str id, enum bao_lang lang);
/* Who answers on `day` for what `code` owed: the unit itself while it exists, else the one that took over the
 * whole of it (or its largest share), through any number of mergers. NULL when there is nobody. */
const struct bao_unit *bao_registry_successor(const struct bao_registry *r, struct bao_str code,
                                              bao_date day);
/* First day of the unit that has this code on `day`; BAO_DATE_NONE when there is none. A code goes on through
 * a change of kind, name or parents; where its next entry takes others over, where another unit takes a part
 * of it that day, and where days lie between, another unit begins. */
bao_date bao_registry_since(const struct bao_registry *r, struct bao_str code, bao_date day);
/* Units of that day whose name is this one but for case, accents and the place of tone marks (Hoà, Hòa):
 * indexes, at most size; gives their number. `arena` for the folding only. */
size_t bao_registry_named(const struct bao_registry *r, struct bao_arena *arena, struct bao_str name,
                          bao_date day, uint32_t *ret, size_t size);
/* The same among units that ended before that day. */
size_t bao_registry_once_named(const struct bao_registry *r, struct bao_arena *arena, struct bao_str name,
                               bao_date day, uint32_t *ret, size_t size);
/* Entries of any day whose code begins with the text or whose name has it at the beginning of a word, by the
 * same folding: indexes, each code once, at most size; gives their number. */
size_t bao_registry_search(const struct bao_registry *r, struct bao_arena *arena, struct bao_str text,
                           uint32_t *ret, size_t size);
/* Is this text the shape of a unit code? [0-9A-Za-z][0-9A-Za-z.-]{0,31} */
bool bao_is_unit_code(struct bao_str s);
