/* The bundle that was fetched from the hub (baocao forms pull), kept for judging offline.
 *
 * <base>/current is a link to the folder of one bundle, changed by a rename after the new one was written,
 * synced and found good: whatever happens, the last good one stays. <base> is BAOCAO_FORMS, else
 * XDG_DATA_HOME/baocao/forms, else ~/.local/share/baocao/forms. */
#pragma once

#include "daemon/cli/cli.h"
#include "daemon/cli/client.h"

#include <time.h>

struct cli_pulled {
    char dir[4096];    /* the forms folder */
    char version[65];  /* of the bundle */
    char server[256];  /* where it came from */
    time_t checked_at; /* when the hub last said that it is the present one */
};

/* Finds the kept bundle: false when there is none. */
bool cli_pulled_find(struct cli_pulled *ret);
/* "bản 1a2b… tải từ https://… , kiểm tra 3 ngày trước": one line without its end, for people. */
void cli_pulled_tell(FILE *to, const struct cli_pulled *p, enum bao_lang lang);
/* Fetches the hub's bundle and keeps it: an exit code, after telling. */
int cli_pulled_fetch(const struct cli_options *options, struct cli_hub *hub);
