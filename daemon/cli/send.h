/* Sending files until each has its last word: pipelined, resent on WAIT, on damage and after lost
 * connections. */
#pragma once

#include "daemon/cli/brp_options.h"
#include "daemon/cli/receipt_view.h"

#define CLI_SEND_FIRST SIZE_MAX

struct cli_send_item {
    const char *path;
    const char *name; /* as told to people */
    size_t after;     /* index of an item that must have its answer first, or CLI_SEND_FIRST */
};

struct cli_send_options {
    const struct cli_options *common;
    struct cli_brp_options *brp;
    bool compress;
    int wait_s;    /* gives up after so long without progress */
    bool progress; /* a counter on stderr */
};

/* Sends them; fates[i] tells of items[i] and lives in the arena. 0, or -ENOMEM. */
int cli_send_all(const struct cli_send_options *options, struct bao_arena *arena,
                 const struct cli_send_item *items, size_t n, struct cli_fate *fates) BAO_MUST_CHECK;
