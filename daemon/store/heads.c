#include "daemon/store/heads.h"

#include "daemon/store/pgcall.h"
#include "lib/base/error.h"
#include "lib/form/heads.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_MAX = 1 << 20, LINES_MAX = 1000, TAIL = 4096 };

static const struct baod_pg_statement BATCHES = {
    "heads_batches", "SELECT seq, node, at, n, root, prev, signature FROM baocao.audit"
                     " WHERE seq >= $1 ORDER BY seq LIMIT 1000"};

static void take(struct bao_str octets, void *ret, size_t n)
{
    memset(ret, 0, n);
    if (octets.n == n)
        memcpy(ret, octets.p, n);
}

/* The head of the batch in a row. */
static int head_of(const struct baod_pg_result *rows, size_t i, struct bao_str province,
                   struct bao_chain_head *ret)
{
    struct bao_batch batch = {.province = province,
                              .seq = baod_pg_int(rows, i, 0),
                              .node = baod_pg_bytes(rows, i, 1),
                              .at = baod_pg_time(rows, i, 2),
                              .n = (uint64_t)baod_pg_int(rows, i, 3)};

    take(baod_pg_bytes(rows, i, 4), batch.root.octets, sizeof(batch.root.octets));
    take(baod_pg_bytes(rows, i, 5), batch.previous.octets, sizeof(batch.previous.octets));
    take(baod_pg_bytes(rows, i, 6), batch.signature, sizeof(batch.signature));
    ret->seq = batch.seq;
    ret->at = batch.at;
    return bao_batch_hash(&batch, &ret->hash);
}

static int fetch(struct baod_pg_call *call, int64_t from, struct bao_buf *why,
                 const struct baod_pg_result **ret)
{
    struct bao_arena arena = BAO_ARENA_NULL(4096);
    struct baod_pg_param param = baod_pg_p_int8(&arena, from);
    int r = baod_pg_call_exec(call, &BATCHES, &param, 1, ret);

    bao_arena_deinit(&arena);
    if (r <= 0)
        return r;
    r = bao_buf_append_c(why, baod_pg_call_error(call));
    return r < 0 ? r : BAOD_HEADS_E_DATABASE;
}

int baod_heads_write(struct baod_pg_call *call, struct bao_str province, int64_t from, bool first,
                     int (*write)(void *user, struct bao_str text), void *user, struct bao_buf *why)
{
    struct bao_buf piece = BAO_BUF_NULL(PIECE_MAX);
    const struct baod_pg_result *rows = NULL;
    int r = first ? bao_heads_print_start(&piece, province) : 0;

    do {
        if (r == 0)
            r = fetch(call, from, why, &rows);
        for (size_t i = 0; r == 0 && i < baod_pg_rows(rows); i++) {
            struct bao_chain_head head;

            r = head_of(rows, i, province, &head);
            if (r == 0)
                r = bao_heads_print(&piece, &head);
            from = head.seq + 1;
        }
        if (r == 0 && bao_buf_len(&piece) != 0)
            r = write(user, bao_buf_str(&piece));
        bao_buf_clear(&piece);
    } while (r == 0 && baod_pg_rows(rows) != 0);
    bao_buf_deinit(&piece);
    return r;
}

/* ------------------------------------------------------------------ the file */

static int write_fd(void *user, struct bao_str text)
{
    const int *fd = user;

    while (text.n != 0) {
        ssize_t n = write(*fd, text.p, text.n);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            text = (struct bao_str){text.p + n, text.n - (size_t)n};
    }
    return 0;
}

/* The last whole head in the file, whose unfinished end is cut off; *ret_seq 0: there is none. */
static int find_end(int fd, int64_t *ret_seq, bool *ret_empty)
{
    char tail[TAIL];
    struct stat st;
    struct bao_str rest;
    struct bao_chain_head head;
    ssize_t n;
    off_t start;
    size_t end, line;

    if (fstat(fd, &st) < 0)
        return -errno;
    start = st.st_size > TAIL ? st.st_size - TAIL : 0;
    n = pread(fd, tail, sizeof(tail), start);
    if (n < 0)
        return -errno;
    for (end = (size_t)n; end > 0 && tail[end - 1] != '\n'; end--)
        ;
    if (end != (size_t)n && ftruncate(fd, start + (off_t)end) < 0)
        return -errno;
    *ret_seq = 0;
    *ret_empty = start == 0 && end == 0;
    if (end == 0)
        return start == 0 ? 0 : BAOD_HEADS_E_FILE;
    for (line = end - 1; line > 0 && tail[line - 1] != '\n'; line--)
        ;
    rest = (struct bao_str){tail + line, end - line};
    if (bao_heads_next(&rest, &head) == 0)
        *ret_seq = head.seq;
    else if (start != 0 || !bao_str_is((struct bao_str){tail, end < 14 ? end : 14}, "baocao-heads 1"))
        return BAOD_HEADS_E_FILE;
    return 0;
}

int baod_heads_append(struct baod_pg_call *call, struct bao_str province, const char *path,
                      struct bao_buf *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644), r;
    int64_t last = 0;
    bool empty = false;

    if (fd < 0)
        return -errno;
    r = find_end(fd, &last, &empty);
    if (r == BAOD_HEADS_E_FILE && bao_buf_printf(why, "%s is not a list of heads", path) < 0)
        r = -ENOMEM;
    if (r == 0)
        r = baod_heads_write(call, province, last + 1, empty, write_fd, &fd, why);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    close(fd);
    return r;
}

/* ------------------------------------------------------------------ comparing */

struct compare {
    struct baod_pg_call *call;
    struct bao_str province;
    enum bao_lang lang;
    struct bao_buf *out;
    struct baod_heads_counts counts;
    const struct baod_pg_result *rows; /* a page of the chain */
    size_t row;
    bool fetched;
};

static int say(struct compare *c, int64_t seq, const char *vi, const char *en)
{
    if (c->counts.wrong++ >= LINES_MAX)
        return 0;
    return bao_buf_printf(c->out, c->lang == BAO_VI ? "lượt ghi %lld: %s\n" : "batch %lld: %s\n",
                          (long long)seq, c->lang == BAO_VI ? vi : en);
}

/* Moves the page on until it holds `seq` or what comes after it. */
static int seek(struct compare *c, int64_t seq)
{
    while (c->fetched && c->row < baod_pg_rows(c->rows) && baod_pg_int(c->rows, c->row, 0) < seq)
        c->row++;
    if (c->fetched && c->row < baod_pg_rows(c->rows))
        return 0;
    c->row = 0;
    c->fetched = true;
    return fetch(c->call, seq, c->out, &c->rows);
}

static int compare_head(struct compare *c, const struct bao_chain_head *listed)
{
    struct bao_chain_head stored;
    int r = seek(c, listed->seq);

    c->counts.listed++;
    if (r != 0)
        return r;
    if (baod_pg_rows(c->rows) == 0 || baod_pg_int(c->rows, c->row, 0) != listed->seq)
        return say(c, listed->seq, "có trong danh sách đã công bố nhưng không còn trong nhật ký",
                   "stands in the published list but no longer in the chain");
    r = head_of(c->rows, c->row, c->province, &stored);
    if (r == 0 && memcmp(&stored.hash, &listed->hash, sizeof(stored.hash)) != 0)
        r = say(c, listed->seq, "khác với danh sách đã công bố: nhật ký đã bị viết lại",
                "is not what was published: the chain was rewritten");
    return r;
}

static int refuse_list(struct compare *c, const char *vi, const char *en)
{
    int r = bao_buf_append_c(c->out, c->lang == BAO_VI ? vi : en);

    return r < 0 ? r : BAOD_HEADS_E_FILE;
}

int baod_heads_compare(struct baod_pg_call *call, struct bao_str province, struct bao_str list,
                       enum bao_lang lang, struct bao_buf *out, struct baod_heads_counts *ret)
{
    struct compare c = {.call = call, .province = province, .lang = lang, .out = out};
    struct bao_str of;
    struct bao_chain_head head;
    int r = bao_heads_start(&list, &of);

    if (r == 0 && !bao_str_eq(of, province))
        return refuse_list(&c, "Danh sách này của tỉnh khác.\n", "This list is another province's.\n");
    while (r == 0) {
        r = bao_heads_next(&list, &head);
        if (r == BAO_HEADS_E_END)
            break;
        if (r == 0) {
            r = compare_head(&c, &head);
            if (r != 0)
                return r;
        }
    }
    if (r == BAO_HEADS_E_SYNTAX)
        return refuse_list(&c, "Tệp này không phải danh sách mã băm, hoặc đã bị sửa hay cắt mất một phần.\n",
                           "This is not a list of heads, or it was changed or cut.\n");
    if (r != BAO_HEADS_E_END)
        return r;
    *ret = c.counts;
    return 0;
}
