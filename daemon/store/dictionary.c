#include "daemon/store/dictionary.h"

#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"
#include "lib/base/map.h"

enum { ARENA_MAX = 256 << 20 };

struct number {
    int32_t n;
    unsigned back; /* BAO_BACK_* of the checks of all versions */
};

struct membership {
    int32_t scope;
    bao_date from, to; /* BAO_DATE_NONE = open */
};

/* A unit's scopes, by number. */
struct unit {
    int32_t n;
    struct membership *scopes;
    size_t n_scopes;
};

struct version {
    int32_t form;
    struct bao_slots slots;
    struct bao_slot *of;
};

struct baod_dictionary {
    struct bao_arena arena;
    struct bao_map units, forms,
        versions; /* code -> struct unit, id -> struct number, "id/version" -> struct version */
    int64_t registry_epoch, forms_epoch;
    int32_t province;
};

/* The keys of these maps come from the operator's files, so a fixed seed does. */
static const uint64_t seed[2] = {0x62616f63616f6431, 0x64696374696f6e61};

struct baod_dictionary *baod_dictionary_free(struct baod_dictionary *d)
{
    if (d == NULL)
        return NULL;
    bao_map_deinit(&d->units);
    bao_map_deinit(&d->forms);
    bao_map_deinit(&d->versions);
    bao_arena_deinit(&d->arena);
    free(d);
    return NULL;
}

static void freep(struct baod_dictionary **d)
{
    *d = baod_dictionary_free(*d);
}

static int read_epochs(struct baod_dictionary *d, struct baod_pg_call *call)
{
    static const struct baod_pg_statement EPOCHS = {"d_epochs",
                                                    "SELECT name = 'forms', value FROM baocao.epoch"};
    const struct baod_pg_result *rows;
    int r = baod_pg_call_exec(call, &EPOCHS, NULL, 0, &rows);

    if (r != 0)
        return r;
    for (size_t i = 0; i < baod_pg_rows(rows); i++)
        *(baod_pg_int(rows, i, 0) != 0 ? &d->forms_epoch : &d->registry_epoch) = baod_pg_int(rows, i, 1);
    return 0;
}

static int keep(struct baod_dictionary *d, struct bao_map *map, struct bao_str key, void *value)
{
    struct bao_str copy = bao_arena_str(&d->arena, key);

    return copy.p == NULL ? -ENOMEM : bao_map_set(map, copy, value);
}

/* Rows come by unit, so each unit's memberships are one run. */
static int read_units(struct baod_dictionary *d, struct baod_pg_call *call)
{
    static const struct baod_pg_statement UNITS = {
        "d_units", "SELECT DISTINCT u.unit, u.code, s.scope, s.from_day, s.to_day FROM baocao.unit u"
                   "  LEFT JOIN baocao.scope_unit s ON s.unit = u.unit AND s.seq_to = 9223372036854775807"
                   " ORDER BY 1, 3, 4"};
    const struct baod_pg_result *rows;
    struct unit *unit = NULL;
    int r = baod_pg_call_exec(call, &UNITS, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
        int32_t n = (int32_t)baod_pg_int(rows, i, 0);

        if (unit == NULL || unit->n != n) {
            size_t run = 1;

            while (i + run < baod_pg_rows(rows) && baod_pg_int(rows, i + run, 0) == n)
                run++;
            unit = bao_arena_array(&d->arena, 1, sizeof(*unit));
            if (unit != NULL)
                unit->scopes = bao_arena_array(&d->arena, run, sizeof(*unit->scopes));
            if (unit == NULL || unit->scopes == NULL)
                return -ENOMEM;
            unit->n = n;
            r = keep(d, &d->units, baod_pg_bytes(rows, i, 1), unit);
        }
        if (!baod_pg_is_null(rows, i, 2))
            unit->scopes[unit->n_scopes++] = (struct membership){
                (int32_t)baod_pg_int(rows, i, 2), baod_pg_date(rows, i, 3), baod_pg_date(rows, i, 4)};
    }
    return r;
}

static int read_forms(struct baod_dictionary *d, struct baod_pg_call *call)
{
    static const struct baod_pg_statement FORMS = {"d_forms", "SELECT DISTINCT form, id FROM baocao.form"};
    const struct baod_pg_result *rows;
    int r = baod_pg_call_exec(call, &FORMS, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
        struct number *number = bao_arena_array(&d->arena, 1, sizeof(*number));

        if (number == NULL)
            return -ENOMEM;
        number->n = (int32_t)baod_pg_int(rows, i, 0);
        r = keep(d, &d->forms, baod_pg_bytes(rows, i, 1), number);
    }
    return r;
}

/* One form's indicator rows into the slots of each version that the snapshot holds. */
static void place(struct version *v, const struct bao_form *form, const struct baod_pg_result *rows,
                  size_t row)
{
    struct bao_str code = baod_pg_bytes(rows, row, 3);
    int64_t at = baod_pg_int(rows, row, 1), to = baod_pg_int(rows, row, 2);
    bool has_to = !baod_pg_is_null(rows, row, 2);

    for (size_t i = 0; i < form->n_indicators; i++)
        if (bao_str_eq(form->indicators[i].code, code))
            /* The table counts slots from 1, as PostgreSQL does the elements of its arrays. */
            v->of[i] = (struct bao_slot){(uint16_t)(at - 1), has_to ? (uint16_t)(to - 1) : BAO_SLOT_NONE};
}

static void note_checks(struct baod_dictionary *d, const struct bao_form *form)
{
    struct number *number = bao_map_get(&d->forms, form->id);

    if (number != NULL)
        number->back |= bao_checks_look_back(form);
}

static int read_slots_of(struct baod_dictionary *d, const struct bao_form *form,
                         const struct baod_pg_result *rows)
{
    struct version *v = bao_arena_array(&d->arena, 1, sizeof(*v));
    int32_t number = baod_dictionary_form(d, form->id);
    size_t n = 0;
    bool *adds;
    struct bao_str key;

    for (size_t i = 0; i < baod_pg_rows(rows); i++)
        if (baod_pg_int(rows, i, 0) == number) {
            size_t last = (size_t)baod_pg_int(rows, i, baod_pg_is_null(rows, i, 2) ? 1 : 2);
            n = last > n ? last : n;
        }
    adds = bao_arena_array(&d->arena, n + 1, sizeof(*adds));
    key = bao_arena_printf(&d->arena, "%.*s/%d", BAO_STR_ARG(form->id), form->version);
    if (v != NULL)
        v->of = bao_arena_array(&d->arena, form->n_indicators + 1, sizeof(*v->of));
    if (v == NULL || v->of == NULL || adds == NULL || key.p == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < form->n_indicators; i++)
        v->of[i] = (struct bao_slot){BAO_SLOT_NONE, BAO_SLOT_NONE};
    for (size_t i = 0; i < baod_pg_rows(rows); i++) {
        if (baod_pg_int(rows, i, 0) != number)
            continue;
        adds[baod_pg_int(rows, i, 1) - 1] = baod_pg_int(rows, i, 4) != 0;
        if (!baod_pg_is_null(rows, i, 2))
            adds[baod_pg_int(rows, i, 2) - 1] = baod_pg_int(rows, i, 4) != 0;
        place(v, form, rows, i);
    }
    v->form = number;
    note_checks(d, form);
    v->slots = (struct bao_slots){.of = v->of, .n_indicators = form->n_indicators, .n = n, .adds = adds};
    return bao_map_set(&d->versions, key, v);
}

static int read_slots(struct baod_dictionary *d, struct baod_pg_call *call,
                      const struct baod_snapshot *snapshot)
{
    static const struct baod_pg_statement SLOTS = {
        "d_slots",
        "SELECT form, slot, slot_to, code, over_units = 'sum' FROM baocao.indicator ORDER BY form, slot"};
    const struct baod_pg_result *rows;
    int r = baod_pg_call_exec(call, &SLOTS, NULL, 0, &rows);

    for (size_t i = 0; r == 0 && i < snapshot->forms.n; i++)
        r = read_slots_of(d, snapshot->forms.items[i], rows);
    return r;
}

int baod_dictionary_read(struct baod_pg_call *call, const struct baod_snapshot *snapshot,
                         struct baod_dictionary **ret)
{
    BAO_CLEANUP(freep) struct baod_dictionary *d = calloc(1, sizeof(*d));
    int r;

    if (d == NULL)
        return -ENOMEM;
    bao_arena_init(&d->arena, ARENA_MAX);
    bao_map_init(&d->units, seed);
    bao_map_init(&d->forms, seed);
    bao_map_init(&d->versions, seed);
    d->province = baod_province_key(snapshot->registry.province);
    r = read_epochs(d, call);
    if (r == 0)
        r = read_units(d, call);
    if (r == 0)
        r = read_forms(d, call);
    if (r == 0)
        r = read_slots(d, call, snapshot);
    if (r == 0)
        *ret = BAO_TAKE(d);
    return r;
}

int32_t baod_dictionary_unit(const struct baod_dictionary *d, struct bao_str code)
{
    const struct unit *unit = bao_map_get(&d->units, code);

    return unit == NULL ? 0 : unit->n;
}

int32_t baod_dictionary_form(const struct baod_dictionary *d, struct bao_str id)
{
    const struct number *number = bao_map_get(&d->forms, id);

    return number == NULL ? 0 : number->n;
}

unsigned baod_dictionary_looks_back(const struct baod_dictionary *d, struct bao_str form)
{
    const struct number *number = bao_map_get(&d->forms, form);

    return number == NULL ? 0 : number->back;
}

const struct bao_slots *baod_dictionary_slots(const struct baod_dictionary *d, struct bao_str form,
                                              int version)
{
    char key[96];
    int n = snprintf(key, sizeof(key), "%.*s/%d", BAO_STR_ARG(form), version);
    const struct version *v =
        n < 0 || n >= (int)sizeof(key) ? NULL : bao_map_get(&d->versions, bao_str_c(key));

    return v == NULL ? NULL : &v->slots;
}

size_t baod_dictionary_scopes(const struct baod_dictionary *d, struct bao_str unit, bao_date day,
                              int32_t *ret, size_t size)
{
    const struct unit *u = bao_map_get(&d->units, unit);
    size_t n = 0;

    for (size_t i = 0; u != NULL && i < u->n_scopes && n < size; i++) {
        const struct membership *m = &u->scopes[i];

        if (m->from <= day && (m->to == BAO_DATE_NONE || day <= m->to) && (n == 0 || ret[n - 1] != m->scope))
            ret[n++] = m->scope;
    }
    return n;
}

int64_t baod_dictionary_registry_epoch(const struct baod_dictionary *d)
{
    return d->registry_epoch;
}

int64_t baod_dictionary_forms_epoch(const struct baod_dictionary *d)
{
    return d->forms_epoch;
}

int32_t baod_dictionary_province(const struct baod_dictionary *d)
{
    return d->province;
}
