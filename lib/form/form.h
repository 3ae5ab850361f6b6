/* Form definitions: the outer YAML document around a JSON Schema. forms.md section 2.
 *
 * A bao_form is immutable once loaded and shared between threads by reference. */
#pragma once

#include "lib/expr/expr.h"
#include "lib/form/calendar.h"
#include "lib/form/registry.h"
#include "lib/form/yaml_fields.h"
#include "lib/schema/schema.h"

enum { BAO_PERIOD_ONCE = 0 }; /* a form's period_type beside enum bao_period_type */
enum bao_missing { BAO_MISSING_SKIP_ANY, BAO_MISSING_SKIP_ALL, BAO_MISSING_ZERO, BAO_MISSING_FAIL };
enum bao_over { BAO_OVER_SUM, BAO_OVER_LAST, BAO_OVER_NONE };

struct bao_check; /* lib/form/checks.h */

struct bao_indicator {
    struct bao_str code;
    struct bao_text2 label, measure;
    const struct bao_expr *value; /* NULL for a ratio */
    int decimals;                 /* 0..6 */
    uint8_t over_units;           /* BAO_OVER_SUM or BAO_OVER_NONE */
    uint8_t over_time;            /* BAO_OVER_*; of a ratio: that of its parts, NONE when they differ */
    /* ratio */
    bool is_ratio, percent;
    uint16_t of, to; /* indexes of the indicators it divides */
    struct {
        int year;
        struct bao_num value;
    } * targets;
    size_t n_targets;
    int8_t direction; /* 1 up, -1 down, 0 not said */
    bool has_alert_below, has_alert_above;
    struct bao_num alert_below, alert_above;
    struct bao_str same_as; /* form/code or empty */
    const struct bao_str
        *kinds; /* unit kinds that have its fields (x-for); n_kinds 0 = all who owe the form */
    size_t n_kinds;
    struct bao_place at;
};

/* A place in the data of a report: member names, "*" for each item of a list. */
struct bao_data_path {
    const struct bao_str *steps;
    size_t n;
};

/* A part of the data that exists for some kinds of unit only (x-for). */
struct bao_part {
    struct bao_data_path path;
    const struct bao_str *kinds;
    size_t n_kinds;
    bool required;          /* for those kinds */
    struct bao_text2 title; /* may be empty */
};

/* A list whose items are told apart by a member (x-key). */
struct bao_keyed_list {
    struct bao_data_path path; /* of the list */
    struct bao_str key;
};

/* A narrative part for the synthesis. */
struct bao_collect {
    struct bao_str field; /* as written, dotted */
    struct bao_data_path path;
    bool is_list; /* of maps: `when` and columns speak of its items */
    struct bao_text2 heading;
    const struct bao_expr *when;   /* NULL: always */
    const struct bao_str *columns; /* n_columns 0: the whole value */
    size_t n_columns;
};

struct bao_form {
    struct bao_str id;
    int version;
    struct bao_text2 title;
    const struct bao_str *basis;
    size_t n_basis;
    struct bao_str programme;
    /* reporters: an absent list does not restrict */
    const struct bao_str *kinds, *groups, *only, *except;
    size_t n_kinds, n_groups, n_only, n_except;
    uint8_t period_type; /* enum bao_period_type; BAO_PERIOD_ONCE */
    struct bao_calendar calendar;
    bao_date once_from, once_to, once_due; /* type once: its period is the day once_to */
    const struct bao_deadline *deadlines;
    size_t n_deadlines;
    struct bao_lock lock;
    bool nil_allowed, signed_required;
    bao_date effective_from, effective_to; /* to BAO_DATE_NONE = open */
    struct bao_schema *schema;             /* compiled inner schema */
    const struct bao_node *schema_node;    /* its tree, for templates and titles */
    const struct bao_check *checks;
    size_t n_checks;
    const struct bao_indicator *indicators;
    size_t n_indicators;
    const struct bao_collect *collect;
    size_t n_collect;
    const struct bao_part *parts;
    size_t n_parts;
    const struct bao_keyed_list *keyed;
    size_t n_keyed;
    const struct bao_data_path *personal; /* x-personal: never in collect, exports, logs */
    size_t n_personal;
    const struct bao_node *common; /* what "common#" names; borrowed: must outlive the form */
    struct bao_doc doc;            /* the whole document and its source */
    struct bao_str file;           /* its name, for messages */
    struct bao_arena arena;        /* owns all of the above */
};

/* All forms of a folder, with the common files they refer to. */
struct bao_forms {
    struct bao_form **items; /* by id, then version */
    size_t n;
};

enum bao_form_outcome { BAO_FORM_E_BAD = 1 /* findings say why */ };

/* Loads one form from its bytes (copied). `common` = the tree known as "common" (schemas/common.yaml) or
 * NULL; borrowed, it must outlive the form. Every mistake is told; warnings may be among the findings of a
 * good form. */
int bao_form_load(struct bao_str bytes, struct bao_str file, const struct bao_node *common,
                  struct bao_findings *findings, struct bao_form **ret) BAO_MUST_CHECK;
struct bao_form *bao_form_free(struct bao_form *form);

/* The version in force for a period: the highest version whose effective window holds the period's last day.
 * NULL when there is none; *ret_known tells whether the id exists at all. */
const struct bao_form *bao_forms_get(const struct bao_forms *forms, struct bao_str id,
                                     struct bao_period period, bool *ret_known);
/* Window of a period under this form; false when the period is not one of the form's type. */
bool bao_form_window(const struct bao_form *form, struct bao_period p, bao_date *ret_from, bao_date *ret_to);
/* Code of the first period that a report whose period ends on `cutoff` may be compared with: the first that
 * was the same unit's, not one's that had its code before. 0 = any. */
int32_t bao_form_looks_from(const struct bao_form *form, const struct bao_registry *r, struct bao_str unit,
                            bao_date cutoff);
/* "a, b, c" in the arena; empty without memory. */
struct bao_str bao_join(struct bao_arena *arena, const struct bao_str *items, size_t n);
/* Is the part (x-for) this kind's? */
bool bao_kind_in(struct bao_str kind, const struct bao_str *kinds, size_t n);
/* Does the place lie in the part (or is it)? */
bool bao_data_path_within(struct bao_data_path place, struct bao_data_path part);
/* A subschema and the document whose "#" its references mean: the form's own schema or the common file. */
struct bao_schema_place {
    const struct bao_node *schema, *document;
};

struct bao_schema_place bao_form_root(const struct bao_form *form);
/* The subschema of a member ("*": of the items), $ref followed and allOf searched; false: the schema knows
 * none. */
bool bao_form_step(const struct bao_form *form, struct bao_schema_place place, struct bao_str step,
                   struct bao_schema_place *ret);
/* The subschema of a place in the data. */
bool bao_form_place(const struct bao_form *form, struct bao_data_path path, struct bao_schema_place *ret);
/* A keyword of a subschema, $ref followed; NULL: not there. */
const struct bao_node *bao_form_keyword(const struct bao_form *form, struct bao_schema_place place,
                                        const char *name);
/* Does this unit owe the period that ends on `cutoff`? (kind, groups, only, except, exists on that day) */
bool bao_form_owes(const struct bao_form *form, const struct bao_unit *unit, bao_date cutoff);
/* Due and lock times for a unit's kind; lock BAO_TIME_NONE = never. */
void bao_form_times(const struct bao_form *form, const struct bao_holidays *h, int offset,
                    struct bao_str kind, bao_date cutoff, bao_time *ret_due, bao_time *ret_lock);
