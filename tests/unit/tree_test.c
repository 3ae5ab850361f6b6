/* The value tree: equality, order, printing, and the content hash that no editor may change. */
#include "tests/unit/load_helper.h"

#include "lib/base/crypto.h"


static void hash_of(struct bao_str text, enum bao_load_format format, char hex[65])
{
    struct loaded l;
    uint8_t digest[32];

    load(&l, text, BAO_LOAD_REPORT, format);
    assert_int_equal(l.r, 0);
    assert_int_equal(bao_node_hash(&l.doc.root, digest), 0);
    bao_hex(digest, sizeof(digest), hex);
    unload(&l);
}

static void content_hash_sees_only_content(void **state)
{
    static const char *const same[] = {
        "{\"form\":\"nd73\",\"n\":1,\"l\":[100,0.5],\"t\":\"Đắk\",\"z\":null}",
        "form: nd73\nn: 1\nl: [100, 0.5]\nt: Đắk\nz:\n",
        "form: nd73\r\nn: 1\r\nl: [100, 0.5]\r\nt: Đắk\r\nz: ~\r\n",
        "\xef\xbb\xbf"
        "form: nd73\nn: 1.0\nl:\n  - 1e2\n  - 0.50\nt: \"Đắk\"\nz: null\n",
        "z: null\nt: 'Đắk'\nl: [100.0, .5]\nn: +1\nform: nd73\n",
        "{ \"z\": null, \"t\": \"\\u0110\\u1eafk\", \"n\": 1e0, \"l\": [ 1E2, 5e-1 ], \"form\": \"nd73\" }\n",
        "# a comment\nform: &f nd73\nn: 0x1\nl: [1_0, 2]\n",
    };
    static const char utf16[] = "\xff\xfe"
                                "{\0\"\0n\0\"\0:\0001\0}\0";
    char first[65], other[65];

    (void)state;
    hash_of(bao_str_c(same[0]), BAO_FORMAT_GUESS, first);
    for (size_t i = 1; i + 1 < BAO_COUNT(same); i++) {
        hash_of(bao_str_c(same[i]), BAO_FORMAT_GUESS, other);
        assert_string_equal(other, first);
    }
    hash_of(bao_str_c(same[BAO_COUNT(same) - 1]), BAO_FORMAT_GUESS, other);
    assert_string_not_equal(other, first);
    hash_of((struct bao_str){utf16, sizeof(utf16) - 1}, BAO_FORMAT_GUESS, first);
    hash_of(BAO_STR("n: 1"), BAO_FORMAT_YAML, other);
    assert_string_equal(other, first);
}

static void canonical_text_is_hashed(void **state)
{
    struct bao_buf out = BAO_BUF_NULL(1 << 24), text = BAO_BUF_NULL(1 << 24);
    uint8_t whole[32], streamed[32];
    struct loaded l;

    (void)state;
    /* Long enough for several rounds of hashing, wide enough for an index. */
    assert_int_equal(bao_buf_append_c(&text, "{"), 0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(bao_buf_printf(&text, "\"%d\":[%d.50,\"\\u0001 tab\\t\"],", (i * 263) % 500, i), 0);
    assert_int_equal(bao_buf_append_c(&text, "\"\":{\"b\":1,\"a\":2}}"), 0);
    load(&l, bao_buf_str(&text), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
    assert_int_equal(l.r, 0);
    assert_int_equal(bao_node_print_canonical(&out, &l.doc.root), 0);
    assert_true(
        memcmp(bao_buf_data(&out), "{\"\":{\"a\":2,\"b\":1},\"0\":[0.5,\"\\u0001 tab\\t\"],\"1\":", 46) == 0);
    bao_sha256(bao_buf_data(&out), bao_buf_len(&out), whole);
    assert_int_equal(bao_node_hash(&l.doc.root, streamed), 0);
    assert_memory_equal(whole, streamed, 32);
    unload(&l);
    bao_buf_deinit(&out);
    bao_buf_deinit(&text);
}

static void order_agrees_with_equality(void **state)
{
    /* From least to greatest; the ones in a row are equal. */
    static const char *const rising[] = {
        "null",
        "false",
        "true",
        "-1e400",
        "-2",
        "0",
        "0.1",
        "1",
        "1.5",
        "9223372036854775807",
        "9223372036854775808",
        "1e400",
        "\"\"",
        "\"a\"",
        "\"a\\u0000\"",
        "\"ab\"",
        "\"b\"",
        "[]",
        "[1]",
        "[1,1]",
        "[2]",
        "{}",
        "{\"b\":1}",
        "{\"b\":2}",
        "{\"b\":2,\"c\":1}",
        "{\"a\":1}",
        "{\"a\":1,\"b\":0}",
        "{\"a\":2}",
    };
    static const char *const pairs[][2] = {
        {"1", "1.0"},
        {"-0", "0"},
        {"[100]", "[1e2]"},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
        {"0.10", "1e-1"},
        {"9223372036854775808", "9.223372036854775808e18"},
        {"\"\\u0061\"", "\"a\""},
    };
    struct loaded a, b;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rising); i++)
        for (size_t k = 0; k < BAO_COUNT(rising); k++) {
            int c;

            load(&a, bao_str_c(rising[i]), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
            load(&b, bao_str_c(rising[k]), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
            c = bao_node_cmp(&a.doc.root, &b.doc.root);
            if ((c > 0) - (c < 0) != (i > k) - (i < k))
                print_error("%s against %s: %d\n", rising[i], rising[k], c);
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
            assert_int_equal(bao_node_equal(&a.doc.root, &b.doc.root), i == k);
            unload(&a);
            unload(&b);
        }
    for (size_t i = 0; i < BAO_COUNT(pairs); i++) {
        load(&a, bao_str_c(pairs[i][0]), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
        load(&b, bao_str_c(pairs[i][1]), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
        assert_true(bao_node_equal(&a.doc.root, &b.doc.root));
        assert_int_equal(bao_node_cmp(&a.doc.root, &b.doc.root), 0);
        unload(&a);
        unload(&b);
    }
}

/* Maps made by hand have no index; they must answer the same. */
static void maps_without_an_index_answer_the_same(void **state)
{
    enum { N = 100 };
    struct bao_buf text = BAO_BUF_NULL(1 << 20), x = BAO_BUF_NULL(1 << 20), y = BAO_BUF_NULL(1 << 20);
    struct bao_node bare;
    struct loaded l;

    (void)state;
    assert_int_equal(bao_buf_append_c(&text, "{\"z\":0"), 0);
    for (int i = 0; i < N; i++)
        assert_int_equal(bao_buf_printf(&text, ",\"%d\":%d", i * 37 % N, i), 0);
    assert_int_equal(bao_buf_append_c(&text, "}"), 0);
    load(&l, bao_buf_str(&text), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
    assert_true(l.doc.root.indexed);
    bare = l.doc.root;
    bare.indexed = false;
    assert_true(bao_node_equal(&bare, &l.doc.root) && bao_node_equal(&l.doc.root, &bare));
    assert_int_equal(bao_node_cmp(&bare, &l.doc.root), 0);
    assert_ptr_equal(bao_node_get(&bare, "37"), bao_node_get(&l.doc.root, "37"));
    assert_int_equal(bao_node_print_canonical(&x, &bare), 0);
    assert_int_equal(bao_node_print_canonical(&y, &l.doc.root), 0);
    assert_true(bao_str_eq(bao_buf_str(&x), bao_buf_str(&y)));
    assert_null(bao_node_get(NULL, "a"));
    assert_null(bao_node_get(&bare.members[0].value, "a"));
    unload(&l);
    bao_buf_deinit(&text);
    bao_buf_deinit(&x);
    bao_buf_deinit(&y);
}

static void a_copy_needs_nothing_of_the_original(void **state)
{
    static const char text[] =
        "{\"a\": [1, 2.5, \"Đắk\", null, true, {\"b\": {}}], \"n\": -1e400, \"c\": \"\"}";
    struct bao_buf large = BAO_BUF_NULL(1 << 20), x = BAO_BUF_NULL(1 << 20), y = BAO_BUF_NULL(1 << 20);
    struct bao_arena arena = BAO_ARENA_NULL(0), small = BAO_ARENA_NULL(64);
    const struct bao_node *copy;
    struct loaded l;

    (void)state;
    load(&l, bao_str_c(text), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
    copy = bao_node_copy(&arena, &l.doc.root);
    assert_non_null(copy);
    assert_int_equal(bao_node_print_json(&x, &l.doc.root), 0);
    assert_int_equal(bao_node_get(copy, "n")->column, bao_node_get(&l.doc.root, "n")->column);
    assert_null(bao_node_copy(&small, &l.doc.root));
    unload(&l);
    assert_int_equal(bao_node_print_json(&y, copy), 0);
    assert_true(bao_str_eq(bao_buf_str(&x), bao_buf_str(&y)));
    /* A large map keeps its index. */
    for (int i = 0; i < 2 * BAO_MAP_SMALL; i++)
        assert_int_equal(bao_buf_printf(&large, "%s\"%d\": %d", i == 0 ? "{" : ",", i, i), 0);
    assert_int_equal(bao_buf_append_c(&large, "}"), 0);
    load(&l, bao_buf_str(&large), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
    copy = bao_node_copy(&arena, &l.doc.root);
    unload(&l);
    assert_true(copy->indexed);
    assert_int_equal(bao_node_get(copy, "37")->i, 37);
    bao_arena_deinit(&arena);
    bao_arena_deinit(&small);
    bao_buf_deinit(&large);
    bao_buf_deinit(&x);
    bao_buf_deinit(&y);
}

static void lists_and_maps_say_what_they_hold(void **state)
{
    static const struct {
        const char *text;
        unsigned kinds;
    } rows[] = {
        {"[]", 0},
        {"{}", 0},
        {"[1, -2, 1.0]", 1u << BAO_INT},
        {"[1, 2.5]", 1u << BAO_INT | 1u << BAO_DEC},
        {"{\"a\": \"x\", \"b\": [], \"c\": {}}", 1u << BAO_STRING | 1u << BAO_LIST | 1u << BAO_MAP},
        {"[null, true]", 1u << BAO_NULL | 1u << BAO_BOOL},
        {"- &a [x]\n- *a\n", 1u << BAO_LIST},
    };
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < BAO_COUNT(rows); i++) {
        load(&l, bao_str_c(rows[i].text), BAO_LOAD_PLAIN, BAO_FORMAT_GUESS);
        assert_int_equal(l.r, 0);
        assert_int_equal(l.doc.root.kinds, rows[i].kinds);
        unload(&l);
    }
}

/* ---- keys that were chosen to collide ---- */

enum { TWINS = 20000, TWIN_LEN = 16 };

static bool is_printable(uint64_t w)
{
    if ((w & UINT64_C(0x8080808080808080)) != 0)
        return false;
    for (; w != 0; w >>= 8)
        if ((w & 0xff) < ' ' || (w & 0xff) == '"' || (w & 0xff) == '\\' || (w & 0xff) == 0x7f)
            return false;
    return true;
}

/* The state of bao_key_hash() after the first eight octets of a key of TWIN_LEN. */
static uint64_t after_eight(uint64_t w)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ (TWIN_LEN * UINT64_C(0xff51afd7ed558ccd));

    h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 32;
}

/* A map of TWINS keys; of one hash, as anybody can make them who reads that function: the second half of a
 * key undoes what the first half did. */
static void make_twins(struct bao_buf *out, bool collide)
{
    uint64_t want = after_eight(UINT64_C(0x6161616161616161)) ^ UINT64_C(0x7a7a7a7a7a7a7a7a), x = 0;

    for (unsigned n = 0; n < TWINS; x++) {
        uint64_t first = 0, second = UINT64_C(0x7a7a7a7a7a7a7a7a);
        char key[TWIN_LEN + 1] = {0};

        for (unsigned i = 0; i < 8; i++)
            first |= ('a' + (x >> i * 4 & 15)) << i * 8;
        if (collide)
            second = want ^ after_eight(first);
        if (!is_printable(second))
            continue;
        memcpy(key, &first, 8);
        memcpy(key + 8, &second, 8);
        if (strlen(key) != TWIN_LEN)
            continue;
        assert_int_equal(bao_buf_printf(out, "%s\"%s\": %u", n == 0 ? "{" : ", ", key, n), 0);
        n++;
    }
}

/* Loads the map in both formats, and asks for every key. A large map is searched by its keys in order: with
 * every hash spoilt each key is still found, which no search by hash could do, however keys collide. */
static void use_twins(struct bao_str text, bool collide)
{
    struct loaded json, yaml;
    struct bao_member *members;

    load(&json, text, BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
    load(&yaml, text, BAO_LOAD_PLAIN, BAO_FORMAT_YAML);
    assert_int_equal(json.r, 0);
    assert_int_equal(yaml.r, 0);
    assert_int_equal(json.doc.root.len, TWINS);
    assert_true(json.doc.root.indexed && yaml.doc.root.indexed);
    assert_true(bao_node_equal(&json.doc.root, &yaml.doc.root));
    members = (struct bao_member *)(uintptr_t)json.doc.root.members; /* the arena's, and this test's alone */
    for (uint32_t i = 1; collide && i < TWINS; i++)
        assert_int_equal(members[i].hash, members[0].hash);
    for (uint32_t i = 0; i < TWINS; i++)
        members[i].hash = ~members[i].hash;
    for (uint32_t i = 0; i < TWINS; i++)
        assert_ptr_equal(bao_node_member(&json.doc.root, bao_member_key(&members[i])), &members[i]);
    assert_true(bao_node_equal(&json.doc.root, &yaml.doc.root));
    unload(&json);
    unload(&yaml);
}

/* The hash is not keyed, so anybody can choose keys that collide; it is not what a large map is searched by.
 */
static void keys_that_collide_cost_what_others_do(void **state)
{
    struct bao_buf plain = BAO_BUF_NULL(1 << 24), twins = BAO_BUF_NULL(1 << 24),
                   again = BAO_BUF_NULL(1 << 24);
    struct loaded l;

    (void)state;
    make_twins(&plain, false);
    make_twins(&twins, true);
    /* One of them that comes twice is seen. */
    assert_int_equal(bao_buf_append_str(&again, bao_buf_str(&twins)), 0);
    assert_int_equal(bao_buf_printf(&again, ", %.*s0}", TWIN_LEN + 4, bao_buf_data(&twins) + 1), 0);
    load(&l, bao_buf_str(&again), BAO_LOAD_PLAIN, BAO_FORMAT_JSON);
    assert_int_not_equal(l.r, 0);
    unload(&l);
    bao_buf_deinit(&again);
    assert_int_equal(bao_buf_append_c(&plain, "}"), 0);
    assert_int_equal(bao_buf_append_c(&twins, "}"), 0);
    use_twins(bao_buf_str(&plain), false);
    use_twins(bao_buf_str(&twins), true);
    bao_buf_deinit(&plain);
    bao_buf_deinit(&twins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_hash_sees_only_content),
        cmocka_unit_test(canonical_text_is_hashed),
        cmocka_unit_test(order_agrees_with_equality),
        cmocka_unit_test(maps_without_an_index_answer_the_same),
        cmocka_unit_test(a_copy_needs_nothing_of_the_original),
        cmocka_unit_test(lists_and_maps_say_what_they_hold),
        cmocka_unit_test(keys_that_collide_cost_what_others_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
