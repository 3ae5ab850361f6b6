#include "daemon/answer.h"

#include "lib/doc/load.h"
#include "lib/text/catalogue.h"

/* Octets of findings in one answer: names in a document may be long, and each is repeated in its finding. */
enum { FINDINGS_MAX = 512 * 1024 };

static const char *state_of(const struct baod_receipt *r)
{
    if (r->queued)
        return "queued";
    if (r->returned)
        return "returned";
    return r->superseded ? "superseded" : "committed";
}

static const char *due_of(const struct baod_receipt *r)
{
    if (r->due_at == BAO_TIME_NONE)
        return "none";
    return r->on_time ? "on-time" : "late";
}

struct bao_receipt_text baod_receipt_words(const struct baod_receipt *r, struct bao_str form,
                                           struct bao_str unit, struct bao_str period, int offset)
{
    struct bao_receipt_text text = {
        .state = state_of(r),
        .form = form,
        .unit = unit,
        .period = period,
        .revision = r->revision,
        .at = r->received_at,
        .offset = offset,
        .due = due_of(r),
        .form_version = r->form_version,
        .dup = r->dup,
        .dur = r->queued ? "spool" : (r->durable_sync ? "sync" : "local"),
        .chain = r->queued ? 0 : r->chain,
    };

    memcpy(text.id, r->id, sizeof(text.id));
    memcpy(text.content, r->content, sizeof(text.content));
    memcpy(text.sha256, r->sha256, sizeof(text.sha256));
    return text;
}

/* Is the finding told? With an accepted report only what did not stand in its way. */
static bool is_told(const struct baod_submission *s, const struct bao_finding *f)
{
    return s->symbol != BAO_SYM_NONE || f->severity != BAO_ERROR;
}

/* Does the answer need a sentence of its own, beside the findings? */
static bool has_sentence(const struct baod_submission *s)
{
    return s->symbol != BAO_SYM_NONE && (s->verdict.findings.n == 0 || s->detail[BAO_VI].n != 0 ||
                                         s->detail[BAO_EN].n != 0 || s->symbol != s->verdict.symbol);
}

/* After a finding was appended to `out`, which was `before` octets long: takes it back when it was too much.
 */
static bool is_too_much(struct bao_buf *out, size_t before, int *r)
{
    if (*r == -ENOBUFS || (*r == 0 && bao_buf_len(out) > FINDINGS_MAX)) {
        out->end -= bao_buf_len(out) - before;
        *r = 0;
        return true;
    }
    return false;
}

static int text_body(struct bao_buf *out, const struct baod_submission *s, enum bao_lang lang)
{
    const struct bao_findings *f = &s->verdict.findings;
    int r = has_sentence(s) ? bao_symbol_body(out, s->symbol, s->detail, lang, false) : 0;

    for (size_t i = 0; i < f->n && r == 0; i++) {
        size_t before = bao_buf_len(out);

        if (!is_told(s, &f->items[i]))
            continue;
        r = bao_text_wire_line(out, &f->items[i], lang);
        if (is_too_much(out, before, &r))
            break;
    }
    return r;
}

static int json_body(struct bao_buf *out, const struct baod_submission *s)
{
    const struct bao_findings *f = &s->verdict.findings;
    const char *comma = "[";
    int r = 0;

    if (has_sentence(s)) {
        r = bao_symbol_body(out, s->symbol, s->detail, BAO_VI, true); /* a whole array, reopened below */
        if (r == 0 && bao_buf_len(out) != 0)
            out->end--;
        comma = ",";
    }
    for (size_t i = 0; i < f->n && r == 0; i++) {
        size_t before = bao_buf_len(out);

        if (!is_told(s, &f->items[i]))
            continue;
        r = bao_buf_append_c(out, comma);
        if (r == 0)
            r = bao_text_json(out, &f->items[i]);
        if (is_too_much(out, before, &r))
            break;
        comma = ",";
    }
    if (r == 0 && *comma == ',')
        r = bao_buf_append_c(out, "]");
    return r;
}

int baod_answer_findings(struct bao_buf *out, const struct baod_submission *s, enum bao_lang lang, bool json)
{
    bool secret = s->symbol == BAO_SYM_SECRET || s->verdict.is_secret;

    if (secret) /* nothing of it is repeated */
        return bao_symbol_body(out, BAO_SYM_SECRET, NULL, lang, json);
    return json ? json_body(out, s) : text_body(out, s, lang);
}

/* One stored warning as the line that told it first. */
static int warning_line(struct bao_buf *out, const struct bao_node *f, enum bao_lang lang)
{
    static const char *const names[BAO_LANGS] = {[BAO_VI] = "vi", [BAO_EN] = "en"};
    const struct bao_node *line = bao_node_get(f, "line"), *column = bao_node_get(f, "column");
    const struct bao_node *message = bao_node_get(f, "message"), *mend = bao_node_get(f, "mend");
    const struct bao_node *parts[] = {
        bao_node_get(f, "code"),
        bao_node_get(f, "path"),
        message == NULL ? NULL : bao_node_get(message, names[lang]),
        mend == NULL ? NULL : bao_node_get(mend, names[lang]),
    };
    struct bao_str say[BAO_COUNT(parts)] = {BAO_STR_NULL};

    for (size_t i = 0; i < BAO_COUNT(parts); i++)
        if (parts[i] != NULL && parts[i]->type == BAO_STRING)
            say[i] = bao_node_str(parts[i]);
    return bao_buf_printf(out, "%lld:%lld\t%.*s\t%.*s\t%.*s%s%.*s\n",
                          line != NULL && line->type == BAO_INT ? (long long)line->i : 0LL,
                          column != NULL && column->type == BAO_INT ? (long long)column->i : 0LL,
                          BAO_STR_ARG(say[0]), BAO_STR_ARG(say[1]), BAO_STR_ARG(say[2]),
                          say[3].n != 0 ? " " : "", BAO_STR_ARG(say[3]));
}

int baod_answer_warnings(struct bao_buf *out, struct bao_str stored, enum bao_lang lang, bool json)
{
    const struct bao_load_options options = {.format = BAO_FORMAT_JSON, .limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_arena arena = BAO_ARENA_NULL(16 << 20);
    struct bao_findings findings;
    struct bao_doc doc;
    int r;

    if (stored.n == 0 || json)
        return bao_buf_append_str(out, stored);
    bao_findings_init(&findings, &arena, 1);
    r = bao_load(&arena, stored, &options, &findings, &doc);
    for (uint32_t i = 0; r == 0 && doc.root.type == BAO_LIST && i < doc.root.len; i++)
        if (doc.root.items[i].type == BAO_MAP)
            r = warning_line(out, &doc.root.items[i], lang);
    bao_arena_deinit(&arena);
    return r > 0 ? 0 : r; /* what cannot be read any more is not told */
}
