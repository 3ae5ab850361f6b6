/* baocaod: reads the command line and the configuration, leaves root behind, and serves or does one
 * operator's task. */
#include "daemon/config/files.h"
#include "daemon/config/forms_check.h"
#include "daemon/config/settings.h"
#include "daemon/config/snapshot.h"
#include "daemon/ops/admin.h"
#include "daemon/ops/clock.h"
#include "daemon/ops/log.h"
#include "daemon/ops/slice.h"
#include "daemon/ops/user.h"
#include "daemon/server/server.h"
#include "daemon/store/audit.h"
#include "daemon/store/against.h"
#include "daemon/store/embedded.h"
#include "daemon/store/heads.h"
#include "daemon/store/migrate.h"
#include "daemon/store/pgcall.h"
#include "daemon/store/quarantine.h"
#include "daemon/store/tokens.h"
#include "daemon/store/verify.h"
#include "lib/base/utf8.h"

#include <stdarg.h>
#include <unistd.h>

enum {
    EXIT_NO = 1,
    EXIT_USAGE = 2,
    DATABASE_WAIT_MS = 30000,
    OFFICE_WAIT_MS = 600000,
    HEADS_MAX = 256 << 20
};

static const char default_config[] = "/etc/baocaod/baocaod.yaml";

struct invocation {
    const char *config; /* NULL: the default file when it is there */
    const char *user;
    enum bao_lang lang;
    bool json;
    bool reads; /* writes nothing, so a standby will do */
    int n_words;
    char **words; /* the command and its arguments */
};

/* Tells in one sentence what is wrong with a command's words, and the way to its help. Gives EXIT_USAGE. */
static int complain(const struct invocation *call, const char *format, ...) BAO_PRINTF(2, 3);

static int complain(const struct invocation *call, const char *format, ...)
{
    const char *command = call->n_words == 0 || call->words[0][0] == '-' ? "" : call->words[0];
    va_list args;

    fputs("baocaod: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr,
            call->lang == BAO_VI ? "\nXem thêm: baocaod %s%s--help\n" : "\nMore: baocaod %s%s--help\n",
            command, *command == '\0' ? "" : " ");
    return EXIT_USAGE;
}

typedef int command(const struct invocation *call, const struct baod_settings *settings);

static int report_stdout(struct bao_buf *out, int code)
{
    fwrite(bao_buf_data(out), 1, bao_buf_len(out), stdout);
    bao_buf_deinit(out);
    return code;
}

/* One figure of what a task came to, by its name in JSON. */
struct figure {
    const char *name;
    long long n;
    const char *text; /* in the number's stead */
};

/* With --format json: the figures and the lines in the sentence's stead. */
static int print_json(const struct figure *figures, size_t n, struct bao_str lines)
{
    struct bao_buf out = BAO_BUF_NULL(32 << 20);
    int r = bao_buf_append_c(&out, "{");

    for (size_t i = 0; i < n && r == 0; i++)
        r = figures[i].text != NULL ? bao_buf_printf(&out, "\"%s\":\"%s\",", figures[i].name, figures[i].text)
                                    : bao_buf_printf(&out, "\"%s\":%lld,", figures[i].name, figures[i].n);
    if (r == 0)
        r = bao_buf_append_c(&out, "\"lines\":[");
    for (const char *comma = ""; lines.n != 0 && r == 0; comma = ",") {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t len = end == NULL ? lines.n : (size_t)(end - lines.p);

        r = bao_buf_append_c(&out, comma);
        if (r == 0)
            r = bao_json_quote(&out, (struct bao_str){lines.p, len});
        lines.p += len + (end != NULL);
        lines.n -= len + (end != NULL);
    }
    if (r == 0)
        r = bao_buf_append_c(&out, "]}\n");
    return report_stdout(&out, r == 0 ? 0 : EXIT_NO);
}

static int check_config(const struct invocation *call, const struct baod_settings *settings)
{
    (void)settings; /* reading them was the check */
    if (call->json)
        return puts("{\"valid\":true}") < 0 ? EXIT_NO : 0;
    puts(call->lang == BAO_VI ? "Cấu hình hợp lệ." : "The configuration is valid.");
    return 0;
}

static int dump_config(const struct invocation *call, const struct baod_settings *settings)
{
    struct bao_buf out = BAO_BUF_NULL(1 << 20);

    (void)call;
    return report_stdout(&out, baod_settings_dump(settings, &out) == 0 ? 0 : EXIT_NO);
}

/* Both folders are judged by loading them; what is wrong is told. NULL: something is. */
static struct baod_snapshot *load_files(const struct invocation *call, const struct baod_settings *settings)
{
    struct bao_buf complaints = BAO_BUF_NULL(16 << 20);
    struct baod_snapshot *snapshot = NULL;
    int r = baod_snapshot_load(settings->forms, settings->province, call->lang, &complaints, &snapshot);

    fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&complaints)));
    bao_buf_deinit(&complaints);
    if (r < 0)
        fprintf(stderr, "baocaod: %s\n", strerror(-r));
    return snapshot;
}

static int check_forms(const struct invocation *call, const struct baod_settings *settings)
{
    struct baod_snapshot *snapshot = load_files(call, settings);
    struct bao_buf out = BAO_BUF_NULL(16 << 20);
    struct baod_clock clock;
    bao_date today;
    size_t units;
    int r;

    if (snapshot == NULL)
        return EXIT_NO;
    baod_clock_init(&clock);
    today = bao_time_date(baod_clock_now(&clock), snapshot->registry.offset);
    units = bao_registry_count(&snapshot->registry, today);
    r = baod_forms_check(snapshot, today, call->lang, &out);
    if (r == 0 && !call->json)
        r = bao_buf_printf(&out,
                           call->lang == BAO_VI ? "%zu biểu mẫu, %zu đơn vị, %zu phạm vi: hợp lệ.\n"
                                                : "Forms: %zu, units: %zu, scopes: %zu: valid.\n",
                           snapshot->forms.n, units, snapshot->registry.n_scopes);
    if (r == 0 && call->json)
        r = print_json((const struct figure[]){{"forms", (long long)snapshot->forms.n},
                                               {"units", (long long)units},
                                               {"scopes", (long long)snapshot->registry.n_scopes}},
                       3, bao_buf_str(&out));
    else if (r == 0)
        fwrite(bao_buf_data(&out), 1, bao_buf_len(&out), stdout);
    bao_buf_deinit(&out);
    baod_snapshot_unref(snapshot);
    return r == 0 ? 0 : EXIT_NO;
}

static int check_units(const struct invocation *call, const struct baod_settings *settings)
{
    struct bao_buf out = BAO_BUF_NULL(16 << 20);
    int r = baod_units_check(settings->province, call->lang, &out);

    if (r == 0 && call->json) {
        r = print_json(NULL, 0, bao_buf_str(&out));
        bao_buf_deinit(&out);
        return r;
    }
    return report_stdout(&out, r == 0 ? 0 : EXIT_NO);
}

/* ------------------------------------------------------------------ tasks at the database */

typedef int task(const struct invocation *call, const char *conninfo, const struct baod_snapshot *files,
                 struct bao_buf *out);

/* The figures of a task that was done, and the lines that it left in `out`, which is emptied. */
static int tell_json(struct bao_buf *out, const struct figure *figures, size_t n)
{
    int r = print_json(figures, n, bao_buf_str(out));

    bao_buf_clear(out);
    return r;
}

/* The same for people: the lines; a sentence goes before or after them. */
static void tell_lines(struct bao_buf *out)
{
    printf("%.*s", BAO_STR_ARG(bao_buf_str(out)));
    bao_buf_clear(out);
}

static int apply_migrations(const struct invocation *call, const char *conninfo,
                            const struct baod_snapshot *files, struct bao_buf *out)
{
    int applied = 0;
    int r =
        baod_migrate(conninfo, baod_province_key(files->registry.province), DATABASE_WAIT_MS, out, &applied);

    if (r == 0 && call->json)
        return tell_json(out, (const struct figure[]){{"applied", applied}}, 1);
    if (r == 0)
        printf(call->lang == BAO_VI ? "Đã áp dụng %d bước nâng cấp bảng dữ liệu.\n"
                                    : "Migrations applied: %d.\n",
               applied);
    return r;
}

static int open_call(const struct invocation *call, const char *conninfo, struct bao_buf *out,
                     struct baod_pg_call **ret)
{
    const struct baod_pg_call_options options = {.conninfo = conninfo,
                                                 .application = "baocaod command",
                                                 .wait_ms = DATABASE_WAIT_MS,
                                                 .read_only = call->reads,
                                                 .rather_primary = call->reads};

    return baod_pg_call_open(&options, out, ret);
}

static int tell_sums(const struct invocation *call, struct bao_buf *out, const struct baod_verify_counts *n,
                     bool rebuilt)
{
    const struct figure figures[] = {
        {"rollups", n->rollups}, {"reports", n->reports}, {rebuilt ? "rebuilt" : "different", n->different}};
    const char *what = call->lang == BAO_VI
                           ? (rebuilt ? "dòng đã ghi lại" : "chỗ khác")
                           : (rebuilt ? bao_plural(n->different, "row rebuilt", "rows rebuilt")
                                      : bao_plural(n->different, "difference", "differences"));

    if (call->json)
        return tell_json(out, figures, BAO_COUNT(figures));
    if (call->lang == BAO_VI)
        printf("Đã so %lld dòng tổng hợp của %lld báo cáo: %lld %s.\n", (long long)n->rollups,
               (long long)n->reports, (long long)n->different, what);
    else
        printf("%lld rollup %s of %lld %s compared: %lld %s.\n", (long long)n->rollups,
               bao_plural(n->rollups, "row", "rows"), (long long)n->reports,
               bao_plural(n->reports, "report", "reports"), (long long)n->different, what);
    tell_lines(out);
    return 0;
}

static int verify_sums(const struct invocation *call, const char *conninfo, const struct baod_snapshot *files,
                       struct bao_buf *out)
{
    static const char *const advice[BAO_LANGS] = {
        "Cách sửa: chạy “baocaod verify --audit” trước. Báo cáo gốc còn nguyên thì “baocaod rebuild” ghi lại "
        "các dòng này; báo cáo đã bị sửa thì khôi phục báo cáo trước, vì rebuild cộng theo báo cáo đang "
        "lưu.\n",
        "How to mend: run “baocaod verify --audit” first. Where the reports are whole, “baocaod rebuild” "
        "writes these rows anew; reports that were changed are to be restored before, for it adds up what is "
        "stored.\n"};
    struct baod_verify_counts counts = {0};
    struct baod_pg_call *pg = NULL;
    int r = open_call(call, conninfo, out, &pg);

    (void)files;
    if (r == 0)
        r = baod_verify(pg, call->lang, out, &counts);
    baod_pg_call_close(pg);
    if (r != 0)
        return r;
    r = tell_sums(call, out, &counts, false);
    if (r != 0)
        return r;
    if (counts.different != 0)
        fputs(advice[call->lang], stderr);
    return counts.different == 0 ? 0 : EXIT_NO;
}

static int rebuild_sums(const struct invocation *call, const char *conninfo,
                        const struct baod_snapshot *files, struct bao_buf *out)
{
    struct baod_verify_counts counts = {0};
    struct baod_pg_call *pg = NULL;
    int r = open_call(call, conninfo, out, &pg);

    if (r == 0)
        r = baod_rebuild(pg, baod_province_key(files->registry.province), call->lang, out, &counts);
    baod_pg_call_close(pg);
    return r == 0 ? tell_sums(call, out, &counts, true) : r;
}

static int verify_audit(const struct invocation *call, const char *conninfo,
                        const struct baod_snapshot *files, struct bao_buf *out)
{
    struct baod_audit_counts counts = {0};
    struct baod_pg_call *pg = NULL;
    char hash[2 * BAO_SHA256_LEN + 1], key[2 * BAO_ED25519_KEY_LEN + 1];
    int r = open_call(call, conninfo, out, &pg);

    if (r == 0)
        r = baod_audit_verify(pg, files, call->lang, out, &counts);
    baod_pg_call_close(pg);
    if (r != 0)
        return r;
    bao_hex(counts.head_hash, sizeof(counts.head_hash), hash);
    bao_hex(counts.public_key, sizeof(counts.public_key), key);
    if (call->json)
        r = tell_json(out,
                      (const struct figure[]){{"batches", counts.batches, NULL},
                                              {"reports", counts.reports, NULL},
                                              {"figures_not_compared", counts.unread, NULL},
                                              {"wrong", counts.wrong, NULL},
                                              {"head", counts.head, NULL},
                                              {"hash", 0, hash},
                                              {"public_key", 0, key}},
                      7);
    else if (call->lang == BAO_VI)
        printf("Đã kiểm tra %lld lượt ghi, %lld báo cáo: %lld chỗ sai.\nLượt ghi cuối: %lld\nMã băm: %s\n"
               "Khóa công khai: %s\n",
               (long long)counts.batches, (long long)counts.reports, (long long)counts.wrong,
               (long long)counts.head, hash, key);
    else
        printf("%lld %s and %lld %s checked: %lld wrong.\nLast batch: %lld\nHash: %s\nPublic key: %s\n",
               (long long)counts.batches, bao_plural(counts.batches, "batch", "batches"),
               (long long)counts.reports, bao_plural(counts.reports, "report", "reports"),
               (long long)counts.wrong, (long long)counts.head, hash, key);
    if (!call->json && counts.unread != 0 && call->lang == BAO_VI)
        printf("Chưa so được số liệu của %lld báo cáo với văn bản: thư mục biểu mẫu không còn phiên bản đã "
               "dùng, hoặc hôm "
               "nay không nhận văn bản ấy. Hãy đặt lại tệp biểu mẫu cũ rồi chạy lại.\n",
               (long long)counts.unread);
    else if (!call->json && counts.unread != 0)
        printf("The figures of %lld %s were not compared with the documents: the forms folder lacks the "
               "version used "
               "then, or would not take the document today. Put the old form's file back and run it again.\n",
               (long long)counts.unread, bao_plural(counts.unread, "report", "reports"));
    if (r != 0)
        return r;
    return counts.wrong == 0 ? 0 : EXIT_NO;
}

static int put_out(void *user, struct bao_str text)
{
    return fwrite(text.p, 1, text.n, user) == text.n ? 0 : -EIO;
}

static int print_heads(const struct invocation *call, const char *conninfo, const struct baod_snapshot *files,
                       struct bao_buf *out)
{
    struct baod_pg_call *pg = NULL;
    int r = open_call(call, conninfo, out, &pg);

    if (r == 0)
        r = baod_heads_write(pg, files->registry.province, 1, true, put_out, stdout, out);
    baod_pg_call_close(pg);
    return r;
}

static int verify_heads(const struct invocation *call, const char *conninfo,
                        const struct baod_snapshot *files, struct bao_buf *out)
{
    struct bao_arena arena = BAO_ARENA_NULL(0);
    struct baod_heads_counts counts = {0};
    struct baod_pg_call *pg = NULL;
    struct bao_str list;
    int r = baod_file_read(&arena, call->words[2], HEADS_MAX, &list);

    if (r != 0) {
        fprintf(stderr, call->lang == BAO_VI ? "baocaod: không đọc được %s\n" : "baocaod: cannot read %s\n",
                call->words[2]);
        bao_arena_deinit(&arena);
        return BAOD_HEADS_E_FILE;
    }
    r = open_call(call, conninfo, out, &pg);
    if (r == 0)
        r = baod_heads_compare(pg, files->registry.province, list, call->lang, out, &counts);
    baod_pg_call_close(pg);
    bao_arena_deinit(&arena);
    if (r != 0)
        return r;
    if (call->json) {
        r = tell_json(
            out, (const struct figure[]){{"listed", counts.listed, NULL}, {"wrong", counts.wrong, NULL}}, 2);
        return r != 0 ? r : counts.wrong == 0 ? 0 : EXIT_NO;
    }
    tell_lines(out);
    if (call->lang == BAO_VI)
        printf("Đã so %lld lượt ghi đã công bố với nhật ký: %lld chỗ sai.\n", (long long)counts.listed,
               (long long)counts.wrong);
    else
        printf("%lld published %s compared with the chain: %lld wrong.\n", (long long)counts.listed,
               bao_plural(counts.listed, "batch", "batches"), (long long)counts.wrong);
    return counts.wrong == 0 ? 0 : EXIT_NO;
}

static int judge_stored(const struct invocation *call, const char *conninfo,
                        const struct baod_snapshot *files, struct bao_buf *out)
{
    struct baod_against_counts counts = {0};
    struct baod_pg_call *pg = NULL;
    int r = open_call(call, conninfo, out, &pg);

    if (r == 0)
        r = baod_against_stored(pg, files, bao_str_c(call->words[3]), call->lang, out, &counts);
    baod_pg_call_close(pg);
    if (r == BAOD_AGAINST_E_FORM)
        fprintf(stderr,
                call->lang == BAO_VI ? "baocaod: không có biểu mẫu “%s”\n" : "baocaod: there is no form %s\n",
                call->words[3]);
    if (r != 0)
        return r;
    if (call->json) {
        r = tell_json(
            out,
            (const struct figure[]){{"reports", counts.reports, NULL}, {"refused", counts.refused, NULL}}, 2);
        return r != 0 ? r : counts.refused == 0 ? 0 : EXIT_NO;
    }
    tell_lines(out);
    if (call->lang == BAO_VI)
        printf("Đã kiểm tra lại %lld báo cáo đã nhận: %lld báo cáo sẽ bị từ chối.\n",
               (long long)counts.reports, (long long)counts.refused);
    else
        printf("%lld accepted %s judged again: %lld would be refused.\n", (long long)counts.reports,
               bao_plural(counts.reports, "report", "reports"), (long long)counts.refused);
    return counts.refused == 0 ? 0 : EXIT_NO;
}

/* The secret alone goes to standard output; sentences about it do not. */
static int run_token(const struct invocation *call, const char *conninfo, const struct baod_snapshot *files,
                     struct bao_buf *out)
{
    struct bao_buf why = BAO_BUF_NULL(1 << 20);
    struct baod_token_ask ask;
    struct baod_token_place place = {
        .registry = &files->registry, .lang = call->lang, .headed = isatty(STDOUT_FILENO) != 0};
    struct baod_clock clock;
    int applied = 0;
    int r = baod_token_parse(call->n_words - 1, call->words + 1, call->lang, &why, &ask);

    ask.json = call->json;
    baod_clock_init(&clock);
    place.now = baod_clock_now(&clock);
    if (r == 0) /* also before the first start of the daemon */
        r = baod_migrate(conninfo, baod_province_key(files->registry.province), DATABASE_WAIT_MS, &why,
                         &applied);
    if (r == 0)
        r = open_call(call, conninfo, &why, &place.call);
    if (r == 0)
        r = baod_token_run(&place, &ask, out, &why);
    baod_pg_call_close(place.call);
    fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    return r;
}

static int run_quarantine(const struct invocation *call, const char *conninfo,
                          const struct baod_snapshot *files, struct bao_buf *out)
{
    struct baod_quarantine_place place = {.offset = files->registry.offset, .lang = call->lang};
    struct bao_buf why = BAO_BUF_NULL(1 << 20);
    struct baod_quarantine_ask ask;
    int r = baod_quarantine_parse(call->n_words - 1, call->words + 1, call->lang, &why, &ask);

    ask.json = call->json;
    if (r == 0)
        r = open_call(call, conninfo, &why, &place.call);
    if (r == 0)
        r = baod_quarantine_run(&place, &ask, out, &why);
    baod_pg_call_close(place.call);
    fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    return r;
}

static void tell_waiting(const char *why, void *user)
{
    const struct invocation *call = user;

    fprintf(stderr,
            call->lang == BAO_VI
                ? "baocaod: cơ sở dữ liệu chưa trả lời%s%s; đang thử lại, nhiều nhất %d giây…\n"
                : "baocaod: the database does not answer yet%s%s; trying for up to %d s…\n",
            *why != '\0' ? ": " : "", why, DATABASE_WAIT_MS / 1000);
}

/* Figures of a standby are as old as what it has received. */
static int tell_standby(const struct invocation *call, struct baod_pg_call *pg, struct bao_buf *out)
{
    static const struct baod_pg_statement STANDBY = {
        NULL,
        "SELECT coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh',"
        "                        'YYYY-MM-DD\"T\"HH24:MI:SS\"+07:00\"'), '') WHERE pg_is_in_recovery()"};
    const struct baod_pg_result *res = NULL;
    int r = baod_pg_call_tell(pg, baod_pg_call_exec(pg, &STANDBY, NULL, 0, &res), out);
    bool vi = call->lang == BAO_VI;
    struct bao_str at; /* "" where it has replayed no commit since its start */

    if (r != 0 || baod_pg_rows(res) == 0)
        return r;
    at = baod_pg_bytes(res, 0, 0);
    fprintf(stderr,
            vi ? "baocaod: đọc từ máy chủ dự phòng, gồm những gì nó đã nhận%s%.*s\n"
               : "baocaod: reading from a standby, what it has received%s%.*s\n",
            at.n == 0 ? ""
            : vi      ? " đến "
                      : " up to ",
            BAO_STR_ARG(at));
    return 0;
}

/* Statements of this program are right for its own tables only: an older program must not make sums anew in
 * what a newer one has changed. */
static int check_tables(const struct invocation *call, struct baod_pg_call *pg, struct bao_buf *out)
{
    size_t has = 0, knows = 0;
    int r = baod_migrate_look(pg, out, &has, &knows);

    if (r != 0 || has == knows)
        return r;
    if (has > knows)
        r = bao_buf_append_c(
            out, call->lang == BAO_VI
                     ? "Cơ sở dữ liệu đã được một bản baocaod mới hơn nâng cấp: hãy dùng bản "
                       "mới đó, hoặc khôi phục bản sao lưu trước khi nâng cấp."
                     : "A newer baocaod has upgraded the database: use that program, or restore a "
                       "backup made before the upgrade.");
    else
        r = bao_buf_printf(
            out,
            call->lang == BAO_VI
                ? "Bảng dữ liệu mới ở bước %zu, bản baocaod này cần bước %zu: hãy chạy baocaod "
                  "migrate, hoặc khởi động dịch vụ, rồi làm lại."
                : "The tables are at step %zu, this baocaod needs step %zu: run baocaod migrate, or "
                  "start the daemon, and try again.",
            has, knows);
    return r == 0 ? BAOD_MIGRATE_E_NEWER : r;
}

/* Waits for the database and says so, before a task begins that would wait in silence. */
static int await_database(const struct invocation *call, const char *conninfo, bool upgrades,
                          struct bao_buf *out)
{
    const struct baod_pg_call_options options = {.conninfo = conninfo,
                                                 .application = "baocaod command",
                                                 .wait_ms = DATABASE_WAIT_MS,
                                                 .read_only = call->reads,
                                                 .rather_primary = call->reads,
                                                 .waiting = tell_waiting,
                                                 .user = (void *)call};
    struct baod_pg_call *pg = NULL;
    int r = baod_pg_call_open(&options, out, &pg);

    if (r == 0 && call->reads)
        r = tell_standby(call, pg, out);
    if (r == 0 && !upgrades)
        r = check_tables(call, pg, out);
    baod_pg_call_close(pg);
    return r;
}

/* Runs a task at the configured database, or at the private one, which a running daemon may be serving from.
 */
static int at_database(const struct invocation *call, const struct baod_settings *settings, task *run)
{
    const struct baod_embedded_options options = {
        .state = settings->state, .runtime = settings->runtime, .visit = true};
    struct bao_buf out = BAO_BUF_NULL(16 << 20);
    struct baod_embedded *embedded = NULL;
    const char *conninfo = settings->database_url;
    struct baod_snapshot *files = NULL;
    struct bao_str said;
    int r = baod_snapshot_load(settings->forms, settings->province, call->lang, &out, &files);

    if (r == 0 && *conninfo == '\0') {
        r = baod_embedded_open(&options, &out, &embedded);
        if (r == 0)
            conninfo = baod_embedded_conninfo(embedded);
    }
    if (r == 0)
        r = await_database(call, conninfo, run == apply_migrations || run == run_token, &out);
    if (r == 0)
        r = run(call, conninfo, files, &out);
    said = bao_buf_str(&out);
    fprintf(r == 0 ? stdout : stderr, "%.*s%s", BAO_STR_ARG(said),
            r == 0 || said.n == 0 || said.p[said.n - 1] == '\n' ? "" : "\n");
    if (r < 0)
        fprintf(stderr, "baocaod: %s\n", strerror(-r));
    bao_buf_deinit(&out);
    baod_embedded_close(embedded);
    baod_snapshot_unref(files);
    return r == 0 ? 0 : EXIT_NO;
}

/* The same for a task that writes nothing: where no server takes writes a standby will do. */
static int read_database(const struct invocation *call, const struct baod_settings *settings, task *run)
{
    struct invocation reading = *call;

    reading.reads = true;
    return at_database(&reading, settings, run);
}

static int migrate(const struct invocation *call, const struct baod_settings *settings)
{
    return at_database(call, settings, apply_migrations);
}

static int verify(const struct invocation *call, const struct baod_settings *settings)
{
    return read_database(call, settings, verify_sums);
}

/* The chain against itself, and against the list of its heads that the state folder keeps, where there is
 * one: of a chain that was cut off at its end only such a list knows. */
static int verify_chain(const struct invocation *call, const struct baod_settings *settings)
{
    char path[4096], *words[] = {call->words[0], call->words[1], path};
    struct invocation again = *call;
    int whole = read_database(call, settings, verify_audit), listed;

    if (snprintf(path, sizeof(path), "%s/heads.txt", settings->state) >= (int)sizeof(path) ||
        access(path, R_OK) != 0)
        return whole;
    again.words = words;
    listed = read_database(&again, settings, verify_heads);
    return whole != 0 ? whole : listed;
}

static int verify_published(const struct invocation *call, const struct baod_settings *settings)
{
    return read_database(call, settings, verify_heads);
}

static int heads(const struct invocation *call, const struct baod_settings *settings)
{
    return read_database(call, settings, print_heads);
}

static int check_against(const struct invocation *call, const struct baod_settings *settings)
{
    return read_database(call, settings, judge_stored);
}

static int token(const struct invocation *call, const struct baod_settings *settings)
{
    struct bao_buf why = BAO_BUF_NULL(1 << 16);
    struct baod_token_ask ask;
    int r = baod_token_parse(call->n_words - 1, call->words + 1, call->lang, &why, &ask);

    if (r != 0)
        (void)complain(call, "%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    return r == 0 ? at_database(call, settings, run_token) : EXIT_USAGE;
}

static int quarantine(const struct invocation *call, const struct baod_settings *settings)
{
    struct bao_buf why = BAO_BUF_NULL(1 << 16);
    struct baod_quarantine_ask ask;
    int r = baod_quarantine_parse(call->n_words - 1, call->words + 1, call->lang, &why, &ask);

    if (r != 0)
        (void)complain(call, "%.*s", BAO_STR_ARG(bao_buf_str(&why)));
    bao_buf_deinit(&why);
    return r == 0 ? at_database(call, settings, run_quarantine) : EXIT_USAGE;
}

static int rebuild(const struct invocation *call, const struct baod_settings *settings)
{
    return at_database(call, settings, rebuild_sums);
}

/* ------------------------------------------------------------------ asking the running daemon */

static int ask_daemon(const struct invocation *call, const struct baod_settings *settings, const char *what,
                      const char *const *options)
{
    char path[108];
    const struct baod_admin_command request = {
        .path = path,
        .what = what,
        .act = call->words[1],
        .options = options,
        .n_words = call->n_words - 2,
        .words = call->words + 2,
        .lang = call->lang,
        .json = call->json,
        .wait_ms = OFFICE_WAIT_MS,
    };

    if (baod_admin_path(settings->runtime, path) < 0) {
        fprintf(stderr,
                call->lang == BAO_VI ? "baocaod: đường dẫn paths.runtime quá dài: %s\n"
                                     : "baocaod: paths.runtime is too long: %s\n",
                settings->runtime);
        return EXIT_USAGE;
    }
    return baod_admin_command(&request);
}

static int office(const struct invocation *call, const struct baod_settings *settings)
{
    static const char *const options[] = {"form",     "unit",   "period", "revision", "until",
                                          "decision", "reason", "by",     NULL};

    return ask_daemon(call, settings, "office", options);
}

static int units_apply(const struct invocation *call, const struct baod_settings *settings)
{
    static const char *const options[] = {"=dry-run", NULL};

    return ask_daemon(call, settings, "units", options);
}

static int serve(const struct invocation *call, const struct baod_settings *settings)
{
    int r = baod_slice_shorten();

    (void)call;
    if (r < 0)
        baod_log(BAOD_LOG_DEBUG, "server: short turns on the processor are not to be had: %s", strerror(-r));
    return baod_server_run(settings);
}

#define OFFICE_OPTIONS "--form F --period P …"
#define COMMON_VI "--lang vi|en, --format text|json, --config TỆP, --user TÊN"
#define COMMON_EN "--lang vi|en, --format text|json, --config FILE, --user NAME"

static const struct {
    const char *words[3];
    const char *argument; /* its name in the usage; NULL: the command takes none; with "…" or in brackets any
                             number */
    command *run;
    const char *what[BAO_LANGS];
} commands[] = {
    {{NULL}, NULL, serve, {"chạy dịch vụ", "serve"}},
    {{"check-config"}, NULL, check_config, {"kiểm tra tệp cấu hình", "check the configuration"}},
    {{"dump-config"},
     NULL,
     dump_config,
     {"in cấu hình đang dùng, có giải thích", "print the configuration, explained"}},
    {{"migrate"}, NULL, migrate, {"nâng cấp bảng dữ liệu", "bring the database's tables up to this program"}},
    {{"verify"},
     NULL,
     verify,
     {"so mọi số tổng hợp với báo cáo gốc", "compare every rollup with the reports"}},
    {{"verify", "--audit"},
     NULL,
     verify_chain,
     {"kiểm tra nhật ký các lượt ghi", "check the chain of batches"}},
    {{"verify", "--heads"},
     "FILE",
     verify_published,
     {"so nhật ký với danh sách mã băm đã công bố", "compare the chain with a published list of heads"}},
    {{"heads"}, NULL, heads, {"in danh sách mã băm để công bố", "print the list of heads, for publishing"}},
    {{"rebuild"}, NULL, rebuild, {"tính lại các số tổng hợp sai khác", "make the rollups that differ anew"}},
    {{"forms", "check"}, NULL, check_forms, {"kiểm tra các biểu mẫu", "check the forms"}},
    {{"forms", "check", "--against-stored"},
     "FORM",
     check_against,
     {"báo cáo đã nhận nào sẽ bị phiên bản mới từ chối",
      "accepted reports that its newest version would refuse"}},
    {{"token"},
     "add|list|revoke …",
     token,
     {"cấp, liệt kê, thu hồi mã truy cập", "make, list and revoke access tokens"}},
    {{"quarantine"},
     "list|show|drop …",
     quarantine,
     {"báo cáo hợp lệ mà cơ sở dữ liệu không nhận được, đang giữ riêng",
      "valid reports that the database would not take, set aside"}},
    {{"units", "check"}, NULL, check_units, {"kiểm tra danh mục đơn vị", "check the units"}},
    {{"units", "apply"},
     "[--dry-run]",
     units_apply,
     {"áp dụng tệp của tỉnh vào dịch vụ đang chạy; --dry-run chỉ cho xem thay đổi",
      "bring the province's files into the running daemon; --dry-run only shows the changes"}},
    {{"office", "return"},
     OFFICE_OPTIONS,
     office,
     {"trả lại báo cáo (--unit U --reason …, có thể thêm --revision N --until T)",
      "return a report (--unit U --reason …, perhaps --revision N --until T)"}},
    {{"office", "withdraw"},
     OFFICE_OPTIONS,
     office,
     {"thu hồi báo cáo thay đơn vị, trước khi khóa (--unit U --reason …)",
      "withdraw a report for its unit, before the lock (--unit U --reason …)"}},
    {{"office", "extend"},
     OFFICE_OPTIONS,
     office,
     {"gia hạn, khóa lùi theo (--until T --reason …, --unit U hoặc mọi đơn vị)",
      "extend the deadline and the lock (--until T --reason …, --unit U or all)"}},
    {{"office", "exempt"},
     OFFICE_OPTIONS,
     office,
     {"miễn báo cáo (--unit U --decision “Số …”)", "exempt a unit (--unit U --decision “Số …”)"}},
    {{"office", "owe"},
     OFFICE_OPTIONS,
     office,
     {"bỏ miễn báo cáo (--unit U --reason …)", "lift an exemption (--unit U --reason …)"}},
    {{"office", "lock"},
     OFFICE_OPTIONS,
     office,
     {"khóa kỳ (--unit U hoặc mọi đơn vị, --until T: khóa từ lúc đó)",
      "lock a period (--unit U or all, --until T: from then on)"}},
    {{"office", "unlock"},
     OFFICE_OPTIONS,
     office,
     {"mở khóa kỳ (--reason …, --unit U hoặc mọi đơn vị, --until T)",
      "unlock a period (--reason …, --unit U or all, --until T)"}},
    {{"office", "approve"},
     OFFICE_OPTIONS,
     office,
     {"phê duyệt số liệu cả kỳ và khóa kỳ (có thể thêm --decision “Số …”)",
      "approve a period's figures and lock it (perhaps --decision “Số …”)"}},
};

/* What a command's rows do not say. */
static const struct {
    const char *word;
    const char *text[BAO_LANGS];
} notes[] = {
    {"token",
     {"token add --name TÊN (--unit MÃ[,MÃ…] | --role office|oversight|operator) [--expires NGÀY]\n"
      "token list\n"
      "token revoke SỐ_HIỆU\n",
      "token add --name NAME (--unit CODE[,CODE…] | --role office|oversight|operator) [--expires DAY]\n"
      "token list\n"
      "token revoke ID\n"}},
    {"quarantine",
     {"quarantine list\n"
      "quarantine show|drop SỐ_HIỆU: chữa nguyên nhân thì bản gửi lại sẽ được nhận\n",
      "quarantine list\n"
      "quarantine show|drop ID: once the cause is mended the next copy is taken\n"}},
    {"office",
     {"office …: [--by AI], ghi vào nhật ký là ai làm; nếu không ghi thì là người chạy lệnh\n"
      "  Ví dụ: baocaod office extend --form nd73-quarterly --period 2026-Q3 --until 2026-10-20 --reason "
      "\"Mưa lũ\"\n",
      "office …: [--by WHO], recorded as the one who acts; else the user who runs the command\n"
      "  Example: baocaod office extend --form nd73-quarterly --period 2026-Q3 --until 2026-10-20 --reason "
      "\"Floods\"\n"}},
};

/* How a command's argument is called in the user's language. */
static const char *argument_of(size_t row, enum bao_lang lang)
{
    const char *name = commands[row].argument;

    if (name == NULL)
        return "";
    if (lang == BAO_VI && strcmp(name, "FILE") == 0)
        return "TỆP";
    return lang == BAO_VI && strcmp(name, "FORM") == 0 ? "BIỂU_MẪU" : name;
}

static bool is_of(const char *word, const char *only)
{
    return only == NULL || (word != NULL && strcmp(word, only) == 0);
}

/* only: of the commands that begin with this word; NULL: of all. */
static int usage(FILE *to, enum bao_lang lang, const char *only)
{
    fputs(lang == BAO_VI ? "Cách dùng: baocaod [TÙY CHỌN] [LỆNH]\n\n"
                         : "Usage: baocaod [OPTION] [COMMAND]\n\n",
          to);
    for (size_t i = 0; i < BAO_COUNT(commands); i++) {
        char name[64] = "";
        size_t n = 0;

        if (!is_of(commands[i].words[0], only))
            continue;
        for (size_t w = 0; w < BAO_COUNT(commands[i].words) && commands[i].words[w] != NULL; w++)
            n += (size_t)snprintf(name + n, sizeof(name) - n, "%s ", commands[i].words[w]);
        snprintf(name + n, sizeof(name) - n, "%s", argument_of(i, lang));
        fprintf(to, "  baocaod %s%*s %s\n", name, 36 - (int)bao_utf8_width(bao_str_c(name)), "",
                commands[i].what[lang]);
    }
    for (size_t i = 0; i < BAO_COUNT(notes); i++)
        if (is_of(notes[i].word, only))
            fprintf(to, "%s%s", i == 0 || only != NULL ? "\n" : "", notes[i].text[lang]);
    fputs(lang == BAO_VI ? "\nTùy chọn chung, đứng ở đâu cũng được: " COMMON_VI ", --help\n"
                         : "\nCommon options, anywhere: " COMMON_EN ", --help\n",
          to);
    return to == stdout ? 0 : EXIT_USAGE;
}

/* Is help asked for, anywhere? In the language of a --lang before or after it. */
static bool asks_for_help(int argc, char **argv, enum bao_lang *ret_lang)
{
    bool asks = false;

    for (int i = 1; i < argc; i++) {
        asks = asks || strcmp(argv[i], "--help") == 0;
        if (strcmp(argv[i], "--lang=en") == 0 ||
            (strcmp(argv[i], "--lang") == 0 && i + 1 < argc && strcmp(argv[i + 1], "en") == 0))
            *ret_lang = BAO_EN;
    }
    return asks;
}

/* One of the options that every command knows; what its value may be when not any. */
struct option {
    const char *name, *first, *second;
    const char *value;
};

static bool is_right(const struct option *o)
{
    return o->first == NULL || strcmp(o->value, o->first) == 0 || strcmp(o->value, o->second) == 0;
}

/* The option that `word` begins, or NULL. */
static struct option *option_of(struct option *options, const char *word)
{
    size_t n = strcspn(word, "=");

    for (; options->name != NULL; options++)
        if (strncmp(options->name, word, n) == 0 && options->name[n] == '\0')
            return options;
    return NULL;
}

/* Takes the options out, wherever they stand; what is left are the command's words. 0, or EXIT_USAGE after
 * telling of a value that is missing or wrong. */
static int read_options(int argc, char **argv, struct invocation *ret)
{
    struct option options[] = {
        {"--config"}, {"--user"}, {"--lang", "vi", "en"}, {"--format", "text", "json"}, {NULL}};
    int n = 0;

    for (int i = 1; i < argc; i++) {
        struct option *o = option_of(options, argv[i]);
        const char *equals = strchr(argv[i], '=');

        if (o == NULL) {
            argv[1 + n++] = argv[i];
            continue;
        }
        o->value = equals != NULL ? equals + 1 : i + 1 < argc ? argv[++i] : "";
        if (*o->value == '\0' || !is_right(o))
            return complain(
                ret,
                o->first == NULL
                    ? (ret->lang == BAO_VI ? "sau %s còn thiếu giá trị" : "a value is missing after %s")
                    : (ret->lang == BAO_VI ? "sau %s phải là %s hoặc %s" : "%s takes %s or %s"),
                o->name, o->first, o->second);
        ret->lang = options[2].value != NULL && strcmp(options[2].value, "en") == 0 ? BAO_EN : BAO_VI;
    }
    ret->config = options[0].value;
    ret->user = options[1].value;
    ret->json = options[3].value != NULL && strcmp(options[3].value, "json") == 0;
    ret->n_words = n;
    ret->words = argv + 1;
    return 0;
}

/* How many of the row's words the command begins with. */
static int n_alike(const struct invocation *call, size_t row)
{
    int n = 0;

    while (n < (int)BAO_COUNT(commands[row].words) && commands[row].words[n] != NULL && n < call->n_words &&
           strcmp(call->words[n], commands[row].words[n]) == 0)
        n++;
    return n;
}

static bool is_whole(size_t row, int n)
{
    return n == (int)BAO_COUNT(commands[row].words) || commands[row].words[n] == NULL;
}

/* The command whose words these are, with nothing left over. */
static command *find(const struct invocation *call)
{
    for (size_t i = 0; i < BAO_COUNT(commands); i++) {
        const char *argument = commands[i].argument;
        bool many = argument != NULL && (*argument == '[' || strstr(argument, "…") != NULL);
        int n = n_alike(call, i);

        if (is_whole(i, n) && (many || call->n_words == n + (argument != NULL)))
            return commands[i].run;
    }
    return NULL;
}

/* The words that may stand at place n of a command that begins like row: "return, withdraw, …". */
static void next_words(size_t row, int n, struct bao_buf *out)
{
    const char *last = "";
    int r = 0;

    for (size_t i = 0; i < BAO_COUNT(commands) && r == 0; i++) {
        bool like = !is_whole(i, n) && strcmp(commands[i].words[n], last) != 0;

        for (int k = 0; k < n && like; k++)
            like = strcmp(commands[i].words[k], commands[row].words[k]) == 0;
        if (!like)
            continue;
        r = bao_buf_printf(out, "%s%s", *last == '\0' ? "" : ", ", commands[i].words[n]);
        last = commands[i].words[n];
    }
}

/* Why no command is written like this. */
static int tell_command(const struct invocation *call)
{
    struct bao_buf next = BAO_BUF_NULL(4096);
    bool vi = call->lang == BAO_VI;
    size_t row = 0;
    int n = 0;

    for (size_t i = 0; i < BAO_COUNT(commands); i++)
        if (n_alike(call, i) > n) {
            n = n_alike(call, i);
            row = i;
        }
    next_words(row, n, &next);
    if (n == 0 && call->words[0][0] == '-')
        (void)complain(call, vi ? "không có tùy chọn %s" : "there is no option %s", call->words[0]);
    else if (n == 0)
        (void)complain(&(struct invocation){.lang = call->lang},
                       vi ? "không có lệnh “%s”; các lệnh: %.*s"
                          : "there is no command %s; the commands: %.*s",
                       call->words[0], BAO_STR_ARG(bao_buf_str(&next)));
    else if (is_whole(row, n) && commands[row].argument != NULL && call->n_words == n)
        (void)complain(call, vi ? "sau “%s” còn thiếu %s" : "after %s a %s is missing", call->words[n - 1],
                       argument_of(row, call->lang));
    else if (is_whole(row, n))
        (void)complain(call, vi ? "thừa “%s” sau “%s”" : "“%s” is too much after %s",
                       call->words[n + (commands[row].argument != NULL)], call->words[n - 1]);
    else
        (void)complain(call, vi ? "sau “%s” phải là một trong: %.*s" : "after %s comes one of: %.*s",
                       call->words[n - 1], BAO_STR_ARG(bao_buf_str(&next)));
    bao_buf_deinit(&next);
    return EXIT_USAGE;
}

/* Of the command that is named beside --help, or of all. */
static int help(int argc, char **argv, struct invocation *call)
{
    if (read_options(argc, argv, call) != 0)
        return EXIT_USAGE;
    for (int i = 0; i < call->n_words; i++)
        for (size_t row = 1; row < BAO_COUNT(commands); row++)
            if (strcmp(call->words[i], commands[row].words[0]) == 0)
                return usage(stdout, call->lang, call->words[i]);
    return usage(stdout, call->lang, NULL);
}

static int read_settings(const struct invocation *call, struct baod_settings *settings)
{
    const char *file = call->config != NULL                ? call->config
                       : access(default_config, R_OK) == 0 ? default_config
                                                           : NULL;
    struct bao_buf complaints = BAO_BUF_NULL(1 << 20);
    int r = baod_settings_init(settings);

    if (r == 0 && file != NULL)
        r = baod_settings_load(settings, file, call->lang, &complaints);
    fprintf(stderr, "%.*s", BAO_STR_ARG(bao_buf_str(&complaints)));
    bao_buf_deinit(&complaints);
    if (r < 0)
        fprintf(stderr, "baocaod: %s\n", strerror(-r));
    return r;
}

static enum baod_level level_of(const char *name)
{
    static const struct {
        const char *name;
        enum baod_level level;
    } levels[] = {{"error", BAOD_LOG_ERROR},
                  {"warning", BAOD_LOG_WARNING},
                  {"notice", BAOD_LOG_NOTICE},
                  {"info", BAOD_LOG_INFO},
                  {"debug", BAOD_LOG_DEBUG}};

    for (size_t i = 0; i < BAO_COUNT(levels); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].level;
    return BAOD_LOG_INFO;
}

int main(int argc, char **argv)
{
    struct invocation call = {.lang = BAO_VI};
    struct baod_settings settings = {0};
    command *run;
    int code, r;

    if (asks_for_help(argc, argv, &call.lang))
        return help(argc, argv, &call);
    if (read_options(argc, argv, &call) != 0)
        return EXIT_USAGE;
    run = find(&call);
    if (run == NULL)
        return tell_command(&call);
    if (call.user != NULL && (r = baod_become(call.user)) < 0) {
        fprintf(stderr,
                call.lang == BAO_VI ? "baocaod: không chuyển được sang người dùng “%s”: %s\n"
                                    : "baocaod: cannot become user %s: %s\n",
                call.user,
                r == -ENOENT ? (call.lang == BAO_VI ? "không có người dùng này" : "no such user")
                             : strerror(-r));
        return EXIT_USAGE;
    }
    if (read_settings(&call, &settings) != 0) {
        baod_settings_deinit(&settings);
        return EXIT_USAGE;
    }
    baod_log_init(level_of(settings.log_level), getenv("JOURNAL_STREAM") != NULL);
    code = run(&call, &settings);
    baod_settings_deinit(&settings);
    return code;
}
