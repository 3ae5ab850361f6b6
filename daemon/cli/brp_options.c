#include "daemon/cli/brp_options.h"
#include "daemon/cli/input.h"
#include "lib/text/errno.h"

#include <sys/stat.h>
#include <unistd.h>

bool cli_seconds(const struct cli_options *options, const char *text, int *ret)
{
    char *end;
    long s;

    if (text == NULL)
        return true;
    s = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || s < 0 || s > 86400)
        return cli_complain(options,
                            options->lang == BAO_VI
                                ? "--wait là số giây từ 0 đến 86400, không phải “%s”"
                                : "--wait is a number of seconds from 0 to 86400, not “%s”",
                            text);
    *ret = (int)s;
    return true;
}

static struct baod_tls_files tls_files(const struct cli_brp_options *o)
{
    return (struct baod_tls_files){
        .certificate = o->certificate,
        .key = o->key != NULL ? o->key : o->certificate,
        .authorities = o->ca,
    };
}

/* A secret that others on the machine can read is none. What is no file here cannot be told of. */
static bool is_secret(const struct cli_options *options, const char *file)
{
    struct stat st;

    if (stat(file, &st) < 0 || (st.st_mode & 077) == 0)
        return true;
    fprintf(stderr,
            options->lang == BAO_VI
                ? "%s: tệp bí mật này phải chỉ chủ của nó đọc được; hãy chạy: chmod 600 %s\n"
                : "%s: this secret file must be readable by its owner alone; run: chmod 600 %s\n",
            file, file);
    return false;
}

bool cli_token_read(const struct cli_options *options, const char *file, char ret[CLI_TOKEN_MAX])
{
    FILE *f = fopen(file, "re");
    bool ok = false;

    if (f == NULL) {
        fprintf(stderr, "%s: %s\n", file, bao_errno_text(errno, options->lang));
        return false;
    }
    ok = is_secret(options, file);
    if (ok && fgets(ret, CLI_TOKEN_MAX, f) == NULL) {
        fprintf(stderr,
                options->lang == BAO_VI ? "%s: tệp mã truy cập rỗng\n" : "%s: the token file is empty\n",
                file);
        ok = false;
    }
    (void)fclose(f); /* it was only read */
    if (ok)
        ret[strcspn(ret, " \t\r\n")] = '\0';
    return ok;
}

/* Tells at once of files that cannot be used, instead of with every attempt to connect. */
static bool load_tls(const struct cli_options *options, struct cli_brp_options *o)
{
    const struct baod_tls_files files = tls_files(o);
    const char *const names[] = {files.certificate, files.certificate == NULL ? NULL : files.key,
                                 files.authorities};
    const char *why, *file = NULL;
    int r;

    for (size_t i = 0; i < BAO_COUNT(names); i++) {
        if (names[i] != NULL && access(names[i], R_OK) < 0) {
            cli_tell_unreadable(options->lang, names[i], -errno);
            return false;
        }
    }
    if (files.certificate != NULL && !is_secret(options, files.key))
        return false;
    r = baod_tls_load_client(&files, &o->tls, &why, &file);
    if (r < 0)
        fprintf(stderr,
                options->lang == BAO_VI ? "%s: tệp chứng thư hoặc khóa này không dùng được (%s)\n"
                                        : "%s: this certificate or key cannot be used (%s)\n",
                file != NULL ? file : "TLS", why);
    return r == 0;
}

bool cli_brp_options_ready(const struct cli_options *options, struct cli_brp_options *o)
{
    char host[256], port[16];

    if (o->to == NULL)
        o->to = getenv("BAOCAO_TO");
    if (o->to != NULL && *o->to == '\0')
        o->to = NULL;
    if (!cli_split_target(o->to, host, port))
        return cli_complain(options,
                            options->lang == BAO_VI
                                ? "địa chỉ máy chủ phải viết theo dạng MÁY-CHỦ[:CỔNG], không phải “%s”"
                                : "the hub's address is written HOST[:PORT], not “%s”",
                            o->to);
    if (o->token_file == NULL)
        o->token_file = getenv("BAOCAO_TOKEN_FILE");
    if (o->token_file != NULL && !cli_token_read(options, o->token_file, o->token))
        return false;
    return (o->ca == NULL && o->certificate == NULL) || load_tls(options, o);
}

void cli_brp_options_done(struct cli_brp_options *o)
{
    o->tls = baod_tls_unref(o->tls);
}

static bool wants_tls(const struct cli_brp_options *o, const char *host)
{
    bool here = strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;

    return o->ca != NULL || o->certificate != NULL || (!here && !o->plaintext);
}

/* Makes the transformer of a connection: 0, or <0 with *ret_why. */
static int start_tls(struct cli_brp_options *o, enum bao_lang lang, const char *host,
                     struct cli_brp_target *target, const char **ret_why)
{
    const struct baod_tls_files files = tls_files(o);
    const char *file;
    int r = 0;

    if (o->tls == NULL)
        r = baod_tls_load_client(&files, &o->tls, ret_why, &file);
    if (r < 0)
        return r;
    r = baod_tls_transform(o->tls, host, &target->transform, &target->transform_state);
    if (r < 0)
        *ret_why = bao_errno_text(r, lang);
    return r;
}

int cli_brp_connect(const struct cli_options *options, struct cli_brp_options *o, struct cli_brp **ret,
                    const char **ret_why)
{
    struct cli_brp_target target = {.to = o->to, .connect_ms = o->ask_s * 1000};
    const struct bao_client_hello hello = {
        .agent = BAO_STR("baocao"),
        .token = bao_str_c(o->token),
        .lang = options->lang,
        .json = options->json,
    };
    char host[256], port[16];
    int r = 0;

    if (cli_split_target(o->to, host, port) && wants_tls(o, host))
        r = start_tls(o, options->lang, host, &target, ret_why);
    return r < 0 ? r : cli_brp_open(&target, &hello, ret, ret_why);
}

const char *cli_brp_stranger(enum bao_lang lang)
{
    return lang == BAO_VI ? "máy ở đầu kia không nói giao thức báo cáo; hãy xem lại cổng (7316), và thêm "
                            "--ca nếu máy chủ "
                            "dùng TLS"
                          : "the other side does not speak the report protocol; look at the port (7316), and "
                            "add --ca where "
                            "the server uses TLS";
}

/* Waits for an event that is not idle talk: 0 or <0; *ret_why says what went wrong. */
static int wait_for(struct cli_brp *b, enum bao_lang lang, int64_t until, enum bao_client_kind kind,
                    struct bao_client_event *ret, const char **ret_why)
{
    do {
        int64_t left = until - cli_now_ms();
        int r = cli_brp_wait(b, left > 0 ? (int)left : 0, ret);

        if (r > 0) {
            *ret_why = lang == BAO_VI
                           ? "máy chủ không trả lời kịp; xem lại địa chỉ và đường truyền rồi thử lại, hoặc "
                             "đợi lâu hơn bằng --wait GIÂY"
                           : "the hub did not answer in time; check its address and the line and try again, "
                             "or wait longer with --wait SECONDS";
            return -ETIMEDOUT;
        }
        if (r < 0) {
            *ret_why = cli_brp_why(b, r);
            return r;
        }
        if (ret->kind == BAO_CLIENT_BROKEN) {
            *ret_why = cli_brp_stranger(lang);
            return -ECONNABORTED;
        }
        if (ret->kind == BAO_CLIENT_ENDED) {
            *ret_why = bao_symbol_info(ret->symbol)->sentence[lang];
            return -ECONNABORTED;
        }
    } while (ret->kind != kind);
    return 0;
}

int cli_brp_ask(const struct cli_options *options, struct cli_brp_options *o, const char *verb,
                struct bao_str keys, struct cli_brp **ret, struct bao_client_event *ret_event,
                const char **ret_why)
{
    struct cli_brp *b = NULL;
    int64_t until;
    int r;

    if (o->ask_s == 0)
        o->ask_s = CLI_ASK_S;
    until = cli_now_ms() + o->ask_s * INT64_C(1000);
    r = cli_brp_connect(options, o, &b, ret_why);

    if (r == 0)
        r = wait_for(b, options->lang, until, BAO_CLIENT_GREETED, ret_event, ret_why);
    if (r == 0)
        r = bao_client_ask(cli_brp_session(b), verb, keys, 0);
    if (r == 0)
        r = wait_for(b, options->lang, until, BAO_CLIENT_ANSWER, ret_event, ret_why);
    if (r != 0) {
        cli_brp_close(b);
        return r < 0 ? r : -EIO;
    }
    *ret = b;
    return 0;
}
