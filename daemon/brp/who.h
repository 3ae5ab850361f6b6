/* Who says HELLO: judges a token by the credentials, and every identity by the province's units. */
#pragma once

#include "daemon/brp/peers.h"
#include "daemon/store/credentials.h"

struct baod_who {
    struct baod_credentials *credentials;
    const struct bao_registry *registry;
    bao_time now;
    struct bao_arena *arena; /* for sentences; lives as long as the verdict */
};

/* 0 and a verdict, or -ENOMEM. */
int baod_who_says_hello(const struct baod_who *who, const struct baod_brp_hello *hello,
                        struct baod_brp_verdict *ret) BAO_MUST_CHECK;
