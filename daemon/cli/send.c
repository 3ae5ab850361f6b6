#include "daemon/cli/send.h"

#include "daemon/cli/input.h"
#include "lib/base/crypto.h"
#include "lib/wire/deflate.h"
#include "lib/text/errno.h"

#include <time.h>
#include <unistd.h>

enum {
    DAMAGE_TRIES = 3, /* HASH, INFLATE, RAW mean damage on the way */
    BACKOFF_MS = 250,
    BACKOFF_MAX_MS = 8000,
    SILENCE_MS = 20000, /* no octet for so long with answers due: the connection is dead, and nobody told */
    SILENCE_MIN_MS = 2000,
    SMALL = 200, /* octets below which packing gains nothing */
    LEVEL = 6,
    WINDOW = 1024,
};

enum item_state { WAITING, SENT, DONE };

struct work {
    const struct cli_send_options *options;
    const struct cli_send_item *items;
    struct cli_fate *fates;
    struct {
        enum item_state state;
        unsigned damaged;
        int64_t not_before;
    } * at;
    size_t n, first, left; /* all before `first` are done */
    struct bao_arena *arena;
    struct bao_arena scratch; /* of one file on its way */
    struct bao_deflater *deflater;
    struct cli_brp *brp;
    int64_t give_up, connect_at, heard_at;
    int backoff_ms;
    uint32_t window; /* most requests open: halved by a lost connection, grown by answers, so that a line that
                      * breaks often still carries something each time */
    uint64_t random;
    const char *why; /* the last trouble */
    bool hopeless;   /* no use in trying again */
    bool misset;     /* ... until this machine's settings are mended */
};

static const char *say(const struct work *w, const char *vi, const char *en)
{
    return w->options->common->lang == BAO_VI ? vi : en;
}

static void progress(const struct work *w)
{
    if (w->options->progress)
        fprintf(stderr, "\r%zu/%zu", w->n - w->left, w->n);
}

static void finish(struct work *w, size_t i)
{
    w->at[i].state = DONE;
    w->left--;
    while (w->first < w->n && w->at[w->first].state == DONE)
        w->first++;
    progress(w);
}

/* An item that cannot be sent at all: it gets its own word. */
static void fail_item(struct work *w, size_t i, const char *why)
{
    const char *copy = bao_arena_dup(w->arena, why, strlen(why));

    w->fates[i] = (struct cli_fate){
        .file = w->items[i].name, .why = copy != NULL ? copy : "ENOMEM", .misset = w->misset};
    finish(w, i);
}

/* The answer the server gives to a file larger than it takes, without sending it in vain. */
static void refuse_large(struct work *w, size_t i)
{
    w->fates[i] = (struct cli_fate){
        .file = w->items[i].name,
        .answered = true,
        .answer = BAO_NO,
        .code = BAO_STR("TOOBIG"),
        .keys = BAO_STR(",\"code\":\"TOOBIG\""),
        .why = say(
            w, "tệp lớn hơn mức máy chủ nhận; hãy bỏ bớt phần không thuộc báo cáo hoặc hỏi Văn phòng tỉnh",
            "the file is larger than the server takes; take out what is not part of the report, or ask "
            "the provincial office"),
    };
    finish(w, i);
}

/* Something went forward. */
static void moved(struct work *w)
{
    w->give_up = cli_now_ms() + (int64_t)w->options->wait_s * 1000;
    w->backoff_ms = BACKOFF_MS;
}

/* ms between half and one and a half of itself. */
static int spread(struct work *w, int ms)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ms / 2 + (int)((w->random >> 33) % ((uint64_t)ms + 1));
}

/* The connection has gone: what was on its way is to be sent again. */
static void lose(struct work *w, const char *why)
{
    w->why = why;
    w->brp = cli_brp_close(w->brp);
    for (size_t i = w->first; i < w->n; i++)
        if (w->at[i].state == SENT)
            w->at[i].state = WAITING;
    w->window = w->window > 1 ? w->window / 2 : 1;
    w->connect_at = cli_now_ms() + spread(w, w->backoff_ms);
    w->backoff_ms = w->backoff_ms * 2 < BACKOFF_MAX_MS ? w->backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* Reads, hashes, packs and queues one file: 0, a client outcome, or <0. */
static int put_item(struct work *w, size_t i)
{
    struct bao_client_session *c = cli_brp_session(w->brp);
    uint8_t sha[BAO_SHA256_LEN];
    struct bao_client_report report = {.sha256 = sha, .cookie = i};
    struct bao_str document, packed;
    int r = cli_read_file(&w->scratch, w->items[i].path, (size_t)c->limits.maxraw, &document);

    if (r == -EFBIG)
        return BAO_CLIENT_E_TOOBIG;
    if (r < 0)
        return r;
    bao_sha256(document.p, document.n, sha);
    report.body = document;
    if (w->options->compress && document.n > SMALL) {
        r = bao_deflate(w->deflater, &w->scratch, document, &packed);
        if (r < 0)
            return r;
        if (packed.n < document.n) {
            report.body = packed;
            report.deflated = true;
            report.raw = document.n;
        }
    }
    return bao_client_send(c, &report);
}

/* May the item go now? */
static bool is_due(const struct work *w, size_t i, int64_t now)
{
    size_t after = w->items[i].after;

    return w->at[i].state == WAITING && w->at[i].not_before <= now &&
           (after == CLI_SEND_FIRST || w->at[after].state == DONE);
}

/* Queues what is due and fits the windows. */
static void put_due(struct work *w)
{
    struct bao_client_session *c = cli_brp_session(w->brp);
    uint32_t window = c->limits.items < w->window ? c->limits.items : w->window;
    int64_t now = cli_now_ms();

    for (size_t i = w->first; i < w->n && c->greeted && c->n_open < window; i++) {
        int r;

        if (!is_due(w, i, now))
            continue;
        r = put_item(w, i);
        bao_arena_reset(&w->scratch);
        if (r == BAO_CLIENT_E_WINDOW || r == BAO_CLIENT_E_STATE)
            return;
        if (r == 0)
            w->at[i].state = SENT;
        else if (r == BAO_CLIENT_E_TOOBIG)
            refuse_large(w, i);
        else
            fail_item(w, i, bao_errno_text(r, w->options->common->lang));
    }
}

/* Was the request damaged on the way? Heads are written by this program, so a complaint about one means the
 * same. */
static bool is_damage(enum bao_symbol symbol)
{
    static const enum bao_symbol damages[] = {BAO_SYM_HASH, BAO_SYM_INFLATE, BAO_SYM_RAW,
                                              BAO_SYM_HEAD, BAO_SYM_VERB,    BAO_SYM_MUST};

    for (size_t i = 0; i < BAO_COUNT(damages); i++)
        if (symbol == damages[i])
            return true;
    return false;
}

static int take_answer(struct work *w, const struct bao_client_event *event)
{
    size_t i = (size_t)event->cookie;
    int r;

    if (event->answer == BAO_WAIT) {
        w->at[i].state = WAITING;
        w->at[i].not_before = cli_now_ms() + (int64_t)event->after_ms;
        w->why = bao_symbol_info(event->symbol)->sentence[w->options->common->lang];
        return 0;
    }
    if (event->answer == BAO_NO && is_damage(event->symbol) && ++w->at[i].damaged < DAMAGE_TRIES) {
        w->at[i].state = WAITING;
        return 0;
    }
    r = cli_fate_read(w->arena, w->items[i].name, event, &w->fates[i]);
    if (r < 0)
        return r;
    finish(w, i);
    moved(w);
    w->window += w->window < WINDOW;
    return 0;
}

/* The sentence of a body's first line, "0:0 TAB SYM TAB TAB sentence"; NULL when it has none, or is JSON. */
static const char *sentence_of(struct work *w, struct bao_str body)
{
    const char *end = body.n == 0 ? NULL : memchr(body.p, '\n', body.n), *at = body.p;

    if (w->options->common->json || end == NULL)
        return NULL;
    for (int i = 0; i < 3 && at != NULL; i++) {
        at = memchr(at, '\t', (size_t)(end - at));
        at = at == NULL ? NULL : at + 1;
    }
    return at == NULL ? NULL : bao_arena_dup(w->arena, at, (size_t)(end - at));
}

/* The hub is there: should the line break, it is worth trying soon. What it says of our identity is shown. */
static void take_greeting(struct work *w, const struct bao_client_event *event)
{
    const char *warning = sentence_of(w, event->body);

    if (warning != NULL)
        fprintf(stderr, "%s: %s\n", say(w, "Lưu ý", "Note"), warning);
    w->backoff_ms = BACKOFF_MS;
    if (w->window > cli_brp_session(w->brp)->limits.items)
        w->window = cli_brp_session(w->brp)->limits.items;
}

/* The server ended the talk. */
static void take_end(struct work *w, const struct bao_client_event *event)
{
    const char *why = sentence_of(w, event->body);

    if (why == NULL)
        why = bao_symbol_info(event->symbol)->sentence[w->options->common->lang];
    if (event->kind == BAO_CLIENT_BROKEN)
        why = cli_brp_stranger(w->options->common->lang);
    w->hopeless = event->symbol == BAO_SYM_AUTH || event->symbol == BAO_SYM_VERSION ||
                  (event->kind == BAO_CLIENT_BROKEN && w->left == w->n);
    lose(w, why);
}

/* How long there is nothing to do but wait for the server. */
static int wait_ms(const struct work *w, int64_t now)
{
    int64_t until = w->give_up;

    for (size_t i = w->first; i < w->n; i++)
        if (w->at[i].state == WAITING && w->at[i].not_before > now && w->at[i].not_before < until)
            until = w->at[i].not_before;
    if (until > now + 1000)
        until = now + 1000;
    return until > now ? (int)(until - now) : 0;
}

/* At most half of the time after which it would give up: so a dead connection is tried again. */
static int64_t silence_ms(const struct work *w)
{
    int64_t half = (int64_t)w->options->wait_s * 500;

    if (half < SILENCE_MIN_MS)
        return SILENCE_MIN_MS;
    return half < SILENCE_MS ? half : SILENCE_MS;
}

static int turn(struct work *w)
{
    struct bao_client_event event;
    int64_t now;
    int r;

    put_due(w);
    now = cli_now_ms();
    r = w->left == 0 ? CLI_BRP_E_TIMEOUT : cli_brp_wait(w->brp, wait_ms(w, now), &event);
    if (r < 0) {
        w->hopeless = w->misset = cli_brp_is_final(w->brp);
        lose(w, cli_brp_why(w->brp, r));
        return 0;
    }
    if (r == CLI_BRP_E_TIMEOUT) {
        if (cli_brp_session(w->brp)->n_open != 0 && now - w->heard_at > silence_ms(w))
            lose(w, bao_errno_text(ETIMEDOUT, w->options->common->lang));
        return 0;
    }
    w->heard_at = cli_now_ms();
    if (event.kind == BAO_CLIENT_GREETED)
        take_greeting(w, &event);
    if (event.kind == BAO_CLIENT_ANSWER)
        return take_answer(w, &event);
    if (event.kind == BAO_CLIENT_ENDED || event.kind == BAO_CLIENT_BROKEN)
        take_end(w, &event);
    return 0;
}

static void sleep_until(int64_t until)
{
    int64_t ms = until - cli_now_ms();
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    if (ms > 0)
        (void)nanosleep(&t, NULL); /* woken early it only tries early */
}

static void open_connection(struct work *w)
{
    const char *why = NULL;

    sleep_until(w->connect_at < w->give_up ? w->connect_at : w->give_up);
    if (cli_now_ms() < w->connect_at)
        return;
    if (cli_brp_connect(w->options->common, w->options->brp, &w->brp, &why) < 0) {
        w->brp = NULL;
        lose(w, why);
    }
    w->heard_at = cli_now_ms();
}

int cli_send_all(const struct cli_send_options *options, struct bao_arena *arena,
                 const struct cli_send_item *items, size_t n, struct cli_fate *fates)
{
    struct work w = {.options = options, .items = items, .fates = fates, .n = n, .left = n, .arena = arena};
    int r = 0;

    w.at = calloc(n == 0 ? 1 : n, sizeof(*w.at));
    w.deflater = bao_deflater_new(LEVEL);
    w.random = (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    if (w.at == NULL || w.deflater == NULL)
        r = -ENOMEM;
    w.window = WINDOW;
    moved(&w);
    while (r == 0 && w.left != 0 && !w.hopeless && cli_now_ms() < w.give_up) {
        if (w.brp == NULL)
            open_connection(&w);
        else
            r = turn(&w);
    }
    for (size_t i = 0; i < n && r == 0; i++)
        if (w.at[i].state != DONE)
            fail_item(&w, i, w.why != NULL ? w.why : bao_errno_text(ETIMEDOUT, options->common->lang));
    if (options->progress)
        fputc('\n', stderr);
    cli_brp_close(w.brp);
    bao_deflater_free(w.deflater);
    bao_arena_deinit(&w.scratch);
    free(w.at);
    return r;
}
