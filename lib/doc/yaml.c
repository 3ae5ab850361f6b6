#include "lib/doc/cursor.h"
#include "lib/doc/yaml.h"
#include "lib/base/utf8.h"

#include <yaml.h>

/* YAML through libyaml's events (never its own tree, which has no limits). Each event is judged as it comes:
 * libyaml 0.2.5 needs quadratic time for nesting, so that the depth limit must stop it in the middle. */

#define TAG_PREFIX "tag:yaml.org,2002:"

/* An anchored value, by name. */
struct anchor {
    uint32_t hash;
    uint32_t next; /* number of the one before it in its bucket, or 0 */
    struct bao_str name;
    struct bao_str text; /* a scalar's own text, for its use as a key */
    struct bao_node node;
    uint32_t nodes;       /* values it stands for, itself included */
    uint32_t height;      /* lists and maps inside each other in it */
    bool open, is_scalar; /* open: its end has not come */
    bool plain;
};

/* A list or map whose end has not come. */
struct frame {
    struct bao_node node;
    struct bao_member member; /* of a map: the key that waits for its value */
    size_t from;              /* its first element in the stack */
    size_t end;               /* octet behind the last thing in it */
    uint32_t nodes_before, height;
    uint32_t anchor; /* number of its anchor from 1, or 0 */
    bool is_map, has_key;
};

_Static_assert(sizeof(struct frame) % 8 == 0 && sizeof(struct anchor) % 8 == 0, "they stand in a bao_stack");

struct yaml {
    struct bao_loading *l;
    yaml_parser_t parser;
    struct bao_str hidden; /* the text as libyaml reads it */
    struct bao_cursor at;
    struct bao_stack elements, anchors, frames;
    uint32_t buckets[256]; /* newest anchor by hash, as its number; set up by the first anchor */
    uint32_t depth, nodes, aliases, documents;
    struct bao_node root;
};

/* ---- places ---- */

/* A scalar that stands in the file octet by octet as its value. */
static bool is_verbatim(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           event->data.scalar.anchor == NULL && event->data.scalar.tag == NULL &&
           event->start_mark.line == event->end_mark.line;
}

static struct bao_place place_of(struct yaml *y, const yaml_event_t *event)
{
    struct bao_place at;

    bao_cursor_seek(&y->at, event->start_mark.index);
    at.line = y->at.line;
    at.column = (uint32_t)(y->at.index - y->at.line_index) + 1;
    at.offset = (uint32_t)y->at.offset;
    if (is_verbatim(event)) {
        bao_cursor_pass(&y->at, event->data.scalar.length, event->end_mark.index - event->start_mark.index,
                        false);
    } else {
        bao_cursor_seek(&y->at, event->end_mark.index);
    }
    at.length = (uint32_t)(y->at.offset - at.offset);
    return at;
}

static void set_place(struct bao_node *node, struct bao_place at)
{
    node->line = at.line;
    node->column = at.column;
    node->offset = at.offset;
    node->extent = at.length;
}

/* ---- values find their place ---- */

static struct frame *top(struct yaml *y)
{
    return y->depth == 0 ? NULL : (struct frame *)(void *)(y->frames.base + y->frames.used) - 1;
}

static int count_nodes(struct yaml *y, uint32_t n, struct bao_place at)
{
    if (n > y->l->limits.nodes - y->nodes)
        return bao_loading_refuse_number(y->l, BAO_BC_NODES, at.offset, at.length, y->l->limits.nodes);
    y->nodes += n;
    return 0;
}

/* {a: 38,5}: a whole number, a comma without a space, a "key" of digits and no value. Valid YAML, but in a
 * report never what was meant (forms.md 3.11). */
static int check_decimal_comma(struct yaml *y, const struct frame *f, const struct bao_node *value)
{
    struct bao_loading *l = y->l;
    const struct bao_member *key = &f->member, *before;
    struct bao_finding *finding;

    if (l->mode != BAO_LOAD_REPORT || value->type != BAO_NULL || value->extent != 0 ||
        y->elements.used == f->from || (f->node.style & BAO_STYLE_FLOW) == 0)
        return 0;
    before = (const struct bao_member *)(void *)(y->elements.base + y->elements.used) - 1;
    if (before->value.type != BAO_INT || before->value.offset + before->value.extent + 1 != key->offset ||
        l->text.p[key->offset - 1] != ',' ||
        bao_core_of((struct bao_str){l->text.p + key->offset, key->extent}) != BAO_CORE_INT)
        return 0;
    finding = bao_loading_finding(l, BAO_BC_DECIMAL_COMMA, before->value.offset,
                                  key->offset + key->extent - before->value.offset);
    if (finding != NULL) {
        struct bao_str whole = {l->text.p + before->value.offset, before->value.extent};

        bao_finding_arg(finding, bao_arena_printf(l->arena, "%.*s,%.*s", BAO_STR_ARG(whole),
                                                  BAO_STR_ARG(bao_member_key(key))));
        bao_finding_arg(finding, bao_arena_printf(l->arena, "%.*s.%.*s", BAO_STR_ARG(whole),
                                                  BAO_STR_ARG(bao_member_key(key))));
    }
    return BAO_LOAD_E_REFUSED;
}

/* Puts a value where it belongs: into the open list or map, or at the root. */
static int add_value(struct yaml *y, const struct bao_node *node)
{
    struct frame *f = top(y);
    int r;

    if (f == NULL) {
        y->root = *node;
        return 0;
    }
    f->end = node->offset + node->extent;
    if (f->is_map) {
        struct bao_member *member;

        r = check_decimal_comma(y, f, node);
        if (r != 0)
            return r;
        member = bao_stack_push(&y->elements, sizeof(*member));
        if (member == NULL)
            return -ENOMEM;
        *member = f->member;
        member->value = *node;
        f->has_key = false;
    } else {
        struct bao_node *item = bao_stack_push(&y->elements, sizeof(*item));

        if (item == NULL)
            return -ENOMEM;
        *item = *node;
    }
    return 0;
}

static bool wants_key(struct yaml *y)
{
    const struct frame *f = top(y);

    return f != NULL && f->is_map && !f->has_key;
}

/* ---- anchors ---- */

static struct anchor *anchors(struct yaml *y)
{
    return (struct anchor *)(void *)y->anchors.base;
}

static uint32_t *bucket_of(struct yaml *y, uint32_t hash)
{
    return &y->buckets[hash % BAO_COUNT(y->buckets)];
}

static int add_anchor(struct yaml *y, const yaml_char_t *name, const struct anchor *value,
                      uint32_t *ret_number)
{
    struct anchor *a;
    uint32_t *bucket;
    size_t n;

    if (name == NULL) {
        *ret_number = 0;
        return 0;
    }
    if (y->anchors.used == 0)
        memset(y->buckets, 0, sizeof(y->buckets));
    n = strlen((const char *)name);
    a = bao_stack_push(&y->anchors, sizeof(*a));
    if (a == NULL)
        return -ENOMEM;
    *a = *value;
    a->name = bao_arena_str(y->l->arena, (struct bao_str){(const char *)name, n});
    a->hash = bao_key_hash((const char *)name, n);
    if (a->name.p == NULL)
        return -ENOMEM;
    bucket = bucket_of(y, a->hash);
    a->next = *bucket;
    *ret_number = *bucket = (uint32_t)(y->anchors.used / sizeof(*a));
    return 0;
}

/* The newest anchor of that name, or NULL. */
static struct anchor *find_anchor(struct yaml *y, struct bao_str name)
{
    uint32_t hash = bao_key_hash(name.p, name.n);
    struct anchor *a;

    if (y->anchors.used == 0)
        return NULL;
    for (uint32_t number = *bucket_of(y, hash); number != 0; number = a->next) {
        a = &anchors(y)[number - 1];
        if (a->hash == hash && bao_str_eq(a->name, name))
            return a;
    }
    return NULL;
}

/* ---- tags ---- */

static bool tag_is(struct bao_str tag, const char *name)
{
    return tag.n == strlen(TAG_PREFIX) + strlen(name) && memcmp(tag.p, TAG_PREFIX, strlen(TAG_PREFIX)) == 0 &&
           memcmp(tag.p + strlen(TAG_PREFIX), name, strlen(name)) == 0;
}

static int refuse_mismatch(struct yaml *y, struct bao_place at, struct bao_str tag, struct bao_str value)
{
    struct bao_finding *f = bao_loading_finding(y->l, BAO_BC_TAG_MISMATCH, at.offset, at.length);

    if (f != NULL) {
        struct bao_str name = {tag.p + strlen(TAG_PREFIX), tag.n - strlen(TAG_PREFIX)};

        bao_finding_arg(f, bao_arena_printf(y->l->arena, "!!%.*s", BAO_STR_ARG(name)));
        bao_finding_arg(f, bao_arena_str(y->l->arena, value));
    }
    return BAO_LOAD_E_REFUSED;
}

/* What the tag makes of a scalar's form: 0 and the form to take, or a refusal. */
static int apply_tag(struct yaml *y, struct bao_place at, struct bao_str tag, struct bao_str value,
                     enum bao_core *core)
{
    static const struct {
        const char *name;
        uint32_t forms; /* bits of enum bao_core */
    } tags[] = {{"str", ~0u},
                {"null", 1u << BAO_CORE_NULL},
                {"bool", 1u << BAO_CORE_TRUE | 1u << BAO_CORE_FALSE},
                {"int", 1u << BAO_CORE_INT | 1u << BAO_CORE_BASED},
                {"float", 1u << BAO_CORE_INT | 1u << BAO_CORE_FLOAT | 1u << BAO_CORE_NOT_FINITE},
                {"seq", 0},
                {"map", 0}};

    for (size_t i = 0; i < BAO_COUNT(tags); i++) {
        if (!tag_is(tag, tags[i].name))
            continue;
        *core = i == 0 ? BAO_CORE_TEXT : bao_core_of(value);
        return (tags[i].forms >> *core & 1) != 0 ? 0 : refuse_mismatch(y, at, tag, value);
    }
    return bao_loading_refuse_text(y->l, BAO_BC_TAG_UNKNOWN, at.offset, at.length, tag);
}

static int check_collection_tag(struct yaml *y, struct bao_place at, const yaml_char_t *tag, bool is_map)
{
    struct bao_str t = bao_str_c((const char *)tag);
    enum bao_core core;

    if (t.n == 0 || bao_str_is(t, "!") || tag_is(t, is_map ? "map" : "seq"))
        return 0;
    if (tag_is(t, is_map ? "seq" : "map"))
        return refuse_mismatch(y, at, t, is_map ? BAO_STR("{…}") : BAO_STR("[…]"));
    if (tag_is(t, "str"))
        return refuse_mismatch(y, at, t, is_map ? BAO_STR("{…}") : BAO_STR("[…]"));
    return apply_tag(y, at, t, BAO_STR("…"), &core) == 0 ? 0 : BAO_LOAD_E_REFUSED;
}

/* ---- scalars ---- */

static int refuse_thousand(struct yaml *y, struct bao_place at, struct bao_str s)
{
    struct bao_finding *f = bao_loading_finding(y->l, BAO_BC_THOUSAND, at.offset, at.length);
    size_t point = s.n - 4, zeros = 0;

    if (f == NULL)
        return BAO_LOAD_E_REFUSED;
    while (zeros < 2 && s.p[s.n - 1 - zeros] == '0')
        zeros++;
    bao_finding_arg(f, bao_arena_str(y->l->arena, s));
    bao_finding_arg(f, bao_arena_printf(y->l->arena, "%.*s%.3s", (int)point, s.p, s.p + point + 1));
    /* 1.25 for 1.250; 1.234 needs a fourth place to be told from a thousand. */
    bao_finding_arg(f,
                    bao_arena_printf(y->l->arena, "%.*s%s", (int)(s.n - zeros), s.p, zeros == 0 ? "0" : ""));
    return BAO_LOAD_E_REFUSED;
}

static int set_core(struct yaml *y, struct bao_place at, struct bao_str s, enum bao_core core,
                    struct bao_node *node)
{
    int r;

    if (core == BAO_CORE_NOT_FINITE)
        return bao_loading_refuse_text(y->l, BAO_BC_NOT_FINITE, at.offset, at.length, s);
    if (y->l->mode == BAO_LOAD_REPORT && core == BAO_CORE_FLOAT && bao_core_is_thousand(s))
        return refuse_thousand(y, at, s);
    r = bao_core_set(y->l->arena, s, core, node);
    if (r == BAO_DEC_E_RANGE)
        return bao_loading_refuse(y->l, BAO_BC_NUMBER_RANGE, at.offset, at.length);
    return bao_error_fold(r);
}

static int set_text(struct yaml *y, struct bao_place at, struct bao_str s, bool copied, struct bao_node *node)
{
    if (y->l->mode == BAO_LOAD_REPORT && bao_loading_control(s) != s.n)
        return bao_loading_refuse(y->l, BAO_BC_CONTROL, at.offset, at.length);
    if (!copied)
        s = bao_arena_str(y->l->arena, s);
    if (s.p == NULL)
        return -ENOMEM;
    node->type = BAO_STRING;
    node->str = s.p;
    node->len = (uint32_t)s.n;
    return 0;
}

/* A scalar as read, before anybody knows whether it is a key or a value. */
struct scalar {
    struct bao_place at;
    struct bao_str text, tag;
    enum bao_core core;
    bool plain;  /* untagged and without quotes */
    bool quoted; /* text by its form */
    bool copied; /* text lies in the arena */
};

static int take_scalar(struct yaml *y, const yaml_event_t *event, struct scalar *s)
{
    yaml_scalar_style_t style = event->data.scalar.style;
    int r;

    s->at = place_of(y, event);
    s->text = (struct bao_str){(const char *)event->data.scalar.value, event->data.scalar.length};
    s->tag = bao_str_c((const char *)event->data.scalar.tag);
    if (bao_str_is(s->tag, "!")) /* "take it as text" */
        s->tag = BAO_STR_NULL;
    s->quoted = style != YAML_PLAIN_SCALAR_STYLE || (event->data.scalar.tag != NULL && s->tag.n == 0);
    s->copied = false;
    if (y->hidden.p != y->l->text.p) {
        r = bao_halves_join(y->l, y->hidden, s->at, style == YAML_DOUBLE_QUOTED_SCALAR_STYLE, &s->text);
        if (r != 0)
            return r;
        s->copied = true;
    }
    s->plain = !s->quoted && s->tag.n == 0;
    s->core = s->quoted ? BAO_CORE_TEXT : bao_core_of(s->text);
    return s->tag.n == 0 ? 0 : apply_tag(y, s->at, s->tag, s->text, &s->core);
}

static int scalar_node(struct yaml *y, const struct scalar *s, struct bao_node *node)
{
    if (s->text.n > y->l->limits.scalar)
        return bao_loading_refuse_number(y->l, BAO_BC_SCALAR_LONG, s->at.offset, s->at.length,
                                         y->l->limits.scalar);
    memset(node, 0, sizeof(*node));
    node->style = (uint8_t)(BAO_STYLE_YAML | (s->quoted ? BAO_STYLE_QUOTED : 0));
    set_place(node, s->at);
    if (s->core == BAO_CORE_TEXT)
        return set_text(y, s->at, s->text, s->copied, node);
    return set_core(y, s->at, s->text, s->core, node);
}

static int add_key(struct yaml *y, struct bao_place at, struct bao_str text, bool plain, enum bao_core core)
{
    struct bao_member *m = &top(y)->member;
    const char *copy;
    size_t odd;

    if (core == BAO_CORE_NULL)
        return bao_loading_refuse(y->l, BAO_BC_NULL_KEY, at.offset, at.length);
    if (plain && bao_str_is(text, "<<"))
        return bao_loading_refuse(y->l, BAO_BC_MERGE_KEY, at.offset, at.length);
    if (text.n > y->l->limits.key)
        return bao_loading_refuse_number(y->l, BAO_BC_KEY_LONG, at.offset, at.length, y->l->limits.key);
    if (y->l->mode == BAO_LOAD_REPORT && bao_loading_control(text) != text.n)
        return bao_loading_refuse(y->l, BAO_BC_CONTROL, at.offset, at.length);
    odd = y->l->mode == BAO_LOAD_REPORT && plain ? bao_utf8_odd_space(text.p, text.p + text.n) : 0;
    if (odd != 0)
        return bao_loading_refuse(y->l, BAO_BC_YAML_SPACE, at.offset, odd);
    copy = bao_arena_dup(y->l->arena, text.p, text.n);
    if (copy == NULL)
        return -ENOMEM;
    *m = (struct bao_member){.key = copy,
                             .key_len = (uint32_t)text.n,
                             .hash = bao_key_hash(copy, text.n),
                             .line = at.line,
                             .column = at.column,
                             .offset = at.offset,
                             .extent = at.length};
    top(y)->has_key = true;
    top(y)->end = at.offset + at.length;
    return 0;
}

static int on_scalar(struct yaml *y, const yaml_event_t *event)
{
    bool is_key = wants_key(y);
    struct anchor anchor = {.is_scalar = true, .nodes = 1};
    struct scalar s;
    uint32_t number;
    int r = take_scalar(y, event, &s);

    if (r == 0 && is_key)
        r = add_key(y, s.at, s.text, s.plain, s.core);
    if (r == 0 && !is_key)
        r = count_nodes(y, 1, s.at);
    if (r == 0 && (!is_key || event->data.scalar.anchor != NULL))
        r = scalar_node(y, &s, &anchor.node);
    if (r == 0 && event->data.scalar.anchor != NULL) {
        anchor.text = bao_arena_str(y->l->arena, s.text);
        anchor.plain = s.plain;
        r = anchor.text.p == NULL ? -ENOMEM : add_anchor(y, event->data.scalar.anchor, &anchor, &number);
    }
    return r == 0 && !is_key ? add_value(y, &anchor.node) : r;
}

/* ---- lists, maps, aliases ---- */

static int on_open(struct yaml *y, const yaml_event_t *event)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag = is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const yaml_char_t *name = is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    bool flow = is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                       : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    struct bao_place at = place_of(y, event);
    struct anchor anchor = {.open = true};
    struct frame *f;
    int r;

    if (wants_key(y))
        return bao_loading_refuse(y->l, BAO_BC_COLLECTION_KEY, at.offset, at.length);
    if (y->depth == y->l->limits.depth)
        return bao_loading_refuse_number(y->l, BAO_BC_DEPTH, at.offset, at.length, y->depth);
    r = check_collection_tag(y, at, tag, is_map);
    if (r == 0)
        r = count_nodes(y, 1, at);
    if (r != 0)
        return r;
    f = bao_stack_push(&y->frames, sizeof(*f));
    if (f == NULL)
        return -ENOMEM;
    y->depth++;
    *f = (struct frame){.is_map = is_map,
                        .from = y->elements.used,
                        .nodes_before = y->nodes - 1,
                        .height = 1,
                        .end = at.offset + at.length};
    f->node.style = (uint8_t)(BAO_STYLE_YAML | (flow ? BAO_STYLE_FLOW : 0));
    set_place(&f->node, at);
    return add_anchor(y, name, &anchor, &f->anchor);
}

/* The open list or map has a value of that height in it now. */
static void raise_height(struct yaml *y, uint32_t height)
{
    struct frame *f = top(y);

    if (f != NULL && f->height < height + 1)
        f->height = height + 1;
}

static int on_close(struct yaml *y, const yaml_event_t *event)
{
    struct frame *f = top(y);
    struct bao_node *node = &f->node;
    const struct bao_member *twins[2];
    int r;

    if ((node->style & BAO_STYLE_FLOW) != 0) {
        struct bao_place at = place_of(y, event);

        f->end = at.offset + at.length;
    }
    node->extent = (uint32_t)(f->end - node->offset);
    if (f->is_map) {
        r = bao_stack_take_map(&y->elements, f->from, y->l->arena, node, twins);
        if (r == 1)
            return bao_loading_refuse_twin(y->l, twins[0], twins[1]);
    } else {
        r = bao_stack_take_list(&y->elements, f->from, y->l->arena, node);
    }
    if (r != 0)
        return r;
    if (f->anchor != 0) {
        struct anchor *a = &anchors(y)[f->anchor - 1];

        a->open = false;
        a->node = *node;
        a->nodes = y->nodes - f->nodes_before;
        a->height = f->height;
    }
    y->frames.used -= sizeof(*f); /* *f stays readable until the next push */
    y->depth--;
    raise_height(y, f->height);
    return add_value(y, node);
}

static int on_alias(struct yaml *y, const yaml_event_t *event)
{
    struct bao_str name = bao_str_c((const char *)event->data.alias.anchor);
    struct bao_place at = place_of(y, event);
    struct anchor *a = find_anchor(y, name);
    struct bao_node node;
    int r;

    if (++y->aliases > y->l->limits.aliases)
        return bao_loading_refuse_number(y->l, BAO_BC_ALIASES, at.offset, at.length, y->l->limits.aliases);
    if (a == NULL)
        return bao_loading_refuse_text(y->l, BAO_BC_NO_ANCHOR, at.offset, at.length, name);
    if (a->open)
        return bao_loading_refuse_text(y->l, BAO_BC_SELF_ALIAS, at.offset, at.length, name);
    if (wants_key(y)) {
        if (!a->is_scalar)
            return bao_loading_refuse(y->l, BAO_BC_COLLECTION_KEY, at.offset, at.length);
        return add_key(y, at, a->text, a->plain, a->node.type == BAO_NULL ? BAO_CORE_NULL : BAO_CORE_TEXT);
    }
    r = count_nodes(y, a->nodes, at);
    if (r != 0)
        return r;
    if (a->height > y->l->limits.depth - y->depth)
        return bao_loading_refuse_number(y->l, BAO_BC_DEPTH, at.offset, at.length, y->l->limits.depth);
    raise_height(y, a->height);
    node = a->node;
    node.style |= BAO_STYLE_ALIAS;
    set_place(&node, at);
    return add_value(y, &node);
}

/* ---- the stream ---- */

static int on_document(struct yaml *y, const yaml_event_t *event)
{
    struct bao_place at = place_of(y, event);

    if (y->documents++ != 0)
        return bao_loading_refuse(y->l, BAO_BC_TWO_DOCUMENTS, at.offset, at.length);
    return 0;
}

static int on_event(struct yaml *y, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(y, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(y, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_open(y, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(y, event);
    case YAML_ALIAS_EVENT:
        return on_alias(y, event);
    default:
        return 0;
    }
}

/* libyaml refused: its marks count characters, its reader octets. */
static int on_fault(struct yaml *y)
{
    struct bao_yaml_fault fault = {.problem = y->parser.problem,
                                   .context = y->parser.context == NULL ? "" : y->parser.context};

    /* Some of libyaml's failed allocations name themselves a fault of the text, but without a problem. */
    if (y->parser.error == YAML_MEMORY_ERROR || y->parser.problem == NULL)
        return -ENOMEM;
    if (y->parser.error == YAML_READER_ERROR) {
        fault.at = fault.context_at = y->parser.problem_offset;
    } else {
        bao_cursor_seek(&y->at, y->parser.problem_mark.index);
        fault.at = y->at.offset;
        bao_cursor_seek(&y->at, y->parser.context_mark.index);
        fault.context_at = y->at.offset;
    }
    return bao_yaml_refuse(y->l, &fault);
}

static int read_events(struct yaml *y)
{
    bool done = false;
    int r = 0;

    while (r == 0 && !done) {
        yaml_event_t event BAO_CLEANUP(yaml_event_delete);

        if (yaml_parser_parse(&y->parser, &event) == 0) {
            memset(&event, 0, sizeof(event));
            return on_fault(y);
        }
        done = event.type == YAML_STREAM_END_EVENT;
        r = on_event(y, &event);
    }
    if (r == 0 && y->documents == 0)
        return bao_loading_refuse(y->l, BAO_BC_NO_DOCUMENT, y->l->text.n, 0);
    return r;
}

/* libyaml compares each %TAG with all before it, before its event comes: so they are counted beforehand. */
static int check_tag_directives(struct yaml *y)
{
    const char *text = y->l->text.p, *p = text, *end = p + y->l->text.n;
    uint32_t n = 0;

    for (; (p = memchr(p, '%', (size_t)(end - p))) != NULL; p++)
        if (end - p > 4 && memcmp(p, "%TAG", 4) == 0 && (p == text || p[-1] == '\n' || p[-1] == '\r') &&
            ++n > y->l->limits.tag_directives)
            return bao_loading_refuse_number(y->l, BAO_BC_TAG_DIRECTIVES, (size_t)(p - text), 4,
                                             y->l->limits.tag_directives);
    return 0;
}

static int read_with(struct yaml *y)
{
    int r = check_tag_directives(y);

    if (r == 0)
        r = bao_halves_hide(y->l, &y->hidden);
    if (r != 0)
        return r;
    if (yaml_parser_initialize(&y->parser) == 0)
        return -ENOMEM;
    yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&y->parser, (const unsigned char *)y->hidden.p, y->hidden.n);
    r = read_events(y);
    yaml_parser_delete(&y->parser);
    return r;
}

int bao_yaml_read(struct bao_loading *l, struct bao_doc *ret)
{
    struct yaml y; /* its stacks are large: not cleared */
    int r;

    y.l = l;
    y.at = (struct bao_cursor){.text = l->text, .line = 1};
    y.depth = y.nodes = y.aliases = y.documents = 0;
    bao_stack_init(&y.elements);
    bao_stack_init(&y.anchors);
    bao_stack_init(&y.frames);
    r = read_with(&y);
    bao_stack_deinit(&y.elements);
    bao_stack_deinit(&y.anchors);
    bao_stack_deinit(&y.frames);
    if (r != 0)
        return r;
    ret->root = y.root;
    ret->n_nodes = y.nodes;
    ret->is_json = false;
    return 0;
}
