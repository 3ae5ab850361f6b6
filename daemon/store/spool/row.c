#include "daemon/store/spool/row.h"

#include "lib/form/receipt.h"

#include <sys/random.h>

enum {
    ROW_OCTETS = 1024, /* of a row beside its texts: keys, indexes, receipt */
    FILE_MAX = 8192,
    SENDER_MAX = 64 << 10,
    FIGURE_OCTETS = 9,
};

static void feed_number(struct bao_sha256 *h, int64_t v)
{
    bao_sha256_feed(h, &v, sizeof(v));
}

static void feed_text(struct bao_sha256 *h, struct bao_str s)
{
    feed_number(h, (int64_t)s.n);
    bao_sha256_feed(h, s.p, s.n);
}

void baod_spool_seal(const struct baod_spool_row *row, uint8_t ret[BAO_SHA256_LEN])
{
    const struct bao_str texts[] = {row->unit,      row->form,     row->period,
                                    row->figures,   row->warnings, row->explanations,
                                    row->collected, row->body,     row->file}; /* as in format 1 */
    const int64_t numbers[] = {row->revision, row->form_version, row->received_at, row->due_at,
                               row->nil,      row->cutoff,       row->unjudged,    row->raw_size};
    struct bao_sha256 h;

    bao_sha256_init(&h);
    for (size_t i = 0; i < BAO_COUNT(numbers); i++)
        feed_number(&h, numbers[i]);
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        feed_text(&h, texts[i]);
    bao_sha256_feed(&h, row->receipt, sizeof(row->receipt));
    bao_sha256_feed(&h, row->content, sizeof(row->content));
    bao_sha256_feed(&h, row->sha256, sizeof(row->sha256));
    if (row->sender.n != 0) /* rows of format 1 have none */
        feed_text(&h, row->sender);
    bao_sha256_get(&h, ret);
}

void baod_spool_seal_drained(const struct baod_spool_row *row, uint8_t ret[BAO_SHA256_LEN])
{
    const struct bao_str texts[] = {row->unit, row->form, row->period};
    struct bao_sha256 h;

    bao_sha256_init(&h);
    for (size_t i = 0; i < BAO_COUNT(texts); i++)
        feed_text(&h, texts[i]);
    feed_number(&h, row->revision);
    feed_number(&h, row->received_at);
    bao_sha256_feed(&h, row->receipt, sizeof(row->receipt));
    bao_sha256_feed(&h, row->content, sizeof(row->content));
    bao_sha256_get(&h, ret);
}

void baod_spool_seal_list(struct bao_str name, bao_time at, struct bao_str data, uint8_t ret[BAO_SHA256_LEN])
{
    struct bao_sha256 h;

    bao_sha256_init(&h);
    feed_text(&h, name);
    feed_number(&h, at);
    feed_text(&h, data);
    bao_sha256_get(&h, ret);
}

uint64_t baod_spool_row_octets(const struct baod_spool_row *row)
{
    return ROW_OCTETS + row->body.n + row->figures.n + row->warnings.n + row->explanations.n +
           row->collected.n + row->file.n + row->sender.n;
}

bool baod_spool_keep_row(struct bao_arena *arena, struct baod_spool_row *row)
{
    struct bao_str *texts[] = {&row->unit,     &row->form,         &row->period,    &row->figures,
                               &row->warnings, &row->explanations, &row->collected, &row->body,
                               &row->file,     &row->sender};

    for (size_t i = 0; i < BAO_COUNT(texts); i++) {
        *texts[i] = texts[i]->n == 0 ? BAO_STR("") : bao_arena_str(arena, *texts[i]);
        if (texts[i]->p == NULL)
            return false;
    }
    return true;
}

static bool pack(const struct bao_verdict *v, struct bao_arena *arena, struct bao_str *ret)
{
    size_t n = v->form->n_indicators;
    char *p = bao_arena_alloc(arena, n * FIGURE_OCTETS + 1);

    if (p == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t scaled = (uint64_t)v->figures[i].scaled;

        p[i * FIGURE_OCTETS] = (char)v->figures[i].present;
        for (size_t k = 0; k < 8; k++)
            p[i * FIGURE_OCTETS + 1 + k] = (char)(unsigned char)(scaled >> (8 * k));
    }
    *ret = (struct bao_str){p, n * FIGURE_OCTETS};
    return true;
}

int baod_spool_figures(const struct baod_spool_row *row, struct bao_arena *arena, struct bao_figure **ret,
                       size_t *ret_n)
{
    size_t n = row->figures.n / FIGURE_OCTETS;
    struct bao_figure *figures = bao_arena_array(arena, n, sizeof(*figures));
    const unsigned char *p = (const unsigned char *)row->figures.p;

    if (row->figures.n % FIGURE_OCTETS != 0)
        return -EBADMSG;
    if (figures == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++, p += FIGURE_OCTETS) {
        uint64_t scaled = 0;

        for (size_t k = 8; k > 0; k--)
            scaled = scaled << 8 | p[k];
        figures[i] = (struct bao_figure){.present = p[0] != 0, .scaled = (int64_t)scaled};
    }
    *ret = figures;
    *ret_n = n;
    return 0;
}

/* A batch of its own, number 0, which stands before all that PostgreSQL will ever number: so a queued receipt
 * is verified by the same key and the same program as a committed one. */
static int sign(const struct baod_spool_signer *by, struct bao_arena *arena, struct baod_spool_row *row)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(FILE_MAX), file = BAO_BUF_NULL(FILE_MAX);
    struct bao_leaf leaf = {.form = row->form,
                            .unit = row->unit,
                            .period = row->period,
                            .revision = row->revision,
                            .received_at = row->received_at,
                            .form_version = row->form_version,
                            .verdict = BAO_STR("queued")};
    struct bao_batch batch = {
        .province = bao_str_c(by->province), .node = bao_str_c(by->node), .at = row->received_at, .n = 1};
    struct bao_hash hash;
    int r;

    memcpy(leaf.id, row->receipt, sizeof(leaf.id));
    memcpy(leaf.content, row->content, sizeof(leaf.content));
    r = bao_leaf_print(&text, &leaf);
    if (r < 0)
        return r;
    bao_merkle_leaf(bao_buf_str(&text), &hash);
    bao_merkle_root(&hash, 1, &batch.root);
    r = bao_batch_sign(&batch, by->seed, by->pub);
    if (r == 0)
        r = bao_receipt_print(&file, bao_buf_str(&text), 0, NULL, 0, &batch);
    if (r < 0)
        return r;
    row->file = bao_arena_str(arena, bao_buf_str(&file));
    return row->file.p == NULL ? -ENOMEM : 0;
}

static int make_id(struct baod_submission *s)
{
    uint8_t random[10];

    if (s->has_id)
        return 0;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -errno;
    bao_uuid_v7(s->received_at, random, s->receipt.id);
    s->has_id = true;
    return 0;
}

static int print_sender(struct bao_arena *arena, const struct baod_identity *who, struct bao_str *ret)
{
    BAO_CLEANUP(bao_buf_deinit) struct bao_buf text = BAO_BUF_NULL(SENDER_MAX);
    int r = baod_identity_print(&text, who);

    if (r == 0)
        *ret = bao_arena_str(arena, bao_buf_str(&text));
    return r == 0 && ret->p == NULL ? -ENOMEM : r;
}

int baod_spool_make_row(const struct baod_spool_signer *by, struct bao_arena *arena,
                        struct baod_submission *s, struct baod_spool_row *ret)
{
    const struct bao_verdict *v = &s->verdict;
    char period[16];
    int r = make_id(s);

    bao_period_print(v->period, period);
    *ret = (struct baod_spool_row){.unit = v->unit,
                                   .form = v->form_id,
                                   .period = bao_arena_str(arena, bao_str_c(period)),
                                   .revision = v->revision,
                                   .form_version = v->form->version,
                                   .received_at = s->received_at,
                                   .due_at = s->receipt.due_at,
                                   .nil = v->nil,
                                   .cutoff = v->to,
                                   .unjudged = (int64_t)v->unjudged,
                                   .raw_size = (int64_t)s->document.n,
                                   .warnings = v->warnings,
                                   .explanations = v->explanations,
                                   .collected = v->collected,
                                   .body = s->stored};
    memcpy(ret->receipt, s->receipt.id, sizeof(ret->receipt));
    memcpy(ret->content, v->content, sizeof(ret->content));
    memcpy(ret->sha256, s->sha256, sizeof(ret->sha256));
    if (r == 0 && (ret->period.p == NULL || !pack(v, arena, &ret->figures)))
        r = -ENOMEM;
    if (r == 0 && s->who != NULL)
        r = print_sender(arena, s->who, &ret->sender);
    return r < 0 ? r : sign(by, arena, ret);
}

void baod_spool_receipt(const struct baod_spool_row *row, struct baod_receipt *ret)
{
    *ret = (struct baod_receipt){.queued = true,
                                 .received_at = row->received_at,
                                 .due_at = row->due_at,
                                 .on_time = row->due_at != BAO_TIME_NONE && row->received_at <= row->due_at,
                                 .form_version = row->form_version,
                                 .revision = row->revision};
    memcpy(ret->id, row->receipt, sizeof(ret->id));
    memcpy(ret->content, row->content, sizeof(ret->content));
    memcpy(ret->sha256, row->sha256, sizeof(ret->sha256));
}
