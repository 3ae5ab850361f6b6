/* Province files: what they become, and what is said of bad ones. */
#include "lib/base/buf.h"
#include "lib/doc/load.h"
#include "lib/form/registry.h"
#include "lib/text/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { UNITS, HOLIDAYS, TARGETS, PROGRAMMES, FILES };

struct province {
    struct bao_arena arena;
    struct bao_doc docs[FILES];
    struct bao_findings findings[FILES];
    struct bao_registry r;
};

/* Loads the texts given (NULL = no such file); gives bao_registry_load's result. */
static int load_texts(struct province *p, const char *const texts[FILES])
{
    const struct bao_load_options options = {.format = BAO_FORMAT_YAML, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_registry_file files[FILES] = {{NULL, NULL}};

    bao_arena_init(&p->arena, 64 << 20);
    for (size_t i = 0; i < FILES; i++) {
        bao_findings_init(&p->findings[i], &p->arena, 20);
        if (texts[i] == NULL)
            continue;
        if (bao_load(&p->arena, bao_str_c(texts[i]), &options, &p->findings[i], &p->docs[i]) != 0)
            fail_msg("cannot load: %s", texts[i]);
        files[i] = (struct bao_registry_file){&p->docs[i], &p->findings[i]};
    }
    return bao_registry_load(
        &p->arena,
        &(struct bao_registry_files){files[UNITS], files[HOLIDAYS], files[TARGETS], files[PROGRAMMES]},
        &p->r);
}

static char *read_file(const char *folder, const char *name)
{
    const char *source = getenv("BAOCAO_SOURCE");
    char path[512], *text;
    long n;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/schemas/provinces/%s/%s", source == NULL ? "." : source, folder,
                   name);
    f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    (void)fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    text = calloc(1, (size_t)n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)n, f), (size_t)n);
    (void)fclose(f);
    return text;
}

static void load_folder(struct province *p, const char *folder)
{
    static const char *const names[] = {"units.yaml", "holidays.yaml", "targets.yaml", "programmes.yaml"};
    char *texts[FILES];
    int r;

    for (size_t i = 0; i < FILES; i++)
        texts[i] = read_file(folder, names[i]);
    r = load_texts(p, (const char *const *)texts);
    if (r != 0) {
        struct bao_buf b = BAO_BUF_NULL(1 << 20);

        for (size_t i = 0; i < FILES; i++)
            assert_int_equal(
                bao_text_render_all(&b, &p->findings[i], bao_str_c(names[i]), p->docs[i].source, BAO_VI, 9),
                0);
        fail_msg("%d: %.*s", r, BAO_STR_ARG(bao_buf_str(&b)));
    }
}

/* Names and codes are borrowed from the texts, so these go last. */
static void unload(struct province *p)
{
    for (size_t i = 0; i < FILES; i++)
        free((void *)(uintptr_t)(p->docs[i].source.p));
    bao_arena_deinit(&p->arena);
}

static bao_date day(const char *text)
{
    bao_date d;

    assert_true(bao_date_parse(bao_str_c(text), &d));
    return d;
}

static size_t members(const struct bao_registry *r, const char *scope, const char *on)
{
    int64_t s = bao_registry_scope(r, bao_str_c(scope));
    size_t n = 0;

    if (s < 0)
        fail_msg("no scope %s", scope);
    for (size_t i = 0; i < r->n_units; i++)
        n += bao_registry_is_member(r, i, (uint32_t)s, day(on));
    return n;
}

static void three_provinces_are_complete(void **state)
{
    static const struct {
        const char *folder;
        struct {
            const char *scope;
            size_t n, before; /* on 2026-09-14; on 2025-06-30, the last day before the mergers */
        } scopes[10];
    } rows[] = {
        {"66-dak-lak",
         {{"kind:commune", 88, 231},
          {"kind:ward", 14, 36},
          {"kind:township", 0, 19},
          {"group:phu-yen-cu", 34, 106},
          {"group:dak-lak-cu", 68, 180},
          {"66", 130, 286},
          {"state:66", 117, 286},
          {"party:66", 130, 286},
          {"party:TU66.02", 16, 0},
          {"kind:department", 15, 0}}},
        {"68-lam-dong",
         {{"kind:commune", 103, 259},
          {"kind:ward", 20, 40},
          {"kind:township", 0, 30},
          {"kind:special-zone", 1, 0},
          {"group:binh-thuan-cu", 45, 121},
          {"group:dak-nong-cu", 28, 71},
          {"group:lam-dong-cu", 51, 137},
          {"68", 152, 329},
          {"state:68", 139, 329}}},
        {"01-ha-noi",
         {{"kind:commune", 75, 345},
          {"kind:ward", 51, 160},
          {"kind:township", 0, 21},
          {"kind:party-agency", 7, 0},
          {"kind:front", 1, 0},
          {"01", 155, 526},
          {"state:01", 142, 526},
          {"party:TU01.01", 12, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        struct province p;

        load_folder(&p, rows[i].folder);
        for (size_t k = 0; k < BAO_COUNT(rows[i].scopes) && rows[i].scopes[k].scope != NULL; k++) {
            size_t n = members(&p.r, rows[i].scopes[k].scope, "2026-09-14");

            if (n != rows[i].scopes[k].n)
                fail_msg("%s %s: %zu", rows[i].folder, rows[i].scopes[k].scope, n);
            assert_int_equal(members(&p.r, rows[i].scopes[k].scope, "2025-06-30"), rows[i].scopes[k].before);
        }
        unload(&p);
    }
}

/* Every unit of before the mergers of July 2025 has an heir today, and what passes to it is its whole or a
 * part of a unit that is shared out. */
static void nobody_of_before_july_2025_is_lost(void **state)
{
    static const char *const folders[] = {"66-dak-lak", "68-lam-dong", "01-ha-noi"};
    static const size_t communes[] = {102, 124, 126};
    bao_date before = day("2025-06-30"), now = day("2026-09-14");

    (void)state;
    for (size_t f = 0; f < BAO_COUNT(folders); f++) {
        size_t heirs = 0, ended = 0, parts = 0;
        struct province p;

        load_folder(&p, folders[f]);
        for (size_t i = 0; i < p.r.n_units; i++) {
            const struct bao_unit *u = &p.r.units[i], *heir;
            bool is_commune = bao_str_is(u->kind, "commune") || bao_str_is(u->kind, "ward") ||
                              bao_str_is(u->kind, "special-zone") || bao_str_is(u->kind, "township");

            if (u->to != BAO_DATE_NONE) {
                assert_int_equal(u->to, before);
                heir = bao_registry_successor(&p.r, u->code, now);
                assert_non_null(heir);
                assert_int_equal(heir->from, before + 1);
                assert_true(heir->n_groups == u->n_groups);
                if (u->n_groups == 1)
                    assert_true(bao_str_eq(heir->groups[0], u->groups[0]));
                ended++;
            } else if (is_commune) {
                size_t n, first = 0;

                while (!bao_str_eq(p.r.units[first].code, u->code))
                    first++;
                n = p.r.units[first].to == before; /* it has the code of one that it goes on from */
                heirs += n + u->n_was != 0;
            }
            for (size_t k = 0; k < u->n_was; k++) {
                assert_non_null(bao_registry_unit(&p.r, u->was[k].code, before));
                parts += !u->was[k].whole;
                if (u->was[k].whole)
                    assert_ptr_equal(bao_registry_successor(&p.r, u->was[k].code, now), u);
            }
        }
        assert_int_equal(heirs, communes[f]);
        assert_true(ended > 2 * communes[f] && parts != 0);
        assert_int_equal(bao_registry_count(&p.r, before), ended);
        assert_int_equal(bao_registry_count(&p.r, now), p.r.n_units - ended);
        unload(&p);
    }
}

static void units_are_found_by_code_and_name(void **state)
{
    uint32_t found[8];
    struct province p;
    const struct bao_unit *u;
    uint32_t scopes[8];

    (void)state;
    load_folder(&p, "66-dak-lak");
    u = bao_registry_unit(&p.r, BAO_STR("24133"), day("2026-09-14"));
    assert_non_null(u);
    assert_true(bao_str_is(u->name, "Phường Buôn Ma Thuột"));
    /* Its code was that of one of the six wards it is made of. */
    assert_true(
        bao_str_is(bao_registry_unit(&p.r, BAO_STR("24133"), day("2025-06-30"))->name, "Phường Thành Công"));
    assert_null(bao_registry_unit(&p.r, BAO_STR("24133"), day("2024-12-31")));
    assert_null(bao_registry_unit(&p.r, BAO_STR("24136"), day("2025-07-01")));
    assert_ptr_equal(bao_registry_successor(&p.r, BAO_STR("24136"), day("2026-09-14")), u);
    static const char *const once[] = {"Phường Khánh Xuân", "phường khánh xuân", "KHANH XUAN"};

    for (size_t i = 0; i < BAO_COUNT(once); i++) {
        assert_int_equal(bao_registry_named(&p.r, &p.arena, bao_str_c(once[i]), day("2026-09-14"), found, 8),
                         0);
        assert_int_equal(
            bao_registry_once_named(&p.r, &p.arena, bao_str_c(once[i]), day("2026-09-14"), found, 8), 1);
        assert_true(bao_str_is(p.r.units[found[0]].code, "24154"));
    }
    /* Both places of the tone mark find it. */
    for (size_t i = 0; i < 2; i++)
        assert_true(bao_registry_once_named(&p.r, &p.arena,
                                            i == 0 ? BAO_STR("xã hoà khánh") : BAO_STR("Xã Hòa Khánh"),
                                            day("2026-09-14"), found, 8) == 1);
    assert_non_null(bao_registry_any(&p.r, BAO_STR("24133")));
    assert_null(bao_registry_any(&p.r, BAO_STR("99999")));
    assert_int_equal(bao_registry_scopes_of(&p.r, (size_t)(u - p.r.units), day("2026-09-14"), scopes, 8), 5);
    assert_int_equal(bao_registry_scopes_of(&p.r, (size_t)(u - p.r.units), day("2026-09-14"), scopes, 2), 2);
    /* The file writes Tuy Hoà; old and new places of the tone, no accents, and no kind find it as well. */
    static const char *const names[] = {"Phường Tuy Hoà", "phường tuy hòa", "Tuy Hòa", "TUY HOA",
                                        "Phuong  Tuy-Hoa"};

    for (size_t i = 0; i < BAO_COUNT(names); i++) {
        assert_int_equal(bao_registry_named(&p.r, &p.arena, bao_str_c(names[i]), day("2026-09-14"), found, 8),
                         1);
        assert_true(bao_str_is(p.r.units[found[0]].code, "22015"));
    }
    assert_int_equal(bao_registry_named(&p.r, &p.arena, BAO_STR("Đà Lạt"), day("2026-09-14"), found, 8), 0);
    assert_int_equal(p.r.holidays.known_to, day("2027-12-31"));
    assert_false(bao_is_working_day(&p.r.holidays, day("2026-02-17")));
    assert_true(bao_is_working_day(&p.r.holidays, day("2026-08-22")));
    assert_int_equal(p.r.n_programmes, 3);
    assert_int_equal(p.r.n_targets, 2);
    unload(&p);
}

#define HEAD "province: {code: \"66\", name: X, timezone: Asia/Ho_Chi_Minh}\ntrees: [state, party]\n"

/* A commune becomes a ward; two become one, which later gives a part away; a parent that changes. */
static const char through_time[] = HEAD
    "groups: [{id: cu, name: Cũ}]\nunits:\n"
    "  - {code: A, kind: commune, name: Xã A, from: 2020-01-01, to: 2025-06-30, parents: {state: D1}}\n"
    "  - {code: B, kind: commune, name: Xã B, from: 2020-01-01, to: 2025-06-30, parents: {state: D1}}\n"
    "  - {code: C, kind: commune, name: Xã C, from: 2025-07-01, to: 2026-04-29, groups: [cu], parents: "
    "{state: \"66\"},\n"
    "     was: [{code: A}, {code: B}]}\n"
    "  - {code: C, kind: ward, name: Phường C, from: 2026-04-30, groups: [cu], parents: {state: \"66\"}}\n"
    "  - {code: D1, kind: department, name: Huyện, from: 2020-01-01, to: 2025-06-30, parents: {state: "
    "\"66\"}}\n"
    "  - {code: E, kind: ward, name: Phường E, from: 2027-01-01, was: [{code: C, share: 0.4}]}\n";

static void units_change_through_time(void **state)
{
    const char *const texts[FILES] = {through_time};
    const struct bao_unit *u;
    struct province p;

    (void)state;
    assert_int_equal(load_texts(&p, texts), 0);
    assert_true(bao_str_is(bao_registry_unit(&p.r, BAO_STR("C"), day("2026-04-29"))->kind, "commune"));
    assert_true(bao_str_is(bao_registry_unit(&p.r, BAO_STR("C"), day("2026-04-30"))->kind, "ward"));
    assert_true(bao_str_is(bao_registry_any(&p.r, BAO_STR("C"))->kind, "ward"));
    assert_int_equal(members(&p.r, "kind:commune", "2025-06-30"), 2);
    assert_int_equal(members(&p.r, "kind:commune", "2026-04-29"), 1);
    assert_int_equal(members(&p.r, "kind:commune", "2026-04-30"), 0);
    assert_int_equal(members(&p.r, "kind:ward", "2026-04-30"), 1);
    assert_int_equal(members(&p.r, "group:cu", "2026-04-30"), 1);
    /* The district's own node holds itself and its two communes, as long as it stood; all are under the
     * province. */
    assert_int_equal(members(&p.r, "state:D1", "2025-06-30"), 3);
    assert_int_equal(members(&p.r, "state:D1", "2025-07-01"), 0);
    assert_int_equal(members(&p.r, "state:66", "2025-06-30"), 3);
    assert_int_equal(members(&p.r, "state:66", "2025-07-01"), 1);
    assert_int_equal(members(&p.r, "66", "2027-01-01"), 2);
    /* Debts: A's and B's go to C, whatever C is called by then; E took only a part of C. */
    u = bao_registry_successor(&p.r, BAO_STR("A"), day("2026-05-01"));
    assert_true(u != NULL && bao_str_is(u->name, "Phường C"));
    u = bao_registry_successor(&p.r, BAO_STR("B"), day("2025-08-01"));
    assert_true(u != NULL && bao_str_is(u->name, "Xã C"));
    u = bao_registry_successor(&p.r, BAO_STR("A"), day("2021-01-01"));
    assert_true(u != NULL && bao_str_is(u->name, "Xã A"));
    assert_null(bao_registry_successor(&p.r, BAO_STR("A"), day("2019-01-01")));
    assert_null(bao_registry_successor(&p.r, BAO_STR("Z"), day("2026-01-01")));
    bao_arena_deinit(&p.arena);
}

/* A: a commune becomes a ward, then gives a part away, then takes B over. F: ended, and its code is
 * given to another a year later. */
static const char one_code[] =
    HEAD "units:\n"
         "  - {code: A, kind: commune, name: Xã A, from: 2020-01-01, to: 2022-12-31}\n"
         "  - {code: A, kind: ward, name: Phường A, from: 2023-01-01, to: 2023-12-31}\n"
         "  - {code: A, kind: ward, name: Phường A, from: 2024-01-01, to: 2024-12-31}\n"
         "  - {code: A, kind: ward, name: Phường A, from: 2025-01-01, was: [{code: B}]}\n"
         "  - {code: B, kind: ward, name: Phường B, from: 2020-01-01, to: 2024-12-31}\n"
         "  - {code: F, kind: ward, name: Phường F, from: 2020-01-01, to: 2024-12-31}\n"
         "  - {code: F, kind: ward, name: Phường F khác, from: 2026-01-01}\n"
         "  - {code: E, kind: ward, name: Phường E, from: 2024-01-01, was: [{code: A, share: unknown}]}\n";

static void a_code_is_not_always_the_same_unit(void **state)
{
    static const struct {
        const char *code, *on, *since;
    } rows[] = {
        {"A", "2020-01-01", "2020-01-01"}, {"A", "2023-06-01", "2020-01-01"},
        {"A", "2024-12-31", "2024-01-01"}, {"A", "2026-09-14", "2025-01-01"},
        {"B", "2024-12-31", "2020-01-01"}, {"F", "2026-09-14", "2026-01-01"},
        {"E", "2026-09-14", "2024-01-01"}, {"F", "2024-06-01", "2020-01-01"},
        {"F", "2025-06-01", NULL},         {"B", "2025-06-01", NULL},
        {"Z", "2026-09-14", NULL},
    };
    const char *const texts[FILES] = {one_code};
    struct province p;

    (void)state;
    assert_int_equal(load_texts(&p, texts), 0);
    for (size_t i = 0; i < BAO_COUNT(rows); i++)
        if (bao_registry_since(&p.r, bao_str_c(rows[i].code), day(rows[i].on)) !=
            (rows[i].since == NULL ? BAO_DATE_NONE : day(rows[i].since)))
            fail_msg("%s on %s", rows[i].code, rows[i].on);
    bao_arena_deinit(&p.arena);
}

#define UNIT(rest) HEAD "units:\n  - {code: A, kind: ward, name: A, from: 2025-07-01" rest "}\n"
#define TWO(a, b) HEAD "units:\n  - {kind: ward, name: A, " a "}\n  - {kind: ward, name: B, " b "}\n"
#define GOOD UNIT("")
#define DAYS(rest)                                                                                           \
    "known_to: 2026-12-31\nholidays:\n  - {from: 2026-09-01, to: 2026-09-02, name: Quốc khánh}\n" rest

static void bad_files_are_refused_with_their_place(void **state)
{
    static const struct {
        unsigned code;
        int file;
        uint32_t line;
        const char *text;
        const char *path, *says; /* a piece of the Vietnamese text */
    } rows[] = {
        {BAO_BC_FIELD_UNKNOWN_NEAR, UNITS, 4, UNIT(", gruops: []"), "units[A].gruops", "“groups”"},
        {BAO_BC_FIELD_UNKNOWN, UNITS, 4, UNIT(", dien_tich: 3"), "units[A].dien_tich", "code, kind, name"},
        {BAO_BC_FIELD_MISSING, UNITS, 4, HEAD "units:\n  - {code: A, kind: ward, from: 2025-07-01}\n",
         "units[A]", "“name”"},
        {BAO_BC_FIELD_QUOTE, UNITS, 4,
         HEAD "units:\n  - {code: 00004, kind: ward, name: A, from: 2025-07-01}\n", "units[0].code",
         "\"00004\""},
        {BAO_BC_FIELD_DATE, UNITS, 4, UNIT(", to: 31/12/2026"), "units[A].to", "31/12/2026"},
        {BAO_BC_FIELD_DATE, UNITS, 4, UNIT(", to: 2026-02-30"), "units[A].to", "2026-02-30"},
        {BAO_BC_FIELD_TYPE, UNITS, 4, UNIT(", groups: cu"), "units[A].groups", "một danh sách"},
        {BAO_BC_FIELD_SHAPE, UNITS, 4, HEAD "units:\n  - A\n", "units[0]", "một nhóm mục"},
        {BAO_BC_FIELD_LIST_EMPTY, UNITS, 3, HEAD "units: []\n", "units", "“units”"},
        {BAO_BC_UNIT_CODE, UNITS, 4,
         HEAD "units:\n  - {code: \"a b\", kind: ward, name: A, from: 2025-07-01}\n", "units[a b].code",
         "a b"},
        {BAO_BC_TIMEZONE, UNITS, 1,
         "province: {code: \"66\", name: X, timezone: Asia/Saigon}\nunits:\n  - {code: A, "
         "kind: ward, name: A, from: 2025-07-01}\n",
         "province.timezone", "Asia/Ho_Chi_Minh"},
        {BAO_BC_KIND_UNKNOWN_NEAR, UNITS, 4,
         HEAD "units:\n  - {code: A, kind: wards, name: A, from: 2025-07-01}\n", "units[A].kind", "“ward”"},
        {BAO_BC_KIND_UNKNOWN, UNITS, 4,
         HEAD "units:\n  - {code: A, kind: hamlet-x, name: A, from: 2025-07-01}\n", "units[A].kind",
         "“hamlet-x”"},
        {BAO_BC_ID_SHAPE, UNITS, 3,
         HEAD "groups: [{id: Phú Yên, name: x}]\nunits:\n  - {code: A, kind: ward, name: A, "
              "from: 2025-07-01}\n",
         "groups[Phú Yên].id", "Phú Yên"},
        {BAO_BC_FIELD_TWICE, UNITS, 3,
         HEAD "groups: [{id: a, name: x}, {id: a, name: y}]\nunits:\n  - {code: A, kind: "
              "ward, name: A, from: 2025-07-01}\n",
         "groups[a]", "“a”"},
        {BAO_BC_UNIT_BACKWARD, UNITS, 4, UNIT(", to: 2025-06-30"), "units[A]", "2025-06-30"},
        {BAO_BC_UNIT_OVERLAP, UNITS, 5, TWO("code: A, from: 2025-07-01", "code: A, from: 2026-01-01"),
         "units[A]", "dòng 4"},
        {BAO_BC_UNIT_UNKNOWN, UNITS, 4, UNIT(", parents: {state: \"77\"}"), "units[A].parents.state", "77"},
        {BAO_BC_TREE_UNKNOWN, UNITS, 4, UNIT(", parents: {nha_nuoc: \"66\"}"), "units[A].parents.nha_nuoc",
         "nha_nuoc"},
        {BAO_BC_GROUP_UNKNOWN, UNITS, 4, UNIT(", groups: [x]"), "units[A].groups[0]", "“x”"},
        {BAO_BC_GROUP_UNKNOWN_NEAR, UNITS, 5,
         HEAD "groups: [{id: phu-yen-cu, name: x}]\nunits:\n  - {code: A, kind: "
              "ward, name: A, from: 2025-07-01, groups: [phu-yen]}\n",
         "units[A].groups[0]", "“phu-yen-cu”"},
        {BAO_BC_PARENT_GONE, UNITS, 4,
         TWO("code: A, from: 2025-07-01, parents: {state: B}", "code: B, from: 2025-07-01, to: 2026-01-01"),
         "units[A].parents.state", "B"},
        {BAO_BC_PARENT_CYCLE, UNITS, 4,
         TWO("code: A, from: 2025-07-01, parents: {state: B}",
             "code: B, from: 2025-07-01, parents: {state: A}"),
         "units[A].parents", "“state”"},
        {BAO_BC_PARENT_CYCLE, UNITS, 4, UNIT(", parents: {state: A}"), "units[A].parents", "A"},
        {BAO_BC_WAS_SHARE, UNITS, 4, UNIT(", was: [{code: B, share: 1.4}]"), "units[A].was[B].share", "1.4"},
        {BAO_BC_WAS_SHARE, UNITS, 4, UNIT(", was: [{code: B, share: 0}]"), "units[A].was[B].share", "0"},
        {BAO_BC_WAS_SHARE, UNITS, 4, UNIT(", was: [{code: B, share: half}]"), "units[A].was[B].share",
         "half"},
        {BAO_BC_WAS_UNKNOWN, UNITS, 4, UNIT(", was: [{code: B}]"), "units[A].was[B]", "B"},
        {BAO_BC_WAS_SELF, UNITS, 4, UNIT(", was: [{code: A}]"), "units[A].was[A]", "A"},
        {BAO_BC_WAS_LATER, UNITS, 4,
         TWO("code: A, from: 2025-07-01, was: [{code: B}]", "code: B, from: 2025-07-01"), "units[A].was[B]",
         "B"},
        {BAO_BC_WAS_ALIVE, UNITS, 4,
         TWO("code: A, from: 2025-07-01, was: [{code: B}]", "code: B, from: 2020-01-01"), "units[A].was[B]",
         "B"},
        {BAO_BC_WAS_OVER, UNITS, 6,
         TWO("code: B, from: 2020-01-01",
             "code: A, from: 2025-07-01, was: [{code: B, share: 0.7}]") "  - {code: D, kind: ward, name: D, "
                                                                        "from: 2025-07-01, was: [{code: B, "
                                                                        "share: 0.4}]}\n",
         "units[D].was", "B"},
        {BAO_BC_FIELD_MISSING, HOLIDAYS, 1, "holidays: [{from: 2026-01-01, name: x}]\n", "", "“known_to”"},
        {BAO_BC_HOLIDAY_BACKWARD, HOLIDAYS, 4, DAYS("  - {from: 2026-05-02, to: 2026-05-01, name: x}\n"),
         "holidays[1]", "2026-05-01"},
        {BAO_BC_HOLIDAY_LONG, HOLIDAYS, 4, DAYS("  - {from: 2026-01-02, to: 2026-05-01, name: x}\n"),
         "holidays[1]", "60"},
        {BAO_BC_HOLIDAY_UNKNOWN, HOLIDAYS, 4, DAYS("  - {from: 2027-01-01, name: x}\n"), "holidays[1]",
         "2026-12-31"},
        {BAO_BC_HOLIDAY_OVERLAP, HOLIDAYS, 4, DAYS("  - {from: 2026-09-02, name: Bù}\n"), "holidays[1]",
         "“Quốc khánh”"},
        {BAO_BC_WORKING_WEEKDAY, HOLIDAYS, 4, DAYS("working: [2026-09-14]\n"), "working[0]", "2026-09-14"},
        {BAO_BC_WORKING_HOLIDAY, HOLIDAYS, 5,
         DAYS("  - {from: 2026-09-05, name: x}\nworking: [2026-09-05]\n"), "working[0]", "2026-09-05"},
        {BAO_BC_TARGET_WHOSE, TARGETS, 1, "targets: [{form: f, code: c, year: 2026, value: 1}]\n",
         "targets[c]", "unit"},
        {BAO_BC_UNIT_UNKNOWN, TARGETS, 1, "targets: [{form: f, code: c, unit: Q, year: 2026, value: 1}]\n",
         "targets[c].unit", "Q"},
        {BAO_BC_SCOPE_UNKNOWN_NEAR, TARGETS, 1,
         "targets: [{form: f, code: c, scope: \"kind:wards\", year: "
         "2026, value: "
         "1}]\n",
         "targets[c].scope", "kind:ward"},
        {BAO_BC_FIELD_RANGE, TARGETS, 1, "targets: [{form: f, code: c, unit: A, year: 20026, value: 1}]\n",
         "targets[c].year", "20026"},
        {BAO_BC_TARGET_TWICE, TARGETS, 2,
         "targets: [{form: f, code: c, unit: A, year: 2026, value: 1},\n "
         "{form: f, code: "
         "c, unit: A, year: 2026, value: 2}]\n",
         "targets[c]", "dòng 1"},
        {BAO_BC_FIELD_TWICE, PROGRAMMES, 2, "programmes: [{id: a, title: x},\n {id: a, title: y}]\n",
         "programmes[a]", "a"},
        {BAO_BC_FIELD_MISSING, PROGRAMMES, 1, "programmes: [{id: a, title: {en: x}}]\n",
         "programmes[a].title", "“vi”"},
        {BAO_BC_FIELD_EMPTY, PROGRAMMES, 1, "programmes: [{id: \"\", title: x}]\n", "programmes[0].id",
         "“id”"},
    };

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        const char *texts[FILES] = {rows[i].file == UNITS ? NULL : GOOD};
        struct bao_buf b = BAO_BUF_NULL(1 << 16);
        const struct bao_findings *f;
        struct province p;

        texts[rows[i].file] = rows[i].text;
        assert_int_equal(load_texts(&p, texts), BAO_REGISTRY_E_BAD);
        f = &p.findings[rows[i].file];
        if (f->n == 0 || f->items[0].code != rows[i].code || f->items[0].at.line != rows[i].line ||
            !bao_str_is(f->items[0].path, rows[i].path))
            fail_msg("row %zu: %zu findings, code %u, line %u, path %.*s", i, f->n,
                     f->n ? f->items[0].code : 0, f->n ? f->items[0].at.line : 0,
                     BAO_STR_ARG(f->n ? f->items[0].path : BAO_STR_NULL));
        assert_int_equal(
            bao_text_render(&b, &f->items[0], BAO_STR("units.yaml"), p.docs[rows[i].file].source, BAO_VI), 0);
        assert_int_equal(bao_buf_append(&b, "", 1), 0);
        if (strstr(bao_buf_data(&b), rows[i].says) == NULL)
            fail_msg("row %zu does not say %s: %s", i, rows[i].says, bao_buf_data(&b));
        bao_buf_deinit(&b);
        bao_arena_deinit(&p.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_provinces_are_complete),
        cmocka_unit_test(nobody_of_before_july_2025_is_lost),
        cmocka_unit_test(units_are_found_by_code_and_name),
        cmocka_unit_test(units_change_through_time),
        cmocka_unit_test(a_code_is_not_always_the_same_unit),
        cmocka_unit_test(bad_files_are_refused_with_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
