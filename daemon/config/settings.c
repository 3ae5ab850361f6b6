#include "daemon/config/settings.h"

#include "daemon/config/files.h"
#include "lib/base/error.h"
#include "lib/doc/codes.h"
#include "lib/doc/load.h"
#include "lib/form/yaml_fields.h"
#include "lib/text/catalogue.h"

#include <inttypes.h>

enum { FILE_MAX = 1 << 20 };

enum kind { TEXT, FLAG, SIZE, TIME, COUNT };

struct setting {
    const char *section; /* "" = at the top */
    const char *key;
    enum kind kind;
    size_t offset;
    const char *initial;
    int64_t min, max;
    const char *words; /* TEXT: allowed values, separated by a blank; NULL = any */
    bool reloads;
    const char *meaning[BAO_LANGS];
};

#ifndef BAOCAO_SHARE_DIR /* where the build installs the forms */
#define BAOCAO_SHARE_DIR "/usr/share/baocaod/schemas"
#endif

#define AT(member) offsetof(struct baod_settings, member)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SEC INT64_C(1000)

static const struct setting table[] = {
    {"reports",
     "address",
     TEXT,
     AT(reports_address),
     "127.0.0.1:7316",
     0,
     0,
     NULL,
     false,
     {"Địa chỉ nhận báo cáo (giao thức BRP/1); cổng 0 = cổng bất kỳ",
      "Where reports are received (BRP/1); port 0 = any"}},
    {"reports",
     "port_file",
     TEXT,
     AT(reports_port_file),
     "",
     0,
     0,
     NULL,
     false,
     {"Tệp để ghi số cổng đã mở", "File that the opened port is written to"}},
    {"reports",
     "plaintext",
     FLAG,
     AT(reports_plaintext),
     "false",
     0,
     0,
     NULL,
     false,
     {"Cho phép nhận không mã hóa ngoài loopback", "Allow unencrypted traffic beyond loopback"}},
    {"tls",
     "certificate",
     TEXT,
     AT(tls_certificate),
     "",
     0,
     0,
     NULL,
     false,
     {"Chứng thư của máy chủ (PEM, kèm chuỗi); có thì cả hai cổng chỉ nói TLS 1.3",
      "The hub's certificate (PEM with its chain); when set, both ports speak only TLS 1.3"}},
    {"tls",
     "key",
     TEXT,
     AT(tls_key),
     "",
     0,
     0,
     NULL,
     false,
     {"Khóa bí mật của chứng thư (PEM); đọc lại khi nạp lại",
      "The certificate's private key (PEM); read again at a reload"}},
    {"tls",
     "authorities",
     TEXT,
     AT(tls_authorities),
     "",
     0,
     0,
     NULL,
     false,
     {"Cơ quan chứng thực của các đơn vị (PEM); không có thì đơn vị dùng mã truy cập",
      "Authorities of the units' certificates (PEM); without them units use tokens"}},
    {"tls",
     "revoked",
     TEXT,
     AT(tls_revoked),
     "",
     0,
     0,
     NULL,
     false,
     {"Danh sách chứng thư đã thu hồi (CRL, PEM); đọc lại khi nạp lại",
      "Revoked certificates (CRL, PEM); read again at a reload"}},
    {"http",
     "address",
     TEXT,
     AT(http_address),
     "127.0.0.1:7380",
     0,
     0,
     NULL,
     false,
     {"Địa chỉ HTTP cho văn phòng", "Where HTTP is served to the office"}},
    {"http",
     "port_file",
     TEXT,
     AT(http_port_file),
     "",
     0,
     0,
     NULL,
     false,
     {"Tệp để ghi số cổng đã mở", "File that the opened port is written to"}},
    {"http",
     "plaintext",
     FLAG,
     AT(http_plaintext),
     "false",
     0,
     0,
     NULL,
     false,
     {"Cho phép HTTP không mã hóa ngoài loopback", "Allow unencrypted HTTP beyond loopback"}},
    {"http",
     "local",
     TEXT,
     AT(http_local),
     "none",
     0,
     0,
     "none unit office oversight operator",
     false,
     {"Vai trò của người hỏi từ chính máy này mà không có mã truy cập: none (không được gì), unit, office, "
      "oversight, operator; chỉ đặt khi mọi người dùng của máy đều được tin",
      "Role of who asks from this machine without a token: none (nothing), unit, office, oversight, "
      "operator; "
      "only where all users of the machine are trusted"}},
    {"database",
     "url",
     TEXT,
     AT(database_url),
     "",
     0,
     0,
     NULL,
     false,
     {"PostgreSQL 15 trở lên, ví dụ postgresql://…; để trống = PostgreSQL riêng trong paths.state",
      "PostgreSQL 15 or later, e.g. postgresql://…; empty = a private PostgreSQL in paths.state"}},
    {"paths",
     "state",
     TEXT,
     AT(state),
     "/var/lib/baocaod",
     0,
     0,
     NULL,
     false,
     {"Thư mục dữ liệu: cơ sở dữ liệu riêng, khóa ký", "State: the private database, the signing key"}},
    {"paths",
     "runtime",
     TEXT,
     AT(runtime),
     "/run/baocaod",
     0,
     0,
     NULL,
     false,
     {"Thư mục ngắn cho các socket Unix", "A short folder for Unix sockets"}},
    {"paths",
     "forms",
     TEXT,
     AT(forms),
     BAOCAO_SHARE_DIR,
     0,
     0,
     NULL,
     true,
     {"Thư mục biểu mẫu", "The forms folder"}},
    {"paths",
     "province",
     TEXT,
     AT(province),
     BAOCAO_SHARE_DIR "/provinces/66-dak-lak",
     0,
     0,
     NULL,
     true,
     {"Thư mục của tỉnh: đơn vị, ngày nghỉ, chỉ tiêu", "The province's folder: units, holidays, targets"}},
    {"admin",
     "group",
     TEXT,
     AT(admin_group),
     "",
     0,
     0,
     NULL,
     false,
     {"Nhóm người dùng được ra lệnh cho dịch vụ (baocaod office, units apply) ngoài root và người dùng của "
      "dịch vụ",
      "Group that may command the daemon (baocaod office, units apply) besides root and the daemon's own "
      "user"}},
    {"limits",
     "max_body",
     SIZE,
     AT(max_body),
     "1MiB",
     KIB,
     64 * MIB,
     NULL,
     false,
     {"Khung tin lớn nhất trên đường truyền", "Largest body on the wire"}},
    {"limits",
     "max_document",
     SIZE,
     AT(max_document),
     "4MiB",
     KIB,
     64 * MIB,
     NULL,
     false,
     {"Báo cáo lớn nhất sau giải nén", "Largest report once inflated"}},
    {"limits",
     "peer_items",
     COUNT,
     AT(peer_items),
     "64",
     1,
     4096,
     NULL,
     false,
     {"Số báo cáo chưa trả lời trên một kết nối", "Unanswered reports on one connection"}},
    {"limits",
     "peer_bytes",
     SIZE,
     AT(peer_bytes),
     "4MiB",
     KIB,
     GIB,
     NULL,
     false,
     {"Số octet chưa trả lời trên một kết nối", "Unanswered octets on one connection"}},
    {"limits",
     "total_bytes",
     SIZE,
     AT(total_bytes),
     "256MiB",
     MIB,
     64 * GIB,
     NULL,
     false,
     {"Số octet đang xử lý của mọi kết nối", "Octets in hand over all connections"}},
    {"limits",
     "connections",
     COUNT,
     AT(connections),
     "4096",
     1,
     65536,
     NULL,
     false,
     {"Số kết nối nhiều nhất mỗi cổng", "Most connections on each port"}},
    {"limits",
     "per_address",
     COUNT,
     AT(per_address),
     "1024",
     1,
     65536,
     NULL,
     false,
     {"Số kết nối nhiều nhất từ một địa chỉ", "Most connections from one address"}},
    {"limits",
     "unit_reports",
     COUNT,
     AT(unit_reports),
     "20",
     0,
     1000000,
     NULL,
     false,
     {"Số báo cáo một đơn vị được gửi mỗi giây, dồn được 30 giây; 0 = không giới hạn",
      "Reports a second that one unit may send, saved up for 30 s; 0 = no limit"}},
    {"limits",
     "unit_bytes",
     SIZE,
     AT(unit_bytes),
     "1MiB",
     0,
     GIB,
     NULL,
     false,
     {"Số octet một đơn vị được gửi mỗi giây, dồn được 30 giây; 0 = không giới hạn",
      "Octets a second that one unit may send, saved up for 30 s; 0 = no limit"}},
    {"times",
     "hello",
     TIME,
     AT(hello_ms),
     "10s",
     100,
     600 * SEC,
     NULL,
     false,
     {"Hạn cho lời chào HELLO, và cho mỗi dòng đầu", "Limit for HELLO, and for each head line"}},
    {"times",
     "idle",
     TIME,
     AT(idle_ms),
     "180s",
     SEC,
     86400 * SEC,
     NULL,
     false,
     {"Kết nối im lặng quá hạn này thì đóng", "A connection silent for longer is closed"}},
    {"times",
     "drain",
     TIME,
     AT(drain_ms),
     "30s",
     SEC,
     600 * SEC,
     NULL,
     false,
     {"Thời gian làm nốt khi dừng", "Time to finish when stopping"}},
    {"times",
     "batch",
     TIME,
     AT(batch_ms),
     "15s",
     100,
     600 * SEC,
     NULL,
     false,
     {"Hạn cho một lượt ghi cơ sở dữ liệu", "Limit for one write to the database"}},
    {"remind",
     "before",
     TIME,
     AT(remind_before_ms),
     "72h",
     0,
     8760 * 3600 * SEC,
     NULL,
     false,
     {"Nhắc đơn vị đang kết nối trước hạn gửi chừng này; quá hạn chưa gửi cũng được nhắc",
      "Connected units are reminded so long before a deadline, and past it"}},
    {"remind",
     "every",
     TIME,
     AT(remind_every_ms),
     "24h",
     0,
     8760 * 3600 * SEC,
     NULL,
     false,
     {"Nhắc lại trên cùng một kết nối sau chừng này; 0 = không nhắc",
      "How often the same is told on one connection; 0 = never"}},
    {"audit",
     "new_key",
     FLAG,
     AT(new_key),
     "false",
     0,
     0,
     NULL,
     false,
     {"Khóa ký audit.key đã mất: từ nay ký sổ bằng khóa mới. Bật một lần rồi tắt; verify --audit sẽ nêu chỗ "
      "đổi khóa",
      "audit.key is lost: sign the chain by a new one from now on. Set it once, then unset it; verify "
      "--audit names the change"}},
    {"spool",
     "enabled",
     FLAG,
     AT(spool_enabled),
     "true",
     0,
     0,
     NULL,
     false,
     {"Giữ báo cáo trên đĩa máy này (trả lời queued) khi cơ sở dữ liệu vắng mặt",
      "Keep reports on this machine's disk (answered queued) while the database is away"}},
    {"spool",
     "path",
     TEXT,
     AT(spool_path),
     "",
     0,
     0,
     NULL,
     false,
     {"Tệp kho tạm (SQLite), trên đĩa của chính máy này; để trống = spool.db trong paths.state",
      "The spool's file (SQLite), on a disk of this machine; empty = spool.db in paths.state"}},
    {"spool",
     "max_bytes",
     SIZE,
     AT(spool_max_bytes),
     "1GiB",
     KIB,
     1024 * GIB,
     NULL,
     false,
     {"Số octet báo cáo giữ nhiều nhất; quá thì trả lời WAIT SPOOLFULL",
      "Most octets of reports kept; more are answered WAIT SPOOLFULL"}},
    {"spool",
     "after",
     TIME,
     AT(spool_after_ms),
     "1s",
     1,
     600 * SEC,
     NULL,
     false,
     {"Báo cáo chờ cơ sở dữ liệu chừng này rồi vào kho tạm",
      "A report waits so long for the database before it goes to the spool"}},
    {"spool",
     "hold",
     TIME,
     AT(spool_hold_ms),
     "2s",
     1,
     600 * SEC,
     NULL,
     false,
     {"Cơ sở dữ liệu im lặng chừng này giữa một lượt ghi thì các báo cáo khác vào kho tạm ngay",
      "Once the database is silent so long within a write, other reports go to the spool at once"}},
    {"work",
     "threads",
     COUNT,
     AT(threads),
     "0",
     0,
     BAOD_THREADS_MOST,
     NULL,
     false,
     {"Số luồng đọc và kiểm tra báo cáo; 0 = số nhân, ít nhất 2",
      "Threads that parse and judge; 0 = cores, at least 2"}},
    {"work",
     "large",
     SIZE,
     AT(large),
     "256KiB",
     KIB,
     64 * MIB,
     NULL,
     false,
     {"Báo cáo lớn hơn mức này (sau giải nén) chỉ được dùng nhiều nhất nửa số luồng, để báo cáo nhỏ không "
      "phải "
      "chờ",
      "Reports above this size (once inflated) get at most half of the threads, so that small ones need not "
      "wait"}},
    {"work",
     "batch",
     COUNT,
     AT(batch),
     "1000",
     1,
     10000,
     NULL,
     false,
     {"Số báo cáo nhiều nhất một lượt ghi", "Most reports in one write"}},
    {"log",
     "level",
     TEXT,
     AT(log_level),
     "info",
     0,
     0,
     "error warning notice info debug",
     true,
     {"Mức nhật ký: error, warning, notice, info, debug",
      "What is logged: error, warning, notice, info, debug"}},
    {"",
     "node",
     TEXT,
     AT(node),
     "",
     0,
     0,
     NULL,
     false,
     {"Tên máy này trong sổ kiểm toán; để trống = tên máy chủ",
      "This node's name in the audit; empty = host name"}},
    {"",
     "lang",
     TEXT,
     AT(lang),
     "vi",
     0,
     0,
     "vi en",
     true,
     {"Ngôn ngữ mặc định của thông báo: vi hoặc en", "Default language of messages: vi or en"}},
};

static char **text_at(const struct baod_settings *s, const struct setting *row)
{
    return (char **)((char *)(uintptr_t)s + row->offset);
}

static int64_t *number_at(const struct baod_settings *s, const struct setting *row)
{
    return (int64_t *)(void *)((char *)(uintptr_t)s + row->offset);
}

static bool *flag_at(const struct baod_settings *s, const struct setting *row)
{
    return (bool *)((char *)(uintptr_t)s + row->offset);
}

struct suffix {
    const char *name;
    int64_t factor;
};

static const struct suffix sizes[] = {{"", 1}, {"KiB", KIB}, {"MiB", MIB}, {"GiB", GIB}};
static const struct suffix times[] = {{"ms", 1}, {"s", SEC}, {"m", 60 * SEC}, {"h", 3600 * SEC}};
static const struct suffix counts[] = {{"", 1}};

static const struct suffix *suffixes_of(enum kind kind, size_t *ret_n)
{
    *ret_n = kind == SIZE ? BAO_COUNT(sizes) : kind == TIME ? BAO_COUNT(times) : BAO_COUNT(counts);
    return kind == SIZE ? sizes : kind == TIME ? times : counts;
}

/* Digits and a unit. */
static bool parse_quantity(enum kind kind, struct bao_str text, int64_t *ret)
{
    size_t n, i = 0;
    const struct suffix *suffix = suffixes_of(kind, &n);
    int64_t value = 0;

    for (; i < text.n && i < 15 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        value = value * 10 + (text.p[i] - '0');
    if (i == 0)
        return false;
    for (size_t k = 0; k < n; k++)
        if (bao_str_is((struct bao_str){text.p + i, text.n - i}, suffix[k].name))
            return !__builtin_mul_overflow(value, suffix[k].factor, ret);
    return false;
}

/* The largest unit that divides the value, so that a dump reads as a person writes. */
static int print_quantity(struct bao_buf *out, enum kind kind, int64_t value)
{
    size_t n;
    const struct suffix *suffix = suffixes_of(kind, &n);

    while (n > 1 && (value == 0 || value % suffix[n - 1].factor != 0))
        n--;
    return bao_buf_printf(out, "%" PRId64 "%s", value / suffix[n - 1].factor, suffix[n - 1].name);
}

static bool word_is_allowed(const char *words, struct bao_str text)
{
    while (words != NULL) {
        const char *end = strchr(words, ' ');
        size_t n = end == NULL ? strlen(words) : (size_t)(end - words);

        if (bao_str_eq((struct bao_str){words, n}, text))
            return true;
        words = end == NULL ? NULL : end + 1;
    }
    return false;
}

static int set_text(struct baod_settings *s, const struct setting *row, struct bao_str text)
{
    char *copy = strndup(text.n == 0 ? "" : text.p, text.n);

    if (copy == NULL)
        return -ENOMEM;
    free(*text_at(s, row));
    *text_at(s, row) = copy;
    return 0;
}

/* What is wrong with a value: a code, or 0. */
static unsigned judge(const struct setting *row, const struct bao_node *node, struct bao_str text,
                      int64_t *ret)
{
    switch (row->kind) {
    case FLAG:
        return node->type == BAO_BOOL ? 0 : BAO_BC_CONFIG_FLAG;
    case TEXT:
        if (node->type != BAO_STRING)
            return BAO_BC_CONFIG_TEXT;
        return row->words == NULL || word_is_allowed(row->words, text) ? 0 : BAO_BC_CONFIG_WORD;
    default:
        if (!parse_quantity(row->kind, text, ret))
            return row->kind == SIZE   ? BAO_BC_CONFIG_SIZE
                   : row->kind == TIME ? BAO_BC_CONFIG_TIME
                                       : BAO_BC_CONFIG_COUNT;
        return *ret < row->min || *ret > row->max ? BAO_BC_CONFIG_RANGE : 0;
    }
}

static void complain(const struct bao_reader *reader, unsigned code, const struct setting *row,
                     const struct bao_node *node)
{
    struct bao_finding *f = bao_complain(reader, code, node);
    struct bao_buf range = BAO_BUF_NULL(200);

    if (f == NULL)
        return;
    bao_finding_arg(f, bao_str_c(row->key));
    bao_finding_arg(f, bao_spelling(reader, node));
    if (row->words != NULL) {
        bao_finding_arg(f, bao_str_c(row->words));
    } else if (print_quantity(&range, row->kind, row->min) == 0 && bao_buf_append_c(&range, " … ") == 0 &&
               print_quantity(&range, row->kind, row->max) == 0) {
        bao_finding_arg(f, bao_arena_str(reader->arena, bao_buf_str(&range)));
    }
    bao_buf_deinit(&range);
}

/* The text of a scalar as it stands in the file: a bare 4096 and "4096" say the same. */
static struct bao_str scalar_text(const struct bao_reader *reader, const struct bao_node *node)
{
    return node->type == BAO_STRING ? bao_node_str(node) : bao_spelling(reader, node);
}

static int apply(struct baod_settings *s, const struct bao_reader *reader, const struct setting *row,
                 const struct bao_node *node)
{
    struct bao_str text = scalar_text(reader, node);
    int64_t value = 0;
    unsigned code = judge(row, node, text, &value);

    if (code != 0) {
        complain(reader, code, row, node);
        return 0;
    }
    if (row->kind == TEXT)
        return set_text(s, row, text);
    if (row->kind == FLAG)
        *flag_at(s, row) = node->boolean;
    else
        *number_at(s, row) = value;
    return 0;
}

/* Reads the keys of one section. At the top ("") the sections themselves are known keys too. */
static int read_section(struct baod_settings *s, const struct bao_reader *reader, const char *section,
                        const struct bao_node *map)
{
    struct bao_field fields[BAO_COUNT(table)];
    const struct setting *rows[BAO_COUNT(table)];
    const struct bao_node *values[BAO_COUNT(table)] = {NULL};
    size_t n = 0;
    int r;

    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        bool mine = strcmp(table[i].section, section) == 0;
        bool names_section =
            *section == '\0' && !mine && (i == 0 || strcmp(table[i].section, table[i - 1].section) != 0);

        if (!mine && !names_section)
            continue;
        rows[n] = &table[i];
        fields[n] = (struct bao_field){.name = mine ? table[i].key : table[i].section,
                                       .type = mine ? BAO_F_ANY : BAO_F_MAP,
                                       .offset = n * sizeof(values[0])};
        n++;
    }
    if (!bao_fields_read(reader, map, fields, n, values))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (values[i] == NULL)
            continue;
        r = fields[i].type == BAO_F_MAP ? read_section(s, reader, fields[i].name, values[i])
                                        : apply(s, reader, rows[i], values[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

unsigned baod_settings_threads(const struct baod_settings *s, unsigned cores)
{
    if (s->threads > 0)
        return (unsigned)s->threads;
    return cores < BAOD_THREADS_LEAST  ? BAOD_THREADS_LEAST
           : cores > BAOD_THREADS_MOST ? BAOD_THREADS_MOST
                                       : cores;
}

int baod_settings_init(struct baod_settings *s)
{
    struct baod_settings fresh = {0};

    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        const struct setting *row = &table[i];
        int r = 0;

        if (row->kind == TEXT)
            r = set_text(&fresh, row, bao_str_c(row->initial));
        else if (row->kind == FLAG)
            *flag_at(&fresh, row) = strcmp(row->initial, "true") == 0;
        else
            bao_require(parse_quantity(row->kind, bao_str_c(row->initial), number_at(&fresh, row)));
        if (r < 0) {
            baod_settings_deinit(&fresh);
            return r;
        }
    }
    *s = fresh;
    return 0;
}

void baod_settings_deinit(struct baod_settings *s)
{
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        if (table[i].kind == TEXT) {
            free(*text_at(s, &table[i]));
            *text_at(s, &table[i]) = NULL;
        }
}

static int load_into(struct baod_settings *s, const char *file, enum bao_lang lang, struct bao_arena *arena,
                     struct bao_buf *complaints)
{
    struct bao_load_options options = {.limits = BAO_LOAD_LIMITS_DEFAULT};
    struct bao_findings findings;
    struct bao_doc doc;
    struct bao_str text;
    int r = baod_file_read(arena, file, FILE_MAX, &text);

    if (r == -ENOMEM)
        return r;
    if (r != 0) {
        r = bao_buf_printf(complaints,
                           lang == BAO_VI ? "%s: không đọc được: %s\n" : "%s: cannot be read: %s\n", file,
                           baod_files_why(r, lang));
        return r < 0 ? r : BAOD_SETTINGS_E_BAD;
    }
    bao_findings_init(&findings, arena, 50);
    r = bao_load(arena, text, &options, &findings, &doc);
    if (r < 0)
        return r;
    if (r > 0 && findings.n == 1 && findings.items[0].code == BAO_BC_NO_DOCUMENT)
        return 0; /* nothing, or comments alone: all defaults */
    if (r == 0 && doc.root.type != BAO_NULL) {
        struct bao_reader reader = {arena, &findings, &doc.root, doc.source};

        r = read_section(s, &reader, "", &doc.root);
        if (r < 0)
            return r;
    }
    if (findings.by_severity[BAO_ERROR] == 0)
        return 0;
    r = bao_text_render_all(complaints, &findings, bao_str_c(file), text, lang, 20);
    return r < 0 ? r : BAOD_SETTINGS_E_BAD;
}

static int copy(const struct baod_settings *from, struct baod_settings *ret)
{
    struct baod_settings fresh = *from;

    for (size_t i = 0; i < BAO_COUNT(table); i++)
        if (table[i].kind == TEXT)
            *text_at(&fresh, &table[i]) = NULL;
    for (size_t i = 0; i < BAO_COUNT(table); i++)
        if (table[i].kind == TEXT && set_text(&fresh, &table[i], bao_str_c(*text_at(from, &table[i]))) < 0) {
            baod_settings_deinit(&fresh);
            return -ENOMEM;
        }
    *ret = fresh;
    return 0;
}

int baod_settings_load(struct baod_settings *s, const char *file, enum bao_lang lang,
                       struct bao_buf *complaints)
{
    struct bao_arena arena = BAO_ARENA_NULL(32 << 20);
    struct baod_settings fresh;
    int r = copy(s, &fresh);

    if (r < 0)
        return r;
    r = load_into(&fresh, file, lang, &arena, complaints);
    bao_arena_deinit(&arena);
    if (r != 0) {
        baod_settings_deinit(&fresh);
        return r;
    }
    baod_settings_deinit(s);
    *s = fresh;
    return 0;
}

static int dump_value(const struct baod_settings *s, const struct setting *row, struct bao_buf *out)
{
    if (row->kind == TEXT)
        return bao_json_quote(out, bao_str_c(*text_at(s, row)));
    if (row->kind == FLAG)
        return bao_buf_append_c(out, *flag_at(s, row) ? "true" : "false");
    return print_quantity(out, row->kind, *number_at(s, row));
}

static int dump_row(const struct baod_settings *s, const struct setting *row, struct bao_buf *out)
{
    const char *indent = *row->section == '\0' ? "" : "  ";
    int r = bao_buf_printf(out, "%s# %s\n%s# %s\n%s# (mặc định/default: %s%s)\n%s%s: ", indent,
                           row->meaning[BAO_VI], indent, row->meaning[BAO_EN], indent,
                           *row->initial == '\0' ? "\"\"" : row->initial, row->reloads ? "; SIGHUP" : "",
                           indent, row->key);

    if (r == 0)
        r = dump_value(s, row, out);
    return r == 0 ? bao_buf_append_c(out, "\n") : r;
}

int baod_settings_dump(const struct baod_settings *s, struct bao_buf *out)
{
    const char *section = "";

    for (size_t i = 0; i < BAO_COUNT(table); i++) {
        int r = 0;

        if (strcmp(table[i].section, section) != 0) {
            section = table[i].section;
            if (*section != '\0')
                r = bao_buf_printf(out, "%s:\n", section);
        }
        if (r == 0)
            r = dump_row(s, &table[i], out);
        if (r < 0)
            return r;
    }
    return 0;
}
