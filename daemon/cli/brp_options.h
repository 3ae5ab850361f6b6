/* Options of the commands that speak to the report port, and opening a connection by them. */
#pragma once

#include "daemon/cli/brp_client.h"
#include "daemon/cli/words.h"
#include "daemon/net/tls.h"

enum { CLI_TOKEN_MAX = 256, CLI_ASK_S = 15 };

struct cli_brp_options {
    const char *to;                     /* --to HOST[:PORT], else BAOCAO_TO, else this machine */
    const char *token_file;             /* --token-file FILE, else BAOCAO_TOKEN_FILE; mode 0600 */
    const char *ca, *certificate, *key; /* --ca, --cert, --key: PEM files */
    bool plaintext;                     /* --plaintext: no TLS though the hub is elsewhere */
    int ask_s;                          /* for cli_brp_ask(), in all; 0: CLI_ASK_S */
    char token[CLI_TOKEN_MAX];
    struct baod_tls *tls; /* made by the first connection */
};

/* Its rows in a command's table. */
#define CLI_BRP_WORDS(o)                                                                                     \
    {"--to", &(o).to}, {"--token-file", &(o).token_file}, {"--ca", &(o).ca}, {"--cert", &(o).certificate},   \
        {"--key", &(o).key},                                                                                 \
    {                                                                                                        \
        "--plaintext", NULL, &(o).plaintext, NULL                                                            \
    }

/* Reads the secret of a file that must be its owner's alone: false after telling what is wrong. */
bool cli_token_read(const struct cli_options *options, const char *file, char ret[CLI_TOKEN_MAX]);
/* Reads a --wait of 0..86400 seconds; NULL leaves *ret as it is. false after telling what is wrong. */
bool cli_seconds(const struct cli_options *options, const char *text, int *ret);
/* After the options: environment and token. false after telling what is wrong. */
bool cli_brp_options_ready(const struct cli_options *options, struct cli_brp_options *o);
/* Gives back what connecting made. May be called twice. */
void cli_brp_options_done(struct cli_brp_options *o);
/* Connects by them: with TLS, unless the hub is this machine and no certificate was named. 0 or <0 with
 * *ret_why. */
int cli_brp_connect(const struct cli_options *options, struct cli_brp_options *o, struct cli_brp **ret,
                    const char **ret_why) BAO_MUST_CHECK;

/* What is told of one whose octets make no frame. */
const char *cli_brp_stranger(enum bao_lang lang);
/* Connects, says HELLO, asks one question and waits for its answer, which stays valid until *ret is closed.
 * On failure, or when o->ask_s have passed, *ret_why says why. 0 or <0. */
int cli_brp_ask(const struct cli_options *options, struct cli_brp_options *o, const char *verb,
                struct bao_str keys, struct cli_brp **ret, struct bao_client_event *ret_event,
                const char **ret_why) BAO_MUST_CHECK;
